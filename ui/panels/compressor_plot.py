"""The share of each block that the lower level passed on: how it learns."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.lab_reports import CompressorReport

from ..theme import font
from . import marks
from .lab_blocks import RIGHT, outlined_text
from .lab_page import SIDE, Block
from .plots import percent, ticks
from .spots import Spot

HEIGHT, TOP, FOOT = 128.0, 8.0, 22.0
FEWEST = 20  # blocks along the axis
SHARES = (0.0, 0.5, 1.0)


class SharePlot(Block):
    """Draws `CompressorReport.shares` as one bar a block."""

    def __init__(self) -> None:
        super().__init__()
        self.report: CompressorReport | None = None
        self.setAccessibleName("Passed on, block by block")

    def show_report(self, report: CompressorReport) -> None:
        self.report = report
        shares = [percent(share) for share in report.shares.tolist()]
        text = f"{len(shares):,} whole blocks; of the first {shares[0]} was passed on, of the last {shares[-1]}" if shares else ""
        self.setAccessibleDescription(text or "no whole block yet")
        self.update()

    def height_at(self, width: float) -> float:
        return HEIGHT

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        report, theme, used = self.report, self.theme, font(11)
        if report is None:
            return
        gutter = marks.text_width("100 %", used) + 8
        box = QRectF(area.left() + SIDE + gutter, area.top() + TOP, area.width() - 2 * SIDE - gutter, HEIGHT - TOP - FOOT)
        painter.fillRect(box, QColor(theme.canvas))
        for share in SHARES:
            y = round(box.bottom() - share * box.height()) + 0.5
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, f"{100 * share:.0f} %", used, theme.ink3, RIGHT)
        count = max(FEWEST, 10 * math.ceil(len(report.shares) / 10))
        pitch = box.width() / count
        gap = min(2.0, pitch / 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ink2))
        for block, share in enumerate(report.shares.tolist()):
            left = box.left() + block * pitch
            high = max(1.0, share * box.height())
            painter.drawRect(QRectF(left + gap / 2, box.bottom() - high, pitch - gap, high))
            passed = round(share * (report.lag + 2))
            text = f"{percent(share)}, {passed} of {report.lag + 2} symbols"
            self.spots.append(Spot(QRectF(left, box.top(), pitch, box.height() + FOOT), f"passed on of block {block + 1}", share, text))
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.bottomLeft(), box.bottomRight()))
        self._paint_floor(painter, box, report, pitch)
        below = box.bottom() + 12
        marks.put_text(painter, box.left() - 6, below, "block", used, theme.ink3, RIGHT)
        for value in ticks(0.0, float(count), box.width() / 56):
            if value >= 1 and value == round(value):
                x, text = box.left() + (value - 0.5) * pitch, f"{value:.0f}"
                x = min(x, box.right() - marks.text_width(text, used) / 2)
                marks.put_text(painter, x, below, text, used, theme.ink3)

    def _paint_floor(self, painter: QPainter, box: QRectF, report: CompressorReport, pitch: float) -> None:
        """What cue and answer alone make up: neither can be known from the symbol before."""
        y = box.bottom() - 2 / (report.lag + 2) * box.height()
        pen = QPen(QColor(self.theme.ink3), 1.2)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(QLineF(box.left(), y, box.right(), y))
        middle, right = y - 10, box.right() - 4
        higher = np.flatnonzero(report.shares * box.height() > box.bottom() - middle - 7)  # bars that the text would hide
        left = box.left() + (float(higher[-1]) + 1) * pitch if len(higher) else box.left()
        count = f"2 of {report.lag + 2}"
        texts = (f"cue and answer alone: {count}", f"cue and answer: {count}", count)
        text = next((text for text in texts if right - marks.text_width(text, font(11)) - 3 >= left), "")
        if text:
            outlined_text(painter, QPointF(right, middle), text, 11, self.theme.ink2, self.theme.canvas, RIGHT)
