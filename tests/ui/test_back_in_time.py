"""Back in time on the timeline: the scrubber asks for steps, what lies ahead is greyed, and the line before a branch stays in sight."""

import math

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Ghost, Moment, Snapshot
from tests.ui.painted import picture
from ui import colors
from ui.panels.heatmap import faded_palette
from ui.panels.loss_plot import LossPlot, loss_axis
from ui.panels.timeline import TimelinePanel
from ui.panels.timeline_numbers import card_at
from ui.theme import THEMES

from .fabricate import fabricate

LAYERS = 11


def history(steps: int, loss: float = 0.7, stride: int = 1) -> HistoryTable:
    """A flat line of so many steps, thinned, its newest step always there."""
    rows = np.unique(np.append(np.arange(1, steps + 1, stride), steps))
    losses = np.full(len(rows), loss)
    return HistoryTable(rows, losses, losses, losses, np.full((len(rows), LAYERS), 1e-3), np.ones((len(rows), 2)), rows[:0], losses[:0], ())


def at_step(step: int, last: int, ghost: Ghost | None = None, table: HistoryTable | None = None) -> Snapshot:
    return msgspec.structs.replace(fabricate(), step=step, last_step=last, history=table or history(last), ghost=ghost)


@pytest.fixture
def panel(qtbot: QtBot) -> TimelinePanel:
    made = TimelinePanel()
    qtbot.addWidget(made)
    made.resize(976, 282)
    made.show_snapshot(at_step(500, 500))
    made.show()
    return made


def reach_by_tab(panel: TimelinePanel) -> None:
    QApplication.sendEvent(panel, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason))


@pytest.fixture
def wanted(panel: TimelinePanel) -> list[int]:
    steps: list[int] = []
    panel.step_wanted.connect(steps.append)
    return steps


def place(panel: TimelinePanel, step: float, part: str) -> QPoint:
    frame = panel._frame(QRectF(panel.rect()))
    y = {"loss": frame.loss.center().y(), "heat": frame.heat.top() + 2.5 * frame.row, "axis": frame.heat.bottom() + 25}[part]
    return QPoint(round(frame.x(step)), round(y))


def drag(qtbot: QtBot, panel: TimelinePanel, start: QPoint, *ways: QPoint) -> None:
    qtbot.mousePress(panel, Qt.MouseButton.LeftButton, pos=start)
    for way in ways:
        qtbot.mouseMove(panel, way)
    qtbot.mouseRelease(panel, Qt.MouseButton.LeftButton, pos=ways[-1] if ways else start)


@pytest.mark.parametrize("part", ["loss", "axis"])
def test_a_click_asks_for_the_step_under_it(panel: TimelinePanel, wanted: list[int], qtbot: QtBot, part: str) -> None:
    qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=place(panel, 120, part))
    assert wanted == [pytest.approx(120, abs=1)]
    qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=place(panel, 120, part))
    assert len(wanted) == 1  # it is already going there


def test_a_click_on_a_row_selects_its_layer_and_a_drag_over_it_scrubs(panel: TimelinePanel, wanted: list[int], qtbot: QtBot) -> None:
    start = place(panel, 100, "heat")
    with qtbot.waitSignal(panel.layer_selected) as said:
        drag(qtbot, panel, start, start + QPoint(3, 0))
    assert said.args == [3]
    assert wanted == []
    with qtbot.assertNotEmitted(panel.layer_selected):
        drag(qtbot, panel, start, start + QPoint(6, 0), place(panel, 300, "heat"))
    assert wanted[-1] == pytest.approx(300, abs=1)


def test_scrubbing_stays_between_the_first_and_the_last_step(panel: TimelinePanel, wanted: list[int], qtbot: QtBot) -> None:
    drag(qtbot, panel, place(panel, 300, "loss"), place(panel, -400, "loss"), place(panel, 900, "loss"))
    assert wanted[1:] == [0, 500]


def test_the_scrubber_does_not_jump_when_it_is_taken_by_its_side(panel: TimelinePanel, wanted: list[int], qtbot: QtBot) -> None:
    frame = panel._frame(QRectF(panel.rect()))
    grip = frame.grip(500).center().toPoint() + QPoint(-4, 0)
    qtbot.mousePress(panel, Qt.MouseButton.LeftButton, pos=grip)
    assert wanted == []
    qtbot.mouseMove(panel, grip - QPoint(50, 0))
    away = 50 / frame.heat.width() * frame.span
    assert wanted == [pytest.approx(500 - away, abs=1)]
    assert panel.cursor().shape() == Qt.CursorShape.SplitHCursor


def test_the_scrubber_goes_ahead_and_the_run_follows(panel: TimelinePanel, qtbot: QtBot) -> None:
    still = panel.grab().toImage()
    qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=place(panel, 120, "axis"))
    target = panel._target
    assert target is not None
    going = panel.grab().toImage()
    assert going != still
    assert picture(panel) == picture(panel)
    panel.show_snapshot(at_step(300, 500))  # one that was asked for before
    assert panel._target == target
    panel.show_snapshot(at_step(target, 500))
    assert panel._target is None


