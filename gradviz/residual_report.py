"""The two ways of a gradient through a residual block: over the skip, whose derivative is 1, and through the branch."""

from __future__ import annotations

import functools
import math

import numpy as np

from gradviz.arrays import Floats
from gradviz.clipping import norm
from gradviz.history import frozen
from gradviz.history_table import HistoryTable
from gradviz.lab_reports import ResidualReport
from gradviz.network import parameter_name, skip_sources
from gradviz.snapshot import Moment
from gradviz.spec import Spec
from gradviz.training import Trainer, feed_forward

SPANS = (2, 1)  # of a residual block, as a net without any may get them: the first that fits


def residual_report(trainer: Trainer, spec: Spec, moment: Moment | None = None, rival: HistoryTable | None = None) -> ResidualReport:
    """The gradient ∂L/∂h where each block begins, in its two parts; NaN where back-propagation has not come in the step in work.

    Args:
        trainer: whose last pass is looked at.
        spec: what the trainer runs.
        moment: where in the step in work the run stands.
        rival: the record of the net that this one is compared with, `rival_spec`, if it has been trained.
    """
    network, run = feed_forward(trainer)
    blocks = tuple((start, end) for end, start in network.skips.items())
    parts = np.full((2, len(blocks)), np.nan)
    started = trainer.steps > 0 or moment is not None
    vector = trainer.passed_with if blocks and started else network.vector
    with np.errstate(all="ignore"):
        for number, (start, end) in enumerate(blocks):
            if started and (moment is None or moment.reached(start + 1)):
                weight = vector[network.slices[parameter_name(start + 1, "weight")]].reshape(network.fan_ins[start], -1)
                # the branch worked out anew: total − skip would lose one that is far smaller than the skip
                parts[:, number] = _size(run.layers[end - 1].gradient), _size(weight @ run.layers[start].sum_deltas)
    return ResidualReport(blocks, frozen(parts[0]), frozen(parts[1]), rival_spec(spec), rival)


def _size(carried: Floats) -> float:
    """RMS over units of the length over the batch, of an array (units, batch)."""
    return norm(carried.ravel()) / math.sqrt(len(carried))


@functools.lru_cache(maxsize=8)  # asked before every step while a rival is trained
def rival_spec(spec: Spec) -> Spec:
    """The same experiment without skips, or with them where it has none; the spec itself when no skip fits into the net."""
    if spec.training.method == "pretraining":
        return spec  # levels are trained one by one: a skip would join them
    if skip_sources(spec.network):
        return spec.replace("network.skip_every", 0)
    for span in SPANS:
        other = spec.replace("network.skip_every", span)
        if skip_sources(other.network):
            return other
    return spec
