"""Edges at the speed of pixels: the geometry is worked out once, a frame only looks colours up.

For every pixel near an edge the index keeps the nearest few edges and their distances. A frame turns the edges' gradients
into levels, looks level and distance up in one table, and keeps the strongest: antialiased, of the right width, strongest
on top, at a cost that depends on the pixels and not on the edges. Stills and exports draw true lines instead.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPainterPath, QPen

from ..colors import LEVELS, NONFINITE, UNKNOWN, ZERO, color, edge_widths, is_hot
from ..theme import Theme, blend
from .layout import Gap, Layout

NEAREST = 3  # edges kept per pixel
LOOKED_AT = 6  # edges above and below from which they are picked
STEPS = 40  # steps of distance in the table …
PER_PIXEL = 8  # … so many to a logical pixel
FARTHEST = (STEPS - 2) / PER_PIXEL
UNDERSTROKE = 5.0  # a hot edge glows this much wider
PIXELS_AT_MOST = 1_600_000  # of one frame; a larger picture is worked out coarser while it plays, rather than slowly
LINES_AT_MOST = 20_000  # more edges than this are not drawn as lines on the screen
DASHES = {NONFINITE: (3.0, 5.0), UNKNOWN: (1.0, 4.0)}
TEMPLATE_BYTES = 16_000_000  # of gaps that are remembered; one may take a megabyte, and each size of the window has its own

Indices = NDArray[np.intp]


class _Template(NamedTuple):
    """The pixels of one gap, counted from its left end and the picture's top; gaps of equal shape share one."""

    y: NDArray[np.int32]  # (pixels,)
    x: NDArray[np.int32]
    edge: NDArray[np.int32]  # (NEAREST, pixels) row-major number of the edge within the gap
    distance: NDArray[np.uint8]  # (NEAREST, pixels) in table steps
    along: NDArray[np.float32]  # (NEAREST, pixels) logical pixels along the edge, for dashes

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(array.nbytes for array in self)


