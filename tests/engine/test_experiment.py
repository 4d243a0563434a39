"""One experiment in one hand: what a change continues and what it restarts, and what is measured."""

from typing import Any

import numpy as np
import pytest

from gradviz import DataError, DataSpec, Experiment, NetworkSpec, Spec, SpecError, TrainingSpec
from gradviz.measure import block_starts
from gradviz.objective import guessing_loss
from gradviz.snapshot import Look

SMALL = Spec(
    NetworkSpec(depth=3, width=4, activation="tanh", batch_norm=True),
    DataSpec(samples=60),
    TrainingSpec(batch_size=16, optimizer="momentum"),
)


def run(spec: Spec = SMALL, steps: int = 5) -> Experiment:
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.step()
    return experiment


def state(experiment: Experiment) -> dict[str, Any]:
    return {name: values.copy() for name, values in (experiment.network.parameters | experiment.network.running).items()}


CONTINUES = [
    ("network.activation", "relu"),
    ("network.activations", ("relu", "elu", "gelu")),
    ("network.skip_every", 1),
    ("network.relu_at_zero", 0.5),
    ("training.clip", "norm"),
    ("training.clip_threshold", 0.1),
    ("training.learning_rate", 0.5),
    ("training.momentum", 0.5),
    ("training.weight_decay", 0.01),
    ("training.batch_size", 8),
    ("training.optimizer", "adam"),
    ("training.loss", "mse"),
    ("training.precision", "float64"),
    ("training.stop_after", 50),
    ("data.noise", 0.3),
    ("data.samples", 100),
    ("data.test_fraction", 0.5),
    ("data.name", "circles"),
]
RESTARTS = [
    ("network.depth", 4),
    ("network.width", 5),
    ("network.widths", (4, 4, 5)),
    ("network.initializer", "he_normal"),
    ("network.gain", 2.0),
    ("network.batch_norm", False),
    ("training.seed", 1),
    ("training.loss", "cross_entropy"),  # two outputs instead of one
    ("data.name", "sine"),  # one input instead of two
]


@pytest.mark.parametrize(("path", "value"), CONTINUES, ids=lambda value: str(value))
def test_a_change_that_keeps_the_shapes_continues_the_run(path: str, value: object) -> None:
    experiment = run(SMALL if value != "float64" else SMALL.replace("training.precision", "float32"))
    before, spec, losses = state(experiment), experiment.spec.replace(path, value), experiment.history.table().loss
    assert not experiment.restarts(spec)
    assert experiment.apply(spec) is False
    after = state(experiment)
    assert list(after) == list(before)
    assert all(np.array_equal(after[name], values) for name, values in before.items())
    assert experiment.step_count == 5
    assert experiment.spec == spec
    assert experiment.measure().spec == spec
    assert np.array_equal(experiment.data.inputs, Experiment(spec).data.inputs)
    assert np.array_equal(experiment.history.table().loss, losses)
    ((step, text),) = experiment.history.table().changes
    assert step == 5
    assert "→" in text
    assert experiment.step().step == 6


@pytest.mark.parametrize(("path", "value"), RESTARTS, ids=lambda value: str(value))
def test_a_change_that_does_not_restarts_from_the_seed(path: str, value: object) -> None:
    experiment, spec = run(), SMALL.replace(path, value)
    assert experiment.restarts(spec)
    assert experiment.apply(spec) is True
    assert experiment.step_count == 0
    assert len(experiment.history.table().steps) == 0
    assert np.array_equal(experiment.network.vector, Experiment(spec).network.vector)
    assert experiment.step().loss == Experiment(spec).step().loss


def test_lower_precision_rounds_the_weights_and_goes_on() -> None:
    experiment = run()
    before = state(experiment)
    experiment.apply(SMALL.replace("training.precision", "float32"))
    after = state(experiment)
    assert all(np.array_equal(after[name], values.astype(np.float32)) for name, values in before.items())
    assert experiment.step().step == 6


