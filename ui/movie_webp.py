"""WebP that moves, without loss."""

from __future__ import annotations

import struct
from pathlib import Path

from .movie_frames import HOLD_SECONDS, Patches, Pixels, still


class Webp:
    """Lossless animated WebP, looping; transparent where nothing has changed."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        self._file = path.open("wb")
        self._patches, self._fps, self._count = Patches(), fps, 0
        self._duration_at = 0
        self._file.write(b"RIFF\0\0\0\0WEBP")
        self._chunk(b"VP8X", struct.pack("<I", 0x12) + _three(width - 1) + _three(height - 1))  # animated, with transparency
        self._chunk(b"ANIM", struct.pack("<IH", 0xFFFFFFFF, 0))

    def add(self, pixels: Pixels) -> None:
        patch = self._patches.next(pixels)
        height, width = patch.pixels.shape
        place = _three(patch.left // 2) + _three(patch.top // 2) + _three(width - 1) + _three(height - 1)
        self._duration_at = self._file.tell() + 8 + len(place)
        self._chunk(b"ANMF", place + _three(self._duration()) + b"\0" + _webp_picture(still(patch, "WEBP", lossless=True, method=2)))
        self._count += 1

    def _duration(self) -> int:
        return round(1000 * (self._count + 1) / self._fps) - round(1000 * self._count / self._fps)

    def finish(self) -> None:
        size = self._file.tell()
        self._count -= 1
        self._file.seek(self._duration_at)
        self._file.write(_three(self._duration() + round(1000 * HOLD_SECONDS)))
        self._file.seek(4)
        self._file.write(struct.pack("<I", size - 8))
        self._file.close()

    def close(self) -> None:
        self._file.close()

    def _chunk(self, kind: bytes, content: bytes) -> None:
        self._file.write(kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _webp_picture(content: bytes) -> bytes:
    """The chunks of a still WebP that hold its pixels."""
    place, found = 12, b""
    while place < len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        end = place + 8 + size + size % 2
        if content[place : place + 4] in (b"ALPH", b"VP8 ", b"VP8L"):
            found += content[place:end]
        place = end
    return found
