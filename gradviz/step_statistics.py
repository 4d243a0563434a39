"""What the activations of every single step were like, layer by layer: mean, standard deviation and share of saturated units.

A step of a small net takes a tenth of a millisecond, and this may cost but a small part of it. So the training only copies a sample:
of each mini-batch the first few examples, which is a fair one, as the order is drawn. What follows from it is worked out for many steps
at once, and where the training does not wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.network import Pass
from gradviz.recurrent_cells import LSTMCell, PlainCell
from gradviz.training import AnyPass

Floats = NDArray[np.floating[Any]]

MOST_BYTES = 4_000_000  # of the steps that wait to be worked out
MOST_STEPS = 1024
LAYER_SAMPLE = 32  # activations of a layer that are looked at, at least, as far as the mini-batch has so many …
FEWEST_EXAMPLES = 4  # … of at least so many examples


class Layout(msgspec.Struct, frozen=True):
    """How what is gathered of some steps lies in a block of memory, and how to work it out, also in another process.

    The block holds ``rows`` (steps, numbers) float64, one per step for whoever gathers; then for each step samples of the activations
    and of what tells whether they are saturated, one row per unit and one column per example.
    """

    steps: int  # so many fit
    numbers: int  # in a row
    dtype: str
    examples: int
    units: tuple[int, ...]  # of each layer
    gap: int  # rows behind each layer's that are none of units
    marked: tuple[int, ...]  # rows of each layer that tells about saturation; those layers come first
    limits: tuple[float, ...]  # of each of these: |f′| up to here is small
    gates: bool  # whether the rows are values of sigmoid gates instead of f′

    @property
    def size(self) -> int:
        """Bytes of the block."""
        samples = (sum(self.units) + self.gap * len(self.units) + sum(self.marked)) * self.examples
        return self.steps * (8 * self.numbers + np.dtype(self.dtype).itemsize * samples)

    def views(self, block: Any) -> Block:
        """The arrays in a block: (steps, numbers), (steps, rows, examples), (steps, rows, examples)."""
        value_rows, mark_rows = sum(self.units) + self.gap * len(self.units), sum(self.marked)
        rows = np.frombuffer(block, "<f8", self.steps * self.numbers).reshape(self.steps, self.numbers)
        counts = [self.steps * count * self.examples for count in (value_rows, mark_rows)]
        samples = np.frombuffer(block, self.dtype, sum(counts), rows.nbytes)
        shapes = [(self.steps, count, self.examples) for count in (value_rows, mark_rows)]
        return Block(rows, samples[: counts[0]].reshape(shapes[0]), samples[counts[0] :].reshape(shapes[1]))

    def settled(self, block: Block, count: int) -> Floats:
        """(3, count, layers): mean, standard deviation and saturated share of each layer in the first ``count`` steps."""
        found = np.zeros((3, count, len(self.units)))
        # a layer's numbers lie one behind the other, unit by unit; between two layers there may be a gap
        sizes, gap = np.array(self.units) * self.examples, self.gap * self.examples
        begins = np.cumsum([0, *(sizes + gap)])[:-1]
        starts, every = (np.stack((begins, begins + sizes), axis=1).ravel(), 2) if gap else (begins, 1)
        marked = np.array(self.marked) * self.examples
        with np.errstate(all="ignore"):
            values = block.values[:count].reshape(count, -1).astype(np.float64)
            means = np.add.reduceat(values, starts, axis=1)[:, ::every] / sizes
            np.subtract(values, np.repeat(means, sizes + gap, axis=1), out=values)
            np.multiply(values, values, out=values)
            squares = np.add.reduceat(values, starts, axis=1)[:, ::every] / sizes
            slopes = block.marks[:count].reshape(count, -1)
            if self.gates:
                slopes = slopes * (1.0 - slopes)
            small = np.abs(slopes) <= np.repeat(np.array(self.limits, self.dtype), marked)
        found[0], found[1] = means, np.sqrt(squares)
        # the read-out of a recurrent net has no activation: 0
        found[2, :, : len(marked)] = np.add.reduceat(small.astype(np.float64), np.cumsum([0, *marked])[:-1], axis=1) / marked
        return found


class Block(NamedTuple):
    """The arrays of `Layout`."""

    rows: Floats
    values: Floats
    marks: Floats


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
        gates = False
        if isinstance(run, Pass):
            units, gap = run.network.widths, 1
            values, marks = [run.values], run.slopes
            marked = units
            limits = [ACTIVATIONS[name].small_slope for name in run.network.activations]
        else:
            cell, time, hidden = run.cell, run.time, run.network.hidden
            units, gap = (*[hidden] * time, run.network.outputs), 0
            values = [cell.states, run.outputs]
            if isinstance(cell, PlainCell):
                marks, limit = cell.slopes, ACTIVATIONS[run.network.activation].small_slope
            else:
                assert isinstance(cell, LSTMCell)
                marks, limit, gates = cell.gate_values[:, :3], ACTIVATIONS["sigmoid"].small_slope, True
            marked, limits = (_count(marks.shape[1:-1]),) * time, [limit] * time
        examples = min(run.batch, max(FEWEST_EXAMPLES, -(-LAYER_SAMPLE // min(units[:-1], default=1))))
        layout = Layout(1, numbers, run.network.dtype.str, examples, tuple(units), gap, tuple(marked), tuple(limits), gates)
        self.layout = msgspec.structs.replace(layout, steps=int(np.clip(MOST_BYTES // layout.size, 1, MOST_STEPS)))
        self.gathered = 0
        self._values = [array[..., :examples] for array in values]
        self._marks = marks[..., :examples]
        self._known: dict[int, tuple[Block, list[Any]]] = {}
        self._places: list[list[tuple[Floats, Floats]]] = []

    def begin(self, number: int, block: Any) -> Block:
        """Gather from now on into this block of memory, whose ``number`` tells it from others."""
        if number not in self._known:
            views = self.layout.views(block)
            self._known[number] = views, [self._places_in(views, step) for step in range(self.layout.steps)]
        self.gathered = 0
        views, self._places = self._known[number]
        return views

    def _places_in(self, views: Block, step: int) -> list[tuple[Floats, Floats]]:
        places, start = [(views.marks[step].reshape(self._marks.shape), self._marks)], 0
        for values in self._values:
            stop = start + _count(values.shape[:-1])
            places.append((views.values[step, start:stop].reshape(values.shape), values))
            start = stop
        return places

    def gather(self) -> None:
        """Take the step in that has just been done."""
        for place, sample in self._places[self.gathered]:
            place[...] = sample
        self.gathered += 1


def _count(shape: Sequence[int]) -> int:
    return math.prod(shape)
