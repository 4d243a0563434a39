"""The numbers of the lecture, reproduced by the engine; on wide nets those of the theory of initialisation."""

from typing import Any

import numpy as np
import pytest

from gradviz.activations import ACTIVATIONS
from gradviz.clipping import CLIPPINGS
from gradviz.losses import loss_named
from gradviz.network import Network, Pass, build
from gradviz.optimizers import OPTIMIZERS
from gradviz.spec import NetworkSpec

DEPTH, WIDTH, BATCH = 20, 256, 256
SEEDS = range(4)


def backward(network: Network, inputs: Any, targets: Any) -> Pass:
    run = Pass(network, len(inputs))
    run.inputs[:] = inputs.T
    run.forward()
    run.evaluate(loss_named(network.loss).encode(targets, network.outputs))
    run.backward()
    return run


def ratios_per_layer(**fields: Any) -> tuple[float, float]:
    """By how much ‖∂L/∂z‖ and ‖∂L/∂W‖ change per hidden layer on the way back: the geometric mean over layers and seeds.

    One layer of 256 units scatters by about sqrt(5 / 256) / 2 = 7 %, as its norm² is a sum of 256 terms of kurtosis about 5;
    over 19 layers and 4 seeds that is 0.8 %, so that a tolerance of 3 % is more than three times the scatter.
    """
    logs = []
    for seed in SEEDS:
        rng = np.random.default_rng([seed, 7])
        network = build(NetworkSpec(depth=DEPTH, width=WIDTH, **fields), WIDTH, WIDTH, "mse", seed)
        # targets so large that the δ of the output layer is theirs alone: the theory wants it independent of the weights
        run = backward(network, rng.standard_normal((BATCH, WIDTH)), 1e6 * rng.standard_normal((BATCH, WIDTH)))
        deltas = [np.linalg.norm(layer.deltas) for layer in run.layers[:-1]]
        weights = [np.linalg.norm(run.gradients[f"layer{n:02d}.weight"]) for n in range(2, DEPTH + 1)]
        logs.append((np.log(deltas[0] / deltas[-1]) / (DEPTH - 1), np.log(weights[0] / weights[-1]) / (DEPTH - 2)))
    delta, weight = np.exp(np.mean(logs, axis=0))
    return float(delta), float(weight)


def test_relu_with_he_keeps_the_signal_that_travels_back() -> None:
    delta, _ = ratios_per_layer(activation="relu", initializer="he_normal")
    assert delta == pytest.approx(1.0, rel=0.03)


def test_relu_with_variance_1_n_halves_its_square_and_yet_the_weights_gradient_stays_level() -> None:
    delta, weight = ratios_per_layer(activation="relu", initializer="lecun_normal")
    assert delta == pytest.approx(1 / np.sqrt(2), rel=0.03)
    assert weight == pytest.approx(1.0, rel=0.03)


def test_sigmoid_with_variance_1_n_loses_three_quarters_per_layer() -> None:
    # in the limit of width: the variance q of z is E[σ(√q x)²], the ratio √E[σ′(√q x)²], with x ~ N(0, 1)
    nodes, shares = np.polynomial.hermite_e.hermegauss(60)
    shares = shares / shares.sum()
    sigmoid, q = ACTIVATIONS["sigmoid"], 0.25
    for _ in range(50):
        q = float(shares @ sigmoid.function(np.sqrt(q) * nodes) ** 2)
    theory = float(np.sqrt(shares @ sigmoid.derivative(np.sqrt(q) * nodes) ** 2))
    assert theory == pytest.approx(0.236, abs=0.001)
    delta, _ = ratios_per_layer(activation="sigmoid", initializer="lecun_normal")
    assert delta == pytest.approx(theory, rel=0.03)
    assert delta < 0.25


def test_batch_norm_makes_the_gradient_of_relu_grow_backwards() -> None:
    delta, _ = ratios_per_layer(activation="relu", initializer="he_normal", batch_norm=True)
    assert delta**2 == pytest.approx(np.pi / (np.pi - 1), rel=0.06)  # 3 % of the norm


def test_tanh_at_the_right_scale_is_far_better_than_the_sigmoid() -> None:
    assert ratios_per_layer(activation="tanh", initializer="xavier_normal")[0] > 0.9


