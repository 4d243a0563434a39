"""The net of a run as Python source of its own, in NumPy or PyTorch: forward, loss, backward and training, readable and runnable.

The source needs nothing of GradViz. Weights, and the examples that the run trains on, lie beside it in an ``.npz`` archive. Only what
the net really has is written: a net without batch norm has no line about it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.experiment import Experiment
from gradviz.network import Network
from gradviz.recurrent import RecurrentNetwork
from gradviz.safe_write import write_all_safely
from gradviz.source_parts import (
    ACTIVATIONS,
    CLIPPINGS,
    LOSSES,
    OPTIMIZERS,
    TORCH_ACTIVATIONS,
    TORCH_CLIPPINGS,
    TORCH_LOSSES,
    TORCH_OPTIMIZERS,
)
from gradviz.spec import Spec

KINDS = {"numpy": "NumPy", "torch": "PyTorch"}


def write_source(experiment: Experiment, path: Path | str, kind: str) -> Path:
    """Write the source to ``path`` and its numbers beside it, as ``<name>.npz``; returns the path of the latter.

    Raises:
        OSError: when one of them cannot be written; both are as they were before.
        ValueError: for a kind that is not in `KINDS`.
    """
    path = Path(path)
    archive = path.with_suffix(".npz")
    text = source(experiment, kind)
    write_all_safely({archive: numbers_archive(experiment), path: text.encode()})
    return archive


def numbers_archive(experiment: Experiment) -> bytes:
    """Parameters, running statistics and the training set, batch first, as the bytes of an ``.npz`` archive."""
    inputs, targets = experiment.trainer.training_set
    arrays: dict[str, NDArray[Any]] = {**experiment.network.parameters, **experiment.network.running}
    arrays |= {"data.inputs": np.moveaxis(inputs, -1, 0), "data.targets": np.moveaxis(targets, -1, 0)}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def source(experiment: Experiment, kind: str) -> str:
    """The source of the experiment's net as it stands; it reads its numbers from the .npz file of the same name.

    Raises:
        ValueError: for a kind that is not in `KINDS`.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no source in {kind!r}, only in {', '.join(KINDS)}")
    network = experiment.network
    writer = _Recurrent(experiment, network) if isinstance(network, RecurrentNetwork) else _FeedForward(experiment, network)
    return writer.numpy() if kind == "numpy" else writer.torch()


