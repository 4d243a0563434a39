"""The card with the exact numbers of what is under the mouse: an edge, a block of edges, a unit or a layer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from gradviz.selected import Inspection
from gradviz.snapshot import Census, Details, LayerInfo, Snapshot

from ..colors import levels, palette
from ..numbers import full
from ..selection import Selection
from ..stages import cut_of, returned_of, size_of, words_of
from ..theme import Theme, font
from .layout import GATES, Layout
from .words import whose

PADDING, ROW, TITLE = 12.0, 17.0, 22.0
COLUMN_SPACE = 24.0
HEATMAP = 112.0
SHADOW = 3
WAITING = "…"  # asked for, and not here yet
LONGEST = "−8.888888888888888×10⁻⁸⁸"  # so that the card keeps its width while numbers run


@dataclass(frozen=True)
class Card:
    """A title, rows of label and value, and the weights of a block where the engine has sent them."""

    title: str
    rows: tuple[tuple[str, str], ...]
    block: Inspection | None = None


def card_of(layout: Layout, snapshot: Snapshot, target: Selection) -> Card:
    """What is known of the target in this snapshot."""
    info = layout.architecture.layers[target.layer - 1]
    if target.kind == "edge":
        return _edge_card(layout, snapshot, target, info)
    if target.kind == "unit":
        return _unit_card(layout, snapshot, target, info)
    return _layer_card(layout, snapshot, target.layer, info)


def _edge_card(layout: Layout, snapshot: Snapshot, target: Selection, info: LayerInfo) -> Card:
    details = snapshot.details
    sources, units = (
        _part(count, shown, at)
        for count, shown, at in ((info.fan_in, info.edge_rows, target.source), (info.units, info.edge_columns, target.unit))
    )
    single = sources[1] - sources[0] == 1 and units[1] - units[0] == 1
    source = (
        layout.architecture.input_names[sources[0]]
        if target.layer == 1 and single
        else _span(sources, "input" if target.layer == 1 else "unit")
    )
    title = f"{'Weight' if single else 'Weights'} into {info.name}, {source} → {_span(units, 'unit')}"
    if details is None:
        return Card(title, (("value", "not measured yet"),))
    at = layout.edge_slice(target.layer).start + target.source * info.edge_columns + target.unit
    gradient = float(details.edge_gradients[at])
    if layout.architecture.recurrent and target.layer < layout.depth:
        return Card(title, tuple(_shared_rows(snapshot, target.layer, info, gradient, at)))
    if not info.pooled:
        weight, update = float(details.edge_weights[at]), float(details.edge_updates[at])
        return Card(title, (("value", full(weight)), *_gradient_rows(snapshot, target.layer, "∂J/∂w", gradient), *_moved(snapshot, update)))
    if layout.architecture.recurrent:
        return Card(title, tuple(_gradient_rows(snapshot, target.layer, "typical |∂J/∂w|", gradient)))
    found = snapshot.inspection
    known = found if found is not None and (found.layer, found.rows, found.columns) == (target.layer, sources, units) else None
    if single and known is None:
        return Card(title, tuple(_gradient_rows(snapshot, target.layer, "|∂J/∂w|", gradient)))
    if single and known is not None:
        value, exact = known.weights.item(), known.gradients.item()
        return Card(title, (("value", full(value)), *_gradient_rows(snapshot, target.layer, "∂J/∂w", exact)))
    count = (sources[1] - sources[0]) * (units[1] - units[0])
    rows = [("weights", f"{count:,}"), *_gradient_rows(snapshot, target.layer, "typical |∂J/∂w|", gradient)]
    if _waits(snapshot, target.layer):
        return Card(title, tuple(rows))
    if known is None:  # the rows that the engine is asked for keep their places
        rows += [("smallest", WAITING), ("largest", WAITING), ("typical |weight|", WAITING)]
    else:
        sizes = np.abs(known.gradients)
        typical = math.sqrt(float(np.mean(np.square(known.weights))))
        rows += [("smallest", full(float(sizes.min()))), ("largest", full(float(sizes.max()))), ("typical |weight|", full(typical))]
    return Card(title, tuple(rows), known)


def _shared_rows(snapshot: Snapshot, layer: int, info: LayerInfo, gradient: float, at: int) -> list[tuple[str, str]]:
    """A weight of a recurrent cell: shared by all time steps, of which each adds its part to one gradient."""
    details, gates = snapshot.details, len(snapshot.architecture.gates)
    assert details is not None
    parts = f", over {gates} gates" if gates > 1 else ""
    label = f"adds to {'typical |∂J/∂w|' if info.pooled else '|∂J/∂w|' if gates > 1 else '∂J/∂w'}{parts}"
    rows = _gradient_rows(snapshot, layer, label, gradient)
    if gates == 1 and not info.pooled:
        rows = [("value", full(float(details.edge_weights[at]))), *rows, *_moved(snapshot, float(details.edge_updates[at]))]
    return [*rows, ("shared by", "all time steps")]


def _unit_card(layout: Layout, snapshot: Snapshot, target: Selection, info: LayerInfo) -> Card:
    details = snapshot.details
    title = f"{info.name}, unit {target.unit + 1} of {info.units}"
    state = snapshot.architecture.recurrent and target.layer < layout.depth
    derivative, bar = "∂J/∂hₜ" if state else "∂J/∂z", "|" if snapshot.example is not None else "‖"
    label = f"{bar}{derivative}{bar} {whose(snapshot)}"
    if details is None:
        return Card(title, ((label, "not measured yet"),))
    delta = float(details.unit_deltas[layout.unit_slice(target.layer).start + target.unit])
    rows = _gradient_rows(snapshot, target.layer, label, delta)
    if _waits(snapshot, target.layer):
        return Card(title, tuple(rows))
    if not info.pooled:
        gradients = details.edge_gradients[layout.edge_slice(target.layer)].reshape(info.edge_rows, info.edge_columns)[:, target.unit]
        rows.append(("most it adds to a |∂J/∂w|" if state else "largest |∂J/∂w| into it", full(float(np.abs(gradients).max()))))
    typical = details.gradient_rms if state else details.delta_rms
    rows.append((f"typical in the {words_of(snapshot.architecture).one if state else 'layer'}", full(float(typical[target.layer - 1]))))
    census, at = snapshot.census, layout.unit_slice(target.layer).start + target.unit
    if census is not None and at < len(census.dead) and (census.dead[at] or census.saturated[at]):
        silent = "dead" if census.dead[at] else "saturated"
        meaning = "its slope is 0" if census.dead[at] else "its slope is small"
        share = "all" if census.dead[at] else "nearly all"
        rows.append((silent, f"{meaning} on {share} {census.examples:,} training examples{_chosen(census)}"))
    return Card(title, tuple(rows))


def _layer_card(layout: Layout, snapshot: Snapshot, layer: int, info: LayerInfo) -> Card:
    details = snapshot.details
    title = f"{info.name}: {info.units} {'unit' if info.units == 1 else 'units'}, {info.activation.replace('_', ' ')}"
    size, returned = size_of(snapshot.architecture, layer), returned_of(snapshot.architecture, layer)
    if details is None:
        return Card(title, ((f"typical {size}", "not measured yet"),))
    at = layer - 1
    rows = _gradient_rows(snapshot, layer, f"typical {size}", float(details.gradient_rms[at]))
    waits = _waits(snapshot, layer)
    if not waits:
        bar = "|" if snapshot.example is not None else "‖"
        rows.append((f"typical {bar}{returned}{bar}", full(float(details.delta_rms[at]))))
    if snapshot.architecture.recurrent and layer < layout.depth:
        return Card(title, (*rows, *_time_rows(snapshot, details, layer)))
    if not waits:
        rows.append(("mean slope f′", full(float(details.mean_slopes[at]))))
        rows.append(("dead in this mini-batch", f"{100 * float(details.dead_fractions[at]):.0f} %"))
    census = snapshot.census
    if census is not None and layer < layout.depth:
        every = f"of {info.units}, on all {census.examples:,} examples{_chosen(census)}"
        rows += [("dead", f"{census.dead_counts[at]} {every}"), ("saturated", f"{census.saturated_counts[at]} {every}")]
    for number, (source, to) in enumerate(layout.architecture.skips):
        if to == layer and not waits:
            rows.append((f"over the skip from L{source}", full(float(details.skip_gradients[number]))))
    return Card(title, tuple(rows))


def _time_rows(snapshot: Snapshot, details: Details, layer: int) -> list[tuple[str, str]]:
    """What is known of a time step beside its gradient: gates where the signal has come, slopes and cell path where the gradient has."""
    moment, gates, waits = snapshot.moment, snapshot.architecture.gates, _waits(snapshot, layer)
    rows = []
    if len(gates) > 1 and details.gates is not None and (moment is None or moment.sent(layer)):
        rows += [(f"{name} gate open, mean", full(float(details.gates[layer - 1, gates.index(name)]))) for name in GATES]
    elif len(gates) == 1 and not waits:
        rows.append(("mean slope f′", full(float(details.mean_slopes[layer - 1]))))
        rows.append(("dead in this mini-batch", f"{100 * float(details.dead_fractions[layer - 1]):.0f} %"))
    for number, (source, to) in enumerate(snapshot.architecture.skips):
        if layer == source and not (snapshot.moment is not None and not snapshot.moment.reached(to)):
            rows.append((f"comes over the cell path from t{to}", full(float(details.skip_gradients[number]))))
    if layer < cut_of(snapshot.architecture, snapshot.spec.training.truncate):
        rows.append(("truncated", f"only the last {snapshot.spec.training.truncate:,} time steps get a gradient"))
    return rows


def _chosen(census: Census) -> str:
    """Where counting over all examples would take too long, that they are a sample."""
    return f", chosen evenly from {census.available:,}" if census.available > census.examples else ""


def _waits(snapshot: Snapshot, layer: int) -> bool:
    """Whether the gradient has yet to reach a layer in the step in work."""
    return not snapshot.knows(layer)


def _gradient_rows(snapshot: Snapshot, layer: int, label: str, value: float) -> list[tuple[str, str]]:
    """A gradient; where it has not been reached yet, that, and what it was in the step before.

    A single example has no step before: there another one stood in its place.
    """
    moment = snapshot.moment
    if snapshot.level not in (0, layer):
        return [(label, f"none: only L{snapshot.level} is trained now")]
    if moment is None or moment.reached(layer):
        return [(label, full(value))]
    rows = [(label, f"not reached yet in step {moment.step:,}")]
    return rows if moment.step == 1 or snapshot.example is not None else [*rows, (f"in step {moment.step - 1:,}", full(value))]


def _moved(snapshot: Snapshot, update: float) -> list[tuple[str, str]]:
    """How far the last update moved a weight; within a step that is the one before."""
    moment = snapshot.moment
    if moment is None or moment.whole:
        return [("moves this step by", full(update))]
    return [] if moment.step == 1 else [(f"moved in step {moment.step - 1:,} by", full(update))]


def _part(count: int, shown: int, at: int) -> tuple[int, int]:
    """(from, to) of the units behind the ``at``-th of ``shown`` nearly equal parts; the engine cuts them the same way."""
    return at * count // shown, (at + 1) * count // shown


def _span(part: tuple[int, int], word: str) -> str:
    first, last = part[0] + 1, part[1]
    return f"{word} {first}" if first == last else f"{word}s {first}–{last}"


def paint_card(painter: QPainter, card: Card, mouse: QPointF, area: QRectF, theme: Theme) -> None:
    """Draw the card beside the mouse and inside the area."""
    title_font, row_font = font(12, 600), font(12)
    titles, rows = QFontMetricsF(title_font), QFontMetricsF(row_font)
    labels = max(rows.horizontalAdvance(label) for label, _ in card.rows)
    values = max(rows.horizontalAdvance(value) for value in (LONGEST, *(value for _, value in card.rows)))
    width = max(titles.horizontalAdvance(card.title), labels + COLUMN_SPACE + values) + 2 * PADDING
    height = PADDING + TITLE + ROW * len(card.rows) + PADDING - 4
    if card.block is not None:
        height += HEATMAP + 10
    x = mouse.x() + 16 if mouse.x() + 16 + width <= area.right() - 8 else mouse.x() - 16 - width
    y = mouse.y() + 18 if mouse.y() + 18 + height <= area.bottom() - 8 else mouse.y() - 14 - height
    box = QRectF(max(area.left() + 8, x), min(max(area.top() + 4, y), area.bottom() - height - 4), width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    for spread in range(SHADOW, 0, -1):
        painter.setBrush(QColor(0, 0, 0, 26))
        painter.drawRoundedRect(box.adjusted(-spread, -spread + 2, spread, spread + 2), 8 + spread, 8 + spread)
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(box, 8, 8)
    inner = box.adjusted(PADDING, PADDING - 2, -PADDING, 0)
    painter.setFont(title_font)
    painter.setPen(QColor(theme.ink1))
    painter.drawText(QRectF(inner.left(), inner.top(), inner.width(), ROW), Qt.AlignmentFlag.AlignVCenter, card.title)
    painter.setFont(row_font)
    for number, (label, value) in enumerate(card.rows):
        line = QRectF(inner.left(), inner.top() + TITLE + number * ROW, inner.width(), ROW)
        painter.setPen(QColor(theme.ink2))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, label)
        painter.setPen(QColor(theme.nan if value in ("NaN", "∞", "−∞") else theme.ink1))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value)
    if card.block is not None:
        _paint_block(painter, card.block, QRectF(inner.left(), box.bottom() - PADDING - HEATMAP, inner.width(), HEATMAP), theme)


def _paint_block(painter: QPainter, block: Inspection, area: QRectF, theme: Theme) -> None:
    """The gradient of each weight of the block: a row per source, a column per unit."""
    pixels = np.ascontiguousarray(palette(theme)[levels(block.gradients)])
    rows, columns = pixels.shape
    image = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32).copy()
    cell = min(area.width() / columns, area.height() / rows)
    wide, high = (area.width(), area.height()) if cell < 1 else (cell * columns, cell * rows)
    box = QRectF(area.left(), area.top(), wide, high)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(box, image)
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box)
    beside = QRectF(box.right() + 12, area.top(), area.right() - box.right() - 12, area.height())
    if beside.width() >= 80:
        painter.setFont(font(11))
        painter.setPen(QColor(theme.ink3))
        text = "|∂J/∂w| of each weight\nrows: from\ncolumns: to"
        painter.drawText(beside, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, text)
    painter.restore()
