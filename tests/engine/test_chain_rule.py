"""The chain rule of one weight: its factors, its running products, and the sum over all paths against back-propagation."""

import itertools
import math

import msgspec
import numpy as np
import pytest

from gradviz import ChainRule, DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec, chain_rule
from gradviz.losses import loss_named
from gradviz.resources import RESOURCES
from gradviz.snapshot import Look

TASKS = [("moons", "auto"), ("sine", "auto"), ("wine", "auto"), ("wine", "mse"), ("wine", "binary_cross_entropy")]


def run(network: NetworkSpec, data: str = "moons", loss: str = "auto", steps: int = 2, **training: object) -> Experiment:
    experiment = Experiment(Spec(network, DataSpec(data, samples=60), TrainingSpec(loss=loss, batch_size=8, seed=1, **training)))
    for _ in range(steps):
        experiment.step()
    return experiment


@pytest.mark.parametrize(("data", "loss"), TASKS)
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("skip_every", [0, 2])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "prelu"])
def test_the_sum_over_paths_is_the_engines_gradient(data: str, loss: str, batch_norm: bool, skip_every: int, activation: str) -> None:
    network = NetworkSpec(depth=5, width=4, activation=activation, batch_norm=batch_norm, skip_every=skip_every, initializer="he_normal")
    experiment = run(network, data, loss, clip="norm", clip_threshold=0.01)
    for layer in (1, 2, 3, 6):
        name = f"layer{layer:02d}.weight"
        last = tuple(size - 1 for size in experiment.network.parameters[name].shape)
        for index in ((0, 0), last):
            rules = [chain_rule(experiment, name, (index[0], index[1]), example) for example in range(8)]
            for rule in rules:
                assert rule.sum_over_paths == pytest.approx(rule.gradient, abs=1e-12)
                assert rule.rungs[-1].total == pytest.approx(rule.example_gradient, abs=1e-12)
                assert rule.rungs[-1].product == pytest.approx(math.prod(rung.factor for rung in rule.rungs), rel=1e-12)
                assert rule.dz_dw * (rule.dj_dy * rule.dy_dz + rule.rest) == rule.example_gradient
            assert np.mean([rule.example_gradient for rule in rules]) == pytest.approx(rules[0].gradient, abs=1e-12)
            place = experiment.network.slices[name].start + index[0] * experiment.network.parameters[name].shape[1] + index[1]
            assert rules[0].gradient == experiment.trainer.raw_gradient[place]
            assert rules[0].clipped_gradient == experiment.trainer.run.gradient[place]


@pytest.mark.parametrize(("skip_every", "ways"), [(0, 27), (1, 27 + 9 + 9 + 9 + 3 + 3 + 3 + 1)])
def test_the_strongest_of_all_paths_and_their_number(skip_every: int, ways: int) -> None:
    """Every path of a small net, one by one: their sum, their number, and the largest of them."""
    experiment = run(NetworkSpec(depth=4, width=3, activation="tanh", skip_every=skip_every), "sine")
    rule = chain_rule(experiment, "layer01.weight", (0, 1), 5)
    layers, change = experiment.trainer.run.layers, experiment.trainer.optimizer.change
    old = experiment.network.vector - change
    weights = [
        old[experiment.network.slices[f"layer{n:02d}.weight"]].reshape(experiment.network.parameters[f"layer{n:02d}.weight"].shape)
        for n in range(1, 6)
    ]
    slopes = [1.0 - np.square(layer.values[:, 5]) for layer in layers[:-1]]

    products = [[] for _ in range(5)]  # of each layer, by unit: the products of all paths that end in its output
    products[0] = [[slopes[0][u]] if u == 1 else [] for u in range(3)]
    for n in range(1, 4):
        products[n] = [
            [way * weights[n][v, u] * slopes[n][u] for v in range(3) for way in products[n - 1][v]]
            + (products[n - 1][u] if skip_every else [])
            for u in range(3)
        ]
    ends = [way * weights[4][v, 0] for v in range(3) for way in products[3][v]]
    assert len(ends) == ways
    assert rule.log10_paths == pytest.approx(math.log10(ways), abs=1e-12)
    assert rule.dy_dz == pytest.approx(sum(ends), rel=1e-12)
    assert abs(rule.rungs[-1].product) == pytest.approx(max(abs(way) for way in ends) * abs(rule.dj_dy * rule.dz_dw), rel=1e-12)


