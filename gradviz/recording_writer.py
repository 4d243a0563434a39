"""Writes the file of a recording from what the `Recorder` hands over, in the same process or in another one, and works its steps out."""

from __future__ import annotations

import os
import sqlite3
import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gradviz.arrays import Floats
from gradviz.recording_format import (
    APPLICATION_ID,
    HEAD,
    PAGE_SIZE,
    SCHEMA,
    TABLES,
    VERSION,
    RecordingWriteError,
    crc_of_body,
    kind_of,
)
from gradviz.recording_lock import hold
from gradviz.recording_states import encode_state
from gradviz.step_statistics import Block, Layout

WAL_BYTES = 16_000_000  # that are collected beside the file before they are moved into it


class Channel(Protocol):
    """The way from a `Recorder` to its `RecordingWriter`."""

    def block(self, size: int) -> tuple[int, Any]:
        """A block of memory of at least so many bytes that the writer is done with, and its number."""

    def put(self, message: tuple[Any, ...]) -> None:
        """Hand a message over; see `RecordingWriter.take`. Raises `RecordingWriteError` when no more can be written."""

    def close(self) -> None:
        """Nothing more will come."""


class RecordingWriter:
    """The file of one recording.

    Raises:
        OSError: when the file cannot be made; `FileExistsError` where there is one already.
        RecordingWriteError: an OSError, when it cannot be written any further, as on a full disk. What was written stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._layout: Layout | None = None
        self._views: dict[int, Block] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
        self._begun = False
        self._connection: sqlite3.Connection | None = None
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)  # never over another file
        hold(self._file)
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._make()
        except sqlite3.Error as error:
            self.give_up()
            path.unlink(missing_ok=True)
            raise RecordingWriteError(f"{path} cannot be written ({error}).") from error

    def take(self, message: tuple[Any, ...], blocks: Any) -> None:
        """Take a message of the recorder; ``blocks`` are the blocks of memory by their numbers.

        ("layout", layout), ("steps", block, count, those that were clipped), ("past", layers, rows), ("row", id, body),
        ("state", id, state), ("write",) or ("close",).
        """
        kind, *content = message
        if kind == "layout":
            (self._layout,), self._views = content, {}
        elif kind == "steps":
            number, count, clipped = content
            self._take_steps(blocks, number, count, clipped)
        elif kind == "past":
            layers, rows = content
            self._add_steps(rows, layers, set())
        elif kind == "row":
            row, body = content
            self._rows[TABLES[kind_of(row)]].append((row, body, crc_of_body(row, body)))
        elif kind == "state":
            row, body = content[0], encode_state(content[1])
            self._rows[TABLES[kind_of(row)]].append((row, body, crc_of_body(row, body)))
        else:
            self._write()
            if kind == "close":
                self._close()

    def end(self) -> None:
        """Write what has been taken and leave the file; for when the recorder has ended without closing it."""
        if self._connection is not None:
            self._write()
            self.give_up()

    def give_up(self) -> None:
        """Leave the file as it is."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        if self._file >= 0:  # only now: to close a file ends SQLite's own locks on it as well
            os.close(self._file)
        self._file = -1
        self._views.clear()

    def _take_steps(self, blocks: Any, number: int, count: int, clipped: list[int]) -> None:
        layout = self._layout
        assert layout is not None, "the layout comes first"
        if number not in self._views:
            self._views[number] = layout.views(blocks[number])
        block = self._views[number]
        rows = block.rows[:count].copy()
        layers = len(layout.units)
        found = layout.settled(block, count)
        # in pre-training most layers are not part of a step: what lies in their buffers is of another one
        found[:, np.isnan(rows[:, HEAD : HEAD + layers]) & np.isfinite(rows[:, 1:2])] = np.nan
        rows[:, HEAD + 2 * layers : HEAD + 5 * layers] = found.transpose(1, 0, 2).reshape(count, -1)
        self._add_steps(rows, layers, set(clipped))

    def _add_steps(self, rows: Floats, layers: int, clipped: set[int]) -> None:
        """Rows (n, numbers) as they are kept, but for the norms after clipping, which only those have that were clipped."""
        heads = rows[:, 1:HEAD]
        heads[:] = np.where(np.isnan(heads), np.nan, heads + 0.0)  # SQLite knows one NaN, and no −0
        memory, size = rows.data.cast("B"), rows.strides[0]
        starts = range(0, len(rows) * size, size)
        ends = [start + size - (0 if place in clipped else 8 * layers) for place, start in enumerate(starts)]
        crcs = [zlib.crc32(memory[start:end]) for start, end in zip(starts, ends, strict=True)]
        bodies = [memory[start + 8 * HEAD : end] for start, end in zip(starts, ends, strict=True)]
        self._rows["steps"] += zip(rows.view("<i8")[:, 0].tolist(), *heads.T.tolist(), bodies, crcs, strict=True)

    def _make(self) -> None:
        for pragma in (
            f"page_size={PAGE_SIZE}",
            f"application_id={APPLICATION_ID}",
            f"user_version={VERSION}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"wal_autocheckpoint={WAL_BYTES // PAGE_SIZE}",
        ):
            self._run(f"PRAGMA {pragma}")
        self._run("BEGIN")
        for table in SCHEMA.values():
            self._run(table)
        self._run("COMMIT")

    def _write(self) -> None:
        try:
            self._run("BEGIN")
            for table, rows in self._rows.items():
                if rows:
                    self._run(f"INSERT OR REPLACE INTO {table} VALUES({','.join('?' * len(rows[0]))})", rows)
                    rows.clear()
            self._run("COMMIT")
            if not self._begun:
                self._run("PRAGMA wal_checkpoint(TRUNCATE)")  # from now on the file tells by itself what it is
                self._begun = True
        except sqlite3.Error as error:
            self.give_up()
            raise RecordingWriteError(f"{self.path} cannot be written any further ({error}). What was recorded before stays.") from error

    def _close(self) -> None:
        try:
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")
            self._run("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            pass  # somebody is reading it: then it stays a file with a log beside it, and both are whole
        finally:
            self.give_up()

    def _run(self, statement: str, rows: list[tuple[Any, ...]] | None = None) -> None:
        if self._connection is None:
            raise RecordingWriteError(f"{self.path.name} is closed; nothing more can be recorded in it.")
        if rows is None:
            self._connection.execute(statement)
        else:
            self._connection.executemany(statement, rows)


class Direct:
    """The channel to a writer in the same process."""

    def __init__(self, path: Path) -> None:
        self._writer = RecordingWriter(path)
        self._number, self._block = 0, bytearray()

    def block(self, size: int) -> tuple[int, Any]:
        if len(self._block) < size:
            self._number, self._block = self._number + 1, bytearray(size)
        return self._number, self._block

    def put(self, message: tuple[Any, ...]) -> None:
        self._writer.take(message, {self._number: self._block})

    def close(self) -> None:
        self._writer.give_up()
