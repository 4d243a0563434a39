"""Faster hardware: how many steps per second this machine makes, what more of them would change, and what small floats lose.

Everything is measured here and now: the speeds when the button is pressed, the rest on the run of the window.
"""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from gradviz.lab_reports import SCALE_EXPONENTS, HardwareReport
from gradviz.snapshot import Snapshot
from gradviz.spec import FieldInfo

from ..controls.input import focus_by_tab
from ..controls.numbers import SliderInput
from ..numbers import short
from ..theme import Theme, font
from . import hardware_words as words
from .lab_blocks import Cards, Controls, Figure, Notice, Section, Title, Words
from .lab_page import Block, LabPanel
from .panel import Table
from .reading import when
from .segments import Segments
from .speed_bars import SpeedBars
from .time_plot import TimePlot
from .underflow_bars import UnderflowBars

LOSS = FieldInfo("", "", "Loss", "The loss whose time is asked for", "float", 0.1, 1e-9, 1e9, log=True)
REACH = (1e-3, 10.0)  # of the slider; anything else can be typed
SCALE = FieldInfo("", "", "Loss scale", "The loss, and so the gradient, is multiplied by this", "int", 0, 0, len(SCALE_EXPONENTS) - 1)
FORMATS = (("float16", "float16", "5 bits for the exponent: from 6×10⁻⁸ to 65,504"), ("float32", "float32", "8 bits for the exponent"))
MEASURE = "Measure"
BARE = (
    "Bare training steps of this net, with its gradient norms; the median of ten turns for each setting. "
    "The run in the window is slower: it is also recorded and drawn."
)


