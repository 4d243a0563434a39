"""What a smaller format keeps of each layer's gradient: a bar of shares, and the gradient's size before and after."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.arrays import Floats
from gradviz.lab_reports import Underflow

from .. import colors
from ..numbers import short
from ..theme import blend, font
from . import marks
from .hardware_words import scale_text
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .plots import percent
from .spots import Spot

ROW, HEAD, LEGEND = 21.0, 24.0, 20.0
MOST = 40  # layers; of more the first and the last ones are drawn
NUMBER = 80.0  # room for a swatch and a number
KINDS = ("all digits kept", "fewer digits", "exactly 0", "too large")


class UnderflowBars(Block):
    """Draws one `Underflow`, the first layer on top."""

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self.underflow: Underflow | None = None
        self._known: tuple[bool, ...] = ()
        self._rms: Floats | None = None
        self.setAccessibleName("What is left of each layer’s gradient")

    def show_underflow(self, names: tuple[str, ...], known: tuple[bool, ...], rms: Floats, underflow: Underflow) -> None:
        """``names`` of the layers, whether each one's gradient is ``known``, and its ``rms`` before."""
        self.names, self._known, self._rms, self.underflow = names, known, rms, underflow
        self.setAccessibleDescription(
            "; ".join(f"{names[layer]}: {self._said(layer)}" for layer in self._rows() if layer is not None) if len(names) else ""
        )
        self.update()

    def _said(self, layer: int) -> str:
        assert self.underflow is not None and self._rms is not None
        found = self.underflow
        if not self._known[layer]:
            return "not known yet"
        if not math.isfinite(self._rms[layer]):
            return f"{short(float(self._rms[layer]))} before"
        if not found.components[layer]:
            return "exactly 0 before"
        large = f", {percent(float(found.infinite[layer]))} too large" if found.infinite[layer] else ""
        return f"{percent(float(found.zero[layer]))} become 0{large}"

    def _rows(self) -> list[int | None]:
        """The layers to draw, counted from 0; None stands for those left out."""
        count = len(self.names)
        if count <= MOST:
            return list(range(count))
        return [*range(MOST // 2), None, *range(count - MOST // 2, count)]

    def _legend(self, width: float) -> list[list[str]]:
        """The kinds of shares in as many lines as they need."""
        lines: list[list[str]] = [[]]
        x = 0.0
        for kind in KINDS:
            wide = marks.text_width(kind, font(11)) + 30
            if lines[-1] and x + wide - 14 > width - 2 * SIDE:
                lines.append([])
                x = 0.0
            lines[-1].append(kind)
            x += wide
        return lines

    def height_at(self, width: float) -> float:
        return HEAD + ROW * len(self._rows()) + LEGEND * len(self._legend(width)) + 10.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        found, theme = self.underflow, self.theme
        if found is None or self._rms is None:
            return
        rows, used = self._rows(), font(12)
        left, right = area.left() + SIDE, area.right() - SIDE
        names = max((marks.text_width(self.names[row], used) for row in rows if row is not None), default=0.0)
        bars = QRectF(left + names + 10, area.top() + HEAD, 0, ROW * len(rows))
        bars.setRight(right - 2 * NUMBER - 8)
        after = "stored" if found.exponent == 0 else f"÷ {scale_text(found.exponent)} again"
        for x, text in ((right - NUMBER, "gradient"), (right, after)):
            marks.put_text(painter, x, area.top() + 10, text, font(11), theme.ink3, RIGHT)
        head = next((text for text in ("share of its components", "components") if marks.text_width(text, font(11)) <= bars.width()), "")
        marks.put_text(painter, bars.left(), area.top() + 10, head, font(11), theme.ink3, LEFT)
        for number, row in enumerate(rows):
            y = bars.top() + ROW * (number + 0.5)
            if row is None:
                marks.put_text(painter, left, y, f"{len(self.names) - MOST:,} layers between", font(11), theme.ink3, LEFT)
                continue
            marks.put_text(painter, left, y, self.names[row], used, theme.ink1, LEFT)
            self._paint_shares(painter, QRectF(bars.left(), y - 7, bars.width(), 14), row)
            for x, value, label in ((right - NUMBER, self._rms[row], "before"), (right, found.rms[row], after)):
                self._paint_size(painter, x, y, float(value), self._known[row])
                if self._known[row]:
                    spot = QRectF(x - NUMBER + 4, y - ROW / 2, NUMBER - 4, ROW)
                    self.spots.append(Spot(spot, f"{self.names[row]}, RMS of the gradient, {label}", float(value)))
            if found.components[row] and self._known[row]:
                words = f"{self.names[row]}, share that becomes exactly 0 in {found.precision}"
                self.spots.append(Spot(QRectF(left, y - ROW / 2, bars.right() - left, ROW), words, float(found.zero[row])))
        self._paint_legend(painter, area, bars.bottom() + 6)

    def _paint_shares(self, painter: QPainter, box: QRectF, layer: int) -> None:
        found, theme = self.underflow, self.theme
        assert found is not None and self._rms is not None
        if not self._known[layer]:
            pen = QPen(QColor(theme.outline), 1)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawLine(QLineF(box.left() + 1, box.center().y(), box.left() + 18, box.center().y()))
            return
        if not math.isfinite(self._rms[layer]):
            colors.paint_hatch(painter, box, theme)
            return
        if not found.components[layer]:
            marks.paint_swatch(painter, QRectF(box.left(), box.center().y() - 5.5, 11, 11), colors.ZERO, theme)
            text = next((t for t in ("exactly 0 before", "0 before") if marks.text_width(t, font(11)) <= box.width() - 18), "")
            marks.put_text(painter, box.left() + 17, box.center().y(), text, font(11), theme.ink3, LEFT)
            return
        x = box.left()
        for kind, share in zip(KINDS, (found.kept, found.subnormal, found.zero, found.infinite), strict=True):
            wide = float(share[layer]) * box.width()
            if wide > 0:
                self._paint_kind(painter, QRectF(x, box.top(), wide, box.height()), kind)
                text = percent(float(share[layer]))
                if kind == KINDS[2] and marks.text_width(text, font(11)) <= wide - 8:
                    marks.put_text(painter, x + wide / 2, box.center().y(), text, font(11), theme.ink1)
            x += wide

    def _paint_kind(self, painter: QPainter, box: QRectF, kind: str) -> None:
        """One share of a bar: grey, because only sizes of gradients have hues; what is 0 is empty."""
        theme = self.theme
        if kind == KINDS[3]:
            colors.paint_hatch(painter, box, theme)
            return
        opacity = {KINDS[0]: 0.7, KINDS[1]: 0.3, KINDS[2]: 0.0}[kind]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme.ink2, theme.dock, opacity) if opacity else QColor(theme.canvas))
        painter.drawRect(box)
        if not opacity and box.width() > 2:
            painter.setPen(QPen(QColor(theme.outline), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_size(self, painter: QPainter, right: float, y: float, value: float, known: bool) -> None:
        theme = self.theme
        if not known:
            marks.put_text(painter, right, y, "–", font(12, 500), theme.ink3, RIGHT)
            return
        text = short(value)
        marks.put_text(painter, right, y, text, font(12, 500), theme.ink1 if math.isfinite(value) else theme.nan, RIGHT)
        x = right - marks.text_width(text, font(12, 500)) - 15
        marks.paint_swatch(painter, QRectF(x, y - 5, 10, 10), colors.level(value), theme)

    def _paint_legend(self, painter: QPainter, area: QRectF, top: float) -> None:
        for number, line in enumerate(self._legend(area.width())):
            x, y = area.left() + SIDE, top + LEGEND * (number + 0.5)
            for kind in line:
                self._paint_kind(painter, QRectF(x, y - 5, 10, 10), kind)
                marks.put_text(painter, x + 15, y, kind, font(11), self.theme.ink2, LEFT)
                x += marks.text_width(kind, font(11)) + 30
