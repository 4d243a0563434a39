"""Where the inputs of one unit fall on its activation: f thin, f′ bold, the mini-batch as bars on the axis.

Bars under the flat part of f are examples whose gradient does not get through.
"""

from __future__ import annotations

import functools

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats

from .. import colors
from ..numbers import MINUS, short
from ..theme import THEMES, Theme, blend, font, formula_font
from . import marks
from .plots import Plot, finite_runs
from .polyline import points_of

LEAST_HEIGHT, GREATEST_HEIGHT = 190, 280
HEADING, FOOT, SIDE, LEFT, RIGHT = 28.0, 20.0, 8.0, 22.0, 24.0  # LEFT: tick labels; RIGHT: names of the curves
REACHES = (4.0, 8.0, 16.0, 32.0, 64.0)  # the axis of z ends at one of them on both sides
HIGHEST = 1.2  # slopes seldom pass 1; f may leave the plot
BINS = 48
TALLEST = 0.3  # share of the plot that the highest bar takes
POINTS = 321


class UnitPlot(QWidget):
    """The activation of one unit and what it is fed."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self._activation = "identity"
        self._parameter: float | None = None
        self._inputs: Floats = np.zeros(0)
        self._chosen: float | None = None
        self._letter = "z"
        self._reach = REACHES[0]
        self.setMinimumHeight(LEAST_HEIGHT)
        self.setMaximumHeight(GREATEST_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("The activation and where this unit's inputs fall")

    def show_unit(self, activation: str, parameter: float | None, inputs: Floats, chosen: float | None, letter: str = "z") -> None:
        """Draw an activation, the unit's z (batch,), and z of the chosen example.

        ``parameter`` is the activation's, None for the one it comes with. ``letter`` stands for its input.
        """
        self._activation, self._parameter, self._letter = activation, parameter, letter
        self._inputs, self._chosen = inputs, chosen
        known = np.abs(inputs[np.isfinite(inputs)])
        largest = float(known.max()) if len(known) else 0.0
        needed = next((reach for reach in REACHES if largest <= reach), REACHES[-1])
        self._reach = max(self._reach, needed)  # grows and never shrinks while one unit is watched: the axis must not dance
        self.setAccessibleDescription(self._caption()[0])
        self.update()

    def forget(self) -> None:
        """Another unit is shown from now on."""
        self._reach = REACHES[0]

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_to(painter, QRectF(self.rect()))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw heading, axes, curves and inputs into ``area`` with true lines."""
        z, values, slopes = curves(self._activation, self._parameter, self._reach)
        lowest = float(values.min())
        low = -1.1 if lowest < -0.5 else -0.45 if lowest < -0.1 else -0.05
        box = QRectF(
            area.left() + SIDE + LEFT,
            area.top() + HEADING,
            max(20.0, area.width() - 2 * SIDE - LEFT - RIGHT),
            max(20.0, area.height() - HEADING - FOOT),
        )
        plot = Plot(box, (-self._reach, self._reach, low, HIGHEST))
        self._paint_heading(painter, area)
        self._paint_axes(painter, plot)
        self._paint_inputs(painter, plot)
        self._paint_curves(painter, plot, z, values, slopes)
        if self._chosen is not None:
            self._paint_chosen(painter, plot, self._chosen)

    def _caption(self) -> tuple[str, ...]:
        bad = int((~np.isfinite(self._inputs)).sum())
        total = len(self._inputs)
        if bad == total:
            return ("no inputs yet",) if np.isnan(self._inputs).all() else ("no finite inputs",)
        if bad:
            return (f"{bad} of {total} inputs are not finite", f"{bad} of {total} not finite")
        if self._chosen is not None:
            return (f"dot: this example, bars: all {total}", f"bars: all {total}")
        plural = "" if total == 1 else "s"
        return (f"bars: {total} example{plural}", "")

    def _paint_heading(self, painter: QPainter, area: QRectF) -> None:
        title, used, y = "Where its inputs fall" if self._letter == "z" else "Where its memory lies", font(13, 600), area.top() + 10
        marks.put_text(painter, area.left() + SIDE, y, title, used, self.theme.ink1, Qt.AlignmentFlag.AlignLeft)
        room = area.width() - 2 * SIDE - 12 - marks.text_width(title, used)
        bad = not np.isfinite(self._inputs).all() and len(self._inputs) > 0 and "finite" in self._caption()[0]
        for caption in self._caption():
            width = marks.text_width(caption, font(12))
            if width + (20 if bad else 0) <= room:
                ink = self.theme.nan if bad else self.theme.ink3
                marks.put_text(painter, area.right() - SIDE, y, caption, font(12), ink, Qt.AlignmentFlag.AlignRight)
                if bad:
                    swatch = QRectF(area.right() - SIDE - width - 18, y - 6, 12, 12)
                    marks.paint_swatch(painter, swatch, colors.NONFINITE, self.theme)
                return

    def _paint_axes(self, painter: QPainter, plot: Plot) -> None:
        theme, box, used = self.theme, plot.box, font(11)
        painter.fillRect(box, QColor(theme.canvas))
        for value in (-1.0, 0.0, 1.0):
            if plot.extent[2] < value < plot.extent[3]:
                y = plot.at(0.0, value).y()
                painter.setPen(QPen(QColor(theme.strong_line if value == 0 else theme.line), 1))
                painter.drawLine(QLineF(box.left(), y, box.right(), y))
                marks.put_text(painter, box.left() - 8, y, short(value).removesuffix(".0"), used, theme.ink3, Qt.AlignmentFlag.AlignRight)
        painter.setPen(QPen(QColor(theme.line), 1))
        middle = plot.at(0.0, 0.0).x()
        painter.drawLine(QLineF(middle, box.top(), middle, box.bottom()))
        below = box.bottom() + 11
        for value in np.linspace(-self._reach, self._reach, 5).tolist():
            marks.put_text(painter, plot.at(value, 0.0).x(), below, f"{value:.0f}".replace("-", MINUS), used, theme.ink3)
        marks.put_text(painter, box.right() + 14, below, self._letter, formula_font(14), theme.ink2)

    def _paint_inputs(self, painter: QPainter, plot: Plot) -> None:
        """Bars of the mini-batch on the lower edge; what lies beyond the ends is counted there."""
        box, theme = plot.box, self.theme
        known = self._inputs[np.isfinite(self._inputs)]
        counts, edges = np.histogram(known, BINS, (-self._reach, self._reach))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme.ink3, theme.canvas, 0.55))
        tallest = TALLEST * box.height() / max(1, int(counts.max(initial=0)))
        width = box.width() / BINS
        for count, edge in zip(counts.tolist(), edges.tolist(), strict=False):
            if count:
                height = max(3.0, count * tallest)
                painter.drawRect(QRectF(plot.at(edge, 0.0).x() + 0.5, box.bottom() - height, width - 1, height))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for beyond, side in ((int((known < -self._reach).sum()), -1), (int((known > self._reach).sum()), 1)):
            if beyond:
                x, y = (box.left() + 5, box.bottom() - 9) if side < 0 else (box.right() - 5, box.bottom() - 9)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.ink1))
                painter.drawPolygon(QPolygonF([QPointF(x + 5 * side, y), QPointF(x - 3 * side, y - 4), QPointF(x - 3 * side, y + 4)]))
                align = Qt.AlignmentFlag.AlignLeft if side < 0 else Qt.AlignmentFlag.AlignRight
                marks.put_text(painter, x - 8 * side, y, f"{beyond:,}", font(11), theme.ink1, align)

    def _paint_curves(self, painter: QPainter, plot: Plot, z: Floats, values: Floats, slopes: Floats) -> None:
        theme = self.theme
        low, high = plot.extent[2:]
        names = []
        for y, width, ink, name in ((values, 1.2, theme.ink2, "f"), (slopes, 2.6, theme.ink1, "f′")):
            shown = np.where((y >= low) & (y <= high), y, np.nan)  # cut here: vector formats ignore clipping
            pen = QPen(QColor(ink), width)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            for run in _unbroken(shown, slopes if name == "f′" else None):
                painter.drawPolyline(QPolygonF(points_of(plot, z[run], shown[run])))
            end = shown[np.isfinite(shown)]
            names.append((name, plot.at(0.0, float(y[-1]) if len(end) and low <= y[-1] <= high else high).y(), ink))
        heights = marks.spread([y for _, y, _ in names], 15.0, plot.box.top() + 4, plot.box.bottom() - 4)
        for (name, _, ink), height in zip(names, heights, strict=True):
            marks.put_text(painter, plot.box.right() + 14, height, name, formula_font(14), ink)

    def _paint_chosen(self, painter: QPainter, plot: Plot, z: float) -> None:
        """The chosen example: a line with a dot on the slope it has."""
        if not np.isfinite(z) or abs(z) > self._reach:
            return
        activation = ACTIVATIONS[self._activation]
        slope = float(activation.derivative(np.array([z]), self._parameter)[0])
        x = plot.at(z, 0.0).x()
        painter.setPen(QPen(QColor(self.theme.ink1), 1.2))
        painter.drawLine(QLineF(x, plot.box.top(), x, plot.box.bottom()))
        painter.setPen(QPen(QColor(self.theme.canvas), 1.5))
        painter.setBrush(QColor(self.theme.ink1))
        painter.drawEllipse(QPointF(x, plot.at(z, min(slope, HIGHEST)).y()), 4.5, 4.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)


@functools.lru_cache(maxsize=32)
def curves(name: str, parameter: float | None, reach: float) -> tuple[Floats, Floats, Floats]:
    """(points,) z, f(z) and f′(z) from −reach to reach."""
    z = np.linspace(-reach, reach, POINTS)
    activation = ACTIVATIONS[name]
    with np.errstate(all="ignore"):
        return z, activation.function(z, parameter), activation.derivative(z, parameter)


def _unbroken(shown: Floats, jumps: Floats | None) -> list[np.ndarray]:
    """Runs of points that belong to one line: a jump of the slope, as ReLU's at 0, is not drawn as a steep line."""
    runs = finite_runs(shown)
    if jumps is None:
        return runs
    parts = []
    for run in runs:
        breaks = np.flatnonzero(np.abs(np.diff(jumps[run])) > 0.3) + 1
        parts += [part for part in np.split(run, breaks) if len(part) > 1]
    return parts
