"""A session of two runs in the real window: saved, opened in another one with the same picture, over the clipboard, dropped, left over."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from gradviz.leftover import read_leftover
from gradviz.session_file import SessionFile, Settings, read_session, write_session
from gradviz.snapshot import Snapshot
from gradviz.view import View
from gradviz.weights_file import read_weights
from ui import autosave
from ui.main_window import MainWindow
from ui.overlays import RESTORE, STOP
from ui.selection import Selection

from .live import PATIENCE, Maker
from .test_comparison import alone as trained_alone
from .test_comparison import at_rest, begin, begun, plays_on, same, settled
from .test_sessions import OTHER, SPEC, differing, picture

LONG = SPEC.replace("training.stop_after", 0)
RELU = LONG.replace("network.activation", "relu")
TWO = SessionFile((Settings(0, LONG),), 40, 60, against=SessionFile((Settings(0, LONG), Settings(10, RELU)), 40, 50))


def two(qtbot: QtBot, window: MainWindow) -> tuple[Snapshot, Snapshot]:
    """What stands on both sides, once both are there."""
    qtbot.waitUntil(lambda: window.compare is not None, timeout=PATIENCE)
    return settled(qtbot, begun(qtbot, window))


def test_both_runs_come_back_with_the_same_picture(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    window.change("training.stop_after", 0)
    pair = begin(qtbot, window)
    at_rest(qtbot, pair)
    window.change("network.activation", "relu")
    plays_on(qtbot, pair)
    last = at_rest(qtbot, pair)[0].step
    assert window.compare is not None
    window.compare.swap()
    pair.go_to(last - 20)
    settled(qtbot, pair)
    window.compare.page.sides["A"].mark(Selection("unit", 2, 1))
    window.compare.page.sides["B"].mark(Selection("layer", 2))
    window.toggle_left()
    window.body.setSizes([300, 1100, 0])
    window.compare.switch.chosen.emit(0)
    path = tmp_path / "both.gradviz.json"
    picture(qtbot, window)
    assert window.sessions.write(path)
    wanted = picture(qtbot, window)
    other = make(OTHER)
    assert other.sessions.open(path)
    a, b = two(qtbot, other)
    assert (a.step, b.step, a.last_step, b.last_step) == (last - 20, last - 20, last, last)
    assert (a.spec.network.activation, b.spec.network.activation) == ("relu", "sigmoid")
    found = picture(qtbot, other)
    bar = window.transport.height()
    places = [(x, y) for x, y in differing(wanted, found) if y >= bar]  # there, Undo has nothing to undo here
    if places:
        wanted.save(str(tmp_path / "wanted.png"))
        found.save(str(tmp_path / "found.png"))
    assert not places, f"{len(places)} pixels differ; pictures in {tmp_path}"
    again = tmp_path / "again.gradviz.json"
    assert other.sessions.write(again)
    assert read_session(again) == read_session(path)


def test_undo_brings_back_what_was_there_before_both(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(OTHER)
    write_session(TWO, tmp_path / "two.gradviz.json")
    assert window.sessions.open_any(tmp_path / "two.gradviz.json")
    a, b = two(qtbot, window)
    window.compare.pair.go_to(50)  # type: ignore[union-attr]
    same(settled(qtbot, window.compare.pair)[1], trained_alone(LONG, 50, {10: RELU}))  # type: ignore[union-attr]
    window.compare.pair.go_to(40)  # type: ignore[union-attr]
    a, b = settled(qtbot, window.compare.pair)  # type: ignore[union-attr]
    assert (a.spec, b.spec, a.last_step, b.last_step) == (LONG, RELU, 60, 50)
    assert window.windowTitle() == "two.gradviz.json – GradViz"
    assert not window.driven.undo_stack.canUndo()  # nothing has been done to either
    window.compare.adopt("A")  # type: ignore[union-attr]
    assert window.compare is None
    window.undo()
    qtbot.waitUntil(lambda: window.run.settled and window.run.wanted_spec == OTHER, timeout=PATIENCE)
    window.redo()
    a, b = two(qtbot, window)
    assert (a.spec, b.spec, a.step, b.step) == (LONG, RELU, 40, 40)
    window.compare.adopt("B")  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: window.compare is None and window.run.settled, timeout=PATIENCE)
    assert window.run.wanted_spec == RELU
    window.undo()
    qtbot.waitUntil(lambda: window.run.settled and window.run.wanted_spec == LONG, timeout=PATIENCE)
    window.undo()
    qtbot.waitUntil(lambda: window.run.settled and window.run.wanted_spec == OTHER, timeout=PATIENCE)
    assert window.compare is None


def test_two_runs_opened_while_two_others_are_compared(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(OTHER)
    former = begin(qtbot, window)
    at_rest(qtbot, former)
    write_session(TWO, tmp_path / "two.gradviz.json")
    assert window.sessions.open(tmp_path / "two.gradviz.json")
    qtbot.waitUntil(lambda: window.compare is not None and window.compare.pair is not former, timeout=PATIENCE)
    a, b = two(qtbot, window)
    assert (a.spec, b.spec, a.step, b.step) == (LONG, RELU, 40, 40)
    assert not window.dock.isVisible()
    window.compare.adopt("A")  # type: ignore[union-attr]
    assert window.dock.isVisible()


def test_both_go_over_the_clipboard_and_play_on(qtbot: QtBot, make: Maker) -> None:
    window = make(SPEC)
    window.change("training.stop_after", 0)
    pair = begin(qtbot, window)
    window.change("network.batch_norm", True)
    settled(qtbot, pair)
    window.copy_session()
    text = QGuiApplication.clipboard().text()
    assert text.startswith("gradviz:2:")
    session = window.sessions.present()
    assert session is not None
    assert session.against is not None
    other = make(OTHER)
    qtbot.keyClick(other, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    a, b = two(qtbot, other)
    assert (a.spec, b.spec, a.step, b.step) == (session.spec, session.against.spec, session.step, session.against.step)
    other.set_playing(True)
    plays_on(qtbot, other.compare.pair)  # type: ignore[union-attr]
    assert other.sessions.present().view.playing  # type: ignore[union-attr]


def test_the_second_run_tells_how_far_it_is_and_can_be_stopped(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(OTHER)
    long = SessionFile((Settings(0, LONG),), 3, 3, view=View(playing=True), against=SessionFile((Settings(0, RELU),), 9_000_000, 9_000_000))
    write_session(long, tmp_path / "long.gradviz.json")
    assert window.sessions.open(tmp_path / "long.gradviz.json")
    qtbot.waitUntil(lambda: window.compare is not None and "Opening B" in window.compare.banner.text, timeout=PATIENCE)
    assert window.compare is not None
    assert window.compare.cover.isVisible()  # no picture that belongs to something else
    present = window.sessions.present()
    assert present is not None
    assert present.against == long.against  # so that saving loses nothing
    button = next(button for button in window.compare.banner.buttons if button.text() == STOP)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.compare is None
    qtbot.waitUntil(lambda: window.run.settled and window.run.wanted_spec == LONG, timeout=PATIENCE)


def test_both_are_there_again_after_a_crash(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "autosave"
    monkeypatch.setattr(autosave, "folder_of_autosaves", lambda: folder)
    monkeypatch.setattr(autosave, "BEGIN_MILLISECONDS", 10)
    monkeypatch.setattr(autosave, "SAVE_MILLISECONDS", 100)
    window, other = MainWindow(LONG), None
    try:
        qtbot.addWidget(window)
        window.show()
        qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.step > 5, timeout=PATIENCE)
        pair = begin(qtbot, window)
        at_rest(qtbot, pair)
        window.change("network.activation", "relu")
        plays_on(qtbot, pair)
        a, b = at_rest(qtbot, pair)
        for run in pair.runs:
            run.keep_now()

        def saved() -> bool:
            found = [read_leftover(path) for path in folder.glob("*.autosave")]
            return any(session == window.sessions.present() and kept and beside for session, kept, beside in found)

        qtbot.waitUntil(saved, timeout=PATIENCE)
        content = next(folder.glob("*.autosave")).read_bytes()
        window.close()
        window.shut_down()
        (folder / "crashed.autosave").write_bytes(content)
        other = MainWindow(OTHER)
        qtbot.addWidget(other)
        other.show()
        qtbot.waitUntil(lambda: other.overlays.banner.isVisible(), timeout=PATIENCE)
        button = next(button for button in other.overlays.banner.buttons if button.text() == RESTORE)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        again = two(qtbot, other)
        for one, found in zip((a, b), again, strict=True):
            assert (found.spec, found.step, found.loss) == (one.spec, one.step, one.loss)
        qtbot.waitUntil(lambda: not (folder / "crashed.autosave").exists(), timeout=PATIENCE)
        (own,) = folder.glob("*.autosave")
        session = read_leftover(own)[0]
        assert session.against is not None
        assert session.against.spec == b.spec
    finally:
        for each in (window, other):
            if each is not None:
                each.close()
                each.shut_down()


# ---- what is saved of a net and a panel while there are two


def test_the_net_of_the_side_that_is_named_is_saved(qtbot: QtBot, make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = make(SPEC)
    pair = begin(qtbot, window)
    at_rest(qtbot, pair)
    window.change("network.activation", "relu")
    settled(qtbot, pair)
    asked: list[tuple[str, str]] = []

    def answer(_: object, title: str, suggestion: str, kinds: str) -> tuple[str, str]:
        asked.append((title, Path(suggestion).name))
        return str(tmp_path / Path(suggestion).name), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    window.export_menu.list_panels()
    actions = {action.text(): action for action in window.export_menu._nets.actions()}
    for side, activation in (("A", "sigmoid"), ("B", "relu")):
        actions[f"Weights of {side} (safetensors)…"].trigger()
        path = tmp_path / f"gradviz-net-{side.lower()}.safetensors"
        assert asked[-1] == (f"Save net of {side}", path.name)
        qtbot.waitUntil(path.exists, timeout=PATIENCE)
        assert read_weights(path).spec.network.activation == activation
    window.toggle_compare()
    window.export_menu.list_panels()
    texts = [action.text() for action in window.export_menu._nets.actions() if not action.isSeparator()]
    assert texts == ["Weights (safetensors)…", "NumPy source…", "PyTorch source…"]
    window.export_menu.save_net("weights", "B")
    assert len(asked) == 2
    assert "Nothing was saved" in window.status.message.text


def test_a_comparison_that_ends_while_a_file_is_being_named(
    qtbot: QtBot,
    make: Maker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = make(SPEC)
    pair = begin(qtbot, window)
    at_rest(qtbot, pair)
    menu = window.export_menu

    def answer(_: object, title: str, suggestion: str, kinds: str) -> tuple[str, str]:
        window.toggle_compare()
        return str(tmp_path / Path(suggestion).name), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    for save in (
        lambda: menu.save_picture("gradients_a"),
        lambda: menu.save_picture("figure"),
        lambda: menu.save_numbers("gradients_b"),
        lambda: menu.save_numbers("compare"),
        lambda: menu.save_net("weights", "B"),
    ):
        if window.compare is None:
            at_rest(qtbot, begin(qtbot, window))
        window.status.say("", 0.01)
        save()
        assert window.compare is None
        assert "Nothing was saved" in window.status.message.text
    for write in (menu.write_picture, menu.write_numbers):
        assert not write("gradients_a", tmp_path / "late.svg")
        assert "Nothing was saved" in window.overlays.banner.text
    menu.copy_numbers("losses")
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".svg", ".csv", ".safetensors")]
