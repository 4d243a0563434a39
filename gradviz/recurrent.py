"""Recurrent nets: a plain RNN and an LSTM with one linear read-out after the last time step, over one flat parameter vector.

Unrolled in time, a time step takes the place of a layer: `RecurrentPass` keeps what each of them sent and which gradient came back
to it. Stages count from 1 to ``time``, and the read-out is the last one, ``time + 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.clipping import norm
from gradviz.fields import SpecError
from gradviz.initializers import INITIALIZERS
from gradviz.losses import LOSSES, Loss, loss_named
from gradviz.network import layer_info, place_values, views
from gradviz.norms import row_norms
from gradviz.recurrent_cells import CELLS, LSTMCell
from gradviz.snapshot import Architecture
from gradviz.spec import MAX_PARAMETERS, RECURRENT_ACTIVATIONS, NetworkSpec


class RecurrentNetwork:
    """Parameters and structure; everything that depends on a batch lives in a `RecurrentPass`.

    The parameters are, in this order, "cell.input_weight" (inputs, gates · hidden), "cell.bias" (gates · hidden,),
    "cell.recurrent_weight" (hidden, gates · hidden), "out.bias" (outputs,) and "out.weight" (hidden, outputs). The plain RNN has
    one gate's worth of columns, the LSTM four blocks: output, input, forget gate and candidate (`gates`).

    Args:
        kind: "rnn" or "lstm".
        activation: "tanh", "relu" or "identity"; in the LSTM that of the candidate and of the cell's output, its gates are sigmoid.
        loss: "mse", "binary_cross_entropy" or "cross_entropy", of the outputs after the last time step.
        forget_bias: first bias of the LSTM's forget gates (Gers et al. 2000); the larger, the longer the cell remembers at first.
        spectral_radius: each recurrent matrix starts orthogonal (Saxe et al. 2014), times this where it is given: then all its
            eigenvalues lie on the circle of this radius, and all its singular values are equal to it.
        time: over how many time steps it is unrolled; it reads sequences of any other length as well.
        truncate: through how many time steps, counted from the last one, the gradient goes back; None for all.

    Attributes:
        depth: number of stages: the time steps and the read-out.
        fan_ins, widths, activations: of each stage, as of a layer; the input of each time step beside its state is not counted.

    Raises:
        SpecError: for a name or a number that is not allowed, and when it would be too large.
    """

    def __init__(
        self,
        kind: str,
        inputs: int,
        hidden: int,
        outputs: int,
        activation: str = "tanh",
        loss: str = "mse",
        seed: int = 0,
        forget_bias: float = 1.0,
        spectral_radius: float | None = None,
        dtype: type[np.floating[Any]] = np.float64,
        time: int = 1,
        truncate: int | None = None,
    ) -> None:
        _check(kind, activation, loss, spectral_radius, {"inputs": inputs, "hidden": hidden, "outputs": outputs, "time": time})
        self.kind, self.inputs, self.hidden, self.outputs = kind, inputs, hidden, outputs
        self.activation, self.loss = activation, loss
        self.forget_bias, self.spectral_radius = forget_bias, spectral_radius
        self.gates = CELLS[kind].gates
        self.time, self.truncate = time, truncate
        self.depth = time + 1
        self.widths = (*(hidden,) * time, outputs)
        self.fan_ins = (inputs, *(hidden,) * time)
        self.activations = (*(activation,) * time, "identity")
        self.skips: dict[int, int] = {}
        self.running: dict[str, Floats] = {}
        self.dtype = np.dtype(dtype)
        columns = len(self.gates) * hidden
        size = (inputs + 1 + hidden) * columns + (1 + hidden) * outputs
        if size > MAX_PARAMETERS:
            raise SpecError("network.width", hidden, f"fewer units: there are {size:,} weights, at most {MAX_PARAMETERS:,} fit")
        # a bias lies between the weights of the inputs and of the state: the three are one matrix, and so are the two of the read-out
        shapes = {
            "cell.input_weight": (inputs, columns),
            "cell.bias": (columns,),
            "cell.recurrent_weight": (hidden, columns),
            "out.bias": (outputs,),
            "out.weight": (hidden, outputs),
        }
        self.vector: Floats = np.zeros(size, self.dtype)
        self.parameters: dict[str, Floats] = views(self.vector, shapes)
        self.slices: dict[str, slice] = {}
        start = 0
        for name, values in self.parameters.items():
            self.slices[name] = slice(start, start + values.size)
            start += values.size
        border = self.slices["out.bias"].start
        self.layer_slices = [slice(0, border), slice(border, start)]  # the cell's parameters, the read-out's
        self.initialize(seed)

    def initialize(self, seed: int) -> None:
        """Draw the first weights: Xavier normal, the recurrent ones orthogonal; biases are 0 but for the forget gates'."""
        draw, hidden = INITIALIZERS["xavier_normal"].draw, self.hidden
        radius = 1.0 if self.spectral_radius is None else self.spectral_radius
        for number, gate in enumerate(self.gates):
            rng, block = np.random.default_rng([seed, 1, number]), slice(number * hidden, (number + 1) * hidden)
            self.parameters["cell.input_weight"][:, block] = draw(rng, self.inputs, hidden)
            self.parameters["cell.recurrent_weight"][:, block] = INITIALIZERS["orthogonal"].draw(rng, hidden, hidden) * radius
            self.parameters["cell.bias"][block] = self.forget_bias if gate == "forget" else 0.0
        self.parameters["out.weight"][:] = draw(np.random.default_rng([seed, 1, len(self.gates)]), hidden, self.outputs)
        self.parameters["out.bias"][:] = 0.0

    def set_values(self, entries: Sequence[str]) -> None:
        """See `Network.set_values`."""
        place_values(self.parameters, entries)

    @property
    def whole_at(self) -> tuple[int, int]:
        """The stage at which back-propagation has the whole gradient of each of `layer_slices`: the cell's at the first time step."""
        return 1, self.depth

    @property
    def measured_counts(self) -> NDArray[np.int64]:
        """(stages,) of how many numbers each gradient norm is the length: units of a time step, weights of the read-out."""
        return np.array([*(self.hidden,) * self.time, self.hidden * self.outputs])

    @property
    def work(self) -> int:
        """Multiply-adds of a forward pass, per example."""
        return self.time * self.shared_work + self.hidden * self.outputs

    @property
    def shared_work(self) -> int:
        """Those of them that several threads could share at a time: of one time step, as the next one waits for it."""
        return (self.inputs + 1 + self.hidden) * len(self.gates) * self.hidden

    def architecture(self, input_names: tuple[str, ...], output_names: tuple[str, ...]) -> Architecture:
        """What the canvas draws: a column per time step. Of the input it shows the first time step's alone."""
        lstm = self.kind == "lstm"
        layers = tuple(
            layer_info(f"t{stage}" if stage < self.depth else "Out", *sizes, False, stage - 1 if lstm and 1 < stage < self.depth else None)
            for stage, sizes in enumerate(zip(self.fan_ins, self.widths, self.activations, strict=True), 1)
        )
        return Architecture(layers, input_names, output_names, self.vector.size, self.kind, self.gates)

    def numbers_kept(self) -> int:
        """How many numbers a `RecurrentPass` keeps per sequence, for the way back."""
        # each time step's input, 1 and state, both flat and in order, and its input once more; then what the cell keeps
        return (self.time + 1) * (3 * self.inputs + 2 + (26 if self.kind == "lstm" else 6) * self.hidden)

    def make_pass(self, batch: int, update_running: bool = True) -> RecurrentPass:
        """Buffers for batches of this size, through as many time steps as it is unrolled over; it has no running statistics."""
        return RecurrentPass(self, batch, self.time)

    def cell_matrix(self, vector: Floats) -> Floats:
        """(inputs + 1 + hidden, gates · hidden): the view of the cell's part of a flat vector as one matrix."""
        return vector[self.layer_slices[0]].reshape(self.inputs + 1 + self.hidden, -1)

    def read_out_matrix(self, vector: Floats) -> Floats:
        """(1 + hidden, outputs): the view of the read-out's part of a flat vector as one matrix."""
        return vector[self.layer_slices[1]].reshape(1 + self.hidden, -1)

    def radii(self) -> Floats:
        """(gates,) the present spectral radius, largest |eigenvalue|, of each recurrent matrix; NaN where it is not finite."""
        blocks = self.parameters["cell.recurrent_weight"].reshape(self.hidden, -1, self.hidden).transpose(1, 0, 2)
        finite = [bool(np.isfinite(block).all()) for block in blocks]
        return np.array([np.abs(np.linalg.eigvals(b)).max() if good else np.nan for b, good in zip(blocks, finite, strict=True)])

    def loss_and_gradients(self, inputs: Floats, targets: NDArray[Any], truncate: int | None = None) -> tuple[float, dict[str, Floats]]:
        """Loss and its gradient for one batch; nothing is updated.

        Args:
            inputs: (batch, time, features).
            targets: (batch,) class numbers or values, or (batch, outputs) values.
            truncate: through how many time steps the gradient goes back; None for as many as the network's own `truncate` says.

        Raises:
            ValueError: when the shapes do not fit the network.
        """
        inputs = self._sequences(inputs)
        run = RecurrentPass(self, *inputs.shape[:2])
        run.load(inputs)
        encoded = loss_named(self.loss).encode(targets, self.outputs)
        if encoded.shape[-1] != run.batch:
            raise ValueError(f"{run.batch} inputs, but {encoded.shape[-1]} targets")
        with np.errstate(all="ignore"):
            run.forward()
            loss = run.evaluate(encoded)
            run.backward(truncate)
        return loss, run.gradients

    def predict(self, inputs: Floats) -> Floats:
        """The outputs (batch, outputs) after the last time step, before any softmax or sigmoid; ``inputs`` (batch, time, features)."""
        inputs = self._sequences(inputs)
        run = RecurrentPass(self, len(inputs), 1)  # nothing goes back, so one time step after the other finds room in the same buffers
        with np.errstate(all="ignore"):
            for t in range(inputs.shape[1]):
                if t:
                    run.cell.go_on()
                run.load(inputs[:, t : t + 1])
                run.cell.forward(1)
            run.forward_stages[-1]()
        return run.outputs.T

    def _sequences(self, inputs: Floats) -> Floats:
        inputs = np.asarray(inputs)
        if inputs.ndim != 3 or inputs.shape[2] != self.inputs or not inputs.size:
            raise ValueError(f"inputs have shape {inputs.shape}; the network reads (batch, time, {self.inputs})")
        return inputs


