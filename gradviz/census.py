"""Dead and saturated units, counted over the whole training set: a mini-batch alone would call units dead that are only idle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.layers import BATCH_NORM_EPSILON
from gradviz.network import Network, parameter_name
from gradviz.snapshot import Census

SATURATED = 0.95  # a unit is saturated when f′ is small for more than this share of the examples
CHUNK_NUMBERS = 2**18  # of the widest layer's array: some 2 MB, so that a few of them stay in the cache


def census(network: Network, inputs: Floats, rows: NDArray[np.int64] | None = None, most_work: float = np.inf) -> Census:
    """Which units do not learn, with the present parameters and batch norm as in evaluation; changes nothing.

    Args:
        inputs: (n, features).
        rows: (examples,), which of them are the training set; all if None.
        most_work: multiply-adds that it may cost; of a set that would cost more so many examples are taken, evenly spread, as
            `Census.examples` says.
    """
    units = sum(network.widths)
    weights = sum(fan_in * width for fan_in, width in zip(network.fan_ins, network.widths, strict=True))
    available = len(inputs) if rows is None else len(rows)
    examples = int(max(1, min(available, most_work // weights)))
    zero, small = np.zeros(units, np.int64), np.zeros(units, np.int64)
    chunk = max(1, CHUNK_NUMBERS // max(*network.widths, *network.fan_ins))
    with np.errstate(all="ignore"):
        for start in range(0, examples, chunk):
            chosen = np.arange(start, min(start + chunk, examples)) * available // examples
            part = np.asarray(inputs[chosen if rows is None else rows[chosen]], network.dtype)
            unit = 0
            for layer, z in _pre_activations(network, part):
                activation = ACTIVATIONS[network.activations[layer - 1]]
                slopes = activation.derivative(z, _parameter(network, layer))
                slopes[np.isnan(z)] = np.nan  # a comparison gives ReLU a slope also there
                own = slice(unit, unit := unit + network.widths[layer - 1])
                zero[own] += np.count_nonzero(slopes == 0.0, axis=0)
                small[own] += np.count_nonzero(activation.is_small(slopes), axis=0)
    dead = zero == examples
    saturated = (small > SATURATED * examples) & ~dead
    starts = np.cumsum([0, *network.widths[:-1]])
    found = Census(
        examples=examples,
        dead=dead,
        saturated=saturated,
        dead_counts=np.add.reduceat(dead.astype(np.int64), starts),
        saturated_counts=np.add.reduceat(saturated.astype(np.int64), starts),
        small_shares=np.add.reduceat(small, starts) / (examples * np.array(network.widths)),
        available=available,
    )
    for array in (found.dead, found.saturated, found.dead_counts, found.saturated_counts, found.small_shares):
        array.flags.writeable = False
    return found


def _pre_activations(network: Network, value: Floats) -> Iterator[tuple[int, Floats]]:
    """Each hidden layer's number and z (examples, units), of the forward pass in evaluation mode."""
    parameters, sources = network.parameters, set(network.skips.values())
    kept: dict[int, Floats] = {}
    for layer in range(1, network.depth):
        value = value @ parameters[parameter_name(layer, "weight")]
        bias = parameters.get(parameter_name(layer, "bias"))
        if bias is not None:
            value += bias
        else:
            spread = np.sqrt(network.running[parameter_name(layer, "variance")] + BATCH_NORM_EPSILON)
            value -= network.running[parameter_name(layer, "mean")]
            value *= parameters[parameter_name(layer, "scale")] / spread
            value += parameters[parameter_name(layer, "shift")]
        yield layer, value
        value = ACTIVATIONS[network.activations[layer - 1]].function(value, _parameter(network, layer))
        if layer in network.skips:
            value += kept.pop(network.skips[layer])
        if layer in sources:
            kept[layer] = value


def _parameter(network: Network, layer: int) -> float:
    alpha = network.parameters.get(parameter_name(layer, "alpha"))
    return network.activation_parameter(layer) if alpha is None else float(alpha[0])
