"""The real program, closed, told to end, and killed: nothing is left of it, and of its run nothing is lost."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.recording_reader import RecordingReader
from ui import autosave
from ui.main_window import MainWindow
from ui.overlays import DISCARD, RESTORE

from .real_window import SMALL

SHARED = Path("/dev/shm")
PATIENCE = 20.0
SLOWNESS = 3.0  # of a machine that does other things beside
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def begin(situation: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        }
        complaints = (tmp_path / "complaints").open("w")  # a pipe that nobody reads would stop who complains much
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.real_window", situation, str(tmp_path)],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,
        )
        complaints.close()
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("ready"):
            pytest.fail(f"it did not get ready: {line} {(tmp_path / 'complaints').read_text()}")
        return process

    yield begin
    for process in started:
        if _group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _group_lives(group: int) -> bool:
    """Whether a process of the group still runs; one that has ended may wait long for the system to take note."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def _shared(own: Path = SHARED) -> set[str]:
    return {path.name for path in own.glob("psm_*")}


def _nobodys(names: set[str]) -> set[str]:
    """Those that no process has open any more: other programs of this machine have theirs."""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            names = names - set(re.findall(r"/dev/shm/(\S+)", maps.read_text()))
        except OSError:
            continue
    return names & _shared()


def assert_ended(process: subprocess.Popen[str], folder: Path, before: set[str], since: float) -> str:
    """It ends by itself in two seconds with status 0, silently, and nothing is left; returns what it said."""
    process.wait(PATIENCE)
    ended = time.monotonic() - since
    assert process.stdout is not None
    while _group_lives(process.pid) and time.monotonic() - since < 2.0 * SLOWNESS:
        time.sleep(0.01)
    took = time.monotonic() - since
    assert not _group_lives(process.pid)
    said = process.stdout.read()
    complaints = re.sub(r"This plugin does not support .*\n", "", (folder / "complaints").read_text())  # offscreen, where nobody can see it
    assert (process.returncode, complaints) == (0, "")
    assert took < 2.0 * SLOWNESS
    left = _shared() - before
    for _ in range(10):  # one of another program may just be changing hands
        left = _nobodys(left)
        if not left:
            break
        time.sleep(0.1)
    assert not left
    sys.stdout.write(f"ended in {ended:.2f} s, all of it in {took:.2f} s; {said}")
    return said


SITUATIONS = ("playing", "export", "video", "quit", "replay", "measuring", "recording", "comparing", "game", "stopped")


@pytest.mark.parametrize("situation", SITUATIONS)
def test_closed_it_answers_at_once_and_nothing_is_left(start: Start, tmp_path: Path, situation: str) -> None:
    if situation == "video":
        pytest.importorskip("av")
    before = _shared()
    process = start(situation)
    said = assert_ended(process, tmp_path, before, time.monotonic())
    answer = re.search(r"answered ([\d.]+)", said)
    assert answer is not None
    assert float(answer[1]) < 100.0 * SLOWNESS
    assert not list((tmp_path / "data").rglob("*.autosave"))
    assert not list((tmp_path / "data").rglob("*.lock"))
    assert not [*tmp_path.glob("film*"), *tmp_path.glob(".gradviz-*")]
    if situation == "recording":
        reader = RecordingReader(tmp_path / "recording.gradviz")
        assert reader.closed, "its end is written"


@pytest.mark.parametrize(("number", "situation"), [(signal.SIGTERM, "export"), (signal.SIGINT, "recording")])
def test_told_to_end_it_ends_as_if_closed(start: Start, tmp_path: Path, number: signal.Signals, situation: str) -> None:
    before = _shared()
    process = start(f"told {situation}")
    since = time.monotonic()
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)  # as Ctrl+C and as a session's end
    assert_ended(process, tmp_path, before, since)


