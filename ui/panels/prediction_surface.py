"""The answers of a classifier over two inputs: a surface in greys, the line between two answers, and the examples."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from gradviz.arrays import Floats
from gradviz.snapshot import Prediction

from .. import colors
from ..numbers import full, short
from .plots import borders, class_share, elided, fine_shares, grey_image, paint_axes, shade
from .prediction_picture import Beside, Card
from .prediction_plane import PlanePicture


class SurfacePicture(PlanePicture):
    """Two inputs, classes."""

    @property
    def _grid(self) -> Floats:
        assert self.prediction.grid is not None
        return self.prediction.grid

    def paint(self, painter: QPainter) -> None:
        box, grid, count = self.plot.box, self._grid, len(self.prediction.class_names)
        known = np.isfinite(grid)
        painter.save()
        painter.setClipRect(box, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shares = fine_shares(grid, count)
        half = box.width() / shares.shape[1] / 2, box.height() / shares.shape[0] / 2  # pixels are drawn around their values
        painter.drawImage(box.adjusted(-half[0], -half[1], half[0], half[1]), grey_image(shares, self.theme, self.theme.ink3))
        self._stroke(painter, self._borders(self.prediction), 1.6 if self.beside is None else 2.4, self.theme.ink1)
        if not known.all():
            rows, columns = grid.shape
            x_step, y_step = box.width() / (columns - 1), box.height() / (rows - 1)
            left, bottom = box.left(), box.bottom()
            unknown = QPainterPath()
            for row, column in zip(*np.nonzero(~known), strict=True):
                unknown.addRect(QRectF(left + (column - 0.5) * x_step, bottom - (row + 0.5) * y_step, x_step, y_step))
            colors.paint_hatch(painter, unknown.simplified(), self.theme)
        self.paint_examples(painter, [self.plot.at(float(x), float(y)) for x, y in self.points])
        if self.beside is not None and self.beside.prediction.grid is not None:
            self._paint_beside(painter, self.beside)
        painter.restore()
        x_name, y_name = self.input_names if len(self.input_names) == 2 else ("x₁", "x₂")
        paint_axes(painter, self.plot, self.theme, x_name, y_name)
        if not known.any():
            self.paint_nan_label(painter, box)
        greys = [shade(class_share(label, count), self.theme) for label in range(count)]
        self.paint_legend(painter, [(label, name, grey) for label, (name, grey) in enumerate(zip(self._names, greys, strict=True))])

    def _borders(self, prediction: Prediction) -> list[QLineF]:
        """Where one answer of a prediction meets another, on the screen."""
        assert prediction.grid is not None
        left, right, bottom, top = prediction.extent
        rows, columns = prediction.grid.shape
        found = borders(prediction.grid, len(prediction.class_names)) * np.tile(
            [(right - left) / (columns - 1), (top - bottom) / (rows - 1)], 2
        )
        return [QLineF(self.plot.at(left + a, bottom + b), self.plot.at(left + c, bottom + d)) for a, b, c, d in found.tolist()]

    def _stroke(self, painter: QPainter, lines: list[QLineF], width: float, ink: str) -> None:
        pen = QPen(QColor(ink), width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLines(lines)

    def _paint_beside(self, painter: QPainter, beside: Beside) -> None:
        """The other side's border: thin, and its letter in the middle of it."""
        lines = self._borders(beside.prediction)
        for width, ink in ((3.6, self.theme.canvas), (1.1, self.theme.ink1)):
            self._stroke(painter, lines, width, ink)
        inside = [line.p1() for line in lines if self.plot.box.adjusted(9, 9, -9, -9).contains(line.p1())]
        if inside:
            self.paint_letter(painter, inside[len(inside) // 2], beside.letter)

    def card(self, point: QPointF, nearest: int | None) -> Card | None:
        x, y = self.plot.numbers(point)
        left, right, bottom, top = self.prediction.extent
        height, width = self._grid.shape
        value = float(self._grid[round((y - bottom) / (top - bottom) * (height - 1)), round((x - left) / (right - left) * (width - 1))])
        names = [elided(name, 120) for name in self._names]
        if len(names) == 2:
            rows = [(f"probability of {names[1]}", full(value))]
        else:
            rows = [("answer", names[int(value)] if math.isfinite(value) else "NaN")]
        if nearest is not None:
            rows.append((self.part(nearest), names[int(self.labels[nearest])]))
        return f"at {short(x)}, {short(y)}", rows

    def answers(self) -> list[tuple[object, ...]]:
        grid = self._grid
        left, right, bottom, top = self.prediction.extent
        ys, xs = np.linspace(bottom, top, grid.shape[0]), np.linspace(left, right, grid.shape[1])
        return [("surface", float(x), float(y), float(grid[i, j])) for i, y in enumerate(ys) for j, x in enumerate(xs)]

    @property
    def _names(self) -> list[str]:
        """Names that can stand alone: a mere number is called a class."""
        return [f"class {name}" if name.isdigit() else name for name in self.prediction.class_names]
