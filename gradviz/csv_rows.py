"""Reads the rows of a CSV file: only bytes, cells and their number, nothing of what they mean.

Files are taken as hostile: whatever they hold, reading ends soon, in bounded memory, with rows or a `DataError`.
"""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MAX_BYTES = 50_000_000
MAX_COLUMNS = 1_024
MAX_LINES = 1_000_000  # with the blank ones
SAMPLE_CHARACTERS, SAMPLE_ROWS = 200_000, 20  # the delimiter is told from these

Cells = list[str]


class DataError(ValueError):
    """Data that cannot be used; the message says what is wrong, where, and what to do about it."""


def read_bytes(path: str) -> bytes:
    """The bytes of a regular file of acceptable size; devices and pipes, which may never end, are not opened."""
    shown = shortened(path, 120)
    try:
        file = Path(path).expanduser()
        found = file.stat()
        if stat.S_ISDIR(found.st_mode):
            raise wrong(f"{shown} is a folder", "Choose a CSV file in it.")
        if not stat.S_ISREG(found.st_mode):
            raise wrong(f"{shown} is not an ordinary file", "Choose a CSV file.")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise wrong(f"There is no file {shown}", "Choose another one.") from None
    except DataError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise wrong(f"{shown} cannot be read ({reason})", "Choose another file.") from None
    if len(content) > MAX_BYTES:
        raise wrong(f"{shown} is larger than {MAX_BYTES // 1_000_000} MB", "Keep a part of its rows.")
    return content


def rows(text: str, delimiter: str) -> Iterator[tuple[int, Cells]]:
    """The rows that are not blank, with their numbers from 1; raises `DataError` on the way."""
    row = 0
    try:
        for row, cells in enumerate(csv.reader(_bounded_lines(text, delimiter), delimiter=delimiter), 1):
            if any(cells) and not all(map(str.isspace, filter(None, cells))):
                yield row, cells
    except csv.Error as error:
        raise wrong(f"Row {row + 1} is not CSV ({error})", "Perhaps a quotation mark is not closed.") from None


def _bounded_lines(text: str, delimiter: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline="")):
        if number == MAX_LINES:
            raise wrong(f"The file has more than {MAX_LINES:,} lines", "Keep a part of them.")
        # Counted before the line is taken apart, so that millions of delimiters in one line cost no memory. A quoted
        # cell may hold some that do not count, hence the margin.
        if line.count(delimiter) > 2 * MAX_COLUMNS or (line.count(delimiter) >= MAX_COLUMNS and '"' not in line):
            raise wrong(f"A row has more than {MAX_COLUMNS:,} columns", "Keep the columns that matter.")
        yield line


def delimiter_of(text: str) -> str:
    """Tab, semicolon or comma: that which gives most of the first rows the width of the first one.

    At a draw the earlier wins: where semicolons separate, the commas are those of decimal fractions.
    """
    sample = text[:SAMPLE_CHARACTERS]
    best, best_score = ",", 0
    for delimiter in "\t;,":
        widths = _widths(sample, delimiter)
        score = widths.count(widths[0]) if widths and widths[0] > 1 else 0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _widths(sample: str, delimiter: str) -> list[int]:
    try:
        return [len(cells) for cells in islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), SAMPLE_ROWS) if cells]
    except csv.Error:
        return []  # not the delimiter, or reading the rows will say what is wrong


def wrong(what: str, remedy: str) -> DataError:
    """The error of a file: what is wrong and what to do, both without a full stop at the end of the first."""
    return DataError(f"{what}. {remedy} Nothing was changed.")


def quoted(text: str) -> str:
    """Text of a file within a message: printable, and not longer than a cell usually is."""
    return f"“{shortened(text, 40)}”"


def shortened(text: str, length: int) -> str:
    clean = "".join(letter if letter.isprintable() else "�" for letter in text[: length + 1])
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
