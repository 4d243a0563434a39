"""Where things stand: columns that zoom and scroll, units and edges that are found again where they were put."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from tests.ui.fabricate import fabricate
from ui.canvas.columns import Columns
from ui.canvas.layout import Layout


def layout_of(height: float = 416.0, **settings: Any) -> Layout:
    architecture = fabricate(**settings).architecture
    return Layout(architecture, Columns(976.0, len(architecture.layers)), height)


@given(st.floats(300, 3000), st.integers(2, 1001), st.lists(st.tuples(st.floats(0.2, 5.0), st.floats(0, 3000)), max_size=6))
def test_zooming_keeps_the_point_under_the_mouse_and_the_net_in_sight(width: float, layers: int, moves: list[tuple[float, float]]) -> None:
    columns = Columns(width, layers)
    for factor, around in moves:
        before = (around - columns.x(0)) / columns.pitch
        columns = columns.zoomed(factor, around)
        assert 0.0 <= columns.offset <= columns.largest_offset
        if 0.0 < columns.offset < columns.largest_offset:
            assert (around - columns.x(0)) / columns.pitch == pytest.approx(before, abs=1e-6)
    assert columns.zoomed(1e-9, width / 2) == Columns(width, layers)
    for column in (0, layers // 2, layers + 1):
        assert columns.column_at(columns.x(column)) == column


def test_a_shallow_net_stands_in_the_middle() -> None:
    columns = Columns(976.0, 2)
    assert columns.x(0) - 100 == pytest.approx(976 - 60 - columns.x(3))
    assert columns.pitch < 136


@pytest.mark.parametrize("settings", [{}, {"width": 64}, {"depth": 40}, {"widths": (16, 1024, 1), "depth": 3, "outputs": 10}])
def test_every_unit_and_edge_is_found_where_it_stands(settings: dict[str, Any]) -> None:
    layout = layout_of(**settings)
    for layer in (1, layout.depth // 2, layout.depth):
        for unit in {0, layout.units(layer) - 1}:
            assert layout.unit_at(layout.unit_point(layer, unit)) == (layer, unit)
        gap = layout.gap(layer)
        row, column = len(gap.y0) - 1, 0
        x = gap.x0 + 0.31 * (gap.x1 - gap.x0)
        y = float(gap.y0[row] + 0.31 * (gap.y1[column] - gap.y0[row]))
        assert layout.edge_at(QPointF(x, y)) == (layer, row, column)


def test_an_edge_that_is_drawn_goes_before_a_nearer_one_that_is_not() -> None:
    layout = layout_of(depth=1, width=1, outputs=1)
    gap = layout.gap(1)
    point = QPointF((gap.x0 + gap.x1) / 2, float((gap.y0.mean() + gap.y1[0]) / 2))
    drawn = np.ones(3, bool)
    found = layout.edge_at(QPointF(point.x(), point.y()), drawn)
    assert found is None  # the two edges pass well above and below
    near_first = QPointF(gap.x1 - 4, float(gap.y1[0]) - 0.4)
    assert layout.edge_at(near_first, drawn) == (1, 0, 0)
    assert layout.edge_at(near_first, np.array([False, True, True])) == (1, 1, 0)


@pytest.mark.parametrize("depth", [1, 10, 57, 1000])
@pytest.mark.parametrize("width", [1, 16, 17, 1024])
def test_everything_stays_inside_the_picture(depth: int, width: int) -> None:
    for height in (180.0, 416.0, 900.0):
        layout = layout_of(height=height, depth=depth, width=width, skip_every=2 if depth < 1000 else 0)
        for column in range(min(layout.depth, 20) + 1):
            rows = layout.rows(column)
            assert layout.body_top <= rows.min()
            assert rows.max() <= layout.body_bottom <= height
            assert rows.size == layout.units(column)
