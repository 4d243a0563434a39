"""Runs a program until its window has been painted once, prints how many seconds that took since the launch, and stops.

    python first_frame.py PROGRAM.py LAUNCHED        LAUNCHED is the time.time() at which this was started
"""

import os
import runpy
import sys
import time

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget


class FirstPaint(QObject):
    """Reports as soon as the first painting of the window is over."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            QTimer.singleShot(0, report)  # comes after the whole window has been painted and shown
        return False


def report() -> None:
    sys.stdout.write(f"{time.time() - launched}\n")
    sys.stdout.flush()
    os._exit(0)  # the way out is not what is measured; an engine process ends with its pipe


def watch_and_execute(*_: object) -> int:
    application = QApplication.instance()
    assert application is not None
    watcher = FirstPaint(application)
    application.installEventFilter(watcher)
    return execute()


if __name__ == "__main__":
    program, launched = sys.argv[1], float(sys.argv[2])
    execute = QApplication.exec
    QApplication.exec = watch_and_execute  # type: ignore[method-assign]
    sys.argv = [program]
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")
