"""What the clipping view says about one step: what was done to the gradient, or what a threshold would do."""

from __future__ import annotations

import math

import numpy as np

from gradviz.lab_reports import ClippingReport
from gradviz.snapshot import Snapshot

from ..numbers import short
from .lab_names import angle, angle_text, share_of
from .plots import percent

ROUNDING = {"float64": 1e-5, "float32": 0.1}  # degrees: arccos turns one rounding of a cosine near 1 into such an angle
RULES = (
    ("none", "Off", "Leave the gradient as it is"),
    ("norm", "Norm", "Where ‖g‖ is above the threshold, shorten the whole gradient to it"),
    ("layer_norm", "Layer", "Do so with the gradient of each layer on its own"),
    ("value", "Value", "Cut each component to at most the threshold"),
)


def degrees(report: ClippingReport) -> float:
    """The angle between the whole gradients, before and after; NaN where one of them has no direction."""
    norms = (report.norm_before, report.norm_after)
    return angle(report.cosine) if all(math.isfinite(norm) and norm > 0 for norm in norms) else math.nan


def degrees_text(report: ClippingReport, snapshot: Snapshot) -> str:
    """The angle between the whole gradients, before and after."""
    return angle_text(degrees(report), ROUNDING[snapshot.spec.training.precision])


def turned(report: ClippingReport, snapshot: Snapshot) -> bool:
    """Whether the direction changed by more than rounding."""
    found = degrees(report)
    return math.isfinite(found) and found > ROUNDING[snapshot.spec.training.precision]


def known(report: ClippingReport, snapshot: Snapshot) -> bool:
    """Whether there is a gradient: NaN before anything has run is none."""
    return not (snapshot.step == 0 and snapshot.failure is None and math.isnan(report.norm_before))


def nothing_yet(snapshot: Snapshot | None) -> tuple[str, str]:
    """Why there is no report, and what to do."""
    if snapshot is not None and snapshot.level:
        return "Nothing is clipped now", "Level by level the net is pre-trained without clipping. It begins with fine-tuning."
    if snapshot is not None and snapshot.moment is not None and not snapshot.moment.measured:
        return "Inside a step", "The gradient is whole once back-propagation has come through all layers. Go on, phase by phase."
    if snapshot is not None and snapshot.step > 0:
        return "Not measured yet", "The gradient of the last step is being measured."
    return "No gradient yet", "Press Play, or make a step. Then its length is measured, and what clipping does to it."


def clipped(report: ClippingReport) -> bool:
    """Whether clipping changed this gradient."""
    return report.rule != "none" and (report.norm_after != report.norm_before or report.before != report.after)


def happened(report: ClippingReport, snapshot: Snapshot) -> str:
    """What was done to the gradient of this step."""
    norm, limit = report.norm_before, report.threshold
    if not math.isfinite(norm):
        after = short(report.norm_after)
        if report.rule == "none":
            return f"‖g‖ is {short(norm)}. Clipping shortens a gradient that is too long; it cannot mend one that is no number."
        return f"‖g‖ was {short(norm)} before clipping and is {after} after it. No factor makes a number of that: clipping came too late."
    if norm == 0:
        return "The gradient is exactly 0: there is nothing to shorten."
    if report.rule == "none":
        if norm <= limit:
            return f"Clipping is off. The threshold set here, {short(limit)}, would leave this gradient as it is: ‖g‖ is {short(norm)}."
        shortened = f"shortened from {short(norm)} to {short(limit)}: every component × {short(limit / norm)}"
        return f"Clipping is off. By its norm this gradient would be {shortened}."
    if not clipped(report):
        below = "Every component" if report.rule == "value" else "Every layer’s ‖g‖" if report.rule == "layer_norm" else "‖g‖"
        return f"{below} is below the threshold of {short(limit)}: in this step the gradient was left as it was."
    if report.rule == "norm":
        return (
            f"‖g‖ was above the threshold, so every component was multiplied by the same {short(report.norm_after / norm)}: "
            "the length changes, the direction stays."
        )
    moved = (
        f"the direction turns by {degrees_text(report, snapshot)}"
        if turned(report, snapshot)
        else "the direction has not turned measurably"
    )
    if report.rule == "layer_norm":
        return f"Each layer’s gradient was shortened to {short(limit)} where it was longer. Layers shrink by different factors, so {moved}."
    return f"Each component was cut to at most ±{short(limit)}. Large ones shrink and small ones stay, so {moved}."


def in_the_plane(report: ClippingReport, snapshot: Snapshot) -> str:
    """How much of the gradient the plane of two components shows."""
    norm, seen = report.norm_before, math.hypot(*report.before)
    if not math.isfinite(norm) or norm == 0:
        return ""
    count = snapshot.architecture.parameter_count
    if seen >= 0.9995 * norm:
        return f"The arrow shows nearly all of g: the other components, of {count:,}, hardly add to its length."
    return (
        f"Drawn is the part of g in this plane, {short(seen)} long; ‖g‖ = {short(norm)} counts all {count:,} components. "
        "So the arrow is shorter than ‖g‖, and may end inside the circle although ‖g‖ does not."
        if report.rule in ("none", "norm")
        else f"Drawn is the part of g in this plane, {short(seen)} long; ‖g‖ = {short(norm)} counts all {count:,} components."
    )


def how_often(report: ClippingReport) -> str:
    """In how many steps it clipped, or how often ‖g‖ was above the threshold while it is off."""
    if report.rule != "none":
        return f"clipped in {share_of(report.clipped_steps, report.steps)}"
    norms = report.norms[:, 0] if len(report.norms) else np.zeros(0)
    measured = int(np.isfinite(norms).sum())
    above = int((norms[np.isfinite(norms)] > report.threshold).sum())
    plotted = f"{above:,} of {measured:,} steps"
    ever = f"clipped in {share_of(report.clipped_steps, report.steps)}; " if report.clipped_steps else ""
    return f"{ever}‖g‖ above {short(report.threshold)} in {plotted}" + (f", {percent(above / measured)}" if measured else "")
