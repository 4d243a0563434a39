"""The row of commands: what is pressed is said, and a narrow window still shows every command."""

import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from ui.theme import THEMES
from ui.transport import SPEEDS, WALKS, Transport

PRESETS = [("vanishing", "Vanishing", "It fades.", "Small"), ("exploding", "Exploding", "It grows.", "Large")]


@pytest.fixture
def transport(qtbot: QtBot) -> Transport:
    made = Transport()
    qtbot.addWidget(made)
    made.set_presets(PRESETS)
    made.resize(1600, 52)
    made.show()
    return made


def test_play_asks_for_the_opposite_of_what_is(qtbot: QtBot, transport: Transport) -> None:
    for playing in (False, True):
        transport.show_state(playing, 60.0)
        assert transport.play_button.text().strip() == ("Pause" if playing else "Play")
        with qtbot.waitSignal(transport.play_toggled) as heard:
            qtbot.mouseClick(transport.play_button, Qt.MouseButton.LeftButton)
        assert heard.args == [not playing]


def test_every_button_says_what_it_is_for(qtbot: QtBot, transport: Transport) -> None:
    transport.show_undo("learning rate", "depth")
    for button, signal in (
        (transport.reset_button, transport.reset_wanted),
        (transport.seed_button, transport.new_seed_wanted),
        (transport.undo_button, transport.undo_wanted),
        (transport.redo_button, transport.redo_wanted),
        (transport.theme_button, transport.theme_toggled),
    ):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    for button in transport.findChildren(QToolButton):
        assert button.accessibleName()
        assert button.toolTip()


def test_undo_names_what_it_brings_back(transport: Transport) -> None:
    transport.show_undo("learning rate", None)
    assert "learning rate" in transport.undo_button.toolTip()
    assert transport.undo_button.isEnabled()
    assert not transport.redo_button.isEnabled()


def test_the_speed_goes_from_one_step_per_second_to_unlimited(qtbot: QtBot, transport: Transport) -> None:
    heard: list[object] = []
    transport.speed_changed.connect(heard.append)
    transport.show_state(True, 60.0)
    assert heard == []
    assert transport.speed_text.text() == "60 steps/s"
    transport.speed.setFocus()
    qtbot.keyClick(transport.speed, Qt.Key.Key_Home)
    qtbot.keyClick(transport.speed, Qt.Key.Key_End)
    assert heard == [1.0, None]
    transport.show_state(True, None)
    assert transport.speed_text.text() == "unlimited"
    assert transport.speed.value() == len(SPEEDS) - 1


def test_presets_are_chosen_by_name_and_changed_settings_are_none(qtbot: QtBot, transport: Transport) -> None:
    transport.show_preset("exploding")
    assert transport.presets.currentText() == "Exploding"
    with qtbot.waitSignal(transport.preset_wanted) as heard:
        transport.presets.activated.emit(0)
    assert heard.args == ["vanishing"]
    transport.show_preset(None)
    assert transport.presets.currentIndex() == -1


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1600, 1200, 1050, 900])
def test_all_commands_stay_in_sight(transport: Transport, theme: str, width: int) -> None:
    transport.set_theme(THEMES[theme])
    transport.resize(width, 52)
    transport.grab()
    parts = [transport.play_button, transport.speed, transport.speed_text, transport.presets, *transport.findChildren(QToolButton)]
    edges = sorted((part.geometry().left(), part.geometry().right()) for part in parts if part.parent() is transport and part.isVisible())
    assert edges[-1][1] < width
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(edges))
    assert transport.minimumSizeHint().width() <= 900
    assert bool(transport.step_button.text()) == (width >= 1200)


def test_every_way_through_a_step_has_its_button_or_its_place_in_the_menu(qtbot: QtBot, transport: Transport) -> None:
    for button, command in (
        (transport.layer_button, "step_layer"),
        (transport.phase_button, "step_phase"),
        (transport.step_button, "step"),
        (transport.back_button, "back_layer"),
    ):
        with qtbot.waitSignal(transport.walk_wanted) as heard:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert heard.args == [command]
    heard_commands: list[str] = []
    transport.walk_wanted.connect(heard_commands.append)
    for action in transport.layer_button.menu().actions():
        action.trigger()
    assert heard_commands == [command for command, _ in WALKS]


def test_motion_is_chosen_in_the_menu_of_the_steps(qtbot: QtBot, transport: Transport) -> None:
    transport.show_motion("reduced")
    menu = next(action.menu() for action in transport.layer_button.menu().actions() if action.menu() is not None)
    assert [action.isChecked() for action in menu.actions()] == [False, True, False]
    with qtbot.waitSignal(transport.motion_wanted) as heard:
        menu.actions()[2].trigger()
    assert heard.args == ["off"]


def test_under_a_population_a_step_is_a_generation_and_has_phases_alone(transport: Transport) -> None:
    transport.show_state(False, 20.0)
    transport.show_kind(False, evolves=True)
    assert transport.layer_button.text().strip() == "Phase"
    assert transport.step_button.text().strip() == "Generation"
    assert transport.speed_text.text() == "20 gen./s"
    assert not transport.phase_button.isVisible()
    transport.show_kind(False)
    assert transport.layer_button.text().strip() == "Layer"
    assert transport.speed_text.text() == "20 steps/s"
    assert transport.phase_button.isVisible()
