"""Gradient clipping: what is done to the gradient between back-propagation and the update."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Floats


def norm(vector: Floats) -> float:
    """‖v‖ of a flat vector, also where its square leaves the range of the numbers: 1e200 does not become infinite, 1e-200 not 0."""
    square = float(np.dot(vector, vector))
    low, high = (1e-30, 1e37) if vector.dtype == np.float32 else (1e-280, 1e300)
    if low < square < high:
        return math.sqrt(square)
    largest = float(np.max(np.abs(vector), initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    scaled = vector / largest
    return largest * math.sqrt(float(np.dot(scaled, scaled)))


@dataclass(frozen=True)
class Clipping:
    """A rule that limits the gradient in place.

    ``apply(gradient, layers, threshold)`` gets the flat gradient and the slice of each layer's parameters in it.
    """

    title: str
    formula: str
    apply: Callable[[Floats, Sequence[slice], float], None]


def _clip_nothing(gradient: Floats, layers: Sequence[slice], threshold: float) -> None:
    pass


def _clip_value(gradient: Floats, layers: Sequence[slice], threshold: float) -> None:
    np.clip(gradient, -threshold, threshold, out=gradient)


def _clip_norm(gradient: Floats, layers: Sequence[slice], threshold: float) -> None:
    # if ‖g‖ > threshold: g ← threshold · g / ‖g‖ (Pascanu et al. 2013, algorithm 1)
    length = norm(gradient)
    if length > threshold:
        np.multiply(gradient, threshold / length, out=gradient)


def _clip_layer_norm(gradient: Floats, layers: Sequence[slice], threshold: float) -> None:
    for layer in layers:
        _clip_norm(gradient[layer], layers, threshold)


CLIPPINGS: dict[str, Clipping] = {
    "none": Clipping("Off", "", _clip_nothing),
    "norm": Clipping("Norm", "if ‖g‖ > t: g ← t · g / ‖g‖", _clip_norm),
    "layer_norm": Clipping("Layer", "the same for each layer's own ‖g‖", _clip_layer_norm),
    "value": Clipping("Value", "each entry into [−t, t]", _clip_value),
}
