"""Keeps a run on disk while it trains: every step a row, now and then a checkpoint, all its lines, and nothing ever overwritten.

The file is what `recording_format` says. Steps are gathered and worked out many at a time, and written in one transaction about every
half second; what has been written stays, whatever happens to the program.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sqlite3
import time
import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gradviz.checkpoints import State
from gradviz.data import Data
from gradviz.experiment import Experiment
from gradviz.line import Line, Settings
from gradviz.recording_format import (
    APPLICATION_ID,
    COLUMNS,
    FACT_MADE,
    FACT_PROGRESS,
    FACTS,
    LINES,
    MOST_LINES,
    PAGE_SIZE,
    SCHEMA,
    SETTINGS,
    STATES,
    TABLES,
    TESTS,
    VERSION,
    RecordingError,
    RecordingWriteError,
    crc_of_body,
    kind_of,
    row_id,
    to_json,
)
from gradviz.recording_states import encode_state
from gradviz.step_statistics import Floats, StepStatistics

WRITE_SECONDS = 0.5  # between two transactions
WAL_BYTES = 16_000_000  # that are collected beside the file before they are moved into it
STATE_SHARE = 0.01  # of the training time, about, for checkpoints
STATE_SECONDS, STATE_BYTES = 40e-6, 3e8  # what one takes: so long, and a second for so many bytes
STEP_SECONDS, STEP_WORK = 1e-4, 2e10  # what a step takes: so long, and a second for so many multiply-adds
HEAD = 4  # numbers of a row before those of its layers: id, loss, norm before and after clipping


class Recorder:
    """Records one run and its branches: `append` after every step, `flush` when it pauses, `close` at the end.

    A run that has begun already is taken in as far as it is known: the rows of its history (of whose activations nothing is known)
    and its checkpoints.

    Raises:
        OSError: when the file cannot be made; `FileExistsError` where there is one already.
        RecordingWriteError: an OSError, when it cannot be written any further, as on a full disk. What was written stays.
        RecordingError: when a step is appended that is of another run.
    """

    def __init__(self, path: str | Path, experiment: Experiment) -> None:
        self.path = Path(path)
        self._experiment = experiment
        self._numbers: dict[int, int] = {}  # the run's number of a line -> the file's
        self._written: list[_Written] = []  # of each line of the file
        self._waiting: list[tuple[int, bytes]] = []  # rows for all tables but that of the steps
        self._steps: list[list[tuple[Any, ...]]] = []  # rows for that one
        self._heads: list[tuple[int, float, float, float]] = []  # of the steps gathered: id, loss, norm before and after clipping
        self._gradients: list[Floats] = []
        self._deltas: list[Floats] = []
        self._clipped: list[tuple[int, Floats]] = []  # (which of the steps gathered, norms after clipping)
        self._statistics = StepStatistics(experiment.trainer.run)
        self._stride = state_stride(experiment)
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))  # never over another file
        try:
            self._connection: sqlite3.Connection | None = self._made()
            about = {"format": "GradViz recording", "version": VERSION, "layers": [layer.name for layer in experiment.architecture.layers]}
            self._waiting.append((row_id(FACTS, step=FACT_MADE), to_json(about)))
            self._line = experiment.recorded_line
            self._own = self._begin_line(self._line, None)
            self._write(closed=False)
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the file by itself tells what it is
        except BaseException:
            self._disconnect()
            self.path.unlink(missing_ok=True)
            raise

    def append(self, experiment: Experiment) -> None:
        """Record the step that has just been done; one that is on record already, walked through again, is left as it is."""
        line = experiment.recorded_line
        if line is not self._line:
            self._go_to_line(line, experiment)
        own = self._own
        if len(line.settings) != len(own.settings) or line.settings[-1] is not own.settings[-1]:
            self._take_settings()
        trainer, statistics = experiment.trainer, self._statistics
        step = trainer.steps
        if step <= own.last:
            return
        if statistics.run is not trainer.run:
            self._settle()
            statistics = self._statistics = StepStatistics(trainer.run)
        own.last = step
        self._heads.append((own.first_id + step, trainer.loss, trainer.total_norm, trainer.clipped_norm))
        self._gradients.append(trainer.gradient_norms)
        self._deltas.append(trainer.delta_norms)
        if trainer.clipped_norms is not trainer.gradient_norms:
            self._clipped.append((statistics.gathered, trainer.clipped_norms))
        statistics.gather()
        if not step % self._stride:
            self._keep(experiment.state())
        if statistics.gathered == statistics.most:
            self._settle()
        if time.perf_counter() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write all that has been appended."""
        self._settle()
        self._take_settings()
        self._write(closed=False)

    def close(self) -> None:
        """Write the rest and leave one file that is complete by itself; does nothing when it is closed, or was given up."""
        if self._connection is None:
            return
        self._settle()
        self._take_settings()
        for state in self._line.checkpoints.all()[-2:]:
            self._keep(state)  # from where the last step can be done again at once
        self._write(closed=True)
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            self._connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            pass  # somebody is reading it: then it stays a file with a log beside it, which is empty
        self._disconnect()

    # ---- lines and settings

    def _go_to_line(self, line: Line, experiment: Experiment) -> None:
        if line.number not in self._numbers and (experiment is not self._experiment or not line.parent):
            raise RecordingError(f"This step is of another run than the one that {self.path.name} records. Begin another recording for it.")
        self._settle()
        self._take_tests()
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
        self._waiting.append((row_id(LINES, number), to_json(body)))
        self._take_settings()
        if parent is None:
            self._take_past(line)
        own.last = line.branch_step if parent is not None else line.last_step
        return own

    def _take_past(self, line: Line) -> None:
        steps, losses, norms, totals = line.history.records()
        known, layers = len(steps), norms.shape[1]
        if known:
            columns = np.full((known, len(COLUMNS) + 1, layers), np.nan)
            columns[:, 0] = norms
            heads = np.column_stack((losses[:, 0], totals))
            self._rows_of_steps([self._own.first_id + step for step in steps.tolist()], heads, columns, set())
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
        self._waiting.append((row_id(SETTINGS, own.number, own.settings_noted), to_json(body)))
        own.settings_noted += 1

    def _take_tests(self) -> None:
        own, tests = self._own, self._line.history.tests
        for step, loss in tests[own.tests :]:
            self._waiting.append((row_id(TESTS, own.number, step), np.array(loss, "<f8").tobytes()))
        own.tests = len(tests)

    def _keep(self, state: State) -> None:
        own = self._own
        if state.steps not in own.states:
            own.states.add(state.steps)
            self._waiting.append((row_id(STATES, own.number, state.steps), encode_state(state)))

    # ---- steps

    def _settle(self) -> None:
        """Make rows of the steps gathered."""
        count = self._statistics.gathered
        if not count:
            return
        layers = len(self._gradients[0])
        columns = np.empty((count, len(COLUMNS) + 1, layers))
        columns[:, 0], columns[:, 1] = self._gradients, self._deltas
        columns[:, 2:5] = self._statistics.settle().transpose(1, 0, 2)
        for place, norms in self._clipped:
            columns[place, 5] = norms
        ids, *heads = zip(*self._heads, strict=True)
        self._rows_of_steps(list(ids), np.array(heads).T, columns, {place for place, _ in self._clipped})
        for gathered in (self._heads, self._gradients, self._deltas, self._clipped):
            gathered.clear()  # type: ignore[attr-defined]

    def _rows_of_steps(self, ids: list[int], heads: Floats, columns: Floats, clipped: set[int]) -> None:
        """Rows of steps: ``heads`` (n, 3), ``columns`` (n, columns, layers) of which the last one counts for those that were clipped."""
        count, width, layers = columns.shape
        block = np.empty((count, HEAD + width * layers), "<f8")
        block.view("<i8")[:, 0] = ids
        # SQLite knows one NaN, and no −0
        block[:, 1:HEAD] = np.where(np.isnan(heads), np.nan, heads + 0.0)
        block[:, HEAD:] = columns.reshape(count, -1)
        memory, size = memoryview(block).cast("B"), block.strides[0]
        short = size - 8 * layers
        ends = [start + (size if place in clipped else short) for place, start in enumerate(range(0, count * size, size))]
        starts = range(0, count * size, size)
        crcs = [zlib.crc32(memory[start:end]) for start, end in zip(starts, ends, strict=True)]
        bodies = [memory[start + 8 * HEAD : end] for start, end in zip(starts, ends, strict=True)]
        self._steps.append(list(zip(ids, *block[:, 1:HEAD].T.tolist(), bodies, crcs, strict=True)))
        self._own.rows += count

    # ---- the file

    def _made(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        for pragma in (
            f"page_size={PAGE_SIZE}",
            f"application_id={APPLICATION_ID}",
            f"user_version={VERSION}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"wal_autocheckpoint={WAL_BYTES // PAGE_SIZE}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for table in SCHEMA.values():
            connection.execute(table)
        connection.execute("COMMIT")
        return connection

    def _write(self, closed: bool) -> None:
        self._take_tests()
        lines = [[own.rows, own.last] for own in self._written]
        progress = to_json({"lines": lines, "line": self._own.number, "closed": closed})
        self._waiting.append((row_id(FACTS, step=FACT_PROGRESS), progress))
        self._run("BEGIN")
        for rows in self._steps:
            self._run("INSERT INTO steps VALUES(?,?,?,?,?,?)", rows)
        for kind, group in itertools.groupby(self._waiting, key=lambda row: kind_of(row[0])):
            rows = [(row, body, crc_of_body(row, body)) for row, body in group]
            self._run(f"INSERT OR REPLACE INTO {TABLES[kind]} VALUES(?,?,?)", rows)
        self._run("COMMIT")
        self._steps.clear()
        self._waiting.clear()
        self._due = time.perf_counter() + WRITE_SECONDS

    def _run(self, statement: str, rows: list[tuple[Any, ...]] | None = None) -> None:
        """Execute a statement; when that fails, the recording is given up at what had been written before."""
        if self._connection is None:
            raise RecordingWriteError(f"{self.path.name} is closed; nothing more can be recorded in it.")
        try:
            if rows is None:
                self._connection.execute(statement)
            else:
                self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            self._disconnect()
            raise RecordingWriteError(f"{self.path} cannot be written any further ({error}). What was recorded before stays.") from error

    def _disconnect(self) -> None:
        connection = getattr(self, "_connection", None)
        self._connection = None
        if connection is not None:
            connection.close()


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
