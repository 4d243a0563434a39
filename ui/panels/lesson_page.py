"""A lesson's page: its idea, the scene, the text with measured numbers, things to try, and a question to predict.

The page shows a `LessonState` and says what is pressed; it changes nothing itself.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QApplication, QButtonGroup, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gradviz.snapshot import Snapshot

from ..lesson_progress import Progress
from ..theme import THEMES, Theme
from . import lesson_words as words
from .lesson_formula import FormulaCard
from .lesson_marks import Mark
from .lesson_parts import CaseButton, PressButton, Ruled, TryRow
from .lesson_state import LessonState
from .prose import BODY, CAPTION, HEADING, LEAD, STRONG_BODY, TITLE, Prose
from .reading import when

SIDE, GAP, SECTION_GAP = 16, 12, 24
GUESS = "A game for the class: a change is announced, everybody guesses what becomes of the gradient of L1, then it runs"


class LessonPage(QScrollArea):
    """One lesson; made anew for each."""

    scene_pressed = Signal()
    guess_pressed = Signal()
    try_pressed = Signal(int)
    case_chosen = Signal(int)
    run_pressed = Signal()
    again_pressed = Signal()
    next_pressed = Signal()

    def __init__(self, state: LessonState, progress: Progress, following: str, parent: QWidget | None = None) -> None:
        """``following`` is the title of the next lesson, "" after the last one."""
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.state, self.progress = state, progress
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(f"Lesson: {state.lesson.title}")
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(SIDE, 4, SIDE, SECTION_GAP)
        self._column.setSpacing(0)
        self._prose: list[Prose] = []
        self._add_head()
        self._add_text()
        self._add_tries()
        self._add_question()
        self._add_end(following)
        self._column.addStretch(1)
        self.setWidget(inside)
        self.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self.refresh()

    # ---- building

    def _add(self, widget: QWidget, gap: int) -> None:
        self._column.addSpacing(gap)
        self._column.addWidget(widget)

    def _text(self, prose: Prose, gap: int) -> Prose:
        self._prose.append(prose)
        self._add(prose, gap)
        return prose

    def _add_head(self) -> None:
        lesson = self.state.lesson
        self._text(Prose(CAPTION, words.place(lesson)), 0)
        self._text(Prose(TITLE, lesson.title), 2)
        self._idea = self._text(Prose(LEAD), 8)
        self.formula = FormulaCard()
        self._add(self.formula, 16 if lesson.formula else 0)
        self.formula.show_text(lesson.formula)
        self.formula.setVisible(bool(lesson.formula))

    def _add_text(self) -> None:
        self.scene = PressButton("Set the scene")
        self.scene.setToolTip("Loads the lesson’s network and settings")
        self.scene.clicked.connect(self.scene_pressed)
        self._scene_mark, self._scene_note = Mark(), Prose(CAPTION)
        note = QHBoxLayout()
        note.setSpacing(8)
        note.addWidget(self._scene_mark, 0, Qt.AlignmentFlag.AlignTop)
        note.addWidget(self._scene_note, 1, Qt.AlignmentFlag.AlignTop)
        self.guess = PressButton("Guess first")
        self.guess.setToolTip(GUESS)
        self.guess.clicked.connect(self.guess_pressed)
        self.guess.setVisible(bool(self.state.lesson.guess))
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self.scene, 1)
        first.addWidget(self.guess, 1)
        self._column.addSpacing(16)
        self._column.addLayout(first)
        self._column.addSpacing(8)
        self._column.addLayout(note)
        self._prose.append(self._scene_note)
        self.paragraphs = [self._text(Prose(BODY), 16 if number == 0 else GAP) for number in range(len(self.state.lesson.text))]
        self._measured = self._text(Prose(CAPTION), GAP)

    def _add_tries(self) -> None:
        lesson = self.state.lesson
        self.tries = [TryRow(attempt.text, words.presses(attempt.actions)) for attempt in lesson.tries]
        self._count: Prose | None = None
        if self.tries:
            self._count = self._text(Prose(HEADING), SECTION_GAP)
            self._first = self._text(Prose(CAPTION, "Set the scene first: these buttons press its controls."), 2)
        for number, row in enumerate(self.tries):
            row.pressed.connect(lambda number=number: self.try_pressed.emit(number))
            self._add(row, GAP if number == 0 else 16)

    def _add_question(self) -> None:
        question = self.state.lesson.question
        self._predict = self._text(Prose(HEADING), SECTION_GAP)
        self._question = self._text(Prose(STRONG_BODY), 8)
        self._group = QButtonGroup(self)
        self.cases = [CaseButton(case.text) for case in question.cases]
        for number, case in enumerate(self.cases):
            self._group.addButton(case, number)
            self._add(case, GAP if number == 0 else 8)
        self._group.idClicked.connect(self.case_chosen)
        self.run = PressButton("Run and see")
        self.run.clicked.connect(self.run_pressed)
        self._hint = Prose(CAPTION)
        self._prose.append(self._hint)
        self._asking = QWidget()
        asking = QVBoxLayout(self._asking)
        asking.setContentsMargins(0, GAP, 0, 0)
        asking.setSpacing(8)
        asking.addWidget(self.run)
        asking.addWidget(self._hint)
        self._add(self._asking, 0)
        self.verdict, self.measured, self._because = Prose(HEADING), Prose(STRONG_BODY), Prose(BODY)
        self._told = Prose(CAPTION)
        self._prose += [self.verdict, self.measured, self._because, self._told]
        self._answer = Ruled(self.verdict, self.measured, self._because, self._told)
        self._add(self._answer, 16)

    def _add_end(self, following: str) -> None:
        self.again = PressButton("Predict again")
        self.again.setProperty("flat", True)
        self.again.clicked.connect(self.again_pressed)
        self.following = PressButton(f"Next: {following}" if following else "All lessons")
        self.following.setAccessibleName(f"Next lesson: {following}" if following else "All lessons")
        self.following.setToolTip(following)
        self.following.clicked.connect(self.next_pressed)
        self._add(self.again, 8)
        self._add(self.following, 8)

    # ---- showing

    def refresh(self) -> None:
        """Show the state as it is now."""
        self._refresh_scene()
        self._refresh_tries()
        self._refresh_question()

    def _refresh_scene(self) -> None:
        state, lesson = self.state, self.state.lesson
        self._idea.show_runs(words.filled(lesson.idea, state.scene))
        for prose, text in zip(self.paragraphs, lesson.text, strict=True):
            prose.show_runs(words.filled(text, state.scene))
        numbers = any(run.name for text in lesson.text for run in words.filled(text, None))
        self._measured.setVisible(numbers)
        self._measured.show_text(measured_note(state.scene, state.scene is state.current))
        self.scene.setText("Set the scene again" if state.was_set or state.asked else "Set the scene")
        self.scene.show_primary(not state.was_set and not state.asked)
        self._scene_mark.show_state("done" if state.is_set else "new")
        self._scene_mark.setVisible(state.is_set)
        self._scene_note.show_text(scene_note(state))

    def _refresh_tries(self) -> None:
        state, lesson = self.state, self.state.lesson
        if self._count is not None:
            self._first.setVisible(not state.was_set and not state.asked)
            self._count.show_text(f"Try it · {len(self.progress.tries & set(range(len(self.tries))))} of {len(self.tries)}")
        for number, (row, attempt) in enumerate(zip(self.tries, lesson.tries, strict=True)):
            row.mark.show_state("done" if number in self.progress.tries else "new")
            row.button.setEnabled(state.can_try)
            pressed = number in state.tries and bool(attempt.look_at)
            snapshot = state.tries.get(number)
            places = any(run.name for run in words.filled(attempt.look_at, None))
            note = try_note(snapshot, state.live == number) if places else ""
            row.show_seen(words.filled(attempt.look_at, snapshot) if pressed else None, note)

    def _refresh_question(self) -> None:
        state, question = self.state, self.state.lesson.question
        known = state.answer is not None
        self._predict.show_text("Predict · answered" if self.progress.answered and not known else "Predict")
        self._question.show_runs(words.filled(question.text, state.scene))
        self._group.setExclusive(False)  # else the last choice cannot be taken back
        for number, case in enumerate(self.cases):
            case.setChecked(number == state.chosen)
            case.setEnabled(not state.running and not known)
            case.show_right(number == state.right if known else None)
        self._group.setExclusive(True)
        self._asking.setVisible(not known)
        self.run.setEnabled(state.can_try and state.chosen is not None)
        self.run.setText("Running …" if state.running else "Run and see")
        self.run.show_primary(True)
        self._hint.show_text(question_hint(state))
        self._answer.setVisible(known)
        self.again.setVisible(known)
        self.following.show_primary(known)
        if state.answer is not None:
            self.verdict.show_text(state.verdict)
            self.measured.show_runs(answer_runs(state))
            self._because.setVisible(bool(question.because))
            self._because.show_runs(words.filled(question.because, state.answer))
            self._told.show_text(answer_note(state))

    def show_answer_first(self) -> None:
        """Scroll so far that the whole answer is seen."""
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # the answer has just been given its room
        self.ensureWidgetVisible(self.following, 0, SIDE)
        bar, top = self.verticalScrollBar(), self._predict.y()
        bar.setValue(min(bar.value(), top))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        parts: tuple[Prose | FormulaCard | Mark | TryRow | CaseButton | Ruled, ...]
        parts = (*self._prose, self.formula, self._scene_mark, *self.tries, *self.cases, self._answer)
        for part in parts:
            part.set_theme(theme)


def measured_note(snapshot: Snapshot | None, live: bool) -> str:
    """Where the numbers of a text come from."""
    if snapshot is None:
        return "The dashes become measured numbers."
    return f"Bold numbers are measured: {'now, ' if live else ''}{when(snapshot)}."


def try_note(snapshot: Snapshot | None, live: bool) -> str:
    """Where the number in the words of a try comes from; nothing until there is one."""
    if snapshot is None:
        return "Measuring …"
    return f"Measured{' now' if live else ''}: {when(snapshot)}."


def scene_note(state: LessonState) -> str:
    """How the scene stands."""
    scene = state.lesson.scene
    if state.is_set:
        return f"Scene is set: {when(state.current)}." if state.current is not None else "Scene is set."
    if state.asked:
        return f"Training {steps_words(scene.steps)} …" if scene.steps else "Setting the scene …"
    if state.was_set:
        return "The settings have moved on from the scene."
    training = f" and trains {steps_words(scene.steps)}" if scene.steps else ""
    return f"Loads the network of this lesson{training}. Undo brings yours back."


def steps_words(steps: int) -> str:
    return "one step" if steps == 1 else f"{steps:,} steps"


def question_hint(state: LessonState) -> str:
    """What is missing before the question can be run."""
    if state.running:
        return "The network is running."
    if state.chosen is None:
        return "Choose first: a guess is enough. The run then decides."
    return "The run decides." if state.can_try else "Set the scene first, at the top of this page."


def answer_runs(state: LessonState) -> tuple[words.Run, ...]:
    """The measured number."""
    assert state.answer is not None
    return (words.Run("Measured: "), words.measured(state.lesson.question.quantity, state.answer))


def answer_note(state: LessonState) -> str:
    """What the measured number is, and when it was."""
    assert state.answer is not None
    return f"Measured is: {words.meaning(state.lesson.question.quantity)}; {when(state.answer)}."
