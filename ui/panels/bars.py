"""The bars of the gradient profile: where they stand, the axis behind them, and how each kind of number is drawn.

A bar is as high and as coloured as its magnitude says. What is not finite, exactly zero, off the scale or not reached yet has a
mark of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.snapshot import Details, Snapshot

from .. import colors
from ..canvas.columns import Columns
from ..numbers import power, short
from ..theme import Theme, blend, font
from . import marks

TOP = 38.0  # from the panel's top to the plot's
MAX_BAR = 36.0
CIRCLES_FROM = 9.0  # pitch from which bars stand apart and circles of radius 3 fit; closer, they are a line
TICKS = (3, 0, -3, -6, -9)
GUTTER, RIGHT = 134.0, 94.0


@dataclass(frozen=True)
class Frame:
    """Where things stand in one drawing."""

    area: QRectF
    columns: Columns
    left: float
    right: float
    bottom: float

    @property
    def top(self) -> float:
        return self.area.top() + TOP

    @cached_property
    def pitch(self) -> float:
        return self.columns.pitch

    @cached_property
    def _input(self) -> float:
        return self.area.left() + self.columns.x(0)

    def x(self, layer: float) -> float:
        """Centre of a layer's column: `Columns.x`, but with what is the same for all a thousand layers worked out once."""
        return self._input + self.pitch * layer

    def y(self, value: float) -> float:
        return self.bottom - colors.position(value) * (self.bottom - self.top)

    @cached_property
    def bar(self) -> float:
        """Width of a bar."""
        return min(MAX_BAR, 0.56 * self.pitch) if self.pitch >= CIRCLES_FROM else max(1.0, 0.75 * self.pitch)

    def box(self, layer: int, top: float, bottom: float) -> QRectF:
        """A layer's bar between two heights, cut at the ends of the plot: exports do not keep to a clip."""
        left, right = max(self.left, self.x(layer) - self.bar / 2), min(self.right, self.x(layer) + self.bar / 2)
        return QRectF(left, top, right - left, bottom - top)

    @cached_property
    def shown(self) -> list[int]:
        """The layers whose columns lie in the plot."""
        return [n for n in self.columns.visible() if self.left - 1 <= self.x(n) <= self.right + 1]


def plot_sides(width: float, layers: int) -> tuple[float, float]:
    """Where a plot begins and ends that stands under so many columns in a picture of this width."""
    fitted = Columns(width, layers)
    return min(GUTTER, fitted.x(0.5)), max(width - RIGHT, fitted.x(layers + 0.5))


def paint_axis(painter: QPainter, frame: Frame, theme: Theme) -> None:
    """The fixed axis from 10⁻⁹ to 10³, with the healthy zone."""
    low, high = (frame.y(10.0**end) for end in colors.HEALTHY)
    zone = QColor(theme.zone)
    zone.setAlphaF(0.10)
    painter.fillRect(QRectF(frame.left, high, frame.right - frame.left, low - high), zone)
    step = 1 if frame.bottom - frame.top >= 56 else 2
    for number, exponent in enumerate(TICKS):
        y = frame.y(10.0**exponent)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QLineF(frame.left, y, frame.right, y))
        if number % step == 0:
            marks.put_text(painter, frame.left - 8, y, power(exponent), font(11), theme.ink3, Qt.AlignmentFlag.AlignRight)
    painter.setPen(QPen(blend(theme.zone, theme.canvas, 0.5), 1, Qt.PenStyle.DotLine))
    painter.drawLines([QLineF(frame.left, y, frame.right, y) for y in (low, high)])


def paint_bars(painter: QPainter, frame: Frame, theme: Theme, snapshot: Snapshot, details: Details) -> None:
    """One bar per layer; of a clipped step the solid bar is after clipping, and an outline reaches to where it was before.

    Layers that the step in work has not reached yet have dashes instead, where the step before left them.
    """
    width = frame.bar
    clipped = snapshot.clipped
    levels = colors.levels(details.clipped_rms if clipped else details.gradient_rms)
    for layer in frame.shown:
        if not reached(snapshot, layer):
            _paint_dashes(painter, frame, theme, layer, abs(float(details.gradient_rms[layer - 1])))
            continue
        before = float(details.gradient_rms[layer - 1])
        value = float(details.clipped_rms[layer - 1]) if clipped else before
        _paint_bar(painter, frame, theme, layer, value, int(levels[layer - 1]))
        if clipped and math.isfinite(before) and math.isfinite(value) and frame.y(before) < frame.y(value) - 0.5:
            ghost = frame.box(layer, frame.y(before), frame.y(value))
            faint = colors.color(colors.level(before), theme)
            faint.setAlphaF(0.22)
            painter.setBrush(faint)
            painter.setPen(QPen(QColor(theme.ink2), 1) if width >= 4 else QPen(Qt.PenStyle.NoPen))
            painter.drawRect(ghost)
            if before > 10.0**colors.HIGH:
                marks.paint_arrowhead(painter, frame.x(layer), frame.top - 2, width, min(7.0, width), faint, QColor(theme.ink2))


