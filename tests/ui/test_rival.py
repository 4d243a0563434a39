"""The residual view in the real window: the plain net is trained beside the residual one, and both losses come."""


import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gradviz import Experiment
from gradviz.lab_reports import ResidualReport
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.live import PATIENCE, opened
from ui.main_window import MainWindow

SPEC = Spec(NetworkSpec(depth=5, width=4, skip_every=2), DataSpec(samples=60), TrainingSpec(seed=5, stop_after=40))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, SPEC, lambda s: s.step == 40 and not s.playing)


def test_a_press_trains_the_plain_net_from_the_same_seed_for_the_same_steps(qtbot: QtBot, window: MainWindow) -> None:
    window.show_lab("residual")
    assert window.lab is not None
    qtbot.waitUntil(lambda: isinstance(window.run.snapshot.lab, ResidualReport), timeout=PATIENCE)
    button = next(button for button in window.lab.panel.findChildren(QPushButton) if "plain" in button.text().lower())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def whole() -> bool:
        report = window.run.snapshot.lab
        return isinstance(report, ResidualReport) and report.rival is not None and len(report.rival.steps) == 40

    qtbot.waitUntil(whole, timeout=PATIENCE)
    plain = Experiment(SPEC.replace("network.skip_every", 0))
    for _ in range(40):
        plain.advance()
    np.testing.assert_array_equal(window.run.snapshot.lab.rival.loss, plain.history.table().loss)
    assert window.run.snapshot.step == 40
