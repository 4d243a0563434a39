"""The gradient of one weight, factor by factor: the lecture's formula with live numbers, the product ladder, and the update.

The product is exact for one example of the mini-batch, so the panel says which and lets it be changed; the mini-batch's mean
stands beside it. Every number can be copied with all its digits.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QScrollBar, QWidget

from gradviz.selected import ChainRule
from gradviz.snapshot import Snapshot

from ..controls.input import let_go
from ..selection import Selection
from ..theme import Theme
from . import chain_words as words
from .chain_head import SHORT_HEIGHT, ChainHead
from .chain_page import SIDE, ChainPage, Placed, paint_empty, row_at
from .ladder import Ladder
from .panel import Panel, Table
from .spots import Spot, copy_spot, show_hint, spot_at
from .switch import Switch

HIGHEST = 4000.0  # of a picture
COLUMNS = ("row", "layer", "unit", "slope", "weight", "factor", "product", "log10_product", "all_paths", "reached")
UNSCROLLED = Qt.KeyboardModifier.NoModifier


class ChainRulePanel(Panel):
    """Draws `Snapshot.chain`."""

    name = "chain"
    title = "Chain rule"

    layer_selected = Signal(int)
    example_wanted = Signal(object)  # position in the mini-batch, or None for all of it

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page = ChainPage()
        self._placed: Placed | None = None
        self.spots: list[Spot] = []  # the numbers of the last drawing
        self._selection: Selection | None = None
        self._followed: tuple[object, ...] = ()
        self._focused_by_key = False
        self._head = ChainHead(self)
        self._head.example_wanted.connect(self.example_wanted)
        self._paths = Switch(
            "The ladder tells",
            ("strongest path", "all paths"),
            ("The factors along the path with the largest product", "What comes back along all paths together, as in the network"),
            self,
        )
        self._paths.chosen.connect(self._on_paths)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.valueChanged.connect(self._on_scrolled)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(260, 240)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(360, 870)

    @property
    def ladder(self) -> Ladder:
        return self._page.ladder

    @property
    def chain(self) -> ChainRule | None:
        return self.snapshot.chain if self.snapshot is not None else None

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        super().show_snapshot(snapshot)
        self._page.show_snapshot(snapshot)
        self._head.show_snapshot(snapshot)
        self._arrange()
        self._follow(snapshot)
        if not snapshot.playing and snapshot.chain is not None:
            self.setAccessibleDescription(words.spoken(snapshot.chain, snapshot.architecture))
        elif snapshot.chain is None:
            self.setAccessibleDescription(words.nothing_yet(snapshot))

    def clear(self) -> None:
        super().clear()
        self._page.show_snapshot(None)
        self._head.show_snapshot(None)
        self.setAccessibleDescription(words.nothing_yet(None))
        self._arrange()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._arrange()

    def select(self, selection: Selection | None) -> None:
        """Mark the layer of what is selected; says nothing."""
        self._selection = selection
        self.update()

    def _lit(self) -> frozenset[int]:
        """The layers with a band: the one back-propagation stands at, else the selected one."""
        moment = self.snapshot.moment if self.snapshot is not None else None
        if moment is not None and moment.kind == "backward" and moment.layer:
            return frozenset((moment.layer,))
        if self._selection is not None and self._selection.layer:
            return frozenset((self._selection.layer,))
        return frozenset()

    def _follow(self, snapshot: Snapshot) -> None:
        """Bring the row into view at which back-propagation stands; a new weight is read from the top."""
        chain, moment, placed = snapshot.chain, snapshot.moment, self._placed
        if chain is None or placed is None:
            return
        at = moment.layer if moment is not None and moment.kind == "backward" else 0
        followed = (chain.parameter, chain.layer, chain.row, chain.column, at)
        if followed == self._followed:
            return
        new_weight = followed[:-1] != self._followed[:-1]
        self._followed = followed
        row = next((n for n, row in enumerate(self.ladder.rows) if at and row.layer == at and row.kind in ("layer", "output")), None)
        if row is not None:
            self._show_row(row, placed)
        elif new_weight:
            self._bar.setValue(0)

    def _show_row(self, row: int, placed: Placed) -> None:
        top = row * placed.row_height
        if placed.whole:
            top += placed.rows.top() - self._head.height + self._bar.value()  # where it stands on the page
        room = self.height() - self._head.height if placed.whole else placed.rows.height()
        if top < self._bar.value() + placed.row_height:
            self._bar.setValue(round(top - 2 * placed.row_height))
        elif top + 2 * placed.row_height > self._bar.value() + room:
            self._bar.setValue(round(top + 3 * placed.row_height - room))

    # ---- where things stand

    def _arrange(self) -> None:
        """Lay out the page and the buttons for the present size and snapshot."""
        self._head.arrange(self.width())
        if self.chain is None:
            self._placed = None
            self._bar.hide()
            let_go(self._paths)
            self._paths.hide()
            return
        width, height, header = float(self.width()), float(self.height()), self._head.height
        placed = self._page.place(0.0, header, width, height - header)
        if placed.whole:
            self._scroll(QRectF(width - 12, header, 10, height - header), placed.bottom - height, height - header)
            placed = self._page.place(0.0, header - self._bar.value(), width, height - header)
        else:
            rows = placed.rows
            self._scroll(QRectF(rows.right() + 3, rows.top(), 10, rows.height()), placed.content - rows.height(), rows.height())
        self._placed = placed
        self._paths.adjustSize()
        self._paths.move(
            round(placed.heading.right()) - self._paths.width(), round(placed.heading.center().y() - 2 - self._paths.height() / 2)
        )
        self._paths.setVisible(not self.ladder.single and self._paths.y() >= header)
        self.update()

    def _offset(self, placed: Placed) -> float:
        """How far the ladder's rows are scrolled under their heads: by whole rows, so that none is cut."""
        return 0.0 if placed.whole else round(self._bar.value() / placed.row_height) * placed.row_height

    def _scroll(self, area: QRectF, beyond: float, page: float) -> None:
        self._bar.blockSignals(True)  # a new range may move the value, and this is where the page is laid out
        self._bar.setRange(0, max(0, round(beyond)))
        self._bar.setPageStep(max(1, round(page)))
        self._bar.setSingleStep(20)
        self._bar.blockSignals(False)
        self._bar.setGeometry(area.toRect())
        self._bar.setVisible(self._bar.maximum() > 0)

    def _on_scrolled(self) -> None:
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, placed = QRectF(self.rect()), self._placed
        painter.fillRect(area, QColor(self.theme.dock))
        self.spots = []
        if placed is None:
            self._paint_nothing(painter, area)
        else:
            seen = QRectF(0, self._head.height, area.width(), area.height() - self._head.height)
            painter.setClipRect(seen)
            offset = self._offset(placed)
            self._page.paint(painter, placed, self.theme, self.spots, offset, self._lit(), seen)
            painter.setClipping(False)
            self.spots = [spot for spot in self.spots if spot.area.intersects(seen)]
            if self.snapshot is not None:
                self._head.paint(painter, area, self.theme, self.snapshot, self.spots)
        if self.hasFocus() and self._focused_by_key:
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def whole_size(self) -> QSizeF:
        """The size at which `paint_to` draws every row unscaled, up to some hundred rows."""
        if self.chain is None:
            return QSizeF(360, 160)
        return QSizeF(360, min(HIGHEST, math.ceil(self._page.place(0.0, SHORT_HEIGHT, 360, None).bottom + SIDE)))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Everything at once: smaller where the room is too low, and with a gap in the ladder where that does not suffice."""
        painter.save()
        painter.fillRect(area, QColor(self.theme.dock))
        painter.translate(area.topLeft())
        width, height = area.width(), area.height()
        if self.snapshot is None or self.chain is None:
            self._paint_nothing(painter, QRectF(0, 0, width, height))
            painter.restore()
            return
        scale, room, placed = self._page.fit(width, height, SHORT_HEIGHT)
        painter.scale(scale, scale)
        painter.translate((width / scale - room) / 2, 0)
        self._head.paint(painter, QRectF(0, 0, room, height / scale), self.theme, self.snapshot, None)
        self._page.paint(painter, placed, self.theme, [], 0.0, self._lit(), None)
        painter.restore()

    def _paint_nothing(self, painter: QPainter, area: QRectF) -> None:
        paint_empty(painter, area, self.theme, "No factors yet", words.nothing_yet(self.snapshot))

    # ---- what the user does

    def show_all_paths(self, wanted: bool) -> None:
        """Let the ladder tell of all paths together, or of the strongest one."""
        self._paths.show_choice(int(wanted))
        self._on_paths(int(wanted))

    def _on_paths(self, choice: int) -> None:
        self.ladder.all_paths = choice == 1
        self._arrange()

    def spot_at(self, at: QPointF) -> Spot | None:
        """The number at this place, if there is one."""
        return spot_at(self.spots, at)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            show_hint(self, event, self.spot_at(QPointF(event.pos())))
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        placed = self._placed
        if event.button() != Qt.MouseButton.LeftButton or placed is None or event.position().y() < self._head.height:
            super().mousePressEvent(event)
            return
        row = row_at(placed, self._offset(placed), event.position())
        if row is not None and row < len(self.ladder.rows):
            layer = self.ladder.rows[row].layer
            self.layer_selected.emit(layer or len(self.snapshot.architecture.layers) if self.snapshot is not None else layer)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None:
            copy_spot(self, event, spot)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.chain is not None:
            self.menu_at(QPointF(event.pos())).popup(event.globalPos())

    def menu_at(self, at: QPointF) -> QMenu:
        """What can be copied at this place."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        spot = self.spot_at(at)
        if spot is not None:
            copied = spot.copied
            menu.addAction(f"Copy {copied}").triggered.connect(lambda: _copy(copied))
        menu.addAction("Copy the whole ladder").triggered.connect(self.copy_ladder)
        return menu

    def copy_ladder(self) -> None:
        """Put the ladder on the clipboard, tab-separated, with every digit."""
        _copy(self.table().tabbed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar, line = self._bar, 20
        moves = {
            Qt.Key.Key_Up: -line,
            Qt.Key.Key_Down: line,
            Qt.Key.Key_PageUp: -bar.pageStep(),
            Qt.Key.Key_PageDown: bar.pageStep(),
            Qt.Key.Key_Home: -bar.maximum(),
            Qt.Key.Key_End: bar.maximum(),
        }
        key = Qt.Key(event.key())
        if event.matches(QKeySequence.StandardKey.Copy) and self.chain is not None:
            self.copy_ladder()
        elif key in moves and event.modifiers() == UNSCROLLED and bar.maximum() > 0:
            bar.setValue(bar.value() + moves[key])
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels = event.pixelDelta().y() or round(event.angleDelta().y() / 120 * 60)
        self._bar.setValue(self._bar.value() - pixels)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    # ---- numbers

    def table(self) -> Table:
        """The rungs as rows; a rung that joins a weight with a slope has both, a number that is not known yet is empty."""
        rows: list[tuple[object, ...]] = []
        for row in self.ladder.rows:
            if row.kind == "sum":
                continue
            unit = None if row.unit is None else row.unit + 1
            known = row.reached
            path = known and row.product is not None
            rows.append(
                (
                    row.kind,
                    row.layer,
                    unit,
                    row.slope if known else None,
                    row.weight if known else None,
                    row.factor if known else None,
                    row.product if path else None,
                    row.log10_product if path else None,
                    row.total if known else None,
                    known,
                )
            )
        return Table(COLUMNS, tuple(rows))


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
