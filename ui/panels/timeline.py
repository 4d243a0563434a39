"""The whole run at a glance: the loss curves above, and below them the gradient of every layer at every step.

Both share one axis of steps; a layer is a row, the first one at the top. The scrubber says where the run stands, and moving it
asks for another step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..selection import Selection
from ..stages import LAYERS, training_step, words_of
from . import marks
from .panel import Panel, Table
from .timeline_frame import Frame
from .timeline_numbers import card_at, timeline_table
from .timeline_picture import TimelinePicture
from .timeline_stages import with_levels

DRAG_FROM = 4.0  # pixels that turn a click on a row into a drag
PATIENCE_MS = 2000  # after so long without an answer the scrubber goes back to where the run stands
KEYS = "Left and Right go one step, with Shift ten, Page Up and Page Down a tenth of the run, Home and End to its ends."


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
    headed = True

    layer_selected = Signal(int)
    step_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scrubbing_enabled = True  # whether going back in time is offered
        self._selection: Selection | None = None
        self.picture = TimelinePicture()
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
        self.picture.take(snapshot)
        super().show_snapshot(snapshot)
        if snapshot.step == self._target:
            self._arrive()
        where = f"{training_step(snapshot.spec).capitalize()} {snapshot.step:,} of {self.picture.last:,}. {KEYS}"
        if where != self.accessibleDescription():
            self.setAccessibleDescription(where)

    def clear(self) -> None:
        self.picture.clear()
        self._pointer = self._drag = None
        self._arrive()
        super().clear()

    def select(self, selection: Selection | None) -> None:
        """Frame the layer of what is selected; says nothing."""
        self._selection = selection
        self.update()

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
        self._paint(painter, area, None, still=True)

    def _paint(self, painter: QPainter, area: QRectF, target: int | None, still: bool = False) -> None:
        """Draw the timeline with the scrubber at ``target``, or where the run stands; in a ``still`` picture nothing can be dragged."""
        painter.save()
        painter.fillRect(area, QColor(self.theme.canvas))
        if self.headed:
            marks.paint_heading(painter, area, self.theme, self.full_title, self._captions(target, still))
        frame = self._frame(area)
        layer = self._selection.layer if self._selection is not None and self._selection.layer <= frame.layers else 0
        self.picture.paint(painter, frame, self.theme, layer, target, self.scrubbing_enabled)
        painter.restore()

    def _captions(self, target: int | None, still: bool = False) -> tuple[str, ...]:
        """What the heading says at the right, longest first."""
        snapshot = self.snapshot
        moment = snapshot.moment if snapshot is not None else None
        one = training_step(snapshot.spec) if snapshot is not None else "step"
        inside = moment is not None and snapshot is not None and moment.step > snapshot.step
        if inside and moment is not None and target is None:
            where = f"inside {one} {moment.step:,}" + (f" of {self.picture.last:,}" if moment.step <= self.picture.last else "")
            branches = moment.step < self.picture.last
            return (f"{where}: Play finishes it and starts a branch", f"{where}: Play branches", where, "") if branches else (where, "")
        if snapshot is not None and snapshot.step < self.picture.last and target is None:
            where = f"{one} {snapshot.step:,} of {self.picture.last:,}"
            return (f"{where}: Play starts a branch from here", f"{where}: Play branches here", where, "")
        if snapshot is not None and snapshot.failure is not None:
            return (f"the history before the failure at {one} {snapshot.failure.step:,} is kept", "")
        if snapshot is not None and snapshot.level:
            level = f"level {snapshot.level}"
            return (f"reconstruction error of {level} above, its typical |∂J/∂w| below", f"error of {level}", "")
        words = words_of(snapshot.architecture) if snapshot is not None else LAYERS
        if self.scrubbing_enabled and not still:
            return (f"drag to travel back; typical {words.size} of each {words.one} below", "drag to travel back", "")
        return (f"loss above, typical {words.size} of each {words.one} below", f"loss, {words.size} per {words.one}", "")

    def _frame(self, area: QRectF) -> Frame:
        return self.picture.frame(area)

    def _paint_pointed(self, painter: QPainter, frame: Frame, at: QPointF) -> None:
        history, snapshot = self.picture.history, self.snapshot
        if history is None or snapshot is None or len(history.steps) == 0:
            return
        card = card_at(frame, at, history, self.picture.ghost, snapshot.architecture, snapshot.spec)
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

    @property
    def _place(self) -> int:
        """The step at which the scrubber stands."""
        return self._target if self._target is not None else self.snapshot.step if self.snapshot is not None else 0

    def _ask(self, step: float) -> None:
        """Ask for the nearest step there is, unless that is where the run stands or goes to already."""
        snapshot = self.snapshot
        wanted = min(self.picture.last, max(0, round(step)))
        if snapshot is None or wanted == self._target:
            return
        inside = snapshot.moment is not None and snapshot.moment.step != snapshot.step
        if self._target is None and wanted == snapshot.step and not inside:
            return
        self._target = wanted
        self._patience.start()
        self.update()
        self.step_wanted.emit(wanted)

    def expect(self, step: int) -> None:
        """Somebody else has asked for this step: the scrubber goes there too, and nothing is said."""
        if self.snapshot is not None and step != self.snapshot.step:
            self._target = step
            self._patience.start()
            self.update()

    def _arrive(self) -> None:
        """The run has come to where it was wanted, or does not go there."""
        self._target = None
        self._patience.stop()
        self.update()

    def _part_at(self, at: QPointF) -> str:
        if self.snapshot is None:
            return ""
        part = self._frame(QRectF(self.rect())).part_at(at, self._place)
        possible = self.scrubbing_enabled and self.picture.last > 0
        return part if possible else {"line": "heat", "track": "", "scrubber": ""}.get(part, part)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, part = event.position(), self._part_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or not part:
            super().mousePressEvent(event)
            return
        frame = self._frame(QRectF(self.rect()))
        held = part in ("scrubber", "line")
        offset = frame.x(self._place) - at.x() if held else 0.0
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
            drag.moving = self.scrubbing_enabled and self.picture.last > 0 and max(abs(away.x()), abs(away.y())) > DRAG_FROM
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
        here = float(self._place)
        if self._target is None and snapshot.moment is not None and snapshot.moment.step > snapshot.step:
            here += 0.5  # inside a step: one to the left is where it began, one to the right where it ends
        wanted = max(0, math.ceil(here + stride)) if stride < 0 else min(self.picture.last, math.floor(here + stride))
        if (wanted - here) * stride > 0:
            self._ask(wanted)

    def _stride(self, event: QKeyEvent) -> int:
        """By how many steps a key moves the scrubber; 0 for a key that does not."""
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not self.scrubbing_enabled or self.picture.last == 0:
            return 0
        key, tenth = Qt.Key(event.key()), max(1, round(self.picture.last / 10))
        if held == Qt.KeyboardModifier.ShiftModifier:
            return {Qt.Key.Key_Left: -10, Qt.Key.Key_Right: 10}.get(key, 0)
        if held != Qt.KeyboardModifier.NoModifier:
            return 0
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not self._focused_by_key:
            return 0  # who has only clicked or dragged here wants what an arrow does everywhere: look into the step, layer by layer
        strides = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageUp: -tenth,
            Qt.Key.Key_PageDown: tenth,
            Qt.Key.Key_Home: -self.picture.last - 1,
            Qt.Key.Key_End: self.picture.last + 1,
        }
        return strides.get(key, 0)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    # ---- numbers

    def table(self) -> Table:
        table = timeline_table(self.picture.history, self.picture.ghost, self.picture.layer_names)
        return table if self.snapshot is None else with_levels(table, self.snapshot.spec, self.picture.layer_names)
