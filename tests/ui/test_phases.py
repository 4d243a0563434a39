"""Inside a step: what is not reached has no colour, what is in work is named, and a signal runs where one phase was stepped."""

import re

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSettings
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gradviz.selected import ChainRule, Rung
from gradviz.snapshot import Moment, Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.painted import vectors
from ui import motion
from ui.canvas.card import card_of
from ui.canvas.chain import is_of
from ui.canvas.columns import Columns
from ui.canvas.reach import SENT, known_gradients, masks_of
from ui.canvas.scene import NetworkCanvas
from ui.canvas.stage import caption
from ui.canvas.wave import crosses, front_of, way_of
from ui.canvas.words import describe, table_of
from ui.colors import UNKNOWN
from ui.selection import Selection
from ui.theme import THEMES

SIZES = (
    {"depth": 1, "width": 1},
    {"kind": "healthy", "skip_every": 2, "batch_norm": True, "clipped": True},
    {"depth": 50, "width": 8},
    {"depth": 120, "width": 4},
    {"depth": 6, "width": 64, "batch_norm": True},
    {"kind": "nan"},
)
ORDER = ("forward", "loss", "backward", "clip", "update")


def mid(snapshot: Snapshot, kind: str, layer: int = 0, step: int = 413) -> Snapshot:
    """The snapshot as it would be inside a step, after that phase."""
    layers = len(snapshot.architecture.layers)
    done = {
        "forward": layer,
        "loss": layers + 1,
        "backward": 2 * layers + 2 - layer,
        "clip": 2 * layers + 2,
        "update": 2 * layers + 3,
    }[kind]
    return msgspec.structs.replace(snapshot, moment=Moment(step, kind, layer, done, 2 * layers + 3, layers))


def chained(snapshot: Snapshot, layer: int, row: int = 0, column: int = 0) -> Snapshot:
    """The snapshot with the factors of one weight, its path through the first unit of every layer, or over the skips."""
    layers, skips = len(snapshot.architecture.layers), {to: source for source, to in snapshot.architecture.skips}
    rungs, at = [Rung("loss", layers, 0, 0, 2.26, 2.26, 0.35, 2.26)], layers
    while at > layer:
        if skips.get(at, 0) >= layer:
            rungs.append(Rung("skip", at, 0, 0, 1.0, 0.1, -1.0, 0.1))
            at = skips[at]
        else:
            rungs.append(Rung("weight", at, 0, column if at == layer + 1 else 0, 0.2, 0.1, -1.0, 0.1))
            at -= 1
    numbers = (0.0, 0.557, 0, 2.26, 3.9e-6, 0.591, 0.0, 5.2e-6, 5.2e-6, 5.2e-6, 3.0)
    chain = ChainRule(f"layer{layer:02}.weight", layer, row, column, 11, 12, 32, *numbers, rungs=tuple(rungs), reached=True)
    return msgspec.structs.replace(snapshot, chain=chain)


def canvas_of(qtbot: QtBot, snapshot: Snapshot, width: int = 976, height: int = 416) -> NetworkCanvas:
    canvas = NetworkCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(width, height)
    canvas.show_snapshot(snapshot)
    canvas.show()
    return canvas


def colours(image: QImage, area: QRect) -> set[int]:
    return {image.pixel(x, y) for x in range(area.left(), area.right()) for y in range(area.top(), area.bottom(), 2)}


def is_grey(pixel: int) -> bool:
    """Of the chrome: its blue is never far from its red."""
    colour = QColor.fromRgb(pixel)
    return colour.hslSaturationF() < 0.35 or colour.lightness() < 40


def words(canvas: NetworkCanvas) -> str:
    """All that is written; a vector file cuts a word where the font changes."""
    return "".join(re.findall(r">([^<>\n]+)</text>", vectors(canvas, 976, 416)))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("kind", ORDER)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("area", [(416, 180), (976, 416)])
