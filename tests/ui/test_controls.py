"""The controls: one for every field, showing the spec in force and wanting changed copies of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import QApplication, QWidget, QWidgetAction
from pytestqt.qtbot import QtBot

from gradviz.activations import ACTIVATIONS
from gradviz.fields import FieldInfo
from gradviz.spec import Spec, all_fields, field_info
from tests.ui.hand import on_screen, type_into
from ui.activation_glyph import paint_glyph
from ui.controls import Controls
from ui.controls.choices import GlyphGrid, ListInput, Segments, Switch
from ui.controls.numbers import SeedInput, SliderInput, Stepper, parse_number, write_number
from ui.controls.presentation import make_input
from ui.controls.slider import linear_values, logarithmic_values
from ui.controls.texts import EntriesInput, PerLayerInput, TextInput
from ui.theme import THEMES, Theme, qt_palette, stylesheet

SPEC = Spec()


@pytest.fixture
def controls(qtbot: QtBot) -> Controls:
    made = on_screen(qtbot, Controls(), 264, 1400)
    made.show_spec(SPEC)
    return made


@pytest.fixture
def changes(controls: Controls) -> list[tuple[Spec, str]]:
    heard: list[tuple[Spec, str]] = []
    controls.change_wanted.connect(lambda spec, path: heard.append((spec, path)))
    return heard


def slider_of(controls: Controls, path: str) -> SliderInput:
    found = controls.rows[path].input
    assert isinstance(found, SliderInput)
    return found


def stepper_of(controls: Controls, path: str) -> Stepper:
    found = controls.rows[path].input
    assert isinstance(found, Stepper)
    return found


# ---- every field


def test_every_field_has_a_named_control(controls: Controls) -> None:
    assert set(controls.rows) == {info.path for info in all_fields()}
    for row in controls.rows.values():
        focusable = [part for part in row.input.findChildren(QWidget) if part.focusPolicy() != Qt.FocusPolicy.NoFocus]
        assert focusable, row.info.path
        assert all(part.accessibleName().startswith(row.info.title) for part in focusable), row.info.path
        assert row.info.help.split("<")[0][:20] in row.toolTip().replace("&#x27;", "'")


@pytest.mark.parametrize("kind", ["int", "float", "bool", "choice", "text", "entries", "ints", "choices"])
def test_a_field_nobody_has_heard_of_gets_an_input(qtbot: QtBot, kind: str) -> None:
    choices = (("a", "A"), ("b", "B")) if kind in ("choice", "choices") else ()
    info = FieldInfo("network", "novel", "Novel", "New.", kind, 1, minimum=0, maximum=9, choices=choices)
    made = make_input(info)
    qtbot.addWidget(made)
    expected = {"int": Stepper, "float": SliderInput, "bool": Switch, "choice": Segments, "text": TextInput, "entries": EntriesInput}
    assert isinstance(made, expected.get(kind, PerLayerInput))


def test_showing_a_spec_says_nothing_and_shows_every_value(controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    spec = SPEC.replace("network.depth", 24).replace("training.learning_rate", 0.003).replace("network.batch_norm", True)
    spec = spec.replace("network.activation", "gelu").replace("network.skip_every", 7).replace("training.optimizer", "adam")
    controls.show_spec(spec)
    assert changes == []
    assert stepper_of(controls, "network.depth").edit.text() == "24"
    assert slider_of(controls, "training.learning_rate").edit.text() == "0.003"
    grid = controls.rows["network.activation"].input
    assert isinstance(grid, GlyphGrid)
    assert [name for name, button in grid.buttons.items() if button.isChecked()] == ["gelu"]
    optimizer = controls.rows["training.optimizer"].input
    assert isinstance(optimizer, ListInput)
    assert optimizer.combo.currentText() == "Adam"


# ---- wanting changes


def test_a_click_wants_a_changed_copy(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    grid = controls.rows["network.activation"].input
    assert isinstance(grid, GlyphGrid)
    qtbot.mouseClick(grid.buttons["relu"], Qt.MouseButton.LeftButton)
    assert changes == [(SPEC.replace("network.activation", "relu"), "network.activation")]
    switch = controls.rows["network.batch_norm"].input
    assert isinstance(switch, Switch)
    qtbot.mouseClick(switch.button, Qt.MouseButton.LeftButton)
    assert changes[-1][0].network.batch_norm
    assert changes[-1][0].network.activation == "relu"


def test_a_press_steps_by_one_or_doubles_where_the_range_spans_decades(
    qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]
) -> None:
    qtbot.mouseClick(stepper_of(controls, "network.depth").more, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(stepper_of(controls, "training.batch_size").less, Qt.MouseButton.LeftButton)
    assert [(spec.network.depth, spec.training.batch_size) for spec, _ in changes] == [(11, 32), (11, 16)]


@pytest.mark.parametrize(("typed", "value"), [("1e-3", 1e-3), ("0,5", 0.5), ("1000", 1000.0)])
def test_numbers_may_be_typed_as_people_write_them(
    qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]], typed: str, value: float
) -> None:
    type_into(slider_of(controls, "training.learning_rate").edit, typed)
    assert [spec.training.learning_rate for spec, _ in changes] == [value]


@pytest.mark.parametrize("typed", ["-1", "1001", "abc", "nan", "1e999"])
def test_what_is_not_allowed_is_said_at_the_control(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]], typed: str) -> None:
    row, edit = controls.rows["training.learning_rate"], slider_of(controls, "training.learning_rate").edit
    edit.setText(typed)
    edit.setModified(True)
    edit.editingFinished.emit()
    assert changes == []
    assert row.error.isVisible()
    assert "from 0 to 1000" in row.error.text()
    assert edit.text() == "0.1"
    type_into(edit, "0.2")
    assert not row.error.isVisible()


def test_a_drag_is_live_and_nothing_is_shown_over_it(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    part = slider_of(controls, "training.learning_rate")
    slider, middle = part.slider, part.slider.height() // 2
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(10, middle))
    qtbot.mouseMove(slider, QPoint(slider.width() - 10, middle))
    dragged = slider.value()
    controls.show_spec(SPEC)
    assert slider.value() == dragged
    assert len(changes) >= 1
    assert {path for _, path in changes} == {"training.learning_rate"}
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 10, middle))
    assert part.edit.text() == "0.1"  # the spec in force


def test_typing_is_not_disturbed_and_escape_takes_it_back(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    edit = stepper_of(controls, "network.depth").edit
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, "42")
    controls.show_spec(SPEC.replace("training.seed", 3))
    assert edit.text() == "42"
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert edit.text() == "10"
    assert changes == []


def test_the_die_always_draws_another_seed(controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    seed = controls.rows["training.seed"].input
    assert isinstance(seed, SeedInput)
    for _ in range(20):
        before = changes[-1][0].training.seed if changes else SPEC.training.seed
        seed.dice.click()
        assert changes[-1][0].training.seed != before


# ---- what must be known about a field


def test_what_does_not_count_is_not_there(controls: Controls) -> None:
    row = controls.rows["training.clip_threshold"]
    assert row.isHidden()
    controls.show_spec(SPEC.replace("training.clip", "norm"))
    assert row.isVisible()
    controls.show_spec(SPEC.replace("training.clip", "norm").replace("training.method", "evolution"))
    assert row.isHidden()


def shown_rows(controls: Controls, section: str) -> list[str]:
    return [row.info.name for row in controls.rows.values() if row.info.section == section and not row.isHidden()]


def test_each_kind_of_net_and_each_method_has_its_own_fields(controls: Controls) -> None:
    controls.show_spec(SPEC.replace("network.kind", "lstm"))
    own = ["kind", "width", "activation", "spectral_radius", "forget_bias", "set_values", "weights_from"]
    assert shown_rows(controls, "network") == own
    assert shown_rows(controls, "data") == ["name", "samples", "lag", "test_fraction"]
    assert controls.rows["network.activation"].note.isHidden()  # all time steps are alike
    controls.show_spec(SPEC.replace("network.kind", "rnn"))
    assert "forget_bias" not in shown_rows(controls, "network")
    controls.show_spec(SPEC)
    assert "spectral_radius" not in shown_rows(controls, "network")
    assert "population" not in shown_rows(controls, "training")
    assert not controls.rows["network.activation"].note.isHidden()
    controls.show_spec(SPEC.replace("training.method", "evolution"))
    evolved = shown_rows(controls, "training")
    assert evolved[:4] == ["method", "loss", "population", "mutation"]
    assert not {"learning_rate", "optimizer", "momentum", "clip", "clip_threshold", "batch_size"} & set(evolved)
    controls.show_spec(SPEC.replace("training.method", "pretraining"))
    assert shown_rows(controls, "training")[:2] == ["method", "steps_per_level"]


def test_a_recurrent_net_is_offered_the_activations_it_can_have(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    grid = controls.rows["network.activation"].input
    assert isinstance(grid, GlyphGrid)
    controls.show_spec(SPEC.replace("network.kind", "rnn"))
    assert [name for name, button in grid.buttons.items() if button.isVisible()] == ["tanh", "relu", "identity"]
    assert len({button.y() for button in grid.buttons.values() if button.isVisible()}) == 1
    qtbot.mouseClick(grid.buttons["relu"], Qt.MouseButton.LeftButton)
    assert changes[-1][0].network.activation == "relu"
    controls.show_spec(SPEC)
    assert all(button.isVisible() for button in grid.buttons.values())


def test_a_limit_that_another_field_sets_is_said_by_its_name(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    controls.show_spec(SPEC.replace("training.method", "evolution").replace("training.elite", 30))
    row = controls.rows["training.population"]
    type_into(stepper_of(controls, "training.population").edit, "20")
    assert changes == []
    assert row.error.text() == "20 is not possible. Allowed for Elite: fewer than the population, which is 20."


@pytest.mark.parametrize("path", [info.path for info in all_fields() if info.kind == "choice"])
def test_no_choice_of_a_list_is_cut_in_the_narrowest_dock(controls: Controls, path: str) -> None:
    found = controls.rows[path].input
    if isinstance(found, ListInput) and controls.rows[path].heading.isVisibleTo(controls):
        assert found.wide or ListInput.width_of(field_info(path).choices) <= 120


def test_the_time_steps_of_a_recurrent_net_have_nothing_of_their_own_to_choose(controls: Controls) -> None:
    menu = controls.layer_menu(SPEC.replace("network.kind", "rnn"), 3, controls)
    assert [(action.text(), action.isEnabled()) for action in menu.actions()] == [
        ("All time steps share the weights and the activation", False)
    ]


def test_what_restarts_the_run_says_so_beforehand(controls: Controls) -> None:
    for path, row in controls.rows.items():
        assert row.mark.isHidden() != field_info(path).restarts
        assert ("restarts the run" in row.toolTip()) == field_info(path).restarts


def test_layers_of_their_own_are_said_and_taken_back_by_one_click(
    qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]
) -> None:
    row = controls.rows["network.activation"]
    assert row.note.text() == "same in all layers"
    controls.show_spec(SPEC.replace("network.activations", ("relu",) * 4 + ("sigmoid",) * 6))
    assert row.note.text() == "own in some layers"
    assert isinstance(row.input, GlyphGrid)
    assert not any(button.isChecked() for button in row.input.buttons.values())
    qtbot.mouseClick(row.input.buttons["sigmoid"], Qt.MouseButton.LeftButton)
    assert changes == [(SPEC, "network.activation")]


def test_values_per_layer_can_be_typed(qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    controls.show_spec(SPEC.replace("network.depth", 3))
    controls.groups["Advanced"].header.setChecked(True)
    row = controls.rows["network.widths"]
    assert isinstance(row.input, PerLayerInput)
    type_into(row.input.edit, "8, 4, 2")
    assert changes[-1][0].network.widths == (8, 4, 2)
    type_into(row.input.edit, "8, 4")
    assert "3 entries" in row.error.text()


def test_a_file_of_ones_own_is_asked_for(controls: Controls, changes: list[tuple[Spec, str]], qtbot: QtBot) -> None:
    combo = controls.rows["data.name"].input
    assert isinstance(combo, ListInput)
    assert controls.rows["data.target"].isHidden()
    with qtbot.waitSignal(controls.csv_wanted):
        combo.combo.activated.emit(combo.combo.findData("csv"))
    assert changes == []
    assert combo.combo.currentText() == "Two moons"
    controls.show_spec(SPEC.replace("data.path", "/tmp/marks.csv").replace("data.name", "csv"))
    assert not controls.rows["data.target"].isHidden()


def test_groups_fold_and_say_what_they_hold(qtbot: QtBot, controls: Controls) -> None:
    controls.show_summary("240 points", 681)
    assert controls.groups["Network"].header.accessibleDescription() == "681 parameters"
    assert not controls.rows["training.stop_after"].isVisible()
    qtbot.mouseClick(controls.groups["Stop"].header, Qt.MouseButton.LeftButton)
    assert controls.rows["training.stop_after"].isVisible()
    controls.show_spec(SPEC.replace("training.stop_after", 500))
    assert controls.groups["Stop"].header.accessibleDescription() == "at 500"


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_nothing_is_wider_than_the_dock(qapp: QApplication, theme: Theme, controls: Controls) -> None:
    palette = qapp.palette()
    qapp.setPalette(qt_palette(theme))
    qapp.setStyleSheet(stylesheet(theme))
    try:
        controls.set_theme(theme)
        for group in controls.groups.values():
            group.header.setChecked(True)
        controls.show_points(np.random.default_rng(0).normal(size=(300, 2)), np.zeros(300, dtype=int))
        controls.resize(264, 700)
        controls.grab()
        assert max(group.minimumSizeHint().width() for group in controls.groups.values()) <= 254  # beside a scroll bar
    finally:
        qapp.setStyleSheet("")
        qapp.setPalette(palette)


# ---- the menu of a layer


def test_the_menu_of_a_layer_gives_it_an_activation_and_takes_it_back(
    qtbot: QtBot, controls: Controls, changes: list[tuple[Spec, str]]
) -> None:
    menu = controls.layer_menu(SPEC, 3, controls)
    actions = {action.text(): action for action in menu.actions()}
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["Sigmoid"]
    assert not actions["Same as all the others"].isEnabled()
    actions["ReLU"].trigger()
    spec, path = changes[-1]
    assert path == "network.activations"
    assert [i for i, name in enumerate(spec.network.layer_activations, 1) if name == "relu"] == [3]
    again = {action.text(): action for action in controls.layer_menu(spec, 3, controls).actions()}
    again["Same as all the others"].trigger()
    assert changes[-1][0] == SPEC


def test_the_menu_of_a_layer_gives_it_a_width(controls: Controls, changes: list[tuple[Spec, str]]) -> None:
    menu = controls.layer_menu(SPEC, 1, controls)
    held = [action.defaultWidget() for action in menu.actions() if isinstance(action, QWidgetAction)]
    (stepper,) = [found for widget in held for found in widget.findChildren(Stepper)]
    stepper.more.click()
    stepper.more.click()
    assert changes[-1][0].network.widths == (10, *(8,) * 9)
    assert changes[-1][1] == "network.widths"


@pytest.mark.parametrize("layer", [0, 11])
def test_input_and_output_have_nothing_to_choose(controls: Controls, layer: int) -> None:
    assert not any(action.isEnabled() for action in controls.layer_menu(SPEC, layer, controls).actions())


# ---- the parts


@given(st.floats(1e-9, 1e9))
def test_a_number_as_it_is_written_can_be_read(value: float) -> None:
    info = field_info("training.clip_threshold")
    read = parse_number(write_number(value, info), info)
    assert isinstance(read, float)
    assert math.isclose(read, value, rel_tol=1e-3)


@pytest.mark.parametrize(("typed", "value"), [("2×10⁻⁴", 2e-4), ("−0,5", -0.5), ("1e-3", 1e-3), ("nan", math.nan), ("a", "a")])
def test_numbers_are_read(typed: str, value: object) -> None:
    assert parse_number(typed, field_info("training.learning_rate")) == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(("typed", "value"), [("20,000", 20000), ("1e3", 1000), ("64.0", 64), ("2.5", 2.5), ("never", 0), ("", "")])
def test_whole_numbers_are_read(typed: str, value: object) -> None:
    assert parse_number(typed, field_info("training.stop_after"), zero="never") == value


def test_the_values_of_a_slider_are_round_sorted_and_reach_both_ends() -> None:
    values = logarithmic_values(0.01, 100.0)
    assert values == tuple(sorted(set(values)))
    assert (values[0], values[-1]) == (0.01, 100.0)
    assert {0.01, 0.1, 0.5, 1.0, 10.0} <= set(values)
    assert logarithmic_values(0.0, 10.0)[0] == 0.0
    assert linear_values(0.0, 0.999)[-2:] == (0.99, 0.999)


def test_every_activation_has_a_curve_of_its_own() -> None:
    pictures = set()
    for name in ACTIVATIONS:
        image = QImage(40, 28, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_glyph(painter, image.rect().toRectF().adjusted(3, 3, -3, -3), name, QColor("white"))
        painter.end()
        pictures.add(bytes(image.constBits()))
    assert len(pictures) == len(ACTIVATIONS)


@pytest.mark.parametrize(
    ("reason", "pressed", "played"), [(Qt.FocusReason.TabFocusReason, 1, 0), (Qt.FocusReason.ActiveWindowFocusReason, 0, 1)]
)
def test_space_presses_what_tab_has_reached_and_plays_otherwise(
    qtbot: QtBot, controls: Controls, reason: Qt.FocusReason, pressed: int, played: int
) -> None:
    plays: list[bool] = []
    shortcut = QShortcut(QKeySequence("Space"), controls)
    shortcut.activated.connect(lambda: plays.append(True))
    button = stepper_of(controls, "network.depth").more
    presses: list[bool] = []
    button.clicked.connect(lambda: presses.append(True))
    controls.activateWindow()
    qtbot.waitUntil(controls.isActiveWindow)
    controls.clearFocus()
    button.setFocus(reason)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert (len(presses), len(plays)) == (pressed, played)


def test_letters_stay_shortcuts_while_a_number_is_typed(qtbot: QtBot, controls: Controls) -> None:
    heard: list[str] = []
    for key in ("S", "Space", "5"):
        QShortcut(QKeySequence(key), controls).activated.connect(lambda key=key: heard.append(key))
    edit = stepper_of(controls, "network.depth").edit
    controls.activateWindow()
    qtbot.waitUntil(controls.isActiveWindow)
    edit.setFocus()
    edit.selectAll()
    for key in (Qt.Key.Key_5, Qt.Key.Key_S, Qt.Key.Key_Space):
        qtbot.keyClick(edit, key)
    assert heard == ["S", "Space"]
    assert edit.text() == "5"
