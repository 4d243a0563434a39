"""What went wrong while stepping in the real window: keys that meant something else, wishes that came too early, picks that failed."""


import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from gradviz.selected import UnitInspection
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import settled, trained
from ui.main_window import MainWindow
from ui.panels.profile import captions
from ui.presets import preset_named
from ui.selection import Selection

SPEC = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=80), TrainingSpec(seed=5, batch_size=16))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return trained(qtbot, SPEC, 40)


def test_after_a_drag_on_the_timeline_an_arrow_goes_into_the_step(qtbot: QtBot, window: MainWindow) -> None:
    timeline = window.timeline
    frame = timeline._frame(QRectF(timeline.rect()))
    y = int(frame.loss.center().y())
    start, end = QPoint(int(frame.x(window.run.snapshot.step)), y), QPoint(int(frame.x(10)), y)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.5, 1.0):
        QTest.mouseMove(timeline, start + (end - start) * share)
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=end)
    step = settled(qtbot, window, lambda s: s.step < 12).step
    qtbot.keyClick(timeline, Qt.Key.Key_Right)
    inside = settled(qtbot, window, lambda s: s.moment is not None)
    assert (inside.step, inside.moment.step, inside.moment.kind) == (step, step + 1, "forward")


def test_an_arrow_moves_the_cursor_of_a_text_and_not_the_run(qtbot: QtBot, window: MainWindow) -> None:
    edit = window.controls.rows["network.depth"].findChild(QLineEdit)
    edit.setFocus(Qt.FocusReason.MouseFocusReason)
    edit.setText("12")
    qtbot.keyClick(edit, Qt.Key.Key_Left)
    assert edit.cursorPosition() == 1
    qtbot.wait(100)
    assert window.run.snapshot.moment is None
    qtbot.keyClick(edit, Qt.Key.Key_Escape)


def test_play_right_after_a_jump_begins_a_branch_that_can_be_undone(qtbot: QtBot, window: MainWindow) -> None:
    last = window.run.snapshot.step
    window.run.go_to(7)
    qtbot.keyClick(window, Qt.Key.Key_Space)  # the jump is still under way
    settled(qtbot, window, lambda s: s.playing and s.ghost is not None and s.ghost.branch_step == 7)
    assert window.run.undo_stack.undoText() == "branch from step 7"
    window.undo()
    back = settled(qtbot, window, lambda s: not s.playing and s.step == last)
    assert back.last_step == last


def test_space_twice_in_a_row_plays_and_pauses(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Space)
    settled(qtbot, window, lambda s: not s.playing)
    qtbot.wait(100)
    assert not window.run.snapshot.playing


def test_a_change_in_the_past_is_undone_with_the_line_that_it_left(qtbot: QtBot, window: MainWindow) -> None:
    last = window.run.snapshot.step
    recorded = window.run.snapshot.history.loss.tolist()
    window.run.go_to(7)
    settled(qtbot, window, lambda s: s.step == 7)
    window.run.change(SPEC.replace("training.learning_rate", 0.5), "training.learning_rate")
    settled(qtbot, window, lambda s: s.last_step == 7 and s.ghost is not None)
    window.undo()
    back = settled(qtbot, window, lambda s: s.last_step == last)
    assert (back.step, back.spec, back.history.loss.tolist()) == (7, SPEC, recorded)


def test_a_click_on_an_input_shows_its_values(qtbot: QtBot, window: MainWindow) -> None:
    layout = window.canvas._current_layout()
    point = QPointF(layout.input_x, float(layout.rows(0)[1]))
    qtbot.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=point.toPoint())
    assert window.canvas.selection == Selection("unit", 0, 1)
    snapshot = settled(qtbot, window, lambda s: isinstance(s.picked, UnitInspection))
    assert (snapshot.picked.layer, snapshot.picked.unit, len(snapshot.picked.outputs)) == (0, 1, 16)
    assert window.dock.page == "inspect"
    window.show_chain()
    chain = settled(qtbot, window, lambda s: s.chain is not None).chain
    assert (chain.layer, chain.row) == (1, 1)
    window.grab()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Up)
    assert window.canvas.selection == Selection("unit", 0, 0)
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    assert window.canvas.selection == Selection("unit", 1, 0)


def test_an_example_that_a_smaller_batch_does_not_have_is_let_go(qtbot: QtBot, window: MainWindow) -> None:
    window.show_chain()
    window.look_at_example(15)
    settled(qtbot, window, lambda s: s.example == 15 and s.chain is not None)
    window.run.change(SPEC.replace("training.batch_size", 4), "training.batch_size")
    snapshot = settled(qtbot, window, lambda s: s.batch == 4 and s.chain is not None)
    assert (snapshot.example, snapshot.chain.example) == (None, 0)


def test_no_button_gets_the_focus_when_what_had_it_is_hidden(qtbot: QtBot, window: MainWindow) -> None:
    """Pressing “this example” and stepping on, or leaving a page, ended on Reset: and the space bar pressed it."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.show_chain()
    settled(qtbot, window, lambda s: s.chain is not None)
    step = window.run.snapshot.step
    button = window.chain._head._shows.findChildren(QPushButton)[1]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    settled(qtbot, window, lambda s: s.example == 0)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    settled(qtbot, window, lambda s: s.moment is not None)
    assert not button.isVisible()
    assert not isinstance(QApplication.focusWidget(), QAbstractButton)
    window.show_inspect()
    window.select(Selection("edge", 1, 0, 0))
    settled(qtbot, window, lambda s: s.picked is not None)
    edit = window.inspect.findChild(QLineEdit)
    edit.setFocus(Qt.FocusReason.MouseFocusReason)
    window.show_chain()
    assert not isinstance(QApplication.focusWidget(), QAbstractButton)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    settled(qtbot, window, lambda s: s.playing and s.step > step)


def test_after_a_failure_the_status_bar_promises_no_next_phase(qtbot: QtBot, window: MainWindow) -> None:
    spec = preset_named("exploding").spec
    window.run.load(spec, "exploding")
    window.set_playing(True)
    failure = settled(qtbot, window, lambda s: s.failure is not None).failure
    window.back_layer()
    settled(qtbot, window, lambda s: s.moment is not None and s.moment.kind == "clip")
    assert window.status.next.isVisible()
    window.step_layer()
    settled(qtbot, window, lambda s: s.step == failure.step)
    assert not window.status.next.isVisible()


def test_undo_right_after_a_weight_was_typed_takes_it_back(qtbot: QtBot, window: MainWindow) -> None:
    window.show_inspect()
    window.select(Selection("edge", 2, 1, 0))
    before = settled(qtbot, window, lambda s: s.picked is not None).picked.weight
    edit = window.inspect.findChild(QLineEdit)
    edit.setFocus(Qt.FocusReason.MouseFocusReason)
    qtbot.keyClicks(edit, "0.5")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    settled(qtbot, window, lambda s: s.picked is not None and s.picked.weight == 0.5)
    qtbot.keyClick(edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settled(qtbot, window, lambda s: s.picked is not None and s.picked.weight == before)


def test_of_one_example_no_dashes_are_promised(qtbot: QtBot, window: MainWindow) -> None:
    window.look_at_example(2)
    window.step_phase()
    snapshot = settled(qtbot, window, lambda s: s.moment is not None and s.example == 2)
    assert "dashed" not in " ".join(captions(snapshot, None, ""))
