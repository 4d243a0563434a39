"""Inputs of numbers: typed, stepped or slid.

What is typed may be written as people write it: 1e-3, 0,5, 2×10⁻⁴, 20,000, with or without the unit.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QRandomGenerator, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QToolButton

from gradviz.spec import FieldInfo

from ..icons import icon
from ..theme import Theme
from .input import FIELD_HEIGHT, Input, focus_by_tab, moves_cursor
from .slider import Slider, linear_values, logarithmic_values

TYPED = frozenset("0123456789.,+-−×^eE")
LARGEST_DICE = 10_000  # a drawn seed stays short enough to be told to a neighbour
_PLAIN = str.maketrans({"−": "-", "\u00a0": "", " ": "", "_": "", "^": "", "⁻": "-"} | {c: str(i) for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})


def parse_number(text: str, info: FieldInfo, zero: str = "") -> int | float | str:
    """The number that was meant, or the text itself where it is none; ``zero`` is the word that stands for 0."""
    written = text.strip()
    if zero and written.lower() == zero:
        return 0
    if info.unit and written.endswith(info.unit):
        written = written[: -len(info.unit)]
    written = written.translate(_PLAIN).replace("×10", "e")
    written = written.replace(",", "") if info.kind == "int" else written.replace(",", ".")  # thousands, or a decimal comma
    try:
        value = float(written)
    except ValueError:
        return text.strip()
    return int(value) if info.kind == "int" and math.isfinite(value) and value == int(value) else value


def write_number(value: float, info: FieldInfo, zero: str = "") -> str:
    """A number as its field shows it: "20,000 steps", "1e-5", "1×"."""
    if value == 0 and zero:
        return zero
    if info.kind == "int":
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")
        text = text.replace("e−", "e-")  # an exponent stays as it is typed
    return text + (f" {info.unit}" if len(info.unit) > 1 else info.unit)


class NumberEdit(QLineEdit):
    """A line for a number. Keys that no number needs stay shortcuts of the window; Escape takes back what was typed."""

    committed = Signal(str)
    stepped = Signal(int)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown = ""
        self.editingFinished.connect(self._on_finished)

    def show_text(self, text: str) -> None:
        self._shown = text
        if self.text() != text:
            self.setText(text)
            self.setCursorPosition(0)
        self.setModified(False)

    def is_busy(self) -> bool:
        return self.hasFocus() and self.isModified()

    def _on_finished(self) -> None:
        if self.isModified():
            self.setModified(False)
            self.committed.emit(self.text())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
            if (event.key() == Qt.Key.Key_Escape and self.isModified()) or moves_cursor(self, event):
                event.accept()
                return True
            if not self.isModified() and any(event.matches(key) for key in (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)):
                return False  # the last thing done here was to put the number in: that is to be undone
            if plain and event.text().isprintable() and event.text() not in TYPED:
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Up else -1)
        elif event.key() == Qt.Key.Key_Escape:
            self.show_text(self._shown)
            self.selectAll()
            self.left.emit()
        else:
            super().keyPressEvent(event)


class NumberInput(Input):
    """A typed number; the other inputs of numbers add to it."""

    def __init__(self, info: FieldInfo, zero: str = "") -> None:
        super().__init__()
        self.info = info
        self._zero = zero
        self._value: float = info.default
        self.edit = NumberEdit()
        self.edit.committed.connect(lambda text: self.wanted.emit(parse_number(text, info, zero)))
        self.edit.left.connect(self.released)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(6)

    def show_value(self, value: object) -> None:
        assert isinstance(value, (int, float))
        self._value = value
        self.edit.show_text(write_number(value, self.info, self._zero))

    def is_busy(self) -> bool:
        return self.edit.is_busy()


class SliderInput(NumberInput):
    """A slider over the useful part of the range, and beside it the number, in which the whole range can be typed."""

    def __init__(self, info: FieldInfo, reach: tuple[float, float] | None = None) -> None:
        super().__init__(info)
        assert info.minimum is not None and info.maximum is not None
        low, high = reach or (info.minimum, info.maximum)
        if info.log:
            values = logarithmic_values(low, high)
            if info.minimum == 0 and low > 0:
                values = (0.0, *values)
        else:
            values = linear_values(low, high)
        if info.kind == "int":
            values = tuple(sorted({float(round(value)) for value in values}))
        self.slider = Slider(values, ticks=info.log)
        self.edit.setProperty("bare", True)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.edit.setFixedWidth(52)
        self.row.addWidget(self.slider, 1)
        self.row.addWidget(self.edit)
        self.slider.valueChanged.connect(self._on_slid)
        self.slider.sliderReleased.connect(self.released)
        self.edit.stepped.connect(lambda by: self.slider.setValue(self.slider.value() + by))

    def show_value(self, value: object) -> None:
        super().show_value(value)
        self.slider.show_nearest(self._value)

    def is_busy(self) -> bool:
        return self.slider.isSliderDown() or super().is_busy()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.slider.theme = theme

    def _on_slid(self, position: int) -> None:
        value = self.slider.values[position]
        if not self.edit.is_busy():
            self.edit.show_text(write_number(value, self.info))
        self.wanted.emit(int(value) if self.info.kind == "int" else value)


class Stepper(NumberInput):
    """A whole number between − and +; where the range spans decades, each press halves or doubles it."""

    def __init__(self, info: FieldInfo, step: int = 1, zero: str = "") -> None:
        super().__init__(info, zero)
        self._step = step
        frame = QFrame()
        frame.setProperty("field", True)
        frame.setFixedHeight(FIELD_HEIGHT)
        inside = QHBoxLayout(frame)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        self.edit.setProperty("bare", True)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.less, self.more = self._button("−", "less", -1), self._button("+", "more", 1)
        for part, share in ((self.less, 0), (self.edit, 1), (self.more, 0)):
            inside.addWidget(part, share)
        self.row.addWidget(frame)
        self.edit.stepped.connect(self._on_stepped)

    def show_value(self, value: object) -> None:
        super().show_value(value)
        assert self.info.minimum is not None and self.info.maximum is not None
        self.less.setEnabled(self._value > self.info.minimum)
        self.more.setEnabled(self._value < self.info.maximum)

    def _button(self, text: str, name: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setAccessibleName(name)
        button.setAutoRepeat(True)
        button.setFixedSize(26, FIELD_HEIGHT - 2)
        button.clicked.connect(lambda: self._on_stepped(by))
        focus_by_tab(button)
        return button

    def _on_stepped(self, by: int) -> None:
        assert self.info.minimum is not None and self.info.maximum is not None
        moved = self._value * 2.0**by if self.info.log else self._value + by * self._step
        value = int(min(self.info.maximum, max(self.info.minimum, moved)))
        if value != self._value:
            self.wanted.emit(value)


class SeedInput(NumberInput):
    """A seed, and a die that draws another one."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.dice = QToolButton()
        self.dice.setAccessibleName("draw another one")
        self.dice.setToolTip("Draw another seed")
        self.dice.setFixedSize(FIELD_HEIGHT, FIELD_HEIGHT)
        self.dice.setProperty("flat", True)
        focus_by_tab(self.dice)
        self.row.addWidget(self.edit, 1)
        self.row.addWidget(self.dice)
        self.dice.clicked.connect(self._on_dice)
        self.edit.stepped.connect(lambda by: self.wanted.emit(int(max(0, self._value + by))))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.dice.setIcon(icon("dice", theme))

    def _on_dice(self) -> None:
        drawn = QRandomGenerator.global_().bounded(LARGEST_DICE - 1)
        self.wanted.emit(drawn + 1 if drawn >= self._value else drawn)  # never the one there is
