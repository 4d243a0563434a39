"""The lecture row by row: each claim of its parts on vanishing, exploding and exact functions, asserted through the engine.

What the engine says of its single pieces is asserted in test_lecture_facts.py and test_chain_rule.py; here each row is run as
a student runs it, through an experiment or what the lab measures of one.
"""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.activations import ACTIVATIONS
from gradviz.census import census
from gradviz.clipping_report import clipping_report
from gradviz.distribution import distribution
from gradviz.function_lab import counter_example, gap_to_step, linearity, sharp_sigmoid_slope, sharp_slope, step
from gradviz.initialisation_study import initialisation_study
from gradviz.lab_reports import InitialisationStudy
from gradviz.linear_map import linear_map
from gradviz.selected import ChainRule, UnitInspection, WeightInspection
from gradviz.snapshot import Look, Snapshot
from tests.engine import runs


def begin(network: NetworkSpec, data: DataSpec | None = None, **training: Any) -> Experiment:
    return Experiment(Spec(network, data or DataSpec(samples=200), TrainingSpec(**training)))


def preset(name: str) -> Experiment:
    return Experiment(runs.preset(name))


def train(experiment: Experiment, steps: int) -> Experiment:
    for _ in range(steps):
        experiment.advance()
    return experiment


def worked(name: str, layer: int) -> tuple[ChainRule, WeightInspection, Experiment]:
    """One step of a worked example: the weight's chain rule, and what the weight is afterwards."""
    experiment = train(preset(name), 1)
    snapshot = experiment.measure(Look(prediction=False, picked=("edge", layer, 0, 0), chain=True))
    assert snapshot.chain is not None
    assert isinstance(snapshot.picked, WeightInspection)
    return snapshot.chain, snapshot.picked, experiment


def example_at_zero(activation: str, **fields: Any) -> Snapshot:
    """After one step of a chain of one unit whose pre-activation is exactly 0."""
    values = ("layer01.weight[0,0] = 1.0", "layer02.weight[0,0] = 1.0")
    network = NetworkSpec(depth=1, width=1, activation=activation, set_values=values, **fields)
    return begin(network, DataSpec("one_example", example_input=0.0, example_target=3.0), batch_size=1).step()


# ---- A: vanishing


def test_a1_the_sigmoid_squeezes_into_0_to_1_and_its_slope_never_exceeds_a_quarter() -> None:
    experiment = train(begin(NetworkSpec(depth=5, gain=10.0)), 20)
    run = experiment.trainer.run
    outputs = np.concatenate([layer.outputs for layer in run.layers[:-1]])
    assert outputs.min() > 0.0
    assert outputs.max() < 1.0
    hidden = run.slopes[:-1]
    assert 0.0 < hidden.max() <= 0.25
    assert experiment.measure(Look(False)).details.mean_slopes[:-1].max() < 0.25
    at_zero = train(begin(NetworkSpec(depth=1, initializer="zeros")), 1)  # every z is 0: the steepest there is
    assert at_zero.measure(Look(False)).details.mean_slopes[0] == 0.25


@pytest.mark.parametrize("name", ["sigmoid", "relu", "dead-relu", "leaky-relu", "large-weight"])
def test_a2_each_weight_goes_against_its_gradient_times_eta(name: str) -> None:
    experiment = preset(f"worked-{name}")
    layer = 2 if name == "dead-relu" else 1
    old = experiment.network.vector.copy()
    assert (experiment.spec.training.learning_rate, experiment.network.parameters[f"layer{layer:02d}.weight"][0, 0]) == (1.0, 2.5)
    experiment.advance()
    assert np.array_equal(experiment.network.vector, old - 1.0 * experiment.trainer.raw_gradient)


def test_a3_the_gradient_of_an_early_weight_is_a_product_of_three() -> None:
    chain, weight, _ = worked("worked-sigmoid", 1)
    assert (chain.dj_dy, chain.dy_dz, chain.dz_dw) == pytest.approx((0.2, 0.15, 0.05), rel=1e-12)
    assert weight.gradient == pytest.approx(0.2 * 0.15 * 0.05, rel=1e-12) == pytest.approx(0.0015)
    assert (weight.weight, weight.change) == (pytest.approx(2.4985, rel=1e-15), pytest.approx(-0.0015, rel=1e-10))


