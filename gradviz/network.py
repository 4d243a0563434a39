"""The network: its parameters as named views into one flat vector, and the passes that run over them.

One flat vector makes the optimiser a few vector operations, a checkpoint one copy and a genome the vector itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.fields import parse_entry
from gradviz.initializers import INITIALIZERS
from gradviz.layers import BATCH_NORM_EPSILON, Activate, BatchNorm, Layer, Linear
from gradviz.losses import loss_named
from gradviz.norms import Norms, norms
from gradviz.snapshot import Architecture, LayerInfo
from gradviz.spec import MAX_PARAMETERS, NetworkSpec, SpecError

STRIP_UNITS = 16  # layers with more units are shown as strips, and their edges pooled
POOLED = 8  # a pooled layer's edges are shown as this many blocks by this many


class Network:
    """Parameters and structure; everything that depends on a batch lives in a `Pass`."""

    def __init__(
        self, spec: NetworkSpec, inputs: int, outputs: int, loss: str, dtype: type[np.floating[Any]] = np.float64
    ) -> None:
        self.spec, self.inputs, self.outputs, self.loss = spec, inputs, outputs, loss
        self.dtype = np.dtype(dtype)
        self.widths = (*spec.layer_widths, outputs)
        self.fan_ins = (inputs, *spec.layer_widths)
        self.activations = (*spec.layer_activations, "identity")
        self.skips = skip_sources(spec)
        shapes = self._shapes()
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        self.vector: Floats = np.zeros(size, self.dtype)
        self.parameters: dict[str, Floats] = views(self.vector, shapes)
        self.slices: dict[str, slice] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + int(np.prod(shape))
            self.slices[name], start = slice(start, stop), stop
        starts = [self.slices[parameter_name(layer, "weight")].start for layer in range(1, self.depth + 1)]
        self.layer_slices = [slice(a, b) for a, b in zip(starts, [*starts[1:], size], strict=True)]
        self.running: dict[str, Floats] = {}
        for layer in self._normalised_layers():
            units = self.widths[layer - 1]
            self.running[parameter_name(layer, "mean")] = np.zeros(units, self.dtype)
            self.running[parameter_name(layer, "variance")] = np.ones(units, self.dtype)

    @property
    def depth(self) -> int:
        """Number of layers, hidden and output."""
        return len(self.widths)

    def _normalised_layers(self) -> range:
        return range(1, self.depth if self.spec.batch_norm else 1)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        total = 0
        for layer, (fan_in, units, activation) in enumerate(zip(self.fan_ins, self.widths, self.activations, strict=True), 1):
            normalised = layer in self._normalised_layers()
            shapes[parameter_name(layer, "weight")] = (fan_in, units)
            if normalised:
                shapes[parameter_name(layer, "scale")] = (units,)
                shapes[parameter_name(layer, "shift")] = (units,)
            else:
                # directly behind the weight: together they are one (fan_in + 1, units) matrix
                shapes[parameter_name(layer, "bias")] = (units,)
            if ACTIVATIONS[activation].trained:
                shapes[parameter_name(layer, "alpha")] = (1,)
            total += fan_in * units
            if total > MAX_PARAMETERS:
                raise SpecError(
                    "the network's size",
                    f"{self.spec.depth} layers of {max(self.widths)} units",
                    f"at most {MAX_PARAMETERS:,} weights; make it narrower (network.width) or shallower (network.depth)",
                )
        return shapes

    def initialize(self, seed: int) -> None:
        """Draw the first weights; each layer has its own stream, so that changing one layer leaves the others alone."""
        rule = INITIALIZERS[self.spec.initializer]
        for layer, (fan_in, units, activation) in enumerate(zip(self.fan_ins, self.widths, self.activations, strict=True), 1):
            rng = np.random.default_rng([seed, 1, layer])
            self.parameters[parameter_name(layer, "weight")][:] = rule.draw(rng, fan_in, units) * self.spec.gain
            if layer in self._normalised_layers():
                self.parameters[parameter_name(layer, "scale")][:] = 1.0
                self.parameters[parameter_name(layer, "shift")][:] = 0.0
                self.running[parameter_name(layer, "mean")][:] = 0.0
                self.running[parameter_name(layer, "variance")][:] = 1.0
            else:
                self.parameters[parameter_name(layer, "bias")][:] = 0.0
            if ACTIVATIONS[activation].trained:
                self.parameters[parameter_name(layer, "alpha")][:] = ACTIVATIONS[activation].parameter
        self.set_values(self.spec.set_values)

    def set_values(self, entries: Sequence[str]) -> None:
        """Give single parameters a value: texts such as ``layer01.weight[0,0] = 2.5``; raises `SpecError` for an unknown one."""
        place_values(self.parameters, entries)

    @property
    def whole_at(self) -> range:
        """The layer at which back-propagation has the whole gradient of each of `layer_slices`."""
        return range(1, self.depth + 1)

    @property
    def measured_counts(self) -> NDArray[np.int64]:
        """(layers,) of how many numbers each gradient norm is the length: the layer's weights."""
        return np.array([fan_in * units for fan_in, units in zip(self.fan_ins, self.widths, strict=True)])

    @property
    def work(self) -> int:
        """Multiply-adds of a forward pass, per example."""
        return int(self.measured_counts.sum())

    @property
    def shared_work(self) -> int:
        """Those of them that several threads could share at a time."""
        return self.work

    def activation_parameter(self, layer: int) -> float:
        """What the layer's activation gets beside z, when it is not learnt: α, or ReLU's derivative at 0."""
        name = self.activations[layer - 1]
        return self.spec.relu_at_zero if name == "relu" else ACTIVATIONS[name].parameter

    def loss_and_gradients(self, inputs: Floats, targets: NDArray[Any]) -> tuple[float, dict[str, Floats]]:
        """Loss and its gradient for one batch in training mode; nothing is updated, running statistics neither.

        Args:
            inputs: (batch, features).
            targets: (batch,) class numbers or values, or (batch, outputs) values.

        Returns:
            The loss, and the gradient under the same names and with the same shapes as `parameters`.

        Raises:
            ValueError: when the shapes do not fit the network.
        """
        inputs = np.asarray(inputs)
        if inputs.ndim != 2 or inputs.shape[1] != self.inputs or not len(inputs):
            raise ValueError(f"inputs have shape {inputs.shape}; the network reads (batch, {self.inputs})")
        encoded = loss_named(self.loss).encode(targets, self.outputs)
        if encoded.shape[-1] != len(inputs):
            raise ValueError(f"{len(inputs)} inputs, but {encoded.shape[-1]} targets")
        run = Pass(self, len(inputs), update_running=False)
        with np.errstate(all="ignore"):
            run.inputs[:] = inputs.T
            run.forward()
            loss = run.evaluate(encoded)
            run.backward()
        return loss, run.gradients

    def predict(self, inputs: Floats) -> Floats:
        """The outputs (batch, outputs) in evaluation mode: running statistics, before any softmax or sigmoid."""
        kept: dict[int, Floats] = {}  # what a skip will add; all layers of a deep net would be gigabytes
        sources = set(self.skips.values())
        with np.errstate(all="ignore"):
            value = np.asarray(inputs, self.dtype)
            for layer, name in enumerate(self.activations, 1):
                value = value @ self.parameters[parameter_name(layer, "weight")]
                bias = self.parameters.get(parameter_name(layer, "bias"))
                if bias is not None:
                    value = value + bias
                else:
                    spread = np.sqrt(self.running[parameter_name(layer, "variance")] + BATCH_NORM_EPSILON)
                    factor = self.parameters[parameter_name(layer, "scale")] / spread
                    value = (value - self.running[parameter_name(layer, "mean")]) * factor + self.parameters[parameter_name(layer, "shift")]
                alpha = self.parameters.get(parameter_name(layer, "alpha"))
                value = ACTIVATIONS[name].function(value, self.activation_parameter(layer) if alpha is None else float(alpha[0]))
                source = self.skips.get(layer)
                if source is not None:
                    value = value + kept.pop(source)
                if layer in sources:
                    kept[layer] = value
        return value

    def architecture(self, input_names: tuple[str, ...], output_names: tuple[str, ...]) -> Architecture:
        """What the canvas draws."""
        normalised = self._normalised_layers()
        layers = tuple(
            layer_info(f"L{layer}" if layer < self.depth else "Out", *sizes, layer in normalised, self.skips.get(layer))
            for layer, sizes in enumerate(zip(self.fan_ins, self.widths, self.activations, strict=True), 1)
        )
        return Architecture(layers, input_names, output_names, self.vector.size)


    def numbers_kept(self) -> int:
        """How many numbers a `Pass` keeps per example, for the way back."""
        units, hidden = sum(self.widths), sum(self.widths[:-1])
        skipped = sum(self.widths[layer - 1] for layer in self.skips)
        # outputs, z, f′(z), ∂L/∂z and ∂L/∂outputs; batch norm keeps its input, x̂ and what goes back
        return 4 * units + hidden + skipped + self.depth + self.inputs + 1 + (3 * hidden if self.spec.batch_norm else 0)

    def make_pass(self, batch: int, update_running: bool = True) -> Pass:
        """Buffers for batches of this size."""
        return Pass(self, batch, update_running)


