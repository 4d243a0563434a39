"""The kinds of files that an animation can be written to."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

MOST_RATE = 50  # frames per second; a GIF counts in hundredths of a second, and viewers slow down what is faster


class Format(NamedTuple):
    """A kind of file: how its name ends, what it is called, what it is for."""

    suffix: str
    title: str
    help: str


FORMATS = (
    Format(".gif", "GIF", "plays everywhere; 255 colours for what changes in a frame"),
    Format(".apng", "APNG", "every pixel exact; plays in browsers"),
    Format(".webp", "WebP", "every pixel exact, smaller than APNG; plays in browsers"),
    Format(".mp4", "MP4", "H.264 video, which slides can pause and wind back"),
)
SUFFIXES = tuple(form.suffix for form in FORMATS)
VIDEO_MISSING = "MP4 needs one more package: pip install gradviz[video]"


def missing(suffix: str) -> str | None:
    """What has to be installed before this kind of file can be written; None when nothing is missing."""
    return VIDEO_MISSING if suffix == ".mp4" and importlib.util.find_spec("av") is None else None
