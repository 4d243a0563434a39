"""What the diagnosis judges a run by: medians over the newest rows of its record, and the units and updates of the last step.

Nothing here is an opinion; the rules with their thresholds are in `diagnosis`. Nothing of the run is changed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.history_table import HistoryTable
from gradviz.network import Network, Pass, parameter_name
from gradviz.norms import norms
from gradviz.oscillation import HOP, LASTING, WINDOW, oscillating_ranges
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.recurrent_cells import PlainCell
from gradviz.training import Trainer

if TYPE_CHECKING:
    from gradviz.experiment import Experiment


YOUNG = 10  # steps that a run, or what is left of it after its settings were changed, must have to be judged
FEWEST_ROWS, MOST_ROWS = 10, 50  # of the record that a median is taken over
ENOUGH = 128  # examples of which a loss is taken as that of the net
TESTS = 3  # of the test set: a single one may be an accident
SLIGHT = 0.003  # of the loss: a fall that is no more than this leads nowhere
SURE = 3.0  # standard errors by which the loss must have fallen so that it is no accident of the mini-batches


@dataclass(frozen=True)
class Evidence:
    """A run as the rules see it. Losses are multiples of the guessing loss: at 1 the net knows nothing of its input.

    Arrays over layers have one entry per layer, the output layer too, unless they say hidden. Of a recurrent net they have one per
    time step, and its shares are the RMS of ∂J/∂h_t over that at the last time step; its changes are those of cell and read-out.
    """

    steps: int  # judged: since the beginning, the end of pre-training, or since the settings were changed
    level: float  # median of the newest losses
    tested: float  # the lowest of the newest three losses on the test set; NaN where there are not so many
    low: float  # a tenth of the newest losses lies below …
    high: float  # … and a tenth above
    first: float  # where the loss began
    fallen: float  # by how much the level lies under that of the middle of the run
    falling: bool  # whether this is more than an accident, or the level has halved
    oscillates: bool  # whether the newest losses lie in a range of `oscillating_ranges`
    norm: float  # ‖g‖ with which the weights are changed: after clipping
    shares: Floats  # (layers,) ‖∂J/∂W‖ over the length ‖g‖ of the whole gradient
    changes: Floats  # (layers,) ‖ΔW‖ / ‖W‖ of the last step
    dead: Floats  # (hidden layers,) share of units whose f′ is exactly 0 for the whole mini-batch
    saturated: Floats  # (hidden layers,) share of all f′ that are small; 0 where f is not bounded
    linear: bool  # whether every activation is the identity

    @property
    def steps_to_learn(self) -> float:
        """How many steps more it takes at this pace until the loss is half of guessing."""
        return (self.level - 0.5) / self.fallen * self.steps / 2 if self.fallen > 0 else math.inf


def gather(experiment: Experiment) -> Evidence | None:
    """What is known of the run up to its present step, under its present settings; None while that is too little."""
    trainer = experiment.trainer
    table = experiment.history.table()
    start = max((step for step, _ in table.changes if step <= trainer.steps), default=0)
    start = max(start, experiment.spec.pretraining_steps)  # before, the loss meant something else
    rows = slice(*np.searchsorted(table.steps, [start, trainer.steps], side="right"))
    if trainer.steps - start < YOUNG or rows.stop - rows.start < FEWEST_ROWS:
        return None
    with np.errstate(all="ignore"):
        scale = _scale_of(experiment, table)
        losses = table.loss[rows] / scale
        window = int(np.clip(len(losses) // 4, FEWEST_ROWS, MOST_ROWS))
        now, middle = losses[-window:], losses[max(0, len(losses) // 2 - window) :][:window]
        level = float(np.median(now))
        fallen = float(np.median(middle)) - level
        error = 1.25 * math.hypot(_deviation(now), _deviation(middle)) / math.sqrt(window)  # of a difference of two medians
        newest = slice(rows.stop - window, rows.stop)
        rms = np.median(table.gradient_rms[newest], axis=0)
        norm, clipped = np.median(table.total_norms[newest], axis=0)
        of_time = isinstance(trainer.network, RecurrentNetwork)
        return Evidence(
            steps=trainer.steps - start,
            level=level,
            tested=_tested(table, start, trainer.steps) / scale,
            low=float(np.quantile(now, 0.1)),
            high=float(np.quantile(now, 0.9)),
            first=float(np.median(losses[:3])),
            fallen=fallen,
            falling=fallen > min(max(SURE * error, 0.01 * level), level) or _falls_slowly(losses),
            oscillates=_oscillates(table, rows, scale, trainer.batches.size),
            norm=float(clipped),
            **(_of_time_steps(trainer, rms) if of_time else _of_layers(trainer, rms, float(norm))),
        )


def _of_layers(trainer: Trainer, rms: Floats, norm: float) -> dict[str, Any]:
    """What is known of each layer of a feed-forward net, from the RMS of its gradient (layers,) and the length of the whole one."""
    network, run = trainer.network, trainer.run
    assert isinstance(network, Network)
    assert isinstance(run, Pass)
    lengths = rms * np.sqrt(network.measured_counts)
    slopes = np.split(run.slopes, np.cumsum(network.widths)[:-1])[:-1]
    return dict(
        shares=lengths / norm if norm > 0 else np.zeros_like(lengths),
        changes=_changes(trainer, [network.slices[parameter_name(layer, "weight")] for layer in range(1, network.depth + 1)]),
        dead=np.array([1.0 - part.any(axis=1).mean() for part in slopes]),
        saturated=np.array(
            [
                ACTIVATIONS[name].is_small(part).mean() if is_bounded(name) else 0.0
                for name, part in zip(network.activations, slopes, strict=False)
            ]
        ),
        linear=all(name == "identity" for name in network.activations),
    )


def _of_time_steps(trainer: Trainer, rms: Floats) -> dict[str, Any]:
    """The same of a recurrent net, from the RMS of ∂J/∂h_t and, last, of the read-out's weights. A gate may well be shut."""
    network, run = trainer.network, trainer.run
    assert isinstance(network, RecurrentNetwork)
    assert isinstance(run, RecurrentPass)
    last = rms[-2]
    dead = saturated = np.zeros(network.time)
    if isinstance(run.cell, PlainCell):
        slopes = run.cell.slopes
        dead = 1.0 - slopes.any(axis=2).mean(axis=1)
        if is_bounded(network.activation):
            saturated = ACTIVATIONS[network.activation].is_small(slopes).mean(axis=(1, 2))
    return dict(
        shares=np.append(rms[:-1] / last if last > 0 else np.zeros(network.time), 1.0),
        changes=_changes(trainer, network.layer_slices),
        dead=dead,
        saturated=saturated,
        linear=network.kind == "rnn" and network.activation == "identity",
    )


