"""How the network is drawn: columns of units coloured by their gradient, and the edges between them.

While it plays, a frame costs table look-ups only; a still is drawn with true lines once and kept.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..colors import UNKNOWN, levels
from ..legend import paint_legend
from ..panels.panel import Panel, Table
from ..selection import Selection
from ..theme import Theme
from . import marks
from .card import card_of, paint_card
from .columns import Columns
from .edges import LINES_AT_MOST, EdgeIndex, paint_lines
from .lag import Lag
from .layout import LEGEND_ROOM, Layout
from .units import StripIndex, paint_units
from .words import table_of

EXPORT_SCALE = 2.0  # device pixels per logical one of what is a picture even in a vector file


class _Levels(NamedTuple):
    """The levels of one snapshot, all layers one after the other."""

    edges: NDArray[np.uint8]
    units: NDArray[np.uint8]


class NetworkView(Panel):
    """The picture of the network; `NetworkCanvas` adds what can be done with it."""

    name = "network"
    title = "Network"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.show_legend = True
        self.true_lines = False  # the widget is being rendered into an export
        self.top_inset = 0.0  # room for what others lay over the top, under the legend
        self.columns = Columns(1.0, 1)
        self.selection: Selection | None = None
        self._explained: Selection | None = None  # what the card beside the mouse is about
        self._mouse = QPointF()
        self._edge_lag, self._unit_lag = Lag(), Lag()
        self._focused_by_key = False
        self._moving = False  # being dragged: true lines would be drawn anew at every pixel
        self._layout: Layout | None = None
        self._edge_index: EdgeIndex | None = None
        self._strips: StripIndex | None = None
        self._backdrop: tuple[int | None, QPixmap] | None = None
        self._still: tuple[NDArray[np.uint8], QPixmap] | None = None
        self.setMinimumSize(416, 180)  # the legend's width
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(976, 416)

    def clear(self) -> None:
        super().clear()
        self._layout = self._edge_index = self._strips = self._explained = None

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._backdrop = self._still = None

    def table(self) -> Table:
        return table_of(self.snapshot)

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
        found = _levels_of(snapshot, layout)
        if snapshot.playing and not self.true_lines:
            now = time.monotonic()
            found = _Levels(self._edge_lag.follow(found.edges, now), self._unit_lag.follow(found.units, now))
        if self.true_lines:
            marks.paint_static(painter, layout, self.theme, self._selected_layer())
            paint_lines(painter, layout, found.edges, self.theme)
        else:
            painter.drawPixmap(QPointF(0, 0), self._static(layout))
            self._paint_edges(painter, layout, snapshot, found.edges)
        self._paint_live(painter, layout, snapshot, found, self._strips, None if self.true_lines else self.devicePixelRatioF())
        self._paint_selection(painter, layout)
        self._paint_legend(painter, float(self.width()), snapshot)
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
            found = _levels_of(snapshot, layout)
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
            paint_legend(painter, QPointF(right - 16, 2), self.theme, ticks)

    def _static(self, layout: Layout) -> QPixmap:
        selected = self._selected_layer()
        if self._backdrop is None or self._backdrop[0] != selected:
            pixmap, painter = self._new_pixmap()
            marks.paint_static(painter, layout, self.theme, selected)
            painter.end()
            self._backdrop = (selected, pixmap)
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
        if snapshot.playing or self._moving or count > LINES_AT_MOST:
            if self._edge_index is None:
                self._edge_index = EdgeIndex(layout, self.devicePixelRatioF())
            self._edge_index.paint(painter, found, self.theme)
            return
        if self._still is None or not np.array_equal(self._still[0], found):
            pixmap, into = self._new_pixmap()
            paint_lines(into, layout, found, self.theme)
            into.end()
            self._still = (found, pixmap)
        painter.drawPixmap(QPointF(0, 0), self._still[1])

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
        for picked in (None if self.true_lines else self._explained, self.selection):
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
            marks.paint_row_frame(
                painter,
                QRectF(centre.x() - layout.input_size / 2, y - layout.input_size / 2, layout.input_size, layout.input_size),
                self.theme,
            )
        else:
            marks.paint_ring(painter, centre, layout.radius + 3.5, self.theme)


def _same_place(one: Layout, other: Layout) -> bool:
    return (one.columns, one.height, one.top, one.marks, one.clips) == (
        other.columns,
        other.height,
        other.top,
        other.marks,
        other.clips,
    ) and (one.architecture is other.architecture or one.architecture == other.architecture)


def _levels_of(snapshot: Snapshot, layout: Layout) -> _Levels:
    """The levels of what is in sight; what is not stays unknown."""
    edges = np.full(int(layout.edge_starts[-1]), UNKNOWN, np.uint8)
    units = np.full(int(layout.unit_starts[-1]), UNKNOWN, np.uint8)
    details, visible = snapshot.details, layout.visible_layers()
    if details is not None:
        first, last = visible.start - 1, visible.stop - 1
        if layout.has_edges:
            seen = slice(int(layout.edge_starts[first]), int(layout.edge_starts[last]))
            edges[seen] = levels(details.edge_gradients[seen])
        seen = slice(int(layout.unit_starts[first]), int(layout.unit_starts[last]))
        units[seen] = levels(details.unit_deltas[seen])
        units[layout.unit_slice(layout.depth)] = levels(details.unit_deltas[layout.unit_slice(layout.depth)])
    return _Levels(edges, units)
