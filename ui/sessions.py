"""Opening and saving sessions: files, the clipboard, and the list of what was opened last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from gradviz.csv_rows import DataError
from gradviz.session_file import (
    MAX_TABLES,
    SUFFIX,
    SessionFile,
    SessionFileError,
    Settings,
    TableMark,
    from_text,
    left_of,
    read_session,
    to_text,
    write_session,
)
from gradviz.session_tables import TableError, beside, find_tables, mark_of, tables_of, with_table
from gradviz.view import View

from .compare.words import SIDES
from .recordings import RECORDING_SUFFIX
from .session_view import show_view, view_of

if TYPE_CHECKING:
    from .live_run import LiveRun
    from .main_window import MainWindow

Keeps = tuple[bytes | None, bytes | None]
"""A run and the one that it is compared with, as `Kept.body`."""
MOST_RECENT = 10
FILTER = f"GradViz session (*{SUFFIX})"
WEIGHTS_SUFFIX = ".safetensors"
WEIGHTS_FILTER = f"Weights (*{WEIGHTS_SUFFIX})"
ALL = f"*{SUFFIX} *{RECORDING_SUFFIX} *{WEIGHTS_SUFFIX} *.csv *.tsv *.txt"
TABLES = "Tables (*.csv *.tsv *.txt);;All files (*)"
KINDS = f"Sessions (*{SUFFIX});;Recordings (*{RECORDING_SUFFIX});;{WEIGHTS_FILTER};;{TABLES}"
OPEN_FILTER = f"All that can be opened ({ALL});;{KINDS}"


class Sessions(QObject):
    """What the window does with session files; every problem is told, and the run goes on untouched."""

    changed = Signal()  # the file, the title or the list of recent files

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.path: Path | None = None  # of the file that was opened or saved last
        self.title, self.notes = "", ""
        # what is being opened, out of which file, and the second run of two as it was kept
        self._read: tuple[SessionFile | None, Path | None, bytes | None] = (None, None, None)
        self._before: list[tuple[SessionFile | Path, Path | None, str, str]] = []  # what was there when a session was opened
        self._known_marks: dict[tuple[str, int, int], TableMark] = {}
        self._missing: tuple[SessionFile, Path | None, Keeps, TableError] | None = None  # what waits for its table
        window.run.opened.connect(self._on_opened)
        window.run.closed.connect(self._on_closed)

    # ---- out

    def present(self) -> SessionFile | None:
        """The run (or both that are compared) as it stands and how it is looked at; None before there is anything."""
        compare = self._window.compare
        if compare is None:
            return self.present_run(self._window.run)
        first, second = (compare.pair.start_of(side) or self.present_run(compare.pair.run_of(side)) for side in SIDES)
        if first is None or second is None:
            return None
        view = view_of(self._window)
        session = msgspec.structs.replace(first, title=self.title, notes=self.notes, view=view, against=_bare(second))
        return msgspec.structs.replace(session, tables=tuple(self._marks(session)))

    def kept(self) -> Keeps:
        """The runs of `present` as they can be taken up again; b"" for one that is not kept."""
        window = self._window
        if window.compare is None:
            return _kept(window.run), b""
        pair = window.compare.pair
        first, second = (b"" if pair.start_of(side) is not None else _kept(pair.run_of(side)) for side in SIDES)
        return first, second

    def present_run(self, run: LiveRun) -> SessionFile | None:
        """One run as it stands and how it is looked at; None before there is anything."""
        snapshot = run.snapshot
        if snapshot is None or not run.settings:
            return None
        step, phases = snapshot.step, 0
        if snapshot.moment is not None:
            step, phases = snapshot.moment.step - 1, snapshot.moment.done
        settings = tuple(Settings(*item) for item in run.settings)
        last = max(snapshot.last_step, step, settings[-1].step)
        session = SessionFile(settings, step, last, phases, self.title, self.notes, view_of(self._window), left_of(run.left))
        return msgspec.structs.replace(session, tables=tuple(self._marks(session)))

    def _marks(self, session: SessionFile) -> Iterator[TableMark]:
        """Of the tables that can be read; each is read anew only when it has changed, for a session is made every few seconds."""
        for path in tables_of(session)[:MAX_TABLES]:
            with contextlib.suppress(OSError, DataError):  # one that has gone is missed when the session is opened
                found = Path(path).expanduser().stat()
                key = path, found.st_mtime_ns, found.st_size
                if key not in self._known_marks:
                    self._known_marks[key] = mark_of(path)
                yield self._known_marks[key]

    def save(self) -> None:
        """Into the file it came from, or where the user says."""
        if self.path is None:
            self.save_as()
        else:
            self.write(self.path)

    def save_as(self) -> None:
        """Ask where to."""
        suggestion = self.file_name + SUFFIX
        name, _ = QFileDialog.getSaveFileName(self._window, "Save session", str(self._folder() / suggestion), FILTER)
        if name:
            self.write(Path(name if name.endswith(".json") else name + SUFFIX))

    def write(self, path: Path) -> bool:
        """Write without asking; tells what came of it and returns whether it worked."""
        session = self.present()
        if session is None:
            self._window.tell("notice", "There is no run to save yet.")
            return False
        try:
            write_session(beside(session, path.parent), path)
        except SessionFileError as error:
            self._window.tell("error", f"The session cannot be saved. {error}")
            return False
        except OSError as error:
            self._window.tell("error", f"{path} could not be written: {error.strerror or error}. What was there before is untouched.")
            return False
        self._know(path)
        what = "Saved both runs as" if session.against is not None else "Saved"
        self._window.tell("notice", f"{what} {path.name} in {path.parent}.")
        return True

    def copy_text(self) -> None:
        """Put the session on the clipboard as text for a mail."""
        session = self.present()
        if session is None:
            return
        try:
            text = to_text(session)
        except SessionFileError as error:
            self._window.tell("error", f"The session cannot be copied. {error}")
            return
        QGuiApplication.clipboard().setText(text)
        self._window.tell("notice", f"The session is on the clipboard as {len(text.splitlines())} lines of text, ready for a mail.")

    # ---- in

    def ask(self) -> None:
        """Ask for a session, a recording or a table of numbers, and open it."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open", str(self._folder()), OPEN_FILTER)
        if name:
            self.open_any(Path(name))

    def open_any(self, path: Path) -> bool:
        """A session, a recording, weights to begin with, or data to train on: by the ending of the name."""
        if path.suffix.lower() == ".json":
            return self.open(path)
        if path.suffix.lower() == RECORDING_SUFFIX:
            self._window.run.open_recording(path.absolute())
            return True
        if path.suffix.lower() == WEIGHTS_SUFFIX:
            self._window.use_weights(path)
            return True
        self._window.use_data_file(path)
        return True

    def open(self, path: Path) -> bool:
        """Open a session file; returns whether it could be read and its tables were found."""
        try:
            session = read_session(path)
        except SessionFileError as error:
            if not path.exists():
                self._forget(path)
            self._window.tell("error", f"It cannot be opened. {error}")
            return False
        return self._begin(session, path)

    def paste(self) -> bool:
        """Open the session that is on the clipboard as text."""
        return self.open_text(QGuiApplication.clipboard().text())

    def open_text(self, text: str) -> bool:
        """Open a session from its text; returns whether it could be read."""
        try:
            session = from_text(text)
        except SessionFileError as error:
            self._window.tell("error", f"It cannot be pasted. {error}")
            return False
        return self._begin(session, None)

    def restore(self, session: SessionFile, kept: Keeps) -> SessionFile | None:
        """Open a session that was saved automatically; with ``kept`` its runs need not be trained again from the first step.

        Returns what is being opened, its tables where they are now; None when one of them is missing, which is told.
        """
        return self._read[0] if self._begin(session, None, kept) else None

    def _begin(self, session: SessionFile, path: Path | None, kept: Keeps = (None, None)) -> bool:
        try:
            session = find_tables(session, path.absolute().parent if path is not None else None)
        except TableError as error:
            self._missing = session, path, kept, error
            self._window.overlays.show_missing_table(f"It cannot be opened. {error}")
            return False
        self._missing = None
        self._read = session, path, kept[1]
        self._window.run.open(session, kept[0])
        return True

    def ask_for_table(self) -> None:
        """Ask where the table is that the session to be opened was trained on."""
        if self._missing is not None:
            kinds, title = f"{TABLES};;{WEIGHTS_FILTER}", f"Where is {self._missing[3].where}?"
            name, _ = QFileDialog.getOpenFileName(self._window, title, str(self._folder()), kinds)
            if name:
                self.take_table(Path(name))

    def take_table(self, place: Path) -> bool:
        """Open the session that waits for a table with this one; returns whether it is the one."""
        if self._missing is None:
            return False
        session, path, kept, error = self._missing
        try:
            session = with_table(session, error.path, place)
        except TableError as wrong:
            self._window.overlays.show_missing_table(f"It cannot be opened. {wrong}")
            return False
        return self._begin(session, path, kept)

    def _on_opened(self, session: SessionFile | Path) -> None:
        """The run is there: show it as it was looked at."""
        if isinstance(session, Path):
            self._before.append((session, self.path, self.title, self.notes))
            self._show(None, session.name.removesuffix(RECORDING_SUFFIX), "")
            self.remember(session)
            self._tell_recording(session)
            return
        path, kept = self._read[1:] if self._read[0] is session else (None, None)
        if session.against is not None and self._window.compare is not None:
            self._window.compare.leave()  # for two other runs
        self._before.append((session, self.path, self.title, self.notes))
        self._show(path, session.title, session.notes)
        show_view(self._window, session.view)
        if session.against is not None:
            self._window.compare_again(session, kept)
        if session.view.playing:
            self._window.driven.play()
        if path is not None:
            self._know(path)
        self._window.tell("notice", f"Opened {path.name if path else 'the session'}, at step {session.step:,}.")

    def _tell_recording(self, path: Path) -> None:
        run = self._window.run
        step = run.snapshot.step if run.snapshot is not None else 0
        if run.tape is not None and run.tape.watched:
            self._window.tell("notice", f"Watching {path.name}, which is still being recorded. Playing on makes it a run of your own.")
        else:
            self._window.tell("notice", f"Opened {path.name}, {step:,} steps.")

    def _on_closed(self, session: SessionFile | Path) -> None:
        """Its opening was undone: what is saved next must not go into its file."""
        if self._before and self._before[-1][0] is session:
            self._show(*self._before.pop()[1:])

    def leave_file(self) -> None:
        """Another run begins: what is saved next must not go into the file of the last one."""
        self.path = None
        self.changed.emit()

    def _show(self, path: Path | None, title: str, notes: str) -> None:
        self.path, self.title, self.notes = path, title, notes
        self._window.show_notes_of(title, notes)
        self.changed.emit()

    def set_words(self, title: str, notes: str) -> None:
        """What the user has written about the run."""
        if (title, notes) != (self.title, self.notes):
            self.title, self.notes = title, notes
            self.changed.emit()

    # ---- recent files

    @property
    def recent(self) -> list[Path]:
        """The files opened or saved last, the newest first."""
        found = QSettings().value("recent", [])
        names = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return [Path(str(name)) for name in names if name][:MOST_RECENT]

    def open_recent(self, path: Path) -> None:
        """Open one of `recent`; one that is gone leaves the list, and that is told."""
        if path.exists():
            self.open_any(path)
        else:
            self._forget(path)
            self._window.tell("error", f"{path} is not there any more; it has left the list.")

    def forget_all(self) -> None:
        """Empty the list."""
        self._remember([])

    @property
    def file_name(self) -> str:
        """What a file of this run may be called, without an ending."""
        return _file_name(self.title)

    def remember(self, path: Path) -> None:
        """Put a file at the head of the list of recent files."""
        path = path.absolute()
        QSettings().setValue("sessions/folder", str(path.parent))
        self._remember([path, *(other for other in self.recent if other != path)])

    def _know(self, path: Path) -> None:
        self.path = path.absolute()
        self.remember(path)

    def _forget(self, path: Path) -> None:
        path = path.absolute()
        self._remember([other for other in self.recent if other != path])

    def _remember(self, paths: list[Path]) -> None:
        QSettings().setValue("recent", [str(path) for path in paths[:MOST_RECENT]])
        self.changed.emit()

    def _folder(self) -> Path:
        return self.path.parent if self.path is not None else Path(str(QSettings().value("sessions/folder", str(Path.home()))))


def _bare(session: SessionFile) -> SessionFile:
    """The run alone: words, view and tables of two are with the first."""
    return msgspec.structs.replace(session, title="", notes="", view=View(), tables=())


def _kept(run: LiveRun) -> bytes:
    kept = run.kept_run
    return kept.body if kept is not None and kept.run == run.run_number else b""


def _file_name(title: str) -> str:
    """A title as the name of a file."""
    kept = "".join(letter if letter.isalnum() or letter in " -_" else " " for letter in title)
    return "-".join(kept.split()).lower()[:60] or "run"
