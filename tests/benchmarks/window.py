"""The whole window, open, playing and drawing: how fast the engine trains behind it, and how evenly its frames come.

A frame is a painting of the canvas, not a tick of the timer. The engine alone is measured in this process while the
window is paused.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QSettings, QTimer

import gradviz
from tests.benchmarks.result import Result, in_turn, rate
from ui.application import make_application
from ui.main_window import MainWindow

NETWORKS = ((6, 8, 32), (20, 64, 64))  # depth, width, batch size
ROUNDS = 5
SECONDS = 3.0  # of one turn
FRAMES_PER_SECOND = 60.0  # of the usual screen
PATIENCE = 30.0


class Frames(QObject):
    """The moments at which a widget was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.moments.append(time.perf_counter())
        return False


def run() -> Iterator[Result]:
    yield from for_each_network(_measure)


def for_each_network(measure: Callable[[int, int, int], Iterator[Result]]) -> Iterator[Result]:
    """What ``measure`` tells of each of `NETWORKS`, with settings of its own."""
    application = make_application()
    with tempfile.TemporaryDirectory() as settings:
        QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, settings)
        for network in NETWORKS:
            yield from measure(*network)
            application.processEvents()


def _measure(depth: int, width: int, batch_size: int) -> Iterator[Result]:
    spec = gradviz.Spec(
        network=gradviz.NetworkSpec(depth=depth, width=width, activation="tanh"), training=gradviz.TrainingSpec(batch_size=batch_size)
    )
    experiment = gradviz.Experiment(spec)
    window, frames = MainWindow(spec), Frames()
    window.canvas.installEventFilter(frames)
    window.show()
    until(lambda: window.run.snapshot is not None and window.run.snapshot.step > 0)
    intervals: list[float] = []

    def playing() -> float:
        window.set_playing(True)
        until(lambda: window.run.playing)
        spin(0.5)  # the first moments pay for what is built once
        frames.moments.clear()
        start, first = time.perf_counter(), step(window)
        spin(SECONDS)
        steps_per_second = (step(window) - first) / (time.perf_counter() - start)
        intervals.extend(np.diff(frames.moments))
        window.set_playing(False)
        until(lambda: not window.run.playing)
        return steps_per_second

    value, peer_value = in_turn(ROUNDS, playing, lambda: rate(experiment.step, SECONDS))
    window.close()

    name = f"window playing {depth}×{width} batch {batch_size}"
    yield Result(f"{name}, training", value, "steps/s", "engine alone", peer_value)
    yield Result(f"{name}, frames", 1.0 / float(np.mean(intervals)), "frames/s", "60 Hz screen", FRAMES_PER_SECOND)
    late = 1000.0 * float(np.percentile(intervals, 99))
    yield Result(f"{name}, 99th percentile of the frame interval", late, "ms", "60 Hz screen", 1000.0 / FRAMES_PER_SECOND)


def step(window: MainWindow) -> int:
    """Where the run stands."""
    assert window.run.snapshot is not None
    return window.run.snapshot.step


def spin(seconds: float) -> None:
    """Let the window live for so long."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def until(holds: Callable[[], bool]) -> None:
    """Let the window live until something holds; raises RuntimeError when it never does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"the window has not come to the awaited state after {PATIENCE:g} s")
        spin(0.02)
