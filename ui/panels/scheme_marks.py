"""How the layers of one initialiser are drawn, small and large: bars for ‖∂J/∂z‖ in the one scale, circles for the spread.

Both stand on the fixed axis 10⁻⁹ … 10³, so that schemes can be compared by eye; 0, NaN and ∞ have marks of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.arrays import Floats
from gradviz.lab_reports import InitialisationStudy, Scheme
from gradviz.spec import field_info

from .. import colors
from ..formula import three_digits
from ..numbers import exponent_text, ratio, short
from ..theme import Theme, blend
from . import marks

TITLES = dict(field_info("network.initializer").choices)
LEAST_PITCH = 3.0  # pixels per layer in small; of more layers some stand for all


def height(box: QRectF, value: float) -> float:
    """Where a magnitude stands on the upright axis."""
    return box.bottom() - colors.position(value) * box.height()


def chosen(count: int, width: float) -> list[int]:
    """Rows of the layers that are drawn in so many pixels: all, or as many as fit, the first and the last among them."""
    most = max(2, int(width / LEAST_PITCH))
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]


def paint_bars(painter: QPainter, box: QRectF, values: Floats, theme: Theme) -> None:
    """A bar per layer, in the colour of its gradient; for 0 a foot, for what is not finite stripes."""
    rows = chosen(len(values), box.width())
    pitch = box.width() / max(1, len(rows))
    wide = max(1.0, min(22.0, 0.78 * pitch))
    for place, row in enumerate(rows):
        value = float(values[row])
        x = box.left() + (place + 0.5) * pitch - wide / 2
        level = colors.level(value)
        if level == colors.NONFINITE:
            colors.paint_hatch(painter, QRectF(x, box.top(), wide, box.height()), theme)
        elif level == colors.ZERO:
            painter.fillRect(QRectF(x, box.bottom() - 2, wide, 2), QColor(theme.outline))
            if wide >= 10:
                marks.paint_swatch(painter, QRectF(x + wide / 2 - 5, box.bottom() - 15, 10, 10), level, theme)
        else:
            top = min(height(box, value), box.bottom() - 2)
            painter.setPen(QPen(QColor(theme.outline), 1) if wide >= 4 else Qt.PenStyle.NoPen)
            painter.setBrush(colors.color(level, theme))
            inset = 0.5 if wide >= 4 else 0.0
            painter.drawRect(QRectF(x + inset, top + inset, wide - 2 * inset, box.bottom() - top - inset))
            if value > 10.0**colors.HIGH and wide >= 4:
                marks.paint_arrowhead(
                    painter, x + wide / 2, box.top() - 1, min(8.0, wide), 5, colors.color(level, theme), QColor(theme.outline)
                )


def paint_line(painter: QPainter, box: QRectF, values: Floats, theme: Theme, radius: float, ground: str) -> None:
    """Circles joined by a line, broken where a value is 0 or not finite; these stand at the foot and at the top."""
    rows = chosen(len(values), box.width())
    pitch = box.width() / max(1, len(rows))
    run: list[QPointF] = []
    lines: list[list[QPointF]] = []
    odd: list[tuple[float, int]] = []
    for place, row in enumerate(rows):
        value, x = float(values[row]), box.left() + (place + 0.5) * pitch
        if math.isfinite(value) and value > 0:
            run.append(QPointF(x, height(box, value)))
            continue
        odd.append((x, colors.level(value)))
        lines.append(run)
        run = []
    lines.append(run)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for line in lines:
        for width, ink in ((4.0, ground), (1.4, theme.ink1)) if radius >= 3 else ((1.3, theme.ink2),):
            painter.setPen(QPen(QColor(ink), width))
            painter.drawPolyline(QPolygonF(line))
        painter.setPen(QPen(QColor(theme.ink1 if radius >= 3 else theme.ink2), 1.3))
        painter.setBrush(QColor(ground))
        for point in line if radius >= 3 and pitch >= 2.5 * radius else line[:1] if len(line) == 1 else ():
            painter.drawEllipse(point, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    size = 2.4 * radius + 2
    previous = -math.inf
    for x, level in odd:
        if x - previous < size + 1:
            continue
        previous = x
        y = box.bottom() - size / 2 - (4 if radius >= 3 else 0) if level == colors.ZERO else box.top() + size / 2
        marks.paint_swatch(painter, QRectF(x - size / 2, y - size / 2, size, size), level, theme)


def paint_levels(painter: QPainter, box: QRectF, theme: Theme, ground: str, exponents: Sequence[int], zone: bool) -> None:
    """The ground of a plot with its healthy zone and lines at these powers of ten."""
    painter.fillRect(box, QColor(ground))
    if zone:
        high, low = (height(box, 10.0**exponent) for exponent in reversed(colors.HEALTHY))
        painter.fillRect(QRectF(box.left(), high, box.width(), low - high), blend(theme.zone, ground, 0.10))
    painter.setPen(QPen(QColor(theme.line), 1))
    for exponent in exponents:
        y = height(box, 10.0**exponent)
        painter.drawLine(QLineF(box.left(), y, box.right(), y))


# ---- words


def title(scheme: Scheme) -> str:
    """The name of the initialiser on the screen."""
    return TITLES.get(scheme.initializer, scheme.initializer)


def closeness(scheme: Scheme) -> float:
    """How far both factors are from 1, in decades; ∞ where there is none."""
    factors = (scheme.forward_factor, scheme.backward_factor)
    if not all(math.isfinite(factor) and factor > 0 for factor in factors):
        return math.inf
    return sum(abs(math.log10(factor)) for factor in factors)


def ordered(study: InitialisationStudy) -> tuple[Scheme, ...]:
    """The schemes, those first whose factors are nearest to 1, forwards and backwards together."""
    return tuple(sorted(study.schemes, key=closeness))


def factor_text(factor: float, values: Floats) -> str:
    """The factor per layer; "0" where everything hidden is exactly 0, "NaN" where something is not finite."""
    if math.isfinite(factor):
        return ratio(factor)
    hidden = values[:-1] if len(values) > 1 else values
    if not np.isfinite(hidden).all():
        return "NaN" if np.isnan(hidden).any() else "∞"
    return "0" if len(hidden) and not hidden.any() else "–"


def over_layers(factor: float, depth: int) -> str:
    """What a factor per layer comes to, with the arithmetic: "0.236¹⁰ ≈ 5.4×10⁻⁷"; of the digits that are shown."""
    near = 0.95 < factor < 1.05  # there it is the fourth digit that counts
    shown = float(f"{factor:.3f}" if near else f"{factor:.3g}")
    text = f"{shown:.3f}" if near else three_digits(shown)
    exponent = depth * math.log10(shown)
    made = short(shown**depth) if abs(exponent) < 300 else f"10{exponent_text(round(exponent))}"  # else beyond floating-point numbers
    return f"{text}{exponent_text(depth)} ≈ {made}"
