"""The training loss of two nets over the same steps: with skips and without; one line is bold, the other dashed, never another hue.

Where steps are denser than pixels a line is the mean of neighbouring steps, and the caption says of how many.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import msgspec
import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.arrays import Floats
from gradviz.history_table import HistoryTable

from .. import colors
from ..numbers import full
from ..theme import font
from . import marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .loss_plot import LossAxis, loss_axis
from .plots import ticks
from .spots import Spot

HEIGHT, TOP, FOOT, NAMES = 196.0, 42.0, 28.0, 80.0
CELL = 4.0  # pixels over which losses are averaged


@dataclass(frozen=True)
class Run:
    """The record of one net, with its name."""

    name: str
    history: HistoryTable | None
    own: bool  # whether it is the net that the window shows


class RivalPlot(Block):
    """Draws the losses of one net or two."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[Run, ...] = ()
        self._axis: LossAxis | None = None
        self.setAccessibleName("Training loss of both nets")

    def show_runs(self, *runs: Run) -> None:
        """Draw these from now on, the net of the window first."""
        self.runs = tuple(run for run in runs if run.history is not None and len(run.history.steps))
        known = [run.history for run in self.runs if run.history is not None]
        self._axis = None
        if known:
            losses = np.concatenate([history.loss for history in known])
            together = msgspec.structs.replace(known[0], loss=losses, test_loss=np.zeros(0))
            self._axis = loss_axis(together, None, (HEIGHT - TOP - FOOT) / 2)
        self.setAccessibleDescription(
            "; ".join(f"{run.name}: {full(float(run.history.loss[-1]))}" for run in self.runs if run.history is not None)
        )
        self.update()

    def height_at(self, width: float) -> float:
        return HEIGHT

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        axis, theme = self._axis, self.theme
        if axis is None:
            return
        gutter = max(marks.text_width(label, font(11)) for _, label in axis.ticks) + 8
        gutter = max(gutter, marks.text_width("step", font(11)) + 8)
        box = QRectF(area.left() + SIDE + gutter, area.top() + TOP, area.width() - 2 * SIDE - gutter - NAMES, area.height() - TOP - FOOT)
        last = max(float(run.history.steps[-1]) for run in self.runs if run.history is not None)
        self._paint_heading(
            painter, area, max(steps_per_point(run.history, box.width() / last) for run in self.runs if run.history is not None)
        )
        self._paint_axes(painter, box, axis, max(1.0, last))
        ends = []
        for run in reversed(self.runs):  # the window's own net on top
            assert run.history is not None
            y = self._paint_run(painter, box, axis, max(1.0, last), run, run.history)
            ends.append((run, run.history, y))
        heights = marks.spread([y for _, _, y in ends], 15.0, box.top() + 5, box.bottom() - 5)
        for (run, history, _), y in zip(ends, heights, strict=True):
            used = font(11, 600 if run.own else 400)
            marks.put_text(painter, box.right() + 6, y, run.name, used, theme.ink1 if run.own else theme.ink2, LEFT)
            room = QRectF(box.right() + 4, y - 8, NAMES, 16)
            self.spots.append(Spot(room, f"{run.name}: training loss of step {int(history.steps[-1]):,}", float(history.loss[-1])))

    def _paint_heading(self, painter: QPainter, area: QRectF, averaged: int) -> None:
        caption = f"mean of {averaged:,} mini-batches" if averaged > 1 else "of each mini-batch"
        y = area.top() + 22
        marks.put_text(painter, area.left() + SIDE, y, "Training loss", font(13, 600), self.theme.ink1, LEFT)
        marks.put_text(painter, area.right() - SIDE, y, caption, font(12), self.theme.ink3, RIGHT)

    def _paint_axes(self, painter: QPainter, box: QRectF, axis: LossAxis, last: float) -> None:
        theme, used = self.theme, font(11)
        painter.fillRect(box, QColor(theme.canvas))
        for value, label in axis.ticks:
            y = box.bottom() - float(axis.share(np.array([value]))[0]) * box.height()
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(box.left(), y, box.right(), y))
            marks.put_text(painter, box.left() - 6, y, label, used, theme.ink3, RIGHT)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.bottomLeft(), box.bottomRight()))
        below = box.bottom() + 12
        marks.put_text(painter, box.left() - 6, below, "step", used, theme.ink3, RIGHT)
        widest = marks.text_width(f"{int(last):,}", used)
        for value in ticks(0.0, last, box.width() / (widest + 28)):
            if value == round(value):
                marks.put_text(painter, box.left() + value / last * box.width(), below, f"{round(value):,}", used, theme.ink3)

    def _paint_run(self, painter: QPainter, box: QRectF, axis: LossAxis, last: float, run: Run, history: HistoryTable) -> float:
        """One line per finite stretch; answers the height of its right end."""
        theme = self.theme
        x, y = averages(history.steps / last * box.width(), axis.share(history.loss))
        ink = QColor(theme.ink1 if run.own else theme.ink2)
        pen = QPen(ink, 1.7 if run.own else 1.4)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if not run.own:
            pen.setDashPattern([3.5, 2.5])
        end = box.center().y()
        finite = np.isfinite(y)
        turns = np.diff(np.concatenate(([0], finite.astype(np.int8), [0])))
        for start, stop in zip(np.flatnonzero(turns == 1), np.flatnonzero(turns == -1), strict=True):
            inside = np.clip(y[start:stop], 0.0, 1.0)
            line = [
                QPointF(box.left() + a, box.bottom() - b * box.height())
                for a, b in zip(x[start:stop].tolist(), inside.tolist(), strict=True)
            ]
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if len(line) == 1:
                painter.setBrush(ink)
                painter.drawEllipse(line[0], 1.6, 1.6)
            elif run.own:
                painter.drawLines([QLineF(a, b) for a, b in itertools.pairwise(line)])
            else:
                painter.drawPolyline(QPolygonF(line))  # as a whole, or each piece would begin its dashes anew
            end = line[-1].y()
        bad = np.flatnonzero(~np.isfinite(history.loss))
        if len(bad):
            left = box.left() + float(history.steps[bad[0]]) / last * box.width()
            right = box.left() + float(history.steps[bad[-1]]) / last * box.width()
            left = min(left, box.right() - 6)
            rows = (0.0, 0.5) if run.own else (0.5, 1.0)  # each net in its half, so that both can be seen to fail
            top = box.top() + rows[0] * box.height()
            colors.paint_hatch(painter, QRectF(left, top, max(6.0, right - left), (rows[1] - rows[0]) * box.height()), theme)
            end = box.top() + (rows[0] + rows[1]) / 2 * box.height()
        return end


