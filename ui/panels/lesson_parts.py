"""Parts of a lesson's page: a button that Enter presses too, a thing to try, and a possible answer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLineF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from ..controls.input import focus_by_tab, keeps
from ..theme import THEMES, Theme, font
from . import marks
from .lesson_marks import SIZE, Mark, paint_mark
from .lesson_words import Run
from .prose import CAPTION, STRONG_BODY, Prose, Style, document

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
BUTTON = 32
SIDES, FLAT_SIDES = 26, 18  # frame and padding of a button in the style sheet, both sides
LONGEST = 36  # letters that a button has room for
CASE_LEFT, CASE_PADDING = 34.0, 8.0
RULE = 12  # indent of words behind a vertical rule


class PressButton(QPushButton):
    """Pressed by the mouse, Space and Enter; a text that is too long ends with an ellipsis, and the tooltip has it whole."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFixedHeight(BUTTON)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # may become narrower than its text
        focus_by_tab(self)

    def show_primary(self, primary: bool) -> None:
        """Set it off as the thing to do next."""
        if bool(self.property("primary")) != primary:
            self.setProperty("primary", primary)
            self.style().unpolish(self)
            self.style().polish(self)

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        super().initStyleOption(option)
        sides = FLAT_SIDES if self.property("flat") else SIDES
        option.text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - sides)

    def minimumSizeHint(self) -> QSize:
        return QSize(72, BUTTON)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)


class Ruled(QWidget):
    """Words behind a vertical rule: what came of something."""

    def __init__(self, *parts: QWidget) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        column = QVBoxLayout(self)
        column.setContentsMargins(RULE, 0, 0, 0)
        column.setSpacing(4)
        for part in parts:
            column.addWidget(part)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self.theme.strong_line), 2))
        painter.drawLine(QLineF(1, 1, 1, self.height() - 1))


class TryRow(QWidget):
    """One thing to try: a mark, its words, the button that does it, and then what to look at."""

    pressed = Signal()

    def __init__(self, text: str, presses: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark, self.words = Mark(), Prose(STRONG_BODY, text)
        self.button = PressButton(presses if len(presses) <= LONGEST else "Do it for me")
        self.button.setToolTip(f"Presses the controls for you: {presses}")
        self.button.setAccessibleDescription(text)
        self.button.clicked.connect(self.pressed)
        self.seen, self.caption = Prose(), Prose(CAPTION)
        self._ruled = Ruled(self.seen, self.caption)
        self._ruled.hide()
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.words)
        line = QHBoxLayout()
        self.button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        line.addWidget(self.button)
        line.addStretch(1)
        column.addLayout(line)
        column.addWidget(self._ruled)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)

    def show_seen(self, runs: tuple[Run, ...] | None, caption: str) -> None:
        """What to look at now that it has been pressed; None before."""
        if runs:
            self.seen.show_runs(runs)
            self.caption.show_text(caption)
        self._ruled.setVisible(bool(runs))

    def set_theme(self, theme: Theme) -> None:
        parts: tuple[Mark | Prose | Ruled, ...] = (self.mark, self.words, self.seen, self.caption, self._ruled)
        for part in parts:
            part.set_theme(theme)


class CaseButton(QAbstractButton):
    """A possible answer: chosen before the run, judged after it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.setText(text)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        focus_by_tab(self)
        self._right: bool | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._name()

    @property
    def note(self) -> str:
        """What is said of this case once the answer is known."""
        if self._right is None:
            return ""
        return case_note(self._right, self.isChecked())

    def show_right(self, right: bool | None) -> None:
        """Whether this is the answer; None while nobody knows."""
        self._right = right
        self._name()
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def _name(self) -> None:
        self.setAccessibleName(f"{self.text()}. {self.note}" if self.note else self.text())

    def heightForWidth(self, width: int) -> int:
        return round(case_height(self.text(), self.note, self.theme, width))

    def sizeHint(self) -> QSize:
        return QSize(280, self.heightForWidth(280))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 34)

    def event(self, event: QEvent) -> bool:
        return keeps(event, (*ARROWS, *ENTER, Qt.Key.Key_Space)) or super().event(event)  # the keys of a choice

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.isEnabled() and self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.hover))
            painter.drawRoundedRect(area, 6, 6)
        paint_case(painter, area, self.theme, self.text(), self.isChecked(), self._right)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)


def case_note(right: bool, chosen: bool) -> str:
    """What stands under a case once the answer is known."""
    if right:
        return "measured, and your prediction" if chosen else "measured"
    return "your prediction" if chosen else ""


def case_height(text: str, note: str, theme: Theme, width: float) -> float:
    words = document((Run(text),), STRONG_BODY, theme, width - CASE_LEFT - CASE_PADDING)
    return words.size().height() + 2 * CASE_PADDING + (16.0 if note else 0.0)


def paint_case(painter: QPainter, area: QRectF, theme: Theme, text: str, chosen: bool, right: bool | None) -> None:
    """A ring, filled when chosen, and the words; the right one has a check, and the note says what was predicted."""
    note = "" if right is None else case_note(right, chosen)
    painter.save()
    painter.setPen(QPen(QColor(theme.ink1 if right or (chosen and right is None) else theme.line), 1.5 if right else 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area.adjusted(0.75, 0.75, -0.75, -0.75), 6, 6)
    box = QRectF(area.left() + 10, area.top() + CASE_PADDING + 1, SIZE, SIZE)
    if right:
        paint_mark(painter, box, theme, "done")
    else:
        painter.setPen(QPen(QColor(theme.ink1 if chosen else theme.ink3), 1.5))
        painter.drawEllipse(box.adjusted(1, 1, -1, -1))
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ink1 if right is None else theme.ink3))
            painter.drawEllipse(box.adjusted(4.5, 4.5, -4.5, -4.5))
    faded = right is False
    style = Style(ink="ink2") if faded else STRONG_BODY
    painter.translate(area.left() + CASE_LEFT, area.top() + CASE_PADDING)
    words = document((Run(text),), style, theme, area.width() - CASE_LEFT - CASE_PADDING)
    words.drawContents(painter)
    if note:
        marks.put_text(painter, 0.0, words.size().height() + 9, note, font(11), theme.ink3, Qt.AlignmentFlag.AlignLeft)
    painter.restore()