def test_every_phase_is_drawn(qtbot: QtBot, size: dict[str, int], kind: str, theme: str, area: tuple[int, int]) -> None:
    snapshot = fabricate(**size)  # type: ignore[arg-type]
    layers = len(snapshot.architecture.layers)
    for layer in {1, layers // 2 + 1, layers} if kind in ("forward", "backward") else {0}:
        canvas = canvas_of(qtbot, chained(mid(snapshot, kind, layer), max(1, layer)), *area)
        canvas.set_theme(THEMES[theme])
        canvas.chain_shown = True
        assert not canvas.grab().toImage().isNull()
        layout = canvas._current_layout()
        assert layout.body_top + 36 <= layout.body_bottom < layout.bracket_y or not layout.has_foot
        assert layout.label_y < area[1] - 6 or not layout.has_foot
        assert layout.caption_y + 8 <= layout.names_y - 6 or not layout.has_caption
        assert (layout.has_foot and layout.has_caption) or area[1] < 200


def test_what_stands_for_a_gradient_that_is_not_there() -> None:
    snapshot = fabricate()
    assert masks_of(snapshot) is None
    assert masks_of(mid(snapshot, "update")) is None
    for kind, layer, wanted in (
        ("forward", 3, [SENT] * 3 + [UNKNOWN] * 8),
        ("loss", 0, [SENT] * 11),
        ("backward", 5, [UNKNOWN] * 4 + [0] * 7),
    ):
        masks = masks_of(mid(snapshot, kind, layer))
        assert masks is not None
        assert masks.tolist() == wanted
    landing = masks_of(mid(snapshot, "backward", 5), landing=5)
    assert landing is not None
    assert landing.tolist() == [UNKNOWN] * 5 + [0] * 6
    assert len(known_gradients(mid(snapshot, "backward", 5))) == 7


@pytest.mark.parametrize("size", [{}, {"width": 64}, {"depth": 80, "kind": "healthy"}])
def test_what_is_not_reached_has_no_colour(qtbot: QtBot, size: dict[str, int]) -> None:
    snapshot = fabricate(**{"kind": "healthy", **size})  # type: ignore[arg-type]
    layers = len(snapshot.architecture.layers)
    canvas = canvas_of(qtbot, mid(snapshot, "backward", layers // 2))
    layout = canvas._current_layout()
    image = canvas.grab().toImage()
    top, high = int(layout.body_top), int(layout.body)
    waiting = QRect(QPoint(60, top), QPoint(int(layout.columns.x(layers // 2 - 2)), top + high))
    reached = QRect(QPoint(int(layout.columns.x(layers // 2)), top), QPoint(int(layout.columns.x(layers)), top + high))
    assert all(is_grey(pixel) for pixel in colours(image, waiting))
    assert not all(is_grey(pixel) for pixel in colours(image, reached))


def test_a_skip_waits_for_the_layer_at_its_end(qtbot: QtBot) -> None:
    snapshot = fabricate(kind="healthy", skip_every=2)
    numbers = {layer: vectors(canvas_of(qtbot, mid(snapshot, "backward", layer)), 976, 416).count(">0.0") for layer in (10, 9, 7, 1)}
    assert [numbers[layer] for layer in (10, 9, 7, 1)] == [0, 1, 2, 4]


@pytest.mark.parametrize(
    ("kind", "layer", "words"),
    [
        ("forward", 3, "Forward: layer 3 of 11"),
        ("forward", 11, "Forward: Out, the last one"),
        ("loss", 0, "Loss: J = 0.69"),
        ("backward", 11, "Backward: Out now, 10 to go"),
        ("backward", 5, "Backward: layer 5 now, 4 to go"),
        ("backward", 1, "Backward: layer 1 now, the last one"),
        ("clip", 0, "Clip: off, the gradient stays as it is"),
        ("update", 0, "Update: every weight has moved, step 413 is done"),
    ],
)
def test_the_stage_is_named(qtbot: QtBot, kind: str, layer: int, words: str) -> None:
    canvas = canvas_of(qtbot, mid(fabricate(), kind, layer))
    assert f">{words}<" in vectors(canvas, 976, 416)
    assert words in canvas.accessibleDescription()


def test_clipping_is_told_and_marked_only_once_it_has_run(qtbot: QtBot) -> None:
    snapshot = fabricate(kind="exploding", clipped=True)
    moment = mid(snapshot, "clip").moment
    assert moment is not None
    assert caption(snapshot, moment).startswith("Clip: gradient norm cut from ")
    spared = msgspec.structs.replace(snapshot, clipped_norm=snapshot.total_norm)
    assert "below the threshold" in caption(spared, moment)
    before, after = (vectors(canvas_of(qtbot, mid(snapshot, *phase)), 976, 416) for phase in (("backward", 1), ("clip", 0)))
    assert after.count("<polyline") > before.count("<polyline")


def test_only_layers_that_wait_are_said_to_wait(qtbot: QtBot) -> None:
    for waits, sent, kind, layer in ((1, 0, "backward", 5), (1, 1, "forward", 3), (0, 1, "loss", 0), (0, 0, "backward", 1)):
        text = vectors(canvas_of(qtbot, mid(fabricate(), kind, layer)), 976, 416)
        assert text.count(">not reached yet<") == waits
        assert text.count(">no gradient yet<") == sent


def test_brackets_name_the_three_factors_and_keep_clear_of_other_words(qtbot: QtBot) -> None:
    snapshot = fabricate(kind="healthy", skip_every=2, batch_norm=True, clipped=True)
    canvas = canvas_of(qtbot, chained(mid(snapshot, "backward", 6), 6, 4, 2))
    assert "∂z/∂w" not in words(canvas)  # nobody reads the chain rule
    canvas.chain_shown = True
    assert all(label in words(canvas) for label in ("∂z/∂w", "∂ŷ/∂z", "∂J/∂ŷ", "not reached yet", "BN"))
    layout = canvas._current_layout()
    assert layout.bracket_y - 6 > layout.marks_y + 8
    picture = canvas.grab().toImage()
    row = {picture.pixelColor(x, round(layout.bracket_y)).name().upper() for x in range(976)}
    theme = THEMES["dark"]
    assert {theme.blue, theme.red, theme.purple} <= row


def test_the_weight_of_the_chain_is_marked_without_any_selection(qtbot: QtBot) -> None:
    snapshot, theme = chained(fabricate(kind="healthy"), 3, 1, 4), THEMES["dark"]
    canvas = canvas_of(qtbot, snapshot)
    canvas.chain_shown = True
    layout, image = canvas._current_layout(), canvas.grab().toImage()
    for column, unit, ink in ((2, 1, theme.blue), (3, 4, theme.red), (11, 0, theme.purple)):
        point = layout.unit_point(column, unit)
        ring = QRect(0, 0, 30, 30).translated(round(point.x()) - 15, round(point.y()) - 15)
        assert QColor(ink).rgb() in colours(image, ring)
    assert is_of(Selection("edge", 3, 4, 1), layout, snapshot.chain)  # type: ignore[arg-type]
    assert not is_of(Selection("edge", 3, 4, 2), layout, snapshot.chain)  # type: ignore[arg-type]


def test_a_weight_within_a_block_is_known_by_its_block(qtbot: QtBot) -> None:
    snapshot = chained(fabricate(depth=3, width=64), 2, 9, 63)
    canvas = canvas_of(qtbot, snapshot)
    layout = canvas._current_layout()
    assert is_of(Selection("edge", 2, 7, 1), layout, snapshot.chain)  # type: ignore[arg-type]
    assert not is_of(Selection("edge", 2, 6, 1), layout, snapshot.chain)  # type: ignore[arg-type]


@pytest.mark.parametrize("layer", [1, 6, 11])
def test_every_factor_has_its_own_bracket(qtbot: QtBot, layer: int) -> None:
    for depth, width in ((10, 976), (10, 416), (49, 976), (200, 976)):
        snapshot = fabricate(depth=depth)
        canvas = canvas_of(qtbot, chained(snapshot, min(layer, depth + 1) if layer < 11 else depth + 1), width)
        canvas.chain_shown = True
        image, layout, theme = canvas.grab().toImage(), canvas._current_layout(), THEMES["dark"]
        foot = QRect(0, int(layout.bracket_y) - 2, width, int(layout.label_y - layout.bracket_y) + 10)
        inks = {QColor.fromRgb(pixel).name().upper() for pixel in colours(image, foot)}
        assert {theme.blue, theme.red, theme.purple} <= inks


# ---- the wave


def test_a_signal_runs_over_one_gap_at_a_time() -> None:
    snapshot = fabricate()

    def at(kind: str, layer: int = 0, step: int = 413) -> Snapshot:
        return mid(snapshot, kind, layer, step)

    for before, now, runs in (
        (snapshot, at("forward", 1), True),
        (at("forward", 1), at("forward", 2), True),
        (at("forward", 11), at("loss"), True),
        (at("loss"), at("backward", 11), True),
        (at("backward", 5), at("backward", 4), True),
        (at("update"), at("forward", 1, 414), True),
        (at("backward", 4), at("backward", 5), False),  # back
        (at("forward", 2), at("backward", 5), False),  # a whole stage
        (at("backward", 1), at("clip"), False),
        (at("clip"), at("update"), False),
        (at("update"), snapshot, False),
        (None, at("forward", 1), False),
        (at("forward", 1), msgspec.structs.replace(at("forward", 2), playing=True), False),
    ):
        assert crosses(before, now) is runs


def test_the_wave_runs_once_and_the_new_colours_land_with_its_end(qtbot: QtBot) -> None:
    snapshot = fabricate(kind="healthy")
    canvas = canvas_of(qtbot, mid(snapshot, "backward", 6))
    canvas.show_snapshot(mid(snapshot, "backward", 5))
    assert canvas.wave.running
    point = canvas._current_layout().unit_point(5, 3).toPoint()
    canvas.wave.setCurrentTime(60)
    assert is_grey(canvas.grab().toImage().pixel(point))
    canvas.show_snapshot(mid(snapshot, "backward", 5))  # another frame of the same moment
    assert canvas.wave.running
    qtbot.waitUntil(lambda: not canvas.wave.running)
    assert not is_grey(canvas.grab().toImage().pixel(point))


def test_a_second_press_skips_to_the_end(qtbot: QtBot) -> None:
    snapshot = fabricate(kind="healthy")
    canvas = canvas_of(qtbot, mid(snapshot, "backward", 6))
    canvas.show_snapshot(mid(snapshot, "backward", 5))
    canvas.show_snapshot(mid(snapshot, "backward", 4))
    assert canvas.wave.landing == 4
    layout, image = canvas._current_layout(), canvas.grab().toImage()
    assert not is_grey(image.pixel(layout.unit_point(5, 3).toPoint()))
    assert is_grey(image.pixel(layout.unit_point(4, 3).toPoint()))
    canvas.show_snapshot(mid(snapshot, "backward", 5))  # back again
    assert not canvas.wave.running


def test_several_phases_at_once_are_one_sweep_over_their_columns() -> None:
    snapshot = fabricate()
    for before, now, way in (
        (snapshot, mid(snapshot, "forward", 11), (0, 11)),
        (mid(snapshot, "forward", 3), mid(snapshot, "loss"), (3, 12)),
        (mid(snapshot, "loss"), mid(snapshot, "backward", 1), (12, 1)),
        (mid(snapshot, "backward", 9), mid(snapshot, "clip"), (9, 1)),
        (mid(snapshot, "update"), mid(snapshot, "update", step=414), (12, 1)),
        (mid(snapshot, "clip"), mid(snapshot, "update"), None),
        (mid(snapshot, "backward", 1), mid(snapshot, "backward", 9), None),  # back
        (mid(snapshot, "update", step=414), mid(snapshot, "update"), None),
        (mid(snapshot, "update"), snapshot, None),
        (snapshot, msgspec.structs.replace(mid(snapshot, "forward", 11), playing=True), None),
        (snapshot, mid(fabricate(depth=4), "forward", 5), None),
    ):
        assert way_of(before, now) == way


def test_a_sweep_shows_the_new_numbers_only_behind_its_front(qtbot: QtBot) -> None:
    snapshot = fabricate(kind="healthy")
    canvas = canvas_of(qtbot, mid(snapshot, "loss"))
    canvas.show_snapshot(mid(snapshot, "update"))
    canvas.wave.setCurrentTime(60)
    layout, image = canvas._current_layout(), canvas.grab().toImage()
    assert layout.columns.x(3) < front_of(layout, canvas.wave) < layout.columns.x(10)
    coloured = [not is_grey(image.pixel(layout.unit_point(layer, 1).toPoint())) for layer in (1, 2, 10)]
    assert coloured == [False, False, True]
    qtbot.waitUntil(lambda: not canvas.wave.running)
    assert not is_grey(canvas.grab().toImage().pixel(layout.unit_point(1, 1).toPoint()))


@pytest.mark.parametrize("phases", [(("forward", 2), ("forward", 3)), (("forward", 11), ("loss",)), (("loss",), ("backward", 11))])
@pytest.mark.parametrize("size", [{}, {"kind": "dead"}, {"width": 64}, {"depth": 10, "skip_every": 2}])
def test_every_wave_is_drawn_and_no_export_shows_it(qtbot: QtBot, phases: tuple[tuple[str, int], ...], size: dict[str, int]) -> None:
    snapshot = fabricate(**size)  # type: ignore[arg-type]
    canvas = canvas_of(qtbot, mid(snapshot, *phases[0]))
    canvas.show_snapshot(mid(snapshot, *phases[1]))
    for now in (0, 30, 120, 200):
        canvas.wave.setCurrentTime(now)
        canvas.grab()
    running = vectors(canvas, 976, 416)
    canvas.wave.stop()
    assert running == vectors(canvas, 976, 416)


@pytest.mark.parametrize("mode", ["reduced", "off"])
def test_nothing_runs_when_motion_is_not_wanted(qtbot: QtBot, mode: str) -> None:
    snapshot = fabricate()
    canvas = canvas_of(qtbot, mid(snapshot, "backward", 6))
    canvas.show_snapshot(mid(snapshot, "backward", 5))
    canvas.set_motion(mode)
    assert not canvas.wave.running
    canvas.show_snapshot(mid(snapshot, "backward", 4))
    assert not canvas.wave.running
    with pytest.raises(ValueError, match="full, reduced, off"):
        canvas.set_motion("fast")


def test_a_hidden_canvas_stands_still(qtbot: QtBot) -> None:
    snapshot = fabricate()
    canvas = canvas_of(qtbot, mid(snapshot, "backward", 6))
    canvas.show_snapshot(mid(snapshot, "backward", 5))
    canvas.hide()
    assert not canvas.wave.running
    canvas.show_snapshot(mid(snapshot, "backward", 4))
    assert not canvas.wave.running


def test_the_column_in_work_is_kept_in_sight(qtbot: QtBot) -> None:
    snapshot = fabricate(depth=100)
    canvas = canvas_of(qtbot, mid(snapshot, "forward", 1))
    canvas.set_columns(canvas.columns.zoomed(8.0, 0.0))
    canvas.show_snapshot(mid(snapshot, "backward", 101))
    assert 0 < canvas.columns.x(101) < 976
    canvas.fit()
    canvas.show_snapshot(mid(snapshot, "backward", 50))
    assert canvas.columns == Columns(976.0, 101)


# ---- words


def test_the_card_says_what_is_not_reached_and_what_it_was(qtbot: QtBot) -> None:
    snapshot = mid(fabricate(), "backward", 5)
    layout = canvas_of(qtbot, snapshot)._current_layout()
    waiting = dict(card_of(layout, snapshot, Selection("edge", 3, 4, 1)).rows)
    assert waiting["∂J/∂w"] == "not reached yet in step 413"
    assert {"value", "in step 412", "moved in step 412 by"} <= waiting.keys()
    reached = dict(card_of(layout, snapshot, Selection("edge", 6, 4, 1)).rows)
    assert "×10" in reached["∂J/∂w"]
    for selection in (Selection("unit", 3, 4), Selection("layer", 3)):
        rows = card_of(layout, snapshot, selection).rows
        assert rows[0][1] == "not reached yet in step 413"
        assert rows[1][0] == "in step 412"
    first = mid(fabricate(), "forward", 2, step=1)
    assert "in step 0" not in dict(card_of(layout, first, Selection("edge", 3, 4, 1)).rows)
    whole = mid(fabricate(), "update")
    assert "moves this step by" in dict(card_of(layout, whole, Selection("edge", 3, 4, 1)).rows)


def test_one_example_is_named(qtbot: QtBot) -> None:
    snapshot = msgspec.structs.replace(mid(fabricate(), "backward", 5), example=11)
    layout = canvas_of(qtbot, snapshot)._current_layout()
    assert card_of(layout, snapshot, Selection("unit", 7, 4)).rows[0][0] == "|∂J/∂z| of example 12"
    assert "example 12 alone" in describe(snapshot)


def test_the_table_leaves_out_what_belongs_to_the_step_before() -> None:
    table = table_of(mid(fabricate(), "backward", 5))
    columns = {name: [row[n] for row in table.rows] for n, name in enumerate(table.columns)}
    assert [value == "" for value in columns["gradient_rms"]] == [True] * 4 + [False] * 7
    assert set(columns["update_norm"]) == set(columns["gradient_rms_clipped"]) == {""}
    assert [value == "" for value in columns["mean_slope"]] == [True] * 4 + [False] * 7
    assert "" not in columns["activation_mean"]
    assert not any("" in row for row in table_of(mid(fabricate(), "update")).rows)


# ---- the setting


def test_motion_is_kept() -> None:
    assert motion.load() in motion.MODES
    for mode in motion.MODES:
        motion.save(mode)
        assert motion.load() == mode
    with pytest.raises(ValueError, match="full, reduced, off"):
        motion.save("fast")
    QSettings().setValue(motion.KEY, "sideways")
    assert motion.load() in motion.MODES


def test_before_the_first_step_a_phase_can_be_shown(qtbot: QtBot) -> None:
    for details in (False, True):
        snapshot = fabricate(details=details)
        if snapshot.details is not None:
            unknown = {name: np.full_like(getattr(snapshot.details, name), np.nan) for name in ("edge_gradients", "unit_deltas")}
            snapshot = msgspec.structs.replace(snapshot, details=msgspec.structs.replace(snapshot.details, **unknown))
        for kind, layer in (("forward", 2), ("loss", 0)):
            canvas = canvas_of(qtbot, mid(snapshot, kind, layer, step=1))
            assert "Press Play" not in vectors(canvas, 976, 416)
            image = canvas.grab().toImage()
            assert QColor(THEMES["dark"].nan).rgb() not in colours(image, QRect(60, 110, 760, 260))
