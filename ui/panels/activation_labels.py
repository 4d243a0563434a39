"""The words in the picture of the activation lab: the zone’s name, the largest f′ where it is, f and f′ at their lines."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from ..theme import Theme, blend, font, formula_font
from . import marks
from .activation_curves import ZONE, Curve, Peak, inside, paint_dot
from .chain_cards import fitting
from .lab_blocks import LEFT
from .plots import Plot

ROOM = 8.0  # between the left end and the words about the largest f′


def paint_zone_name(painter: QPainter, plot: Plot, zones: list[QRectF], theme: Theme) -> None:
    """A bracket over each part of the zone, and its name over the widest."""
    box = plot.box
    y = box.top() - 5
    for zone in zones:
        painter.setPen(QPen(QColor(theme.zone), 1.5))
        left, right = zone.left() + 0.75, zone.right() - 0.75
        painter.drawPolyline(QPolygonF([QPointF(left, y + 5), QPointF(left, y), QPointF(right, y), QPointF(right, y + 5)]))
        painter.setPen(QPen(blend(theme.zone, theme.canvas, 0.5), 1, Qt.PenStyle.DashLine))
        for x in (zone.left(), zone.right()):
            if box.left() + 1 < x < box.right() - 1:
                painter.drawLine(QLineF(x, box.top(), x, box.bottom()))
    text = "f′ is not small" if zones else "f′ is small everywhere"
    half = marks.text_width(text, font(11, 500)) / 2
    widest = max(zones, key=QRectF.width, default=box)
    x = min(box.right() - half, max(box.left() + half, widest.center().x()))
    marks.put_text(painter, x, y - 11, text, font(11, 500), theme.zone if zones else theme.ink2)


class PeakLabel:
    """The largest f′ in words at its own height, led to where it is; without a place it stands over the line."""

    def __init__(self, plot: Plot, largest: Peak) -> None:
        low, high = plot.extent[2:]
        self._largest, self._box = largest, plot.box
        self._shown = low <= largest.value <= high
        self._at = plot.at(min(max(largest.at, plot.extent[0]), plot.extent[1]), largest.value)
        self._everywhere = largest.where == "everywhere"
        end = plot.box.center().x() if self._everywhere else self._at.x()
        self._text = fitting((largest.words, largest.brief), 11, end - plot.box.left() - ROOM - 14, 600)
        self._y = self._at.y() - 11 if self._everywhere else self._at.y()
        self._wide = marks.text_width(self._text, font(11, 600))

    def paint_ground(self, painter: QPainter, zones: list[QRectF], theme: Theme) -> None:
        """Clear the place of the words of lines, which then do not run through them."""
        place = QRectF(self._box.left() + ROOM - 2, self._y - 7, self._wide + 4, 14)
        if self._shown:
            painter.fillRect(place, QColor(theme.canvas))
            for zone in zones:
                painter.fillRect(place.intersected(zone), blend(theme.zone, theme.canvas, ZONE[theme.name]))

    def paint(self, painter: QPainter, theme: Theme) -> None:
        """The words and what leads from them."""
        if not self._shown:
            return
        left = self._box.left() + ROOM
        if not self._everywhere:
            painter.setPen(QPen(QColor(theme.ink2), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QLineF(left + self._wide + 6, self._at.y(), self._at.x(), self._at.y()))
        marks.put_text(painter, left, self._y, self._text, font(11, 600), theme.ink1, LEFT)

    def paint_dot(self, painter: QPainter, theme: Theme) -> None:
        """The place itself, if it is a single one."""
        if self._shown and self._largest.where.startswith("at"):
            paint_dot(painter, self._at, 3.8, theme.ink1, theme.canvas, full=True)


def paint_names(painter: QPainter, plot: Plot, drawn: Curve, theme: Theme) -> None:
    """f and f′ at the right end of their lines, or where f leaves the plot."""
    low, high = plot.extent[2:]
    z, f, slope = drawn.pieces[-1]
    at_end = [("f′", slope, theme.ink1)]
    if low <= f[-1] <= high:
        at_end.append(("f", f, theme.ink2))
    elif runs := inside(z, f, plot.extent):
        at = plot.at(float(runs[-1][0][-1]), high)
        marks.put_text(painter, at.x() + 5, at.y() + 11, "f", formula_font(15), theme.ink2, LEFT)
    wanted = [plot.at(0.0, min(high, max(low, float(values[-1])))).y() for _, values, _ in at_end]
    placed = marks.spread(wanted, 15.0, plot.box.top() + 4, plot.box.bottom() - 4)
    for (name, _, ink), y in zip(at_end, placed, strict=True):
        marks.put_text(painter, plot.box.right() + 6, y, name, formula_font(15), ink, LEFT)
