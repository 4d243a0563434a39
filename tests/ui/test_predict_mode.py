"""A class predicts in the real window: announced, voted on, run, uncovered; by keys alone, by mouse alone; and nothing is lost."""


import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gradviz import Spec
from gradviz.prediction_game import ANSWERS, Game, lecture_rounds
from gradviz.spec import DataSpec, NetworkSpec, TrainingSpec
from tests.ui.live import PATIENCE, opened
from ui.main_window import MainWindow
from ui.predict_mode import PredictMode

SPEC = Spec(NetworkSpec(depth=4, width=5, activation="tanh"), DataSpec(samples=80), TrainingSpec(seed=5, batch_size=16))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, SPEC, lambda s: s.step > 5)


def announced(window: MainWindow) -> PredictMode:
    window.predict()
    assert window.game is not None
    window.activateWindow()
    return window.game


def press(window: MainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(window, key)


def uncovered(qtbot: QtBot, mode: PredictMode) -> None:
    qtbot.waitUntil(lambda: mode.game.uncovered, timeout=PATIENCE)


def test_a_round_by_keys_alone(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    board = mode.board
    assert board.isVisible()
    assert not window.body.isVisible()
    assert not mode.page.isVisible()
    assert board.change.text() == "Activation: Sigmoid → ReLU"
    press(window, Qt.Key.Key_5, Qt.Key.Key_5, Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_Backspace)
    assert [answer.votes for answer in board.answers] == [0, 0, 1, 0, 2, 0]
    press(window, Qt.Key.Key_Return)
    assert not board.go.isEnabled()
    press(window, Qt.Key.Key_2)  # too late
    uncovered(qtbot, mode)
    assert mode.page.isVisible()  # this window is wide
    assert [answer.right for answer in board.answers] == [False, False, False, False, True, False]
    assert mode.game.votes == (0, 0, 1, 0, 2, 0)
    assert board.result.text() == "× 180,000"
    assert "2 of 3 were right" in board.told.text()
    press(window, Qt.Key.Key_V)
    assert not mode.page.isVisible()
    press(window, Qt.Key.Key_Return)
    assert mode.game.number == 1
    assert board.change.text() == "Hidden layers: 10 → 30"
    assert not any(answer.votes for answer in board.answers)
    press(window, Qt.Key.Key_Escape)
    assert window.game is None


def test_a_round_by_mouse_alone(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    board = mode.board
    QTest.mouseClick(board.answers[4], Qt.MouseButton.LeftButton)
    QTest.mouseClick(board.answers[2], Qt.MouseButton.LeftButton)
    QTest.mouseClick(board.answers[2], Qt.MouseButton.LeftButton)
    QTest.mouseClick(board.answers[2], Qt.MouseButton.RightButton)
    QTest.mouseClick(board.back, Qt.MouseButton.LeftButton)
    assert mode.game.votes == (0, 0, 0, 0, 1, 0)
    QTest.mouseClick(board.go, Qt.MouseButton.LeftButton)
    uncovered(qtbot, mode)
    assert "1 of 1 was right" in board.told.text()
    QTest.mouseClick(board.next, Qt.MouseButton.LeftButton)
    assert mode.game.number == 1
    QTest.mouseClick(board.leave, Qt.MouseButton.LeftButton)
    assert window.game is None


def test_all_rounds_as_measured_and_the_score_at_the_end(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    for number in range(len(lecture_rounds())):
        assert mode.game.number == number
        mode.vote(2)
        mode.run()
        uncovered(qtbot, mode)
        outcome = mode.game.outcome
        assert outcome is not None
        assert outcome.definite
        sides = [run.snapshot for run in mode.pair.runs]
        assert [side.spec for side in sides if side is not None] == [mode.game.round.spec, mode.game.round.changed]
        assert [answer.right for answer in mode.board.answers].index(True) == outcome.answer
        mode.advance()
    assert {outcome.answer for outcome in mode.game.outcomes} == set(range(len(ANSWERS)))
    same = sum(outcome.answer == 2 for outcome in mode.game.outcomes)
    assert f"{same} of {len(lecture_rounds())} rounds" in mode.board.score.text()
    assert mode.board.again.isVisible()
    assert not mode.board.next.isVisible()
    mode.begin_again()
    assert (mode.game.number, mode.game.score.rounds) == (0, 0)
    mode.run()
    uncovered(qtbot, mode)
    assert mode.board.result.text() == "× 180,000"


def test_the_run_there_was_is_untouched_and_plays_on(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    qtbot.waitUntil(lambda: window.run.settled and not window.run.playing, timeout=PATIENCE)
    assert window.run.snapshot is not None
    step = window.run.snapshot.step
    undo = window.run.undo_stack.count()
    mode.run()
    uncovered(qtbot, mode)
    QTest.keyClick(window, Qt.Key.Key_R)  # the window's own keys rest
    QTest.keyClick(window, Qt.Key.Key_S)
    assert (window.run.snapshot.spec, window.run.snapshot.step, window.run.undo_stack.count()) == (SPEC, step, undo)
    mode.leave()
    mode.leave()
    assert window.body.isVisible()
    assert window.transport.isVisible()
    assert window.status.isVisible()
    qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.step > step, timeout=PATIENCE)
    assert window.run.snapshot.spec == SPEC
    QTest.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not window.run.playing, timeout=PATIENCE)


def test_the_two_runs_of_a_round_can_be_compared_on_and_undo_brings_the_run_back(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    mode.run()
    uncovered(qtbot, mode)
    item = mode.game.round
    mode.keep()
    assert window.game is None
    assert window.compare is not None
    pair = window.compare.pair
    qtbot.waitUntil(lambda: pair.other is not None and pair.settled and not pair.playing, timeout=PATIENCE)
    sides = [pair.run_of(side).snapshot for side in "AB"]
    assert [(side.spec, side.step) for side in sides if side is not None] == [(item.spec, item.steps), (item.changed, item.steps)]
    window.toggle_compare()
    window.undo()
    qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.spec == SPEC, timeout=PATIENCE)


def test_what_is_being_compared_is_the_first_round_and_comes_back(qtbot: QtBot, window: MainWindow) -> None:
    window.set_playing(False)
    window.compare_with(SPEC.replace("network.activation", "sigmoid"), play_for=10)
    assert window.compare is not None
    pair = window.compare.pair
    qtbot.waitUntil(lambda: pair.other is not None and pair.settled, timeout=PATIENCE)
    mode = announced(window)
    assert mode.board.change.text() == "Activation: Tanh → Sigmoid"
    assert len(mode.game.rounds) == len(lecture_rounds()) + 1
    mode.leave()
    assert window.compare is not None
    assert window.compare.page.isVisible()
    sides = [pair.run_of(side).snapshot for side in "AB"]
    assert [side.step for side in sides if side is not None] == [10, 10]


@pytest.mark.parametrize("size", [(900, 600), (1280, 720), (1920, 1080)])
def test_nothing_is_cut_off_and_the_question_can_be_read_from_afar(qtbot: QtBot, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    mode = announced(window)
    board = mode.board
    qtbot.waitUntil(lambda: board.width() == size[0], timeout=PATIENCE)
    qtbot.wait(50)  # what has been asked of the layout is done
    fits(board.findChildren(QLabel))
    assert board.question.font().pixelSize() >= 28
    assert board.change.font().pixelSize() >= 28
    mode.run()
    uncovered(qtbot, mode)
    for nets in (size[0] >= 1400, size[0] < 1400):
        qtbot.wait(50)
        assert mode.page.isVisible() == nets
        fits(board.findChildren(QLabel))
        mode.toggle_nets()
    assert (window.width(), window.height()) == size
    window.toggle_theme()
    assert board.theme.name == window.theme.name == mode.page.theme.name


def fits(labels: list[QLabel]) -> None:
    for label in labels:
        if label.isVisible() and label.text():
            wanted = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= wanted, label.text()
            if not label.wordWrap():
                assert label.width() >= label.sizeHint().width(), label.text()


def test_closing_in_the_middle_of_a_round(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    mode.run()
    window.close()
    assert window.game is None


def test_leaving_before_anything_has_come(qtbot: QtBot, window: MainWindow) -> None:
    announced(window).leave()
    again = announced(window)
    again.run()
    uncovered(qtbot, again)
    assert again.board.result.text() == "× 180,000"


def test_hands_are_counted_into_the_fields_and_enter_runs(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    fields = [answer.field for answer in mode.board.answers]
    fields[4].setFocus()
    QTest.keyClicks(fields[4], "12")
    fields[0].setFocus()
    QTest.keyClicks(fields[0], "3")
    assert mode.game.votes == (3, 0, 0, 0, 12, 0)
    QTest.keyClick(fields[0], Qt.Key.Key_Backspace)
    assert mode.game.votes == (0, 0, 0, 0, 12, 0)
    QTest.mouseClick(mode.board.answers[2], Qt.MouseButton.LeftButton)
    press(window, Qt.Key.Key_3)  # after a click the keys count again
    assert mode.game.votes == (0, 0, 2, 0, 12, 0)
    assert fields[2].text() == "2"
    fields[4].setFocus()
    QTest.keyClick(fields[4], Qt.Key.Key_Return)
    uncovered(qtbot, mode)
    assert not any(field.isVisible() for field in fields)
    assert "12 of 14 were right" in mode.board.told.text()


def test_the_game_begins_where_two_runs_are_compared(qtbot: QtBot, window: MainWindow) -> None:
    window.compare_with(SPEC.replace("network.activation", "relu"), play_for=10)
    assert window.compare is not None
    pair, header = window.compare.pair, window.compare.page.header
    qtbot.waitUntil(lambda: pair.other is not None and pair.settled, timeout=PATIENCE)
    QTest.mouseClick(header.predict, Qt.MouseButton.LeftButton)
    assert window.game is not None
    assert window.game.board.change.text() == "Activation: Tanh → ReLU"
    assert not window.game.page.header.predict.isVisibleTo(window.game.page)  # no game within the game
    window.game.leave()


def test_the_game_begins_at_the_round_of_a_lesson(qtbot: QtBot, window: MainWindow) -> None:
    window.show_lessons()
    assert window.lesson is not None
    window.lesson.open_lesson("b4-batch-norm")
    page = window.lesson.page
    assert page is not None
    page.guess.click()
    assert window.game is not None
    assert window.game.board.change.text() == "Batch norm: off → on"
    assert len(window.game.game.rounds) == len(lecture_rounds())
    window.game.leave()
    assert window.lesson.isVisible()


def test_at_the_end_the_class_reads_how_it_did(qtbot: QtBot, window: MainWindow) -> None:
    mode = announced(window)
    mode.game = Game(mode.game.rounds[:1])
    mode.vote(4)
    mode.vote(0)
    mode.run()
    uncovered(qtbot, mode)
    assert mode.board.final.isVisible()
    assert mode.board.final.text() == "Most were right in 0 of 1 round, and 1 of all 2 votes were right."
    assert not mode.board.score.isVisible()
