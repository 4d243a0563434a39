"""The length of the gradient over the run on a logarithmic axis: before clipping, after it, and the threshold.

The axis spans whole decades of what was measured, because here lengths are compared with a threshold; they keep no colour.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen

from gradviz.arrays import Floats
from gradviz.lab_reports import ClippingReport

from .. import colors
from ..numbers import full, power
from ..theme import font
from . import marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, PointedBlock
from .plots import Plot, finite_runs, ticks
from .polyline import points_of

HEIGHT, TOP, FOOT = 132.0, 6.0, 22.0
NAMES = 62.0  # room for the names of the curves at their right ends
MOST_DECADES, NEAR = 14, 3.0  # a threshold at most so many decades from what was measured is kept in the picture
PIXELS_PER_POINT = 1.5


class NormPlot(PointedBlock):
    """Draws `ClippingReport.norms`."""

    def __init__(self) -> None:
        super().__init__()
        self.report: ClippingReport | None = None
        self.setAccessibleName("‖g‖ over the run")

    def show_report(self, report: ClippingReport) -> None:
        self.report = report
        if len(report.norm_steps):
            self.setAccessibleDescription(
                f"{len(report.norm_steps):,} steps, the last one {full(float(report.norms[-1, 0]))} before clipping"
            )
        self.update()

    def height_at(self, width: float) -> float:
        return HEIGHT

    @property
    def _limit(self) -> float | None:
        """The threshold where it is compared with ‖g‖."""
        report = self.report
        return report.threshold if report is not None and report.rule in ("none", "norm") and report.threshold > 0 else None

    @property
    def _clips(self) -> bool:
        report = self.report
        return report is not None and len(report.norms) > 0 and not np.array_equal(report.norms[:, 0], report.norms[:, 1], equal_nan=True)

    def _plot(self, area: QRectF) -> Plot:
        report = self.report
        assert report is not None
        low, high = decades(report.norms, self._limit)
        gutter = max(marks.text_width(power(n), font(11)) for n in (low, high)) + 8
        box = QRectF(
            area.left() + SIDE + max(gutter, 30.0),
            area.top() + TOP,
            area.width() - 2 * SIDE - max(gutter, 30.0) - (NAMES if self._clips or self._limit is not None else 0.0),
            area.height() - TOP - FOOT,
        )
        last = float(report.norm_steps[-1]) if len(report.norm_steps) else 1.0
        return Plot(box, (0.0, max(1.0, last), float(low), float(high)))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        report = self.report
        if report is None:
            return
        plot, theme = self._plot(area), self.theme
        self._paint_axes(painter, plot)
        steps, before, after = report.norm_steps, report.norms[:, 0], report.norms[:, 1]
        bad = ~np.isfinite(before)
        if bad.any():
            first, end = np.flatnonzero(bad)[[0, -1]]
            left = plot.at(float(steps[first]), 0).x()
            right = max(left + 6, plot.at(float(steps[end]), 0).x())
            box = QRectF(
                min(left, plot.box.right() - 6),
                plot.box.top(),
                min(right, plot.box.right()) - min(left, plot.box.right() - 6),
                plot.box.height(),
            )
            colors.paint_hatch(painter, box, theme)
        ends = []
        if self._limit is not None:
            ends.append(("threshold", self._paint_limit(painter, plot, self._limit), theme.ink2))
        shown = [("before", before, theme.ink3, 1.2)] if self._clips else []
        shown.append(("after", after, theme.ink1, 1.4))
        for name, values, ink, width in shown:
            last = self._paint_curve(painter, plot, values, ink, width)
            ends.append((name, last, ink))
        if not self._clips:
            ends = ends[:1] if self._limit is not None else []  # a single curve needs no name
        if ends:
            heights = marks.spread([y for _, y, _ in ends], 14.0, plot.box.top() + 4, plot.box.bottom() - 4)
            for (name, _, ink), y in zip(ends, heights, strict=True):
                marks.put_text(painter, plot.box.right() + 6, y, name, font(11), theme.ink2 if name == "before" else ink, LEFT)

    def _paint_axes(self, painter: QPainter, plot: Plot) -> None:
        theme, box, used = self.theme, plot.box, font(11)
        _, last, low, high = plot.extent
        painter.fillRect(box, QColor(theme.canvas))
        stride = max(1, math.ceil((high - low) * 20 / box.height()))
        for exponent in range(int(low), int(high) + 1, stride):
            y = plot.at(0, exponent).y()
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, power(exponent), used, theme.ink3, RIGHT)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.bottomLeft(), box.bottomRight()))
        below = box.bottom() + 12
        marks.put_text(painter, box.left() - 6, below, "step", used, theme.ink3, RIGHT)
        widest = marks.text_width(f"{int(last):,}", used)
        for value in ticks(0.0, last, box.width() / (widest + 28)):
            if value == round(value):
                x, text = plot.at(value, 0).x(), f"{round(value):,}"
                marks.put_text(painter, min(x, box.right() - marks.text_width(text, used) / 2 + 4), below, text, used, theme.ink3)

    def _paint_limit(self, painter: QPainter, plot: Plot, limit: float) -> float:
        """A dashed line, or at the edge beyond which it lies an arrowhead. Answers its height."""
        exponent = math.log10(limit)
        _, _, low, high = plot.extent
        if not low <= exponent <= high:
            above = exponent > high
            y = plot.box.top() + 8 if above else plot.box.bottom() - 8
            marks.paint_arrowhead(painter, plot.box.right() - 7, y, 8, 7 if above else -7, QColor(self.theme.ink2))
            return y
        y = plot.at(0, exponent).y()
        pen = QPen(QColor(self.theme.ink2), 1.2)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(QLineF(plot.box.left(), y, plot.box.right(), y))
        return y

    def _paint_curve(self, painter: QPainter, plot: Plot, values: Floats, ink: str, width: float) -> float:
        """One polyline per finite stretch; exact zeros stand as rings on the foot. Answers the height of its right end."""
        report = self.report
        assert report is not None
        steps = report.norm_steps.astype(float)
        logs = np.full(len(values), np.nan)
        positive = np.isfinite(values) & (values > 0)
        logs[positive] = np.clip(np.log10(values[positive]), plot.extent[2], plot.extent[3])
        painter.setPen(QPen(QColor(ink), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        end = plot.box.center().y()
        for run in finite_runs(logs):
            xs, ys = thinned(steps[run], logs[run], plot.box.width() / max(1.0, plot.extent[1]))
            points = points_of(plot, xs, ys)
            painter.drawLines([QLineF(a, b) for a, b in itertools.pairwise(points)])
            if len(points) == 1:
                painter.drawEllipse(points[0], 1.5, 1.5)
            end = points[-1].y()
        zeros = np.flatnonzero(values == 0)
        previous = -math.inf
        for index in zeros:
            x = plot.at(float(steps[index]), 0).x()
            if x - previous >= 12:
                marks.paint_swatch(painter, QRectF(x - 4, plot.box.bottom() - 9, 8, 8), colors.ZERO, self.theme)
                previous = x
        return end

    # ---- what the pointer finds

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        report = self.report
        if self._pointer is None or report is None or not len(report.norm_steps):
            return
        area = QRectF(self.rect())
        plot = self._plot(area)
        if not plot.box.adjusted(-6, -6, 6, FOOT).contains(self._pointer):
            return
        index = int(np.argmin(np.abs(report.norm_steps - plot.numbers(self._pointer)[0])))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x = plot.at(float(report.norm_steps[index]), 0).x()
        painter.setPen(QPen(QColor(self.theme.ink1), 1))
        painter.drawLine(QLineF(x, plot.box.top(), x, plot.box.bottom()))
        rows = [("before", full(float(report.norms[index, 0])))]
        if self._clips:
            rows.append(("after", full(float(report.norms[index, 1]))))
        marks.paint_card(
            painter, self.theme, area, QPointF(x, plot.box.center().y()), f"‖g‖ in step {int(report.norm_steps[index]):,}", rows
        )


def decades(norms: Floats, limit: float | None) -> tuple[int, int]:
    """The whole decades that an axis for these lengths spans."""
    found = norms[np.isfinite(norms) & (norms > 0)] if len(norms) else np.zeros(0)
    if len(found) == 0:
        middle = math.floor(math.log10(limit)) if limit is not None else 0
        return middle - 1, middle + 1
    low, high = math.log10(float(found.min())), math.log10(float(found.max()))
    if limit is not None and low - NEAR <= math.log10(limit) <= high + NEAR:
        low, high = min(low, math.log10(limit)), max(high, math.log10(limit))
    bottom, top = math.floor(low), math.ceil(high)
    if top - bottom < 2:
        bottom, top = (bottom - 1, top) if low - bottom < top - high else (bottom, max(top, bottom + 1) + 1)
    return max(bottom, top - MOST_DECADES), max(top, bottom + 1)


def thinned(steps: Floats, values: Floats, pixels_per_step: float) -> tuple[Floats, Floats]:
    """Where points are denser than pixels, the lowest, highest and last of each pixel."""
    if len(steps) * PIXELS_PER_POINT <= max(2.0, (steps[-1] - steps[0]) * pixels_per_step):
        return steps, values
    cells = np.floor((steps - steps[0]) * pixels_per_step / PIXELS_PER_POINT)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(cells)) + 1))
    lasts = values[np.append(starts[1:], len(values)) - 1]
    extremes = np.stack((np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts), lasts), axis=1)
    return np.repeat(steps[starts], 3), extremes.ravel()
