"""The losses of two runs over each other: that of A thin, that of B bold, each with its letter where its line ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Snapshot

from ..numbers import full, short
from ..panels import marks, timeline_marks
from ..panels.loss_plot import LossPlot, loss_axis
from ..panels.panel import Table
from ..panels.timeline import TimelinePanel
from ..panels.timeline_frame import STEPS_BELOW, TOP, Frame, step_axis
from ..panels.timeline_numbers import timeline_table
from ..panels.timeline_picture import TimelinePicture, scale_of
from ..panels.timeline_stages import with_levels
from ..stages import training_step
from ..theme import Theme, font
from .words import SIDES

LEFT, RIGHT, FOOT = 64.0, 104.0, 41.0
WIDTHS = (1.2, 2.2)  # of the lines of A and B
LABEL_DISTANCE = 14.0


@dataclass(frozen=True)
class _Kept:
    key: tuple[object, ...]
    plots: tuple[LossPlot, LossPlot]


class LossesPicture(TimelinePicture):
    """A's run, with B's beside it, on one axis of losses and one of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.other = TimelinePicture()
        self._plots: _Kept | None = None

    @property
    def sides(self) -> tuple[TimelinePicture, TimelinePicture]:
        return self, self.other

    @property
    def last(self) -> int:
        return max(super().last, self.other.last)

    @property
    def comparable(self) -> bool:
        """Whether both losses are of one kind."""
        a, b = self.snapshot, self.other.snapshot
        return a is None or b is None or a.loss_name == b.loss_name

    def frame(self, area: QRectF) -> Frame:
        plot = QRectF(area.left() + LEFT, area.top() + TOP, max(20.0, area.width() - LEFT - RIGHT), max(0.0, area.height() - TOP - FOOT))
        last = max(self.longest(), self.other.longest())
        return Frame(area, plot, QRectF(plot.left(), plot.bottom(), plot.width(), 0.0), 1, *step_axis(last, plot.width()))

    def paint(self, painter: QPainter, frame: Frame, theme: Theme, selected: int, at: int | None, movable: bool) -> None:
        if frame.loss.height() < 8:
            return
        if self.snapshot is None or self.history is None or not len(self.history.steps):
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawRect(frame.loss)
            middle = frame.loss.center()
            marks.put_text(painter, middle.x(), middle.y(), marks.NOTHING_YET, font(13), theme.ink2)
            return
        plots = self._both(frame, scale_of(painter))
        plots[0].paint_axis(painter, theme)
        for plot in plots:
            plot.paint_population(painter, theme)
        plots[0].paint_levels(painter, theme)
        for plot, width, ink in zip(plots, WIDTHS, (theme.ink2, theme.ink1), strict=True):
            plot.paint_curves(painter, theme, ink, width)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(frame.loss.bottomLeft(), frame.loss.bottomRight()))
        self._paint_scrubber(painter, frame, theme, at, movable)
        self._paint_letters(painter, frame, theme, plots)

    def _paint_scrubber(self, painter: QPainter, frame: Frame, theme: Theme, at: int | None, movable: bool) -> None:
        assert self.snapshot is not None
        step = self.snapshot.step
        place, going = (step if at is None else at), at is not None and at != step
        others = {side.snapshot.step for side in self.sides if side.snapshot is not None} - {place}
        for other in sorted(others):
            timeline_marks.paint_place(painter, frame, theme, other)
        timeline_marks.paint_scrubber(painter, frame, theme, place, movable)
        tag, text = QRectF(), ""
        if going or step < self.last:
            text = f"going to {place:,}" if going else f"{place:,}"
            tag = timeline_marks.tag_box(frame, place, text)
        timeline_marks.paint_steps(painter, frame, theme, tag, training_step(self.snapshot.spec))
        if text:
            timeline_marks.paint_tag(painter, theme, tag, text)

    def _paint_letters(self, painter: QPainter, frame: Frame, theme: Theme, plots: tuple[LossPlot, LossPlot]) -> None:
        """Right of the plot, at the height where each line ends; what failed says so."""
        labels: list[tuple[float, str, str, int]] = []
        for side, plot, ink in zip(SIDES, plots, (theme.ink2, theme.ink1), strict=True):
            if plot.failed_at is not None:
                labels.append((frame.loss.top(), f"{side} NaN", theme.nan, 13))
            elif plot.train_end is not None:
                labels.append((plot.train_end, side, ink, 13))
            if plot.test_end is not None and plot.failed_at is None:
                labels.append((plot.test_end, f"{side} test", theme.ink1, 11))
            if plot.population_end is not None:
                labels.append((plot.population_end, f"{side} population", theme.ink3, 11))
        guessing = plots[0].guessing
        if guessing is not None and math.isfinite(guessing):
            labels.append((plots[0].y(guessing), f"guessing {short(guessing)}", theme.ink3, 11))
        low, high = frame.loss.top() - 2, frame.loss.bottom() + 4
        labels = sorted(labels, key=lambda label: -label[3])[: 1 + int((high - low) / LABEL_DISTANCE)]
        heights = marks.spread([label[0] for label in labels], LABEL_DISTANCE, low, high)
        for height, (_, text, ink, size) in zip(heights, labels, strict=True):
            used = font(size, 600 if size == 13 else 400)
            marks.put_text(painter, frame.loss.right() + 8, height, text, used, ink, Qt.AlignmentFlag.AlignLeft)

    def _both(self, frame: Frame, scale: float) -> tuple[LossPlot, LossPlot]:
        """The curves of both sides, made anew only when something has changed."""
        guessing = self.snapshot.guessing_loss if self.snapshot is not None and self.comparable else None
        ends = [side.snapshot.spec.level_ends if side.snapshot is not None else () for side in self.sides]
        histories = [side.history for side in self.sides]
        key = (guessing, *ends, scale, frame.loss.getRect(), frame.span, *map(id, histories))
        if self._plots is None or self._plots.key != key:
            highest = [guess for guess in (guessing, 1.0 if any(ends) else None) if guess is not None]
            axis = loss_axis(histories[0], max(highest, default=None), 0.6 * frame.loss.height(), beside=histories[1])
            made = [LossPlot(table, guessing, frame.loss, frame.span, None, end, axis) for table, end in zip(histories, ends, strict=True)]
            self._plots = _Kept(key, (made[0], made[1]))
        return self._plots.plots


