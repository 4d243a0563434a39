"""What a window writes every few seconds so that nothing is lost when it dies: its session, and the run as it can be taken up quickly."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from gradviz.safe_write import write_safely
from gradviz.session_file import SessionFile, SessionFileError, decode, encode

_MAGIC = b"GradVizAutosave1\n"
_HEAD = struct.Struct("<II")  # length and CRC-32 of the session; the kept run behind it has a CRC of its own
LARGEST = 400_000_000  # bytes that are read


class LeftoverError(ValueError):
    """A file that is no leftover, or a damaged one; the text says why."""


def pack(session: SessionFile, kept: bytes = b"") -> bytes:
    """Both in one; ``kept`` as `gradviz.keeping.keep_run` makes it. Raises `SessionFileError` when the session is too large for a file."""
    text = encode(session)
    return b"".join([_MAGIC, _HEAD.pack(len(text), zlib.crc32(text)), text, kept])


def write_leftover(path: Path, content: bytes) -> None:
    """Write what `pack` made, whole or not at all; raises OSError."""
    write_safely(path, content)


def read_leftover(path: Path) -> tuple[SessionFile, bytes | None]:
    """The session and the kept run, which is None where there is none; raises `LeftoverError`."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise LeftoverError(f"it cannot be read ({error.strerror or error})") from None
    start = len(_MAGIC) + _HEAD.size
    if len(content) > LARGEST or len(content) < start or not content.startswith(_MAGIC):
        raise LeftoverError("it is something else than an automatically saved run")
    length, check = _HEAD.unpack_from(content, len(_MAGIC))
    text = content[start : start + length]
    if len(text) != length or zlib.crc32(text) != check:
        raise LeftoverError("it is cut off or altered")
    try:
        session = decode(text, "the session in it")
    except SessionFileError as error:
        raise LeftoverError(str(error)) from None
    return session, content[start + length :] or None
