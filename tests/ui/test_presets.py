"""Every preset does what its title says, measured by the engine."""

import pytest

from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import SpecError
from ui.presets import preset_named, presets


def after(experiment: Experiment, steps: int) -> Snapshot:
    while experiment.step_count < steps:
        experiment.advance()
    return experiment.measure()


def first_gradient(snapshot: Snapshot) -> float:
    assert snapshot.details is not None
    return float(snapshot.details.gradient_rms[0])


def accuracy(snapshot: Snapshot) -> float:
    assert snapshot.prediction is not None
    assert snapshot.prediction.accuracy is not None
    return snapshot.prediction.accuracy


def test_the_presets_of_the_issue_are_there() -> None:
    names = {preset.name for preset in presets()}
    cures = {"cured-by-relu", "cured-by-batch-norm", "residual-highway", "clipped"}
    assert {"vanishing", "exploding", "dead-relus", "digits"} | cures <= names
    assert preset_named("Cured_by ReLU").name == "cured-by-relu"
    with pytest.raises(SpecError, match="vanishing"):
        preset_named("nothing")


def test_the_menu_has_each_group_once_and_no_two_presets_in_one_place() -> None:
    groups = [preset.group for preset in presets()]
    begun = [group for number, group in enumerate(groups) if number == 0 or groups[number - 1] != group]
    assert len(begun) == len(set(begun))
    orders = [preset.order for preset in presets()]
    assert len(orders) == len(set(orders))


def test_vanishing_vanishes_and_comes_back_when_switched_to_relu() -> None:
    experiment = Experiment(preset_named("vanishing").spec)
    ill = after(experiment, 300)
    assert first_gradient(ill) < 1e-5
    assert ill.guessing_loss is not None
    assert ill.loss > 0.95 * ill.guessing_loss
    experiment.apply(ill.spec.replace("network.activation", "relu"))
    cured = experiment.measure()
    assert cured.step == 300
    assert first_gradient(cured) > 1000 * first_gradient(ill)
    assert accuracy(after(experiment, 700)) > 0.95


@pytest.mark.parametrize("name", ["cured-by-relu", "cured-by-batch-norm", "residual-highway"])
def test_a_cure_differs_in_one_thing_and_learns(name: str) -> None:
    ill, cure = preset_named("vanishing").spec, preset_named(name).spec
    assert (cure.data, cure.training) == (ill.data, ill.training)
    snapshot = after(Experiment(cure), 300)
    assert first_gradient(snapshot) > 1e-3
    assert snapshot.guessing_loss is not None
    assert snapshot.loss < 0.75 * snapshot.guessing_loss


def test_exploding_overflows_and_clipped_does_not() -> None:
    ill, cured = preset_named("exploding").spec, preset_named("clipped").spec
    assert ill.network == cured.network
    assert ill.data == cured.data
    assert after(Experiment(ill), 20).failure is not None
    snapshot = after(Experiment(cured), 1500)
    assert snapshot.failure is None
    assert accuracy(snapshot) > 0.9


def test_dead_relus_pass_nothing_on() -> None:
    snapshot = after(Experiment(preset_named("dead-relus").spec), 300)
    assert first_gradient(snapshot) == 0.0
    assert snapshot.details is not None
    assert snapshot.details.dead_fractions[:-1].mean() > 0.4


def test_digits_are_learnt() -> None:
    assert accuracy(after(Experiment(preset_named("digits").spec), 300)) > 0.9


@pytest.mark.parametrize("name", ["evolution-xor", "evolution-circles"])
def test_evolution_trains_steps_within_seconds(name: str) -> None:
    preset = preset_named(name)
    assert preset.speed is not None
    experiment = Experiment(preset.spec)
    snapshot = after(experiment, round(6 * preset.speed))
    assert accuracy(snapshot) >= 0.95
    assert first_gradient(snapshot) == 0.0
    assert [verdict.kind for verdict in snapshot.verdicts] == ["healthy"]


def test_the_same_steps_learn_nothing_by_their_gradient() -> None:
    cured, ill = preset_named("evolution-xor").spec, preset_named("steps-by-gradient").spec
    assert ill == cured.replace("training.method", "gradient")
    experiment = Experiment(ill)
    hidden = slice(0, experiment.network.layer_slices[-1].start)
    first = experiment.network.vector[hidden].copy()
    snapshot = after(experiment, 500)
    assert (experiment.network.vector[hidden] == first).all()
    assert accuracy(snapshot) < 0.6
    verdict = snapshot.verdicts[0]
    assert verdict.kind != "healthy"
    assert ("training.method", "evolution") in [remedy[1:] for remedy in verdict.remedies]
