"""The chrome: text that can be read, fonts that have every sign, a style sheet without a hole, icons that follow the theme."""

import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetrics, QIcon, QImage, QPalette, QRawFont
from PySide6.QtWidgets import QApplication

from gradviz.resources import RESOURCES
from ui.icons import STROKES, app_icon, icon
from ui.theme import THEMES, Theme, blend, font, formula_font, qt_palette, stylesheet

themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)


def luminance(color: QColor) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (color.redF(), color.greenF(), color.blueF())]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(QColor(one)), luminance(QColor(other))))
    return (high + 0.05) / (low + 0.05)


@themes
def test_all_text_can_be_read(theme: Theme) -> None:
    for surface in (theme.canvas, theme.dock, theme.raised, theme.field):
        for ink in (theme.ink1, theme.ink2, theme.ink3, theme.purple, theme.red, theme.blue, theme.nan):
            assert contrast(ink, surface) >= 4.5, (ink, surface)
    assert contrast(theme.ink1, theme.hover) >= 4.5
    assert contrast(theme.inverse_text, theme.inverse) >= 4.5


@pytest.mark.parametrize("weight", [400, 500, 600])
def test_interface_font_is_the_bundled_one_at_every_weight(weight: int) -> None:
    used = QFontInfo(font(13, weight))
    assert (used.family(), used.weight(), used.pixelSize()) == ("Inter", weight, 13)


def test_bundled_fonts_have_every_sign() -> None:
    def lacking(family: str, italic: bool, signs: str) -> set[str]:
        used = QFont(family)
        used.setItalic(italic)
        assert QFontInfo(used).family() == family
        raw = QRawFont.fromFont(used)
        return {sign for sign in signs if not raw.supportsCharacter(ord(sign))}

    assert lacking("Inter", False, "−×·∞∂δΔΣσμ′ŷ→≤≥≠≈√‖⊕…–⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃“”") == set()
    signs = "∂∇∞→←≤≥√≠≈⊕⊙"
    assert lacking("STIX Two Text", True, "−×=+()δσΣΔμ′ŷ⁻⁰¹²³⁴⁵⁶⁷⁸⁹₁₂‖" + signs) == set(signs)
    assert lacking("GradViz Signs", True, signs) == set()


def test_figures_have_equal_width() -> None:
    metrics = QFontMetrics(font(13))
    assert {metrics.horizontalAdvance(figure * 4) for figure in "0123456789"} == {metrics.horizontalAdvance("0000")}


def test_changing_a_font_changes_no_other() -> None:
    font(12).setUnderline(True)
    formula_font(12).setUnderline(True)
    assert not font(12).underline()
    assert not formula_font(12).underline()


@themes
def test_style_sheet_has_no_hole(theme: Theme, qapp: QApplication) -> None:
    sheet = stylesheet(theme)
    assert "$" not in sheet
    files = re.findall(r'url\("([^"]+)"\)', sheet)
    assert files
    assert [name for name in files if not Path(name).is_file()] == []
    assert sheet.count("{") == sheet.count("}")


@themes
def test_palette_fades_what_is_disabled(theme: Theme) -> None:
    palette = qt_palette(theme)
    assert palette.color(QPalette.ColorRole.WindowText) == QColor(theme.ink1)
    assert palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText) != QColor(theme.ink1)


def test_blend_is_opaque() -> None:
    assert blend("#FF0000", "#0000FF", 0.25) == QColor(64, 0, 191)


def colour_of(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


@themes
@pytest.mark.parametrize("name", STROKES)
def test_icons_are_drawn_in_the_ink_of_their_state(name: str, theme: Theme) -> None:
    made = icon(name, theme)
    for state, ink in ((QIcon.State.Off, theme.ink2), (QIcon.State.On, theme.inverse_text)):
        image = made.pixmap(QSize(16, 16), 2.0, QIcon.Mode.Normal, state).toImage().convertToFormat(QImage.Format.Format_ARGB32)
        assert image.size() == QSize(32, 32)
        solid = [color for x in range(32) for y in range(32) if (color := image.pixelColor(x, y)).alpha() == 255]
        assert solid
        # One off, where antialiased edges have been added up to opaque.
        wanted = np.array(colour_of(QColor(ink)))
        assert all(np.abs(np.array(colour_of(color)) - wanted).max() <= 1 for color in solid)


def test_icons_of_the_style_sheet_are_those_of_the_table() -> None:
    for theme in THEMES.values():
        for name in ("check", "chevron", "chevron-right"):
            drawing = (RESOURCES / "icons" / f"{name}-{theme.name}.svg").read_text()
            assert STROKES[name] in drawing
            assert f'stroke="{theme.ink2}"' in drawing


def test_program_has_an_icon() -> None:
    assert QSize(16, 16) in app_icon().availableSizes()
    assert QSize(256, 256) in app_icon().availableSizes()
