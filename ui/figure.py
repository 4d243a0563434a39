"""A figure for a talk or a paper: network and gradient profile with the settings stamped in, so that the picture can be made again."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Details, Snapshot
from gradviz.spec import Spec, all_fields

from .canvas.reach import known_gradients
from .canvas.scene import NetworkCanvas
from .legend import legend_size, paint_legend
from .numbers import short
from .panels.panel import Panel, Table
from .panels.profile import ProfilePanel
from .stages import cut_of, training_step, words_of
from .theme import Theme, font

MARGIN = 72.0
STAMP_HEIGHT = 92.0
TITLE_HEIGHT = 108.0
PROFILE_HEIGHT = 214.0  # before scaling
PANEL_SIDE = 16.0
LEARNT = 0.5  # of the loss of guessing
BODY_SCALE = 1.3  # a figure is seen from farther away than a window


class Figure(Panel):
    """The composed figure; ``title`` and ``subtitle`` may be given, otherwise they say what was measured."""

    name = "figure"
    title = "Figure"

    def __init__(self, parent: QWidget | None = None, heading: str | None = None) -> None:
        super().__init__(parent)
        self.hide()
        self.heading = heading
        self._network = NetworkCanvas()
        self._network.show_legend = False
        self._profile = ProfilePanel()
        for panel in (self._network, self._profile):
            panel.setParent(self)
            panel.hide()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        super().show_snapshot(snapshot)
        self._network.show_snapshot(snapshot)
        self._profile.show_snapshot(snapshot)

    def set_theory(self, shown: bool) -> None:
        self._profile.set_theory(shown)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._network.set_theme(theme)
        self._profile.set_theme(theme)

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        theme, snapshot = self.theme, self.snapshot
        painter.fillRect(area, QColor(theme.canvas))
        if snapshot is None:
            return
        painter.save()
        painter.translate(area.topLeft())
        # everything is laid out for 1600 × 900 and scaled, so that text keeps its proportion to the drawing
        factor = min(area.width() / 1600.0, area.height() / 900.0)
        painter.scale(factor, factor)
        width, height = area.width() / factor, area.height() / factor
        self._paint_heading(painter, width, snapshot)
        painter.save()
        painter.translate(0, TITLE_HEIGHT)
        painter.scale(BODY_SCALE, BODY_SCALE)
        # the panels keep 16 px free at their sides; so much further out they stand, and all texts share one edge
        side = MARGIN / BODY_SCALE - PANEL_SIDE
        painter.translate(side, 0)
        body_width, body_height = width / BODY_SCALE - 2 * side, (height - TITLE_HEIGHT - STAMP_HEIGHT - 16) / BODY_SCALE
        self._network.paint_to(painter, QRectF(0, 0, body_width, body_height - PROFILE_HEIGHT))
        self._profile.paint_to(painter, QRectF(0, body_height - PROFILE_HEIGHT, body_width, PROFILE_HEIGHT))
        painter.restore()
        self._paint_stamp(painter, QRectF(MARGIN, height - STAMP_HEIGHT, width - 2 * MARGIN, STAMP_HEIGHT), snapshot)
        painter.restore()

    def _paint_heading(self, painter: QPainter, width: float, snapshot: Snapshot) -> None:
        heading, sentence = measured_heading(snapshot)
        painter.setPen(QColor(self.theme.ink1))
        painter.setFont(font(36, 600))
        painter.drawText(QRectF(MARGIN, 36, width - 2 * MARGIN, 44), Qt.AlignmentFlag.AlignVCenter, self.heading or heading)
        painter.setPen(QColor(self.theme.ink2))
        painter.setFont(font(20))
        painter.drawText(QRectF(MARGIN, 80, width - 2 * MARGIN, 28), Qt.AlignmentFlag.AlignVCenter, sentence)

    def _paint_stamp(self, painter: QPainter, area: QRectF, snapshot: Snapshot) -> None:
        painter.setPen(QPen(QColor(self.theme.strong_line), 1))
        painter.drawLine(area.topLeft(), area.topRight())
        network, training = stamp_lines(snapshot.spec)
        step = training_step(snapshot.spec).capitalize()
        result = f"{step} {snapshot.step:,}, loss {short(snapshot.loss)}. Made with GradViz; these settings reproduce the picture."
        rows = ((network, 600, self.theme.ink1), (training, 400, self.theme.ink2), (result, 400, self.theme.ink3))
        room = area.width() - legend_size().width() - 140
        for number, (text, weight, ink) in enumerate(rows):
            painter.setFont(font(14, weight))
            painter.setPen(QColor(ink))
            fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(QRectF(area.left(), area.top() + 12 + 22 * number, room, 20), Qt.AlignmentFlag.AlignVCenter, fitted)
        ticks = known_gradients(snapshot)
        paint_legend(painter, QPointF(area.right(), area.top() + 16), self.theme, ticks)

    def table(self) -> Table:
        return self._profile.table()


def measured_heading(snapshot: Snapshot) -> tuple[str, str]:
    """A title and a sentence that say what was measured in this snapshot, and no more."""
    details = snapshot.details
    architecture, layers = snapshot.architecture, snapshot.architecture.layers
    if details is None:
        size = words_of(architecture).count(len(layers) - 1) if architecture.recurrent else f"{len(layers) - 1} hidden layers"
        return "A network before its first step", f"{size}; nothing has been measured yet."
    if snapshot.failure is not None:
        failure = snapshot.failure
        where = f"in {failure.layer_name}, {failure.phase}, at step {failure.step}"
        return "The numbers have left the range of floating point", f"The first value that is not finite appeared {where}."
    if snapshot.level:
        error = f"Mean squared error with which it tells its input again: {short(snapshot.loss)}, where always answering the mean costs 1."
        return f"Level {snapshot.level} of {len(layers) - 1} learns by itself, without labels", error
    if snapshot.spec.training.method == "evolution":
        return _evolved(snapshot, details)
    if architecture.recurrent:
        return _through_time(snapshot, details)
    first, last = float(details.gradient_rms[0]), float(details.gradient_rms[-1])
    sentence = f"Typical gradient of a weight: {short(last)} in the output layer, {short(first)} in layer 1"
    if first == 0.0:
        return "No gradient reaches the first layer", sentence + "."
    ratio = last / first
    by_norm = snapshot.spec.training.clip == "norm"
    sentence += f", a factor of {short(max(ratio, 1 / ratio))}."
    if first < 1e-4 and ratio > 10:
        return "The first layers receive almost no gradient", sentence
    if snapshot.clipped:
        return "The gradient is clipped: shorter, in the same direction" if by_norm else "The gradient is clipped", sentence
    if first > 1.0:
        return "The gradient is large in the first layers", sentence
    return "The gradient reaches the first layer", sentence


def _evolved(snapshot: Snapshot, details: Details) -> tuple[str, str]:
    """The heading of a population: what its best individual has come to, and what a gradient would have been worth."""
    guessing, first = snapshot.guessing_loss, float(details.gradient_rms[0])
    learnt = guessing is not None and snapshot.loss < LEARNT * guessing
    done = "A population has learnt the task without a gradient" if learnt else "A population searches without a gradient"
    sentence = f"Loss of the best of {snapshot.spec.training.population} nets after {snapshot.step:,} generations: {short(snapshot.loss)}"
    if guessing is not None:
        sentence += f"; guessing has {short(guessing)}"
    return done, sentence + (". Its gradient in layer 1 is exactly 0." if first == 0.0 else ".")


def _through_time(snapshot: Snapshot, details: Details) -> tuple[str, str]:
    """The heading of a recurrent net: what of the last time step's gradient is left at the first."""
    steps = len(snapshot.architecture.layers) - 1
    first, last = float(details.gradient_rms[0]), float(details.gradient_rms[steps - 1])
    sentence = f"Typical gradient ∂J/∂hₜ of a unit: {short(last)} at time step {steps}, the last one, {short(first)} at the first"
    if first == 0.0 and cut_of(snapshot.architecture, snapshot.spec.training.truncate) > 1:
        return "Truncated: no gradient reaches the first time step", sentence + "."
    if first == 0.0 or last == 0.0:
        return "No gradient reaches the first time step", sentence + "."
    ratio = last / first
    sentence += f", a factor of {short(max(ratio, 1 / ratio))}."
    if first < 1e-4 and ratio > 10:
        return "The first time steps receive almost no gradient", sentence
    if first > 1.0 or ratio < 1e-2:
        return "The gradient grows on its way back through time", sentence
    return "The gradient reaches the first time step", sentence


