"""What stands around units and edges: names, glyphs, inputs, batch norm and clip marks, the invitation to begin."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from gradviz.snapshot import Architecture

from ..activation_glyph import paint_glyph
from ..stages import words_of
from ..theme import Theme, blend, font
from .layout import Layout

MARKS_FROM = 46.0  # column pitch from which BN and clip mark have room side by side
NAME_STEPS = (1, 5, 10, 20, 50, 100, 200, 500)
CENTRE = Qt.AlignmentFlag.AlignCenter


def text_at(painter: QPainter, centre: QPointF, text: str, align: Qt.AlignmentFlag = CENTRE) -> None:
    """Text around a point: centred on it, or beginning or ending there."""
    box = QRectF(centre.x() - 1000, centre.y() - 20, 2000, 40)
    if align == Qt.AlignmentFlag.AlignLeft:
        box.moveLeft(centre.x())
    elif align == Qt.AlignmentFlag.AlignRight:
        box.moveRight(centre.x())
    painter.drawText(box, align | Qt.AlignmentFlag.AlignVCenter, text)


def paint_static(painter: QPainter, layout: Layout, theme: Theme, selected_layer: int | None, in_work: int | None) -> None:
    """All that does not change from step to step: names, glyphs, inputs, batch norm, numbers of units.

    The names of the selected layer and of the column in work are bold.
    """
    if selected_layer is not None:
        _paint_band(painter, layout, theme, selected_layer)
    _paint_names(painter, layout, theme, [column for column in (in_work, selected_layer) if column is not None])
    if layout.has_glyphs:
        for layer in layout.visible_layers():
            box = QRectF(layout.columns.x(layer) - 8.5, layout.glyph_y - 6, 17, 12)
            paint_glyph(painter, box, layout.architecture.layers[layer - 1].activation, QColor(theme.ink3))
    _paint_inputs(painter, layout, theme)
    _paint_foot(painter, layout, theme)


def _paint_band(painter: QPainter, layout: Layout, theme: Theme, layer: int) -> None:
    width = max(6.0, layout.pitch)
    top = layout.names_y - 24
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(blend(theme.ink1, theme.canvas, 0.06 if theme.name == "dark" else 0.045))
    # the band goes on in the profile below, so its foot runs out of the picture
    band = QPainterPath()
    band.addRoundedRect(QRectF(layout.columns.x(layer) - width / 2, top, width, layout.height - top + 12), 8, 8)
    inside = QPainterPath()
    inside.addRect(QRectF(0, 0, layout.columns.width, layout.height))
    painter.drawPath(band.intersected(inside))


class NamePlace(NamedTuple):
    """Where the name of a column stands, and half of the room it takes."""

    column: int
    text: str
    x: float
    half: float


def name_places(layout: Layout, marked: list[int]) -> list[NamePlace]:
    """Every name where there is room, else every fifth, tenth …; the marked columns, the first and the last before all others."""
    wanted = 1 if layout.has_glyphs else 5
    step = next((s for s in NAME_STEPS if s >= wanted and s * layout.pitch >= 40), NAME_STEPS[-1])
    depth, visible = layout.depth, layout.visible_layers()
    order = [*marked, 0, depth, *(layer for layer in visible if layer % step == 0 or layer == 1), depth + 1]
    found: list[NamePlace] = []
    plain, bold = QFontMetricsF(font(12)), QFontMetricsF(font(12, 600))
    for column in dict.fromkeys(order):
        name = "In" if column == 0 else "Loss" if column == depth + 1 else layout.architecture.layers[column - 1].name
        x = layout.input_x if column == 0 else layout.loss_point.x() if column == depth + 1 else layout.columns.x(column)
        half = (bold if column in marked else plain).horizontalAdvance(name) / 2 + 4
        free = all(x + half <= other.x - other.half or x - half >= other.x + other.half for other in found)
        if free and half <= x <= layout.columns.width - half:
            found.append(NamePlace(column, name, x, half))
    return found


def _paint_names(painter: QPainter, layout: Layout, theme: Theme, marked: list[int]) -> None:
    for place in name_places(layout, marked):
        bold = place.column in marked
        painter.setFont(font(12, 600 if bold else 400))
        painter.setPen(QColor(theme.ink1 if bold else theme.ink2))
        text_at(painter, QPointF(place.x, layout.names_y), place.text)


def _paint_inputs(painter: QPainter, layout: Layout, theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.outline), 1.25))
    painter.setBrush(QColor(theme.raised))
    x = layout.input_x
    if layout.is_strip(0):
        painter.drawRoundedRect(layout.strip(0), 4, 4)
        return
    size = layout.input_size
    rows = layout.rows(0).tolist()
    for y in rows:
        painter.drawRoundedRect(QRectF(x - size / 2, y - size / 2, size, size), size / 4.5, size / 4.5)
    room = x - size / 2 - 16
    if room < 12 or (len(rows) > 1 and rows[1] - rows[0] < 11.5):
        return
    painter.setFont(font(12 if len(rows) == 1 or rows[1] - rows[0] >= 14 else 11))
    painter.setPen(QColor(theme.ink2))
    for y, name in zip(rows, layout.architecture.input_names, strict=True):
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room))
        text_at(painter, QPointF(x - size / 2 - 8, y), shown, Qt.AlignmentFlag.AlignRight)


def _paint_foot(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """Numbers of units under the strips, and batch norm; of narrow columns one line that says it of all."""
    painter.setFont(font(11))
    metrics = QFontMetricsF(painter.font())
    for column in (0, *layout.visible_layers()):
        if layout.is_strip(column) and layout.has_edges:
            text = f"× {layout.units(column)}"
            if layout.pitch >= metrics.horizontalAdvance(text) + 4:
                painter.setPen(QColor(theme.ink2))
                outline = layout.strip(column)
                text_at(painter, QPointF(outline.center().x(), outline.bottom() + 11), text)
    if layout.pitch < MARKS_FROM or layout.architecture.recurrent:
        painter.setPen(QColor(theme.ink3))
        x = max(16.0, layout.input_x - 9)
        room = int(layout.columns.width - x - (72 if layout.clips else 16))
        line = summary(layout.architecture, layout.has_edges, layout.gate_rows > 0)
        parts = line.split("; ")
        shorter = ("; ".join(parts[:count]) for count in range(len(parts), 0, -1))
        line = next((text for text in shorter if metrics.horizontalAdvance(text) <= room), line.split(":")[0])
        line = metrics.elidedText(line, Qt.TextElideMode.ElideRight, room)
        text_at(painter, QPointF(x, layout.marks_y), line, Qt.AlignmentFlag.AlignLeft)
        return
    for layer in layout.visible_layers():
        if layout.marks and layout.architecture.layers[layer - 1].batch_norm:
            pill = QRectF(layout.columns.x(layer) - (24 if layout.clips else 13), layout.marks_y - 8, 26, 16)
            painter.setPen(QPen(QColor(theme.strong_line), 1))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(pill, 4, 4)
            painter.setFont(font(10, 600))
            painter.setPen(QColor(theme.ink2))
            painter.drawText(pill, CENTRE, "BN")


def summary(architecture: Architecture, edges: bool, gates: bool = False) -> str:
    """What narrow columns stand for, in one line; ``gates`` says that there are rows of them."""
    hidden = architecture.layers[:-1]
    widths = {layer.units for layer in hidden}
    span = f"{min(widths)}" if len(widths) == 1 else f"{min(widths)}–{max(widths)}"
    words = words_of(architecture)
    many = words.count(len(hidden)) if architecture.recurrent else f"{len(hidden):,} hidden {'layer' if len(hidden) == 1 else 'layers'}"
    parts = [f"{many} × {span} {'unit' if span == '1' else 'units'}"]
    if max(widths) > 16 or not edges:
        parts[0] += f": one strip per {words.one}, one row per unit"
    if gates:
        parts.append("bars: how far each gate is open")
    if edges and any(layer.pooled for layer in architecture.layers):
        parts.append("weights pooled into blocks")
    if not edges:
        parts.append("zoom in to see the weights")
    if any(layer.batch_norm for layer in hidden):
        parts.append("batch norm")
    return "; ".join(parts)


def paint_clip_marks(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """|–| under every column; for narrow ones, and where a single gradient is of all columns, a word at the right."""
    if layout.pitch < MARKS_FROM or layout.architecture.recurrent:
        painter.setFont(font(11))
        painter.setPen(QColor(theme.ink2))
        text_at(painter, QPointF(layout.columns.width - 16, layout.marks_y), "clipped", Qt.AlignmentFlag.AlignRight)
        return
    pen = QPen(QColor(theme.ink2), 1.5)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    for layer in layout.visible_layers():
        aside = 13.0 if layout.architecture.layers[layer - 1].batch_norm else 0.0
        x, y = layout.columns.x(layer) + aside, layout.marks_y
        painter.drawLines([QLineF(x - 7, y - 5, x - 7, y + 5), QLineF(x + 7, y - 5, x + 7, y + 5), QLineF(x - 4, y, x + 4, y)])


def paint_invitation(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """What to do while nothing has been measured yet."""
    painter.setFont(font(13, 600))
    text = "Press Play or Step"
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text) + 32
    plate = QRectF(layout.columns.width / 2 - wide / 2, layout.middle - 17, wide, 34)
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(plate, 17, 17)
    painter.setPen(QColor(theme.ink1))
    painter.drawText(plate, CENTRE, text)
