"""The hardware view: what it says of speeds, plateau, time and underflow, what it asks for, and the whole way through the real window."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradviz.hardware import FACTORS, underflows
from gradviz.hardware_report import with_speeds
from gradviz.lab_reports import HardwareReport, Speed
from gradviz.snapshot import Failure, Moment, Snapshot
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.ui.fabricate import fabricate
from tests.ui.hand import type_into
from tests.ui.live import PATIENCE, opened
from tests.ui.painted import pixels
from tests.ui.test_lab_panels import said, shown
from ui.main_window import MainWindow
from ui.panels import hardware_words as words
from ui.panels.hardware import HardwarePanel
from ui.panels.underflow_bars import MOST
from ui.theme import THEMES

SPEEDS = (Speed("float64", 1, 8000.0), Speed("float64", 2, 4000.0), Speed("float32", 1, 9600.0), Speed("float32", 2, 4800.0))


def report(depth: int = 10, speeds: tuple[Speed, ...] = SPEEDS, measuring: float | None = None, **changes: Any) -> HardwareReport:
    """A net whose gradient falls by a factor of ten for each layer going back, from 0.01 at the output."""
    sizes = 10.0 ** -np.arange(depth + 2.0, 1.0, -1.0)
    gradients = [np.full(50, size) for size in sizes]
    known: dict[str, Any] = dict(
        loss=0.62,
        steps_needed=9600,
        guessing=0.69,
        left=0.62,
        plateau=9600,
        lowest=0.31,
        steps=20_000,
        factors=np.array(FACTORS),
        names=(*(f"L{n}" for n in range(1, depth + 1)), "Out"),
        known=(True,) * (depth + 1),
        rms=sizes,
        underflows=underflows(gradients),
        looked_at=1,
    )
    return with_speeds(HardwareReport(**(known | changes)), speeds, measuring)


def moment(lab: HardwareReport | None = None, depth: int = 10, **changes: Any) -> Snapshot:
    return msgspec.structs.replace(fabricate(depth=depth, kind="healthy"), lab=lab or report(depth), **changes)


NOTHING = msgspec.structs.replace(
    report(speeds=(), plateau=None, steps_needed=None, steps=0, lowest=math.nan, rms=np.full(11, math.nan), guessing=None, loss=math.nan),
    seconds=None,
    known=(False,) * 11,
    underflows=underflows([np.full(5, math.nan)] * 11),
)
STATES = [
    moment(),
    moment(report(speeds=())),
    moment(report(speeds=SPEEDS[:1], measuring=0.1)),
    moment(report(plateau=None, steps_needed=None)),
    moment(report(plateau=1, steps_needed=1)),
    moment(report(steps_needed=10**15)),
    moment(report(speeds=(Speed("float64", 1, 1e-3),))),
    moment(report(200), 200),
    moment(report(looked_at=7)),
    moment(report(plateau=None, steps_needed=None), failure=Failure(412, 3, "L3", "backward")),
    moment(report(rms=np.full(11, math.nan), underflows=underflows([np.full(5, math.inf)] * 11))),
    moment(report(rms=np.zeros(11), underflows=underflows([np.zeros(5)] * 11))),
    moment(report(known=(False,) * 5 + (True,) * 6), moment=Moment(413, "backward", 6, 20, 30, 11)),
    moment(NOTHING, step=0, details=None, history=None),
]


@pytest.mark.parametrize("snapshot", STATES)
def test_every_state_is_drawn_at_any_width_in_both_themes(qtbot: QtBot, snapshot: Snapshot) -> None:
    panel = shown(qtbot, HardwarePanel, snapshot)
    panel.choose_exponent(32)
    for theme in THEMES.values():
        panel.set_theme(theme)
        for width in (260, 360, 900):
            panel.resize(width, 600)
            assert not panel.grab().isNull()
            used = [block for block in panel.blocks if block.used]
            assert all(block.geometry().right() < width for block in used)
        assert len(np.unique(pixels(panel, 360, 1400))) > 10
    assert panel.accessibleDescription()
    table = panel.table()
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_without_a_report_it_says_so(qtbot: QtBot) -> None:
    panel = HardwarePanel()
    qtbot.addWidget(panel)
    assert "Not measured yet" in panel.accessibleDescription()
    panel.show_snapshot(moment())
    assert panel.table().rows
    panel.clear()
    assert panel.table().rows == ()


def test_measured_speeds_are_compared_and_the_button_measures(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment(report(speeds=())))
    assert "Steps per second not measured" in said(panel)
    assert "as many" not in said(panel)
    with qtbot.waitSignal(panel.measure_wanted):
        panel._measure.click()
    assert not panel._measure.isEnabled()
    panel.show_snapshot(moment(report(speeds=SPEEDS[:2], measuring=0.3)))
    assert panel._measure.text() == "Measuring 30 %"
    assert "In float64 2 threads make 0.50\N{NO-BREAK SPACE}× as many as one does." in said(panel)
    assert "float32" not in panel._compared.accessibleName()  # not measured yet
    panel.show_snapshot(moment())
    assert panel._measure.isEnabled()
    assert "In float32 this net makes 1.2\N{NO-BREAK SPACE}× as many steps per second as in float64." in said(panel)
    assert words.compared(report(speeds=(SPEEDS[0], Speed("float32", 1, 8100.0)))) == (
        "In float32 this net makes about as many steps per second as in float64.",
    )


def test_the_time_is_that_of_the_fastest_setting_and_speed_changes_nothing_about_the_steps(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment())
    spoken = panel.accessibleDescription()
    assert "took 9,600 steps until the loss was at most 0.62" in spoken
    assert "has to make the same 9,600 steps" in spoken
    assert "With float32, 1 thread they take 1.0 s on this machine, and 1.0 ms on one 1,000 × as fast." in spoken
    assert "float64, 2 threads: 2.4 s here, 2.4 ms at the right" in said(panel)
    assert ("seconds_to_loss", None, "float32", 1, 1000.0, None, pytest.approx(0.001)) in panel.table().rows


def test_a_loss_that_was_not_reached_has_no_time(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment(report(plateau=None, steps_needed=None, loss=0.1)))
    spoken = panel.accessibleDescription()
    assert "no speed helps" in spoken
    assert "cannot be told while the run is on it" in spoken
    assert "how much longer no measurement tells" in spoken
    assert "at least" in said(panel)
    assert not any(row[0] == "seconds_to_loss" for row in panel.table().rows)
    failed = moment(report(plateau=None, steps_needed=None), failure=Failure(412, 3, "L3", "backward"))
    panel.show_snapshot(failed)
    assert "in step 412 a number stopped being finite" in panel.accessibleDescription()


def test_a_loss_is_chosen_typed_or_the_usual_one_and_forgotten_with_its_task(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment(report(loss=0.3)))
    edit = panel._loss.edit
    with qtbot.waitSignal(panel.loss_wanted) as wanted:
        type_into(edit, "0,05")
    assert wanted.args == [0.05]
    with qtbot.assertNotEmitted(panel.loss_wanted):
        type_into(edit, "-1")
    assert edit.text() == "0.3"
    with qtbot.waitSignal(panel.loss_wanted) as wanted:
        panel._left.click()
    assert wanted.args == [None]
    panel.choose_loss(0.05)
    with qtbot.waitSignal(panel.loss_wanted) as wanted:
        panel.show_snapshot(moment(report(), loss_name="mse"))
    assert wanted.args == [None]


def test_scaling_rescues_what_was_too_small_and_changes_nothing_about_its_size(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment())  # L1's components are 1e-12, those of the output layer 1e-2
    assert "In float16 100 % of L1’s components become exactly 0 and update nothing, of Out’s 0 %." in said(panel)
    panel._scale.slider.setValue(5)
    assert panel._scale_text.text() == "2²⁰"
    text = said(panel)
    assert "With the loss multiplied by 2²⁰ it is 0 % of L1’s." in text
    assert "it is stored now, but as small as before, and nothing learns faster by it" in text
    assert "too large" not in panel._lost.accessibleName()
    panel.choose_exponent(24)
    assert "100 % of Out’s become too large for float16: the step is lost" in panel._lost.accessibleName()
    panel.choose_exponent(0)
    panel._format.button("float32").click()
    assert "In float32 nothing of this gradient becomes 0." in said(panel)


def test_what_is_not_known_or_not_finite_is_not_called_lost() -> None:
    known = (False,) * 3 + (True,) * 8
    assert words.underflow(report(known=(False,) * 11), "float16", 0) == ("No gradient is known yet.",)
    assert "of L4’s" in words.underflow(report(known=known), "float16", 0)[0]
    late = (False,) * 9 + (True,) * 2
    assert words.underflow(report(known=late), "float16", 0) == ("In float16 nothing of what is known of this gradient becomes 0.",)
    bad = report(rms=np.full(11, math.nan), underflows=underflows([np.full(5, math.nan)] * 11))
    assert "not finite already" in words.underflow(bad, "float16", 0)[0]
    zero = report(rms=np.zeros(11), underflows=underflows([np.zeros(5)] * 11))
    assert "exactly 0 already" in words.underflow(zero, "float16", 0)[0]


def test_a_deep_net_shows_its_first_and_last_layers(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment(report(200), 200))
    rows = panel._bars._rows()
    assert len(rows) == MOST + 1
    assert (rows[0], rows[-1]) == (0, 200)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (4.2e-7, "420 ns"),
        (0.0035, "3.5 ms"),
        (0.35, "350 ms"),
        (1.0, "1.0 s"),
        (75.0, "1.2 min"),
        (7200.0, "2.0 h"),
        (86400.0, "1.0 day"),
        (40 * 86400.0, "40 days"),
        (3e9, "95 years"),
        (math.inf, "for ever"),
    ],
)
def test_times_have_units_that_people_use(seconds: float, text: str) -> None:
    assert words.time_text(seconds) == text


def test_the_plot_tells_the_times_at_the_pointer(qtbot: QtBot) -> None:
    panel = shown(qtbot, HardwarePanel, moment(), 360, 1600)
    plain = panel._plot.grab().toImage()
    QTest.mouseMove(panel._plot, QPoint(150, 100))
    qtbot.waitUntil(lambda: panel._plot.grab().toImage() != plain)


# ---- in the real window


SPEC = Spec(NetworkSpec(depth=2, width=4, activation="relu"), DataSpec(samples=60), TrainingSpec(seed=5, stop_after=40))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, SPEC, lambda s: s.step == 40 and not s.playing)


def test_a_press_measures_this_machine_and_the_results_come_one_by_one(qtbot: QtBot, window: MainWindow) -> None:
    window.show_lab("hardware")
    assert window.lab is not None
    panel = window.lab.panel
    assert isinstance(panel, HardwarePanel)
    qtbot.waitUntil(lambda: isinstance(window.run.snapshot.lab, HardwareReport), timeout=PATIENCE)
    seen: list[tuple[int, float | None]] = []
    window.run.snapshot_came.connect(lambda snapshot: seen.append((len(snapshot.lab.speeds), snapshot.lab.measuring)))
    panel._measure.click()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1][0] >= 2 and seen[-1][1] is None, timeout=PATIENCE)
    assert any(measuring is not None for _, measuring in seen)
    assert window.run.snapshot.step == 40
    panel.choose_loss(0.25)
    qtbot.waitUntil(lambda: window.run.snapshot.lab.loss == 0.25, timeout=PATIENCE)
