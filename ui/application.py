"""The QApplication: style, fonts, errors told instead of swallowed, and the window's start and end."""

from __future__ import annotations

import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, QSocketNotifier
from PySide6.QtWidgets import QApplication

from .icons import app_icon
from .main_window import MainWindow
from .presets import Preset, preset_named
from .theme import THEMES, load_fonts

FIRST_PRESET = "vanishing"


def make_application() -> QApplication:
    """The one QApplication, with fonts and style; themes are applied by `theme.apply_theme`."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
    application.setApplicationName("GradViz")
    application.setOrganizationName("GradViz")
    application.setDesktopFileName("gradviz")  # by it a desktop finds the entry, and so the icon, that belongs to the window
    application.setStyle("Fusion")
    load_fonts()
    application.setWindowIcon(app_icon())
    return application


def run_window(preset: Preset | None, theme: str | None, file: Path | None = None) -> int:
    """Open the window, already training or with the session of a file; returns the exit status when it has closed."""
    application = make_application()
    settings = QSettings()
    name = theme or str(settings.value("theme", "dark"))
    preset = preset or preset_named(FIRST_PRESET)
    window = MainWindow(preset.spec, theme=name if name in THEMES else "dark", preset=preset)
    sys.excepthook = _teller(window)
    with _closing_when_told(window):
        window.show()
        if file is not None:
            window.sessions.open_any(file)  # what is wrong with it, the window tells: who has double-clicked sees no terminal
        status = application.exec()
        window.shut_down()
    return status


@contextmanager
def _closing_when_told(window: MainWindow) -> Iterator[None]:
    """Let SIGTERM and SIGINT close the window as its button does, also while nothing of Python runs."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    # what is to be done, the notifier does
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    wakeup = signal.set_wakeup_fd(theirs.fileno())
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, window)

    def close() -> None:
        ours.recv(1)
        window.close()
        QApplication.quit()  # also when a dialog would keep the program

    notifier.activated.connect(close)
    try:
        yield
    finally:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _teller(window: MainWindow) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """An excepthook that shows an unexpected error in the window, and the traceback in the terminal."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        sys.last_value = sys.last_traceback = None  # they would keep alive what was at work: a painter blocks its widget until it ends
        window.tell("error", f"Unexpected error: {error or kind.__name__}. The run goes on; details are in the terminal.")

    return tell
