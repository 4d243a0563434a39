"""Many networks of one structure, evaluated on the same examples at once: the body of the genetic algorithm.

A genome is a network's flat parameter vector, a population a matrix of them. A layer's weights are then a stack of
matrices, and one stacked product takes all individuals through the layer. What the units of all individuals send lies unit by
unit, (units, individuals, examples), one block without gaps, which an activation passes over at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.losses import loss_named
from gradviz.network import Network, parameter_name
from gradviz.spec import MAX_PARAMETERS, SpecError
from gradviz.threads import use_threads

Array = NDArray[Any]

GROUP_BYTES = 4 << 20  # individuals are evaluated in groups whose buffers fit the processor's cache; also bounds the memory


class Population:
    """The genomes, and how well each does.

    Attributes:
        genomes: (size, parameters), each row laid out as `Network.vector`; write into it, then `evaluate`.
        losses: (size,) of the last evaluation; ∞ where the loss is not a number, so that it counts as the worst.
        accuracies: (size,) share of right answers, 0 where the loss is not finite; NaN unless the targets are class numbers.
    """

    def __init__(self, network: Network, size: int, inputs: Floats, targets: Array) -> None:
        """Make the buffers for a population of ``size``.

        Args:
            network: the structure; its own parameters are neither read nor written.
            size: number of individuals.
            inputs: (examples, features).
            targets: (examples,) class numbers (of an integer type) or values, or (examples, outputs) values.

        Raises:
            SpecError: for batch norm, and when the population would be too large.
            ValueError: when the arrays do not fit the network.
        """
        if network.spec.batch_norm:
            allowed = "false in a population: the running statistics are in no genome, so a genome would not say what its network answers"
            raise SpecError("network.batch_norm", True, allowed)
        if size * network.vector.size > MAX_PARAMETERS:
            allowed = f"at most {MAX_PARAMETERS:,} parameters in all; each individual has {network.vector.size:,}"
            raise SpecError("training.population", size, allowed)
        inputs, targets = np.asarray(inputs), np.asarray(targets)
        if inputs.ndim != 2 or inputs.shape[1] != network.inputs or not len(inputs):
            raise ValueError(f"inputs have shape {inputs.shape}; the network reads (examples, {network.inputs})")
        encoded = loss_named(network.loss).encode(targets, network.outputs)
        if encoded.shape[-1] != len(inputs):
            raise ValueError(f"{len(inputs)} inputs, but {encoded.shape[-1]} targets")
        self.network = network
        self.genomes: Floats = np.zeros((size, network.vector.size), network.dtype)
        self.losses = np.full(size, np.inf)
        self.accuracies = np.full(size, np.nan)
        with np.errstate(over="ignore"):  # too large for float32 becomes infinite, and the losses tell
            inputs = inputs.astype(network.dtype)
            self._targets = encoded.astype(network.dtype) if encoded.dtype.kind == "f" else encoded
        self._classes: Array | None = None
        if targets.ndim == 1 and targets.dtype.kind in "iub":
            self._classes = targets.astype(bool) if network.outputs == 1 else targets
        self._measure = LOSSES_OF_EACH[network.loss]
        examples = len(inputs)
        # Outputs are needed until the next layer has read them, or a skip: so layers of equal width can take turns on two buffers.
        places = [(units, layer if network.skips else layer % 2) for layer, units in enumerate(network.widths)]
        rows = sum(units + 1 for units, _ in set(places)) + max(network.widths)
        most = max(1, min(size, GROUP_BYTES // (rows * examples * network.dtype.itemsize)))
        group = -(-size // -(-size // most))  # as few groups as can be, and as even ones
        self._groups = [slice(start, min(start + group, size)) for start in range(0, size, group)]
        # of each layer (units + 1, individuals of a group, examples); the last row, of ones, meets the next layer's bias
        buffers: dict[tuple[int, int], Floats] = {place: np.ones((place[0] + 1, group, examples), network.dtype) for place in places}
        self._values = [buffers[place] for place in places]
        self._inputs: Floats = np.ones((network.inputs + 1, examples), network.dtype)
        self._inputs[:-1] = inputs.T
        self._sums: Floats = np.empty(group * max(network.widths) * examples, network.dtype)
        self._zeros: Floats = np.zeros((group, examples), network.dtype)
        self._flags = np.empty(self._sums.size, np.bool_)
        self._scratch: Floats = np.empty((2, network.outputs, group, examples), network.dtype)
        self._steps = [self._plan(part) for part in self._groups]

    def evaluate(self) -> None:
        """Find every individual's loss and accuracy over all examples."""
        use_threads(1)  # a second one would not pay for so small products, and could round the sums differently
        with np.errstate(all="ignore"):  # an individual may overflow: it counts as the worst
            for part, steps in zip(self._groups, self._steps, strict=True):
                for step in steps:
                    step()
                outputs = self._values[-1][:-1, : part.stop - part.start]
                scratch = self._scratch[:, :, : part.stop - part.start]
                self.losses[part] = self._measure(outputs, self._targets, scratch)
                if self._classes is not None:
                    right = scratch[0, :1]
                    np.equal(self._answers(outputs), self._classes, out=right[0])
                    self.accuracies[part] = _means(right)
        self.losses[np.isnan(self.losses)] = np.inf
        if self._classes is not None:
            self.accuracies[np.isinf(self.losses)] = 0.0

    def _answers(self, outputs: Floats) -> Array:
        """(individuals, examples) the class that each network speaks for, as `gradviz.prediction` reads its outputs."""
        if len(outputs) > 1:
            return np.asarray(outputs.argmax(axis=0))
        return np.asarray(outputs[0] > (0.5 if self.network.loss == "mse" else 0.0))

    def _plan(self, part: slice) -> list[Callable[[], None]]:
        """What takes one group of individuals through the network, layer by layer; all views are made here, once."""
        network, count = self.network, part.stop - part.start
        examples = self._inputs.shape[1]
        genomes, feed, steps = self.genomes[part], self._inputs, []
        for layer, (units, name) in enumerate(zip(network.widths, network.activations, strict=True), 1):
            start, stop = network.slices[parameter_name(layer, "weight")].start, network.slices[parameter_name(layer, "bias")].stop
            weights = genomes[:, start:stop].reshape(count, -1, units).transpose(0, 2, 1)
            values = self._values[layer - 1][:, :count]
            sums = self._sums[: units * count * examples].reshape(units, count, examples)
            alpha = network.slices.get(parameter_name(layer, "alpha"))
            # a learnt α is one number per individual, (individuals, 1), which the activation broadcasts
            parameter: Any = network.activation_parameter(layer) if alpha is None else genomes[:, alpha]
            source = network.skips.get(layer)
            skip = None if source is None else self._values[source - 1][:-1, :count]
            # two of them in place, which is faster; the others may read z again after they have written
            if name == "relu":
                activate: Callable[[], object]
                into, activate = values[:-1], _relu_in_place(values[:-1], self._zeros[:count])
            elif name == "step":
                flags = self._flags[: units * count * examples].reshape(units, count, examples)
                into, activate = values[:-1], _step_in_place(values[:-1], flags)
            else:
                into, activate = sums, partial(ACTIVATIONS[name].forward, sums, values[:-1], parameter)
            steps.append(_layer(weights, feed, into, activate, values[:-1], skip))
            feed = values
        return steps


