"""What the source of every net has: its head and constants, loss, clipping, the training step and `main`, in NumPy and in PyTorch."""

from __future__ import annotations

from gradviz.experiment import Experiment
from gradviz.source_parts import (
    ACTIVATIONS,
    CLIPPINGS,
    LOSSES,
    OPTIMIZERS,
    TORCH_CLIPPINGS,
    TORCH_LOSSES,
    TORCH_OPTIMIZERS,
)
from gradviz.spec import Spec


class SourceWriter:
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


def _joined(*parts: str) -> str:
    """The parts, two blank lines between each, as PEP 8 wants it; the head of a module one."""
    texts = [part.strip("\n") for part in parts if part.strip()]
    return "\n\n".join(texts[:3]) + "\n\n\n" + "\n\n\n".join(texts[3:]) + "\n"
