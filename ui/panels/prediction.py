"""What the network says about its data: a decision surface, a fitted curve, a few digits or sequences, a table or a scatter of answers.

All in greys, because an answer is not a gradient: classes differ in shape and fill, wrong answers have a cross. Each kind of
picture has a file of its own; a new kind is one class and one entry here.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Prediction, PretrainingReport, Snapshot

from ..theme import font
from . import marks
from .panel import Panel, Table
from .plots import percent
from .prediction_confusion import ConfusionPicture
from .prediction_curve import CurvePicture
from .prediction_images import ImagesPicture
from .prediction_picture import Beside, Card, Picture
from .prediction_reconstruction import reconstruction_of, told_captions
from .prediction_scatter import ScatterPicture
from .prediction_sequences import SequencesPicture
from .prediction_surface import SurfacePicture

PICTURES: dict[str, type[Picture]] = {
    "surface": SurfacePicture,
    "curve": CurvePicture,
    "scatter": ScatterPicture,
    "images": ImagesPicture,
    "confusion": ConfusionPicture,
    "sequences": SequencesPicture,
}


class PredictionPanel(Panel):
    """The latest prediction, drawn by its kind; the exact numbers under the pointer stand on a card."""

    name = "prediction"
    title = "Prediction"
    ground = "dock"  # the role of the colour it stands on
    beside: Beside | None = None  # what the other side predicts

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pointer: QPointF | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(200, 160)

    def sizeHint(self) -> QSize:
        return QSize(360, 330)

    @property
    def _prediction(self) -> Prediction | None:
        return self.snapshot.prediction if self.snapshot is not None else None

    @property
    def _reconstruction(self) -> PretrainingReport | None:
        """What the level in work tells again, while there is one."""
        report = self.snapshot.pretraining if self.snapshot is not None else None
        return report if report is not None and report.told is not None else None

    def show_snapshot(self, snapshot: Snapshot) -> None:
        before = self.snapshot
        self.snapshot = snapshot
        # most snapshots bring the prediction of an earlier one: nothing new to draw
        if (
            before is None
            or snapshot.level
            or before.level
            or before.prediction is not snapshot.prediction
            or before.architecture.input_names != snapshot.architecture.input_names
        ):
            told = self._reconstruction
            self.setAccessibleDescription(self._accuracy() or "" if told is None else told_captions(told)[0])
            self.update()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        card = self.card_at(self._pointer) if self._pointer is not None else None
        if card is not None and self._pointer is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            reach = 29 + 8.5 * len(card[1])  # above or below the pointer, so that it does not hide what it tells
            below = self._pointer.y() + 2 * reach <= self.height() - 4
            beside = self._pointer + QPointF(0.0, reach if below else -reach)
            marks.paint_card(painter, self.theme, QRectF(self.rect()), beside, *card)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, prediction, report = self.theme, self._prediction, self._reconstruction
        painter.save()
        painter.fillRect(area, QColor(getattr(theme, self.ground)))
        if report is not None:  # nothing is asked about the task while one layer is trained by itself
            title = f"{self.side}: told" if self.side else "Told"
            marks.paint_heading(painter, area, theme, f"{title} again by level {report.level}", told_captions(report))
            reconstruction_of(report, theme, self._names, area).paint(painter)
        elif prediction is None:
            marks.paint_heading(painter, area, theme, self.full_title, ())
            marks.put_text(painter, area.center().x(), area.center().y(), marks.NOTHING_YET, font(13), theme.ink2)
        else:
            marks.paint_heading(painter, area, theme, self.full_title, self._captions(prediction))
            self._picture(prediction, area).paint(painter)
        painter.restore()

    def _picture(self, prediction: Prediction, area: QRectF) -> Picture:
        picture = PICTURES[prediction.kind](prediction, self.theme, self._names, area)
        if self.beside is not None and self.beside.prediction.kind == prediction.kind:
            picture.beside = self.beside
        return picture

    @property
    def _names(self) -> tuple[str, ...]:
        return self.snapshot.architecture.input_names if self.snapshot is not None else ()

    def _captions(self, prediction: Prediction) -> tuple[str, ...]:
        accuracy = self._accuracy()
        if accuracy is not None:
            return accuracy, accuracy.split(" ", 1)[1], accuracy.split("accuracy ")[1]
        if prediction.accuracy is not None:
            return ("no finite answers", "")
        return ("line: what the network answers", "line: answer") if prediction.kind == "curve" else ("answer against truth",)

    def _accuracy(self) -> str | None:
        prediction, snapshot = self._prediction, self.snapshot
        if prediction is None or snapshot is None or prediction.accuracy is None or snapshot.diverged or math.isnan(prediction.accuracy):
            return None  # a share of right answers, 0 too, would say that there are answers
        tested = snapshot.spec.data.test_fraction > 0
        if prediction.point_in_test is not None:
            tested = bool(prediction.point_in_test.any())
        return f"{'test' if tested else 'training'} accuracy {percent(prediction.accuracy)}"

    # ---- numbers

    def card_at(self, point: QPointF) -> Card | None:
        """Title and rows of the exact numbers at a point of the widget, if there are any."""
        prediction, report = self._prediction, self._reconstruction
        if report is not None:
            return reconstruction_of(report, self.theme, self._names, QRectF(self.rect())).card_at(point)
        return None if prediction is None else self._picture(prediction, QRectF(self.rect())).card_at(point)

    def table(self) -> Table:
        """The numbers of the picture: the points and the surface or curve, the images' answers, or the matrix."""
        prediction, report = self._prediction, self._reconstruction
        if report is not None:
            return reconstruction_of(report, self.theme, self._names, QRectF(self.rect())).table()
        if prediction is None:
            return Table(("what", "x", "y", "value"), ())
        return self._picture(prediction, QRectF(self.rect())).table()

    # ---- mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()
