"""The lessons: one file each in resources/lessons, read and validated here; what they say in numbers comes from the engine.

A lesson never holds a result. Its texts hold places such as ``{L1.gradient}``, which are filled with what is measured, and the right
answer to its question is found by running it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import msgspec

from gradviz.nesting import decode_json
from gradviz.prediction_game import rounds_from
from gradviz.quantities import LAB_VIEWS, names_in
from gradviz.resources import RESOURCES
from gradviz.snapshot import Look
from gradviz.spec import Spec, SpecError


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a *try it* step does with the real controls.

    ``do`` is "set" (``path``, ``value``: one field of the spec), "play", "pause", "step", "step_layer", "step_phase", "back", "reset",
    "go_to" (``value``: a step), "page" (``value``: a page of the right dock), "lab" (``value``: a view of the lab) or "select"
    (``value``: kind, layer, unit, source as in a selection; null for none), or "read" (``value``: so many symbols by the history
    compressor of the lab).
    """

    do: str
    path: str = ""
    value: Any = None


class TryIt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to do: words, and what its button presses."""

    text: str
    actions: tuple[Action, ...]
    look_at: str = ""  # what to look at afterwards; may hold places


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the window is set up when the lesson begins."""

    spec: dict[str, Any]  # as in a preset
    steps: int = 0  # trained at once before anything is shown
    play: bool = False
    speed: float | None = None  # steps per second; None for unlimited
    page: str = ""  # of the right dock: "overview", "chain", "inspect", "lab"; "" keeps the lesson in front
    lab: str = ""  # view of the lab
    select: tuple[str, int, int, int] | None = None
    read: int = 0  # symbols that the history compressor of the lab has read


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A possible answer: right when the measured quantity lies in [``at_least``, ``below``)."""

    text: str
    at_least: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        """Whether this is the answer, the quantity being ``value``; never for NaN."""
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below) and value == value


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the student predicts before it is run: the scene anew, ``actions``, ``steps`` steps; then ``quantity`` decides.

    With a number that is not finite the run ends before its steps are done.
    """

    text: str
    cases: tuple[Case, ...]
    quantity: str
    actions: tuple[Action, ...] = ()
    steps: int = 0
    because: str = ""  # shown with the answer; may hold places


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claim of the lesson's texts, for the tests: a quantity of the scene after its steps."""

    quantity: str
    at_least: float | None = None
    below: float | None = None
    equals: float | None = None
    within: float = 1e-9  # relative; absolute where ``equals`` is 0


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One idea, one formula, one measured picture, a few things to try, one question."""

    title: str
    order: int
    rows: tuple[str, ...]  # of the lecture, such as "A3"
    idea: str
    text: tuple[str, ...]  # paragraphs; may hold places
    scene: Scene
    tries: tuple[TryIt, ...]
    question: Question
    formula: str = ""
    checks: tuple[Check, ...] = ()
    guess: str = ""  # title of the round of the game that goes with it
    name: str = ""  # the file's, without its ending

    @property
    def spec(self) -> Spec:
        """The scene's spec."""
        return Spec.from_dict(self.scene.spec)

    @property
    def look(self) -> Look:
        """What has to be measured so that the places of the texts are known while the scene stands."""
        return selecting(Look(chain=True, lab=self.scene.lab or _lab_of(self._names()), lab_read=self.scene.read), self.scene.select)

    def _names(self) -> list[str]:
        texts = (self.idea, *self.text, self.question.because, *(attempt.look_at for attempt in self.tries))
        return [self.question.quantity, *(name for text in texts for name in names_in(text)), *(check.quantity for check in self.checks)]


def read_lesson(path: Path) -> Lesson:
    """Read a lesson file; raises SpecError naming the file and what is wrong with it."""
    try:
        lesson: Lesson = decode_json(path.read_bytes(), Lesson)
        if lesson.guess:
            rounds_from(lesson.guess)
        lesson.spec  # noqa: B018 - a spec that cannot be built is found here, not when somebody opens the lesson
    except (ValueError, OSError) as error:
        raise SpecError(f"the lesson {path.name}", str(error), "a lesson as in gradviz/lessons.py") from None
    return msgspec.structs.replace(lesson, name=path.stem)


@functools.cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons in the order of the lecture."""
    found = [read_lesson(path) for path in sorted((RESOURCES / "lessons").glob("*.json"))]
    return tuple(sorted(found, key=lambda lesson: lesson.order))


def selecting(look: Look, selected: tuple[str, int, int, int] | None) -> Look:
    """The look with something else selected: the activation lab shows its layer."""
    return msgspec.structs.replace(look, picked=selected, lab_layer=0 if selected is None else selected[1])


def _lab_of(names: list[str]) -> str:
    """The view of the lab that the first of these quantities needs, "" when none does."""
    views = [name.partition(".")[0] for name in names]
    return next((view for view in views if view in LAB_VIEWS), "")
