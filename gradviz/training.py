"""The training step, as a generator of phases: playing drains it, stepping calls `next()`; one road for both.

What a student steps through is therefore exactly what trains.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.checkpoints import BatchState, State
from gradviz.clipping import CLIPPINGS, norm
from gradviz.lab_reports import PopulationReport
from gradviz.losses import loss_named
from gradviz.network import Network, Pass
from gradviz.optimizers import OPTIMIZERS, Optimizer
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.snapshot import Failure
from gradviz.spec import MAX_BATCH_BYTES, SpecError, TrainingSpec

AnyNetwork = Network | RecurrentNetwork
AnyPass = Pass | RecurrentPass

RETUNED = ("learning_rate", "momentum", "weight_decay", "stop_after", "clip_threshold")  # settings that no buffer depends on
KEPT_BEFORE = 16_384  # parameters whose values before the update are kept: with more of them the copy would cost too much of a step


def _check_memory(network: AnyNetwork, batch: int) -> None:
    """Refuse what no machine may be able to hold, before any of it is taken."""
    each = network.numbers_kept() * network.dtype.itemsize
    if each * batch > MAX_BATCH_BYTES:
        fits = MAX_BATCH_BYTES // each
        smaller = "fewer time steps (data.lag)" if isinstance(network, RecurrentNetwork) else "fewer layers (network.depth)"
        other = f"fewer units (network.width) or {smaller}"
        allowed = f"at most {fits:,} with this network, or {other}" if fits else other
        raise SpecError("training.batch_size", batch, f"{allowed}: a mini-batch would take {each * batch / 1e9:.1f} GB of memory")


class Phase(msgspec.Struct, frozen=True):
    """A part of a training step that has just been done."""

    kind: str  # as in `snapshot.Moment`
    layer: int  # number of the layer, counted from 1; 0 where no single layer is meant


class Batches:
    """The order of the mini-batches: each epoch a new permutation; an incomplete last batch is left out."""

    def __init__(self, examples: int, batch_size: int, seed: int) -> None:
        self.size = min(examples, batch_size)
        self.rng = np.random.default_rng([seed, 2])
        self._examples = examples
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._next = examples
        self._before: Mapping[str, Any] | None = None  # the generator's state before it drew `_order`

    def same_as(self, other: Batches) -> bool:
        """Whether the order of one can serve the other."""
        return (self._examples, self.size) == (other._examples, other.size)

    def next(self) -> NDArray[np.int64]:
        """The indices (batch,) of the next mini-batch."""
        if self._next + self.size > len(self._order):
            self._before = self.rng.bit_generator.state
            self._order, self._next = self.rng.permutation(self._examples), 0
        start, self._next = self._next, self._next + self.size
        return self._order[start : self._next]

    def peek(self) -> NDArray[np.int64]:
        """The mini-batch that `next` will give."""
        state = self.state()
        chosen = self.next()
        self.restore(state)
        return chosen

    def state(self) -> BatchState:
        """Where the order stands."""
        drawn = self._before is not None
        return BatchState(self._before if self._before is not None else self.rng.bit_generator.state, drawn, self._next)

    def restore(self, state: BatchState) -> None:
        """Go back to where the order stood."""
        self.rng.bit_generator.state = state.generator
        self._before = state.generator if state.drawn else None
        self._order = self.rng.permutation(self._examples) if state.drawn else np.empty(0, np.int64)
        self._next = state.next


class Trainer:
    """Runs training steps and keeps what the last one measured.

    ``inputs`` ([time,] features, examples) and ``targets`` (…, examples), encoded for the loss, are in the engine's layout.
    ``follows_gradient`` says whether a step changes the weights by the gradient that it measures.
    Per-layer results have shape (layers,): ``gradient_norms`` ‖∂L/∂W‖ before clipping, ``clipped_norms`` after it,
    ``delta_norms`` ‖∂L/∂z‖; ``layer_norms`` (2 · layers,) has the first and the last in one. In a recurrent net a time step takes the
    place of a layer; its weights being shared, ``gradient_norms`` are ‖∂L/∂h_t‖ there.

    Raises:
        SpecError: when the mini-batch would be too large for this network.
    """

    follows_gradient: ClassVar[bool] = True

    def __init__(self, network: AnyNetwork, spec: TrainingSpec, inputs: Floats, targets: NDArray[Any]) -> None:
        self.network, self.spec = network, spec
        self._inputs, self._targets = inputs, targets
        self.batches = Batches(inputs.shape[-1], spec.batch_size, spec.seed)
        _check_memory(network, self.batches.size)
        self.run: AnyPass = network.make_pass(self.batches.size)
        self.optimizer: Optimizer = OPTIMIZERS[spec.optimizer](network.vector.size, network.dtype, spec.momentum)
        self.steps = 0
        self.failure: Failure | None = None
        self.chosen: NDArray[np.int64] = np.arange(self.batches.size)  # examples of the last mini-batch
        self.updated = False  # whether the parameters have been updated since the gradient was measured
        self._before = np.empty_like(network.vector) if network.vector.size <= KEPT_BEFORE else None
        self._measured_nothing()
        self._clipping = None if spec.clip == "none" else CLIPPINGS[spec.clip]
        self.raw_gradient = self.run.gradient if self._clipping is None else np.zeros_like(network.vector)
        self.batch_targets = np.empty((*targets.shape[:-1], self.batches.size), targets.dtype)
        self._norms = self.run.norms
        self._forward = [(stage, Phase("forward", n)) for n, stage in enumerate(self.run.forward_stages, 1)]
        self._backward = [(stage, Phase("backward", n)) for n, stage in enumerate(self.run.backward_stages, 1)][::-1]

    @property
    def order(self) -> list[tuple[str, int]]:
        """(kind, layer) of every phase of a step."""
        layers = range(1, self.network.depth + 1)
        return [
            *(("forward", layer) for layer in layers),
            ("loss", 0),
            *(("backward", layer) for layer in reversed(layers)),
            ("clip", 0),
            ("update", 0),
        ]

    @property
    def work(self) -> float:
        """Multiply-adds of one step."""
        return 3.0 * self.network.work * self.batches.size

    @property
    def population(self) -> Floats | None:
        """(5,) of a method that has a population what is told of it at every step, as in `HistoryTable.population`."""
        return None

    def report(self, begun: bool = False) -> PopulationReport | None:
        """The generation that was evaluated last, of a method that has a population; ``begun``: its parents are not selected yet."""
        return None

    @property
    def level(self) -> int:
        """Number of the hidden layer that is trained by itself; 0 where the whole network is."""
        return 0

    def order_of(self, step: int) -> list[tuple[str, int]]:
        """`order` of the step of this number."""
        return self.order

    def test_loss(self, inputs: Floats, targets: NDArray[Any]) -> float:
        """The loss over other examples: ``inputs`` (examples, …) as the network predicts from, ``targets`` encoded."""
        outputs = np.ascontiguousarray(self.network.predict(inputs).T)
        with np.errstate(all="ignore"):
            return loss_named(self.network.loss).evaluate(outputs, targets, np.empty_like(outputs))

    def _measured_nothing(self) -> None:
        self.loss = self.total_norm = self.clipped_norm = math.nan
        unknown = np.full(2 * self.network.depth, np.nan)
        unknown.flags.writeable = False
        self._take_norms(unknown)

    def state(self, settings: int) -> State:
        """A copy of everything that the steps to come depend on; ``settings`` counts the changes of the settings so far."""
        return State(
            steps=self.steps,
            settings=settings,
            vector=self.network.vector.copy(),
            memories=tuple(values.copy() for values in self.optimizer.state.values()),
            optimizer_steps=self.optimizer.steps,
            running=tuple(values.copy() for values in self.network.running.values()),
            batches=self.batches.state(),
            failure=self.failure,
            slices=self.network.slices,
        )

    def restore(self, state: State) -> None:
        """Go back to a state of a trainer with the same settings; what was measured then is known again after the next step."""
        self.steps, self.failure = state.steps, state.failure
        np.copyto(self.network.vector, state.vector)
        for own, kept in zip(self.optimizer.state.values(), state.memories, strict=True):
            np.copyto(own, kept)
        self.optimizer.steps = state.optimizer_steps
        for own, kept in zip(self.network.running.values(), state.running, strict=True):
            np.copyto(own, kept)
        self.batches.restore(state.batches)
        self.updated = False
        if not state.steps:
            self._measured_nothing()
            self.optimizer.change[:] = 0.0

    def retune(self, spec: TrainingSpec) -> bool:
        """Take over ``spec`` if it differs in `RETUNED` settings only; what the last step measured stays, clipped anew."""
        if spec != msgspec.structs.replace(self.spec, **{name: getattr(spec, name) for name in RETUNED}):
            return False
        self.spec, self.optimizer.momentum = spec, spec.momentum
        if self.steps and self._clipping is not None:
            np.copyto(self.run.gradient, self.raw_gradient)
            with np.errstate(all="ignore"):
                self._finish_gradient()
        return True

    def carry_on(self, old: Trainer) -> None:
        """Go on where ``old`` stopped: its count of steps, last measurements, optimiser state and order of batches."""
        self.steps, self.failure, self.loss = old.steps, old.failure, old.loss
        if old.batches.same_as(self.batches):
            self.batches = old.batches
        else:
            self.batches.rng = old.batches.rng
        carried = [(self.optimizer.change, old.optimizer.change)]  # what the last step did, it did
        if type(self.optimizer) is type(old.optimizer):
            self.optimizer.steps = old.optimizer.steps
            carried += [(values, old.optimizer.state[memory]) for memory, values in self.optimizer.state.items()]
        with np.errstate(over="ignore"):  # to float32: what is too large for it becomes infinite
            for values, old_values in carried:
                for name, part in self.network.slices.items():
                    if name in old.network.slices:
                        values[part] = old_values[old.network.slices[name]]
        if self.steps:
            self._probe(old.chosen if old.batches.same_as(self.batches) else np.arange(self.batches.size))

    @property
    def training_set(self) -> tuple[Floats, NDArray[Any]]:
        """All it trains on: inputs ([time,] features, examples), and targets (…, examples) as encoded for the loss; read only."""
        return self._inputs, self._targets

    @property
    def clips(self) -> bool:
        """Whether a rule for clipping is in force."""
        return self._clipping is not None

    @property
    def passed_with(self) -> Floats:
        """The flat parameters with which the last pass was made: those before the update.

        Of a very large network they are worked out from the update, which is inexact where it was far larger than they were.
        """
        if not self.updated:
            return self.network.vector
        return self._before if self._before is not None else self.network.vector - self.optimizer.change

    def look_ahead(self, chosen: NDArray[np.int64]) -> tuple[AnyPass, NDArray[Any]]:
        """Forward and backward over these examples on buffers of their own, and their targets; the run does not notice."""
        run = self.network.make_pass(len(chosen), update_running=False)
        targets = self._targets[..., chosen]
        with np.errstate(all="ignore"):
            run.fetch(self._inputs, chosen)
            run.forward()
            run.evaluate(targets)
            run.backward()
        return run, targets

    def _probe(self, chosen: NDArray[np.int64]) -> None:
        """Measure the gradients of one mini-batch without a step, so that a changed setting shows before the next one."""
        failure = self.failure
        running = {name: values.copy() for name, values in self.network.running.items()}
        self._fetch(chosen)
        with np.errstate(all="ignore"):
            self.run.forward()
            self.loss = self.run.evaluate(self.batch_targets)
            self.run.backward()
            self._finish_gradient()
        self.updated = False
        self.failure = failure  # no step was done: the setting may be taken back, the weights are as they were
        for name, values in running.items():
            self.network.running[name][:] = values

    def step(self) -> None:
        """One whole training step."""
        with np.errstate(all="ignore"):  # overflow is the subject of the program, not an accident
            for _ in self._phases():
                pass

    def phases(self) -> Iterator[Phase]:
        """One training step, phase by phase; each is done when it is yielded."""
        phases = self._phases()
        while True:
            with np.errstate(all="ignore"):  # not held over a yield: it would leak into the caller
                phase = next(phases, None)
            if phase is None:
                return
            yield phase

    def _phases(self) -> Iterator[Phase]:
        run = self.run
        self._fetch(self.batches.next())
        self.updated = False
        for forward, phase in self._forward:
            forward()
            yield phase
        self.loss = run.evaluate(self.batch_targets)
        yield LOSS
        for backward, phase in self._backward:
            backward()
            yield phase
        self._finish_gradient()
        yield CLIP
        if self._before is not None:
            np.copyto(self._before, self.network.vector)
        self.optimizer.step(self.network.vector, run.gradient, self.spec.learning_rate, self.spec.weight_decay)
        self.steps += 1
        self.updated = True
        yield UPDATE

    def _fetch(self, chosen: NDArray[np.int64]) -> None:
        self.chosen = chosen
        self.run.fetch(self._inputs, chosen)
        # mode="clip" lets NumPy write straight into the buffer; the indices are in range by construction
        self._targets.take(chosen, axis=-1, out=self.batch_targets, mode="clip")

    def _finish_gradient(self) -> None:
        """Measure the whole gradient, clip it, and measure what is left."""
        self._measure()
        if self._clipping is not None:
            np.copyto(self.raw_gradient, self.run.gradient)
            self._clipping.apply(self.run.gradient, self.network.layer_slices, self.spec.clip_threshold)
            self._measure_clipped()

    def _measure(self) -> None:
        self._take_norms(self._norms())
        self.total_norm = self.clipped_norm = norm(self.run.gradient)
        if self.failure is None and not (math.isfinite(self.total_norm) and math.isfinite(self.loss)):
            found = self.run.first_failure(self.loss)
            self.failure = None if found is None else self._failure(*found)

    def _take_norms(self, measured: Floats) -> None:
        """Of all layers ‖∂L/∂W‖, then ‖∂L/∂z‖: (2 · layers,), read-only."""
        depth = self.network.depth
        self.layer_norms = measured
        self.gradient_norms = self.clipped_norms = measured[:depth]
        self.delta_norms = measured[depth:]

    def _measure_clipped(self) -> None:
        if not np.array_equal(self.raw_gradient, self.run.gradient):
            self.clipped_norms = self.run.clipped_norms()
            self.clipped_norm = norm(self.run.gradient)

    def _failure(self, layer: int, phase: str) -> Failure:
        hidden = "L" if isinstance(self.network, Network) else "t"
        name = f"{hidden}{layer}" if layer < self.network.depth else "Out"
        return Failure(self.steps + 1, layer, name, phase)


def feed_forward(trainer: Trainer) -> tuple[Network, Pass]:
    """The network and the pass of a trainer of a feed-forward net, for what is known of such nets alone.

    Raises:
        TypeError: when its net is recurrent.
    """
    network, run = trainer.network, trainer.run
    if not isinstance(network, Network) or not isinstance(run, Pass):
        raise TypeError(f"a feed-forward net is wanted, not {type(network).__name__}")
    return network, run


LOSS, CLIP, UPDATE = Phase("loss", 0), Phase("clip", 0), Phase("update", 0)
