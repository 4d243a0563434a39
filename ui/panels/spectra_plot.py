"""Singular values layer by layer on the fixed axis: of each map by itself above, of all maps from the last layer back to it below.

Above they say what one layer does to lengths; below they spread into a fan, because what the layers do multiplies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.spectra import JacobianMap, Spectrum

from .. import colors
from ..numbers import power
from ..theme import blend, font
from . import marks
from .jacobian_words import size, size_text, smallest_text
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .spots import Spot

HEAD, PLOT, ZEROS, GAP, FOOT = 32.0, 132.0, 18.0, 6.0, 22.0
EXPONENTS = (-9, -6, -3, 0, 3)
FAN = 0.16  # opacity of the ground between the largest and the smallest
OWN = "Each map by itself"
ONWARD = ("All maps, from the last hidden layer back to here", "From the last hidden layer back")
IN_TIME = ("All maps, from the last time step back to here", "From the last time step back")


def height(box: QRectF, log10: float) -> float:
    """Where a singular value stands on the upright axis, by its log10."""
    share = (log10 - colors.LOW) / (colors.HIGH - colors.LOW)
    return box.bottom() - min(1.0, max(0.0, share)) * box.height()


def level(log10: float) -> int:
    """The colour of a singular value, by its log10: also of one that is too small for a floating-point number."""
    return colors.level(10.0 ** min(colors.HIGH, max(colors.LOW, log10)))


class SpectraPlot(Block):
    """Draws the maps of a `JacobianReport`."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: tuple[JacobianMap, ...] = ()
        self._back = ONWARD

    def show_maps(self, maps: tuple[JacobianMap, ...], recurrent: bool) -> None:
        self.maps, self._back = maps, IN_TIME if recurrent else ONWARD
        self.setAccessibleName("Singular values, map by map")
        self.setAccessibleDescription("; ".join(_told(one.name, one.own) for one in maps))
        self.update()

    def height_at(self, width: float) -> float:
        return 2 * (HEAD + PLOT + ZEROS) + GAP + FOOT + 6.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        if not self.maps:
            return
        left = area.left() + SIDE
        gutter = marks.text_width(power(-9), font(11)) + 8
        wide = area.right() - SIDE - left - gutter
        top = area.top()
        titles = (OWN,), self._back
        picks: tuple[Callable[[JacobianMap], Spectrum | None], ...] = (lambda one: one.own), (lambda one: one.onward)
        for number, (title, pick) in enumerate(zip(titles, picks, strict=True)):
            text = next((text for text in title if marks.text_width(text, font(12)) <= area.width() - 2 * SIDE), title[-1])
            marks.put_text(painter, left, top + 11, text, font(12), self.theme.ink2, LEFT)
            box = QRectF(left + gutter, top + HEAD, wide, PLOT)
            self._paint_axis(painter, box)
            spectra = [pick(one) for one in self.maps]
            if number:
                self._paint_fan(painter, box, spectra)
            self._paint_columns(painter, box, spectra)
            top = box.bottom() + ZEROS + (GAP if number == 0 else 0.0)
        self._paint_names(painter, QRectF(left + gutter, top, wide, FOOT))

    def _column(self, box: QRectF, number: int) -> tuple[float, float]:
        """The middle of a column, and how wide its marks are."""
        pitch = box.width() / len(self.maps)
        return box.left() + (number + 0.5) * pitch, max(2.0, min(22.0, 0.7 * pitch))

    def _paint_axis(self, painter: QPainter, box: QRectF) -> None:
        theme = self.theme
        painter.fillRect(box, QColor(theme.canvas))
        for exponent in EXPONENTS:
            y = height(box, exponent)
            painter.setPen(QPen(QColor(theme.ink2 if exponent == 0 else theme.line), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            ink = theme.ink1 if exponent == 0 else theme.ink3
            marks.put_text(painter, box.left() - 8, y, power(exponent), font(11), ink, RIGHT)

    def _paint_fan(self, painter: QPainter, box: QRectF, spectra: Sequence[Spectrum | None]) -> None:
        """The ground between the largest and the smallest that are told, as far as they are."""
        runs: list[list[tuple[float, Spectrum]]] = [[]]
        for number, found in enumerate(spectra):
            if found is not None and len(found.log10):
                runs[-1].append((self._column(box, number)[0], found))
            else:
                runs.append([])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(self.theme.ink2, self.theme.canvas, FAN))
        for run in runs:
            upper = [QPointF(x, height(box, float(found.log10[0]))) for x, found in run]
            lower = [QPointF(x, height(box, float(found.log10[-1]))) for x, found in reversed(run)]
            painter.drawPolygon(QPolygonF(upper + lower))

    def _paint_columns(self, painter: QPainter, box: QRectF, spectra: Sequence[Spectrum | None]) -> None:
        pitch = box.width() / len(self.maps)
        for number, found in enumerate(spectra):
            if found is None:
                continue
            x, wide = self._column(box, number)
            if not found.finite:
                colors.paint_hatch(painter, QRectF(x - wide / 2, box.top(), wide, box.height()), self.theme)
            else:
                self._paint_values(painter, box, x, wide, found)
                self._paint_zeros(painter, x, box.bottom() + ZEROS / 2 + 1, pitch, found)
            name = self.maps[number].name
            area = QRectF(x - pitch / 2, box.top(), pitch, box.height() + ZEROS)
            value = size(float(found.log10[0])) if len(found.log10) else 0.0 if found.finite else math.nan
            what = f"{name}: largest singular value" if found is self.maps[number].own else f"Back to {name}: largest singular value"
            self.spots.append(Spot(area, what, value, spot_text(found)))

    def _paint_values(self, painter: QPainter, box: QRectF, x: float, wide: float, found: Spectrum) -> None:
        if not len(found.log10):
            return
        theme = self.theme
        painter.setPen(QPen(QColor(theme.outline), 1))
        ends = [height(box, float(found.log10[at])) for at in (0, -1)]
        painter.drawLine(QLineF(x, ends[0], x, ends[1]))
        drawn = {round(2 * height(box, value)): value for value in found.log10.tolist()[::-1]}  # those in one place once
        painter.setPen(Qt.PenStyle.NoPen)
        for place, value in drawn.items():
            if colors.LOW <= value <= colors.HIGH:
                painter.setBrush(colors.color(level(value), theme))
                painter.drawRect(QRectF(x - wide / 2, place / 2 - 1.25, wide, 2.5))
        across = min(8.0, wide)
        for beyond, y, high in (
            (float(found.log10[-1]) < colors.LOW, box.bottom() - 5, -5.0),
            (float(found.log10[0]) > colors.HIGH, box.top() + 5, 5.0),
        ):
            if beyond:
                fill = colors.color(level(math.copysign(99.0, high)), theme)
                marks.paint_arrowhead(painter, x, y, across, high, fill, QColor(theme.outline))

    def _paint_zeros(self, painter: QPainter, x: float, y: float, pitch: float, found: Spectrum) -> None:
        """Under the axis: how many are exactly 0, and how many are lost in rounding."""
        kinds = [(colors.ZERO, found.zeros), (colors.UNKNOWN, found.lost)]
        shown = [(mark, count) for mark, count in kinds if count]
        for number, (mark, count) in enumerate(shown[: 1 if pitch < 22 else 2]):
            side = max(4.0, min(10.0, pitch - 2))
            middle = x + (number - (len(shown) - 1) / 2) * 14 if pitch >= 22 else x
            text = f"{count:,}"
            if len(shown) == 1 and pitch >= side + marks.text_width(text, font(11)) + 8:
                middle -= (marks.text_width(text, font(11)) + 3) / 2
                marks.put_text(painter, middle + side / 2 + 3, y, text, font(11), self.theme.ink2, LEFT)
            marks.paint_swatch(painter, QRectF(middle - side / 2, y - side / 2, side, side), mark, self.theme)

    def _paint_names(self, painter: QPainter, row: QRectF) -> None:
        """The layers' names, as many as stand apart; a residual block goes by the layer where it ends."""
        names = [one.name.rpartition(" → ")[2] for one in self.maps]
        pitch = row.width() / len(names)
        widest = max(marks.text_width(name, font(11)) for name in names) + 6
        stride = max(1, math.ceil(widest / pitch))
        for number, name in enumerate(names):
            last = number == len(names) - 1
            if last or (number % stride == 0 and len(names) - 1 - number >= stride):
                marks.put_text(painter, self._column(row, number)[0], row.center().y(), name, font(11), self.theme.ink3)


def spot_text(found: Spectrum) -> str:
    """All that a hover says of a spectrum, the largest first."""
    if not found.finite:
        return "NaN"
    parts = [size_text(float(found.log10[0])), f"smallest {smallest_text(found)}"] if len(found.log10) else ["0"]
    if len(found.log10) > 2:
        parts.append(f"median {size_text(float(np.median(found.log10)))}")
    if found.zeros:
        parts.append(f"{found.zeros:,} of {found.count:,} exactly 0")
    if found.lost:
        parts.append(f"{found.lost:,} of {found.count:,} lost in rounding")
    return ", ".join(parts)


def _told(name: str, found: Spectrum) -> str:
    return f"{name}: {spot_text(found)}"
