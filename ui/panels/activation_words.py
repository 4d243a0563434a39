"""What the activation lab says about one layer's pre-activations: shares in per cent, what batch norm does, what is not finite."""

from __future__ import annotations

import math

from gradviz.activations import ACTIVATIONS
from gradviz.lab_reports import Distribution
from gradviz.snapshot import Snapshot

from ..formula import three_digits
from ..numbers import short
from .activation_curves import peak
from .plots import percent
from .reading import when


def counted(found: Distribution) -> int:
    """How many pre-activations have a place on the axis or beyond its ends; NaN has none."""
    return int(found.counts.sum()) + sum(found.outside)


def not_numbers(found: Distribution, snapshot: Snapshot) -> int:
    """How many pre-activations are NaN; their mean tells whether there are any."""
    if not math.isnan(found.mean):
        return 0
    return max(0, snapshot.batch * snapshot.architecture.layers[found.layer - 1].units - counted(found))


def bad_words(found: Distribution, snapshot: Snapshot) -> str:
    """How many are not finite, or nothing."""
    missing, total = not_numbers(found, snapshot), counted(found)
    if missing:
        return f"{missing:,} of {missing + total:,} are NaN: no number any more"
    if math.isinf(found.mean) or math.isnan(found.mean):
        return "Some are infinite; they count as beyond the ends"
    return ""


def captions(found: Distribution, snapshot: Snapshot, chosen: bool) -> tuple[str, ...]:
    """Why this layer and which moment, longest first."""
    if found.gate:
        why = "the time step you chose" if chosen else "smallest mean f of all time steps"
    elif snapshot.architecture.recurrent:
        why = "the time step you chose" if chosen else "smallest mean f′ of all time steps"
    else:
        why = "the layer you chose" if chosen else "smallest mean f′ of all hidden layers"
    total = counted(found) + not_numbers(found, snapshot)
    return (f"{when(snapshot)}, {total:,} values; {why}", f"{when(snapshot)}; {why}", why, when(snapshot))


def share_words(found: Distribution, name: str) -> str:
    """Where f′ is small, and what batch norm changes about it."""
    if counted(found) == 0:
        return f"None of {name}’s pre-activations is a number any more."
    text = f"{percent(found.saturated)} of {name}’s pre-activations lie where f′ is small; at {percent(found.zero)} it is exactly 0."
    if found.saturated_before is not None:
        text += f" Without batch norm it would be {percent(found.saturated_before)} of these same sums."
    return text.replace(" %", "\u00a0%")  # a number keeps its unit on its line


def gate_words(found: Distribution) -> str:
    """Why it is this gate of an LSTM that is shown."""
    return (
        f"Shown is z of the {found.gate} gates, on the sigmoid that opens them. Here f itself is the factor along the cell path, not f′: "
        "at the right, where f is near 1, the memory and its gradient are kept; at the left both are forgotten."
    )


def rule_words(found: Distribution) -> str:
    """What "small" means here."""
    activation = ACTIVATIONS[found.activation]
    if activation.small_slope == 0.0:
        return "f′ is 0 everywhere: no gradient gets through this activation."
    largest = peak(found.activation)
    number = three_digits(largest.value)
    return f"Small: at most a tenth of the largest f′, so {three_digits(activation.small_slope)} where f′ goes up to {number}."


def parameter_words(found: Distribution) -> str:
    """The learnt α as it is now, the fixed one, or nothing."""
    if ACTIVATIONS[found.activation].trained:
        start = ACTIVATIONS[found.activation].parameter
        return f"α = {three_digits(found.parameter)} now. It is learnt: it began at {start:g} and moves with the weights."
    if found.activation == "relu":
        return f"At exactly 0 ReLU has no slope; any number from 0 to 1 may stand for it. Here it is {three_digits(found.parameter)}."
    if found.activation == "leaky_relu":
        return f"α = {three_digits(found.parameter)}, fixed: the slope left of 0, so that no unit dies."
    return ""


def steady(value: float) -> str:
    """Two decimals for numbers of usual size, so that they do not jump while playing."""
    if math.isfinite(value) and 0.005 <= abs(value) < 99.5:
        return f"{value:.2f}".replace("-", "−")
    return "0" if abs(value) < 0.005 else short(value)


def spoken(found: Distribution, name: str) -> str:
    """The picture in words, for those who hear the window."""
    title = ACTIVATIONS[found.activation].title
    if counted(found) == 0:
        return f"{name}, {title}. {share_words(found, name)}"
    text = f"{name}, {title}. {share_words(found, name)} Mean {short(found.mean)}, spread {short(found.spread)}."
    return f"{text} f′ {peak(found.activation).words}."
