"""Faster hardware, measured and not claimed: steps per second on this machine, how long the plateau is, and what small floats lose.

A faster machine divides the time to a loss by its factor and changes nothing else: the plateau is as many steps long as
before, and what is too small for the floating-point format is 0 on any machine.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.diagnosis import LEFT_GUESSING
from gradviz.experiment import Experiment
from gradviz.spec import Spec
from gradviz.threads import threads_worth_using, use_threads
from gradviz.training import Trainer

Floats = NDArray[np.floating[Any]]

FACTORS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)  # how much faster a machine might be
PRECISIONS = ("float64", "float32")
ROUNDS = 3  # each setting is measured so often, in turn with the others: a disturbance then hits one round of each
SETTLED = 10  # recorded losses whose median must have got there: a single lucky mini-batch does not count
FORMATS: dict[str, type[np.floating[Any]]] = {"float16": np.float16, "float32": np.float32}
EXPONENTS = tuple(range(0, 33, 4))  # of the loss scales 2^k that are tried


class Speed(msgspec.Struct, frozen=True):
    """How fast this machine trains with one setting; the median of the rounds."""

    precision: str  # "float64" or "float32"
    threads: int  # of the BLAS
    steps_per_second: float


class Underflow(msgspec.Struct, frozen=True):
    """What becomes of a gradient's components in a smaller format; shares are of those that were finite and not 0 before."""

    precision: str  # a key of `FORMATS`
    exponent: int  # k: the loss, and so every component, was multiplied by 2^k
    components: int  # that were finite and not 0 before
    zero: float  # share that became exactly 0: they update nothing
    subnormal: float  # share that is below the smallest normal number, and keeps fewer digits the smaller it is
    infinite: float  # share that became too large: the price of too much scaling

    @property
    def kept(self) -> float:
        """Share that kept all digits of the format."""
        return 1.0 - self.zero - self.subnormal - self.infinite


