"""The legend of the one colour scale: what its colours mean, and where each layer of the network stands on it now."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen, QPolygonF

from . import colors
from .numbers import power
from .theme import Theme, font

WIDTH, HEIGHT = 398.0, 48.0
NARROWEST = 344.0  # so that the names of its three zones still stand apart
BAR = QRectF(14.0, 22.0, 264.0, 8.0)
NAN_KEY = QRectF(308.0, 22.0, 24.0, 8.0)
ZERO_CENTRE = QPointF(370.0, 26.0)
ZERO_RADIUS = 5.0
NAMES_Y, TICKS_Y = 8.0, 41.0  # middles of the two rows of text
TICK_DISTANCE = 3.0
LABELLED = (-9, -6, -3, 0, 3)


def legend_size(room: float = WIDTH) -> QSizeF:
    """What `paint_legend` takes of a room that wide, in logical pixels."""
    return QSizeF(min(WIDTH, max(NARROWEST, room)), HEIGHT)


def paint_legend(painter: QPainter, right_top: QPointF, theme: Theme, ticks: Sequence[float] = (), room: float = WIDTH) -> QRectF:
    """Draw the legend with its right top corner at ``right_top``; returns the rectangle it takes.

    Where it has not all the ``room`` it likes, its bar is shorter.

    ``ticks`` are gradients, one per layer: each is marked on the bar. What is off the scale gets an arrowhead at the
    bar's end; for what is not finite or exactly 0, the words of its key light up.
    """
    size = legend_size(room)
    area = QRectF(QPointF(right_top.x() - size.width(), right_top.y()), size)
    short = WIDTH - size.width()
    bar = BAR.adjusted(0, 0, -short, 0)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(area.topLeft())
    _paint_bar(painter, bar, theme)
    _paint_zones(painter, bar, theme)
    _paint_ticks(painter, bar, theme, [abs(value) for value in ticks if math.isfinite(value) and value != 0])
    painter.translate(-short, 0)
    _paint_keys(painter, theme, any(not math.isfinite(value) for value in ticks), any(value == 0 for value in ticks))
    painter.restore()
    return area


def _x(bar: QRectF, log: float) -> float:
    return bar.left() + bar.width() * (log - colors.LOW) / (colors.HIGH - colors.LOW)


def _paint_bar(painter: QPainter, bar: QRectF, theme: Theme) -> None:
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for level in range(0, colors.LEVELS, 5):  # a gradient rather than 241 rectangles: no seams, and small as SVG
        gradient.setColorAt(level / (colors.LEVELS - 1), colors.color(level, theme))
    painter.setPen(QPen(QColor(theme.outline), 1))
    painter.setBrush(gradient)
    painter.drawRect(bar.adjusted(-0.5, -0.5, 0.5, 0.5))
    for exponent in LABELLED:
        x = _x(bar, exponent)
        painter.setPen(QPen(QColor(theme.ink3), 1))
        painter.drawLine(QPointF(x, bar.bottom() + 1), QPointF(x, bar.bottom() + 4))
        _text(painter, x, TICKS_Y, power(exponent), theme.ink3)


def _paint_zones(painter: QPainter, bar: QRectF, theme: Theme) -> None:
    low, high = (_x(bar, end) for end in colors.HEALTHY)
    for middle, name in (((bar.left() + low) / 2, "vanishing"), ((high + bar.right()) / 2, "exploding")):
        _text(painter, middle, NAMES_Y, name, theme.ink3)
    _text(painter, (low + high) / 2, NAMES_Y, "healthy", theme.ink1, 500)
    pen = QPen(QColor(theme.ink2), 1.5)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    top, foot = bar.top() - 4.25, bar.top()
    painter.drawPolyline([QPointF(low, foot), QPointF(low, top), QPointF(high, top), QPointF(high, foot)])


def _paint_keys(painter: QPainter, theme: Theme, any_nonfinite: bool, any_zero: bool) -> None:
    colors.paint_hatch(painter, NAN_KEY, theme)
    _text(painter, NAN_KEY.center().x(), TICKS_Y, "NaN, ∞", theme.ink1 if any_nonfinite else theme.ink3)
    painter.setPen(QPen(QColor(theme.ink2), 1.25))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(ZERO_CENTRE, ZERO_RADIUS, ZERO_RADIUS)
    reach = ZERO_RADIUS * math.sqrt(0.5)
    painter.drawLine(ZERO_CENTRE + QPointF(-reach, reach), ZERO_CENTRE + QPointF(reach, -reach))
    _text(painter, ZERO_CENTRE.x(), TICKS_Y, "exactly 0", theme.ink1 if any_zero else theme.ink3)


def _paint_ticks(painter: QPainter, bar: QRectF, theme: Theme, values: list[float]) -> None:
    positions: list[float] = []
    for x in sorted(bar.left() + bar.width() * colors.position(value) for value in values):
        if not positions or x - positions[-1] >= TICK_DISTANCE:  # of many layers in one place a single mark is enough
            positions.append(x)
    # Every casing before every mark, so that marks close together stay whole.
    for width, ink in ((3.5, theme.canvas), (1.5, theme.ink1)):
        painter.setPen(QPen(QColor(ink), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        for x in positions:
            painter.drawLine(QPointF(x, bar.top() - 1.5), QPointF(x, bar.bottom() + 1.5))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink1))
    for x, outwards, beyond in (
        (bar.left() - 3, -5.0, any(value < 10.0**colors.LOW for value in values)),
        (bar.right() + 3, 5.0, any(value > 10.0**colors.HIGH for value in values)),
    ):
        if beyond:
            y = bar.center().y()
            painter.drawPolygon(QPolygonF([QPointF(x, y - 4), QPointF(x, y + 4), QPointF(x + outwards, y)]))


def _text(painter: QPainter, middle: float, y: float, text: str, ink: str, weight: int = 400) -> None:
    painter.setFont(font(11, weight))
    painter.setPen(QColor(ink))
    painter.drawText(QRectF(middle - 60, y - 10, 120, 20), Qt.AlignmentFlag.AlignCenter, text)
