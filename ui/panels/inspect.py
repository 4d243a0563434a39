"""The weight or unit that is picked, exactly: its numbers with their meaning, how they moved, and fields to set them.

While it plays the numbers follow at a pace at which they can be read; paused, they are exact.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gradviz.selected import UnitInspection, WeightInspection
from gradviz.snapshot import Snapshot

from ..controls.input import focus_by_tab
from ..icons import icon
from ..theme import Theme
from .history_plot import HistoryPlot
from .inspect_picture import (
    GAP,
    HEADING,
    NOTHING,
    PADDING,
    heading_height,
    paint_heading,
    paint_nothing,
    paint_readings,
    readings_height,
)
from .inspect_unit import alpha_of, chosen_z, unit_content
from .inspect_weight import weight_content
from .panel import Panel, Table
from .reading import Content
from .reading_row import COPIED_FOR, INSET, ReadingRow
from .unit_plot import UnitPlot

PACE = 100  # milliseconds between two updates of the numbers while playing: faster, nobody can read them
FOOTER = 48
Picked = WeightInspection | UnitInspection


class InspectPanel(Panel):
    """One weight or one unit."""

    name = "inspect"
    title = "Inspect"

    weight_wanted = Signal(str, float)  # such as "layer05.weight[4,2]", rows and columns counted from 0, and the new value
    chain_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content: Content | None = None
        self._shown: tuple[object, ...] = ()  # what the rows belong to
        self._later = QTimer(self, singleShot=True, interval=PACE)
        self._later.timeout.connect(self._refresh)
        self._rows: list[ReadingRow] = []
        self._history, self._unit = HistoryPlot("History"), UnitPlot()
        self._lay_out()
        self.setMinimumSize(240, 160)

    def _lay_out(self) -> None:
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(int(PADDING - INSET), 0, int(PADDING - INSET), 8)
        self._list.setSpacing(0)
        for plot in (self._history, self._unit):
            self._list.addSpacing(8)
            self._list.addWidget(plot, 1000)
        self._list.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(inside)
        self._scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._chain = QPushButton("Chain rule")
        self._chain.setToolTip("Show this gradient as a product, factor by factor")
        self._chain.clicked.connect(self.chain_wanted)
        self._copy_all = QPushButton("Copy all")
        self._copy_all.setToolTip("Copy the names and exact numbers as a small table")
        self._copy_all.clicked.connect(self.copy_all)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_FOR)
        self._copied.timeout.connect(lambda: self._copy_all.setText("Copy all"))
        self._footer = QWidget()
        buttons = QHBoxLayout(self._footer)
        buttons.setContentsMargins(int(PADDING), 8, int(PADDING), 8)
        buttons.setSpacing(8)
        for button in (self._chain, self._copy_all):
            button.setFixedHeight(32)
            focus_by_tab(button)
            buttons.addWidget(button, 1)
        self._footer.setFixedHeight(FOOTER)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, int(HEADING), 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._footer)
        self._scroll.hide()
        self._footer.hide()

    def sizeHint(self) -> QSize:
        return QSize(360, 500)

    @property
    def _picked(self) -> Picked | None:
        return self.snapshot.picked if self.snapshot is not None else None

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if snapshot.playing and self._shown == _identity(snapshot):
            if not self._later.isActive():
                self._later.start()
        else:
            self._later.stop()
            self._refresh()

    def clear(self) -> None:
        self.snapshot = None
        self._later.stop()
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._copy_all.setIcon(icon("copy", theme))
        parts: tuple[ReadingRow | HistoryPlot | UnitPlot, ...] = (*self._rows, self._history, self._unit)
        for part in parts:
            part.set_theme(theme)

    def _refresh(self) -> None:
        snapshot, picked = self.snapshot, self._picked
        self._content = _content(snapshot, picked) if snapshot is not None and picked is not None else None
        content, shown = self._content, _identity(snapshot) if snapshot is not None else ()
        self._scroll.setVisible(content is not None)
        self._footer.setVisible(content is not None)
        self.setAccessibleDescription(content.title if content is not None else " ".join(NOTHING))
        if content is not None and snapshot is not None and picked is not None:
            self._fit_rows(content, changed=shown != self._shown)
            self._show_plots(snapshot, picked)
            self._chain.setVisible(isinstance(picked, WeightInspection))
            self._column.setContentsMargins(0, int(heading_height(content)), 0, 0)
        self._shown = shown
        self.update()

    def _fit_rows(self, content: Content, changed: bool) -> None:
        """As many rows as there are readings; made anew only where other numbers are shown."""
        if changed or len(self._rows) != len(content.readings):
            for row in self._rows:
                self._list.removeWidget(row)
                row.deleteLater()
            self._rows = [ReadingRow(reading, content.hero and number == 0) for number, reading in enumerate(content.readings)]
            for number, row in enumerate(self._rows):
                row.set_theme(self.theme)
                row.set_wanted.connect(self.weight_wanted)
                self._list.insertWidget(number, row)
            self._unit.forget()
            self._scroll.verticalScrollBar().setValue(0)
        for row, reading in zip(self._rows, content.readings, strict=True):
            row.show_reading(reading)

    def _show_plots(self, snapshot: Snapshot, picked: Picked) -> None:
        weight = isinstance(picked, WeightInspection)
        self._history.setVisible(weight)
        self._unit.setVisible(not weight and picked.layer > 0)
        if isinstance(picked, WeightInspection):
            self._history.show_history(picked.steps, picked.values, snapshot.step, max(snapshot.last_step, snapshot.step))
        elif picked.layer > 0:
            activation = snapshot.architecture.layers[picked.layer - 1].activation
            parameter = snapshot.spec.network.relu_at_zero if activation == "relu" else alpha_of(picked)
            letter = "z" if picked.gates is None else "c"
            self._unit.show_unit(activation, parameter, picked.pre_activations, chosen_z(snapshot, picked), letter)

    # ---- copying

    def copy_all(self) -> None:
        """Put the readings on the clipboard as a tab-separated table, full precision."""
        if self._content is None:
            return
        rows = [f"{reading.key}\t{reading.copied}" for reading in self._content.readings]
        QGuiApplication.clipboard().setText("\n".join(("quantity\tvalue", *rows)) + "\n")
        self._copy_all.setText("Copied")
        self._copied.start()

    def table(self) -> Table:
        """The readings, then the history of a weight or the single examples of a unit."""
        snapshot, picked = self.snapshot, self._picked
        columns = ("quantity", "example" if isinstance(picked, UnitInspection) else "step", "value")
        if snapshot is None or picked is None:
            return Table(columns, ())
        content = _content(snapshot, picked)
        at: object = snapshot.step if isinstance(picked, WeightInspection) else ""
        rows: list[tuple[object, ...]] = []
        for reading in content.readings:
            rows.append((reading.key, at, "" if reading.unknown else reading.value))
            if reading.spread is not None and not reading.unknown:
                rows.append((f"{reading.key}_spread", at, reading.spread))
        if isinstance(picked, WeightInspection):
            rows += [("history", int(step), float(value)) for step, value in zip(picked.steps, picked.values, strict=True)]
        else:
            batches = {"output": picked.outputs}
            if picked.layer > 0:
                batches = {"pre_activation": picked.pre_activations, "slope": picked.slopes, **batches, "delta": picked.deltas}
            rows += [(name, n, float(value)) for name, values in batches.items() for n, value in enumerate(values, 1)]
        return Table(columns, tuple(rows))

    # ---- drawing

    @property
    def _plot(self) -> HistoryPlot | UnitPlot | None:
        picked = self._picked
        if isinstance(picked, WeightInspection):
            return self._history
        return self._unit if picked is not None and picked.layer > 0 else None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor(self.theme.dock))
        if self._content is None:
            paint_nothing(painter, area, self.theme, self._has_run)
            return
        paint_heading(painter, area, self.theme, self._content)
        painter.setPen(QPen(QColor(self.theme.line), 1))
        painter.drawLine(0, self.height() - FOOTER, self.width(), self.height() - FOOTER)

    def whole_size(self) -> QSizeF:
        """The size at which `paint_to` draws everything."""
        if self._content is None:
            return QSizeF(360, 200)
        plot = GAP + self._plot.minimumHeight() if self._plot is not None else 0.0
        return QSizeF(360, heading_height(self._content) + readings_height(self._content) + plot + PADDING)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Heading, readings and plot without what is there to be pressed; what does not fit is left out, from the end."""
        content, plot = self._content, self._plot
        painter.save()
        painter.fillRect(area, QColor(self.theme.dock))
        if content is None:
            paint_nothing(painter, area, self.theme, self._has_run)
        else:
            paint_heading(painter, area, self.theme, content)
            below = area.adjusted(0, heading_height(content), 0, 0)
            paint_readings(painter, below, self.theme, content)
            room = below.adjusted(PADDING - INSET, readings_height(content) + GAP, INSET - PADDING, -PADDING / 2)
            if plot is not None and room.height() >= plot.minimumHeight():
                room.setHeight(min(room.height(), plot.maximumHeight()))
                plot.paint_to(painter, room)
        painter.restore()

    @property
    def _has_run(self) -> bool:
        return self.snapshot is None or self.snapshot.step > 0


def _content(snapshot: Snapshot, picked: Picked) -> Content:
    return weight_content(snapshot, picked) if isinstance(picked, WeightInspection) else unit_content(snapshot, picked)


def _identity(snapshot: Snapshot) -> tuple[object, ...]:
    """What the rows are made for: the same weight or unit of the same network keeps them."""
    picked = snapshot.picked
    if picked is None:
        return ()
    if isinstance(picked, WeightInspection):
        # of a block it is the weight with the largest gradient, which may be another one at every step
        place = ("block",) if picked.block > 1 else (picked.row, picked.column)
        return (picked.parameter, *place, snapshot.spec.training.clip)
    return (picked.layer, picked.unit, tuple(name for name, _, _ in picked.parameters))
