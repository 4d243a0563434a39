"""The diagnosis in clear cases: each preset, young runs, runs that changed; how often it is right is for tests/benchmarks/diagnosis.py."""

from typing import Any

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.diagnosis import diagnose
from gradviz.oscillation import oscillating_ranges
from tests.engine.runs import preset, trained

VANISHING = Spec(NetworkSpec(initializer="he_normal"), DataSpec(samples=300), TrainingSpec(seed=3))


def kinds(experiment: Experiment) -> list[str]:
    return [verdict.kind for verdict in diagnose(experiment)]


@pytest.mark.parametrize(
    ("name", "steps", "kind"),
    [
        ("vanishing", 20, "vanishing"),
        ("vanishing", 400, "vanishing"),
        ("cured-by-relu", 20, "healthy"),
        ("cured-by-relu", 400, "healthy"),
        ("cured-by-batch-norm", 400, "healthy"),
        ("residual-highway", 100, "healthy"),
        ("residual-highway", 400, "healthy"),
        ("dead-relus", 300, "dead_units"),
        ("exploding", 30, "diverged"),
        ("digits", 100, "healthy"),
    ],
)
def test_each_preset_gets_its_verdict(name: str, steps: int, kind: str) -> None:
    assert kinds(trained(preset(name), steps))[0] == kind


def test_clipping_ends_the_explosion_though_the_mini_batches_differ_widely() -> None:
    experiment = trained(preset("clipped"), 300)
    losses = experiment.history.table().loss[-50:]
    assert losses.max() > 3 * losses.min()
    assert kinds(experiment) == ["healthy"]


@pytest.mark.parametrize(("path", "value"), [("network.activation", "relu"), ("network.batch_norm", True), ("network.skip_every", 2)])
def test_the_remedies_of_the_vanishing_preset_cure_it(path: str, value: Any) -> None:
    spec = preset("vanishing")
    offered = [(where, what) for _, where, what in diagnose(trained(spec, 20))[0].remedies]
    assert (path, value) in offered
    cured = trained(spec.replace(path, value), 800)
    assert kinds(cured) == ["healthy"]
    assert cured.history.table().loss[-50:].mean() < 0.6 * cured.history.table().loss[:10].mean()


def test_a_verdict_says_its_rule_its_threshold_and_the_layers() -> None:
    verdict = diagnose(trained(VANISHING, 20))[0]
    assert verdict.layers[0] == 1
    assert 10 not in verdict.layers
    assert verdict.value < verdict.threshold == 1e-3
    assert "vanishing below" in verdict.rule
    assert "×10⁻" in verdict.rule
    assert verdict.explanation


@pytest.mark.parametrize("name", ["vanishing", "dead-relus", "exploding"])
def test_every_remedy_changes_one_field_that_is_different_now(name: str) -> None:
    spec = preset(name)
    for verdict in diagnose(trained(spec, 300)):
        assert verdict.remedies
        for words, path, value in verdict.remedies:
            assert words
            assert spec.get(path) != value
            assert spec.replace(path, value).get(path) == value


def test_a_young_run_has_no_verdict_and_neither_has_one_that_was_just_changed() -> None:
    experiment = Experiment(VANISHING)
    assert diagnose(experiment) == []
    for _ in range(9):
        experiment.advance()
        assert diagnose(experiment) == []
    experiment.advance()
    assert kinds(experiment) == ["vanishing"]
    experiment.apply(VANISHING.replace("training.learning_rate", 0.2))
    assert diagnose(experiment) == []
    for _ in range(10):
        experiment.advance()
    assert kinds(experiment) == ["vanishing"]


def test_a_number_that_is_not_finite_is_told_at_once() -> None:
    experiment = Experiment(VANISHING)
    experiment.network.parameters["layer04.weight"][0, 0] = np.nan
    experiment.advance()
    verdict = diagnose(experiment)[0]
    assert (verdict.kind, verdict.layers) == ("diverged", (4,))
    assert "L4" in verdict.explanation


