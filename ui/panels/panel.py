"""The small protocol every panel follows: title, `show_snapshot`, `clear`, a drawing for screen and exports, a table of its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot

from ..numbers import plain
from ..theme import THEMES, Theme


@dataclass(frozen=True)
class Table:
    """The numbers behind a panel: what its CSV export holds."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    @property
    def tabbed(self) -> str:
        """Lines of cells between tabs, with every digit; a cell of None is empty."""
        return "\n".join(["\t".join(self.columns), *("\t".join(map(_cell, row)) for row in self.rows)])


def _cell(value: object) -> str:
    if value is None:
        return ""
    return plain(value) if isinstance(value, float) else str(value)


class Panel(QWidget):
    """A picture of the latest snapshot.

    A panel never computes mathematics and never talks to the engine: what it wants done it says with a signal.
    """

    name = ""  # short, stable: used for exports and the saved layout
    title = ""
    side = ""  # "A" or "B" where two runs stand side by side

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.snapshot: Snapshot | None = None
        self.setAccessibleName(self.title)

    @property
    def full_title(self) -> str:
        """The title, with the side that it is about where there are two."""
        return f"{self.side}: {self.title}" if self.side else self.title

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw this moment from now on."""
        self.snapshot = snapshot
        self.update()

    def clear(self) -> None:
        """Show that there is nothing to show yet."""
        self.snapshot = None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw the panel into ``area`` with true lines and text, so that it can be exported as vectors.

        Must not depend on the widget's own size, on hover or on focus.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it is drawn")

    def whole_size(self) -> QSizeF | None:
        """The size at which all of it is seen, for a panel that scrolls; None for one that fits any size."""
        return None

    def table(self) -> Table:
        """The numbers the panel shows now."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its numbers are")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_to(painter, QRectF(self.rect()))
