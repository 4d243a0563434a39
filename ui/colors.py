"""One logarithmic colour scale for every gradient, shared by all panels and all exports.

A magnitude becomes a level (0 … 240, one per 0.05 decade from 10⁻⁹ to 10³), a level a colour. Exactly zero, not finite and
unknown have levels of their own, because none of them is a small number.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPixmap, QPolygonF, QTransform

from .theme import Theme

LOW, HIGH = -9.0, 3.0
LEVELS = 241
HEALTHY = (-4.0, 0.0)
ZERO, NONFINITE, UNKNOWN = 241, 242, 243
HOT = 0.5  # log10 above which a gradient glows

_PER_DECADE = (LEVELS - 1) / (HIGH - LOW)
_STOPS = {  # one every 1.5 decades
    "dark": ("#141923", "#1E2940", "#264070", "#2A629F", "#1E84AE", "#2AA69E", "#B0A339", "#FFAE52", "#FFECB8"),
    "light": ("#EDF0F5", "#D3DCEA", "#AEC4E4", "#80ADDD", "#4C9BD0", "#128587", "#866A00", "#9A2600", "#4A0016"),
}
_WIDTHS = ((-9.0, 0.6), (-4.0, 1.0), (0.0, 1.9), (3.0, 3.2))  # log10 of the magnitude -> pixels
HATCH_PERIOD = 6.0


def levels(magnitudes: NDArray[Any]) -> NDArray[np.uint8]:
    """The level of each value's magnitude, same shape."""
    sizes = np.abs(magnitudes)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.rint((np.log10(sizes) - LOW) * _PER_DECADE)
        result: NDArray[np.uint8] = np.clip(found, 0, LEVELS - 1).astype(np.uint8)
    result[sizes == 0] = ZERO
    result[~np.isfinite(sizes)] = NONFINITE
    return result


def level(value: float) -> int:
    """The level of one value."""
    return int(levels(np.array([value], float))[0])


def position(value: float) -> float:
    """Where a magnitude stands on the fixed logarithmic axis: 0 at 10⁻⁹, 1 at 10³, clamped; NaN and 0 at 0, ∞ at 1."""
    size = abs(value)
    if not size > 0.0:
        return 0.0
    return min(1.0, max(0.0, (math.log10(size) - LOW) / (HIGH - LOW))) if math.isfinite(size) else 1.0


def positions(values: NDArray[Any]) -> NDArray[np.float64]:
    """`position` of many values at once."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (np.log10(np.abs(np.asarray(values, float))) - LOW) / (HIGH - LOW)
    return np.asarray(np.clip(np.nan_to_num(found, nan=0.0), 0.0, 1.0))


def is_hot(level: int) -> bool:
    """Whether a gradient of this level glows."""
    return (HOT - LOW) * _PER_DECADE < level < LEVELS


@functools.cache
def palette(theme: Theme) -> NDArray[np.uint32]:
    """(244,) opaque 0xAARRGGBB colours by level."""
    stops = np.array([_to_oklab(text) for text in _STOPS[theme.name]])
    at = np.linspace(0, len(stops) - 1, LEVELS)
    lab = np.stack([np.interp(at, np.arange(len(stops)), stops[:, axis]) for axis in range(3)], axis=1)
    colours = [*(_from_oklab(row) for row in lab), *(QColor(text).rgb() for text in (theme.canvas, theme.nan, theme.outline))]
    table = np.array(colours, np.uint32)
    table.flags.writeable = False
    return table


def color(level: int, theme: Theme) -> QColor:
    """The colour of a level."""
    return QColor.fromRgb(int(palette(theme)[level]))


@functools.cache
def edge_widths() -> NDArray[np.floating[Any]]:
    """(244,) width of an edge in pixels by level; an exactly zero edge is not drawn."""
    logs, widths = zip(*_WIDTHS, strict=True)
    table = np.append(np.interp(np.linspace(LOW, HIGH, LEVELS), logs, widths), [0.0, 1.0, 1.0])
    table.flags.writeable = False
    return table


@functools.cache
def hatch_brush(theme: Theme) -> QBrush:
    """45° stripes for what is not finite, for the screen; `paint_hatch` draws true shapes."""
    period = int(HATCH_PERIOD)
    pixmap = QPixmap(period * 4, period * 4)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_hatch(painter, QRectF(pixmap.rect()), theme)
    painter.end()
    return QBrush(pixmap)


def paint_hatch(painter: QPainter, shape: QRectF | QPainterPath, theme: Theme) -> None:
    """Fill a shape without holes with the 45° stripes of what is not finite.

    Each stripe is cut to the shape here, because QSvgGenerator ignores clipping and turns a textured brush into pixels.
    The stripes keep their place on the page, so that neighbouring shapes line up and nothing crawls.
    """
    if isinstance(shape, QRectF):
        outlines = [[(p.x(), p.y()) for p in (shape.topLeft(), shape.topRight(), shape.bottomRight(), shape.bottomLeft())]]
    else:
        finely = QTransform.fromScale(_FLATTENING, _FLATTENING)
        polygons = shape.toSubpathPolygons(finely)
        outlines = [[(p.x() / _FLATTENING, p.y() / _FLATTENING) for p in polygon.toList()] for polygon in polygons]
    stripes = QPainterPath()
    for outline in outlines:
        sums = [x + y for x, y in outline]
        for number in range(math.floor(min(sums) / HATCH_PERIOD), math.ceil(max(sums) / HATCH_PERIOD)):
            start = number * HATCH_PERIOD
            cut = _half(_half(outline, start, 1.0), start + HATCH_PERIOD / 2, -1.0)
            if cut:
                stripes.addPolygon(QPolygonF([QPointF(x, y) for x, y in cut]))
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.nan_ground))
    if isinstance(shape, QRectF):
        painter.drawRect(shape)
    else:
        painter.drawPath(shape)
    painter.setBrush(QColor(theme.nan))
    painter.drawPath(stripes)
    painter.restore()


_FLATTENING = 8.0  # curves become polygons as fine as if they were this much larger, so that no facets show when zoomed


def _half(outline: list[tuple[float, float]], start: float, side: float) -> list[tuple[float, float]]:
    """The part of a polygon where x + y is above ``start`` (``side`` 1) or below it (−1), by Sutherland and Hodgman."""
    kept: list[tuple[float, float]] = []
    for (x0, y0), (x1, y1) in zip(outline[-1:] + outline[:-1], outline, strict=True):
        before, after = side * (x0 + y0 - start), side * (x1 + y1 - start)
        if before * after < 0:
            share = before / (before - after)
            kept.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
        if after >= 0:
            kept.append((x1, y1))
    return kept


def _to_oklab(text: str) -> NDArray[np.floating[Any]]:
    """sRGB to OKLab (Ottosson 2020)."""
    colour = QColor(text)
    srgb = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.floating[Any]] = _LMS_TO_LAB @ np.cbrt(_RGB_TO_LMS @ linear)
    return lab


def _from_oklab(lab: NDArray[np.floating[Any]]) -> int:
    linear = np.clip(np.linalg.solve(_RGB_TO_LMS, np.linalg.solve(_LMS_TO_LAB, lab) ** 3), 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (round(float(part) * 255) for part in srgb)
    return QColor(red, green, blue).rgb()


_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