def reached(snapshot: Snapshot, layer: int) -> bool:
    """Whether the gradient that the snapshot holds of a layer is that of its own step."""
    return snapshot.knows(layer)


def _paint_dashes(painter: QPainter, frame: Frame, theme: Theme, layer: int, before: float) -> None:
    """The top and the foot of the bar that the step before had; nothing where there was none."""
    if not math.isfinite(before):
        return
    top, box = frame.y(before), frame.box(layer, frame.top, frame.bottom)
    for y, ink in ((frame.bottom, theme.outline), (top, theme.ink3)):
        pen = QPen(QColor(ink), 1.4)
        pen.setDashPattern([3 / 1.4, 2.5 / 1.4])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if y == top or top < frame.bottom - 2:
            painter.setPen(pen)
            painter.drawLine(QLineF(box.left(), y, box.right(), y))


def _paint_bar(painter: QPainter, frame: Frame, theme: Theme, layer: int, value: float, level: int) -> None:
    width = frame.bar
    x = frame.x(layer)
    outline = QPen(QColor(theme.outline), 1) if width >= 4 else QPen(Qt.PenStyle.NoPen)
    if level == colors.NONFINITE:
        box = frame.box(layer, frame.top, frame.bottom)
        colors.paint_hatch(painter, box, theme)
        painter.setPen(QPen(QColor(theme.nan), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        if box.width() >= 26 and box.height() > 30:
            label = QRectF(box.left() + 1, box.center().y() - 9, box.width() - 2, 18)
            painter.fillRect(label, QColor(theme.nan_ground))
            marks.put_text(painter, label.center().x(), label.center().y(), short(value), font(11, 600), theme.nan)
    elif level == colors.ZERO:
        painter.fillRect(frame.box(layer, frame.bottom - 2, frame.bottom), QColor(theme.outline))
        if width >= 12:
            marks.put_text(painter, x, frame.bottom - 10, "0", font(11), theme.ink2)
    elif abs(value) < 10.0**colors.LOW:
        size = min(6.0, width)
        edge = QColor(theme.outline) if width >= 4 else None
        marks.paint_arrowhead(painter, x, frame.bottom - size - 1, width, -size, colors.color(level, theme), edge)
    else:
        painter.setPen(outline)
        painter.setBrush(colors.color(level, theme))
        box = frame.box(layer, frame.y(value), frame.bottom)
        if width >= 8 and box.height() >= 5:
            painter.drawRoundedRect(box, 2, 2)
        else:
            painter.drawRect(box)
        if abs(value) > 10.0**colors.HIGH:
            marks.paint_arrowhead(painter, x, frame.top - 2, width, min(7.0, width), colors.color(level, theme), QColor(theme.outline))


@dataclass(frozen=True)
class End:
    """What stands at the right end of a line."""

    text: str
    y: float
    ink: str
    weight: int = 400


def paint_margin(painter: QPainter, frame: Frame, theme: Theme, ends: tuple[float, float] | None, lines: tuple[End, ...] = ()) -> None:
    """At the right: where the healthy zone is, which end of the last bar is before and which after clipping, and what lines end there."""
    used = font(11)
    start = frame.right + 8
    room = frame.area.right() - start - 4
    bars = [frame.y(end) for end in ends or ()]
    wanted = [(frame.y(1e-4) + frame.y(1.0)) / 2, *bars, *(line.y for line in lines)]
    heights = marks.spread(wanted, 13.0, frame.top - 6, frame.bottom + 2)
    marks.put_text(painter, start, heights[0], "healthy", font(12), theme.ink2, Qt.AlignmentFlag.AlignLeft)
    for line, height in zip(lines, heights[1 + len(bars) :], strict=True):
        marks.put_text(painter, start, height, line.text, font(13, line.weight), line.ink, Qt.AlignmentFlag.AlignLeft)
    edge = frame.x(frame.columns.layers) + frame.bar / 2 + 3
    for end, height, texts in zip(bars, heights[1:], (("before clipping", "before"), ("after clipping", "after")), strict=False):
        text = texts[0] if marks.text_width(texts[0], used) <= room else texts[1]
        painter.setPen(QPen(QColor(theme.ink3), 1))
        painter.drawLine(QLineF(edge, end, start - 4, height))
        marks.put_text(painter, start, height, text, used, theme.ink1, Qt.AlignmentFlag.AlignLeft)


def clipped_ends(frame: Frame, snapshot: Snapshot, details: Details) -> tuple[float, float] | None:
    """The last bar before and after clipping, where both can be seen."""
    before, after = float(details.gradient_rms[-1]), float(details.clipped_rms[-1])
    seen = (
        snapshot.clipped
        and reached(snapshot, frame.columns.layers)
        and frame.columns.layers in frame.shown
        and math.isfinite(before)
        and math.isfinite(after)
    )
    return (before, after) if seen and frame.y(before) < frame.y(after) - 0.5 else None
