"""The inspect panel: every number of a weight or unit with its state in words, copied exactly, set by typing, drawn in any size."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gradviz.activations import ACTIVATIONS
from gradviz.selected import UnitInspection, WeightInspection
from gradviz.snapshot import Moment, Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.painted import pixels, vectors
from ui.panels.history_plot import LEAST_SPAN, HistoryPlot, tick_text, value_range
from ui.panels.inspect import InspectPanel
from ui.panels.reading import NO_STEP, NOT_REACHED
from ui.theme import THEMES

NAN = float("nan")


def weight(**changes: Any) -> WeightInspection:
    known: dict[str, Any] = dict(
        parameter="layer05.weight",
        layer=5,
        row=4,
        column=2,
        weight=-0.029148396,
        gradient=5.2e-6,
        clipped_gradient=5.2e-6,
        change=-2.6e-6,
        sent=0.591,
        steps=np.arange(1, 413),
        values=np.linspace(-0.05, -0.029148396, 412),
    )
    return WeightInspection(**(known | changes))


def unit(activation: str = "sigmoid", layer: int = 5, **changes: Any) -> UnitInspection:
    z = np.random.default_rng(3).normal(size=32)
    table = ACTIVATIONS[activation]
    known: dict[str, Any] = dict(
        layer=layer,
        unit=2,
        pre_activations=z,
        slopes=table.derivative(z),
        outputs=table.function(z),
        deltas=z * 1e-5,
        parameters=(("bias", 0.013, 3.4e-6),),
    )
    return UnitInspection(**(known | changes))


def moment(picked: WeightInspection | UnitInspection | None, base: Snapshot | None = None, **changes: Any) -> Snapshot:
    known = {"picked": picked, "batch": 32, "last_step": 412}
    return msgspec.structs.replace(base or fabricate(), **(known | changes))


def shown(qtbot: QtBot, snapshot: Snapshot) -> InspectPanel:
    panel = InspectPanel()
    qtbot.addWidget(panel)
    panel.resize(360, 700)
    panel.show_snapshot(snapshot)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def texts(panel: InspectPanel) -> dict[str, str]:
    return {row.row.reading.key: row.row.reading.text for row in panel._rows if row.row.reading is not None}


def test_a_weight_has_its_numbers_and_counts_from_one(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight()))
    assert panel.accessibleDescription() == "Weight into L5, unit 5 → unit 3"
    assert texts(panel) == {
        "weight": "−0.029",
        "gradient": "5.2×10⁻⁶",
        "change": "−2.6×10⁻⁶",
        "relative_change": "8.9×10⁻⁵",
        "sent": "0.59",
    }
    panel.show_snapshot(moment(weight(layer=1, row=0, parameter="layer01.weight", block=64)))
    assert panel.accessibleDescription() == "Weight into L1, x₁ → unit 3"
    content = panel._content
    assert content is not None
    assert content.captions[0].startswith("largest gradient of 64 weights")


def test_clipping_has_a_row_of_its_own(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight(gradient=31.0, clipped_gradient=0.5), fabricate(clipped=True)))
    assert texts(panel)["clipped_gradient"] == "0.50"
    backward = Moment(413, "backward", 5, 20, 30, 11)
    panel.show_snapshot(moment(weight(), fabricate(clipped=True), moment=backward))
    assert texts(panel)["gradient"] == "5.2×10⁻⁶"
    assert texts(panel)["clipped_gradient"] == NOT_REACHED


def test_what_is_not_reached_or_not_run_is_said_in_words(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight(), moment=Moment(413, "forward", 3, 3, 30, 11)))
    assert texts(panel)["gradient"] == NOT_REACHED
    assert texts(panel)["sent"] == NOT_REACHED
    assert texts(panel)["change"] == "−2.6×10⁻⁶"
    unknown = weight(gradient=NAN, clipped_gradient=NAN, change=NAN, sent=NAN, steps=np.array([0]), values=np.array([-0.029148396]))
    panel.show_snapshot(moment(unknown, fabricate(details=False), last_step=0))
    assert set(texts(panel).values()) == {"−0.029", NO_STEP}
    panel.show_snapshot(moment(unit(), moment=Moment(413, "backward", 6, 20, 30, 11)))
    assert texts(panel)["delta"] == texts(panel)["bias_gradient"] == NOT_REACHED
    assert texts(panel)["slope"] == texts(panel)["dead_share"] == NOT_REACHED
    assert NOT_REACHED not in (texts(panel)["pre_activation"], texts(panel)["bias"])


def test_nan_infinity_and_zero_have_words_and_marks(qtbot: QtBot) -> None:
    values = np.where(np.arange(412) < 300, 1.0, np.inf)
    panel = shown(qtbot, moment(weight(weight=NAN, gradient=0.0, change=math.inf, values=values), fabricate(kind="nan")))
    assert texts(panel)["weight"] == "NaN"
    assert texts(panel)["change"] == "∞"
    gradient = panel._rows[1].row.reading
    assert gradient is not None
    assert gradient.remarks[0].startswith("exactly 0")
    magenta = int(THEMES["dark"].nan[1:], 16)
    assert (pixels(panel) == magenta).sum() > 500
    panel.show_snapshot(moment(weight()))
    assert not (pixels(panel) == magenta).any()


def test_a_click_or_a_key_copies_every_digit_and_says_so(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight()))
    QTest.mouseClick(panel._rows[1].row, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "5.2e-6"
    assert panel._rows[1].row.accessibleDescription() == "copied"
    QTest.keyClick(panel._rows[0].row, Qt.Key.Key_Return)
    assert QGuiApplication.clipboard().text() == "-0.029148396"
    panel.copy_all()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[:3] == ["quantity\tvalue", "weight\t-0.029148396", "gradient\t5.2e-6"]
    panel.show_snapshot(moment(weight(), moment=Moment(413, "forward", 3, 3, 30, 11)))
    QTest.mouseClick(panel._rows[1].row, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text().splitlines() == lines  # nothing known, nothing copied


@pytest.mark.parametrize(("typed", "value"), [("0.5", 0.5), ("−2e-3", -0.002), ("2×10⁻⁴", 2e-4), ("-0", 0.0)])
def test_a_typed_number_is_wanted(qtbot: QtBot, typed: str, value: float) -> None:
    panel = shown(qtbot, moment(weight()))
    field = panel._rows[0].field
    assert field is not None
    field.setText(typed)
    with qtbot.waitSignal(panel.weight_wanted) as wanted:
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert wanted.args == ["layer05.weight[4,2]", value]
    assert field.text() == ""


@pytest.mark.parametrize("typed", ["abc", "nan", "inf", "1e999"])
def test_what_is_no_finite_number_is_told(qtbot: QtBot, typed: str) -> None:
    panel = shown(qtbot, moment(weight()))
    row = panel._rows[0]
    assert row.field is not None
    row.field.setText(typed)
    with qtbot.assertNotEmitted(panel.weight_wanted):
        QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert "number" in row.message
    panel.show_snapshot(moment(weight(row=3)))
    assert panel._rows[0].message == ""


def test_leaving_a_field_sets_nothing(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight()))
    field = panel._rows[0].field
    assert field is not None
    field.setFocus()
    QTest.keyClicks(field, "3")
    with qtbot.assertNotEmitted(panel.weight_wanted):
        panel._rows[1].row.setFocus()


def test_parameters_of_a_unit_can_be_set(qtbot: QtBot) -> None:
    parameters = (("scale", 1.0, 0.1), ("shift", 0.0, 0.0), ("alpha", 0.25, 1e-3))
    base = fabricate(batch_norm=True)
    panel = shown(qtbot, moment(unit(parameters=parameters), base))
    wanted: list[tuple[str, float]] = []
    panel.weight_wanted.connect(lambda name, value: wanted.append((name, value)))
    for row in panel._rows:
        if row.field is not None:
            row.field.setText("2")
            QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert wanted == [("layer05.scale[2]", 2.0), ("layer05.shift[2]", 2.0), ("layer05.alpha[0]", 2.0)]


def test_a_unit_tells_mean_and_spread_or_one_example(qtbot: QtBot) -> None:
    z = np.where(np.arange(32) == 0, 1.5, -1.0)
    picked = unit("relu", pre_activations=z, slopes=(z > 0).astype(float), outputs=np.maximum(z, 0))
    base = fabricate(kind="dead")
    panel = shown(qtbot, moment(picked, base))
    assert texts(panel)["dead_share"] == "31 of 32"
    assert texts(panel)["pre_activation"] == "−0.92 ± 0.43"
    details = base.details
    assert details is not None
    delta = next(row.row.reading for row in panel._rows if row.row.reading and row.row.reading.key == "delta")
    assert delta.value == details.unit_deltas[base.architecture.unit_slice(5)][2]
    panel.show_snapshot(moment(picked, base, example=0))
    assert texts(panel)["pre_activation"] == "1.5"
    assert texts(panel)["slope"] == "1.0"
    panel.show_snapshot(moment(picked, base, example=5))
    assert texts(panel)["slope"] == "0"


def test_an_input_has_its_name_and_values_only(qtbot: QtBot) -> None:
    nothing = np.full(32, NAN)
    inputs = unit(layer=0, unit=1, pre_activations=nothing, slopes=nothing, deltas=nothing, outputs=np.ones(32), parameters=())
    panel = shown(qtbot, moment(inputs))
    assert panel.accessibleDescription() == "Input x₂"
    assert texts(panel) == {"value": "1.0 ± 0"}
    assert not panel._unit.isVisible()


def test_chain_rule_is_asked_for_by_a_weight_only(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight()))
    button = next(button for button in panel.findChildren(QPushButton) if button.text() == "Chain rule")
    with qtbot.waitSignal(panel.chain_wanted):
        button.click()
    panel.show_snapshot(moment(unit()))
    assert not button.isVisible()


def test_nothing_selected_says_what_to_do(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(None))
    assert "Click a weight" in panel.accessibleDescription()
    empty = pixels(panel)
    panel.show_snapshot(moment(weight()))
    assert not np.array_equal(pixels(panel), empty)
    panel.clear()
    assert panel.table().rows == ()
    np.testing.assert_array_equal(pixels(panel), empty)


def test_while_playing_numbers_follow_at_a_readable_pace_and_are_exact_when_paused(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight(), playing=True))
    before = panel._rows[1]
    panel.show_snapshot(moment(weight(gradient=1e-3), playing=True))
    assert texts(panel)["gradient"] == "5.2×10⁻⁶"
    qtbot.waitUntil(lambda: texts(panel)["gradient"] == "0.0010")
    panel.show_snapshot(moment(weight(gradient=2e-3), playing=True))
    panel.show_snapshot(moment(weight(gradient=3e-3)))
    assert texts(panel)["gradient"] == "0.0030"
    assert panel._rows[1] is before  # the keyboard focus stays where it is
    panel.show_snapshot(moment(weight(block=64)))
    before = panel._rows[1]
    panel.show_snapshot(moment(weight(block=64, row=3)))
    assert panel.accessibleDescription() == "Weight into L5, unit 4 → unit 3"
    assert panel._rows[1] is before


def test_the_table_has_the_history_and_the_examples(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight()))
    rows = panel.table().rows
    assert ("gradient", 412, 5.2e-6) in rows
    assert [row[0] for row in rows].count("history") == 412
    panel.show_snapshot(moment(unit()))
    assert [row[0] for row in panel.table().rows].count("slope") == 33


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_drawn_in_any_size(qtbot: QtBot, activation: str) -> None:
    base = fabricate()
    layers = tuple(msgspec.structs.replace(layer, activation=activation) for layer in base.architecture.layers)
    base = msgspec.structs.replace(base, architecture=msgspec.structs.replace(base.architecture, layers=layers))
    for scale in (1.0, 1e6, NAN):
        z = np.linspace(-3, 3, 32) * scale
        panel = shown(qtbot, moment(unit(activation, pre_activations=z), base, example=3))
        for width, height in ((360, 870), (300, 300), (60, 50)):
            assert len(np.unique(pixels(panel, width, height))) > 1


@pytest.mark.parametrize("width", [300, 360, 600])
def test_nothing_is_wider_than_the_dock(qtbot: QtBot, width: int) -> None:
    parameters = (("scale", -1.25e-7, -8.4e-120), ("shift", 0.0, NAN), ("alpha", 0.25, 1e-3))
    panel = shown(qtbot, moment(unit(parameters=parameters), fabricate(batch_norm=True)))
    panel.resize(width, 300)
    panel._list.activate()
    assert all(row.width() <= width for row in panel._rows)
    assert panel._unit.width() <= width


def test_vectors(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(weight()))
    text = vectors(panel, *panel.whole_size().toTuple())
    assert "Weight into L5" in text
    assert "History" in text
    assert "-0.029148396".replace("-", "−") in text


def test_a_constant_history_is_flat() -> None:
    noisy = 0.31 * (1 + 1e-12 * np.random.default_rng(0).normal(size=50))
    low, high = value_range(noisy)
    assert high - low >= LEAST_SPAN * 0.31
    assert value_range(np.zeros(3)) == pytest.approx((-0.58, 0.58))
    assert value_range(np.array([np.nan])) == (-1.0, 1.0)
    assert all(map(math.isfinite, value_range(np.array([-1.7e308, 1.7e308]))))


def test_ticks_of_the_history_tell_neighbours_apart() -> None:
    assert [tick_text(value, 0.005) for value in (-0.005, 0.0, 0.31)] == ["−0.005", "0", "0.310"]
    assert [tick_text(value, 5e82) for value in (6.0e84, 6.05e84)] == ["6.00×10⁸⁴", "6.05×10⁸⁴"]
    assert tick_text(-1.25e-8, 5e-10) == "−1.25×10⁻⁸"


def test_the_history_is_read_off_step_by_step(qtbot: QtBot) -> None:
    plot = HistoryPlot("History")
    qtbot.addWidget(plot)
    plot.resize(344, 152)
    plot.show_history(np.array([0, 100, 200]), np.array([0.1, np.nan, 0.3]), 200, 400)
    found = {plot.index_at(QPointF(x, 80)) for x in range(0, 344, 4)}
    assert found == {None, 0, 1, 2}
    assert plot.accessibleDescription() == "NaN at step 100"
    plot.show_history(np.array([0, 100, 200]), np.array([0.1, 0.2, 0.3]), 100, 400)
    assert plot.accessibleDescription() == "now at step 100"  # gone back: what comes after stays in the picture
