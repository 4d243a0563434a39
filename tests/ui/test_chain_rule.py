"""The chain rule panel: a ladder that adds up, numbers that can be read and copied, and every state with a mark of its own."""

import math
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from gradviz.selected import ChainRule, Rung
from gradviz.snapshot import Moment, Snapshot
from tests.ui.painted import picture
from ui import colors, export
from ui.panels import chain_words as words
from ui.panels.chain_rule import ChainRulePanel
from ui.panels.ladder_rows import Row, ladder_rows, product_text
from ui.theme import THEMES

from .fabricate import fabricate


def chained(
    depth: int = 10, width: int = 8, layer: int = 5, gain: float = 3.0, dead: int = 0, skip: bool = False, seed: int = 7, **changes: Any
) -> Snapshot:
    """A snapshot with the chain rule of a small sigmoid net that was really computed, for the weight of the largest gradient.

    ``dead``: the slopes of that layer are exactly 0. ``skip``: one skip over each layer but the first.
    """
    rng = np.random.default_rng(seed)
    sizes = [2, *[width] * depth, 1]
    weights = [rng.normal(size=pair) * gain / np.sqrt(pair[0]) for pair in pairwise(sizes)]
    outputs, slopes = [rng.uniform(0, 1, 2)], []
    for number, weight in enumerate(weights, 1):
        a = 1 / (1 + np.exp(-outputs[-1] @ weight))
        slopes.append(a * (1 - a) * (number != dead))
        outputs.append(a + outputs[-1] if skip and 1 < number <= depth else a)
    prediction = float(outputs[-1][0])
    dj_dy = 1 / (1 - prediction)
    totals = [np.array([dj_dy]) * slopes[-1]]  # ∂J/∂z of layer depth + 1, then of the layers before
    reach = [np.array([dj_dy])]  # ∂J/∂ of the output of a layer
    for number in range(depth, 0, -1):
        sent = weights[number] @ totals[0] + (reach[0] if skip and number < depth else 0.0)
        reach.insert(0, sent)
        totals.insert(0, sent * slopes[number - 1])
    unit = int(np.argmax(np.abs(totals[layer - 1])))
    path = [unit]
    for number in range(layer, depth + 1):  # the strongest way on, unit by unit, is near enough to the strongest path
        path.append(int(np.argmax(np.abs(weights[number][path[-1]] * totals[number]))))
    rungs = [Rung("loss", 0, 0, 0, dj_dy, dj_dy, math.log10(dj_dy), dj_dy)]
    product, log = dj_dy, math.log10(dj_dy)

    def add(kind: str, number: int, unit: int, source: int, factor: float, total: float, **more: Any) -> None:
        nonlocal product, log
        product *= factor
        log += math.log10(abs(factor)) if factor else -math.inf
        rungs.append(Rung(kind, number, unit, source, factor, product, log, total, **more))

    add("output", depth + 1, 0, 0, float(slopes[-1][0]), float(totals[-1][0]))
    for number in range(depth, layer - 1, -1):
        here, there = path[number - layer], path[number - layer + 1]
        parts = {}
        if skip and number < depth:
            carried = float(reach[number][here])
            parts = {"branch": float(reach[number - 1][here]) - carried, "skip": carried}
        add("weight", number + 1, there, here, float(weights[number][here, there]), float(reach[number - 1][here]), **parts)
        add("slope", number, here, here, float(slopes[number - 1][here]), float(totals[number - 1][here]))
    row = int(np.argmax(np.abs(outputs[layer - 1])))
    sent = float(outputs[layer - 1][row])
    delta = float(totals[layer - 1][unit])
    add("input", layer, unit, row, sent, delta * sent)
    chain = ChainRule(
        parameter=f"layer{layer:02d}.weight",
        layer=layer,
        row=row,
        column=unit,
        example=11,
        example_number=137,
        batch=32,
        target=0.0,
        prediction=prediction,
        output=0,
        dj_dy=dj_dy,
        dy_dz=delta / dj_dy,
        dz_dw=sent,
        rest=0.0,
        example_gradient=delta * sent,
        gradient=delta * sent * 0.7,
        sum_over_paths=delta * sent * 0.7 * (1 + 4e-16),
        log10_paths=(depth - layer) * math.log10(width),
        rungs=tuple(rungs),
        reached=True,
        weight_old=-0.0291483961,
        weight_new=-0.0291483961 - 0.5 * delta * sent * 0.7,
        learning_rate=0.5,
    )
    chain = msgspec.structs.replace(chain, **changes)
    base = fabricate(depth=depth, width=width, skip_every=1 if skip else 0)
    return msgspec.structs.replace(base, chain=chain, batch=chain.batch)


