"""How the network is drawn: columns of units coloured by their gradient, and the edges between them.

While it plays, a frame costs table look-ups only; a still is drawn with true lines once and kept.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QHideEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from gradviz.arrays import Floats
from gradviz.selected import ChainRule
from gradviz.snapshot import Snapshot

from ..colors import ZERO
from ..legend import paint_legend
from ..motion import MODES
from ..panels.panel import Panel, Table
from ..selection import Selection
from ..theme import Theme
from . import chain, marks, stage
from .card import card_of, paint_card
from .columns import Columns
from .edges import LINES_AT_MOST, EdgeIndex, paint_lines
from .lag import Lag
from .layout import LEGEND_ROOM, Layout
from .net import paint_measured, paint_said, paint_standing
from .picked import paint_picked
from .reach import Levels, known_gradients, levels_of, masks_of
from .units import StripIndex
from .wave import Wave, front_of, paint_front, paint_wave
from .weights import paint_weights, shows_weights
from .words import table_of

EXPORT_SCALE = 2.0  # device pixels per logical one of what is a picture even in a vector file


class NetworkView(Panel):
    """The picture of the network; `NetworkCanvas` adds what can be done with it."""

    name = "network"
    title = "Network"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.show_legend = True
        self.true_lines = False  # the widget is being rendered into an export
        self.top_inset = 0.0  # room for what others lay over the top, under the legend
        self.chain_shown = False  # the chain rule is being read: mark its weight, its path and its factors
        self.motion = "full"
        self.columns = Columns(1.0, 1)
        self.selection: Selection | None = None
        self._explained: Selection | None = None  # what the card beside the mouse is about
        self._mouse = QPointF()
        self._edge_lag, self._unit_lag = Lag(), Lag()
        self._focused_by_key = False
        self._moving = False  # being dragged: true lines would be drawn anew at every pixel
        self.wave = Wave(self)
        self.wave.valueChanged.connect(self._on_wave)
        self.wave.finished.connect(self.update)
        self._layout: Layout | None = None
        self._edge_index: EdgeIndex | None = None
        self._strips: StripIndex | None = None
        self._backdrop: tuple[tuple[int | None, int | None], QPixmap] | None = None
        self._stills: list[tuple[NDArray[np.uint8], QPixmap]] = []  # the edges of the last two moments
        self._weights: tuple[NDArray[np.bool_], Floats, QPixmap] | None = None  # drawn in grey: which edges, and their weights
        self.setMinimumSize(370, 180)  # the legend's width at the least
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(976, 416)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        before = self.snapshot
        super().show_snapshot(snapshot)
        if before is not None and snapshot.moment == before.moment:
            return
        self.wave.stop()
        if self.motion == "full" and self.isVisible() and before is not None:
            self.wave.lead(before, snapshot)

    def set_motion(self, mode: str) -> None:
        """One of `motion.MODES`; only with "full" a signal is seen to run.

        Raises:
            ValueError: for another mode.
        """
        if mode not in MODES:
            raise ValueError(f"no motion {mode!r}; there are {', '.join(MODES)}")
        self.motion = mode
        if mode != "full":
            self.wave.stop()
            self.update()

    def _on_wave(self, share: object) -> None:
        self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        self.wave.stop()
        super().hideEvent(event)

    def clear(self) -> None:
        self.wave.stop()
        super().clear()
        self._layout = self._edge_index = self._strips = self._explained = None

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._backdrop, self._stills, self._weights = None, [], None

    def table(self) -> Table:
        return table_of(self.snapshot)

    # ---- geometry

    def _place(self, columns: Columns, height: float, inset: float) -> Layout:
        assert self.snapshot is not None
        snapshot = self.snapshot
        normed = any(layer.batch_norm for layer in snapshot.architecture.layers)
        top = (LEGEND_ROOM if self.show_legend else 8.0) + (inset + 6.0 if inset else 0.0)
        clips = snapshot.spec.training.clip != "none"
        rows = normed or clips or columns.pitch < marks.MARKS_FROM or snapshot.architecture.recurrent
        inside = snapshot.moment is not None or snapshot.level > 0
        return Layout(snapshot.architecture, columns, height, top, rows, clips, inside, inside or self._chain() is not None)

    def _chain(self) -> ChainRule | None:
        """The chain rule that is to be seen in the network."""
        return self.snapshot.chain if self.snapshot is not None and self.chain_shown else None

    def _current_layout(self) -> Layout:
        """The geometry on the screen, and the pixel indices that belong to it, rebuilt only when something has moved."""
        layout = self._place(self.columns, float(self.height()), self.top_inset)
        scale = self.devicePixelRatioF()
        if self._layout is None or not _same_place(layout, self._layout) or self._strips is None or self._strips.scale != scale:
            self._layout, self._edge_index = layout, None
            self._strips = StripIndex(layout, scale)
            self._backdrop, self._stills, self._weights = None, [], None
        return self._layout

    # ---- drawing

    def focusInEvent(self, event: QFocusEvent) -> None:
        # who came by mouse knows where he is; only the keyboard needs a frame
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

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
        if self.true_lines:
            self._paint_exactly(painter, layout, snapshot, self._strips)
        else:
            painter.drawPixmap(QPointF(0, 0), self._static(layout, snapshot))
            self._paint_now(painter, layout, snapshot)
            paint_said(painter, layout, snapshot, self._chain(), self.theme, self._selected_layer())
            self._paint_selection(painter, layout, hovered=True)
        landing = 0 if self.true_lines else self.wave.landing
        self._paint_legend(painter, float(self.width()), snapshot, landing)
        if self._explained is not None and not self.true_lines:
            area = QRectF(self.rect()).adjusted(0, LEGEND_ROOM, 0, 0)
            paint_card(painter, card_of(layout, snapshot, self._explained), self._mouse, area, self.theme)
        if self.hasFocus() and self._focused_by_key and not self.true_lines:
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
            self._paint_exactly(painter, layout, snapshot, StripIndex(layout, EXPORT_SCALE))
        self._paint_legend(painter, area.width(), snapshot)
        painter.restore()

    def _paint_exactly(self, painter: QPainter, layout: Layout, snapshot: Snapshot, strips: StripIndex) -> None:
        """With true lines and shapes, at rest."""
        masks = masks_of(snapshot)
        found = levels_of(snapshot, layout, masks)
        paint_standing(painter, layout, self.theme, *self._bold(snapshot))
        if shows_weights(snapshot):
            paint_weights(painter, layout, snapshot, found.edges, self.theme)
        paint_lines(painter, layout, found.edges, self.theme)
        paint_measured(painter, layout, snapshot, found, masks, strips, self._chain(), self.theme, None)
        paint_said(painter, layout, snapshot, self._chain(), self.theme, self._selected_layer())
        self._paint_selection(painter, layout, hovered=False)

    def _paint_now(self, painter: QPainter, layout: Layout, snapshot: Snapshot) -> None:
        """What is measured, as it is at this instant: with a signal on its way, or partly still as it was before."""
        if self.wave.left is None:
            found = self._paint_moment(painter, layout, snapshot, self.wave.landing)
            if self.wave.running:
                paint_wave(painter, layout, self.wave, found.edges, self.theme)
            return
        front, rightwards = front_of(layout, self.wave), self.wave.rightwards
        for shown, before in ((self.wave.left, not rightwards), (snapshot, rightwards)):
            painter.save()
            part = QRectF(0, 0, front, layout.height) if before else QRectF(front, 0, layout.columns.width - front, layout.height)
            painter.setClipRect(part)
            self._paint_moment(painter, layout, shown, 0)
            painter.restore()
        paint_front(painter, layout, self.wave, self.theme)

    def _paint_moment(self, painter: QPainter, layout: Layout, snapshot: Snapshot, landing: int) -> Levels:
        assert self._strips is not None
        masks = masks_of(snapshot, landing)
        found = levels_of(snapshot, layout, masks)
        if snapshot.playing:
            now = time.monotonic()
            found = Levels(self._edge_lag.follow(found.edges, now), self._unit_lag.follow(found.units, now))
        self._paint_edges(painter, layout, snapshot, found.edges)
        scale, lit = self.devicePixelRatioF(), not self.wave.to_loss
        paint_measured(painter, layout, snapshot, found, masks, self._strips, self._chain(), self.theme, scale, lit)
        return found

    def _paint_legend(self, painter: QPainter, right: float, snapshot: Snapshot | None, landing: int = 0) -> None:
        if self.show_legend:
            ticks = known_gradients(snapshot, landing) if snapshot is not None else []
            paint_legend(painter, QPointF(right - 16, 2), self.theme, ticks, right - 20)

    def _bold(self, snapshot: Snapshot) -> tuple[int | None, int | None]:
        """The selected layer and the column in work."""
        return self._selected_layer(), stage.column_in_work(snapshot) or snapshot.level or None

    def _static(self, layout: Layout, snapshot: Snapshot) -> QPixmap:
        bold = self._bold(snapshot)
        if self._backdrop is None or self._backdrop[0] != bold:
            pixmap, painter = self._new_pixmap()
            paint_standing(painter, layout, self.theme, *bold)
            painter.end()
            self._backdrop = (bold, pixmap)
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
        if shows_weights(snapshot):
            self._paint_weights(painter, layout, snapshot, found)
        visible = layout.visible_layers()
        count = int(layout.edge_starts[visible.stop - 1] - layout.edge_starts[visible.start - 1])
        if snapshot.playing or self._moving or count > LINES_AT_MOST:
            if self._edge_index is None:
                self._edge_index = EdgeIndex(layout, self.devicePixelRatioF())
            self._edge_index.paint(painter, found, self.theme)
            return
        still = next((pixmap for levels, pixmap in self._stills if np.array_equal(levels, found)), None)
        if still is None:
            still, into = self._new_pixmap()
            paint_lines(into, layout, found, self.theme)
            into.end()
            self._stills = [*self._stills[-1:], (found, still)]
        painter.drawPixmap(QPointF(0, 0), still)

    def _paint_weights(self, painter: QPainter, layout: Layout, snapshot: Snapshot, found: NDArray[np.uint8]) -> None:
        """The weights in grey, drawn anew only when they are others: the best net of a population often stays the same."""
        assert snapshot.details is not None
        weights, kept = snapshot.details.edge_weights, self._weights
        if kept is None or not (np.array_equal(kept[0], found == ZERO) and np.array_equal(kept[1], weights, equal_nan=True)):
            pixmap, into = self._new_pixmap()
            paint_weights(into, layout, snapshot, found, self.theme)
            into.end()
            kept = self._weights = (found == ZERO, weights, pixmap)
        painter.drawPixmap(QPointF(0, 0), kept[2])

    def _selected_layer(self) -> int | None:
        return self.selection.layer if self.selection is not None and self.selection.layer >= 1 else None

    def _paint_selection(self, painter: QPainter, layout: Layout, hovered: bool) -> None:
        link = self._chain()
        for picked in (self._explained if hovered else None, self.selection):
            if picked is not None and not (link is not None and picked is self.selection and chain.is_of(picked, layout, link)):
                paint_picked(painter, layout, picked, self.theme)
        if link is not None:
            chain.paint_weight(painter, layout, link, self.theme)


def _same_place(one: Layout, other: Layout) -> bool:
    """Like ==, without comparing a thousand layers at every frame."""
    places = [(item.columns, item.height, item.top, item.marks, item.clips, item.caption, item.foot) for item in (one, other)]
    return places[0] == places[1] and (one.architecture is other.architecture or one.architecture == other.architecture)
