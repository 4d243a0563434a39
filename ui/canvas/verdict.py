"""The verdict on the layers it is about: a bracket under their names, and its sign and word where there is room."""

from __future__ import annotations

import itertools

from PySide6.QtGui import QPainter

from gradviz.snapshot import Snapshot

from ..theme import Theme
from ..verdict_signs import DROP, SIGN, label_width, paint_bracket, paint_label, runs, verdict_on_layers
from .layout import Layout
from .marks import NamePlace

APART = 6.0  # between a label and the names beside it
ABOVE = 15.0  # from the names to a label over them
ROOM_ABOVE = 24.0


def paint_verdict(painter: QPainter, layout: Layout, snapshot: Snapshot, names: list[NamePlace], theme: Theme) -> None:
    """Nothing where no verdict is about single layers."""
    verdict = verdict_on_layers(snapshot)
    if verdict is None:
        return
    places = runs(verdict.layers)
    half = min(15.0, 0.42 * layout.pitch)
    for first, last in places:
        paint_bracket(painter, theme, layout.columns.x(first) - half, layout.columns.x(last) + half, layout.names_y + DROP)
    first, last = max(places, key=lambda run: run[1] - run[0])
    spot = _label_spot(layout, names, layout.columns.x(first), layout.columns.x(last), label_width(verdict.kind))
    if spot is not None:
        paint_label(painter, theme, verdict.kind, *spot)


def _label_spot(layout: Layout, names: list[NamePlace], start: float, end: float, wide: float) -> tuple[float, float] | None:
    """Left end and height of the label: over the names it is about, else between two of them, else to the left of them all."""
    width = layout.columns.width
    if not layout.has_arcs and not layout.has_caption and not layout.has_headline and layout.names_y - layout.top >= ROOM_ABOVE:
        return min(max(8.0, (start + end - wide) / 2), width - wide - 8.0), layout.names_y - ABOVE
    edges = sorted((place.x - place.half, place.x + place.half) for place in names)
    gaps = [(left[1] + APART, right[0] - APART) for left, right in itertools.pairwise(edges)]
    inside = [(left, right) for left, right in gaps if right - left >= wide and left >= start - SIGN and right <= end + SIGN]
    if inside:
        left, right = min(inside, key=lambda gap: abs((gap[0] + gap[1]) - (start + end)))
        return (left + right - wide) / 2, layout.names_y
    if edges and edges[0][0] - APART - wide >= 8.0:
        return edges[0][0] - APART - wide, layout.names_y
    return None
