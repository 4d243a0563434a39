"""Commands in, snapshots out: playing, undo that brings the very same run back, and errors that become events."""

import gc
import math
import weakref
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.lab_reports import ResidualReport
from gradviz.messages import Frame, Request
from gradviz.session import Session
from gradviz.shelf import MOST_SHELVED
from gradviz.snapshot import Look
from gradviz.spectra import JacobianReport
from gradviz.speed import SpeedMeasurement

SMALL = Spec(NetworkSpec(depth=2, width=3), DataSpec(samples=40), TrainingSpec(batch_size=8))


def make(spec: Spec = SMALL, steps: int = 0) -> Session:
    session = Session(spec)
    for _ in range(steps):
        session.execute("step")
    return session


LOOKS = ("prediction", "edge", "picked", "chain", "example", "lab", "lab_lag", "lab_read", "lab_loss")


def ask(session: Session, **request: Any) -> Frame:
    shown = {name: request.pop(name) for name in LOOKS if name in request}
    frame = session.answer(Request(**request, look=Look(**({"prediction": False} | shown))))
    assert frame is not None
    return frame


def events(session: Session) -> list[tuple[str, str]]:
    return [(event.kind, event.text) for event in ask(session).events]


def test_step_does_one_step_and_pauses() -> None:
    session = make()
    session.execute("play")
    assert session.playing
    session.execute("step")
    assert not session.playing
    snapshot = ask(session).snapshot
    assert (snapshot.step, snapshot.playing, snapshot.steps_per_second) == (1, False, 0.0)


def test_playing_until_stop_after() -> None:
    session = make(SMALL.replace("training.stop_after", 7))
    assert session.wait_seconds() is None
    session.execute("play")
    assert session.wait_seconds() == 0.0
    session.run(600.0)  # comes back when the run pauses
    assert (session.experiment.step_count, session.playing, session.wait_seconds()) == (7, False, None)
    ((kind, text),) = events(session)
    assert kind == "notice"
    assert "7 steps" in text
    session.execute("play")
    assert not session.playing
    assert "7" in events(session)[0][1]
    session.execute("apply", session.experiment.spec.replace("training.stop_after", 9), 1)
    session.execute("play")
    session.run(600.0)
    assert session.experiment.step_count == 9


def test_a_stop_that_is_passed_already_pauses_too() -> None:
    session = make(steps=5)
    session.execute("play")
    session.execute("apply", SMALL.replace("training.stop_after", 3), 1)
    session.run(600.0)
    assert (session.experiment.step_count, session.playing) == (6, False)


def test_playing_and_stepping_train_alike() -> None:
    played, stepped = make(SMALL.replace("training.stop_after", 12)), make(SMALL, steps=12)
    played.execute("play")
    played.run(600.0)
    assert np.array_equal(played.experiment.network.vector, stepped.experiment.network.vector)


def test_a_slow_speed_waits_between_steps() -> None:
    session = make()
    session.execute("set_speed", 0.001)
    session.execute("play")
    for _ in range(3):
        session.run(0.01)
    assert session.experiment.step_count == 1
    wait = session.wait_seconds()
    assert wait is not None
    assert 0.0 < wait <= 1000.0
    session.execute("set_speed", None)
    assert session.wait_seconds() == 0.0
    session.execute("pause")
    session.run(0.01)
    assert session.experiment.step_count == 1


def test_a_diverged_run_pauses_by_itself_and_stays_so() -> None:
    network = NetworkSpec(depth=10, activation="relu", initializer="he_normal", gain=8.0)
    session = make(Spec(network, SMALL.data, TrainingSpec(loss="mse", learning_rate=10.0)))
    session.execute("play")
    session.run(600.0)
    failure = ask(session).snapshot.failure
    assert failure is not None
    assert session.experiment.step_count == failure.step
    for command in ("play", "step"):
        session.execute(command)
        assert (session.playing, session.experiment.step_count) == (False, failure.step)


def test_a_change_goes_on_with_the_run() -> None:
    session = make(steps=3)
    run = ask(session).run
    session.execute("apply", SMALL.replace("training.learning_rate", 0.5), 1)
    frame = ask(session)
    assert (frame.run, frame.snapshot.step, frame.snapshot.learning_rate, frame.events) == (run, 3, 0.5, ())


