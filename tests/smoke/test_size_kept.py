"""The window comes back in the size it was left with; the virtual screen of the other tests is too small to tell."""

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from tests.smoke.test_real_window import PATIENCE, ROOT, Window, wait_until

SIZE = (1320, 790)


def start(application: QApplication, settings: Path) -> Window:
    environment = os.environ | {"XDG_CONFIG_HOME": str(settings)}
    process = subprocess.Popen(
        [sys.executable, "main.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Window(application, process)


def size(window: Window) -> tuple[int, int]:
    lines = window.xdotool("getwindowfocus", "getwindowgeometry", "--shell").splitlines()
    told = dict(line.split("=") for line in lines)
    return int(told["WIDTH"]), int(told["HEIGHT"])


def end(window: Window) -> None:
    window.press("ctrl+q")
    output, errors = window.process.communicate(timeout=PATIENCE)
    assert (window.process.returncode, output, errors) == (0, "", "")


def test_the_size_is_kept(qapp: QApplication, tmp_path: Path) -> None:
    assert qapp.platformName() == "xcb", "this test is about a real display: see test_real_window.py"
    window = start(qapp, tmp_path)
    try:
        assert size(window) != SIZE
        window.xdotool("getwindowfocus", "windowsize", *map(str, SIZE))
        wait_until(lambda: size(window) == SIZE, "the window has the size that was asked for")
        end(window)
        window = start(qapp, tmp_path)
        assert size(window) == SIZE
        end(window)
    finally:
        window.process.kill()
        window.process.communicate()
