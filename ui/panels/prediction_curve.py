"""What a network fits to one input: its answers as a curve among the examples."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from gradviz.arrays import Floats

from .. import colors
from ..numbers import full, short
from .plots import finite_runs, paint_axes
from .prediction_picture import Card
from .prediction_plane import PlanePicture


class CurvePicture(PlanePicture):
    """One input, regression."""

    @property
    def _curve(self) -> tuple[Floats, Floats]:
        assert self.prediction.curve_x is not None and self.prediction.curve_y is not None
        return self.prediction.curve_x, self.prediction.curve_y

    def paint(self, painter: QPainter) -> None:
        plot, (xs, ys) = self.plot, self._curve
        painter.fillRect(plot.box, QColor(self.theme.canvas))
        painter.save()
        painter.setClipRect(plot.box, Qt.ClipOperation.IntersectClip)
        bottom, top = self.prediction.extent[2:]
        half = (float(xs[-1]) - float(xs[0])) / (len(xs) - 1) / 2
        bad = QPainterPath()
        for x in xs[~np.isfinite(ys)]:
            bad.addRect(QRectF(plot.at(float(x) - half, top), plot.at(float(x) + half, bottom)))
        if not bad.isEmpty():
            colors.paint_hatch(painter, bad.simplified(), self.theme)
        self.paint_examples(painter, [plot.at(float(x), float(y)) for x, y in self.points])
        self._paint_curve(painter, xs, ys, 2.2)
        if self.beside is not None and self.beside.prediction.curve_x is not None and self.beside.prediction.curve_y is not None:
            other = self.beside.prediction.curve_x, self.beside.prediction.curve_y
            self._paint_curve(painter, *other, 1.1)
            inside = [at for x, y in zip(*other, strict=True) if math.isfinite(y) and plot.box.contains(at := plot.at(float(x), float(y)))]
            if inside:
                self.paint_letter(painter, inside[len(inside) * 4 // 5], self.beside.letter)
        painter.restore()
        paint_axes(painter, plot, self.theme, self.input_names[0] if self.input_names else "x", "y")
        if not np.isfinite(ys).any():
            self.paint_nan_label(painter, plot.box)
        self.paint_legend(painter, [(0, "examples", None)])

    def _paint_curve(self, painter: QPainter, xs: Floats, ys: Floats, line: float) -> None:
        bottom, top = self.prediction.extent[2:]
        bounded = np.clip(ys, bottom - 9 * (top - bottom), top + 9 * (top - bottom))  # painters choke on huge coordinates
        for width, ink in ((line + 2.8, self.theme.canvas), (line, self.theme.ink1)):
            pen = QPen(QColor(ink), width)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            for run in finite_runs(ys):
                painter.drawPolyline(QPolygonF([self.plot.at(float(xs[i]), float(bounded[i])) for i in run]))

    def card(self, point: QPointF, nearest: int | None) -> Card | None:
        xs, ys = self._curve
        x, _ = self.plot.numbers(point)
        rows = [("answer", full(float(ys[int(np.argmin(np.abs(xs - x)))])))]
        if nearest is not None:
            rows.append((self.part(nearest), full(float(self.points[nearest, 1]))))
        return f"at {short(x)}", rows

    def answers(self) -> list[tuple[object, ...]]:
        return [("curve", float(x), float(y), "") for x, y in zip(*self._curve, strict=True)]
