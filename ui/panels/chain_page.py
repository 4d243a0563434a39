"""The page of the chain rule panel: where its cards, the ladder and the sentences stand in a given room, and drawing them.

A high page shows everything and only the ladder's rows scroll; on a low one the page scrolls as a whole, with the ladder's
column heads staying at the top. Exports show all of it at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from gradviz.selected import ChainRule
from gradviz.snapshot import Snapshot

from ..numbers import short
from ..theme import Theme, font
from . import chain_cards as cards
from . import chain_words as words
from . import marks
from .ladder import AXIS, HEADS, LEFT, RIGHT, Grid, Ladder, measured, paint_tick
from .ladder_rows import Row
from .spots import Spot

SIDE = 16.0
GAP = 12.0
HEADING = 26.0  # of the ladder and of the update
LOWEST_ROW, HIGHEST_ROW = 16.0, 20.0
SHARE_SEEN = 0.6  # of the rows; where fewer would be seen at once, the page scrolls as a whole
COLUMNS_FROM = 700.0  # width from which the ladder stands beside the cards
SUM = 20.0
SWITCH = 176.0  # the switch between the two readings stands at the right of the ladder's heading
SMALLEST_SCALE = 0.5  # an export gets no smaller than this; rows that then still do not fit are left out
FEWEST_ROWS = 5
WRAPPED = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop


@dataclass(frozen=True)
class Placed:
    """Where everything stands; ``rows`` is the part of the ladder that can be seen, of ``content`` pixels in all."""

    card: QRectF
    way: QRectF  # back through time; empty in a feed-forward net
    heading: QRectF
    rows: QRectF
    foot: QRectF
    update: QRectF
    row_height: float
    content: float
    bottom: float
    whole: bool  # whether the page scrolls as a whole

    @property
    def heads(self) -> QRectF:
        return QRectF(self.rows.left(), self.rows.top() - HEADS, self.rows.width(), HEADS)


class ChainPage:
    """Draws what lies under the panel's header, for one snapshot with a chain rule."""

    def __init__(self) -> None:
        self.ladder = Ladder()
        self.snapshot: Snapshot | None = None

    @property
    def chain(self) -> ChainRule | None:
        return self.snapshot.chain if self.snapshot is not None else None

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        self.snapshot = snapshot
        self.ladder.show_chain(self.chain, snapshot.architecture if snapshot is not None else None)

    # ---- where things stand

    def place(self, left: float, top: float, width: float, height: float | None, rows: int | None = None) -> Placed:
        """Lay the page out in this room; without a height, as high as it wants to be. ``rows`` of them are drawn."""
        chain = self.chain
        assert chain is not None
        count = len(self.ladder.rows) if rows is None else rows
        wide = width >= COLUMNS_FROM
        inner = width - 2 * SIDE
        column = (inner - 32) / 2 if wide else inner
        card, update, foot = cards.product_height(chain), self._update_height(chain), self._foot_height(column)
        way = cards.way_height(chain)
        around = way + HEADING + HEADS + AXIS + foot
        beside = card + GAP + update
        fixed = around + GAP / 2 + (0.0 if wide else beside + GAP)
        whole, row_height = height is None, 18.0
        shown = count * row_height
        if height is not None:
            room = height - fixed
            whole = room < SHARE_SEEN * count * LOWEST_ROW or (wide and beside > height)
            if not whole:
                row_height = min(HIGHEST_ROW, max(LOWEST_ROW, math.floor(room / max(1, count))))
                shown = min(math.floor(room / row_height), count) * row_height
        ladder_left = left + SIDE + (column + 32 if wide else 0.0)
        ladder_top = top + (0.0 if wide else card + GAP)
        heading_top = ladder_top + way
        rows_top = heading_top + HEADING + HEADS
        foot_top = rows_top + shown
        update_top = top + card + GAP if wide else foot_top + AXIS + foot + GAP
        return Placed(
            card=QRectF(left + SIDE, top, column, card),
            way=QRectF(ladder_left, ladder_top, column, way),
            heading=QRectF(ladder_left, heading_top, column, HEADING),
            rows=QRectF(ladder_left, rows_top, column, shown),
            foot=QRectF(ladder_left, foot_top, column, AXIS + foot),
            update=QRectF(left + SIDE, update_top, column, update),
            row_height=row_height,
            content=count * row_height,
            bottom=max(update_top + update, foot_top + AXIS + foot),
            whole=whole,
        )

    def fit(self, width: float, height: float, header: float) -> tuple[float, float, Placed]:
        """Scale, width and page for an export of this size; rows are left out before the text gets too small."""
        scale, placed = self._scaled(width, height, header, None)
        if scale < SMALLEST_SCALE:
            natural = self.place(0.0, header, _natural_width(width / SMALLEST_SCALE), None)
            beyond = natural.bottom + SIDE - height / SMALLEST_SCALE
            rows = max(FEWEST_ROWS, len(self.ladder.rows) - math.ceil(beyond / natural.row_height))
            scale, placed = self._scaled(width, height, header, rows)
        return scale, _natural_width(width / scale), placed

    def _scaled(self, width: float, height: float, header: float, rows: int | None) -> tuple[float, Placed]:
        """The largest scale at which the page fits, and the page: a smaller scale makes it wider, so a few steps are needed."""
        scale = 1.0
        while True:
            placed = self.place(0.0, header, _natural_width(width / scale), None, rows)
            if (placed.bottom + SIDE / 2) * scale <= height + 0.5 or scale < 0.02:
                return scale, placed
            scale *= 0.96

    def _update_height(self, chain: ChainRule) -> float:
        if chain.optimizer == "none":
            return cards.CALLOUT
        return HEADING + cards.update_height(chain) + cards.CALLOUT

    def _foot_height(self, width: float) -> float:
        sums = 2 * SUM if self._complete else 0.0
        used = QFontMetricsF(font(12))
        words_high = used.boundingRect(QRectF(0, 0, width, 500), WRAPPED, self._sum_words()).height()
        return 4 + 16.0 + 4 + sums + words_high

    @property
    def _complete(self) -> bool:
        return self.chain is not None and self.chain.reached

    # ---- drawing

    def paint(
        self, painter: QPainter, placed: Placed, theme: Theme, spots: list[Spot], offset: float, lit: frozenset[int], seen: QRectF | None
    ) -> None:
        """Draw the page. ``seen`` cuts the ladder on a screen; for exports it is None."""
        snapshot, chain = self.snapshot, self.chain
        if snapshot is None or chain is None:
            return
        if seen is None or placed.card.intersects(seen):
            cards.paint_product(painter, placed.card, theme, chain, snapshot.architecture, spots)
        if placed.way.height() and (seen is None or placed.way.intersects(seen)):
            cards.paint_way(painter, placed.way, theme, chain, spots)
        middle = placed.heading.top() + HEADING / 2 - 2
        room = placed.heading.width() - (0.0 if self.ladder.single or seen is None else SWITCH)
        title = cards.fitting(("Running product", "Product"), 13, room, 600)
        marks.put_text(painter, placed.heading.left(), middle, title, font(13, 600), theme.ink1, LEFT)
        if seen is None and not self.ladder.single:  # on the screen the switch says it
            reading = "sum over all paths" if self.ladder.summed else "along the strongest path"
            marks.put_text(painter, placed.heading.right(), middle, reading, font(12), theme.ink3, RIGHT)
        self._paint_ladder(painter, placed, theme, spots, offset, lit, seen)
        if seen is None or placed.update.intersects(seen):
            self._paint_update(painter, placed.update, theme, snapshot, chain, spots)

    def _paint_ladder(
        self, painter: QPainter, placed: Placed, theme: Theme, spots: list[Spot], offset: float, lit: frozenset[int], seen: QRectF | None
    ) -> None:
        area, height = placed.rows, placed.row_height
        rows = self._rows_at(placed, offset, area if seen is None else area.intersected(seen))
        grid = self.ladder.grid(area.left(), area.width(), [row for _, row in rows])
        first_zero = self.ladder.first_zero()
        found: list[Spot] = []
        painter.save()
        if seen is not None:
            painter.setClipRect(area.adjusted(-8, 0, 8, 0).intersected(seen))
        self.ladder.paint_ground(painter, grid, area.top(), area.bottom(), theme)
        self.ladder.paint_rows(painter, grid, rows, height, theme, lit, found, first_zero)
        painter.restore()
        bounds = area if seen is None else area.intersected(seen)
        for spot in found:
            if (cut := spot.area.intersected(bounds)).height() > 2:
                spots.append(Spot(cut, spot.label, spot.value, spot.text))
        heads = placed.heads
        if seen is not None and placed.whole and heads.top() < seen.top() < area.bottom() - 2 * height:
            heads = QRectF(heads.left(), seen.top(), heads.width(), HEADS)
            painter.fillRect(heads.adjusted(-8, 0, 8, 0), QColor(theme.dock))
        self.ladder.paint_heads(painter, grid, heads.top(), theme)
        self._paint_foot(painter, placed.foot, theme, grid, spots)

    def _rows_at(self, placed: Placed, offset: float, seen: QRectF) -> list[tuple[float, Row]]:
        """The rows that can be seen, with their tops; of too many for an export the middle is left out."""
        rows, height, top = self.ladder.rows, placed.row_height, placed.rows.top() - offset
        fitting = round(placed.content / height)
        if fitting < len(rows):
            first = fitting // 2
            last = len(rows) - (fitting - first - 1)
            gap = Row("gap", f"⋮  {last - first:,} rows left out", 0)
            return [(top + at * height, row) for at, row in enumerate((*rows[:first], gap, *rows[last:]))]
        start = max(0, int((seen.top() - top) // height))
        end = min(len(rows), int((seen.bottom() - top) // height) + 1)
        return [(top + at * height, rows[at]) for at in range(start, end)]

    def _paint_foot(self, painter: QPainter, area: QRectF, theme: Theme, grid: Grid, spots: list[Spot]) -> None:
        chain, ladder = self.chain, self.ladder
        assert chain is not None
        assert self.snapshot is not None
        ladder.paint_axis(painter, grid, area.top(), theme)
        y = area.top() + AXIS + 4 + 8
        if ladder.summed:
            rule: tuple[str, ...] = ("Factor: how the sum changes", "Factor: the change")
        elif chain.time is not None and chain.time.gate:
            rule = ("Factor of a time step: its forget gate f", "Factor: forget gate f", "Factor: f")
        elif chain.time is not None:
            rule = ("Factor of a time step: slope f′ × weight w", "Factor: slope f′ × weight w", "Factor: f′ × w")
        else:
            rule = ("Factor of a layer: its slope f′ × the weight w", "Factor: slope f′ × weight w", "Factor: f′ × w")
        room = area.width()
        if not ladder.single:
            key = "strongest path alone" if ladder.summed else "sum over all paths"
            room -= measured(key, 11) + 20
            paint_tick(painter, area.left() + room + 11, y - 5, y + 6, theme)
            marks.put_text(painter, area.right(), y, key, font(11), theme.ink3, RIGHT)
        marks.put_text(painter, area.left(), y, cards.fitting(rule, 11, room - 4), font(11), theme.ink3, LEFT)
        y += 12
        if self._complete:
            mean = f", mean of {chain.batch}" if chain.batch > 1 else ""
            paths = words.paths_text(chain.log10_paths, self.snapshot.architecture)
            counted = paths.split(" ≈ ")[0]
            if ladder.single:
                labels: tuple[str, ...] = (f"Product along the one path{mean}", f"The one path{mean}", "The one path")
            else:
                labels = (
                    f"Sum over {paths} paths{mean}",
                    f"Sum over {counted} paths{mean}",
                    f"All {counted} paths{mean}",
                    f"All paths{mean}",
                )
            sums = ((labels, chain.sum_over_paths), ((f"Back-propagation{mean}", "Back-propagation"), chain.gradient))
            digits = next((n for n in (10, 8) if measured(cards.exact(chain.gradient, n), 12, 500) < 0.42 * area.width()), 6)
            for names, value in sums:
                cards.paint_line(painter, area, y, names, value, cards.exact(value, digits), theme, spots)
                y += SUM
        painter.setFont(font(12))
        painter.setPen(QColor(theme.ink2))
        painter.drawText(QRectF(area.left(), y, area.width(), 60), WRAPPED, self._sum_words())

    def _sum_words(self) -> str:
        chain, snapshot = self.chain, self.snapshot
        if chain is None or snapshot is None:
            return ""
        name = snapshot.architecture.layers[chain.layer - 1].name if chain.time is None else f"time step {chain.layer}"
        if not chain.reached:
            paths = words.paths_text(chain.log10_paths, snapshot.architecture)
            what = "The product is complete" if self.ladder.single else f"The sum over all {paths} paths is complete"
            return f"{what} when back-propagation reaches {name}."
        if chain.time is not None and chain.layer < chain.time.stopped:
            return f"Back-propagation was truncated: it stopped at time step {chain.time.stopped}, so that this one adds exactly 0."
        said = words.agreement(chain.sum_over_paths, chain.gradient)
        if self.ladder.single or not chain.rungs:
            return said
        return f"{said} {words.share_words(chain.rungs[-1].product, chain.example_gradient)}".rstrip()

    def _paint_update(self, painter: QPainter, area: QRectF, theme: Theme, snapshot: Snapshot, chain: ChainRule, spots: list[Spot]) -> None:
        if chain.optimizer == "none":
            cards.paint_callout(painter, area, theme, chain)
            return
        middle = area.top() + HEADING / 2 - 2
        decay = snapshot.spec.training.weight_decay
        caption = f"η = {short(chain.learning_rate)}" + (f", λ = {short(decay)}" if decay else "")
        marks.put_text(painter, area.left(), middle, "What the update does", font(13, 600), theme.ink1, LEFT)
        marks.put_text(painter, area.right(), middle, caption, font(12), theme.ink3, RIGHT)
        card = QRectF(area.left(), area.top() + HEADING, area.width(), cards.update_height(chain))
        cards.paint_update(painter, card, theme, chain, decay, spots)
        cards.paint_callout(painter, QRectF(card.left(), card.bottom() + 2, card.width(), cards.CALLOUT), theme, chain)


def paint_empty(painter: QPainter, area: QRectF, theme: Theme, title: str, text: str) -> None:
    """A dashed card that says what to do."""
    used = font(12)
    width = min(340.0, area.width() - 2 * SIDE)
    high = QFontMetricsF(used).boundingRect(QRectF(0, 0, width - 32, 400), WRAPPED, text).height()
    card = QRectF(area.left() + SIDE, area.top() + SIDE, width, 52 + high)
    pen = painter.pen()
    pen.setColor(QColor(theme.strong_line))
    pen.setStyle(Qt.PenStyle.DashLine)
    pen.setWidthF(1.0)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
    marks.put_text(painter, card.left() + 16, card.top() + 24, title, font(13, 600), theme.ink1, LEFT)
    painter.setFont(used)
    painter.setPen(QColor(theme.ink2))
    painter.drawText(QRectF(card.left() + 16, card.top() + 38, width - 32, high + 4), WRAPPED, text)


def row_at(placed: Placed, offset: float, at: QPointF) -> int | None:
    """Number of the ladder's row under a point."""
    if not placed.rows.contains(at):
        return None
    return int((at.y() - placed.rows.top() + offset) // placed.row_height)


def _natural_width(width: float) -> float:
    """How much of an export's width the page uses: longer bars would tell nothing more."""
    return min(width, 480.0) if width < COLUMNS_FROM else min(width, 960.0)
