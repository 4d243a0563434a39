"""A run that is trained again, in slices, until it stands where it stood: what opening a session takes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gradviz.experiment import Experiment
from gradviz.messages import Left, Settings

TOLD_EVERY = 0.25  # seconds, how far it is


class Reopening:
    """A run that is trained again, step by step, to stand where it stood: see `Experiment.follow`.

    With ``kept``, which `gradviz.keeping.keep_run` made of the same run, only what came after that is trained again.
    """

    def __init__(self, settings: Settings, last_step: int, ticket: int, left: Left | None, kept: bytes | None) -> None:
        from gradviz.keeping import KeepingError, take_up  # only now: the first frame does not need it

        self.last_step, self.ticket = last_step, ticket
        try:
            if kept is None:
                raise KeepingError("nothing was kept")
            self.experiment = take_up(kept, settings, last_step, left)
            self._steps: Iterator[None] = self.experiment.follow(settings[len(self.experiment.settings) :], last_step)
        except KeepingError:  # then from the first step on, which takes longer and comes to the same
            self.experiment = Experiment(settings[0][1])
            self._steps = self.experiment.follow(settings[1:], last_step, left)
        self._told = time.perf_counter()

    def run(self, seconds: float) -> bool:
        """Train for about so long; returns whether all is done."""
        end = time.perf_counter() + seconds
        return all(time.perf_counter() < end for _ in self._steps)

    def wants_to_tell(self) -> bool:
        """Whether it is time to say how far it is."""
        now = time.perf_counter()
        due = now - self._told >= TOLD_EVERY
        self._told = now if due else self._told
        return due
