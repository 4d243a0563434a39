"""What the inspect panel says about one unit: pre-activation, slope, output, signal δ, dead examples, and its own parameters."""

from __future__ import annotations

import math

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.selected import UnitInspection
from gradviz.snapshot import Snapshot

from .chain_words import foot
from .reading import Content, Reading, shared_known, unit_name, unknown, when

PARAMETERS = {  # name -> (title, symbol, what it does)
    "bias": ("Bias", "b", "Added to the weighted sum of what comes in.", ("added to the weighted sum", "added")),
    "scale": ("Scale", "γ", "Batch norm multiplies the normalised sum by it.", ("multiplies the normalised sum", "multiplies")),
    "shift": ("Shift", "β", "Batch norm adds it to the normalised sum.", ("added to the normalised sum", "added")),
    "alpha": (
        "Alpha",
        "α",
        "The slope where z is negative. It is learnt, one for the layer.",
        ("slope where z < 0, for the layer", "slope where z < 0"),
    ),
}


def unit_content(snapshot: Snapshot, picked: UnitInspection) -> Content:
    """Title and readings of a unit; of an input only its values."""
    batch = len(picked.outputs)
    stand = when(snapshot)
    example = _example(snapshot, picked)
    which = f"over {batch} example{'' if batch == 1 else 's'}" if example is None else f"example {example + 1} of {batch}"
    captions = (f"{stand}, {which}", which) if snapshot.step or snapshot.moment else (stand,)
    if picked.layer == 0:
        hint = "What this input tells the first layer."
        note = "mean ± spread" if example is None and batch > 1 else "of this example"
        value = _batch_reading(snapshot, picked.outputs, example, True, "value", "Value", "x", hint, (note,))
        name = unit_name(snapshot, 0, picked.unit)
        return Content(f"Input {name}", captions, (value,))
    if picked.gates is not None:
        return _lstm_content(snapshot, picked, captions, example)
    layer = snapshot.architecture.layers[picked.layer - 1]
    activation = ACTIVATIONS[layer.activation]
    sent = snapshot.level in (0, picked.layer) and (snapshot.moment is None or snapshot.moment.sent(picked.layer))
    reached = _reached(snapshot, picked)
    last = picked.layer == len(snapshot.architecture.layers)
    after = ("f(z), plus what the skip brings", "f(z) + skip") if layer.skip_from is not None else ("f(z): what it sends on", "f(z)")
    time = snapshot.architecture.recurrent
    to = "the loss" if last else "the next time step" if time else "the next layer"
    readings = [
        _batch_reading(
            snapshot,
            picked.pre_activations,
            example,
            sent,
            "pre_activation",
            "Pre-activation",
            "z",
            "The input of the activation: the weighted sum" + (", after batch norm." if layer.batch_norm else "."),
            ("weighted sum, after batch norm", "after batch norm")
            if layer.batch_norm
            else ("weighted sum of what comes in", "weighted sum"),
        ),
        _batch_reading(
            snapshot,
            picked.slopes,
            example,
            reached,
            "slope",
            "Slope",
            "f′(z)",
            "How steep the activation is at z: the factor by which the gradient is multiplied on its way back.",
            (f"f′ = {activation.derivative_formula}", "factor of the gradient"),
            zero="exactly 0: no gradient passes",
        ),
        _batch_reading(snapshot, picked.outputs, example, sent, "output", "Output", "h", f"What the unit sends to {to}.", after),
        _delta(snapshot, picked),
        _dead(snapshot, picked, reached),
        *_parameters(snapshot, picked),
    ]
    title = f"{unit_place(snapshot, picked)}, unit {picked.unit + 1}"
    formula = f"f(z) = {activation.formula}"
    named = tuple(f"{activation.title}, {caption}" for caption in captions)
    return Content(title, (*named, activation.title), tuple(readings), formula=formula)


def unit_place(snapshot: Snapshot, picked: UnitInspection) -> str:
    """The layer or the time step of a unit."""
    in_time = snapshot.architecture.recurrent and picked.layer < len(snapshot.architecture.layers)
    return f"Time step {picked.layer}" if in_time else snapshot.architecture.layers[picked.layer - 1].name


GATES = {  # of an LSTM: symbol, and what it does
    "output": ("o", "How much of the memory the unit shows: h = o · act(c).", ("how much of c is shown", "shows")),
    "input": ("i", "How much of what is new is written: i · g.", ("how much of g is written", "writes")),
    "forget": ("f", "How much of the memory is kept: the factor of the gradient along the cell path.", ("how much of c is kept", "keeps")),
    "candidate": ("g", "What is new: the input gate says how much of it is written.", ("what is new", "new")),
}


