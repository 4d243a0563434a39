"""The network in words and numbers: one sentence for those who hear it, one row per layer for those who compute with it."""

from __future__ import annotations

from gradviz.snapshot import Snapshot

from ..numbers import short
from ..panels.panel import Table

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
    columns = ("layer", "units", "activation", "batch_norm", *NORMS, *MEASURED)
    if snapshot is None:
        return Table(columns, ())
    rows: list[tuple[object, ...]] = []
    for at, layer in enumerate(snapshot.architecture.layers):
        known = (layer.name, layer.units, layer.activation, layer.batch_norm)
        if snapshot.details is None:
            rows.append((*known, *[""] * (len(NORMS) + len(MEASURED))))
            continue
        norms = (snapshot.gradient_norms, snapshot.clipped_norms, snapshot.delta_norms)
        measured = [getattr(snapshot.details, field) for field in MEASURED.values()]
        rows.append((*known, *(float(values[at]) for values in (*norms, *measured))))
    return Table(columns, tuple(rows))


def describe(snapshot: Snapshot) -> str:
    """The picture in one sentence."""
    layers, details = snapshot.architecture.layers, snapshot.details
    size = f"Network, {len(layers) - 1} hidden {'layer' if len(layers) == 2 else 'layers'}"
    if details is None:
        return f"{size}; nothing measured yet"
    if snapshot.failure is not None:
        return f"{size}; not finite since step {snapshot.failure.step}, first in {snapshot.failure.layer_name}"
    first, last = float(details.gradient_rms[0]), float(details.gradient_rms[-1])
    verb = "falls" if first < last else "grows"
    return f"{size}; gradient {verb} from {short(last)} in {layers[-1].name} to {short(first)} in {layers[0].name}"
