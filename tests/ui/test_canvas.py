"""The canvas under mouse and keys, and in every state of a run."""

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradviz.selected import Inspection
from gradviz.snapshot import Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.hand import on_screen
from tests.ui.painted import vectors
from ui.canvas.card import card_of
from ui.canvas.columns import Columns
from ui.canvas.scene import NetworkCanvas
from ui.selection import Selection
from ui.theme import THEMES

LEFT = Qt.MouseButton.LeftButton
SIZES = ({"depth": 1, "width": 1}, {"skip_every": 2, "batch_norm": True, "clipped": True}, {"depth": 60, "width": 64})


def shown(qtbot: QtBot, snapshot: Snapshot) -> NetworkCanvas:
    canvas = on_screen(qtbot, NetworkCanvas(), 976, 416)
    canvas.show_snapshot(snapshot)
    return canvas


def picture(canvas: NetworkCanvas) -> QImage:
    return canvas.grab().toImage()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("playing", [True, False])
@pytest.mark.parametrize("kind", ["vanishing", "healthy", "exploding", "nan", "dead"])
@pytest.mark.parametrize("size", SIZES)
def test_every_state_is_drawn(qtbot: QtBot, kind: str, playing: bool, theme: str, size: dict[str, int]) -> None:
    canvas = shown(qtbot, fabricate(kind=kind, playing=playing, **size))  # type: ignore[arg-type]
    canvas.set_theme(THEMES[theme])
    image = picture(canvas)
    colours = {image.pixel(x, y) for x in range(0, 976, 4) for y in range(60, 400, 4)}
    assert len(colours) > 4


@pytest.mark.parametrize("depth", [1, 1000])
@pytest.mark.parametrize("playing", [True, False])
def test_nothing_measured_yet(qtbot: QtBot, depth: int, playing: bool) -> None:
    canvas = shown(qtbot, msgspec.structs.replace(fabricate(depth=depth, details=False), playing=playing))
    assert not picture(canvas).isNull()
    assert "nothing measured" in canvas.accessibleDescription()
    canvas.clear()
    assert not picture(canvas).isNull()


def test_tall_and_mixed_layers_are_drawn(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate(depth=5, widths=(1024, 3, 64, 1, 17), inputs=64, outputs=10, kind="healthy"))
    assert not picture(canvas).isNull()


