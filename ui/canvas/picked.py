"""What is picked out of the network: a weight, a unit, a block of a strip."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ..selection import Selection
from ..theme import Theme
from .layout import Layout

RING = 3.5  # so much wider than the unit


def paint_picked(painter: QPainter, layout: Layout, picked: Selection, theme: Theme) -> None:
    """A weight with the units at its ends, or a unit; a layer is marked by its band, among what does not change."""
    if picked.kind == "unit" and picked.layer <= layout.depth:
        mark_end(painter, layout, picked.layer, picked.unit, layout.units(picked.layer), theme.ink1, theme)
    elif picked.kind == "edge" and layout.has_edges:
        gap = layout.gap(picked.layer)
        line = QLineF(gap.x0, float(gap.y0[picked.source]), gap.x1, float(gap.y1[picked.unit]))
        paint_picked_edge(painter, between_rings(layout, line, picked.layer), theme.ink1, theme)
        mark_end(painter, layout, picked.layer - 1, picked.source, len(gap.y0), theme.ink1, theme)
        mark_end(painter, layout, picked.layer, picked.unit, len(gap.y1), theme.ink1, theme)


def mark_end(painter: QPainter, layout: Layout, column: int, index: int, count: int, ink: str, theme: Theme) -> None:
    """Ring the ``index``-th of ``count`` ends of edges at a column, or frame its row in a strip."""
    y = float(layout.anchors(column, count)[index])
    if layout.is_strip(column):
        strip = layout.strip(column)
        high = strip.height() / count
        aside = min(4.0, max(1.5, layout.pitch * 0.25))
        paint_frame(painter, QRectF(strip.left(), y - high / 2, strip.width(), high), aside, 1.5 if high >= 2 else 2.5, ink, theme)
    elif column == 0:
        size = layout.input_size
        paint_frame(painter, QRectF(layout.input_x - size / 2, y - size / 2, size, size), RING, RING, ink, theme)
    else:
        paint_ring(painter, QPointF(layout.columns.x(column), y), layout.radius + RING, ink, theme)


def between_rings(layout: Layout, line: QLineF, layer: int) -> QLineF:
    """An edge into a layer, shortened to the rings around the units at its ends."""
    by, length = layout.radius + RING, line.length()
    if length <= 2 * by + 2:
        return line
    starts, ends = layer > 1 and not layout.is_strip(layer - 1), not layout.is_strip(layer)
    return QLineF(line.pointAt(by / length * starts), line.pointAt(1.0 - by / length * ends))


def paint_picked_edge(painter: QPainter, line: QLineF, ink: str, theme: Theme) -> None:
    """A selected weight: ink on a casing of canvas, so that it stands out of any tangle."""
    for layer, width in ((theme.canvas, 7.0), (ink, 2.4)):
        pen = QPen(QColor(layer), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(line)


def paint_ring(painter: QPainter, centre: QPointF, radius: float, ink: str, theme: Theme) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for layer, width in ((theme.canvas, 5.0), (ink, 2.0)):
        painter.setPen(QPen(QColor(layer), width))
        painter.drawEllipse(centre, radius, radius)


def paint_frame(painter: QPainter, inner: QRectF, aside: float, above: float, ink: str, theme: Theme) -> None:
    """Around an input, or a unit or block of a strip; so much wider and taller than it."""
    frame = inner.adjusted(-aside, -above, aside, above)
    corner = 2.0 if above < RING else 6.0
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for layer, width in ((theme.canvas, 5.0), (ink, 2.0)):
        painter.setPen(QPen(QColor(layer), width))
        painter.drawRoundedRect(frame, corner, corner)
