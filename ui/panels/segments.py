"""A few choices side by side in one frame, of which one is in force; another is asked for by a click or the space bar."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from ..controls.input import focus_by_tab
from ..theme import Theme, font


class Segments(QFrame):
    """Shows the choice in force; ``chosen`` says which one the user wants instead."""

    chosen = Signal(str)

    def __init__(self, name: str, choices: tuple[tuple[str, str, str], ...], parent: QWidget | None = None) -> None:
        """``choices``: (value, title, tooltip)."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self._values = tuple(value for value, _, _ in choices)
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        for number, (_, title, hint) in enumerate(choices):
            button = QPushButton(title)
            button.setCheckable(True)
            button.setFont(font(12))
            button.setToolTip(hint)
            button.setAccessibleName(f"{name}: {title}")
            button.setAccessibleDescription(hint)
            button.setProperty("end", "left" if number == 0 else "right" if number == len(choices) - 1 else "")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            focus_by_tab(button)
            self._group.addButton(button, number)
            row.addWidget(button, 1)
        self._shown = self._values[0]
        self._group.idClicked.connect(self._on_clicked)

    @property
    def value(self) -> str:
        """The choice shown as in force."""
        return self._shown

    def show_value(self, value: str) -> None:
        """Show which choice is in force; says nothing."""
        self._shown = value
        self._group.button(self._values.index(value)).setChecked(True)

    def button(self, value: str) -> QPushButton:
        """The button of a choice."""
        found = self._group.button(self._values.index(value))
        assert isinstance(found, QPushButton)
        return found

    def set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(f"""
Segments {{ background: {theme.field}; border: 1px solid {theme.strong_line}; border-radius: 6px; }}
QPushButton {{ border: 0; border-radius: 0; padding: 0; min-height: 0; min-width: 8px; color: {theme.ink2};
  border-left: 1px solid {theme.line}; }}
QPushButton[end="left"] {{ border-left: 0; border-top-left-radius: 5px; border-bottom-left-radius: 5px; }}
QPushButton[end="right"] {{ border-top-right-radius: 5px; border-bottom-right-radius: 5px; }}
QPushButton:hover {{ background: {theme.hover}; color: {theme.ink1}; }}
QPushButton:checked {{ background: {theme.inverse}; color: {theme.inverse_text}; font-weight: 600; }}
QPushButton:focus {{ border: 2px solid {theme.ink1}; padding: 0; }}
QPushButton:checked:focus {{ border: 2px solid {theme.ink3}; padding: 0; }}
""")

    def _on_clicked(self, number: int) -> None:
        wanted = self._values[number]
        if wanted != self._shown:
            self.show_value(self._shown)  # what is in force is shown until the engine says otherwise
            self.chosen.emit(wanted)
