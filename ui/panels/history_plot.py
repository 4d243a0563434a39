"""How one number moved over the steps: a small curve with the present marked, the exact value under the pointer.

A number that hardly moves is drawn flat: the axis never spans less than a fixed share of the number itself, so that rounding
does not look like noise. What is not finite breaks the curve and has its own mark.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gradviz.arrays import Floats

from .. import colors
from ..numbers import MINUS, exponent_text, full, short
from ..theme import THEMES, Theme, font
from . import marks
from .plots import Plot, finite_runs, ticks
from .polyline import points_of

LEAST_HEIGHT, GREATEST_HEIGHT = 152, 280
HEADING, FOOT, SIDE = 28.0, 20.0, 8.0
MOST_INTERVALS = 5.0  # between the ticks of the number
LEAST_SPAN = 0.02  # of the largest magnitude
PADDING = 0.08  # of the span, above and below
LARGEST = 1e300  # beyond it differences overflow
FEW = 40  # so many points are drawn one by one
DENSE = 2.0  # points per pixel from which on only extremes are drawn


class HistoryPlot(QWidget):
    """The curve of one number."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self._title = title
        self._steps: NDArray[np.int64] = np.zeros(0, np.int64)
        self._values: Floats = np.zeros(0)
        self._present = 0  # index of the present step
        self._last_step = 1
        self._pointer: QPointF | None = None
        self.setMinimumHeight(LEAST_HEIGHT)
        self.setMaximumHeight(GREATEST_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setAccessibleName(title)

    def show_history(self, steps: NDArray[np.int64], values: Floats, present: int, last_step: int) -> None:
        """Draw these values (n,) of these steps (n,) on an axis that ends at ``last_step``, and mark the step ``present``."""
        self._steps, self._values = steps, np.asarray(values, float)
        self._present = max(0, int(np.searchsorted(steps, present, side="right")) - 1)
        self._last_step = max(1, last_step, int(steps[-1]) if len(steps) else 0)
        self.setAccessibleDescription(self._caption()[0])
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        self.paint_to(painter, area)
        index = self.index_at(self._pointer) if self._pointer is not None else None
        if index is not None:
            self._paint_pointed(painter, area, index)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw heading, axes and curve into ``area`` with true lines."""
        theme, plot = self.theme, self._plot(area)
        self._paint_heading(painter, area)
        self._paint_axes(painter, area, plot)
        if len(self._steps) == 0:
            return
        for left, right in self._gaps(plot):
            colors.paint_hatch(painter, QRectF(left, plot.box.top(), right - left, plot.box.height()), theme)
        painter.setPen(QPen(QColor(theme.ink2), 1.3))
        for curve in self._curves(plot):
            painter.drawLines([QLineF(a, b) for a, b in itertools.pairwise(curve)])
            if len(curve) == 1 or len(self._steps) <= FEW:  # single measurements: the line between them was not measured
                painter.setBrush(QColor(theme.ink2))
                for point in curve:
                    painter.drawEllipse(point, 1.2, 1.2)
                painter.setBrush(Qt.BrushStyle.NoBrush)
        x = self._x(plot, float(self._steps[self._present]))
        painter.setPen(QPen(QColor(theme.ink3), 1))
        painter.drawLine(QLineF(x, plot.box.top(), x, plot.box.bottom()))
        present = float(self._values[self._present])
        if math.isfinite(present):
            self._paint_dot(painter, QPointF(x, self._y(plot, present)))

    def _paint_heading(self, painter: QPainter, area: QRectF) -> None:
        left, y, used = area.left() + SIDE, area.top() + 10, font(13, 600)
        marks.put_text(painter, left, y, self._title, used, self.theme.ink1, Qt.AlignmentFlag.AlignLeft)
        room = area.width() - 2 * SIDE - 12 - marks.text_width(self._title, used)
        captions, ink = self._caption(), self.theme.ink3
        if not np.isfinite(self._values).all():
            ink = self.theme.nan
        for caption in captions:
            if marks.text_width(caption, font(12)) <= room:
                marks.put_text(painter, area.right() - SIDE, y, caption, font(12), ink, Qt.AlignmentFlag.AlignRight)
                return

    def _caption(self) -> tuple[str, ...]:
        if len(self._steps) == 0:
            return ("no step yet",)
        bad = np.flatnonzero(~np.isfinite(self._values))
        if len(bad):
            first = int(bad[0])
            word = "from" if len(bad) == len(self._values) - first else "at"
            return (f"{short(float(self._values[first]))} {word} step {int(self._steps[first]):,}",)
        step = int(self._steps[self._present])
        return (f"now at step {step:,}", f"step {step:,}")

    def _paint_axes(self, painter: QPainter, area: QRectF, plot: Plot) -> None:
        theme, box, used = self.theme, plot.box, font(11)
        _, last, low, high = plot.extent
        painter.fillRect(box, QColor(theme.canvas))
        values, step = self._value_ticks(low, high, box.height())
        for value in values:
            y = self._y(plot, value)
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            if y < box.bottom() - 6:  # else it would run into the line of steps
                marks.put_text(painter, box.left() - 8, y, tick_text(value, step), used, theme.ink3, Qt.AlignmentFlag.AlignRight)
        below = box.bottom() + 11
        marks.put_text(painter, box.left() - 8, below, "step", used, theme.ink3, Qt.AlignmentFlag.AlignRight)
        widest = marks.text_width(f"{int(last):,}", used)
        for value in ticks(0.0, last, box.width() / (widest + 28)):
            if value == round(value):
                x, text = self._x(plot, value), f"{round(value):,}"
                half = marks.text_width(text, used) / 2
                marks.put_text(painter, min(x, area.right() - 6 - half), below, text, used, theme.ink3)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.bottomLeft(), box.bottomRight()))

    def _paint_dot(self, painter: QPainter, at: QPointF) -> None:
        painter.setPen(QPen(QColor(self.theme.canvas), 1.5))
        painter.setBrush(QColor(self.theme.ink1))
        painter.drawEllipse(at, 4.0, 4.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_pointed(self, painter: QPainter, area: QRectF, index: int) -> None:
        plot, value = self._plot(area), float(self._values[index])
        x = self._x(plot, float(self._steps[index]))
        painter.setPen(QPen(QColor(self.theme.ink1), 1))
        painter.drawLine(QLineF(x, plot.box.top(), x, plot.box.bottom()))
        if math.isfinite(value):
            self._paint_dot(painter, QPointF(x, self._y(plot, value)))
        upper = math.isfinite(value) and self._y(plot, value) < plot.box.center().y()
        at = QPointF(x, plot.box.bottom() if upper else plot.box.top())  # away from the curve it tells of
        marks.paint_card(painter, self.theme, area, at, f"Step {int(self._steps[index]):,}", [("w", full(value))])

    # ---- geometry

    def _plot(self, area: QRectF) -> Plot:
        low, high = value_range(self._values)
        height = max(20.0, area.height() - HEADING - FOOT)
        values, step = self._value_ticks(low, high, height)
        gutter = max((marks.text_width(tick_text(value, step), font(11)) for value in values), default=0.0)
        gutter = max(gutter, marks.text_width("step", font(11))) + 8
        box = QRectF(area.left() + SIDE + gutter, area.top() + HEADING, max(20.0, area.width() - 2 * SIDE - gutter), height)
        return Plot(box, (0.0, float(self._last_step), low, high))

    def _value_ticks(self, low: float, high: float, height: float) -> tuple[list[float], float]:
        intervals = min(MOST_INTERVALS, height / 26)
        return ticks(low, high, intervals), marks.nice_step(high - low, intervals)

    def _x(self, plot: Plot, step: float) -> float:
        return plot.at(step, 0.0).x()

    def _y(self, plot: Plot, value: float) -> float:
        return plot.at(0.0, min(LARGEST, max(-LARGEST, value))).y()

    def _curves(self, plot: Plot) -> list[list[QPointF]]:
        """One polyline per finite stretch; where points are dense, the extremes of each pixel."""
        curves = []
        for run in finite_runs(self._values):
            steps, values = self._steps[run].astype(float), self._values[run]
            if len(run) > DENSE * plot.box.width():
                pixels = np.floor(steps / self._last_step * plot.box.width())
                starts = np.concatenate(([0], np.flatnonzero(np.diff(pixels)) + 1))
                extremes = (
                    np.minimum.reduceat(values, starts),
                    np.maximum.reduceat(values, starts),
                    values[np.append(starts[1:], len(values)) - 1],
                )
                steps, values = np.repeat(steps[starts], 3), np.stack(extremes, axis=1).ravel()
            curves.append(points_of(plot, steps, np.clip(values, -LARGEST, LARGEST)))
        return curves

    def _gaps(self, plot: Plot) -> list[tuple[float, float]]:
        """From where to where on the screen the number is not finite; wide enough to be seen."""
        bad = np.flatnonzero(~np.isfinite(self._values))
        found = []
        for run in np.split(bad, np.flatnonzero(np.diff(bad) > 1) + 1) if len(bad) else []:
            left, right = (self._x(plot, float(self._steps[i])) for i in (run[0], run[-1]))
            left, right = min(left, plot.box.right() - 6), max(right, left + 6)
            found.append((max(plot.box.left(), left), min(plot.box.right(), right)))
        return found

    def index_at(self, point: QPointF) -> int | None:
        """Which entry of the history is nearest to a point of the widget."""
        plot = self._plot(QRectF(self.rect()))
        if len(self._steps) == 0 or not plot.box.adjusted(-6, -6, 6, FOOT).contains(point):
            return None
        step, _ = plot.numbers(point)
        return int(np.argmin(np.abs(self._steps - step)))

    # ---- mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()


def value_range(values: Floats) -> tuple[float, float]:
    """The ends of the axis for these values, with room above and below; for none that is finite from −1 to 1."""
    known = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    if len(known) == 0:
        return -1.0, 1.0
    low, high = float(known.min()), float(known.max())
    least = LEAST_SPAN * max(abs(low), abs(high)) or 1.0
    middle, span = (low + high) / 2, max(high - low, least) * (1 + 2 * PADDING)
    return middle - span / 2, middle + span / 2


def tick_text(value: float, step: float) -> str:
    """A tick with as many digits as tell it from its neighbour ``step`` away."""
    fine = math.floor(math.log10(step) + 1e-9)
    if abs(value) < step / 2:
        return "0"
    if fine >= -6 and abs(value) < 1e6:
        return f"{value:,.{max(0, -fine)}f}".replace("-", MINUS)
    size = math.floor(math.log10(abs(value)) + 1e-9)
    mantissa = f"{value / 10.0**size:.{max(0, size - fine)}f}"
    return f"{mantissa}×10{exponent_text(size)}".replace("-", MINUS)
