"""The real window with its engine: opened, and waited for until it shows what is meant."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from gradviz.snapshot import Snapshot
from gradviz.spec import Spec
from ui.main_window import MainWindow
from ui.presets import Preset

PATIENCE = 30_000  # milliseconds
Ready = Callable[[Snapshot], bool]
Maker = Callable[[Spec], MainWindow]


def opened(
    qtbot: QtBot, spec: Spec, ready: Ready = lambda snapshot: True, *, preset: Preset | None = None, motion: str | None = None
) -> MainWindow:
    """A window that shows a snapshot for which ``ready`` holds; it is closed with the test. ``motion`` is one of `ui.motion.MODES`."""
    window = MainWindow(spec, preset=preset)
    if motion is not None:
        window.set_motion(motion)
    qtbot.addWidget(window)
    window.show()
    wait(qtbot, window, ready)
    return window


def wait(qtbot: QtBot, window: MainWindow, ready: Ready) -> Snapshot:
    """The first snapshot for which ``ready`` holds."""
    qtbot.waitUntil(lambda: window.run.snapshot is not None and ready(window.run.snapshot), timeout=PATIENCE)
    assert window.run.snapshot is not None
    return window.run.snapshot


def settled(qtbot: QtBot, window: MainWindow, ready: Ready = lambda snapshot: True) -> Snapshot:
    """The same, once all that was commanded is done."""
    return wait(qtbot, window, lambda snapshot: window.run.settled and ready(snapshot))


def trained(qtbot: QtBot, spec: Spec, steps: int, motion: str = "off") -> MainWindow:
    """A window whose run stands at so many steps, however busy the machine is: one that is paused while it plays may have got anywhere."""
    window = opened(qtbot, spec, motion=motion)
    window.run.pause()
    window.run.reset()
    window.run.play_for(steps)
    settled(qtbot, window, lambda s: s.step == s.last_step == steps and not s.playing and s.prediction is not None)
    window.run.undo_stack.clear()
    return window