def lecture_chain(factors: tuple[float, float, float], new: float) -> Snapshot:
    """A one-unit chain of the lecture: 1 = w · x, three factors, η = 1 and w_old = 2.5."""
    dj_dy, dy_dz, dz_dw = factors
    products = np.cumprod(factors).tolist()
    kinds = ("loss", "output", "input")
    with np.errstate(divide="ignore"):
        logs = np.log10(np.abs(products)).tolist()
    rungs = tuple(
        Rung(kind, int(kind != "loss"), 0, 0, f, p, log, p) for kind, f, p, log in zip(kinds, factors, products, logs, strict=True)
    )
    chain = ChainRule(
        parameter="layer01.weight",
        layer=1,
        row=0,
        column=0,
        example=0,
        example_number=0,
        batch=1,
        target=0.0,
        prediction=0.2,
        output=0,
        dj_dy=dj_dy,
        dy_dz=dy_dz,
        dz_dw=dz_dw,
        rest=0.0,
        example_gradient=products[-1],
        gradient=products[-1],
        sum_over_paths=products[-1],
        log10_paths=0.0,
        rungs=rungs,
        reached=True,
        weight_old=2.5,
        weight_new=new,
        learning_rate=1.0,
    )
    base = fabricate(depth=1, width=1, inputs=1)
    architecture = msgspec.structs.replace(base.architecture, layers=base.architecture.layers[1:])
    return msgspec.structs.replace(base, chain=chain, batch=1, architecture=architecture)


@pytest.fixture
def panel(qtbot: QtBot) -> ChainRulePanel:
    made = ChainRulePanel()
    qtbot.addWidget(made)
    made.resize(360, 870)
    return made


def shown(panel: ChainRulePanel, snapshot: Snapshot) -> dict[str, float]:
    """The numbers on the panel by their labels."""
    panel.show_snapshot(snapshot)
    panel.grab()
    return {spot.label: spot.value for spot in panel.spots}


