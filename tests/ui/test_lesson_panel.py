"""The lesson panel: the list, a lesson from its scene to the answer, what is remembered, and what it looks like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gradviz.lessons import Action, Case, Lesson, Question, Scene, TryIt, lessons
from gradviz.quantities import fill, quantity
from gradviz.snapshot import Failure, Snapshot
from tests.ui.painted import picture
from ui import lesson_progress
from ui.lesson_progress import Progress
from ui.panels import lesson_words as words
from ui.panels.lesson import LessonPanel
from ui.panels.lesson_formula import formula_height, lines
from ui.panels.lesson_list import LessonRow
from ui.panels.prose import Prose
from ui.theme import THEMES

from .fabricate import fabricate

SPEC = {"network": {"depth": 10, "width": 8, "activation": "sigmoid"}}
SHORT = Lesson(
    title="The gradient fades",
    order=10,
    rows=("A4",),
    idea="Every layer takes its share.",
    text=("The first layer gets {L1.gradient}, the output {Out.gradient}.", "That is {ratio.gradient} of it, over {depth:d} layers."),
    formula="∂J/∂w₁ = ∂J/∂ŷ · ∂ŷ/∂z₁ · ∂z₁/∂w₁",
    scene=Scene(spec=SPEC, steps=400),
    tries=(
        TryIt("Switch to ReLU.", (Action("set", "network.activation", "relu"), Action("play")), "Now L1 gets {L1.gradient}."),
        TryIt("Take one step.", (Action("step"),)),
    ),
    question=Question(
        text="How much reaches the first layer?",
        cases=(Case("As much as the last.", at_least=0.5), Case("Nearly nothing.", below=0.5)),
        quantity="ratio.gradient",
        steps=10,
        because="It is {ratio.gradient}.",
    ),
    name="fades",
)
LONG = msgspec.structs.replace(
    SHORT,
    title="Large weights explode, and this title is so long that it does not fit into one line",
    order=20,
    rows=("C1", "E"),
    idea="An idea in a sentence that is longer than one line of a narrow dock could ever be, however small its letters were.",
    text=tuple(f"Paragraph {number}. " + "Some words of a long text, {loss} and {total_norm}. " * 6 for number in range(8)),
    formula="f(x + y) = f(x) + f(y),  f(a · x) = a · f(x)",
    name="explodes",
)


@pytest.fixture
def shown() -> Snapshot:
    """A moment of the scene of `SHORT`."""
    return _of_scene(fabricate())


def _of_scene(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, spec=SHORT.spec)


@pytest.fixture
def make(qtbot: QtBot) -> Callable[..., LessonPanel]:
    def build(*all_lessons: Lesson, width: int = 360, height: int = 870) -> LessonPanel:
        panel = LessonPanel(all_lessons=all_lessons or (SHORT, LONG))
        qtbot.addWidget(panel)
        panel.resize(width, height)
        panel.show()
        QApplication.processEvents()
        return panel

    return build


def _opened(panel: LessonPanel, snapshot: Snapshot | None = None, name: str = "fades") -> Any:
    """The page of a lesson, its scene set when a moment of it is given."""
    panel.open_lesson(name)
    assert panel.page is not None
    if snapshot is not None:
        panel.page.scene.click()
        panel.show_snapshot(snapshot)
    QApplication.processEvents()
    return panel.page


# ---- texts


def test_places_are_filled_with_the_measured_numbers_and_dashes_before(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel)
    assert page.paragraphs[0].words == "The first layer gets –, the output –."
    page.scene.click()
    page.state.see(shown)
    page.refresh()
    assert page.paragraphs[0].words == fill(SHORT.text[0], shown)
    assert "10 layers" in page.paragraphs[1].words


def test_numbers_of_another_run_do_not_stand_under_the_words_of_the_scene(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel, shown)
    in_scene = page.paragraphs[0].words
    panel.show_snapshot(fabricate(kind="exploding"))
    assert page.paragraphs[0].words == in_scene
    assert "moved on" in page._scene_note.words
    panel.show_snapshot(msgspec.structs.replace(shown, step=500))
    assert "step 500" in page._scene_note.words


def test_a_number_that_overflowed_is_told_from_one_that_nobody_measured() -> None:
    failed = msgspec.structs.replace(fabricate(kind="nan"), failure=Failure(412, 4, "L4", "backward"), loss=math.nan)
    kinds = {
        run.name: (run.kind, run.text) for run in words.filled("{loss} {L5.gradient} {clipping.angle} {L40.gradient}", failed) if run.name
    }
    assert kinds == {
        "loss": ("nan", "NaN"),
        "L5.gradient": ("nan", "NaN"),
        "clipping.angle": ("unknown", "–"),
        "L40.gradient": ("unknown", "–"),
    }
    (unknown,) = words.filled("{loss}", fabricate(details=False))
    assert unknown.kind == "unknown"


def test_every_digit_is_told_on_hover(shown: Snapshot) -> None:
    (run,) = words.filled("{loss}", shown)
    assert run.hint == f"loss of the last mini-batch: {shown.loss!r}"


def test_while_playing_the_numbers_follow_at_a_pace_that_can_be_read(
    make: Callable[..., LessonPanel], shown: Snapshot, qtbot: QtBot
) -> None:
    panel = make()
    page = _opened(panel, shown)
    playing = msgspec.structs.replace(_of_scene(fabricate(kind="healthy")), playing=True)
    before = page.paragraphs[0].words
    panel.show_snapshot(playing)
    assert page.paragraphs[0].words == before
    qtbot.waitUntil(lambda: page.paragraphs[0].words == fill(SHORT.text[0], playing))


# ---- one visit


def test_a_lesson_from_its_scene_to_the_answer(make: Callable[..., LessonPanel], shown: Snapshot, qtbot: QtBot) -> None:
    panel = make()
    page = _opened(panel)
    assert not any(row.button.isEnabled() for row in page.tries)
    with qtbot.waitSignal(panel.scene_wanted) as scene:
        page.scene.click()
    assert scene.args == [SHORT]
    panel.show_snapshot(msgspec.structs.replace(shown, step=100))
    assert page._scene_note.words == "Training 400 steps …"
    panel.show_snapshot(shown)
    assert page._scene_note.words == "Scene is set: step 412."

    with qtbot.waitSignal(panel.actions_wanted) as actions:
        page.tries[0].button.click()
    assert actions.args == [SHORT.tries[0].actions]
    assert page.tries[0].seen.words == "Now L1 gets –."  # what is measured next is what came of it
    relu = fabricate(kind="dead")
    panel.show_snapshot(relu)
    assert page.tries[0].seen.words == "Now L1 gets 0."
    page.tries[1].button.click()
    panel.show_snapshot(fabricate(kind="healthy"))
    assert page.tries[0].seen.words == "Now L1 gets 0."

    assert not page.run.isEnabled()
    page.cases[1].click()
    with qtbot.waitSignal(panel.question_wanted) as question:
        page.run.click()
    assert question.args == [SHORT.question]
    assert page.run.text() == "Running …"
    assert not page.cases[0].isEnabled()
    panel.show_answer(shown)
    assert page.verdict.words == "You predicted it."
    assert fill("{ratio.gradient}", shown) in page.measured.words
    assert page.cases[1].note == "measured, and your prediction"
    assert page._because.words == fill(SHORT.question.because, shown)

    page.following.click()
    assert panel.lesson == LONG


def test_a_wrong_prediction_is_said_in_words(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel, shown)
    page.cases[0].click()
    page.run.click()
    panel.show_answer(shown)
    assert "differently" in page.verdict.words
    assert [case.note for case in page.cases] == ["your prediction", "measured"]
    assert "your prediction" in page.cases[0].accessibleName()
    page.again.click()
    assert not any(case.isChecked() or case.note for case in page.cases)
    assert page.run.isVisible()


def test_an_answer_that_is_not_a_number_fits_no_case(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel, shown)
    page.cases[0].click()
    page.run.click()
    panel.show_answer(msgspec.structs.replace(fabricate(kind="nan"), failure=Failure(412, 4, "L4", "backward")))
    assert "not finite" in page.verdict.words
    assert "NaN" in page.measured.words


def test_an_answer_nobody_waits_for_any_more_is_not_shown(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel, shown)
    panel.show_answer(shown)
    assert not page._answer.isVisible()
    page.cases[0].click()
    page.run.click()
    panel.show_list()
    panel.show_answer(shown)
    assert not lesson_progress.load("fades").answered


def test_without_a_run_the_lesson_stands_with_dashes(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel, shown)
    panel.clear()
    assert "–" in page.paragraphs[0].words
    assert page.scene.text() == "Set the scene"


def test_the_button_of_a_try_names_the_controls_it_presses() -> None:
    assert words.presses(SHORT.tries[0].actions) == "Activation: ReLU, Play"
    assert words.presses((Action("step"), Action("step"), Action("page", value="lab"), Action("lab", value="clipping"))) == (
        "Step × 2, Lab: clipping"
    )
    assert words.press(Action("select", value=["unit", 2, 0, 0])) == "Select unit 1 of layer 2"


# ---- the list, and what is remembered


def test_progress_is_remembered_and_can_be_forgotten(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    assert panel.resume.text() == "Begin: The gradient fades"
    page = _opened(panel, shown)
    page.tries[1].button.click()
    again = make()
    assert [row.state for row in again.list.rows] == ["begun", "new"]
    assert again.resume.text() == "Continue: The gradient fades"
    assert _opened(again).tries[1].mark.state == "done"

    page.cases[1].click()
    page.run.click()
    panel.show_answer(shown)
    assert lesson_progress.load("fades") == Progress(True, frozenset({1}), True)
    panel.show_list()
    assert panel.header.count.text() == "1 of 2 done"
    assert panel.resume.text().endswith(LONG.title)
    panel.start_over()
    assert panel.header.count.text() == "0 of 2 done"
    assert lesson_progress.load("fades") == Progress()


@pytest.mark.parametrize("junk", ["", "{", "[1]", '{"tries": "x"}', '{"begun": 3}', 7, ["a", "b"], "[" * 5000])
def test_junk_in_the_settings_counts_as_nothing_done(make: Callable[..., LessonPanel], junk: object) -> None:
    QSettings().setValue("lessons/fades", junk)
    assert make().list.rows[0].state == "new"


def test_the_list_is_gone_through_with_the_keyboard(make: Callable[..., LessonPanel], qtbot: QtBot) -> None:
    panel = make()
    panel.list.rows[0].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(panel.list.rows[0].hasFocus)
    QTest.keyClick(panel.list.rows[0], Qt.Key.Key_Down)
    assert panel.list.rows[1].hasFocus()
    assert [row.focusPolicy() == Qt.FocusPolicy.TabFocus for row in panel.list.rows] == [False, True]
    QTest.keyClick(panel.list.rows[1], Qt.Key.Key_Return)
    assert panel.lesson == LONG
    assert panel.page is not None
    assert panel.page.scene.hasFocus()
    QTest.keyClick(panel.header.back, Qt.Key.Key_Return)
    assert panel.lesson is None


def test_a_click_opens_a_lesson(make: Callable[..., LessonPanel], qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.lesson_changed) as changed:
        QTest.mouseClick(panel.list.rows[1], Qt.MouseButton.LeftButton, pos=QPoint(60, 20))
    assert changed.args == [LONG]


def test_a_prediction_is_chosen_with_the_arrow_keys(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    page = _opened(panel, shown)
    page.cases[0].setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.cases[0], Qt.Key.Key_Space)
    QTest.keyClick(page.cases[0], Qt.Key.Key_Down)
    assert page.state.chosen == 1
    QTest.keyClick(page.run, Qt.Key.Key_Return)
    assert page.state.running


def test_lessons_stand_under_their_part_of_the_lecture() -> None:
    assert words.section(LONG) == ("C", "Exploding")
    assert words.place(LONG) == "Exploding · C1"
    assert words.section(msgspec.structs.replace(SHORT, rows=())) == ("", "More")


def test_a_panel_without_lessons_says_so(qtbot: QtBot) -> None:
    panel = LessonPanel(all_lessons=())
    qtbot.addWidget(panel)
    assert panel._nothing.isVisibleTo(panel)
    assert not panel.resume.isVisibleTo(panel)


# ---- room, pictures, numbers


@pytest.mark.parametrize("width", [300, 360, 420])
@pytest.mark.parametrize("name", ["fades", "explodes"])
def test_every_word_has_its_room(make: Callable[..., LessonPanel], shown: Snapshot, width: int, name: str) -> None:
    panel = make(width=width)
    page = _opened(panel, name=name)
    QApplication.processEvents()
    inside = page.widget()
    assert inside.width() == page.viewport().width()
    for prose in page.findChildren(Prose):
        if prose.isVisible():
            assert prose.height() >= prose.heightForWidth(prose.width())
    for part in inside.findChildren(QWidget):
        if part.isVisible():
            assert part.mapTo(inside, QPoint(part.width(), 0)).x() <= inside.width()


def test_a_wide_formula_is_broken_into_lines() -> None:
    theme = THEMES["dark"]
    assert len(lines(LONG.formula, theme, 256)) == 2
    assert len(lines(SHORT.formula, theme, 256)) == 1
    assert formula_height(LONG.formula, theme, 300) > formula_height("f′ = 1", theme, 300)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_lesson_and_list_are_drawn_for_exports(make: Callable[..., LessonPanel], shown: Snapshot, theme: str) -> None:
    panel = make()
    panel.set_theme(THEMES[theme])
    listed = _drawn(panel)
    page = _opened(panel, shown)
    before = panel.whole_size().height()
    page.tries[0].button.click()
    panel.show_snapshot(shown)
    page.cases[0].click()
    page.run.click()
    panel.show_answer(shown)
    assert panel.whole_size().height() > before
    assert _drawn(panel) != listed


def _drawn(panel: LessonPanel) -> QImage:
    image = picture(panel, *panel.whole_size().toSize().toTuple())
    colors = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
    assert len(colors) > 8
    return image


def test_the_table_has_the_places_and_their_values(make: Callable[..., LessonPanel], shown: Snapshot) -> None:
    panel = make()
    assert panel.table().rows[0] == ("fades", "The gradient fades", "new")
    _opened(panel, shown)
    table = panel.table()
    values = {(row[1], row[2]): row[-1] for row in table.rows}
    assert values["text", "L1.gradient"] == quantity(shown, "L1.gradient")
    assert values["try 1", "L1.gradient"] == ""
    assert values["question", "ratio.gradient"] == ""


def test_every_lesson_of_the_program_can_be_opened(make: Callable[..., LessonPanel]) -> None:
    panel = make(*lessons(), width=300)
    for lesson in lessons():
        page = _opened(panel, name=lesson.name)
        assert all(row.button.text() for row in page.tries)
        assert panel.whole_size().height() > 300
    assert all(isinstance(row, LessonRow) for row in panel.list.rows)


def test_the_game_can_be_begun_from_the_list_and_from_a_lesson_that_has_a_round(qtbot: QtBot, make: Callable[..., LessonPanel]) -> None:
    panel = make(msgspec.structs.replace(SHORT, guess="Another activation"), LONG)
    with qtbot.waitSignal(panel.predict_wanted, check_params_cb=lambda title: title == ""):
        QTest.mouseClick(panel.predict, Qt.MouseButton.LeftButton)
    page = _opened(panel)
    with qtbot.waitSignal(panel.predict_wanted, check_params_cb=lambda title: title == "Another activation"):
        QTest.mouseClick(page.guess, Qt.MouseButton.LeftButton)
    assert not _opened(panel, name="explodes").guess.isVisible()
