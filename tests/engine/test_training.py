"""The training step: its phases, its batches, what it measures, and what it does when numbers overflow."""

from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.clipping import norm
from gradviz.network import build
from gradviz.norms import norms
from gradviz.snapshot import Look
from gradviz.training import Batches
from tests.engine.nets import make_batch, make_network, make_trainer

SMALL = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(batch_size=16))


def make(**changes: Any) -> Spec:
    spec = SMALL
    for path, value in changes.items():
        spec = spec.replace(path.replace("__", "."), value)
    return spec


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_same_spec_gives_the_same_run_bit_for_bit(precision: str, optimizer: str) -> None:
    spec = make(training__precision=precision, training__optimizer=optimizer, network__batch_norm=True, network__activation="prelu")
    first, second = Experiment(spec), Experiment(spec)
    losses = [(first.step().loss, second.step().loss) for _ in range(40)]
    assert all(a == b for a, b in losses)
    assert np.array_equal(first.network.vector, second.network.vector)
    assert first.network.vector.dtype == precision
    assert all(np.array_equal(values, second.network.running[name]) for name, values in first.network.running.items())


def test_another_seed_gives_another_run() -> None:
    assert Experiment(make(training__seed=1)).step().loss != Experiment(make(training__seed=2)).step().loss


def test_float32_stays_float32() -> None:
    spec = make(training__precision="float32", training__optimizer="adam", training__clip="norm", network__batch_norm=True)
    experiment = Experiment(spec)
    experiment.step()
    trainer = experiment.trainer
    arrays = [experiment.network.vector, trainer.run.gradient, trainer.run.deltas, trainer.optimizer.change]
    arrays += [*trainer.optimizer.state.values(), *experiment.network.running.values(), trainer.run.outputs]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    _, gradients = experiment.network.loss_and_gradients(experiment.data.inputs, experiment.data.targets)
    assert gradients["layer01.weight"].dtype == np.float32


def test_phases_come_in_order_and_add_up_to_a_step() -> None:
    spec = make(training__clip="norm", training__clip_threshold=1e-3, training__optimizer="momentum", network__batch_norm=True)
    stepped, phased = Experiment(spec), Experiment(spec)
    for _ in range(5):
        stepped.step()
        phases = [(phase.kind, phase.layer) for phase in phased.phases()]
    layers = [1, 2, 3, 4]
    assert phases == [
        *(("forward", n) for n in layers),
        ("loss", 0),
        *(("backward", n) for n in reversed(layers)),
        ("clip", 0),
        ("update", 0),
    ]
    assert phased.step_count == 5
    assert np.array_equal(stepped.network.vector, phased.network.vector)
    assert np.array_equal(stepped.history.table().loss, phased.history.table().loss)


def test_each_phase_is_done_when_it_is_named() -> None:
    network = make_network()
    inputs, targets = make_batch("mse")
    trainer = make_trainer(network, inputs, targets, batch_size=6)
    before = network.vector.copy()
    loss, gradients = network.loss_and_gradients(inputs[np.argsort(inputs[:, 0])], targets[np.argsort(inputs[:, 0])])
    for phase in trainer.phases():
        if phase.kind == "loss":
            assert trainer.loss == pytest.approx(loss)
        if phase.kind == "backward":
            name = f"layer{phase.layer:02d}.weight"
            np.testing.assert_allclose(trainer.run.gradients[name], gradients[name], rtol=1e-9, atol=1e-12)
        assert np.array_equal(network.vector, before) == (phase.kind != "update")
    np.testing.assert_allclose(network.vector, before - 0.1 * trainer.run.gradient)


def test_only_training_moves_the_running_statistics() -> None:
    experiment = Experiment(make(network__batch_norm=True))
    running = {name: values.copy() for name, values in experiment.network.running.items()}
    vector = experiment.network.vector.copy()
    inputs, targets = experiment.data.inputs, experiment.data.targets
    experiment.network.loss_and_gradients(inputs, targets)
    experiment.network.predict(inputs)
    experiment.measure()
    assert all(np.array_equal(values, running[name]) for name, values in experiment.network.running.items())
    assert np.array_equal(experiment.network.vector, vector)
    experiment.step()
    assert not any(np.array_equal(values, running[name]) for name, values in experiment.network.running.items())


def test_loss_and_gradients_returns_arrays_of_its_own() -> None:
    network = make_network()
    _, first = network.loss_and_gradients(*make_batch("mse"))
    kept = {name: values.copy() for name, values in first.items()}
    network.loss_and_gradients(*make_batch("mse", seed=1))
    assert list(first) == list(network.parameters)
    assert all(np.array_equal(values, kept[name]) for name, values in first.items())
    assert all(values.shape == network.parameters[name].shape for name, values in first.items())


