"""The file menu: sessions in and out, as files and as text, recordings, and what was opened last."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from gradviz.session_file import SUFFIX

from .shortcuts import SHORTCUTS

if TYPE_CHECKING:
    from .main_window import MainWindow


class FileMenu(QMenu):
    """Every entry is a command of the window, with its key beside it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._sessions = window.sessions
        self._add("Open…", window.open_file, "open_file")
        self._recent = self.addMenu("Open recent")
        self._add("Open a table of numbers…", window.open_data_file)
        self._add("Load weights…", window.open_weights)
        self.addSeparator()
        self._add("Save session", window.save_session, "save_session")
        self._add("Save session as…", window.save_session_as, "save_session_as")
        self._add("Title and notes", window.show_notes, "show_notes")
        self.addSeparator()
        self._add("Copy session as text", window.copy_session, "copy_session")
        self._add("Paste session", window.paste_session, "paste_session")
        self.addSeparator()
        self._record = self._add("Record…", window.record)
        self._recordings = window.recordings
        self._recordings.changed.connect(self._show_recording)
        self.aboutToShow.connect(self.list_recent)

    def _show_recording(self) -> None:
        self._record.setText("Stop recording" if self._recordings.recording else "Record…")

    def list_recent(self) -> None:
        """The files that were opened or saved last."""
        self._recent.clear()
        paths = self._sessions.recent
        for path in paths:
            name = f"{path.name.removesuffix(SUFFIX)}   {path.parent}".replace("&", "&&")
            self._recent.addAction(name).triggered.connect(partial(self._open, path))
        self._recent.setEnabled(bool(paths))
        if paths:
            self._recent.addSeparator()
            self._recent.addAction("Clear this list").triggered.connect(lambda _=False: self._sessions.forget_all())

    def _open(self, path: Path, _: bool = False) -> None:
        self._sessions.open_recent(path)

    def _add(self, text: str, action: Callable[[], object], command: str = "") -> QAction:
        keys = next((item.keys[0] for item in SHORTCUTS if item.command == command), "")
        added = self.addAction(f"{text}\t{keys}" if keys else text)
        added.triggered.connect(lambda _=False: action())
        return added
