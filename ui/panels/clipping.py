"""What clipping does to the gradient: its length before and after, both as arrows, and how often it happened.

The rule and the threshold can be tried right here; what the panel shows is always what the engine did.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget

from gradviz.lab_reports import ClippingReport
from gradviz.selected import WeightInspection
from gradviz.snapshot import Snapshot
from gradviz.spec import field_info

from ..controls.input import focus_by_tab
from ..controls.numbers import SliderInput
from ..icons import icon
from ..numbers import short
from ..theme import Theme, font
from . import clipping_words as words
from .clipping_plane import ClippingPlane
from .lab_blocks import Cards, Controls, Figure, Gap, Notice, Section, Title, Words
from .lab_names import entry_name, exists, parameter_name
from .lab_page import LabPanel
from .norm_plot import NormPlot
from .panel import Table
from .reading import when
from .segments import Segments

THRESHOLD = field_info("training.clip_threshold")
REACH = (1e-3, 1e3)  # of the slider; anything the spec allows can be typed
OFFERED = 6  # largest components in the menu
LARGEST = "Two largest"
Pair = tuple[str, str]


class ClippingPanel(LabPanel):
    """Draws a `ClippingReport`."""

    name = "clipping"
    title = "Clipping"

    pair_wanted = Signal(object)  # two parameters' names, or None for the two largest components
    clip_wanted = Signal(str)
    threshold_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pair: Pair | None = None  # what was asked for
        self._title = Title("Gradient clipping")
        self._rule = Segments("Clip gradient", words.RULES)
        self._rule.chosen.connect(self.clip_wanted)
        self._threshold = SliderInput(THRESHOLD, REACH)
        self._threshold.describe(THRESHOLD.title, THRESHOLD.help)
        self._threshold.edit.setFixedWidth(64)
        self._threshold.wanted.connect(self._on_threshold)
        label = QLabel("Threshold")
        label.setFont(font(12))
        self._controls = (Controls(self._rule, height=28, stretch=True), Controls(label, self._threshold, height=28, stretch=True))
        self._cards, self._said = Cards(), Words()
        self._axes = QPushButton(LARGEST)
        self._axes.setFont(font(12))
        self._axes.setToolTip("Choose the two components whose plane is drawn")
        self._axes.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron at the right
        self._axes.setStyleSheet("QPushButton::menu-indicator { image: none; width: 0; }")
        focus_by_tab(self._axes)
        self._axes_menu = QMenu(self._axes)
        self._axes_menu.aboutToShow.connect(self.fill_menu)
        self._axes.setMenu(self._axes_menu)
        self._plane_title = Section("Two components", self._axes)
        self._plane, self._plane_note = ClippingPlane(), Words(caption=True)
        self._run_title, self._run = Section("‖g‖ over the run"), NormPlot()
        self._often = Words(caption=True)
        self._notice = Notice()
        self._measured = (
            self._cards,
            self._said,
            self._plane_title,
            self._plane,
            self._plane_note,
            self._run_title,
            self._run,
            self._often,
        )
        self.add(self._title, *self._controls, Gap(4), self._notice, *self._measured)
        self.set_theme(self.theme)
        self.refresh()

    @property
    def report(self) -> ClippingReport | None:
        return self.report_of(ClippingReport)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._rule.set_theme(theme)
        self._threshold.set_theme(theme)
        self._axes.setIcon(icon("chevron", theme))

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        if self.pair is not None and not all(exists(name, snapshot.architecture) for name in self.pair):
            self.choose_pair(None)  # another network: what was asked for is gone
        super().show_snapshot(snapshot)

    def show_content(self) -> None:
        snapshot, report = self.snapshot, self.report
        ready = snapshot is not None and report is not None and words.known(report, snapshot)
        self._notice.used = not ready
        for block in self._measured:
            block.used = ready
        for control in self._controls:
            control.used = snapshot is not None
        if snapshot is not None:
            training = snapshot.spec.training
            self._rule.show_value(training.clip)
            if not self._threshold.is_busy():
                self._threshold.show_value(training.clip_threshold)
            self._title.captions = (when(snapshot),)
        else:
            self._title.captions = ()
        if ready:
            assert snapshot is not None
            assert report is not None
            self._show_report(snapshot, report)
        else:
            self._notice.show_text(*words.nothing_yet(snapshot))

    def _show_report(self, snapshot: Snapshot, report: ClippingReport) -> None:
        cut = words.clipped(report)
        turned = words.turned(report, snapshot)
        left = ("left as it was", "as it was", "as before")
        factor = (
            report.norm_after / report.norm_before if cut and math.isfinite(report.norm_before) and report.norm_before > 0 else math.nan
        )
        degrees = words.degrees(report)
        figures = [
            Figure(
                "‖g‖ before", report.norm_before, short(report.norm_before), ("all components", "in all", ""), True, "‖g‖ before clipping"
            )
        ]
        if report.rule != "none":
            after = (f"× {short(factor)}",) if math.isfinite(factor) else left if not cut else ()
            way = ("direction turns", "it turns") if turned else ("direction stays", "it stays")
            figures.append(Figure("‖g‖ after", report.norm_after, short(report.norm_after), after, True, "‖g‖ after clipping"))
            text = words.degrees_text(report, snapshot)
            caption = way if math.isfinite(degrees) else ("no direction", "none")
            figures.append(Figure("Angle", report.cosine, text, caption, False, "cosine of the angle between the two whole gradients"))
        else:
            figures.append(
                Figure("Threshold", report.threshold, short(report.threshold), ("not in force",), False, "threshold, not in force")
            )
        self._cards.show_figures(*figures)
        self._said.show_text(words.happened(report, snapshot))
        self._plane.show_report(report, snapshot)
        self._plane_note.show_text(words.in_the_plane(report, snapshot))
        self._axes.setText(LARGEST if not self._chosen(report) else "Chosen")
        self._plane_title.place_tool()
        self._run.show_report(report)
        often = words.how_often(report)
        self._often.show_text(often[0].upper() + often[1:] + ".")

    def _chosen(self, report: ClippingReport) -> bool:
        """Whether the plane is the one that was asked for; a network without these parameters has another."""
        return self.pair is not None and report.names == self.pair

    def spoken(self) -> str:
        snapshot, report = self.snapshot, self.report
        if snapshot is None or report is None or not words.known(report, snapshot):
            return ". ".join(words.nothing_yet(snapshot))
        return f"{words.happened(report, snapshot)} {words.how_often(report)}."

    # ---- the plane

    def fill_menu(self) -> None:
        """Offer the components that are largest now, and the selected weight, for both axes."""
        menu, snapshot, report = self._axes_menu, self.snapshot, self.report
        menu.clear()
        if snapshot is None or report is None:
            return
        largest = menu.addAction("The two largest components")
        largest.setCheckable(True)
        largest.setChecked(not self._chosen(report))
        largest.triggered.connect(lambda: self.choose_pair(None))
        menu.addSeparator()
        offered = self.offered(snapshot, report)
        for axis, title in enumerate(("Across", "Up")):
            part = menu.addMenu(f"{title}: {parameter_name(report.names[axis], snapshot.architecture)}")
            for name, text in offered:
                action = part.addAction(text)
                action.setCheckable(True)
                action.setChecked(name == report.names[axis])
                action.setEnabled(name != report.names[1 - axis])
                pair = (name, report.names[1]) if axis == 0 else (report.names[0], name)
                action.triggered.connect(functools.partial(self.choose_pair, pair))

    def choose_pair(self, pair: Pair | None, _: bool = False) -> None:
        """Ask for the plane of these two parameters."""
        self.pair = pair
        self.pair_wanted.emit(pair)

    @staticmethod
    def offered(snapshot: Snapshot, report: ClippingReport) -> list[tuple[str, str]]:
        """(name, words) of the parameters that a menu offers: those drawn, the largest ones, the selected weight."""
        found = list(report.names)
        if snapshot.details is not None:
            sizes = np.abs(snapshot.details.edge_gradients)
            sizes = np.where(np.isfinite(sizes), sizes, 0.0)
            for layer, info in enumerate(snapshot.architecture.layers, 1):
                if info.pooled:
                    sizes[snapshot.architecture.edge_slice(layer)] = 0.0  # a block is no single component
            for index in np.argsort(-sizes, kind="stable")[:OFFERED].tolist():
                if sizes[index] > 0:
                    found += _edge_name(snapshot, index)
        texts = {name: parameter_name(name, snapshot.architecture) for name in dict.fromkeys(found)}
        picked = snapshot.picked
        if isinstance(picked, WeightInspection):
            name = entry_name(picked, snapshot.architecture)
            texts[name] = f"{parameter_name(name, snapshot.architecture)} (selected)"
        return list(texts.items())

    def _on_threshold(self, value: object) -> None:
        low, high = THRESHOLD.minimum, THRESHOLD.maximum
        if isinstance(value, (int, float)) and low is not None and high is not None and low <= value <= high:
            self.threshold_wanted.emit(float(value))
        elif self.snapshot is not None:  # no number, or none that is allowed: what is in force stays
            self._threshold.show_value(self.snapshot.spec.training.clip_threshold)

    # ---- numbers

    def table(self) -> Table:
        """What was measured in this step, then ‖g‖ step by step."""
        columns = ("quantity", "step", "before", "after")
        snapshot, report = self.snapshot, self.report
        if snapshot is None or report is None or not words.known(report, snapshot):
            return Table(columns, ())
        at = snapshot.step
        rows: list[tuple[object, ...]] = [
            ("norm", at, report.norm_before, report.norm_after),
            ("cosine", at, None, report.cosine),
            ("rule", at, None, report.rule),
            ("threshold", at, None, report.threshold),
            ("clipped_steps", at, None, report.clipped_steps),
            ("steps", at, None, report.steps),
        ]
        rows += [(name, at, a, b) for name, a, b in zip(report.names, report.before, report.after, strict=True)]
        rows += [("norm", int(step), float(a), float(b)) for step, (a, b) in zip(report.norm_steps, report.norms, strict=True)]
        return Table(columns, tuple(rows))


def _edge_name(snapshot: Snapshot, index: int) -> tuple[str, ...]:
    """The name of the weight at this place of `Details.edge_gradients`; none where an LSTM has one of each gate there."""
    architecture = snapshot.architecture
    for layer, info in enumerate(architecture.layers, 1):
        part = architecture.edge_slice(layer)
        if part.start <= index < part.stop:
            row, column = divmod(index - part.start, info.edge_columns)
            if not architecture.recurrent:
                return (f"layer{layer:02d}.weight[{row},{column}]",)
            name = "out.weight" if layer == len(architecture.layers) else "cell.input_weight" if layer == 1 else "cell.recurrent_weight"
            return (f"{name}[{row},{column}]",) if name == "out.weight" or len(architecture.gates) == 1 else ()
    raise IndexError(f"there is no edge {index}")
