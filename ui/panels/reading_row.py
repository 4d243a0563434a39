"""One row of the inspect panel: a number with its name, drawn for screen and exports, copied by a click or a key.

A row whose number can be set carries a field for the new value.
"""

from __future__ import annotations

import html
import math

from PySide6.QtCore import QLineF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gradviz.spec import FieldInfo

from ..controls.input import FIELD_HEIGHT, focus_by_tab
from ..controls.numbers import NumberEdit, parse_number
from ..icons import paint_icon
from ..theme import THEMES, Theme, font, formula_font
from . import marks
from .reading import Reading

ROW, HERO = 38, 62
INSET = 8.0  # between the hovered ground of a row and what it holds
SWATCH, ICON = 12.0, 14.0
COPIED_FOR = 1200  # milliseconds in which "copied" stands
FIELD_WIDTH = 86
ANY_NUMBER = FieldInfo("", "", "", "", "float", 0.0)


def paint_reading(painter: QPainter, area: QRectF, theme: Theme, reading: Reading, copied: bool | None = None) -> None:
    """Name, symbol and caption at the left, the number at the right.

    ``copied`` says whether it has just been copied; None leaves out all that concerns copying.
    """
    right = area.right() - INSET
    if copied is not None:
        right -= ICON + 8
    bad = not reading.finite and not reading.unknown
    ink = theme.nan if bad else theme.ink2 if reading.unknown else theme.ink1
    used = font(12) if reading.unknown else font(13, 500)
    middle = area.center().y()
    marks.put_text(painter, right, middle, reading.text, used, ink, Qt.AlignmentFlag.AlignRight)
    start = right - marks.text_width(reading.text, used)
    narrow = area.left() + INSET + marks.text_width(reading.name, font(12)) > start - SWATCH - 14
    if reading.gradient and not (reading.unknown and narrow):  # the words tell it as well
        start -= SWATCH + 8
        marks.paint_swatch(painter, QRectF(start, middle - SWATCH / 2, SWATCH, SWATCH), reading.level, theme)
    if copied is not None and reading.copied:
        _paint_copy(painter, area, theme, copied)
    left, room = area.left() + INSET, start - 8 - area.left() - INSET
    caption = next((text for text in _captions(reading, copied) if marks.text_width(text, font(11)) <= room), "")
    first = middle - 8 if caption else middle
    marks.put_text(painter, left, first, reading.name, font(12), theme.ink1, Qt.AlignmentFlag.AlignLeft)
    _paint_symbol(painter, left + marks.text_width(reading.name, font(12)) + 7, first, room + left, theme, reading.symbol)
    if caption:
        marks.put_text(painter, left, middle + 9, caption, font(11), theme.ink3, Qt.AlignmentFlag.AlignLeft)


def paint_hero(painter: QPainter, area: QRectF, theme: Theme, reading: Reading, copied: bool | None = None) -> None:
    """The number that matters on a card: large, and under it with every digit."""
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
    left = area.left() + 12
    ink = theme.ink1 if reading.finite else theme.nan
    sign = f"{reading.symbol} ="
    marks.put_text(painter, left, area.top() + 22, sign, formula_font(20), theme.ink1, Qt.AlignmentFlag.AlignLeft)
    left += marks.text_width(sign, formula_font(20)) + 8
    marks.put_text(painter, left, area.top() + 22, reading.text, font(20, 600), ink, Qt.AlignmentFlag.AlignLeft)
    lines = (f"copied {reading.copied}", "copied") if copied else (reading.exact,) if reading.finite else reading.remarks
    room = area.width() - 24 - (ICON + 8 if copied is not None else 0)
    under = next((text for text in lines if marks.text_width(text, font(12)) <= room), "")
    marks.put_text(painter, area.left() + 12, area.top() + 45, under, font(12), theme.ink2, Qt.AlignmentFlag.AlignLeft)
    if copied is not None:
        _paint_copy(painter, area, theme, copied)


def _captions(reading: Reading, copied: bool | None) -> tuple[str, ...]:
    return (f"copied {reading.copied}".replace("\t", " and "), "copied") if copied else reading.remarks


def _paint_symbol(painter: QPainter, x: float, y: float, end: float, theme: Theme, symbol: str) -> None:
    if symbol and x + marks.text_width(symbol, formula_font(14)) <= end:
        marks.put_text(painter, x, y, symbol, formula_font(14), theme.ink2, Qt.AlignmentFlag.AlignLeft)


def _paint_copy(painter: QPainter, area: QRectF, theme: Theme, copied: bool) -> None:
    box = QRectF(area.right() - INSET - ICON + 1, area.center().y() - ICON / 2, ICON, ICON)
    paint_icon(painter, "check" if copied else "copy", box, theme.ink1 if copied else theme.ink3)


