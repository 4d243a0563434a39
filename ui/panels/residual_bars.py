"""Each residual block as two bars on the fixed axis: the gradient through its skip, and the one through its branch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.lab_reports import ResidualReport
from gradviz.snapshot import Snapshot

from ..numbers import short
from ..theme import font
from . import lab_axis, marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .spots import Spot

ROW, LINE, AXIS = 44.0, 17.0, 18.0
MOST = 40  # blocks; of more the first and the last ones are drawn
KINDS = 42.0  # room for "skip" and "branch"


@dataclass(frozen=True)
class ResidualBlock:
    """One block: names of its first and last layer, and what comes back through its two ways."""

    start: str
    end: str
    skip: float
    branch: float
    known: bool  # whether back-propagation has come here

    @property
    def name(self) -> str:
        return f"{self.start} → {self.end}"

    @property
    def factor(self) -> float:
        """How many times as much comes through the skip; NaN where that cannot be said."""
        if not self.known or self.branch == 0 or not math.isfinite(self.skip) or not math.isfinite(self.branch):
            return math.nan
        return self.skip / self.branch


def residual_blocks(report: ResidualReport, snapshot: Snapshot) -> tuple[ResidualBlock, ...]:
    """The blocks of a report; before the first step, and where the step in work has not come, their numbers are not known."""
    moment, layers = snapshot.moment, snapshot.architecture.layers
    ran = snapshot.step > 0 or moment is not None
    found = []
    for (start, end), skip, branch in zip(report.blocks, report.through_skip, report.through_branch, strict=True):
        known = ran and (moment is None or moment.reached(start + 1))
        found.append(ResidualBlock(layers[start - 1].name, layers[end - 1].name, float(skip), float(branch), known))
    return tuple(found)


class ResidualBars(Block):
    """Draws residual blocks under each other, the one nearest to the input on top."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: tuple[ResidualBlock, ...] = ()
        self.setAccessibleName("The gradient where each block begins")

    def show_blocks(self, blocks: tuple[ResidualBlock, ...]) -> None:
        self.blocks = blocks
        self.setAccessibleDescription(
            "; ".join(
                f"{block.name}: skip {short(block.skip) if block.known else 'not known yet'}, "
                f"branch {short(block.branch) if block.known else 'not known yet'}"
                for block in blocks[:MOST]
            )
        )
        self.update()

    def _rows(self) -> list[ResidualBlock | None]:
        """The blocks to draw; None stands for those left out."""
        if len(self.blocks) <= MOST:
            return list(self.blocks)
        return [*self.blocks[: MOST // 2], None, *self.blocks[-MOST // 2 :]]

    def height_at(self, width: float) -> float:
        return ROW * len(self._rows()) + AXIS + 8.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        rows, theme = self._rows(), self.theme
        names = max((marks.text_width(row.name, font(12)) for row in rows if row is not None), default=0.0)
        numbers = max(
            [
                marks.text_width(short(value), font(12, 500))
                for row in rows
                if row is not None and row.known
                for value in (row.skip, row.branch)
            ]
            + [marks.text_width("0.0011", font(12, 500))]
        )
        left = area.left() + SIDE
        bars = QRectF(left + names + 10 + KINDS, area.top(), 0, ROW * len(rows))
        bars.setRight(area.right() - SIDE - numbers - 10)
        lab_axis.paint_decades(painter, bars, theme, theme.dock)
        lab_axis.paint_ticks(painter, bars, bars.bottom() + 10, theme)
        for number, row in enumerate(rows):
            top = area.top() + ROW * number
            if number:
                painter.setPen(QPen(QColor(theme.line), 1))
                painter.drawLine(QLineF(left, top, area.right() - SIDE, top))
            if row is None:
                text = f"{len(self.blocks) - MOST:,} blocks between"
                marks.put_text(painter, left, top + ROW / 2, text, font(11), theme.ink3, LEFT)
                continue
            marks.put_text(painter, left, top + 5 + LINE / 2, row.name, font(12), theme.ink1, LEFT)
            for line, (kind, value) in enumerate((("skip", row.skip), ("branch", row.branch))):
                y = top + 5 + LINE * (line + 0.5)
                marks.put_text(painter, bars.left() - 8, y, kind, font(11), theme.ink2 if line == 0 else theme.ink3, RIGHT)
                lab_axis.paint_bar(painter, QRectF(bars.left(), y - 5, bars.width(), 10), value, row.known, theme)
                bad = row.known and not math.isfinite(value)
                text = short(value) if row.known else "–"
                ink = theme.nan if bad else theme.ink1 if row.known else theme.ink3
                marks.put_text(painter, area.right() - SIDE, y, text, font(12, 500), ink, RIGHT)
                if row.known:
                    self.spots.append(
                        Spot(QRectF(left, y - LINE / 2, area.right() - SIDE - left, LINE), f"{row.name}, through the {kind}", value)
                    )
