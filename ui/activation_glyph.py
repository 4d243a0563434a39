"""The small curve that stands for an activation: in the network, on the buttons and in menus.

It is drawn from the function itself, so that a new activation has its picture without anybody drawing one.
"""

from __future__ import annotations

import functools

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from gradviz.activations import ACTIVATIONS

SHOWN = 3.0  # the curve runs from −SHOWN to SHOWN
FLATTEST = 0.12  # a leaky slope below this would look like ReLU at the size of a glyph


def paint_glyph(painter: QPainter, rect: QRectF, activation_name: str, color: QColor) -> None:
    """Draw the curve of an activation so that it fills ``rect``.

    Raises:
        KeyError: for a name that is not in `ACTIVATIONS`.
    """
    across, up = _curve(activation_name)
    pen = QPen(color, max(1.2, rect.height() / 10), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(
        QPolygonF([QPointF(rect.left() + x * rect.width(), rect.bottom() - y * rect.height()) for x, y in zip(across, up, strict=True)])
    )
    painter.restore()


def glyph_icon(activation_name: str, color: str, fill: str | None = None) -> QIcon:
    """The curve as an icon of 20 × 16 logical pixels, for menus; ``fill`` is what it stands on."""
    size = QSize(20, 16)
    pixmap = QPixmap(size * 2)
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    if fill is not None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(fill))
        painter.drawRoundedRect(QRectF(0, 0, size.width(), size.height()), 4, 4)
    paint_glyph(painter, QRectF(3, 3, size.width() - 6, size.height() - 6), activation_name, QColor(color))
    painter.end()
    return QIcon(pixmap)


@functools.cache
def _curve(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The points of the curve, both coordinates from 0 to 1."""
    activation = ACTIVATIONS[name]
    z = np.linspace(-SHOWN, SHOWN, 61)
    slope = activation.parameter
    values = activation.function(z, FLATTEST if 0 < slope < FLATTEST else slope)
    low, high = float(values.min()), float(values.max())
    return tuple(((z + SHOWN) / (2 * SHOWN)).tolist()), tuple(((values - low) / (high - low or 1.0)).tolist())
