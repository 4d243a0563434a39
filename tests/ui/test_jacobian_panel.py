"""The Jacobian view: what it says of a product of layers, what it asks for, and that every kind of number has a mark and a row."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec
from gradviz.spectra import JacobianMap, JacobianReport, Spectrum
from tests.ui.live import opened
from tests.ui.painted import pixels, vectors
from tests.ui.test_lab_panels import said, shown
from ui import colors
from ui.panels import jacobian_words as words
from ui.panels.jacobian import JacobianPanel
from ui.panels.spectra_plot import level, spot_text
from ui.presets import preset_named
from ui.theme import THEMES


def measured(steps: int = 0, example: int | None = None, orthogonal: bool = False, **fields: Any) -> Snapshot:
    spec = Spec()
    for path, value in fields.items():
        spec = spec.replace(path.replace("__", "."), value)
    own = Experiment(spec)
    for _ in range(steps):
        own.advance()
    return own.measure(Look(lab="jacobian", lab_orthogonal=orthogonal, example=example))


def report(snapshot: Snapshot) -> JacobianReport:
    assert isinstance(snapshot.lab, JacobianReport)
    return snapshot.lab


def with_product(hidden: Spectrum, whole: Spectrum | None = None) -> Snapshot:
    """A moment of a small net whose product is this one."""
    snapshot = measured(network__depth=3, network__width=4)
    maps = tuple(JacobianMap(one.name, one.end, hidden, hidden) for one in report(snapshot).maps)
    lab = msgspec.structs.replace(report(snapshot), hidden=hidden, whole=whole or hidden, maps=maps)
    return msgspec.structs.replace(snapshot, lab=lab)


def logs(*values: float) -> np.ndarray:
    return np.array(values)


BEYOND = Spectrum(logs(450.0, 2.0, -400.5))
NOT_FINITE = Spectrum(np.empty(0), finite=False)
DEAD = Spectrum(np.empty(0), zeros=4)
LOST = Spectrum(logs(0.5, -3.0), zeros=1, lost=1)
STATES = {
    "isometry": measured(network__activation="identity", network__initializer="orthogonal", network__depth=6),
    "deep": measured(network__depth=60, network__width=4, network__activation="sigmoid"),
    "relu": measured(3, network__depth=8, network__activation="relu"),
    "skips": measured(2, network__skip_every=2, network__batch_norm=True),
    "one": measured(network__depth=1),
    "rnn": measured(network__kind="rnn", data__name="recall", data__lag=6),
    "lstm": measured(network__kind="lstm", data__name="recall", data__lag=40),
    "beyond": with_product(BEYOND),
    "not finite": with_product(NOT_FINITE),
    "dead": with_product(DEAD),
    "lost": with_product(LOST),
    "all lost": with_product(Spectrum(np.empty(0), lost=3)),
}


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_drawn_in_any_size_and_theme_and_as_vectors(qtbot: QtBot, name: str) -> None:
    panel = shown(qtbot, JacobianPanel, STATES[name])
    for theme in THEMES.values():
        panel.set_theme(theme)
        for width, height in ((240, 200), (360, 870), (1200, 1400)):
            assert len(np.unique(pixels(panel, width, height).reshape(-1, 4), axis=0)) > 8
    assert "Singular values" in vectors(panel, *panel.whole_size().toTuple())
    assert panel.accessibleDescription()
    assert all(len(row) == len(panel.table().columns) for row in panel.table().rows)


def test_what_it_says_is_what_was_measured(qtbot: QtBot) -> None:
    found = report(STATES["isometry"]).hidden
    assert np.abs(found.log10).max() < 1e-12
    assert "an isometry" in said(shown(qtbot, JacobianPanel, STATES["isometry"]))
    assert "changed by more than 10⁻⁶ %" in said(shown(qtbot, JacobianPanel, STATES["isometry"]))
    text = said(shown(qtbot, JacobianPanel, STATES["deep"]))
    deep = report(STATES["deep"])
    assert f"between {words.size_text(float(deep.hidden.log10[-1]))} and {words.size_text(float(deep.hidden.log10[0]))}" in text
    assert "every direction shrinks" in text
    assert "Drawn are 32 of 61 maps" in text
    assert words.size_text(deep.log10_product) in text


@pytest.mark.parametrize(
    ("hidden", "text"),
    [
        (DEAD, "Nothing gets through: all 4 singular values from L1 → L3 are exactly 0."),
        (NOT_FINITE, "A number on the way is not finite"),
        (LOST, "2 of 4 singular values lie between 0.0010 and 3.2"),
        (LOST, "1 is exactly 0: units whose f′ is 0 pass nothing on."),
        (LOST, "1 is too small beside the largest to be told from rounding."),
        (Spectrum(np.empty(0), lost=3), "Nothing of the product is above rounding."),
        (Spectrum(logs(0.3, 0.2)), "every direction grows, one 1.3 times as much as another"),
        (Spectrum(logs(-2.0, -2.01)), "all that pass are changed alike"),
        (Spectrum(logs(1.0, -1.0)), "the best one is kept 100 times as well as the worst"),
        (BEYOND, "lie between 3.2×10⁻⁴⁰¹ and 1.0×10⁴⁵⁰"),
    ],
)
def test_each_kind_of_product_has_its_words(qtbot: QtBot, hidden: Spectrum, text: str) -> None:
    assert text in said(shown(qtbot, JacobianPanel, with_product(hidden)))


def test_an_isometry_is_claimed_of_all_singular_values_only() -> None:
    near = Spectrum(logs(0.01, -0.01))
    assert "an isometry" in words.directions_sentence(report(with_product(near)))[0]
    for other in (Spectrum(logs(0.01, -0.01), zeros=1), Spectrum(logs(0.01, -0.01), lost=1), Spectrum(logs(0.05, -0.01))):
        assert "isometry" not in words.directions_sentence(report(with_product(other)))[0]
    sampled = msgspec.structs.replace(report(with_product(near)), units=256, directions=64)
    text = words.directions_sentence(sampled)[0]
    assert "in 64 random directions of 256" in text
    assert "none of these directions is changed by more than 2.3 %" in text
    assert "isometry" not in text


def test_the_table_has_every_singular_value(qtbot: QtBot) -> None:
    panel = shown(qtbot, JacobianPanel, with_product(LOST))
    rows = [row for row in panel.table().rows if row[3:5] == ("map", "L2")]
    assert [row[5:] for row in rows] == [(1, 0.5, "told"), (2, -3.0, "told"), (3, None, "lost_in_rounding"), (4, -math.inf, "zero")]
    found = report(STATES["skips"])
    rows = list(shown(qtbot, JacobianPanel, STATES["skips"]).table().rows)
    own = [row[6] for row in rows if row[3] == "from_the_last_hidden_layer" and row[4] == "L1"]
    np.testing.assert_array_equal(own, found.hidden.log10)
    assert [row[6] for row in rows if row[3] == "input_to_output"] == found.whole.log10.tolist()
    assert [row[6] for row in rows if row[3] == "product_of_mean_squares"] == [found.log10_product]
    panel = shown(qtbot, JacobianPanel, with_product(NOT_FINITE))
    assert {row[7] for row in panel.table().rows if row[3] == "map"} == {"not_finite"}


def test_a_column_tells_its_numbers_under_the_pointer(qtbot: QtBot) -> None:
    snapshot = STATES["relu"]
    panel = shown(qtbot, JacobianPanel, snapshot)
    panel._plot.grab()
    own = report(snapshot).maps[2].own
    spots = [spot for spot in panel._plot.spots if spot.label == "L3: largest singular value"]
    assert len(spots) == 1
    assert spots[0].value == pytest.approx(10.0 ** own.log10[0])
    assert panel._plot.spot_at(spots[0].area.center()) is spots[0]
    assert f"smallest {words.smallest_text(own)}" in spots[0].words
    assert spot_text(DEAD) == "0, 4 of 4 exactly 0"
    assert spot_text(NOT_FINITE) == "NaN"


def test_the_histogram_counts_each_value_once(qtbot: QtBot) -> None:
    panel = shown(qtbot, JacobianPanel, with_product(Spectrum(logs(0.02, 0.0, -0.05, -2.0, -50.0))))
    counts = panel._histogram.counts()
    assert counts.sum() == 5
    assert counts[0] == 1  # far below the axis
    assert counts[36] == 3  # around 1
    assert counts[28] == 1
    panel._histogram.grab()
    assert {spot.value for spot in panel._histogram.spots if "about" in spot.label} == {1, 3}


def test_colours_are_those_of_the_one_scale() -> None:
    assert level(-3.0) == colors.level(1e-3)
    assert level(-450.0) == 0  # the lowest colour; not that of exactly 0
    assert level(450.0) == colors.LEVELS - 1


def test_orthogonal_weights_are_asked_for_and_shown_when_they_come(qtbot: QtBot) -> None:
    panel = shown(qtbot, JacobianPanel, STATES["relu"])
    wanted: list[bool] = []
    panel.orthogonal_wanted.connect(wanted.append)
    button = panel._weights.button("orthogonal")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(button.width() // 2, button.height() // 2))
    assert wanted == [True]
    assert panel._weights.value == "own"  # until the engine has measured it
    panel.show_snapshot(measured(3, orthogonal=True, network__depth=8, network__activation="relu"))
    assert panel._weights.value == "orthogonal"
    assert panel._title.captions[0] == "step 0, seed 0"
    panel.show_snapshot(STATES["rnn"])
    assert not panel._weights_row.used
    assert "From the first state to the output" in said(panel)


def test_what_was_not_measured_says_so(qtbot: QtBot) -> None:
    panel = shown(qtbot, JacobianPanel, msgspec.structs.replace(STATES["relu"], lab=None))
    assert "Not measured yet" in panel.accessibleDescription()
    assert not panel.table().rows
    panel.clear()
    assert not panel.grab().isNull()


def test_the_window_shows_own_weights_and_orthogonal_ones(qtbot: QtBot) -> None:
    """The whole way: button, engine process, panel."""
    spec = Spec().replace("network.depth", 12).replace("network.activation", "identity").replace("network.initializer", "lecun_normal")
    window = opened(qtbot, spec)
    window.show_lab("jacobian")
    panel = window.lab.panel
    assert isinstance(panel, JacobianPanel)
    qtbot.waitUntil(lambda: panel.report is not None, timeout=20_000)
    assert panel.report.hidden.log10_condition > 1
    panel._weights.button("orthogonal").click()
    qtbot.waitUntil(lambda: panel.report.weights == "orthogonal", timeout=20_000)
    np.testing.assert_allclose(panel.report.hidden.log10, 0.0, atol=1e-12)
    qtbot.waitUntil(lambda: panel._weights.value == "orthogonal", timeout=20_000)  # while playing it is drawn at a readable pace
    panel._weights.button("own").click()
    qtbot.waitUntil(lambda: panel.report.weights == "own", timeout=20_000)
    assert panel._plot.spot_at(QPointF(-5, -5)) is None
    window.close()


def test_the_isometry_preset_has_the_numbers_that_it_tells() -> None:
    preset = preset_named("isometry")
    assert "below 0.03" in preset.description
    assert "10⁻²⁶" in preset.description

    def hidden(**changes: str) -> Spectrum:
        spec = preset.spec
        for field, value in changes.items():
            spec = spec.replace(f"network.{field}", value)
        return report(Experiment(spec).measure(Look(lab="jacobian"))).hidden

    own = hidden()
    assert math.log10(0.03) < own.log10[-1] < own.log10[0] < 0
    assert round(float(hidden(initializer="lecun_normal").log10[-1])) == -26
    np.testing.assert_allclose(hidden(activation="identity").log10, 0.0, atol=1e-12)
    trained = Experiment(preset.spec)
    for _ in range(800):
        trained.advance()
    assert trained.measure().prediction.accuracy > 0.95
