"""Pictures that move: frames into an animated GIF, APNG, WebP or MP4, one at a time, the file whole or not at all.

Of each frame only the pixels that have changed are written, so that a still background costs nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from PySide6.QtGui import QImage

from .export import ExportError
from .movie_apng import Apng
from .movie_formats import MOST_RATE, SUFFIXES, missing
from .movie_frames import Pixels
from .movie_gif import Gif
from .movie_mp4 import Mp4
from .movie_webp import Webp

OPAQUE = np.uint32(0xFF000000)


class Cancelled(Exception):
    """The user does not want the movie any more; nothing is left of it."""


class Encoder(Protocol):
    """Writes one kind of file."""

    def add(self, pixels: Pixels) -> None:
        """Write one frame, all of the same size."""

    def finish(self) -> None:
        """Write what closes the file."""

    def close(self) -> None:
        """Let the file go, finished or not; safe to call twice."""


def unfinished(path: Path, process: int) -> Path:
    """Where a process writes until the file is whole."""
    return path.parent / f".gradviz-{process}.part"


def write_movie(
    frames: Iterable[QImage],
    path: Path,
    fps: int,
    progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Write the frames as they come, in the format that ``path`` ends in; only one of them is held at a time.

    Args:
        frames: of one size; they are asked for one by one.
        path: replaced when all is written.
        fps: frames per second, 1 to 50. Formats that loop hold the last frame `HOLD_SECONDS` longer.
        progress: told after each frame how many are done.
        cancelled: asked before each frame.

    Returns:
        How many frames there were.

    Raises:
        ExportError: when the file cannot be written; what was there before is untouched.
        Cancelled: when ``cancelled`` said so.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ExportError(f"{path.name} ends in “{path.suffix}”; animations end in {', '.join(SUFFIXES)}.")
    if not 1 <= fps <= MOST_RATE:
        raise ExportError(f"{fps} frames per second is outside 1 to {MOST_RATE}.")
    needed = missing(suffix)
    if needed is not None:
        raise ExportError(f"{needed}. Nothing was changed.")
    temporary = unfinished(path, os.getpid())
    try:
        temporary.touch()
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}. Nothing was changed.") from error
    encoder: Encoder | None = None
    done = 0
    try:
        for image in frames:
            if cancelled():
                raise Cancelled
            pixels = _pixels(image)
            if encoder is None:
                encoder = ENCODERS[suffix](temporary, pixels.shape[1], pixels.shape[0], fps)
            encoder.add(pixels)
            done += 1
            progress(done)
        if encoder is None:
            raise ExportError("There is no frame to write. Nothing was changed.")
        encoder.finish()
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ExportError(f"{path} could not be written whole: {error.strerror or error}. What was there before is untouched.") from error
    finally:
        if encoder is not None:
            with contextlib.suppress(OSError):  # what could not be written has been said, and the file goes
                encoder.close()
        with contextlib.suppress(OSError):  # nor can anything be deleted on a disk that has become read-only
            temporary.unlink(missing_ok=True)
    return done


def _pixels(image: QImage) -> Pixels:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return rows[:, : image.width()] | OPAQUE  # a copy: the image may be painted over


ENCODERS: dict[str, Callable[[Path, int, int, int], Encoder]] = {".gif": Gif, ".apng": Apng, ".webp": Webp, ".mp4": Mp4}
