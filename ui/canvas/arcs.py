"""The skips: arcs above the columns, each with its own gradient as colour and as number."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from gradviz.arrays import Floats

from ..colors import UNKNOWN, ZERO, edge_widths, is_hot, level
from ..numbers import short
from ..theme import Theme, font
from .edges import UNDERSTROKE, glow_color, line_pen
from .layout import ARC_HEIGHT, Layout
from .reach import Masks


def arc_path(layout: Layout, source: int, target: int) -> QPainterPath:
    x0, x1 = layout.columns.x(source), layout.columns.x(target)
    rise = min(ARC_HEIGHT, (x1 - x0) * 0.75)
    arc = QPainterPath(QPointF(x0, layout.arc_foot))
    arc.cubicTo(QPointF(x0, layout.arc_foot - rise), QPointF(x1, layout.arc_foot - rise), QPointF(x1, layout.arc_foot))
    return arc


def paint_arcs(
    painter: QPainter, layout: Layout, gradients: Floats | None, masks: Masks | None, path: frozenset[int], theme: Theme
) -> None:
    """The skips: each with its own gradient (skips,), as colour and as number, and ⊕ where it is added; without one, dotted.

    ``path``: the layers to which the strongest path takes the skip.
    """
    if not layout.has_arcs:
        return
    visible = layout.visible_layers()
    seen = [(n, *skip) for n, skip in enumerate(layout.architecture.skips) if skip[1] >= visible.start and skip[0] < visible.stop]
    values = [
        None if gradients is None or (masks is not None and masks[target - 1]) else float(gradients[number]) for number, _, target in seen
    ]
    arcs = [arc_path(layout, source, target) for _, source, target in seen]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for arc, value in zip(arcs, values, strict=True):
        _paint_arc(painter, arc, UNKNOWN if value is None else level(value), theme)
    painter.setPen(QPen(QColor(theme.ink1), 1.3))
    for (_, _, target), arc in zip(seen, arcs, strict=True):
        if target in path:
            painter.drawPath(arc)
    sums = {target for _, _, target in seen}
    for (_, source, _), arc, value in zip(seen, arcs, values, strict=True):
        start, end = arc.pointAtPercent(0), arc.pointAtPercent(1)
        if end.x() - start.x() >= 24:
            _paint_ends(painter, None if source in sums else start, end, theme)
        if value is not None:
            _paint_pill(painter, arc.pointAtPercent(0.5), short(value), end.x() - start.x(), theme)


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
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
