"""The initialisers as rows: name, both curves over the layers in small, both factors per layer; a row is pressed to use its scheme."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from gradviz.lab_reports import Scheme

from ..controls.input import focus_by_tab
from ..icons import paint_icon
from ..numbers import full
from ..theme import THEMES, Theme, font
from . import marks, scheme_marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .plots import elided

HEAD, ROW = 24.0, 32.0
INSET = 8.0  # between the hovered ground and what a row holds
MARK, NAME, FACTOR, GAP = 18.0, 90.0, 52.0, 6.0
LEAST_CURVE = 36.0  # pixels; where the two curves would be narrower, only that of the gradient is drawn


def columns(area: QRectF) -> tuple[QRectF, QRectF]:
    """Where the two small curves stand in a row, with their factors to the right of them; the first may have no room."""
    left = area.left() + INSET + MARK + NAME
    room = area.right() - INSET - left
    wide = room / 2 - FACTOR - GAP
    first = wide if wide >= LEAST_CURVE else 0.0
    second = left + (room / 2 if first else FACTOR + 2 * GAP)
    top, high = area.top() + 6, area.height() - 12
    return QRectF(left, top, first, high), QRectF(second, top, max(12.0, area.right() - INSET - FACTOR - second), high)


def paint_scheme(painter: QPainter, area: QRectF, scheme: Scheme, theme: Theme, current: bool, lit: bool) -> None:
    """One row; ``lit`` gives it the ground of what is pointed at."""
    ground = theme.hover if lit else theme.dock
    if lit:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(area, 6, 6)
    middle = area.center().y()
    if current:
        paint_icon(painter, "check", QRectF(area.left() + INSET - 3, middle - 7, 14, 14), theme.ink1)
    used = font(12, 600 if current else 400)
    name = elided(scheme_marks.title(scheme), NAME - 4)
    marks.put_text(painter, area.left() + INSET + MARK, middle, name, used, theme.ink1, LEFT)
    forwards, backwards = columns(area)
    if forwards.width():
        scheme_marks.paint_levels(painter, forwards, theme, theme.canvas, (0,), zone=False)
        scheme_marks.paint_line(painter, forwards, scheme.activation_stds, theme, 1.6, theme.canvas)
    scheme_marks.paint_levels(painter, backwards, theme, theme.canvas, (0,), zone=True)
    scheme_marks.paint_bars(painter, backwards, scheme.delta_norms, theme)
    pairs = ((forwards, scheme.forward_factor, scheme.activation_stds), (backwards, scheme.backward_factor, scheme.delta_norms))
    for box, factor, values in pairs:
        text = scheme_marks.factor_text(factor, values)
        ink = theme.nan if text in ("NaN", "∞") else theme.ink1
        marks.put_text(painter, box.right() + FACTOR, middle, text, used, ink, RIGHT)


class SchemeRow(QAbstractButton):
    """One initialiser to be pointed at and pressed."""

    pointed = Signal(str)  # the initialiser the pointer or the focus is on; "" when it has left
    moved = Signal(int)  # the focus is to go so many rows down

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.scheme: Scheme | None = None
        self._current = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        focus_by_tab(self)

    def show_scheme(self, scheme: Scheme, current: bool) -> None:
        """Show this initialiser from now on; ``current`` says whether it is in force."""
        if scheme is self.scheme and current == self._current:
            return
        self.scheme, self._current = scheme, current
        name = scheme_marks.title(scheme)
        forwards = scheme_marks.factor_text(scheme.forward_factor, scheme.activation_stds)
        backwards = scheme_marks.factor_text(scheme.backward_factor, scheme.delta_norms)
        state = ", in force" if current else ""
        self.setText(name)
        self.setAccessibleName(f"{name}: forwards {forwards}, backwards {backwards} per layer{state}")
        press = "This scheme is in force." if current else "Click to restart the run with it."
        self.setAccessibleDescription(press)
        self.setToolTip(
            f"<p><b>{name}</b></p><p>spread per layer forwards: × {full(scheme.forward_factor)}<br>"
            f"‖∂J/∂z‖ per layer backwards: × {full(scheme.backward_factor)}</p><p>{press}</p>"
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.scheme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        paint_scheme(painter, area, self.scheme, self.theme, self._current, lit=self.underMouse() or self.hasFocus())
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._point()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit("")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._point()  # not where a window gives it the focus of its own accord

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.pointed.emit("")

    def _point(self) -> None:
        if self.scheme is not None:
            self.pointed.emit(self.scheme.initializer)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class SchemeRows(Block):
    """All initialisers under each other, with what the columns are."""

    pointed = Signal(str)
    pressed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[SchemeRow] = []
        self.schemes: tuple[Scheme, ...] = ()
        self.current = ""
        self.setAccessibleName("Initialisers, those first whose factors are nearest to 1")

    def show_schemes(self, schemes: tuple[Scheme, ...], current: str) -> None:
        """Show these in this order; ``current`` is in force."""
        self.schemes, self.current = schemes, current
        while len(self.rows) > len(schemes):
            self.rows.pop().deleteLater()
        while len(self.rows) < len(schemes):
            row = SchemeRow(self)
            row.theme = self.theme
            row.pointed.connect(self.pointed)
            row.moved.connect(self._move)
            row.clicked.connect(self._on_clicked)
            row.show()
            self.rows.append(row)
        for row, scheme in zip(self.rows, schemes, strict=True):
            row.show_scheme(scheme, scheme.initializer == current)
        self._place()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for row in self.rows:
            row.theme = theme
            row.update()

    def height_at(self, width: float) -> float:
        return HEAD + ROW * len(self.schemes) + 8.0

    def _area(self, area: QRectF, number: int) -> QRectF:
        return QRectF(area.left() + SIDE - INSET, area.top() + HEAD + ROW * number, area.width() - 2 * (SIDE - INSET), ROW)

    def _place(self) -> None:
        for number, row in enumerate(self.rows):
            row.setGeometry(self._area(QRectF(self.rect()), number).toRect())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_head(painter, QRectF(self.rect()))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        self._paint_head(painter, area)
        for number, scheme in enumerate(self.schemes):
            paint_scheme(painter, self._area(area, number), scheme, self.theme, scheme.initializer == self.current, lit=False)

    def _paint_head(self, painter: QPainter, area: QRectF) -> None:
        y, used = area.top() + 12, font(11)
        first, second = columns(self._area(area, 0))
        marks.put_text(painter, area.left() + SIDE + MARK, y, "scheme", used, self.theme.ink3, LEFT)
        marks.put_text(painter, first.left(), y, "forwards", used, self.theme.ink3, LEFT)
        marks.put_text(painter, second.left(), y, "backwards", used, self.theme.ink3, LEFT)
        painter.setPen(QPen(QColor(self.theme.line), 1))
        line = area.top() + HEAD - 1.5
        painter.drawLine(QPointF(area.left() + SIDE, line), QPointF(area.right() - SIDE, line))

    def _move(self, by: int) -> None:
        focused = next((number for number, row in enumerate(self.rows) if row.hasFocus()), 0)
        self.rows[min(len(self.rows) - 1, max(0, focused + by))].setFocus(Qt.FocusReason.TabFocusReason)

    def _on_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, SchemeRow) and row.scheme is not None:
            self.pressed.emit(row.scheme.initializer)
