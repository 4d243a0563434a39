"""The page for what the user writes about a run: a title and notes, kept in the session file."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from gradviz.session_file import MAX_NOTES, MAX_TITLE

from .theme import Theme


class NotesPage(QWidget):
    """Title and notes of the session."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Notes")
        self.title = QLineEdit()
        self.title.setMaxLength(MAX_TITLE)
        self.title.setPlaceholderText("What this run shows")
        self.title.setAccessibleName("Title")
        self.notes = QPlainTextEdit()
        self.notes.setAccessibleName("Notes")
        self.notes.setTabChangesFocus(True)
        self.notes.setPlaceholderText("What to look at, what was found")
        self._hint = QLabel("Saved with the session: Ctrl+S")
        self._hint.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(6)
        for label, field in (("Title", self.title), ("Notes", self.notes)):
            caption = QLabel(label)
            caption.setBuddy(field)
            column.addWidget(caption)
            column.addWidget(field)
            column.addSpacing(6)
        column.addWidget(self._hint)
        self.title.textChanged.connect(lambda _: self.edited.emit())
        self.notes.textChanged.connect(self.edited)

    def set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(f"""
QLabel {{ color: {theme.ink2}; font-size: 12px; }}
QPlainTextEdit {{ background: {theme.field}; color: {theme.ink1}; border: 1px solid {theme.line}; border-radius: 6px; padding: 4px; }}
QPlainTextEdit:focus {{ border: 1px solid {theme.ink3}; }}
""")

    def words(self) -> tuple[str, str]:
        """Title and notes; of the notes no more than a file may hold."""
        return self.title.text(), self.notes.toPlainText()[:MAX_NOTES]

    def show_words(self, title: str, notes: str) -> None:
        """Show another session's title and notes."""
        if (title, notes) != self.words():
            self.title.setText(title)
            self.notes.setPlainText(notes)
