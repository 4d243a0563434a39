"""Marks of a plot in the plane: axes, the examples of each class, greys for what a network answers, and the line between two answers."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from ..numbers import MINUS
from ..theme import Theme, blend, font
from . import marks

FINE = 4  # pixels of a surface per step of its grid; the painter smooths what is between them
GREYEST = 0.88  # opacity of the grey that stands for certainty
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Plot:
    """A rectangle of the screen and the numbers along its sides."""

    box: QRectF
    extent: tuple[float, float, float, float]  # x from, x to, y from, y to

    def at(self, x: float, y: float) -> QPointF:
        """Where a pair of numbers stands on the screen."""
        left, right, bottom, top = self.extent
        across, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
        return QPointF(self.box.left() + across * self.box.width(), self.box.bottom() - up * self.box.height())

    def numbers(self, point: QPointF) -> tuple[float, float]:
        """The pair of numbers at a point of the screen."""
        left, right, bottom, top = self.extent
        across, up = (point.x() - self.box.left()) / self.box.width(), (self.box.bottom() - point.y()) / self.box.height()
        return left + across * (right - left), bottom + up * (top - bottom)


def elided(text: str, room: float) -> str:
    """The text in the size of ticks, shortened in its middle to so many pixels: names in a row often differ at their ends."""
    return QFontMetricsF(font(11)).elidedText(text, Qt.TextElideMode.ElideMiddle, room)


def percent(share: float) -> str:
    """A share in per cent; 100 % and 0 % only when nothing is missing or there."""
    if not math.isfinite(share):
        return "NaN"
    rounded = round(100 * share)
    return f"{100 * share:.1f} %" if (rounded in (0, 100) and 0.0005 <= share < 0.9995) else f"{rounded} %"


def ticks(low: float, high: float, intervals: float) -> list[float]:
    """Round numbers between two ends."""
    step = marks.nice_step(high - low, intervals)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def paint_axes(painter: QPainter, plot: Plot, theme: Theme, x_name: str, y_name: str) -> None:
    """Frame and ticks, with the names of the axes at their ends in line with the numbers."""
    box, used, strong, line = plot.box, font(11), font(11, 500), QPen(QColor(theme.strong_line), 1)
    left, right, bottom, top = plot.extent
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(line)
    painter.drawRect(box)
    below, beside = box.bottom() + 13, box.left() - 8
    x_name, y_name = elided(x_name, box.width() / 2), elided(y_name, 28)
    marks.put_text(painter, box.right(), below, x_name, strong, theme.ink2, Qt.AlignmentFlag.AlignRight)
    marks.put_text(painter, beside, box.top() + 6, y_name, strong, theme.ink2, Qt.AlignmentFlag.AlignRight)
    end = box.right() - marks.text_width(x_name, strong) - 8
    for value in ticks(left, right, box.width() / 48):
        x, text = plot.at(value, bottom).x(), _tick_text(value)
        painter.setPen(line)
        painter.drawLine(QLineF(x, box.bottom(), x, box.bottom() + 4))
        if x + marks.text_width(text, used) / 2 < end:
            marks.put_text(painter, x, below, text, used, theme.ink3)
    for value in ticks(bottom, top, box.height() / 36):
        y = plot.at(left, value).y()
        painter.setPen(line)
        painter.drawLine(QLineF(box.left() - 4, y, box.left(), y))
        if y > box.top() + 21:
            marks.put_text(painter, beside, y, _tick_text(value), used, theme.ink3, Qt.AlignmentFlag.AlignRight)


def _tick_text(value: float) -> str:
    return f"{value:.4g}".replace("-", MINUS)


# ---- examples: class 0 a hollow circle, 1 a full one, then triangles, squares and diamonds


def paint_markers(painter: QPainter, places: list[QPointF], radius: float, label: int, theme: Theme, ink: str) -> None:
    """Draw the shape of one class at each place; full ones have a casing in the colour of the ground, to stand apart on any grey."""
    full = label % 2 == 1
    painter.setPen(QPen(QColor(theme.canvas), 1.0) if full else QPen(QColor(ink), 1.3))
    painter.setBrush(QColor(ink if full else theme.canvas))
    reach = radius + 0.5 * full  # the casing takes from full shapes
    corners, first = ((0, 0.0), (3, 90.0), (4, 45.0), (4, 90.0))[label // 2 % 4]  # circle, triangle, square, diamond
    angles = [math.radians(first + 360 * n / corners) for n in range(corners)]
    outline = [QPointF(1.3 * reach * math.cos(angle), -1.3 * reach * math.sin(angle)) for angle in angles]
    # One shape at a time: stroking a single path of many shapes takes ten times as long.
    for place in places:
        if outline:
            painter.drawPolygon(QPolygonF([place + corner for corner in outline]))
        else:
            painter.drawEllipse(place, reach, reach)


def paint_rings(painter: QPainter, places: list[QPointF], radius: float, theme: Theme, ink: str) -> None:
    """Ring the examples of the test set, whose shapes have that radius."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(theme.canvas), 2.4), QPen(QColor(ink), 0.9)):
        painter.setPen(pen)
        for place in places:
            painter.drawEllipse(place, radius + 2.2, radius + 2.2)


