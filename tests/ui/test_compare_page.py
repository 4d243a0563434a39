"""The page on which two runs stand side by side: its words and numbers against the engine's, every kind of net, and its exports."""

import csv
import io
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradviz.changes import differences
from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec
from tests.ui.hand import on_screen
from ui import export
from ui.compare.effects import effects
from ui.compare.header import _chip
from ui.compare.offers import offers
from ui.compare.outcome_words import outcome
from ui.compare.places import places
from ui.compare.words import heading, in_common, names
from ui.compare_page import ComparePage
from ui.export_menu import Compared
from ui.main_window import MainWindow
from ui.movie_dialog import MovieDialog
from ui.numbers import full, ratio
from ui.panels import marks
from ui.panels.profile_card import compared_card
from ui.presets import Preset, preset_named, presets
from ui.selection import Selection
from ui.theme import THEMES, font

VANISHING = preset_named("vanishing").spec


def after(spec: Spec, steps: int) -> Snapshot:
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.advance()
    return experiment.measure()


def pair(changes: dict[str, object], steps: int = 20, spec: Spec = VANISHING) -> tuple[Snapshot, Snapshot]:
    other = spec
    for path, value in changes.items():
        other = other.replace(path, value)
    return after(spec, steps), after(other, steps)


@pytest.fixture
def page(qtbot: QtBot) -> ComparePage:
    return on_screen(qtbot, ComparePage(), 1600, 918)


def written(page: ComparePage, path: Path, size: tuple[int, int] = (1600, 1000)) -> list[str]:
    """All texts of the page's picture."""
    export.export_picture(page, path, QSizeF(*size))
    return re.findall(r">([^<>\n]+)</text>", path.read_text())


# ---- words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network.activation": "relu"}, "Same seed 3, same data, same first weights, same batches, same step."),
        ({"network.depth": 6}, "Same seed 3, same data, same first weights in L1 to L6, same batches, same step."),
        ({"network.width": 12}, "Same seed 3, same data, same batches, same step."),
        ({"network.gain": 2.0}, "Same seed 3, same data, same batches, same step."),
        ({"training.batch_size": 8}, "Same seed 3, same data, same first weights, same step."),
        ({"data.noise": 0.3}, "Same seed 3, same first weights, same step."),
        ({"training.seed": 4}, "Same step. Seed 3 against 4."),
        ({"training.method": "evolution"}, "Same seed 3, same data, same first weights."),
    ],
)
def test_only_what_the_settings_make_the_same_is_called_the_same(changes: dict[str, object], said: str) -> None:
    assert in_common(*pair(changes, 2)) == said


@pytest.mark.parametrize("changes", [{"network.activation": "relu"}, {"network.depth": 6}, {"network.batch_norm": True}])
def test_first_weights_that_are_called_the_same_are_the_same(changes: dict[str, object]) -> None:
    a, b = (Experiment(spec) for spec in (VANISHING, *(VANISHING.replace(*change) for change in changes.items())))
    said = in_common(a.snapshot(), b.snapshot())
    layers = 6 if "L1 to L6" in said else 11
    assert "first weights" in said
    for layer in range(1, layers + 1):
        name = f"layer{layer:02}.weight"
        np.testing.assert_array_equal(a.network.parameters[name], b.network.parameters[name])


def test_a_step_apart_is_said() -> None:
    a, b = after(VANISHING, 3), after(VANISHING, 5)
    assert "same step" not in in_common(a, b)
    assert in_common(a, b).endswith("A at step 3, B at step 5.")


