"""What the lab shows: distributions, the census of units, clipping, the two ways through a residual block, the linear map, initialisers."""

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.activations import ACTIVATIONS, LIMIT
from gradviz.census import census
from gradviz.clipping_report import clipping_report, name_of, position_of
from gradviz.distribution import distribution, layer_to_look_at
from gradviz.history import History
from gradviz.initialisation_study import initialisation_study
from gradviz.initializers import INITIALIZERS
from gradviz.linear_map import linear_map
from gradviz.network import Network, Pass
from gradviz.residual_report import residual_report, rival_spec
from gradviz.snapshot import Look
from gradviz.training import Batches
from tests.engine.nets import make_network


def run(network: NetworkSpec, steps: int = 3, data: str = "moons", **training: Any) -> Experiment:
    settings: dict[str, Any] = {"batch_size": 16, "seed": 1} | training
    experiment = Experiment(Spec(network, DataSpec(data, samples=80), TrainingSpec(**settings)))
    for _ in range(steps):
        experiment.advance()
    return experiment


def walk(experiment: Experiment, kind: str, layer: int = 0) -> None:
    """Go into the next step, until after this phase."""
    for phase in experiment.phases():
        if (phase.kind, phase.layer) == (kind, layer):
            return


# ---- where f′ is small


def test_the_zones_are_those_of_the_lecture() -> None:
    assert ACTIVATIONS["sigmoid"].small_slope == 0.025
    assert ACTIVATIONS["sigmoid"].zone() == [(pytest.approx(-3.637, abs=1e-3), pytest.approx(3.637, abs=1e-3))]
    assert ACTIVATIONS["tanh"].zone() == [(pytest.approx(-1.818, abs=1e-3), pytest.approx(1.818, abs=1e-3))]
    assert ACTIVATIONS["relu"].zone() == ACTIVATIONS["leaky_relu"].zone() == [(0.0, LIMIT)]
    assert ACTIVATIONS["relu"].zone(1.0, limit=3.0) == [(0.0, 3.0)]
    assert ACTIVATIONS["prelu"].zone(0.25) == ACTIVATIONS["prelu"].zone(-0.5) == ACTIVATIONS["identity"].zone() == [(-LIMIT, LIMIT)]
    assert ACTIVATIONS["prelu"].zone(0.05) == [(0.0, LIMIT)]
    assert ACTIVATIONS["step"].zone() == []


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_inside_its_zones_the_slope_is_not_small_and_outside_it_is(name: str) -> None:
    activation = ACTIVATIONS[name]
    z = np.linspace(-LIMIT, LIMIT, 1001) + 1e-4
    inside = np.zeros(len(z), bool)
    for start, stop in activation.zone():
        inside |= (z > start) & (z < stop)
    inside[-1] = inside[-2]  # beyond the limit
    assert np.array_equal(~activation.is_small(activation.derivative(z)), inside)
    assert not activation.is_small(np.array([np.nan]))[0]


# ---- distribution


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "prelu"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_distribution_counts_the_pre_activations_of_the_last_pass(activation: str, batch_norm: bool) -> None:
    experiment = run(NetworkSpec(depth=3, width=5, activation=activation, batch_norm=batch_norm, gain=4.0))
    found = distribution(experiment.trainer, 2, bins=20, limit=3.0)
    z = experiment.trainer.run.layers[1].pre_activations
    assert (found.layer, found.activation, len(found.edges), found.edges[0], found.edges[-1]) == (2, activation, 21, -3.0, 3.0)
    assert found.counts.sum() + sum(found.outside) == z.size == 80
    assert found.counts[10:].sum() + found.outside[1] == np.sum(z >= 0)
    assert (found.mean, found.spread) == (pytest.approx(z.mean()), pytest.approx(z.std()))
    slopes = experiment.trainer.run.slopes[5:10]  # those that back-propagation used
    assert found.saturated == np.mean(np.abs(slopes) <= ACTIVATIONS[activation].small_slope)
    assert found.zero == np.mean(slopes == 0.0)
    if batch_norm:
        sums = experiment.trainer.run.layers[1].batch_norm.inputs
        assert found.before.sum() == np.sum(np.abs(sums) <= 3.0)
        assert found.saturated_before is not None
    else:
        assert found.before is None
        assert found.saturated_before is None