def test_undo_and_redo_bring_the_very_same_runs_back() -> None:
    session, untouched = make(steps=5), make(steps=5)
    run = session.experiment.line
    deeper = SMALL.replace("network.depth", 4)
    session.execute("apply", deeper, 1)
    ((kind, text),) = events(session)
    assert (kind, session.experiment.step_count) == ("notice", 0)
    assert session.experiment.line != run
    assert "seed 0" in text
    assert "2 → 4" in text
    for _ in range(3):
        session.execute("step")
    redone = session.experiment.network.vector.copy()

    session.execute("bring_back", SMALL, 1)
    assert (session.experiment.line, session.experiment.spec, session.experiment.step_count) == (run, SMALL, 5)
    assert np.array_equal(session.experiment.network.vector, untouched.experiment.network.vector)
    session.execute("bring_back", deeper, 1)
    assert (session.experiment.spec, session.experiment.step_count) == (deeper, 3)
    assert np.array_equal(session.experiment.network.vector, redone)
    session.execute("bring_back", SMALL, 1)
    for _ in range(4):
        session.execute("step")
        untouched.execute("step")
    assert np.array_equal(session.experiment.network.vector, untouched.experiment.network.vector)
    assert np.array_equal(session.experiment.history.table().loss, untouched.experiment.history.table().loss)


def test_undo_of_a_change_that_went_on_changes_back() -> None:
    session = make(steps=2)
    run = session.experiment.line
    session.execute("apply", SMALL.replace("network.activation", "relu"), 1)
    session.execute("step")
    session.execute("bring_back", SMALL, 1)
    assert (session.experiment.spec, session.experiment.step_count, session.experiment.line) == (SMALL, 3, run)


def test_restart_can_be_undone() -> None:
    session = make(steps=5)
    first = session.experiment
    session.execute("restart", SMALL, 1)
    assert session.experiment.step_count == 0
    assert np.array_equal(session.experiment.network.vector, make().experiment.network.vector)
    session.execute("bring_back", SMALL, 1)
    assert session.experiment is first


def test_only_the_last_runs_are_kept_and_older_ones_start_anew() -> None:
    session = make(steps=3)
    for ticket in range(MOST_SHELVED + 1):
        session.execute("apply", SMALL.replace("training.seed", ticket + 1), ticket)
    session.execute("bring_back", SMALL, 0)
    assert (session.experiment.spec, session.experiment.step_count) == (SMALL, 0)
    session.execute("bring_back", SMALL.replace("training.seed", 1), 1)
    assert session.experiment.spec.training.seed == 1


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (SMALL.replace("data.name", "csv"), ""),
        (Spec(NetworkSpec(depth=1000, width=1024)), "20,000,000 weights"),
        (SMALL.replace("data.name", "sine").replace("training.loss", "cross_entropy"), "training.loss"),
    ],
    ids=["csv", "too large", "loss"],
)
@pytest.mark.parametrize("command", ["apply", "restart", "bring_back"])
def test_what_cannot_be_done_becomes_an_event_and_changes_nothing(command: str, spec: Spec, part: str) -> None:
    session = make(steps=2)
    experiment = session.experiment
    run = experiment.line
    session.execute(command, spec, 1)
    ((kind, text),) = events(session)
    assert kind == "error"
    assert part in text
    assert (session.experiment, session.experiment.spec, session.experiment.line) == (experiment, SMALL, run)
    session.execute("step")
    assert session.experiment.step_count == 3
    assert ask(session).events == ()  # told once


def test_nothing_new_is_not_measured_again() -> None:
    session = make(steps=1)
    run = session.experiment.line
    request = Request(run=run, stride=1, look=Look(prediction=False))
    still = session.answer(request)
    assert still is not None
    assert still.snapshot.prediction is not None  # at rest all that is shown belongs to one moment, asked for or not
    assert session.answer(request) is None
    assert session.answer(Request(run=run, stride=1)) is None
    assert session.answer(Request(run=run, stride=1, look=Look(edge=(1, 0, 0)))) is not None
    assert session.answer(Request(look=Look(edge=(1, 0, 0)))) is not None  # a window that has nothing yet
    session.execute("step")
    assert session.answer(request) is not None


def test_an_edge_that_has_gone_is_left_out() -> None:
    session = make(steps=1)
    assert ask(session, edge=(3, 2, 0)).snapshot.inspection is not None
    assert ask(session, edge=(9, 0, 0)).snapshot.inspection is None