def test_a_window_that_lives_is_offered_to_no_other(qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start("small")
    found: list[Path] = []

    def saved() -> bool:
        found[:] = (tmp_path / "data").rglob("*.autosave")
        return bool(found)

    qtbot.waitUntil(saved, timeout=20_000)
    monkeypatch.setattr(autosave, "folder_of_autosaves", lambda: found[0].parent)
    monkeypatch.setattr(autosave, "BEGIN_MILLISECONDS", 10)
    window = MainWindow(SMALL.replace("training.seed", 6))
    qtbot.addWidget(window)
    window.show()
    assert window.autosave is not None
    qtbot.waitUntil(lambda: len(list(found[0].parent.glob("*.lock"))) == 2, timeout=20_000)  # it has begun
    qtbot.wait(300)
    assert not window.overlays.banner.isVisible()
    window.close()
    window.shut_down()
    assert process.poll() is None
    assert found[0].exists()
    assert len(list(found[0].parent.glob("*.lock"))) == 1


def _killed(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a window has left that was killed while it trained."""
    process = start("small")
    end = time.monotonic() + PATIENCE
    found: list[Path] = []
    while not found and time.monotonic() < end:
        found = list((tmp_path / "data").rglob("*.autosave"))
        time.sleep(0.02)
    process.kill()
    process.wait()
    end = time.monotonic() + PATIENCE
    while _group_lives(process.pid) and time.monotonic() < end:
        time.sleep(0.01)  # the engine ends with its window, whatever that one died of
    assert not _group_lives(process.pid)
    monkeypatch.setattr(autosave, "folder_of_autosaves", lambda: found[0].parent)
    return found[0]


def _window(qtbot: QtBot) -> MainWindow:
    window = MainWindow(SMALL.replace("training.seed", 6))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.overlays.banner.isVisible(), timeout=20_000)
    return window


def _press(window: MainWindow, title: str) -> None:
    next(button for button in window.overlays.banner.buttons if button.text() == title).click()


def test_a_killed_window_is_restored_by_the_next(
    qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _killed(start, tmp_path, monkeypatch)
    window = _window(qtbot)
    text = window.overlays.banner.text
    assert "ended unexpectedly" in text
    step = int(re.sub(r"\D", "", text))
    assert step > 0
    with qtbot.waitSignal(window.run.opened, timeout=20_000):
        _press(window, RESTORE)
    window.run.pause()
    qtbot.waitUntil(lambda: window.run.settled and not window.run.playing, timeout=20_000)
    snapshot = window.run.snapshot
    assert snapshot is not None
    assert snapshot.spec == SMALL
    assert snapshot.step >= step
    assert snapshot.history is not None
    alone = Experiment(SMALL)
    while alone.step_count < snapshot.step:
        alone.advance()
    whole = alone.history.table()  # the restored one may have been thinned once more, where it was kept later than it was looked at
    shared = np.isin(whole.steps, snapshot.history.steps)
    assert shared.sum() == len(snapshot.history.steps)
    np.testing.assert_array_equal(snapshot.history.loss, whole.loss[shared])
    qtbot.waitUntil(lambda: not left.exists(), timeout=20_000)  # it is saved anew
    window.close()
    window.shut_down()
    assert not list(left.parent.iterdir())


def test_a_damaged_one_is_told_and_one_that_is_not_wanted_goes(
    qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _killed(start, tmp_path, monkeypatch)
    content = left.read_bytes()
    left.write_bytes(content[:300])
    (left.parent / "other.autosave").write_bytes(content)
    os.utime(left, (time.time() + 10.0,) * 2)  # it is the newest
    window = _window(qtbot)
    assert "cannot be restored" in window.overlays.banner.text
    _press(window, "Dismiss")
    assert "ended unexpectedly" in window.overlays.banner.text
    _press(window, DISCARD)
    assert not window.overlays.banner.isVisible()
    assert not left.exists()
    assert not (left.parent / "other.autosave").exists()
    assert window.run.snapshot is not None
    assert window.run.snapshot.spec.training.seed == 6
    window.close()
