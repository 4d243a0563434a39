"""The genetic algorithm as the method of an experiment: a run as any other, also back in time, and what it reaches without gradients."""

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, SpecError, TrainingSpec
from gradviz.evolution_trainer import EvolutionTrainer
from gradviz.lab_reports import PopulationReport
from gradviz.losses import loss_named
from gradviz.snapshot import GENERATION, Look
from tests.engine.runs import trained
from tests.engine.test_time_travel import Memory

SPEC = Spec(
    NetworkSpec(depth=2, width=8, activation="step"),
    DataSpec(name="xor", samples=200),
    TrainingSpec(method="evolution", population=40, seed=3),
)


def trainer_of(experiment: Experiment) -> EvolutionTrainer:
    assert isinstance(experiment.trainer, EvolutionTrainer)
    return experiment.trainer


def report_of(experiment: Experiment) -> PopulationReport:
    report = experiment.measure(Look(lab="population")).lab
    assert isinstance(report, PopulationReport)
    return report


@pytest.mark.parametrize("data", ["xor", "circles"])
def test_it_trains_what_back_propagation_cannot(data: str) -> None:
    spec = SPEC.replace("data.name", data).replace("training.population", 200)
    experiment = trained(spec, 150)
    network, inputs = experiment.network, experiment.data.inputs[experiment.data.train]
    answers = network.predict(inputs)[:, 0] > 0
    assert np.mean(answers == experiment.data.targets[experiment.data.train]) >= 0.95
    assert not experiment.trainer.gradient_norms[:-1].any()  # exactly 0, while it learns
    assert [verdict.kind for verdict in experiment.measure().verdicts] == ["healthy"]


@pytest.mark.parametrize("data", ["xor", "circles"])
def test_the_same_net_learns_nothing_from_its_gradients(data: str) -> None:
    experiment = Experiment(SPEC.replace("data.name", data).replace("training.method", "gradient"))
    hidden = slice(0, experiment.network.layer_slices[-1].start)
    first = experiment.network.vector[hidden].copy()
    for _ in range(300):
        experiment.advance()
    assert np.array_equal(experiment.network.vector[hidden], first)
    assert experiment.trainer.loss > 0.3
    assert experiment.measure().verdicts[0].kind != "healthy"


def test_a_step_is_a_generation() -> None:
    experiment = trained(SPEC, 5)
    trainer = trainer_of(experiment)
    before = experiment.network.vector.copy()
    moments = []
    for _ in experiment.phases():
        assert experiment.moment is not None
        moments.append(experiment.moment)
        assert all(experiment.moment.reached(layer) and experiment.moment.sent(layer) for layer in (1, 2, 3))
    assert tuple(moment.kind for moment in moments) == GENERATION
    assert [moment.whole for moment in moments] == [False, False, False, True]
    assert experiment.step_count == trainer.evolution.generations == 6
    assert np.array_equal(experiment.network.vector, trainer.evolution.best)
    np.testing.assert_array_equal(trainer.optimizer.change, experiment.network.vector - before)
    details = experiment.measure().details
    assert details is not None
    assert not details.gradient_rms[:-1].any()
    assert details.gradient_rms[-1] > 0


def test_the_loss_is_that_of_the_best_over_the_whole_training_set() -> None:
    experiment = trained(SPEC, 20)
    losses = experiment.history.table().loss
    assert (np.diff(losses) <= 0).all()
    data, network = experiment.data, experiment.network
    outputs = np.ascontiguousarray(network.predict(data.inputs[data.train]).T)
    loss = loss_named(network.loss)
    encoded = loss.encode(data.targets[data.train], 1)
    assert loss.evaluate(outputs, encoded, np.empty_like(outputs)) == pytest.approx(losses[-1], rel=1e-5)


def test_random_jumps_find_every_generation_as_it_was() -> None:
    experiment = Experiment(SPEC)
    trainer, seen, told = trainer_of(experiment), [Memory(experiment)], [trainer_of(experiment).evolution.state()]
    for _ in range(120):
        experiment.advance()
        seen.append(Memory(experiment))
        told.append(trainer.evolution.state())
    recorded = experiment.history.table()
    assert recorded.population is not None
    seen[0].arrays[-1] = np.array([])  # which examples are looked at first is not known before
    rng = np.random.default_rng(0)
    for step in rng.integers(0, 121, 150).tolist():
        if rng.random() < 0.3:
            experiment.go_to(min(step, 119), int(rng.integers(1, 4)))  # into a generation, and out of it again
        snapshot = experiment.go_to(step)
        now = Memory(experiment)
        if step:
            assert snapshot.loss == recorded.loss[step - 1]
            np.testing.assert_array_equal(trainer.population, recorded.population[step - 1])
        else:
            now.arrays[-1] = np.array([])
        assert now == seen[step]
        for name in told[step].__struct_fields__:
            np.testing.assert_equal(getattr(trainer.evolution.state(), name), getattr(told[step], name), err_msg=name)


