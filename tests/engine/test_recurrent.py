"""Recurrent nets: gradients against finite differences and PyTorch, truncation, what the spectral radius does, and recall."""

import itertools
from typing import Any

import numpy as np
import pytest

from gradviz.clipping import CLIPPINGS
from gradviz.fields import SpecError
from gradviz.losses import loss_named
from gradviz.norms import row_norms
from gradviz.optimizers import OPTIMIZERS
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.recurrent_cells import CELLS, LSTMCell
from gradviz.sequences import recall
from gradviz.spec import RECURRENT_ACTIVATIONS
from tests.engine.nets import LOSS_NAMES, check_by_finite_differences, make_batch

BATCH, TIME, INPUTS, HIDDEN, OUTPUTS = 6, 7, 3, 4, 2
TOLERANCE = 1e-9
EVERYTHING = list(itertools.product(CELLS, RECURRENT_ACTIVATIONS, LOSS_NAMES))


def make_network(kind: str, activation: str = "tanh", loss: str = "mse", **fields: Any) -> RecurrentNetwork:
    """A small network whose parameters are all shaken: zero biases would put dead ReLU inputs on their kink."""
    network = RecurrentNetwork(kind, INPUTS, HIDDEN, OUTPUTS, activation, loss, **fields)
    network.vector += 0.2 * np.random.default_rng(99).standard_normal(network.vector.size)
    return network


def make_sequences(loss: str = "mse", time: int = TIME) -> tuple[Any, Any]:
    return np.random.default_rng(98).standard_normal((BATCH, time, INPUTS)), make_batch(loss, BATCH)[1]


def run_once(network: RecurrentNetwork, inputs: Any, targets: Any, truncate: int | None = None) -> RecurrentPass:
    run = RecurrentPass(network, inputs.shape[0], inputs.shape[1])
    run.load(inputs)
    run.forward()
    run.evaluate(loss_named(network.loss).encode(targets, network.outputs))
    run.backward(truncate)
    return run


def assert_close(ours: Any, theirs: Any) -> None:
    assert np.linalg.norm(ours - theirs) <= TOLERANCE * np.linalg.norm(theirs)


@pytest.mark.parametrize(("kind", "activation", "loss"), EVERYTHING)
def test_gradient_matches_finite_differences(kind: str, activation: str, loss: str) -> None:
    network = make_network(kind, activation, loss)
    inputs, targets = make_sequences(loss)
    check_by_finite_differences(network, inputs, targets)


class Peer:
    """The same network over copies of its parameters, written with PyTorch; keeps every state, so that its gradient can be asked for."""

    def __init__(self, network: RecurrentNetwork) -> None:
        self.torch = pytest.importorskip("torch")
        self.network = network
        self.parameters = {name: self.torch.tensor(values, requires_grad=True) for name, values in network.parameters.items()}
        self.states: list[Any] = []
        self.memories: list[Any] = []

    def loss(self, inputs: Any, targets: Any, truncate: int | None = None) -> Any:
        torch, own = self.torch, self.parameters
        activate = {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda z: z}[self.network.activation]
        state = memory = torch.zeros(len(inputs), self.network.hidden, dtype=torch.float64)
        for t, values in enumerate(torch.tensor(inputs).unbind(1)):
            if truncate is not None and t == inputs.shape[1] - truncate:
                state, memory = state.detach(), memory.detach()
            sums = values @ own["cell.input_weight"] + own["cell.bias"] + state @ own["cell.recurrent_weight"]
            if self.network.kind == "lstm":
                o, i, f, g = sums.chunk(4, dim=1)
                memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * activate(g)
                state = torch.sigmoid(o) * activate(memory)
                self.memories.append(memory)
            else:
                state = activate(sums)
            self.states.append(state)
        for kept in (*self.states, *self.memories):
            kept.retain_grad()
        outputs, wanted, functional = state @ own["out.weight"] + own["out.bias"], torch.tensor(targets), torch.nn.functional
        return {
            "mse": functional.mse_loss,
            "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
            "cross_entropy": functional.cross_entropy,
        }[self.network.loss](outputs, wanted)

    def gradients(self, kept: list[Any]) -> Any:
        """(time, units, batch)"""
        return np.array([np.zeros((HIDDEN, BATCH)) if value.grad is None else value.grad.numpy().T for value in kept])


