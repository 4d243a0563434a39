"""A net of identity activations, multiplied out: however deep, it is one linear map, and this is that map."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.lab_reports import LinearMap
from gradviz.layers import BATCH_NORM_EPSILON
from gradviz.network import Network, parameter_name

CHUNK_NUMBERS = 2**20  # of the widest layer's array, so that the memory does not grow with the data


def linear_map(network: Network, inputs: Floats) -> LinearMap:
    """The product of all weight matrices, biases and skips (and batch norm with its running statistics) as one matrix and bias.

    Args:
        network: whose present parameters are multiplied out, in float64.
        inputs: (examples, features) on which the map is compared with `Network.predict`.

    Returns:
        The map; with a ``reason`` in its place where an activation is not the identity.
    """
    bent = [layer for layer, name in enumerate(network.activations, 1) if name != "identity"]
    if bent:
        empty = np.empty((0, 0)), np.empty(0)
        for array in empty:
            array.flags.writeable = False
        return LinearMap(*empty, network.depth, np.nan, np.nan, _reason(network, bent))
    with np.errstate(all="ignore"):
        matrix, bias = _multiply_out(network)
        difference = largest = 0.0
        rows = max(1, CHUNK_NUMBERS // max(*network.widths, *network.fan_ins))
        for start in range(0, len(inputs), rows):
            part = np.asarray(inputs[start : start + rows], float)
            outputs = network.predict(part)
            difference = float(np.maximum(difference, np.abs(outputs - (part @ matrix + bias)).max()))  # max() would lose a NaN
            largest = float(np.maximum(largest, np.abs(outputs).max()))
    matrix.flags.writeable = bias.flags.writeable = False
    return LinearMap(matrix, bias, network.depth, difference, largest)


def _multiply_out(network: Network) -> tuple[Floats, Floats]:
    """The matrix (inputs, outputs) and the bias (outputs,) of the whole net."""
    parameters = network.parameters
    # what each unit makes of an input: a column of factors, and below it a constant
    value: Floats = np.eye(network.inputs + 1, network.inputs)
    kept: dict[int, Floats] = {}
    for layer in range(1, network.depth + 1):
        value = value @ np.asarray(parameters[parameter_name(layer, "weight")], float)
        bias = parameters.get(parameter_name(layer, "bias"))
        if bias is not None:
            value[-1] += bias
        else:
            spread = np.sqrt(network.running[parameter_name(layer, "variance")] + BATCH_NORM_EPSILON)
            value[-1] -= network.running[parameter_name(layer, "mean")]
            value *= parameters[parameter_name(layer, "scale")] / spread
            value[-1] += parameters[parameter_name(layer, "shift")]
        if layer in network.skips:
            value += kept.pop(network.skips[layer])  # h + M h = (1 + M) h
        if layer in network.skips.values():
            kept[layer] = value
    return np.ascontiguousarray(value[:-1]), value[-1].copy()


def _reason(network: Network, bent: Sequence[int]) -> str:
    names = dict.fromkeys(network.activations[layer - 1] for layer in bent)
    groups = [f"{ACTIVATIONS[name].title} in {_ranges([at for at in bent if network.activations[at - 1] == name])}" for name in names]
    count = "1 layer has" if len(bent) == 1 else f"{len(bent)} layers have"
    return f"{count} an activation that is not the identity: {', '.join(groups)}."


def _ranges(layers: Sequence[int]) -> str:
    """Layer numbers in words: "L1 to L4, L7"."""
    runs = [[layer for _, layer in run] for _, run in itertools.groupby(enumerate(layers), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"L{run[0]}" if len(run) == 1 else f"L{run[0]} to L{run[-1]}" for run in runs)
