"""Four views of the lab: what they say about a measured moment, what they ask for, and that every state can be drawn and copied."""

import itertools
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradviz.history_table import HistoryTable
from gradviz.lab_reports import ClippingReport, InitialisationStudy, Lab, LinearMap, ResidualReport, Scheme
from gradviz.selected import WeightInspection
from gradviz.snapshot import Moment, Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.hand import type_into
from tests.ui.painted import pixels, vectors
from ui.panels import clipping_words, matrix, norm_plot, rival_plot, scheme_marks
from ui.panels.clipping import ClippingPanel
from ui.panels.clipping_plane import SHRINKS, round_up
from ui.panels.initialisation import InitialisationPanel
from ui.panels.lab_names import angle, angle_text, parameter_name
from ui.panels.lab_page import Block, LabPanel
from ui.panels.linear_map import LinearMapPanel
from ui.panels.residual import ResidualPanel, ways
from ui.panels.residual_bars import MOST, residual_blocks
from ui.theme import THEMES

NAN, INF = math.nan, math.inf
UNKNOWN = np.full(11, NAN)
OUT, DEEP = "layer11.weight[2,0]", "layer10.weight[3,0]"


def moment(lab: Lab | None, base: Snapshot | None = None, **changes: Any) -> Snapshot:
    return msgspec.structs.replace(base or fabricate(kind="healthy"), lab=lab, **({"batch": 32} | changes))


def clipping(rule: str = "norm", threshold: float = 0.5, **changes: Any) -> ClippingReport:
    norms = np.full((412, 2), 0.64)
    norms[:, 1] = 0.5 if rule == "norm" else 0.64
    known: dict[str, Any] = dict(
        rule=rule,
        threshold=threshold,
        names=(DEEP, OUT),
        before=(0.32, -0.24),
        after=(0.25, -0.1875),
        norm_before=0.64,
        norm_after=0.5,
        cosine=1 - 1e-16,
        clipped_steps=312,
        steps=400,
        norms=norms,
        norm_steps=np.arange(1, 413),
    )
    return ClippingReport(**(known | changes))


def clipped(report: ClippingReport, **changes: Any) -> Snapshot:
    base = fabricate(kind="healthy")
    spec = base.spec.replace("training.clip", report.rule).replace("training.clip_threshold", report.threshold)
    return moment(report, base, spec=spec, **changes)


def residual(skip_every: int = 2, depth: int = 10, rival: bool = True, **changes: Any) -> Snapshot:
    base = fabricate(depth=depth, kind="healthy", skip_every=skip_every)
    blocks = base.architecture.skips
    known: dict[str, Any] = dict(
        blocks=blocks,
        through_skip=np.full(len(blocks), 0.031),
        through_branch=np.full(len(blocks), 0.004),
        rival_spec=base.spec.replace("network.skip_every", 0 if skip_every else 2),
        rival=history(base, 0.43, 412) if rival else None,
    )
    return moment(ResidualReport(**(known | changes)), base, history=history(base, 0.12, 412))


def history(base: Snapshot, loss: float, steps: int) -> HistoryTable:
    assert base.history is not None
    values = np.full(steps, loss)
    return msgspec.structs.replace(base.history, steps=np.arange(1, steps + 1), loss=values, loss_low=values, loss_high=values)


def linear(inputs: int = 2, outputs: int = 1, **changes: Any) -> Snapshot:
    rng = np.random.default_rng(0)
    known: dict[str, Any] = dict(
        matrix=rng.normal(size=(inputs, outputs)), bias=rng.normal(size=outputs), layers=11, largest_difference=2.2e-16, largest_output=3.1
    )
    return moment(LinearMap(**(known | changes)), fabricate(kind="healthy", inputs=inputs, outputs=outputs))


NOT_LINEAR = LinearMap(np.zeros((0, 0)), np.zeros(0), 11, NAN, NAN, "10 layers have an activation that is not the identity.")