def _lstm_content(snapshot: Snapshot, picked: UnitInspection, captions: tuple[str, ...], example: int | None) -> Content:
    """A unit of an LSTM in one time step: its memory, its gates, and what comes back to the memory."""
    assert picked.gates is not None
    t = picked.layer
    activation = ACTIVATIONS[snapshot.architecture.layers[t - 1].activation]
    sent = snapshot.moment is None or snapshot.moment.sent(t)
    reached = _reached(snapshot, picked)
    kept = "The memory: what the forget gate kept of it, and what was written: c = f · c before + i · g."
    readings = [
        _batch_reading(
            snapshot, picked.pre_activations, example, sent, "memory", "Memory", f"c{foot(t)}", kept, (f"f · c{foot(t - 1)} + i · g",)
        )
    ]
    order = sorted(range(len(picked.gates)), key=lambda gate: snapshot.architecture.gates[gate] != "forget")  # the highway's factor first
    for gate in order:
        name = snapshot.architecture.gates[gate]
        letter, hint, said = GATES[name]
        title = "Candidate" if name == "candidate" else f"{name.capitalize()} gate"
        readings.append(_batch_reading(snapshot, picked.gates[gate], example, sent, f"{name}_gate", title, letter, hint, said))
    readings += [
        _batch_reading(
            snapshot, picked.outputs, example, sent, "output", "Output", f"h{foot(t)}", "What the unit sends.", ("o · act(c): sent on",)
        ),
        _batch_reading(
            snapshot,
            picked.slopes,
            example,
            reached,
            "slope",
            "Slope",
            "act′(c)",
            "How steep the activation is at the memory: with the output gate the factor from ∂J/∂h to ∂J/∂c.",
            (f"act′ = {activation.derivative_formula}", "factor of the gradient"),
            zero="exactly 0: no gradient passes",
        ),
        _delta(snapshot, picked),
        _memory_signal(snapshot, picked, reached, example),
        *_parameters(snapshot, picked),
    ]
    named = tuple(f"{activation.title}, {caption}" for caption in captions)
    formula = f"c{foot(t)} = f · c{foot(t - 1)} + i · g,  h{foot(t)} = o · act(c{foot(t)})"
    return Content(f"Time step {t}, unit {picked.unit + 1}", (*named, activation.title), tuple(readings), formula=formula)


def _memory_signal(snapshot: Snapshot, picked: UnitInspection, reached: bool, example: int | None) -> Reading:
    with np.errstate(all="ignore"):
        # as `Details` has it: over the mini-batch of its mean loss, or of the one example's own
        mean = float(np.linalg.norm(picked.deltas)) / max(1, len(picked.deltas))
    value = abs(float(picked.deltas[example])) if example is not None else mean
    return Reading(
        "memory_signal",
        "Signal to the memory",
        "|∂J/∂c|",
        "Length of ∂J/∂c: what comes back along the cell path, through the forget gates, and through h.",
        value,
        ("through h, and along the cell path", "|∂J/∂c|"),
        unknown=unknown(snapshot, value, reached),
        gradient=True,
        zero="exactly 0: no signal comes back",
    )


def chosen_z(snapshot: Snapshot, picked: UnitInspection) -> float | None:
    """z of the example that is looked at, if there is one."""
    example = _example(snapshot, picked)
    return None if example is None else float(picked.pre_activations[example])


def alpha_of(picked: UnitInspection) -> float | None:
    """The learnt slope of the layer, if it has one."""
    return next((value for name, value, _ in picked.parameters if _short_name(name) == "alpha"), None)


def _reached(snapshot: Snapshot, picked: UnitInspection) -> bool:
    """Whether the gradient of the step in work has come back to the unit; its slopes are worked out then, not before."""
    return snapshot.knows(picked.layer)


def _example(snapshot: Snapshot, picked: UnitInspection) -> int | None:
    example = snapshot.example
    return example if example is not None and 0 <= example < len(picked.outputs) else None