def test_what_differs_is_named_and_what_means_nothing_is_not() -> None:
    one = VANISHING.replace("training.clip_threshold", 7.0)  # without clipping
    assert differences(VANISHING, one) == ()
    assert heading(differences(VANISHING, one)) == "No difference yet"
    relu = one.replace("network.activation", "relu").replace("training.learning_rate", 0.5)
    assert heading(differences(VANISHING, relu)) == "Two changes"
    assert names(VANISHING, relu) == ("Sigmoid, Learning rate 0.1", "ReLU, Learning rate 0.5")


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_every_offer_is_one_change_that_the_net_can_make(preset: Preset) -> None:
    spec = preset.spec
    found = offers(spec)
    assert found
    for offer in found:
        assert next(item.path for item in differences(spec, spec.replace(offer.path, offer.value))) == offer.path


# ---- numbers


def test_the_table_holds_the_numbers_of_the_engine() -> None:
    a, b = pair({"network.activation": "relu"}, 60)
    assert a.details is not None
    assert b.details is not None
    assert a.prediction is not None
    assert b.prediction is not None
    rows = {effect.title: effect for effect in effects(a, b)}
    assert rows["Loss at step 60"].values == (a.loss, b.loss)
    assert a.history is not None
    assert rows[f"Test loss, step {a.history.test_steps[-1]}"].values == (a.test_loss, b.test_loss)
    assert rows["Test accuracy"].values == (a.prediction.accuracy, b.prediction.accuracy)
    first = rows["|∂J/∂w| in L1"]
    assert first.values == (a.details.gradient_rms[0], b.details.gradient_rms[0])
    assert first.against.startswith("× ")
    factor = float(first.against[2:].replace(",", ""))
    assert factor == pytest.approx(b.details.gradient_rms[0] / a.details.gradient_rms[0], rel=0.06)
    per_layer = (a.details.gradient_rms[0] / a.details.gradient_rms[-1]) ** (1 / 10)
    assert rows["Per layer, L1 to Out"].values[0] == pytest.approx(per_layer)
    below = rows["Layers below 10⁻⁴"]
    assert below.a == f"{int((a.details.gradient_rms < 1e-4).sum())} of 11"
    assert "First number not finite" not in rows


def test_a_side_that_failed_says_where_and_the_other_is_told_as_ever(page: ComparePage, tmp_path: Path) -> None:
    a, b = pair({"network.activation": "leaky_relu", "training.learning_rate": 900.0}, 40)
    assert b.failure is not None
    assert a.failure is None
    rows = {effect.title: effect for effect in effects(a, b)}
    assert rows["Loss at step 40"].failed == (False, True)
    assert rows["Loss at step 40"].against == "–"
    assert rows["First number not finite"].a == "never"
    assert rows["First number not finite"].b == f"step {b.failure.step}, {b.failure.layer_name}"
    assert rows["Layers below 10⁻⁴"].b == "–"
    page.show_pair(a, b)
    texts = written(page, tmp_path / "nan.svg")
    assert any(text.startswith(f"stopped at step {b.failure.step}: NaN or ∞ in {b.failure.layer_name}") for text in texts)
    assert "B NaN" in texts
    page.show_pair(b, a)
    assert page.sides["A"].head.accessibleDescription().startswith("stopped at step")
    assert page.sides["B"].head.accessibleDescription() == ""


def test_two_kinds_of_loss_are_not_divided(page: ComparePage) -> None:
    a, b = pair({"training.loss": "mse"})
    assert effects(a, b)[0].against == "not one kind"
    page.show_pair(a, b)
    assert "two kinds of loss" in page.losses._captions(None)[0]


def test_the_table_of_the_run_has_a_row_per_step_and_the_columns_of_both_sides(page: ComparePage) -> None:
    a, b = after(VANISHING, 12), after(VANISHING.replace("network.depth", 4), 9)
    page.show_pair(a, b)
    rows = list(csv.DictReader(io.StringIO(export.csv_text(page.table()))))
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert a.history is not None
    assert b.history is not None
    assert [float(row["A_loss"]) for row in rows] == a.history.loss.tolist()
    assert [float(row["B_loss"]) for row in rows[:9]] == b.history.loss.tolist()
    assert rows[9]["B_loss"] == ""
    assert float(rows[8]["B_gradient_rms_L4"]) == b.history.gradient_rms[8, 3]
    assert "B_gradient_rms_L5" not in rows[0]
    assert "A_gradient_rms_L5" in rows[0]


