"""Layer-wise pre-training: one level at a time, without labels, and a deep sigmoid net that trains after it and not before."""

from typing import Any

import numpy as np
import pytest

from gradviz import NetworkSpec, SpecError, TrainingSpec
from gradviz.activations import ACTIVATIONS
from gradviz.data import Data, load
from gradviz.losses import loss_named
from gradviz.network import Network, build, parameter_name
from gradviz.pretraining import Pretraining
from gradviz.threads import use_threads
from gradviz.training import Trainer
from tests.engine.nets import make_batch

FINE_TUNING_STEPS = 600
CHANCE = 0.2  # the largest class has a tenth of the digits


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    use_threads(1)  # as the experiment does for nets of this size


def deep_sigmoid(seed: int) -> Network:
    return build(NetworkSpec(depth=10, width=32, activation="sigmoid"), 64, 10, "cross_entropy", seed)


def small(**changes: Any) -> Network:
    fields: dict[str, Any] = {"depth": 3, "width": 5, "activation": "tanh", **changes}
    return build(NetworkSpec(**fields), 3, 2, "mse", 0)


def digits(seed: int) -> Data:
    return load("digits", samples=0, noise=0.0, test_fraction=0.2, seed=seed)


def fine_tuned(network: Network, data: Data, seed: int) -> float:
    """The share of the test set that is right after the same training end to end."""
    targets = loss_named("cross_entropy").encode(data.targets[data.train], 10)
    spec = TrainingSpec(optimizer="sgd", learning_rate=0.5, batch_size=32, seed=seed)
    trainer = Trainer(network, spec, np.ascontiguousarray(data.inputs[data.train].T), targets)
    for _ in range(FINE_TUNING_STEPS):
        trainer.step()
    answers = network.predict(data.inputs[data.test]).argmax(axis=1)
    return float((answers == data.targets[data.test]).mean())


@pytest.mark.parametrize("seed", range(5))
def test_ten_sigmoid_layers_learn_the_digits_only_after_pretraining(seed: int) -> None:
    data = digits(seed)
    assert fine_tuned(deep_sigmoid(seed), data, seed) < CHANCE
    network = deep_sigmoid(seed)
    pretraining = Pretraining(network, data.inputs[data.train], 0.005, 64, seed, steps_per_level=200)
    errors = [step.error for step in pretraining.phases()]
    assert len(errors) == 10 * 200
    assert all(errors[last] < 0.5 * errors[first] for first, last in zip(range(0, 2000, 200), range(199, 2000, 200), strict=True))
    assert fine_tuned(network, data, seed) >= 0.85


def test_one_level_after_the_other() -> None:
    network = small()
    before = {name: values.copy() for name, values in network.parameters.items()}
    pretraining = Pretraining(network, make_batch("mse", batch=20)[0], 0.01, 8, 0, steps_per_level=4)
    steps = []
    for step in pretraining.phases():
        steps.append((step.level, step.step))
        assert (pretraining.level, pretraining.step_of_level) == steps[-1]
        assert pretraining.done == (len(steps) == 12)
        changed = {name for name, values in network.parameters.items() if not np.array_equal(values, before[name])}
        assert changed == {parameter_name(level, kind) for level in range(1, step.level + 1) for kind in ("weight", "bias")}
        if step.step == 4:
            finished = parameter_name(step.level, "weight")
            kept = network.parameters[finished].copy()
        if step.level == 3:
            learnt = pretraining.trainer.network.parameters["layer01.weight"]
            assert np.array_equal(network.parameters["layer03.weight"], learnt)
    assert steps == [(level, step) for level in (1, 2, 3) for step in (1, 2, 3, 4)]
    assert finished == "layer03.weight"
    np.testing.assert_array_equal(network.parameters[finished], kept)
    assert list(pretraining.phases()) == []
    with pytest.raises(RuntimeError, match="every level"):
        pretraining.step()


