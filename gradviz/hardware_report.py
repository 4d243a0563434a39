"""What the hardware view of the lab shows of a run: steps to a loss, and what its gradient loses in small formats."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec
import numpy as np

from gradviz.arrays import Floats
from gradviz.hardware import FACTORS, left_guessing, lowest_loss, plateau_steps, root_mean_squares, steps_to_loss, time_to_loss, underflows
from gradviz.history_table import HistoryTable
from gradviz.lab_reports import HardwareReport, Speed
from gradviz.snapshot import Architecture

SHARED = "cell"  # owns the parameters that all time steps of a recurrent net share
MOST_LOOKED_AT = 100_000  # components of the gradient: of more every n-th is taken, or counting them would take longer than a step


def hardware_report(
    gradient: Floats,
    slices: Mapping[str, slice],
    architecture: Architecture,
    reached: Callable[[int], bool],
    history: HistoryTable,
    guessing: float | None,
    loss: float | None = None,
) -> HardwareReport:
    """The report without speeds, which are measured apart from a run.

    Args:
        gradient: flat, before clipping; NaN where it is not known.
        slices: where in it each parameter stands, by names such as "layer03.weight".
        architecture: of the network.
        reached: whether the gradient of a layer, counted from 1, is whole.
        history: the whole record of the run.
        guessing: the loss of guessing.
        loss: the given loss; None for the one at which a run counts as having left guessing.
    """
    left = left_guessing(history.loss, guessing)
    target = left if loss is None else loss
    every = max(1, math.ceil(gradient.size / MOST_LOOKED_AT))
    by_owner = gradient_parts(gradient, slices)
    layers = [layer_of(owner, len(architecture.layers)) for owner in by_owner]
    known = tuple(map(reached, layers))
    thinned = [part[::every] for part in by_owner.values()]
    # what the step in work has not reached still holds the gradient of the step before
    parts = [part if own else np.full_like(part, np.nan) for part, own in zip(thinned, known, strict=True)]
    names = [architecture.layers[layer - 1].name if owner != SHARED else SHARED for owner, layer in zip(by_owner, layers, strict=True)]
    return HardwareReport(
        loss=target,
        steps_needed=steps_to_loss(history.steps, history.loss, target),
        guessing=guessing,
        left=left,
        plateau=plateau_steps(history.steps, history.loss, guessing),
        lowest=lowest_loss(history.loss),
        steps=int(history.steps[-1]) if len(history.steps) else 0,
        factors=np.array(FACTORS),
        names=tuple(names),
        known=known,
        rms=root_mean_squares(np.concatenate(parts).astype(float), np.cumsum([0, *map(len, parts[:-1])])),
        underflows=underflows(parts),
        looked_at=every,
    )


def with_speeds(report: HardwareReport, speeds: tuple[Speed, ...], measuring: float | None = None) -> HardwareReport:
    """The report with what is measured so far, and how long its steps take at these speeds.

    Args:
        report: of `hardware_report`.
        speeds: measured so far.
        measuring: share of the measurement that is done; None when none is under way.
    """
    steps = report.steps if report.steps_needed is None else report.steps_needed
    seconds = time_to_loss(steps, [speed.steps_per_second for speed in speeds], report.factors.tolist())
    return msgspec.structs.replace(report, speeds=speeds, seconds=seconds, measuring=measuring)


def gradient_parts(gradient: Floats, slices: Mapping[str, slice]) -> dict[str, Floats]:
    """Owner -> its part of a flat gradient, of whatever kind its parameters are: what stands before the point in their names."""
    parts: dict[str, list[Floats]] = {}
    for name, place in slices.items():
        parts.setdefault(name.partition(".")[0], []).append(gradient[place])
    return {owner: np.concatenate(pieces) for owner, pieces in parts.items()}


def layer_of(owner: str, layers: int) -> int:
    """The layer at which back-propagation has an owner's whole gradient: 3 for "layer03", 1 for what all share, the last for "out"."""
    if owner.startswith("layer"):
        return int(owner.removeprefix("layer"))
    return 1 if owner == SHARED else layers
