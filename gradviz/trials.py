"""Remedies tried out: a run, and from the same seed the run with each change that its verdicts propose, measured against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from gradviz.changes import describe_change
from gradviz.effect import Effect, effect_of, proposed
from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec


class Trial(msgspec.Struct, frozen=True):
    """One change of a run that was trained without it as well."""

    change: str  # what differs, in words
    words: str  # why it is proposed
    snapshot: Snapshot  # of the run with the change
    effect: Effect


def trained(spec: Spec, steps: int, told: Callable[[int], None] = lambda step: None) -> Snapshot:
    """The last moment of a run of so many steps, fewer if a number stops being finite; ``told`` hears of every step."""
    experiment = Experiment(spec)
    while experiment.step_count < steps and experiment.trainer.failure is None:
        experiment.advance()
        told(experiment.step_count)
    return experiment.measure()


def trials(run: Snapshot, steps: int, told: Callable[[int], None] = lambda step: None) -> Iterator[Trial]:
    """Train each proposed change from the first step on, and measure it against ``run``, one after the other."""
    for spec, (words, _, _) in proposed(run).items():
        snapshot = trained(spec, steps, told)
        yield Trial(describe_change(run.spec, spec), words, snapshot, effect_of(run, snapshot))
