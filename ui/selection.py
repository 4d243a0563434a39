"""What the user has picked in the network; panels share it as plain data, never through each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """A layer, a unit or an edge (one weight, or a pooled block of weights).

    Layers count from 1 (0 is the input column). ``unit`` is the index of a unit in that layer; for an edge ``source``
    is the row and ``unit`` the column of its weight as shown (`Details.edge_gradients`), so that a pooled block is
    selected as one edge.
    """

    kind: str  # "layer", "unit" or "edge"
    layer: int
    unit: int = 0
    source: int = 0
