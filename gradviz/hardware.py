"""What faster hardware changes and what not: how long the plateau is, how long a loss takes, and what small floats lose.

A faster machine divides the time to a loss by its factor and changes nothing else: the plateau is as many steps long as
before, and what is too small for the floating-point format is 0 on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.diagnosis import LEFT_GUESSING
from gradviz.lab_reports import SCALE_EXPONENTS, Underflow

FACTORS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)  # how much faster a machine might be
SETTLED = 10  # recorded losses whose median must have got there: a single lucky mini-batch does not count
FORMATS: dict[str, type[np.floating[Any]]] = {"float16": np.float16, "float32": np.float32}


def steps_to_loss(steps: NDArray[np.int64], loss: Floats, target: float) -> int | None:
    """The first recorded step from which on the median of `SETTLED` recorded losses is at most ``target``.

    Args:
        steps, loss: (rows,) of a run's `HistoryTable`.
        target: the loss to be reached.

    Returns:
        The step; None when the record does not show that it was reached.
    """
    there = np.flatnonzero(_medians(loss) <= target)
    return int(steps[there[0]]) if len(there) else None


def _medians(loss: Floats) -> Floats:
    """Of each `SETTLED` recorded losses in a row; NaN where one of them is."""
    if len(loss) < SETTLED:
        return np.empty(0)
    medians: Floats = np.median(np.lib.stride_tricks.sliding_window_view(loss, SETTLED), axis=1)
    return medians


def lowest_loss(loss: Floats) -> float:
    """The lowest median of `SETTLED` recorded losses: what `steps_to_loss` finds reached; NaN while there are too few."""
    medians = _medians(loss)
    known = medians[~np.isnan(medians)]
    return float(known.min()) if len(known) else math.nan


def left_guessing(loss: Floats, guessing: float | None) -> float:
    """At most this loss: a run counts as having left guessing, as in the diagnosis.

    Args:
        loss: (rows,) of a run's `HistoryTable`.
        guessing: the loss of guessing; where it is unknown or 0, the first loss takes its place (NaN without any).
    """
    if guessing is None or not guessing > 0:
        guessing = float(loss[0]) if len(loss) else math.nan
    return LEFT_GUESSING * guessing


def plateau_steps(steps: NDArray[np.int64], loss: Floats, guessing: float | None) -> int | None:
    """How many steps the plateau was long: the step at which the loss left guessing, by the rule of `steps_to_loss`.

    Args:
        steps, loss: (rows,) of a run's `HistoryTable`.
        guessing: as in `left_guessing`.

    Returns:
        The step; None while the run has not left it.
    """
    return steps_to_loss(steps, loss, left_guessing(loss, guessing))


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


def underflows(gradients: Sequence[Floats]) -> tuple[Underflow, ...]:
    """What is lost of each layer's gradient in each of `FORMATS`, with each loss scale 2^k of `SCALE_EXPONENTS`.

    Scaling the loss scales every component alike, and a power of two rounds nothing, so scaling the gradient is the same
    (Micikevicius et al. 2018). What a backward pass all in the small format would lose on its way is not counted.

    Args:
        gradients: of each layer (at least one), any shape but not empty, best in float64.
    """
    values = np.concatenate([np.asarray(gradient, np.float64).ravel() for gradient in gradients])
    starts = np.cumsum([0, *(gradient.size for gradient in gradients[:-1])])
    return tuple(_underflow(values, starts, precision, exponent) for precision in FORMATS for exponent in SCALE_EXPONENTS)


def underflow(gradient: Floats, precision: str, exponent: int = 0) -> Underflow:
    """`underflows` of one gradient in one format with one loss scale; raises ValueError for another format than those of `FORMATS`."""
    if precision not in FORMATS:
        raise ValueError(f"precision is {precision!r}; there are {', '.join(FORMATS)}")
    return _underflow(np.asarray(gradient, np.float64).ravel(), np.zeros(1, int), precision, exponent)


def _underflow(values: Floats, starts: NDArray[np.intp], precision: str, exponent: int) -> Underflow:
    kind = FORMATS[precision]
    counted = np.isfinite(values) & (values != 0.0)
    with np.errstate(all="ignore"):
        stored = np.ldexp(values, exponent).astype(kind)
    sizes = np.abs(stored)
    zero = counted & (sizes == 0)
    subnormal = counted & (sizes > 0) & (sizes < np.finfo(kind).smallest_normal)
    components = _sums(counted, starts)
    zeros, small, large = (_sums(mask, starts) / np.maximum(1, components) for mask in (zero, subnormal, counted & np.isinf(sizes)))
    back = np.ldexp(stored.astype(float), -exponent)
    return Underflow(precision, exponent, components, zeros, small, large, root_mean_squares(back, starts))


def _sums(mask: NDArray[np.bool_], starts: NDArray[np.intp]) -> NDArray[np.int64]:
    return np.add.reduceat(mask.astype(np.int64), starts) if len(mask) else np.zeros(len(starts), np.int64)


def root_mean_squares(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """(parts,) RMS of each part of ``values``, which begin at ``starts``; NaN of a part with a NaN or nothing in it."""
    if not len(values):
        return np.full(len(starts), np.nan)
    with np.errstate(all="ignore"):
        sizes = np.abs(values)
        largest = np.maximum.reduceat(sizes, starts)  # taken out, or the squares of the smallest and largest would leave the range
        counts = np.diff(np.append(starts, len(values)))
        scaled = sizes / np.repeat(np.where(largest > 0, largest, 1.0), counts)
        found: Floats = np.where(np.isinf(largest), np.inf, largest * np.sqrt(np.add.reduceat(scaled * scaled, starts) / counts))
    return found
