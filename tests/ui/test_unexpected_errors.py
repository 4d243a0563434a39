"""What happens to an error that nobody has foreseen: it is told, and the window goes on."""

import sys

import pytest
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradviz.spec import Spec
from ui.application import _teller
from ui.main_window import MainWindow


class FailsOnce(QWidget):
    """Raises while it is painted for the first time."""

    painted = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.painted += 1
        if self.painted == 1:
            raise ValueError("no paint")
        painter.end()


def test_a_drawing_that_failed_is_told_and_drawn_again(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Were the painter kept, Qt would warn at every frame from then on, which fails the test."""
    window = MainWindow(Spec(), live=False)
    qtbot.addWidget(window)
    monkeypatch.setattr(sys, "excepthook", _teller(window))
    widget = FailsOnce()
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitUntil(lambda: widget.painted >= 1)
    assert "no paint" in window.overlays.banner.text
    assert "ValueError: no paint" in capfd.readouterr().err
    widget.update()
    qtbot.waitUntil(lambda: widget.painted >= 2)
