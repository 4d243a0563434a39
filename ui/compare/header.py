"""The top of the page: what the two sides differ in, what they have in common, the legend for both; while nothing differs, what to try."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from gradviz.changes import Difference, differences
from gradviz.history_table import HistoryTable
from gradviz.snapshot import Snapshot

from ..canvas.reach import known_gradients
from ..controls.input import focus_by_tab
from ..legend import NARROWEST, WIDTH, legend_size, paint_legend
from ..panels import marks
from ..theme import THEMES, Theme, font
from .offers import Offer, offers
from .words import changed_while_running, heading, in_common

MARGIN, GAP = 16.0, 8.0
FIRST, LINE = 30.0, 17.0  # middle of the first row; from line to line of the sentence
CHIP = 28.0
LEAST_HEIGHT = 72.0
MOST_LINES = 3
HINTS = ("Both sides are the same. Change one knob of B:", "Change one knob of B:", "")
STARTS = ("Both run the same settings; change one of them on one side.", "")
PREDICT = "A game for a class: everybody guesses what becomes of the gradient of L1, then it runs (G)"


class Header(QWidget):
    """What there is to say about both sides."""

    change_wanted = Signal(str, str, object)  # side, path of a field, value
    predict_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._pair: tuple[Snapshot, Snapshot] | None = None
        self._found: tuple[Difference, ...] = ()
        self._said = ""
        self._offered: tuple[Offer, ...] = ()
        self._buttons: list[QPushButton] = []
        self.setAccessibleName("What differs")
        self.predict = QPushButton("Predict first", self)
        self.predict.setToolTip(PREDICT)
        focus_by_tab(self.predict)
        self.predict.clicked.connect(self.predict_wanted)
        self._passive = False

    def show_pair(self, a: Snapshot, b: Snapshot, histories: tuple[HistoryTable | None, HistoryTable | None] = (None, None)) -> None:
        """Say what differs between these two."""
        self._pair = a, b
        self._found = differences(a.spec, b.spec)
        self._said = " ".join(filter(None, (in_common(a, b), changed_while_running(*histories))))
        told = "; ".join(f"{item.title}: A {item.before}, B {item.after}" for item in self._found)
        self.setAccessibleDescription(f"{heading(self._found)}. {told}. {self._said}")
        self.setToolTip("\n".join(f"{item.title}: {item.before} → {item.after}" for item in self._found))
        self._offer(offers(b.spec) if not self._found else ())
        self._place()
        self.update()

    def _offer(self, found: tuple[Offer, ...]) -> None:
        if found == self._offered:
            return
        self._offered = found
        for button in self._buttons:
            button.deleteLater()
        self._buttons = []
        for offer in found:
            button = QPushButton(offer.text, self)
            button.setToolTip(f"{offer.help}: B goes on with this one change")
            button.setFixedHeight(int(CHIP))
            focus_by_tab(button)
            button.clicked.connect(lambda _=False, offer=offer: self.change_wanted.emit("B", offer.path, offer.value))
            button.show()
            self._buttons.append(button)
        self._place()
        self.updateGeometry()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def set_passive(self) -> None:
        """Only say it: there is nothing to press."""
        self._passive = True
        self.predict.hide()

    # ---- geometry

    def height_for(self, width: float) -> float:
        """How high it is in this width."""
        if self._buttons:
            return max(LEAST_HEIGHT, self._flow(width)[-1].bottom() + 12)
        return max(LEAST_HEIGHT, FIRST + 10 + self._chips_below(width, True) + LINE * (len(self._lines(width)) + 0.5))

    def _room(self, width: float) -> float:
        """How much of the width the legend leaves."""
        return width - legend_size(self._legend_room(width)).width() - 2 * MARGIN - GAP

    def _legend_room(self, width: float) -> float:
        return WIDTH if width >= 1000 else NARROWEST

    def _lines(self, width: float) -> list[str]:
        """The sentence in lines as long as there is room."""
        metrics, room = QFontMetricsF(font(12)), self._room(width)
        lines = [""]
        for word in self._said.split():
            longer = f"{lines[-1]} {word}".strip()
            if metrics.horizontalAdvance(longer) <= room or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        if len(lines) > MOST_LINES:
            rest = " ".join(lines[MOST_LINES - 1 :])
            lines = [*lines[: MOST_LINES - 1], metrics.elidedText(rest, Qt.TextElideMode.ElideRight, room)]
        return lines

    def _beside(self, width: float) -> bool:
        """Whether the game's button has room in the first row."""
        wide = marks.text_width(heading(self._found), font(15, 600)) + 14 + self.predict.sizeHint().width()
        return not self._passive and wide <= self._room(width)

    def _first_row(self, width: float, pressed: bool) -> tuple[float, float]:
        """Where the first row goes on behind its title, and how much room there is."""
        used = marks.text_width(heading(self._found), font(15, 600)) + 14
        taken = self.predict.sizeHint().width() + GAP if pressed and self._beside(width) else 0.0
        return MARGIN + used, self._room(width) - used - taken

    def _chips_below(self, width: float, pressed: bool) -> float:
        """How much lower the sentence stands because what differs has no room beside the title."""
        below = bool(self._found) and _chip(self._found[0])[1] > self._first_row(width, pressed)[1]
        return CHIP + 6 if below else 0.0

    def _flow(self, width: float) -> list[QRectF]:
        """The places of the buttons, row by row beside the legend; the game's own comes last where the first row has no room for it."""
        x, y, end = MARGIN, FIRST + 20, MARGIN + self._room(width)
        found = []
        last = [] if self._passive or self._beside(width) or not self._buttons else [self.predict]
        for button in (*self._buttons, *last):
            wide = float(button.sizeHint().width())
            if x + wide > end and x > MARGIN:
                x, y = MARGIN, y + CHIP + 6
            found.append(QRectF(x, y, wide, CHIP))
            x += wide + GAP
        return found

    def _place(self) -> None:
        wide = self.predict.sizeHint().width()
        self.predict.setGeometry(round(MARGIN + self._room(self.width()) - wide), round(FIRST - CHIP / 2), wide, int(CHIP))
        for button, place in zip((*self._buttons, self.predict), self._flow(self.width()), strict=False):
            button.setGeometry(place.toRect())

    def sizeHint(self) -> QSize:
        return QSize(900, math.ceil(self.height_for(self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
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
        theme = self.theme
        painter.save()
        painter.fillRect(area, QColor(theme.dock))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(area.bottomLeft() + QPointF(0, -0.5), area.bottomRight() + QPointF(0, -0.5))
        if self._pair is not None:
            self._paint_legend(painter, area)
            left, y, strong = area.left() + MARGIN, area.top() + FIRST, font(15, 600)
            marks.put_text(painter, left, y, heading(self._found), strong, theme.ink1, Qt.AlignmentFlag.AlignLeft)
            x, room = self._first_row(area.width(), pressed)
            below = self._chips_below(area.width(), pressed)
            if below:
                self._paint_chips(painter, left, y + below, self._room(area.width()))
            elif self._found:
                self._paint_chips(painter, area.left() + x, y, room)
            else:
                hints = HINTS if pressed and self._buttons else STARTS
                hint = next(text for text in hints if not text or marks.text_width(text, font(13)) <= room)
                marks.put_text(painter, area.left() + x, y, hint, font(13), theme.ink2, Qt.AlignmentFlag.AlignLeft)
            if not (pressed and self._buttons):
                for number, line in enumerate(self._lines(area.width())):
                    marks.put_text(painter, left, y + below + 28 + LINE * number, line, font(12), theme.ink2, Qt.AlignmentFlag.AlignLeft)
        painter.restore()

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        """The one scale; its ticks are left out, because they would mix two nets, its keys light up for both."""
        assert self._pair is not None
        special = [value for side in self._pair for value in known_gradients(side) if value == 0 or not math.isfinite(value)]
        at = QPointF(area.right() - MARGIN, area.top() + 12)
        paint_legend(painter, at, self.theme, special[:1] + special[-1:], self._legend_room(area.width()))

    def _paint_chips(self, painter: QPainter, left: float, y: float, room: float) -> None:
        """What differs, each in a frame; what has no room is counted. The first one goes without its title before it is cut."""
        theme, end, strong, small = self.theme, left + room, font(15, 600), font(13)
        for number, item in enumerate(self._found):
            rest = len(self._found) - number - 1
            more = f"and {rest} more" if rest else ""
            space = end - left - (marks.text_width(more, small) + GAP if more else 0)
            parts, wide = _chip(item)
            if wide > space:
                if number:
                    marks.put_text(painter, left, y, f"and {rest + 1} more", small, theme.ink2, Qt.AlignmentFlag.AlignLeft)
                    return
                parts, wide = _chip(item, titled=False)
            if wide > space:
                whole = f"{item.before} → {item.after}"
                fitted = QFontMetricsF(strong).elidedText(whole, Qt.TextElideMode.ElideRight, max(20.0, space - 24))
                parts, wide = ((fitted, strong, "ink1"),), marks.text_width(fitted, strong) + 24
            painter.setPen(QPen(QColor(theme.strong_line), 1))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(QRectF(left, y - CHIP / 2, wide, CHIP).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            x = left + 12
            for text, used, ink in parts:
                marks.put_text(painter, x, y, text, used, getattr(theme, ink), Qt.AlignmentFlag.AlignLeft)
                x += marks.text_width(text, used) + 7
            left += wide + GAP


def _chip(item: Difference, titled: bool = True) -> tuple[tuple[tuple[str, QFont, str], ...], float]:
    """The words of a difference with their type and ink, and how wide its frame is."""
    strong, small = font(15, 600), font(13)
    title = ((item.title, small, "ink2"),) if titled else ()
    parts = (*title, (item.before, strong, "ink1"), ("→", small, "ink3"), (item.after, strong, "ink1"))
    return parts, sum(marks.text_width(text, used) for text, used, _ in parts) + (len(parts) - 1) * 7 + 24