class Pass:
    """Forward and backward over one batch: all buffers, allocated once.

    Attributes:
        inputs: (features, batch), to be filled before `forward`.
        layers: first hidden layer first.
        deltas: (units of all layers, batch), ∂L/∂z.
        slopes: (units of all layers, batch), f′(z); 1 in the output layer.
        values: (units of all layers + layers, batch), each layer's outputs with a row of ones behind them.
        hidden: (units of all layers, batch) in pieces: each layer's outputs.
        gradient: the flat gradient, laid out as `Network.vector`.
        gradients: the same as named views.
        forward_stages, backward_stages: what `forward` and `backward` do, layer by layer, the first layer first.
        weight_gradients: (weights,) each layer's ∂L/∂W, flat.
        norms: measures ‖∂L/∂W‖ of each layer, then ‖∂L/∂z‖ of each layer: (2 · layers,).
    """

    def __init__(self, network: Network, batch: int, update_running: bool = True) -> None:
        self.network, self.batch = network, batch
        dtype = network.dtype
        total = sum(network.widths)
        self.gradient: Floats = np.zeros_like(network.vector)
        self.gradients: dict[str, Floats] = views(self.gradient, {name: p.shape for name, p in network.parameters.items()})
        self.deltas: Floats = np.zeros((total, batch), dtype)
        self.slopes: Floats = np.ones((total, batch), dtype)
        self.values: Floats = np.ones((total + network.depth, batch), dtype)
        feed = np.ones((network.inputs + 1, batch), dtype)
        self.inputs: Floats = feed[:-1]
        self.layers: list[Layer] = []
        unit = 0
        for number, (units, name) in enumerate(zip(network.widths, network.activations, strict=True), 1):
            rows = slice(unit, unit + units)
            unit += units
            outputs = self.values[rows.start + number - 1 : rows.stop + number]  # and a row of ones, for the bias of the next layer
            source = network.skips.get(number)
            self.layers.append(
                Layer(
                    self._linear(number, feed),
                    self._batch_norm(number, batch, update_running),
                    self._activate(number, name, rows) if number < network.depth else None,
                    outputs[:-1],
                    self.deltas[rows],
                    self.layers[-1] if self.layers else None,
                    None if source is None else self.layers[source - 1],
                )
            )
            feed = outputs
        self.outputs: Floats = self.layers[-1].outputs
        self._evaluate = loss_named(network.loss).evaluate
        self.forward_stages = [layer.forward for layer in self.layers]
        self.backward_stages = [layer.backward for layer in self.layers]
        self.weight_gradients = [self.gradient[network.slices[parameter_name(n, "weight")]] for n in range(1, network.depth + 1)]
        self.norms = Norms(self.weight_gradients + [layer.deltas.ravel() for layer in self.layers])

    def fetch(self, examples: Floats, chosen: NDArray[np.int64]) -> None:
        """Take in the ``chosen`` (batch,) of many examples (features, examples), without allocating anything."""
        # mode="clip" lets NumPy write straight into the buffer; the indices are in range by construction
        examples.take(chosen, axis=1, out=self.inputs, mode="clip")

    def clipped_norms(self) -> Floats:
        """(layers,) ‖∂L/∂W‖ of what clipping has left; read-only."""
        return norms(self.weight_gradients)

    def first_failure(self, loss: float) -> tuple[int, str] | None:
        """Layer and phase in which the first number of this pass that is not finite appeared, in the order it was computed.

        None when every number is finite: then only the norm of them all is too large to write down.
        """
        for number, layer in enumerate(self.layers, 1):
            if not (np.isfinite(layer.pre_activations).all() and np.isfinite(layer.outputs).all()):
                return number, "forward"
        if not np.isfinite(loss):
            return len(self.layers), "loss"
        for number in range(len(self.layers), 0, -1):
            own = self.gradient[self.network.layer_slices[number - 1]]
            if not (np.isfinite(self.layers[number - 1].deltas).all() and np.isfinite(own).all()):
                return number, "backward"
        return None

    def _linear(self, layer: int, feed: Floats) -> Linear:
        network = self.network
        weight = network.slices[parameter_name(layer, "weight")]
        bias = network.slices.get(parameter_name(layer, "bias"))
        both = slice(weight.start, (bias or weight).stop)
        shape = (-1, network.widths[layer - 1])
        return Linear(network.vector[both].reshape(shape), self.gradient[both].reshape(shape), feed)

    def _batch_norm(self, layer: int, batch: int, update_running: bool) -> BatchNorm | None:
        scale, shift = parameter_name(layer, "scale"), parameter_name(layer, "shift")
        if scale not in self.network.parameters:
            return None
        running = self.network.running if update_running else {}
        return BatchNorm(
            self.network.parameters[scale],
            self.network.parameters[shift],
            self.gradients[scale],
            self.gradients[shift],
            batch,
            running.get(parameter_name(layer, "mean")),
            running.get(parameter_name(layer, "variance")),
        )

    def _activate(self, layer: int, name: str, rows: slice) -> Activate:
        alpha = parameter_name(layer, "alpha")
        return Activate(
            ACTIVATIONS[name],
            self.network.activation_parameter(layer),
            self.slopes[rows],
            self.deltas[rows],
            self.network.parameters.get(alpha),
            self.gradients.get(alpha),
        )

    def forward(self) -> None:
        for layer in self.layers:
            layer.forward()

    def evaluate(self, encoded: NDArray[Any]) -> float:
        """The loss; writes ∂L/∂z of the output layer."""
        return self._evaluate(self.outputs, encoded, self.layers[-1].deltas)

    def backward(self) -> None:
        for layer in reversed(self.layers):
            layer.backward()


