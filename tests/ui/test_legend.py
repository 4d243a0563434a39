"""The legend: one mark per layer at its place, and keys that light up."""

import math
from collections.abc import Sequence

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from ui.legend import BAR, NAN_KEY, ZERO_CENTRE, legend_size, paint_legend
from ui.theme import THEMES, Theme

themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)


def drawn(theme: Theme, ticks: Sequence[float]) -> QImage:
    size = legend_size()
    image = QImage(round(size.width()), round(size.height()), QImage.Format.Format_RGB32)
    image.fill(QColor(theme.canvas))
    painter = QPainter(image)
    area = paint_legend(painter, QPointF(size.width(), 0), theme, ticks)
    painter.end()
    assert area == QRectF(QPointF(0, 0), size)
    return image


def changed(theme: Theme, ticks: Sequence[float]) -> list[tuple[int, int]]:
    """The pixels that these ticks change."""
    before, after = drawn(theme, ()), drawn(theme, ticks)
    return [(x, y) for x in range(after.width()) for y in range(after.height()) if before.pixel(x, y) != after.pixel(x, y)]


@themes
@pytest.mark.parametrize(("value", "share"), [(1e-9, 0.0), (1e-3, 0.5), (-1e-3, 0.5), (1e3, 1.0)])
def test_each_layer_is_marked_at_its_place(theme: Theme, value: float, share: float) -> None:
    marks = changed(theme, [value])
    x = BAR.left() + BAR.width() * share
    assert marks
    assert all(abs(px + 0.5 - x) <= 3 and BAR.top() - 3 <= py <= BAR.bottom() + 3 for px, py in marks)


@themes
def test_off_the_scale_is_an_arrowhead_beyond_the_end(theme: Theme) -> None:
    assert min(x for x, _ in changed(theme, [1e-30])) < BAR.left() - 5
    assert max(x for x, _ in changed(theme, [1e30])) > BAR.right() + 5


@themes
@pytest.mark.parametrize(("value", "centre"), [(math.nan, NAN_KEY.center()), (-math.inf, NAN_KEY.center()), (0.0, ZERO_CENTRE)])
def test_what_has_no_place_on_the_bar_lights_its_key(theme: Theme, value: float, centre: QPointF) -> None:
    marks = changed(theme, [value])
    assert marks
    assert all(abs(x - centre.x()) < 32 and y > BAR.bottom() for x, y in marks)


@themes
def test_nothing_is_cut_off(theme: Theme) -> None:
    image = drawn(theme, [1e-30, 1e30, math.nan, 0.0])
    edge = [(x, y) for x in range(image.width()) for y in (0, image.height() - 1)]
    edge += [(x, y) for x in (0, image.width() - 1) for y in range(image.height())]
    assert all(image.pixelColor(x, y) == QColor(theme.canvas) for x, y in edge)


@themes
def test_layers_that_stand_close_together_share_a_mark(theme: Theme) -> None:
    assert changed(theme, [1e-3 * (1 + 1e-4 * n) for n in range(1000)]) == changed(theme, [1e-3])


def test_in_a_narrow_room_the_bar_is_shorter_and_nothing_is_cut() -> None:
    image = QImage(344, 48, QImage.Format.Format_RGB32)
    image.fill(QColor("#123456"))
    painter = QPainter(image)
    area = paint_legend(painter, QPointF(344, 0), THEMES["dark"], [1e-3], 300.0)
    painter.end()
    assert area == QRectF(0, 0, 344, 48)
    edges = {image.pixelColor(x, y).name() for x in (0, 343) for y in range(48)}
    assert edges == {"#123456"}
