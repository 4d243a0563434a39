"""The lab: one experiment about the net at a time, chosen by name; what each needs measured is asked for while it is in front."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from .controls.input import focus_by_tab
from .panels.panel import Panel
from .theme import Theme

SIDE, SPACING = 12, 4
NARROWEST = 260  # the names then stand in several rows


class LabPage(QWidget):
    """Panels of the lab by name, one in front."""

    view_changed = Signal(str)

    def __init__(self, panels: Sequence[Panel], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels = tuple(panels)
        self._buttons = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._columns = 0  # names in a row
        row = self._row = QGridLayout()
        row.setContentsMargins(SIDE, 8, SIDE, 4)
        row.setSpacing(SPACING)
        row.setColumnStretch(len(panels), 1)
        for number, panel in enumerate(self.panels):
            button = QPushButton(panel.title)
            button.setCheckable(True)
            button.setObjectName("lab-view")
            button.setProperty("pill", True)
            button.setAccessibleName(f"Lab: {panel.title}")
            focus_by_tab(button)
            self._buttons.addButton(button, number)
            self._stack.addWidget(panel)
        self._arrange(len(panels))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._stack, 1)
        self._buttons.button(0).setChecked(True)
        self._buttons.idToggled.connect(self._on_toggled)

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()  # with the names in as many rows as they stand in now
        return QSize(max(NARROWEST, self._stack.minimumSizeHint().width()), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange(self._fitting(self.width()))
        super().resizeEvent(event)

    def _fitting(self, width: int) -> int:
        """How many names stand in a row of this width, in as few rows as they are whole in."""
        widths = [button.sizeHint().width() for button in self._buttons.buttons()]
        for rows in range(1, len(widths) + 1):
            columns = -(-len(widths) // rows)
            if sum(max(widths[column::columns]) + SPACING for column in range(columns)) - SPACING + 2 * SIDE <= width:
                return columns
        return 1

    def _arrange(self, columns: int) -> None:
        """The names in rows of so many."""
        if columns != self._columns:
            self._columns = columns
            for number, button in enumerate(self._buttons.buttons()):
                self._row.addWidget(button, number // columns, number % columns)

    @property
    def view(self) -> str:
        """The name of the view in front."""
        return self.panels[self._stack.currentIndex()].name

    @property
    def panel(self) -> Panel:
        """The view in front."""
        return self.panels[self._stack.currentIndex()]

    def show_view(self, name: str) -> None:
        """Bring a view to the front; raises ValueError when there is none of that name."""
        names = [panel.name for panel in self.panels]
        if name not in names:
            raise ValueError(f"no view {name!r} in the lab; there are {', '.join(names)}")
        self._buttons.button(names.index(name)).setChecked(True)

    def set_theme(self, theme: Theme) -> None:
        """The panels are told by the window; here it is the row of names."""
        self.setStyleSheet(f"""
QPushButton[pill="true"] {{
  min-height: 22px; padding: 0 7px; font-size: 12px; border-radius: 12px; border: 1px solid transparent;
  background: transparent; color: {theme.ink2};
}}
QPushButton[pill="true"]:hover {{ color: {theme.ink1}; background: {theme.hover}; }}
QPushButton[pill="true"]:checked {{ background: {theme.inverse}; color: {theme.inverse_text}; font-weight: 500; }}
QPushButton[pill="true"]:focus {{ border-color: {theme.ink1}; }}
""")

    def _on_toggled(self, number: int, checked: bool) -> None:
        if checked:
            self._stack.setCurrentIndex(number)
            self.view_changed.emit(self.view)
