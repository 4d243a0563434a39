"""The stage of a training step in work: its column in a frame, a line above that names it, words under what is not reached yet."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gradviz.snapshot import Moment, Snapshot

from ..numbers import short
from ..stages import cut_of, words_of
from ..theme import Theme, font
from .layout import LOSS_SIZE, Layout
from .marks import text_at

ARROW = 60.0
MARGIN = 16.0
Span = tuple[float, float]  # from, to: x of what is taken


def column_in_work(snapshot: Snapshot) -> int | None:
    """The column that the last phase was about; one more than the layers is the loss."""
    moment = snapshot.moment
    if moment is None or moment.kind not in ("forward", "loss", "backward"):
        return None
    if moment.level:
        return moment.level
    return moment.layers + 1 if moment.kind == "loss" else moment.layer


def caption(snapshot: Snapshot, moment: Moment) -> str:
    """What has just been done, in a few words."""
    layer, last = moment.layer, moment.layers
    if moment.level:
        return _caption_of_level(snapshot, moment)
    recurrent = snapshot.architecture.recurrent
    words = words_of(snapshot.architecture)
    name = "Out" if layer == last else f"{words.one} {layer}"
    if moment.kind == "forward":
        return f"Forward: {name}, the last one" if layer == last else f"Forward: {words.one} {layer} of {last - recurrent}"
    if moment.kind == "loss":
        return f"Loss: J = {short(snapshot.loss)}"
    if moment.kind == "backward" and layer < cut_of(snapshot.architecture, snapshot.spec.training.truncate):
        return f"Backward: {name}, cut off, exactly 0"
    if moment.kind == "backward":
        return f"Backward: {name} now, {f'{layer - 1} to go' if layer > 1 else 'the last one'}"
    if moment.kind == "clip":
        if snapshot.spec.training.clip == "none":
            return "Clip: off, the gradient stays as it is"
        if not snapshot.clipped:
            return "Clip: below the threshold, the gradient stays as it is"
        return f"Clip: gradient norm cut from {short(snapshot.total_norm)} to {short(snapshot.clipped_norm)}"
    if moment.evolves:
        return _generation(snapshot, moment)
    return f"Update: every weight has moved, step {moment.step:,} is done"


def _generation(snapshot: Snapshot, moment: Moment) -> str:
    """What a phase of the genetic algorithm has just done."""
    settings = snapshot.spec.training
    children = settings.population - settings.elite
    if moment.kind == "evaluate":
        return f"Evaluate: all {settings.population:,} nets, the best has J = {short(snapshot.loss)}"
    if moment.kind == "select":
        return f"Select: for each parent the best of {settings.tournament:,} drawn by lot"
    if moment.kind == "cross":
        return f"Cross: {children:,} children, unit by unit from one parent or two; the {settings.elite:,} best stay"
    sigma = snapshot.population[3] if snapshot.population is not None else settings.mutation
    return f"Mutate: {settings.mutated:.0%} of the children’s weights moved, σ = {short(float(sigma))}".replace("%", " %", 1)


def _caption_of_level(snapshot: Snapshot, moment: Moment) -> str:
    below = "the input" if moment.level == 1 else f"L{moment.level - 1}"
    return {
        "forward": f"Forward: L{moment.level} encodes what {below} gives",
        "loss": f"Loss: its decoder tells {below} again, error J = {short(snapshot.loss)}",
        "backward": f"Backward: through the decoder to L{moment.level}, and no further",
    }.get(moment.kind, f"Update: L{moment.level} and its decoder have moved, step {moment.step:,} is done")


def frame_of(layout: Layout, column: int, theme: Theme) -> QRectF:
    """The frame around a column with its name; where columns are narrower than names, around the column alone."""
    if column > layout.depth:
        side = LOSS_SIZE + 12
        centre = layout.loss_point
        return QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side)
    inner = layout.strip_width if layout.is_strip(column) else 2 * layout.radius
    name = QFontMetricsF(font(12, 600)).horizontalAdvance(layout.architecture.layers[column - 1].name)
    named = layout.has_glyphs and layout.pitch >= name + 14
    half = max(inner / 2 + 9, name / 2 + 6) if named else inner / 2 + min(5.0, max(2.5, layout.pitch * 0.35))
    top = layout.names_y - 12 if named else layout.body_top - (5 if layout.has_glyphs else 7)
    return QRectF(layout.columns.x(column) - half, top, 2 * half, layout.frame_bottom - top)


def paint_frame(painter: QPainter, layout: Layout, column: int, theme: Theme) -> None:
    frame = frame_of(layout, column, theme)
    corner = min(9.0, frame.width() / 2)
    painter.setPen(QPen(QColor(theme.ink1), 2.0 if layout.has_edges else 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(frame, corner, corner)


def paint_caption(painter: QPainter, layout: Layout, snapshot: Snapshot, theme: Theme) -> None:
    """The name of the stage beside its frame, with an arrow the way the signal goes."""
    moment, column = snapshot.moment, column_in_work(snapshot)
    assert moment is not None
    painter.setFont(font(12, 600))
    text = caption(snapshot, moment)
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text)
    y, right = layout.caption_y, layout.columns.width - MARGIN
    arrow = 0.0 if moment.kind not in ("forward", "backward") else ARROW + 10 if wide + ARROW + 10 <= right - MARGIN else 0.0
    if column is None:
        x = (layout.columns.x(1) + layout.columns.x(layout.depth) - wide) / 2
    elif moment.kind == "loss":
        x = layout.loss_point.x() - wide / 2
    else:
        frame = frame_of(layout, column, theme)
        x = frame.left() if moment.kind == "forward" else frame.left() - wide - arrow
    x = max(MARGIN, min(x, right - wide - arrow))
    painter.setPen(QColor(theme.ink1))
    text_at(painter, QPointF(x, y), text, Qt.AlignmentFlag.AlignLeft)
    if arrow:
        _paint_arrow(painter, x + wide + 10, y, moment.kind == "forward", theme)


def _paint_arrow(painter: QPainter, x: float, y: float, forward: bool, theme: Theme) -> None:
    tip, inwards = (x + ARROW, -8.0) if forward else (x, 8.0)
    tail = x if forward else x + ARROW
    painter.setPen(QPen(QColor(theme.ink1), 1.5))
    painter.drawLine(QLineF(tail, y, tip + inwards, y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink1))
    painter.drawPolygon(QPolygonF([QPointF(tip, y), QPointF(tip + inwards, y - 4), QPointF(tip + inwards, y + 4)]))


def paint_waiting(painter: QPainter, layout: Layout, moment: Moment, taken: list[Span], theme: Theme) -> None:
    """Under the columns what they wait for, where ``taken`` leaves room."""
    if moment.kind == "backward":
        words = [("not reached yet", 1, moment.layer - 1)]
    elif moment.kind == "forward":
        words = [("no gradient yet", 1, moment.layer), ("not reached yet", moment.layer + 1, layout.depth)]
    elif moment.kind == "loss":
        words = [("no gradient yet", 1, layout.depth)]
    else:
        return
    painter.setFont(font(12))
    painter.setPen(QColor(theme.ink3))
    metrics = QFontMetricsF(painter.font())
    for text, first, last in words:
        wide = metrics.horizontalAdvance(text)
        left, right = layout.columns.x(first) - layout.pitch / 2, layout.columns.x(last) + layout.pitch / 2
        middle = _room(wide, (left, right), taken, layout.columns.width) if first <= last else None
        if middle is not None:
            text_at(painter, QPointF(middle, layout.label_y), text)
            taken.append((middle - wide / 2, middle + wide / 2))


def _room(wide: float, span: Span, taken: list[Span], width: float) -> float | None:
    """Where a text of that width stands in or beside its columns without touching what is there; None when nowhere near."""
    left, right = max(8.0, span[0]), min(width - 8.0, span[1])
    if right <= left:
        return None  # scrolled out of sight
    reach = max(0.0, wide - (right - left)) + 20
    middles = [(left + right) / 2, left + wide / 2, right - wide / 2, right + reach - wide / 2, left - reach + wide / 2]
    middles += [end + 10 + wide / 2 for _, end in taken] + [start - 10 - wide / 2 for start, _ in taken]
    for middle in middles:
        x0, x1 = middle - wide / 2, middle + wide / 2
        inside = max(8.0, left - reach) <= x0 and x1 <= min(width - 8.0, right + reach)
        if inside and all(x1 + 9 <= start or x0 - 9 >= end for start, end in taken):
            return middle
    return None