# ---- every kind of net


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(
    ("preset", "changes", "said"),
    [
        ("vanishing", {"network.depth": 3}, "line: B, its 4 layers spread over 11"),
        ("vanishing", {"network.depth": 60}, "line: A, its 11 layers spread over 61"),
        ("recall-rnn", {"network.kind": "lstm"}, "A: Gradient per time step"),
        ("pretrained-levels", {"training.method": "gradient"}, "A: told again by level 1"),
        ("evolution-xor", {"training.method": "gradient"}, "A population"),
        ("digits", {"network.batch_norm": True}, "× 48"),
        ("vowels-lstm", {"network.kind": "rnn"}, "Plain RNN"),
        ("vanishing", {"data.name": "sine"}, "line: answer"),
        ("vanishing", {"network.kind": "rnn"}, "no line for B: one has layers, the other time steps"),
    ],
)
def test_every_kind_of_net_is_drawn(
    preset: str, changes: dict[str, object], said: str, theme: str, page: ComparePage, tmp_path: Path
) -> None:
    page.set_theme(THEMES[theme])
    page.show_pair(*pair(changes, 6, preset_named(preset).spec))
    texts = written(page, tmp_path / "page.svg")
    assert any(said in text for text in texts), texts
    image = page.grab().toImage()
    assert image.pixelColor(2, image.height() - 60).name().upper() == THEMES[theme].canvas


@pytest.mark.parametrize("steps", [0, 1, 3000])
def test_short_and_long_histories(steps: int, page: ComparePage, tmp_path: Path) -> None:
    small = VANISHING.replace("network.depth", 2).replace("network.width", 2).replace("training.batch_size", 4)
    page.show_pair(*pair({"network.activation": "tanh"}, steps, small))
    texts = written(page, tmp_path / "page.svg")
    assert ("Press Play or Step" in texts) == (steps == 0)
    assert {f"Loss at step {steps:,}"} <= set(texts)


def test_inside_a_step_only_what_is_reached_is_compared(page: ComparePage) -> None:
    sides = [Experiment(VANISHING), Experiment(VANISHING.replace("network.activation", "relu"))]
    for experiment in sides:
        experiment.advance()
        phases = experiment.phases()
        for _ in range(14):  # all forward, the loss, two layers back
            next(phases)
    a, b = (experiment.measure() for experiment in sides)
    page.show_pair(a, b)
    rows = {effect.title: effect for effect in effects(a, b)}
    assert rows["|∂J/∂w| in L1"].values == (None, None)
    assert rows["Layers below 10⁻⁴"].a == "0 of 2"
    page.grab()


# ---- the page


def test_small_windows_scroll_and_nothing_is_cut_off() -> None:
    for width in (640.0, 900.0, 1336.0, 1600.0, 2500.0):
        for height in (300.0, 518.0, 918.0, 1500.0):
            found = places(width, height, 254.0)
            for name, box in found.of.items():
                assert 0 <= box.left() <= box.right() <= width + 1, name
                assert box.bottom() <= found.height + 1, name
                for other, place in found.of.items():
                    assert other == name or not box.adjusted(1, 1, -1, -1).intersects(place), (name, other)
    assert places(1600.0, 846.0, 254.0).height <= 846.0


def test_all_of_it_can_be_scrolled_to(page: ComparePage) -> None:
    page.resize(900, 518)
    page.show_pair(*pair({"network.activation": "relu"}))
    QApplication.processEvents()
    sheet, view = page.scrolled.widget(), page.scrolled.viewport()
    assert sheet.width() == view.width()
    assert page.scrolled.verticalScrollBar().maximum() == sheet.height() - view.height() > 0
    assert page.scrolled.horizontalScrollBar().maximum() == 0
    page.resize(1600, 918)
    QApplication.processEvents()
    assert page.scrolled.verticalScrollBar().maximum() == 0