def test_a4_more_sigmoid_layers_less_gradient_until_nothing_learns() -> None:
    first = []
    for depth in (5, 10, 20):
        experiment = begin(NetworkSpec(depth=depth, width=64, initializer="lecun_normal"))
        old = experiment.network.parameters["layer01.weight"].copy()
        deltas = train(experiment, 1).trainer.delta_norms[:depth]
        # the measured decay beside 0.25^L: the slope alone is at most 0.25, and the weights of this start add nothing
        assert deltas[0] / deltas[-1] < 0.25 ** (depth - 1) * 1.5
        assert np.all(deltas[:-1] < 0.4 * deltas[1:])
        first.append(np.abs(experiment.network.parameters["layer01.weight"] - old).max() / np.abs(old).max())
    assert first[0] < 1e-3  # W_new ≅ W_old …
    assert first[1] < first[0] * 0.3**5
    assert first[2] < first[1] * 0.3**10  # … ever closer
    stuck = train(begin(NetworkSpec(depth=10)), 200).snapshot()
    assert stuck.loss == pytest.approx(stuck.guessing_loss, abs=0.01)


def test_a5_tanh_has_the_same_illness() -> None:
    experiment = train(begin(NetworkSpec(depth=6, activation="tanh", gain=8.0)), 1)
    run = experiment.trainer.run
    values = np.concatenate([layer.values for layer in run.layers[:-1]])
    np.testing.assert_allclose(run.slopes[:-1], 1.0 - values**2, rtol=1e-12)  # da/dz = 1 − a²
    assert run.slopes[:-1].min() >= 0.0
    assert run.slopes[:-1].max() <= 1.0
    at_zero = train(begin(NetworkSpec(depth=1, activation="tanh", initializer="zeros")), 1)
    assert at_zero.measure(Look(False)).details.mean_slopes[0] == 1.0
    saturated = distribution(experiment.trainer, 4)
    assert saturated.saturated > 0.5
    low, high = ACTIVATIONS["tanh"].zone()[0]
    z = run.layers[3].pre_activations
    assert np.mean(z < low) > 0.2
    assert np.mean(z > high) > 0.2
    small = train(begin(NetworkSpec(depth=20, activation="tanh", gain=0.5)), 1).trainer.delta_norms
    assert small[0] < 1e-4 * small[19]


def test_a6_relu_lets_the_gradient_through_whole_or_not_at_all() -> None:
    chain, weight, _ = worked("worked-relu", 1)
    assert (chain.dj_dy, chain.dy_dz, chain.dz_dw) == pytest.approx((1.0, 1.0, 1.0), rel=1e-12)
    assert weight.weight == pytest.approx(1.5, rel=1e-15)
    experiment = train(begin(NetworkSpec(depth=5, activation="relu", initializer="he_normal")), 1)
    z = np.concatenate([layer.pre_activations for layer in experiment.trainer.run.layers[:-1]])
    assert np.array_equal(experiment.trainer.run.slopes[:-1], np.where(z > 0, 1.0, 0.0))  # at exactly 0 the software picks 0


def test_a7_behind_a_zero_factor_nothing_updates() -> None:
    chain, weight, experiment = worked("worked-dead-relu", 2)
    assert (chain.dj_dy, chain.dy_dz, chain.dz_dw) == pytest.approx((1.0, 1.0, 0.0), abs=0.0)
    assert (weight.weight, weight.change) == (2.5, 0.0)
    fresh = preset("worked-dead-relu")
    found = census(fresh.network, fresh.data.inputs, fresh.data.train)
    assert (found.dead.tolist(), found.dead_counts.tolist(), found.examples) == ([True, False, False], [1, 0, 0], 1)
    before = [experiment.network.parameters[name].copy() for name in ("layer01.weight", "layer01.bias", "layer02.weight")]
    train(experiment, 10)
    after = [experiment.network.parameters[name] for name in ("layer01.weight", "layer01.bias", "layer02.weight")]
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_a8_a_leaky_relu_keeps_a_slope_and_so_no_unit_dies() -> None:
    chain, weight, _ = worked("worked-leaky-relu", 1)
    assert math.prod((chain.dj_dy, chain.dy_dz, chain.dz_dw)) == pytest.approx(0.01, rel=1e-12)
    assert weight.weight == pytest.approx(2.49, rel=1e-15)
    counts = []
    for activation in ("relu", "leaky_relu"):
        experiment = preset("dead-relus")
        experiment.apply(experiment.spec.replace("network.activation", activation))
        experiment = train(experiment, 100)
        counts.append(int(census(experiment.network, experiment.data.inputs, experiment.data.train).dead_counts.sum()))
    assert counts[0] > 0
    assert counts[1] == 0


