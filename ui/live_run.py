"""The run in the window: sends commands to the engine, pulls frames on a timer, and keeps every change on the undo stack."""

from __future__ import annotations

import itertools
import time
from collections import deque
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from gradviz.messages import Kept, Left, Settings, Tape
from gradviz.session_file import SessionFile
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec, field_info
from gradviz.threads import use_threads

from .engine_process import EngineLost, EngineProcess, Fetched, SharedPace

FRAME_MILLISECONDS = 16
PREDICTION_EVERY = 6  # frames while playing; when paused each frame has one
MOST_WALKS = 3  # steps that may be under way when another one is asked for
KEEP_SECONDS = 8.0  # between two times that the run is kept, for the case that the engine dies
KEEPING_SHARE = 0.005  # of the engine's time at the most
MOST_REVIVALS = 3  # in so many seconds; an engine that dies again and again is not started again by itself
REVIVAL_SECONDS = 30.0
MERGE_SECONDS = 1.5  # changes of one control within this time are one entry of the undo stack


class LiveRun(QObject):
    """One engine and what the window may ask of it. No method waits for the engine."""

    snapshot_came = Signal(object)  # Snapshot
    told = Signal(str, str)  # kind ("notice" or "error"), text
    opening = Signal(int, int)  # step and last step of a run that is being trained again
    opened = Signal(object)  # SessionFile, or Path of a recording; the run it describes is shown now
    closed = Signal(object)  # the same, whose opening was undone, or stopped, or refused
    lost = Signal(int, bool)  # the engine ended by itself; step of the last snapshot, and whether it is being started again
    reviving = Signal(int, int)  # step and last step of a run that is taken up again
    revived = Signal(int)  # it stands where it stood
    kept = Signal()  # there is a new `kept_run`

    def __init__(self, spec: Spec, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wanted_spec = spec  # what the user has asked for; snapshots tell what is in force
        self.snapshot: Snapshot | None = None
        self.settings: Settings = ()  # what the run shown has been trained with
        self.left: Left | None = None  # and what its ghost shows
        self.tape: Tape | None = None  # the recording that is written or watched
        self.kept_run: Kept | None = None  # the newest that the engine has given out
        self.run_number = -1  # of the line that is shown
        self.look = Look()  # what of each moment is wanted
        self.undo_stack = QUndoStack(self)
        self.frame_intervals: deque[float] = deque(maxlen=4096)  # seconds between two turns of the window, with or without a new snapshot
        self._last_frame = 0.0
        self._frames = itertools.count()
        self._tickets = itertools.count(1)
        self._speed: float | None = None
        self._settled = True  # whether the snapshot shows all that was commanded
        self._opening: _Open | None = None  # under way
        self._deaths: deque[float] = deque(maxlen=MOST_REVIVALS + 1)  # when the engine was lost
        self._revival: _Revival | None = None  # under way
        self._keep_due = 0.0
        self._kept_moment: tuple[int, int, Settings] = (-1, 0, ())  # line, last step and settings when the run was last kept
        self._rival, self._play_until = False, 0
        self._target: int | None = None  # the step to go to next, while the last jump is still under way
        self._walks = 0  # steps and half-steps under way
        self._wish: bool | None = None  # whether it shall play, as long as no snapshot tells whether it does
        self._play_next = False  # as soon as all that was commanded before is done
        self._engine: EngineProcess | None = None
        self._keeping = False  # it has been asked for the run as it can be taken up again
        self._pace: tuple[SharedPace, int] | None = None  # kept with another engine, and as which side
        self.rest = 0.0  # seconds until the next frame is welcome
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MILLISECONDS)
        self._timer.timeout.connect(self._on_tick)

    @property
    def playing(self) -> bool:
        return self.snapshot is not None and self.snapshot.playing

    @property
    def will_play(self) -> bool:
        """Whether it plays once all that was commanded is done."""
        return self.playing if self._wish is None else self._wish

    @property
    def speed(self) -> float | None:
        """Steps per second that are wanted; None is as fast as the engine can."""
        return self._speed

    @property
    def branch_step(self) -> int | None:
        """The step from which playing on would begin a branch; None at the end of the line."""
        if self.snapshot is None:
            return None
        moment = self.snapshot.moment
        step = max(self.snapshot.step, moment.step if moment is not None else 0)  # a step in work is finished first
        return step if step < self.snapshot.last_step else None

    @property
    def frames_per_second(self) -> float:
        recent = list(itertools.islice(reversed(self.frame_intervals), 60))
        return len(recent) / sum(recent) if recent else 0.0

    def start(self) -> None:
        """Start the engine and begin to pull frames."""
        self._engine = EngineProcess(self.wanted_spec)
        self._keep_due, self._keeping = time.monotonic() + KEEP_SECONDS, False
        self.set_speed(self._speed)
        if self._pace is None:
            self._timer.start()
            self._on_tick()
        else:
            self.keep_in_step(*self._pace)

    def start_as(self, run: LiveRun) -> None:
        """Start the engine and have it take up the run of another one, where that stands; until it does, that one's snapshot is shown."""
        self.snapshot, self.settings, self.left = run.snapshot, run.settings, run.left
        self.kept_run, self.run_number = run.kept_run, run.run_number
        self._speed, self.look = run._speed, run.look
        self.revive()

    def start_with(self, session: SessionFile, kept: bytes | None = None) -> None:
        """Start the engine and have it train the run of a session again, to where it stood; `revived` says when it does.

        With ``kept`` as `open` takes it.
        """
        settings = tuple((item.step, item.spec) for item in session.settings)
        place = settings, session.last_step, session.step, session.phases
        self._revival = _Revival(place, session.left_line, kept, playing=False, steps_left=0)
        self.start()

    def keep_in_step(self, pace: SharedPace | None, side: int = 0) -> None:
        """Keep in step with the run that is the other side of ``pace``; whoever made it pulls the frames of both then. None: no longer."""
        self._pace = None if pace is None else (pace, side)
        if self._engine is None:
            return
        if pace is None:
            self._timer.start()
        else:
            self._timer.stop()
        try:
            self._engine.keep_in_step(pace, side)
        except EngineLost:
            self._on_lost()

    def end(self) -> None:
        """Let the engine end, without waiting for it; `stop` does that."""
        self._timer.stop()
        if self._engine is not None:
            self._engine.end()

    def stop(self) -> None:
        """End the engine; nothing is left of it afterwards."""
        self._timer.stop()
        if self._engine is not None:
            self._engine.stop()
            self._engine = None

    def play(self) -> None:
        """Train on; in the past this begins a branch, which can be undone."""
        self._wish = True
        if self.snapshot is not None and (not self._settled or self._target is not None):
            self._play_next = True  # only then is it known whether it begins a branch
            return
        step = self.branch_step
        if step is None:
            self._send("play")
        else:
            self.told.emit("notice", f"A branch from step {step:,}. The line before stays dotted; Undo takes it up again.")
            self.undo_stack.push(_Branch(self, step))

    def play_for(self, steps: int) -> None:
        """Train so many steps as fast as the engine can, and pause."""
        self._play_until = steps + (self.snapshot.step if self.snapshot is not None else 0)
        self._send("play_for", steps)

    @property
    def rival(self) -> bool:
        """Whether it is trained beside the run."""
        return self._rival

    def set_rival(self, wanted: bool) -> None:
        """Train the same net without its skips (or with) beside the run, or no longer."""
        self._rival = wanted
        self._send("set_rival", wanted)

    def save_net(self, kind: str, path: Path) -> None:
        """Write the net to a file: "weights", or its source in "numpy" or "torch". What came of it is told."""
        self._send("save_net", kind, str(path))

    def measure_speed(self) -> None:
        """Measure how many steps per second this machine makes, between the steps of the run."""
        self._send("measure_speed")

    @property
    def settled(self) -> bool:
        """Whether the snapshot shows all that was commanded."""
        return self._settled

    def pause(self) -> None:
        self._rest()
        self._send("pause")

    def walk(self, command: str, *, always: bool = False) -> None:
        """``step``, ``step_layer`` or ``step_phase``, or ``back``, ``back_layer`` or ``back_phase``.

        While several are under way further ones are dropped, so that a key held down does not pile up work; ``always`` keeps them.
        """
        self._rest()
        if always or self._walks < MOST_WALKS:
            self._walks += 1
            self._send(command)

    def go_to(self, step: int) -> None:
        """To an earlier step, or forward again; of many wishes in a row only the last one counts."""
        self._rest()
        if self._target is None and self._settled:
            self._send("go_to", step)
        else:
            self._target = step

    def _rest(self) -> None:
        """What is commanded now ends the playing, also one that has only been wished for."""
        self._wish, self._play_next = False, False

    def set_speed(self, steps_per_second: float | None) -> None:
        """None is as fast as the engine can."""
        self._speed = steps_per_second
        self._send("set_speed", steps_per_second)

    def change(self, spec: Spec, path: str) -> None:
        """Take over one field of ``spec``; the other fields stay as they were last asked for."""
        new = self.wanted_spec.replace(path, spec.get(path))
        if new != self.wanted_spec:
            self.undo_stack.push(_Change(self, new, "apply", field_info(path).title.lower(), path))

    def use_file(self, path: Path) -> None:
        """Train on a CSV file, its last column the target until another is chosen."""
        data = msgspec.structs.replace(self.wanted_spec.data, name="csv", path=str(path), target="")
        spec = msgspec.structs.replace(self.wanted_spec, data=data)
        self.undo_stack.push(_Change(self, spec, "apply", f"data from {path.name}"))

    def use_weights(self, path: Path) -> None:
        """Begin anew at step 0 with the weights of a file, which the engine reads: it may be large."""
        spec = self.wanted_spec.replace("network.weights_from", str(path.expanduser().absolute()))
        self.undo_stack.push(_Change(self, spec, "apply", f"weights of {path.name}"))

    def load(self, spec: Spec, title: str) -> None:
        """Begin a run of another spec."""
        self.undo_stack.push(_Change(self, spec, "restart", title))

    def open(self, session: SessionFile, kept: bytes | None = None, title: str = "") -> None:
        """Train the run of a session again, to where it stood; the present one stays until that is done. Undo ends it or takes it back.

        With ``kept``, as `Kept.body` of that run, only what came after that is trained again. ``title`` is what Undo calls it.
        """
        self._rest()
        self.undo_stack.push(_Open(self, session, kept, title))

    def open_recording(self, path: Path) -> None:
        """Show the run of a recording; Undo takes the present one back."""
        self._rest()
        self.undo_stack.push(_OpenRecording(self, path))

    def record(self, path: Path) -> None:
        """Keep the run on disk from now on, in a new file; what comes of it is told."""
        if self._engine is None:
            return
        self._settled = False
        try:
            self._engine.record(path)
        except EngineLost:
            self._on_lost()
        except OSError as error:
            self.told.emit("error", f"Nothing is recorded: {error.strerror or error}.")

    def stop_recording(self) -> None:
        """End the recording; the run goes on."""
        self._send("stop_recording")

    @property
    def is_lost(self) -> bool:
        """Whether there is no engine: it has died too often to be started again by itself."""
        return self._engine is None

    @property
    def is_reviving(self) -> bool:
        """Whether a new engine is taking the run up again."""
        return self._revival is not None

    @property
    def is_opening(self) -> bool:
        """Whether a run is being trained again."""
        return self._opening is not None

    def stop_opening(self) -> None:
        """Keep the present run."""
        if self._opening is not None:
            self.undo_stack.undo()

    def reset(self) -> None:
        """Begin anew from the same first weights."""
        self.undo_stack.push(_Change(self, self.wanted_spec, "restart", "reset"))

    def revive(self) -> None:
        """Start the engine again after it was lost, and take the run up again where it stood; playing goes on if it was."""
        self.stop()
        snapshot, kept = self.snapshot, self.kept_run
        if self._revival is None:
            if snapshot is None or not self.settings:
                self.start()
                return
            step, phases = (snapshot.step, 0) if snapshot.moment is None else (snapshot.moment.step - 1, snapshot.moment.done)
            last = max(snapshot.last_step, step)
            known = kept.body if kept is not None and kept.run == self.run_number else None
            left = max(0, self._play_until - step) if snapshot.playing else 0
            self._revival = _Revival((self.settings, last, step, phases), self.left, known, self.will_play, left)
        self._revival.begun = False
        if snapshot is not None:
            self.wanted_spec = snapshot.spec
        self._target, self._wish, self._play_next, self._opening = None, None, False, None
        # what it would bring back has gone with the engine; later, for it may be a command of the stack that has found the engine dead
        QTimer.singleShot(0, self.undo_stack, self.undo_stack.clear)
        self.start()

    def _revive_on(self, settled: bool, failed: bool) -> bool:
        """The new engine has answered. Returns whether the run stands where it stood; until then what it shows is another one."""
        revival, engine = self._revival, self._engine
        assert revival is not None, "only called while the engine is being revived"
        assert engine is not None, "it has answered"
        if revival.begun:
            if settled or failed:
                self._revival = None
                self.kept_run, self._kept_moment, self._keep_due = None, (-1, 0, ()), 0.0
            return settled or failed
        # only now: sooner, a pipe that nobody reads yet would block the window
        revival.begun = True
        commands, revival.commands = revival.commands, []
        self._send("open_run", *revival.place, next(self._tickets), revival.left, revival.kept)
        if self._rival:
            self._send("set_rival", True)
        if revival.steps_left:
            self._send("play_for", revival.steps_left)
        elif revival.playing:
            self._send("play")
        for name, arguments in commands:
            self._send(name, *arguments)
        return False

    @property
    def is_kept(self) -> bool:
        """Whether `kept_run` is the run as it is shown."""
        return not self._keeping and self.kept_run is not None and self._kept_moment == self._moment

    def keep_now(self) -> None:
        """Have the run kept as soon as can be, unless it is."""
        self._keep_due = 0.0

    @property
    def _moment(self) -> tuple[int, int, Settings]:
        return self.run_number, self.snapshot.last_step if self.snapshot is not None else 0, self.settings

    def _keep(self) -> None:
        """Ask for the run as it can be taken up again, now and then, and at once when another line has begun."""
        snapshot, engine = self.snapshot, self._engine
        if snapshot is None or engine is None or self._revival is not None or self._opening is not None:
            return
        now = time.monotonic()
        moment = self._moment
        branched = self.left is not None and self.run_number != self._kept_moment[0]
        if moment == self._kept_moment or not (branched or now >= self._keep_due):
            return
        self._kept_moment = moment
        self._keep_due, self._keeping = now + KEEP_SECONDS, True
        engine.keep()

    def _send(self, command: str, *arguments: object) -> None:
        if self._engine is None:
            return
        self._settled = False
        if self._revival is not None and not self._revival.begun:
            self._revival.commands.append((command, arguments))
            return
        try:
            self._engine.send(command, *arguments)
        except EngineLost:
            self._on_lost()

    def _on_tick(self) -> None:
        fetched = self.fetch()
        if self.ask():  # before drawing, so that the engine measures while the window paints
            self.turn(fetched)

    def fetch(self) -> Fetched | None:
        """What has come from the engine, for `turn`."""
        if self._engine is None:
            return None
        try:
            fetched = self._engine.fetch()
            self._keep()
        except EngineLost:
            self._on_lost()
            return None
        return fetched

    @property
    def is_asked(self) -> bool:
        """Whether a frame is still to come."""
        return self._engine is not None and self._engine.is_asked

    def ask(self, at: int = 0) -> bool:
        """Ask for the next frame; in step with another run, for that of step ``at``. Returns whether there is still the engine for it."""
        if self._engine is None:
            return False
        prediction = not self.playing or next(self._frames) % PREDICTION_EVERY == 0
        # at rest the chain rule is there too, seen or not: it may be exported
        look = msgspec.structs.replace(self.look, prediction=prediction, chain=self.look.chain or not self.playing)
        try:
            self._engine.ask(look, at)
        except EngineLost:
            self._on_lost()
            return False
        return True

    def turn(self, fetched: Fetched | None) -> None:
        """Take in what has come, and tell of it."""
        if self._engine is None:
            return
        now = time.perf_counter()
        if self._last_frame:
            self.frame_intervals.append(now - self._last_frame)
        self._last_frame = now
        if self._engine.kept is not None:
            self.kept_run, self._engine.kept, self._keeping = self._engine.kept, None, False
            self._keep_due += self.kept_run.seconds / KEEPING_SHARE
            self.kept.emit()
        if fetched is None:
            return
        revived = self._revival is not None
        if revived and not self._revive_on(fetched.settled, any(event.kind == "error" for event in fetched.events)):
            for event in fetched.events:
                if event.kind == "progress":
                    self.reviving.emit(*map(int, event.text.split()))
            return
        if self.snapshot is None:
            use_threads(1)  # the window's own small products must not take the engine's processor; late, for the first frame's sake
        self.snapshot, events, settled, self.settings, self.left, self.tape, self.run_number, self.rest = fetched
        if settled:
            self._walks = 0
        for event in events:
            if event.kind == "error" and (settled or self._opening is None):
                self._take_back()
        if settled and self._target is None:
            self.wanted_spec = self.snapshot.spec  # going back brings the settings of that time back
        self._settled = settled
        if settled and self._target is not None:
            step, self._target = self._target, None
            self._send("go_to", step)
        elif settled and self._play_next:
            self._play_next = False
            self.play()
        elif settled:
            self._wish = None
        self.snapshot_came.emit(self.snapshot)
        for event in events:
            if event.kind != "progress":
                self.told.emit("error" if event.kind == "trouble" else event.kind, event.text)
            elif self._opening is not None:  # else it was stopped while this was under way
                self.opening.emit(*map(int, event.text.split()))
        if revived:
            self.revived.emit(self.snapshot.step)
        if settled and self._opening is not None:
            opening, self._opening = self._opening, None
            self.opened.emit(opening.source)

    def _take_back(self) -> None:
        """Drop the change the engine has refused."""
        assert self.snapshot is not None
        opening, self._opening = self._opening, None
        if opening is not None:
            self.closed.emit(opening.source)
        if self.wanted_spec == self.snapshot.spec and opening is None:
            return
        command = self.undo_stack.command(self.undo_stack.index() - 1)
        if isinstance(command, _Change):
            command.setObsolete(True)
            self.undo_stack.undo()
        self.wanted_spec = self.snapshot.spec

    def _on_lost(self) -> None:
        opening, self._opening = self._opening, None
        if self._pace is not None:
            self._pace[0].leave(self._pace[1])
        if self._engine is not None and self._engine.kept is not None:
            self.kept_run = self._engine.kept
        self.stop()
        now = time.monotonic()
        self._deaths.append(now)
        again = sum(now - death < REVIVAL_SECONDS for death in self._deaths) <= MOST_REVIVALS
        if opening is not None:
            self.closed.emit(opening.source)
        self.lost.emit(self.snapshot.step if self.snapshot is not None else 0, again)
        if again:
            self.revive()


