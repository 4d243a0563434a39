"""Greedy layer-wise pre-training: each hidden layer learns without labels, as the encoder of an auto-encoder, one at a time.

A level reads what the trained levels below give, squeezes it through its layer and tries to tell its input again (Hinton and
Salakhutdinov 2006; Bengio et al. 2007). An auto-encoder is a network with one hidden layer whose targets are its inputs, so the
ordinary trainer trains it. Afterwards fine-tuning end to end starts from the weights that were found.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.checkpoints import State
from gradviz.network import Network, parameter_name
from gradviz.spec import NetworkSpec, SpecError, TrainingSpec
from gradviz.training import Trainer

OPTIMIZER = "adam"  # levels differ in the scale of their inputs; Adam copes with all of them at one learning rate
ENCODER = ("weight", "bias", "alpha")  # the parameters that a hidden layer has


class LevelState(msgspec.Struct, frozen=True):
    """What the level in work depends on beside the network's weights; the arrays are copies that nobody writes to."""

    decoders: tuple[Floats, ...]  # the flat decoders of the finished levels, shared by all states of a level
    trainer: State  # of the auto-encoder in work

    @property
    def size(self) -> int:
        """Bytes that belong to this state alone."""
        return self.trainer.size


class PretrainingStep(msgspec.Struct, frozen=True):
    """A step of pre-training that has just been done."""

    level: int  # number of the hidden layer that was trained, counted from 1
    step: int  # of this level, counted from 1
    error: float  # mean squared reconstruction error of the mini-batch; 1 is as good as always answering the mean


class Pretraining:
    """Trains the hidden layers of ``network`` one by one, each for ``steps_per_level`` steps; its output layer is left alone.

    After every step the weights of the level in work are in the network. Each level starts from the weights that the network
    has in that layer, and its decoder from random weights of its own, which the network never sees: weights are not tied, and the
    decoder is affine with squared error, as fits real inputs (both Vincent et al. 2010, section 2.2). The error is measured in
    standardised inputs, so that every unit below counts alike however little it moves, and means the same at every level.

    Args:
        network: its hidden layers are changed in place.
        inputs: (examples, features), without labels.
        learning_rate: of Adam.
        batch_size: examples per step.
        seed: draws the decoders and the order of the mini-batches.
        steps_per_level: how long each level is trained, at least 1.

    Raises:
        SpecError: for a network with batch norm or skips, whose layers do not stand alone, and for settings out of range.
        ValueError: when the inputs do not fit the network.
    """

    def __init__(
        self,
        network: Network,
        inputs: Floats,
        learning_rate: float = 0.005,
        batch_size: int = 64,
        seed: int = 0,
        steps_per_level: int = 300,
    ) -> None:
        if network.spec.batch_norm:
            raise SpecError("network.batch_norm", True, "false, to pre-train: a level is Linear → activation")
        if network.skips:
            raise SpecError("network.skip_every", network.spec.skip_every, "0, to pre-train: a level reads the one below alone")
        if steps_per_level < 1:
            raise SpecError("steps_per_level", steps_per_level, "at least 1")
        inputs = np.array(inputs, network.dtype, order="C")
        if inputs.ndim != 2 or inputs.shape[1] != network.inputs or not len(inputs):
            raise ValueError(f"inputs have shape {inputs.shape}; the network reads (examples, {network.inputs})")
        self.network, self.steps_per_level = network, steps_per_level
        self.levels = network.depth - 1
        self._spec = TrainingSpec(loss="mse", optimizer=OPTIMIZER, learning_rate=learning_rate, batch_size=batch_size, seed=seed)
        self._inputs = inputs
        self._coders: list[_AutoEncoder] = []
        self._decoders: tuple[Floats, ...] = ()  # of the finished levels
        self._begin_level(inputs)

    @property
    def level(self) -> int:
        """Number of the hidden layer in work, counted from 1; when all is done, the last one."""
        return len(self._coders)

    @property
    def step_of_level(self) -> int:
        """How many steps the level in work has been trained."""
        return self.trainer.steps

    @property
    def done(self) -> bool:
        """Whether every level has had its steps."""
        return self.level == self.levels and self.trainer.steps >= self.steps_per_level

    def phases(self) -> Iterator[PretrainingStep]:
        """The steps that are left, each done when it is yielded; a walk that was left can be taken up with another call."""
        while not self.done:
            yield self.step()

    def step(self) -> PretrainingStep:
        """Do one step, of the next level when the one in work has had its steps.

        Raises:
            RuntimeError: when all is `done`.
        """
        self.begin_level_if_due()
        self.trainer.step()
        self.take_over()
        return PretrainingStep(self.level, self.trainer.steps, self.trainer.loss)

    def begin_level_if_due(self) -> bool:
        """Go on to the next level when the one in work has had its steps; whether that was so.

        Raises:
            RuntimeError: when all is `done`.
        """
        if self.done:
            raise RuntimeError("every level has been pre-trained")
        if self.trainer.steps < self.steps_per_level:
            return False
        self._decoders = (*self._decoders, self._coders[-1].decoder.copy())
        self._begin_level(self._coders[-1].encode(self._level_inputs))
        return True

    def take_over(self) -> None:
        """Write what the level in work has learnt into the network."""
        for own, learnt in self._copied:
            np.copyto(own, learnt)

    def encoder_parts(self) -> list[tuple[str, str]]:
        """(name in the network, name in the auto-encoder) of each parameter that the level in work has in the network."""
        return [(parameter_name(self.level, kind), parameter_name(1, kind)) for kind in self._coders[-1].encoder]

    def state(self) -> LevelState:
        """A copy of what the steps to come depend on, beside the network's weights."""
        return LevelState(self._decoders, self.trainer.state(0))

    def restore(self, state: LevelState) -> None:
        """Go back to a state; the network must have the weights again that it had then."""
        if self._decoders is not state.decoders:
            self._return_to_level(state.decoders)
        self.trainer.restore(state.trainer)

    def carry_on(self, old: Pretraining) -> None:
        """Go on where ``old`` stopped, with the weights that the network has now."""
        self._return_to_level(tuple(values.copy() for values in old._decoders))
        np.copyto(self._coders[-1].decoder, old._coders[-1].decoder)
        self.trainer.carry_on(old.trainer)

    def _return_to_level(self, decoders: tuple[Floats, ...]) -> None:
        """Begin the level above those that are finished, whose ``decoders`` are given; their encoders are the network's."""
        self._coders, inputs = [], self._inputs
        for decoder in decoders:
            self._begin_level(inputs)
            np.copyto(self._coders[-1].decoder, decoder)
            inputs = self._coders[-1].encode(inputs)
        self._decoders = decoders
        self._begin_level(inputs)

    def error(self, inputs: Floats) -> float:
        """The level's mean squared reconstruction error over other examples (examples, features), in the same standardised units."""
        coder = self._coders[-1]
        with np.errstate(all="ignore"):
            for below in self._coders[:-1]:
                inputs = below.encode(inputs)
            told = coder.network.predict(inputs)
            return float(np.mean(((inputs - coder.mean) / coder.spread - told) ** 2))

    def reconstruction(self, example: Floats) -> Floats:
        """What is left of an input after the way up to the level in work and down again through the decoders.

        Args:
            example: (features,), or (examples, features).

        Returns:
            The same shape and units as ``example``.
        """
        value = np.atleast_2d(np.asarray(example, self.network.dtype))
        with np.errstate(all="ignore"):
            for coder in self._coders:
                value = coder.encode(value)
            for coder in reversed(self._coders):
                value = coder.decode(value)
        return value.reshape(np.shape(example))

    def _begin_level(self, inputs: Floats) -> None:
        layer = self.level + 1
        coder = _AutoEncoder(self.network, layer, inputs, self._spec.seed)
        with np.errstate(all="ignore"):
            standardised = np.ascontiguousarray(((inputs - coder.mean) / coder.spread).T)
        self._coders.append(coder)
        self._level_inputs = inputs
        self.trainer = Trainer(coder.network, self._spec, np.ascontiguousarray(inputs.T), standardised)
        self._copied = [(self.network.parameters[parameter_name(layer, kind)], values) for kind, values in coder.encoder.items()]


class _AutoEncoder:
    """One level: features → units → features, where the first of its two layers is that of the network.

    ``mean`` and ``spread`` (features,) are those of its inputs: original = standardised · spread + mean.
    """

    def __init__(self, whole: Network, layer: int, inputs: Floats, seed: int) -> None:
        features, units = whole.fan_ins[layer - 1], whole.widths[layer - 1]
        self.activation = ACTIVATIONS[whole.activations[layer - 1]]
        spec = NetworkSpec(
            depth=1, width=units, activation=whole.activations[layer - 1], initializer="xavier_normal", relu_at_zero=whole.spec.relu_at_zero
        )
        self.network = Network(spec, features, features, "mse", whole.dtype.type)
        # a seed of its own: else every decoder would be drawn like the network's second layer
        self.network.initialize(int(np.random.SeedSequence([seed, 3, layer]).generate_state(1)[0]))
        own = self.network.parameters
        self.encoder = {kind: own[parameter_name(1, kind)] for kind in ENCODER if parameter_name(1, kind) in own}
        for kind, values in self.encoder.items():
            np.copyto(values, whole.parameters[parameter_name(layer, kind)])
        self.decoder: Floats = self.network.vector[self.network.slices[parameter_name(2, "weight")].start :]
        self._parameter = self.network.activation_parameter(1)
        with np.errstate(all="ignore"):
            self.mean = inputs.mean(axis=0)
            spread = inputs.std(axis=0)
            # a unit that differs by rounding errors alone is constant: there is nothing to tell of it but its mean
            spread[spread <= 8.0 * float(np.finfo(whole.dtype).eps) * np.abs(self.mean)] = 1.0
        self.spread = spread

    def encode(self, inputs: Floats) -> Floats:
        """(examples, features) → (examples, units)."""
        with np.errstate(all="ignore"):
            sums = inputs @ self.encoder["weight"] + self.encoder["bias"]
            alpha = self.encoder.get("alpha")
            code: Floats = self.activation.function(sums, self._parameter if alpha is None else float(alpha[0]))
            return code

    def decode(self, code: Floats) -> Floats:
        """(examples, units) → (examples, features), in the units of the inputs."""
        weight, bias = (self.network.parameters[parameter_name(2, kind)] for kind in ("weight", "bias"))
        told: Floats = (code @ weight + bias) * self.spread + self.mean
        return told
