"""A recurrent net in the picture: time steps with inputs and gates, the cell path as a road, words of time, and where it is truncated."""

import itertools
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from pytestqt.qtbot import QtBot

from gradviz.experiment import Experiment
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec
from tests.ui.fabricate import fabricate
from tests.ui.painted import picture, vectors
from ui.canvas import road
from ui.canvas.card import card_of
from ui.canvas.columns import Columns
from ui.canvas.layout import GATE_BAR, Layout
from ui.canvas.marks import summary
from ui.canvas.scene import NetworkCanvas
from ui.canvas.stage import caption
from ui.canvas.unrolled import gate_bars
from ui.canvas.words import describe, table_of
from ui.colors import color, level
from ui.figure import Figure, measured_heading
from ui.panels.layer_model import KEYS
from ui.panels.layer_table import LayerTablePanel
from ui.panels.profile import ProfilePanel, captions
from ui.panels.profile_card import card
from ui.panels.profile_numbers import profile_table
from ui.phase_strip import PhaseStrip
from ui.selection import Selection
from ui.status import next_phase
from ui.theme import THEMES
from ui.transport import Transport


def run(kind: str = "lstm", lag: int = 12, width: int = 8, steps: int = 2, phases: int = 0, **training: Any) -> Snapshot:
    """A real one: its data are few and its steps fast."""
    spec = Spec().replace("network.kind", kind).replace("data.lag", lag).replace("network.width", width)
    for name, value in training.items():
        spec = spec.replace(f"training.{name}", value)
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.advance()
    if phases:
        walk = experiment.phases()
        for _ in range(phases):
            next(walk)
    return experiment.measure(Look())


def gate_bar(layout: Layout, row: int, t: int, opened: float) -> QRectF:
    return gate_bars(layout, row, {t: opened})[0]


def layout_of(snapshot: Snapshot, width: float = 976.0, height: float = 416.0, zoom: float = 1.0, caption: bool = False) -> Layout:
    columns = Columns(width, len(snapshot.architecture.layers), zoom)
    return Layout(snapshot.architecture, columns, height, caption=caption, foot=caption)


def shown(qtbot: QtBot, snapshot: Snapshot, size: tuple[int, int] = (976, 416)) -> NetworkCanvas:
    canvas = NetworkCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(*size)
    canvas.show_snapshot(snapshot)
    canvas.show()
    return canvas


@pytest.fixture(scope="module")
def lstm() -> Snapshot:
    return run()


@pytest.fixture(scope="module")
def long() -> Snapshot:
    return run(lag=100, width=16)


# ---- geometry


@pytest.mark.parametrize("height", [180.0, 230.0, 300.0, 416.0, 800.0])
@pytest.mark.parametrize("caption", [False, True])
@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_rows_stand_under_one_another_and_inside(kind: str, caption: bool, height: float) -> None:
    layout = layout_of(run(kind, steps=0), height=height, caption=caption)
    assert layout.body >= 24
    heights = [layout.body_bottom, layout.inputs_y, *(layout.gate_y(row) - GATE_BAR for row in range(layout.gate_rows)), layout.marks_y]
    assert heights == sorted(heights)
    if height >= 230:
        assert layout.marks_y + 8 <= height
        assert layout.has_caption == caption
    if layout.has_road:
        assert layout.top + 8 <= layout.road_y < layout.names_y - 12 < layout.body_top
    assert layout.gate_rows == (0 if kind == "rnn" else layout.gate_rows)
    assert not layout.has_arcs


def test_gates_have_rows_only_where_there_is_room(lstm: Snapshot) -> None:
    assert [layout_of(lstm, height=height).gate_rows for height in (180.0, 280.0, 416.0)] == [0, 1, 3]
    assert layout_of(run("rnn", steps=0)).gate_rows == 0


