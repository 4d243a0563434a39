"""Inputs that choose: a switch, segments, a list, and the grid of activation curves."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from gradviz.spec import FieldInfo

from ..activation_glyph import paint_glyph
from ..theme import THEMES, Theme, font
from .input import FIELD_HEIGHT, Combo, Input, focus_by_tab
from .numbers import NumberEdit, parse_number

GLYPHS_PER_ROW = 4
SEGMENT_PADDING = 12
LIST_PADDING = 38  # frame, margins and arrow of a list


class Switch(Input):
    """On or off, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.button = _SwitchButton()
        self._word = QLabel("off")
        self._word.setProperty("ink", 3)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.button)
        row.addWidget(self._word)
        row.addStretch(1)
        self.button.clicked.connect(lambda on: self.wanted.emit(on))

    def show_value(self, value: object) -> None:
        self.button.setChecked(bool(value))
        self._word.setText("on" if value else "off")

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.button.theme = theme


class _SwitchButton(QAbstractButton):
    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.setCheckable(True)
        self.setFixedSize(38, 24)
        focus_by_tab(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2, 2, 34, 20)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ink1), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 11, 11)
            track.adjust(2, 2, -2, -2)
        on = self.isChecked()
        ground = (theme.inverse if self.isEnabled() else theme.strong_line) if on else theme.field
        painter.setPen(QPen(QColor(ground if on else theme.strong_line), 1))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), track.height() / 2, track.height() / 2)
        radius = track.height() / 2 - 3
        center = track.right() - radius - 3 if on else track.left() + radius + 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.inverse_text if on else theme.ink3))
        painter.drawEllipse(QRectF(center - radius, track.center().y() - radius, 2 * radius, 2 * radius))


class Segments(Input):
    """A few choices side by side, exactly one of them pressed; ``rest`` adds a number for values that have no segment."""

    def __init__(self, choices: tuple[tuple[object, str], ...], rest: FieldInfo | None = None) -> None:
        super().__init__()
        self._choices = choices
        self._group = QButtonGroup(self)
        self._rest: NumberEdit | None = None
        frame = QFrame()
        frame.setProperty("field", True)
        frame.setFixedHeight(FIELD_HEIGHT)
        row = QHBoxLayout(frame)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        for number, (value, title) in enumerate(choices):
            button = QPushButton(title)
            button.setCheckable(True)
            button.setProperty("segment", "first" if number == 0 else "last" if number == len(choices) - 1 and rest is None else "next")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            focus_by_tab(button)
            button.clicked.connect(lambda _=False, value=value: self.wanted.emit(value))
            self._group.addButton(button, number)
            row.addWidget(button, 1)
        if rest is not None:
            self._add_rest(rest, row)
        outside = QHBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(frame)

    def _add_rest(self, info: FieldInfo, row: QHBoxLayout) -> None:
        edit = NumberEdit()
        edit.setProperty("segment", "edit")
        edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        edit.setFixedWidth(30)
        edit.setPlaceholderText(f"{len(self._choices)}+")
        edit.setToolTip(f"Another number: click and type it, up to {info.maximum:g}.")
        edit.setAccessibleName("another number")
        edit.committed.connect(lambda text: self.wanted.emit(parse_number(text, info)))
        edit.stepped.connect(lambda by: self.wanted.emit(int(float(edit.text() or len(self._choices) - 1)) + by))
        edit.left.connect(self.released)
        row.addWidget(edit)
        self._rest = edit

    def show_value(self, value: object) -> None:
        number = next((i for i, (choice, _) in enumerate(self._choices) if choice == value), None)
        self._group.setExclusive(False)
        for i, button in enumerate(self._group.buttons()):
            button.setChecked(i == number)
        self._group.setExclusive(True)
        if self._rest is not None:
            self._rest.show_text("" if number is not None else str(value))

    def is_busy(self) -> bool:
        return self._rest is not None and self._rest.is_busy()

    @staticmethod
    def width_of(choices: tuple[tuple[object, str], ...]) -> int:
        """Pixels that these segments need."""
        metrics = QFontMetrics(font(12, 600))
        return len(choices) * (max(metrics.horizontalAdvance(title) for _, title in choices) + SEGMENT_PADDING)


