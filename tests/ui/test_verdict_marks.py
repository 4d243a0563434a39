"""The verdict on the layers of the network: a bracket over the right columns, words that cover nothing, in vectors too."""

import msgspec
import pytest
from PySide6.QtCore import QSizeF
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Snapshot, Verdict
from tests.ui.fabricate import fabricate
from ui.canvas.columns import Columns
from ui.canvas.layout import Layout
from ui.canvas.marks import name_places
from ui.canvas.scene import NetworkCanvas
from ui.canvas.verdict import _label_spot
from ui.export import picture
from ui.verdict_signs import WORDS, label_width, runs, verdict_on_layers


def judged(snapshot: Snapshot, *layers: int, kind: str = "vanishing") -> Snapshot:
    return msgspec.structs.replace(snapshot, verdicts=(Verdict(kind, layers, "", 1e-6, 1e-3, ""),))


def test_runs_of_neighbours() -> None:
    assert runs((7, 1, 2, 3, 5)) == [(1, 3), (5, 5), (7, 7)]
    assert runs(()) == []


def test_the_most_serious_verdict_that_names_layers_is_marked() -> None:
    whole, some = Verdict("oscillating", (), "", 0.0, 0.0, ""), Verdict("saturated", (2,), "", 0.0, 0.0, "")
    assert verdict_on_layers(msgspec.structs.replace(fabricate(), verdicts=(whole, some))) is some
    assert verdict_on_layers(msgspec.structs.replace(fabricate(), verdicts=(whole,))) is None
    assert verdict_on_layers(judged(fabricate(), 40)) is None  # of another net


@pytest.mark.parametrize("kind", WORDS)
def test_the_bracket_spans_the_columns_it_is_about(qtbot: QtBot, kind: str) -> None:
    canvas = NetworkCanvas()
    qtbot.addWidget(canvas)
    plain = fabricate()
    canvas.show_snapshot(plain)
    size = QSizeF(976, 416)
    without = picture(canvas, size)
    canvas.show_snapshot(judged(plain, 2, 3, 4, kind=kind))
    image, columns = picture(canvas, size), Columns(976, 11)
    layout = Layout(plain.architecture, columns, 416.0)
    changed = {
        layer
        for layer in range(1, 11)
        for y in range(round(layout.names_y) + 4, round(layout.names_y) + 11)
        if image.pixel(round(columns.x(layer + 0.5)), y) != without.pixel(round(columns.x(layer + 0.5)), y)
    }
    assert changed == {2, 3}  # between 2 and 3, and between 3 and 4


@pytest.mark.parametrize(("width", "height", "top"), [(976.0, 416.0, 48.0), (370.0, 230.0, 100.0), (560.0, 300.0, 48.0)])
@pytest.mark.parametrize("depth", [1, 10, 50, 300])
@pytest.mark.parametrize("skips", [0, 2])
def test_the_words_cover_no_name(qtbot: QtBot, width: float, height: float, top: float, depth: int, skips: int) -> None:
    snapshot = fabricate(depth=depth, skip_every=skips)
    layout = Layout(snapshot.architecture, Columns(width, depth + 1), height, top)
    names = name_places(layout, [])
    for kind in WORDS:
        wide = label_width(kind)
        spot = _label_spot(layout, names, layout.columns.x(1), layout.columns.x(max(1, depth // 2)), wide)
        if spot is None:
            continue
        left, y = spot
        assert left >= 0
        assert left + wide <= width
        assert y - 7 >= layout.top
        if y == layout.names_y:
            assert all(left + wide <= name.x - name.half or left >= name.x + name.half for name in names)
