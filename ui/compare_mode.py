"""The window while two runs are compared: the page in the middle, one side's settings beside it, and the ways in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from gradviz.session_file import SessionFile
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec
from gradviz.view import CompareView, View

from .banner import Banner
from .compare.seen import seen_of, show_seen
from .compare_page import ComparePage
from .comparison import SIDES, Comparison
from .export_menu import Compared
from .overlays import DISMISS, STOP
from .panels.switch import Switch
from .session_view import divide, view_of
from .status import NOT_YET, UNKNOWN, three_digits
from .theme import Theme

if TYPE_CHECKING:
    from .film import Settings
    from .live_run import LiveRun
    from .main_window import MainWindow


class CompareMode(QObject):
    """From the moment *Compare* is pressed until one side is left."""

    def __init__(self, window: MainWindow, start: SessionFile | None, step: int | None, kept: bytes | None) -> None:
        """``start``, ``step`` and ``kept`` as `Comparison` takes them."""
        super().__init__(window)
        self._window = window
        self._view = view_of(window)
        self._side = "B"  # whose settings are shown
        self._shown_spec: Spec | None = None
        self._frames = 0
        self._alone = ""  # the side that is to go on alone, as soon as it is ready
        self._plays_on = False
        self._is_beginning = False  # whether the banner tells how far the second run is
        self._left = False
        self._seen: CompareView | None = None  # where to look as soon as both nets are there
        self.pair = Comparison(window.run, start, step, kept)
        self.page = ComparePage()
        self.page.set_motion(window.canvas.motion)
        self.cover = QWidget()  # over the page until there is something on both sides
        self.banner = Banner()
        self.banner.hide()
        self._row = QWidget()  # over the settings
        self.switch = Switch("Settings of", SIDES, ("The settings of A", "The settings of B"))
        self._put_in()
        self._connect()
        self.set_theme(window.theme)
        self.page.set_theory(window.profile.show_theory)
        self._show_side(self._side)
        if start is None and window.run.snapshot is not None:
            self._on_pair(window.run.snapshot, window.run.snapshot)

    def _put_in(self) -> None:
        window = self._window
        self._sizes = window.body.saveState()
        self._docks = window.left.isVisibleTo(window), window.dock.isVisibleTo(window)
        self._middle = QWidget()
        column = QVBoxLayout(self._middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        stack = QStackedLayout()
        stack.setStackingMode(QStackedLayout.StackingMode.StackAll)
        stack.addWidget(self.page)
        stack.addWidget(self.cover)
        stack.setCurrentWidget(self.cover)
        column.addLayout(stack, 1)
        window.left.hide()
        window.dock.hide()
        window.body.replaceWidget(1, self._middle)
        window.body.setStretchFactor(1, 1)
        window.body.setCollapsible(1, False)
        self._middle.show()
        layout = window.left.layout()
        assert isinstance(layout, QVBoxLayout), "the dock is a column"
        beside = QHBoxLayout(self._row)
        beside.setContentsMargins(12, 8, 12, 2)
        beside.addWidget(self.switch)
        layout.insertWidget(0, self._row)
        window.export_menu.compared = Compared(self.page, self._settings, self.pair.run_of)
        window.transport.show_comparing(True)
        self.page.setFocus()

    def _connect(self) -> None:
        window, pair, page = self._window, self.pair, self.page
        run = window.run
        run.told.disconnect(window.tell)  # the pair says whose it is
        pair.told.connect(window.tell)
        pair.failed.connect(self._on_failed)
        pair.pair_came.connect(self._on_pair)
        pair.beginning.connect(self._on_beginning)
        pair.stands_alone.connect(self._go_on_alone)
        pair.undo_stack.indexChanged.connect(window.show_undo)
        run.opened.connect(self._on_opened)
        run.closed.connect(self._on_closed)
        page.step_wanted.connect(pair.go_to)
        page.swap_wanted.connect(self.swap)
        page.predict_wanted.connect(window.predict)
        page.theory_wanted.connect(window.toggle_theory)
        page.adopt_wanted.connect(self.adopt)
        page.drop_wanted.connect(lambda side: self.adopt(_beside(side)))
        page.settings_wanted.connect(self._on_settings_wanted)
        page.change_wanted.connect(pair.change)
        page.remedy_wanted.connect(lambda side, path, value: window.try_remedy(path, value, side))
        self.switch.chosen.connect(lambda number: self._show_side(SIDES[number]))
        self.banner.clicked.connect(self._on_banner)

    def _settings(self) -> tuple[Settings, Settings]:
        return self.pair.run_of("A").settings, self.pair.run_of("B").settings

    # ---- what the user can do

    @property
    def shown_run(self) -> LiveRun:
        """The run whose settings are shown."""
        return self.pair.run_of(self._side)

    def change(self, path: str, value: object) -> None:
        """Change one field on the side whose settings are shown."""
        self.pair.change(self._side, path, value)

    def swap(self) -> None:
        """A becomes B and B becomes A; the settings shown stay those of the same letter."""
        self.pair.swap()
        self._show_side(self._side)

    def adopt(self, side: str) -> None:
        """Go on with one side alone, as soon as it is ready to."""
        if self._alone or (self.pair.other is None and side != "A"):
            return
        if self.pair.run_of(side) is self._window.run:
            self.leave()
            self._window.tell("notice", f"{_beside(side)} is dropped; {side} goes on alone.")
        else:
            self._alone, self._plays_on = side, self.pair.will_play
            self.pair.take_over()

    def show_error(self, text: str) -> None:
        """Say what has gone wrong, until that is dismissed."""
        self.banner.say(text, (DISMISS,), "error")
        self.banner.show()
        self._show_spec()

    def _on_beginning(self, step: int, last_step: int) -> None:
        self._is_beginning = True
        self.banner.say(f"Opening {self.pair.side_of(self.pair.runs[-1])}: step {step:,} of {last_step:,}", (STOP,), "progress")
        self.banner.show()

    def _on_banner(self, button: str) -> None:
        self.banner.hide()
        if button == STOP:
            self.leave()

    def look_as(self, view: CompareView) -> None:
        """Look at both runs as in a session."""
        window = self._window
        window.left.setVisible(view.settings)
        divide(window.body, view.body)
        self._show_side(view.side)
        self._seen = view

    # ---- one side goes on

    def _go_on_alone(self) -> None:
        """The second run has been kept: it takes the place of the window's own, and Undo brings that back."""
        window, other = self._window, self.pair.other
        session = None if other is None else window.sessions.present_run(other)
        if other is None or other.kept_run is None or session is None:
            return
        self.pair.end()
        view = msgspec.structs.replace(session.view, playing=self._plays_on)
        window.run.open(msgspec.structs.replace(session, view=view), other.kept_run.body, f"go on with {self._alone} alone")

    def _on_opened(self) -> None:
        """Another run has taken the place of the window's own: the second side's, or one from a file."""
        side = self._alone
        self.leave()
        if side:
            self._window.tell("notice", f"{side} goes on alone; Undo brings {_beside(side)} back.")

    def _on_closed(self) -> None:
        if self._alone:
            self.leave()

    def _on_failed(self, text: str) -> None:
        self.leave()
        self._window.tell("error", text)

    def leave(self) -> None:
        """End the comparison; the window's run goes on alone. Safe to call twice."""
        if self._left:
            return
        self._left = True
        window, pair = self._window, self.pair
        pair.end()
        window.run.told.connect(window.tell)
        for signal, slot in ((window.run.opened, self._on_opened), (window.run.closed, self._on_closed)):
            signal.disconnect(slot)
        self._row.setParent(None)
        window.export_menu.compared = None
        window.body.replaceWidget(1, window.centre)
        window.centre.show()
        window.body.setStretchFactor(1, 1)
        window.body.setCollapsible(1, False)
        window.left.setVisible(self._docks[0])
        window.dock.setVisible(self._docks[1])
        window.body.restoreState(self._sizes)
        window.transport.show_comparing(False)
        window.canvas.setFocus()
        window.end_compare(self)
        for widget in (self._middle, self._row):
            widget.deleteLater()
        self.deleteLater()

    # ---- what comes back

    def _on_pair(self, a: Snapshot, b: Snapshot) -> None:
        window, pair = self._window, self.pair
        self._frames += 1
        self.page.show_pair(a, b)
        self.cover.hide()
        if self._is_beginning and pair.has_begun:
            self._is_beginning = False
            self.banner.hide()
        if self._seen is not None and pair.has_begun:
            show_seen(self.page, self._seen)
            self._seen = None
        pair.look = self.page.look
        settled = not (a.playing or b.playing)
        if settled or self._frames % 6 == 1:
            self._show_status(a, b)
        if self.shown_run.wanted_spec != self._shown_spec:
            self._show_spec()
        window.transport.show_state(pair.will_play, window.speed)
        window.transport.show_place(a.step > 0 or b.step > 0 or a.moment is not None or b.moment is not None)

    def _show_status(self, a: Snapshot, b: Snapshot) -> None:
        status = self._window.status
        for reading in (status.stage, status.test_loss, status.sigma, status.verdict, status.tape, status.next):
            reading.hide()
        together = a.step == b.step
        steps = [side.step if side.moment is None else side.moment.step for side in (a, b)]
        status.step.show_value(f"{steps[0]:,}" if steps[0] == steps[1] else f"A {steps[0]:,}  B {steps[1]:,}")
        losses, norms = ([_told(side, size) for side in (a, b)] for size in ("loss", "total_norm"))
        finite = not (a.diverged or b.diverged)
        status.loss.show_value(f"A {losses[0]}  B {losses[1]}", "Training loss of this step's mini-batch", finite)
        status.norm.show_value(f"A {norms[0]}  B {norms[1]}", "Length of the whole gradient", finite)
        if not self.pair.has_begun:
            pace = "beginning B"
        elif self.pair.will_play:
            rates = [side.steps_per_second for side in (a, b) if side.playing or together]  # none while one is brought to the other
            pace = f"{min(rates, default=0.0):,.0f} steps/s each"
        else:
            pace = "paused"
        if self.pair.has_begun:
            pace += ", in lockstep" if together else ", not at one step"
        status.pace.show_value(pace)
        status.frames.show_value(f"{self._window.run.frames_per_second:.0f} frames/s")

    def _on_settings_wanted(self, side: str) -> None:
        """The settings of a side; asked for once more, they go."""
        window = self._window
        if side == self._side and window.left.isVisible() and window.left.page == "settings":
            window.left.hide()
            self.mark_open()
            return
        window.show_settings()
        self._show_side(side)

    def _show_side(self, side: str) -> None:
        self._side = side
        self.switch.show_choice(SIDES.index(side))
        self.mark_open()
        self._show_spec()

    def mark_open(self) -> None:
        """Mark on the page whose settings are open."""
        self.page.show_side(self._side if self._window.left.isVisibleTo(self._window) else "")

    def _show_spec(self) -> None:
        window, run = self._window, self.shown_run
        self._shown_spec = run.wanted_spec
        window.controls.show_spec(run.wanted_spec)
        if run.snapshot is not None:
            window.controls.show_summary(run.snapshot.data_summary, run.snapshot.architecture.parameter_count)

    @property
    def view(self) -> View:
        """How both are looked at, and how the window's run was before."""
        window, seen = self._window, self._seen or seen_of(self.page)
        shown, body = window.left.isVisibleTo(window), tuple(window.body.sizes())
        compare = msgspec.structs.replace(seen, side=self._side, settings=shown, body=body)
        speed, plays = window.speed, self.pair.will_play
        return msgspec.structs.replace(self._view, left_page=window.left.page, speed=speed, playing=plays, compare=compare)

    def set_theme(self, theme: Theme) -> None:
        self.page.set_theme(theme)
        self.cover.setStyleSheet(f"background: {theme.canvas}")
        self.banner.set_theme(theme)


def _told(side: Snapshot, size: str) -> str:
    """The loss or the gradient's norm; inside a step only when it is known."""
    moment = side.moment
    if moment is None:
        return three_digits(getattr(side, size)) if side.step else UNKNOWN
    known = moment.lost if size == "loss" else moment.kind not in ("forward", "loss", "backward")
    return three_digits(getattr(side, size)) if known else NOT_YET


def _beside(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]
