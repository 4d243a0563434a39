"""What every picture of a prediction has in common: it is made of a prediction for an area, drawn, and read off at a point."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.snapshot import Prediction

from ..theme import Theme, font
from . import marks
from .panel import Table

TOP, SIDE = 40.0, 16.0  # heading above the picture; margin at the sides
Card = tuple[str, list[tuple[str, str]]]


class Picture:
    """A prediction drawn in one way, in one area."""

    def __init__(self, prediction: Prediction, theme: Theme, input_names: tuple[str, ...], area: QRectF) -> None:
        self.prediction, self.theme, self.input_names, self.area = prediction, theme, input_names, area

    def paint(self, painter: QPainter) -> None:
        """Draw all but the heading of the panel."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is drawn")

    def card_at(self, point: QPointF) -> Card | None:
        """Title and rows of the exact numbers at a point, if there are any."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its numbers are")

    def table(self) -> Table:
        """The numbers of the picture."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its numbers are")

    def paint_nan_label(self, painter: QPainter, box: QRectF) -> None:
        """NaN in the middle of what is striped."""
        label = QRectF(box.center().x() - 26, box.center().y() - 11, 52, 22)
        painter.setPen(QPen(QColor(self.theme.nan), 1))
        painter.setBrush(QColor(self.theme.nan_ground))
        painter.drawRoundedRect(label, 4, 4)
        marks.put_text(painter, label.center().x(), label.center().y(), "NaN", font(13, 600), self.theme.nan)