def test_a_click_selects_unit_edge_and_layer(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    layout = canvas._current_layout()
    gap = layout.gap(3)
    middle = QPointF(gap.x0 + 0.3 * (gap.x1 - gap.x0), float(gap.y0[1] + 0.3 * (gap.y1[4] - gap.y0[1])))
    for point, wanted in (
        (layout.unit_point(4, 2), Selection("unit", 4, 2)),
        (middle, Selection("edge", 3, 4, 1)),
        (QPointF(layout.columns.x(6), layout.names_y), Selection("layer", 6)),
        (QPointF(6, 400), None),
    ):
        with qtbot.waitSignal(canvas.selection_changed) as said:
            qtbot.mouseClick(canvas, LEFT, pos=point.toPoint())
        assert said.args == [wanted]
        assert canvas.selection == wanted
        picture(canvas)


def test_selecting_from_outside_is_silent_and_refuses_what_is_not_there(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    with qtbot.assertNotEmitted(canvas.selection_changed):
        canvas.select(Selection("unit", 3, 7))
        assert canvas.selection == Selection("unit", 3, 7)
        canvas.select(Selection("unit", 99, 7))
        assert canvas.selection is None


def test_a_selection_that_disappears_with_its_layer_is_given_up(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    canvas.select(Selection("layer", 10))
    with qtbot.waitSignal(canvas.selection_changed) as said:
        canvas.show_snapshot(fabricate(depth=3))
    assert said.args == [None]


def test_weakest_is_the_smallest_that_is_not_zero(qtbot: QtBot) -> None:
    snapshot = fabricate()
    assert snapshot.details is not None
    gradients = snapshot.details.edge_gradients.copy()
    gradients[:16] = 1.0
    gradients[3], gradients[5], gradients[9] = 0.0, -1e-12, np.nan
    canvas = shown(qtbot, msgspec.structs.replace(snapshot, details=msgspec.structs.replace(snapshot.details, edge_gradients=gradients)))
    qtbot.keyClick(canvas, Qt.Key.Key_W)
    assert canvas.selection == Selection("edge", 1, 5, 0)


def test_weakest_of_a_dead_layer_changes_nothing(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate(kind="dead"))
    canvas.select_weakest()
    assert canvas.selection is None


def test_keys_move_the_selection_and_zoom(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate(depth=100))
    for key, wanted in (
        (Qt.Key.Key_PageDown, Selection("layer", 1)),
        (Qt.Key.Key_Down, Selection("unit", 1, 0)),
        (Qt.Key.Key_Down, Selection("unit", 1, 1)),
        (Qt.Key.Key_PageDown, Selection("unit", 2, 1)),
        (Qt.Key.Key_Up, Selection("unit", 2, 0)),
        (Qt.Key.Key_Up, Selection("unit", 2, 0)),
        (Qt.Key.Key_Escape, None),
    ):
        qtbot.keyClick(canvas, key)
        assert canvas.selection == wanted
    for _ in range(20):
        qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.columns.zoom > 5
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    assert canvas.columns.offset == canvas.columns.largest_offset
    before = canvas.columns
    qtbot.keyClick(canvas, Qt.Key.Key_Left)  # belongs to stepping
    assert canvas.columns == before
    qtbot.keyClick(canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert canvas.columns.offset < before.offset
    qtbot.keyClick(canvas, Qt.Key.Key_PageUp)
    assert canvas.columns.x(101) < 976  # what is selected by key comes into sight
    qtbot.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.columns == Columns(976.0, 101)


def test_dragging_scrolls_and_selects_nothing(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate(depth=100))
    canvas.set_columns(canvas.columns.zoomed(6.0, 400.0))
    before = canvas.columns.offset
    with qtbot.waitSignal(canvas.columns_changed):
        qtbot.mousePress(canvas, LEFT, pos=QPoint(500, 200))
        qtbot.mouseMove(canvas, QPoint(440, 200))
        picture(canvas)
        qtbot.mouseRelease(canvas, LEFT, pos=QPoint(440, 200))
    assert canvas.columns.offset == pytest.approx(before + 60)
    assert canvas.selection is None


def test_the_columns_follow_the_size_and_the_architecture(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    with qtbot.waitSignal(canvas.columns_changed) as said:
        canvas.resize(700, 300)
    assert said.args == [Columns(700.0, 11)]
    with qtbot.waitSignal(canvas.columns_changed) as said:
        canvas.show_snapshot(fabricate(depth=4))
    assert said.args == [Columns(700.0, 5)]


def test_hovering_a_block_asks_for_its_weights_and_shows_them(qtbot: QtBot) -> None:
    snapshot = fabricate(depth=3, width=64, kind="healthy")
    canvas = shown(qtbot, snapshot)
    layout = canvas._current_layout()
    gap = layout.gap(2)
    point = QPointF(gap.x0 + 6, float(gap.y0[1] + 6 / (gap.x1 - gap.x0) * (gap.y1[3] - gap.y0[1])))
    row, column = canvas._target_at(QPointF(point.toPoint())).source, canvas._target_at(QPointF(point.toPoint())).unit  # type: ignore[union-attr]
    with qtbot.waitSignal(canvas.inspect_wanted) as said:
        qtbot.mouseMove(canvas, point.toPoint())
    assert said.args == [(2, row, column)]
    qtbot.waitUntil(lambda: canvas._explained is not None)
    weights = np.full((8, 8), 0.5)
    block = Inspection(2, (8 * row, 8 * row + 8), (8 * column, 8 * column + 8), weights, weights)
    canvas.show_snapshot(msgspec.structs.replace(snapshot, inspection=block))
    card = card_of(layout, canvas.snapshot, canvas._explained)  # type: ignore[arg-type]
    assert card.block is block
    assert dict(card.rows)["typical |weight|"] == "0.5"
    waiting = card_of(layout, snapshot, canvas._explained)  # type: ignore[arg-type]
    assert [label for label, _ in waiting.rows] == [label for label, _ in card.rows]
    assert not any("NaN" in value for _, value in (*card.rows, *waiting.rows))
    picture(canvas)
    with qtbot.waitSignal(canvas.inspect_wanted) as said:
        qtbot.mouseMove(canvas, QPoint(3, 410))
    assert said.args == [None]
    assert canvas._explained is None


def test_the_card_tells_exact_values(qtbot: QtBot) -> None:
    snapshot = fabricate()
    canvas = shown(qtbot, snapshot)
    card = card_of(canvas._current_layout(), snapshot, Selection("edge", 3, 4, 1))
    assert card.title == "Weight into L3, unit 2 → unit 5"
    assert [label for label, _ in card.rows] == ["value", "∂J/∂w", "moves this step by"]
    assert card_of(canvas._current_layout(), snapshot, Selection("edge", 1, 4, 1)).title == "Weight into L1, x₂ → unit 5"
    unknown = fabricate(details=False)
    for selection in (Selection("edge", 3, 4, 1), Selection("unit", 3, 4), Selection("layer", 3)):
        assert card_of(canvas._current_layout(), unknown, selection).rows[0][1] == "not measured yet"


def test_right_click_asks_for_the_menu_of_a_hidden_layer_only(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    asked: list[int] = []
    canvas.layer_menu_wanted.connect(lambda layer, position: asked.append(layer))
    for layer in (4, 11):
        point = QPoint(round(canvas.columns.x(layer)), 200)
        QApplication.sendEvent(canvas, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, canvas.mapToGlobal(point)))
    assert asked == [4]


def test_an_export_shows_the_whole_net_with_true_lines(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate(kind="healthy", skip_every=2, batch_norm=True, playing=True))
    canvas.set_columns(canvas.columns.zoomed(2.0, 100.0))
    canvas.top_inset = 44.0
    text = vectors(canvas, 976, 416)
    assert text.count("<image") == 1  # the output map alone
    for name in ("L1", "L10", "Out", "Loss", "BN"):
        assert f">{name}<" in text


def test_table_has_a_row_per_layer(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    table = canvas.table()
    assert len(table.rows) == 11
    assert table.rows[0][:4] == ("L1", 8, "sigmoid", False)
    assert table.rows[-1][0] == "Out"
    assert {len(row) for row in table.rows} == {len(table.columns)}
    canvas.show_snapshot(fabricate(details=False))
    assert {len(row) for row in canvas.table().rows} == {len(table.columns)}
    canvas.clear()
    assert canvas.table().rows == ()


def test_what_a_screen_reader_says(qtbot: QtBot) -> None:
    canvas = shown(qtbot, fabricate())
    assert canvas.accessibleName() == "Network"
    assert canvas.accessibleDescription().startswith("Network, 10 hidden layers; gradient falls from 0.010 in Out to ")
    canvas.show_snapshot(fabricate(kind="nan"))
    assert "first in L4" in canvas.accessibleDescription()
