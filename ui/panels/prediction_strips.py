"""Sequences in rows from left to right, what is to be found in them in front or emphasised, and the answer at the end of the row.

A row that is too long for its symbols shows the first and the last of them.
"""

from __future__ import annotations

import itertools

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ..numbers import full
from ..theme import blend, font
from . import marks
from .prediction_picture import SIDE, TOP
from .prediction_sequence import SequencePicture, decimal

NAMES, ROW, HIGHEST = 20.0, 30.0, 52.0  # the line that names the columns; height of a row, and at most
TILE, FIRST = 16.0, 24.0  # side of a symbol, and of the one that is asked for
ARROW = 24.0


class StripPicture(SequencePicture):
    """Rows with the answer in a column at the right."""

    column = 96.0  # width of the answers

    @staticmethod
    def height_wanted(width: float, count: int, features: int) -> float:
        return NAMES + ROW * count

    def boxes(self) -> list[QRectF]:
        area, count = self.area, len(self.sequences)
        room = area.adjusted(SIDE, TOP + NAMES - 6, -SIDE, -6)
        height = max(4.0, min(room.height() / count, HIGHEST))
        return [QRectF(room.left(), room.top() + n * height, room.width(), height) for n in range(count)]

    def _column(self) -> float:
        return min(self.column, 0.42 * (self.area.width() - 2 * SIDE))

    def _name(self, painter: QPainter, x: float, text: str, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:
        marks.put_text(painter, x, self.boxes()[0].top() - 6, text, font(11, 500), self.theme.ink3, align)

    def _paint_line(self, painter: QPainter, box: QRectF) -> None:
        """A hairline under a row."""
        painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 1), QColor(self.theme.line))


