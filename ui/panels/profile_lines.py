"""What the gradient profile draws over its bars: circles for the units, ticks for the line before a branch, another run's line.

Each says in words what it is: in the plot where there is room, otherwise in the heading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.snapshot import Details, Snapshot

from .. import colors
from ..numbers import short
from ..stages import words_of
from ..theme import Theme, font
from . import marks
from .bars import CIRCLES_FROM, End, Frame, reached

OVERHANG = 5.0  # how far a tick reaches beyond its bar, where there is room
APART = 5.0  # between neighbouring ticks: they must not run together into a line
LABEL_ABOVE = 14.0


@dataclass(frozen=True)
class Before:
    """The line before the branch: ∂J/∂w per layer (layers,) at the step nearest to the present one."""

    step: int
    values: NDArray[Any]


@dataclass(frozen=True)
class Beside:
    """The run that stands on the other side, for a line through the bars of this one."""

    letter: str
    snapshot: Snapshot

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether its numbers are of the same kind: a layer's weights, or a time step's state."""
        return self.snapshot.architecture.recurrent == snapshot.architecture.recurrent

    def caption(self, snapshot: Snapshot) -> tuple[str, ...]:
        """What the line is, longest first."""
        layers, own = len(self.snapshot.architecture.layers), len(snapshot.architecture.layers)
        many = words_of(snapshot.architecture).many
        if not self.fits(snapshot):
            return (f"no line for {self.letter}: one has layers, the other time steps", f"no line for {self.letter}")
        spread = f"line: {self.letter}, its {layers} {many} spread over {own}"
        return (spread, f"line: {self.letter}, spread") if layers != own else (f"line: the same of {self.letter}", f"line: {self.letter}")


def before_branch(snapshot: Snapshot) -> Before | None:
    """What the line before the branch had at the step that is shown; None where both lines are one, or it had ended already.

    None also while one example is looked at: the history is that of whole mini-batches.
    """
    ghost = snapshot.ghost
    step = snapshot.moment.step if snapshot.moment is not None else snapshot.step
    if ghost is None or snapshot.example is not None:
        return None
    steps = ghost.history.steps
    own = int(np.searchsorted(steps, ghost.branch_step, side="right"))  # the rows from here on are not shared
    if own == len(steps) or not ghost.branch_step < step <= int(steps[-1]):
        return None
    row = own + int(np.argmin(np.abs(steps[own:] - step)))
    values = ghost.history.gradient_rms[row]
    return Before(int(steps[row]), values) if len(values) == len(snapshot.architecture.layers) else None


def points(frame: Frame, values: NDArray[Any], snapshot: Snapshot | None = None) -> list[QPointF]:
    """A place for each shown layer whose value has one; with ``snapshot`` only for the layers its step has reached."""
    finite, high = np.isfinite(values).tolist(), frame.bottom - frame.top
    heights = (frame.bottom - colors.positions(values) * high).tolist()  # all at once, as there may be a thousand
    shown = [n for n in frame.shown if n <= len(finite) and finite[n - 1] and (snapshot is None or reached(snapshot, n))]
    return [QPointF(frame.x(n), heights[n - 1]) for n in shown]


def paint_before(painter: QPainter, frame: Frame, theme: Theme, before: Before, snapshot: Snapshot) -> None:
    """A dotted tick across each bar, from before the branch; stripes where that number was not finite."""
    reach = min(OVERHANG, max(0.0, (frame.pitch - frame.bar) / 2 - APART / 2))
    ticks = []
    for layer in frame.shown:
        if not reached(snapshot, layer):
            continue
        size = abs(float(before.values[layer - 1]))
        if math.isfinite(size):
            left, right = max(frame.left, frame.x(layer) - frame.bar / 2 - reach), min(frame.right, frame.x(layer) + frame.bar / 2 + reach)
            ticks.append(QLineF(left, frame.y(size), right, frame.y(size)))
        else:
            colors.paint_hatch(painter, QRectF(frame.box(layer, frame.top - 3, frame.top + 3)), theme)
    wide = frame.bar >= 8
    if wide:
        painter.setPen(QPen(QColor(theme.canvas), 3.8))
        painter.drawLines(ticks)
    painter.setPen(dotted(theme.ink1, 1.5, 2.0, 1.6) if wide else QPen(QColor(theme.ink3), 1.4))
    painter.drawLines(ticks)


