"""Is a function linear? Both equations at chosen numbers, drawn on the curve: where they fail, the gap is the counter-example.

Additivity is a parallelogram of (x, f(x)) and (y, f(y)), a multiple a ray through (x, f(x)); linear means that the far corner
and the end of the ray lie on the curve.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.activations import ACTIVATIONS
from gradviz.function_lab import Linearity, linearity

from ..formula import three_digits
from ..numbers import MINUS
from ..theme import blend, font, formula_font
from . import marks
from .activation_curves import paint_dot, paint_line
from .chain_cards import fitting
from .lab_blocks import LEFT, RIGHT, outlined_text
from .lab_page import SIDE, Block
from .plots import Plot, ticks
from .spots import Spot

GUTTER, NAMES = 38.0, 14.0
HEADING, NUMBERS, AXIS = 34.0, 44.0, 22.0
REACHES = (1.0, 2.0, 4.0, 8.0)  # times a power of ten: the axes end at one of them
FEWEST = 2.0  # an axis never shows less than ±2
LARGEST = 8000.0  # numbers beyond are compared, but not drawn
TRIALS = 400  # random triples for the sentence about the whole function
POINTS = 401


class EquationPlot(Block):
    """One of the two equations: "additive" or "homogeneous"."""

    def __init__(self, which: str) -> None:
        super().__init__()
        self._which = which
        self.tried: Linearity | None = None

    def show_tried(self, tried: Linearity) -> None:
        """Draw the equation at these numbers."""
        self.tried = tried
        left, right = self._sides
        self.setAccessibleName(f"{left[0]} = {three_digits(left[1])}, {right[0]} = {three_digits(right[1])}: {self.verdict}")
        self.update()

    @property
    def _sides(self) -> tuple[tuple[str, float], tuple[str, float]]:
        tried = self._known
        if self._which == "additive":
            return ("f(x + y)", tried.of_sum), ("f(x) + f(y)", tried.sum_of)
        return ("f(a · x)", tried.of_multiple), ("a · f(x)", tried.multiple_of)

    @property
    def _known(self) -> Linearity:
        assert self.tried is not None, "something is shown before it is drawn"
        return self.tried

    @property
    def holds(self) -> bool:
        """Whether both sides are equal here, but for rounding."""
        return self._known.additive if self._which == "additive" else self._known.homogeneous

    @property
    def verdict(self) -> str:
        """ "equal", or by how much they differ."""
        if self.holds:
            return "equal"
        (_, left), (_, right) = self._sides
        gap = abs(left - right)
        return f"differ by {three_digits(gap)}" if math.isfinite(gap) else "too large to compare"

    def height_at(self, width: float) -> float:
        return HEADING + NUMBERS + AXIS + min(260.0, max(150.0, 0.46 * width)) + 8.0

    # ---- drawing

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        if self.tried is None:
            return
        theme = self.theme
        y = area.top() + 20
        title = "Additive?" if self._which == "additive" else "Homogeneous?"
        equation = "f(x + y) = f(x) + f(y)" if self._which == "additive" else "f(a · x) = a · f(x)"
        marks.put_text(painter, area.left() + SIDE, y, title, font(13, 600), theme.ink1, LEFT)
        marks.put_text(painter, area.right() - SIDE, y, equation, formula_font(15), theme.ink2, RIGHT)
        self._paint_numbers(painter, QRectF(area.left() + SIDE, area.top() + HEADING, area.width() - 2 * SIDE, NUMBERS))
        box = QRectF(
            area.left() + SIDE + GUTTER,
            area.top() + HEADING + NUMBERS,
            area.width() - 2 * SIDE - GUTTER - NAMES,
            area.height() - HEADING - NUMBERS - AXIS - 8.0,
        )
        painter.fillRect(box, QColor(theme.canvas))
        corners = self._corners()
        if not all(abs(number) <= LARGEST for point in corners for number in point):
            marks.put_text(painter, box.center().x(), box.center().y(), "too large to draw", font(12), theme.ink2)
            return
        across, up = reach(x for x, _ in corners), reach(y for _, y in corners)
        below = self._lowest(across, up, corners)
        plot = Plot(box, (-across, across, below, up))
        self._paint_axes(painter, plot)
        self._paint_curve(painter, plot)
        self._paint_figure(painter, plot, corners)

    def _paint_numbers(self, painter: QPainter, area: QRectF) -> None:
        """Both sides as numbers, with = or ≠ between them, and the verdict."""
        theme = self.theme
        (left, one), (right, other) = self._sides
        sign = "=" if self.holds else "≠"
        third = area.width() / 3
        for number, (name, value, full) in enumerate(((left, one, True), (right, other, False))):
            x = area.left() + number * (third + 8)
            paint_dot(painter, QPointF(x + 5, area.top() + 11), 4.0, theme.ink1, theme.dock, full=full)
            marks.put_text(painter, x + 16, area.top() + 11, name, formula_font(14), theme.ink2, LEFT)
            marks.put_text(painter, x + 16, area.top() + 29, three_digits(value), font(13, 600), theme.ink1, LEFT)
            self.spots.append(Spot(QRectF(x, area.top(), third, NUMBERS - 8), name, value))
        marks.put_text(painter, area.left() + third - 6, area.top() + 29, sign, font(15, 600), theme.ink1)
        words = fitting((self.verdict, self.verdict.removeprefix("differ ")), 12, third - 16, 600)
        x = area.right() - marks.text_width(words, font(12, 600)) - 20
        pill = QRectF(x, area.top() + 10, area.right() - x, 22)
        painter.setPen(QPen(QColor(theme.strong_line if self.holds else theme.ink1), 1.2))
        painter.drawRoundedRect(pill, 11, 11)
        marks.put_text(painter, pill.center().x(), pill.center().y(), words, font(12, 600), theme.ink1)

    def _corners(self) -> list[tuple[float, float]]:
        """Of the figure: 0 or the points of f first, then the corner or the end of the ray, then the point of f under it."""
        t = self._known
        if self._which == "additive":
            return [(0.0, 0.0), (t.x, t.f_x), (t.y, t.f_y), (t.x + t.y, t.sum_of), (t.x + t.y, t.of_sum)]
        return [(0.0, 0.0), (t.x, t.f_x), (t.a * t.x, t.multiple_of), (t.a * t.x, t.of_multiple)]

    def _lowest(self, across: float, up: float, corners: list[tuple[float, float]]) -> float:
        """Where the vertical axis begins: no room is kept below 0 for what is not there."""
        tried = self._known
        with np.errstate(all="ignore"):
            values = ACTIVATIONS[tried.name].function(np.linspace(-across, across, POINTS), tried.parameter)
        lowest = min(*(y for _, y in corners), float(values.min()))
        return -up if lowest < -up / 2 else min(1.2 * lowest, -0.12 * up)

    def _paint_axes(self, painter: QPainter, plot: Plot) -> None:
        theme, box = self.theme, plot.box
        for value in ticks(plot.extent[2], plot.extent[3], 4):
            y = plot.at(0.0, value).y()
            painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.5 if value == 0 else 0.18), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, _tick(value), font(11), theme.ink3, RIGHT)
        for value in ticks(plot.extent[0], plot.extent[1], 8):
            x = plot.at(value, 0.0).x()
            painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.5 if value == 0 else 0.18), 1))
            painter.drawLine(QLineF(x, box.top(), x, box.bottom()))
            marks.put_text(painter, x, box.bottom() + 12, _tick(value), font(11), theme.ink3)

    def _paint_curve(self, painter: QPainter, plot: Plot) -> None:
        tried, (left, right) = self._known, plot.extent[:2]
        activation = ACTIVATIONS[tried.name]
        pen = QPen(QColor(self.theme.ink2), 1.6)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        bounds = [left, *(kink for kink in activation.kinks if left < kink < right), right]
        for start, end in itertools.pairwise(bounds):
            tiny = 1e-9 * (end - start)
            x = np.linspace(start + tiny, end - tiny, POINTS)
            with np.errstate(all="ignore"):
                paint_line(painter, plot, x, activation.function(x, tried.parameter))

    def _paint_figure(self, painter: QPainter, plot: Plot, corners: list[tuple[float, float]]) -> None:
        """The parallelogram or the ray, the two points that should be one, and the gap between them."""
        theme = self.theme
        *given, goal, there = [plot.at(*corner) for corner in corners]
        painter.setPen(QPen(QColor(theme.ink3), 1.2))
        if self._which == "additive":
            zero, first, second = given
            painter.setBrush(blend(theme.ink3, theme.canvas, 0.14))
            painter.drawPolygon(QPolygonF([zero, first, goal, second]))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            self._paint_curve(painter, plot)
            names: tuple[str, ...] = ("x", "y")
        else:
            zero, first = given
            painter.drawLine(QLineF(zero, goal))
            painter.drawLine(QLineF(zero, first))
            names = ("x",)
        if not self.holds and abs(goal.y() - there.y()) > 1:
            painter.setPen(QPen(QColor(theme.ink1), 2.4))
            painter.drawLine(QLineF(goal, there))
        for point in given[1:]:
            paint_dot(painter, point, 3.0, theme.ink3, theme.canvas, full=True)
        paint_dot(painter, goal, 5.0, theme.ink1, theme.canvas, full=False)
        paint_dot(painter, there, 3.4 if self.holds else 4.2, theme.ink1, theme.canvas, full=True)
        self._paint_letters(painter, plot, list(zip(names, given[1:], strict=True)), goal, there)

    def _paint_letters(self, painter: QPainter, plot: Plot, named: list[tuple[str, QPointF]], goal: QPointF, there: QPointF) -> None:
        theme, box = self.theme, plot.box
        taken = [goal, there]
        for name, point in named:
            y = point.y() - 13 if point.y() - 13 > box.top() + 6 else point.y() + 13
            if any(abs(other.x() - point.x()) < 10 and abs(other.y() - y) < 12 for other in taken):
                y = 2 * point.y() - y
            outlined_text(painter, QPointF(min(box.right() - 8, max(box.left() + 8, point.x())), y), name, 12, theme.ink2, theme.canvas,
                          Qt.AlignmentFlag.AlignHCenter, 500)  # fmt: skip
            taken.append(QPointF(point.x(), y))
        if not self.holds and abs(goal.y() - there.y()) > 26:
            text = three_digits(abs(self._sides[0][1] - self._sides[1][1]))
            middle, wide = (goal.y() + there.y()) / 2, marks.text_width(text, font(12, 600)) + 16
            right = QRectF(goal.x(), middle - 16, wide, 32)
            free = right.right() <= box.right() and not any(right.contains(point) for point in taken[2:])
            align = LEFT if free else RIGHT
            at = QPointF(goal.x() + (-9 if align == RIGHT else 9), middle)
            outlined_text(painter, at, text, 12, theme.ink1, theme.canvas, align, 600)


def reach(numbers: Iterable[float]) -> float:
    """Where a symmetrical axis ends so that all these numbers are on it: one of a few round ones."""
    largest = max(FEWEST / 1.15, *(abs(number) for number in numbers))
    scale = 10.0 ** math.floor(math.log10(largest))
    return next((step * scale for step in REACHES if step * scale >= 1.12 * largest), 10 * scale * 1.2)


def _tick(value: float) -> str:
    return f"{value:.4g}".replace("-", MINUS)


@functools.lru_cache(maxsize=64)
def tries_words(name: str, parameter: float, seed: int = 0) -> str:
    """What random numbers say about the whole function: how often each equation holds."""
    rng = np.random.default_rng(seed)
    xs, ys = rng.uniform(-5, 5, (2, TRIALS))
    factors = rng.uniform(-3, 3, TRIALS)
    tried = [linearity(name, *numbers, parameter) for numbers in zip(xs.tolist(), ys.tolist(), factors.tolist(), strict=True)]
    if all(one.linear for one in tried):
        return f"Tried at {TRIALS} random x, y and a: always equal: linear."
    additive = sum(one.additive for one in tried)
    text = f"Tried at {TRIALS} random x, y and a: additive in {additive}; "
    up = [one.homogeneous for one in tried if one.a >= 0]
    down = [one.homogeneous for one in tried if one.a < 0]
    end = "One failure is enough: not linear."
    if all(up) and not any(down):
        return f"{text}homogeneous for all {len(up)} with a ≥ 0, for none of the {len(down)} with a < 0. {end}"
    return f"{text}homogeneous in {sum(up) + sum(down)}. {end}"