@pytest.mark.parametrize(("name", "peak", "at"), [("sigmoid", 0.25, 0.0), ("tanh", 1.0, 0.0)])
def test_largest_slope_of_the_saturating_functions(name: str, peak: float, at: float) -> None:
    z = np.linspace(-30, 30, 6001)
    slopes = ACTIVATIONS[name].derivative(z)
    assert slopes.max() == peak
    assert z[slopes.argmax()] == pytest.approx(at, abs=1e-12)
    assert 0 <= slopes[0] < 1e-12
    assert 0 <= slopes[-1] < 1e-12


def test_sigmoid_stays_between_0_and_1() -> None:
    values = ACTIVATIONS["sigmoid"].function(np.linspace(-30, 30, 601))
    assert np.all((values > 0) & (values < 1))


def test_gradient_of_a_deep_sigmoid_chain_falls_below_a_quarter_per_layer() -> None:
    network = build(NetworkSpec(depth=10, width=1, initializer="constant"), 1, 1, "mse", 0)
    run = backward(network, np.ones((1, 1)), np.zeros(1))
    deltas = [abs(float(layer.deltas[0, 0])) for layer in run.layers]
    for layer in range(10):
        assert 0 < deltas[layer] <= 0.25 * deltas[layer + 1]
    assert deltas[0] <= 0.25**10 * deltas[-1]


@pytest.mark.parametrize(
    ("factors", "updated"),
    [((0.2, 0.15, 0.05), 2.4985), ((1.0, 1.0, 1.0), 1.5), ((1.0, 1.0, 0.0), 2.5), ((0.01, 1.0, 1.0), 2.49)],
    ids=["vanishing", "relu", "dead relu", "leaky relu"],
)
def test_worked_examples_of_the_update(factors: tuple[float, ...], updated: float) -> None:
    weight = np.array([2.5])
    OPTIMIZERS["sgd"](1, np.dtype(float)).step(weight, np.array([np.prod(factors)]), 1.0, 0.0)
    assert weight[0] == pytest.approx(updated, rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "z", "slope"), [("relu", -2.0, 0.0), ("relu", 2.0, 1.0), ("leaky_relu", -2.0, 0.01), ("leaky_relu", 2.0, 1.0)]
)
def test_slopes_of_the_relus_in_a_network(activation: str, z: float, slope: float) -> None:
    network = build(NetworkSpec(depth=1, width=1, activation=activation, initializer="constant"), 1, 1, "mse", 0)
    run = backward(network, np.array([[z]]), np.array([10.0]))
    assert run.layers[1].deltas[0, 0] != 0.0
    assert run.layers[0].deltas[0, 0] == slope * run.layers[1].deltas[0, 0]


def test_large_weights_explode_even_through_a_sigmoid() -> None:
    network = build(NetworkSpec(depth=1, width=1, activation="sigmoid", initializer="zeros"), 1, 1, "binary_cross_entropy", 0)
    network.parameters["layer02.weight"][:] = 500.0
    run = backward(network, np.ones((1, 1)), np.zeros(1))
    assert run.layers[0].deltas[0, 0] / run.layers[1].deltas[0, 0] == 125.0  # f′(O₁) · w₂ = 0.25 · 500


def test_prelu_moves_its_slope() -> None:
    network = build(NetworkSpec(depth=1, width=4, activation="prelu"), 2, 1, "mse", 0)
    inputs = np.random.default_rng(0).standard_normal((32, 2))
    _, gradients = network.loss_and_gradients(inputs, inputs[:, 0])
    assert gradients["layer01.alpha"][0] != 0.0


def test_identity_net_is_one_linear_map() -> None:
    network = build(NetworkSpec(depth=6, width=5, activation="identity", skip_every=2), 3, 2, "mse", 0)
    x, y = np.random.default_rng(0).standard_normal((2, 7, 3))
    f = network.predict
    np.testing.assert_allclose(f(x + y), f(x) + f(y), atol=1e-12)
    np.testing.assert_allclose(f(3.5 * x), 3.5 * f(x), atol=1e-12)


def test_clipping_by_norm_keeps_the_direction() -> None:
    gradient = np.random.default_rng(0).standard_normal(50) * 1e6
    clipped = gradient.copy()
    CLIPPINGS["norm"].apply(clipped, [slice(0, 50)], 2.0)
    assert np.linalg.norm(clipped) == pytest.approx(2.0)
    assert clipped @ gradient / (np.linalg.norm(clipped) * np.linalg.norm(gradient)) == pytest.approx(1.0)
