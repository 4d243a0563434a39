"""The frames of an animation as pixels, and what has changed from one to the next."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint32]  # (height, width) 0xAARRGGBB

HOLD_SECONDS = 1.5  # of the last frame, before a loop begins again


class Patch(NamedTuple):
    """What of a frame differs from the one before: transparent (0) where it does not."""

    left: int  # even, because a WebP can say no other
    top: int
    pixels: Pixels


class Patches:
    """Finds what has changed from frame to frame."""

    def __init__(self, tolerance: int = 0) -> None:
        """``tolerance``: how far red, green or blue may be from what was last written before it counts as changed."""
        self._last: Pixels | None = None  # the frame before, or of each pixel what was last written of it
        self._tolerance = tolerance

    def next(self, pixels: Pixels) -> Patch:
        last, self._last = self._last, pixels
        if last is None:
            return Patch(0, 0, pixels)
        if last.shape != pixels.shape:
            raise ValueError("the frames of a movie are of one size")
        changed = last != pixels
        if self._tolerance:
            changed[changed] = _distance(last[changed], pixels[changed]) > self._tolerance
            self._last = np.where(changed, pixels, last)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not len(rows):
            return Patch(0, 0, np.zeros((1, 1), np.uint32))
        top, left = int(rows[0]) // 2 * 2, int(columns[0]) // 2 * 2
        area = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
        return Patch(left, top, np.where(changed[area], pixels[area], np.uint32(0)))


def _distance(first: Pixels, second: Pixels) -> NDArray[np.int16]:
    """The largest difference of red, green and blue for each pixel (n,)."""
    return np.asarray(np.abs(rgb(first).astype(np.int16) - rgb(second)).max(axis=-1, initial=0), np.int16)


def still(patch: Patch, kind: str, **options: Any) -> bytes:
    """The patch as a picture file of its own, from which its compressed pixels are taken."""
    from PIL import Image  # late: nobody needs it before the first movie

    height, width = patch.pixels.shape
    file = io.BytesIO()
    Image.frombytes("RGBA", (width, height), patch.pixels.tobytes(), "raw", "BGRA").save(file, kind, **options)
    return file.getvalue()


def rgb(colours: Pixels) -> NDArray[np.uint8]:
    return np.stack([(colours >> shift & 0xFF).astype(np.uint8) for shift in (16, 8, 0)], axis=-1)
