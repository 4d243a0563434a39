"""The top of the page: what the two sides differ in, what they have in common, the legend for both; while nothing differs, what to try."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
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
HINT = "Both sides are the same. Change one knob of B:"
STARTS = "Both run the same settings; change one of them on one side."


class Header(QWidget):
    """What there is to say about both sides."""

    change_wanted = Signal(str, str, object)  # side, path of a field, value

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._pair: tuple[Snapshot, Snapshot] | None = None
        self._found: tuple[Difference, ...] = ()
        self._said = ""
        self._offered: tuple[Offer, ...] = ()
        self._buttons: list[QPushButton] = []
        self.setAccessibleName("What differs")

    def show_pair(self, a: Snapshot, b: Snapshot, histories: tuple[HistoryTable | None, HistoryTable | None] = (None, None)) -> None:
        """Say what differs between these two."""
        self._pair = a, b
        self._found = differences(a.spec, b.spec)
        self._said = " ".join(filter(None, (in_common(a, b), changed_while_running(*histories))))
        told = "; ".join(f"{item.title}: A {item.before}, B {item.after}" for item in self._found)
        self.setAccessibleDescription(f"{heading(self._found)}. {told}. {self._said}")
        self.setToolTip("\n".join(f"{item.title}: {item.before} → {item.after}" for item in self._found) if len(self._found) > 1 else "")
        self._offer(offers(b.spec) if not self._found else ())
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

    # ---- geometry

    def height_for(self, width: float) -> float:
        """How high it is in this width."""
        if self._buttons:
            return max(LEAST_HEIGHT, self._flow(width)[-1].bottom() + 12)
        return max(LEAST_HEIGHT, FIRST + 10 + LINE * (len(self._lines(width)) + 0.5))

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

    def _flow(self, width: float) -> list[QRectF]:
        """The places of the buttons, row by row beside the legend."""
        x, y, end = MARGIN, FIRST + 16, MARGIN + self._room(width)
        found = []
        for button in self._buttons:
            wide = float(button.sizeHint().width())
            if x + wide > end and x > MARGIN:
                x, y = MARGIN, y + CHIP + 6
            found.append(QRectF(x, y, wide, CHIP))
            x += wide + GAP
        return found

    def _place(self) -> None:
        for button, place in zip(self._buttons, self._flow(self.width()), strict=True):
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
        self._paint(painter, QRectF(self.rect()), bool(self._buttons))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw it without what can be pressed."""
        self._paint(painter, area, False)

    def _paint(self, painter: QPainter, area: QRectF, offered: bool) -> None:
        theme = self.theme
        painter.save()
        painter.fillRect(area, QColor(theme.dock))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(area.bottomLeft() + QPointF(0, -0.5), area.bottomRight() + QPointF(0, -0.5))
        if self._pair is not None:
            self._paint_legend(painter, area)
            left, y, strong = area.left() + MARGIN, area.top() + FIRST, font(15, 600)
            title = heading(self._found)
            marks.put_text(painter, left, y, title, strong, theme.ink1, Qt.AlignmentFlag.AlignLeft)
            used = marks.text_width(title, strong) + 14
            room = self._room(area.width()) - used
            if self._found:
                self._paint_chips(painter, left + used, y, room)
            else:
                hint = HINT if offered else STARTS
                fitted = QFontMetricsF(font(13)).elidedText(hint, Qt.TextElideMode.ElideRight, room)
                marks.put_text(painter, left + used, y, fitted, font(13), theme.ink2, Qt.AlignmentFlag.AlignLeft)
            if not offered:
                for number, line in enumerate(self._lines(area.width())):
                    marks.put_text(painter, left, y + 28 + LINE * number, line, font(12), theme.ink2, Qt.AlignmentFlag.AlignLeft)
        painter.restore()

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        """The one scale; its ticks are left out, because they would mix two nets, its keys light up for both."""
        assert self._pair is not None
        special = [value for side in self._pair for value in known_gradients(side) if value == 0 or not math.isfinite(value)]
        at = QPointF(area.right() - MARGIN, area.top() + 12)
        paint_legend(painter, at, self.theme, special[:1] + special[-1:], self._legend_room(area.width()))

    def _paint_chips(self, painter: QPainter, left: float, y: float, room: float) -> None:
        """One frame per difference: the field's title, then both values; how many more there are where they do not fit."""
        theme, small, strong = self.theme, font(13), font(13, 600)
        end = left + room
        for number, item in enumerate(self._found):
            rest = len(self._found) - number - 1
            more = f"and {rest} more" if rest else ""
            space = end - left - (marks.text_width(more, small) + GAP if more else 0)
            values = [(item.before, strong, theme.ink1), ("→", small, theme.ink3), (item.after, strong, theme.ink1)]
            parts = [(item.title, small, theme.ink2), *values]
            wide = sum(marks.text_width(text, used) for text, used, _ in parts) + 3 * 7 + 24
            if wide > space:
                if number:
                    marks.put_text(painter, left, y, f"and {rest + 1} more", small, theme.ink2, Qt.AlignmentFlag.AlignLeft)
                    return
                whole = f"{item.title} {item.before} → {item.after}"
                fitted = QFontMetricsF(strong).elidedText(whole, Qt.TextElideMode.ElideRight, max(20.0, space - 24))
                parts = [(fitted, strong, theme.ink1)]
                wide = marks.text_width(fitted, strong) + 24
            painter.setPen(QPen(QColor(theme.strong_line), 1))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(QRectF(left, y - CHIP / 2, wide, CHIP).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            x = left + 12
            for text, used, ink in parts:
                marks.put_text(painter, x, y, text, used, ink, Qt.AlignmentFlag.AlignLeft)
                x += marks.text_width(text, used) + 7
            left += wide + GAP
