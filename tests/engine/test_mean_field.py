"""Mean-field theory against what is measured at initialisation, over many draws of the weights."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.data import Data
from gradviz.experiment import Experiment
from gradviz.gaussian_means import means
from gradviz.initializers import INITIALIZERS
from gradviz.losses import loss_named
from gradviz.mean_field import mean_field
from gradviz.network import Pass, build
from gradviz.norms import norms
from gradviz.objective import output_count, resolve_loss
from gradviz.snapshot import Theory
from gradviz.spec import Spec
from gradviz.training import Batches

SEEDS = 40
INITIALIZATION = {"tanh": "xavier_normal", "relu": "he_normal", "sigmoid": "xavier_normal", "identity": "lecun_normal"}
# decades that the mean log10 of what is measured may lie from theory in any layer, for ∂L/∂z and ∂L/∂W; chance takes up to 0.1 of it
TOLERANCE = {
    ("tanh", False, 0): (0.10, 0.15),
    ("relu", False, 0): (0.12, 0.20),
    ("sigmoid", False, 0): (0.10, 0.35),  # with two balanced classes ∂L/∂W hangs on one number, the mean answer
    ("identity", False, 0): (0.20, 0.30),
    ("tanh", False, 2): (0.12, 0.20),
    ("relu", False, 2): (0.25, 0.30),
    ("sigmoid", False, 2): (0.10, 0.30),
    ("identity", False, 2): (0.20, 0.30),
    ("tanh", True, 0): (0.25, 0.30),
    ("relu", True, 0): (0.20, 0.25),
    ("sigmoid", True, 0): (0.25, 0.30),
    ("identity", True, 0): (0.90, 0.90),  # of two inputs linear layers make two numbers per unit, and 1/σ² has no mean
    ("tanh", True, 2): (0.25, 0.30),
    ("relu", True, 2): (0.20, 0.30),
    ("sigmoid", True, 2): (0.25, 0.30),
    ("identity", True, 2): (0.90, 0.90),
}


def make_spec(**fields: Any) -> Spec:
    spec = Spec()
    for name, value in fields.items():
        section = "training" if name in ("batch_size", "loss", "method") else "network"
        spec = spec.replace(f"{section}.{name}" if name != "data" else "data.name", value)
    return spec


def measured(spec: Spec, data: Data, seeds: int = SEEDS) -> tuple[NDArray[Any], NDArray[Any]]:
    """(seeds, layers) log10 of the RMS of ∂L/∂z and of ∂L/∂W on the first mini-batch, as `Details` has them."""
    loss = resolve_loss(spec.training.loss, data)
    outputs = output_count(loss, data)
    chosen = data.train[Batches(len(data.train), spec.training.batch_size, spec.training.seed).next()]
    targets = loss_named(loss).encode(data.targets[chosen], outputs)
    deltas, gradients = [], []
    for seed in range(seeds):
        network = build(spec.network, data.features, outputs, loss, 1000 + seed)
        run = Pass(network, len(chosen), update_running=False)
        run.inputs[:] = data.inputs[chosen].T
        run.forward()
        run.evaluate(targets)
        run.backward()
        deltas.append(norms([layer.deltas.ravel() for layer in run.layers]) / np.sqrt(network.widths))
        gradients.append(norms(run.weight_gradients) / np.sqrt(network.measured_counts))
    with np.errstate(divide="ignore"):
        return np.log10(deltas), np.log10(gradients)


def distances(spec: Spec) -> tuple[NDArray[Any], NDArray[Any], Theory]:
    """(layers,) decades from the mean of what is measured to theory, for ∂L/∂z and ∂L/∂W."""
    data = Experiment(spec).data
    theory = mean_field(spec, data)
    assert not theory.reason
    deltas, gradients = measured(spec, data)
    return np.log10(theory.delta_rms) - deltas.mean(axis=0), np.log10(theory.gradient_rms) - gradients.mean(axis=0), theory


@pytest.mark.parametrize(("width", "depth"), [(64, 20), (128, 10)])
@pytest.mark.parametrize(("case", "tolerance"), TOLERANCE.items())
def test_theory_foretells_the_first_step(case: tuple[str, bool, int], tolerance: tuple[float, float], width: int, depth: int) -> None:
    activation, batch_norm, skip = case
    fields = dict(activation=activation, initializer=INITIALIZATION[activation], batch_norm=batch_norm, skip_every=skip)
    deltas, gradients, _ = distances(make_spec(depth=depth, width=width, **fields))
    assert np.abs(deltas).max() < tolerance[0]
    assert np.abs(gradients).max() < tolerance[1]


@pytest.mark.parametrize("initializer", [name for name, rule in INITIALIZERS.items() if rule.variance is not None])
def test_every_random_initialisation_has_a_theory(initializer: str) -> None:
    deltas, gradients, _ = distances(make_spec(depth=10, width=64, activation="tanh", initializer=initializer))
    assert np.abs(deltas).max() < 0.2
    assert np.abs(gradients).max() < 0.3


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in ("step", *INITIALIZATION)])
def test_every_activation_has_a_theory(activation: str) -> None:
    deltas, gradients, _ = distances(make_spec(depth=8, width=96, activation=activation, initializer="he_normal"))
    assert np.abs(deltas).max() < 0.25
    assert np.abs(gradients).max() < 0.35


@pytest.mark.parametrize(
    "fields",
    [
        dict(widths=(96, 48, 24, 48, 96), depth=5),
        dict(activations=("relu", "tanh", "sigmoid", "gelu", "relu", "identity"), depth=6, width=64, initializer="he_normal"),
        dict(data="digits", depth=8, width=64),
        dict(data="sine", depth=8, width=64),
        dict(batch_size=1, depth=8, width=64),
        dict(batch_size=200, depth=8, width=64),
    ],
)
def test_other_shapes_data_and_batches(fields: dict[str, Any]) -> None:
    depth = fields.pop("depth")
    deltas, gradients, _ = distances(make_spec(depth=depth, activation="tanh", **{k: v for k, v in fields.items()}))
    assert np.abs(deltas).max() < 0.2
    assert np.abs(gradients).max() < 0.3


@pytest.mark.parametrize(("activation", "width"), [("relu", 64), ("relu", 16), ("tanh", 32)])
def test_the_scatter_of_narrow_nets_is_foretold(activation: str, width: int) -> None:
    spec = make_spec(depth=10, width=width, activation=activation, initializer=INITIALIZATION[activation])
    data = Experiment(spec).data
    theory, (deltas, _) = mean_field(spec, data), measured(spec, data, 60)
    share = deltas.std(axis=0)[:-1] / theory.delta_scatter[:-1]
    assert share.min() > 0.6
    assert share.max() < 1.8


def test_a_step_function_lets_nothing_through() -> None:
    spec = make_spec(depth=4, width=32, activation="step")
    theory = mean_field(spec, Experiment(spec).data)
    assert (theory.delta_rms[:-1] == 0).all()
    assert theory.delta_rms[-1] > 0
    assert (theory.gradient_rms[:-1] == 0).all()


def test_a_very_deep_net_neither_overflows_on_the_way_nor_fails() -> None:
    sunk = make_spec(depth=700, width=8, activation="sigmoid")
    assert (mean_field(sunk, Experiment(sunk).data).delta_rms[:100] == 0).all()
    risen = make_spec(depth=300, width=32, activation="relu", gain=1000.0)
    theory = mean_field(risen, Experiment(risen).data)
    assert "range of floating point" in theory.reason
    assert len(theory.delta_rms) == 0


@pytest.mark.parametrize("gain", [1e-6, 3.0, 1000.0])
@pytest.mark.parametrize("loss", ["mse", "auto"])
@pytest.mark.parametrize("data", ["one_example", "digits"])
@pytest.mark.parametrize("activation", ["relu", "elu", "sigmoid", "identity"])
def test_extreme_nets_have_finite_numbers_or_a_reason(activation: str, data: str, loss: str, gain: float) -> None:
    for batch_norm, batch in ((False, 400), (True, 33)):
        fields = dict(activation=activation, data=data, loss=loss, gain=gain, batch_norm=batch_norm, batch_size=batch)
        spec = make_spec(depth=30, width=7, skip_every=2 * (batch == 400), **fields)
        theory = mean_field(spec, Experiment(spec).data)
        found = np.array([theory.delta_rms, theory.gradient_rms, theory.delta_scatter, theory.gradient_scatter])
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        assert found.shape == (4, 0 if theory.reason else 31)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        (dict(initializer="zeros"), "random"),
        (dict(initializer="constant"), "random"),
        (dict(gain=0.0), "random"),
        (dict(method="evolution"), "genetic"),
        (dict(method="pretraining"), "level"),
        (dict(set_values=("layer01.weight[0,0] = 1",)), "by hand"),
        (dict(kind="rnn"), "share"),
    ],
)
def test_where_there_is_no_theory_it_says_why(fields: dict[str, Any], word: str) -> None:
    spec = make_spec(**fields)
    assert word in mean_field(spec, Experiment(spec).data).reason


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_means_over_gaussian_pairs(activation: str) -> None:
    """Against an average over drawn pairs, from nearly equal to opposite ones."""
    covariance = np.array([[2.0, 1.9, -0.4], [1.9, 1.9, -0.3], [-0.4, -0.3, 0.5]])
    entry = ACTIVATIONS[activation]
    z = np.linalg.cholesky(covariance) @ np.random.default_rng(0).standard_normal((3, 400_000))
    value, slope = entry.function(z), entry.derivative(z)
    found = means(activation, entry.parameter, covariance)
    np.testing.assert_allclose(found.values, value @ value.T / z.shape[1], atol=0.012)
    np.testing.assert_allclose(found.slopes, slope @ slope.T / z.shape[1], atol=0.012)
    np.testing.assert_allclose(found.mean, value.mean(axis=1), atol=0.006)


def test_a_snapshot_tells_theory_before_the_first_step_and_the_distance_after_it() -> None:
    experiment = Experiment(make_spec(depth=6, width=48, activation="tanh"))
    before = experiment.measure()
    assert before.theory is not None
    assert before.from_theory is not None
    assert np.isnan(before.from_theory[0]).all()
    experiment.advance()
    after = experiment.measure()
    assert after.theory is before.theory
    assert after.from_theory is not None
    for found, details, theory in zip(
        after.from_theory, ("delta_rms", "gradient_rms"), (after.theory.delta_rms, after.theory.gradient_rms), strict=True
    ):
        np.testing.assert_allclose(found, np.log10(getattr(after.details, details) / theory))
        assert np.abs(found).max() < 0.8


@pytest.mark.parametrize(
    ("fields", "unreliable"),
    [
        (dict(activation="identity", batch_norm=True), True),
        (dict(activation="identity", batch_norm=True, data="digits"), False),  # 64 inputs: 1/σ² has a mean
        (dict(activation="identity", batch_norm=True, data="digits", batch_size=3), True),  # three examples less their mean span two
        (dict(activation="identity"), False),
        (dict(activation="tanh", batch_norm=True), False),
        (dict(batch_norm=True, activations=("identity", *["tanh"] * 19)), False),
        (dict(batch_norm=True, activations=(*["identity"] * 19, "tanh")), True),
    ],
)
def test_theory_says_where_it_is_unreliable_and_is_good_elsewhere(fields: dict[str, Any], unreliable: bool) -> None:
    deltas, _, theory = distances(make_spec(depth=20, width=64, initializer="lecun_normal", **fields))
    assert bool(theory.caution) == unreliable
    if not unreliable:
        assert np.abs(deltas).max() < 0.25
