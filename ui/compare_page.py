"""Two networks side by side."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gradviz.snapshot import Look, Snapshot

from .canvas.scene import NetworkCanvas
from .panels.panel import Panel
from .theme import Theme


class ComparePage(QWidget):
    """The nets of both sides."""

    step_wanted = Signal(int)
    swap_wanted = Signal()
    adopt_wanted = Signal(str)
    drop_wanted = Signal(str)
    settings_wanted = Signal(str)
    change_wanted = Signal(str, str, object)
    layer_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvases = NetworkCanvas(), NetworkCanvas()
        self.panels: tuple[Panel, ...] = self._canvases
        row = QHBoxLayout(self)
        for canvas in self._canvases:
            row.addWidget(canvas)

    @property
    def look(self) -> Look:
        return Look()

    def show_pair(self, a: Snapshot, b: Snapshot) -> None:
        for canvas, snapshot in zip(self._canvases, (a, b), strict=True):
            canvas.show_snapshot(snapshot)

    def show_side(self, side: str) -> None:
        self.setAccessibleDescription(side)

    def set_theme(self, theme: Theme) -> None:
        for canvas in self._canvases:
            canvas.set_theme(theme)
