"""Pictures that move: frames into an animated GIF, APNG, WebP or MP4, one at a time, the file whole or not at all.

Of each frame only the pixels that have changed are written, so that a still background costs nothing. Every frame of a GIF
has a palette of its own, made for just these pixels: flat colours exactly, of the rest none far off, never dithered.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from .export import ExportError

Pixels = NDArray[np.uint32]  # (height, width) 0xAARRGGBB

HOLD_SECONDS = 1.5  # of the last frame, before a loop begins again
EXACT_COLOURS = 64  # of a GIF's palette: those that cover most
INVISIBLE = 5  # a difference of red, green or blue, of 255, for which a GIF does not write a pixel again
PALETTE = 255  # and one more index for what has not changed
MOST_RATE = 50  # frames per second; a GIF counts in hundredths of a second, and viewers slow down what is faster
OPAQUE = np.uint32(0xFF000000)


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


def missing(suffix: str) -> str | None:
    """What has to be installed before this kind of file can be written; None when nothing is missing."""
    return VIDEO_MISSING if suffix == ".mp4" and importlib.util.find_spec("av") is None else None


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


class _Patch(NamedTuple):
    """What of a frame differs from the one before: transparent (0) where it does not."""

    left: int  # even, because a WebP can say no other
    top: int
    pixels: Pixels


class _Patches:
    """Finds what has changed from frame to frame."""

    def __init__(self, tolerance: int = 0) -> None:
        """``tolerance``: how far red, green or blue may be from what was last written before it counts as changed."""
        self._last: Pixels | None = None  # the frame before, or of each pixel what was last written of it
        self._tolerance = tolerance

    def next(self, pixels: Pixels) -> _Patch:
        last, self._last = self._last, pixels
        if last is None:
            return _Patch(0, 0, pixels)
        if last.shape != pixels.shape:
            raise ValueError("the frames of a movie are of one size")
        changed = last != pixels
        if self._tolerance:
            changed[changed] = _distance(last[changed], pixels[changed]) > self._tolerance
            self._last = np.where(changed, pixels, last)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not len(rows):
            return _Patch(0, 0, np.zeros((1, 1), np.uint32))
        top, left = int(rows[0]) // 2 * 2, int(columns[0]) // 2 * 2
        area = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
        return _Patch(left, top, np.where(changed[area], pixels[area], np.uint32(0)))


def _distance(first: Pixels, second: Pixels) -> NDArray[np.int16]:
    """The largest difference of red, green and blue for each pixel (n,)."""
    return np.asarray(np.abs(_rgb(first).astype(np.int16) - _rgb(second)).max(axis=-1, initial=0), np.int16)


def _still(patch: _Patch, kind: str, **options: Any) -> bytes:
    """The patch as a picture file of its own, from which its compressed pixels are taken."""
    from PIL import Image  # late: nobody needs it before the first movie

    height, width = patch.pixels.shape
    file = io.BytesIO()
    Image.frombytes("RGBA", (width, height), patch.pixels.tobytes(), "raw", "BGRA").save(file, kind, **options)
    return file.getvalue()


class _Gif:
    """GIF89a, looping; each frame with a palette of its own."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        self._file = path.open("wb")
        self._patches, self._fps, self._count = _Patches(INVISIBLE), fps, 0
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
    index[seen] = _nearest(_rgb(colours[seen]), chosen)
    return palette, index[places.reshape(pixels.shape)]


def _choice(colours: Pixels, counts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """At most 255 colours (n, 3) that stand for all: those that cover most as they are, then always the one that is farthest from all.

    A median cut would give its colours to the many shades of antialiased lines and lose the few hot pixels among them.
    """
    colours = colours[np.argsort(-counts, kind="stable")]
    table = _rgb(colours)
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


def _rgb(colours: Pixels) -> NDArray[np.uint8]:
    return np.stack([(colours >> shift & 0xFF).astype(np.uint8) for shift in (16, 8, 0)], axis=-1)


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


class _Apng:
    """PNG with further frames, looping. Where nothing has changed a frame is transparent and what is beneath stays."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        self._file = path.open("wb")
        self._patches, self._fps = _Patches(), fps
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
        data = b"".join(content for kind, content in _png_chunks(_still(patch, "PNG")) if kind == b"IDAT")
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


class _Webp:
    """Lossless animated WebP, looping; transparent where nothing has changed."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        self._file = path.open("wb")
        self._patches, self._fps, self._count = _Patches(), fps, 0
        self._duration_at = 0
        self._file.write(b"RIFF\0\0\0\0WEBP")
        self._chunk(b"VP8X", struct.pack("<I", 0x12) + _three(width - 1) + _three(height - 1))  # animated, with transparency
        self._chunk(b"ANIM", struct.pack("<IH", 0xFFFFFFFF, 0))

    def add(self, pixels: Pixels) -> None:
        patch = self._patches.next(pixels)
        height, width = patch.pixels.shape
        place = _three(patch.left // 2) + _three(patch.top // 2) + _three(width - 1) + _three(height - 1)
        self._duration_at = self._file.tell() + 8 + len(place)
        self._chunk(b"ANMF", place + _three(self._duration()) + b"\0" + _webp_picture(_still(patch, "WEBP", lossless=True, method=2)))
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


class _Mp4:
    """H.264 in an MP4 that begins to play before it is all there. Sides are even: the last row or column is doubled."""

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        self._av, self._matrix, self._range = av, Colorspace.ITU709, ColorRange.MPEG
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=fps, options={"crf": "15", "preset": "medium", "tune": "animation"})
        self._stream.width, self._stream.height = 2 * math.ceil(width / 2), 2 * math.ceil(height / 2)
        self._stream.pix_fmt = "yuv420p"  # what every player can show
        context = self._stream.codec_context
        context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        context.color_primaries = context.color_trc = 1  # BT.709 too

    def add(self, pixels: Pixels) -> None:
        height, width = pixels.shape
        even = np.pad(pixels, ((0, height % 2), (0, width % 2)), "edge")
        frame = self._av.VideoFrame.from_ndarray(_rgb(even), format="rgb24")
        self._write(frame.reformat(format="yuv420p", dst_colorspace=self._matrix, dst_color_range=self._range))

    def finish(self) -> None:
        self._write(None)
        self.close()

    def _write(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except self._av.FFmpegError as error:
            raise OSError(error.errno, error.strerror or str(error)) from error

    def close(self) -> None:
        try:
            self._container.close()
        except self._av.FFmpegError as error:
            raise OSError(error.errno, error.strerror or str(error)) from error


ENCODERS: dict[str, Callable[[Path, int, int, int], Encoder]] = {".gif": _Gif, ".apng": _Apng, ".webp": _Webp, ".mp4": _Mp4}
