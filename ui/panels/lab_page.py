"""What the views of the lab have in common: blocks under each other that scroll, follow a run at a readable pace, and go on paper.

A view fills its blocks from the snapshot and says which of them there is use for; where they stand, tooltips, copying and the
keyboard are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, QTimer
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
)
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QWidget

from gradviz.snapshot import Snapshot

from ..theme import THEMES, Theme
from .panel import Panel
from .spots import Spot, copy_spot, show_hint, spot_at

PACE = 100  # milliseconds between two updates while playing: faster, nobody can read them
SIDE, FOOT = 16.0, 16.0
WIDEST = 640.0  # a wider room leaves a margin: lines of text get no longer
HIGHEST = 4000.0  # of a picture
SCALES = tuple(share / 100 for share in range(100, 45, -5))  # an export gets no smaller; what then does not fit is left out


Report = TypeVar("Report")


class Block(QWidget):
    """One part of a view: it knows how high it is at a width, and draws itself for the screen and for exports."""

    on_paper = True  # whether exports show it

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.used = True  # whether the view has use for it now
        self.spots: list[Spot] = []  # the numbers of the last drawing, with the words of their tooltips

    def height_at(self, width: float) -> float:
        """Logical pixels it takes at this width."""
        raise NotImplementedError(f"{type(self).__name__} does not say how high it is")

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw with true lines and text; leaves in ``spots`` what can be pointed at."""

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.spots = []
        self.paint_to(painter, QRectF(self.rect()))

    def spot_at(self, at: QPointF) -> Spot | None:
        """The number at this place, if there is one."""
        return spot_at(self.spots, at)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self.toolTip():
            show_hint(self, event, self.spot_at(QPointF(event.pos())))
            return True
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is None:
            super().mouseDoubleClickEvent(event)
        else:
            copy_spot(self, event, spot)


class PointedBlock(Block):
    """A block that tells of what is under the pointer."""

    def __init__(self) -> None:
        super().__init__()
        self._pointer: QPointF | None = None
        self.setMouseTracking(True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()


class LabPanel(Panel):
    """A column of blocks. A view overrides `show_content` and `spoken`, and adds its blocks once with `add`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.blocks: list[Block] = []
        self._focused_by_key = False
        self._scroll_due = -1  # pixels, once there is so much
        self._later = QTimer(self, singleShot=True, interval=PACE)
        self._later.timeout.connect(self.refresh)
        self._inside = QWidget()
        self._inside.setAutoFillBackground(False)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._inside)
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.verticalScrollBar().setSingleStep(20)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)

    def report_of(self, kind: type[Report]) -> Report | None:
        """What was measured for this view; None where the moment has been measured for another one, or for none."""
        lab = self.snapshot.lab if self.snapshot is not None else None
        return lab if isinstance(lab, kind) else None

    def add(self, *blocks: Block) -> None:
        """Put these blocks below the ones there are."""
        for block in blocks:
            block.setParent(self._inside)
            self.blocks.append(block)

    def sizeHint(self) -> QSize:
        return QSize(360, 700)

    # ---- what a view says

    def show_content(self) -> None:
        """Fill the blocks from ``snapshot`` (None: nothing is there yet) and set which of them are used."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it shows")

    def spoken(self) -> str:
        """What is shown, in a sentence or two, for those who hear the window."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it shows")

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        changed = self.snapshot is None or type(self.snapshot.lab) is not type(snapshot.lab)
        self.snapshot = snapshot
        if snapshot.playing and not changed:
            if not self._later.isActive():
                self._later.start()
        else:
            self.refresh()

    def clear(self) -> None:
        self.snapshot = None
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for block in self.blocks:
            block.set_theme(theme)

    def refresh(self) -> None:
        """Show the latest snapshot now."""
        self._later.stop()
        self.show_content()
        self.setAccessibleDescription(self.spoken())
        self.arrange()
        self.update()

    # ---- where things stand

    @property
    def scrolled(self) -> int:
        """How many pixels of it have been scrolled away."""
        return self._scroll.verticalScrollBar().value()

    def scroll_to(self, pixels: int) -> None:
        """As soon as there is so much."""
        self._scroll_due = pixels
        self.arrange()

    def arrange(self) -> None:
        """Put the blocks under each other at the present width."""
        self._scroll.setGeometry(self.rect())
        bar = self._scroll.verticalScrollBar()
        width = float(self.width())
        if self.total(width) > self.height():
            width -= bar.sizeHint().width()
        width = min(width, WIDEST)
        y = 0.0
        for block in self.blocks:
            block.setVisible(block.used)
            if block.used:
                height = block.height_at(width)
                block.setGeometry(0, round(y), round(width), round(y + height) - round(y))
                block.update()
                y += height
        self._inside.resize(round(width), round(y + FOOT))
        if 0 <= self._scroll_due <= bar.maximum():
            bar.setValue(self._scroll_due)
            self._scroll_due = -1

    def total(self, width: float, paper: bool = False) -> float:
        """How high all of it is at this width, on the screen or on paper."""
        return sum(block.height_at(width) for block in self._shown(paper)) + FOOT

    def _shown(self, paper: bool) -> list[Block]:
        return [block for block in self.blocks if block.used and (block.on_paper or not paper)]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor(self.theme.dock))
        if self.hasFocus() and self._focused_by_key:
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def whole_size(self) -> QSizeF:
        """The size at which `paint_to` draws everything unscaled."""
        return QSizeF(360, min(HIGHEST, self.total(360.0, paper=True)))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Every block without what is there to be pressed: smaller where the room is low, the last ones left out where that fails."""
        painter.save()
        painter.fillRect(area, QColor(self.theme.dock))
        painter.translate(area.topLeft())

        def room(scale: float) -> float:
            return min(WIDEST, area.width() / scale)

        scale = next((share for share in SCALES if self.total(room(share), paper=True) * share <= area.height() + 0.5), SCALES[-1])
        width, height = room(scale), area.height() / scale
        painter.scale(scale, scale)
        painter.translate((area.width() / scale - width) / 2, 0)
        y = 0.0
        for number, block in enumerate(self._shown(paper=True)):
            high = block.height_at(width)
            if number and y + high > height + 0.5:
                break
            kept, block.spots = block.spots, []
            block.paint_to(painter, QRectF(0, y, width, high))
            block.spots = kept
            y += high
        painter.restore()

    # ---- copying and the keyboard

    def copy(self) -> None:
        """Put the table on the clipboard, tab-separated, with every digit."""
        QGuiApplication.clipboard().setText(self.table().tabbed + "\n")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.table().rows:
            self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """What can be copied."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy the numbers as a table").triggered.connect(self.copy)
        return menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self._scroll.verticalScrollBar()
        moves: dict[Qt.Key, Callable[[], int]] = {
            Qt.Key.Key_Up: lambda: bar.value() - bar.singleStep(),
            Qt.Key.Key_Down: lambda: bar.value() + bar.singleStep(),
            Qt.Key.Key_PageUp: lambda: bar.value() - bar.pageStep(),
            Qt.Key.Key_PageDown: lambda: bar.value() + bar.pageStep(),
            Qt.Key.Key_Home: bar.minimum,
            Qt.Key.Key_End: bar.maximum,
        }
        key = Qt.Key(event.key())
        if event.matches(QKeySequence.StandardKey.Copy) and self.table().rows:
            self.copy()
        elif key in moves and event.modifiers() == Qt.KeyboardModifier.NoModifier and bar.maximum() > 0:
            bar.setValue(moves[key]())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
