"""The timeline's loss curves: training with its extremes, test, the level of guessing, on an axis with round ticks.

The axis is linear, and logarithmic once the losses span more than two decades. Rare spikes do not flatten the rest: they
leave the plot and are marked by an arrowhead.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Ghost

from ..numbers import power, short
from ..theme import Theme, blend, font
from . import marks

LOG_FROM = 2.0  # decades
TICK_DISTANCE = 13.0
SPIKE = 1.6  # a largest loss beyond this many times the 98th percentile leaves the plot
MOST_FLATTENED = 3.0  # times the largest loss that is shown; beyond it the line before the branch leaves the plot
MOST_DECADES = 12
FLOOR = 1e-9  # a loss below it is nothing; an axis down to it would leave no room for what was learnt
MOST_ARROWHEADS = 40
PIXELS_PER_POINT = 1.5  # a denser curve is only slower to draw


@dataclass(frozen=True)
class LossAxis:
    """Which losses the plot spans, and its ticks."""

    logarithmic: bool
    low: float  # loss, or its log10
    high: float
    ticks: tuple[tuple[float, str], ...]  # (loss, label)

    def share(self, losses: NDArray[Any]) -> NDArray[np.floating[Any]]:
        """Where losses stand between the axis' ends, 0 … 1 and beyond; NaN where there is nothing to draw."""
        values = np.asarray(losses, float)
        if self.logarithmic:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log10(values)
        result: NDArray[np.floating[Any]] = (values - self.low) / (self.high - self.low)
        return result


def loss_axis(
    history: HistoryTable | None,
    guessing: float | None,
    height: float,
    before: NDArray[Any] | None = None,
    beside: HistoryTable | None = None,
) -> LossAxis:
    """The axis for these losses, and those of the run ``beside``, in a plot of ``height`` pixels.

    Those of the line ``before`` a branch count as far as they do not flatten the line that is shown: often it was left because
    it exploded.
    """
    parts = []
    for table in filter(None, (history, beside)):
        parts += [table.loss, table.test_loss]
        if table.population is not None:
            parts.append(table.population[:, 1])
    losses = np.concatenate([*parts, [] if guessing is None else [guessing]])
    losses = losses[np.isfinite(losses)]
    if before is not None and len(losses):
        losses = np.concatenate([losses, before[before <= MOST_FLATTENED * losses.max()]])
    most_ticks = max(1, int(height / TICK_DISTANCE))
    positive = losses[losses > 0]
    if len(positive) and math.log10(positive.max()) - math.log10(positive.min()) > LOG_FROM:  # their ratio may be too large
        low = math.floor(math.log10(max(positive.min(), min(positive.max(), FLOOR))))
        span = min(math.ceil(math.log10(positive.max())) - low, MOST_DECADES)
        stride = max(1, math.ceil(span / most_ticks))
        count = math.ceil(span / stride)
        exponents = [low + stride * number for number in range(count + 1)]
        return LossAxis(True, low, exponents[-1], tuple((10.0**e, power(e)) for e in exponents))
    top = float(losses.max()) if len(losses) else 1.0
    usual = float(np.percentile(losses, 98)) if len(losses) else top
    if usual > 0 and top > SPIKE * usual:
        top = 1.25 * usual
    step = marks.nice_step(top if top > 0 else 1.0, most_ticks)
    count = max(1, math.ceil(top / step - 1e-9))
    return LossAxis(False, 0.0, count * step, tuple((number * step, short_tick(number * step, step)) for number in range(count + 1)))


