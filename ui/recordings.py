"""Recordings in the window: begun, ended, opened, and told of in the status bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog

from gradviz.messages import Tape
from gradviz.recording_lock import is_written
from gradviz.snapshot import Snapshot

if TYPE_CHECKING:
    from .main_window import MainWindow

RECORDING_SUFFIX = ".gradviz"
FILTER = f"GradViz recording (*{RECORDING_SUFFIX})"


class Recordings(QObject):
    """What the window does with recordings; every problem is told, and the run goes on untouched."""

    changed = Signal()  # whether one is being written

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._shown: Tape | None = None
        self._wanted: Path | None = None  # what shall be written, until the first word of it
        self._chosen: Path | None = None  # what the user has named; a run that follows is recorded beside it
        self._waiting: Tape | None = None  # a recording that has ended, until the run that follows has done a step
        window.run.snapshot_came.connect(self._on_snapshot)
        window.run.lost.connect(self._on_lost)

    @property
    def recording(self) -> bool:
        """Whether the run is being recorded, or will be from its first step on."""
        return self._waiting is not None or (self._shown is not None and not self._shown.watched)

    def toggle(self) -> None:
        """End the recording, or ask where to put one."""
        if self._waiting is not None:
            self._waiting = None
            self._window.tell("notice", "The run is not recorded any further.")
            self.changed.emit()
        elif self.recording:
            self._window.run.stop_recording()
        else:
            self.ask()

    def ask(self) -> None:
        """Ask where to put a recording, and begin it."""
        folder = str(QSettings().value("sessions/folder", str(Path.home())))
        suggestion = _free_name(Path(folder), self._window.sessions.file_name)
        name, _ = QFileDialog.getSaveFileName(self._window, "Record the run", str(suggestion), FILTER)
        if name:
            path = Path(name if name.endswith(RECORDING_SUFFIX) else name + RECORDING_SUFFIX)
            if name == str(path) and path.exists() and not self._remove(path):  # that it is to be replaced, the dialog has asked
                return
            self.begin(path)

    def begin(self, path: Path) -> bool:
        """Record from now on, into a new file; returns whether it could be begun."""
        path = path.absolute()
        if path.exists():
            self._window.tell("error", f"{path.name} is there already. A recording begins a new file: choose another name.")
            return False
        if not path.parent.is_dir():
            self._window.tell("error", f"There is no folder {path.parent} to record into.")
            return False
        self._wanted = self._chosen = path
        self._waiting = None
        self._window.run.record(path)
        return True

    def _remove(self, path: Path) -> bool:
        try:
            if is_written(path):
                self._window.tell("error", f"{path.name} is being recorded just now: choose another name.")
                return False
            path.unlink()
            for log in ("-wal", "-shm"):  # what a program that was killed has left beside it
                path.with_name(path.name + log).unlink(missing_ok=True)
        except OSError as error:
            self._window.tell("error", f"{path} could not be replaced: {error.strerror or error}. It is as it was.")
            return False
        return True

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        tape, before = self._window.run.tape, self._shown
        if tape is not None and tape.ended:
            if before is not None and not before.watched:
                self._waiting = tape
            tape = None
        if self._waiting is not None and snapshot.last_step > 0 and tape is None:
            self._go_on(Path(self._waiting.path))
        if tape == before:
            return
        self._shown = tape
        self._window.status.tape.show_tape(tape)
        if tape is not None and not tape.watched and Path(tape.path) == self._wanted:
            self._window.sessions.remember(self._wanted)
            self._wanted = None
        self.changed.emit()

    def _go_on(self, ended: Path) -> None:
        """Record the run that has followed on the one that was recorded, in a file of its own."""
        self._waiting = None
        chosen = self._chosen or ended
        path = _free_name(chosen.parent, chosen.stem)
        if self.begin(path):
            self._chosen = chosen
            self._window.tell("notice", f"{ended.name} has ended, as another run has begun. That one is recorded in {path.name}.")

    def _on_lost(self, step: int) -> None:
        """The engine has ended, and with it the recording; its writer has kept what it had."""
        if self.recording and self._shown is not None:
            self._window.tell("notice", f"The recording {Path(self._shown.path).name} has ended too; what was recorded stays.")
        self._shown = self._waiting = None
        self._window.status.tape.show_tape(None)
        self.changed.emit()


def _free_name(folder: Path, name: str) -> Path:
    """A file that is not there yet."""
    for number in range(1, 1000):
        path = folder / (name + (f"-{number}" if number > 1 else "") + RECORDING_SUFFIX)
        if not path.exists():
            break
    return path