def test_a_change_there_and_back_is_the_same_run() -> None:
    changed, untouched = run(), run()
    changed.apply(SMALL.replace("training.learning_rate", 0.7))
    changed.apply(SMALL.replace("network.activation", "relu"))
    changed.apply(SMALL)
    for _ in range(5):
        assert changed.step().loss == untouched.step().loss
    assert np.array_equal(changed.network.vector, untouched.network.vector)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_the_optimizer_keeps_its_memory(optimizer: str) -> None:
    experiment = run(SMALL.replace("training.optimizer", optimizer))
    old = experiment.trainer.optimizer
    kept = {name: values.copy() for name, values in old.state.items()}
    experiment.apply(experiment.spec.replace("network.activation", "relu"))
    new = experiment.trainer.optimizer
    assert new is not old
    assert new.steps == 5
    assert kept
    assert all(np.array_equal(new.state[name], values) for name, values in kept.items())


def test_a_learnt_slope_comes_and_goes_with_its_activation() -> None:
    experiment = run(SMALL.replace("training.optimizer", "adam"))
    weights = state(experiment)
    memory = experiment.trainer.optimizer.state["square"][experiment.network.slices["layer03.weight"]].copy()
    experiment.apply(experiment.spec.replace("network.activation", "prelu"))
    assert experiment.network.parameters["layer01.alpha"] == [0.25]
    assert all(np.array_equal(experiment.network.parameters.get(name, values), values) for name, values in weights.items())
    moved = experiment.trainer.optimizer.state["square"][experiment.network.slices["layer03.weight"]]
    assert np.array_equal(moved, memory)
    experiment.step()
    assert experiment.network.parameters["layer01.alpha"] != [0.25]
    experiment.apply(experiment.spec.replace("network.activation", "tanh"))
    assert "layer01.alpha" not in experiment.network.parameters
    assert experiment.step().step == 7


def test_a_change_shows_before_the_next_step_and_measuring_it_changes_nothing() -> None:
    experiment = run()
    snapshot = experiment.measure()
    experiment.apply(SMALL.replace("network.activation", "sigmoid"))
    shown = experiment.measure()
    assert not np.array_equal(shown.delta_norms, snapshot.delta_norms)
    assert shown.details is not None
    assert snapshot.details is not None
    assert np.array_equal(shown.details.edge_updates, snapshot.details.edge_updates)  # what the last step did, it did


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("data.name", "csv", DataError),  # no path is given
        ("network.widths", (1024,) * 3, None),
    ],
)
def test_a_change_that_cannot_be_made_leaves_everything_as_it_was(path: str, value: object, error: Any) -> None:
    experiment = run()
    trainer, network, vector = experiment.trainer, experiment.network, experiment.network.vector.copy()
    if error is None:  # a net that is too large
        spec = Spec(NetworkSpec(depth=1000, width=1024), SMALL.data, SMALL.training)
        error = SpecError
    else:
        spec = SMALL.replace(path, value)
    with pytest.raises(error):
        experiment.apply(spec)
    assert (experiment.trainer, experiment.network, experiment.spec) == (trainer, network, SMALL)
    assert np.array_equal(experiment.network.vector, vector)
    assert experiment.step().step == 6


def test_a_loss_that_does_not_fit_is_told_and_changes_nothing() -> None:
    spec = Spec(NetworkSpec(depth=2), DataSpec(name="sine", samples=60))
    experiment = run(spec)
    for name in ("cross_entropy", "binary_cross_entropy"):
        with pytest.raises(SpecError, match=f"training.loss is '{name}'"):
            experiment.apply(spec.replace("training.loss", name))
    assert experiment.spec == spec
    assert experiment.step().step == 6


def test_restart_begins_with_the_same_weights() -> None:
    experiment = run()
    losses = experiment.history.table().loss
    experiment.restart()
    assert experiment.step_count == 0
    assert np.array_equal(experiment.network.vector, Experiment(SMALL).network.vector)
    assert [experiment.step().loss for _ in range(5)] == losses.tolist()


