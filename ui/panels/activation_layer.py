"""Which layer the activation lab looks at: its name, why it is this one, and a stepper to choose another."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QPushButton

from ..controls.input import focus_by_tab
from ..theme import Theme, font
from . import marks
from .arrow import Arrow
from .chain_cards import fitting
from .lab_blocks import LEFT
from .lab_page import SIDE, Block

HEIGHT, BUTTON, AUTO = 64.0, 26, 52


class LayerChoice(Block):
    """Name and caption at the left; "Auto", ‹ and › at the right."""

    wanted = Signal(int)  # number of a layer, 0 for automatic

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self._captions: tuple[str, ...] = ("",)
        self._layer, self._depth = 0, 0
        self.auto = QPushButton("Auto", self)
        self.auto.setCheckable(True)
        self.auto.setChecked(True)
        self.auto.setFont(font(12))
        self.auto.setToolTip("Look at the hidden layer with the smallest mean slope f′, whichever it is")
        self.auto.setAccessibleName("Choose the layer automatically: the smallest mean slope")
        self.auto.clicked.connect(lambda: self._want(0))
        focus_by_tab(self.auto)
        self.less = Arrow("‹", "Look at the layer before", lambda: self._want(self._layer - 1), self)
        self.more = Arrow("›", "Look at the next layer", lambda: self._want(self._layer + 1), self)

    def speak_of(self, stage: str) -> None:
        """What is looked at: "layer", or "time step"."""
        factor = "hidden layer with the smallest mean slope f′" if stage == "layer" else "time step with the smallest mean factor"
        self.auto.setToolTip(f"Look at the {factor}, whichever it is")
        self.less.setToolTip(f"Look at the {stage} before")
        self.more.setToolTip(f"Look at the next {stage}")

    def show_layer(self, title: str, captions: tuple[str, ...], layer: int, depth: int, chosen: bool) -> None:
        """Show which hidden layer of how many it is; 0 of them: there is no net yet."""
        self.title, self._captions = title, captions
        self._layer, self._depth = layer, depth
        self.auto.setChecked(not chosen)
        for part in (self.auto, self.less, self.more):
            part.setVisible(depth > 0)
        self.less.setEnabled(layer > 1)
        self.more.setEnabled(layer < depth)
        self.setAccessibleName(f"{title}: {captions[0]}")
        self.update()

    def _want(self, layer: int) -> None:
        if 0 <= layer <= self._depth:
            self._layer = layer or self._layer  # so that a held arrow goes on before the answer is there
            self.wanted.emit(layer)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.setStyleSheet(
            "QToolButton { padding: 0; min-height: 22px; } QToolButton:focus { padding: 0; min-height: 20px; }"
            "QPushButton { padding: 0; min-height: 22px; } QPushButton:focus { padding: 0; min-height: 20px; }"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        right = self.width() - round(SIDE)
        self.more.setGeometry(right - BUTTON, 10, BUTTON, BUTTON)
        self.less.setGeometry(right - 2 * BUTTON - 4, 10, BUTTON, BUTTON)
        self.auto.setGeometry(right - 2 * BUTTON - 8 - AUTO, 10, AUTO, BUTTON)

    def height_at(self, width: float) -> float:
        return HEIGHT

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        left, room = area.left() + SIDE, area.width() - 2 * SIDE
        taken = 2 * BUTTON + AUTO + 20 if self._depth else 0
        title = fitting((self.title, self.title.split(":")[0]), 15, room - taken, 600)
        marks.put_text(painter, left, area.top() + 24, title, font(15, 600), self.theme.ink1, LEFT)
        caption = fitting(self._captions, 12, room)
        marks.put_text(painter, left, area.top() + 47, caption, font(12), self.theme.ink3, LEFT)
