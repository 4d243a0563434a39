"""A banner over the canvas: what has gone wrong, and what can be done about it right here."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from .icons import icon
from .theme import THEMES, Theme, font

HEIGHT = 42
LINES = 2


class Banner(QWidget):
    """One sentence and up to two buttons, the last of which is the one to press."""

    clicked = Signal(str)  # the text of the pressed button

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.text = ""
        self.kind = "warning"
        self.buttons: list[QPushButton] = []
        self._sign = QLabel()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setMinimumWidth(80)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(14, 4, 6, 4)
        self._row.setSpacing(8)
        self._row.addWidget(self._sign)
        self._row.addSpacing(4)
        self._row.addWidget(self._words, 1)
        self.set_theme(self.theme)

    def say(self, text: str, buttons: tuple[str, ...] = (), kind: str = "warning") -> None:
        """Show a sentence.

        ``kind`` "warning" is for numbers that are no longer finite and has their colour; "error" is for all else,
        but "progress" for what is told again and again as it goes on.
        """
        if kind == self.kind == "progress" and buttons == tuple(button.text() for button in self.buttons):
            self.text = text  # the button may just be being pressed
            self.setToolTip(text)
            self._show_words()
            return
        self.text, self.kind = text, kind
        for button in self.buttons:
            button.deleteLater()
            self._row.removeWidget(button)
        self.buttons = []
        for number, title in enumerate(buttons):
            button = QPushButton(title, self)
            button.setProperty("primary", number == len(buttons) - 1)
            button.setFixedHeight(30)
            button.clicked.connect(lambda _=False, title=title: self.clicked.emit(title))
            self._row.addWidget(button)
            self.buttons.append(button)
            button.show()
        self.setAccessibleName(text)
        self.setToolTip(text)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._show()

    def sizeHint(self) -> QSize:
        return QSize(600, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_words()

    def _color(self) -> str:
        return self.theme.nan if self.kind == "warning" else self.theme.ink1

    def _show(self) -> None:
        name = "folder" if self.kind == "progress" else "warning"
        self._sign.setPixmap(icon(name, self.theme, ink=self._color()).pixmap(QSize(16, 16), self.devicePixelRatioF()))
        self.setStyleSheet(f"""
QLabel {{ color: {self.theme.ink1}; font-size: 13px; font-weight: 600; }}
QPushButton {{ min-height: 28px; padding: 0 10px; font-weight: 500; }}
""")
        self._show_words()
        self.update()

    def _show_words(self) -> None:
        """As much of the text as two lines hold; the tooltip has all of it."""
        taken = sum(button.sizeHint().width() + self._row.spacing() for button in self.buttons)
        room = self.width() - taken - 14 - 16 - 8 - 4 - 6 - 8
        metrics = QFontMetrics(font(13, 600))
        two_lines = metrics.elidedText(self.text, Qt.TextElideMode.ElideRight, int(max(80, room) * (LINES - 0.25)))
        fits = metrics.horizontalAdvance(self.text) <= room
        self._words.setText(self.text if fits else two_lines)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self.kind == "warning"
        painter.setPen(QPen(QColor(self.theme.nan if strong else self.theme.ink3), 1.5))
        painter.setBrush(QColor(self.theme.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), 8, 8)
