"""The command line, as a user types it."""

import csv
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gradviz.experiment import Experiment
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import RecordingWriteError
from gradviz.session_file import SessionFile, Settings, write_session
from gradviz.session_tables import beside, find_tables, mark_of
from gradviz.spec import Spec
from ui import app, application
from ui.app import VIEWS, main
from ui.presets import presets

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", [preset.name for preset in presets()])
def test_every_preset_trains(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--preset", name, "--steps", "20", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["step"] == 20
    assert {"step", "loss", "diverged", "layers", "steps_per_second"} <= set(result)
    assert {"name", "gradient_norm"} <= set(result["layers"][0])
    assert result["layers"][-1]["name"] == "Out"


def test_train_tells_theory_and_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    def trained(*more: str) -> dict[str, Any]:
        assert main(["train", *more, "--json"]) == 0
        result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return result

    result = trained("--preset", "vanishing", "--steps", "60")
    assert result["theory"] == "mean field, at initialisation"
    for layer in result["layers"]:
        theory = layer["theory"]
        assert math.isclose(theory["delta_distance"], math.log10(layer["delta_norm"] / theory["delta_norm"]))
        assert math.isclose(theory["gradient_distance"], math.log10(layer["gradient_norm"] / theory["gradient_norm"]))
    verdict = result["verdicts"][0]
    assert set(verdict) == {"kind", "layers", "rule", "value", "threshold", "explanation", "remedies"}
    assert verdict["kind"] == "vanishing"
    assert 1 in verdict["layers"]
    assert set(verdict["remedies"][0]) == {"words", "field", "value"}
    in_time = trained("--preset", "recall-rnn", "--steps", "1")
    assert in_time["theory"] == "none: the time steps share their weights"
    assert in_time["layers"][0]["theory"] is None


def test_settings_override_the_preset(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--preset", "vanishing", "--steps", "1", "--json"]
    arguments += ["--set", "network.depth=20", "--set", "network.activation=relu"]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(result["layers"]) == 21
    assert result["layers"][0]["activation"] == "relu"


def test_a_spec_file_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spec.json"
    path.write_text(Spec().replace("network.depth", 3).to_json())
    assert main(["train", str(path), "--steps", "2"]) == 0
    assert "step 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preset", "nothing"], "vanishing"),
        (["--preset", "vanishing", "--set", "network.depth=0"], "network.depth is 0"),
        (["--preset", "vanishing", "--set", "network.colour=red"], "network.depth"),
        (["missing.json"], "missing.json"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *arguments, "--steps", "1"]) == 2
    assert said in capsys.readouterr().err


def test_training_does_not_load_qt() -> None:
    code = "import sys; from ui.app import main; main(['train', '--preset', 'clipped', '--steps', '2']); print('PySide6' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells by its environment that there is no display")
def test_without_a_display_the_window_says_so() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "display" in done.stderr


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_render_draws_every_view(view: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture{ending}"
    second = ["--change", "network.activation=relu"] if view == "compare" else []
    assert main(["render", "--preset", "vanishing", "--steps", "5", "--view", view, *second, "-o", str(path)]) == 0
    content = path.read_bytes()
    assert content.startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[ending])
    if ending == ".svg" and view in ("network", "figure"):
        assert b"<text" in content
        assert content.count(b"<image") <= 1, "only the map of the outputs is made of pixels"


def test_render_obeys_size_and_scale(tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    path = tmp_path / "network.png"
    arguments = ["render", "--preset", "clipped", "--steps", "3", "--view", "network", "--size", "600x300", "--scale", "2", "-o", str(path)]
    assert main(arguments) == 0
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1200, 600)
    assert '"clip": "norm"' in image.text("Description")


def test_render_is_silent(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "main.py"), "render", "--preset", "vanishing", "--steps", "2", "--view", "window"]
    done = subprocess.run([*command, "-o", str(tmp_path / "window.png")], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "window.png").stat().st_size > 10_000


def words_of(path: Path) -> str:
    """All that is written in a picture; a vector file cuts a word where the font changes."""
    return "".join(re.findall(r">([^<>\n]+)</text>", path.read_text()))


