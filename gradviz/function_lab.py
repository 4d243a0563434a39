"""Functions looked at by themselves, apart from any network: what linear means, and how a sigmoid sharpens into a step."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats

TOLERANCE = 1e-12  # relative: two sides that differ by no more are equal but for rounding
TRIES = 2000  # of the search for a counter-example
REACH = 40.0  # in units of 1 / sharpness: beyond, the slope of the sigmoid is below 1e-17 of its peak
POINTS = 2001


class SharpSlope(msgspec.Struct, frozen=True):
    """The derivative of σ(kx): as k grows it is higher and narrower, and its area stays 1."""

    sharpness: float  # k
    peak: float  # at x = 0: k / 4
    half_width: float  # from 0 to where the derivative is half its peak
    area: float  # under the whole derivative, by numerical integration


class Linearity(msgspec.Struct, frozen=True):
    """The two equations that make a function linear, tried at x, y and a."""

    name: str
    parameter: float  # α, or ReLU's derivative at 0
    x: float
    y: float
    a: float
    f_x: float
    f_y: float
    of_sum: float  # f(x + y) …
    sum_of: float  # … against f(x) + f(y)
    of_multiple: float  # f(a x) …
    multiple_of: float  # … against a f(x)
    additive: bool  # whether the first two are equal here
    homogeneous: bool  # whether the last two are

    @property
    def linear(self) -> bool:
        """Whether both equations hold here, which proves nothing elsewhere."""
        return self.additive and self.homogeneous


def sharp_sigmoid(x: Floats, k: float) -> Floats:
    """σ(kx) for k > 0, of the same shape as ``x``."""
    with np.errstate(over="ignore"):
        values: Floats = ACTIVATIONS["sigmoid"].function(np.asarray(x, float) * _positive(k))
    return values


def sharp_sigmoid_slope(x: Floats, k: float) -> Floats:
    """Its derivative kσ(1 − σ) = k / (e^kx + 2 + e^−kx)."""
    with np.errstate(over="ignore"):
        slope: Floats = _positive(k) / (2.0 + 2.0 * np.cosh(np.asarray(x, float) * k))
    return slope


def sharp_slope(k: float) -> SharpSlope:
    """What the derivative of σ(kx) looks like; raises ValueError unless k is positive and finite."""
    x = np.linspace(-REACH / _positive(k), REACH / k, POINTS)
    slopes = sharp_sigmoid_slope(x, k)
    area = float(np.sum(slopes[1:] + slopes[:-1]) / 2.0) * (2.0 * REACH / k / (POINTS - 1))  # trapezoids
    # σ(1 − σ) is half of 1/4 where kx = ln(3 + 2√2)
    return SharpSlope(k, k / 4.0, math.log(3.0 + 2.0 * math.sqrt(2.0)) / k, area)


def step(x: Floats) -> Floats:
    """What σ(kx) tends to: 0 for x < 0, 1 for x ≥ 0. (At 0 itself the sigmoid is ½, however sharp.)"""
    return ACTIVATIONS["step"].function(np.asarray(x, float))


def gap_to_step(k: float, beyond: float) -> float:
    """How far σ(kx) is from the step at most, at a distance of at least ``beyond`` > 0 from 0."""
    return float(sharp_sigmoid(np.array([-abs(beyond)]), k)[0])


def _positive(k: float) -> float:
    if not (k > 0 and math.isfinite(k)):
        raise ValueError(f"the sharpness is {k!r}; it must be a positive number")
    return k


def linearity(name: str, x: float, y: float, a: float, parameter: float | None = None) -> Linearity:
    """Try f(x + y) = f(x) + f(y) and f(a x) = a f(x) for one of `ACTIVATIONS`.

    Args:
        parameter: as in `Activation.function`; the activation's own if None.

    Raises:
        ValueError: when x, y or a is not finite.
    """
    if not all(math.isfinite(value) for value in (x, y, a)):
        raise ValueError(f"x = {x!r}, y = {y!r} and a = {a!r} must be finite numbers")
    activation = ACTIVATIONS[name]
    own = activation.parameter if parameter is None else parameter
    with np.errstate(all="ignore"):
        values = activation.function(np.array([x, y, x + y, a * x]), own) + 0.0  # no −0
    f_x, f_y, of_sum, of_multiple = values.tolist()
    sum_of, multiple_of = f_x + f_y, a * f_x + 0.0
    additive = _equal(of_sum, sum_of, max(abs(f_x), abs(f_y)))
    return Linearity(name, own, x, y, a, f_x, f_y, of_sum, sum_of, of_multiple, multiple_of, additive, _equal(of_multiple, multiple_of))


def _equal(left: float, right: float, terms: float = 0.0) -> bool:
    """Equal but for rounding; ``terms`` is the size of what was added, which may nearly cancel."""
    return left == right or abs(left - right) <= TOLERANCE * max(abs(left), abs(right), terms)


def counter_example(name: str, rng: np.random.Generator, parameter: float | None = None) -> Linearity | None:
    """Where random x, y and a break both equations most clearly; None when no such place is found: for linear functions."""
    activation = ACTIVATIONS[name]
    own = activation.parameter if parameter is None else parameter
    # multiples of ½: numbers that a student can check by head, and whose sums and products are exact
    x, y = rng.integers(-8, 9, (2, TRIES)) / 2.0
    a = rng.integers(-6, 7, TRIES) / 2.0
    f_x, f_y, of_sum, of_multiple = activation.function(np.stack((x, y, x + y, a * x)), own)
    clear = np.minimum(np.abs(of_sum - (f_x + f_y)), np.abs(of_multiple - a * f_x))
    at = int(clear.argmax())
    found = linearity(name, float(x[at]), float(y[at]), float(a[at]), own)
    return None if found.additive or found.homogeneous else found
