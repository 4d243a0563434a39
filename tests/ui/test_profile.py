"""The gradient profile: which layer stands where, what the numbers say, and that no state of a run blanks it."""

import math

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Ghost, Moment, Snapshot, Theory, Verdict
from tests.ui.painted import picture
from ui import colors
from ui.canvas.columns import Columns
from ui.panels.profile import ProfilePanel, captions
from ui.panels.profile_card import card
from ui.panels.profile_lines import before_branch
from ui.panels.profile_theory import foretold as found_in
from ui.panels.profile_theory import theory_words
from ui.selection import Selection
from ui.theme import THEMES

from .fabricate import fabricate

STATES = [
    fabricate(),
    fabricate(kind="healthy", clipped=True),
    fabricate(kind="exploding"),
    fabricate(kind="nan"),
    fabricate(kind="dead"),
    fabricate(details=False),
    fabricate(depth=1),
    fabricate(depth=300, width=2),
]


def inks(image: QImage, box: tuple[int, int, int, int]) -> int:
    """How many different colours there are in (left, top, width, height)."""
    left, top, width, height = box
    return len({image.pixel(x, y) for x in range(left, left + width) for y in range(top, top + height)})


@pytest.fixture
def panel(qtbot: QtBot) -> ProfilePanel:
    made = ProfilePanel()
    qtbot.addWidget(made)
    made.resize(976, 220)
    return made


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(976, 220), (240, 132), (2000, 500)])
@pytest.mark.parametrize("snapshot", STATES)
def test_every_state_is_picture(panel: ProfilePanel, snapshot, size, theme) -> None:
    panel.set_theme(THEMES[theme])
    panel.show_snapshot(snapshot)
    assert inks(picture(panel, *size), (0, 0, *size)) > 5


def test_bars_stand_under_the_columns_in_the_colour_of_their_gradient(panel: ProfilePanel) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    image = picture(panel)
    last = float(snapshot.details.gradient_rms[-1])
    x = round(Columns(976, 11).x(11))
    assert image.pixelColor(x - 10, 150) == colors.color(colors.level(last), panel.theme)
    assert image.pixelColor(x - 34, 150) != colors.color(colors.level(last), panel.theme)


def test_bars_follow_the_zoomed_columns(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(kind="healthy"))
    columns = Columns(976, 11).zoomed(2.0, 488)
    panel.set_columns(columns)
    image = picture(panel)
    visible = [n for n in columns.visible() if 150 < columns.x(n) < 860]
    assert visible
    for layer in visible:
        bar = float(panel.snapshot.details.gradient_rms[layer - 1])
        assert image.pixelColor(round(columns.x(layer)) - 12, 156) == colors.color(colors.level(bar), panel.theme)


def test_a_clipped_step_shows_both_values(panel: ProfilePanel) -> None:
    snapshot = fabricate(kind="exploding", clipped=True)
    panel.show_snapshot(snapshot)
    image = picture(panel)
    after = float(snapshot.details.clipped_rms[-1])
    assert after < float(snapshot.details.gradient_rms[-1])
    assert image.pixelColor(round(Columns(976, 11).x(11)) - 10, 135) == colors.color(colors.level(after), panel.theme)
    row = dict(zip(panel.table().columns, panel.table().rows[-1], strict=True))
    assert row["gradient_rms"] == float(snapshot.details.gradient_rms[-1])
    assert row["gradient_rms_after_clipping"] == after


def test_not_finite_is_striped_and_zero_is_a_foot(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(kind="nan"))
    x = round(Columns(976, 11).x(11))
    column = {picture(panel).pixelColor(x - 12, y).name() for y in range(45, 80)}
    assert QColor(panel.theme.nan).name() in column
    assert QColor(panel.theme.nan_ground).name() in column
    panel.show_snapshot(fabricate(kind="dead"))
    x = round(Columns(976, 11).x(1))
    assert picture(panel).pixelColor(x, 159) == QColor(panel.theme.outline)
    assert picture(panel).pixelColor(x - 14, 140) == QColor(panel.theme.canvas)