def build(
    spec: NetworkSpec, inputs: int, outputs: int, loss: str, seed: int, dtype: type[np.floating[Any]] = np.float64
) -> Network:
    """A network with its first weights drawn; raises `SpecError` when it would be too large."""
    network = Network(spec, inputs, outputs, loss, dtype)
    network.initialize(seed)
    return network


def place_values(parameters: Mapping[str, Floats], entries: Sequence[str]) -> None:
    """Give single parameters a value: texts such as ``layer01.weight[0,0] = 2.5``.

    Raises:
        SpecError: when there is no such parameter; nothing is set then.
    """
    places = []
    for entry in entries:
        parsed = parse_entry(entry)
        assert parsed is not None, "the spec has checked how entries are written"
        name, index, value = parsed
        shape = parameters[name].shape if name in parameters else ()
        if len(index) != len(shape) or any(at >= size for at, size in zip(index, shape, strict=True)):
            there = f"{name} has the shape {shape}" if shape else f"there are {', '.join(list(parameters)[:4])} …"
            raise SpecError("network.set_values", entry, f"a parameter of this network: {there}")
        places.append((name, index, value))
    with np.errstate(over="ignore"):  # in float32 a large one is infinite, and the next step tells
        for name, index, value in places:
            parameters[name][index] = value


