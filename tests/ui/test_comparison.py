"""Two runs compared in the real window with real engines: in step, one change apart, and out again by every way."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, opened
from ui.comparison import Comparison
from ui.main_window import MainWindow

SPEC = Spec(NetworkSpec(depth=4, width=5, activation="tanh"), DataSpec(samples=80), TrainingSpec(seed=5, optimizer="adam", batch_size=16))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, SPEC, lambda s: s.step > 5)


def begin(qtbot: QtBot, window: MainWindow) -> Comparison:
    window.toggle_compare()
    return begun(qtbot, window)


def begun(qtbot: QtBot, window: MainWindow) -> Comparison:
    assert window.compare is not None
    pair = window.compare.pair
    qtbot.waitUntil(lambda: pair.other is not None and pair.settled and not pair.other.is_reviving, timeout=PATIENCE)
    return pair


def at_rest(qtbot: QtBot, pair: Comparison) -> tuple[Snapshot, Snapshot]:
    pair.pause()
    return settled(qtbot, pair)


def settled(qtbot: QtBot, pair: Comparison) -> tuple[Snapshot, Snapshot]:
    qtbot.waitUntil(lambda: pair.settled and not pair.playing, timeout=PATIENCE)
    assert pair._shown is not None
    shown = pair.run_of("A").snapshot, pair.run_of("B").snapshot
    assert shown[0] is not None
    assert shown[1] is not None
    return shown[0], shown[1]


def plays_on(qtbot: QtBot, pair: Comparison, steps: int = 50) -> None:
    first = [run.snapshot.step for run in pair.runs if run.snapshot is not None]
    pair.play()
    qtbot.waitUntil(lambda: all(run.snapshot.step > step + steps for run, step in zip(pair.runs, first, strict=True)), timeout=PATIENCE)  # type: ignore[union-attr]


def alone(spec: Spec, steps: int, changes: dict[int, Spec] | None = None) -> Experiment:
    experiment = Experiment(spec)
    while experiment.step_count < steps:
        if changes and experiment.step_count in changes:
            experiment.apply(changes[experiment.step_count])
        experiment.advance()
    return experiment


def same(snapshot: Snapshot, experiment: Experiment) -> None:
    assert snapshot.step == experiment.step_count
    assert snapshot.loss == experiment.snapshot().loss
    assert snapshot.history is not None
    np.testing.assert_array_equal(snapshot.history.loss, experiment.history.table().loss)


def test_b_begins_as_a_copy_and_both_stay_in_step(qtbot: QtBot, window: MainWindow) -> None:
    pair = begin(qtbot, window)
    pairs: list[tuple[int, int, bool]] = []
    pair.pair_came.connect(lambda a, b: pairs.append((a.step, b.step, a.playing and b.playing)))
    plays_on(qtbot, pair)
    qtbot.waitUntil(lambda: sum(playing for _, _, playing in pairs) > 10, timeout=PATIENCE)
    a, b = at_rest(qtbot, pair)
    assert all(first == second for first, second, playing in pairs if playing)
    assert pairs[-1][:2] == (a.step, b.step)
    assert a.step == b.step
    same(a, alone(SPEC, a.step))
    same(b, alone(SPEC, a.step))
    assert "lockstep" in window.status.pace.value


def test_one_change_on_b_and_undo(qtbot: QtBot, window: MainWindow) -> None:
    pair = begin(qtbot, window)
    step = at_rest(qtbot, pair)[0].step
    assert window.compare is not None
    window.change("network.activation", "relu")
    plays_on(qtbot, pair)
    a, b = at_rest(qtbot, pair)
    assert (a.spec, b.spec) == (SPEC, SPEC.replace("network.activation", "relu"))
    same(a, alone(SPEC, a.step))
    same(b, alone(SPEC, a.step, {step: b.spec}))
    window.change("training.learning_rate", 0.5)
    settled(qtbot, pair)
    window.undo()
    qtbot.waitUntil(lambda: pair.run_of("B").snapshot.spec == b.spec, timeout=PATIENCE)  # type: ignore[union-attr]
    window.undo()
    qtbot.waitUntil(lambda: pair.run_of("B").snapshot.spec == SPEC, timeout=PATIENCE)  # type: ignore[union-attr]
    window.redo()
    qtbot.waitUntil(lambda: pair.run_of("B").snapshot.spec == b.spec, timeout=PATIENCE)  # type: ignore[union-attr]


@pytest.mark.parametrize("playing", [False, True])
def test_a_side_that_begins_anew_catches_up(qtbot: QtBot, window: MainWindow, playing: bool) -> None:
    pair = begin(qtbot, window)
    if not playing:
        step = at_rest(qtbot, pair)[0].step
    window.change("network.depth", 6)
    if playing:
        qtbot.waitUntil(lambda: len(pair.run_of("B").snapshot.architecture.layers) == 7, timeout=PATIENCE)  # type: ignore[union-attr]
        plays_on(qtbot, pair)
        a, b = at_rest(qtbot, pair)
    else:
        a, b = settled(qtbot, pair)
        assert a.step == step
    assert a.step == b.step
    same(b, alone(SPEC.replace("network.depth", 6), a.step))
    pair.walk("step_layer")
    a, b = settled(qtbot, pair)
    assert a.moment is not None
    assert b.moment is not None
    assert (a.moment.kind, b.moment.kind) == ("forward", "forward")
    assert (a.moment.next_kind, b.moment.next_kind) == ("loss", "loss")


def test_back_in_time_and_seed_belong_to_both(qtbot: QtBot, window: MainWindow) -> None:
    pair = begin(qtbot, window)
    last = at_rest(qtbot, pair)[0].step
    pair.go_to(3)
    a, b = settled(qtbot, pair)
    assert (a.step, b.step, a.last_step) == (3, 3, last)
    pair.walk("back")
    a, b = settled(qtbot, pair)
    assert (a.step, b.step) == (2, 2)
    window.change("network.depth", 5)
    pair.go_to(last)
    a, b = settled(qtbot, pair)
    assert (a.step, b.step) == (last, last)
    window.change("training.seed", 9)
    a, b = settled(qtbot, pair)
    assert (a.spec.training.seed, b.spec.training.seed) == (9, 9)
    window.undo()
    qtbot.waitUntil(lambda: all(run.snapshot.spec.training.seed == 5 for run in pair.runs), timeout=PATIENCE)  # type: ignore[union-attr]


def test_a_side_that_diverges_stays_and_the_other_goes_on(qtbot: QtBot, window: MainWindow) -> None:
    pair = begin(qtbot, window)
    at_rest(qtbot, pair)
    for path, value in (("training.optimizer", "sgd"), ("network.activation", "identity"), ("training.learning_rate", 1000.0)):
        window.change(path, value)
    pair.play()
    qtbot.waitUntil(lambda: pair.run_of("B").snapshot.diverged, timeout=PATIENCE)  # type: ignore[union-attr]
    failed = pair.run_of("B").snapshot
    assert failed is not None
    qtbot.waitUntil(lambda: pair.run_of("A").snapshot.step > failed.step + 50, timeout=PATIENCE)  # type: ignore[union-attr]
    a, b = at_rest(qtbot, pair)
    assert b.step == failed.step < a.step
    assert pair._shown is not None
    assert pair._shown[1].diverged


def test_swap_and_adopt_and_undo(qtbot: QtBot, window: MainWindow) -> None:
    pair = begin(qtbot, window)
    step = at_rest(qtbot, pair)[0].step
    window.change("network.activation", "relu")
    plays_on(qtbot, pair)
    before, changed = at_rest(qtbot, pair)
    assert window.compare is not None
    window.compare.swap()
    assert pair.run_of("A").wanted_spec == changed.spec
    window.compare.adopt("A")
    qtbot.waitUntil(lambda: window.compare is None and window.run.settled, timeout=PATIENCE)
    adopted = window.run.snapshot
    assert adopted is not None
    assert adopted.spec == changed.spec
    same(adopted, alone(SPEC, adopted.step, {step: changed.spec}))
    assert window.centre.isVisible()
    assert window.dock.isVisible()
    window.step()
    qtbot.waitUntil(lambda: window.run.snapshot.step == changed.step + 1, timeout=PATIENCE)  # type: ignore[union-attr]
    same(window.run.snapshot, alone(SPEC, changed.step + 1, {step: changed.spec}))  # type: ignore[arg-type]
    window.undo()
    qtbot.waitUntil(lambda: window.run.snapshot.spec == SPEC, timeout=PATIENCE)  # type: ignore[union-attr]
    same(window.run.snapshot, alone(SPEC, before.step))  # type: ignore[arg-type]


def test_drop_b_and_compare_again(qtbot: QtBot, window: MainWindow) -> None:
    pair = begin(qtbot, window)
    other = pair.other
    assert other is not None
    at_rest(qtbot, pair)
    window.compare.page.drop_wanted.emit("B")  # type: ignore[union-attr]
    assert window.compare is None
    qtbot.waitUntil(lambda: other.is_lost, timeout=PATIENCE)
    window.step()
    step = window.run.snapshot.step  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: window.run.snapshot.step > step, timeout=PATIENCE)  # type: ignore[union-attr]
    a, b = at_rest(qtbot, begin(qtbot, window))
    assert (a.step, a.loss) == (b.step, b.loss)


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_killed_engine_comes_back_and_catches_up(qtbot: QtBot, window: MainWindow, side: str) -> None:
    pair = begin(qtbot, window)
    plays_on(qtbot, pair)
    run = pair.run_of(side)
    engine = run._engine
    assert engine is not None
    assert engine.process_id is not None
    with qtbot.waitSignal(run.revived, timeout=PATIENCE):
        os.kill(engine.process_id, signal.SIGKILL)
    plays_on(qtbot, pair)
    a, b = at_rest(qtbot, pair)
    assert a.step == b.step
    same(a, alone(SPEC, a.step))
    same(b, alone(SPEC, a.step))


def test_with_a_spec_of_its_own_b_begins_at_the_first_step(qtbot: QtBot, window: MainWindow) -> None:
    window.set_playing(False)
    qtbot.waitUntil(lambda: window.run.settled and not window.run.playing, timeout=PATIENCE)
    spec, here = SPEC.replace("network.activation", "relu"), window.run.snapshot.step  # type: ignore[union-attr]
    window.compare_with(spec)
    a, b = settled(qtbot, begun(qtbot, window))
    assert (a.step, b.step) == (here, here)
    same(b, alone(spec, here))
    window.compare_with(spec, play_for=here + 30)
    a, b = settled(qtbot, begun(qtbot, window))
    assert (a.step, b.step) == (here + 30, here + 30)
    window.compare_with(spec, play_for=4)
    a, b = settled(qtbot, begun(qtbot, window))
    assert (a.step, b.step) == (4, 4)
    assert a.last_step == here + 30


def test_closing_with_both_engines_leaves_none(qtbot: QtBot) -> None:
    window = MainWindow(SPEC)
    window.show()
    qtbot.waitUntil(lambda: window.run.snapshot is not None, timeout=PATIENCE)
    pair = begin(qtbot, window)
    plays_on(qtbot, pair)
    processes = [run._engine.process_id for run in pair.runs]  # type: ignore[union-attr]
    begin_time = time.monotonic()
    window.close()
    window.shut_down()
    assert time.monotonic() - begin_time < 2.0
    for process in processes:
        assert process is not None
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    window.deleteLater()


def test_what_is_exported_while_comparing(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    pair = begin(qtbot, window)
    at_rest(qtbot, pair)
    window.change("network.activation", "relu")
    settled(qtbot, pair)
    menu = window.export_menu
    menu.list_panels()
    assert window.compare is not None
    for name in ("figure", "window", *(panel.name for panel in window.compare.page.panels)):
        assert menu.write_picture(name, tmp_path / f"{name}.svg")
    assert "ReLU" in (tmp_path / "figure.svg").read_text()
    assert menu.write_numbers("losses", tmp_path / "losses.csv")
    assert len((tmp_path / "losses.csv").read_text().splitlines()) > 5


def test_choices_of_an_animation_of_both_end_with_the_comparison(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    pair = begin(qtbot, window)
    at_rest(qtbot, pair)
    window.export_menu.save_animation()
    dialog = window.export_menu.movie
    assert dialog is not None
    assert dialog.view.currentData() == "compare"
    window.toggle_compare()
    dialog.save_as(tmp_path / "both.gif")
    assert not dialog.working
    assert "Nothing was saved" in window.status.message.text
    assert not (tmp_path / "both.gif").exists()
    qtbot.waitUntil(lambda: window.export_menu.movie is None, timeout=PATIENCE)


def test_a_session_that_is_opened_ends_the_comparison(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    assert window.sessions.write(path)
    begin(qtbot, window)
    window.toggle_left()
    window.change("network.depth", 6)
    assert window.sessions.open(path)
    qtbot.waitUntil(lambda: window.compare is None and window.run.settled, timeout=PATIENCE)
    assert window.dock.isVisible()
    assert window.run.wanted_spec == SPEC


def test_a_preset_or_a_data_file_while_comparing(qtbot: QtBot, window: MainWindow) -> None:
    begin(qtbot, window)
    window.load_preset("dead-relus")
    assert window.compare is None
    window.load_preset("compare-relu")
    pair = begun(qtbot, window)
    plays_on(qtbot, pair)
    a, b = at_rest(qtbot, pair)
    assert a.step == b.step
    assert a.spec.network.activation != b.spec.network.activation == "relu"


def test_theory_is_shown_and_hidden_on_both_sides(qtbot: QtBot, window: MainWindow) -> None:
    window.toggle_theory()
    begin(qtbot, window)
    assert window.compare is not None
    sides = window.compare.page.sides.values()
    assert [side.bars.show_theory for side in sides] == [False, False]
    window.toggle_theory()
    assert [side.bars.show_theory for side in sides] == [True, True]
    window.compare.page.sides["B"].bars.theory_wanted.emit()
    assert [side.bars.show_theory for side in sides] == [False, False]
    assert not window.profile.show_theory
