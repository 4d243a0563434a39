"""A remedy in a verdict's card is tried on beside the run, in the real window with real engines; and on the command line."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gradviz.effect import TRIAL_STEPS, effect_of, proposed
from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec
from tests.ui.live import opened
from ui.app import main
from ui.compare.outcome_words import next_remedy, outcome
from ui.comparison import Comparison
from ui.main_window import MainWindow
from ui.numbers import short
from ui.presets import preset_named

PRESET = preset_named("vanishing")
VANISHING = PRESET.spec
PATIENCE = 60_000


def ran(spec: Spec, steps: int) -> Snapshot:
    experiment = Experiment(spec)
    while experiment.step_count < steps and experiment.trainer.failure is None:
        experiment.advance()
    return experiment.measure()


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = opened(qtbot, VANISHING, preset=PRESET)  # at its speed, so that it has not come far when it is judged
    qtbot.waitUntil(lambda: bool(made.status.verdict.verdicts), timeout=PATIENCE)
    return made


def press(qtbot: QtBot, window: MainWindow, words: str) -> None:
    card = window.status.verdict.open_card()
    (button,) = [button for button in card.findChildren(QPushButton) if button.text().startswith(f"Try: {words}")]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def answered(qtbot: QtBot, window: MainWindow) -> tuple[Comparison, Snapshot, Snapshot]:
    assert window.compare is not None
    pair = window.compare.pair
    qtbot.waitUntil(lambda: pair.other is not None and pair.settled and not pair.playing, timeout=PATIENCE)
    a, b = pair.run_of("A").snapshot, pair.run_of("B").snapshot
    assert a is not None
    assert b is not None
    return pair, a, b


def test_a_remedy_proves_itself_and_the_next_one_and_keeping_it(qtbot: QtBot, window: MainWindow) -> None:
    press(qtbot, window, "Batch norm")
    pair, a, b = answered(qtbot, window)
    assert a.step == b.step == TRIAL_STEPS
    assert (a.spec, b.spec) == (VANISHING, VANISHING.replace("network.batch_norm", True))
    measured = effect_of(ran(a.spec, a.step), ran(b.spec, b.step))
    line = window.compare.page.outcome  # type: ignore[union-attr]
    assert line.isVisible()
    assert line.outcome is not None
    assert (line.outcome.title, measured.kind) == ("Cured", "cured")
    before, after = measured.losses
    assert line.outcome.parts[0].startswith(f"Loss {short(before)} → {short(after)} × guessing (÷ ")
    assert line.outcome.parts[1].startswith("Gradient of L1 × ")
    assert line.outcome.parts[2:] == ("Vanishing → Healthy", f"step {TRIAL_STEPS}")

    second = next_remedy(a, b)
    assert second is not None
    wanted = VANISHING.replace(second.path, second.value)
    assert wanted not in (a.spec, b.spec)
    qtbot.mouseClick(line._try, Qt.MouseButton.LeftButton)
    assert window.compare is not None
    assert window.compare.pair is pair
    pair, a, b = answered(qtbot, window)
    assert (a.spec, b.spec, a.step, b.step) == (VANISHING, wanted, TRIAL_STEPS, TRIAL_STEPS)
    assert b.loss == ran(wanted, TRIAL_STEPS).loss

    qtbot.mouseClick(line._keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.compare is None and window.run.settled, timeout=PATIENCE)
    assert window.run.snapshot is not None
    assert window.run.snapshot.spec == wanted
    window.undo()
    qtbot.waitUntil(lambda: window.run.snapshot.spec == VANISHING, timeout=PATIENCE)  # type: ignore[union-attr]


def test_a_run_that_is_ahead_waits_for_the_remedy(qtbot: QtBot, window: MainWindow) -> None:
    window.set_speed(None)
    ahead = TRIAL_STEPS + 300
    qtbot.waitUntil(lambda: window.run.snapshot.step > ahead, timeout=PATIENCE)  # type: ignore[union-attr]
    window.set_playing(False)
    qtbot.waitUntil(lambda: window.run.settled and not window.run.playing, timeout=PATIENCE)
    step = window.run.snapshot.step  # type: ignore[union-attr]
    remedy = next(iter(proposed(window.run.snapshot)))  # type: ignore[arg-type]
    path, value = proposed(window.run.snapshot)[remedy][1:]  # type: ignore[arg-type]
    window.try_remedy(path, value)
    _, a, b = answered(qtbot, window)
    assert a.step == b.step == step
    assert b.loss == ran(remedy, step).loss
    qtbot.mouseClick(window.compare.page.outcome._back, Qt.MouseButton.LeftButton)  # type: ignore[union-attr]
    assert window.compare is None
    assert window.run.wanted_spec == VANISHING


def test_what_does_not_help_is_told_so() -> None:
    a, b = ran(VANISHING, 300), ran(VANISHING.replace("training.learning_rate", VANISHING.training.learning_rate / 10), 300)
    found = outcome(a, b)
    assert found is not None
    assert found.title == "No difference"
    assert "÷" not in found.parts[0]
    assert "×" in found.parts[0]
    other = outcome(ran(VANISHING.replace("network.batch_norm", True), 300), a)
    assert other is not None
    assert other.title == "Worse"


def test_nothing_is_said_too_early_or_of_the_same() -> None:
    changed = VANISHING.replace("network.activation", "relu")
    young = outcome(ran(VANISHING, 12), ran(changed, 12))
    assert young is not None
    assert young.title == "Too early to tell"
    assert outcome(ran(VANISHING, 40), ran(VANISHING, 40)) is None
    behind = outcome(ran(VANISHING, 300), ran(changed, 120))
    assert behind is not None
    assert behind.sentence == "B catches up: step 120 of 300."


def test_who_outlives_a_failure_has_to_get_further_first() -> None:
    failing = Spec().replace("network.activation", "identity").replace("network.gain", 20.0)
    failed = ran(failing, 300)
    assert failed.diverged
    assert effect_of(failed, ran(VANISHING, max(0, failed.step - 1))).kind == "too_early"
    later = max(60, failed.step + 30)
    found = outcome(failed, ran(VANISHING, later))
    assert found is not None
    assert found.title in ("Helped", "Cured")
    assert f"A stopped at step {failed.step}" in found.parts[0]
    assert outcome(ran(VANISHING, later), failed).title == "Worse"  # type: ignore[union-attr]


def test_the_command_tries_each_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["remedies", "--preset", "vanishing", "--steps", "300", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    run = ran(VANISHING, 300)
    assert found["verdicts"] == [verdict.kind for verdict in run.verdicts] == ["vanishing"]
    assert len(found["remedies"]) == len(proposed(run)) > 1
    for trial, spec in zip(found["remedies"], proposed(run), strict=True):
        effect = effect_of(run, ran(spec, 300))
        assert (trial["kind"], trial["loss_ratio"], trial["gradient_ratio"]) == (effect.kind, effect.loss_ratio, effect.gradient_ratio)
    assert "cured" in [trial["kind"] for trial in found["remedies"]]


def test_the_command_tells_when_there_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["remedies", "--preset", "cured-by-relu", "--steps", "300"]) == 0
    assert "there is nothing to cure" in capsys.readouterr().out
    assert main(["remedies", "--preset", "vanishing", "--steps", "5"]) == 2
    assert "--steps" in capsys.readouterr().err
