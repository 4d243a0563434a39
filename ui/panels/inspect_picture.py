"""How the inspect panel looks apart from what is there to be pressed: heading, readings, and what stands there when nothing is picked."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from ..theme import Theme, font, formula_font
from . import marks
from .reading import Content
from .reading_row import HERO, INSET, ROW, paint_hero, paint_reading

PADDING = 16.0
HEADING, FORMULA, GAP = 60.0, 22.0, 8.0
NOTHING = ("Nothing selected", "Click a weight or a unit in the network.", "W picks the weakest weight.")
NOT_RUN = "Gradients are known after the first step."
FORMULA_SIZES = (15, 13, 11)


def heading_height(content: Content) -> float:
    """Where the readings begin."""
    return HEADING + (FORMULA if content.formula else 0.0)


def readings_height(content: Content) -> float:
    """What the readings take under the heading."""
    return ROW * len(content.readings) + (HERO - ROW + GAP if content.hero else 0.0)


def paint_heading(painter: QPainter, area: QRectF, theme: Theme, content: Content) -> None:
    """Title, caption and formula, each in the longest form that fits."""
    left, room = area.left() + PADDING, area.width() - 2 * PADDING
    title = QFontMetricsF(font(15, 600)).elidedText(content.title, Qt.TextElideMode.ElideMiddle, room)
    marks.put_text(painter, left, area.top() + 22, title, font(15, 600), theme.ink1, Qt.AlignmentFlag.AlignLeft)
    caption = next((text for text in content.captions if marks.text_width(text, font(12)) <= room), "")
    marks.put_text(painter, left, area.top() + 42, caption, font(12), theme.ink3, Qt.AlignmentFlag.AlignLeft)
    fitting = (size for size in FORMULA_SIZES if marks.text_width(content.formula, formula_font(size)) <= room)
    size = next(fitting, None)
    if size is not None:
        marks.put_text(painter, left, area.top() + 63, content.formula, formula_font(size), theme.ink2, Qt.AlignmentFlag.AlignLeft)


def paint_readings(painter: QPainter, area: QRectF, theme: Theme, content: Content) -> None:
    """As many of the readings as fit, from the first on."""
    y = area.top()
    for number, reading in enumerate(content.readings):
        hero = content.hero and number == 0
        height = float(HERO if hero else ROW)
        if y + height > area.bottom():
            return
        if hero:
            paint_hero(painter, QRectF(area.left() + PADDING, y, area.width() - 2 * PADDING, height), theme, reading)
            height += GAP
        else:
            paint_reading(painter, QRectF(area.left() + PADDING - INSET, y, area.width() - 2 * (PADDING - INSET), height), theme, reading)
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(area.left() + PADDING, y + height - 0.5, area.right() - PADDING, y + height - 0.5))
        y += height


def paint_nothing(painter: QPainter, area: QRectF, theme: Theme, run: bool) -> None:
    """What to click while nothing is picked; ``run`` says whether any step has been made."""
    lines = NOTHING if run else (*NOTHING, NOT_RUN)
    card = QRectF(area.left() + PADDING, area.top() + PADDING, area.width() - 2 * PADDING, 22 + 20.0 * len(lines))
    pen = QPen(QColor(theme.strong_line), 1)
    pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(card, 8, 8)
    for number, line in enumerate(lines):
        used, ink = (font(13, 600), theme.ink1) if number == 0 else (font(12), theme.ink2)
        marks.put_text(painter, card.left() + 16, card.top() + 22 + 20 * number, line, used, ink, Qt.AlignmentFlag.AlignLeft)
