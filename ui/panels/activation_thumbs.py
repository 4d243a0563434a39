"""Every activation as a small picture of f and f′ with its largest f′; a click asks for it."""

from __future__ import annotations

import html

from PySide6.QtCore import QLineF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton

from gradviz.activations import ACTIVATIONS

from ..controls.input import focus_by_tab
from ..theme import THEMES, Theme, blend, font
from . import marks
from .activation_curves import curve, heights, paint_curves, paint_joints, paint_zone, peak
from .chain_cards import fitting
from .lab_page import SIDE, Block
from .plots import Plot

REACH = 4.0  # a thumbnail shows less than the large picture: the bend is what tells them apart
HEIGHT, GAP = 88.0, 6.0
NARROWEST = 74.0
PADDING = 6.0
PALE = 0.35  # opacity


def paint_thumb(
    painter: QPainter,
    area: QRectF,
    theme: Theme,
    name: str,
    in_force: bool,
    hovered: bool = False,
    focused: bool = False,
    usable: bool = True,
) -> None:
    """Title, curves, largest f′; the one in force has a frame, one that cannot be used is pale."""
    painter.setOpacity(1.0 if usable else PALE)
    activation = ACTIVATIONS[name]
    strong = in_force or focused
    width = 2.0 if strong else 1.0
    painter.setPen(QPen(QColor(theme.ink1 if strong else theme.strong_line), width))
    ground = theme.hover if hovered else theme.raised if in_force else theme.canvas
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(area.adjusted(width / 2, width / 2, -width / 2, -width / 2), 6, 6)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if focused and in_force:  # the focus must show on the one in force as well
        painter.setPen(QPen(QColor(theme.ink1), 1))
        painter.drawRoundedRect(area.adjusted(4.5, 4.5, -4.5, -4.5), 3, 3)
    middle = area.center().x()
    ink = theme.ink1 if in_force else theme.ink2
    marks.put_text(painter, middle, area.top() + 14, activation.title, font(12, 600 if in_force else 500), ink)
    drawn = curve(name, activation.parameter, REACH)
    low, high = heights(drawn)
    box = QRectF(area.left() + PADDING, area.top() + 25, area.width() - 2 * PADDING, area.height() - 25 - 23)
    plot = Plot(box, (-REACH, REACH, low, high))
    if ground != theme.canvas:
        painter.fillRect(box, QColor(theme.canvas))
    paint_zone(painter, plot, drawn, theme)
    painter.setPen(QPen(blend(theme.ink3, theme.canvas, 0.45), 1))
    zero = plot.at(0.0, 0.0)
    painter.drawLine(QLineF(box.left(), zero.y(), box.right(), zero.y()))
    paint_curves(painter, plot, drawn, theme, 1.1, 2.0)
    paint_joints(painter, plot, drawn, theme, 2.0)
    largest = peak(name)
    text = fitting((largest.words, largest.brief, largest.brief.split(" at ")[0]), 11, area.width() - 10)
    marks.put_text(painter, middle, area.bottom() - 12, text, font(11), theme.ink2)
    painter.setOpacity(1.0)


class Thumb(QAbstractButton):
    """One activation."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.theme: Theme = THEMES["dark"]
        self.in_force = False
        activation = ACTIVATIONS[name]
        largest = peak(name)
        self.setText(activation.title)
        self.setAccessibleName(f"{activation.title}: f′ {largest.words}")
        lines = (f"f = {activation.formula}", f"f′ = {activation.derivative_formula}", f"f′: {largest.words}")
        formulas = "<br>".join(map(html.escape, lines))
        self.setToolTip(f"<p><b>{html.escape(activation.title)}</b></p><p>{formulas}</p><p>Click to use it in this net.</p>")
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        focus_by_tab(self)

    def sizeHint(self) -> QSize:
        return QSize(round(NARROWEST), round(HEIGHT))

    def show_in_force(self, in_force: bool) -> None:
        if in_force != self.in_force:
            self.in_force = in_force
            self.setAccessibleDescription("in force" if in_force else "")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = self.underMouse() and self.isEnabled()
        paint_thumb(painter, QRectF(self.rect()), self.theme, self.name, self.in_force, hovered, self.hasFocus(), self.isEnabled())


class Thumbs(Block):
    """All of `ACTIVATIONS` in rows."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Activations")
        self.buttons = {name: Thumb(name) for name in ACTIVATIONS}
        for name, button in self.buttons.items():
            button.setParent(self)
            button.clicked.connect(lambda _=False, name=name: self.wanted.emit(name))

    def show_usable(self, names: tuple[str, ...]) -> None:
        """Which activations this kind of net can have."""
        for name, button in self.buttons.items():
            button.setEnabled(name in names)

    def show_in_force(self, names: frozenset[str]) -> None:
        """Mark the activations the net uses."""
        for name, button in self.buttons.items():
            button.show_in_force(name in names)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for button in self.buttons.values():
            button.theme = theme
            button.update()

    def height_at(self, width: float) -> float:
        rows = -(-len(self.buttons) // _columns(width))
        return rows * (HEIGHT + GAP) + 2.0

    def _places(self, area: QRectF) -> dict[str, QRectF]:
        columns = _columns(area.width())
        wide = (area.width() - 2 * SIDE - GAP * (columns - 1)) / columns
        left, top = area.left() + SIDE, area.top()
        return {
            name: QRectF(left + (n % columns) * (wide + GAP), top + (n // columns) * (HEIGHT + GAP), wide, HEIGHT)
            for n, name in enumerate(self.buttons)
        }

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for name, place in self._places(QRectF(self.rect())).items():
            self.buttons[name].setGeometry(place.toRect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Nothing of its own: the buttons draw themselves."""

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        for name, place in self._places(area).items():
            paint_thumb(painter, place, self.theme, name, self.buttons[name].in_force, usable=self.buttons[name].isEnabled())


def _columns(width: float) -> int:
    return max(1, min(6, int((width - 2 * SIDE + GAP) // (NARROWEST + GAP))))
