"""Recurrent nets in an experiment: what the window gets of them, back in time, and what the lecture says of a long lag."""

from typing import Any

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.data import DataError
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.snapshot import Look
from gradviz.spec import SpecError
from tests.engine.test_recurrent import EVERYTHING, TOLERANCE, Peer, assert_close, make_sequences

KINDS = ("rnn", "lstm")
TIME, HIDDEN, BATCH = 9, 5, 8
BARE = Look(prediction=False)


def make(kind: str = "rnn", **changes: Any) -> Experiment:
    """A small recall task: a lag of 8, so 9 time steps and the read-out."""
    spec = Spec(
        NetworkSpec(kind=kind, width=HIDDEN),
        DataSpec(name="recall", samples=60, lag=TIME - 1),
        TrainingSpec(batch_size=BATCH, optimizer="adam", learning_rate=0.01, seed=3),
    )
    for path, value in changes.items():
        spec = spec.replace(path.replace("__", "."), value)
    return Experiment(spec)


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_step_takes_the_place_of_a_layer(kind: str) -> None:
    experiment = make(kind)
    phases = [(phase.kind, phase.layer) for phase in experiment.phases()]
    stages = range(1, TIME + 2)
    assert phases == [
        *(("forward", stage) for stage in stages),
        ("loss", 0),
        *(("backward", stage) for stage in reversed(stages)),
        ("clip", 0),
        ("update", 0),
    ]
    snapshot = experiment.measure(BARE)
    cell = experiment.trainer.run.cell  # type: ignore[union-attr]
    lengths = [np.linalg.norm(cell.state_gradients[t]) for t in range(TIME)]
    np.testing.assert_allclose(snapshot.gradient_norms[:-1], lengths, rtol=1e-12)
    np.testing.assert_allclose(snapshot.gradient_norms[-1], np.linalg.norm(experiment.trainer.run.gradients["out.weight"]), rtol=1e-12)
    np.testing.assert_allclose(snapshot.delta_norms[:-1], [np.linalg.norm(cell.deltas[t]) for t in range(TIME)], rtol=1e-12)
    assert [layer.name for layer in snapshot.architecture.layers] == [*(f"t{t}" for t in range(1, TIME + 1)), "Out"]
    assert snapshot.history is not None
    np.testing.assert_allclose(snapshot.history.gradient_rms[-1, :-1], np.array(lengths) / np.sqrt(HIDDEN), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_time_steps_add_makes_the_whole_gradient(kind: str) -> None:
    experiment = make(kind)
    experiment.advance()
    details = experiment.measure(BARE).details
    assert details is not None
    architecture, gradients = experiment.architecture, experiment.trainer.run.gradients
    if kind == "rnn":
        added = [details.edge_gradients[architecture.edge_slice(t)] for t in range(2, TIME + 1)]
        np.testing.assert_allclose(np.sum(added, axis=0), gradients["cell.recurrent_weight"].ravel(), rtol=1e-9, atol=1e-15)
        shared = experiment.network.parameters["cell.recurrent_weight"].ravel()
        np.testing.assert_array_equal(details.edge_weights[architecture.edge_slice(4)], shared)
        assert details.gates is None
    else:
        assert details.gates is not None
        assert details.gates.shape == (TIME, 4)
        assert ((details.gates[:, :3] > 0) & (details.gates[:, :3] < 1)).all()
        assert architecture.skips == tuple((t, t + 1) for t in range(1, TIME))
        cell = experiment.trainer.run.cell  # type: ignore[union-attr]
        forget = cell.gate_values[1:, 2]
        carried = [np.linalg.norm(cell.memory_gradients[t + 1] * forget[t]) / np.sqrt(HIDDEN) for t in range(TIME - 1)]
        np.testing.assert_allclose(details.skip_gradients, carried, rtol=1e-12)
    out = details.edge_gradients[architecture.edge_slice(TIME + 1)]
    np.testing.assert_array_equal(out, gradients["out.weight"].ravel())
    with np.errstate(all="raise"):
        wide = make(kind, network__width=20)
        wide.advance()
        pooled = wide.measure(BARE).details
    assert pooled is not None
    assert np.isfinite(pooled.edge_gradients).all()


@pytest.mark.parametrize("kind", KINDS)
def test_one_example_of_the_mini_batch(kind: str) -> None:
    experiment = make(kind)
    experiment.advance()
    chosen = experiment.trainer.chosen
    alone = [experiment.measure(Look(prediction=False, example=place)) for place in range(BATCH)]
    mean = np.mean([snapshot.details.edge_gradients for snapshot in alone], axis=0)  # type: ignore[union-attr]
    whole = experiment.measure(BARE).details
    assert whole is not None
    assert len(set(chosen.tolist())) == BATCH
    if kind == "rnn":  # of several gates only the length over them is shown, and lengths do not add
        np.testing.assert_allclose(mean, whole.edge_gradients, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_back_in_time_is_bit_identical(kind: str) -> None:
    experiment = make(kind)
    vectors, losses = [], []
    for _ in range(60):
        experiment.advance()
        vectors.append(experiment.network.vector.copy())
        losses.append(experiment.trainer.loss)
    rng = np.random.default_rng(0)
    for step in rng.integers(1, 61, 40):
        phases = int(rng.integers(0, 2 * TIME))
        experiment.go_to(int(step))
        assert experiment.trainer.loss == losses[step - 1]
        np.testing.assert_array_equal(experiment.network.vector, vectors[step - 1])
        experiment.go_to(int(step) - 1, phases)
        assert experiment.moment is None or experiment.moment.done == phases


def test_settings_change_in_the_middle_of_a_run() -> None:
    experiment = make("lstm")
    for _ in range(5):
        experiment.advance()
    vector = experiment.network.vector.copy()
    assert not experiment.apply(experiment.spec.replace("training.truncate", 3).replace("training.clip", "norm"))
    np.testing.assert_array_equal(experiment.network.vector, vector)
    snapshot = experiment.measure(BARE)
    assert not snapshot.gradient_norms[: TIME - 3].any()  # exactly 0: the gradient was not sent there
    assert snapshot.gradient_norms[TIME - 3 :].all()
    assert snapshot.details is not None
    assert not snapshot.details.skip_gradients[: TIME - 3].any()
    experiment.advance()
    assert experiment.apply(experiment.spec.replace("network.spectral_radius", 0.5))  # begins anew
    assert experiment.step_count == 0


def test_own_sequences_as_arrays() -> None:
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((30, 6, 2)), rng.integers(0, 3, 30)
    spec = Spec(NetworkSpec(kind="lstm", width=4), training=TrainingSpec(batch_size=30))
    experiment = Experiment(spec, inputs=inputs, targets=targets)
    snapshot = experiment.step()
    assert snapshot.gradient_norms.shape == (7,)
    loss, gradients = Experiment(spec, inputs=inputs, targets=targets).network.loss_and_gradients(inputs, targets)
    assert snapshot.loss == pytest.approx(loss, rel=1e-12)  # one batch of all, in another order
    for name, gradient in gradients.items():
        np.testing.assert_allclose(experiment.trainer.run.gradients[name], gradient, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("truncate", [0, 1, 3])
@pytest.mark.parametrize(("kind", "activation", "loss"), EVERYTHING)
def test_gradients_of_a_spec_are_those_of_pytorch(kind: str, activation: str, loss: str, truncate: int) -> None:
    inputs, targets = make_sequences(loss)
    network = NetworkSpec(kind=kind, width=4, activation=activation, spectral_radius=1.3, forget_bias=0.5)
    training = TrainingSpec(loss=loss, truncate=truncate, batch_size=len(inputs), learning_rate=0.0)
    experiment = Experiment(Spec(network, training=training), inputs=inputs, targets=targets)
    found, gradients = experiment.network.loss_and_gradients(inputs, targets)  # truncated as the spec says
    peer = Peer(experiment.network)
    expected = peer.loss(inputs, targets, truncate or None)
    expected.backward()
    assert found == pytest.approx(float(expected.detach()), rel=TOLERANCE)
    experiment.advance()
    for name, gradient in gradients.items():
        assert_close(gradient, peer.parameters[name].grad.numpy())
        assert_close(experiment.trainer.run.gradients[name], gradient)  # and those of a step of training, in another order


def test_a_single_time_step() -> None:
    for kind in KINDS:
        experiment = Experiment(Spec(NetworkSpec(kind=kind)), inputs=np.ones((4, 1, 2)), targets=np.arange(4.0))
        experiment.step()
        for view in ("", "activation", "clipping", "hardware", "jacobian"):
            experiment.measure(Look(lab=view, chain=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_prediction_is_the_forward_pass_with_less_memory(kind: str) -> None:
    network = make(kind).network
    assert isinstance(network, RecurrentNetwork)
    inputs = np.random.default_rng(0).standard_normal((7, 20, network.inputs))
    run = RecurrentPass(network, *inputs.shape[:2])
    run.load(inputs)
    run.forward()
    np.testing.assert_array_equal(network.predict(inputs), run.outputs.T)


def test_a_mini_batch_that_no_memory_holds_is_refused() -> None:
    with pytest.raises(SpecError, match=r"training\.batch_size is 32; allowed: at most 7 "):
        make("lstm", network__width=1024, data__lag=1000, training__batch_size=32)


def test_a_gradient_that_is_zero_everywhere_can_be_taken_apart() -> None:
    experiment = make("rnn", network__set_values=tuple(f"out.weight[{unit},{answer}] = 0" for unit in range(HIDDEN) for answer in range(4)))
    experiment.advance()
    chain = experiment.measure(Look(chain=True, picked=("layer", 2, 0, 0))).chain
    assert chain is not None
    assert chain.time is not None
    assert chain.time.log10_carried == -np.inf


def test_a_net_and_data_that_do_not_fit_together() -> None:
    with pytest.raises(SpecError, match=r"network\.kind is 'mlp'; allowed: rnn or lstm"):
        Experiment(Spec(data=DataSpec(name="recall")))
    with pytest.raises(SpecError, match=r"network\.kind is 'rnn'; allowed: mlp"):
        Experiment(Spec(NetworkSpec(kind="rnn")))
    with pytest.raises(DataError):
        Experiment(Spec(NetworkSpec(kind="rnn")), inputs=np.zeros((3, 4, 5, 6)), targets=np.zeros(3))
    with pytest.raises(SpecError, match=r"network\.activation is 'gelu'"):
        NetworkSpec(kind="rnn", activation="gelu")
    assert NetworkSpec(kind="rnn").activation == "tanh"
    # where one of the two is changed, the other goes with it
    assert Spec().replace("network.kind", "lstm").data.name == "recall"
    assert Spec().replace("data.name", "adding").network.kind == "rnn"
    assert Spec().replace("data.name", "adding").replace("data.name", "wine").network.kind == "mlp"
    assert Spec().replace("network.activation", "gelu").replace("network.kind", "rnn").network.activation == "tanh"


def test_the_first_number_that_is_not_finite_is_named_by_its_time_step() -> None:
    experiment = make("rnn", network__activation="identity", network__set_values=("cell.recurrent_weight[0,0] = 1e200",))
    experiment.advance()
    failure = experiment.trainer.failure
    assert failure is not None
    assert (failure.layer_name, failure.phase) == ("t3", "forward")  # 1e200 · h in t2, and again in t3
    experiment.measure()


@pytest.mark.parametrize("radius", [0.9, 1.0])
def test_the_gradient_of_a_plain_rnn_dies_where_an_lstm_solves_the_task(radius: float) -> None:
    """LECTURE B6: the same task with a lag of 100, the same seed, one change."""
    data = DataSpec(name="recall", samples=1000, lag=100)
    training = TrainingSpec(optimizer="adam", learning_rate=0.003, clip="norm", batch_size=32, seed=1)
    plain, lstm = (
        Experiment(Spec(NetworkSpec(kind=kind, width=16, spectral_radius=radius, forget_bias=4.0), data, training)) for kind in KINDS
    )
    first = plain.step()
    assert first.gradient_norms[0] < (1e-6 if radius == 0.9 else 1e-3) * first.gradient_norms[-2]
    for _ in range(300):
        plain.advance()
        lstm.advance()
    told = [experiment.measure().prediction for experiment in (plain, lstm)]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0].accuracy is not None
    assert told[1].accuracy is not None
    assert told[0].accuracy < 0.4  # of four symbols; guessing is right once in four
    assert told[1].accuracy > 0.95
