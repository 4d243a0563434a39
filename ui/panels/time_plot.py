"""The time to a loss against speed, both logarithmic: a straight line for each measured setting, with times in units people use.

Where the loss was not reached, the lines are the steps made so far, with arrowheads: the time is longer than that.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen

from gradviz.lab_reports import HardwareReport

from ..numbers import short
from ..theme import font
from . import marks
from .hardware_words import setting, time_text
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, PointedBlock
from .plots import Plot

HEIGHT, TOP, FOOT = 210.0, 22.0, 26.0
NARROW = 330.0  # below it the settings have short names
TOGETHER = 3.0  # pixels between the lines: nearer, one name serves them all
YEAR = 365.25 * 86400.0
SMALL = tuple((10.0**n, time_text(10.0**n).replace(".0", "")) for n in range(-9, 2))
ROUND = (
    *SMALL,
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (36000.0, "10 h"),
    (86400.0, "1 day"),
    (864000.0, "10 days"),
    (8640000.0, "100 days"),
    *((YEAR * 10.0**n, f"{10**n:,} year{'s' if n else ''}") for n in range(7)),
)  # fmt: skip


class TimePlot(PointedBlock):
    """Draws `HardwareReport.seconds`."""

    def __init__(self) -> None:
        super().__init__()
        self.report: HardwareReport | None = None
        self.setAccessibleName("Time to the loss against speed")

    def show_report(self, report: HardwareReport) -> None:
        """Draw this from now on; the block is not used where there are no times."""
        self.report = report
        self.used = drawable(report)
        if self.used and report.seconds is not None:
            least = "at least " if report.steps_needed is None else ""
            self.setAccessibleDescription(
                "; ".join(
                    f"{setting(speed)}: {least}{time_text(float(times[0]))} here, {time_text(float(times[-1]))} at the right"
                    for speed, times in zip(report.speeds, report.seconds, strict=True)
                )
            )
        self.update()

    def height_at(self, width: float) -> float:
        return HEIGHT

    def _plot(self, area: QRectF) -> Plot:
        report = self.report
        assert report is not None and report.seconds is not None
        low, high = bounds(report)
        gutter = max(marks.text_width(text, font(11)) for seconds, text in ROUND if 10**low <= seconds <= 10**high) + 8
        names = max(marks.text_width(name, font(11)) for name in self._names(area.width())) + 14
        left = area.left() + SIDE + max(gutter, 34.0)
        box = QRectF(left, area.top() + TOP, area.right() - SIDE - names - left, area.height() - TOP - FOOT)
        return Plot(box, (0.0, math.log10(float(report.factors[-1])), low, high))

    def _names(self, width: float) -> list[str]:
        """Of the lines at their right ends; one name where they end together."""
        assert self.report is not None and self.report.seconds is not None
        low, high = bounds(self.report)
        ends = [math.log10(times[-1]) for times in self.report.seconds]
        if len(ends) > 1 and (max(ends) - min(ends)) / (high - low) * (HEIGHT - TOP - FOOT) < TOGETHER:
            return ["all settings"]
        if width < NARROW:
            return [f"{speed.precision}, {speed.threads}" for speed in self.report.speeds]
        return [setting(speed) for speed in self.report.speeds]

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        report = self.report
        if report is None or report.seconds is None or not drawable(report):
            return
        plot, theme = self._plot(area), self.theme
        self._paint_axes(painter, area, plot)
        reached = report.steps_needed is not None
        ends = []
        for speed, times in zip(report.speeds, report.seconds, strict=True):
            bold = speed.threads > 1
            ink = theme.ink3 if not reached else theme.ink1 if bold else theme.ink2
            pen = QPen(QColor(ink), 1.8 if bold else 1.3)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            if speed.precision == "float32":
                pen.setDashPattern([3.5, 2.5])
            painter.setPen(pen)
            first, last = (plot.at(math.log10(report.factors[at]), math.log10(times[at])) for at in (0, -1))
            painter.drawLine(QLineF(first, last))
            ends.append(last.y())
        if not reached:
            top = report.seconds.max(axis=0)
            for exponent in range(int(plot.extent[1]) + 1):
                at = int(np.argmin(np.abs(report.factors - 10.0**exponent)))
                point = plot.at(math.log10(report.factors[at]), math.log10(top[at]))
                painter.setPen(QPen(QColor(theme.ink2), 1))
                painter.drawLine(QLineF(point.x(), point.y() - 3, point.x(), point.y() - 10))
                marks.paint_arrowhead(painter, point.x(), point.y() - 9, 7, 5, QColor(theme.ink2))
        names = self._names(area.width())
        if len(names) < len(ends):
            ends = [sum(ends) / len(ends)]
        heights = marks.spread(ends, 14.0, plot.box.top() + 4, plot.box.bottom() - 4)
        for name, end, y in zip(names, ends, heights, strict=True):
            painter.setPen(QPen(QColor(theme.ink3), 1))
            painter.drawLine(QLineF(plot.box.right() + 1, end, plot.box.right() + 9, y))
            marks.put_text(painter, plot.box.right() + 12, y, name, font(11), theme.ink1 if reached else theme.ink2, LEFT)

    def _paint_axes(self, painter: QPainter, area: QRectF, plot: Plot) -> None:
        theme, box, used = self.theme, plot.box, font(11)
        report = self.report
        assert report is not None
        name = f"time to a loss of {short(report.loss)}" + (", at least" if report.steps_needed is None else "")
        marks.put_text(painter, area.left() + SIDE, area.top() + 8, name, used, theme.ink3, LEFT)
        painter.fillRect(box, QColor(theme.canvas))
        above = math.inf
        for seconds, text in ROUND:
            exponent = math.log10(seconds)
            if not plot.extent[2] - 1e-9 <= exponent <= plot.extent[3] + 1e-9:
                continue
            y = plot.at(0, exponent).y()
            if above - y < 17:
                continue
            above = y
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, text, used, theme.ink3, RIGHT)
        for exponent in range(int(plot.extent[1]) + 1):
            x = plot.at(exponent, plot.extent[2]).x()
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(x, box.top(), x, box.bottom()))
            marks.put_text(painter, x, box.bottom() + 12, f"×{10**exponent:,}", used, theme.ink3)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.bottomLeft(), box.bottomRight()))
        after = box.right() + marks.text_width("×1,000", used) / 2 + 8
        if after + marks.text_width("as fast", used) <= area.right() - SIDE:
            marks.put_text(painter, after, box.bottom() + 12, "as fast", used, theme.ink3, LEFT)

    # ---- what the pointer finds

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        report = self.report
        if self._pointer is None or report is None or report.seconds is None or not drawable(report):
            return
        area = QRectF(self.rect())
        plot = self._plot(area)
        if not plot.box.adjusted(-6, -6, 6, FOOT).contains(self._pointer):
            return
        index = int(np.argmin(np.abs(np.log10(report.factors) - plot.numbers(self._pointer)[0])))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x = plot.at(math.log10(report.factors[index]), plot.extent[2]).x()
        painter.setPen(QPen(QColor(self.theme.ink1), 1))
        painter.drawLine(QLineF(x, plot.box.top(), x, plot.box.bottom()))
        more = "> " if report.steps_needed is None else ""
        rows = [(setting(speed), more + time_text(float(times[index]))) for speed, times in zip(report.speeds, report.seconds, strict=True)]
        title = "This machine" if index == 0 else f"{report.factors[index]:,.0f} × as fast"
        marks.paint_card(painter, self.theme, area, QPointF(x, plot.box.center().y()), title, rows)


def drawable(report: HardwareReport) -> bool:
    """Whether there are times that a logarithmic axis can show."""
    seconds = report.seconds
    return seconds is not None and seconds.size > 0 and bool(np.isfinite(seconds).all()) and bool((seconds > 0).all())


def bounds(report: HardwareReport) -> tuple[float, float]:
    """log10 of the shortest and the longest time on the axis, with some room."""
    assert report.seconds is not None
    low, high = math.log10(float(report.seconds.min())), math.log10(float(report.seconds.max()))
    return low - 0.25, high + (0.6 if report.steps_needed is None else 0.25)
