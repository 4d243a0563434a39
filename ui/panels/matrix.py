"""A matrix and a bias, to be looked at: numbers on greys while they fit, else squares or bars as large as the numbers.

Greys, because weights are no gradients. A negative number is a hollow square or a bar to the left; what is 0 or not finite has a
mark of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.arrays import Floats

from .. import colors
from ..numbers import short
from ..theme import blend, font
from . import marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .plots import elided
from .spots import Spot

MOST_ROWS, MOST_COLUMNS = 64, 32  # squares; larger matrices are pooled into blocks
MOST_NUMBERS = 14  # rows that are written as numbers
CELL, CELL_GAP, WIDEST_CELL = 26.0, 2.0, 96.0
GREYEST = 0.42  # ground of the largest number: its text stays readable
NAME = 72.0  # the widest name of a row
HEAD, FOOT = 20.0, 8.0
BIAS_GAP = 8.0
SMALLEST_SQUARE, LARGEST_SQUARE, TALLEST = 5.0, 20.0, 400.0
BARS_UNDER, LEAST_BAR, MOST_BAR = 10.0, 16.0, 60.0  # squares get bars instead where they would be smaller, if a column has the room


@dataclass(frozen=True)
class Shown:
    """The numbers as drawn: (rows, columns), each the number itself or the RMS of a block."""

    matrix: Floats
    bias: Floats
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    pooled: tuple[int, int]  # rows and columns of the largest block; (1, 1) where nothing is pooled


def pool(matrix: Floats, bias: Floats, row_names: tuple[str, ...], column_names: tuple[str, ...]) -> Shown:
    """At most `MOST_ROWS` × `MOST_COLUMNS` numbers: those of a larger matrix become the RMS of blocks."""
    rows, columns = matrix.shape
    if rows <= MOST_ROWS and columns <= MOST_COLUMNS:
        return Shown(matrix, bias, row_names, column_names, (1, 1))
    down = np.linspace(0, rows, min(rows, MOST_ROWS) + 1).round().astype(int)
    across = np.linspace(0, columns, min(columns, MOST_COLUMNS) + 1).round().astype(int)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.add.reduceat(np.add.reduceat(np.square(matrix), down[:-1], axis=0), across[:-1], axis=1)
        counts = np.outer(np.diff(down), np.diff(across))
        constants = np.add.reduceat(np.square(bias), across[:-1]) / np.diff(across)
    names = tuple(_span(row_names, a, b) for a, b in zip(down[:-1].tolist(), down[1:].tolist(), strict=True))
    heads = tuple(_span(column_names, a, b) for a, b in zip(across[:-1].tolist(), across[1:].tolist(), strict=True))
    return Shown(np.sqrt(squares / counts), np.sqrt(constants), names, heads, (int(np.diff(down).max()), int(np.diff(across).max())))


def _span(names: tuple[str, ...], start: int, end: int) -> str:
    return names[start] if end - start == 1 else f"{names[start]} … {names[end - 1]}"


class Matrix(Block):
    """Draws one matrix, and its bias as a row apart."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = Shown(np.zeros((0, 0)), np.zeros(0), (), (), (1, 1))
        self._largest = 0.0
        self.setAccessibleName("The linear map")

    def show_map(self, matrix: Floats, bias: Floats, row_names: tuple[str, ...], column_names: tuple[str, ...]) -> None:
        """``matrix`` (inputs, outputs), ``bias`` (outputs,) and the names of both sides."""
        self._shown = pool(matrix, bias, row_names, column_names)
        values = np.abs(np.append(self._shown.matrix, self._shown.bias))
        self._largest = float(values[np.isfinite(values)].max(initial=0.0))
        rows, columns = matrix.shape
        self.setAccessibleDescription(f"{rows} inputs by {columns} outputs, largest number {short(self._largest)}")
        self.update()

    def numbers_fit(self, width: float) -> bool:
        """Whether every number can be written out at this width."""
        rows, columns = self._shown.matrix.shape
        if self._shown.pooled != (1, 1) or rows > MOST_NUMBERS:
            return False
        values = np.append(self._shown.matrix, self._shown.bias)
        widest = max((marks.text_width(short(float(value)), font(12)) for value in values.flat), default=0.0)
        return float(columns * (widest + 12)) <= width - 2 * SIDE - self._gutter

    def caption_at(self, width: float) -> str:
        """How squares or bars are to be read; nothing where numbers stand."""
        if self.numbers_fit(width):
            return ""
        down, across = self._shown.pooled
        bars, most = self._bar(width) > 0, short(self._largest)
        if (down, across) != (1, 1):
            each, size = ("bar", "the longest is") if bars else ("square", "its area says how large, at most")
            return f"Each {each} is the RMS of up to {down} × {across} numbers; {size} {most}."
        if bars:
            return f"Bars to the right are positive, to the left negative; the longest is {most}."
        return f"Full squares are positive, hollow ones negative; the area says how large, at most {short(self._largest)}."

    @property
    def _gutter(self) -> float:
        names = [*self._shown.row_names, "bias"]
        return min(NAME, max(marks.text_width(name, font(11)) for name in names)) + 8

    def _square(self, width: float) -> float:
        """The side of a square, or the height of a bar."""
        rows, columns = self._shown.matrix.shape
        room = LARGEST_SQUARE if self._bar(width) else (width - 2 * SIDE - self._gutter) / max(1, columns)
        return max(SMALLEST_SQUARE, float(math.floor(min(LARGEST_SQUARE, room, TALLEST / max(1, rows)))))

    def _bar(self, width: float) -> float:
        """The room for the longest bar; 0 where squares are drawn."""
        rows, columns = self._shown.matrix.shape
        room = min(MOST_BAR, (width - 2 * SIDE - self._gutter) / max(1, columns))
        return float(room) if TALLEST / max(1, rows) < BARS_UNDER and room >= LEAST_BAR else 0.0

    def height_at(self, width: float) -> float:
        rows = len(self._shown.matrix)
        each = CELL if self.numbers_fit(width) else self._square(width)
        return HEAD + each * (rows + 1) + BIAS_GAP + FOOT

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        shown, theme = self._shown, self.theme
        rows, columns = shown.matrix.shape
        if not rows or not columns:
            return
        written = self.numbers_fit(area.width())
        each = CELL if written else self._square(area.width())
        left = area.left() + SIDE + self._gutter
        wide = min(WIDEST_CELL, (area.right() - SIDE - left) / columns) if written else self._bar(area.width()) or each
        top = area.top() + HEAD
        self._paint_names(painter, area, left, wide, each)
        values = np.vstack((shown.matrix, shown.bias))
        names = (*shown.row_names, "bias")
        for row in range(rows + 1):
            y = top + each * row + (BIAS_GAP if row == rows else 0.0)
            for column in range(columns):
                value = float(values[row, column])
                box = QRectF(left + column * wide, y, wide, each)
                if written:
                    self._paint_number(painter, box.adjusted(0, 0, -CELL_GAP, -CELL_GAP), value)
                elif wide > each:
                    self._paint_bar(painter, box, value)
                else:
                    self._paint_square(painter, box, value)
                kind = "RMS, " if shown.pooled != (1, 1) else ""
                self.spots.append(Spot(box, f"{kind}{names[row]} → {shown.column_names[column]}", value))
        if not written:
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(left - 0.5, top - 0.5, wide * columns + 1, each * rows + 1))
            painter.drawRect(QRectF(left - 0.5, top + each * rows + BIAS_GAP - 0.5, wide * columns + 1, each + 1))
            for column in range(1, columns) if wide > each else ():
                painter.drawLine(QLineF(left + column * wide, top, left + column * wide, top + each * rows))

    def _paint_names(self, painter: QPainter, area: QRectF, left: float, wide: float, each: float) -> None:
        shown, used = self._shown, font(11)
        top, ink = area.top() + HEAD, self.theme.ink2
        widest = max(marks.text_width(name, used) for name in shown.column_names)
        stride = 1 if widest <= wide - 3 else max(1, math.ceil(min(60.0, widest + 8) / wide))
        for column in range(0, len(shown.column_names), stride):
            name = elided(shown.column_names[column], max(wide * stride - 4, 24.0))
            middle = left + (column + 0.5) * wide - (CELL_GAP / 2 if wide > LARGEST_SQUARE else 0)
            half = marks.text_width(name, used) / 2
            middle = min(max(middle, left + half), max(left + half, area.right() - SIDE - half))
            marks.put_text(painter, middle, top - 10, name, used, ink)
        stride = max(1, math.ceil(13.0 / each))
        for row in range(0, len(shown.row_names), stride):
            name = elided(shown.row_names[row], NAME)
            marks.put_text(painter, left - 8, top + (row + 0.5) * each - 1, name, used, ink, RIGHT)
        bias = top + len(shown.row_names) * each + BIAS_GAP + each / 2 - 1
        marks.put_text(painter, left - 8, max(bias, top + 13), "bias", used, ink, RIGHT)

    def _paint_number(self, painter: QPainter, box: QRectF, value: float) -> None:
        theme = self.theme
        if not math.isfinite(value):
            colors.paint_hatch(painter, QRectF(box.left(), box.top(), 12, box.height()), theme)
            marks.put_text(painter, box.left() + 18, box.center().y(), short(value), font(12, 500), theme.nan, LEFT)
            return
        share = abs(value) / self._largest if self._largest else 0.0
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(blend(theme.ink3, theme.dock, GREYEST * share))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        marks.put_text(painter, box.center().x(), box.center().y(), short(value), font(12), theme.ink1)

    def _paint_bar(self, painter: QPainter, cell: QRectF, value: float) -> None:
        """From the middle of the cell to the right or left; of a pooled block from its left end."""
        if not math.isfinite(value):
            colors.paint_hatch(painter, cell, self.theme)
            return
        pooled = self._shown.pooled != (1, 1)
        room = cell.width() - 4 if pooled else cell.width() / 2 - 2
        start = cell.left() + 2 if pooled else cell.center().x()
        reach = room * value / self._largest if self._largest else 0.0
        ink = QColor(self.theme.ink2 if value >= 0 else self.theme.ink3)
        box = QRectF(min(start, start + reach), cell.top() + 0.5, max(0.8, abs(reach)), cell.height() - 1)
        painter.fillRect(box, ink)

    def _paint_square(self, painter: QPainter, cell: QRectF, value: float) -> None:
        theme = self.theme
        if not math.isfinite(value):
            colors.paint_hatch(painter, cell, theme)
            return
        middle, room = cell.center(), cell.width() - 2
        if value == 0:
            size = min(room, 8.0)
            if size >= 6:
                marks.paint_swatch(painter, QRectF(middle.x() - size / 2, middle.y() - size / 2, size, size), colors.ZERO, theme)
            return
        side = max(1.0, room * math.sqrt(abs(value) / self._largest))
        box = QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side)
        if value > 0:
            painter.fillRect(box, QColor(theme.ink2))
            return
        painter.setPen(QPen(QColor(theme.ink2), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5) if side > 2 else box)
