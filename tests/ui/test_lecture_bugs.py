"""What went wrong when a student worked through the lessons and the lab in the real window."""


import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gradviz.lab_reports import Distribution
from gradviz.lessons import Lesson, lessons
from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, opened, settled
from ui.main_window import MainWindow
from ui.panels.lesson import LessonPanel
from ui.panels.lesson_page import LessonPage

SPEC = Spec(NetworkSpec(depth=3, width=3), DataSpec(samples=40), TrainingSpec(seed=5))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = opened(qtbot, SPEC, lambda s: s.step > 0, motion="off")
    made.show_lessons()
    return made


def set_scene(qtbot: QtBot, window: MainWindow, name: str) -> tuple[LessonPanel, LessonPage, Lesson]:
    panel = window.lesson
    assert panel is not None
    panel.open_lesson(name)
    page, state = panel.page, panel.state
    assert page is not None
    assert state is not None
    page.scene.click()
    qtbot.waitUntil(lambda: state.is_set and window.run.settled, timeout=PATIENCE)
    return panel, page, next(lesson for lesson in lessons() if lesson.name == name)


@pytest.mark.parametrize(("name", "number", "step"), [("a2-how-a-weight-learns", 2, 10), ("c3-not-a-number", 1, 5)])
def test_all_steps_of_a_try_are_taken(qtbot: QtBot, window: MainWindow, name: str, number: int, step: int) -> None:
    _, page, lesson = set_scene(qtbot, window, name)
    for row in page.tries[: number + 1]:
        row.button.click()
        settled(qtbot, window)
    assert settled(qtbot, window).step == step, lesson.tries[number].text


@pytest.mark.parametrize("name", ["b2-superhighway", "b3-identity", "b4-batch-norm", "c5-clipping"])
def test_a_try_that_only_shows_what_is_shown_already_has_its_numbers(qtbot: QtBot, window: MainWindow, name: str) -> None:
    panel, page, _ = set_scene(qtbot, window, name)
    page.tries[0].button.click()
    settled(qtbot, window)
    assert panel.state is not None
    assert panel.state.tries[0] is not None
    assert "–" not in page.tries[0].seen.words


def test_the_words_of_a_lesson_keep_their_numbers_inside_a_step(qtbot: QtBot, window: MainWindow) -> None:
    _, page, _ = set_scene(qtbot, window, "a3-three-factors")
    page.tries[1].button.click()
    settled(qtbot, window, lambda s: s.moment is not None)
    assert "2.4985" in page.paragraphs[2].words
    assert not any("–" in each.words for each in page.paragraphs)


def test_the_words_of_a_lesson_keep_the_moment_they_are_about(qtbot: QtBot, window: MainWindow) -> None:
    _, page, _ = set_scene(qtbot, window, "c5-clipping")
    qtbot.waitUntil(lambda: "cut to 1" in page.paragraphs[1].words, timeout=PATIENCE)
    cut = page.paragraphs[1].words
    window.run.play_for(400)  # until nothing is cut any more
    settled(qtbot, window, lambda s: s.step == 405)
    assert page.paragraphs[1].words == cut


def test_another_selection_does_not_take_the_numbers_of_the_words(qtbot: QtBot, window: MainWindow) -> None:
    _, page, _ = set_scene(qtbot, window, "a7-zero-factor")
    qtbot.waitUntil(lambda: "2.5 and is 2.5" in page.paragraphs[1].words, timeout=PATIENCE)
    page.tries[1].button.click()
    settled(qtbot, window, lambda s: s.chain is not None and s.chain.layer == 1)
    assert "2.5 and is 2.5" in page.paragraphs[1].words


def test_another_view_of_the_lab_does_not_take_the_numbers_of_the_words(qtbot: QtBot, window: MainWindow) -> None:
    _, page, _ = set_scene(qtbot, window, "d3-linear")
    qtbot.waitUntil(lambda: "its 5 layers" in page.paragraphs[2].words, timeout=PATIENCE)
    window.show_lab("activation")
    settled(qtbot, window, lambda s: isinstance(s.lab, Distribution))
    assert "its 5 layers" in page.paragraphs[2].words


def test_a_remedy_cures_a_run_that_has_overflowed(qtbot: QtBot, window: MainWindow) -> None:
    window.load_preset("exploding")
    window.set_speed(None)
    settled(qtbot, window, lambda s: s.failure is not None)
    window.try_remedy("training.clip", "norm")
    assert window.compare is not None
    pair = window.compare.pair

    def trial() -> Snapshot | None:
        return pair.run_of("B").snapshot if pair.other is not None else None

    qtbot.waitUntil(lambda: (tried := trial()) is not None and tried.step > 50, timeout=PATIENCE)
    snapshot = trial()
    assert snapshot is not None
    assert snapshot.spec.training.clip == "norm"
    assert snapshot.failure is None
    assert "diverged" not in {verdict.kind for verdict in snapshot.verdicts}


def test_the_names_of_the_lab_are_whole_in_the_smallest_window(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(900, 600)
    window.show_lab("clipping")
    lab = window.lab
    assert lab is not None
    qtbot.waitUntil(lambda: lab.width() > 0 and all(b.width() >= b.sizeHint().width() for b in lab.findChildren(QPushButton, "lab-view")))
    assert window.canvas.width() <= window.centre.width()


def test_before_the_scene_is_set_a_run_of_the_same_settings_gives_no_numbers_to_the_words(qtbot: QtBot, window: MainWindow) -> None:
    lesson = next(lesson for lesson in lessons() if lesson.name == "b2-superhighway")
    window.run.load(lesson.spec, "the same")
    window.run.pause()
    window.run.play_for(37)
    settled(qtbot, window, lambda s: s.spec == lesson.spec and s.step == 37)
    panel = window.lesson
    assert panel is not None
    panel.open_lesson(lesson.name)
    assert panel.page is not None
    assert panel.page.paragraphs[2].words.count("–") == 3