def test_without_an_answer_the_scrubber_comes_back(panel: TimelinePanel, qtbot: QtBot) -> None:
    panel._patience.setInterval(10)
    qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=place(panel, 120, "axis"))
    qtbot.waitUntil(lambda: panel._target is None)


@pytest.mark.parametrize(
    ("key", "modifier", "step"),
    [
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 199),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 201),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 190),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 210),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 150),
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 250),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 500),
    ],
)
def test_keys_move_the_scrubber(panel: TimelinePanel, wanted: list[int], qtbot: QtBot, key, modifier, step) -> None:
    panel.show_snapshot(at_step(200, 500))
    reach_by_tab(panel)
    qtbot.keyClick(panel, key, modifier)
    assert wanted == [step]


def test_keys_add_up_while_the_run_is_on_its_way_and_stop_at_the_ends(panel: TimelinePanel, wanted: list[int], qtbot: QtBot) -> None:
    reach_by_tab(panel)
    for _ in range(3):
        qtbot.keyClick(panel, Qt.Key.Key_Left)
    assert wanted == [499, 498, 497]
    panel.show_snapshot(at_step(497, 500))
    qtbot.keyClick(panel, Qt.Key.Key_End)
    qtbot.keyClick(panel, Qt.Key.Key_Right)
    assert wanted[3:] == [500]


def test_inside_a_step_left_is_its_beginning(panel: TimelinePanel, wanted: list[int], qtbot: QtBot) -> None:
    moment = Moment(501, "backward", 4, 17, 24, LAYERS, "backward", 3)
    panel.show_snapshot(msgspec.structs.replace(at_step(500, 500), moment=moment))
    reach_by_tab(panel)
    qtbot.keyClick(panel, Qt.Key.Key_Right)  # there is no step 501 yet
    assert wanted == []
    qtbot.keyClick(panel, Qt.Key.Key_Left)
    assert wanted == [500]


def test_nothing_is_asked_for_where_it_is_not_offered(panel: TimelinePanel, wanted: list[int], qtbot: QtBot) -> None:
    panel.scrubbing_enabled = False
    drag(qtbot, panel, place(panel, 300, "loss"), place(panel, 100, "loss"))
    qtbot.keyClick(panel, Qt.Key.Key_Left)
    with qtbot.waitSignal(panel.layer_selected):
        qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=place(panel, 100, "heat"))
    panel.scrubbing_enabled = True
    panel.show_snapshot(fabricate(details=False))  # nothing has run yet
    panel.clear()
    drag(qtbot, panel, QPoint(300, 50), QPoint(500, 50))
    assert wanted == []


def test_where_the_run_stands_is_said(panel: TimelinePanel) -> None:
    panel.show_snapshot(at_step(120, 500))
    assert panel.accessibleName() == "Timeline"
    assert panel.accessibleDescription().startswith("Step 120 of 500.")
    assert panel._captions(None)[0] == "step 120 of 500: Play starts a branch from here"


def test_what_lies_ahead_is_grey_and_what_lies_behind_keeps_its_colour(panel: TimelinePanel) -> None:
    panel.show_snapshot(at_step(120, 500))
    image, level = picture(panel), colors.level(1e-3)
    assert image.pixelColor(place(panel, 60, "heat")) == colors.color(level, panel.theme)
    assert image.pixelColor(place(panel, 300, "heat")) == QColor.fromRgb(int(faded_palette(panel.theme)[level]))


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_greys_keep_the_order_of_the_magnitudes_and_nan_keeps_its_mark(theme) -> None:
    faded = faded_palette(theme)
    contrast = [abs(QColor.fromRgb(int(color)).lightness() - QColor(theme.canvas).lightness()) for color in faded[: colors.LEVELS : 40]]
    assert contrast == sorted(contrast)
    channels = np.stack([(faded[: colors.LEVELS] >> shift) & 0xFF for shift in (16, 8, 0)]).astype(int)
    assert np.ptp(channels, axis=0).max() <= 32
    assert faded[colors.NONFINITE] == colors.palette(theme)[colors.NONFINITE]


def test_the_axis_spans_both_lines_and_the_heatmap_shows_the_present_one(panel: TimelinePanel) -> None:
    panel.show_snapshot(at_step(200, 200, Ghost(120, history(500))))
    frame = panel._frame(QRectF(panel.rect()))
    assert frame.span >= 500
    assert picture(panel).pixelColor(place(panel, 300, "heat")) == QColor(panel.theme.canvas)


def test_the_line_before_the_branch_begins_at_the_branch() -> None:
    area = QRectF(0, 0, 500, 40)
    plot = LossPlot(history(200), None, area, 500, Ghost(120, history(500, loss=0.5)))
    assert plot._before[0][0].x() == pytest.approx(120, abs=1.5)
    assert plot._before[0][-1].x() == 500
    assert plot.before_end == plot.y(0.5)


