"""Reads a recording, also while it grows, and a damaged one as far as it goes; says in words what is missing, and why.

Nothing in the file is trusted: its tables must be exactly those of the format, every row is held against its checksum, and a file that
SQLite does not read any more is looked through page by page.
"""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.checkpoints import State
from gradviz.fields import SpecError
from gradviz.recording_format import (
    APPLICATION_ID,
    COLUMNS,
    FACT_MADE,
    FACT_PROGRESS,
    FACTS,
    LINES,
    NAN,
    PAGE_SIZE,
    SCHEMA,
    SETTINGS,
    STATES,
    STEPS,
    TABLES,
    TESTS,
    VERSION,
    RecordingError,
    crc_of_body,
    crc_of_step,
    from_json,
    line_of,
    row_id,
    step_of,
)
from gradviz.recording_salvage import MAGIC, SalvagedRows
from gradviz.recording_states import decode_state
from gradviz.spec import Spec

Floats = NDArray[np.float64]

SECONDS, BYTES_PER_SECOND = 1.5, 20e6  # how long SQLite may work at a query: so long, and a second for so many bytes of the file
BLOCK = 1024  # rows fetched at a time
MOST_SETTINGS = 2000  # of one line
LAST_STEP = (1 << 40) - 1


class RecordedSettings(msgspec.Struct, frozen=True):
    """What was in force from after ``step`` on; ``data`` is the fingerprint of the data set."""

    step: int
    spec: Spec
    data: str


class RecordedLine(msgspec.Struct, frozen=True):
    """One line of the run: it has left line ``parent`` after ``branch_step``, unless that is None."""

    number: int
    parent: int | None
    branch_step: int
    settings: tuple[RecordedSettings, ...]


class RecordedStep(msgspec.Struct, frozen=True):
    """One row: ``layers`` (5, layers) are `COLUMNS`, ``clipped_norms`` (layers,) the same array as the gradient norms where none was."""

    step: int
    loss: float
    norm: float  # ‖g‖ over all parameters before clipping
    clipped_norm: float
    layers: Floats
    clipped_norms: Floats
    population: Floats | None = None  # (5,) as in `HistoryTable.population`


class StepTable(msgspec.Struct, frozen=True):
    """Recorded steps as columns; NaN where nothing was measured."""

    steps: NDArray[np.int64]  # (rows,)
    loss: Floats
    total_norms: Floats  # (rows, 2) before and after clipping
    gradient_norms: Floats  # (rows, layers) before clipping …
    clipped_norms: Floats  # … and after
    delta_norms: Floats
    activation_means: Floats
    activation_stds: Floats
    saturated: Floats  # share of the activations at which f′ is small


