"""The network: columns of units coloured by their gradient, edges between them, and everything that can be done with mouse and keys.

While it plays, a frame costs table look-ups only; a still is drawn with true lines once and kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..colors import UNKNOWN, levels
from ..legend import paint_legend
from ..numbers import short
from ..panels.panel import Panel, Table
from ..selection import Selection
from ..theme import Theme
from . import marks
from .card import card_of, paint_card
from .columns import Columns
from .edges import LINES_AT_MOST, EdgeIndex, paint_lines
from .layout import LEGEND_ROOM, Layout
from .units import StripIndex, paint_units

HOVER_MS = 250
DRAG_FROM = 4  # pixels the mouse may tremble in a click
ZOOM_STEP = 1.25
EXPORT_SCALE = 2.0  # device pixels per logical one of what is a picture even in a vector file


class _Levels(NamedTuple):
    """The levels of one snapshot, all layers one after the other."""

    edges: NDArray[np.uint8]
    units: NDArray[np.uint8]


class NetworkCanvas(Panel):
    """The drawing of the network, live."""

    name = "network"
    title = "Network"

    selection_changed = Signal(object)  # Selection or None, by the user
    layer_menu_wanted = Signal(int, QPoint)  # number of a hidden layer, global position
    columns_changed = Signal(object)  # Columns, after zoom, scroll, resize or another architecture
    inspect_wanted = Signal(object)  # (layer, row, column) of the hovered block of edges, or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.show_legend = True
        self.true_lines = False  # the widget is being rendered into an export
        self.top_inset = 0.0  # room for what others lay over the top, under the legend
        self.columns = Columns(1.0, 1)
        self.selection: Selection | None = None
        self._hover: Selection | None = None
        self._card_shown = False
        self._mouse = QPointF()
        self._pressed: QPointF | None = None
        self._dragged = False
        self._inspected: tuple[int, int, int] | None = None
        self._layout: Layout | None = None
        self._edge_index: EdgeIndex | None = None
        self._strips: StripIndex | None = None
        self._backdrop: tuple[object, QPixmap] | None = None
        self._still: tuple[object, NDArray[np.uint8], QPixmap] | None = None
        self._described: tuple[object, ...] | None = None
        self._hover_delay = QTimer(self)
        self._hover_delay.setSingleShot(True)
        self._hover_delay.setInterval(HOVER_MS)
        self._hover_delay.timeout.connect(self._show_card)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(976, 416)

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        before = self.snapshot
        super().show_snapshot(snapshot)
        if before is None or before.architecture != snapshot.architecture:
            self._hover = None
            self._layout = None
            if before is None or len(before.architecture.layers) != len(snapshot.architecture.layers):
                self.set_columns(Columns(float(self.width()), len(snapshot.architecture.layers)))
            if self.selection is not None and not _exists(self.selection, snapshot):
                self._pick(None)
        self._describe(snapshot)

    def clear(self) -> None:
        super().clear()
        self._layout = self._edge_index = self._strips = None
        self._hover = None

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._backdrop = self._still = None

    def _describe(self, snapshot: Snapshot) -> None:
        """One sentence for screen readers; while it plays not at every frame, for nobody could listen."""
        state = (snapshot.playing, snapshot.architecture, snapshot.step if not snapshot.playing else snapshot.step // 100)
        if state != self._described:
            self._described = state
            self.setAccessibleDescription(describe(snapshot))

    # ---- geometry

    def _place(self, columns: Columns, height: float, inset: float) -> Layout:
        assert self.snapshot is not None
        snapshot = self.snapshot
        normed = any(layer.batch_norm for layer in snapshot.architecture.layers)
        top = (LEGEND_ROOM if self.show_legend else 8.0) + (inset + 6.0 if inset else 0.0)
        clips = snapshot.spec.training.clip != "none"
        return Layout(snapshot.architecture, columns, height, top, normed or clips or columns.pitch < marks.MARKS_FROM, clips)

    def _current_layout(self) -> Layout:
        """The geometry on the screen, and the pixel indices that belong to it, rebuilt only when something has moved."""
        layout = self._place(self.columns, float(self.height()), self.top_inset)
        scale = self.devicePixelRatioF()
        if self._layout is None or not _same_place(layout, self._layout) or self._strips is None or self._strips.scale != scale:
            self._layout, self._edge_index = layout, None
            self._strips = StripIndex(layout, scale)
            self._backdrop = self._still = None
        return self._layout

    def set_columns(self, columns: Columns) -> None:
        """Zoom and scroll to these columns."""
        if columns != self.columns:
            self.columns = columns
            self._layout = None
            self.columns_changed.emit(columns)
            self.update()

    def fit(self) -> None:
        """Show the whole network."""
        self.set_columns(Columns(self.columns.width, self.columns.layers))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_columns(self.columns.resized(float(self.width())))

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self.theme.canvas))
        snapshot = self.snapshot
        if snapshot is None:
            self._paint_legend(painter, float(self.width()), None)
            return
        layout = self._current_layout()
        assert self._strips is not None
        found = _levels_of(snapshot)
        if self.true_lines:
            marks.paint_static(painter, layout, self.theme, self._selected_layer())
            paint_lines(painter, layout, found.edges, self.theme)
        else:
            painter.drawPixmap(QPointF(0, 0), self._static(layout))
            self._paint_edges(painter, layout, snapshot, found.edges)
        self._paint_live(painter, layout, snapshot, found, self._strips, None if self.true_lines else self.devicePixelRatioF())
        self._paint_selection(painter, layout)
        self._paint_legend(painter, float(self.width()), snapshot)
        if self._card_shown and self._hover is not None and not self.true_lines:
            area = QRectF(self.rect()).adjusted(0, LEGEND_ROOM, 0, 0)
            paint_card(painter, card_of(layout, snapshot, self._hover), self._mouse, area, self.theme)
        if self.hasFocus() and not self.true_lines:
            painter.setPen(QColor(self.theme.ink3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(area.topLeft())
        painter.setClipRect(QRectF(0, 0, area.width(), area.height()))
        painter.fillRect(QRectF(0, 0, area.width(), area.height()), QColor(self.theme.canvas))
        snapshot = self.snapshot
        if snapshot is not None:
            layout = self._place(Columns(area.width(), len(snapshot.architecture.layers)), area.height(), 0.0)
            found = _levels_of(snapshot)
            marks.paint_static(painter, layout, self.theme, self._selected_layer())
            paint_lines(painter, layout, found.edges, self.theme)
            self._paint_live(painter, layout, snapshot, found, StripIndex(layout, EXPORT_SCALE), None)
            self._paint_selection(painter, layout)
        self._paint_legend(painter, area.width(), snapshot)
        painter.restore()

    def _paint_legend(self, painter: QPainter, right: float, snapshot: Snapshot | None) -> None:
        if self.show_legend:
            details = snapshot.details if snapshot is not None else None
            ticks = [] if details is None else [float(value) for value in details.gradient_rms]
            paint_legend(painter, QPointF(right - 16, 4), self.theme, ticks)

    def _static(self, layout: Layout) -> QPixmap:
        key = (self._selected_layer(),)
        if self._backdrop is None or self._backdrop[0] != key:
            pixmap, painter = self._new_pixmap()
            marks.paint_static(painter, layout, self.theme, self._selected_layer())
            painter.end()
            self._backdrop = (key, pixmap)
        return self._backdrop[1]

    def _new_pixmap(self) -> tuple[QPixmap, QPainter]:
        scale = self.devicePixelRatioF()
        pixmap = QPixmap((QSize(self.width(), self.height()).toSizeF() * scale).toSize())
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        return pixmap, painter

    def _paint_edges(self, painter: QPainter, layout: Layout, snapshot: Snapshot, found: NDArray[np.uint8]) -> None:
        if not layout.has_edges:
            return
        visible = layout.visible_layers()
        count = int(layout.edge_starts[visible.stop - 1] - layout.edge_starts[visible.start - 1])
        if snapshot.playing or self._pressed is not None or count > LINES_AT_MOST:
            if self._edge_index is None:
                self._edge_index = EdgeIndex(layout, self.devicePixelRatioF())
            self._edge_index.paint(painter, found, self.theme)
            return
        if self._still is None or self._still[0] is not layout or not np.array_equal(self._still[1], found):
            pixmap, into = self._new_pixmap()
            paint_lines(into, layout, found, self.theme)
            into.end()
            self._still = (layout, found, pixmap)
        painter.drawPixmap(QPointF(0, 0), self._still[2])

    def _paint_live(
        self, painter: QPainter, layout: Layout, snapshot: Snapshot, found: _Levels, strips: StripIndex, scale: float | None
    ) -> None:
        details, theme = snapshot.details, self.theme
        marks.paint_loss(painter, layout, snapshot, found.units[layout.unit_slice(layout.depth)], theme)
        strips.paint(painter, None if details is None else details.unit_deltas, theme)
        paint_units(painter, layout, found.units, theme, scale)
        marks.paint_arcs(painter, layout, None if details is None else details.skip_gradients, theme)
        marks.paint_output_map(painter, layout, snapshot.prediction, theme)
        if snapshot.clipped:
            marks.paint_clip_marks(painter, layout, theme)
        if details is None:
            marks.paint_invitation(painter, layout, theme)

    def _selected_layer(self) -> int | None:
        return self.selection.layer if self.selection is not None and self.selection.layer >= 1 else None

    def _paint_selection(self, painter: QPainter, layout: Layout) -> None:
        for picked in (self._hover if self._card_shown and not self.true_lines else None, self.selection):
            if picked is None:
                continue
            if picked.kind == "unit" and 1 <= picked.layer <= layout.depth:
                self._mark_end(painter, layout, picked.layer, picked.unit, layout.units(picked.layer))
            elif picked.kind == "edge" and layout.has_edges:
                gap = layout.gap(picked.layer)
                line = QLineF(gap.x0, float(gap.y0[picked.source]), gap.x1, float(gap.y1[picked.unit]))
                marks.paint_picked_edge(painter, line, self.theme)
                self._mark_end(painter, layout, picked.layer - 1, picked.source, len(gap.y0))
                self._mark_end(painter, layout, picked.layer, picked.unit, len(gap.y1))

    def _mark_end(self, painter: QPainter, layout: Layout, column: int, index: int, count: int) -> None:
        """Ring a unit, or frame its row in a strip."""
        y = float(layout.anchors(column, count)[index])
        if layout.is_strip(column):
            strip = layout.strip(column)
            high = strip.height() / count
            marks.paint_row_frame(painter, QRectF(strip.left(), y - high / 2, strip.width(), high), self.theme)
            return
        centre = QPointF(layout.columns.x(column), y)
        if column == 0:
            marks.paint_row_frame(painter, QRectF(centre.x() - layout.input_size / 2, y - layout.input_size / 2, layout.input_size, layout.input_size), self.theme)
        else:
            marks.paint_ring(painter, centre, layout.radius + 3.5, self.theme)

    # ---- selection

    def select(self, selection: Selection | None) -> None:
        """Show this as picked, without a signal; what the network does not have clears the selection."""
        if selection is not None and (self.snapshot is None or not _exists(selection, self.snapshot)):
            selection = None
        if selection != self.selection:
            self.selection = selection
            self.update()

    def _pick(self, selection: Selection | None) -> None:
        if selection != self.selection:
            self.select(selection)
            self.selection_changed.emit(self.selection)

    def select_weakest(self) -> None:
        """Pick the weight into the first layer with the smallest gradient that is not exactly zero."""
        if self.snapshot is None or self.snapshot.details is None:
            return
        info = self.snapshot.architecture.layers[0]
        sizes = np.abs(self.snapshot.details.edge_gradients[: info.edge_rows * info.edge_columns])
        usable = np.where((sizes > 0) & np.isfinite(sizes), sizes, np.inf)
        weakest = int(np.argmin(usable))
        if np.isfinite(usable[weakest]):
            source, unit = divmod(weakest, info.edge_columns)
            self._pick(Selection("edge", 1, unit, source))
            self._reveal(1)

    def _reveal(self, layer: int) -> None:
        """Scroll as little as brings the layer into sight."""
        x, margin = self.columns.x(layer), min(100.0, self.columns.width / 4)
        if x < margin:
            self.set_columns(self.columns.scrolled(x - margin))
        elif x > self.columns.width - margin:
            self.set_columns(self.columns.scrolled(x - self.columns.width + margin))

    def _target_at(self, point: QPointF) -> Selection | None:
        """What lies under the mouse: a unit before an edge, an edge before a column."""
        snapshot = self.snapshot
        if snapshot is None:
            return None
        layout = self._current_layout()
        unit = layout.unit_at(point)
        if unit is not None:
            return Selection("unit", *unit)
        details = snapshot.details
        edge = layout.edge_at(point, None if details is None else details.edge_gradients != 0)
        if edge is not None:
            return Selection("edge", edge[0], edge[2], edge[1])
        layer = layout.layer_at(point)
        return None if layer is None else Selection("layer", layer)

    # ---- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        if self._pressed is None:
            self._hover_at(point)
            return
        if self._dragged or abs(point.x() - self._pressed.x()) > DRAG_FROM:
            if not self._dragged:
                self._dragged = True
                self._leave()
                if self.columns.largest_offset > 0:
                    self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.set_columns(self.columns.scrolled(self._pressed.x() - point.x()))
            self._pressed = point

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            super().mouseReleaseEvent(event)
            return
        if not self._dragged:
            self._pick(self._target_at(event.position()))
        self._pressed = None
        self.unsetCursor()
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._target_at(event.position()) is None:
            self.fit()
        else:
            super().mouseDoubleClickEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        sideways = delta.x() if delta.x() else delta.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0
        if sideways:
            self.set_columns(self.columns.scrolled(-sideways))
        else:
            self.set_columns(self.columns.zoomed(ZOOM_STEP ** (delta.y() / 120), event.position().x()))
        self._hover_at(event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._leave()
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.snapshot is None:
            return
        layer, position = None, event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            layer = self._selected_layer()
            if layer is not None:
                position = self.mapToGlobal(QPoint(round(self.columns.x(layer)), self.height() // 2))
        else:
            layer = self._current_layout().layer_at(QPointF(event.pos()))
        if layer is not None and layer < len(self.snapshot.architecture.layers):
            self._leave()
            self.layer_menu_wanted.emit(layer, position)
            event.accept()

    # ---- hover

    def _hover_at(self, point: QPointF) -> None:
        self._mouse = point
        target = self._target_at(point)
        # a column is only explained at its name: its band is most of the canvas
        if target is not None and target.kind == "layer" and point.y() > self._current_layout().body_top:
            target = None
        if target != self._hover:
            self._hover = target
            self._inspect(target)
            if target is None:
                self._card_shown = False
                self._hover_delay.stop()
            elif not self._card_shown:
                self._hover_delay.start()
            self.update()
        elif self._card_shown:
            self.update()

    def _show_card(self) -> None:
        if self._hover is not None:
            self._card_shown = True
            self.update()

    def _leave(self) -> None:
        self._hover_delay.stop()
        self._card_shown = False
        if self._hover is not None:
            self._hover = None
            self._inspect(None)
            self.update()

    def _inspect(self, target: Selection | None) -> None:
        """Ask for the weights behind a hovered block, and say when they are no longer wanted."""
        wanted = None
        if target is not None and target.kind == "edge" and self.snapshot is not None:
            if self.snapshot.architecture.layers[target.layer - 1].pooled:
                wanted = (target.layer, target.source, target.unit)
        if wanted != self._inspected:
            self._inspected = wanted
            self.inspect_wanted.emit(wanted)

    # ---- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._press(event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)):
            super().keyPressEvent(event)

    def _press(self, key: int, shift: bool) -> bool:
        """Do what the key stands for; False when it stands for nothing here."""
        columns, middle = self.columns, self.columns.width / 2
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.set_columns(columns.zoomed(ZOOM_STEP, middle))
        elif key == Qt.Key.Key_Minus:
            self.set_columns(columns.zoomed(1 / ZOOM_STEP, middle))
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_Home:
            self.set_columns(columns.scrolled(-columns.largest_offset))
        elif key == Qt.Key.Key_End:
            self.set_columns(columns.scrolled(columns.largest_offset))
        elif shift and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.set_columns(columns.scrolled(columns.width / 4 * (-1 if key == Qt.Key.Key_Left else 1)))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move_unit(-1 if key == Qt.Key.Key_Up else 1)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._move_layer(-1 if key == Qt.Key.Key_PageUp else 1)
        elif key == Qt.Key.Key_W:
            self.select_weakest()
        elif key == Qt.Key.Key_Escape and self.selection is not None:
            self._pick(None)
        else:
            return False
        return True

    def _move_unit(self, by: int) -> None:
        if self.snapshot is None:
            return
        picked = self.selection or Selection("layer", 1)
        units = self.snapshot.architecture.layers[picked.layer - 1].units
        first = 0 if by > 0 else units - 1
        unit = first if picked.kind == "layer" else min(units - 1, max(0, picked.unit + by))
        self._pick(Selection("unit", picked.layer, unit))
        self._reveal(picked.layer)

    def _move_layer(self, by: int) -> None:
        if self.snapshot is None:
            return
        layers = self.snapshot.architecture.layers
        picked = self.selection
        if picked is None:
            self._pick(Selection("layer", 1 if by > 0 else len(layers)))
        else:
            layer = min(len(layers), max(1, picked.layer + by))
            kind = "unit" if picked.kind == "unit" else "layer"
            self._pick(Selection(kind, layer, min(picked.unit, layers[layer - 1].units - 1) if kind == "unit" else 0))
        assert self.selection is not None
        self._reveal(self.selection.layer)

    # ---- numbers

    def table(self) -> Table:
        """One row per layer."""
        columns = (
            "layer", "units", "activation", "batch_norm", "gradient_norm", "gradient_norm_clipped", "delta_norm", "gradient_rms",
            "delta_rms", "bias_gradient_norm", "weight_norm", "update_norm", "activation_mean", "activation_std", "mean_slope", "dead_fraction",
        )  # fmt: skip
        snapshot = self.snapshot
        if snapshot is None:
            return Table(columns, ())
        details = snapshot.details
        rows: list[tuple[object, ...]] = []
        for at, layer in enumerate(snapshot.architecture.layers):
            norms = (snapshot.gradient_norms, snapshot.clipped_norms, snapshot.delta_norms)
            measured = () if details is None else (
                details.gradient_rms, details.delta_rms, details.bias_gradient_norms, details.weight_norms, details.update_norms,
                details.activation_means, details.activation_stds, details.mean_slopes, details.dead_fractions,
            )  # fmt: skip
            numbers = [float(values[at]) for values in (*norms, *measured)]
            unknown: list[object] = [""] * (len(columns) - 4 - len(numbers))
            rows.append((layer.name, layer.units, layer.activation, layer.batch_norm, *numbers, *unknown))
        return Table(columns, tuple(rows))


def _same_place(one: Layout, other: Layout) -> bool:
    return (
        (one.columns, one.height, one.top, one.marks, one.clips) == (other.columns, other.height, other.top, other.marks, other.clips)
        and (one.architecture is other.architecture or one.architecture == other.architecture)
    )


def _levels_of(snapshot: Snapshot) -> _Levels:
    architecture, details = snapshot.architecture, snapshot.details
    if details is not None:
        return _Levels(levels(details.edge_gradients), levels(details.unit_deltas))
    edges = sum(layer.edge_rows * layer.edge_columns for layer in architecture.layers)
    units = sum(layer.units for layer in architecture.layers)
    return _Levels(np.full(edges, UNKNOWN, np.uint8), np.full(units, UNKNOWN, np.uint8))


def _exists(selection: Selection, snapshot: Snapshot) -> bool:
    layers = snapshot.architecture.layers
    if not 1 <= selection.layer <= len(layers):
        return False
    info = layers[selection.layer - 1]
    if selection.kind == "edge":
        return 0 <= selection.source < info.edge_rows and 0 <= selection.unit < info.edge_columns
    return selection.kind == "layer" or 0 <= selection.unit < info.units


def describe(snapshot: Snapshot) -> str:
    """The picture in one sentence."""
    layers, details = snapshot.architecture.layers, snapshot.details
    size = f"Network, {len(layers) - 1} hidden {'layer' if len(layers) == 2 else 'layers'}"
    if details is None:
        return f"{size}; nothing measured yet"
    if snapshot.failure is not None:
        return f"{size}; not finite since step {snapshot.failure.step}, first in {snapshot.failure.layer_name}"
    first, last = float(details.gradient_rms[0]), float(details.gradient_rms[-1])
    verb = "falls" if first < last else "grows"
    return f"{size}; gradient {verb} from {short(last)} in {layers[-1].name} to {short(first)} in {layers[0].name}"