def layer_info(name: str, fan_in: int, units: int, activation: str, batch_norm: bool, skip_from: int | None) -> LayerInfo:
    """A layer as the canvas draws it; the weights of a large one are pooled into blocks for that."""
    pooled = fan_in > STRIP_UNITS or units > STRIP_UNITS
    rows, columns = (size if size <= STRIP_UNITS else POOLED for size in (fan_in, units))
    return LayerInfo(name, fan_in, units, activation, batch_norm, skip_from, rows, columns, pooled)


def skip_sources(spec: NetworkSpec) -> dict[int, int]:
    """Layer number at the end of each residual block -> layer whose output is added there.

    The first block starts after the first hidden layer; each spans ``skip_every`` hidden layers of equal width. An
    incomplete last block, or one whose widths differ, has no skip.
    """
    span, widths = spec.skip_every, spec.layer_widths
    if not span:
        return {}
    starts = range(1, spec.depth - span + 1, span)
    return {start + span: start for start in starts if len(set(widths[start - 1 : start + span])) == 1}


def parameter_name(layer: int, kind: str) -> str:
    """The public name of a parameter: ``layer03.weight``."""
    return f"layer{layer:02d}.{kind}"


def views(vector: Floats, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Named, writable views that lie one behind the other in ``vector``."""
    found, start = {}, 0
    for name, shape in shapes.items():
        stop = start + int(np.prod(shape))
        found[name] = vector[start:stop].reshape(shape)
        start = stop
    return found