def test_while_nothing_differs_single_changes_are_offered(page: ComparePage, qtbot: QtBot) -> None:
    a = after(VANISHING, 4)
    page.show_pair(a, a)
    buttons = {button.text(): button for button in page.header._buttons}
    assert {"ReLU", "Batch norm", "Skips", "Clipping"} <= set(buttons)
    assert "Sigmoid" not in buttons
    with qtbot.waitSignal(page.change_wanted) as told:
        qtbot.mouseClick(buttons["ReLU"], Qt.MouseButton.LeftButton)
    assert told.args == ["B", "network.activation", "relu"]
    page.show_pair(*pair({"network.activation": "relu"}, 4))
    assert page.header._buttons == []


def test_the_menu_of_a_side(page: ComparePage, qtbot: QtBot) -> None:
    page.show_pair(*pair({"network.activation": "relu"}, 4))
    actions = {action.text(): action for action in page.sides["B"].head.menu_button.menu().actions()}
    for text, signal, args in (
        ("Settings of B", page.settings_wanted, ["B"]),
        ("Swap B and A", page.swap_wanted, []),
        ("Keep B: go on with it alone", page.adopt_wanted, ["B"]),
        ("Drop B: A stays", page.drop_wanted, ["B"]),
    ):
        with qtbot.waitSignal(signal) as told:
            actions[text].trigger()
        assert told.args == args


def test_a_remedy_on_a_verdict_is_for_its_own_side(page: ComparePage, qtbot: QtBot) -> None:
    page.show_pair(*pair({"network.activation": "relu"}, 40))
    with qtbot.waitSignal(page.remedy_wanted) as told:
        page.sides["A"].head.verdict.remedy_wanted.emit("network.batch_norm", True)
    assert told.args == ["A", "network.batch_norm", True]


def test_one_scrubber_moves_all_three(page: ComparePage, qtbot: QtBot) -> None:
    page.show_pair(*pair({"network.activation": "relu"}, 40))
    heat = page.sides["B"].heat
    frame = heat.picture.frame(heat.rect().toRectF())
    at = QPointF(frame.x(10), frame.grip(10).center().y()).toPoint()
    with qtbot.waitSignal(page.step_wanted) as told:
        qtbot.mousePress(heat, Qt.MouseButton.LeftButton, pos=at)
    step = told.args[0]
    assert abs(step - 10) <= 1
    assert [panel._place for panel in page._timelines()] == [step, step, step]
    page.show_pair(*pair({"network.activation": "relu"}, 40))  # an answer that is not yet the one
    assert page.losses._place == step


def test_both_sides_share_the_axis_of_steps(page: ComparePage) -> None:
    page.show_pair(after(VANISHING, 12), after(VANISHING.replace("network.activation", "relu"), 300))
    spans = {page.sides[side].heat.picture.frame(page.sides[side].heat.rect().toRectF()).span for side in "AB"}
    assert len(spans) == 1
    assert spans.pop() >= 300


def test_a_layer_is_marked_on_both_sides_as_far_as_they_have_it(page: ComparePage) -> None:
    page.show_pair(*pair({"network.depth": 4}, 4))
    chosen: list[int] = []
    page.layer_selected.connect(chosen.append)
    page.sides["A"].bars.layer_selected.emit(3)
    assert page.sides["A"].net.selection == page.sides["B"].net.selection == Selection("layer", 3)
    page.sides["A"].bars.layer_selected.emit(9)
    assert page.sides["A"].net.selection == Selection("layer", 9)
    assert page.sides["B"].net.selection is None
    assert chosen[-1] == 9


