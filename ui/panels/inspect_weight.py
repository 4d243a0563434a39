"""What the inspect panel says about one weight: value, gradient, clipping, the last change, and what is sent through it."""

from __future__ import annotations

import math

from gradviz.selected import WeightInspection
from gradviz.snapshot import Snapshot

from .chain_words import foot
from .lab_names import entry_name
from .reading import NO_STEP, Content, Reading, shared_known, unit_name, unknown, when

STANDS_STILL = 1e-6  # relative change below which w new ≅ w old


def weight_content(snapshot: Snapshot, picked: WeightInspection) -> Content:
    """Title and readings of a weight."""
    sender = unit_name(snapshot, picked.layer - 1, picked.row)
    examples = f"over {snapshot.batch} example{'' if snapshot.batch == 1 else 's'}" if snapshot.batch else "over the mini-batch"
    stand = when(snapshot)
    captions: tuple[str, ...] = (f"{stand}, gradient {examples}", stand) if snapshot.step or snapshot.moment else (stand,)
    if picked.block > 1:
        block = f"largest gradient of {picked.block:,} weights"
        captions = (f"{block}, {stand}", block)
    if picked.gate:
        count = f"{picked.block:,} weights"
        captions = (f"of {count} here the largest gradient when picked", f"of {count} the largest gradient", f"one of {count}")
    shared = " The same weight works in every time step." if picked.added is not None else ""
    readings = [
        Reading(
            "weight",
            "Value",
            symbol(picked),
            f"The weight: what the unit before sends is multiplied by it.{shared}",
            picked.weight,
            parameter=entry_name(picked, snapshot.architecture),
        ),
        *_added(snapshot, picked),
        *_gradients(snapshot, picked),
        *_changes(snapshot, picked),
        _sent(snapshot, picked, sender, examples),
    ]
    return Content(_title(snapshot, picked, sender), captions, tuple(readings), hero=True)


def _title(snapshot: Snapshot, picked: WeightInspection, sender: str) -> str:
    ends = f"{sender} → unit {picked.column + 1}"
    if picked.added is None:
        return f"Weight into {snapshot.architecture.layers[picked.layer - 1].name}, {ends}"
    gate = "Weight" if not picked.gate else "Candidate" if picked.gate == "candidate" else f"{picked.gate.capitalize()} gate"
    return f"{gate} in time step {picked.layer}, {sender} → {'unit ' if picked.layer == 1 else ''}{picked.column + 1}"


def symbol(picked: WeightInspection) -> str:
    """w, or whose it is of the weights that all time steps share."""
    if picked.added is None:
        return "w"
    return "wₓ" if "input" in picked.parameter else "wₕ"


def _added(snapshot: Snapshot, picked: WeightInspection) -> list[Reading]:
    """What this time step alone adds to the gradient: the number that colours the edge."""
    if picked.added is None:
        return []
    reached = snapshot.moment is None or snapshot.moment.reached(picked.layer)
    before = "x₁" if picked.layer == 1 else f"h{foot(picked.layer - 1)}"
    return [
        Reading(
            "added",
            f"Added at t{picked.layer}",
            f"{before} · δ{foot(picked.layer)}",
            f"What the weight’s work in time step {picked.layer} adds to its gradient: what came in times the signal that came back.",
            picked.added,
            (f"the part of ∂J/∂w that comes from time step {picked.layer}", "its part of ∂J/∂w"),
            unknown=unknown(snapshot, picked.added, reached),
            gradient=True,
            zero="exactly 0: this time step adds nothing",
        )
    ]


def _gradients(snapshot: Snapshot, picked: WeightInspection) -> list[Reading]:
    moment = snapshot.moment
    shared = picked.added is not None
    reached = snapshot.knows(picked.layer) and (moment is None or not shared or shared_known(snapshot, picked.gradient))
    steps = len(snapshot.architecture.layers) - 1
    steps = min(snapshot.spec.training.truncate or steps, steps)  # truncated, the others add nothing
    pull = ("how strongly the loss pulls at it", "pull of the loss")
    readings = [
        Reading(
            "gradient",
            "Whole gradient" if shared else "Gradient",
            "∂J/∂w",
            "How fast the loss J grows when this weight grows. The step goes the other way.",
            picked.gradient,
            (f"sum over {steps} time step{'' if steps == 1 else 's'}", "sum over time") if shared else pull,
            unknown=unknown(snapshot, picked.gradient, reached),
            gradient=True,
            zero="exactly 0: the loss does not pull",
        )
    ]
    if snapshot.spec.training.clip != "none":
        clipped = moment is None or moment.measured
        same = picked.clipped_gradient == picked.gradient
        readings.append(
            Reading(
                "clipped_gradient",
                "After clipping",
                "",
                "What clipping made of the gradient. The optimiser is given this.",
                picked.clipped_gradient,
                ("left as it was in this step", "left as it was") if same else ("what the optimiser is given", "given to the optimiser"),
                unknown=unknown(snapshot, picked.clipped_gradient, clipped),
                gradient=True,
            )
        )
    return readings


def _changes(snapshot: Snapshot, picked: WeightInspection) -> list[Reading]:
    nothing_yet = NO_STEP if snapshot.step == 0 and snapshot.failure is None else ""
    relative = abs(picked.change) / abs(picked.weight) if picked.weight != 0 else math.nan
    still = 0 < relative < STANDS_STILL
    return [
        Reading(
            "change",
            "Last change",
            "Δw",
            "How far the last whole step moved this weight: w new − w old.",
            picked.change,
            (f"w new − w old, in step {snapshot.step:,}", "w new − w old") if not nothing_yet else ("w new − w old",),
            unknown=nothing_yet,
            zero="exactly 0: the step did not move it",
        ),
        Reading(
            "relative_change",
            "Relative change",
            "|Δw| / |w|",
            "The last change beside the weight itself. Around 10⁻³ is usual; far below it the weight stands still.",
            relative,
            ("so small that w new ≅ w old", "w new ≅ w old") if still else ("around 10⁻³ is usual",),
            unknown=nothing_yet or ("w is 0" if picked.weight == 0 else ""),
            zero="exactly 0: w new = w old",
        ),
    ]


def _sent(snapshot: Snapshot, picked: WeightInspection, sender: str, examples: str) -> Reading:
    moment = snapshot.moment
    sent = moment is None or moment.sent(picked.layer if moment.level else picked.layer - 1)
    sent = sent and snapshot.level in (0, picked.layer)
    return Reading(
        "sent",
        "Sent through it",
        "∂z/∂w",
        f"What {sender} sends, on average. It is the last factor of this weight's gradient: a unit that sends 0 gives it none.",
        picked.sent,
        (f"mean {examples}", "mean"),
        unknown=unknown(snapshot, picked.sent, sent),
    )
