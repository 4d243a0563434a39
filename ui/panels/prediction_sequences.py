"""A few sequences of the test set with what is answered to them and, where there is room, all answers of the test set."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from gradviz.snapshot import Prediction

from ..theme import Theme
from .panel import Table
from .prediction_confusion import ConfusionPicture
from .prediction_picture import TOP, Card, Picture
from .prediction_scatter import ScatterPicture
from .prediction_sequence import SequencePicture
from .prediction_series import SeriesPicture
from .prediction_strips import MarkedPicture, SymbolsPicture

FORMS: dict[str, type[SequencePicture]] = {"symbols": SymbolsPicture, "marked": MarkedPicture, "series": SeriesPicture}
LEAST = 150.0  # height of the picture of all answers beneath the sequences
LEAST_BESIDE = 600.0  # width of both beside each other


class SequencesPicture(Picture):
    """Recurrent networks: single sequences first, then the whole test set."""

    def __init__(self, prediction: Prediction, theme: Theme, input_names: tuple[str, ...], area: QRectF) -> None:
        super().__init__(prediction, theme, input_names, area)
        assert prediction.sequences is not None
        form = FORMS[prediction.sequence]
        count, _, features = prediction.sequences.shape
        wanted = form.height_wanted(area.width(), count, features)
        of_all = ConfusionPicture if prediction.class_names else ScatterPicture
        upper, rest = area, None
        if area.width() >= LEAST_BESIDE and area.width() > 1.2 * area.height():
            upper = QRectF(area.left(), area.top(), 0.52 * area.width(), area.height())
            rest = QRectF(upper.right(), area.top(), area.width() - upper.width(), area.height())
        elif area.height() - TOP - wanted >= LEAST:
            share = min(0.5 * (area.height() - TOP), 1.4 * wanted)
            upper = QRectF(area.left(), area.top(), area.width(), TOP + max(wanted, share))
            # a picture leaves room for the heading of the panel, which is not there a second time
            rest = QRectF(area.left(), upper.bottom() - TOP + 10, area.width(), area.bottom() - upper.bottom() + TOP - 10)
        self.few = form(prediction, theme, input_names, upper)
        self.all: Picture | None = of_all(prediction, theme, input_names, rest) if rest is not None else None

    def paint(self, painter: QPainter) -> None:
        self.few.paint(painter)
        if self.all is not None:
            self.all.paint(painter)

    def card_at(self, point: QPointF) -> Card | None:
        found = self.few.card_at(point)
        return self.all.card_at(point) if found is None and self.all is not None else found

    def table(self) -> Table:
        return self.few.table()
