"""Does in the window what a lesson asks for: sets its scene, presses the controls of a try, runs a question to its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand

from gradviz.lessons import Action, Lesson, Question
from gradviz.snapshot import Snapshot

from .selection import Selection

if TYPE_CHECKING:
    from .main_window import MainWindow


class LessonRunner(QObject):
    """Between the lesson panel and the window's own commands."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._then: Callable[[Snapshot], None] | None = None  # what to do once all that was asked for has happened …
        self._after: QUndoCommand | None = None  # … unless the user has changed the run since this
        panel = window.lesson
        assert panel is not None, "the panel is made first"
        self._panel = panel
        panel.scene_wanted.connect(self.set_scene)
        panel.actions_wanted.connect(self.press)
        panel.question_wanted.connect(self.ask)
        window.run.snapshot_came.connect(self._on_snapshot)

    def set_scene(self, lesson: Lesson) -> None:
        """Begin the lesson's run, and show and select what it is about."""

        def begun(snapshot: Snapshot) -> None:
            if lesson.scene.play:
                self._window.run.play()

        self._begin(lesson, begun)

    def _begin(self, lesson: Lesson, then: Callable[[Snapshot], None]) -> None:
        window, scene = self._window, lesson.scene
        window.run.pause()  # first: between the two the new run would train as the old one did
        window.run.load(lesson.spec, f"lesson “{lesson.title}”")
        window.set_speed(scene.speed)
        window.run.play_for(scene.steps)
        if scene.page:
            window.show_page(scene.page)
        if scene.lab:
            window.show_lab(scene.lab)
        window.look(lab_read=scene.read)
        selection = None if scene.select is None else Selection(*scene.select)

        def begun(snapshot: Snapshot) -> None:
            window.select(selection)
            then(snapshot)

        self._wait(begun)

    def press(self, actions: tuple[Action, ...]) -> None:
        """Press the real controls, one after the other."""
        for action in actions:
            self._press(action)
        self._after = self._last_change
        if self._window.run.settled and self._window.run.snapshot is not None:
            self._panel.show_snapshot(self._window.run.snapshot)  # where nothing had to be done no other one may come

    def ask(self, question: Question) -> None:
        """Run a question, from the lesson's scene on, and let the panel show what came of it."""
        lesson = self._panel.lesson
        assert lesson is not None, "a question belongs to the lesson in front"

        def run(snapshot: Snapshot) -> None:
            self.press(question.actions)
            self._window.run.play_for(question.steps)
            self._wait(self._panel.show_answer)

        self._begin(lesson, run)

    def _press(self, action: Action) -> None:
        window, value = self._window, action.value
        if action.do == "set":
            wanted = tuple(value) if isinstance(value, list) else value
            window.change(action.path, wanted)
        elif action.do == "page":
            window.show_page(value)
        elif action.do == "lab":
            window.show_lab(value)
        elif action.do == "read":
            window.look(lab_read=int(value))
        elif action.do == "select":
            window.select(None if value is None else Selection(*value))
        elif action.do == "go_to":
            window.run.go_to(int(value))
        elif action.do in ("play", "pause"):
            window.set_playing(action.do == "play")
        elif action.do == "reset":
            window.reset()
        else:
            window.run.walk(action.do, always=True)  # a lesson presses no more than it counts on

    def _wait(self, then: Callable[[Snapshot], None]) -> None:
        self._then, self._after = then, self._last_change

    @property
    def _last_change(self) -> QUndoCommand | None:
        stack = self._window.run.undo_stack
        return stack.command(stack.index() - 1) if stack.index() else None

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        if self._then is None or not self._window.run.settled or snapshot.playing:
            return
        then, self._then = self._then, None
        # a run that a new engine has taken up goes on, though nothing of it can be undone
        if self._last_change is self._after or not self._window.run.undo_stack.count():
            then(snapshot)
        else:  # it is another run now, and the user's: the rest of the lesson is not done to it
            self._panel.stop_waiting()