def test_arrays_of_ones_own_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    inputs, targets = 100 + 5 * rng.standard_normal((40, 3)), rng.integers(0, 3, 40)
    spec = Spec(NetworkSpec(depth=2), training=TrainingSpec(batch_size=40))
    experiment = Experiment(spec, inputs=inputs, targets=targets)
    assert np.array_equal(experiment.data.inputs, inputs)
    assert (len(experiment.data.train), len(experiment.data.test)) == (40, 0)
    expected, _ = experiment.network.loss_and_gradients(inputs, targets)
    snapshot = experiment.step()
    assert snapshot.loss == pytest.approx(expected)
    assert (snapshot.loss_name, snapshot.test_loss, experiment.network.outputs) == ("cross_entropy", None, 3)
    experiment.apply(spec.replace("training.seed", 3))  # also a restart keeps them
    assert np.array_equal(experiment.data.inputs, inputs)


@pytest.mark.parametrize("targets", [np.linspace(0.5, 2.0, 20), np.linspace(0.5, 2.0, 40).reshape(20, 2)])
def test_numbers_as_targets_make_a_regression(targets: Any) -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=2)), inputs=np.ones((20, 2)), targets=targets)
    assert experiment.step().loss_name == "mse"
    assert experiment.network.outputs == (1 if targets.ndim == 1 else 2)


def test_huge_inputs_of_ones_own_do_not_warn() -> None:
    spec = Spec(NetworkSpec(depth=2, activation="relu"), training=TrainingSpec(precision="float32"))
    experiment = Experiment(spec, inputs=np.full((20, 2), 1e300), targets=np.linspace(0.1, 1e300, 20))
    assert experiment.step().diverged
    loss, _ = experiment.network.loss_and_gradients(experiment.data.inputs, experiment.data.targets)
    assert not np.isfinite(loss)
    assert not np.isfinite(experiment.network.predict(experiment.data.inputs)).any()


def test_guessing_loss() -> None:
    assert guessing_loss("cross_entropy", np.array([0, 0, 0, 2])) == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert guessing_loss("binary_cross_entropy", np.array([[0.0, 1.0]])) == pytest.approx(np.log(2))
    assert guessing_loss("binary_cross_entropy", np.array([[1.0, 1.0]])) == 0.0
    assert guessing_loss("mse", np.array([[1.0, 3.0], [0.0, 4.0]])) == pytest.approx((1 + 4) / 2)


SIZES = [(1, 1, {}), (1000, 2, {}), (2, 1024, {}), (3, 20, {"skip_every": 1}), (4, 5, {"skip_every": 2, "batch_norm": True})]


@pytest.mark.parametrize(("depth", "width", "more"), SIZES)
def test_details_have_the_shapes_that_are_promised(depth: int, width: int, more: dict[str, Any]) -> None:
    spec = Spec(NetworkSpec(depth=depth, width=width, **more), DataSpec(samples=40), TrainingSpec(batch_size=8))
    experiment = run(spec, 2)
    snapshot = experiment.measure(Look(edge=(1, 0, 0)))
    details, architecture = snapshot.details, snapshot.architecture
    assert details is not None
    assert snapshot.history is not None
    layers, units = depth + 1, depth * width + 1
    edges = architecture.edge_slice(layers).stop
    assert len(architecture.layers) == layers
    assert architecture.parameter_count == experiment.network.vector.size
    assert architecture.unit_slice(layers) == slice(units - 1, units)
    assert details.gates is None
    for name in details.__struct_fields__[:-1]:
        expected = {"unit_deltas": units, "skip_gradients": len(architecture.skips)}.get(name, edges if name.startswith("edge") else layers)
        array = getattr(details, name)
        assert (array.shape, array.dtype) == ((expected,), np.dtype(float)), name
        if name in ("edge_weights", "edge_updates"):  # only the gradients of pooled layers are pooled
            single = [array[architecture.edge_slice(n)] for n, info in enumerate(architecture.layers, 1) if not info.pooled]
            array = np.concatenate(single or [np.empty(0)])
        assert np.isfinite(array).all(), name
    assert snapshot.history.gradient_rms.shape == (2, layers)


