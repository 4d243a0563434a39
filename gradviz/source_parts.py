"""The pieces of Python source that an exported net is put together from: one entry per activation, loss, clipping and optimiser.

Each table has an entry for everything that the engine's own table has; `tests/engine/test_source_export.py` runs them all.
"""

from __future__ import annotations

ACTIVATIONS: dict[str, str] = {
    "sigmoid": '''
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z):
    return sigmoid(z) * (1 - sigmoid(z))
''',
    "tanh": '''
def tanh(z):
    return np.tanh(z)


def tanh_slope(z):
    return 1 - np.tanh(z) ** 2
''',
    "relu": '''
def relu(z):
    return np.maximum(z, 0)


def relu_slope(z):
    return np.heaviside(z, RELU_AT_ZERO)  # at exactly 0 there is no derivative: any slope from 0 to 1 may stand for it
''',
    "leaky_relu": '''
def leaky_relu(z):
    return np.where(z > 0, z, 0.01 * z)


def leaky_relu_slope(z):
    return np.where(z > 0, 1.0, 0.01)
''',
    "prelu": '''
def prelu(z, alpha):  # alpha is learnt, one per layer
    return np.where(z > 0, z, alpha * z)


def prelu_slope(z, alpha):
    return np.where(z > 0, 1.0, alpha)
''',
    "elu": '''
def elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def elu_slope(z):
    return np.exp(np.minimum(z, 0))
''',
    "identity": '''
def identity(z):
    return z


def identity_slope(z):
    return np.ones_like(z)
''',
    "step": '''
def step(z):
    return (z >= 0) * 1.0


def step_slope(z):
    return np.zeros_like(z)  # flat on both sides: nothing is learnt through it
''',
    "gelu": '''
def gelu(z):  # the approximation with tanh
    return z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


def gelu_slope(z):
    t = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
    return (1 + t) / 2 + z / 2 * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)
''',
    "silu": '''
def silu(z):
    return z / (1 + np.exp(-z))


def silu_slope(z):
    s = 1 / (1 + np.exp(-z))
    return s * (1 + z * (1 - s))
''',
    "softplus": '''
def softplus(z):
    return np.logaddexp(z, 0)


def softplus_slope(z):
    return 1 / (1 + np.exp(-z))
''',
}

TORCH_ACTIVATIONS: dict[str, str] = {
    "sigmoid": "torch.sigmoid(z)",
    "tanh": "torch.tanh(z)",
    "relu": "torch.relu(z)",
    "leaky_relu": "F.leaky_relu(z, 0.01)",
    "prelu": "F.prelu(z, self.alphas[name])",
    "elu": "F.elu(z)",
    "identity": "z",
    "step": "(z >= 0).to(z) + 0 * z",
    "gelu": 'F.gelu(z, approximate="tanh")',
    "silu": "F.silu(z)",
    "softplus": "torch.logaddexp(z, torch.zeros_like(z))",
}

LOSSES: dict[str, str] = {
    "mse": '''
def loss_and_delta(outputs, targets):
    """Mean squared error, and its derivative by the outputs."""
    error = outputs - targets
    return np.mean(error**2), 2 * error / error.size
''',
    "binary_cross_entropy": '''
def loss_and_delta(outputs, targets):
    """Binary cross-entropy of sigmoid(outputs), and its derivative by the outputs; without overflow for large outputs."""
    loss = np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))
    probabilities = 1 / (1 + np.exp(-outputs))
    return np.mean(loss), (probabilities - targets) / outputs.size
''',
    "cross_entropy": '''
def loss_and_delta(outputs, targets):
    """Cross-entropy of softmax(outputs) for class numbers as targets, and its derivative by the outputs."""
    batch = np.arange(len(outputs))
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(powers.sum(axis=1)) - (outputs - outputs.max(axis=1, keepdims=True))[batch, targets])
    delta = probabilities.copy()
    delta[batch, targets] -= 1
    return loss, delta / len(outputs)
''',
}

TORCH_LOSSES: dict[str, str] = {
    "mse": "F.mse_loss(outputs, targets)",
    "binary_cross_entropy": "F.binary_cross_entropy_with_logits(outputs, targets)",
    "cross_entropy": "F.cross_entropy(outputs, targets)",
}

