"""Reads a table of numbers with one target column from CSV text, and says precisely what is wrong when it cannot.

The same code reads the sets that come with the program and the user's own files. Rows and columns are named as a
spreadsheet counts them: from 1, the header being row 1.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gradviz.csv_rows import Cells, DataError, counted, delimiter_of, quoted, read_bytes, rows, shortened, wrong

MAX_ROWS = 200_000
MAX_CLASSES = 100
MIN_ROWS = 5
MAX_INTEGER_CLASSES = 20  # a whole-number target with more distinct values than this is a quantity, not a label
LONGEST_NAME = 60  # characters of a column or class name that are kept
LARGEST = 1e150  # the square of anything larger overflows, and with it the standard deviation

Number = Callable[[str], float]


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read: nothing scaled, nothing split.

    Attributes:
        inputs: (rows, columns without the target) float64, all finite; of sequences (rows, time, features).
        targets: (rows,) int64 class numbers, or (rows, 1) float64.
        input_names: one per column of ``inputs``.
        class_names: one per class; empty for regression.
        lengths: (rows,) how many time steps of each sequence, the last ones, are real; None when all are.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.int64] | NDArray[np.float64]
    input_names: tuple[str, ...]
    class_names: tuple[str, ...]
    lengths: NDArray[np.int64] | None = None


def read_file(path: str, target: str = "") -> Table:
    """Read the CSV file at ``path``; see `parse` for what is accepted.

    Raises:
        DataError: and nothing else, whatever the file holds.
    """
    if not path:
        raise DataError("No file is chosen. Choose a CSV file, or another data set.")
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise wrong(f"Row {row} is not UTF-8 text", "Save the table as “CSV UTF-8” and open it again.") from None
    return parse(text, target)


def parse(text: str, target: str = "") -> Table:
    """Read a table from CSV text.

    The delimiter is whichever of comma, semicolon and tab splits the rows evenly; with semicolons a decimal comma is
    accepted. The header may be missing: the first row is one if a cell of it is not a number, except that a label in
    the target column alone does not make it one when the row below has a label there too.

    Args:
        text: the table.
        target: name or number (from 1) of the column to predict; the last one if empty. It holds text or at most 20
            different whole numbers or just two different values (classes), or else numbers (regression).

    Raises:
        DataError: naming row and column.
    """
    delimiter = delimiter_of(text)
    source = rows(text, delimiter)
    first_number, first = next(source, (0, []))
    if not first:
        raise wrong("The file is empty", "Choose a table with one example per row.")
    if len(first) < 2:
        raise wrong(
            "The file has only one column",
            "A table needs at least one input column and one target column, separated by commas, semicolons or tabs.",
        )
    width = len(first)
    number = _decimal_comma if delimiter == ";" else _strict if "_" in text else float
    second_number, second = next(source, (0, []))
    names, column, headed = _columns(first, second, target, number)

    values = array("d")
    answers: Cells = []
    numbers: list[int] = []  # spreadsheet row of each example
    head = [(first_number, first)] * (not headed) + [(second_number, second)] * bool(second)
    for row, cells in chain(head, source):
        if len(cells) != width:
            raise wrong(
                f"Row {row} has {counted(len(cells), 'cell')}, but row {first_number} has {width}",
                "Every row must have the same number of columns.",
            )
        if len(numbers) == MAX_ROWS:
            raise wrong(f"The file has more than {MAX_ROWS:,} rows", "Keep a part of them.")
        answers.append(cells.pop(column).strip())
        numbers.append(row)
        try:
            values.extend(map(number, cells))
        except ValueError:
            raise _not_a_number(row, cells, column, names, number) from None
    if len(numbers) < MIN_ROWS:
        raise wrong(f"The file has only {counted(len(numbers), 'example')}", f"At least {MIN_ROWS} are needed.")
    inputs = np.array(values, dtype=np.float64).reshape(len(numbers), width - 1)
    input_names = names[:column] + names[column + 1 :]
    bad = np.argwhere(~(np.abs(inputs) <= LARGEST))
    if len(bad):
        row, place = (int(n) for n in bad[0])
        raise _unusable(inputs[row, place], numbers[row], place + (place >= column), names)
    targets, class_names = _targets(answers, numbers, column, names, number)
    return Table(inputs, targets, tuple(input_names), class_names)


def _columns(first: Cells, second: Cells, target: str, number: Number) -> tuple[list[str], int, bool]:
    """Names of all columns, index of the target, and whether the first row is a header."""
    stripped = [cell.strip() for cell in first]
    wanted = target.strip()
    texts = [index for index, cell in enumerate(stripped) if not _is_number(cell, number)]
    if wanted and wanted in stripped and texts:
        column, headed = stripped.index(wanted), True
    else:
        column = _column_number(wanted, stripped if texts and texts != [len(first) - 1] else [], len(first))
        labelled = texts == [column] and len(second) == len(first) and not _is_number(second[column].strip(), number)
        headed = bool(texts) and not labelled
    names = [shortened(cell, LONGEST_NAME) if headed and cell else f"column {index}" for index, cell in enumerate(stripped, 1)]
    return names, column, headed


def _column_number(wanted: str, names: Cells, columns: int) -> int:
    if not wanted:
        return columns - 1
    if wanted.isdecimal() and len(wanted) < 9 and 1 <= int(wanted) <= columns:
        return int(wanted) - 1
    listed = ", ".join(shortened(name, 20) for name in names[:8] if name) + (", …" if len(names) > 8 else "")
    there = f"It has the columns {listed}" if listed else "It has no header"
    raise wrong(f"The file has no column {quoted(wanted)}", f"{there}; give a name, or a number from 1 to {columns}.")


def _targets(
    answers: Cells, rows: list[int], column: int, names: list[str], number: Number
) -> tuple[NDArray[np.int64] | NDArray[np.float64], tuple[str, ...]]:
    """Class numbers and names, or numbers and no names."""
    where = _where(column, names)
    if "" in answers:
        raise _empty(rows[answers.index("")], column, names)
    kinds = set(answers)
    numeric = {kind: number(kind) for kind in kinds if _is_number(kind, number)}
    if len(numeric) == len(kinds):
        for kind, value in numeric.items():
            if not abs(value) <= LARGEST:
                raise _unusable(value, rows[answers.index(kind)], column, names)
        distinct = sorted(set(numeric.values()))
        whole = len(distinct) <= MAX_INTEGER_CLASSES and all(value.is_integer() for value in distinct)
        if len(distinct) > 2 and not whole:
            return np.array([numeric[kind] for kind in answers], dtype=np.float64)[:, None], ()
        place = {value: index for index, value in enumerate(distinct)}
        index_of = {kind: place[value] for kind, value in numeric.items()}
        class_names = tuple(f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:g}" for value in distinct)
    else:
        if len(kinds) > MAX_CLASSES:
            stray = next(kind for kind in answers if kind not in numeric)
            if 2 * len(numeric) > len(kinds):  # mostly numbers: a column to be predicted as a quantity, with a slip in it
                raise _stray(rows[answers.index(stray)], column, names, stray)
            raise wrong(f"{where} holds {len(kinds):,} different labels, more than {MAX_CLASSES}", "Choose another target column.")
        class_names = tuple(sorted(kinds))
        index_of = {kind: index for index, kind in enumerate(class_names)}
    if len(class_names) < 2:
        raise wrong(
            f"{where} holds only one value, {quoted(class_names[0])}, so there is nothing to tell apart", "Choose another target column."
        )
    labels = np.array([index_of[kind] for kind in answers], dtype=np.int64)
    return labels, tuple(shortened(name, LONGEST_NAME) for name in class_names)


def _strict(cell: str) -> float:
    """Python reads 1_000 as a number; a table that holds it does not mean one."""
    if "_" in cell:
        raise ValueError(cell)
    return float(cell)


def _decimal_comma(cell: str) -> float:
    return _strict(cell.replace(",", ".") if "." not in cell else cell)


def _is_number(cell: str, number: Number) -> bool:
    try:
        number(cell)
    except ValueError:
        return False
    return True


def _not_a_number(row: int, inputs: Cells, target: int, names: list[str], number: Number) -> DataError:
    place = next(index for index, cell in enumerate(inputs) if not _is_number(cell, number))
    column = place + (place >= target)
    cell = inputs[place].strip()
    return _stray(row, column, names, cell) if cell else _empty(row, column, names)


def _stray(row: int, column: int, names: list[str], cell: str) -> DataError:
    return wrong(
        f"Row {row}, {_where(column, names, start=False)} says {quoted(cell)}, which is not a number",
        "Correct the cell, or delete the row or the column.",
    )


def _empty(row: int, column: int, names: list[str]) -> DataError:
    return wrong(f"Row {row}, {_where(column, names, start=False)} is empty", "Fill the cell, or delete the row or the column.")


def _unusable(value: float, row: int, column: int, names: list[str]) -> DataError:
    what = "is not a finite number" if not math.isfinite(value) else f"is {value:g}, too large to compute with"
    return wrong(f"Row {row}, {_where(column, names, start=False)} {what}", "Correct the cell, or delete the row.")


def _where(column: int, names: list[str], *, start: bool = True) -> str:
    word = "Column" if start else "column"
    named = "" if names[column] == f"column {column + 1}" else f" ({shortened(names[column], 30)})"
    return f"{word} {column + 1}{named}"