def test_a_bar_is_as_high_as_its_gate_is_open_and_an_area_where_columns_are_narrow(lstm: Snapshot, long: Snapshot) -> None:
    layout = layout_of(lstm)
    assert gate_bar(layout, 0, 3, 0.5).height() == GATE_BAR / 2
    assert gate_bar(layout, 0, 3, 0.5).bottom() == gate_bar(layout, 0, 3, 1.0).bottom()
    assert gate_bar(layout, 0, 3, 1.0).right() < gate_bar(layout, 0, 4, 1.0).left()
    narrow = layout_of(long)
    assert gate_bar(narrow, 0, 3, 1.0).right() == pytest.approx(gate_bar(narrow, 0, 4, 1.0).left())


def test_the_road_is_one_from_the_last_time_step_to_the_first(lstm: Snapshot) -> None:
    layout = layout_of(lstm)
    whole, parts = road.road_rect(layout), [road.segment(layout, number) for number in range(layout.time - 1)]
    assert (whole.left(), whole.right()) == (layout.columns.x(1), layout.columns.x(13))
    assert all(one.right() == pytest.approx(other.left()) for one, other in itertools.pairwise(parts))


# ---- colours


def test_the_road_has_the_colour_of_what_it_carries_and_gates_have_none_of_the_scale(qtbot: QtBot, lstm: Snapshot) -> None:
    assert lstm.details is not None
    canvas = shown(qtbot, lstm)
    layout, image = layout_of(lstm), canvas.grab().toImage()
    for number in (0, 4, 11):
        carried = color(level(float(lstm.details.skip_gradients[number])), THEMES["dark"])
        assert image.pixelColor(round(layout.columns.x(number + 1) + 12), round(layout.road_y)) == carried
    bar = gate_bar(layout, 0, 3, 0.2)
    assert image.pixelColor(bar.center().toPoint()).name().upper() == THEMES["dark"].ink2.upper()


def test_a_plain_net_has_neither_road_nor_gates(qtbot: QtBot) -> None:
    canvas = shown(qtbot, run("rnn"))
    text = vectors(canvas, 976, 416)
    assert "cell path" not in text
    assert "gate" not in text
    assert "inputs x" in text


def test_the_road_is_empty_where_nothing_has_come_back_yet(qtbot: QtBot) -> None:
    snapshot = run(phases=13 + 2 + 3)  # forward, Out and the loss, and back through Out, t13, t12
    assert snapshot.moment is not None
    assert (snapshot.moment.kind, snapshot.moment.layer) == ("backward", 12)
    canvas = shown(qtbot, snapshot)
    layout, image = canvas._current_layout(), canvas.grab().toImage()
    y = round(layout.road_y)
    empty, carrying = image.pixelColor(round(layout.columns.x(3) + 8), y), image.pixelColor(round(layout.columns.x(12) + 8), y)
    assert empty.name().upper() == THEMES["dark"].canvas.upper()
    assert carrying.name().upper() != THEMES["dark"].canvas.upper()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(976, 416), (370, 180), (420, 230), (2000, 700)])
@pytest.mark.parametrize("zoom", [1.0, 4.0, 40.0])
def test_every_size_and_zoom_can_be_drawn(qtbot: QtBot, long: Snapshot, theme: str, size: tuple[int, int], zoom: float) -> None:
    for snapshot in (long, msgspec.structs.replace(long, playing=True), run("rnn", lag=1, width=1), run(lag=40, width=40, truncate=7)):
        canvas = shown(qtbot, snapshot, size)
        canvas.set_theme(THEMES[theme])
        canvas.set_columns(canvas.columns.zoomed(zoom, size[0] / 2))
        image = canvas.grab().toImage()
        assert not image.isNull()
        canvas.hide()


