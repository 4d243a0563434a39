"""Every individual of a population as a dot above its loss: who is best, who passes on unchanged, and who becomes a parent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.arrays import Floats
from gradviz.lab_reports import PopulationReport

from ..numbers import full, power, short
from ..theme import blend, font
from . import marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .loss_plot import FLOOR
from .spots import Spot

HEIGHT, TOP, FOOT = 236.0, 6.0, 52.0
LARGEST, SMALLEST = 4.2, 1.3  # radius of a dot
SEEN = 0.97  # share of the losses that the axis spans; the others stand at its end
TICKS = (1.0, 2.0, 5.0)
TICK_DISTANCE = 42.0


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis of losses between round numbers."""

    low: float  # log10
    high: float

    @classmethod
    def of(cls, losses: Floats, others: tuple[float, ...]) -> Axis:
        """For these losses, and ``others`` that must be on it."""
        known = losses[np.isfinite(losses) & (losses > 0)]
        more = [value for value in others if math.isfinite(value) and value > 0]
        if not len(known) and not more:
            return cls(-1.0, 0.0)
        low = min([*more, *([float(known.min())] if len(known) else [])])
        high = max([*more, *([float(np.quantile(known, SEEN))] if len(known) else [])])
        low = max(low, min(high, FLOOR))
        rounds = [math.log10(factor) + exponent for exponent in range(-320, 309) for factor in TICKS]
        start = max((tick for tick in rounds if tick <= math.log10(low) + 1e-9), default=rounds[0])
        end = min((tick for tick in rounds if tick >= math.log10(high) - 1e-9 and tick > start), default=rounds[-1])
        return cls(start, end)

    def share(self, loss: float) -> float:
        """Where a loss stands, 0 … 1; what lies beyond the ends stands there."""
        if not loss > 0:
            return 0.0
        return min(1.0, max(0.0, (math.log10(loss) - self.low) / (self.high - self.low))) if math.isfinite(loss) else 1.0

    def ticks(self, width: float) -> list[float]:
        """Round losses, as many as ``width`` pixels have room for."""
        for factors in (TICKS, (1.0,)):
            found = [f * 10.0**e for e in range(math.floor(self.low), math.ceil(self.high) + 1) for f in factors]
            found = [loss for loss in found if self.low - 1e-9 <= math.log10(loss) <= self.high + 1e-9]
            if len(found) * TICK_DISTANCE <= width:
                return found
        return found[:: max(1, math.ceil(len(found) * TICK_DISTANCE / width))]


