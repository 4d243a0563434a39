"""The two sequences as ribbons: every symbol below, at its time; above, next to each other, those that the lower level passed on.

A cell is filled where its symbol surprised the level that read it, and quiet where that level had predicted it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.lab_reports import CompressorReport

from ..theme import Theme, font
from . import marks
from .compressor_words import name
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .spots import Spot

CELL, GAP = 24.0, 2.0  # height of a cell, and what is free between two
LABEL, BRACKET, LINKS, NAMES = 22.0, 24.0, 48.0, 16.0  # heights from top to bottom
NARROWEST = 22.0  # of a cell with its symbol written in it
THINNEST = 4.0  # of a cell, where two blocks are to be in sight
CLOSE = 9.0  # cells narrower than that touch each other
NEXT = "next"
KEY = (("surprise", "surprise to this level"), ("foreseen", "predicted"), (NEXT, "expected next"))


@dataclass(frozen=True)
class _Cell:
    """One symbol of a ribbon."""

    time: int
    symbol: int
    predicted: int
    surprise: bool
    box: QRectF


class Ribbons(Block):
    """Draws the newest symbols of both sequences, the newest at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.report: CompressorReport | None = None
        self.setAccessibleName("The two sequences")

    def show_report(self, report: CompressorReport) -> None:
        self.report = report
        above = " ".join(name(report, int(symbol)) for symbol in report.upper_symbols[-12:])
        below = " ".join(name(report, int(symbol)) for symbol in report.symbols[-12:])
        self.setAccessibleDescription(f"the latest symbols below: {below}; the latest above: {above}")
        self.update()

    def height_at(self, width: float) -> float:
        return 2 * LABEL + 2 * BRACKET + 2 * CELL + LINKS + NAMES

    # ---- where the cells stand

    def _written(self) -> float:
        """The width of a cell that has room for every symbol of the sequence."""
        report = self.report
        assert report is not None
        return max(NARROWEST, max(marks.text_width(text, font(11, 600)) for text in report.names) + 6.0)

    def lower_pitch(self, width: float) -> float:
        """From one symbol below to the next: symbols are written where a whole block fits so, else cells get narrower."""
        report = self.report
        assert report is not None
        room = width - 2 * SIDE
        size, written = report.lag + 2, self._written() + GAP
        if written * (size + 2) <= room:  # a block, the end of the one before, and what comes next
            return written
        return room / (2 * size + 2) if room / (2 * size + 2) >= THINNEST else room / (size + 2)

    def _cells(self, area: QRectF) -> tuple[list[_Cell], list[_Cell]]:
        """The upper and the lower cells in sight, from left to right, without what is expected next."""
        report = self.report
        assert report is not None
        left, right = area.left() + SIDE, area.right() - SIDE
        top = area.top() + LABEL + BRACKET
        pitch = self._written() + GAP
        upper = []
        number = min(len(report.upper_symbols), int((right - left) / pitch) - 1)
        for place in range(number):
            at = len(report.upper_symbols) - number + place
            symbol, guess = int(report.upper_symbols[at]), int(report.upper_predicted[at])
            box = QRectF(right - (number - place + 1) * pitch + GAP, top, pitch - GAP, CELL)
            upper.append(_Cell(int(report.upper_times[at]), symbol, guess, guess != symbol, box))
        pitch, lower = self.lower_pitch(area.width()), []
        gap = GAP if pitch > CLOSE else min(1.0, pitch / 4)
        number = min(len(report.symbols), int((right - left + 0.01) / pitch) - 1)
        for place in range(number):
            at = len(report.symbols) - number + place
            box = QRectF(right - (number - place + 1) * pitch + gap, top + CELL + LINKS, pitch - gap, CELL)
            time = report.read - number + place
            lower.append(_Cell(time, int(report.symbols[at]), int(report.predicted[at]), bool(report.passed[at]), box))
        return upper, lower

    # ---- drawing

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        report = self.report
        if report is None:
            return
        upper, lower = self._cells(area)
        top = area.top() + LABEL + BRACKET
        foot = top + 2 * CELL + LINKS + NAMES + BRACKET
        self._label(painter, area, area.top() + 10, "Upper level", f"{report.upper_length:,} symbols", "what the lower one passed on")
        self._label(painter, area, foot + 12, "Lower level", f"{report.read:,} symbols", "every symbol")
        self._paint_links(painter, upper, lower)
        for cells, above in ((upper, True), (lower, False)):
            for cell in cells:
                self._paint_cell(painter, cell, above)
        if report.read < report.longest:
            wide = self._written()
            self._paint_next(painter, QRectF(area.right() - SIDE - wide, top, wide, CELL), report.next_above)
            pitch = self.lower_pitch(area.width())
            box = QRectF(area.right() - SIDE - pitch + min(GAP, pitch / 4), top + CELL + LINKS, pitch - min(GAP, pitch / 4), CELL)
            self._paint_next(painter, box, report.next_below)
        if lower and lower[0].box.width() < NARROWEST:
            self._paint_names(painter, lower, area)
        self._paint_distances(painter, upper, lower)

    def _label(self, painter: QPainter, area: QRectF, y: float, title: str, count: str, what: str) -> None:
        used = font(12, 600)
        left = area.left() + SIDE
        marks.put_text(painter, left, y, title, used, self.theme.ink1, LEFT)
        marks.put_text(painter, area.right() - SIDE, y, count, font(12), self.theme.ink2, RIGHT)
        x = left + marks.text_width(title, used) + 10
        if x + marks.text_width(what, font(11)) + 12 <= area.right() - SIDE - marks.text_width(count, font(12)):
            marks.put_text(painter, x, y, what, font(11), self.theme.ink3, LEFT)

    def _paint_links(self, painter: QPainter, upper: list[_Cell], lower: list[_Cell]) -> None:
        """From each symbol that was passed on to where it stands above."""
        places = {cell.time: cell.box for cell in upper}
        painter.setPen(QPen(QColor(self.theme.outline), 1.2))
        for cell in lower:
            box = places.get(cell.time)
            if cell.surprise and box is not None:
                low, high = QPointF(cell.box.center().x(), cell.box.top()), QPointF(box.center().x(), box.bottom())
                painter.drawPolyline(QPolygonF([low, low - QPointF(0, 8), high + QPointF(0, 8), high]))

    def _paint_cell(self, painter: QPainter, cell: _Cell, above: bool) -> None:
        report, theme, box = self.report, self.theme, cell.box
        assert report is not None
        text = name(report, cell.symbol)
        paint_box(painter, box, theme, cell.surprise)
        if box.width() >= NARROWEST - 0.5:
            ink = theme.inverse_text if cell.surprise else theme.ink2
            marks.put_text(painter, box.center().x(), box.center().y(), text, font(11, 600 if cell.surprise else 400), ink)
        guess = f"{name(report, cell.predicted)} was predicted" if cell.predicted >= 0 else "nothing was predicted"
        level = "upper level" if above else "lower level"
        self.spots.append(Spot(box.adjusted(-1, 0, 1, 0), f"{level}, symbol {cell.time + 1:,} of the sequence", 0.0, f"{text}; {guess}"))

    def _paint_next(self, painter: QPainter, box: QRectF, symbol: int) -> None:
        report, theme = self.report, self.theme
        assert report is not None
        pen = QPen(QColor(theme.ink3), 1)
        pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), min(3.0, box.width() / 4), min(3.0, box.width() / 4))
        text = name(report, symbol)
        if box.width() >= NARROWEST - 0.5:
            marks.put_text(painter, box.center().x(), box.center().y(), text, font(11), theme.ink2)
        self.spots.append(Spot(box, "expected next", 0.0, text if symbol >= 0 else "nothing: not sure enough"))

    def _paint_names(self, painter: QPainter, lower: list[_Cell], area: QRectF) -> None:
        """Cues and answers beneath cells that are too narrow for a symbol, an answer towards its left and a cue towards its right."""
        report, used = self.report, font(11, 600)
        assert report is not None
        for cell in lower:
            within = cell.time % (report.lag + 2)
            y = cell.box.bottom() + 9
            text = name(report, cell.symbol)
            if within == 0 and cell.box.left() + marks.text_width(text, used) <= area.right() - SIDE:
                marks.put_text(painter, cell.box.left() + 1, y, text, used, self.theme.ink1, LEFT)
            elif within == report.lag + 1 and cell.box.right() - marks.text_width(text, used) >= area.left() + SIDE:
                marks.put_text(painter, cell.box.right() - 1, y, text, used, self.theme.ink1, RIGHT)

    def _paint_distances(self, painter: QPainter, upper: list[_Cell], lower: list[_Cell]) -> None:
        """The latest cue and answer that are in sight of a ribbon, and how many steps lie between them."""
        report = self.report
        assert report is not None
        size = report.lag + 2
        names = NAMES if lower and lower[0].box.width() < NARROWEST else 0.0
        for cells, above in ((upper, True), (lower, False)):
            at = {cell.time: number for number, cell in enumerate(cells)}
            answers = [time for time in at if time % size == size - 1 and (time - size + 1 in at or not above)]
            if not answers:
                continue
            end = max((time for time in answers if time - size + 1 in at), default=max(answers))
            answer, cue = at[end], at.get(end - size + 1)
            y = cells[0].box.top() - 5 if above else cells[0].box.bottom() + 5 + names
            away = -5.0 if above else 5.0
            right = cells[answer].box.center().x()
            left = cells[0].box.left() if cue is None else cells[cue].box.center().x()
            painter.setPen(QPen(QColor(self.theme.ink3), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            ends = [QPointF(left, y + away), QPointF(right, y + away), QPointF(right, y)]
            painter.drawPolyline(QPolygonF(ends if cue is None else [QPointF(left, y), *ends]))
            steps = size - 1 if cue is None else answer - cue
            text = f"{'← ' if cue is None else ''}{steps} step{'' if steps == 1 else 's'}"
            half = marks.text_width(text, font(11, 500)) / 2
            x = max((left + right) / 2, cells[0].box.left() + half)
            marks.put_text(painter, x, y + away + (-8.0 if above else 8.0), text, font(11, 500), self.theme.ink1)


class RibbonKey(Block):
    """What filled, quiet and dashed cells are."""

    def height_at(self, width: float) -> float:
        return 18.0 * len(self._rows(width)) + 8.0

    def _rows(self, width: float) -> list[list[tuple[str, str]]]:
        rows: list[list[tuple[str, str]]] = [[]]
        x = 0.0
        for kind, text in KEY:
            wide = 18 + marks.text_width(text, font(11)) + 14
            if rows[-1] and x + wide - 14 > width - 2 * SIDE:
                rows.append([])
                x = 0.0
            rows[-1].append((kind, text))
            x += wide
        return rows

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, y = self.theme, area.top() + 9
        for row in self._rows(area.width()):
            x = area.left() + SIDE
            for kind, text in row:
                box = QRectF(x, y - 6, 12, 12)
                if kind == NEXT:
                    pen = QPen(QColor(theme.ink3), 1)
                    pen.setDashPattern([3, 2])
                    painter.setPen(pen)
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
                else:
                    paint_box(painter, box, theme, kind == "surprise")
                marks.put_text(painter, x + 18, y, text, font(11), theme.ink2, LEFT)
                x += 18 + marks.text_width(text, font(11)) + 14
            y += 18.0


def paint_box(painter: QPainter, box: QRectF, theme: Theme, surprise: bool) -> None:
    """A cell; a narrow one is a bar without an edge of its own."""
    painter.setPen(Qt.PenStyle.NoPen)
    if box.width() < CLOSE:
        painter.setBrush(QColor(theme.inverse if surprise else theme.strong_line))
        painter.drawRect(box)
        return
    painter.setBrush(QColor(theme.inverse if surprise else theme.field))
    if not surprise:
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        box = box.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.drawRoundedRect(box, 3, 3)
