"""Chain rule, inspection and lab of recurrent nets: time steps and gates by name, with the numbers of real runs."""

import functools
import itertools
import math

import pytest
from pytestqt.qtbot import QtBot

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.selected import WeightInspection
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import RECURRENT_ACTIVATIONS
from tests.ui.painted import picture
from ui.panels import chain_cards as cards
from ui.panels import chain_words as words
from ui.panels.activation_lab import ActivationLabPanel
from ui.panels.chain_rule import ChainRulePanel
from ui.panels.clipping import ClippingPanel
from ui.panels.initialisation import InitialisationPanel
from ui.panels.inspect import InspectPanel
from ui.panels.lab_names import entry_name, exists, layer_of, parameter_name
from ui.panels.ladder_rows import ladder_rows
from ui.panels.linear_map import LinearMapPanel
from ui.panels.residual import ResidualPanel
from ui.panels.unit_plot import UnitPlot
from ui.theme import THEMES

KINDS = ("rnn", "lstm")


@functools.cache
def experiment(kind: str, lag: int = 30, truncate: int = 0) -> Experiment:
    found = Experiment(Spec(NetworkSpec(kind=kind, width=6), DataSpec("recall", lag=lag), TrainingSpec(truncate=truncate)))
    found.step()
    found.step()
    return found


def look(kind: str, picked: tuple[str, int, int, int] | None = None, lab: str = "", **made: int) -> Snapshot:
    return experiment(kind, **made).measure(Look(prediction=False, picked=picked, chain=True, lab=lab))


@pytest.mark.parametrize("kind", KINDS)
def test_the_ladder_has_a_row_for_each_time_step(kind: str) -> None:
    snapshot = look(kind)
    chain = snapshot.chain
    rows = ladder_rows(chain, snapshot.architecture)
    steps = [row for row in rows if row.kind == "layer"]
    assert [row.layer for row in steps] == list(range(31, 0, -1))
    assert [row.name for row in steps] == [f"t{t}" for t in range(31, 0, -1)]
    product = chain.rungs[0].factor * math.prod(row.factor for row in rows if row.factor is not None and row.kind != "loss")
    assert product == pytest.approx(chain.rungs[-1].product)
    assert rows[-1].name == "all 31 t"
    assert rows[-1].total == chain.time.shared_gradient
    if kind == "lstm":
        forgets = [rung.factor for rung in chain.rungs if rung.kind == "forget"]
        assert [row.factor for row in steps[1:]] == forgets
        assert all(row.weight is None and row.slope is None for row in steps[1:])


def test_the_way_back_is_told_as_a_number(qtbot: QtBot) -> None:
    chain = look("rnn").chain
    labels, product = words.repeated_words(chain)
    each = 10.0 ** (chain.time.log10_factors / 30)
    assert labels[0] == f"30 factors f′·w, on average {words.three_digits(each)} each →"
    assert product == words.power_text(chain.time.log10_factors)
    labels, _ = words.repeated_words(look("lstm").chain)
    assert labels[0].startswith("30 forget gates, on average 0.")
    assert words.carried_words(look("lstm").chain)[0][0].startswith("All paths, ‖∂J/∂c‖: 0.")
    assert cards.way_height(chain) > 0
    assert cards.way_height(look("rnn", ("edge", 31, 0, 0)).chain) == 0.0
    assert cards.way_height(look("rnn", ("edge", 32, 0, 0)).chain) == 0.0


@pytest.mark.parametrize(
    ("log10", "text"), [(-412.5, "3.2×10⁻⁴¹³"), (-math.inf, "0"), (math.nan, "NaN"), (0.0, "1.0"), (400.0, "1.0×10⁴⁰⁰")]
)
def test_products_beyond_floating_point_are_still_told(log10: float, text: str) -> None:
    assert words.power_text(log10) == text


def test_titles_and_feet_name_time_step_and_gate() -> None:
    snapshot = look("rnn", ("edge", 12, 1, 3))
    assert words.weight_title(snapshot.chain, snapshot.architecture) == "Weight in time step 12, unit 4 → unit 2"
    assert words.feet(snapshot.chain) == ("h", "12")
    assert words.factor_words(snapshot.chain, snapshot.architecture)[2][0] == "h₁₁ of unit 4"
    snapshot = look("lstm", ("edge", 12, 1, 3))
    gate = snapshot.chain.time.gate
    assert words.weight_title(snapshot.chain, snapshot.architecture).startswith(gate.capitalize())
    assert words.feet(snapshot.chain)[0] == {"output": "o", "input": "i", "forget": "f", "candidate": "g"}[gate]
    first = look("rnn").chain
    assert words.feet(first) == ("x", "1")
    assert "x₁" in words.factor_words(first, look("rnn").architecture)[2][0]


