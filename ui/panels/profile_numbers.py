"""The numbers of the gradient profile: names, values and ratios under the bars, and the table of all."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter

from gradviz.snapshot import Details, Snapshot

from ..numbers import ratio, short
from ..theme import Theme, font
from ..verdict_signs import DROP, label_width, paint_bracket, paint_label, runs, verdict_on_layers
from . import marks
from .bars import Frame, reached
from .panel import Table

NAMES, ROW = 12.0, 17.0  # names below the plot; distance of the rows of numbers
ROOMY_PITCH = 40.0  # below this only every fifth layer is named
NUMBER_ROOM = 64.0  # a value such as 8.4×10⁻⁹ and the space beside it
SMALL_ROOM = 52.0  # the same in the smallest type
NOT_YET = "·"
LABEL_MARGIN = 12.0  # to the left of a row's label


def named(frame: Frame, room: float) -> list[int]:
    """The layers that get a name or a number: first, last and as many between as ``room`` allows."""
    pitch, last = frame.pitch, frame.columns.layers
    fewest = 1 if pitch >= ROOMY_PITCH else 5
    stride = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s >= fewest and s * pitch >= room), 1000)
    layers = [n for n in range(1, last + 1) if n in (1, last) or n % stride == 0]
    apart = [n for n in layers if n in (1, last) or ((n - 1) * pitch >= room and (last - n) * pitch >= room)]
    if len(apart) == 2 and (last - 1) * pitch < room:
        apart = [last]
    return [n for n in apart if n in frame.shown]


def paint_names(painter: QPainter, frame: Frame, theme: Theme, snapshot: Snapshot, selected: int) -> None:
    """The layers' names under their bars, that of the ``selected`` one (0 for none) always."""
    pitch = frame.pitch
    names = named(frame, 32.0 if pitch >= ROOMY_PITCH else NUMBER_ROOM)
    if selected in frame.shown and selected not in names:
        names = [n for n in names if abs(n - selected) * pitch >= 34] + [selected]
    for n in names:
        used, ink = (font(12, 600), theme.ink1) if n == selected else (font(12), theme.ink2)
        marks.put_text(painter, frame.x(n), frame.bottom + NAMES, snapshot.architecture.layers[n - 1].name, used, ink)


def paint_verdict(painter: QPainter, frame: Frame, theme: Theme, snapshot: Snapshot) -> None:
    """A bracket under the names of the layers that the verdict is about, and what it says, where the rows have their labels."""
    verdict = verdict_on_layers(snapshot)
    if verdict is None:
        return
    y, half = frame.bottom + NAMES, min(15.0, 0.42 * frame.pitch)
    for first, last in runs(verdict.layers):
        left, right = max(frame.left, frame.x(first) - half), min(frame.right, frame.x(last) + half)
        if left < right:
            paint_bracket(painter, theme, left, right, y + DROP)
    names = named(frame, 32.0)
    left = min([frame.left, *(frame.x(n) - 20 for n in names[:1])]) - 8 - label_width(verdict.kind)
    if left >= frame.area.left() + 2:
        paint_label(painter, theme, verdict.kind, left, y)