def dense(x: Floats) -> bool:
    """Whether there are too many points for so many pixels to be drawn one by one."""
    return len(x) > 1 and len(x) * CELL > 2 * (x[-1] - x[0])


def steps_per_point(history: HistoryTable, pixels_per_step: float) -> int:
    """Of how many steps each drawn point is the mean."""
    return max(1, round(CELL / pixels_per_step)) if dense(history.steps * pixels_per_step) else 1


def averages(x: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Where points are denser than `CELL` pixels, the means of each cell; NaN where one of its values is not finite."""
    if not dense(x):
        return x, values
    cells = np.floor(x / CELL)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(cells)) + 1))
    counts = np.diff(np.append(starts, len(x)))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.add.reduceat(x, starts) / counts, np.add.reduceat(values, starts) / counts


def means(one: HistoryTable, other: HistoryTable) -> tuple[int, int, float, float] | None:
    """(from step, to step, mean loss of one, of the other) over the last fifth of the steps that both have made."""
    if not len(one.steps) or not len(other.steps):
        return None
    end = int(min(one.steps[-1], other.steps[-1]))
    start = max(1, math.floor(0.8 * end) + 1)
    found = []
    for history in (one, other):
        part = history.loss[(history.steps >= start) & (history.steps <= end)]
        if not len(part):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            found.append(float(part.mean()))
    return start, end, found[0], found[1]