class CopyRow(QAbstractButton):
    """A reading that is copied, with every digit, by a click, Space or Enter."""

    def __init__(self, hero: bool = False) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.reading: Reading | None = None
        self._hero, self._copied = hero, False
        self._forget = QTimer(self, singleShot=True, interval=COPIED_FOR)
        self._forget.timeout.connect(self._on_forget)
        self.setFixedHeight(HERO if hero else ROW)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        focus_by_tab(self)
        self.clicked.connect(self.copy)

    def sizeHint(self) -> QSize:
        return QSize(280, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.height())

    def show_reading(self, reading: Reading) -> None:
        """Show another number from now on."""
        if reading == self.reading:
            return
        self.reading = reading
        self.setAccessibleName(f"{reading.name}: {reading.text}")
        copy = "<p>Click to copy.</p>" if reading.copied else ""
        self.setToolTip(f"<p>{html.escape(reading.hint)}</p><p>{html.escape(reading.exact)}</p>{copy}")
        self.update()

    def copy(self) -> None:
        """Put the exact number on the clipboard, if it is known, and say so."""
        if self.reading is None or not self.reading.copied:
            return
        QGuiApplication.clipboard().setText(self.reading.copied)
        self._copied = True
        self.setAccessibleDescription("copied")
        self._forget.start()
        self.update()

    def _on_forget(self) -> None:
        self._copied = False
        self.setAccessibleDescription("")
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.reading is None:
            return
        painter, area = QPainter(self), QRectF(self.rect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._hero:
            paint_hero(painter, area.adjusted(INSET, 0, -INSET, 0), self.theme, self.reading, self._copied)
        else:
            if self.underMouse() and self.reading.copied:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self.theme.hover))
                painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
            paint_reading(painter, area, self.theme, self.reading, self._copied)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inset = INSET + 1 if self._hero else 1
            painter.drawRoundedRect(area.adjusted(inset, 1, -inset, -1), 6, 6)


class ReadingRow(QWidget):
    """A reading and, where its number can be set, a field for the new one: beside it, or beneath a large one."""

    set_wanted = Signal(str, float)  # parameter, new value

    def __init__(self, reading: Reading, hero: bool = False) -> None:
        super().__init__()
        self._hero = hero
        self.row = CopyRow(hero)
        self.field = NumberEdit() if reading.parameter else None
        self._message = QLabel(wordWrap=True)
        self._message.hide()
        self._message.setFont(font(11))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        if hero:
            column.setContentsMargins(0, 0, 0, 8)
            column.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(4)
        (column if hero else line).addWidget(self.row, 0 if hero else 1)
        column.addLayout(line)
        column.addWidget(self._message)
        if self.field is not None:
            self._add_field(line, reading, hero)
        self.show_reading(reading)

    def _add_field(self, line: QHBoxLayout, reading: Reading, hero: bool) -> None:
        assert self.field is not None
        self.field.setFixedHeight(FIELD_HEIGHT)
        self.field.setFont(font(12))
        self.field.setAccessibleName(f"Set {reading.name} to")
        self.field.setToolTip(f"Type a new number for {reading.symbol}; Enter puts it into the network.")
        if hero:
            label = QLabel(f"Set {reading.symbol} to")
            label.setFont(font(12))
            label.setBuddy(self.field)
            line.addSpacing(int(INSET))
            line.addWidget(label)
            line.addSpacing(4)
            self.field.setPlaceholderText("a new number, then Enter")
        else:
            self.field.setFixedWidth(FIELD_WIDTH)
            self.field.setPlaceholderText("set to")
        line.addWidget(self.field, 1 if hero else 0)
        line.addSpacing(int(INSET))
        self._message.setContentsMargins(int(INSET), 2, int(INSET), 4)
        self.field.returnPressed.connect(self._on_enter)
        self.field.textEdited.connect(lambda _: self._message.hide())

    def show_reading(self, reading: Reading) -> None:
        self.row.show_reading(reading)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._hero:
            painter = QPainter(self)
            painter.setPen(QPen(QColor(self.row.theme.line), 1))
            painter.drawLine(QLineF(INSET, self.height() - 0.5, self.width() - INSET, self.height() - 0.5))

    def forget(self) -> None:
        """Drop what was typed: something else is shown from now on."""
        if self.field is not None:
            self.field.show_text("")
            self._message.hide()

    def set_theme(self, theme: Theme) -> None:
        self.row.theme = theme
        self.row.update()
        for label in self.findChildren(QLabel):
            label.setStyleSheet(f"color: {theme.ink1 if label is self._message else theme.ink2};")

    @property
    def message(self) -> str:
        """What was wrong with the last number typed."""
        return self._message.text() if self._message.isVisibleTo(self) else ""

    def _on_enter(self) -> None:
        assert self.field is not None
        assert self.row.reading is not None
        typed = self.field.text().strip()
        if not typed:
            return
        value = parse_number(typed, ANY_NUMBER)
        if isinstance(value, str):
            self._say(f"“{typed}” is not a number. Write it like −0.5 or 2e-3.")
        elif not math.isfinite(value):
            self._say("Only a finite number can be set; nothing was changed.")
        else:
            self.forget()
            self.set_wanted.emit(self.row.reading.parameter, float(value))

    def _say(self, text: str) -> None:
        self._message.setText(text)
        self._message.show()
        if self.field is not None:
            self.field.setAccessibleDescription(text)
            self.field.selectAll()
