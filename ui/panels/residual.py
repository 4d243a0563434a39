"""What residual blocks do for the gradient: through the skip and through the branch, apart; and both nets' training loss.

The rival is the same net without skips (or with them), on the same data from the same seed for the same steps.
"""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from gradviz.lab_reports import ResidualReport
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec

from ..controls.input import focus_by_tab
from ..numbers import short
from .lab_blocks import Controls, Notice, Title, Words
from .lab_page import Block, LabPanel
from .panel import Table
from .reading import when
from .residual_bars import ResidualBars, ResidualBlock, residual_blocks
from .rival_plot import RivalPlot, Run, means

SKIP = 2  # hidden layers that an offered block spans
MEASURED = (
    "Measured is ∂J/∂h where each block begins, apart for its two ways back: its length over the batch, RMS over units. "
    "The two add up as vectors. The skip adds h unchanged, so its derivative is exactly 1."
)
MODEST = (
    "A plain deep net’s higher training loss is not explained by vanishing gradients alone: "
    "with batch norm its gradients are healthy, and the loss can still stay higher."
)
IN_TIME = {
    "rnn": "Skips lead past layers. From time step to time step the state of a plain RNN has no way past its factors: "
    "an LSTM gives it one, the cell path.",
    "lstm": "Skips lead past layers. What leads past the factors of time here is the cell path: from one memory to the next there is "
    "only the forget gate. The chain rule follows it.",
}
NO_SKIPS = (
    "A skip adds what enters a block to what leaves it: h + F(h). Then the gradient has a second way back, on which nothing shrinks it."
)


