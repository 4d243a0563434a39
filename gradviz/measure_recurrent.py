"""What to measure of a training step of a recurrent net: the details of each time step, as `measure` does it for layers."""

from __future__ import annotations

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.measure import GradientMeter, block_starts, row_norms
from gradviz.norms import row_norms as lengths
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.recurrent_cells import LSTMCell, PlainCell
from gradviz.snapshot import Architecture, Details, Moment
from gradviz.training import Trainer

CHUNK_NUMBERS = 1_000_000  # what time steps add to the gradient is worked out for so many numbers at once


class RecurrentMeter(GradientMeter):
    """Measures one trainer of a recurrent net."""

    def __init__(self, trainer: Trainer, architecture: Architecture) -> None:
        super().__init__(trainer, architecture)
        network, run = trainer.network, trainer.run
        assert isinstance(network, RecurrentNetwork)
        assert isinstance(run, RecurrentPass)
        self._network, self._run = network, run

    def details(self, moment: Moment | None = None, example: int | None = None) -> Details:
        """See `GradientMeter.details`."""
        trainer, network, run = self._trainer, self._network, self._run
        cell = run.cell
        # of one example alone its own loss counts, of which the mini-batch has taken the mean
        chosen, scale = (slice(None), 1.0) if example is None else (slice(example, example + 1), float(run.batch))
        with np.errstate(all="ignore"):
            returned = cell.state_gradients[..., chosen] * scale
            deltas = cell.deltas[..., chosen] * scale
            out_deltas = run.output_deltas[:, chosen] * scale
            out_gradient = self._read_out_gradient(moment) if example is None else np.outer(cell.states[-1][:, example], out_deltas)
            if example is None:
                norms_before, norms_after, delta_norms, _ = self.norms(moment)
            else:
                norms_before = norms_after = np.append(lengths(returned), lengths(out_gradient[None]))
                delta_norms = np.append(lengths(deltas), lengths(out_deltas[None]))
            roots = np.sqrt(network.measured_counts)
            delta_roots = np.sqrt([*[deltas.shape[1]] * network.time, network.outputs])
            slopes, dead = self._slopes()
            change = trainer.optimizer.change
            fields: dict[str, Floats] = dict(
                gradient_rms=norms_before / roots,
                clipped_rms=norms_after / roots,
                bias_gradient_norms=np.append(lengths(deltas.sum(axis=2)), lengths(out_deltas.sum(axis=1)[None])),
                weight_norms=self._weight_norms(network.vector),
                update_norms=self._weight_norms(change),
                delta_rms=delta_norms / delta_roots,
                activation_means=np.append(cell.states.mean(axis=(1, 2), dtype=float), run.outputs.mean(dtype=float)),
                activation_stds=np.append(cell.states.std(axis=(1, 2), dtype=float), run.outputs.std(dtype=float)),
                mean_slopes=np.append(slopes, 1.0),
                dead_fractions=np.append(dead, 0.0),
                unit_deltas=np.append(row_norms(returned.reshape(-1, returned.shape[2])), row_norms(out_deltas)),
                edge_gradients=self._edge_gradients(deltas, chosen, out_gradient),
                edge_weights=self._shared_edges(network.vector),
                edge_updates=self._shared_edges(change),
                skip_gradients=self._carried(chosen) * scale,
            )
            if isinstance(cell, LSTMCell):
                fields["gates"] = cell.gate_values[..., chosen].mean(axis=(2, 3), dtype=float)
            if moment is not None and (not trainer.steps or example is not None):
                fields = {name: np.array(values) for name, values in fields.items()}
                self._forget_unreached(fields, moment)
        for name, array in fields.items():
            fields[name] = array = np.asarray(array, float)
            array.flags.writeable = False
        return Details(**fields)

    def _read_out_gradient(self, moment: Moment | None) -> Floats:
        network = self._network
        return self.gradient(moment)[network.slices["out.weight"]].reshape(network.hidden, network.outputs)

    def _slopes(self) -> tuple[Floats, Floats]:
        """(time,) the mean factor of each time step, f′(z_t) or the forget gate, and the share of units in which it is always 0."""
        cell = self._run.cell
        if isinstance(cell, PlainCell):
            # a truncated way back ends before it comes by the first time steps, whose slopes are then those of an earlier step
            early = slice(0, self._run.first - 1)
            ACTIVATIONS[self._network.activation].backward(cell.states[early], cell.states[early], cell.slopes[early], 0.0)
            dead = ~cell.slopes.any(axis=2)
            return cell.slopes.mean(axis=(1, 2), dtype=float), dead.mean(axis=1)
        assert isinstance(cell, LSTMCell)
        return cell.gate_values[:, cell.gates.index("forget")].mean(axis=(1, 2), dtype=float), np.zeros(cell.time)

    def _weight_norms(self, vector: Floats) -> Floats:
        """(stages,) of the weights between a stage and the one before it: from the input, recurrent, of the read-out."""
        slices, time = self._network.slices, self._network.time
        names = ("cell.input_weight", "cell.recurrent_weight", "out.weight")
        first, recurrent, last = (float(lengths(vector[slices[name]][None])[0]) for name in names)
        return np.array([first, *[recurrent] * (time - 1), last])

    def _shared_edges(self, vector: Floats) -> Floats:
        """The weight (or its change) behind each shown edge; NaN where several stand behind it: in blocks, and for several gates."""
        network, architecture = self._network, self._architecture
        edges = np.full(architecture.edge_slice(network.depth).stop, np.nan)
        one_gate = len(network.gates) == 1
        names = ("cell.input_weight", *["cell.recurrent_weight"] * (network.time - 1)) if one_gate else ()
        for stage, name in [*enumerate(names, 1), (network.depth, "out.weight")]:
            if not architecture.layers[stage - 1].pooled:
                edges[architecture.edge_slice(stage)] = vector[network.slices[name]]
        return edges

    def _edge_gradients(self, deltas: Floats, chosen: slice, out_gradient: Floats) -> Floats:
        """What each time step adds to the gradient of the shared weights, as it is shown.

        ``deltas`` (time, gates · hidden, batch); of several gates it is the length over them.
        """
        network, run, architecture = self._network, self._run, self._architecture
        edges = np.full(architecture.edge_slice(network.depth).stop, np.nan)
        edges[architecture.edge_slice(1)] = self._shown(1, _added(run.inputs[:1, :, chosen], deltas[:1], network.hidden)).ravel()
        states = run.cell.states[:-1, :, chosen]
        chunk = max(1, CHUNK_NUMBERS // (network.hidden * network.hidden))
        for start in range(0, network.time - 1, chunk):
            part = slice(start, min(start + chunk, network.time - 1))
            added = _added(states[part], deltas[1:][part], network.hidden)
            first, last = architecture.edge_slice(part.start + 2), architecture.edge_slice(part.stop + 1)
            edges[first.start : last.stop] = self._shown(2, added).ravel()
        edges[architecture.edge_slice(network.depth)] = self._shown(network.depth, out_gradient[None]).ravel()
        return edges

    def _shown(self, stage: int, values: Floats) -> Floats:
        """(stages, rows, columns) of (stages, fan-in, units) gradients like those of ``stage``: as they are, or the RMS of each block."""
        info = self._architecture.layers[stage - 1]
        if not info.pooled:
            return values
        rows, columns = block_starts(info.fan_in, info.edge_rows), block_starts(info.units, info.edge_columns)
        largest = float(np.abs(values).max(initial=0.0))
        scale = 2.0 ** np.floor(np.log2(largest)) if 0.0 < largest < np.inf else 1.0
        squares = np.square(values / scale)
        sums = np.add.reduceat(np.add.reduceat(squares, rows, axis=1), columns, axis=2)
        counts = np.outer(np.diff(np.append(rows, info.fan_in)), np.diff(np.append(columns, info.units)))
        found: Floats = np.sqrt(sums / counts) * scale
        return found

    def _carried(self, chosen: slice) -> Floats:
        """(time − 1,) what an LSTM's cell path carries from each time step to the one before; (0,) for a plain RNN."""
        cell = self._run.cell
        if not isinstance(cell, LSTMCell):
            return np.empty(0)
        carried: Floats = lengths(cell.carried_gradients(self._run.first)[..., chosen]) / np.sqrt(self._network.hidden)
        return carried


def _added(before: Floats, deltas: Floats, hidden: int) -> Floats:
    """(time, rows, hidden) from what came before (time, rows, batch) and ``deltas`` (time, gates · hidden, batch)."""
    products: Floats = np.matmul(before, deltas.transpose(0, 2, 1))
    if products.shape[2] == hidden:
        return products
    largest = float(np.abs(products).max(initial=0.0))
    scale = largest if 0.0 < largest < np.inf else 1.0
    gates = (products / scale).reshape(*products.shape[:2], -1, hidden)
    found: Floats = np.sqrt(np.square(gates).sum(axis=2)) * scale
    return found
