"""The layers a network is composed of: Linear → BatchNorm → Activate, and the Residual sum around them.

A layer object works on preallocated buffers of shape (features, batch), the transpose of the (batch, features) that the
rest of the program speaks of: so a bias is one more row of the weights, met by a row of ones in the input, and one
matrix product serves weight and bias together, forward and backward. Gradients are written, never allocated.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradviz.activations import Activation
from gradviz.arrays import Floats

BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_MOMENTUM = 0.1  # weight of the newest batch in the running statistics


class Linear:
    """z = Wᵀ h + b.

    ``weight`` and ``gradient`` have shape (fan_in, units), or (fan_in + 1, units) when the last row is the bias.
    ``inputs`` is (fan_in + 1, batch) with a last row of ones.
    """

    def __init__(self, weight: Floats, gradient: Floats, inputs: Floats) -> None:
        self.fan_in = inputs.shape[0] - 1
        self._gradient = gradient
        self._inputs = inputs[: weight.shape[0]]
        # an array's own `dot`: `np.dot` looks first whether somebody has overridden it, which takes a quarter of a small product's time
        self._weigh = weight.T.dot
        self._collect = self._inputs.dot
        self._send_back = weight[: self.fan_in].dot

    def forward(self, out: Floats) -> None:
        self._weigh(self._inputs, out)

    def backward(self, delta: Floats, upstream: Floats | None) -> None:
        """From ∂L/∂z, write ∂L/∂W (and ∂L/∂b) and, unless it is the first layer, ∂L/∂h into ``upstream``."""
        # ∂L/∂W = h · (∂L/∂z)ᵀ
        self._collect(delta.T, self._gradient)
        if upstream is not None:
            # ∂L/∂h = W · ∂L/∂z
            self._send_back(delta, upstream)


class BatchNorm:
    """y = scale · x̂ + shift with x̂ = (x − mean) / √(variance + ε) over the batch (Ioffe and Szegedy 2015, algorithm 1).

    ``scale`` and ``shift`` and their gradients have shape (units,). ``running_mean`` and ``running_variance`` (units,) are
    updated in each forward pass unless they are None.
    """

    def __init__(
        self,
        scale: Floats,
        shift: Floats,
        scale_gradient: Floats,
        shift_gradient: Floats,
        batch: int,
        running_mean: Floats | None,
        running_variance: Floats | None,
    ) -> None:
        units = scale.shape[0]
        self.scale, self.shift = scale, shift
        self.scale_gradient, self.shift_gradient = scale_gradient, shift_gradient
        self.running_mean, self.running_variance = running_mean, running_variance
        self.inputs = np.empty((units, batch), scale.dtype)
        self.normalised = np.empty_like(self.inputs)  # x̂ (units, batch)
        self.input_deltas = np.empty_like(self.inputs)  # ∂L/∂x (units, batch); between the passes a scratch pad
        self._average = np.full(batch, 1.0 / batch, scale.dtype)
        self._mean = np.empty(units, scale.dtype)
        self.spread = np.empty(units, scale.dtype)  # √(variance + ε) (units,)
        self._unbias = batch / (batch - 1) if batch > 1 else 1.0

    def forward(self, out: Floats) -> None:
        x, centred = self.inputs, self.normalised
        np.dot(x, self._average, out=self._mean)
        np.subtract(x, self._mean[:, None], out=centred)
        np.multiply(centred, centred, out=self.input_deltas)
        variance = np.dot(self.input_deltas, self._average)
        np.add(variance, BATCH_NORM_EPSILON, out=self.spread)
        np.sqrt(self.spread, out=self.spread)
        np.divide(centred, self.spread[:, None], out=centred)
        np.multiply(centred, self.scale[:, None], out=out)
        np.add(out, self.shift[:, None], out=out)
        if self.running_mean is not None and self.running_variance is not None:
            self.running_mean += BATCH_NORM_MOMENTUM * (self._mean - self.running_mean)
            self.running_variance += BATCH_NORM_MOMENTUM * (variance * self._unbias - self.running_variance)

    def backward(self, delta: Floats) -> Floats:
        """From ∂L/∂y, write ∂L/∂scale and ∂L/∂shift and return ∂L/∂x (units, batch)."""
        normalised, out = self.normalised, self.input_deltas
        np.add.reduce(delta, axis=1, out=self.shift_gradient)
        np.multiply(delta, normalised, out=out)
        np.add.reduce(out, axis=1, out=self.scale_gradient)
        # ∂L/∂x = scale / √(σ² + ε) · (∂L/∂y − mean(∂L/∂y) − x̂ · mean(∂L/∂y · x̂))
        batch = delta.shape[1]
        np.multiply(normalised, (self.scale_gradient / -batch)[:, None], out=out)
        np.add(out, delta, out=out)
        np.subtract(out, (self.shift_gradient / batch)[:, None], out=out)
        np.multiply(out, (self.scale / self.spread)[:, None], out=out)
        return out


class Activate:
    """h = f(z), elementwise; ``inputs``, ``slopes`` and ``deltas`` have shape (units, batch).

    ``alpha`` and ``alpha_gradient`` (1,) belong to an activation that learns its parameter.
    """

    def __init__(
        self,
        activation: Activation,
        parameter: float,
        slopes: Floats,
        deltas: Floats,
        alpha: Floats | None = None,
        alpha_gradient: Floats | None = None,
    ) -> None:
        self.inputs = np.empty_like(slopes)
        self.slopes, self.deltas = slopes, deltas
        self.alpha, self.alpha_gradient = alpha, alpha_gradient
        self._parameter = parameter
        self._forward, self._backward = activation.forward, activation.backward

    def forward(self, out: Floats) -> None:
        self._forward(self.inputs, out, self._parameter if self.alpha is None else float(self.alpha[0]))

    def slopes_at(self, value: Floats, alpha: float | None) -> Floats:
        """(units, batch) f′(z) where f(z) is ``value``, worked out aside; ``alpha`` of an activation that learns it."""
        slopes = np.empty_like(self.slopes)
        self._backward(self.inputs, value, slopes, self._parameter if alpha is None else alpha)
        return slopes

    def backward(self, value: Floats, upstream: Floats) -> None:
        """From ``upstream`` = ∂L/∂h and ``value`` = f(z), write f′(z) into ``slopes`` and ∂L/∂z into ``deltas``."""
        # ∂L/∂z = ∂L/∂h · f′(z)
        if self.alpha is None or self.alpha_gradient is None:
            self._backward(self.inputs, value, self.slopes, self._parameter)
        else:
            self._backward(self.inputs, value, self.slopes, float(self.alpha[0]))
            # ∂L/∂α = Σ ∂L/∂h · z over the negative side
            self.alpha_gradient[0] = np.sum(upstream * np.minimum(self.inputs, 0.0))
        np.multiply(upstream, self.slopes, out=self.deltas)


class Layer:
    """One layer of the network: Linear → BatchNorm (if any) → activation, plus the sum at the end of a residual block.

    ``outputs`` (units, batch) is what the next layer reads. ``gradient`` (units, batch) receives ∂L/∂outputs from all who
    read it: the next layer writes its share, a skip that starts here adds its own. The output layer has no activation of
    its own to differentiate: the loss writes its ``deltas``.
    """

    def __init__(
        self,
        linear: Linear,
        batch_norm: BatchNorm | None,
        activate: Activate | None,
        outputs: Floats,
        deltas: Floats,
        upstream: Layer | None,
        skip: Layer | None,
    ) -> None:
        self.linear, self.batch_norm, self.activate = linear, batch_norm, activate
        self.outputs, self.deltas = outputs, deltas
        self.gradient = np.empty_like(outputs)
        self.skip = skip
        self._upstream = upstream
        self.values = outputs if skip is None else np.empty_like(outputs)  # f(z), before the skip is added
        self._readers_by_skip: list[Layer] = []
        if skip is not None:
            skip._readers_by_skip.append(self)
        self._operations = self._plan_forward()

    @property
    def pre_activations(self) -> Floats:
        """z (units, batch): the input of the activation; of the output layer, its outputs."""
        return self.outputs if self.activate is None else self.activate.inputs

    @property
    def sum_deltas(self) -> Floats:
        """∂L/∂ of the weighted sum (units, batch), before batch norm; of the last backward pass."""
        return self.deltas if self.batch_norm is None else self.batch_norm.input_deltas

    def _plan_forward(self) -> list[tuple[Callable[[Floats], None], Floats]]:
        if self.activate is None:
            return [(self.linear.forward, self.outputs)]
        if self.batch_norm is None:
            return [(self.linear.forward, self.activate.inputs), (self.activate.forward, self.values)]
        return [
            (self.linear.forward, self.batch_norm.inputs),
            (self.batch_norm.forward, self.activate.inputs),
            (self.activate.forward, self.values),
        ]

    def forward(self) -> None:
        for operation, out in self._operations:
            operation(out)
        if self.skip is not None:
            # y = h + F(h)
            np.add(self.values, self.skip.outputs, out=self.outputs)

    def backward(self) -> None:
        if self.activate is not None:
            for reader in self._readers_by_skip:
                # ∂L/∂h = ∂L/∂y · (1 + F′): the 1 is the skip, F′ is there already
                np.add(self.gradient, reader.gradient, out=self.gradient)
            self.activate.backward(self.values, self.gradient)
        delta = self.deltas if self.batch_norm is None else self.batch_norm.backward(self.deltas)
        self.linear.backward(delta, None if self._upstream is None else self._upstream.gradient)
