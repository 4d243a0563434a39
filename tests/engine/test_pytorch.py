"""PyTorch as a second opinion: loss, every gradient, and whole training runs, in float64."""

from typing import Any

import numpy as np
import pytest

from gradviz.activations import ACTIVATIONS
from gradviz.network import Network
from gradviz.optimizers import OPTIMIZERS
from tests.engine.nets import LOSS_NAMES, make_batch, make_network, make_trainer

torch = pytest.importorskip("torch")
F = torch.nn.functional

TOLERANCE = 1e-9  # relative to the norm of the array in question
# Relative to the whole gradient. A shift that only a linear map follows before the next batch norm has gradient 0 on paper, and of
# that only rounding is left to compare.
NOISE = 1e-14

ACTIVATE: dict[str, Any] = {
    "identity": lambda z, _: z,
    "sigmoid": lambda z, _: torch.sigmoid(z),
    "tanh": lambda z, _: torch.tanh(z),
    "relu": lambda z, _: F.relu(z),
    "leaky_relu": lambda z, _: F.leaky_relu(z, 0.01),
    "prelu": lambda z, alpha: F.prelu(z, alpha),
    "elu": lambda z, _: F.elu(z),
    "gelu": lambda z, _: F.gelu(z, approximate="tanh"),
    "softplus": lambda z, _: F.softplus(z),
    "silu": lambda z, _: F.silu(z),
    "step": lambda z, _: (z >= 0).to(z.dtype),
}
LOSS: dict[str, Any] = {
    "mse": lambda z, targets: F.mse_loss(z, torch.tensor(targets)),
    "binary_cross_entropy": lambda z, targets: F.binary_cross_entropy_with_logits(z, torch.tensor(targets)),
    "cross_entropy": lambda z, targets: F.cross_entropy(z, torch.tensor(targets)),
}


class Peer:
    """The same network over copies of its parameters, written with torch.nn.functional."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.parameters = {name: torch.tensor(values, requires_grad=True) for name, values in network.parameters.items()}
        self.running = {name: torch.tensor(values) for name, values in network.running.items()}

    def forward(self, inputs: Any, training: bool = True) -> Any:
        value = torch.tensor(inputs)
        outputs: dict[int, Any] = {}
        for layer, activation in enumerate(self.network.activations, 1):
            own = {kind: self.parameters.get(f"layer{layer:02d}.{kind}") for kind in ("weight", "bias", "scale", "shift", "alpha")}
            value = value @ own["weight"]
            if own["bias"] is not None:
                value = value + own["bias"]
            else:
                mean, variance = self.running[f"layer{layer:02d}.mean"], self.running[f"layer{layer:02d}.variance"]
                value = F.batch_norm(value, mean, variance, own["scale"], own["shift"], training, momentum=0.1, eps=1e-5)
            value = ACTIVATE[activation](value, own["alpha"])
            if layer in self.network.skips:
                value = value + outputs[self.network.skips[layer]]
            outputs[layer] = value
        return value

    def backward(self, inputs: Any, targets: Any) -> float:
        loss = LOSS[self.network.loss](self.forward(inputs), targets)
        loss.backward()
        return float(loss.detach())

    def gradient(self, name: str) -> Any:
        gradient = self.parameters[name].grad
        return np.zeros(self.parameters[name].shape) if gradient is None else gradient.numpy()


def assert_close(ours: Any, theirs: Any, noise: float = 0.0) -> None:
    assert np.linalg.norm(ours - theirs) <= TOLERANCE * np.linalg.norm(theirs) + noise


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("skip_every", [0, 1, 2])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_every_gradient(activation: str, batch_norm: bool, skip_every: int, loss: str) -> None:
    network = make_network(loss, activation=activation, batch_norm=batch_norm, skip_every=skip_every)
    inputs, targets = make_batch(loss, 16)
    found, gradients = network.loss_and_gradients(inputs, targets)
    peer = Peer(network)
    assert found == pytest.approx(peer.backward(inputs, targets), rel=TOLERANCE)
    whole = np.sqrt(sum(np.linalg.norm(peer.gradient(name)) ** 2 for name in gradients))
    for name, gradient in gradients.items():
        assert_close(gradient, peer.gradient(name), NOISE * whole)


def test_mixed_widths_and_activations() -> None:
    network = make_network(depth=5, widths=(5, 3, 3, 4, 4), activations=("silu", "prelu", "elu", "softplus", "relu"), skip_every=1)
    inputs, targets = make_batch("mse", 16)
    found, gradients = network.loss_and_gradients(inputs, targets)
    peer = Peer(network)
    assert found == pytest.approx(peer.backward(inputs, targets), rel=TOLERANCE)
    for name, gradient in gradients.items():
        assert_close(gradient, peer.gradient(name))


def clip_like_the_lecture(peer: Peer, clip: str, threshold: float) -> None:
    gradients = [values.grad for values in peer.parameters.values()]
    if clip == "value":
        torch.nn.utils.clip_grad_value_(peer.parameters.values(), threshold)
    elif clip == "norm":
        # torch's own clip_grad_norm_ divides by ‖g‖ + 1e-6, so it ends a millionth below the threshold
        length = torch.sqrt(sum((g * g).sum() for g in gradients))
        if length > threshold:
            for gradient in gradients:
                gradient *= threshold / length


THEIR_OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda parameters, **common: torch.optim.SGD(parameters, **common),
    "momentum": lambda parameters, **common: torch.optim.SGD(parameters, momentum=0.8, **common),
    "nesterov": lambda parameters, **common: torch.optim.SGD(parameters, momentum=0.8, nesterov=True, **common),
    "rmsprop": lambda parameters, **common: torch.optim.RMSprop(parameters, alpha=0.9, eps=1e-8, **common),
    "adam": lambda parameters, **common: torch.optim.Adam(parameters, betas=(0.9, 0.999), eps=1e-8, **common),
}


@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
@pytest.mark.parametrize(("clip", "threshold"), [("none", 1.0), ("value", 0.02), ("norm", 0.1)])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twenty_steps(optimizer: str, batch_norm: bool, clip: str, threshold: float, weight_decay: float) -> None:
    network = make_network(activations=("tanh", "prelu", "gelu", "silu"), skip_every=1, batch_norm=batch_norm)
    peer = Peer(network)
    inputs, targets = make_batch("mse", 50)
    rate = 0.05 if optimizer in ("sgd", "momentum", "nesterov") else 0.01
    trainer = make_trainer(
        network,
        inputs,
        targets,
        batch_size=16,
        optimizer=optimizer,
        learning_rate=rate,
        momentum=0.8,
        weight_decay=weight_decay,
        clip=clip,
        clip_threshold=threshold,
    )
    theirs = THEIR_OPTIMIZERS[optimizer](list(peer.parameters.values()), lr=rate, weight_decay=weight_decay)
    clipped = 0
    for _ in range(20):
        trainer.step()
        theirs.zero_grad()
        loss = peer.backward(inputs[trainer.chosen], targets[trainer.chosen])
        clip_like_the_lecture(peer, clip, threshold)
        theirs.step()
        clipped += trainer.clipped_norm < trainer.total_norm
        assert trainer.loss == pytest.approx(loss, rel=TOLERANCE)
    assert (clipped > 0) == (clip != "none")  # otherwise the threshold of this test would test nothing
    for name, values in network.parameters.items():
        assert_close(values, peer.parameters[name].detach().numpy())
    for name, values in network.running.items():
        assert_close(values, peer.running[name].numpy())
    assert_close(network.predict(inputs), peer.forward(inputs, training=False).detach().numpy())
