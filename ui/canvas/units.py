"""Units and strips: circles with their marks, and one picture of all tall layers, a row of pixels per unit."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPixmap, QRadialGradient

from ..colors import HATCH_PERIOD, NONFINITE, UNKNOWN, ZERO, color, is_hot, levels, paint_hatch, palette
from ..theme import Theme
from .edges import glow_color, is_vector
from .layout import GAPS_FROM, Array, Layout
from .reach import SENT, Masks

OUTLINE = 1.25
HALO = 2.3  # radius of the halo in radii of the unit
CORNER = 4.0
RECTANGLES_AT_MOST = 20_000  # in a vector file; beyond, strips are a picture there too


def paint_unit(painter: QPainter, centre: QPointF, radius: float, level: int, theme: Theme) -> None:
    """One unit with the mark of its state; the halo of a hot one is `paint_halo`."""
    painter.setPen(QPen(QColor(theme.outline), min(OUTLINE, radius * 0.3)))
    painter.setBrush(QColor(theme.canvas) if level in (ZERO, UNKNOWN, SENT) else color(level, theme))
    if level == NONFINITE:
        shape = QPainterPath()
        shape.addEllipse(centre, radius, radius)
        paint_hatch(painter, shape, theme)
        painter.setPen(QPen(QColor(theme.nan), min(OUTLINE, radius * 0.3)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
    elif level == UNKNOWN:
        painter.setPen(dashed(theme))
    elif level == ZERO:
        painter.setPen(QPen(QColor(theme.ink3), min(OUTLINE, radius * 0.3)))
    painter.drawEllipse(centre, radius, radius)
    if level == SENT and radius > 4.0:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ink3))
        painter.drawEllipse(centre, radius * 0.3, radius * 0.3)
    if level == ZERO:
        reach = radius * math.sqrt(0.5)
        painter.drawLine(QLineF(centre.x() - reach, centre.y() + reach, centre.x() + reach, centre.y() - reach))


def dashed(theme: Theme) -> QPen:
    """The outline of what is not known yet."""
    pen = QPen(QColor(theme.outline), 1.0)
    pen.setDashPattern([2.5, 2.5])
    return pen


def paint_halo(painter: QPainter, centre: QPointF, radius: float, theme: Theme) -> None:
    """The glow around a unit above 10^0.5."""
    far = radius * HALO
    gradient = QRadialGradient(centre, far)
    near, none = QColor(theme.halo), QColor(theme.halo)
    near.setAlphaF(0.55 if theme.name == "dark" else 0.35)
    none.setAlphaF(0.0)
    gradient.setColorAt(0.3, near)
    gradient.setColorAt(1.0, none)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawEllipse(centre, far, far)


@functools.lru_cache(maxsize=1024)
def _sprite(level: int | None, radius: float, theme: Theme, scale: float) -> QPixmap:
    """A unit (or, without a level, the halo) painted once: a deep net shows a thousand of them."""
    half = math.ceil(radius * (HALO if level is None else 1.0) + 2)
    pixmap = QPixmap(round(2 * half * scale), round(2 * half * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if level is None:
        paint_halo(painter, QPointF(half, half), radius, theme)
    else:
        paint_unit(painter, QPointF(half, half), radius, level, theme)
    painter.end()
    return pixmap


def paint_units(painter: QPainter, layout: Layout, unit_levels: NDArray[np.uint8], theme: Theme, scale: float | None) -> None:
    """All circles in sight; ``unit_levels`` (units of all layers,). With ``scale`` from painted-once pictures, else true shapes."""
    placed = [
        (QPointF(layout.columns.x(layer), y), int(level))
        for layer in layout.visible_layers()
        if not layout.is_strip(layer)
        for y, level in zip(layout.rows(layer).tolist(), unit_levels[layout.unit_slice(layer)].tolist(), strict=True)
    ]
    radius = layout.radius
    for centre, level in placed:
        if is_hot(level):
            if scale is None:
                paint_halo(painter, centre, radius, theme)
            else:
                _put(painter, centre, _sprite(None, radius, theme, scale), scale)
    for centre, level in placed:
        if scale is None:
            paint_unit(painter, centre, radius, level, theme)
        else:
            _put(painter, centre, _sprite(level, radius, theme, scale), scale)


def _put(painter: QPainter, centre: QPointF, sprite: QPixmap, scale: float) -> None:
    half = sprite.width() / scale / 2
    # on whole device pixels, or the sprite would be blurred
    x, y = (round((value - half) * scale) / scale for value in (centre.x(), centre.y()))
    painter.drawPixmap(QPointF(x, y), sprite)


class StripIndex:
    """Which unit each pixel of the strips shows, at ``scale`` device pixels per logical one."""

    def __init__(self, layout: Layout, scale: float) -> None:
        self.layout, self.scale = layout, scale
        self._left, self._top = max(0, int(layout.columns.x(1) - 12)), int(layout.body_top) - 1
        right = min(layout.columns.width, layout.columns.x(layout.depth) + 12)
        width = max(0, math.ceil((right - self._left) * scale))
        height = max(1, math.ceil((layout.body_bottom + 1 - self._top) * scale))
        self._strips = [layer for layer in layout.visible_layers() if layout.is_strip(layer)]
        starts, pixels, shown = [], [], []
        count = 0
        for layer in layout.visible_layers():
            units, begin = layout.units(layer), int(layout.unit_starts[layer - 1])
            rows = units
            if layout.is_strip(layer):
                outline = layout.strip(layer)
                rows = min(units, max(1, int(outline.height() * scale)))
                place, row = self._pixels(outline, rows, width, height)
                pixels.append(place)
                shown.append(row + count)
            starts.append(begin + np.arange(rows) * units // rows)
            count += rows
        self._starts = np.concatenate(starts)
        visible = layout.visible_layers()
        self._seen = slice(int(layout.unit_starts[visible.start - 1]), int(layout.unit_starts[visible.stop - 1]))
        self._starts -= self._seen.start
        empty = np.empty(0, np.intp)
        self._pixels_at, self._shown = np.concatenate(pixels or [empty]), np.concatenate(shown or [empty])
        self._buffer = np.zeros((height, width), np.uint32)
        stripe = HATCH_PERIOD * scale
        x, y = self._pixels_at % max(1, width), self._pixels_at // max(1, width)
        self._hatched = (x + y) % stripe < stripe / 2
        self._outlines = [layout.strip(layer) for layer in self._strips] if layout.pitch >= 5 else []

    def _pixels(self, outline: QRectF, rows: int, width: int, height: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(pixels inside the rounded outline, the row each shows)."""
        scale = self.scale
        left, top = (outline.left() - self._left) * scale, (outline.top() - self._top) * scale
        wide, high = outline.width() * scale, outline.height() * scale
        x = np.arange(max(0, round(left)), min(width, max(round(left) + 1, round(left + wide))))
        y = np.arange(max(0, round(top)), min(height, round(top + high)))
        corner = min(CORNER * scale, wide / 2) if self.layout.pitch >= GAPS_FROM else 0.0
        across = np.abs(x + 0.5 - left - wide / 2) - (wide / 2 - corner)
        down = np.abs(y + 0.5 - top - high / 2) - (high / 2 - corner)
        inside = np.hypot(np.maximum(across, 0), np.maximum(down, 0)[:, None]) <= max(corner, 0.75)
        shown = np.clip(((y + 0.5 - top) / high * rows).astype(np.intp), 0, rows - 1)
        return (y[:, None] * width + x)[inside], np.broadcast_to(shown[:, None], inside.shape)[inside]

    def paint(self, painter: QPainter, deltas: Array | None, masks: Masks | None, theme: Theme) -> None:
        """Draw all strips; ``deltas`` (units of all layers,) or None while nothing is known, ``masks`` (layers,) of `reach`.

        Where a layer has more units than the strip has pixels, a row shows the strongest of its units.
        """
        if not self._strips:
            return
        if deltas is None:
            strongest = np.full(self._starts.size, UNKNOWN, np.uint8)
        else:
            with np.errstate(invalid="ignore"):
                strongest = levels(np.maximum.reduceat(np.abs(deltas[self._seen]), self._starts))
        if masks is not None:
            for layer, rows in self._rows(strongest):
                if masks[layer - 1]:
                    rows[:] = masks[layer - 1]
        self._glow(painter, strongest, theme)
        if is_vector(painter) and self._starts.size <= RECTANGLES_AT_MOST:
            self._paint_rectangles(painter, strongest, theme)
        else:
            self._paint_picture(painter, strongest, theme)
        self._paint_outlines(painter, strongest, theme)

    def _paint_outlines(self, painter: QPainter, strongest: NDArray[np.uint8], theme: Theme) -> None:
        corner = min(CORNER, self.layout.strip_width / 2)
        known, unknown = QPen(QColor(theme.outline), 1.0), dashed(theme)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # one by one: a single path of them all takes ten times as long
        for outline, (_, rows) in zip(self._outlines, self._rows(strongest), strict=False):
            painter.setPen(unknown if rows[0] == UNKNOWN else known)
            painter.drawRoundedRect(outline, corner, corner)

    def _glow(self, painter: QPainter, strongest: NDArray[np.uint8], theme: Theme) -> None:
        if self.layout.pitch < 5 or not any(is_hot(level) for level in np.unique(strongest).tolist()):
            return
        painter.setPen(QPen(glow_color(theme), 6.0))
        for layer, rows in self._rows(strongest):
            if any(is_hot(level) for level in np.unique(rows).tolist()):
                painter.drawRoundedRect(self.layout.strip(layer), CORNER, CORNER)

    def _rows(self, strongest: NDArray[np.uint8]) -> list[tuple[int, NDArray[np.uint8]]]:
        ends = np.searchsorted(self._starts, self.layout.unit_starts - self._seen.start).tolist()
        return [(layer, strongest[ends[layer - 1] : ends[layer]]) for layer in self._strips]

    def _paint_picture(self, painter: QPainter, strongest: NDArray[np.uint8], theme: Theme) -> None:
        colours = _strip_palette(theme)[strongest][self._shown]
        if (strongest == NONFINITE).any():
            gaps = (strongest == NONFINITE)[self._shown] & ~self._hatched
            colours[gaps] = QColor(theme.nan_ground).rgb()
        self._buffer.ravel()[self._pixels_at] = colours
        height, width = self._buffer.shape
        image = QImage(self._buffer.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(self.scale)
        painter.drawImage(QPointF(self._left, self._top), image)

    def _paint_rectangles(self, painter: QPainter, strongest: NDArray[np.uint8], theme: Theme) -> None:
        for layer, rows in self._rows(strongest):
            outline = self.layout.strip(layer)
            step = outline.height() / len(rows)
            bounds = np.flatnonzero(np.diff(rows.astype(int), prepend=-1, append=-1))
            for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
                run = QRectF(outline.left(), outline.top() + first * step, outline.width(), (last - first) * step)
                if rows[first] == NONFINITE:
                    paint_hatch(painter, run, theme)
                else:
                    painter.fillRect(run, QColor.fromRgb(int(_strip_palette(theme)[rows[first]])))


@functools.cache
def _strip_palette(theme: Theme) -> NDArray[np.uint32]:
    """The palette, and what fills a strip without a gradient: nothing, or once the signal has passed, a grey."""
    table = np.append(palette(theme), np.uint32(QColor(theme.hover).rgb()))
    table[UNKNOWN] = QColor(theme.canvas).rgb()
    return table
