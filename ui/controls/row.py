"""One field of the spec in the dock: its title, its input, what must be known about it, and what was wrong with the last try."""

from __future__ import annotations

import html

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gradviz.spec import FieldInfo, Spec

from ..theme import THEMES, Theme
from .input import Input, let_go
from .presentation import hint_for, make_input

TITLE_WIDTH = 110
ROW_HEIGHT = 28
RESTARTS = "Changing this restarts the run from the same seed."


class Row(QWidget):
    """The control of one field."""

    wanted = Signal(object)
    released = Signal()

    def __init__(self, info: FieldInfo, per_layer: FieldInfo | None = None) -> None:
        """``per_layer`` is the field that may give each layer a value of its own instead."""
        super().__init__()
        self.info = info
        self._per_layer = per_layer
        self.input: Input = make_input(info)
        self.input.describe(info.title, info.help)
        self.title = QLabel(info.title)
        self.title.setProperty("ink", 2)
        self.title.setBuddy(self.input)
        self.setToolTip(self._help())
        self.mark = RestartMark()
        self.mark.setVisible(info.restarts)
        self.note = _small_label(3)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.error = _small_label(1)
        self.error.setWordWrap(True)
        self.error.hide()
        self._lay_out()
        self.input.wanted.connect(self.wanted)
        self.input.released.connect(self.released)

    def _lay_out(self) -> None:
        wide = self.input.wide
        heading = QWidget()
        beside = QHBoxLayout(heading)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(4)
        beside.addWidget(self.title)
        beside.addWidget(self.mark)
        beside.addStretch(1)
        if wide:
            beside.addWidget(self.note)
        heading.setFixedHeight(ROW_HEIGHT if not wide else 24)
        if not wide:
            heading.setFixedWidth(TITLE_WIDTH)
            self.input.setFixedHeight(ROW_HEIGHT)
        heading.setVisible(hint_for(self.info).titled)
        self.heading = heading
        line = QBoxLayout(QBoxLayout.Direction.TopToBottom if wide else QBoxLayout.Direction.LeftToRight)
        line.setSpacing(0)
        line.addWidget(heading)
        line.addWidget(self.input, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(line)
        if not wide:
            column.addWidget(self.note)
            self.note.hide()
        column.addWidget(self.error)

    def show_spec(self, spec: Spec) -> None:
        """Show this field as it is in ``spec``; where it does not count it is not there."""
        counts = spec.counts(self.info.path)
        if not counts:
            let_go(self)
        self.setVisible(counts)
        self.input.show_choices(spec.choices(self.info.path))
        if not self.input.is_busy():
            self.input.show_value(spec.get(self.info.path))
        if self._per_layer is not None:
            layered = spec.counts(self._per_layer.path)
            own = spec.get(self._per_layer.path) if layered else None
            self.input.show_layers(own)
            self.note.setText("same in all layers" if own is None else "own in some layers")
            self.note.setVisible(layered and (self.input.wide or own is not None))

    def show_error(self, text: str) -> None:
        """Say what was wrong with the last try; an empty text takes it back."""
        self.error.setText(text)
        self.error.setVisible(bool(text))

    def set_theme(self, theme: Theme) -> None:
        self.input.set_theme(theme)
        self.mark.theme = theme
        self.mark.update()

    def _help(self) -> str:
        info = self.info
        lines = [f"<b>{html.escape(info.title)}</b>", html.escape(info.help)]
        if info.minimum is not None and info.maximum is not None:
            unit = f" {info.unit}" if len(info.unit) > 1 else info.unit
            lines.append(f"From {info.minimum:,g} to {info.maximum:,g}{unit}.")
        if info.restarts:
            lines.append(RESTARTS)
        return "<br>".join(lines)


class RestartMark(QWidget):
    """An arrow that comes round: the field restarts the run."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.setFixedSize(12, 12)
        self.setToolTip(RESTARTS)
        self.setAccessibleName(RESTARTS)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(self.theme.ink3)
        painter.setPen(QPen(color, 1.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawArc(QRectF(2, 2.5, 8, 8), 50 * 16, -300 * 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(4.6, 0.4), QPointF(9.2, 2.6), QPointF(5.2, 5.6)]))


def _small_label(ink: int) -> QLabel:
    label = QLabel()
    label.setProperty("ink", ink)
    return label
