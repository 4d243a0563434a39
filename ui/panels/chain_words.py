"""What the chain rule panel says in words: which weight, which example, where the factors come from, what the update does.

Where a sentence must fit beside something, there are several, the longest first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from gradviz.selected import ChainRule, ThroughTime
from gradviz.snapshot import Architecture, Moment, Snapshot
from gradviz.spec import field_info

from ..formula import three_digits
from ..numbers import exponent_text, full, short
from .ladder_rows import product_text

STEP_FIRST = "Step once, or press →, to see the factors."
CONGRUENT = 1e-4  # relative change of a weight up to which old and new agree to four significant digits
NOTICEABLE = 0.1  # a change of this size is what the steps are counted for


def weight_title(chain: ChainRule, architecture: Architecture) -> str:
    """Such as "Weight into L5, unit 5 → unit 3"; of a shared weight "Weight in time step 5, unit 5 → unit 3", or a gate's."""
    if chain.time is not None:
        what = f"{chain.time.gate.capitalize()} {'gate' if chain.time.gate != 'candidate' else 'weight'}" if chain.time.gate else "Weight"
        return f"{what} in time step {chain.layer}, {source_name(chain, architecture)} → unit {chain.column + 1}"
    return f"Weight into {architecture.layers[chain.layer - 1].name}, {source_name(chain, architecture)} → unit {chain.column + 1}"


def source_name(chain: ChainRule, architecture: Architecture) -> str:
    """What sends through this weight: an input's own name or a unit."""
    return architecture.input_names[chain.row] if chain.layer == 1 else f"unit {chain.row + 1}"


def example_lines(chain: ChainRule, architecture: Architecture, loss_name: str) -> tuple[str, ...]:
    """Which example the numbers belong to, longest first."""
    said = three_digits(chain.prediction)
    place = f"{chain.example + 1} of {chain.batch}"
    if len(architecture.output_names) > 1 and "cross_entropy" in loss_name:
        name = architecture.output_names[chain.output]
        facts: tuple[str, ...] = (f"target {name}, ŷ = {said} is its probability", f"target {name}, ŷ = {said}")
    else:
        target = three_digits(chain.target)
        facts = (f"target {target}, ŷ = {said}",)
    if chain.batch == 1:
        return (*(f"For one example: {fact}" for fact in facts), facts[-1])
    long = tuple(f"For one example of the batch, {place}: {fact}" for fact in facts)
    return (*long, *(f"Example {place}: {fact}" for fact in facts), f"{place}: {facts[-1]}", f"Example {place}")


def nothing_yet(snapshot: Snapshot | None) -> str:
    """Why there are no factors to show, and what to do."""
    moment: Moment | None = snapshot.moment if snapshot is not None else None
    if snapshot is not None and snapshot.level and snapshot.step:
        own = f"Only L{snapshot.level} is trained now, by its own reconstruction error"
        return f"{own}: no chain of factors leads from the loss of the task to a weight. With fine-tuning there is one."
    if snapshot is None or moment is None or moment.kind != "forward":
        return STEP_FIRST
    layers = snapshot.architecture.layers
    if not 1 <= moment.layer <= len(layers):
        return "The signal is still going forward. The factors come after the loss."
    name = layers[moment.layer - 1].name if not snapshot.architecture.recurrent else f"time step {moment.layer}"
    hidden = len(layers) - 1
    where = f"{name} of {hidden}" if moment.layer <= hidden else "the output"
    return f"The signal is still going forward: {where}. The factors come after the loss."


def factor_words(chain: ChainRule, architecture: Architecture) -> tuple[tuple[str, ...], ...]:
    """What each of the three factors tells, longest first."""
    if chain.time is not None:
        return _time_factor_words(chain, architecture)
    passed = len(architecture.layers) - chain.layer + 1
    layers = f"{passed} layer{'s' if passed > 1 else ''}"
    source = source_name(chain, architecture)
    verb = "was" if chain.layer == 1 else "sent"
    return (("how wrong ŷ is", "error of ŷ", "error"), (f"over {layers}", layers), (f"what {source} {verb}", f"{source} {verb}", verb))


def _time_factor_words(chain: ChainRule, architecture: Architecture) -> tuple[tuple[str, ...], ...]:
    """The same of a weight that all time steps share: what it is multiplied by is the state of the time step before."""
    assert chain.time is not None
    back, source = chain.time.steps - chain.layer, source_name(chain, architecture)
    steps = f"{back} time step{'' if back == 1 else 's'} back" if back else "of the last step"
    return (
        ("how wrong ŷ is", "error of ŷ", "error"),
        (steps, steps.replace("time ", ""), steps.replace("time ", "").replace(" back", "")),
        (f"x₁, {source}", f"x₁: {source}", "x₁")
        if chain.layer == 1
        else (f"h{foot(chain.layer - 1)} of {source}", f"h{foot(chain.layer - 1)}"),
    )


