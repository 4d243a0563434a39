"""What the gradient profile says of mean-field theory: a dotted line, what it is in words, and the numbers of one layer.

It is of what is drawn beside it: of the circles, or of the bars where these stand for two runs and there are no circles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter, QPolygonF

from gradviz.snapshot import Snapshot

from ..numbers import full, ratio, short
from ..stages import returned_of, size_of
from ..theme import Theme
from .bars import Frame, reached
from .profile_lines import dotted, points
from .profile_numbers import whole

THEORY = "theory at the start"


@dataclass(frozen=True)
class Foretold:
    """What theory says of each layer (layers,), log10 of measured over it, and how many decades such nets lie from it by chance."""

    values: NDArray[Any]
    distances: NDArray[Any]
    scatter: NDArray[Any]
    of_weights: bool  # |∂J/∂w|, as the bars; else |∂J/∂z|, as the circles


def foretold(snapshot: Snapshot | None, of_weights: bool) -> Foretold | None:
    """The theory of a run; it is of whole mini-batches, so that beside one example there is none."""
    if snapshot is None or snapshot.example is not None or snapshot.theory is None:
        return None
    theory, distances = snapshot.theory, snapshot.from_theory
    if distances is None:
        return None
    if of_weights:
        return Foretold(theory.gradient_rms, distances[1], theory.gradient_scatter, True)
    return Foretold(theory.delta_rms, distances[0], theory.delta_scatter, False)


def theory_name(snapshot: Snapshot | None, name: str = THEORY) -> str:
    """What the line of theory is, and whether it may be decades off; the card of a layer says why."""
    theory = snapshot.theory if snapshot is not None else None
    return f"{name}, unreliable here" if theory is not None and theory.caution else name


def theory_words(found: Foretold, snapshot: Snapshot, name: str = THEORY) -> str:
    """What the line of theory is, and how far from it the layers lie, typically: root mean square of the decades."""
    name = theory_name(snapshot, name)
    known = found.distances[~np.isnan(found.distances)]
    if not len(known) or not np.isfinite(known).all() or not whole(snapshot):
        return name  # a layer that gets exactly nothing is not some factor away
    return f"{name}, typically ×/÷ {short(float(10 ** np.sqrt(np.mean(known**2))))} away"


def theory_rows(snapshot: Snapshot, layer: int, of_weights: bool = False) -> list[tuple[str, str]]:
    """What theory says of a layer, how far the measured number is from it, and how far such nets lie from it by chance."""
    found, n = foretold(snapshot, of_weights), layer - 1
    if found is None:
        reason = snapshot.theory.reason if snapshot.theory is not None and snapshot.example is None else ""
        return [("theory", f"none: {reason}")] if reason else []
    size = size_of(snapshot.architecture, layer) if of_weights else f"|{returned_of(snapshot.architecture, layer)}|"
    caution = snapshot.theory.caution if snapshot.theory is not None else ""
    unsure = [("theory is unreliable", caution)] if caution else []
    rows = [*unsure, (f"typical {size} by theory, at the start", full(float(found.values[n])))]
    if reached(snapshot, layer) and math.isfinite(found.distances[n]):
        scatter = f" (by chance ×/÷ {10 ** float(found.scatter[n]):.2g})"
        rows.append(("measured over theory", ratio(10 ** float(found.distances[n])) + scatter))
    return rows


def paint_theory(painter: QPainter, frame: Frame, theme: Theme, found: Foretold) -> None:
    """A dotted line from layer to layer; where the values leave the scale it runs along its edge."""
    line = QPolygonF(points(frame, found.values))
    casing = dotted(theme.canvas, 3.6, 4.0, 2.5)  # around each dot, so that it is seen on every bar, and the bar beside it
    casing.setDashOffset(1.25 / 3.6)
    painter.setPen(casing)
    painter.drawPolyline(line)
    painter.setPen(dotted(theme.ink1, 1.8, 1.5, 5.0))
    painter.drawPolyline(line)
