"""The layer table's numbers as a Qt model: it sorts itself, and an update changes cells without moving what is selected."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

from gradviz.snapshot import Details, Snapshot
from gradviz.spec import field_info

from .. import colors
from ..numbers import full, short
from ..theme import Theme
from . import marks

Index = QModelIndex | QPersistentModelIndex
SWATCH = 14
ACTIVATION_TITLES = dict(field_info("network.activation").choices)


@dataclass(frozen=True)
class Column:
    """One column: ``values`` gives one number per layer, NaN where it is not finite; None while it is not known."""

    key: str  # in exports
    header: str
    tip: str
    values: Callable[[Snapshot, Details | None], NDArray[Any] | None]
    percent: bool = False


def _measured(name: str) -> Callable[[Snapshot, Details | None], NDArray[Any] | None]:
    return lambda snapshot, details: None if details is None else getattr(details, name)


def _per_step(name: str) -> Callable[[Snapshot, Details | None], NDArray[Any] | None]:
    return lambda snapshot, details: None if snapshot.step == 0 else getattr(snapshot, name)


def _relative_update(snapshot: Snapshot, details: Details | None) -> NDArray[Any] | None:
    if details is None:
        return None
    with np.errstate(all="ignore"):
        result: NDArray[Any] = details.update_norms / details.weight_norms
    return result


def _by_theory(snapshot: Snapshot, details: Details | None) -> NDArray[Any] | None:
    theory, distances = snapshot.theory, snapshot.from_theory
    if theory is None or distances is None:
        return None
    found: NDArray[Any] = theory.delta_rms * np.sqrt([layer.units for layer in snapshot.architecture.layers])
    return found


def _over_theory(snapshot: Snapshot, details: Details | None) -> NDArray[Any] | None:
    distances = snapshot.from_theory
    if distances is None or snapshot.step == 0:
        return None
    with np.errstate(over="ignore"):
        found: NDArray[Any] = 10.0 ** distances[0]
    return found


NUMBERS = (  # the most telling ones first: not all of them fit beside the network
    Column(
        "gradient_norm",
        "‖∂J/∂W‖",
        "Length of the gradient of all the layer's weights together: how strongly the loss asks them to move.",
        _per_step("gradient_norms"),
    ),
    Column(
        "delta_norm",
        "‖∂J/∂z‖",
        "Length of the gradient of the layer's pre-activations over the batch: the signal that travels back.",
        _per_step("delta_norms"),
    ),
    Column(
        "mean_slope",
        "mean f′",
        "Mean slope of the activation over batch and units: the factor by which it scales the signal that travels back.",
        _measured("mean_slopes"),
    ),
    Column(
        "dead_fraction",
        "dead",
        "Share of the units whose slope is exactly 0 for the whole batch: no gradient passes through them.",
        _measured("dead_fractions"),
        percent=True,
    ),
    Column("clipped_norm", "clipped", "The same after clipping: what the optimiser is really given.", _per_step("clipped_norms")),
    Column(
        "gradient_rms",
        "RMS",
        "Typical gradient of one weight: ‖∂J/∂W‖ over the root of the number of weights. The colour shows it.",
        _measured("gradient_rms"),
    ),
    Column("weight_norm", "‖W‖", "Length of the layer's weights.", _measured("weight_norms")),
    Column("update_norm", "‖ΔW‖", "How far this step moved the weights.", _measured("update_norms")),
    Column(
        "relative_update",
        "‖ΔW‖/‖W‖",
        "The step relative to the weights' own length. Around 10⁻³ is usual; far below it the layer stands still.",
        _relative_update,
    ),
    Column(
        "delta_norm_by_theory",
        "theory ‖∂J/∂z‖",
        "The same length at initialisation by mean-field theory: from the settings and the data, before any weight is drawn. "
        "Unreliable for linear layers with batch norm on one or two inputs.",
        _by_theory,
    ),
    Column("delta_over_theory", "of theory", "‖∂J/∂z‖ as it is measured now, over that of theory.", _over_theory),
)
TEXTS = (
    ("layer", "Layer", "Name of the layer, counted from the input; the colour is its typical gradient."),
    ("units", "Units", "How many units the layer has."),
    ("activation", "Activation", "The function after the layer."),
)
COLUMNS = len(TEXTS) + len(NUMBERS)
KEYS = tuple(key for key, _, _ in TEXTS) + tuple(column.key for column in NUMBERS)
HEADERS = tuple(header for _, header, _ in TEXTS) + tuple(column.header for column in NUMBERS)
TIPS = tuple(tip for _, _, tip in TEXTS) + tuple(column.tip for column in NUMBERS)


# in a recurrent net a row is a time step, and the same columns tell of it …
TIME_WORDS = {
    "layer": ("Time step", "Name of the time step, counted from the first one; the colour is its typical ∂J/∂hₜ. Out is the output layer."),
    "units": ("Units", "How many units the cell has."),
    "activation": ("Activation", "The function of the cell, the same at every time step."),
    "gradient_norm": (
        "‖∂J/∂hₜ‖",
        "Length of the gradient of the time step’s state over units and batch: what has come back through time. At Out: ‖∂J/∂W‖.",
    ),
    "delta_norm": ("‖∂J/∂zₜ‖", "Length of the gradient of the time step’s pre-activations over the batch."),
    "gradient_rms": ("RMS", "Typical gradient of one unit’s state: ‖∂J/∂hₜ‖ over the root of the number of units. The colour shows it."),
    "weight_norm": ("‖W‖", "Length of the weights into the time step’s state: from t2 on they are the same ones."),
    "update_norm": ("‖ΔW‖", "How far this step moved the weights; all time steps share them."),
}
# … and in an LSTM the forget gate stands where a slope does: it is what the cell path is multiplied by
LSTM_WORDS = TIME_WORDS | {
    "mean_slope": (
        "forget gate",
        "Mean opening of the forget gate over batch and units: the factor by which it scales what the cell path carries back.",
    ),
}


class LayerModel(QAbstractTableModel):
    """Rows are layers in the order of the last sorting; `layer_at` says which."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._snapshot: Snapshot | None = None
        self._values: list[NDArray[Any] | None] = [None] * len(NUMBERS)
        self._levels: NDArray[Any] = np.zeros(0, np.uint8)
        self._order: NDArray[np.intp] = np.zeros(0, np.intp)  # row -> index of the layer
        self._sorting = (0, Qt.SortOrder.AscendingOrder)
        self._icons: dict[int, QIcon] = {}

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Take over new numbers; rows are reset only when there are other layers."""
        before = self._snapshot.architecture.layers if self._snapshot is not None else ()
        after = snapshot.architecture.layers if snapshot is not None else ()
        same = before == after
        if not same:
            self.beginResetModel()
        self._snapshot = snapshot
        details = snapshot.details if snapshot is not None else None
        self._values = [column.values(snapshot, details) if snapshot is not None else None for column in NUMBERS]
        self._levels = colors.levels(details.gradient_rms) if details is not None else np.full(len(after), colors.UNKNOWN)
        if snapshot is not None and snapshot.level and details is not None:  # the others are not measured
            unknown = np.array([self._not_measured(snapshot, layer) for layer in range(1, len(after) + 1)])
            self._levels[unknown & np.isnan(details.gradient_rms)] = colors.UNKNOWN
        if not same:
            self._order = self._sorted()
            self.endResetModel()
            return
        self._reorder()
        if len(after):
            self.dataChanged.emit(self.index(0, 0), self.index(len(after) - 1, COLUMNS - 1))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._icons.clear()
        if len(self._order):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._order) - 1, 0))

    def header(self, column: int) -> str:
        return self._told(column)[0]

    def _told(self, column: int) -> tuple[str, str]:
        """Header and tip of a column, in the words of the net at hand."""
        own = (HEADERS[column], TIPS[column])
        kind = self._snapshot.architecture.kind if self._snapshot is not None else "mlp"
        return own if kind == "mlp" else (LSTM_WORDS if kind == "lstm" else TIME_WORDS).get(KEYS[column], own)

    def layer_at(self, row: int) -> int:
        """Number of the layer in this row, counted from 1."""
        return int(self._order[row]) + 1

    def row_of(self, layer: int) -> int | None:
        """The row of a layer; None when there is no such layer."""
        found = np.nonzero(self._order == layer - 1)[0]
        return int(found[0]) if len(found) else None

    def widest_texts(self, exponents: Sequence[int]) -> list[str]:
        """For each column a text as wide as any it may have to show while its exponents have at most that many digits."""
        infos = self._snapshot.architecture.layers if self._snapshot is not None else ()
        fixed = [max((self.text(layer, column) for layer in range(1, len(infos) + 1)), key=len, default="") for column in range(len(TEXTS))]
        wide = ["0.0011" if digits == 0 else "8.4×10⁻" + "⁹" * digits for digits in exponents]
        return fixed + ["100 %" if column.percent else text for column, text in zip(NUMBERS, wide, strict=True)]

    def exponent_digits(self) -> list[int]:
        """How many digits the longest exponent in each column of numbers has now; 0 where no number needs one."""
        digits = []
        for values in self._values:
            sizes = np.abs(values[np.isfinite(values) & (values != 0)]) if values is not None else np.zeros(0)
            exponents = [math.floor(math.log10(size)) for size in (sizes.min(), sizes.max())] if len(sizes) else []
            digits.append(max((0 if -3 <= exponent <= 1 else len(str(abs(exponent))) for exponent in exponents), default=0))
        return digits

    def level(self, layer: int) -> int:
        """Colour level of a layer's typical gradient."""
        return int(self._levels[layer - 1])

    def cell(self, layer: int, column: int) -> object:
        """The exact content of a cell: text, a number, or None when it is not known."""
        assert self._snapshot is not None
        info = self._snapshot.architecture.layers[layer - 1]
        if column < len(TEXTS):
            return (info.name, info.units, ACTIVATION_TITLES.get(info.activation, info.activation))[column]
        values = self._values[column - len(TEXTS)]
        value = None if values is None else float(values[layer - 1])
        return None if value is None or (not math.isfinite(value) and self._not_measured(self._snapshot, layer)) else value

    @staticmethod
    def _not_measured(snapshot: Snapshot, layer: int) -> bool:
        """Whether a layer has no numbers while one is trained by itself: it is another one, or its gradient is still on its way."""
        return snapshot.level > 0 and not snapshot.knows(layer)

    def text(self, layer: int, column: int) -> str:
        """A cell as it is shown."""
        value = self.cell(layer, column)
        if value is None:
            return "–"
        if isinstance(value, float):
            if NUMBERS[column - len(TEXTS)].percent and np.isfinite(value):
                return f"{value:.0%}".replace("%", " %")
            return short(value)
        failure = self._snapshot.failure if self._snapshot is not None else None
        if column == 0 and failure is not None and failure.layer == layer:
            return f"{value} ◂ first"
        return f"{value:,}" if isinstance(value, int) else str(value)

    # ---- the model's interface

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self.header(section)
            if role == Qt.ItemDataRole.ToolTipRole:
                return self._told(section)[1]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._snapshot is None:
            return None
        layer, column = self.layer_at(index.row()), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(layer, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return self._icon(self.level(layer))
        if role == Qt.ItemDataRole.ForegroundRole:
            value = self.cell(layer, column)
            if isinstance(value, float):
                return QColor(self._theme.ink1 if np.isfinite(value) else self._theme.nan)
        if role == Qt.ItemDataRole.ToolTipRole:
            value = self.cell(layer, column)
            if isinstance(value, float):
                return f"{self.header(column)} of {self.cell(layer, 0)}: {full(value)}"
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorting = (column, order)
        self._reorder()

    def _sorted(self) -> NDArray[np.intp]:
        column, order = self._sorting
        count = len(self._snapshot.architecture.layers) if self._snapshot is not None else 0
        rows = np.arange(count)
        if column < 1 or count == 0:
            keys: NDArray[Any] = rows
        else:
            cells = [self.cell(layer, column) for layer in range(1, count + 1)]
            if isinstance(cells[0], str):
                keys = np.unique(np.array(cells, str), return_inverse=True)[1]
            else:
                keys = np.array([np.nan if cell is None else cell for cell in cells], float)
        if order == Qt.SortOrder.DescendingOrder and column > 0:
            keys = -keys
        elif order == Qt.SortOrder.DescendingOrder:
            return rows[::-1]
        return np.argsort(keys, kind="stable")  # NaN comes last either way

    def _reorder(self) -> None:
        """Sort again, and take along what points at rows: the selection, the current cell."""
        wanted = self._sorted()
        if np.array_equal(wanted, self._order):
            return
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        rows = np.argsort(wanted)
        moved = [self.index(int(rows[self._order[index.row()]]), index.column()) for index in kept]
        self._order = wanted
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _icon(self, level: int) -> QIcon:
        if level not in self._icons:
            pixmap = QPixmap(QSize(SWATCH, SWATCH) * 2)
            pixmap.setDevicePixelRatio(2.0)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            marks.paint_swatch(painter, QRectF(0.5, 0.5, SWATCH - 1, SWATCH - 1), level, self._theme)
            painter.end()
            icon = QIcon(pixmap)
            icon.addPixmap(pixmap, QIcon.Mode.Selected)  # otherwise Qt tints it, and a tinted colour is a wrong number
            self._icons[level] = icon
        return self._icons[level]


def _alignment(column: int) -> Qt.AlignmentFlag:
    return marks.LEFT_ALIGNED if column in (0, 2) else marks.RIGHT_ALIGNED
