"""A net of identity activations, multiplied out: all its layers are one matrix and one bias, and that is shown to the last digit."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QPushButton, QWidget

from gradviz.lab_reports import LinearMap
from gradviz.snapshot import Snapshot

from ..controls.input import focus_by_tab
from ..formula import Piece, Row, Symbol, paint_fitted, subscripted
from ..numbers import short
from .chain_cards import paint_card
from .lab_blocks import Cards, Controls, Figure, Notice, Section, Title, Words
from .lab_page import SIDE, Block, LabPanel
from .matrix import Matrix
from .panel import Table
from .reading import when

ROUNDING = {"float64": (1e-9, "64 bits a number has about 16"), "float32": (1e-3, "32 bits a number has about 7")}
WHY = (
    "Where f(x) = x, f′ is 1 and no activation shrinks the gradient. "
    "The price: however deep the net, it is one linear map. That map is shown here."
)
IN_TIME = (
    "This view multiplies the layers of a feed-forward net out. With the identity a recurrent net is linear too, and simpler still: "
    "in every time step the state is multiplied by the same matrix, so that its spectral radius decides what becomes of the gradient."
)


class Product(Block):
    """The formula: a chain of matrices that is one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self._layers, self._chain = 1, True

    def show_product(self, layers: int, chain: bool) -> None:
        """Of so many layers; ``chain`` says whether nothing but their matrices is multiplied."""
        self._layers, self._chain = layers, chain
        self.setAccessibleName(f"z = x W + b{f', W the product of {layers} matrices' if chain and layers > 1 else ''}")
        self.update()

    def height_at(self, width: float) -> float:
        return (74.0 if self._second else 46.0) + 8.0

    @property
    def _second(self) -> bool:
        return self._chain and self._layers > 1

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        card = area.adjusted(SIDE, 0, -SIDE, -8)
        paint_card(painter, card, self.theme)
        ink, size = self.theme.ink1, 17
        first = Row([Symbol(text, size, ink) for text in ("z", "=", "x", "W", "+", "b")], 5.0)
        paint_fitted(painter, first, QRectF(card.left() + 12, card.top() + 9, card.width() - 24, 28))
        if self._second:
            pieces: list[Piece] = [Symbol("W", size, ink), Symbol("=", size, ink)]
            shown = range(1, self._layers + 1) if self._layers <= 4 else (1, 2, 0, self._layers)
            for number in shown:
                pieces.append(subscripted("W", str(number), size, ink) if number else Symbol("…", size, ink))
            paint_fitted(painter, Row(pieces, 6.0), QRectF(card.left() + 12, card.top() + 36, card.width() - 24, 28))


