"""A history compressor of two levels that reads a sequence with a long lag: the upper level gets only what the lower did not foresee.

It is a demonstration beside the network. The panel says how far the sequence shall be read; what it shows is what the engine read.
"""

from __future__ import annotations

import functools

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from gradviz.lab_reports import CompressorReport
from gradviz.snapshot import Snapshot

from ..controls.input import focus_by_tab
from ..icons import icon
from ..theme import Theme, font
from . import compressor_words as words
from .compressor_plot import SharePlot
from .compressor_ribbons import RibbonKey, Ribbons
from .lab_blocks import Cards, Controls, Figure, Gap, Notice, Section, Title, Words
from .lab_page import Block, LabPanel
from .panel import Table
from .segments import Segments

TICK = 100  # milliseconds between two readings while it plays
TICKS_PER_BLOCK = 12  # a block takes a good second, however long it is
MANY = 10  # blocks of the largest step
READ_ON = "Read on"  # Play is what the network does


class CompressorPanel(LabPanel):
    """Draws a `CompressorReport`."""

    name = "compressor"
    title = "Levels"

    reading_wanted = Signal(int, int)  # lag of the sequence, how many symbols of it shall have been read

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked: tuple[int, int] | None = None  # lag and symbols read that were asked for and have not come yet
        self._clock = QTimer(self, interval=TICK)
        self._clock.timeout.connect(self._on_tick)
        self._title = Title("Levels in time")
        self._title.captions = ("a demonstration, not this network", "not this network")
        self._task, self._notice = Words(), Notice()
        self._lag = Segments("Lag", tuple((str(lag), str(lag), f"{lag} symbols from cue to answer; starts again") for lag in words.LAGS))
        self._lag.chosen.connect(lambda lag: self._ask(int(lag), 0))
        label = QLabel("Lag")
        label.setFont(font(12))
        self.play = self._button(READ_ON, "Read about one block a second")
        self.play.clicked.connect(self._on_play)
        self.again = self._button("Start again", "Forget everything and begin with the first symbol")
        self.again.clicked.connect(self._on_again)
        self.steps = (
            self._button("1 symbol", "Read the next symbol"),
            self._button("1 block", "Read on to the end of a block"),
            self._button(f"{MANY} blocks", f"Read on to the end of a block, {MANY} blocks further"),
        )
        for button, blocks in zip(self.steps, (0, 1, MANY), strict=True):
            button.clicked.connect(functools.partial(self._on_step, blocks))
        self._controls = (
            Controls(label, self._lag, height=28, stretch=True),
            Controls(self.play, self.again, height=28),
            Controls(*self.steps, height=28),
        )
        self._cards, self._ribbons, self._key = Cards(), Ribbons(), RibbonKey()
        self._came, self._said, self._plot = Words(), Words(), SharePlot()
        self._why, self._honest = Words(), Words(caption=True)
        self._read: tuple[Block, ...] = (
            self._cards,
            Section("The two sequences"),
            self._ribbons,
            self._key,
            self._came,
            self._said,
            Section("Passed on, of each block"),
            self._plot,
            Section("Why this helps a gradient"),
            self._why,
            self._honest,
        )
        self.add(self._title, self._task, Gap(4), *self._controls, self._notice, *self._read)
        self.set_theme(self.theme)
        self.refresh()

    @staticmethod
    def _button(text: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setFont(font(12))
        button.setStyleSheet("QPushButton { padding: 0 8px; min-height: 0; }")  # three of them fit into the narrowest dock
        button.setToolTip(hint)
        button.setAccessibleDescription(hint)
        focus_by_tab(button)
        return button

    @property
    def report(self) -> CompressorReport | None:
        return self.report_of(CompressorReport)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._lag.set_theme(theme)
        self._show_playing()

    # ---- what is shown

    def show_snapshot(self, snapshot: Snapshot) -> None:
        lab, before = snapshot.lab, self.report
        if isinstance(lab, CompressorReport):
            if self._asked is not None and (lab.lag, lab.read) == (self._asked[0], min(self._asked[1], lab.longest)):
                self._asked = None
            if lab.read >= lab.longest:
                self._set_playing(False)
        super().show_snapshot(snapshot)
        if self.report is not None and (before is None or (before.lag, before.read) != (self.report.lag, self.report.read)):
            self.refresh()  # what was asked for here is shown at once, also while the network trains

    def show_content(self) -> None:
        report = self.report
        ready = report is not None and report.read > 0
        self._notice.used = not ready
        for block in self._read:
            block.used = ready
        for control in self._controls:
            control.used = report is not None
        self._task.show_text(words.task(report) if report is not None else "")
        if report is None:
            self._notice.show_text("Nothing read yet", "In a moment a sequence can be read here, symbol by symbol.")
            return
        self._lag.show_value(str(report.lag) if report.lag in words.LAGS else str(words.LAGS[0]))
        ended = report.read >= report.longest
        for button in (self.play, *self.steps):
            button.setEnabled(not ended)
        self.again.setEnabled(report.read > 0)
        if not ready:
            self._notice.show_text("Nothing read yet", f"Press {READ_ON}, or read a symbol or a block. Neither level knows anything yet.")
            return
        self._show_figures(report)
        self._ribbons.show_report(report)
        self._came.reserve(words.longest_latest(report))  # at each symbol another length: what stands below keeps its place
        self._came.show_text(words.latest(report))
        self._said.reserve(words.longest_expected(report))
        self._said.show_text(words.expected(report))
        self._plot.show_report(report)
        self._why.show_text(words.distances(report), words.answers(report))
        self._honest.show_text(words.not_here(report))

    def _show_figures(self, report: CompressorReport) -> None:
        whole = words.ratio(report.read, report.upper_length)
        passed = words.passed_in_last(report)
        last = words.ratio(report.lag + 2, passed) if len(report.shares) else float("nan")
        self._cards.show_figures(
            Figure(
                "Passed on",
                report.upper_length,
                f"{report.upper_length:,}",
                (f"of {report.read:,} symbols", f"of {report.read:,}"),
                hint="symbols passed on to the upper level",
            ),
            Figure("Shorter", whole, words.times(whole), ("in all",), hint="times the upper sequence is shorter, in all"),
            Figure(
                "Last block",
                last,
                words.times(last) if len(report.shares) else "–",
                (f"{report.lag + 2} → {passed} symbols", f"{report.lag + 2} → {passed}") if len(report.shares) else ("none yet",),
                hint="times shorter, of the last whole block",
            ),
        )

    def spoken(self) -> str:
        report = self.report
        return f"{self._notice.title}. {self._notice.text}" if report is None else words.spoken(report)

    # ---- reading on

    @property
    def playing(self) -> bool:
        """Whether the panel goes on reading by itself."""
        return self._clock.isActive()

    def _set_playing(self, playing: bool) -> None:
        if playing and not self.playing:
            self._clock.start()
        elif not playing:
            self._clock.stop()
        self._show_playing()

    def _show_playing(self) -> None:
        self.play.setText("Pause" if self.playing else READ_ON)
        self.play.setIcon(icon("pause" if self.playing else "play", self.theme))
        self.play.setIconSize(QSize(16, 16))
        self.again.setIcon(icon("reset", self.theme))

    def hideEvent(self, event: QHideEvent) -> None:
        self._set_playing(False)  # nobody looks, and the engine no longer measures it
        super().hideEvent(event)

    def _on_play(self) -> None:
        self._set_playing(not self.playing)
        if self.playing:
            self._on_tick()

    def _on_tick(self) -> None:
        report = self.report
        if report is not None and self._asked is None:
            self._ask(report.lag, report.read + max(1, (report.lag + 2) // TICKS_PER_BLOCK))

    def _on_step(self, blocks: int, _: bool = False) -> None:
        report = self.report
        if report is None:
            return
        self._set_playing(False)
        lag, read = self._asked or (report.lag, report.read)  # several clicks may come before the first answer
        size = lag + 2
        self._ask(lag, (read // size + blocks) * size if blocks else read + 1)

    def _on_again(self) -> None:
        report = self.report
        if report is not None:
            self._set_playing(False)
            self._ask(report.lag, 0)

    def _ask(self, lag: int, read: int) -> None:
        report = self.report
        self._asked = (lag, read) if report is None or (report.lag, report.read) != (lag, min(read, report.longest)) else None
        self.reading_wanted.emit(lag, read)

    # ---- numbers

    def table(self) -> Table:
        """The numbers of the cards, the share of each block, and the latest symbols with what was predicted."""
        columns = ("quantity", "number", "symbol", "predicted_below", "passed_on", "value")
        report = self.report
        if report is None or not report.read:
            return Table(columns, ())
        known = (
            ("lag", report.lag),
            ("read", report.read),
            ("upper_length", report.upper_length),
            ("ratio", words.ratio(report.read, report.upper_length)),
            ("distance_above", report.distance_above),
            ("answers", report.answers),
            ("answers_foreseen_below", report.foreseen_below),
            ("answers_foreseen_above", report.foreseen_above),
        )
        rows: list[tuple[object, ...]] = [(name, None, None, None, None, value) for name, value in known]
        rows += [("share_of_block", block, None, None, None, share) for block, share in enumerate(report.shares.tolist(), 1)]
        first = report.read - len(report.symbols) + 1
        for at, (symbol, guess, passed) in enumerate(zip(report.symbols, report.predicted, report.passed, strict=True), first):
            predicted = words.name(report, int(guess)) if guess >= 0 else None
            rows.append(("symbol", at, words.name(report, int(symbol)), predicted, int(passed), None))
        return Table(columns, tuple(rows))