def test_every_panel_can_be_exported_by_itself(page: ComparePage, tmp_path: Path) -> None:
    page.show_pair(*pair({"network.activation": "relu"}, 8))
    seen = [panel.name for panel in page.panels]
    assert len(seen) == len(set(seen))
    for panel in page.panels:
        export.export_picture(panel, tmp_path / f"{panel.name}.svg", panel.whole_size() or QSizeF(600, 300))
        assert (tmp_path / f"{panel.name}.svg").stat().st_size > 1000
        assert panel.table().rows


def test_the_picture_bears_the_settings_of_both_sides(page: ComparePage, tmp_path: Path) -> None:
    a, b = pair({"network.activation": "relu"}, 8)
    page.show_pair(a, b)
    texts = written(page, tmp_path / "page.svg")
    assert any("10 hidden layers × 8 units, Sigmoid" in text for text in texts)
    assert any("10 hidden layers × 8 units, ReLU" in text for text in texts)
    path = tmp_path / "page.png"
    export.export_picture(page, path, QSizeF(900, 600), 2.0, export.description(a, b))
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1800, 1200)
    assert image.text("Description").count('"activation"') == 2


def test_the_letters_and_not_the_hues_tell_the_sides_apart(page: ComparePage, tmp_path: Path) -> None:
    page.show_pair(*pair({"network.activation": "relu"}, 30))
    export.export_picture(page.losses, tmp_path / "losses.svg", QSizeF(600, 300))
    inks = set(re.findall(r'stroke="#([0-9a-f]{6})"', (tmp_path / "losses.svg").read_text()))
    assert inks
    for ink in inks:
        red, green, blue = (int(ink[n : n + 2], 16) for n in (0, 2, 4))
        assert max(red, green, blue) - min(red, green, blue) <= 40, ink  # the greys of the chrome
    assert {"A", "B"} <= set(re.findall(r">([^<>\n]+)</text>", (tmp_path / "losses.svg").read_text()))


