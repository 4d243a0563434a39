"""The two cards of the chain rule panel: the product of three factors, and the update of the weight."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.selected import ChainRule
from gradviz.snapshot import Architecture

from ..formula import (
    Congruent,
    Piece,
    Row,
    Symbol,
    derivative,
    flat_derivative,
    paint_fitted,
    subscripted,
    three_digits,
)
from ..numbers import MINUS, exponent_text, full
from ..theme import Theme, font
from . import chain_words as words
from . import marks
from .ladder import LEFT, RIGHT, measured
from .spots import Spot

LINE = 22.0  # a row of a card: label at the left, number at the right
FORMULA, FACTORS, RESULT = 62.0, 46.0, 34.0
UPDATE_FORMULA = 40.0
CALLOUT = 36.0
WAY_TITLE = 26.0
PADDING = 14.0
NOT_YET = "not reached yet"


def product_height(chain: ChainRule) -> float:
    """Height of the card with the three factors."""
    lines = (2 if chain.rest else 0) + (chain.batch > 1) + (chain.time is not None)
    return 12 + FORMULA + FACTORS + RESULT + LINE * lines + 6


def update_height(chain: ChainRule) -> float:
    """Height of the card with the update, without its heading and the sentence under it."""
    return UPDATE_FORMULA + 3 * LINE + (LINE if chain.clipped_gradient is not None else 0.0) + 8


def way_height(chain: ChainRule) -> float:
    """Height of what says how the factors multiply on the way back through time; 0 where there is none."""
    return 0.0 if chain.time is None or chain.layer == chain.time.steps else WAY_TITLE + 2 * LINE + 6


def fitting(texts: tuple[str, ...], pixels: int, room: float, weight: int = 400) -> str:
    """The longest of the texts that fits, or the last."""
    return next((text for text in texts if measured(text, pixels, weight) <= room), texts[-1])


def paint_card(painter: QPainter, area: QRectF, theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.strong_line if theme.name == "light" else theme.line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


def paint_product(painter: QPainter, area: QRectF, theme: Theme, chain: ChainRule, architecture: Architecture, spots: list[Spot]) -> None:
    """∂J/∂w = ∂J/∂ŷ × ∂ŷ/∂z × ∂z/∂w, the three numbers, and what they make."""
    paint_card(painter, area, theme)
    inner = area.adjusted(PADDING, 0, -PADDING, 0)
    ink = theme.ink1
    w, z = words.feet(chain)
    pieces: list[Piece] = [derivative("J", "w", 22, ink, by_foot=w), Symbol("=", 22, ink), derivative("J", "ŷ", 22, theme.purple)]
    pieces += [Symbol("×", 22, ink), derivative("ŷ", "z", 22, theme.red, by_foot=z), Symbol("×", 22, ink)]
    pieces.append(derivative("z", "w", 22, theme.blue, z, w))
    paint_fitted(painter, Row(pieces, 11), QRectF(inner.left(), area.top() + 10, inner.width(), FORMULA - 6))
    y = area.top() + 12 + FORMULA
    _paint_factors(painter, QRectF(inner.left(), y, inner.width(), FACTORS), theme, chain, architecture, spots)
    y += FACTORS
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.drawLine(QLineF(inner.left(), y, inner.right(), y))
    y += 4
    if chain.rest:
        _paint_line(painter, inner, y, ("the three multiplied",), chain.dz_dw * chain.dj_dy * chain.dy_dz, theme, chain.reached, spots)
        others = tuple(f"+ {text}" for text in words.rest_words(chain, architecture))
        _paint_line(painter, inner, y + LINE, others, chain.dz_dw * chain.rest, theme, chain.reached, spots)
        y += 2 * LINE
    middle = y + RESULT / 2
    paint_fitted(painter, flat_derivative("J", "w", 17, ink), QRectF(inner.left(), y, 80, RESULT), LEFT)
    if chain.reached:
        text = three_digits(chain.example_gradient)
        marks.put_text(painter, inner.right(), middle, text, font(20, 600), _ink(chain.example_gradient, theme), RIGHT)
        width = measured(text, 20, 600)
        if chain.time is not None:
            own = fitting((f"of time step {chain.layer}", f"of t{chain.layer}", ""), 12, inner.width() - width - 64)
            marks.put_text(painter, inner.left() + 52, middle, own, font(12), theme.ink2, LEFT)
        spots.append(Spot(QRectF(inner.right() - width, y, width, RESULT), "∂J/∂w of this example", chain.example_gradient))
    else:
        marks.put_text(painter, inner.right(), middle, NOT_YET, font(13), theme.ink3, RIGHT)
    if chain.batch > 1:
        mean = (f"mean over the {chain.batch} of the mini-batch", f"mean of all {chain.batch}")
        _paint_line(painter, inner, y + RESULT - 4, mean, chain.gradient, theme, chain.reached, spots)
        y += LINE
    if chain.time is not None:
        steps = words.together(chain.time)
        every = (f"{steps} together, mean", steps, "all time steps")
        whole = chain.time.shared_gradient
        _paint_line(painter, inner, y + RESULT - 4, every, whole, theme, chain.time.whole, spots)


def _paint_factors(painter: QPainter, area: QRectF, theme: Theme, chain: ChainRule, architecture: Architecture, spots: list[Spot]) -> None:
    """Three columns, each with its colour, its number and what that number tells."""
    known = [not chain.rungs or chain.rungs[0].reached, chain.reached, True]
    values = (chain.dj_dy, chain.dy_dz, chain.dz_dw)
    texts = [three_digits(value) if reached else "not yet" for value, reached in zip(values, known, strict=True)]
    captions = words.factor_words(chain, architecture)
    pitch = area.width() / 3
    room = pitch - 15
    size = next((s for s in (15, 14, 13, 12) if all(measured(text, s, 600) <= room for text in texts)), 11)
    names = ("∂J/∂ŷ", "∂ŷ/∂z", "∂z/∂w")
    for at, (text, value, caption, colour) in enumerate(zip(texts, values, captions, (theme.purple, theme.red, theme.blue), strict=True)):
        x = area.left() + at * pitch
        painter.fillRect(QRectF(x, area.top() + 1, 2.5, 34), QColor(colour))
        shown = theme.ink3 if not known[at] else colour if math.isfinite(value) else theme.nan
        marks.put_text(painter, x + 9, area.top() + 9, text, font(size, 600), shown, LEFT)
        marks.put_text(painter, x + 9, area.top() + 28, fitting(caption, 11, room), font(11), theme.ink2, LEFT)
        if known[at]:
            spots.append(Spot(QRectF(x, area.top(), pitch - 4, 36), f"{names[at]}, {caption[0]}", value))


def paint_update(painter: QPainter, area: QRectF, theme: Theme, chain: ChainRule, decay: float, spots: list[Spot]) -> None:
    """The formula of the update with its numbers, and old and new weight with the changed digits underlined."""
    paint_card(painter, area, theme)
    inner = area.adjusted(PADDING, 0, -PADDING, 0)
    paint_fitted(painter, _update_formula(theme, chain, decay), QRectF(inner.left(), area.top() + 4, inner.width(), UPDATE_FORMULA - 4))
    y = area.top() + UPDATE_FORMULA
    gradient = (f"∂J/∂w, mean of {chain.batch}", "∂J/∂w") if chain.batch > 1 else ("∂J/∂w",)
    if chain.time is not None:
        gradient = (f"∂J/∂w, {words.together(chain.time)}", "∂J/∂w")
    pull = words.shared(chain)
    known = chain.reached if chain.time is None else chain.time.whole
    if chain.optimizer != "sgd" and chain.weight_new is not None:
        step = (f"step of {words.optimizer_title(chain)}",)
        _paint_line(painter, inner, y, step, chain.weight_new - chain.weight_old, theme, True, spots)
    else:
        _paint_line(painter, inner, y, gradient, pull, theme, known, spots)
    y += LINE
    if chain.clipped_gradient is not None:
        _paint_line(painter, inner, y, ("g, after clipping",), chain.clipped_gradient, theme, True, spots)
        y += LINE
    written = words.digits(chain.weight_old, chain.weight_new)
    room = inner.width() - 44
    size = next((s for s in (13, 12) if marks.text_width(written.old, font(s)) <= room), 11)
    for label, text, value in (("w old", written.old, chain.weight_old), ("w new", written.new, chain.weight_new)):
        middle = y + LINE / 2
        marks.put_text(painter, inner.left(), middle, label, font(12), theme.ink2, LEFT)
        if value is None:
            marks.put_text(painter, inner.right(), middle, "comes with the update", font(12), theme.ink3, RIGHT)
        else:
            _paint_digits(painter, inner.right(), middle, text, written.same, size, theme, math.isfinite(value))
            width = marks.text_width(text, font(size))
            spots.append(Spot(QRectF(inner.right() - width, y, width, LINE), label, value))
        y += LINE


def paint_callout(painter: QPainter, area: QRectF, theme: Theme, chain: ChainRule) -> None:
    """Under the card: w_new ≅ w_old where that is so, and what it means."""
    left = area.left()
    if words.congruent(chain):
        sign: Piece = Congruent(16, theme.ink1) if chain.weight_new != chain.weight_old else Symbol("=", 16, theme.ink1)
        callout = Row((subscripted("w", "new", 16, theme.ink1), sign, subscripted("w", "old", 16, theme.ink1)))
        callout.paint(painter, left, area.top() + 18)
        left += callout.width + 14
    painter.setFont(font(12))
    painter.setPen(QColor(theme.ink2))
    flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
    painter.drawText(QRectF(left, area.top() + 3, area.right() - left, area.height()), flags, words.update_words(chain))


def paint_way(painter: QPainter, area: QRectF, theme: Theme, chain: ChainRule, spots: list[Spot]) -> None:
    """What the way back through time makes of the gradient: one factor per time step, along the path and along all of them."""
    assert chain.time is not None
    back = chain.time.steps - chain.layer
    title = f"{back} time step{'' if back == 1 else 's'} back in time"
    marks.put_text(painter, area.left(), area.top() + WAY_TITLE / 2, title, font(13, 600), theme.ink1, LEFT)
    y = area.top() + WAY_TITLE
    named = (words.repeated_words(chain), chain.time.log10_factors), (words.carried_words(chain), chain.time.log10_carried)
    for number, ((labels, text), log10) in enumerate(named):
        middle, known, strong = y + LINE / 2, text is not None, 600 if number == 0 else 500
        shown = text or NOT_YET
        width = measured(shown, 13, strong)
        ink = theme.ink3 if not known else theme.ink1 if not math.isnan(log10) else theme.nan
        marks.put_text(painter, area.right(), middle, shown, font(13, strong if known else 400), ink, RIGHT)
        label = fitting(labels, 12, area.width() - width - 10)
        marks.put_text(painter, area.left(), middle, label, font(12), theme.ink2, LEFT)
        if known:
            value = 10.0**log10 if log10 < 300 else math.inf
            spots.append(Spot(QRectF(area.right() - width, y, width, LINE), labels[0].removesuffix(" →"), value, shown))
        y += LINE


def _update_formula(theme: Theme, chain: ChainRule, decay: float) -> Row:
    ink = theme.ink1
    pieces: list[Piece] = [subscripted("w", "new", 18, ink), Symbol("=", 18, ink), subscripted("w", "old", 18, ink)]
    if chain.optimizer != "sgd":
        pieces += [Symbol("+", 18, ink), Symbol(f"step ({words.optimizer_title(chain)})", 13, ink, upright=True)]
        return Row(pieces)
    gradient: Piece = Symbol("g", 18, ink) if chain.clipped_gradient is not None else flat_derivative("J", "w", 18, ink)
    pieces += [Symbol("−", 18, ink), Symbol("η", 18, ink)]
    if decay:
        shrinking = (Symbol("+", 18, ink), Symbol("λ", 18, ink), subscripted("w", "old", 18, ink))
        pieces.append(Row((Symbol("(", 18, ink), Row((gradient, *shrinking), 5), Symbol(")", 18, ink)), 1))
    else:
        pieces += [Symbol("·", 18, ink), gradient]
    return Row(pieces)


def _paint_line(
    painter: QPainter, area: QRectF, y: float, labels: tuple[str, ...], value: float, theme: Theme, known: bool, spots: list[Spot]
) -> None:
    paint_line(painter, area, y, labels, value, three_digits(value) if known else None, theme, spots)


def paint_line(
    painter: QPainter, area: QRectF, y: float, labels: tuple[str, ...], value: float, text: str | None, theme: Theme, spots: list[Spot]
) -> None:
    """A number at the right and, at the left, the longest of the labels that fits beside it; without a text not reached yet."""
    middle, known = y + LINE / 2, text is not None
    text = text or NOT_YET
    weight = 500 if known else 400
    width = measured(text, 12, weight)
    marks.put_text(painter, area.right(), middle, text, font(12, weight), _ink(value, theme) if known else theme.ink3, RIGHT)
    label = fitting(labels, 12, area.width() - width - 10)
    marks.put_text(painter, area.left(), middle, label, font(12), theme.ink2, LEFT)
    if known:
        spots.append(Spot(QRectF(area.right() - width, y, width, LINE), labels[0].removeprefix("+ "), value))


def _paint_digits(painter: QPainter, right: float, y: float, text: str, same: int, size: int, theme: Theme, finite: bool) -> None:
    """A number that ends at ``right``; from character ``same`` on its digits are strong and underlined."""
    head, tail = text[:same], text[same:]
    strong = font(size, 600)
    exponent = tail.find("×")
    moved = tail if exponent < 0 else tail[:exponent]
    rest = tail[len(moved) :]
    x = right
    calm = theme.ink2 if finite else theme.nan
    for part, used, colour in ((rest, font(size), calm), (moved, strong, theme.ink1), (head, font(size), calm)):
        if not part:
            continue
        marks.put_text(painter, x, y, part, used, colour, RIGHT)
        width = marks.text_width(part, used)
        if part is moved:
            painter.fillRect(QRectF(x - width, y + size * 0.62, width, 1.5), QColor(colour))
        x -= width


def _ink(value: float, theme: Theme) -> str:
    return theme.ink1 if math.isfinite(value) else theme.nan


def exact(value: float, digits: int = 10) -> str:
    """So many significant digits at most, for two numbers that are to be compared by eye."""
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if not math.isfinite(value) or value == 0.0 or 1e-3 <= abs(value) < 1e6:
        return full(float(f"{value:.{digits - 1}e}"))
    return f"{mantissa.rstrip('0').rstrip('.')}×10{exponent_text(int(exponent))}".replace("-", MINUS)
