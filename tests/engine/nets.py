"""Small networks and batches that the engine's tests share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.losses import loss_named
from gradviz.network import Network, build
from gradviz.recurrent import RecurrentNetwork
from gradviz.spec import NetworkSpec, TrainingSpec
from gradviz.training import Trainer

DISTANCE = 1e-5  # truncation ~1e-10, rounding ~1e-11
LOSS_NAMES = ("mse", "binary_cross_entropy", "cross_entropy")
INPUTS, OUTPUTS, BATCH = 3, 2, 6


def make_network(loss: str = "mse", seed: int = 0, dtype: type[np.floating[Any]] = np.float64, **fields: Any) -> Network:
    """A 3-input, 2-output network whose parameters are all shaken: zero biases would put dead ReLU inputs on their kink."""
    defaults: dict[str, Any] = {"depth": 4, "width": 4, "initializer": "lecun_normal"}
    network = build(NetworkSpec(**defaults | fields), INPUTS, OUTPUTS, loss, seed, dtype)
    network.vector += 0.3 * np.random.default_rng([seed, 99]).standard_normal(network.vector.size)
    return network


def make_batch(loss: str, batch: int = BATCH, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Inputs (batch, 3), and targets as the loss wants them."""
    rng = np.random.default_rng([seed, 98])
    inputs = rng.standard_normal((batch, INPUTS))
    if loss == "cross_entropy":
        return inputs, rng.integers(0, OUTPUTS, batch)
    if loss == "binary_cross_entropy":
        return inputs, rng.integers(0, 2, (batch, OUTPUTS)).astype(float)
    return inputs, rng.standard_normal((batch, OUTPUTS))


def make_trainer(network: Network, inputs: NDArray[Any], targets: NDArray[Any], **fields: Any) -> Trainer:
    """A trainer for arrays of shape (examples, …)."""
    encoded = loss_named(network.loss).encode(targets, network.outputs)
    if encoded.dtype.kind == "f":
        encoded = encoded.astype(network.dtype)
    return Trainer(network, TrainingSpec(**fields), np.ascontiguousarray(inputs.T, dtype=network.dtype), encoded)


def check_by_finite_differences(network: Network | RecurrentNetwork, inputs: Any, targets: Any) -> None:
    """Each parameter on its own, so that a small gradient cannot hide behind a large one."""
    _, gradients = network.loss_and_gradients(inputs, targets)
    rng = np.random.default_rng(5)
    for name, values in network.parameters.items():
        start, direction = values.copy(), rng.standard_normal(values.shape)
        direction /= np.linalg.norm(direction)
        losses = []
        for sign in (1.0, -1.0):
            values[:] = start + sign * DISTANCE * direction
            losses.append(network.loss_and_gradients(inputs, targets)[0])
        values[:] = start
        measured, claimed = (losses[0] - losses[1]) / (2 * DISTANCE), float((gradients[name] * direction).sum())
        assert abs(measured - claimed) <= 1e-6 * np.linalg.norm(gradients[name]) + 1e-9, name
