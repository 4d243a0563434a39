"""The line over the lessons: where one is, the way back to the list, and a menu that forgets progress."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from ..controls.input import focus_by_tab
from ..icons import icon
from ..theme import Theme, font
from .lesson_parts import PressButton

INSET = 8  # the padding of a button without a frame, so that its words stand where other words begin


class LessonHeader(QWidget):
    """``back`` is pressed to go to the list; whoever owns the header fills ``menu``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel("Lessons")
        self._title.setFont(font(15, 600))
        self._title.setContentsMargins(INSET, 0, 0, 0)
        self.back = PressButton("‹  All lessons")
        self.back.setProperty("flat", True)
        self.back.setToolTip("Back to the list of lessons")
        self.count = QToolButton()
        self.count.setProperty("flat", True)
        self.count.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.count.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.count.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron stands behind the words
        self.count.setFont(font(12))
        focus_by_tab(self.count)
        self.menu = QMenu(self.count)
        self.count.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(INSET, 8, INSET, 8)
        row.addWidget(self._title)
        row.addWidget(self.back)
        row.addStretch(1)
        row.addWidget(self.count)

    def show_list(self, done: int, of: int) -> None:
        """The list is in front, and so many of its lessons are done."""
        self._show(f"{done} of {of} done", f"Lessons, {done} of {of} done", at_list=True)
        self.count.setVisible(of > 0)

    def show_lesson(self, number: int, of: int) -> None:
        """The lesson of this number, counted from 1, is in front."""
        self._show(f"{number} of {of}", f"Lesson {number} of {of}", at_list=False)

    def set_theme(self, theme: Theme) -> None:
        self.count.setIcon(icon("chevron", theme))

    def _show(self, text: str, heard: str, at_list: bool) -> None:
        self._title.setVisible(at_list)
        self.back.setVisible(not at_list)
        self.count.setText(text)
        self.count.setAccessibleName(heard)
