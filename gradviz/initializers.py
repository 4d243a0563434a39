"""How the first weights are drawn: `INITIALIZERS` maps a name to a function (rng, fan_in, fan_out) -> (fan_in, fan_out)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Floats


@dataclass(frozen=True)
class Initializer:
    """A rule for the first weights; ``draw`` returns an array of shape (fan_in, fan_out), before the gain.

    ``variance(fan_in, fan_out)`` is that of each weight, around 0; None where the weights are not drawn at random.
    """

    title: str
    formula: str
    draw: Callable[[np.random.Generator, int, int], Floats]
    variance: Callable[[int, int], float] | None = None


def _orthogonal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Floats:
    """Rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2014)."""
    tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r))  # makes the distribution uniform over orthogonal matrices
    return q if fan_in >= fan_out else q.T


def _normal(title: str, formula: str, deviation: Callable[[int, int], float]) -> Initializer:
    return Initializer(
        title,
        formula,
        lambda rng, fan_in, fan_out: rng.standard_normal((fan_in, fan_out)) * deviation(fan_in, fan_out),
        lambda fan_in, fan_out: deviation(fan_in, fan_out) ** 2,
    )


def _uniform(title: str, formula: str, bound: Callable[[int, int], float]) -> Initializer:
    return Initializer(
        title,
        formula,
        lambda rng, fan_in, fan_out: rng.uniform(-1.0, 1.0, (fan_in, fan_out)) * bound(fan_in, fan_out),
        lambda fan_in, fan_out: bound(fan_in, fan_out) ** 2 / 3.0,
    )


INITIALIZERS: dict[str, Initializer] = {
    # Glorot and Bengio 2010, equations 12 and 16
    "xavier_normal": _normal("Xavier normal", "N(0, 2 / (fan-in + fan-out))", lambda i, o: math.sqrt(2 / (i + o))),
    "xavier_uniform": _uniform("Xavier uniform", "U(±√(6 / (fan-in + fan-out)))", lambda i, o: math.sqrt(6 / (i + o))),
    # He et al. 2015, equation 10
    "he_normal": _normal("He normal", "N(0, 2 / fan-in)", lambda i, o: math.sqrt(2 / i)),
    "he_uniform": _uniform("He uniform", "U(±√(6 / fan-in))", lambda i, o: math.sqrt(6 / i)),
    # LeCun et al. 1998, section 4.6
    "lecun_normal": _normal("LeCun normal", "N(0, 1 / fan-in)", lambda i, o: math.sqrt(1 / i)),
    "orthogonal": Initializer("Orthogonal", "WᵀW = 1", _orthogonal, lambda i, o: 1 / max(i, o)),
    "normal": _normal("Normal", "N(0, 1)", lambda i, o: 1.0),
    "uniform": _uniform("Uniform", "U(−1, 1)", lambda i, o: 1.0),
    "constant": Initializer("Constant", "1", lambda rng, fan_in, fan_out: np.ones((fan_in, fan_out))),
    "zeros": Initializer("Zeros", "0", lambda rng, fan_in, fan_out: np.zeros((fan_in, fan_out))),
}
