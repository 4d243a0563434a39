"""What a level of pre-training tells again of a few test examples, each beneath its original."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.arrays import Floats
from gradviz.snapshot import PretrainingReport

from .. import colors
from ..numbers import full, short
from ..theme import Theme, font
from . import marks
from .panel import Table
from .plots import Plot, grey_image, paint_axes, paint_markers, refined
from .prediction_picture import SIDE, TOP, Card
from .prediction_plane import HOVER_REACH, plane_box

GAP, BETWEEN, LARGEST, TEXT = 8.0, 5.0, 96.0, 18.0  # between pairs; inside a pair; side of a picture; a line of words
STRIP_HEIGHT = 22.0  # of an example that is no picture
SPREAD = 2.5  # standard deviations from the darkest to the middle grey, of an example that is no picture


class PlaneReconstruction:
    """Examples with two features: a line leads from each point to where the level tells it to be."""

    def __init__(self, report: PretrainingReport, theme: Theme, names: tuple[str, ...], area: QRectF) -> None:
        assert report.originals is not None and report.told is not None
        self.theme, self.names = theme, names if len(names) == 2 else ("x₁", "x₂")
        self.originals, self.told = report.originals[:, 0], report.told[:, 0]
        margin = 0.1 * np.ptp(self.originals, axis=0) + 1e-9
        low, high = self.originals.min(axis=0) - margin, self.originals.max(axis=0) + margin
        self.plot = Plot(plane_box(area), (float(low[0]), float(high[0]), float(low[1]), float(high[1])))

    def paint(self, painter: QPainter) -> None:
        """Draw all but the heading of the panel."""
        theme, plot = self.theme, self.plot
        painter.fillRect(plot.box, QColor(theme.canvas))
        painter.save()
        painter.setClipRect(plot.box, Qt.ClipOperation.IntersectClip)
        known = np.isfinite(self.told).all(axis=1)
        starts = [plot.at(x, y) for x, y in self.originals[known].tolist()]
        ends = [plot.at(x, y) for x, y in self.told[known].tolist()]
        painter.setPen(QPen(QColor(theme.ink3), 1))
        painter.drawLines([QLineF(a, b) for a, b in zip(starts, ends, strict=True)])
        paint_markers(painter, starts, 3.0, 0, theme, theme.ink3)
        paint_markers(painter, ends, 3.0, 1, theme, theme.ink1)
        painter.restore()
        paint_axes(painter, plot, theme, *self.names)
        x, y, used = plot.box.left(), plot.box.bottom() + 33, font(11)
        for label, text in ((0, "input"), (1, "told again")):
            paint_markers(painter, [QPointF(x + 5, y)], 3.0, label, theme, theme.ink3 if label == 0 else theme.ink1)
            marks.put_text(painter, x + 15, y, text, used, theme.ink2, Qt.AlignmentFlag.AlignLeft)
            x += marks.text_width(text, used) + 35

    def card_at(self, point: QPointF) -> Card | None:
        """The example nearest to the pointer."""
        away = [QLineF(point, self.plot.at(x, y)).length() for x, y in self.originals.tolist()]
        nearest = int(np.argmin(away))
        if away[nearest] > HOVER_REACH:
            return None
        rows = [(f"{name}, input", full(float(self.originals[nearest, at]))) for at, name in enumerate(self.names)]
        rows += [(f"{name}, told again", full(float(self.told[nearest, at]))) for at, name in enumerate(self.names)]
        return f"Example {nearest + 1} of the test set", rows

    def table(self) -> Table:
        """One row per number: example, position, original, told again."""
        return table_of(self.originals, self.told)


class ReconstructionPicture:
    """Pairs of an original and what is left of it after the way up to the level in work and down again."""

    def __init__(self, report: PretrainingReport, theme: Theme, area: QRectF) -> None:
        assert report.originals is not None and report.told is not None
        self.report, self.theme, self.area = report, theme, area
        self._pairs = list(zip(report.originals, report.told, strict=True))
        self._pictures = report.originals.shape[1] > 1

    def _boxes(self) -> list[tuple[QRectF, QRectF]]:
        """Where original and reconstruction of each example stand."""
        count, room = len(self._pairs), self.area.adjusted(SIDE, TOP, -SIDE, -8)
        if not self._pictures:
            width = (room.width() - GAP) / 2
            step = min(STRIP_HEIGHT + GAP, (room.height() - TEXT) / count)
            tops = [room.top() + TEXT + number * step for number in range(count)]
            height = max(2.0, step - GAP / 2)
            return [(QRectF(room.left(), y, width, height), QRectF(room.left() + width + GAP, y, width, height)) for y in tops]
        sides = {
            columns: min((room.width() + GAP) / columns - GAP, ((room.height() - TEXT) / math.ceil(count / columns) - BETWEEN - GAP) / 2)
            for columns in range(1, count + 1)
        }
        columns = max(sides, key=lambda n: (min(sides[n], LARGEST), -n))
        side = max(8.0, min(sides[columns], LARGEST))
        left = room.left() + (room.width() - columns * side - (columns - 1) * GAP) / 2
        boxes = []
        for number in range(count):
            row, column = divmod(number, columns)
            x, y = left + column * (side + GAP), room.top() + row * (2 * side + BETWEEN + GAP)
            boxes.append((QRectF(x, y, side, side), QRectF(x, y + side + BETWEEN, side, side)))
        return boxes

    def paint(self, painter: QPainter) -> None:
        """Draw all but the heading of the panel."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        boxes = self._boxes()
        for pair, places in zip(self._pairs, boxes, strict=True):
            for values, box, inner in zip(pair, places, (self.theme.strong_line, self.theme.ink1), strict=True):
                self._paint(painter, values, box)
                painter.setPen(QPen(QColor(inner), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box)
        used, ink = font(11), self.theme.ink2
        if self._pictures:
            y = boxes[-1][1].bottom() + 13
            words = ("above: the input; beneath: what the decoders tell of it", "above: input; beneath: told again")
            fits = [text for text in words if marks.text_width(text, used) <= self.area.width() - 2 * SIDE]
            if fits and y + 6 <= self.area.bottom():
                middle = min(self.area.center().x(), self.area.right() - SIDE - marks.text_width(fits[0], used) / 2)
                marks.put_text(painter, middle, y, fits[0], used, ink)
        else:
            for box, text in zip(boxes[0], ("input", "told again"), strict=True):
                marks.put_text(painter, box.left(), box.top() - 10, text, used, ink, Qt.AlignmentFlag.AlignLeft)

    def _paint(self, painter: QPainter, values: Floats, box: QRectF) -> None:
        if not np.isfinite(values).all():
            marks.paint_swatch(painter, box, colors.NONFINITE, self.theme)
            return
        if self._pictures:
            assert self.report.originals is not None
            brightest = float(self.report.originals.max()) or 1.0
            shares = refined(values / brightest)[::-1]
        else:
            shares = 0.5 + values / (2 * SPREAD)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(box, grey_image(shares, self.theme, self.theme.ink1))

    def card_at(self, point: QPointF) -> Card | None:
        """What is under the pointer, with how far the reconstruction is off."""
        for number, ((original, told), boxes) in enumerate(zip(self._pairs, self._boxes(), strict=True), 1):
            if any(box.contains(point) for box in boxes):
                away = float(np.sqrt(np.mean((told - original) ** 2)))
                largest = float(np.abs(original).max())
                return f"Example {number}", [("typical difference (RMS)", full(away)), ("of values up to", full(largest))]
        return None

    def table(self) -> Table:
        """One row per number: example, position, original, told again."""
        assert self.report.originals is not None and self.report.told is not None
        return table_of(self.report.originals, self.report.told)


def reconstruction_of(
    report: PretrainingReport, theme: Theme, names: tuple[str, ...], area: QRectF
) -> PlaneReconstruction | ReconstructionPicture:
    """The picture that suits the examples."""
    assert report.originals is not None
    if report.originals.shape[1:] == (1, 2):
        return PlaneReconstruction(report, theme, names, area)
    return ReconstructionPicture(report, theme, area)


def table_of(originals: Floats, told: Floats) -> Table:
    """One row per number: example, position, original, told again."""
    rows = []
    for number, (original, again) in enumerate(zip(originals, told, strict=True), 1):
        values = zip(original.ravel().tolist(), again.ravel().tolist(), strict=True)
        rows += [(number, place, *both) for place, both in enumerate(values, 1)]
    return Table(("example", "feature", "input", "told_again"), tuple(rows))


def told_captions(report: PretrainingReport) -> tuple[str, ...]:
    """How well it is told, longest first."""
    if not math.isfinite(report.error):
        return ("not trained yet", "")
    error = f"error {short(report.error)}"
    return (error,) if report.test_error is None else (f"error {short(report.error)}, test {short(report.test_error)}", error)
