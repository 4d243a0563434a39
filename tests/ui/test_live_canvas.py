"""The mouse on the network in the real window, with what the real engine has measured: zoom, scroll, fit, hover and click."""


import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, opened, settled
from ui.canvas.card import Card, card_of
from ui.canvas.columns import Columns
from ui.main_window import MainWindow
from ui.numbers import full
from ui.selection import Selection

SPEC = Spec(NetworkSpec(depth=12, width=4, activation="tanh"), DataSpec(samples=80), TrainingSpec(seed=5))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = opened(qtbot, SPEC, lambda s: s.step > 0)
    made.set_playing(False)
    settled(qtbot, made, lambda s: not s.playing)
    return made


def shown(window: MainWindow) -> Snapshot:
    snapshot = window.canvas.snapshot
    assert snapshot is not None
    assert snapshot.details is not None
    return snapshot


def wheel(window: MainWindow, x: float, turns: int) -> None:
    """Turn the wheel over the network, upwards for positive turns."""
    point, nowhere = QPointF(x, window.canvas.height() / 2), QPoint()
    event = QWheelEvent(
        point,
        window.canvas.mapToGlobal(point),
        nowhere,
        QPoint(0, 120 * turns),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(window.canvas, event)


def drag(qtbot: QtBot, window: MainWindow, across: int) -> None:
    """Pull the network by so many pixels; the mouse goes on in steps, as a hand moves it."""
    start = QPoint(window.canvas.width() // 2, window.canvas.height() - 12)
    qtbot.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=start)
    for part in range(1, 5):
        qtbot.mouseMove(window.canvas, start + QPoint(across * part // 4, 0))
    qtbot.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(across, 0))


def fitting(window: MainWindow) -> Columns:
    return Columns(float(window.canvas.width()), 13)


def test_the_wheel_zooms_around_the_mouse_and_the_profile_follows(qtbot: QtBot, window: MainWindow) -> None:
    canvas = window.canvas
    assert canvas.columns == fitting(window)
    mouse = canvas.columns.x(9)
    wheel(window, mouse, 2)
    assert canvas.columns.pitch == pytest.approx(1.25**2 * fitting(window).pitch)
    assert canvas.columns.x(9) == pytest.approx(mouse)
    assert window.profile._columns == canvas.columns
    assert window.profile.mapTo(window, QPoint()).x() == canvas.mapTo(window, QPoint()).x(), "the same x is the same column"
    wheel(window, mouse, -2)
    assert canvas.columns.zoom == pytest.approx(1.0)


def test_zoom_stays_while_it_trains(qtbot: QtBot, window: MainWindow) -> None:
    wheel(window, window.canvas.columns.x(2), 2)
    zoomed, step = window.canvas.columns, shown(window).step
    window.set_playing(True)
    qtbot.waitUntil(lambda: shown(window).step > step + 5, timeout=PATIENCE)
    assert window.canvas.columns == window.profile._columns == zoomed


def test_dragging_scrolls_and_selects_nothing(qtbot: QtBot, window: MainWindow) -> None:
    canvas = window.canvas
    wheel(window, canvas.columns.x(7), 3)
    before = canvas.columns
    drag(qtbot, window, -60)
    assert canvas.columns.x(5) == pytest.approx(before.x(5) - 60)
    assert canvas.columns.zoom == before.zoom
    assert window.profile._columns == canvas.columns
    assert canvas.selection is None
    drag(qtbot, window, 60)
    assert canvas.columns == before


def test_a_double_click_on_free_ground_fits(qtbot: QtBot, window: MainWindow) -> None:
    canvas = window.canvas
    wheel(window, canvas.columns.x(7), 3)
    ground = QPoint(canvas.width() // 2, 60)  # between the legend and the names
    assert canvas._target_at(QPointF(ground)) is None
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=ground)
    assert canvas.columns == window.profile._columns == fitting(window)


def edge_point(window: MainWindow, target: Selection) -> QPoint:
    """A point on the edge at which no other is nearer."""
    canvas = window.canvas
    gap = canvas._current_layout().gap(target.layer)
    for share in np.linspace(0.1, 0.9, 81):
        x = gap.x0 + share * (gap.x1 - gap.x0)
        y = gap.y0[target.source] * (1 - share) + gap.y1[target.unit] * share
        point = QPoint(round(x), round(y))
        if canvas._target_at(QPointF(point)) == target:
            return point
    raise AssertionError(f"{target} is nowhere to be picked")


def hovered(qtbot: QtBot, window: MainWindow, point: QPoint) -> Card:
    """The card that appears when the mouse rests there."""
    canvas = window.canvas
    QTest.mouseMove(canvas, QPoint(2, 2))
    QTest.mouseMove(canvas, point)
    qtbot.waitUntil(lambda: canvas._explained is not None, timeout=PATIENCE)
    assert canvas._explained is not None
    return card_of(canvas._current_layout(), shown(window), canvas._explained)


def test_hover_shows_the_exact_numbers_of_an_edge(qtbot: QtBot, window: MainWindow) -> None:
    wheel(window, window.canvas.columns.x(6), 5)
    target = Selection("edge", 6, 2, 1)
    plain = window.canvas.grab().toImage()
    card = hovered(qtbot, window, edge_point(window, target))
    snapshot = shown(window)
    details = snapshot.details
    assert details is not None
    at = snapshot.architecture.edge_slice(6).start + 1 * 4 + 2
    assert card.title == "Weight into L6, unit 2 → unit 3"
    assert card.rows == (
        ("value", full(details.edge_weights[at])),
        ("∂J/∂w", full(details.edge_gradients[at])),
        ("moves this step by", full(details.edge_updates[at])),
    )
    assert window.canvas.grab().toImage() != plain


def test_hover_shows_the_exact_numbers_of_a_unit_and_a_layer(qtbot: QtBot, window: MainWindow) -> None:
    layout = window.canvas._current_layout()
    card = hovered(qtbot, window, layout.unit_point(4, 2).toPoint())
    snapshot = shown(window)
    details = snapshot.details
    assert details is not None
    assert card.title == "L4, unit 3 of 4"
    assert card.rows[0][1] == full(details.unit_deltas[snapshot.architecture.unit_slice(4).start + 2])
    card = hovered(qtbot, window, QPoint(round(layout.columns.x(4)), round(layout.names_y)))
    assert card.title == "L4: 4 units, tanh"
    assert card.rows[0] == ("typical |∂J/∂w|", full(details.gradient_rms[3]))
    assert card.rows[2] == ("mean slope f′", full(details.mean_slopes[3]))


def test_the_numbers_on_the_card_run_with_the_training(qtbot: QtBot, window: MainWindow) -> None:
    before = hovered(qtbot, window, window.canvas._current_layout().unit_point(4, 2).toPoint())
    step = shown(window).step
    window.set_playing(True)
    qtbot.waitUntil(lambda: shown(window).step > step, timeout=PATIENCE)
    explained = window.canvas._explained
    assert explained == Selection("unit", 4, 2)
    after = card_of(window.canvas._current_layout(), shown(window), explained)
    assert after.title == before.title
    assert after.rows != before.rows


@pytest.mark.parametrize("target", [Selection("edge", 6, 2, 1), Selection("unit", 5, 3), Selection("layer", 8)], ids=lambda s: s.kind)
def test_a_click_selects_and_every_panel_knows(qtbot: QtBot, window: MainWindow, target: Selection) -> None:
    canvas = window.canvas
    wheel(window, canvas.columns.x(6), 5)
    layout = canvas._current_layout()
    if target.kind == "edge":
        point = edge_point(window, target)
    elif target.kind == "unit":
        point = layout.unit_point(target.layer, target.unit).toPoint()
    else:
        point = QPoint(round(layout.columns.x(target.layer)), round(layout.names_y))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=point)
    assert canvas.selection == target
    assert window.run.look.picked == (target.kind, target.layer, target.unit, target.source)
    assert window.profile._selection == window.chain._selection == target
    assert window.dock.page == ("overview" if target.kind == "layer" else "inspect")
    if target.kind != "layer":
        qtbot.waitUntil(lambda: shown(window).picked is not None, timeout=PATIENCE)
        picked = shown(window).picked
        assert picked is not None
        assert picked.layer == target.layer


def test_a_click_on_free_ground_clears_the_selection(qtbot: QtBot, window: MainWindow) -> None:
    layout = window.canvas._current_layout()
    qtbot.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=layout.unit_point(5, 3).toPoint())
    assert window.canvas.selection is not None
    qtbot.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=QPoint(window.canvas.width() // 2, 60))
    assert window.canvas.selection is None
    assert window.run.look.picked is None
