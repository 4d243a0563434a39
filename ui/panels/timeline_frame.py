"""Where things stand in the timeline: the loss plot above, the heatmap below, and one axis of steps for both."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from . import marks

TOP, GAP, FOOT = 36.0, 11.0, 41.0
GUTTER, RIGHT = 134.0, 94.0
ROW, TALLEST_ROW, LOSS_HEIGHT = 14.0, 28.0, 40.0
FEWEST_STEPS = 20
STEPS_BELOW = 25.0  # from the heatmap's foot to the numbers of the steps
REACH = 6.0  # pixels beside the scrubber's line from which it can still be taken hold of


def step_axis(last: float, width: float) -> tuple[float, float]:
    """How far an axis of this width reaches that has to show so many steps, and the distance of its ticks."""
    longest = max(last * 1.04, FEWEST_STEPS)
    tick = max(1.0, marks.nice_step(longest, max(1.0, min(6.0, width / 90))))
    return tick * math.ceil(longest / tick), tick


@dataclass(frozen=True)
class Frame:
    """The places of one drawing; x runs linearly from step 0 to step ``span``, where the axis ends."""

    area: QRectF
    loss: QRectF
    heat: QRectF
    layers: int
    span: float
    tick: float  # distance of the ticks, in steps

    @classmethod
    def of(cls, area: QRectF, layers: int, last: float, head: float = 0.0) -> Frame:
        """The places in ``area`` for so many layers (≥ 1) and steps; every row of the heatmap is equally high.

        ``head`` is more room above the losses.
        """
        left, right = (min(most, max(least, share * area.width())) for most, least, share in ((GUTTER, 56.0, 0.14), (RIGHT, 24.0, 0.15)))
        width = max(20.0, area.width() - left - right)
        room = max(0.0, area.height() - TOP - head - GAP - FOOT)
        loss = min(max(room - ROW * layers, min(LOSS_HEIGHT, 0.45 * room)), max(0.45 * room, min(LOSS_HEIGHT, 0.45 * room)))
        heat = min(room - loss, TALLEST_ROW * layers)
        loss = room - heat
        x, y = area.left() + left, area.top() + TOP + head
        places = QRectF(x, y, width, loss), QRectF(x, y + loss + GAP, width, heat)
        return cls(area, *places, layers, *step_axis(last, width))

    def x(self, step: float) -> float:
        return self.heat.left() + step / self.span * self.heat.width()

    def step_at(self, x: float) -> float:
        """The step at this place, as a fraction, and beyond the axis where the place is."""
        return (x - self.heat.left()) / self.heat.width() * self.span

    @property
    def row(self) -> float:
        return self.heat.height() / self.layers

    def name_y(self, layer: int) -> float:
        """The middle of a layer's row, kept so far inside that its name stays clear of the loss axis."""
        return min(max(self.heat.top() + (layer - 0.5) * self.row, self.heat.top() + 4), self.heat.bottom() - 4)

    def layer_at(self, y: float) -> int | None:
        """The layer whose row is at this height."""
        if not self.heat.top() <= y < self.heat.bottom():
            return None
        return min(self.layers, 1 + int((y - self.heat.top()) / self.row))

    def grip(self, step: float) -> QRectF:
        """The handle at the scrubber's foot."""
        return QRectF(self.x(step) - 5.5, self.heat.bottom() + 1, 11, 13)

    def part_at(self, at: QPointF, step: float) -> str:
        """What is at a point while the scrubber stands at ``step``.

        "name" (of a layer), "heat", "scrubber" (its line over the loss plot, or its grip), "line" (the scrubber's line over the
        heatmap, where a row can be meant as well), "track" (anywhere else along the steps), or "" for none of these.
        """
        heat = self.heat
        on_line = abs(at.x() - self.x(step)) <= REACH
        if heat.top() <= at.y() < heat.bottom():
            if self.area.left() <= at.x() < heat.left() - 8:
                return "name"
            return "line" if on_line else "heat" if heat.left() - 8 <= at.x() <= heat.right() + 8 else ""
        if not heat.left() - 8 <= at.x() <= heat.right() + 8 or not self.loss.top() - GAP <= at.y() <= self.area.bottom():
            return ""
        return "scrubber" if on_line and at.y() <= self.grip(step).bottom() + 2 else "track"