def feet(chain: ChainRule) -> tuple[str, str]:
    """What stands at the foot of w and of z where all time steps share a weight: whose it is, and which time step's sum."""
    if chain.time is None:
        return "", ""
    own = {"output": "o", "input": "i", "forget": "f", "candidate": "g"}.get(chain.time.gate, "x" if chain.layer == 1 else "h")
    return own, str(chain.layer)


def foot(number: int) -> str:
    """A number as a subscript."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def repeated_words(chain: ChainRule) -> tuple[tuple[str, ...], str]:
    """How the factors that come once per time step multiply along the path: labels, longest first, and the product."""
    time = chain.time
    assert time is not None
    what = "forget gates" if time.gate else "factors f′·w"
    each = three_digits(10.0 ** (time.log10_factors / time.factors)) if time.factors else "–"
    count = f"{time.factors:,} {what if time.factors != 1 else what.replace('gates', 'gate').replace('factors', 'factor')}"
    average = (f"{count}, on average {each} each →", f"{count}, each {each} →", f"{count} →")
    return average, power_text(time.log10_factors)


def carried_words(chain: ChainRule) -> tuple[tuple[str, ...], str | None]:
    """The same of the gradient along all paths together; no number while back-propagation has not come there."""
    time = chain.time
    assert time is not None
    letter = "c" if time.gate else "h"
    if chain.layer < time.stopped:
        return (f"All paths: cut off at time step {time.stopped}", f"Cut off at time step {time.stopped}"), "0"
    back = time.steps - chain.layer
    if math.isnan(time.log10_carried) and not chain.reached:
        return (f"All paths, ‖∂J/∂{letter}‖", "All paths"), None
    each = three_digits(10.0 ** (time.log10_carried / back)) if back and math.isfinite(time.log10_carried) else "–"
    return (f"All paths, ‖∂J/∂{letter}‖: {each} each →", f"All paths: {each} each →", "All paths →"), power_text(time.log10_carried)


def power_text(log10: float) -> str:
    """10 to this power with two digits, also where no floating-point number holds it."""
    if math.isnan(log10):
        return "NaN"
    if math.isinf(log10):
        return "0" if log10 < 0 else "∞"
    return product_text(10.0**log10 if log10 < 300 else math.inf, log10)


def together(time: ThroughTime) -> str:
    """The time steps that make up the gradient of a shared weight."""
    return f"time steps {time.stopped} to {time.steps}" if time.stopped > 1 else f"all {time.steps} time steps"


def shared(chain: ChainRule) -> float:
    """The gradient that trains the weight: of all time steps together where they share it."""
    return chain.gradient if chain.time is None else chain.time.shared_gradient


def rest_words(chain: ChainRule, architecture: Architecture) -> tuple[str, ...]:
    """Where the part of the gradient comes from that does not go through ŷ of this example."""
    others = len(architecture.output_names) > 1
    mixed = any(layer.batch_norm for layer in architecture.layers[chain.layer - 1 :])
    if others and mixed:
        return ("through the other outputs and examples", "other outputs, examples")
    if mixed:
        return ("through batch norm’s other examples", "batch’s other examples")
    return ("through the other outputs", "other outputs")


def paths_text(log10_paths: float, architecture: Architecture) -> str:
    """How many paths there are, such as "8⁹ ≈ 1.3×10⁸"."""
    if log10_paths < 4.0:
        return f"{round(10.0**log10_paths):,}"
    exponent = math.floor(log10_paths)
    about = short(10.0**log10_paths) if log10_paths < 300 else f"{10.0 ** (log10_paths - exponent):.1f}×10{exponent_text(exponent)}"
    widths = {layer.units for layer in architecture.layers[:-1]}
    if len(widths) == 1 and (width := widths.pop()) > 1 and not architecture.skips:
        power = log10_paths / math.log10(width)
        if abs(power - round(power)) < 1e-6 * max(1.0, power):
            return f"{width}{exponent_text(round(power))} ≈ {about}"
    return f"≈ {about}"


def agreement(one: float, other: float) -> str:
    """How well two numbers that should be the same agree."""
    if not (math.isfinite(one) and math.isfinite(other)):
        return "Neither is a number any more." if not math.isfinite(one) and not math.isfinite(other) else "They do not agree."
    if one == other:
        return "The same number, in every digit."
    digits = max(0, math.floor(-math.log10(abs(one - other) / max(abs(one), abs(other)))))
    return f"The same number to {digits} digits." if digits >= 6 else f"They agree to {digits} digit{'' if digits == 1 else 's'} only."


def share_words(part: float, whole: float) -> str:
    """What the strongest path alone makes of the sum over all paths, both of one example."""
    if not (math.isfinite(part) and math.isfinite(whole)) or whole == 0.0:
        return ""
    share = part / whole
    if share < 0:
        return "The strongest path alone has the opposite sign: the others outweigh it."
    if share > 1.005:
        return f"The strongest path alone would be {short(share)} times as large: the others cancel part of it."
    return f"The strongest path alone is {short(100 * share)} % of the sum."


DIGITS_APART = 1e-15  # of two weights further apart no digit of the smaller one would stand under one of the larger


@dataclass(frozen=True)
class Digits:
    """Old and new weight, digit under digit; the first ``same`` characters have not changed."""

    old: str
    new: str
    same: int


def digits(old: float, new: float | None) -> Digits:
    """Both weights in full, written so that equal digits stand under each other."""
    values = [value for value in (old, new) if value is not None]
    if not all(math.isfinite(value) for value in values):
        texts = [short(value) if not math.isfinite(value) else full(value) for value in values]
        return Digits(texts[0], texts[1] if new is not None else "", max(map(len, texts)))
    largest = max(abs(value) for value in values)
    smallest = min((abs(value) for value in values if value), default=largest)
    if new is not None and smallest < largest * DIGITS_APART:
        return Digits(full(old), full(new), 0)
    size = math.floor(math.log10(largest)) if largest > 0 else 0
    shift = 0 if -5 <= size <= 6 else size
    exact = [Decimal(repr(value)).scaleb(-shift) for value in values]
    places = min(20, max(max(0, -int(number.as_tuple().exponent)) for number in exact))
    negative = any(value < 0 for value in values)
    tail = f"×10{exponent_text(shift)}" if shift else ""
    texts = [f"{abs(number):.{places}f}" for number in exact]
    longest = max(map(len, texts))
    signs = ["−" if value < 0 else ("\u2007" if negative else "") for value in values]
    padded = [sign + text.rjust(longest, "\u2007") for sign, text in zip(signs, texts, strict=True)]
    if new is None:
        return Digits(padded[0] + tail, "", len(padded[0] + tail))
    same = next((at for at, pair in enumerate(zip(*padded, strict=True)) if pair[0] != pair[1]), longest + 1)
    return Digits(padded[0] + tail, padded[1] + tail, same)


def optimizer_title(chain: ChainRule) -> str:
    """The optimiser's name on the screen."""
    return str(dict(field_info("training.optimizer").choices).get(chain.optimizer, chain.optimizer))


