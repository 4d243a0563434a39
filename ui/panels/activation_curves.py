"""f and f′ of an activation as curves to draw: cut where they jump, with the zone where f′ is not small and the largest f′.

The functions themselves are the engine's; here they are only sampled, and remembered, because every frame draws them again.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats

from ..formula import three_digits
from ..numbers import MINUS
from ..theme import Theme, blend
from .plots import Plot
from .polyline import points_of

POINTS = 241  # of a whole curve
REACH = 8.0  # where the largest f′ is looked for, on both sides
NEAR = 1e-9  # slopes this near to the largest one are as large
ZONE = {"dark": 0.13, "light": 0.12}  # strength of the green on the canvas
Piece = tuple[Floats, Floats, Floats]  # z, f(z), f′(z)


@dataclass(frozen=True)
class Curve:
    """Both functions between −limit and limit, in pieces that each are one line."""

    pieces: tuple[Piece, ...]
    joints: tuple[tuple[float, float, float, float, float, float, float], ...]  # z; f left, at and right of it; f′ likewise
    zone: tuple[tuple[float, float], ...]  # where f′ is not small

    @property
    def lowest(self) -> float:
        return min(float(f.min()) for _, f, _ in self.pieces)

    @property
    def highest(self) -> float:
        return max(float(f.max()) for _, f, _ in self.pieces)

    @property
    def steepest(self) -> float:
        return max(float(slope.max()) for _, _, slope in self.pieces)


@functools.lru_cache(maxsize=64)
def curve(name: str, parameter: float, limit: float) -> Curve:
    """The curves of an activation with this parameter."""
    activation = ACTIVATIONS[name]
    tiny = limit * 1e-9
    kinks = [kink for kink in activation.kinks if -limit < kink < limit]
    bounds = [-limit, *kinks, limit]
    pieces, joints = [], []
    with np.errstate(all="ignore"):
        for left, right in itertools.pairwise(bounds):
            z = np.linspace(left, right, max(2, round(POINTS * (right - left) / (2 * limit))))
            z[0] += tiny * (left in kinks)
            z[-1] -= tiny * (right in kinks)
            pieces.append((z, activation.function(z, parameter), activation.derivative(z, parameter)))
        for kink in kinks:
            at = np.array([kink - tiny, kink, kink + tiny])
            f, slope = activation.function(at, parameter).tolist(), activation.derivative(at, parameter).tolist()
            joints.append((kink, *f, *slope))
    return Curve(tuple(pieces), tuple(joints), tuple(activation.zone(parameter, limit)))


def heights(drawn: Curve) -> tuple[float, float]:
    """From where to where the vertical axis goes: one of a few, so that pictures of different functions can be compared."""
    low = next(low for low, reach in ((-0.05, -0.04), (-0.12, -0.1), (-0.45, -0.4), (-1.2, -math.inf)) if drawn.lowest >= reach)
    high = 1.2 if drawn.highest <= 1.1 else 1.6
    return low, high if drawn.steepest <= 1.2 else max(high, 1.15 * drawn.steepest)


@dataclass(frozen=True)
class Peak:
    """The largest f′, and where it is."""

    value: float
    at: float  # where it is reached first, coming from the left; the right end where it is only approached
    where: str  # "at 0", "for z > 0", "everywhere", or nothing where it is only approached

    @property
    def words(self) -> str:
        """Such as "at most 0.25 at 0"."""
        number = three_digits(self.value)
        if not self.where:
            return f"nears {number}"
        return f"at most {number} {self.where}" if self.where.startswith("at") else f"{number} {self.where}"

    @property
    def brief(self) -> str:
        """The same for a narrow place."""
        if self.where == "everywhere":
            return f"always {three_digits(self.value)}"
        return f"≤ {three_digits(self.value)} at {_tidy(self.at, 1)}" if self.where.startswith("at") else self.words


@functools.lru_cache(maxsize=64)
def peak(name: str, parameter: float | None = None) -> Peak:
    """The largest f′ of an activation, found by sampling it."""
    z = np.linspace(-REACH, REACH, 4097)
    derivative = ACTIVATIONS[name].derivative
    with np.errstate(all="ignore"):
        slopes = derivative(z, parameter)
        beyond = derivative(np.array([-1e3, 1e3]), parameter)
    value = float(slopes.max())
    reached = np.flatnonzero(slopes >= value - NEAR)
    first, last = float(z[reached[0]]), float(z[reached[-1]])
    if len(reached) == len(z):
        return Peak(value, -REACH, "everywhere")
    if len(reached) == 1 and last == REACH:
        return Peak(float(beyond[1]), REACH, "")
    if last == REACH:
        return Peak(value, first, f"for z > {_tidy(first)}")
    if first == -REACH:
        return Peak(value, first, f"for z < {_tidy(last)}")
    return Peak(value, first, f"at {_tidy(first)}")


def _tidy(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:g}".replace("-", MINUS)


# ---- drawing


def paint_zone(painter: QPainter, plot: Plot, drawn: Curve, theme: Theme) -> list[QRectF]:
    """The zone where f′ is not small, in green over the whole height; says where it is on the screen."""
    areas = []
    painter.setPen(Qt.PenStyle.NoPen)
    for start, end in drawn.zone:
        left, right = (plot.at(max(plot.extent[0], min(plot.extent[1], z)), 0.0).x() for z in (start, end))
        if right > left:
            area = QRectF(left, plot.box.top(), right - left, plot.box.height())
            painter.fillRect(area, blend(theme.zone, theme.canvas, ZONE[theme.name]))
            areas.append(area)
    return areas


def paint_curves(painter: QPainter, plot: Plot, drawn: Curve, theme: Theme, thin: float, bold: float) -> None:
    """f thin and f′ bold, each cut at the ends of the plot."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for which, width, ink in ((1, thin, theme.ink2), (2, bold, theme.ink1)):
        pen = QPen(QColor(ink), width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        for piece in drawn.pieces:
            paint_line(painter, plot, piece[0], piece[which])


def paint_line(painter: QPainter, plot: Plot, x: Floats, y: Floats) -> None:
    """One line in the painter's pen, cut where it leaves the plot: vector formats are not clipped."""
    for xs, ys in inside(x, y, plot.extent):
        painter.drawPolyline(QPolygonF(points_of(plot, xs, ys)))


def inside(x: Floats, y: Floats, extent: tuple[float, float, float, float]) -> list[tuple[Floats, Floats]]:
    """The parts of a line, x ascending, that lie within the extent, each reaching to its very edge."""
    left, right, low, high = extent
    keep = (x >= left) & (x <= right)
    x, y = x[keep], y[keep]
    crossings = [np.empty(0)]
    with np.errstate(all="ignore"):
        for edge in (low, high):
            side = y - edge
            at = np.flatnonzero(side[:-1] * side[1:] < 0)
            crossings.append(x[at] + (x[at + 1] - x[at]) * side[at] / (side[at] - side[at + 1]))
    cuts = np.concatenate(crossings)
    if len(cuts):
        heights_there = np.interp(cuts, x, y)
        order = np.argsort(np.concatenate([x, cuts]), kind="stable")
        x, y = np.concatenate([x, cuts])[order], np.concatenate([y, heights_there])[order]
    margin = 1e-9 * (high - low)
    within = np.isfinite(y) & (y >= low - margin) & (y <= high + margin)
    known = np.flatnonzero(within)
    runs = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
    return [(x[run], y[run]) for run in runs if len(run) > 1]


def paint_dot(painter: QPainter, at: QPointF, radius: float, ink: str, ground: str, full: bool) -> None:
    """A dot of a function: full where it has this value, open where it only comes near it."""
    if full:
        painter.setPen(QPen(QColor(ground), 1.5))
        painter.setBrush(QColor(ink))
        painter.drawEllipse(at, radius + 0.75, radius + 0.75)
    else:
        painter.setPen(QPen(QColor(ink), 1.4))
        painter.setBrush(QColor(ground))
        painter.drawEllipse(at, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_joints(painter: QPainter, plot: Plot, drawn: Curve, theme: Theme, radius: float) -> None:
    """Where a function jumps: an open dot at an end it does not take, a full one at the value it has there."""
    for z, *values in drawn.joints:
        for (before, there, after), ink in ((values[:3], theme.ink2), (values[3:], theme.ink1)):
            if abs(before - after) < 1e-6:
                continue
            for end in (before, after):
                if abs(end - there) > 1e-6:
                    paint_dot(painter, plot.at(z, end), radius, ink, theme.canvas, full=False)
            paint_dot(painter, plot.at(z, there), radius, ink, theme.canvas, full=True)