def paint_examples(
    painter: QPainter, theme: Theme, ink: str, places: list[QPointF], labels: NDArray[Any], in_test: NDArray[Any], room: QRectF
) -> None:
    """Every example at its place, in the shape of its class, the test set ringed; the more there are, the smaller."""
    radius = min(3.4, max(1.6, 0.2 * math.sqrt(room.width() * room.height() / max(1, len(places)))))
    paint_rings(painter, [places[index] for index in np.flatnonzero(in_test)], radius, theme, ink)
    for label in np.unique(labels):
        paint_markers(painter, [places[index] for index in np.flatnonzero(labels == label)], radius, int(label), theme, ink)


# ---- greys


def class_share(label: int, classes: int) -> float:
    """How grey a class is: evenly spread from the first class to the last."""
    return label / max(1, classes - 1)


def shade(share: float, theme: Theme) -> QColor:
    """The grey that stands for a share between 0 and 1."""
    return QColor.fromRgb(int(_shades(theme, theme.ink3)[round(255 * share)]))


@functools.cache
def _shades(theme: Theme, ink: str) -> NDArray[np.uint32]:
    table = np.array([blend(ink, theme.canvas, GREYEST * n / 255).rgb() for n in range(256)], np.uint32)
    table.flags.writeable = False
    return table


def grey_image(shares: Floats, theme: Theme, ink: str) -> QImage:
    """A picture of (rows, columns) shares from 0 (the canvas) to 1 (``ink``), row 0 at the bottom; NaN as 0."""
    levels = np.rint(255 * np.clip(np.nan_to_num(shares[::-1]), 0.0, 1.0)).astype(np.uint8)
    pixels = np.ascontiguousarray(_shades(theme, ink)[levels])
    height, width = pixels.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


# ---- surfaces


def fine_shares(grid: Floats, classes: int) -> Floats:
    """A surface at `FINE` times its resolution as shares to be shaded: probabilities for two classes, else the greys of class indices."""
    if classes <= 2:
        return refined(np.where(np.isfinite(grid), grid, 0.5))
    votes = np.stack([refined(layer) for layer in _votes(grid, classes)])
    share: Floats = votes.argmax(axis=0) / (classes - 1)
    return share


def borders(grid: Floats, classes: int) -> Floats:
    """(lines, 4) segments x, y, x, y in steps of the grid where one answer meets another; none next to NaN."""
    if classes <= 2:
        return _level_lines(grid - 0.5)
    votes = _votes(grid, classes)
    votes[:, ~np.isfinite(grid)] = np.nan
    lines: list[Floats] = [np.empty((0, 4))]
    for label in np.unique(grid[np.isfinite(grid)]).astype(int)[1:]:  # all but one class: each border has two sides
        lines.append(_level_lines(votes[label] - np.delete(votes, label, axis=0).max(axis=0)))
    return np.concatenate(lines)


def _votes(grid: Floats, classes: int) -> Floats:
    """(classes, rows, columns) how strongly each class is answered around a point: smooth, where the answers alone would make stairs."""
    votes: Floats = (grid == np.arange(classes)[:, None, None]).astype(float)
    for _ in range(2):
        wide = np.pad(votes, ((0, 0), (1, 1), (1, 1)), mode="edge")
        wide = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
        votes = (wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]) / 4
    return votes


def refined(grid: Floats) -> Floats:
    """A grid at `FINE` times its resolution, interpolated linearly."""
    rows, columns = (_interpolation(size) for size in grid.shape)
    found: Floats = rows @ grid @ columns.T
    return found


@functools.cache
def _interpolation(size: int) -> Floats:
    """(fine, size) weights of linear interpolation along one side."""
    fine = np.linspace(0, size - 1, FINE * (size - 1) + 1)
    return np.maximum(0.0, 1.0 - np.abs(fine[:, None] - np.arange(size)))


_BOTTOM, _RIGHT, _TOP, _LEFT = range(4)
_SEGMENTS = {  # which corners of a cell are inside (bottom left 1, bottom right 2, top right 4, top left 8) -> which sides are joined
    **dict.fromkeys((1, 14), ((_LEFT, _BOTTOM),)),
    **dict.fromkeys((2, 13), ((_BOTTOM, _RIGHT),)),
    **dict.fromkeys((4, 11), ((_RIGHT, _TOP),)),
    **dict.fromkeys((8, 7), ((_TOP, _LEFT),)),
    **dict.fromkeys((3, 12), ((_LEFT, _RIGHT),)),
    **dict.fromkeys((6, 9), ((_BOTTOM, _TOP),)),
    5: ((_LEFT, _BOTTOM), (_RIGHT, _TOP)),
    10: ((_BOTTOM, _RIGHT), (_TOP, _LEFT)),
}


def _level_lines(values: Floats) -> Floats:
    """(lines, 4) where values (rows, columns) cross zero, by marching squares."""
    a, b, c, d = values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1]
    cases = (a > 0) + 2 * (b > 0) + 4 * (c > 0) + 8 * (d > 0)
    cases[~np.isfinite(a + b + c + d)] = 0
    i, j = np.indices(a.shape)
    with np.errstate(all="ignore"):  # a side that is not crossed gives nonsense, which no case asks for
        sides = ((j + a / (a - b), i), (j + 1, i + b / (b - c)), (j + d / (d - c), i + 1), (j, i + a / (a - d)))
    found: list[Floats] = [np.empty((0, 4))]
    for case, joined in _SEGMENTS.items():
        cells = cases == case
        for start, end in joined:
            found.append(np.stack([part[cells] for part in (*sides[start], *sides[end])], axis=1))
    return np.concatenate(found)


def finite_runs(values: Floats) -> list[NDArray[np.intp]]:
    """Indices of each unbroken stretch of finite values."""
    known = np.flatnonzero(np.isfinite(values))
    return [run for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(run)]