def scheme(name: str, forward: float, backward: float, layers: int = 11) -> Scheme:
    stds, deltas = 0.5 * forward ** np.arange(layers), 0.1 * backward ** np.arange(layers)[::-1]
    return Scheme(name, stds, deltas, deltas / 8, forward, backward)


def study(**changes: Any) -> InitialisationStudy:
    nothing = np.zeros(11)
    zeros = Scheme("zeros", nothing, np.append(nothing[:-1], 0.1), nothing, NAN, NAN)
    schemes = (scheme("xavier_normal", 1.0, 0.24), scheme("normal", 1.02, 0.53), zeros, scheme("constant", 64.0, 64.0))
    return InitialisationStudy(**({"schemes": schemes, "current": "xavier_normal"} | changes))


EVERYTHING: list[tuple[type[LabPanel], Snapshot]] = [
    (ClippingPanel, clipped(clipping())),
    (ClippingPanel, clipped(clipping("none", 1.0, after=(0.32, -0.24), norm_after=0.64, clipped_steps=0))),
    (ClippingPanel, clipped(clipping("value", 0.2, after=(0.2, -0.2), cosine=0.93))),
    (ClippingPanel, clipped(clipping("layer_norm", 0.3, cosine=0.98))),
    (ClippingPanel, clipped(clipping(before=(3e3, 1e3), after=(0.48, 0.16), norm_before=3200.0))),
    (ClippingPanel, clipped(clipping(before=(NAN, 1.0), after=(NAN, NAN), norm_before=NAN, norm_after=NAN, norms=np.full((412, 2), NAN)))),
    (ClippingPanel, clipped(clipping(before=(INF, 1.0), after=(NAN, 0.0), norm_before=INF, norm_after=NAN, norms=np.full((412, 2), INF)))),
    (ClippingPanel, clipped(clipping(before=(0.0, 0.0), after=(0.0, 0.0), norm_before=0.0, norm_after=0.0, norms=np.zeros((412, 2))))),
    (ClippingPanel, clipped(clipping(before=(1e250, -1e249), norm_before=1e250, threshold=1e9))),
    (ClippingPanel, clipped(clipping(before=(1e-300, 1e-310), after=(1e-300, 1e-310), norm_before=1e-300, norm_after=1e-300))),
    (ClippingPanel, clipped(clipping(norms=np.zeros((0, 2)), norm_steps=np.zeros(0, int), steps=0, clipped_steps=0))),
    (ResidualPanel, residual()),
    (ResidualPanel, residual(0)),
    (ResidualPanel, residual(depth=200)),
    (ResidualPanel, residual(through_skip=np.array([NAN, 0.0, 1e9, 1e-30]), through_branch=np.array([INF, 0.0, -0.0, 5.0]))),
    (LinearMapPanel, linear()),
    (LinearMapPanel, linear(64, 10)),
    (LinearMapPanel, linear(300, 40)),
    (LinearMapPanel, linear(6, 9)),
    (LinearMapPanel, linear(2, 1, matrix=np.array([[NAN], [0.0]]), bias=np.array([INF]), largest_difference=NAN)),
    (LinearMapPanel, linear(2, 1, matrix=np.zeros((2, 1)), bias=np.zeros(1), largest_difference=0.0, largest_output=0.0)),
    (LinearMapPanel, moment(NOT_LINEAR)),
    (InitialisationPanel, moment(study())),
    (
        InitialisationPanel,
        moment(study(schemes=(scheme("normal", 1.1, 8.0, 301),), current="normal"), fabricate(depth=300, kind="healthy")),
    ),
    (InitialisationPanel, moment(study(schemes=(Scheme("normal", UNKNOWN, UNKNOWN, UNKNOWN, NAN, NAN),), current="he_normal"))),
]


def shown(qtbot: QtBot, kind: type[LabPanel], snapshot: Snapshot, width: int = 360, height: int = 870) -> Any:
    panel = kind()
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show_snapshot(snapshot)
    with qtbot.waitActive(panel):
        panel.show()
    return panel


