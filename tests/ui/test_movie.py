"""Animations: what is written is what was painted, as often and as long; cancelled or failed, nothing is left."""

import importlib.util
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtGui import QColor, QFont, QImage, QLinearGradient, QPainter

from ui.export import ExportError
from ui.movie import Cancelled, write_movie
from ui.movie_formats import SUFFIXES, VIDEO_MISSING
from ui.movie_frames import HOLD_SECONDS

needs_video = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="the extra “video” is not installed")
EXACT = (".apng", ".webp")
LOOPING = (".gif", *EXACT)
SIZE = (161, 91)  # odd, so that nothing counts on even sides


def paint(number: int) -> QImage:
    """A gradient, a line of text and a block that moves; more colours than a palette holds."""
    image = QImage(*SIZE, QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(image)
    shade = QLinearGradient(0, 0, SIZE[0], SIZE[1])
    shade.setColorAt(0, QColor("#0D1118"))
    shade.setColorAt(0.5, QColor("#1E9E96"))
    shade.setColorAt(1, QColor("#FFB070"))
    painter.fillRect(image.rect(), shade)
    painter.fillRect(0, 0, 70, 30, QColor("#FFFFFF"))
    painter.setFont(QFont("Inter", 12))
    painter.drawText(4, 20, f"step {number}")
    painter.fillRect(20 + 9 * number, 50, 12, 17, QColor.fromHsv(40 * number % 360, 255, 255))
    painter.end()
    return image


def paints(count: int) -> Iterator[QImage]:
    return (paint(number) for number in range(count))


def colours(image: QImage) -> NDArray[np.int64]:
    image = image.convertToFormat(QImage.Format.Format_RGBX8888)
    rows = np.frombuffer(image.constBits(), np.uint8)
    return rows.reshape(image.height(), image.width(), 4)[..., :3].astype(np.int64)


def read(path: Path) -> tuple[list[NDArray[np.int64]], list[float]]:
    """The frames (height, width, 3) and how many milliseconds each lasts."""
    frames, durations = [], []
    with Image.open(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            frames.append(np.asarray(image.convert("RGB")).astype(np.int64))
            durations.append(float(image.info["duration"]))
    return frames, durations


@pytest.mark.parametrize("suffix", LOOPING)
def test_what_is_painted_is_what_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"movie{suffix}"
    seen: list[int] = []
    assert write_movie(paints(7), path, 12, seen.append) == 7
    frames, durations = read(path)
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert len(frames) == 7
    assert sum(durations) == pytest.approx(1000 * (7 / 12 + HOLD_SECONDS), abs=5)
    assert durations[-1] == pytest.approx(1000 * (1 / 12 + HOLD_SECONDS), abs=10)
    for number, frame in enumerate(frames):
        off = np.abs(frame - colours(paint(number)))
        if suffix in EXACT:
            assert off.max() == 0
        else:
            assert off.mean() < 2.5
            assert off.max() <= 20, "no band and no lost colour"
            assert off[:8, :60].max() <= 5, "flat colours are exact, but for what is too little to be written again"
    assert list(tmp_path.iterdir()) == [path]


@needs_video
def test_a_video_is_read_back(tmp_path: Path) -> None:
    import av

    path = tmp_path / "movie.mp4"
    assert write_movie(paints(7), path, 12) == 7
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24").astype(np.int64) for frame in container.decode(stream)]
        assert stream.average_rate == 12
        assert (stream.width, stream.height) == (162, 92)  # even
    assert len(frames) == 7
    for number, frame in enumerate(frames):
        assert np.abs(frame[:91, :161] - colours(paint(number))).mean() < 6
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat"), "it plays before all of it is there"


@pytest.mark.parametrize("suffix", LOOPING)
def test_one_frame_and_frames_without_a_change(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"movie{suffix}"
    write_movie(paints(1), path, 5)
    assert len(read(path)[0]) == 1
    write_movie((paint(3) for _ in range(4)), path, 5)
    frames, durations = read(path)
    assert sum(durations) == pytest.approx(800 + 1000 * HOLD_SECONDS)
    assert np.array_equal(frames[0], frames[-1])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cancelled_leaves_what_was_there(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"movie{suffix}"
    path.write_bytes(b"before")
    done: list[int] = []
    if suffix == ".mp4" and importlib.util.find_spec("av") is None:
        pytest.skip("the extra “video” is not installed")
    with pytest.raises(Cancelled):
        write_movie(paints(100), path, 12, done.append, lambda: len(done) == 3)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.skipif(os.name != "posix", reason="limits of a process are those of POSIX")
def test_a_full_disk_leaves_what_was_there(suffix: str, tmp_path: Path) -> None:
    if suffix == ".mp4" and importlib.util.find_spec("av") is None:
        pytest.skip("the extra “video” is not installed")
    path = tmp_path / f"movie{suffix}"
    path.write_bytes(b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails instead of killing
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(ExportError, match=r"untouched"):
            write_movie(paints(30), path, 12)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_told_before_a_frame_is_made(tmp_path: Path) -> None:
    def frames() -> Iterator[QImage]:
        pytest.fail("the run was done for nothing")
        yield paint(0)

    with pytest.raises(ExportError, match=r"cannot be written"):
        write_movie(frames(), tmp_path / "nowhere" / "movie.gif", 12)
    with pytest.raises(ExportError, match=r"\.gif, \.apng, \.webp, \.mp4"):
        write_movie(frames(), tmp_path / "movie.avi", 12)
    with pytest.raises(ExportError, match=r"51 frames per second"):
        write_movie(frames(), tmp_path / "movie.gif", 51)
    assert not list(tmp_path.iterdir())


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "av" else find(name, *more))
    with pytest.raises(ExportError, match=r"pip install gradviz\[video\]"):
        write_movie(paints(2), tmp_path / "movie.mp4", 12)
    assert VIDEO_MISSING.endswith("gradviz[video]")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", LOOPING)
def test_frames_are_not_kept(suffix: str, tmp_path: Path) -> None:
    """Frames are asked for one by one, and each is let go."""
    import gc
    import weakref

    alive: list[weakref.ref[QImage]] = []

    def frames() -> Iterator[QImage]:
        for number in range(6):
            image = paint(number)
            alive.append(weakref.ref(image))
            yield image
            del image
            gc.collect()
            assert sum(held() is not None for held in alive) <= 1

    write_movie(frames(), tmp_path / f"movie{suffix}", 12)
