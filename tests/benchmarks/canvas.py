"""Milliseconds for one frame of the network canvas at 1600 × 416: new gradients in, picture out, many weights against few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import msgspec

from gradviz.snapshot import Snapshot
from tests.benchmarks.result import Result, in_turn, rate
from tests.ui.fabricate import fabricate
from ui.application import make_application
from ui.canvas.scene import NetworkCanvas

ROUNDS = 5
SECONDS = 1.0  # of one turn


def run() -> Iterator[Result]:
    application = make_application()
    few, deep, wide = (_frame(fabricate(depth, width)) for depth, width in ((16, 8), (312, 16), (20, 64)))
    in_turn(1, few, deep, wide)  # the geometry is built once
    peer_value, deep_value, wide_value = in_turn(ROUNDS, few, deep, wide)
    yield Result("canvas frame, deep: 312×16, 80,000 weights", deep_value, "ms", "16×8, 1,000 weights", peer_value)
    yield Result("canvas frame, wide: 20×64, 80,000 weights", wide_value, "ms", "16×8, 1,000 weights", peer_value)
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


def _scaled(snapshot: Snapshot, factor: float) -> Snapshot:
    details = snapshot.details
    assert details is not None
    changed = {"edge_gradients": details.edge_gradients * factor, "unit_deltas": details.unit_deltas * factor}
    return msgspec.structs.replace(snapshot, details=msgspec.structs.replace(details, **changed))
