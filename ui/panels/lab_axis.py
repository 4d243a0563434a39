"""The fixed logarithmic axis of gradients lying down: healthy zone, decades, and a bar with the marks of 0, NaN and unknown."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from .. import colors
from ..numbers import power
from ..theme import Theme, blend, font
from . import marks

ZONE = 0.10  # opacity of the healthy zone
DECADES = 3  # between the lines


def across(box: QRectF, value: float) -> float:
    """Where a magnitude stands between the sides of ``box``."""
    return box.left() + colors.position(value) * box.width()


def paint_decades(painter: QPainter, box: QRectF, theme: Theme, ground: str) -> None:
    """The healthy zone and a line for every third decade."""
    low, high = (across(box, 10.0**exponent) for exponent in colors.HEALTHY)
    painter.fillRect(QRectF(low, box.top(), high - low, box.height()), blend(theme.zone, ground, ZONE))
    painter.setPen(QPen(QColor(theme.line), 1))
    for exponent in range(int(colors.LOW), int(colors.HIGH) + 1, DECADES):
        x = across(box, 10.0**exponent)
        painter.drawLine(QLineF(x, box.top(), x, box.bottom()))


def paint_ticks(painter: QPainter, box: QRectF, y: float, theme: Theme) -> None:
    """The powers of ten under the lines, as many as stand apart, and the name of the zone where it has room."""
    used = font(11)
    wide = marks.text_width(power(-9), used) + 10
    stride = DECADES if box.width() / 4 >= wide else 2 * DECADES
    for exponent in range(int(colors.LOW), int(colors.HIGH) + 1, stride):
        marks.put_text(painter, across(box, 10.0**exponent), y, power(exponent), used, theme.ink3)


def paint_bar(painter: QPainter, box: QRectF, value: float, known: bool, theme: Theme) -> None:
    """A bar from the left side of ``box`` in the colour of the value; what is not a plain number has a mark of its own."""
    level = colors.level(value) if known else colors.UNKNOWN
    if level == colors.UNKNOWN:
        pen = QPen(QColor(theme.outline), 1)
        pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.drawLine(QLineF(box.left() + 1, box.center().y(), box.left() + 18, box.center().y()))
        return
    if level == colors.NONFINITE:
        colors.paint_hatch(painter, box, theme)
        return
    if level == colors.ZERO:
        size = min(11.0, box.height() + 2)
        marks.paint_swatch(painter, QRectF(box.left(), box.center().y() - size / 2, size, size), level, theme)
        return
    length = max(2.0, colors.position(value) * box.width())
    beyond = abs(value) > 10.0**colors.HIGH
    painter.setPen(QPen(QColor(theme.outline), 1))
    painter.setBrush(colors.color(level, theme))
    painter.drawRoundedRect(QRectF(box.left(), box.top(), length - (6 if beyond else 0), box.height()), 2, 2)
    if beyond:
        x, y, half = box.right() - 5, box.center().y(), box.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF([QPointF(x, y - half), QPointF(x + 7, y), QPointF(x, y + half)]))
    if abs(value) < 10.0**colors.LOW:
        x, y, half = box.left() + 8, box.center().y(), box.height() / 2 - 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.outline))
        painter.drawPolygon(QPolygonF([QPointF(x, y - half), QPointF(x - 5, y), QPointF(x, y + half)]))