def test_batch_norm_brings_the_pre_activations_into_the_zone() -> None:
    found = distribution(run(NetworkSpec(depth=3, width=16, batch_norm=True, gain=30.0)).trainer, 1)
    assert found.saturated == 0.0
    assert found.saturated_before > 0.5


def test_the_layer_with_the_smallest_slope_is_looked_at() -> None:
    experiment = run(NetworkSpec(depth=4, width=6, activations=("tanh", "tanh", "sigmoid", "tanh")))
    assert layer_to_look_at(experiment.trainer) == distribution(experiment.trainer).layer == 3
    assert distribution(experiment.trainer, 5).activation == "identity"
    with pytest.raises(ValueError, match="layers 1 to 5"):
        distribution(experiment.trainer, 6)


@pytest.mark.parametrize("layer", [0, 2])
def test_before_the_first_step_the_distribution_looks_ahead(layer: int) -> None:
    experiment = run(NetworkSpec(depth=3, width=5), steps=0)
    before = experiment.network.vector.copy(), experiment.trainer.batches.state()
    ahead = distribution(experiment.trainer, layer)
    walk(experiment, "forward", 1)
    inside = distribution(experiment.trainer, layer, experiment.moment)
    walk(experiment, "forward", 3)
    sent = distribution(experiment.trainer, layer, experiment.moment)
    assert np.array_equal(experiment.network.vector, before[0])
    experiment.finish_step()
    after = distribution(experiment.trainer, layer)
    for found in (ahead, inside, sent):
        assert (found.layer, found.mean, found.saturated) == (after.layer, after.mean, after.saturated)
        assert np.array_equal(found.counts, after.counts)


def test_what_is_not_finite_is_neither_saturated_nor_counted(recwarn: pytest.WarningsRecorder) -> None:
    experiment = run(NetworkSpec(depth=2, width=4, activation="relu", initializer="he_normal"))
    z = experiment.trainer.run.layers[0].pre_activations
    z[:] = 1.0
    z[0, :3] = np.nan, np.inf, -np.inf
    found = distribution(experiment.trainer, 1)
    assert (found.counts.sum(), found.outside) == (z.size - 3, (1, 1))
    assert found.saturated == found.zero == 1 / z.size
    assert math.isnan(found.mean)
    assert not recwarn.list


# ---- census


def by_hand(network: Network, inputs: np.ndarray) -> list[np.ndarray]:
    """f′ (examples, units) of every hidden layer; the net must have no batch norm, or one whose statistics are the set's own."""
    run = Pass(network, len(inputs), update_running=False)
    run.inputs[:] = inputs.T
    run.forward()
    alphas = [network.parameters.get(f"layer{n:02d}.alpha", [None])[0] for n in range(1, network.depth)]
    return [layer.activate.slopes_at(layer.values, alpha).T for layer, alpha in zip(run.layers[:-1], alphas, strict=True)]


