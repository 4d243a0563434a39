"""The list of all keys, from the table of shortcuts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QWidget

from .shortcuts import CANVAS_KEYS, SHORTCUTS
from .theme import font

ROWS = 16


class ShortcutList(QDialog):
    """A small window that can stay open while the run goes on; Esc closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout(self)
        grid.setContentsMargins(20, 16, 24, 20)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        native = QKeySequence.SequenceFormat.NativeText
        rows = [(", ".join(QKeySequence(key).toString(native) for key in item.keys), item.title) for item in SHORTCUTS]
        for number, (keys, title) in enumerate([*rows, *CANVAS_KEYS]):
            row, column = number % ROWS, number // ROWS * 2
            key = QLabel(keys)
            key.setFont(font(13, 600))
            grid.addWidget(key, row, column, Qt.AlignmentFlag.AlignRight)
            words = QLabel(title)
            words.setContentsMargins(0, 0, 24, 0)
            grid.addWidget(words, row, column + 1)
