"""One picture of the network: first what is measured, then what is said about it."""

from __future__ import annotations

from PySide6.QtGui import QPainter

from gradviz.selected import ChainRule
from gradviz.snapshot import Snapshot

from ..theme import Theme
from . import chain, level, stage
from .arcs import paint_arcs
from .census import paint_census
from .layout import Layout
from .loss import paint_loss, paint_output_map
from .marks import name_places, paint_clip_marks, paint_invitation, paint_static
from .reach import Levels, Masks
from .road import paint_road
from .units import StripIndex, paint_units
from .unrolled import paint_cut, paint_directions, paint_gates, paint_inputs
from .verdict import paint_verdict


def paint_standing(painter: QPainter, layout: Layout, theme: Theme, selected_layer: int | None, in_work: int | None) -> None:
    """All that does not change from step to step."""
    paint_static(painter, layout, theme, selected_layer, in_work)
    if layout.architecture.recurrent:
        paint_inputs(painter, layout, theme)


def paint_measured(
    painter: QPainter,
    layout: Layout,
    snapshot: Snapshot,
    found: Levels,
    masks: Masks | None,
    strips: StripIndex,
    link: ChainRule | None,
    theme: Theme,
    scale: float | None,
    lit: bool = True,
) -> None:
    """All that lies over the edges and wears the colour of a gradient.

    With ``scale`` units come from painted-once pictures; ``link`` is the chain rule whose path is shown; ``lit`` False keeps a
    loss dark that the signal is only on its way to.
    """
    details, moment = snapshot.details, snapshot.moment
    known = not snapshot.level and (details is not None if moment is None else moment.lost and lit)
    paint_loss(painter, layout, snapshot, found.units[layout.unit_slice(layout.depth)], known, theme)
    if link is not None:
        chain.paint_path(painter, layout, link, theme)
    strips.paint(painter, None if details is None else details.unit_deltas, masks, theme)
    paint_units(painter, layout, found.units, theme, scale)
    paint_arcs(painter, layout, None if details is None else details.skip_gradients, masks, chain.skips_on(link), theme)
    paint_output_map(painter, layout, snapshot.prediction, theme)
    if layout.architecture.recurrent:
        paint_road(painter, layout, details, masks, theme)
        paint_gates(painter, layout, snapshot, theme)


def paint_said(
    painter: QPainter, layout: Layout, snapshot: Snapshot, link: ChainRule | None, theme: Theme, selected_layer: int | None
) -> None:
    """What is in work, what waits, what clipping did, what the factors of the chain rule span, and which layers the verdict is about."""
    moment, column = snapshot.moment, stage.column_in_work(snapshot)
    bold = [layer for layer in (column or snapshot.level or None, selected_layer) if layer is not None]
    paint_verdict(painter, layout, snapshot, name_places(layout, bold), theme)
    if layout.architecture.recurrent:
        paint_cut(painter, layout, snapshot, theme)
        if moment is None and layout.has_headline:
            paint_directions(painter, layout, snapshot, theme)
    if snapshot.level:
        level.paint_level(painter, layout, snapshot, theme)
    elif column is not None:
        stage.paint_frame(painter, layout, column, theme)
    if snapshot.clipped and (moment is None or moment.measured):
        paint_clip_marks(painter, layout, theme)
    if moment is not None and layout.has_caption and not snapshot.level:
        stage.paint_caption(painter, layout, snapshot, theme)
    taken = chain.paint_brackets(painter, layout, link, theme) if link is not None and layout.has_foot else []
    if moment is not None and layout.has_foot and not snapshot.level:
        stage.paint_waiting(painter, layout, moment, taken, theme)
    if moment is None and snapshot.census is not None and not snapshot.level:
        paint_census(painter, layout, snapshot.census, theme, counted=not taken)
    if moment is None and snapshot.details is None:
        paint_invitation(painter, layout, theme)
