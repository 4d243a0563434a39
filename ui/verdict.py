"""The verdict on the run: a pill in the status bar, and on a click its rule, the measured number and what may help."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gradviz.snapshot import Snapshot, Verdict

from .colors import color, level
from .controls.input import focus_by_tab
from .icons import paint_icon
from .numbers import full, short
from .theme import THEMES, Theme, font
from .verdict_signs import WORDS

HEIGHT = 22
CARD_WIDTH = 380  # at least
MARGIN = 16


def words_of(verdict: Verdict, letter: str = "L") -> str:
    """The verdict in a few words: "Vanishing: L1 to L6"; ``letter`` is "t" where time steps stand for layers."""
    title = WORDS[verdict.kind][0]
    if not verdict.layers:
        return title
    first, last = min(verdict.layers), max(verdict.layers)
    return f"{title}: {letter}{first}" if first == last else f"{title}: {letter}{first} to {letter}{last}"


def ink_of(kind: str, theme: Theme) -> QColor:
    gradient = WORDS[kind][2]
    if gradient is None:
        return QColor(theme.ink3)
    return QColor(theme.nan) if math.isnan(gradient) else color(level(gradient), theme)


def pill_text(verdicts: tuple[Verdict, ...], letter: str = "L") -> str:
    """The first verdict in a few words, and how many more there are; "" for none."""
    more = f" +{len(verdicts) - 1}" if len(verdicts) > 1 else ""
    return words_of(verdicts[0], letter) + more if verdicts else ""


def paint_pill(painter: QPainter, area: QRectF, kind: str, text: str, theme: Theme, focused: bool = False) -> None:
    """A verdict's icon and words in a frame of its colour."""
    pill = area.adjusted(0.75, 0.75, -0.75, -0.75)
    painter.setPen(QPen(QColor(theme.ink1) if focused else ink_of(kind, theme), 2.0 if focused else 1.5))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
    paint_icon(painter, WORDS[kind][1], QRectF(pill.left() + 9, pill.center().y() - 7, 14, 14), theme.ink1)
    painter.setFont(font(12, 600))
    painter.setPen(QColor(theme.ink1))
    inside = pill.adjusted(29, 0, -8, 0)
    fitted = QFontMetrics(font(12, 600)).elidedText(text, Qt.TextElideMode.ElideRight, math.ceil(inside.width()))
    painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, fitted)


class VerdictPill(QWidget):
    """The most serious verdict in a few words; a click opens the `VerdictCard`."""

    remedy_wanted = Signal(str, object)  # path of a field, value
    layers_wanted = Signal(object)  # numbers of the layers a verdict is about

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.verdicts: tuple[Verdict, ...] = ()
        self._step, self._letter = 0, "L"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.hide()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what is found of this moment; a run too young to judge has no pill."""
        self._step = snapshot.step
        if snapshot.verdicts == self.verdicts:
            return
        self.verdicts, self._letter = snapshot.verdicts, snapshot.architecture.layers[0].name[0]
        self.setVisible(bool(self.verdicts))
        if self.verdicts:
            text = self.text
            self.setAccessibleName(f"Verdict: {text}")
            self.setToolTip(f"{self.verdicts[0].explanation}\nClick for the rule and what may help.")
        self.updateGeometry()
        self.update()

    @property
    def text(self) -> str:
        """What it says; "" where nothing is judged yet."""
        return pill_text(self.verdicts, self._letter)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(12, 600)).horizontalAdvance(self.text) + 44 if self.verdicts else 0, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.verdicts:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, (self.height() - HEIGHT) / 2, self.width(), HEIGHT)
        paint_pill(painter, area, self.verdicts[0].kind, self.text, self.theme, self.hasFocus())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.open_card()

    def open_card(self) -> VerdictCard:
        """Open the evidence above the pill, or below it where there is no room."""
        card = VerdictCard(self.verdicts, self._step, self.theme, self, self._letter)
        card.remedy_wanted.connect(self.remedy_wanted)
        card.layers_wanted.connect(self.layers_wanted)
        above, below = self.mapToGlobal(QPoint(0, -card.height() - 6)), self.mapToGlobal(QPoint(0, self.height() + 6))
        card.move(above if above.y() >= self.window().mapToGlobal(QPoint(0, 0)).y() else below)
        card.show()
        return card


class VerdictCard(QFrame):
    """Each verdict with its explanation, its rule, the number that was measured, and what may help."""

    remedy_wanted = Signal(str, object)
    layers_wanted = Signal(object)

    def __init__(self, verdicts: tuple[Verdict, ...], step: int, theme: Theme, parent: QWidget, letter: str = "L") -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.theme, self._letter = theme, letter
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("What is judged, and by which rule")
        self.setStyleSheet(f"""
