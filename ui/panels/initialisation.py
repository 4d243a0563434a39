"""Every initialiser on this network before any training: how signals grow or shrink forwards, and gradients backwards.

One scheme is shown enlarged: the one pointed at, else the one in force.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from gradviz.arrays import Floats
from gradviz.lab_reports import InitialisationStudy, Scheme
from gradviz.snapshot import Snapshot

from . import scheme_marks
from .lab_blocks import Cards, Figure, Notice, Title, Words
from .lab_page import Block, LabPanel
from .panel import Table
from .scheme_plot import SchemePlot
from .scheme_rows import SchemeRows

TOGETHER = " "  # the arithmetic stays on one line
IN_TIME = (
    "The initialisers compared here are for layers. The recurrent weights of this net begin as an orthogonal matrix times the spectral "
    "radius, which is a setting: below 1 the gradient vanishes on its way back through time, above 1 it explodes."
)


class InitialisationPanel(LabPanel):
    """Draws an `InitialisationStudy`."""

    name = "initialisation"
    title = "Initialisation"

    initializer_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pointed = ""  # the initialiser under the pointer or the focus
        self._title, self._notice = Title("Before any training"), Notice()
        self._plot, self._cards, self._said = SchemePlot(), Cards(), Words()
        self._rows, self._foot = SchemeRows(), Words(caption=True)
        self._rows.pointed.connect(self._on_pointed)
        self._rows.pressed.connect(self._on_pressed)
        self._parts: tuple[Block, ...] = (self._plot, self._cards, self._said, self._rows, self._foot)
        self.add(self._title, self._notice, *self._parts)
        self.refresh()

    @property
    def study(self) -> InitialisationStudy | None:
        return self.report_of(InitialisationStudy)

    # ---- what is shown

    def show_content(self) -> None:
        snapshot, study = self.snapshot, self.study
        ready = study is not None and bool(study.schemes)
        self._notice.used = not ready
        for block in self._parts:
            block.used = ready
        if snapshot is None or study is None or not ready:
            self._title.captions = ()
            if snapshot is not None and snapshot.architecture.recurrent:
                self._notice.show_text("Layers only, no time steps", IN_TIME)
                return
            self._notice.show_text(
                "Not measured yet", "As soon as there is a network, every initialiser is tried on it here, without training."
            )
            return
        self._title.captions = (f"step 0, seed {snapshot.spec.training.seed}", "step 0")
        self._rows.show_schemes(scheme_marks.ordered(study), study.current)
        depth = snapshot.spec.network.depth
        self._said.reserve(*(sentence(scheme, depth) for scheme in study.schemes))
        gain = snapshot.spec.network.gain
        scaled = f" with a gain of {gain:g}" if gain != 1 else ""
        self._foot.show_text(
            f"Measured on this net{scaled} with its first mini-batch. Sorted by how near both factors are to ×1. "
            "Spread is the standard deviation over units and examples. A click uses a scheme: the run restarts from the same seed."
        )
        self._show_scheme(snapshot, study)

    def _show_scheme(self, snapshot: Snapshot, study: InitialisationStudy) -> None:
        """The enlarged one, with its numbers."""
        own = _named(study, study.current)
        scheme = _named(study, self._pointed) or own or study.schemes[0]
        names = tuple(layer.name for layer in snapshot.architecture.layers)
        self._plot.show_scheme(scheme, own, names)
        depth = snapshot.spec.network.depth
        forwards = scheme_marks.factor_text(scheme.forward_factor, scheme.activation_stds)
        backwards = scheme_marks.factor_text(scheme.backward_factor, scheme.delta_norms)
        per = ("the spread, per layer", "per layer")
        back = ("‖∂J/∂z‖, per layer", "per layer")
        self._cards.show_figures(
            Figure("Forwards", scheme.forward_factor, forwards, per, False, "factor of the spread per layer, forwards"),
            Figure("Backwards", scheme.backward_factor, backwards, back, False, "factor of ‖∂J/∂z‖ per layer, backwards"),
        )
        self._said.show_text(sentence(scheme, depth))

    def spoken(self) -> str:
        study = self.study
        own = _named(study, study.current) if study is not None else None
        if self.snapshot is None or own is None:
            return f"{self._notice.title}. {self._notice.text}"
        return f"In force: {scheme_marks.title(own)}. {sentence(own, self.snapshot.spec.network.depth)}"

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        """As on the screen, but always with the scheme in force enlarged."""
        pointed = self._pointed
        self._on_pointed("")
        super().paint_to(painter, area)
        self._on_pointed(pointed)

    def _on_pointed(self, name: str) -> None:
        self._pointed = name
        if self.snapshot is not None and self.study is not None:
            self._show_scheme(self.snapshot, self.study)

    def _on_pressed(self, name: str) -> None:
        if self.study is not None and name != self.study.current:
            self.initializer_wanted.emit(name)

    # ---- numbers

    def table(self) -> Table:
        """One row per scheme and layer."""
        columns = ("scheme", "in_force", "forward_factor", "backward_factor", "layer", "activation_std", "delta_norm", "gradient_rms")
        snapshot, study = self.snapshot, self.study
        if snapshot is None or study is None:
            return Table(columns, ())
        rows: list[tuple[object, ...]] = []
        for scheme in scheme_marks.ordered(study):
            values = zip(scheme.activation_stds, scheme.delta_norms, scheme.gradient_rms, strict=True)
            for layer, (spread, delta, rms) in zip(snapshot.architecture.layers, values, strict=False):
                own = scheme.initializer == study.current
                factors = (scheme.forward_factor, scheme.backward_factor)
                rows.append((scheme.initializer, own, *factors, layer.name, float(spread), float(delta), float(rms)))
        return Table(columns, tuple(rows))


def sentence(scheme: Scheme, depth: int) -> str:
    """What the factors of a scheme come to over all hidden layers."""
    if depth < 2:
        return "With a single hidden layer there is no factor from layer to layer."
    back = _comes_to("the gradient", "its way back", scheme.backward_factor, scheme.delta_norms, depth)
    forth = _comes_to("the spread", "its way forward", scheme.forward_factor, scheme.activation_stds, depth)
    return f"Over {depth} layers {back}, {forth}."


def _comes_to(what: str, way: str, factor: float, values: Floats, depth: int) -> str:
    if math.isfinite(factor) and factor > 0:
        return f"{what} gets × {scheme_marks.over_layers(factor, depth).replace(' ', TOGETHER)} on {way}"
    text = scheme_marks.factor_text(factor, values)
    if text in ("NaN", "∞"):
        return f"{what} is no longer finite"
    return f"{what} is exactly 0 in {'every hidden layer' if not values[:-1].any() else 'some layers'}"


def _named(study: InitialisationStudy, name: str) -> Scheme | None:
    return next((scheme for scheme in study.schemes if scheme.initializer == name), None)
