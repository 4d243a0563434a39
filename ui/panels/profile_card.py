"""The card of the gradient profile: the exact numbers of one layer, of one run or of two side by side."""

from __future__ import annotations

import math

from gradviz.snapshot import Snapshot

from ..numbers import full
from ..stages import norm_of, returned_of, size_of
from .bars import reached
from .profile_lines import Beside
from .profile_theory import theory_rows

Row = tuple[str, str]
"""What it is, and its value."""


def card(snapshot: Snapshot, layer: int) -> tuple[str, list[Row]]:
    """Title and rows of the exact numbers of one layer."""
    details, n = snapshot.details, layer - 1
    title = _title(snapshot, layer)
    rows = _typical(snapshot, layer)
    if details is None or not reached(snapshot, layer):
        return title, rows + (theory_rows(snapshot, layer) if details is None else [])
    architecture = snapshot.architecture
    norm, returned = norm_of(architecture, layer), returned_of(architecture, layer)
    batch = ", mini-batch" if snapshot.example is not None else ""
    if snapshot.example is not None:
        title += f", example {snapshot.example + 1}"
    rows.append((f"norm {norm}{batch}", full(float(snapshot.gradient_norms[n]))))
    if _clipped(snapshot, layer):
        rows.append((f"norm after clipping{batch}", full(float(snapshot.clipped_norms[n]))))
    rows.append((f"typical |{returned}| of a unit", full(float(details.delta_rms[n]))))
    rows.append((f"norm ‖{returned}‖{batch}", full(float(snapshot.delta_norms[n]))))
    return title, rows + theory_rows(snapshot, layer)


def compared_card(snapshot: Snapshot, side: str, beside: Beside, layer: int) -> tuple[str, list[Row]]:
    """Title and rows of what both sides have in one layer, and by theory; of the own ``side`` alone where the nets are not alike."""
    rows = [(side, row) for row in (*_typical(snapshot, layer), *theory_rows(snapshot, layer, of_weights=True))]
    other = beside.snapshot
    if beside.fits(snapshot) and len(other.architecture.layers) == len(snapshot.architecture.layers):
        rows += [(beside.letter, row) for row in (*_typical(other, layer)[:1], *theory_rows(other, layer, of_weights=True))]
    return _title(snapshot, layer), [(f"{letter}: {label}", value) for letter, (label, value) in rows]


def _title(snapshot: Snapshot, layer: int) -> str:
    step = snapshot.moment.step if snapshot.moment is not None else snapshot.step
    return f"{snapshot.architecture.layers[layer - 1].name}, step {step:,}"


def _typical(snapshot: Snapshot, layer: int) -> list[Row]:
    """The number that the bar shows, after clipping as well; or why there is none."""
    details, n = snapshot.details, layer - 1
    if details is None:
        return [("gradient", "not measured yet")]
    size, typical = size_of(snapshot.architecture, layer), float(details.gradient_rms[n])
    if reached(snapshot, layer):
        rows = [(f"typical {size} (RMS)", full(typical))]
        return rows + ([("the same after clipping", full(float(details.clipped_rms[n])))] if _clipped(snapshot, layer) else [])
    if snapshot.level not in (0, layer):
        return [("gradient", f"none: only L{snapshot.level} is trained now")]
    step = snapshot.moment.step if snapshot.moment is not None else snapshot.step
    before = [(f"typical {size} in step {step - 1:,}", full(typical))] if math.isfinite(typical) else []
    return [("gradient", "not reached yet"), *before]


def _clipped(snapshot: Snapshot, layer: int) -> bool:
    architecture = snapshot.architecture
    return snapshot.clipped and (not architecture.recurrent or layer == len(architecture.layers))
