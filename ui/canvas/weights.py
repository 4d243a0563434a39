"""The weights of the best individual, in grey, where no gradient lends an edge its colour: solid above 0, dashed below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gradviz.snapshot import Snapshot

from ..colors import ZERO
from ..legend import legend_size
from ..theme import Theme, blend, font
from .layout import Layout
from .marks import text_at

SHADES = 6  # steps of grey, by |w|
FAINTEST, STRONGEST = 0.22, 0.85
THINNEST, THICKEST = 0.7, 2.0
DASH = (5.0, 4.0)
MOST = 2500  # edges that are drawn one by one
KEY = ("grey: weights of the best net, dashed below 0", "grey: its weights", "")


def shows_weights(snapshot: Snapshot) -> bool:
    """Whether edges without a gradient show their weights: those of the genetic algorithm, which needs none."""
    return snapshot.spec.training.method == "evolution" and snapshot.details is not None


def paint_weights(painter: QPainter, layout: Layout, snapshot: Snapshot, levels: NDArray[np.uint8], theme: Theme) -> None:
    """Draw the visible edges of level `ZERO`, with their key; ``levels`` (edges of all layers,)."""
    details, visible = snapshot.details, layout.visible_layers()
    if details is None or not layout.has_edges:
        return
    seen = slice(int(layout.edge_starts[visible.start - 1]), int(layout.edge_starts[visible.stop - 1]))
    shown = (levels == ZERO) & np.isfinite(details.edge_weights) & (details.edge_weights != 0)
    if not 0 < shown[seen].sum() <= MOST:
        return
    weights = np.where(shown, details.edge_weights, 0.0)
    shades = np.minimum((np.abs(weights) / np.abs(weights).max() * SHADES).astype(int), SHADES - 1)
    lines: dict[tuple[int, bool], list[QLineF]] = {}
    for gap in layout.gaps():
        own, columns = layout.edge_slice(gap.layer), len(gap.y1)
        for edge in np.flatnonzero(shown[own]).tolist():
            place = own.start + edge
            line = QLineF(gap.x0, float(gap.y0[edge // columns]), gap.x1, float(gap.y1[edge % columns]))
            lines.setdefault((int(shades[place]), bool(weights[place] < 0)), []).append(line)
    for (shade, negative), drawn in sorted(lines.items()):
        share = shade / (SHADES - 1)
        width = THINNEST + share * (THICKEST - THINNEST)
        pen = QPen(blend(theme.ink2, theme.canvas, FAINTEST + share * (STRONGEST - FAINTEST)), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if negative:
            pen.setDashPattern([length / width for length in DASH])
        painter.setPen(pen)
        painter.drawLines(drawn)
    paint_key(painter, layout, theme)


def paint_key(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """What the grey lines are, under the phases of a step; inside a step, and over skips, others need the place."""
    if layout.caption or layout.architecture.skips:
        return
    painter.setFont(font(11))
    painter.setPen(QColor(theme.ink3))
    metrics = QFontMetricsF(painter.font())
    room = layout.columns.width - legend_size().width() - 44.0
    words = next(text for text in KEY if metrics.horizontalAdvance(text) <= max(0.0, room))
    text_at(painter, QPointF(16.0, layout.top + 4.0), words, Qt.AlignmentFlag.AlignLeft)