def test_nothing_yet_is_not_zero(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(details=False))
    assert panel.table().rows == ()
    assert picture(panel).pixelColor(round(Columns(976, 11).x(1)), 159) != QColor(panel.theme.outline)


def test_the_table_has_full_precision_and_the_ratio_between_neighbours(panel: ProfilePanel) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    table = panel.table()
    rms = snapshot.details.gradient_rms
    assert [row[0] for row in table.rows] == [layer.name for layer in snapshot.architecture.layers]
    assert [row[1] for row in table.rows] == rms.tolist()
    ratios = [row[-1] for row in table.rows]
    assert ratios[-1] is None
    assert np.allclose(ratios[:-1], rms[:-1] / rms[1:])


def test_a_ratio_over_zero_is_unknown(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(kind="dead"))
    ratios = [row[-1] for row in panel.table().rows]
    assert math.isnan(ratios[0])  # 0 / 0
    assert ratios[3] == 0.0


def test_click_and_page_keys_select_layers(panel: ProfilePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(fabricate())
    panel.show()
    columns = Columns(976, 11)
    with qtbot.waitSignal(panel.layer_selected) as said:
        qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=QPoint(round(columns.x(4)), 100))
    assert said.args == [4]
    panel.select(Selection("layer", 4))
    for key, layer in ((Qt.Key.Key_PageDown, 5), (Qt.Key.Key_PageUp, 3)):
        with qtbot.waitSignal(panel.layer_selected) as said:
            qtbot.keyClick(panel, key)
        assert said.args == [layer]
    panel.select(Selection("layer", 11))
    with qtbot.waitSignal(panel.layer_selected) as said:
        qtbot.keyClick(panel, Qt.Key.Key_PageDown)
    assert said.args == [11]


