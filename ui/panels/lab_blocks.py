"""The blocks that every view of the lab is put together from: title, paragraphs, cards of numbers, what to do, controls."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QResizeEvent, QTextLayout
from PySide6.QtWidgets import QHBoxLayout, QWidget

from .. import colors
from ..numbers import short
from ..theme import font
from . import marks
from .chain_cards import fitting, paint_card
from .lab_page import SIDE, Block
from .spots import Spot

LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
TITLE, SECTION = 48.0, 38.0
CARD, CARD_GAP = 58.0, 8.0
NUMBER_SIZES = (20, 18, 16, 15, 14, 13, 12, 11)


@functools.lru_cache(maxsize=256)
def wrapped(text: str, pixels: int, width: float, weight: int = 400) -> tuple[str, ...]:
    """The lines in which a text fits into a width."""
    layout = QTextLayout(text, font(pixels, weight))
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(24.0, width))
        lines.append(text[line.textStart() : line.textStart() + line.textLength()].strip())
    layout.endLayout()
    return tuple(lines)


class Title(Block):
    """The name of the view and, at the right, which moment it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.captions: tuple[str, ...] = ()  # the first that fits is shown

    def height_at(self, width: float) -> float:
        return TITLE

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        _paint_heading(painter, area, area.top() + 26, self, font(15, 600), 16)


class Section(Block):
    """The name of a part, with a caption or something to press at its right."""

    def __init__(self, text: str, tool: QWidget | None = None) -> None:
        super().__init__()
        self.text = text
        self.captions: tuple[str, ...] = ()  # the first that fits is shown
        self.tool = tool
        if tool is not None:
            tool.setParent(self)

    def height_at(self, width: float) -> float:
        return SECTION

    def place_tool(self) -> None:
        """Put the tool at the right end, as wide as it wants to be."""
        if self.tool is not None:
            wanted, room = self.tool.sizeHint(), int(self.width() - 2 * SIDE - 8 - marks.text_width(self.text, font(13, 600)))
            width = min(wanted.width(), room)
            self.tool.setGeometry(round(self.width() - SIDE) - width, round(22 - wanted.height() / 2), width, wanted.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place_tool()

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        _paint_heading(painter, area, area.top() + 22, self, font(13, 600), 12)


def _paint_heading(painter: QPainter, area: QRectF, y: float, heading: Title | Section, used: QFont, gap: float) -> None:
    """Its text at the left and, ``gap`` away from it at the least, the first of its captions for which there is room."""
    marks.put_text(painter, area.left() + SIDE, y, heading.text, used, heading.theme.ink1, LEFT)
    room = area.width() - 2 * SIDE - gap - marks.text_width(heading.text, used)
    caption = next((text for text in heading.captions if marks.text_width(text, font(12)) <= room), "")
    marks.put_text(painter, area.right() - SIDE, y, caption, font(12), heading.theme.ink3, RIGHT)


class Words(Block):
    """Paragraphs; a caption is smaller and fainter."""

    def __init__(self, caption: bool = False) -> None:
        super().__init__()
        self._pixels, self._line = (11, 15.0) if caption else (12, 17.0)
        self._caption = caption
        self.paragraphs: tuple[str, ...] = ()
        self._reserved: tuple[str, ...] = ()

    def reserve(self, *texts: str) -> None:
        """Be as high as the longest of these texts needs, whichever is shown: what stands below then keeps its place."""
        self._reserved = texts

    def show_text(self, *paragraphs: str) -> None:
        """Say this from now on; empty paragraphs are left out, and without any the block is not used."""
        self.paragraphs = tuple(text for text in paragraphs if text)
        self.used = bool(self.paragraphs)
        self.setAccessibleName(" ".join(self.paragraphs))
        self.update()

    def _lines(self, width: float) -> list[tuple[str, ...]]:
        return [wrapped(text, self._pixels, width - 2 * SIDE) for text in self.paragraphs]

    def height_at(self, width: float) -> float:
        lines = self._lines(width)
        most = max((len(wrapped(text, self._pixels, width - 2 * SIDE)) for text in self._reserved), default=0)
        return max(most, sum(map(len, lines))) * self._line + 6.0 * max(0, len(lines) - 1) + 8.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        y, ink = area.top() + self._line / 2 + 1, self.theme.ink3 if self._caption else self.theme.ink2
        for lines in self._lines(area.width()):
            for line in lines:
                marks.put_text(painter, area.left() + SIDE, y, line, font(self._pixels), ink, LEFT)
                y += self._line
            y += 6.0


class Notice(Block):
    """A dashed card that says what to do to see something."""

    def __init__(self) -> None:
        super().__init__()
        self.title = self.text = ""

    def show_text(self, title: str, text: str) -> None:
        self.title, self.text = title, text
        self.setAccessibleName(f"{title}. {text}")
        self.update()

    def height_at(self, width: float) -> float:
        return 52.0 + 17.0 * len(self._lines(width)) + 12.0

    def _lines(self, width: float) -> tuple[str, ...]:
        return wrapped(self.text, 12, width - 2 * SIDE - 32)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        pen = QPen(QColor(self.theme.strong_line), 1)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(SIDE + 0.5, 4.5, -SIDE - 0.5, -8.5), 8, 8)
        left, y = area.left() + SIDE + 16, area.top() + 26
        marks.put_text(painter, left, y, self.title, font(13, 600), self.theme.ink1, LEFT)
        for line in self._lines(area.width()):
            y += 17.0 if y > area.top() + 26 else 21.0
            marks.put_text(painter, left, y, line, font(12), self.theme.ink2, LEFT)


