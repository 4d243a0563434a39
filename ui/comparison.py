"""Two runs that are trained in step, each by an engine of its own, and driven as one: what the window asks of one run it asks of both.

The first of them is the window's own; the second begins as its copy, or is a run of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMetaObject, QObject, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QUndoCommand, QUndoStack

from gradviz.session_file import SessionFile
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec, SpecError

from .engine_process import SharedPace
from .live_run import FRAME_MILLISECONDS, LiveRun

SIDES = ("A", "B")
OF_BOTH = ("training.seed", "data.")  # paths that begin so belong to both sides
AHEAD_SECONDS = 0.001  # worth of steps that a meeting lies ahead of both engines
DRAWING_SHARE = 0.6  # of one processor's time, when nothing but the processors limits the speed
PATIENCE = 0.1  # seconds, after which two moments that do not belong together are shown as they are
END_MILLISECONDS = 500  # the second engine, told to end, has gone by then, so that nobody waits for it
TOGETHER_SECONDS = 0.5  # within which what both sides have done is one entry of the undo stack
LAYERWISE = {"step_layer": "step_phase", "back_layer": "back_phase"}


class Comparison(QObject):
    """Two runs, A and B. No method waits for an engine."""

    pair_came = Signal(object, object)  # Snapshot of A and of B; while both train, always of the same step
    told = Signal(str, str)  # kind ("notice" or "error"), text
    failed = Signal(str)  # it cannot begin; why
    stands_alone = Signal()  # the second run is kept as it stands, to go on in place of the first
    stopped = Signal(object)  # itself: there is no second engine any more
    beginning = Signal(int, int)  # step and last step of the second run, which is being trained again
    arrived = Signal(int)  # both stand at the step to which they were brought (or as near as they can)

    def __init__(self, home: LiveRun, start: SessionFile | None = None, step: int | None = None, kept: bytes | None = None) -> None:
        """Begin as soon as ``home`` rests.

        Args:
            home: the window's run, A to begin with.
            start: the run that B is, trained again to where it stood; None for a copy of ``home``.
            step: to which both are brought; None for the later of the two.
            kept: of B, as `LiveRun.open` takes it.
        """
        super().__init__(home)
        self.home = home
        self.other: LiveRun | None = None
        self.undo_stack = QUndoStack(self)
        self.look: Look | None = None  # what of each moment is wanted; None for what the window wanted before
        self._start, self._kept, self._goal = start, kept, step
        self._pace: SharedPace | None = None
        self._swapped = False
        self._wish = home.will_play and step is None
        self._leaving = False
        self._shown: tuple[Snapshot, Snapshot] | None = None
        self._apart_since: float | None = None  # since when the two moments do not belong together
        self._asked_at = self._spent_at = 0.0  # when the last pair was asked for: on the clock, and of this process's own time
        self._tried: dict[LiveRun, tuple[int, int, int]] = {}  # what was last done to bring it to where it belongs
        self._said: list[tuple[LiveRun, str, str]] = []  # who, kind, text
        self._home_look = home.look
        self._connections: list[QMetaObject.Connection] = []
        self._has_ended = False
        self._known: dict[LiveRun, int] = {}  # index of each run's own undo stack
        self._moving = False  # that is moved from here
        self.has_begun = False  # whether the second run stands where it begins
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MILLISECONDS)
        self._timer.timeout.connect(self._on_tick)
        self._last_timer = QTimer(self)
        self._last_timer.setSingleShot(True)
        self._last_timer.setInterval(END_MILLISECONDS)
        self._last_timer.timeout.connect(self.stop)
        self._listen(home.snapshot_came, self._begin)
        self._listen(home.kept, self._begin)
        home.pause()
        QTimer.singleShot(0, self, self._begin)

    # ---- beginning and end

    def _begin(self) -> None:
        """Start the second engine, once the run rests and is kept as it stands."""
        home = self.home
        if self.other is not None or home.snapshot is None or not home.settled or home.playing or home.is_reviving:
            return
        if self._start is None and not home.is_kept:
            home.keep_now()
            return
        self._stop_listening()
        try:
            self._pace = SharedPace()
        except OSError as error:
            self.failed.emit(f"Two runs cannot be compared: there is no shared memory ({error.strerror or error}).")
            return
        self.other = LiveRun(home.wanted_spec if self._start is None else self._start.spec, self)
        for side, run in enumerate((home, self.other)):
            run.keep_in_step(self._pace, side)
            self._listen(run.lost, lambda step, again, run=run: self._on_lost(run, again))
            self._listen(run.revived, lambda step, run=run: self._on_revived(run, step))
            self._listen(run.undo_stack.indexChanged, lambda index, run=run: self._on_index(run, index))
            self._listen(run.told, lambda kind, text, run=run: self._said.append((run, kind, text)))
        self._known = {run: run.undo_stack.index() for run in self.runs}
        self._listen(self.other.reviving, lambda step, last: None if self.has_begun else self.beginning.emit(step, last))
        if self._start is None:
            self.other.start_as(home)
        else:
            self.other.set_speed(home.speed)
            self.other.start_with(self._start, self._kept)
        self._timer.start()

    def end(self) -> None:
        """Let the second engine end, without waiting for it; the window's run is alone again. `stop` follows by itself, or at once."""
        if self._has_ended:
            return
        self._has_ended = True
        self._timer.stop()
        self._stop_listening()
        if self.other is not None:
            self.other.end()
        self.home.look = self._home_look
        self.home.keep_in_step(None)
        self._last_timer.start()

    def stop(self) -> None:
        """End the second engine, and wait for that; nothing is left of it, nor of the comparison."""
        self.end()
        self._last_timer.stop()
        if self.other is not None:
            self.other.stop()
        if self._pace is not None:
            self._pace.close()
            self._pace = None
        self.stopped.emit(self)
        self.deleteLater()

    def _listen(self, signal: SignalInstance, slot: Callable[..., object]) -> None:
        self._connections.append(signal.connect(slot))

    def _stop_listening(self) -> None:
        for connection in self._connections:
            QObject.disconnect(connection)
        self._connections.clear()

    # ---- the sides

    @property
    def runs(self) -> tuple[LiveRun, ...]:
        """The window's run and, once it has begun, the second one."""
        return (self.home,) if self.other is None else (self.home, self.other)

    def run_of(self, side: str) -> LiveRun:
        """The run of side "A" or "B"."""
        first = (side == "A") != self._swapped
        return self.home if first or self.other is None else self.other

    def side_of(self, run: LiveRun) -> str:
        """The letter of a run."""
        return SIDES[(run is not self.home) != self._swapped]

    def start_of(self, side: str) -> SessionFile | None:
        """What a side begins as, that does not stand there yet; None for one that does, and for a copy."""
        return None if self.has_begun or (side == "A") != self._swapped else self._start

    def swap(self) -> None:
        """A becomes B and B becomes A."""
        self._swapped = not self._swapped
        if self._shown is not None:
            self._tell_pair(*reversed(self._shown))

    def take_over(self) -> None:
        """Have the second run ready to go on in place of the first; `stands_alone` says when."""
        self._leaving, self._goal = True, None
        for run in self.runs:
            run.pause()

    def _hand_over(self) -> None:
        """Once it rests and is kept as it stands."""
        other = self.other
        if not self._leaving or other is None or not other.settled or other.playing or other.is_reviving:
            return
        if not other.is_kept or other.kept_run is None:
            other.keep_now()
            return
        self._leaving = False
        self.stands_alone.emit()

    # ---- what is asked of one run is asked of both

    @property
    def playing(self) -> bool:
        return any(run.playing for run in self.runs)

    @property
    def will_play(self) -> bool:
        """Whether they play once all that was commanded is done."""
        return self._wish

    @property
    def settled(self) -> bool:
        """Whether both stand where they belong, and the snapshots show all that was commanded."""
        done = self.has_begun and self._shown is not None and self._goal is None and all(run.settled for run in self.runs)
        return done and (self._wish or not (self.playing or self._to_bring()))

    def play(self) -> None:
        """Train on, both in step; one that has failed stays where it is."""
        self._wish, self._goal = True, None
        if self.other is None:
            return  # both will, once there are two: the second begins while the first rests
        for run in self.runs:
            if run.is_lost:
                run.revive()
            run.play()

    def pause(self) -> None:
        """Pause; the one that is behind catches up with the other."""
        self._rest(None)
        for run in self.runs:
            run.pause()

    def walk(self, command: str) -> None:
        """As `LiveRun.walk`; nets of different depth go by whole phases instead of layers."""
        self._rest(None)
        depths = {len(run.snapshot.architecture.layers) for run in self.runs if run.snapshot is not None}
        for run in self.runs:
            run.walk(LAYERWISE.get(command, command) if len(depths) > 1 else command)

    def go_to(self, step: int) -> None:
        """Both to an earlier step, or forward again; one that has not come so far yet is trained on to it."""
        self._rest(step)
        for run in self.runs:
            run.go_to(step)

    def try_on(self, spec: Spec, step: int, title: str) -> None:
        """B begins anew with these settings from its seed, and both go to this step; so does A, where it had others on its way."""
        self._rest(step)
        first, other = self.run_of("A"), self.run_of("B")
        if len(first.settings) > 1:
            first.load(first.wanted_spec, title)
        other.load(spec, title)
        for run in self.runs:
            run.pause()

    def reset(self) -> None:
        """Both begin anew, each with its settings."""
        self._goal = None
        self._tried.clear()
        for run in self.runs:
            run.reset()

    def set_speed(self, steps_per_second: float | None) -> None:
        """None is as fast as the engines can."""
        for run in self.runs:
            run.set_speed(steps_per_second)

    def change(self, side: str, path: str, value: object) -> None:
        """Change one field on one side; seed and data, which belong to both, on both."""
        runs = self.runs if path.startswith(OF_BOTH) else (self.run_of(side),)
        for run in runs:
            try:
                wanted = run.wanted_spec.replace(path, value)
            except SpecError as error:
                self.told.emit("error", str(error))
                return
            run.change(wanted, path)
        self._tried.clear()

    def use_file(self, path: Path) -> None:
        """Train both on a CSV file."""
        for run in self.runs:
            run.use_file(path)
        self._tried.clear()

    def use_weights(self, path: Path) -> None:
        """Begin both anew with the weights of a file."""
        for run in self.runs:
            run.use_weights(path)
        self._tried.clear()

    def _rest(self, goal: int | None) -> None:
        self._wish, self._goal = False, goal
        self._tried.clear()

    # ---- turns

    def _on_tick(self) -> None:
        pace = self._pace
        assert pace is not None, "the timer runs with it alone"
        fetched = [run.fetch() for run in self.runs]
        there = [True] * len(fetched)
        if not pace.in_step:
            there = [run.ask() for run in self.runs]
        elif not any(run.is_asked for run in self.runs):
            now = time.perf_counter()
            if now >= self._asked_at + max(self._drawing_rest(), *(run.rest for run in self.runs)):
                rate = max(run.snapshot.steps_per_second for run in self.runs if run.snapshot is not None)
                at = pace.meet(1 + int(AHEAD_SECONDS * rate))
                self._asked_at, self._spent_at = now, time.process_time()
                there = [run.ask(at) for run in self.runs]
        for run, frame, is_there in zip(self.runs, fetched, there, strict=True):
            if is_there:
                run.turn(frame)
            if self._has_ended:
                return  # another run has taken the place of the window's own
            if self.look is not None:
                run.look = self.look
        if any(frame is not None for frame in fetched) or self._apart_since is not None:
            self._show(pace.in_step)
        self._hand_over()
        self._bring_together()
        self._tell_said()

    def _drawing_rest(self) -> float:
        """Seconds from one pair to the next, so that drawing leaves the processors to the two engines when they run as fast as they can."""
        return (time.process_time() - self._spent_at) / DRAWING_SHARE if self.home.speed is None else 0.0

    def _show(self, in_step: bool) -> None:
        """Show both moments, if they belong together or cannot."""
        instead = self.home.snapshot if self._start is None else None  # of a copy that does not stand there yet
        a, b = (self.run_of(side).snapshot or instead for side in SIDES)
        if a is None or b is None:
            return
        if _place(a) == _place(b):
            self._tell_pair(a, b)
            return
        now = time.perf_counter()
        if self._apart_since is None:
            self._apart_since = now
        if not in_step and (_ended(a) or _ended(b) or now - self._apart_since > PATIENCE):
            since = self._apart_since
            self._tell_pair(a, b)
            self._apart_since = since

    def _tell_pair(self, a: Snapshot, b: Snapshot) -> None:
        self._shown, self._apart_since = (a, b), None
        self.pair_came.emit(a, b)

    def _bring_together(self) -> None:
        """At rest both stand at the same step: whoever is behind catches up, as far as it can."""
        if not self.has_begun or self._leaving or any(not run.settled or run.is_reviving or run.is_opening for run in self.runs):
            return
        if self._wish:
            self._play_on()
            return
        to_do = self._to_bring()
        for run, (goal, step, last) in to_do.items():
            self._tried[run] = goal, step, last
            if goal <= last:
                run.go_to(goal)
            elif step < last:
                run.go_to(last)
            else:
                run.play_for(goal - step)
        if not to_do and not self.playing and self._goal is not None:
            goal, self._goal = self._goal, None
            self.arrived.emit(goal)

    def _to_bring(self) -> dict[LiveRun, tuple[int, int, int]]:
        """Who has to go to another step: to which, from which, and which it has on record."""
        at_rest = {run: run.snapshot for run in self.runs if run.snapshot is not None and not run.snapshot.playing}
        if len(at_rest) < len(self.runs) or any(snapshot.moment is not None for snapshot in at_rest.values()):
            return {}
        goal = max(snapshot.step for snapshot in at_rest.values()) if self._goal is None else self._goal
        found = {}
        for run, snapshot in at_rest.items():
            place = goal, snapshot.step, snapshot.last_step
            can = goal <= snapshot.last_step or snapshot.step < snapshot.last_step or not _ended(snapshot)
            if snapshot.step != goal and can and self._tried.get(run) != place:
                found[run] = place
        return found

    def _play_on(self) -> None:
        """A side that stands still while the other plays, though it could go on, goes on: it was begun anew."""
        for run in self.runs:
            snapshot = run.snapshot
            if snapshot is None or run.will_play or run.is_lost:
                continue
            place = run.run_number, snapshot.step, snapshot.last_step
            if not _ended(snapshot) and self._tried.get(run) != place:
                self._tried[run] = place
                run.play()
        self._wish = any(run.will_play for run in self.runs)

    # ---- what is told

    def _on_lost(self, run: LiveRun, again: bool) -> None:
        side = self.side_of(run)
        if again:
            self.told.emit("notice", f"{side}: the engine stopped unexpectedly. It is being started again.")
        else:
            text = f"{side}: the engine has stopped again and again. Its picture is the last it sent; Play starts it anew."
            self.told.emit("error", text)

    def _on_revived(self, run: LiveRun, step: int) -> None:
        if run is self.other and not self.has_begun:
            self.has_begun = True
            if self._wish:
                self.play()
            return
        self.told.emit("notice", f"{self.side_of(run)}: the engine had stopped unexpectedly and goes on from step {step:,}.")

    def _tell_said(self) -> None:
        """What both sides say is said once, and else whose it is."""
        said, self._said = self._said, []
        texts = [(kind, text) for _, kind, text in said]
        for run, kind, text in said:
            if texts.count((kind, text)) == 1:
                self.told.emit(kind, f"{self.side_of(run)}: {text}")
            elif run is self.home:
                self.told.emit(kind, text)

    # ---- undo

    def _on_index(self, run: LiveRun, index: int) -> None:
        """Something was done on a run, or its stack was cleared with its engine."""
        known, self._known[run] = self._known[run], index
        if not run.undo_stack.count():
            self.undo_stack.clear()
        if self._moving or index != known + 1:
            return
        text = run.undo_stack.undoText()
        last = self.undo_stack.command(self.undo_stack.index() - 1) if self.undo_stack.index() else None
        if isinstance(last, _Done) and last.takes(run, index, text):
            return
        self.undo_stack.push(_Done(self, run, index, text))


