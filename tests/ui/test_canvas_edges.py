"""The edge-index image must look like the true lines it stands for."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage, QPainter

from tests.ui.fabricate import fabricate
from ui.canvas import edges
from ui.canvas.columns import Columns
from ui.canvas.edges import EdgeIndex, paint_lines
from ui.canvas.layout import Layout
from ui.colors import NONFINITE, ZERO, level, levels, palette
from ui.theme import THEMES

DARK = THEMES["dark"]
GROUND = QColor(DARK.canvas)


def drawn(layout: Layout, found: NDArray[np.uint8], fast: bool, scale: int = 1) -> NDArray[np.int64]:
    """(height, width, 3) of the edges alone on the canvas."""
    image = QImage(976 * scale, 416 * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(QColor(DARK.canvas))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if fast:
        EdgeIndex(layout, scale).paint(painter, found, DARK)
    else:
        paint_lines(painter, layout, found, DARK)
    painter.end()
    bits = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return bits[..., 2::-1].astype(np.int64)


@pytest.fixture
def layout() -> Layout:
    return Layout(fabricate().architecture, Columns(976.0, 11), 416.0)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("kind", ["vanishing", "healthy", "exploding"])
def test_index_image_looks_like_lines(kind: str, scale: int) -> None:
    snapshot = fabricate(kind=kind)
    assert snapshot.details is not None
    layout = Layout(snapshot.architecture, Columns(976.0, 11), 416.0)
    found = levels(snapshot.details.edge_gradients)
    fast, true = (drawn(layout, found, how, scale) for how in (True, False))
    background = np.array([GROUND.red(), GROUND.green(), GROUND.blue()])
    signal = np.abs(true - background).mean()
    assert np.abs(fast - true).mean() < 0.35 * signal
    assert abs(fast.mean() - true.mean()) < 0.1 * true.mean()


def test_the_strongest_edge_is_not_cut_by_those_it_crosses(layout: Layout) -> None:
    found = np.full(int(layout.edge_starts[-1]), level(1e-6), np.uint8)
    strong = layout.edge_slice(5).start + 0 * 8 + 7  # from the first unit to the last: crosses most others
    found[strong] = level(1.0)
    gap, picture = layout.gap(5), drawn(layout, found, fast=True)
    colour = QColor.fromRgb(int(palette(DARK)[level(1.0)]))
    for share in np.linspace(0.2, 0.8, 60):
        x, y = gap.x0 + share * (gap.x1 - gap.x0), gap.y0[0] + share * (gap.y1[7] - gap.y0[0])
        around = picture[int(y) - 1 : int(y) + 2, int(x)]
        assert np.abs(around - np.array([colour.red(), colour.green(), colour.blue()])).sum(axis=1).min() < 120


def test_exact_zero_is_not_drawn_and_nan_is_dashed_magenta(layout: Layout) -> None:
    edges = int(layout.edge_starts[-1])
    background = np.array([GROUND.red(), GROUND.green(), GROUND.blue()])
    for fast in (True, False):
        assert (drawn(layout, np.full(edges, ZERO, np.uint8), fast) == background).all()
        nan = drawn(layout, np.full(edges, NONFINITE, np.uint8), fast)
        inked = nan[(nan != background).any(axis=2)] - background
        assert len(inked) > 1000
        assert (inked[:, 0] >= inked[:, 1]).all()  # magenta adds more red than green
        solid = drawn(layout, np.full(edges, level(1e-2), np.uint8), fast)
        assert len(inked) < 0.8 * (solid != background).any(axis=2).sum()


def test_scrolled_away_edges_are_not_drawn() -> None:
    architecture = fabricate(depth=200).architecture
    columns = Columns(976.0, 201).zoomed(1e9, 500).scrolled(5000)
    layout = Layout(architecture, columns, 416.0)
    found = np.full(int(layout.edge_starts[-1]), level(1.0), np.uint8)
    true, fast = drawn(layout, found, False), drawn(layout, found, True)
    assert np.abs(true - fast).mean() < 6
    assert len(list(layout.gaps())) < 14


def test_what_is_remembered_of_the_edges_has_a_bound(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "TEMPLATE_BYTES", 1_000_000)
    first = drawn(layout, levels(np.logspace(-6, 0, layout.edge_starts[-1])), fast=True)
    for width in range(500, 1000, 50):
        EdgeIndex(Layout(fabricate().architecture, Columns(float(width), 11), 416.0), 1)
        assert sum(template.size for template in edges._templates.values()) <= 1_000_000
    np.testing.assert_array_equal(drawn(layout, levels(np.logspace(-6, 0, layout.edge_starts[-1])), fast=True), first)
