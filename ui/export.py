"""Pictures and numbers out of the window: PNG at a chosen scale, SVG and PDF as true vectors, CSV; written whole or not at all."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSize, QSizeF
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from gradviz.safe_write import write_safely
from gradviz.snapshot import Snapshot

from .panels.panel import Table
from .theme import Theme

DPI = 96  # one logical pixel is 1/96 inch, in SVG as in PDF
NUMBERS = (".csv", ".npz")
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
    """Write a panel's numbers in full precision, as CSV or as NPZ by the ending of ``path``.

    Raises:
        ExportError: for another ending, or when the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind == ".csv":
        write_whole(path, csv_text(table).encode())
    elif kind == ".npz":
        write_whole(path, npz_bytes(table))
    else:
        raise ExportError(f"{path.name} ends in “{path.suffix}”; numbers end in {', '.join(NUMBERS)}.")


def npz_bytes(table: Table) -> bytes:
    """The table as a NumPy archive: an array per column, of numbers where there are numbers alone (NaN where one is missing)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, column in enumerate(table.columns):
            name = column if column not in table.columns[:number] else f"{column} {number + 1}"
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, _array([row[number] for row in table.rows]), allow_pickle=False)
    return stream.getvalue()


def _array(values: Sequence[object]) -> NDArray[Any]:
    """(rows,) truth values, whole numbers, numbers, or else texts."""
    if values and all(isinstance(value, bool | np.bool_) for value in values):
        return np.array(values, np.bool_)
    if values and all(isinstance(value, int | np.integer) and abs(int(value)) < 2**63 for value in values):
        return np.array(values, np.int64)
    if all(value is None or value == "" or isinstance(value, int | float | np.number) for value in values):
        return np.array([float("nan") if value is None or isinstance(value, str) else value for value in values], np.float64)
    return np.array([str(value) for value in values])


def csv_text(table: Table) -> str:
    """The table as CSV with a header; floats so that reading them back gives the same number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()


def description(snapshot: Snapshot, other: Snapshot | None = None) -> str:
    """What is stored in a picture so that it can be made again: the step and the whole spec as JSON, of both sides where there are two."""
    if other is not None:
        return f"A: {description(snapshot)}\nB: {description(other)}"
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
    try:
        write_safely(path, content)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}. What was there before is untouched.") from None


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