@pytest.mark.parametrize(
    ("phases", "network", "chain"),
    [
        (0, "Loss", "Weight into L1"),
        (3, "Forward: layer 3 of 11", "No factors yet"),
        (18, "Backward: layer 6 now, 5 to go", "not reached yet"),
        (25, "step 6 is done", "The same number"),
    ],
)
def test_render_draws_the_inside_of_a_step(phases: int, network: str, chain: str, tmp_path: Path) -> None:
    for view, said in (("network", network), ("chain", chain)):
        path = tmp_path / f"{view}.svg"
        assert main(["render", "--preset", "vanishing", "--steps", "5", "--phases", str(phases), "--view", view, "-o", str(path)]) == 0
        assert said in words_of(path)


def test_the_window_shows_the_chain_rule_inside_a_step(tmp_path: Path) -> None:
    path = tmp_path / "window.svg"
    for options, shown in (([], False), (["--phases", "18"], True)):
        assert main(["render", "--preset", "vanishing", "--steps", "5", "--view", "window", *options, "-o", str(path)]) == 0
        assert ("Running product" in words_of(path)) == shown


def test_a_preset_is_drawn_as_the_window_opens_it(tmp_path: Path) -> None:
    """It shows the page and the weight that the preset is about; with other settings its weight may not be there."""
    path = tmp_path / "window.svg"
    arguments = ["render", "--preset", "worked-dead-relu", "--steps", "1", "--view", "window", "-o", str(path)]
    assert main(arguments) == 0
    assert "Weight into L2, unit 1" in words_of(path)
    assert main([*arguments, "--set", "network.depth=1"]) == 0


def test_a_step_has_only_so_many_phases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--preset", "vanishing", "--steps", "1", "--phases", "26", "-o", str(tmp_path / "a.png")]) == 2
    assert "--phases is 26; allowed: a whole number from 0 to 25" in capsys.readouterr().err


def test_render_tells_when_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--preset", "vanishing", "--steps", "1", "-o", str(tmp_path / "no" / "such.png")]) == 1
    assert "such.png" in capsys.readouterr().err


def test_a_file_is_told_from_a_command() -> None:
    assert app._file_to_open(["run.gradviz.json"]) == (Path("run.gradviz.json"), [])
    assert app._file_to_open(["--theme", "light", "a b.csv"]) == (Path("a b.csv"), ["--theme", "light"])
    assert app._file_to_open(["--preset", "vanishing"]) == (None, ["--preset", "vanishing"])
    assert app._file_to_open(["train", "spec.json"]) == (None, ["train", "spec.json"])


def test_a_file_is_opened_in_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(application, "run_window", lambda *arguments: opened.append(arguments) or 0)
    assert main(["--theme", "light", "run.gradviz.json"]) == 0
    assert opened == [(None, "light", Path("run.gradviz.json"))]


