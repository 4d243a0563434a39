"""The only file that knows the engine is a process: pipe, shared memory, start, loss and end.

The window pulls: it asks for one frame when none is outstanding, and the engine answers between two steps. Frames drop,
nothing queues. Bulk arrays go through shared memory, because a payload larger than the pipe's buffer would block the
engine until the window reads.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.history_table import HistoryTable
from gradviz.messages import Event, Frame, Kept, Left, Request, Settings, Tape
from gradviz.pace import NUMBERS, Pace, in_step, name_meeting
from gradviz.snapshot import Architecture, Details, Ghost, Look, Snapshot
from gradviz.spec import Spec

from .recording_process import Remote, WriterProcess

if TYPE_CHECKING:
    from gradviz.session import Session

SLICE_SECONDS = 0.004  # how long the engine trains before it looks for commands
GRACE_SECONDS = 1.0  # how long the engine may take to end by itself
WRITING_SECONDS = 1.5  # and the writers of its recordings, from the same moment on
WHOLE = Look()
SELDOM = ("prediction", "census", "verdicts", "oscillations")  # not measured for every frame; the last ones hold till the next
MOST_RUNS_ASKED = 8  # in requests that may still be answered
BULK = ("edge_gradients", "edge_weights", "edge_updates")


class EngineLost(Exception):
    """The engine's process has ended without being asked to."""


class Fetched(NamedTuple):
    """What has come from the engine."""

    snapshot: Snapshot
    events: tuple[Event, ...]
    settled: bool  # whether every command that was sent has been carried out in it
    settings: Settings  # what the run shown has been trained with
    left: Left | None  # and what its ghost shows
    tape: Tape | None  # the recording that is written or watched
    run: int  # number of its line
    rest: float  # seconds until the next frame is welcome


class SharedPace:
    """The numbers by which two engines keep in step, in memory that their processes share."""

    def __init__(self) -> None:
        """Raises OSError when there is no memory."""
        self._memory = SharedMemory(create=True, size=NUMBERS * 8)
        self._numbers = _numbers_in(self._memory)

    @property
    def name(self) -> str:
        return self._memory.name

    @property
    def in_step(self) -> bool:
        """Whether both engines train, and neither has to catch up."""
        return in_step(self._numbers)

    def meet(self, ahead: int) -> int:
        """Have both engines meet a little ahead of where they are; returns the step."""
        return name_meeting(self._numbers, ahead)

    def leave(self, side: int) -> None:
        """The engine of a side has gone, and says nothing any more."""
        Pace(self._numbers, side).tell(0, running=False)

    def close(self) -> None:
        """Free the memory; an engine that still has it goes on by itself."""
        self._numbers.release()
        self._memory.close()
        self._memory.unlink()


class EngineProcess:
    """The window's end: commands go out at once, frames are fetched when they are there; no call waits for the engine."""

    def __init__(self, spec: Spec) -> None:
        """Raises SpecError or DataError when the spec cannot be run: it is tried out here, before a process is started."""
        context = multiprocessing.get_context("spawn")
        self._connection, far_end = context.Pipe()
        self._process = context.Process(target=serve, args=(far_end, spec), name="gradviz-engine", daemon=True)
        self._process.start()
        far_end.close()
        self._outstanding = False
        self._asked: Look | None = None
        self._sent = 0  # commands
        self._assembler = _Assembler()
        self._writers: list[WriterProcess] = []  # of recordings
        self._closed = False
        self._ended: float | None = None  # when it was told to end
        self.kept: Kept | None = None  # the newest that has come

    @property
    def process_id(self) -> int | None:
        return self._process.pid

    def send(self, command: str, *arguments: object) -> None:
        """Tell the engine to do something; raises `EngineLost`."""
        self._transmit(("command", command, arguments))
        self._sent += 1

    def record(self, path: Path) -> None:
        """Have the run recorded in a new file from now on; raises `EngineLost`, or OSError when there can be no further process."""
        for ended in [writer for writer in self._writers if not writer.running]:
            ended.join()
            self._writers.remove(ended)
        writer = WriterProcess(path)  # here, as the engine may have no processes of its own
        self._writers.append(writer)
        try:
            self.send("record", str(path))
            reduction.send_handle(self._connection, writer.connection.fileno(), self._process.pid)
        except (OSError, ValueError) as error:
            raise EngineLost(str(error)) from error
        finally:
            writer.connection.close()

    @property
    def is_asked(self) -> bool:
        """Whether a frame is still to come."""
        return self._outstanding

    def ask(self, look: Look = WHOLE, at: int = 0) -> None:
        """Ask for a frame unless the same one is outstanding; raises `EngineLost`.

        While in step with another engine it comes at step ``at`` or later.
        """
        shown = msgspec.structs.replace(look, prediction=True)  # whether it is due just now makes no other picture
        if not self._outstanding or shown != self._asked:
            self._transmit(("request", self._assembler.request(look, at), ()))
            self._outstanding, self._asked = True, shown

    def fetch(self) -> Fetched | None:
        """The newest frame if one has come; raises `EngineLost`."""
        try:
            while True:
                if not self._connection.poll():
                    return None
                message = self._connection.recv()
                if not isinstance(message, Kept):
                    break
                self.kept = message
            frame, parts = message
            snapshot = self._assembler.assemble(frame, parts)  # an engine that has ended has taken its shared memory along
        except (EOFError, OSError) as error:
            raise EngineLost(str(error)) from error
        self._outstanding = False
        return Fetched(snapshot, frame.events, frame.executed == self._sent, *self._assembler.lines, frame.tape, frame.run, frame.rest)

    def keep(self) -> None:
        """Ask for the run as it can be taken up again; `fetch` finds it as `kept`. Raises `EngineLost`."""
        self._transmit(("keep", None, ()))

    def keep_in_step(self, pace: SharedPace | None, side: int = 0) -> None:
        """Keep in step with the engine that is the other side of the same pace; None: no longer. Raises `EngineLost`."""
        self._transmit(("in_step", None if pace is None else pace.name, (side,)))

    def end(self) -> None:
        """Let the process end, without waiting for it; `stop` does that."""
        if self._ended is None:
            self._ended = time.monotonic()
        self._connection.close()  # an engine blocked in sending would never end

    def stop(self) -> None:
        """End the process; no orphan and no shared memory is left."""
        if self._closed:
            return
        self._closed = True
        self.end()
        self._process.join(self._left_of(GRACE_SECONDS))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        for writer in self._writers:
            writer.join(self._left_of(WRITING_SECONDS))
        self._assembler.close()

    def _left_of(self, seconds: float) -> float:
        """What is left of a time that began when the process was told to end."""
        return max(0.0, seconds - (time.monotonic() - (self._ended or 0.0)))

    def _transmit(self, message: tuple[str, object, tuple[object, ...]]) -> None:
        try:
            self._connection.send(message)
        except (OSError, ValueError) as error:
            raise EngineLost(str(error)) from error


