"""Rows of a recording whose tables are damaged, found page by page: what SQLite itself will not read any more.

In SQLite's file format (sqlite.org/fileformat2.html) the rows of a table lie in leaf pages, each complete by itself; long rows go on in
chains of overflow pages. Every row of a recording has an id that tells its table, and a checksum that tells whether it is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradviz.recording_format import PAGE_SIZE, STEPS, TABLES, kind_of

LEAF = 0x0D  # first byte of a leaf page of a table
MAGIC = b"SQLite format 3\0"
READ_AT_MOST = 3  # times the file's size: rows that share their overflow pages would otherwise be read without end

_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type -> bytes
_FLOAT = struct.Struct(">d")

Row = tuple[Any, ...]


class SalvagedRows:
    """The rows that can be found in a damaged file, sorted by their ids; which of them are whole their checksums tell."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when the file cannot be read."""
        self._path = path
        self._size = path.stat().st_size
        self._places: dict[int, tuple[int, int]] = {}  # id -> (page, place of the cell in it)
        with path.open("rb") as file:
            for page in range(self._size // PAGE_SIZE + 1):
                self._look_through(page, file.read(PAGE_SIZE))
        self._ids = sorted(self._places)

    def select(self, kind: int, first: int, last: int) -> Iterator[Row]:
        """The rows of a table with ids from ``first`` to ``last``, in order."""
        left = READ_AT_MOST * self._size + PAGE_SIZE
        with self._path.open("rb") as file:
            for row in self._ids:
                if kind_of(row) == kind and first <= row <= last:
                    found = self._read(file, row)
                    left -= sum(len(value) for value in found or () if isinstance(value, bytes)) + 64
                    if left < 0:
                        return
                    if found is not None:
                        yield found

    def _look_through(self, number: int, page: bytes) -> None:
        start = 100 if number == 0 else 0  # the first page begins with the file's header
        if len(page) < start + 8 or page[start] != LEAF:
            return
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        for entry in range(start + 8, min(start + 8 + 2 * count, len(page) - 1), 2):
            at = int.from_bytes(page[entry : entry + 2], "big")
            _, behind = _varint(page, at)
            row, behind = _varint(page, behind)
            if behind <= len(page) and 0 <= kind_of(row) < len(TABLES):
                self._places[row] = number, at

    def _read(self, file: Any, row: int) -> Row | None:
        number, at = self._places[row]
        file.seek(number * PAGE_SIZE)
        page = file.read(PAGE_SIZE)
        length, at = _varint(page, at)
        _, at = _varint(page, at)
        if length > self._size:
            return None
        local = _local_bytes(length)
        payload = page[at : at + local]
        if length > local:
            payload = self._overflowing(file, payload, int.from_bytes(page[at + local : at + local + 4], "big"), length)
        if len(payload) != length:
            return None
        values = _values(payload)
        if values is None or len(values) != (6 if kind_of(row) == STEPS else 3):
            return None
        return (row, *values[1:])

    def _overflowing(self, file: Any, payload: bytes, following: int, length: int) -> bytes:
        parts, have, most = [payload], len(payload), self._size // PAGE_SIZE + 1
        while have < length and 0 < following <= most:
            file.seek((following - 1) * PAGE_SIZE)
            page = file.read(PAGE_SIZE)
            if len(page) < PAGE_SIZE:
                break
            following = int.from_bytes(page[:4], "big")
            parts.append(page[4 : 4 + length - have])
            have += len(parts[-1])
        return b"".join(parts)


def _local_bytes(length: int) -> int:
    """How much of a row of this length lies in its leaf page."""
    most, least = PAGE_SIZE - 35, (PAGE_SIZE - 12) * 32 // 255 - 23
    if length <= most:
        return length
    fitting = least + (length - least) % (PAGE_SIZE - 4)
    return fitting if fitting <= most else least


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends; beyond the page it is read as 0."""
    value = 0
    for place in range(8):
        byte = page[at + place] if at + place < len(page) else 0
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    byte = page[at + 8] if at + 8 < len(page) else 0
    value = value << 8 | byte
    return value - (1 << 64) if value >> 63 else value, at + 9


def _values(payload: bytes) -> list[Any] | None:
    """The columns of a record; None for one that makes no sense."""
    end, at = _varint(payload, 0)
    if end > len(payload):
        return None
    values: list[Any] = []
    body = end
    while at < end and len(values) < 8:
        kind, at = _varint(payload, at)
        if kind in _INTEGERS:
            size = _INTEGERS[kind]
            values.append(int.from_bytes(payload[body : body + size], "big", signed=True))
        elif kind == 7:
            size = 8
            if body + size > len(payload):
                return None
            values.append(_FLOAT.unpack_from(payload, body)[0])
        elif kind in (0, 8, 9):
            size = 0
            values.append({0: None, 8: 0, 9: 1}[kind])
        elif kind >= 12:
            size = (kind - 12) // 2
            values.append(payload[body : body + size])
        else:
            return None
        body += size
        if body > len(payload):
            return None
    return values
