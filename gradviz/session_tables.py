"""The files that a session was trained with: what tells one from another, and where to look for one that is not where it was.

They are the tables of the user's own, and weights that a run begins with. A run trained again on other numbers is another run, so that a
file that has changed is refused, and one that cannot be found is asked for.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from gradviz.csv_rows import DataError, read_bytes
from gradviz.first_weights import MARK
from gradviz.session_file import SessionFile, SessionFileError, Settings, TableMark
from gradviz.spec import Spec


class TableError(SessionFileError):
    """A table that a session needs is not there or is another one; ``path`` is where it was."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(Path(path).name or "the table", problem)
        self.path = path

    def __reduce__(self) -> tuple[type[TableError], tuple[str, str]]:
        return TableError, (self.path, self.problem)


def tables_of(session: SessionFile) -> tuple[str, ...]:
    """The paths of the CSV files that the session was trained on and of the weights that it begins with, each once."""
    settings = session.settings + (session.left.settings if session.left is not None else ())
    tables = (item.spec.data.path for item in settings if item.spec.data.name == "csv" and item.spec.data.path)
    others = tables_of(session.against) if session.against is not None else ()
    return tuple(dict.fromkeys((*tables, *_weights_of(session), *others)))


def _weights_of(session: SessionFile) -> tuple[str, ...]:
    """The path of the weights that the run begins with; what is no path is told when the run begins."""
    found = MARK.fullmatch(session.settings[0].spec.network.weights_from)
    return () if found is None else (found[2],)


def mark_of(path: str) -> TableMark:
    """What tells the table from others; raises `DataError` when it cannot be read."""
    content = read_bytes(path)
    return TableMark(path, len(content), zlib.crc32(content), content.count(b"\n"))


def beside(session: SessionFile, folder: Path) -> SessionFile:
    """The session with the places of its tables as seen from the folder that it is written to."""

    def relative(mark: TableMark) -> TableMark:
        try:
            return msgspec.structs.replace(mark, relative=os.path.relpath(Path(mark.path).expanduser().absolute(), folder.absolute()))
        except ValueError:  # on another drive
            return mark

    return msgspec.structs.replace(session, tables=tuple(map(relative, session.tables)))


def find_tables(session: SessionFile, folder: Path | None) -> SessionFile:
    """The session with each table where it is: where it was, else as seen from ``folder``, that of the session file, else in it.

    Raises:
        TableError: for one that is in none of these places, or has changed.
    """
    marks = {mark.path: mark for mark in session.tables}
    for path in tables_of(session):
        mark = marks.get(path)
        places = [Path(path).expanduser()]
        if folder is not None:
            places += [folder / mark.relative] if mark is not None and mark.relative else []
            places.append(folder / Path(path).name)
        there = [place for place in dict.fromkeys(places) if place.is_file()]
        if not there:
            looked = " or ".join(f"{place}" for place in dict.fromkeys(place.parent for place in places))
            weights = _weights_of(session) + (_weights_of(session.against) if session.against is not None else ())
            what = "file of the weights that the run begins with" if path in weights else "table that the run was trained on"
            raise TableError(path, f"the {what} is not in {looked}. Put it there again.")
        fitting = [place for place in there if mark is None or _fits(mark, place)]
        if not fitting:
            assert mark is not None, "without a mark every table fits"
            raise TableError(path, _changed(mark, there[0]))
        session = with_table(session, path, fitting[0])
    return session


def with_table(session: SessionFile, path: str, place: Path) -> SessionFile:
    """The session with a table that was at ``path`` at another place; raises `TableError` when it is another table."""
    marks = {mark.path: mark for mark in session.tables}
    if path in marks and not _fits(marks[path], place):
        raise TableError(path, _changed(marks[path], place))
    if str(place) == path:
        return session

    def moved(spec: Spec) -> Spec:
        found = MARK.fullmatch(spec.network.weights_from)
        if found is not None and found[2] == path:
            weights = f"{found[1]} {place.absolute()}"
            spec = msgspec.structs.replace(spec, network=msgspec.structs.replace(spec.network, weights_from=weights))
        return spec.replace("data.path", str(place)) if spec.data.name == "csv" and spec.data.path == path else spec

    left = session.left
    if left is not None:
        left = msgspec.structs.replace(left, settings=_each(left.settings, moved))
    tables = tuple(msgspec.structs.replace(mark, path=str(place)) if mark.path == path else mark for mark in session.tables)
    against = with_table(session.against, path, place) if session.against is not None else None
    return msgspec.structs.replace(session, settings=_each(session.settings, moved), left=left, tables=tables, against=against)


def _each(settings: tuple[Settings, ...], moved: Callable[[Spec], Spec]) -> tuple[Settings, ...]:
    return tuple(Settings(item.step, moved(item.spec)) for item in settings)


def _fits(mark: TableMark, place: Path) -> bool:
    try:
        found = mark_of(str(place))
    except DataError:
        return False
    return (found.bytes, found.crc32) == (mark.bytes, mark.crc32)


def _changed(mark: TableMark, place: Path) -> str:
    try:
        found = mark_of(str(place))
    except DataError as error:
        return str(error)
    sizes = f"{found.bytes:,} bytes in {found.lines:,} lines instead of {mark.bytes:,} in {mark.lines:,}"
    what = "other numbers" if (found.bytes, found.lines) == (mark.bytes, mark.lines) else sizes
    return f"{place} is not the file any more that the run was trained with: it has {what}. Put the former one back."
