"""Which class is taken for which: counts over the test set, rows true, columns answered; the diagonal is right."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from .. import colors
from ..theme import blend, font
from . import marks
from .panel import Table
from .plots import elided, percent
from .prediction_picture import SIDE, TOP, Card, Picture


class ConfusionPicture(Picture):
    """Classes over more than two inputs."""

    @property
    def _counts(self) -> NDArray[np.int64]:
        assert self.prediction.confusion is not None
        return self.prediction.confusion

    def _box(self) -> QRectF:
        """Where the matrix stands; row names to its left, column names above."""
        area, names = self.area, self.prediction.class_names
        count = len(names)
        widest = max((marks.text_width(name, font(11)) for name in names), default=0.0)
        gutter = min(widest, 0.3 * area.width()) + 12 + 16
        room = area.adjusted(SIDE + gutter, TOP + 30, -SIDE, -14)
        cell = max(2.0, min(room.width() / count, 96.0))
        height = max(2.0, min(room.height() / count, cell))
        width = min(cell, 2 * height)
        return QRectF(room.left() + (room.width() - width * count) / 2, room.top(), width * count, height * count)

    def paint(self, painter: QPainter) -> None:
        theme, counts, box = self.theme, self._counts, self._box()
        count = len(self.prediction.class_names)
        width, height = box.width() / count, box.height() / count
        self._paint_cells(painter, box)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.line), 1))
        if width >= 6 and height >= 6:
            painter.drawLines([QLineF(box.left() + n * width, box.top(), box.left() + n * width, box.bottom()) for n in range(1, count)])
            painter.drawLines([QLineF(box.left(), box.top() + n * height, box.right(), box.top() + n * height) for n in range(1, count)])
        if counts.sum() == 0:
            colors.paint_hatch(painter, box, theme)
            self.paint_nan_label(painter, box)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        self._paint_names(painter, box)

    def _paint_cells(self, painter: QPainter, box: QRectF) -> None:
        theme, counts, count = self.theme, self._counts, len(self.prediction.class_names)
        width, height = box.width() / count, box.height() / count
        totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        written = width >= 8 + marks.text_width(str(int(counts.max())), font(12)) and height >= 18
        for row in range(count):
            for column in range(count):
                cell = QRectF(box.left() + column * width, box.top() + row * height, width, height)
                share = float(counts[row, column] / totals[row, 0])
                painter.fillRect(cell, blend(theme.ink1, theme.canvas, 0.78 * share))
                if written:
                    ink = theme.canvas if share > 0.45 else theme.ink1 if counts[row, column] else theme.ink3
                    weight = 600 if row == column else 400
                    marks.put_text(painter, cell.center().x(), cell.center().y(), f"{int(counts[row, column]):,}", font(12, weight), ink)

    def _paint_names(self, painter: QPainter, box: QRectF) -> None:
        theme, used, names = self.theme, font(11), self.prediction.class_names
        count = len(names)
        width, height = box.width() / count, box.height() / count
        room = box.left() - self.area.left() - SIDE - 16 - 8
        shown = [elided(name, room) for name in names]
        for n in range(0, count, math.ceil(14 / height)):
            y = box.top() + (n + 0.5) * height
            marks.put_text(painter, box.left() - 8, y, shown[n], used, theme.ink2, Qt.AlignmentFlag.AlignRight)
        widest = max(marks.text_width(name, used) for name in shown)
        if widest <= width - 6 or width >= 50:  # else the rows, being in the same order, name the columns too
            for n, name in enumerate(names):
                marks.put_text(painter, box.left() + (n + 0.5) * width, box.top() - 10, elided(name, width - 6), used, theme.ink2)
            above = 26
        else:
            above = 10
        marks.put_text(painter, box.center().x(), box.top() - above, "answered", font(11, 500), theme.ink3)
        painter.save()
        painter.translate(box.left() - 8 - widest - 12, box.center().y())
        painter.rotate(-90)
        marks.put_text(painter, 0, 0, "true", font(11, 500), theme.ink3)
        painter.restore()

    def card_at(self, point: QPointF) -> Card | None:
        counts, names, box = self._counts, self.prediction.class_names, self._box()
        if not box.contains(point):
            return None
        row = min(len(names) - 1, int((point.y() - box.top()) / box.height() * len(names)))
        column = min(len(names) - 1, int((point.x() - box.left()) / box.width() * len(names)))
        number, total = int(counts[row, column]), int(counts[row].sum())
        rows = [("true", elided(names[row], 160)), ("answered", elided(names[column], 160))]
        return f"{number:,} example{'' if number == 1 else 's'}", [*rows, ("of that class", percent(number / total) if total else "none")]

    def table(self) -> Table:
        names = self.prediction.class_names
        rows = tuple((name, *map(int, row)) for name, row in zip(names, self._counts, strict=True))
        return Table(("true", *(f"answered {name}" for name in names)), rows)
