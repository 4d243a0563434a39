"""Animations of a run: on the command line, and from the window while its run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.spec import Spec
from tests.ui.live import opened
from ui.app import main
from ui.film import MOST_FRAMES, Film, NotTheSame, make_film, thinned
from ui.main_window import MainWindow
from ui.movie_dialog import MovieDialog
from ui.movie_process import MovieProcess, Report
from ui.presets import preset_named

from .test_movie import colours, read

ROOT = Path(__file__).parents[2]
SPEC = preset_named("vanishing").spec.replace("network.depth", 3)


def render(*arguments: str) -> int:
    return main(["render", "--preset", "vanishing", "--set", "network.depth=3", *arguments])


def wait_for(qtbot: QtBot, done: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(done()), timeout=30_000)


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, SPEC, lambda s: s.step > 8)


def dialog_of(window: MainWindow) -> MovieDialog:
    window.export_menu.save_animation()
    assert window.export_menu.movie is not None
    return window.export_menu.movie


def test_thinned() -> None:
    assert thinned(1, 7, 2) == (1, 3, 5, 7)
    assert thinned(1, 8, 3) == (1, 4, 7, 8)
    assert thinned(4, 4) == (4,)
    for last in (2, 149, 150, 151, 3_000, 12_345):
        steps = thinned(1, last)
        assert len(steps) <= MOST_FRAMES
        assert (steps[0], steps[-1]) == (1, last)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("suffix", "mean"), [(".apng", 0.0), (".webp", 0.0), (".gif", 2.0)])
def test_the_frames_are_the_still_pictures(suffix: str, mean: float, theme: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    common = ("--theme", theme, "--view", "network", "--size", "480x300")
    assert render("--from", "2", "--steps", "8", "--every", "3", "--fps", "10", *common, "-o", str(path)) == 0
    frames, durations = read(path)
    assert len(frames) == 3
    assert durations[0] == pytest.approx(100)
    for frame, step in zip(frames, (2, 5, 8), strict=True):
        still = tmp_path / "still.png"
        assert render("--steps", str(step), *common, "-o", str(still)) == 0
        assert np.abs(frame - colours(QImage(str(still)))).mean() <= mean


def test_the_phases_of_a_step(tmp_path: Path) -> None:
    path, still = tmp_path / "phases.webp", tmp_path / "still.png"
    assert render("--phases-of", "5", "--view", "window", "--size", "1000x700", "-o", str(path)) == 0
    frames, _ = read(path)
    assert len(frames) == 4 + 1 + 4 + 1 + 1  # layers forward, the loss, layers back, clipping, the update
    assert render("--steps", "4", "--phases", "7", "--view", "window", "--size", "1000x700", "-o", str(still)) == 0
    assert np.abs(frames[6] - colours(QImage(str(still)))).mean() < 0.5


def test_it_ends_where_the_numbers_do(tmp_path: Path) -> None:
    path = tmp_path / "exploding.gif"
    assert main(["render", "--preset", "exploding", "--steps", "400", "--every", "1", "--view", "gradients", "-o", str(path)]) == 0
    with Image.open(path) as image:
        assert 1 <= getattr(image, "n_frames", 1) < 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "5", "-o", "x.png"], "are for animations"),
        (["--fps", "5", "-o", "x.svg"], "are for animations"),
        (["--from", "50", "--steps", "20", "-o", "x.gif"], "--from is 50"),
        (["--phases", "3", "-o", "x.gif"], "--phases-of"),
        (["-o", "x.avi"], ".webp"),
        (["--steps", "2", "-o", "nowhere/x.gif"], "cannot be written"),
    ],
)
def test_what_does_not_go_together_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert render(*arguments) != 0
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_from_outside_it_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "main.py", "render", "--preset", "vanishing", "--steps", "100000", "-o", str(tmp_path / "run.gif")]
    def heed() -> None:
        signal.signal(number, signal.SIG_DFL)  # what is started in the background may be told to ignore it

    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    try:
        end = time.monotonic() + 60
        while not list(tmp_path.glob(".*.part")) and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "cancelled" in said
    assert not list(tmp_path.glob("*run*")) + list(tmp_path.glob(".*.part"))


def test_a_run_with_changes_and_a_branch_is_done_again_as_it_was(tmp_path: Path) -> None:
    experiment = Experiment(SPEC)
    for _ in range(6):
        experiment.advance()
    experiment.apply(experiment.spec.replace("training.learning_rate", 0.3))
    for _ in range(6):
        experiment.advance()
    experiment.go_to(9)
    experiment.apply(experiment.spec.replace("training.batch_size", 16))
    for _ in range(4):
        experiment.advance()
    assert [step for step, _ in experiment.settings] == [0, 6, 9]
    film = Film(experiment.settings, tmp_path / "run.gif", (1, 7, 13), view="timeline", known=(13, experiment.trainer.loss))
    assert make_film(film) == 3
    other = Film(experiment.settings[:2], tmp_path / "other.gif", (1, 7, 13), view="timeline", known=(13, experiment.trainer.loss))
    with pytest.raises(NotTheSame):
        make_film(other)
    assert [path.name for path in tmp_path.iterdir()] == ["run.gif"]


def test_the_window_saves_one_while_its_run_goes_on(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.change("training.learning_rate", 0.2)
    dialog = dialog_of(window)
    dialog.view.setCurrentIndex(dialog.view.findData("network"))
    dialog.last.setValue(8)
    dialog.every.setValue(3)
    assert dialog.frames() == 4  # 1, 4, 7, 8
    path = tmp_path / "run.gif"
    assert window.run.snapshot is not None
    before = window.run.snapshot.step
    dialog.save_as(path)
    wait_for(qtbot, lambda: window.export_menu.movie is None)
    assert window.run.snapshot.step > before, "it has trained on meanwhile"
    assert len(read(path)[0]) == 4
    assert "run.gif" in window.status.message.text
    assert not list(tmp_path.glob(".*"))


def test_the_window_saves_the_phases_of_a_step(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.step_layer()
    wait_for(qtbot, lambda: window.run.snapshot is not None and window.run.snapshot.moment is not None)
    dialog = dialog_of(window)
    assert (dialog.kind.currentData(), dialog.frames()) == ("phases", 11)
    dialog.view.setCurrentIndex(dialog.view.findData("chain"))
    dialog.format.setCurrentIndex(dialog.format.findData(".webp"))
    dialog.save_as(tmp_path / "step.webp")
    wait_for(qtbot, lambda: window.export_menu.movie is None)
    frames, durations = read(tmp_path / "step.webp")
    assert len(frames) == 11
    assert durations[0] == pytest.approx(250)
    assert frames[0].shape[0] > 400, "there is room for all that is known in the end"


def test_no_such_steps(window: MainWindow) -> None:
    dialog = dialog_of(window)
    dialog.first.setText("9")
    dialog.last.setText("")
    assert not dialog.save_button.isEnabled()
    dialog.last.setValue(9)
    assert dialog.save_button.isEnabled()
    assert dialog.frames() == 1


def test_the_window_cancels(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialog_of(window)
    dialog.last.setValue(8)
    folder = tmp_path / "there"
    folder.mkdir()
    dialog.save_as(folder / "run.webp")
    wait_for(qtbot, lambda: list(folder.iterdir()))  # it has begun
    dialog.reject()
    wait_for(qtbot, lambda: dialog.save_button.isEnabled())
    assert not list(folder.iterdir())
    assert "cancelled" in window.status.message.text
    dialog.reject()
    wait_for(qtbot, lambda: window.export_menu.movie is None)


def test_the_window_says_what_went_wrong_and_lets_one_try_again(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialog_of(window)
    dialog.last.setValue(2)
    dialog.save_as(tmp_path / "nowhere" / "run.gif")
    wait_for(qtbot, lambda: dialog.save_button.isEnabled())
    assert "cannot be written" in window.overlays.banner.text
    dialog.save_as(tmp_path / "run.gif")
    wait_for(qtbot, lambda: window.export_menu.movie is None)
    assert (tmp_path / "run.gif").exists()


def test_the_dialog_goes_when_it_is_closed_and_the_animation_with_it(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialog_of(window)
    dialog.last.setValue(8)
    dialog.save_as(tmp_path / "run.webp")
    assert dialog.working
    assert dialog.close(), "a dialog that stays would keep the program from ending"
    wait_for(qtbot, lambda: window.export_menu.movie is None)
    assert "cancelled" in window.status.message.text
    assert not list(tmp_path.glob(".gradviz-*"))


def test_a_long_run_is_handed_over_without_waiting_for_the_process(tmp_path: Path) -> None:
    settings = tuple((step, Spec()) for step in range(3_000))  # far more than a pipe holds
    process = MovieProcess(Film(settings, tmp_path / "run.gif", (1,)))
    assert process.report() == Report(0, 0)
    os.kill(process._process.pid or 0, signal.SIGKILL)  # before it has read any of it
    process.stop()
    assert not list(tmp_path.iterdir())


def test_a_window_that_closes_leaves_nothing(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    dialog = dialog_of(window)
    dialog.last.setValue(8)
    dialog.save_as(folder / "run.webp")
    wait_for(qtbot, lambda: list(folder.iterdir()))
    window.close()
    window.shut_down()  # what follows the closing at once
    assert not list(folder.iterdir())


def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    process = MovieProcess(Film(((0, Spec()),), tmp_path / "run.gif", tuple(range(1, 500))))
    try:
        process._process.kill()
        end = time.monotonic() + 10
        while not process.report().outcome and time.monotonic() < end:
            time.sleep(0.01)
        assert process.report().outcome == "failed"
        assert "unexpectedly" in process.report().text
    finally:
        process.stop()
    assert not [entry for entry in tmp_path.iterdir() if entry.name.endswith(".part")]