class _Assembler:
    """Puts together what comes in pieces: history rows, bulk arrays, and what is sent only when it changes."""

    def __init__(self) -> None:
        self._run, self._stride = -1, 0
        self._history: HistoryTable | None = None
        self._asked_from: dict[int, HistoryTable | None] = {}  # run -> what of its history was there when a request was sent
        self._architecture: Architecture | None = None
        self._ghost: Ghost | None = None
        self.lines: tuple[Settings, Left | None] = ((), None)
        self._seldom: dict[str, Any] = {}
        self._memory: SharedMemory | None = None

    def request(self, look: Look, at: int = 0) -> Request:
        history = self._history
        regular = 0 if history is None else len(history.steps) - history.provisional
        last = int(history.steps[regular - 1]) if history is not None and regular else 0
        self._asked_from.pop(self._run, None)
        self._asked_from[self._run] = history
        while len(self._asked_from) > MOST_RUNS_ASKED:
            del self._asked_from[next(iter(self._asked_from))]
        return Request(self._run, self._stride, last, look, at)

    def assemble(self, frame: Frame, parts: _Parts) -> Snapshot:
        if parts.architecture is not None:
            self._architecture = parts.architecture
        if parts.ghost_changed:
            self._ghost = parts.ghost
        if frame.settings is not None:
            self.lines = frame.settings, frame.left
        if parts.memory is not None:
            self.close()
            self._memory = SharedMemory(parts.memory)
            self._memory.unlink()  # the mapping stays; the name goes at once, so that nothing is left whoever dies first
        snapshot = frame.snapshot
        fresh: dict[str, Any] = {"architecture": self._architecture, "ghost": self._ghost, "history": self._joined(frame)}
        if snapshot.details is not None:
            fresh["details"] = self._with_bulk(snapshot.details)
        if frame.run != self._run or snapshot.prediction is not None:
            self._seldom = {name: getattr(snapshot, name) for name in SELDOM}
        fresh |= self._seldom
        self._run, self._stride, self._history = frame.run, frame.stride, fresh["history"]
        return msgspec.structs.replace(snapshot, **fresh)

    def _joined(self, frame: Frame) -> HistoryTable | None:
        # of two answers that were under way, the first may show another run, and the second go on with the one that was asked from
        new, old = frame.snapshot.history, self._history if frame.run == self._run else self._asked_from.get(frame.run)
        if not frame.partial or old is None or new is None:
            return new
        rows = ["steps", "loss", "loss_low", "loss_high", "gradient_rms", "total_norms"]
        rows += ["population"] if new.population is not None else []
        kept = len(old.steps) - old.provisional
        # rows may come twice, when another request overtook the answer to the one before
        first = int(np.searchsorted(new.steps, old.steps[kept - 1], side="right")) if kept else 0
        if first == len(new.steps) and not old.provisional:
            return msgspec.structs.replace(new, **{name: getattr(old, name) for name in rows})
        joined = {name: np.concatenate((getattr(old, name)[:kept], getattr(new, name)[first:])) for name in rows}
        return msgspec.structs.replace(new, **joined)

    def _with_bulk(self, details: Details) -> Details:
        assert self._memory is not None, "details always come with their bulk"
        count = details.edge_gradients.shape[0]
        arrays = _rows(self._memory, count).copy()
        arrays.flags.writeable = False
        return msgspec.structs.replace(details, **dict(zip(BULK, arrays, strict=True)))

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


