"""Milliseconds for one frame of the network canvas at 1600 × 416: new gradients in, picture out, many weights against few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import msgspec
import numpy as np

from gradviz.snapshot import Snapshot
from tests.benchmarks.result import Result, in_turn, rate
from tests.ui.fabricate import fabricate
from ui.application import make_application
from ui.canvas.scene import NetworkCanvas

ROUNDS = 5
SECONDS = 1.0  # of one turn


def run() -> Iterator[Result]:
    application = make_application()
    few = _frame(fabricate(16, 8, playing=True))
    many = _frame(_every_weight(fabricate(20, 64, playing=True)))
    pooled = _frame(fabricate(20, 64, playing=True))
    in_turn(1, few, many, pooled)  # the geometry is built once
    peer_value, many_value, pooled_value = in_turn(ROUNDS, few, many, pooled)
    yield Result("canvas frame, 80,000 edges drawn one by one", many_value, "ms", "16×8, 1,000 edges", peer_value)
    yield Result("canvas frame, 20×64 as it is shown, in blocks", pooled_value, "ms", "16×8, 1,000 edges", peer_value)
    application.processEvents()


def _frame(snapshot: Snapshot) -> Callable[[], float]:
    """A competitor: milliseconds per frame, each frame with other gradients than the one before."""
    canvas = NetworkCanvas()
    canvas.resize(1600, 416)
    moments = cycle([_scaled(snapshot, 1.0), _scaled(snapshot, 1.4)])

    def draw() -> None:
        canvas.show_snapshot(next(moments))
        canvas.grab()

    return lambda: 1000.0 / rate(draw, SECONDS)


def _every_weight(snapshot: Snapshot) -> Snapshot:
    """The same net with each weight as an edge of its own, which the engine would have pooled into blocks."""
    layers = tuple(
        msgspec.structs.replace(layer, edge_rows=layer.fan_in, edge_columns=layer.units, pooled=False)
        for layer in snapshot.architecture.layers
    )
    edges = sum(layer.fan_in * layer.units for layer in layers)
    values = 10.0 ** np.random.default_rng(1).uniform(-7.0, 0.0, edges)
    details = snapshot.details
    assert details is not None
    return msgspec.structs.replace(
        snapshot,
        architecture=msgspec.structs.replace(snapshot.architecture, layers=layers),
        details=msgspec.structs.replace(details, edge_gradients=values, edge_weights=values, edge_updates=values),
    )


def _scaled(snapshot: Snapshot, factor: float) -> Snapshot:
    details = snapshot.details
    assert details is not None
    changed = {"edge_gradients": details.edge_gradients * factor, "unit_deltas": details.unit_deltas * factor}
    return msgspec.structs.replace(snapshot, details=msgspec.structs.replace(details, **changed))
