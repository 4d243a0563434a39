"""One number of the inspect panel with all that is said about it, and what stands above a list of such numbers.

A reading knows how it is written, copied and heard; how it looks is in `reading_row`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradviz.snapshot import Snapshot

from .. import colors
from ..numbers import full, plain, short

NOT_REACHED, NO_STEP, NOT_TRAINED = "not reached yet", "no step yet", "not trained now"
ZERO, NAN, INFINITE = "exactly 0", "not a number", "infinite"


@dataclass(frozen=True)
class Reading:
    """One number, or a mean with its spread."""

    key: str  # in tables
    name: str
    symbol: str  # in the font of formulas
    hint: str  # what it means, in plain words
    value: float
    captions: tuple[str, ...] = ()  # the first that fits is shown
    spread: float | None = None
    unknown: str = ""  # words that stand instead of a number that is not known
    gradient: bool = False  # has a colour
    words: str = ""  # instead of the number, such as "31 of 32"
    parameter: str = ""  # what can be set, such as "layer05.bias[2]"
    zero: str = ZERO  # what an exact 0 means here
    failed: str = ""  # what stands instead of the caption where the number is not finite

    @property
    def text(self) -> str:
        """How it is written on the screen."""
        if self.unknown or self.words:
            return self.unknown or self.words
        return short(self.value) if self.spread is None else f"{short(self.value)} ± {short(self.spread)}"

    @property
    def exact(self) -> str:
        """Every digit, in screen typography."""
        if self.unknown:
            return self.unknown
        return full(self.value) if self.spread is None else f"mean {full(self.value)}, spread {full(self.spread)}"

    @property
    def copied(self) -> str:
        """Every digit as a program reads it; mean and spread are apart by a tab; empty where nothing is known."""
        if self.unknown:
            return ""
        return plain(self.value) if self.spread is None else f"{plain(self.value)}\t{plain(self.spread)}"

    @property
    def finite(self) -> bool:
        return math.isfinite(self.value)

    @property
    def level(self) -> int:
        """The level of its colour."""
        return colors.UNKNOWN if self.unknown else colors.level(self.value)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The captions, longest first; 0, NaN and ∞ have words of their own."""
        if self.unknown or self.finite:
            if self.value == 0 and not self.unknown and not self.words and not self.spread:
                return (self.zero, ZERO) if self.zero else self.captions
            return self.captions
        return (self.failed or (NAN if math.isnan(self.value) else INFINITE),)


@dataclass(frozen=True)
class Content:
    """What the panel shows of one weight or unit, apart from its plot."""

    title: str
    captions: tuple[str, ...]  # the first that fits stands under the title
    readings: tuple[Reading, ...]
    hero: bool = False  # whether the first reading is shown large
    formula: str = ""


def unknown(snapshot: Snapshot, value: float, reached: bool) -> str:
    """Why a number is not known, or nothing: NaN is an answer only once something has run.

    ``reached`` says whether the step in work has come so far.
    """
    if not reached and snapshot.level and math.isnan(value):
        return NOT_TRAINED if snapshot.moment is None else NOT_REACHED
    if snapshot.moment is not None and not reached:
        return NOT_REACHED
    return NO_STEP if snapshot.step == 0 and snapshot.failure is None and math.isnan(value) else ""


def shared_known(snapshot: Snapshot, gradient: float) -> bool:
    """Whether the gradient of a weight that all time steps share is known: the way back through time, truncated or not, has ended."""
    return snapshot.moment is None or snapshot.moment.reached(1) or not math.isnan(gradient)


def when(snapshot: Snapshot) -> str:
    """Which step the numbers belong to."""
    if snapshot.moment is not None and not snapshot.moment.whole:
        return f"inside step {snapshot.moment.step:,}"
    return f"step {snapshot.step:,}" if snapshot.step else "before the first step"


def unit_name(snapshot: Snapshot, layer: int, unit: int) -> str:
    """Such as "unit 5", counted from 1; an input by its own name."""
    names = snapshot.architecture.input_names
    return names[unit] if layer == 0 and unit < len(names) else f"unit {unit + 1}"
