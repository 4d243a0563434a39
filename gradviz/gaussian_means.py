"""Means over Gaussian pre-activations: of f(z_a) f(z_b) and f′(z_a) f′(z_b), for every pair of examples of a batch.

In a wide net with random weights the pre-activations of a layer are Gaussian, with one covariance matrix over the examples for
all units (Neal 1996), so such a matrix and these two means are all that mean-field theory needs of a layer. Of the activations
that are straight on either side of 0 the means are known (Cho and Saul 2009); the others are expanded in Hermite polynomials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats

TERMS = 20  # Hermite polynomials of the expansion; what it leaves over goes to the next power of the correlation
STRAIGHT = {"identity": 1.0, "relu": 0.0, "leaky_relu": None, "prelu": None}  # slope below 0; None for the activation's own


@dataclass(frozen=True)
class Means:
    """Of one layer: ``values`` and ``slopes`` (batch, batch) of f(z_a) f(z_b) and f′(z_a) f′(z_b), ``mean`` (batch,) of f(z)."""

    values: Floats
    slopes: Floats
    mean: Floats


def _grid() -> tuple[Floats, Floats, Floats]:
    """Places z and weights for a mean over N(0, 1), and the weighted Hermite polynomials there, (places, terms).

    The places crowd towards 0 (z = 8.5 sinh 10t / sinh 10), so that also what a steep tanh does there is seen; the trapezoidal rule
    in t converges faster than any power for smooth functions, and a kink at 0 falls between two equal halves.
    """
    t, step = np.linspace(-1.0, 1.0, 193, retstep=True)
    z = 8.5 * np.sinh(10.0 * t) / math.sinh(10.0)
    weights = 85.0 * np.cosh(10.0 * t) / math.sinh(10.0) * float(step) * np.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
    polynomials = np.empty((TERMS + 1, len(z)))  # normalised: the mean of their products is 1 or 0
    polynomials[0], polynomials[1] = 1.0, z
    for k in range(1, TERMS):
        polynomials[k + 1] = (z * polynomials[k] - math.sqrt(k) * polynomials[k - 1]) / math.sqrt(k + 1)
    return z, weights, (polynomials * weights).T.copy()


PLACES, WEIGHTS, POLYNOMIALS = _grid()


def means(activation: str, parameter: float, covariance: Floats) -> Means:
    """See the module; ``covariance`` (batch, batch) is that of a unit's pre-activations, ``parameter`` that of the activation."""
    deviations = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    sizes = np.outer(deviations, deviations)
    correlations = np.clip(np.divide(covariance, sizes, out=np.zeros_like(sizes), where=sizes > 0), -1.0, 1.0)
    np.fill_diagonal(correlations, 1.0)
    both_positive = (np.pi - np.arccos(correlations)) / (2.0 * np.pi)  # the chance that z_a > 0 and z_b > 0
    if activation == "step":
        return Means(both_positive, np.zeros_like(sizes), np.full(len(deviations), 0.5))
    if activation in STRAIGHT:
        fixed = STRAIGHT[activation]
        alpha = parameter if fixed is None else fixed
        # f(z) = αz + (1 − α) max(0, z)
        rectified = np.sqrt(1.0 - correlations * correlations) / (2.0 * np.pi) + correlations * both_positive
        values = sizes * (alpha * correlations + (1.0 - alpha) ** 2 * rectified)
        slopes = alpha + (1.0 - alpha) ** 2 * both_positive
        return Means(values, slopes, (1.0 - alpha) * deviations / math.sqrt(2.0 * math.pi))
    entry = ACTIVATIONS[activation]
    z = deviations[:, None] * PLACES
    value = entry.function(z, parameter)
    slope = np.empty_like(z)
    entry.backward(z, value, slope, parameter)
    powers = np.empty((TERMS + 1, *sizes.shape))  # c, c², …
    powers[0] = correlations
    for k in range(TERMS):
        np.multiply(powers[k], correlations, out=powers[k + 1])
    return Means(_paired(value, powers), _paired(slope, powers), value @ WEIGHTS)


def _paired(values: Floats, powers: Floats) -> Floats:
    """The mean of g(z_a) g(z_b), which is Σ_k a_k b_k c^k, for ``values`` (batch, places) of g and ``powers`` (k, batch, batch) of c."""
    expanded = (values @ POLYNOMIALS).T  # (terms, batch)
    products = expanded[:, :, None] * expanded[:, None, :]
    found: Floats = products[0] + np.einsum("kab,kab->ab", products[1:], powers[:-1])
    left = np.sqrt(np.maximum((values * values) @ WEIGHTS - found.diagonal(), 0.0))  # of the terms that are not summed
    found += np.outer(left, left) * powers[-1]
    return found


def tails(activation: str, parameter: float, variance: float) -> tuple[float, float, float]:
    """How unevenly the units share the work where z has this variance: E f⁴ / (E f²)², E f′⁴ / (E f′²)², and d ln E f² / d ln variance.

    The first two say how much a layer of finite width scatters, the third how much of its scatter the next layer passes on.
    """
    entry = ACTIVATIONS[activation]
    z = math.sqrt(max(variance, 0.0)) * PLACES
    value, slope = entry.function(z, parameter), entry.derivative(z, parameter)
    square = float((value * value) @ WEIGHTS)
    return _tail(value), _tail(slope), float((value * slope * z) @ WEIGHTS) / square if square > 0 else 0.0


def _tail(values: Floats) -> float:
    largest = float(np.abs(values).max())
    squares = np.square(values / largest) if largest > 0 else np.ones_like(values)
    return float((squares * squares) @ WEIGHTS) / float(squares @ WEIGHTS) ** 2