class _Writer:
    """What both kinds of nets have in common."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.spec: Spec = experiment.spec
        self.training = experiment.spec.training
        self.loss: str = experiment.network.loss

    # what a kind of net adds
    def title(self) -> str:
        raise NotImplementedError

    def constants(self, torch: bool) -> list[str]:
        raise NotImplementedError

    def activations(self) -> list[str]:
        raise NotImplementedError

    def numpy_net(self) -> str:
        raise NotImplementedError

    def torch_net(self) -> str:
        raise NotImplementedError

    def normalises(self) -> bool:
        return False

    def numpy(self) -> str:
        return _joined(
            self._head("NumPy"),
            "import pathlib\n\nimport numpy as np",
            "\n".join(self._constants(False)),
            *(ACTIVATIONS[name] for name in self.activations()),
            self.numpy_net(),
            LOSSES[self.loss],
            CLIPPINGS[self.training.clip],
            self._numpy_training(),
            self._numpy_main(),
        )

    def torch(self) -> str:
        return _joined(
            self._head("PyTorch"),
            "import pathlib\n\nimport numpy as np\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn",
            "\n".join(self._constants(True)),
            self.torch_net(),
            f"def loss_of(outputs, targets):\n    return {TORCH_LOSSES[self.loss]}",
            TORCH_CLIPPINGS[self.training.clip],
            self._torch_training(),
            self._torch_main(),
        )

    def _head(self, library: str) -> str:
        step = self.experiment.step_count
        lines = [f'"""{self.title()}, in {library}: as it stands after {step:,} training step{"" if step == 1 else "s"} in GradViz.', ""]
        needs = library if library == "NumPy" else "PyTorch, NumPy"
        lines.append(f"It needs {needs} and the .npz file of the same name beside it. Run it, and it trains on.")
        if step and self.training.optimizer != "sgd":
            lines.append("What the optimiser has remembered of those steps is not part of it: its averages begin anew.")
        if self.training.method != "gradient":
            lines.append("In GradViz another method has trained it; here it trains by its gradient.")
        return "\n".join(lines) + '\n"""'

    def _constants(self, torch: bool) -> list[str]:
        training = self.training
        found = [f"LEARNING_RATE = {training.learning_rate!r}", f"BATCH_SIZE = {self.experiment.trainer.batches.size}"]
        if training.optimizer in ("momentum", "nesterov"):
            found.append(f"MOMENTUM = {training.momentum!r}")
        if training.weight_decay:
            found.append(f"WEIGHT_DECAY = {training.weight_decay!r}")
        if training.clip != "none":
            found.append(f"CLIP_THRESHOLD = {training.clip_threshold!r}")
        if "relu" in self.activations() and (not torch or self.spec.network.relu_at_zero):
            found.append(f"RELU_AT_ZERO = {self.spec.network.relu_at_zero!r}")
        return [*self.constants(torch), *found]

    def _numpy_training(self) -> str:
        memory, update = OPTIMIZERS[self.training.optimizer]
        remembers = memory != "{}"
        clip = "    gradients = clip(gradients)\n" if self.training.clip != "none" else ""
        decay = "        g = g + WEIGHT_DECAY * p\n" if self.training.weight_decay else ""
        running = ", running" if self.normalises() else ""
        about = "Change the parameters by one training step on a batch; returns the loss before it."
        if remembers:
            about += "\n\n    ``memory`` is what the optimiser remembers; ``step`` counts from 1.\n    "
        parts = []
        if remembers:
            like = "{name: np.zeros_like(p) for name, p in parameters.items()}"
            parts.append(f"def zeros_like(parameters):\n    return {like}\n")
            parts.append(f"def new_memory(parameters):\n    return {memory}\n")
        else:
            parts.append("def new_memory(parameters):\n    return {}  # plain gradient descent remembers nothing\n")
        parts.append(
            f"def training_step(parameters{running}, memory, step, inputs, targets):\n"
            f'    """{about}"""\n'
            f"    outputs, cache = forward(parameters{running}, inputs{', training=True' if running else ''})\n"
            "    loss, delta = loss_and_delta(outputs, targets)\n"
            "    gradients = backward(parameters, cache, delta)\n"
            f"{clip}"
            "    for name, p in parameters.items():\n"
            "        g = gradients[name]\n"
            f"{decay}"
            f"        {update}\n"
            "    return loss\n"
        )
        return "\n\n".join(parts)

    def _numpy_main(self) -> str:
        running = ", running" if self.normalises() else ""
        if running:
            split = (
                '    running = {name: a for name, a in arrays.items() if name.endswith((".mean", ".variance"))}\n'
                '    parameters = {name: a for name, a in arrays.items() if name not in running and not name.startswith("data.")}\n'
            )
        else:
            split = '    parameters = {name: a for name, a in arrays.items() if not name.startswith("data.")}\n'
        statistics = ", running statistics of batch norm" if running else ""
        return (
            "def load():\n"
            f'    """Parameters{statistics} and the training set: inputs and targets, batch first."""\n'
            '    arrays = dict(np.load(pathlib.Path(__file__).with_suffix(".npz")))\n'
            f"{split}"
            f'    return parameters{running}, arrays["data.inputs"], arrays["data.targets"]\n'
            "\n\n"
            "def main():\n"
            f"    parameters{running}, inputs, targets = load()\n"
            "    memory, rng = new_memory(parameters), np.random.default_rng(0)\n"
            "    for step in range(1, 101):\n"
            "        batch = rng.choice(len(inputs), BATCH_SIZE, replace=False)\n"
            f"        loss = training_step(parameters{running}, memory, step, inputs[batch], targets[batch])\n"
            "        if step % 10 == 0:\n"
            '            print(f"step {step}: loss {loss:.6g}")\n'
            "\n\n"
            'if __name__ == "__main__":\n'
            "    main()\n"
        )

    def _torch_training(self) -> str:
        clip = "    clip(net)\n" if self.training.clip != "none" else ""
        decay = ", weight_decay=WEIGHT_DECAY" if self.training.weight_decay else ""
        return (
            "def new_optimizer(net):\n"
            f"    return {TORCH_OPTIMIZERS[self.training.optimizer].format(decay=decay)}\n"
            "\n\n"
            "def training_step(net, optimizer, inputs, targets):\n"
            '    """Change the parameters by one training step on a batch; returns the loss before it."""\n'
            "    optimizer.zero_grad()\n"
            "    loss = loss_of(net(inputs), targets)\n"
            "    loss.backward()\n"
            f"{clip}"
            "    optimizer.step()\n"
            "    return loss.item()\n"
        )

    def _torch_main(self) -> str:
        return (
            "def load():\n"
            '    """The net with its weights, and the training set: inputs and targets, batch first."""\n'
            '    archive = np.load(pathlib.Path(__file__).with_suffix(".npz"))\n'
            "    arrays = {name: torch.from_numpy(array) for name, array in archive.items()}\n"
            "    net = Net()\n"
            '    net.to(arrays["data.inputs"].dtype)\n'
            "    net.take(arrays)\n"
            '    return net, arrays["data.inputs"], arrays["data.targets"]\n'
            "\n\n"
            "def main():\n"
            "    net, inputs, targets = load()\n"
            "    optimizer = new_optimizer(net)\n"
            "    for step in range(1, 101):\n"
            "        batch = torch.randperm(len(inputs))[:BATCH_SIZE]\n"
            "        loss = training_step(net, optimizer, inputs[batch], targets[batch])\n"
            "        if step % 10 == 0:\n"
            '            print(f"step {step}: loss {loss:.6g}")\n'
            "\n\n"
            'if __name__ == "__main__":\n'
            "    main()\n"
        )


