"""Saves the run every few seconds, and after a crash offers what the window that died has left.

Each window has a file of its own, under a lock that goes with its process; a file whose lock nobody holds is left over.
"""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, QStandardPaths, QThreadPool, QTimer, Signal

from gradviz.leftover import LeftoverError, pack, read_leftover, write_leftover
from gradviz.session_file import SessionFile, SessionFileError

if TYPE_CHECKING:
    from .main_window import MainWindow
    from .sessions import Keeps

SAVE_MILLISECONDS = 9_000  # also when nothing new of the run was kept: the view and the notes may have changed
BEGIN_MILLISECONDS = 300  # after the first frame, which must not wait for it
SUFFIX = ".autosave"


class Autosave(QObject):
    """Writes in a thread of its own, so that the disk never stops the window; removes its file when the window ends properly."""

    _written = Signal(str)  # what went wrong, "" for nothing

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._path: Path | None = None
        self._lock: QLockFile | None = None
        self._leftovers: list[tuple[Path, QLockFile]] = []  # the newest first
        self._restored: tuple[Path, QLockFile] | None = None  # goes when it has been saved anew
        self._restoring: SessionFile | None = None
        self._last: tuple[SessionFile, Keeps] | None = None
        self._writing, self._told, self._ended = False, False, False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._timer = QTimer(self)
        self._timer.setInterval(SAVE_MILLISECONDS)
        self._timer.timeout.connect(self.save)
        self._begin_timer = QTimer(self)
        self._begin_timer.setSingleShot(True)
        self._begin_timer.setInterval(BEGIN_MILLISECONDS)
        self._begin_timer.timeout.connect(self.begin)
        self._written.connect(self._on_written)
        run = window.run
        run.snapshot_came.connect(self._on_first_frame)
        run.kept.connect(self.save)
        run.opened.connect(self._on_opened)
        run.closed.connect(self._on_closed)
        window.overlays.leftover_answered.connect(self._on_answered)

    def _on_first_frame(self) -> None:
        self._window.run.snapshot_came.disconnect(self._on_first_frame)
        self._begin_timer.start()

    def begin(self) -> None:
        """Look for what is left over, and save from now on."""
        folder = folder_of_autosaves()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        except OSError as error:
            self._tell(f"{folder} cannot be used ({error.strerror or error})")
            self._begin_timer.start(SAVE_MILLISECONDS)  # perhaps it can then
            return
        for path in found:
            lock = _lock_of(path)
            if lock.tryLock(0):
                self._leftovers.append((path, lock))
        self._path = folder / f"{uuid.uuid4().hex}{SUFFIX}"
        self._timer.start()
        if not self._hold(self._path):
            self._tell(f"{folder} cannot be written to")
        self._offer()

    # ---- out

    def save(self) -> None:
        """Write the run as it stands and how it is looked at, if anything has changed."""
        session = self._window.sessions.present()
        if self._path is None or self._ended or self._writing or session is None or self._restoring is not None:
            return
        kept = self._window.sessions.kept()
        if (session, kept) == self._last and self._path.exists():
            return
        if not self._hold(self._path):
            self._tell(f"{self._path.parent} cannot be written to")
            return
        try:
            content = pack(session, *(body or b"" for body in kept))
        except SessionFileError as error:
            self._tell(str(error))
            return
        self._last, self._writing = (session, kept), True
        path = self._path
        self._pool.start(lambda: self._write(path, content))

    def _hold(self, path: Path) -> bool:
        """Have the lock, without which another window would take the file for left over; also when the folder has vanished since."""
        if self._lock is None or not Path(self._lock.fileName()).exists():
            if self._lock is not None:
                self._lock.unlock()
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock_of(path)
            self._lock = lock if lock.tryLock(0) else None
        return self._lock is not None

    def _write(self, path: Path, content: bytes) -> None:
        """In the thread."""
        problem = ""
        try:
            write_leftover(path, content)
        except OSError as error:
            problem = f"{path} could not be written: {error.strerror or error}"
        self._written.emit(problem)

    def _on_written(self, problem: str) -> None:
        self._writing = False
        if problem:
            self._last = None
            self._tell(problem)
            return
        self._told = False
        if self._restored is not None:
            _remove(*self._restored)
            self._restored = None

    def _tell(self, problem: str) -> None:
        if not self._told:  # once, until it works again
            self._told = True
            self._window.tell("error", f"The run is not saved automatically: {problem}.")

    # ---- in

    def _offer(self) -> None:
        """Offer the newest of what is left over."""
        while self._leftovers:
            path, lock = self._leftovers[0]
            try:
                session = read_leftover(path)[0]
            except LeftoverError as error:
                self._leftovers.pop(0)
                _remove(path, lock)
                text = f"The last run ended unexpectedly, and what was saved of it cannot be restored: {error}. It has been removed."
                self._window.tell("error", text)
                continue
            self._window.overlays.show_leftover(session.step)
            return

    def _on_answered(self, restore: bool) -> None:
        if not self._leftovers:
            return
        path, lock = self._leftovers.pop(0)
        if not restore:
            _remove(path, lock)
            self._offer()
            return
        try:
            session, *kept = read_leftover(path)
        except LeftoverError as error:
            self._window.tell("error", f"It cannot be restored: {error}.")
            lock.unlock()
            return
        self._restoring = self._window.sessions.restore(session, (kept[0], kept[1]))
        if self._restoring is None:
            lock.unlock()  # it stays for the next start
        else:
            self._restored = path, lock

    def _on_opened(self, session: SessionFile) -> None:
        if session is self._restoring:
            self._restoring = None
            self.save()
            self._offer()

    def _on_closed(self, session: SessionFile) -> None:
        """Restoring has been stopped or refused: what is left over stays for the next start."""
        if session is self._restoring and self._restored is not None:
            self._restored[1].unlock()
            self._restored, self._restoring = None, None

    # ---- end

    def stop(self) -> None:
        """The window ends properly: nothing is left but what nobody has answered for. Safe to call twice."""
        if self._ended:
            return
        self._ended = True
        self._timer.stop()
        self._begin_timer.stop()
        self._pool.waitForDone()
        if self._path is not None and self._lock is not None:
            _remove(self._path, self._lock)
        for _, lock in self._leftovers:
            lock.unlock()
        if self._restored is not None:
            self._restored[1].unlock()


def folder_of_autosaves() -> Path:
    """Where all windows write."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)) / "autosave"


def _lock_of(path: Path) -> QLockFile:
    lock = QLockFile(str(path.with_suffix(".lock")))
    lock.setStaleLockTime(0)  # however old it is, it holds as long as its process lives
    return lock


def _remove(path: Path, lock: QLockFile) -> None:
    with contextlib.suppress(OSError):  # a folder that has become read-only; the next start offers it again
        path.unlink(missing_ok=True)
    lock.unlock()
