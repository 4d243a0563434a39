"""A slider of the activation lab with its name in front and its number behind."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel

from ..controls.numbers import SliderInput
from ..theme import Theme, font
from .lab_page import SIDE, Block

HEIGHT = 36.0


class SliderRow(Block):
    """Shows a number and says which one is wanted, while it is dragged too; what is typed and no number is not asked for."""

    on_paper = False

    wanted = Signal(float)

    def __init__(self, title: str, slider: SliderInput, hint: str) -> None:
        super().__init__()
        self.input = slider
        label = QLabel(title)
        label.setFont(font(12))
        row = QHBoxLayout(self)
        row.setContentsMargins(round(SIDE), 0, round(SIDE), 4)
        row.setSpacing(12)
        row.addWidget(label)
        row.addWidget(slider, 1)
        slider.describe(title, hint)
        slider.setToolTip(hint)
        slider.wanted.connect(self._on_wanted)
        self._shown = 0.0

    def show_value(self, value: float) -> None:
        """Show the number in force; not while it is dragged or typed."""
        self._shown = value
        if not self.input.is_busy():
            self.input.show_value(value)

    def _on_wanted(self, value: object) -> None:
        info = self.input.info
        assert info.minimum is not None
        assert info.maximum is not None
        if isinstance(value, (int, float)) and info.minimum <= value <= info.maximum:
            self.wanted.emit(float(value))
        else:
            self.input.show_value(self._shown)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.input.set_theme(theme)

    def height_at(self, width: float) -> float:
        return HEIGHT
