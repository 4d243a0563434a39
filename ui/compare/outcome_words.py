"""Whether the change helped, in words: what `gradviz.effect` measured of two runs, and which remedy is next."""

from __future__ import annotations

import math
from typing import NamedTuple

from gradviz.effect import TRIAL_STEPS, YOUNG, Effect, effect_of, proposed
from gradviz.snapshot import Snapshot

from ..numbers import full, short
from ..stages import training_step
from ..verdict_signs import WORDS
from .effects import factor_in_words
from .words import SIDES

TITLES = {
    "cured": ("Cured", "check"),
    "helped": ("Helped", "plus"),
    "no_difference": ("No difference", "minus"),
    "harmed": ("Worse", "cross"),
    "too_early": ("Too early to tell", "wave"),
}
"""Kind of effect -> how it is said, and its icon."""


class Outcome(NamedTuple):
    """What is said of two runs: in a word, with its icon; the numbers, one part each; where they come from."""

    title: str
    icon: str
    parts: tuple[str, ...]
    help: str

    @property
    def sentence(self) -> str:
        return f"{self.title}: {'; '.join(self.parts)}." if self.parts else f"{self.title}."


class Remedy(NamedTuple):
    """A change that A's verdict proposes: in a few words, in all of them, and what it sets."""

    name: str
    words: str
    path: str
    value: object


def trial_steps(step: int) -> int:
    """To which step a remedy is tried on a run that stands at ``step``."""
    return max(TRIAL_STEPS, step)


def outcome(a: Snapshot, b: Snapshot) -> Outcome | None:
    """What the difference between these two does; None while there is none, and where there is no loss to compare."""
    if a.spec == b.spec or a.guessing_loss is None or b.guessing_loss is None or a.level or b.level:
        return None
    step = training_step(b.spec)
    ended = a.diverged or b.diverged
    if a.step != b.step and not ended:
        behind, ahead = (a, b) if a.step < b.step else (b, a)
        where = f"{step} {behind.step:,} of {ahead.step:,}"
        return Outcome(f"{SIDES[behind is b]} catches up", "wave", (where,), "What the change does is told where both stand at one step.")
    effect = effect_of(a, b)
    title, icon = TITLES[effect.kind]
    if effect.kind == "too_early":
        where = f"{step} {(b if a.diverged else a).step:,}"
        return Outcome(title, icon, (where,), f"The losses of {YOUNG} {step}s are wanted at least.")
    parts = (_loss(effect, a, b), _gradient(effect, a, b), _verdicts(effect), _at(a, b))
    return Outcome(title, icon, tuple(filter(None, parts)), _help(effect))


def _loss(effect: Effect, a: Snapshot, b: Snapshot) -> str:
    before, after = effect.losses
    if a.diverged or b.diverged:
        runs = tuple(zip(SIDES, (a, b), effect.losses, strict=True))
        stopped = [f"{side} stopped at {training_step(run.spec)} {run.step:,}" for side, run, _ in runs if run.diverged]
        return ", ".join(stopped + [f"loss of {side} {short(loss)} × guessing" for side, _, loss in runs if math.isfinite(loss)])
    factor = f" ({factor_in_words(before, after)})" if effect.kind != "no_difference" and after else ""  # of 0 there is no factor
    return f"Loss {short(before)} → {short(after)} × guessing{factor}"


def _gradient(effect: Effect, a: Snapshot, b: Snapshot) -> str:
    """Of the first layer or time step, where both sides have one."""
    before, after = effect.first_gradients
    if a.architecture.recurrent != b.architecture.recurrent or not (math.isfinite(before) and math.isfinite(after)):
        return ""
    name = a.architecture.layers[0].name
    whose = f"Gradient {'at' if a.architecture.recurrent else 'of'} {name}"
    return f"{whose} {factor_in_words(before, after)}" if before > 0 < after else f"{whose} {short(before)} → {short(after)}"


def _verdicts(effect: Effect) -> str:
    before, after = (WORDS[kind][0] if kind else "Not judged yet" for kind in effect.verdicts)
    return f"{before} → {after}" if before != after else f"{before} on both sides"


def _at(a: Snapshot, b: Snapshot) -> str:
    return f"{training_step(a.spec)} {a.step:,}" if a.step == b.step else ""


def _help(effect: Effect) -> str:
    lines = [
        f"{title}: A {full(before)}, B {full(after)}"
        for title, (before, after) in (
            ("Loss, as a multiple of guessing", effect.losses),
            ("RMS of the first layer's or time step's gradient", effect.first_gradients),
        )
    ]
    return "\n".join(("Medians over the newest steps, 50 at most, of each run's record:", *lines))


def next_remedy(a: Snapshot, b: Snapshot) -> Remedy | None:
    """Of what A's verdicts propose the one that follows B, after the last one the first; None where there is no other."""
    found = proposed(a)
    specs = list(found)
    at = specs.index(b.spec) + 1 if b.spec in found else 0
    remedies = (found[spec] for spec in specs[at:] + specs[:at] if spec != b.spec)
    return next((Remedy(_name(words), words, path, value) for words, path, value in remedies), None)


def _name(words: str) -> str:
    """What stands before the reason."""
    return words.partition(":")[0].partition(",")[0]
