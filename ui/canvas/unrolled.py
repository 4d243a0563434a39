"""What a net unrolled in time has beside its columns: the input of each time step, the gates, both directions, and where it is cut.

Gates are no gradients: they are bars of neutral ink from 0 to 1, a row for each gate.
"""

from __future__ import annotations

from math import isfinite

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from gradviz.snapshot import Snapshot

from ..stages import cut_of
from ..theme import Theme, font
from .gutter import paint_label
from .layout import GATE_BAR, GATES, INPUT_ARROW, Layout
from .marks import CENTRE, text_at

ARROWS_APART = 6.5  # between input arrows of narrow columns, which then stand at every second, third … one
NUMBERS_FROM = 50.0  # column pitch from which gates and inputs have their numbers
AREA_BELOW = 9.0  # column pitch below which bars touch
ARROW = 44.0
GRADIENT = "gradient ∂J/∂hₜ"
FIRST_INPUT = {"recall": "first symbol"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
CUT_WORDS = "truncated here"


def paint_inputs(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """An arrow into each time step from beneath; the first one's input is a column of its own."""
    stride = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n * layout.pitch >= ARROWS_APART or n == 1000)
    steps = [t for t in layout.visible_layers() if 2 <= t <= layout.time and (t % stride == 0 or t == layout.time)]
    tip, foot = layout.inputs_y, layout.inputs_y + INPUT_ARROW - 2.0
    half = min(3.0, layout.pitch * stride * 0.32)
    painter.setPen(QPen(QColor(theme.ink3), 1.2))
    painter.drawLines([QLineF(layout.columns.x(t), foot, layout.columns.x(t), tip + 3.0) for t in steps])
    heads = QPainterPath()
    for x in (layout.columns.x(t) for t in steps):
        heads.addPolygon(QPolygonF([QPointF(x, tip), QPointF(x - half, tip + 4.5), QPointF(x + half, tip + 4.5), QPointF(x, tip)]))
    painter.fillPath(heads, QColor(theme.ink3))
    if layout.pitch >= NUMBERS_FROM:
        painter.setFont(font(11))
        painter.setPen(QColor(theme.ink2))
        for t in steps:
            name = f"x{t}".translate(SUBSCRIPTS)
            text_at(painter, QPointF(layout.columns.x(t) + 7, layout.inputs_y + 6), name, Qt.AlignmentFlag.AlignLeft)
    if layout.time > 1:
        paint_label(painter, layout, layout.inputs_y + 5.0, "inputs xₜ", theme)


def gate_bars(layout: Layout, row: int, opened: dict[int, float]) -> list[QRectF]:
    """The bars of one gate, time step -> opening; between narrow columns there is no space, and bars become an area."""
    pitch, foot = layout.pitch, layout.gate_y(row)
    wide = pitch if pitch < AREA_BELOW else min(14.0, pitch * 0.55)
    left = layout.columns.x(0) - wide / 2 - (12.0 if pitch >= NUMBERS_FROM else 0.0)
    heights = {t: GATE_BAR * min(1.0, max(0.0, value)) for t, value in opened.items()}
    return [QRectF(left + pitch * t, foot - high, wide, high) for t, high in heights.items()]


def paint_gates(painter: QPainter, layout: Layout, snapshot: Snapshot, theme: Theme) -> None:
    """How far each gate is open at each time step, as far as the signal has come."""
    details, moment, gates = snapshot.details, snapshot.moment, layout.architecture.gates
    if not layout.gate_rows:
        return
    steps = [t for t in layout.visible_layers() if t <= layout.time]
    for row, name in enumerate(GATES[: layout.gate_rows]):
        touching = layout.pitch < AREA_BELOW
        ground = gate_bars(layout, row, dict.fromkeys((steps[0], steps[-1]) if touching and steps else steps, 1.0))
        if touching and ground:  # one bar of them all is the same
            ground = [ground[0].united(ground[-1])]
        _paint_bars(painter, layout, ground, theme.hover)
        if details is not None and details.gates is not None:
            values = details.gates[:, gates.index(name)].tolist()
            known = {t: values[t - 1] for t in steps if moment is None or moment.sent(t)}
            _paint_bars(painter, layout, gate_bars(layout, row, {t: v for t, v in known.items() if isfinite(v)}), theme.ink2)
            _paint_numbers(painter, layout, row, known, theme)
        paint_label(painter, layout, layout.gate_y(row) - GATE_BAR / 2, f"{name} gate", theme)


def _paint_bars(painter: QPainter, layout: Layout, bars: list[QRectF], ink: str) -> None:
    """The bars of a row; those that touch overlap a little, or seams would show between them."""
    if layout.pitch < AREA_BELOW:
        bars = [bar.adjusted(0.0, 0.0, 1.0, 0.0) for bar in bars]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ink))
    painter.drawRects(bars)