def changed(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return msgspec.structs.replace(snapshot, chain=msgspec.structs.replace(snapshot.chain, **changes))


def rows_of(snapshot: Snapshot) -> tuple[Row, ...]:
    assert snapshot.chain is not None
    return ladder_rows(snapshot.chain, snapshot.architecture)


# ---- the ladder


def test_every_layer_is_a_row_and_the_factors_multiply_to_the_product() -> None:
    rows = rows_of(chained())
    assert [row.name for row in rows] == ["ŷ", "Out", "L10", "L9", "L8", "L7", "L6", "L5", "∂z/∂w", "∂J/∂w"]
    path = [row for row in rows if row.product is not None]
    assert np.cumprod([row.factor for row in path]) == pytest.approx([row.product for row in path])
    assert np.cumprod([row.change for row in path]) == pytest.approx([row.total for row in path])
    assert path[3].factor == pytest.approx(path[3].slope * path[3].weight)


def test_a_skip_and_batch_norm_have_rows_of_their_own() -> None:
    snapshot = chained(depth=3, layer=1)
    normed = Rung("batch_norm", 3, 0, 0, 1.5, 1.5, 0.1, 1.5)
    skip = Rung("skip", 3, 1, 1, 1.0, 0.3, -0.5, 0.4, branch=0.1, skip=0.3)
    rungs = snapshot.chain.rungs
    rows = rows_of(changed(snapshot, rungs=(*rungs[:4], normed, rungs[4], skip, *rungs[5:])))
    kinds = [row.kind for row in rows]
    assert kinds[:7] == ["loss", "output", "layer", "batch_norm", "layer", "skip", "sum"]
    weight_alone, through_skip, joined = rows[4:7]
    assert (weight_alone.slope, weight_alone.factor) == (None, rungs[4].factor)
    assert through_skip.factor == 1.0
    assert joined.branch + joined.skip == joined.total == pytest.approx(0.4)


def test_clipping_is_the_last_row_with_the_factor_it_applied() -> None:
    snapshot = chained()
    rows = rows_of(changed(snapshot, clipped_gradient=snapshot.chain.gradient / 4))
    assert [row.kind for row in rows[-3:]] == ["result", "mean", "clip"]
    assert rows[-1].factor == pytest.approx(0.25)
    assert rows[-2].total == snapshot.chain.gradient
    assert rows_of(changed(snapshot, gradient=0.0, clipped_gradient=0.0))[-1].factor == 1.0


@pytest.mark.parametrize(
    ("product", "log10", "negative", "text"),
    [
        (8.44e-9, -8.07, False, "8.4×10⁻⁹"),
        (0.0, -411.5, True, "−3.2×10⁻⁴¹²"),
        (math.inf, 400.0, False, "1.0×10⁴⁰⁰"),
        (0.0, -399.0001, False, "1.0×10⁻³⁹⁹"),
        (0.0, -math.inf, False, "0"),
        (math.nan, math.nan, False, "NaN"),
    ],
)
def test_products_beyond_floating_point_are_written_by_their_logarithm(product, log10, negative, text) -> None:
    assert product_text(product, log10, negative) == text


def test_an_underflowed_product_is_not_drawn_as_a_dead_one(panel: ChainRulePanel) -> None:
    snapshot = chained(depth=3, layer=2)
    last = msgspec.structs.replace(snapshot.chain.rungs[-1], product=0.0, log10_product=-411.5)
    snapshot = changed(snapshot, rungs=(*snapshot.chain.rungs[:-1], last))
    shown(panel, snapshot)
    spot = next(spot for spot in panel.spots if spot.label == "∂z/∂w: product of this path")
    assert spot.copied.endswith("3.2e-412")
    assert panel.ladder.first_zero() is None


def test_a_dead_layer_says_where_the_gradient_became_zero(panel: ChainRulePanel) -> None:
    panel.show_snapshot(chained(depth=6, layer=2, dead=4))
    assert panel.ladder.first_zero().name == "L4"


# ---- what can be read and copied


@pytest.mark.parametrize(
    ("factors", "new"), [((0.2, 0.15, 0.05), 2.4985), ((1.0, 1.0, 1.0), 1.5), ((1.0, 1.0, 0.0), 2.5), ((0.01, 1.0, 1.0), 2.49)]
)
def test_the_lectures_numbers_stand_on_the_panel(panel: ChainRulePanel, factors, new) -> None:
    numbers = shown(panel, lecture_chain(factors, new))
    found = [next(value for label, value in numbers.items() if label.startswith(start)) for start in ("∂J/∂ŷ", "∂ŷ/∂z,", "∂z/∂w,")]
    assert found == list(factors)
    assert numbers["∂J/∂w of this example"] == pytest.approx(math.prod(factors), abs=1e-18)
    assert (numbers["w old"], numbers["w new"]) == (2.5, new)


def test_what_goes_other_ways_is_named_so_that_the_sum_adds_up(panel: ChainRulePanel) -> None:
    snapshot = chained()
    chain = snapshot.chain
    rest = 0.4 * chain.dj_dy * chain.dy_dz
    numbers = shown(panel, changed(snapshot, rest=rest, example_gradient=1.4 * chain.example_gradient))
    assert numbers["the three multiplied"] + numbers["through the other outputs"] == pytest.approx(numbers["∂J/∂w of this example"])


def test_the_sum_over_all_paths_is_compared_with_back_propagation(panel: ChainRulePanel) -> None:
    snapshot = chained()
    numbers = shown(panel, snapshot)
    assert numbers["Back-propagation, mean of 32"] == snapshot.chain.gradient
    assert snapshot.chain.sum_over_paths in numbers.values()
    assert words.agreement(1.0, 1.0 + 3e-13) == "The same number to 12 digits."
    assert words.agreement(1.0, 1.1) == "They agree to 1 digit only."
    assert words.paths_text(9 * math.log10(8), snapshot.architecture) == "8⁹ ≈ 1.3×10⁸"
    assert words.paths_text(math.log10(512), snapshot.architecture) == "512"


@pytest.mark.parametrize(
    ("old", "new", "texts", "same"),
    [
        (2.5, 2.4985, ("2.5000", "2.4985"), 2),
        (-0.029148396, -0.029150978, ("−0.029148396", "−0.029150978"), 7),
        (-0.5, 0.5, ("−0.5", "\u20070.5"), 0),
        (9.5, 10.5, ("\u20079.5", "10.5"), 0),
        (1.5e-12, 1.25e-12, ("1.50×10⁻¹²", "1.25×10⁻¹²"), 2),
        (1.0, math.nan, ("1", "NaN"), 3),
        (0.1, 0.1, ("0.1", "0.1"), 4),
    ],
)
def test_the_changed_digits_stand_under_each_other(old, new, texts, same) -> None:
    written = words.digits(old, new)
    assert (written.old, written.new) == texts
    assert written.same == same


def test_a_step_too_small_to_matter_is_called_out() -> None:
    snapshot = chained(weight_old=0.5, weight_new=0.5 + 1e-7)
    assert words.congruent(snapshot.chain)
    assert "1.0×10⁶ steps" in words.update_words(snapshot.chain)
    assert not words.congruent(changed(snapshot, weight_new=0.51).chain)
    assert "last digit" in words.update_words(changed(snapshot, weight_new=0.5).chain)
    dead = chained(depth=6, layer=2, dead=4, weight_old=0.5, weight_new=0.5)
    assert "exactly 0" in words.update_words(dead.chain)
    lost = changed(snapshot, gradient=0.0, example_gradient=0.0, weight_new=0.5)
    assert "too small for a floating-point number" in words.update_words(lost.chain)


def test_numbers_are_copied_with_every_digit(panel: ChainRulePanel, qtbot: QtBot) -> None:
    snapshot = chained()
    panel.show_snapshot(snapshot)
    panel.show()
    panel.grab()
    spot = next(spot for spot in panel.spots if spot.label == "∂J/∂w of this example")
    qtbot.mouseDClick(panel, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
    assert float(QGuiApplication.clipboard().text()) == snapshot.chain.example_gradient
    menu = panel.menu_at(spot.area.center())
    assert [action.text() for action in menu.actions()] == [f"Copy {spot.copied}", "Copy the whole ladder"]
    menu.close()
    qtbot.keyClick(panel, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    header, *lines = QGuiApplication.clipboard().text().split("\n")
    cells = dict(zip(header.split("\t"), lines[2].split("\t"), strict=True))
    assert len(lines) == len(panel.table().rows) == 10
    assert float(cells["slope"]) == snapshot.chain.rungs[3].factor
    assert float(cells["all_paths"]) == snapshot.chain.rungs[3].total


def test_the_formula_is_told_in_words(panel: ChainRulePanel) -> None:
    panel.show_snapshot(lecture_chain((0.2, 0.15, 0.05), 2.4985))
    assert "0.2 times d y-hat by dz 0.15 times dz by dw 0.05 = 0.0015" in panel.accessibleDescription()


# ---- what the user does


def test_arrows_and_switch_say_which_example_is_wanted(panel: ChainRulePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(chained(example=31))
    panel.show()
    said: list[object] = []
    panel.example_wanted.connect(said.append)
    arrows = {button.text(): button for button in panel.findChildren(QToolButton)}
    buttons = {button.text(): button for button in panel.findChildren(QPushButton)}
    assert buttons["mini-batch"].isChecked()
    for button in (arrows["›"], arrows["‹"], buttons["this example"], buttons["mini-batch"]):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert said == [0, 30, 31, None]
    panel.show_snapshot(msgspec.structs.replace(chained(example=31), example=31))
    assert buttons["this example"].isChecked()


def test_one_example_alone_needs_no_choice(panel: ChainRulePanel) -> None:
    panel.show_snapshot(lecture_chain((1.0, 1.0, 1.0), 1.5))
    panel.show()
    assert not any(button.isVisible() for button in panel.findChildren(QToolButton) + panel.findChildren(QPushButton))


def test_a_click_on_a_row_selects_its_layer(panel: ChainRulePanel, qtbot: QtBot) -> None:
    panel.show_snapshot(chained())
    panel.show()
    panel.grab()
    said: list[object] = []
    panel.layer_selected.connect(said.append)
    for start in ("L7", "ŷ"):
        spot = next(spot for spot in panel.spots if spot.label.startswith(start) and spot.label.endswith("factor"))
        qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
    assert said == [7, 11]


def test_a_long_ladder_scrolls_and_follows_back_propagation(panel: ChainRulePanel, qtbot: QtBot) -> None:
    snapshot = chained(depth=50, layer=1)
    panel.show()
    labels = shown(panel, snapshot)
    assert "L49, unit" in " ".join(labels)
    assert not any(label.startswith("L3,") for label in labels)
    moment = Moment(step=413, kind="backward", layer=3, done=100, total=104, layers=51)
    assert any(label.startswith("L3,") for label in shown(panel, msgspec.structs.replace(snapshot, moment=moment)))
    qtbot.keyClick(panel, Qt.Key.Key_Home)
    panel.grab()
    assert any(spot.label.startswith("∂J/∂ŷ") for spot in panel.spots)


def test_both_readings_are_there_where_there_are_many_paths(panel: ChainRulePanel, qtbot: QtBot) -> None:
    panel.show()
    along = shown(panel, chained())
    button = next(button for button in panel.findChildren(QPushButton) if button.text() == "all paths")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    summed = shown(panel, chained())
    row = next(row for row in rows_of(chained()) if row.name == "L7")
    assert along[f"L7, unit {row.unit + 1}: product of this path"] == row.product
    assert summed[f"L7, unit {row.unit + 1}: all paths"] == row.total
    assert f"L7, unit {row.unit + 1}: weight w" not in summed


def test_layers_that_are_not_reached_show_no_numbers(panel: ChainRulePanel) -> None:
    snapshot = chained()
    rungs = tuple(
        msgspec.structs.replace(rung, reached=not 0 < rung.layer < 8, total=rung.total if rung.layer > 7 else math.nan)
        for rung in snapshot.chain.rungs
    )
    moment = Moment(step=413, kind="backward", layer=8, done=15, total=24, layers=11)
    snapshot = msgspec.structs.replace(changed(snapshot, rungs=rungs, reached=False, gradient=math.nan, weight_new=None), moment=moment)
    labels = shown(panel, snapshot)
    assert any(label.startswith("L8,") for label in labels)
    assert not any(label.startswith(("L7,", "∂ŷ/∂z,", "∂J/∂w of", "Back", "w new")) for label in labels)
    assert panel.table().rows[-1][-2:] == (None, False)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, "Step once, or press →, to see the factors."),
        (Moment(1, "forward", 3, 3, 24, 11), "The signal is still going forward: L3 of 10. The factors come after the loss."),
    ],
)
def test_without_factors_it_says_what_to_do(panel: ChainRulePanel, moment, text) -> None:
    panel.show_snapshot(msgspec.structs.replace(fabricate(), moment=moment))
    panel.grab()
    assert panel.accessibleDescription() == text
    assert panel.table().rows == ()
    panel.clear()
    assert panel.accessibleDescription() == words.STEP_FIRST


# ---- how it is drawn

STATES = {
    "plain": chained(),
    "skip": chained(skip=True, depth=6, layer=2),
    "dead": chained(depth=6, layer=2, dead=4),
    "nan": chained(gradient=math.nan, example_gradient=math.nan, sum_over_paths=math.nan, dy_dz=math.inf, weight_new=math.nan),
    "adam": chained(optimizer="adam", clipped_gradient=1e-4, rest=0.3),
    "deep": chained(depth=300, layer=1, width=3),
    "lecture": lecture_chain((1.0, 1.0, 0.0), 2.5),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", [(360, 870), (300, 420), (980, 400), (260, 240)])
def test_nothing_stands_on_something_else_or_outside(panel: ChainRulePanel, state: str, size: tuple[int, int]) -> None:
    panel.resize(*size)
    shown(panel, STATES[state])
    areas = [spot.area for spot in panel.spots]
    assert all(area.left() >= 0 and area.right() <= size[0] for area in areas)
    crossings = [(a, b) for at, a in enumerate(areas) for b in areas[:at] if a.intersected(b).width() > 7 and a.intersected(b).height() > 6]
    assert crossings == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", [*STATES, ""])
def test_it_is_drawn_whole_for_exports(panel: ChainRulePanel, state: str, theme: str, tmp_path) -> None:
    panel.set_theme(THEMES[theme])
    if state:
        panel.show_snapshot(STATES[state])
    for size in ((360, 870), (976, 360)):
        image = picture(panel, *size)
        assert len({image.pixel(x, y) for x in range(0, size[0], 3) for y in range(0, size[1], 2)}) > 3
    for ending in ("svg", "pdf"):
        export.export_picture(panel, tmp_path / f"chain.{ending}", panel.whole_size())
    svg = (tmp_path / "chain.svg").read_text()
    assert "<image" not in svg
    if state == "plain":
        assert "∂J" in svg
        assert all(f">{row.name}<" in svg for row in rows_of(STATES[state]) if row.kind == "layer")


def test_the_bar_has_the_colour_of_its_magnitude(panel: ChainRulePanel) -> None:
    panel.show_snapshot(lecture_chain((0.2, 0.15, 0.05), 2.4985))
    picture = panel.grab().toImage()
    wanted = colors.color(colors.level(0.0015), panel.theme).rgb()
    assert any(picture.pixel(x, y) == wanted for x in range(0, 360, 2) for y in range(200, 600, 2))


def test_the_wheel_scrolls(panel: ChainRulePanel, qtbot: QtBot) -> None:
    panel.resize(300, 420)
    before = shown(panel, chained())
    at = QPointF(100, 300)
    no = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False
    panel.wheelEvent(QWheelEvent(at, at, QPointF(0, -240).toPoint(), QPointF(0, -240).toPoint(), *no))
    assert set(shown(panel, chained())) != set(before)


def test_weights_that_an_update_swamped_are_each_written_on_their_own() -> None:
    written = words.digits(1.875, 1.7024635254462428e46)
    assert (written.old, written.same) == ("1.875", 0)
    assert written.new == "1.7024635254462428×10⁴⁶"
    assert words.digits(1.5e40, math.nan).old == "1.5×10⁴⁰"