class _FeedForward(_Writer):
    """Layer behind layer."""

    def __init__(self, experiment: Experiment, network: Network) -> None:
        super().__init__(experiment)
        self.network = network
        self.trained_alpha = "prelu" in network.activations

    def title(self) -> str:
        hidden = self.network.depth - 1
        return f"A feed-forward net with {hidden} hidden layer{'s' if hidden > 1 else ''}"

    def normalises(self) -> bool:
        return self.network.spec.batch_norm

    def activations(self) -> list[str]:
        return list(dict.fromkeys(self.network.activations[:-1]))

    def constants(self, torch: bool) -> list[str]:
        network = self.network
        found = [f"WIDTHS = {_listed([network.inputs, *network.widths])}  # inputs, hidden layers, outputs"]
        found.append(f"ACTIVATIONS = {_listed(network.activations[:-1])}  # of the hidden layers; the outputs have none")
        if network.skips:
            found.append(f"SKIPS = {network.skips!r}  # layer: the layer before it whose output is added to its own")
        return found

    def numpy_net(self) -> str:
        normed, skips = self.normalises(), bool(self.network.skips)
        running = ", running" if normed else ""
        lines = [f"def forward(parameters{running}, inputs{', training=False' if normed else ''}):"]
        lines += ['    """The outputs (batch, outputs) for inputs (batch, features), and what back-propagation needs of the way there.']
        if normed:
            about = "Training, batch norm takes mean and variance of the batch, and ``running`` follows them; otherwise it takes those."
            lines += ["", f"    {about}"]
        lines += ['    """', "    h, cache = [inputs], []", "    for layer in range(1, len(WIDTHS)):", '        name = f"layer{layer:02d}"']
        lines += ["        last = layer == len(WIDTHS) - 1"]
        lines += ['        z = h[-1] @ parameters[f"{name}.weight"]']
        if normed:
            lines += ["        normalised, spread = None, None", "        if last:"]
            lines += ['            z = z + parameters[f"{name}.bias"]', "        else:"]
            lines += ["            mean, variance = running[f\"{name}.mean\"], running[f\"{name}.variance\"]"]
            lines += ["            if training:", "                batch_mean, batch_variance = z.mean(axis=0), z.var(axis=0)"]
            lines += ["                mean += 0.1 * (batch_mean - mean)"]
            lines += ["                variance += 0.1 * (batch_variance * len(z) / max(1, len(z) - 1) - variance)"]
            lines += ["                mean, variance = batch_mean, batch_variance"]
            lines += ["            spread = np.sqrt(variance + 1e-5)", "            normalised = (z - mean) / spread"]
            lines += ['            z = parameters[f"{name}.scale"] * normalised + parameters[f"{name}.shift"]']
        else:
            lines += ['        z = z + parameters[f"{name}.bias"]']
        cached = "(h[-1], z, normalised, spread)" if normed else "(h[-1], z)"
        lines += [f"        cache.append({cached})", "        value = z if last else activation(parameters, layer, z)"]
        if skips:
            lines += ["        if layer in SKIPS:", "            value = value + h[SKIPS[layer]]"]
        lines += ["        h.append(value)", "    return h[-1], cache", ""]
        return "\n".join(lines) + "\n\n" + self._numpy_activation() + "\n\n" + self._numpy_backward()

    def _numpy_activation(self) -> str:
        names = self.activations()
        table = ", ".join(f'"{name}": ({name}, {name}_slope)' for name in names)
        alpha = (
            '    if ACTIVATIONS[layer - 1] == "prelu":\n'
            '        return {name}(z, parameters[f"layer{{layer:02d}}.alpha"])\n'
            if self.trained_alpha
            else ""
        )
        return (
            f"FUNCTIONS = {{{table}}}\n"
            "\n\n"
            "def activation(parameters, layer, z):\n"
            f"{alpha.format(name='prelu')}"
            "    return FUNCTIONS[ACTIVATIONS[layer - 1]][0](z)\n"
            "\n\n"
            "def slope(parameters, layer, z):\n"
            '    """The derivative of the activation: the factor of every gradient that passes."""\n'
            f"{alpha.format(name='prelu_slope')}"
            "    return FUNCTIONS[ACTIVATIONS[layer - 1]][1](z)\n"
        )

    def _numpy_backward(self) -> str:
        normed, skips = self.normalises(), bool(self.network.skips)
        lines = ["def backward(parameters, cache, delta):"]
        lines += ['    """The gradients of the loss by all parameters, from ``delta``, its derivative by the outputs."""']
        lines += ["    gradients = {}"]
        if skips:
            lines += ["    from_skips = {}  # layer: what skips bring back to its output"]
        lines += ["    for layer in range(len(WIDTHS) - 1, 0, -1):", '        name = f"layer{layer:02d}"']
        lines += [f"        h, z{', normalised, spread' if normed else ''} = cache[layer - 1]"]
        lines += ["        if layer < len(WIDTHS) - 1:"]
        if skips:
            lines += ["            delta = delta + from_skips.get(layer, 0)"]
            lines += ["            if layer in SKIPS:"]
            lines += ["                from_skips[SKIPS[layer]] = delta  # the derivative of h + F(h) is 1 + F′(h)"]
        if self.trained_alpha:
            lines += ['            if ACTIVATIONS[layer - 1] == "prelu":']
            lines += ['                gradients[f"{name}.alpha"] = np.array([np.sum(delta * np.minimum(z, 0))])']
        lines += ["            delta = delta * slope(parameters, layer, z)"]
        if normed:
            lines += ['            gradients[f"{name}.scale"] = np.sum(delta * normalised, axis=0)']
            lines += ['            gradients[f"{name}.shift"] = np.sum(delta, axis=0)']
            lines += ["            through_mean, through_variance = delta.mean(axis=0), normalised * np.mean(delta * normalised, axis=0)"]
            lines += ['            delta = parameters[f"{name}.scale"] / spread * (delta - through_mean - through_variance)']
            lines += ["        else:", '            gradients[f"{name}.bias"] = np.sum(delta, axis=0)']
        lines += ['        gradients[f"{name}.weight"] = h.T @ delta']
        if not normed:
            lines += ['        gradients[f"{name}.bias"] = np.sum(delta, axis=0)']
        lines += ['        delta = delta @ parameters[f"{name}.weight"].T', "    return gradients", ""]
        return "\n".join(lines)

    def torch_net(self) -> str:
        normed, skips = self.normalises(), bool(self.network.skips)
        lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()", "        hidden = range(1, len(WIDTHS) - 1)"]
        bias = "layer not in hidden" if normed else "True"
        lines += ["        self.linears = nn.ModuleDict("]
        lines += [f'            {{f"layer{{layer:02d}}": nn.Linear(WIDTHS[layer - 1], WIDTHS[layer], bias={bias}) for layer in range(1, len(WIDTHS))}}']
        lines += ["        )"]
        if normed:
            lines += ['        self.norms = nn.ModuleDict({f"layer{layer:02d}": nn.BatchNorm1d(WIDTHS[layer]) for layer in hidden})']
        if self.trained_alpha:
            lines += ["        self.alphas = nn.ParameterDict("]
            lines += ['            {f"layer{layer:02d}": torch.full((1,), 0.25) for layer in hidden if ACTIVATIONS[layer - 1] == "prelu"}']
            lines += ["        )"]
        lines += ["", "    def forward(self, inputs):", '        """The outputs (batch, outputs) for inputs (batch, features)."""']
        lines += ["        h = [inputs]", "        for layer in range(1, len(WIDTHS)):", '            name = f"layer{layer:02d}"']
        lines += ["            z = self.linears[name](h[-1])", "            if layer < len(WIDTHS) - 1:"]
        if normed:
            lines += ["                z = self.norms[name](z)"]
        lines += ["                z = self.activation(layer, name, z)"]
        if skips:
            lines += ["            if layer in SKIPS:", "                z = z + h[SKIPS[layer]]"]
        lines += ["            h.append(z)", "        return h[-1]", ""]
        lines += ["    def activation(self, layer, name, z):"]
        names = self.activations()
        for activation in names[:-1]:
            lines += [f'        if ACTIVATIONS[layer - 1] == "{activation}":', f"            return {self._torch_activation(activation)}"]
        lines += [f"        return {self._torch_activation(names[-1])}", ""]
        lines += ["    def layer_parameters(self):", '        """The parameters of each layer."""']
        lines += ['        return [[p for key, p in self.named_parameters() if f".{name}" in key] for name in self.linears]', ""]
        lines += ["    @torch.no_grad()", "    def take(self, arrays):", '        """Take over the weights of the archive, where a weight is (inputs, units)."""']
        lines += ["        for name, linear in self.linears.items():", '            linear.weight.copy_(arrays[f"{name}.weight"].T)']
        lines += ["            if linear.bias is not None:", '                linear.bias.copy_(arrays[f"{name}.bias"])']
        if normed:
            lines += ["        for name, norm in self.norms.items():"]
            for own, kept in (("weight", "scale"), ("bias", "shift"), ("running_mean", "mean"), ("running_var", "variance")):
                lines += [f'            norm.{own}.copy_(arrays[f"{{name}}.{kept}"])']
        if self.trained_alpha:
            lines += ["        for name, alpha in self.alphas.items():", '            alpha.copy_(arrays[f"{name}.alpha"])']
        return "\n".join(lines) + "\n"

    def _torch_activation(self, name: str) -> str:
        if name == "relu" and self.network.spec.relu_at_zero:
            return "torch.where(z == 0, RELU_AT_ZERO * z, torch.relu(z))"
        return TORCH_ACTIVATIONS[name]


