"""The levels of pre-training on the timeline: where each begins, its name, and which numbers there are of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradviz.history_table import HistoryTable
from gradviz.spec import Spec

from ..theme import Theme, font
from . import marks
from .panel import Table
from .timeline_frame import Frame

LEVEL_NAMES = ("level {}: reconstruction error", "level {}: error", "level {}", "L{}")  # the longest that has room
TASK_NAMES = ("fine-tuning: loss of the task", "fine-tuning", "")
STAGE_ROOM = 10.0  # for the names, under the heading
ABOVE = 9.0  # from the top of the loss plot
NARROWEST = 4.0  # pixels of a level, below which its bounds are not drawn


def measured(spec: Spec, history: HistoryTable) -> NDArray[np.bool_] | None:
    """(rows, layers) whether a row of the history has a number for a layer; None when all have."""
    if not spec.pretraining_steps:
        return None
    before = history.steps - 1
    levels = np.where(before < spec.pretraining_steps, before // spec.training.steps_per_level + 1, 0)[:, None]
    known: NDArray[np.bool_] = (levels == 0) | (levels == np.arange(1, history.gradient_rms.shape[1] + 1))
    return known


def paint_stages(painter: QPainter, frame: Frame, theme: Theme, spec: Spec) -> None:
    """A line where each level, and fine-tuning, begins, and their names in a row above the losses."""
    last, each = spec.pretraining_steps, spec.training.steps_per_level
    if not last:
        return
    levels = last // each
    starts = [start for start in range(0, last, each) if start < frame.span]
    width, used, y = each / frame.span * frame.heat.width(), font(11), frame.loss.top() - ABOVE
    widest = {name: max(marks.text_width(name.format(n), used) for n in range(1, len(starts) + 1)) + 8 for name in LEVEL_NAMES}
    name = next((name for name in LEVEL_NAMES if widest[name] <= width), None)
    stride = 1
    if name is None:
        name = LEVEL_NAMES[-1]
        stride = next((s for s in (2, 5, 10, 20, 50, 100, 200, 500) if s * width >= widest[name]), levels)
    painter.setPen(QPen(QColor(theme.ink3), 1, Qt.PenStyle.DotLine))
    bounds = [start for start in starts[1:] if width >= NARROWEST] + [last] * (last < frame.span)
    painter.drawLines([QLineF(frame.x(start), frame.loss.top() - ABOVE - 4, frame.x(start), frame.heat.bottom()) for start in bounds])
    for number, start in enumerate(starts, 1):
        if stride == 1 or number % stride == 0:
            text, middle = name.format(number), frame.x(start + each / 2)
            wide = marks.text_width(text, used)
            if middle + wide / 2 <= frame.heat.right():
                if stride > 1:  # over the bounds of the levels beside it
                    painter.fillRect(QRectF(middle - wide / 2 - 2, y - 7, wide + 4, 14), QColor(theme.canvas))
                marks.put_text(painter, middle, y, text, used, theme.ink2)
    if last < frame.span:
        room = frame.heat.right() - frame.x(last)
        text = next(text for text in TASK_NAMES if not text or marks.text_width(text, used) + 8 <= room)
        marks.put_text(painter, (frame.x(last) + frame.heat.right()) / 2, y, text, used, theme.ink2)


def with_levels(table: Table, spec: Spec, layers: list[str]) -> Table:
    """The table of a run with pre-training: which level a step trained (0 for the whole net), and empty cells for all others then."""
    if not spec.pretraining_steps:
        return table
    at, gradients = table.columns.index("step"), {table.columns.index(f"gradient_rms_{name}"): n for n, name in enumerate(layers, 1)}
    rows = []
    for row in table.rows:
        level = spec.level_at(int(str(row[at])))
        cells = (None if level and gradients.get(place, level) != level else value for place, value in enumerate(row))
        rows.append((*cells, level))
    return Table((*table.columns, "level"), tuple(rows))
