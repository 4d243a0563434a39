"""The heading of one side: its letter and name, its verdict, where it stopped, and a small menu of what can be done with it."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from gradviz.snapshot import Snapshot

from ..controls.input import focus_by_tab
from ..icons import icon
from ..panels import marks
from ..stages import training_step
from ..theme import THEMES, Theme, font
from ..verdict import HEIGHT as PILL
from ..verdict import VerdictPill, paint_pill
from .words import other_side

MARGIN, BOX, MENU = 16.0, 20.0, 28
NAME_GAP, PILL_GAP = 10, 12  # before the name, and before the verdict
SPELT = {"forward": "forward", "loss": "in the loss", "backward": "backward", "update": "in the update"}


class SideHead(QWidget):
    """What stands over one side."""

    settings_wanted = Signal()
    swap_wanted = Signal()
    adopt_wanted = Signal()
    drop_wanted = Signal()
    predict_wanted = Signal()
    remedy_wanted = Signal(str, object)  # path of a field, value
    layers_wanted = Signal(object)  # numbers of the layers a verdict is about

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.side = side
        self._name, self._note, self._failed = "", "", False
        self._open = False
        self.verdict = VerdictPill(self)
        self.verdict.remedy_wanted.connect(self.remedy_wanted)
        self.verdict.layers_wanted.connect(self.layers_wanted)
        self.menu_button = QToolButton(self)
        self.menu_button.setProperty("flat", True)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setAccessibleName(f"What to do with side {side}")
        self.menu_button.setToolTip(f"Settings of {side}, swap, keep or drop")
        focus_by_tab(self.menu_button)
        menu = QMenu(self.menu_button)
        other = other_side(side)
        for text, signal in (
            (f"Settings of {side}", self.settings_wanted),
            (f"Swap {side} and {other}", self.swap_wanted),
            (f"Keep {side}: go on with it alone", self.adopt_wanted),
            (f"Drop {side}: {other} stays", self.drop_wanted),
            ("Predict first: a game for a class", self.predict_wanted),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, signal=signal: signal.emit())
        self.menu_button.setMenu(menu)
        self.set_theme(self.theme)

    def show_side(self, snapshot: Snapshot, name: str, other: Snapshot) -> None:
        """Name the side and say where it stands if it is not where the ``other`` is."""
        failure = snapshot.failure
        self._name, self._failed = name, failure is not None
        if failure is not None:
            self._note = f"stopped at step {failure.step:,}: NaN or ∞ in {failure.layer_name}, {SPELT[failure.phase]}"
        elif snapshot.step != other.step:
            self._note = f"{training_step(snapshot.spec)} {snapshot.step:,}"
        else:
            self._note = ""
        self.setAccessibleName(f"Side {self.side}: {name}")
        self.setAccessibleDescription(self._note)
        self.setToolTip("\n".join(filter(None, (name, self._note))))
        self.verdict.show_snapshot(snapshot)
        self._place()
        self.update()

    def show_open(self, shown: bool) -> None:
        """Whether the settings that are open are those of this side."""
        if shown != self._open:
            self._open = shown
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = self.verdict.theme = theme
        self.menu_button.setIcon(icon("more", theme))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(450, 40)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        middle = self.height() // 2
        self.menu_button.setGeometry(self.width() - MENU - 8, middle - MENU // 2, MENU, MENU)
        name = min(math.ceil(marks.text_width(self._name, font(15, 600))), self.width() * 2 // 5)
        before = round(MARGIN + BOX) + NAME_GAP + name + PILL_GAP
        wide = min(self.verdict.sizeHint().width(), self.width() - MENU - 16 - before)
        self.verdict.setGeometry(self.width() - MENU - 16 - wide, middle - PILL // 2, wide, PILL)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        end = self.verdict.x() if self.verdict.verdicts else self.menu_button.x()
        self._paint(painter, QRectF(self.rect()), float(end) - PILL_GAP)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw it with its verdict, without the menu."""
        end = area.right() - MARGIN
        text = self.verdict.text
        if text:
            wide = float(self.verdict.sizeHint().width())
            pill = QRectF(end - wide, area.center().y() - PILL / 2, wide, PILL)
            self._paint(painter, area, pill.left() - area.left() - PILL_GAP)
            paint_pill(painter, pill, self.verdict.verdicts[0].kind, text, self.theme)
        else:
            self._paint(painter, area, end - area.left())

    def _paint(self, painter: QPainter, area: QRectF, end: float) -> None:
        """Letter, name and note; ``end`` is how far they may go."""
        theme, y = self.theme, area.center().y()
        painter.save()
        painter.fillRect(area, QColor(theme.canvas))
        box = QRectF(area.left() + MARGIN, y - BOX / 2, BOX, BOX)
        bold = self.side == "B"
        painter.setPen(QPen(QColor(theme.ink1), 1.25))
        painter.setBrush(QColor(theme.inverse if bold else theme.canvas))
        painter.drawRoundedRect(box, 5, 5)
        marks.put_text(painter, box.center().x(), y, self.side, font(12, 600), theme.inverse_text if bold else theme.ink1)
        left, used = box.right() + NAME_GAP, font(15, 600)
        room = max(10.0, area.left() + end - left)
        name = QFontMetricsF(used).elidedText(self._name, Qt.TextElideMode.ElideRight, room)
        marks.put_text(painter, left, y, name, used, theme.ink1, Qt.AlignmentFlag.AlignLeft)
        wide = marks.text_width(name, used)
        if self._open:
            painter.fillRect(QRectF(box.left(), area.bottom() - 5, left - box.left() + wide, 2), QColor(theme.ink1))
        note = QFontMetricsF(font(12)).elidedText(self._note, Qt.TextElideMode.ElideRight, max(0.0, room - wide - 12))
        if len(note) > 2:
            ink = theme.nan if self._failed else theme.ink3
            marks.put_text(painter, left + wide + 12, y, note, font(12), ink, Qt.AlignmentFlag.AlignLeft)
        painter.restore()
