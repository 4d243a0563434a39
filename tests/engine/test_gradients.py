"""Every gradient against finite differences, in random directions, for everything a network can be composed of."""

import itertools
from typing import Any

import numpy as np
import pytest

from gradviz.activations import ACTIVATIONS
from gradviz.clipping import CLIPPINGS
from gradviz.network import build, skip_sources
from gradviz.spec import NetworkSpec
from tests.engine.nets import BATCH, DISTANCE, LOSS_NAMES, check_by_finite_differences, make_batch, make_network, make_trainer

SKIPS = (0, 1, 2)


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("skip_every", SKIPS)
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_matches_finite_differences(activation: str, batch_norm: bool, skip_every: int, loss: str) -> None:
    network = make_network(loss, activation=activation, batch_norm=batch_norm, skip_every=skip_every)
    check_by_finite_differences(network, *make_batch(loss))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_per_layer_widths_and_activations(batch_norm: bool) -> None:
    network = make_network(
        widths=(5, 3, 3, 3), activations=("tanh", "prelu", "gelu", "leaky_relu"), skip_every=1, batch_norm=batch_norm
    )
    assert network.parameters["layer02.weight"].shape == (5, 3)
    assert [name for name in network.parameters if name.endswith("alpha")] == ["layer02.alpha"]
    check_by_finite_differences(network, *make_batch("mse"))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_matches_finite_differences(name: str) -> None:
    activation = ACTIVATIONS[name]
    z = np.linspace(-8.0, 8.0, 1001) + 0.0033  # off the kinks
    measured = (activation.function(z + DISTANCE) - activation.function(z - DISTANCE)) / (2 * DISTANCE)
    np.testing.assert_allclose(activation.derivative(z), measured, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_of_a_huge_finite_input_is_finite(name: str, precision: Any) -> None:
    z = np.array([-1.0, 1.0], precision) * (1e30 if precision is np.float32 else 1e200)
    with np.errstate(all="ignore"):
        slopes = ACTIVATIONS[name].derivative(z)
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("skip_every", SKIPS)
def test_step_lets_no_gradient_below_the_output_layer(skip_every: int, batch_norm: bool) -> None:
    network = make_network(activation="step", skip_every=skip_every, batch_norm=batch_norm)
    _, gradients = network.loss_and_gradients(*make_batch("mse"))
    assert np.any(gradients["layer05.bias"] != 0)
    below = [gradient for name, gradient in gradients.items() if not name.startswith("layer05")]
    assert below
    assert all(np.all(gradient == 0.0) for gradient in below)


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_relu_at_exactly_zero_has_the_chosen_slope(slope: float) -> None:
    network = build(NetworkSpec(depth=1, width=1, activation="relu", relu_at_zero=slope), 1, 1, "mse", 0)
    network.parameters["layer02.weight"][:] = 3.0
    # ŷ = 0, so ∂L/∂ŷ = 2 (0 − 1) = −2; times w₂ = 3, times the slope at 0
    _, gradients = network.loss_and_gradients(np.zeros((4, 1)), np.ones(4))
    assert gradients["layer01.bias"] == pytest.approx(-6.0 * slope)


@pytest.mark.parametrize("clip", CLIPPINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_clipping_changes_only_what_it_should(activation: str, clip: str) -> None:
    for batch_norm, skip_every, loss in itertools.product((False, True), SKIPS, LOSS_NAMES):
        network = make_network(loss, activation=activation, batch_norm=batch_norm, skip_every=skip_every)
        inputs, targets = make_batch(loss)
        _, gradients = network.loss_and_gradients(inputs, targets)
        unclipped = np.concatenate([gradient.ravel() for gradient in gradients.values()])
        threshold = 0.4 * np.abs(unclipped).max() if clip == "value" else 0.4 * np.linalg.norm(unclipped)
        trainer = make_trainer(network, inputs, targets, batch_size=BATCH, clip=clip, clip_threshold=float(threshold))
        for phase in trainer.phases():
            if phase.kind == "clip":
                break
        raw, clipped = trainer.raw_gradient, trainer.run.gradient
        np.testing.assert_allclose(raw, unclipped, rtol=1e-9, atol=1e-14)
        assert trainer.total_norm == pytest.approx(np.linalg.norm(raw))
        assert trainer.clipped_norm == pytest.approx(np.linalg.norm(clipped))
        if clip == "none":
            assert np.array_equal(raw, clipped)
        elif clip == "value":
            assert np.array_equal(clipped, np.clip(raw, -threshold, threshold))
        elif clip == "norm":
            assert np.linalg.norm(clipped) == pytest.approx(threshold)
            assert np.dot(raw, clipped) == pytest.approx(np.linalg.norm(raw) * threshold)  # cosine 1
        else:
            for part in network.layer_slices:
                length = np.linalg.norm(raw[part])
                np.testing.assert_allclose(clipped[part], raw[part] * min(1.0, threshold / length) if length else 0.0, rtol=1e-12)


@pytest.mark.parametrize("clip", ["value", "norm", "layer_norm"])
def test_clipping_leaves_a_small_gradient_alone(clip: str) -> None:
    network = make_network()
    trainer = make_trainer(network, *make_batch("mse"), batch_size=BATCH, clip=clip, clip_threshold=1e6)
    trainer.step()
    assert np.array_equal(trainer.raw_gradient, trainer.run.gradient)
    assert trainer.clipped_norms is trainer.gradient_norms


@pytest.mark.parametrize(
    ("fields", "skips"),
    [
        ({"depth": 7, "skip_every": 2}, {3: 1, 5: 3, 7: 5}),
        ({"depth": 6, "skip_every": 2}, {3: 1, 5: 3}),  # the last block is incomplete
        ({"depth": 4, "skip_every": 1}, {2: 1, 3: 2, 4: 3}),
        ({"depth": 2, "skip_every": 2}, {}),
        ({"depth": 5, "skip_every": 0}, {}),
        ({"depth": 5, "skip_every": 2, "widths": (8, 8, 8, 4, 4)}, {3: 1}),
        ({"depth": 5, "skip_every": 2, "widths": (8, 4, 8, 8, 8)}, {5: 3}),
    ],
)
def test_where_skips_lie(fields: dict[str, Any], skips: dict[int, int]) -> None:
    assert skip_sources(NetworkSpec(**fields)) == skips


def test_skip_is_added_after_the_activation() -> None:
    network = make_network(depth=3, skip_every=2, activation="tanh")
    inputs, _ = make_batch("mse")

    def layer(number: int, values: Any) -> Any:
        return values @ network.parameters[f"layer{number:02d}.weight"] + network.parameters[f"layer{number:02d}.bias"]

    first = np.tanh(layer(1, inputs))
    third = first + np.tanh(layer(3, np.tanh(layer(2, first))))
    np.testing.assert_allclose(network.predict(inputs), layer(4, third), rtol=1e-12)


def test_loss_and_gradients_says_which_shape_is_wrong() -> None:
    network = make_network()
    with pytest.raises(ValueError, match=r"\(6, 2\).*\(batch, 3\)"):
        network.loss_and_gradients(np.zeros((6, 2)), np.zeros((6, 2)))
    with pytest.raises(ValueError, match="6 inputs, but 5 targets"):
        network.loss_and_gradients(np.zeros((6, 3)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match=r"\(6, 3\).*2 outputs"):
        network.loss_and_gradients(np.zeros((6, 3)), np.zeros((6, 3)))