class HardwarePanel(LabPanel):
    """Draws a `HardwareReport`."""

    name = "hardware"
    title = "Hardware"

    measure_wanted = Signal()
    loss_wanted = Signal(object)  # the loss whose time is asked for; None for that at which a run has left guessing

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss: float | None = None  # what was asked for
        self._task: tuple[object, ...] = ()  # data and loss that it was asked for
        self._precision, self._exponent = "float16", 0
        self._title, self._notice = Title("Faster hardware"), Notice()
        self._measure = self._button(MEASURE, "Train fresh nets like this one for two seconds and count their steps")
        self._measure.clicked.connect(self._on_measure)
        self._speeds_title = Section("Steps per second", self._measure)
        self._speeds, self._compared, self._bare = SpeedBars(), Words(), Words(caption=True)
        self._bare.show_text(BARE)
        self._plateau_title = Section("Length of the plateau")
        self._cards, self._plateau = Cards(), Words()
        self._loss = SliderInput(LOSS, REACH)
        self._loss.describe(LOSS.title, LOSS.help)
        self._loss.edit.setFixedWidth(68)
        self._loss.wanted.connect(self._on_loss)
        self._left = self._button("Left guessing", "The loss at which a run counts as having left guessing")
        self._left.clicked.connect(lambda: self.choose_loss(None))
        self._time_title = Section("Time to a loss", self._left)
        label = QLabel("Loss")
        label.setFont(font(12))
        self._loss_row = Controls(label, self._loss, height=28, stretch=True)
        self._plot, self._time = TimePlot(), Words()
        self._format_title = Section("Too small for the format")
        self._format = Segments("Format", FORMATS)
        self._format.chosen.connect(self.choose_format)
        self._format_row = Controls(self._format, height=28, stretch=True)
        self._scale_row = self._make_scale()
        self._bars, self._lost, self._foot = UnderflowBars(), Words(), Words(caption=True)
        self._parts: tuple[Block, ...] = (
            *(self._speeds_title, self._speeds, self._compared, self._bare),
            *(self._plateau_title, self._cards, self._plateau),
            *(self._time_title, self._loss_row, self._plot, self._time),
            *(self._format_title, self._format_row, self._scale_row, self._bars, self._lost, self._foot),
        )
        self.add(self._title, self._notice, *self._parts)
        self.set_theme(self.theme)
        self.refresh()

    @staticmethod
    def _button(text: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setFont(font(12))
        button.setToolTip(hint)
        button.setAccessibleDescription(hint)
        focus_by_tab(button)
        return button

    def _make_scale(self) -> Controls:
        label = QLabel("Loss scale")
        label.setFont(font(12))
        self._scale = SliderInput(SCALE)
        self._scale.edit.hide()  # powers of two are shown beside it, not their number
        self._scale.slider.setPageStep(2)
        self._scale.describe(SCALE.title, SCALE.help)
        self._scale.setToolTip(SCALE.help)
        self._scale.wanted.connect(lambda at: self.choose_exponent(SCALE_EXPONENTS[int(at)]))
        self._scale_text = QLabel()
        self._scale_text.setFont(font(12, 500))
        self._scale_text.setFixedWidth(34)
        self._scale_text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._scale.row.addWidget(self._scale_text)
        return Controls(label, self._scale, height=28, stretch=True)

    @property
    def report(self) -> HardwareReport | None:
        return self.report_of(HardwareReport)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._format.set_theme(theme)
        self._loss.set_theme(theme)
        self._scale.set_theme(theme)

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        task = (snapshot.spec.data, snapshot.loss_name)
        if self._task and task != self._task and self.loss is not None:
            self.choose_loss(None)  # losses of another task are other numbers
        self._task = task
        super().show_snapshot(snapshot)

    def show_content(self) -> None:
        snapshot, report = self.snapshot, self.report
        ready = snapshot is not None and report is not None
        self._notice.used = not ready
        for block in self._parts:
            block.used = ready
        self._title.captions = (when(snapshot),) if snapshot is not None else ()
        if snapshot is None or report is None:
            self._notice.show_text("Not measured yet", "As soon as there is a network, its steps and its gradient are looked at here.")
            return
        self._show_speeds(report)
        self._show_plateau(report, snapshot)
        self._show_time(report, snapshot)
        self._show_underflow(report, snapshot)

    def _show_speeds(self, report: HardwareReport) -> None:
        measuring = report.measuring is not None
        self._measure.setText(f"Measuring {100 * (report.measuring or 0):.0f} %" if measuring else MEASURE)
        self._measure.setEnabled(not measuring)
        self._speeds_title.place_tool()
        self._speeds.show_speeds(report.speeds)
        self._compared.show_text(*words.compared(report))

    def _show_plateau(self, report: HardwareReport, snapshot: Snapshot) -> None:
        caption: tuple[str, ...]
        if report.plateau is not None:
            length, caption = f"{report.plateau:,}", ("steps, then left", "steps")
        elif report.steps:
            length, caption = f"> {report.steps:,}", ("steps, still on it", "still on it")
        else:
            length, caption = "–", ("no step yet",)
        guessing = report.guessing if report.guessing is not None else math.nan
        known = [value if math.isfinite(value) else None for value in (guessing, report.lowest)]
        texts = ["–" if value is None else short(value) for value in known]
        value = float(report.plateau if report.plateau is not None else report.steps or math.nan)
        self._cards.show_figures(
            Figure("Plateau", value, length, caption, False, "steps on the plateau"),
            Figure("Guessing", guessing, texts[0], ("its loss",), False, "loss of guessing"),
            Figure("Lowest", report.lowest, texts[1], ("loss so far", "so far"), False, "lowest loss so far, median of ten records"),
        )
        self._plateau.show_text(words.plateau(report, snapshot))

    def _show_time(self, report: HardwareReport, snapshot: Snapshot) -> None:
        if not self._loss.is_busy() and math.isfinite(report.loss):
            self._loss.show_value(report.loss)
        self._left.setEnabled(report.loss != report.left)
        self._plot.show_report(report)
        self._time.show_text(*words.time_to_loss(report, snapshot))

    def _show_underflow(self, report: HardwareReport, snapshot: Snapshot) -> None:
        self._format.show_value(self._precision)
        self._scale.show_value(SCALE_EXPONENTS.index(self._exponent))
        self._scale_text.setText(words.scale_text(self._exponent))
        self._format_title.captions = (f"{self._precision}, loss × {words.scale_text(self._exponent)}", self._precision)
        self._bars.show_underflow(report.names, report.known, report.rms, report.underflow(self._precision, self._exponent))
        self._lost.show_text(*words.underflow(report, self._precision, self._exponent))
        self._foot.show_text(*words.foot(report, snapshot))

    def spoken(self) -> str:
        snapshot, report = self.snapshot, self.report
        if snapshot is None or report is None:
            return f"{self._notice.title}. {self._notice.text}"
        return " ".join((*words.compared(report), words.plateau(report, snapshot), *words.time_to_loss(report, snapshot))).strip()

    # ---- what is asked for

    def choose_loss(self, loss: float | None) -> None:
        """Ask for the time to this loss; None for the one at which a run has left guessing."""
        self.loss = loss
        self.loss_wanted.emit(loss)

    @property
    def shown(self) -> tuple[str, int]:
        """The format whose losses are shown, and the exponent of the loss scale."""
        return self._precision, self._exponent

    def choose_format(self, precision: str) -> None:
        """Show what this format loses."""
        self._precision = precision
        self.refresh()

    def choose_exponent(self, exponent: int) -> None:
        """Show what is lost with the loss multiplied by 2^``exponent``."""
        self._exponent = exponent
        self.refresh()

    def _on_measure(self) -> None:
        self._measure.setText("Measuring …")
        self._measure.setEnabled(False)
        self._speeds_title.place_tool()
        self.measure_wanted.emit()

    def _on_loss(self, value: object) -> None:
        low, high = LOSS.minimum, LOSS.maximum
        if isinstance(value, (int, float)) and low is not None and high is not None and low <= value <= high:
            self.choose_loss(float(value))
        elif self.report is not None:  # no number, or none that a loss can be: what is in force stays
            self._loss.show_value(self.report.loss)

    # ---- numbers

    def table(self) -> Table:
        """Speeds, steps, times, then what each format and scale loses of each layer's gradient."""
        columns = ("quantity", "layer", "precision", "threads", "factor", "loss_scale_exponent", "value")
        report = self.report
        if report is None:
            return Table(columns, ())
        rows: list[tuple[object, ...]] = []
        for number, speed in enumerate(report.speeds):
            own = (None, speed.precision, speed.threads)
            rows.append(("steps_per_second", *own, None, None, speed.steps_per_second))
            if report.seconds is not None:
                kind = "seconds_to_loss" if report.steps_needed is not None else "seconds_so_far"
                rows += [
                    (kind, *own, float(f), None, float(s)) for f, s in zip(report.factors, report.seconds[number], strict=True)
                ]
        single = ("loss", report.loss), ("steps_to_loss", report.steps_needed), ("plateau_steps", report.plateau), ("steps", report.steps)
        rows += [(name, None, None, None, None, None, value) for name, value in single]
        for layer, owner in enumerate(report.names):
            rows.append(("gradient_rms", owner, None, None, None, None, float(report.rms[layer])))
            for found in report.underflows:
                own_layer = (owner, found.precision, None, None, found.exponent)
                for name, values in (
                    *(("share_zero", found.zero), ("share_subnormal", found.subnormal), ("share_infinite", found.infinite)),
                    ("gradient_rms_after", found.rms),
                ):
                    rows.append((name, *own_layer, float(values[layer])))
        return Table(columns, tuple(rows))
