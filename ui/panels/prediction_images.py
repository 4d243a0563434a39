"""A few pictures of the test set with what the network answers; wrong answers have a cross and a frame."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.arrays import Floats

from ..numbers import full
from .panel import Table
from .plots import grey_image, percent, refined
from .prediction_picture import SIDE, TOP, Card, Picture, Said

TEXT, GAP, LARGEST = 22.0, 10.0, 110.0  # under each picture; between two; side of a picture


class ImagesPicture(Picture):
    """Digits."""

    @property
    def _filled(self) -> tuple[Floats, NDArray[Any], NDArray[Any], Floats]:
        """Images, labels, answers and confidences."""
        shown = self.prediction
        assert shown.images is not None and shown.labels is not None and shown.answers is not None and shown.confidences is not None
        return shown.images, shown.labels, shown.answers, shown.confidences

    def _tiles(self) -> list[QRectF]:
        """Square places for the pictures, as large as there is room; a line of text goes under each."""
        count = len(self._filled[0])
        room = self.area.adjusted(SIDE, TOP, -SIDE, -8)
        sides = {
            columns: min(
                (room.width() + GAP) / columns - GAP,
                (room.height() + 4) / math.ceil(count / columns) - TEXT - 4,
            )
            for columns in range(1, count + 1)
        }
        columns = max(sides, key=lambda n: (min(sides[n], LARGEST), -n))
        side = max(8.0, min(sides[columns], LARGEST))
        left = room.left() + (room.width() - columns * side - (columns - 1) * GAP) / 2
        places = [divmod(index, columns) for index in range(count)]
        return [QRectF(left + column * (side + GAP), room.top() + row * (side + TEXT + 4), side, side) for row, column in places]

    def paint(self, painter: QPainter) -> None:
        images = self._filled[0]
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        brightest = float(images.max()) or 1.0
        for index, box in enumerate(self._tiles()):
            pixels = refined(images[index] / brightest)
            painter.drawImage(box, grey_image(pixels[::-1], self.theme, self.theme.ink1))
            self._paint_answer(painter, index, box)

    def _paint_answer(self, painter: QPainter, index: int, box: QRectF) -> None:
        theme, names = self.theme, self.prediction.class_names
        _, labels, answers, confidences = self._filled
        right = answers[index] == labels[index]
        failed = not math.isfinite(float(confidences[index]))
        painter.setPen(QPen(QColor(theme.strong_line if right else theme.ink1), 1 if right else 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        truth = f"is {names[int(labels[index])]}"
        if failed:
            said = Said("NaN", truth, True, True)
        else:
            said = Said(names[int(answers[index])], percent(float(confidences[index])) if right else truth, not right, False)
        self.paint_said(painter, said, box.left(), box.right(), box.bottom() + 12)

    def card_at(self, point: QPointF) -> Card | None:
        _, labels, answers, confidences = self._filled
        names = self.prediction.class_names
        for index, box in enumerate(self._tiles()):
            if box.adjusted(0, 0, 0, TEXT).contains(point):
                confidence = float(confidences[index])
                said = names[int(answers[index])] if math.isfinite(confidence) else "NaN"
                return f"Image {index + 1}", [("is", names[int(labels[index])]), ("answer", said), ("confidence", full(confidence))]
        return None

    def table(self) -> Table:
        names = self.prediction.class_names
        _, labels, answers, confidences = self._filled
        found = zip(labels, answers, confidences, strict=True)
        said = ((names[label], names[answer] if math.isfinite(sure) else "NaN", float(sure)) for label, answer, sure in found)
        return Table(("image", "true", "answered", "confidence"), tuple((n, *row) for n, row in enumerate(said, 1)))
