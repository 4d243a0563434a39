"""The source of a feed-forward net: forward and backward in NumPy, a module in PyTorch."""

from __future__ import annotations

from typing import Any

from gradviz.experiment import Experiment
from gradviz.network import Network
from gradviz.source_parts import TORCH_ACTIVATIONS
from gradviz.source_writer import SourceWriter


class FeedForwardSource(SourceWriter):
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
