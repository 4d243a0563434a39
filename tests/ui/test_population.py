"""A population in the window: its lab view, its band on the timeline, the weights on the canvas, and its words."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.lab_reports import PopulationReport
from gradviz.snapshot import GENERATION, Look, Moment, Snapshot
from tests.ui.live import PATIENCE, trained
from tests.ui.painted import picture
from ui.canvas.scene import NetworkCanvas
from ui.canvas.stage import caption
from ui.figure import measured_heading, stamp_lines
from ui.main_window import MainWindow
from ui.panels.chain_words import update_words
from ui.panels.panel import Panel
from ui.panels.population import PopulationPanel, figures, said
from ui.panels.population_plot import Axis, places_of
from ui.panels.timeline import TimelinePanel
from ui.panels.timeline_numbers import timeline_table
from ui.phase_strip import PhaseStrip
from ui.status import StatusBar, next_phase
from ui.theme import THEMES

SPEC = Spec(
    NetworkSpec(depth=3, width=5, activation="step"),
    DataSpec(name="xor", samples=100),
    TrainingSpec(method="evolution", population=40, seed=1),
)


@pytest.fixture(scope="module")
def run() -> Experiment:
    experiment = Experiment(SPEC)
    for _ in range(12):
        experiment.advance()
    return experiment


@pytest.fixture(scope="module")
def snapshot(run: Experiment) -> Snapshot:
    return run.measure(Look(lab="population", chain=True))


def shown(qtbot: QtBot, kind: type[Panel], snapshot: Snapshot, width: int = 420, height: int = 700) -> Any:
    panel = kind()
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show_snapshot(snapshot)
    return panel


def report_of(snapshot: Snapshot, **changes: Any) -> PopulationReport:
    assert isinstance(snapshot.lab, PopulationReport)
    return msgspec.structs.replace(snapshot.lab, **changes)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("width", [250, 420, 900])
def test_every_state_of_a_population_is_drawn(qtbot: QtBot, snapshot: Snapshot, theme: Any, width: int) -> None:
    panel = shown(qtbot, PopulationPanel, snapshot, width)
    panel.set_theme(theme)
    losses = report_of(snapshot).losses
    strange = losses.copy()
    strange[:5] = math.inf, 0.0, 1e-30, 1e30, losses[0]
    many = np.abs(np.random.default_rng(0).standard_normal(5000))
    states = (
        report_of(snapshot),
        report_of(snapshot, children=None, elite=0, success=math.nan, best_parents=(math.nan, math.nan)),
        report_of(snapshot, losses=strange, best_parents=(math.inf, 0.5)),
        report_of(snapshot, losses=np.full(4, 0.3), children=None, best=3),
        report_of(snapshot, losses=np.zeros(4), children=None, best=0),
        report_of(snapshot, losses=many, best=int(many.argmin()), children=np.ones(5000, np.int16)),
    )
    for report in states:
        panel.show_snapshot(msgspec.structs.replace(snapshot, lab=report))
        panel.grab()
        picture(panel, width, 700)
        assert len(panel.table().rows) == len(report.losses)
        assert panel.accessibleDescription()


def test_a_dot_stands_above_its_loss_and_on_no_other() -> None:
    losses = np.array([0.1, 0.1, 0.1, 0.5, 2.0])
    axis = Axis.of(losses, ())
    assert (10**axis.low, 10**axis.high) == pytest.approx((0.1, 2.0))
    places = places_of(losses, axis, QRectF(0, 0, 300, 180))
    assert len({place.x() for place in places[:3]}) == 1
    assert places[0].y() > places[1].y() > places[2].y()
    assert places[0].x() < places[3].x() < places[4].x()
    assert all(0 <= place.y() <= 180 for place in places_of(np.full(5000, 0.3), axis, QRectF(0, 0, 300, 180)))


def test_it_is_said_where_the_best_comes_from(snapshot: Snapshot) -> None:
    first = report_of(snapshot, elite=0, best_parents=(math.nan, math.nan))
    assert "drawn around the first net" in said(first)[0]
    assert "passed on unchanged" in said(report_of(snapshot, elite=2, best_parents=(math.nan, math.nan)))[0]
    assert "a mutation of a net with 0.50" in said(report_of(snapshot, best_parents=(0.5, 0.5)))[0]
    assert "a child of two nets with 0.50 and 0.60" in said(report_of(snapshot, best_parents=(0.5, 0.6)))[0]
    assert [figure.captions[0] for figure in figures(report_of(snapshot, success=0.3))][1] == "it grows"
    assert [figure.captions[0] for figure in figures(report_of(snapshot, success=0.1))][1] == "it shrinks"


def test_without_a_population_evolution_is_offered(qtbot: QtBot) -> None:
    plain = Experiment(SPEC.replace("training.method", "gradient"))
    plain.advance()
    panel = shown(qtbot, PopulationPanel, plain.measure(Look(lab="population")))
    assert "no population" in panel.accessibleDescription()
    with qtbot.waitSignal(panel.evolution_wanted):
        panel._switch.click()


def test_the_band_of_the_population_is_on_the_timeline(qtbot: QtBot, snapshot: Snapshot) -> None:
    panel = shown(qtbot, TimelinePanel, snapshot, 976, 282)
    assert snapshot.history is not None
    with_band = picture(panel, 976, 282)
    panel.show_snapshot(msgspec.structs.replace(snapshot, history=msgspec.structs.replace(snapshot.history, population=None)))
    assert picture(panel, 976, 282) != with_band
    table = timeline_table(snapshot.history, None, [info.name for info in snapshot.architecture.layers])
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert snapshot.history.population is not None
    assert table.rows[-1][table.columns.index("sigma")] == snapshot.history.population[-1, 3]
    assert "sigma" not in timeline_table(msgspec.structs.replace(snapshot.history, population=None), None, []).columns


def test_weights_are_seen_where_no_gradient_is(qtbot: QtBot, snapshot: Snapshot) -> None:
    canvas = shown(qtbot, NetworkCanvas, snapshot, 900, 400)
    canvas.show_legend = False
    evolved = picture(canvas, 900, 400)
    by_gradient = snapshot.spec.replace("training.method", "gradient")
    canvas.show_snapshot(msgspec.structs.replace(snapshot, spec=by_gradient))
    dark = QColor(THEMES["dark"].canvas)

    def drawn(image: QImage) -> int:
        return sum(image.pixelColor(x, y) != dark for x in range(0, 900, 3) for y in range(0, 400, 3))

    assert drawn(evolved) > 1.5 * drawn(picture(canvas, 900, 400))


def test_the_phases_of_a_generation_have_words(qtbot: QtBot, snapshot: Snapshot) -> None:
    strip, status = PhaseStrip(), StatusBar()
    qtbot.addWidget(strip)
    qtbot.addWidget(status)
    strip.show_spec(SPEC)
    for done, kind in enumerate(GENERATION, 1):
        moment = Moment(13, kind, 0, done, 4, 4, GENERATION[done % 4])
        strip.show_moment(moment)
        assert strip.phase == kind.capitalize()
        assert kind.capitalize() in caption(snapshot, moment)
        assert next_phase(moment, clips=False).split()[0] == GENERATION[done % 4]
    strip.grab()
    assert next_phase(moment, clips=False) == "evaluate generation 14"
    status.show_snapshot(snapshot, 60.0)
    assert status.step.accessibleName() == "Generation 12"
    assert status.sigma.value.endswith("succeed")
    plain = Experiment(SPEC.replace("training.method", "gradient")).step()
    status.show_snapshot(plain, 60.0)
    assert status.step.accessibleName() == "Step 1"
    assert status.sigma.isHidden()


def test_no_update_is_promised(snapshot: Snapshot) -> None:
    assert snapshot.chain is not None
    assert update_words(snapshot.chain).startswith("No update follows")


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return trained(qtbot, SPEC, 12, motion="full")


def test_the_keys_walk_through_a_generation_and_back(qtbot: QtBot, window: MainWindow) -> None:
    assert window.run.snapshot is not None
    step = window.run.snapshot.step
    vector = window.run.snapshot.details

    def at(kind: str) -> None:
        qtbot.waitUntil(
            lambda: window.run.snapshot is not None and window.run.snapshot.moment is not None and window.run.snapshot.moment.kind == kind,
            timeout=PATIENCE,
        )

    for kind in GENERATION:
        qtbot.keyClick(window, Qt.Key.Key_Right)
        at(kind)
    assert window.run.snapshot.step == step + 1
    for kind in reversed(GENERATION[:-1]):
        qtbot.keyClick(window, Qt.Key.Key_Left)
        at(kind)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.moment is None, timeout=PATIENCE)
    assert window.run.snapshot.step == step
    assert vector is not None
    assert window.run.snapshot.details is not None
    assert np.array_equal(window.run.snapshot.details.edge_weights, vector.edge_weights)
    window.step_phase()
    at("evaluate")
    window.back_phase()
    qtbot.waitUntil(lambda: window.run.snapshot is not None and window.run.snapshot.moment is None, timeout=PATIENCE)
    window.show_lab("population")
    qtbot.waitUntil(
        lambda: window.run.snapshot is not None and isinstance(window.run.snapshot.lab, PopulationReport), timeout=PATIENCE
    )


def test_a_figure_tells_the_method() -> None:
    trained = stamp_lines(SPEC)[1]
    assert trained.startswith("Genetic algorithm, population 40, first σ 0.3")
    assert "learning rate" not in trained


def test_a_loss_far_below_anything_learnt_does_not_take_the_whole_axis() -> None:
    axis = Axis.of(np.array([1e-45, 1e-40, 0.5, 2.0]), (0.69,))
    assert axis.low == pytest.approx(-9.0)
    assert axis.share(1e-45) == 0.0
    assert 0.5 < axis.share(0.69) < 1.0


def test_the_heading_of_a_figure_tells_of_the_population(snapshot: Snapshot) -> None:
    title, sentence = measured_heading(snapshot)
    assert "population" in title
    assert "after 12 generations" in sentence
    assert sentence.endswith("in layer 1 is exactly 0.")