class _Recurrent(_Writer):
    """One cell, step by step through time."""

    def __init__(self, experiment: Experiment, network: RecurrentNetwork) -> None:
        super().__init__(experiment)
        self.network = network

    def title(self) -> str:
        kind = "An LSTM" if self.network.kind == "lstm" else "A recurrent net"
        return f"{kind} with {self.network.hidden} unit{'s' if self.network.hidden > 1 else ''}, which reads {self.network.time} time steps"

    def activations(self) -> list[str]:
        own = [self.network.activation]
        return list(dict.fromkeys([*own, "sigmoid"])) if self.network.kind == "lstm" else own

    def constants(self, torch: bool) -> list[str]:
        network = self.network
        found = [f"HIDDEN = {network.hidden}  # units"]
        if torch:
            found.append(f"FEATURES, OUTPUTS = {network.inputs}, {network.outputs}")
        if network.truncate is not None:
            found.append(f"TRUNCATE = {network.truncate}  # the gradient goes back through so many time steps")
        return found

    def numpy_net(self) -> str:
        text = _LSTM if self.network.kind == "lstm" else _RNN
        first = "0" if self.network.truncate is None else "max(0, inputs.shape[1] - TRUNCATE)"
        return text.replace("FIRST_STEP", first).replace("act(", f"{self.network.activation}(").replace("act_slope(", f"{self.network.activation}_slope(")

    def torch_net(self) -> str:
        lstm = self.network.kind == "lstm"
        gates = 4 if lstm else 1
        act = TORCH_ACTIVATIONS[self.network.activation]
        columns = "4 * HIDDEN" if gates == 4 else "HIDDEN"
        cut = ""
        if self.network.truncate is not None:
            both = "h, c = h.detach(), c.detach()" if lstm else "h = h.detach()"
            cut = f"            if t == inputs.shape[1] - TRUNCATE:\n                {both}  # back-propagation ends here\n"
        if lstm:
            begin = "        h = c = inputs.new_zeros(len(inputs), HIDDEN)\n"
            body = (
                "            z = inputs[:, t] @ self.input_weight + self.bias + h @ self.recurrent_weight\n"
                "            o, i, f, g = z.split(HIDDEN, dim=1)\n"
                "            c = torch.sigmoid(f) * c + torch.sigmoid(i) * self.activation(g)\n"
                "            h = torch.sigmoid(o) * self.activation(c)\n"
            )
        else:
            begin = "        h = inputs.new_zeros(len(inputs), HIDDEN)\n"
            body = "            h = self.activation(inputs[:, t] @ self.input_weight + self.bias + h @ self.recurrent_weight)\n"
        return (
            "class Net(nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            f"        self.input_weight = nn.Parameter(torch.zeros(FEATURES, {columns}))\n"
            f"        self.bias = nn.Parameter(torch.zeros({columns}))\n"
            f"        self.recurrent_weight = nn.Parameter(torch.zeros(HIDDEN, {columns}))\n"
            "        self.read_out = nn.Linear(HIDDEN, OUTPUTS)\n"
            "\n"
            "    def activation(self, z):\n"
            f"        return {act}\n"
            "\n"
            "    def forward(self, inputs):\n"
            '        """The outputs (batch, outputs) after the last time step, for inputs (batch, time, features)."""\n'
            f"{begin}"
            "        for t in range(inputs.shape[1]):\n"
            f"{cut}"
            f"{body}"
            "        return self.read_out(h)\n"
            "\n"
            "    def layer_parameters(self):\n"
            '        """The parameters of the cell, and of the read-out."""\n'
            "        return [[self.input_weight, self.bias, self.recurrent_weight], list(self.read_out.parameters())]\n"
            "\n"
            "    @torch.no_grad()\n"
            "    def take(self, arrays):\n"
            '        """Take over the weights of the archive, where a weight is (inputs, units)."""\n'
            '        self.input_weight.copy_(arrays["cell.input_weight"])\n'
            '        self.bias.copy_(arrays["cell.bias"])\n'
            '        self.recurrent_weight.copy_(arrays["cell.recurrent_weight"])\n'
            '        self.read_out.weight.copy_(arrays["out.weight"].T)\n'
            '        self.read_out.bias.copy_(arrays["out.bias"])\n'
        )


