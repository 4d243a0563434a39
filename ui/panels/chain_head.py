"""The head of the chain rule panel: which weight it is about, for which example of the mini-batch, and what the network shows of them."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from gradviz.selected import ChainRule
from gradviz.snapshot import Snapshot

from ..controls.input import let_go
from ..theme import Theme, font
from . import chain_words as words
from . import marks
from .arrow import Arrow
from .chain_cards import fitting
from .chain_page import COLUMNS_FROM, SIDE
from .ladder import LEFT, RIGHT
from .spots import Spot
from .switch import Switch

HEIGHT, SHORT_HEIGHT = 90.0, 62.0  # with and without the switch of what the network shows
BUTTON = 24


class ChainHead(QObject):
    """Its buttons lie on the panel, which draws the rest of it with `paint`."""

    example_wanted = Signal(object)  # position in the mini-batch, or None for all of it

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._chain: ChainRule | None = None
        self._previous = Arrow("‹", "Previous example of the mini-batch", lambda: self._on_arrow(-1), panel)
        self._next = Arrow("›", "Next example of the mini-batch", lambda: self._on_arrow(1), panel)
        for arrow in (self._previous, self._next):
            arrow.setStyleSheet("QToolButton { padding: 0; } QToolButton:focus { padding: 0; }")
            arrow.resize(BUTTON, BUTTON)
        self._shows = Switch(
            "The network shows",
            ("mini-batch", "this example"),
            ("The network and the profile show the mean over the mini-batch", "The network and the profile show this example alone"),
            panel,
        )
        self._shows.chosen.connect(self._on_shows)

    @property
    def height(self) -> float:
        return HEIGHT if self._several else SHORT_HEIGHT

    @property
    def _several(self) -> bool:
        """Whether there are examples to choose from."""
        return self._chain is not None and self._chain.batch > 1

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        self._chain = None if snapshot is None else snapshot.chain
        if snapshot is not None:
            self._shows.show_choice(0 if snapshot.example is None else 1)

    def arrange(self, width: float) -> None:
        """Put the buttons where they belong on a panel of this width."""
        for part in (self._previous, self._next, self._shows):
            if not self._several:
                let_go(part)
            part.setVisible(self._several)
        self._next.move(round(width - SIDE) - BUTTON, 30)
        self._previous.move(self._next.x() - BUTTON - 4, 30)
        self._shows.adjustSize()
        self._shows.move(round(width - SIDE) - self._shows.width(), 60)

    def _on_arrow(self, by: int) -> None:
        if self._chain is not None:
            self.example_wanted.emit((self._chain.example + by) % self._chain.batch)

    def _on_shows(self, choice: int) -> None:
        if self._chain is not None:
            self.example_wanted.emit(self._chain.example if choice else None)

    def paint(self, painter: QPainter, area: QRectF, theme: Theme, snapshot: Snapshot, spots: list[Spot] | None) -> None:
        """Draw it at the top of ``area``; without ``spots`` it is for paper, where no buttons are."""
        chain = snapshot.chain
        if chain is None:
            return
        room = area.width() - 2 * SIDE
        title = words.weight_title(chain, snapshot.architecture)
        size = next((s for s in (15, 14, 13, 12) if marks.text_width(title, font(s, 600)) <= room), 11)
        left = area.left() + SIDE
        marks.put_text(painter, left, area.top() + 20, title, font(size, 600), theme.ink1, LEFT)
        moment = snapshot.moment
        step = f"step {moment.step if moment is not None else snapshot.step:,}"
        if marks.text_width(title, font(size, 600)) + marks.text_width(step, font(12)) + 16 <= room:
            marks.put_text(painter, left + room, area.top() + 20, step, font(12), theme.ink3, RIGHT)
        buttons = spots is not None and self._several
        texts = words.example_lines(chain, snapshot.architecture, snapshot.loss_name)
        text = fitting(texts, 12, room - (2 * BUTTON + 12 if buttons else 0))
        marks.put_text(painter, left, area.top() + 42, text, font(12), theme.ink3, LEFT)
        if spots is not None and buttons:
            end = self._shows.x() - 10.0
            label = fitting(("The network shows", "Network shows", "Network"), 12, end - left)
            at, align = (end, RIGHT) if area.width() >= COLUMNS_FROM else (left, LEFT)  # never far from what it names
            marks.put_text(painter, at, area.top() + 70, label, font(12), theme.ink2, align)
            line = QRectF(left, area.top() + 34, marks.text_width(text, font(12)), 20)
            spots.append(Spot(line, f"row {chain.example_number + 1} of the training set; ŷ", chain.prediction))
