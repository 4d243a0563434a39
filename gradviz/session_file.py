"""Session files (``.gradviz.json``) and their short text form: what a run was, where it stands, and how it was looked at.

A run is its first settings, what was changed after which step, and how far it went: trained again, it is the same bit for bit.
Files and texts are taken as hostile: whatever they hold, reading ends soon, in bounded memory, with a session or a
`SessionFileError`.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gradviz.messages import Left
from gradviz.nesting import deeper_than
from gradviz.safe_write import write_safely
from gradviz.spec import Spec, SpecError, all_fields, field_info
from gradviz.view import View

SUFFIX = ".gradviz.json"
FORMAT = "gradviz-session"
VERSION = 2  # which a file has that holds two runs; one of a single run is of version 1, as it always was
MAX_BYTES = 5_000_000
MAX_STEP = 10_000_000
MAX_CHANGES = 20_000
MAX_TABLES = 100
MAX_SET_VALUES = 10_000  # parameters set by hand
MAX_NOTES, MAX_TITLE = 200_000, 500  # characters
MAX_DEPTH = 16  # of objects in objects; a session needs 4
TEXT_WIDTH = 76  # mail programs break longer lines

Step = Annotated[int, Meta(ge=0, le=MAX_STEP)]


class SessionFileError(ValueError):
    """A session that cannot be opened; the message says what is wrong, where, and what is allowed."""

    def __init__(self, where: str, problem: str) -> None:
        self.where, self.problem = where, problem
        super().__init__(f"{where}: {problem}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (SessionFileError, (self.where, self.problem))


class Settings(msgspec.Struct, frozen=True):
    """What was in force from after ``step`` on."""

    step: int
    spec: Spec


class LeftRun(msgspec.Struct, frozen=True):
    """The line that the run has left, shown beside it; see `gradviz.messages.Left`."""

    settings: tuple[Settings, ...]
    last_step: int
    fork: int
    returned: bool = False


class TableMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What tells a table of the user's own from others; see `gradviz.session_tables`."""

    path: Annotated[str, Meta(max_length=4096)]  # as the settings name it
    bytes: Annotated[int, Meta(ge=0, le=100_000_000)]
    crc32: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
    lines: Annotated[int, Meta(ge=0, le=100_000_000)]
    relative: Annotated[str, Meta(max_length=4096)] = ""  # as seen from the folder of the session file


class SessionFile(msgspec.Struct, frozen=True):
    """A run and how it is looked at.

    ``settings`` begin at step 0; ``last_step`` is how far the run has gone, ``step`` where it stands, and ``phases`` how many phases
    of the step that follows have been walked through.
    """

    settings: tuple[Settings, ...]
    step: int = 0
    last_step: int = 0
    phases: int = 0
    title: str = ""
    notes: str = ""
    view: View = View()
    left: LeftRun | None = None
    tables: tuple[TableMark, ...] = ()  # of those that are files of the user's own, of both runs
    against: SessionFile | None = None  # the run beside it while two are compared; the words and the view are those of both

    @property
    def left_line(self) -> Left | None:
        """The line that was left, as `Experiment.follow` takes it."""
        left = self.left
        if left is None:
            return None
        return Left(tuple((item.step, item.spec) for item in left.settings), left.last_step, left.fork, left.returned)

    @property
    def spec(self) -> Spec:
        """The settings in force where the run stands."""
        return next(item.spec for item in reversed(self.settings) if item.step <= self.step)


def run_from(spec: Spec) -> SessionFile:
    """A run with these settings that stands at its beginning."""
    return SessionFile((Settings(0, spec),))


class _Header(msgspec.Struct, frozen=True):
    format: str = ""
    version: int = 0


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: Step
    set: dict[str, Any]


