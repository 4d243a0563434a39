"""Sequence tasks whose answer lies far back: what a recurrent net has to carry through time, and a vanishing gradient cannot teach.

Inputs are arrays (batch, time, features) of float64. The same arguments give the same sequences; longer lags leave the symbols to
be recalled as they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ADDING_BASELINE = 1.0 / 6.0
"""Squared error of always answering 1 in the adding problem: the variance of the sum of two uniform numbers."""


class Sequences(NamedTuple):
    """Sequences, and what is to be said after the last time step of each."""

    inputs: Floats  # (samples, time, features)
    targets: NDArray[Any]  # (samples,) class numbers, or values
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]  # empty for a value

    @property
    def classes(self) -> int:
        return len(self.class_names)


def recall(samples: int, lag: int, symbols: int = 4, noise_symbols: int = 8, seed: int = 0) -> Sequences:
    """Say at the end which symbol came first, after ``lag`` time steps of symbols that mean nothing.

    Each time step is a one-hot vector of ``symbols + noise_symbols`` features: the first step one of the symbols, the others noise
    (after the "long time lag" tasks of Hochreiter and Schmidhuber 1997, section 5.2). Guessing is right once in ``symbols`` times.

    With few noise symbols the noise is almost a constant input, which even a plain RNN learns to latch on to without a gradient that
    reaches back; with the default numbers it does not get there.

    Args:
        lag: time steps between the symbol and the answer; the sequences have ``lag + 1`` time steps.

    Raises:
        ValueError: for sizes that make no such task.
    """
    for name, value, least in (("samples", samples, 1), ("lag", lag, 0), ("symbols", symbols, 2), ("noise_symbols", noise_symbols, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}; the recall task needs at least {least}")
    targets = np.random.default_rng([seed, 0]).integers(0, symbols, samples)
    noise = np.random.default_rng([seed, 1]).integers(symbols, symbols + noise_symbols, (samples, lag))
    inputs = np.eye(symbols + noise_symbols)[np.column_stack([targets, noise])]
    names = tuple(chr(ord("A") + n) if symbols <= 26 else str(n) for n in range(symbols))
    return Sequences(inputs, targets, (*names, *(f"noise {n}" for n in range(1, noise_symbols + 1))), names)


def adding(samples: int, time: int, seed: int = 0) -> Sequences:
    """Say the sum of the two numbers that are marked.

    Each time step is a number uniform in [0, 1) and a mark; one mark lies in the first half of the sequence, one in the second (the
    adding problem, Hochreiter and Schmidhuber 1997, section 5.4, in the plain form of Le, Jaitly and Hinton 2015, section 4.1).
    Always answering 1 has the squared error `ADDING_BASELINE`.

    Raises:
        ValueError: for sizes that make no such task.
    """
    for name, value, least in (("samples", samples, 1), ("time", time, 2)):
        if value < least:
            raise ValueError(f"{name} is {value}; the adding problem needs at least {least}")
    numbers = np.random.default_rng([seed, 0]).random((samples, time))
    places = np.random.default_rng([seed, 1])
    rows, half = np.arange(samples), time // 2
    first, second = places.integers(0, half, samples), places.integers(half, time, samples)
    marks = np.zeros((samples, time))
    marks[rows, first] = marks[rows, second] = 1.0
    return Sequences(np.stack([numbers, marks], axis=2), numbers[rows, first] + numbers[rows, second], ("number", "mark"), ())
