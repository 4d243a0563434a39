"""What the network says about its data: a decision surface, a fitted curve, a few digits, a table or a scatter of answers.

All in greys, because an answer is not a gradient: classes differ in shape and fill, wrong answers have a cross.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Prediction, Snapshot

from .. import colors
from ..numbers import full, short
from ..theme import blend, font
from . import marks
from .panel import Panel, Table
from .plots import (
    Plot,
    borders,
    class_share,
    elided,
    fine_shares,
    finite_runs,
    grey_image,
    paint_axes,
    paint_examples,
    paint_markers,
    paint_rings,
    percent,
    refined,
    shade,
)

TOP, SIDE = 40.0, 16.0  # heading above the plot; margin at the sides
GUTTER, TICKS, LEGEND = 40.0, 20.0, 24.0  # room of the labels left of and below a plot, and of its legend
WIDEST = 1.5  # a plot is at most this times as wide as high
HOVER_REACH = 9.0  # pixels within which a point counts as hovered
Card = tuple[str, list[tuple[str, str]]]


class PredictionPanel(Panel):
    """The latest prediction, drawn by its kind; the exact numbers under the pointer stand on a card."""

    name = "prediction"
    title = "Prediction"

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

    def show_snapshot(self, snapshot: Snapshot) -> None:
        before = self.snapshot
        self.snapshot = snapshot
        # most snapshots bring the prediction of an earlier one: nothing new to draw
        if (
            before is None
            or before.prediction is not snapshot.prediction
            or before.architecture.input_names != snapshot.architecture.input_names
        ):
            self.setAccessibleDescription(self._accuracy() or "")
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
        theme, prediction = self.theme, self._prediction
        painter.save()
        painter.fillRect(area, QColor(theme.dock))
        if prediction is None:
            marks.paint_heading(painter, area, theme, self.title, ())
            marks.put_text(painter, area.center().x(), area.center().y(), marks.NOTHING_YET, font(13), theme.ink2)
        else:
            marks.paint_heading(painter, area, theme, self.title, self._captions(prediction))
            paint: dict[str, Callable[[QPainter, QRectF, Prediction], None]] = {
                "surface": self._paint_surface,
                "curve": self._paint_curve,
                "scatter": self._paint_scatter,
                "images": self._paint_images,
                "confusion": self._paint_confusion,
            }
            paint[prediction.kind](painter, area, prediction)
        painter.restore()

    def _captions(self, prediction: Prediction) -> tuple[str, ...]:
        accuracy = self._accuracy()
        if accuracy is not None:
            return accuracy, accuracy.split(" ", 1)[1], accuracy.split("accuracy ")[1]
        if prediction.accuracy is not None:
            return ("no finite answers", "")
        return ("line: what the network answers", "line: answer") if prediction.kind == "curve" else ("answer against truth",)

    def _accuracy(self) -> str | None:
        prediction, snapshot = self._prediction, self.snapshot
        if prediction is None or snapshot is None or prediction.accuracy is None or snapshot.diverged:
            return None  # a share of right answers, 0 too, would say that there are answers
        tested = snapshot.spec.data.test_fraction > 0
        if prediction.point_in_test is not None:
            tested = bool(prediction.point_in_test.any())
        return f"{'test' if tested else 'training'} accuracy {percent(prediction.accuracy)}"

    def _plot(self, area: QRectF, prediction: Prediction) -> Plot:
        """Where the plot stands: as large as there is room, in the middle, at most `WIDEST` times as wide as high."""
        bottom = TICKS + LEGEND + 8
        room = QRectF(area.left() + GUTTER, area.top() + TOP, area.width() - GUTTER - SIDE, area.height() - TOP - bottom)
        width, height = max(8.0, room.width()), max(8.0, room.height())
        width = min(width, WIDEST * height)
        height = min(height, WIDEST * width)
        left = min(room.left() + (room.width() - width) / 2, area.center().x() - width / 2 + (GUTTER - SIDE) / 2)
        return Plot(QRectF(left, room.top(), width, height), prediction.extent)

    def _paint_examples(self, painter: QPainter, plot: Plot, places: list[QPointF], prediction: Prediction) -> None:
        assert prediction.point_labels is not None and prediction.point_in_test is not None
        ink = self.theme.ink1 if prediction.class_names else self.theme.ink3  # in a regression the line is what counts
        paint_examples(painter, self.theme, ink, places, prediction.point_labels, prediction.point_in_test, plot.box)

    def _paint_legend(
        self, painter: QPainter, plot: Plot, area: QRectF, items: list[tuple[int | None, str, QColor | None]], tested: bool
    ) -> None:
        """One row under the plot: (marker of a class or None for a ring, its name, the grey that answers it)."""
        theme, used = self.theme, font(11)
        ink = theme.ink1 if items[0][2] is not None else theme.ink3
        y = plot.box.bottom() + TICKS + 13
        if tested:
            items = [*items, (None, "test set", None)]
        names = [elided(name, 72) for _, name, _ in items]
        widths = [24 + marks.text_width(name, used) + 12 for name in names]
        while len(widths) > 1 and sum(widths) - 12 > area.width() - 2 * SIDE:
            widths.pop()
        x = max(area.left() + SIDE, min(plot.box.left(), area.right() - SIDE - sum(widths) + 12))
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

    # ---- two inputs, classes

    def _paint_surface(self, painter: QPainter, area: QRectF, prediction: Prediction) -> None:
        grid, points = prediction.grid, prediction.points
        assert grid is not None and points is not None and prediction.point_in_test is not None
        plot = self._plot(area, prediction)
        known = np.isfinite(grid)
        painter.save()
        painter.setClipRect(plot.box, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        count = len(prediction.class_names)
        shares = fine_shares(grid, count)
        half = plot.box.width() / shares.shape[1] / 2, plot.box.height() / shares.shape[0] / 2  # pixels are drawn around their values
        painter.drawImage(plot.box.adjusted(-half[0], -half[1], half[0], half[1]), grey_image(shares, self.theme, self.theme.ink3))
        rows, columns = grid.shape
        x_step, y_step = plot.box.width() / (columns - 1), plot.box.height() / (rows - 1)
        left, bottom = plot.box.left(), plot.box.bottom()
        pen = QPen(QColor(self.theme.ink1), 1.6)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLines(
            [QLineF(left + a * x_step, bottom - b * y_step, left + c * x_step, bottom - d * y_step) for a, b, c, d in borders(grid, count)]
        )
        if not known.all():
            unknown = QPainterPath()
            for row, column in zip(*np.nonzero(~known), strict=True):
                unknown.addRect(QRectF(left + (column - 0.5) * x_step, bottom - (row + 0.5) * y_step, x_step, y_step))
            colors.paint_hatch(painter, unknown.simplified(), self.theme)
        self._paint_examples(painter, plot, [plot.at(float(x), float(y)) for x, y in points], prediction)
        painter.restore()
        names = self.snapshot.architecture.input_names if self.snapshot is not None else ()
        x_name, y_name = names if len(names) == 2 else ("x₁", "x₂")
        paint_axes(painter, plot, self.theme, x_name, y_name)
        if not known.any():
            self._paint_nan_label(painter, plot.box)
        items: list[tuple[int | None, str, QColor | None]] = [
            (label, name, shade(class_share(label, count), self.theme)) for label, name in enumerate(_named(prediction.class_names))
        ]
        self._paint_legend(painter, plot, area, items, bool(prediction.point_in_test.any()))

    # ---- regression

    def _paint_curve(self, painter: QPainter, area: QRectF, prediction: Prediction) -> None:
        xs, ys, points = prediction.curve_x, prediction.curve_y, prediction.points
        assert xs is not None and ys is not None and points is not None and prediction.point_in_test is not None
        plot = self._plot(area, prediction)
        painter.fillRect(plot.box, QColor(self.theme.canvas))
        painter.save()
        painter.setClipRect(plot.box, Qt.ClipOperation.IntersectClip)
        bottom, top = prediction.extent[2:]
        half = (float(xs[-1]) - float(xs[0])) / (len(xs) - 1) / 2
        bad = QPainterPath()
        for x in xs[~np.isfinite(ys)]:
            bad.addRect(QRectF(plot.at(float(x) - half, top), plot.at(float(x) + half, bottom)))
        if not bad.isEmpty():
            colors.paint_hatch(painter, bad.simplified(), self.theme)
        self._paint_examples(painter, plot, [plot.at(float(x), float(y)) for x, y in points], prediction)
        bounded = np.clip(ys, bottom - 9 * (top - bottom), top + 9 * (top - bottom))  # painters choke on huge coordinates
        for width, ink in ((5.0, self.theme.canvas), (2.2, self.theme.ink1)):
            pen = QPen(QColor(ink), width)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            for run in finite_runs(ys):
                painter.drawPolyline(QPolygonF([plot.at(float(xs[i]), float(bounded[i])) for i in run]))
        painter.restore()
        names = self.snapshot.architecture.input_names if self.snapshot is not None else ()
        paint_axes(painter, plot, self.theme, names[0] if names else "x", "y")
        if not np.isfinite(ys).any():
            self._paint_nan_label(painter, plot.box)
        self._paint_legend(painter, plot, area, [(0, "examples", None)], bool(prediction.point_in_test.any()))

    def _paint_scatter(self, painter: QPainter, area: QRectF, prediction: Prediction) -> None:
        theme, points = self.theme, prediction.points
        assert points is not None and prediction.point_in_test is not None
        plot = self._plot(area, prediction)
        painter.fillRect(plot.box, QColor(theme.canvas))
        left, right, bottom, top = prediction.extent
        dashed = QPen(QColor(theme.ink2), 1.2)
        dashed.setDashPattern([5, 4])
        painter.setPen(dashed)
        painter.drawLine(QLineF(plot.at(left, bottom), plot.at(right, top)))
        failed = int((~np.isfinite(points[:, 1])).sum())
        if failed == len(points):
            colors.paint_hatch(painter, plot.box, theme)
            self._paint_nan_label(painter, plot.box)
        else:
            painter.save()
            painter.setClipRect(plot.box.adjusted(0, -1, 0, 1), Qt.ClipOperation.IntersectClip)
            away = QPointF(-1e4, -1e4)  # an answer that is not a number has no place
            places = [plot.at(float(x), min(top, max(bottom, float(y)))) if np.isfinite(y) else away for x, y in points]
            self._paint_examples(painter, plot, places, prediction)
            painter.restore()
            for (_, y), place in zip(points, places, strict=True):
                if y > top or y < bottom:  # off the scale
                    size = 6.0 if y > top else -6.0
                    marks.paint_arrowhead(painter, place.x(), place.y() + size, 7, size, QColor(theme.ink1), QColor(theme.canvas))
        paint_axes(painter, plot, theme, "true", "said")
        exact = font(11)
        if plot.box.width() > 120:
            marks.put_text(painter, plot.box.right() - 34, plot.box.top() + 12, "exact", exact, theme.ink2, Qt.AlignmentFlag.AlignRight)
        if 0 < failed < len(points):
            text = f"{failed} of {len(points)} answers are NaN"
            marks.put_text(painter, plot.box.left() + 8, plot.box.top() + 12, text, font(11, 600), theme.nan, Qt.AlignmentFlag.AlignLeft)
        self._paint_legend(painter, plot, area, [(0, "examples", None)], bool(prediction.point_in_test.any()))

    def _paint_nan_label(self, painter: QPainter, box: QRectF) -> None:
        label = QRectF(box.center().x() - 26, box.center().y() - 11, 52, 22)
        painter.setPen(QPen(QColor(self.theme.nan), 1))
        painter.setBrush(QColor(self.theme.nan_ground))
        painter.drawRoundedRect(label, 4, 4)
        marks.put_text(painter, label.center().x(), label.center().y(), "NaN", font(13, 600), self.theme.nan)

    # ---- digits

    def _tiles(self, area: QRectF, count: int) -> list[QRectF]:
        """Square places for so many pictures, as large as there is room; a line of text goes under each."""
        room = area.adjusted(SIDE, TOP, -SIDE, -8)
        text, gap = 22.0, 10.0
        sides = {
            columns: min(
                (room.width() + gap) / columns - gap,
                (room.height() + 4) / math.ceil(count / columns) - text - 4,
            )
            for columns in range(1, count + 1)
        }
        columns = max(sides, key=lambda n: (min(sides[n], 110.0), -n))
        side = max(8.0, min(sides[columns], 110.0))
        left = room.left() + (room.width() - columns * side - (columns - 1) * gap) / 2
        places = [divmod(index, columns) for index in range(count)]
        return [QRectF(left + column * (side + gap), room.top() + row * (side + text + 4), side, side) for row, column in places]

    def _paint_images(self, painter: QPainter, area: QRectF, prediction: Prediction) -> None:
        theme, images = self.theme, prediction.images
        labels, answers, confidences = prediction.labels, prediction.answers, prediction.confidences
        assert images is not None and labels is not None and answers is not None and confidences is not None
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        brightest = float(images.max()) or 1.0
        for index, box in enumerate(self._tiles(area, len(images))):
            pixels = refined(images[index] / brightest)
            painter.drawImage(box, grey_image(pixels[::-1], theme, theme.ink1))
            right = answers[index] == labels[index]
            failed = not math.isfinite(float(confidences[index]))
            painter.setPen(QPen(QColor(theme.strong_line if right else theme.ink1), 1 if right else 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)
            y = box.bottom() + 12
            truth = prediction.class_names[int(labels[index])]
            if failed:
                swatch = QRectF(box.left(), y - 6, 12, 12)
                marks.paint_swatch(painter, swatch, colors.NONFINITE, theme)
                said, note, left = "NaN", f"is {truth}", swatch.right() + 5
            else:
                said, left = prediction.class_names[int(answers[index])], box.left()
                note = percent(float(confidences[index])) if right else f"is {truth}"
                if not right:
                    self._paint_cross(painter, QPointF(left + 5, y))
                    left += 15
            ink = theme.nan if failed else theme.ink1
            marks.put_text(painter, left, y, said, font(12, 600), ink, Qt.AlignmentFlag.AlignLeft)
            after = left + marks.text_width(said, font(12, 600)) + 6
            if after + marks.text_width(note, font(11)) <= box.right() + 6:
                marks.put_text(painter, box.right(), y, note, font(11), theme.ink3 if right else theme.ink2, Qt.AlignmentFlag.AlignRight)

    def _paint_cross(self, painter: QPainter, at: QPointF) -> None:
        pen = QPen(QColor(self.theme.ink1), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QLineF(at.x() - 4, at.y() - 4, at.x() + 4, at.y() + 4))
        painter.drawLine(QLineF(at.x() - 4, at.y() + 4, at.x() + 4, at.y() - 4))

    # ---- other classes

    def _matrix(self, area: QRectF, prediction: Prediction) -> QRectF:
        """Where the confusion matrix stands; row names to its left, column names above."""
        count = len(prediction.class_names)
        names = max((marks.text_width(name, font(11)) for name in prediction.class_names), default=0.0)
        gutter = min(names, 0.3 * area.width()) + 12 + 16
        room = area.adjusted(SIDE + gutter, TOP + 30, -SIDE, -14)
        cell = max(2.0, min(room.width() / count, 96.0))
        height = max(2.0, min(room.height() / count, cell))
        width = min(cell, 2 * height)
        return QRectF(room.left() + (room.width() - width * count) / 2, room.top(), width * count, height * count)

    def _paint_confusion(self, painter: QPainter, area: QRectF, prediction: Prediction) -> None:
        theme, counts, names = self.theme, prediction.confusion, prediction.class_names
        assert counts is not None
        box = self._matrix(area, prediction)
        count = len(names)
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
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.line), 1))
        if width >= 6 and height >= 6:
            painter.drawLines([QLineF(box.left() + n * width, box.top(), box.left() + n * width, box.bottom()) for n in range(1, count)])
            painter.drawLines([QLineF(box.left(), box.top() + n * height, box.right(), box.top() + n * height) for n in range(1, count)])
        if counts.sum() == 0:
            colors.paint_hatch(painter, box, theme)
            self._paint_nan_label(painter, box)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        self._paint_matrix_names(painter, area, box, names)

    def _paint_matrix_names(self, painter: QPainter, area: QRectF, box: QRectF, names: tuple[str, ...]) -> None:
        theme, used, count = self.theme, font(11), len(names)
        width, height = box.width() / count, box.height() / count
        room = box.left() - area.left() - SIDE - 16 - 8
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

    # ---- numbers

    def card_at(self, point: QPointF) -> Card | None:
        """Title and rows of the exact numbers at a point of the widget, if there are any."""
        prediction, area = self._prediction, QRectF(self.rect())
        if prediction is None:
            return None
        if prediction.kind == "images":
            return self._image_card(prediction, area, point)
        if prediction.kind == "confusion":
            return self._confusion_card(prediction, area, point)
        plot = self._plot(area, prediction)
        return self._plot_card(prediction, plot, point) if plot.box.contains(point) else None

    def _image_card(self, prediction: Prediction, area: QRectF, point: QPointF) -> Card | None:
        labels, answers, confidences = prediction.labels, prediction.answers, prediction.confidences
        assert labels is not None and answers is not None and confidences is not None
        for index, box in enumerate(self._tiles(area, len(labels))):
            if box.adjusted(0, 0, 0, 22).contains(point):
                confidence, names = float(confidences[index]), prediction.class_names
                said = names[int(answers[index])] if math.isfinite(confidence) else "NaN"
                return f"Image {index + 1}", [("is", names[int(labels[index])]), ("answer", said), ("confidence", full(confidence))]
        return None

    def _confusion_card(self, prediction: Prediction, area: QRectF, point: QPointF) -> Card | None:
        counts, names = prediction.confusion, prediction.class_names
        assert counts is not None
        box = self._matrix(area, prediction)
        if not box.contains(point):
            return None
        row = min(len(names) - 1, int((point.y() - box.top()) / box.height() * len(names)))
        column = min(len(names) - 1, int((point.x() - box.left()) / box.width() * len(names)))
        number, total = int(counts[row, column]), int(counts[row].sum())
        rows = [("true", elided(names[row], 160)), ("answered", elided(names[column], 160))]
        return f"{number:,} example{'' if number == 1 else 's'}", [*rows, ("of that class", percent(number / total) if total else "none")]

    def _plot_card(self, prediction: Prediction, plot: Plot, point: QPointF) -> Card | None:
        points, in_test = prediction.points, prediction.point_in_test
        assert points is not None and in_test is not None
        x, y = plot.numbers(point)
        distances = [QLineF(point, plot.at(float(a), float(b))).length() if math.isfinite(b) else math.inf for a, b in points]
        nearest = int(np.argmin(distances)) if distances and min(distances) <= HOVER_REACH else None
        part = "" if nearest is None else "test set" if in_test[nearest] else "training set"
        if prediction.kind == "scatter":
            if nearest is None:
                return None
            return f"Example of the {part}", [("true", full(float(points[nearest, 0]))), ("answer", full(float(points[nearest, 1])))]
        if prediction.kind == "curve":
            assert prediction.curve_x is not None and prediction.curve_y is not None
            said = float(prediction.curve_y[int(np.argmin(np.abs(prediction.curve_x - x)))])
            rows = [("answer", full(said))]
            if nearest is not None:
                rows.append((part, full(float(points[nearest, 1]))))
            return f"at {short(x)}", rows
        assert prediction.grid is not None and prediction.point_labels is not None
        left, right, bottom, top = prediction.extent
        height, width = prediction.grid.shape
        value = float(
            prediction.grid[round((y - bottom) / (top - bottom) * (height - 1)), round((x - left) / (right - left) * (width - 1))]
        )
        names = [elided(name, 120) for name in _named(prediction.class_names)]
        if len(names) == 2:
            rows = [(f"probability of {names[1]}", full(value))]
        else:
            rows = [("answer", names[int(value)] if math.isfinite(value) else "NaN")]
        if nearest is not None:
            rows.append((part, names[int(prediction.point_labels[nearest])]))
        return f"at {short(x)}, {short(y)}", rows

    def table(self) -> Table:
        """The numbers of the picture: the points and the surface or curve, the images' answers, or the matrix."""
        prediction = self._prediction
        if prediction is None:
            return Table(("what", "x", "y", "value"), ())
        names = prediction.class_names
        if prediction.kind == "confusion":
            assert prediction.confusion is not None
            rows = tuple((name, *map(int, row)) for name, row in zip(names, prediction.confusion, strict=True))
            return Table(("true", *(f"answered {name}" for name in names)), rows)
        if prediction.kind == "images":
            labels, answers, confidences = prediction.labels, prediction.answers, prediction.confidences
            assert labels is not None and answers is not None and confidences is not None
            found = zip(labels, answers, confidences, strict=True)
            said = ((names[label], names[answer] if math.isfinite(sure) else "NaN", float(sure)) for label, answer, sure in found)
            return Table(("image", "true", "answered", "confidence"), tuple((n, *row) for n, row in enumerate(said, 1)))
        assert prediction.points is not None and prediction.point_labels is not None and prediction.point_in_test is not None
        parts = ["test point" if tested else "training point" for tested in prediction.point_in_test]
        values = [names[int(label)] if names else "" for label in prediction.point_labels]
        table: list[tuple[object, ...]] = [
            (part, float(x), float(y), value) for part, (x, y), value in zip(parts, prediction.points, values, strict=True)
        ]
        if prediction.curve_x is not None and prediction.curve_y is not None:
            table += [("curve", float(x), float(y), "") for x, y in zip(prediction.curve_x, prediction.curve_y, strict=True)]
        if prediction.grid is not None:
            left, right, bottom, top = prediction.extent
            ys, xs = np.linspace(bottom, top, prediction.grid.shape[0]), np.linspace(left, right, prediction.grid.shape[1])
            table += [("surface", float(x), float(y), float(prediction.grid[i, j])) for i, y in enumerate(ys) for j, x in enumerate(xs)]
        return Table(("what", "x", "y", "value"), tuple(table))

    # ---- mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()


def _named(classes: tuple[str, ...]) -> list[str]:
    """Names that can stand alone: a mere number is called a class."""
    return [f"class {name}" if name.isdigit() else name for name in classes]
