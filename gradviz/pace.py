"""How two engines keep in step: each says where it stands, and neither gets further ahead than so many steps as take a blink.

What they know of each other is a handful of numbers in memory that both can reach. Whoever looks at both names a step in
it at which each stands still until it has been asked for its picture, so that two pictures belong to one step.
"""

from __future__ import annotations

import time
from typing import Protocol

SIDES = 2
STEP, RUNS, LEAD, MEETING = 0, SIDES, 2 * SIDES, 3 * SIDES  # where in the memory; the meeting is for both, and 0 is none
NUMBERS = MEETING + 1
LEAD_SECONDS = 0.03  # worth of steps that a side may be ahead, so that not every pause of one stops the other
STANDING_SECONDS = 0.05  # at a meeting at the most: the engine does not wait for who has gone away
SHARE = 0.05  # of the newest step in the average time of a step
WAIT_SECONDS = 0.0005  # between two looks at the other side


class Numbers(Protocol):
    """Integers that both engines, and who looks at them, read and write; each is written by one of them."""

    def __getitem__(self, place: int, /) -> int: ...

    def __setitem__(self, place: int, number: int, /) -> None: ...


class Pace:
    """One side's part of it."""

    def __init__(self, numbers: Numbers, side: int) -> None:
        """``side`` is 0 or 1."""
        self._numbers, self._side, self._other = numbers, side, 1 - side
        self._stands = (-1, 0.0)  # at which meeting, and until when
        self._seconds = 0.0  # that a step takes, averaged over the last ones
        numbers[LEAD + side] = 1

    def tell(self, step: int, running: bool) -> None:
        """Say where this side stands; one that is not running holds nobody back."""
        self._numbers[STEP + self._side] = step
        self._numbers[RUNS + self._side] = running

    def learn(self, seconds_per_step: float) -> None:
        """Take over how long a step has taken."""
        self._seconds += (seconds_per_step - self._seconds) * (SHARE if self._seconds else 1.0)
        self._numbers[LEAD + self._side] = max(1, int(LEAD_SECONDS / self._seconds))

    def waits(self, step: int) -> bool:
        """Whether this side, standing at ``step``, must not go on yet."""
        numbers = self._numbers
        if step and numbers[MEETING] == step and self._stays(step):
            return True
        ahead = step - numbers[STEP + self._other]
        return ahead >= numbers[LEAD + self._side] and bool(numbers[RUNS + self._other])

    def is_behind(self, step: int) -> bool:
        """Whether this side has to catch up, whatever speed was asked for."""
        numbers = self._numbers
        return bool(numbers[RUNS + self._other]) and numbers[STEP + self._other] - step > numbers[LEAD + self._other]

    def met(self, step: int) -> None:
        """The picture of this step has been made: the side may go on."""
        self._stands = step, 0.0

    def _stays(self, step: int) -> bool:
        now = time.perf_counter()
        if self._stands[0] != step:
            self._stands = step, now + STANDING_SECONDS
        return now < self._stands[1]


def in_step(numbers: Numbers) -> bool:
    """Whether both sides run, and neither has to catch up."""
    if not all(numbers[RUNS + side] for side in range(SIDES)):
        return False
    # twice, as the lead shrinks when steps become slower
    return abs(numbers[STEP] - numbers[STEP + 1]) <= 2 * max(numbers[LEAD], numbers[LEAD + 1])


def name_meeting(numbers: Numbers, ahead: int) -> int:
    """Name a step a little (``ahead``) before both sides, at which both are to meet; returns it."""
    numbers[MEETING] = meeting = max(numbers[STEP], numbers[STEP + 1]) + ahead
    return meeting