def test_a_truncated_time_step_says_why_it_adds_nothing(qtbot: QtBot) -> None:
    snapshot = look("rnn", ("edge", 12, 1, 3), truncate=5)
    assert snapshot.chain.gradient == 0.0
    assert words.carried_words(snapshot.chain) == (("All paths: cut off at time step 27", "Cut off at time step 27"), "0")
    panel = ChainRulePanel()
    qtbot.addWidget(panel)
    panel.show_snapshot(snapshot)
    assert "truncated" in panel._page._sum_words()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_panel_follows_back_propagation_through_a_hundred_time_steps(qtbot: QtBot, kind: str, theme: str) -> None:
    run = Experiment(Spec(NetworkSpec(kind=kind, width=4), DataSpec("recall", lag=100), TrainingSpec()))
    panel = ChainRulePanel()
    qtbot.addWidget(panel)
    panel.set_theme(THEMES[theme])
    panel.resize(300, 500)
    panel.show()
    seen = []
    for done, _ in enumerate(itertools.islice(run.phases(), 206)):
        if done < 100 or done % 20:
            continue
        snapshot = run.measure(Look(prediction=False, chain=True))
        panel.show_snapshot(snapshot)
        panel.grab()
        seen.append(panel._bar.value())
        if snapshot.chain is not None and not snapshot.chain.reached:
            assert not snapshot.chain.time.whole
            assert math.isnan(snapshot.chain.time.shared_gradient)
            assert words.carried_words(snapshot.chain)[1] is None
    assert seen == sorted(seen)
    assert seen[-1] > 1000
    for width, height in ((360, 400), (900, 600), (260, 3000)):
        assert picture(panel, width, height).width() == width


@pytest.mark.parametrize("kind", KINDS)
def test_inspect_names_what_a_time_step_adds(qtbot: QtBot, kind: str) -> None:
    panel = InspectPanel()
    qtbot.addWidget(panel)
    snapshot = look(kind, ("edge", 12, 1, 3))
    picked = snapshot.picked
    assert isinstance(picked, WeightInspection)
    panel.show_snapshot(snapshot)
    readings = {reading.key: reading for reading in panel._content.readings}
    assert readings["added"].value == picked.added
    assert readings["gradient"].value == picked.gradient
    assert "time step 12" in panel._content.title
    network = experiment(kind).network
    name, place = readings["weight"].parameter.removesuffix("]").split("[")
    assert network.parameters[name][tuple(map(int, place.split(",")))] == picked.weight
    assert exists(entry_name(picked, snapshot.architecture), snapshot.architecture)
    panel.show_snapshot(look(kind, ("unit", 12, 1, 0)))
    readings = {reading.key: reading for reading in panel._content.readings}
    assert panel._content.title == "Time step 12, unit 2"
    assert ("forget_gate" in readings) == (kind == "lstm")
    assert panel.findChild(UnitPlot)._letter == ("c" if kind == "lstm" else "z")
    for reading in readings.values():
        if reading.parameter:
            assert exists(reading.parameter, snapshot.architecture)
    panel.grab()


@pytest.mark.parametrize("kind", KINDS)
def test_every_view_of_the_lab_has_something_to_say(qtbot: QtBot, kind: str) -> None:
    for kind_of_panel, view in ((ResidualPanel, "residual"), (LinearMapPanel, "linear"), (InitialisationPanel, "initialisation")):
        panel = kind_of_panel()
        qtbot.addWidget(panel)
        panel.show_snapshot(look(kind, lab=view))
        panel.refresh()
        assert panel._notice.used
        assert "time step" in panel._notice.text or "time" in panel._notice.text
        panel.grab()
    panel = ActivationLabPanel()
    qtbot.addWidget(panel)
    panel.show_snapshot(look(kind, lab="activation"))
    panel.refresh()
    assert panel.net.choice.title.startswith("Time step ")
    assert ("forget gate" in panel.net.choice.title) == (kind == "lstm")
    assert {name for name, button in panel.net.thumbs.buttons.items() if button.isEnabled()} == set(RECURRENT_ACTIVATIONS)
    panel.grab()


@pytest.mark.parametrize("kind", KINDS)
def test_the_clipping_view_offers_parameters_that_there_are(qtbot: QtBot, kind: str) -> None:
    panel = ClippingPanel()
    qtbot.addWidget(panel)
    snapshot = look(kind, ("edge", 12, 1, 3), lab="clipping")
    panel.show_snapshot(snapshot)
    offered = panel.offered(snapshot, snapshot.lab)
    parameters = experiment(kind).network.parameters
    for name, text in offered:
        own, place = name.removesuffix("]").split("[")
        assert parameters[own].shape > tuple(map(int, place.split(",")))
        assert exists(name, snapshot.architecture)
        assert "cell." not in text
    assert offered[-1][1].endswith("(selected)")


def test_shared_parameters_have_names_in_words() -> None:
    rnn, lstm = look("rnn").architecture, look("lstm").architecture
    assert parameter_name("cell.recurrent_weight[3,4]", rnn) == "wₕ, unit 4 → 5"
    assert parameter_name("cell.input_weight[0,4]", rnn) == "wₓ, A → 5"
    assert parameter_name("cell.recurrent_weight[3,16]", lstm) == "forget wₕ, unit 4 → 5"
    assert parameter_name("cell.bias[16]", lstm) == "forget bias 5"
    assert parameter_name("out.weight[3,1]", lstm) == "Out, unit 4 → 2"
    assert not exists("cell.recurrent_weight[3,16]", rnn)
    assert (layer_of("cell.bias[0]"), layer_of("out.bias[0]")) == (1, 2)
