"""The foot of the window, the phases and the banner."""

import math

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Moment
from tests.ui.hand import on_screen
from ui.banner import Banner
from ui.status import StatusBar, next_phase
from ui.theme import THEMES, Theme

from .fabricate import fabricate


@pytest.fixture
def status(qtbot: QtBot) -> StatusBar:
    return on_screen(qtbot, StatusBar(), 1200, 30)


def has_color(widget: QWidget, color: str) -> bool:
    image = widget.grab().toImage()
    wanted = int(color[1:], 16)
    return any(image.pixel(x, y) & 0xFFFFFF == wanted for x in range(image.width()) for y in range(image.height()))


def test_the_numbers_of_the_snapshot_are_shown(status: StatusBar) -> None:
    snapshot = msgspec.structs.replace(fabricate(playing=True), test_loss=0.71234, steps_per_second=8432.4)
    status.show_snapshot(snapshot, 59.7)
    assert status.step.value == f"{snapshot.step:,}"
    assert status.test_loss.value == "0.712"
    assert "0.71234" in status.test_loss.toolTip()
    assert (status.pace.value, status.frames.value) == ("8,432 steps/s", "60 frames/s")


def test_a_clipped_norm_is_shown_before_and_after(status: StatusBar) -> None:
    snapshot = msgspec.structs.replace(fabricate(clipped=True), total_norm=0.64, clipped_norm=0.5)
    status.show_snapshot(snapshot, 60)
    assert status.norm.value == "0.640 → 0.500 clipped"


def test_nan_reads_nan_in_its_own_colour(status: StatusBar) -> None:
    status.show_snapshot(fabricate(kind="nan"), 60)
    assert status.loss.value == "NaN"
    assert status.pace.value == "stopped"
    assert has_color(status.loss, THEMES["dark"].nan)


def test_what_is_not_known_yet_is_no_nan_and_no_zero(status: StatusBar) -> None:
    status.show_snapshot(fabricate(details=False), 60)
    assert (status.loss.value, status.norm.value) == ("–", "–")
    assert not has_color(status, THEMES["dark"].nan)


def inside(kind: str, layer: int, next_kind: str, next_layer: int) -> Moment:
    return Moment(413, kind, layer, 5, 24, 11, next_kind, next_layer)


def test_inside_a_step_only_what_it_knows_already_is_told(status: StatusBar) -> None:
    whole = fabricate()
    status.show_snapshot(whole, 60)
    assert not status.next.isVisible()
    status.show_snapshot(msgspec.structs.replace(whole, moment=inside("forward", 3, "forward", 4)), 60)
    assert (status.step.value, status.loss.value, status.norm.value) == ("413", "·", "·")
    assert status.next.isVisible()
    assert status.next.accessibleName() == "Next: forward, layer 4"
    status.show_snapshot(msgspec.structs.replace(whole, moment=inside("loss", 0, "backward", 11), total_norm=math.nan), 60)
    assert (status.loss.value, status.norm.value) == ("0.694", "·")
    assert status.next.value == "backward, output layer"
    status.show_snapshot(msgspec.structs.replace(whole, moment=inside("backward", 5, "backward", 4), total_norm=0.29), 60)
    assert (status.norm.value, status.next.value) == ("so far 0.290", "backward, layer 4")
    assert not status.test_loss.isVisible()


def test_the_phase_that_comes_next_is_named() -> None:
    assert next_phase(inside("backward", 1, "clip", 0), clips=True) == "clipping"
    assert next_phase(inside("backward", 1, "clip", 0), clips=False) == "clipping (off)"
    assert next_phase(inside("forward", 11, "loss", 0), clips=True) == "the loss"
    assert next_phase(inside("update", 0, "forward", 1), clips=True) == "forward, layer 1 of step 414"


def test_after_going_back_both_steps_are_told(status: StatusBar) -> None:
    status.show_snapshot(msgspec.structs.replace(fabricate(), step=120, last_step=1500), 60)
    assert status.step.value == "120 of 1,500"
    status.show_snapshot(msgspec.structs.replace(fabricate(), step=1500, last_step=1500), 60)
    assert status.step.value == "1,500"


def test_a_message_is_said_for_a_while(qtbot: QtBot, status: StatusBar) -> None:
    status.say("Restarted from seed 7: depth changed", 0.05)
    assert status.message.text == "Restarted from seed 7: depth changed"
    qtbot.waitUntil(lambda: status.message.text == "")


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_a_banner_tells_and_offers(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.set_theme(theme)
    banner.resize(900, 42)
    banner.show()
    banner.say("Stopped at step 20.", ("Reset", "Clip and run again"))
    assert banner.text == "Stopped at step 20."
    assert has_color(banner, theme.nan)
    with qtbot.waitSignal(banner.clicked) as heard:
        qtbot.mouseClick(banner.buttons[1], Qt.MouseButton.LeftButton)
    assert heard.args == ["Clip and run again"]
    banner.say("That file cannot be read.", ("Dismiss",), "error")
    assert [button.text() for button in banner.buttons] == ["Dismiss"]
    assert not has_color(banner, theme.nan)


def test_a_long_text_on_a_banner_stays_within_two_lines(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.resize(420, 42)
    banner.say("Nothing was changed, and this is told at length. " * 6, ("Dismiss",), "error")
    banner.show()
    words = banner._words
    assert words.heightForWidth(words.width()) <= words.height() + 2
    assert banner.toolTip() == banner.text
