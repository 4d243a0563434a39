"""What is tried for linearity: the activation, the numbers x, y and a, a random choice, and the search for a counter-example."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QPushButton

from gradviz.activations import ACTIVATIONS
from gradviz.spec import FieldInfo

from ..controls.input import FIELD_HEIGHT, Combo, focus_by_tab
from ..controls.numbers import NumberEdit, parse_number
from ..numbers import MINUS
from ..theme import font, formula_font
from . import marks
from .lab_blocks import LEFT, wrapped
from .lab_page import SIDE, Block

GAP, ROW = 8, 34
NUMBER = FieldInfo("", "", "", "", "float", 0.0)
NAMES = ("x", "y", "a")
STEP = 0.5  # of the arrow keys in a field


class LinearityControls(Block):
    """Asks for another function or other numbers; shows those in force."""

    on_paper = False

    function_wanted = Signal(str)
    numbers_wanted = Signal(float, float, float)
    random_wanted = Signal()
    search_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._numbers = (0.0, 0.0, 0.0)
        self._message = ""
        self.combo = Combo()
        self.combo.setParent(self)
        self.combo.setAccessibleName("Function that is tried")
        for name, activation in ACTIVATIONS.items():
            self.combo.addItem(activation.title, name)
        self.combo.activated.connect(lambda at: self.function_wanted.emit(self.combo.itemData(at)))
        self.edits = tuple(self._edit(at, name) for at, name in enumerate(NAMES))
        self.random = self._button("Random", "Draw x, y and a anew")
        self.random.clicked.connect(self.random_wanted)
        self.search = self._button("Find a counter-example", "Look for simple numbers where both equations fail clearly")
        self.search.clicked.connect(self.search_wanted)

    def _edit(self, at: int, name: str) -> NumberEdit:
        edit = NumberEdit()
        edit.setParent(self)
        edit.setFont(font(12))
        edit.setAccessibleName(f"Number {name}")
        edit.setToolTip(f"Type {name}; the arrow keys move it by {STEP:g}")
        edit.committed.connect(lambda text: self._on_typed(at, text))
        edit.stepped.connect(lambda by: self._want(at, self._numbers[at] + STEP * by))
        return edit

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        button.setFont(font(12))
        focus_by_tab(button)
        return button

    def show_tried(self, name: str, numbers: tuple[float, float, float]) -> None:
        """Show the function and the numbers in force."""
        self.combo.setCurrentIndex(self.combo.findData(name))
        self._numbers = numbers
        for edit, value in zip(self.edits, numbers, strict=True):
            if not edit.is_busy():
                edit.show_text(typed(value))
        self.update()

    def say(self, message: str) -> None:
        """Words under the fields, or none."""
        self._message = message
        self.setAccessibleDescription(message)
        self.update()

    @property
    def message(self) -> str:
        """What stands under the fields."""
        return self._message

    def _on_typed(self, at: int, text: str) -> None:
        value = parse_number(text, NUMBER)
        if isinstance(value, str) or not math.isfinite(value):
            self.edits[at].show_text(typed(self._numbers[at]))
            self.say(f"“{text}” is not a finite number. Write it like −0.5 or 2e-3.")
        else:
            self._want(at, value)

    def _want(self, at: int, value: float) -> None:
        numbers = tuple(value if number == at else old for number, old in enumerate(self._numbers))
        self.numbers_wanted.emit(*numbers)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        left, room = round(SIDE), self.width() - 2 * round(SIDE)
        self.combo.setGeometry(left, 0, room, FIELD_HEIGHT)
        third = (room - 2 * GAP) // 3
        for at, edit in enumerate(self.edits):
            edit.setGeometry(left + at * (third + GAP) + 18, ROW, third - 18, FIELD_HEIGHT)
        narrow = min(96, room // 3)
        self.random.setGeometry(left, 2 * ROW, narrow, FIELD_HEIGHT + 2)
        self.search.setGeometry(left + narrow + GAP, 2 * ROW, room - narrow - GAP, FIELD_HEIGHT + 2)

    def _lines(self, width: float) -> tuple[str, ...]:
        return wrapped(self._message, 12, width - 2 * SIDE) if self._message else ()

    def height_at(self, width: float) -> float:
        return 3.0 * ROW + 6.0 + 17.0 * len(self._lines(width))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        for name, edit in zip(NAMES, self.edits, strict=True):
            middle = edit.geometry().center().y() + 0.5
            marks.put_text(painter, edit.x() - 16, middle, name, formula_font(15), self.theme.ink2, LEFT)
        y = area.top() + 3 * ROW + 8
        for line in self._lines(area.width()):
            marks.put_text(painter, area.left() + SIDE, y, line, font(12), self.theme.ink1, LEFT)
            y += 17.0


def typed(value: float) -> str:
    """A number as it stands in a field."""
    return f"{value:.6g}".replace("e+", "e").replace("-", MINUS).replace(f"e{MINUS}", "e-")
