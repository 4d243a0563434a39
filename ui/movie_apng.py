"""APNG: a PNG that moves."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from .movie_frames import HOLD_SECONDS, Patches, Pixels, still


class Apng:
    """PNG with further frames, looping. Where nothing has changed a frame is transparent and what is beneath stays."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        self._file = path.open("wb")
        self._patches, self._fps = Patches(), fps
        self._sequence, self._count = 0, 0
        self._control: tuple[int, bytes] = 0, b""  # where the last frame's is, and what it says without its delay
        self._file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        self._counted_at = self._file.tell()
        self._chunk(b"acTL", struct.pack(">II", 1, 0))

    def add(self, pixels: Pixels) -> None:
        patch = self._patches.next(pixels)
        height, width = patch.pixels.shape
        place = struct.pack(">IIIII", self._sequence, width, height, patch.left, patch.top)
        self._control = self._file.tell(), place
        self._chunk(b"fcTL", place + struct.pack(">HHBB", 1, self._fps, 0, 1))
        self._sequence += 1
        data = b"".join(content for kind, content in _png_chunks(still(patch, "PNG")) if kind == b"IDAT")
        if self._count:
            self._chunk(b"fdAT", struct.pack(">I", self._sequence) + data)
            self._sequence += 1
        else:
            self._chunk(b"IDAT", data)
        self._count += 1

    def finish(self) -> None:
        self._chunk(b"IEND", b"")
        self._file.seek(self._counted_at)
        self._chunk(b"acTL", struct.pack(">II", self._count, 0))
        hold = Fraction(1, self._fps) + Fraction(HOLD_SECONDS)
        place, control = self._control
        self._file.seek(place)
        self._chunk(b"fcTL", control + struct.pack(">HHBB", hold.numerator, hold.denominator, 0, 1))
        self._file.close()

    def close(self) -> None:
        self._file.close()

    def _chunk(self, kind: bytes, content: bytes) -> None:
        self._file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        place += size + 12
