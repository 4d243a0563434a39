"""How a layer's pre-activations lie on its activation: the histogram that the activation lab draws over f and f′."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.activations import ACTIVATIONS, LIMIT, Activation
from gradviz.arrays import Floats
from gradviz.lab_reports import Distribution
from gradviz.network import Pass, parameter_name
from gradviz.snapshot import Moment
from gradviz.training import Trainer, feed_forward

BINS = 64


def distribution(trainer: Trainer, layer: int = 0, moment: Moment | None = None, bins: int = BINS, limit: float = LIMIT) -> Distribution:
    """The pre-activations z of one layer over the mini-batch of the step that was done last, or is in work.

    Before the first step, and while its signal has not come this far, it is that of the mini-batch that is up.

    Args:
        trainer: whose last pass is looked at.
        layer: number of the layer, counted from 1; 0 for the one with the smallest mean slope.
        moment: where in the step in work the run stands.
        bins: into how many bins the axis from −limit to limit is cut.
        limit: where the axis ends on both sides.

    Raises:
        ValueError: when there is no such layer.
    """
    network, _ = feed_forward(trainer)
    if not 0 <= layer <= network.depth:
        raise ValueError(f"layer {layer} does not exist; there are layers 1 to {network.depth}")
    with np.errstate(all="ignore"):
        run = _pass(trainer, layer, moment)
        layer = layer or _flattest(run)
        own, name = run.layers[layer - 1], network.activations[layer - 1]
        activation, parameter = ACTIVATIONS[name], network.activation_parameter(layer)
        alpha = network.slices.get(parameter_name(layer, "alpha"))
        if alpha is not None:
            parameter = float(trainer.passed_with[alpha][0])
        z = np.asarray(own.pre_activations, float)
        found = distribution_of(z, layer, name, parameter, bins, limit)
        if own.batch_norm is None:
            return found
        before = np.asarray(own.batch_norm.inputs, float)
        counts, share = histogram(before, bins, limit), shares(activation, before, parameter)[0]
        return msgspec.structs.replace(found, before=counts, saturated_before=share)


def distribution_of(z: Floats, layer: int, activation: str, parameter: float, bins: int, limit: float) -> Distribution:
    """How these inputs of an activation lie on it."""
    saturated, zero = shares(ACTIVATIONS[activation], z, parameter)
    edges = np.linspace(-limit, limit, bins + 1)
    edges.flags.writeable = False
    return Distribution(
        layer=layer,
        activation=activation,
        parameter=parameter,
        edges=edges,
        counts=histogram(z, bins, limit),
        outside=(int(np.count_nonzero(z < -limit)), int(np.count_nonzero(z > limit))),
        saturated=saturated,
        zero=zero,
        mean=float(z.mean()),
        spread=float(z.std()),
    )


def layer_to_look_at(trainer: Trainer, moment: Moment | None = None) -> int:
    """The hidden layer with the smallest mean |f′| over the mini-batch, the first of several."""
    with np.errstate(all="ignore"):
        return _flattest(_pass(trainer, 0, moment))


def _pass(trainer: Trainer, layer: int, moment: Moment | None) -> Pass:
    """The last pass, or one made aside while there is none that knows this layer's z (layer 0: the slopes of all layers)."""
    if trainer.level not in (0, layer):  # while one layer is trained by itself, the last pass knows no other
        run, _ = trainer.look_ahead(trainer.chosen)
        assert isinstance(run, Pass)
        return run
    if trainer.steps or (moment is not None and (moment.sent(layer) if layer else moment.reached(1))):
        return feed_forward(trainer)[1]
    run, _ = trainer.look_ahead(trainer.batches.peek() if moment is None else trainer.chosen)
    assert isinstance(run, Pass)
    return run


def _flattest(run: Pass) -> int:
    means = []
    for layer in run.layers[:-1]:
        assert layer.activate is not None, "only the output layer has no activation"
        means.append(float(np.abs(layer.activate.slopes).mean()))
    return int(np.argmin(np.nan_to_num(means, nan=np.inf))) + 1


def shares(activation: Activation, z: Floats, parameter: float) -> tuple[float, float]:
    """Share of z at which f′ is small, and at which it is exactly 0; at a NaN it is neither."""
    slopes = activation.derivative(z, parameter)
    known = ~np.isnan(z)  # a comparison gives ReLU a slope also at NaN
    return float((activation.is_small(slopes) & known).mean()), float(((slopes == 0.0) & known).mean())


def histogram(z: Floats, bins: int, limit: float) -> NDArray[np.int64]:
    """(bins,) how many values lie in each bin from −limit to limit."""
    counts: NDArray[np.int64] = np.histogram(z, bins, (-limit, limit))[0].astype(np.int64)
    counts.flags.writeable = False
    return counts
