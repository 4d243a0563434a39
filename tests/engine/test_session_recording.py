"""A session that is recorded: every way in which a step becomes whole is on record, and trouble with the file ends the recording only."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz import opening
from gradviz.messages import Event, Frame, Request
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import RecordingWriteError
from gradviz.session import Session
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec

SPEC = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(seed=6))


class Full:
    """A way to a writer whose disk is full after so many messages."""

    def __init__(self, messages: int) -> None:
        self.left, self.closed = messages, False

    def block(self, size: int) -> tuple[int, Any]:
        return 0, bytearray(size)

    def put(self, message: tuple[Any, ...]) -> None:
        self.left -= 1
        if self.left < 0:
            raise RecordingWriteError("The disk is full.")

    def close(self) -> None:
        self.closed = True


def frame(session: Session) -> Frame:
    answer = session.answer(Request())
    assert answer is not None
    return answer


def opened(session: Session, path: Path) -> Session:
    """With the recording, all of which has been read."""
    session.execute("open_recording", str(path), 1)
    while session.is_opening:
        session.run(0.01)
    return session


def walk(session: Session) -> None:
    for command in ("step", "step_layer", "step_layer", "step", "step_phase"):
        session.execute(command)
    session.execute("apply", session.experiment.spec.replace("training.learning_rate", 0.02), 1)  # finishes the step in work
    for _ in range(30):
        session.execute("step_layer")
    session.execute("go_to", 2)
    session.execute("step_layer")
    session.execute("go_to", 2)
    session.execute("branch", 2)
    session.execute("play_for", 5)
    while session.playing:
        session.run(0.01)


def test_every_way_to_make_a_step_is_on_record(tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    session = Session(SPEC)
    session.execute("step")
    session.execute("record", str(path))
    assert frame(session).tape is not None
    walk(session)
    experiment = session.experiment
    session.close()
    assert frame(session).tape is None
    playback = open_recording(path)
    assert (playback.damage, playback.growing) == ("", False)
    assert playback.experiment.last_step == experiment.last_step
    wanted, found = experiment.history.table(), playback.experiment.history.table()
    np.testing.assert_array_equal(found.steps, wanted.steps)
    np.testing.assert_array_equal(found.loss, wanted.loss)
    assert playback.experiment.settings == experiment.settings


@pytest.mark.parametrize("messages", range(12))
def test_a_full_disk_ends_the_recording_and_not_the_run(tmp_path: Path, messages: int) -> None:
    plain, session, channel = Session(SPEC), Session(SPEC), Full(messages)
    session.execute("record", str(tmp_path / "run.gradviz"), channel)
    walk(session)
    walk(plain)
    session.wait_seconds()  # it rests: what there is, is written
    session.execute("stop_recording")
    assert channel.closed
    told = frame(session)
    assert told.tape is None
    assert [event.kind for event in told.events].count("trouble") == 1
    assert any("The disk is full." in event.text for event in told.events)
    assert told.snapshot.loss == frame(plain).snapshot.loss


def test_a_recording_that_cannot_be_begun_or_opened_is_told(tmp_path: Path) -> None:
    session = Session(SPEC)
    session.execute("record", str(tmp_path / "nowhere" / "run.gradviz"))
    session.execute("open_recording", str(tmp_path / "gone.gradviz"), 1)
    events: tuple[Event, ...] = frame(session).events
    assert [event.kind for event in events] == ["trouble", "error"]
    session.execute("step")
    assert session.experiment.step_count == 1


def test_a_long_recording_is_read_in_slices_and_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.gradviz"
    writing, session = Session(SPEC), Session(SPEC)
    writing.execute("record", str(path))
    writing.execute("play_for", 300)
    writing.run(60.0)
    writing.close()
    monkeypatch.setattr(opening, "TOLD_EVERY", 0.0)
    session.execute("step")
    session.execute("open_recording", str(path), 1)
    session.execute("set_speed", 5.0)  # waits until it is open
    session.run(0.0)  # one row
    told = frame(session)
    assert (told.executed, told.snapshot.step) == (1, 1)
    assert told.events[-1] == Event("progress", "1 300")
    session.execute("bring_back", SPEC, 1)
    assert not session.is_opening
    told = frame(session)
    assert (told.executed, told.snapshot.step) == (4, 1)
    assert session.wait_seconds() is None
    assert opened(session, path).experiment.step_count == 300
    assert frame(session).snapshot.loss == frame(writing).snapshot.loss


def test_a_recording_that_vanishes_while_it_is_read_is_told_and_the_run_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    writing, session = Session(SPEC), Session(SPEC)
    writing.execute("record", str(path))
    writing.execute("step")
    writing.close()
    before = session.experiment
    session.execute("open_recording", str(path), 1)
    path.unlink()
    while session.is_opening:
        session.run(0.01)
    assert session.experiment is before
    assert [(event.kind, "cannot be opened" in event.text) for event in frame(session).events] == [("error", True)]


def test_a_watched_recording_is_left_by_the_first_step_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    writing, reading = Session(SPEC), Session(SPEC)
    writing.execute("record", str(path))
    for _ in range(3):
        writing.execute("step")
    writing.wait_seconds()
    opened(reading, path)
    assert reading.experiment.step_count == 3
    tape = frame(reading).tape
    assert tape is not None
    assert tape.watched
    writing.execute("step")
    writing.wait_seconds()
    while reading.experiment.step_count < 4:
        reading.run(0.01)
    reading.execute("back")
    assert reading.wait_seconds() is not None, "it is watched from the past too"
    reading.execute("step")
    assert reading.wait_seconds() is not None, "that step was on record"
    reading.execute("step")
    assert reading.wait_seconds() is None
    assert frame(reading).tape is None
    writing.close()


def test_one_whose_program_was_killed_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    experiment = Session(SPEC).experiment
    recorder = Recorder(path, experiment)
    for _ in range(4):
        experiment.advance()
        recorder.append(experiment)
    recorder.flush()
    recorder.abandon()
    told = frame(opened(Session(SPEC), path))
    assert (told.snapshot.step, told.tape) == (4, None)
    assert "was not ended in order" in told.events[0].text
    assert "4 steps" in told.events[0].text
