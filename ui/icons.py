"""The icons of the chrome, drawn as strokes of 1.5 px in the theme's ink, and the icon of the program.

Each is a few strokes in a square of 16, kept in the path language of SVG; a new icon is one row of the table.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from gradviz.resources import RESOURCES

from .theme import Theme, faint

SCALES = (1, 2, 3)
"""Screen scales for which an icon is drawn, so that none is ever stretched on common screens."""

STROKES: dict[str, str] = {
    "play": '<path d="M5 3.5 12.5 8 5 12.5z" fill="INK"/>',
    "pause": '<path d="M5.25 3.5v9M10.75 3.5v9" stroke-width="2"/>',
    "step": '<path d="M4 3.75 9.5 8 4 12.25zM12.25 3.5v9"/>',
    "step-phase": '<path d="M2.25 8H10M7 5l3 3-3 3M13.25 4.5v7"/>',
    "phase": '<path d="M2 4.5 5.5 8 2 11.5M6.5 4.5 10 8l-3.5 3.5M13.25 4v8"/>',
    "wave": '<path d="M1.5 8c1.2-5.5 2.9-5.5 4 0s2.8 5.5 4 0 2.8-5.5 4.5-1.5"/>',
    "cross": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "reset": '<path d="M12 3.75 6.5 8l5.5 4.25zM3.75 3.5v9"/>',
    "back": '<path d="M8.5 3.75 4.25 8l4.25 4.25M12.25 3.5v9"/>',
    "undo": '<path d="M6 2.75l-3.25 3L6 8.75M3.25 5.75h6a3.5 3.5 0 0 1 0 7H6.5"/>',
    "redo": '<path d="M10 2.75l3.25 3L10 8.75M12.75 5.75h-6a3.5 3.5 0 0 0 0 7H9.5"/>',
    "compare": '<path d="M2.25 3.25h4.5v9.5h-4.5zM9.25 3.25h4.5v9.5h-4.5z"/>',
    "export": '<path d="M8 10V2.5M5 5.25l3-3 3 3M2.75 9.5v3.75h10.5V9.5"/>',
    "theme": '<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="INK"/>',
    "dice": '<rect x="2.75" y="2.75" width="10.5" height="10.5" rx="2"/><g fill="INK" stroke="none"><circle cx="5.5" cy="5.5" r="1"/>'
    '<circle cx="8" cy="8" r="1"/><circle cx="10.5" cy="10.5" r="1"/></g>',
    "help": '<path d="M5.5 5.5a2.5 2.5 0 1 1 3.8 2.1C8.4 8.2 8 8.7 8 9.75"/><circle cx="8" cy="12.75" r="1" fill="INK" stroke="none"/>',
    "warning": '<path d="M8 2.5 14 13H2zM8 6.5v3"/><circle cx="8" cy="11.25" r=".9" fill="INK" stroke="none"/>',
    "check": '<path d="M3.25 8.5l3.25 3.25 6.25-7.5"/>',
    "down": '<path d="M4 4l4 3.5L12 4M4 8.5 8 12l4-3.5"/>',
    "up": '<path d="M4 12l4-3.5 4 3.5M4 7.5 8 4l4 3.5"/>',
    "chevron": '<path d="M4 6l4 4 4-4"/>',
    "chevron-right": '<path d="M6 4l4 4-4 4"/>',
    "fit": '<path d="M2.75 6V2.75H6M10 2.75h3.25V6M13.25 10v3.25H10M6 13.25H2.75V10"/>',
    "copy": '<rect x="5.75" y="5.75" width="7.5" height="7.5" rx="1"/><path d="M3.5 10.25h-.75v-7.5h7.5v.75"/>',
    "table": '<rect x="2.25" y="3.25" width="11.5" height="9.5" rx="1"/><path d="M2.25 6.5h11.5M2.25 9.6h11.5M6.5 6.5v6.25"/>',
    "more": '<g fill="INK" stroke="none"><circle cx="3.25" cy="8" r="1.3"/><circle cx="8" cy="8" r="1.3"/>'
    '<circle cx="12.75" cy="8" r="1.3"/></g>',
    "plus": '<path d="M8 3.5v9M3.5 8h9"/>',
    "minus": '<path d="M3.5 8h9"/>',
    "folder": '<path d="M2.25 12.25v-8.5H6.5l1.5 1.75h5.75v6.75z"/>',
}


def icon(name: str, theme: Theme, size: int = 16, ink: str | None = None) -> QIcon:
    """The icon of this name, crisp at 1×, 2× and 3×.

    Without ``ink`` it follows the button it is on: labels' ink, text's ink when hovered, the inverse text when
    checked. Raises KeyError for a name that is not in `STROKES`.
    """
    mode, state = QIcon.Mode, QIcon.State
    made = QIcon()
    inks = (
        (mode.Normal, state.Off, ink or theme.ink2),
        (mode.Active, state.Off, ink or theme.ink1),
        (mode.Selected, state.Off, ink or theme.ink1),
        (mode.Normal, state.On, ink or theme.inverse_text),
        (mode.Active, state.On, ink or theme.inverse_text),
        (mode.Disabled, state.Off, faint(theme)),
        (mode.Disabled, state.On, faint(theme)),
    )
    for in_mode, in_state, color in inks:
        for scale in SCALES:
            made.addPixmap(_drawn(_document(name, color), size, scale), in_mode, in_state)
    return made


def paint_icon(painter: QPainter, name: str, box: QRectF, ink: str) -> None:
    """Draw an icon into ``box`` with true lines, for panels and exports."""
    QSvgRenderer(QByteArray(_document(name, ink))).render(painter, box)


@cache
def app_icon() -> QIcon:
    """The icon of the program: a network whose gradient fades towards its first layers."""
    drawing = (RESOURCES / "icons" / "gradviz.svg").read_bytes()
    made = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(_drawn(drawing, size, 1))
    return made


def _document(name: str, ink: str) -> bytes:
    body = STROKES[name].replace("INK", ink)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16" fill="none" '
        f'stroke="{ink}" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">{body}</svg>'
    ).encode()


@cache
def _drawn(document: bytes, size: int, scale: int) -> QPixmap:
    pixmap = QPixmap(size * scale, size * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(document)).render(painter)
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap
