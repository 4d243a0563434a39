"""The timeline's heatmap as an image: layers from top to bottom, steps from left to right, one palette look-up per pixel.

A row of the history stands for the steps since the row before. Where several rows or layers fall on one pixel, the largest
magnitude is shown, and what is not finite counts as larger than anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainterPath

from gradviz.snapshot import HistoryTable

from .. import colors
from ..theme import Theme

MOST_STRIPED = 400  # runs of stripes that are drawn; further ones keep the plain colour
NARROWEST_STRIPED = 6.0  # pixels: a single step that is not finite must not be overlooked


def heatmap_levels(history: HistoryTable, last_step: float, width: int, height: int) -> NDArray[np.uint8]:
    """(rows, columns) levels of the whole history, in pixels of an area ``width`` × ``height`` that ends at ``last_step``.

    Fewer columns than ``width`` where the run is not that far, and one row per layer as long as they fit into ``height``.
    """
    steps, sizes = history.steps, history.gradient_rms
    if len(steps) == 0 or width < 1 or height < 1:
        return np.zeros((0, 0), np.uint8)
    columns = min(width, max(1, round(int(steps[-1]) / last_step * width)))
    starts = np.searchsorted(steps, np.arange(columns) * (last_step / width), side="right")
    sizes = np.maximum.reduceat(sizes, np.minimum(starts, len(steps) - 1), axis=0)
    layers = sizes.shape[1]
    if layers > height:
        sizes = np.maximum.reduceat(sizes, np.arange(height) * layers // height, axis=1)
    return np.ascontiguousarray(colors.levels(sizes).T)


def heatmap_image(levels: NDArray[np.uint8], theme: Theme) -> QImage:
    """The levels (rows, columns) as an opaque image of one pixel each."""
    rows, columns = levels.shape
    pixels = np.ascontiguousarray(colors.palette(theme)[levels])
    return QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32).copy()


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
