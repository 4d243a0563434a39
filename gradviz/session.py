"""Commands in, snapshots out, around one experiment: the engine as the window sees it, without process and without Qt.

Commands are applied between two training steps. Nothing is measured that nobody asked for, except the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gradviz import walking
from gradviz.changes import describe_change
from gradviz.data import DataError
from gradviz.experiment import Experiment
from gradviz.first_weights import WeightsMisfit, place_of
from gradviz.hardware_report import with_speeds
from gradviz.lab_reports import HardwareReport, ResidualReport
from gradviz.messages import Event, Frame, Kept, Left, Request, Settings
from gradviz.opening import Opening, Reading, Retraining
from gradviz.pace import WAIT_SECONDS, Numbers, Pace
from gradviz.recording_format import RecordingError
from gradviz.rival import Rival
from gradviz.session_recording import SessionRecording
from gradviz.shelf import Shelf
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec, SpecError
from gradviz.speed import SpeedMeasurement

if TYPE_CHECKING:
    from gradviz.recording_writer import Channel

MEASURING_SHARE = 0.1  # of the training time, at the most
PREDICTING_SHARE = 0.05  # likewise for asking the network about its data, which can cost far more than a step
WITHOUT_NETWORK = ("prediction", "chain", "lab", "lab_lag", "lab_read", "lab_loss", "lab_orthogonal")  # of a look: points at no part of one
ASKED_FOR = ("lab", "lab_layer", "lab_orthogonal")  # of a look: what somebody has just pressed for, and waits for
RATE_WINDOW = 0.5  # seconds over which steps per second are averaged


class Session:
    """One experiment that can be played, changed, put aside and brought back.

    ``ticket`` numbers name what a command replaced, so that undo can bring the very same run back.
    """

    def __init__(self, spec: Spec) -> None:
        self.experiment = Experiment(spec)
        self.playing = False
        self._speed: float | None = None
        self._until: int | None = None  # the step at which to pause, reached at full speed
        self._rival: Rival | None = None  # trained beside the run
        self._speeds: SpeedMeasurement | None = None  # of this machine, done in slices between the steps
        self._pace: Pace | None = None  # kept with another engine
        self._opening: Opening | None = None
        self._waiting: list[tuple[str, tuple[object, ...]]] = []  # commands that came meanwhile
        self._due = 0.0
        self._shelf = Shelf()
        self._left: dict[int, tuple[int, int | None]] = {}  # ticket -> line that was left, and the step at which (None: its end)
        self._events: list[Event] = []
        self._recording = SessionRecording(lambda kind, text: self._tell(kind, text))
        self._version = 0
        self._sent = (-1, -1, Look())
        self._executed = 0
        self._next_measure = self._next_prediction = 0.0
        self._rate = 0.0
        self._rate_from = (0.0, 0)
        self._done = 0

    @classmethod
    def beginning_with(cls, spec: Spec) -> Session:
        """A session of ``spec``, or of the default spec with an error to tell when that one cannot be run."""
        try:
            return cls(spec)
        except (SpecError, DataError) as error:
            session = cls(Spec())
            session._events.append(Event("error", str(error)))
            return session

    def execute(self, name: str, *arguments: object) -> None:
        """Carry out a command by name; what cannot be done becomes an event and changes nothing.

        While a run is being opened, commands wait until that is done; those that put another run in its place end it.
        """
        if self._opening is not None:
            if name not in ENDING_OPENING:
                self._waiting.append((name, arguments))
                return
            self._end_opening(done=False)
        self._carry_out(lambda: COMMANDS[name](self, *arguments))
        self._version += 1
        if self._opening is None:  # else it is carried out when the run has been opened
            self._executed += 1
        self._tell_pace()

    def _carry_out(self, what: Callable[[], None]) -> bool:
        """Returns whether it could be done; else an event tells."""
        try:
            what()
        except (SpecError, DataError, RecordingError) as error:
            self._events.append(Event("error", str(error)))
        except MemoryError:
            self._events.append(Event("error", "There is not enough memory for this network. Nothing was changed."))
        else:
            return True
        finally:
            self._keep_step()
            self._rival_behind()  # takes a change over before the next step
            if self._speeds is not None and not self._speeds.done and not self._speeds.fits(self.experiment.spec):
                self._speeds = None  # the nets that it would go on with may be large
        return False

    def keep_in_step(self, numbers: Numbers | None, side: int = 0) -> None:
        """Keep in step with another engine that is given the same ``numbers``, as side 0 or 1; None: no longer."""
        self._pace = None if numbers is None else Pace(numbers, side)
        self._tell_pace()

    def _tell_pace(self) -> None:
        if self._pace is not None:
            self._pace.tell(self.experiment.step_count, self.playing and self._opening is None)

    def _waits(self) -> bool:
        """Whether the next step has to wait for the engine that this one keeps in step with."""
        return self._pace is not None and self._pace.waits(self.experiment.step_count)

    def _tell(self, kind: str, text: str) -> None:
        self._events.append(Event(kind, text))
        self._version += 1

    # ---- recordings

    def _keep_step(self) -> None:
        """Record a step that has become whole."""
        if not self.experiment.mid_step:
            self._recording.keep(self.experiment)

    def _record(self, path: str, channel: Channel | None = None) -> None:
        """Record the run from now on, with what is known of it so far."""
        self._recording.begin(Path(path), self.experiment, channel)

    def _stop_recording(self) -> None:
        self._recording.end()

    def _open_recording(self, path: str, ticket: int) -> None:
        """Put the run of a recording in place of the present one, once it has been read."""
        self._open(ticket, lambda: Reading(Path(path), ticket, self._recording))

    def close(self) -> None:
        """The session ends: what is being recorded becomes whole."""
        self._recording.end()

    def keep(self) -> Kept:
        """The run as it can be taken up again by another process; what it cost is told, so that it is not wanted too often."""
        from gradviz.keeping import keep_run

        begin = time.perf_counter()
        body = keep_run(self.experiment)
        return Kept(self.experiment.line, body, time.perf_counter() - begin)

    # ---- opening a run

    def _open_run(
        self,
        settings: Settings,
        last_step: int,
        step: int,
        phases: int,
        ticket: int,
        left: Left | None = None,
        kept: bytes | None = None,
    ) -> None:
        """Train a run again as it was, then go to where it stood."""
        self._open(ticket, lambda: Retraining(settings, last_step, (step, phases), ticket, left, kept))

    @property
    def is_opening(self) -> bool:
        """Whether a run is being opened, while the present one stays."""
        return self._opening is not None

    def _open(self, ticket: int, begin: Callable[[], Opening]) -> None:
        """Begin to open a run; until that is done the present one stays. Opened anew after it was undone, it is as it was left."""
        self._halt()
        shelved = self._shelf.take(ticket)
        if shelved is not None:
            self._replace(shelved, ticket)
        else:
            self._opening = begin()

    def _open_on(self, seconds: float) -> None:
        """A slice of the work; with the last one the opened run takes the place of the present one."""
        opening, before = self._opening, self.experiment
        assert opening is not None, "only called while a run is being opened"

        def work() -> None:
            if opening.run(seconds):
                self._replace(opening.finish(), opening.ticket)

        if not self._carry_out(work) or self.experiment is not before:
            self._end_opening(done=True)
        elif opening.wants_to_tell():
            step, last_step = opening.steps
            self._events.append(Event("progress", f"{step} {last_step}"))
            self._version += 1

    def _save_net(self, kind: str, path: str) -> None:
        """Write the net to a file: "weights", or its source in "numpy" or "torch" with its numbers beside it; an event tells."""
        # loaded only now: hardly any session writes one
        from gradviz.source_export import write_source
        from gradviz.weights_file import weights_of, write_weights

        experiment, file = self.experiment, Path(path)
        try:
            if kind == "weights":
                write_weights(weights_of(experiment.network, experiment.spec, experiment.step_count), file)
                said = f"Saved {file.name} in {file.parent}."
            else:
                archive = write_source(experiment, file, kind)
                said = f"Saved {file.name} and {archive.name}, its numbers, in {file.parent}."
        except OSError as error:
            reason = error.strerror or error
            self._events.append(Event("error", f"{file} could not be written: {reason}. What was there before is untouched."))
        else:
            self._events.append(Event("notice", said))

    def _end_opening(self, done: bool) -> None:
        """The command has been carried out, or another one has taken its place: then what was meant for the opened run is dropped."""
        self._opening = None
        self._version += 1
        self._executed += 1
        waiting, self._waiting = self._waiting, []
        if not done:
            self._executed += len(waiting)
            return
        for name, arguments in waiting:
            self.execute(name, *arguments)
        self._tell_pace()

    def _play(self) -> None:
        if self.experiment.trainer.failure is not None:
            return  # a number is not finite: every further step could only spread it
        stop_after = self.experiment.spec.training.stop_after
        if stop_after and self.experiment.step_count >= stop_after:
            self._events.append(Event("notice", f"Step {stop_after:,} is reached, where “Stop after” says to pause."))
            return
        self._recording.leave(self.experiment)
        self.playing = True
        self._due = time.perf_counter()
        self._rate_from = (self._due, self._done)

    def _play_for(self, steps: int) -> None:
        """As fast as possible for so many steps, and pause there."""
        if steps > 0:
            self._play()
            self._until = self.experiment.step_count + steps

    def _halt(self) -> None:
        self.playing, self._until = False, None

    def _set_rival(self, wanted: bool) -> None:
        """Train the same net without its skips (or with skips, where it has none) beside the run, or no longer."""
        self._rival = Rival(self.experiment) if wanted else None

    def _rival_behind(self) -> bool:
        """Whether the rival has steps to catch up with; one that cannot follow the run any more ends."""
        try:
            return self._rival is not None and self._rival.follow(self.experiment)
        except (SpecError, DataError, MemoryError) as error:
            self._rival = None
            reason = str(error) or "There is not enough memory for it."
            self._events.append(Event("notice", f"The net beside the run is not trained any longer. {reason}"))
            return False

    def _measure_speed(self) -> None:
        """Measure anew how many steps per second this machine makes."""
        self._speeds = SpeedMeasurement(self.experiment.spec)

    @property
    def _measuring_speed(self) -> bool:
        return self._speeds is not None and not self._speeds.done and self._speeds.fits(self.experiment.spec)

    def _step(self) -> None:
        """One whole step: finish the one in work, or do the next; in the past, the next one as it was."""
        self._halt()
        experiment = self.experiment
        if experiment.mid_step:
            experiment.finish_step()
        elif experiment.step_count < experiment.last_step:
            experiment.go_to(experiment.step_count + 1)
        elif experiment.trainer.failure is None:
            self._recording.leave(experiment)
            self._advance()

    def _step_layer(self) -> None:
        """One phase of the engine: one layer forward or back, the loss, clipping, or the update."""
        self._halt()
        self._begin_own_step()
        if self.experiment.mid_step or self.experiment.trainer.failure is None:
            next(self.experiment.phases())

    def _step_phase(self) -> None:
        self._halt()
        if self.experiment.mid_step or self.experiment.trainer.failure is None:
            self._begin_own_step()
            walking.finish_phase(self.experiment)

    def _begin_own_step(self) -> None:
        """A step that is not on record: a recording that is watched is left."""
        if self.experiment.step_count == self.experiment.last_step:
            self._recording.leave(self.experiment)

    def _back(self) -> None:
        self._halt()
        walking.back(self.experiment)

    def _back_layer(self) -> None:
        self._halt()
        walking.back_layer(self.experiment)

    def _back_phase(self) -> None:
        self._halt()
        walking.back_phase(self.experiment)

    def _go_to(self, step: int) -> None:
        """To a recorded step; one beyond the ends is the end."""
        self._halt()
        self.experiment.go_to(min(max(0, step), self.experiment.last_step))

    def _branch(self, ticket: int) -> None:
        """Play; what is left by it, if anything, can be returned to by the ticket."""
        self._left[ticket] = self.experiment.line, None
        self._play()

    def _return_to_line(self, ticket: int) -> None:
        """Take up the line again that was left under this ticket; the one that is left for it now has the ticket."""
        self._halt()
        experiment = self.experiment
        line, step = self._left[ticket]
        if line == experiment.line:
            return  # nothing was left: no step was done on the branch
        if not experiment.has_left(line):
            self._events.append(Event("notice", "The line before that branch is not kept any more."))
            return
        self._left[ticket] = experiment.line, None if step is None else experiment.step_count
        experiment.return_to_old_line(line)
        if step is not None:
            experiment.go_to(min(step, experiment.last_step))

    def _set_speed(self, steps_per_second: float | None) -> None:
        self._speed = steps_per_second
        self._due = time.perf_counter()

    def _apply(self, spec: Spec, ticket: int) -> None:
        before = self.experiment
        if before.restarts(spec):
            self._replace(self._begun(spec), ticket)
            change = describe_change(before.spec, self.experiment.spec)
            self._events.append(Event("notice", f"Restarted from seed {spec.training.seed}. {change}".strip()))
        else:
            self._continue(spec, ticket)

    def _continue(self, spec: Spec, ticket: int) -> None:
        """Go on with the same run under other settings; in the past that leaves the line."""
        experiment = self.experiment
        self._recording.leave(experiment)
        experiment.finish_step()
        self._keep_step()  # before it is another network that has done it
        line, step = experiment.line, experiment.step_count
        experiment.apply(spec)
        if experiment.line != line:
            self._left[ticket] = line, step

    def _restart(self, spec: Spec, ticket: int) -> None:
        self._replace(self._begun(spec), ticket)

    def _begun(self, spec: Spec) -> Experiment:
        """A new run; without the weights that the present one began with where a change since, as to PReLU, has made them misfits."""
        try:
            return Experiment(spec)
        except WeightsMisfit:
            weights = spec.network.weights_from
            if weights != self.experiment.spec.network.weights_from:
                raise  # it is they that were to be loaded
        name = Path(place_of(weights)[1]).name
        self._events.append(Event("notice", f"The weights of {name} do not fit this net any more: the first ones are drawn from its seed."))
        return Experiment(msgspec.structs.replace(spec, network=msgspec.structs.replace(spec.network, weights_from="")))

    def _bring_back(self, spec: Spec, ticket: int) -> None:
        shelved = self._shelf.take(ticket)
        if ticket in self._left and self.experiment.has_left(self._left[ticket][0]):
            self._return_to_line(ticket)
        elif shelved is None:
            if self.experiment.restarts(spec):
                self._replace(self._begun(spec), ticket)
            else:
                self._continue(spec, ticket)
        else:
            self._replace(shelved, ticket)

    def _replace(self, experiment: Experiment, ticket: int) -> None:
        before, self.experiment = self.experiment, experiment
        self._shelf.put(ticket, before)
        if experiment.trainer.failure is not None:
            self._halt()

    def wait_seconds(self) -> float | None:
        """How long nothing has to be done unless a command comes; None for ever."""
        if self._opening is not None or self._rival_behind() or self._measuring_speed:
            return 0.0
        if not self.playing:
            self._recording.rest()
            return self._recording.wait_seconds(self.experiment)
        if self._waits():
            return WAIT_SECONDS
        return max(0.0, self._due - time.perf_counter()) if self._keeps_time else 0.0

    @property
    def _keeps_time(self) -> bool:
        """Whether steps are due at the speed that was asked for, and not as soon as can be."""
        behind = self._pace is not None and self._pace.is_behind(self.experiment.step_count)
        return self._speed is not None and self._until is None and not behind

    def run(self, seconds: float) -> None:
        """Train for about so long, as far as steps are due; a slice of measuring speeds comes first, which is timed by itself."""
        if self._opening is not None:
            self._open_on(seconds)
            return
        if self._measuring_speed and self._speeds is not None:
            self._speeds.measure_on()
            self._version += 1
        if not self.playing and (followed := self._recording.look(self.experiment)) is not None:
            self.experiment = followed
            self._version += 1
        end = time.perf_counter() + seconds
        while self.playing or self._rival_behind():
            now = time.perf_counter()
            if self._rival_behind() and self._rival is not None:
                self._rival.advance()
                self._version += 1
                if now >= end:
                    return
                continue
            if self._waits():
                return
            if self._keeps_time and self._speed is not None:
                if now < self._due:
                    return
                # a slow step is not made up for later: the rhythm starts again from it
                self._due = max(self._due + 1.0 / self._speed, now - seconds)
            if now >= end:
                return
            self._advance()
            if self._pace is not None:
                self._pace.learn(time.perf_counter() - now)

    def _advance(self) -> None:
        experiment = self.experiment
        experiment.advance()
        self._recording.keep(experiment)
        self._done += 1
        self._version += 1
        if self._until is not None and experiment.step_count >= self._until:
            self._halt()
        if experiment.trainer.failure is not None:
            self._halt()
        elif 0 < experiment.spec.training.stop_after <= experiment.step_count and self.playing:
            self._halt()
            self._events.append(Event("notice", f"Paused after {experiment.step_count:,} steps, as “Stop after” says."))
        self._tell_pace()

    def answer(self, request: Request) -> Frame | None:
        """The present moment, or None while there is nothing new to show (or measuring would take too much of the time)."""
        now = time.perf_counter()
        if request.at > self.experiment.step_count and self.playing and request.run == self.experiment.line and self._pace is not None:
            return None  # the pictures of both sides shall belong to one step
        look = request.look
        if not self.playing and not look.prediction:
            # asked for while it was still playing; at rest everything on the screen belongs to one moment
            look = msgspec.structs.replace(look, prediction=True)
        run = self.experiment.line
        looked_for = msgspec.structs.replace(look, prediction=True)
        if (self._version, self._version if look.prediction else self._sent[1], looked_for) == self._sent and request.run == run:
            return None
        pressed = any(getattr(look, name) != getattr(self._sent[2], name) for name in ASKED_FOR)
        if self.playing and now < self._next_measure and not (self._events or request.at or pressed):
            return None
        if self.playing and now < self._next_prediction:
            look = msgspec.structs.replace(look, prediction=False)
        history = self.experiment.history
        partial = request.run == run and request.stride == history.stride
        after = request.history_after if partial else 0
        try:
            snapshot = self._measure(look, after)
        except ValueError:  # what was pointed at or selected has gone with the network it belonged to
            wanted = {name: getattr(look, name) for name in WITHOUT_NETWORK}
            snapshot = self._measure(Look(**wanted), after)
        self._sent = (self._version, self._version if look.prediction else self._sent[1], looked_for)
        spent = time.perf_counter() - now
        if self._pace is not None:
            self._pace.met(self.experiment.step_count)
        if look.prediction:
            self._next_prediction = now + spent / PREDICTING_SHARE
        else:
            self._next_measure = now + spent / MEASURING_SHARE
        events, self._events = tuple(self._events), []
        experiment = self.experiment
        tape = self._recording.tape(experiment)
        line = experiment.settings, experiment.left
        return Frame(snapshot, run, history.stride, partial, self._executed, events, *line, tape, spent / MEASURING_SHARE)

    def _measure(self, look: Look, history_after: int) -> Snapshot:
        snapshot = self.experiment.measure(look, history_after)
        if self._rival is not None and isinstance(snapshot.lab, ResidualReport):
            snapshot = msgspec.structs.replace(snapshot, lab=self._rival.told_in(snapshot.lab))
        if self._speeds is not None and isinstance(snapshot.lab, HardwareReport) and self._speeds.fits(snapshot.spec):
            measuring = None if self._speeds.done else self._speeds.share_done
            snapshot = msgspec.structs.replace(snapshot, lab=with_speeds(snapshot.lab, self._speeds.speeds, measuring))
        return msgspec.structs.replace(snapshot, playing=self.playing, steps_per_second=self._measured_rate())

    def _measured_rate(self) -> float:
        if not self.playing:
            return 0.0
        now = time.perf_counter()
        since, done = self._rate_from
        if now - since >= RATE_WINDOW:
            self._rate = (self._done - done) / (now - since)
            self._rate_from = (now, self._done)
        elif self._rate == 0.0 and now > since:
            return (self._done - done) / (now - since)
        return self._rate


COMMANDS: dict[str, Callable[..., None]] = {
    "play": Session._play,
    "play_for": Session._play_for,
    "pause": Session._halt,
    "set_rival": Session._set_rival,
    "measure_speed": Session._measure_speed,
    "step": Session._step,
    "step_layer": Session._step_layer,
    "step_phase": Session._step_phase,
    "back": Session._back,
    "back_layer": Session._back_layer,
    "back_phase": Session._back_phase,
    "go_to": Session._go_to,
    "branch": Session._branch,
    "return_to_line": Session._return_to_line,
    "set_speed": Session._set_speed,
    "apply": Session._apply,
    "restart": Session._restart,
    "bring_back": Session._bring_back,
    "open_run": Session._open_run,
    "save_net": Session._save_net,
    "record": Session._record,
    "stop_recording": Session._stop_recording,
    "open_recording": Session._open_recording,
}

ENDING_OPENING = ("open_run", "restart", "bring_back", "open_recording")
