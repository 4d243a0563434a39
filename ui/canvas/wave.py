"""The signal on its way: small bright dots over one gap when a phase is stepped, a front over many when several are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEasingCurve, QLineF, QObject, QPointF, QRectF, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen

from gradviz.snapshot import Moment, Snapshot

from ..colors import UNKNOWN, ZERO
from ..theme import Theme, blend
from .layout import LOSS_SIZE, Layout
from .loss import loss_lines

MILLISECONDS = 220
SWEEP_MILLISECONDS = 320
DOTS_AT_MOST = 48
TRAIL = ((0.0, 1.9, 1.0), (0.07, 1.5, 0.6), (0.15, 1.1, 0.3))  # behind by this share of the way, radius, strength
RAGGED = 0.16  # the front is no straight line: a dot starts up to this share of the way behind the first
PULSE = 14.0  # how far the ring around the loss grows


class Wave(QVariantAnimation):
    """Runs while a signal crosses a gap, and only then."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.moment: Moment | None = None
        self._left: Snapshot | None = None
        self._way = (0, 0)
        self.setStartValue(0.0)
        self.setEndValue(1.0)
        self.setDuration(MILLISECONDS)
        self.setEasingCurve(QEasingCurve.Type.OutCubic)

    @property
    def running(self) -> bool:
        return self.state() == QVariantAnimation.State.Running

    def lead(self, before: Snapshot, now: Snapshot) -> None:
        """Run from one snapshot to the next if a signal has passed between them; a wave under way is at its end.

        Over one gap it is dots on their way; over more a front that sweeps the old picture away.
        """
        self.stop()
        self._left, self.moment = None, now.moment
        if not crosses(before, now):
            way = way_of(before, now)
            if way is None:
                return
            self._left, self._way = before, way
        self.setDuration(MILLISECONDS if self._left is None else SWEEP_MILLISECONDS)
        self.start()

    @property
    def left(self) -> Snapshot | None:
        """What a front is just sweeping away."""
        return self._left if self.running else None

    @property
    def way(self) -> tuple[int, int]:
        """(from, to) the columns of a sweeping front."""
        return self._way

    @property
    def rightwards(self) -> bool:
        return self._way[0] < self._way[1]

    @property
    def landing(self) -> int:
        """The layer that the dots are on their way to; 0 for none."""
        alone = self.running and self._left is None
        return self.moment.layer if alone and self.moment is not None and self.moment.kind != "loss" else 0

    @property
    def to_loss(self) -> bool:
        """Whether the dots are on their way to the loss."""
        alone = self.running and self._left is None
        return alone and self.moment is not None and self.moment.kind == "loss" and not self.moment.level


def crosses(before: Snapshot | None, now: Snapshot) -> bool:
    """Whether from one snapshot to the next a signal has crossed exactly one gap."""
    moment, was = now.moment, before.moment if before is not None else None
    if moment is None or before is None or now.playing or moment.kind not in ("forward", "loss", "backward"):
        return False
    if was is not None and was.step == moment.step:
        return moment.done == was.done + 1
    return moment.done == 1 and (was is None or (was.done == was.total and moment.step == was.step + 1))


def way_of(before: Snapshot, now: Snapshot) -> tuple[int, int] | None:
    """(from, to) the columns between which several phases at once have taken a signal; None when there was none, or it is undone."""
    was, moment = before.moment, now.moment
    if moment is None or moment.evolves or now.playing or before.playing or before.architecture != now.architecture:
        return None
    same = was is not None and was.step == moment.step
    if was is not None and (moment.done <= was.done if same else moment.step != was.step + 1):
        return None
    if moment.kind in ("forward", "loss"):
        way = (was.layer if same and was is not None else 0, moment.layer or moment.layers + 1)
    else:
        came = was.layer if same and was is not None and was.kind == "backward" else moment.layers + 1
        gone = same and was is not None and was.kind in ("clip", "update")
        way = (1 if gone else came, moment.layer if moment.kind == "backward" else 1)
    return way if abs(way[0] - way[1]) > 1 else None


def front_of(layout: Layout, wave: Wave) -> float:
    """Where a sweeping front stands now."""
    start, end = (layout.columns.x(column) for column in wave.way)
    over = layout.pitch / 2 * (1 if wave.rightwards else -1)
    return start + (end + over - start) * float(wave.currentValue())


