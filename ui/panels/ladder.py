"""The product ladder: every factor from the loss back to one weight, one row per layer, and what the factors multiply to.

It can be read along the strongest path (slope times weight, row by row) or as the sum over all paths, which is what
back-propagation computes. Each row's bar stands on the fixed axis 10⁻⁹ … 10³ and has the colour of its magnitude.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.selected import ChainRule, ThroughTime
from gradviz.snapshot import Architecture

from .. import colors
from ..numbers import full, power, short
from ..theme import Theme, blend, font
from . import marks
from .ladder_rows import SMALLEST_NORMAL, TICKED, Row, beyond_floats, ladder_rows, product_text
from .spots import Spot

HEADS = 18.0  # height of the column heads
AXIS = 16.0  # height of the tick labels under the bars
BETWEEN, BESIDE_BARS = 7.0, 8.0  # gaps between the columns of numbers, and at both ends of the bars
FEWEST_BAR = 44.0  # pixels: before the bars get shorter, a column goes
SMALL = ("slope", "weight")  # columns of 11 px
LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_SAME_WIDTH = str.maketrans("123456789¹²³⁴⁵⁶⁷⁸⁹", "000000000⁰⁰⁰⁰⁰⁰⁰⁰⁰")


@functools.lru_cache(maxsize=1024)
def measured(text: str, pixels: int, weight: int = 400) -> float:
    """Width of a text, remembered: most texts are drawn again with the next snapshot."""
    return marks.text_width(text, font(pixels, weight))


def _width(text: str, pixels: int = 12) -> float:
    """Width of a number; figures are equally wide, so few different ones are ever measured."""
    return measured(text.translate(_SAME_WIDTH), pixels, 500)


@dataclass(frozen=True)
class Grid:
    """Where the columns stand: right ends of the numbers, and the ends of the bars. A column that found no room is None."""

    left: float
    name: float
    slope: float | None
    weight: float | None
    factor: float
    bar: float
    bar_end: float
    number: float

    def x(self, position: float) -> float:
        return self.bar + position * (self.bar_end - self.bar)


class Ladder:
    """Draws the rows. Columns only ever grow for longer numbers while the same weight is shown, so that nothing dances."""

    def __init__(self) -> None:
        self.rows: tuple[Row, ...] = ()
        self.single = True  # whether there is only one path
        self.all_paths = False  # whether rows tell the sum over all paths instead of the strongest path
        self._underflow = False  # whether a 0 is only what is left of a product too small for floating point
        self._time: ThroughTime | None = None
        self._widths: dict[str, float] = {}
        self._shown: tuple[object, ...] = ()

    def show_chain(self, chain: ChainRule | None, architecture: Architecture | None) -> None:
        """Take over the rows of this chain rule; None for none."""
        if chain is None or architecture is None:
            self.rows = ()
            return
        self.rows = ladder_rows(chain, architecture)
        self.single = chain.log10_paths < 0.01
        self._time = chain.time
        self._underflow = bool(chain.rungs) and math.isfinite(chain.rungs[-1].log10_product)
        shown = (chain.parameter, chain.layer, chain.row, chain.column, architecture)
        if shown != self._shown:
            self._shown, self._widths = shown, {}

    @property
    def summed(self) -> bool:
        return self.all_paths and not self.single

    @property
    def _gated(self) -> bool:
        """Whether a factor is that of a gate, and no product of slope and weight."""
        return self._time is not None and bool(self._time.gate)

    # ---- what a row says

    def factor(self, row: Row) -> float | None:
        return row.change if self.summed else row.factor

    def number_text(self, row: Row) -> str:
        """What the product column says."""
        if self.summed or row.product is None:
            return short(row.total)
        return product_text(row.product, row.log10_product, row.negative)

    def _texts(self, row: Row) -> dict[str, str]:
        factor = self.factor(row)
        texts = {"number": self.number_text(row)}
        if factor is not None:
            texts["factor"] = short(factor) if row.kind == "loss" else f"×\u2009{'1' if factor == 1.0 else short(factor)}"
        if self._gated:
            return texts
        if row.slope is not None:
            texts["slope"] = short(row.slope)
        if row.weight is not None and not self.summed:
            texts["weight"] = short(row.weight)
        return texts

    # ---- where things stand

    def grid(self, left: float, width: float, rows: Sequence[Row]) -> Grid:
        """Columns in which the texts of these rows fit; the bars get what is left."""
        slope, weight = 0.0 if self._gated else 24.0, 0.0 if self._gated or self.summed else 24.0
        wanted = {"name": 34.0, "slope": slope, "weight": weight, "factor": 40.0, "number": 50.0}
        for key, known in self._widths.items():
            wanted[key] = 0.0 if key == "weight" and self.summed else max(wanted[key], known)
        for row in rows:
            if row.kind in ("sum", "gap") or not row.reached:
                continue
            for key, text in self._texts(row).items():
                wanted[key] = max(wanted[key], _width(text, 11 if key in SMALL else 12))
            unit = f"·{row.unit + 1}" if row.unit is not None else ""
            if row.kind in TICKED:
                wanted["name"] = max(wanted["name"], 10 + _width(row.name + unit))
        self._widths = {**self._widths, **{key: size for key, size in wanted.items() if size}}
        spare = width - sum(wanted.values()) - 3 * BETWEEN - 2 * BESIDE_BARS
        for dropped in ("weight", "slope"):
            if spare < FEWEST_BAR and wanted[dropped]:
                spare += wanted[dropped] + BETWEEN
                wanted[dropped] = 0.0
        x = left + wanted["name"]
        ends: dict[str, float | None] = {}
        for key in ("slope", "weight", "factor"):
            x += wanted[key] + BETWEEN if wanted[key] else 0.0
            ends[key] = x if wanted[key] else None
        bar, end = x + BESIDE_BARS, left + width
        return Grid(
            left, left + wanted["name"], ends["slope"], ends["weight"], x, bar, max(bar + 20, end - wanted["number"] - BESIDE_BARS), end
        )

    # ---- drawing

    def paint_heads(self, painter: QPainter, grid: Grid, y: float, theme: Theme) -> None:
        """The names of the columns and a line under them."""
        middle, used = y + HEADS / 2 - 1, font(11)
        marks.put_text(painter, grid.left + 10, middle, "layer" if self._time is None else "time", used, theme.ink3, LEFT)
        for x, text in ((grid.slope, "f′"), (grid.weight, "w"), (grid.factor, "factor")):
            if x is not None:
                marks.put_text(painter, x, middle, text, used, theme.ink3, RIGHT)
        head = "sum so far" if self.summed else "product so far"
        marks.put_text(painter, grid.number, middle, head, used, theme.ink3, RIGHT)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QLineF(grid.left, y + HEADS - 0.5, grid.number, y + HEADS - 0.5))

    def paint_ground(self, painter: QPainter, grid: Grid, top: float, bottom: float, theme: Theme) -> None:
        """The healthy zone and the decades behind the bars."""
        low, high = (grid.x(colors.position(10.0**end)) for end in colors.HEALTHY)
        painter.fillRect(QRectF(low, top, high - low, bottom - top), blend(theme.zone, theme.dock, 0.10))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLines([QLineF(x, top, x, bottom) for x in (grid.x(colors.position(10.0**e)) for e in (-9, -6, -3, 0, 3))])

    def paint_axis(self, painter: QPainter, grid: Grid, y: float, theme: Theme) -> None:
        """As many powers of ten under the bars as stand apart."""
        room = grid.bar_end - grid.bar
        exponents = (-9, -6, -3, 0, 3) if room >= 150 else (-9, -3, 3) if room >= 76 else (-9, 3)
        for exponent in exponents:
            marks.put_text(painter, grid.x(colors.position(10.0**exponent)), y + AXIS / 2, power(exponent), font(11), theme.ink3)

    def paint_rows(
        self,
        painter: QPainter,
        grid: Grid,
        rows: Sequence[tuple[float, Row]],
        height: float,
        theme: Theme,
        lit: frozenset[int],
        spots: list[Spot],
        first_zero: Row | None,
    ) -> None:
        """Draw rows at their tops. ``lit`` are the layers in a band of their own."""
        values = [self._bar_value(row) for _, row in rows]
        levels = colors.levels(np.array(values, float)) if values else ()
        for (top, row), value, level in zip(rows, values, levels, strict=True):
            y = top + height / 2
            if row.kind == "gap":
                marks.put_text(painter, grid.left + 10, y, row.name, font(12), theme.ink3, LEFT)
                continue
            main = row.kind in ("layer", "output")
            if row.layer in lit and main:
                painter.fillRect(QRectF(grid.left - 6, top, grid.number - grid.left + 12, height), QColor(theme.hover))
            if row.kind == "sum":
                self._paint_sum(painter, grid, y, height, row, theme, spots)
                continue
            self._paint_texts(painter, grid, y, height, row, theme, row.layer in lit and main, spots)
            bar = QRectF(grid.bar, y - height / 2 + 3, grid.bar_end - grid.bar, height - 6)
            if row.reached:
                self._paint_bar(painter, bar, value, int(level), theme, row is first_zero)
                self._paint_tick(painter, grid, bar, row, theme)
            else:
                painter.setPen(QPen(QColor(theme.outline), 1.5, Qt.PenStyle.DotLine))
                painter.drawLine(QLineF(bar.left() + 1, y, bar.left() + 16, y))

    def first_zero(self) -> Row | None:
        """The row at which the gradient has become exactly 0."""
        if not self.rows or self._bar_value(self.rows[-1]) != 0.0:
            return None  # what is 0 once stays 0
        return next((row for row in self.rows if row.reached and row.kind != "sum" and self._bar_value(row) == 0.0), None)

    def _bar_value(self, row: Row) -> float:
        """What the bar shows: of a product that cannot be written down its end of the axis, never a false 0."""
        if self.summed or row.product is None:
            return row.total
        if beyond_floats(row.product, row.log10_product):
            return SMALLEST_NORMAL if row.log10_product < 0 else 1.0 / SMALLEST_NORMAL
        return row.product

    def _paint_texts(
        self, painter: QPainter, grid: Grid, y: float, height: float, row: Row, theme: Theme, lit: bool, spots: list[Spot]
    ) -> None:
        ink = theme.ink3 if not row.reached else theme.ink1
        strong = lit or row.kind in ("result", "clip")
        if row.kind in TICKED:
            tick = theme.strong_line if not row.reached else {"loss": theme.purple, "input": theme.blue}.get(row.kind, theme.red)
            painter.fillRect(QRectF(grid.left, y - height / 2 + 3, 2.5, height - 6), QColor(tick))
        heavy = 600 if strong else 400
        used = font(12, heavy)
        name = f"{row.name}, all paths" if row.kind == "result" and not self.single else row.name
        marks.put_text(painter, grid.left + 10, y, name, used, ink if row.reached else theme.ink3, LEFT)
        if row.unit is not None:
            start = grid.left + 10 + measured(row.name, 12, heavy)
            marks.put_text(painter, start, y, f"·{row.unit + 1}", font(11), theme.ink3, LEFT)
        if not row.reached:
            if row.kind not in ("result", "mean"):
                marks.put_text(painter, grid.factor, y, "×\u2009·", font(12), theme.ink3, RIGHT)
            return
        unit = f", unit {row.unit + 1}" if row.unit is not None else ""
        where = row.name if row.kind in ("loss", "input", "batch_norm", "skip", "clip", "result", "mean") else f"{row.name}{unit}"
        texts = self._texts(row)
        by_total = self.summed or row.product is None
        factor_label = "change of the summed gradient" if self.summed and row.kind != "clip" else self._factor_label(row)
        columns = (
            ("slope", grid.slope, "slope f′", row.slope, 400),
            ("weight", grid.weight, "weight w", row.weight, 400),
            ("factor", grid.factor, factor_label, self.factor(row), 500),
            ("number", grid.number, "all paths" if by_total else "product of this path", row.total if by_total else row.product, 400),
        )
        for key, x, label, value, weight in columns:
            text = texts.get(key)
            if x is None or text is None or value is None:
                continue
            colour = theme.nan if not math.isfinite(value) else theme.ink2 if key in SMALL else theme.ink1
            strongly = value == 0.0 or (strong and key == "number")
            marks.put_text(painter, x, y, text, font(11 if key in SMALL else 12, 600 if strongly else weight), colour, RIGHT)
            width = _width(text)
            beyond = not by_total and key == "number" and beyond_floats(value, row.log10_product)
            spots.append(Spot(QRectF(x - width - 3, y - height / 2, width + 6, height), f"{where}: {label}", value, text if beyond else ""))

    def _factor_label(self, row: Row) -> str:
        forgets = self._gated and self._time is not None and row.kind == "layer" and row.layer < self._time.steps and row.weight is None
        return f"forget gate of t{row.layer + 1}" if forgets else "factor"

    def _paint_sum(self, painter: QPainter, grid: Grid, y: float, height: float, row: Row, theme: Theme, spots: list[Spot]) -> None:
        """Where a skip's gradient joins that of its block: both parts and their sum."""
        ink = theme.ink2 if row.reached else theme.ink3
        painter.fillRect(QRectF(grid.bar - 1, y - height / 2, grid.number - grid.bar + 1, height), QColor(theme.dock))
        parts = f"block {short(row.branch)} + skip {short(row.skip)}" if row.reached else "block · + skip ·"
        whole = f"{parts} = {short(row.total)}" if row.reached else parts
        left = grid.left + 24
        text = whole if measured(whole, 11) <= grid.number - left else parts
        marks.put_text(painter, left, y, text, font(11), ink, LEFT)
        painter.setPen(QPen(QColor(ink), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        middle = QPointF(grid.left + 15, y)
        painter.drawEllipse(middle, 4.5, 4.5)
        painter.drawLines([QLineF(middle - reach, middle + reach) for reach in (QPointF(4.5, 0), QPointF(0, 4.5))])
        if row.reached:
            words = f"through the block {full(row.branch)}, through the skip {full(row.skip)}, together"
            spots.append(Spot(QRectF(grid.left, y - height / 2, grid.number - grid.left, height), words, row.total))

    def _paint_bar(self, painter: QPainter, bar: QRectF, value: float, level: int, theme: Theme, names_zero: bool) -> None:
        painter.setPen(QPen(QColor(theme.outline), 1))
        if level == colors.NONFINITE:
            colors.paint_hatch(painter, bar, theme)
            painter.setPen(QPen(QColor(theme.nan), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(bar)
        elif level == colors.ZERO:
            size = min(12.0, bar.height())
            marks.paint_swatch(painter, QRectF(bar.left(), bar.center().y() - size / 2, size, size), level, theme)
            if names_zero and bar.width() >= 70:
                text = "underflow" if self._underflow else "exactly 0"
                marks.put_text(painter, bar.left() + size + 4, bar.center().y(), text, font(11), theme.ink2, LEFT)
        elif abs(value) < 10.0**colors.LOW:
            painter.setBrush(colors.color(level, theme))
            self._paint_pointer(painter, bar.left() + 7, bar, -7.0)
        else:
            painter.setBrush(colors.color(level, theme))
            length = max(2.0, colors.position(value) * bar.width())
            beyond = abs(value) > 10.0**colors.HIGH
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), length - (5 if beyond else 0), bar.height()), 2, 2)
            if beyond:
                self._paint_pointer(painter, bar.right() - 4, bar, 7.0)

    def _paint_pointer(self, painter: QPainter, x: float, bar: QRectF, reach: float) -> None:
        """An arrowhead: the number lies beyond the axis."""
        half = min(5.0, bar.height() / 2)
        y = bar.center().y()
        painter.drawPolygon([QPointF(x, y - half), QPointF(x, y + half), QPointF(x + reach, y)])

    def _paint_tick(self, painter: QPainter, grid: Grid, bar: QRectF, row: Row, theme: Theme) -> None:
        """What the other way of reading gives, as a thin mark."""
        if self.single or row.product is None:
            return
        other = row.product if self.summed else row.total
        if math.isfinite(other) and other != 0.0 and abs(other) >= 10.0**colors.LOW:
            paint_tick(painter, grid.x(colors.position(other)), bar.top() - 1, bar.bottom() + 1, theme)


def paint_tick(painter: QPainter, x: float, top: float, bottom: float, theme: Theme) -> None:
    """The thin mark on a bar, with a casing so that it stands out from every colour."""
    painter.fillRect(QRectF(x - 2, top, 4, bottom - top), QColor(theme.dock))
    painter.fillRect(QRectF(x - 1, top, 2, bottom - top), QColor(theme.ink1))
