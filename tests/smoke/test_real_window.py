"""The program as a user starts it, on a real X display: it trains, obeys the keyboard and the mouse, and leaves without a trace.

    QT_QPA_PLATFORM=xcb xvfb-run -a .venv/bin/python -m pytest tests/smoke

``GRADVIZ_PROGRAM`` names another program to be started than this checkout's: what a wheel has installed, or a one-folder build.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).parents[2]
PROGRAM = [os.environ["GRADVIZ_PROGRAM"]] if "GRADVIZ_PROGRAM" in os.environ else [sys.executable, str(ROOT / "main.py")]
PATIENCE = 30.0  # seconds


class Window:
    """The running program, seen and touched from outside."""

    def __init__(self, application: QApplication, process: subprocess.Popen[str]) -> None:
        self.application, self.process = application, process
        wait_until(self.find, "a window opens")

    def find(self) -> bool:
        """Whether the window is there; it then has the keyboard, for there is no window manager to give it."""
        if self.process.poll() is not None:
            pytest.fail(f"the program has ended by itself:\n{self.process.communicate()[1]}")
        search = ["xdotool", "search", "--onlyvisible", "--name", "^GradViz"]
        found = subprocess.run(search, capture_output=True, text=True, timeout=PATIENCE).stdout.split()
        if found:
            self.xdotool("windowfocus", "--sync", found[0])
        return bool(found)

    def xdotool(self, *arguments: str) -> str:
        return subprocess.run(["xdotool", *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    def press(self, key: str) -> None:
        self.xdotool("key", key)

    def click(self, across: float, down: float) -> None:
        """Click at so many hundredths of the screen."""
        screen = self.application.primaryScreen().size()
        self.xdotool("mousemove", str(round(screen.width() * across)), str(round(screen.height() * down)), "click", "1")

    def picture(self) -> QImage:
        return self.application.primaryScreen().grabWindow(0).toImage()

    def changes(self) -> bool:
        """Whether the picture changes within half a second."""
        before = self.picture()
        time.sleep(0.5)
        return self.picture() != before

    def children(self) -> list[Path]:
        """The processes that the program has started."""
        number = self.process.pid
        started = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        return [Path("/proc") / child for child in started]


@pytest.fixture
def window(qapp: QApplication, tmp_path: Path) -> Iterator[Window]:
    assert qapp.platformName() == "xcb", "this test is about a real display: see the command in its first lines"
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    command = [*PROGRAM, "--preset", "vanishing"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Window(qapp, process)
    finally:
        process.kill()
        process.communicate()


def test_the_window_trains_obeys_and_leaves_no_trace(window: Window) -> None:
    memory_before = shared_memory()
    wait_until(lambda: len(colors(window.picture())) > 100, "the window shows a picture")
    wait_until(window.changes, "the network trains by itself")

    window.press("space")
    wait_until(lambda: not window.changes(), "the space bar pauses")
    before = window.picture()
    window.press("s")
    wait_until(lambda: window.picture() != before, "one step changes the picture")

    window.click(0.5, 0.3)  # somewhere in the network
    window.press("space")
    wait_until(window.changes, "the space bar goes on")

    children = window.children()
    assert children, "the engine is a process of its own"
    window.press("ctrl+q")
    output, errors = window.process.communicate(timeout=PATIENCE)

    assert (window.process.returncode, output, errors) == (0, "", "")
    wait_until(lambda: not any(child.exists() for child in children), "no process is left")
    assert shared_memory() <= memory_before


@pytest.mark.parametrize(("name", "begins"), [("window.png", b"\x89PNG"), ("window.pdf", b"%PDF")], ids=("png", "pdf"))
def test_the_command_draws_from_any_folder(tmp_path: Path, name: str, begins: bytes) -> None:
    command = [*PROGRAM, "render", "--preset", "vanishing", "--steps", "5", "--view", "window", "-o", name]
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "QT_QPA_PLATFORM", "PYTHONPATH")}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=PATIENCE)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes().startswith(begins)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"after {PATIENCE:g} seconds it is still not so that {what}")
        time.sleep(0.1)


def colors(image: QImage) -> set[int]:
    """The different colours on a grid of 8 × 8 pixels."""
    return {image.pixel(x, y) for x in range(0, image.width(), 8) for y in range(0, image.height(), 8)}


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("*") if path.name.startswith(("psm_", "gradviz"))}
