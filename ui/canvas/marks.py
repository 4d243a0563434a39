"""What stands around units and edges: names, glyphs, inputs, batch norm and clip marks, skip arcs, the loss and its output map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from gradviz.snapshot import Architecture, Floats, Prediction, Snapshot

from ..activation_glyph import paint_glyph
from ..colors import NONFINITE, UNKNOWN, ZERO, edge_widths, is_hot, level, paint_hatch
from ..numbers import short
from ..theme import Theme, blend, font, formula_font
from .edges import UNDERSTROKE, glow_color, line_pen
from .layout import LOSS_SIZE, Layout
from .units import dashed

MAP_SIZE = 44.0
ARC_HEIGHT = 50.0
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


def paint_static(painter: QPainter, layout: Layout, theme: Theme, selected_layer: int | None) -> None:
    """All that does not change from step to step: names, glyphs, inputs, batch norm, numbers of units."""
    if selected_layer is not None:
        _paint_band(painter, layout, theme, selected_layer)
    _paint_names(painter, layout, theme, selected_layer)
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


def _paint_names(painter: QPainter, layout: Layout, theme: Theme, selected: int | None) -> None:
    """Every name where there is room, else every fifth, tenth …; the selected layer, the first and the last before all others."""
    wanted = 1 if layout.has_glyphs else 5
    step = next((s for s in NAME_STEPS if s >= wanted and s * layout.pitch >= 40), NAME_STEPS[-1])
    depth, visible = layout.depth, layout.visible_layers()
    order = [selected] if selected is not None else []
    order += [0, depth, *(layer for layer in visible if layer % step == 0 or layer == 1), depth + 1]
    taken: list[tuple[float, float]] = []
    for column in dict.fromkeys(order):
        bold = column == selected
        painter.setFont(font(12, 600 if bold else 400))
        painter.setPen(QColor(theme.ink1 if bold else theme.ink2))
        name = "In" if column == 0 else "Loss" if column == depth + 1 else layout.architecture.layers[column - 1].name
        x = layout.input_x if column == 0 else layout.loss_point.x() if column == depth + 1 else layout.columns.x(column)
        half = painter.fontMetrics().horizontalAdvance(name) / 2 + 4
        free = all(x + half <= left or x - half >= right for left, right in taken)
        if free and half <= x <= layout.columns.width - half:
            taken.append((x - half, x + half))
            text_at(painter, QPointF(x, layout.names_y), name)


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
    if room < 12 or (len(rows) > 1 and rows[1] - rows[0] < 14):
        return
    painter.setFont(font(12))
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
    if layout.pitch < MARKS_FROM:
        painter.setPen(QColor(theme.ink3))
        x = max(16.0, layout.input_x - 9)
        room = int(layout.columns.width - x - (72 if layout.clips else 16))
        line = summary(layout.architecture, layout.has_edges)
        if metrics.horizontalAdvance(line) > room:
            line = metrics.elidedText(line.split(":")[0], Qt.TextElideMode.ElideRight, room)
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


def summary(architecture: Architecture, edges: bool) -> str:
    """What narrow columns stand for, in one line."""
    hidden = architecture.layers[:-1]
    widths = {layer.units for layer in hidden}
    span = f"{min(widths)}" if len(widths) == 1 else f"{min(widths)}–{max(widths)}"
    parts = [f"{len(hidden):,} hidden {'layer' if len(hidden) == 1 else 'layers'} × {span} {'unit' if span == '1' else 'units'}"]
    if max(widths) > 16 or not edges:
        parts[0] += ": one strip per layer, one row per unit"
    if edges and any(layer.pooled for layer in architecture.layers):
        parts.append("weights pooled into blocks")
    if not edges:
        parts.append("zoom in to see the weights")
    if any(layer.batch_norm for layer in hidden):
        parts.append("batch norm")
    return "; ".join(parts)


def paint_clip_marks(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """|–| under every column; for narrow ones a word at the right."""
    if layout.pitch < MARKS_FROM:
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


def arc_path(layout: Layout, source: int, target: int) -> QPainterPath:
    x0, x1 = layout.columns.x(source), layout.columns.x(target)
    rise = min(ARC_HEIGHT, (x1 - x0) * 0.75)
    arc = QPainterPath(QPointF(x0, layout.arc_foot))
    arc.cubicTo(QPointF(x0, layout.arc_foot - rise), QPointF(x1, layout.arc_foot - rise), QPointF(x1, layout.arc_foot))
    return arc


def paint_arcs(painter: QPainter, layout: Layout, gradients: Floats | None, theme: Theme) -> None:
    """The skips: each with its own gradient (skips,), as colour and as number, and ⊕ where it is added."""
    if not layout.has_arcs:
        return
    visible = layout.visible_layers()
    seen = [(n, *skip) for n, skip in enumerate(layout.architecture.skips) if skip[1] >= visible.start and skip[0] < visible.stop]
    values = [None if gradients is None else float(gradients[number]) for number, _, _ in seen]
    paths = [arc_path(layout, source, target) for _, source, target in seen]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for path, value in zip(paths, values, strict=True):
        _paint_arc(painter, path, UNKNOWN if value is None else level(value), theme)
    sums = {target for _, _, target in seen}
    for (_, source, _), path, value in zip(seen, paths, values, strict=True):
        start, end = path.pointAtPercent(0), path.pointAtPercent(1)
        if end.x() - start.x() >= 24:
            _paint_ends(painter, None if source in sums else start, end, theme)
        if value is not None:
            _paint_pill(painter, path.pointAtPercent(0.5), short(value), end.x() - start.x(), theme)


def _paint_arc(painter: QPainter, path: QPainterPath, found: int, theme: Theme) -> None:
    if found == ZERO:
        painter.setPen(QPen(QColor(theme.line), 1.0))  # the road is there, and nothing travels on it
    else:
        width = max(3.0, 2.2 * float(edge_widths()[found])) if found < ZERO else 2.0
        if is_hot(found):
            painter.setPen(QPen(glow_color(theme), width + UNDERSTROKE))
            painter.drawPath(path)
        painter.setPen(line_pen(found, width, theme))
    painter.drawPath(path)


def _paint_ends(painter: QPainter, start: QPointF | None, end: QPointF, theme: Theme) -> None:
    """A dot where the skip leaves, unless it leaves from a sum, and ⊕ where it is added."""
    if start is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ink2))
        painter.drawEllipse(start, 2.5, 2.5)
    painter.setPen(QPen(QColor(theme.ink2), 1.25))
    painter.setBrush(QColor(theme.canvas))
    painter.drawEllipse(end, 5.5, 5.5)
    painter.drawLines([QLineF(end.x() - 3, end.y(), end.x() + 3, end.y()), QLineF(end.x(), end.y() - 3, end.x(), end.y() + 3)])


def _paint_pill(painter: QPainter, crown: QPointF, text: str, span: float, theme: Theme) -> None:
    """The number at the crown of an arc, where there is room for it."""
    painter.setFont(font(11))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text) + 14
    if span < wide + 14:
        return
    pill = QRectF(crown.x() - wide / 2, crown.y() - 9, wide, 18)
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(QColor(theme.canvas))
    painter.drawRoundedRect(pill, 9, 9)
    painter.setPen(QColor(theme.nan if text in ("NaN", "∞") else theme.ink1))
    painter.drawText(pill, CENTRE, text)


def paint_loss(painter: QPainter, layout: Layout, snapshot: Snapshot, output_levels: NDArray[np.uint8], theme: Theme) -> None:
    """Lines from the output units to the loss, coloured like the units, and the square with its L."""
    known, centre = snapshot.details is not None, layout.loss_point
    strip = layout.is_strip(layout.depth)
    x = layout.columns.x(layout.depth) + (layout.strip_width / 2 if strip else layout.radius)
    if strip and output_levels.size > 1:
        rows, output_levels = np.array([layout.middle]), output_levels[:1]
    else:
        rows = layout.rows(layout.depth)
    lines = sorted(zip(output_levels.tolist(), rows.tolist(), strict=True))
    for found, y in lines:
        if found == ZERO:
            continue
        if is_hot(found):
            painter.setPen(QPen(glow_color(theme), float(edge_widths()[found]) + UNDERSTROKE))
            painter.drawLine(QLineF(x, y, centre.x() - LOSS_SIZE / 2, centre.y()))
        painter.setPen(line_pen(found, 2.0 if found == NONFINITE else float(edge_widths()[found]), theme))
        painter.drawLine(QLineF(x, y, centre.x() - LOSS_SIZE / 2, centre.y()))
    square = QRectF(centre.x() - LOSS_SIZE / 2, centre.y() - LOSS_SIZE / 2, LOSS_SIZE, LOSS_SIZE)
    shape = QPainterPath()
    shape.addRoundedRect(square, 6, 6)
    if known and not np.isfinite(snapshot.loss):
        paint_hatch(painter, shape, theme)
        painter.setPen(QPen(QColor(theme.nan), 1.25))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape)
        return
    painter.setPen(QPen(QColor(theme.outline), 1.25) if known else dashed(theme))
    painter.setBrush(QColor(theme.raised))
    painter.drawPath(shape)
    painter.setFont(formula_font(16))
    painter.setPen(QColor(theme.ink1))
    painter.drawText(square.translated(0, -0.5), CENTRE, "J")


def paint_output_map(painter: QPainter, layout: Layout, prediction: Prediction | None, theme: Theme) -> None:
    """What the net says over the plane of its two inputs, in greys: it is no gradient."""
    if prediction is None or prediction.kind != "surface" or prediction.grid is None or layout.pitch < 50:
        return
    centre = layout.loss_point
    box = QRectF(centre.x() - MAP_SIZE / 2, centre.y() + 34, MAP_SIZE, MAP_SIZE)
    if box.bottom() + 20 > layout.height:
        return
    grid = np.asarray(prediction.grid, float)
    finite = np.isfinite(grid)
    if finite.all():
        most = max(1, len(prediction.class_names) - 1)
        grey = np.clip(np.where(finite, grid, 0.0) / most, 0.0, 1.0)
        low, high = ("#20262F", "#F2F4F7") if theme.name == "dark" else ("#FFFFFF", "#3A4350")
        ends = np.array([(c.red(), c.green(), c.blue()) for c in (QColor(low), QColor(high))], float)
        shades = np.rint(ends[0] + (ends[1] - ends[0]) * np.flipud(grey)[..., None]).astype(np.uint32)
        pixels = np.ascontiguousarray(0xFF000000 | shades[..., 0] << 16 | shades[..., 1] << 8 | shades[..., 2], np.uint32)
        rows, columns = pixels.shape
        image = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, image.copy())
    else:
        paint_hatch(painter, box, theme)
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box)
    painter.setFont(font(11))
    painter.setPen(QColor(theme.ink3))
    text_at(painter, QPointF(centre.x(), box.bottom() + 11), "output ŷ")


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


def paint_picked_edge(painter: QPainter, line: QLineF, theme: Theme) -> None:
    """A selected weight: ink on a casing of canvas, so that it stands out of any tangle."""
    for ink, width in ((theme.canvas, 7.0), (theme.ink1, 2.4)):
        pen = QPen(QColor(ink), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(line)


def paint_ring(painter: QPainter, centre: QPointF, radius: float, theme: Theme) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, width in ((theme.canvas, 5.0), (theme.ink1, 2.0)):
        painter.setPen(QPen(QColor(ink), width))
        painter.drawEllipse(centre, radius, radius)


def paint_row_frame(painter: QPainter, row: QRectF, theme: Theme) -> None:
    """A selected unit or block of a strip."""
    frame = row.adjusted(-4, -1.5, 4, 1.5) if row.height() >= 2 else row.adjusted(-4, -2.5, 4, 2.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, width in ((theme.canvas, 5.0), (theme.ink1, 2.0)):
        painter.setPen(QPen(QColor(ink), width))
        painter.drawRoundedRect(frame, 2, 2)
