"""The lecture, playable: the list of lessons, and one lesson with its scene, things to try and a question to predict.

The panel says with signals what a lesson wants done and shows what was measured; of mathematics it knows only a quantity's name.
"""

from __future__ import annotations

import html

import msgspec
from PySide6.QtCore import QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QStackedWidget, QVBoxLayout, QWidget

from gradviz.lessons import Lesson, lessons
from gradviz.snapshot import Snapshot

from .. import lesson_progress
from ..lesson_progress import Progress
from ..theme import Theme
from . import lesson_numbers as numbers
from . import lesson_picture as picture
from .lesson_header import LessonHeader
from .lesson_list import NOTHING, LessonList, lesson_to_resume, list_height, paint_list
from .lesson_page import SIDE, LessonPage
from .lesson_parts import PressButton
from .lesson_state import LessonState
from .panel import Panel, Table

PACE = 100  # milliseconds between two updates of the numbers while playing: faster, nobody can read them
WIDTH = 420.0  # of an exported lesson


class LessonPanel(Panel):
    """List and lesson; which of the two is in front says `lesson`."""

    name = "lesson"
    title = "Lesson"

    scene_wanted = Signal(object)  # the Lesson whose scene is to be set
    actions_wanted = Signal(object)  # the tuple of Actions of a thing to try
    question_wanted = Signal(object)  # the Question to be run; then `show_answer` is to be called
    predict_wanted = Signal(str)  # the game for a class, with the round of this title first; "" for the usual order
    lesson_changed = Signal(object)  # the Lesson in front, None for the list: its `look` says what its numbers need

    def __init__(self, parent: QWidget | None = None, all_lessons: tuple[Lesson, ...] | None = None) -> None:
        """``all_lessons``: those of the program when None."""
        super().__init__(parent)
        self.lessons = lessons() if all_lessons is None else all_lessons
        self.state: LessonState | None = None
        self.page: LessonPage | None = None
        self._later = QTimer(self, singleShot=True, interval=PACE)
        self._later.timeout.connect(self._refresh)
        self._lay_out()
        self.setMinimumSize(260, 200)
        self._show_progress()

    @property
    def lesson(self) -> Lesson | None:
        """The lesson in front; None while the list is."""
        return self.state.lesson if self.state is not None else None

    # ---- building

    def _lay_out(self) -> None:
        self.header = LessonHeader()
        self.header.back.clicked.connect(self.show_list)
        self.header.menu.aboutToShow.connect(self._fill_menu)
        self.list = LessonList(self.lessons)
        self.list.opened.connect(self.open_lesson)
        self.resume = PressButton()
        self.resume.show_primary(True)
        self.resume.clicked.connect(self._resume)
        front = QWidget()
        column = QVBoxLayout(front)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.predict = PressButton("Predict first: a game for the class")
        self.predict.setToolTip("A change is announced, everybody guesses what becomes of the first layer’s gradient, then it runs (G)")
        self.predict.clicked.connect(lambda: self.predict_wanted.emit(""))
        buttons = QVBoxLayout()
        buttons.setContentsMargins(SIDE, 0, SIDE, 0)
        buttons.setSpacing(8)
        buttons.addWidget(self.resume)
        buttons.addWidget(self.predict)
        column.addLayout(buttons)
        self._nothing = QLabel(NOTHING, wordWrap=True)
        self._nothing.setContentsMargins(SIDE, 0, SIDE, 0)
        self._nothing.setVisible(not self.lessons)
        column.addWidget(self._nothing)
        column.addWidget(self.list, 1)
        self._faces = QStackedWidget()
        self._faces.addWidget(front)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.header)
        whole.addWidget(self._faces, 1)

    def sizeHint(self) -> QSize:
        return QSize(360, 700)

    def _fill_menu(self) -> None:
        menu = self.header.menu
        menu.clear()
        if self.state is not None:
            menu.addAction("Start this lesson over", self.start_lesson_over)
        menu.addAction("Start all lessons over", self.start_over)

    # ---- going from lesson to lesson

    def open_lesson(self, name: str) -> None:
        """Bring a lesson to the front; raises ValueError when there is none of that name."""
        found = next((lesson for lesson in self.lessons if lesson.name == name), None)
        if found is None:
            raise ValueError(f"no lesson {name!r}; there are {', '.join(lesson.name for lesson in self.lessons)}")
        by_keyboard = self._has_focus()
        self.state = LessonState(found)
        if self.snapshot is not None:
            self.state.see(self.snapshot)
        self._drop_page()
        following = self._following(found)
        page = self.page = LessonPage(self.state, lesson_progress.load(name), following.title if following is not None else "")
        page.scene_pressed.connect(self._on_scene)
        page.guess_pressed.connect(lambda: self.predict_wanted.emit(found.guess))
        page.try_pressed.connect(self._on_try)
        page.case_chosen.connect(self._on_case)
        page.run_pressed.connect(self._on_run)
        page.again_pressed.connect(self._on_again)
        page.next_pressed.connect(self._on_next)
        page.set_theme(self.theme)
        self._faces.addWidget(page)
        self._faces.setCurrentWidget(page)
        self._show_progress()
        if by_keyboard:
            page.scene.setFocus(Qt.FocusReason.TabFocusReason)
        self.lesson_changed.emit(found)

    def show_named(self, name: str) -> None:
        """Bring the lesson of this name to the front, or the list where there is none."""
        if any(lesson.name == name for lesson in self.lessons):
            self.open_lesson(name)
        else:
            self.show_list()

    def show_list(self) -> None:
        """Bring the list to the front."""
        left, by_keyboard = self.lesson, self._has_focus()
        self.state = None
        self._later.stop()
        self._drop_page()
        self._faces.setCurrentIndex(0)
        self._show_progress()
        if left is not None:
            self.list.go_to(left.name, by_keyboard)
            self.lesson_changed.emit(None)

    def _drop_page(self) -> None:
        if self.page is not None:
            self._faces.removeWidget(self.page)
            self.page.hide()
            self.page.deleteLater()
            self.page = None

    def _has_focus(self) -> bool:
        focused = QApplication.focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    def _following(self, lesson: Lesson) -> Lesson | None:
        place = self.lessons.index(lesson) + 1
        return self.lessons[place] if place < len(self.lessons) else None

    def _resume(self) -> None:
        lesson = lesson_to_resume(self.lessons)
        if lesson is not None:
            self.open_lesson(lesson.name)

    def _show_progress(self) -> None:
        lesson, resume = self.lesson, lesson_to_resume(self.lessons)
        known = [lesson_progress.load(each.name) for each in self.lessons]
        done = sum(progress.answered for progress in known)
        if lesson is not None:
            self.header.show_lesson(self.lessons.index(lesson) + 1, len(self.lessons))
        else:
            self.header.show_list(done, len(self.lessons))
        self.list.show_progress(lesson_progress.load)
        self.resume.setVisible(resume is not None)
        if resume is not None:
            begun = any(progress != Progress() for progress in known)
            self.resume.setText(f"{'Continue' if begun else 'Begin'}: {resume.title}")
            self.resume.setToolTip(f"<p><b>{html.escape(resume.title)}</b></p><p>{html.escape(resume.idea)}</p>")
        if self.page is not None and lesson is not None:
            self.page.progress = lesson_progress.load(lesson.name)
            self.page.refresh()
        self.update()

    # ---- what the user does

    def _note(self, **changes: object) -> None:
        """Remember progress of the lesson in front."""
        assert self.state is not None
        name = self.state.lesson.name
        lesson_progress.save(name, msgspec.structs.replace(lesson_progress.load(name), begun=True, **changes))
        self._show_progress()

    def _on_scene(self) -> None:
        assert self.state is not None
        self.state.ask_scene()
        self._note()
        self.scene_wanted.emit(self.state.lesson)

    def _on_try(self, number: int) -> None:
        assert self.state is not None
        lesson = self.state.lesson
        self.state.press_try(number)
        self._note(tries=lesson_progress.load(lesson.name).tries | {number})
        self.actions_wanted.emit(lesson.tries[number].actions)

    def _on_case(self, number: int) -> None:
        assert self.state is not None
        self.state.choose(number)
        self._refresh()

    def _on_run(self) -> None:
        assert self.state is not None
        self.state.ask_question()
        self._note()
        self.question_wanted.emit(self.state.lesson.question)

    def _on_again(self) -> None:
        assert self.state is not None
        self.state.ask_again()
        self._refresh()
        if self.page is not None and self.page.cases:
            self.page.cases[0].setFocus(Qt.FocusReason.TabFocusReason)

    def _on_next(self) -> None:
        assert self.state is not None
        following = self._following(self.state.lesson)
        if following is not None:
            self.open_lesson(following.name)
        else:
            self.show_list()

    def start_lesson_over(self) -> None:
        """Forget how far the lesson in front has come."""
        if self.state is not None:
            name = self.state.lesson.name
            lesson_progress.forget(name)
            self.open_lesson(name)

    def start_over(self) -> None:
        """Forget how far all lessons have come."""
        lesson_progress.forget_all()
        if self.state is not None:
            self.open_lesson(self.state.lesson.name)
        else:
            self._show_progress()

    # ---- what comes back

    def show_snapshot(self, snapshot: Snapshot) -> None:
        super().show_snapshot(snapshot)
        if self.state is None:
            return
        was_asked, was_set = self.state.asked, self.state.is_set
        self.state.see(snapshot)
        if snapshot.playing and (was_asked, was_set) == (self.state.asked, self.state.is_set):
            if not self._later.isActive():
                self._later.start()
        else:
            self._refresh()

    def show_answer(self, snapshot: Snapshot) -> None:
        """Judge the prediction by this moment: the question has been run to its end."""
        if self.state is None or not self.state.running:
            return  # the lesson was left, or something else was pressed meanwhile
        self.snapshot = snapshot
        self.state.see(snapshot)
        self.state.show_answer(snapshot)
        self._note(answered=True)
        if self.page is not None:
            self.page.show_answer_first()

    def stop_waiting(self) -> None:
        """What was asked for does not come: the run was changed before it had got there."""
        if self.state is not None:
            self.state.stop_waiting()
            self._refresh()

    def clear(self) -> None:
        super().clear()
        if self.state is not None:
            self.state.forget_run()
            self._refresh()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.list.set_theme(theme)
        self.header.set_theme(theme)
        if self.page is not None:
            self.page.set_theme(theme)

    def _refresh(self) -> None:
        self._later.stop()
        if self.page is not None:
            self.page.refresh()

    # ---- numbers and picture

    def table(self) -> Table:
        """The places of the lesson's texts with what was measured for them; of the list, how far each lesson has come."""
        return numbers.list_table(self.lessons) if self.state is None else numbers.lesson_table(self.state)

    def whole_size(self) -> QSizeF:
        """The size at which `paint_to` draws everything."""
        if self.state is None:
            return QSizeF(WIDTH, list_height(self.lessons))
        return QSizeF(WIDTH, picture.whole_height(self._blocks(WIDTH)))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """The lesson, or the list, without what is there to be pressed; what does not fit is left out, from the end."""
        painter.save()
        painter.fillRect(area, QColor(self.theme.dock))
        if self.state is not None:
            picture.paint_blocks(painter, area, self._blocks(area.width()))
        else:
            paint_list(painter, area, self.theme, self.lessons)
        painter.restore()

    def _blocks(self, width: float) -> list[picture.Block]:
        assert self.state is not None
        return picture.blocks(self.state, lesson_progress.load(self.state.lesson.name), self.theme, width - 2 * SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.dock))
