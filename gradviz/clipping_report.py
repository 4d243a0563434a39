"""What clipping did to the gradient of a step: its length, its direction, and how often it had to act."""

from __future__ import annotations

import numpy as np

from gradviz.arrays import Floats
from gradviz.clipping import norm
from gradviz.fields import parse_entry
from gradviz.history import History
from gradviz.lab_reports import ClippingReport
from gradviz.snapshot import Moment
from gradviz.training import AnyNetwork, Trainer


def clipping_report(
    trainer: Trainer, history: History, pair: tuple[str, str] | None = None, moment: Moment | None = None
) -> ClippingReport | None:
    """The gradient of the last step before and after clipping; None while none is whole: before the first step, and inside one.

    Args:
        trainer: whose gradient is looked at.
        history: the record of its run, which knows how many steps were clipped.
        pair: names of the two parameters whose plane is looked at, such as "layer03.weight[2,1]"; those of the two largest
            components of the gradient if None.
        moment: where in the step in work the run stands.

    Raises:
        ValueError: when there is no such parameter.
    """
    network, raw, clipped = trainer.network, trainer.raw_gradient, trainer.run.gradient
    places = None if pair is None else (position_of(network, pair[0]), position_of(network, pair[1]))
    if (not trainer.steps and moment is None) or (moment is not None and not moment.measured):
        return None
    with np.errstate(all="ignore"):
        first, second = places or _two_largest(raw)
        steps, norms = history.total_norms()
        return ClippingReport(
            rule=trainer.spec.clip if trainer.clips else "none",
            threshold=trainer.spec.clip_threshold,
            names=(name_of(network, first), name_of(network, second)),
            before=(float(raw[first]), float(raw[second])),
            after=(float(clipped[first]), float(clipped[second])),
            norm_before=trainer.total_norm,
            norm_after=trainer.clipped_norm,
            cosine=_cosine(raw, clipped),
            clipped_steps=history.clipped_steps,
            steps=history.last_step,
            norms=norms,
            norm_steps=steps,
        )


def name_of(network: AnyNetwork, position: int) -> str:
    """The name of the parameter at this position of the flat vector: "layer03.weight[2,1]", or "layer03.bias[4]"."""
    for name, part in network.slices.items():
        if part.start <= position < part.stop:
            index = np.unravel_index(position - part.start, network.parameters[name].shape)
            return f"{name}[{','.join(str(int(at)) for at in index)}]"
    raise ValueError(f"there is no parameter number {position}; there are {network.vector.size}")


def position_of(network: AnyNetwork, name: str) -> int:
    """Where the parameter of that name stands in the flat vector; raises ValueError when there is none."""
    parsed = parse_entry(f"{name} = 0")
    if parsed is not None and parsed[0] in network.parameters:
        index, shape = parsed[1], network.parameters[parsed[0]].shape
        if len(index) == len(shape) and all(at < size for at, size in zip(index, shape, strict=True)):
            return int(network.slices[parsed[0]].start + np.ravel_multi_index(index, shape))
    first, last = name_of(network, 0), name_of(network, network.vector.size - 1)
    raise ValueError(f"{name!r} is not a parameter of this network; there are {first} to {last}")


def _two_largest(gradient: Floats) -> tuple[int, int]:
    sizes = np.abs(gradient)
    first = int(sizes.argmax())  # a NaN counts as the largest
    sizes[first] = -1.0
    return first, int(sizes.argmax())


def _cosine(one: Floats, other: Floats) -> float:
    """Of the angle between two vectors; NaN when one of them is 0 or not finite."""
    lengths = norm(one) * norm(other)
    if one.dtype == np.float64 and 1e-200 < lengths < 1e200:  # the usual case, without copies of large vectors
        return float(np.clip(np.dot(one, other) / lengths, -1.0, 1.0))
    return float(np.clip(np.dot(_unit(one), _unit(other)), -1.0, 1.0))


def _unit(vector: Floats) -> Floats:
    """The vector over its own length, whose square may leave the range of the numbers."""
    largest = float(np.abs(vector).max(initial=0.0))
    scaled: Floats = np.asarray(vector, float) / largest
    scaled /= norm(scaled)
    return scaled