_RNN = '''
def forward(parameters, inputs):
    """The outputs (batch, outputs) after the last time step, for inputs (batch, time, features), and what back-propagation needs."""
    h, cache = np.zeros((len(inputs), HIDDEN), inputs.dtype), []
    for t in range(inputs.shape[1]):
        x = inputs[:, t]
        z = x @ parameters["cell.input_weight"] + parameters["cell.bias"] + h @ parameters["cell.recurrent_weight"]
        cache.append((x, h, z))
        h = act(z)
    return h @ parameters["out.weight"] + parameters["out.bias"], (inputs, h, cache)


def backward(parameters, cache, delta):
    """The gradients of the loss by all parameters, from ``delta``, its derivative by the outputs: back through time."""
    inputs, last, steps = cache
    gradients = {name: np.zeros_like(p) for name, p in parameters.items()}
    gradients["out.weight"] = last.T @ delta
    gradients["out.bias"] = delta.sum(axis=0)
    to_state = delta @ parameters["out.weight"].T
    for x, h, z in reversed(steps[FIRST_STEP:]):
        delta = to_state * act_slope(z)
        gradients["cell.input_weight"] += x.T @ delta
        gradients["cell.bias"] += delta.sum(axis=0)
        gradients["cell.recurrent_weight"] += h.T @ delta
        to_state = delta @ parameters["cell.recurrent_weight"].T  # one factor per time step: it may vanish or explode
    return gradients
'''

