"""The timeline: the heatmap says what the history holds, spikes and NaN are never lost, and pointing tells exact numbers."""

import math

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Snapshot
from tests.ui.painted import picture
from ui import colors
from ui.panels.heatmap import heatmap_levels, striped_path
from ui.panels.loss_plot import LossPlot, loss_axis
from ui.panels.timeline import TimelinePanel
from ui.selection import Selection
from ui.theme import THEMES

from .fabricate import fabricate


def history(loss, gradients=None, steps=None, test=()) -> HistoryTable:
    loss = np.asarray(loss, float)
    rows = len(loss)
    return HistoryTable(
        steps=np.arange(1, rows + 1) if steps is None else np.asarray(steps),
        loss=loss,
        loss_low=loss,
        loss_high=loss,
        gradient_rms=np.full((rows, 2), 1e-3) if gradients is None else np.asarray(gradients, float),
        total_norms=np.ones((rows, 2)),
        test_steps=np.array([step for step, _ in test], np.int64),
        test_loss=np.array([value for _, value in test], float),
    )


def with_history(table: HistoryTable, snapshot: Snapshot | None = None) -> Snapshot:
    snapshot = snapshot or fabricate(depth=table.gradient_rms.shape[1] - 1)
    return msgspec.structs.replace(snapshot, step=int(table.steps[-1]), history=table)


@pytest.fixture
def panel(qtbot: QtBot) -> TimelinePanel:
    made = TimelinePanel()
    qtbot.addWidget(made)
    made.resize(976, 282)
    return made


STATES = [
    fabricate(),
    fabricate(kind="nan"),
    fabricate(kind="exploding"),
    fabricate(details=False),
    fabricate(depth=1),
    fabricate(depth=300, width=2),
    with_history(history([0.7])),
    with_history(history([math.nan], [[math.nan, math.nan]])),
    with_history(history([0.0, 0.0])),
    with_history(history([1e200, 1e308, math.inf])),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(976, 282), (240, 132), (2000, 700)])
@pytest.mark.parametrize("snapshot", STATES)
def test_every_state_is_picture(panel: TimelinePanel, snapshot, size, theme) -> None:
    panel.set_theme(THEMES[theme])
    panel.show_snapshot(snapshot)
    image = picture(panel, *size)
    assert len({image.pixel(x, y) for x in range(0, size[0], 3) for y in range(0, size[1], 3)}) > 3


def test_a_row_fills_the_steps_up_to_its_own() -> None:
    table = history([1, 1, 1], [[1e-1, 1e-2], [1e-3, 1e-4], [1e-5, 1e-6]], steps=[1, 3, 4])
    levels = heatmap_levels(table, last_step=8, width=8, height=2)
    assert levels.tolist() == colors.levels(np.array([[1e-1, 1e-3, 1e-3, 1e-5], [1e-2, 1e-4, 1e-4, 1e-6]])).tolist()


