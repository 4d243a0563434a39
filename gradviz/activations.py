"""The activation functions, each with its derivative beside it.

A new activation is one entry in `ACTIVATIONS`: the controls, the finite-difference checks and the lessons iterate that
table. All functions write into preallocated arrays, because nothing is allocated inside a training step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats

LIMIT = 8.0  # activations are looked at from −LIMIT to LIMIT: beyond, none of them does anything new
SMALL_SHARE = 0.1  # f′ counts as small up to this share of the largest |f′| that the activation has
_SAMPLES = 4097  # odd, so that 0 is among them

GELU_SCALE = 0.7978845608028654  # sqrt(2 / π), Hendrycks and Gimpel 2016, section 2
GELU_CUBIC = 0.044715


@dataclass(frozen=True)
class Activation:
    """A function f applied to each pre-activation z, and its derivative f′.

    ``forward(z, out, parameter)`` writes f(z); ``backward(z, value, out, parameter)`` writes f′(z), given ``value`` = f(z).
    ``parameter`` is the slope α on the negative side (leaky ReLU, PReLU) or ReLU's derivative at exactly 0.

    Where ``of_output``, f′ is a function of f alone: ``backward`` given f(z) in place of z writes the same (of ReLU, with 0 at 0).
    """

    title: str
    formula: str
    derivative_formula: str
    forward: Callable[[Floats, Floats, float], object]
    backward: Callable[[Floats, Floats, Floats, float], object]
    parameter: float = 0.0
    trained: bool = False  # the parameter is learnt, one per layer
    kinks: tuple[float, ...] = ()  # where f has no derivative
    of_output: bool = False

    def function(self, z: Floats, parameter: float | None = None) -> Floats:
        """f(z), of the same shape as ``z``."""
        out = np.empty_like(z)
        self.forward(z, out, self.parameter if parameter is None else parameter)
        return out

    def derivative(self, z: Floats, parameter: float | None = None) -> Floats:
        """f′(z), of the same shape as ``z``."""
        out = np.empty_like(z)
        value = self.parameter if parameter is None else parameter
        self.backward(z, self.function(z, value), out, value)
        return out

    @cached_property
    def small_slope(self) -> float:
        """|f′| up to here counts as small: a tenth of its largest value, with the parameter the activation starts with.

        So the sigmoid's zone where f′ is not small ends at |z| = 3.64, that of tanh at 1.82; a step has none.
        """
        return SMALL_SHARE * float(np.abs(self.derivative(np.linspace(-LIMIT, LIMIT, _SAMPLES))).max())

    def is_small(self, slopes: Floats) -> NDArray[np.bool_]:
        """Where f′ is small, for slopes of any shape; NaN is not."""
        small: NDArray[np.bool_] = np.abs(slopes) <= self.small_slope
        return small

    def zone(self, parameter: float | None = None, limit: float = LIMIT) -> list[tuple[float, float]]:
        """The intervals (from, to) of [−limit, limit] in which f′ is not small, from left to right."""
        z = np.linspace(-limit, limit, _SAMPLES)
        small = self.is_small(self.derivative(z, parameter))
        bounds = [self._boundary(float(z[at]), float(z[at + 1]), parameter) for at in np.flatnonzero(small[:-1] != small[1:])]
        ends = ([] if small[0] else [-limit]) + bounds + ([] if small[-1] else [limit])
        return list(zip(ends[::2], ends[1::2], strict=True))

    def _boundary(self, left: float, right: float, parameter: float | None) -> float:
        """Where between two points f′ becomes small, or stops being small."""
        points = np.array([left, right])
        first = bool(self.is_small(self.derivative(points, parameter))[0])
        for _ in range(40):
            points[:] = left, (left + right) / 2
            if bool(self.is_small(self.derivative(points, parameter))[1]) == first:
                left = float(points[1])
            else:
                right = float(points[1])
        return round((left + right) / 2, 9) + 0.0  # 0.0: never −0


def _identity(z: Floats, out: Floats, _: float) -> None:
    np.copyto(out, z)


def _identity_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    out.fill(1.0)


def _sigmoid(z: Floats, out: Floats, _: float) -> None:
    # f = 1 / (1 + e^−z): for a very negative z the quotient keeps its relative precision, for a very positive one it is 1
    np.negative(z, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


def _sigmoid_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    # f′ = f (1 − f)
    np.subtract(1.0, value, out=out)
    np.multiply(out, value, out=out)


def _tanh(z: Floats, out: Floats, _: float) -> None:
    np.tanh(z, out=out)


def _tanh_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    # da/dz = 1 − a²
    np.multiply(value, value, out=out)
    np.subtract(1.0, out, out=out)


def _relu(z: Floats, out: Floats, _: float) -> None:
    np.maximum(z, 0.0, out=out)


def _relu_slope(z: Floats, value: Floats, out: Floats, at_zero: float) -> None:
    # 0 for z < 0, 1 for z > 0; at 0 any subgradient in [0, 1]
    if at_zero:
        np.heaviside(z, at_zero, out=out)
    else:
        np.greater(z, 0.0, out=out)  # several times faster than heaviside


def _leaky(z: Floats, out: Floats, alpha: float) -> None:
    # αz for z ≤ 0, z for z > 0, for every α: a trained one may pass 1
    np.minimum(z, 0.0, out=out)
    np.multiply(out, alpha - 1.0, out=out)
    np.add(out, z, out=out)


def _leaky_slope(z: Floats, value: Floats, out: Floats, alpha: float) -> None:
    np.greater(z, 0.0, out=out)
    np.multiply(out, 1.0 - alpha, out=out)
    np.add(out, alpha, out=out)


def _elu(z: Floats, out: Floats, _: float) -> None:
    # e^z − 1 for z ≤ 0, z for z > 0 (Clevert et al. 2016, with α = 1)
    np.minimum(z, 0.0, out=out)
    np.expm1(out, out=out)
    np.add(out, np.maximum(z, 0.0), out=out)


def _elu_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    np.minimum(z, 0.0, out=out)
    np.exp(out, out=out)


def _gelu(z: Floats, out: Floats, _: float) -> None:
    # z/2 · (1 + tanh(√(2/π) (z + 0.044715 z³)))
    inner = z * z
    inner *= GELU_CUBIC
    inner += 1.0
    inner *= z
    inner *= GELU_SCALE
    np.tanh(inner, out=inner)
    inner += 1.0
    inner *= 0.5
    np.multiply(inner, z, out=out)


def _gelu_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    # with t = tanh(u): (1 + t)/2 + z/2 · (1 − t²) · u′,  u′ = √(2/π) (1 + 3 · 0.044715 z²)
    square = np.minimum(z * z, 1e4)  # t is ±1 long before; without the bound a huge z would make 0 · ∞
    t = np.tanh(GELU_SCALE * z * (1.0 + GELU_CUBIC * square))
    slope = 0.5 * z * (1.0 - t * t) * (GELU_SCALE * (1.0 + 3.0 * GELU_CUBIC * square))
    np.add(slope, 0.5 * (1.0 + t), out=out)


def _softplus(z: Floats, out: Floats, _: float) -> None:
    np.logaddexp(z, 0.0, out=out)


def _softplus_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    _sigmoid(z, out, 0.0)


def _silu(z: Floats, out: Floats, _: float) -> None:
    _sigmoid(z, out, 0.0)
    np.multiply(out, z, out=out)


def _silu_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    # σ (1 + z (1 − σ))
    _sigmoid(z, out, 0.0)
    np.multiply(out, 1.0 + z * (1.0 - out), out=out)


def _step(z: Floats, out: Floats, _: float) -> None:
    np.greater_equal(z, 0.0, out=out)


def _step_slope(z: Floats, value: Floats, out: Floats, _: float) -> None:
    out.fill(0.0)


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation("Sigmoid", "1 / (1 + e⁻ᶻ)", "f (1 − f)", _sigmoid, _sigmoid_slope, of_output=True),
    "tanh": Activation("Tanh", "tanh z", "1 − f²", _tanh, _tanh_slope, of_output=True),
    "relu": Activation("ReLU", "max(0, z)", "0 for z < 0, 1 for z > 0", _relu, _relu_slope, kinks=(0.0,), of_output=True),
    "leaky_relu": Activation("Leaky", "αz for z ≤ 0, z for z > 0", "α or 1", _leaky, _leaky_slope, parameter=0.01, kinks=(0.0,)),
    "prelu": Activation(
        "PReLU", "αz for z ≤ 0, z for z > 0; α is learnt", "α or 1", _leaky, _leaky_slope, parameter=0.25, trained=True, kinks=(0.0,)
    ),
    "elu": Activation("ELU", "eᶻ − 1 for z ≤ 0, z for z > 0", "eᶻ or 1", _elu, _elu_slope),
    "identity": Activation("Identity", "z", "1", _identity, _identity_slope, of_output=True),
    "step": Activation("Step", "0 for z < 0, 1 for z ≥ 0", "0", _step, _step_slope, kinks=(0.0,), of_output=True),
    "gelu": Activation(
        "GELU", "z/2 · (1 + tanh(√(2/π) (z + 0.0447 z³)))", "(1 + t)/2 + z/2 · (1 − t²) · u′, t = tanh u", _gelu, _gelu_slope
    ),
    "silu": Activation("SiLU", "z · σ(z)", "σ (1 + z (1 − σ))", _silu, _silu_slope),
    "softplus": Activation("Softplus", "ln(1 + eᶻ)", "σ(z)", _softplus, _softplus_slope),
}