def test_parameters_are_writable_views_that_count() -> None:
    experiment = Experiment(SMALL)
    for values in experiment.network.parameters.values():
        values[:] = 0.0
    assert experiment.step().loss == pytest.approx(np.log(2))  # logit 0: every answer is ½


def test_snapshot_of_a_step() -> None:
    experiment = Experiment(SMALL)
    start = experiment.measure()
    assert start.step == 0
    assert np.isnan(start.loss)
    assert np.isnan(start.gradient_norms).all()
    assert start.details is None
    before = experiment.network.vector.copy()
    snapshot = experiment.step()
    chosen = experiment.data.train[experiment.trainer.chosen]
    experiment.network.vector[:] = before
    loss, gradients = experiment.network.loss_and_gradients(experiment.data.inputs[chosen], experiment.data.targets[chosen])
    assert snapshot.step == 1
    assert snapshot.loss == pytest.approx(loss)
    weights = [f"layer{n:02d}.weight" for n in (1, 2, 3, 4)]
    np.testing.assert_allclose(snapshot.gradient_norms, [np.linalg.norm(gradients[name]) for name in weights])
    assert snapshot.total_norm == pytest.approx(np.sqrt(sum(np.linalg.norm(g) ** 2 for g in gradients.values())))
    assert snapshot.clipped_norms is snapshot.gradient_norms
    assert snapshot.spec is experiment.spec
    assert (snapshot.learning_rate, snapshot.loss_name) == (0.1, "binary_cross_entropy")
    assert not snapshot.diverged
    assert not snapshot.clipped


@pytest.mark.parametrize("steps", [0, 1])
def test_arrays_of_a_snapshot_are_read_only(steps: int) -> None:
    experiment = Experiment(SMALL)
    for _ in range(steps):
        experiment.step()
    snapshot = experiment.measure(Look(edge=(1, 0, 0)))
    parts: list[Any] = [snapshot, snapshot.history, snapshot.inspection] + ([snapshot.details] if steps else [])
    arrays = [getattr(part, name) for part in parts for name in part.__struct_fields__]
    arrays = [array for array in arrays if isinstance(array, np.ndarray)]
    assert len(arrays) >= 12
    assert not any(array.flags.writeable for array in arrays)


def test_a_snapshot_does_not_change_afterwards() -> None:
    experiment = Experiment(SMALL)
    snapshot = experiment.step()
    norms_then, deltas_then = snapshot.gradient_norms.copy(), snapshot.delta_norms.copy()
    experiment.step()
    assert np.array_equal(snapshot.gradient_norms, norms_then)
    assert np.array_equal(snapshot.delta_norms, deltas_then)


def test_delta_norms_are_those_of_the_pre_activations() -> None:
    # for a linear layer ∂L/∂b is the sum of ∂L/∂z over the batch: with a batch of one they are the same vector
    network = make_network()
    inputs, targets = make_batch("mse", 1)
    trainer = make_trainer(network, inputs, targets, batch_size=1)
    _, gradients = network.loss_and_gradients(inputs, targets)
    trainer.step()
    np.testing.assert_allclose(trainer.delta_norms, [np.linalg.norm(gradients[f"layer{n:02d}.bias"]) for n in range(1, 6)])


