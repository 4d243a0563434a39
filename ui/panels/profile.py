"""The gradient profile: one bar per layer, exactly under the network's columns, on an axis that never rescales.

A bar is the RMS of a layer's ∂L/∂w, so it has the hue of the edges above it; circles add the |δ| of its units. Where a step
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
from ..numbers import full, power, ratio, short
from ..selection import Selection
from ..theme import blend, font
from . import marks
from .panel import Panel, Table

TOP, NAMES, ROW = 38.0, 12.0, 17.0  # plot below the panel's top; names below the plot; distance of the rows of numbers
GUTTER, RIGHT = 134.0, 94.0
MAX_BAR = 36.0
ROOMY_PITCH = 40.0  # below this only every fifth layer is named
NUMBER_ROOM = 64.0  # a value such as 8.4×10⁻⁹ and the space beside it
CIRCLES_FROM = 9.0  # pitch from which circles of radius 3 stand apart; closer, they are joined to a line
TICKS = (3, 0, -3, -6, -9)


@dataclass(frozen=True)
class Line:
    """A line drawn over the bars: values per layer, and what it stands for."""

    label: str
    values: NDArray[Any]


@dataclass(frozen=True)
class _Frame:
    """Where things stand in one drawing."""

    area: QRectF
    columns: Columns
    left: float
    right: float
    bottom: float

    @property
    def top(self) -> float:
        return self.area.top() + TOP

    def x(self, layer: float) -> float:
        return self.area.left() + self.columns.x(layer)

    def y(self, value: float) -> float:
        return self.bottom - colors.position(value) * (self.bottom - self.top)

    @property
    def bar(self) -> float:
        pitch = self.columns.pitch
        return min(MAX_BAR, 0.56 * pitch) if pitch >= CIRCLES_FROM else max(1.0, 0.75 * pitch)

    def box(self, layer: int, top: float, bottom: float) -> QRectF:
        """A layer's bar between two heights, cut at the ends of the plot: exports do not keep to a clip."""
        left, right = max(self.left, self.x(layer) - self.bar / 2), min(self.right, self.x(layer) + self.bar / 2)
        return QRectF(left, top, right - left, bottom - top)

    @property
    def shown(self) -> list[int]:
        """The layers whose columns lie in the plot."""
        return [n for n in self.columns.visible() if self.left - 1 <= self.x(n) <= self.right + 1]


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
        """Lay another run's ∂L/∂w per layer over the bars, dashed; None takes it away."""
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
        self._paint_axis(painter, frame)
        if snapshot is None or details is None:
            marks.paint_heading(painter, area, theme, self.title, ())
            self._paint_margin(painter, frame, None)
            middle = QPointF((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2)
            marks.put_text(painter, middle.x(), middle.y(), marks.NOTHING_YET, font(13), theme.ink2)
            if snapshot is not None:
                self._paint_names(painter, frame, snapshot, layer)
            self._paint_lines(painter, frame)
        else:
            self._paint_bars(painter, frame, snapshot, details)
            self._paint_lines(painter, frame)
            self._paint_circles(painter, frame, details)
            self._paint_margin(painter, frame, self._clipped_ends(frame, snapshot, details))
            label, at = self._line_label(frame, details)
            if at is not None:
                marks.put_text(painter, at.x(), at.y(), label, font(12, 500), theme.ink1, Qt.AlignmentFlag.AlignLeft)
            marks.paint_heading(painter, area, theme, self.title, self._captions(snapshot, label if at is None else ""))
            self._paint_names(painter, frame, snapshot, layer)
            self._paint_numbers(painter, frame, snapshot, details)
        painter.restore()

    def _frame(self, area: QRectF) -> _Frame:
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
        return _Frame(area, columns, area.left() + left, area.left() + max(left + 20, right), bottom)

    @property
    def _clips(self) -> bool:
        """Whether clipping is on: then there is a row of numbers for it at every step, so that nothing jumps."""
        return self.snapshot is not None and self.snapshot.spec.training.clip != "none"

    def _captions(self, snapshot: Snapshot, unlabelled: str) -> tuple[str, ...]:
        """What the heading says at the right, longest first; ``unlabelled`` is what found no room in the plot."""
        if snapshot.failure is not None and snapshot.failure.step == snapshot.step:
            return (f"step {snapshot.step:,}: the numbers left the range of floating point", f"step {snapshot.step:,}")
        more = f"; {unlabelled}" if unlabelled else ""
        return (f"bars: typical |∂L/∂w| of the weights entering each layer{more}", f"bars: typical |∂L/∂w|{more}", "bars: |∂L/∂w|")

    def _paint_band(self, painter: QPainter, frame: _Frame, layer: int) -> None:
        width = max(8.0, frame.columns.pitch)
        band = QRectF(frame.x(layer) - width / 2, frame.area.top() + 31, width, frame.area.height() - 36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(self.theme.ink1, self.theme.canvas, 0.045))
        painter.drawRoundedRect(band, 6, 6)

    def _paint_axis(self, painter: QPainter, frame: _Frame) -> None:
        theme = self.theme
        low, high = (frame.y(10.0**end) for end in colors.HEALTHY)
        zone = QColor(theme.zone)
        zone.setAlphaF(0.10)
        painter.fillRect(QRectF(frame.left, high, frame.right - frame.left, low - high), zone)
        step = 1 if frame.bottom - frame.top >= 56 else 2
        for number, exponent in enumerate(TICKS):
            y = frame.y(10.0**exponent)
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QLineF(frame.left, y, frame.right, y))
            if number % step == 0:
                marks.put_text(painter, frame.left - 8, y, power(exponent), font(11), theme.ink3, Qt.AlignmentFlag.AlignRight)
        painter.setPen(QPen(blend(theme.zone, theme.canvas, 0.5), 1, Qt.PenStyle.DotLine))
        painter.drawLines([QLineF(frame.left, y, frame.right, y) for y in (low, high)])

    def _paint_bars(self, painter: QPainter, frame: _Frame, snapshot: Snapshot, details: Details) -> None:
        theme, width = self.theme, frame.bar
        clipped = snapshot.clipped
        levels = colors.levels(details.clipped_rms if clipped else details.gradient_rms)
        for layer in frame.shown:
            before = float(details.gradient_rms[layer - 1])
            value = float(details.clipped_rms[layer - 1]) if clipped else before
            self._paint_bar(painter, frame, layer, value, int(levels[layer - 1]))
            if clipped and math.isfinite(before) and math.isfinite(value) and frame.y(before) < frame.y(value) - 0.5:
                ghost = frame.box(layer, frame.y(before), frame.y(value))
                faint = colors.color(colors.level(before), theme)
                faint.setAlphaF(0.22)
                painter.setBrush(faint)
                painter.setPen(QPen(QColor(theme.ink2), 1) if width >= 4 else QPen(Qt.PenStyle.NoPen))
                painter.drawRect(ghost)
                if before > 10.0**colors.HIGH:
                    marks.paint_arrowhead(painter, frame.x(layer), frame.top - 2, width, min(7.0, width), faint, QColor(theme.ink2))

    def _paint_bar(self, painter: QPainter, frame: _Frame, layer: int, value: float, level: int) -> None:
        theme, width = self.theme, frame.bar
        x = frame.x(layer)
        outline = QPen(QColor(theme.outline), 1) if width >= 4 else QPen(Qt.PenStyle.NoPen)
        if level == colors.NONFINITE:
            box = frame.box(layer, frame.top, frame.bottom)
            colors.paint_hatch(painter, box, theme)
            painter.setPen(QPen(QColor(theme.nan), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)
            if box.width() >= 26 and box.height() > 30:
                label = QRectF(box.left() + 1, box.center().y() - 9, box.width() - 2, 18)
                painter.fillRect(label, QColor(theme.nan_ground))
                marks.put_text(painter, label.center().x(), label.center().y(), short(value), font(11, 600), theme.nan)
        elif level == colors.ZERO:
            painter.fillRect(frame.box(layer, frame.bottom - 2, frame.bottom), QColor(theme.outline))
            if width >= 12:
                marks.put_text(painter, x, frame.bottom - 10, "0", font(11), theme.ink2)
        elif abs(value) < 10.0**colors.LOW:
            size = min(6.0, width)
            edge = QColor(theme.outline) if width >= 4 else None
            marks.paint_arrowhead(painter, x, frame.bottom - size - 1, width, -size, colors.color(level, theme), edge)
        else:
            painter.setPen(outline)
            painter.setBrush(colors.color(level, theme))
            box = frame.box(layer, frame.y(value), frame.bottom)
            if width >= 8 and box.height() >= 5:
                painter.drawRoundedRect(box, 2, 2)
            else:
                painter.drawRect(box)
            if abs(value) > 10.0**colors.HIGH:
                marks.paint_arrowhead(painter, x, frame.top - 2, width, min(7.0, width), colors.color(level, theme), QColor(theme.outline))

    def _paint_margin(self, painter: QPainter, frame: _Frame, ends: tuple[float, float] | None) -> None:
        """At the right: where the healthy zone is, and which end of the last bar is before and which after clipping."""
        theme, used = self.theme, font(11)
        start = frame.right + 8
        room = frame.area.right() - start - 4
        wanted = [(frame.y(1e-4) + frame.y(1.0)) / 2] + [frame.y(end) for end in ends or ()]
        heights = marks.spread(wanted, 13.0, frame.top - 6, frame.bottom + 2)
        marks.put_text(painter, start, heights[0], "healthy", font(12), theme.ink2, Qt.AlignmentFlag.AlignLeft)
        edge = frame.x(frame.columns.layers) + frame.bar / 2 + 3
        for end, height, texts in zip(wanted[1:], heights[1:], (("before clipping", "before"), ("after clipping", "after")), strict=False):
            text = texts[0] if marks.text_width(texts[0], used) <= room else texts[1]
            painter.setPen(QPen(QColor(theme.ink3), 1))
            painter.drawLine(QLineF(edge, end, start - 4, height))
            marks.put_text(painter, start, height, text, used, theme.ink1, Qt.AlignmentFlag.AlignLeft)

    def _clipped_ends(self, frame: _Frame, snapshot: Snapshot, details: Details) -> tuple[float, float] | None:
        """The last bar before and after clipping, where both can be seen."""
        before, after = float(details.gradient_rms[-1]), float(details.clipped_rms[-1])
        seen = snapshot.clipped and frame.columns.layers in frame.shown and math.isfinite(before) and math.isfinite(after)
        return (before, after) if seen and frame.y(before) < frame.y(after) - 0.5 else None

    # ---- lines over the bars

    def _lines(self) -> list[tuple[Line, Qt.PenStyle, str]]:
        """The lines there are, how they are drawn, and what their label calls them."""
        found = []
        if self.theory is not None:
            found.append((Line(*self.theory), Qt.PenStyle.DotLine, "dotted"))
        if self._reference is not None:
            found.append((Line(*self._reference), Qt.PenStyle.DashLine, "dashed"))
        return found

    def _points(self, frame: _Frame, values: NDArray[Any]) -> list[QPointF]:
        """A place for each shown layer whose value has one."""
        sizes = [(n, abs(float(values[n - 1]))) for n in frame.shown if n <= len(values)]
        return [QPointF(frame.x(n), frame.y(size)) for n, size in sizes if math.isfinite(size)]

    def _paint_lines(self, painter: QPainter, frame: _Frame) -> None:
        for line, style, _ in self._lines():
            points = QPolygonF(self._points(frame, line.values))
            painter.setPen(QPen(QColor(self.theme.canvas), 3.6))  # a casing, so that the line is seen on every bar
            painter.drawPolyline(points)
            pen = QPen(QColor(self.theme.ink1), 1.8)
            pen.setDashPattern([1.5 / 1.8, 5 / 1.8] if style == Qt.PenStyle.DotLine else [6 / 1.8, 4 / 1.8])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawPolyline(points)

    def _paint_circles(self, painter: QPainter, frame: _Frame, details: Details) -> None:
        theme, deltas = self.theme, details.delta_rms
        if frame.columns.pitch < CIRCLES_FROM:
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

    def _line_label(self, frame: _Frame, details: Details) -> tuple[str, QPointF | None]:
        """One label for circles and lines, and its place above them at the left end, where it moves only as they do.

        The place is None when there is no room for it.
        """
        drawn = "circles" if frame.columns.pitch >= CIRCLES_FROM else "line"
        points = self._points(frame, details.delta_rms)
        if not points:
            return "", None
        label = "; ".join([f"{drawn}: typical |δ| of the units", *(f"{word}: {line.label}" for line, _, word in self._lines())])
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

    def _named(self, frame: _Frame, room: float) -> list[int]:
        """The layers that get a name or a number: first, last and as many between as ``room`` allows."""
        pitch, last = frame.columns.pitch, frame.columns.layers
        fewest = 1 if pitch >= ROOMY_PITCH else 5
        stride = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s >= fewest and s * pitch >= room), 1000)
        named = [n for n in range(1, last + 1) if n in (1, last) or n % stride == 0]
        apart = [n for n in named if n in (1, last) or ((n - 1) * pitch >= room and (last - n) * pitch >= room)]
        if len(apart) == 2 and (last - 1) * pitch < room:
            apart = [last]
        return [n for n in apart if n in frame.shown]

    def _paint_names(self, painter: QPainter, frame: _Frame, snapshot: Snapshot, selected: int) -> None:
        theme = self.theme
        pitch = frame.columns.pitch
        names = self._named(frame, 32.0 if pitch >= ROOMY_PITCH else NUMBER_ROOM)
        if selected in frame.shown and selected not in names:
            names = [n for n in names if abs(n - selected) * pitch >= 34] + [selected]
        for n in names:
            used, ink = (font(12, 600), theme.ink1) if n == selected else (font(12), theme.ink2)
            marks.put_text(painter, frame.x(n), frame.bottom + NAMES, snapshot.architecture.layers[n - 1].name, used, ink)

    def _paint_numbers(self, painter: QPainter, frame: _Frame, snapshot: Snapshot, details: Details) -> None:
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

    def _paint_row_label(self, painter: QPainter, frame: _Frame, y: float, label: str, room: float) -> None:
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
        rows = [("typical |∂L/∂w| (RMS)", full(float(details.gradient_rms[n])))]
        if snapshot.clipped:
            rows.append(("the same after clipping", full(float(details.clipped_rms[n]))))
        rows.append(("norm ‖∂L/∂W‖", full(float(snapshot.gradient_norms[n]))))
        if snapshot.clipped:
            rows.append(("norm after clipping", full(float(snapshot.clipped_norms[n]))))
        rows.append(("typical |δ| of a unit", full(float(details.delta_rms[n]))))
        rows.append(("norm ‖∂L/∂z‖", full(float(snapshot.delta_norms[n]))))
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
