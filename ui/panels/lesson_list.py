"""The lessons in the lecture's order, part by part, each with its idea in a line and how far it has come.

One stop for the Tab key; the arrow keys go from lesson to lesson, Enter or a click opens one.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from gradviz.lessons import Lesson

from .. import lesson_progress
from ..controls.input import keeps
from ..lesson_progress import Progress
from ..theme import THEMES, Theme, font
from . import marks
from .lesson_marks import SIZE, STATES, paint_mark
from .lesson_words import rows as rows_of
from .lesson_words import section

ROW, SECTION, HEADING = 48, 36, 48
SIDE = 16.0
INSET = 8.0  # of the hovered ground of a row
OPEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
NOTHING = "There are no lessons in the folder resources/lessons."


def paint_row(painter: QPainter, area: QRectF, theme: Theme, lesson: Lesson, state: str) -> None:
    """Mark, title and idea; at the right the rows of the lecture."""
    left, right = area.left() + SIDE, area.right() - SIDE
    paint_mark(painter, QRectF(left, area.top() + 8, SIZE, SIZE), theme, state)
    left += SIZE + 12
    rows = rows_of(lesson)
    marks.put_text(painter, right, area.top() + 16, rows, font(11), theme.ink3, Qt.AlignmentFlag.AlignRight)
    weight = 500 if state != "done" else 400
    room = right - marks.text_width(rows, font(11)) - 8 - left
    title = QFontMetricsF(font(13, weight)).elidedText(lesson.title, Qt.TextElideMode.ElideRight, room)
    marks.put_text(painter, left, area.top() + 16, title, font(13, weight), theme.ink1, Qt.AlignmentFlag.AlignLeft)
    idea = QFontMetricsF(font(12)).elidedText(lesson.idea, Qt.TextElideMode.ElideRight, right - left)
    marks.put_text(painter, left, area.top() + 34, idea, font(12), theme.ink3, Qt.AlignmentFlag.AlignLeft)


def paint_section(painter: QPainter, area: QRectF, theme: Theme, letter: str, title: str, count: str) -> None:
    """The heading of a part of the lecture, and how much of it is done."""
    baseline = area.bottom() - 14
    used = font(11, 600)
    left = area.left() + SIDE
    if letter:
        marks.put_text(painter, left, baseline, letter, used, theme.ink3, Qt.AlignmentFlag.AlignLeft)
        left += SIZE + 12
    marks.put_text(painter, left, baseline, title, used, theme.ink2, Qt.AlignmentFlag.AlignLeft)
    marks.put_text(painter, area.right() - SIDE, baseline, count, font(11), theme.ink3, Qt.AlignmentFlag.AlignRight)


def list_height(lessons: tuple[Lesson, ...]) -> float:
    """Height of `paint_list`."""
    return max(120.0, HEADING + ROW * len(lessons) + SECTION * len({section(lesson) for lesson in lessons}) + 12)


def paint_list(painter: QPainter, area: QRectF, theme: Theme, lessons: tuple[Lesson, ...]) -> None:
    """The list for exports; what does not fit is left out, from the end."""
    marks.put_text(painter, area.left() + SIDE, area.top() + 24, "Lessons", font(15, 600), theme.ink1, Qt.AlignmentFlag.AlignLeft)
    y, shown = area.top() + HEADING, ("", "")
    for lesson in lessons:
        if section(lesson) != shown:
            shown = section(lesson)
            paint_section(painter, QRectF(area.left(), y, area.width(), SECTION), theme, *shown, "")
            y += SECTION
        if y + ROW > area.bottom():
            return
        paint_row(painter, QRectF(area.left(), y, area.width(), ROW), theme, lesson, lesson_progress.load(lesson.name).state)
        y += ROW


def lesson_to_resume(lessons: tuple[Lesson, ...]) -> Lesson | None:
    """The first lesson that was begun, else the one behind the last one that is done; None when all are done."""
    states = [lesson_progress.load(lesson.name).state for lesson in lessons]
    if "begun" in states:
        return lessons[states.index("begun")]
    last = max((number for number, state in enumerate(states) if state == "done"), default=-1)
    new = [number for number, state in enumerate(states) if state == "new"]
    behind = [number for number in new if number > last]
    return lessons[(behind or new)[0]] if new else None


class _Heading(QWidget):
    def __init__(self, letter: str, title: str) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.letter, self.heading, self.count = letter, title, ""
        self.setFixedHeight(SECTION)
        self.setAccessibleName(f"{letter} {title}".strip())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self.theme.line), 1))
        painter.drawLine(int(SIDE), 0, self.width() - int(SIDE), 0)
        paint_section(painter, QRectF(self.rect()), self.theme, self.letter, self.heading, self.count)


class LessonRow(QAbstractButton):
    """One lesson of the list."""

    moved = Signal(int)  # an arrow key: by so many rows
    reached = Signal()

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.lesson, self.state = lesson, "new"
        self.setFixedHeight(ROW)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip(lesson.idea)
        self.setAccessibleDescription(lesson.idea)

    def show_state(self, state: str) -> None:
        self.state = state
        self.setAccessibleName(f"{self.lesson.title}, {STATES[state]}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, ROW)

    def event(self, event: QEvent) -> bool:
        return keeps(event, (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, *OPEN)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: -10_000, Qt.Key.Key_End: 10_000}
        key = Qt.Key(event.key())
        if key in steps:
            self.moved.emit(steps[key])
        elif key in OPEN:
            self.click()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.reached.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(self.rect()).adjusted(INSET, 1, -INSET, -1)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.hover))
            painter.drawRoundedRect(ground, 6, 6)
        paint_row(painter, QRectF(self.rect()), self.theme, self.lesson, self.state)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(ground.adjusted(1, 0, -1, 0), 6, 6)


class LessonList(QScrollArea):
    """All lessons; ``opened`` says which one the user wants."""

    opened = Signal(str)  # its name

    def __init__(self, lessons: tuple[Lesson, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Lessons")
        self.rows: list[LessonRow] = []
        self._headings: list[_Heading] = []
        self._current = 0
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(0)
        for number, lesson in enumerate(lessons):
            if not self._headings or (self._headings[-1].letter, self._headings[-1].heading) != section(lesson):
                self._headings.append(_Heading(*section(lesson)))
                column.addWidget(self._headings[-1])
            row = LessonRow(lesson)
            row.clicked.connect(lambda _=False, name=lesson.name: self.opened.emit(name))
            row.moved.connect(self._move)
            row.reached.connect(lambda number=number: self._make_current(number))
            self.rows.append(row)
            column.addWidget(row)
        column.addStretch(1)
        self.setWidget(inside)
        self.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        if self.rows:
            self._make_current(0)

    def show_progress(self, progress: Callable[[str], Progress]) -> None:
        """Mark what is begun and done; ``progress`` tells it of a lesson's name."""
        states = {row: progress(row.lesson.name).state for row in self.rows}
        for row, state in states.items():
            row.show_state(state)
        for heading in self._headings:
            own = [state for row, state in states.items() if section(row.lesson) == (heading.letter, heading.heading)]
            heading.count = f"{own.count('done')} of {len(own)}"
            heading.update()

    def go_to(self, name: str, focus: bool) -> None:
        """Show the row of that lesson, and begin there with the keyboard."""
        for number, row in enumerate(self.rows):
            if row.lesson.name == name:
                self._make_current(number)
                self.ensureWidgetVisible(row, 0, SECTION)
                if focus:
                    row.setFocus(Qt.FocusReason.TabFocusReason)

    def set_theme(self, theme: Theme) -> None:
        parts: tuple[LessonRow | _Heading, ...] = (*self.rows, *self._headings)
        for part in parts:
            part.theme = theme
            part.update()

    def _make_current(self, number: int) -> None:
        self.rows[self._current].setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._current = number
        self.rows[number].setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _move(self, by: int) -> None:
        number = max(0, min(len(self.rows) - 1, self._current + by))
        self._make_current(number)
        self.rows[number].setFocus(Qt.FocusReason.TabFocusReason)
        self.ensureWidgetVisible(self.rows[number], 0, SECTION)
