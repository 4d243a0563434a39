"""The answers of a regression over many inputs, against the truth: right ones lie on the diagonal."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from .. import colors
from ..numbers import full
from ..theme import font
from . import marks
from .plots import paint_axes
from .prediction_picture import Card
from .prediction_plane import PlanePicture


class ScatterPicture(PlanePicture):
    """Several inputs, regression."""

    def paint(self, painter: QPainter) -> None:
        theme, plot = self.theme, self.plot
        painter.fillRect(plot.box, QColor(theme.canvas))
        left, right, bottom, top = self.prediction.extent
        dashed = QPen(QColor(theme.ink2), 1.2)
        dashed.setDashPattern([5, 4])
        painter.setPen(dashed)
        painter.drawLine(QLineF(plot.at(left, bottom), plot.at(right, top)))
        failed = int((~np.isfinite(self.points[:, 1])).sum())
        if failed == len(self.points):
            colors.paint_hatch(painter, plot.box, theme)
            self.paint_nan_label(painter, plot.box)
        else:
            self._paint_answers(painter)
        paint_axes(painter, plot, theme, "true", "said")
        exact = font(11)
        if plot.box.width() > 160:
            marks.put_text(painter, plot.box.right() - 34, plot.box.top() + 12, "exact", exact, theme.ink2, Qt.AlignmentFlag.AlignRight)
        if 0 < failed < len(self.points):
            text = f"{failed} of {len(self.points)} answers are NaN"
            marks.put_text(painter, plot.box.left() + 8, plot.box.top() + 12, text, font(11, 600), theme.nan, Qt.AlignmentFlag.AlignLeft)
        self.paint_legend(painter, [(0, "examples", None)])

    def _paint_answers(self, painter: QPainter) -> None:
        theme, plot = self.theme, self.plot
        bottom, top = self.prediction.extent[2:]
        painter.save()
        painter.setClipRect(plot.box.adjusted(0, -1, 0, 1), Qt.ClipOperation.IntersectClip)
        away = QPointF(-1e4, -1e4)  # an answer that is not a number has no place
        places = [plot.at(float(x), min(top, max(bottom, float(y)))) if np.isfinite(y) else away for x, y in self.points]
        self.paint_examples(painter, places)
        painter.restore()
        for (_, y), place in zip(self.points, places, strict=True):
            if y > top or y < bottom:  # off the scale
                size = 6.0 if y > top else -6.0
                marks.paint_arrowhead(painter, place.x(), place.y() + size, 7, size, QColor(theme.ink1), QColor(theme.canvas))

    def card(self, point: QPointF, nearest: int | None) -> Card | None:
        if nearest is None:
            return None
        true, said = self.points[nearest]
        return f"Example of the {self.part(nearest)}", [("true", full(float(true))), ("answer", full(float(said)))]