def test_numbers_that_are_not_finite_have_marks_and_break_nothing(qtbot: QtBot, lstm: Snapshot) -> None:
    assert lstm.details is not None
    assert lstm.details.gates is not None
    gates, carried = np.full_like(lstm.details.gates, np.nan), np.full_like(lstm.details.skip_gradients, np.inf)
    details = msgspec.structs.replace(lstm.details, gates=gates, skip_gradients=carried)
    canvas = shown(qtbot, msgspec.structs.replace(lstm, details=details))
    image = canvas.grab().toImage()
    layout = canvas._current_layout()
    nan = THEMES["dark"].nan.upper()
    y = round(layout.road_y)
    row = {image.pixelColor(x, y).name().upper() for x in range(round(layout.columns.x(2)), round(layout.columns.x(3)))}
    assert nan in row
    mark = image.pixelColor(round(layout.columns.x(3)) - 1, round(layout.gate_y(0) - GATE_BAR / 2))
    assert mark.red() > mark.green() + 60


# ---- words


def test_the_picture_says_where_time_goes_and_where_the_gradient_goes(qtbot: QtBot, lstm: Snapshot) -> None:
    text = vectors(shown(qtbot, lstm), 976, 416)
    assert "Forward" not in text
    for words in ("first symbol", "time", "gradient ∂J/∂hₜ", "cell path cₜ", "forget gate", "inputs xₜ", "13 time steps × 8 units"):
        assert f">{words}" in text, words
    assert "layer" not in text


def test_the_forget_gate_is_the_toll(qtbot: QtBot, lstm: Snapshot) -> None:
    assert lstm.details is not None
    opened = road.tolls(layout_of(lstm), lstm.details)
    assert opened is not None
    assert lstm.details.gates is not None
    assert opened[0] == lstm.details.gates[1, 2]
    text = vectors(shown(qtbot, lstm), 1400, 416)
    assert f"×{opened[4]:.2f}" in text


def test_a_line_says_what_the_columns_are(lstm: Snapshot, long: Snapshot) -> None:
    assert summary(lstm.architecture, edges=True, gates=True) == "13 time steps × 8 units; bars: how far each gate is open"
    assert "layer" not in summary(long.architecture, edges=False)
    assert summary(fabricate().architecture, edges=True) == "10 hidden layers × 8 units"


def test_phases_go_through_time(qtbot: QtBot) -> None:
    forward, loss, backward = run(phases=12), run(phases=15), run(phases=17)
    assert [caption(snapshot, snapshot.moment) for snapshot in (forward, backward) if snapshot.moment is not None] == [
        "Forward: time step 12 of 13",
        "Backward: time step 13 now, 12 to go",
    ]
    assert loss.moment is not None
    assert loss.moment.kind == "loss"
    strip = PhaseStrip()
    qtbot.addWidget(strip)
    strip.show_spec(forward.spec)
    strip.show_moment(forward.moment)
    assert strip.accessibleName().startswith("Phases of a step: Forward, time step 12 of 13; next: forward, time step 13 of 13")
    assert forward.moment is not None
    assert next_phase(forward.moment, False, recurrent=True) == "forward, time step 13"
    assert next_phase(forward.moment, False) == "forward, layer 13"


def test_the_net_in_one_sentence(lstm: Snapshot) -> None:
    assert describe(lstm).startswith("LSTM unrolled in time, 13 time steps; ∂J/∂hₜ ")
    assert " in t13 to " in describe(lstm)
    cut = describe(run("rnn", truncate=4))
    assert cut.startswith("Recurrent network unrolled in time, 13 time steps, back-propagation truncated before time step 10;")
    assert describe(run(phases=20)).endswith("the gradient has not reached 9 time steps")


def test_the_table_of_the_net_has_its_gates(lstm: Snapshot) -> None:
    table = table_of(lstm)
    assert table.columns[-3:] == ("output_gate_mean", "input_gate_mean", "forget_gate_mean")
    assert lstm.details is not None
    assert lstm.details.gates is not None
    assert table.rows[4][-1] == lstm.details.gates[4, 2]
    assert table.rows[-1][-3:] == ("", "", "")
    assert "forget_gate_mean" not in table_of(run("rnn")).columns
    part = table_of(run(phases=5))
    assert isinstance(part.rows[4][-1], float)
    assert part.rows[5][-1] == ""