@pytest.mark.parametrize("activation", ["relu", "tanh", "prelu", "step"])
@pytest.mark.parametrize("skip_every", [0, 2])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_census_counts_every_unit_over_every_example(activation: str, skip_every: int, batch_norm: bool) -> None:
    network = make_network(depth=5, width=8, activation=activation, skip_every=skip_every, batch_norm=batch_norm, gain=4.0)
    inputs = np.random.default_rng(0).standard_normal((300, 3))
    if batch_norm:
        statistics = Pass(network, len(inputs), update_running=False)
        statistics.inputs[:] = inputs.T
        statistics.forward()
        for n, layer in enumerate(statistics.layers[:-1], 1):
            network.running[f"layer{n:02d}.mean"][:] = layer.batch_norm.inputs.mean(axis=1)
            network.running[f"layer{n:02d}.variance"][:] = layer.batch_norm.inputs.var(axis=1)
    before = network.vector.copy(), {name: values.copy() for name, values in network.running.items()}
    found = census(network, inputs)
    slopes = by_hand(network, inputs)
    small = [ACTIVATIONS[activation].is_small(part) for part in slopes]
    dead = np.concatenate([(part == 0).all(axis=0) for part in slopes] + [np.zeros(2, bool)])
    saturated = np.concatenate([part.mean(axis=0) > 0.95 for part in small] + [np.zeros(2, bool)]) & ~dead
    assert np.array_equal(found.dead, dead)
    assert np.array_equal(found.saturated, saturated)
    assert found.dead_counts.tolist() == [*dead[:40].reshape(5, 8).sum(axis=1), 0]
    assert found.saturated_counts.tolist() == [*saturated[:40].reshape(5, 8).sum(axis=1), 0]
    np.testing.assert_allclose(found.small_shares, [*(part.mean() for part in small), 0.0])
    assert found.examples == 300
    assert np.array_equal(network.vector, before[0])
    assert all(np.array_equal(values, before[1][name]) for name, values in network.running.items())
    if activation == "step":
        assert found.dead_counts.tolist() == [8] * 5 + [0]


