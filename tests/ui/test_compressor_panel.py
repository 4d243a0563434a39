"""The view of the history compressor: what it says and draws of what was read, and what it asks the engine to read."""

import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gradviz.compressor_report import compressor_report
from gradviz.lab_reports import CompressorReport
from gradviz.snapshot import Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.live import opened
from tests.ui.painted import picture, pixels
from tests.ui.test_lab_panels import said
from ui.app import main
from ui.lab_page import LabPage
from ui.panels import compressor_words as words
from ui.panels import lab_panels
from ui.panels.compressor import CompressorPanel
from ui.panels.compressor_ribbons import Ribbons
from ui.theme import THEMES

READS = [(8, 0), (8, 1), (8, 2), (8, 25), (8, 407), (8, 800), (30, 389), (100, 856), (100, 4140), (200, 16_000)]


def read(lag: int, symbols: int) -> Snapshot:
    return msgspec.structs.replace(fabricate(kind="healthy"), lab=compressor_report(lag, symbols, 0))


def shown(qtbot: QtBot, lag: int, symbols: int, width: int = 360) -> CompressorPanel:
    panel = CompressorPanel()
    qtbot.addWidget(panel)
    panel.resize(width, 900)
    panel.show_snapshot(read(lag, symbols))
    panel.show()
    return panel


def follow(panel: CompressorPanel) -> list[tuple[int, int]]:
    """Answer like the engine, and keep what was asked for."""
    asked: list[tuple[int, int]] = []

    def answer(lag: int, symbols: int) -> None:
        asked.append((lag, symbols))
        panel.show_snapshot(read(lag, symbols))

    panel.reading_wanted.connect(answer)
    return asked


@pytest.mark.parametrize(("lag", "symbols"), READS)
def test_every_state_is_drawn_in_any_size_and_theme(qtbot: QtBot, lag: int, symbols: int) -> None:
    panel = shown(qtbot, lag, symbols)
    for theme in THEMES.values():
        panel.set_theme(theme)
        for width, height in ((360, 870), (260, 300), (1200, 500), (40, 30)):
            assert len(np.unique(pixels(panel, width, height))) > (1 if width > 40 else 0)
    assert panel.accessibleDescription()
    table = panel.table()
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert bool(table.rows) == bool(symbols)


def test_how_much_shorter_the_upper_sequence_is_and_what_that_is_good_for(qtbot: QtBot) -> None:
    text = said(shown(qtbot, 100, 102 * 60))
    assert "symbols passed on to the upper level: 928" in text
    assert "in all: ×6.6" in text  # 6120 / 928
    assert "of the last whole block: ×51.0" in text  # 102 → 2
    assert "came 101 steps after its cue below, but 1 after it above" in text
    assert "101 factors below, 1 above" in text
    assert "the lower level foresaw 0 and the upper level 10" in text
    early = said(shown(qtbot, 8, 25))
    assert "in all: ×1.0" in early
    assert "dares no prediction" in early
    assert "nothing between them was predicted" in early


def test_the_newest_symbol_and_the_next_one_are_told() -> None:
    report = compressor_report(8, 407, 0)
    assert words.latest(report) == "b6 came as the lower level had predicted: not passed on."
    assert words.expected(report) == "The lower level expects b7 next. If a symbol is passed on, the upper level expects X."
    assert words.expected(compressor_report(8, 800, 0)) == "The sequence ends here."


@pytest.mark.parametrize("width", [260, 360, 640])
@pytest.mark.parametrize(("lag", "symbols"), READS[1:])
def test_the_ribbons_stay_inside_in_order_and_hold_a_whole_block(qtbot: QtBot, lag: int, symbols: int, width: int) -> None:
    ribbons = Ribbons()
    qtbot.addWidget(ribbons)
    report = compressor_report(lag, symbols, 0)
    ribbons.show_report(report)
    area = QRectF(0, 0, width, ribbons.height_at(width))
    upper, lower = ribbons._cells(area)
    assert len(lower) >= min(symbols, lag)
    for cells in (upper, lower):
        assert all(a.box.right() <= b.box.left() + 0.01 for a, b in itertools.pairwise(cells))
        assert all(area.left() + 14 <= cell.box.left() and cell.box.right() <= area.right() - 16 for cell in cells)
        assert [cell.time for cell in cells] == sorted(cell.time for cell in cells)
    assert lower[-1].time == symbols - 1
    passed = {cell.time for cell in lower if cell.surprise}
    assert {cell.time for cell in upper} >= {time for time in passed if upper and time >= upper[0].time}


