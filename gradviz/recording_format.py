"""The file format of a recording (`.gradviz`): an SQLite file of rows that each carry a CRC-32, and nothing that could run code.

Every row's id is unique in the file, whatever its table: ``kind << 56 | line << 40 | step``. So a row that is found outside any table,
in a file whose tables are damaged, still tells what it is. Lines count from 0: in a run without branches the id of a step's row is the
step itself. Numbers are little-endian.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

APPLICATION_ID = 0x47724476  # "GrDv"
VERSION = 1  # of the format; a reader refuses files of a later one
PAGE_SIZE = 8_192

STEPS, STATES, TESTS, SETTINGS, LINES, FACTS = range(6)
TABLES = ("steps", "states", "tests", "settings", "lines", "facts")  # by kind

SCHEMA = {
    # in reverse, so that what all the rest depends on stands first in the file
    **{name: f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, body BLOB, crc INTEGER)" for name in TABLES[:0:-1]},
    "steps": "CREATE TABLE steps(id INTEGER PRIMARY KEY, loss REAL, norm REAL, clipped_norm REAL, layers BLOB, crc INTEGER)",
}
"""``layers`` of a step are float64 columns, each with one number per layer: `COLUMNS`; then, for a method with a population, what is
told of it; then, where the step was clipped, the gradient norms after clipping."""

COLUMNS = ("gradient_norms", "delta_norms", "activation_means", "activation_stds", "saturated")
HEAD = 4  # numbers of a step before those of its layers: id, loss, norm before and after clipping
MOST_LINES = 1 << 16
STEP_BITS = 40
FACT_MADE, FACT_PROGRESS = 0, 1  # the facts there are: what the file is, and how far it goes

_STEP_HEAD = struct.Struct("<qddd")
_ID = struct.Struct("<q")
NAN = float("nan")


class RecordingError(ValueError):
    """A file that is no recording, or one of which nothing can be opened; the text says what is wrong and what to do."""


class RecordingWriteError(OSError):
    """The recording cannot be written any further; what it holds already stays."""


def row_id(kind: int, line: int = 0, step: int = 0) -> int:
    """The id of a row."""
    return kind << 56 | line << STEP_BITS | step


def kind_of(row: int) -> int:
    """Which table a row belongs to."""
    return row >> 56


def line_of(row: int) -> int:
    """Which line a row belongs to."""
    return row >> STEP_BITS & MOST_LINES - 1


def step_of(row: int) -> int:
    """Which step a row belongs to."""
    return row & (1 << STEP_BITS) - 1


def crc_of_step(row: int, loss: float, norm: float, clipped_norm: float, layers: bytes) -> int:
    """The checksum of a step's row."""
    return zlib.crc32(layers, zlib.crc32(_STEP_HEAD.pack(row, loss, norm, clipped_norm)))


def crc_of_body(row: int, body: bytes) -> int:
    """The checksum of a row of any other table."""
    return zlib.crc32(body, zlib.crc32(_ID.pack(row)))


def to_json(content: Any) -> bytes:
    """JSON text."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def from_json(body: bytes, what: str) -> dict[str, Any]:
    """The object that a JSON text holds; raises `RecordingError`, in which ``what`` names the text."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{what} of the recording cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise RecordingError(f"{what} of the recording is no JSON object.")
    return content
