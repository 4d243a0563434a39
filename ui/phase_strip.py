"""The phases of a training step in their order, with the one lit in which the run stands."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Moment
from gradviz.spec import Spec

from .stages import stage_words
from .theme import THEMES, Theme, font

PHASES = ("Forward", "Loss", "Backward", "Clip", "Update")
GENERATIONS = ("Evaluate", "Select", "Cross", "Mutate")
HEIGHT = 26
PADDING = 11.0
GAP = 15.0


class PhaseStrip(QWidget):
    """Forward → Loss → Backward → Clip → Update, or the phases of a generation; the mouse goes through to what lies beneath."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.moment: Moment | None = None
        self._clips, self._recurrent = True, False
        self._phases: tuple[str, ...] = PHASES
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._name()

    def show_spec(self, spec: Spec) -> None:
        """What phases a step of this experiment has, whether it clips, and whether it goes through layers or through time."""
        evolves = spec.training.method == "evolution"
        self._phases = GENERATIONS if evolves else PHASES
        self._clips = spec.training.clip != "none" or evolves
        self._recurrent = spec.network.recurrent
        self.updateGeometry()
        self.adjustSize()
        self._name()
        self.update()

    def show_moment(self, moment: Moment | None) -> None:
        """Light the phase that was done last; between steps, and while it plays, none.

        Raises:
            ValueError: for a phase that there is not.
        """
        if moment == self.moment:
            return
        known = (*PHASES, *GENERATIONS)
        if moment is not None and moment.kind.capitalize() not in known:
            raise ValueError(f"no phase {moment.kind!r}; there are {', '.join(known)}")
        self.moment = moment
        self._name()
        self.update()

    @property
    def phase(self) -> str | None:
        """The one that is lit."""
        return None if self.moment is None else self.moment.kind.capitalize()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(sum(self._widths()) + GAP * (len(self._phases) - 1)) + 1, HEIGHT)

    def _name(self) -> None:
        moment = self.moment
        name = "Phases of a generation" if self._phases is GENERATIONS else "Phases of a step"
        if moment is not None:
            name += f": {phase_words(moment.kind, moment.layer, moment.layers, self._recurrent).capitalize()}"
            if moment.next_kind:
                name += f"; next: {phase_words(moment.next_kind, moment.next_layer, moment.layers, self._recurrent)}"
        self.setAccessibleName(name + ("" if self._clips else "; clipping is off"))

    def _widths(self) -> list[float]:
        """Of each pill, with the text in its widest weight, so that lighting one moves none."""
        metrics = QFontMetrics(font(12, 600))
        return [metrics.horizontalAdvance(phase) + 2 * PADDING for phase in self._phases]

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x = 0.5
        for phase, width in zip(self._phases, self._widths(), strict=True):
            pill = QRectF(x, 0.5, width, HEIGHT - 1)
            off = phase == "Clip" and (not self._clips or (self.moment is not None and self.moment.level > 0))
            current = phase == self.phase
            pen = QPen(QColor(theme.inverse if current else theme.strong_line), 1)
            if off:
                pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.setBrush(QColor(theme.inverse if current else theme.canvas))
            painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
            painter.setFont(font(12, 600 if current else 400))
            painter.setPen(QColor(theme.inverse_text if current else theme.ink3 if off else theme.ink1))
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, phase)
            x += width + GAP
            if phase != self._phases[-1]:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.ink3))
                tip, middle = x - 4.5, HEIGHT / 2
                painter.drawPolygon(QPolygonF([QPointF(tip, middle), QPointF(tip - 6, middle - 3.5), QPointF(tip - 6, middle + 3.5)]))


def phase_words(kind: str, layer: int, layers: int, recurrent: bool = False) -> str:
    """A phase as it is told: "backward, layer 5", "forward, time step 5 of 12", "forward, output layer", "loss"."""
    if not layer:
        return kind
    among = f" of {layers - 1}" if recurrent and layer != layers else ""
    return f"{kind}, {stage_words(recurrent).stage(layer, layers)}{among}"
