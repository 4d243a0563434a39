"""A run that is being opened while another one is shown: trained again, or read from a recording, a slice of the work at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from gradviz.experiment import Experiment
from gradviz.messages import Left, Settings
from gradviz.recording_format import RecordingError
from gradviz.recording_lock import is_written
from gradviz.session_recording import SessionRecording

TOLD_EVERY = 0.25  # seconds, how far it is


class Opening:
    """The work, and how far it is; `finish` gives the run when `run` has said that all is done."""

    def __init__(self, ticket: int, work: Iterator[None]) -> None:
        self.ticket = ticket
        self._work = work
        self._told = time.perf_counter()

    def run(self, seconds: float) -> bool:
        """Work for about so long; returns whether all is done."""
        end = time.perf_counter() + seconds
        return all(time.perf_counter() < end for _ in self._work)

    def wants_to_tell(self) -> bool:
        """Whether it is time to say how far it is."""
        now = time.perf_counter()
        due = now - self._told >= TOLD_EVERY
        self._told = now if due else self._told
        return due

    @property
    def steps(self) -> tuple[int, int]:
        """How many of the steps are there, and how many there will be."""
        raise NotImplementedError(f"{type(self).__name__} does not say how far it is")

    def finish(self) -> Experiment:
        """The run, where it stood."""
        raise NotImplementedError(f"{type(self).__name__} has no run to give")


class Retraining(Opening):
    """A run that is trained again, step by step, to stand where it stood: see `Experiment.follow`.

    With ``kept``, which `gradviz.keeping.keep_run` made of the same run, only what came after that is trained again.
    """

    def __init__(
        self, settings: Settings, last_step: int, place: tuple[int, int], ticket: int, left: Left | None, kept: bytes | None
    ) -> None:
        """``place`` is where in it to go when it is done: step and phases."""
        from gradviz.keeping import KeepingError, take_up  # only now: the first frame does not need it

        self._last_step, self._place = last_step, place
        try:
            if kept is None:
                raise KeepingError("nothing was kept")
            self._experiment = take_up(kept, settings, last_step, left)
            work = self._experiment.follow(settings[len(self._experiment.settings) :], last_step)
        except KeepingError:  # then from the first step on, which takes longer and comes to the same
            self._experiment = Experiment(settings[0][1])
            work = self._experiment.follow(settings[1:], last_step, left)
        super().__init__(ticket, work)

    @property
    def steps(self) -> tuple[int, int]:
        return self._experiment.step_count, self._last_step

    def finish(self) -> Experiment:
        step, phases = self._place
        self._experiment.go_to(step, min(phases, len(self._experiment.trainer.order)))
        return self._experiment


class Reading(Opening):
    """A recording that is read row by row."""

    def __init__(self, path: Path, ticket: int, recording: SessionRecording) -> None:
        """``recording`` is told of what has been read. Raises `RecordingError`."""
        from gradviz.playback import Playback  # only now: hardly any session opens one

        self._path, self._recording = path, recording
        try:
            self._written = is_written(path)
            self._playback = Playback(path)
        except OSError as error:
            raise self._unreadable(error) from error
        super().__init__(ticket, self._playback.reading())

    def run(self, seconds: float) -> bool:
        try:
            return super().run(seconds)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> RecordingError:
        return RecordingError(f"{self._path} cannot be opened ({error.strerror or error}).")

    @property
    def steps(self) -> tuple[int, int]:
        read = self._playback.rows_read
        return read, max(read, self._playback.reader.count_expected)

    def finish(self) -> Experiment:
        return self._recording.opened(self._playback, self._written)
