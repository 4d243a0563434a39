"""One line of a run: what was recorded of it, its checkpoints, and the settings that were in force when."""

from __future__ import annotations

import itertools

import msgspec

from gradviz.checkpoints import Checkpoints
from gradviz.data import Data
from gradviz.history import History
from gradviz.spec import Spec

_numbers = itertools.count(1)


class Settings(msgspec.Struct, frozen=True):
    """What was in force from after ``step`` on."""

    step: int
    spec: Spec
    data: Data


class Line:
    """A run from its first step to ``last_step``; a branch shares its beginning with the line it left.

    ``number`` tells lines apart: no two have the same.
    """

    def __init__(self, spec: Spec, data: Data, history: History, checkpoints: Checkpoints) -> None:
        self.number = next(_numbers)
        self.history, self.checkpoints = history, checkpoints
        self.settings = [Settings(0, spec, data)]
        self.last_step = 0
        self.parent, self.branch_step = 0, 0  # the line it has left, and after which step

    def change(self, spec: Spec, data: Data) -> None:
        """Note that other settings are in force from here on."""
        self.settings.append(Settings(self.last_step, spec, data))

    def branch(self, step: int, settings: int, history: History) -> Line:
        """A new line that leaves this one after ``step``, when the first ``settings`` + 1 settings had been in force."""
        first = self.settings[0]
        line = Line(first.spec, first.data, history, self.checkpoints.until(step))
        line.settings = self.settings[: settings + 1]
        line.last_step = step
        line.parent, line.branch_step = self.number, step
        return line

    def fork(self, other: Line) -> int:
        """The last step that this line shares with another one, of which one has left the other."""
        return self.branch_step if self.parent == other.number else other.branch_step
