"""A sigmoid made sharper: σ(kx) tends to the step, its derivative to the Dirac delta; both drawn, with the area measured.

This is about functions alone; nothing of it belongs to the network of the run.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.arrays import Floats
from gradviz.function_lab import SharpSlope, sharp_sigmoid, sharp_sigmoid_slope, sharp_slope

from ..formula import three_digits
from ..numbers import MINUS
from ..theme import blend, font, formula_font
from . import marks
from .activation_curves import paint_dot, paint_line
from .chain_cards import fitting
from .lab_blocks import LEFT, RIGHT, outlined_text
from .lab_page import SIDE, Block
from .plots import Plot, ticks
from .polyline import points_of
from .spots import Spot

REACH = 4.0  # the x-axis never moves
CAP = 2.5  # the axis of the derivative never moves either: sharper peaks than k = 10 leave it
GUTTER, NAMES = 28.0, 16.0
TOP, BETWEEN, AXIS = 24.0, 34.0, 24.0
UPPER, LOWER = 0.42, 0.58
SHARPEST, GENTLEST = 1000.0, 1.0


class SharpPlot(Block):
    """σ(kx) above its derivative, on one x-axis."""

    def __init__(self) -> None:
        super().__init__()
        self.slope: SharpSlope = sharp_slope(GENTLEST)
        self.setAccessibleName("A sigmoid made sharper, and its derivative")

    def show_sharpness(self, k: float) -> None:
        """Draw σ(kx) for this k."""
        self.slope = sharp_slope(k)
        self.update()

    def height_at(self, width: float) -> float:
        return TOP + BETWEEN + AXIS + min(360.0, max(250.0, 0.82 * width)) + 8.0

    def _plots(self, area: QRectF) -> tuple[Plot, Plot]:
        room = area.height() - TOP - BETWEEN - AXIS - 8.0
        left, width = area.left() + SIDE + GUTTER, area.width() - 2 * SIDE - GUTTER - NAMES
        upper = QRectF(left, area.top() + TOP, width, room * UPPER)
        lower = QRectF(left, upper.bottom() + BETWEEN, width, room * LOWER)
        return Plot(upper, (-REACH, REACH, -0.1, 1.15)), Plot(lower, (-REACH, REACH, 0.0, CAP))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        upper, lower = self._plots(area)
        k = self.slope.sharpness
        for plot, name in ((upper, f"σ(kx), k = {number(k)}"), (lower, "its derivative")):
            painter.fillRect(plot.box, QColor(self.theme.canvas))
            self._paint_grid(painter, plot, name)
        x = points(k)
        self._paint_step(painter, upper)
        self._line(painter, upper, x, sharp_sigmoid(x, k), 2.0)
        self._paint_slope(painter, lower, x, sharp_sigmoid_slope(x, k))
        y = lower.box.bottom() + 13
        for value in ticks(-REACH, REACH, 8):
            marks.put_text(painter, lower.at(value, 0.0).x(), y, _tick(value), font(11), self.theme.ink3)
        marks.put_text(painter, lower.box.right() + 9, y, "x", formula_font(14), self.theme.ink2, LEFT)

    def _paint_grid(self, painter: QPainter, plot: Plot, name: str) -> None:
        theme, box = self.theme, plot.box
        marks.put_text(painter, box.left(), box.top() - 12, name, font(12, 500), theme.ink1, LEFT)
        for value in ticks(plot.extent[2], plot.extent[3], 3 if plot.extent[3] > 2 else 2):
            y = plot.at(0.0, value).y()
            painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.55 if value == 0 else 0.2), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, _tick(value), font(11), theme.ink3, RIGHT)
        middle = plot.at(0.0, 0.0).x()
        painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.2), 1))
        painter.drawLine(QLineF(middle, box.top(), middle, box.bottom()))

    def _line(self, painter: QPainter, plot: Plot, x: Floats, y: Floats, width: float) -> None:
        pen = QPen(QColor(self.theme.ink1), width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        paint_line(painter, plot, x, y)

    def _paint_step(self, painter: QPainter, plot: Plot) -> None:
        """The limit in outline: two half lines, with the dot where 0 belongs."""
        theme = self.theme
        pen = QPen(QColor(theme.ink3), 1.4)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        for start, end, height in ((-REACH, 0.0, 0.0), (0.0, REACH, 1.0)):
            painter.drawLine(QLineF(plot.at(start, height), plot.at(end, height)))
        paint_dot(painter, plot.at(0.0, 0.0), 3.2, theme.ink3, theme.canvas, full=False)
        paint_dot(painter, plot.at(0.0, 1.0), 3.2, theme.ink3, theme.canvas, full=True)
        where = plot.at(0.0, 1.0)
        text = fitting(("the limit: the step H(x)", "the limit: H(x)"), 11, plot.box.width() / 2 - 16)
        outlined_text(painter, QPointF(where.x() - 10, where.y()), text, 11, theme.ink3, theme.canvas, RIGHT)

    def _paint_slope(self, painter: QPainter, plot: Plot, x: Floats, y: Floats) -> None:
        """The derivative over its area; where it leaves the plot an arrowhead says how high it goes."""
        theme, slope = self.theme, self.slope
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme.ink3, theme.canvas, 0.35))
        outline = points_of(plot, x, np.minimum(y, CAP))
        painter.drawPolygon(QPolygonF([plot.at(-REACH, 0.0), *outline, plot.at(REACH, 0.0)]))
        self._line(painter, plot, x, y, 2.6)
        top, half = plot.at(0.0, min(slope.peak, CAP)), plot.at(slope.half_width, min(slope.peak / 2, CAP))
        text = f"peak k/4 = {number(slope.peak)}"
        if slope.peak > CAP:
            marks.paint_arrowhead(painter, top.x(), plot.box.top() - 1, 11, 8, QColor(theme.ink1))
            marks.put_text(painter, top.x() + 11, plot.box.top() - 6, text, font(12, 600), theme.ink1, LEFT)
        else:
            paint_dot(painter, top, 3.8, theme.ink1, theme.canvas, full=True)
            marks.put_text(painter, top.x() + 9, max(plot.box.top() + 9, top.y() - 11), text, font(12, 600), theme.ink1, LEFT)
        if slope.peak / 2 <= CAP:
            painter.setPen(QPen(QColor(theme.ink2), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QLineF(half, QPointF(2 * top.x() - half.x(), half.y())))
        self._paint_area(painter, plot, top)

    def _paint_area(self, painter: QPainter, plot: Plot, top: QPointF) -> None:
        """The measured area in words at the left, led into the shape it belongs to."""
        theme = self.theme
        text = f"area {self.slope.area:.3f}"
        y = plot.box.top() + 0.62 * plot.box.height()
        x = plot.box.left() + 10
        inner = QPointF(top.x(), max(y, (top.y() + plot.box.bottom()) / 2))
        marks.put_text(painter, x, y, text, font(12, 600), theme.ink1, LEFT)
        painter.setPen(QPen(QColor(theme.ink2), 1))
        painter.drawLine(QLineF(QPointF(x + marks.text_width(text, font(12, 600)) + 7, y), inner))
        paint_dot(painter, inner, 2.0, theme.ink2, theme.canvas, full=True)

    def spot_at(self, at: QPointF) -> Spot | None:
        """The exact values under the pointer."""
        upper, lower = self._plots(QRectF(self.rect()))
        for plot, function, name in ((upper, sharp_sigmoid, "σ(kx)"), (lower, sharp_sigmoid_slope, "derivative")):
            if plot.box.contains(at):
                x = plot.numbers(at)[0]
                value = float(function(np.array([x]), self.slope.sharpness)[0])
                return Spot(QRectF(at.x() - 3, plot.box.top(), 6, plot.box.height()), f"{name} at x = {three_digits(x)}", value)
        return None


def points(k: float) -> Floats:
    """Where σ(kx) is drawn: evenly over the axis, and densely where it rises, however steeply."""
    rise = np.sinh(np.linspace(-6.0, 6.0, 161)) / np.sinh(6.0) * min(REACH, 40.0 / k)
    return np.unique(np.concatenate((np.linspace(-REACH, REACH, 81), rise)))


def number(value: float) -> str:
    """Three digits, and thousands as they are."""
    return three_digits(value) if value < 999.5 else f"{value:,.0f}"


def _tick(value: float) -> str:
    return f"{value:.4g}".replace("-", MINUS)
