"""Stepping through a training step in the real window, forth and back, and back in time: with keys, mouse and controls."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradviz.selected import UnitInspection, WeightInspection
from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, trained, wait
from ui.main_window import MainWindow
from ui.presets import preset_named
from ui.selection import Selection

SPEC = Spec(NetworkSpec(depth=4, width=4), DataSpec(samples=80), TrainingSpec(seed=5, batch_size=16))
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return trained(qtbot, SPEC, 40)


def at(kind: str, layer: int) -> Callable[[Snapshot], bool]:
    return lambda s: s.moment is not None and (s.moment.kind, s.moment.layer) == (kind, layer)


def press(
    qtbot: QtBot,
    window: MainWindow,
    key: Qt.Key,
    ready: Callable[[Snapshot], bool],
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> Snapshot:
    qtbot.keyClick(window, key, modifier)
    return wait(qtbot, window, ready)


def test_right_and_left_walk_through_the_step_and_space_plays_on(qtbot: QtBot, window: MainWindow) -> None:
    step = window.run.snapshot.step
    order = [("forward", n) for n in range(1, 6)] + [("loss", 0)] + [("backward", n) for n in range(5, 0, -1)] + [("clip", 0)]
    for kind, layer in order:
        snapshot = press(qtbot, window, Qt.Key.Key_Right, at(kind, layer))
        assert (snapshot.step, snapshot.moment.step) == (step, step + 1)
        assert window.overlays.phases.phase == kind.capitalize()
    for kind, layer in order[-2::-1]:
        press(qtbot, window, Qt.Key.Key_Left, at(kind, layer))
    whole = press(qtbot, window, Qt.Key.Key_Left, lambda s: s.moment is None)
    assert whole.step == step
    press(qtbot, window, Qt.Key.Key_Left, lambda s: at("clip", 0)(s) and s.moment.step == step)
    press(qtbot, window, Qt.Key.Key_Space, lambda s: s.playing and s.step > step + 1)
    assert window.overlays.phases.phase is None


def test_whole_phases_and_whole_steps(qtbot: QtBot, window: MainWindow) -> None:
    step = window.run.snapshot.step
    for kind, layer in (("forward", 5), ("loss", 0), ("backward", 1), ("clip", 0), ("update", 0)):
        press(qtbot, window, Qt.Key.Key_Right, at(kind, layer), CTRL)
    assert window.run.snapshot.step == step + 1
    for kind, layer in (("clip", 0), ("backward", 1), ("loss", 0), ("forward", 5)):
        press(qtbot, window, Qt.Key.Key_Left, at(kind, layer), CTRL)
    press(qtbot, window, Qt.Key.Key_S, lambda s: s.moment is None or s.moment.done == s.moment.total)
    assert window.run.snapshot.step == step + 1
    press(qtbot, window, Qt.Key.Key_S, lambda s: s.step == step + 2)
    press(qtbot, window, Qt.Key.Key_B, lambda s: s.step == step + 1)
    press(qtbot, window, Qt.Key.Key_B, lambda s: s.step == step)


def test_the_loss_of_an_earlier_step_is_the_one_that_was_recorded(qtbot: QtBot, window: MainWindow) -> None:
    recorded = window.run.snapshot.history
    for step in (7, 25, 1, 18):
        window.timeline.step_wanted.emit(step)
        snapshot = wait(qtbot, window, lambda s, step=step: s.step == step)
        assert snapshot.loss == recorded.loss[step - 1]
        assert snapshot.last_step == recorded.steps[-1]
        np.testing.assert_array_equal(snapshot.history.loss, recorded.loss)
    assert window.run.snapshot.ghost is None


def test_dragging_along_the_timeline_takes_the_run_along(qtbot: QtBot, window: MainWindow) -> None:
    timeline = window.timeline
    frame = timeline._frame(QRectF(timeline.rect()))
    y = int(frame.loss.center().y())
    start, end = QPoint(int(frame.x(window.run.snapshot.step)), y), QPoint(int(frame.x(10)), y)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(timeline, start + (end - start) * share)
        qtbot.wait(20)
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=end)
    snapshot = wait(qtbot, window, lambda s: abs(s.step - 10) <= 1)
    assert snapshot.last_step > 30


def test_playing_on_from_the_past_leaves_a_ghost_and_undo_takes_the_old_line_up(qtbot: QtBot, window: MainWindow) -> None:
    last = window.run.snapshot.step
    window.run.go_to(12)
    wait(qtbot, window, lambda s: s.step == 12)
    window.run.change(SPEC.replace("network.activation", "relu"), "network.activation")
    window.set_playing(True)
    wait(qtbot, window, lambda s: s.playing and s.step > 20)
    window.run.pause()
    snapshot = wait(qtbot, window, lambda s: not s.playing)
    assert snapshot.ghost is not None
    assert (snapshot.ghost.branch_step, snapshot.ghost.history.steps[-1]) == (12, last)
    assert snapshot.history.steps[-1] == snapshot.step

    window.run.go_to(15)
    wait(qtbot, window, lambda s: s.step == 15 and s.last_step > 15)
    window.set_playing(True)
    wait(qtbot, window, lambda s: s.playing and s.ghost is not None and s.ghost.branch_step == 15)
    window.undo()
    back = wait(qtbot, window, lambda s: not s.playing and s.step == snapshot.step)
    assert back.loss == snapshot.loss


def test_going_back_brings_the_settings_of_that_time(qtbot: QtBot, window: MainWindow) -> None:
    step = window.run.snapshot.step
    window.run.change(SPEC.replace("network.activation", "relu"), "network.activation")
    press(qtbot, window, Qt.Key.Key_S, lambda s: s.step == step + 1)
    assert window.controls.spec.network.activation == "relu"
    press(qtbot, window, Qt.Key.Key_B, lambda s: s.step == step)
    press(qtbot, window, Qt.Key.Key_B, lambda s: s.step == step - 1 and s.spec.network.activation == "sigmoid")
    assert window.controls.spec.network.activation == "sigmoid"
    window.run.go_to(step + 1)
    wait(qtbot, window, lambda s: s.step == step + 1 and s.spec.network.activation == "relu")


def test_a_click_on_a_unit_and_on_a_weight_shows_them_exactly(qtbot: QtBot, window: MainWindow) -> None:
    layout = window.canvas._current_layout()
    centre = QPointF(layout.columns.x(2), float(layout.anchors(2, 4)[1]))
    qtbot.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=centre.toPoint())
    snapshot = wait(qtbot, window, lambda s: isinstance(s.picked, UnitInspection))
    assert (snapshot.picked.layer, snapshot.picked.unit) == (2, 1)
    assert window.dock.page == "inspect"
    window.select(Selection("edge", 3, 2, 1))
    snapshot = wait(qtbot, window, lambda s: isinstance(s.picked, WeightInspection))
    assert (snapshot.picked.parameter, snapshot.picked.row, snapshot.picked.column) == ("layer03.weight", 1, 2)
    assert snapshot.details is not None
    own = snapshot.details.edge_weights[snapshot.architecture.edge_slice(3)].reshape(4, 4)
    assert snapshot.picked.weight == own[1, 2]


def test_the_chain_rule_belongs_to_the_selected_weight_and_the_chosen_example(qtbot: QtBot, window: MainWindow) -> None:
    window.select(Selection("edge", 2, 3, 0))
    window.show_chain()
    window.chain.example_wanted.emit(7)
    snapshot = wait(qtbot, window, lambda s: s.chain is not None and s.chain.layer == 2 and s.example == 7)
    chain = snapshot.chain
    assert (chain.row, chain.column, chain.example) == (0, 3, 7)
    assert chain.sum_over_paths == pytest.approx(chain.gradient, abs=1e-12)
    assert chain.example_gradient == pytest.approx(chain.dj_dy * chain.dy_dz * chain.dz_dw, rel=1e-12)
    # the network shows that example too
    own = snapshot.details.edge_gradients[snapshot.architecture.edge_slice(2)].reshape(4, 4)
    assert own[0, 3] == pytest.approx(chain.example_gradient, rel=1e-12)
    assert window.canvas.chain_shown


def test_a_weight_set_by_hand_holds_at_once_and_undo_takes_it_back(qtbot: QtBot, window: MainWindow) -> None:
    window.select(Selection("edge", 1, 0, 0))
    before = wait(qtbot, window, lambda s: isinstance(s.picked, WeightInspection)).picked.weight
    window.inspect.weight_wanted.emit("layer01.weight[0,0]", 2.5)
    wait(qtbot, window, lambda s: s.picked is not None and s.picked.weight == 2.5)
    window.undo()
    wait(qtbot, window, lambda s: s.picked is not None and s.picked.weight == before)


@pytest.mark.parametrize(
    ("preset", "factors", "gradient", "new"),
    [
        ("worked-sigmoid", ("0.2", "0.15", "0.05"), "0.0015", "2.4985"),  # A3
        ("worked-relu", ("1", "1", "1"), "1", "1.5"),  # A6
        ("worked-dead-relu", ("1", "1", "0"), "0", "2.5"),  # A7
        ("worked-leaky-relu", ("1", "0.01", "1"), "0.01", "2.49"),  # A8
        ("worked-large-weight", ("1", "125", "1"), "125", "-122.5"),  # C1
    ],
)
def test_the_worked_products_of_the_lecture_are_on_the_screen(
    qtbot: QtBot, window: MainWindow, preset: str, factors: tuple[str, ...], gradient: str, new: str
) -> None:
    window.load_preset(preset)
    wait(qtbot, window, lambda s: s.spec == preset_named(preset).spec and s.step == 0 and not s.playing)
    qtbot.waitUntil(lambda: window.canvas.selection == preset_named(preset).select, timeout=PATIENCE)
    assert window.dock.page == "chain"
    phases = 2 * (window.run.snapshot.spec.network.depth + 1) + 3
    for done in range(1, phases + 1):
        press(qtbot, window, Qt.Key.Key_Right, lambda s, done=done: s.moment is not None and s.moment.done == done)
    chain = window.run.snapshot.chain
    assert chain is not None
    shown = [f"{value:.12g}" for value in (chain.dj_dy, chain.dy_dz, chain.dz_dw, chain.gradient, chain.weight_new)]
    assert shown == [*factors, gradient, new]
    assert chain.weight_old == 2.5
    words = window.chain.accessibleDescription().replace("−", "-")
    for number in (*factors, gradient):
        assert number in words


def test_a_one_unit_chain_is_built_with_the_controls(qtbot: QtBot, window: MainWindow) -> None:
    """The lecture's ReLU example from nothing but controls and the weight's own field."""
    wanted = {
        "data.name": "one_example",
        "network.depth": 1,
        "network.width": 1,
        "network.activation": "relu",
        "training.learning_rate": 1.0,
        "training.batch_size": 1,
        "data.example_input": 1.0,
        "data.example_target": 2.0,
    }
    for path, value in wanted.items():
        window.controls.rows[path].input.wanted.emit(value)
        wait(qtbot, window, lambda s, path=path, value=value: s.spec.get(path) == value)
    window.reset()
    wait(qtbot, window, lambda s: s.step == 0)
    for name, value in (("layer01.weight[0,0]", 2.5), ("layer02.weight[0,0]", 1.0)):
        window.inspect.weight_wanted.emit(name, value)
        wait(qtbot, window, lambda s, name=name: any(entry.startswith(name) for entry in s.spec.network.set_values))
    window.select(Selection("edge", 1, 0, 0))
    press(qtbot, window, Qt.Key.Key_S, lambda s: s.step == 1 and s.chain is not None and s.chain.layer == 1)
    chain = window.run.snapshot.chain
    assert (chain.dj_dy, chain.dy_dz, chain.dz_dw, chain.gradient) == (1.0, 1.0, 1.0, 1.0)
    assert (chain.weight_old, chain.weight_new) == (2.5, 1.5)


def test_after_a_failure_one_goes_to_the_last_finite_step(qtbot: QtBot, window: MainWindow) -> None:
    spec = Spec(NetworkSpec(depth=4, width=4, activation="identity", gain=6.0), DataSpec("sine"), TrainingSpec(learning_rate=100.0))
    window.run.load(spec, "a run that fails")
    window.set_playing(True)
    snapshot = wait(qtbot, window, lambda s: s.failure is not None)
    qtbot.waitUntil(window.overlays.banner.isVisible, timeout=PATIENCE)
    button = window.overlays.banner.buttons[0]
    assert button.text() == f"Go to step {snapshot.failure.step - 1}"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    back = wait(qtbot, window, lambda s: s.step == snapshot.failure.step - 1)
    assert back.failure is None
    assert np.isfinite(back.details.gradient_rms).all()
    assert not window.overlays.banner.isVisible()


def test_an_error_waits_for_nobody_and_the_failure_comes_again(qtbot: QtBot, window: MainWindow) -> None:
    spec = Spec(NetworkSpec(depth=4, width=4, activation="identity", gain=6.0), DataSpec("sine"), TrainingSpec(learning_rate=100.0))
    window.run.load(spec, "a run that fails")
    window.set_playing(True)
    wait(qtbot, window, lambda s: s.failure is not None)
    qtbot.waitUntil(lambda: "no longer finite" in window.overlays.banner.text, timeout=PATIENCE)
    window.tell("error", "That file cannot be read.")
    assert "That file" in window.overlays.banner.text
    qtbot.mouseClick(window.overlays.banner.buttons[0], Qt.MouseButton.LeftButton)
    assert "no longer finite" in window.overlays.banner.text
    assert window.overlays.banner.isVisible()
