"""Light and dark: the colours of the chrome, the fonts, and the style sheet made of them.

The chrome is grey, so that every hue on the screen is data.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette

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
    """Register the bundled fonts; without them the platform's own stand in."""
    for path in sorted((RESOURCES / "fonts").glob("*.[to]tf")):
        QFontDatabase.addApplicationFont(str(path))


@functools.cache
def font(pixels: int, weight: int = 400) -> QFont:
    """The interface's font with figures of equal width, so that changing numbers do not dance."""
    made = QFont(["Inter", "Helvetica Neue", "Segoe UI", "Noto Sans", "DejaVu Sans"])
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight(weight))
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@functools.cache
def formula_font(pixels: int) -> QFont:
    """The italic serif of formulas."""
    made = QFont(["STIX Two Text", "STIXGeneral", "Times New Roman", "DejaVu Serif"])
    made.setPixelSize(pixels)
    made.setItalic(True)
    return made


def blend(over: str, under: str, alpha: float) -> QColor:
    """``over`` at that opacity on ``under``, as an opaque colour: translucent pens are many times slower."""
    top, ground = QColor(over), QColor(under)
    parts = [round(alpha * a + (1 - alpha) * b) for a, b in zip(top.getRgb()[:3], ground.getRgb()[:3], strict=True)]
    return QColor(*parts)


def qt_palette(theme: Theme) -> QPalette:
    """The palette of Fusion in this theme."""
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
        (role.Link, theme.ink1),
        (role.Mid, theme.strong_line),
        (role.Dark, theme.line),
        (role.Light, theme.hover),
    ):
        palette.setColor(target, QColor(text))
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, blend(theme.ink3, theme.dock, 0.6))
    return palette


def stylesheet(theme: Theme) -> str:
    """The style sheet of the whole application."""
    return f"""
* {{ font-family: Inter, "Helvetica Neue", "Segoe UI", "Noto Sans", "DejaVu Sans"; font-size: 13px; }}
QWidget#main-window {{ background: {theme.line}; }}
QToolTip {{ background: {theme.raised}; color: {theme.ink1}; border: 1px solid {theme.strong_line}; padding: 6px 8px; font-size: 12px; }}
QSplitter::handle {{ background: {theme.line}; }}
QSplitter::handle:hover {{ background: {theme.ink3}; }}
QPushButton, QToolButton {{ background: transparent; color: {theme.ink1}; border: 1px solid {theme.strong_line}; border-radius: 6px;
  padding: 0 12px; min-height: 26px; }}
QPushButton:hover, QToolButton:hover {{ background: {theme.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {theme.strong_line}; }}
QPushButton:checked, QToolButton:checked, QPushButton[primary="true"] {{ background: {theme.inverse}; color: {theme.inverse_text};
  border-color: {theme.inverse}; font-weight: 600; }}
QPushButton:disabled, QToolButton:disabled {{ color: {theme.ink3}; border-color: {theme.line}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus {{ border: 2px solid {theme.ink1}; }}
QToolButton[flat="true"], QPushButton[flat="true"] {{ border-color: transparent; }}
QToolButton[flat="true"]:focus, QPushButton[flat="true"]:focus {{ border: 2px solid {theme.ink1}; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit, QAbstractSpinBox, QComboBox {{ background: {theme.field}; color: {theme.ink1}; border: 1px solid {theme.strong_line};
  border-radius: 6px; padding: 0 8px; min-height: 24px; selection-background-color: {theme.inverse};
  selection-color: {theme.inverse_text}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {theme.ink3}; border-color: {theme.line}; }}
QComboBox QAbstractItemView {{ background: {theme.raised}; color: {theme.ink1}; border: 1px solid {theme.strong_line}; outline: 0;
  selection-background-color: {theme.hover}; selection-color: {theme.ink1}; padding: 4px; }}
QSlider {{ min-height: 20px; }}
QSlider::groove:horizontal {{ height: 3px; background: {theme.strong_line}; border-radius: 1px; }}
QSlider::sub-page:horizontal {{ background: {theme.ink1}; border-radius: 1px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -6px 0; border-radius: 7px; background: {theme.ink1}; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {theme.ink3}; width: 10px; height: 10px; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{ background: {theme.strong_line}; }}
QTabWidget::pane {{ border: 0; border-top: 1px solid {theme.line}; }}
QTabBar::tab {{ background: transparent; color: {theme.ink2}; padding: 0 14px; min-height: 38px; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {theme.ink1}; font-weight: 600; border-bottom: 2px solid {theme.ink1}; }}
QTabBar::tab:focus {{ border: 2px solid {theme.ink1}; }}
QScrollBar {{ background: transparent; border: 0; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: {theme.strong_line}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {theme.ink3}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QMenu {{ background: {theme.raised}; color: {theme.ink1}; border: 1px solid {theme.strong_line}; border-radius: 8px; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {theme.hover}; }}
QMenu::item:disabled {{ color: {theme.ink3}; }}
QMenu::separator {{ height: 1px; background: {theme.line}; margin: 4px 8px; }}
QTableView {{ background: {theme.dock}; color: {theme.ink1}; border: 0; gridline-color: {theme.line}; font-size: 12px;
  selection-background-color: {theme.hover}; selection-color: {theme.ink1}; alternate-background-color: {theme.dock}; }}
QHeaderView::section {{ background: {theme.dock}; color: {theme.ink2}; border: 0; border-bottom: 1px solid {theme.line}; padding: 4px 8px;
  font-size: 11px; }}
QTableCornerButton::section {{ background: {theme.dock}; border: 0; }}
"""
