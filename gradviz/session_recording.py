"""What a session has to do with recordings: the one that it writes while it trains, and the one that it has opened and may be watching."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gradviz.experiment import Experiment
from gradviz.messages import Tape
from gradviz.recording_format import RecordingError
from gradviz.recording_lock import is_written

if TYPE_CHECKING:
    from gradviz.playback import Playback
    from gradviz.recording import Recorder
    from gradviz.recording_writer import Channel

LOOK_SECONDS = 0.25  # between two looks at a recording that is growing
SIZE_SECONDS = 0.5  # between two looks at the size of the one that is written


class SessionRecording:
    """Keeps the run of a session on disk, and follows a recording that was opened; every trouble is told, and the run goes on.

    ``tell`` takes a kind and a text: "notice", or "trouble" for what has nothing to do with a command.
    """

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._recorder: Recorder | None = None
        self._recorded: Experiment | None = None  # what it records
        self._ended: Tape | None = None  # what was recorded until another run began
        self._rested = True  # whether all that was recorded has been written
        self._size, self._size_due = 0, 0.0
        self._playback: Playback | None = None  # what is watched
        self._look_due = 0.0

    # ---- out

    def begin(self, path: Path, experiment: Experiment, channel: Channel | None = None) -> None:
        """Record from now on, and what is known of the run so far; a recording that is being written is ended."""
        from gradviz.recording import Recorder  # loaded only now: hardly any session writes one
        self.end()
        self._ended = None
        self.leave(experiment)
        experiment.finish_step()
        try:
            self._recorder = Recorder(path, experiment, channel)
        except (OSError, RecordingError) as error:
            self._tell("trouble", f"Nothing is recorded: {error}")
            return
        self._recorded, self._rested, self._size_due = experiment, True, 0.0

    def keep(self, experiment: Experiment) -> None:
        """Record the step that has just been done, unless it is on record."""
        if self._recorder is None:
            return
        if experiment is not self._recorded:
            self.end("as another run has begun")
            return
        try:
            self._recorder.append(experiment)
            self._rested = False
        except (OSError, RecordingError) as error:
            self._give_up(error)

    def rest(self) -> None:
        """Training pauses: write what has been recorded."""
        if self._recorder is None or self._rested:
            return
        self._rested = True
        try:
            self._recorder.flush()
        except OSError as error:
            self._give_up(error)

    def end(self, why: str = "") -> None:
        """End the recording that is being written, if there is one; ``why`` it was not the user who did."""
        recorder = self._recorder
        if recorder is None:
            return
        step = self._last_step()
        try:
            recorder.close()
        except OSError as error:
            self._give_up(error)
            return
        self._recorder = self._recorded = None
        if why:
            self._ended = Tape(str(recorder.path), step, _size(recorder.path), ended=True)
            said = f"The recording {recorder.path.name} has ended at step {step:,}, {why}."
            self._tell("notice", f"{said} That one is recorded in a file beside it, from its first step on.")
        else:
            self._tell("notice", f"Recorded {step:,} steps in {recorder.path.name}, in {recorder.path.parent}.")

    def _give_up(self, error: Exception) -> None:
        assert self._recorder is not None, "only called while there is one"
        self._recorder.abandon()
        self._recorder = self._recorded = None
        self._tell("trouble", f"The recording has ended, the run goes on. {error}")

    # ---- in

    def opened(self, playback: Playback, written: bool) -> Experiment:
        """The run of a recording that has been read; ``written`` is whether somebody was at work at it."""
        self._playback = playback if playback.growing and written and not playback.damage else None
        self._look_due = time.perf_counter() + LOOK_SECONDS
        if playback.damage:
            self._tell("trouble", playback.damage)
        elif playback.growing and not written:
            steps = f"All that had been written is here: {playback.experiment.last_step:,} steps."
            self._tell("trouble", f"{_torn(playback.reader.path.name)} {steps}")
        return playback.experiment

    def _watched(self, experiment: Experiment) -> Playback | None:
        return self._playback if self._playback is not None and self._playback.experiment is experiment else None

    def wait_seconds(self, experiment: Experiment) -> float | None:
        """How long until the recording that is watched has to be looked at; None where none is."""
        return None if self._watched(experiment) is None else max(0.0, self._look_due - time.perf_counter())

    def look(self, experiment: Experiment) -> Experiment | None:
        """Take in what has been recorded meanwhile; returns the run when there is anything new about it."""
        playback = self._watched(experiment)
        if playback is None or time.perf_counter() < self._look_due or experiment.moment is not None:
            return None
        name = playback.reader.path.name
        before = time.perf_counter()
        try:
            written = is_written(playback.reader.path)
            more = playback.refresh()
        except (OSError, RecordingError) as error:
            self._playback = None
            self._tell("trouble", f"{name} is not followed any more. {error}")
            return playback.experiment
        now = time.perf_counter()
        self._look_due = now + max(LOOK_SECONDS, now - before)  # at most half the time
        if not playback.growing:
            self._playback = None
            self._tell("notice", f"The recording {name} has been ended at step {playback.experiment.last_step:,}.")
            return playback.experiment
        if not written:
            self._playback = None
            self._tell("trouble", f"{_torn(name)} It stands at step {playback.experiment.last_step:,}.")
            return playback.experiment
        return playback.experiment if more else None

    def leave(self, experiment: Experiment) -> None:
        """The run goes its own way from here; a recording that is watched is followed no more."""
        playback = self._watched(experiment)
        if playback is not None:
            self._playback = None
            self._tell("notice", f"From here on this is a run of your own; {playback.reader.path.name} is not followed any more.")

    # ---- what it is about

    def tape(self, experiment: Experiment) -> Tape | None:
        """What is recorded or watched, or was recorded until another run began."""
        if self._recorder is not None:
            now = time.perf_counter()
            if now >= self._size_due:
                self._size, self._size_due = _size(self._recorder.path), now + SIZE_SECONDS
            return Tape(str(self._recorder.path), self._last_step(), self._size)
        playback = self._watched(experiment)
        return self._ended if playback is None else Tape(str(playback.reader.path), experiment.last_step, 0, watched=True)

    def _last_step(self) -> int:
        return self._recorded.last_step if self._recorded is not None else 0


def _torn(name: str) -> str:
    return f"{name} was not ended in order, as when its program is killed."


def _log(path: Path) -> Path:
    """The log that SQLite keeps beside a file that is being written."""
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    """Bytes of the file and of the log beside it, as far as they are there."""
    size = 0
    for name in (path, _log(path)):
        try:
            size += os.stat(name).st_size
        except OSError:
            continue
    return size
