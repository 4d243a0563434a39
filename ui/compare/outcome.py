"""The line that says whether the change helped, large enough for the back of a room, and what can be done now."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from gradviz.snapshot import Snapshot
from gradviz.spec import Spec

from ..controls.input import focus_by_tab
from ..icons import paint_icon
from ..panels import marks
from ..theme import THEMES, Theme, font
from .outcome_words import Outcome, Remedy, next_remedy, outcome

MARGIN, GAP, ROW, EDGE = 16.0, 24.0, 32.0, 8.0
SIGN, BUTTON = 24.0, 32.0
SECONDS = 0.4  # while both train, the numbers stand still so long that they can be read
MOST_NAME = 28  # letters of a remedy on its button


class OutcomeLine(QWidget):
    """What `outcome` says, following both runs; not there while the two sides are the same."""

    adopt_wanted = Signal(str)  # side: go on with it alone
    remedy_wanted = Signal(str, object)  # of A: path of a field, value

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.outcome: Outcome | None = None
        self.next: Remedy | None = None
        self._specs: tuple[Spec, Spec] | None = None
        self._said_at = -math.inf
        self._rows = 1  # never fewer while the same two are compared, so that nothing moves up and down
        self._pressable = True
        self._keep = self._button("Keep B", "Go on with B alone; Undo brings A back", lambda: self.adopt_wanted.emit("B"))
        self._try = self._button("", "", self._on_try)
        self._back = self._button("Back to A alone", "B is dropped", lambda: self.adopt_wanted.emit("A"))
        self.hide()

    def _button(self, text: str, help: str, act: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(help)
        button.setFixedHeight(int(BUTTON))
        focus_by_tab(button)
        assert callable(act)
        button.clicked.connect(lambda _=False: act())
        return button

    def set_passive(self) -> None:
        """Only say it: there is nothing to press."""
        self._pressable = False
        for button in (self._keep, self._try, self._back):
            button.hide()

    def _on_try(self) -> None:
        if self.next is not None:
            self.remedy_wanted.emit(self.next.path, self.next.value)

    def show_pair(self, a: Snapshot, b: Snapshot) -> None:
        """Say what the difference between these two does."""
        now, specs = time.monotonic(), (a.spec, b.spec)
        if specs == self._specs and a.playing and b.playing and now - self._said_at < SECONDS:
            return
        if specs != self._specs:
            self._specs, self._rows = specs, 1
        self._said_at = now
        self.outcome, self.next = outcome(a, b), next_remedy(a, b)
        self._try.setVisible(self._pressable and self.next is not None)
        if self.next is not None:
            name = self.next.name if len(self.next.name) <= MOST_NAME else f"{self.next.name[: MOST_NAME - 1].rstrip()}…"
            self._try.setText(f"Try: {name}")
            self._try.setToolTip(f"{self.next.words}: B begins anew with this change of A instead, from the same seed")
        if self.outcome is not None:
            self.setAccessibleName(self.outcome.sentence)
            self.setToolTip(self.outcome.help)
        self.setVisible(self.outcome is not None)
        self._place()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    # ---- geometry

    def height_for(self, width: float) -> float:
        """How high it is in this width; 0 while there is nothing to say."""
        if self.outcome is None:
            return 0.0
        rows = self._flow(width, True)[1]
        return (max(rows, self._rows) if width == self.width() else rows) * ROW + 2 * EDGE

    def _flow(self, width: float, pressed: bool) -> tuple[list[tuple[str, QPointF]], int, float]:
        """Left end and middle of each part, how many rows there are, and where the buttons begin: at the right of the last row."""
        assert self.outcome is not None
        x, row, end = MARGIN + SIGN + 10, 0, width - MARGIN
        found: list[tuple[str, QPointF]] = []
        for number, part in enumerate((self.outcome.title, *self.outcome.parts)):
            wide = marks.text_width(part, _font(number))
            if x + wide > end and found:
                x, row = MARGIN + SIGN + 10, row + 1
            found.append((part, QPointF(x, EDGE + ROW * (row + 0.5))))
            x += wide + GAP
        buttons = sum(button.sizeHint().width() + 8 for button in self._buttons()) if pressed else 0.0
        if pressed and x + buttons > end:
            row += 1
        return found, row + 1, end - buttons + 8

    def _buttons(self) -> list[QPushButton]:
        if not self._pressable:
            return []
        return [button for button in (self._keep, self._try, self._back) if button is not self._try or self.next is not None]

    def _place(self) -> None:
        if self.outcome is None:
            return
        _, rows, x = self._flow(self.width(), True)
        self._rows = max(rows, self._rows)
        top = EDGE + ROW * (self._rows - 1)
        for button in self._buttons():
            wide = button.sizeHint().width()
            button.setGeometry(round(max(MARGIN, x)), round(top), wide, int(BUTTON))
            x += wide + 8

    def sizeHint(self) -> QSize:
        return QSize(900, math.ceil(self.height_for(self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._rows = 1
        self._place()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter, QRectF(self.rect()), True)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw it without what can be pressed."""
        self._paint(painter, area, False)

    def _paint(self, painter: QPainter, area: QRectF, pressed: bool) -> None:
        if self.outcome is None:
            return
        theme = self.theme
        painter.save()
        painter.fillRect(area, QColor(theme.raised))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(area.bottomLeft() + QPointF(0, -0.5), area.bottomRight() + QPointF(0, -0.5))
        sign = QRectF(area.left() + MARGIN, area.top() + EDGE + (ROW - SIGN) / 2, SIGN, SIGN)
        painter.setPen(QPen(QColor(theme.ink1), 1.5))
        painter.drawEllipse(sign.adjusted(1, 1, -1, -1))
        paint_icon(painter, self.outcome.icon, sign.adjusted(5, 5, -5, -5), theme.ink1)
        for number, (part, at) in enumerate(self._flow(area.width(), pressed)[0]):
            used, ink = _font(number), theme.ink2 if number and number == len(self.outcome.parts) else theme.ink1
            room = area.width() - MARGIN - at.x()
            fitted = QFontMetricsF(used).elidedText(part, Qt.TextElideMode.ElideRight, room + 1)
            marks.put_text(painter, area.left() + at.x(), area.top() + at.y(), fitted, used, ink, Qt.AlignmentFlag.AlignLeft)
        painter.restore()


def _font(number: int) -> QFont:
    """Of the word in front, and of the parts behind it."""
    return font(20, 600) if number == 0 else font(18, 500)
