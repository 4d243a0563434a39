"""One time step of a recurrent net's pass, by itself: what came in, its weighted sums, its factors, and what it adds to the gradient.

The weights are shared: the copy that works in one time step has a gradient of its own, h_{t−1} · (∂L/∂z_t)ᵀ, and the sum of
these over the time steps is the gradient that trains (Werbos 1990). Stages count from 1; the read-out is the last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.recurrent_cells import LSTMCell
from gradviz.snapshot import Architecture, Moment
from gradviz.training import Trainer

INPUT, RECURRENT, READ_OUT = "cell.input_weight", "cell.recurrent_weight", "out.weight"


def recurrent(trainer: Trainer) -> tuple[RecurrentNetwork, RecurrentPass]:
    """The network and the pass of a trainer of a recurrent net.

    Raises:
        TypeError: when its net is not recurrent.
    """
    network, run = trainer.network, trainer.run
    if not isinstance(network, RecurrentNetwork) or not isinstance(run, RecurrentPass):
        raise TypeError(f"a recurrent net is wanted, not {type(network).__name__}")
    return network, run


def pass_aside(trainer: Trainer, chosen: NDArray[np.int64]) -> tuple[RecurrentPass, NDArray[Any]]:
    """A pass over these examples on buffers of its own, and their targets."""
    run, targets = trainer.look_ahead(chosen)
    assert isinstance(run, RecurrentPass)
    return run, targets


def shown_name(stage: int, depth: int) -> str:
    """The weights behind the edges that are shown into a stage: of the first time step those of the input."""
    return READ_OUT if stage == depth else INPUT if stage == 1 else RECURRENT


def gate_of(gates: tuple[str, ...], hidden: int, name: str, column: int) -> str:
    """The gate of an LSTM to which a column of a weight matrix belongs; "" in a plain RNN and in the read-out."""
    return "" if name == READ_OUT or len(gates) < 2 else gates[column // hidden]


class PassReader:
    """Reads one pass; ``vector`` are the flat parameters it was made with. Everything is float64, (units, batch)."""

    def __init__(self, network: RecurrentNetwork, run: RecurrentPass, vector: Floats) -> None:
        self.network, self.run, self.vector = network, run, vector
        self.hidden = network.hidden
        self.activation = ACTIVATIONS[network.activation]
        self.lstm = isinstance(run.cell, LSTMCell)

    def weight(self, name: str) -> Floats:
        """A parameter as it was in this pass."""
        found: Floats = self.vector[self.network.slices[name]].reshape(self.network.parameters[name].shape)
        return found

    def before(self, name: str, stage: int) -> Floats:
        """(rows of the weights, batch) what these weights are multiplied by in this stage; h_0 is 0."""
        if name == INPUT:
            return np.asarray(self.run.inputs[stage - 1], float)
        return np.asarray(self.run.cell.states[stage - 2], float) if stage > 1 else np.zeros((self.hidden, self.run.batch))

    def deltas(self, stage: int) -> Floats:
        """(columns of the weights, batch) ∂L/∂z of the mini-batch's mean loss."""
        return np.asarray(self.run.output_deltas if stage == self.network.depth else self.run.cell.deltas[stage - 1], float)

    def added(self, name: str, stage: int, rows: slice = slice(None), chosen: slice = slice(None)) -> Floats:
        """(rows, columns) what this stage adds to ∂L/∂W, of the ``chosen`` examples."""
        found: Floats = self.before(name, stage)[rows, chosen] @ self.deltas(stage)[:, chosen].T
        return found

    def sums(self, t: int) -> Floats:
        """(gates · hidden, batch) the weighted sums z_t, worked out anew: the cell does not keep them."""
        state = self.weight(RECURRENT).T @ self.before(RECURRENT, t)
        found: Floats = self.weight(INPUT).T @ self.before(INPUT, t) + self.weight("cell.bias")[:, None] + state
        return found

    def slopes(self, values: Floats) -> Floats:
        """f′ where the activation has these ``values``: tanh, ReLU and the identity have it as a function of f alone."""
        values = np.asarray(values, float)
        found = np.empty_like(values)
        self.activation.backward(values, values, found, 0.0)
        return found

    def state_slopes(self, t: int) -> Floats:
        """(hidden, batch) f′(z_t) of a plain cell, known as soon as the signal has gone through."""
        return self.slopes(self.run.cell.states[t - 1])

    def gate(self, name: str, t: int) -> Floats:
        """(hidden, batch) one gate of an LSTM."""
        return np.asarray(self._cell.gate_values[t - 1, self._cell.gates.index(name)], float)

    def memory(self, t: int) -> Floats:
        """(hidden, batch) c_t; c_0 is 0."""
        return np.asarray(self._cell.memories[t - 1], float) if t else np.zeros((self.hidden, self.run.batch))

    def squashed(self, t: int) -> Floats:
        """(hidden, batch) act(c_t)."""
        found = np.empty((self.hidden, self.run.batch))
        self.activation.forward(self.memory(t), found, 0.0)
        return found

    def state_by_memory(self, t: int) -> Floats:
        """(hidden, batch) ∂h_t/∂c_t = o · act′(c_t)."""
        found: Floats = self.gate("output", t) * self.slopes(self.squashed(t))
        return found

    def gate_factor(self, name: str, t: int) -> Floats:
        """(hidden, batch) what a gate's weighted sum does: ∂h_t/∂z of the output gate, ∂c_t/∂z of the others."""
        value = self.gate(name, t)
        if name == "candidate":
            return self.gate("input", t) * self.slopes(value)
        opens = self.squashed(t) if name == "output" else self.gate("candidate", t) if name == "input" else self.memory(t - 1)
        found: Floats = value * (1.0 - value) * opens
        return found

    @property
    def _cell(self) -> LSTMCell:
        assert isinstance(self.run.cell, LSTMCell)
        return self.run.cell


def strongest_copy(
    reader: PassReader, architecture: Architecture, stage: int, rows: slice, columns: slice, chosen: slice = slice(None)
) -> tuple[str, int, int, int]:
    """Of a block of units the weight to whose gradient this stage adds most, over all gates.

    Args:
        reader: of a pass that came back.
        architecture: of its network.
        stage: a time step or the read-out.
        rows: the units (or inputs) before, of the block.
        columns: the units of this stage, of the block.
        chosen: the examples that count.

    Returns:
        The name of the weights, the row and the column of this one, and how many weights it is the strongest of.
    """
    depth, name = len(architecture.layers), shown_name(stage, len(architecture.layers))
    with np.errstate(all="ignore"):
        added = reader.added(name, stage, rows, chosen)
    units = architecture.layers[stage - 1].units
    gates = 1 if stage == depth else len(architecture.gates)
    block = added.reshape(len(added), gates, units)[:, :, columns]
    at = int(np.argmax(np.nan_to_num(np.abs(block), nan=np.inf)))
    row, gate, column = (int(place) for place in np.unravel_index(at, block.shape))
    return name, (rows.start or 0) + row, gate * units + (columns.start or 0) + column, block.size


def known_pass(trainer: Trainer, moment: Moment | None, stage: int) -> RecurrentPass:
    """The last pass, or one made aside while the gradient has not come back to this stage in any step."""
    if trainer.steps or (moment is not None and moment.reached(stage)):
        return recurrent(trainer)[1]
    return pass_aside(trainer, trainer.batches.peek() if moment is None else trainer.chosen)[0]