def test_cards_tell_exact_numbers_of_a_time_step(lstm: Snapshot) -> None:
    details = lstm.details
    assert details is not None
    layout = layout_of(lstm)
    rows = dict(card_of(layout, lstm, Selection("layer", 5)).rows)
    assert rows["typical |∂J/∂hₜ|"]
    assert {"forget gate open, mean", "input gate open, mean", "output gate open, mean", "comes over the cell path from t6"} <= set(rows)
    assert "over the skip from L5" not in rows
    assert not {"mean slope f′", "dead in this mini-batch"} & set(rows)
    last = dict(card_of(layout, lstm, Selection("layer", 14)).rows)
    assert "typical |∂J/∂w|" in last
    unit = dict(card_of(layout, lstm, Selection("unit", 5, 2)).rows)
    assert "‖∂J/∂hₜ‖ over the batch" in unit
    edge = dict(card_of(layout, lstm, Selection("edge", 5, 2, 1)).rows)
    assert list(edge) == ["adds to |∂J/∂w|, over 4 gates", "shared by"]
    plain = run("rnn")
    edge = dict(card_of(layout_of(plain), plain, Selection("edge", 5, 2, 1)).rows)
    assert list(edge)[:2] == ["value", "adds to ∂J/∂w"]
    assert "mean slope f′" in dict(card_of(layout_of(plain), plain, Selection("layer", 5)).rows)


def test_a_column_is_explained_at_its_gates_and_its_road_and_not_among_its_units(lstm: Snapshot) -> None:
    layout = layout_of(lstm)
    x = layout.columns.x(5)
    beside = [QPointF(x, layout.road_y), QPointF(x, layout.names_y), QPointF(x, layout.gate_y(2) - 3)]
    assert [layout.layer_at(point) for point in beside] == [5, 5, 5]
    assert all(layout.is_beside_units(point) for point in beside)
    assert not layout.is_beside_units(QPointF(x, layout.middle))


# ---- truncated


def test_what_is_cut_off_is_exactly_zero_and_marked(qtbot: QtBot) -> None:
    snapshot = run("rnn", truncate=4)
    assert snapshot.details is not None
    assert not snapshot.details.gradient_rms[:9].any()
    assert snapshot.details.gradient_rms[9:].all()
    canvas = shown(qtbot, snapshot)
    assert "truncated here" in vectors(canvas, 976, 416)
    assert "truncated here" not in vectors(shown(qtbot, run("rnn")), 976, 416)
    layout, image = canvas._current_layout(), canvas.grab().toImage()
    x = layout.columns.x(9.5)
    inks = {image.pixelColor(round(x), y).name().upper() for y in range(round(layout.body_top), round(layout.body_bottom))}
    assert THEMES["dark"].ink1.upper() in inks
    assert "truncated" in dict(card_of(layout, snapshot, Selection("layer", 9)).rows)
    assert "truncated" not in dict(card_of(layout, snapshot, Selection("layer", 10)).rows)
    assert measured_heading(snapshot)[0] == "Truncated: no gradient reaches the first time step"
    cut = run("rnn", phases=20, truncate=4)
    assert cut.moment is not None
    assert caption(cut, cut.moment) == "Backward: time step 10 now, 9 to go"
    later = run("rnn", phases=21, truncate=4)
    assert later.moment is not None
    assert caption(later, later.moment) == "Backward: time step 9, cut off, exactly 0"


# ---- the other panels


