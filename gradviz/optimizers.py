"""The optimisers: each turns a gradient into a change of the flat parameter vector."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gradviz.arrays import Floats

EPSILON = 1e-8
RMS_DECAY = 0.9  # Hinton's lecture 6e
ADAM_BETA1, ADAM_BETA2 = 0.9, 0.999  # Kingma and Ba 2015, algorithm 1


class Optimizer:
    """Plain gradient descent, and the frame for the others.

    ``change`` holds what the last step added to the parameters. Weight decay adds λ·θ to the gradient first.
    """

    title: ClassVar[str] = "SGD"
    formula: ClassVar[str] = "θ ← θ − η g"
    memories: ClassVar[tuple[str, ...]] = ()  # names of the state vectors

    def __init__(self, size: int, dtype: np.dtype[Any], momentum: float = 0.9) -> None:
        self.change = np.zeros(size, dtype)
        self.momentum = momentum
        self.steps = 0
        self.state: dict[str, Floats] = {name: np.zeros(size, dtype) for name in self.memories}
        self._decayed = np.zeros(0, dtype)

    def step(self, parameters: Floats, gradient: Floats, learning_rate: float, weight_decay: float) -> None:
        """Change ``parameters`` in place; ``gradient`` is only read."""
        if weight_decay:
            if not self._decayed.size:
                self._decayed = np.empty_like(gradient)
            np.multiply(parameters, weight_decay, out=self._decayed)
            gradient = np.add(self._decayed, gradient, out=self._decayed)
        self.steps += 1
        self._write_change(gradient, learning_rate)
        np.add(parameters, self.change, out=parameters)

    def _write_change(self, gradient: Floats, learning_rate: float) -> None:
        np.multiply(gradient, -learning_rate, out=self.change)


class Momentum(Optimizer):
    """v ← μ v + g,  θ ← θ − η v (Polyak 1964)."""

    title = "Momentum"
    formula = "v ← μ v + g;  θ ← θ − η v"
    memories = ("velocity",)

    def _write_change(self, gradient: Floats, learning_rate: float) -> None:
        velocity = self.state["velocity"]
        np.multiply(velocity, self.momentum, out=velocity)
        np.add(velocity, gradient, out=velocity)
        np.multiply(velocity, -learning_rate, out=self.change)


class Nesterov(Optimizer):
    """v ← μ v + g,  θ ← θ − η (g + μ v) (Sutskever et al. 2013, section 2)."""

    title = "Nesterov"
    formula = "v ← μ v + g;  θ ← θ − η (g + μ v)"
    memories = ("velocity",)

    def _write_change(self, gradient: Floats, learning_rate: float) -> None:
        velocity = self.state["velocity"]
        np.multiply(velocity, self.momentum, out=velocity)
        np.add(velocity, gradient, out=velocity)
        np.multiply(velocity, self.momentum, out=self.change)
        np.add(self.change, gradient, out=self.change)
        np.multiply(self.change, -learning_rate, out=self.change)


class RMSProp(Optimizer):
    """s ← ρ s + (1 − ρ) g²,  θ ← θ − η g / (√s + ε)."""

    title = "RMSProp"
    formula = "s ← ρ s + (1 − ρ) g²;  θ ← θ − η g / (√s + ε)"
    memories = ("square",)

    def _write_change(self, gradient: Floats, learning_rate: float) -> None:
        square = self.state["square"]
        np.multiply(square, RMS_DECAY, out=square)
        np.multiply(gradient, gradient, out=self.change)
        np.multiply(self.change, 1.0 - RMS_DECAY, out=self.change)
        np.add(square, self.change, out=square)
        np.sqrt(square, out=self.change)
        np.add(self.change, EPSILON, out=self.change)
        np.divide(gradient, self.change, out=self.change)
        np.multiply(self.change, -learning_rate, out=self.change)


class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1, with both bias corrections."""

    title = "Adam"
    formula = "θ ← θ − η m̂ / (√v̂ + ε)"
    memories = ("mean", "square")

    def _write_change(self, gradient: Floats, learning_rate: float) -> None:
        mean, square, change = self.state["mean"], self.state["square"], self.change
        np.multiply(mean, ADAM_BETA1, out=mean)
        np.multiply(gradient, 1.0 - ADAM_BETA1, out=change)
        np.add(mean, change, out=mean)
        np.multiply(square, ADAM_BETA2, out=square)
        np.multiply(gradient, gradient, out=change)
        np.multiply(change, 1.0 - ADAM_BETA2, out=change)
        np.add(square, change, out=square)
        np.multiply(square, 1.0 / (1.0 - ADAM_BETA2**self.steps), out=change)
        np.sqrt(change, out=change)
        np.add(change, EPSILON, out=change)
        np.divide(mean, change, out=change)
        np.multiply(change, -learning_rate / (1.0 - ADAM_BETA1**self.steps), out=change)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": Optimizer,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
}
