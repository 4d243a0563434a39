"""MP4, by the package av, which is there only where somebody has asked for it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from .movie_frames import Pixels, rgb


class Mp4:
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
        frame = self._av.VideoFrame.from_ndarray(rgb(even), format="rgb24")
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
