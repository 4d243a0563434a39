"""The gradient of every layer at every step of one side: the timeline's heatmap without its losses, under the side's profile."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtWidgets import QWidget

from ..panels.bars import plot_sides
from ..panels.timeline import TimelinePanel
from ..panels.timeline_frame import FOOT, Frame, step_axis
from ..panels.timeline_picture import TimelinePicture

TOP = 14.0  # flags stand here, where settings were changed
STAGES = 12.0  # and above them the names of the levels in pre-training


class HeatPicture(TimelinePicture):
    """A picture of a run whose heatmap takes all the room and lies under the bars of a profile of the same width."""

    def frame(self, area: QRectF) -> Frame:
        layers = max(1, len(self.layer_names))
        left, right = plot_sides(area.width(), layers)
        staged = self.snapshot is not None and self.snapshot.spec.pretraining_steps > 0
        top = area.top() + TOP + STAGES * staged
        heat = QRectF(area.left() + left, top, max(20.0, right - left), max(0.0, area.bottom() - FOOT - top))
        return Frame(area, QRectF(heat.left(), top, heat.width(), 0.0), heat, layers, *step_axis(self.longest(), heat.width()))


class HeatPanel(TimelinePanel):
    """One side's heatmap; both sides share the scrubber and the axis of steps."""

    title = "Gradients over the steps"
    headed = False

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.side, self.name = side, f"steps_{side.lower()}"
        self.setAccessibleName(self.full_title)
        self.picture = HeatPicture()
        self.setMinimumSize(240, 90)

    def sizeHint(self) -> QSize:
        return QSize(800, 130)

    def reach(self, step: float) -> None:
        """Let the axis go at least so far."""
        if step != self.picture.reach:
            self.picture.reach = step
            self.update()