def test_where_many_share_a_pixel_the_largest_is_shown_and_nan_beats_all() -> None:
    rng = np.random.default_rng(0)
    sizes = 10 ** rng.uniform(-8, -1, (2000, 1000))
    sizes[1234, 567] = 10.0
    sizes[777, 3] = math.nan
    levels = heatmap_levels(history(np.ones(2000), sizes), last_step=2000, width=200, height=50)
    assert levels.shape == (50, 200)
    assert levels[567 * 50 // 1000, 123] == colors.level(10.0)
    assert levels[0, 77] == colors.NONFINITE
    assert (levels == colors.NONFINITE).sum() == 1


def test_zero_stays_apart_from_small() -> None:
    levels = heatmap_levels(history([1, 1], [[0.0, 1e-12], [0.0, 1e-12]]), 2, 2, 2)
    assert levels.tolist() == [[colors.ZERO] * 2, [0] * 2]


def test_a_single_step_that_is_not_finite_is_wide_enough_to_be_seen() -> None:
    levels = np.zeros((3, 500), np.uint8)
    levels[1, 250] = colors.NONFINITE
    box = striped_path(levels, QRectF(0, 0, 500, 30), 500).boundingRect()
    assert (box.left(), box.top(), box.width(), box.height()) == (250, 10, 6, 10)


def test_the_loss_axis_is_linear_until_two_decades() -> None:
    assert [label for _, label in loss_axis(history([0.7, 0.69]), 0.693, 40).ticks] == ["0", "0.5", "1"]
    wide = loss_axis(history([1.0, 1e-3]), None, 80)
    assert wide.logarithmic
    assert wide.ticks[0][0] == pytest.approx(1e-3)
    assert loss_axis(None, None, 40).ticks  # nothing yet


def test_a_spike_leaves_the_plot_instead_of_flattening_the_rest() -> None:
    losses = np.full(500, 0.7)
    losses[250] = 40.0
    axis = loss_axis(history(losses), None, 40)
    assert axis.high < 2.0
    plot = LossPlot(history(losses), None, QRectF(0, 0, 500, 40), 500)
    assert plot._spikes == pytest.approx([251.0], abs=2.0)


def test_nan_ends_the_curve_where_it_begins() -> None:
    plot = LossPlot(history([0.7, 0.8, math.nan, math.nan]), None, QRectF(0, 0, 400, 40), 4)
    assert plot.failed_at == 300.0
    assert [point.x() for point in plot._train[0]] == [100.0, 200.0]
    assert len(plot._train) == 1


def test_the_heatmap_has_the_colours_of_the_scale(panel: TimelinePanel) -> None:
    gradients = np.tile([1e-6, 1e-1], (100, 1))
    panel.show_snapshot(with_history(history(np.full(100, 0.7), gradients)))
    frame = panel._frame(QRectF(0, 0, 976, 282))
    image = picture(panel)
    for layer, value in ((1, 1e-6), (2, 1e-1)):
        y = round(frame.heat.top() + (layer - 0.5) * frame.row)
        assert image.pixelColor(round(frame.x(50)), y) == colors.color(colors.level(value), panel.theme)


def test_a_click_on_a_name_selects_its_layer_and_frames_it(panel: TimelinePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(fabricate())
    panel.show()
    frame = panel._frame(QRectF(panel.rect()))
    with qtbot.waitSignal(panel.layer_selected) as said:
        qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=QPoint(120, round(frame.heat.top() + 2.5 * frame.row)))
    assert said.args == [3]
    panel.select(Selection("edge", 3))
    edge = QPoint(round(frame.heat.right()) - 30, round(frame.heat.top() + 2 * frame.row))
    assert picture(panel).pixelColor(edge).lightness() > QColor(panel.theme.ink1).lightness() * 0.6


def test_pointing_draws_a_card_that_exports_do_not_have(panel: TimelinePanel, qtbot: QtBot) -> None:
    table = msgspec.structs.replace(fabricate().history, changes=((100, "activation: ReLU"),))
    panel.show_snapshot(with_history(table, fabricate()))
    panel.show()
    frame = panel._frame(QRectF(panel.rect()))
    before, plain = picture(panel), panel.grab().toImage()
    for place in (QPoint(round(frame.x(200)), 150), QPoint(round(frame.x(100)) + 3, round(frame.loss.top()) - 6)):
        qtbot.mouseMove(panel, place)
        qtbot.waitUntil(lambda: panel.grab().toImage() != plain)
    assert picture(panel) == before


def test_the_table_has_a_row_per_history_row_and_loses_no_test_loss(panel: TimelinePanel) -> None:
    table = history([0.7, 0.6, 0.5], steps=[1, 3, 5], test=[(0, 0.9), (4, 0.8)])
    panel.show_snapshot(with_history(table))
    numbers = panel.table()
    rows = [dict(zip(numbers.columns, row, strict=True)) for row in numbers.rows]
    assert [row["step"] for row in rows] == [1, 3, 5]
    assert [(row["test_step"], row["test_loss"]) for row in rows] == [(0, 0.9), (None, None), (4, 0.8)]
    assert rows[0]["gradient_rms_L1"] == 1e-3


def test_a_snapshot_without_history_keeps_the_one_there_is(panel: TimelinePanel) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    panel.show_snapshot(msgspec.structs.replace(snapshot, history=None))
    assert len(panel.table().rows) == len(snapshot.history.steps)
    panel.clear()
    assert panel.table().rows == ()
