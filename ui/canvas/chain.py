"""The chain rule in the network: the weight it is about, its strongest path to the loss, and which part of the net each factor spans."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gradviz.selected import ChainRule

from ..selection import Selection
from ..theme import Theme, formula_font
from .layout import Layout
from .loss import loss_lines
from .marks import text_at
from .picked import between_rings, mark_end, paint_picked_edge
from .stage import Span

TICK = 6.0
SPACE = 8.0  # between two labels


def paint_path(painter: QPainter, layout: Layout, chain: ChainRule, theme: Theme) -> None:
    """The strongest path from the weight to the loss, as a thin line over the edges and under the units; its skips are `skips_on`."""
    if not layout.has_edges:
        return
    lines = [_line(layout, rung.layer, rung.source, rung.unit) for rung in chain.rungs if rung.kind == "weight"]
    ends = loss_lines(layout)
    lines.append(ends[min(chain.output, len(ends) - 1)])
    for ink, width in ((theme.canvas, 4.0), (theme.ink1, 1.3)):
        pen = QPen(QColor(ink), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLines(lines)


def skips_on(chain: ChainRule | None) -> frozenset[int]:
    """The layers to which the strongest path takes a skip."""
    return frozenset(rung.layer for rung in chain.rungs if rung.kind == "skip") if chain is not None else frozenset()


def paint_weight(painter: QPainter, layout: Layout, chain: ChainRule, theme: Theme) -> None:
    """The weight in the colour of ∂z/∂w, the unit it leads to in that of ∂ŷ/∂z, the output in that of ∂J/∂ŷ."""
    if layout.has_edges:
        line = _line(layout, chain.layer, chain.row, chain.column)
        paint_picked_edge(painter, between_rings(layout, line, chain.layer), theme.blue, theme)
    mark_end(painter, layout, chain.layer - 1, chain.row, layout.units(chain.layer - 1), theme.blue, theme)
    if chain.layer != layout.depth:
        mark_end(painter, layout, chain.layer, chain.column, layout.units(chain.layer), theme.red, theme)
    mark_end(painter, layout, layout.depth, chain.output, layout.units(layout.depth), theme.purple, theme)


def paint_brackets(painter: QPainter, layout: Layout, chain: ChainRule, theme: Theme) -> list[Span]:
    """Under the columns, which part each factor spans; returns where there is no room for anything else in that row."""
    last = layout.columns.x(layout.depth)
    source = layout.input_x if chain.layer == 1 else layout.columns.x(chain.layer - 1)
    target = layout.columns.x(chain.layer)
    half = min(9.0, layout.pitch * 0.2) if chain.layer == layout.depth else 0.0  # ∂ŷ/∂z of an output's own sum: within its column
    gap = min(3.0, layout.pitch * 0.12)
    spans = [
        ("∂z/∂w", theme.blue, source, target - half - gap),
        ("∂ŷ/∂z", theme.red, target - half + gap * (half == 0), last + half - gap * (half == 0)),
        ("∂J/∂ŷ", theme.purple, last + half + gap, layout.loss_point.x()),
    ]
    spans = [(label, ink, float(round(x0)), float(round(x1))) for label, ink, x0, x1 in spans]
    width = layout.columns.width
    seen = [(label, ink, max(6.0, x0), min(width - 6.0, x1), x0, x1) for label, ink, x0, x1 in spans if x1 > 14 and x0 < width - 14]
    y = round(layout.bracket_y)  # on whole pixels, or thin lines would blur
    for _, ink, x0, x1, true_x0, true_x1 in seen:
        pen = QPen(QColor(ink), 2.0)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QLineF(x0, y, x1, y))
        painter.drawLines([QLineF(x, y + 1.0, x, y - TICK) for x in {x0, x1} & {true_x0, true_x1}])
    painter.setFont(formula_font(15))
    metrics = QFontMetricsF(painter.font())
    widths = [metrics.horizontalAdvance(label) for label, *_ in seen]
    middles = _apart([(x0 + x1) / 2 for _, _, x0, x1, _, _ in seen], widths, width)
    for (label, ink, *_), middle in zip(seen, middles, strict=True):
        painter.setPen(QColor(ink))
        text_at(painter, QPointF(middle, layout.label_y), label)
    taken = [(x0, x1) for _, _, x0, x1, _, _ in seen]
    return [*taken, *((middle - wide / 2, middle + wide / 2) for middle, wide in zip(middles, widths, strict=True))]


def _apart(middles: list[float], widths: list[float], width: float) -> list[float]:
    """The middles of labels, in their order, moved as little as keeps them apart and inside."""
    placed: list[float] = []
    for n, middle in enumerate(middles):
        least = placed[-1] + (widths[n - 1] + widths[n]) / 2 + SPACE if placed else widths[n] / 2 + SPACE
        placed.append(max(middle, least))
    most = width - SPACE
    for n in reversed(range(len(placed))):
        placed[n] = min(placed[n], most - widths[n] / 2)
        most = placed[n] - widths[n] / 2 - SPACE
    return placed


def is_of(selection: Selection, layout: Layout, chain: ChainRule) -> bool:
    """Whether the selected edge is the chain's weight, or the block it is part of."""
    if selection.kind != "edge" or selection.layer != chain.layer:
        return False
    info = layout.architecture.layers[chain.layer - 1]
    pairs = ((selection.source, info.edge_rows, info.fan_in, chain.row), (selection.unit, info.edge_columns, info.units, chain.column))
    return all(at * count // shown <= index < (at + 1) * count // shown for at, shown, count, index in pairs)


def _line(layout: Layout, layer: int, source: int, unit: int) -> QLineF:
    """A weight from its unit to its unit, also where the edges shown are blocks."""
    gap = layout.gap(layer)
    return QLineF(gap.x0, float(layout.rows(layer - 1)[source]), gap.x1, float(layout.rows(layer)[unit]))
