"""Pre-training as a run like any other: its phases, what is measured of it, back in time bit for bit, and what it is good for."""

import msgspec
import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, SpecError, TrainingSpec
from gradviz.network import parameter_name
from gradviz.pretraining import Pretraining
from gradviz.pretraining_trainer import PretrainingTrainer
from gradviz.resources import RESOURCES
from tests.engine.runs import trained
from tests.engine.test_time_travel import Memory

PER_LEVEL = 30
PRESETS = RESOURCES / "presets"
TWINS = ("not-pretrained", "pretrained-levels")
SPEC = Spec(
    NetworkSpec(depth=3, width=5, activation="sigmoid"),
    DataSpec(samples=90),
    TrainingSpec(method="pretraining", optimizer="momentum", batch_size=16, seed=5, steps_per_level=PER_LEVEL),
)


class WholeMemory(Memory):
    """With what belongs to the level in work."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        trainer = experiment.trainer
        assert isinstance(trainer, PretrainingTrainer)
        levels = trainer.pretraining
        if levels is not None:
            inner = levels.trainer
            self.arrays += [a.copy() for a in (inner.network.vector, *inner.optimizer.state.values(), inner.chosen)]
            self.arrays += [levels.reconstruction(experiment.data.inputs[:4])]
            assert inner.batches.state() == inner.batches.state()


def test_the_levels_are_trained_as_pretraining_alone_does_it_and_then_all_as_usual() -> None:
    experiment = trained(SPEC, 3 * PER_LEVEL)
    alone = Experiment(SPEC)
    inputs = alone.data.inputs[alone.data.train]
    for _ in Pretraining(alone.network, inputs, 0.005, 16, 5, PER_LEVEL).phases():
        pass
    assert np.array_equal(experiment.network.vector, alone.network.vector)
    assert experiment.trainer.level == 3
    plain = Experiment(SPEC.replace("training.method", "gradient"))
    plain.network.vector[:] = alone.network.vector
    for _ in range(50):
        experiment.advance()
        plain.advance()
    assert np.array_equal(experiment.network.vector, plain.network.vector)
    assert experiment.trainer.loss == plain.trainer.loss
    assert experiment.trainer.level == 0


def test_random_jumps_find_every_step_of_every_level_as_it_was() -> None:
    experiment = Experiment(SPEC)
    seen = [WholeMemory(experiment)]
    for _ in range(140):
        experiment.advance()
        seen.append(WholeMemory(experiment))
    for step in np.random.default_rng(0).integers(1, 141, 400).tolist():
        assert experiment.go_to(step).step == step
        assert WholeMemory(experiment) == seen[step]
    experiment.go_to(50)
    experiment.advance()  # a branch
    assert experiment.last_step == 51
    assert WholeMemory(experiment) == seen[51]


def test_changes_in_pretraining_come_back_with_their_time() -> None:
    changes = [
        (10, "data.noise", 0.4),
        (40, "network.activation", "prelu"),
        (45, "training.learning_rate", 0.3),
        (50, "training.batch_size", 7),
        (70, "network.set_values", ("layer01.weight[1,1] = 3.5",)),
        (100, "training.clip", "norm"),
        (110, "training.optimizer", "adam"),
    ]
    experiment, spec = Experiment(SPEC), SPEC
    seen = []
    for step in range(131):
        for _, path, value in [change for change in changes if change[0] == step]:
            spec = spec.replace(path, value)
            assert not experiment.apply(spec)
        seen.append(WholeMemory(experiment))
        experiment.advance()
    for step in np.random.default_rng(1).permutation(np.arange(1, 130)).tolist():
        experiment.go_to(step)
        assert WholeMemory(experiment) == seen[step]


def test_a_step_of_a_level_has_its_own_phases_and_touches_its_layer_alone() -> None:
    experiment = trained(SPEC, PER_LEVEL)
    before = {name: values.copy() for name, values in experiment.network.parameters.items()}
    moments = []
    for phase in experiment.phases():
        assert experiment.moment is not None
        moments.append((phase.kind, phase.layer, experiment.moment.next_kind, experiment.moment.next_layer))
        snapshot = experiment.measure()
        assert snapshot.level == 2
        assert [snapshot.knows(layer) for layer in (1, 2, 3, 4)] == [False, phase.kind in ("backward", "update"), False, False]
        assert snapshot.details is not None
        assert np.isfinite(snapshot.details.gradient_rms).tolist() == [False, phase.kind in ("backward", "update"), False, False]
        assert np.isfinite(snapshot.total_norm) == snapshot.knows(2)
    assert moments == [("forward", 2, "loss", 0), ("loss", 0, "backward", 2), ("backward", 2, "update", 0), ("update", 0, "forward", 2)]
    changed = {name for name, values in experiment.network.parameters.items() if not np.array_equal(values, before[name])}
    assert changed == {parameter_name(2, kind) for kind in ("weight", "bias")}
    details = experiment.measure().details
    assert details is not None
    assert (details.update_norms > 0).tolist() == [False, True, False, False]
    parts = details.bias_gradient_norms[1], experiment.trainer.gradient_norms[1]
    assert np.hypot(*parts) == pytest.approx(experiment.trainer.total_norm)
    last = trained(SPEC, 3 * PER_LEVEL - 1)
    for _ in last.phases():
        pass
    assert last.moment is not None
    assert (last.moment.level, last.moment.next_kind, last.moment.next_layer) == (3, "forward", 1)
    assert len(list(last.phases())) == 2 * 4 + 3
    assert last.measure().level == 0


def test_the_gradient_of_a_level_is_that_of_its_reconstruction_error() -> None:
    experiment = trained(SPEC, PER_LEVEL + 4)
    trainer = experiment.trainer
    assert isinstance(trainer, PretrainingTrainer)
    assert trainer.pretraining is not None
    walk = experiment.phases()
    for _ in range(3):
        next(walk)
    inner = trainer.pretraining.trainer
    name, index, step = "layer01.weight", (2, 3), 1e-6
    losses = []
    for sign in (1, -1):
        inner.network.parameters[name][index] += sign * step
        run, targets = inner.look_ahead(inner.chosen)
        losses.append(run.evaluate(targets))
        inner.network.parameters[name][index] -= sign * step
    place = experiment.network.slices["layer02.weight"].start + 2 * 5 + 3
    assert trainer.raw_gradient[place] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4)
    picked = experiment.measure().picked
    assert picked is None


def test_the_report_tells_the_level_and_what_it_tells_again() -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=2, width=16, activation="sigmoid"), DataSpec("digits"), SPEC.training))
    for steps, level in ((0, 1), (PER_LEVEL, 1), (PER_LEVEL + 5, 2)):
        while experiment.step_count < steps:
            experiment.advance()
        report = experiment.measure().pretraining
        assert report is not None
        assert (report.level, report.levels, report.step, report.steps) == (level, 2, steps - PER_LEVEL * (level - 1), PER_LEVEL)
        assert report.originals is not None
        assert report.told is not None
        assert report.originals.shape == report.told.shape == (6, 8, 8)
        assert report.test_error == pytest.approx(report.error, rel=0.5) or not steps
    while experiment.step_count < 70:
        experiment.advance()
    report = experiment.measure().pretraining
    assert report is not None
    assert (report.level, report.step, report.told) == (0, 10, None)


def test_no_verdict_judges_a_level_by_the_task() -> None:
    experiment = Experiment(SPEC)
    for step in range(1, 3 * PER_LEVEL + 5):
        experiment.advance()
        verdicts = experiment.measure().verdicts
        assert [verdict.kind for verdict in verdicts] == (["healthy"] if step <= 3 * PER_LEVEL else [])
        assert not experiment.measure().oscillations


def test_what_has_no_levels_is_said() -> None:
    with pytest.raises(SpecError, match=r"training\.method.*gradient"):
        Experiment(Spec().replace("network.kind", "rnn").replace("training.method", "pretraining"))
    with pytest.raises(SpecError, match=r"network\.batch_norm"):
        Experiment(SPEC.replace("network.batch_norm", True))
    experiment = trained(SPEC, 2)
    with pytest.raises(SpecError, match=r"network\.skip_every"):
        experiment.apply(SPEC.replace("network.skip_every", 1))
    experiment.advance()
    assert experiment.step_count == 3


def test_the_preset_learns_the_digits_and_its_twin_stays_near_chance_in_as_many_steps() -> None:
    specs = {name: Spec.from_dict(msgspec.json.decode(PRESETS.joinpath(f"{name}.json").read_bytes())["spec"]) for name in TWINS}
    ill, cured = (specs[name] for name in TWINS)
    assert ill == cured.replace("training.method", "gradient")
    accuracies = {}
    for name, spec in specs.items():
        for seed in (0, 1, 2):
            experiment = trained(spec.replace("training.seed", seed), spec.training.stop_after)
            assert experiment.network.depth == 11
            answers = experiment.network.predict(experiment.data.inputs[experiment.data.test]).argmax(axis=1)
            accuracies[name, seed] = float((answers == experiment.data.targets[experiment.data.test]).mean())
            verdicts = experiment.measure().verdicts
            assert verdicts[0].kind == ("healthy" if name == TWINS[1] else "vanishing")
    assert all(accuracies[TWINS[0], seed] < 0.2 for seed in (0, 1, 2))  # of ten classes
    assert all(accuracies[TWINS[1], seed] >= 0.85 for seed in (0, 1, 2))


def test_a_number_that_is_not_finite_is_told_of_its_level_and_can_be_left_behind() -> None:
    experiment = trained(SPEC.replace("network.activation", "identity"), PER_LEVEL + 5)
    experiment.apply(experiment.spec.replace("network.set_values", ("layer02.weight[0,0] = 1e308",)))
    experiment.advance()
    failure = experiment.measure().failure
    assert failure is not None
    assert (failure.step, failure.layer_name) == (PER_LEVEL + 6, "L2")
    assert experiment.go_to(PER_LEVEL + 5).failure is None
    assert experiment.go_to(PER_LEVEL + 6).failure == failure
