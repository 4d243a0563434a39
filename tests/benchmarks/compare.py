"""Two runs compared in the open window: how fast each side trains, and how many pairs come, beside one run alone in the same window.

Both are measured in turn: the same window plays its run alone, then beside a copy with another activation.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import gradviz
from tests.benchmarks.result import Result, in_turn
from tests.benchmarks.window import FRAMES_PER_SECOND, for_each_network, spin, step, until
from ui.main_window import MainWindow

ROUNDS = 5
SECONDS = 3.0  # of one turn


def run() -> Iterator[Result]:
    yield from for_each_network(_measure)


def _measure(depth: int, width: int, batch_size: int) -> Iterator[Result]:
    spec = gradviz.Spec(
        network=gradviz.NetworkSpec(depth=depth, width=width, activation="tanh"), training=gradviz.TrainingSpec(batch_size=batch_size)
    )
    window = MainWindow(spec)
    window.show()
    until(lambda: window.run.snapshot is not None and window.run.snapshot.step > 0)
    pairs: list[tuple[int, int]] = []
    shown: list[float] = []  # pairs per second

    def playing() -> float:
        """Steps per second of the window's run, which is A's where there are two; B is in step with it."""
        window.set_playing(True)
        until(lambda: window.run.playing)
        spin(0.5)  # the first moments pay for what is built once
        before = len(pairs)
        begin, first = time.perf_counter(), step(window)
        spin(SECONDS)
        passed = time.perf_counter() - begin
        rate = (step(window) - first) / passed
        if window.compare is not None:
            shown.append((len(pairs) - before) / passed)
        window.set_playing(False)
        until(lambda: window.driven.settled and not window.driven.playing)
        return rate

    def beside() -> float:
        window.toggle_compare()
        assert window.compare is not None
        pair = window.compare.pair
        until(lambda: pair.other is not None and pair.settled)
        pair.change("B", "network.activation", "relu")
        pair.pair_came.connect(lambda a, b: pairs.append((a.step, b.step)))
        rate = playing()
        until(lambda: pair.settled)
        window.toggle_compare()
        return rate

    value, peer_value = in_turn(ROUNDS, beside, playing)
    window.close()
    window.shut_down()
    name = f"two runs compared {depth}×{width} batch {batch_size}"
    yield Result(f"{name}, training of each", value, "steps/s", "one run alone in the window", peer_value)
    yield Result(f"{name}, pairs", statistics.median(shown), "pairs/s", "60 Hz screen", FRAMES_PER_SECOND)
