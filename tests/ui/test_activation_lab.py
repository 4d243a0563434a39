"""The activation lab: shares and bars of a layer's z, what is not finite, the sharpened sigmoid's area, and what is linear."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradviz.activations import ACTIVATIONS
from gradviz.function_lab import linearity
from gradviz.lab_reports import Distribution
from gradviz.snapshot import Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.painted import picture, pixels, vectors
from ui.panels.activation_curves import curve, inside, peak
from ui.panels.activation_lab import LINEAR, NET, SHARP, ActivationLabPanel
from ui.panels.activation_plot import fitting_scale
from ui.panels.linearity_view import tries_words
from ui.selection import Selection
from ui.theme import THEMES, blend

NAN = float("nan")
UNITS = 8
BATCH = 32


def distribution(layer: int = 4, activation: str = "sigmoid", before: bool = False, **changes: Any) -> Distribution:
    """256 normal z, as of 8 units over 32 examples; ``before``: the sums were five times as wide."""
    table = ACTIVATIONS[activation]
    z = np.random.default_rng(layer).normal(size=BATCH * UNITS) * 2.0
    counts, edges = np.histogram(z, 64, (-8.0, 8.0))
    slopes = table.derivative(z)
    known: dict[str, Any] = dict(
        layer=layer,
        activation=activation,
        parameter=table.parameter,
        edges=edges,
        counts=counts,
        outside=(int((z < -8).sum()), int((z > 8).sum())),
        saturated=0.38,
        zero=float((slopes == 0).mean()),
        mean=float(z.mean()),
        spread=float(z.std()),
    )
    if before:
        known |= {"before": np.histogram(z * 5, 64, (-8.0, 8.0))[0], "saturated_before": 0.61}
    return Distribution(**(known | changes))


def moment(found: Distribution | None, playing: bool = False, **network: Any) -> Snapshot:
    base = fabricate(playing=playing)
    spec = msgspec.structs.replace(base.spec, network=msgspec.structs.replace(base.spec.network, **network))
    return msgspec.structs.replace(base, spec=spec, lab=found, batch=BATCH)


def shown(qtbot: QtBot, snapshot: Snapshot | None = None) -> ActivationLabPanel:
    panel = ActivationLabPanel()
    qtbot.addWidget(panel)
    panel.resize(360, 870)
    if snapshot is not None:
        panel.show_snapshot(snapshot)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def said(panel: ActivationLabPanel) -> str:
    return " ".join(panel.net.sentence.paragraphs).replace("\u00a0", " ")


# ---- in this net


def test_the_share_where_the_slope_is_small_is_said_in_words(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    assert said(panel) == "38 % of L4’s pre-activations lie where f′ is small; at 0 % it is exactly 0."
    assert panel.net.choice.title == "L4: Sigmoid"
    assert "38 % of L4’s" in panel.accessibleDescription().replace("\u00a0", " ")
    assert [figure.text for figure in panel.net.cards.figures][:2] == ["38 %", "0 %"]


def test_batch_norm_is_shown_beside_what_it_did_to_the_sums(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    without = pixels(panel)
    panel.show_snapshot(moment(distribution(before=True)))
    assert "Without batch norm it would be 61 %" in said(panel)
    assert panel.net.cards.figures[1].text == "61 %"
    assert (pixels(panel) != without).any()
    assert ("saturated_before_batch_norm", None, None, 0.61) in panel.table().rows


def test_the_zone_is_green_and_bars_are_where_z_is(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution(counts=np.eye(1, 64, 40, dtype=int)[0] * 256)))
    area = QRectF(0, 0, 360, panel.net.plot.height_at(360))
    image = picture(panel.net.plot, *area.size().toSize().toTuple())
    plot, drawn = panel.net.plot._plot(area)
    assert drawn.zone == ((-3.636892918, 3.636892918),)
    theme = THEMES["dark"]
    bar, inside_zone, outside = (image.pixelColor(plot.at(z, 0.3).toPoint()).name() for z in (2.125, 3.1, 5.1))
    assert bar == blend(theme.ink3, theme.canvas, 0.8).name()
    assert inside_zone == blend(theme.zone, theme.canvas, 0.13).name()
    assert outside == QColor(theme.canvas).name()


def test_nan_is_counted_and_the_rest_is_drawn(qtbot: QtBot) -> None:
    found = distribution()
    some = msgspec.structs.replace(found, counts=found.counts // 2, mean=NAN, spread=NAN)
    panel = shown(qtbot, moment(some))
    missing = 256 - int(some.counts.sum()) - sum(some.outside)
    assert f"{missing} of 256 are NaN" in panel.net.plot._bad
    magenta = int(THEMES["dark"].nan[1:], 16)
    assert (pixels(panel) == magenta).any()
    nothing = np.zeros(64, int)
    panel.show_snapshot(moment(msgspec.structs.replace(found, counts=nothing, outside=(0, 0), mean=NAN, spread=NAN)))
    assert "256 of 256 are NaN" in panel.net.plot._bad
    assert {figure.text for figure in panel.net.cards.figures} == {"–"}
    panel.show_snapshot(moment(msgspec.structs.replace(found, mean=math.inf, spread=NAN, outside=(0, 7))))
    assert "infinite" in panel.net.plot._bad


def test_without_a_measurement_there_are_curves_and_no_numbers(qtbot: QtBot) -> None:
    panel = shown(qtbot)
    assert "Press Play" in said(panel)
    assert not panel.net.cards.used
    assert panel.table().rows == ()
    panel.show_snapshot(moment(None))
    assert "Press Play" in said(panel)
    panel.show_snapshot(moment(distribution()))
    panel.clear()
    assert not panel.net.cards.used


def test_the_stepper_asks_for_the_next_layer_and_auto_for_the_weakest(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    asked: list[int] = []
    panel.layer_wanted.connect(asked.append)
    assert panel.net.choice.auto.isChecked()
    panel.net.choice.more.click()
    panel.show_snapshot(moment(distribution(5)))
    assert not panel.net.choice.auto.isChecked()
    panel.net.choice.less.click()
    panel.net.choice.auto.click()
    panel.net.choice.auto.click()  # already automatic
    assert asked == [5, 4, 0]
    assert panel.net.choice.auto.isChecked()


def test_the_selected_layer_is_followed_and_left_again(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    asked: list[int] = []
    panel.layer_wanted.connect(asked.append)
    panel.select(Selection("unit", 7, 2))
    panel.select(Selection("layer", 11))  # the output layer has no activation
    panel.select(Selection("layer", 0))
    panel.select(None)
    assert asked == [7, 0]
    panel.want_layer(3)
    panel.select(None)  # what was chosen here stays
    assert asked == [7, 0, 3]


def test_a_layer_of_a_deeper_net_is_no_longer_asked_for(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution(9)))
    panel.want_layer(9)
    asked: list[int] = []
    panel.layer_wanted.connect(asked.append)
    panel.show_snapshot(msgspec.structs.replace(fabricate(depth=3), lab=distribution(2), batch=BATCH))
    assert asked == [0]


def test_a_thumbnail_asks_for_its_activation(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    assert set(panel.net.thumbs.buttons) == set(ACTIVATIONS)
    assert panel.net.thumbs.buttons["sigmoid"].in_force
    with qtbot.waitSignal(panel.activation_wanted) as heard:
        QTest.mouseClick(panel.net.thumbs.buttons["relu"], Qt.MouseButton.LeftButton)
    assert heard.args == ["relu"]
    assert panel.net.thumbs.buttons["sigmoid"].in_force, "what is in force is what the engine says"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sigmoid", "at most 0.25 at 0"),
        ("tanh", "at most 1 at 0"),
        ("relu", "1 for z > 0"),
        ("identity", "1 everywhere"),
        ("step", "0 everywhere"),
        ("softplus", "nears 1"),
    ],
)
def test_the_largest_slope_is_stated(name: str, words: str) -> None:
    assert peak(name).words == words


def test_relus_slope_at_zero_is_a_slider_for_relu_alone(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    assert not panel.net.at_zero.isVisible()
    panel.show_snapshot(moment(distribution(activation="relu", parameter=0.3), activation="relu", relu_at_zero=0.3))
    assert panel.net.at_zero.isVisible()
    assert "Here it is 0.3" in said(panel)
    with qtbot.waitSignal(panel.relu_at_zero_wanted) as heard:
        QTest.keyClick(panel.net.at_zero.input.slider, Qt.Key.Key_Right)
    assert heard.args == [pytest.approx(0.31)]
    joint = curve("relu", 0.3, 8.0).joints[0]
    assert joint[4:] == (0.0, 0.3, 1.0), "open dots at 0 and 1, the full one at the chosen slope"


def test_prelu_tells_its_learnt_slope(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution(activation="prelu", parameter=0.137), activation="prelu"))
    assert "α = 0.137 now" in said(panel)


def test_while_playing_bars_follow_at_once_and_words_later(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    latest = distribution(saturated=0.5)
    panel.show_snapshot(moment(latest, playing=True))
    assert panel.net.plot.found is latest
    assert said(panel).startswith("38 %")
    qtbot.waitUntil(lambda: said(panel).startswith("50 %"))


def test_the_scale_of_the_bars_grows_at_once_and_shrinks_late() -> None:
    assert fitting_scale(0.1, 0.3) == 0.5
    assert fitting_scale(0.5, 0.2) == 0.5
    assert fitting_scale(0.5, 0.1) == 0.1


def test_a_bar_tells_its_count_under_the_pointer(qtbot: QtBot) -> None:
    found = distribution()
    panel = shown(qtbot, moment(found))
    plot = panel.net.plot
    box = plot._plot(QRectF(plot.rect()))[0].box
    spot = plot.spot_at(box.center() + QPointF(1.0, 0.0))
    assert spot is not None
    assert spot.words == f"{found.counts[32]} of 256 z from 0 to 0.25"


def test_lines_reach_the_edge_where_they_leave_the_plot() -> None:
    x = np.linspace(-8.0, 8.0, 11)
    (_, ys), *rest = inside(x, x, (-8.0, 8.0, -1.2, 1.6))
    assert not rest
    assert (ys[0], ys[-1]) == (pytest.approx(-1.2), pytest.approx(1.6))
    assert inside(x, np.full(11, NAN), (-8.0, 8.0, -1.0, 1.0)) == []


# ---- sharpness


def test_the_area_stays_one_while_the_peak_grows(qtbot: QtBot) -> None:
    panel = shown(qtbot)
    panel.show_part(SHARP)
    for k in (1.0, 100.0, 1000.0):
        panel.sharp.show_sharpness(k)
        assert panel.sharp.plot.slope.area == pytest.approx(1.0, abs=1e-6)
        assert panel.sharp.cards.figures[2].text == "1.000"
    panel.sharp.show_sharpness(100.0)
    assert panel.sharp.cards.figures[0].text == "25"
    assert "peak of its derivative is 25" in panel.sharp.spoken()


def test_the_slider_sharpens_by_key(qtbot: QtBot) -> None:
    panel = shown(qtbot)
    panel.show_part(SHARP)
    before = pixels(panel)
    QTest.keyClick(panel.sharp.slider.input.slider, Qt.Key.Key_End)
    assert panel.sharp.plot.slope.sharpness == 1000.0
    assert (pixels(panel) != before).any()
    panel.sharp.slider.input.wanted.emit("steep")  # typed, and no number
    assert panel.sharp.plot.slope.sharpness == 1000.0


# ---- linear?


def test_both_sides_and_their_difference_are_told(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    panel.show_part(LINEAR)
    tried = panel.linear.tried()
    assert tried.name == "sigmoid", "the activation in force"
    assert not panel.linear.additive.holds
    assert panel.linear.additive.verdict == "differ by 0.659"
    panel.linear.controls.combo.setCurrentIndex(panel.linear.controls.combo.findData("identity"))
    panel.linear.controls.function_wanted.emit("identity")
    assert panel.linear.additive.verdict == panel.linear.homogeneous.verdict == "equal"


def test_numbers_are_typed_and_what_is_no_number_is_refused(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    panel.show_part(LINEAR)
    edit = panel.linear.controls.edits[2]
    edit.selectAll()
    QTest.keyClicks(edit, "2,5")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert panel.linear.numbers == (1.0, 2.0, 2.5)
    edit.selectAll()
    QTest.keyClicks(edit, "e")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert panel.linear.numbers == (1.0, 2.0, 2.5)
    assert "not a finite number" in panel.linear.controls.message
    QTest.keyClick(edit, Qt.Key.Key_Up)
    assert panel.linear.numbers == (1.0, 2.0, 3.0)
    assert panel.linear.controls.message == ""


def test_typing_goes_on_while_the_run_plays(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    panel.show_part(LINEAR)
    edit = panel.linear.controls.edits[0]
    panel.activateWindow()
    edit.setFocus()
    qtbot.waitUntil(edit.hasFocus)
    edit.selectAll()
    QTest.keyClicks(edit, "-3")
    panel.show_snapshot(moment(distribution(2)))
    assert edit.text() == "-3"


def test_a_counter_example_breaks_both_equations_and_identity_has_none(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    panel.show_part(LINEAR)
    for name in ("relu", "tanh", "step"):
        panel.linear.controls.function_wanted.emit(name)
        panel.linear.controls.search.click()
        assert not panel.linear.additive.holds
        assert not panel.linear.homogeneous.holds
    panel.linear.controls.function_wanted.emit("identity")
    panel.linear.controls.search.click()
    assert "None found" in panel.linear.controls.message
    panel.linear.controls.random.click()
    assert panel.linear.tried().linear
    assert panel.linear.controls.message == ""


def test_what_is_said_of_the_whole_function_follows_from_the_numbers() -> None:
    assert "always equal: linear" in tries_words("identity", 0.0)
    assert "for all" in tries_words("relu", 0.0)
    assert "a ≥ 0, for none of the" in tries_words("leaky_relu", 0.01)
    assert "always equal: linear" in tries_words("leaky_relu", 1.0), "with α = 1 a leaky ReLU is the identity"
    assert "homogeneous in 0." in tries_words("sigmoid", 0.0)
    assert linearity("relu", 1.0, 2.0, 3.0).linear, "one success proves nothing, and nothing is said to"


@pytest.mark.parametrize("numbers", [(1e308, 1e308, 1e308), (0.0, 0.0, 0.0), (-8000.0, 3.0, 1e-9)])
def test_extreme_numbers_are_drawn_or_said_to_be_too_large(qtbot: QtBot, numbers: tuple[float, float, float]) -> None:
    panel = shown(qtbot, moment(distribution(activation="identity")))
    panel.show_part(LINEAR)
    panel.linear.controls.numbers_wanted.emit(*numbers)
    assert len(set(pixels(panel).ravel().tolist())) > 10


# ---- all parts


@pytest.mark.parametrize("part", [NET, SHARP, LINEAR])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_part_is_drawn_whole_as_vectors_and_has_numbers(qtbot: QtBot, part: str, theme: str) -> None:
    panel = shown(qtbot, moment(distribution(before=True)))
    panel.set_theme(THEMES[theme])
    panel.show_part(part)
    svg = vectors(panel, *panel.whole_size().toTuple())
    assert svg.count("<text") > 10
    assert "<image" not in svg
    table = panel.table()
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)
    panel.copy()
    assert QGuiApplication.clipboard().text().startswith("\t".join(table.columns))


def test_another_part_has_a_clean_page_and_follows_no_run(qtbot: QtBot) -> None:
    panel = shown(qtbot, moment(distribution()))
    QTest.mouseClick(panel.parts.button(SHARP), Qt.MouseButton.LeftButton)
    assert panel.part == SHARP
    assert panel.sharp.plot.isVisible()
    assert not panel.net.plot.isVisible()
    panel.show_snapshot(moment(distribution(2), playing=True))
    assert not panel.net.plot.isVisible()
    with pytest.raises(ValueError, match="no part 'unknown'"):
        panel.show_part("unknown")
    assert panel.part == SHARP


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_is_drawn(qtbot: QtBot, name: str) -> None:
    panel = shown(qtbot, moment(distribution(activation=name), activation=name))
    picture = pixels(panel)
    assert len(set(picture.ravel().tolist())) > 20
    assert name in {thumb for thumb, button in panel.net.thumbs.buttons.items() if button.in_force}
