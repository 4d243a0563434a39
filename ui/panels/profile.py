"""The gradient profile: one bar per layer, exactly under the network's columns, on an axis that never rescales.

A bar is the RMS of a layer's ∂J/∂w, so it has the hue of the edges above it; circles add the |∂J/∂z| of its units. Where a step
was clipped, the bar before clipping stays as an outline behind the solid bar after it; inside a step the layers it has not
reached yet are dashed.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QWidget

from gradviz.snapshot import Details, Snapshot

from ..canvas.columns import Columns
from ..selection import Selection
from ..stages import LAYERS, words_of
from ..theme import blend, font
from . import marks
from .bars import CIRCLES_FROM, TOP, End, Frame, clipped_ends, paint_axis, paint_bars, paint_margin, plot_sides, reached
from .panel import Panel, Table
from .profile_card import card, compared_card
from .profile_lines import (
    Before,
    Beside,
    before_branch,
    label_place,
    paint_before,
    paint_beside,
    paint_circles,
    points,
)
from .profile_numbers import ROW, paint_names, paint_numbers, paint_verdict, profile_table
from .profile_theory import THEORY, Foretold, foretold, paint_theory, theory_name, theory_words


class ProfilePanel(Panel):
    """The gradient of each layer. Page Up and Page Down go from layer to layer.

    ``show_theory``: whether its line is drawn; ``beside`` another run, whose gradients become a line in place of the circles.
    """

    name = "gradients"
    title = LAYERS.title

    layer_selected = Signal(int)
    theory_wanted = Signal()  # to be shown where it is hidden, and hidden where it is shown

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.show_theory = True
        self.beside: Beside | None = None
        self._columns: Columns | None = None
        self._selection: Selection | None = None
        self._hovered: int | None = None
        self._pointer = QPointF()
        self._focused_by_key = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 132)

    def sizeHint(self) -> QSize:
        return QSize(976, 220)

    def set_columns(self, columns: Columns) -> None:
        """Stand exactly under these columns of the network."""
        self._columns = columns
        self.update()

    def select(self, selection: Selection | None) -> None:
        """Mark the layer of what is selected; says nothing."""
        self._selection = selection
        self.update()

    def set_theory(self, shown: bool) -> None:
        """Whether the line of theory is drawn."""
        self.show_theory = shown
        self.update()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self.title = words_of(snapshot.architecture).title
        super().show_snapshot(snapshot)

    def clear(self) -> None:
        self._hovered = None
        super().clear()

    # ---- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        self.paint_to(painter, area)
        if self.snapshot is not None and self._hovered is not None and self._hovered <= len(self.snapshot.architecture.layers):
            layer = self._hovered
            told = card(self.snapshot, layer) if self.beside is None else compared_card(self.snapshot, self.side, self.beside, layer)
            marks.paint_card(painter, self.theme, area, self._pointer, *told)
        if self.hasFocus() and self._focused_by_key:
            painter.setPen(QPen(QColor(self.theme.ink1), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, snapshot = self.theme, self.snapshot
        painter.save()
        painter.fillRect(area, QColor(theme.canvas))
        frame = self._frame(area)
        details = snapshot.details if snapshot is not None else None
        layer = self._selection.layer if self._selection is not None else 0
        if snapshot is not None and layer in frame.shown:
            self._paint_band(painter, frame, layer)
        paint_axis(painter, frame, theme)
        theory = self._theory
        if snapshot is None or details is None:
            name = theory_name(snapshot, self._theory_name)
            marks.paint_heading(painter, area, theme, self.full_title, (f"dotted: {name}", "dotted: theory") if theory is not None else ())
            paint_margin(painter, frame, theme, None)
            if snapshot is not None:
                paint_names(painter, frame, theme, snapshot, layer)
            if theory is not None:
                paint_theory(painter, frame, theme, theory)
            if snapshot is None or snapshot.moment is None:
                self._paint_invitation(painter, frame)
        else:
            paint_bars(painter, frame, theme, snapshot, details)
            before = before_branch(snapshot)
            if before is not None:
                paint_before(painter, frame, theme, before, snapshot)
            if theory is not None:
                paint_theory(painter, frame, theme, theory)
            ends: list[End | None] = []
            if self.beside is None:
                paint_circles(painter, frame, theme, snapshot, details)
            else:
                ends = [paint_beside(painter, frame, theme, self.beside)] if self.beside.fits(snapshot) else []
                ends += [End("theory", frame.y(float(theory.values[-1])), theme.ink1)] if theory is not None else []
            paint_margin(painter, frame, theme, clipped_ends(frame, snapshot, details), tuple(end for end in ends if end is not None))
            self._paint_words(painter, frame, snapshot, details, before)
            paint_names(painter, frame, theme, snapshot, layer)
            paint_verdict(painter, frame, theme, snapshot)
            paint_numbers(painter, frame, theme, snapshot, details, self._clips)
        painter.restore()

    def _paint_words(self, painter: QPainter, frame: Frame, snapshot: Snapshot, details: Details, before: Before | None) -> None:
        """What circles and lines are, in the plot if there is room, and the heading with all else there is to say."""
        theory = self._theory
        dotted = f"dotted: {theory_words(theory, snapshot, self._theory_name)}" if theory is not None else ""
        if self.beside is not None:
            names = {dotted, f"dotted: {theory_name(snapshot, self._theory_name)}", f"dotted: theory of {self.side}"} if dotted else {""}
            lines, bars = self.beside.caption(snapshot), ("", *captions(snapshot, before, ""))
            said = {"; ".join(filter(None, (bar, line, name))) for bar in bars for line in lines for name in names}
            marks.paint_heading(painter, frame.area, self.theme, self.full_title, tuple(sorted(said, key=len, reverse=True)))
            return
        drawn = "circles" if frame.pitch >= CIRCLES_FROM else "line"
        seen = bool(points(frame, details.delta_rms, snapshot))
        circles = f"{drawn}: typical |{words_of(snapshot.architecture).returned}| of the units" if seen else ""
        label = "; ".join(filter(None, (circles, dotted)))
        others = [theory.values] if theory is not None else []
        others += [before.values] if before is not None else []
        at = label_place(frame, snapshot, details, label, others) if frame.shown else None
        if at is not None:
            marks.put_text(painter, at.x(), at.y(), label, font(12, 500), self.theme.ink1, Qt.AlignmentFlag.AlignLeft)
        marks.paint_heading(painter, frame.area, self.theme, self.full_title, captions(snapshot, before, label if at is None else ""))

    @property
    def _theory(self) -> Foretold | None:
        """Of the bars where two runs stand side by side: then there are no circles."""
        return foretold(self.snapshot, of_weights=self.beside is not None) if self.show_theory else None

    @property
    def _theory_name(self) -> str:
        return THEORY if self.beside is None else f"theory of {self.side} at the start"

    def _paint_invitation(self, painter: QPainter, frame: Frame) -> None:
        """What to do first, on a plate of its own: the line of theory may run behind it."""
        wide = marks.text_width(marks.NOTHING_YET, font(13)) + 16
        plate = QRectF((frame.left + frame.right - wide) / 2, (frame.top + frame.bottom) / 2 - 11, wide, 22)
        painter.fillRect(plate, QColor(self.theme.canvas))
        marks.put_text(painter, plate.center().x(), plate.center().y(), marks.NOTHING_YET, font(13), self.theme.ink2)

    def _frame(self, area: QRectF) -> Frame:
        snapshot = self.snapshot
        layers = len(snapshot.architecture.layers) if snapshot is not None else 1
        left, right = plot_sides(area.width(), layers)
        given = self._columns
        same = given is not None and given.layers == layers and abs(given.width - area.width()) < 0.5
        columns = given if same and given is not None else Columns(area.width(), layers)
        rows = 2 + self._clips
        bottom = max(area.top() + TOP + 20, area.bottom() - 26 - ROW * rows)
        return Frame(area, columns, area.left() + left, area.left() + max(left + 20, right), bottom)

    @property
    def _clips(self) -> bool:
        """Whether clipping is on: then there is a row of numbers for it at every step, so that nothing jumps."""
        snapshot = self.snapshot
        # what comes back to the states is not clipped: that is done to the sum over all time steps
        return snapshot is not None and snapshot.spec.training.clip != "none" and not snapshot.architecture.recurrent

    def _paint_band(self, painter: QPainter, frame: Frame, layer: int) -> None:
        width = max(8.0, frame.pitch)
        band = QRectF(frame.x(layer) - width / 2, frame.area.top() + 31, width, frame.area.height() - 36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(self.theme.ink1, self.theme.canvas, 0.045))
        painter.drawRoundedRect(band, 6, 6)

    def table(self) -> Table:
        return profile_table(self.snapshot)

    # ---- mouse and keys

    def _layer_at(self, position: QPointF) -> int | None:
        if self.snapshot is None:
            return None
        frame = self._frame(QRectF(self.rect()))
        layer = frame.columns.column_at(position.x())
        inside = frame.left - 4 <= position.x() <= frame.right + 4 and position.y() >= frame.top - 8
        return layer if inside and layer in frame.shown else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self._hovered = self._layer_at(self._pointer)
        self.setCursor(Qt.CursorShape.ArrowCursor if self._hovered is None else Qt.CursorShape.PointingHandCursor)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layer = self._layer_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and layer is not None:
            self.layer_selected.emit(layer)
        else:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        action = menu.addAction("Theory at initialisation")
        action.setCheckable(True)
        action.setChecked(self.show_theory)
        action.triggered.connect(lambda: self.theory_wanted.emit())
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}.get(Qt.Key(event.key()))
        if step is None or self.snapshot is None:
            super().keyPressEvent(event)
            return
        last = len(self.snapshot.architecture.layers)
        layer = self._selection.layer + step if self._selection is not None else (1 if step > 0 else last)
        self.layer_selected.emit(min(last, max(1, layer)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focused_by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)


def captions(snapshot: Snapshot, before: Before | None, unlabelled: str) -> tuple[str, ...]:
    """What the heading says at the right, longest first; ``unlabelled`` is what found no room in the plot."""
    if snapshot.failure is not None and snapshot.failure.step == snapshot.step:
        return (f"step {snapshot.step:,}: the numbers left the range of floating point", f"step {snapshot.step:,}")
    words = words_of(snapshot.architecture)
    bars = words.bars
    if snapshot.example is not None:
        example = f"example {snapshot.example + 1:,} of the batch"
        bars = (f"bars: typical {words.size} for {example}", example, f"example {snapshot.example + 1:,}")
    parts = [bars]
    if snapshot.level:
        own = f"L{snapshot.level} alone"
        parts = [(f"bar: typical |∂J/∂w| of {own}, of its own reconstruction error", f"bar: typical |∂J/∂w| of {own}", own)]
    elif not reached(snapshot, 1):
        dashed = (f"dashed: the previous step, for the {words.many} not reached yet", "dashed: the previous step", "dashed: previous")
        if snapshot.step == 0 or snapshot.example is not None:  # an example has no step before: another one stood in its place
            dashed = ("bars appear as the gradient comes back", "bars: as the gradient comes back", "bars come back")
        parts = [bars, dashed] if snapshot.example is not None else [dashed]
    if before is not None:
        ticks = f"ticks: before the branch, step {before.step:,}"
        unclipped = ", unclipped" if snapshot.clipped else ""
        parts.append((f"ticks: the line before the branch, step {before.step:,}{unclipped}", f"{ticks}{unclipped}", "ticks: before"))
    said = ["; ".join(texts) for texts in zip(*parts, strict=True)]
    # what is said last is new to the reader: where there is no room for all of it, the bars go without their words
    last = parts[-1] if len(parts) > 1 else ()
    return (*([f"{said[0]}; {unlabelled}", f"{said[1]}; {unlabelled}"] if unlabelled else []), *said, *last)
