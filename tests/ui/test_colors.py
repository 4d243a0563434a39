"""The one colour scale: levels, positions, widths, and that every eye can read it."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from colorspacious import cspace_convert
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath
from PySide6.QtSvg import QSvgGenerator, QSvgRenderer

from ui import colors
from ui.theme import THEMES, Theme

SEEING = ("normal", "deuteranomaly", "protanomaly", "tritanomaly")
themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
STOPS = {
    "dark": "#141923 #1E2940 #264070 #2A629F #1E84AE #2AA69E #B0A339 #FFAE52 #FFECB8",
    "light": "#EDF0F5 #D3DCEA #AEC4E4 #80ADDD #4C9BD0 #128587 #866A00 #9A2600 #4A0016",
}


def rgb(theme: Theme) -> NDArray[np.float64]:
    """(241, 3) the finite part of the scale, 0 … 1."""
    table = colors.palette(theme)[: colors.LEVELS]
    return np.stack([(table >> shift) & 255 for shift in (16, 8, 0)], axis=1) / 255


def seen(shades: NDArray[np.float64], by: str) -> NDArray[np.float64]:
    """CAM02-UCS coordinates (J′, a′, b′) as seen by an eye of full-severity deficiency (Machado 2009)."""
    if by != "normal":
        shades = np.clip(cspace_convert(shades, {"name": "sRGB1+CVD", "cvd_type": by, "severity": 100}, "sRGB1"), 0, 1)
    return np.asarray(cspace_convert(shades, "sRGB1", "CAM02-UCS"))


@themes
def test_the_stops_are_where_they_should_be(theme: Theme) -> None:
    assert [colors.color(level, theme).name().upper() for level in range(0, 241, 30)] == STOPS[theme.name].split()


@themes
@pytest.mark.parametrize("by", SEEING)
def test_every_eye_tells_the_stops_apart(theme: Theme, by: str) -> None:
    stops = seen(rgb(theme)[::30], by)
    for i, j in itertools.combinations(range(len(stops)), 2):
        assert np.linalg.norm(stops[i] - stops[j]) >= (7 if j == i + 1 else 16), (i, j)


@themes
def test_lightness_goes_one_way(theme: Theme) -> None:
    lightness = seen(rgb(theme), "normal")[:, 0]
    # Over half a decade; between neighbouring levels rounding to 8 bits is larger than the step.
    steps = lightness[10:] - lightness[:-10]
    assert (steps > 0).all() if theme.name == "dark" else (steps < 0).all()


def test_levels_span_the_scale() -> None:
    values = np.array([1e-9, 1e-3, -1.0, 1e3, 1e-300, 5e-324, 1e300, 0.0, -0.0, np.nan, np.inf, -np.inf])
    with np.errstate(all="raise"):
        found = colors.levels(values)
    assert found.dtype == np.uint8
    last = colors.LEVELS - 1
    special = [colors.ZERO] * 2 + [colors.NONFINITE] * 3
    assert found.tolist() == [0, 120, 180, last, 0, 0, last, *special]
    assert [colors.level(float(value)) for value in values] == found.tolist()
    assert colors.levels(np.zeros((3, 0, 2), np.float32)).shape == (3, 0, 2)


def test_positions_are_on_the_axis() -> None:
    values = (1e-12, 1e-9, -1e-3, 1e3, 1e9, math.inf, 0.0, math.nan)
    assert [colors.position(value) for value in values] == pytest.approx([0, 0, 0.5, 1, 1, 1, 0, 0])


def test_widths_grow_with_the_magnitude() -> None:
    widths = colors.edge_widths()
    assert [widths[colors.level(10.0**e)] for e in (-9, -4, 0, 3)] == pytest.approx([0.6, 1.0, 1.9, 3.2])
    assert (np.diff(widths[: colors.LEVELS]) > 0).all()
    assert widths[colors.ZERO] == 0.0


def test_only_finite_gradients_above_the_zone_glow() -> None:
    assert colors.is_hot(colors.level(4.0))
    assert not any(colors.is_hot(level) for level in (colors.level(1.0), colors.ZERO, colors.NONFINITE, colors.UNKNOWN))


@themes
def test_special_levels_have_colours_of_their_own(theme: Theme) -> None:
    assert colors.color(colors.ZERO, theme) == QColor(theme.canvas)
    assert colors.color(colors.NONFINITE, theme) == QColor(theme.nan)
    assert colors.color(colors.UNKNOWN, theme) == QColor(theme.outline)
    assert ((colors.palette(theme) >> 24) == 255).all()


def on_image(draw: Callable[[QPainter], None]) -> QImage:
    image = QImage(60, 60, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    draw(painter)
    painter.end()
    return image


def through_svg(draw: Callable[[QPainter], None]) -> QImage:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(60, 60))
    generator.setViewBox(QRectF(0, 0, 60, 60))
    painter = QPainter(generator)
    draw(painter)
    painter.end()
    return on_image(lambda painter: QSvgRenderer(QByteArray(buffer.data())).render(painter, QRectF(0, 0, 60, 60)))


@themes
@pytest.mark.parametrize("through", [on_image, through_svg])
def test_stripes_fill_their_shape_and_no_more(theme: Theme, through: Callable[[Callable[[QPainter], None]], QImage]) -> None:
    circle = QPainterPath()
    circle.addEllipse(QPointF(30, 30), 20, 20)
    image = through(lambda painter: colors.paint_hatch(painter, circle, theme))
    inside, found = 0, {QColor(theme.nan).name(): 0, QColor(theme.nan_ground).name(): 0}
    for x, y in itertools.product(range(60), range(60)):
        away = math.hypot(x + 0.5 - 30, y + 0.5 - 30)
        if away > 22:
            assert image.pixelColor(x, y).alpha() == 0
        elif away < 18:
            inside += 1
            name = image.pixelColor(x, y).name()
            found[name] = found.get(name, 0) + 1
    assert found[QColor(theme.nan).name()] > inside * 0.3
    assert found[QColor(theme.nan_ground).name()] > inside * 0.3


def test_many_positions_are_those_of_each() -> None:
    values = np.array([0.0, np.nan, np.inf, -np.inf, 1e-320, 1e-12, 1e-9, -3e-4, 1.0, 5e2, 1e3, 1e308])
    np.testing.assert_allclose(colors.positions(values), [colors.position(float(value)) for value in values], rtol=1e-14)
