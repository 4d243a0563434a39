"""Every way to draw the first weights, tried on the same network, data and seed before any training."""

from __future__ import annotations

import msgspec
import numpy as np

from gradviz.arrays import Floats
from gradviz.clipping import norm
from gradviz.data import Data
from gradviz.history import frozen
from gradviz.initializers import INITIALIZERS
from gradviz.lab_reports import InitialisationStudy, Scheme
from gradviz.losses import loss_named
from gradviz.network import Network, Pass, build, parameter_name
from gradviz.norms import norms
from gradviz.objective import output_count, resolve_loss
from gradviz.spec import Spec
from gradviz.training import Batches

MOST_EXAMPLES = 256
FEWEST_EXAMPLES = 8
MOST_WORK = 4e9  # multiply-adds that all schemes together may cost; only nets of half a million weights get fewer examples for it


def initialisation_study(spec: Spec, data: Data) -> InitialisationStudy:
    """One pass forward and back for each initialiser, over the first mini-batch of the run (at most 256 examples of it).

    Gain, seed, batch norm, skips and all else are those of ``spec``.

    Raises:
        SpecError, TargetError: when the loss does not fit the data.
    """
    loss = resolve_loss(spec.training.loss, data)
    dtype = np.float32 if spec.training.precision == "float32" else np.float64
    chosen = data.train[Batches(len(data.train), spec.training.batch_size, spec.training.seed).next()]
    run: Pass | None = None
    schemes = []
    for name in INITIALIZERS:
        network_spec = msgspec.structs.replace(spec.network, initializer=name)
        network = build(network_spec, data.features, output_count(loss, data), loss, spec.training.seed, dtype)
        chosen = chosen[: _examples(network)]
        targets = loss_named(loss).encode(data.targets[chosen], network.outputs)
        if run is None:
            run = Pass(network, len(chosen), update_running=False)  # its buffers serve all schemes
        np.copyto(run.network.vector, network.vector)
        with np.errstate(all="ignore"):
            run.inputs[:] = data.inputs[chosen].T
            run.forward()
            run.evaluate(targets.astype(dtype) if targets.dtype.kind == "f" else targets)
            run.backward()
            schemes.append(_scheme(name, run))
    return InitialisationStudy(tuple(schemes), spec.network.initializer)


def _examples(network: Network) -> int:
    weights = sum(fan_in * units for fan_in, units in zip(network.fan_ins, network.widths, strict=True))
    return int(np.clip(MOST_WORK / (3 * len(INITIALIZERS) * weights), FEWEST_EXAMPLES, MOST_EXAMPLES))


def _scheme(name: str, run: Pass) -> Scheme:
    network = run.network
    weights = [run.gradient[network.slices[parameter_name(layer, "weight")]] for layer in range(1, network.depth + 1)]
    stds = np.array([_spread(layer.outputs) for layer in run.layers])
    deltas = norms([layer.deltas.ravel() for layer in run.layers])
    rms = norms(weights) / np.sqrt([part.size for part in weights])
    last = network.depth - 2  # row of the last hidden layer
    forward, backward = _factor(stds[0], stds[last], last), _factor(deltas[last], deltas[0], last)
    return Scheme(name, frozen(stds), frozen(deltas), frozen(rms), forward, backward)


def _factor(first: float, last: float, layers: int) -> float:
    """By how much a value changes per layer on the way from first to last; NaN where both are 0, or with a single layer."""
    return float((np.float64(last) / np.float64(first)) ** (1.0 / layers)) if layers else np.nan


def _spread(values: Floats) -> float:
    """Standard deviation over units and batch, also where its square leaves the range of the numbers."""
    centred = np.subtract(values, values.mean(dtype=float), dtype=float).ravel()
    return norm(centred) / float(np.sqrt(centred.size))
