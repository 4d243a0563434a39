"""States of a run from which it can be taken up again bit for bit, kept in bounded memory: thinned evenly over the run.

Between two of them a run is replayed, which is exact because it is deterministic.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from gradviz.arrays import Floats
from gradviz.snapshot import Failure

BYTES_AT_MOST = 40_000_000  # of one line's checkpoints, beside its first state
STATES_AT_MOST = 4096
RECENT_BYTES = 8_000_000  # of the newest states, kept without gaps so that the next step back is near
RECENT_AT_MOST = 8
REPLAY_WORK = 2e8  # multiply-adds between two states at first: some 10 ms
WIDEST_START = 16  # steps between two states at first, however small the network


class BatchState(msgspec.Struct, frozen=True):
    """Where the order of the mini-batches stands."""

    generator: Mapping[str, Any]  # the random generator before it drew this epoch's order
    drawn: bool  # whether the order has been drawn
    next: int  # position of the next mini-batch in it


class State(msgspec.Struct, frozen=True):
    """Everything that the steps to come depend on; the arrays are copies that nobody writes to."""

    steps: int
    settings: int  # how many changes of the settings came before
    vector: Floats  # all parameters
    memories: tuple[Floats, ...]  # the optimiser's
    optimizer_steps: int
    running: tuple[Floats, ...]  # batch norm's running means and variances
    batches: BatchState
    failure: Failure | None
    slices: Mapping[str, slice]  # parameter's name -> its place in the vector
    method: Any = None  # what a method other than plain back-propagation has to know beside it
    method_bytes: int = 0

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return self.vector.nbytes + sum(array.nbytes for array in (*self.memories, *self.running)) + self.method_bytes


class Checkpoints:
    """The states of one line, in order of their steps: the first one, an even choice, and the newest few."""

    def __init__(self, work: float) -> None:
        """``work``: multiply-adds of one training step."""
        self.stride = int(np.clip(REPLAY_WORK // max(1.0, work), 1, WIDEST_START))
        self._grid = self.stride  # distance of those that are kept for good
        self._states: list[State] = []
        self._recent: list[State] = []

    def wants(self, step: int) -> bool:
        """Whether the state after this many steps should be kept."""
        return step % self.stride == 0

    def keep(self, state: State) -> None:
        """Keep the state; it must be of a later step than all before."""
        if not self._states:
            self._states.append(state)
            return
        self._recent.append(state)
        del self._recent[: max(0, len(self._recent) - max(1, min(RECENT_AT_MOST, RECENT_BYTES // state.size)))]
        if state.steps % self._grid:
            return
        self._states.append(state)
        most = max(1, min(STATES_AT_MOST, BYTES_AT_MOST // state.size))
        while len(self._states) > most + 1:
            self._grid *= 2
            self._states[1:] = [kept for kept in self._states[1:] if kept.steps % self._grid == 0]

    def revisit(self, step: int, state: Callable[[], State]) -> None:
        """Keep the state of a step that is replayed among the newest, if it is not kept any more: who goes back often goes on."""
        place = bisect.bisect_left(self._recent, step, key=lambda kept: kept.steps)
        if place < len(self._recent) and self._recent[place].steps == step:
            return
        made = state()
        self._recent.insert(place, made)
        surplus = len(self._recent) - max(1, min(RECENT_AT_MOST, RECENT_BYTES // made.size))
        # those farthest from where one is now go first
        for _ in range(surplus):
            oldest_is_farther = step - self._recent[0].steps >= self._recent[-1].steps - step
            self._recent.pop(0 if oldest_is_farther else -1)

    def before(self, step: int) -> State | None:
        """The newest state of fewer steps than ``step`` (the first one also for step 0); None when there is none at all."""
        found = None
        for states in (self._states, self._recent):
            place = bisect.bisect_left(states, step, key=lambda state: state.steps)
            if place and (found is None or states[place - 1].steps > found.steps):
                found = states[place - 1]
        return found or (self._states[0] if self._states else None)

    def all(self) -> list[State]:
        """All states, the first one first."""
        last = self._states[-1].steps if self._states else -1
        return self._states + [state for state in self._recent if state.steps > last]

    def until(self, step: int) -> Checkpoints:
        """The states up to ``step``, for a branch that begins there; the arrays are shared, not copied."""
        branch = Checkpoints(1.0)
        branch.stride, branch._grid = self.stride, self._grid
        branch._states = [state for state in self._states if state.steps <= step]
        branch._recent = [state for state in self._recent if state.steps <= step]
        return branch

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(state.size for state in {id(state): state for state in (*self._states, *self._recent)}.values())
