"""Many numbers to points of a plot at once: one by one, that would take longer than drawing them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF

from gradviz.arrays import Floats

from .plots import Plot


def points_of(plot: Plot, xs: Floats, ys: Floats) -> list[QPointF]:
    """Where the pairs of (n,) numbers stand on the screen."""
    (left, right, bottom, top), box = plot.extent, plot.box
    across = box.left() + (np.asarray(xs, float) - left) / (right - left) * box.width()
    down = box.bottom() - (np.asarray(ys, float) - bottom) / (top - bottom) * box.height()
    return [QPointF(x, y) for x, y in zip(across.tolist(), down.tolist(), strict=True)]
