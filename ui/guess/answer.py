"""One answer of the game: a large button with its key, its votes as number and bar, and whether it was right."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QIntValidator, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QSizePolicy, QWidget

from gradviz.prediction_game import MOST_VOTES

from ..theme import THEMES, Theme, font

LEAST, MOST = 16, 40  # pixels of the type
SHARE = 0.5  # of the height that the type takes
LOWEST, HIGHEST = 38, 100
DIGITS = 4.2  # of the field's type, that it has room for


class AnswerButton(QAbstractButton):
    """A click counts one vote, a click with the right button takes one back; hands that were counted are typed into its field."""

    counted = Signal(int)
    taken_back = Signal()

    def __init__(self, key: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._key = key
        self.votes, self._most = 0, 1
        self.right: bool | None = None  # None as long as nothing is uncovered
        self.setText(text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(LOWEST)
        self.setMaximumHeight(HIGHEST)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip(f"One vote more: {key} or a click. One less: a click with the right button")
        self.field = QLineEdit(self)
        self.field.setValidator(QIntValidator(0, MOST_VOTES, self.field))
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setPlaceholderText("0")
        self.field.setAccessibleName(f"Votes for: {text}")
        self.field.setToolTip("How many hands are up")
        self.field.textEdited.connect(lambda typed: self.counted.emit(int(typed or 0)))

    def show_votes(self, votes: int, most: int, right: bool | None) -> None:
        """``most`` is how many votes the longest bar stands for; ``right`` None while it is not known."""
        self.votes, self._most, self.right = votes, max(1, most), right
        said = {None: "", True: ", right", False: ", wrong"}[right]
        if int(self.field.text() or 0) != votes:
            self.field.setText(str(votes) if votes else "")
        self.field.setVisible(right is None and self.isEnabled())
        self.setAccessibleDescription(f"{votes:,} vote{'' if votes == 1 else 's'}{said}")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 64)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        size, pad = self._size, 0.28 * self.height()
        # by a sheet of its own, because that of all fields makes them of one height
        self.field.setStyleSheet(f"QLineEdit {{ min-height: 0; font-size: {size}px; font-weight: 600 }}")
        wide, high = round(DIGITS * 0.62 * size + 18), round(1.45 * size)
        self.field.setGeometry(round(self.width() - pad - wide), round((self.height() - self._bar - high) / 2), wide, high)

    @property
    def _size(self) -> int:
        """Of the type, in pixels."""
        return round(min(MOST, max(LEAST, SHARE * (self.height() - 2))))

    @property
    def _bar(self) -> float:
        """How thick the bar of the votes is."""
        return max(4.0, 0.1 * (self.height() - 2))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton and self.rect().contains(event.position().toPoint()):
            self.taken_back.emit()
        super().mouseReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        hot = self.right is None and self.isEnabled() and (self.underMouse() or self.isDown())
        ground = theme.inverse if self.right else theme.hover if hot else theme.raised
        ink = theme.inverse_text if self.right else theme.ink1 if self.right is None else theme.ink2
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(area, 8, 8)
        size, thick = self._size, self._bar
        pad = 0.28 * area.height()
        text_area = area.adjusted(pad, 0, -pad, -thick - 2)
        box = QRectF(text_area.left(), text_area.center().y() - 0.6 * size, 1.2 * size, 1.2 * size)
        self._paint_key(painter, box, font(max(12, round(0.62 * size)), 600), ink)
        asked = self.field.isVisibleTo(self)
        count = f"{self.votes:,}" if not asked else ""
        painter.setFont(font(size, 600))
        painter.drawText(text_area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, count)
        end = text_area.right() - (painter.fontMetrics().horizontalAdvance(count) + 0.6 * size if count else 0.0)
        words = QRectF(box.right() + 0.6 * size, text_area.top(), end - box.right() - 0.6 * size, text_area.height())
        self._paint_words(painter, words, size)
        if self.votes:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ink))
            across = max(thick, (area.width() - 2 * pad) * self.votes / self._most)
            painter.drawRoundedRect(QRectF(area.left() + pad, area.bottom() - thick - 4, across, thick), thick / 2, thick / 2)

    def _paint_key(self, painter: QPainter, box: QRectF, used: QFont, ink: str) -> None:
        """The key that counts a vote; a tick once the answer is known to be right."""
        painter.setPen(QPen(QColor(ink), 1.25))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 5, 5)
        if self.right:
            across = box.width() / 5
            tick = [box.center() + QPointF(across * x, across * y) for x, y in ((-1.3, 0.1), (-0.35, 1.05), (1.3, -1.05))]
            painter.setPen(QPen(QColor(ink), 0.5 * across))
            painter.drawPolyline(QPolygonF(tick))
            painter.setPen(QColor(ink))
        else:
            painter.setFont(used)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, self._key)

    def _paint_words(self, painter: QPainter, area: QRectF, size: int) -> None:
        """The answer, smaller where there is not the room."""
        weight = 600 if self.right else 500
        while size > LEAST and QFontMetricsF(font(size, weight)).horizontalAdvance(self.text()) > area.width():
            size -= 1
        used = font(size, weight)
        painter.setFont(used)
        fitted = QFontMetricsF(used).elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, fitted)
