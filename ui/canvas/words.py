"""The network in words and numbers: one sentence for those who hear it, one row per layer for those who compute with it."""

from __future__ import annotations

from gradviz.snapshot import Moment, Snapshot

from ..numbers import short
from ..panels.panel import Table
from ..stages import cut_of, words_of
from .stage import caption

NORMS = ("gradient_norm", "gradient_norm_clipped", "delta_norm")
MEASURED = {  # column -> field of `Details`
    "gradient_rms": "gradient_rms",
    "gradient_rms_clipped": "clipped_rms",
    "delta_rms": "delta_rms",
    "bias_gradient_norm": "bias_gradient_norms",
    "weight_norm": "weight_norms",
    "update_norm": "update_norms",
    "activation_mean": "activation_means",
    "activation_std": "activation_stds",
    "mean_slope": "mean_slopes",
    "dead_fraction": "dead_fractions",
}


def table_of(snapshot: Snapshot | None) -> Table:
    """One row per layer; what has not been measured yet is left empty."""
    gates = tuple(f"{gate}_gate_mean" for gate in snapshot.architecture.gates if gate != "candidate") if snapshot is not None else ()
    gates = gates if len(gates) > 1 else ()
    columns = ("layer", "units", "activation", "batch_norm", *NORMS, *MEASURED, *gates)
    if snapshot is None:
        return Table(columns, ())
    rows: list[tuple[object, ...]] = []
    for at, layer in enumerate(snapshot.architecture.layers):
        known = (layer.name, layer.units, layer.activation, layer.batch_norm)
        if snapshot.details is None:
            rows.append((*known, *[""] * (len(NORMS) + len(MEASURED) + len(gates))))
            continue
        hidden = _stale(snapshot, at + 1)
        if snapshot.level not in (0, at + 1):  # not trained now, and so not measured
            hidden |= set((*NORMS, *MEASURED)) - {"weight_norm", "update_norm"}
        norms = (snapshot.gradient_norms, snapshot.clipped_norms, snapshot.delta_norms)
        measured = [getattr(snapshot.details, field) for field in MEASURED.values()]
        named = zip((*NORMS, *MEASURED), (*norms, *measured), strict=True)
        opened = _openings(snapshot, at) if gates else ()
        rows.append((*known, *("" if column in hidden else float(values[at]) for column, values in named), *opened))
    return Table(columns, tuple(rows))


def _openings(snapshot: Snapshot, at: int) -> tuple[object, ...]:
    """How far each gate of a time step is open; empty for the output layer, and where the signal has not come yet."""
    details, moment = snapshot.details, snapshot.moment
    gates = [number for number, gate in enumerate(snapshot.architecture.gates) if gate != "candidate"]
    if details is None or details.gates is None or at >= len(details.gates) or not (moment is None or moment.sent(at + 1)):
        return ("",) * len(gates)
    return tuple(float(details.gates[at, number]) for number in gates)


def _stale(snapshot: Snapshot, layer: int) -> frozenset[str]:
    """The columns whose numbers still belong to the step before the one in work."""
    moment = snapshot.moment
    stale: frozenset[str] = frozenset()
    if moment is None:
        return stale
    if not moment.whole:
        stale |= {"update_norm"}
    if not moment.measured:
        stale |= {"gradient_norm_clipped", "gradient_rms_clipped"}
    if not moment.reached(layer):
        stale |= {"gradient_norm", "delta_norm", "gradient_rms", "delta_rms", "bias_gradient_norm"}
        stale |= {"mean_slope", "dead_fraction"}  # a slope is worked out when the gradient passes it
    if not moment.sent(layer):
        stale |= {"activation_mean", "activation_std"}
    return stale


def whose(snapshot: Snapshot) -> str:
    """Of which examples the numbers speak: of the mini-batch, or of one."""
    return "over the batch" if snapshot.example is None else f"of {example_words(snapshot.example)}"


def example_words(example: int) -> str:
    """An example by its position in the mini-batch; counted from 1, as units and layers are."""
    return f"example {example + 1}"


def describe(snapshot: Snapshot) -> str:
    """The picture in one sentence."""
    layers, details = snapshot.architecture.layers, snapshot.details
    size = f"Network, {len(layers) - 1} hidden {'layer' if len(layers) == 2 else 'layers'}"
    if snapshot.architecture.recurrent:
        kind = "LSTM" if snapshot.architecture.kind == "lstm" else "Recurrent network"
        size = f"{kind} unrolled in time, {words_of(snapshot.architecture).count(len(layers) - 1)}"
        cut = cut_of(snapshot.architecture, snapshot.spec.training.truncate)
        size += f", back-propagation truncated before time step {cut}" if cut > 1 else ""
    if snapshot.moment is not None:
        return f"{size}; {_describe_moment(snapshot, snapshot.moment)}"
    if details is None:
        return f"{size}; nothing measured yet"
    if snapshot.failure is not None:
        return f"{size}; not finite since step {snapshot.failure.step}, first in {snapshot.failure.layer_name}"
    first, last = float(details.gradient_rms[0]), float(details.gradient_rms[-1])
    if snapshot.level:
        only = f"only {layers[snapshot.level - 1].name} is trained, by itself and without labels"
        return f"{size}; {only}; its gradient is {short(float(details.gradient_rms[snapshot.level - 1]))}"
    verb = "falls" if first < last else "grows"
    if snapshot.architecture.recurrent and len(layers) > 2:  # what comes back to the states, from the last one to the first
        last = float(details.gradient_rms[-2])
        verb = "falls" if first < last else "grows"
        return f"{size}; ∂J/∂hₜ {verb} from {short(last)} in {layers[-2].name} to {short(first)} in {layers[0].name}"
    return f"{size}; gradient {verb} from {short(last)} in {layers[-1].name} to {short(first)} in {layers[0].name}"


def _describe_moment(snapshot: Snapshot, moment: Moment) -> str:
    if moment.level:
        return f"in step {moment.step:,} of level {moment.level}. {caption(snapshot, moment)}"
    waiting = sum(not moment.reached(layer) for layer in range(1, moment.layers + 1))
    words = words_of(snapshot.architecture)
    reach = f"has not reached {words.count(waiting)}" if waiting else f"has reached all {words.many}"
    seen = "" if snapshot.example is None else f", {example_words(snapshot.example)} alone"
    return f"in step {moment.step:,}{seen}. {caption(snapshot, moment)}; the gradient {reach}"