def short_tick(value: float, step: float) -> str:
    """A tick with no more decimals than it needs."""
    if value != 0 and not 1e-4 <= step < 1e5:
        return short(value)
    text = f"{value:,.{max(0, -math.floor(math.log10(step)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class LossPlot:
    """The curves of one history in one area; made once, drawn as often as wanted."""

    def __init__(
        self,
        history: HistoryTable | None,
        guessing: float | None,
        area: QRectF,
        last_step: float,
        ghost: Ghost | None = None,
        level_ends: tuple[int, ...] = (),
        axis: LossAxis | None = None,
    ) -> None:
        """``axis`` is given where another run shares it.

        Up to the last of ``level_ends`` the losses are reconstruction errors of one level after another; guessing costs 1 there.
        """
        pretraining_steps = level_ends[-1] if level_ends else 0
        begun = pretraining_steps < last_step
        self.area, self.guessing = area, guessing if begun else None
        self._task_from = area.left() + min(1.0, pretraining_steps / last_step) * area.width()  # x
        self.mean = 1.0 if pretraining_steps else None
        self._breaks = area.left() + (np.array(level_ends) + 0.5) / last_step * area.width()  # x
        left = slice(0, 0) if ghost is None else slice(int(np.searchsorted(ghost.history.steps, ghost.branch_step)), None)
        before = None if ghost is None else ghost.history.loss[left]
        self.axis = axis or loss_axis(history, max(filter(None, (self.guessing, self.mean)), default=None), area.height(), before)
        self._last_step = last_step
        empty = np.zeros(0)
        self._train: tuple[list[QPointF], ...] = ()
        self._test: tuple[list[QPointF], ...] = ()
        self._envelope: tuple[list[QPointF], ...] = ()
        self._spikes: tuple[float, ...] = ()
        self._population: tuple[list[QPointF], ...] = ()  # the band between the quartiles of a population …
        self._median: tuple[list[QPointF], ...] = ()
        self.population_end: float | None = None  # … and y of its last median
        self.failed_at: float | None = None  # x where the training loss stops being finite
        self.train_end: float | None = None  # y of the last finite training loss, and of the last finite test loss
        self.test_end: float | None = None
        self._before: tuple[list[QPointF], ...] = ()
        self.before_end: float | None = None  # likewise of the line before the branch …
        self.before_failed = False  # … and whether it ended in numbers that are not finite
        self._before_leaves: float | None = None  # x where it first leaves the plot
        if ghost is not None and before is not None:
            self._before = self._curves(*self._per_pixel(ghost.history.steps[left], before, before, before)[:2])
            self.before_end = self._end(before)
            self.before_failed = len(before) > 0 and not math.isfinite(float(before[-1]))
            above = np.nonzero(self.axis.share(before) > 1.0 + 1e-9)[0]
            self._before_leaves = float(self._x(ghost.history.steps[left][above[:1]])[0]) if len(above) else None
        if history is None:
            return
        steps, loss = history.steps, history.loss
        finite = np.isfinite(loss)
        if not finite.all():
            self.failed_at = float(self._x(steps[int(np.argmin(finite))]))
        x, last, low, high = self._per_pixel(steps, loss, history.loss_low, history.loss_high)
        self._train = self._curves(x, last)
        test = history.test_loss
        test_x, test, _, _ = self._per_pixel(history.test_steps, test, test, test)
        self._test = self._curves(test_x, test)
        self.train_end, self.test_end = self._end(loss), self._end(history.test_loss)
        if len(x) > 1 and not (np.array_equal(low, last, equal_nan=True) and np.array_equal(high, last, equal_nan=True)):
            whole = np.isfinite(low) & np.isfinite(high)
            down, up = self._y(low[whole]), self._y(high[whole])
            along = x[whole]
            outline = np.concatenate([np.stack([along, up], 1), np.stack([along, down], 1)[::-1]]) if len(along) else np.zeros((0, 2))
            self._envelope = (_points(outline[:, 0], outline[:, 1]),)
        if history.population is not None:
            self._take_population(steps, history.population[:, :3])
        beyond = self.axis.share(high) > 1.0 + 1e-9 if len(high) else empty > 1
        spikes = x[beyond]
        if len(spikes):
            apart = np.concatenate([[True], np.diff(spikes) > 7.0])
            self._spikes = tuple(float(at) for at in spikes[apart][-MOST_ARROWHEADS:])

    def _take_population(self, steps: NDArray[Any], quartiles: NDArray[Any]) -> None:
        """``quartiles`` (rows, 3): first, median and last."""
        first, median, last = quartiles.T
        x, middle, low, high = self._per_pixel(steps, median, first, last)
        whole = np.isfinite(low) & np.isfinite(high)
        up, down = np.stack([x, self._y(high)], 1)[whole], np.stack([x, self._y(low)], 1)[whole]
        outline = np.concatenate([up, down[::-1]])
        self._population = (_points(outline[:, 0], outline[:, 1]),) if len(up) > 1 else ()
        self._median = self._curves(x, middle)
        self.population_end = self._end(median)

    def _x(self, steps: NDArray[Any]) -> NDArray[np.floating[Any]]:
        result: NDArray[np.floating[Any]] = self.area.left() + np.asarray(steps, float) / self._last_step * self.area.width()
        return result

    def y(self, loss: float) -> float:
        """Where a loss stands, kept inside the plot."""
        return float(self._y(np.array([loss]))[0])

    def _y(self, losses: NDArray[Any]) -> NDArray[np.floating[Any]]:
        result: NDArray[np.floating[Any]] = self.area.bottom() - np.clip(self.axis.share(losses), 0.0, 1.0) * self.area.height()
        return result

    def _end(self, losses: NDArray[Any]) -> float | None:
        finite = losses[np.isfinite(losses)]
        return self.y(float(finite[-1])) if len(finite) else None

    def _per_pixel(
        self, steps: NDArray[Any], loss: NDArray[Any], low: NDArray[Any], high: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """At most one point per `PIXELS_PER_POINT`: its last loss, and the extremes of all its steps."""
        x = self._x(steps)
        if len(x) < 2:
            return x, loss, low, high
        pixels = np.floor(x / PIXELS_PER_POINT).astype(np.int64)
        ends = np.append(np.nonzero(np.diff(pixels))[0], len(x) - 1)
        starts = np.concatenate([[0], ends[:-1] + 1])
        return x[ends], loss[ends], np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)

    def _curves(self, x: NDArray[Any], losses: NDArray[Any]) -> tuple[list[QPointF], ...]:
        """One polyline per finite stretch: a NaN breaks the curve, and never what stands before it. So does the end of a level."""
        finite = np.isfinite(losses).astype(np.int8)
        turns = np.diff(np.concatenate([[0], finite, [0]]))
        y = self._y(losses)
        ends = np.nonzero(np.diff(np.searchsorted(self._breaks, x)))[0] + 1
        curves = []
        for a, b in zip(np.nonzero(turns == 1)[0], np.nonzero(turns == -1)[0], strict=True):
            parts = [a, *ends[(ends > a) & (ends < b)], b]
            curves += [_points(x[start:end], y[start:end]) for start, end in itertools.pairwise(parts)]
        return tuple(curves)

    def paint(self, painter: QPainter, theme: Theme) -> None:
        """Axis, guessing level, the line before the branch and the curves, without their labels at the right."""
        self.paint_axis(painter, theme)
        self.paint_population(painter, theme)
        self.paint_levels(painter, theme)
        painter.setPen(QPen(QColor(theme.canvas), 3.0))
        for curve in self._before:  # a line that never learnt runs along the level of guessing: keep the two apart
            painter.drawLines([QLineF(a, b) for a, b in itertools.pairwise(curve)])
        self.paint_before(painter, theme)
        self.paint_curves(painter, theme, theme.ink2, 1.3)

    def paint_axis(self, painter: QPainter, theme: Theme) -> None:
        """The ticks and their lines."""
        area = self.area
        for value, label in self.axis.ticks:
            y = self.y(value)
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(area.left(), y, area.right(), y))
            marks.put_text(painter, area.left() - 8, y, label, font(11), theme.ink3, Qt.AlignmentFlag.AlignRight)

    def paint_levels(self, painter: QPainter, theme: Theme) -> None:
        """What guessing costs."""
        area = self.area
        if self.guessing is not None and math.isfinite(self.guessing):
            y = self.y(self.guessing)
            painter.setPen(_dashed(theme.ink3, 1.0, 4.0, 4.0))
            painter.drawLine(QLineF(self._task_from, y, area.right(), y))
        if self.mean is not None:
            painter.setPen(_dashed(theme.ink3, 1.0, 4.0, 4.0))
            painter.drawLine(QLineF(area.left(), self.y(self.mean), self._task_from, self.y(self.mean)))

    def paint_curves(self, painter: QPainter, theme: Theme, ink: str, width: float) -> None:
        """The training loss with its extremes in this ink and width, and the test loss dashed."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(ink, theme.canvas, 0.28))
        for outline in self._envelope:
            painter.drawPolygon(QPolygonF(outline))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_dashed(theme.ink1, width, 5.0, 3.0))
        for curve in self._test:
            painter.drawPolyline(QPolygonF(curve))
        painter.setPen(QPen(QColor(ink), width))
        for curve in self._train:
            # one by one: stroking a noisy polyline wider than 1 px as a whole is twenty times slower
            painter.drawLines([QLineF(a, b) for a, b in itertools.pairwise(curve)])
        painter.setPen(Qt.PenStyle.NoPen)
        for curves, fill in ((self._train, ink), (self._test, theme.ink1)):
            painter.setBrush(QColor(fill))
            for curve in curves:
                if len(curve) == 1:  # a single value has no line yet
                    painter.drawEllipse(curve[0], 2.0, 2.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for x in self._spikes:
            marks.paint_arrowhead(painter, x, self.area.top() + 1, 7, 6, QColor(theme.ink1))

    def paint_population(self, painter: QPainter, theme: Theme) -> None:
        """The band in which the middle half of a population lies, and its median."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme.ink3, theme.canvas, 0.3 if theme.name == "dark" else 0.26))
        for outline in self._population:
            painter.drawPolygon(QPolygonF(outline))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.75), 1))
        for curve in self._median:
            painter.drawLines([QLineF(a, b) for a, b in itertools.pairwise(curve)])

    def paint_before(self, painter: QPainter, theme: Theme) -> None:
        """Once more the training loss of the line before the branch alone, over what may cover it."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_dashed(theme.ink3, 1.2, 1.5, 2.5))
        for curve in self._before:
            painter.drawPolyline(QPolygonF(curve))
        if self._before_leaves is not None:
            marks.paint_arrowhead(painter, self._before_leaves, self.area.top() + 1, 7, 6, QColor(theme.ink3))


def _dashed(ink: str, width: float, on: float, off: float) -> QPen:
    pen = QPen(QColor(ink), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([on / width, off / width])
    return pen


def _points(x: NDArray[Any], y: NDArray[Any]) -> list[QPointF]:
    return [QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