def test_a9_a_parametric_relu_learns_its_slope_and_shows_it_moving() -> None:
    experiment = begin(NetworkSpec(depth=3, activation="prelu", initializer="he_normal"), learning_rate=0.1)
    shown = []
    for _ in range(5):
        train(experiment, 10)
        picked = experiment.measure(Look(prediction=False, picked=("unit", 1, 0, 0))).picked
        assert isinstance(picked, UnitInspection)
        (alpha, gradient), = [(value, gradient) for name, value, gradient in picked.parameters if name == "alpha"]
        assert alpha == experiment.network.parameters["layer01.alpha"][0]
        assert gradient != 0.0
        shown.append(alpha)
    assert all(earlier != later for earlier, later in itertools.pairwise([0.25, *shown]))
    before = distribution(experiment.trainer, 1).parameter  # of the pass, before its update
    assert before - 0.1 * experiment.trainer.run.gradients["layer01.alpha"][0] == pytest.approx(shown[-1], rel=1e-12)


# ---- C: exploding


def test_c1_it_comes_from_large_weights_not_from_the_sigmoid() -> None:
    chain, _, experiment = worked("worked-large-weight", 1)
    factors = {rung.kind: rung.factor for rung in chain.rungs}
    assert (factors["slope"], factors["weight"], chain.dy_dz) == (0.25, 500.0, 125.0)
    assert experiment.trainer.delta_norms[0] == 125.0 * experiment.trainer.delta_norms[1]


def test_c2_with_large_first_weights_the_loss_oscillates_instead_of_converging() -> None:
    turns, ends = [], []
    for gain in (1.0, 16.0):
        network = NetworkSpec(depth=2, activation="tanh", gain=gain)
        # all examples in every step, so that no change of the mini-batch shakes the loss
        experiment = begin(network, DataSpec("sine", samples=100), batch_size=10_000, learning_rate=0.05, seed=2)
        loss = train(experiment, 400).history.table().loss
        rises = np.diff(loss) > 0
        turns.append(np.mean(rises[1:] != rises[:-1]))
        ends.append(loss[-50:].mean())
    assert turns[0] == 0.0  # falls in every single step
    assert turns[1] > 0.4  # up and down
    assert ends[1] > 3 * ends[0]


def test_c3_a_run_survives_overflow_names_where_it_began_and_keeps_what_came_before(recwarn: pytest.WarningsRecorder) -> None:
    experiment = preset("exploding")
    while experiment.trainer.failure is None and experiment.step_count < 2000:
        experiment.advance()
    failure = experiment.trainer.failure
    assert failure is not None
    assert (failure.step, failure.phase) == (experiment.step_count, "forward")
    layers = experiment.trainer.run.layers
    assert not np.isfinite(layers[failure.layer - 1].outputs).all()
    assert all(np.isfinite(layer.outputs).all() for layer in layers[: failure.layer - 1])
    train(experiment, 5)  # it goes on, and still says where it began
    assert math.isnan(experiment.trainer.loss)
    assert experiment.measure().failure == failure
    history = experiment.history.table()
    assert np.isfinite(history.loss[: failure.step - 1]).all()
    assert not np.isfinite(history.loss[failure.step - 1 :]).any()
    last_finite = experiment.go_to(failure.step - 1)
    assert last_finite.failure is None
    assert math.isfinite(last_finite.loss)
    experiment.go_to(3)  # the last finite weights may be past help: here they are 1e57; these are not
    experiment.apply(experiment.spec.replace("training.clip", "norm"))
    train(experiment, 50)
    assert experiment.trainer.failure is None
    assert np.isfinite(experiment.network.vector).all()
    assert not recwarn.list


def study_of(**fields: Any) -> InitialisationStudy:
    spec = Spec(NetworkSpec(depth=12, width=64, activation="relu", **fields), DataSpec("digits"), TrainingSpec(batch_size=64, seed=1))
    return initialisation_study(spec, Experiment(spec).data)


