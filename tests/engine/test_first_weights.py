"""Weights of a file as the first ones of a run: the same run again from a session, a recording, a reset or out of the past."""

from pathlib import Path

import msgspec
import pytest

from gradviz.data import DataError
from gradviz.experiment import Experiment
from gradviz.first_weights import mark_of_weights
from gradviz.keeping import keep_run, take_up
from gradviz.messages import Request
from gradviz.playback import open_recording
from gradviz.session import Session
from gradviz.session_file import SessionFile, Settings, decode, encode
from gradviz.session_tables import TableError, beside, find_tables, mark_of, tables_of
from gradviz.snapshot import Look
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.weights_file import weights_of, write_weights
from tests.engine.runs import trained

SPEC = Spec(NetworkSpec(depth=2, width=3, activation="tanh"), DataSpec(samples=40), TrainingSpec(batch_size=8))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    run = trained(SPEC.replace("training.seed", 5), 4)
    path = tmp_path / "net of mine.safetensors"
    write_weights(weights_of(run.network, run.spec, 4), path)
    return path


def with_weights(path: Path, spec: Spec = SPEC) -> Spec:
    return spec.replace("network.weights_from", mark_of_weights(path))


@pytest.mark.parametrize("method", ["gradient", "pretraining", "evolution"])
def test_a_run_begins_with_them_and_goes_back_exactly_when_the_file_has_gone(method: str, weights: Path) -> None:
    other = trained(SPEC.replace("training.seed", 5), 4)
    spec = with_weights(weights, SPEC.replace("training.method", method).replace("training.population", 8))
    run = Experiment(spec)
    assert run.network.vector.tobytes() == other.network.vector.tobytes()
    found = [run.network.vector.copy()]
    for _ in range(6):
        run.advance()
        found.append(run.network.vector.copy())
    weights.unlink()
    assert mark_of_weights_fails(weights)
    for step in (0, 3, 6, 1):
        run.go_to(step)
        assert run.network.vector.tobytes() == found[step].tobytes()
    run.apply(run.spec.replace("training.learning_rate", 0.5))
    run.go_to(0)
    assert run.network.vector.tobytes() == found[0].tobytes()


def mark_of_weights_fails(path: Path) -> bool:
    with pytest.raises(DataError, match="no such file"):
        mark_of_weights(path)
    return True


def test_values_set_by_hand_come_on_top(weights: Path) -> None:
    run = Experiment(with_weights(weights).replace("network.set_values", ("layer01.weight[0,0] = 2.5",)))
    assert run.network.parameters["layer01.weight"][0, 0] == 2.5
    plain = Experiment(with_weights(weights)).network
    assert run.network.parameters["layer02.weight"].tobytes() == plain.parameters["layer02.weight"].tobytes()


def test_another_network_forgets_them(weights: Path) -> None:
    spec = with_weights(weights)
    assert spec.replace("network.width", 4).network.weights_from == ""
    assert spec.replace("training.learning_rate", 1.0).network.weights_from == spec.network.weights_from


def test_what_does_not_fit_is_told_and_the_run_goes_on(weights: Path) -> None:
    session = Session(SPEC.replace("network.width", 4))
    session.execute("step")
    before = session.experiment
    vector = before.network.vector.copy()
    for mark, said in (
        (mark_of_weights(weights), "layer01.weight has the shape"),
        ("0" * 8 + f" {weights}", "holds other weights than when the run began"),
        ("00000000 /nowhere/net.safetensors", "no such file"),
        ("net.safetensors", "no such file"),  # a name alone is looked for in the folder of the program
    ):
        session.execute("apply", session.experiment.spec.replace("network.weights_from", mark), 1)
        assert session.experiment is before
        assert session.experiment.network.vector.tobytes() == vector.tobytes()
        frame = session.answer(Request(Look()))
        assert frame is not None
        assert [event.kind for event in frame.events] == ["error"]
        assert said in frame.events[0].text


def test_undo_takes_the_loading_back(weights: Path) -> None:
    session = Session(SPEC)
    session.execute("play_for", 3)
    session.run(5.0)
    before, vector = session.experiment, session.experiment.network.vector.copy()
    session.execute("apply", with_weights(weights), 7)
    assert session.experiment.step_count == 0
    assert session.experiment.network.vector.tobytes() != vector.tobytes()
    frame = session.answer(Request(Look()))
    assert frame is not None
    assert "First weights: drawn → net of mine.safetensors" in frame.events[-1].text
    session.execute("bring_back", SPEC, 7)
    assert session.experiment is before
    assert before.network.vector.tobytes() == vector.tobytes()


def test_a_reset_after_a_change_to_prelu_draws_its_weights_and_says_so(weights: Path) -> None:
    session = Session(with_weights(weights))
    spec = session.experiment.spec.replace("network.activation", "prelu")
    session.execute("apply", spec, 1)
    before = session.experiment
    session.execute("restart", spec, 2)
    assert session.experiment.spec.network.weights_from == ""
    drawn = Experiment(SPEC.replace("network.activation", "prelu")).network.vector
    assert session.experiment.network.vector.tobytes() == drawn.tobytes()
    frame = session.answer(Request(Look()))
    assert frame is not None
    assert [event.kind for event in frame.events] == ["notice"]
    assert "net of mine.safetensors do not fit this net any more" in frame.events[0].text
    session.execute("bring_back", spec, 2)
    assert session.experiment is before


def test_an_absolute_path_stands_for_the_file_as_it_is_now(weights: Path) -> None:
    spec = SPEC.replace("network.weights_from", str(weights))
    assert Experiment(spec).spec == with_weights(weights)
    session = Session(SPEC)
    session.execute("apply", spec, 1)
    assert session.experiment.settings[0][1] == with_weights(weights), "a session asks for this very file"
    weights.unlink()
    session.execute("apply", spec, 2)
    frame = session.answer(Request(Look()))
    assert frame is not None
    assert frame.events[-1].kind == "error"
    assert "No weights were loaded." in frame.events[-1].text


def saved(spec: Spec) -> SessionFile:
    session = SessionFile((Settings(0, spec),), 5, 5)
    return msgspec.structs.replace(session, tables=tuple(mark_of(path) for path in tables_of(session)))


def test_a_session_finds_its_weights_and_misses_others(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    run, session = trained(with_weights(weights), 5), saved(with_weights(weights))
    session = decode(encode(beside(session, tmp_path)), "it")
    moved = weights.rename(folder / weights.name)
    with pytest.raises(TableError, match="weights that the run begins with is not in"):
        find_tables(session, None)
    found = find_tables(session, folder)
    assert trained(found.spec, 5).network.vector.tobytes() == run.network.vector.tobytes()
    assert str(moved) in found.spec.network.weights_from
    content = bytearray(moved.read_bytes())
    content[-1] ^= 1
    moved.write_bytes(content)
    with pytest.raises(TableError, match="not the file any more"):
        find_tables(session, folder)


def test_a_recording_and_a_run_that_was_kept_are_the_same_again(weights: Path, tmp_path: Path) -> None:
    session, path = Session(with_weights(weights)), tmp_path / "run.gradviz"
    session.execute("record", str(path))
    session.execute("play_for", 20)
    session.run(20.0)
    session.close()
    run = session.experiment
    again, kept = open_recording(path).experiment, take_up(keep_run(run))
    for step in (20, 0, 7):
        vector = (run.go_to(step), run.network.vector.tobytes())[1]
        for other in (again, kept):
            other.go_to(step)
            assert other.network.vector.tobytes() == vector
