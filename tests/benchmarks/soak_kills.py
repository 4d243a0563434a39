"""The engine of a running window is killed again and again; counted is how often the window comes back, and where.

The window has to notice, to go on by itself or by what its banner offers, and to stand at the step that it last showed, with the same loss.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from ui.application import make_application
from ui.main_window import MainWindow
from ui.presets import preset_named

MOST_SECONDS = 20.0  # to notice, and to be back
GRACE_SECONDS = 0.5  # in which a window that recovers by itself has begun to


def wait(condition: Callable[[], bool], seconds: float = MOST_SECONDS) -> bool:
    """Let the window work until the condition holds; returns whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        QApplication.processEvents()
        time.sleep(0.002)
    return True


def kill_once(window: MainWindow, dice: random.Random, lost: list[int]) -> tuple[str, float]:
    """What is wrong with how the window came back ("" when nothing is), and after how many seconds it was."""
    run = window.run
    begun = run.snapshot.step if run.snapshot is not None else 0
    run.play()
    if not wait(lambda: run.snapshot is not None and run.snapshot.step >= begun + dice.randint(5, 40)):
        return "the run does not go on", 0.0
    run.pause()
    if dice.random() < 0.5:  # else in the middle of playing
        wait(lambda: run.settled and not run.playing)
    engine = run._engine
    if engine is None or engine.process_id is None or run.snapshot is None:
        return "there is no engine", 0.0
    lost.clear()
    process, before = engine.process_id, run.snapshot
    start = time.monotonic()
    os.kill(process, signal.SIGKILL)
    if not wait(lambda: bool(lost) or (run._engine is not None and run._engine is not engine)):
        return "it was not noticed", 0.0
    before = run.snapshot or before  # what had still been sent
    wait(lambda: run._engine is not None and run._engine is not engine, GRACE_SECONDS)
    if run._engine is None:
        run.revive()
    stands = before.step
    if not wait(lambda: run.snapshot is not None and run.snapshot is not before and run.settled and not run.is_opening):
        return "it did not come back", 0.0
    wait(lambda: run.snapshot is not None and run.snapshot.step == stands, GRACE_SECONDS)
    seconds, after = time.monotonic() - start, run.snapshot
    assert after is not None, "it has just been waited for"
    if after.step != stands:
        return f"it stood at step {stands} and came back at {after.step}", seconds
    if after.loss != before.loss:
        return f"at step {stands} the loss was {before.loss!r} and is {after.loss!r}", seconds
    return "", seconds


def run(kills: int, seed: int) -> list[dict[str, Any]]:
    """The figures: kills, how many were survived at the same step with the same loss, and the longest time to be back."""
    dice, problems, longest = random.Random(seed), [], 0.0
    with tempfile.TemporaryDirectory() as name:
        for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, name)
        make_application()
        preset = preset_named("vanishing")
        window = MainWindow(preset.spec, preset=preset)
        window.show()
        window.set_speed(200.0)
        lost: list[int] = []
        window.run.lost.connect(lambda step, again: lost.append(step))
        survived = 0
        for number in range(kills):
            problem, seconds = kill_once(window, dice, lost)
            longest = max(longest, seconds)
            survived += not problem
            if problem:
                problems.append(f"kill {number + 1}: {problem}")
        window.close()
    return [
        {
            "name": "engine killed",
            "kills": kills,
            "survived": survived,
            "longest_seconds": round(longest, 2),
            "failures": len(problems),
            "first_failures": problems[:5],
        }
    ]
