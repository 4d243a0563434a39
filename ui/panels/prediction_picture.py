"""What every picture of a prediction has in common: it is made of a prediction for an area, drawn, and read off at a point."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.snapshot import Prediction

from .. import colors
from ..theme import Theme, font
from . import marks
from .panel import Table

TOP, SIDE = 40.0, 16.0  # heading above the picture; margin at the sides
Card = tuple[str, list[tuple[str, str]]]


class Said(NamedTuple):
    """What a network answers to one example, in words."""

    text: str
    note: str  # how sure it is, or what would have been right
    wrong: bool
    failed: bool  # no finite answer


class Beside(NamedTuple):
    """What another run predicts, to be drawn as a thin line with its letter."""

    letter: str
    prediction: Prediction


class Picture:
    """A prediction drawn in one way, in one area; ``beside`` is set where the other side's line can be drawn into it."""

    beside: Beside | None = None

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

    def paint_said(self, painter: QPainter, said: Said, left: float, right: float, y: float) -> None:
        """An answer in one line, with a cross where it is wrong; the note stands at the right, if there is room."""
        theme, strong, small = self.theme, font(12, 600), font(11)
        if said.failed:
            marks.paint_swatch(painter, QRectF(left, y - 6, 12, 12), colors.NONFINITE, theme)
            left += 17
        elif said.wrong:
            self._paint_cross(painter, QPointF(left + 5, y))
            left += 15
        ink = theme.nan if said.failed else theme.ink1
        marks.put_text(painter, left, y, said.text, strong, ink, Qt.AlignmentFlag.AlignLeft)
        after = left + marks.text_width(said.text, strong) + 6
        if after + marks.text_width(said.note, small) <= right + 6:
            marks.put_text(painter, right, y, said.note, small, theme.ink2 if said.wrong else theme.ink3, Qt.AlignmentFlag.AlignRight)

    def paint_letter(self, painter: QPainter, at: QPointF, letter: str) -> None:
        """The letter of the other side, where its line runs."""
        painter.setPen(QPen(QColor(self.theme.ink1), 1))
        painter.setBrush(QColor(self.theme.canvas))
        painter.drawRoundedRect(QRectF(at.x() - 7.5, at.y() - 7.5, 15, 15), 4, 4)
        marks.put_text(painter, at.x(), at.y(), letter, font(11, 600), self.theme.ink1)

    def _paint_cross(self, painter: QPainter, at: QPointF) -> None:
        pen = QPen(QColor(self.theme.ink1), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QLineF(at.x() - 4, at.y() - 4, at.x() + 4, at.y() + 4))
        painter.drawLine(QLineF(at.x() - 4, at.y() + 4, at.x() + 4, at.y() - 4))
