"""The line at the foot of the window: step, loss and gradient norm in numbers, what was last said, and how fast all runs.

Inside a step that is walked phase by phase it tells only what this step knows already, and which phase comes next.
"""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from gradviz.messages import Tape
from gradviz.snapshot import GENERATION, Moment, Snapshot

from .numbers import full, short
from .stages import stage_words, training_step, words_of
from .theme import THEMES, Theme, font
from .verdict import VerdictPill

HEIGHT = 30
KEY_WIDTH = 23
ROOMY = 1250  # width from which there is room for all that can be said
UNKNOWN = "–"
NOT_YET = "·"
GENERATION_WORDS = {"evaluate": "evaluate", "select": "select parents", "cross": "cross them", "mutate": "mutate the children"}


class StatusBar(QWidget):
    """The numbers of the latest snapshot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.setAutoFillBackground(True)
        self.setAccessibleName("Status")
        self.step, self.loss, self.test_loss = Reading("Step"), Reading("Loss"), Reading("Test loss")
        self.norm = Reading("Gradient norm")
        self.stage = Reading("", plain=True)
        self.sigma = Reading("σ")
        self.verdict = VerdictPill()
        self.tape = TapeReading()
        self.message = Message()
        self.next = NextPhase()
        self.pace, self.frames = Reading("", plain=True), Reading("", plain=True)
        numbers = (self.step, self.stage, self.loss, self.test_loss, self.norm, self.sigma)
        self._parts = (*numbers, self.verdict, self.tape, self.message, self.next, self.pace, self.frames)
        self.test_loss.hide()
        self.tape.hide()
        self.sigma.hide()
        self.stage.hide()
        self.next.hide()
        self.step.show_value("0")
        self.loss.show_value(UNKNOWN)
        self.norm.show_value(UNKNOWN)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(20)
        for part in self._parts:
            row.addWidget(part, 1 if part is self.message else 0)
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.timeout.connect(lambda: self.message.show_text(""))

    def show_snapshot(self, snapshot: Snapshot, frames_per_second: float) -> None:
        """Show the numbers of this moment."""
        moment, begun = snapshot.moment, snapshot.step > 0
        self._show_step(snapshot)
        help = f"Training loss of this step's mini-batch ({snapshot.loss_name})"
        if snapshot.spec.training.method == "evolution":
            help = f"Loss of the best individual over the training set ({snapshot.loss_name})"
        if snapshot.level:
            help = f"Reconstruction error of level {snapshot.level} over this step's mini-batch; 1 is as good as always answering the mean"
        self._show_stage(snapshot)
        if moment is not None and not moment.lost:
            self.loss.show_value(NOT_YET, f"{help}: known after the loss phase")
        else:
            self._show_number(self.loss, snapshot.loss if begun or moment is not None else None, help)
        # measured between steps, so that inside one it would only take the room of what comes next
        self.test_loss.setVisible(snapshot.test_loss is not None and moment is None)
        what = "Reconstruction error of the level" if snapshot.level else "Loss"
        self._show_number(self.test_loss, snapshot.test_loss, f"{what} over the test set, last time it was measured")
        self._show_norm(snapshot, begun or moment is not None)
        self._show_mutation(snapshot)
        self.verdict.show_snapshot(snapshot)
        ended = snapshot.diverged and (moment is None or moment.done == moment.total)  # after a failure no step follows
        self.next.setVisible(moment is not None and not ended)
        if moment is not None and not ended:
            following = next_phase(moment, snapshot.spec.training.clip != "none", snapshot.architecture.recurrent)
            self.next.show_value(following, "What the next press does")
        if snapshot.diverged:
            pace = "stopped"
        elif not snapshot.playing:
            pace = "paused"
        else:
            rate = snapshot.steps_per_second
            pace = (f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}") + f" {training_step(snapshot.spec)}s/s"
        self.pace.show_value(pace)
        self.frames.show_value(f"{frames_per_second:.0f} frames/s")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.tape.show_tape(self.tape.tape)  # in a narrow window it says less

    def fit(self) -> None:
        """Forget how much room the numbers have needed before, as of another run."""
        for part in self._parts:
            if isinstance(part, Reading):
                part.fit()

    def say(self, text: str, seconds: float) -> None:
        """Show a short text for a while."""
        self.message.show_text(text)
        self._silence.start(round(seconds * 1000))

    def set_theme(self, theme: Theme) -> None:
        for part in self._parts:
            part.theme = theme
            part.update()

    def _show_step(self, snapshot: Snapshot) -> None:
        moment = snapshot.moment
        one = training_step(snapshot.spec)
        self.step.rename(one.capitalize())
        step = moment.step if moment is not None else snapshot.step
        help = f"{snapshot.step:,} whole {one}s are done"
        if max(step, snapshot.step) < snapshot.last_step:
            self.step.show_value(f"{step:,} of {snapshot.last_step:,}", f"{help}; the run was recorded up to {one} {snapshot.last_step:,}")
        else:
            self.step.show_value(f"{step:,}", f"Inside {one} {step:,}; {help}" if step > snapshot.step else help)

    def _show_mutation(self, snapshot: Snapshot) -> None:
        """The size of the mutations and how many of them succeed, of a population; inside a step the room is needed for what comes next."""
        self.sigma.setVisible(snapshot.population is not None and snapshot.moment is None)
        if snapshot.population is not None:
            sigma, success = snapshot.population[3:].tolist()
            share = "" if math.isnan(success) else f", {success:.0%} succeed".replace("%", " %")
            help = "σ of the mutations. It grows while more than a fifth of them make nothing worse, and shrinks while fewer do"
            self.sigma.show_value(f"{three_digits(sigma)}{share}", f"{help}: {full(sigma)}")

    def _show_stage(self, snapshot: Snapshot) -> None:
        """How far pre-training has come; nothing where the run has none."""
        report = snapshot.pretraining
        self.stage.setVisible(report is not None)
        if report is None:
            return
        if not snapshot.level:
            self.stage.show_value("fine-tuning", f"All {report.levels} levels are pre-trained; the whole net learns its task")
            return
        step = (snapshot.step if snapshot.moment is None else snapshot.moment.step) - (snapshot.level - 1) * report.steps
        words = f"level {snapshot.level} of {report.levels}, step {step:,} of {report.steps:,}"
        roomy = self.width() >= ROOMY
        self.stage.show_value(f"pre-training {words}" if roomy else f"level {snapshot.level} of {report.levels}", f"Pre-training {words}")

    def _show_norm(self, snapshot: Snapshot, begun: bool) -> None:
        before, after, moment = snapshot.total_norm, snapshot.clipped_norm, snapshot.moment
        words = words_of(snapshot.architecture)
        if moment is not None and moment.kind in ("forward", "loss"):
            self.norm.show_value(NOT_YET, f"Length of the whole gradient: known when it has come back through all {words.many}")
        elif moment is not None and moment.kind == "backward":
            help = f"Length of the gradient of the {words.many} it has reached: {full(before)}"
            self.norm.show_value(f"so far {three_digits(before)}", help, finite=math.isfinite(before))
        elif begun and snapshot.clipped:
            help = f"Length of the whole gradient: {full(before)} before clipping, {full(after)} after"
            self.norm.show_value(f"{three_digits(before)} → {three_digits(after)} clipped", help)
        else:
            self._show_number(self.norm, before if begun else None, "Length of the whole gradient")

    def _show_number(self, reading: Reading, value: float | None, help: str) -> None:
        if value is None:
            reading.show_value(UNKNOWN, f"{help}: not measured yet")
        else:
            reading.show_value(three_digits(value), f"{help}: {full(value)}", finite=math.isfinite(value))


class Reading(QWidget):
    """A name and a number."""

    def __init__(self, name: str, plain: bool = False) -> None:
        """``plain`` is for words instead of numbers, in a quieter ink."""
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.value = ""
        self._name, self._plain = name, plain
        self._finite = True
        self._widest = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)

    def rename(self, name: str) -> None:
        """Call the number this from now on."""
        if name != self._name:
            self._name, self.value, self._widest = name, "", 0

    def show_value(self, value: str, help: str = "", finite: bool = True) -> None:
        """Show a value; ``help`` says on hover what it is."""
        if help != self.toolTip():
            self.setToolTip(help)
        if (value, finite) == (self.value, self._finite):
            return
        self.value, self._finite = value, finite
        self.setAccessibleName(f"{self._name} {value}".strip())
        width = self._start() + QFontMetrics(self._font()).horizontalAdvance(value) + 1
        # room is given up only when much of it is free, so that the line does not dance with every number
        if not self._widest - 24 < width <= self._widest:
            self.fit(width)
        self.update()

    def fit(self, width: int | None = None) -> None:
        """Take so much room, without ``width`` as much as the present value needs."""
        self._widest = self._start() + QFontMetrics(self._font()).horizontalAdvance(self.value) + 1 if width is None else width
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._widest, HEIGHT)

    def _font(self) -> QFont:
        return font(12, 400 if self._plain else 600)

    def _start(self) -> int:
        return QFontMetrics(font(12)).horizontalAdvance(self._name) + 6 if self._name else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        side = Qt.AlignmentFlag.AlignRight if self._plain else Qt.AlignmentFlag.AlignLeft
        painter.setFont(font(12))
        painter.setPen(QColor(theme.ink2))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self._name)
        painter.setFont(self._font())
        painter.setPen(QColor(theme.ink2 if self._plain else theme.ink1 if self._finite else theme.nan))
        painter.drawText(area.adjusted(self._start(), 0, 0, 0), side | Qt.AlignmentFlag.AlignVCenter, self.value)


class TapeReading(Reading):
    """A red dot and what is being recorded, or a ring and what is being watched."""

    MOST_NAME = 150  # pixels of the file's name

    def __init__(self) -> None:
        super().__init__("", plain=True)
        self.tape: Tape | None = None

    def show_tape(self, tape: Tape | None) -> None:
        """None hides it."""
        self.tape = tape
        self.setVisible(tape is not None)
        if tape is None:
            return
        path, bar = Path(tape.path), self.parentWidget()
        roomy = bar is None or bar.width() >= ROOMY
        name = QFontMetrics(self._font()).elidedText(path.name, Qt.TextElideMode.ElideMiddle, self.MOST_NAME)
        if tape.watched:
            help = f"{path} is being recorded elsewhere and followed here. Playing on makes it a run of your own"
            self.show_value(f"watching {name}, step {tape.step:,}" if roomy else "watching", help)
        else:
            help = f"The run is being recorded in {path}, step {tape.step:,}, {_bytes(tape.size)}. File, Stop recording ends it"
            self.show_value(f"{name}, step {tape.step:,}, {_bytes(tape.size)}" if roomy else _bytes(tape.size), help)
        self.setAccessibleName(self.value if tape.watched else f"Recording {self.value}")
        self.update()

    def _start(self) -> int:
        return 14  # the dot

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.tape is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dot = QRectF(0.5, self.height() / 2 - 4, 8, 8)
        if self.tape.watched:
            painter.setPen(QPen(QColor(self.theme.ink2), 1.5))
            painter.drawEllipse(dot.adjusted(0.75, 0.75, -0.75, -0.75))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.red))
            painter.drawEllipse(dot)


class NextPhase(Reading):
    """What comes next inside a step, and the key that does it."""

    KEY = "→"

    def __init__(self) -> None:
        super().__init__("Next:", plain=True)

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(KEY_WIDTH + 8, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, area = self.theme, QRectF(self.rect())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(12))
        painter.setPen(QColor(theme.ink1))
        key = QRectF(area.right() - KEY_WIDTH, area.center().y() - 8.5, KEY_WIDTH - 1, 17)
        words = area.adjusted(0, 0, -KEY_WIDTH - 8, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{self._name} {self.value}")
        painter.setPen(QPen(QColor(theme.strong_line), 1))
        painter.drawRoundedRect(key, 3.5, 3.5)
        painter.setPen(QColor(theme.ink1))
        painter.drawText(key, Qt.AlignmentFlag.AlignCenter, self.KEY)


class Message(QWidget):
    """A short text; what does not fit is on hover."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = THEMES["dark"]
        self.text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Message")

    def show_text(self, text: str) -> None:
        self.text = text
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(font(12))
        painter.setPen(QColor(self.theme.ink1))
        text = QFontMetrics(font(12)).elidedText(self.text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignVCenter, text)


def next_phase(moment: Moment, clips: bool, recurrent: bool = False) -> str:
    """The phase that follows in words, such as "backward, layer 4"; ``clips`` says whether clipping is on."""
    if moment.next_kind in ("forward", "backward"):
        layer = stage_words(recurrent).stage(moment.next_layer, moment.layers)
        return f"{moment.next_kind}, {layer}" + (f" of step {moment.step + 1:,}" if moment.kind == "update" else "")
    clipping = "clipping" if clips else "clipping (off)"
    if moment.next_kind in GENERATION:
        return GENERATION_WORDS[moment.next_kind] + (f" generation {moment.step + 1:,}" if moment.whole else "")
    return {"loss": "the loss", "clip": clipping, "update": "the update"}.get(moment.next_kind, "the next step")


def three_digits(value: float) -> str:
    """A number that is watched while it changes: three significant digits where a plain number has room for them."""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 999.5 else short(value)


def _bytes(size: int) -> str:
    """How large a file is, in words."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
