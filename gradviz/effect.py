"""What one change did: two runs at the same step, measured against each other by the newest part of their records.

A change is credited with no more than its numbers say: the loss decides whether it helped; the gradient of the first layer is
told beside it.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from gradviz.snapshot import Snapshot
from gradviz.spec import Spec, SpecError

TRIAL_STEPS = 500  # of a remedy on trial, at least: by then most rules of the diagnosis are sure

YOUNG = 30  # steps; before, the loss of one mini-batch says more about the mini-batch
LEFT_GUESSING = 0.9  # as for the diagnosis: below this multiple of guessing a net has learnt something
BETTER = 0.8  # × the other's loss; closer than that (or its inverse) is no difference
FEWEST_ROWS, MOST_ROWS = 10, 50  # of the record that a median is taken over


class Effect(msgspec.Struct, frozen=True):
    """How the run with the change (b) does against the one without it (a).

    ``kind`` is "too_early"; "cured": what is ill without the change learns with it; "helped" or "harmed": its loss is clearly lower or
    higher; "no_difference". Pairs are (a, b).
    """

    kind: str
    steps: tuple[int, int]
    losses: tuple[float, float]  # medians of the newest part of the record, in multiples of guessing; infinite after a failure
    first_gradients: tuple[float, float]  # medians of the RMS of ∂J/∂W in the first layer over the same steps
    verdicts: tuple[str, str]  # kinds of the most serious ones; "" while there is none

    @property
    def loss_ratio(self) -> float:
        """b's loss over a's; NaN where there is none."""
        return _ratio(*self.losses)

    @property
    def gradient_ratio(self) -> float:
        """b's gradient of the first layer over a's."""
        return _ratio(*self.first_gradients)


def proposed(snapshot: Snapshot) -> dict[Spec, tuple[str, str, Any]]:
    """What the verdicts on this moment propose, as in `Verdict.remedies`, by the settings it makes; the most promising first."""
    found: dict[Spec, tuple[str, str, Any]] = {}
    for verdict in snapshot.verdicts:
        for words, path, value in verdict.remedies:
            try:
                found.setdefault(snapshot.spec.replace(path, value), (words, path, value))
            except SpecError:
                continue  # a verdict may be older than the settings of this moment, which the change does not fit
    return found


def effect_of(a: Snapshot, b: Snapshot) -> Effect:
    """What the change from ``a`` to ``b`` did up to these two moments."""
    losses = _level(a), _level(b)
    verdicts = _verdict(a), _verdict(b)
    return Effect(_kind(a, b, losses, verdicts), (a.step, b.step), losses, (_first_gradient(a), _first_gradient(b)), verdicts)


def _kind(a: Snapshot, b: Snapshot, losses: tuple[float, float], verdicts: tuple[str, str]) -> str:
    before, after = losses
    tested = max([YOUNG, *(side.step for side in (a, b) if side.diverged)])  # to go on longer than the one that failed
    if any(side.step < tested for side in (a, b) if not side.diverged):
        return "too_early"
    if math.isnan(before) or math.isnan(after):
        return "too_early"
    if before == after:  # also when both have failed
        return "no_difference"
    if verdicts[0] not in ("", "healthy") and verdicts[1] == "healthy" and after < min(LEFT_GUESSING, before):
        return "cured"
    if after <= BETTER * before:
        return "helped"
    return "harmed" if before <= BETTER * after else "no_difference"


def _level(snapshot: Snapshot) -> float:
    """The median of the newest losses as a multiple of guessing; infinite when a number has stopped being finite."""
    if snapshot.diverged:
        return math.inf
    rows, guessing = _newest(snapshot), snapshot.guessing_loss
    if snapshot.history is None or rows is None or not guessing:
        return math.nan
    return float(np.median(snapshot.history.loss[rows])) / guessing


def _first_gradient(snapshot: Snapshot) -> float:
    rows = _newest(snapshot)
    if snapshot.history is None or rows is None or not snapshot.history.gradient_rms.shape[1]:
        return math.nan
    return float(np.median(snapshot.history.gradient_rms[rows, 0]))


def _newest(snapshot: Snapshot) -> slice | None:
    """The rows of the record that speak for the moment: the newest quarter, within bounds."""
    if snapshot.history is None:
        return None
    end = int(np.searchsorted(snapshot.history.steps, snapshot.step, side="right"))
    return slice(max(0, end - int(np.clip(end // 4, FEWEST_ROWS, MOST_ROWS))), end) if end else None


def _verdict(snapshot: Snapshot) -> str:
    return snapshot.verdicts[0].kind if snapshot.verdicts else ""


def _ratio(before: float, after: float) -> float:
    if before == 0.0:
        return math.nan if after == 0.0 else math.inf
    return after / before if math.isfinite(before) else (0.0 if math.isfinite(after) else math.nan)
