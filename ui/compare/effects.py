"""What the change did: the numbers that tell two runs apart, each with how many times larger or smaller it is in B."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QLineF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Snapshot

from ..colors import HEALTHY
from ..numbers import MINUS, power, short
from ..panels import marks
from ..panels.panel import Panel, Table
from ..panels.plots import percent
from ..panels.profile_numbers import last_passing, passed_on
from ..stages import size_of, training_step, words_of
from ..status import three_digits
from ..theme import font
from .words import SIDES, values

ROW, TOP, SIDE = 30.0, 36.0, 16.0
UNKNOWN = "–"
Histories = tuple[HistoryTable | None, HistoryTable | None]


class Effect(NamedTuple):
    """One number of both sides: what it is, as it is told on each side and compared, and as the engine has it."""

    title: str
    a: str
    b: str
    against: str
    values: tuple[float | None, float | None] = (None, None)
    failed: tuple[bool, bool] = (False, False)


def effects(a: Snapshot, b: Snapshot, histories: Histories | None = None) -> tuple[Effect, ...]:
    """Everything that both sides can be compared by at this moment.

    ``histories`` are those of both runs, for moments that have not brought theirs; they tell when the test loss was measured.
    """
    return tuple(_effects(a, b, histories or (a.history, b.history)))


def _effects(a: Snapshot, b: Snapshot, histories: Histories) -> Iterator[Effect]:
    step = training_step(a.spec)
    now = f"at {step} {a.step:,}" if (a.step, step) == (b.step, training_step(b.spec)) else "now"
    alike = bool(a.level) == bool(b.level)  # a level of pre-training has an error and a gradient of its own
    comparable = a.loss_name == b.loss_name and alike
    loss = "Reconstruction error" if a.level and b.level else "Loss"
    yield _size(f"{loss} {now}", a.loss, b.loss, comparable)
    if a.test_loss is not None and b.test_loss is not None:
        yield _size(f"Test loss{_when(histories)}", a.test_loss, b.test_loss, comparable)
    shares = [_accuracy(a), _accuracy(b)]
    if shares[0] is not None or shares[1] is not None:
        tested = a.spec.data.test_fraction > 0
        yield _share("Test accuracy" if tested else "Training accuracy", *shares)
    if a.architecture.recurrent == b.architecture.recurrent:
        yield _size(f"{size_of(a.architecture, 1)} in {a.architecture.layers[0].name}", _first(a), _first(b))
        ends = [side.architecture.layers[last_passing(side) - 1].name for side in (a, b)]
        last = ends[0] if ends[0] == ends[1] else "the last"
        one = words_of(a.architecture).one
        factors = _per_layer(a), _per_layer(b)
        title = f"Per {one}, {a.architecture.layers[0].name} to {last}"
        yield Effect(title, _times(factors[0]), _times(factors[1]), factor_in_words(*factors), factors)
        yield _below(a, b)
    yield _size("Norm of the gradient", a.total_norm, b.total_norm, alike)
    if a.failure is not None or b.failure is not None:
        steps = [float(side.failure.step) if side.failure is not None else None for side in (a, b)]
        failed = a.failure is not None, b.failure is not None
        yield Effect("First number not finite", _failure(a), _failure(b), "", (steps[0], steps[1]), failed)


def _when(histories: Histories) -> str:
    """After which step the test loss was measured, if that is known and one step on both sides."""
    steps = {int(table.test_steps[-1]) for table in histories if table is not None and len(table.test_steps)}
    return f", step {steps.pop():,}" if len(steps) == 1 else ""


def _accuracy(snapshot: Snapshot) -> float | None:
    """The share of right answers; None while a level is trained by itself, and when there are no answers any more."""
    prediction = snapshot.prediction
    if prediction is None or prediction.accuracy is None or snapshot.diverged or snapshot.level:
        return None
    return prediction.accuracy if math.isfinite(prediction.accuracy) else None


def _first(snapshot: Snapshot) -> float | None:
    details = snapshot.details
    return float(details.gradient_rms[0]) if details is not None and snapshot.knows(1) else None


def _per_layer(snapshot: Snapshot) -> float | None:
    """The factor by which the gradient changes per layer on its way back, the geometric mean from the last to the first."""
    last = last_passing(snapshot)
    if snapshot.details is None or last < 2 or not (snapshot.knows(1) and snapshot.knows(last)):
        return None
    found = passed_on(snapshot.details.gradient_rms, 1, last)
    return found if math.isfinite(found) else None


def _below(a: Snapshot, b: Snapshot) -> Effect:
    """How many layers get less than the healthy zone's lower end."""
    limit = 10.0 ** HEALTHY[0]
    counts: list[int | None] = []
    told = []
    for side in (a, b):
        sizes = side.details.gradient_rms.tolist() if side.details is not None else []
        known = [size for n, size in enumerate(sizes, 1) if side.knows(n) and math.isfinite(size)]
        counts.append(sum(size < limit for size in known) if known else None)
        told.append(f"{counts[-1]} of {len(known)}" if known else UNKNOWN)
    title = f"{words_of(a.architecture).many.capitalize()} below {power(round(HEALTHY[0]))}"
    first, second = counts
    against = UNKNOWN
    if first is not None and second is not None:
        against = "the same" if first == second else f"{abs(second - first)} {'fewer' if second < first else 'more'}"
    return Effect(title, told[0], told[1], against, (first, second))


def _failure(snapshot: Snapshot) -> str:
    failure = snapshot.failure
    return "never" if failure is None else f"step {failure.step:,}, {failure.layer_name}"


