"""The engine is killed: the window stays, says so, and the run comes back at the same step with the same numbers."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.lab_reports import ResidualReport
from gradviz.residual_report import rival_spec
from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.weights_file import read_weights
from tests.ui.live import PATIENCE, opened, settled
from ui import live_run
from ui.main_window import MainWindow
from ui.movie_dialog import MovieDialog
from ui.overlays import RESTART

SPEC = Spec(NetworkSpec(depth=5, width=6, activation="tanh"), DataSpec(samples=80), TrainingSpec(seed=5, optimizer="adam", batch_size=16))


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    monkeypatch.setattr(live_run, "KEEP_SECONDS", 0.2)
    made = opened(qtbot, SPEC)
    qtbot.waitUntil(lambda: made.run.kept_run is not None, timeout=PATIENCE)
    return made


def kill(qtbot: QtBot, window: MainWindow) -> None:
    engine = window.run._engine
    assert engine is not None
    assert engine.process_id is not None
    with qtbot.waitSignal(window.run.lost, timeout=PATIENCE):
        os.kill(engine.process_id, signal.SIGKILL)
    assert window.isVisible()
    assert window.overlays.banner.isVisible()
    assert "stopped" in window.overlays.banner.text


def kill_and_wait(qtbot: QtBot, window: MainWindow) -> tuple[Snapshot, Snapshot]:
    """What was shown before, and what is shown when the run stands again."""
    with qtbot.waitSignal(window.run.revived, timeout=PATIENCE):
        kill(qtbot, window)
        before = window.run.snapshot
        assert before is not None
    assert "started again" in window.overlays.banner.text
    assert window.run.snapshot is not None
    return before, window.run.snapshot


def at_rest(qtbot: QtBot, window: MainWindow) -> Snapshot:
    return settled(qtbot, window, lambda s: not s.playing and s.details is not None)


def assert_same(before: Snapshot, after: Snapshot) -> None:
    assert (after.step, after.last_step, after.moment) == (before.step, before.last_step, before.moment)
    assert after.loss == before.loss
    assert before.details is not None
    assert after.details is not None
    assert before.history is not None
    assert after.history is not None
    for name in ("edge_gradients", "edge_weights", "unit_deltas"):
        np.testing.assert_array_equal(getattr(before.details, name), getattr(after.details, name))
    np.testing.assert_array_equal(before.history.steps, after.history.steps)
    np.testing.assert_array_equal(before.history.loss, after.history.loss)
    assert (before.ghost is None) == (after.ghost is None)


def test_killed_while_training_it_goes_on(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(2):
        before, after = kill_and_wait(qtbot, window)
        assert after.step >= before.step
        qtbot.waitUntil(lambda step=after.step: window.run.snapshot.step > step, timeout=PATIENCE)  # type: ignore[union-attr]
    window.run.pause()
    shown = at_rest(qtbot, window)
    alone = Experiment(SPEC)
    while alone.step_count < shown.step:
        alone.advance()
    assert shown.history is not None
    np.testing.assert_array_equal(shown.history.loss, alone.history.table().loss)
    assert shown.loss == alone.snapshot().loss


def test_undo_may_be_what_finds_the_engine_dead(qtbot: QtBot, window: MainWindow) -> None:
    """Its command is at work while the commands are dropped."""
    window.change("network.width", 7)
    qtbot.waitUntil(lambda: _width(window) == 7, timeout=PATIENCE)
    engine = window.run._engine
    assert engine is not None
    assert engine.process_id is not None
    with qtbot.waitSignal(window.run.revived, timeout=PATIENCE):
        os.kill(engine.process_id, signal.SIGKILL)
        os.waitid(os.P_PID, engine.process_id, os.WEXITED | os.WNOWAIT)
        window.undo()
    assert _width(window) == 7, "what was not told is not done"
    assert window.run.undo_stack.count() == 0


def _width(window: MainWindow) -> int:
    assert window.run.snapshot is not None
    return window.run.snapshot.spec.network.width


def test_killed_in_a_phase_walk_in_the_past_and_on_a_branch(qtbot: QtBot, window: MainWindow) -> None:
    window.run.pause()
    at_rest(qtbot, window)
    window.run.go_to(17)
    window.run.walk("step_phase")
    window.run.walk("step_layer")
    before = at_rest(qtbot, window)
    assert before.moment is not None
    assert before.last_step > 17
    assert_same(before, kill_and_wait(qtbot, window)[1])
    window.run.go_to(9)
    window.run.change(SPEC.replace("training.learning_rate", 0.004), "training.learning_rate")
    window.run.walk("step")
    before = at_rest(qtbot, window)
    assert before.ghost is not None
    _, after = kill_and_wait(qtbot, window)
    assert_same(before, after)


def test_killed_on_its_way_to_a_step_it_gets_there_and_pauses(qtbot: QtBot, window: MainWindow) -> None:
    window.run.pause()
    begin = at_rest(qtbot, window).step
    window.run.play_for(40_000)
    qtbot.waitUntil(lambda: window.run.snapshot is not None and begin < window.run.snapshot.step < begin + 30_000, timeout=PATIENCE)
    _, after = kill_and_wait(qtbot, window)
    assert after.step < begin + 40_000  # else it was not on its way any more
    qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.step >= begin + 40_000, timeout=2 * PATIENCE)
    assert at_rest(qtbot, window).step == begin + 40_000


def test_killed_with_the_rival_at_work_both_go_on(qtbot: QtBot, window: MainWindow) -> None:
    window.run.pause()
    window.show_lab("residual")
    window.run.set_rival(True)
    window.run.play()
    kill_and_wait(qtbot, window)
    window.run.pause()
    at_rest(qtbot, window)

    def losses() -> np.ndarray | None:
        snapshot = window.run.snapshot
        report = snapshot.lab if snapshot is not None else None
        rival = report.rival if isinstance(report, ResidualReport) else None
        whole = rival is not None and snapshot is not None and len(rival.steps) and int(rival.steps[-1]) == snapshot.step
        return rival.loss if whole and rival is not None else None

    qtbot.waitUntil(lambda: losses() is not None, timeout=2 * PATIENCE)
    assert window.run.snapshot is not None
    alone = Experiment(rival_spec(SPEC))
    while alone.step_count < window.run.snapshot.step:
        alone.advance()
    np.testing.assert_array_equal(losses(), alone.history.table().loss)


def test_killed_while_it_writes_the_net_no_half_a_file_is_left(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    window.run.save_net("weights", path)
    kill_and_wait(qtbot, window)
    if path.exists():  # it was faster
        assert read_weights(path).spec == SPEC
    said: list[str] = []
    window.run.told.connect(lambda kind, text: said.append(text))
    window.run.save_net("weights", path)
    qtbot.waitUntil(lambda: any(path.name in text for text in said), timeout=PATIENCE)
    assert read_weights(path).spec == SPEC
    assert [each.name for each in tmp_path.glob("*safetensors*")] == [path.name]


def test_an_animation_is_finished_though_the_engine_of_the_window_dies(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.run.pause()
    at_rest(qtbot, window)
    dialog = MovieDialog(window, lambda title, suffix: tmp_path / f"film{suffix}")
    dialog.show()
    dialog.save_as(tmp_path / "film.gif")
    kill_and_wait(qtbot, window)
    qtbot.waitUntil(lambda: (tmp_path / "film.gif").exists(), timeout=3 * PATIENCE)
    assert (tmp_path / "film.gif").read_bytes()[:6] == b"GIF89a"
    dialog.stop()
    dialog.close()


def test_an_engine_that_dies_again_and_again_waits_for_the_user(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(live_run.MOST_REVIVALS):
        kill_and_wait(qtbot, window)
    kill(qtbot, window)
    button = window.overlays.banner.buttons[-1]
    assert button.text() == RESTART
    with qtbot.waitSignal(window.run.revived, timeout=PATIENCE):
        button.click()
    assert window.grab().rect().contains(QPoint(0, 0))