def test_a_converged_net_is_finished_and_not_vanishing() -> None:
    experiment = trained(preset("cured-by-relu"), 1500)
    assert experiment.history.table().gradient_rms[-20:].max() < 1e-2
    verdict = diagnose(experiment)[0]
    assert verdict.kind == "healthy"
    assert verdict.explanation.startswith("Finished")


def test_a_learning_rate_that_is_far_too_small_stands_still() -> None:
    verdict = diagnose(trained(preset("cured-by-relu").replace("training.learning_rate", 1e-7), 400))[0]
    assert verdict.kind == "vanishing"
    assert verdict.remedies[0][1:] == ("training.learning_rate", 0.1)


def test_large_weights_saturate_a_tanh_net() -> None:
    spec = Spec(NetworkSpec(depth=6, width=16, activation="tanh", gain=50.0), DataSpec(name="spirals"), TrainingSpec(learning_rate=1e-6))
    assert "saturated" in kinds(trained(spec, 100))


@pytest.mark.parametrize("initializer", ["zeros", "constant"])
def test_nothing_reaches_the_first_layer_where_all_weights_are_alike(initializer: str) -> None:
    assert "vanishing" in kinds(trained(Spec(NetworkSpec(activation="tanh", initializer=initializer)), 50))


def test_a_net_of_identities_is_not_blamed_for_what_no_linear_map_can_do() -> None:
    spec = Spec(NetworkSpec(depth=4, activation="identity", initializer="orthogonal"), DataSpec(name="circles"))
    verdict = diagnose(trained(spec, 1200))[0]
    assert verdict.kind == "healthy"
    assert "linear map" in verdict.explanation


def test_the_past_is_judged_by_what_was_known_then() -> None:
    experiment = trained(preset("dead-relus"), 300)
    experiment.go_to(40)
    assert kinds(experiment) == ["healthy"]
    experiment.go_to(300)
    assert kinds(experiment)[0] == "dead_units"


def test_diagnosing_changes_nothing_of_the_run() -> None:
    spec = preset("cured-by-batch-norm")
    watched, alone = Experiment(spec), Experiment(spec)
    for _ in range(40):
        watched.advance()
        diagnose(watched)
        alone.advance()
    assert np.array_equal(watched.network.vector, alone.network.vector)
    assert all(np.array_equal(values, alone.network.running[name]) for name, values in watched.network.running.items())
    assert np.array_equal(watched.history.table().loss, alone.history.table().loss)


def test_in_the_middle_of_a_step_and_with_one_example_it_answers_too() -> None:
    experiment = trained(VANISHING, 12)
    for _ in zip(range(15), experiment.phases(), strict=False):
        assert kinds(experiment) == ["vanishing"]
    one = Spec(NetworkSpec(depth=2, width=1, activation="tanh"), DataSpec(name="one_example"), TrainingSpec(batch_size=1))
    assert kinds(trained(one, 60)) == ["healthy"]


# ---- where the loss oscillates


def ranges(loss: np.ndarray, **more: Any) -> list[tuple[int, int]]:
    return oscillating_ranges(np.arange(1, len(loss) + 1), loss, loss, loss, **more)


def test_a_stretch_of_oscillation_is_found_where_it_is() -> None:
    loss = np.full(400, 0.7)
    loss[150:250:2] = 3.0
    loss[151:250:2] = 0.2
    [(first, last)] = ranges(loss, guessing=0.7)
    assert abs(first - 150) <= 20
    assert abs(last - 250) <= 20


def test_noise_falling_spikes_and_what_is_not_finite_are_no_oscillation() -> None:
    rng = np.random.default_rng(0)
    assert ranges(0.7 + 0.05 * rng.standard_normal(500)) == []
    assert ranges(np.geomspace(50.0, 0.01, 500) * rng.uniform(0.9, 1.1, 500), guessing=0.7) == []
    spike = np.full(500, 0.1)
    spike[200:203] = 9.0
    assert ranges(spike, guessing=0.7) == []
    assert ranges(np.full(500, np.nan), guessing=0.7) == []
    assert ranges(np.array([]), guessing=0.7) == []


