"""What the timeline draws over its loss plot and heatmap: names, steps, flags, the scrubber, the fork of a branch, and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from gradviz.history_table import HistoryTable

from ..numbers import short
from ..theme import Theme, font
from . import marks
from .loss_plot import LossPlot
from .timeline_frame import STEPS_BELOW, Frame

NAME_DISTANCE = 13.0
LABEL_DISTANCE = 12.0
SEPARATED_FROM = 5.0  # rows at least this high are told apart by a line
VEIL = 0.62  # opacity of the canvas over the losses that lie ahead
WAVE = 7.0  # length of half a wave of the mark over an oscillating loss
OSCILLATES = "oscillates"
FORK_BELOW = 8.0  # from the heatmap's foot to the fork


def paint_empty(painter: QPainter, frame: Frame, theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(frame.heat)
    middle = frame.heat.center()
    marks.put_text(painter, middle.x(), middle.y(), marks.NOTHING_YET, font(13), theme.ink2)


def paint_veil(painter: QPainter, frame: Frame, theme: Theme, step: int) -> None:
    """Fade the losses after ``step``."""
    veil = QColor(theme.canvas)
    veil.setAlphaF(VEIL)
    x = frame.x(step)
    painter.fillRect(QRectF(x, frame.loss.top() - 1, frame.loss.right() + 1 - x, frame.loss.height() + 2), veil)


def paint_zeros(painter: QPainter, frame: Frame, theme: Theme, history: HistoryTable) -> None:
    """Say it in words where every gradient has been exactly 0 up to now: nothing is drawn there."""
    alive = np.nonzero((history.gradient_rms != 0).any(axis=1))[0]
    first = int(alive[-1]) + 1 if len(alive) else 0
    if first < len(history.steps):
        start, end, text = frame.x(float(history.steps[first])), frame.x(float(history.steps[-1])), "all exactly 0"
        if end - start > marks.text_width(text, font(12)) + 16:
            marks.put_text(painter, (start + end) / 2, frame.heat.center().y(), text, font(12), theme.ink3)


def paint_rows(painter: QPainter, frame: Frame, theme: Theme, selected: int) -> None:
    """The lines between the rows and a frame around the ``selected`` one (0 for none)."""
    heat = frame.heat
    if frame.row >= SEPARATED_FROM:
        painter.setPen(QPen(QColor(theme.canvas), 1))
        between = [heat.top() + n * frame.row for n in range(1, frame.layers)]
        painter.drawLines([QLineF(heat.left(), y, heat.right(), y) for y in between])
    painter.setPen(QPen(QColor(theme.line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(heat)
    if selected:
        painter.setPen(QPen(QColor(theme.ink1), 1.5))
        height = max(frame.row, 4.0)
        painter.drawRect(QRectF(heat.left(), heat.top() + (selected - 0.5) * frame.row - height / 2, heat.width(), height))


def paint_names(painter: QPainter, frame: Frame, theme: Theme, names: list[str], selected: int) -> None:
    """The selected layer's name, the first, the last and as many between as there is room for."""
    stride = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s * frame.row >= NAME_DISTANCE), 1000)
    named: list[int] = []
    for n in [selected, 1, frame.layers, *range(stride, frame.layers, stride)]:
        if n and all(abs(frame.name_y(n) - frame.name_y(other)) >= NAME_DISTANCE for other in named):
            named.append(n)
            used, ink = (font(12, 600), theme.ink1) if n == selected else (font(12), theme.ink3)
            marks.put_text(painter, frame.heat.left() - 8, frame.name_y(n), names[n - 1], used, ink, Qt.AlignmentFlag.AlignRight)


