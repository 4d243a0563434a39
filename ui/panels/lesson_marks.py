"""How far something has come, as a small mark: an empty ring, a ring half filled, a full one with a check."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ..icons import paint_icon
from ..theme import THEMES, Theme

SIZE = 16.0
STATES = {"new": "not begun", "begun": "begun", "done": "done"}


def paint_mark(painter: QPainter, box: QRectF, theme: Theme, state: str) -> None:
    """``state``: one of `STATES`. They differ in shape, not only in lightness."""
    painter.save()
    ring = box.adjusted(1, 1, -1, -1)
    if state == "done":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.inverse))
        painter.drawEllipse(box)
        paint_icon(painter, "check", box.adjusted(2.5, 2.5, -2.5, -2.5), theme.inverse_text)
    else:
        painter.setPen(QPen(QColor(theme.ink3), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        if state == "begun":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ink2))
            painter.drawPie(ring.adjusted(2, 2, -2, -2), 90 * 16, 180 * 16)
    painter.restore()


class Mark(QWidget):
    """The mark as a part of a page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._state = "new"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def state(self) -> str:
        return self._state

    def show_state(self, state: str) -> None:
        self._state = state
        self.setAccessibleName(STATES[state])
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(int(SIZE), 18)  # as high as a line of the text beside it

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_mark(painter, QRectF(0, 1, SIZE, SIZE), self.theme, self._state)