def test_the_parts_of_a_residual_sum_add_up() -> None:
    rule = chain_rule(run(NetworkSpec(depth=7, width=4, activation="relu", skip_every=2, batch_norm=True)), "layer01.weight", (1, 2))
    parts = [rung for rung in rule.rungs if rung.branch is not None and rung.skip is not None]
    assert parts
    for rung in parts:
        assert rung.branch + rung.skip == pytest.approx(rung.total, rel=1e-12)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_before_the_first_step_it_looks_ahead(batch_norm: bool) -> None:
    inputs, targets = np.random.default_rng(0).normal(size=(6, 2)), np.array([0, 1, 0, 1, 1, 0])
    network = NetworkSpec(depth=3, width=3, activation="tanh", batch_norm=batch_norm)
    experiment = Experiment(Spec(network, training=TrainingSpec(batch_size=6)), inputs=inputs, targets=targets)
    before = experiment.network.vector.copy(), experiment.trainer.batches.state()
    rule = chain_rule(experiment, "layer02.weight", (2, 0))
    _, gradients = experiment.network.loss_and_gradients(inputs, targets)
    assert rule.gradient == pytest.approx(gradients["layer02.weight"][2, 0], abs=1e-15)
    assert rule.sum_over_paths == pytest.approx(rule.gradient, abs=1e-12)
    assert (rule.weight_old, rule.weight_new) == (experiment.network.parameters["layer02.weight"][2, 0], None)
    assert np.array_equal(experiment.network.vector, before[0])
    assert experiment.trainer.batches.state() == before[1]


def test_it_appears_rung_by_rung_as_back_propagation_comes() -> None:
    experiment = run(NetworkSpec(depth=4, width=3, activation="tanh"))
    phases = experiment.phases()
    for phase in phases:
        if phase.kind == "loss":
            break
    rule = chain_rule(experiment, "layer01.weight", (0, 0))
    assert [rung.kind for rung in rule.rungs if rung.reached] == ["loss"]
    assert not rule.reached
    assert math.isnan(rule.gradient)
    for _ in range(3):
        next(phases)  # back to layer 3
    reached = [(rung.kind, rung.layer) for rung in chain_rule(experiment, "layer01.weight", (0, 0)).rungs if rung.reached]
    assert reached == [("loss", 0), ("output", 5), ("weight", 5), ("slope", 4), ("weight", 4), ("slope", 3)]
    experiment.finish_step()
    rule = chain_rule(experiment, "layer01.weight", (0, 0))
    assert rule.reached
    assert rule.weight_new == experiment.network.parameters["layer01.weight"][0, 0]


@pytest.mark.parametrize("activation", ["identity", "leaky_relu"])
def test_what_is_not_finite_does_not_stop_it(activation: str) -> None:
    experiment = run(NetworkSpec(depth=4, width=3, activation=activation, gain=9.0), "sine", steps=40, learning_rate=1000.0)
    assert experiment.trainer.failure is not None
    assert isinstance(chain_rule(experiment, "layer01.weight", (0, 0)), ChainRule)


