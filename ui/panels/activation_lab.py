"""The activation lab: a layer's pre-activations over f and f′, a sigmoid sharpened into a step, and what linear means.

The first part follows the run; the other two are about functions alone, and say so.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gradviz.activations import ACTIVATIONS
from gradviz.function_lab import Linearity, counter_example, linearity, sharp_sigmoid, sharp_sigmoid_slope
from gradviz.snapshot import Distribution, Snapshot
from gradviz.spec import FieldInfo, field_info

from ..controls.numbers import SliderInput
from ..selection import Selection
from ..theme import Theme
from . import activation_words as words
from .activation_curves import curve
from .activation_layer import LayerChoice
from .activation_plot import ActivationPlot
from .activation_slider import SliderRow
from .activation_thumbs import Thumbs
from .lab_blocks import Cards, Controls, Figure, Section, Title, Words
from .lab_page import Block, LabPanel
from .linearity_controls import LinearityControls
from .linearity_view import EquationPlot, tries_words
from .panel import Table
from .plots import percent
from .segments import Segments
from .sharpness_view import GENTLEST, SHARPEST, SharpPlot, number, points

NET, SHARP, LINEAR = "net", "sharpness", "linear"
SHARPNESS = FieldInfo("", "", "Sharpness k", "How steeply the sigmoid rises: σ(kx).", "float", 4.0, GENTLEST, SHARPEST, log=True)
FIRST_TRY = (1.0, 2.0, -1.0)  # x, y, a
COLUMNS = {
    NET: ("quantity", "z_from", "z_to", "value"),
    SHARP: ("quantity", "x", "value"),
    LINEAR: ("quantity", "value"),
}


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
        self._selected = 0  # the one of them that came with the selection
        self._function = ""  # tried for linearity; empty for the one in force
        self._numbers = FIRST_TRY
        self._random = np.random.default_rng(1)
        self._tries: dict[tuple[str, float], str] = {}
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
        self.add(_Top(self.parts))
        self._blocks_of = {NET: self._net_blocks(), SHARP: self._sharp_blocks(), LINEAR: self._linear_blocks()}
        for blocks in self._blocks_of.values():
            self.add(*blocks)
        self.show_sharpness(SHARPNESS.default)
        self.set_theme(self.theme)
        self.refresh()

    def _net_blocks(self) -> tuple[Block, ...]:
        self.choice, self.cards, self.plot = LayerChoice(), Cards(), ActivationPlot()
        self.sentence, self.rule = Words(), Words(caption=True)
        at_zero = field_info("network.relu_at_zero")
        self.at_zero = SliderRow("Slope at exactly 0", SliderInput(at_zero), at_zero.help)
        self.thumbs_title, self.thumbs = Section("Every activation"), Thumbs()
        self.thumbs_title.captions = ("click one to use it in this net", "click to use")
        self.choice.wanted.connect(self.want_layer)
        self.at_zero.wanted.connect(self.relu_at_zero_wanted)
        self.thumbs.wanted.connect(self.activation_wanted)
        return self.choice, self.cards, self.plot, self.sentence, self.rule, self.at_zero, self.thumbs_title, self.thumbs

    def _sharp_blocks(self) -> tuple[Block, ...]:
        title = Title("Sigmoid to step")
        title.captions = ("functions alone, not this network", "not this network")
        self.sharpness = SliderRow("Sharpness k", SliderInput(SHARPNESS), SHARPNESS.help)
        self.sharpness.wanted.connect(self.show_sharpness)
        self.sharp_cards, self.sharp_plot, self.sharp_words = Cards(), SharpPlot(), Words()
        self.sharp_words.show_text(
            "As k grows, σ(kx) tends to the Heaviside step: 0 for x < 0, 1 for x ≥ 0.",
            "Its derivative gets higher and narrower, and keeps its area: it tends to the Dirac delta, which is 0 everywhere "
            "except at 0 and still has area 1.",
            "As an activation the step is of no use to back-propagation: at every z but 0 its gradient is exactly 0, and at 0 it has "
            "none. This program takes 0 there too, so nothing before the step learns.",
        )
        return title, self.sharpness, self.sharp_cards, self.sharp_plot, self.sharp_words

    def _linear_blocks(self) -> tuple[Block, ...]:
        title = Title("Is it linear?")
        title.captions = ("functions alone, not this network", "not this network")
        self.tried_controls = LinearityControls()
        self.tried_controls.function_wanted.connect(self.show_function)
        self.tried_controls.numbers_wanted.connect(lambda *numbers: self.show_numbers(*numbers))
        self.tried_controls.random_wanted.connect(self.show_random)
        self.tried_controls.search_wanted.connect(self.find_counter_example)
        self.tried_name = Words(caption=True)
        self.additive, self.homogeneous, self.tried_words = EquationPlot("additive"), EquationPlot("homogeneous"), Words()
        return title, self.tried_controls, self.tried_name, self.additive, self.homogeneous, self.tried_words

    # ---- what is asked for

    @property
    def part(self) -> str:
        """The part in front: "net", "sharpness" or "linear"."""
        return self.parts.value

    def show_part(self, part: str) -> None:
        """Bring a part to the front; raises ValueError when there is none of that name."""
        self.parts.show_value(part)
        self.refresh()
        self._scroll.verticalScrollBar().setValue(0)

    def want_layer(self, layer: int) -> None:
        """Ask for a layer's pre-activations, 0 for the automatic choice."""
        self._selected = 0
        self._ask(layer)

    def show_layer_wanted(self, layer: int) -> None:
        """Show which layer is asked for, as by a lesson; says nothing."""
        self._wanted, self._selected = layer, 0
        self.refresh()

    def select(self, selection: Selection | None) -> None:
        """Follow the layer of what is selected; without a selection the choice is automatic again."""
        depth = len(self.snapshot.architecture.layers) - 1 if self.snapshot is not None else 0
        if selection is not None and 1 <= selection.layer <= depth:
            self._selected = selection.layer
            self._ask(selection.layer)
        elif selection is None and self._selected:
            self._selected = 0
            self._ask(0)

    def _ask(self, layer: int) -> None:
        if layer != self._wanted:
            self._wanted = layer
            self.layer_wanted.emit(layer)
        self.refresh()

    def show_sharpness(self, k: object) -> None:
        """Draw σ(kx) for this k, from 1 to 1000; anything that is no such number is not taken."""
        if not isinstance(k, (int, float)) or not GENTLEST <= k <= SHARPEST:
            k = self.sharp_plot.slope.sharpness
        self.sharp_plot.show_sharpness(float(k))
        self.sharpness.show_value(float(k))
        slope = self.sharp_plot.slope
        self.sharp_cards.show_figures(
            Figure("Peak, k/4", slope.peak, number(slope.peak), hint="peak of the derivative"),
            Figure("Width", 2 * slope.half_width, number(2 * slope.half_width), ("at half height",), hint="width at half the height"),
            Figure("Area", slope.area, f"{slope.area:.3f}", ("summed numerically", "measured"), hint="area under the derivative"),
        )
        self.setAccessibleDescription(self.spoken())

    def show_function(self, name: str) -> None:
        """Try another activation for linearity."""
        self._function = name
        self.refresh()

    def show_numbers(self, x: float, y: float, a: float) -> None:
        """Try other numbers for linearity."""
        self._numbers = (x, y, a)
        self.refresh()

    def show_random(self) -> None:
        """Draw the numbers anew, in steps of a tenth."""
        x, y = (float(value) for value in self._random.integers(-40, 41, 2) / 10)
        self.show_numbers(x, y, float(self._random.integers(-30, 31)) / 10)

    def find_counter_example(self) -> None:
        """Show numbers where both equations fail clearly; says so when there are none."""
        name, parameter = self._tried_function()
        found = counter_example(name, self._random, parameter)
        if found is None:
            self.refresh()
            self.tried_controls.say(f"None found for {ACTIVATIONS[name].title}: both sides were equal wherever it was tried.")
            self.arrange()
        else:
            self.show_numbers(found.x, found.y, found.a)

    # ---- what is shown

    @property
    def found(self) -> Distribution | None:
        """The pre-activations of the latest snapshot."""
        lab = self.snapshot.lab if self.snapshot is not None else None
        return lab if isinstance(lab, Distribution) else None

    def show_snapshot(self, snapshot: Snapshot) -> None:
        lab = snapshot.lab
        if isinstance(lab, Distribution) and self.part == NET:
            self.plot.show_distribution(lab)  # at every frame; the words follow at their own pace
        super().show_snapshot(snapshot)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.parts.set_theme(theme)

    def show_content(self) -> None:
        for part, blocks in self._blocks_of.items():
            for block in blocks:
                block.used = part == self.part
        if self.part == NET:
            self._show_net()
        elif self.part == LINEAR:
            self._show_tried()

    def _show_net(self) -> None:
        snapshot, found = self.snapshot, self.found
        self.cards.used = self.rule.used = found is not None
        activation, parameter = self._in_force()
        self.at_zero.used = activation == "relu" and snapshot is not None
        if snapshot is None:
            self.choice.show_layer(ACTIVATIONS[activation].title, ("no net yet",), 0, 0, chosen=False)
        else:
            self.at_zero.show_value(snapshot.spec.network.relu_at_zero)
        if snapshot is None or found is None:
            self.plot.show_curves(activation, parameter)
            if snapshot is not None:
                depth = len(snapshot.architecture.layers) - 1
                self.choice.show_layer(self._layer_title(activation), ("nothing measured yet",), self._layer(), depth, self._wanted > 0)
            self.sentence.show_text("Press Play, or step a phase: then bars show where the layer’s pre-activations lie.")
            self.thumbs.show_in_force(self._used())
            return
        name = snapshot.architecture.layers[found.layer - 1].name
        title = f"{name}: {ACTIVATIONS[found.activation].title}"
        depth, chosen = len(snapshot.architecture.layers) - 1, self._wanted > 0
        self.choice.show_layer(title, words.captions(found, snapshot, chosen), found.layer, depth, chosen)
        self.plot.show_distribution(found)
        self.plot.tell(words.bad_words(found, snapshot))
        self.cards.show_figures(*_figures(found))
        self.sentence.show_text(words.share_words(found, name), words.parameter_words(found))
        self.rule.show_text(words.rule_words(found))
        self.thumbs.show_in_force(self._used())

    def _layer(self) -> int:
        """The layer that is meant while nothing is measured."""
        assert self.snapshot is not None
        return min(max(1, self._wanted), len(self.snapshot.architecture.layers) - 1)

    def _layer_title(self, activation: str) -> str:
        assert self.snapshot is not None
        return f"{self.snapshot.architecture.layers[self._layer() - 1].name}: {ACTIVATIONS[activation].title}"

    def _in_force(self) -> tuple[str, float]:
        """Activation and parameter of the layer that is looked at."""
        snapshot, found = self.snapshot, self.found
        if found is not None:
            return found.activation, found.parameter
        if snapshot is None:
            return "sigmoid", ACTIVATIONS["sigmoid"].parameter
        name = snapshot.architecture.layers[self._layer() - 1].activation
        return name, snapshot.spec.network.relu_at_zero if name == "relu" else ACTIVATIONS[name].parameter

    def _used(self) -> frozenset[str]:
        return frozenset(self.snapshot.spec.network.layer_activations) if self.snapshot is not None else frozenset()

    # ---- linear?

    def _tried_function(self) -> tuple[str, float]:
        activation, parameter = self._in_force()
        name = self._function or activation
        return name, parameter if name == activation else ACTIVATIONS[name].parameter

    def tried(self) -> Linearity:
        """Both equations at the present numbers."""
        name, parameter = self._tried_function()
        return linearity(name, *self._numbers, parameter)

    def _show_tried(self) -> None:
        tried = self.tried()
        self.tried_controls.show_tried(tried.name, self._numbers)
        activation = ACTIVATIONS[tried.name]
        alpha = f", α = {tried.parameter:.4g}" if activation.parameter else ""
        self.tried_name.show_text(f"f(z) = {activation.formula}{alpha}")
        self.additive.show_tried(tried)
        self.homogeneous.show_tried(tried)
        key = (tried.name, round(tried.parameter, 3))
        if key not in self._tries:
            self._tries[key] = tries_words(*key)
        self.tried_words.show_text(self._tries[key])

    # ---- in words and numbers

    def spoken(self) -> str:
        if self.part == SHARP:
            slope = self.sharp_plot.slope
            return f"Sigmoid of {number(slope.sharpness)} x: the derivative’s peak is {number(slope.peak)}, its area {slope.area:.3f}."
        if self.part == LINEAR:
            tried = self.tried()
            return f"{ACTIVATIONS[tried.name].title}: sums {self.additive.verdict}, multiples {self.homogeneous.verdict}."
        found, snapshot = self.found, self.snapshot
        if found is None or snapshot is None:
            return "Nothing measured yet. Press Play, or step a phase."
        return words.spoken(found, snapshot.architecture.layers[found.layer - 1].name)

    def table(self) -> Table:
        """The numbers of the part in front."""
        rows: list[tuple[object, ...]]
        if self.part == SHARP:
            slope = self.sharp_plot.slope
            x = points(slope.sharpness)
            rows = [("sharpness", None, slope.sharpness), ("peak", None, slope.peak), ("half_width", None, slope.half_width)]
            rows.append(("area", None, slope.area))
            for quantity, function in (("sigmoid", sharp_sigmoid), ("derivative", sharp_sigmoid_slope)):
                values = function(x, slope.sharpness)
                rows += [(quantity, float(at), float(value)) for at, value in zip(x, values, strict=True)]
        elif self.part == LINEAR:
            tried = self.tried()
            rows = [(field, getattr(tried, field)) for field in tried.__struct_fields__]
        else:
            rows = _distribution_rows(self.found)
        return Table(COLUMNS[self.part], tuple(rows))


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


