"""Typeset formulas: fractions, subscripts and rows of symbols, built from pieces that know their size and draw themselves.

Everything is text and lines, so that a formula stays a formula in an SVG or a PDF. Sizes are logical pixels; a piece stands
on a baseline and reaches ``above`` and ``below`` it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from .numbers import exponent_text, short
from .theme import font, formula_font

AXIS = 0.27  # height of the fraction bar, of = and of × over the baseline, in sizes of the font


class Piece(Protocol):
    """A part of a formula."""

    @property
    def width(self) -> float: ...

    @property
    def above(self) -> float: ...

    @property
    def below(self) -> float: ...

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        """Draw with the left end at ``x`` and the baseline at ``y``."""


@dataclass(frozen=True)
class Symbol:
    """Letters or a sign: slanted serif, or the upright font of the interface for numbers."""

    text: str
    pixels: int
    ink: str
    upright: bool = False

    @property
    def width(self) -> float:
        return _advance(self.text, self.pixels, self.upright)

    @property
    def above(self) -> float:
        return self.pixels * 0.76

    @property
    def below(self) -> float:
        return self.pixels * 0.24

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        painter.setFont(_used(self.pixels, self.upright))
        painter.setPen(QColor(self.ink))
        painter.drawText(QPointF(x, y), self.text)


@dataclass(frozen=True)
class Subscripted:
    """A piece with a smaller one at its foot."""

    base: Piece
    foot: Piece

    @property
    def width(self) -> float:
        return self.base.width + self.foot.width + 1

    @property
    def above(self) -> float:
        return self.base.above

    @property
    def below(self) -> float:
        return max(self.base.below, self._drop + self.foot.below)

    @property
    def _drop(self) -> float:
        return self.base.below * 0.75

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        self.base.paint(painter, x, y)
        self.foot.paint(painter, x + self.base.width + 1, y + self._drop)


@dataclass(frozen=True)
class Fraction:
    """One piece over another, with a bar between them; ``axis`` is the bar's height over the baseline."""

    top: Piece
    bottom: Piece
    ink: str
    axis: float
    gap: float = 3.0

    @property
    def width(self) -> float:
        return max(self.top.width, self.bottom.width) + 4

    @property
    def above(self) -> float:
        return self.axis + self.gap + self.top.below + self.top.above

    @property
    def below(self) -> float:
        return self.gap + self.bottom.above + self.bottom.below - self.axis

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        bar = y - self.axis
        self.top.paint(painter, x + (self.width - self.top.width) / 2, bar - self.gap - self.top.below)
        self.bottom.paint(painter, x + (self.width - self.bottom.width) / 2, bar + self.gap + self.bottom.above)
        painter.setPen(QPen(QColor(self.ink), 1.25))
        painter.drawLine(QLineF(x, bar, x + self.width, bar))


@dataclass(frozen=True)
class Congruent:
    """The sign ≅, drawn with lines because the bundled fonts do not have it."""

    pixels: int
    ink: str

    @property
    def width(self) -> float:
        return self.pixels * 0.62

    @property
    def above(self) -> float:
        return self.pixels * 0.7

    @property
    def below(self) -> float:
        return 0.0

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        size = self.pixels
        left, right = x + 0.04 * size, x + 0.58 * size
        wave = QPainterPath(QPointF(left, y - 0.44 * size))
        middle, height = (left + right) / 2, y - 0.51 * size
        wave.cubicTo(QPointF(left + 0.1 * size, height - 0.16 * size), QPointF(middle, height - 0.04 * size), QPointF(middle, height))
        end = QPointF(right, y - 0.58 * size)
        wave.cubicTo(QPointF(middle, height + 0.04 * size), QPointF(right - 0.1 * size, height + 0.16 * size), end)
        painter.setPen(QPen(QColor(self.ink), max(1.0, size / 14)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(wave)
        for share in (0.33, 0.16):
            painter.drawLine(QLineF(left, y - share * size, right, y - share * size))


@dataclass(frozen=True)
class Row:
    """Pieces side by side on one baseline."""

    pieces: Sequence[Piece]
    gap: float = 6.0

    @functools.cached_property
    def width(self) -> float:
        return sum(piece.width for piece in self.pieces) + self.gap * (len(self.pieces) - 1)

    @property
    def above(self) -> float:
        return max(piece.above for piece in self.pieces)

    @property
    def below(self) -> float:
        return max(piece.below for piece in self.pieces)

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        for piece in self.pieces:
            piece.paint(painter, x, y)
            x += piece.width + self.gap


def derivative(of: str, by: str, pixels: int, ink: str, of_foot: str = "", by_foot: str = "") -> Fraction:
    """∂``of``/∂``by`` as an upright fraction; each may have an index at its foot."""
    over, under = (
        subscripted(f"∂{letter}", foot, pixels, ink) if foot else _partial(letter, pixels, ink)
        for letter, foot in ((of, of_foot), (by, by_foot))
    )
    return Fraction(over, under, ink, AXIS * pixels)


def flat_derivative(of: str, by: str, pixels: int, ink: str) -> Row:
    """∂``of``/∂``by`` on one line."""
    return Row((_partial(of, pixels, ink), Symbol("/", pixels, ink), _partial(by, pixels, ink)), 0.5)


def subscripted(base: str, foot: str, pixels: int, ink: str) -> Subscripted:
    """A letter with a word at its foot, such as w with "new"."""
    return Subscripted(Symbol(base, pixels, ink), Symbol(foot, max(11, round(pixels * 0.68)), ink))


def paint_fitted(painter: QPainter, piece: Piece, area: QRectF, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignHCenter) -> None:
    """Draw a formula in the middle of ``area``, or at its left, smaller if it would be too wide."""
    scale = min(1.0, area.width() / max(1.0, piece.width))
    painter.save()
    slack = area.width() - piece.width * scale
    painter.translate(area.left() + (slack / 2 if align == Qt.AlignmentFlag.AlignHCenter else 0.0), area.center().y())
    painter.scale(scale, scale)
    piece.paint(painter, 0.0, (piece.above - piece.below) / 2)
    painter.restore()


def three_digits(value: float) -> str:
    """Three significant digits, such as ``2.26``, ``0.0015``, ``3.94×10⁻⁶``: where factors are multiplied two are too few."""
    if value != value or value in (0.0, float("inf"), float("-inf")):
        return short(value)
    mantissa, exponent = f"{value:.2e}".split("e")
    size = int(exponent)
    text = f"{float(f'{value:.2e}'):.{max(0, 2 - size)}f}" if -3 <= size <= 2 else mantissa
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return (text if -3 <= size <= 2 else f"{text}×10{exponent_text(size)}").replace("-", "−")


def _partial(letter: str, pixels: int, ink: str) -> Symbol:
    return Symbol(f"∂{letter}", pixels, ink)


def _used(pixels: int, upright: bool) -> QFont:
    return font(pixels) if upright else formula_font(pixels)


@functools.lru_cache(maxsize=512)
def _advance(text: str, pixels: int, upright: bool) -> float:
    return QFontMetricsF(_used(pixels, upright)).horizontalAdvance(text)
