"""A small switch between two readings of the same panel: two buttons, of which one is down."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from ..controls.input import focus_by_tab
from ..theme import font

STYLE = "QPushButton { min-height: 18px; padding: 0 8px; } QPushButton:focus { padding: 0 7px; min-height: 16px; }"


class Switch(QWidget):
    """``chosen`` says the number of the button that the user pressed, 0 or 1."""

    chosen = Signal(int)

    def __init__(self, name: str, texts: tuple[str, str], hints: tuple[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setStyleSheet(STYLE)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        for number, (text, hint) in enumerate(zip(texts, hints, strict=True)):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setFont(font(11))
            button.setToolTip(hint)
            button.setAccessibleName(f"{name}: {text}")
            focus_by_tab(button)
            self._group.addButton(button, number)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(self.chosen)

    def show_choice(self, number: int) -> None:
        """Show which is in force; says nothing."""
        self._group.button(number).setChecked(True)

    def choice(self) -> int:
        return self._group.checkedId()
