"""Inputs of text: a line, one value per layer, and the file of the user's own."""

from __future__ import annotations

from pathlib import Path, PurePath

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton

from gradviz.spec import FieldInfo

from ..theme import font
from .input import FIELD_HEIGHT, Input, focus_by_tab, moves_cursor


class TextEdit(QLineEdit):
    """A line of text; Escape takes back what was typed."""

    left = Signal()

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.shown = ""

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def event(self, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if (
            override
            and isinstance(event, QKeyEvent)
            and ((event.key() == Qt.Key.Key_Escape and self.isModified()) or moves_cursor(self, event))
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self.shown)
            self.left.emit()
        else:
            super().keyPressEvent(event)


class TextInput(Input):
    """A line of text."""

    def __init__(self, placeholder: str = "") -> None:
        super().__init__()
        self.edit = TextEdit(placeholder)
        self.edit.editingFinished.connect(self._on_finished)
        self.edit.left.connect(self.released)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.edit)

    def show_value(self, value: object) -> None:
        self.edit.shown = self.write(value)
        if self.edit.text() != self.edit.shown:
            self.edit.setText(self.edit.shown)
            self.edit.setCursorPosition(0)
        self.edit.setModified(False)

    def is_busy(self) -> bool:
        return self.edit.hasFocus() and self.edit.isModified()

    def write(self, value: object) -> str:
        """The text that stands for a value."""
        return str(value)

    def read(self, text: str) -> object:
        """The value that a text stands for."""
        return text.strip()

    def _on_finished(self) -> None:
        if self.edit.isModified():
            self.edit.setModified(False)
            self.wanted.emit(self.read(self.edit.text()))


class PerLayerInput(TextInput):
    """One value per hidden layer, with commas between; empty where all layers share one."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__("same in all layers")
        self._info = info

    def write(self, value: object) -> str:
        return ", ".join(str(entry) for entry in value) if isinstance(value, tuple) else ""

    def read(self, text: str) -> object:
        entries = [entry.strip() for entry in text.replace(";", ",").split(",") if entry.strip()]
        if not entries:
            return None
        titles = {title.lower(): name for name, title in self._info.choices}
        if self._info.kind == "choices":
            return tuple(titles.get(entry.lower(), entry.lower()) for entry in entries)
        return tuple(int(entry) if entry.isdecimal() else entry for entry in entries)


class EntriesInput(TextInput):
    """Parameters with a value of their own, as ``layer01.weight[0,0] = 2.5``, with semicolons between; empty for none."""

    def __init__(self) -> None:
        super().__init__("none")

    def write(self, value: object) -> str:
        return "; ".join(value) if isinstance(value, tuple) else ""

    def read(self, text: str) -> object:
        return tuple(entry.strip().replace("−", "-") for entry in text.split(";") if entry.strip())


class WeightsInput(TextInput):
    """The name of the file of the first weights; emptied, they are drawn again."""

    def __init__(self) -> None:
        super().__init__("drawn")

    def write(self, value: object) -> str:
        return PurePath(str(value)).name


class FileInput(Input):
    """The name of the chosen file; pressing it asks for another."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("Choose…")
        self.button.setProperty("file", True)
        self.button.setFixedHeight(FIELD_HEIGHT)
        self.button.setMinimumWidth(60)
        self.button.clicked.connect(self.asked)
        focus_by_tab(self.button)
        self._path = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)

    def show_value(self, value: object) -> None:
        self._path = str(value)
        self.button.setToolTip(self._path)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        name = Path(self._path).name or "Choose…"
        self.button.setText(QFontMetrics(font(12)).elidedText(name, Qt.TextElideMode.ElideMiddle, max(40, self.width() - 20)))
