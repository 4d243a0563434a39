"""The engine as a process: frames come, nothing queues, its death is noticed, and nothing of it is left."""

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gradviz.experiment import Experiment
from gradviz.messages import Event, Request
from gradviz.session import Session
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from ui.engine_process import EngineLost, EngineProcess, _Assembler, _Sender

SPEC = Spec(NetworkSpec(depth=4, width=5, activation="tanh"), DataSpec(samples=60), TrainingSpec(seed=3))
PATIENCE = 20.0
SHARED = Path("/dev/shm")  # only Linux has it


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    process = EngineProcess(SPEC)
    yield process
    process.stop()


def frame(engine: EngineProcess, ready: Callable[[Snapshot], bool] = lambda _: True) -> tuple[Snapshot, list[Event]]:
    """Pull until a snapshot is as wanted; all events on the way."""
    events: list[Event] = []
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        engine.ask()
        fetched = engine.fetch()
        if fetched is not None:
            events += fetched[1]
            if ready(fetched[0]):
                return fetched[0], events
        time.sleep(0.005)
    raise AssertionError("no such frame came")


def test_steps_are_the_same_as_without_a_process(engine: EngineProcess) -> None:
    for _ in range(3):
        engine.send("step")
    snapshot, _ = frame(engine, lambda s: s.step == 3)
    experiment = Experiment(SPEC)
    for _ in range(3):
        experiment.advance()
    expected = experiment.measure()
    assert snapshot.loss == expected.loss
    assert snapshot.details is not None
    assert expected.details is not None
    for name in ("edge_gradients", "edge_weights", "edge_updates", "unit_deltas", "gradient_rms"):
        np.testing.assert_array_equal(getattr(snapshot.details, name), getattr(expected.details, name))
    assert snapshot.architecture == expected.architecture
    assert not snapshot.details.edge_gradients.flags.writeable


def test_history_arrives_whole_though_it_is_sent_in_pieces(engine: EngineProcess) -> None:
    engine.send("play")
    snapshot, _ = frame(engine, lambda s: s.step > 5000)
    engine.send("pause")
    snapshot, _ = frame(engine, lambda s: not s.playing)
    history = snapshot.history
    assert history is not None
    assert len(set(np.diff(history.steps[:-1]))) == 1  # the last row is that of the newest step
    assert history.steps[0] == 1
    assert snapshot.step - history.steps[-1] < 2 * np.diff(history.steps)[0]
    assert history.gradient_rms.shape == (len(history.steps), 5)


def test_a_change_continues_or_restarts_and_says_so(engine: EngineProcess) -> None:
    engine.send("step")
    engine.send("apply", SPEC.replace("network.activation", "relu"), 1)
    snapshot, events = frame(engine, lambda s: s.spec.network.activation == "relu")
    assert snapshot.step == 1
    assert not events
    engine.send("apply", snapshot.spec.replace("network.depth", 6), 2)
    snapshot, events = frame(engine, lambda s: s.spec.network.depth == 6)
    assert snapshot.step == 0
    assert "Restarted from seed 3" in events[0].text
    assert len(snapshot.architecture.layers) == 7
    engine.send("bring_back", SPEC.replace("network.activation", "relu"), 2)
    snapshot, _ = frame(engine, lambda s: s.spec.network.depth == 4)
    assert snapshot.step == 1


def test_a_wrong_file_is_told_and_changes_nothing(engine: EngineProcess, tmp_path: Path) -> None:
    bad = tmp_path / "marks.csv"
    bad.write_text("a,b\n1,2\nn/a,4\n5,6\n7,8\n9,10\n11,12\n")
    spec = SPEC.replace("data.path", str(bad)).replace("data.name", "csv")
    engine.send("step")
    engine.send("apply", spec, 1)
    end = time.monotonic() + PATIENCE
    events: list[Event] = []
    while not events and time.monotonic() < end:
        snapshot, events = frame(engine)
    assert events[0].kind == "error"
    assert "row 3" in events[0].text.lower()
    assert "column 1" in events[0].text.lower()
    assert snapshot.spec == SPEC
    assert snapshot.step == 1


def test_its_death_is_noticed(engine: EngineProcess) -> None:
    frame(engine)
    assert engine.process_id is not None
    os.kill(engine.process_id, signal.SIGKILL)
    with pytest.raises(EngineLost):
        frame(engine, lambda _: False)


def test_stop_ends_a_playing_engine_and_frees_its_memory() -> None:
    engine = EngineProcess(SPEC)
    engine.send("play")
    frame(engine, lambda s: s.step > 10)
    names = _shared_memory(engine.process_id)
    engine.stop()
    engine.stop()
    assert names or not SHARED.exists()
    assert not [name for name in names if (SHARED / name).exists()]


def _shared_memory(process: int | None) -> set[str]:
    """The names of what a process shares; none where the system does not tell."""
    maps = Path(f"/proc/{process}/maps")
    return set(re.findall(r"/dev/shm/(\S+)", maps.read_text())) if maps.exists() else set()


def test_an_answer_that_goes_on_with_a_run_already_left_is_joined_with_that_run() -> None:
    """Two requests are under way when another run is shown and the first one is brought back."""
    near, far = multiprocessing.Pipe()
    session, sender, assembler = Session(SPEC), _Sender(near), _Assembler()
    other = SPEC.replace("network.depth", SPEC.network.depth + 3)

    def come(request: Request) -> Snapshot:
        frame = session.answer(request)
        assert frame is not None
        sender.send(frame)
        return assembler.assemble(*far.recv())

    for _ in range(5):
        session.execute("step")
    come(assembler.request(Look()))
    requests = [assembler.request(Look()) for _ in range(2)]
    session.execute("restart", other, 1)
    assert come(requests[0]).spec == other
    session.execute("bring_back", SPEC, 1)
    session.execute("step")
    snapshot = come(requests[1])
    assert snapshot.history is not None
    whole = session.experiment.history.table()
    np.testing.assert_array_equal(snapshot.history.steps, whole.steps)
    np.testing.assert_array_equal(snapshot.history.gradient_rms, whole.gradient_rms)
    for end in (sender, assembler, near, far):
        end.close()