class LinearMapPanel(LabPanel):
    """Draws a `LinearMap`."""

    name = "linear"
    title = "Identity"

    identity_wanted = Signal()  # every activation is to be the identity

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._notice = Title("One linear map"), Notice()
        self._switch = QPushButton("Make every activation the identity")
        self._switch.setToolTip("The same net with f(x) = x in every layer")
        self._switch.setAccessibleDescription("The same net with f(x) = x in every layer")
        focus_by_tab(self._switch)
        self._switch.clicked.connect(lambda: self.identity_wanted.emit())
        self._switch_row, self._why = Controls(self._switch, stretch=True), Words()
        self._said, self._product = Words(), Product()
        self._heading, self._matrix, self._read = Section("The product"), Matrix(), Words(caption=True)
        self._cards, self._same, self._price = Cards(), Words(), Words()
        self._parts: tuple[Block, ...] = (
            self._said,
            self._product,
            self._heading,
            self._matrix,
            self._read,
            self._cards,
            self._same,
            self._price,
        )
        self.add(self._title, self._notice, self._switch_row, self._why, *self._parts)
        self.refresh()

    @property
    def report(self) -> LinearMap | None:
        return self.report_of(LinearMap)

    # ---- what is shown

    def show_content(self) -> None:
        snapshot, report = self.snapshot, self.report
        linear = report is not None and not report.reason and report.matrix.size > 0
        for block in self._parts:
            block.used = linear
        self._notice.used = not linear
        self._switch_row.used = report is not None and not linear
        self._why.show_text(WHY if self._switch_row.used else "")
        self._title.captions = (when(snapshot),) if snapshot is not None else ()
        if snapshot is not None and snapshot.architecture.recurrent:
            self._notice.show_text("Layers only, no time steps", IN_TIME)
        elif snapshot is None or report is None:
            self._notice.show_text("Nothing measured yet", "As soon as there is a network, its layers are multiplied out here.")
        elif not linear:
            self._notice.show_text("This net is not linear", report.reason)
        else:
            self._show_map(snapshot, report)

    def _show_map(self, snapshot: Snapshot, report: LinearMap) -> None:
        architecture = snapshot.architecture
        rows, columns = report.matrix.shape
        normed = any(layer.batch_norm for layer in architecture.layers)
        extras = " and ".join(word for word, used in (("skips", bool(architecture.skips)), ("batch norm", normed)) if used)
        also = f" Its {extras} {'is' if extras == 'batch norm' else 'are'} linear too, and multiplied in." if extras else ""
        layers = f"{report.layers} layers are" if report.layers > 1 else "1 layer is"
        self._said.show_text(f"Every activation is the identity, so this net’s {layers} one matrix W and one bias b.{also}")
        self._product.show_product(report.layers, chain=not extras)
        self._heading.captions = (f"W, {rows} input{_s(rows)} × {columns} output{_s(columns)}, and b", f"W, {rows} × {columns}, and b")
        self._matrix.show_map(
            report.matrix, report.bias, _names(architecture.input_names, rows, "x"), _names(architecture.output_names, columns, "z")
        )
        self._read.show_text(self._matrix.caption_at(float(self.width())))
        self._cards.show_figures(
            Figure(
                "Largest difference", report.largest_difference, short(report.largest_difference), ("between net and map", "net and map")
            ),
            Figure("Largest output", report.largest_output, short(report.largest_output), ("of the net",)),
        )
        self._same.show_text(agreement(report, snapshot))
        straight = " The border between two answers is straight." if "cross_entropy" in snapshot.loss_name else ""
        self._price.show_text(
            f"So {report.layers} layers can say no more than one: every output is a weighted sum of the inputs.{straight}"
            if report.layers > 1
            else ""
        )

    def spoken(self) -> str:
        report, snapshot = self.report, self.snapshot
        if report is None or snapshot is None or report.reason or not report.matrix.size:
            return f"{self._notice.title}. {self._notice.text}"
        return f"{self._said.paragraphs[0]} {agreement(report, snapshot)}"

    # ---- numbers

    def table(self) -> Table:
        """One row per input, and the bias; the last rows say how well net and map agree."""
        snapshot, report = self.snapshot, self.report
        if snapshot is None or report is None or report.reason or not report.matrix.size:
            return Table(("input",), ())
        inputs, outputs = report.matrix.shape
        columns = ("input", *_names(snapshot.architecture.output_names, outputs, "z"))
        names = _names(snapshot.architecture.input_names, inputs, "x")
        rows: list[tuple[object, ...]] = [(name, *map(float, row)) for name, row in zip(names, report.matrix, strict=True)]
        rows.append(("bias", *map(float, report.bias)))
        rows.append(("largest difference", report.largest_difference, *[None] * (outputs - 1)))
        rows.append(("largest output", report.largest_output, *[None] * (outputs - 1)))
        return Table(columns, tuple(rows))


def agreement(report: LinearMap, snapshot: Snapshot) -> str:
    """How far apart the net and the map are, over the whole data set."""
    difference, largest = report.largest_difference, report.largest_output
    data = f"the whole data set ({snapshot.data_summary})" if snapshot.data_summary else "the whole data set"
    if not math.isfinite(difference):
        return f"Over {data} the outputs are no longer finite, so net and map cannot be compared."
    if difference == 0:
        return f"Over {data} net and map give exactly the same numbers."
    text = f"Over {data} net and map differ by at most {short(difference)}."
    limit, digits = ROUNDING[snapshot.spec.training.precision]
    if largest > 0 and difference / largest < limit:
        text += f" That is rounding: at {digits} digits, and the outputs reach {short(largest)}."
    return text


def _names(names: tuple[str, ...], count: int, letter: str) -> tuple[str, ...]:
    return names if len(names) == count else tuple(f"{letter}{number}" for number in range(1, count + 1))


def _s(count: int) -> str:
    return "" if count == 1 else "s"
