"""The run so far, in bounded memory: exact rows, thinned evenly, so that a million steps cost no more than a thousand.

Only whether a step was clipped is kept of every one, at one bit each.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.history_table import HistoryTable

MOST_ROWS = 2048
FEWEST_ROWS = 256
MOST_CHANGES = 256
POPULATION = 5  # columns of `HistoryTable.population`
MOST_NUMBERS = 1_000_000  # rows × layers, which bounds the memory of very deep nets


class HistoryState(msgspec.Struct, frozen=True):
    """All of a `History`, to be kept elsewhere; see there."""

    stride: int
    steps: NDArray[np.int64]  # (rows,)
    losses: Floats  # (rows, 3)
    norms: Floats  # (rows, layers)
    totals: Floats  # (rows, 2)
    populations: Floats | None  # (rows, 5)
    newest: tuple[int, float, Floats, float, float, Floats | None]
    extremes: tuple[float, float]
    tests: tuple[tuple[int, float], ...]
    changes: tuple[tuple[int, str], ...]
    next_step: int
    clipped_steps: int
    clipped: NDArray[np.uint8]


class History:
    """One row per ``stride`` steps. When it is full, every second row is dropped and the stride doubles.

    A row is the exact record of its own step; only ``loss_low`` and ``loss_high`` gather the steps between two rows.
    """

    def __init__(self, weight_counts: NDArray[np.int64], population: bool = False) -> None:
        """``weight_counts`` (layers,): how many weights each layer has, to turn a norm into an RMS."""
        layers = len(weight_counts)
        self._scale = 1.0 / np.sqrt(weight_counts)
        self._capacity = int(np.clip(MOST_NUMBERS // layers, FEWEST_ROWS, MOST_ROWS))
        self.stride = 1
        self._rows = 0
        # one row more than the capacity, for the newest step when it is none of the regular ones
        self._steps = np.zeros(self._capacity + 1, np.int64)
        self._losses = np.zeros((self._capacity + 1, 3))  # loss, lowest, highest
        self._norms = np.zeros((self._capacity + 1, layers))
        self._totals = np.zeros((self._capacity + 1, 2))
        self._populations = np.zeros((self._capacity + 1, POPULATION)) if population else None
        self._newest: tuple[int, float, Floats, float, float, Floats | None] = (0, np.nan, np.zeros(layers), np.nan, np.nan, None)
        self._low, self._high = np.inf, -np.inf
        self._tests: list[tuple[int, float]] = []
        self._next_test = 0
        self.changes: list[tuple[int, str]] = []
        self._next_step = 1
        self.clipped_steps = 0  # how many of all steps were clipped, also of those whose rows have been dropped
        self._clipped = bytearray()  # the same as one bit per step, so that a branch knows its share exactly

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return self._steps.nbytes + self._losses.nbytes + self._norms.nbytes + self._totals.nbytes + len(self._clipped)

    def append(
        self, step: int, loss: float, gradient_norms: Floats, total: float, clipped: float, population: Floats | None = None
    ) -> None:
        """Record a step; ``gradient_norms`` (layers,) before clipping, ``total`` and ``clipped`` the global norm, ``population`` (5,)."""
        if loss < self._low or loss != loss:  # NaN, once met, stays: no comparison replaces it
            self._low = loss
        if loss > self._high or loss != loss:
            self._high = loss
        self._newest = (step, loss, gradient_norms, total, clipped, population)
        if clipped != total and math.isfinite(total):
            self._note_clipped(step)
        if step < self._next_step:
            return
        if self._rows == self._capacity:
            self._thin()
            if step < self._next_step:
                return
        self._write_newest(self._rows)
        self._rows += 1
        self._next_step = step + self.stride
        self._low, self._high = np.inf, -np.inf

    def _note_clipped(self, step: int) -> None:
        byte, bit = divmod(step, 8)
        if byte >= len(self._clipped):
            self._clipped.extend(bytes(byte + 1 - len(self._clipped)))
        self._clipped[byte] |= 1 << bit
        self.clipped_steps += 1

    def _write_newest(self, row: int) -> None:
        step, loss, gradient_norms, total, clipped, population = self._newest
        self._steps[row] = step
        self._losses[row] = loss, self._low, self._high
        self._norms[row] = gradient_norms
        self._totals[row] = total, clipped
        if self._populations is not None:
            self._populations[row] = np.nan if population is None else population

    @property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays with one row each, by name."""
        names = ("_steps", "_losses", "_norms", "_totals", "_populations")
        return {name: array for name in names if (array := getattr(self, name)) is not None}

    def _thin(self) -> None:
        kept = (self._capacity + 1) // 2
        # the extremes of a row that goes move to the row behind it, which covers its steps from now on
        low, high = self._losses[1 : self._capacity - 1 : 2, 1], self._losses[1 : self._capacity - 1 : 2, 2]
        behind = self._losses[2 : self._capacity : 2]
        behind[:, 1] = np.minimum(behind[:, 1], low[: len(behind)])
        behind[:, 2] = np.maximum(behind[:, 2], high[: len(behind)])
        if self._capacity % 2 == 0:
            last = self._losses[self._capacity - 1]
            self._low = float(np.minimum(self._low, last[1]))  # min() would lose a NaN
            self._high = float(np.maximum(self._high, last[2]))
        for array in self._arrays.values():
            array[:kept] = array[: self._capacity : 2]
        self._rows, self.stride = kept, self.stride * 2
        self._next_step = int(self._steps[kept - 1]) + self.stride

    def wants_test(self, step: int) -> bool:
        """Whether the test loss is due: every 10 steps at first, then every 5 % of the run, so that its cost stays small."""
        return step >= self._next_test

    @property
    def last_test_loss(self) -> float | None:
        """The newest test loss, None without a test set."""
        return self._tests[-1][1] if self._tests else None

    @property
    def tests(self) -> list[tuple[int, float]]:
        """(step, test loss) of each measurement."""
        return self._tests

    def append_test(self, step: int, loss: float) -> None:
        """Record the test loss after ``step`` steps."""
        self._tests.append((step, loss))
        self._next_test = _next_test_after(step)

    def note_change(self, step: int, text: str) -> None:
        """Record what was changed while running; of a long row of changes the newest are kept."""
        self.changes = [*self.changes[1 - MOST_CHANGES :], (step, text)]

    def forget_change(self) -> None:
        """Take the newest change back."""
        self.changes = self.changes[:-1]

    @property
    def last_step(self) -> int:
        """The newest step that was recorded."""
        return self._newest[0]

    def until(self, step: int, newest: tuple[float, Floats, float, float, Floats | None]) -> History:
        """The history up to ``step``, for a branch that begins there.

        Args:
            newest: what that step measured, in case it is none of the regular ones: loss, gradient norms (layers,) before
                clipping, global norm before and after clipping, what is told of a population (5,).
        """
        branch = copy.copy(self)
        for name, array in self._arrays.items():
            setattr(branch, name, array.copy())
        bits = int.from_bytes(self._clipped, "little") & ((1 << (step + 1)) - 1)
        branch.clipped_steps = bits.bit_count()
        branch._clipped = bytearray(bits.to_bytes((bits.bit_length() + 7) // 8, "little"))
        branch._rows = int(np.searchsorted(self._steps[: self._rows], step, side="right"))
        last = int(self._steps[branch._rows - 1]) if branch._rows else 0
        branch._newest = (step, *newest)
        branch._next_step = last + self.stride if branch._rows else 1
        branch._low, branch._high = (newest[0], newest[0]) if step > last else (np.inf, -np.inf)
        branch._tests = [test for test in self._tests if test[0] <= step]
        branch._next_test = _next_test_after(branch._tests[-1][0]) if branch._tests else 0
        branch.changes = [change for change in self.changes if change[0] <= step]
        return branch

    def state(self) -> HistoryState:
        """All of it, in copies."""
        rows = slice(self._rows)
        return HistoryState(
            stride=self.stride,
            steps=self._steps[rows].copy(),
            losses=self._losses[rows].copy(),
            norms=self._norms[rows].copy(),
            totals=self._totals[rows].copy(),
            populations=None if self._populations is None else self._populations[rows].copy(),
            newest=self._newest,
            extremes=(self._low, self._high),
            tests=tuple(self._tests),
            changes=tuple(self.changes),
            next_step=self._next_step,
            clipped_steps=self.clipped_steps,
            clipped=np.frombuffer(bytes(self._clipped), np.uint8),
        )

    def take(self, state: HistoryState) -> None:
        """Become what another history was; raises ValueError when that one was of another network."""
        rows = len(state.steps)
        for name, array in self._arrays.items():
            given = getattr(state, name[1:])
            if not isinstance(given, np.ndarray) or given.shape != (rows, *array.shape[1:]) or rows > self._capacity:
                raise ValueError(f"the {name[1:]} of its history do not fit the network")
            array[:rows] = given
        layers = state.newest[2]
        if len(state.newest) != 6 or not isinstance(layers, np.ndarray) or layers.shape != self._norms.shape[1:]:
            raise ValueError("the newest step of its history does not fit the network")
        counts = (state.stride - 1, state.next_step, state.clipped_steps, state.newest[0])
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError("its history counts wrongly")
        self._rows, self.stride, self._newest = rows, state.stride, state.newest
        self._low, self._high = state.extremes
        self._tests = [(int(step), float(loss)) for step, loss in state.tests]
        self._next_test = _next_test_after(self._tests[-1][0]) if self._tests else 0
        self.changes = [(int(step), str(text)) for step, text in state.changes]
        self._next_step, self.clipped_steps = state.next_step, state.clipped_steps
        self._clipped = bytearray(np.asarray(state.clipped, np.uint8).tobytes())

    def total_norms(self) -> tuple[NDArray[np.int64], Floats]:
        """Steps (rows,) and the global gradient norm (rows, 2) before and after clipping, as in `table`."""
        steps, norms = self._steps[: self._rows], self._totals[: self._rows]
        newest, _, _, total, clipped, _ = self._newest
        if self._rows and newest > steps[-1]:
            steps, norms = np.append(steps, newest), np.append(norms, [[total, clipped]], axis=0)
        return frozen(steps), frozen(norms)

    def records(self) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        """All rows as they were appended: steps (rows,), loss with its extremes (rows, 3), norms (rows, layers), global norms (rows, 2)."""
        rows = self._rows
        if rows and self._newest[0] > self._steps[rows - 1]:
            self._write_newest(rows)
            rows += 1
        return frozen(self._steps[:rows]), frozen(self._losses[:rows]), frozen(self._norms[:rows]), frozen(self._totals[:rows])

    def table(self, after: int = 0) -> HistoryTable:
        """All rows with a step greater than ``after``; test losses and changes always whole, they are few."""
        start = int(np.searchsorted(self._steps[: self._rows], after, side="right"))
        stop = self._rows
        provisional = stop > 0 and self._newest[0] > self._steps[stop - 1]
        if provisional:
            self._write_newest(stop)
            stop += 1
        rows = slice(start, stop)
        return HistoryTable(
            provisional=bool(provisional),
            steps=frozen(self._steps[rows]),
            loss=frozen(self._losses[rows, 0]),
            loss_low=frozen(self._losses[rows, 1]),
            loss_high=frozen(self._losses[rows, 2]),
            gradient_rms=frozen(self._norms[rows] * self._scale),
            total_norms=frozen(self._totals[rows]),
            test_steps=frozen(np.array([step for step, _ in self._tests], np.int64)),
            test_loss=frozen(np.array([loss for _, loss in self._tests], float)),
            changes=tuple(self.changes),
            population=None if self._populations is None else frozen(self._populations[rows]),
        )


def _next_test_after(step: int) -> int:
    return step + max(10, step // 20)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy
