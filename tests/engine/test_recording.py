"""Recordings: a run kept on disk step by step, opened again as it was, watched while it grows, and read as far as it goes when damaged."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.activations import ACTIVATIONS
from gradviz.network import Pass
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import RecordingError, RecordingWriteError
from gradviz.recording_reader import RecordingReader
from gradviz.recurrent_cells import LSTMCell, PlainCell
from tests.engine.test_time_travel import Memory

SPEC = Spec(NetworkSpec(depth=3, width=5, activation="tanh", batch_norm=True), DataSpec(samples=90), TrainingSpec(batch_size=16, seed=5))
SPECS = {
    "batch norm": SPEC,
    "momentum": SPEC.replace("training.optimizer", "momentum").replace("training.clip", "norm").replace("training.clip_threshold", 0.3),
    "adam, float32": SPEC.replace("training.optimizer", "adam").replace("training.precision", "float32"),
    "batches of seven": SPEC.replace("training.batch_size", 7).replace("network.activation", "gelu"),
    "pre-training": Spec(
        NetworkSpec(depth=3, width=5), DataSpec(samples=60), TrainingSpec(method="pretraining", steps_per_level=60, batch_size=16)
    ),
    "evolution": Spec(NetworkSpec(depth=2, width=5), DataSpec(samples=60), TrainingSpec(method="evolution", population=20, batch_size=16)),
    "residual": SPEC.replace("network.activation", "relu").replace("network.skip_every", 1),
    "relu": SPEC.replace("network.activation", "relu"),
    "relu, half a slope at 0": SPEC.replace("network.activation", "relu").replace("network.relu_at_zero", 0.5),
    "mixed": SPEC.replace("network.activations", ("tanh", "elu", "step")),
    "rnn": Spec(NetworkSpec(kind="rnn", width=4), DataSpec("recall", samples=60, lag=6)),
    "lstm": Spec(NetworkSpec(kind="lstm", width=4), DataSpec("adding", samples=60, lag=6), TrainingSpec(optimizer="adam")),
}


def recorded(path: Path, steps: int = 300, spec: Spec = SPEC) -> Experiment:
    experiment = Experiment(spec)
    recorder = Recorder(path, experiment)
    for _ in range(steps):
        experiment.advance()
        recorder.append(experiment)
    recorder.close()
    return experiment


@pytest.mark.parametrize("name", SPECS)
def test_a_recording_opens_as_the_run_it_was_bit_for_bit(tmp_path: Path, name: str) -> None:
    experiment, seen = Experiment(SPECS[name]), {}
    recorder = Recorder(tmp_path / "run.gradviz", experiment)
    for step in range(1, 301):
        experiment.advance()
        recorder.append(experiment)
        seen[step] = Memory(experiment)
    recorder.close()
    assert [file.name for file in tmp_path.iterdir()] == ["run.gradviz"]
    opened = open_recording(tmp_path / "run.gradviz")
    assert (opened.damage, opened.growing) == ("", False)
    assert Memory(opened.experiment) == seen[300]
    mine, its = experiment.history.table(), opened.experiment.history.table()
    for field in ("steps", "loss", "loss_low", "loss_high", "gradient_rms", "total_norms", "test_steps", "test_loss"):
        np.testing.assert_array_equal(getattr(mine, field), getattr(its, field), field)
    for step in np.random.default_rng(0).integers(1, 301, 40).tolist():
        opened.experiment.go_to(step)
        assert Memory(opened.experiment) == seen[step]
    assert opened.experiment.go_to(0).step == 0
    opened.experiment.go_to(300)
    opened.experiment.advance()
    experiment.advance()
    assert Memory(opened.experiment) == Memory(experiment)


@pytest.mark.parametrize("name", SPECS)
def test_a_row_holds_what_its_step_measured(tmp_path: Path, name: str) -> None:
    experiment, shown = Experiment(SPECS[name]), []
    recorder = Recorder(tmp_path / "run.gradviz", experiment)
    for _ in range(80):
        experiment.advance()
        recorder.append(experiment)
        shown.append((experiment.snapshot(), activations(experiment)))
    recorder.close()
    reader = RecordingReader(tmp_path / "run.gradviz")
    steps = list(reader.steps())
    assert [step.step for step in steps] == list(range(1, 81))
    for row, (snapshot, expected) in zip(steps, shown, strict=True):
        assert (row.loss, row.norm, row.clipped_norm) == (snapshot.loss, snapshot.total_norm, snapshot.clipped_norm)
        np.testing.assert_array_equal(row.clipped_norms, snapshot.clipped_norms)
        np.testing.assert_array_equal(row.layers[:2], [snapshot.gradient_norms, snapshot.delta_norms])
        expected = np.where(np.isnan(snapshot.gradient_norms), np.nan, expected)  # layers that pre-training has not come to
        np.testing.assert_allclose(row.layers[2:], expected, rtol=1e-6, atol=1e-12)
    table = reader.table(rows=20)
    assert len(table.steps) <= 20
    assert (table.steps[0], table.steps[-1]) == (1, 80)
    assert table.saturated.shape == (len(table.steps), experiment.network.depth)


@pytest.mark.parametrize("name", [name for name, activation in ACTIVATIONS.items() if activation.of_output])
def test_slopes_that_follow_from_the_output_are_those_of_the_input(name: str) -> None:
    activation = ACTIVATIONS[name]
    z = np.concatenate((np.linspace(-8, 8, 4001), [0.0, -0.0, 1e-300, -1e-300, 800, -800, np.inf, -np.inf, np.nan]))
    with np.errstate(all="ignore"):
        output, slopes = activation.function(z), np.empty_like(z)
        activation.backward(output, output, slopes, activation.parameter)
        np.testing.assert_array_equal(slopes, activation.derivative(z))


def activations(experiment: Experiment) -> list[list[float]]:
    """Mean, deviation and saturated share of each layer, one by one, of the first examples of the mini-batch."""
    run, network = experiment.trainer.run, experiment.network
    if isinstance(run, Pass):
        of = slice(0, min(run.batch, -(-32 // 5)))
        values = [layer.outputs[:, of] for layer in run.layers]
        slopes = [run.slopes[experiment.architecture.unit_slice(n), of] for n in range(1, network.depth + 1)]
        small = [ACTIVATIONS[name].is_small(own) for name, own in zip(network.activations, slopes, strict=True)]
    else:
        of = slice(0, min(run.batch, 8))
        values = [*run.cell.states[..., of], run.outputs[:, of]]
        if isinstance(run.cell, PlainCell):
            slopes = run.cell.slopes[..., of]
        else:
            assert isinstance(run.cell, LSTMCell)
            gates = run.cell.gate_values[:, :3, :, of]
            slopes = gates * (1 - gates)
        small = [*ACTIVATIONS["tanh" if isinstance(run.cell, PlainCell) else "sigmoid"].is_small(slopes), np.zeros(1, bool)]
    return [[v.mean(dtype=float) for v in values], [v.std(dtype=float) for v in values], [s.mean() for s in small]]


def test_changes_branches_and_returns_are_all_kept(tmp_path: Path) -> None:
    experiment = Experiment(SPEC)
    recorder = Recorder(tmp_path / "run.gradviz", experiment)

    def train(steps: int) -> None:
        for _ in range(steps):
            experiment.advance()
            recorder.append(experiment)

    train(40)
    experiment.apply(experiment.spec.replace("network.activation", "prelu"))
    train(40)
    experiment.apply(experiment.spec.replace("training.learning_rate", 0.4))
    train(20)
    first = Memory(experiment)
    number = experiment.line
    experiment.go_to(60)
    train(30)
    experiment.apply(experiment.spec.replace("network.set_values", ("layer02.weight[1,1] = 3.5",)))
    train(5)
    branch = Memory(experiment)
    recorder.flush()
    opened = open_recording(tmp_path / "run.gradviz").experiment
    assert (opened.last_step, [change[0] for change in opened.history.changes]) == (95, [40, 90])
    assert Memory(opened) == branch
    np.testing.assert_array_equal(opened.history.table().loss, experiment.history.table().loss)
    experiment.return_to_old_line(number)
    recorder.append(experiment)
    assert Memory(experiment) == first
    train(7)
    recorder.close()
    opened = open_recording(tmp_path / "run.gradviz").experiment
    assert Memory(opened) == Memory(experiment)
    reader = RecordingReader(tmp_path / "run.gradviz")
    assert [line.parent for line in reader.lines.values()] == [None, 0]
    assert [step.step for step in reader.steps(1)] == list(range(1, 96))
    assert reader.check() == ""


def test_a_run_that_has_begun_already_is_taken_in(tmp_path: Path) -> None:
    experiment = Experiment(SPEC)
    for _ in range(5000):
        experiment.advance()
    recorder = Recorder(tmp_path / "run.gradviz", experiment)
    for _ in range(10):
        experiment.advance()
        recorder.append(experiment)
    recorder.close()
    opened = open_recording(tmp_path / "run.gradviz").experiment
    assert Memory(opened) == Memory(experiment)
    opened.go_to(1234)
    experiment.go_to(1234)
    assert Memory(opened) == Memory(experiment)


def test_another_window_watches_a_recording_that_grows(tmp_path: Path) -> None:
    experiment = Experiment(SPEC)
    recorder = Recorder(tmp_path / "run.gradviz", experiment)
    watching = open_recording(tmp_path / "run.gradviz")
    assert (watching.growing, watching.experiment.last_step, watching.refresh()) == (True, 0, False)
    for part in (30, 100, 400):
        for _ in range(part):
            experiment.advance()
            recorder.append(experiment)
        recorder.flush()
        assert watching.refresh()
        assert Memory(watching.experiment) == Memory(experiment)
    watching.experiment.go_to(77)
    experiment.advance()
    recorder.append(experiment)
    recorder.close()
    assert watching.refresh()
    assert (watching.experiment.step_count, watching.experiment.last_step, watching.growing) == (77, 531, False)


def test_a_recording_in_a_folder_that_is_read_only_opens(tmp_path: Path) -> None:
    recorded(tmp_path / "run.gradviz")
    os.chmod(tmp_path / "run.gradviz", 0o400)
    os.chmod(tmp_path, 0o500)
    try:
        assert open_recording(tmp_path / "run.gradviz").experiment.last_step == 300
    finally:
        os.chmod(tmp_path, 0o700)


def test_nothing_is_recorded_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "run.gradviz").write_text("mine")
    with pytest.raises(FileExistsError):
        Recorder(tmp_path / "run.gradviz", Experiment(SPEC))
    assert (tmp_path / "run.gradviz").read_text() == "mine"


def test_another_run_is_not_mixed_in(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.gradviz", Experiment(SPEC))
    other = Experiment(SPEC)
    other.advance()
    with pytest.raises(RecordingError, match="another run"):
        recorder.append(other)
    recorder.close()
    with pytest.raises(RecordingWriteError, match="closed"):
        recorder.flush()


def test_without_its_data_it_says_what_is_missing(tmp_path: Path) -> None:
    data = tmp_path / "mine.csv"
    data.write_text("a,b,class\n" + "\n".join(f"{n % 7},{n % 5},{'xy'[n % 2]}" for n in range(40)))
    spec = Spec(NetworkSpec(depth=1, width=2), DataSpec("csv", path=str(data)))
    recorded(tmp_path / "run.gradviz", 20, spec)
    assert open_recording(tmp_path / "run.gradviz").experiment.last_step == 20
    data.write_text(data.read_text().replace("3,", "4,"))
    with pytest.raises(RecordingError, match=r"other data than “mine\.csv” holds"):
        open_recording(tmp_path / "run.gradviz")
    data.unlink()
    with pytest.raises(RecordingError, match=r"mine\.csv"):
        open_recording(tmp_path / "run.gradviz")


def test_a_number_that_was_altered_is_noticed(tmp_path: Path) -> None:
    recorded(tmp_path / "run.gradviz")
    with sqlite3.connect(tmp_path / "run.gradviz") as connection:
        connection.execute("UPDATE steps SET loss = loss * 1.001 WHERE id = 100")
        connection.execute("DELETE FROM steps WHERE id = 200")
    connection.close()
    opened = open_recording(tmp_path / "run.gradviz")
    assert "altered" in opened.damage
    assert "2 of 300 steps up to step 300 are missing; steps 1 to 99, 101 to 199, 201 to 300 are there" in opened.damage
    assert opened.experiment.last_step == 300
    assert 100 not in opened.experiment.history.table().steps
