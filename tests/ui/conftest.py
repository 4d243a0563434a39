"""What holds for every test of the window: the bundled fonts, settings of its own, and nothing left behind.

A test that leaves a window, a running timer, a thread, a process or shared memory behind fails, because in the
program the same leak would keep it alive after its window is closed.
"""

import gc
import multiprocessing
import re
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, QThread, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from gradviz.spec import Spec
from tests.ui.live import Maker, opened, settled
from ui import theme
from ui.main_window import MainWindow

PASSED = pytest.StashKey[bool]()
MAPPED = Path("/proc/self/maps")  # only Linux has it


@pytest.fixture(scope="session", autouse=True)
def _bundled_fonts(qapp: QApplication) -> None:
    theme.load_fonts()


@pytest.fixture(autouse=True)
def _own_settings(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's settings or what a window has left, or those of another test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for kind in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(kind, QSettings.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture
def make(qtbot: QtBot) -> Maker:
    """Opens windows in which a run stands where its spec says to stop, or trains where it does not say."""

    def window(spec: Spec) -> MainWindow:
        made = opened(qtbot, spec, motion="off")
        made.resize(1400, 900)
        stop = spec.training.stop_after
        settled(qtbot, made, lambda s: s.prediction is not None and (s.step == stop and not s.playing if stop else s.step > 0))
        return made

    return window


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(autouse=True)
def _nothing_left_behind(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[None]:
    before = _alive()
    yield
    if not request.node.stash.get(PASSED, False):
        return  # the traceback of a failure keeps what its frames hold
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = _alive() - before
    if left:  # what only a reference cycle keeps is no leak; collecting after every test would take most of the time
        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = _after_a_moment(before)
    if left:
        pytest.fail("left behind: " + ", ".join(sorted(name for _, name in left)))


def _after_a_moment(before: set[tuple[object, str]]) -> set[tuple[object, str]]:
    """What still lives after at most a second: an ended process or thread may take a moment to be gone."""
    end = time.monotonic() + 1.0
    while (left := _alive() - before) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def _alive() -> set[tuple[object, str]]:
    """(identity, description) of everything that a test should not leave behind."""
    found: set[tuple[object, str]] = set()
    for widget in QApplication.topLevelWidgets():
        found.add((_address(widget), f"window {type(widget).__name__} {widget.windowTitle()!r}"))
    for wrapper in Shiboken.getAllValidWrappers():
        if isinstance(wrapper, QTimer) and wrapper.isActive():
            found.add((_address(wrapper), f"running QTimer of {type(wrapper.parent()).__name__}"))
        elif isinstance(wrapper, QThread) and wrapper.isRunning() and wrapper is not QThread.currentThread():
            found.add((_address(wrapper), f"running {type(wrapper).__name__}"))
    for thread in threading.enumerate():
        found.add((thread.ident, f"thread {thread.name}"))
    for process in multiprocessing.active_children():
        found.add((process.pid, f"process {process.name}"))
    for name in re.findall(r"/dev/shm/(\S+)", MAPPED.read_text()) if MAPPED.exists() else ():
        found.add((name, f"shared memory {name}"))
    return found


def _address(item: QObject) -> int:
    return int(Shiboken.getCppPointer(item)[0])
