"""Sessions in the real window: saved, opened in another window with the same picture, undone, pasted, dropped, refused."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from gradviz.session_file import SessionFile, Settings, read_session, write_session
from gradviz.snapshot import Held, Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.view import View
from gradviz.weights_file import read_weights
from tests.ui.live import PATIENCE, Maker, Ready, settled
from ui.lab_page import LabPage
from ui.main_window import MainWindow
from ui.panels import LAB
from ui.panels.activation_lab import ActivationLabPanel
from ui.panels.clipping import ClippingPanel
from ui.panels.hardware import HardwarePanel
from ui.panels.lab_page import LabPanel
from ui.selection import Selection

SPEC = Spec(NetworkSpec(depth=5, width=5), DataSpec(samples=80), TrainingSpec(seed=5, stop_after=30))
OTHER = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(seed=2, stop_after=5))
Kind = TypeVar("Kind", bound=LabPanel)


def settle(qtbot: QtBot, window: MainWindow, ready: Ready) -> Snapshot:
    return settled(qtbot, window, lambda s: s.prediction is not None and ready(s))


def picture(qtbot: QtBot, window: MainWindow) -> QImage:
    """The window once it has come to rest: what was asked for has come, what was said is gone, and nothing changes any more."""
    window.canvas.setFocus(Qt.FocusReason.MouseFocusReason)
    window.status.say("", 0.01)
    window.status.fit()  # how wide its numbers have been is no part of the run either
    found = QImage()
    for _ in range(20):
        before = found
        qtbot.wait(400)
        window.status.frames.hide()  # how fast it is drawn is no part of the run
        found = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        if found == before:
            return found
    raise AssertionError("the window does not come to rest")


def worked_on(qtbot: QtBot, make: Maker, page: str) -> MainWindow:
    """A window with a run that was changed on the way and taken back, looked at closely."""
    window = make(SPEC)
    window.change("training.stop_after", 50)
    window.change("training.learning_rate", 0.03)
    window.run.play()
    settle(qtbot, window, lambda s: s.step == 50 and not s.playing)
    window.run.go_to(40)
    settle(qtbot, window, lambda s: s.step == 40)
    window.change("training.learning_rate", 0.5)  # a branch: the line before is its ghost
    settle(qtbot, window, lambda s: s.spec.training.learning_rate == 0.5)
    window.run.play()
    settle(qtbot, window, lambda s: s.step == 50 and not s.playing and s.ghost is not None)
    window.run.go_to(44)
    settle(qtbot, window, lambda s: s.step == 44)
    window.step_layer()
    settle(qtbot, window, lambda s: s.moment is not None)
    window.select_weakest()
    window.show_page(page)
    window.set_speed(60.0)
    window.body.setSizes([300, 700, 400])
    return window


def differing(one: QImage, other: QImage) -> list[tuple[int, int]]:
    assert one.size() == other.size()
    return [(x, y) for y in range(one.height()) for x in range(0, one.width(), 3) if one.pixel(x, y) != other.pixel(x, y)]


@pytest.mark.parametrize("page", ["chain", "inspect", "lab"])
def test_a_session_opens_in_another_window_with_the_same_picture(qtbot: QtBot, make: Maker, tmp_path: Path, page: str) -> None:
    window = worked_on(qtbot, make, page)
    window.sessions.set_words("Two rates", "At step 30 η becomes smaller.")
    path = tmp_path / "two rates.gradviz.json"
    wanted = picture(qtbot, window)
    assert window.sessions.write(path)
    wanted = picture(qtbot, window)
    other = make(OTHER)
    assert other.sessions.open(path)
    snapshot = settle(qtbot, other, lambda s: s.spec.training.seed == 5)
    assert (snapshot.step, snapshot.last_step) == (44, 50)
    assert snapshot.moment is not None
    assert snapshot.moment.done == 1
    assert other.windowTitle() == "Two rates – GradViz"
    assert other.sessions.recent == [path]
    assert other.speed == 60.0
    found = picture(qtbot, other)
    places = differing(wanted, found)
    if places:  # so that one can see what it was
        wanted.save(str(tmp_path / "wanted.png"))
        found.save(str(tmp_path / "found.png"))
    xs, ys = [x for x, _ in places], [y for _, y in places]
    assert not places, f"{len(places)} pixels differ, from ({min(xs)}, {min(ys)}) to ({max(xs)}, {max(ys)}); pictures in {tmp_path}"
    again = tmp_path / "again.gradviz.json"
    assert other.sessions.write(again)
    assert read_session(again) == read_session(path)
    other.undo()
    settle(qtbot, other, lambda s: s.spec == OTHER and s.step == 5)
    assert other.sessions.path is None
    other.redo()
    settle(qtbot, other, lambda s: s.spec.training.seed == 5 and s.step == 44)


RESIDUAL = Spec(NetworkSpec(depth=5, width=5, skip_every=2), DataSpec(samples=80), TrainingSpec(seed=5, stop_after=30))


def set_part(window: MainWindow) -> None:
    lab = lab_of(window)
    panel = lab.panel
    assert isinstance(panel, ActivationLabPanel)
    panel.show_part("linear")
    panel.linear.choose("tanh")
    panel.linear.take(0.5, 1.5, -2.0)
    panel.refresh()


def lab_of(window: MainWindow) -> LabPage:
    assert window.lab is not None
    return window.lab


def lab_panel(window: MainWindow, kind: type[Kind]) -> Kind:
    panel = lab_of(window).panel
    assert isinstance(panel, kind)
    return panel


SETTINGS: dict[str, Callable[[MainWindow], None]] = {
    "activation": set_part,
    "clipping": lambda window: lab_panel(window, ClippingPanel).choose_pair(("layer01.weight[0,1]", "layer02.bias[0]")),
    "residual": lambda window: window.run.set_rival(True),
    "compressor": lambda window: window.look(lab_lag=30, lab_read=70),
    "hardware": lambda window: (lab_panel(window, HardwarePanel).choose_loss(0.5), lab_panel(window, HardwarePanel).choose_exponent(8)),
    "population": lambda window: None,
}


@pytest.mark.parametrize("view", list(SETTINGS))
def test_a_view_of_the_lab_opens_with_its_own_controls(qtbot: QtBot, make: Maker, tmp_path: Path, view: str) -> None:
    window = make(RESIDUAL)
    window.run.reset()  # so that here, too, there is something to be undone
    window.run.play()
    settle(qtbot, window, lambda s: s.step == 30 and not s.playing)
    window.show_lab(view)
    window.run.go_to(10)  # what the lab chooses by itself it has chosen at the end, and keeps
    settle(qtbot, window, lambda s: s.step == 10 and (s.lab is not None or view == "population"))
    window.run.go_to(30)
    settle(qtbot, window, lambda s: s.step == 30)
    SETTINGS[view](window)
    lab_panel(window, LabPanel).scroll_to(40)
    path = tmp_path / "lab.gradviz.json"
    picture(qtbot, window)  # it has come to rest
    assert window.sessions.write(path)
    wanted = picture(qtbot, window)
    other = make(OTHER)
    assert other.sessions.open(path)
    settle(qtbot, other, lambda s: s.spec == RESIDUAL and s.step == 30)
    found = picture(qtbot, other)
    places = differing(wanted, found)
    if places:
        wanted.save(str(tmp_path / "wanted.png"))
        found.save(str(tmp_path / "found.png"))
    assert not places, f"{len(places)} pixels differ; pictures in {tmp_path}"
    again = tmp_path / "again.gradviz.json"
    assert other.sessions.write(again)
    assert read_session(again) == read_session(path)


def test_what_was_chosen_by_itself_is_chosen_again(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    window.run.go_to(0)
    settle(qtbot, window, lambda s: s.step == 0)
    window.step()
    settle(qtbot, window, lambda s: s.step == 1)
    window.show_chain()
    window.select(Selection("layer", 2))
    first = settle(qtbot, window, lambda s: s.chain is not None and s.chain.layer == 2).held
    window.run.go_to(30)
    assert settle(qtbot, window, lambda s: s.step == 30).held == first
    path = tmp_path / "held.gradviz.json"
    assert window.sessions.write(path)
    other = make(OTHER)
    assert other.sessions.open(path)
    settle(qtbot, other, lambda s: s.step == 30 and s.held == first and s.chain is not None)
    assert first.place is not None
    other.select(Selection("layer", 1))
    settle(qtbot, other, lambda s: s.chain is not None and s.chain.layer == 1)
    assert other.run.look.held == Held()


def test_a_lesson_in_front_is_there_again(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    window.show_lessons()
    assert window.lesson is not None
    name = window.lesson.lessons[3].name
    window.lesson.open_lesson(name)
    path = tmp_path / "lesson.gradviz.json"
    assert window.sessions.write(path)
    other = make(OTHER)
    assert other.sessions.open(path)
    settle(qtbot, other, lambda s: s.spec == SPEC)
    assert other.lesson is not None
    assert other.lesson.lesson is not None
    assert other.lesson.lesson.name == name


def test_a_table_that_has_moved_or_changed(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    folder, table = tmp_path / "first", tmp_path / "first" / "numbers.csv"
    folder.mkdir()
    table.write_text("a,b,c\n" + "".join(f"{n},{n * n % 7},{n % 2}\n" for n in range(40)))
    window = make(OTHER)
    window.use_data_file(table)
    settle(qtbot, window, lambda s: s.spec.data.name == "csv")
    path = folder / "run.gradviz.json"
    assert window.sessions.write(path)
    assert read_session(path).tables[0].relative == "numbers.csv"
    moved = tmp_path / "second"
    folder.rename(moved)
    other = make(OTHER)
    assert other.sessions.open(moved / "run.gradviz.json")  # found beside it
    snapshot = settle(qtbot, other, lambda s: s.spec.data.name == "csv")
    assert window.run.snapshot is not None
    assert snapshot.loss == window.run.snapshot.loss
    other.undo()
    settle(qtbot, other, lambda s: s.spec == OTHER)
    (moved / "numbers.csv").rename(tmp_path / "renamed.csv")
    assert not other.sessions.open(moved / "run.gradviz.json")
    assert "numbers.csv" in other.overlays.banner.text
    assert str(moved) in other.overlays.banner.text
    assert [button.text() for button in other.overlays.banner.buttons] == ["Dismiss", "Find the table…"]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text((tmp_path / "renamed.csv").read_text().replace("3", "4"))
    assert not other.sessions.take_table(wrong)
    assert "other numbers" in other.overlays.banner.text
    assert other.run.wanted_spec == OTHER
    assert other.sessions.take_table(tmp_path / "renamed.csv")
    again = settle(qtbot, other, lambda s: s.spec.data.name == "csv")
    assert again.loss == snapshot.loss
def test_a_session_keeps_every_view_of_the_lab(make: Maker) -> None:
    window = make(SPEC)
    for view in LAB:
        window.show_lab(view)
        session = window.sessions.present()
        assert session is not None
        assert session.view.lab == view


def test_a_text_goes_over_the_clipboard(qtbot: QtBot, make: Maker) -> None:
    window = make(SPEC)
    window.copy_session()
    text = QGuiApplication.clipboard().text()
    assert text.startswith("gradviz:1:")
    other = make(OTHER)
    QGuiApplication.clipboard().setText("> " + text.replace("\n", "\n> "))
    qtbot.keyClick(other, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, other, lambda s: s.spec == SPEC and s.step == 30)
    assert other.sessions.path is None


def test_what_is_wrong_is_told_and_the_run_stays(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    before = window.run.snapshot
    path = tmp_path / "bad.gradviz.json"
    path.write_text("{}")
    missing = tmp_path / "data.gradviz.json"
    spec = SPEC.replace("data.name", "csv").replace("data.path", str(tmp_path / "none.csv"))
    write_session(SessionFile((Settings(0, spec),), 3, 3), missing)
    assert not window.sessions.open(path)
    assert "no GradViz session" in window.overlays.banner.text
    assert not window.sessions.open_text("gradviz:1:abc:00000000")
    assert "check sum" in window.overlays.banner.text
    assert not window.sessions.open(missing)
    assert "none.csv" in window.overlays.banner.text
    assert str(tmp_path) in window.overlays.banner.text
    qtbot.waitUntil(lambda: window.run.settled and not window.run.is_opening, timeout=PATIENCE)
    assert window.run.wanted_spec == SPEC
    assert window.run.snapshot is not None
    assert before is not None
    assert window.run.snapshot.step == before.step
    assert not window.run.undo_stack.canUndo()
    folder = tmp_path / "folder"
    folder.mkdir()
    assert not window.sessions.write(folder)
    assert "could not be written" in window.overlays.banner.text


def test_a_long_opening_tells_how_far_it_is_and_can_be_stopped(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    path = tmp_path / "long.gradviz.json"
    write_session(SessionFile((Settings(0, OTHER),), 9_000_000, 9_000_000), path)
    window.sessions.open(path)
    qtbot.waitUntil(lambda: "of 9,000,000" in window.overlays.banner.text, timeout=PATIENCE)
    assert window.run.snapshot is not None
    assert window.run.snapshot.spec == SPEC
    time.sleep(0.5)  # so that word of how far it is is under way when it is stopped
    qtbot.mouseClick(window.overlays.banner.buttons[-1], Qt.MouseButton.LeftButton)
    settle(qtbot, window, lambda s: s.spec == SPEC and s.step == 30)
    assert not window.run.is_opening
    assert not window.overlays.banner.isVisible()
    window.change("training.learning_rate", 0.5)
    settle(qtbot, window, lambda s: s.spec.training.learning_rate == 0.5)


def test_a_session_opens_while_the_network_is_hidden(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    path, window = tmp_path / "deeper.gradviz.json", make(OTHER)
    write_session(SessionFile((Settings(0, SPEC),), 3, 3), path)
    window.body.hide()  # as behind the game
    assert window.sessions.open(path)
    settle(qtbot, window, lambda s: s.spec == SPEC)
    net = window.canvas.snapshot
    assert net is not None
    assert net.spec == SPEC
    assert window.canvas.columns.layers == len(net.architecture.layers)
    window.body.show()
    assert not window.canvas.grab().isNull()


def test_what_is_done_while_a_run_is_opened_is_done_to_the_opened_one(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    path = tmp_path / "run.gradviz.json"
    write_session(SessionFile((Settings(0, OTHER),), 300, 300), path)
    window.sessions.open(path)
    window.step()
    settle(qtbot, window, lambda s: s.spec == OTHER and s.step == 301)


def test_files_are_dropped_and_listed(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    path = tmp_path / "run.gradviz.json"
    write_session(SessionFile((Settings(0, OTHER),), 3, 3, view=View(page="inspect", right=False, playing=True)), path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, left, none)
    window.dragEnterEvent(entered)
    assert entered.isAccepted()
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, left, none))
    settle(qtbot, window, lambda s: s.spec == OTHER and s.step == 5)  # it played on to where it stops
    assert not window.dock.isVisible()
    path.unlink()
    window.sessions.open_recent(path)
    assert window.sessions.recent == []
    assert "not there any more" in window.overlays.banner.text


def test_title_and_notes_have_a_page(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    window.show_notes()
    assert window.notes is not None
    window.notes.title.setText("Why L1 sleeps")
    window.notes.notes.setPlainText("one\ntwo")
    assert window.windowTitle() == "Why L1 sleeps – GradViz"
    path = tmp_path / "run.gradviz.json"
    assert window.sessions.write(path)
    read = read_session(path)
    assert (read.title, read.notes, read.view.left_page) == ("Why L1 sleeps", "one\ntwo", "notes")


def test_the_net_is_saved_by_the_engine(qtbot: QtBot, make: Maker, tmp_path: Path) -> None:
    window = make(SPEC)
    said: list[tuple[str, str]] = []
    window.run.told.connect(lambda kind, text: said.append((kind, text)))
    for kind, name in (("weights", "net.safetensors"), ("numpy", "net.py"), ("torch", "again.py"), ("weights", "none/net.safetensors")):
        said.clear()
        window.run.save_net(kind, tmp_path / name)
        qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
        assert said[0][0] == ("error" if "none" in name else "notice")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "again.npz",
        "again.py",
        "net.npz",
        "net.py",
        "net.safetensors",
    ]
    weights = read_weights(tmp_path / "net.safetensors")
    assert (weights.spec, weights.step) == (SPEC, 30)
    assert window.run.snapshot is not None
    assert window.run.snapshot.spec == SPEC


@pytest.mark.parametrize("lab", LAB)
def test_a_session_keeps_each_view_of_the_lab(tmp_path: Path, lab: str) -> None:
    write_session(SessionFile((Settings(0, OTHER),), 0, 0, view=View(page="lab", lab=lab)), tmp_path / "x.gradviz.json")
    assert read_session(tmp_path / "x.gradviz.json").view.lab == lab
