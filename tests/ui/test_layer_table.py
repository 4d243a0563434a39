"""The layer table: exact numbers, sorting with NaN, copying, and a selection that stays while numbers change."""

import math

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from tests.ui.painted import picture
from ui import colors
from ui.panels.layer_model import HEADERS, KEYS
from ui.panels.layer_table import LayerTablePanel
from ui.selection import Selection
from ui.theme import THEMES

from .fabricate import fabricate


@pytest.fixture
def panel(qtbot: QtBot) -> LayerTablePanel:
    made = LayerTablePanel()
    qtbot.addWidget(made)
    made.resize(360, 400)
    return made


def names(panel: LayerTablePanel) -> list[str]:
    return [str(panel.model.cell(panel.model.layer_at(row), 0)) for row in range(panel.model.rowCount())]


def other_numbers(snapshot, seed: int):
    factors = np.random.default_rng(seed).uniform(0.1, 10.0, len(snapshot.architecture.layers))
    details = msgspec.structs.replace(snapshot.details, gradient_rms=snapshot.details.gradient_rms * factors)
    return msgspec.structs.replace(snapshot, step=snapshot.step + 1, details=details)


def test_the_numbers_are_those_of_the_snapshot(panel: LayerTablePanel) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    rows = [dict(zip(panel.table().columns, row, strict=True)) for row in panel.table().rows]
    assert [row["layer"] for row in rows] == [layer.name for layer in snapshot.architecture.layers]
    assert [row["gradient_rms"] for row in rows] == snapshot.details.gradient_rms.tolist()
    assert rows[3]["relative_update"] == snapshot.details.update_norms[3] / snapshot.details.weight_norms[3]


def test_unknown_is_not_zero(panel: LayerTablePanel) -> None:
    panel.show_snapshot(fabricate(details=False))
    assert panel.table().rows[0][3:] == (None,) * (len(KEYS) - 3)
    assert panel.model.text(1, 3) == "–"
    assert panel.model.level(1) == colors.UNKNOWN


def test_sorting_puts_nan_last_in_both_directions(panel: LayerTablePanel) -> None:
    panel.show_snapshot(fabricate(kind="nan"))
    column = KEYS.index("gradient_rms")
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        panel.view.sortByColumn(column, order)
        values = [float(panel.model.cell(panel.model.layer_at(row), column)) for row in range(11)]
        assert [math.isnan(value) for value in values] == [False] * 3 + [True] * 8
        finite = values[:3] if order == Qt.SortOrder.AscendingOrder else values[2::-1]
        assert finite == sorted(finite)
    panel.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert names(panel)[0] == "Out"


def test_an_update_keeps_selection_and_scroll_position_even_when_it_sorts_anew(panel: LayerTablePanel, qtbot: QtBot) -> None:
    snapshot = fabricate(depth=60, kind="healthy")
    panel.show_snapshot(snapshot)
    panel.show()
    panel.view.sortByColumn(KEYS.index("gradient_rms"), Qt.SortOrder.DescendingOrder)
    panel.select(Selection("layer", 7))
    panel.view.verticalScrollBar().setValue(40)
    order = names(panel)
    with qtbot.assertNotEmitted(panel.layer_selected):
        for seed in range(3):
            panel.show_snapshot(other_numbers(snapshot, seed))
    assert names(panel) != order
    chosen = panel.view.selectionModel().selectedRows()
    assert [panel.model.layer_at(index.row()) for index in chosen] == [7]
    assert panel.view.verticalScrollBar().value() == 40


def test_an_update_without_resorting_only_says_that_data_changed(panel: LayerTablePanel, qtbot: QtBot) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    with qtbot.assertNotEmitted(panel.model.modelReset), qtbot.assertNotEmitted(panel.model.layoutChanged):
        panel.show_snapshot(other_numbers(snapshot, 1))
    with qtbot.waitSignal(panel.model.modelReset):
        panel.show_snapshot(fabricate(depth=3))
    assert panel.model.rowCount() == 4


def test_the_model_follows_qts_rules(panel: LayerTablePanel) -> None:
    tester = QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for snapshot in (fabricate(), fabricate(depth=3), fabricate(kind="nan", depth=3), fabricate(details=False)):
        panel.show_snapshot(snapshot)
        panel.view.sortByColumn(5, Qt.SortOrder.AscendingOrder)
    panel.clear()
    assert panel.model.rowCount() == 0
    tester.deleteLater()


@pytest.mark.parametrize("width", [200, 280, 360, 500])
def test_no_number_is_cut_at_the_edge(panel: LayerTablePanel, width: int) -> None:
    panel.resize(width, 400)
    panel.show_snapshot(fabricate(kind="vanishing"))
    panel.show()
    header, room = panel.view.horizontalHeader(), panel.view.viewport().width()
    ends = [header.sectionViewportPosition(c) + header.sectionSize(c) for c in range(len(KEYS)) if not header.isSectionHidden(c)]
    assert room in ends
    assert header.isSectionHidden(KEYS.index("clipped_norm"))


def test_choosing_a_row_by_key_selects_its_layer(panel: LayerTablePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(fabricate())
    panel.show()
    panel.select(Selection("unit", 2))
    with qtbot.waitSignal(panel.layer_selected) as said:
        qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert said.args == [3]


def test_copy_is_tab_separated_with_every_digit(panel: LayerTablePanel, qtbot: QtBot) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    panel.show()
    panel.select(Selection("layer", 2))
    qtbot.keyClick(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    header, row = QGuiApplication.clipboard().text().split("\n")
    assert header.split("\t") == list(KEYS)
    assert float(row.split("\t")[KEYS.index("gradient_rms")]) == float(snapshot.details.gradient_rms[1])
    panel.select(None)
    qtbot.keyClick(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert len(QGuiApplication.clipboard().text().split("\n")) == 12


def test_every_header_is_explained(panel: LayerTablePanel) -> None:
    for column in range(len(HEADERS)):
        assert len(panel.model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)) > 20


def test_the_failure_is_named_and_goes_away(panel: LayerTablePanel) -> None:
    panel.show_snapshot(fabricate(kind="nan"))
    assert panel.model.text(4, 0) == "L4 ◂ first"
    top = panel.layout().contentsMargins().top()
    panel.show_snapshot(fabricate())
    assert panel.model.text(4, 0) == "L4"
    assert panel.layout().contentsMargins().top() < top


def test_selection_does_not_tint_the_colour_of_a_gradient(panel: LayerTablePanel) -> None:
    panel.show_snapshot(fabricate())
    icon = panel.model.data(panel.model.index(10, 0), Qt.ItemDataRole.DecorationRole)
    pictures = [icon.pixmap(14, 14, mode).toImage() for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected)]
    assert pictures[0] == pictures[1]
    wanted = colors.color(panel.model.level(11), panel.theme)
    assert pictures[0].pixelColor(pictures[0].rect().center()).name() == wanted.name()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(976, 360), (200, 120)])
@pytest.mark.parametrize("kind", ["vanishing", "nan", "dead", ""])
def test_the_table_is_drawn_for_exports(panel: LayerTablePanel, kind, size, theme) -> None:
    panel.set_theme(THEMES[theme])
    if kind:
        panel.show_snapshot(fabricate(kind=kind))
    image = picture(panel, *size)
    assert len({image.pixel(x, y) for x in range(0, size[0], 2) for y in range(size[1])}) > 3
