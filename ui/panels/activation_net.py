"""The first part of the activation lab: where the pre-activations of one layer of this net lie on its activation."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gradviz.activations import ACTIVATIONS
from gradviz.lab_reports import Distribution
from gradviz.snapshot import Snapshot
from gradviz.spec import RECURRENT_ACTIVATIONS, field_info

from ..controls.numbers import SliderInput
from . import activation_words as words
from .activation_curves import curve
from .activation_layer import LayerChoice
from .activation_plot import ActivationPlot
from .activation_slider import SliderRow
from .activation_thumbs import Thumbs
from .lab_blocks import Cards, Figure, Section, Words
from .lab_page import Block
from .plots import percent

COLUMNS = ("quantity", "z_from", "z_to", "value")
NOTHING_YET = "Press Play, or step a phase: then bars show where the layer’s pre-activations lie."


class NetPart:
    """The blocks of the part, filled from a snapshot and the number of the layer that was asked for (0: automatic)."""

    def __init__(self) -> None:
        at_zero = field_info("network.relu_at_zero")
        self.choice, self.cards, self.plot = LayerChoice(), Cards(), ActivationPlot()
        self.sentence, self.rule = SteadyWords(), Words(caption=True)
        self.at_zero = SliderRow("Slope at exactly 0", SliderInput(at_zero), at_zero.help)
        self.heading, self.thumbs = Section("Every activation"), Thumbs()
        self.heading.captions = ("click one to use it in this net", "click to use")
        self.blocks: tuple[Block, ...] = (
            self.choice, self.cards, self.plot, self.sentence, self.rule, self.at_zero, self.heading, self.thumbs,
        )  # fmt: skip

    def show(self, snapshot: Snapshot | None, wanted: int) -> None:
        """Fill all blocks and say which are used."""
        found = distribution_of(snapshot)
        name, parameter = in_force(snapshot, wanted)
        self.cards.used = self.rule.used = found is not None
        in_time = snapshot is not None and snapshot.architecture.recurrent
        self.at_zero.used = name == "relu" and snapshot is not None and not in_time
        self.choice.speak_of("time step" if in_time else "layer")
        self.thumbs.show_usable(RECURRENT_ACTIVATIONS if in_time else tuple(ACTIVATIONS))
        self.heading.captions = ("for the state and the memory",) if in_time else ("click one to use it in this net", "click to use")
        self.thumbs.show_in_force(frozenset(snapshot.spec.network.layer_activations) if snapshot is not None else frozenset())
        if snapshot is not None:
            self.at_zero.show_value(snapshot.spec.network.relu_at_zero)
        if snapshot is None or found is None:
            self._show_nothing(snapshot, wanted, name, parameter)
        else:
            self._show_found(snapshot, found, wanted)

    def _show_nothing(self, snapshot: Snapshot | None, wanted: int, activation: str, parameter: float) -> None:
        """The curves alone."""
        title = ACTIVATIONS[activation].title
        if snapshot is None:
            self.choice.show_layer(title, ("no net yet",), 0, 0, chosen=False)
        else:
            layers, layer = snapshot.architecture.layers, layer_meant(snapshot, wanted)
            self.choice.show_layer(f"{layers[layer - 1].name}: {title}", ("nothing measured yet",), layer, len(layers) - 1, wanted > 0)
        self.plot.show_curves(activation, parameter)
        self.sentence.show_text(NOTHING_YET)

    def _show_found(self, snapshot: Snapshot, found: Distribution, wanted: int) -> None:
        layers, chosen = snapshot.architecture.layers, wanted > 0
        name = layers[found.layer - 1].name
        title = f"{name}: {ACTIVATIONS[found.activation].title}"
        if snapshot.architecture.recurrent:
            name = f"time step {found.layer}"
            title = f"Time step {found.layer}: {f'{found.gate} gate' if found.gate else ACTIVATIONS[found.activation].title}"
        self.choice.show_layer(title, words.captions(found, snapshot, chosen), found.layer, len(layers) - 1, chosen)
        self.plot.show_distribution(found)
        self.plot.tell(words.bad_words(found, snapshot))
        self.cards.show_figures(*figures(found, snapshot))
        self.sentence.keep_height_for((found.layer, found.activation, found.before is None, words.counted(found) == 0))
        said = (words.gate_words(found),) if found.gate else (words.share_words(found, name), words.parameter_words(found))
        self.sentence.show_text(*said)
        self.rule.show_text(words.rule_words(found))


class SteadyWords(Words):
    """Paragraphs that do not pull up what stands below when they become a line shorter while playing."""

    def __init__(self) -> None:
        super().__init__()
        self._subject: object = None
        self._most: dict[float, float] = {}  # width -> the greatest height so far

    def keep_height_for(self, subject: object) -> None:
        """As long as the words are about this, they keep the greatest height they had."""
        if subject != self._subject:
            self._subject, self._most = subject, {}

    def height_at(self, width: float) -> float:
        height = max(super().height_at(width), self._most.get(width, 0.0))
        if self._subject is not None:
            self._most = {width: height}
        return height


def distribution_of(snapshot: Snapshot | None) -> Distribution | None:
    """The pre-activations that a snapshot has, if any."""
    return snapshot.lab if snapshot is not None and isinstance(snapshot.lab, Distribution) else None


def layer_meant(snapshot: Snapshot, wanted: int) -> int:
    """The layer to speak of while nothing is measured."""
    return min(max(1, wanted), len(snapshot.architecture.layers) - 1)


def in_force(snapshot: Snapshot | None, wanted: int) -> tuple[str, float]:
    """Activation and parameter of the layer that is looked at."""
    found = distribution_of(snapshot)
    if found is not None:
        return found.activation, found.parameter
    if snapshot is None:
        return "sigmoid", ACTIVATIONS["sigmoid"].parameter
    name = snapshot.architecture.layers[layer_meant(snapshot, wanted) - 1].activation
    return name, snapshot.spec.network.relu_at_zero if name == "relu" else ACTIVATIONS[name].parameter


def figures(found: Distribution, snapshot: Snapshot) -> tuple[Figure, ...]:
    """The three numbers of the cards; a share of nothing is a dash, since 0 % would say that there is something."""
    if words.counted(found) == 0:
        return tuple(Figure(label, math.nan, "–", ("no z left", "")) for label in ("f′ is small", "f′ exactly 0", "Spread of z"))
    of = f"of {words.counted(found) + words.not_numbers(found, snapshot):,} z"
    mean = f"mean {words.steady(found.mean)}"
    spread = Figure("Spread of z", found.spread, words.steady(found.spread), (mean, ""), hint="spread of z")
    if found.saturated_before is not None:
        of = "with batch norm"
    small = Figure("f′ is small", found.saturated, percent(found.saturated), (of, "with BN"), hint="share of z where f′ is small")
    if found.gate and snapshot.details is not None and snapshot.details.gates is not None:
        kept = float(snapshot.details.gates[found.layer - 1, snapshot.architecture.gates.index(found.gate)])
        share = Figure("Mean f", kept, words.steady(kept), ("of c is kept", "kept"), hint="mean of the forget gates")
        return share, small, spread
    if found.saturated_before is None:
        zero = Figure("f′ exactly 0", found.zero, percent(found.zero), (of, ""), hint="share of z where f′ is exactly 0")
        return small, zero, spread
    before = found.saturated_before
    without = Figure("Without BN", before, percent(before), ("the same sums", "same sums"), hint="the same before batch norm")
    return small, without, spread


def rows(found: Distribution | None) -> Iterable[tuple[object, ...]]:
    """The numbers behind the picture: `COLUMNS`."""
    if found is None:
        return
    for name in ("layer", "activation", "parameter", "saturated", "zero", "mean", "spread"):
        yield name, None, None, getattr(found, name)
    if found.saturated_before is not None:
        yield "saturated_before_batch_norm", None, None, found.saturated_before
    edges = [float(edge) for edge in found.edges]
    yield "count", None, edges[0], found.outside[0]
    for at, count in enumerate(found.counts.tolist()):
        yield "count", edges[at], edges[at + 1], count
    yield "count", edges[-1], None, found.outside[1]
    if found.before is not None:
        for at, count in enumerate(found.before.tolist()):
            yield "count_before_batch_norm", edges[at], edges[at + 1], count
    for start, end in curve(found.activation, found.parameter, edges[-1]).zone:
        yield "zone", start, end, None
