"""The memory that a run takes is bounded before any of it is taken, whatever its settings ask for."""

import tracemalloc

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, SpecError, TrainingSpec
from gradviz.network import Network
from gradviz.recurrent import RecurrentNetwork

MANY = DataSpec(samples=13_000)
LARGE_BATCH = TrainingSpec(batch_size=10_000)


@pytest.mark.parametrize(
    "spec",
    [
        Spec(NetworkSpec(depth=1000, width=141), MANY, LARGE_BATCH),
        Spec(NetworkSpec(depth=1000, width=100, batch_norm=True, skip_every=2), MANY, LARGE_BATCH),
        Spec(NetworkSpec(kind="lstm", width=64), DataSpec(name="adding", samples=13_000, lag=100), LARGE_BATCH),
    ],
)
def test_a_batch_that_no_memory_can_hold_is_refused_before_it_is_made(spec: Spec) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SpecError, match=r"training\.batch_size is 10000; allowed: at most [\d,]+ with this network") as caught:
            Experiment(spec)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000_000
    finally:
        tracemalloc.stop()
    assert "GB of memory" in str(caught.value)


def test_what_was_refused_leaves_the_run_as_it_was() -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=1000, width=20), DataSpec(samples=12_000), TrainingSpec(batch_size=4)))
    before = experiment.network.vector.copy()
    with pytest.raises(SpecError, match=r"training\.batch_size"):
        experiment.apply(experiment.spec.replace("training.batch_size", 9000))
    assert experiment.spec.training.batch_size == 4
    assert np.array_equal(experiment.network.vector, before)


@pytest.mark.parametrize(
    "network",
    [
        Network(NetworkSpec(depth=20, width=16), 2, 1, "mse"),
        Network(NetworkSpec(depth=20, width=16, skip_every=2, batch_norm=True, activation="prelu"), 2, 1, "mse"),
        RecurrentNetwork("rnn", 2, 16, 1, time=20),
        RecurrentNetwork("lstm", 2, 16, 1, time=20),
    ],
)
def test_what_a_batch_is_said_to_keep_is_what_it_takes(network: Network | RecurrentNetwork) -> None:
    batch = 4000
    tracemalloc.start()
    try:
        run = network.make_pass(batch)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert run.batch == batch
    assert network.numbers_kept() * batch * 8 == pytest.approx(taken, rel=0.1)


def test_predicting_keeps_no_layer_longer_than_it_is_needed() -> None:
    inputs = np.zeros((2000, 2))
    for skip in (0, 2):
        network = Network(NetworkSpec(depth=100, width=20, skip_every=skip), 2, 1, "mse")
        tracemalloc.start()
        try:
            network.predict(inputs)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 10 * 2000 * 20 * 8  # a few layers, not a hundred


def test_numbers_too_large_for_half_the_bits_become_infinite_without_a_warning() -> None:
    network = NetworkSpec(depth=1, width=2, activation="identity", set_values=("layer01.weight[0,0] = 1e300",))
    experiment = Experiment(Spec(network, DataSpec(samples=40), TrainingSpec(optimizer="momentum", learning_rate=1e-300)))
    experiment.step()
    experiment.apply(experiment.spec.replace("training.precision", "float32"))
    assert np.isinf(experiment.network.parameters["layer01.weight"][0, 0])
