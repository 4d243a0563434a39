"""A lesson's formula, typeset from its line of text: ∂a/∂b as fractions, subscripts and powers, the rest in the font of formulas.

Two spaces part two formulas, which stand under each other; one that is still too wide is broken before "=", and only then drawn
smaller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ..formula import AXIS, Congruent, Fraction, Piece, Row, Subscripted, Symbol, paint_fitted
from ..theme import THEMES, Theme

PIXELS = 20
FOOT = 0.68
PADDING, LINE_GAP = 12.0, 8.0
SMALLEST = 0.72  # of the size, below which a formula is rather broken into lines
LOW, HIGH = "₀₁₂₃₄₅₆₇₈₉₊₋", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᴸ"
NORMAL = str.maketrans(LOW + HIGH, "0123456789+−0123456789+−L")
TOKEN = re.compile(
    rf"(?P<fraction>[∂d]{{1}}(?P<top>\S+?)/[∂d]{{1}}(?P<bottom>(?:[^\W\d_]+(?:[{LOW}]+|_\{{[^}}]*\}}|_\w+)?)))"
    rf"|(?P<number>\d[\d.,]*\d|\d)|(?P<name>[^\W\d_{LOW}{HIGH}]+[′]*)|(?P<foot>[{LOW}]+|_\{{[^}}]*\}}|_\w+)"
    rf"|(?P<power>[{HIGH}]+|\^\{{[^}}]*\}}|\^\w+)|(?P<sign>.)"
)
WORD = re.compile(r"(?!d[a-z]$)[A-Za-z]{2,}")  # upright; a single letter, and a differential such as dx, is slanted
CHAIN = {("J", "ŷ"): "purple", ("ŷ", "z"): "red", ("z", "w"): "blue"}  # the lecture's colours, where its product stands whole


@dataclass(frozen=True)
class Raised:
    """A piece with a smaller one at its shoulder."""

    base: Piece
    power: Piece

    @property
    def width(self) -> float:
        return self.base.width + self.power.width + 1

    @property
    def above(self) -> float:
        return self.base.above * 0.55 + self.power.above

    @property
    def below(self) -> float:
        return self.base.below

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        self.base.paint(painter, x, y)
        self.power.paint(painter, x + self.base.width + 1, y - self.base.above * 0.55)


def typeset(text: str, theme: Theme, pixels: int = PIXELS) -> Row:
    """The formula as one row."""
    bare = re.sub(rf"[{LOW}]", "", text)
    tinted = all(f"∂{top}/∂{bottom}" in bare for top, bottom in CHAIN)
    return Row([Row(_pieces(word, theme, pixels, tinted), 0.5) for word in text.split()], pixels * 0.34)


def lines(text: str, theme: Theme, room: float) -> list[Row]:
    """The formula in as many rows as it needs to be legible in ``room`` logical pixels."""
    return [row for part in text.split("  ") if part.strip() for row in _broken(part, theme, room)]


def _broken(text: str, theme: Theme, room: float) -> list[Row]:
    whole = typeset(text.strip().removesuffix(","), theme)
    if whole.width * SMALLEST <= room:
        return [whole]
    parts = [part.strip() for part in re.split(r"(?<=[,;:]) | (?=[=≅≈≤≥→])", text) if part.strip()]
    broken: list[str] = []
    for part in parts:
        longer = f"{broken[-1]} {part}" if broken else part
        if broken and typeset(longer, theme).width * SMALLEST <= room:
            broken[-1] = longer
        else:
            broken.append(part)
    return [typeset(part, theme) for part in broken]


def formula_height(text: str, theme: Theme, width: float) -> float:
    """Height of the card."""
    rows = lines(text, theme, width - 2 * PADDING)
    return 2 * PADDING + sum(max(row.above + row.below, PIXELS) for row in rows) + LINE_GAP * (len(rows) - 1)


def paint_formula(painter: QPainter, area: QRectF, theme: Theme, text: str) -> None:
    """The formula in the middle of its card."""
    painter.save()
    painter.setPen(QPen(QColor(theme.line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
    y, room = area.top() + PADDING, area.width() - 2 * PADDING
    for row in lines(text, theme, room):
        height = max(row.above + row.below, PIXELS)
        paint_fitted(painter, row, QRectF(area.left() + PADDING, y, room, height))
        y += height + LINE_GAP
    painter.restore()


def _pieces(word: str, theme: Theme, pixels: int, tinted: bool) -> list[Piece]:
    made: list[Piece] = []
    for found in TOKEN.finditer(word):
        kind, token = found.lastgroup or "", found[0]
        if found["fraction"]:
            made.append(_fraction(found["top"], found["bottom"], token[0], theme, pixels, tinted))
        elif kind == "foot" and made:
            made[-1] = Subscripted(made[-1], Symbol(_bare(token), max(11, round(pixels * FOOT)), theme.ink1))
        elif kind == "power" and made:
            made[-1] = Raised(made[-1], Symbol(_bare(token), max(11, round(pixels * FOOT)), theme.ink1))
        elif token == "≅":
            made.append(Congruent(pixels, theme.ink1))
        else:
            upright = kind == "number" or (kind == "name" and bool(WORD.fullmatch(token)))
            made.append(Symbol(_bare(token), round(pixels * 0.85) if upright else pixels, theme.ink1, upright))
    return made


def _fraction(top: str, bottom: str, sign: str, theme: Theme, pixels: int, tinted: bool) -> Fraction:
    ink = getattr(theme, CHAIN.get((_letter(top), _letter(bottom)), "ink1")) if tinted else theme.ink1
    above, below = (Row([Symbol(sign, pixels, ink), *_tinted(part, theme, pixels, ink)], 0.5) for part in (top, bottom))
    return Fraction(above, below, ink, AXIS * pixels)


def _tinted(part: str, theme: Theme, pixels: int, ink: str) -> list[Piece]:
    letter, foot = _letter(part), part[len(_letter(part)) :]
    base = Symbol(letter, pixels, ink)
    return [Subscripted(base, Symbol(_bare(foot), max(11, round(pixels * FOOT)), ink)) if foot else base]


def _letter(part: str) -> str:
    return re.split(rf"[{LOW}_]", part)[0]


def _bare(token: str) -> str:
    """Without the marks of subscripts and powers."""
    return token.lstrip("_^").strip("{}").translate(NORMAL)


class FormulaCard(QWidget):
    """The formula of a lesson on a card."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.text = ""
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_text(self, text: str) -> None:
        self.text = text
        self.setAccessibleName(f"Formula: {text}")
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def heightForWidth(self, width: int) -> int:
        return round(formula_height(self.text, self.theme, width)) if self.text else 0

    def sizeHint(self) -> QSize:
        return QSize(280, self.heightForWidth(280))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_formula(painter, QRectF(self.rect()), self.theme, self.text)
