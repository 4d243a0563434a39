"""What the activations of every single step were like, layer by layer: mean, standard deviation and share of saturated units.

A step of a small net takes a tenth of a millisecond, and this may cost but a small part of it. So each step only reduces its
activations to a few numbers per unit and marks where a slope is small; what follows is worked out for many steps at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
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


class Layout(msgspec.Struct, frozen=True):
    """How what is gathered of some steps lies in a block of memory, and how to work it out, also in another process.

    The block holds ``rows`` (steps, numbers) float64, one per step for whoever gathers; then for each of ``shapes`` the means and mean
    squares over the batch; then one byte for each unit and example that says whether its slope is small.
    """

    steps: int  # so many fit
    layers: int
    numbers: int  # in a row
    dtype: str
    shapes: tuple[tuple[int, ...], ...]  # of the units of each array of activations
    starts: tuple[int, ...]  # where a layer begins among all their units …
    every: int  # … of which only each so manieth counts
    units: tuple[int, ...]  # of each layer
    marked: tuple[int, ...]  # shape of the units that can be saturated
    marked_units: tuple[int, ...]  # of each layer that has some
    batch: int

    @property
    def width(self) -> int:
        """Bytes for the marks of one unit: whole words, so that eight are added at a time."""
        return -(-self.batch // 8) * 8

    @property
    def size(self) -> int:
        """Bytes of the block."""
        sums = 2 * sum(_count(shape) for shape in self.shapes) * 8
        return self.steps * (8 * self.numbers + sums + _count(self.marked) * self.width)

    def views(self, block: Any) -> Block:
        """The arrays in a block."""
        at = 0

        def next_array(dtype: Any, *shape: int) -> NDArray[Any]:
            nonlocal at
            found = np.frombuffer(block, dtype, _count(shape), at).reshape(shape)
            at += -(-found.nbytes // 8) * 8
            return found

        rows = next_array("<f8", self.steps, self.numbers)
        sums = [next_array(self.dtype, 2, self.steps, *shape) for shape in self.shapes]
        return Block(rows, sums, next_array(np.bool_, self.steps, *self.marked, self.width))

    def settled(self, block: Block, count: int) -> Floats:
        """(3, count, layers): mean, standard deviation and saturated share of each layer in the first ``count`` steps."""
        found = np.zeros((3, count, self.layers))
        with np.errstate(all="ignore"):
            moments = [
                np.concatenate([sums[which, :count].reshape(count, -1) for sums in block.sums], axis=1, dtype=np.float64)
                for which in (0, 1)
            ]
            means, squares = (np.add.reduceat(sums, self.starts, axis=1)[:, :: self.every] / self.units for sums in moments)
            found[0], found[1] = means, np.sqrt(np.maximum(squares - means * means, 0.0))
        lengths = [units * self.width // 8 for units in self.marked_units]
        ends = np.cumsum(lengths)
        parts = [np.arange(end - length, end, LANE) for end, length in zip(ends, lengths, strict=True)]
        words = block.marks[:count].reshape(count, -1).view(np.uint64)
        lanes = np.add.reduceat(words, np.concatenate(parts), axis=1).view(np.uint8).reshape(count, -1, 8).sum(axis=2, dtype=np.int64)
        counts = np.add.reduceat(lanes, np.cumsum([0, *(len(part) for part in parts)])[:-1], axis=1)
        # the read-out of a recurrent net has no activation: 0
        found[2, :, : counts.shape[1]] = counts / (np.array(self.marked_units) * float(self.batch))
        return found


class Block(NamedTuple):
    """The arrays of `Layout`."""

    rows: Floats
    sums: list[Floats]
    marks: Marks


class StepStatistics:
    """Gathers what each step leaves in the buffers of one pass.

    A layer is a row of a `Snapshot`: hidden layers and output layer, or time steps and read-out. "Saturated" is what
    `Activation.small_slope` says; of an LSTM it is said of its three sigmoid gates.

    Attributes:
        run: the pass.
        layout: how what is gathered lies in memory.
        gathered: how many steps have been since `begin`.
    """

    def __init__(self, run: AnyPass, numbers: int) -> None:
        """``numbers``: how many a row of `Layout` is to have for each step."""
        self.run = run
        batch = run.batch
        if isinstance(run, Pass):
            widths = list(run.network.widths)
            self._values = [run.values]
            begins = np.cumsum([0, *(units + 1 for units in widths)])[:-1]
            starts, every = np.stack((begins, begins + widths), axis=1).ravel(), 2  # every other sum is that of a bias's ones
            marked, self._mark = _small_slopes(run.network, run.slopes)
            marked_units = widths
        else:
            time, hidden, outputs = run.time, run.network.hidden, run.network.outputs
            widths = [hidden] * time + [outputs]
            self._values = [run.cell.states, run.outputs]
            starts, every = np.arange(time + 1) * hidden, 1
            marked, self._mark = _small_slopes_of_cell(run)
            marked_units = [_count(marked[1:])] * time
        shapes = tuple(values.shape[:-1] for values in self._values)
        dtype = run.network.dtype
        self.layout = Layout(
            1, len(widths), numbers, dtype.str, shapes, tuple(starts.tolist()), every, tuple(widths), marked, tuple(marked_units), batch
        )
        fitting = int(np.clip(MOST_BYTES // self.layout.size, 1, MOST_STEPS))
        self.layout = msgspec.structs.replace(self.layout, steps=fitting)
        self.gathered = 0
        self._average = np.full(batch, 1.0 / batch, dtype)
        self._squares = [np.empty(values.shape, dtype) for values in self._values]
        self._known: dict[int, tuple[Block, list[Any]]] = {}
        self._places: list[Any] = []

    def begin(self, number: int, block: Any) -> Block:
        """Gather from now on into this block of memory, whose ``number`` tells it from others."""
        if number not in self._known:
            views = self.layout.views(block)
            views.marks[..., self.layout.batch :] = False
            places = [
                (
                    views.marks[step, ..., : self.layout.batch],
                    [(v, squares, sums[0, step], sums[1, step]) for v, squares, sums in zip(self._values, self._squares, views.sums, strict=True)],
                )
                for step in range(self.layout.steps)
            ]
            self._known[number] = views, places
        self.gathered = 0
        views, self._places = self._known[number]
        return views

    def gather(self) -> None:
        """Take the step in that has just been done."""
        marks, moments = self._places[self.gathered]
        average = self._average
        with np.errstate(all="ignore"):
            for values, squares, means, mean_squares in moments:
                values.dot(average, means)
                np.multiply(values, values, squares)
                squares.dot(average, mean_squares)
            self._mark(marks)
        self.gathered += 1


def _count(shape: Sequence[int]) -> int:
    return math.prod(shape)


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