def test_the_line_of_the_other_side_ends_where_its_last_layer_stands(page: ComparePage) -> None:
    from PySide6.QtGui import QPainter

    from ui.panels.profile_lines import Beside, paint_beside

    a, b = pair({"network.activation": "relu"}, 30)
    page.show_pair(a, b)
    bars = page.sides["A"].bars
    frame = bars._frame(bars.rect().toRectF())
    image = QImage(800, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    end = paint_beside(painter, frame, THEMES["dark"], Beside("B", b))
    painter.end()
    assert end is not None
    assert b.details is not None
    assert end.text == "B"
    assert end.y == pytest.approx(frame.y(float(b.details.gradient_rms[-1])))


def test_a_card_tells_what_the_other_side_has_there(page: ComparePage) -> None:
    a, b = pair({"network.activation": "relu"}, 8)
    assert b.details is not None
    page.show_pair(a, b)
    beside = page.sides["A"].bars.beside
    assert beside is not None
    rows = dict(compared_card(a, "A", beside, 3)[1])
    assert rows["B: typical |∂J/∂w| (RMS)"] == full(float(b.details.gradient_rms[2]))
    for letter, own in (("A", a), ("B", b)):
        assert own.theory is not None
        assert own.from_theory is not None
        assert rows[f"{letter}: typical |∂J/∂w| by theory, at the start"] == full(float(own.theory.gradient_rms[2]))
        assert rows[f"{letter}: measured over theory"].startswith(ratio(10 ** float(own.from_theory[1][2])))
    page.show_pair(*pair({"network.depth": 4}, 8))
    assert page.sides["A"].bars.beside is not None
    alone = compared_card(a, "A", page.sides["A"].bars.beside, 3)[1]
    assert all(label.startswith("A: ") for label, _ in alone)  # the other's third layer is another one


def test_each_profile_shows_the_theory_of_its_own_bars(page: ComparePage, tmp_path: Path) -> None:
    a, b = pair({"network.activation": "tanh"}, 1)
    page.show_pair(a, b)
    bars = page.sides["A"].bars
    before = bars.grab().toImage()
    texts = written(page, tmp_path / "with.svg")
    assert sum("dotted: theory of A at the start" in text for text in texts) == 1
    assert sum("dotted: theory of B at the start" in text for text in texts) == 1
    assert texts.count("theory") == 2
    assert a.theory is not None
    assert bars._theory is not None
    np.testing.assert_array_equal(bars._theory.values, a.theory.gradient_rms)
    page.set_theory(False)
    assert bars.grab().toImage() != before
    assert not any("theory" in text for text in written(page, tmp_path / "without.svg"))


# ---- the exports of the window


@pytest.fixture
def window(qtbot: QtBot, page: ComparePage) -> MainWindow:
    """A window that shows the page, without engines."""
    made = MainWindow(VANISHING, live=False)
    qtbot.addWidget(made)
    a, b = pair({"network.activation": "relu"}, 8)
    page.show_pair(a, b)
    made.show_still(a)
    made.export_menu.compared = Compared(page, lambda: (((0, a.spec),), ((0, b.spec),)), lambda side: made.run)
    return made


def test_the_figure_of_the_window_is_of_both_runs(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    assert window.export_menu.write_picture("figure", path)
    text = path.read_text()
    assert {"One change", "Sigmoid", "ReLU"} <= set(re.findall(r">([^<>\n]+)</text>", text))
    assert text.count("&quot;activation&quot;") == 2


def test_the_menu_lists_the_panels_of_both_sides(window: MainWindow, page: ComparePage, tmp_path: Path) -> None:
    menu = window.export_menu
    menu.list_panels()
    titles = [action.text() for action in menu._pictures.actions()]
    assert titles[0] == "A: Network…"
    assert "B: Gradient per layer…" in titles
    assert next(action.text() for action in menu._numbers.actions()) == "Both runs, step by step…"
    assert menu.write_numbers("compare", tmp_path / "both.csv")
    assert (tmp_path / "both.csv").read_text() == export.csv_text(page.table())
    assert menu.write_numbers("gradients_b", tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text() == export.csv_text(page.sides["B"].bars.table())
    menu.copy_numbers("effects")
    assert QApplication.clipboard().text().startswith("what\tA\tB\tB_against_A\nLoss at step 8\t")


def test_an_animation_of_both_is_offered(window: MainWindow, qtbot: QtBot) -> None:
    dialog = MovieDialog(window, lambda title, suffix: None)
    qtbot.addWidget(dialog)
    assert [dialog.view.itemData(number) for number in range(dialog.view.count())] == ["compare"]
    assert dialog.sizes.count() == 3


@pytest.mark.parametrize("width", [640, 900, 1600])
def test_what_differs_and_the_names_are_not_cut_in_a_narrow_window(page: ComparePage, width: int) -> None:
    page.resize(width, 600)
    page.show_pair(*pair({"network.activation": "relu"}))
    header = page.header
    places = header.predict.geometry()
    room = header._room(width)
    first = header._first_row(width, True)
    below = header._chips_below(width, True)
    whole = _chip(header._found[0])[1]
    assert whole <= (room if below else first[1])
    assert places.left() >= first[0] - 14
    assert places.right() <= 16 + room
    assert header.height() >= header.height_for(width)
    for side, name in zip(page.sides.values(), ("Sigmoid", "ReLU"), strict=True):
        head = side.head
        begin, end = 16 + 20 + 10, head.verdict.x() if head.verdict.verdicts else head.menu_button.x()
        assert end - 12 - begin >= marks.text_width(name, font(15, 600))


def test_of_a_loss_of_exactly_0_there_is_no_factor(page: ComparePage) -> None:
    a, b = pair({"network.activation": "relu"}, steps=40)
    assert b.history is not None
    b = msgspec.structs.replace(b, history=msgspec.structs.replace(b.history, loss=np.zeros_like(b.history.loss)))
    told = outcome(a, b)
    assert told is not None
    assert told.parts[0].endswith("→ 0 × guessing")
