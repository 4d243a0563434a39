"""The gradient before and after clipping as two arrows in the plane of two of its components, with what the threshold allows.

Both axes have the same scale, or directions would be distorted. Where the clipped arrow is too short to be seen, a lens shows it.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradviz.lab_reports import ClippingReport
from gradviz.snapshot import Snapshot

from .. import colors
from ..numbers import full, short
from ..theme import font
from . import clipping_words as words
from . import marks
from .history_plot import tick_text
from .lab_blocks import LEFT, RIGHT, outlined_text
from .lab_names import layer_of, parameter_name
from .lab_page import SIDE, Block
from .plots import Plot, elided, ticks
from .spots import Spot

ABOVE, BELOW = 20.0, 34.0  # room for the names of the components
LOWEST, HIGHEST, SHARE = 170.0, 300.0, 0.74  # height of the plot, and its share of the width
ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
SLACK = 1.12  # the axes end so far beyond the longest arrow
IN_SIGHT = 4.0  # a threshold at most so many times as large as the arrow is kept in the picture
SHRINKS = 0.3  # the axes get shorter only where so little of them is used: they must not dance
LENS, LENS_FROM = 42.0, 13.0  # radius of the lens; radius of the threshold in pixels below which it is needed
LARGEST = 1e300


class ClippingPlane(Block):
    """Draws a `ClippingReport`."""

    def __init__(self) -> None:
        super().__init__()
        self.report: ClippingReport | None = None
        self.names = ("", "")
        self._told = ("", "")
        self._reach = 0.0
        self._axes: tuple[str, str] = ("", "")
        self._turned = False

    def show_report(self, report: ClippingReport, snapshot: Snapshot) -> None:
        """Draw this report from now on."""
        self.report = report
        across, up = (parameter_name(name, snapshot.architecture) for name in report.names)
        self.names = (across, up)
        needed = self._needed(report)
        if report.names != self._axes or needed > self._reach or needed < SHRINKS * self._reach:
            self._reach, self._axes = round_up(needed), report.names
        self._turned = words.turned(report, snapshot)
        self.setAccessibleName(f"The gradient in the plane of {across} and {up}")
        self.setAccessibleDescription(
            f"before {short(report.before[0])} and {short(report.before[1])}, after {short(report.after[0])} and {short(report.after[1])}"
        )
        self.update()

    @staticmethod
    def _needed(report: ClippingReport) -> float:
        """From the origin to the upper end of the plane."""
        parts = [abs(part) for part in (*report.before, *report.after) if math.isfinite(part)]
        longest = max(parts, default=0.0)
        if longest == 0.0:
            return SLACK * (report.threshold if math.isfinite(report.threshold) else 1.0)
        limit = report.threshold if report.threshold <= IN_SIGHT * longest else 0.0
        return min(LARGEST, SLACK * max(longest, limit))

    def height_at(self, width: float) -> float:
        return min(HIGHEST, max(LOWEST, SHARE * (width - 2 * SIDE))) + ABOVE + BELOW

    # ---- drawing

    def _plot(self, area: QRectF) -> Plot:
        """The plane, with its origin in the middle."""
        height = area.height() - ABOVE - BELOW
        step = marks.nice_step(2 * self._reach, max(2.0, height / 50))
        texts = [tick_text(value, step) for value in ticks(-self._reach, self._reach, max(2.0, height / 50))]
        gutter = max(marks.text_width(text, font(11)) for text in texts) + 8
        box = QRectF(area.left() + SIDE + gutter, area.top() + ABOVE, area.width() - 2 * SIDE - gutter, height)
        wide = self._reach * box.width() / box.height()
        return Plot(box, (-wide, wide, -self._reach, self._reach))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        report = self.report
        if report is None:
            return
        plot = self._plot(area)
        self._paint_axes(painter, area, plot)
        if not all(map(math.isfinite, (*report.before, *report.after))):
            self._paint_not_finite(painter, plot, report)
            return
        self._paint_threshold(painter, plot, report)
        self._paint_arrows(painter, plot, report)
        radius = report.threshold / self._reach * plot.box.height() / 2
        if words.clipped(report) and math.isfinite(radius) and radius < LENS_FROM:
            self._paint_lens(painter, plot, report)
        if report.before == (0.0, 0.0):
            middle = plot.at(0, 0)
            marks.paint_swatch(painter, QRectF(middle.x() - 7, middle.y() - 7, 14, 14), colors.ZERO, self.theme)
            outlined_text(
                painter, QPointF(middle.x() + 14, middle.y() - 14), "exactly 0 here", 12, self.theme.ink1, self.theme.canvas, LEFT
            )

    def _paint_axes(self, painter: QPainter, area: QRectF, plot: Plot) -> None:
        theme, box, used = self.theme, plot.box, font(11)
        painter.fillRect(box, QColor(theme.canvas))
        middle = plot.at(0, 0)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(QLineF(box.left(), middle.y(), box.right(), middle.y()))
        painter.drawLine(QLineF(middle.x(), box.top(), middle.x(), box.bottom()))
        step = marks.nice_step(2 * self._reach, max(2.0, box.height() / 50))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        for value in ticks(-self._reach, self._reach, max(2.0, box.height() / 50)):
            y = plot.at(0, value).y()
            if box.top() + 5 <= y <= box.bottom() - 5:
                marks.put_text(painter, box.left() - 6, y, tick_text(value, step), used, theme.ink3, RIGHT)
        right = plot.extent[1]
        end = -math.inf
        for value in ticks(-right, right, max(2.0, box.height() / 50) * box.width() / box.height()):
            text, x = tick_text(value, step), plot.at(value, 0).x()
            half = marks.text_width(text, used) / 2
            if x - half > end + 8 and box.left() <= x - half and x + half <= box.right():
                marks.put_text(painter, x, box.bottom() + 10, text, used, theme.ink3)
                end = x + half
        across, up = self.names
        strong = font(11, 500)
        up_text, across_text = f"↑ {elided(up, area.width() - 2 * SIDE - 20)}", f"{elided(across, box.width() - 20)} →"
        marks.put_text(painter, area.left() + SIDE, area.top() + 8, up_text, strong, theme.ink2, LEFT)
        marks.put_text(painter, box.right(), box.bottom() + 25, across_text, strong, theme.ink2, RIGHT)
        report = self.report
        if report is not None:
            names = QRectF(area.left() + SIDE, area.top(), marks.text_width(up_text, strong), 18)
            self.spots.append(Spot(names, f"∂J/∂ of {report.names[1]}, before clipping", report.before[1]))
            wide = marks.text_width(across_text, strong)
            foot = QRectF(box.right() - wide, box.bottom() + 16, wide, 18)
            self.spots.append(Spot(foot, f"∂J/∂ of {report.names[0]}, before clipping", report.before[0]))

    def _paint_not_finite(self, painter: QPainter, plot: Plot, report: ClippingReport) -> None:
        middle = plot.at(0, 0)
        colors.paint_hatch(painter, QRectF(middle.x() - 30, middle.y() - 30, 60, 60), self.theme)
        bad = next(part for part in (*report.before, *report.after) if not math.isfinite(part))
        text = f"{short(bad)}: an arrow without a direction"
        outlined_text(
            painter, QPointF(middle.x(), middle.y() + 46), text, 12, self.theme.nan, self.theme.canvas, Qt.AlignmentFlag.AlignHCenter, 500
        )

    def _is_box(self, report: ClippingReport) -> bool:
        """Whether the two components are limited apart, each in its own layer or as a value."""
        return report.rule == "value" or (report.rule == "layer_norm" and layer_of(report.names[0]) != layer_of(report.names[1]))

    def _paint_threshold(self, painter: QPainter, plot: Plot, report: ClippingReport) -> None:
        limit = report.threshold
        if not 0 < limit < math.inf:
            return
        middle = plot.at(0, 0)
        radius = limit / self._reach * plot.box.height() / 2
        if radius > math.hypot(plot.box.width(), plot.box.height()) / 2:
            return
        self._paint_limit(painter, middle, radius, self._is_box(report), plot.box)
        if radius < LENS_FROM:
            return
        label = f"threshold {short(limit)}"
        wide = marks.text_width(label, font(11)) + 10
        tip = plot.at(*report.before)
        spots = []
        for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            reach = radius * (1.0 if self._is_box(report) else math.sqrt(0.5))
            at = QPointF(middle.x() + x * reach, middle.y() + y * (reach + 9))
            left = at.x() - (wide if x < 0 else 0)
            room = QRectF(left, at.y() - 9, wide, 18)
            if self._is_box(report):
                room.moveLeft(at.x() - (0 if x < 0 else wide))
            if plot.box.adjusted(4, 4, -4, -4).contains(room):
                gap = min(QLineF(room.center(), part).length() for part in (tip, (tip + middle) / 2, plot.at(*report.after)))
                spots.append((gap, room))
        if spots:
            room = max(spots, key=lambda found: found[0])[1]
            outlined_text(painter, QPointF(room.left() + 5, room.center().y()), label, 11, self.theme.ink2, self.theme.canvas, LEFT)
            self.spots.append(Spot(room, "threshold", limit))

    def _paint_limit(self, painter: QPainter, middle: QPointF, radius: float, square: bool, within: QRectF | None) -> None:
        """The circle or the square of what passes; a square is cut at the edges of the plot, a circle drawn as far as it is inside."""
        pen = QPen(QColor(self.theme.ink3), 1.2)
        pen.setDashPattern([4, 3])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if square:
            corners = [QPointF(middle.x() + x * radius, middle.y() + y * radius) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            inside = within is None or all(within.adjusted(-1, -1, 1, 1).contains(corner) for corner in corners)
            if inside:
                painter.drawPolygon(QPolygonF(corners))
                return
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                self._paint_inside(painter, [a + (b - a) * (n / 64) for n in range(65)], within)
            return
        if within is None or radius <= within.height() / 2:
            painter.drawEllipse(middle, radius, radius)
            return
        turn = 2 * math.pi
        points = [
            QPointF(middle.x() + radius * math.cos(turn * n / 360), middle.y() + radius * math.sin(turn * n / 360)) for n in range(361)
        ]
        self._paint_inside(painter, points, within)

    @staticmethod
    def _paint_inside(painter: QPainter, points: list[QPointF], within: QRectF | None) -> None:
        """The stretches of a line inside the plot: vector formats ignore clipping."""
        run: list[QPointF] = []
        for point in [*points, QPointF(math.inf, math.inf)]:
            if within is None or within.contains(point):
                run.append(point)
                continue
            if len(run) > 1:
                painter.drawPolyline(QPolygonF(run))
            run = []

    def _paint_arrows(self, painter: QPainter, plot: Plot, report: ClippingReport) -> None:
        theme, middle = self.theme, plot.at(0, 0)
        before, after = plot.at(*report.before), plot.at(*report.after)
        if report.before == (0.0, 0.0):
            return
        if not words.clipped(report):
            paint_arrow(painter, middle, before, QColor(theme.ink1), 2.4)
            self._name(painter, plot, before, "g", report.before, [])
            return
        paint_arrow(painter, middle, before, QColor(theme.ink3), 1.8, hollow=QColor(theme.canvas))
        paint_arrow(painter, middle, after, QColor(theme.ink1), 2.6)
        taken = self._name(painter, plot, before, "before", report.before, [])
        line = [middle + (before - middle) * (n / 24) for n in range(4, 25)]
        radius = report.threshold / self._reach * plot.box.height() / 2
        if radius >= LENS_FROM or not math.isfinite(radius):
            self._name(painter, plot, after, "after", report.after, [*line, taken.center(), taken.topLeft(), taken.bottomRight()])

    def _name(self, painter: QPainter, plot: Plot, tip: QPointF, name: str, value: tuple[float, float], taken: list[QPointF]) -> QRectF:
        """The name of an arrow beyond its tip, or beside it where there are points that are ``taken``; answers where it stands."""
        middle, theme = plot.at(0, 0), self.theme
        line = QLineF(middle, tip)
        unit = QPointF(line.dx(), line.dy()) / max(1e-9, line.length())
        used = font(12, 600 if name != "before" else 500)
        width = marks.text_width(name, used) + 8
        best: QRectF | None = None
        normal = QPointF(-unit.y(), unit.x())
        bounds = plot.box.adjusted(3, 3, -3, -3)
        for way in (unit, unit * 0.4 + normal, unit * 0.4 - normal, normal, -normal, normal * 1.6, normal * -1.6):
            offset = QPointF(way.x() * (width / 2 + 7), way.y() * 16)
            room = QRectF(tip.x() + offset.x() - width / 2, tip.y() + offset.y() - 9, width, 18)
            if bounds.contains(room) and not any(room.contains(point) for point in taken):
                best = room
                break
        if best is None:
            left = min(max(tip.x() - width / 2, bounds.left()), bounds.right() - width)
            top = min(max(tip.y() - 24, bounds.top()), bounds.bottom() - 18)
            best = QRectF(left, top, width, 18)
        outlined_text(
            painter,
            best.center(),
            name,
            12,
            theme.ink2 if name == "before" else theme.ink1,
            theme.canvas,
            Qt.AlignmentFlag.AlignHCenter,
            500 if name == "before" else 600,
        )
        exact = f"{full(value[0])}, {full(value[1])}"
        self.spots.append(Spot(best.adjusted(-2, -2, 2, 2), f"{name if name != 'g' else 'gradient'} (across, up)", value[0], exact))
        return best

    def _paint_lens(self, painter: QPainter, plot: Plot, report: ClippingReport) -> None:
        """The surroundings of the origin, enlarged, in the corner farthest from the arrow."""
        theme, box = self.theme, plot.box
        x, y = -math.copysign(1.0, report.before[0]), math.copysign(1.0, report.before[1])
        centre = QPointF(box.center().x() + x * (box.width() / 2 - LENS - 8), box.center().y() + y * (box.height() / 2 - LENS - 8))
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.setBrush(QColor(theme.raised))
        painter.drawEllipse(centre, LENS, LENS)
        square = self._is_box(report)
        radius = LENS * (0.62 if square else 0.8)
        self._paint_limit(painter, centre, radius, square, None)
        scale = radius / report.threshold
        tip = centre + QPointF(report.after[0] * scale, -report.after[1] * scale)
        paint_arrow(painter, centre, tip, QColor(theme.ink1), 2.6)
        larger = scale / (box.height() / 2 / self._reach)
        inner = QPointF(centre.x() - x * (LENS + 6), centre.y())
        align = LEFT if x < 0 else RIGHT
        outlined_text(painter, inner - QPointF(0, 8), "after", 12, theme.ink1, theme.canvas, align, 600)
        outlined_text(painter, inner + QPointF(0, 9), f"enlarged ×{short(larger)}", 11, theme.ink3, theme.canvas, align)
        exact = f"{full(report.after[0])}, {full(report.after[1])}"
        self.spots.insert(0, Spot(QRectF(centre.x() - LENS, centre.y() - LENS, 2 * LENS, 2 * LENS), "after (across, up)", 0.0, exact))


def round_up(value: float) -> float:
    """The next round number."""
    if not 0 < value < LARGEST:
        return 1.0 if value <= 0 else LARGEST
    scale = 10.0 ** math.floor(math.log10(value))
    if scale == 0.0:
        return value
    return next((digit * scale for digit in ROUND if digit * scale >= value), 10.0 * scale)


def paint_arrow(painter: QPainter, start: QPointF, tip: QPointF, ink: QColor, width: float, hollow: QColor | None = None) -> None:
    """A straight arrow; one that is too short for a head is a dot."""
    line = QLineF(start, tip)
    length = line.length()
    painter.setBrush(ink)
    if length < 3:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(tip, 2.4, 2.4)
        return
    head = min(11.0, 0.75 * length)
    along, side = QPointF(line.dx(), line.dy()) / length, QPointF(-line.dy(), line.dx()) / length
    base = tip - along * head
    pen = QPen(ink, width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(QLineF(start, base))
    painter.setPen(QPen(ink, 1.4) if hollow is not None else Qt.PenStyle.NoPen)
    painter.setBrush(hollow if hollow is not None else ink)
    painter.drawPolygon(QPolygonF([tip, base + side * head * 0.42, base - side * head * 0.42]))
