"""What to measure of a training step that has just been done, apart from how it is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.network import Network, parameter_name
from gradviz.snapshot import Architecture, Details, Inspection
from gradviz.training import Trainer, norms

Floats = NDArray[np.floating[Any]]


class Meter:
    """Measures one trainer; what does not change from step to step is worked out once."""

    def __init__(self, trainer: Trainer, architecture: Architecture) -> None:
        self._trainer, self._architecture = trainer, architecture
        network = trainer.network
        units = np.array(network.widths)
        self._units = units
        self._unit_starts = np.concatenate(([0], np.cumsum(units)[:-1]))
        names = [parameter_name(layer, "weight") for layer in range(1, network.depth + 1)]
        self._weights = [network.slices[name] for name in names]
        self._counts = np.array([part.stop - part.start for part in self._weights], float)
        biases = [network.slices.get(parameter_name(layer, "bias")) for layer in range(1, network.depth + 1)]
        self._biases = [part or slice(0, 0) for part in biases]
        # weights that are shown one by one, as positions in the flat vector, beside where they go among the edges
        shown = [
            (np.arange(part.start, part.stop), architecture.edge_slice(layer))
            for layer, part in enumerate(self._weights, 1)
            if not architecture.layers[layer - 1].pooled
        ]
        empty = np.empty(0, np.int64)
        self._single_from = np.concatenate([source for source, _ in shown] or [empty])
        self._single_to = np.concatenate([np.arange(to.start, to.stop) for _, to in shown] or [empty])
        self._pools = [
            _Pool(part, (network.fan_ins[layer - 1], network.widths[layer - 1]), architecture, layer)
            for layer, part in enumerate(self._weights, 1)
            if architecture.layers[layer - 1].pooled
        ]
        self._edges = architecture.edge_slice(network.depth).stop
        self._roots = np.sqrt(self._counts)

    def details(self) -> Details:
        """Everything that is drawn of the last step; arrays are read-only and in float64."""
        trainer, run = self._trainer, self._trainer.run
        with np.errstate(all="ignore"):
            unit_deltas = _row_norms(run.deltas)
            change = trainer.optimizer.change
            hidden = np.concatenate([_moments(layer.outputs) for layer in run.layers], axis=1)
            means = np.add.reduceat(hidden[0], self._unit_starts) / self._units
            squares = np.add.reduceat(hidden[1], self._unit_starts) / self._units
            # the slope at a NaN is unknown, also where a comparison says it is α or 0
            known = np.concatenate([np.isfinite(layer.pre_activations).all(axis=1) for layer in run.layers])
            slopes = np.where(known, run.slopes.mean(axis=1), np.nan)
            dead = known & ~run.slopes.any(axis=1)
            fields = dict(
                gradient_rms=trainer.gradient_norms / self._roots,
                clipped_rms=trainer.clipped_norms / self._roots,
                bias_gradient_norms=norms([trainer.raw_gradient[part] for part in self._biases]),
                weight_norms=norms([trainer.network.vector[part] for part in self._weights]),
                update_norms=norms([change[part] for part in self._weights]),
                delta_rms=trainer.delta_norms / np.sqrt(self._units),
                activation_means=means,
                activation_stds=np.sqrt(np.maximum(squares - means * means, 0.0)),
                mean_slopes=np.add.reduceat(slopes, self._unit_starts) / self._units,
                dead_fractions=np.add.reduceat(dead.astype(float), self._unit_starts) / self._units,
                unit_deltas=unit_deltas,
                edge_gradients=self._pooled(trainer.raw_gradient),
                edge_weights=self._single(trainer.network.vector),
                edge_updates=self._single(change),
                skip_gradients=np.array(
                    [
                        np.linalg.norm(_row_norms(run.layers[to - 1].gradient)) / np.sqrt(self._units[to - 1])
                        for _, to in self._architecture.skips
                    ],
                    float,
                ),
            )
        for array in fields.values():
            array.flags.writeable = False
        return Details(**fields)

    def _single(self, vector: Floats) -> Floats:
        edges = np.full(self._edges, np.nan)
        edges[self._single_to] = vector[self._single_from]
        return edges

    def _pooled(self, vector: Floats) -> Floats:
        edges = self._single(vector)
        for pool in self._pools:
            pool.write(vector, edges)
        return edges


class _Pool:
    """The weights of one tall layer, gathered into blocks: each the RMS of its weights."""

    def __init__(self, part: slice, shape: tuple[int, int], architecture: Architecture, layer: int) -> None:
        info = architecture.layers[layer - 1]
        self._part, self._shape, self._to = part, shape, architecture.edge_slice(layer)
        self._rows = block_starts(shape[0], info.edge_rows)
        self._columns = block_starts(shape[1], info.edge_columns)
        heights, widths = np.diff(np.append(self._rows, shape[0])), np.diff(np.append(self._columns, shape[1]))
        self._counts = np.outer(heights, widths).astype(float)

    def write(self, vector: Floats, edges: Floats) -> None:
        block = vector[self._part].reshape(self._shape).astype(float, copy=False)
        # a power of two takes the squares into range without rounding; NaN and infinity pass through
        largest = float(np.abs(block).max(initial=0.0))
        scale = 2.0 ** np.floor(np.log2(largest)) if 0.0 < largest < np.inf else 1.0
        scaled = block / scale
        columns = np.add.reduceat(np.multiply(scaled, scaled, out=scaled), self._columns, axis=1)
        sums = np.add.reduceat(columns, self._rows, axis=0)
        edges[self._to] = (np.sqrt(sums / self._counts) * scale).ravel()


def block_starts(count: int, blocks: int) -> NDArray[np.int64]:
    """First index of each of ``blocks`` nearly equal parts of ``count`` units."""
    return np.arange(blocks) * count // blocks


def inspect(network: Network, gradient: Floats, architecture: Architecture, layer: int, row: int, column: int) -> Inspection:
    """The exact weights and gradients behind one shown edge: a single weight, or all of a pooled block.

    Raises:
        ValueError: when there is no such layer or edge.
    """
    if not 1 <= layer <= network.depth:
        raise ValueError(f"layer {layer} does not exist; there are layers 1 to {network.depth}")
    info = architecture.layers[layer - 1]
    if not (0 <= row < info.edge_rows and 0 <= column < info.edge_columns):
        raise ValueError(f"edge ({row}, {column}) does not exist; layer {layer} shows {info.edge_rows} × {info.edge_columns}")
    rows = np.append(block_starts(info.fan_in, info.edge_rows), info.fan_in)[row : row + 2]
    columns = np.append(block_starts(info.units, info.edge_columns), info.units)[column : column + 2]
    name = parameter_name(layer, "weight")
    cut = np.s_[rows[0] : rows[1], columns[0] : columns[1]]
    weights = network.parameters[name][cut].astype(float)
    gradients = gradient[network.slices[name]].reshape(info.fan_in, info.units)[cut].astype(float)
    weights.flags.writeable = gradients.flags.writeable = False
    return Inspection(layer, (int(rows[0]), int(rows[1])), (int(columns[0]), int(columns[1])), weights, gradients)


def _moments(values: Floats) -> Floats:
    """(2, units): each unit's mean and mean square over the batch."""
    batch = values.shape[1]
    moments: Floats = np.stack((values.sum(axis=1), np.einsum("ij,ij->i", values, values))) / batch
    return moments


def _row_norms(values: Floats) -> Floats:
    """The length of each row, without overflow or underflow of the squares."""
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=float))
    odd = ~((lengths > 1e-140) & (lengths < 1e150))
    if odd.any():
        rows = values[odd].astype(float)
        largest = np.abs(rows).max(axis=1, initial=0.0)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
        lengths[odd] = np.sqrt(np.square(rows / scale[:, None]).sum(axis=1)) * scale
    return lengths
