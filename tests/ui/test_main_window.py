"""The real window with the real engine, driven by clicks and keys."""

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, opened, wait
from ui.figure import stamp_lines
from ui.main_window import MainWindow
from ui.presets import preset_named
from ui.selection import Selection
from ui.shortcut_list import ShortcutList

SPEC = Spec(NetworkSpec(depth=6, width=6), DataSpec(samples=80), TrainingSpec(seed=5))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, SPEC, lambda s: s.step > 0)


def pause(qtbot: QtBot, window: MainWindow) -> Snapshot:
    if window.run.playing:
        qtbot.keyClick(window, Qt.Key.Key_Space)
    return wait(qtbot, window, lambda s: not s.playing and s.prediction is not None)


def test_it_trains_as_soon_as_it_opens(qtbot: QtBot, window: MainWindow) -> None:
    first = window.run.snapshot
    assert first is not None
    assert first.playing
    wait(qtbot, window, lambda s: s.step > first.step)


def test_space_pauses_and_s_steps_once(qtbot: QtBot, window: MainWindow) -> None:
    before = pause(qtbot, window).step
    qtbot.keyClick(window, Qt.Key.Key_S)
    after = wait(qtbot, window, lambda s: s.step > before)
    assert after.step == before + 1
    assert not after.playing


def test_a_changed_activation_continues_the_run(qtbot: QtBot, window: MainWindow) -> None:
    step = pause(qtbot, window).step
    window.run.change(SPEC.replace("network.activation", "relu"), "network.activation")
    snapshot = wait(qtbot, window, lambda s: s.spec.network.activation == "relu")
    assert snapshot.step == step
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, window, lambda s: s.spec.network.activation == "sigmoid")


def test_the_early_layers_come_back_when_relu_is_clicked_while_it_trains(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    """What a new user does first: watch the early layers fade, click ReLU, see them come back, save the picture."""
    window.load_preset("vanishing")
    faded = wait(qtbot, window, lambda s: s.spec == preset_named("vanishing").spec and s.step > 20)
    assert faded.details is not None
    assert faded.details.gradient_rms[0] < 1e-5
    buttons = window.controls.rows["network.activation"].findChildren(QAbstractButton)
    relu = next(button for button in buttons if button.text() == "ReLU" or button.accessibleName().startswith("ReLU"))
    qtbot.mouseClick(relu, Qt.MouseButton.LeftButton)
    back = wait(qtbot, window, lambda s: s.spec.network.activation == "relu" and s.step > faded.step + 10)
    assert back.playing
    assert back.details is not None
    assert back.details.gradient_rms[0] > 1e-3
    assert window.export_menu.write_picture("figure", tmp_path / "talk.svg")
    assert b"<svg" in (tmp_path / "talk.svg").read_bytes()


def test_a_layer_gets_its_own_activation_from_its_menu(qtbot: QtBot, window: MainWindow) -> None:
    pause(qtbot, window)
    menu = window.controls.layer_menu(window.run.wanted_spec, 2, window)
    action = next(action for action in menu.actions() if action.text() == "ReLU")
    action.trigger()
    snapshot = wait(qtbot, window, lambda s: s.spec.network.activations is not None)
    assert [layer.activation for layer in snapshot.architecture.layers[:3]] == ["sigmoid", "relu", "sigmoid"]
    menu.deleteLater()


def test_undo_brings_the_very_run_back_after_a_restart(qtbot: QtBot, window: MainWindow) -> None:
    before = pause(qtbot, window)
    window.run.change(SPEC.replace("network.depth", 9), "network.depth")
    restarted = wait(qtbot, window, lambda s: s.spec.network.depth == 9)
    assert restarted.step == 0
    window.undo()
    back = wait(qtbot, window, lambda s: s.spec.network.depth == 6)
    assert (back.step, back.loss) == (before.step, before.loss)
    window.redo()
    wait(qtbot, window, lambda s: s.spec.network.depth == 9)


def test_reset_gives_the_same_first_weights(qtbot: QtBot, window: MainWindow) -> None:
    pause(qtbot, window)
    losses = []
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_R)
        wait(qtbot, window, lambda s: s.step == 0)
        qtbot.keyClick(window, Qt.Key.Key_S)
        losses.append(wait(qtbot, window, lambda s: s.step == 1).loss)
    assert losses[0] == losses[1]