class _Revival:
    """What is needed to take a run up again."""

    def __init__(
        self, place: tuple[Settings, int, int, int], left: Left | None, kept: bytes | None, playing: bool, steps_left: int
    ) -> None:
        """``place`` is the settings, the last step, and where in it the run stood: step and phases."""
        self.place, self.left, self.kept, self.playing, self.steps_left = place, left, kept, playing, steps_left
        self.begun = False  # whether the new engine has been told
        self.commands: list[tuple[str, tuple[object, ...]]] = []  # that came before it was


class _Branch(QUndoCommand):
    """Playing on from the past; undone, the line that was left is taken up again."""

    def __init__(self, run: LiveRun, step: int) -> None:
        super().__init__(f"branch from step {step:,}")
        self._run, self._ticket, self._done = run, next(run._tickets), False

    def redo(self) -> None:
        self._run._send("return_to_line" if self._done else "branch", self._ticket)
        self._done = True

    def undo(self) -> None:
        self._run._rest()
        self._run._send("return_to_line", self._ticket)


class _Change(QUndoCommand):
    """From one spec to another; undone, it brings the very run back that it replaced."""

    def __init__(self, run: LiveRun, spec: Spec, command: str, title: str, path: str = "") -> None:
        super().__init__(title)
        self._run, self._old, self._new = run, run.wanted_spec, spec
        self._command, self._path = command, path
        self._ticket = next(run._tickets)
        self._done = False
        self._at = time.monotonic()

    def redo(self) -> None:
        self._run.wanted_spec = self._new
        self._run._send("bring_back" if self._done else self._command, self._new, self._ticket)
        self._done = True

    def undo(self) -> None:
        self._run.wanted_spec = self._old
        if not self.isObsolete():
            self._run._send("bring_back", self._old, self._ticket)

    def id(self) -> int:
        return hash(self._path) & 0x7FFFFFF if self._path else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other._path != self._path or other._at - self._at > MERGE_SECONDS:
            return False
        self._new, self._at = other._new, other._at
        return True


class _Open(_Change):
    """To the run of a session; undone while it is still being trained again, that ends."""

    def __init__(self, run: LiveRun, session: SessionFile, kept: bytes | None, title: str = "") -> None:
        super().__init__(run, session.spec, "open_run", title or (f"open {session.title}" if session.title else "open"))
        self.source: SessionFile | Path = session
        self._session, self._kept = session, kept

    def redo(self) -> None:
        run, session = self._run, self._session
        run.wanted_spec = self._new
        run._opening = self
        settings = tuple((item.step, item.spec) for item in session.settings)
        run._send("open_run", settings, session.last_step, session.step, session.phases, self._ticket, session.left_line, self._kept)

    def undo(self) -> None:
        self._run._opening = None
        super().undo()
        self._run.closed.emit(self.source)


class _OpenRecording(_Open):
    """To the run of a recording."""

    def __init__(self, run: LiveRun, path: Path) -> None:
        _Change.__init__(self, run, run.wanted_spec, "open_recording", f"open {path.name}")  # the spec is known when it is open
        self.source = path

    def redo(self) -> None:
        self._run._opening = self
        self._run._send("open_recording", str(self.source), self._ticket)