class _Left(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    last_step: Step
    fork: Step
    returned: bool = False
    changes: Annotated[tuple[_Change, ...], Meta(max_length=MAX_CHANGES)] = ()


class _Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is written of a run beside its first settings."""

    step: Step = 0
    last_step: Step | None = None
    phases: Annotated[int, Meta(ge=0, le=10_000)] = 0
    changes: Annotated[tuple[_Change, ...], Meta(max_length=MAX_CHANGES)] = ()
    left: _Left | None = None


class _Against(_Run, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The second run: what is different in its first settings from those of the first."""

    set: dict[str, Any] = {}


class _File(_Run, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file as it is written."""

    format: str
    version: int
    title: Annotated[str, Meta(max_length=MAX_TITLE)] = ""
    notes: Annotated[str, Meta(max_length=MAX_NOTES)] = ""
    spec: dict[str, Any] = {}
    against: _Against | None = None
    tables: Annotated[tuple[TableMark, ...], Meta(max_length=MAX_TABLES)] = ()
    view: View = View()


# ---- files


def left_of(left: Left | None) -> LeftRun | None:
    """The line that was left, as `Experiment.left` gives it, for a session."""
    return None if left is None else LeftRun(tuple(Settings(*item) for item in left.settings), left.last_step, left.fork, left.returned)


def encode(session: SessionFile) -> bytes:
    """The session as readable JSON; raises `SessionFileError` when it has more of something than a file may have."""
    raw = {
        "format": FORMAT,
        "version": _version(session),
        "title": session.title,
        "notes": session.notes,
        **_plain_run(session),
        "view": _plain_view(session.view),
        "tables": msgspec.to_builtins(session.tables),
        "spec": msgspec.to_builtins(session.settings[0].spec),
        **_plain_against(session),
    }
    content = msgspec.json.format(msgspec.json.encode(raw), indent=2) + b"\n"
    decode(content, "this session")  # what is written can be read again
    return content


def decode(content: bytes, name: str) -> SessionFile:
    """Read a session; ``name`` is what messages call it. Raises `SessionFileError`."""
    if len(content) > MAX_BYTES:
        raise SessionFileError(name, f"it has {len(content):,} bytes; a session has at most {MAX_BYTES:,}")
    _check_nesting(content, name)
    header = _convert(content, _Header, name)
    if header.format != FORMAT:
        raise SessionFileError(name, f"it is no GradViz session: “format” has to be “{FORMAT}”")
    if header.version > VERSION:
        raise SessionFileError(name, f"it was made by a newer GradViz (version {header.version} of the format; this one reads {VERSION})")
    if header.version < 1:
        raise SessionFileError(name, f"there is no version {header.version} of the format; versions count from 1 to {VERSION}")
    return _session(_convert(content, _File, name), name)


def read_session(path: Path | str) -> SessionFile:
    """Read a session file; raises `SessionFileError`, also when there is no such file."""
    path = Path(path)
    try:
        if not path.is_file():
            raise SessionFileError(_short(path), "there is no such file" if not path.exists() else "it is not an ordinary file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SessionFileError):
            raise
        raise SessionFileError(_short(path), f"it cannot be read ({getattr(error, 'strerror', None) or error})") from None
    return decode(content, path.name)


def write_session(session: SessionFile, path: Path | str) -> None:
    """Write a session file, whole or not at all.

    Raises:
        OSError: when it cannot be written; what was there before is untouched.
        SessionFileError: when the session is too large for a file.
    """
    write_safely(path, encode(session))


# ---- text


def to_text(session: SessionFile) -> str:
    """The session as a few lines to be pasted into a mail: what differs from the defaults, packed, with a check sum."""
    raw: dict[str, Any] = {
        "spec": _differing(Spec(), session.settings[0].spec),
        **_plain_run(session),
        "last_step": session.last_step if session.last_step != session.step else None,
        "tables": msgspec.to_builtins(session.tables),
        **_plain_against(session),
        "title": session.title,
        "notes": session.notes,
        "view": _plain_view(session.view),
    }
    packed = zlib.compress(msgspec.json.encode({key: value for key, value in raw.items() if value}), 9)
    body = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    text = f"gradviz:{_version(session)}:{body}:{zlib.crc32(packed):08x}"
    from_text(text)  # what is written can be read again
    return "\n".join(text[start : start + TEXT_WIDTH] for start in range(0, len(text), TEXT_WIDTH)) + "\n"


_TEXT = re.compile(r"gradviz:(\d{1,6}):([A-Za-z0-9_-]*):([0-9a-f]{8})")
_BEGIN = re.compile(r"gradviz:\d")
_QUOTING = re.compile(r"^[ \t>|]+", re.MULTILINE)


def holds_session(text: str) -> bool:
    """Whether there is one in the text, whole or not."""
    return _BEGIN.search(text) is not None


def from_text(text: str) -> SessionFile:
    """Read what `to_text` has written, also out of a mail that quotes it or breaks its lines. Raises `SessionFileError`."""
    where = "The text"
    if len(text) > 2 * MAX_BYTES:
        raise SessionFileError(where, f"it has {len(text):,} characters; a session has fewer")
    begin = _BEGIN.search(text)
    if begin is None:
        raise SessionFileError(where, "it holds no session; one begins with “gradviz:1:”")
    match = _TEXT.match(re.sub(r"\s+", "", _QUOTING.sub("", text[begin.start() :])))
    if match is None:
        raise SessionFileError(where, "it is cut off or altered; copy it whole, to the last letter")
    version, body, check = match.groups()
    if int(version) > VERSION:
        raise SessionFileError(where, f"it was made by a newer GradViz (version {version} of the format; this one reads {VERSION})")
    if int(version) < 1:
        raise SessionFileError(where, f"there is no version {version} of the format")
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        raise SessionFileError(where, "it is cut off or altered; copy it whole") from None
    if zlib.crc32(packed) != int(check, 16):
        raise SessionFileError(where, "its check sum does not fit: it is cut off or altered; copy it whole")
    raw = _convert(_unpack(packed, where), dict[str, Any], where)
    sections = msgspec.to_builtins(Spec())
    for path, value in _as_dict(raw.pop("spec", {}), "spec", where).items():
        section, name = _path(path, where)
        sections[section][name] = value
    content = msgspec.json.encode({"format": FORMAT, "version": VERSION, **raw, "spec": sections})
    return decode(content, where)


def _unpack(packed: bytes, where: str) -> bytes:
    """What was compressed, as far as it is not too much: a few bytes can stand for gigabytes."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, MAX_BYTES + 1)
    except zlib.error as error:
        raise SessionFileError(where, f"it cannot be unpacked ({error})") from None
    if len(content) > MAX_BYTES:
        raise SessionFileError(where, f"unpacked it has more than {MAX_BYTES:,} bytes, which no session has")
    if not unpacker.eof:
        raise SessionFileError(where, "it is cut off; copy it whole")
    _check_nesting(content, where)
    return content


# ---- inside


def _convert(content: bytes, kind: Any, name: str) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `")
        field = place.rstrip("`").removeprefix("$.") or "the file"
        quoted = re.sub(r"`([^`]*)`", r"“\1”", problem)
        raise SessionFileError(name, f"{field}: {quoted}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise SessionFileError(name, f"it is not JSON ({error})") from None


def _check_nesting(content: bytes, name: str) -> None:
    if deeper_than(MAX_DEPTH, content):
        raise SessionFileError(name, f"it is nested more than {MAX_DEPTH} deep, as no session is")


def _session(file: _File, name: str) -> SessionFile:
    first = _spec(file.spec, "spec", name)
    run, against = _run(file, first, "", name), None
    if file.against is not None:
        against = _run(file.against, _changed(first, file.against.set, "against.set", name), "against: ", name)
    return msgspec.structs.replace(run, title=file.title, notes=file.notes, view=file.view, tables=file.tables, against=against)


def _run(raw: _Run, spec: Spec, whose: str, name: str) -> SessionFile:
    """A run by itself; ``whose`` it is, messages begin with."""
    first = Settings(0, spec)
    last = raw.step if raw.last_step is None else raw.last_step
    if raw.step > last:
        raise SessionFileError(name, f"{whose}step: {raw.step} lies behind last_step, which is {last}")
    settings = _settings(first, raw.changes, last, f"{whose}change", name)
    left = None
    if raw.left is not None:
        if raw.left.fork > min(raw.left.last_step, last):
            raise SessionFileError(name, f"{whose}left.fork: step {raw.left.fork} lies behind the end of one of the two lines")
        own = _settings(first, raw.left.changes, raw.left.last_step, f"{whose}left: change", name)
        left = LeftRun(own, raw.left.last_step, raw.left.fork, raw.left.returned)
    return SessionFile(settings, raw.step, last, raw.phases, left=left)


def _settings(first: Settings, changes: tuple[_Change, ...], last: int, word: str, name: str) -> tuple[Settings, ...]:
    """The settings of a line that ends at step ``last``."""
    found = [first]
    for number, change in enumerate(changes, 1):
        where, before = f"{word} {number}", found[-1]
        if change.step < before.step:
            problem = f"step {change.step} comes after step {before.step}; changes are in the order of the steps"
            raise SessionFileError(name, f"{where}: {problem}")
        if change.step > last:
            raise SessionFileError(name, f"{where}: it is at step {change.step}, but the run ends at step {last}")
        found.append(Settings(change.step, _changed(before.spec, change.set, where, name)))
    for item in found:
        if len(item.spec.network.set_values) > MAX_SET_VALUES:
            raise SessionFileError(name, f"network.set_values: there are more than {MAX_SET_VALUES:,} of them")
    return tuple(found)


def _spec(raw: object, where: str, name: str) -> Spec:
    try:
        return Spec.from_dict(raw)
    except SpecError as error:
        raise SessionFileError(name, f"{where}: {error}") from None


def _changed(spec: Spec, raw: Mapping[str, Any], where: str, name: str) -> Spec:
    """``spec`` with the fields changed that ``raw`` names by their dotted names."""
    parts: dict[str, dict[str, Any]] = {}
    for path, value in raw.items():
        section, field = _path(path, f"{name}: {where}")
        parts.setdefault(section, {})[field] = tuple(value) if isinstance(value, list) else value
    try:
        sections = {section: msgspec.structs.replace(getattr(spec, section), **fields) for section, fields in parts.items()}
    except SpecError as error:
        raise SessionFileError(name, f"{where}: {error}") from None
    return msgspec.structs.replace(spec, **sections)


def _path(path: str, where: str) -> tuple[str, str]:
    try:
        info = field_info(path)
    except SpecError as error:
        raise SessionFileError(where, str(error)) from None
    return info.section, info.name


def _as_dict(raw: object, field: str, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise SessionFileError(where, f"{field}: it has to be an object")
    return raw


def _version(session: SessionFile) -> int:
    return 1 if session.against is None else VERSION


def _plain_run(session: SessionFile) -> dict[str, Any]:
    """As `_Run` reads it."""
    places = {"step": session.step, "last_step": session.last_step, "phases": session.phases}
    return {**places, "changes": _changes(session.settings), "left": _plain_left(session.left)}


def _plain_against(session: SessionFile) -> dict[str, Any]:
    other = session.against
    if other is None:
        return {}
    return {"against": {"set": _differing(session.settings[0].spec, other.settings[0].spec), **_plain_run(other)}}


def _plain_left(left: LeftRun | None) -> dict[str, Any] | None:
    if left is None:
        return None
    return {"last_step": left.last_step, "fork": left.fork, "returned": left.returned, "changes": _changes(left.settings)}


def _changes(settings: tuple[Settings, ...]) -> list[dict[str, Any]]:
    pairs = itertools.pairwise(settings)
    return [{"step": after.step, "set": _differing(before.spec, after.spec)} for before, after in pairs]


def _differing(before: Spec, after: Spec) -> dict[str, Any]:
    """The fields that have another value, by their dotted names."""
    return {info.path: after.get(info.path) for info in all_fields() if before.get(info.path) != after.get(info.path)}


def _plain_view(view: View) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(view)
    return found


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 120 else "…" + text[-119:]