def test_parts_of_the_history_join_to_the_whole() -> None:
    session = make()
    run, stride, steps, losses, regular = -1, 0, np.empty(0, np.int64), np.empty(0), 0
    partials = []
    for count in (1, 5, 100, 2000, 300, 2500):
        for _ in range(count):
            session.execute("step")
        frame = ask(session, run=run, stride=stride, history_after=int(steps[regular - 1]) if regular else 0)
        history = frame.snapshot.history
        assert history is not None
        kept = regular if frame.partial else 0
        steps, losses = np.concatenate((steps[:kept], history.steps)), np.concatenate((losses[:kept], history.loss))
        run, stride, regular = frame.run, frame.stride, len(steps) - history.provisional
        partials.append(frame.partial)
        whole = session.experiment.history.table()
        assert np.array_equal(steps, whole.steps)
        assert np.array_equal(losses, whole.loss)
    assert partials == [False, True, True, False, True, False]  # a thinned history, or a new run, is sent whole
    session.execute("restart", SMALL, 1)
    assert not ask(session, run=run, stride=stride, history_after=int(steps[-1])).partial


def test_beginning_with_a_spec_that_cannot_run_begins_with_the_default() -> None:
    session = Session.beginning_with(SMALL.replace("data.name", "csv"))
    assert session.experiment.spec == Spec()
    assert events(session)[0][0] == "error"


def recorded(session: Session) -> list[float]:
    table = ask(session, run=-1).snapshot.history
    assert table is not None
    return table.loss.tolist()


def play(session: Session, steps: int, ticket: int | None = None) -> None:
    session.execute(*(("play",) if ticket is None else ("branch", ticket)))
    for _ in range(steps):
        session._advance()
    session.execute("pause")


def test_branches_of_branches_are_taken_back_one_by_one_and_made_again() -> None:
    session = make()
    play(session, 20)
    lines = [recorded(session)]
    for ticket, step in ((1, 12), (2, 8)):
        session.execute("go_to", step)
        session.execute("set_speed", None)
        play(session, 5, ticket)
        lines.append(recorded(session))
    assert [len(line) for line in lines] == [20, 17, 13]
    for command, expected in ((2, 1), (1, 0), (1, 1), (2, 2), (2, 1), (1, 0)):
        session.execute("return_to_line", command)
        assert recorded(session) == lines[expected]
        ghost = ask(session, run=-1).snapshot.ghost
        assert ghost is not None
        assert ghost.branch_step == (8 if command == 2 else 12)


def test_a_branch_that_has_not_begun_leaves_nothing() -> None:
    session = make(steps=6)
    session.execute("go_to", 3)
    session.execute("branch", 1)
    session.execute("return_to_line", 1)
    assert (session.playing, session.experiment.step_count, session.experiment.last_step) == (False, 3, 6)


def test_a_change_in_the_past_is_taken_back_with_the_line_it_left() -> None:
    session = make()
    play(session, 20)
    line, spec = recorded(session), SMALL.replace("network.activation", "relu")
    session.execute("go_to", 5)
    session.execute("apply", spec, 1)
    play(session, 10)
    branch = recorded(session)
    assert len(branch) == 15
    session.execute("bring_back", SMALL, 1)
    assert (session.experiment.step_count, session.experiment.spec, recorded(session)) == (5, SMALL, line)
    session.execute("bring_back", spec, 1)
    assert (session.experiment.step_count, session.experiment.spec, recorded(session)) == (15, spec, branch)
    session.execute("bring_back", SMALL, 1)
    assert (session.experiment.step_count, recorded(session)) == (5, line)


def test_playing_for_so_many_steps_pauses_there_at_whatever_speed() -> None:
    session = make(steps=2)
    session.execute("set_speed", 1.0)
    session.execute("play_for", 40)
    session.run(600.0)
    assert (session.experiment.step_count, session.playing) == (42, False)
    session.execute("play_for", 0)
    assert not session.playing
    session.execute("play_for", 1000)
    session.execute("pause")
    session.execute("play")
    session.run(0.01)
    assert session.playing  # the pause has forgotten where to stop


def test_a_rival_is_trained_step_by_step_beside_the_run_and_follows_its_settings() -> None:
    spec = SMALL.replace("network.depth", 5).replace("network.skip_every", 2)
    session = Session(spec)
    session.execute("play_for", 30)
    session.run(600.0)
    session.execute("set_rival", True)
    session.run(600.0)  # it catches up while the run stands
    report = ask(session, lab="residual").snapshot.lab
    assert isinstance(report, ResidualReport)
    assert report.rival is not None
    plain = Experiment(spec.replace("network.skip_every", 0))
    for _ in range(30):
        plain.advance()
    assert np.array_equal(report.rival.loss, plain.history.table().loss)
    session.execute("apply", spec.replace("training.learning_rate", 0.01), 1)
    session.execute("step")
    session.run(600.0)
    report = ask(session, lab="residual").snapshot.lab
    assert isinstance(report, ResidualReport)
    assert report.rival_spec.training.learning_rate == 0.01
    assert report.rival is not None
    plain.apply(spec.replace("network.skip_every", 0).replace("training.learning_rate", 0.01))
    plain.advance()
    assert np.array_equal(report.rival.loss, plain.history.table().loss)
    session.execute("set_rival", True)  # anew: it is trained as the run was, so that a run opened again has the same rival
    session.run(600.0)
    again = ask(session, lab="residual").snapshot.lab
    assert isinstance(again, ResidualReport)
    assert again.rival is not None
    assert np.array_equal(again.rival.loss, report.rival.loss)
    session.execute("set_rival", False)
    report = ask(session, lab="residual").snapshot.lab
    assert isinstance(report, ResidualReport)
    assert report.rival is None