def paint_steps(painter: QPainter, frame: Frame, theme: Theme, taken: QRectF, one: str = "step") -> None:
    """The numbers of the steps, after what ``one`` of them is called, except where they would touch what is ``taken``."""
    y, used = frame.heat.bottom() + STEPS_BELOW, font(11)
    room = marks.text_width(one, used)
    if frame.heat.left() - 8 - room < frame.area.left() + 4:
        one = f"{one[:3]}."
        room = marks.text_width(one, used)
    if not taken.intersects(QRectF(frame.heat.left() - 8 - room, y - 8, room + 4, 16)):
        marks.put_text(painter, frame.heat.left() - 8, y, one, used, theme.ink3, Qt.AlignmentFlag.AlignRight)
    for number in range(round(frame.span / frame.tick) + 1):
        value = number * frame.tick
        text = f"{value:,.0f}"
        width = marks.text_width(text, used)
        x = min(frame.x(value), frame.area.right() - 4 - width / 2)
        if not taken.intersects(QRectF(x - width / 2 - 4, y - 8, width + 8, 16)):
            marks.put_text(painter, x, y, text, used, theme.ink3)


def paint_changes(painter: QPainter, frame: Frame, theme: Theme, steps: list[int]) -> None:
    """A flag at each step at which something was changed while running."""
    for step in steps:
        x = frame.x(step)
        painter.setPen(QPen(QColor(theme.ink3), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QLineF(x, frame.loss.top() - 6, x, frame.heat.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ink2))
        y = frame.loss.top() - 6
        painter.drawPolygon(QPolygonF([QPointF(x, y - 4), QPointF(x + 8, y), QPointF(x, y + 4)]))


def paint_oscillations(painter: QPainter, frame: Frame, theme: Theme, ranges: Sequence[tuple[int, int]]) -> None:
    """A wavy line over each stretch in which the loss goes up and down, and the word for it where there is room."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    y = frame.loss.top() - 8
    for first, last in ranges:
        left, right = frame.x(first), max(frame.x(last), frame.x(first) + 2 * WAVE)
        path = QPainterPath(QPointF(left, y))
        count = max(2, round((right - left) / WAVE))
        step = (right - left) / count
        for number in range(count):
            x = left + number * step
            path.quadTo(QPointF(x + step / 2, y + (6 if number % 2 else -6)), QPointF(x + step, y))
        painter.setPen(QPen(QColor(theme.ink1), 1.3))
        painter.drawPath(path)
        if right - left > marks.text_width(OSCILLATES, font(11)) + 12:
            box = QRectF(0, 0, marks.text_width(OSCILLATES, font(11)) + 8, 12)
            box.moveCenter(QPointF((left + right) / 2, y))
            painter.fillRect(box, QColor(theme.canvas))
            marks.put_text(painter, box.center().x(), y, OSCILLATES, font(11), theme.ink1)


def paint_fork(painter: QPainter, frame: Frame, theme: Theme, step: int) -> None:
    """Where the branch left the old line: one way in, two ways out, under the axis."""
    at = fork_place(frame, step)
    painter.setPen(QPen(QColor(theme.ink3), 1, Qt.PenStyle.DotLine))
    painter.drawLine(QLineF(at.x(), frame.loss.top(), at.x(), frame.heat.bottom()))
    painter.setPen(QPen(QColor(theme.ink2), 1.5))
    ends = (QPointF(-7, 0), QPointF(7, -4.5), QPointF(7, 4.5))
    painter.drawLines([QLineF(at, at + end) for end in ends])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink2))
    painter.drawEllipse(at, 2.4, 2.4)


def fork_place(frame: Frame, step: int) -> QPointF:
    return QPointF(frame.x(step), frame.heat.bottom() + FORK_BELOW)


def paint_place(painter: QPainter, frame: Frame, theme: Theme, step: int) -> None:
    """A thin line at the step where the run still stands while the scrubber is elsewhere."""
    painter.setPen(QPen(QColor(theme.ink3), 1))
    painter.drawLine(QLineF(frame.x(step), frame.loss.top() - 3, frame.x(step), frame.heat.bottom() + 4))


def paint_scrubber(painter: QPainter, frame: Frame, theme: Theme, step: int, ridged: bool) -> None:
    """The line at a step and its grip; ``ridged`` says that it can be moved."""
    x = frame.x(step)
    painter.setPen(QPen(QColor(theme.canvas), 3.5))
    painter.drawLine(QLineF(x, frame.loss.top() - 3, x, frame.heat.bottom()))
    painter.setPen(QPen(QColor(theme.ink1), 1.5))
    painter.drawLine(QLineF(x, frame.loss.top() - 3, x, frame.heat.bottom() + 2))
    grip = frame.grip(step)
    painter.setPen(QPen(QColor(theme.canvas), 1))
    painter.setBrush(QColor(theme.inverse))
    painter.drawRoundedRect(grip, 3.5, 3.5)
    if ridged:
        painter.setPen(QPen(QColor(theme.inverse_text), 1.2))
        painter.drawLines([QLineF(x + shift, grip.top() + 4, x + shift, grip.bottom() - 4) for shift in (-1.5, 1.5)])


def tag_box(frame: Frame, step: int, text: str) -> QRectF:
    """Where the scrubber's tag stands: under its grip, inside the drawing."""
    width = marks.text_width(text, font(11, 600)) + 12
    left = max(frame.area.left() + 4, min(frame.x(step) - width / 2, frame.area.right() - 4 - width))
    return QRectF(left, frame.heat.bottom() + STEPS_BELOW - 8.5, width, 17)


def paint_tag(painter: QPainter, theme: Theme, box: QRectF, text: str) -> None:
    """The step the scrubber stands at, or goes to."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.inverse))
    painter.drawRoundedRect(box, 4, 4)
    marks.put_text(painter, box.center().x(), box.center().y(), text, font(11, 600), theme.inverse_text)


def paint_curve_labels(painter: QPainter, frame: Frame, theme: Theme, losses: LossPlot) -> None:
    """The names of the curves and of the level of guessing, right of the plot: no line runs there, and none moves.

    Where the plot is too low for all of them, the last ones go without.
    """
    used, x = font(11), frame.loss.right() + 6
    room = frame.area.right() - 4 - x
    labels: list[tuple[float, str, str]] = []
    if losses.failed_at is None:
        both = losses.train_end is not None and losses.test_end is not None
        own = "best" if losses.population_end is not None else "training" if both else "loss"
        ends = ((losses.train_end, own, theme.ink2), (losses.test_end, "test", theme.ink1))
        for end, label, ink in (*ends, (losses.population_end, "population", theme.ink3)):
            if end is not None:
                labels.append((end, label, ink))
    if losses.before_end is not None:
        labels.append((losses.before_end, "before, NaN" if losses.before_failed else "before", theme.ink3))
    guessing = losses.guessing
    if guessing is not None and math.isfinite(guessing):
        value = f"{guessing:.3f}" if 1e-3 <= guessing < 1e3 else short(guessing)
        text = f"guessing {value}"
        labels.append((losses.y(guessing), text if marks.text_width(text, used) <= room else "guessing", theme.ink3))
    elif losses.mean is not None:
        labels.append((losses.y(losses.mean), "guessing 1", theme.ink3))
    low, high = frame.loss.top() - 2, frame.loss.bottom() + 2
    labels = [label for label in labels if marks.text_width(label[1], used) <= room][: 1 + int((high - low) / LABEL_DISTANCE)]
    heights = marks.spread([y for y, _, _ in labels], LABEL_DISTANCE, low, high)
    for height, (_, label, ink) in zip(heights, labels, strict=True):
        marks.put_text(painter, x, height, label, used, ink, Qt.AlignmentFlag.AlignLeft)
    if losses.failed_at is not None:
        x = losses.failed_at + 10 if losses.failed_at + 40 < frame.loss.right() else frame.loss.right() + 6
        marks.put_text(painter, x, frame.loss.top() + 10, "NaN", font(12, 600), theme.nan, Qt.AlignmentFlag.AlignLeft)
