"""The names of rows that run through all columns: to the left of the first one, and over the others while that is out of sight."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from ..theme import Theme, font
from .layout import Layout
from .marks import text_at

PLATE = 76.0  # the same for all names, or half of a number would look out beside a short one


def paint_label(painter: QPainter, layout: Layout, y: float, text: str, theme: Theme, aside: float = 0.0) -> None:
    """A name at the left end of a row, so far ``aside`` from what stands at the first column."""
    painter.setFont(font(11))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text)
    inner = layout.strip_width / 2 if layout.is_strip(1) else layout.radius
    right = layout.columns.x(1) - max(inner, 4.0) - 8.0 - aside
    if right - wide < 8.0:  # scrolled away: on a plate, for columns run beneath it
        right = 8.0 + wide
        painter.fillRect(QRectF(0, y - 8.0, max(right, PLATE) + 6.0, 16.0), QColor(theme.canvas))
    painter.setPen(QColor(theme.ink2))
    text_at(painter, QPointF(right, y), text, Qt.AlignmentFlag.AlignRight)
