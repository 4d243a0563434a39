"""Weights of a file as the first ones of the run, by menu, drop, command line and row; what is wrong is told and the run stays."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.weights_file import weights_of, write_weights
from tests.ui.live import PATIENCE, Maker
from tests.ui.test_sessions import OTHER, settle
from ui.app import main
from ui.controls.texts import WeightsInput
from ui.main_window import MainWindow

NAME = "mine.safetensors"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    donor = Experiment(OTHER.replace("training.seed", 9))
    write_weights(weights_of(donor.network, donor.spec, 0), tmp_path / NAME)
    return tmp_path / NAME


def row_of(window: MainWindow) -> WeightsInput:
    found = window.controls.rows["network.weights_from"].input
    assert isinstance(found, WeightsInput)
    return found


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))


@pytest.mark.parametrize("way", ["menu", "drop"])
def test_a_run_begins_with_them_and_undo_and_the_row_take_them_out(
    qtbot: QtBot, make: Maker, weights: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make(OTHER)
    window.run.pause()
    if way == "drop":
        drop(window, weights)
    else:
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(weights), ""))
        menu = window.transport.file_button.menu()
        next(action for action in menu.actions() if action.text() == "Load weights…").trigger()
    settle(qtbot, window, lambda s: NAME in s.spec.network.weights_from and s.step == 0)
    assert row_of(window).edit.text() == NAME
    assert window.run.undo_stack.undoText() == f"weights of {NAME}"
    window.undo()
    settle(qtbot, window, lambda s: s.spec == OTHER and s.step == 5)
    assert row_of(window).edit.text() == ""
    window.redo()
    settle(qtbot, window, lambda s: NAME in s.spec.network.weights_from)
    edit = row_of(window).edit
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Backspace)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert settle(qtbot, window, lambda s: not s.spec.network.weights_from).spec == OTHER


def test_what_cannot_be_loaded_is_told_and_changes_nothing(
    qtbot: QtBot, make: Maker, weights: Path, tmp_path: Path
) -> None:
    window = make(OTHER.replace("network.width", 6))
    spec = window.run.wanted_spec
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(weights.read_bytes()[:-9])
    wrong = ((weights, "has the shape"), (damaged, "cut off"), (tmp_path / "gone.safetensors", "there is no such file"))
    for path, said in wrong:
        window.overlays.show_error("")
        assert window.sessions.open_any(path)
        qtbot.waitUntil(lambda said=said: said in window.overlays.banner.text, timeout=PATIENCE)
        assert settle(qtbot, window, lambda s: s.step == 5).spec == spec
        assert not window.run.undo_stack.canUndo(), "nothing was done that could be undone"


def test_the_command_line_trains_with_them(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(OTHER.to_json())
    assert main(["train", str(spec), "--steps", "2", "--weights", str(weights)]) == 0
    plain = capsys.readouterr().out
    assert main(["train", str(spec), "--steps", "2"]) == 0
    assert capsys.readouterr().out != plain
    assert main(["train", str(spec), "--weights", str(tmp_path / "gone.safetensors")]) == 2
    assert "there is no such file" in capsys.readouterr().err
