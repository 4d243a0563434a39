"""A recording opened as a run: scrubbed, measured, exported and branched from like one that is trained here.

Its rows become the run's history and its checkpoints those of the run; what lies between two of them is trained again, which is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gradviz.changes import describe_change
from gradviz.checkpoints import Checkpoints, State
from gradviz.data import DataError
from gradviz.experiment import Experiment
from gradviz.history import POPULATION, History
from gradviz.line import Settings
from gradviz.recording import fingerprint
from gradviz.recording_format import RecordingError
from gradviz.recording_reader import RecordedLine, RecordedStep, RecordingReader
from gradviz.spec import SpecError

Arrays = NDArray[Any]


class Playback:
    """A recording that is open; `open_recording` makes one.

    Attributes:
        reader: the file.
        rows_read: how many rows have been read so far, of `RecordingReader.count_expected`.
        experiment: the run, at its last step; another object after `refresh` when the recorded run has branched.
        damage: what is missing of the file and why, in words; "" when nothing is.

    Raises:
        OSError: when the file cannot be read.
        RecordingError: when it is no recording, nothing of it can be opened, or its data set is not there.
    """

    def __init__(self, path: str | Path, inputs: Arrays | None = None, targets: Arrays | None = None) -> None:
        """``inputs`` and ``targets`` for a run that was trained on arrays of one's own; see `Experiment`."""
        self.reader = RecordingReader(path)
        self._arrays = inputs, targets
        self.rows_read, self.damage = 0, ""

    def reading(self) -> Iterator[None]:
        """Read the file, row by row, as a long one takes its time; there is an `experiment` when all is read. Raises as the class."""
        yield from self._open()
        self.damage = self.reader.check()

    @property
    def growing(self) -> bool:
        """Whether there may be more to come: the recording has not been ended."""
        return not self.reader.closed

    def refresh(self) -> bool:
        """Take in what has been recorded meanwhile; a run that is at its end goes on to the new end. Returns whether there was any.

        Once the run has left the recording, by a branch of its own, nothing more is taken in.
        """
        experiment, line = self.experiment, self.experiment.recorded_line
        if line is not self._line:
            return False
        self.reader.refresh()
        if self._recorded != (now := self.reader.lines[self.reader.line]) and now.number != self._recorded.number:
            for _ in self._open():
                pass
            return True
        here, end = experiment.step_count, experiment.last_step
        before = line.last_step
        for _ in self._take_in(now, self.reader.steps(after=before)):
            pass
        if line.last_step == before:
            return False
        experiment.go_to(experiment.last_step if here == end else here)
        return True

    def _open(self) -> Iterator[None]:
        reader = self.reader
        recorded = reader.lines[reader.line]
        try:
            experiment = Experiment(recorded.settings[0].spec, *self._arrays)
        except (DataError, SpecError) as error:
            raise RecordingError(f"{reader.path.name} cannot be opened without what it was trained on: {error}") from None
        if len(reader.layers) != experiment.network.depth:
            raise RecordingError(f"{reader.path.name} has {len(reader.layers)} layers where its settings say {experiment.network.depth}.")
        self.experiment = experiment
        self._line = line = experiment.recorded_line
        line.settings.clear()
        line.history = History(experiment.network.measured_counts, population=experiment.trainer.population is not None)
        line.checkpoints = Checkpoints(experiment.trainer.work)
        first = experiment.state()
        self._recorded = recorded
        self._take_settings(recorded)
        self._newest_state = -1
        if next(reader.states(), None) is None or next(reader.states()).steps:
            self._adopt(first)  # a run begins as its seed says
        for _ in self._take_in(recorded, reader.scan()):
            self.rows_read += 1
            yield
        experiment.go_to(line.last_step)

    def _take_settings(self, recorded: RecordedLine) -> None:
        experiment, line = self.experiment, self._line
        for place, entry in enumerate(recorded.settings[len(line.settings) :], len(line.settings)):
            try:
                if experiment.restarts(entry.spec):
                    raise RecordingError(f"{self.reader.path.name} changes to settings that need a new run.")
                data = experiment.data_for(entry.spec)
            except (DataError, SpecError) as error:
                raise RecordingError(f"{self.reader.path.name} cannot be opened without what it was trained on: {error}") from None
            if fingerprint(data) != entry.data:
                source = Path(entry.spec.data.path).name if entry.spec.data.name == "csv" else data.title
                raise RecordingError(
                    f"{self.reader.path.name} was trained on other data than “{source}” holds now. "
                    "Open it with the file (or the arrays) as it was then."
                )
            line.settings.append(Settings(entry.step, entry.spec, data))
            if place:
                line.history.note_change(entry.step, describe_change(line.settings[place - 1].spec, entry.spec))

    def _take_in(self, recorded: RecordedLine, steps: Iterable[RecordedStep | None]) -> Iterator[None]:
        """Add these steps (None for what is none of this line) and all else that is on record beyond what is known; stops after each."""
        reader, line, history = self.reader, self._line, self._line.history
        if len(recorded.settings) > len(line.settings):
            self._take_settings(recorded)
        self._recorded = recorded
        lost = None  # the first checkpoint whose settings are not known: from there on nothing can be done again
        for state in reader.states(after=self._newest_state):
            if state.settings >= len(line.settings) or line.settings[state.settings].step > state.steps:
                lost = state.steps
                break
            self._adopt(state)
        last = line.last_step
        for step in steps:
            if step is not None and (lost is None or step.step < lost):
                history.append(step.step, step.loss, step.layers[0], step.norm, step.clipped_norm, _population(step))
                last = step.step
            yield
        for tested, loss in reader.tests(after=history.tests[-1][0] if history.tests else -1):
            history.append_test(tested, loss)
        line.last_step = last

    def _adopt(self, state: State) -> None:
        try:
            self.experiment.adopt(state)
        except (ValueError, TypeError, KeyError, IndexError, AssertionError, OverflowError) as error:
            raise RecordingError(f"A checkpoint of {self.reader.path.name} does not fit its network: {error}") from None
        self._newest_state = state.steps


def _population(step: RecordedStep) -> Arrays | None:
    return step.population if step.population is not None and len(step.population) == POPULATION else None


def open_recording(path: str | Path, inputs: Arrays | None = None, targets: Arrays | None = None) -> Playback:
    """Open a recording as a run and read all of it; see `Playback`."""
    playback = Playback(path, inputs, targets)
    for _ in playback.reading():
        pass
    return playback
