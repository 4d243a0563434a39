"""A dock of pages: one in front at a time, chosen by its tab."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from .controls.input import SIDEWAYS, keeps, let_go


class _Tabs(QTabBar):
    """Reached by Tab; then the arrow keys choose a tab instead of stepping through the training step."""

    def event(self, event: QEvent) -> bool:
        return keeps(event, SIDEWAYS) or super().event(event)


class Pages(QWidget):
    """Pages by name; the user's choice is said with a signal."""

    page_changed = Signal(str)

    def __init__(
        self, name: str, pages: Mapping[str, tuple[str, QWidget | Callable[[], QWidget]]], parent: QWidget | None = None
    ) -> None:
        """The first page is in front.

        Args:
            name: for those who hear the window.
            pages: name -> (title, page); in place of a page what makes it when it is first brought to the front.
        """
        super().__init__(parent)
        self.pages = tuple(pages)  # their names
        self.tabs = _Tabs()
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)  # in a narrow dock the titles are shortened instead
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setAccessibleName(name)
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        self.setAutoFillBackground(True)
        self._unmade: dict[int, Callable[[], QWidget]] = {}
        for number, (title, page) in enumerate(pages.values()):
            self.tabs.addTab(title)
            if isinstance(page, QWidget):
                self._stack.addWidget(page)
            else:
                self._unmade[number] = page
                self._stack.addWidget(QWidget())
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
        let_go(self._stack)
        if index in self._unmade:
            place = self._stack.widget(index)
            assert place is not None, "every page has its place"
            self._stack.insertWidget(index, self._unmade.pop(index)())
            self._stack.removeWidget(place)
            place.deleteLater()
        self._stack.setCurrentIndex(index)
        self.page_changed.emit(self.pages[index])
