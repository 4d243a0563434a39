"""Back in time: milliseconds for a jump, memory of a long run, and what keeping checkpoints costs the training."""

from __future__ import annotations

import multiprocessing
import re
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import gradviz
from tests.benchmarks.result import Result, in_turn, rate
from ui.presets import Preset, preset_named, presets

STEPS = 20_000  # before the jumps
JUMPS = 300
BUDGET = 100.0  # ms for a jump
MILLION = 1_000_000
BOUND = 200.0  # MB for the history and the checkpoints of a million steps
WARM_UP = 2_000
ROUNDS = 7
SECONDS = 1.0  # of one turn
WIDE = gradviz.Spec(gradviz.NetworkSpec(depth=50, width=256, activation="tanh"), training=gradviz.TrainingSpec(batch_size=256))


def run() -> Iterator[Result]:
    for preset in presets():
        yield from _jumps(preset)
    yield Result("a million steps, 1×1 with one example: memory", _in_own_process(_train), "MB", "bound", BOUND)
    yield Result("a million steps' records, preset vanishing: memory", _in_own_process(_record), "MB", "bound", BOUND)
    for name, spec in (("preset vanishing", preset_named("vanishing").spec), ("50×256 batch 256", WIDE)):
        yield _keeping(name, spec)


def _jumps(preset: Preset) -> Iterator[Result]:
    experiment = gradviz.Experiment(preset.spec)
    for _ in range(STEPS - WARM_UP):
        experiment.advance()
    start = time.perf_counter()
    for _ in range(WARM_UP):
        experiment.advance()
    step = 1000.0 * (time.perf_counter() - start) / WARM_UP
    times = []
    for target in np.random.default_rng(0).integers(0, STEPS, JUMPS, endpoint=True):
        start = time.perf_counter()
        experiment.go_to(int(target))
        times.append(1000.0 * (time.perf_counter() - start))
    yield Result(f"jump in {preset.name} of {STEPS:,} steps, mean", statistics.fmean(times), "ms", "one training step", step)
    yield Result(f"jump in {preset.name} of {STEPS:,} steps, worst of {JUMPS}", max(times), "ms", "budget", BUDGET)


def _in_own_process(measure: Callable[[], float]) -> float:
    """The peak of a process never falls, so that each measurement has one of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure)


def _peak() -> float:
    """The largest memory of this process so far, in MB; only Linux tells (getrusage would tell the parent's too)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def _train() -> float:
    """MB by which a million steps of training make the process grow."""
    data = gradviz.DataSpec(name="one_example")
    experiment = gradviz.Experiment(gradviz.Spec(gradviz.NetworkSpec(depth=1, width=1), data, gradviz.TrainingSpec(batch_size=1)))
    before = 0.0
    for done in range(MILLION):
        if done == WARM_UP:
            before = _peak()
        experiment.advance()
    experiment.measure()
    return _peak() - before


def _record() -> float:
    """MB by which all that is kept of a million steps makes the process grow; the steps are counted, not trained."""
    experiment = gradviz.Experiment(preset_named("vanishing").spec)
    for _ in range(WARM_UP):
        experiment.advance()
    before = _peak()
    for step in range(WARM_UP + 1, MILLION + 1):
        experiment.trainer.steps = step
        experiment._record()
    experiment.measure()
    return _peak() - before


def _keeping(name: str, spec: gradviz.Spec) -> Result:
    """Steps per second with checkpoints and without."""
    keeping, forgetting = gradviz.Experiment(spec), gradviz.Experiment(spec)
    forgetting._line.checkpoints.wants = lambda step: False  # type: ignore[method-assign]
    competitors = [lambda: rate(keeping.advance, SECONDS), lambda: rate(forgetting.advance, SECONDS)]
    in_turn(1, *competitors)  # warm caches and thread pools
    value, peer_value = in_turn(ROUNDS, *competitors)
    return Result(f"training with checkpoints, {name}", value, "steps/s", "without checkpoints", peer_value)