def _changes(trainer: Trainer, parts: list[slice]) -> Floats:
    """(parts,) ‖ΔW‖ / ‖W‖ of these parts of the flat vector in the last step."""
    before = norms([trainer.network.vector[part] for part in parts])
    changes: Floats = norms([trainer.optimizer.change[part] for part in parts]) / np.maximum(before, np.finfo(float).tiny)
    return changes


@functools.cache
def is_bounded(activation: str) -> bool:
    """Whether the function levels off on both sides, so that it can saturate; a step has no slope to lose."""
    entry = ACTIVATIONS[activation]
    return entry.small_slope > 0 and bool(entry.is_small(entry.derivative(np.array([-50.0, 50.0]))).all())


def _scale_of(experiment: Experiment, table: HistoryTable) -> float:
    """The loss of guessing; with one example alone guessing costs nothing, then the loss at the beginning is the measure."""
    guessing = experiment.guessing_loss
    if guessing is not None and guessing > 0:
        return guessing
    return float(table.loss[0]) or 1.0


def _tested(table: HistoryTable, start: int, end: int) -> float:
    own = slice(*np.searchsorted(table.test_steps, [start, end], side="right"))
    losses = table.test_loss[own][-TESTS:]
    return float(losses.min()) if len(losses) == TESTS else math.nan


def _oscillates(table: HistoryTable, rows: slice, scale: float, batch: int) -> bool:
    # the loss of a handful of examples jumps as they differ: so many rows are averaged that all together are a mini-batch worth the name
    size = max(1, ENOUGH // batch)
    stop = rows.stop - (rows.stop - rows.start) % size
    steps = table.steps[rows.start : stop][size - 1 :: size]
    means = [values[rows.start : stop].reshape(-1, size).mean(axis=1) for values in (table.loss, table.loss_low, table.loss_high)]
    # the windows begin at the same rows whenever one looks, so that the answer does not flicker from step to step
    first = max(0, len(steps) - 2 * LASTING) // HOP * HOP
    loss, low, high = (values[first:] for values in means)
    found = oscillating_ranges(steps[first:], loss, low, high, scale)
    return bool(found) and found[-1][1] >= steps[max(first, len(steps) - WINDOW)]


def _falls_slowly(losses: Floats) -> bool:
    """Whether the last third of the run lies surely under the third before it, however noisy the mini-batches are."""
    third = len(losses) // 3
    before, after = losses[-2 * third : -third], losses[-third:]
    error = math.hypot(float(before.std()), float(after.std())) / math.sqrt(third)
    return float(before.mean() - after.mean()) > max(SURE * error, SLIGHT * float(after.mean()))


def _deviation(values: Floats) -> float:
    """The standard deviation, estimated so that single spikes do not count: 1.48 times the median distance from the median."""
    return 1.48 * float(np.median(np.abs(values - np.median(values))))