def _paint_numbers(painter: QPainter, layout: Layout, row: int, opened: dict[int, float], theme: Theme) -> None:
    """The openings in numbers where there is room, and a mark for what is not finite wherever it is."""
    painter.setFont(font(11))
    y, first, pitch = layout.gate_y(row) - GATE_BAR / 2, layout.columns.x(0), layout.pitch
    for t, value in opened.items():
        x = first + pitch * t
        if not isfinite(value):
            painter.setPen(QPen(QColor(theme.nan), 1.4))
            painter.drawLine(QLineF(x - 2.5, y, x + 2.5, y))
        elif pitch >= NUMBERS_FROM:
            painter.setPen(QColor(theme.ink1))
            text_at(painter, QPointF(x - 2, y), f"{value:.2f}", Qt.AlignmentFlag.AlignLeft)


def paint_directions(painter: QPainter, layout: Layout, snapshot: Snapshot, theme: Theme) -> None:
    """Over the columns: time goes to the right, the gradient to the left; in fewer words and with shorter arrows where it is narrow."""
    painter.setFont(font(12))
    metrics, y = QFontMetricsF(painter.font()), layout.caption_y
    first = FIRST_INPUT.get(snapshot.spec.data.name, "first time step")
    left = layout.columns.x(1) - metrics.horizontalAdvance(first) / 2
    if left < 16.0:  # scrolled away
        first, left = "", 6.0
    right = min(layout.columns.width - 16.0, max(layout.columns.x(layout.depth) + 8.0, left + 300.0))
    start = left + metrics.horizontalAdvance(first) + 10.0
    for words, arrow in ((GRADIENT, ARROW), (GRADIENT.split()[0], ARROW / 2)):
        end = right - metrics.horizontalAdvance(words) - 10.0
        if end - arrow - 24.0 >= start + arrow + 10.0 + metrics.horizontalAdvance("time"):
            break
    painter.setPen(QColor(theme.ink2))
    text_at(painter, QPointF(left, y), first, Qt.AlignmentFlag.AlignLeft)
    text_at(painter, QPointF(start + arrow + 10.0, y), "time", Qt.AlignmentFlag.AlignLeft)
    painter.setPen(QColor(theme.ink1))
    text_at(painter, QPointF(right, y), words, Qt.AlignmentFlag.AlignRight)
    _paint_arrow(painter, QLineF(start, y, start + arrow, y), theme.ink2)
    _paint_arrow(painter, QLineF(end, y, end - arrow, y), theme.ink1)


def _paint_arrow(painter: QPainter, line: QLineF, ink: str) -> None:
    tip, inwards = line.p2(), 7.0 if line.dx() < 0 else -7.0
    painter.setPen(QPen(QColor(ink), 1.4))
    painter.drawLine(QLineF(line.p1(), tip + QPointF(inwards, 0)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ink))
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(inwards, -3.6), tip + QPointF(inwards, 3.6)]))


def paint_cut(painter: QPainter, layout: Layout, snapshot: Snapshot, theme: Theme) -> None:
    """Where truncated back-propagation ends: a line before the first time step that it still reaches."""
    first = cut_of(layout.architecture, snapshot.spec.training.truncate)
    x = layout.columns.x(first - 0.5)
    if first == 1 or not 0 <= x <= layout.columns.width:
        return
    top, bottom = layout.body_top - 4.0, layout.body_bottom + 3.0
    for ink, width in ((theme.canvas, 4.0), (theme.ink1, 1.5)):
        pen = QPen(QColor(ink), width, Qt.PenStyle.SolidLine if width > 2 else Qt.PenStyle.DashLine, Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QLineF(x, top, x, bottom))
    painter.setFont(font(11, 600))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(CUT_WORDS) + 14.0
    upright = bottom - top >= wide + 8.0
    if not upright and x - wide < 12.0:
        return
    painter.save()
    # where columns are too low for it, over those that get nothing
    painter.translate(x - (0.0 if upright else wide / 2 + 6.0), layout.middle)
    painter.rotate(-90 if upright else 0)
    plate = QRectF(-wide / 2, -9.0, wide, 18.0)
    painter.setPen(QPen(QColor(theme.strong_line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(plate, 9, 9)
    painter.setPen(QColor(theme.ink1))
    painter.drawText(plate, CENTRE, CUT_WORDS)
    painter.restore()
