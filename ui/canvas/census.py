"""Units that do not learn on any example of the training set: a badge on each, and their number under each column."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gradviz.snapshot import Census

from ..theme import Theme, font
from .layout import Layout
from .marks import text_at

BADGE = 4.6  # radius
SMALLEST_UNIT = 5.0  # radius of a unit that has room for a badge
COUNTS_FROM = 34.0  # pitch


def paint_census(painter: QPainter, layout: Layout, census: Census, theme: Theme, counted: bool = True) -> None:
    """A cross on what is dead, a flat line on what is saturated; strips have a tick beside each such row.

    ``counted`` False leaves the numbers under the columns out, where something else stands.
    """
    if len(census.dead) != int(layout.unit_starts[-1]):
        return  # counted of the network before
    for layer in layout.visible_layers():
        own = layout.unit_slice(layer)
        dead, saturated = census.dead[own], census.saturated[own]
        if not (dead.any() or saturated.any()):
            continue
        if layout.is_strip(layer):
            _paint_ticks(painter, layout, layer, np.flatnonzero(dead | saturated), theme)
        elif layout.radius >= SMALLEST_UNIT:
            for unit in np.flatnonzero(dead | saturated).tolist():
                _paint_badge(painter, layout.unit_point(layer, unit), layout.radius, bool(dead[unit]), theme)
        if counted:
            _paint_count(painter, layout, layer, int(census.dead_counts[layer - 1]), int(census.saturated_counts[layer - 1]), theme)


def _paint_badge(painter: QPainter, centre: QPointF, radius: float, dead: bool, theme: Theme) -> None:
    at = centre + QPointF(radius * 0.74, radius * 0.74)
    painter.setPen(QPen(QColor(theme.ink2), 1))
    painter.setBrush(QColor(theme.canvas))
    painter.drawEllipse(at, BADGE, BADGE)
    painter.setPen(QPen(QColor(theme.ink1), 1.3))
    x, y, reach = at.x(), at.y(), BADGE * 0.45
    if dead:
        painter.drawLines([QLineF(x - reach, y - reach, x + reach, y + reach), QLineF(x - reach, y + reach, x + reach, y - reach)])
    else:
        painter.drawLine(QLineF(x - reach * 1.3, y, x + reach * 1.3, y))


def _paint_ticks(painter: QPainter, layout: Layout, layer: int, units: np.ndarray, theme: Theme) -> None:
    strip = layout.strip(layer)
    step = strip.height() / layout.units(layer)
    painter.setPen(QPen(QColor(theme.ink2), max(1.0, min(2.0, step * 0.6))))
    x = strip.right() + 2.5
    painter.drawLines([QLineF(x, y, x + 3.5, y) for y in (strip.top() + (units + 0.5) * step).tolist()])


def _paint_count(painter: QPainter, layout: Layout, layer: int, dead: int, saturated: int, theme: Theme) -> None:
    if layout.pitch < COUNTS_FROM:
        return
    painter.setFont(font(11))
    painter.setPen(QColor(theme.ink2))
    metrics = QFontMetricsF(painter.font())
    parts = [f"{dead} dead"] * bool(dead) + [f"{saturated} sat."] * bool(saturated)
    lines = [", ".join(parts)]
    if metrics.horizontalAdvance(lines[0]) > layout.pitch - 4:
        lines = parts
    y = layout.marks_y + (14.0 if layout.marks or layout.has_strips else 0.0) - 6.0 * (len(lines) - 1)
    if y + 12.0 * (len(lines) - 1) + metrics.height() / 2 > layout.height:
        return  # a low picture has no room for them
    for number, line in enumerate(lines):
        if metrics.horizontalAdvance(line) <= layout.pitch - 2:
            text_at(painter, QPointF(layout.columns.x(layer), y + 12.0 * number), line)


def badge_rect(layout: Layout, layer: int, unit: int) -> QRectF:
    """Where the badge of a unit is."""
    at = layout.unit_point(layer, unit) + QPointF(layout.radius * 0.74, layout.radius * 0.74)
    return QRectF(at.x() - BADGE, at.y() - BADGE, 2 * BADGE, 2 * BADGE)