@pytest.mark.parametrize(("examples", "size"), [(20, 5), (23, 5), (7, 7), (4, 32), (5, 1)])
def test_every_epoch_is_a_new_permutation(examples: int, size: int) -> None:
    batches, size_used = Batches(examples, size, seed=3), min(examples, size)
    epochs = [np.concatenate([batches.next() for _ in range(examples // size_used)]) for _ in range(3)]
    for epoch in epochs:
        assert len(set(epoch.tolist())) == len(epoch) == examples // size_used * size_used
        assert epoch.max() < examples
    assert not np.array_equal(epochs[0], epochs[1])
    if examples % size_used == 0:
        assert sorted(epochs[2].tolist()) == list(range(examples))


EXPLODING = Spec(
    NetworkSpec(depth=10, width=8, activation="relu", initializer="he_normal", gain=8.0),
    DataSpec(samples=60),
    TrainingSpec(learning_rate=10.0, loss="mse", batch_size=16),
)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("clip", ["none", "norm", "value", "layer_norm"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_an_exploding_run_neither_raises_nor_warns(precision: str, optimizer: str, clip: str, batch_norm: bool) -> None:
    spec = EXPLODING
    changes = {"training.precision": precision, "training.optimizer": optimizer, "training.clip": clip, "network.batch_norm": batch_norm}
    for path, value in changes.items():
        spec = spec.replace(path, value)
    experiment = Experiment(spec)
    failures = [experiment.step().failure for _ in range(30)]
    experiment.measure(Look(edge=(1, 0, 0)))
    for _ in experiment.phases():
        pass
    found = [failure for failure in failures if failure is not None]
    assert all(failure == found[0] for failure in found)
    if clip == "none" and not batch_norm and optimizer == "sgd":
        assert found


def test_the_first_failure_is_recorded_once_where_and_when_it_appeared() -> None:
    experiment = Experiment(EXPLODING)
    snapshots = [experiment.step() for _ in range(30)]
    first = next(snapshot for snapshot in snapshots if snapshot.diverged)
    assert first.failure is not None
    assert first.failure.step == first.step
    assert first.failure.phase in ("forward", "loss", "backward")
    assert first.failure.layer_name == ("Out" if first.failure.layer == 11 else f"L{first.failure.layer}")
    later = snapshots[first.step :]
    assert later
    assert all(snapshot.failure is first.failure for snapshot in later)
    assert [snapshot.step for snapshot in snapshots] == list(range(1, 31))
    before = experiment.history.table()
    assert np.isfinite(before.loss[: first.step - 1]).all()


@pytest.mark.parametrize("layer", [1, 3, 5])
def test_failure_names_the_layer_whose_numbers_overflow_first(layer: int) -> None:
    network = make_network(activation="identity")
    network.parameters[f"layer{layer:02d}.weight"][0, 0] = np.nan
    trainer = make_trainer(network, *make_batch("mse"), batch_size=6)
    trainer.step()
    assert trainer.failure is not None
    assert (trainer.failure.step, trainer.failure.layer, trainer.failure.phase) == (1, layer, "forward")


def test_failure_in_the_loss_and_on_the_way_back() -> None:
    network = make_network("mse", depth=3, activation="identity")
    network.parameters["layer04.weight"][:] = 1e180
    trainer = make_trainer(network, *make_batch("mse"), batch_size=6)
    trainer.step()
    assert trainer.failure is not None
    assert (trainer.failure.layer, trainer.failure.phase) == (4, "loss")  # finite outputs, but their squares are not

    network = make_network("binary_cross_entropy", depth=3, activation="identity")
    network.vector[:] = 0.0
    for name in ("layer02.weight", "layer03.weight", "layer04.weight"):
        network.parameters[name][:] = 1e120  # the outputs are 0 as the first weights are, the gradient passes all three
    trainer = make_trainer(network, *make_batch("binary_cross_entropy"), batch_size=6)
    trainer.step()
    assert trainer.failure is not None
    assert (trainer.failure.layer, trainer.failure.phase) == (1, "backward")


@pytest.mark.parametrize("size", [1e200, 1e160, 1.0, 1e-170, 1e-300])
def test_norms_hold_where_their_squares_do_not(size: float) -> None:
    part = np.array([3.0, -4.0]) * size
    with np.errstate(all="ignore"):
        assert norm(part) == pytest.approx(5 * size, rel=1e-12)
        np.testing.assert_allclose(norms([part, np.ones(4), np.zeros(3)]), [5 * size, 2.0, 0.0], rtol=1e-12)


@pytest.mark.parametrize("size", [1e30, 1.0, 1e-21, 1e-22, 1e-30])
def test_float32_norms_hold_too(size: float) -> None:
    part = (np.array([3.0, -4.0]) * size).astype(np.float32)
    with np.errstate(all="ignore"):
        assert norm(part) == pytest.approx(5 * size, rel=1e-5)
        np.testing.assert_allclose(norms([part, np.ones(4, np.float32)]), [5 * size, 2.0], rtol=1e-5)


def test_norms_of_non_finite_parts() -> None:
    with np.errstate(all="ignore"):
        found = norms([np.array([1.0, np.inf]), np.array([np.nan, 1.0]), np.array([3.0, 4.0])])
    assert found[0] == np.inf
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(5.0)


@pytest.mark.parametrize(("weight", "between"), [(1e60, (1e154, 1e308)), (1e-60, (1e-308, 1e-160))])
def test_extreme_gradients_are_neither_infinite_nor_zero(weight: float, between: tuple[float, float]) -> None:
    network = build(NetworkSpec(depth=3, width=2, activation="identity"), 1, 1, "binary_cross_entropy", 0)
    network.vector[:] = 0.0
    for n in (2, 3, 4):
        network.parameters[f"layer{n:02d}.weight"][:] = weight
    trainer = make_trainer(network, np.ones((4, 1)), np.ones(4), batch_size=4, learning_rate=0.0)
    trainer.step()
    assert between[0] < trainer.gradient_norms[0] < between[1]
    assert between[0] < trainer.delta_norms[0] < between[1]
    assert trainer.failure is None


def test_importing_the_engine_gives_the_public_names() -> None:
    assert {"Spec", "NetworkSpec", "DataSpec", "TrainingSpec", "Experiment", "Snapshot", "SpecError"} <= set(gradviz.__all__)