class _Done(QUndoCommand):
    """Something that was done on one side, or on both at once."""

    def __init__(self, comparison: Comparison, run: LiveRun, index: int, title: str) -> None:
        super().__init__(f"{title} in {comparison.side_of(run)}")
        self._comparison, self._title = comparison, title
        self._indices = {run: index}  # of each run's own stack, after it was done
        self._at = time.monotonic()
        self._is_new = True

    def takes(self, run: LiveRun, index: int, title: str) -> bool:
        """Whether it is the same, done on the other side as well."""
        if run in self._indices or title != self._title or time.monotonic() - self._at > TOGETHER_SECONDS:
            return False
        self._indices[run] = index
        self.setText(f"{title} in A and B")
        return True

    def redo(self) -> None:
        if not self._is_new:
            self._move(-1)
        self._is_new = False

    def undo(self) -> None:
        self._move(0)

    def _move(self, before: int) -> None:
        """On each run's own stack, unless that has moved on by itself: what was refused is there no more."""
        comparison = self._comparison
        comparison._moving = True
        for run, index in self._indices.items():
            stack = run.undo_stack
            if stack.index() == index + before:
                stack.redo() if before else stack.undo()
        comparison._moving = False
        comparison._tried.clear()


def _place(snapshot: Snapshot) -> tuple[int, int, str]:
    """Where in the training a moment is: the same for nets of different depth."""
    moment = snapshot.moment
    return (snapshot.step, 0, "") if moment is None else (snapshot.step, moment.step, moment.kind)


def _ended(snapshot: Snapshot) -> bool:
    """Whether no step can follow the last one: a number is not finite, or the settings say to stop."""
    return snapshot.diverged or 0 < snapshot.spec.training.stop_after <= snapshot.step