def test_c4_the_first_weights_decide_and_a_gain_scales_them() -> None:
    study = study_of()
    back = {scheme.initializer: scheme.backward_factor for scheme in study.schemes}
    for family in ("zeros", "constant", "normal", "uniform", "xavier", "he", "lecun", "orthogonal"):
        assert any(name.startswith(family) for name in back)
    assert back["he_normal"] == pytest.approx(1.0, abs=0.1)
    assert back["he_uniform"] == pytest.approx(1.0, abs=0.1)
    for name in ("xavier_normal", "xavier_uniform", "lecun_normal"):
        assert back[name] == pytest.approx(1 / math.sqrt(2), abs=0.1)  # as many units in as out: variance 1 / n
    assert back["normal"] == pytest.approx(math.sqrt(64 / 2), rel=0.1)  # explodes
    assert back["uniform"] == pytest.approx(math.sqrt(64 / 6), rel=0.1)
    assert back["constant"] > 30
    assert math.isnan(back["zeros"])  # no gradient at all
    for scheme, doubled in zip(study.schemes, study_of(gain=2.0).schemes, strict=True):
        assert doubled.forward_factor == pytest.approx(2.0 * scheme.forward_factor, rel=1e-9, nan_ok=True)
        # not quite: larger outputs also turn the gradient that the loss sends back
        assert doubled.backward_factor == pytest.approx(2.0 * scheme.backward_factor, rel=0.02, nan_ok=True)


def test_c5_clipping_changes_the_length_and_not_the_direction() -> None:
    experiment = preset("clipped")
    clipped = 0
    for _ in range(30):
        experiment.advance()
        found = clipping_report(experiment.trainer, experiment.history)
        assert found is not None
        assert found.cosine == pytest.approx(1.0, abs=1e-12)
        assert found.norm_after == pytest.approx(min(found.norm_before, found.threshold), rel=1e-12)
        # in the plane that is drawn both vectors lie on one line
        assert found.before[0] * found.after[1] == pytest.approx(found.before[1] * found.after[0], rel=1e-12)
        clipped += found.norm_before > found.threshold
        assert (found.clipped_steps, found.steps) == (clipped, experiment.step_count)
    assert clipped > 0
    assert experiment.trainer.failure is None


# ---- D: functions, exactly


def test_d1_a_sharp_sigmoid_tends_to_the_step_and_its_slope_to_a_peak_of_area_1() -> None:
    assert step(np.array([-1e-300, 0.0, 1e-300])).tolist() == [0.0, 1.0, 1.0]
    sharp = [sharp_slope(k) for k in (1.0, 10.0, 100.0, 1000.0)]
    assert [found.peak for found in sharp] == [0.25, 2.5, 25.0, 250.0]
    for earlier, later in itertools.pairwise(sharp):
        assert later.half_width == pytest.approx(earlier.half_width / 10)
    assert [found.area for found in sharp] == pytest.approx([1.0] * 4, abs=1e-12)
    assert gap_to_step(1000.0, 0.1) < 1e-40
    assert sharp_sigmoid_slope(np.array([0.1]), 1000.0)[0] < 1e-40  # zero everywhere but at 0
    experiment = train(begin(NetworkSpec(depth=3, activation="step")), 3)
    assert experiment.trainer.delta_norms.tolist()[:3] == [0.0, 0.0, 0.0]  # exactly
    assert experiment.trainer.gradient_norms.tolist()[:3] == [0.0, 0.0, 0.0]
    assert experiment.trainer.gradient_norms[3] > 0.0


@pytest.mark.parametrize("subgradient", [0.0, 0.3, 1.0])
def test_d2_any_subgradient_may_stand_for_the_slope_of_relu_at_0(subgradient: float) -> None:
    snapshot = example_at_zero("relu", relu_at_zero=subgradient)
    assert snapshot.delta_norms[1] > 0.0
    assert snapshot.delta_norms[0] == subgradient * snapshot.delta_norms[1]


def test_d3_linear_means_additive_and_homogeneous_and_only_the_identity_is() -> None:
    rng = np.random.default_rng(0)
    for name in ACTIVATIONS:
        found = counter_example(name, rng)
        assert (found is None) == (name == "identity")
        if found is not None:
            assert not found.additive
            assert not found.homogeneous
    assert all(linearity("identity", *rng.normal(size=3)).linear for _ in range(100))
    linear = train(begin(NetworkSpec(depth=10, activation="identity", skip_every=2), learning_rate=0.01), 50)
    found = linear_map(linear.network, linear.data.inputs)
    assert found.largest_difference < 1e-12 * found.largest_output
