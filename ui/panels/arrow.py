"""A flat button with an arrow, to the one before or the next one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QToolButton, QWidget

from ..controls.input import focus_by_tab
from ..theme import font


class Arrow(QToolButton):
    """Held down, it goes on."""

    def __init__(self, text: str, words: str, on_click: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setAutoRepeat(True)
        self.setFont(font(15, 600))
        self.clicked.connect(on_click)
        focus_by_tab(self)
