"""Recordings in the real window: a run that is kept while it trains, opened with the same picture, watched, and none left half written."""

import multiprocessing
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, Maker
from tests.ui.test_sessions import OTHER, SPEC, differing, picture, settle
from ui.main_window import MainWindow

LONG = Spec(NetworkSpec(depth=4, width=5), DataSpec(samples=80), TrainingSpec(seed=4))


def recorded(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    """Begin to record, and wait until it is under way."""
    assert window.recordings.begin(path)
    qtbot.waitUntil(lambda: window.recordings.recording, timeout=PATIENCE)


def ended(qtbot: QtBot, window: MainWindow) -> None:
    window.record()
    qtbot.waitUntil(lambda: not window.recordings.recording, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not [one for one in multiprocessing.active_children() if one.name == "gradviz-recording"], timeout=PATIENCE)


def opened(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    with qtbot.waitSignal(window.run.opened, timeout=PATIENCE):
        assert window.sessions.open_any(path)


def test_a_run_is_recorded_opened_and_looks_the_same(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "two rates.gradviz"
    window = make(SPEC)
    recorded(qtbot, window, path)
    assert window.status.tape.isVisible()
    assert "two rates.gradviz" in window.status.tape.toolTip()
    window.change("training.stop_after", 90)
    window.change("training.learning_rate", 0.03)
    window.run.play()
    settle(qtbot, window, lambda s: s.step == 90 and not s.playing)
    for _ in range(3):
        window.step()
    settle(qtbot, window, lambda s: s.step == 93)
    window.run.go_to(93)
    window.step_phase()
    settle(qtbot, window, lambda s: s.moment is not None)
    window.step()  # the step that was walked into becomes whole
    settle(qtbot, window, lambda s: s.step == 94 and s.moment is None)
    ended(qtbot, window)
    assert not window.status.tape.isVisible()
    window.sessions.set_words("two rates", "")
    wanted = picture(qtbot, window)
    other = make(OTHER)
    opened(qtbot, other, path)
    snapshot = settle(qtbot, other, lambda s: s.step == 94)
    assert snapshot.last_step == 94
    assert other.sessions.recent[0] == path
    assert other.sessions.path is None, "what is saved next is a session, which must not go into the recording"
    assert other.windowTitle() == "two rates – GradViz"
    found = picture(qtbot, other)
    foot = other.status.y()  # its numbers give up room only when much of it is free, so that what was shown before moves them
    assert [point for point in differing(wanted, found) if point[1] < foot] == []
    other.run.go_to(17)
    past = settle(qtbot, other, lambda s: s.step == 17)
    window.run.go_to(17)
    np.testing.assert_array_equal(past.gradient_norms, settle(qtbot, window, lambda s: s.step == 17).gradient_norms)
    other.undo()
    settle(qtbot, other, lambda s: s.spec == OTHER and s.step == 5)
    other.redo()
    settle(qtbot, other, lambda s: s.step == 17)


def test_another_window_watches_it_grow_and_can_go_its_own_way(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "long.gradviz"
    window = make(LONG)
    window.set_speed(60.0)
    recorded(qtbot, window, path)
    window.run.play()
    other = make(OTHER)
    qtbot.waitUntil(lambda: path.exists() and path.stat().st_size > 0, timeout=PATIENCE)
    opened(qtbot, other, path)
    first = settle(qtbot, other, lambda s: s.spec.training.seed == 4).step
    qtbot.waitUntil(lambda: other.status.tape.isVisible(), timeout=PATIENCE)
    settle(qtbot, other, lambda s: s.step > first + 30)
    qtbot.waitUntil(lambda: other.status.tape.value.startswith("watching long.gradviz, step"), timeout=PATIENCE)
    assert not other.recordings.recording
    other.run.go_to(3)
    settle(qtbot, other, lambda s: s.step == 3)
    known = settle(qtbot, other, lambda s: s.step == 3).last_step
    settle(qtbot, other, lambda s: s.step == 3 and s.last_step > known)  # it grows while the past is looked at
    other.run.play()
    settle(qtbot, other, lambda s: s.playing and s.step > 3)
    qtbot.waitUntil(lambda: not other.status.tape.isVisible(), timeout=PATIENCE)
    other.run.pause()
    assert window.recordings.recording
    ended(qtbot, window)


def test_the_end_of_a_watched_recording_is_told(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    window = make(SPEC)
    recorded(qtbot, window, path)
    qtbot.waitUntil(lambda: path.exists() and path.stat().st_size > 0, timeout=PATIENCE)
    qtbot.wait(200)
    other = make(OTHER)
    opened(qtbot, other, path)
    ended(qtbot, window)
    qtbot.waitUntil(lambda: "ended at step 30" in other.status.message.text, timeout=PATIENCE)
    assert not other.status.tape.isVisible()


def test_closing_while_it_records_leaves_a_whole_file_and_no_process(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    window = make(LONG)
    recorded(qtbot, window, path)
    window.run.play()
    settle(qtbot, window, lambda s: s.step > 500)
    start = time.monotonic()
    window.close()
    window.shut_down()  # what follows the closing at once: it waits for the processes
    assert time.monotonic() - start < 2.5
    assert multiprocessing.active_children() == []
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["run.gradviz"], "the log beside it is part of it now"
    playback = open_recording(path)
    assert (playback.damage, playback.growing) == ("", False)
    assert playback.experiment.last_step > 500


def test_a_writer_that_dies_is_told_and_the_run_goes_on(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    window = make(LONG)
    recorded(qtbot, window, path)
    qtbot.waitUntil(lambda: path.exists() and path.stat().st_size > 0, timeout=PATIENCE)
    for process in multiprocessing.active_children():
        if process.name == "gradviz-recording":
            process.kill()
    window.run.play()
    qtbot.waitUntil(lambda: window.overlays.banner.isVisible(), timeout=PATIENCE)
    assert "The recording has ended, the run goes on." in window.overlays.banner.text
    step = settle(qtbot, window, lambda s: s.step > 0).step
    settle(qtbot, window, lambda s: s.step > step + 20)
    assert not window.recordings.recording


@pytest.mark.parametrize("restart", [lambda w: w.reset(), lambda w: w.change("network.depth", 7), lambda w: w.load_preset("vanishing")])
def test_another_run_ends_the_recording_and_is_recorded_beside_it(
    qtbot: QtBot, make: Maker, tmp_path: Path, restart: Callable[[MainWindow], None]
) -> None:
    path = tmp_path / "run.gradviz"
    window = make(SPEC)
    said: list[str] = []
    window.run.told.connect(lambda kind, text: said.append(text))
    recorded(qtbot, window, path)
    restart(window)
    qtbot.waitUntil(lambda: any("run.gradviz has ended at step 30, as another run has begun" in text for text in said), timeout=PATIENCE)
    playback = open_recording(path)
    assert (playback.damage, playback.growing, playback.experiment.last_step) == ("", False, 30)
    window.step()
    following = tmp_path / "run-2.gradviz"
    qtbot.waitUntil(lambda: window.run.tape is not None and window.run.tape.path == str(following), timeout=PATIENCE)
    wanted = window.run.snapshot.spec if window.run.snapshot is not None else None
    window.run.pause()
    ended(qtbot, window)
    playback = open_recording(following)
    assert (playback.damage, playback.experiment.spec) == ("", wanted)
    assert playback.experiment.last_step >= 1
    assert sorted(file.name for file in tmp_path.glob("*.gradviz")) == ["run-2.gradviz", "run.gradviz"]


def test_a_recording_that_waits_for_another_run_can_be_stopped(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    recorded(qtbot, window, tmp_path / "run.gradviz")
    window.reset()
    qtbot.waitUntil(lambda: window.run.tape is not None and window.run.tape.ended, timeout=PATIENCE)
    assert window.recordings.recording
    window.record()
    assert not window.recordings.recording
    window.step()
    settle(qtbot, window, lambda s: s.step == 1)
    assert [file.name for file in tmp_path.glob("*.gradviz")] == ["run.gradviz"]


def test_no_file_is_overwritten_without_a_question(
    qtbot: QtBot, make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make(OTHER)
    mine = tmp_path / "mine.gradviz"
    mine.write_text("mine")
    assert not window.recordings.begin(mine)
    assert "there already" in window.overlays.banner.text
    assert mine.read_text() == "mine"
    # the dialog asks about the name it was given, not about the one with the ending
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    window.record()
    assert mine.read_text() == "mine"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(mine), ""))
    window.record()  # confirmed in the dialog
    qtbot.waitUntil(lambda: window.recordings.recording, timeout=PATIENCE)
    ended(qtbot, window)
    assert open_recording(mine).experiment.last_step == 5
    assert not window.recordings.begin(tmp_path / "nowhere" / "run.gradviz")


def test_one_whose_program_was_killed_is_replaced_and_one_that_is_written_is_not(
    qtbot: QtBot, make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, log = tmp_path / "left.gradviz", tmp_path / "left.gradviz-wal"
    run = Experiment(SPEC)
    recorder = Recorder(path, run)
    run.advance()
    recorder.append(run)
    recorder.flush()
    window = make(OTHER)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window.record()  # confirmed in the dialog
    assert "being recorded just now" in window.overlays.banner.text
    assert log.exists()
    stale = log.read_bytes()
    recorder.abandon()
    log.write_bytes(stale)
    path.with_name(path.name + "-shm").write_bytes(b"stale")
    window.record()
    qtbot.waitUntil(lambda: window.recordings.recording, timeout=PATIENCE)
    ended(qtbot, window)
    assert [file.name for file in tmp_path.glob("left*")] == [path.name]
    playback = open_recording(path)
    assert (playback.damage, playback.experiment.spec) == ("", OTHER)


def test_what_is_damaged_is_said_and_what_is_no_recording_changes_nothing(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    window = make(SPEC)
    recorded(qtbot, window, path)
    ended(qtbot, window)
    changed = sqlite3.connect(path)
    changed.execute("UPDATE steps SET loss = 0.125 WHERE id = 20")
    changed.commit()
    changed.close()
    other = make(OTHER)
    opened(qtbot, other, path)
    qtbot.waitUntil(lambda: other.overlays.banner.isVisible(), timeout=PATIENCE)
    assert "altered" in other.overlays.banner.text
    junk = tmp_path / "junk.gradviz"
    junk.write_bytes(b"\x00\xff" * 500)
    spec = other.run.snapshot.spec if other.run.snapshot is not None else None
    for wrong, said in ((junk, "no recording"), (tmp_path / "gone.gradviz", "cannot be opened")):
        other.sessions.open_any(wrong)
        qtbot.waitUntil(lambda said=said: said in other.overlays.banner.text, timeout=PATIENCE)
        assert settle(qtbot, other, lambda s: True).spec == spec
        assert not other.run.is_opening


def test_a_recording_is_dropped_on_the_window(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    window = make(SPEC)
    recorded(qtbot, window, path)
    ended(qtbot, window)
    other = make(OTHER)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    other.dropEvent(QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, data, left, none))
    settle(qtbot, other, lambda s: s.spec == SPEC and s.step == 30)
