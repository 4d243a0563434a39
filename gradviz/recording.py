"""Keeps a run on disk while it trains: every step a row, now and then a checkpoint, all its lines, and nothing ever overwritten.

The file is what `recording_format` says. Steps are gathered and worked out many at a time, and written in one transaction about every
half second; what has been written stays, whatever happens to the program.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gradviz.arrays import Floats
from gradviz.checkpoints import State
from gradviz.data import Data
from gradviz.experiment import Experiment
from gradviz.line import Line, Settings
from gradviz.recording_format import (
    COLUMNS,
    FACT_MADE,
    FACT_PROGRESS,
    FACTS,
    HEAD,
    LINES,
    MOST_LINES,
    SETTINGS,
    STATES,
    TESTS,
    VERSION,
    RecordingError,
    RecordingWriteError,
    row_id,
    to_json,
)
from gradviz.recording_writer import Channel, Direct
from gradviz.step_statistics import StepStatistics
from gradviz.training import AnyPass

WRITE_SECONDS = 0.5  # between two transactions
PAST_ROWS = 256  # of a run that had begun before, handed over at a time
STATE_SHARE = 0.003  # of the training time, about, for checkpoints
STATE_SECONDS, STATE_BYTES = 80e-6, 3e8  # what one takes, the writing included: so long, and a second for so many bytes
STEP_SECONDS, STEP_WORK = 1e-4, 2e10  # what a step takes: so long, and a second for so many multiply-adds

_pack_head = struct.Struct(f"<q{HEAD - 1}d").pack_into  # of a row: id, loss, norm of the whole gradient, and after clipping


class Recorder:
    """Records one run and its branches: `append` after every step, `flush` when it pauses, `close` at the end.

    A run that has begun already is taken in as far as it is known: the rows of its history (of whose activations nothing is known)
    and its checkpoints.

    Raises:
        OSError: when the file cannot be made; `FileExistsError` where there is one already.
        RecordingWriteError: an OSError, when it cannot be written any further, as on a full disk. What was written stays.
        RecordingError: when a step is appended that is of another run.
    """

    def __init__(self, path: str | Path, experiment: Experiment, channel: Channel | None = None) -> None:
        """``channel``: where the writer is, if not here; it makes the file."""
        self.path = Path(path)
        self._channel = channel or Direct(self.path)
        self._closed = False
        self._experiment = experiment
        self._numbers: dict[int, int] = {}  # the run's number of a line -> the file's
        self._written: list[_Written] = []  # of each line of the file
        self._gathered = self._most = 0  # steps in the block, and how many fit
        self._stride = state_stride(experiment)
        self._due = 0.0
        try:
            self._begin(experiment)
        except BaseException:
            self.abandon()
            raise

    def _begin(self, experiment: Experiment) -> None:
        population = experiment.trainer.population
        self._extra = 0 if population is None else len(population)
        layers = [layer.name for layer in experiment.architecture.layers]
        about = {"format": "GradViz recording", "version": VERSION, "layers": layers, "population": self._extra}
        self._put_row(row_id(FACTS, step=FACT_MADE), to_json(about))
        self._gather_from(experiment.trainer.run)
        self._line = experiment.recorded_line
        self._own = self._begin_line(self._line, None)
        self._write(closed=False)

    def append(self, experiment: Experiment) -> None:
        """Record the step that has just been done; one that is on record already, walked through again, is left as it is."""
        line = experiment.recorded_line
        if line is not self._line:
            self._go_to_line(line, experiment)
        own = self._own
        trainer, statistics = experiment.trainer, self._statistics
        step = trainer.steps
        if step <= own.last:
            return
        if statistics.run is not trainer.run:
            self._hand_over()
            self._gather_from(trainer.run)
            statistics = self._statistics
        own.last = step
        # copied at once: steps whose arrays are kept alive take the next ones ever other memory, which costs more than the copying
        place = self._gathered
        _pack_head(self._block, self._row_bytes * place, own.first_id + step, trainer.loss, trainer.total_norm, trainer.clipped_norm)
        self._norms[place][...] = trainer.layer_norms
        if self._extra and (population := trainer.population) is not None:
            self._populations[place] = population
        if trainer.clipped_norms is not trainer.gradient_norms:
            self._after_clipping[place] = trainer.clipped_norms
            self._clipped.append(place)
        for target, sample in statistics.places[place]:
            target[...] = sample
        self._gathered = place = place + 1
        if not step % self._stride:
            self._keep(experiment.state())
        if place == self._most:
            self._hand_over()
        if time.perf_counter() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write all that has been appended."""
        if self._closed:
            raise RecordingWriteError(f"{self.path.name} is closed; nothing more can be recorded in it.")
        self._hand_over()
        self._take_settings()
        self._write(closed=False)

    def close(self) -> None:
        """Write the rest and leave one file that is complete by itself; does nothing when it is closed, or was given up."""
        if self._closed:
            return
        self._closed = True
        self._hand_over()
        self._take_settings()
        for state in self._line.checkpoints.all()[-2:]:
            self._keep(state)  # from where the last step can be done again at once
        self._write(closed=True)
        # these look into the writer's memory
        del self._statistics, self._places, self._norms, self._populations, self._after_clipping, self._block
        self._channel.close()

    def abandon(self) -> None:
        """Leave the file as it is, as after a `RecordingWriteError`."""
        self._closed = True
        self._channel.close()

    # ---- lines and settings

    def _go_to_line(self, line: Line, experiment: Experiment) -> None:
        if line.number not in self._numbers and (experiment is not self._experiment or not line.parent):
            raise RecordingError(f"This step is of another run than the one that {self.path.name} records. Begin another recording for it.")
        self._hand_over()
        self._take_tests()
        self._take_settings()
        known = self._numbers.get(line.number)
        self._line = line
        self._own = self._written[known] if known is not None else self._begin_line(line, self._numbers.get(line.parent))

    def _begin_line(self, line: Line, parent: int | None) -> _Written:
        """Write down a line and, unless it has left a line that is on record, all that is known of its past."""
        number = len(self._written)
        if number >= MOST_LINES:
            raise RecordingError(f"The run has branched {MOST_LINES:,} times; {self.path.name} cannot hold more. Begin another recording.")
        own = self._own = _Written(number)
        self._numbers[line.number] = number
        self._written.append(own)
        body = {"parent": parent, "branch_step": line.branch_step if parent is not None else 0}
        self._put_row(row_id(LINES, number), to_json(body))
        self._take_settings()
        if parent is None:
            self._take_past(line)
        own.last = line.branch_step if parent is not None else line.last_step
        return own

    def _take_past(self, line: Line) -> None:
        steps, losses, norms, totals = line.history.records()
        known, layers = len(steps), norms.shape[1]
        if known:
            rows = np.full((known, HEAD + (len(COLUMNS) + 1) * layers + self._extra), np.nan)
            rows.view("<i8")[:, 0] = self._own.first_id + steps
            rows[:, 1], rows[:, 2:HEAD], rows[:, HEAD : HEAD + layers] = losses[:, 0], totals, norms
            for start in range(0, known, PAST_ROWS):
                self._channel.put(("past", layers, rows[start : start + PAST_ROWS].copy()))
            self._own.rows += known
        for state in line.checkpoints.all():
            self._keep(state)

    def _take_settings(self) -> None:
        """Write down the line's settings as far as they are other ones than before."""
        own, now = self._own, self._line.settings
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], zip(own.settings, now, strict=False)))
        if len(own.settings) > same:
            self._note_settings({"index": same})  # those from here on were taken back
        for index in range(same, len(now)):
            self._note_settings({"index": index} | _described(now[index]))
        own.settings = list(now)

    def _note_settings(self, body: dict[str, Any]) -> None:
        own = self._own
        self._put_row(row_id(SETTINGS, own.number, own.settings_noted), to_json(body))
        own.settings_noted += 1

    def _take_tests(self) -> None:
        own, tests = self._own, self._line.history.tests
        for step, loss in tests[own.tests :]:
            self._put_row(row_id(TESTS, own.number, step), struct.pack("<d", loss))
        own.tests = len(tests)

    def _keep(self, state: State) -> None:
        own = self._own
        if state.steps not in own.states:
            own.states.add(state.steps)
            bare = msgspec.structs.replace(state, slices={})  # which are not written, and would be most of what is sent
            self._channel.put(("state", row_id(STATES, own.number, state.steps), bare))

    # ---- what goes to the writer

    def _hand_over(self) -> None:
        """Give the steps gathered to the writer, and take another block."""
        if not self._gathered:
            return
        self._channel.put(("steps", self._block_number, self._gathered, self._clipped))
        self._own.rows += self._gathered
        self._begin_block()

    def _begin_block(self) -> None:
        statistics = self._statistics
        number, self._block = self._channel.block(statistics.layout.size)
        rows = statistics.begin(number, self._block).rows
        layers = len(statistics.layout.units)
        if number not in self._places:
            self._places[number] = list(rows[:, HEAD : HEAD + 2 * layers])
        self._block_number, self._row_bytes, self._norms = number, rows.strides[0], self._places[number]
        self._populations = rows[:, HEAD + len(COLUMNS) * layers :][:, : self._extra]
        self._after_clipping = rows[:, -layers:]
        self._gathered, self._most = 0, statistics.layout.steps
        self._clipped: list[int] = []  # which of those gathered were clipped

    def _gather_from(self, run: AnyPass) -> None:
        layers = run.network.depth
        self._statistics = StepStatistics(run, HEAD + (len(COLUMNS) + 1) * layers + self._extra)
        self._places: dict[int, list[Floats]] = {}  # of each block: in each of its rows the place for `Trainer.layer_norms`
        self._channel.put(("layout", self._statistics.layout))
        self._begin_block()

    def _write(self, closed: bool) -> None:
        self._take_tests()
        lines = [[own.rows, own.last] for own in self._written]
        self._put_row(row_id(FACTS, step=FACT_PROGRESS), to_json({"lines": lines, "line": self._own.number, "closed": closed}))
        self._channel.put(("close" if closed else "write",))
        self._due = time.perf_counter() + WRITE_SECONDS

    def _put_row(self, row: int, body: bytes) -> None:
        self._channel.put(("row", row, body))


class _Written:
    """What the file has of a line."""

    def __init__(self, number: int) -> None:
        self.number, self.first_id = number, row_id(0, number)
        self.settings: list[Settings] = []
        self.settings_noted = self.tests = self.rows = self.last = 0
        self.states: set[int] = set()  # steps with a checkpoint


def _described(settings: Settings) -> dict[str, Any]:
    return {"step": settings.step, "spec": msgspec.to_builtins(settings.spec), "data": fingerprint(settings.data)}


def fingerprint(data: Data) -> str:
    """Tells data sets apart: the same numbers in the same order have the same one."""
    found = hashlib.blake2b(digest_size=16)
    for array in (data.inputs, data.targets, data.train, data.test):
        found.update(repr((array.dtype.str, array.shape)).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def state_stride(experiment: Experiment) -> int:
    """Steps between two checkpoints, a power of two: as few as a small part of the training time allows."""
    state = STATE_SECONDS + experiment.state().size / STATE_BYTES
    step = STEP_SECONDS + 3.0 * experiment.network.work * experiment.trainer.batches.size / STEP_WORK
    return int(1 << max(0, int(np.ceil(np.log2(state / step / STATE_SHARE)))))
