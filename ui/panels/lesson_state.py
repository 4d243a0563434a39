"""How one visit of a lesson stands: whether its scene is set, what each text was measured on, and where its question has come.

A text's numbers are those of the moment at which its scene is set and stay so; those of a try follow the run. So a lesson never
shows another moment's numbers under its words.
"""

from __future__ import annotations

from math import isnan

from gradviz.lessons import Lesson
from gradviz.quantities import names_in, quantity
from gradviz.snapshot import Snapshot


class LessonState:
    """One lesson from its opening until it is left."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self._spec = lesson.spec
        self.asked = False  # for the scene, and it has not come yet
        self.was_set = False
        self._tried = False  # something was pressed since the scene was set
        self.current: Snapshot | None = None  # of the run, whatever it is
        self.scene: Snapshot | None = None  # the last moment of the scene: what the text's numbers are
        self.tries: dict[int, Snapshot | None] = {}  # those pressed in this visit, and what their words were measured on
        self.live: int | None = None  # the try whose words follow the run
        self.chosen: int | None = None  # the predicted case
        self.running = False
        self.answer: Snapshot | None = None

    # ---- what comes from the run

    def see(self, snapshot: Snapshot) -> None:
        """Take a moment of the run for the texts that are about it."""
        self.current = snapshot
        if self.in_scene:
            whole = snapshot.moment is None and (snapshot.step >= self.lesson.scene.steps or snapshot.failure is not None)
            if whole and self._is_of_text(snapshot) and (self.asked or self.was_set or snapshot.step == self.lesson.scene.steps):
                self.scene = snapshot
            if whole:
                self.asked, self.was_set = False, True
        if self.live is not None:
            self.tries[self.live] = snapshot

    def _is_of_text(self, snapshot: Snapshot) -> bool:
        """Whether the text's words are about this moment: not when the run has moved on or another weight is looked at."""
        if self._tried or (self.scene is not None and snapshot.step != self.scene.step):
            return False
        if self.scene is not None and self._known(snapshot) < self._known(self.scene):
            return False  # another view of the lab is measured now, for instance
        select, chain = self.lesson.scene.select, snapshot.chain
        return select is None or select[0] != "edge" or chain is None or chain.layer == select[1]

    def _known(self, snapshot: Snapshot) -> int:
        """How many of the numbers in the words this moment has."""
        names = [name for text in (self.lesson.idea, *self.lesson.text) for name in names_in(text)]
        return sum(not isnan(quantity(snapshot, name)) for name in names)

    def forget_run(self) -> None:
        """There is no run any more."""
        self.current = self.scene = self.answer = None
        self.tries = dict.fromkeys(self.tries)
        self.asked = self.was_set = self.running = False
        self.live = None

    @property
    def in_scene(self) -> bool:
        """Whether the run has the scene's settings."""
        return self.current is not None and self.current.spec == self._spec

    @property
    def is_set(self) -> bool:
        return self.was_set and self.in_scene

    @property
    def can_try(self) -> bool:
        """Before the scene is asked for, a *try it* step would be pressed on some other net."""
        return (self.was_set or self.asked) and not self.running

    # ---- what the user does

    def ask_scene(self) -> None:
        self.asked, self.running = True, False
        self.was_set = self._tried = False
        self.live = None
        self.current = self.scene = None  # the old run's numbers are not the scene's, even where the settings agree

    def press_try(self, number: int) -> None:
        self.tries[number] = None
        self.live, self.running = number, False
        self._tried = self.was_set

    def choose(self, case: int) -> None:
        if not self.running and self.answer is None:
            self.chosen = case

    def ask_question(self) -> None:
        self.running, self.live = True, None
        self._tried = self.was_set

    def stop_waiting(self) -> None:
        """Neither the scene nor the answer that was asked for comes."""
        self.asked = self.running = False

    def ask_again(self) -> None:
        """Forget prediction and answer."""
        self.chosen = self.answer = None
        self.running = False

    def show_answer(self, snapshot: Snapshot) -> None:
        self.running, self.answer = False, snapshot

    # ---- the answer

    @property
    def value(self) -> float:
        """What the question was about, measured; NaN while it is not known."""
        return float("nan") if self.answer is None else quantity(self.answer, self.lesson.question.quantity)

    @property
    def right(self) -> int | None:
        """The case that holds; None where none does, as for NaN."""
        value = self.value
        return next((number for number, case in enumerate(self.lesson.question.cases) if case.holds(value)), None)

    @property
    def verdict(self) -> str:
        """Whether the prediction was right, in words."""
        if self.right is None:
            return "None of these: the number is not finite." if self.value != self.value else "It came out as none of these."
        if self.right == self.chosen:
            return "You predicted it."
        return "It came out differently. A surprise is worth a second look."