class RecurrentPass:
    """Forward and backward through all time steps of one batch: all buffers, allocated once.

    Attributes:
        inputs: (time, features, batch), to be filled before `forward`; `load` and `fetch` do it.
        cell: keeps, for each time step, states, deltas and gradients (`Cell`), for an LSTM also gates and memories (`LSTMCell`).
        outputs: (outputs, batch) after the last time step.
        output_deltas: (outputs, batch) ∂L/∂outputs.
        gradient: the flat gradient, laid out as `RecurrentNetwork.vector`.
        gradients: the same as named views.
        forward_stages, backward_stages: what `forward` and `backward` do, stage by stage: time steps, then the read-out.
        first: the time step at which the last backward pass stopped; 1 when it was not truncated.
    """

    def __init__(self, network: RecurrentNetwork, batch: int, time: int) -> None:
        self.network, self.batch, self.time = network, batch, time
        self.gradient: Floats = np.zeros_like(network.vector)
        self.gradients: dict[str, Floats] = views(self.gradient, {name: p.shape for name, p in network.parameters.items()})
        hidden, features = network.hidden, network.inputs
        feed = np.zeros((time + 1, features + 1 + hidden, batch), network.dtype)
        feed[:, features] = 1.0
        self.inputs: Floats = feed[:-1, :features]
        self._fetched = np.empty(self.inputs.shape, network.dtype)
        activation = ACTIVATIONS[network.activation]
        matrix, gradient = network.cell_matrix(network.vector), network.cell_matrix(self.gradient)
        self.cell = CELLS[network.kind](matrix, gradient, feed, hidden, activation)
        self.outputs: Floats = np.zeros((network.outputs, batch), network.dtype)
        self.output_deltas: Floats = np.zeros_like(self.outputs)
        self.first = 1
        self._read = feed[-1, features:]  # [1; h_T]
        self._read_out = network.read_out_matrix(network.vector)
        self._read_out_gradient = network.read_out_matrix(self.gradient)
        self._evaluate = loss_named(network.loss).evaluate
        self._contribution = np.empty((hidden, len(network.gates) * hidden), network.dtype)
        steps = range(1, time + 1)
        self.forward_stages: list[Callable[[], None]] = [*(partial(self.cell.forward, t) for t in steps), self._forward_read_out]
        self.backward_stages: list[Callable[[], None]] = [*(partial(self._backward_step, t) for t in steps), self._begin_backward]
        self.weight_gradients = [self.gradients["out.weight"].ravel()]

    def load(self, inputs: Floats) -> None:
        """Take in the sequences of this batch: (batch, time, features)."""
        np.copyto(self.inputs, inputs.transpose(1, 2, 0), casting="same_kind")

    def fetch(self, sequences: Floats, chosen: NDArray[np.int64]) -> None:
        """Take in the ``chosen`` (batch,) of many sequences (time, features, examples), without allocating anything."""
        # mode="clip" lets NumPy write straight into the buffer; the indices are in range by construction
        sequences.take(chosen, axis=2, out=self._fetched, mode="clip")
        np.copyto(self.inputs, self._fetched)

    def forward(self) -> None:
        for t in range(1, self.time + 1):
            self.cell.forward(t)
        self._forward_read_out()

    def evaluate(self, encoded: NDArray[Any]) -> float:
        """The loss of the outputs after the last time step; writes ∂L/∂outputs. ``encoded`` as by `Loss.encode`."""
        return self._evaluate(self.outputs, encoded, self.output_deltas)

    def backward(self, truncate: int | None = None) -> None:
        """Back-propagation through time (Werbos 1990), or through the last ``truncate`` time steps only.

        Truncated, the state before those is taken as given: earlier time steps get gradient 0 and add nothing to the weights'.
        """
        self._begin_backward(truncate)
        for t in range(self.time, self.first - 1, -1):
            self._backward_step(t)

    def _backward_step(self, t: int) -> None:
        """Nothing before the time step at which the way back ends. The cell's weights are shared: there their gradient is whole."""
        if t >= self.first:
            self.cell.backward(t, t > self.first)
        if t == self.first:
            self.cell.finish(t)

    def _forward_read_out(self) -> None:
        np.dot(self._read_out.T, self._read, out=self.outputs)

    def _begin_backward(self, truncate: int | None = None) -> None:
        """The read-out's gradients, and the time step at which the way back ends."""
        truncate = self.network.truncate if truncate is None else truncate
        if truncate is not None and truncate < 1:
            raise SpecError("truncate", truncate, "at least 1 time step, or None for all")
        self.first = first = 1 if truncate is None else max(1, self.time - truncate + 1)
        # ∂L/∂W = [1; h_T] · (∂L/∂ŷ)ᵀ,  ∂L/∂h_T = W · ∂L/∂ŷ
        np.dot(self._read, self.output_deltas.T, out=self._read_out_gradient)
        np.dot(self._read_out[1:], self.output_deltas, out=self.cell.state_gradients[-1])
        self.cell.forget(first)
        self.cell.prepare(first)

    def norms(self) -> Floats:
        """(2 · stages,): ‖∂L/∂h_t‖ of each time step and ‖∂L/∂W‖ of the read-out, then ‖∂L/∂z‖ of each stage; read-only."""
        ends = row_norms(np.stack((self.weight_gradients[0],))), row_norms(self.output_deltas[None])
        found = np.concatenate((self.state_gradient_norms(), ends[0], self.delta_norms(), ends[1]))
        found.flags.writeable = False
        return found

    def clipped_norms(self) -> Floats:
        """(stages,) the first half of `norms` after clipping, which changes the weights' gradient and not what came back through time."""
        found = np.concatenate((self.state_gradient_norms(), row_norms(np.stack((self.weight_gradients[0],)))))
        found.flags.writeable = False
        return found

    def first_failure(self, loss: float) -> tuple[int, str] | None:
        """Stage and phase in which the first number of this pass that is not finite appeared; see `Pass.first_failure`."""
        cell = self.cell
        for t, state in enumerate(cell.states, 1):
            if not np.isfinite(state).all():
                return t, "forward"
        if not np.isfinite(self.outputs).all():
            return self.time + 1, "forward"
        if not np.isfinite(loss):
            return self.time + 1, "loss"
        if not np.isfinite(self.output_deltas).all():
            return self.time + 1, "backward"
        for t in range(self.time, 0, -1):
            if not (np.isfinite(cell.state_gradients[t - 1]).all() and np.isfinite(cell.deltas[t - 1]).all()):
                return t, "backward"
        return None if np.isfinite(self.gradient).all() else (1, "backward")

    def state_gradient_norms(self) -> Floats:
        """(time,) ‖∂L/∂h_t‖ over units and batch: what a layer's ‖∂L/∂z‖ is in a net without loops."""
        return row_norms(self.cell.state_gradients)

    def delta_norms(self) -> Floats:
        """(time,) ‖∂L/∂z_t‖ over all gates, units and batch."""
        return row_norms(self.cell.deltas)

    def memory_gradient_norms(self) -> Floats | None:
        """(time,) ‖∂L/∂c_t‖ along the LSTM's highway; None for a plain RNN."""
        return row_norms(self.cell.memory_gradients) if isinstance(self.cell, LSTMCell) else None

    def contribution_norms(self) -> Floats:
        """(time,) Frobenius norm of what each time step adds to ∂L/∂W of the recurrent weights: h_{t−1} · (∂L/∂z_t)ᵀ.

        As costly as half a backward pass: for pictures, not for every step. That of time step 1 is 0, as h_0 is.
        """
        found = np.zeros(self.time)
        flat = self._contribution.ravel()
        with np.errstate(all="ignore"):
            for t in range(max(self.first, 2), self.time + 1):
                np.dot(self.cell.states[t - 2], self.cell.deltas[t - 1].T, out=self._contribution)
                found[t - 1] = norm(flat)
        return found