@pytest.mark.parametrize("view", ["activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian"])
def test_the_lab_looks_without_touching(view: str) -> None:
    session = Session(SMALL.replace("training.clip", "norm"))
    for _ in range(3):
        session.execute("step")
    untouched = Experiment(session.experiment.spec)
    for _ in range(3):
        untouched.advance()
    assert ask(session, lab=view).snapshot.lab is not None
    for experiment in (session.experiment, untouched):
        experiment.advance()
    assert np.array_equal(session.experiment.network.vector, untouched.network.vector)


def test_the_lab_keeps_to_the_layer_and_the_plane_it_chose() -> None:
    session = Session(SMALL.replace("training.clip", "norm").replace("network.depth", 6))
    layers, planes = set(), set()
    for _ in range(12):
        session.execute("step")
        layers.add(ask(session, lab="activation").snapshot.lab.layer)
    for _ in range(12):
        session.execute("step")
        planes.add(ask(session, lab="clipping").snapshot.lab.names)
    assert (len(layers), len(planes)) == (1, 1)


def test_a_selection_that_has_gone_leaves_the_reading_of_the_levels_where_it_is() -> None:
    report = ask(Session(SMALL), lab="compressor", lab_lag=30, lab_read=77, picked=("unit", 90, 0, 0)).snapshot.lab
    assert (report.lag, report.read) == (30, 77)


def test_speeds_are_measured_in_slices_while_training_goes_on() -> None:
    session = Session(SMALL)
    assert ask(session, lab="hardware").snapshot.lab.speeds == ()
    session.execute("measure_speed")
    assert session.wait_seconds() == 0.0
    session.run(0.0)
    report = ask(session, lab="hardware").snapshot.lab
    assert len(report.speeds) == 1
    assert 0.0 < report.measuring < 1.0
    assert session.experiment.step_count == 0
    session.execute("play")
    session.run(0.002)
    assert session.experiment.step_count > 0
    session.execute("pause")
    untouched = Experiment(SMALL)
    for _ in range(session.experiment.step_count):
        untouched.advance()
    assert np.array_equal(session.experiment.network.vector, untouched.network.vector)
    session.execute("apply", SMALL.replace("training.learning_rate", 0.01), 1)
    assert len(ask(session, lab="hardware").snapshot.lab.speeds) >= 2  # a step takes as long as before
    session.execute("apply", SMALL.replace("network.width", 5), 2)
    assert session.wait_seconds() is None  # of a net that is not there any more
    assert ask(session, lab="hardware").snapshot.lab.speeds == ()


def test_a_measurement_ends_and_its_last_result_is_sent() -> None:
    session = Session(SMALL)
    session.execute("measure_speed")
    session._speeds = SpeedMeasurement(SMALL, 0.003)
    while session.wait_seconds() == 0.0:
        session.run(0.0)
    report = ask(session, lab="hardware", lab_loss=0.3).snapshot.lab
    assert report.measuring is None
    assert report.loss == 0.3
    assert {speed.precision for speed in report.speeds} == {"float64", "float32"}


# ---- opening a run

OPENED = SMALL.replace("training.seed", 4)
FASTER = OPENED.replace("training.learning_rate", 0.5)


def run_on(session: Session) -> None:
    while session.wait_seconds() == 0.0:
        session.run(0.001)


def test_a_run_is_opened_in_slices_and_the_present_one_stays_until_then() -> None:
    session = make(steps=3)
    session.execute("open_run", ((0, OPENED), (20, FASTER)), 60, 50, 2, 1)
    frame = ask(session)
    assert (frame.snapshot.step, frame.executed) == (3, 3)
    session.execute("step_layer")  # waits for the opened run
    assert session.experiment.spec == SMALL
    run_on(session)
    frame = ask(session)
    assert frame.executed == 5
    assert frame.settings == ((0, OPENED), (20, FASTER))
    assert frame.snapshot.moment is not None
    assert (frame.snapshot.step, frame.snapshot.last_step, frame.snapshot.moment.done) == (50, 60, 3)
    own = Experiment(OPENED)
    for _ in own.follow([(20, FASTER)], 50):
        pass
    assert own.network.vector.tobytes() == session.experiment.network.vector.tobytes()


