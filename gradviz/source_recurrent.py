"""The source of a recurrent net, plain or LSTM: forward and back through time in NumPy, a module in PyTorch."""

from __future__ import annotations

from gradviz.experiment import Experiment
from gradviz.recurrent import RecurrentNetwork
from gradviz.source_parts import TORCH_ACTIVATIONS
from gradviz.source_writer import SourceWriter


class RecurrentSource(SourceWriter):
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
