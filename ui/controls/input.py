"""What every input of a value has in common, and two manners they share.

A button takes the keyboard focus by Tab but not by a click, so that the space bar goes on playing and pausing after the
mouse has changed something; and the wheel scrolls the dock instead of changing values it happens to pass.
"""

from __future__ import annotations

from collections.abc import Container

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QStyle, QStyleOptionComboBox, QWidget

from ..theme import THEMES, Theme

FIELD_HEIGHT = 26
SIDEWAYS = (Qt.Key.Key_Left, Qt.Key.Key_Right)


class Input(QWidget):
    """Shows the value that is in force and says which one is wanted; it keeps none itself."""

    wanted = Signal(object)  # a value, or the typed text where it is none; live while a slider is dragged
    released = Signal()  # no longer dragged or typed into

    wide = False  # stands beneath its title instead of beside it

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]

    def show_value(self, value: object) -> None:
        """Show a value without saying that it is wanted."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it shows a value")

    def show_choices(self, choices: tuple[tuple[str, str], ...]) -> None:
        """What can be chosen now, as (value, title); only some inputs offer less at times."""

    def show_layers(self, values: tuple[object, ...] | None) -> None:
        """Each layer's own value, or None where all layers share one; only some inputs show them."""

    def is_busy(self) -> bool:
        """Whether the user is dragging it or typing into it, so that nothing may be shown over it."""
        return False

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def describe(self, title: str, help: str) -> None:
        """Name every part that can have the keyboard focus, for those who hear the window instead of seeing it."""
        for part in self.findChildren(QWidget):
            if part.focusPolicy() != Qt.FocusPolicy.NoFocus:
                own = part.accessibleName() or (part.text() if isinstance(part, QAbstractButton) else "")
                part.setAccessibleName(f"{title}: {own}" if own else title)
                part.setAccessibleDescription(help)


class _SpacePresses(QObject):
    """Lets the space bar press what was reached by Tab, although it is the window's shortcut for play.

    The focus that a window gives to its first button when it opens does not count: there the space bar still plays.
    """

    _reached = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.gotFocus():
            self._reached = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        space = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if space and self._reached and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().eventFilter(watched, event)


def keeps(event: QEvent, keys: Container[int]) -> bool:
    """Whether this is one of the keys that a widget with the focus takes for itself; else it would be a shortcut of the window."""
    if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys:
        event.accept()
        return True
    return False


def focus_by_tab(widget: QWidget) -> None:
    """Reachable by Tab, and then pressed by the space bar; a click leaves the focus where it is."""
    widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    widget.installEventFilter(_SpacePresses(widget))


def let_go(widget: QWidget) -> None:
    """Take the keyboard focus from what is about to be hidden.

    Qt would hand it on as Tab does, often to the first button of the window, and the space bar would press that one.
    """
    focus = QApplication.focusWidget()
    if focus is not None and (focus is widget or widget.isAncestorOf(focus)):
        focus.clearFocus()


def moves_cursor(edit: QLineEdit, event: QKeyEvent) -> bool:
    """Whether an arrow key has a text to move in; in an empty field it goes through the training step, as everywhere."""
    return event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and bool(edit.text())


class Combo(QComboBox):
    """A list of choices that the wheel passes by."""

    def __init__(self) -> None:
        super().__init__()
        focus_by_tab(self)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Ends a choice that is too long with an ellipsis; the style would cut it off."""
        super().initStyleOption(option)
        style, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(style, option, part, self).width() - 4
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        group = QPalette.ColorGroup.Normal if self.isEnabled() else QPalette.ColorGroup.Disabled
        painter.setPen(QPen(self.palette().color(group, QPalette.ColorRole.Text), 1.4))
        x, y = self.width() - 14.0, self.height() / 2
        painter.drawPolyline(QPolygonF([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)]))
