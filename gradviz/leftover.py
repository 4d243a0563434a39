"""What a window writes every few seconds so that nothing is lost when it dies: its session, and the run as it can be taken up quickly."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from gradviz.safe_write import write_safely
from gradviz.session_file import SessionFile, SessionFileError, decode, encode

_HEADS = {  # length and CRC-32 of the session, and the length of the first kept run; kept runs have a CRC of their own
    b"GradVizAutosave1\n": struct.Struct("<II"),  # by versions that knew one run
    b"GradVizAutosave2\n": struct.Struct("<IIQ"),
}
_MAGIC = b"GradVizAutosave2\n"
LARGEST = 400_000_000  # bytes that are read


class LeftoverError(ValueError):
    """A file that is no leftover, or a damaged one; the text says why."""


def pack(session: SessionFile, kept: bytes = b"", against: bytes = b"") -> bytes:
    """All in one; ``kept`` as `gradviz.keeping.keep_run` makes it, ``against`` that of the run beside it.

    Raises `SessionFileError` when the session is too large for a file.
    """
    text = encode(session)
    return b"".join([_MAGIC, _HEADS[_MAGIC].pack(len(text), zlib.crc32(text), len(kept)), text, kept, against])


def write_leftover(path: Path, content: bytes) -> None:
    """Write what `pack` made, whole or not at all; raises OSError."""
    write_safely(path, content)


def read_leftover(path: Path) -> tuple[SessionFile, bytes | None, bytes | None]:
    """The session, its kept run and that of the run beside it, None where there is none; raises `LeftoverError`."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise LeftoverError(f"it cannot be read ({error.strerror or error})") from None
    head = _HEADS.get(content[: len(_MAGIC)])
    start = len(_MAGIC) + (head.size if head is not None else 0)
    if head is None or not start <= len(content) <= LARGEST:
        raise LeftoverError("it is something else than an automatically saved run")
    length, check, *first = head.unpack_from(content, len(_MAGIC))
    end = start + length
    text, split = content[start:end], end + first[0] if first else len(content)
    if len(text) != length or zlib.crc32(text) != check or split > len(content):
        raise LeftoverError("it is cut off or altered")
    try:
        session = decode(text, "the session in it")
    except SessionFileError as error:
        raise LeftoverError(str(error)) from None
    return session, content[end:split] or None, content[split:] or None