def _rows(memory: SharedMemory, count: int) -> NDArray[np.float64]:
    """The bulk arrays as (3, count); must not outlive the memory."""
    assert memory.buf is not None, "the memory is open"
    return np.frombuffer(memory.buf, np.float64, len(BULK) * count).reshape(len(BULK), count)


def _numbers_in(memory: SharedMemory) -> memoryview[int]:
    assert memory.buf is not None, "the memory is open"
    return memory.buf.cast("q")


class _Placeholder(msgspec.Struct, frozen=True):
    """Stands for an array of which only the length is sent."""

    shape: tuple[int]


class _Parts(msgspec.Struct, frozen=True):
    """What has been taken out of a frame, as far as it is new."""

    architecture: Architecture | None
    ghost_changed: bool
    ghost: Ghost | None
    memory: str | None  # name of the shared memory, when it is new


class _Sender:
    """The engine's end of the same: takes bulk arrays, the architecture and the ghost out of a frame."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._memory: SharedMemory | None = None
        self._architecture: Architecture | None = None
        self._ghost: Ghost | None = None
        self._lines: tuple[Settings | None, Left | None] | None = None

    def send(self, frame: Frame) -> None:
        snapshot = frame.snapshot
        changes: dict[str, Any] = {"architecture": None, "ghost": None}
        name = None
        if snapshot.details is not None:
            bulk = [getattr(snapshot.details, field) for field in BULK]
            name = self._write(bulk)
            placeholder = _Placeholder((len(bulk[0]),))
            changes["details"] = msgspec.structs.replace(snapshot.details, **dict.fromkeys(BULK, placeholder))
        parts = _Parts(
            architecture=None if snapshot.architecture is self._architecture else snapshot.architecture,
            ghost_changed=snapshot.ghost is not self._ghost,
            ghost=None if snapshot.ghost is self._ghost else snapshot.ghost,
            memory=name,
        )
        self._architecture, self._ghost = snapshot.architecture, snapshot.ghost
        lines = frame.settings, frame.left
        settings, left = (None, None) if lines == self._lines else lines
        self._lines = lines
        small = msgspec.structs.replace(frame, snapshot=msgspec.structs.replace(snapshot, **changes), settings=settings, left=left)
        self._connection.send((small, parts))

    def _write(self, arrays: list[NDArray[Any]]) -> str | None:
        """Copy the arrays one behind the other; returns the name of the memory when it is new."""
        count = len(arrays[0])
        size = 3 * count * 8
        name = None
        if self._memory is None or self._memory.size < size:
            if self._memory is not None:
                self._memory.close()  # its name may still be on its way to the window
            self._memory = SharedMemory(create=True, size=size)
            name = self._memory.name
        for row, array in zip(_rows(self._memory, count), arrays, strict=True):
            row[:] = array
        return name

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            with contextlib.suppress(FileNotFoundError):  # as a rule the window has taken the name away; not if it closed before
                self._memory.unlink()


class _Partner:
    """The engine's end of a `SharedPace`."""

    def __init__(self) -> None:
        self._memory: SharedMemory | None = None
        self._numbers: memoryview[int] | None = None

    def join(self, session: Session, name: str | None, side: int) -> None:
        """Let the session keep in step by the memory of this name, or no longer; one that has gone meanwhile is none."""
        session.keep_in_step(None)
        self.close()
        if name is not None:
            with contextlib.suppress(FileNotFoundError):  # the comparison has ended since
                self._memory = SharedMemory(name)
                self._numbers = _numbers_in(self._memory)
                session.keep_in_step(self._numbers, side)

    def close(self) -> None:
        if self._numbers is not None:
            self._numbers.release()
        if self._memory is not None:
            self._memory.close()
        self._numbers = self._memory = None


def serve(connection: Connection, spec: Spec) -> None:
    """The engine's main loop; ends when the window closes its end of the pipe."""
    from gradviz.session import Session  # in this process only: the window has no use for an engine

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal reaches the window, which ends the engine
    session = Session.beginning_with(spec)
    sender, partner = _Sender(connection), _Partner()
    request: Request | None = None
    try:
        while True:
            wait = session.wait_seconds()
            if request is not None and wait is not None:
                wait = min(wait, SLICE_SECONDS)  # an answer that was put off has to come before the next step is due
            if connection.poll(wait):
                kind, content, arguments = connection.recv()
                if kind == "request":
                    request = content
                elif content == "record":  # what leads to the writer comes right behind
                    session.execute(content, *arguments, Remote(Connection(reduction.recv_handle(connection))))
                elif kind == "keep":
                    connection.send(session.keep())
                elif kind == "in_step":
                    partner.join(session, content, *arguments)
                else:
                    session.execute(content, *arguments)
            else:
                session.run(SLICE_SECONDS)
            if request is not None:
                frame = session.answer(request)
                if frame is not None:
                    request = None
                    sender.send(frame)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the window has closed
    finally:
        session.close()
        session.keep_in_step(None)
        partner.close()
        sender.close()
