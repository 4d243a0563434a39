"""Dead and saturated units on the canvas: badges, counts, and what the card says."""

import msgspec
import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Census, Snapshot
from ui.canvas.card import card_of
from ui.canvas.census import badge_rect
from ui.canvas.scene import NetworkCanvas
from ui.selection import Selection
from ui.theme import THEMES, Theme

from .fabricate import fabricate


def with_census(dead: list[tuple[int, int]], saturated: list[tuple[int, int]], **shape: int) -> Snapshot:
    snapshot = fabricate(**shape)
    layers = snapshot.architecture.layers
    total = sum(layer.units for layer in layers)
    flags = {"dead": np.zeros(total, bool), "saturated": np.zeros(total, bool)}
    counts = {"dead": np.zeros(len(layers), np.int64), "saturated": np.zeros(len(layers), np.int64)}
    for kind, units in (("dead", dead), ("saturated", saturated)):
        for layer, unit in units:
            flags[kind][snapshot.architecture.unit_slice(layer).start + unit] = True
            counts[kind][layer - 1] += 1
    census = Census(240, flags["dead"], flags["saturated"], counts["dead"], counts["saturated"], np.zeros(len(layers)))
    return msgspec.structs.replace(snapshot, census=census)


@pytest.fixture(params=["dark", "light"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return THEMES[request.param]


def canvas_of(qtbot: QtBot, snapshot: Snapshot, theme: Theme = THEMES["dark"]) -> NetworkCanvas:
    canvas = NetworkCanvas()
    qtbot.addWidget(canvas)
    canvas.set_theme(theme)
    canvas.resize(976, 416)
    canvas.show()
    canvas.show_snapshot(snapshot)
    return canvas


def test_a_badge_marks_each_unit_that_does_not_learn(qtbot: QtBot, theme: Theme) -> None:
    marked = with_census([(2, 1)], [(3, 0)])
    plain = msgspec.structs.replace(marked, census=None)
    images = [canvas_of(qtbot, snapshot, theme).grab().toImage() for snapshot in (marked, plain)]
    layout = canvas_of(qtbot, marked, theme)._current_layout()
    for layer, unit in ((2, 1), (3, 0)):
        area = badge_rect(layout, layer, unit).toRect()
        spots = [(x, y) for x in range(area.left(), area.right()) for y in range(area.top(), area.bottom())]
        assert sum(images[0].pixel(*spot) != images[1].pixel(*spot) for spot in spots) > 20
        assert QColor(images[0].pixel(area.center())).lightness() != QColor(images[0].pixel(area.center().x(), area.top() + 2)).lightness()
    free = badge_rect(layout, 4, 2).toRect()
    assert images[0].copy(free) == images[1].copy(free)


def test_the_card_says_on_how_many_examples(qtbot: QtBot) -> None:
    snapshot = with_census([(2, 1), (2, 3)], [(3, 0)])
    layout = canvas_of(qtbot, snapshot)._current_layout()
    assert ("dead", "its slope is 0 on all 240 training examples") in card_of(layout, snapshot, Selection("unit", 2, 1)).rows
    saturated = ("saturated", "its slope is small on nearly all 240 training examples")
    assert saturated in card_of(layout, snapshot, Selection("unit", 3, 0)).rows
    units = snapshot.architecture.layers[1].units
    assert ("dead", f"2 of {units}, on all 240 examples") in card_of(layout, snapshot, Selection("layer", 2)).rows


def test_a_census_of_another_network_is_not_drawn(qtbot: QtBot) -> None:
    snapshot = fabricate()
    other = with_census([(1, 0)], [], depth=3).census
    images = [canvas_of(qtbot, msgspec.structs.replace(snapshot, census=census)).grab().toImage() for census in (other, None)]
    assert images[0] == images[1]