def test_profile_speaks_of_time_steps(qtbot: QtBot, lstm: Snapshot) -> None:
    profile = ProfilePanel()
    qtbot.addWidget(profile)
    profile.show_snapshot(lstm)
    assert profile.title == "Gradient per time step"
    assert captions(lstm, None, "")[0].startswith("bars: typical |∂J/∂hₜ| of each time step")
    title, rows = card(lstm, 5)
    assert title.startswith("t5, step 2")
    assert [label for label, _ in rows] == [
        "typical |∂J/∂hₜ| (RMS)",
        "norm ‖∂J/∂hₜ‖",
        "typical |∂J/∂zₜ| of a unit",
        "norm ‖∂J/∂zₜ‖",
        "theory",
    ]
    assert card(lstm, 14)[1][0][0] == "typical |∂J/∂w| (RMS)"
    text = vectors(profile, 976, 220)
    assert "per time step" in text
    assert "layer" not in text
    profile.show_snapshot(fabricate())
    assert profile.title == "Gradient per layer"


def test_no_ratio_is_told_between_a_state_and_the_weights_behind_it(qtbot: QtBot, lstm: Snapshot) -> None:
    table = profile_table(lstm)
    ratios = [row[-1] for row in table.rows]
    assert lstm.details is not None
    assert ratios[11] == pytest.approx(lstm.details.gradient_rms[11] / lstm.details.gradient_rms[12])
    assert ratios[12:] == [None, None]


def test_clipping_leaves_what_came_back_through_time_as_it_is(qtbot: QtBot) -> None:
    snapshot = run("rnn", clip="norm", clip_threshold=1e-6)
    assert snapshot.clipped
    profile = ProfilePanel()
    qtbot.addWidget(profile)
    profile.show_snapshot(snapshot)
    assert not profile._clips
    assert "norm after clipping" not in dict(card(snapshot, 5)[1])
    assert "norm after clipping" in dict(card(snapshot, 14)[1])


def test_the_table_names_its_columns_after_time(qtbot: QtBot, lstm: Snapshot) -> None:
    panel = LayerTablePanel()
    qtbot.addWidget(panel)
    panel.show_snapshot(lstm)
    headers = {key: panel.model.header(number) for number, key in enumerate(KEYS)}
    assert (headers["layer"], headers["gradient_norm"], headers["mean_slope"]) == ("Time step", "‖∂J/∂hₜ‖", "forget gate")
    assert panel.title == "Time steps"
    assert [key for number, key in enumerate(KEYS) if panel.view.isColumnHidden(number)] == ["dead_fraction", "clipped_norm"]
    panel.show_snapshot(run("rnn"))
    assert panel.model.header(KEYS.index("mean_slope")) == "mean f′"
    assert not panel.view.isColumnHidden(KEYS.index("dead_fraction"))
    panel.show_snapshot(fabricate())
    assert panel.model.header(0) == "Layer"
    assert panel.title == "Layers"


def test_the_figure_speaks_of_time(qtbot: QtBot, lstm: Snapshot) -> None:
    figure = Figure()
    qtbot.addWidget(figure)
    figure.show_snapshot(lstm)
    text = vectors(figure, 1600, 900)
    assert "LSTM × 8 units, Tanh, spectral radius 1, forget bias 1" in text
    assert "lag 12" in text
    assert "hidden layers" not in text
    assert "at time step 13, the last one" in measured_heading(lstm)[1]


def test_the_small_step_is_named_after_what_it_goes_through(qtbot: QtBot) -> None:
    transport = Transport()
    qtbot.addWidget(transport)
    transport.resize(1600, 50)
    transport.show()
    transport.show_kind(True)
    assert transport.layer_button.text().strip() == "Time step"
    assert transport.layer_button.toolTip().startswith("One time step on")
    transport.show_kind(False)
    assert transport.layer_button.text().strip() == "Layer"


def test_an_export_needs_no_pixels(qtbot: QtBot, long: Snapshot) -> None:
    picture(shown(qtbot, long), 1200, 500)
    assert "101 time steps × 16 units" in vectors(shown(qtbot, long), 1200, 500)
