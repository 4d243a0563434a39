"""Sequences of many numbers as small heatmaps: time from left to right, an input in each row, with the answer beneath."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ..theme import font
from . import marks
from .plots import grey_image
from .prediction_picture import SIDE, TOP
from .prediction_sequence import SequencePicture

NAMES, TEXT, GAP = 18.0, 22.0, 12.0  # the line above the pictures; a line under each; between two
FLATTEST, WIDEST, HIGHEST = 44.0, 240.0, 130.0


class SeriesPicture(SequencePicture):
    """Real sequences, and those of one's own."""

    @staticmethod
    def height_wanted(width: float, count: int, features: int) -> float:
        columns = count if (width + GAP) / count - GAP >= 130 else min(2, count)
        return NAMES + math.ceil(count / columns) * (TEXT + 4 + max(FLATTEST, min(5.0 * features, 72.0)))

    def boxes(self) -> list[QRectF]:
        area, count = self.area, len(self.sequences)
        room = area.adjusted(SIDE, TOP + NAMES - 4, -SIDE, -6)

        def size(columns: int) -> tuple[float, float]:
            width, height = (room.width() + GAP) / columns - GAP, (room.height() + 4) / math.ceil(count / columns) - 4
            return min(width, WIDEST), min(height, HIGHEST + TEXT)

        columns = max(range(1, count + 1), key=lambda n: min(size(n)[0] / 2, size(n)[1] - TEXT))
        width, height = max(8.0, size(columns)[0]), max(TEXT + 4, size(columns)[1])
        left = room.left() + (room.width() - columns * width - (columns - 1) * GAP) / 2
        places = [divmod(index, columns) for index in range(count)]
        return [QRectF(left + column * (width + GAP), room.top() + row * (height + 4), width, height) for row, column in places]

    def paint(self, painter: QPainter) -> None:
        theme, boxes = self.theme, self.boxes()
        reach = self._reach()
        for index, box in enumerate(boxes):
            picture, said = box.adjusted(0, 0, 0, -TEXT), self.said(index)
            time, real = self.sequences.shape[1], int(self.lengths[index])
            values = self.sequences[index, time - real :].T[::-1]  # the first input in the uppermost row
            start = picture.left() + picture.width() * (time - real) / time
            pen = QPen(QColor(theme.strong_line), 1)
            pen.setDashPattern([2, 3])
            painter.setPen(pen)
            painter.drawLine(QLineF(picture.left(), picture.center().y(), start, picture.center().y()))  # nothing yet
            picture.setLeft(start)
            painter.drawImage(picture, grey_image(0.5 + 0.5 * values / reach, theme, theme.ink1))
            painter.setPen(QPen(QColor(theme.ink1 if said.wrong else theme.strong_line), 2 if said.wrong else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(picture)
            self.paint_said(painter, said, box.left(), box.right(), picture.bottom() + 12)
        text = f"time → ({self.sequences.shape[1]:,} steps), an input in each row"
        for words in (text, "time →"):
            if marks.text_width(words, font(11, 500)) <= self.area.width() - 2 * SIDE:
                marks.put_text(
                    painter, boxes[0].left(), boxes[0].top() - 10, words, font(11, 500), theme.ink3, Qt.AlignmentFlag.AlignLeft
                )
                return

    def _reach(self) -> float:
        """What is as grey, or as light, as can be: few numbers are further from 0."""
        return float(np.quantile(np.abs(self.sequences), 0.99)) or 1.0