def test_hover_shows_exact_values_and_exports_do_not(panel: ProfilePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(fabricate())
    panel.show()
    before = picture(panel)
    plain = panel.grab().toImage()
    qtbot.mouseMove(panel, QPoint(round(Columns(976, 11).x(4)), 100))
    qtbot.waitUntil(lambda: panel.grab().toImage() != plain)
    assert picture(panel) == before


def foretold(snapshot: Snapshot, factor: float = 2.0) -> Snapshot:
    """The snapshot with a theory that says ``factor`` times what is measured."""
    layers = snapshot.architecture.layers
    units, weights = (np.array(counts, float) for counts in zip(*((info.units, info.units * info.fan_in) for info in layers), strict=True))
    nothing = np.full(len(layers), 0.1)
    known = snapshot.details is not None
    theory = Theory(
        factor * snapshot.delta_norms / np.sqrt(units) if known else 0.25 ** np.arange(len(layers), 0, -1.0),
        factor * snapshot.gradient_norms / np.sqrt(weights) if known else nothing,
        nothing,
        nothing,
    )
    return msgspec.structs.replace(snapshot, theory=theory)


@pytest.mark.parametrize("details", [True, False])
def test_theory_is_drawn_before_and_after_the_first_step_and_can_be_hidden(panel: ProfilePanel, details: bool) -> None:
    plain = fabricate(details=details)
    panel.show_snapshot(plain)
    without = picture(panel)
    panel.show_snapshot(foretold(plain))
    assert picture(panel) != without
    panel.set_theory(False)
    assert picture(panel) == without


def test_beside_one_example_there_is_no_theory(panel: ProfilePanel) -> None:
    alone = msgspec.structs.replace(fabricate(), example=2)
    panel.show_snapshot(alone)
    without = picture(panel)
    panel.show_snapshot(foretold(alone))
    assert picture(panel) == without


def words(snapshot: Snapshot) -> str:
    found = found_in(snapshot, of_weights=False)
    assert found is not None
    return theory_words(found, snapshot)


def test_how_far_the_measurement_is_from_theory_is_said(panel: ProfilePanel) -> None:
    snapshot = foretold(fabricate())
    assert "×/÷ 2.0 away" in words(snapshot)
    rows = dict(card(snapshot, 3)[1])
    assert rows["measured over theory"].startswith("×0.50 (by chance ×/÷ 1.3")
    panel.show_snapshot(snapshot)
    table = panel.table()
    distance = table.columns.index("delta_over_theory_log10")
    assert np.allclose([row[distance] for row in table.rows], np.log10(0.5))
    stopped = msgspec.structs.replace(snapshot, delta_norms=np.append(0.0, snapshot.delta_norms[1:]))
    assert "away" not in words(stopped)  # nothing at all is not a factor
    assert "measured over theory" not in dict(card(stopped, 1)[1])


def test_theory_has_its_numbers_before_the_first_step_and_a_reason_where_there_is_none(panel: ProfilePanel) -> None:
    panel.show_snapshot(foretold(fabricate(details=False)))
    table = panel.table()
    assert table.rows[0][table.columns.index("theory_delta_rms")] == 0.25**11
    assert table.rows[0][1] is None
    nothing = np.empty(0)
    none = msgspec.structs.replace(fabricate(), theory=Theory(nothing, nothing, nothing, nothing, "the time steps share their weights"))
    assert ("theory", "none: the time steps share their weights") in card(none, 1)[1]
    panel.show_snapshot(none)
    picture(panel)


def test_layers_under_a_verdict_are_bracketed(panel: ProfilePanel) -> None:
    verdict = Verdict("vanishing", (1, 2, 3), "", 1e-6, 1e-3, "")
    panel.show_snapshot(fabricate())
    without = picture(panel)
    panel.show_snapshot(msgspec.structs.replace(fabricate(), verdicts=(verdict,)))
    image, columns = picture(panel), Columns(976, 11)
    changed = [
        any(image.pixel(round(columns.x(layer)) + 20, y) != without.pixel(round(columns.x(layer)) + 20, y) for y in range(160, 190))
        for layer in range(1, 5)
    ]
    assert changed == [True, True, False, False]  # from the first to the last of them, and not beyond
    panel.show_snapshot(msgspec.structs.replace(fabricate(), verdicts=(msgspec.structs.replace(verdict, kind="healthy", layers=()),)))
    assert picture(panel) == without


def inside(kind: str, layer: int, snapshot: Snapshot | None = None, **changes: object) -> Snapshot:
    """The moment after a phase of the step that follows the snapshot's."""
    snapshot = snapshot or fabricate()
    moment = Moment(snapshot.step + 1, kind, layer, 5, 24, len(snapshot.architecture.layers))
    return msgspec.structs.replace(snapshot, moment=moment, **changes)


def test_layers_that_are_not_reached_yet_have_dashes_and_no_numbers(panel: ProfilePanel) -> None:
    whole = fabricate()
    panel.show_snapshot(inside("backward", 5, whole))
    image, columns = picture(panel), Columns(976, 11)
    rms = whole.details.gradient_rms
    bar, dashes = round(columns.x(5)) - 12, round(columns.x(4)) - 12
    assert image.pixelColor(bar, 156) == colors.color(colors.level(float(rms[4])), panel.theme)
    assert image.pixelColor(dashes, 156) == QColor(panel.theme.canvas)
    assert inks(image, (round(columns.x(4)) - 16, 120, 32, 38)) > 2  # the dashes
    rows = panel.table().rows
    assert rows[3][1:] == (None,) * (len(rows[3]) - 1)
    assert rows[4][1] == float(rms[4])
    assert captions(panel.snapshot, None, "")[0].startswith("dashed: the previous step")
    title, lines = card(panel.snapshot, 4)
    assert title == "L4, step 413"
    assert lines[0] == ("gradient", "not reached yet")
    assert lines[1][0] == "typical |∂J/∂w| in step 412"


@pytest.mark.parametrize("moment", [("forward", 5), ("loss", 0), ("backward", 1), ("clip", 0), ("update", 0)])
@pytest.mark.parametrize("snapshot", STATES)
def test_every_moment_of_a_step_is_picture(panel: ProfilePanel, snapshot, moment) -> None:
    panel.show_snapshot(inside(*moment, snapshot))
    for size in ((976, 220), (240, 132)):
        assert inks(picture(panel, *size), (0, 0, *size)) > 5


def test_in_the_first_step_there_is_nothing_where_the_gradient_has_not_come(panel: ProfilePanel) -> None:
    whole = fabricate()
    unknown = np.where(np.arange(11) < 7, np.nan, whole.details.gradient_rms)
    details = msgspec.structs.replace(whole.details, gradient_rms=unknown, clipped_rms=unknown, delta_rms=unknown)
    panel.show_snapshot(inside("backward", 8, msgspec.structs.replace(whole, step=0, details=details)))
    assert captions(panel.snapshot, None, "")[0] == "bars appear as the gradient comes back"
    image, x = picture(panel), round(Columns(976, 11).x(4))
    assert {image.pixelColor(x + away, 156).name().upper() for away in range(-18, 18)} == {panel.theme.canvas}


def history(steps: list[int], layers: int = 11) -> HistoryTable:
    """A line whose gradient is 1e-5 × step in each layer."""
    rows, ones = np.array(steps), np.ones(len(steps))
    gradients = 1e-5 * rows[:, None] * np.ones(layers)
    return HistoryTable(rows, ones, ones, ones, gradients, np.ones((len(rows), 2)), rows[:0], ones[:0])


def test_the_line_before_the_branch_is_that_of_the_same_step() -> None:
    def at(step: int, **more: object) -> Snapshot:
        return msgspec.structs.replace(fabricate(), step=step, ghost=Ghost(120, history([1, 101, 131, 161, 200])), **more)

    assert before_branch(at(140)).step == 131
    assert before_branch(at(140)).values[0] == pytest.approx(131e-5)
    assert before_branch(at(121)).step == 131  # row 101 is of both lines
    assert before_branch(inside("backward", 3, at(199))).step == 200
    assert before_branch(at(120)) is None
    assert before_branch(at(201)) is None
    assert before_branch(at(140, example=3)) is None
    assert before_branch(fabricate()) is None


@pytest.mark.parametrize("values", [1e-2, 0.0, 1e-30, 1e30, math.nan, math.inf])
@pytest.mark.parametrize("depth", [1, 10, 300])
def test_the_line_before_the_branch_is_marked_on_every_bar(panel: ProfilePanel, values, depth) -> None:
    table = history([1, 412], depth + 1)
    table.gradient_rms[:] = values
    panel.show_snapshot(fabricate(depth=depth, width=2))
    without = picture(panel)
    panel.show_snapshot(msgspec.structs.replace(fabricate(depth=depth, width=2), ghost=Ghost(120, table)))
    assert picture(panel) != without
    assert "ticks: the line before the branch, step 412" in captions(panel.snapshot, before_branch(panel.snapshot), "")[0]


def test_the_heading_names_the_example_that_is_looked_at() -> None:
    for snapshot in (fabricate(), inside("backward", 4)):
        assert all("example 12" in words for words in captions(msgspec.structs.replace(snapshot, example=11), None, "")[:3])


def test_where_theory_is_unreliable_line_and_card_say_so() -> None:
    sure = foretold(fabricate())
    assert sure.theory is not None
    unsure = msgspec.structs.replace(sure, theory=msgspec.structs.replace(sure.theory, caution="1/σ² has no mean"))
    assert words(unsure).startswith("theory at the start, unreliable here")
    assert "unreliable" not in words(sure)
    assert ("theory is unreliable", "1/σ² has no mean") in card(unsure, 1)[1]
    assert "theory is unreliable" not in dict(card(sure, 1)[1])
