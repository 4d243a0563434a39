"""One spectrum as a histogram on the fixed axis lying down, with the line at 1 where lengths are kept, and a second one as marks."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.spectra import Spectrum

from .. import colors
from ..numbers import power
from ..theme import font
from . import marks
from .jacobian_words import size, size_text
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .spectra_plot import EXPONENTS, level
from .spots import Spot

TOP, PLOT, AXIS, THROUGH = 18.0, 84.0, 20.0, 24.0
PER_DECADE = 4  # bins
MOST_SHOWN = 64  # of the second spectrum's marks


class SpectrumHistogram(Block):
    """Counts the singular values of the hidden layers together; those from the input to the output stand beneath."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: Spectrum | None = None
        self.whole: Spectrum | None = None
        self._way = "in → out"

    def show_spectra(self, hidden: Spectrum, whole: Spectrum, recurrent: bool) -> None:
        self.hidden, self.whole = hidden, whole
        self._way = "h₀ → out" if recurrent else "in → out"
        counts = self.counts()
        low = colors.LOW
        told = "; ".join(f"{size_text(low + at / PER_DECADE)}: {count}" for at, count in enumerate(counts.tolist()) if count)
        self.setAccessibleName("How many singular values lie where")
        self.setAccessibleDescription(told)
        self.update()

    def counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """(bins,) from 10⁻⁹ to 10³; what is beyond stands in the first and the last one."""
        bins = round((colors.HIGH - colors.LOW) * PER_DECADE)
        found = np.zeros(bins, np.int64)
        if self.hidden is not None and len(self.hidden.log10):
            places = np.clip(np.floor((self.hidden.log10 - colors.LOW) * PER_DECADE + 0.5), 0, bins - 1)  # a bin's middle is at 1
            np.add.at(found, places.astype(int), 1)
        return found

    def height_at(self, width: float) -> float:
        return TOP + PLOT + AXIS + THROUGH + 6.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        if self.hidden is None or self.whole is None:
            return
        theme = self.theme
        gutter = marks.text_width(self._way, font(11)) + 8
        box = QRectF(area.left() + SIDE + gutter, area.top() + TOP, 0, PLOT)
        box.setRight(area.right() - SIDE - 4)
        painter.fillRect(box, QColor(theme.canvas))
        for exponent in EXPONENTS:
            x = self._across(box, exponent)
            painter.setPen(QPen(QColor(theme.ink2 if exponent == 0 else theme.line), 1))
            painter.drawLine(QLineF(x, box.top() - (6 if exponent == 0 else 0), x, box.bottom() + (THROUGH if exponent == 0 else 0)))
            if exponent:
                marks.put_text(painter, x, box.bottom() + THROUGH + 10, power(exponent), font(11), theme.ink3)
        marks.put_text(painter, self._across(box, 0), box.bottom() + THROUGH + 10, "1", font(11, 600), theme.ink1)
        marks.put_text(painter, self._across(box, 0), area.top() + 6, "lengths kept", font(11), theme.ink2)
        self._paint_bars(painter, box)
        self._paint_zeros(painter, area.left() + SIDE, box)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        self._paint_through(painter, box, self.whole)

    @staticmethod
    def _across(box: QRectF, log10: float) -> float:
        share = (log10 - colors.LOW) / (colors.HIGH - colors.LOW)
        return box.left() + min(1.0, max(0.0, share)) * box.width()

    def _paint_bars(self, painter: QPainter, box: QRectF) -> None:
        theme, hidden = self.theme, self.hidden
        assert hidden is not None
        if not hidden.finite:
            colors.paint_hatch(painter, box, theme)
            return
        counts = self.counts()
        most = max(1, int(counts.max()))
        first = int(counts.argmax())
        wide = box.width() / len(counts)
        for at, count in enumerate(counts.tolist()):
            if not count:
                continue
            middle = colors.LOW + at / PER_DECADE
            high = max(2.0, count / most * (box.height() - 16))
            left = max(box.left(), self._across(box, middle) - wide / 2)
            bar = QRectF(left, box.bottom() - high, wide - 1, high)
            painter.setPen(QPen(QColor(theme.outline), 1) if wide >= 5 else Qt.PenStyle.NoPen)
            painter.setBrush(colors.color(level(middle), theme))
            painter.drawRect(bar)
            if at == first:
                marks.put_text(painter, bar.center().x(), bar.top() - 8, f"{count:,}", font(11), theme.ink2)
            self.spots.append(Spot(QRectF(bar.left(), box.top(), wide, box.height()), f"singular values about {size_text(middle)}", count))
        if len(hidden.log10) and float(hidden.log10[-1]) < colors.LOW:
            y = box.bottom() - 8
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.outline))
            painter.drawPolygon(QPolygonF([QPointF(box.left() - 1, y - 4), QPointF(box.left() - 7, y), QPointF(box.left() - 1, y + 4)]))
        if len(hidden.log10) and float(hidden.log10[0]) > colors.HIGH:
            y = box.bottom() - 8
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.outline))
            painter.drawPolygon(QPolygonF([QPointF(box.right() + 1, y - 4), QPointF(box.right() + 7, y), QPointF(box.right() + 1, y + 4)]))

    def _paint_zeros(self, painter: QPainter, left: float, box: QRectF) -> None:
        """Left of the axis, which has no place for them: how many are exactly 0, and how many are lost in rounding."""
        assert self.hidden is not None
        y = box.bottom() - 12
        for mark, count, what in ((colors.ZERO, self.hidden.zeros, "exactly 0"), (colors.UNKNOWN, self.hidden.lost, "lost in rounding")):
            if count:
                marks.paint_swatch(painter, QRectF(left, y - 5, 10, 10), mark, self.theme)
                marks.put_text(painter, left + 15, y, f"{count:,}", font(11), self.theme.ink2, LEFT)
                self.spots.append(Spot(QRectF(left, y - 8, 40, 16), f"singular values {what}", count))
                y -= 18

    def _paint_through(self, painter: QPainter, box: QRectF, whole: Spectrum) -> None:
        """The singular values from the input to the output, as diamonds under the axis."""
        theme, y = self.theme, box.bottom() + THROUGH / 2
        marks.put_text(painter, box.left() - 8, y, self._way, font(11), theme.ink2, RIGHT)
        if not whole.finite:
            colors.paint_hatch(painter, QRectF(box.left(), y - 5, 24, 10), theme)
            return
        if not len(whole.log10):
            mark = colors.ZERO if whole.zeros else colors.UNKNOWN
            marks.paint_swatch(painter, QRectF(box.left(), y - 5, 10, 10), mark, theme)
            return
        for value in whole.log10[:MOST_SHOWN].tolist():
            x = self._across(box, value)
            painter.setPen(QPen(QColor(theme.ink1), 1))
            painter.setBrush(colors.color(level(value), theme))
            left = [QPointF(x - 4, y)] if value <= colors.HIGH else []  # beyond the axis: half of the diamond, pointing there
            right = [QPointF(x + 4, y)] if value >= colors.LOW else []
            painter.drawPolygon(QPolygonF([QPointF(x, y - 5), *right, QPointF(x, y + 5), *left]))
            beyond = "" if abs(value) < 300 else size_text(value)
            self.spots.append(Spot(QRectF(x - 5, y - 8, 10, 16), f"singular value {self._way}", size(value), beyond))
