"""The phases of a step: which is lit, and what is said of it."""

import pytest
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Moment
from gradviz.spec import Spec
from ui.phase_strip import PhaseStrip
from ui.theme import THEMES


@pytest.fixture
def strip(qtbot: QtBot) -> PhaseStrip:
    strip = PhaseStrip()
    qtbot.addWidget(strip)
    strip.show_spec(Spec())
    strip.resize(strip.sizeHint())
    return strip


def lit(strip: PhaseStrip, share: float) -> bool:
    return strip.grab().toImage().pixelColor(int(strip.width() * share), 4).name().upper() == THEMES["dark"].inverse


def test_the_phase_done_last_is_lit(strip: PhaseStrip) -> None:
    assert not lit(strip, 0.47)
    strip.show_moment(Moment(414, "backward", 5, 19, 25, 11, "backward", 4))
    assert lit(strip, 0.47)
    strip.show_moment(Moment(415, "forward", 1, 1, 25, 11, "forward", 2))
    assert lit(strip, 0.1)
    assert not lit(strip, 0.47)
    strip.show_moment(None)
    assert strip.phase is None
    assert not lit(strip, 0.1)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (Moment(414, "backward", 5, 19, 25, 11, "backward", 4), "Backward, layer 5; next: backward, layer 4"),
        (Moment(414, "forward", 11, 11, 25, 11, "loss"), "Forward, output layer; next: loss"),
        (Moment(414, "update", 0, 25, 25, 11, "forward", 1), "Update; next: forward, layer 1"),
    ],
)
def test_phase_and_layer_are_told(strip: PhaseStrip, moment: Moment, words: str) -> None:
    strip.show_moment(moment)
    assert strip.accessibleName() == f"Phases of a step: {words}; clipping is off"
    strip.show_spec(Spec().replace("training.clip", "norm"))
    assert strip.accessibleName() == f"Phases of a step: {words}"


def test_an_unknown_phase_is_refused(strip: PhaseStrip) -> None:
    with pytest.raises(ValueError, match="Forward, Loss"):
        strip.show_moment(Moment(1, "sideways", 0, 1, 2, 3))