@dataclass(frozen=True)
class Figure:
    """One number of a card."""

    label: str
    value: float
    text: str  # how it is written
    captions: tuple[str, ...] = ("",)  # the first that fits stands beneath
    gradient: bool = False  # has a colour of the one scale
    hint: str = ""  # what the tooltip calls it


class Cards(Block):
    """Two or three numbers side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: tuple[Figure, ...] = ()

    def show_figures(self, *figures: Figure) -> None:
        self.figures = figures
        self.setAccessibleName(", ".join(f"{figure.hint or figure.label}: {figure.text}" for figure in figures))
        self.update()

    def height_at(self, width: float) -> float:
        lines = 16.0 if any(any(figure.captions) for figure in self.figures) else 0.0
        return CARD + lines + 8.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        count = max(1, len(self.figures))
        wide = (area.width() - 2 * SIDE - CARD_GAP * (count - 1)) / count
        numbers = [figure.text for figure in self.figures]
        taken = [18.0 if figure.gradient else 0.0 for figure in self.figures]
        pixels = next(
            (
                size
                for size in NUMBER_SIZES
                if all(_wide(text, size) + more <= wide - 20 for text, more in zip(numbers, taken, strict=True))
            ),
            NUMBER_SIZES[-1],
        )
        for number, figure in enumerate(self.figures):
            box = QRectF(area.left() + SIDE + number * (wide + CARD_GAP), area.top(), wide, area.height() - 8.0)
            self._paint_figure(painter, box, figure, pixels)

    def _paint_figure(self, painter: QPainter, box: QRectF, figure: Figure, pixels: int) -> None:
        theme = self.theme
        paint_card(painter, box, theme)
        left, room = box.left() + 10, box.width() - 20
        label = fitting((figure.label, figure.label.split(" ")[0]), 11, room)
        marks.put_text(painter, left, box.top() + 16, label, font(11), theme.ink3, LEFT)
        level = colors.level(figure.value) if figure.gradient else colors.UNKNOWN
        bad = not math.isfinite(figure.value) and figure.text == short(figure.value)
        x = left
        if figure.gradient:
            marks.paint_swatch(painter, QRectF(left, box.top() + 32, 12, 12), level, theme)
            x += 18
        marks.put_text(painter, x, box.top() + 38, figure.text, font(pixels, 600), theme.nan if bad else theme.ink1, LEFT)
        caption = next((text for text in figure.captions if marks.text_width(text, font(11)) <= room), "")
        marks.put_text(painter, left, box.top() + 58, caption, font(11), theme.ink2, LEFT)
        self.spots.append(Spot(box, figure.hint or figure.label, figure.value))


def _wide(text: str, pixels: int) -> float:
    return marks.text_width(text, font(pixels, 600))


class Controls(Block):
    """A row of things to press, of which the last may take the room that is left; not on paper."""

    on_paper = False

    def __init__(self, *widgets: QWidget, height: int = 32, stretch: bool = False) -> None:
        super().__init__()
        self._height = height
        row = QHBoxLayout(self)
        row.setContentsMargins(round(SIDE), 0, round(SIDE), 8)
        row.setSpacing(8)
        for widget in widgets:
            widget.setFixedHeight(height)
            row.addWidget(widget, 1 if stretch and widget is widgets[-1] else 0)
        if not stretch:
            row.addStretch(1)

    def height_at(self, width: float) -> float:
        return self._height + 8.0


class Gap(Block):
    """Room between parts, with a line through its middle if wanted."""

    def __init__(self, height: float, line: bool = False) -> None:
        super().__init__()
        self._high, self._line = height, line

    def height_at(self, width: float) -> float:
        return self._high

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        if self._line:
            painter.setPen(QPen(QColor(self.theme.line), 1))
            y = round(area.center().y()) + 0.5
            painter.drawLine(QPointF(area.left() + SIDE, y), QPointF(area.right() - SIDE, y))


def outlined_text(
    painter: QPainter, at: QPointF, text: str, pixels: int, ink: str, ground: str, align: Qt.AlignmentFlag, weight: int = 400
) -> None:
    """Text on a small ground of its own, so that no line runs through it."""
    used = font(pixels, weight)
    width = marks.text_width(text, used)
    left = {LEFT: at.x(), RIGHT: at.x() - width}.get(align, at.x() - width / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(QRectF(left - 3, at.y() - pixels * 0.65, width + 6, pixels * 1.3), 3, 3)
    marks.put_text(painter, at.x(), at.y(), text, used, ink, align)
