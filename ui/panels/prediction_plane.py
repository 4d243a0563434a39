"""Pictures of a prediction in the plane: where the plot stands, its examples and their legend, and the numbers near a point."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.snapshot import Prediction

from ..theme import Theme, font
from . import marks
from .panel import Table
from .plots import Plot, elided, paint_examples, paint_markers, paint_rings
from .prediction_picture import SIDE, TOP, Card, Picture

GUTTER, TICKS, LEGEND = 40.0, 20.0, 24.0  # room of the labels left of and below a plot, and of its legend
WIDEST = 1.5  # a plot is at most this times as wide as high
HOVER_REACH = 9.0  # pixels within which a point counts as hovered


class PlanePicture(Picture):
    """Examples as points in the plane; what the network answers is added by each kind."""

    def __init__(self, prediction: Prediction, theme: Theme, input_names: tuple[str, ...], area: QRectF) -> None:
        super().__init__(prediction, theme, input_names, area)
        assert prediction.points is not None and prediction.point_labels is not None and prediction.point_in_test is not None
        self.points, self.labels, self.in_test = prediction.points, prediction.point_labels, prediction.point_in_test
        self.plot = Plot(plane_box(area), prediction.extent)

    def paint_examples(self, painter: QPainter, places: list[QPointF]) -> None:
        """Every example at its place."""
        ink = self.theme.ink1 if self.prediction.class_names else self.theme.ink3  # in a regression the line is what counts
        paint_examples(painter, self.theme, ink, places, self.labels, self.in_test, self.plot.box)

    def paint_legend(self, painter: QPainter, items: list[tuple[int | None, str, QColor | None]]) -> None:
        """One row under the plot: (marker of a class or None for a ring, its name, the grey that answers it)."""
        theme, area, box, used = self.theme, self.area, self.plot.box, font(11)
        ink = theme.ink1 if items[0][2] is not None else theme.ink3
        y = box.bottom() + TICKS + 13
        if bool(self.in_test.any()):
            items = [*items, (None, "test set", None)]
        names = [elided(name, 72) for _, name, _ in items]
        widths = [24 + marks.text_width(name, used) + 12 for name in names]
        while len(widths) > 1 and sum(widths) - 12 > area.width() - 2 * SIDE:
            widths.pop()
        x = max(area.left() + SIDE, min(box.left(), area.right() - SIDE - sum(widths) + 12))
        for (label, _, grey), name, width in zip(items, names, widths, strict=False):
            middle = QPointF(x + 9, y)
            if grey is not None:
                painter.setPen(QPen(QColor(theme.strong_line), 1))
                painter.setBrush(grey)
                painter.drawRoundedRect(QRectF(x, y - 8, 18, 16), 4, 4)
            if label is None:
                paint_rings(painter, [middle], 3.4, theme, ink)
            else:
                paint_markers(painter, [middle], 3.4, label, theme, ink)
            marks.put_text(painter, x + 24, y, name, used, theme.ink2, Qt.AlignmentFlag.AlignLeft)
            x += width

    def card_at(self, point: QPointF) -> Card | None:
        if not self.plot.box.contains(point):
            return None
        distances = [QLineF(point, self.plot.at(float(a), float(b))).length() if math.isfinite(b) else math.inf for a, b in self.points]
        nearest = int(np.argmin(distances)) if distances and min(distances) <= HOVER_REACH else None
        return self.card(point, nearest)

    def card(self, point: QPointF, nearest: int | None) -> Card | None:
        """The numbers at a point of the plot and of the example ``nearest`` to it, if one is near."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its numbers are")

    def part(self, example: int) -> str:
        """The part of the data that an example belongs to."""
        return "test set" if self.in_test[example] else "training set"

    def table(self) -> Table:
        """The points, then what the network answers between them."""
        names = self.prediction.class_names
        parts = ["test point" if tested else "training point" for tested in self.in_test]
        values = [names[int(label)] if names else "" for label in self.labels]
        points = ((part, float(x), float(y), value) for part, (x, y), value in zip(parts, self.points, values, strict=True))
        return Table(("what", "x", "y", "value"), (*points, *self.answers()))

    def answers(self) -> list[tuple[object, ...]]:
        """Rows of the table beyond those of the points."""
        return []


def plane_box(area: QRectF) -> QRectF:
    """Where the plot stands: as large as there is room, in the middle, at most `WIDEST` times as wide as high."""
    bottom = TICKS + LEGEND + 8
    room = QRectF(area.left() + GUTTER, area.top() + TOP, area.width() - GUTTER - SIDE, area.height() - TOP - bottom)
    width, height = max(8.0, room.width()), max(8.0, room.height())
    width = min(width, WIDEST * height)
    height = min(height, WIDEST * width)
    left = min(room.left() + (room.width() - width) / 2, area.center().x() - width / 2 + (GUTTER - SIDE) / 2)
    return QRectF(left, room.top(), width, height)
