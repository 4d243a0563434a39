"""One initialiser, enlarged: ‖∂J/∂z‖ as bars, the spread of the activations as circles, on the fixed axis with its healthy zone."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.lab_reports import Scheme

from .. import colors
from ..numbers import full, power
from ..theme import blend, font
from . import marks, scheme_marks
from .lab_blocks import LEFT, RIGHT
from .lab_page import SIDE, Block
from .spots import Spot

HEAD, KEY, PLOT, FOOT = 34.0, 22.0, 140.0, 24.0
EXPONENTS = (-9, -6, -3, 0, 3)
NAMES = 22.0  # least pixels per name of a layer


class SchemePlot(Block):
    """Draws one scheme."""

    def __init__(self) -> None:
        super().__init__()
        self.scheme: Scheme | None = None
        self.own: Scheme | None = None  # the one in force: what goes on paper
        self._layers: tuple[str, ...] = ()

    def show_scheme(self, scheme: Scheme, own: Scheme | None, layers: tuple[str, ...]) -> None:
        """Draw this scheme; ``own`` is the one in force, ``layers`` the names of the layers."""
        self.scheme, self.own, self._layers = scheme, own, layers
        self.setAccessibleName(f"{scheme_marks.title(scheme)}, layer by layer")
        self.update()

    def height_at(self, width: float) -> float:
        return HEAD + KEY + PLOT + FOOT + 6.0

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        scheme, theme = self.scheme, self.theme
        if scheme is None:
            return
        left = area.left() + SIDE
        name = scheme_marks.title(scheme)
        marks.put_text(painter, left, area.top() + 16, name, font(13, 600), theme.ink1, LEFT)
        state = "in force" if scheme is self.own else "not in force"
        marks.put_text(painter, area.right() - SIDE, area.top() + 16, state, font(12), theme.ink3, RIGHT)
        gutter = marks.text_width(power(-9), font(11)) + 8
        box = QRectF(left + gutter, area.top() + HEAD + KEY, area.right() - SIDE - left - gutter, PLOT)
        self._paint_key(painter, left, area.top() + HEAD + 6)
        scheme_marks.paint_levels(painter, box, theme, theme.canvas, EXPONENTS, zone=True)
        for exponent in EXPONENTS:
            y = scheme_marks.height(box, 10.0**exponent)
            marks.put_text(painter, box.left() - 8, y, power(exponent), font(11), theme.ink3, RIGHT)
        scheme_marks.paint_bars(painter, box, scheme.delta_norms, theme)
        scheme_marks.paint_line(painter, box, scheme.activation_stds, theme, 3.0, theme.canvas)
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        self._paint_layers(painter, box, scheme)

    def _paint_key(self, painter: QPainter, left: float, y: float) -> None:
        """What circles and bars are, each beside its mark."""
        theme, used = self.theme, font(11)
        painter.setPen(QPen(QColor(theme.ink1), 1.4))
        painter.setBrush(QColor(theme.dock))
        painter.drawLine(QPointF(left, y), QPointF(left + 18, y))
        painter.drawEllipse(QPointF(left + 9, y), 3.0, 3.0)
        marks.put_text(painter, left + 24, y, "spread of activations", used, theme.ink2, LEFT)
        x = left + 24 + marks.text_width("spread of activations", used) + 18
        painter.setPen(QPen(QColor(theme.outline), 1))
        painter.setBrush(colors.color(colors.level(1e-2), theme))
        painter.drawRect(QRectF(x + 0.5, y - 5.5, 8, 11))
        marks.put_text(painter, x + 15, y, "‖∂J/∂z‖", used, theme.ink2, LEFT)
        x += 15 + marks.text_width("‖∂J/∂z‖", used) + 18
        if x + 12 + marks.text_width("healthy", used) <= self.width() - SIDE:
            painter.fillRect(QRectF(x, y - 6, 12, 12), blend(theme.zone, theme.canvas, 0.25))
            marks.put_text(painter, x + 18, y, "healthy", used, theme.ink2, LEFT)

    def _paint_layers(self, painter: QPainter, box: QRectF, scheme: Scheme) -> None:
        """Names under the bars, as many as stand apart, and what a pointer finds above them."""
        rows = scheme_marks.chosen(len(scheme.delta_norms), box.width())
        pitch = box.width() / max(1, len(rows))
        stride = max(1, math.ceil(NAMES / pitch))
        for place, row in enumerate(rows):
            x = box.left() + (place + 0.5) * pitch
            name = self._layers[row] if row < len(self._layers) else f"L{row + 1}"
            if (place % stride == 0 and (len(rows) - 1 - place >= stride or stride == 1)) or place == len(rows) - 1:
                marks.put_text(painter, x, box.bottom() + 12, name, font(11), self.theme.ink3, Qt.AlignmentFlag.AlignHCenter)
            spread, delta, rms = (float(values[row]) for values in (scheme.activation_stds, scheme.delta_norms, scheme.gradient_rms))
            text = f"{full(delta)}, spread of activations {full(spread)}, RMS of ∂J/∂w {full(rms)}"
            self.spots.append(Spot(QRectF(x - pitch / 2, box.top(), pitch, box.height() + FOOT), f"{name}: ‖∂J/∂z‖", delta, text))