def available_threads() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on Windows and macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure_speed(spec: Spec, seconds: float = 0.5, inputs: Floats | None = None, targets: NDArray[Any] | None = None) -> tuple[Speed, ...]:
    """Train fresh nets of this spec and count: with float64 and float32, each with one BLAS thread and with all of them.

    Bare training steps with their norms are counted, not the history and not the picture. The process stands still meanwhile.

    Args:
        spec: what is trained; its own precision does not count.
        seconds: for which each setting is measured, and at least three steps long; the whole takes four times as long, half as
            long on a single processor.
        inputs, targets: arrays of one's own, as for `Experiment`.

    Returns:
        float64 before float32, one thread before all; where there is only one processor, one thread alone.

    Raises:
        SpecError, DataError: as `Experiment` does.
        ValueError: when ``seconds`` is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}; it must be positive")
    trainers = {name: Experiment(spec.replace("training.precision", name), inputs, targets).trainer for name in PRECISIONS}
    settings = [(name, threads) for name in PRECISIONS for threads in sorted({1, available_threads()})]
    rates: dict[tuple[str, int], list[float]] = {setting: [] for setting in settings}
    try:
        for _ in range(ROUNDS):
            for (name, threads), found in rates.items():
                use_threads(threads)
                found.append(_rate(trainers[name], seconds / ROUNDS))
    finally:
        use_threads(threads_worth_using(trainers["float64"]))
    return tuple(Speed(name, threads, statistics.median(found)) for (name, threads), found in rates.items())


def _rate(trainer: Trainer, seconds: float) -> float:
    """Steps per second over about so many seconds. The first step is a warm-up, unless it has taken all the time by itself."""
    start = time.perf_counter()
    trainer.step()
    now = time.perf_counter()
    if now - start >= seconds:
        return 1.0 / (now - start)
    steps, start = 0, now
    while now - start < seconds:
        trainer.step()
        steps += 1
        now = time.perf_counter()
    return steps / (now - start)


def steps_to_loss(steps: NDArray[np.int64], loss: Floats, target: float) -> int | None:
    """The first recorded step from which on the median of `SETTLED` recorded losses is at most ``target``.

    Args:
        steps, loss: (rows,) of a run's `HistoryTable`.
        target: the loss to be reached.

    Returns:
        The step; None when the record does not show that it was reached.
    """
    if len(loss) < SETTLED:
        return None
    medians = np.median(np.lib.stride_tricks.sliding_window_view(loss, SETTLED), axis=1)  # NaN where one of them is
    there = np.flatnonzero(medians <= target)
    return int(steps[there[0]]) if len(there) else None


def plateau_steps(steps: NDArray[np.int64], loss: Floats, guessing: float | None) -> int | None:
    """How many steps the plateau was long: the step at which the loss left guessing, by the rule of `steps_to_loss`.

    Args:
        steps, loss: (rows,) of a run's `HistoryTable`.
        guessing: the loss of guessing; where it is unknown or 0, the first loss takes its place.

    Returns:
        The first step from which on the median of `SETTLED` losses is at most `LEFT_GUESSING` · guessing, as in the diagnosis; None
        while the run has not left it.
    """
    if guessing is None or not guessing > 0:
        if not len(loss):
            return None
        guessing = float(loss[0])
    return steps_to_loss(steps, loss, LEFT_GUESSING * guessing)


def time_to_loss(steps: int | None, speeds: Sequence[float], factors: Sequence[float] = FACTORS) -> NDArray[np.float64]:
    """Seconds that so many steps take, for each measured speed and each factor by which a machine might be faster.

    Args:
        steps: needed for the loss; None when it is never reached, which takes for ever at any speed.
        speeds: (settings,) measured steps/s.
        factors: ×1 … ×1000.

    Returns:
        (settings, factors) seconds: straight lines on logarithmic axes; infinite where the loss is never reached, or the speed is 0.
    """
    wanted = math.inf if steps is None else float(steps)
    rates = np.outer(np.asarray(speeds, float), np.asarray(factors, float))
    seconds: NDArray[np.float64] = np.divide(wanted, rates, out=np.full(rates.shape, np.inf), where=rates > 0)
    return seconds


def underflow(gradient: Floats, precision: str, exponent: int = 0) -> Underflow:
    """What is lost when a gradient, with the loss scaled by 2^exponent, is stored in a smaller format.

    Scaling the loss scales every component alike, and a power of two rounds nothing, so scaling the gradient is the same
    (Micikevicius et al. 2018). What a backward pass all in the small format would lose on its way is not counted.

    Args:
        gradient: any shape, best in float64.
        precision: "float16" or "float32".
        exponent: k of the loss scale 2^k; 0 for none.

    Returns:
        The shares; all 0 when no component is finite and not 0.

    Raises:
        ValueError: for another format.
    """
    if precision not in FORMATS:
        raise ValueError(f"precision is {precision!r}; there are {', '.join(FORMATS)}")
    values = np.asarray(gradient, np.float64).ravel()
    values = values[np.isfinite(values) & (values != 0.0)]
    kind = FORMATS[precision]
    with np.errstate(all="ignore"):
        stored = np.abs(np.ldexp(values, exponent).astype(kind))
    zero, infinite = stored == 0, np.isinf(stored)
    subnormal = (stored < np.finfo(kind).smallest_normal) & ~zero
    count = max(1, len(values))
    shares = (int(np.count_nonzero(mask)) / count for mask in (zero, subnormal, infinite))
    return Underflow(precision, exponent, len(values), *shares)


def underflow_by_scale(gradient: Floats, precision: str, exponents: Iterable[int] = EXPONENTS) -> tuple[Underflow, ...]:
    """`underflow` for each of these loss scales 2^k: from too little to too much."""
    return tuple(underflow(gradient, precision, exponent) for exponent in exponents)
