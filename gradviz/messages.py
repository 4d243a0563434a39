"""What goes between the window and the session; it knows no engine, so that the window need not load one."""

from __future__ import annotations

import msgspec

from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec

Settings = tuple[tuple[int, Spec], ...]
"""What a run has been trained with: (after which step, the spec in force from then on), the first one at step 0."""


class Left(msgspec.Struct, frozen=True):
    """The line of a run that was left when a branch began, or the branch for which it was taken up again: what the ghost shows."""

    settings: Settings
    last_step: int
    fork: int  # the last step that both lines share
    returned: bool = False  # it is the branch, and the run is on the line that it once had left


class Request(msgspec.Struct, frozen=True):
    """What the window wants to see, and which part of the history it has already."""

    run: int = -1
    stride: int = 0
    history_after: int = 0
    look: Look = Look()
    at: int = 0  # of two engines that are in step: not before this step, as long as the run plays


class Event(msgspec.Struct, frozen=True):
    """Something the user has to be told.

    ``kind`` is "notice", "error" when a command was refused, "trouble" for an error that no command has made, or "progress":
    "step of-steps" of a run that is being opened.
    """

    kind: str
    text: str


class Tape(msgspec.Struct, frozen=True):
    """A recording that is being written of the run; ``watched``: one that grows elsewhere and is followed; ``ended``: one that was
    written until another run took the place of the one that it is of."""

    path: str
    step: int  # the last one on record
    size: int  # bytes
    watched: bool = False
    ended: bool = False


class Kept(msgspec.Struct, frozen=True):
    """A run as `gradviz.keeping` makes it, for the case that the engine dies."""

    run: int  # number of the line the run is on, as in `Frame`
    body: bytes
    seconds: float  # it took to make


class Frame(msgspec.Struct, frozen=True):
    """The answer to a `Request`; ``partial`` history continues what the window has."""

    snapshot: Snapshot
    run: int  # number of the line the run is on
    stride: int
    partial: bool
    executed: int  # commands carried out so far
    events: tuple[Event, ...] = ()
    settings: Settings | None = None  # None: as before, and so is the next one
    left: Left | None = None
    tape: Tape | None = None
    rest: float = 0.0  # seconds until the next one is welcome while the run plays, as measuring takes time from training
