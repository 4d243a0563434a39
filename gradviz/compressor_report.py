"""The history compressor after so many symbols of a sequence with a long lag: what it passed on, and what each level expects next."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradviz.compressor import START, TRUST, HistoryCompressor, Symbols, lag_sequence, symbol_names
from gradviz.history import frozen
from gradviz.lab_reports import CompressorReport

BLOCKS = 80  # that can be read
LONGEST_LAG = 200
IN_SIGHT = 256  # of the latest symbols a report holds
RECENT = 10  # blocks over which answers are counted


class _Reading(NamedTuple):
    """What happened to each symbol of a whole sequence; all of it depends on the symbols before alone."""

    symbols: Symbols  # (n,)
    below: Symbols  # (n,) what the lower level predicted before the symbol came, `START` for nothing
    above: Symbols  # (n,) what the upper level expected to be passed on next at that time, `START` for nothing
    passed: NDArray[np.bool_]  # (n,)


def compressor_report(lag: int, read: int, seed: int) -> CompressorReport:
    """The state after ``read`` symbols, at most the whole sequence.

    Args:
        lag: how many symbols stand between a cue and its answer.
        read: how many symbols have been read.
        seed: draws the cues.

    Raises:
        ValueError: for a lag outside 1 … `LONGEST_LAG`, or a negative number of symbols.
    """
    if not 1 <= lag <= LONGEST_LAG or read < 0:
        raise ValueError(f"the lag is {lag} and {read} symbols are read; a lag of 1 to {LONGEST_LAG} and 0 symbols or more are possible")
    reading = _read(lag, seed)
    longest, size = len(reading.symbols), lag + 2
    read = min(read, longest)
    upper = np.flatnonzero(reading.passed[:read])
    shown, shown_above = slice(max(0, read - IN_SIGHT), read), upper[-IN_SIGHT:]
    whole = read // size
    shares = reading.passed[: whole * size].reshape(whole, size).mean(axis=1) if whole else np.zeros(0)
    answers = np.arange(whole)[-RECENT:] * size + size - 1
    right_below = reading.below[answers] == reading.symbols[answers]
    right_above = ~right_below & (reading.above[answers] == reading.symbols[answers])
    return CompressorReport(
        lag=lag,
        trust=TRUST,
        names=symbol_names(lag),
        read=read,
        longest=longest,
        symbols=frozen(reading.symbols[shown]),
        predicted=frozen(reading.below[shown]),
        passed=frozen(reading.passed[shown]),
        upper_length=len(upper),
        upper_times=frozen(shown_above),
        upper_symbols=frozen(reading.symbols[shown_above]),
        upper_predicted=frozen(reading.above[shown_above]),
        next_below=int(reading.below[read]) if read < longest else START,
        next_above=int(reading.above[read]) if read < longest else START,
        shares=frozen(shares),
        answers=len(answers),
        foreseen_below=int(right_below.sum()),
        foreseen_above=int(right_above.sum()),
        distance_above=_distance(upper, whole, size),
    )


@functools.lru_cache(maxsize=4)
def _read(lag: int, seed: int) -> _Reading:
    """The whole sequence read symbol by symbol: the state after any number of them is then a look-up."""
    symbols, _ = lag_sequence(BLOCKS, lag, seed)
    compressor = HistoryCompressor()
    below, above, passed = [], [], []
    for symbol in symbols.tolist():
        expected = compressor.upper.predict()
        found = compressor.read(symbol)
        below.append(START if found.predicted is None else found.predicted)
        above.append(START if expected is None else expected)
        passed.append(found.passed_on)
    return _Reading(symbols, np.array(below, np.int64), np.array(above, np.int64), np.array(passed, np.bool_))


def _distance(upper: NDArray[np.intp], whole: int, size: int) -> int:
    """Steps of the upper sequence from cue to answer in the latest whole block of which both were passed on; 0 when there is none."""
    place = {time: number for number, time in enumerate(upper.tolist())}
    for block in range(whole - 1, -1, -1):
        cue, answer = place.get(block * size), place.get((block + 1) * size - 1)
        if cue is not None and answer is not None:
            return answer - cue
    return 0
