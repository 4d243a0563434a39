"""The list of presets: each with its title, and beneath it what there is to see in it; the first of a group stands under its heading."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from .controls.input import Combo
from .theme import THEMES, Theme, font

NAME, DESCRIPTION, HEADING = (Qt.ItemDataRole.UserRole + number for number in range(3))
POPUP_WIDTH = 400
PADDING = 8
HEADING_HEIGHT = 30


class PresetCombo(Combo):
    """Shows the preset in force, or that its settings have been changed."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._delegate = _PresetDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setMinimumWidth(130)
        self.setFixedHeight(32)
        self.setMaxVisibleItems(12)
        self.setPlaceholderText("Settings of your own")
        self.setAccessibleName("Preset")
        self.setToolTip("Experiments that are ready to run")
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index, NAME)))

    def sizeHint(self) -> QSize:
        return QSize(276, 32)

    def set_presets(self, presets: list[tuple[str, str, str, str]]) -> None:
        """(name, title, description, group) of each; those of a group stand together."""
        self.clear()
        above = ""
        for number, (name, title, description, group) in enumerate(presets):
            self.addItem(title)
            self.setItemData(number, name, NAME)
            self.setItemData(number, "" if group == above else group, HEADING)
            above = group
            self.setItemData(number, description, DESCRIPTION)
            self.setItemData(number, description, Qt.ItemDataRole.AccessibleDescriptionRole)
        self.setCurrentIndex(-1)

    def show_preset(self, name: str | None) -> None:
        self.setCurrentIndex(-1 if name is None else self.findData(name, NAME))

    def set_theme(self, theme: Theme) -> None:
        self._delegate.theme = theme

    def showPopup(self) -> None:
        self.view().setMinimumWidth(POPUP_WIDTH)
        super().showPopup()


class _PresetDelegate(QStyledItemDelegate):
    """Paints an entry as title and description."""

    theme: Theme = THEMES["dark"]

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        flags = int(Qt.TextFlag.TextWordWrap.value)
        wide = QRect(0, 0, POPUP_WIDTH - 2 * PADDING - 16, 1000)  # the popup has a frame and perhaps a scroll bar
        height = QFontMetrics(font(12)).boundingRect(wide, flags, str(index.data(DESCRIPTION))).height()
        return QSize(POPUP_WIDTH - 20, height + 20 + 2 * PADDING + _heading_height(index))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        theme = self.theme
        area: QRect = option.rect.adjusted(0, _heading_height(index), 0, 0)
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if area.top() > option.rect.top():
            _paint_heading(painter, QRect(option.rect.topLeft(), area.topRight()), theme, str(index.data(HEADING)), index.row() > 0)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.hover))
            painter.drawRoundedRect(QRectF(area), 4, 4)
        inside = QRectF(area).adjusted(PADDING, PADDING - 1, -PADDING, 0)
        painter.setFont(font(13, 600))
        painter.setPen(QColor(theme.ink1))
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop, str(index.data()))
        painter.setFont(font(12))
        painter.setPen(QColor(theme.ink2))
        painter.drawText(inside.adjusted(0, 20, 0, 0), int(Qt.TextFlag.TextWordWrap.value), str(index.data(DESCRIPTION)))
        painter.restore()


def _heading_height(index: QModelIndex | QPersistentModelIndex) -> int:
    return HEADING_HEIGHT if index.data(HEADING) else 0


def _paint_heading(painter: QPainter, area: QRect, theme: Theme, text: str, ruled: bool) -> None:
    """The name of a group, under a line that parts it from the one before."""
    if ruled:
        painter.setPen(QColor(theme.line))
        painter.drawLine(area.left() + PADDING, area.top() + 4, area.right() - PADDING, area.top() + 4)
    painter.setFont(font(11, 600))
    painter.setPen(QColor(theme.ink3))
    painter.drawText(QRectF(area).adjusted(PADDING, 8, -PADDING, 0), Qt.AlignmentFlag.AlignVCenter, text)
