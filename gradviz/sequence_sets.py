"""Data sets whose inputs are sequences: two tasks with a long lag, and spoken vowels.

Inputs are (n, time, features). All sequences of a set have the same number of time steps: a shorter one is filled up in front, so that
its last time step, after which the answer is asked for, is the last of all.
"""

from __future__ import annotations

import gzip
import io
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gradviz.csv_rows import DataError
from gradviz.resources import RESOURCES
from gradviz.sequences import Sequences, adding, recall
from gradviz.tables import Table

Floats = NDArray[np.float64]

MOST_NUMBERS = 40_000_000
"""Inputs of a generated set, samples · time steps · features, that are held in memory: 320 MB."""

SYMBOLS, NOISE_SYMBOLS = 4, 8  # of the recall task; with fewer noise symbols a plain RNN gets by without a gradient that reaches back
ADDING_FEATURES = 2


def recall_table(samples: int, lag: int, seed: int) -> Table:
    """The recall task, ``lag + 1`` time steps of one-hot symbols; a thousand samples are enough to learn it at a lag of 100.

    Raises:
        DataError: when there would be more than `MOST_NUMBERS` numbers.
    """
    _check_size(samples, lag + 1, SYMBOLS + NOISE_SYMBOLS)
    return _table(recall(samples, lag, SYMBOLS, NOISE_SYMBOLS, seed))


def adding_table(samples: int, lag: int, seed: int) -> Table:
    """The adding problem with ``lag`` time steps, at least 2; it takes more samples than recall, some thousands at a lag of 100.

    Raises:
        DataError: when there would be more than `MOST_NUMBERS` numbers.
    """
    time = max(2, lag)
    _check_size(samples, time, ADDING_FEATURES)
    return _table(adding(samples, time, seed))


def _check_size(samples: int, time: int, features: int) -> None:
    numbers = samples * time * features
    if numbers > MOST_NUMBERS:
        raise DataError(
            f"{samples:,} sequences of {time:,} time steps with {features} features are {numbers:,} numbers, more than {MOST_NUMBERS:,}. "
            "Take fewer samples or a shorter lag."
        )


def _table(found: Sequences) -> Table:
    targets = found.targets.astype(np.int64) if found.class_names else found.targets[:, None]
    return Table(found.inputs, targets, found.feature_names, found.class_names)


@cache
def vowels_table(file: str) -> Table:
    """The utterances of a file with one frame a row: utterance, frame, speaker, coefficients; see `resources/data/README.md`."""
    text = gzip.decompress((RESOURCES / "data" / file).read_bytes()).decode()
    names = tuple(text[: text.index("\n")].split(",")[3:])
    rows = np.loadtxt(io.StringIO(text), delimiter=",", skiprows=1)
    utterances, frames = rows[:, 0].astype(np.int64) - 1, rows[:, 1].astype(np.int64) - 1
    lengths = np.bincount(utterances)
    time = int(lengths.max())
    inputs = np.zeros((len(lengths), time, len(names)))
    inputs[utterances, time - lengths[utterances] + frames] = rows[:, 3:]
    speakers = np.empty(len(lengths), np.int64)
    speakers[utterances] = rows[:, 2].astype(np.int64) - 1
    return Table(inputs, speakers, names, tuple(f"speaker {n}" for n in range(1, int(speakers.max()) + 2)), lengths)
