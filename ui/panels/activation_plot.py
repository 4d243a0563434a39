"""The picture of the activation lab: f thin, f′ bold, the zone where f′ is not small in green, and over it where a layer's z lie.

The bars follow every frame; the numbers written beside them are those of the last `tell`, which comes at a readable pace.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.activations import LIMIT
from gradviz.lab_reports import Distribution

from .. import colors
from ..numbers import MINUS
from ..theme import blend, font, formula_font
from . import activation_labels as labels
from . import marks
from .activation_curves import Curve, curve, heights, paint_curves, paint_joints, paint_zone, peak
from .activation_words import counted
from .chain_cards import fitting
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .plots import Plot, percent, ticks
from .spots import Spot

TOP, AXIS, KEYS = 30.0, 22.0, 20.0  # the zone's name, the numbers of z, what the bars are
GUTTER, NAMES = 26.0, 20.0  # ticks at the left, f and f′ at the right
LOWEST, HIGHEST = 200.0, 300.0
BARS = 0.5  # share of the height that a bar of the full scale takes
SCALES = (0.05, 0.1, 0.2, 0.5, 1.0)  # shares for which the bars can be full: few, so that they do not dance
SHRINK = 0.3  # the scale gets finer when the highest bar takes less than this of it
BAR = {"dark": 0.8, "light": 0.62}  # strength of the bars


@dataclass(frozen=True)
class Shown:
    """What the curves are of."""

    activation: str
    parameter: float
    limit: float = LIMIT


class ActivationPlot(Block):
    """Curves and histogram of one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown("sigmoid", 0.0)
        self.found: Distribution | None = None
        self._told: Distribution | None = None
        self._bad = ""
        self._scale = SCALES[0]
        self._layer = 0
        self.setAccessibleName("Activation, its derivative, and the layer’s pre-activations")

    # ---- what is shown

    def show_curves(self, activation: str, parameter: float) -> None:
        """Curves without pre-activations: none are measured yet."""
        self.shown = Shown(activation, parameter)
        self.found = self._told = None
        self._bad = ""
        self.update()

    def show_distribution(self, found: Distribution) -> None:
        """Follow the bars; cheap enough for every frame."""
        self.shown = Shown(found.activation, found.parameter, float(found.edges[-1]))
        if self.found is None or found.layer != self._layer:
            self._scale = SCALES[0]
        self.found, self._layer = found, found.layer
        self._scale = fitting_scale(self._scale, highest_share(found))
        self.update()

    def tell(self, bad: str) -> None:
        """Write the numbers that belong to the bars; ``bad`` says what is not finite."""
        self._told, self._bad = self.found, bad
        self.update()

    # ---- where things stand

    def height_at(self, width: float) -> float:
        return TOP + self._box_height(width) + AXIS + KEYS + (18.0 if self._bad else 0.0) + 6.0

    def _box_height(self, width: float) -> float:
        return min(HIGHEST, max(LOWEST, 0.6 * width))

    def _plot(self, area: QRectF) -> tuple[Plot, Curve]:
        drawn = curve(self.shown.activation, self.shown.parameter, self.shown.limit)
        left, right = area.left() + SIDE + GUTTER, area.right() - SIDE - NAMES
        box = QRectF(left, area.top() + TOP, right - left, self._box_height(area.width()))
        limit = self.shown.limit
        return Plot(box, (-limit, limit, *heights(drawn))), drawn

    # ---- drawing

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        plot, drawn = self._plot(area)
        theme = self.theme
        painter.fillRect(plot.box, QColor(theme.canvas))
        zones = paint_zone(painter, plot, drawn, theme)
        self._paint_axes(painter, plot)
        labels.paint_zone_name(painter, plot, zones, theme)
        peak_label = labels.PeakLabel(plot, peak(self.shown.activation, self.shown.parameter))
        peak_label.paint_ground(painter, zones, theme)
        if self.found is not None:
            self._paint_bars(painter, plot, self.found)
        peak_label.paint(painter, theme)
        paint_curves(painter, plot, drawn, theme, 1.3, 2.8)
        paint_joints(painter, plot, drawn, theme, 3.6)
        peak_label.paint_dot(painter, theme)
        labels.paint_names(painter, plot, drawn, theme)
        self._paint_beyond(painter, plot)
        self._paint_keys(painter, area, plot)

    def _paint_axes(self, painter: QPainter, plot: Plot) -> None:
        theme, box = self.theme, plot.box
        left, right, low, high = plot.extent
        for value in ticks(low, high, 5.0):
            y = plot.at(0.0, value).y()
            painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.55 if abs(value) < 1e-9 else 0.2), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, _number(value), font(11), theme.ink3, RIGHT)
        middle = plot.at(0.0, 0.0).x()
        painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.2), 1))
        painter.drawLine(QLineF(middle, box.top(), middle, box.bottom()))
        below = box.bottom() + 12
        for value in ticks(left, right, min(8.0, box.width() / 32)):
            x = plot.at(value, 0.0).x()
            painter.setPen(QPen(QColor(theme.strong_line), 1))
            painter.drawLine(QLineF(x, box.bottom(), x, box.bottom() + 4))
            marks.put_text(painter, x, below, _number(value), font(11), theme.ink3)
        marks.put_text(painter, box.right() + 14, below, "z", formula_font(14), theme.ink2)

    def _paint_bars(self, painter: QPainter, plot: Plot, found: Distribution) -> None:
        """Neutral bars of z; the sums before batch norm as an outline to the same scale."""
        theme, box = self.theme, plot.box
        total = max(1, counted(found))
        full = BARS * box.height() / self._scale
        ends = [plot.at(float(edge), 0.0).x() for edge in found.edges[[0, -1]]]
        width = (ends[1] - ends[0]) / len(found.counts)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme.ink3, theme.canvas, BAR[theme.name]))
        gap = 1.0 if width >= 3.5 else 0.5
        bars = []
        for at in np.flatnonzero(found.counts).tolist():
            height = max(2.0, full * float(found.counts[at]) / total)
            bars.append(QRectF(ends[0] + at * width + gap / 2, box.bottom() - height, width - gap, height))
        painter.drawRects(bars)
        if found.before is not None:
            self._paint_outline(painter, plot, found.before / max(1, int(found.before.sum()), total) * full, ends[0], width)

    def _paint_outline(self, painter: QPainter, plot: Plot, tall: np.ndarray, left: float, width: float) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        bottom = plot.box.bottom()
        known = np.flatnonzero(tall > 0)
        lines = []
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if len(run):
                xs = np.repeat(np.append(run, run[-1] + 1) * width + left, 2)
                ys = np.concatenate(([0.0], np.repeat(np.maximum(2.0, tall[run]), 2), [0.0]))
                lines.append(QPolygonF([QPointF(x, bottom - y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]))
        for ink, thick in ((self.theme.canvas, 3.2), (self.theme.ink2, 1.4)):  # cased, to stand apart on bars of the same grey
            pen = QPen(QColor(ink), thick)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            for line in lines:
                painter.drawPolyline(line)

    def _paint_beyond(self, painter: QPainter, plot: Plot) -> None:
        """How many lie beyond the ends of the axis."""
        if self._told is None:
            return
        theme, box = self.theme, plot.box
        for beyond, side in zip(self._told.outside, (-1, 1), strict=True):
            if beyond:
                x, y = (box.left() + 6, box.bottom() - 22) if side < 0 else (box.right() - 6, box.bottom() - 22)
                text, align = f"{beyond:,}", LEFT if side < 0 else RIGHT
                wide = marks.text_width(text, font(11, 500)) + 16
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.canvas))
                painter.drawRoundedRect(QRectF(x - 4 if side < 0 else x - wide + 1, y - 8, wide + 3, 16), 4, 4)
                painter.setBrush(QColor(theme.ink1))
                painter.drawPolygon(QPolygonF([QPointF(x + 4 * side, y), QPointF(x - 3 * side, y - 4), QPointF(x - 3 * side, y + 4)]))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                marks.put_text(painter, x - 8 * side, y, text, font(11, 500), theme.ink1, align)

    def _paint_keys(self, painter: QPainter, area: QRectF, plot: Plot) -> None:
        """What the bars are, and how high the highest is; what is not finite on a line of its own."""
        theme, told = self.theme, self._told
        x, y, room = area.left() + SIDE, plot.box.bottom() + AXIS + KEYS / 2, area.width() - 2 * SIDE
        if told is None:
            marks.put_text(painter, x, y, "no pre-activations measured yet", font(11), theme.ink3, LEFT)
            return
        total = max(1, counted(told))
        high = percent(int(told.counts.max()) / total)
        if told.before is None:
            choices: tuple[tuple[str, ...], ...] = ((f"z over the mini-batch; highest bar {high}", f"z; highest bar {high}"),)
        else:
            top = percent(int(told.before.max()) / total)
            choices = ((f"z, after batch norm: up to {high}", f"after batch norm: {high}", "after BN"),
                       (f"sums before it: up to {top}", f"before: {top}", "before BN"))  # fmt: skip
        for number, texts in enumerate(choices):
            box = QRectF(x + 0.5, y - 4.5, 10, 9)
            outline = number == 1
            painter.setPen(QPen(QColor(theme.ink2), 1.4) if outline else QPen(Qt.PenStyle.NoPen))
            painter.setBrush(Qt.BrushStyle.NoBrush if outline else QColor(blend(theme.ink3, theme.canvas, BAR[theme.name])))
            painter.drawRect(box)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            text = fitting(texts, 11, room / len(choices) - 20)
            marks.put_text(painter, x + 17, y, text, font(11), theme.ink2, LEFT)
            x += room / len(choices) + 4 * (number == 0)
        if self._bad:
            x = area.left() + SIDE
            marks.paint_swatch(painter, QRectF(x, y + 12, 11, 11), colors.NONFINITE, theme)
            marks.put_text(painter, x + 17, y + 18, self._bad, font(11, 500), theme.nan, LEFT)

    # ---- numbers

    def spot_at(self, at: QPointF) -> Spot | None:
        """The bar under the pointer, whole columns of the plot."""
        plot, _ = self._plot(QRectF(self.rect()))
        found = self.found
        if found is None or not plot.box.contains(at):
            return None
        bins = len(found.counts)
        width = plot.box.width() / bins
        bar = min(bins - 1, int((at.x() - plot.box.left()) / width))
        count, total = int(found.counts[bar]), max(1, counted(found))
        text = f"{count:,} of {total:,} z from {_number(float(found.edges[bar]))} to {_number(float(found.edges[bar + 1]))}"
        if found.before is not None:
            text += f"; before batch norm {int(found.before[bar]):,}"
        area = QRectF(plot.box.left() + bar * width, plot.box.top(), width, plot.box.height())
        return BarSpot(area, text, float(count))


class BarSpot(Spot):
    """A bar says its count within the words."""

    @property
    def words(self) -> str:
        return self.label


def highest_share(found: Distribution) -> float:
    """The highest bar or step of the outline as a share of all."""
    total = max(1, counted(found))
    before = 0 if found.before is None else int(found.before.max())
    return max(int(found.counts.max()), before) / total


def fitting_scale(present: float, share: float) -> float:
    """The scale of the bars: a coarser one as soon as it is needed, a finer one only when the bars have become low."""
    needed = next((scale for scale in SCALES if share <= scale), SCALES[-1])
    return needed if needed > present or share < SHRINK * present else present


@functools.lru_cache(maxsize=256)
def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", MINUS)
