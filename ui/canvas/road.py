"""The cell path of an LSTM: one road over the columns from the last time step back to the first, in the colour of the gradient it carries.

Between two time steps the forget gate takes its toll: the carried gradient is multiplied by how far the gate is open.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from gradviz.snapshot import Details

from ..colors import NONFINITE, UNKNOWN, ZERO, color, is_hot, levels, paint_hatch
from ..theme import Theme, font
from .edges import glow_color
from .gutter import paint_label
from .layout import Layout
from .reach import Masks

NAME = "cell path cₜ"
HALF = 5.0  # of the road's width
NUMBERS_FROM, BARRIERS_FROM = 76.0, 11.0  # column pitch from which every toll is a number; a barrier
EACH_FROM = 150.0  # between numbers where not every toll has one
STRIDES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
TIP = 9.0  # of the arrow at the end to which the gradient travels
OVERHANG = 3.0  # how far a barrier reaches beyond the road


def road_rect(layout: Layout) -> QRectF:
    """The road without its arrow."""
    left, right = layout.columns.x(1), layout.columns.x(layout.time)
    return QRectF(left, layout.road_y - HALF, max(0.0, right - left), 2 * HALF)


def segment(layout: Layout, number: int) -> QRectF:
    """The part of the road between time steps ``number`` + 1 and ``number`` + 2, inside its edges."""
    return QRectF(layout.columns.x(number + 1), layout.road_y - HALF + 1.5, layout.pitch, 2 * HALF - 3.0)


def tolls(layout: Layout, details: Details | None) -> np.ndarray | None:
    """(time − 1,) how far the forget gate of each part of the road is open; None where that is not known."""
    gates = layout.architecture.gates
    if details is None or details.gates is None or "forget" not in gates:
        return None
    opened: np.ndarray = details.gates[1:, gates.index("forget")]
    return opened


def paint_road(painter: QPainter, layout: Layout, details: Details | None, masks: Masks | None, theme: Theme) -> None:
    """The road with its tolls; parts that the gradient has not reached stay empty."""
    if not layout.has_road or layout.time < 2:
        return
    visible = layout.visible_layers()
    seen = range(max(0, visible.start - 2), min(layout.time - 1, visible.stop - 1))
    found = np.full(layout.time - 1, UNKNOWN, np.uint8)
    if details is not None and len(details.skip_gradients) == len(found):
        found = levels(details.skip_gradients)
        if masks is not None:
            found = np.where(masks[1 : layout.time] > 0, UNKNOWN, found).astype(np.uint8)
    _paint_ground(painter, layout, int(found[0]), theme)
    first, pitch = segment(layout, 0), layout.pitch  # worked out once for all of them
    _paint_segments(painter, [(first.translated(pitch * number, 0.0), int(found[number])) for number in seen], theme)
    _paint_ramps(painter, layout, theme)
    opened = tolls(layout, details)
    if opened is not None:
        taken = [number for number in seen if np.isfinite(opened[number]) and found[number] not in (ZERO, UNKNOWN)]
        _paint_tolls(painter, layout, {number: float(opened[number]) for number in taken}, theme)
    paint_label(painter, layout, layout.road_y, NAME, theme, TIP + 4)


def _paint_ground(painter: QPainter, layout: Layout, first: int, theme: Theme) -> None:
    """The empty road, and at its end an arrow in the colour of the ``first`` part: there the gradient goes."""
    road, y = road_rect(layout), layout.road_y
    painter.setPen(QPen(QColor(theme.outline), 1.0))
    painter.setBrush(QColor(theme.canvas))
    tip = QPolygonF([QPointF(road.left() - TIP, y), QPointF(road.left(), y - HALF - 3.5), QPointF(road.left(), y + HALF + 3.5)])
    outline = QPainterPath()
    outline.addPolygon(tip)
    outline.closeSubpath()
    body = QPainterPath()
    body.addRoundedRect(road.adjusted(-1, 0, 5, 0), 3, 3)
    painter.drawPath(outline.united(body))
    if first < ZERO:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(first, theme))
        x, high = road.left(), HALF + 0.5
        painter.drawPolygon(QPolygonF([QPointF(x - TIP + 2.5, y), QPointF(x, y - high), QPointF(x, y + high)]))


def _paint_segments(painter: QPainter, parts: list[tuple[QRectF, int]], theme: Theme) -> None:
    """Each part in the colour of its level; where that is 0 or unknown the road is there, and nothing travels on it."""
    for part, found in parts:
        if is_hot(found):
            painter.fillRect(part.adjusted(0, -4, 0, 4), glow_color(theme))
    # without antialiasing neighbours meet on whole pixels, or seams of the ground would show
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for part, found in parts:
        if found not in (ZERO, UNKNOWN, NONFINITE):
            painter.fillRect(part, color(found, theme))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    for part, found in parts:
        if found == NONFINITE:
            paint_hatch(painter, part, theme)


def _paint_ramps(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """Where each time step reads from the cell path and writes to it."""
    if layout.pitch < 24.0:
        return
    painter.setPen(QPen(QColor(theme.ink3), 1.0))
    top, foot = layout.road_y + HALF + 1.0, layout.road_y + HALF + 6.0
    columns = [layout.columns.x(t) for t in layout.visible_layers() if t <= layout.time]
    painter.drawLines([QLineF(x, top, x, foot) for x in columns])


def _paint_tolls(painter: QPainter, layout: Layout, opened: dict[int, float], theme: Theme) -> None:
    """By how much each part of the road multiplies the gradient; between narrow columns in numbers at some, and else barriers.

    A barrier leaves as much of the road free as its gate is open.
    """
    every = next((n for n in STRIDES if n * layout.pitch >= (NUMBERS_FROM if n == 1 else EACH_FROM)), STRIDES[-1])
    told = [n for n in opened if every == 1 or (n + every // 2 + 1) % every == 0]
    if layout.pitch >= BARRIERS_FROM:
        posts = []
        for x, y, free in ((segment(layout, n).center().x(), layout.road_y, value) for n, value in opened.items() if n not in told):
            inner = HALF * min(1.0, max(0.0, free))
            posts += [QLineF(x, y + side * (HALF + OVERHANG), x, y + side * inner) for side in (-1.0, 1.0)]
        for ink, width in ((theme.canvas, 4.5), (theme.ink1, 2.0)):
            painter.setPen(QPen(QColor(ink), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawLines(posts)
    painter.setFont(font(11))
    metrics, road = QFontMetricsF(painter.font()), road_rect(layout)
    for n in told:
        text = f"×{opened[n]:.2f}{'' if every == 1 else ' each'}"
        wide = metrics.horizontalAdvance(text) + 10
        middle = segment(layout, n).center()
        if every > 1 and not road.left() + 6 <= middle.x() - wide / 2 <= road.right() - 4 - wide:
            continue
        pill = QRectF(middle.x() - wide / 2, middle.y() - 8.5, wide, 17)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.setBrush(QColor(theme.canvas))
        painter.drawRoundedRect(pill, 8.5, 8.5)
        painter.setPen(QColor(theme.ink1))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
