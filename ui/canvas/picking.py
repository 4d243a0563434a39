"""What is picked in the network, by whom, and what there is to pick under the mouse."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Signal

from gradviz.snapshot import Snapshot

from ..selection import Selection
from .columns import Columns
from .view import NetworkView


class PickingView(NetworkView):
    """A picture of the network out of which a layer, a unit or a weight can be picked."""

    selection_changed = Signal(object)  # Selection or None, by the user
    columns_changed = Signal(object)  # Columns, after zoom, scroll, resize or another architecture

    def set_columns(self, columns: Columns) -> None:
        """Zoom and scroll to these columns."""
        if columns != self.columns:
            self.columns = columns
            self._layout = None
            self.columns_changed.emit(columns)
            self.update()

    def select(self, selection: Selection | None) -> None:
        """Show this as picked, without a signal; what the network does not have clears the selection."""
        if selection is not None and (self.snapshot is None or not exists(selection, self.snapshot)):
            selection = None
        if selection != self.selection:
            self.selection = selection
            self.update()

    def _pick(self, selection: Selection | None) -> None:
        if selection != self.selection:
            self.select(selection)
            self.selection_changed.emit(self.selection)

    def select_weakest(self) -> None:
        """Pick the weight into the first layer with the smallest gradient that is not exactly zero."""
        if self.snapshot is None or self.snapshot.details is None:
            return
        info = self.snapshot.architecture.layers[0]
        sizes = np.abs(self.snapshot.details.edge_gradients[: info.edge_rows * info.edge_columns])
        usable = np.where((sizes > 0) & np.isfinite(sizes), sizes, np.inf)
        weakest = int(np.argmin(usable))
        if np.isfinite(usable[weakest]):
            source, unit = divmod(weakest, info.edge_columns)
            self._pick(Selection("edge", 1, unit, source))
            self._reveal(1)

    def _reveal(self, layer: int) -> None:
        """Scroll as little as brings the layer into sight."""
        x, margin = self.columns.x(layer), min(100.0, self.columns.width / 4)
        if x < margin:
            self.set_columns(self.columns.scrolled(x - margin))
        elif x > self.columns.width - margin:
            self.set_columns(self.columns.scrolled(x - self.columns.width + margin))

    def _target_at(self, point: QPointF) -> Selection | None:
        """What lies under the mouse: a unit before an edge, an edge before a column."""
        snapshot = self.snapshot
        if snapshot is None:
            return None
        layout = self._current_layout()
        unit = layout.unit_at(point)
        if unit is not None:
            return Selection("unit", *unit)
        details = snapshot.details
        edge = layout.edge_at(point, None if details is None else details.edge_gradients != 0)
        if edge is not None:
            return Selection("edge", edge[0], edge[2], edge[1])
        layer = layout.layer_at(point)
        return None if layer is None else Selection("layer", layer)

    def _move_unit(self, by: int) -> None:
        if self.snapshot is None:
            return
        picked = self.selection or Selection("layer", 1)
        architecture = self.snapshot.architecture
        units = architecture.layers[picked.layer - 1].units if picked.layer else architecture.inputs
        first = 0 if by > 0 else units - 1
        unit = first if picked.kind == "layer" else min(units - 1, max(0, picked.unit + by))
        self._pick(Selection("unit", picked.layer, unit))
        self._reveal(picked.layer)

    def _move_layer(self, by: int) -> None:
        if self.snapshot is None:
            return
        layers = self.snapshot.architecture.layers
        picked = self.selection
        if picked is None:
            self._pick(Selection("layer", 1 if by > 0 else len(layers)))
        else:
            layer = min(len(layers), max(1, picked.layer + by))
            kind = "unit" if picked.kind == "unit" else "layer"
            self._pick(Selection(kind, layer, min(picked.unit, layers[layer - 1].units - 1) if kind == "unit" else 0))
        assert self.selection is not None
        self._reveal(self.selection.layer)


def exists(selection: Selection, snapshot: Snapshot) -> bool:
    layers = snapshot.architecture.layers
    if selection.kind == "unit" and selection.layer == 0:
        return 0 <= selection.unit < snapshot.architecture.inputs
    if not 1 <= selection.layer <= len(layers):
        return False
    info = layers[selection.layer - 1]
    if selection.kind == "edge":
        return 0 <= selection.source < info.edge_rows and 0 <= selection.unit < info.edge_columns
    return selection.kind == "layer" or 0 <= selection.unit < info.units
