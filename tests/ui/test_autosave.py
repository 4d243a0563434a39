"""The folder of autosaves is full, cannot be written to, or vanishes: it is told once, the run goes on, and saving is taken up again."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from gradviz.leftover import read_leftover
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from ui import autosave
from ui.main_window import MainWindow

SPEC = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(seed=5, stop_after=20))
PATIENCE = 20_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "autosave"
    monkeypatch.setattr(autosave, "folder_of_autosaves", lambda: folder)
    monkeypatch.setattr(autosave, "BEGIN_MILLISECONDS", 10)
    monkeypatch.setattr(autosave, "SAVE_MILLISECONDS", 100)
    return folder


@pytest.fixture
def window(qtbot: QtBot, folder: Path) -> Iterator[MainWindow]:
    made = MainWindow(SPEC)
    qtbot.addWidget(made)
    yield made
    made.close()
    made.shut_down()


def told(window: MainWindow) -> list[str]:
    found: list[str] = []
    say = window.overlays.show_error
    window.overlays.show_error = lambda text: (found.append(text), say(text))[1]  # type: ignore[method-assign]
    return found


def saved(folder: Path) -> bool:
    return any(read_leftover(path)[0].step == 20 for path in folder.glob("*.autosave"))


def at_rest(window: MainWindow) -> bool:
    return window.run.snapshot is not None and window.run.snapshot.step == 20 and not window.run.playing


def test_a_folder_that_vanishes_is_made_again_and_the_lock_with_it(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    window.show()
    qtbot.waitUntil(lambda: at_rest(window) and saved(folder), timeout=PATIENCE)
    shutil.rmtree(folder)
    qtbot.waitUntil(lambda: saved(folder), timeout=PATIENCE)
    (path,) = folder.glob("*.autosave")
    assert not autosave._lock_of(path).tryLock(0)  # another window must not take it for left over
    window.close()
    window.shut_down()
    assert not list(folder.iterdir())


def test_a_place_that_is_no_folder_is_told_once_and_used_when_it_is_one(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("in the way")
    errors = told(window)
    window.show()
    qtbot.waitUntil(lambda: at_rest(window) and bool(errors), timeout=PATIENCE)
    qtbot.wait(400)
    assert len(errors) == 1
    assert "not saved automatically" in errors[0]
    assert str(folder) in errors[0]
    folder.unlink()
    qtbot.waitUntil(lambda: folder.is_dir() and saved(folder), timeout=PATIENCE)
    assert len(errors) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_told_once_until_it_does(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write = autosave.write_leftover
    reason = OSError(number, "no room here")

    def refuse(path: Path, content: bytes) -> None:
        raise reason

    monkeypatch.setattr(autosave, "write_leftover", refuse)
    errors = told(window)
    window.show()
    qtbot.waitUntil(lambda: at_rest(window) and bool(errors), timeout=PATIENCE)
    qtbot.wait(400)
    assert len(errors) == 1
    assert "no room here" in errors[0]
    monkeypatch.setattr(autosave, "write_leftover", write)
    qtbot.waitUntil(lambda: saved(folder), timeout=PATIENCE)
    monkeypatch.setattr(autosave, "write_leftover", refuse)
    window.change("training.learning_rate", 0.5)
    qtbot.waitUntil(lambda: len(errors) == 2, timeout=PATIENCE)  # it had worked meanwhile


def test_settings_that_cannot_be_kept_cost_nothing_else(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "config"
    in_the_way.write_text("no folder")
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(in_the_way))
    window = MainWindow(SPEC)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: at_rest(window), timeout=PATIENCE)
    before = window.theme.name
    window.toggle_theme()
    assert window.theme.name != before
    path = tmp_path / "run.gradviz.json"
    assert window.sessions.write(path)
    assert window.sessions.open(path)
    qtbot.waitUntil(lambda: not window.run.is_opening and window.run.settled, timeout=PATIENCE)
    settings = QSettings()
    settings.sync()
    assert settings.status() == QSettings.Status.AccessError
    window.close()
    window.shut_down()
    assert in_the_way.read_text() == "no folder"
