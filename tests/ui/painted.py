"""What a panel, a canvas or a figure paints where it is exported to: as pixels, and as vectors with all the words in them."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator


class Drawable(Protocol):
    """What can be exported."""

    def paint_to(self, painter: QPainter, rect: QRectF) -> None: ...


class Drawn(Drawable, Protocol):
    """What has a size on the screen too."""

    def size(self) -> QSize: ...


def picture(panel: Drawn, *size: int) -> QImage:
    """What it paints into a picture of this width and height, or of its own."""
    width, height = size or panel.size().toTuple()
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    panel.paint_to(painter, QRectF(0, 0, width, height))
    painter.end()
    return image


def pixels(panel: Drawn, *size: int) -> NDArray[Any]:
    """The same as (height, width) 0xRRGGBB."""
    image = picture(panel, *size)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()) & 0xFFFFFF


def vectors(drawable: Drawable, width: float, height: float) -> str:
    """The same as the text of an SVG file."""
    buffer, generator = QBuffer(), QSvgGenerator()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(int(width), int(height)))
    generator.setViewBox(QRectF(0, 0, width, height))
    painter = QPainter(generator)
    drawable.paint_to(painter, QRectF(0, 0, width, height))
    painter.end()
    return bytes(buffer.data().data()).decode()
