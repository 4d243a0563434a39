"""What a hand does with one widget by itself: put it on the screen, and type into it."""

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

Widget = TypeVar("Widget", bound=QWidget)


def on_screen(qtbot: QtBot, widget: Widget, width: int, height: int) -> Widget:
    """The widget, shown in this size; it is closed with the test."""
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    return widget


def type_into(edit: QLineEdit, text: str) -> None:
    """Replace what stands in it, and press Return."""
    edit.setFocus(Qt.FocusReason.TabFocusReason)
    edit.selectAll()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)
