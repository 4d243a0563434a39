"""What the layers do to directions: the singular values of each layer's Jacobian, of their product, and from input to output.

The same net with orthogonal first weights can be put in its place, in which lengths are kept as far as the activation lets them.
"""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot
from gradviz.spectra import JacobianReport, Spectrum

from ..theme import Theme
from . import jacobian_words as words
from .lab_blocks import Cards, Controls, Figure, Notice, Section, Title, Words
from .lab_page import Block, LabPanel
from .panel import Table
from .reading import when
from .segments import Segments
from .spectra_plot import SpectraPlot
from .spectrum_histogram import SpectrumHistogram

CHOICES = (
    ("own", "Own weights", "The weights of the run as they are now"),
    ("orthogonal", "Orthogonal", "The same net before any training, its first weights orthogonal, with its gain"),
)
LONGEST = (  # so that what stands below keeps its place while numbers change
    "From L10 → L100 all 100 singular values lie between 1.0×10⁻¹⁰ and 1.0×10⁻¹⁰: every direction shrinks, one 1.0×10¹⁰ times "
    "as much as another."
)
COLUMNS = ("weights", "step", "example", "quantity", "map", "number", "log10_singular_value", "state")


class JacobianPanel(LabPanel):
    """Draws a `JacobianReport`."""

    name = "jacobian"
    title = "Jacobian"

    orthogonal_wanted = Signal(bool)  # show the net with orthogonal first weights instead of its own, or its own again

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._notice = Title("Singular values"), Notice()
        self._weights = Segments("Weights", CHOICES)
        self._weights.chosen.connect(lambda value: self.orthogonal_wanted.emit(value == "orthogonal"))
        self._weights_row = Controls(self._weights, height=28, stretch=True)
        self._said, self._plot = Words(), SpectraPlot()
        self._said.reserve(LONGEST)
        self._product_title, self._cards = Section(""), Cards()
        self._histogram, self._compared, self._foot = SpectrumHistogram(), Words(), Words(caption=True)
        self._parts: tuple[Block, ...] = (
            *(self._said, self._plot, self._product_title, self._cards),
            *(self._histogram, self._compared, self._foot),
        )
        self.add(self._title, self._notice, self._weights_row, *self._parts)
        self.set_theme(self.theme)
        self.refresh()

    @property
    def report(self) -> JacobianReport | None:
        return self.report_of(JacobianReport)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._weights.set_theme(theme)

    # ---- what is shown

    def show_content(self) -> None:
        snapshot, report = self.snapshot, self.report
        ready = snapshot is not None and report is not None
        self._notice.used = not ready
        for block in (self._weights_row, *self._parts):
            block.used = ready
        if snapshot is None or report is None:
            self._title.captions = ()
            self._notice.show_text("Not measured yet", "As soon as there is a network, the Jacobians of its layers are taken apart here.")
            return
        self._title.captions = _captions(report, snapshot)
        self._weights_row.used = not report.recurrent  # whose recurrent weights begin orthogonal
        self._weights.show_value(report.weights)
        self._said.show_text(*words.directions_sentence(report))
        self._plot.show_maps(report.maps, report.recurrent)
        product = report.chain > 0
        self._product_title.used = self._cards.used = self._histogram.used = product
        self._product_title.text = f"{words.name(report)}, end to end"
        self._product_title.captions = (f"{report.hidden.count:,} singular values",) if report.hidden.finite else ()
        self._cards.show_figures(*_figures(report.hidden))
        self._histogram.show_spectra(report.hidden, report.whole, report.recurrent)
        self._compared.show_text(words.squares_sentence(report), words.through_sentence(report))
        batch_norm = any(layer.batch_norm for layer in snapshot.architecture.layers)
        self._foot.show_text(words.foot(report, batch_norm, snapshot.batch, snapshot.architecture.kind == "lstm"))

    def spoken(self) -> str:
        report = self.report
        if report is None:
            return f"{self._notice.title}. {self._notice.text}"
        parts = (*words.directions_sentence(report), words.squares_sentence(report), words.through_sentence(report))
        return " ".join(part for part in parts if part)

    # ---- numbers

    def table(self) -> Table:
        """Every singular value that is told, with how many are 0 or lost, of each map, each product and from input to output."""
        report = self.report
        if report is None:
            return Table(COLUMNS, ())
        rows: list[tuple[object, ...]] = []
        own = (report.weights, report.step, report.example_number)
        for one in report.maps:
            rows += [(*own, "map", one.name, *row) for row in _rows(one.own)]
            if one.onward is not None:
                rows += [(*own, "from_the_last_hidden_layer", one.name, *row) for row in _rows(one.onward)]
        rows += [(*own, "input_to_output", None, *row) for row in _rows(report.whole)]
        squares = (("mean_square", report.hidden.log10_mean_square), ("product_of_mean_squares", report.log10_product))
        rows += [(*own, name, words.name(report), None, value, "log10") for name, value in squares]
        return Table(COLUMNS, tuple(rows))


def _captions(report: JacobianReport, snapshot: Snapshot) -> tuple[str, ...]:
    if report.weights == "orthogonal":
        return (f"step 0, seed {snapshot.spec.training.seed}", "step 0")
    return (when(snapshot),)


def _figures(found: Spectrum) -> tuple[Figure, ...]:
    known = found.finite and len(found.log10) > 0
    high = float(found.log10[0]) if known else math.nan
    low = -math.inf if found.zeros and found.finite else float(found.log10[-1]) if known else math.nan
    largest = words.size_text(high) if known else "NaN" if not found.finite else "0" if found.zeros else "–"
    left_out = (f"{found.lost:,} lost in rounding", f"{found.lost:,} lost") if found.lost else ("",)
    if found.zeros:
        left_out = (f"{found.zeros:,} of {found.count:,} exactly 0", f"{found.zeros:,} are 0")
    ratio = "smallest is 0" if found.zeros and found.finite else ""
    return (
        Figure("Largest", words.size(high), largest, ("",), False, "largest singular value"),
        Figure("Smallest", words.size(low), words.smallest_text(found), left_out, False, "smallest singular value"),
        Figure("Condition", words.size(found.log10_condition), words.condition_text(found), (ratio, ""), False, "largest by smallest"),
    )


def _rows(found: Spectrum) -> list[tuple[object, ...]]:
    """(number, log10, state) of each singular value, counted from 1; the log10 of 0 is −∞, of a lost one it is not known."""
    if not found.finite:
        return [(None, math.nan, "not_finite")]
    told: list[tuple[object, ...]] = [(number, float(value), "told") for number, value in enumerate(found.log10, 1)]
    lost = [(len(told) + number, None, "lost_in_rounding") for number in range(1, found.lost + 1)]
    first = len(told) + len(lost)
    return [*told, *lost, *((first + number, -math.inf, "zero") for number in range(1, found.zeros + 1))]