def test_an_opened_run_is_undone_and_brought_back() -> None:
    session = make(steps=3)
    before = session.experiment
    session.execute("open_run", ((0, OPENED),), 5, 5, 0, 1)
    run_on(session)
    opened = session.experiment
    session.execute("bring_back", SMALL, 1)
    assert session.experiment is before
    session.execute("open_run", ((0, OPENED),), 5, 5, 0, 1)
    assert session.experiment is opened
    assert session.wait_seconds() is None


@pytest.mark.parametrize(("command", "wanted"), [("bring_back", SMALL), ("restart", SMALL.replace("training.seed", 8))])
def test_opening_is_ended_by_what_takes_its_place(command: str, wanted: Spec) -> None:
    session = make(steps=3)
    session.execute("open_run", ((0, OPENED),), 10_000_000, 5, 0, 1)
    session.run(0.01)
    session.execute("step")  # was meant for the run that is never opened
    session.execute(command, wanted, 1)
    assert session.wait_seconds() is None
    assert session.experiment.spec == wanted
    assert ask(session).executed == 6
    assert session.experiment.step_count == (3 if command == "bring_back" else 0)


@pytest.mark.parametrize(
    "settings",
    [
        ((0, SMALL.replace("training.loss", "cross_entropy").replace("data.name", "csv")),),
        ((0, OPENED), (3, OPENED.replace("network.width", 9))),
        ((0, OPENED), (3, OPENED.replace("network.set_values", ("layer77.weight[0,0] = 1",)))),
    ],
)
def test_what_cannot_be_opened_is_told_and_the_run_stays(settings: Any) -> None:
    session = make(steps=3)
    session.execute("open_run", settings, 10, 10, 0, 1)
    run_on(session)
    frame = ask(session)
    assert [event.kind for event in frame.events] == ["error"]
    assert (frame.snapshot.step, frame.snapshot.spec, frame.executed) == (3, SMALL, 4)


def test_how_far_it_is_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradviz.opening.TOLD_EVERY", 0.0)
    session = make(steps=3)
    session.execute("open_run", ((0, OPENED),), 1_000_000, 5, 0, 1)
    session.run(0.01)
    ((kind, text),) = events(session)
    assert kind == "progress"
    step, last = map(int, text.split())
    assert 0 < step < last == 1_000_000


def test_a_rival_whose_file_has_gone_ends_and_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,b\n" + "".join(f"{row},{row % 5}\n" for row in range(60)))
    session = Session(Spec(data=DataSpec(name="csv", path=str(path))))
    session.execute("set_rival", True)
    session.execute("step")
    session.run(600.0)  # it catches up
    path.unlink()
    session.execute("go_to", 0)  # where it would have to begin anew
    ((kind, text),) = events(session)
    assert kind == "notice"
    assert "not trained any longer" in text
    assert "own.csv" in text
    session.execute("step")
    assert session.experiment.step_count == 1


def test_the_data_of_runs_that_have_gone_are_let_go() -> None:
    session = Session(SMALL.replace("data.name", "spirals"))
    ask(session, prediction=True)
    data = weakref.ref(session.experiment.data)
    for ticket in range(MOST_SHELVED + 1):
        session.execute("restart", SMALL, ticket)
        ask(session, prediction=True)
    gc.collect()
    assert data() is None


def test_a_measurement_of_a_net_that_has_gone_is_let_go() -> None:
    session = Session(SMALL)
    session.execute("measure_speed")
    session.execute("apply", SMALL.replace("training.learning_rate", 0.5), 1)
    assert session._speeds is not None, "a step takes as long as before"
    session.execute("apply", SMALL.replace("network.width", 4), 2)
    assert session._speeds is None
    assert session.wait_seconds() is None


def test_what_is_pressed_for_is_measured_at_once_however_dear_the_last_measurement_was() -> None:
    session = make(steps=2)
    session.execute("play")
    look = Look(prediction=False, lab="jacobian")
    assert session.answer(Request(look=look)) is not None
    session._next_measure = math.inf  # that was dear
    session.run(0.0)
    assert session.answer(Request(look=look)) is None
    frame = session.answer(Request(look=msgspec.structs.replace(look, lab_orthogonal=True)))
    assert frame is not None
    assert isinstance(frame.snapshot.lab, JacobianReport)
    assert frame.snapshot.lab.weights == "orthogonal"