_LSTM = '''
def forward(parameters, inputs):
    """The outputs (batch, outputs) after the last time step, for inputs (batch, time, features), and what back-propagation needs."""
    h = c = np.zeros((len(inputs), HIDDEN), inputs.dtype)
    cache = []
    for t in range(inputs.shape[1]):
        x = inputs[:, t]
        z = x @ parameters["cell.input_weight"] + parameters["cell.bias"] + h @ parameters["cell.recurrent_weight"]
        zo, zi, zf, zg = np.split(z, 4, axis=1)  # output, input and forget gate, candidate
        o, i, f, g = sigmoid(zo), sigmoid(zi), sigmoid(zf), act(zg)
        before, c = c, f * c + i * g
        cache.append((x, h, before, c, zo, zi, zf, zg))
        h = o * act(c)
    return h @ parameters["out.weight"] + parameters["out.bias"], (inputs, h, cache)


def backward(parameters, cache, delta):
    """The gradients of the loss by all parameters, from ``delta``, its derivative by the outputs: back through time."""
    inputs, last, steps = cache
    gradients = {name: np.zeros_like(p) for name, p in parameters.items()}
    gradients["out.weight"] = last.T @ delta
    gradients["out.bias"] = delta.sum(axis=0)
    to_state, to_memory = delta @ parameters["out.weight"].T, 0.0
    for x, h, before, c, zo, zi, zf, zg in reversed(steps[FIRST_STEP:]):
        to_memory = to_memory + to_state * sigmoid(zo) * act_slope(c)
        delta = np.concatenate(
            (
                to_state * act(c) * sigmoid_slope(zo),
                to_memory * act(zg) * sigmoid_slope(zi),
                to_memory * before * sigmoid_slope(zf),
                to_memory * sigmoid(zi) * act_slope(zg),
            ),
            axis=1,
        )
        gradients["cell.input_weight"] += x.T @ delta
        gradients["cell.bias"] += delta.sum(axis=0)
        gradients["cell.recurrent_weight"] += h.T @ delta
        to_state = delta @ parameters["cell.recurrent_weight"].T
        to_memory = to_memory * sigmoid(zf)  # the highway: only the forget gate stands in the way
    return gradients
'''


def _listed(values: Any) -> str:
    """A list as one would write it by hand: runs of equal values as a product."""
    groups: list[tuple[Any, int]] = []
    for value in values:
        if groups and groups[-1][0] == value:
            groups[-1] = value, groups[-1][1] + 1
        else:
            groups.append((value, 1))
    parts: list[str] = []
    loose: list[Any] = []
    for value, count in groups:
        if count < 3:
            loose += [value] * count
            continue
        if loose:
            parts.append(_quoted(loose))
        parts.append(f"{_quoted([value])} * {count}")
        loose = []
    if loose:
        parts.append(_quoted(loose))
    return " + ".join(parts)


def _quoted(values: list[Any]) -> str:
    return "[" + ", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values) + "]"


def _joined(*parts: str) -> str:
    """The parts, two blank lines between each, as PEP 8 wants it; the head of a module one."""
    texts = [part.strip("\n") for part in parts if part.strip()]
    return "\n\n".join(texts[:3]) + "\n\n\n" + "\n\n\n".join(texts[3:]) + "\n"
