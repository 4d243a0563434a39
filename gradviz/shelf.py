"""The runs that were replaced and can be brought back, in bounded memory.

The one that was replaced last stays as it is, and so do those before it as long as there is room. Of the others only the bytes by which
`gradviz.keeping` takes a run up again are kept: it comes to the same. What is too large for that too is given up.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from gradviz.experiment import Experiment
from gradviz.memory import give_back_memory

MOST_SHELVED = 8  # runs
WHOLE_BYTES = 32_000_000  # of runs that stay as they are, beside the newest
FOLDED_BYTES = 32_000_000  # of the others


class _Folded(NamedTuple):
    body: bytes
    step: int  # where it stood
    phases: int

    @property
    def size(self) -> int:
        return len(self.body)


class Shelf:
    """Runs by their tickets."""

    def __init__(self) -> None:
        self._runs: OrderedDict[int, Experiment | _Folded] = OrderedDict()  # the one that was replaced last at the end

    def put(self, ticket: int, run: Experiment) -> None:
        """Keep a run; what there is no room for any more is folded or given up."""
        self._runs[ticket] = run
        self._runs.move_to_end(ticket)
        whole, folded, shrunk = 0, 0, False
        for place, older in enumerate(reversed(list(self._runs))):
            kept = self._runs[older]
            if isinstance(kept, Experiment):
                whole += kept.size if place else 0
                if whole <= WHOLE_BYTES and place < MOST_SHELVED:
                    continue
                shrunk = True
            smaller = _folded(kept) if isinstance(kept, Experiment) and place < MOST_SHELVED else kept
            if isinstance(smaller, _Folded) and folded + smaller.size <= FOLDED_BYTES and place < MOST_SHELVED:
                self._runs[older] = smaller
                folded += smaller.size
            else:
                del self._runs[older]
            del kept, smaller  # before the memory is given back
        if shrunk:
            give_back_memory()

    def take(self, ticket: int) -> Experiment | None:
        """Take the run of a ticket off the shelf, as it was; None when there is none, or none any more."""
        kept = self._runs.pop(ticket, None)
        return _unfolded(kept) if isinstance(kept, _Folded) else kept


def _folded(run: Experiment) -> _Folded | None:
    """The run as bytes; None where its checkpoints alone would be too many."""
    from gradviz.keeping import keep_run  # only now: the first frame does not need it

    states = run.states()
    if states and 2 * states[-1].size > FOLDED_BYTES:
        return None
    moment = run.moment
    step, phases = (run.step_count, 0) if moment is None else (moment.step - 1, moment.done)
    return _Folded(keep_run(run), step, phases)


def _unfolded(folded: _Folded) -> Experiment | None:
    from gradviz.keeping import KeepingError, take_up

    try:
        run = take_up(folded.body)
    except KeepingError:  # the file that it was trained on has gone
        return None
    run.go_to(folded.step, folded.phases)
    return run
