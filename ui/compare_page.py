"""The page on which two runs stand side by side: what differs, both nets, profiles and heatmaps, and what the change did.

It knows snapshots only and says with signals what it wants done. The same places serve the window and the exports.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from gradviz.snapshot import Look, Snapshot

from .canvas.scene import NetworkCanvas
from .compare.effects import EffectsPanel
from .compare.header import Header
from .compare.heat import HeatPanel
from .compare.losses import LossesPanel
from .compare.outcome import OutcomeLine
from .compare.parts import Side
from .compare.places import Places, places
from .compare.side import SideHead
from .compare.words import SIDES, names, other_side
from .figure import stamp_lines
from .panels import marks
from .panels.panel import Panel, Table
from .selection import Selection
from .theme import THEMES, Theme, font

TIMELINE_EVERY, SLOW_EVERY = 3, 6  # while playing, heatmaps and tables follow every so many pairs
STAMP = 60.0


class ComparePage(QWidget):
    """Takes the whole body of the window; steps of the two sides may differ for a moment."""

    step_wanted = Signal(int)  # go to this step, both sides
    swap_wanted = Signal()
    adopt_wanted = Signal(str)  # side: go on with it alone
    drop_wanted = Signal(str)  # side: the other one stays
    settings_wanted = Signal(str)  # side: show its settings
    change_wanted = Signal(str, str, object)  # side, path of a field, value
    remedy_wanted = Signal(str, str, object)  # side whose verdict proposes it, path of a field, value: B begins anew with it
    predict_wanted = Signal()  # the game, with this pair as its first round
    theory_wanted = Signal()  # to be shown where it is hidden, and hidden where it is shown
    layer_selected = Signal(int)

    title = "Compare"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.setAccessibleName("Two runs compared")
        self._shown = 0
        self.pair: tuple[Snapshot, Snapshot] | None = None
        self.header = Header(self)
        self.outcome = OutcomeLine(self)
        self._tops: tuple[Header | OutcomeLine, ...] = self.header, self.outcome
        self._sheet = _Sheet(self)
        self.sides = {letter: Side(letter, self._sheet) for letter in SIDES}
        self.losses = LossesPanel(self._sheet)
        self.effects = EffectsPanel(self._sheet)
        self._parts: dict[str, QWidget] = {"losses": self.losses, "effects": self.effects}
        for side in self.sides.values():
            self._parts.update(side.parts())
        self.scrolled = QScrollArea()
        self.scrolled.setWidget(self._sheet)
        self.scrolled.setWidgetResizable(False)
        self.scrolled.setFrameShape(QScrollArea.Shape.NoFrame)
        self.scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.outcome)
        column.addWidget(self.scrolled, 1)
        self.setMinimumSize(640, 300)
        self.setFocusProxy(self.sides["A"].net)
        self._connect()
        self.set_theme(self.theme)

    def _connect(self) -> None:
        self.header.change_wanted.connect(self.change_wanted)
        self.header.predict_wanted.connect(self.predict_wanted)
        self.outcome.adopt_wanted.connect(self.adopt_wanted)
        self.outcome.remedy_wanted.connect(lambda path, value: self.remedy_wanted.emit("A", path, value))
        for panel in self._timelines():
            panel.step_wanted.connect(self._go_to)
        for letter, side in self.sides.items():
            side.net.selection_changed.connect(lambda selection, letter=letter: self._on_picked(letter, selection))
            side.bars.layer_selected.connect(self._on_layer)
            side.bars.theory_wanted.connect(self.theory_wanted)
            side.heat.layer_selected.connect(self._on_layer)
            side.head.swap_wanted.connect(self.swap_wanted)
            side.head.predict_wanted.connect(self.predict_wanted)
            side.head.settings_wanted.connect(lambda letter=letter: self.settings_wanted.emit(letter))
            side.head.adopt_wanted.connect(lambda letter=letter: self.adopt_wanted.emit(letter))
            side.head.drop_wanted.connect(lambda letter=letter: self.drop_wanted.emit(letter))
            side.head.remedy_wanted.connect(lambda path, value, letter=letter: self.remedy_wanted.emit(letter, path, value))
            side.head.layers_wanted.connect(lambda layers: self._on_layer(min(layers)))

    def _timelines(self) -> tuple[LossesPanel | HeatPanel, ...]:
        return (self.sides["A"].heat, self.sides["B"].heat, self.losses)

    @property
    def nets(self) -> tuple[NetworkCanvas, NetworkCanvas]:
        """The drawings of both nets."""
        return self.sides["A"].net, self.sides["B"].net

    @property
    def look(self) -> Look:
        """What it needs of each moment beyond what every snapshot has: the same of both sides."""
        return Look()

    @property
    def panels(self) -> tuple[Panel, ...]:
        """What can be exported by itself."""
        return (*self.sides["A"].panels, *self.sides["B"].panels, self.losses, self.effects)

    # ---- what is shown

    def show_pair(self, a: Snapshot, b: Snapshot) -> None:
        """Show these two moments, that of A and that of B."""
        before, self.pair = self.pair, (a, b)
        settled = not (a.playing or b.playing)
        changed = before is None or (before[0].spec, before[1].spec) != (a.spec, b.spec)
        timeline, slow = (settled or changed or self._shown % every == 0 for every in (TIMELINE_EVERY, SLOW_EVERY))
        self._shown += 1
        called = names(a.spec, b.spec)
        for side, name, own, other in zip(self.sides.values(), called, (a, b), (b, a), strict=True):
            side.show(own, other, name, timeline, slow)
        if timeline:
            self.losses.show_pair(a, b)
        if slow:
            histories = (self.sides["A"].heat.picture.history, self.sides["B"].heat.picture.history)
            self.effects.show_pair(a, b, histories)
            self.header.show_pair(a, b, histories)
            self.outcome.show_pair(a, b)
            self._fit()

    def show_side(self, letter: str) -> None:
        """Mark the side whose settings are open; "" for none."""
        for side in self.sides.values():
            side.head.show_open(side.letter == letter)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.header.set_theme(theme)
        self.outcome.set_theme(theme)
        for side in self.sides.values():
            side.head.set_theme(theme)
        for panel in self.panels:
            panel.set_theme(theme)
        self._sheet.update()

    def set_theory(self, shown: bool) -> None:
        """Whether the profiles show what theory says of them."""
        for side in self.sides.values():
            side.bars.set_theory(shown)

    def set_passive(self) -> None:
        """Show only: nothing can be changed, kept or dropped from here."""
        children = self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        above = [part for part in children if part is not self.scrolled]
        for part in (*above, *(side.head for side in self.sides.values())):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        for side in self.sides.values():
            side.head.menu_button.hide()
        self.header.set_passive()
        self.outcome.set_passive()

    def set_motion(self, mode: str) -> None:
        """How much may move, as in `NetworkCanvas`."""
        for side in self.sides.values():
            side.net.set_motion(mode)

    def select(self, selection: Selection | None) -> None:
        """Mark a layer, unit or weight on both sides, as far as they have it."""
        for side in self.sides.values():
            side.mark(selection)

    def _on_picked(self, letter: str, selection: Selection | None) -> None:
        """What is picked on one side is marked as a layer on the other, whose units have nothing to do with it."""
        self.sides[letter].mark(selection)
        layer = Selection("layer", selection.layer) if selection is not None and selection.layer else None
        self.sides[other_side(letter)].mark(layer)
        if layer is not None:
            self.layer_selected.emit(layer.layer)

    def _on_layer(self, layer: int) -> None:
        self.select(Selection("layer", layer))
        self.layer_selected.emit(layer)

    def _go_to(self, step: int) -> None:
        """One scrubber: the others go where this one was moved."""
        for panel in self._timelines():
            panel.expect(step)
        self.step_wanted.emit(step)

    # ---- geometry

    def _fit(self) -> None:
        """Give everything its place; what does not fit is scrolled."""
        tops = [math.ceil(part.height_for(self.width())) for part in self._tops]
        for above, height in zip(self._tops, tops, strict=True):
            above.setFixedHeight(height)
        top = sum(tops)
        room, table = self.height() - top, self.effects.height_wanted()
        found = places(self.width(), room, table)
        if found.height > room:
            found = places(self.width() - self.scrolled.verticalScrollBar().sizeHint().width(), room, table)
        if found == self._sheet.places:
            return  # nothing has moved, and nothing need be painted anew
        self._sheet.lay_out(found)
        for name, part in self._parts.items():
            part.setGeometry(found.of[name].toRect())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(1600, 918)

    # ---- exports

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """Draw the page with the settings of both sides stamped in, as large as it fits."""
        painter.save()
        painter.fillRect(area, QColor(self.theme.canvas))
        painter.translate(area.topLeft())
        scale = 1.0
        while True:
            width, height = area.width() / scale, area.height() / scale
            tops = [part.height_for(width) for part in self._tops]
            top = sum(tops)
            found = places(width, height - top - STAMP, self.effects.height_wanted())
            if top + found.height + STAMP <= height + 1 or scale < 0.1:
                break
            scale *= 0.97
        painter.scale(scale, scale)
        for above, height in zip(self._tops, tops, strict=True):
            above.paint_to(painter, QRectF(0, 0, width, height))
            painter.translate(0, height)
        for name, part in self._parts.items():
            assert isinstance(part, (Panel, SideHead))
            part.paint_to(painter, found.of[name])
        paint_lines(painter, found, self.theme)
        self._paint_stamp(painter, QRectF(0, found.height, width, STAMP))
        painter.restore()

    def _paint_stamp(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QPen(QColor(self.theme.strong_line), 1))
        painter.drawLine(area.topLeft(), area.topRight())
        if self.pair is None:
            return
        for number, (letter, snapshot) in enumerate(zip(SIDES, self.pair, strict=True)):
            left = area.left() + number * area.width() / 2 + 16
            room = area.width() / 2 - 64
            marks.put_text(painter, left, area.top() + 20, letter, font(13, 600), self.theme.ink1, Qt.AlignmentFlag.AlignLeft)
            for row, (text, ink) in enumerate(zip(stamp_lines(snapshot.spec), (self.theme.ink1, self.theme.ink2), strict=True)):
                painter.setFont(font(12))
                fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room))
                at = QPointF(left + 22, area.top() + 20 + 18 * row)
                marks.put_text(painter, at.x(), at.y(), fitted, font(12), ink, Qt.AlignmentFlag.AlignLeft)

    def table(self) -> Table:
        """Every recorded step with the numbers of both sides."""
        return self.losses.table()


class _Sheet(QWidget):
    """What is scrolled where it does not fit: the parts, and the lines between them."""

    def __init__(self, page: ComparePage) -> None:
        super().__init__()
        self._page, self.places = page, places(1, 0, 0)

    def lay_out(self, found: Places) -> None:
        self.places = found
        self.resize(round(found.width), round(found.height))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._page.theme.canvas))
        paint_lines(painter, self.places, self._page.theme)


def paint_lines(painter: QPainter, found: Places, theme: Theme) -> None:
    """The line between the sides and the one over what is below both."""
    painter.fillRect(QRectF(found.middle, 0, 1, found.foot - 1), QColor(theme.line))
    painter.fillRect(QRectF(0, found.foot - 1, found.width, 1), QColor(theme.line))