class LossesPanel(TimelinePanel):
    """Training and test loss of both runs."""

    name = "losses"
    title = "Training loss"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: LossesPicture = LossesPicture()
        self.setMinimumSize(240, 130)

    def sizeHint(self) -> QSize:
        return QSize(560, 236)

    def show_pair(self, a: Snapshot, b: Snapshot) -> None:
        self.picture.other.take(b)
        self.title = "Training loss and test loss" if a.test_loss is not None or b.test_loss is not None else "Training loss"
        self.show_snapshot(a)

    def clear(self) -> None:
        self.picture.other.clear()
        super().clear()

    def _captions(self, target: int | None, still: bool = False) -> tuple[str, ...]:
        if not self.picture.comparable:
            names = [side.snapshot.loss_name.replace("_", " ") for side in self.picture.sides if side.snapshot is not None]
            return (f"two kinds of loss: A {names[0]}, B {names[1]}", "two kinds of loss")
        if self.snapshot is not None and self.snapshot.step < self.picture.last and target is None:
            return (f"step {self.snapshot.step:,} of {self.picture.last:,}", "")
        tested = "; dashed: test set" if self.title != "Training loss" else ""
        return (f"thin: A, bold: B{tested}", f"A thin, B bold{tested}", "A thin, B bold", "")

    def _paint_pointed(self, painter: QPainter, frame: Frame, at: QPointF) -> None:
        if not frame.loss.adjusted(0, 0, 0, STEPS_BELOW).contains(at) or self.snapshot is None:
            return
        rows, title = [], ""
        for side, picture in zip(SIDES, self.picture.sides, strict=True):
            row = _row_at(picture.history, frame.step_at(at.x()))
            if row is not None and picture.history is not None:
                step = int(picture.history.steps[row])
                title = title or f"{training_step(self.snapshot.spec).capitalize()} {step:,}"
                where = "" if title.endswith(f" {step:,}") else f" at {step:,}"
                rows.append((f"{side}: loss{where}", full(float(picture.history.loss[row]))))
        if rows:
            x = frame.x(frame.step_at(at.x()))
            painter.setPen(QPen(QColor(self.theme.ink3), 1))
            painter.drawLine(QLineF(x, frame.loss.top(), x, frame.loss.bottom()))
            marks.paint_card(painter, self.theme, frame.area, at, title, rows)

    def table(self) -> Table:
        """A row per recorded step of either side, the columns of both beside each other."""
        return both_tables(*(_table_of(picture) for picture in self.picture.sides))


def _row_at(history: HistoryTable | None, step: float) -> int | None:
    if history is None or not len(history.steps) or not 0 <= step <= float(history.steps[-1]) + 1:
        return None
    return min(len(history.steps) - 1, int(np.searchsorted(history.steps, step, side="left")))


def _table_of(picture: TimelinePicture) -> Table:
    table = timeline_table(picture.history, None, picture.layer_names)
    return table if picture.snapshot is None else with_levels(table, picture.snapshot.spec, picture.layer_names)


def both_tables(a: Table, b: Table) -> Table:
    """Two tables of runs in one, row by row of the same step; empty cells where a side has no row of that step."""
    kept = [[n for n, name in enumerate(table.columns) if name not in ("line", "step")] for table in (a, b)]
    at = [{int(str(row[table.columns.index("step")])): row for row in table.rows} for table in (a, b)]
    columns = ["step"]
    for side, table, places in zip(SIDES, (a, b), kept, strict=True):
        columns += [f"{side}_{table.columns[n]}" for n in places]
    rows: list[tuple[object, ...]] = []
    for step in sorted(at[0].keys() | at[1].keys()):
        row: list[object] = [step]
        for known, places in zip(at, kept, strict=True):
            row += [known[step][n] if step in known else None for n in places]
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows))
