"""The population of the genetic algorithm: all its individuals by their loss, who becomes a parent, and how large the mutations are."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from gradviz.lab_reports import PopulationReport
from gradviz.snapshot import Snapshot

from ..controls.input import focus_by_tab
from ..numbers import short
from .lab_blocks import Cards, Controls, Figure, Notice, Title, Words
from .lab_page import Block, LabPanel
from .panel import Table
from .plots import percent
from .population_plot import PopulationPlot

KEY = "A dot is a net, above its loss. Strong: a parent of the next generation. Hollow: of the elite, unchanged from the last one."
FIFTH = 0.2
NO_GRADIENT = (
    "Selection only asks which net is better. So the activation may be a step, whose slope is 0 everywhere, "
    "and through which back-propagation gets exactly nothing."
)


class PopulationPanel(LabPanel):
    """Draws a `PopulationReport`."""

    name = "population"
    title = "Population"

    evolution_wanted = Signal()  # the weights are to be found by the genetic algorithm

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._notice = Title("Population"), Notice()
        self._switch = QPushButton("Train by evolution")
        hint = "The same first net, with a population drawn around it"
        self._switch.setToolTip(hint)
        self._switch.setAccessibleDescription(hint)
        focus_by_tab(self._switch)
        self._switch.clicked.connect(lambda: self.evolution_wanted.emit())
        self._switch_row = Controls(self._switch, stretch=True)
        self._plot, self._key = PopulationPlot(), Words(caption=True)
        self._key.show_text(KEY)
        self._cards, self._said, self._why = Cards(), Words(), Words(caption=True)
        self._why.show_text(NO_GRADIENT)
        self._parts: tuple[Block, ...] = (self._plot, self._key, self._cards, self._said, self._why)
        self.add(self._title, self._notice, self._switch_row, *self._parts)
        self.refresh()

    @property
    def report(self) -> PopulationReport | None:
        return self.report_of(PopulationReport)

    def show_content(self) -> None:
        snapshot, report = self.snapshot, self.report
        for block in self._parts:
            block.used = report is not None
        self._notice.used = report is None
        evolves = snapshot is not None and snapshot.spec.training.method == "evolution"
        self._switch_row.used = snapshot is not None and not evolves
        self._title.captions = (generation(snapshot),) if snapshot is not None and evolves else ()
        if report is None or snapshot is None:
            if evolves or snapshot is None:
                what = "Press Play, or make a step, which is a generation. Then every individual is shown above its loss."
                self._notice.show_text("Nothing evaluated yet", what)
            else:
                self._notice.show_text("There is no population", "This net is trained by its gradients. " + NO_GRADIENT)
            return
        self._plot.show_report(report, snapshot.guessing_loss)
        self._cards.show_figures(*figures(report))
        self._said.show_text(*said(report))

    def spoken(self) -> str:
        report = self.report
        return f"{self._notice.title}. {self._notice.text}" if report is None else " ".join(said(report))

    def table(self) -> Table:
        """Every individual."""
        columns, report = ("individual", "loss", "elite", "best", "children"), self.report
        if report is None:
            return Table(columns, ())
        children = [None] * len(report.losses) if report.children is None else report.children.tolist()
        rows = zip(report.losses.tolist(), children, strict=True)
        return Table(columns, tuple((n + 1, loss, n < report.elite, n == report.best, count) for n, (loss, count) in enumerate(rows)))


def generation(snapshot: Snapshot) -> str:
    """Which one is shown."""
    moment = snapshot.moment
    return f"generation {moment.step if moment is not None else snapshot.step:,}"


def figures(report: PopulationReport) -> tuple[Figure, ...]:
    """The numbers that steer the search."""
    finite = report.losses[np.isfinite(report.losses)]
    median = float(np.median(finite)) if len(finite) else math.nan
    success = report.success
    if math.isnan(success):
        turn, share = ("at first",), "–"
    else:
        turn = ("it grows",) if success > FIFTH else ("it shrinks",) if success < FIFTH else ("it stays",)
        share = percent(success)
    return (
        Figure("Median loss", median, short(median), ("of all nets", "")),
        Figure("Mutation σ", report.sigma, short(report.sigma), turn, hint="σ of the next mutations"),
        Figure("Succeeded", success, share, ("of the mutations", "of them", ""), hint="share of the mutations that made nothing worse"),
    )


def said(report: PopulationReport) -> tuple[str, ...]:
    """Where the best comes from, and who becomes a parent."""
    best, (first, second) = short(float(report.losses[report.best])), report.best_parents
    if not report.elite and math.isnan(first):
        origin = "it was drawn around the first net"
    elif math.isnan(first):
        origin = "it passed on unchanged from the last generation"
    elif first == second:
        origin = f"a mutation of a net with {short(first)}"
    else:
        origin = f"a child of two nets with {short(first)} and {short(second)}"
    texts = [f"The best has a loss of {best}: {origin}."]
    if report.children is not None:
        parents, size = int((report.children > 0).sum()), len(report.losses)
        most = int(report.children.max())
        texts.append(f"{parents:,} of {size:,} become parents; the one with the most has a part in {most:,} children.")
    return tuple(texts)