def stamp_lines(spec: Spec) -> tuple[str, str]:
    """The settings in two lines: first the network, then data and training; defaults that change nothing are left out."""
    network, training = spec.network, spec.training
    names = {info.path: dict(info.choices) for info in all_fields()}

    def title(path: str) -> str:
        return names[path][spec.get(path)]

    widths = "various widths" if network.widths else f"{network.width} units"
    activation = "various activations" if network.activations else title("network.activation")
    first = [
        f"{network.depth} hidden layers × {widths}, {activation}",
        f"{title('network.initializer')}, gain {network.gain:g}",
        f"skip every {network.skip_every}" if network.skip_every else "no skips",
        "batch norm" if network.batch_norm else "no batch norm",
    ]
    if network.recurrent:
        first = [f"{title('network.kind')} × {network.width} units, {title('network.activation')}"]
        first.append(f"spectral radius {network.spectral_radius:g}")
        if spec.counts("network.forget_bias"):
            first.append(f"forget bias {network.forget_bias:g}")
        if training.truncate:
            first.append(f"truncated after {training.truncate} time steps")
    if spec.counts("training.clip"):
        first.append(f"clip {title('training.clip').lower()} at {training.clip_threshold:g}" if training.clip != "none" else "no clipping")
    trained = f"{title('training.optimizer')}, learning rate {training.learning_rate:g}, batch {training.batch_size}"
    if training.method == "pretraining":
        trained = f"{training.steps_per_level} steps per level, then {trained}"
    if training.method == "evolution":
        trained = f"{title('training.method')}, population {training.population}, first σ {training.mutation:g}"
    second = [trained, f"{title('data.name')}{_amount(spec)}", f"seed {training.seed}"]
    return ", ".join(first), "; ".join(second)


def _amount(spec: Spec) -> str:
    """How many examples are generated, and what they depend on."""
    data = spec.data
    if spec.counts("data.noise"):
        return f", {data.samples} points, noise {data.noise:g}"
    return f", {data.samples} sequences, lag {data.lag}" if spec.counts("data.lag") else ""