@pytest.mark.parametrize("truncate", [None, 1, 3])
@pytest.mark.parametrize(("kind", "activation", "loss"), EVERYTHING)
def test_loss_and_every_gradient_as_in_pytorch(kind: str, activation: str, loss: str, truncate: int | None) -> None:
    network = make_network(kind, activation, loss)
    inputs, targets = make_sequences(loss)
    found, gradients = network.loss_and_gradients(inputs, targets, truncate)
    peer = Peer(network)
    expected = peer.loss(inputs, targets, truncate)
    expected.backward()
    assert found == pytest.approx(float(expected.detach()), rel=TOLERANCE)
    for name, gradient in gradients.items():
        assert_close(gradient, peer.parameters[name].grad.numpy())
    cell = run_once(network, inputs, targets, truncate).cell
    reached = slice(0 if truncate is None else TIME - truncate, None)  # autograd knows of nothing before it
    assert_close(cell.state_gradients[reached], peer.gradients(peer.states)[reached])
    if isinstance(cell, LSTMCell):
        assert_close(cell.memory_gradients[reached], peer.gradients(peer.memories)[reached])


@pytest.mark.parametrize("kind", CELLS)
def test_the_same_numbers_as_the_modules_of_pytorch(kind: str) -> None:
    torch = pytest.importorskip("torch")
    network = make_network(kind)
    inputs, _ = make_sequences()
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}[kind](INPUTS, HIDDEN, batch_first=True).double()
    order = [network.gates.index(gate) for gate in (("input", "forget", "candidate", "output") if kind == "lstm" else network.gates)]
    columns = np.concatenate([np.arange(HIDDEN) + HIDDEN * block for block in order])
    with torch.no_grad():
        module.weight_ih_l0[:] = torch.tensor(network.parameters["cell.input_weight"].T[columns])
        module.weight_hh_l0[:] = torch.tensor(network.parameters["cell.recurrent_weight"].T[columns])
        module.bias_ih_l0[:] = torch.tensor(network.parameters["cell.bias"][columns])
        module.bias_hh_l0[:] = 0.0
        states = module(torch.tensor(inputs))[0].numpy()
    run = RecurrentPass(network, BATCH, TIME)
    run.load(inputs)
    run.forward()
    np.testing.assert_allclose(run.cell.states, states.transpose(1, 2, 0), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(network.predict(inputs), run.outputs.T)


def test_truncated_gradient_of_a_chain_by_hand() -> None:
    # One unit, identity, h_t = w h_{t−1} + v x_t, ŷ = h_3 with x = 1: h_1 = v, h_2 = v (1 + w), h_3 = v (1 + w + w²)
    network = RecurrentNetwork("rnn", 1, 1, 1, "identity")
    network.vector[:] = (2.0, 0.0, 0.5, 0.0, 1.0)  # v, bias, w, output bias, output weight
    inputs, targets = np.ones((1, 3, 1)), np.zeros(1)
    error = 2.0 * (2.0 * 1.75)  # ∂L/∂ŷ = 2 (ŷ − 0)
    for truncate, by_w, by_v in ((1, 3.0, 1.0), (2, 3.0 + 0.5 * 2.0, 1.5), (3, 4.0, 1.75), (9, 4.0, 1.75), (None, 4.0, 1.75)):
        _, gradients = network.loss_and_gradients(inputs, targets, truncate)
        assert gradients["cell.recurrent_weight"].item() == pytest.approx(error * by_w)
        assert gradients["cell.input_weight"].item() == pytest.approx(error * by_v)
    assert run_once(network, inputs, targets, 2).state_gradient_norms() == pytest.approx([0.0, 0.5 * error, error])
    with pytest.raises(SpecError, match="truncate is 0"):
        network.loss_and_gradients(inputs, targets, 0)


@pytest.mark.parametrize("kind", CELLS)
def test_truncation_takes_the_time_steps_it_reaches_and_no_others(kind: str) -> None:
    network = make_network(kind)
    inputs, targets = make_sequences()
    whole, cut = run_once(network, inputs, targets), run_once(network, inputs, targets, 3)
    before, after = slice(None, TIME - 3), slice(TIME - 3, None)
    for ours, all_of_it in ((cut.state_gradient_norms(), whole.state_gradient_norms()), (cut.delta_norms(), whole.delta_norms())):
        np.testing.assert_array_equal(ours[after], all_of_it[after])
        assert not ours[before].any()
    # ∂L/∂W is the sum of what the time steps add, each on its own
    fed = np.concatenate([inputs.transpose(1, 2, 0), np.ones((TIME, 1, BATCH)), np.zeros((TIME, HIDDEN, BATCH))], axis=1)
    fed[1:, INPUTS + 1 :] = whole.cell.states[:-1]
    shares = [x @ delta.T for x, delta in zip(fed, whole.cell.deltas, strict=True)]
    np.testing.assert_allclose(network.cell_matrix(whole.gradient), sum(shares), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(network.cell_matrix(cut.gradient), sum(shares[after]), rtol=1e-10, atol=1e-14)
    alone = [np.linalg.norm(share[INPUTS + 1 :]) for share in shares]
    np.testing.assert_allclose(whole.contribution_norms(), alone, rtol=1e-12)
    assert not cut.contribution_norms()[before].any()


@pytest.mark.parametrize("truncate", [None, 3])
@pytest.mark.parametrize("kind", CELLS)
def test_stage_by_stage_gives_the_same_bits(kind: str, truncate: int | None) -> None:
    network = make_network(kind)
    inputs, targets = make_sequences()
    whole = run_once(network, inputs, targets, truncate)
    network.truncate = truncate
    walked = RecurrentPass(network, BATCH, TIME)
    for _ in range(2):  # the second time over what the first one left
        walked.load(inputs)
        for stage in walked.forward_stages:
            stage()
        walked.evaluate(loss_named("mse").encode(targets, OUTPUTS))
        for stage in reversed(walked.backward_stages):
            stage()
    assert np.array_equal(walked.gradient, whole.gradient)
    assert np.array_equal(walked.cell.state_gradients, whole.cell.state_gradients)


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_the_spectral_radius_is_the_factor_per_time_step(radius: float) -> None:
    network = RecurrentNetwork("rnn", 2, 16, 1, "identity", spectral_radius=radius)
    assert network.radii() == pytest.approx([radius])
    run = run_once(network, np.random.default_rng(0).random((8, 60, 2)), np.zeros(8))
    lengths = run.state_gradient_norms()
    np.testing.assert_allclose(lengths[:-1] / lengths[1:], radius, rtol=1e-12)  # a scaled orthogonal matrix: exactly


def test_saturation_makes_the_factor_smaller_than_the_radius() -> None:
    # |f′| ≤ 1: with tanh the radius is a bound, and a radius above 1 need not explode
    network = RecurrentNetwork("rnn", 2, 16, 1, "tanh", spectral_radius=1.3)
    lengths = run_once(network, np.random.default_rng(0).random((8, 60, 2)), np.zeros(8)).state_gradient_norms()
    assert (lengths[:-1] < 1.3 * lengths[1:]).all()


def test_the_highway_carries_what_the_forget_gate_lets_through() -> None:
    network = RecurrentNetwork("lstm", 2, 8, 1, forget_bias=30.0)
    network.parameters["cell.recurrent_weight"][:] = 0.0  # the cell path alone
    run = run_once(network, np.random.default_rng(0).random((4, 100, 2)), np.zeros(4))
    lengths = run.memory_gradient_norms()
    assert lengths is not None
    assert lengths[0] == pytest.approx(lengths[-1])
    assert run.state_gradient_norms()[:-1].max() == 0.0
    network.parameters["cell.bias"][16:24] = 0.0  # f about 1/2
    network.parameters["cell.input_weight"][:, 16:24] = 0.0
    lengths = run_once(network, np.random.default_rng(0).random((4, 100, 2)), np.zeros(4)).memory_gradient_norms()
    assert lengths is not None
    np.testing.assert_allclose(lengths[:-1] / lengths[1:], 0.5, rtol=1e-12)


def train_on_recall(kind: str, steps: int, **fields: Any) -> tuple[float, Any]:
    """Adam, gradient clipped to norm 1, lag 100: the accuracy on unseen sequences, and ‖∂L/∂h_t‖ (time,) of the first step."""
    data, test = recall(1000, lag=100), recall(1000, lag=100, seed=7)
    network = RecurrentNetwork(kind, data.inputs.shape[2], 16, data.classes, loss="cross_entropy", **fields)
    run, optimizer = RecurrentPass(network, 32, 101), OPTIMIZERS["adam"](network.vector.size, network.dtype)
    sequences, rng = data.inputs.transpose(1, 2, 0), np.random.default_rng(1)
    lengths: Any = None
    for _ in range(steps):
        chosen = rng.integers(0, len(data.inputs), run.batch)
        run.fetch(sequences, chosen)
        run.forward()
        run.evaluate(data.targets[chosen])
        run.backward()
        lengths = run.state_gradient_norms() if lengths is None else lengths
        CLIPPINGS["norm"].apply(run.gradient, network.layer_slices, 1.0)
        optimizer.step(network.vector, run.gradient, 0.003, 0.0)
    return float((network.predict(test.inputs).argmax(axis=1) == test.targets).mean()), lengths


def test_after_a_lag_of_100_the_gradient_of_the_rnn_is_dead_and_the_lstm_recalls() -> None:
    right, lengths = train_on_recall("lstm", 400, forget_bias=4.0)
    assert right >= 0.99
    assert lengths[0] > 1e-3 * lengths[-1]
    # guessing is right once in four times; from an orthogonal matrix the RNN finds out one bit at best
    for radius, most, most_right in ((None, 1e-5, 0.6), (0.9, 1e-8, 0.35)):
        right, lengths = train_on_recall("rnn", 400, spectral_radius=radius)
        assert right < most_right
        assert lengths[0] < most * lengths[-1]
        assert (lengths > 0.0).all()


def test_fetch_takes_what_load_takes() -> None:
    network = make_network("rnn")
    inputs, _ = make_sequences()
    one, other = RecurrentPass(network, 2, TIME), RecurrentPass(network, 2, TIME)
    one.load(inputs[[4, 1]])
    other.fetch(inputs.transpose(1, 2, 0), np.array([4, 1]))
    assert np.array_equal(one.inputs, other.inputs)


def test_same_seed_same_bits() -> None:
    for kind in CELLS:
        one, other, third = (RecurrentNetwork(kind, 3, 4, 2, seed=seed) for seed in (1, 1, 2))
        assert np.array_equal(one.vector, other.vector)
        assert not np.array_equal(one.vector, third.vector)


def test_first_weights_and_names() -> None:
    network = RecurrentNetwork("lstm", 3, 4, 2, forget_bias=2.5)
    shapes = {name: values.shape for name, values in network.parameters.items()}
    assert shapes == {
        "cell.input_weight": (3, 16),
        "cell.bias": (16,),
        "cell.recurrent_weight": (4, 16),
        "out.bias": (2,),
        "out.weight": (4, 2),
    }
    assert network.parameters["cell.bias"].reshape(4, 4).tolist() == [[2.5 if gate == "forget" else 0.0] * 4 for gate in network.gates]
    for block in np.split(network.parameters["cell.recurrent_weight"], 4, axis=1):
        np.testing.assert_allclose(block @ block.T, np.eye(4), atol=1e-12)
    for name, part in network.slices.items():
        assert np.array_equal(network.vector[part], network.parameters[name].ravel())
    network.vector[:] = 7.0
    assert all((values == 7.0).all() for values in network.parameters.values())


@pytest.mark.parametrize("kind", CELLS)
def test_single_precision_stays_single(kind: str) -> None:
    network = make_network(kind, dtype=np.float32)
    inputs, targets = make_sequences()
    loss, gradients = network.loss_and_gradients(inputs.astype(np.float32), targets.astype(np.float32))
    expected, exact = make_network(kind).loss_and_gradients(inputs, targets)
    assert loss == pytest.approx(expected, rel=1e-4)
    for name, gradient in gradients.items():
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, exact[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_infinite_numbers_do_not_raise(kind: str) -> None:
    network = make_network(kind, "identity")
    network.parameters["cell.recurrent_weight"][:] = 1e200
    inputs, targets = make_sequences()
    assert not np.isfinite(network.loss_and_gradients(inputs, targets)[0])
    network.vector[:] = np.inf
    assert np.isnan(network.radii()).all()


def test_norms_beyond_the_range_of_squares() -> None:
    rows = np.array([[3e-200, 4e-200], [3e200, 4e200], [0.0, 0.0], [3.0, 4.0], [np.nan, 1.0], [np.inf, 1.0]])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(row_norms(rows), [5e-200, 5e200, 0.0, 5.0, np.nan, np.inf])


def test_wrong_arguments_are_named() -> None:
    for field, changed in (("kind", "gru"), ("activation", "gelu"), ("loss", "auto"), ("hidden", 0), ("spectral_radius", -1.0)):
        arguments: dict[str, Any] = {"kind": "rnn", "inputs": 2, "hidden": 3, "outputs": 1} | {field: changed}
        with pytest.raises(SpecError, match=field):
            RecurrentNetwork(**arguments)
    network = make_network("rnn")
    with pytest.raises(ValueError, match=r"\(6, 7, 2\).*\(batch, time, 3\)"):
        network.predict(np.zeros((6, 7, 2)))
    with pytest.raises(ValueError, match="6 inputs, but 5 targets"):
        network.loss_and_gradients(np.zeros((6, 7, 3)), np.zeros((5, 2)))
