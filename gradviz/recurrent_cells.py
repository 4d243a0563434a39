"""The cells of recurrent nets, unrolled in time: what one time step computes forward, and back-propagation through time.

A cell works on preallocated buffers whose first axis is time and whose last two are (units, batch), the engine's own layout.
``feed[t − 1]`` is the column [x_t; 1; h_{t−1}], so that one matrix product gives the weighted sum of inputs, bias and state, and
one product over all time steps gives all their gradients. Time steps count from 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from gradviz.activations import ACTIVATIONS, Activation
from gradviz.arrays import Floats


class Cell(ABC):
    """One cell on the buffers of one batch; the same weights serve every time step.

    Args:
        weight: (inputs + 1 + hidden, gates · hidden): the rows of the inputs, the bias, the rows of the state.
        gradient: the same shape, receives ∂L/∂weight.
        feed: (time + 1, inputs + 1 + hidden, batch); its middle row is 1, and the rows of the state are written by the cell.
        hidden: number of units.

    Attributes:
        states: (time, hidden, batch) h_t; row 0 is time step 1.
        state_gradients: (time, hidden, batch) ∂L/∂h_t; the last row is to be filled before the first `backward`.
        deltas: (time, gates · hidden, batch) ∂L/∂ of the pre-activations.
    """

    gates: ClassVar[tuple[str, ...]]  # what the blocks of ``hidden`` columns of the weights are for

    states: Floats
    state_gradients: Floats
    deltas: Floats

    def __init__(self, weight: Floats, gradient: Floats, feed: Floats, hidden: int, activation: Activation) -> None:
        self.time, self.hidden = len(feed) - 1, hidden
        self._transposed, self._recurrent = weight.T, weight[-hidden:]
        self._gradient, self._feed = gradient, feed
        self._activate, self._slope = activation.forward, activation.backward
        batch = feed.shape[2]
        self.states = feed[1:, -hidden:]
        self.state_gradients = np.zeros((self.time, hidden, batch), feed.dtype)
        # the weights' gradient sums over time and batch at once, for which both have to lie on one axis
        self._flat_feed = np.empty(weight.shape[0] * self.time * batch, feed.dtype)
        self._flat_deltas = np.empty(weight.shape[1] * self.time * batch, feed.dtype)

    @abstractmethod
    def forward(self, t: int) -> None:
        """Write h_t from x_t and h_{t−1}."""

    def go_on(self) -> None:
        """Begin where the last time step has ended: of any number of time steps only so many need be kept, unless they go back."""
        np.copyto(self._feed[0, -self.hidden :], self._feed[-1, -self.hidden :])

    @abstractmethod
    def prepare(self, first: int) -> None:
        """Work out, for the time steps from ``first`` on, what of their derivatives does not depend on the loss."""

    @abstractmethod
    def backward(self, t: int, further: bool) -> None:
        """From ∂L/∂h_t write the deltas of time step t and, if it goes ``further`` back, ∂L/∂h_{t−1}."""

    def forget(self, first: int) -> None:
        """Set to 0 what back-propagation that stops at time step ``first`` does not reach."""
        self.state_gradients[: first - 1] = 0.0
        self.deltas[: first - 1] = 0.0

    def finish(self, first: int) -> None:
        """Write ∂L/∂weight: one matrix product over the time steps from ``first`` on."""
        # ∂L/∂W = Σ_t [x_t; 1; h_{t−1}] · (∂L/∂z_t)ᵀ
        feed, deltas = self._feed[first - 1 : -1].transpose(1, 0, 2), self.deltas[first - 1 :].transpose(1, 0, 2)
        flat_feed, flat_deltas = self._flat_feed[: feed.size].reshape(feed.shape), self._flat_deltas[: deltas.size].reshape(deltas.shape)
        np.copyto(flat_feed, feed)
        np.copyto(flat_deltas, deltas)
        np.dot(flat_feed.reshape(len(feed), -1), flat_deltas.reshape(len(deltas), -1).T, out=self._gradient)


class PlainCell(Cell):
    """h_t = f(W_xᵀ x_t + W_hᵀ h_{t−1} + b) (Elman 1990)."""

    gates = ("state",)

    def __init__(self, weight: Floats, gradient: Floats, feed: Floats, hidden: int, activation: Activation) -> None:
        super().__init__(weight, gradient, feed, hidden, activation)
        self.slopes = np.empty_like(self.state_gradients)  # (time, hidden, batch) f′(z_t)
        self.deltas = np.zeros_like(self.slopes)
        self._forward = list(zip(feed[:-1], self.states, strict=True))
        before: list[Floats | None] = [None, *self.state_gradients[:-1]]
        self._backward = list(zip(self.state_gradients, self.slopes, self.deltas, before, strict=True))

    def forward(self, t: int) -> None:
        fed, state = self._forward[t - 1]
        np.dot(self._transposed, fed, out=state)
        self._activate(state, state, 0.0)

    def prepare(self, first: int) -> None:
        # tanh, relu and identity have f′ as a function of f alone, so that z need not be kept
        states = self.states[first - 1 :]
        self._slope(states, states, self.slopes[first - 1 :], 0.0)

    def backward(self, t: int, further: bool) -> None:
        gradient, slope, delta, before = self._backward[t - 1]
        # ∂L/∂z_t = ∂L/∂h_t · f′(z_t),  ∂L/∂h_{t−1} = W_h · ∂L/∂z_t
        np.multiply(gradient, slope, out=delta)
        if further and before is not None:
            np.dot(self._recurrent, delta, out=before)


class LSTMCell(Cell):
    """Long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000), no peepholes.

    With z = Wᵀ [x_t; 1; h_{t−1}] in four blocks: o = σ(z_o), i = σ(z_i), f = σ(z_f), g = act(z_g),
    c_t = f · c_{t−1} + i · g and h_t = o · act(c_t).

    Attributes:
        gate_values: (time, 4, hidden, batch) o, i, f, g, in the order of `gates`.
        memories: (time, hidden, batch) c_t.
        memory_gradients: (time, hidden, batch) ∂L/∂c_t, through h_t and through c_{t+1}: the highway.
    """

    gates = ("output", "input", "forget", "candidate")

    def __init__(self, weight: Floats, gradient: Floats, feed: Floats, hidden: int, activation: Activation) -> None:
        super().__init__(weight, gradient, feed, hidden, activation)
        time, batch, dtype = self.time, feed.shape[2], feed.dtype
        # o, i, f, g and c_{t−1} side by side: then i · g and f · c_{t−1} are one product of two blocks with two
        self._values = np.zeros((time + 1, 5, hidden, batch), dtype)
        self.gate_values = self._values[:-1, :4]
        self.memories = self._values[1:, 4]
        self._squashed = np.empty((time, hidden, batch), dtype)  # act(c_t)
        self._products = np.empty((2, hidden, batch), dtype)
        # blocks: ∂h/∂c, then ∂ by the four pre-activations, then ∂c_t/∂c_{t−1}; the first two are met by ∂L/∂h, the others by ∂L/∂c
        self._factors = np.empty((time, 6, hidden, batch), dtype)
        self._shares = np.zeros((time, 6, hidden, batch), dtype)  # factor times gradient
        self.deltas = self._shares[:, 1:5].reshape(time, 4 * hidden, batch)
        self.memory_gradients = np.zeros((time, hidden, batch), dtype)
        self._sigmoid = ACTIVATIONS["sigmoid"].forward
        self._forward = [
            (feed[t], values[:4].reshape(4 * hidden, batch), values[:3], values[3], values[1:3], values[3:], values[0])
            for t, values in enumerate(self._values[:-1])
        ]
        self._written = list(zip(self.memories, self._squashed, self.states, strict=True))
        self._backward = [
            (self.state_gradients[t], factors[:2], shares[:2], shares[0], self.memory_gradients[t], factors[2:], shares[2:], deltas)
            for t, (factors, shares, deltas) in enumerate(zip(self._factors, self._shares, self.deltas, strict=True))
        ]
        self._carried = [*self._shares[1:, 5], np.zeros((hidden, batch), dtype)]  # ∂L/∂c_t through c_{t+1}; behind the last step 0

    def forward(self, t: int) -> None:
        fed, sums, gates, candidate, openings, contents, output = self._forward[t - 1]
        memory, squashed, state = self._written[t - 1]
        np.dot(self._transposed, fed, out=sums)
        self._sigmoid(gates, gates, 0.0)
        self._activate(candidate, candidate, 0.0)
        # c_t = i · g + f · c_{t−1}
        np.multiply(openings, contents, out=self._products)
        np.add(self._products[0], self._products[1], out=memory)
        self._activate(memory, squashed, 0.0)
        np.multiply(output, squashed, out=state)

    def prepare(self, first: int) -> None:
        part = slice(first - 1, self.time)
        values, squashed, factors = self._values[part], self._squashed[part], self._factors[part]
        # ∂h_t/∂c_t = o · act′(c_t)
        self._slope(squashed, squashed, factors[:, 0], 0.0)
        np.multiply(factors[:, 0], values[:, 0], out=factors[:, 0])
        # σ′ = σ (1 − σ), times what the gate lets through: act(c_t), g and c_{t−1}
        gates = values[:, :3]
        np.subtract(1.0, gates, out=factors[:, 1:4])
        np.multiply(factors[:, 1:4], gates, out=factors[:, 1:4])
        np.multiply(factors[:, 1], squashed, out=factors[:, 1])
        np.multiply(factors[:, 2:4], values[:, 3:5], out=factors[:, 2:4])
        # ∂c_t/∂z_g = i · act′(z_g), ∂c_t/∂c_{t−1} = f
        self._slope(values[:, 3], values[:, 3], factors[:, 4], 0.0)
        np.multiply(factors[:, 4], values[:, 1], out=factors[:, 4])
        np.copyto(factors[:, 5], values[:, 2])

    def backward(self, t: int, further: bool) -> None:
        gradient, outer, outer_shares, through_state, memory_gradient, inner, inner_shares, delta = self._backward[t - 1]
        np.multiply(outer, gradient, out=outer_shares)
        # ∂L/∂c_t = ∂L/∂h_t · ∂h_t/∂c_t + ∂L/∂c_{t+1} · f_{t+1}
        np.add(through_state, self._carried[t - 1], out=memory_gradient)
        np.multiply(inner, memory_gradient, out=inner_shares)
        if further and t > 1:
            np.dot(self._recurrent, delta, out=self.state_gradients[t - 2])

    def go_on(self) -> None:
        super().go_on()
        np.copyto(self._values[0, 4], self.memories[-1])

    def forget(self, first: int) -> None:
        super().forget(first)
        self.memory_gradients[: first - 1] = 0.0

    def carried_gradients(self, first: int) -> Floats:
        """(time − 1, hidden, batch) ∂L/∂c_t as far as it came from c_{t+1}, through the forget gate: what the cell path carries."""
        carried = self._shares[1:, 5].copy()
        carried[: first - 1] = 0.0
        return carried


CELLS: dict[str, type[Cell]] = {"rnn": PlainCell, "lstm": LSTMCell}
