"""GIF: every frame with a palette of its own, made for just its pixels: flat colours exactly, of the rest none far off, never dithered."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .movie_frames import HOLD_SECONDS, Patches, Pixels, rgb

EXACT_COLOURS = 64  # of a GIF's palette: those that cover most
INVISIBLE = 5  # a difference of red, green or blue, of 255, for which a GIF does not write a pixel again
PALETTE = 255  # and one more index for what has not changed


class Gif:
    """GIF89a, looping; each frame with a palette of its own."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        self._file = path.open("wb")
        self._patches, self._fps, self._count = Patches(INVISIBLE), fps, 0
        self._delay, self._delay_at = 0, 0
        self._file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0))
        self._file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")

    def add(self, pixels: Pixels) -> None:
        patch = self._patches.next(pixels)
        colours, indices = _indexed(patch.pixels)
        # rounded so that the sum stays right: 12 frames per second last 8, 9, 8, 8 … hundredths
        self._delay = round(100 * (self._count + 1) / self._fps) - round(100 * self._count / self._fps)
        self._count += 1
        self._file.write(b"\x21\xf9\x04\x05")
        self._delay_at = self._file.tell()
        self._file.write(struct.pack("<HBB", self._delay, PALETTE, 0))
        height, width = patch.pixels.shape
        self._file.write(b"\x2c" + struct.pack("<HHHHB", patch.left, patch.top, width, height, 0x87))
        self._file.write(colours.tobytes() + _lzw(indices))

    def finish(self) -> None:
        self._file.write(b"\x3b")
        self._file.seek(self._delay_at)
        self._file.write(struct.pack("<H", self._delay + round(100 * HOLD_SECONDS)))
        self._file.close()

    def close(self) -> None:
        self._file.close()


def _indexed(pixels: Pixels) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A palette (256, 3) for these pixels and the index of each (height, width); the transparent ones have the last."""
    colours, places, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    seen = colours != 0
    chosen = _choice(colours[seen], counts[seen])
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(chosen)] = chosen
    index = np.full(len(colours), PALETTE, np.uint8)
    index[seen] = _nearest(rgb(colours[seen]), chosen)
    return palette, index[places.reshape(pixels.shape)]


def _choice(colours: Pixels, counts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """At most 255 colours (n, 3) that stand for all: those that cover most as they are, then always the one that is farthest from all.

    A median cut would give its colours to the many shades of antialiased lines and lose the few hot pixels among them.
    """
    colours = colours[np.argsort(-counts, kind="stable")]
    table = rgb(colours)
    if len(table) <= PALETTE:
        return table
    points = table.astype(np.float32)
    distance = np.full(len(points), np.inf, np.float32)  # to the nearest one that is chosen, squared
    chosen: list[int] = []
    while len(chosen) < PALETTE:
        chosen.append(len(chosen) if len(chosen) < EXACT_COLOURS else int(np.argmax(distance)))
        np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1), out=distance)
    return table[chosen]


def _nearest(colours: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each colour (n, 3) the index of the one in the palette that is nearest."""
    table = palette.astype(np.float32)
    lengths = (table * table).sum(axis=1)
    found = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), 8192):  # a table of all distances at once could take hundreds of megabytes
        part = colours[start : start + 8192].astype(np.float32)
        found[start : start + 8192] = np.argmin(lengths - 2.0 * (part @ table.T), axis=1)
    return found


def _lzw(indices: NDArray[np.uint8]) -> bytes:
    """The indices compressed as GIF wants them: out of a GIF of one frame."""
    from PIL import Image

    height, width = indices.shape
    picture = Image.frombytes("P", (width, height), np.ascontiguousarray(indices).tobytes())
    picture.putpalette(bytes(range(256)) * 3)  # all 256, so that no index is given another place
    file = io.BytesIO()
    picture.save(file, "GIF", optimize=False, interlace=False)
    content = file.getvalue()
    place = 13 + 3 * (2 << (content[10] & 7)) if content[10] & 0x80 else 13
    while content[place] == 0x21:  # extensions, each of blocks up to an empty one
        place += 2
        while content[place]:
            place += content[place] + 1
        place += 1
    local = content[place + 9]
    return content[place + 10 + (3 * (2 << (local & 7)) if local & 0x80 else 0) : -1]