def paint_front(painter: QPainter, layout: Layout, wave: Wave, theme: Theme) -> None:
    """The front itself: a soft light that trails behind it."""
    front, back = front_of(layout, wave), -90.0 if wave.rightwards else 90.0
    gradient = QLinearGradient(QPointF(front, 0), QPointF(front + back, 0))
    near, none = QColor(theme.ink1), QColor(theme.ink1)
    near.setAlphaF(0.1 * (1.0 - float(wave.currentValue())))
    none.setAlphaF(0.0)
    gradient.setColorAt(0.0, near)
    gradient.setColorAt(1.0, none)
    painter.fillRect(QRectF(min(front, front + back), layout.body_top, abs(back), layout.body), gradient)


def paint_wave(painter: QPainter, layout: Layout, wave: Wave, edges: NDArray[np.uint8], theme: Theme) -> None:
    """The dots at this instant; ``edges`` (edges of all layers,) are levels, and backward only the strongest carry one."""
    moment = wave.moment
    assert moment is not None
    share = float(wave.currentValue())
    lines = _lines(layout, moment, edges)
    if lines:
        _paint_shade(painter, layout, lines, share, theme)
    painter.setPen(Qt.PenStyle.NoPen)
    for behind, radius, strength in reversed(TRAIL):
        painter.setBrush(blend(theme.ink1, theme.canvas, strength))
        for number, line in enumerate(lines):
            late = RAGGED * (number * 0.618 % 1.0)
            painter.drawEllipse(line.pointAt(min(1.0, max(0.0, share * (1.0 + RAGGED) - late - behind))), radius, radius)
    if moment.kind == "loss" and not moment.level:
        _paint_pulse(painter, layout, share, theme)


def _lines(layout: Layout, moment: Moment, edges: NDArray[np.uint8]) -> list[QLineF]:
    """The ways of the dots, each in the direction of the signal."""
    if not layout.has_edges:
        return []
    if moment.kind == "loss" and not moment.level:
        return loss_lines(layout)
    forward = moment.kind == "forward"
    if moment.level:  # up through the encoder, down through the decoder, and back up with the error
        gap = layout.gap(moment.level)
        rows, columns = gap.y0.size, gap.y1.size
        chosen = np.unique(np.linspace(0, rows * columns - 1, min(rows * columns, DOTS_AT_MOST)).round().astype(int)).tolist()
        ways = [QLineF(gap.x0, float(gap.y0[n // columns]), gap.x1, float(gap.y1[n % columns])) for n in chosen]
        return [QLineF(way.p2(), way.p1()) for way in ways] if moment.kind == "loss" else ways
    if not forward and moment.layer == layout.depth:
        return [QLineF(line.p2(), line.p1()) for line in loss_lines(layout)]
    gap = layout.gap(moment.layer if forward else moment.layer + 1)
    count, columns = gap.y0.size * gap.y1.size, gap.y1.size
    if forward:
        chosen = np.unique(np.linspace(0, count - 1, min(count, DOTS_AT_MOST)).round().astype(int))
        ends = [(QPointF(gap.x0, float(gap.y0[n // columns])), QPointF(gap.x1, float(gap.y1[n % columns]))) for n in chosen.tolist()]
    else:
        own = edges[layout.edge_slice(gap.layer)]
        order = np.argsort(own, kind="stable")[::-1]
        chosen = order[(own[order] != ZERO) & (own[order] < UNKNOWN)][:DOTS_AT_MOST]
        ends = [(QPointF(gap.x1, float(gap.y1[n % columns])), QPointF(gap.x0, float(gap.y0[n // columns]))) for n in chosen.tolist()]
    return [QLineF(start, end) for start, end in ends]


def _paint_shade(painter: QPainter, layout: Layout, lines: list[QLineF], share: float, theme: Theme) -> None:
    """A soft light that trails behind the front."""
    start, end = lines[0].x1(), lines[0].x2()
    front = start + (end - start) * share
    gradient = QLinearGradient(QPointF(front, 0), QPointF(start, 0))
    near, none = QColor(theme.ink1), QColor(theme.ink1)
    near.setAlphaF(0.09 * (1.0 - share))
    none.setAlphaF(0.0)
    gradient.setColorAt(0.0, near)
    gradient.setColorAt(1.0, none)
    heights = [y for line in lines for y in (line.y1(), line.y2())]
    top, bottom = min(heights) - layout.radius - 4, max(heights) + layout.radius + 4
    painter.fillRect(QRectF(min(start, front), top, abs(front - start), bottom - top), gradient)


def _paint_pulse(painter: QPainter, layout: Layout, share: float, theme: Theme) -> None:
    side = LOSS_SIZE + 4 + 2 * PULSE * share
    centre = layout.loss_point
    painter.setPen(QPen(blend(theme.ink1, theme.canvas, 0.7 * (1.0 - share)), 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side), 6 + PULSE * share / 2, 6 + PULSE * share / 2)
