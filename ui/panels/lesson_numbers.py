"""The lesson panel's numbers as tables: the places of a lesson's texts with their values, and how far each lesson has come."""

from __future__ import annotations

from gradviz.lessons import Lesson
from gradviz.quantities import names_in, quantity

from .. import lesson_progress
from .lesson_state import LessonState
from .lesson_words import meaning
from .panel import Table


def list_table(lessons: tuple[Lesson, ...]) -> Table:
    """One row per lesson."""
    rows = [(lesson.name, lesson.title, lesson_progress.load(lesson.name).state) for lesson in lessons]
    return Table(("lesson", "title", "state"), tuple(rows))


def lesson_table(state: LessonState) -> Table:
    """One row per place; step and value are empty where nothing has been measured for it."""
    lesson = state.lesson
    texts = [("text", text, state.scene) for text in (lesson.idea, *lesson.text)]
    texts += [(f"try {number}", attempt.look_at, state.tries.get(number - 1)) for number, attempt in enumerate(lesson.tries, 1)]
    texts.append(("question", f"{{{lesson.question.quantity}}} {lesson.question.because}", state.answer))
    places = {(part, place): snapshot for part, text, snapshot in texts for place in names_in(text)}
    rows: list[tuple[object, ...]] = []
    for (part, place), snapshot in places.items():
        measured = ("", "") if snapshot is None else (snapshot.step, quantity(snapshot, place))
        rows.append((lesson.name, part, place, meaning(place), *measured))
    return Table(("lesson", "part", "quantity", "meaning", "step", "value"), tuple(rows))
