"""The genetic algorithm: a population answers as its networks do one by one, its operators do what they say, and it
trains nets of step functions, for which back-propagation has no gradient."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradviz import population as population_module
from gradviz.activations import ACTIVATIONS
from gradviz.data import load
from gradviz.evolution import Evolution, unit_of_each_gene
from gradviz.losses import loss_named
from gradviz.network import Network, build
from gradviz.population import Population
from gradviz.prediction import classes_of, scores
from gradviz.spec import NetworkSpec, SpecError, TrainingSpec
from tests.engine.nets import LOSS_NAMES, OUTPUTS, make_batch, make_network, make_trainer

STEPS = NetworkSpec(depth=2, width=8, activation="step")


def make_population(network: Network, inputs: NDArray[Any], targets: NDArray[Any], size: int = 7) -> Population:
    population = Population(network, size, inputs, targets)
    population.genomes[:] = network.vector + np.random.default_rng(5).standard_normal(population.genomes.shape)
    return population


def one_by_one(population: Population, inputs: NDArray[Any], targets: NDArray[Any]) -> list[float]:
    network, losses = population.network, []
    loss = loss_named(network.loss)
    encoded = loss.encode(targets, network.outputs)
    for genome in population.genomes:
        network.vector[:] = genome
        outputs = network.predict(inputs).T
        losses.append(loss.evaluate(outputs, encoded, np.empty_like(outputs)))
    return losses


def assert_same(first: Evolution, second: Evolution) -> None:
    state, other = first.state(), second.state()
    for name in state.__struct_fields__:
        np.testing.assert_equal(getattr(state, name), getattr(other, name), err_msg=name)
    np.testing.assert_equal(first.quartiles, second.quartiles)


def make_evolution(seed: int = 0, spec: NetworkSpec = STEPS, data: str = "xor", **settings: Any) -> Evolution:
    loaded = load(data, samples=300, noise=0.1, test_fraction=0.2, seed=seed)
    network = build(spec, 2, 1, "binary_cross_entropy", seed, np.float32)
    return Evolution(network, TrainingSpec(seed=seed, **settings), loaded.inputs[loaded.train], loaded.targets[loaded.train])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_a_population_answers_as_its_networks_do_one_by_one(activation: str, loss: str) -> None:
    network = make_network(loss, activation=activation, skip_every=2)
    inputs, targets = make_batch(loss, 20)
    population = make_population(network, inputs, targets)
    population.evaluate()
    np.testing.assert_allclose(population.losses, one_by_one(population, inputs, targets), rtol=1e-10)


def test_groups_and_widths_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make_network("mse", depth=3, widths=(5, 2, 7), activations=("step", "prelu", "tanh"))
    inputs, targets = make_batch("mse", 20)
    whole = make_population(network, inputs, targets)
    whole.evaluate()
    monkeypatch.setattr(population_module, "GROUP_BYTES", 3 * 8 * 20 * 35)  # groups of some individuals, the last one smaller
    parted = make_population(network, inputs, targets)
    assert 1 < len(parted._groups) < 7
    parted.evaluate()
    np.testing.assert_allclose(parted.losses, whole.losses, rtol=1e-12)
    np.testing.assert_allclose(parted.losses, one_by_one(parted, inputs, targets), rtol=1e-10)


@pytest.mark.parametrize(("loss", "outputs"), [("mse", 1), ("mse", 2), ("binary_cross_entropy", 1), ("cross_entropy", 2)])
def test_accuracy_reads_the_outputs_as_the_prediction_does(loss: str, outputs: int) -> None:
    rng = np.random.default_rng(0)
    inputs, classes = rng.standard_normal((40, 3)), rng.integers(0, 2, 40)
    network = build(NetworkSpec(depth=2, width=4, activation="tanh"), 3, outputs, loss, seed=0)
    population = make_population(network, inputs, classes)
    population.evaluate()
    for genome, accuracy in zip(population.genomes, population.accuracies, strict=True):
        network.vector[:] = genome
        assert accuracy == pytest.approx(np.mean(classes_of(scores(network.predict(inputs), loss)) == classes))
    assert np.isnan(make_population(make_network(), *make_batch("mse")).accuracies).all()  # values have no right and wrong


def test_what_is_not_a_number_is_the_worst_and_never_wins() -> None:
    network = make_network("cross_entropy", activation="relu")
    inputs, targets = make_batch("cross_entropy", 20)
    population = make_population(network, inputs, targets)
    population.genomes[2] = np.nan
    population.genomes[3] = 1e300
    population.evaluate()
    assert np.isposinf(population.losses[2:4]).all()
    assert not population.accuracies[2:4].any()
    assert np.isfinite(np.delete(population.losses, [2, 3])).all()

    evolution = make_evolution(population=20)
    evolution.children[:15] = np.nan
    evolution.generation()
    assert np.isfinite(evolution.best_loss)
    assert np.isfinite(evolution.spread)
    assert np.isfinite(evolution.best).all()


def test_a_population_of_nothing_but_nan_goes_on() -> None:
    evolution = make_evolution(population=10)
    evolution.children[:] = np.nan
    evolution.generation()
    evolution.generation()
    assert evolution.best_loss == np.inf
    assert evolution.success == 0.0
    assert np.isnan(evolution.spread)


def test_batch_norm_and_what_does_not_fit_is_refused() -> None:
    inputs, targets = make_batch("mse", 20)
    with pytest.raises(SpecError, match="running statistics"):
        Population(make_network(batch_norm=True), 5, inputs, targets)
    with pytest.raises(SpecError, match="parameters in all"):
        Population(make_network(depth=10, widths=(200,) * 10, activations=("step",) * 10), 200, inputs, targets)
    with pytest.raises(ValueError, match="the network reads"):
        Population(make_network(), 5, inputs[:, :2], targets)
    with pytest.raises(ValueError, match="20 inputs, but 19 targets"):
        Population(make_network(), 5, inputs, targets[:19])


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": 3},
        {"population": 2.5},
        {"tournament": 0},
        {"elite": 4, "population": 4},
        {"mutation": float("nan")},
        {"crossover": 1.1},
    ],
)
def test_a_setting_out_of_range_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=f"training.{next(iter(wrong))}"):
        make_evolution(**wrong)


def test_the_same_seed_gives_the_same_run_bit_for_bit() -> None:
    first, second, other = make_evolution(1), make_evolution(1), make_evolution(2)
    for _ in range(5):
        first.generation()
        for _ in second.phases():  # walking through is the same as running
            pass
        other.generation()
    assert np.array_equal(first.children, second.children)
    assert np.array_equal(first.best, second.best)
    assert_same(first, second)
    assert first.best_loss != other.best_loss


@pytest.mark.parametrize("generations", [0, 1, 6])
def test_a_restored_run_goes_on_bit_for_bit(generations: int) -> None:
    evolution, other = make_evolution(1, population=40), make_evolution(1, population=40)
    for _ in range(generations):
        evolution.generation()
    kept, seen = evolution.state(), evolution.quartiles
    assert kept.size == 2 * evolution.children.nbytes + evolution.best.nbytes + 40 * 16 + 38 * 17
    for _ in range(5):
        evolution.generation()

    other.generation()
    next(other.phases())  # a generation that has begun does not matter
    other.restore(kept)  # nor what was there before
    np.testing.assert_equal(other.quartiles, seen)
    again = make_evolution(1, population=40)
    again.restore(kept)
    for run in (other, again):
        for _ in range(5):
            run.generation()
        assert_same(run, evolution)
    evolution.restore(kept)  # the state has stayed as it was
    assert evolution.generations == generations
    for _ in range(5):
        evolution.generation()
    assert_same(evolution, again)


def test_it_starts_from_the_network_that_back_propagation_would_start_from() -> None:
    evolution = make_evolution(3)
    start = build(STEPS, 2, 1, "binary_cross_entropy", seed=3, dtype=np.float32)
    assert np.array_equal(evolution.best, start.vector)
    assert np.array_equal(evolution.children[0], start.vector)
    assert 0.9 < (evolution.children[1:] - start.vector).std() < 1.1


def test_the_phases_of_a_generation() -> None:
    evolution = make_evolution(population=30, tournament=4)
    walk = evolution.phases()

    assert next(walk).kind == "evaluate"
    assert evolution.best_loss == pytest.approx(evolution.losses.min())
    assert np.array_equal(evolution.best, evolution.population.genomes[evolution.losses.argmin()])

    assert next(walk).kind == "select"
    assert evolution.parents.shape == (28, 2)
    assert evolution.losses[evolution.parents].mean() < evolution.losses.mean()

    assert next(walk).kind == "cross"
    genomes, units = evolution.population.genomes, unit_of_each_gene(evolution.network)
    ranked = np.argsort(evolution.losses, kind="stable")
    assert np.array_equal(evolution.children[:2], genomes[ranked[:2]])
    assert 0 < evolution.crossed.sum() < 28
    for child, (first, second), crossed in zip(evolution.children[2:], evolution.parents, evolution.crossed, strict=True):
        for unit in range(units[-1] + 1):  # a unit comes whole from one of the parents
            own = units == unit
            whole = [np.array_equal(child[own], genomes[parent][own]) for parent in (first, second)]
            assert any(whole) if crossed else whole[0]

    before = evolution.children.copy()
    assert next(walk).kind == "mutate"
    assert np.array_equal(evolution.children[:2], before[:2])
    changes = (evolution.children - before)[2:]
    assert np.mean(changes != 0) == pytest.approx(0.05, abs=0.02)
    assert changes[changes != 0].std() == pytest.approx(evolution.sigma, rel=0.2)
    assert evolution.generations == 1
    assert next(walk, None) is None


def test_units_of_the_genes() -> None:
    network = make_network(depth=1, width=2, activation="prelu")  # 3 inputs, 2 outputs
    assert unit_of_each_gene(network).tolist() == [0, 1] * 3 + [0, 1] + [0] + [2, 3] * 2 + [2, 3]


def test_the_mutations_adapt_to_their_success() -> None:
    evolution = make_evolution()
    children, sigma = len(evolution.parents), evolution.sigma
    parents = np.ones(children)
    evolution._adapt(np.where(np.arange(children) < 0.5 * children, 1.0, 2.0), parents)  # as good as the parent counts
    assert evolution.success == 0.5
    assert evolution.sigma > sigma
    sigma = evolution.sigma
    evolution._adapt(np.full(children, 2.0), parents)
    assert evolution.sigma == pytest.approx(sigma * 1.2**-0.25)
    for _ in range(400):
        evolution._adapt(np.full(children, 2.0), parents)
    assert evolution.sigma == 1e-3
    for _ in range(400):
        evolution._adapt(np.zeros(children), parents)
    assert evolution.sigma == 10.0


def test_the_best_never_gets_worse_and_the_network_is_the_best() -> None:
    evolution = make_evolution(data="circles", population=50)
    for _ in range(30):
        before = evolution.best_loss
        evolution.generation()
        assert evolution.best_loss <= before
        assert evolution.losses.min() == pytest.approx(evolution.best_loss)  # the elite keeps it
    loaded = load("circles", samples=300, noise=0.1, test_fraction=0.2, seed=0)
    answers = evolution.network.predict(loaded.inputs[loaded.train])[:, 0] > 0
    assert np.mean(answers == loaded.targets[loaded.train]) == pytest.approx(evolution.best_accuracy)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("data", ["xor", "circles"])
def test_it_trains_a_net_of_step_functions(data: str, seed: int) -> None:
    evolution = make_evolution(seed, data=data)
    while evolution.best_accuracy < 0.95 or not evolution.generations:
        assert evolution.generations < 200
        evolution.generation()


@pytest.mark.parametrize("data", ["xor", "circles"])
def test_back_propagation_gets_exactly_nothing_through_steps(data: str) -> None:
    loaded = load(data, samples=300, noise=0.1, test_fraction=0.2, seed=0)
    inputs, targets = loaded.inputs[loaded.train], loaded.targets[loaded.train]
    network = build(STEPS, 2, 1, "binary_cross_entropy", seed=0)
    hidden = slice(0, network.layer_slices[-1].start)
    start = network.vector[hidden].copy()
    _, gradients = network.loss_and_gradients(inputs, targets)
    assert all(not values.any() for name, values in gradients.items() if not name.startswith("layer03"))
    trainer = make_trainer(network, inputs, targets, learning_rate=1.0)
    for _ in range(100):
        trainer.step()
    assert np.array_equal(network.vector[hidden], start)  # only the output layer, which has no step behind it, has learnt


def test_a_regression_and_several_outputs_evolve_too() -> None:
    inputs, _ = make_batch("mse", 40)
    network = build(NetworkSpec(depth=2, width=6, activation="tanh"), inputs.shape[1], OUTPUTS, "mse", 1, np.float32)
    evolution = Evolution(network, TrainingSpec(seed=1), inputs, np.sin(inputs[:, :2]))
    evolution.generation()
    first = evolution.best_loss
    for _ in range(39):
        evolution.generation()
    assert evolution.network.outputs == OUTPUTS
    assert evolution.best_loss < 0.6 * first
    assert np.isnan(evolution.best_accuracy)
