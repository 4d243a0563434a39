"""The program in a process of its own, brought into a situation: ``python -m tests.ui.real_window SITUATION FOLDER``.

It says "ready" when it is there, and, where it closes by itself, how many milliseconds the window took to answer.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from gradviz.session_file import SessionFile, Settings
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from ui import live_run
from ui.application import run_window
from ui.export_menu import ExportMenu
from ui.main_window import MainWindow
from ui.movie_process import MovieProcess
from ui.presets import Preset

PATIENCE = 15.0  # then it closes without having been ready
LARGE = Spec(NetworkSpec(depth=20, width=64), DataSpec(samples=400), TrainingSpec(seed=5, batch_size=64))
SMALL = Spec(NetworkSpec(depth=5, width=6, activation="tanh"), DataSpec(samples=80), TrainingSpec(seed=5, batch_size=16))


def prepare(window: MainWindow, situation: str, folder: Path) -> Callable[[], bool]:
    """Begin with the situation; returns what tells whether it is there."""
    run = window.run
    if situation == "replay":
        run.open(SessionFile((Settings(0, LARGE),), 90_000, 90_000))
        return lambda: run.is_opening
    if situation == "measuring":
        window.show_lab("hardware")
        run.measure_speed()
    if situation == "export":
        from ui.movie_dialog import MovieDialog

        menu: ExportMenu = window.export_menu
        menu.movie = MovieDialog(window, lambda title, suffix: folder / f"film{suffix}")
        menu.movie.show()
        menu.movie.save_as(folder / "film.gif")
        # it has been asked for, and its process has had a moment to come up
        return lambda: menu.movie is not None and isinstance(menu.movie._process, MovieProcess)
    return lambda: run.snapshot is not None and run.snapshot.step > 3


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(situation: str, folder: Path) -> int:
    live_run.KEEP_SECONDS = 1.0
    spec = SMALL if situation == "small" else LARGE
    ready: list[Callable[[], bool]] = []
    begun = end = time.monotonic()

    def tick() -> None:
        nonlocal end
        window = next((widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)), None)
        if window is None or window.run.snapshot is None or window.run.snapshot.step < (60 if situation == "export" else 2):
            return
        if not ready:
            ready.append(prepare(window, situation, folder))
        if time.monotonic() > begun + PATIENCE:
            window.close()
        elif not ready[0]():
            end = time.monotonic() + (1.0 if situation == "export" else 0.3)
        elif time.monotonic() > end:
            timer.stop()
            say("ready")
            if situation not in ("small", "told"):
                begin = time.perf_counter()
                window.close()
                say(f"answered {1000.0 * (time.perf_counter() - begin):.1f}")

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(20)
    preset = Preset("own", "Own", "", 0, "Own", spec)
    return run_window(preset, "dark")


if __name__ == "__main__":
    from ui.application import make_application

    make_application()
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