def test_a_cell_tells_what_was_predicted(qtbot: QtBot) -> None:
    ribbons = Ribbons()
    qtbot.addWidget(ribbons)
    ribbons.show_report(compressor_report(8, 407, 0))
    area = QRectF(0, 0, 360, ribbons.height_at(360))
    picture(ribbons, 360, int(area.height()))
    newest = ribbons._cells(area)[1][-1]
    spot = ribbons.spot_at(QPointF(newest.box.center()))
    assert spot is not None
    assert spot.words == "lower level, symbol 407 of the sequence = b6; b6 was predicted"


def test_it_reads_on_by_symbol_by_block_and_from_the_beginning(qtbot: QtBot) -> None:
    panel = shown(qtbot, 8, 25)
    asked = follow(panel)
    for button in (*panel.steps, panel.again):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel._lag.button("30"), Qt.MouseButton.LeftButton)
    assert asked == [(8, 26), (8, 30), (8, 130), (8, 0), (30, 0)]


def test_clicks_that_come_before_the_answer_are_added_up(qtbot: QtBot) -> None:
    panel = shown(qtbot, 8, 25)
    asked: list[tuple[int, int]] = []
    panel.reading_wanted.connect(lambda lag, symbols: asked.append((lag, symbols)))
    for _ in range(3):
        qtbot.mouseClick(panel.steps[1], Qt.MouseButton.LeftButton)
    assert asked == [(8, 30), (8, 40), (8, 50)]


def test_play_reads_on_waits_for_each_answer_and_ends_with_the_sequence(qtbot: QtBot) -> None:
    panel = shown(qtbot, 8, 797)
    asked: list[tuple[int, int]] = []
    panel.reading_wanted.connect(lambda lag, symbols: asked.append((lag, symbols)))
    qtbot.mouseClick(panel.play, Qt.MouseButton.LeftButton)
    panel._on_tick()
    assert asked == [(8, 798)]  # nothing more before it has come
    follow(panel)
    panel.show_snapshot(read(8, 798))
    qtbot.waitUntil(lambda: not panel.playing)
    assert asked[-1] == (8, 800)
    assert not panel.play.isEnabled()


def test_a_hidden_view_does_not_go_on_reading(qtbot: QtBot) -> None:
    panel = shown(qtbot, 8, 25)
    qtbot.mouseClick(panel.play, Qt.MouseButton.LeftButton)
    assert panel.playing
    panel.hide()
    assert not panel.playing


def test_without_a_report_it_says_so(qtbot: QtBot) -> None:
    panel = shown(qtbot, 8, 25)
    panel.clear()
    assert "Nothing read yet" in panel.accessibleDescription()
    assert panel.table().rows == ()


def test_it_reads_in_the_window(qtbot: QtBot) -> None:
    window = opened(qtbot, fabricate(depth=3).spec)
    window.show_lab("compressor")
    assert window.lab is not None
    panel = window.lab.panel
    assert isinstance(panel, CompressorPanel)
    qtbot.waitUntil(lambda: panel.report is not None, timeout=20_000)
    qtbot.mouseClick(panel.steps[2], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.report is not None and panel.report.read == 100, timeout=20_000)


def test_it_is_rendered_without_a_screen(tmp_path: Path) -> None:
    target = tmp_path / "levels.svg"
    assert main(["render", "--preset", "vanishing", "--steps", "130", "--view", "compressor", "-o", str(target)]) == 0
    text = target.read_text()
    assert "Levels in time" in text
    assert "of 130" in text


def test_reports_of_other_views_are_not_taken(qtbot: QtBot) -> None:
    panel = shown(qtbot, 8, 25)
    panel.show_snapshot(msgspec.structs.replace(read(8, 25), lab=None))
    assert panel.report is None
    assert not isinstance(panel.snapshot.lab if panel.snapshot else None, CompressorReport)


@pytest.mark.parametrize("width", [260, 300, 360, 900])
def test_the_names_of_the_lab_are_whole_at_any_width(qtbot: QtBot, width: int) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    lab = LabPage([kind() for kind in (*lab_panels(), CompressorPanel)], box)  # as if there were one more
    lab.set_theme(THEMES["light"])
    box.show()
    lab.setGeometry(0, 0, width, 600)
    names = lab.findChildren(QPushButton, "lab-view")
    qtbot.waitUntil(lambda: all(name.width() >= name.sizeHint().width() and name.geometry().right() < width for name in names))
