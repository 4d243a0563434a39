"""``remedies``: a run and each change that its verdicts propose, trained from the same seed without a window and without Qt."""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

from gradviz.effect import TRIAL_STEPS, YOUNG
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec, SpecError
from gradviz.trials import Trial, trained, trials

from .printed import printed

PROGRESS_SECONDS = 1.0
HEAD = ("change", "effect", "loss", "B/A", "gradient B/A", "verdict")


def try_remedies(spec: Spec, steps: int, as_json: bool) -> int:
    """Print what each remedy did after so many steps, as a table or as one JSON object; returns the exit status.

    Raises:
        SpecError: for fewer steps than a verdict needs.
    """
    if steps < YOUNG:
        raise SpecError("--steps", steps, f"{YOUNG} or more: a younger run cannot be judged ({TRIAL_STEPS} tell most)")
    told = _Progress()
    run = trained(spec, steps, told)
    found = list(trials(run, steps, told))
    if as_json:
        return printed(lambda: print(json.dumps(_result(run, found), allow_nan=False)))
    return printed(lambda: _print_table(run, found))


class _Progress:
    """Says now and then on the error output how far it is."""

    def __init__(self) -> None:
        self._said = time.perf_counter()

    def __call__(self, step: int) -> None:
        now = time.perf_counter()
        if now - self._said >= PROGRESS_SECONDS:
            self._said = now
            print(f"step {step}", file=sys.stderr)


def _result(run: Snapshot, found: list[Trial]) -> dict[str, Any]:
    """A number that is not finite becomes null, which is all that JSON has for it."""
    return {
        "step": run.step,
        "loss": _number(run.loss),
        "diverged": run.diverged,
        "verdicts": [verdict.kind for verdict in run.verdicts],
        "remedies": [
            {
                "change": trial.change,
                "words": trial.words,
                "kind": trial.effect.kind,
                "steps": trial.effect.steps,
                "losses_over_guessing": [_number(loss) for loss in trial.effect.losses],
                "loss_ratio": _number(trial.effect.loss_ratio),
                "first_gradients": [_number(size) for size in trial.effect.first_gradients],
                "gradient_ratio": _number(trial.effect.gradient_ratio),
                "verdicts": [verdict.kind for verdict in trial.snapshot.verdicts],
                "diverged": trial.snapshot.diverged,
            }
            for trial in found
        ],
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _print_table(run: Snapshot, found: list[Trial]) -> None:
    kinds = ", ".join(verdict.kind for verdict in run.verdicts) or "none yet"
    print(f"step {run.step}, {run.loss_name} loss {run.loss:.6g}, verdict: {kinds}")
    for verdict in run.verdicts:
        print(f"  {verdict.rule}")
    if not found:
        print("nothing is proposed against it" if kinds != "healthy" else "there is nothing to cure")
        return
    rows = [
        (
            trial.change,
            trial.effect.kind.replace("_", " "),
            f"{trial.effect.losses[1]:.3g}",
            f"{trial.effect.loss_ratio:.3g}",
            f"{trial.effect.gradient_ratio:.3g}",
            trial.effect.verdicts[1] or "-",
        )
        for trial in found
    ]
    print(f"each with one change from the same seed; loss as a multiple of guessing, without a change {found[0].effect.losses[0]:.3g}")
    widths = [max(len(row[column]) for row in (HEAD, *rows)) for column in range(len(HEAD))]
    for row in (HEAD, *rows):
        print("  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, "<<>>><", widths, strict=True)).rstrip())