def test_a_new_seed_is_another_run(qtbot: QtBot, window: MainWindow) -> None:
    pause(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_N)
    assert wait(qtbot, window, lambda s: s.spec.training.seed == 6).step == 0


def test_every_preset_opens(qtbot: QtBot, window: MainWindow) -> None:
    for name in ("exploding", "digits", "residual-highway", "vanishing"):
        window.load_preset(name)
        wait(qtbot, window, lambda s, name=name: s.spec == preset_named(name).spec and s.step > 0)  # type: ignore[misc]


def test_a_run_that_overflows_stops_and_offers_a_cure(qtbot: QtBot, window: MainWindow) -> None:
    spec = preset_named("exploding").spec
    window.load_preset("exploding")
    snapshot = wait(qtbot, window, lambda s: s.diverged)
    assert not snapshot.playing
    assert snapshot.failure is not None
    qtbot.waitUntil(window.overlays.banner.isVisible)
    assert f"step {snapshot.failure.step}" in window.overlays.banner.text
    window.overlays.banner.clicked.emit("Clip and run again")
    cured = wait(qtbot, window, lambda s: s.spec.training.clip == "norm" and s.step > 0)
    assert cured.spec.network == spec.network


def test_a_refused_change_is_told_and_taken_back(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    bad = tmp_path / "empty.csv"
    bad.write_text("")
    undoable = window.run.undo_stack.count()
    window.use_data_file(bad)
    qtbot.waitUntil(window.overlays.banner.isVisible, timeout=PATIENCE)
    assert "empty.csv" in window.overlays.banner.text
    assert window.run.wanted_spec == SPEC
    assert window.run.undo_stack.count() == undoable
    wait(qtbot, window, lambda s: s.spec == SPEC)


def test_a_good_file_is_trained_on(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    table = tmp_path / "marks.csv"
    table.write_text("hours,sleep,passed\n" + "\n".join(f"{i % 7},{i % 5},{int(i % 7 > 3)}" for i in range(60)))
    window.use_data_file(table)
    snapshot = wait(qtbot, window, lambda s: s.spec.data.name == "csv")
    assert snapshot.architecture.input_names == ("hours", "sleep")


def test_keys_change_the_speed_and_list_themselves(qtbot: QtBot, window: MainWindow) -> None:
    pause(qtbot, window)
    window.set_speed(10.0)
    before = window.transport.speed.value()
    qtbot.keyClick(window, Qt.Key.Key_BracketRight)
    assert window.transport.speed.value() > before
    qtbot.keyClick(window, Qt.Key.Key_BracketLeft)
    assert window.transport.speed.value() == before
    qtbot.keyClick(window, Qt.Key.Key_F1)
    shown = window.findChild(ShortcutList)
    assert shown is not None
    assert shown.isVisible()
    shown.close()


def test_a_selection_reaches_every_panel(qtbot: QtBot, window: MainWindow) -> None:
    pause(qtbot, window)
    window.select(Selection("layer", 3))
    assert window.canvas.selection == Selection("layer", 3)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.canvas.selection is None


def test_pictures_and_numbers_are_exported(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    pause(qtbot, window)
    window.select_weakest()
    qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.picked is not None, timeout=PATIENCE)
    for name in ("figure", "window", *(panel.name for panel in window.panels)):
        for ending in ("png", "svg", "pdf"):
            path = tmp_path / f"{name}.{ending}"
            assert window.export_menu.write_picture(name, path)
            assert path.stat().st_size > 500
    for panel in window.panels:
        path = tmp_path / f"{panel.name}.csv"
        assert window.export_menu.write_numbers(panel.name, path)
        lines = path.read_text().splitlines()
        assert len(lines) > 1
        assert len(lines[0].split(",")) == len(panel.table().columns)


def test_a_target_that_cannot_be_written_is_told(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    assert not window.export_menu.write_picture("figure", tmp_path / "missing" / "figure.svg")
    assert window.overlays.banner.isVisible()
    assert "figure.svg" in window.overlays.banner.text


def test_an_existing_file_is_replaced_whole(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("old")
    assert window.export_menu.write_picture("figure", path)
    assert path.read_text().startswith("<?xml")
    assert list(tmp_path.glob("figure*")) == [path]


def test_copies_reach_the_clipboard(qtbot: QtBot, window: MainWindow) -> None:
    pause(qtbot, window)
    window.export_menu.copy_window()
    assert not QGuiApplication.clipboard().image().isNull()
    window.export_menu.copy_numbers("gradients")
    assert "\t" in QGuiApplication.clipboard().text()


def test_the_line_of_theory_is_hidden_by_a_key_and_stays_hidden(qtbot: QtBot, window: MainWindow) -> None:
    snapshot = window.run.snapshot
    assert snapshot is not None
    assert snapshot.from_theory is not None  # it came through the pipe
    shown = window.profile.show_theory
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.profile.show_theory is not shown
    assert QSettings().value("theory", type=bool) is not shown
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.profile.show_theory is shown


def test_theme_and_layout_are_remembered(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert window.theme.name == "light"
    assert QSettings().value("theme") == "light"
    window.centre.setSizes([300, 200, 100])
    shares = [size / sum(window.centre.sizes()) for size in window.centre.sizes()]
    window.close()
    again = MainWindow(SPEC)
    qtbot.addWidget(again)
    again.show()
    # the virtual screen is smaller than the window, so that only the shares are kept
    assert [size / sum(again.centre.sizes()) for size in again.centre.sizes()] == pytest.approx(shares, abs=0.02)
    again.close()


@pytest.mark.parametrize(("depth", "width"), [(1, 1), (60, 4), (3, 200), (1000, 1)])
def test_any_size_of_net_is_shown(qtbot: QtBot, window: MainWindow, depth: int, width: int) -> None:
    window.run.load(SPEC.replace("network.depth", depth).replace("network.width", width), "another size")
    window.run.play()
    wait(qtbot, window, lambda s: len(s.architecture.layers) == depth + 1 and s.step > 0)
    assert not window.grab().isNull()


def test_a_change_of_the_spec_from_outside_reaches_the_controls(qtbot: QtBot, window: MainWindow) -> None:
    window.run.load(SPEC.replace("training.learning_rate", 0.25), "another rate")
    wait(qtbot, window, lambda s: s.spec.training.learning_rate == 0.25)
    field = window.controls.rows["training.learning_rate"].findChild(QLineEdit)
    assert field is not None
    assert field.text() == "0.25"


def test_a_figure_tells_how_many_examples_were_generated() -> None:
    assert "Two moons, 500 points, noise 0.1;" in stamp_lines(Spec())[1]
    assert "Recall the first symbol, 500 sequences, lag 30;" in stamp_lines(Spec(data=DataSpec("recall", lag=30)))[1]
    assert "Japanese vowels;" in stamp_lines(Spec(data=DataSpec("japanese_vowels")))[1]


def test_choosing_sequences_brings_a_recurrent_net_says_so_and_undo_takes_both_back(qtbot: QtBot, window: MainWindow) -> None:
    window.change("data.name", "recall")
    wait(qtbot, window, lambda s: s.spec.network.kind == "rnn" and s.step > 0)
    qtbot.waitUntil(lambda: "Network: Feed-forward → Plain RNN" in window.status.message.text, timeout=PATIENCE)
    assert "Data set: Two moons → Recall the first symbol" in window.status.message.text
    assert window.controls.rows["network.depth"].isHidden()
    assert not window.controls.rows["data.lag"].isHidden()
    window.undo()
    wait(qtbot, window, lambda s: s.spec == SPEC)
    assert not window.controls.rows["network.depth"].isHidden()
    window.redo()
    wait(qtbot, window, lambda s: (s.spec.network.kind, s.spec.data.name) == ("rnn", "recall"))
