"""What the style sheet of the window leaves to the dock: fields without a frame, framed groups of parts, segments."""

from __future__ import annotations

from ..theme import Theme

# the style's own arrow comes in a frame; `Combo` draws its chevron itself
COMBO_RULES = "QComboBox::drop-down { border: 0; width: 22px; } QComboBox::down-arrow { image: none; }"


def dock_stylesheet(theme: Theme) -> str:
    """The dock's own rules, on top of the window's."""
    return f"""
QLabel[ink="1"] {{ color: {theme.ink1}; font-size: 11px; }}
QLabel[ink="2"] {{ color: {theme.ink2}; font-size: 12px; }}
QLabel[ink="3"] {{ color: {theme.ink3}; font-size: 11px; }}
QLabel:disabled {{ color: {theme.outline}; }}
QFrame[field="true"] {{ background: {theme.field}; border: 1px solid {theme.strong_line}; border-radius: 6px; }}
QFrame[field="true"]:disabled {{ border-color: {theme.line}; }}
QLineEdit {{ font-size: 12px; }}
QLineEdit[bare="true"] {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 0; min-height: 20px; }}
QLineEdit[bare="true"]:hover:enabled {{ background: {theme.hover}; }}
QLineEdit[bare="true"]:focus {{ background: {theme.field}; border: 1px solid {theme.ink1}; }}
QLineEdit:disabled {{ color: {theme.outline}; }}
QComboBox {{ font-size: 12px; padding-right: 0; }}
QPushButton[file="true"] {{ font-size: 12px; padding: 0 8px; min-height: 24px; text-align: left; }}
{COMBO_RULES}
QFrame[field="true"] QToolButton {{ border: 1px solid transparent; border-radius: 5px; padding: 0; min-height: 0; font-size: 15px;
  color: {theme.ink2}; }}
QFrame[field="true"] QToolButton:focus {{ border: 2px solid {theme.ink1}; }}
QFrame[field="true"] QToolButton:disabled {{ color: {theme.strong_line}; }}
QPushButton[segment] {{ border: 0; border-radius: 0; padding: 0; min-height: 0; min-width: 8px; font-size: 12px; color: {theme.ink2}; }}
QPushButton[segment="next"], QPushButton[segment="last"] {{ border-left: 1px solid {theme.line}; }}
QPushButton[segment="first"] {{ border-top-left-radius: 5px; border-bottom-left-radius: 5px; }}
QPushButton[segment="last"] {{ border-top-right-radius: 5px; border-bottom-right-radius: 5px; }}
QPushButton[segment]:checked {{ background: {theme.inverse}; color: {theme.inverse_text}; font-weight: 600; }}
QPushButton[segment]:checked:disabled {{ background: {theme.strong_line}; }}
QPushButton[segment]:focus {{ border: 2px solid {theme.ink1}; }}
QPushButton[segment]:checked:focus {{ border: 2px solid {theme.ink3}; }}
QLineEdit[segment="edit"] {{ background: transparent; border: 0; border-left: 1px solid {theme.line}; border-radius: 0; padding: 0;
  min-height: 0; }}
QLineEdit[segment="edit"]:focus {{ border: 2px solid {theme.ink1}; border-radius: 5px; }}
QToolButton[flat="true"] {{ padding: 0; min-height: 0; }}
"""