class _Patience:
    """How long SQLite may still work at one query: a file that was made to keep it busy has no end, one that is only large has.

    Neither what other programs do nor what becomes of the rows between two looks counts, so that no sound file is given up for it.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self.resume()

    @property
    def is_over(self) -> bool:
        return time.thread_time() - self._since > self._left

    def pause(self) -> None:
        self._left -= time.thread_time() - self._since

    def resume(self) -> None:
        self._since = time.thread_time()


class _Tally:
    """Which steps of a line are on record and whole: as ranges, for there may be millions."""

    def __init__(self) -> None:
        self.count = 0
        self._ranges: list[list[int]] = []  # first and last step

    def add(self, step: int) -> None:
        self.count += 1
        if self._ranges and self._ranges[-1][1] == step - 1:
            self._ranges[-1][1] = step
        else:
            self._ranges.append([step, step])

    def in_words(self, most: int = 4) -> str:
        """Such as "1 to 400, 420 to 1,000"."""
        return ", ".join(f"{first:,} to {last:,}" for first, last in self._ranges[:most]) + (" …" if len(self._ranges) > most else "")


class RecordingReader:
    """A recording that is there to be read; `refresh` looks for what has been added meanwhile.

    Attributes:
        layers: names of the layers.
        lines: all lines, by number, as far as they can be read.
        line: number of the one the run was on last.
        closed: whether the recording was ended; else it is growing, or its program has died.
        altered: ids of the rows whose checksum does not fit, as far as they have been read.
        broken: what SQLite said when it could not read the file, which was then looked through page by page; "" else.

    Raises:
        OSError: when there is no such file, or it cannot be read.
        RecordingError: when it is none, or nothing of it can be opened.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.altered: set[int] = set()
        self.broken = ""
        self._salvaged: SalvagedRows | None = None
        self._tallies: dict[int, _Tally] | None = None  # by line, once `scan` has gone through
        with self.path.open("rb") as file:
            head = file.read(100)
        self._check_head(head)
        self.refresh()

    def _check_head(self, head: bytes) -> None:
        name = self.path.name
        if not head:
            raise RecordingError(f"{name} is empty: it is no recording, or nothing of it was written.")
        if len(head) < 100:
            raise RecordingError(f"{name} is no recording, or was cut off after {len(head)} bytes: nothing of it can be opened.")
        made_by, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
        self._pages = int.from_bytes(head[28:32], "big")  # that the file should have
        if head[:16] == MAGIC and made_by == APPLICATION_ID and VERSION < version < 1000:
            raise RecordingError(f"{name} was recorded by a newer GradViz (format {version}; this one reads {VERSION}). Update to open it.")
        if head[:16] != MAGIC and made_by != APPLICATION_ID:
            raise RecordingError(f"{name} is no recording of GradViz.")
        if head[:16] == MAGIC and made_by != APPLICATION_ID and int.from_bytes(head[16:18], "big") != PAGE_SIZE:
            raise RecordingError(f"{name} is an SQLite file, but no recording of GradViz.")

    def refresh(self) -> None:
        """Read anew what is not a step: lines, settings, and how far the recording goes."""
        made = dict(self._facts()).get(FACT_MADE)
        if made is None:
            raise RecordingError(f"{self._name_and_state()} What it is a recording of is not in it any more; nothing can be opened.")
        about = from_json(made, "The description")
        names = about.get("layers")
        if not isinstance(names, list) or not 0 < len(names) <= 2048 or not all(isinstance(name, str) for name in names):
            raise RecordingError(f"{self.path.name} does not say which layers it is about.")
        self.layers = tuple(names)
        extra = about.get("population", 0)
        self._extra = extra if type(extra) is int and 0 <= extra <= 64 else 0
        own = len(COLUMNS) * len(names) + self._extra
        self._sizes = 8 * own, 8 * (own + len(names))  # of a row's layers, without and with the norms after clipping
        progress = from_json(dict(self._facts()).get(FACT_PROGRESS, b"{}"), "The progress")
        self.closed = progress.get("closed") is True
        self._progress = [tuple(entry) for entry in progress.get("lines", ()) if _is_pair(entry)]
        self.lines = self._read_lines()
        if 0 not in self.lines:
            raise RecordingError(f"{self._name_and_state()} The settings of the run are not in it any more; nothing can be opened.")
        last = progress.get("line")
        self.line = last if isinstance(last, int) and last in self.lines else max(self.lines)

    def _facts(self) -> list[tuple[int, bytes]]:
        return [(step_of(row), body) for row, body in self._bodies(FACTS, 0)]

    def _read_lines(self) -> dict[int, RecordedLine]:
        bodies = {line_of(row): body for row, body in self._bodies(LINES, None)}
        noted: dict[int, list[bytes]] = {}
        for row, body in self._bodies(SETTINGS, None):
            noted.setdefault(line_of(row), []).append(body)
        lines: dict[int, RecordedLine] = {}
        for number, body in sorted(bodies.items()):
            raw = from_json(body, f"Line {number}")
            parent, step = raw.get("parent"), raw.get("branch_step")
            settings = self._read_settings(noted.get(number, []))
            if not settings or type(step) is not int or not 0 <= step <= LAST_STEP or (parent is not None and parent not in lines):
                continue  # what it has left is missing, or what was in force on it
            lines[number] = RecordedLine(number, parent, step, settings)
        return lines

    def _read_settings(self, bodies: list[bytes]) -> tuple[RecordedSettings, ...]:
        found: list[RecordedSettings] = []
        for body in bodies:
            raw = from_json(body, "The settings")
            index, step = raw.get("index"), raw.get("step")
            if type(index) is not int or not 0 <= index <= len(found) or index > MOST_SETTINGS:
                break  # those before are missing
            del found[index:]
            if "spec" not in raw:
                continue
            if type(step) is not int or not (found[-1].step if found else 0) <= step <= LAST_STEP:
                break
            try:
                found.append(RecordedSettings(step, Spec.from_dict(raw["spec"]), str(raw.get("data"))))
            except SpecError as error:
                raise RecordingError(f"{self.path.name} holds settings that this GradViz does not know: {error}") from None
        return tuple(found)

    # ---- rows

    def steps(self, line: int | None = None, after: int = 0, last: int = LAST_STEP) -> Iterator[RecordedStep]:
        """The rows of a line (the one the run was on last), with those of the lines it comes from, whose checksum fits."""
        for number, first, end in self._ancestry(self.line if line is None else line):
            start, stop = max(first, after + 1), min(end, last)
            if start > stop:
                continue
            for row, loss, norm, clipped, layers, crc in self._select(STEPS, row_id(0, number, start), row_id(0, number, stop)):
                if self._is_whole(row, loss, norm, clipped, layers, crc):
                    yield self._made(row, loss, norm, clipped, layers)

    @property
    def count_expected(self) -> int:
        """How many steps the recording says that it holds, on all lines."""
        return sum(count for count, _ in self._progress)

    def scan(self) -> Iterator[RecordedStep | None]:
        """Every row once, for `steps` and `check` together: the step, where it is whole and of the line the run was on last, else None."""
        tallies = {line: _Tally() for line in self.lines}
        shown = {line: (first, end) for line, first, end in self._ancestry(self.line)}
        for row, *rest in self._select(STEPS, row_id(STEPS), row_id(STEPS + 1) - 1):
            line, step = line_of(row), step_of(row)
            found = None
            if line in tallies and self._is_whole(row, *rest):
                tallies[line].add(step)
                first, end = shown.get(line, (1, 0))
                if first <= step <= end:
                    found = self._made(row, *rest[:-1])
            yield found
        self._tallies = tallies

    def _is_whole(self, row: int, loss: Any, norm: Any, clipped: Any, layers: Any, crc: Any) -> bool:
        """Whether a row fits its checksum; SQLite keeps a NaN as NULL."""
        loss, norm, clipped = NAN if loss is None else loss, NAN if norm is None else norm, NAN if clipped is None else clipped
        try:
            if type(layers) is bytes and len(layers) in self._sizes and crc_of_step(row, loss, norm, clipped, layers) == crc:
                return True
        except (struct.error, OverflowError):  # what should be numbers are none
            pass
        self.altered.add(row)
        return False

    def _made(self, row: int, *numbers_and_layers: Any) -> RecordedStep:
        *numbers, layers = numbers_and_layers
        count = len(self.layers)
        own = len(COLUMNS) * count
        found = np.frombuffer(layers, "<f8")
        columns = found[:own].reshape(-1, count)
        clipped_norms = found[-count:] if len(layers) == self._sizes[1] else columns[0]
        population = found[own : own + self._extra] if self._extra else None
        loss, norm, clipped = (NAN if number is None else float(number) for number in numbers)
        return RecordedStep(step_of(row), loss, norm, clipped, columns, clipped_norms, population)

    def states(self, line: int | None = None, after: int = -1) -> Iterator[State]:
        """The checkpoints of a line after this step, in order; raises `RecordingError` for one that is none."""
        for number, first, end in self._ancestry(self.line if line is None else line):
            for row, body in self._bodies(STATES, number, max(first if first > 1 else 0, after + 1), end):
                state = decode_state(body)
                if state.steps != step_of(row):
                    raise RecordingError(f"A checkpoint of {self.path.name} is of another step than it says.")
                yield state

    def state_before(self, step: int, line: int | None = None) -> State | None:
        """The newest checkpoint of fewer steps than ``step`` (the first one also for step 0); None when there is none."""
        found = None
        for state in self.states(line):
            if state.steps >= max(step, 1):
                break
            found = state
        return found

    def tests(self, line: int | None = None, after: int = -1) -> list[tuple[int, float]]:
        """(step, test loss) of a line."""
        number = self.line if line is None else line
        bodies = self._bodies(TESTS, number, after + 1)
        return [(step_of(row), struct.unpack("<d", body)[0]) for row, body in bodies if len(body) == 8]

    def table(self, line: int | None = None, first: int = 1, last: int = LAST_STEP, rows: int = 2048) -> StepTable:
        """The recorded steps from ``first`` to ``last``, thinned evenly to at most ``rows``; the last one is among them."""
        number = self.line if line is None else line
        count = self.count(number, first, last)
        stride = max(1, -(-count // max(1, rows - 1)))
        picked = [found for at, found in enumerate(self.steps(number, first - 1, last)) if at % stride == 0 or at == count - 1]
        layers = np.array([found.layers for found in picked]).reshape(len(picked), len(COLUMNS), len(self.layers))
        columns = {name: layers[:, place] for place, name in enumerate(COLUMNS)}
        return StepTable(
            steps=np.array([found.step for found in picked], np.int64),
            loss=np.array([found.loss for found in picked]),
            total_norms=np.array([(found.norm, found.clipped_norm) for found in picked]).reshape(-1, 2),
            clipped_norms=np.array([found.clipped_norms for found in picked]).reshape(len(picked), len(self.layers)),
            **columns,
        )

    def count(self, line: int | None = None, first: int = 1, last: int = LAST_STEP) -> int:
        """How many steps of a line are on record, whole or not."""
        return sum(
            sum(1 for _ in self._select(STEPS, row_id(0, number, max(first, start)), row_id(0, number, min(last, stop)), "id"))
            for number, start, stop in self._ancestry(self.line if line is None else line)
        )

    def _ancestry(self, line: int) -> list[tuple[int, int, int]]:
        """(line, first step, last step) of the parts that a line consists of, the first one first."""
        parts, end = [], LAST_STEP
        while True:
            found = self.lines[line]
            parts.append((line, 1 if found.parent is None else found.branch_step + 1, end))
            if found.parent is None:
                return parts[::-1]
            line, end = found.parent, min(end, found.branch_step)

    def _bodies(self, kind: int, line: int | None, first: int = 0, last: int = LAST_STEP) -> Iterator[tuple[int, bytes]]:
        """(id, content) of the rows of a table other than the steps' whose checksum fits; of one line, or of all."""
        start = row_id(kind, 0 if line is None else line, first)
        stop = row_id(kind + 1) - 1 if line is None else row_id(kind, line, last)
        for row, body, crc in self._select(kind, start, stop):
            if isinstance(body, bytes) and crc_of_body(row, body) == crc:
                yield row, body
            else:
                self.altered.add(row)

    # ---- the file

    def _select(self, kind: int, first: int, last: int, columns: str = "*") -> Iterator[tuple[Any, ...]]:
        """Rows of a table by id; where SQLite gives up, what is left is looked for page by page."""
        if self._salvaged is None:
            try:
                for row in self._query(kind, first, last, columns):
                    yield row
                    first = row[0] + 1
                return
            except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite's own message may hold what is damaged
                if "interrupted" in str(error):
                    raise RecordingError(f"{self.path.name} takes too long to read; it is damaged, or no recording.") from None
                if "locked" in str(error) or "busy" in str(error):
                    raise OSError(f"{self.path.name} is being written by another program ({error}). Try again.") from None
                self.broken = str(error)
                self._salvaged = SalvagedRows(self.path)
        yield from self._salvaged.select(kind, first, last)

    def _query(self, kind: int, first: int, last: int, columns: str) -> Iterator[tuple[Any, ...]]:
        patience = _Patience(SECONDS + self.path.stat().st_size / BYTES_PER_SECOND)
        connection = self._opened(patience)
        try:
            cursor = connection.execute(f"SELECT {columns} FROM {TABLES[kind]} WHERE id BETWEEN ? AND ? ORDER BY id", (first, last))
            while rows := cursor.fetchmany(BLOCK):
                patience.pause()
                yield from rows
                patience.resume()
        finally:
            connection.close()

    def _opened(self, patience: _Patience) -> sqlite3.Connection:
        """A connection for one query: between two of them nobody who writes has to wait for us."""
        where = f"file:{quote(str(self.path.absolute()))}?mode=ro"
        connection = sqlite3.connect(where, uri=True, isolation_level=None, timeout=1.0)
        try:
            self._prepare(connection, patience)
        except sqlite3.OperationalError as error:
            connection.close()
            if "unable to open" not in str(error) and "readonly" not in str(error):
                raise
            # its log cannot be kept beside it, as in a folder that is read-only: read it as it stands
            connection = sqlite3.connect(where + "&immutable=1", uri=True, isolation_level=None)
            try:
                self._prepare(connection, patience)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, patience: _Patience) -> None:
        size = self.path.stat().st_size
        connection.set_progress_handler(lambda: patience.is_over, 10_000)
        connection.text_factory = lambda text: text.decode(errors="replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(10**9, size + 10**8))
        for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0", "cache_size=-2000"):
            connection.execute(f"PRAGMA {pragma}")
        found = connection.execute("SELECT name, sql FROM sqlite_master LIMIT 20").fetchall()
        if dict(found) != SCHEMA or len(found) != len(SCHEMA):
            raise sqlite3.DatabaseError("its tables are not those of a recording")

    # ---- what is missing

    def check(self) -> str:
        """Read everything once, and say what is missing and why; "" for a recording that is whole."""
        for _ in () if self._tallies is not None else self.scan():
            pass
        there, lost_states = self._tallies or {}, 0
        for kind in (STATES, TESTS, SETTINGS, LINES, FACTS):
            before = len(self.altered)
            for _ in self._bodies(kind, None):
                pass
            lost_states += (len(self.altered) - before) if kind == STATES else 0
        sentences = [self._state()] if self._state() else []
        for line, (expected, last) in enumerate(self._progress):
            found = there.get(line)
            where = f"On line {line + 1}: " if len(self._progress) > 1 else ""
            if found is None:
                sentences.append(f"{where}all {expected:,} steps are missing." if expected else "")
            elif found.count < expected:
                kept = f"steps {found.in_words()} are there" if found.count else "none is left"
                sentences.append(f"{where}{expected - found.count:,} of {expected:,} steps up to step {last:,} are missing; {kept}.")
        if lost_states:
            sentences.append(f"{lost_states:,} checkpoints are missing; what lay between them is worked out again.")
        return " ".join(sentence for sentence in sentences if sentence)

    def _state(self) -> str:
        """Whether the file is cut off or altered, in words; "" when neither is known."""
        size, whole = self.path.stat().st_size, self._pages * PAGE_SIZE
        if (self.broken or size % PAGE_SIZE) and size < whole:
            return f"The file was cut off: {size:,} of {whole:,} bytes are there."
        if self.altered or self.broken:
            rows = f" {len(self.altered):,} rows do not fit their checksums." if self.altered else ""
            return f"The file was altered after it was written.{rows}"
        return ""

    def _name_and_state(self) -> str:
        return f"{self.path.name} cannot be opened. {self._state()}".strip()


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and all(type(number) is int and 0 <= number <= LAST_STEP for number in entry)
