"""Pre-training in the window: only the level in work has gradients to show, and what it tells again stands beside the network."""

import functools

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.snapshot import Snapshot
from tests.ui.painted import pixels
from ui.canvas import level as level_frame
from ui.canvas.columns import Columns
from ui.canvas.layout import Layout
from ui.canvas.reach import levels_of, masks_of
from ui.canvas.scene import NetworkCanvas
from ui.canvas.wave import _lines
from ui.canvas.words import describe, table_of
from ui.colors import NONFINITE, UNKNOWN
from ui.figure import measured_heading, stamp_lines
from ui.panels.layer_table import LayerTablePanel
from ui.panels.prediction import PredictionPanel
from ui.panels.profile import ProfilePanel
from ui.panels.profile_numbers import profile_table
from ui.panels.timeline import TimelinePanel
from ui.panels.timeline_numbers import card_at
from ui.status import StatusBar
from ui.theme import THEMES

PER_LEVEL = 20


@functools.cache
def run(data: str = "digits") -> Experiment:
    network = NetworkSpec(depth=3, width=8 if data == "moons" else 20, activation="sigmoid")
    return Experiment(Spec(network, DataSpec(data), TrainingSpec(method="pretraining", learning_rate=0.5, steps_per_level=PER_LEVEL)))


def at(step: int, phases: int = 0, data: str = "digits") -> Snapshot:
    experiment = run(data)
    while experiment.last_step < 75:
        experiment.advance()
    experiment.go_to(step, phases)
    return experiment.measure()


@pytest.mark.parametrize(("step", "phases", "known"), [(5, 0, 1), (30, 0, 2), (30, 1, 0), (30, 2, 0), (30, 3, 2), (40, 0, 2), (41, 0, 3)])
def test_the_canvas_colours_the_level_in_work_alone(qtbot, step: int, phases: int, known: int) -> None:
    snapshot = at(step, phases)
    layout = Layout(snapshot.architecture, Columns(900, 4), 420)
    found = levels_of(snapshot, layout, masks_of(snapshot))
    for layer in range(1, 5):
        own = found.edges[layout.edge_slice(layer)]
        assert (own == UNKNOWN).all() == (layer != known), layer
    assert not (found.edges == NONFINITE).any()
    assert not (found.units == NONFINITE).any()


def test_after_pretraining_every_layer_has_a_gradient(qtbot) -> None:
    snapshot = at(61)
    layout = Layout(snapshot.architecture, Columns(900, 4), 420)
    assert masks_of(snapshot) is None
    assert not (levels_of(snapshot, layout, None).edges >= UNKNOWN).any()


@pytest.mark.parametrize("size", [(900, 420), (380, 190), (1600, 900)])
@pytest.mark.parametrize("data", ["digits", "moons"])
def test_the_frame_stays_inside_and_says_which_level_it_is(qtbot, data: str, size: tuple[int, int]) -> None:
    canvas = NetworkCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(*size)
    for step, level in ((5, 1), (30, 2), (45, 3)):
        for phases in range(4):
            snapshot = at(step, phases, data)
            canvas.show_snapshot(snapshot)
            canvas.grab()
            layout = canvas._current_layout()
            frame = level_frame.frame_of(layout, level)
            assert QRectF(0, 0, *size).contains(frame)
            assert level_frame.titles_of(snapshot)[0] == f"Level {level} of 3, without labels"
            assert f"level {level}" in describe(snapshot) or f"L{level}" in describe(snapshot)