def paint_numbers(painter: QPainter, frame: Frame, theme: Theme, snapshot: Snapshot, details: Details, clips: bool) -> None:
    """Value and ratio of each layer; where clipping is on (``clips``) the value before it and after it."""
    dense = SMALL_ROOM <= frame.pitch < NUMBER_ROOM
    shown = named(frame, SMALL_ROOM if dense else NUMBER_ROOM)
    rows = [("value", details.gradient_rms)]
    if clips:
        rows = [("before", details.gradient_rms), ("clipped", details.clipped_rms)]
    small, strong = (font(11), font(11, 500)) if dense else (font(12), font(12, 500))
    if dense and max(marks.text_width(short(float(values[n - 1])), strong) for _, values in rows for n in shown) > frame.pitch - 4:
        shown = named(frame, NUMBER_ROOM)  # some are longer than is usual
    y = frame.bottom + NAMES
    room = frame.x(shown[0]) - NUMBER_ROOM / 2 - frame.area.left() if shown else 0.0
    for label, values in rows:
        y += ROW
        _paint_row_label(painter, frame, theme, y, (label,), room)
        for n in shown:
            value = float(values[n - 1])
            if not (whole(snapshot) if label == "clipped" else reached(snapshot, n)):
                marks.put_text(painter, frame.x(n), y, NOT_YET, strong, theme.ink3)
                continue
            marks.put_text(painter, frame.x(n), y, short(value), strong, theme.ink1 if math.isfinite(value) else theme.nan)
    y += ROW
    neighbours = all(b - a == 1 for a, b in itertools.pairwise(shown))
    per = ("ratio",) if neighbours else ("per time step", "per t") if snapshot.architecture.recurrent else ("per layer",)
    _paint_row_label(painter, frame, theme, y, per, room)
    last = last_passing(snapshot)
    for a, b in itertools.pairwise(shown):
        passed = passed_on(details.gradient_rms, a, min(b, last)) if a < last else math.nan
        if math.isfinite(passed) and reached(snapshot, a):
            marks.put_text(painter, (frame.x(a) + frame.x(b)) / 2, y, ratio(passed), small, theme.ink3)


def _paint_row_label(painter: QPainter, frame: Frame, theme: Theme, y: float, labels: tuple[str, ...], room: float) -> None:
    """The first of the labels, longest first, that has room."""
    right = min(frame.left - 8, frame.area.left() + room - 4)
    label = next((text for text in labels if right - marks.text_width(text, font(12)) >= frame.area.left() + LABEL_MARGIN), None)
    if label is not None:
        marks.put_text(painter, right, y, label, font(12), theme.ink3, Qt.AlignmentFlag.AlignRight)


def whole(snapshot: Snapshot) -> bool:
    """Whether the gradient of all layers is there, and clipped where it is to be."""
    return snapshot.moment is None or snapshot.moment.measured


def profile_table(snapshot: Snapshot | None) -> Table:
    """One row per layer; empty cells for what the step in work has not reached yet."""
    gradients = ("gradient_rms", "gradient_rms_after_clipping", "gradient_norm", "gradient_norm_after_clipping")
    foretold = ("theory_delta_rms", "theory_gradient_rms", "delta_over_theory_log10", "gradient_over_theory_log10")
    columns = ("layer", *gradients, "delta_rms", "delta_norm", *foretold, "ratio_to_next_layer")
    if snapshot is None:
        return Table(columns, ())
    details, theory, distances = snapshot.details, snapshot.theory, snapshot.from_theory
    if details is None and distances is None:
        return Table(columns, ())
    rows: list[tuple[object, ...]] = []
    for n, info in enumerate(snapshot.architecture.layers):
        told = (None, None) if theory is None or distances is None else (float(theory.delta_rms[n]), float(theory.gradient_rms[n]))
        if details is None or not reached(snapshot, n + 1):
            rows.append((info.name, *(None,) * 6, *told, None, None, None))
            continue
        norms = (snapshot.gradient_norms, snapshot.clipped_norms)
        numbers = (details.gradient_rms, details.clipped_rms, *norms, details.delta_rms, snapshot.delta_norms)
        passed = passed_on(details.gradient_rms, n + 1, n + 2) if n + 1 < last_passing(snapshot) else None
        far = (None, None) if distances is None else (float(distances[0][n]), float(distances[1][n]))
        rows.append((info.name, *(float(values[n]) for values in numbers), *told, *far, passed))
    return Table(columns, tuple(rows))


def last_passing(snapshot: Snapshot) -> int:
    """The last stage whose number can be compared with those before it: in a recurrent net that of Out is of weights, not of a state."""
    return len(snapshot.architecture.layers) - snapshot.architecture.recurrent


def passed_on(values: NDArray[Any], layer: int, later: int) -> float:
    """What each layer between the two passes on going backwards: their ratio, or its geometric mean over several layers."""
    near, far = float(values[later - 1]), float(values[layer - 1])
    if not (math.isfinite(near) and math.isfinite(far)) or near == 0.0:
        return math.nan
    if far == 0.0:
        return 0.0
    return float(np.exp((math.log(far) - math.log(near)) / (later - layer)))