def said(panel: LabPanel) -> str:
    """Everything that is read out of the blocks in use."""
    return " | ".join(f"{block.accessibleName()} {block.accessibleDescription()}" for block in panel.blocks if block.used)


# ---- all views


@pytest.mark.parametrize(("kind", "snapshot"), EVERYTHING)
def test_every_state_is_drawn_in_any_size_and_theme_and_as_vectors(qtbot: QtBot, kind: type[LabPanel], snapshot: Snapshot) -> None:
    panel = shown(qtbot, kind, snapshot)
    for theme in THEMES.values():
        panel.set_theme(theme)
        for width, height in ((360, 870), (300, 300), (1200, 500), (40, 30)):
            assert len(np.unique(pixels(panel, width, height))) > (1 if width > 40 else 0)
        panel.resize(300, 300)
        assert not panel.grab().isNull()
    assert panel.blocks[0].text in vectors(panel, *panel.whole_size().toTuple())
    assert panel.accessibleDescription()
    assert all(len(row) == len(panel.table().columns) for row in panel.table().rows)


@pytest.mark.parametrize("kind", [ClippingPanel, ResidualPanel, LinearMapPanel, InitialisationPanel])
def test_without_its_report_a_view_says_what_to_do(qtbot: QtBot, kind: type[LabPanel]) -> None:
    panel = kind()
    qtbot.addWidget(panel)
    assert panel.accessibleDescription()
    empty = pixels(panel)
    full = next(snapshot for found, snapshot in EVERYTHING if found is kind)
    panel.show_snapshot(full)
    assert not np.array_equal(pixels(panel), empty)
    other = moment(NOT_LINEAR if kind is not LinearMapPanel else clipping())
    for snapshot in (other, moment(None)):
        panel.show_snapshot(snapshot)
        assert panel.table().rows == ()
    panel.clear()
    assert panel.table().rows == ()
    np.testing.assert_array_equal(pixels(panel), empty)


