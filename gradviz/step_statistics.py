"""What the activations of every single step were like, layer by layer: mean, standard deviation and share of saturated units.

A step of a small net takes a tenth of a millisecond, and this may cost but a small part of it. So each step only reduces its
activations to a few numbers per unit and marks where a slope is small; what follows is worked out for many steps at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS, LIMIT
from gradviz.network import Network, Pass
from gradviz.recurrent_cells import LSTMCell, PlainCell
from gradviz.training import AnyPass

Floats = NDArray[np.floating[Any]]
Marks = NDArray[np.bool_]

MOST_BYTES = 1_000_000  # of the marks that wait to be counted: about what the processor's cache holds
MOST_STEPS = 256
LANE = 255  # so many bytes that are 0 or 1 can be added up in one byte


class StepStatistics:
    """Gathers what each step leaves in the buffers of one pass.

    A layer is a row of a `Snapshot`: hidden layers and output layer, or time steps and read-out. "Saturated" is what
    `Activation.small_slope` says; of an LSTM it is said of its three sigmoid gates.

    Attributes:
        run: the pass.
        most: so many steps can be gathered before `settle`.
        gathered: so many have been.
    """

    def __init__(self, run: AnyPass) -> None:
        self.run = run
        batch, dtype = run.batch, run.network.dtype
        width = -(-batch // 8) * 8  # whole words, so that eight marks are added at a time
        if isinstance(run, Pass):
            widths = list(run.network.widths)
            self._values = [run.values]
            starts = [np.cumsum([0, *(units + 1 for units in widths)])[:-1]]
            self._starts = np.stack((starts[0], starts[0] + widths), axis=1).ravel()  # every other sum is that of a bias's ones
            self._every = 2
            marked, mark = _small_slopes(run.network, run.slopes)
            marked_units = np.array(widths)
        else:
            time, hidden, outputs = run.time, run.network.hidden, run.network.outputs
            widths = [hidden] * time + [outputs]
            self._values = [run.cell.states, run.outputs]
            self._starts, self._every = np.arange(time + 1) * hidden, 1
            marked, mark = _small_slopes_of_cell(run)
            marked_units = np.array([int(np.prod(marked[1:]))] * time)
        self._layers = len(widths)
        self._units = np.array(widths, float)
        self._mark = mark
        self._marked = marked_units * float(batch)
        self.most = int(np.clip(MOST_BYTES // max(1, int(np.prod(marked)) * width), 1, MOST_STEPS))
        self.gathered = 0
        self._average = np.full(batch, 1.0 / batch, dtype)
        self._squares = [np.empty(values.shape, dtype) for values in self._values]
        self._sums = [np.empty((2, self.most, *values.shape[:-1]), dtype) for values in self._values]
        self._marks = np.zeros((self.most, *marked, width), np.bool_)
        # one step after the other, as views that need not be made each time
        self._places = [
            (self._marks[step, ..., :batch], [(values, squares, sums[0, step], sums[1, step]) for values, squares, sums in zip(
                self._values, self._squares, self._sums, strict=True)])
            for step in range(self.most)
        ]
        words = marked_units * (width // 8)
        ends = np.cumsum(words)
        parts = [np.arange(end - count, end, LANE) for end, count in zip(ends, words, strict=True)]
        self._word_starts = np.concatenate(parts)
        self._part_starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]

    def gather(self) -> None:
        """Take the step in that has just been done; at most `most` of them before the next `settle`."""
        marks, moments = self._places[self.gathered]
        average = self._average
        with np.errstate(all="ignore"):
            for values, squares, means, mean_squares in moments:
                values.dot(average, means)
                np.multiply(values, values, squares)
                squares.dot(average, mean_squares)
            self._mark(marks)
        self.gathered += 1

    def settle(self) -> Floats:
        """(3, gathered, layers) float64: mean, standard deviation and saturated share of each layer; then none are gathered."""
        count, self.gathered = self.gathered, 0
        found = np.zeros((3, count, self._layers))
        with np.errstate(all="ignore"):
            moments = [
                np.concatenate([sums[which, :count].reshape(count, -1) for sums in self._sums], axis=1, dtype=np.float64) for which in (0, 1)
            ]
            means, squares = (np.add.reduceat(sums, self._starts, axis=1)[:, :: self._every] / self._units for sums in moments)
            found[0], found[1] = means, np.sqrt(np.maximum(squares - means * means, 0.0))
        words = self._marks[:count].reshape(count, -1).view(np.uint64)
        lanes = np.add.reduceat(words, self._word_starts, axis=1).view(np.uint8).reshape(count, -1, 8).sum(axis=2, dtype=np.int64)
        counts = np.add.reduceat(lanes, self._part_starts, axis=1)
        found[2, :, : counts.shape[1]] = counts / self._marked  # the read-out of a recurrent net has no activation: 0
        return found


def _small_slopes(network: Network, slopes: Floats) -> tuple[tuple[int, ...], Callable[[Marks], object]]:
    """The shape of the units that can be saturated, and what marks (units, batch) where f′ is small."""
    used = [ACTIVATIONS[name] for name in network.activations]
    limits = [activation.small_slope for activation in used]
    limit: Any = limits[0] if len(set(limits[:-1])) <= 1 else np.repeat(limits, network.widths)[:, None].astype(network.dtype)
    z = np.linspace(-LIMIT, LIMIT, 257)
    if not any(activation.trained or (activation.derivative(z) < 0.0).any() for activation in used):
        return slopes.shape[:-1], lambda marks: np.less_equal(slopes, limit, marks)
    sizes = np.empty_like(slopes)
    return slopes.shape[:-1], lambda marks: np.less_equal(np.abs(slopes, sizes), limit, marks)


def _small_slopes_of_cell(run: Any) -> tuple[tuple[int, ...], Callable[[Marks], object]]:
    """The same of a recurrent net: (time, …, hidden)."""
    cell = run.cell
    if isinstance(cell, PlainCell):
        limit = ACTIVATIONS[run.network.activation].small_slope
        return cell.slopes.shape[:-1], lambda marks: np.less_equal(cell.slopes, limit, marks)
    assert isinstance(cell, LSTMCell)
    gates = cell.gate_values[:, :3]
    distances = np.empty(gates.shape, gates.dtype)
    # σ′ = σ (1 − σ) = ¼ − (σ − ½)²
    limit = float(np.sqrt(0.25 - ACTIVATIONS["sigmoid"].small_slope))

    def mark(marks: Marks) -> None:
        np.subtract(gates, 0.5, distances)
        np.greater_equal(np.abs(distances, distances), limit, marks)

    return gates.shape[:-1], mark