class SymbolsPicture(StripPicture):
    """One-hot symbols, of which the first is asked for."""

    def paint(self, painter: QPainter) -> None:
        theme, boxes = self.theme, self.boxes()
        column = self._column()
        for index, box in enumerate(boxes):
            side = max(4.0, min(FIRST, box.height() - 4))
            first = QRectF(box.left() + (FIRST - side) / 2, box.center().y() - side / 2, side, side)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ink1))
            painter.drawRoundedRect(first, 5, 5)
            symbols = self._symbols(index)
            marks.put_text(painter, first.center().x(), first.center().y(), symbols[0], font(13, 600), theme.canvas)
            start = box.left() + FIRST + 8
            strip = QRectF(start, box.top(), box.right() - column - ARROW - start, box.height())
            self._paint_strip(painter, strip, symbols[1:])
            marks.put_text(painter, box.right() - column - ARROW / 2, box.center().y(), "→", font(13), theme.ink3)
            self.paint_said(painter, self.said(index), box.right() - column, box.right(), box.center().y())
            if index < len(boxes) - 1:
                self._paint_line(painter, box)
        self._name(painter, boxes[0].left(), "first")
        self._name(painter, boxes[0].right() - column, "answer")
        self._name_noise(painter, boxes[0].left() + FIRST + 8, boxes[0].right() - column - ARROW)

    def _symbols(self, index: int) -> list[str]:
        """What stands for each time step: the names of what may be asked for, and numbers for the noise."""
        kinds = self.sequences[index].argmax(axis=1)
        names = self.prediction.class_names
        return [names[kind] if kind < len(names) else str(kind - len(names) + 1) for kind in kinds.tolist()]

    def _name_noise(self, painter: QPainter, left: float, right: float) -> None:
        count = self.sequences.shape[1] - 1
        for text in (f"then {count:,} symbols of noise", f"{count:,} of noise", f"+{count:,}"):
            if count and left + 16 + marks.text_width(text, font(11, 500)) <= right:
                self._name(painter, left + 8, text)
                return

    def _paint_strip(self, painter: QPainter, strip: QRectF, symbols: list[str]) -> None:
        """The noise, tile by tile; of more than there is room for the beginning and the end."""
        room = max(0, int(strip.width() // TILE))
        if len(symbols) > room:
            shown = max(0, room - 1) // 2
            symbols = [*symbols[:shown], "…", *symbols[len(symbols) - shown :]] if room else []
        for place, symbol in enumerate(symbols):
            tile = QRectF(strip.left() + place * TILE, strip.center().y() - TILE / 2, TILE - 2, TILE)
            if symbol != "…":
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(blend(self.theme.ink1, self.theme.dock, 0.04 + 0.02 * (ord(symbol[-1]) % 10)))
                painter.drawRoundedRect(tile, 3, 3)
            ink = self.theme.ink3 if symbol.isdigit() or symbol == "…" else self.theme.ink1
            marks.put_text(painter, tile.center().x(), tile.center().y(), symbol, font(11), ink)


class MarkedPicture(StripPicture):
    """Numbers as bars over time, of which the marked ones are to be added."""

    column = 104.0

    def paint(self, painter: QPainter) -> None:
        theme, boxes = self.theme, self.boxes()
        column = self._column()
        assert self.prediction.labels is not None
        for index, box in enumerate(boxes):
            strip = QRectF(box.left(), box.top() + 2, box.width() - column - ARROW, box.height() - 5)
            self._paint_bars(painter, strip, index)
            y = box.center().y()
            marks.put_text(painter, strip.right() + ARROW / 2, y, "=", font(13), theme.ink3)
            total = decimal(float(self.prediction.labels[index]))
            marks.put_text(painter, box.right() - column, y, total, font(12), theme.ink2, Qt.AlignmentFlag.AlignLeft)
            said = self.said(index)._replace(note="")
            self.paint_said(painter, said, box.right() - column / 2, box.right(), y)
            if index < len(boxes) - 1:
                self._paint_line(painter, box)
        head = boxes[0]
        for text in (f"{self.sequences.shape[1]:,} numbers, two of them marked", f"{self.sequences.shape[1]:,} numbers"):
            if marks.text_width(text, font(11, 500)) <= head.width() - column - 8:
                self._name(painter, head.left(), text)
                break
        self._name(painter, head.right() - column, "sum")
        self._name(painter, head.right() - column / 2, "answer")

    def _paint_bars(self, painter: QPainter, strip: QRectF, index: int) -> None:
        """A bar for each number, faint but for the marked ones, which stand out with their values beside them."""
        theme, values = self.theme, self.sequences[index, :, 0]
        pitch = strip.width() / len(values)
        every = max(1, int(np.ceil(2.0 / max(pitch, 1e-6))))  # of more numbers than there are pixels some are left out
        faint = blend(theme.ink1, theme.dock, 0.16)
        for time in range(0, len(values), every):
            height = float(np.clip(values[time], 0.0, 1.0)) * strip.height()
            painter.fillRect(QRectF(strip.left() + time * pitch, strip.bottom() - height, max(1.0, 0.6 * pitch * every), height), faint)
        marked, used = self._marked(index), font(11, 600)
        painter.setPen(QPen(QColor(theme.dock), 1))
        painter.setBrush(QColor(theme.ink1))
        bars = []
        for time in marked:
            height = max(2.0, float(np.clip(values[time], 0.0, 1.0)) * strip.height())
            wide = max(5.0, 0.6 * pitch)
            bars.append(QRectF(strip.left() + (time + 0.3) * pitch - wide / 2, strip.bottom() - height - 0.5, wide, height + 1))
            painter.drawRect(bars[-1])
        texts = [decimal(float(values[time])) for time in marked]
        for text, place in zip(texts, _beside(bars, [marks.text_width(text, used) for text in texts], strip), strict=False):
            marks.put_text(painter, place, strip.center().y(), text, used, theme.ink1, Qt.AlignmentFlag.AlignLeft)

    def _marked(self, index: int) -> list[int]:
        return [int(time) for time in np.flatnonzero(self.sequences[index, :, 1] > 0.5)]

    def notes(self, index: int) -> list[tuple[str, str]]:
        values = self.sequences[index, :, 0]
        marked = [(f"number at step {time + 1:,}", full(float(values[time]))) for time in self._marked(index)]
        return [*super().notes(index), *marked]


def _beside(bars: list[QRectF], widths: list[float], strip: QRectF) -> list[float]:
    """Where the text of each bar begins, right or left of it and clear of all else; nowhere when they do not all find room."""
    sides = [(bar.right() + 4, bar.left() - 4 - width) for bar, width in zip(bars, widths, strict=True)]
    for places in itertools.product(*sides):
        spans = sorted([(x, x + width) for x, width in zip(places, widths, strict=True)] + [(bar.left(), bar.right()) for bar in bars])
        apart = all(end + 2 <= start for (_, end), (start, _) in itertools.pairwise(spans))
        if apart and spans[0][0] >= strip.left() - 3 and spans[-1][1] <= strip.right() + 3:
            return list(places)
    return []