@pytest.mark.parametrize("name", ["cured-by-relu", "cured-by-batch-norm", "residual-highway", "digits"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_jitter_of_healthy_runs_is_no_oscillation(name: str, seed: int) -> None:
    table = trained(preset(name).replace("training.seed", seed), 500).history.table()
    assert oscillating_ranges(table.steps, table.loss, table.loss_low, table.loss_high) == []


# ---- recurrent nets


RECALL = Spec(NetworkSpec(kind="rnn"), DataSpec(name="recall", lag=100), TrainingSpec())
REMEMBERING = Spec(
    NetworkSpec(kind="lstm", forget_bias=4.0, width=16),
    DataSpec(name="recall", lag=50, samples=1000),
    TrainingSpec(optimizer="adam", learning_rate=0.003, clip="norm"),
)


def test_a_gradient_that_dies_on_its_way_back_through_time_is_vanishing() -> None:
    spec = RECALL.replace("network.spectral_radius", 0.9)
    verdict = diagnose(trained(spec, 20))[0]
    assert verdict.kind == "vanishing"
    assert verdict.layers[0] == 1
    assert 20 < verdict.layers[-1] < 101  # the last time steps still hear of the loss
    assert verdict.value < 1e-9 < verdict.threshold
    assert "time steps" in verdict.explanation
    assert "reaches t1 to t" in verdict.explanation
    offered = [(path, value) for _, path, value in verdict.remedies]
    assert offered[0] == ("network.kind", "lstm")
    assert ("network.spectral_radius", 1.0) in offered


def test_an_lstm_that_forgets_is_told_to_keep_and_then_learns() -> None:
    forgetting = REMEMBERING.replace("network.forget_bias", -1.0)
    verdict = diagnose(trained(forgetting, 20))[0]
    assert verdict.kind == "vanishing"
    assert ("network.forget_bias", 4.0) in [(path, value) for _, path, value in verdict.remedies]
    experiment = trained(REMEMBERING, 20)
    assert kinds(experiment) == ["healthy"]
    for _ in range(280):
        experiment.advance()
    verdict = diagnose(experiment)[0]
    assert verdict.kind == "healthy"
    assert "learn" in verdict.explanation


@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_a_recurrent_matrix_that_stretches_explodes(activation: str) -> None:
    spec = RECALL.replace("network.activation", activation).replace("network.spectral_radius", 1.5)
    verdict = diagnose(trained(spec, 20))[0]
    assert verdict.kind == "diverged"
    assert "first in t" in verdict.explanation
    assert verdict.remedies[0][1:] == ("network.spectral_radius", 1.0)
    slow = spec.replace("network.spectral_radius", 1.15).replace("training.learning_rate", 1e-12)
    if activation == "identity":
        verdict = diagnose(trained(slow, 20))[0]
        assert verdict.kind == "exploding"
        assert verdict.value > 1e3
        assert [path for _, path, _ in verdict.remedies[:2]] == ["network.spectral_radius", "training.clip"]


def test_sequences_learnt_by_heart_are_told_with_what_may_help() -> None:
    few = RECALL.replace("data.samples", 100).replace("training.optimizer", "adam").replace("training.learning_rate", 0.01)
    verdict = diagnose(trained(few.replace("data.lag", 60), 200))[0]
    assert verdict.kind == "healthy"
    assert "by heart" in verdict.explanation
    assert verdict.value > 1.0
    assert verdict.remedies[0][1] == "data.samples"
    assert "by heart" not in diagnose(trained(few.replace("data.lag", 20), 200))[0].explanation  # its test loss falls as well


def test_large_recurrent_weights_saturate() -> None:
    spec = RECALL.replace("network.spectral_radius", 4.0).replace("network.width", 64).replace("training.learning_rate", 1e-6)
    found = diagnose(trained(spec.replace("data.lag", 20), 60))
    assert found
    assert all(path != "network.initializer" for verdict in found for _, path, _ in verdict.remedies)


def test_truncated_back_propagation_leaves_the_first_time_steps_without_any_gradient() -> None:
    verdict = diagnose(trained(REMEMBERING.replace("training.truncate", 10), 20))[0]
    assert verdict.kind == "vanishing"
    assert "exactly 0" in verdict.explanation
    assert verdict.layers[-1] == 51 - 10
    assert verdict.remedies[0][1:] == ("training.truncate", 0)