def _layer(
    weights: Floats, feed: Floats, sums: Floats, activate: Callable[[], object], values: Floats, skip: Floats | None
) -> Callable[[], None]:
    """One layer of all individuals of a group: sums = W h + b, values = f(sums), plus what a skip adds."""
    # the individuals first, as matmul wants them; the examples' inputs are the same for all
    feed = feed.transpose(1, 0, 2) if feed.ndim == 3 else feed
    products = sums.transpose(1, 0, 2)

    def through() -> None:
        # z = Wᵀ h + b of each individual: (individuals, units, fan_in + 1) · (individuals, fan_in + 1, examples)
        np.matmul(weights, feed, out=products)
        activate()
        if skip is not None:
            np.add(values, skip, out=values)

    return through


def _relu_in_place(values: Floats, zeros: Floats) -> Callable[[], None]:
    def activate() -> None:
        np.maximum(values, zeros, out=values)  # with an array of zeros four times as fast as with the number 0

    return activate


def _step_in_place(values: Floats, flags: NDArray[np.bool_]) -> Callable[[], None]:
    bytes_of_flags = flags.view(np.uint8)  # become numbers faster than truth values do

    def activate() -> None:
        np.greater_equal(values, 0.0, out=flags)
        np.copyto(values, bytes_of_flags)

    return activate


def _mse(z: Floats, targets: Floats, scratch: Floats) -> Floats:
    # L = Σ (z − t)² / N
    squares = scratch[0]
    np.subtract(z, targets[:, None], out=squares)
    np.multiply(squares, squares, out=squares)
    return _means(squares)


def _binary_cross_entropy(z: Floats, targets: Floats, scratch: Floats) -> Floats:
    # L = Σ [ln(1 + e^−|z|) + (|z| + (1 − 2t) z) / 2] / N: the second part is max(z, 0) − z t, exactly 0 where a class is right
    doubled, small = scratch
    np.abs(z, out=small)
    np.multiply(z, (1.0 - 2.0 * targets)[:, None], out=doubled)
    np.add(doubled, small, out=doubled)
    np.negative(small, out=small)
    np.exp(small, out=small)
    np.log1p(small, out=small)
    loss = _means(doubled)
    loss *= 0.5
    loss += _means(small)
    return loss


def _cross_entropy(z: Floats, classes: Array, scratch: Floats) -> Floats:
    # L = Σ [ln Σ e^z − z_t] / batch
    shifted = scratch[0]
    np.subtract(z, z.max(axis=0), out=shifted)
    own = shifted[classes, :, np.arange(len(classes))]  # (examples, individuals)
    np.exp(shifted, out=shifted)
    return np.asarray(np.log(shifted.sum(axis=0)).mean(axis=1) - own.mean(axis=0))


def _means(values: Floats) -> Floats:
    """(individuals,) the mean of each one's values (outputs, individuals, examples); a matrix product is the fastest sum there is."""
    outputs, individuals, examples = values.shape
    sums = np.dot(values.reshape(-1, examples), np.full(examples, 1.0 / (outputs * examples), values.dtype))
    return np.asarray(sums.reshape(outputs, individuals).sum(axis=0))


LOSSES_OF_EACH: dict[str, Callable[[Floats, Array, Floats], Floats]] = {
    # the values of `gradviz.losses`, without their gradients: outputs (outputs, individuals, examples) -> (individuals,)
    "mse": _mse,
    "binary_cross_entropy": _binary_cross_entropy,
    "cross_entropy": _cross_entropy,
}
