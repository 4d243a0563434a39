"""The gradient profile: one bar per layer, exactly under the network's columns, on an axis that never rescales.

A bar is the RMS of a layer's ∂J/∂w, so it has the hue of the edges above it; circles add the |∂J/∂z| of its units. Where a step
was clipped, the bar before clipping stays as an outline behind the solid bar after it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Details, Snapshot

from .. import colors
from ..canvas.columns import Columns
from ..numbers import full, ratio, short
from ..selection import Selection
from ..theme import blend, font
from . import marks
from .bars import CIRCLES_FROM, TOP, Frame, clipped_ends, paint_axis, paint_bars, paint_margin
from .panel import Panel, Table

NAMES, ROW = 12.0, 17.0  # names below the plot; distance of the rows of numbers
GUTTER, RIGHT = 134.0, 94.0
ROOMY_PITCH = 40.0  # below this only every fifth layer is named
NUMBER_ROOM = 64.0  # a value such as 8.4×10⁻⁹ and the space beside it


@dataclass(frozen=True)
class Line:
    """A line drawn over the bars: values per layer, and what it stands for."""

    label: str
    values: NDArray[Any]


class ProfilePanel(Panel):
    """The gradient of each layer. Page Up and Page Down go from layer to layer."""

    name = "gradients"
    title = "Gradient per layer"

    layer_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theory: tuple[str, NDArray[Any]] | None = None
        self._reference: tuple[str, NDArray[Any]] | None = None
        self._columns: Columns | None = None
        self._selection: Selection | None = None
        self._hovered: int | None = None
        self._pointer = QPointF()
        self._focused_by_key = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 132)

    def sizeHint(self) -> QSize:
        return QSize(976, 220)

    def set_columns(self, columns: Columns) -> None:
        """Stand exactly under these columns of the network."""
        self._columns = columns
        self.update()

    def set_reference(self, label: str, values: NDArray[Any] | None) -> None:
        """Lay another run's ∂J/∂w per layer over the bars, dashed; None takes it away."""
        self._reference = None if values is None else (label, values)
        self.update()

    def select(self, selection: Selection | None) -> None:
        """Mark the layer of what is selected; says nothing."""
        self._selection = selection
        self.update()

    def clear(self) -> None:
        self._hovered = None
        super().clear()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        self.paint_to(painter, area)
        if self.snapshot is not None and self._hovered is not None and self._hovered <= len(self.snapshot.architecture.layers):
            title, rows = self._exact(self.snapshot, self._hovered)
            marks.paint_card(painter, self.theme, area, self._pointer, title, rows)
        if self.hasFocus() and self._focused_by_key:
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, snapshot = self.theme, self.snapshot
        painter.save()
        painter.fillRect(area, QColor(theme.canvas))
        frame = self._frame(area)
        details = snapshot.details if snapshot is not None else None
        layer = self._selection.layer if self._selection is not None else 0
        if snapshot is not None and layer in frame.shown:
            self._paint_band(painter, frame, layer)
        paint_axis(painter, frame, theme)
        if snapshot is None or details is None:
            marks.paint_heading(painter, area, theme, self.title, ())
            paint_margin(painter, frame, theme, None)
            middle = QPointF((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2)
            marks.put_text(painter, middle.x(), middle.y(), marks.NOTHING_YET, font(13), theme.ink2)
            if snapshot is not None:
                self._paint_names(painter, frame, snapshot, layer)
            self._paint_lines(painter, frame)
        else:
            paint_bars(painter, frame, theme, snapshot, details)
            self._paint_lines(painter, frame)
            self._paint_circles(painter, frame, details)
            paint_margin(painter, frame, theme, clipped_ends(frame, snapshot, details))
            label, at = self._line_label(frame, details)
            if at is not None:
                marks.put_text(painter, at.x(), at.y(), label, font(12, 500), theme.ink1, Qt.AlignmentFlag.AlignLeft)
            marks.paint_heading(painter, area, theme, self.title, self._captions(snapshot, label if at is None else ""))
            self._paint_names(painter, frame, snapshot, layer)
            self._paint_numbers(painter, frame, snapshot, details)
        painter.restore()

    def _frame(self, area: QRectF) -> Frame:
        snapshot = self.snapshot
        layers = len(snapshot.architecture.layers) if snapshot is not None else 1
        fitted = Columns(area.width(), layers)
        given = self._columns
        same = given is not None and given.layers == layers and abs(given.width - area.width()) < 0.5
        columns = given if same and given is not None else fitted
        rows = 2 + self._clips
        bottom = max(area.top() + TOP + 20, area.bottom() - 26 - ROW * rows)
        left = min(GUTTER, fitted.x(0.5))
        right = max(area.width() - RIGHT, fitted.x(layers + 0.5))
        return Frame(area, columns, area.left() + left, area.left() + max(left + 20, right), bottom)

    @property
    def _clips(self) -> bool:
        """Whether clipping is on: then there is a row of numbers for it at every step, so that nothing jumps."""
        return self.snapshot is not None and self.snapshot.spec.training.clip != "none"

    def _captions(self, snapshot: Snapshot, unlabelled: str) -> tuple[str, ...]:
        """What the heading says at the right, longest first; ``unlabelled`` is what found no room in the plot."""
        if snapshot.failure is not None and snapshot.failure.step == snapshot.step:
            return (f"step {snapshot.step:,}: the numbers left the range of floating point", f"step {snapshot.step:,}")
        more = f"; {unlabelled}" if unlabelled else ""
        return (f"bars: typical |∂J/∂w| of the weights into each layer{more}", f"bars: typical |∂J/∂w|{more}", "bars: |∂J/∂w|")

    def _paint_band(self, painter: QPainter, frame: Frame, layer: int) -> None:
        width = max(8.0, frame.pitch)
        band = QRectF(frame.x(layer) - width / 2, frame.area.top() + 31, width, frame.area.height() - 36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(self.theme.ink1, self.theme.canvas, 0.045))
        painter.drawRoundedRect(band, 6, 6)

    # ---- lines over the bars

    def _lines(self) -> list[tuple[Line, Qt.PenStyle, str]]:
        """The lines there are, how they are drawn, and what their label calls them."""
        found = []
        if self.theory is not None:
            found.append((Line(*self.theory), Qt.PenStyle.DotLine, "dotted"))
        if self._reference is not None:
            found.append((Line(*self._reference), Qt.PenStyle.DashLine, "dashed"))
        return found

    def _points(self, frame: Frame, values: NDArray[Any]) -> list[QPointF]:
        """A place for each shown layer whose value has one."""
        sizes = [(n, abs(float(values[n - 1]))) for n in frame.shown if n <= len(values)]
        return [QPointF(frame.x(n), frame.y(size)) for n, size in sizes if math.isfinite(size)]

    def _paint_lines(self, painter: QPainter, frame: Frame) -> None:
        for line, style, _ in self._lines():
            points = QPolygonF(self._points(frame, line.values))
            painter.setPen(QPen(QColor(self.theme.canvas), 3.6))  # a casing, so that the line is seen on every bar
            painter.drawPolyline(points)
            pen = QPen(QColor(self.theme.ink1), 1.8)
            pen.setDashPattern([1.5 / 1.8, 5 / 1.8] if style == Qt.PenStyle.DotLine else [6 / 1.8, 4 / 1.8])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawPolyline(points)

    def _paint_circles(self, painter: QPainter, frame: Frame, details: Details) -> None:
        theme, deltas = self.theme, details.delta_rms
        if frame.pitch < CIRCLES_FROM:
            painter.setPen(QPen(QColor(theme.ink1), 1.2))
            painter.drawPolyline(QPolygonF([point for point in self._points(frame, deltas) if point.y() < frame.bottom]))
            return
        for layer in frame.shown:
            size = abs(float(deltas[layer - 1]))
            if not math.isfinite(size) or (size == 0.0 and float(details.gradient_rms[layer - 1]) == 0.0):
                continue  # where both are exactly 0, the foot of the bar says so
            at = QPointF(frame.x(layer), frame.y(size))
            painter.setBrush(QColor(theme.canvas))
            painter.setPen(QPen(QColor(theme.ink1), 1.4))
            if 0.0 < size < 10.0**colors.LOW:
                marks.paint_arrowhead(painter, at.x(), at.y() - 7, 7, -6, QColor(theme.canvas), QColor(theme.ink1))
            elif size > 10.0**colors.HIGH:
                marks.paint_arrowhead(painter, at.x(), at.y() + 7, 7, 6, QColor(theme.canvas), QColor(theme.ink1))
            else:
                painter.drawEllipse(at, 3.0, 3.0)
                if size == 0.0:
                    painter.drawLine(QLineF(at.x() - 4, at.y() + 4, at.x() + 4, at.y() - 4))

    def _line_label(self, frame: Frame, details: Details) -> tuple[str, QPointF | None]:
        """One label for circles and lines, and its place above them at the left end, where it moves only as they do.

        The place is None when there is no room for it.
        """
        drawn = "circles" if frame.pitch >= CIRCLES_FROM else "line"
        points = self._points(frame, details.delta_rms)
        if not points:
            return "", None
        label = "; ".join([f"{drawn}: typical |∂J/∂z| of the units", *(f"{word}: {line.label}" for line, _, word in self._lines())])
        left = max(frame.left + 4, points[0].x() - frame.bar / 2)
        right = left + marks.text_width(label, font(12, 500))
        for line, _, _ in self._lines():
            points += self._points(frame, line.values)
        points += self._points(frame, details.gradient_rms)
        covered = [point.y() for point in points if left - 20 <= point.x() <= right + 20]
        hatched = any(left - 20 <= frame.x(n) <= right + 20 and not math.isfinite(float(details.gradient_rms[n - 1])) for n in frame.shown)
        y = min([*covered, frame.bottom - 12.0]) - 14
        if hatched or y < frame.top + 6 or right > frame.right:
            return label, None
        return label, QPointF(left, y)

    # ---- names and numbers under the bars

    def _named(self, frame: Frame, room: float) -> list[int]:
        """The layers that get a name or a number: first, last and as many between as ``room`` allows."""
        pitch, last = frame.pitch, frame.columns.layers
        fewest = 1 if pitch >= ROOMY_PITCH else 5
        stride = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s >= fewest and s * pitch >= room), 1000)
        named = [n for n in range(1, last + 1) if n in (1, last) or n % stride == 0]
        apart = [n for n in named if n in (1, last) or ((n - 1) * pitch >= room and (last - n) * pitch >= room)]
        if len(apart) == 2 and (last - 1) * pitch < room:
            apart = [last]
        return [n for n in apart if n in frame.shown]

    def _paint_names(self, painter: QPainter, frame: Frame, snapshot: Snapshot, selected: int) -> None:
        theme = self.theme
        pitch = frame.pitch
        names = self._named(frame, 32.0 if pitch >= ROOMY_PITCH else NUMBER_ROOM)
        if selected in frame.shown and selected not in names:
            names = [n for n in names if abs(n - selected) * pitch >= 34] + [selected]
        for n in names:
            used, ink = (font(12, 600), theme.ink1) if n == selected else (font(12), theme.ink2)
            marks.put_text(painter, frame.x(n), frame.bottom + NAMES, snapshot.architecture.layers[n - 1].name, used, ink)

    def _paint_numbers(self, painter: QPainter, frame: Frame, snapshot: Snapshot, details: Details) -> None:
        theme = self.theme
        named = self._named(frame, NUMBER_ROOM)
        rows = [("value", details.gradient_rms)]
        if self._clips:
            rows = [("before", details.gradient_rms), ("clipped", details.clipped_rms)]
        small, strong = font(12), font(12, 500)
        y = frame.bottom + NAMES
        room = frame.x(named[0]) - NUMBER_ROOM / 2 - frame.area.left() if named else 0.0
        for label, values in rows:
            y += ROW
            self._paint_row_label(painter, frame, y, label, room)
            for n in named:
                value = float(values[n - 1])
                ink = theme.ink1 if math.isfinite(value) else theme.nan
                marks.put_text(painter, frame.x(n), y, short(value), strong, ink)
        y += ROW
        neighbours = all(b - a == 1 for a, b in itertools.pairwise(named))
        self._paint_row_label(painter, frame, y, "ratio" if neighbours else "per layer", room)
        for a, b in itertools.pairwise(named):
            passed = _passed_on(details.gradient_rms, a, b)
            if math.isfinite(passed):
                marks.put_text(painter, (frame.x(a) + frame.x(b)) / 2, y, ratio(passed), small, theme.ink3)

    def _paint_row_label(self, painter: QPainter, frame: Frame, y: float, label: str, room: float) -> None:
        width = marks.text_width(label, font(12))
        right = min(frame.left - 8, frame.area.left() + room - 4)
        if right - width >= frame.area.left() + 4:
            marks.put_text(painter, right, y, label, font(12), self.theme.ink3, Qt.AlignmentFlag.AlignRight)

    # ---- numbers

    def _exact(self, snapshot: Snapshot, layer: int) -> tuple[str, list[tuple[str, str]]]:
        """Title and rows of the card for one layer."""
        details, n = snapshot.details, layer - 1
        title = f"{snapshot.architecture.layers[n].name}, step {snapshot.step:,}"
        if details is None:
            return title, [("gradient", "not measured yet")]
        rows = [("typical |∂J/∂w| (RMS)", full(float(details.gradient_rms[n])))]
        if snapshot.clipped:
            rows.append(("the same after clipping", full(float(details.clipped_rms[n]))))
        rows.append(("norm ‖∂J/∂W‖", full(float(snapshot.gradient_norms[n]))))
        if snapshot.clipped:
            rows.append(("norm after clipping", full(float(snapshot.clipped_norms[n]))))
        rows.append(("typical |∂J/∂z| of a unit", full(float(details.delta_rms[n]))))
        rows.append(("norm ‖∂J/∂z‖", full(float(snapshot.delta_norms[n]))))
        return title, rows

    def table(self) -> Table:
        gradients = ("gradient_rms", "gradient_rms_after_clipping", "gradient_norm", "gradient_norm_after_clipping")
        columns = ("layer", *gradients, "delta_rms", "delta_norm", "ratio_to_next_layer")
        snapshot = self.snapshot
        if snapshot is None or snapshot.details is None:
            return Table(columns, ())
        details, layers = snapshot.details, snapshot.architecture.layers
        rows = []
        for n, info in enumerate(layers):
            norms = (snapshot.gradient_norms, snapshot.clipped_norms)
            numbers = (details.gradient_rms, details.clipped_rms, *norms, details.delta_rms, snapshot.delta_norms)
            passed = _passed_on(details.gradient_rms, n + 1, n + 2) if n + 1 < len(layers) else None
            rows.append((info.name, *(float(values[n]) for values in numbers), passed))
        return Table(columns, tuple(rows))

    # ---- mouse and keys

    def _layer_at(self, position: QPointF) -> int | None:
        if self.snapshot is None:
            return None
        frame = self._frame(QRectF(self.rect()))
        layer = frame.columns.column_at(position.x())
        inside = frame.left - 4 <= position.x() <= frame.right + 4 and position.y() >= frame.top - 8
        return layer if inside and layer in frame.shown else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self._hovered = self._layer_at(self._pointer)
        self.setCursor(Qt.CursorShape.ArrowCursor if self._hovered is None else Qt.CursorShape.PointingHandCursor)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layer = self._layer_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and layer is not None:
            self.layer_selected.emit(layer)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}.get(Qt.Key(event.key()))
        if step is None or self.snapshot is None:
            super().keyPressEvent(event)
            return
        last = len(self.snapshot.architecture.layers)
        layer = self._selection.layer + step if self._selection is not None else (1 if step > 0 else last)
        self.layer_selected.emit(min(last, max(1, layer)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)


def _passed_on(values: NDArray[Any], layer: int, later: int) -> float:
    """What each layer between the two passes on going backwards: their ratio, or its geometric mean over several layers."""
    near, far = float(values[later - 1]), float(values[layer - 1])
    if not (math.isfinite(near) and math.isfinite(far)) or near == 0.0:
        return math.nan
    if far == 0.0:
        return 0.0
    return float(np.exp((math.log(far) - math.log(near)) / (later - layer)))