VerdictCard {{ background: {theme.raised}; border: 1px solid {theme.strong_line}; }}
QLabel {{ color: {theme.ink1}; font-size: 13px; }}
QLabel[ink="2"] {{ color: {theme.ink2}; font-size: 12px; }}
QLabel[heading="true"] {{ font-size: 15px; font-weight: 600; }}
QPushButton {{ text-align: left; }}
""")
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 14, MARGIN, 14)
        column.setSpacing(6)
        for number, verdict in enumerate(verdicts):
            if number:
                column.addSpacing(10)
            self._add(column, verdict, step)
        for part in self.findChildren(QWidget):
            part.ensurePolished()  # their fonts, without which no height is right
        widest = max((button.sizeHint().width() for button in self.findChildren(QPushButton)), default=0)
        width = max(CARD_WIDTH - 2, widest + 2 * MARGIN)  # a button does not wrap its text
        self.setFixedSize(width + 2, column.totalHeightForWidth(width) + 2)  # with the frame

    def _add(self, column: QVBoxLayout, verdict: Verdict, step: int) -> None:
        heading = QHBoxLayout()
        heading.setSpacing(8)
        heading.addWidget(_Sign(verdict.kind, self.theme))
        heading.addWidget(_label(words_of(verdict, self._letter), heading=True), 1)
        heading.addWidget(_label(f"step {step:,}", ink=True))
        column.addLayout(heading)
        column.addWidget(_label(verdict.explanation))
        column.addWidget(_label(f"Rule: {verdict.rule}", ink=True))
        if math.isfinite(verdict.threshold):
            measured = _label(f"Measured {short(verdict.value)}, threshold {short(verdict.threshold)}", ink=True)
            measured.setToolTip(f"{full(verdict.value)} against {full(verdict.threshold)}")
            column.addWidget(measured)
        if verdict.layers:
            where = words_of(verdict, self._letter).partition(": ")[2]
            self._button(column, f"Show {where}", lambda: self.layers_wanted.emit(verdict.layers))
        for words, path, value in verdict.remedies:
            self._button(column, f"Try: {words}", lambda path=path, value=value: self.remedy_wanted.emit(path, value))

    def _button(self, column: QVBoxLayout, text: str, act: object) -> None:
        button = QPushButton(text)
        focus_by_tab(button)
        assert callable(act)
        button.clicked.connect(lambda: (self.close(), act()))
        column.addWidget(button)


class _Sign(QWidget):
    """The icon of a verdict in a ring of its colour."""

    def __init__(self, kind: str, theme: Theme) -> None:
        super().__init__()
        self._kind, self._theme = kind, theme
        self.setFixedSize(24, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink_of(self._kind, self._theme), 1.5))
        painter.drawEllipse(QPointF(12, 12), 11, 11)
        paint_icon(painter, WORDS[self._kind][1], QRectF(5, 5, 14, 14), self._theme.ink1)


def _label(text: str, *, heading: bool = False, ink: bool = False) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(not heading)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if heading:
        label.setProperty("heading", True)
    if ink:
        label.setProperty("ink", 2)
    return label
