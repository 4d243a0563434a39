"""Two runs compared from the command line: what is taken for the second one, and what is written of both."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from gradviz.experiment import Experiment
from gradviz.recording import Recorder
from gradviz.session_file import SessionFile, Settings, write_session
from gradviz.spec import Spec
from ui.app import main
from ui.movie_formats import SUFFIXES, missing
from ui.presets import preset_named, presets

SMALL = Spec().replace("network.depth", 3).replace("network.width", 4).replace("training.seed", 5)


def texts_of(path: Path) -> list[str]:
    return re.findall(r">([^<>\n]+)</text>", path.read_text())


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Two specs, one change apart."""
    for name, spec in (("a", SMALL), ("b", SMALL.replace("network.activation", "relu"))):
        (tmp_path / f"{name}.json").write_text(spec.to_json())
    return str(tmp_path / "a.json"), str(tmp_path / "b.json")


def losses(path: Path, side: str) -> list[float]:
    with path.open() as file:
        return [float(loss) for row in csv.DictReader(file) if (loss := row[f"{side}_loss"])]


def trained(spec: Spec, steps: int) -> list[float]:
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.advance()
    history = experiment.measure().history
    assert history is not None
    return list(history.loss.tolist())


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_two_specs_become_one_picture(ending: str, files: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / f"compare{ending}"
    assert main(["render", *files, "--view", "compare", "--steps", "8", "--theme", "dark", "-o", str(path)]) == 0
    assert path.read_bytes().startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[ending])
    if ending == ".svg":
        texts = texts_of(path)
        assert {"One change", "Sigmoid", "ReLU", "Loss at step 8"} <= set(texts)
        assert path.read_text().count("&quot;activation&quot;") == 2, "the settings of both sides"
    if ending == ".png":
        image = QImage(str(path))
        assert (image.width(), image.height()) == (1600, 1000)


@pytest.mark.parametrize("ending", SUFFIXES)
def test_an_animation_of_both_in_step(ending: str, files: tuple[str, str], tmp_path: Path) -> None:
    if missing(ending) is not None:
        pytest.skip(str(missing(ending)))
    path = tmp_path / f"compare{ending}"
    arguments = ["render", *files, "--view", "compare", "--steps", "3", "--size", "900x600", "--scale", "0.5", "-o", str(path)]
    assert main(arguments) == 0
    if ending == ".gif":
        from PIL import Image

        with Image.open(path) as movie:
            assert movie.n_frames == 3
            assert movie.size == (450, 300)
    assert path.stat().st_size > 5000