def _batch_reading(
    snapshot: Snapshot,
    values: Floats,
    example: int | None,
    reached: bool,
    key: str,
    name: str,
    symbol: str,
    hint: str,
    captions: tuple[str, ...],
    zero: str = "",
) -> Reading:
    """Mean and spread over the mini-batch, or the number of the one example that is looked at."""
    if example is not None or len(values) == 1:
        value, spread = float(values[example or 0]), None
    else:
        with np.errstate(all="ignore"):  # a batch with an infinity has no spread
            value, spread = (float(np.mean(values)), float(np.std(values))) if len(values) else (np.nan, None)
        spread = spread if math.isfinite(value) else None
        hint += " Mean ± spread over the mini-batch."
    failed = f"{int((~np.isfinite(values)).sum())} of {len(values)} are not finite" if example is None else ""
    missing = unknown(snapshot, value, reached)
    return Reading(key, name, symbol, hint, value, captions, spread, missing, zero=zero, failed=failed)


def _delta(snapshot: Snapshot, picked: UnitInspection) -> Reading:
    """The length that colours the unit in the network: the same number, from the same place."""
    details = snapshot.details
    length = float("nan")
    if details is not None:
        length = float(details.unit_deltas[snapshot.architecture.unit_slice(picked.layer)][picked.unit])
    missing = unknown(snapshot, length, _reached(snapshot, picked)) or ("" if details is not None else "not measured")
    by = "h" if snapshot.architecture.recurrent and picked.layer < len(snapshot.architecture.layers) else "z"
    hint = f"Length of ∂J/∂{by}: the signal that comes back to this unit. Its colour in the network shows it."
    captions = (f"|∂J/∂{by}|, the signal that comes back", f"|∂J/∂{by}|")
    return Reading("delta", "Signal", "|δ|", hint, length, captions, unknown=missing, gradient=True, zero="exactly 0: no signal comes back")


def _dead(snapshot: Snapshot, picked: UnitInspection, reached: bool) -> Reading:
    known = picked.slopes[np.isfinite(picked.slopes)]
    total, dead = len(picked.slopes), int((known == 0).sum())
    share = dead / len(known) if len(known) else float("nan")
    if len(known) == 0:
        captions: tuple[str, ...] = ("examples with a slope of 0",)
    elif dead == 0:
        captions = ("the gradient passes in all of them", "passes in all")
    else:
        captions = ("all: no gradient passes at all", "all") if dead == total else ("in those no gradient passes", "")
    return Reading(
        "dead_share",
        "Dead for",
        "f′ = 0",
        "In how many examples the slope is exactly 0, so that no gradient passes back through this unit.",
        share,
        captions,
        unknown=unknown(snapshot, share, reached),
        words=f"{dead:,} of {total:,}" if len(known) else "",
    )


def _parameters(snapshot: Snapshot, picked: UnitInspection) -> list[Reading]:
    readings: list[Reading] = []
    reached = _reached(snapshot, picked)
    for full_name, value, gradient in picked.parameters:
        name = _short_name(full_name)
        known = _bias_of(snapshot, full_name)
        other: tuple[str, str, str, tuple[str, ...]] = (name.capitalize(), name, f"A parameter of this unit: {name}.", ())
        title, symbol, hint, captions = known if known is not None else PARAMETERS.get(name, other)
        place = full_name if full_name.endswith("]") else f"layer{picked.layer:02d}.{name}[{0 if name == 'alpha' else picked.unit}]"
        readings.append(Reading(name, title, symbol, hint, value, captions, parameter=place, zero=""))
        pull = f"How fast the loss J grows when {symbol} grows. The step goes the other way."
        readings.append(
            Reading(
                f"{name}_gradient",
                "Its gradient",
                f"∂J/∂{symbol}",
                pull,
                gradient,
                ("how strongly the loss pulls at it", "pull of the loss"),
                unknown=unknown(snapshot, gradient, reached and (known is None or shared_known(snapshot, gradient))),
                gradient=True,
                zero="exactly 0: the loss does not pull",
            )
        )
    return readings


def _bias_of(snapshot: Snapshot, full_name: str) -> tuple[str, str, str, tuple[str, ...]] | None:
    """What is said of a bias that all time steps share; of an LSTM each gate has its own."""
    if not full_name.endswith("]"):
        return None
    title, symbol, hint, captions = PARAMETERS["bias"]
    architecture = snapshot.architecture
    if not full_name.startswith("cell."):
        return title, symbol, hint, captions
    gate = architecture.gates[int(full_name[full_name.index("[") + 1 : -1]) // architecture.layers[0].units]
    if len(architecture.gates) > 1:
        what = "the candidate" if gate == "candidate" else f"the {gate} gate"
        title, captions = f"Bias of {GATES[gate][0]}", (f"{what}, shared by all time steps", what)
    else:
        captions = ("shared by all time steps", "shared")
    return title, symbol, f"{hint} All time steps share it.", captions


def _short_name(name: str) -> str:
    return name.rsplit(".", 1)[-1]