def test_details_by_hand() -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=3, width=5, activation="relu", skip_every=2), DataSpec(samples=60)))
    before = experiment.network.vector.copy()
    experiment.step()
    after, chosen = experiment.network.vector.copy(), experiment.data.train[experiment.trainer.chosen]
    details = experiment.measure().details
    assert details is not None
    experiment.network.vector[:] = before
    inputs, targets = experiment.data.inputs[chosen], experiment.data.targets[chosen]
    _, gradients = experiment.network.loss_and_gradients(inputs, targets)
    p = experiment.network.parameters
    z = inputs @ p["layer01.weight"] + p["layer01.bias"]
    layer = 1
    assert details.activation_means[0] == pytest.approx(np.maximum(z, 0).mean())
    assert details.activation_stds[0] == pytest.approx(np.maximum(z, 0).std())
    assert details.mean_slopes[0] == pytest.approx((z > 0).mean())
    assert details.dead_fractions[0] == pytest.approx((~(z > 0).any(axis=0)).mean())
    for layer in (1, 2, 3, 4):
        gradient, name = gradients[f"layer{layer:02d}.weight"], f"layer{layer:02d}.weight"
        assert details.gradient_rms[layer - 1] == pytest.approx(np.sqrt(np.square(gradient).mean()))
        assert details.bias_gradient_norms[layer - 1] == pytest.approx(np.linalg.norm(gradients[f"layer{layer:02d}.bias"]))
        assert details.weight_norms[layer - 1] == pytest.approx(np.linalg.norm(after[experiment.network.slices[name]]))
        change = (after - before)[experiment.network.slices[name]]
        assert details.update_norms[layer - 1] == pytest.approx(np.linalg.norm(change))
    deltas = experiment.trainer.run.deltas
    np.testing.assert_allclose(details.unit_deltas, np.linalg.norm(deltas, axis=1))
    # the skip from layer 1 to layer 3 carries ∂L/∂h₃ unchanged, and that is the output's δ through its weights
    carried = p["layer04.weight"] @ deltas[-1:]
    np.testing.assert_allclose(details.skip_gradients, [np.linalg.norm(carried) / np.sqrt(5)])


def test_edges_of_small_layers_are_single_weights() -> None:
    experiment = run(SMALL.replace("training.clip", "value").replace("training.clip_threshold", 1e-3), 1)
    trainer, details, architecture = experiment.trainer, experiment.measure().details, experiment.architecture
    assert details is not None
    for number, info in enumerate(architecture.layers, 1):
        assert not info.pooled
        part = experiment.network.slices[f"layer{number:02d}.weight"]
        edges = architecture.edge_slice(number)
        assert np.array_equal(details.edge_gradients[edges], trainer.raw_gradient[part])  # before clipping
        assert np.array_equal(details.edge_weights[edges], experiment.network.vector[part])
        assert np.array_equal(details.edge_updates[edges], trainer.optimizer.change[part])
    assert details.clipped_rms.max() <= 1e-3 < details.gradient_rms.max()