class ListInput(Input):
    """One of many, from a list that opens."""

    def __init__(self, choices: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self.combo = Combo()
        for value, title in choices:
            self.combo.addItem(title, value)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.combo)
        self.combo.activated.connect(lambda index: self.wanted.emit(self.combo.itemData(index)))

    @staticmethod
    def width_of(choices: tuple[tuple[str, str], ...]) -> int:
        """Pixels that the longest of these choices needs, beside the arrow."""
        metrics = QFontMetrics(font(12))
        return max(metrics.horizontalAdvance(title) for _, title in choices) + LIST_PADDING

    def show_value(self, value: object) -> None:
        self.combo.setCurrentIndex(self.combo.findData(value))

    def is_busy(self) -> bool:
        return self.combo.view().isVisible()


class GlyphGrid(Input):
    """Every activation as a button with its curve."""

    wide = True

    def __init__(self, choices: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._common: object = None
        self._group = QButtonGroup(self)
        self.buttons: dict[str, GlyphButton] = {}
        self._grid = grid = QGridLayout()
        grid.setSpacing(4)
        for value, title in choices:
            button = GlyphButton(value, title)
            button.clicked.connect(lambda _=False, value=value: self.wanted.emit(value))
            self._group.addButton(button)
            self.buttons[value] = button
        self._shown: tuple[tuple[str, str], ...] = ()
        self.show_choices(choices)
        for column in range(GLYPHS_PER_ROW):
            grid.setColumnStretch(column, 1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 4)
        outside.addLayout(grid)

    def show_choices(self, choices: tuple[tuple[str, str], ...]) -> None:
        if choices == self._shown:
            return
        self._shown = choices
        for button in self.buttons.values():
            self._grid.removeWidget(button)
            button.hide()
        for number, (value, _) in enumerate(choices):
            self._grid.addWidget(self.buttons[value], number // GLYPHS_PER_ROW, number % GLYPHS_PER_ROW)
            self.buttons[value].show()

    def show_value(self, value: object) -> None:
        self._common = value
        self.show_layers(None)

    def show_layers(self, values: tuple[object, ...] | None) -> None:
        used = {self._common} if values is None else set(values)
        self._group.setExclusive(False)
        for name, button in self.buttons.items():
            button.setChecked(used == {name})
            button.in_some_layers = name in used and len(used) > 1
            button.update()
        self._group.setExclusive(True)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for button in self.buttons.values():
            button.theme = theme
            button.update()


class GlyphButton(QAbstractButton):
    """An activation's curve above its name."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.name = name
        self.theme: Theme = THEMES["dark"]
        self.in_some_layers = False
        self.setText(title)
        self.setCheckable(True)
        self.setMouseTracking(True)
        focus_by_tab(self)

    def sizeHint(self) -> QSize:
        return QSize(54, 44)

    def minimumSizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(11, 600)).horizontalAdvance(self.text()) + 4, 44)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, checked = self.theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = checked or self.hasFocus()
        width = 2 if strong else 1
        edge = theme.ink1 if strong else theme.ink3 if self.in_some_layers else theme.strong_line
        painter.setPen(QPen(QColor(edge), width))
        painter.setBrush(QColor(theme.hover if self.underMouse() or self.isDown() else theme.raised if checked else theme.field))
        inset = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 5, 5)
        ink = QColor(theme.ink1 if checked or self.in_some_layers else theme.ink2)
        paint_glyph(painter, QRectF(self.width() / 2 - 12, 7, 24, 14), self.name, ink)
        painter.setPen(ink)
        painter.setFont(font(11, 600 if checked else 400))
        painter.drawText(QRectF(0, 25, self.width(), 15), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus() and checked:  # the focus must show on the pressed one as well
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.ink1), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4.5, 4.5, -4.5, -4.5), 3, 3)
