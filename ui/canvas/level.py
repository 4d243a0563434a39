"""A layer that is trained by itself: it and the column that it reads in one frame, with the ways of encoder and decoder."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from gradviz.snapshot import Snapshot

from ..theme import Theme, font
from . import stage
from .layout import Layout
from .marks import text_at

MARGIN = 16.0
BOW = 9.0  # how far the decoder's way hangs under its ends
TIP = 4.0


def titles_of(snapshot: Snapshot) -> tuple[str, ...]:
    """What the frame is about, longest first."""
    level, levels = snapshot.level, len(snapshot.architecture.layers) - 1
    return (f"Level {level} of {levels}, without labels", f"Level {level} of {levels}")


def frame_of(layout: Layout, level: int) -> QRectF:
    """Around the columns of the level and of what it reads."""
    left = layout.input_x if level == 1 else layout.columns.x(level - 1)
    right = layout.columns.x(level)
    beside = min(layout.pitch * 0.42, layout.strip_width / 2 + 12 if layout.is_strip(level) else layout.radius + 12)
    counts = 20.0 * (layout.has_strips and layout.has_edges and not layout.marks)  # the numbers of units under strips
    bottom = max(layout.frame_bottom, layout.body_bottom + counts)
    # the names of inputs stay outside
    start = left - (layout.input_size / 2 + 4 if level == 1 and not layout.is_strip(0) else beside)
    return QRectF(start, layout.names_y - 13, right + beside - start, bottom - layout.names_y + 13)


def paint_level(painter: QPainter, layout: Layout, snapshot: Snapshot, theme: Theme) -> None:
    """The frame, the words above it, and under it the way back: the decoder tells the column before again."""
    level, frame = snapshot.level, frame_of(layout, snapshot.level)
    corner = min(9.0, frame.width() / 2)
    painter.setPen(QPen(QColor(theme.ink1), 2.0 if layout.has_edges else 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(frame, corner, corner)
    if layout.has_caption:
        _paint_caption(painter, layout, snapshot, frame, theme)
    if layout.has_foot:
        _paint_decoder(painter, layout, level, frame, theme)


def _paint_caption(painter: QPainter, layout: Layout, snapshot: Snapshot, frame: QRectF, theme: Theme) -> None:
    moment = snapshot.moment
    painter.setFont(font(12, 600))
    metrics, right = QFontMetricsF(painter.font()), layout.columns.width - MARGIN
    titles = titles_of(snapshot)
    texts = titles if moment is None else (f"{titles[-1]}. {stage.caption(snapshot, moment)}", stage.caption(snapshot, moment))
    text = next((text for text in texts if metrics.horizontalAdvance(text) <= right - MARGIN), texts[-1])
    wide = metrics.horizontalAdvance(text)
    x = max(MARGIN, min(frame.center().x() - wide / 2, right - wide))
    painter.setPen(QColor(theme.ink1))
    text_at(painter, QPointF(x, layout.caption_y), text, Qt.AlignmentFlag.AlignLeft)


def _paint_decoder(painter: QPainter, layout: Layout, level: int, frame: QRectF, theme: Theme) -> None:
    """An arrow that bows under the frame, from the level back to what it reads; under the row of marks, where there is one."""
    left = layout.input_x if level == 1 else layout.columns.x(level - 1)
    top = max(frame.bottom() + 1, layout.marks_y + 8 if layout.marks else 0.0)
    start, end = QPointF(layout.columns.x(level), top), QPointF(left, top)
    way = QPainterPath(start)
    drop = QPointF(0, BOW * 4 / 3)
    way.cubicTo(start + drop, end + drop, end + QPointF(0, TIP))
    painter.setPen(QPen(QColor(theme.ink1), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(way)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink1))
    painter.drawPolygon(QPolygonF([end, end + QPointF(-TIP, 7), end + QPointF(TIP, 7)]))
    painter.setFont(font(12))
    painter.setPen(QColor(theme.ink2))
    below = "the input" if level == 1 else f"L{level - 1}"
    text = f"decoder: tells {below} again"
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text)
    x = max(MARGIN, min(frame.center().x() - wide / 2, layout.columns.width - MARGIN - wide))
    text_at(painter, QPointF(x, top + BOW + 11), text, Qt.AlignmentFlag.AlignLeft)
