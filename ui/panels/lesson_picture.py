"""A lesson as a picture for exports: what its page says, without what is there to be pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from ..lesson_progress import Progress
from ..theme import Theme
from . import lesson_words as words
from .lesson_formula import formula_height, paint_formula
from .lesson_marks import SIZE, paint_mark
from .lesson_page import GAP, SECTION_GAP, SIDE, answer_note, answer_runs, measured_note
from .lesson_parts import RULE, case_height, case_note, paint_case
from .lesson_state import LessonState
from .prose import BODY, CAPTION, HEADING, LEAD, STRONG_BODY, TITLE, Style, document


@dataclass(frozen=True)
class Block:
    """A part of the picture: the gap above it, its height, and how it is drawn into its area."""

    gap: float
    height: float
    paint: Callable[[QPainter, QRectF], None]


def blocks(state: LessonState, progress: Progress, theme: Theme, width: float) -> list[Block]:
    """The page from top to bottom, laid out over ``width`` logical pixels without margins."""
    lesson = state.lesson

    def text(gap: float, runs: tuple[words.Run, ...], style: Style, indent: float = 0.0, ruled: bool = False) -> Block:
        laid = document(runs, style, theme, width - indent)

        def paint(painter: QPainter, area: QRectF) -> None:
            if ruled:
                painter.setPen(QPen(QColor(theme.strong_line), 2))
                x = area.left() + indent - RULE + 1
                painter.drawLine(QLineF(x, area.top() - (gap if gap < GAP else 0), x, area.bottom()))  # one rule through small gaps
            painter.translate(area.left() + indent, area.top())
            laid.drawContents(painter)

        return Block(gap, laid.size().height(), paint)

    def case(gap: float, number: int) -> Block:
        words_of = lesson.question.cases[number].text
        right = None if state.answer is None else number == state.right
        chosen = number == state.chosen
        note = "" if right is None else case_note(right, chosen)
        height = case_height(words_of, note, theme, width)
        return Block(gap, height, lambda painter, area: paint_case(painter, area, theme, words_of, chosen, right))

    def marked(gap: float, number: int) -> list[Block]:
        attempt = lesson.tries[number]
        body = text(gap, (words.Run(attempt.text),), STRONG_BODY, SIZE + GAP)

        def paint(painter: QPainter, area: QRectF) -> None:
            paint_mark(painter, QRectF(area.left(), area.top() + 1, SIZE, SIZE), theme, "done" if number in progress.tries else "new")
            body.paint(painter, area)

        made = [Block(gap, body.height, paint)]
        if number in state.tries and attempt.look_at:
            made.append(text(GAP, words.filled(attempt.look_at, state.tries[number]), BODY, SIZE + GAP + RULE, ruled=True))
        return made

    page = [
        text(0, (words.Run(words.place(lesson)),), CAPTION),
        text(2, (words.Run(lesson.title),), TITLE),
        text(8, words.filled(lesson.idea, state.scene), LEAD),
    ]
    if lesson.formula:
        height = formula_height(lesson.formula, theme, width)
        page.append(Block(16, height, lambda painter, area: paint_formula(painter, area, theme, lesson.formula)))
    page += [text(16 if number == 0 else GAP, words.filled(part, state.scene), BODY) for number, part in enumerate(lesson.text)]
    if state.scene is not None:
        page.append(text(GAP, (words.Run(measured_note(state.scene, False)),), CAPTION))
    if lesson.tries:
        page.append(text(SECTION_GAP, (words.Run("Try it"),), HEADING))
    for number in range(len(lesson.tries)):
        page += marked(GAP, number)
    page.append(text(SECTION_GAP, (words.Run("Predict"),), HEADING))
    page.append(text(8, words.filled(lesson.question.text, state.scene), STRONG_BODY))
    page += [case(GAP if number == 0 else 8, number) for number in range(len(lesson.question.cases))]
    if state.answer is not None:
        page.append(text(16, (words.Run(state.verdict),), HEADING, RULE, ruled=True))
        page.append(text(4, answer_runs(state), STRONG_BODY, RULE, ruled=True))
        if lesson.question.because:
            page.append(text(4, words.filled(lesson.question.because, state.answer), BODY, RULE, ruled=True))
        page.append(text(4, (words.Run(answer_note(state)),), CAPTION, RULE, ruled=True))
    return page


def whole_height(parts: list[Block]) -> float:
    """With the margins above and below."""
    return 2 * SIDE + sum(part.gap + part.height for part in parts)


def paint_blocks(painter: QPainter, area: QRectF, parts: list[Block]) -> None:
    """From the top; what does not fit is left out, from the end."""
    y = area.top() + SIDE
    for part in parts:
        y += part.gap
        if y + part.height > area.bottom() + 0.5:
            return
        painter.save()
        part.paint(painter, QRectF(area.left() + SIDE, y, area.width() - 2 * SIDE, part.height))
        painter.restore()
        y += part.height
