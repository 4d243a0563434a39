"""How the first weights are drawn: `INITIALIZERS` maps a name to a function (rng, fan_in, fan_out) -> (fan_in, fan_out)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Initializer:
    """A rule for the first weights; ``draw`` returns an array of shape (fan_in, fan_out), before the gain."""

    title: str
    formula: str
    draw: Callable[[np.random.Generator, int, int], Floats]


def _orthogonal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Floats:
    """Rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2014)."""
    tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r))  # makes the distribution uniform over orthogonal matrices
    return q if fan_in >= fan_out else q.T


def _normal(deviation: Callable[[int, int], float]) -> Callable[[np.random.Generator, int, int], Floats]:
    return lambda rng, fan_in, fan_out: rng.standard_normal((fan_in, fan_out)) * deviation(fan_in, fan_out)


def _uniform(bound: Callable[[int, int], float]) -> Callable[[np.random.Generator, int, int], Floats]:
    return lambda rng, fan_in, fan_out: rng.uniform(-1.0, 1.0, (fan_in, fan_out)) * bound(fan_in, fan_out)


INITIALIZERS: dict[str, Initializer] = {
    # Glorot and Bengio 2010, equations 12 and 16
    "xavier_normal": Initializer("Xavier normal", "N(0, 2 / (fan-in + fan-out))", _normal(lambda i, o: math.sqrt(2 / (i + o)))),
    "xavier_uniform": Initializer("Xavier uniform", "U(±√(6 / (fan-in + fan-out)))", _uniform(lambda i, o: math.sqrt(6 / (i + o)))),
    # He et al. 2015, equation 10
    "he_normal": Initializer("He normal", "N(0, 2 / fan-in)", _normal(lambda i, o: math.sqrt(2 / i))),
    "he_uniform": Initializer("He uniform", "U(±√(6 / fan-in))", _uniform(lambda i, o: math.sqrt(6 / i))),
    # LeCun et al. 1998, section 4.6
    "lecun_normal": Initializer("LeCun normal", "N(0, 1 / fan-in)", _normal(lambda i, o: math.sqrt(1 / i))),
    "orthogonal": Initializer("Orthogonal", "WᵀW = 1", _orthogonal),
    "normal": Initializer("Normal", "N(0, 1)", _normal(lambda i, o: 1.0)),
    "uniform": Initializer("Uniform", "U(−1, 1)", _uniform(lambda i, o: 1.0)),
    "constant": Initializer("Constant", "1", lambda rng, fan_in, fan_out: np.ones((fan_in, fan_out))),
    "zeros": Initializer("Zeros", "0", lambda rng, fan_in, fan_out: np.zeros((fan_in, fan_out))),
}
