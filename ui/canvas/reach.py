"""How far signal and gradient have come in the step in work, and the levels of what is drawn.

What the gradient has not reached holds the numbers of the step before; a mask keeps them out of the picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradviz.snapshot import Snapshot

from ..colors import UNKNOWN, levels
from .layout import Layout

SENT = UNKNOWN + 1  # of units alone: the signal has passed, and no gradient has come back yet

Masks = NDArray[np.uint8]


class Levels(NamedTuple):
    """The levels of one snapshot, all layers one after the other."""

    edges: NDArray[np.uint8]
    units: NDArray[np.uint8]


def masks_of(snapshot: Snapshot, landing: int = 0) -> Masks | None:
    """(layers,) what stands for the gradient of each layer: `UNKNOWN`, `SENT`, or 0 for the gradient itself; None when all have one.

    ``landing`` is a layer that the signal is just on its way to.
    """
    moment = snapshot.moment
    masks = np.zeros(len(snapshot.architecture.layers), np.uint8)
    if snapshot.level:  # the others are not trained
        masks[:] = UNKNOWN
        masks[snapshot.level - 1] = 0
    if moment is None:
        return masks if snapshot.level else None
    for layer in (moment.level,) if moment.level else range(1, masks.size + 1):
        if not moment.reached(layer) or layer == landing:
            passed = moment.kind in ("forward", "loss") and moment.sent(layer) and layer != landing
            masks[layer - 1] = SENT if passed else UNKNOWN
    return masks if masks.any() else None


def levels_of(snapshot: Snapshot, layout: Layout, masks: Masks | None) -> Levels:
    """The levels of what is in sight; what is not stays unknown."""
    edges = np.full(int(layout.edge_starts[-1]), UNKNOWN, np.uint8)
    units = np.full(int(layout.unit_starts[-1]), UNKNOWN, np.uint8)
    details, visible = snapshot.details, layout.visible_layers()
    if details is not None:
        first, last = visible.start - 1, visible.stop - 1
        if layout.has_edges:
            seen = slice(int(layout.edge_starts[first]), int(layout.edge_starts[last]))
            edges[seen] = levels(details.edge_gradients[seen])
        seen = slice(int(layout.unit_starts[first]), int(layout.unit_starts[last]))
        units[seen] = levels(details.unit_deltas[seen])
        units[layout.unit_slice(layout.depth)] = levels(details.unit_deltas[layout.unit_slice(layout.depth)])
    if masks is not None:
        for layer in (np.flatnonzero(masks) + 1).tolist():
            edges[layout.edge_slice(layer)] = UNKNOWN
            units[layout.unit_slice(layer)] = masks[layer - 1]
    return Levels(edges, units)


def known_gradients(snapshot: Snapshot, landing: int = 0) -> list[float]:
    """The typical gradient of each layer that has one by now: the ticks of the legend."""
    details, masks = snapshot.details, masks_of(snapshot, landing)
    if details is None:
        return []
    return [float(value) for n, value in enumerate(details.gradient_rms) if masks is None or not masks[n]]
