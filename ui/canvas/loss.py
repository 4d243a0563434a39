"""Where the network ends: the lines to the loss, its square, and what the net says beneath it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from gradviz.snapshot import Prediction, Snapshot

from ..colors import NONFINITE, UNKNOWN, ZERO, edge_widths, is_hot, paint_hatch
from ..theme import Theme, font, formula_font
from .edges import UNDERSTROKE, glow_color, line_pen
from .layout import LOSS_SIZE, Layout
from .marks import text_at
from .units import dashed

MAP_SIZE = 44.0
CENTRE = Qt.AlignmentFlag.AlignCenter


def loss_lines(layout: Layout) -> list[QLineF]:
    """From each output unit (from a strip, one from its middle) to the square of the loss."""
    centre, strip = layout.loss_point, layout.is_strip(layout.depth)
    x = layout.columns.x(layout.depth) + (layout.strip_width / 2 if strip else layout.radius)
    rows = [layout.middle] if strip else layout.rows(layout.depth).tolist()
    return [QLineF(x, y, centre.x() - LOSS_SIZE / 2, centre.y()) for y in rows]


def paint_loss(painter: QPainter, layout: Layout, snapshot: Snapshot, output_levels: NDArray[np.uint8], lit: bool, theme: Theme) -> None:
    """Lines from the output units to the loss, coloured like the units, and the square with its J; ``lit`` when the loss is known."""
    centre = layout.loss_point
    lines = loss_lines(layout)
    order = sorted(range(len(lines)), key=lambda n: int(output_levels[n]))
    for found, line in ((min(int(output_levels[n]), UNKNOWN), lines[n]) for n in order):
        if found == ZERO:
            continue
        if is_hot(found):
            painter.setPen(QPen(glow_color(theme), float(edge_widths()[found]) + UNDERSTROKE))
            painter.drawLine(line)
        painter.setPen(line_pen(found, 2.0 if found == NONFINITE else float(edge_widths()[found]), theme))
        painter.drawLine(line)
    square = QRectF(centre.x() - LOSS_SIZE / 2, centre.y() - LOSS_SIZE / 2, LOSS_SIZE, LOSS_SIZE)
    shape = QPainterPath()
    shape.addRoundedRect(square, 6, 6)
    if lit and not np.isfinite(snapshot.loss):
        paint_hatch(painter, shape, theme)
        painter.setPen(QPen(QColor(theme.nan), 1.25))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape)
        return
    painter.setPen(QPen(QColor(theme.outline), 1.25) if lit else dashed(theme))
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
    if box.bottom() + 20 > (layout.bracket_y - 10 if layout.has_foot else layout.height):
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
