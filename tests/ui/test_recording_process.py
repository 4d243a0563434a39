"""The recording that is written by a process of its own is the same file; a writer that has ended, or cannot write, says so."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.messages import Request
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import RecordingWriteError
from gradviz.recording_lock import is_written
from gradviz.recording_reader import RecordingReader
from gradviz.session import Session
from ui.recording_process import Remote, write_recording

SPEC = Spec(NetworkSpec(depth=3, width=5), DataSpec(samples=90), TrainingSpec(batch_size=16, clip="norm", clip_threshold=0.1))


class Writer:
    """A writer's process and the recorder's way to it."""

    def __init__(self, path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self.process = context.Process(target=write_recording, args=(theirs, path))
        self.process.start()
        theirs.close()
        self.remote = Remote(ours)


def test_a_recording_written_by_another_process_is_the_same(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "remote.gradviz")
    experiment = Experiment(SPEC)
    remote = Recorder(tmp_path / "remote.gradviz", experiment, writer.remote)
    direct = Recorder(tmp_path / "direct.gradviz", experiment)
    for step in range(3000):
        if step == 1500:
            experiment.apply(SPEC.replace("training.batch_size", 24))
        experiment.advance()
        remote.append(experiment)
        direct.append(experiment)
    remote.close()
    direct.close()
    writer.process.join(20)
    assert writer.process.exitcode == 0
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["direct.gradviz", "remote.gradviz"]
    found = [RecordingReader(tmp_path / name).table(rows=4000) for name in ("remote.gradviz", "direct.gradviz")]
    assert len(found[0].steps) == 3000
    for field in found[0].__struct_fields__:
        np.testing.assert_array_equal(getattr(found[0], field), getattr(found[1], field), field)
    playback = open_recording(tmp_path / "remote.gradviz")
    assert (playback.damage, playback.growing, playback.experiment.trainer.loss) == ("", False, experiment.trainer.loss)


def test_what_was_handed_over_is_kept_when_the_engine_dies(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run.gradviz")
    experiment = Experiment(SPEC)
    recorder = Recorder(tmp_path / "run.gradviz", experiment, writer.remote)
    for _ in range(500):
        experiment.advance()
        recorder.append(experiment)
    recorder.flush()
    recorder.abandon()  # as a process does that ends without a word
    writer.process.join(20)
    playback = open_recording(tmp_path / "run.gradviz")
    assert (playback.damage, playback.growing, playback.experiment.last_step) == ("", True, 500)


def test_a_writer_that_cannot_write_says_why(tmp_path: Path) -> None:
    (tmp_path / "run.gradviz").write_text("mine")
    writer = Writer(tmp_path / "run.gradviz")
    experiment = Experiment(SPEC)
    with pytest.raises(RecordingWriteError, match="exists"):  # noqa: PT012
        recorder = Recorder(tmp_path / "run.gradviz", experiment, writer.remote)
        while True:
            experiment.advance()
            recorder.append(experiment)
    recorder.abandon()
    writer.process.join(20)
    assert (tmp_path / "run.gradviz").read_text() == "mine"


def test_a_writer_that_was_killed_is_noticed(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run.gradviz")
    experiment = Experiment(SPEC)
    recorder = Recorder(tmp_path / "run.gradviz", experiment, writer.remote)
    while not (tmp_path / "run.gradviz").exists():
        time.sleep(0.01)
    writer.process.kill()
    writer.process.join()
    with pytest.raises(RecordingWriteError, match="process has ended"):  # noqa: PT012
        while True:
            experiment.advance()
            recorder.append(experiment)
    recorder.abandon()
    recorder.close()  # does nothing any more


def test_what_a_killed_writer_has_left_is_not_taken_for_growing(tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz"
    writer = Writer(path)
    experiment = Experiment(SPEC)
    recorder = Recorder(path, experiment, writer.remote)
    experiment.advance()
    recorder.append(experiment)
    recorder.flush()
    watching = Session(SPEC)
    while watching.wait_seconds() is None:
        time.sleep(0.05)  # till there is something to open
        watching.execute("open_recording", str(path), 1)
        while watching.is_opening:
            watching.run(0.01)
    assert is_written(path)
    writer.process.kill()
    writer.process.join()
    recorder.abandon()
    assert not is_written(path)
    while watching.wait_seconds() is not None:
        watching.run(0.01)
    told = watching.answer(Request())
    assert told is not None
    assert told.tape is None
    assert any("was not ended in order" in event.text for event in told.events)
    for again in range(2):  # who has read it may have left a log of his own
        path.with_name(path.name + "-wal").touch()
        session = Session(SPEC)
        session.execute("open_recording", str(path), again)
        while session.is_opening:
            session.run(0.01)
        assert session.wait_seconds() is None
        frame = session.answer(Request())
        assert frame is not None
        assert [event.kind for event in frame.events] == ["trouble"]