def paint_beside(painter: QPainter, frame: Frame, theme: Theme, beside: Beside) -> End | None:
    """A thin line through what each layer of the other side has; where its net is as deep, from bar to bar.

    Returns where it ends and what stands there; None where there is no number yet.
    """
    snapshot = beside.snapshot
    if snapshot.details is None:
        return None
    values, own, layers = snapshot.details.gradient_rms, frame.columns.layers, len(snapshot.architecture.layers)
    high = frame.bottom - frame.top
    heights = frame.bottom - colors.positions(values) * high
    runs: list[list[QPointF]] = [[]]
    zeros: list[QPointF] = []  # exactly 0 is no small number: the line breaks, and a ring with a slash stands there
    for layer, (value, y) in enumerate(zip(values.tolist(), heights.tolist(), strict=True), 1):
        x = frame.x(layer if layers == own else 1 + (layer - 1) * (own - 1) / max(1, layers - 1))
        known = math.isfinite(value) and reached(snapshot, layer) and frame.left - 1 <= x <= frame.right + 1
        if known and value != 0:
            runs[-1].append(QPointF(x, y))
        elif runs[-1]:
            runs.append([])
        if known and value == 0:
            zeros.append(QPointF(x, frame.bottom))
    for width, ink in ((4.0, theme.canvas), (1.3, theme.ink1)):  # a casing, so that the line is seen on every bar
        painter.setPen(QPen(QColor(ink), width))
        for run in runs:
            painter.drawPolyline(QPolygonF(run))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink1))
    for run in runs:
        if len(run) == 1:
            painter.drawEllipse(run[0], 2.0, 2.0)
    painter.setPen(QPen(QColor(theme.ink1), 1.2))
    painter.setBrush(QColor(theme.canvas))
    for at in zeros if frame.pitch >= CIRCLES_FROM else ():
        painter.drawEllipse(at, 3.0, 3.0)
        painter.drawLine(QLineF(at.x() - 3.5, at.y() + 3.5, at.x() + 3.5, at.y() - 3.5))
    last = float(values[-1])
    if not reached(snapshot, layers):
        return None
    if not math.isfinite(last):
        return End(f"{beside.letter} {short(last)}", frame.top, theme.nan, 600)
    beyond = " ↑" if last > 10.0**colors.HIGH else " ↓" if 0 < last < 10.0**colors.LOW else ""
    return End(f"{beside.letter}{beyond}", frame.y(last), theme.ink1, 600)


def paint_circles(painter: QPainter, frame: Frame, theme: Theme, snapshot: Snapshot, details: Details) -> None:
    """The |∂J/∂z| of each layer's units; a line where the bars stand too close for circles."""
    deltas = details.delta_rms
    if frame.pitch < CIRCLES_FROM:
        painter.setPen(QPen(QColor(theme.ink1), 1.2))
        painter.drawPolyline(QPolygonF([point for point in points(frame, deltas, snapshot) if point.y() < frame.bottom]))
        return
    for layer in frame.shown:
        size = abs(float(deltas[layer - 1]))
        if not math.isfinite(size) or not reached(snapshot, layer) or (size == 0.0 and float(details.gradient_rms[layer - 1]) == 0.0):
            continue  # where both are exactly 0, the foot of the bar says so
        at = QPointF(frame.x(layer), frame.y(size))
        painter.setBrush(QColor(theme.canvas))
        painter.setPen(QPen(QColor(theme.ink1), 1.4))
        if 0.0 < size < 10.0**colors.LOW:
            marks.paint_arrowhead(painter, at.x(), at.y() - 7, 7, -6, QColor(theme.canvas), QColor(theme.ink1))
        elif size > 10.0**colors.HIGH:
            marks.paint_arrowhead(painter, at.x(), at.y() + 7, 7, 6, QColor(theme.canvas), QColor(theme.ink1))
        else:
            painter.drawEllipse(at, 3.0, 3.0)
            if size == 0.0:
                painter.drawLine(QLineF(at.x() - 4, at.y() + 4, at.x() + 4, at.y() - 4))


def label_place(frame: Frame, snapshot: Snapshot, details: Details, label: str, others: list[NDArray[Any]]) -> QPointF | None:
    """Where the words for circles and lines stand: above them at the left end, where they move only as the lines do.

    ``others`` are the further values (layers,) that must stay uncovered. None when there is no room.
    """
    if not label:
        return None
    left = max(frame.left + 4, frame.x(frame.shown[0]) - frame.bar / 2)
    right = left + marks.text_width(label, font(12, 500))
    taken = [point for values in (details.delta_rms, details.gradient_rms, *others) for point in points(frame, values)]
    covered = [point.y() for point in taken if left - 20 <= point.x() <= right + 20]
    hatched = any(left - 20 <= frame.x(n) <= right + 20 and not _finite(details.gradient_rms, n, snapshot) for n in frame.shown)
    y = min([*covered, frame.bottom - 12.0]) - LABEL_ABOVE
    if hatched or y < frame.top + 6 or right > frame.right:
        return None
    return QPointF(left, y)


def _finite(values: NDArray[Any], layer: int, snapshot: Snapshot) -> bool:
    return not reached(snapshot, layer) or math.isfinite(float(values[layer - 1]))


def dotted(ink: str, width: float, on: float, off: float) -> QPen:
    """A pen of dashes ``on`` pixels long, ``off`` pixels apart."""
    pen = QPen(QColor(ink), width)
    pen.setDashPattern([on / width, off / width])
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen
