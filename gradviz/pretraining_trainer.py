"""A trainer whose first steps pre-train the hidden layers one by one, as auto-encoders, and whose later ones are the usual steps.

In pre-training a step's loss is the reconstruction error, and only the level in work is measured: of all other layers the
norms are NaN. A level is finished by the step after its last one, so that after its last step it can still be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.checkpoints import State
from gradviz.clipping import norm
from gradviz.network import Network
from gradviz.norms import norms
from gradviz.pretraining import LevelState, Pretraining
from gradviz.snapshot import Failure
from gradviz.spec import SpecError, TrainingSpec
from gradviz.training import LOSS, UPDATE, AnyNetwork, Phase, Trainer, feed_forward


class PretrainingTrainer(Trainer):
    """Steps 1 to ``steps_per_level`` train the first hidden layer, the next ones the second …, and then all are fine-tuned.

    A step of pre-training has four phases: *forward* through the level's layer; *loss*, in which its decoder tells the input
    again; *backward* through both; and *update*. Clipping, learning rate, momentum and weight decay are those of fine-tuning.

    Raises:
        SpecError: for a network whose layers cannot be trained one by one.
    """

    def __init__(self, network: AnyNetwork, spec: TrainingSpec, inputs: Floats, targets: NDArray[Any]) -> None:
        if not isinstance(network, Network):
            raise SpecError("training.method", spec.method, "gradient, for a recurrent net: it has no levels to train one by one")
        super().__init__(network, spec, inputs, targets)
        self._pretrained_at = spec.steps_per_level * (network.depth - 1)
        self.pretraining: Pretraining | None = self._first_level()
        self._forget_pass()

    def _first_level(self) -> Pretraining:
        network, _ = feed_forward(self)
        spec = self.spec
        return Pretraining(network, self._inputs.T, spec.level_rate, spec.batch_size, spec.seed, spec.steps_per_level)

    @property
    def level(self) -> int:
        """Number of the hidden layer in work, counted from 1; 0 in fine-tuning."""
        return self.pretraining.level if self.pretraining is not None else 0

    @property
    def order(self) -> list[tuple[str, int]]:
        """(kind, layer) of every phase of the step that comes next."""
        return self.order_of(self.steps + 1)

    def order_of(self, step: int) -> list[tuple[str, int]]:
        if step > self._pretrained_at:
            return super().order
        level = (step - 1) // self.spec.steps_per_level + 1
        return [("forward", level), ("loss", 0), ("backward", level), ("update", 0)]

    def test_loss(self, inputs: Floats, targets: NDArray[Any]) -> float:
        """In pre-training the reconstruction error of the level in work."""
        return super().test_loss(inputs, targets) if self.pretraining is None else self.pretraining.error(inputs)

    def state(self, settings: int) -> State:
        state = super().state(settings)
        if self.pretraining is None:
            return state
        levels = self.pretraining.state()
        return msgspec.structs.replace(state, method=levels, method_bytes=levels.size)

    def restore(self, state: State) -> None:
        super().restore(state)
        self._forget_pass()
        if state.method is None:
            self.pretraining = None
            return
        assert isinstance(state.method, LevelState)
        if self.pretraining is None:
            self.pretraining = self._first_level()
        self.pretraining.restore(state.method)

    def carry_on(self, old: Trainer) -> None:
        assert isinstance(old, PretrainingTrainer), "another method begins a new run"
        if old.pretraining is None:
            self.pretraining = None
        elif self.pretraining is not None:
            self.pretraining.carry_on(old.pretraining)
        super().carry_on(old)

    def _probe(self, chosen: NDArray[np.int64]) -> None:
        if self.pretraining is None:
            super()._probe(chosen)
            return
        failure = self.failure
        self._take_signals()
        self.loss = self.pretraining.trainer.loss
        with np.errstate(all="ignore"):
            self._take_gradient()
        self.updated, self.failure = False, failure

    def _finish_gradient(self) -> None:
        if self.pretraining is None:  # else the level has done it already
            super()._finish_gradient()

    def _phases(self) -> Iterator[Phase]:
        if self.steps >= self._pretrained_at:
            if self.pretraining is not None:
                self.pretraining = None
                self._forget_pass()
            yield from super()._phases()
            return
        assert self.pretraining is not None
        if self.pretraining.begin_level_if_due():
            self._forget_pass()
        level, inner = self.pretraining.level, self.pretraining.trainer
        self.updated = False
        for phase in inner._phases():
            if phase.kind == "forward" and phase.layer == 1:
                self._take_signals()
                yield Phase("forward", level)
            elif phase.kind == "loss":
                self.loss = inner.loss
                yield LOSS
            elif phase.kind == "clip":  # nothing is clipped here: it only ends the way back through decoder and encoder
                self._take_gradient()
                yield Phase("backward", level)
            elif phase.kind == "update":
                if self._before is not None:
                    np.copyto(self._before, self.network.vector)
                self.pretraining.take_over()
                self._take_change()
                self.steps += 1
                self.updated = True
                yield UPDATE

    # ---- what the level in work has measured goes where the whole network would have it

    def _forget_pass(self) -> None:
        """Nothing is known of the step before: it was another level's."""
        _, run = feed_forward(self)
        self._measured_nothing()
        for gradient in (run.gradient, self.raw_gradient):
            gradient[:] = np.nan
        run.deltas[:] = np.nan
        self.optimizer.change[:] = 0.0

    def _take_signals(self) -> None:
        """The mini-batch, and what the layer makes of it."""
        assert self.pretraining is not None
        level, inner = self.pretraining.level, self.pretraining.trainer
        _, own = feed_forward(self)
        _, run = feed_forward(inner)
        self.chosen = inner.chosen
        own.fetch(self._inputs, inner.chosen)
        if level > 1:
            np.copyto(own.layers[level - 2].outputs, run.inputs)
        np.copyto(own.layers[level - 1].pre_activations, run.layers[0].pre_activations)
        np.copyto(own.layers[level - 1].outputs, run.layers[0].outputs)

    def _take_gradient(self) -> None:
        """The gradient of the reconstruction error, as far as it is that of the network's own parameters."""
        assert self.pretraining is not None
        level, inner = self.pretraining.level, self.pretraining.trainer
        network, own = feed_forward(self)
        _, run = feed_forward(inner)
        units = network.widths[level - 1]
        start = sum(network.widths[: level - 1])
        own.deltas[start : start + units] = run.deltas[:units]
        own.slopes[start : start + units] = run.slopes[:units]
        for gradient in {id(array): array for array in (own.gradient, self.raw_gradient)}.values():
            for name, name_inside in self.pretraining.encoder_parts():
                gradient[network.slices[name]] = run.gradients[name_inside].ravel()
        measured = np.full((2, network.depth), np.nan)
        measured[:, level - 1] = norms([own.weight_gradients[level - 1], own.layers[level - 1].deltas.ravel()])
        measured.flags.writeable = False
        self._take_norms(measured.ravel())
        self.total_norm = self.clipped_norm = norm(own.gradient[network.layer_slices[level - 1]])
        if self.failure is None and inner.failure is not None:
            self.failure = Failure(self.steps + 1, level, f"L{level}", inner.failure.phase)

    def _take_change(self) -> None:
        assert self.pretraining is not None
        inner, change = self.pretraining.trainer, self.optimizer.change
        change[:] = 0.0
        for name, name_inside in self.pretraining.encoder_parts():
            change[self.network.slices[name]] = inner.optimizer.change[inner.network.slices[name_inside]]
