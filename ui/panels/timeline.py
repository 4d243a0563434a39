"""The whole run at a glance: the loss curves above, and below them the gradient of every layer at every step.

Both share one axis of steps; a layer is a row, the first one at the top. The pictures are made once per history and kept,
so that pointing at them costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import HistoryTable, Snapshot

from .. import colors
from ..numbers import full, short
from ..selection import Selection
from ..theme import font
from . import marks
from .heatmap import heatmap_image, heatmap_levels, striped_path
from .loss_plot import LossPlot
from .panel import Panel, Table

TOP, GAP, FOOT = 36.0, 11.0, 41.0
GUTTER, RIGHT = 134.0, 94.0
ROW, TALLEST_ROW, LOSS_HEIGHT = 14.0, 28.0, 40.0
NAME_DISTANCE = 13.0
SEPARATED_FROM = 5.0  # rows at least this high are told apart by a line
FEWEST_STEPS = 20
MOST_FLAGS_TOLD = 8


@dataclass(frozen=True)
class _Frame:
    """Where things stand in one drawing; x runs linearly from step 0 to ``last_step``."""

    area: QRectF
    loss: QRectF
    heat: QRectF
    layers: int
    last_step: float
    step: float  # distance of the ticks, in steps

    def x(self, step: float) -> float:
        return self.heat.left() + step / self.last_step * self.heat.width()

    @property
    def row(self) -> float:
        return self.heat.height() / self.layers

    def name_y(self, layer: int) -> float:
        """The middle of a layer's row, kept so far inside that its name stays clear of the loss axis."""
        return min(max(self.heat.top() + (layer - 0.5) * self.row, self.heat.top() + 4), self.heat.bottom() - 4)

    def layer_at(self, y: float) -> int | None:
        """The layer whose row is at this height."""
        if not self.heat.top() <= y < self.heat.bottom():
            return None
        return min(self.layers, 1 + int((y - self.heat.top()) / self.row))


@dataclass
class _Picture:
    """What is kept between two drawings, and for what it was made."""

    key: tuple[object, ...]
    image: QImage
    stripes: QPainterPath
    losses: LossPlot