def test_a_level_reads_what_the_network_gives_below_it() -> None:
    network = small(depth=2)
    inputs = make_batch("mse", batch=30)[0]
    pretraining = Pretraining(network, inputs, 0.01, 30, 0, steps_per_level=3)
    for _ in range(4):  # the last step is the first of level 2
        pretraining.step()
    hidden = np.tanh(inputs @ network.parameters["layer01.weight"] + network.parameters["layer01.bias"])
    chosen = pretraining.trainer.chosen
    np.testing.assert_allclose(pretraining.trainer.run.inputs.T, hidden[chosen], rtol=1e-12)
    standardised = (hidden - hidden.mean(axis=0)) / hidden.std(axis=0)
    np.testing.assert_allclose(pretraining.trainer.batch_targets.T, standardised[chosen], rtol=1e-9)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_the_same_seed_gives_the_same_weights_and_a_walk_may_be_interrupted(precision: type[np.floating[Any]]) -> None:
    inputs = make_batch("mse", batch=20)[0]
    vectors = []
    for pause in (True, False):
        network = Network(NetworkSpec(depth=3, width=5, activation="sigmoid"), 3, 2, "mse", precision)
        network.initialize(0)
        pretraining = Pretraining(network, inputs, 0.01, 8, 3, steps_per_level=5)
        if pause:
            next(pretraining.phases())
        assert sum(1 for _ in pretraining.phases()) == 15 - pause
        vectors.append(network.vector)
    assert np.array_equal(vectors[0], vectors[1])
    assert vectors[0].dtype == precision
    other = build(NetworkSpec(depth=3, width=5, activation="sigmoid"), 3, 2, "mse", 0)
    for _ in Pretraining(other, inputs, 0.01, 8, 4, steps_per_level=5).phases():
        pass
    assert not np.array_equal(other.vector, vectors[0])


def test_the_reconstruction_comes_back_in_the_units_of_the_input() -> None:
    rng = np.random.default_rng(0)
    inputs = 3.0 + 2.0 * rng.standard_normal((200, 2)) @ rng.standard_normal((2, 3))  # a plane: two units suffice
    pretraining = Pretraining(small(depth=1, width=4), inputs, 0.01, 50, 0, steps_per_level=1000)
    first = np.mean((pretraining.reconstruction(inputs) - inputs) ** 2)
    for _ in pretraining.phases():
        pass
    last = np.mean((pretraining.reconstruction(inputs) - inputs) ** 2)
    assert last < 0.1 * inputs.var(axis=0).mean() < first
    one = pretraining.reconstruction(inputs[7])
    assert one.shape == (3,)
    np.testing.assert_allclose(one, pretraining.reconstruction(inputs)[7])


def test_a_reconstruction_through_every_level_of_the_digits() -> None:
    data = digits(0)
    pretraining = Pretraining(deep_sigmoid(0), data.inputs[data.train], seed=0, steps_per_level=200)
    shown = data.inputs[data.test[:100]]
    errors = {}
    for step in pretraining.phases():
        if step.step == 200:
            errors[step.level] = float(np.mean((pretraining.reconstruction(shown) - shown) ** 2))
    assert errors[1] < errors[10] < 0.9 * float(np.mean(shown**2))  # each level loses something, the last knows more than the mean


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_can_be_pretrained(activation: str) -> None:
    network = small(activation=activation)
    pretraining = Pretraining(network, make_batch("mse", batch=20)[0], 0.01, 20, 0, steps_per_level=30)
    errors = [step.error for step in pretraining.phases()]
    assert np.isfinite(errors).all()
    assert errors[29] < errors[0]


def test_an_input_that_never_changes_is_no_trouble() -> None:
    inputs = make_batch("mse", batch=20)[0]
    inputs[:, 1] = 0.1
    pretraining = Pretraining(small(), inputs, steps_per_level=3)
    assert all(np.isfinite(step.error) for step in pretraining.phases())
    assert np.isfinite(pretraining.reconstruction(inputs)).all()


def test_what_cannot_be_pretrained_is_said() -> None:
    inputs = make_batch("mse", batch=20)[0]
    with pytest.raises(SpecError, match="batch_norm"):
        Pretraining(small(batch_norm=True), inputs)
    with pytest.raises(SpecError, match="skip_every"):
        Pretraining(small(skip_every=2), inputs)
    with pytest.raises(SpecError, match="steps_per_level"):
        Pretraining(small(), inputs, steps_per_level=0)
    with pytest.raises(SpecError, match="batch_size"):
        Pretraining(small(), inputs, batch_size=0)
    with pytest.raises(ValueError, match="reads"):
        Pretraining(small(), inputs[:, :2])


def test_it_is_what_was_learnt_and_not_how_large_the_weights_have_become() -> None:
    data = digits(0)
    network = deep_sigmoid(0)
    for _ in Pretraining(network, data.inputs[data.train], 0.005, 64, 0, steps_per_level=200).phases():
        pass
    rng = np.random.default_rng(0)
    for layer in range(1, 11):
        weights = network.parameters[parameter_name(layer, "weight")]
        weights[:] = rng.permutation(weights.ravel()).reshape(weights.shape)
    assert fine_tuned(network, data, 0) < CHANCE
