"""Measured steps per second, a bar for each setting; a setting that is not measured yet has a dashed line."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.lab_reports import Speed

from ..theme import blend, font
from . import marks
from .hardware_words import rate_text, setting
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .spots import Spot

ROW = 22.0
EMPTY = ("float64", "float32")  # what stands there before anything is measured


class SpeedBars(Block):
    """Draws speeds on one linear axis that begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.speeds: tuple[Speed, ...] = ()
        self._names: tuple[str, ...] = EMPTY
        self.setAccessibleName("Steps per second")

    def show_speeds(self, speeds: tuple[Speed, ...]) -> None:
        self.speeds = speeds
        self._names = tuple(setting(speed) for speed in speeds) or EMPTY
        if len(speeds) < 2 and speeds:
            self._names += EMPTY[1:]
        rates = "; ".join(f"{setting(speed)}: {rate_text(speed.steps_per_second)}" for speed in speeds)
        self.setAccessibleDescription(rates or "not measured")
        self.update()

    def height_at(self, width: float) -> float:
        return ROW * max(len(self._names), 2) + 8.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, used, strong = self.theme, font(12), font(12, 500)
        texts = [rate_text(speed.steps_per_second) for speed in self.speeds]
        left = area.left() + SIDE
        start = left + max(marks.text_width(name, used) for name in self._names) + 12
        end = area.right() - SIDE - max([marks.text_width(text, strong) for text in texts] + [marks.text_width("–", strong)]) - 10
        most = max((speed.steps_per_second for speed in self.speeds), default=1.0)
        for number, name in enumerate(self._names):
            y = area.top() + ROW * (number + 0.5)
            marks.put_text(painter, left, y, name, used, theme.ink1 if number < len(texts) else theme.ink3, LEFT)
            if number >= len(texts):
                pen = QPen(QColor(theme.outline), 1)
                pen.setDashPattern([3, 3])
                painter.setPen(pen)
                painter.drawLine(QLineF(start + 1, y, start + 18, y))
                marks.put_text(painter, area.right() - SIDE, y, "–", strong, theme.ink3, RIGHT)
                continue
            speed = self.speeds[number].steps_per_second
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(theme.ink2, theme.dock, 0.75))
            painter.drawRoundedRect(QRectF(start, y - 5, max(2.0, (end - start) * speed / most), 10), 2, 2)
            marks.put_text(painter, area.right() - SIDE, y, texts[number], strong, theme.ink1, RIGHT)
            row = QRectF(left, y - ROW / 2, area.right() - SIDE - left, ROW)
            self.spots.append(Spot(row, f"{name}, steps per second", speed))
