"""Marks that several panels share: the heading of a strip, a card of exact numbers, ticks, arrowheads and swatches.

Everything is drawn with true lines, so that it looks the same on the screen, in an SVG and in a PDF.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from .. import colors
from ..theme import Theme, font

NOTHING_YET = "Press Play or Step"
RIGHT_ALIGNED = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT_ALIGNED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
CENTRED = Qt.AlignmentFlag.AlignCenter


def text_width(text: str, used: QFont) -> float:
    """How many logical pixels the text takes."""
    return QFontMetricsF(used).horizontalAdvance(text)


def put_text(
    painter: QPainter, x: float, y: float, text: str, used: QFont, ink: str, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignHCenter
) -> None:
    """One line of text, its middle at height ``y``; ``x`` is its left end, middle or right end, as ``align`` says."""
    room = 2000.0  # never the limit: text is measured by whoever places it
    left = {Qt.AlignmentFlag.AlignLeft: x, Qt.AlignmentFlag.AlignRight: x - room}.get(align, x - room / 2)
    painter.setFont(used)
    painter.setPen(QColor(ink))
    painter.drawText(QRectF(left, y - 12, room, 24), align | Qt.AlignmentFlag.AlignVCenter, text)


def paint_heading(painter: QPainter, area: QRectF, theme: Theme, title: str, captions: tuple[str, ...]) -> None:
    """The title of a strip at the left and, at the right, the longest of the captions that fits beside it."""
    used, small = font(13, 600), font(12)
    put_text(painter, area.left() + 16, area.top() + 18, title, used, theme.ink1, Qt.AlignmentFlag.AlignLeft)
    room = area.width() - 32 - 24 - text_width(title, used)
    for caption in captions:
        if text_width(caption, small) <= room:
            put_text(painter, area.right() - 16, area.top() + 18, caption, small, theme.ink3, Qt.AlignmentFlag.AlignRight)
            return


def paint_card(painter: QPainter, theme: Theme, bounds: QRectF, at: QPointF, title: str, rows: list[tuple[str, str]]) -> None:
    """A raised card beside the point ``at``, kept inside ``bounds``: a title and rows of (label, exact value)."""
    bold, small, strong = font(12, 600), font(12), font(12, 500)
    labels = max((text_width(label, small) for label, _ in rows), default=0.0)
    values = max((text_width(value, strong) for _, value in rows), default=0.0)
    gap = 16.0 if values else 0.0
    width = max(text_width(title, bold), labels + gap + values) + 24
    height = 28.0 + 17 * len(rows) + (6 if rows else 0)
    left = at.x() + 14 if at.x() + 14 + width <= bounds.right() - 4 else at.x() - 14 - width
    left = max(bounds.left() + 4, min(left, bounds.right() - 4 - width))
    top = max(bounds.top() + 4, min(at.y() - height / 2, bounds.bottom() - 4 - height))
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(QRectF(left, top, width, height), 8, 8)
    put_text(painter, left + 12, top + 15, title, bold, theme.ink1, Qt.AlignmentFlag.AlignLeft)
    for number, (label, value) in enumerate(rows):
        y = top + 36 + 17 * number
        put_text(painter, left + 12, y, label, small, theme.ink2, Qt.AlignmentFlag.AlignLeft)
        put_text(painter, left + width - 12, y, value, strong, theme.ink1, Qt.AlignmentFlag.AlignRight)


def paint_arrowhead(painter: QPainter, x: float, y: float, width: float, height: float, fill: QColor, edge: QColor | None = None) -> None:
    """A triangle with its base's middle at (x, y), pointing up for a positive ``height`` and down for a negative one."""
    painter.setPen(QPen(edge, 1) if edge is not None else QPen(Qt.PenStyle.NoPen))
    painter.setBrush(fill)
    painter.drawPolygon(QPolygonF([QPointF(x - width / 2, y), QPointF(x + width / 2, y), QPointF(x, y - height)]))


def paint_swatch(painter: QPainter, box: QRectF, level: int, theme: Theme) -> None:
    """The colour of a level as a small square; stripes for what is not finite, a ring with a slash for exactly 0."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ring = box.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(QPen(QColor(theme.outline), 1))
    if level == colors.ZERO:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        reach = ring.width() / 2 * math.sqrt(0.5)
        painter.drawLine(QLineF(ring.center() + QPointF(-reach, reach), ring.center() + QPointF(reach, -reach)))
    elif level == colors.NONFINITE:
        colors.paint_hatch(painter, box, theme)
        painter.setPen(QPen(QColor(theme.nan), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(ring, 2, 2)
    else:
        if level == colors.UNKNOWN:
            painter.setPen(QPen(QColor(theme.outline), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        else:
            painter.setBrush(colors.color(level, theme))
        painter.drawRoundedRect(ring, 3, 3)
    painter.restore()


def nice_step(size: float, intervals: float) -> float:
    """The smallest of 1, 2, 5 × a power of ten that divides ``size`` into at most ``intervals`` parts."""
    raw = size / max(1.0, intervals)
    scale = 10.0 ** math.floor(math.log10(raw))
    return next((factor * scale for factor in (1.0, 2.0, 5.0) if factor * scale >= raw * (1 - 1e-9)), 10.0 * scale)


def spread(wanted: list[float], distance: float, low: float, high: float) -> list[float]:
    """Heights as near as possible to the wanted ones, at least ``distance`` apart and between ``low`` and ``high``."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [0.0] * len(wanted)
    lowest = low
    for index in order:
        placed[index] = max(lowest, wanted[index])
        lowest = placed[index] + distance
    highest = high
    for index in reversed(order):
        placed[index] = min(highest, placed[index])
        highest = placed[index] - distance
    return placed