def test_tables_leave_empty_what_is_not_measured(qtbot) -> None:
    snapshot = at(30)
    rows = table_of(snapshot).rows
    columns = table_of(snapshot).columns
    gradient, update = columns.index("gradient_norm"), columns.index("update_norm")
    assert [row[gradient] == "" for row in rows] == [True, False, True, True]
    assert [row[update] == 0.0 for row in rows] == [True, False, True, True]
    assert [row[1] is None for row in profile_table(snapshot).rows] == [True, False, True, True]
    timeline = TimelinePanel()
    qtbot.addWidget(timeline)
    timeline.show_snapshot(at(75))
    table = timeline.table()
    cells = {row[1]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert [cells[step]["level"] for step in (20, 21, 60, 61)] == [1, 2, 3, 0]
    assert [cells[30][f"gradient_rms_{name}"] is None for name in ("L1", "L2", "L3", "Out")] == [True, False, True, True]
    assert all(cells[61][f"gradient_rms_{name}"] > 0 for name in ("L1", "L2", "L3", "Out"))
    panel = LayerTablePanel()
    qtbot.addWidget(panel)
    panel.show_snapshot(snapshot)
    assert "nan" not in str(panel.table().rows).lower()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_striped_as_if_it_were_not_a_number(qtbot, theme: str) -> None:
    for kind in (NetworkCanvas, ProfilePanel, TimelinePanel):
        panel = kind()
        qtbot.addWidget(panel)
        panel.set_theme(THEMES[theme])
        if kind is NetworkCanvas:
            panel.show_legend = False  # it explains the stripes
        panel.resize(800, 400)
        panel.show_snapshot(at(45))
        assert not (pixels(panel, 800, 400) == QColor(THEMES[theme].nan).rgb() & 0xFFFFFF).any(), kind


def test_the_timeline_tells_an_error_of_a_level_from_the_loss_of_the_task(qtbot) -> None:
    panel = TimelinePanel()
    qtbot.addWidget(panel)
    panel.resize(900, 300)
    snapshot = at(75)
    panel.show_snapshot(snapshot)
    panel.grab()
    frame, kept = panel.picture.frame(QRectF(panel.rect())), panel.picture.kept
    assert kept is not None
    assert snapshot.history is not None
    assert len(kept.losses._train) == 4  # three levels and fine-tuning, not joined
    assert (kept.losses.guessing, kept.losses.mean) == (snapshot.guessing_loss, 1.0)
    titles = {}
    for step in (10, 30, 70):
        point = QPointF(frame.x(step), frame.loss.center().y())
        card = card_at(frame, point, snapshot.history, None, snapshot.architecture, snapshot.spec)
        assert card is not None
        titles[step] = card.rows[0][0]
    assert titles == {10: "reconstruction error of L1", 30: "reconstruction error of L2", 70: "loss"}
    tested = snapshot.history.test_steps.tolist()
    assert {20, 21, 40, 41, 60, 61} <= set(tested)


def test_before_fine_tuning_the_level_of_guessing_is_that_of_reconstruction(qtbot) -> None:
    experiment = Experiment(run().spec)
    for _ in range(10):
        experiment.advance()
    panel = TimelinePanel()
    qtbot.addWidget(panel)
    panel.resize(900, 300)
    panel.show_snapshot(experiment.measure())
    panel.grab()
    assert panel.picture.kept is not None
    assert (panel.picture.kept.losses.guessing, panel.picture.kept.losses.mean) == (None, 1.0)


@pytest.mark.parametrize(("data", "shape"), [("digits", (6, 8, 8)), ("moons", (60, 1, 2)), ("wine", (6, 1, 13))])
def test_what_is_told_again_takes_the_place_of_the_prediction(qtbot, data: str, shape: tuple[int, ...]) -> None:
    panel = PredictionPanel()
    qtbot.addWidget(panel)
    for size in ((360, 330), (200, 160), (700, 300)):
        panel.resize(*size)
        snapshot = at(30, data=data)
        panel.show_snapshot(snapshot)
        assert snapshot.pretraining is not None
        assert snapshot.pretraining.told is not None
        assert snapshot.pretraining.told.shape == shape
        panel.grab()
        assert any(panel.card_at(QPointF(x, y)) for x in range(0, size[0], 6) for y in range(0, size[1], 6))
    table = panel.table()
    assert table.columns == ("example", "feature", "input", "told_again")
    assert len(table.rows) == np.prod(shape)
    assert "error" in panel.accessibleDescription()
    panel.show_snapshot(at(70, data=data))
    assert "accuracy" in panel.accessibleDescription()


def test_the_status_line_says_how_far_it_is(qtbot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(1600, 30)
    bar.show_snapshot(at(32), 60.0)
    assert bar.stage.value == "pre-training level 2 of 3, step 12 of 20"
    bar.show_snapshot(at(32, 2), 60.0)
    assert bar.stage.value == "pre-training level 2 of 3, step 13 of 20"
    bar.show_snapshot(at(70), 60.0)
    assert bar.stage.value == "fine-tuning"
    bar.resize(900, 30)
    bar.show_snapshot(at(32), 60.0)
    assert bar.stage.value == "level 2 of 3"
    bar.show_snapshot(Experiment(Spec()).measure(), 60.0)
    assert bar.stage.isHidden()


def test_a_figure_says_which_level_it_shows(qtbot) -> None:
    title, sentence = measured_heading(at(30))
    assert title == "Level 2 of 3 learns by itself, without labels"
    assert "NaN" not in sentence
    assert "gradient" in measured_heading(at(70))[0]
    assert stamp_lines(run().spec)[1].startswith("20 steps per level, then SGD")


def test_the_signal_of_a_level_runs_up_through_its_encoder_and_down_through_its_decoder(qtbot) -> None:
    for level, step in ((1, 5), (3, 45)):
        layout = Layout(at(step, 1).architecture, Columns(900, 4), 420)
        ways = {}
        for phases in (1, 2, 3):
            moment = at(step, phases).moment
            assert moment is not None
            lines = _lines(layout, moment, np.zeros(int(layout.edge_starts[-1]), np.uint8))
            ways[moment.kind] = all(line.dx() > 0 for line in lines), all(line.dx() < 0 for line in lines)
            gap = layout.gap(level)
            assert {round(x) for line in lines for x in (line.x1(), line.x2())} == {round(gap.x0), round(gap.x1)}
        assert ways == {"forward": (True, False), "loss": (False, True), "backward": (True, False)}


@pytest.mark.parametrize("step", [0, 20])
def test_what_a_level_has_not_measured_yet_is_not_called_nan(qtbot, step: int) -> None:
    panel = LayerTablePanel()
    qtbot.addWidget(panel)
    panel.show_snapshot(at(step, 1))
    texts = {panel.model.text(layer, column) for layer in range(1, 5) for column in range(12)}
    assert "–" in texts
    assert "NaN" not in texts
    assert all(panel.model.level(layer) == UNKNOWN for layer in range(1, 5))
