"""What each kind of verdict is called and which sign it has, and how it is marked on the layers that it is about.

The mark is a bracket under the names of these layers, with the sign and the word beside it: told by shape, as hue belongs to gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gradviz.snapshot import Snapshot, Verdict

from .icons import paint_icon
from .theme import Theme, font

WORDS = {
    "vanishing": ("Vanishing", "down", 1e-5),
    "exploding": ("Exploding", "up", 1e2),
    "dead_units": ("Dead units", "cross", None),
    "saturated": ("Saturated", "minus", None),
    "oscillating": ("Oscillating", "wave", None),
    "diverged": ("Diverged", "warning", math.nan),
    "healthy": ("Healthy", "check", 1e-2),
}
"""Kind of verdict -> its name, its icon, and a gradient that has the colour of it; None for the chrome's ink."""
SIGN = 11.0  # side of the sign
BESIDE = 4.0  # between sign and word
TICK = 3.5  # of the bracket, upwards to the names
DROP = 8.5  # from the middle of the names to the bracket


def verdict_on_layers(snapshot: Snapshot) -> Verdict | None:
    """The most serious verdict that is about single layers of this net."""
    last = len(snapshot.architecture.layers)
    return next((verdict for verdict in snapshot.verdicts if verdict.layers and max(verdict.layers) <= last), None)


def runs(layers: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each run of neighbours."""
    found: list[tuple[int, int]] = []
    for layer in sorted(set(layers)):
        if found and layer == found[-1][1] + 1:
            found[-1] = found[-1][0], layer
        else:
            found.append((layer, layer))
    return found


def label_width(kind: str) -> float:
    """How wide sign and word are together."""
    return SIGN + BESIDE + QFontMetricsF(font(11, 600)).horizontalAdvance(WORDS[kind][0])


def paint_label(painter: QPainter, theme: Theme, kind: str, left: float, y: float) -> None:
    """Sign and word, their middle at height ``y``."""
    paint_icon(painter, WORDS[kind][1], QRectF(left, y - SIGN / 2, SIGN, SIGN), theme.ink1)
    painter.setFont(font(11, 600))
    painter.setPen(QColor(theme.ink1))
    box = QRectF(left + SIGN + BESIDE, y - 10, 400, 20)
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, WORDS[kind][0])


def paint_bracket(painter: QPainter, theme: Theme, left: float, right: float, y: float) -> None:
    """A line with its ends turned up."""
    painter.setPen(QPen(QColor(theme.ink2), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([QPointF(left, y - TICK), QPointF(left, y), QPointF(right, y), QPointF(right, y - TICK)]))
