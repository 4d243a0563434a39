"""The program in a process of its own, brought into a situation: ``python -m tests.ui.real_window SITUATION FOLDER``.

It says "ready" when it is there, and, where it closes by itself, how many milliseconds the window took to answer.
"""

import os
import signal
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
from ui.main_window import MainWindow
from ui.presets import Preset

EXPORTS = ("export", "video", "quit")
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
    if situation == "recording":
        run.record(folder / "recording.gradviz")
        return lambda: run.tape is not None and run.tape.step > 100
    if situation == "stopped":
        assert run._engine is not None
        os.kill(run._engine.process_id or 0, signal.SIGSTOP)  # as one that is deep in a step that takes very long
    if situation == "comparing":
        window.toggle_compare()
        return lambda: window.compare is not None and all(side.playing for side in window.compare.pair.runs)
    if situation == "game":
        window.predict()
        return lambda: window.game is not None and all(side.snapshot is not None for side in window.game.pair.runs)
    if situation in EXPORTS:
        window.export_menu.save_animation()
        dialog = window.export_menu.movie
        assert dialog is not None, "it has just been opened"
        dialog.save_as(folder / ("film.mp4" if situation == "video" else "film.gif"))
        # it has been asked for, and its process has had a moment to come up
        return lambda: dialog.working
    return lambda: run.snapshot is not None and run.snapshot.step > 3


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(situation: str, folder: Path) -> int:
    live_run.KEEP_SECONDS = 1.0
    spec = SMALL if situation == "small" else LARGE
    ready: list[Callable[[], bool]] = []
    told, situation = situation.startswith("told "), situation.removeprefix("told ")
    exporting = situation in EXPORTS
    begun = end = time.monotonic()

    def tick() -> None:
        nonlocal end
        window = next((widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)), None)
        begun_to_train = window is not None and window.run.snapshot is not None and window.run.snapshot.step >= (60 if exporting else 2)
        if window is None or not (ready or begun_to_train):  # the game begins runs of its own
            return
        if not ready:
            ready.append(prepare(window, situation, folder))
        if time.monotonic() > begun + PATIENCE:
            window.close()
        elif not ready[0]():
            end = time.monotonic() + (1.0 if exporting else 0.3)
        elif time.monotonic() > end:
            timer.stop()
            say("ready")
            if not told and situation != "small":
                begin = time.perf_counter()
                QApplication.quit() if situation == "quit" else window.close()
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
