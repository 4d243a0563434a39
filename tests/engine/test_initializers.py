"""The first weights: their spread, their structure, and that each layer draws them on its own."""

from typing import Any

import numpy as np
import pytest

from gradviz.initializers import INITIALIZERS
from gradviz.network import Network, build
from gradviz.spec import NetworkSpec

FAN_IN, FAN_OUT = 200, 300
VARIANCES = {
    "zeros": 0.0,
    "constant": 0.0,
    "normal": 1.0,
    "uniform": 1 / 3,
    "xavier_normal": 2 / (FAN_IN + FAN_OUT),
    "xavier_uniform": 2 / (FAN_IN + FAN_OUT),
    "he_normal": 2 / FAN_IN,
    "he_uniform": 2 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "orthogonal": 1 / max(FAN_IN, FAN_OUT),
}


def draw(name: str, fan_in: int = FAN_IN, fan_out: int = FAN_OUT) -> np.ndarray:
    return INITIALIZERS[name].draw(np.random.default_rng(3), fan_in, fan_out)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_variance(name: str) -> None:
    weights = draw(name)
    assert weights.shape == (FAN_IN, FAN_OUT)
    # the variance of 60,000 normal draws scatters by sqrt(2 / 60,000) = 0.6 %: 3 % are five times that
    assert weights.var() == pytest.approx(VARIANCES[name], rel=0.03)
    assert weights.mean() == pytest.approx(1.0 if name == "constant" else 0.0, abs=5 * weights.std() / np.sqrt(weights.size))


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name.endswith("uniform")])
def test_uniform_stays_within_its_bound(name: str) -> None:
    bound = np.sqrt(3 * VARIANCES[name])
    assert 0.99 * bound < np.abs(draw(name)).max() <= bound


@pytest.mark.parametrize(("fan_in", "fan_out"), [(6, 6), (9, 4), (4, 9), (1, 1), (1, 5), (5, 1)])
def test_orthogonal(fan_in: int, fan_out: int) -> None:
    weights = draw("orthogonal", fan_in, fan_out)
    product = weights.T @ weights if fan_in >= fan_out else weights @ weights.T
    np.testing.assert_allclose(product, np.eye(min(fan_in, fan_out)), atol=1e-14)


def test_orthogonal_prefers_no_sign() -> None:
    rng = np.random.default_rng(0)
    assert {float(INITIALIZERS["orthogonal"].draw(rng, 1, 1)[0, 0]) for _ in range(20)} == {-1.0, 1.0}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_gain_multiplies_the_weights_and_nothing_else(name: str) -> None:
    plain, doubled = (
        build(NetworkSpec(depth=3, width=5, activation="prelu", initializer=name, gain=gain), 4, 2, "mse", 7) for gain in (1.0, 2.0)
    )
    for key, values in plain.parameters.items():
        assert np.array_equal(doubled.parameters[key], values * 2.0 if key.endswith("weight") else values)


def test_zeros_and_constant() -> None:
    assert not draw("zeros").any()
    assert np.all(draw("constant") == 1.0)


def test_what_is_not_a_weight_starts_as_documented() -> None:
    plain = build(NetworkSpec(depth=2, activation="prelu"), 4, 2, "mse", 0).parameters
    assert not plain["layer01.bias"].any()
    assert plain["layer01.alpha"] == [0.25]
    normalised = build(NetworkSpec(depth=2, batch_norm=True), 4, 2, "mse", 0).parameters
    assert np.all(normalised["layer01.scale"] == 1.0)
    assert not normalised["layer01.shift"].any()
    assert "layer01.bias" not in normalised
    assert "layer03.bias" in normalised


def make(seed: int = 0, **fields: Any) -> Network:
    return build(NetworkSpec(**({"depth": 4, "width": 6} | fields)), 3, 1, "mse", seed)


def test_each_layer_has_a_stream_of_its_own() -> None:
    base, deeper, widened = make(), make(depth=6), make(widths=(6, 6, 9, 6))
    for layer in range(1, 5):
        name = f"layer{layer:02d}.weight"
        assert np.array_equal(base.parameters[name], deeper.parameters[name])
        if layer < 3:
            assert np.array_equal(base.parameters[name], widened.parameters[name])
    weights = [base.parameters[f"layer{layer:02d}.weight"] for layer in (2, 3, 4)]
    assert not np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], weights[2])


def test_seed_decides() -> None:
    assert np.array_equal(make(5).vector, make(5).vector)
    assert not np.array_equal(make(5).vector, make(6).vector)
