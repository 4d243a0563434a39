"""What the hardware view of the lab shows of a run: steps to a loss, and what its gradient loses in small formats."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from gradviz.hardware import FACTORS, left_guessing, lowest_loss, plateau_steps, root_mean_squares, steps_to_loss, time_to_loss, underflows
from gradviz.network import Network
from gradviz.snapshot import Floats, HardwareReport, HistoryTable, Speed

MOST_LOOKED_AT = 100_000  # components of the gradient: of more every n-th is taken, or counting them would take longer than a step


def hardware_report(
    network: Network, gradient: Floats, history: HistoryTable, guessing: float | None, loss: float | None = None
) -> HardwareReport:
    """The report without speeds, which are measured apart from a run.

    Args:
        network: whose gradient it is.
        gradient: flat, before clipping; NaN where it is not known.
        history: the whole record of the run.
        guessing: the loss of guessing.
        loss: the given loss; None for the one at which a run counts as having left guessing.
    """
    left = left_guessing(history.loss, guessing)
    target = left if loss is None else loss
    every = math.ceil(network.vector.size / MOST_LOOKED_AT)
    parts = [part[::every] for part in layer_gradients(network, gradient)]
    return HardwareReport(
        loss=target,
        steps_needed=steps_to_loss(history.steps, history.loss, target),
        guessing=guessing,
        left=left,
        plateau=plateau_steps(history.steps, history.loss, guessing),
        lowest=lowest_loss(history.loss),
        steps=int(history.steps[-1]) if len(history.steps) else 0,
        factors=np.array(FACTORS),
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


def layer_gradients(network: Network, gradient: Floats) -> list[Floats]:
    """The parts of a flat gradient that belong to each layer's parameters, of whatever kind, in the order of the flat vector."""
    parts: dict[str, list[Floats]] = {}
    for name, place in network.slices.items():
        parts.setdefault(name.partition(".")[0], []).append(gradient[place])
    return [np.concatenate(layer) for layer in parts.values()]
