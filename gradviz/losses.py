"""The losses, each the mean over all batch × output entries (cross-entropy: over the batch), stable for any logits.

Outputs and encoded targets have shape (outputs, batch), the engine's own layout. Each loss also writes its gradient with
respect to the outputs, the δ from which back-propagation starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats

Array = NDArray[Any]

SMALLEST = 1e-300  # a probability is never less, so that its reciprocal is finite


class TargetError(ValueError):
    """Targets that do not fit the loss or the number of outputs."""


class Factors(NamedTuple):
    """The first factors of the chain rule, for the loss of one example: ∂L/∂z = ``dj_dy`` · ``dy_dz`` for an answer ŷ."""

    prediction: float  # ŷ
    target: float
    output: int  # the output unit that ŷ is
    dj_dy: float  # ∂L/∂ŷ
    dy_dz: Floats  # (outputs,) ∂ŷ/∂z


@dataclass(frozen=True)
class Loss:
    """A loss L of the outputs z of the last layer.

    ``encode(targets, outputs)`` turns targets as the user has them into what ``evaluate`` reads.
    ``evaluate(z, encoded, delta)`` returns L and writes ∂L/∂z into ``delta``.
    ``factors(z, target, output)`` takes one example apart: its outputs (outputs,), its encoded target, and which output is meant.
    ``per_output`` says whether each output has a ŷ of its own; else there is one, and ``output`` does not count.
    """

    title: str
    formula: str
    encode: Callable[[Array, int], Array]
    evaluate: Callable[[Floats, Array, Floats], float]
    factors: Callable[[Floats, Array, int], Factors]
    per_output: bool = True


def _encode_values(targets: Array, outputs: int) -> Floats:
    """Targets as (outputs, batch) numbers; class numbers become one-hot columns when there are several outputs."""
    targets = np.asarray(targets)
    if targets.ndim == 1 and outputs > 1:
        one_hot: Floats = (np.arange(outputs)[:, None] == _class_numbers(targets, outputs)[None, :]).astype(float)
        return one_hot
    values = targets.reshape(-1, 1) if targets.ndim == 1 else targets
    if values.ndim != 2 or values.shape[1] != outputs:
        raise TargetError(f"targets have shape {targets.shape}; the network has {outputs} outputs, so they must be (batch, {outputs})")
    return np.ascontiguousarray(values.T, dtype=float)


def _encode_probabilities(targets: Array, outputs: int) -> Floats:
    values = _encode_values(targets, outputs)
    if values.size and (values.min() < 0 or values.max() > 1):
        raise TargetError(f"targets reach from {values.min():g} to {values.max():g}; binary cross-entropy needs them in [0, 1]")
    return values


def _encode_classes(targets: Array, outputs: int) -> Array:
    targets = np.asarray(targets)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim != 1:
        raise TargetError(f"targets have shape {targets.shape}; cross-entropy needs one class number per example")
    return _class_numbers(targets, outputs)


def _class_numbers(targets: Array, classes: int) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):  # NaN becomes some number, which the comparison then finds out
        numbers = targets.astype(np.int64)
    if not np.array_equal(numbers, targets) or (numbers.size and (numbers.min() < 0 or numbers.max() >= classes)):
        raise TargetError(f"targets must be class numbers from 0 to {classes - 1}, as the network has {classes} outputs")
    return numbers


def _mse(z: Floats, targets: Array, delta: Floats) -> float:
    # L = Σ (z − t)² / N,  ∂L/∂z = 2 (z − t) / N,  N = batch × outputs
    np.subtract(z, targets, out=delta)
    flat = delta.ravel()
    loss = float(np.dot(flat, flat)) / z.size
    np.multiply(delta, 2.0 / z.size, out=delta)
    return loss


def _binary_cross_entropy(z: Floats, targets: Array, delta: Floats) -> float:
    # L = Σ [max(z, 0) − z t + ln(1 + e^−|z|)] / N,  ∂L/∂z = (σ(z) − t) / N
    small = np.exp(-np.abs(z))
    total = np.log1p(small)
    total += np.maximum(z, 0.0)
    total -= z * targets
    loss = float(np.add.reduce(total, axis=None)) / z.size
    np.divide(small, small + 1.0, out=small)  # σ(−|z|), exact however small: 1 − σ(|z|) would round to 0
    np.copyto(delta, np.where(z >= 0, (1.0 - targets) - small, small - targets))
    np.multiply(delta, 1.0 / z.size, out=delta)
    return loss


def _cross_entropy(z: Floats, classes: Array, delta: Floats) -> float:
    # L = Σ [ln Σ e^z − z_t] / batch,  ∂L/∂z = (softmax(z) − onehot(t)) / batch
    batch: int = z.shape[1]
    columns = np.arange(batch)
    shifted = z - z.max(axis=0)
    np.exp(shifted, out=delta)
    sums = delta.sum(axis=0)
    loss = float(np.add.reduce(np.log(sums) - shifted[classes, columns])) / batch
    np.divide(delta, sums, out=delta)
    delta[classes, columns] -= 1.0
    np.multiply(delta, 1.0 / batch, out=delta)
    return loss


def _mse_factors(z: Floats, target: Array, output: int) -> Factors:
    answer, wanted = float(z[output]), float(target[output])
    return Factors(answer, wanted, output, 2.0 * (answer - wanted) / len(z), _one_hot(len(z), output))


def _binary_cross_entropy_factors(z: Floats, target: Array, output: int) -> Factors:
    # ŷ = σ(z); with e = e^−|z|, never quite 0, both factors keep their digits however far z is out
    logit, wanted = float(z[output]), float(target[output])
    exact = float(np.exp(-abs(logit)))
    small = max(exact, SMALLEST)
    odds = small if logit >= 0 else 1.0 / small  # (1 − ŷ) / ŷ
    slope = exact if wanted == float(logit >= 0) else small  # where ŷ is right its reciprocal is not needed, and 0 may be 0
    answer = (1.0 if logit >= 0 else exact) / (1.0 + exact)
    dj_dy = ((1.0 - wanted) * (1.0 + 1.0 / odds) - wanted * (1.0 + odds)) / len(z)
    return Factors(answer, wanted, output, dj_dy, _one_hot(len(z), output) * (slope / (1.0 + slope) ** 2))


def _cross_entropy_factors(z: Floats, target: Array, output: int) -> Factors:
    # ŷ = p_t, the probability of the true class: ∂L/∂ŷ = −1 / p_t, ∂p_t/∂z = p_t (onehot(t) − p)
    true = int(target)
    shifted = np.exp(z - z.max())
    probabilities = shifted / shifted.sum()
    answer = max(float(probabilities[true]), SMALLEST)
    return Factors(answer, float(true), true, -1.0 / answer, answer * (_one_hot(len(z), true) - probabilities))


def _one_hot(length: int, index: int) -> Floats:
    found = np.zeros(length)
    found[index] = 1.0
    return found


LOSSES: dict[str, Loss | str] = {
    "auto": "Auto",
    "mse": Loss("Squared error", "(ŷ − y)²", _encode_values, _mse, _mse_factors),
    "binary_cross_entropy": Loss(
        "Binary cross-entropy",
        "−y ln ŷ − (1 − y) ln(1 − ŷ)",
        _encode_probabilities,
        _binary_cross_entropy,
        _binary_cross_entropy_factors,
    ),
    "cross_entropy": Loss(
        "Cross-entropy", "−ln ŷ of the true class", _encode_classes, _cross_entropy, _cross_entropy_factors, per_output=False
    ),
}


def loss_named(name: str) -> Loss:
    """The loss of that name; ``auto`` has to be resolved before."""
    loss = LOSSES[name]
    assert isinstance(loss, Loss), "auto is resolved by the experiment, which knows the data"
    return loss
