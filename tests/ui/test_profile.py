"""The gradient profile: which layer stands where, what the numbers say, and that no state of a run blanks it."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from ui import colors
from ui.canvas.columns import Columns
from ui.panels.panel import Panel
from ui.panels.profile import ProfilePanel
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


def drawn(panel: Panel, width: int = 976, height: int = 220) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    panel.paint_to(painter, QRectF(0, 0, width, height))
    painter.end()
    return image


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
def test_every_state_is_drawn(panel: ProfilePanel, snapshot, size, theme) -> None:
    panel.set_theme(THEMES[theme])
    panel.show_snapshot(snapshot)
    assert inks(drawn(panel, *size), (0, 0, *size)) > 5


def test_bars_stand_under_the_columns_in_the_colour_of_their_gradient(panel: ProfilePanel) -> None:
    snapshot = fabricate()
    panel.show_snapshot(snapshot)
    image = drawn(panel)
    last = float(snapshot.details.gradient_rms[-1])
    x = round(Columns(976, 11).x(11))
    assert image.pixelColor(x - 10, 150) == colors.color(colors.level(last), panel.theme)
    assert image.pixelColor(x - 34, 150) != colors.color(colors.level(last), panel.theme)


def test_bars_follow_the_zoomed_columns(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(kind="healthy"))
    columns = Columns(976, 11).zoomed(2.0, 488)
    panel.set_columns(columns)
    image = drawn(panel)
    visible = [n for n in columns.visible() if 150 < columns.x(n) < 860]
    assert visible
    for layer in visible:
        bar = float(panel.snapshot.details.gradient_rms[layer - 1])
        assert image.pixelColor(round(columns.x(layer)) - 12, 156) == colors.color(colors.level(bar), panel.theme)


def test_a_clipped_step_shows_both_values(panel: ProfilePanel) -> None:
    snapshot = fabricate(kind="exploding", clipped=True)
    panel.show_snapshot(snapshot)
    image = drawn(panel)
    after = float(snapshot.details.clipped_rms[-1])
    assert after < float(snapshot.details.gradient_rms[-1])
    assert image.pixelColor(round(Columns(976, 11).x(11)) - 10, 135) == colors.color(colors.level(after), panel.theme)
    row = dict(zip(panel.table().columns, panel.table().rows[-1], strict=True))
    assert row["gradient_rms"] == float(snapshot.details.gradient_rms[-1])
    assert row["gradient_rms_after_clipping"] == after


def test_not_finite_is_striped_and_zero_is_a_foot(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(kind="nan"))
    x = round(Columns(976, 11).x(11))
    column = {drawn(panel).pixelColor(x - 12, y).name() for y in range(45, 80)}
    assert QColor(panel.theme.nan).name() in column
    assert QColor(panel.theme.nan_ground).name() in column
    panel.show_snapshot(fabricate(kind="dead"))
    x = round(Columns(976, 11).x(1))
    assert drawn(panel).pixelColor(x, 159) == QColor(panel.theme.outline)
    assert drawn(panel).pixelColor(x - 14, 140) == QColor(panel.theme.canvas)


def test_nothing_yet_is_not_zero(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate(details=False))
    assert panel.table().rows == ()
    assert drawn(panel).pixelColor(round(Columns(976, 11).x(1)), 159) != QColor(panel.theme.outline)


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
    before = drawn(panel)
    plain = panel.grab().toImage()
    qtbot.mouseMove(panel, QPoint(round(Columns(976, 11).x(4)), 100))
    qtbot.waitUntil(lambda: panel.grab().toImage() != plain)
    assert drawn(panel) == before


def test_theory_and_reference_are_drawn_over_the_bars(panel: ProfilePanel) -> None:
    panel.show_snapshot(fabricate())
    without = drawn(panel)
    panel.set_reference("another run", np.full(11, 1e-2))
    with_reference = drawn(panel)
    assert with_reference != without
    panel.theory = ("0.25 per layer", 0.25 ** np.arange(10, -1, -1.0))
    assert drawn(panel) != with_reference
    panel.theory = None
    panel.set_reference("", None)
    assert drawn(panel) == without
