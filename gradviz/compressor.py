"""A history compressor of two levels (Schmidhuber 1992, "Learning complex, extended sequences using the principle of history compression").

The lower level predicts its next input and passes on only what it did not, with the time at which it came. What was predicted
says nothing new, so nothing is lost, and what lay a hundred steps apart below are neighbours above: there the upper level, a
predictor of the same kind, finds the connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.int64]

TRUST = 8  # a coin falls alike so often in a row once in 128 times
START = -1  # what stands in a context before the first symbol; symbols themselves are not negative


class Read(NamedTuple):
    """What happened to one symbol."""

    time: int  # counted from 0
    symbol: int
    predicted: int | None  # by the lower level; None: it did not dare to
    passed_on: bool  # whether it went to the upper level
    predicted_above: int | None  # by the upper level, of what was passed on


class Compression(msgspec.Struct, frozen=True):
    """What the lower level passed on of one sequence: with the lower level as it was before, all that is needed to rebuild it."""

    length: int  # of the whole sequence
    times: NDArray[np.int64]  # (passed,) counted from 0
    symbols: Symbols  # (passed,) the upper sequence
    predicted_above: NDArray[np.bool_]  # (passed,) which of them the upper level foresaw

    @property
    def ratio(self) -> float:
        """How many times shorter the upper sequence is; infinite when nothing was passed on, NaN for an empty sequence."""
        if not self.length:
            return float("nan")
        return self.length / len(self.times) if len(self.times) else float("inf")

    def share_passed(self, parts: int) -> NDArray[np.float64]:
        """(parts,) the share passed on in each of so many equal parts of the sequence, the earliest first; NaN for an empty part."""
        bounds = np.linspace(0, self.length, parts + 1).round().astype(np.int64)
        counts = np.diff(np.searchsorted(self.times, bounds))
        sizes = np.diff(bounds)
        shares: NDArray[np.float64] = np.divide(counts, sizes, out=np.full(parts, np.nan), where=sizes > 0)
        return shares


class Predictor:
    """Remembers what followed each context of ``order`` symbols, and how often in a row.

    It predicts a follower that came at least ``trust`` times in a row, and otherwise nothing.

    Raises:
        ValueError: when ``order`` or ``trust`` is less than 1.
    """

    def __init__(self, order: int = 1, trust: int = TRUST) -> None:
        if order < 1 or trust < 1:
            raise ValueError(f"order is {order} and trust {trust}; both must be at least 1")
        self.order, self.trust = order, trust
        self._followers: dict[tuple[int, ...], tuple[int, int]] = {}  # context -> (follower, times in a row)
        self.forget_context()

    def forget_context(self) -> None:
        """Stand before the first symbol of a sequence again; what was learnt stays."""
        self._context = (START,) * self.order

    def predict(self) -> int | None:
        """The next symbol; None where it is not sure enough."""
        follower, times = self._followers.get(self._context, (START, 0))
        return follower if times >= self.trust else None

    def learn(self, symbol: int) -> None:
        """Take in what came, and go on."""
        follower, times = self._followers.get(self._context, (START, 0))
        self._followers[self._context] = (symbol, times + 1 if symbol == follower else 1)
        self._context = (*self._context[1:], symbol)

    def copy(self) -> Predictor:
        """An independent predictor that knows the same and stands in the same place."""
        other = Predictor(self.order, self.trust)
        other._followers, other._context = dict(self._followers), self._context
        return other


class HistoryCompressor:
    """Two levels that learn while they read; see `Predictor` for ``order`` and ``trust``."""

    def __init__(self, order: int = 1, trust: int = TRUST) -> None:
        self.lower, self.upper = Predictor(order, trust), Predictor(order, trust)
        self._time = 0

    def begin(self) -> None:
        """Start a new sequence; what was learnt stays."""
        self.lower.forget_context()
        self.upper.forget_context()
        self._time = 0

    def read(self, symbol: int) -> Read:
        """Read the next symbol, a number from 0 on; both levels learn from what they see.

        Raises:
            ValueError: for a negative symbol.
        """
        symbol = int(symbol)
        if symbol < 0:
            raise ValueError(f"the symbol is {symbol}; symbols count from 0")
        predicted = self.lower.predict()
        self.lower.learn(symbol)
        above = None
        if predicted != symbol:
            above = self.upper.predict()
            self.upper.learn(symbol)
        self._time += 1
        return Read(self._time - 1, symbol, predicted, predicted != symbol, above)

    def compress(self, sequence: Iterable[int]) -> Compression:
        """Read a whole sequence from its beginning."""
        self.begin()
        reads = [self.read(symbol) for symbol in sequence]
        passed = [found for found in reads if found.passed_on]
        arrays = (
            np.array([found.time for found in passed], np.int64),
            np.array([found.symbol for found in passed], np.int64),
            np.array([found.predicted_above == found.symbol for found in passed], np.bool_),
        )
        for array in arrays:
            array.flags.writeable = False
        return Compression(len(reads), *arrays)


def expand(compression: Compression, lower: Predictor) -> Symbols:
    """(length,) the original sequence, from what was passed on and a predictor that knows what the lower level knew before.

    At each time the symbol is either the one that was passed on, or else the one that the lower level predicts: it is the same
    predictor, so it predicts the same. ``lower`` stays as it is.

    Raises:
        ValueError: when ``lower`` predicts nothing at a time at which nothing was passed on: it is not the one that compressed.
    """
    predictor = lower.copy()
    predictor.forget_context()
    passed = dict(zip(compression.times.tolist(), compression.symbols.tolist(), strict=True))
    found = np.empty(compression.length, np.int64)
    for time in range(compression.length):
        symbol = passed.get(time, predictor.predict())
        if symbol is None:
            raise ValueError(f"nothing was passed on at time {time}, and this predictor predicts nothing there")
        predictor.learn(symbol)
        found[time] = symbol
    return found


def lag_sequence(blocks: int, lag: int, seed: int) -> tuple[Symbols, tuple[str, ...]]:
    """A long lag, after the task of Schmidhuber 1992: each block is a or x at random, then always b₁ … b_lag, then A after a, X after x.

    The b are predictable from their neighbour, the first symbol of a block is not at all, and the last one only from the
    first, ``lag`` + 1 steps before.

    Returns:
        (blocks · (lag + 2),) symbols, and the name of each symbol.
    """
    cues = np.random.default_rng([seed, 4]).integers(0, 2, blocks)
    rows = np.empty((blocks, lag + 2), np.int64)
    rows[:, 0] = cues
    rows[:, 1:-1] = np.arange(2, lag + 2)
    rows[:, -1] = lag + 2 + cues
    return rows.ravel(), symbol_names(lag)


def symbol_names(lag: int) -> tuple[str, ...]:
    """The names of the symbols of `lag_sequence`: a, x, b1 …, A, X."""
    return ("a", "x", *(f"b{number}" for number in range(1, lag + 1)), "A", "X")


def spell(symbols: Sequence[int] | Symbols, names: Sequence[str]) -> str:
    """The sequence as text, with a space between two symbols."""
    return " ".join(names[int(symbol)] for symbol in symbols)
