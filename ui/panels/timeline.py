"""The whole run at a glance: the loss curves above, and below them the gradient of every layer at every step.

Both share one axis of steps; a layer is a row, the first one at the top. The scrubber says where the run stands, and moving it
asks for another step. The pictures are made once per history and kept, so that pointing and scrubbing cost next to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Ghost, HistoryTable, Snapshot

from ..selection import Selection
from . import marks, timeline_marks
from .heatmap import Heatmap
from .loss_plot import LossPlot
from .panel import Panel, Table
from .timeline_frame import Frame
from .timeline_numbers import card_at, timeline_table

DRAG_FROM = 4.0  # pixels that turn a click on a row into a drag
PATIENCE_MS = 2000  # after so long without an answer the scrubber goes back to where the run stands
KEYS = "Left and Right go one step, with Shift ten, Page Up and Page Down a tenth of the run, Home and End to its ends."


@dataclass
class _Picture:
    """What is kept between two drawings, and for what it was made."""

    history: HistoryTable | None
    ghost: Ghost | None
    key: tuple[object, ...]
    heatmap: Heatmap | None
    losses: LossPlot


@dataclass
class _Drag:
    """The mouse button is down: as yet a click on a row, or already moving the scrubber."""

    start: QPointF
    moving: bool
    offset: float = 0.0  # from the mouse to the line that was taken hold of


class TimelinePanel(Panel):
    """Loss curves and heatmap of the run so far, and the way back to any of its steps."""

    name = "timeline"
    title = "Timeline"

    layer_selected = Signal(int)
    step_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scrubbing_enabled = True  # whether going back in time is offered
        self._selection: Selection | None = None
        self._picture: _Picture | None = None
        self._history: HistoryTable | None = None
        self._ghost: Ghost | None = None
        self._pointer: QPointF | None = None
        self._drag: _Drag | None = None
        self._target: int | None = None  # the step that was asked for and has not come yet
        self._focused_by_key = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._arrive)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 132)

    def sizeHint(self) -> QSize:
        return QSize(976, 282)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.history is not None:
            self._history = snapshot.history
        if not _same_line(self._ghost, snapshot.ghost):
            self._ghost = snapshot.ghost
        super().show_snapshot(snapshot)
        if snapshot.step == self._target:
            self._arrive()
        where = f"Step {snapshot.step:,} of {self._last:,}. {KEYS}"
        if where != self.accessibleDescription():
            self.setAccessibleDescription(where)

    def clear(self) -> None:
        self._history = self._ghost = self._picture = self._pointer = self._drag = None
        self._arrive()
        super().clear()

    def select(self, selection: Selection | None) -> None:
        """Frame the layer of what is selected; says nothing."""
        self._selection = selection
        self.update()

    @property
    def _last(self) -> int:
        """The last step one can go to."""
        return max(self.snapshot.last_step, self.snapshot.step) if self.snapshot is not None else 0

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        self._paint(painter, area, self._target)
        if self._pointer is not None and self._drag is None:
            self._paint_pointed(painter, self._frame(area), self._pointer)
        if self.hasFocus() and self._focused_by_key:
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        self._paint(painter, area, None)

    def _paint(self, painter: QPainter, area: QRectF, target: int | None) -> None:
        """Draw the timeline with the scrubber at ``target``, or where the run stands."""
        theme, snapshot = self.theme, self.snapshot
        painter.save()
        painter.fillRect(area, QColor(theme.canvas))
        marks.paint_heading(painter, area, theme, self.title, self._captions(target))
        frame = self._frame(area)
        if frame.heat.height() >= 8:
            device = painter.device()
            picture = self._picture_of(frame, device.devicePixelRatio() if isinstance(device, (QImage, QPixmap, QWidget)) else 2.0)
            layer = self._selection.layer if self._selection is not None and self._selection.layer <= frame.layers else 0
            picture.losses.paint(painter, theme)
            tag = QRectF()
            if snapshot is None or self._history is None or picture.heatmap is None:
                timeline_marks.paint_empty(painter, frame, theme)
            else:
                tag = self._paint_run(painter, frame, snapshot, self._history, picture.heatmap, picture.losses, layer, target)
            if snapshot is not None:
                timeline_marks.paint_names(painter, frame, theme, [info.name for info in snapshot.architecture.layers], layer)
            timeline_marks.paint_steps(painter, frame, theme, tag)
            timeline_marks.paint_curve_labels(painter, frame, theme, picture.losses)
        painter.restore()

    def _paint_run(
        self,
        painter: QPainter,
        frame: Frame,
        snapshot: Snapshot,
        history: HistoryTable,
        heatmap: Heatmap,
        losses: LossPlot,
        layer: int,
        target: int | None,
    ) -> QRectF:
        """All that is drawn of a history that is not empty; returns where the scrubber's tag stands, if it has one."""
        theme, step = self.theme, snapshot.step
        past = step < self._last
        heatmap.paint(painter, frame.x(step) if past else frame.heat.right())
        if past:
            timeline_marks.paint_veil(painter, frame, theme, step)
        losses.paint_before(painter, theme)
        timeline_marks.paint_zeros(painter, frame, theme, history)
        timeline_marks.paint_rows(painter, frame, theme, layer)
        timeline_marks.paint_changes(painter, frame, theme, [changed for changed, _ in history.changes])
        if self._ghost is not None:
            timeline_marks.paint_fork(painter, frame, theme, self._ghost.branch_step)
        going = target is not None and target != step
        if going:
            timeline_marks.paint_place(painter, frame, theme, step)
        at = target if going and target is not None else step
        timeline_marks.paint_scrubber(painter, frame, theme, at, self.scrubbing_enabled)
        if not (going or past):
            return QRectF()
        text = f"going to {at:,}" if going else f"{at:,}"
        box = timeline_marks.tag_box(frame, at, text)
        timeline_marks.paint_tag(painter, theme, box, text)
        return box

    def _captions(self, target: int | None) -> tuple[str, ...]:
        """What the heading says at the right, longest first."""
        snapshot = self.snapshot
        if snapshot is not None and snapshot.step < self._last and target is None:
            where = f"step {snapshot.step:,} of {self._last:,}"
            return (f"{where}: Play starts a branch from here", f"{where}: Play branches here", where, "")
        if snapshot is not None and snapshot.failure is not None:
            return (f"the history before the failure at step {snapshot.failure.step:,} is kept", "")
        if self.scrubbing_enabled:
            return ("drag to travel back; typical |∂J/∂w| of each layer below", "drag to travel back", "")
        return ("loss above, typical |∂J/∂w| of each layer below", "loss, |∂J/∂w| per layer", "")

    def _frame(self, area: QRectF) -> Frame:
        layers = len(self.snapshot.architecture.layers) if self.snapshot is not None else 1
        tables = (self._history, self._ghost.history if self._ghost is not None else None)
        ends = [float(table.steps[-1]) for table in tables if table is not None and len(table.steps)]
        return Frame.of(area, layers, max([float(self._last), *ends]))

    def _picture_of(self, frame: Frame, scale: float) -> _Picture:
        """The heatmap and the curves, made anew only when something they depend on has changed."""
        guessing = self.snapshot.guessing_loss if self.snapshot is not None else None
        places = (frame.heat.getRect(), frame.loss.getRect(), frame.span, frame.layers)
        key = (self.theme, guessing, scale, places)
        history, ghost, kept = self._history, self._ghost, self._picture
        if kept is not None and kept.history is history and kept.ghost is ghost and kept.key == key:
            return kept
        some = history is not None and len(history.steps) > 0
        heatmap = Heatmap(history, frame.span, frame.heat, self.theme, scale) if history is not None and some else None
        self._picture = _Picture(history, ghost, key, heatmap, LossPlot(history, guessing, frame.loss, frame.span, ghost))
        return self._picture

    def _paint_pointed(self, painter: QPainter, frame: Frame, at: QPointF) -> None:
        history, snapshot = self._history, self.snapshot
        if history is None or snapshot is None or len(history.steps) == 0:
            return
        card = card_at(frame, at, history, self._ghost, snapshot.architecture)
        if card is None:
            return
        rows = list(card.rows)
        if card.step is not None:
            painter.setPen(QPen(QColor(self.theme.ink3), 1))
            painter.drawLine(QLineF(frame.x(card.step), frame.loss.top(), frame.x(card.step), frame.heat.bottom()))
            if self.scrubbing_enabled and card.step != snapshot.step:
                rows.append(("drag to go there" if frame.layer_at(at.y()) else "click to go there", ""))
        marks.paint_card(painter, self.theme, frame.area, at, card.title, rows)

    # ---- going to another step

    def _ask(self, step: float) -> None:
        """Ask for the nearest step there is, unless that is where the run stands or goes to already."""
        snapshot = self.snapshot
        wanted = min(self._last, max(0, round(step)))
        if snapshot is None or wanted == self._target:
            return
        inside = snapshot.moment is not None and snapshot.moment.step != snapshot.step
        if self._target is None and wanted == snapshot.step and not inside:
            return
        self._target = wanted
        self._patience.start()
        self.update()
        self.step_wanted.emit(wanted)

    def _arrive(self) -> None:
        """The run has come to where it was wanted, or does not go there."""
        self._target = None
        self._patience.stop()
        self.update()

    def _part_at(self, at: QPointF) -> str:
        if self.snapshot is None:
            return ""
        part = self._frame(QRectF(self.rect())).part_at(at, self._target if self._target is not None else self.snapshot.step)
        possible = self.scrubbing_enabled and self._last > 0
        return part if possible else {"line": "heat", "track": "", "scrubber": ""}.get(part, part)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, part, snapshot = event.position(), self._part_at(event.position()), self.snapshot
        if event.button() != Qt.MouseButton.LeftButton or snapshot is None or not part:
            super().mousePressEvent(event)
            return
        frame = self._frame(QRectF(self.rect()))
        held = part in ("scrubber", "line")
        offset = frame.x(self._target if self._target is not None else snapshot.step) - at.x() if held else 0.0
        self._drag = _Drag(at, part in ("scrubber", "track"), offset)
        if part == "track":
            self._ask(frame.step_at(at.x()))
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._pointer = event.position()
        drag = self._drag
        part = self._part_at(at)
        if drag is not None and not drag.moving:
            away = at - drag.start
            drag.moving = self.scrubbing_enabled and self._last > 0 and max(abs(away.x()), abs(away.y())) > DRAG_FROM
        if drag is not None and drag.moving:
            part = "scrubber"
            self._ask(self._frame(QRectF(self.rect())).step_at(at.x() + drag.offset))
        shapes = {"": Qt.CursorShape.ArrowCursor, "scrubber": Qt.CursorShape.SplitHCursor, "line": Qt.CursorShape.SplitHCursor}
        self.setCursor(shapes.get(part, Qt.CursorShape.PointingHandCursor))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, None
        if drag is not None and not drag.moving:
            layer = self._frame(QRectF(self.rect())).layer_at(drag.start.y())
            if layer is not None:
                self.layer_selected.emit(layer)
        self.update()
        super().mouseReleaseEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()

    def event(self, event: QEvent) -> bool:
        # the window has shortcuts on some of these keys: while the timeline has the focus, they move its scrubber
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._stride(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        stride = self._stride(event)
        if not stride or self.snapshot is None:
            super().keyPressEvent(event)
            return
        snapshot = self.snapshot
        here = float(self._target if self._target is not None else snapshot.step)
        if self._target is None and snapshot.moment is not None and snapshot.moment.step > snapshot.step:
            here += 0.5  # inside a step: one to the left is where it began, one to the right where it ends
        wanted = max(0, math.ceil(here + stride)) if stride < 0 else min(self._last, math.floor(here + stride))
        if (wanted - here) * stride > 0:
            self._ask(wanted)

    def _stride(self, event: QKeyEvent) -> int:
        """By how many steps a key moves the scrubber; 0 for a key that does not."""
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not self.scrubbing_enabled or self._last == 0:
            return 0
        key, tenth = Qt.Key(event.key()), max(1, round(self._last / 10))
        if held == Qt.KeyboardModifier.ShiftModifier:
            return {Qt.Key.Key_Left: -10, Qt.Key.Key_Right: 10}.get(key, 0)
        if held != Qt.KeyboardModifier.NoModifier:
            return 0
        strides = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageUp: -tenth,
            Qt.Key.Key_PageDown: tenth,
            Qt.Key.Key_Home: -self._last - 1,
            Qt.Key.Key_End: self._last + 1,
        }
        return strides.get(key, 0)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    # ---- numbers

    def table(self) -> Table:
        layers = [info.name for info in self.snapshot.architecture.layers] if self.snapshot is not None else []
        return timeline_table(self._history, self._ghost, layers)


def _same_line(one: Ghost | None, other: Ghost | None) -> bool:
    """Whether two ghosts are of the same line, so that the same curve is not made anew with every snapshot."""
    if one is None or other is None or one is other:
        return one is other
    if one.branch_step != other.branch_step or len(one.history.steps) != len(other.history.steps):
        return False
    ends = np.array_equal(one.history.steps, other.history.steps)
    return ends and np.array_equal(one.history.loss, other.history.loss, equal_nan=True)
