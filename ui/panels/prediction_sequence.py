"""What the pictures of a few sequences have in common: where each of them stands, what is answered to it, and its exact numbers."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from gradviz.arrays import Floats

from ..numbers import MINUS, full
from .panel import Table
from .plots import percent
from .prediction_picture import Card, Picture, Said


class SequencePicture(Picture):
    """A few sequences, each in a place of its own with the answer to it."""

    @property
    def sequences(self) -> Floats:
        """(k, time, features)."""
        assert self.prediction.sequences is not None
        return self.prediction.sequences

    @property
    def lengths(self) -> NDArray[Any]:
        """(k,) real time steps, the last ones."""
        assert self.prediction.lengths is not None
        return self.prediction.lengths

    @property
    def _filled(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What is true and what is answered."""
        assert self.prediction.labels is not None and self.prediction.answers is not None
        return self.prediction.labels, self.prediction.answers

    @staticmethod
    def height_wanted(width: float, count: int, features: int) -> float:
        """How high so many sequences stand well; more room is for what is drawn beneath them."""
        raise NotImplementedError("a picture of sequences says how high it wants to be")

    def boxes(self) -> list[QRectF]:
        """Where each sequence stands, with its answer."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its sequences are")

    def notes(self, index: int) -> list[tuple[str, str]]:
        """What is to be said of the sequence beside the answer."""
        return [("time steps", f"{int(self.lengths[index]):,}")]

    def said(self, index: int) -> Said:
        """The answer to a sequence in words."""
        labels, answers = self._filled
        names, sure = self.prediction.class_names, self.prediction.confidences
        if not names:
            failed = not math.isfinite(float(answers[index]))
            return Said("NaN" if failed else decimal(float(answers[index])), f"is {decimal(float(labels[index]))}", False, failed)
        assert sure is not None
        truth, confidence = f"is {names[int(labels[index])]}", float(sure[index])
        if not math.isfinite(confidence):
            return Said("NaN", truth, True, True)
        right = bool(answers[index] == labels[index])
        return Said(names[int(answers[index])], percent(confidence) if right else truth, not right, False)

    def card_at(self, point: QPointF) -> Card | None:
        for index, box in enumerate(self.boxes()):
            if box.contains(point):
                return f"Sequence {index + 1}", [*self.notes(index), *zip(self._titles(), self._row(index, full), strict=True)]
        return None

    def table(self) -> Table:
        rows = tuple((index + 1, *self._row(index, float)) for index in range(len(self.sequences)))
        return Table(("sequence", *self._titles()), rows)

    def _titles(self) -> tuple[str, ...]:
        return ("true", "answered", "confidence") if self.prediction.class_names else ("true", "answered")

    def _row(self, index: int, number: Any) -> tuple[Any, ...]:
        labels, answers = self._filled
        names, sure = self.prediction.class_names, self.prediction.confidences
        if not names:
            return number(float(labels[index])), number(float(answers[index]))
        assert sure is not None
        confidence = float(sure[index])
        answered = names[int(answers[index])] if math.isfinite(confidence) else "NaN"
        return names[int(labels[index])], answered, number(confidence)


def decimal(value: float) -> str:
    """A number of everyday size with two decimals, others with three digits."""
    return (f"{value:.2f}" if abs(value) < 1000 else f"{value:.3g}").replace("-", MINUS)
