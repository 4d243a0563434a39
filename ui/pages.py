"""A dock of pages: one in front at a time, chosen by its tab."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget


class _Tabs(QTabBar):
    """Reached by Tab; then the arrow keys choose a tab instead of stepping through the training step."""

    def event(self, event: QEvent) -> bool:
        arrows = (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in arrows:
            event.accept()
            return True
        return super().event(event)


class Pages(QWidget):
    """Pages by name; the user's choice is said with a signal."""

    page_changed = Signal(str)

    def __init__(self, name: str, pages: Mapping[str, tuple[str, QWidget]], parent: QWidget | None = None) -> None:
        """``name`` is for those who hear the window; ``pages``: name -> (title, page), the first one is in front."""
        super().__init__(parent)
        self.pages = tuple(pages)  # their names
        self.tabs = _Tabs()
        self.tabs.setExpanding(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setAccessibleName(name)
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        self.setAutoFillBackground(True)
        for title, page in pages.values():
            self.tabs.addTab(title)
            self._stack.addWidget(page)
        self.tabs.currentChanged.connect(self._on_changed)

    @property
    def page(self) -> str:
        """The name of the page in front."""
        return self.pages[self.tabs.currentIndex()]

    def show_page(self, name: str) -> None:
        """Bring a page to the front; raises ValueError when there is none of that name."""
        if name not in self.pages:
            raise ValueError(f"no page {name!r}; there are {', '.join(self.pages)}")
        self.tabs.setCurrentIndex(self.pages.index(name))

    def _on_changed(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.page_changed.emit(self.pages[index])
