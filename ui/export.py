"""Pictures and numbers out of the window: PNG at a chosen scale, SVG and PDF as true vectors, CSV; written whole or not at all."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSaveFile, QSize, QSizeF
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from gradviz.snapshot import Snapshot

from .panels.panel import Table
from .theme import Theme

DPI = 96  # one logical pixel is 1/96 inch, in SVG as in PDF
PICTURES = (".png", ".svg", ".pdf")


class Drawable(Protocol):
    """What can be exported as a picture: a panel, the figure, the whole window."""

    title: str
    theme: Theme

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw into ``area`` with true lines and text."""


class ExportError(Exception):
    """A file could not be written; the message says which and why. What was there before is untouched."""


def picture(panel: Drawable, size: QSizeF, scale: float = 1.0) -> QImage:
    """The panel drawn at ``size`` logical pixels, ``scale`` pixels each."""
    image = QImage((size * scale).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(panel.theme.canvas)
    painter = QPainter(image)
    _paint(panel, painter, size)
    painter.end()
    return image


def export_picture(panel: Drawable, path: Path, size: QSizeF, scale: float = 1.0, description: str = "") -> None:
    """Write the panel as PNG, SVG or PDF, by the ending of ``path``.

    Raises:
        ExportError: for another ending, or when the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind == ".png":
        image = picture(panel, size, scale)
        image.setText("Description", description)
        image.setDotsPerMeterX(round(DPI * scale / 0.0254))
        image.setDotsPerMeterY(round(DPI * scale / 0.0254))
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"png")).write(image)
        content = bytes(buffer.data().data())
    elif kind == ".svg":
        content = _svg(panel, size, description)
    elif kind == ".pdf":
        content = _pdf(panel, size, description)
    else:
        raise ExportError(f"{path.name} ends in “{path.suffix}”; pictures end in {', '.join(PICTURES)}.")
    write_whole(path, content)


def export_numbers(table: Table, path: Path) -> None:
    """Write a panel's numbers as CSV, full precision; raises `ExportError`."""
    write_whole(path, csv_text(table).encode())


def csv_text(table: Table) -> str:
    """The table as CSV with a header; floats so that reading them back gives the same number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()


def description(snapshot: Snapshot) -> str:
    """What is stored in a picture so that it can be made again: the step and the whole spec as JSON."""
    return f"step {snapshot.step}\n{snapshot.spec.to_json()}"


def copy_picture(panel: Drawable, size: QSizeF, scale: float = 2.0) -> None:
    """Put the panel's picture on the clipboard."""
    QGuiApplication.clipboard().setImage(picture(panel, size, scale))


def copy_numbers(table: Table) -> None:
    """Put the panel's numbers on the clipboard, tab-separated as spreadsheets like them."""
    lines = ["\t".join(table.columns), *("\t".join(str(value) for value in row) for row in table.rows)]
    QGuiApplication.clipboard().setText("\n".join(lines) + "\n")


def write_whole(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one go, or leave it as it was and raise `ExportError`."""
    file = QSaveFile(str(path))
    if not file.open(QIODevice.OpenModeFlag.WriteOnly):
        raise ExportError(f"{path} cannot be written: {file.errorString()}. Nothing was changed.")
    if file.write(content) != len(content) or not file.commit():
        raise ExportError(f"{path} could not be written whole: {file.errorString()}. What was there before is untouched.")


def _paint(panel: Drawable, painter: QPainter, size: QSizeF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    panel.paint_to(painter, QRectF(0, 0, size.width(), size.height()))


def _svg(panel: Drawable, size: QSizeF, description: str) -> bytes:
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(DPI)
    generator.setSize(QSize(round(size.width()), round(size.height())))
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(f"GradViz: {panel.title}")
    generator.setDescription(description)
    painter = QPainter(generator)
    _paint(panel, painter, size)
    painter.end()
    return bytes(buffer.data().data())


def _pdf(panel: Drawable, size: QSizeF, description: str) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    points = size * 72.0 / DPI
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "figure", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setTitle(f"GradViz: {panel.title}. {description}")
    writer.setCreator("GradViz")
    painter = QPainter(writer)
    factor = writer.resolution() / DPI
    painter.scale(factor, factor)
    _paint(panel, painter, size)
    painter.end()
    return bytes(buffer.data().data())
