"""The window while a class predicts: the game's board in front, two runs of its own behind it. The user's run rests untouched meanwhile."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QBoxLayout

from gradviz.prediction_game import Game, Round, measure
from gradviz.session_file import run_from
from gradviz.snapshot import Snapshot

from .compare_page import ComparePage
from .comparison import Comparison
from .guess.board import Board
from .live_run import LiveRun
from .theme import Theme

if TYPE_CHECKING:
    from .main_window import MainWindow

QWIDGETSIZE_MAX = 16_777_215  # no limit, as Qt has it
BESIDE = 1400  # from this width of the window on, the answer leaves room for both nets
BOARD = 0.4  # of the width, while both nets stand beside it
KEPT = ("toggle_theme", "toggle_full_screen", "copy_picture", "close")  # commands of the window that go on working


class PredictMode(QObject):
    """From the announcement of the first round until the game is left."""

    def __init__(self, window: MainWindow, rounds: tuple[Round, ...]) -> None:
        super().__init__(window)
        self._window = window
        self.game = Game(rounds)
        self._running = False
        self._said = ""  # what the engines have told last
        self._nets = False  # whether both nets are wanted with the answer
        self._left = False
        self._played = window.driven.will_play
        window.driven.pause()
        first = self.game.round
        self.home = LiveRun(first.spec, window)
        self.pair = Comparison(self.home, run_from(first.changed))
        self.board, self.page = Board(), ComparePage()
        self._put_in()
        self._connect()
        self.set_theme(window.theme)
        self.home.start()
        self._show()

    def _put_in(self) -> None:
        window = self._window
        self._hidden = [widget for widget in (window.transport, window.body, window.status) if widget.isVisibleTo(window)]
        for widget in self._hidden:
            widget.hide()
        window.setAcceptDrops(False)
        window.stage.addWidget(self.board)
        window.stage.addWidget(self.page, 1)
        self.page.set_passive()
        self.page.set_theory(window.profile.show_theory)
        self._silent = [action for action in window.actions() if action.isEnabled() and action.objectName() not in KEPT]
        for action in self._silent:
            action.setEnabled(False)
        window.installEventFilter(self)
        self.board.show()
        self.board.setFocus()

    def _connect(self) -> None:
        board, pair = self.board, self.pair
        board.voted.connect(self.vote)
        board.taken_back.connect(self.take_back)
        board.counted.connect(self.count)
        board.run_wanted.connect(self.run)
        board.next_wanted.connect(self.go_on)
        board.again_wanted.connect(self.begin_again)
        board.nets_wanted.connect(self.toggle_nets)
        board.keep_wanted.connect(self.keep)
        board.leave_wanted.connect(self.leave)
        pair.pair_came.connect(self._on_pair)
        pair.arrived.connect(self._on_arrived)
        pair.told.connect(self._on_told)
        pair.failed.connect(self._on_failed)
        self.page.step_wanted.connect(pair.go_to)
        self._actions: list[QAction] = []
        for number in range(len(board.answers)):
            self._add_key(functools.partial(self.vote, number), str(number + 1))
        self._add_key(self.take_back, "Backspace")
        self._add_key(self.advance, "Return", "Enter")
        self._add_key(self.toggle_nets, "V")
        self._add_key(self.keep, "K")
        self._add_key(self.leave, "Esc")

    def _add_key(self, command: Callable[[], object], *keys: str) -> None:
        action = QAction(self)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.triggered.connect(lambda _=False: command())
        self._window.addAction(action)
        self._actions.append(action)

    # ---- what the lecturer can do

    def vote(self, answer: int) -> None:
        if not self._running:
            self.game.vote(answer)
            self._show()

    def count(self, answer: int, votes: int) -> None:
        """So many hands were counted for an answer."""
        if not self._running:
            self.game.give(answer, votes)
            self._show()

    def take_back(self, answer: int | None = None) -> None:
        if not self._running:
            self.game.take_back(answer)
            self._show()

    def advance(self) -> None:
        """Run, or on to the next round: what Enter means."""
        self.go_on() if self.game.uncovered else self.run()

    def run(self) -> None:
        """Train both from the same seed, then uncover."""
        if self._running or self.game.uncovered:
            return
        self._running = True
        self.pair.go_to(self.game.round.steps)
        self._show()

    def go_on(self) -> None:
        """Announce the next round."""
        if self.game.uncovered and not self.game.is_last:
            self.game.go_on()
            self._announce()

    def begin_again(self) -> None:
        """The same rounds, with no votes."""
        self.game = Game(self.game.rounds)
        self._announce()

    def toggle_nets(self) -> None:
        """Both nets beside the answer (in a small window in its place), or the answer alone."""
        if self.game.uncovered:
            self._nets = not self._nets
            self._show()

    def keep(self) -> None:
        """Leave the game and compare this round's two runs in the window; Undo brings the user's run back."""
        if not self.game.uncovered:
            return
        item, window = self.game.round, self._window
        self.leave()
        if window.compare is not None:
            window.compare.leave()
        window.run.load(item.spec, f"predicted: {item.change}")
        window.compare_with(item.changed, play_for=item.steps)

    def leave(self) -> None:
        """End the game; the window shows the run it showed before. Safe to call twice."""
        if self._left:
            return
        self._left = True
        window, pair, home = self._window, self.pair, self.home
        for action in self._actions:
            window.removeAction(action)
        for action in self._silent:
            action.setEnabled(True)
        for widget in (self.board, self.page):
            window.stage.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        for hidden in self._hidden:
            hidden.show()
        window.setAcceptDrops(True)
        window.removeEventFilter(self)
        window.stage.setDirection(QBoxLayout.Direction.TopToBottom)
        home.end()
        window.end_predict(self)
        pair.stopped.connect(home.stop)
        pair.stopped.connect(home.deleteLater)
        pair.end()
        if self._played:
            window.driven.play()
        self.deleteLater()

    # ---- what comes back

    def _announce(self) -> None:
        """A round begins: both runs stand at their first step, nothing of them is seen."""
        self._said = ""
        item = self.game.round
        for run, spec in zip(self.pair.runs, (item.spec, item.changed), strict=True):
            run.load(spec, item.title)
            run.undo_stack.clear()  # nobody goes back to a round before
        self._show()
        self.board.setFocus()

    def _on_pair(self, a: Snapshot, b: Snapshot) -> None:
        self.pair.look = self.page.look
        if self.game.uncovered:
            self.page.show_pair(a, b)
        elif self._running:
            self._show()

    def _on_arrived(self, step: int) -> None:
        sides = [run.snapshot for run in self.pair.runs]
        if not self._running or sides[0] is None or sides[1] is None:
            return
        self._running = False
        self.game.uncover(measure(sides[0], sides[1], self.game.round.steps))
        self._nets = self._is_wide
        self.page.show_pair(sides[0], sides[1])
        self._show()

    def _on_told(self, kind: str, text: str) -> None:
        self._said = text
        self._show()

    def _on_failed(self, text: str) -> None:
        self.leave()
        self._window.tell("error", text)

    def _show(self) -> None:
        """Everything anew: which parts are there, and what the board says."""
        stage, wide = self._window.stage, self._is_wide
        nets = self.game.uncovered and self._nets
        self.page.setVisible(nets)
        stage.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.board.setMaximumWidth(round(BOARD * self._window.width()) if nets and wide else QWIDGETSIZE_MAX)
        stage.setStretchFactor(self.board, 0 if nets and not wide else 1)
        self.board.show_nets(("beside" if wide else "below") if nets else "")
        steps = [run.snapshot.step for run in self.pair.runs if run.snapshot is not None]
        running = f"Both are trained: step {min(steps, default=0):,} of {self.game.round.steps:,}" if self._running else ""
        self.board.show_game(self.game, running, self._said)

    @property
    def _is_wide(self) -> bool:
        return self._window.width() >= BESIDE

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._show()
        return super().eventFilter(watched, event)

    def set_theme(self, theme: Theme) -> None:
        self.board.set_theme(theme)
        self.page.set_theme(theme)
