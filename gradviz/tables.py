"""Reads a table of numbers from a CSV file; whatever is wrong with the file becomes one clear message."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.data import DataError, Raw

MOST_BYTES = 50_000_000
MOST_ROWS = 200_000
MOST_COLUMNS = 1024
MOST_CLASSES = 100
FEWEST_ROWS = 5
CLASS_VALUES = 20  # a column of whole numbers with at most so many different ones is taken for classes


def read_table(path: Path, target: str) -> Raw:
    """Read a CSV file: a header if there is one, numbers in every column, one column to predict.

    Args:
        path: the file; UTF-8, columns apart by comma, semicolon or tab; a decimal comma is read where the semicolon separates.
        target: name or 1-based number of the column to predict; empty for the last one. It may hold words.

    Raises:
        DataError: naming row and column as a spreadsheet counts them, from 1.
    """
    rows, numbers_of_rows, delimiter = _read_rows(path)
    header = rows[0] if any(_number(cell, delimiter) is None for cell in rows[0]) and _looks_like_header(rows, delimiter) else None
    names = tuple(cell.strip() or f"column {i}" for i, cell in enumerate(header, 1)) if header else tuple(f"x{i}" for i in range(1, len(rows[0]) + 1))
    body, numbers_of_rows = (rows[1:], numbers_of_rows[1:]) if header else (rows, numbers_of_rows)
    if len(names) < 2:
        raise DataError(f"{path.name} has one column; it needs at least one to learn from and one to predict.")
    if len(body) < FEWEST_ROWS:
        raise DataError(f"{path.name} has {len(body)} rows of data; at least {FEWEST_ROWS} are needed.")
    chosen = _target_column(path, names, target)
    inputs = np.empty((len(body), len(names) - 1))
    for index, row in enumerate(body):
        cells = row[:chosen] + row[chosen + 1 :]
        for column, cell in enumerate(cells):
            value = _number(cell, delimiter)
            if value is None or not math.isfinite(value):
                place = column if column < chosen else column + 1
                raise _bad_cell(path, numbers_of_rows[index], place, names[place], cell)
            inputs[index, column] = value
    targets, classes = _targets(path, [row[chosen] for row in body], numbers_of_rows, chosen, names[chosen], delimiter)
    return Raw(inputs, targets, names[:chosen] + names[chosen + 1 :], classes)


def _read_rows(path: Path) -> tuple[list[list[str]], list[int], str]:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise DataError(f"{path} is a folder, not a file.")
        if size > MOST_BYTES:
            raise DataError(f"{path.name} has {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} MB are read.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise DataError(f"{path.name} is not text in UTF-8. Save it as CSV (UTF-8) and try again.") from None
    if "\0" in text:
        raise DataError(f"{path.name} is not a text file.")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    rows, numbers = [], []
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if rows and len(row) != len(rows[0]):
                raise DataError(f"{path.name}, row {reader.line_num}, has {len(row)} columns, but the first row has {len(rows[0])}.")
            if len(row) > MOST_COLUMNS:
                raise DataError(f"{path.name} has {len(row):,} columns; at most {MOST_COLUMNS:,} are read.")
            if len(rows) > MOST_ROWS:
                raise DataError(f"{path.name} has more than {MOST_ROWS:,} rows; give a part of it.")
            rows.append(row)
            numbers.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path.name}, row {reader.line_num}, cannot be read as CSV: {error}.") from None
    if not rows:
        raise DataError(f"{path.name} is empty.")
    return rows, numbers, delimiter


def _looks_like_header(rows: list[list[str]], delimiter: str) -> bool:
    """A first row with a word in a column that holds a number in the second row; or nothing but words."""
    words = [_number(cell, delimiter) is None for cell in rows[0]]
    if all(words) or len(rows) < 2:
        return True
    return any(word and _number(below, delimiter) is not None for word, below in zip(words, rows[1], strict=True))


def _number(cell: str, delimiter: str) -> float | None:
    text = cell.strip()
    if delimiter == ";" and "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _target_column(path: Path, names: tuple[str, ...], target: str) -> int:
    wanted = target.strip()
    if not wanted:
        return len(names) - 1
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    raise DataError(f"{path.name} has no column “{wanted[:40]}”. Its columns are {listed}; a number from 1 to {len(names)} works too.")


def _targets(
    path: Path, cells: list[str], numbers_of_rows: list[int], column: int, name: str, delimiter: str
) -> tuple[NDArray[Any], tuple[str, ...]]:
    values = [_number(cell, delimiter) for cell in cells]
    words = sum(value is None for value in values)
    for row, cell, value in zip(numbers_of_rows, cells, values, strict=True):
        # one odd cell among numbers is a slip; a column of words holds classes
        if not cell.strip() or (value is not None and not math.isfinite(value)) or (value is None and words <= len(cells) // 2):
            raise _bad_cell(path, row, column, name, cell)
    if words:
        labels = [cell.strip() for cell in cells]
    else:
        numbers = np.array(values, float)
        different = np.unique(numbers)
        if len(different) > CLASS_VALUES or (len(different) > 2 and not np.array_equal(different, np.rint(different))):
            return numbers[:, None], ()
        labels = [f"{value:g}" for value in numbers]
    classes = sorted(set(labels), key=lambda label: (_number(label, ",") is None, _number(label, ",") or 0.0, label))
    if len(classes) == 1:
        raise DataError(f"{path.name}, column {column + 1} ({name}), is “{classes[0][:40]}” in every row; there is nothing to learn.")
    if len(classes) > MOST_CLASSES:
        raise DataError(f"{path.name}, column {column + 1} ({name}), has {len(classes):,} different words; at most {MOST_CLASSES} classes.")
    index = {label: number for number, label in enumerate(classes)}
    return np.array([index[label] for label in labels], np.int64), tuple(classes)


def _bad_cell(path: Path, row: int, column: int, name: str, cell: str) -> DataError:
    shown = cell.strip()[:40]
    said = f"says “{shown}”, which is not a number" if shown else "is empty"
    return DataError(f"{path.name}: row {row}, column {column + 1} ({name[:40]}) {said}. Nothing was changed.")