def underflowed(chain: ChainRule) -> bool:
    """Whether the gradient is 0 only because its factors multiply to less than a floating-point number can hold."""
    return chain.example_gradient == 0.0 and bool(chain.rungs) and math.isfinite(chain.rungs[-1].log10_product)


def congruent(chain: ChainRule) -> bool:
    """Whether old and new weight agree to four significant digits or more."""
    new, old = chain.weight_new, chain.weight_old
    return new is not None and math.isfinite(new) and abs(new - old) <= CONGRUENT * abs(old)


def update_words(chain: ChainRule) -> str:
    """What the update did to the weight, in one or two sentences."""
    old, new = chain.weight_old, chain.weight_new
    if chain.optimizer == "none":
        return "No update follows this gradient: evolution does not ask for it. Selection and mutation move the weight."
    if new is None:
        return "The old weight stays until the update."
    if not (math.isfinite(new) and math.isfinite(old)):
        return "The weight is no number any more: it has left the range of floating point."
    change = new - old
    if change == 0.0:
        why = "The change is smaller than the last digit of the weight"
        if shared(chain) == 0.0:
            why = "The gradient is too small for a floating-point number" if underflowed(chain) else "The gradient is exactly 0"
        return f"{why}: nothing moves."
    steps = short(max(1.0, NOTICEABLE / abs(change)))
    if congruent(chain):
        return f"Only the underlined digits move: {steps} steps like this for a change of {NOTICEABLE:g}."
    moved = f"The weight moves by {short(change)}"
    if not old:
        return f"{moved}."
    share = abs(change / old)
    return f"{moved}, {short(100 * share)} % of its size." if share < 10 else f"{moved}, {short(share)} times its size."


def spoken(chain: ChainRule, architecture: Architecture) -> str:
    """The formula with its numbers, for a screen reader."""
    parts = [weight_title(chain, architecture) + "."]
    if not chain.reached:
        parts.append("Back-propagation has not reached it yet in this step.")
    else:
        rest = f" plus {short(chain.dz_dw * chain.rest)} on other ways" if chain.rest else ""
        if chain.time is not None:
            parts.append(" ".join((*repeated_words(chain)[0][:1], repeated_words(chain)[1])).replace("→", "make") + ".")
        parts.append(
            f"For example {chain.example + 1} of {chain.batch}: dJ by dw = dJ by d y-hat {three_digits(chain.dj_dy)}"
            f" times d y-hat by dz {three_digits(chain.dy_dz)} times dz by dw {three_digits(chain.dz_dw)}{rest}"
            f" = {three_digits(chain.example_gradient)}. Mean over the mini-batch: {three_digits(chain.gradient)}."
        )
    if chain.weight_new is not None:
        parts.append(f"Old weight {short(chain.weight_old)}, new weight {short(chain.weight_new)}. {update_words(chain)}")
    return " ".join(parts)
