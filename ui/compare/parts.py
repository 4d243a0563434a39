"""Everything that stands on one side of the page: its heading, its net, profile, heatmap and answers, each with the other side's line."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..canvas.scene import NetworkCanvas
from ..panels.panel import Panel
from ..panels.prediction import PredictionPanel
from ..panels.prediction_picture import Beside as PredictionBeside
from ..panels.profile import ProfilePanel
from ..panels.profile_lines import Beside
from ..selection import Selection
from .heat import HeatPanel
from .side import SideHead
from .words import other_side


class Side:
    """The parts of one side."""

    def __init__(self, letter: str, parent: QWidget) -> None:
        self.letter = letter
        self.snapshot: Snapshot | None = None
        self.head = SideHead(letter, parent)
        self.net = NetworkCanvas(parent)
        self.net.show_legend = False
        self.net.setMinimumSize(200, 120)
        self.bars = ProfilePanel(parent)
        self.heat = HeatPanel(letter, parent)
        self.prediction = PredictionPanel(parent)
        self.prediction.ground = "canvas"
        self.net.columns_changed.connect(self.bars.set_columns)
        for panel, name in ((self.net, "network"), (self.bars, "gradients"), (self.prediction, "prediction")):
            panel.side, panel.name = letter, f"{name}_{letter.lower()}"
            panel.setAccessibleName(panel.full_title)

    @property
    def panels(self) -> tuple[Panel, ...]:
        return (self.net, self.bars, self.heat, self.prediction)

    def parts(self) -> dict[str, QWidget]:
        """By the names that `places` gives them."""
        found = {"head": self.head, "net": self.net, "bars": self.bars, "heat": self.heat, "prediction": self.prediction}
        return {f"{name} {self.letter}": part for name, part in found.items()}

    def mark(self, selection: Selection | None) -> None:
        """Mark a layer, unit or weight, if this side has it."""
        if self.snapshot is not None and selection is not None and selection.layer > len(self.snapshot.architecture.layers):
            selection = None
        if self.net.selection != selection:
            self.net.select(selection)
        self.bars.select(selection)
        self.heat.select(selection)

    def show(self, snapshot: Snapshot, other: Snapshot, name: str, timeline: bool, slow: bool) -> None:
        self.snapshot = snapshot
        letter = other_side(self.letter)
        self.net.show_snapshot(snapshot)
        self.bars.beside = Beside(letter, other)
        self.bars.show_snapshot(snapshot)
        if timeline:
            self.heat.reach(float(max(snapshot.last_step, other.last_step, snapshot.step, other.step)))
            self.heat.show_snapshot(snapshot)
        if slow:
            self.head.show_side(snapshot, name, other)
            predicted = other.prediction if not other.level else None
            before = self.prediction.beside
            if predicted is not (before.prediction if before is not None else None):
                self.prediction.beside = PredictionBeside(letter, predicted) if predicted is not None else None
                self.prediction.update()
            self.prediction.show_snapshot(snapshot)