def test_an_exploded_line_does_not_flatten_the_one_that_was_cured() -> None:
    exploded = np.array([0.7, 0.9, 1e30, math.inf, math.nan])
    assert loss_axis(history(200), None, 40, exploded).high == loss_axis(history(200), None, 40).high
    assert loss_axis(history(200), None, 40, np.full(300, 1.4)).high > 1.3


def test_a_line_that_ended_in_nan_is_drawn_up_to_there_and_named_so() -> None:
    losses = np.array([0.7, 0.7, 1e9, math.nan])
    old = msgspec.structs.replace(history(4), loss=losses)
    plot = LossPlot(history(3), None, QRectF(0, 0, 500, 40), 5, Ghost(1, old))
    assert [[point.x() for point in curve] for curve in plot._before] == [[100, 200, 300]]
    assert plot.before_failed
    assert plot._before_leaves == 300
    assert plot.before_end == 0  # at the top, where it left the plot


def test_the_fork_and_the_old_line_tell_what_they_are(panel: TimelinePanel) -> None:
    ghost = Ghost(120, history(500, loss=0.5))
    snapshot = at_step(200, 200, ghost)
    panel.show_snapshot(snapshot)
    frame = panel._frame(QRectF(panel.rect()))
    table = snapshot.history
    fork = card_at(frame, QPointF(frame.x(120) + 4, frame.heat.bottom() + 8), table, ghost, snapshot.architecture)
    assert (fork.title, fork.rows) == ("Branch from step 120", [("the old line ran to step 500", "")])
    both = dict(card_at(frame, QPointF(frame.x(150), frame.loss.center().y()), table, ghost, snapshot.architecture).rows)
    assert both["loss"] == "0.7"
    assert [value for label, value in both.items() if label.startswith("before the branch")] == ["0.5"]
    shared = dict(card_at(frame, QPointF(frame.x(50), frame.loss.center().y()), table, ghost, snapshot.architecture).rows)
    assert not any(label.startswith("before") for label in shared)
    alone = card_at(frame, QPointF(frame.x(400), frame.loss.center().y()), table, ghost, snapshot.architecture)
    assert alone.title == "The line before the branch"
    assert alone.step is None


def test_the_table_holds_both_lines(panel: TimelinePanel) -> None:
    panel.show_snapshot(at_step(200, 200, Ghost(120, history(500, stride=7))))
    lines = [(row[0], row[1]) for row in panel.table().rows]
    assert [step for line, step in lines if line == "now"] == list(range(1, 201))
    old = [step for line, step in lines if line == "before the branch"]
    assert old[0] > 120
    assert old[-1] == 500


def test_the_same_old_line_is_not_drawn_anew_with_every_snapshot(panel: TimelinePanel) -> None:
    table = history(200)
    panel.show_snapshot(at_step(200, 200, Ghost(120, history(500)), table))
    picture(panel)
    kept = panel.picture.kept
    panel.show_snapshot(at_step(200, 200, Ghost(120, history(500)), table))
    picture(panel)
    assert panel.picture.kept is kept
    panel.show_snapshot(at_step(200, 200, Ghost(120, history(500, loss=0.4)), table))
    picture(panel)
    assert panel.picture.kept is not kept


GHOSTS = [None, Ghost(120, history(500)), Ghost(3, history(5)), Ghost(0, history(2000, stride=2)), Ghost(120, history(400, loss=math.nan))]


@pytest.mark.parametrize("size", [(976, 282), (240, 132), (2000, 700)])
@pytest.mark.parametrize("ghost", GHOSTS)
@pytest.mark.parametrize(("step", "last"), [(0, 500), (3, 3), (120, 500), (499, 500)])
def test_every_state_is_picture(panel: TimelinePanel, size, ghost, step, last) -> None:
    panel.show_snapshot(at_step(step, last, ghost))
    image = picture(panel, *size)
    assert len({image.pixel(x, y) for x in range(0, size[0], 3) for y in range(0, size[1], 3)}) > 3


def test_losses_from_the_least_to_the_largest_number_have_an_axis() -> None:
    rows = np.array([1, 2])
    table = msgspec.structs.replace(history(2), loss=np.array([1e-300, 1e300]), steps=rows)
    assert loss_axis(table, None, 120.0).logarithmic


def test_inside_a_step_the_heading_tells_that_step_as_the_status_bar_does(panel: TimelinePanel) -> None:
    def caption(done: int, last: int) -> str:
        moment = Moment(done + 1, "backward", 4, 17, 24, LAYERS, "backward", 3)
        panel.show_snapshot(msgspec.structs.replace(at_step(done, last), moment=moment))
        return panel._captions(None)[0]

    assert caption(500, 500) == "inside step 501"
    assert caption(499, 500) == "inside step 500 of 500"  # playing on goes on with the same line
    assert caption(300, 500) == "inside step 301 of 500: Play finishes it and starts a branch"
