"""The timeline's heatmap as an image: layers from top to bottom, steps from left to right, one palette look-up per pixel.

A row of the history stands for the steps since the row before. Where several rows or layers fall on one pixel, the largest
magnitude is shown, and what is not finite counts as larger than anything.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath

from gradviz.history_table import HistoryTable

from .. import colors
from ..theme import Theme, blend

UNMEASURED = 0.28  # opacity of the ground where nothing is measured
FADED = 0.9  # how much is left of what lies ahead of the moment one has gone back to
MOST_STRIPED = 400  # runs of stripes that are drawn; further ones keep the plain colour
NARROWEST_STRIPED = 6.0  # pixels: a single step that is not finite must not be overlooked


def heatmap_levels(
    history: HistoryTable, last_step: float, width: int, height: int, measured: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """(rows, columns) levels of the whole history, in pixels of an area ``width`` × ``height`` that ends at ``last_step``.

    Fewer columns than ``width`` where the run is not that far, and one row per layer as long as they fit into ``height``.
    ``measured`` (rows, layers) says where there is a number at all.
    """
    steps, sizes = history.steps, history.gradient_rms
    if len(steps) == 0 or width < 1 or height < 1:
        return np.zeros((0, 0), np.uint8)
    columns = min(width, max(1, round(int(steps[-1]) / last_step * width)))
    starts = np.searchsorted(steps, np.arange(columns) * (last_step / width), side="right")
    known = np.ones(sizes.shape, bool) if measured is None else measured
    sizes = np.maximum.reduceat(np.where(known, sizes, 0.0), np.minimum(starts, len(steps) - 1), axis=0)
    known = np.logical_or.reduceat(known, np.minimum(starts, len(steps) - 1), axis=0)
    layers = sizes.shape[1]
    if layers > height:
        groups = np.arange(height) * layers // height
        sizes, known = np.maximum.reduceat(sizes, groups, axis=1), np.logical_or.reduceat(known, groups, axis=1)
    return np.ascontiguousarray(np.where(known, colors.levels(sizes), np.uint8(colors.UNKNOWN)).T)


class Heatmap:
    """The heatmap of one history in one area; made once, drawn as often as wanted."""

    def __init__(
        self,
        history: HistoryTable,
        last_step: float,
        area: QRectF,
        theme: Theme,
        scale: float,
        measured: NDArray[np.bool_] | None = None,
    ) -> None:
        """``area`` ends at ``last_step`` and has ``scale`` device pixels per logical one."""
        self._area, self._theme = area, theme
        self._width = max(1, round(area.width() * scale))
        self._levels = heatmap_levels(history, last_step, self._width, max(1, round(area.height() * scale)), measured)
        self._image = heatmap_image(self._levels, _with_ground(colors.palette(theme), theme))
        self._stripes = striped_path(self._levels, area, self._width)

    @cached_property
    def _faded(self) -> QImage:
        return heatmap_image(self._levels, _with_ground(faded_palette(self._theme), self._theme))

    def paint(self, painter: QPainter, until: float) -> None:
        """Draw it; what lies to the right of x = ``until`` in greys."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        columns, rows = self._image.width(), self._image.height()
        pixel = self._area.width() / self._width
        cut = min(columns, max(0, round((until - self._area.left()) / pixel)))
        for start, end, faded in ((0, cut, False), (cut, columns, True)):
            if start < end:
                place = QRectF(self._area.left() + start * pixel, self._area.top(), (end - start) * pixel, self._area.height())
                painter.drawImage(place, self._faded if faded else self._image, QRectF(start, 0, end - start, rows))
        if not self._stripes.isEmpty():
            colors.paint_hatch(painter, self._stripes, self._theme)


def _with_ground(palette: NDArray[np.uint32], theme: Theme) -> NDArray[np.uint32]:
    """The palette with a quiet tone for what is not measured: as large an area in the ink of outlines would outshine the numbers."""
    quiet = palette.copy()
    quiet[colors.UNKNOWN] = blend(theme.outline, theme.canvas, UNMEASURED).rgb()
    return quiet


def heatmap_image(levels: NDArray[np.uint8], palette: NDArray[np.uint32]) -> QImage:
    """The levels (rows, columns) as an opaque image of one pixel each."""
    rows, columns = levels.shape
    pixels = np.ascontiguousarray(palette[levels])
    return QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32).copy()


def faded_palette(theme: Theme) -> NDArray[np.uint32]:
    """The palette in the greys of the chrome, nearer to the canvas: a colour merely dimmed would read as a smaller gradient."""
    colored = colors.palette(theme)
    luma = 0.299 * _channel(colored, 16) + 0.587 * _channel(colored, 8) + 0.114 * _channel(colored, 0)
    ground, ink = (QColor(name).rgb() for name in (theme.canvas, theme.ink3))
    share = FADED * np.abs(luma - luma[0]) / np.ptp(luma[: colors.LEVELS])
    faded = np.full(len(colored), 0xFF000000, np.uint32)
    for shift in (16, 8, 0):
        low, high = ((color >> shift) & 0xFF for color in (ground, ink))
        faded |= np.clip(np.rint(low + share * (high - low)), 0, 255).astype(np.uint32) << np.uint32(shift)
    for level in (colors.ZERO, colors.NONFINITE):  # marks, not magnitudes
        faded[level] = colored[level]
    return faded


def _channel(palette: NDArray[np.uint32], shift: int) -> NDArray[np.float64]:
    return ((palette >> np.uint32(shift)) & np.uint32(0xFF)).astype(np.float64)


def striped_path(levels: NDArray[np.uint8], area: QRectF, full_width: int) -> QPainterPath:
    """The cells that are not finite, as a path over ``area``, whose width stands for ``full_width`` pixels of the levels."""
    path = QPainterPath()
    bad = levels == colors.NONFINITE
    if not bad.any():
        return path
    rows, columns = bad.shape
    padded: NDArray[Any] = np.zeros((rows, columns + 2), np.int8)
    padded[:, 1:-1] = bad
    edges = np.diff(padded, axis=1)
    row, start = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    across, down = area.width() / full_width, area.height() / rows
    boxes: dict[tuple[int, int], list[list[int]]] = {}  # runs of the same columns in rows that touch become one box
    for r, a, b in zip(row.tolist()[:MOST_STRIPED], start.tolist(), end.tolist(), strict=False):
        stack = boxes.setdefault((a, b), [])
        if stack and stack[-1][1] == r:
            stack[-1][1] = r + 1
        else:
            stack.append([r, r + 1])
    for (a, b), stack in boxes.items():
        left = area.left() + a * across
        width = min(max((b - a) * across, NARROWEST_STRIPED), area.right() - left)
        for top, bottom in stack:
            path.addRect(QRectF(left, area.top() + top * down, width, (bottom - top) * down))
    return path
