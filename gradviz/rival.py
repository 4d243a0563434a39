"""The same net without its skips (or with skips, where it has none), trained beside a run step by step, for the residual view."""

from __future__ import annotations

import msgspec

from gradviz.experiment import Experiment
from gradviz.lab_reports import ResidualReport
from gradviz.residual_report import rival_spec


class Rival:
    """Trained with what the run was trained with when it was at the same step.

    Raises:
        SpecError, DataError, MemoryError: as `Experiment` does, also later: the file it would be trained on may have gone.
    """

    def __init__(self, run: Experiment) -> None:
        self._begin(run)

    def _begin(self, run: Experiment) -> None:
        self._experiment = Experiment(rival_spec(run.settings[0][1]))
        self._line = run.line

    def follow(self, run: Experiment) -> bool:
        """Take over the run's settings, from the start where it must. Returns whether there are steps to catch up with."""
        if self._line != run.line or self._experiment.step_count > run.step_count:
            self._begin(run)
        own = self._experiment
        spec = rival_spec(next(theirs for step, theirs in reversed(run.settings) if step <= own.step_count))
        if spec != own.spec:
            own.apply(spec)  # at the same step as the run itself
        return own.step_count < run.step_count and own.trainer.failure is None

    def advance(self) -> None:
        """Do one training step."""
        self._experiment.advance()

    def told_in(self, report: ResidualReport) -> ResidualReport:
        """The report with the rival's losses in it."""
        whole = self._experiment.history.table()
        losses = msgspec.structs.replace(whole, gradient_rms=whole.gradient_rms[:, :0])  # of a deep net megabytes, at every frame
        return msgspec.structs.replace(report, rival=losses)