def _size(title: str, a: float | None, b: float | None, comparable: bool = True) -> Effect:
    told = [UNKNOWN if value is None else three_digits(value) for value in (a, b)]
    against = factor_in_words(a, b) if comparable else "not one kind"
    bad = [value is not None and not math.isfinite(value) for value in (a, b)]
    return Effect(title, told[0], told[1], against, (a, b), (bad[0], bad[1]))


def _share(title: str, a: float | None, b: float | None) -> Effect:
    told = [UNKNOWN if share is None else percent(share) for share in (a, b)]
    against = UNKNOWN
    if a is not None and b is not None:
        points = round(100 * (b - a))
        against = "the same" if a == b else f"{'+' if points >= 0 else MINUS}{abs(points)} points"
    return Effect(title, told[0], told[1], against, (a, b))


def _times(value: float | None) -> str:
    return UNKNOWN if value is None else f"× {value:.2f}" if 0.01 <= value < 9.995 else f"× {short(value)}"


def factor_in_words(a: float | None, b: float | None) -> str:
    """How many times as large B's number is: "÷ 12", "× 460,000"."""
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)):
        return UNKNOWN
    if a == b:
        return "the same"
    if a <= 0 or b <= 0:
        return UNKNOWN
    with_sign, factor = ("×", b / a) if b > a else ("÷", a / b)
    if not math.isfinite(factor):
        return UNKNOWN
    if factor >= 1e7:
        return f"{with_sign} {short(factor)}"
    if factor < 1.005:
        return "about the same"
    return f"{with_sign} {float(f'{factor:.1e}'):,.0f}" if factor >= 9.95 else f"{with_sign} {factor:.2f}"


class EffectsPanel(Panel):
    """The table of effects."""

    name = "effects"
    title = "What the change did"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.other: Snapshot | None = None
        self._found: tuple[Effect, ...] = ()
        self.setMinimumSize(200, 100)

    def sizeHint(self) -> QSize:
        return QSize(520, 260)

    def whole_size(self) -> QSizeF:
        return QSizeF(max(520, self.width()), self.height_wanted())

    def height_wanted(self) -> float:
        """The height at which every row is seen."""
        return TOP + ROW * (len(self._found) or 6) + 8

    def show_pair(self, a: Snapshot, b: Snapshot, histories: Histories | None = None) -> None:
        """Compare these two from now on; ``histories`` as for `effects`."""
        self.other, self._found = b, effects(a, b, histories)
        self.show_snapshot(a)
        said = "; ".join(f"{effect.title}: A {effect.a}, B {effect.b}, {effect.against}" for effect in self._found)
        self.setAccessibleDescription(said)

    def clear(self) -> None:
        self.other, self._found = None, ()
        super().clear()

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme = self.theme
        painter.save()
        painter.fillRect(area, QColor(theme.canvas))
        left, right = area.left() + SIDE, area.right() - SIDE
        title = font(13, 600)
        y = area.top() + 18
        marks.put_text(painter, left, y, self.title, title, theme.ink1, Qt.AlignmentFlag.AlignLeft)
        if self.snapshot is not None and self.other is not None:
            found = self._found
            width = right - left
            last = max(78.0, *(marks.text_width(effect.against, font(12)) + 14 for effect in found))
            column = min(130.0, max(74.0, 0.2 * width))
            ends = right - last - column, right - last, right
            room = ends[0] - column - left - 8
            heads = [f"{side}  {name}".strip() for side, name in zip(SIDES, values(self.snapshot.spec, self.other.spec), strict=True)]
            metrics = QFontMetricsF(font(12, 500))
            from_left = left + marks.text_width(self.title, title) + 12
            for end, text, ink in zip(ends, (*heads, "B against A"), (theme.ink2, theme.ink2, theme.ink3), strict=True):
                space = min(column, end - from_left) if end == ends[0] else column - 8
                fitted = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(12.0, space))
                marks.put_text(painter, end, y, fitted, font(12, 500), ink, Qt.AlignmentFlag.AlignRight)
            height = min(ROW, max(18.0, (area.height() - TOP - 4) / max(1, len(found))))
            for number, effect in enumerate(found):
                self._paint_row(painter, effect, area.top() + TOP + height * number, height, left, ends, room)
        else:
            marks.put_text(painter, area.center().x(), area.center().y(), marks.NOTHING_YET, font(13), theme.ink2)
        painter.restore()

    def _paint_row(
        self, painter: QPainter, effect: Effect, top: float, height: float, left: float, ends: tuple[float, float, float], room: float
    ) -> None:
        theme, y = self.theme, top + height / 2
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QLineF(left, top, ends[2], top))
        title = QFontMetricsF(font(13)).elidedText(effect.title, Qt.TextElideMode.ElideRight, room)
        marks.put_text(painter, left, y, title, font(13), theme.ink2, Qt.AlignmentFlag.AlignLeft)
        for end, text, failed in zip(ends, (effect.a, effect.b), effect.failed, strict=False):
            marks.put_text(painter, end, y, text, font(13, 600), theme.nan if failed else theme.ink1, Qt.AlignmentFlag.AlignRight)
        marks.put_text(painter, ends[2], y, effect.against, font(12), theme.ink2, Qt.AlignmentFlag.AlignRight)

    def table(self) -> Table:
        return Table(("what", "A", "B", "B_against_A"), tuple((row.title, *row.values, row.against) for row in self._found))
