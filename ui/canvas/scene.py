"""The network as the heart of the window: what can be done with mouse and keys, and what it says to the others."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..selection import Selection
from .columns import Columns
from .picking import PickingView, exists
from .stage import column_in_work
from .words import describe

HOVER_MS = 250
DRAG_FROM = 4  # pixels the mouse may tremble in a click
ZOOM_STEP = 1.25


class NetworkCanvas(PickingView):
    """The drawing of the network, live.

    Wheel: zoom around the mouse. Drag: scroll. Click: select. Double click on free ground: fit. Keys: + − 0 Home End, Shift+← →,
    ↑ ↓ through the units, Page Up and Page Down through the layers, W for the weakest weight, Esc for none.
    """

    layer_menu_wanted = Signal(int, QPoint)  # number of a hidden layer, global position
    inspect_wanted = Signal(object)  # (layer, row, column) of the hovered block of edges, or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hover: Selection | None = None
        self._pressed: QPointF | None = None
        self._inspected: tuple[int, int, int] | None = None
        self._described: tuple[object, ...] | None = None
        self._hover_delay = QTimer(self)
        self._hover_delay.setSingleShot(True)
        self._hover_delay.setInterval(HOVER_MS)
        self._hover_delay.timeout.connect(self._show_card)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        before = self.snapshot
        super().show_snapshot(snapshot)
        if before is None or before.architecture != snapshot.architecture:
            self._leave()
            self._layout = None
            layers = len(snapshot.architecture.layers)
            if before is None or self.columns.layers != layers:
                self.set_columns(Columns(float(self.width()), layers))
            if self.selection is not None and not exists(self.selection, snapshot):
                self._pick(None)
        elif before.moment != snapshot.moment and not snapshot.playing:
            self._follow(snapshot)
        self._describe(snapshot)

    def _follow(self, snapshot: Snapshot) -> None:
        """Keep the column in work in sight."""
        column = column_in_work(snapshot)
        if column is not None and self.columns.zoom > 1.0:
            self._reveal(column)

    def _describe(self, snapshot: Snapshot) -> None:
        """One sentence for screen readers; while it plays not at every frame, for nobody could listen."""
        state = (snapshot.playing, snapshot.architecture, snapshot.step if not snapshot.playing else snapshot.step // 100, snapshot.moment)
        if state != self._described:
            self._described = state
            self.setAccessibleDescription(describe(snapshot))

    def fit(self) -> None:
        """Show the whole network."""
        self.set_columns(Columns(self.columns.width, self.columns.layers))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_columns(self.columns.resized(float(self.width())))

    # ---- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        if self._pressed is None:
            self._hover_at(point)
            return
        if self._moving or abs(point.x() - self._pressed.x()) > DRAG_FROM:
            if not self._moving:
                self._moving = True
                self._leave()
                if self.columns.largest_offset > 0:
                    self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.set_columns(self.columns.scrolled(self._pressed.x() - point.x()))
            self._pressed = point

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            super().mouseReleaseEvent(event)
            return
        if not self._moving:
            self._pick(self._target_at(event.position()))
        self._pressed, self._moving = None, False
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
        own = not self.snapshot.architecture.recurrent  # time steps share one cell: none has settings of its own
        if own and layer is not None and layer < len(self.snapshot.architecture.layers):
            self._leave()
            self.layer_menu_wanted.emit(layer, position)
            event.accept()

    # ---- hover

    def _hover_at(self, point: QPointF) -> None:
        self._mouse = point
        target = self._target_at(point)
        # a column is only explained at its name: its band is most of the canvas
        # and an input has no gradient to tell: a click shows its values
        if target is not None and target.layer == 0:
            target = None
        if target is not None and target.kind == "layer" and not self._current_layout().is_beside_units(point):
            target = None
        if target != self._hover:
            self._hover = target
            self._inspect(target)
            if target is None:
                self._explained = None
                self._hover_delay.stop()
            elif self._explained is not None:
                self._explained = target
            else:
                self._hover_delay.start()
            self.update()
        elif self._explained is not None:
            self.update()

    def _show_card(self) -> None:
        self._explained = self._hover
        self.update()

    def _leave(self) -> None:
        self._hover_delay.stop()
        self._explained = None
        if self._hover is not None:
            self._hover = None
            self._inspect(None)
            self.update()

    def _inspect(self, target: Selection | None) -> None:
        """Ask for the weights behind a hovered block, and say when they are no longer wanted."""
        wanted = None
        if target is not None and target.kind == "edge" and self._is_pooled(target.layer):
            wanted = (target.layer, target.source, target.unit)
        if wanted != self._inspected:
            self._inspected = wanted
            self.inspect_wanted.emit(wanted)

    def _is_pooled(self, layer: int) -> bool:
        return self.snapshot is not None and self.snapshot.architecture.layers[layer - 1].pooled

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
