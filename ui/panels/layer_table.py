"""The numbers of every layer as a table: sortable, reachable by keyboard and screen reader, and copied at full precision.

After a failure the heading says where the first number that is not finite appeared, and no more than that.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QModelIndex, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from gradviz.snapshot import Snapshot

from ..numbers import plain
from ..selection import Selection
from ..stages import training_step, words_of
from ..theme import Theme, font
from . import marks
from .layer_model import COLUMNS, KEYS, NUMBERS, SWATCH, LayerModel
from .panel import Panel, Table

HEADING, FAILURE_HEADING = 44.0, 124.0
ROW, HEADER = 25.0, 26.0
PADDING = 16.0
TITLE, TIME_TITLE = "Layers", "Time steps"
DEAD = KEYS.index("dead_fraction")
UNITS, CLIPPED = KEYS.index("units"), KEYS.index("clipped_norm")
FIRST_EXPONENTS = tuple(int(column.key in ("gradient_norm", "clipped_norm", "delta_norm", "gradient_rms")) for column in NUMBERS)
STYLE = """
QTableView { font-size: 12px; } QTableView::item { padding: 0 2px; }
QHeaderView::section { font-size: 11px; padding: 4px 5px; }
QAbstractScrollArea::corner { background: transparent; border: 0; }
"""


class _View(QTableView):
    """A table whose selected rows, or else all, are copied with their header as tab-separated text."""

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        model = self.model()
        if event.matches(QKeySequence.StandardKey.Copy) and isinstance(model, LayerModel):
            rows = sorted(index.row() for index in self.selectionModel().selectedRows()) or range(model.rowCount())
            lines = ["\t".join(KEYS)] + ["\t".join(_copied(model.cell(model.layer_at(row), c)) for c in range(COLUMNS)) for row in rows]
            QGuiApplication.clipboard().setText("\n".join(lines))
        else:
            super().keyPressEvent(event)


def _copied(value: object) -> str:
    if value is None:
        return ""
    return plain(value) if isinstance(value, float) else str(value)


class LayerTablePanel(Panel):
    """One row per layer."""

    name = "layers"
    title = TITLE

    layer_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LayerModel(self.theme)
        self._selecting = False
        self._fitted: tuple[object, ...] = ()
        self._exponents = [0] * len(NUMBERS)  # digits of the longest exponent that each column of numbers has had to show
        self.view = _View(self)
        self.view.setModel(self.model)
        self.view.setAccessibleName("Numbers of every layer")
        self.view.setSortingEnabled(True)
        self.view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setTabKeyNavigation(False)
        self.view.setIconSize(QSize(SWATCH, SWATCH))
        self.view.setFrameShape(QTableView.Shape.NoFrame)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.view.verticalHeader().setDefaultSectionSize(int(ROW))
        header = self.view.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setFixedHeight(int(HEADER))
        header.setMinimumSectionSize(24)
        header.moveSection(UNITS, KEYS.index("dead_fraction"))  # seldom worth its place among the first
        header.moveSection(1, 3)  # the activation to its slope: in a narrow dock the gradients come first
        self.view.setStyleSheet(STYLE)
        self.view.selectionModel().currentRowChanged.connect(self._on_current_row)
        self.view.resized.connect(self._fit_columns)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, int(HEADING), 0, 0)
        self._layout.addWidget(self.view)
        self.view.hide()
        self.setFocusProxy(self.view)
        self.setMinimumSize(200, 120)

    def sizeHint(self) -> QSize:
        return QSize(360, 400)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self._selecting = True
        self.model.show_snapshot(snapshot)
        self._selecting = False
        failed = snapshot.failure is not None
        architecture = snapshot.architecture
        self.title = TIME_TITLE if architecture.recurrent else TITLE
        self.view.setAccessibleName(f"Numbers of every {words_of(architecture).one}")
        # clipping is done to the sum over all time steps, and none of an LSTM's gates has a slope of exactly 0
        self.view.setColumnHidden(CLIPPED, snapshot.spec.training.clip == "none" or architecture.recurrent)
        self.view.setColumnHidden(DEAD, architecture.kind == "lstm")
        if self._fitted[:1] != (snapshot.architecture.layers,):
            self._exponents = list(FIRST_EXPONENTS)
        self._exponents = [max(pair) for pair in zip(self._exponents, self.model.exponent_digits(), strict=True)]
        fitted = (architecture.layers, architecture.kind, failed, *self._exponents)
        if self._fitted != fitted:  # columns grow for longer numbers and never shrink: they must not dance
            self._fitted = fitted
            self._fit_columns()
        self.view.show()
        self._layout.setContentsMargins(8, int(FAILURE_HEADING if failed else HEADING), 0, 0)
        super().show_snapshot(snapshot)

    def _fit_columns(self) -> None:
        """Spread the columns that fit over the width: of a number cut in two the half with the exponent would be missing."""
        header, room = self.view.horizontalHeader(), self.view.viewport().width()
        widths = [math.ceil(width) for width in self._widths()]
        shown = [column for column in map(header.logicalIndex, range(COLUMNS)) if not header.isSectionHidden(column)]
        fitting = [column for at, column in enumerate(shown, 1) if sum(widths[c] for c in shown[:at]) <= room]
        spare = room - sum(widths[column] for column in fitting) if len(fitting) < len(shown) else 0
        for at, column in enumerate(fitting):
            widths[column] += spare * (at + 1) // len(fitting) - spare * at // len(fitting)
        for column, width in enumerate(widths):
            self.view.setColumnWidth(column, width)

    def clear(self) -> None:
        self.model.show_snapshot(None)
        self.view.hide()
        self._layout.setContentsMargins(8, int(HEADING), 0, 0)
        super().clear()

    def set_theme(self, theme: Theme) -> None:
        self.model.set_theme(theme)
        super().set_theme(theme)

    def select(self, selection: Selection | None) -> None:
        """Select the row of what is selected, and show it; says nothing."""
        row = self.model.row_of(selection.layer) if selection is not None else None
        self._selecting = True
        if row is None:
            self.view.clearSelection()
            self.view.setCurrentIndex(QModelIndex())
        elif self.view.currentIndex().row() != row or not self.view.selectionModel().isRowSelected(row):
            column = max(0, self.view.currentIndex().column())
            self.view.setCurrentIndex(self.model.index(row, column))
        self._selecting = False

    def _on_current_row(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid() and not self._selecting:
            self.layer_selected.emit(self.model.layer_at(current.row()))

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor(self.theme.dock))
        self._paint_heading(painter, area)
        if self.snapshot is None:
            middle = area.center()
            marks.put_text(painter, middle.x(), middle.y(), marks.NOTHING_YET, font(13), self.theme.ink2)

    def whole_size(self) -> QSizeF:
        """The size at which `paint_to` draws every row and column."""
        rows = self.model.rowCount()
        return QSizeF(math.ceil(sum(self._widths()) + 2 * PADDING), math.ceil(self._heading + HEADER + ROW * rows + PADDING))

    @property
    def _heading(self) -> float:
        return FAILURE_HEADING if self.snapshot is not None and self.snapshot.failure is not None else HEADING

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """The table in the order on the screen: as many rows and columns as fit, and a line that says so when not all do."""
        theme = self.theme
        painter.save()
        painter.fillRect(area, QColor(theme.dock))
        self._paint_heading(painter, area)
        if self.snapshot is None:
            marks.put_text(painter, area.center().x(), area.center().y(), marks.NOTHING_YET, font(13), theme.ink2)
            painter.restore()
            return
        widths, rows = self._widths(), self.model.rowCount()
        top, room = area.top() + self._heading, area.width() - 2 * PADDING
        columns = max(1, sum(1 for count in range(1, COLUMNS + 1) if sum(widths[:count]) <= room))
        all_columns = columns == COLUMNS
        if not all_columns or top + HEADER + ROW * rows > area.bottom() - 4:
            rows = min(rows, max(0, int((area.bottom() - top - HEADER - ROW) / ROW)))
            note = f"{rows:,} of {self.model.rowCount():,} {self._rows_are}, {columns} of {COLUMNS} columns"
            marks.put_text(painter, area.left() + PADDING, area.bottom() - ROW / 2, note, font(11), theme.ink3, Qt.AlignmentFlag.AlignLeft)
        stretch = room / sum(widths[:columns])
        x = area.left() + PADDING
        for column in range(columns):
            width = widths[column] * stretch
            self._paint_column(painter, column, QRectF(x, top, width, HEADER + ROW * rows), rows)
            x += width
        painter.setPen(QPen(QColor(theme.line), 1))
        lines = [top + HEADER + ROW * number for number in range(rows + 1)]
        painter.drawLines([QLineF(area.left() + PADDING, y, area.right() - PADDING, y) for y in lines])
        painter.restore()

    @property
    def _rows_are(self) -> str:
        return words_of(self.snapshot.architecture).many if self.snapshot is not None else "layers"

    def _paint_column(self, painter: QPainter, column: int, area: QRectF, rows: int) -> None:
        theme = self.theme
        left = column in (0, 2)
        align = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
        x = area.left() + 6 if left else area.right() - 6
        marks.put_text(painter, x, area.top() + HEADER / 2, self.model.header(column), font(11), theme.ink2, align)
        for row in range(rows):
            layer = self.model.layer_at(row)
            y = area.top() + HEADER + ROW * (row + 0.5)
            indent = 0.0
            if column == 0:
                marks.paint_swatch(painter, QRectF(x, y - SWATCH / 2, SWATCH, SWATCH), self.model.level(layer), theme)
                indent = SWATCH + 6.0
            value = self.model.cell(layer, column)
            ink = theme.nan if isinstance(value, float) and not math.isfinite(value) else theme.ink1
            marks.put_text(painter, x + indent, y, self.model.text(layer, column), font(12), ink, align)

    def _paint_heading(self, painter: QPainter, area: QRectF) -> None:
        theme, snapshot = self.theme, self.snapshot
        failure = snapshot.failure if snapshot is not None else None
        title = "Why it went NaN" if failure is not None else self.title
        left, y = area.left() + PADDING, area.top() + 22
        marks.put_text(painter, left, y, title, font(15, 600), theme.ink1, Qt.AlignmentFlag.AlignLeft)
        if snapshot is not None and snapshot.step:
            caption = f"{training_step(snapshot.spec)} {snapshot.step:,}"
            if marks.text_width(title, font(15, 600)) + marks.text_width(caption, font(12)) + 48 <= area.width():
                marks.put_text(painter, area.right() - PADDING, y, caption, font(12), theme.ink3, Qt.AlignmentFlag.AlignRight)
        if failure is None:
            return
        room = min(488.0, area.width() - 2 * PADDING)
        cards = (("First non-finite", f"{failure.layer_name}, {failure.phase}"), ("At step", f"{failure.step:,}"))
        for (label, value), start, width in zip(cards, (left, left + 0.6 * room + 4), (0.6 * room - 4, 0.4 * room - 4), strict=True):
            card = QRectF(start, area.top() + 46, width, 62)
            painter.setPen(QPen(QColor(theme.strong_line), 1))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(card, 8, 8)
            marks.put_text(painter, card.left() + 10, card.top() + 18, label, font(11, 600), theme.ink3, Qt.AlignmentFlag.AlignLeft)
            sizes = (20, 17, 15, 13, 11)
            size = next((s for s in sizes if marks.text_width(value, font(s, 600)) <= width - 20), sizes[-1])
            marks.put_text(painter, card.left() + 10, card.top() + 42, value, font(size, 600), theme.ink1, Qt.AlignmentFlag.AlignLeft)

    def table(self) -> Table:
        """All layers in their own order, whatever the sorting on the screen."""
        if self.snapshot is None:
            return Table(KEYS, ())
        count = len(self.snapshot.architecture.layers)
        return Table(KEYS, tuple(tuple(self.model.cell(layer, column) for column in range(COLUMNS)) for layer in range(1, count + 1)))

    def _widths(self) -> list[float]:
        """Width of each column."""
        used, small = font(12), font(11)
        headers = [self.model.header(column) for column in range(COLUMNS)]
        texts = zip(self.model.widest_texts(self._exponents), headers, strict=True)
        widths = [max(marks.text_width(text, used), marks.text_width(header, small)) + 10 for text, header in texts]
        widths[0] += SWATCH + 4
        return widths
