"""The engine is killed: the window stays, says so, and the run comes back at the same step with the same numbers."""

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from ui import live_run
from ui.main_window import MainWindow
from ui.overlays import RESTART

SPEC = Spec(NetworkSpec(depth=5, width=6, activation="tanh"), DataSpec(samples=80), TrainingSpec(seed=5, optimizer="adam", batch_size=16))
PATIENCE = 20_000


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr(live_run, "KEEP_SECONDS", 0.2)
    made = MainWindow(SPEC)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.run.kept_run is not None, timeout=PATIENCE)
    yield made
    made.close()


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
    def rests() -> bool:
        snapshot = window.run.snapshot
        return window.run.settled and snapshot is not None and not snapshot.playing and snapshot.details is not None

    qtbot.waitUntil(rests, timeout=PATIENCE)
    assert window.run.snapshot is not None
    return window.run.snapshot


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


def test_an_engine_that_dies_again_and_again_waits_for_the_user(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(live_run.MOST_REVIVALS):
        kill_and_wait(qtbot, window)
    kill(qtbot, window)
    button = window.overlays.banner.buttons[-1]
    assert button.text() == RESTART
    with qtbot.waitSignal(window.run.revived, timeout=PATIENCE):
        button.click()
    assert window.grab().rect().contains(QPoint(0, 0))
