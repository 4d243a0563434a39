"""A group of rows under a heading that folds it, and the small picture of the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QVBoxLayout, QWidget

from ..theme import THEMES, Theme, blend, font
from .input import focus_by_tab

MARGIN = 12
MOST_POINTS = 400  # more are only a blot at this size


class Group(QWidget):
    """A heading and what it folds away."""

    def __init__(self, title: str, opened: bool = True) -> None:
        super().__init__()
        self.header = GroupHeader(title)
        self.header.setChecked(opened)
        self.body = QWidget()
        self.body.setVisible(opened)
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(MARGIN, 0, MARGIN, 8)
        self.rows.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.body)
        self.header.toggled.connect(self.body.setVisible)

    def add_beside(self, picture: QWidget, rows: list[QWidget]) -> None:
        """Rows with a picture on their left."""
        line = QHBoxLayout()
        line.setSpacing(10)
        column = QVBoxLayout()
        column.setSpacing(2)
        for row in rows:
            column.addWidget(row)
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(column, 1)
        self.rows.addLayout(line)


class GroupHeader(QAbstractButton):
    """Title and summary of a group; pressing it folds the group away and back."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self._summary = ""
        self.setText(title)
        self.setCheckable(True)
        self.setFixedHeight(36)
        self.setAccessibleName(title)
        focus_by_tab(self)

    def sizeHint(self) -> QSize:
        return QSize(200, 36)

    def show_summary(self, text: str) -> None:
        if text != self._summary:
            self._summary = text
            self.setAccessibleDescription(text)
            self.setToolTip(f"{self.text()}: {text}" if text else "")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse():
            painter.fillRect(self.rect(), blend(theme.hover, theme.dock, 0.5))
        painter.fillRect(QRectF(0, 0, self.width(), 1), QColor(theme.line))
        middle = self.height() / 2 + 0.5
        x, y = MARGIN + 5.0, middle
        chevron = [(-4, -2), (0, 2), (4, -2)] if self.isChecked() else [(-2, -4), (2, 0), (-2, 4)]
        painter.setPen(QPen(QColor(theme.ink1), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF([QPointF(x + a, y + b) for a, b in chevron]))
        title = font(13, 600)
        painter.setFont(title)
        painter.drawText(QRectF(MARGIN + 20, 1, self.width(), self.height() - 1), Qt.AlignmentFlag.AlignVCenter, self.text())
        start = MARGIN + 32 + QFontMetrics(title).horizontalAdvance(self.text())
        area = QRectF(start, 1, self.width() - MARGIN - start, self.height() - 1)
        size = 12 if QFontMetrics(font(12)).horizontalAdvance(self._summary) <= area.width() else 11
        metrics, summary = QFontMetrics(font(size)), self._summary
        if metrics.horizontalAdvance(summary) > area.width():
            summary = metrics.elidedText(summary.removesuffix(" examples"), Qt.TextElideMode.ElideRight, int(area.width()))
        painter.setFont(font(size))
        painter.setPen(QColor(theme.ink3))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, summary)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ink1), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4, 4, -4, -3), 6, 6)


class Thumbnail(QWidget):
    """The data as points, in greys: their classes are no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self._points: NDArray[np.float64] | None = None  # (points, 2), in pixels
        self._classes: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.setFixedSize(60, 60)
        self.setAccessibleName("The data")
        self.setToolTip("The data: each grey is a class.")
        self.hide()

    def show_points(self, points: NDArray[np.floating] | None, labels: NDArray[np.generic] | None) -> None:
        """Points (n, 2) with classes (n,), or None where the data have no two coordinates."""
        self.setVisible(points is not None and len(points) > 0)
        if points is None or len(points) == 0:
            return
        every = -(-len(points) // MOST_POINTS)
        shown = np.asarray(points[::every], dtype=np.float64)
        low, high = shown.min(axis=0), shown.max(axis=0)
        span = np.where(high > low, high - low, 1.0)
        across = (shown - low) / span * (self.width() - 12)
        self._points = np.column_stack([6 + across[:, 0], self.height() - 6 - across[:, 1]])
        self._classes = np.zeros(len(shown), dtype=np.int64) if labels is None else np.asarray(labels[::every]).astype(np.int64)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.setBrush(QColor(theme.field))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        if self._points is None:
            return
        inks = (theme.ink3, theme.ink1, theme.outline, theme.ink2)
        for number in np.unique(self._classes):
            painter.setPen(QPen(QColor(inks[int(number) % len(inks)]), 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(QPolygonF([QPointF(x, y) for x, y in self._points[self._classes == number].tolist()]))
