"""Exact numbers of what somebody points at or has selected: a block of weights, one weight and how it has moved, one unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.checkpoints import State
from gradviz.measure import block_starts
from gradviz.network import Network, parameter_name
from gradviz.selected import Inspection, UnitInspection, WeightInspection
from gradviz.snapshot import Architecture, Moment
from gradviz.training import Trainer, feed_forward

HISTORY_POINTS = 1024


def inspect_block(network: Network, gradient: Floats, architecture: Architecture, layer: int, row: int, column: int) -> Inspection:
    """The exact weights and gradients behind one shown edge: a single weight, or all of a pooled block.

    Raises:
        ValueError: when there is no such layer or edge.
    """
    rows, columns = block_of(architecture, layer, row, column)
    name = parameter_name(layer, "weight")
    cut = np.s_[slice(*rows), slice(*columns)]
    weights = network.parameters[name][cut].astype(float)
    gradients = gradient[network.slices[name]].reshape(network.parameters[name].shape)[cut].astype(float)
    weights.flags.writeable = gradients.flags.writeable = False
    return Inspection(layer, rows, columns, weights, gradients)


def block_of(architecture: Architecture, layer: int, row: int, column: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """From and to (exclusive) of the rows and columns behind a shown edge."""
    depth = len(architecture.layers)
    if not 1 <= layer <= depth:
        raise ValueError(f"layer {layer} does not exist; there are layers 1 to {depth}")
    info = architecture.layers[layer - 1]
    if not (0 <= row < info.edge_rows and 0 <= column < info.edge_columns):
        raise ValueError(f"edge ({row}, {column}) does not exist; layer {layer} shows {info.edge_rows} × {info.edge_columns}")
    rows = np.append(block_starts(info.fan_in, info.edge_rows), info.fan_in)[row : row + 2].tolist()
    columns = np.append(block_starts(info.units, info.edge_columns), info.units)[column : column + 2].tolist()
    return (rows[0], rows[1]), (columns[0], columns[1])


def inspect_weight(
    trainer: Trainer, moment: Moment | None, gradient: Floats, states: list[State], layer: int, row: int, column: int, of_block: int
) -> WeightInspection:
    """One weight: ``gradient`` is the flat one before clipping, ``states`` the checkpoints its history is read from."""
    network, run = feed_forward(trainer)
    name = parameter_name(layer, "weight")
    offset = row * network.widths[layer - 1] + column
    place = network.slices[name].start + offset
    whole = moment is None or moment.measured
    feed = run.inputs if layer == 1 else run.layers[layer - 2].outputs
    started = trainer.steps > 0 or moment is not None
    known = started and trainer.level in (0, layer)
    reached = known and (moment is None or moment.reached(layer))
    sent = known and (moment is None or layer == 1 or moment.sent(layer if moment.level else layer - 1))
    steps, values = weight_history(trainer, states, name, place)
    return WeightInspection(
        parameter=name,
        layer=layer,
        row=row,
        column=column,
        weight=float(network.vector[place]),
        gradient=float(gradient[place]) if reached else np.nan,
        clipped_gradient=float(trainer.run.gradient[place]) if reached and whole else float(gradient[place]) if reached else np.nan,
        change=float(trainer.optimizer.change[place]) if trainer.steps else np.nan,
        sent=float(feed[row].mean()) if sent else np.nan,
        steps=steps,
        values=values,
        block=of_block,
    )


def weight_history(trainer: Trainer, states: list[State], name: str, place: int) -> tuple[NDArray[np.int64], Floats]:
    """(n,) steps and the values that the parameter of this name and place had after them, thinned evenly; the present is one of them."""
    network = trainer.network
    offset = place - network.slices[name].start
    states = states[:: max(1, -(-len(states) // HISTORY_POINTS))]
    history = {state.steps: float(state.vector[state.slices[name].start + offset]) for state in states}
    history[trainer.steps] = float(network.vector[place])
    steps = np.array(sorted(history), np.int64)
    return steps, np.array([history[step] for step in steps.tolist()])


def inspect_unit(trainer: Trainer, moment: Moment | None, gradient: Floats, layer: int, unit: int) -> UnitInspection:
    """One unit of a layer, or of the input column (layer 0); raises ValueError when there is none."""
    network, run = feed_forward(trainer)
    if not (0 <= layer <= network.depth and 0 <= unit < (network.inputs if layer == 0 else network.widths[layer - 1])):
        raise ValueError(f"layer {layer} has no unit {unit}")
    unknown = np.full(run.batch, np.nan)
    started = trainer.steps > 0 or moment is not None
    if layer == 0:
        return UnitInspection(0, unit, unknown, unknown, _copy(run.inputs[unit]) if started else unknown, unknown)
    known = started and trainer.level in (0, layer)
    sent = known and (moment is None or moment.sent(layer))
    reached = known and (moment is None or moment.reached(layer))
    own = run.layers[layer - 1]
    start = sum(network.widths[: layer - 1])
    parameters = []
    for kind in ("bias", "scale", "shift", "alpha"):
        place = network.slices.get(parameter_name(layer, kind))
        if place is not None:
            at = place.start + (unit if kind != "alpha" else 0)
            parameters.append((kind, float(network.vector[at]), float(gradient[at]) if reached else np.nan))
    return UnitInspection(
        layer=layer,
        unit=unit,
        pre_activations=_copy(own.pre_activations[unit]) if sent else unknown,
        slopes=_copy(run.slopes[start + unit]) if reached else unknown,
        outputs=_copy(own.outputs[unit]) if sent else unknown,
        deltas=_copy(own.deltas[unit]) * run.batch if reached else unknown,
        parameters=tuple(parameters),
    )


def strongest_weight(
    gradient: Floats, trainer: Trainer, architecture: Architecture, layer: int, row: int, column: int
) -> tuple[int, int, int]:
    """The weight with the largest gradient behind a shown edge: its row and column, and of how many weights.

    Raises:
        ValueError: when there is no such edge.
    """
    rows, columns = block_of(architecture, layer, row, column)
    own = gradient[trainer.network.slices[parameter_name(layer, "weight")]]
    own = own.reshape(trainer.network.fan_ins[layer - 1], -1)[slice(*rows), slice(*columns)]
    at = int(np.argmax(np.nan_to_num(np.abs(own), nan=np.inf)))
    return rows[0] + at // own.shape[1], columns[0] + at % own.shape[1], own.size


def weakest_weight(gradient: Floats, trainer: Trainer, layer: int) -> tuple[int, int]:
    """Row and column of the layer's weight with the smallest gradient that is not 0; the first one when all are."""
    own = np.abs(gradient[trainer.network.slices[parameter_name(layer, "weight")]])
    at = int(np.argmin(np.where(own > 0, own, np.inf)))
    return divmod(at, trainer.network.widths[layer - 1])


def _copy(values: Floats) -> NDArray[np.float64]:
    return np.array(values, float)