@pytest.mark.parametrize("size", [1.0, 1e200, 1e-200])
def test_edges_of_tall_layers_are_the_rms_of_blocks(size: float) -> None:
    experiment = run(Spec(NetworkSpec(widths=(20, 3, 37), depth=3), DataSpec(samples=60)), 1)
    experiment.trainer.raw_gradient[:] *= size
    details, architecture = experiment.measure().details, experiment.architecture
    assert details is not None
    shapes = [(info.pooled, info.edge_rows, info.edge_columns) for info in architecture.layers]
    assert shapes == [(True, 2, 8), (True, 8, 3), (True, 3, 8), (True, 8, 1)]
    for number, info in enumerate(architecture.layers, 1):
        gradient = experiment.trainer.raw_gradient[experiment.network.slices[f"layer{number:02d}.weight"]] / size
        gradient = gradient.reshape(info.fan_in, info.units)
        shown = details.edge_gradients[architecture.edge_slice(number)].reshape(info.edge_rows, info.edge_columns) / size
        for row, column in np.ndindex(shown.shape):
            inspection = experiment.inspect(number, row, column)
            block = gradient[slice(*inspection.rows), slice(*inspection.columns)]
            np.testing.assert_allclose(inspection.gradients / size, block)
            assert inspection.weights.shape == block.shape
            assert shown[row, column] == pytest.approx(np.sqrt(np.square(block).mean()))
        assert sum(np.diff(np.append(block_starts(info.units, info.edge_columns), info.units))) == info.units


def test_before_the_first_step_gradients_are_unknown_and_not_zero() -> None:
    inspection = Experiment(SMALL).inspect(1, 0, 0)
    assert np.isnan(inspection.gradients).all()
    assert np.isfinite(inspection.weights).all()


@pytest.mark.parametrize("edge", [(0, 0, 0), (5, 0, 0), (1, 2, 0), (1, 0, 4), (1, -1, 0)])
def test_an_edge_that_does_not_exist(edge: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        run(SMALL, 1).inspect(*edge)


def test_measuring_a_diverged_run_shows_what_is_not_finite() -> None:
    network = NetworkSpec(depth=4, width=20, activation="relu", gain=1000.0)
    details = run(Spec(network, DataSpec(samples=40), TrainingSpec(loss="mse", learning_rate=1000.0)), 20).measure().details
    assert details is not None
    assert not np.isfinite(details.edge_weights).any()


@pytest.mark.parametrize(
    ("path", "value"),
    [("learning_rate", 0.7), ("momentum", 0.3), ("weight_decay", 0.1), ("stop_after", 9), ("clip_threshold", 0.01)],
)
def test_settings_of_the_update_leave_the_measured_step_as_it_is(path: str, value: float) -> None:
    experiment = run(SMALL.replace("training.clip", "norm"))
    shown = experiment.measure()
    experiment.apply(experiment.spec.replace(f"training.{path}", value))
    again = experiment.measure()
    assert again.loss == shown.loss == experiment.history.table().loss[-1]
    assert np.array_equal(again.gradient_norms, shown.gradient_norms)
    assert again.total_norm == shown.total_norm
    if path == "clip_threshold":
        assert again.clipped_norm == pytest.approx(0.01)


def test_a_large_run_is_the_same_beside_a_small_one() -> None:
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((256, 64)), rng.integers(0, 10, 256)
    spec = Spec(NetworkSpec(depth=10, width=256, activation="relu"), training=TrainingSpec(batch_size=256))
    alone, beside = Experiment(spec, inputs, targets), Experiment(spec, inputs, targets)
    for _ in range(3):
        alone.step()
    Experiment(SMALL)  # sets the number of BLAS threads, and with it the rounding, of the whole process
    for _ in range(3):
        for _ in beside.phases():
            pass
    assert np.array_equal(alone.network.vector, beside.network.vector)


def test_a_setting_that_was_only_tried_does_not_end_the_run() -> None:
    experiment = run(SMALL.replace("network.batch_norm", False))
    spec = experiment.spec
    experiment.network.vector *= 1e150  # tanh holds that, the identity does not
    experiment.step()
    experiment.apply(spec.replace("network.activation", "identity"))
    assert not np.isfinite(experiment.measure().total_norm)
    experiment.apply(spec)
    assert experiment.step().failure is None
    experiment.apply(spec.replace("network.activation", "identity"))
    failure = experiment.step().failure
    assert failure is not None
    assert failure.step == 8