@pytest.mark.parametrize("view", [*app.PANEL_VIEWS, *app.PANEL_TABLES, *app.LAB_VIEWS])
def test_every_view_has_its_numbers(view: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(Spec().replace("network.depth", 3).replace("network.skip_every", 1).to_json())
    for ending in (".csv", ".npz"):
        path = tmp_path / f"x{ending}"
        assert main(["numbers", str(spec), "--steps", "3", "--view", view, "-o", str(path)]) == 0
    with (tmp_path / "x.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert bool(rows) == (view not in ("linear", "population"))  # no linear map with a curve, no population without evolution
    with np.load(tmp_path / "x.npz") as arrays:
        assert list(arrays) == header
        assert {len(values) for values in arrays.values()} == {len(rows)}
        for values, *text in zip(arrays.values(), *rows, strict=True):
            if values.dtype.kind in "if" and view != "hardware":  # whose times are measured anew
                assert np.array_equal(values, [float(one) if one else np.nan for one in text], equal_nan=True)


def test_numbers_end_in_csv_or_npz(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["numbers", "--preset", "vanishing", "--steps", "1", "--view", "gradients", "-o", str(tmp_path / "x.xls")]) == 2
    assert ".csv, .npz" in capsys.readouterr().err
    missing = str(tmp_path / "none" / "x.csv")
    assert main(["numbers", "--preset", "vanishing", "--steps", "1", "--view", "gradients", "-o", missing]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_session_is_drawn_where_it_stands(tmp_path: Path) -> None:
    spec = Spec().replace("network.depth", 3)
    faster = spec.replace("training.learning_rate", 0.5)
    path = tmp_path / "run.gradviz.json"
    write_session(SessionFile((Settings(0, spec), Settings(4, faster)), 7, 9), path)
    assert main(["numbers", str(path), "--view", "gradients", "-o", str(tmp_path / "own.csv")]) == 0
    run = Experiment(spec)
    for _ in run.follow([(4, faster)], 7):
        pass
    with (tmp_path / "own.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    details = run.measure().details
    assert details is not None
    assert str(float(details.gradient_rms[0])) in found[0].values()
    assert main(["train", str(path), "--steps", "1"]) == 0
    path.write_text("{}")
    assert main(["train", str(path), "--steps", "1"]) == 2


def test_a_session_is_drawn_with_the_table_beside_it_or_it_says_which_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = Spec().replace("network.depth", 3).replace("data.name", "csv").replace("data.path", str(tmp_path / "gone" / "own.csv"))
    path, table = tmp_path / "run.gradviz.json", tmp_path / "own.csv"
    write_session(SessionFile((Settings(0, spec),), 2, 2), path)
    command = ["numbers", str(path), "--view", "gradients", "-o", str(tmp_path / "out.csv")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "own.csv" in said
    assert str(tmp_path / "gone") in said
    table.write_text("".join(f"{n},{n % 3},{n % 2}\n" for n in range(30)))
    assert main(command) == 0
    marked = beside(SessionFile((Settings(0, spec),), 2, 2, tables=(mark_of(str(table)),)), tmp_path)
    assert marked.tables[0].relative == "own.csv"
    write_session(find_tables(msgspec.structs.replace(marked, settings=(Settings(0, spec.replace("data.path", str(table))),)), None), path)
    assert main(command) == 0
    table.write_text("".join(f"{n},{n % 3},{n % 2}\n" for n in range(31)))
    capsys.readouterr()
    assert main(command) == 2
    assert "in 31 lines instead of" in capsys.readouterr().err
    write_session(SessionFile((Settings(0, spec),), 2, 2), path)
    assert main(command) == 0  # nothing is known of which table it was


def test_a_run_is_recorded_and_its_recording_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.gradviz"
    train = ["train", "--preset", "clipped", "--steps", "40", "--json", "--record", str(path)]
    assert main(train) == 0
    trained = json.loads(capsys.readouterr().out.splitlines()[-1])
    playback = open_recording(path)
    assert (playback.damage, playback.growing, playback.experiment.last_step) == ("", False, 40)
    assert playback.experiment.trainer.loss == trained["loss"]
    assert main(train) == 2
    assert "is there already" in capsys.readouterr().err
    assert main([*train[:-1], str(tmp_path / "run.txt")]) == 2
    assert main(["render", str(path), "--view", "timeline", "-o", str(tmp_path / "run.svg")]) == 0
    drawn = (tmp_path / "run.svg").read_bytes()
    assert main(["render", "--preset", "clipped", "--steps", "40", "--view", "timeline", "-o", str(tmp_path / "run.svg")]) == 0
    assert (tmp_path / "run.svg").read_bytes() == drawn
    assert main(["numbers", str(path), "--view", "timeline", "-o", str(tmp_path / "run.npz")]) == 0
    assert main(["render", str(path), "--view", "timeline", "-o", str(tmp_path / "run.gif"), "--every", "20"]) == 0
    path.write_bytes(b"SQLite format 3\0" + bytes(20))
    assert main(["render", str(path), "-o", str(tmp_path / "run.svg")]) == 2
    assert "cut off" in capsys.readouterr().err


def test_training_goes_on_when_its_recording_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RecordingWriteError("the disk is full")

    monkeypatch.setattr(Recorder, "append", full)
    assert main(["train", "--preset", "clipped", "--steps", "7", "--json", "--record", str(tmp_path / "run.gradviz")]) == 1
    said = capsys.readouterr()
    assert "the disk is full" in said.err
    assert json.loads(said.out.splitlines()[-1])["step"] == 7


@pytest.mark.parametrize("output", [("--json",), ()])
def test_results_that_cannot_be_printed_are_told(output: tuple[str, ...], tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("only Linux has a device that is always full")
    command = [sys.executable, str(ROOT / "main.py"), "train", "--preset", "clipped", "--steps", "7", *output]
    with full.open("w") as out:
        done = subprocess.run(
            [*command, "--record", str(tmp_path / "run.gradviz")], stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == "gradviz: the results cannot be written: No space left on device\n"
    assert open_recording(tmp_path / "run.gradviz").experiment.last_step == 7, "the recording is whole"


def test_who_reads_the_results_may_stop_reading() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, str(ROOT / "main.py"), "train", "--preset", "clipped", "--steps", "7"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
