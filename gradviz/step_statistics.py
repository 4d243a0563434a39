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
from gradviz.arrays import Floats
from gradviz.network import Pass
from gradviz.recurrent_cells import LSTMCell, PlainCell
from gradviz.training import AnyPass

MOST_BYTES = 1_000_000  # of the steps that wait to be worked out: about what a core keeps at hand
MOST_STEPS = 1024
LAYER_SAMPLE = 32  # activations of a layer that are looked at, at least, as far as the mini-batch has so many …
FEWEST_EXAMPLES = 2  # … of at least so many examples


class Layout(msgspec.Struct, frozen=True):
    """How what is gathered of some steps lies in a block of memory, and how to work it out, also in another process.

    The block holds ``rows`` (steps, numbers) float64, one per step for whoever gathers; then for each step a sample of the activations
    and, where they do not tell by themselves whether they are saturated, one of what does. In a sample, two examples (one, where batches
    are odd) lie side by side for all units one after the other: to copy one is then a few long loops over pairs, instead of many loops
    over few numbers.
    """

    steps: int  # so many fit
    numbers: int  # in a row
    dtype: str
    examples: int
    lanes: int  # how many of them lie side by side
    units: tuple[int, ...]  # of each layer
    gap: int  # rows behind each layer's that are none of units
    slopes: str  # the activation of all hidden layers, where f′ follows from their samples; else "", and f′ has samples of its own
    marked: tuple[int, ...]  # rows of each layer that tells about saturation; those layers come first
    limits: tuple[float, ...]  # of each of these: |f′| up to here is small
    gates: bool  # whether the rows are values of sigmoid gates instead of f′

    @property
    def size(self) -> int:
        """Bytes of the block."""
        samples = (sum(self.units) + self.gap * len(self.units) + self._mark_rows) * self.examples
        return self.steps * (8 * self.numbers + np.dtype(self.dtype).itemsize * samples)

    @property
    def _mark_rows(self) -> int:
        return 0 if self.slopes else sum(self.marked)

    def views(self, block: Any) -> Block:
        """The arrays in a block: (steps, numbers), and twice (steps, examples / lanes, rows · lanes)."""
        value_rows, mark_rows = sum(self.units) + self.gap * len(self.units), self._mark_rows
        rows = np.frombuffer(block, "<f8", self.steps * self.numbers).reshape(self.steps, self.numbers)
        counts = [self.steps * count * self.examples for count in (value_rows, mark_rows)]
        samples = np.frombuffer(block, self.dtype, sum(counts), rows.nbytes)
        shapes = [(self.steps, self.examples // self.lanes, count * self.lanes) for count in (value_rows, mark_rows)]
        return Block(rows, samples[: counts[0]].reshape(shapes[0]), samples[counts[0] :].reshape(shapes[1]))

    def settled(self, block: Block, count: int) -> Floats:
        """(3, count, layers): mean, standard deviation and saturated share of each layer in the first ``count`` steps.

        It uses up the samples: they are worked on where they lie, as memory for so much would have to be fetched anew each time.
        """
        found = np.zeros((3, count, len(self.units)))
        # a layer's columns lie one behind the other, unit by unit; between two layers there may be a gap
        columns, gap, marked = np.array(self.units) * self.lanes, self.gap * self.lanes, np.array(self.marked) * self.lanes
        begins = np.cumsum([0, *(columns + gap)])[:-1]
        starts, every = (np.stack((begins, begins + columns), axis=1).ravel(), 2) if gap else (begins, 1)
        groups = self.examples // self.lanes
        with np.errstate(all="ignore"):
            values = block.values[:count].astype(np.float64, copy=False)
            if self.slopes:
                small = self._small_slopes(block.values[:count])
                counts = np.add.reduceat(small, starts, axis=1, dtype=np.int64)[:, ::every][:, : len(marked)]
            means = np.add.reduceat(values.sum(axis=1), starts, axis=1)[:, ::every] / (columns * groups)
            np.subtract(values, np.repeat(means, columns + gap, axis=1)[:, np.newaxis], out=values)
            squares = np.einsum("sgc,sgc->sc", values, values)
            found[0], found[1] = means, np.sqrt(np.add.reduceat(squares, starts, axis=1)[:, ::every] / (columns * groups))
            if not self.slopes:
                counts = np.add.reduceat(self._small_marks(block.marks[:count]), np.cumsum([0, *marked])[:-1], axis=1, dtype=np.int64)
        # the read-out of a recurrent net has no activation: 0
        found[2, :, : len(marked)] = counts / (marked * groups)
        return found

    def _small_slopes(self, values: Floats) -> NDArray[np.uint8]:
        """(steps, rows · lanes) in how many of the examples f′ is small, worked out from f."""
        slopes = np.empty_like(values)
        ACTIVATIONS[self.slopes].backward(values, values, slopes, 0.0)
        small: NDArray[np.uint8] = (slopes <= slopes.dtype.type(self.limits[0])).sum(axis=1, dtype=np.uint8)  # none is negative
        return small

    def _small_marks(self, marks: Floats) -> NDArray[np.uint8]:
        """The same from samples of f′ itself, or of gates."""
        limits = np.repeat(np.array(self.limits, self.dtype), np.array(self.marked) * self.lanes)
        if self.gates:  # the slope of a sigmoid is g · (1 − g) = ¼ − (g − ½)²
            marks -= 0.5
            is_small = np.abs(marks, out=marks) >= np.sqrt(0.25 - limits)
        else:
            is_small = np.abs(marks, out=marks) <= limits
        small: NDArray[np.uint8] = is_small.sum(axis=1, dtype=np.uint8)
        return small


class Block(NamedTuple):
    """The arrays of `Layout`."""

    rows: Floats
    values: Floats
    marks: Floats


class StepStatistics:
    """Where each step leaves its activations in the buffers of one pass, and where to copy them.

    A layer is a row of a `Snapshot`: hidden layers and output layer, or time steps and read-out. "Saturated" is what
    `Activation.small_slope` says; of an LSTM it is said of its three sigmoid gates.

    Attributes:
        run: the pass.
        layout: how what is gathered lies in memory.
        places: of each step that fits a block pairs of arrays: the place for a sample in the block, and the sample in the pass.
    """

    def __init__(self, run: AnyPass, numbers: int) -> None:
        """``numbers``: how many a row of `Layout` is to have for each step."""
        self.run = run
        gates, slopes = False, ""
        if isinstance(run, Pass):
            network = run.network
            units, gap = network.widths, 1
            values, marks = [run.values], run.slopes
            name = network.activations[0]
            if set(network.activations[:-1]) == {name} and not network.skips and not network.activation_parameter(1):
                slopes = name if ACTIVATIONS[name].of_output else ""  # with a skip, what is kept of a layer is more than f(z)
            marked = units[:-1] if slopes else units
            limits = [ACTIVATIONS[name].small_slope for name in network.activations[: len(marked)]]
        else:
            cell, time, hidden = run.cell, run.time, run.network.hidden
            units, gap = (*[hidden] * time, run.network.outputs), 0
            values = [cell.states, run.outputs]
            if isinstance(cell, PlainCell):
                marks, slopes = cell.slopes, run.network.activation
                limit = ACTIVATIONS[slopes].small_slope
                assert ACTIVATIONS[slopes].of_output, "the cell itself relies on it"
            else:
                assert isinstance(cell, LSTMCell)
                marks, limit, gates = cell.gate_values[:, :3], ACTIVATIONS["sigmoid"].small_slope, True
            marked, limits = (_count(marks.shape[1:-1]),) * time, [limit] * time
        examples = min(run.batch, max(FEWEST_EXAMPLES, -(-LAYER_SAMPLE // min(units[:-1], default=1))))
        lanes = 1 if run.batch % 2 or examples % 2 else 2
        self._lane_type = run.network.dtype if lanes == 1 else np.result_type(run.network.dtype, np.complex64)
        dtype = run.network.dtype.str
        layout = Layout(1, numbers, dtype, examples, lanes, tuple(units), gap, slopes, tuple(marked), tuple(limits), gates)
        self.layout = msgspec.structs.replace(layout, steps=int(np.clip(MOST_BYTES // layout.size, 1, MOST_STEPS)))
        self._values = [self._sample(array) for array in values]
        self._marks = None if slopes else self._sample(marks)
        self._known: dict[int, tuple[Block, list[list[tuple[NDArray[Any], NDArray[Any]]]]]] = {}
        self.places: list[list[tuple[NDArray[Any], NDArray[Any]]]] = []

    def begin(self, number: int, block: Any) -> Block:
        """Samples are to be copied into this block of memory from now on, whose ``number`` tells it from others."""
        if number not in self._known:
            views = self.layout.views(block)
            self._known[number] = views, [self._places_in(views, step) for step in range(self.layout.steps)]
        views, self.places = self._known[number]
        return views

    def _sample(self, array: Floats) -> NDArray[Any]:
        """(…, batch) -> (examples / lanes, …) the first few examples, those that lie side by side as one element."""
        layout = self.layout
        return np.moveaxis(array.view(self._lane_type)[..., : layout.examples // layout.lanes], -1, 0)

    def _places_in(self, views: Block, step: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        places, start = [], 0
        if self._marks is not None:
            places.append((views.marks[step].view(self._lane_type).reshape(self._marks.shape), self._marks))
        for sample in self._values:
            stop = start + _count(sample.shape[1:]) * self.layout.lanes
            places.append((views.values[step, :, start:stop].view(self._lane_type).reshape(sample.shape), sample))
            start = stop
        return places


def _count(shape: Sequence[int]) -> int:
    return math.prod(shape)
