"""The genetic algorithm: training without any gradient, also where back-propagation gets exactly nothing.

A genome is a network's flat parameter vector. Each generation evaluates the population, selects the better individuals as
parents, crosses their genomes, and mutates the children; the few best pass on unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.network import Network, parameter_name
from gradviz.population import Population
from gradviz.spec import SpecError, TrainingSpec
from gradviz.training import Phase

TARGET_SUCCESS = 0.2  # the share of successful mutations at which their size is right (Rechenberg 1973)
SIGMA_FACTOR = 1.2  # σ grows by this when every mutation succeeds, and shrinks by its fourth root when none does
SMALLEST_SIGMA, LARGEST_SIGMA = 1e-3, 10.0

EVALUATE, SELECT, CROSS, MUTATE = Phase("evaluate", 0), Phase("select", 0), Phase("cross", 0), Phase("mutate", 0)


class EvolutionState(msgspec.Struct, frozen=True):
    """Everything between two generations that the next ones depend on, and what can be seen of the last one; the arrays are copies."""

    generations: int
    children: Floats
    genomes: Floats  # of the generation evaluated last, as its losses and accuracies
    losses: Floats
    accuracies: Floats
    parents: NDArray[np.int64]
    crossed: NDArray[np.bool_]
    sigma: float
    success: float
    best: Floats
    best_loss: float
    best_accuracy: float
    generator: Mapping[str, Any]  # the random generator

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.children, self.genomes, self.losses, self.accuracies, self.parents, self.crossed, self.best)
        return sum(array.nbytes for array in arrays)


class Evolution:
    """A population of networks of one structure that evolves on one set of examples; the same seed gives the same run.

    Attributes:
        network: the best individual found so far; before the first generation the network that back-propagation would
            start from.
        population: genomes, losses and accuracies of the generation that was evaluated last.
        children: (size, parameters) the next generation in the making: elite first.
        parents: (size − elite, 2) which individuals each child without the elite comes from.
        crossed: (size − elite,) whether the second parent counts.
        parent_losses: (size − elite, 2) of the parents that the population's individuals behind the elite come from, twice that of
            the only parent; NaN where none are known.
        sigma: σ, the standard deviation of a mutation.
        success: share of the last children that were no worse than the better of their parents; NaN for the first generation.
        generations: how many generations are done.
        best_loss, best_accuracy: of `network`; ∞ and NaN before the first evaluation.
    """

    def __init__(self, network: Network, settings: TrainingSpec, inputs: Floats, targets: NDArray[Any]) -> None:
        """Draw the first population.

        Args:
            network: what the population is drawn around, and its first individual; it becomes the best individual, again and again.
                Genomes have its type: selection only ranks the individuals, for which float32 is enough, at twice the speed.
            settings: how to evolve; the seed is that of everything random but the first weights.
            inputs: (examples, features).
            targets: (examples,) class numbers (integers) or values, or (examples, outputs) values.

        Raises:
            SpecError: for batch norm, too large a population, and an elite that leaves no room for children.
            ValueError: when the arrays do not fit the network.
            TargetError: when the targets do not fit the loss.
        """
        self.settings, self.network = settings, network
        size, elite = settings.population, settings.elite
        if elite >= size:
            raise SpecError("training.elite", elite, f"fewer than the population, which is {size}")
        self.population = Population(network, size, inputs, targets)
        self._rng = np.random.default_rng([settings.seed, 3])  # 1 draws the first weights, 2 the mini-batches
        self.children = np.empty_like(self.population.genomes)
        self._rng.standard_normal(dtype=network.dtype.type, out=self.children)
        self.children *= self.settings.spread
        self.children += self.network.vector
        self.children[0] = self.network.vector
        self.sigma, self.success = self.settings.mutation, np.nan
        self.best_loss, self.best_accuracy = np.inf, np.nan
        self.generations = 0
        self.parents = np.zeros((size - elite, 2), np.int64)
        self.crossed = np.zeros(size - elite, np.bool_)
        self.parent_losses = np.full((size - elite, 2), np.nan)
        self._rank()
        self._units = unit_of_each_gene(self.network)
        self._noise = np.empty_like(self.children[elite:])
        self._chances = np.empty_like(self._noise)

    @property
    def best(self) -> Floats:
        """(parameters,) the best genome found so far; a copy."""
        return self.network.vector.copy()

    @property
    def losses(self) -> Floats:
        """(size,) of the generation evaluated last; ∞ where the loss is not a number. The fitness is −loss."""
        return self.population.losses

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Loss below which a quarter, half and three quarters of the individuals with a finite loss lie; NaN if there are none."""
        ranked = self.losses[self._ranks]
        count = int(np.isfinite(ranked).sum())
        first, middle, last = (float(ranked[count * part // 4]) if count else np.nan for part in (1, 2, 3))
        return first, middle, last

    @property
    def spread(self) -> float:
        """The distance between the first and the last quartile of the finite losses."""
        first, _, last = self.quartiles
        return last - first

    def state(self) -> EvolutionState:
        """A copy of everything that the generations to come depend on; only between two generations."""
        return EvolutionState(
            generations=self.generations,
            children=self.children.copy(),
            genomes=self.population.genomes.copy(),
            losses=self.population.losses.copy(),
            accuracies=self.population.accuracies.copy(),
            parents=self.parents.copy(),
            crossed=self.crossed.copy(),
            sigma=self.sigma,
            success=self.success,
            best=self.best,
            best_loss=self.best_loss,
            best_accuracy=self.best_accuracy,
            generator=self._rng.bit_generator.state,
        )

    def restore(self, state: EvolutionState) -> None:
        """Go back to a state of an evolution with the same structure, examples and settings; a begun generation is given up."""
        np.copyto(self.children, state.children)
        np.copyto(self.population.genomes, state.genomes)
        np.copyto(self.population.losses, state.losses)
        np.copyto(self.population.accuracies, state.accuracies)
        np.copyto(self.network.vector, state.best)
        self.parents, self.crossed = state.parents.copy(), state.crossed.copy()
        self.sigma, self.success, self.generations = state.sigma, state.success, state.generations
        self.best_loss, self.best_accuracy = state.best_loss, state.best_accuracy
        self._rng.bit_generator.state = state.generator
        self.parent_losses[:] = np.nan
        self._rank()

    def carry_on(self, old: Evolution) -> None:
        """Go on with the population of ``old``, of the same size, under other settings: what the best one's loss is, is open again."""
        mine, its = self.network.slices, old.network.slices
        for name in mine.keys() & its.keys():  # a learnt α goes with its activation
            self.network.vector[mine[name]] = old.network.vector[its[name]]
            self.children[:, mine[name]] = old.children[:, its[name]]
            self.population.genomes[:, mine[name]] = old.population.genomes[:, its[name]]
        np.copyto(self.population.losses, old.population.losses)
        np.copyto(self.population.accuracies, old.population.accuracies)
        self.parents, self.crossed, self.parent_losses = old.parents.copy(), old.crossed.copy(), old.parent_losses.copy()
        self.sigma, self.success, self.generations = old.sigma, old.success, old.generations
        self._rng.bit_generator.state = old._rng.bit_generator.state
        self._rank()

    def put_in(self, genome: Floats) -> None:
        """Put an individual (parameters,) into the next generation in the place of the first one; it counts as the best so far."""
        np.copyto(self.network.vector, genome)
        np.copyto(self.children[0], genome)
        self.best_loss, self.best_accuracy = np.inf, np.nan

    def generation(self) -> None:
        """One generation: evaluate, select, cross, mutate."""
        for _ in self.phases():
            pass

    def phases(self) -> Iterator[Phase]:
        """One generation, phase by phase; each is done when it is yielded. Finish one before you begin the next."""
        self._evaluate()
        yield EVALUATE
        self._select()
        yield SELECT
        self._cross()
        yield CROSS
        self._mutate()
        self.generations += 1
        yield MUTATE

    def _evaluate(self) -> None:
        """The children become the population, and everyone's loss is found; the children's success adapts σ."""
        if self.generations:
            self.parent_losses = self.losses[self.parents]
            np.copyto(self.parent_losses[:, 1], self.parent_losses[:, 0], where=~self.crossed)
        np.copyto(self.population.genomes, self.children)
        self.population.evaluate()
        if self.generations:
            self._adapt(self.losses[self.settings.elite :], self.parent_losses.min(axis=1))
        self._rank()
        best = self._ranks[0]
        if self.losses[best] < self.best_loss:
            self.best_loss, self.best_accuracy = float(self.losses[best]), float(self.population.accuracies[best])
            np.copyto(self.network.vector, self.population.genomes[best])

    def _rank(self) -> None:
        self._ranks = self.losses.argsort(kind="stable")  # individuals of the population, best first

    def _adapt(self, losses: Floats, parent_losses: Floats) -> None:
        """The 1/5 success rule: where more than a fifth of the mutations succeed, larger ones pay, else smaller ones.

        Rechenberg 1973; in the smooth form of Igel, Suttorp and Hansen 2006, σ ← σ · exp[(p − 1/5) / (d (1 − 1/5))]. A child
        that is as good as its parent counts as a success: on the plateaus of a step function small mutations change nothing.
        """
        self.success = float(np.mean((losses <= parent_losses) & np.isfinite(losses)))
        factor = SIGMA_FACTOR ** ((self.success - TARGET_SUCCESS) / (1.0 - TARGET_SUCCESS))
        self.sigma = min(max(self.sigma * factor, SMALLEST_SIGMA), LARGEST_SIGMA)

    def _select(self) -> None:
        """Tournaments: for each place as a parent some individuals are drawn, and the best of them wins (Goldberg and Deb 1991)."""
        drawn = self._rng.integers(0, self.settings.population, (*self.parents.shape, self.settings.tournament))
        winners = self.losses[drawn].argmin(axis=-1)
        self.parents = np.take_along_axis(drawn, winners[..., None], axis=-1)[..., 0]

    def _cross(self) -> None:
        """Uniform crossover (Syswerda 1989) of whole units, weights and bias together (Montana and Davis 1989).

        What a unit computes it computes with all its weights; mixed one by one, those of two units compute neither.
        """
        genomes, elite = self.population.genomes, self.settings.elite
        np.copyto(self.children[:elite], genomes[self._ranks[:elite]])
        self.crossed = self._rng.random(len(self.parents)) < self.settings.crossover
        from_second = self._rng.random((len(self.parents), self._units[-1] + 1)) < 0.5
        from_second &= self.crossed[:, None]
        children = self.children[elite:]
        np.take(genomes, self.parents[:, 0], axis=0, out=children, mode="clip")  # "clip" writes straight into the children
        np.copyto(children, genomes[self.parents[:, 1]], where=from_second[:, self._units])

    def _mutate(self) -> None:
        """Gaussian mutation: N(0, σ²) is added to some genes of every child; the elite stays as it is."""
        self._rng.standard_normal(dtype=self.network.dtype.type, out=self._noise)
        self._rng.random(dtype=self.network.dtype.type, out=self._chances)
        self._noise *= self._chances < self.settings.mutated
        self._noise *= self.sigma
        self.children[self.settings.elite :] += self._noise


def unit_of_each_gene(network: Network) -> NDArray[np.int64]:
    """(parameters,) the number of the unit that each parameter belongs to; a learnt α goes with its layer's first unit."""
    units, first = np.empty(network.vector.size, np.int64), 0
    for layer, width in enumerate(network.widths, 1):
        for kind in ("weight", "bias", "alpha"):
            part = network.slices.get(parameter_name(layer, kind))
            if part is not None:
                units[part] = first + np.arange(part.stop - part.start) % width
        first += width
    return units