CLIPPINGS: dict[str, str] = {
    "none": "",
    "value": '''
def clip(gradients):
    """Every entry into [-CLIP_THRESHOLD, CLIP_THRESHOLD]."""
    return {name: np.clip(g, -CLIP_THRESHOLD, CLIP_THRESHOLD) for name, g in gradients.items()}
''',
    "norm": '''
def clip(gradients):
    """If the gradient is longer than CLIP_THRESHOLD, shorten it to that; its direction stays (Pascanu et al. 2013)."""
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients.values()))
    factor = min(1, CLIP_THRESHOLD / norm) if norm > 0 else 1
    return {name: factor * g for name, g in gradients.items()}
''',
    "layer_norm": '''
def clip(gradients):
    """If the gradient of a layer is longer than CLIP_THRESHOLD, shorten it to that; each layer by itself."""
    clipped = {}
    for layer in dict.fromkeys(name.split(".")[0] for name in gradients):
        own = {name: g for name, g in gradients.items() if name.split(".")[0] == layer}
        norm = np.sqrt(sum(np.sum(g**2) for g in own.values()))
        factor = min(1, CLIP_THRESHOLD / norm) if norm > 0 else 1
        clipped |= {name: factor * g for name, g in own.items()}
    return clipped
''',
}

TORCH_CLIPPINGS: dict[str, str] = {
    "none": "",
    "value": '''
def clip(net):
    """Every entry into [-CLIP_THRESHOLD, CLIP_THRESHOLD]."""
    nn.utils.clip_grad_value_(net.parameters(), CLIP_THRESHOLD)
''',
    "norm": '''
def clip(net):
    """If the gradient is longer than CLIP_THRESHOLD, shorten it to that; its direction stays (Pascanu et al. 2013)."""
    shorten([p.grad for p in net.parameters()])


def shorten(gradients):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    if norm > CLIP_THRESHOLD:
        for g in gradients:
            g.mul_(CLIP_THRESHOLD / norm)
''',
    "layer_norm": '''
def clip(net):
    """If the gradient of a layer is longer than CLIP_THRESHOLD, shorten it to that; each layer by itself."""
    for layer in net.layer_parameters():
        shorten([p.grad for p in layer])


def shorten(gradients):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    if norm > CLIP_THRESHOLD:
        for g in gradients:
            g.mul_(CLIP_THRESHOLD / norm)
''',
}

OPTIMIZERS: dict[str, tuple[str, str]] = {  # what it remembers, and how it changes one parameter p with the gradient g
    "sgd": ("{}", "p -= LEARNING_RATE * g"),
    "momentum": (
        '{"velocity": zeros_like(parameters)}',
        '''velocity = memory["velocity"][name]
        velocity[...] = MOMENTUM * velocity + g
        p -= LEARNING_RATE * velocity''',
    ),
    "nesterov": (
        '{"velocity": zeros_like(parameters)}',
        '''velocity = memory["velocity"][name]
        velocity[...] = MOMENTUM * velocity + g
        p -= LEARNING_RATE * (g + MOMENTUM * velocity)''',
    ),
    "rmsprop": (
        '{"square": zeros_like(parameters)}',
        '''square = memory["square"][name]
        square[...] = 0.9 * square + 0.1 * g**2
        p -= LEARNING_RATE * g / (np.sqrt(square) + 1e-8)''',
    ),
    "adam": (
        '{"mean": zeros_like(parameters), "square": zeros_like(parameters)}',
        '''mean, square = memory["mean"][name], memory["square"][name]
        mean[...] = 0.9 * mean + 0.1 * g
        square[...] = 0.999 * square + 0.001 * g**2
        p -= LEARNING_RATE * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)''',
    ),
}

TORCH_OPTIMIZERS: dict[str, str] = {
    "sgd": "torch.optim.SGD(net.parameters(), lr=LEARNING_RATE{decay})",
    "momentum": "torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM{decay})",
    "nesterov": "torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True{decay})",
    "rmsprop": "torch.optim.RMSprop(net.parameters(), lr=LEARNING_RATE, alpha=0.9, eps=1e-8{decay})",
    "adam": "torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8{decay})",
}
