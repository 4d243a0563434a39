"""What goes between the window and the session; it knows no engine, so that the window need not load one."""

from __future__ import annotations

import msgspec

from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec


class Request(msgspec.Struct, frozen=True):
    """What the window wants to see, and which part of the history it has already."""

    run: int = -1
    stride: int = 0
    history_after: int = 0
    look: Look = Look()


class Event(msgspec.Struct, frozen=True):
    """Something the user has to be told: ``kind`` is "notice" or "error"."""

    kind: str
    text: str


class Frame(msgspec.Struct, frozen=True):
    """The answer to a `Request`; ``partial`` history continues what the window has."""

    snapshot: Snapshot
    run: int  # number of the line the run is on
    stride: int
    partial: bool
    executed: int  # commands carried out so far
    events: tuple[Event, ...] = ()
    settings: tuple[tuple[int, Spec], ...] = ()  # by which the run can be done again, when they were asked for; see `Experiment.settings`