CHANGES: dict[int, tuple[str, object]] = {
    10: ("data.noise", 0.4),
    20: ("network.activation", "prelu"),
    25: ("network.activation", "step"),
    30: ("training.batch_size", 7),
    35: ("network.skip_every", 1),
    40: ("training.stop_after", 1000),
    45: ("network.set_values", ("layer02.weight[1,1] = 3.1",)),
}


def test_settings_change_on_the_way_and_come_back_with_their_time() -> None:
    experiment, spec = Experiment(SPEC), SPEC
    seen = {}
    for step in range(61):
        if step in CHANGES:
            spec = spec.replace(*CHANGES[step])
            assert not experiment.apply(spec)
            assert np.isfinite(experiment.trainer.loss)
        seen[step] = Memory(experiment)
        experiment.advance()
    for step in np.random.default_rng(1).permutation(60).tolist():
        experiment.go_to(step)
        if step:
            assert Memory(experiment) == seen[step]


def test_a_weight_set_by_hand_is_an_individual() -> None:
    experiment = trained(SPEC, 10)
    experiment.apply(SPEC.replace("network.set_values", ("layer01.weight[0,0] = 0.1",)))
    by_hand = experiment.network.vector.copy()
    assert by_hand[0] == 0.1
    experiment.advance()
    trainer = trainer_of(experiment)
    assert np.array_equal(trainer.evolution.population.genomes[0], by_hand.astype(np.float32))
    assert trainer.loss == trainer.evolution.losses.min()
    best = trainer.evolution.best_loss
    experiment.advance()  # it is put in once, and competes from then on
    assert trainer.evolution.best_loss <= best


def test_a_branch_keeps_its_population() -> None:
    experiment = trained(SPEC, 30)
    old = experiment.history.table()
    experiment.go_to(12)
    experiment.apply(SPEC.replace("data.noise", 0.5))
    for _ in range(5):
        experiment.advance()
    snapshot = experiment.measure()
    assert snapshot.history is not None
    assert snapshot.ghost is not None
    assert snapshot.history.population is not None
    assert snapshot.ghost.history.population is not None
    assert old.population is not None
    assert snapshot.history.population.shape == (17, 5)
    np.testing.assert_array_equal(snapshot.history.population[:12], old.population[:12])
    np.testing.assert_array_equal(snapshot.ghost.history.population, old.population)


def test_the_record_of_the_population_is_bounded_with_the_rest() -> None:
    experiment = trained(SPEC, 5)
    history = experiment.history
    for step in range(6, 10_000):
        history.append(step, 1.0, np.ones(3), 1.0, 1.0, np.full(5, float(step)))
    table = history.table()
    assert table.population is not None
    assert len(table.population) == len(table.steps) < 2100
    np.testing.assert_array_equal(table.population[10:, 0], table.steps[10:])
    assert Experiment(Spec()).history.table().population is None


def test_the_report_tells_the_generation() -> None:
    experiment = Experiment(SPEC)
    assert experiment.measure(Look(lab="population")).lab is None
    experiment.advance()
    first = report_of(experiment)
    assert first.elite == 0
    assert first.losses[first.best] == first.losses.min()
    assert first.children is not None
    assert 38 <= first.children.sum() <= 2 * 38
    assert np.isnan(first.best_parents).all()
    while experiment.step_count < 2 or report_of(experiment).best < 2:
        experiment.advance()
    report = report_of(experiment)
    assert report.elite == 2
    assert np.isfinite(report.best_parents).all()
    next(experiment.phases())
    assert report_of(experiment).children is None  # evaluated, and nobody selected yet


def test_what_does_not_go_with_it_is_refused() -> None:
    with pytest.raises(SpecError, match=r"training\.method is 'evolution'; allowed: gradient"):
        Experiment(SPEC.replace("network.kind", "rnn"))
    with pytest.raises(SpecError, match=r"network\.batch_norm is True; allowed: false"):
        Experiment(SPEC.replace("network.batch_norm", True))
    with pytest.raises(SpecError, match=r"training\.population"):
        Experiment(SPEC.replace("network.width", 300).replace("training.population", 5000))


@pytest.mark.parametrize(("data", "loss"), [("sine", "mse"), ("iris", "cross_entropy"), ("iris", "mse"), ("moons", "cross_entropy")])
def test_values_and_many_classes_evolve_too(data: str, loss: str) -> None:
    spec = SPEC.replace("data.name", data).replace("training.loss", loss)
    losses = trained(spec, 15).history.table().loss
    assert losses[-1] < 0.9 * losses[0]