@pytest.mark.parametrize(("kind", "snapshot"), [EVERYTHING[0], EVERYTHING[11], EVERYTHING[16], EVERYTHING[22]])
def test_the_table_is_copied_with_every_digit_and_the_keys_scroll(qtbot: QtBot, kind: type[LabPanel], snapshot: Snapshot) -> None:
    panel = shown(qtbot, kind, snapshot, 300, 300)
    QTest.keyClick(panel, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    table = panel.table()
    assert lines[0].split("\t") == list(table.columns)
    assert len(lines) == len(table.rows) + 1
    bar = panel._scroll.verticalScrollBar()
    QTest.keyClick(panel, Qt.Key.Key_End)
    assert bar.value() == bar.maximum() > 0
    QTest.keyClick(panel, Qt.Key.Key_Home)
    assert bar.value() == 0


def test_while_playing_a_view_follows_at_a_readable_pace_and_is_exact_when_paused(qtbot: QtBot) -> None:
    panel = shown(qtbot, ClippingPanel, clipped(clipping(), playing=True))
    panel.show_snapshot(clipped(clipping(norm_before=0.9), playing=True))
    assert "before clipping: 0.64" in said(panel)
    qtbot.waitUntil(lambda: "before clipping: 0.90" in said(panel))
    panel.show_snapshot(clipped(clipping(norm_before=1.2), playing=True))
    panel.show_snapshot(clipped(clipping(norm_before=1.4)))
    assert "before clipping: 1.4" in said(panel)


@pytest.mark.parametrize("width", [300, 360, 640])
def test_blocks_stand_under_each_other_inside_the_dock(qtbot: QtBot, width: int) -> None:
    for kind, snapshot in EVERYTHING[::5]:
        panel = shown(qtbot, kind, snapshot, width, 500)
        used: list[Block] = [block for block in panel.blocks if block.used]
        for above, below in itertools.pairwise(used):
            assert above.geometry().bottom() < below.geometry().top()
        assert all(block.geometry().right() < width for block in used)


# ---- clipping


def test_clipping_by_norm_keeps_the_direction_and_says_so(qtbot: QtBot) -> None:
    panel = shown(qtbot, ClippingPanel, clipped(clipping()))
    words = panel.accessibleDescription()
    assert "the direction stays" in words
    assert "0.78" in words  # 0.5 / 0.64
    assert "312 of 400 steps, 78 %" in words
    assert "0°" in said(panel)
    assert "0.40 long" in said(panel)  # the part in the plane, of 0.64
    rows = panel.table().rows
    assert ("norm", 412, 0.64, 0.5) in rows
    assert (DEEP, 412, 0.32, 0.25) in rows


def test_clipping_by_value_turns_the_gradient_visibly(qtbot: QtBot) -> None:
    panel = shown(qtbot, ClippingPanel, clipped(clipping("value", 0.2, after=(0.2, -0.2), cosine=0.93)))
    assert "turns by 21.6°" in panel.accessibleDescription()
    assert "21.6°" in said(panel)


def test_off_says_what_a_threshold_would_do() -> None:
    off = {"after": (0.32, -0.24), "norm_after": 0.64, "clipped_steps": 0}
    larger, smaller = clipping("none", 1.0, **off), clipping("none", 0.32, **off)
    assert "would leave this gradient as it is" in clipping_words.happened(larger, clipped(larger))
    assert "from 0.64 to 0.32: every component × 0.50" in clipping_words.happened(smaller, clipped(smaller))
    assert clipping_words.how_often(larger) == "‖g‖ above 1.0 in 0 of 412 steps, 0 %"
    assert clipping_words.how_often(smaller) == "‖g‖ above 0.32 in 412 of 412 steps, 100 %"


def test_no_direction_is_claimed_where_there_is_none(qtbot: QtBot) -> None:
    report = clipping(norm_before=NAN, norm_after=NAN, before=(NAN, NAN), after=(NAN, NAN))
    panel = shown(qtbot, ClippingPanel, clipped(report))
    assert "too late" in panel.accessibleDescription()
    assert "–" in said(panel)
    before_anything = moment(report, fabricate(details=False))
    panel.show_snapshot(before_anything)
    assert "No gradient yet" in panel.accessibleDescription()
    panel.show_snapshot(moment(None, moment=Moment(413, "backward", 6, 20, 30, 11)))
    assert "Inside a step" in panel.accessibleDescription()


def test_rule_and_threshold_are_asked_for_and_shown_only_when_in_force(qtbot: QtBot) -> None:
    panel = shown(qtbot, ClippingPanel, clipped(clipping()))
    with qtbot.waitSignal(panel.clip_wanted) as asked:
        panel._rule.button("value").click()
    assert asked.args == ["value"]
    assert panel._rule.value == "norm"
    assert panel._rule.button("norm").isChecked()
    edit = panel._threshold.edit
    with qtbot.waitSignal(panel.threshold_wanted) as wanted:
        type_into(edit, "0,25")
    assert wanted.args == [0.25]
    with qtbot.assertNotEmitted(panel.threshold_wanted):
        type_into(edit, "-3")
    assert edit.text() == "0.5"


def test_the_plane_is_chosen_from_the_largest_components_and_the_selected_weight(qtbot: QtBot) -> None:
    picked = WeightInspection("layer05.weight", 5, 4, 2, 0.1, 1e-3, 1e-3, 0.0, 0.5, np.arange(2), np.zeros(2))
    snapshot = clipped(clipping(), picked=picked)
    panel = shown(qtbot, ClippingPanel, snapshot)
    offered = dict(panel.offered(snapshot, clipping()))
    assert offered["layer05.weight[4,2]"] == "L5, unit 5 → 3 (selected)"
    assert snapshot.details is not None
    largest = int(np.argmax(np.abs(snapshot.details.edge_gradients)))
    part = next(n for n in range(1, 12) if snapshot.architecture.edge_slice(n).stop > largest)
    assert any(name.startswith(f"layer{part:02d}.weight") for name in offered)
    panel.fill_menu()
    across = panel._axes_menu.actions()[2].menu()
    chosen = next(action for action in across.actions() if "selected" in action.text())
    with qtbot.waitSignal(panel.pair_wanted) as wanted:
        chosen.trigger()
    assert wanted.args == [("layer05.weight[4,2]", OUT)]
    with qtbot.waitSignal(panel.pair_wanted) as wanted:
        panel.show_snapshot(msgspec.structs.replace(fabricate(depth=3), lab=clipping()))  # a net without that weight
    assert wanted.args == [None]


def test_names_and_angles() -> None:
    architecture = fabricate().architecture
    assert parameter_name("layer01.weight[1,4]", architecture) == "L1, x₂ → 5"
    assert parameter_name("layer03.bias[1]", architecture) == "L3, bias 2"
    assert parameter_name("layer99.weight[0,0]", architecture) == "layer99.weight[0,0]"
    assert angle(0.0) == pytest.approx(90)
    assert angle(1 + 1e-16) == 0
    assert angle_text(0.01, 1e-5) == "0.010°"
    assert angle_text(1e-6, 1e-5) == "0°"
    assert angle_text(NAN, 1e-5) == "–"


def test_the_axes_of_the_plane_do_not_dance(qtbot: QtBot) -> None:
    panel = shown(qtbot, ClippingPanel, clipped(clipping()))
    reach = panel._plane._reach
    panel.show_snapshot(clipped(clipping(before=(0.2, 0.2))))
    assert panel._plane._reach == reach
    panel.show_snapshot(clipped(clipping(before=(5.0, 0.2))))
    assert panel._plane._reach == round_up(5.0 * 1.12) > reach
    panel.show_snapshot(clipped(clipping(before=(0.1 * SHRINKS, 0.0), threshold=9.0)))
    assert panel._plane._reach < reach
    assert [round_up(value) for value in (0.0, 0.56, 5.6, 9.1)] == pytest.approx([1.0, 0.6, 6.0, 10.0])


def test_the_axis_of_the_norms_spans_whole_decades() -> None:
    assert norm_plot.decades(np.array([[0.64, 0.5], [3.0, 0.5]]), 0.5) == (-1, 1)
    assert norm_plot.decades(np.array([[2e-8, 2e-8]]), 1.0) == (-9, -7)  # a threshold far off does not flatten the curve
    assert norm_plot.decades(np.array([[NAN, INF]]), None) == (-1, 1)
    low, high = norm_plot.decades(np.array([[1e-3, 1e-3], [1e80, 1.0]]), 1.0)
    assert high == 80
    assert high - low == norm_plot.MOST_DECADES


# ---- residual


def test_the_two_ways_of_each_block(qtbot: QtBot) -> None:
    panel = shown(qtbot, ResidualPanel, residual())
    words = panel.accessibleDescription()
    assert "through the skip 0.031, through the branch 0.0040: the skip brings 7.8 times as much as the branch." in words
    assert "In 4 of 4 blocks" in words
    assert "Mean over steps 330 to 412: 0.12 with skips, 0.43 without." in words
    assert panel.table().rows[0][:6] == ("gradient", "L1", "L3", 412, 0.031, 0.004)
    assert "not explained by vanishing gradients alone" in said(panel)


def test_blocks_that_the_step_in_work_has_not_reached_are_not_zero() -> None:
    inside = Moment(413, "backward", 6, 20, 30, 11)
    snapshot = msgspec.structs.replace(residual(through_skip=np.array([NAN, NAN, 0.1, 0.1])), moment=inside)
    assert isinstance(snapshot.lab, ResidualReport)
    blocks = residual_blocks(snapshot.lab, snapshot)
    assert [block.known for block in blocks] == [False, False, True, True]
    assert "has not come back to L1" in ways(blocks)[0]
    blocks = residual_blocks(snapshot.lab, msgspec.structs.replace(snapshot, moment=None))
    assert "the skip NaN" in ways(blocks)[0]
    nothing = residual(through_skip=np.zeros(4), through_branch=np.zeros(4))
    assert isinstance(nothing.lab, ResidualReport)
    assert "exactly 0" in ways(residual_blocks(nothing.lab, nothing))[0]


def test_the_rival_is_asked_for_once_and_stopped(qtbot: QtBot) -> None:
    panel = shown(qtbot, ResidualPanel, residual(rival=False))
    assert panel._rival.text() == "Train the plain net beside it"
    with qtbot.waitSignal(panel.rival_wanted) as wanted:
        panel._rival.click()
    assert wanted.args == [True]
    assert panel._rival.text() == "Starting the plain net …"
    panel.show_snapshot(residual())
    with qtbot.waitSignal(panel.rival_wanted) as wanted:
        panel._rival.click()
    assert wanted.args == [False]


def test_a_net_without_skips_is_offered_one(qtbot: QtBot) -> None:
    panel = shown(qtbot, ResidualPanel, residual(0))
    assert "This net has no skips" in panel.accessibleDescription()
    with qtbot.waitSignal(panel.skip_wanted) as wanted:
        panel._skip.click()
    assert wanted.args == [2]
    snapshot = residual(0)
    assert isinstance(snapshot.lab, ResidualReport)
    shallow = msgspec.structs.replace(snapshot, lab=msgspec.structs.replace(snapshot.lab, rival_spec=snapshot.spec, rival=None))
    panel.show_snapshot(shallow)
    assert "No residual block fits" in panel.accessibleDescription()
    assert not panel._skip_row.used
    assert not panel._rival_row.used


def test_losses_are_compared_over_steps_that_both_nets_have_made() -> None:
    base = fabricate()
    ahead, behind = history(base, 0.1, 400), history(base, 0.5, 100)
    assert rival_plot.means(ahead, behind) == pytest.approx((81, 100, 0.1, 0.5))
    x, y = rival_plot.averages(np.linspace(0, 200, 1001), np.append(np.ones(1000), NAN))
    assert len(x) < 60
    assert np.isnan(y[-1])
    assert (y[:-1] == 1).all()


def test_of_many_blocks_the_first_and_last_are_drawn(qtbot: QtBot) -> None:
    panel = shown(qtbot, ResidualPanel, residual(depth=200))
    rows = panel._bars._rows()
    assert len(rows) == MOST + 1
    assert rows[MOST // 2] is None
    assert sum(row[0] == "gradient" for row in panel.table().rows) == 99


# ---- one linear map


def test_the_map_and_how_well_it_agrees(qtbot: QtBot) -> None:
    panel = shown(qtbot, LinearMapPanel, linear())
    words = panel.accessibleDescription()
    assert "differ by at most 2.2×10⁻¹⁶. That is rounding" in words
    assert "11 layers are one matrix W and one bias b" in words
    assert [row[0] for row in panel.table().rows] == ["x₁", "x₂", "bias", "largest difference", "largest output"]
    panel.show_snapshot(linear(largest_difference=0.1))
    assert "rounding" not in panel.accessibleDescription()
    panel.show_snapshot(linear(largest_difference=0.0))
    assert "exactly the same numbers" in panel.accessibleDescription()


def test_a_net_that_is_not_linear_says_why_and_offers_the_identity(qtbot: QtBot) -> None:
    panel = shown(qtbot, LinearMapPanel, moment(NOT_LINEAR))
    assert NOT_LINEAR.reason in panel.accessibleDescription()
    with qtbot.waitSignal(panel.identity_wanted):
        panel._switch.click()


def test_large_matrices_are_condensed_and_their_numbers_are_found_by_pointing(qtbot: QtBot) -> None:
    pooled = matrix.pool(np.ones((300, 40)) * 3, np.ones(40), tuple(map(str, range(300))), tuple(map(str, range(40))))
    assert pooled.matrix.shape == (matrix.MOST_ROWS, matrix.MOST_COLUMNS)
    np.testing.assert_allclose(pooled.matrix, 3)
    assert pooled.pooled == (5, 2)
    panel = shown(qtbot, LinearMapPanel, linear())
    panel._matrix.grab()
    spot = panel._matrix.spots[0]
    assert spot.label == "x₁ → y₁"
    assert isinstance(panel.snapshot.lab, LinearMap)
    assert spot.value == panel.snapshot.lab.matrix[0, 0]
    assert panel._matrix.spot_at(QPointF(spot.area.center())) is spot
    QTest.mouseDClick(panel._matrix, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
    assert float(QGuiApplication.clipboard().text()) == spot.value


# ---- initialisation


def test_schemes_stand_in_the_order_of_their_factors(qtbot: QtBot) -> None:
    panel = shown(qtbot, InitialisationPanel, moment(study()))
    rows = panel._rows.rows
    assert [row.text() for row in rows] == ["Normal", "Xavier normal", "Constant", "Zeros"]
    assert rows[1].accessibleName() == "Xavier normal: forwards ×1.00, backwards ×0.24 per layer, in force"
    assert rows[3].accessibleName() == "Zeros: forwards 0, backwards 0 per layer"
    assert "0.24¹⁰" in panel.accessibleDescription()
    assert "6.3×10⁻⁷" in panel.accessibleDescription()
    assert len(panel.table().rows) == 4 * 11


def test_a_row_is_enlarged_when_pointed_at_and_used_when_pressed(qtbot: QtBot) -> None:
    panel = shown(qtbot, InitialisationPanel, moment(study()))
    paper = pixels(panel)
    row, own = panel._rows.rows[0], panel._rows.rows[1]
    row.clearFocus()  # which the window gave it when it opened
    row.setFocus(Qt.FocusReason.TabFocusReason)
    assert panel._plot.scheme.initializer == "normal"
    with qtbot.waitSignal(panel.initializer_wanted) as wanted:
        QTest.keyClick(row, Qt.Key.Key_Return)
    assert wanted.args == ["normal"]
    QTest.keyClick(row, Qt.Key.Key_Down)
    assert own.hasFocus()
    with qtbot.assertNotEmitted(panel.initializer_wanted):
        own.click()  # in force already
    own.clearFocus()
    assert panel._plot.scheme.initializer == "xavier_normal"
    np.testing.assert_array_equal(pixels(panel), paper)


def test_a_picture_shows_the_scheme_in_force_whatever_is_pointed_at(qtbot: QtBot) -> None:
    panel = shown(qtbot, InitialisationPanel, moment(study()))
    paper = pixels(panel)
    panel._rows.rows[2].setFocus(Qt.FocusReason.TabFocusReason)
    np.testing.assert_array_equal(pixels(panel), paper)
    assert panel._plot.scheme.initializer == "constant"


def test_what_a_factor_comes_to_uses_the_digits_that_are_shown() -> None:
    assert scheme_marks.over_layers(0.24, 10) == "0.24¹⁰ ≈ 6.3×10⁻⁷"
    assert scheme_marks.over_layers(1.003, 100) == "1.003¹⁰⁰ ≈ 1.3"
    assert scheme_marks.over_layers(64.0, 1000) == "64¹⁰⁰⁰ ≈ 10¹⁸⁰⁶"
    assert scheme_marks.factor_text(NAN, np.array([0.0, 0.0, 0.1])) == "0"
    assert scheme_marks.factor_text(NAN, np.array([0.0, 1.0, 0.1])) == "–"
    assert scheme_marks.factor_text(NAN, np.array([1.0, INF, 0.1])) == "∞"