class PopulationPlot(Block):
    """Draws a `PopulationReport`."""

    def __init__(self) -> None:
        super().__init__()
        self.report: PopulationReport | None = None
        self.guessing: float | None = None
        self.setAccessibleName("The losses of the population")

    def show_report(self, report: PopulationReport, guessing: float | None) -> None:
        self.report, self.guessing = report, guessing
        self.update()

    def height_at(self, width: float) -> float:
        return HEIGHT

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        report, theme = self.report, self.theme
        if report is None:
            return
        box = QRectF(area.left() + SIDE, area.top() + TOP, area.width() - 2 * SIDE, area.height() - TOP - FOOT)
        parents = tuple(loss for loss in report.best_parents if math.isfinite(loss))
        guessing = (self.guessing,) if self.guessing is not None and self.guessing > 0 else ()
        axis = Axis.of(report.losses, (*parents, *guessing))
        inner = box.adjusted(LARGEST + 4, 0, -LARGEST - 4, 0)
        painter.fillRect(box, QColor(theme.canvas))
        self._paint_axis(painter, box, inner, axis)
        places = places_of(report.losses, axis, inner)
        self._paint_dots(painter, inner, places)
        self._paint_best(painter, inner, axis, places[report.best], parents)
        beyond = int((report.losses > 10.0**axis.high * (1 + 1e-9)).sum())
        if beyond:
            text = f"{beyond:,} beyond →"
            left = box.right() - 12 - marks.text_width(text, font(11))
            beneath = any(inner.left() + axis.share(loss) * inner.width() > left for loss in guessing)  # its word stands there
            marks.put_text(painter, box.right() - 6, box.top() + (25 if beneath else 10), text, font(11), theme.ink3, RIGHT)

    def _paint_axis(self, painter: QPainter, box: QRectF, inner: QRectF, axis: Axis) -> None:
        theme = self.theme
        for loss in axis.ticks(inner.width()):
            x = inner.left() + axis.share(loss) * inner.width()
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(x, box.top(), x, box.bottom()))
            label = f"{loss:g}" if 1e-3 <= loss < 1e4 else power(round(math.log10(loss)))
            half = marks.text_width(label, font(11)) / 2
            x = min(max(x, box.left() + half), box.right() - half)
            marks.put_text(painter, x, box.bottom() + 12, label, font(11), theme.ink3)
        if self.guessing is not None and self.guessing > 0:
            x = inner.left() + axis.share(self.guessing) * inner.width()
            pen = QPen(QColor(theme.ink3), 1)
            pen.setDashPattern([4, 4])
            painter.setPen(pen)
            painter.drawLine(QLineF(x, box.top(), x, box.bottom()))
            side = RIGHT if x > box.center().x() else LEFT
            marks.put_text(painter, x - 5 if side == RIGHT else x + 5, box.top() + 10, "guessing", font(11), theme.ink3, side)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.bottomLeft(), box.bottomRight()))

    def _paint_dots(self, painter: QPainter, inner: QRectF, places: list[QPointF]) -> None:
        report, theme = self.report, self.theme
        assert report is not None
        radius = radius_of(len(places), inner)
        chosen = np.zeros(len(places)) if report.children is None else report.children
        parent, other = QColor(theme.ink2), blend(theme.ink3, theme.canvas, 0.45)
        for individual in reversed(range(len(places))):  # the elite stands in front
            at, ink = places[individual], parent if chosen[individual] else other
            hollow = individual < report.elite
            painter.setPen(QPen(QColor(theme.ink1), 1.4) if hollow else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.canvas) if hollow else ink)
            painter.drawEllipse(at, radius - 0.4 * hollow, radius - 0.4 * hollow)
            if radius >= 2:
                dot = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
                self.spots.append(Spot(dot, self._words(individual), float(report.losses[individual])))

    def _words(self, individual: int) -> str:
        report = self.report
        assert report is not None
        kind = "of the elite" if individual < report.elite else "a child" if report.elite else "of the first generation"
        passed = "" if report.children is None else f", parent of {int(report.children[individual]):,}"
        return f"individual {individual + 1:,}, {kind}{passed}: loss"

    def _paint_best(self, painter: QPainter, inner: QRectF, axis: Axis, at: QPointF, parents: tuple[float, ...]) -> None:
        """The best with its name, and marks under the axis where its parents stood."""
        report, theme = self.report, self.theme
        assert report is not None
        radius = radius_of(len(report.losses), inner)
        text, used = f"best {short(float(report.losses[report.best]))}", font(12, 600)
        width = marks.text_width(text, used)
        left = min(max(at.x() - width / 2, inner.left()), inner.right() - width)
        top = inner.top() + 27.0
        painter.setPen(QPen(QColor(theme.ink1), 1))
        painter.drawLine(QLineF(at.x(), top + 9, at.x(), at.y() - radius - 3))
        painter.setPen(QPen(QColor(theme.ink1), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, radius + 2.5, radius + 2.5)
        marks.put_text(painter, left, top, text, used, theme.ink1, LEFT)
        y = inner.bottom() + 27
        places = sorted({round(inner.left() + axis.share(loss) * inner.width(), 1) for loss in parents})
        for x in places:
            marks.paint_arrowhead(painter, x, y + 5, 8, 9, QColor(theme.ink2))
        if places:
            text = "its parents" if len(places) > 1 else "its parent" if parents[0] == parents[-1] else "its parents"
            middle = sum(places) / len(places)
            width = marks.text_width(text, font(11))
            middle = min(max(middle, inner.left() + width / 2), inner.right() - width / 2)
            marks.put_text(painter, middle, y + 15, text, font(11), theme.ink2)
            spot = QRectF(min(places) - 6, y - 6, max(places) - min(places) + 12, 14)
            both = " and ".join(full(loss) for loss in parents)
            self.spots.append(Spot(spot, f"parents of the best: {both}; the better one", min(parents)))


def radius_of(count: int, inner: QRectF) -> float:
    """Of a dot: so many of them fill about a quarter of the room at the most."""
    return min(LARGEST, max(SMALLEST, math.sqrt(inner.width() * inner.height() / (16.0 * max(1, count)))))


def places_of(losses: Floats, axis: Axis, inner: QRectF) -> list[QPointF]:
    """Where each individual stands: above its loss, on those that stand there already; a pile that gets too high moves together."""
    radius = radius_of(len(losses), inner)
    cell = 2 * radius + 0.6
    shares = np.array([axis.share(loss) for loss in losses.tolist()])
    columns = np.floor(shares * max(1.0, inner.width() // cell - 1) + 0.5).astype(int)
    heights = np.zeros(len(losses))
    order = np.lexsort((losses, columns))
    starts = np.flatnonzero(np.append(True, np.diff(columns[order]) != 0)) if len(order) else np.zeros(0, int)
    for start, stop in zip(starts, np.append(starts[1:], len(order)), strict=True):
        pitch = min(cell, (inner.height() - 2 * radius - 40.0) / max(1, stop - start))
        heights[order[start:stop]] = radius + 2 + pitch * np.arange(stop - start)
    pitch = inner.width() / max(1.0, inner.width() // cell - 1)
    x, y = inner.left() + columns * pitch, inner.bottom() - heights
    return [QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]