class EdgeIndex:
    """Which edges are near which pixel of one layout, at ``scale`` device pixels per logical one."""

    def __init__(self, layout: Layout, scale: float) -> None:
        self._top = int(layout.body_top - 8)
        area = max(1.0, layout.columns.width * (layout.body_bottom + 8 - self._top))
        scale = min(scale, max(1.0, (PIXELS_AT_MOST / area) ** 0.5))
        self.layout, self.scale = layout, scale
        width = max(1, round(layout.columns.width * scale))
        height = max(1, round((layout.body_bottom + 8 - self._top) * scale))
        self._buffer = np.zeros((height, width), np.uint32)
        factors = {layout.width_factor(layer) for layer in range(1, layout.depth + 1)}
        self._factors = tuple(sorted(factors))
        self._collect(width, height)

    def _collect(self, width: int, height: int) -> None:
        pixels, edges, codes, along = [], [], [], []
        for gap in self.layout.gaps():
            left, right = round(gap.x0 * self.scale), round(gap.x1 * self.scale)
            if right <= 0 or left >= width or right <= left:
                continue
            ends = tuple(tuple(np.round((ys - self._top) * self.scale, 3).tolist()) for ys in (gap.y0, gap.y1))
            template = _remembered(ends[0], ends[1], right - left, height, self.scale)
            x = template.x + np.intp(left)
            inside = slice(None) if left >= 0 and right <= width else np.flatnonzero((x >= 0) & (x < width))
            group = self._factors.index(self.layout.width_factor(gap.layer))
            pixels.append((template.y * np.intp(width) + x)[inside])
            edges.append(template.edge[:, inside] + self.layout.edge_starts[gap.layer - 1].astype(np.intp))
            codes.append(template.distance[:, inside] + np.intp(group * (UNKNOWN + 1) * STEPS))
            along.append(template.along[:, inside])
        if not pixels:
            none = np.empty((NEAREST, 0), np.intp)
            pixels, edges, codes, along = [none[0]], [none], [none], [none.astype(np.float32)]
        self._pixels, self._edges, self._codes = np.concatenate(pixels), np.concatenate(edges, axis=1), np.concatenate(codes, axis=1)
        self._along = np.concatenate(along, axis=1)
        self._work = np.empty(self._pixels.size, np.intp)

    def paint(self, painter: QPainter, levels: NDArray[np.uint8], theme: Theme) -> None:
        """Draw all visible edges with these levels (edges of all layers,)."""
        ranks, colours = _table(theme, self.scale, self._factors)
        offsets = levels.astype(np.intp) * STEPS
        dashed = levels >= NONFINITE if bool((levels >= NONFINITE).any()) else None
        strongest: NDArray[np.uint16] | None = None
        for nearest in range(NEAREST if self._pixels.size else 0):
            edges = self._edges[nearest]
            np.take(offsets, edges, out=self._work, mode="clip")
            self._work += self._codes[nearest]
            if dashed is not None:
                for level, (dash, space) in DASHES.items():
                    gaps = (levels[edges] == level) & (self._along[nearest] % (dash + space) >= dash)
                    self._work[gaps] = ZERO * STEPS
            found = ranks.take(self._work, mode="clip")
            strongest = found if strongest is None else np.maximum(strongest, found, out=strongest)
        if strongest is None:
            return
        self._buffer.ravel()[self._pixels] = colours.take(strongest, mode="clip")
        height, width = self._buffer.shape
        image = QImage(self._buffer.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(self.scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QPointF(0.0, self._top), image)


_templates: OrderedDict[tuple[Any, ...], _Template] = OrderedDict()


def _remembered(*gap: Any) -> _Template:
    """The template of a gap; as many as there is room for are kept, those that were used last."""
    template = _templates.pop(gap, None) or _template(*gap)
    _templates[gap] = template
    room = TEMPLATE_BYTES - sum(kept.size for kept in _templates.values())
    while room < 0 and len(_templates) > 1:
        room += _templates.popitem(last=False)[1].size
    return template


def _template(starts: tuple[float, ...], ends: tuple[float, ...], width: int, height: int, scale: float) -> _Template:
    """Work out one gap; everything in device pixels."""
    y0 = np.repeat(np.array(starts), len(ends))
    y1 = np.tile(np.array(ends), len(starts))
    lengths = np.hypot(y1 - y0, width)
    cosines = width / lengths
    window = np.arange(-LOOKED_AT // 2, LOOKED_AT - LOOKED_AT // 2)
    first, last = max(0, int(min(y0.min(), y1.min()) - 5 * scale)), min(height, int(max(y0.max(), y1.max()) + 5 * scale) + 1)
    rows = np.arange(first, last)
    parts = []
    for x in range(width):
        share = (x + 0.5) / width
        heights = y0 + (y1 - y0) * share
        order = np.argsort(heights)
        found = np.searchsorted(heights, rows + 0.5, sorter=order)
        near = order[np.clip(found[:, None] + window, 0, order.size - 1)]
        across = np.abs(rows[:, None] + 0.5 - heights[near]) * cosines[near] / scale
        best = np.argsort(across, axis=1)[:, :NEAREST]
        if best.shape[1] < NEAREST:
            best = np.pad(best, ((0, 0), (0, NEAREST - best.shape[1])), mode="edge")
        across = np.take_along_axis(across, best, 1)
        near = np.take_along_axis(near, best, 1)
        kept = across[:, 0] <= FARTHEST
        parts.append((rows[kept], np.full(int(kept.sum()), x), near[kept], across[kept], lengths[near[kept]] * share / scale))
    y, columns, near, across, along = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    by_row = np.lexsort((columns, y))  # rows of the picture follow each other in memory
    y, columns, near, across, along = (values[by_row] for values in (y, columns, near, across, along))
    far = across > FARTHEST  # too far for any width: the nearest stands in, so that every place holds a true edge
    near, across, along = (np.where(far, values[:, :1], values) for values in (near, across, along))
    steps = np.rint(across * PER_PIXEL).astype(np.intp)
    kinds = (np.int32, np.uint8, np.float32)
    return _Template(
        y.astype(np.int32),
        columns.astype(np.int32),
        *(np.ascontiguousarray(values.T, kind) for values, kind in zip((near, steps, along), kinds, strict=True)),
    )


@functools.lru_cache(maxsize=16)
def _table(theme: Theme, scale: float, factors: tuple[float, ...]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """For every width factor, level and distance: its rank among all of them, and by rank the premultiplied colour.

    The strongest edge at a pixel is then the largest rank, one uint16 per edge and pixel.
    """
    level = np.arange(UNKNOWN + 1)
    widths = edge_widths() * np.array(factors)[:, None]
    widths[:, NONFINITE:] = 1.0
    distance = np.arange(STEPS) / PER_PIXEL
    core = np.clip((widths[..., None] / 2 - distance) * scale + 0.5, 0.0, np.minimum(1.0, widths * scale)[..., None])
    core[:, ZERO] = 0.0
    hot = np.array([is_hot(int(one)) for one in level])
    glow = np.clip(((widths[..., None] + UNDERSTROKE) / 2 - distance) * scale + 0.5, 0.0, 1.0) * hot[:, None]
    strength = np.where(level < LEVELS, level + 40.0, 60.0)[:, None]
    score = core * strength + glow * 8.0
    paint = np.array([_rgb(line_color(int(one), theme)) for one in level])
    under = np.array(_rgb(glow_color(theme)))
    alpha = core + glow * (1 - core)
    premultiplied = paint[:, None] * core[..., None] + under * (glow * (1 - core))[..., None]
    parts = np.rint(np.concatenate((alpha[..., None] * 255, premultiplied), axis=-1)).astype(np.uint32).reshape(-1, 4)
    colours = parts[:, 0] << 24 | parts[:, 1] << 16 | parts[:, 2] << 8 | parts[:, 3]
    order = np.argsort(score.ravel(), kind="stable")
    ranks = np.empty(order.size, np.uint16)
    ranks[order] = np.arange(order.size)
    return ranks, colours[order]


def _rgb(colour: QColor) -> tuple[float, float, float]:
    return float(colour.red()), float(colour.green()), float(colour.blue())


def line_color(level: int, theme: Theme) -> QColor:
    """The colour of an edge: what is not finite at half strength, what is not known in the chrome's grey."""
    if level == NONFINITE:
        return blend(theme.nan, theme.canvas, 0.5)
    return QColor(theme.strong_line) if level == UNKNOWN else color(level, theme)


def glow_color(theme: Theme) -> QColor:
    """The under-stroke of a hot edge, blended beforehand: translucent pens are many times slower."""
    return blend(theme.halo, theme.canvas, 0.26 if theme.name == "dark" else 0.16)


def line_pen(level: int, width: float, theme: Theme) -> QPen:
    pen = QPen(line_color(level, theme), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if level in DASHES:
        pen.setDashPattern([length / width for length in DASHES[level]])
    return pen


def paint_lines(painter: QPainter, layout: Layout, levels: NDArray[np.uint8], theme: Theme) -> None:
    """Draw all visible edges as true lines, the glow first and the strongest last; ``levels`` (edges of all layers,)."""
    drawn: dict[tuple[int, float], list[Any]] = {}
    for gap in layout.gaps():
        factor = layout.width_factor(gap.layer)
        own = levels[layout.edge_slice(gap.layer)]
        order = np.argsort(own, kind="stable")
        for level, edges in zip(*_runs(own, order), strict=True):
            if level != ZERO:
                drawn.setdefault((int(level), factor), []).extend(_lines(gap, edges))
    # palette order is strength; what is not known or not finite has no strength and lies beneath
    ordered = sorted(drawn, key=lambda key: key[0] if key[0] < LEVELS else -1)
    widths = edge_widths()
    for level, factor in ordered:
        if is_hot(level):
            pen = line_pen(level, float(widths[level]) * factor + UNDERSTROKE, theme)
            pen.setColor(glow_color(theme))
            _draw(painter, pen, drawn[level, factor])
    for level, factor in ordered:
        width = float(widths[level]) * (factor if level < LEVELS else 1.0)
        _draw(painter, line_pen(level, width, theme), drawn[level, factor])


def _runs(own: NDArray[np.uint8], order: Indices) -> tuple[NDArray[np.uint8], list[Indices]]:
    found, starts = np.unique(own[order], return_index=True)
    return found, np.split(order, starts[1:])


def _lines(gap: Gap, edges: Indices) -> list[QLineF]:
    columns = len(gap.y1)
    return [
        QLineF(gap.x0, start, gap.x1, end)
        for start, end in zip(gap.y0[edges // columns].tolist(), gap.y1[edges % columns].tolist(), strict=True)
    ]


def is_vector(painter: QPainter) -> bool:
    """Whether the painter writes a vector file."""
    return painter.paintEngine().type() in (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf)


def _draw(painter: QPainter, pen: QPen, lines: list[QLineF]) -> None:
    painter.setPen(pen)
    if not is_vector(painter):
        painter.drawLines(lines)
        return
    path = QPainterPath()  # one path per level keeps a vector file small
    for line in lines:
        path.moveTo(line.p1())
        path.lineTo(line.p2())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
