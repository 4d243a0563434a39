"""Training by the genetic algorithm: a step is a generation, and the network is the best individual found so far.

After each evaluation the best individual is taken through a mini-batch forward and backward, without an update: so everything
that is measured of a net trained by its gradients is known here as well, and says what back-propagation would get from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.checkpoints import State
from gradviz.evolution import EVALUATE, MUTATE, Evolution
from gradviz.lab_reports import PopulationReport
from gradviz.losses import loss_named
from gradviz.network import Network
from gradviz.snapshot import GENERATION
from gradviz.spec import SpecError, TrainingSpec
from gradviz.training import AnyNetwork, Phase, Trainer


class EvolutionTrainer(Trainer):
    """Runs generations. ``loss`` is that of the best individual over the whole training set, the gradients are of a mini-batch.

    Attributes:
        evolution: the population. Its genomes are float32, whatever the network's precision.
    """

    follows_gradient = False

    def __init__(self, network: AnyNetwork, spec: TrainingSpec, inputs: Floats, targets: NDArray[Any]) -> None:
        """As `Trainer`; raises `SpecError` for a recurrent net and for batch norm."""
        if not isinstance(network, Network):
            raise SpecError("training.method", spec.method, "gradient for a net that reads sequences (network.kind)")
        if network.spec.batch_norm:
            raise SpecError("network.batch_norm", True, "false with training.method evolution: running statistics are in no genome")
        # the gradient is only looked at: no rule clips it, and no optimiser has anything to remember
        super().__init__(network, msgspec.structs.replace(spec, optimizer="sgd", clip="none"), inputs, targets)
        self.spec = spec
        best = Network(network.spec, network.inputs, network.outputs, network.loss, np.float32)
        with np.errstate(over="ignore"):
            np.copyto(best.vector, network.vector)
        self.evolution = Evolution(best, spec, inputs.T, targets if targets.ndim == 1 else targets.T)

    @property
    def order(self) -> list[tuple[str, int]]:
        """See `Trainer.order`."""
        return [(kind, 0) for kind in GENERATION]

    @property
    def work(self) -> float:
        """See `Trainer.work`."""
        return super().work + float(self.network.work * self.spec.population * int(self._inputs.shape[-1]))

    @property
    def population(self) -> Floats:
        """See `Trainer.population`."""
        evolution = self.evolution
        return np.array([*evolution.quartiles, evolution.sigma, evolution.success])

    def report(self, begun: bool = False) -> PopulationReport | None:
        """See `Trainer.report`; None before the first evaluation."""
        evolution, size = self.evolution, self.spec.population
        best = int(evolution.losses.argmin())
        if not math.isfinite(evolution.losses[best]):
            return None
        children = None if begun else np.bincount(evolution.parents[:, 0], minlength=size)
        if children is not None:
            children += np.bincount(evolution.parents[evolution.crossed, 1], minlength=size)
        first, second = evolution.parent_losses[best - self.spec.elite].tolist() if best >= self.spec.elite else (math.nan, math.nan)
        return PopulationReport(
            losses=evolution.losses.astype(np.float32),
            elite=0 if np.isnan(evolution.parent_losses).all() else self.spec.elite,
            best=best,
            best_parents=(first, second),
            children=None if children is None else children.astype(np.int16),
            sigma=evolution.sigma,
            success=evolution.success,
        )

    def state(self, settings: int) -> State:
        """See `Trainer.state`."""
        evolved = self.evolution.state()
        return msgspec.structs.replace(super().state(settings), method=evolved, method_bytes=evolved.size)

    def restore(self, state: State) -> None:
        """See `Trainer.restore`."""
        super().restore(state)
        self.evolution.restore(state.method)

    def carry_on(self, old: Trainer) -> None:
        """See `Trainer.carry_on`; the best individual is found anew among the next generation."""
        assert isinstance(old, EvolutionTrainer), "another method begins another run"
        self.evolution.carry_on(old.evolution)
        super().carry_on(old)

    def _probe(self, chosen: NDArray[np.int64]) -> None:
        super()._probe(chosen)
        outputs = np.ascontiguousarray(self.network.predict(self._inputs.T).T)
        with np.errstate(all="ignore"):
            self.loss = loss_named(self.network.loss).evaluate(outputs, self._targets, np.empty_like(outputs))

    def _phases(self) -> Iterator[Phase]:
        self._put_in_by_hand()
        for phase in self.evolution.phases():
            if phase is EVALUATE:
                self._look_at_best()
            elif phase is MUTATE:
                self.steps += 1
            yield phase

    def _put_in_by_hand(self) -> None:
        """What was written into the network since the last generation becomes an individual of the next one."""
        genome = self.network.vector.astype(np.float32)
        if not np.array_equal(genome, self.evolution.network.vector):
            self.evolution.put_in(genome)

    def _look_at_best(self) -> None:
        """Take the best individual forward and backward through a mini-batch."""
        vector, change, run = self.network.vector, self.optimizer.change, self.run
        np.copyto(change, vector)
        np.copyto(vector, self.evolution.network.vector)
        np.subtract(vector, change, out=change)
        self._fetch(self.batches.next())
        run.forward()
        run.evaluate(self.batch_targets)
        run.backward()
        self.loss = self.evolution.best_loss
        self._finish_gradient()
        if math.isfinite(self.loss):
            self.failure = None  # a gradient that is not finite stops nobody who does not follow it