class TimelinePanel(Panel):
    """Loss curves and heatmap of the run so far."""

    name = "timeline"
    title = "Timeline"

    layer_selected = Signal(int)
    step_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scrubbing_enabled = False  # whether going back in time is offered
        self._selection: Selection | None = None
        self._picture: _Picture | None = None
        self._history: HistoryTable | None = None
        self._pointer: QPointF | None = None
        self._scrubbing = False
        self.setMouseTracking(True)
        self.setMinimumSize(240, 132)

    def sizeHint(self) -> QSize:
        return QSize(976, 282)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.history is not None:
            self._history = snapshot.history
        super().show_snapshot(snapshot)

    def clear(self) -> None:
        self._history = self._picture = self._pointer = None
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
        self.paint_to(painter, area)
        if self._pointer is not None:
            self._paint_pointed(painter, self._frame(area), self._pointer)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, snapshot = self.theme, self.snapshot
        painter.save()
        painter.fillRect(area, QColor(theme.canvas))
        marks.paint_heading(painter, area, theme, self.title, self._captions())
        frame = self._frame(area)
        if frame.heat.height() >= 8:
            device = painter.device()
            scale = device.devicePixelRatio() if isinstance(device, (QImage, QPixmap, QWidget)) else 2.0
            picture = self._picture_of(frame, scale)
            picture.losses.paint(painter, theme)
            if snapshot is None or self._history is None or len(self._history.steps) == 0:
                self._paint_empty(painter, frame)
            else:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
                filled = QRectF(frame.heat)
                filled.setWidth(frame.heat.width() * picture.image.width() / max(1, round(frame.heat.width() * scale)))
                painter.drawImage(filled, picture.image)
                if not picture.stripes.isEmpty():
                    colors.paint_hatch(painter, picture.stripes, theme)
                self._paint_zeros(painter, frame, self._history)
                self._paint_rows(painter, frame)
                self._paint_changes(painter, frame)
                self._paint_now(painter, frame, snapshot.step)
            self._paint_names(painter, frame)
            self._paint_steps(painter, frame)
            self._paint_curve_labels(painter, frame, picture.losses)
        painter.restore()

    def _captions(self) -> tuple[str, ...]:
        snapshot = self.snapshot
        if snapshot is not None and snapshot.failure is not None:
            return (f"the history before the failure at step {snapshot.failure.step:,} is kept", "")
        if self.scrubbing_enabled:
            return ("drag to travel back; typical |∂J/∂w| of each layer below", "drag to travel back", "")
        return ("loss above, typical |∂J/∂w| of each layer below", "loss, |∂J/∂w| per layer", "")

    def _frame(self, area: QRectF) -> _Frame:
        layers = len(self.snapshot.architecture.layers) if self.snapshot is not None else 1
        left, right = (min(most, max(least, share * area.width())) for most, least, share in ((GUTTER, 56.0, 0.14), (RIGHT, 24.0, 0.15)))
        width = max(20.0, area.width() - left - right)
        room = max(0.0, area.height() - TOP - GAP - FOOT)
        loss = min(max(room - ROW * layers, min(LOSS_HEIGHT, 0.45 * room)), max(0.45 * room, min(LOSS_HEIGHT, 0.45 * room)))
        heat = min(room - loss, TALLEST_ROW * layers)
        loss = room - heat
        last = float(self._history.steps[-1]) if self._history is not None and len(self._history.steps) else 0.0
        last = max(last, float(self.snapshot.step) if self.snapshot is not None else 0.0)
        step = max(1.0, marks.nice_step(max(last * 1.04, FEWEST_STEPS), max(1.0, min(6.0, width / 90))))
        last_step = step * math.ceil(max(last * 1.04, FEWEST_STEPS) / step)
        x, y = area.left() + left, area.top() + TOP
        return _Frame(area, QRectF(x, y, width, loss), QRectF(x, y + loss + GAP, width, heat), layers, last_step, step)

    def _picture_of(self, frame: _Frame, scale: float) -> _Picture:
        """The image and curves of the history, made anew only when something they depend on has changed."""
        guessing = self.snapshot.guessing_loss if self.snapshot is not None else None
        key = (self._history, self.theme, guessing, scale, frame.heat.getRect(), frame.loss.getRect(), frame.last_step, frame.layers)
        kept = self._picture
        if kept is not None and kept.key[0] is key[0] and kept.key[1:] == key[1:]:
            return kept
        image, stripes = QImage(), QPainterPath()
        history = self._history
        if history is not None and len(history.steps):
            width = max(1, round(frame.heat.width() * scale))
            levels = heatmap_levels(history, frame.last_step, width, max(1, round(frame.heat.height() * scale)))
            image, stripes = heatmap_image(levels, self.theme), striped_path(levels, frame.heat, width)
        self._picture = _Picture(key, image, stripes, LossPlot(history, guessing, frame.loss, frame.last_step))
        return self._picture

    def _paint_empty(self, painter: QPainter, frame: _Frame) -> None:
        painter.setPen(QPen(QColor(self.theme.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame.heat)
        middle = frame.heat.center()
        marks.put_text(painter, middle.x(), middle.y(), marks.NOTHING_YET, font(13), self.theme.ink2)

    def _paint_zeros(self, painter: QPainter, frame: _Frame, history: HistoryTable) -> None:
        """Say it in words where every gradient has been exactly 0 up to now: nothing is drawn there."""
        alive = np.nonzero((history.gradient_rms != 0).any(axis=1))[0]
        first = int(alive[-1]) + 1 if len(alive) else 0
        if first < len(history.steps):
            start, end, text = frame.x(float(history.steps[first])), frame.x(float(history.steps[-1])), "all exactly 0"
            if end - start > marks.text_width(text, font(12)) + 16:
                marks.put_text(painter, (start + end) / 2, frame.heat.center().y(), text, font(12), self.theme.ink3)

    def _paint_rows(self, painter: QPainter, frame: _Frame) -> None:
        theme, heat = self.theme, frame.heat
        if frame.row >= SEPARATED_FROM:
            painter.setPen(QPen(QColor(theme.canvas), 1))
            between = [heat.top() + n * frame.row for n in range(1, frame.layers)]
            painter.drawLines([QLineF(heat.left(), y, heat.right(), y) for y in between])
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(heat)
        layer = self._selected(frame)
        if layer:
            painter.setPen(QPen(QColor(theme.ink1), 1.5))
            height = max(frame.row, 4.0)
            painter.drawRect(QRectF(heat.left(), heat.top() + (layer - 0.5) * frame.row - height / 2, heat.width(), height))

    def _selected(self, frame: _Frame) -> int:
        """Number of the selected layer, 0 for none."""
        layer = self._selection.layer if self._selection is not None else 0
        return layer if layer <= frame.layers else 0

    def _paint_names(self, painter: QPainter, frame: _Frame) -> None:
        if self.snapshot is None:
            return
        selected = self._selected(frame)
        for n in self._named(frame, selected):
            used, ink = (font(12, 600), self.theme.ink1) if n == selected else (font(12), self.theme.ink3)
            y = frame.name_y(n)
            name = self.snapshot.architecture.layers[n - 1].name
            marks.put_text(painter, frame.heat.left() - 8, y, name, used, ink, Qt.AlignmentFlag.AlignRight)

    def _named(self, frame: _Frame, selected: int) -> list[int]:
        """The layers that get a name: the selected one, the first, the last and as many between as there is room for."""
        stride = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s * frame.row >= NAME_DISTANCE), 1000)
        named: list[int] = []
        for n in [selected, 1, frame.layers, *range(stride, frame.layers, stride)]:
            if n and all(abs(frame.name_y(n) - frame.name_y(other)) >= NAME_DISTANCE for other in named):
                named.append(n)
        return named

    def _paint_steps(self, painter: QPainter, frame: _Frame) -> None:
        y = frame.heat.bottom() + 25
        marks.put_text(painter, frame.heat.left() - 8, y, "step", font(11), self.theme.ink3, Qt.AlignmentFlag.AlignRight)
        for number in range(round(frame.last_step / frame.step) + 1):
            value = number * frame.step
            text = f"{value:,.0f}"
            x = min(frame.x(value), frame.area.right() - 4 - marks.text_width(text, font(11)) / 2)
            marks.put_text(painter, x, y, text, font(11), self.theme.ink3)

    def _paint_changes(self, painter: QPainter, frame: _Frame) -> None:
        """A flag at each step at which something was changed while running."""
        theme = self.theme
        for step, _ in self._history.changes if self._history is not None else ():
            x = frame.x(step)
            painter.setPen(QPen(QColor(theme.ink3), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QLineF(x, frame.loss.top() - 6, x, frame.heat.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ink2))
            y = frame.loss.top() - 6
            painter.drawPolygon(QPolygonF([QPointF(x, y - 4), QPointF(x + 8, y), QPointF(x, y + 4)]))

    def _paint_now(self, painter: QPainter, frame: _Frame, step: int) -> None:
        """The line at the current step and its grip."""
        theme, x = self.theme, frame.x(step)
        painter.setPen(QPen(QColor(theme.canvas), 3.5))
        painter.drawLine(QLineF(x, frame.loss.top() - 3, x, frame.heat.bottom()))
        painter.setPen(QPen(QColor(theme.ink1), 1.5))
        painter.drawLine(QLineF(x, frame.loss.top() - 3, x, frame.heat.bottom() + 2))
        grip = QRectF(x - 5.5, frame.heat.bottom() + 1, 11, 13)
        painter.setPen(QPen(QColor(theme.canvas), 1))
        painter.setBrush(QColor(theme.inverse))
        painter.drawRoundedRect(grip, 3.5, 3.5)
        if self.scrubbing_enabled:
            painter.setPen(QPen(QColor(theme.inverse_text), 1.2))
            painter.drawLines([QLineF(x + shift, grip.top() + 4, x + shift, grip.bottom() - 4) for shift in (-1.5, 1.5)])

    def _paint_curve_labels(self, painter: QPainter, frame: _Frame, losses: LossPlot) -> None:
        """The names of the curves and of the level of guessing, right of the plot: no line runs there, and none moves."""
        theme, used, x = self.theme, font(11), frame.loss.right() + 6
        room = frame.area.right() - 4 - x
        labels: list[tuple[float, str, str]] = []
        if losses.failed_at is None and self.snapshot is not None and self.snapshot.step > 0:
            both = losses.train_end is not None and losses.test_end is not None
            for end, label, ink in ((losses.train_end, "training" if both else "loss", theme.ink2), (losses.test_end, "test", theme.ink1)):
                if end is not None:
                    labels.append((end, label, ink))
        guessing = losses.guessing
        if guessing is not None and math.isfinite(guessing):
            value = f"{guessing:.3f}" if 1e-3 <= guessing < 1e3 else short(guessing)
            text = f"guessing {value}"
            labels.append((losses.y(guessing), text if marks.text_width(text, used) <= room else "guessing", theme.ink3))
        heights = marks.spread([y for y, _, _ in labels], 12.0, frame.loss.top() - 2, frame.loss.bottom() + 2)
        for height, (_, label, ink) in zip(heights, labels, strict=True):
            if marks.text_width(label, used) <= room:
                marks.put_text(painter, x, height, label, used, ink, Qt.AlignmentFlag.AlignLeft)
        if losses.failed_at is not None:
            x = losses.failed_at + 10 if losses.failed_at + 40 < frame.loss.right() else frame.loss.right() + 6
            marks.put_text(painter, x, frame.loss.top() + 10, "NaN", font(12, 600), theme.nan, Qt.AlignmentFlag.AlignLeft)

    # ---- pointing

    def _paint_pointed(self, painter: QPainter, frame: _Frame, at: QPointF) -> None:
        history, snapshot = self._history, self.snapshot
        if history is None or snapshot is None or len(history.steps) == 0:
            return
        flags = [change for change in history.changes if abs(frame.x(change[0]) + 3 - at.x()) <= 7]
        if flags and at.y() <= frame.loss.top() + 2:
            rows = [(f"step {step:,}", text) for step, text in flags[-MOST_FLAGS_TOLD:]]
            marks.paint_card(painter, self.theme, frame.area, at, "Changed while running", rows)
            return
        row = self._row_at(frame, at)
        if row is None:
            return
        step = int(history.steps[row])
        painter.setPen(QPen(QColor(self.theme.ink3), 1))
        painter.drawLine(QLineF(frame.x(step), frame.loss.top(), frame.x(step), frame.heat.bottom()))
        rows = [("loss", full(float(history.loss[row])))]
        tested = np.nonzero(history.test_steps <= step)[0]
        if len(tested):
            index = int(tested[-1])
            rows.append((f"test loss after step {int(history.test_steps[index]):,}", full(float(history.test_loss[index]))))
        layer = frame.layer_at(at.y())
        if layer is not None:
            name = snapshot.architecture.layers[layer - 1].name
            rows.append((f"{name}: typical |∂J/∂w|", full(float(history.gradient_rms[row, layer - 1]))))
        marks.paint_card(painter, self.theme, frame.area, at, f"Step {step:,}", rows)

    def _row_at(self, frame: _Frame, at: QPointF) -> int | None:
        """The row of the history that is drawn at a point."""
        history = self._history
        inside = frame.heat.left() <= at.x() <= frame.heat.right() and frame.loss.top() <= at.y() <= frame.heat.bottom()
        if history is None or len(history.steps) == 0 or not inside:
            return None
        step = (at.x() - frame.heat.left()) / frame.heat.width() * frame.last_step
        if step > float(history.steps[-1]) + frame.last_step / frame.heat.width() * 4:
            return None
        return min(len(history.steps) - 1, int(np.searchsorted(history.steps, step, side="left")))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if self._scrubbing:
            self._want_step(self._pointer)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        frame, at = self._frame(QRectF(self.rect())), event.position()
        if event.button() != Qt.MouseButton.LeftButton or self.snapshot is None:
            super().mousePressEvent(event)
            return
        layer = frame.layer_at(at.y())
        if layer is not None and at.x() < frame.heat.left():
            self.layer_selected.emit(layer)
        elif self.scrubbing_enabled and frame.heat.adjusted(-8, -GAP - frame.loss.height(), 8, 16).contains(at):
            self._scrubbing = True
            self._want_step(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._scrubbing = False
        super().mouseReleaseEvent(event)

    def _want_step(self, at: QPointF) -> None:
        frame = self._frame(QRectF(self.rect()))
        if self._history is None or len(self._history.steps) == 0:
            return
        step = round((at.x() - frame.heat.left()) / frame.heat.width() * frame.last_step)
        self.step_wanted.emit(min(int(self._history.steps[-1]), max(0, step)))

    # ---- numbers

    def table(self) -> Table:
        snapshot, history = self.snapshot, self._history
        names = tuple(f"gradient_rms_{layer.name}" for layer in snapshot.architecture.layers) if snapshot is not None else ()
        losses = ("loss", "loss_low", "loss_high", "test_step", "test_loss")
        columns = ("step", *losses, "gradient_norm", "gradient_norm_after_clipping", *names)
        if history is None or snapshot is None:
            return Table(columns, ())
        tests = np.searchsorted(history.steps, history.test_steps, side="left")  # the row in whose steps the test loss was measured
        measured = {int(row): index for index, row in enumerate(tests)}
        rows = []
        for row, step in enumerate(history.steps.tolist()):
            index = measured.get(row)
            test = (None, None) if index is None else (int(history.test_steps[index]), float(history.test_loss[index]))
            trained = (float(history.loss[row]), float(history.loss_low[row]), float(history.loss_high[row]))
            rows.append((step, *trained, *test, *history.total_norms[row].tolist(), *history.gradient_rms[row].tolist()))
        return Table(columns, tuple(rows))
