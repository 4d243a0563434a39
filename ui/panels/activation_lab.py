"""The activation lab: a layer's pre-activations over f and f′, a sigmoid sharpened into a step, and what linear means.

The first part follows the run; the other two are about functions alone, and say so.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..selection import Selection
from ..theme import Theme
from . import activation_net, activation_words, linearity_part, sharpness_part
from .activation_net import NetPart, distribution_of, in_force
from .lab_blocks import Controls
from .lab_page import LabPanel
from .linearity_part import LinearPart
from .panel import Table
from .segments import Segments
from .sharpness_part import SharpPart

PARTS = NET, SHARP, LINEAR = "net", "sharpness", "linear"


class ActivationLabPanel(LabPanel):
    """Draws `Snapshot.lab` when it is a `Distribution`."""

    name = "activation"
    title = "Activation"

    layer_wanted = Signal(int)  # whose pre-activations; 0 for the layer with the smallest mean slope
    activation_wanted = Signal(str)
    relu_at_zero_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = 0  # the layer that was asked for
        self._selected = False  # whether it came with the selection
        self._subject: tuple[object, ...] = ()  # what the words belong to
        self.parts = Segments(
            "Activation lab",
            (
                (NET, "In this net", "Where a layer’s pre-activations lie on its activation"),
                (SHARP, "Sharpness", "A sigmoid that tends to the step, and its derivative to the Dirac delta"),
                (LINEAR, "Linear?", "Additive and homogeneous, tried on any activation"),
            ),
        )
        self.parts.show_value(NET)
        self.parts.chosen.connect(self.show_part)
        self.net, self.sharp, self.linear = NetPart(), SharpPart(), LinearPart()
        self.add(_Top(self.parts))
        for part in (self.net, self.sharp, self.linear):
            self.add(*part.blocks)
        self._connect()
        self.set_theme(self.theme)
        self.refresh()

    def _connect(self) -> None:
        self.net.choice.wanted.connect(self.want_layer)
        self.net.thumbs.wanted.connect(self.activation_wanted)
        self.net.at_zero.wanted.connect(self.relu_at_zero_wanted)
        self.sharp.slider.wanted.connect(lambda _: self.setAccessibleDescription(self.spoken()))
        linear, controls = self.linear, self.linear.controls
        controls.function_wanted.connect(linear.choose)
        controls.numbers_wanted.connect(linear.take)
        controls.random_wanted.connect(linear.take_random)
        controls.search_wanted.connect(linear.find_counter_example)
        for wanted in (controls.function_wanted, controls.numbers_wanted, controls.random_wanted, controls.search_wanted):
            wanted.connect(lambda *_: self.refresh())

    # ---- what is asked for

    @property
    def part(self) -> str:
        """The part in front: "net", "sharpness" or "linear"."""
        return self.parts.value

    def show_part(self, part: str) -> None:
        """Bring a part to the front; raises ValueError when there is none of that name."""
        if part not in PARTS:
            raise ValueError(f"no part {part!r} in the activation lab; there are {', '.join(PARTS)}")
        self.parts.show_value(part)
        self.refresh()
        self._scroll.verticalScrollBar().setValue(0)

    def want_layer(self, layer: int) -> None:
        """Ask for a layer's pre-activations, 0 for the automatic choice."""
        self._selected = False
        self._ask(layer)

    def show_layer_wanted(self, layer: int) -> None:
        """Show which layer is asked for, as by a lesson; says nothing."""
        self._wanted, self._selected = layer, False
        self.refresh()

    def select(self, selection: Selection | None) -> None:
        """Follow the layer of what is selected; when nothing is selected any more, the choice is automatic again."""
        depth = len(self.snapshot.architecture.layers) - 1 if self.snapshot is not None else 0
        if selection is not None and 1 <= selection.layer <= depth:  # inputs and output have no activation
            self._selected = True
            self._ask(selection.layer)
        elif selection is None and self._selected:
            self._selected = False
            self._ask(0)

    def _ask(self, layer: int) -> None:
        if layer != self._wanted:
            self._wanted = layer
            self.layer_wanted.emit(layer)
        self.refresh()

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        if self._wanted > len(snapshot.architecture.layers) - 1:  # of a deeper net that is gone
            self.want_layer(0)
        found = distribution_of(snapshot)
        subject = (found.layer, found.activation, snapshot.architecture) if found is not None else ()
        if self.part == NET and found is not None:
            self.net.plot.show_distribution(found)  # at every frame; the words follow at their own pace
        changed, self._subject = subject != self._subject, subject
        super().show_snapshot(snapshot)
        if changed:
            self.refresh()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.parts.set_theme(theme)

    def show_content(self) -> None:
        for name, part in ((NET, self.net), (SHARP, self.sharp), (LINEAR, self.linear)):
            for block in part.blocks:
                block.used = name == self.part
        if self.part == NET:
            self.net.show(self.snapshot, self._wanted)
        elif self.part == LINEAR:
            self.linear.show(in_force(self.snapshot, self._wanted))

    def spoken(self) -> str:
        if self.part == SHARP:
            return self.sharp.spoken()
        if self.part == LINEAR:
            return self.linear.spoken()
        found, snapshot = distribution_of(self.snapshot), self.snapshot
        if found is None or snapshot is None:
            return activation_net.NOTHING_YET
        return activation_words.spoken(found, snapshot.architecture.layers[found.layer - 1].name)

    def table(self) -> Table:
        """The numbers of the part in front."""
        if self.part == SHARP:
            return Table(sharpness_part.COLUMNS, tuple(self.sharp.rows()))
        if self.part == LINEAR:
            return Table(linearity_part.COLUMNS, tuple(self.linear.rows()))
        return Table(activation_net.COLUMNS, tuple(activation_net.rows(distribution_of(self.snapshot))))


class _Top(Controls):
    """The switch of the parts, with room above it."""

    def __init__(self, parts: Segments) -> None:
        super().__init__(parts, height=28, stretch=True)
        layout = self.layout()
        assert layout is not None
        margins = layout.contentsMargins()
        layout.setContentsMargins(margins.left(), 8, margins.right(), 4)

    def height_at(self, width: float) -> float:
        return 40.0
