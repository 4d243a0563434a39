"""A slider over a table of round values, evenly spaced however many decades they span.

The arrow keys go from one round value to the next, Page Up and Page Down ten at a time, and a click jumps to its place.
"""

from __future__ import annotations

import bisect
import math

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSlider

from ..theme import THEMES, Theme
from .input import SIDEWAYS, keeps

ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # ten to a decade, about as far apart as they look
LINEAR_STEPS = 100
MOST_DECADES = 9  # below a minimum of 0 a logarithmic scale would never end
HANDLE = 14


def logarithmic_values(minimum: float, maximum: float) -> tuple[float, ...]:
    """Round values from ``minimum`` to ``maximum``; a minimum of 0 is an end stop in front of the lowest decade."""
    low = minimum if minimum > 0 else maximum / 10**MOST_DECADES
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(maximum)) + 1)
    inside = [float(f"{digit}e{decade}") for decade in decades for digit in ROUND if low < float(f"{digit}e{decade}") < maximum]
    return (*((0.0,) if minimum <= 0 else ()), low, *inside, maximum)


def linear_values(minimum: float, maximum: float) -> tuple[float, ...]:
    """About a hundred values a round step apart; the last one is ``maximum`` even where the step does not meet it."""
    rough = (maximum - minimum) / LINEAR_STEPS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * digit for digit in (1, 2, 5, 10) if size * digit >= rough * 0.95)
    count = math.ceil((maximum - minimum) / step - 1e-9)
    return (*(round(minimum + i * step, 12) for i in range(count)), maximum)


class Slider(QSlider):
    """A horizontal slider whose positions are the values of a sorted table."""

    def __init__(self, values: tuple[float, ...], ticks: bool = False) -> None:
        """``ticks`` marks the powers of ten."""
        super().__init__(Qt.Orientation.Horizontal)
        self.values = values
        self.theme: Theme = THEMES["dark"]
        self._ticks = [i for i, v in enumerate(values) if ticks and v > 0 and abs(math.log10(v) - round(math.log10(v))) < 1e-9]
        self.setRange(0, len(values) - 1)
        self.setPageStep(10)
        self.setMinimumWidth(40)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def event(self, event: QEvent) -> bool:
        # reached by Tab, its arrow keys move it; elsewhere they go through the training step
        return keeps(event, SIDEWAYS) or super().event(event)

    def show_nearest(self, value: float) -> None:
        """Move to the nearest value without a signal."""
        after = min(bisect.bisect_left(self.values, value), len(self.values) - 1)
        before = max(0, after - 1)
        nearest = before if value - self.values[before] < self.values[after] - value else after
        blocked = self.blockSignals(True)
        self.setValue(nearest)
        self.blockSignals(blocked)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:  # the handle comes to the pointer, and is dragged from there
            share = (event.position().x() - HANDLE / 2) / max(1.0, self.width() - HANDLE)
            self.setSliderDown(True)
            self.setValue(round(share * self.maximum()))
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for position in self._ticks:
            x = HANDLE / 2 + (self.width() - HANDLE) * position / max(1, self.maximum())
            painter.fillRect(QRectF(round(x), self.height() / 2 + 9, 1, 3), QColor(self.theme.strong_line))
        painter.end()
        super().paintEvent(event)