def test_the_phases_of_a_step_of_nets_of_different_depth(files: tuple[str, str], tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "phases.gif"
    arguments = ["render", files[0], "--change", "network.depth=2", "--view", "compare", "--phases-of", "2", "--size", "900x600"]
    assert main([*arguments, "-o", str(path)]) == 0
    with Image.open(path) as movie:
        assert movie.n_frames == len(Experiment(SMALL).trainer.order)


def test_the_numbers_of_both_sides_are_the_engines(files: tuple[str, str], tmp_path: Path) -> None:
    table, arrays = tmp_path / "both.csv", tmp_path / "both.npz"
    for path in (table, arrays):
        assert main(["numbers", *files, "--view", "compare", "--steps", "6", "-o", str(path)]) == 0
    relu = SMALL.replace("network.activation", "relu")
    assert losses(table, "A") == trained(SMALL, 6)
    assert losses(table, "B") == trained(relu, 6)
    with np.load(arrays) as archive:
        assert archive["step"].tolist() == [1, 2, 3, 4, 5, 6]
        assert archive["B_loss"].tolist() == trained(relu, 6)



VANISHING, CURED = (preset_named(name).spec for name in ("vanishing", "cured-by-relu"))


@pytest.mark.parametrize(
    ("arguments", "second"),
    [
        (["--preset", "vanishing", "--against", "cured-by-relu"], CURED),
        (["vanishing", "cured-by-relu"], CURED),
        (["--preset", "compare-depth"], VANISHING.replace("network.depth", 3)),
        (["vanishing", "--change", "network.depth=3"], VANISHING.replace("network.depth", 3)),
        (["vanishing", "--against", "cured-by-relu", "--change", "network.depth=3"], CURED.replace("network.depth", 3)),
        (["vanishing", "cured-by-relu", "--set", "training.seed=9"], CURED.replace("training.seed", 9)),
    ],
)
def test_what_the_second_run_is(arguments: list[str], second: Spec, tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    assert main(["numbers", *arguments, "--view", "compare", "--steps", "3", "-o", str(path)]) == 0
    assert losses(path, "B") == trained(second, 3)


def test_a_session_is_compared_where_it_stands(tmp_path: Path) -> None:
    path, table = tmp_path / "run.gradviz.json", tmp_path / "both.csv"
    write_session(SessionFile((Settings(0, SMALL),), step=5, last_step=9), path)
    assert main(["numbers", str(path), "--change", "network.activation=relu", "--view", "compare", "-o", str(table)]) == 0
    assert losses(table, "B") == trained(SMALL.replace("network.activation", "relu"), 5)
    picture = tmp_path / "both.svg"
    assert main(["render", str(path), "--change", "network.activation=relu", "--view", "compare", "-o", str(picture)]) == 0
    assert "Loss at step 5" in texts_of(picture)


def test_a_session_of_two_runs_is_drawn_with_both(tmp_path: Path) -> None:
    path, table, picture = tmp_path / "both.gradviz.json", tmp_path / "both.csv", tmp_path / "both.svg"
    relu = SMALL.replace("network.activation", "relu")
    write_session(SessionFile((Settings(0, SMALL),), 5, 9, against=SessionFile((Settings(0, SMALL), Settings(3, relu)), 5, 7)), path)
    assert main(["render", str(path), "--view", "compare", "-o", str(picture)]) == 0
    assert {"Loss at step 5", "Sigmoid", "ReLU"} <= set(texts_of(picture))
    assert main(["numbers", str(path), "--view", "compare", "-o", str(table)]) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert (len([row for row in rows if row["A_loss"]]), len([row for row in rows if row["B_loss"]])) == (9, 7)
    assert losses(table, "A")[:3] == losses(table, "B")[:3]
    assert losses(table, "A")[:5] != losses(table, "B")[:5]
    movie = tmp_path / "both.gif"
    assert main(["render", str(path), "--view", "compare", "--size", "900x600", "--scale", "0.5", "--every", "8", "-o", str(movie)]) == 0
    for option, field, value in (("--set", "training.seed", 9), ("--change", "network.depth", 2)):
        arguments = ["--view", "compare", option, f"{field}={value}", "--steps", "4", "-o", str(table)]
        assert main(["numbers", str(path), *arguments]) == 0
        assert losses(table, "B")[:4] == trained(relu.replace(field, value), 4)
    assert main(["numbers", str(path), "--view", "gradients", "-o", str(table)]) == 0


def test_a_recording_is_compared_where_it_ends(tmp_path: Path) -> None:
    path, table = tmp_path / "run.gradviz", tmp_path / "both.csv"
    experiment = Experiment(SMALL)
    recorder = Recorder(path, experiment)
    for _ in range(7):
        experiment.advance()
        recorder.append(experiment)
    recorder.close()
    assert main(["numbers", str(path), "--change", "network.activation=relu", "--view", "compare", "-o", str(table)]) == 0
    assert losses(table, "A") == trained(SMALL, 7)
    assert losses(table, "B") == trained(SMALL.replace("network.activation", "relu"), 7)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vanishing", "--view", "compare"], "--change"),
        (["vanishing", "cured-by-relu", "--view", "figure"], "--view is 'figure'; allowed: compare"),
        (["vanishing", "--change", "network.depth=3", "--view", "figure"], "allowed: compare"),
        (["vanishing", "cured-by-relu", "--against", "clipped", "--view", "compare"], "cured-by-relu is the second run already"),
        (["vanishing", "nonsense", "--view", "compare"], "the preset is 'nonsense'"),
        (["vanishing", "missing.json", "--view", "compare"], "missing.json"),
        (["vanishing", "--change", "network.depth=0", "--view", "compare"], "network.depth is 0"),
        (["vanishing", "--change", "network.depth=2", "--phases", "20", "--view", "compare"], "--phases"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "compare.png"
    assert main(["render", *arguments, "--steps", "2", "-o", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert not path.exists()


def test_the_presets_of_the_menu_are_one_change_apart() -> None:
    from gradviz.changes import differences

    found = [preset for preset in presets() if preset.against is not None]
    assert {"compare-relu", "compare-lstm"} <= {preset.name for preset in found}
    for preset in found:
        assert preset.against is not None
        assert len(differences(preset.spec, preset.against)) == 1, preset.name


def test_steps_that_are_said_are_kept(tmp_path: Path) -> None:
    path, table = tmp_path / "run.gradviz.json", tmp_path / "both.csv"
    write_session(SessionFile((Settings(0, SMALL),), step=4, last_step=4), path)
    arguments = ["numbers", str(path), "--change", "network.activation=relu", "--view", "compare", "--steps", "6"]
    assert main([*arguments, "-o", str(table)]) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["A_loss"] == "" for row in rows] == [False] * 4 + [True] * 2
