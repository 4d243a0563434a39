"""Light and dark: the colours of the chrome, the fonts, and the style sheet made of them.

The chrome is grey, so that every hue on the screen is data.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from gradviz.resources import RESOURCES


@dataclass(frozen=True)
class Theme:
    """Colours by role, as "#RRGGBB"."""

    name: str
    canvas: str
    dock: str
    raised: str
    field: str
    hover: str
    line: str
    strong_line: str
    ink1: str
    ink2: str
    ink3: str
    inverse: str
    inverse_text: str
    outline: str
    zone: str
    purple: str
    red: str
    blue: str
    halo: str
    nan: str
    nan_ground: str


THEMES: dict[str, Theme] = {
    "dark": Theme(
        name="dark",
        canvas="#0D1118",
        dock="#131922",
        raised="#1B2330",
        field="#0F151D",
        hover="#263041",
        line="#263040",
        strong_line="#364355",
        ink1="#EDF1F7",
        ink2="#B1BBC9",
        ink3="#8290A2",
        inverse="#EDF1F7",
        inverse_text="#10151D",
        outline="#53637B",
        zone="#4ADE9B",
        purple="#C9A0FF",
        red="#FF8A80",
        blue="#7DB8FF",
        halo="#FF6A1F",
        nan="#FF6BE8",
        nan_ground="#0D1118",
    ),
    "light": Theme(
        name="light",
        canvas="#FFFFFF",
        dock="#F4F6F9",
        raised="#FFFFFF",
        field="#FFFFFF",
        hover="#E7EBF1",
        line="#DDE2EA",
        strong_line="#C3CBD7",
        ink1="#141A24",
        ink2="#434F61",
        ink3="#657184",
        inverse="#1B2330",
        inverse_text="#FFFFFF",
        outline="#8A97A9",
        zone="#0F7A4E",
        purple="#7434CC",
        red="#C22B2B",
        blue="#1B5FC4",
        halo="#FF6A1F",
        nan="#B0008E",
        nan_ground="#FFFFFF",
    ),
}


@functools.cache
def load_fonts() -> None:
    """Register the bundled fonts and make Inter the application's; without them the platform's own stand in.

    Fonts come from here and not from the style sheet, because a style sheet's font overrides what a widget is given.
    """
    for path in sorted((RESOURCES / "fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(path))
    QApplication.setFont(font(13))


def font(pixels: int, weight: int = 400) -> QFont:
    """The interface's font with figures of equal width, so that changing numbers do not dance."""
    return QFont(_font(pixels, weight))  # a copy: a QFont can be changed by whoever holds it


def formula_font(pixels: int) -> QFont:
    """The italic serif of formulas."""
    return QFont(_formula_font(pixels))


@functools.cache
def _font(pixels: int, weight: int) -> QFont:
    made = QFont(["Inter", "Helvetica Neue", "Segoe UI", "Noto Sans", "DejaVu Sans", "GradViz Signs"])
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight(weight))
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@functools.cache
def _formula_font(pixels: int) -> QFont:
    made = QFont(["STIX Two Text", "GradViz Signs", "STIXGeneral", "Times New Roman", "DejaVu Serif"])
    made.setPixelSize(pixels)
    made.setItalic(True)
    return made


def blend(over: str, under: str, alpha: float) -> QColor:
    """``over`` at that opacity on ``under``, as an opaque colour: translucent pens are many times slower."""
    top, ground = QColor(over), QColor(under)
    pairs = ((top.red(), ground.red()), (top.green(), ground.green()), (top.blue(), ground.blue()))
    return QColor(*(round(alpha * above + (1 - alpha) * below) for above, below in pairs))


def faint(theme: Theme) -> str:
    """The ink of what is disabled."""
    return blend(theme.ink3, theme.dock, 0.6).name()


def qt_palette(theme: Theme) -> QPalette:
    """The palette of Fusion in this theme, the disabled group included."""
    palette = QPalette()
    role = QPalette.ColorRole
    for target, text in (
        (role.Window, theme.dock),
        (role.WindowText, theme.ink1),
        (role.Base, theme.field),
        (role.AlternateBase, theme.dock),
        (role.Text, theme.ink1),
        (role.PlaceholderText, theme.ink3),
        (role.Button, theme.raised),
        (role.ButtonText, theme.ink1),
        (role.BrightText, theme.ink1),
        (role.ToolTipBase, theme.raised),
        (role.ToolTipText, theme.ink1),
        (role.Highlight, theme.inverse),
        (role.HighlightedText, theme.inverse_text),
        (role.Accent, theme.ink1),
        (role.Link, theme.ink1),
        (role.LinkVisited, theme.ink2),
        (role.Light, theme.hover),
        (role.Midlight, theme.strong_line),
        (role.Mid, theme.strong_line),
        (role.Dark, theme.line),
        (role.Shadow, theme.canvas),
    ):
        palette.setColor(target, QColor(text))
    for target in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(faint(theme)))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(theme.hover))
    return palette


def apply_theme(theme: Theme) -> None:
    """Light or dark for every widget; Qt's own colour scheme switch does nothing on several platforms."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    sheet = stylesheet(theme)
    if application.styleSheet() != sheet:  # styling all widgets anew takes longer than making them
        application.setPalette(qt_palette(theme))
        application.setStyleSheet(sheet)


def stylesheet(theme: Theme) -> str:
    """The style sheet of the whole application: ``resources/style.qss`` in this theme's colours."""
    sheet = (RESOURCES / "style.qss").read_text(encoding="utf-8")
    return Template(sheet).substitute(
        asdict(theme),
        faint=faint(theme),
        inverse_hover=blend(theme.inverse, theme.canvas, 0.88).name(),
        icons=(RESOURCES / "icons").as_posix(),
    )