@pytest.mark.parametrize(
    ("name", "index", "example", "words"),
    [
        ("layer09.weight", (0, 0), 0, "layer01.weight to layer05.weight"),
        ("layer01.bias", (0, 0), 0, "not a weight matrix"),
        ("layer01.weight", (2, 0), 0, "shape is"),
        ("layer01.weight", (0, 0), 8, "examples 0 to 7"),
    ],
)
def test_what_is_not_there_is_told(name: str, index: tuple[int, int], example: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chain_rule(run(NetworkSpec(depth=4, width=3)), name, index, example)


@pytest.mark.parametrize(
    ("preset", "layer", "factors", "gradient", "updated"),
    [
        ("worked-sigmoid", 1, (0.2, 0.15, 0.05), 0.0015, 2.4985),  # A3
        ("worked-relu", 1, (1.0, 1.0, 1.0), 1.0, 1.5),  # A6
        ("worked-dead-relu", 2, (1.0, 1.0, 0.0), 0.0, 2.5),  # A7
        ("worked-leaky-relu", 1, (1.0, 0.01, 1.0), 0.01, 2.49),  # A8
        ("worked-large-weight", 1, (1.0, 125.0, 1.0), 125.0, -122.5),  # C1
    ],
)
def test_the_worked_products_of_the_lecture(
    preset: str, layer: int, factors: tuple[float, ...], gradient: float, updated: float
) -> None:
    raw = msgspec.json.decode((RESOURCES / "presets" / f"{preset}.json").read_bytes())
    experiment = Experiment(Spec.from_dict(raw["spec"]))
    for _ in experiment.phases():
        pass
    rule = chain_rule(experiment, f"layer{layer:02d}.weight", (0, 0))
    assert (rule.dj_dy, rule.dy_dz, rule.dz_dw) == pytest.approx(factors, rel=1e-12, abs=0.0)
    assert rule.gradient == pytest.approx(gradient, rel=1e-12, abs=0.0)
    assert (rule.weight_old, rule.weight_new) == (2.5, pytest.approx(updated, rel=1e-15))
    assert rule.learning_rate == 1.0
    if preset == "worked-large-weight":
        assert [rung.factor for rung in rule.rungs if rung.kind in ("slope", "weight")] == [500.0, 0.25]
    if preset == "worked-dead-relu":
        assert chain_rule(experiment, "layer01.weight", (0, 0)).gradient == 0.0


def test_paths_are_counted_without_writing_them_down() -> None:
    rule = chain_rule(run(NetworkSpec(depth=200, width=8, activation="sigmoid"), steps=1), "layer01.weight", (0, 0))
    assert rule.log10_paths == pytest.approx(199 * math.log10(8))
    assert len(rule.rungs) == 2 + 2 * 200 + 1
    products = [rung.log10_product for rung in rule.rungs]
    assert products[-1] < -100
    assert all(later < earlier for earlier, later in itertools.pairwise(products[2:10:2]))


def test_the_weights_of_the_pass_are_known_also_when_the_update_swamped_them() -> None:
    spec = Spec(NetworkSpec(depth=2, width=3, activation="relu"), DataSpec(samples=40), TrainingSpec(batch_size=8, seed=2))
    experiment = Experiment(spec)
    old = experiment.network.vector.copy()
    experiment.apply(spec.replace("training.learning_rate", 1000.0))
    experiment.network.parameters["layer03.weight"][:] *= 1e20  # so that the change of layer 1 is some 1e20 times its weights
    experiment.advance()
    chain = chain_rule(experiment, "layer01.weight", (0, 0))
    assert chain.weight_old == old[0]
    assert chain.sum_over_paths == pytest.approx(chain.gradient, rel=1e-12)


def test_an_exploding_step_is_walked_through_without_a_word_of_numpy(recwarn: pytest.WarningsRecorder) -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=3, width=3, activation="relu"), DataSpec(samples=40)))
    for layer in range(1, 5):
        experiment.network.parameters[f"layer{layer:02d}.weight"][:] *= 1e60
    for _ in experiment.phases():
        experiment.measure(Look(chain=True))
    assert not recwarn.list


def test_where_the_answer_is_right_beyond_floating_point_the_factors_say_0_as_back_propagation_does() -> None:
    factors = loss_named("binary_cross_entropy").factors(np.array([-2000.0]), np.array([0.0]), 0)
    assert (factors.prediction, factors.dj_dy * factors.dy_dz[0]) == (0.0, 0.0)
    wrong = loss_named("binary_cross_entropy").factors(np.array([-2000.0]), np.array([1.0]), 0)
    assert wrong.dj_dy * wrong.dy_dz[0] == pytest.approx(-1.0)