def _figures(found: Distribution) -> tuple[Figure, ...]:
    of = f"of {words.counted(found):,} z" if found.saturated_before is None else "with batch norm"
    small = Figure("f′ is small", found.saturated, percent(found.saturated), (of, ""), hint="share of z where f′ is small")
    zero = Figure("f′ exactly 0", found.zero, percent(found.zero), (of, ""), hint="share of z where f′ is exactly 0")
    mean = f"mean {words.steady(found.mean)}"
    spread = Figure("Spread of z", found.spread, words.steady(found.spread), (mean, ""), hint="spread of z")
    if found.saturated_before is None:
        return small, zero, spread
    before = Figure("Without BN", found.saturated_before, percent(found.saturated_before), ("the same sums", ""), hint="before batch norm")
    return small, before, spread


def _distribution_rows(found: Distribution | None) -> list[tuple[object, ...]]:
    if found is None:
        return []
    numbers = {name: getattr(found, name) for name in ("layer", "activation", "parameter", "saturated", "zero", "mean", "spread")}
    rows: list[tuple[object, ...]] = [(name, None, None, value) for name, value in numbers.items()]
    if found.saturated_before is not None:
        rows.append(("saturated_before", None, None, found.saturated_before))
    edges = [float(edge) for edge in found.edges]
    rows.append(("count", None, edges[0], found.outside[0]))
    rows += [("count", *edges[at : at + 2], int(count)) for at, count in enumerate(found.counts)]
    rows.append(("count", edges[-1], None, found.outside[1]))
    if found.before is not None:
        rows += [("count_before_batch_norm", *edges[at : at + 2], int(count)) for at, count in enumerate(found.before)]
    for start, end in curve(found.activation, found.parameter, edges[-1]).zone:
        rows.append(("zone", start, end, None))
    return rows