class ResidualPanel(LabPanel):
    """Draws a `ResidualReport`."""

    name = "residual"
    title = "Residual"

    rival_wanted = Signal(bool)  # train the other net beside this one, or stop doing so
    skip_wanted = Signal(int)  # residual blocks of so many hidden layers

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked: Spec | None = None  # the rival that was asked for and has not come yet
        self._title, self._notice = Title("Residual blocks"), Notice()
        self._skip = self._button(f"Add a skip every {SKIP} layers", "Each residual block then spans two hidden layers")
        self._skip.clicked.connect(lambda: self.skip_wanted.emit(SKIP))
        self._skip_row = Controls(self._skip, stretch=True)
        self._said, self._bars, self._measured = Words(), ResidualBars(), Words(caption=True)
        self._measured.show_text(MEASURED)
        self._plot, self._compared = RivalPlot(), Words()
        self._rival = self._button("", "Same data, same seed, same steps; only the skips differ")
        self._rival.clicked.connect(self._on_rival)
        self._rival_row = Controls(self._rival, stretch=True)
        self._modest = Words(caption=True)
        self._modest.show_text(MODEST)
        self._ways: tuple[Block, ...] = (self._said, self._bars, self._measured)
        self._losses: tuple[Block, ...] = (self._plot, self._compared, self._rival_row, self._modest)
        self.add(self._title, self._notice, self._skip_row, *self._ways, *self._losses)
        self.refresh()

    @staticmethod
    def _button(text: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(hint)
        button.setAccessibleDescription(hint)
        focus_by_tab(button)
        return button

    @property
    def report(self) -> ResidualReport | None:
        return self.report_of(ResidualReport)

    # ---- what is shown

    def show_content(self) -> None:
        snapshot, report = self.snapshot, self.report
        self._title.captions = (when(snapshot),) if snapshot is not None else ()
        shown = snapshot is not None and report is not None
        blocks = bool(shown and report is not None and report.blocks)
        for block in self._ways:
            block.used = blocks
        for block in self._losses:
            block.used = shown
        self._notice.used = not blocks
        self._skip_row.used = False
        if snapshot is None or report is None:
            if snapshot is not None and snapshot.architecture.recurrent:
                self._notice.show_text("A recurrent net has no residual blocks", IN_TIME[snapshot.architecture.kind])
                return
            first = "Press Play, or make a step. Then" if snapshot is None or snapshot.step == 0 else "In a moment"
            self._notice.show_text("Nothing measured yet", f"{first} the gradient of each residual block is taken apart.")
            return
        if blocks:
            self._show_blocks(residual_blocks(report, snapshot))
        else:
            self._show_no_blocks(snapshot, report)
        self._show_rival(snapshot, report)

    def _show_no_blocks(self, snapshot: Snapshot, report: ResidualReport) -> None:
        fits = report.rival_spec != snapshot.spec
        self._skip_row.used = fits and snapshot.spec.network.skip_every == 0
        if fits:
            self._notice.show_text("This net has no skips", NO_SKIPS)
        elif snapshot.spec.pretraining_steps:
            self._notice.show_text("Levels have no skips", "In pre-training each level reads the one below alone, so the net has no skips.")
        else:
            self._notice.show_text(
                "No residual block fits into this net", "A block needs a hidden layer to begin after, and as many units where it ends."
            )

    def _show_blocks(self, blocks: tuple[ResidualBlock, ...]) -> None:
        self._bars.show_blocks(blocks)
        self._said.show_text(*ways(blocks))

    def _show_rival(self, snapshot: Snapshot, report: ResidualReport) -> None:
        other = self._other(snapshot, report)
        possible = report.rival_spec != snapshot.spec
        own = "with skips" if report.blocks else "without skips"
        if report.rival is not None or self._asked != report.rival_spec:
            self._asked = None
        self._plot.show_runs(Run(own, snapshot.history, True), Run(other, report.rival, False))
        self._plot.used = bool(self._plot.runs)
        self._compared.show_text(*self._comparison(snapshot, report))
        self._rival_row.used = possible
        kind = "the plain net" if report.blocks else "the net with skips"
        self._rival.setText(
            f"Stop {kind}" if report.rival is not None else f"Starting {kind} …" if self._asked is not None else f"Train {kind} beside it"
        )
        self._modest.used = possible

    @staticmethod
    def _other(snapshot: Snapshot, report: ResidualReport) -> str:
        return "without skips" if report.blocks else "with skips"

    def _comparison(self, snapshot: Snapshot, report: ResidualReport) -> tuple[str, ...]:
        """What both losses are, over steps that both have made."""
        rival, history = report.rival, snapshot.history
        if rival is None or history is None:
            return ()
        found = means(history, rival)
        if found is None:
            return ("The other net begins at step 1 and catches up.",)
        start, end, own, others = found
        with_skips, without = (own, others) if report.blocks else (others, own)
        span = f"steps {start:,} to {end:,}" if end > start else f"step {end:,}"
        texts = [f"Mean over {span}: {short(with_skips)} with skips, {short(without)} without."]
        if end < int(history.steps[-1]):
            texts.append(f"The net {self._other(snapshot, report)} is at step {end:,} of {int(history.steps[-1]):,}.")
        return tuple(texts)

    def spoken(self) -> str:
        snapshot, report = self.snapshot, self.report
        if snapshot is None or report is None or not report.blocks:
            return f"{self._notice.title}. {self._notice.text}"
        return " ".join((*ways(residual_blocks(report, snapshot)), *self._comparison(snapshot, report)))

    def _on_rival(self) -> None:
        report = self.report
        if report is None:
            return
        wanted = report.rival is None and self._asked is None
        self._asked = report.rival_spec if wanted else None
        self.refresh()
        self.rival_wanted.emit(wanted)

    # ---- numbers

    def table(self) -> Table:
        """The two ways of each block, then the losses of both nets, step by step."""
        columns = ("quantity", "from", "to", "step", "through_skip", "through_branch", "loss", "loss_of_rival")
        snapshot, report = self.snapshot, self.report
        if snapshot is None or report is None:
            return Table(columns, ())
        rows: list[tuple[object, ...]] = []
        for block in residual_blocks(report, snapshot):
            values = (block.skip, block.branch) if block.known else (None, None)
            rows.append(("gradient", block.start, block.end, snapshot.step, *values, None, None))
        for number, history in enumerate((snapshot.history, report.rival)):
            if history is not None:
                for step, loss in zip(history.steps, history.loss, strict=True):
                    losses = (float(loss), None) if number == 0 else (None, float(loss))
                    rows.append(("loss", None, None, int(step), None, None, *losses))
        return Table(columns, tuple(rows))


def ways(blocks: tuple[ResidualBlock, ...]) -> tuple[str, ...]:
    """What the bars say in words: the block nearest to the input, then all."""
    first = blocks[0]
    if not any(block.known for block in blocks):
        return ("The gradient has not come back to the blocks yet.",)
    if not first.known:
        return (f"In this step the gradient has not come back to {first.start} yet.",)
    if all(block.skip == 0 == block.branch for block in blocks if block.known):
        return ("The gradient is exactly 0 where it arrives, through every skip and every branch.",)
    text = f"Where {first.name} begins, through the skip {short(first.skip)}, through the branch {short(first.branch)}"
    if math.isfinite(first.factor):
        more, less = ("skip", "branch") if first.factor >= 1 else ("branch", "skip")
        ratio = max(first.factor, 1 / first.factor) if first.factor > 0 else math.inf
        text += f": the {more} brings {short(ratio)} times as much as the {less}" if math.isfinite(ratio) else ""
    elif first.branch == 0 and first.skip > 0:
        text += ": the branch lets exactly nothing through, the skip still does"
    known = [block for block in blocks if block.known and math.isfinite(block.skip) and math.isfinite(block.branch)]
    larger = sum(block.skip > block.branch for block in known)
    every = f"In {larger:,} of {len(known):,} blocks more comes through the skip." if len(known) > 1 else ""
    return (text + ".", every)
