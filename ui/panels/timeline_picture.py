"""The picture of a run: what is kept of its history from snapshot to snapshot, and how it is put together.

The heatmap and the curves are made once per history, so that pointing and scrubbing cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Ghost, Snapshot

from ..stages import training_step
from ..theme import Theme
from . import timeline_marks
from .heatmap import Heatmap
from .loss_plot import LossPlot
from .timeline_frame import Frame
from .timeline_stages import STAGE_ROOM, measured, paint_stages


@dataclass(frozen=True)
class _Kept:
    """What is kept between two drawings, and for what it was made."""

    history: HistoryTable | None
    ghost: Ghost | None
    key: tuple[object, ...]
    heatmap: Heatmap | None
    losses: LossPlot


class TimelinePicture:
    """The latest snapshot, the history so far and the line before the branch."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.history: HistoryTable | None = None
        self.ghost: Ghost | None = None
        self.kept: _Kept | None = None
        self.reach = 0.0  # the axis of steps goes at least so far

    def take(self, snapshot: Snapshot) -> None:
        """Draw this moment from now on; a snapshot without history leaves the one there is."""
        self.snapshot = snapshot
        if snapshot.history is not None:
            self.history = snapshot.history
        if not same_line(self.ghost, snapshot.ghost):
            self.ghost = snapshot.ghost

    def clear(self) -> None:
        self.snapshot = self.history = self.ghost = self.kept = None

    @property
    def last(self) -> int:
        """The last step one can go to."""
        return max(self.snapshot.last_step, self.snapshot.step) if self.snapshot is not None else 0

    @property
    def layer_names(self) -> list[str]:
        return [info.name for info in self.snapshot.architecture.layers] if self.snapshot is not None else []

    def frame(self, area: QRectF) -> Frame:
        """Where things stand in ``area``; the axis spans both lines."""
        staged = self.snapshot is not None and self.snapshot.spec.pretraining_steps > 0
        return Frame.of(area, max(1, len(self.layer_names)), self.longest(), STAGE_ROOM * staged)

    def longest(self) -> float:
        """The last step that the axis has to show."""
        tables = (self.history, self.ghost.history if self.ghost is not None else None)
        ends = [float(table.steps[-1]) for table in tables if table is not None and len(table.steps)]
        return max([float(self.last), self.reach, *ends])

    def paint(self, painter: QPainter, frame: Frame, theme: Theme, selected: int, at: int | None, movable: bool) -> None:
        """Draw it, with the row of the layer ``selected`` framed (0 for none).

        ``at`` is the step the scrubber goes to, None for where the run stands; ``movable`` says that it can be moved.
        """
        if frame.heat.height() < 8:
            return
        kept = self._keep(frame, theme, scale_of(painter))
        with_losses = frame.loss.height() > 0
        if with_losses:
            kept.losses.paint(painter, theme)
        tag, text = QRectF(), ""
        if self.snapshot is None or self.history is None or kept.heatmap is None:
            timeline_marks.paint_empty(painter, frame, theme)
        else:
            step = self.snapshot.step
            going = at is not None and at != step
            place = step if at is None else at
            self._paint_run(painter, frame, theme, step, selected, self.history, kept.heatmap, kept.losses)
            if going:
                timeline_marks.paint_place(painter, frame, theme, step)
            timeline_marks.paint_scrubber(painter, frame, theme, place, movable)
            if going or step < self.last:
                text = f"going to {place:,}" if going else f"{place:,}"
                tag = timeline_marks.tag_box(frame, place, text)
        if self.snapshot is not None:
            timeline_marks.paint_names(painter, frame, theme, self.layer_names, selected)
        timeline_marks.paint_steps(painter, frame, theme, tag, training_step(self.snapshot.spec) if self.snapshot is not None else "step")
        if with_losses:
            timeline_marks.paint_curve_labels(painter, frame, theme, kept.losses)
        if text:
            timeline_marks.paint_tag(painter, theme, tag, text)

    def _paint_run(
        self,
        painter: QPainter,
        frame: Frame,
        theme: Theme,
        step: int,
        selected: int,
        history: HistoryTable,
        heatmap: Heatmap,
        losses: LossPlot,
    ) -> None:
        past = step < self.last
        heatmap.paint(painter, frame.x(step) if past else frame.heat.right())
        if past and frame.loss.height() > 0:
            timeline_marks.paint_veil(painter, frame, theme, step)
            losses.paint_before(painter, theme)
        timeline_marks.paint_zeros(painter, frame, theme, history)
        timeline_marks.paint_rows(painter, frame, theme, selected)
        if self.snapshot is not None:
            paint_stages(painter, frame, theme, self.snapshot.spec)
        timeline_marks.paint_changes(painter, frame, theme, [changed for changed, _ in history.changes])
        if self.snapshot is not None and frame.loss.height() > 0:
            timeline_marks.paint_oscillations(painter, frame, theme, self.snapshot.oscillations)
        if self.ghost is not None:
            timeline_marks.paint_fork(painter, frame, theme, self.ghost.branch_step)

    def _keep(self, frame: Frame, theme: Theme, scale: float) -> _Kept:
        """The heatmap and the curves, made anew only when something they depend on has changed."""
        guessing = self.snapshot.guessing_loss if self.snapshot is not None else None
        ends = self.snapshot.spec.level_ends if self.snapshot is not None else ()
        key = (theme, guessing, ends, scale, frame.heat.getRect(), frame.loss.getRect(), frame.span, frame.layers)
        history, ghost, kept = self.history, self.ghost, self.kept
        if kept is not None and kept.history is history and kept.ghost is ghost and kept.key == key:
            return kept
        heatmap = None
        if self.snapshot is not None and history is not None and len(history.steps):
            heatmap = Heatmap(history, frame.span, frame.heat, theme, scale, measured(self.snapshot.spec, history))
        self.kept = _Kept(history, ghost, key, heatmap, LossPlot(history, guessing, frame.loss, frame.span, ghost, ends))
        return self.kept


def scale_of(painter: QPainter) -> float:
    """Device pixels per logical one; two where the picture is a vector file."""
    device = painter.device()
    return device.devicePixelRatio() if isinstance(device, (QImage, QPixmap, QWidget)) else 2.0


def same_line(one: Ghost | None, other: Ghost | None) -> bool:
    """Whether two ghosts are of the same line, so that the same curve is not made anew with every snapshot."""
    if one is None or other is None or one is other:
        return one is other
    if one.branch_step != other.branch_step or len(one.history.steps) != len(other.history.steps):
        return False
    ends = np.array_equal(one.history.steps, other.history.steps)
    return ends and np.array_equal(one.history.loss, other.history.loss, equal_nan=True)
