"""Lessons in the real window: the scene is set, the controls are pressed, and the question is answered by running."""


import pytest
from pytestqt.qtbot import QtBot

from gradviz.lesson_runs import answer
from gradviz.lessons import Lesson, lessons
from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, opened, wait
from ui.main_window import MainWindow
from ui.panels.lesson import LessonPanel
from ui.presets import preset_named

SPEC = Spec(NetworkSpec(depth=3, width=3), DataSpec(samples=40), TrainingSpec(seed=5))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = opened(qtbot, SPEC, lambda s: s.step > 0, motion="off")
    made.show_lessons()
    return made


def named(name: str) -> Lesson:
    return next(lesson for lesson in lessons() if lesson.name == name)


def panel_of(window: MainWindow) -> LessonPanel:
    assert window.lesson is not None
    return window.lesson


@pytest.mark.parametrize("name", ["a3-three-factors", "b4-batch-norm", "c5-clipping", "c4-first-weights"])
def test_the_scene_is_set_with_its_page_its_lab_and_its_selection(qtbot: QtBot, window: MainWindow, name: str) -> None:
    lesson = named(name)
    panel_of(window).open_lesson(name)
    panel_of(window).scene_wanted.emit(lesson)
    snapshot = wait(qtbot, window, lambda s: s.spec == lesson.spec and s.step >= lesson.scene.steps and window.run.settled)
    assert lesson.scene.play or snapshot.step == lesson.scene.steps
    if lesson.scene.page:
        assert window.dock.page == lesson.scene.page
    if lesson.scene.lab:
        assert window.dock.page == "lab"
        assert window.lab is not None
        assert window.lab.view == lesson.scene.lab
        wait(qtbot, window, lambda s: s.lab is not None)
    if lesson.scene.select is not None:
        qtbot.waitUntil(lambda: window.canvas.selection is not None, timeout=PATIENCE)
        picked = window.canvas.selection
        assert picked is not None
        assert (picked.kind, picked.layer, picked.unit, picked.source) == lesson.scene.select


@pytest.mark.parametrize("name", ["a4-gradient-fades", "b1-other-activations", "c3-not-a-number", "d1-step"])
def test_the_window_finds_the_answer_the_engine_finds(
    qtbot: QtBot, window: MainWindow, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson, panel = named(name), panel_of(window)
    panel.open_lesson(name)
    panel.actions_wanted.emit(lesson.tries[0].actions)  # whatever was tried before does not change the answer
    shown: list[Snapshot] = []
    original = panel.show_answer
    monkeypatch.setattr(panel, "show_answer", lambda snapshot: (shown.append(snapshot), original(snapshot)))
    panel.question_wanted.emit(lesson.question)
    qtbot.waitUntil(lambda: bool(shown), timeout=PATIENCE)
    expected = answer(lesson)
    assert shown[0].step == expected.snapshot.step
    assert shown[0].loss == expected.snapshot.loss or lesson.name == "c3-not-a-number"
    assert shown[0].spec == expected.snapshot.spec


@pytest.mark.parametrize("wanted", ["scene", "question"])
def test_the_rest_of_a_lesson_is_not_done_to_another_run(qtbot: QtBot, window: MainWindow, wanted: str) -> None:
    """As when a preset is chosen while the engine is still busy with the lesson: its change and its steps belong to its own run."""
    lesson, panel = named("c4-first-weights"), panel_of(window)
    panel.open_lesson(lesson.name)
    assert panel.state is not None
    assert panel.page is not None
    panel.state.choose(0)
    (panel.page.scene_pressed if wanted == "scene" else panel.page.run_pressed).emit()
    window.load_preset("clipped")
    window.set_playing(False)
    chosen = preset_named("clipped").spec
    wait(qtbot, window, lambda s: s.spec == chosen and window.run.settled)
    qtbot.wait(200)
    snapshot = wait(qtbot, window, lambda s: window.run.settled)
    assert (snapshot.spec, snapshot.step, window.canvas.selection) == (chosen, 0, None)
    assert not panel.state.running
    assert not panel.state.asked, "nothing is said to be on its way"


def test_every_try_of_every_lesson_presses_something_that_is_there(qtbot: QtBot, window: MainWindow) -> None:
    panel = panel_of(window)
    errors: list[str] = []
    window.run.told.connect(lambda kind, text: errors.append(text) if kind == "error" else None)
    for lesson in lessons():
        panel.open_lesson(lesson.name)
        window.run.load(lesson.spec, lesson.title)
        window.run.pause()
        wait(qtbot, window, lambda s, lesson=lesson: s.spec == lesson.spec and window.run.settled)
        for attempt in lesson.tries:
            panel.actions_wanted.emit(attempt.actions)
        window.run.pause()
        qtbot.waitUntil(lambda: window.run.settled, timeout=PATIENCE)
    assert errors == []