def build_recurrent(
    spec: NetworkSpec,
    shape: tuple[int, int],
    outputs: int,
    loss: str,
    seed: int,
    dtype: type[np.floating[Any]] = np.float64,
    truncate: int | None = None,
) -> RecurrentNetwork:
    """The recurrent network of a spec with its first weights drawn, for sequences of this ``shape`` (time, features)."""
    time, features = shape
    network = RecurrentNetwork(
        spec.kind,
        features,
        spec.width,
        outputs,
        spec.activation,
        loss,
        seed,
        spec.forget_bias,
        spec.spectral_radius,
        dtype,
        time,
        truncate,
    )
    network.set_values(spec.set_values)
    return network


def _check(kind: str, activation: str, loss: str, spectral_radius: float | None, sizes: dict[str, int]) -> None:
    losses = [name for name, entry in LOSSES.items() if isinstance(entry, Loss)]
    for field, value, allowed in (("kind", kind, CELLS), ("activation", activation, RECURRENT_ACTIVATIONS), ("loss", loss, losses)):
        if value not in allowed:
            raise SpecError(field, value, ", ".join(allowed))
    for field, size in sizes.items():
        if size < 1:
            raise SpecError(field, size, "at least 1")
    if spectral_radius is not None and not 0 <= spectral_radius < np.inf:
        raise SpecError("spectral_radius", spectral_radius, "a number from 0 on, or None for an orthogonal matrix")