def test_a_census_of_a_large_set_stays_in_bounded_memory_and_takes_the_rows_it_is_told() -> None:
    network = make_network(activation="relu", width=64)
    inputs = np.random.default_rng(0).standard_normal((50_000, 3))
    rows = np.flatnonzero(inputs[:, 0] > 0)
    tracemalloc.start()
    found = census(network, inputs, rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # one layer of all examples has 26 MB
    assert found.examples == len(rows)
    assert np.array_equal(found.small_shares, census(network, inputs[rows]).small_shares)


def test_a_census_may_be_given_a_budget() -> None:
    network = make_network(activation="relu")
    inputs = np.random.default_rng(0).standard_normal((1000, 3))
    weights = 3 * 4 + 3 * 4 * 4 + 4 * 2
    found = census(network, inputs, most_work=100.5 * weights)
    assert found.examples == 100
    assert np.array_equal(found.dead, census(network, inputs[::10]).dead)


def test_units_of_which_nothing_is_known_are_neither_dead_nor_saturated() -> None:
    network = make_network(activation="relu")
    network.parameters["layer02.bias"][1] = np.nan
    found = census(network, np.random.default_rng(0).standard_normal((50, 3)))
    assert not found.dead[5]
    assert not found.saturated[5]
    assert not found.dead[8:].any()


# ---- clipping


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_clipping_by_norm_changes_the_length_alone(precision: str) -> None:
    experiment = run(NetworkSpec(depth=3, width=4, activation="tanh"), clip="norm", clip_threshold=0.01, precision=precision)
    found = clipping_report(experiment.trainer, experiment.history)
    raw = experiment.trainer.raw_gradient
    largest = np.argsort(-np.abs(raw))[:2].tolist()
    assert found.names == tuple(name_of(experiment.network, at) for at in largest)
    assert found.before == tuple(float(raw[at]) for at in largest)
    assert (found.rule, found.threshold) == ("norm", 0.01)
    assert found.norm_before > found.norm_after == pytest.approx(0.01, rel=1e-5)
    assert found.cosine == pytest.approx(1.0, abs=1e-6 if precision == "float32" else 1e-12)
    assert found.after == pytest.approx([value * 0.01 / found.norm_before for value in found.before], rel=1e-5)
    assert (found.clipped_steps, found.steps, found.norm_steps.tolist()) == (3, 3, [1, 2, 3])
    assert np.array_equal(found.norms, experiment.history.table().total_norms)


def test_clipping_by_value_turns_the_gradient() -> None:
    experiment = run(NetworkSpec(depth=3, width=4, activation="tanh"), clip="value", clip_threshold=0.001)
    found = clipping_report(experiment.trainer, experiment.history, ("layer04.bias[0]", "layer01.weight[1,2]"))
    gradient = experiment.trainer.raw_gradient
    assert found.before == (gradient[-1], experiment.trainer.raw_gradient[4 + 2])
    assert found.after == (math.copysign(0.001, gradient[-1]), np.clip(gradient[6], -0.001, 0.001))
    assert 0.0 < found.cosine < 0.99


@pytest.mark.parametrize("scale", [1e-180, 1e180])
def test_the_angle_is_known_also_where_squares_leave_the_range_of_the_numbers(scale: float) -> None:
    experiment = run(NetworkSpec(depth=2, width=3), clip="norm", clip_threshold=0.01)
    experiment.trainer.raw_gradient *= scale
    experiment.trainer.run.gradient *= scale
    assert clipping_report(experiment.trainer, experiment.history).cosine == pytest.approx(1.0, abs=1e-12)


def test_a_gradient_that_is_not_whole_is_not_reported() -> None:
    experiment = run(NetworkSpec(depth=2, width=3), steps=0, clip="norm", clip_threshold=0.01)
    assert clipping_report(experiment.trainer, experiment.history) is None
    walk(experiment, "backward", 1)
    assert clipping_report(experiment.trainer, experiment.history, None, experiment.moment) is None
    walk(experiment, "clip")
    assert clipping_report(experiment.trainer, experiment.history, None, experiment.moment).norm_after == pytest.approx(0.01)


def test_a_gradient_of_nothing_or_nan_has_no_angle(recwarn: pytest.WarningsRecorder) -> None:
    experiment = run(NetworkSpec(depth=2, width=3))
    for value in (0.0, np.nan, np.inf):
        experiment.trainer.raw_gradient[:] = value
        found = clipping_report(experiment.trainer, experiment.history)
        assert math.isnan(found.cosine)
        assert found.names[0] != found.names[1]
    assert not recwarn.list


def test_every_parameter_has_a_name_that_leads_back_to_it() -> None:
    network = make_network(depth=2, activation="prelu", batch_norm=True)
    names = [name_of(network, position) for position in range(network.vector.size)]
    assert len(set(names)) == len(names)
    assert [position_of(network, name) for name in names] == list(range(len(names)))
    assert {"layer01.weight[2,3]", "layer02.scale[0]", "layer01.alpha[0]", "layer03.bias[1]"} <= set(names)
    for wrong in ("layer01.weight[3,0]", "layer01.bias[0]", "layer03.bias", "nonsense", "layer09.weight[0,0]", "layer01.weight[0]"):
        with pytest.raises(ValueError, match=r"layer01.weight\[0,0\] to layer03.bias\[1\]"):
            position_of(network, wrong)


def test_clipped_steps_are_counted_exactly_also_after_thinning_and_in_branches() -> None:
    clips = np.random.default_rng(0).random(10_000) < 0.3
    history = History(np.full(1001, 4))  # so many layers that only every 16th row stays
    for step, clipped in enumerate(clips.tolist(), 1):
        history.append(step, 1.0, np.ones(1001), 2.0, 1.0 if clipped else 2.0)
    assert history.stride > 1
    assert history.clipped_steps == clips.sum()
    for step in (0, 1, 7, 8, 999, 5003, 10_000):
        branch = history.until(step, (1.0, np.ones(1001), 2.0, 1.0, None))
        assert branch.clipped_steps == clips[:step].sum()
        branch.append(step + 1, 1.0, np.ones(1001), 2.0, 1.0)
        assert branch.clipped_steps == clips[:step].sum() + 1
    assert history.clipped_steps == clips.sum()
    history.append(10_001, np.nan, np.ones(1001), np.nan, np.nan)
    assert history.clipped_steps == clips.sum()
    steps, norms = history.total_norms()
    assert np.array_equal(steps, history.table().steps)
    assert np.array_equal(norms, history.table().total_norms, equal_nan=True)


# ---- residual blocks


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_skip_and_branch_make_up_the_whole_gradient(batch_norm: bool, precision: str) -> None:
    network = NetworkSpec(depth=7, width=5, activation="tanh", skip_every=2, batch_norm=batch_norm)
    experiment = run(network, learning_rate=3.0, precision=precision)
    found = residual_report(experiment.trainer, experiment.spec)
    assert found.blocks == ((1, 3), (3, 5), (5, 7))
    assert found.through_skip == pytest.approx(experiment.measure(Look(False)).details.skip_gradients, rel=1e-5)
    layers = experiment.trainer.run.layers
    for number, (start, end) in enumerate(found.blocks):
        branch = layers[start - 1].gradient - layers[end - 1].gradient
        within = 1e-3 if precision == "float32" else 1e-9
        assert found.through_branch[number] == pytest.approx(np.linalg.norm(branch) / math.sqrt(5), rel=within)


def test_a_branch_far_weaker_than_its_skip_is_not_lost() -> None:
    experiment = run(NetworkSpec(depth=5, width=6, activation="sigmoid", skip_every=4, initializer="he_normal"), steps=0)
    for layer in (2, 3, 4, 5):
        experiment.network.parameters[f"layer{layer:02d}.weight"] *= 1e-9
    experiment.advance()
    found = residual_report(experiment.trainer, experiment.spec)
    assert 0.0 < found.through_branch[0] < 1e-30 * found.through_skip[0]


def test_parts_that_back_propagation_has_not_reached_are_unknown() -> None:
    experiment = run(NetworkSpec(depth=5, width=4, skip_every=2), steps=0)
    assert np.isnan(residual_report(experiment.trainer, experiment.spec).through_skip).all()
    walk(experiment, "backward", 4)
    found = residual_report(experiment.trainer, experiment.spec, experiment.moment)
    assert np.isnan(found.through_skip).tolist() == np.isnan(found.through_branch).tolist() == [True, False]
    experiment.finish_step()
    whole = residual_report(experiment.trainer, experiment.spec)
    assert whole.through_skip[1] == found.through_skip[1]
    assert whole.through_branch[1] == pytest.approx(found.through_branch[1])


def test_the_rival_differs_in_the_skips_alone() -> None:
    plain = Spec(NetworkSpec(depth=9))
    assert rival_spec(plain) == plain.replace("network.skip_every", 2)
    assert rival_spec(rival_spec(plain)) == plain
    assert rival_spec(plain.replace("network.skip_every", 10)).network.skip_every == 2  # no block of ten fits
    assert rival_spec(plain.replace("network.depth", 2)).network.skip_every == 1
    alone = plain.replace("network.depth", 1)
    assert rival_spec(alone) == alone
    report = residual_report(run(NetworkSpec(depth=9)).trainer, plain)
    assert (report.blocks, len(report.through_skip), report.rival_spec) == ((), 0, rival_spec(plain))


# ---- one linear map


@pytest.mark.parametrize("skip_every", [0, 1, 2])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_net_of_identities_is_its_one_linear_map(skip_every: int, batch_norm: bool, dtype: type) -> None:
    network = make_network(depth=7, width=6, activation="identity", skip_every=skip_every, batch_norm=batch_norm, dtype=dtype)
    for name, values in network.running.items():
        values += 0.5 if name.endswith("mean") else 1.0
    inputs = np.random.default_rng(0).standard_normal((40, 3))
    found = linear_map(network, inputs)
    assert (found.matrix.shape, found.bias.shape, found.layers, found.reason) == ((3, 2), (2,), 8, "")
    outputs = network.predict(inputs)
    assert found.largest_output == np.abs(outputs).max()
    assert found.largest_difference == np.abs(outputs - (inputs @ found.matrix + found.bias)).max()
    assert found.largest_difference < found.largest_output * (1e-5 if dtype is np.float32 else 1e-13)


def test_the_map_is_the_product_of_the_weight_matrices() -> None:
    network = make_network(depth=3, width=4, activation="identity")
    product = np.linalg.multi_dot([network.parameters[f"layer{n:02d}.weight"] for n in range(1, 5)])
    np.testing.assert_allclose(linear_map(network, np.ones((1, 3))).matrix, product, rtol=1e-12)


@pytest.mark.parametrize(
    ("activations", "reason"),
    [
        (("sigmoid",) * 3, "3 layers have an activation that is not the identity: Sigmoid in L1 to L3."),
        (("identity", "relu", "identity"), "1 layer has an activation that is not the identity: ReLU in L2."),
        (("relu", "tanh", "relu"), "3 layers have an activation that is not the identity: ReLU in L1, L3, Tanh in L2."),
    ],
)
def test_why_there_is_no_such_map(activations: tuple[str, ...], reason: str) -> None:
    found = linear_map(make_network(depth=3, activations=activations), np.ones((4, 3)))
    assert (found.reason, found.matrix.size, found.bias.size) == (reason, 0, 0)
    assert math.isnan(found.largest_difference)


def test_a_map_that_is_not_finite_says_so() -> None:
    network = make_network(activation="identity")
    network.parameters["layer02.weight"][:] = np.nan
    assert math.isnan(linear_map(network, np.ones((4, 3))).largest_difference)


# ---- initialisers


@pytest.mark.parametrize(
    "network",
    [NetworkSpec(depth=6, activation="tanh"), NetworkSpec(depth=6, activation="relu", batch_norm=True, skip_every=2, gain=1.5)],
    ids=["plain", "remedied"],
)
def test_every_initialiser_is_measured_as_a_run_would_begin(network: NetworkSpec) -> None:
    spec = Spec(network, DataSpec(samples=80), TrainingSpec(batch_size=16, seed=4))
    study = initialisation_study(spec, Experiment(spec).data)
    assert [scheme.initializer for scheme in study.schemes] == list(INITIALIZERS)
    assert study.current == "xavier_normal"
    for scheme in study.schemes:
        experiment = Experiment(spec.replace("network.initializer", scheme.initializer))
        experiment.advance()
        np.testing.assert_allclose(scheme.delta_norms, experiment.trainer.delta_norms, rtol=1e-12)
        details = experiment.measure(Look(False)).details
        np.testing.assert_allclose(scheme.gradient_rms, details.gradient_rms, rtol=1e-12)
        np.testing.assert_allclose(scheme.activation_stds, details.activation_stds, rtol=1e-6, atol=1e-7)
        forward = scheme.activation_stds[5] / scheme.activation_stds[0] if scheme.activation_stds[0] else np.nan
        assert scheme.forward_factor == pytest.approx(forward ** (1 / 5), nan_ok=True)


def test_factors_of_zeros_are_said_to_be_unknown_or_0() -> None:
    spec = Spec(NetworkSpec(depth=6, activation="relu"), DataSpec(samples=80))
    zeros = next(scheme for scheme in initialisation_study(spec, Experiment(spec).data).schemes if scheme.initializer == "zeros")
    assert not zeros.activation_stds.any()
    assert not zeros.delta_norms[:-1].any()
    assert zeros.delta_norms[-1] > 0
    assert math.isnan(zeros.forward_factor)
    assert math.isnan(zeros.backward_factor)
    one_layer = spec.replace("network.depth", 1)
    assert math.isnan(initialisation_study(one_layer, Experiment(spec).data).schemes[0].forward_factor)


def test_a_study_takes_at_most_256_examples_and_leaves_the_run_alone() -> None:
    spec = Spec(NetworkSpec(depth=3, width=4, batch_norm=True), DataSpec(samples=600), TrainingSpec(batch_size=400, seed=3))
    experiment = Experiment(spec)
    vector, running = experiment.network.vector.copy(), experiment.network.running["layer01.mean"].copy()
    scheme = initialisation_study(spec, experiment.data).schemes[0]
    chosen = experiment.data.train[Batches(len(experiment.data.train), 400, 3).next()[:256]]
    _, gradients = experiment.network.loss_and_gradients(experiment.data.inputs[chosen], experiment.data.targets[chosen])
    assert scheme.gradient_rms[0] == pytest.approx(np.sqrt(np.mean(gradients["layer01.weight"] ** 2)), rel=1e-12)
    assert np.array_equal(experiment.network.vector, vector)
    assert np.array_equal(experiment.network.running["layer01.mean"], running)
