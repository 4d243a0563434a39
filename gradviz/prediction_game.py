"""A game for a class: a change is announced, everybody guesses what becomes of the first layer's gradient, then both nets are trained.

Rounds are read from resources/game and hold no results: the right answer is measured in the two runs that follow. Nothing here knows
the screen.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from gradviz.changes import describe_change
from gradviz.nesting import decode_json
from gradviz.resources import RESOURCES
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec, SpecError

STEPS, LAST = 100, 25  # trained before it is measured; of which the median is taken over the newest
MOST_STEPS, MOST_VOTES = 5_000, 9_999
CLOSE = 1.25  # a ratio nearer than this factor to a boundary decides nothing


class Answer(NamedTuple):
    """Right when the new gradient is at least ``at_least`` and less than ``below`` times the old one."""

    text: str
    at_least: float
    below: float


ANSWERS = (
    Answer("÷ 1,000 or less", 0.0, 1e-3),
    Answer("÷ 10 to ÷ 1,000", 1e-3, 1e-1),
    Answer("about the same (within × 10)", 1e-1, 1e1),
    Answer("× 10 to × 1,000", 1e1, 1e3),
    Answer("× 1,000 or more", 1e3, math.inf),
    Answer("not a number", math.nan, math.nan),
)
NOT_A_NUMBER = len(ANSWERS) - 1


class Round(NamedTuple):
    """Two runs from the same seed, and how long they are trained before they are measured."""

    title: str
    spec: Spec
    changed: Spec
    steps: int = STEPS

    @property
    def change(self) -> str:
        """What is announced: "Activation: Sigmoid → ReLU"."""
        return describe_change(self.spec, self.changed)


class _RoundFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    spec: dict[str, Any]
    changes: dict[str, Any]
    steps: int = STEPS


class _GameFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rounds: tuple[_RoundFile, ...]


def read_rounds(path: Path) -> tuple[Round, ...]:
    """The rounds of a game file; raises SpecError naming the file, the round and what is wrong with it."""
    allowed = "rounds with title, spec, changes (fields by dotted names) and steps, as in resources/game/lecture.json"
    try:
        entries = decode_json(path.read_bytes(), _GameFile).rounds
    except (ValueError, OSError) as error:
        raise SpecError(f"the game {path.name}", str(error), allowed) from None
    if not entries:
        raise SpecError(f"the game {path.name}", "no rounds", allowed)
    return tuple(_round(f"round {number} of the game {path.name}", entry) for number, entry in enumerate(entries, 1))


def _round(place: str, entry: _RoundFile) -> Round:
    if not LAST <= entry.steps <= MOST_STEPS:
        raise SpecError(f"{place}: steps", entry.steps, f"a whole number from {LAST} to {MOST_STEPS:,}")
    try:
        spec = changed = Spec.from_dict(entry.spec)
        for path, value in entry.changes.items():
            changed = changed.replace(path, tuple(value) if isinstance(value, list) else value)
    except (ValueError, TypeError, AttributeError) as error:
        raise SpecError(place, str(error), "settings that a run can have") from None
    made = Round(entry.title, spec, changed, entry.steps)
    if spec == changed:
        raise SpecError(f"{place}: changes", entry.changes, "at least one value other than that of the spec")
    if not can_be_played(spec) or not can_be_played(changed):
        raise SpecError(f"{place}: spec", entry.spec, "a feed-forward net trained by back-propagation")
    return made


def can_be_played(spec: Spec) -> bool:
    """Whether there is a first layer whose gradient is on record at every step."""
    return not spec.network.recurrent and spec.training.method == "gradient"


def own_round(spec: Spec, changed: Spec) -> Round | None:
    """A round of the two runs that are being compared; None where they cannot be one."""
    never = [side.replace("training.stop_after", 0) for side in (spec, changed)]
    if never[0] == never[1] or not all(can_be_played(side) for side in never):
        return None
    return Round("Your own change", never[0], never[1])


@functools.cache
def lecture_rounds() -> tuple[Round, ...]:
    """The rounds that come with the program."""
    return read_rounds(RESOURCES / "game" / "lecture.json")


def rounds_from(title: str) -> tuple[Round, ...]:
    """The same rounds, beginning with the one of this title; raises ValueError when there is none."""
    rounds = lecture_rounds()
    titles = [item.title for item in rounds]
    if title not in titles:
        raise ValueError(f"no round {title!r}; there are {', '.join(titles)}")
    first = titles.index(title)
    return rounds[first:] + rounds[:first]


class Outcome(NamedTuple):
    """What was measured: (without, with) the change."""

    gradients: tuple[float, float]  # RMS of ∂J/∂W in the first layer, the median of the last steps; NaN after a failure
    factors: tuple[float, float]  # what it is multiplied by from layer to layer towards the input, the geometric mean
    failed_at: tuple[int | None, int | None]  # the step of the first number that was not finite

    @property
    def ratio(self) -> float:
        """The gradient with the change over that without it; NaN when either is no number or both are 0."""
        before, after = self.gradients
        if not before:
            return math.nan if not after or math.isnan(after) else math.inf
        return after / before

    @property
    def answer(self) -> int | None:
        """Position of the right answer; None when there are no two numbers to compare and the change is not what failed."""
        if self.failed_at[1] is not None and self.failed_at[0] is None:
            return NOT_A_NUMBER
        ratio = self.ratio
        if math.isnan(ratio):
            return None
        return next((number for number, answer in enumerate(ANSWERS) if answer.at_least <= ratio < answer.below), NOT_A_NUMBER - 1)

    @property
    def definite(self) -> bool:
        """Whether there is a right answer and no boundary between two answers is near."""
        if self.answer is None:
            return False
        bounds = [answer.below for answer in ANSWERS if math.isfinite(answer.below)]
        return not any(bound / CLOSE < self.ratio < bound * CLOSE for bound in bounds)


def measure(a: Snapshot, b: Snapshot, steps: int) -> Outcome:
    """What the records of both runs say about their last steps up to ``steps``."""
    (first, factor, failed), (other, other_factor, other_failed) = (_measure(side, steps) for side in (a, b))
    return Outcome((first, other), (factor, other_factor), (failed, other_failed))


def _measure(snapshot: Snapshot, steps: int) -> tuple[float, float, int | None]:
    if snapshot.failure is not None and snapshot.failure.step <= steps:
        return math.nan, math.nan, snapshot.failure.step
    history = snapshot.history
    rows = None if history is None else history.gradient_rms[(history.steps > steps - LAST) & (history.steps <= steps)]
    if rows is None or not rows.size:
        return math.nan, math.nan, None
    medians = np.median(rows, axis=0)
    first, last = float(medians[0]), float(medians[-1])
    gaps = len(medians) - 1
    factor = (first / last) ** (1.0 / gaps) if gaps and last > 0.0 and math.isfinite(first / last) else math.nan
    return first, factor, None


class Game:
    """One game: which round it is, how it was voted and what was measured."""

    def __init__(self, rounds: tuple[Round, ...]) -> None:
        """Raises ValueError without a round."""
        if not rounds:
            raise ValueError("a game has at least one round")
        self.rounds = rounds
        self.number = 0
        self.outcomes: list[Outcome] = []
        self._votes: list[list[int]] = [[]]  # of each round, in the order in which they came

    @property
    def round(self) -> Round:
        return self.rounds[self.number]

    @property
    def uncovered(self) -> bool:
        return len(self.outcomes) > self.number

    @property
    def outcome(self) -> Outcome | None:
        """What was measured in this round, once it is uncovered."""
        return self.outcomes[self.number] if self.uncovered else None

    @property
    def is_last(self) -> bool:
        return self.number == len(self.rounds) - 1

    @property
    def votes(self) -> tuple[int, ...]:
        """Of this round, how many for each answer."""
        return _counted(self._votes[self.number])

    def vote(self, answer: int) -> None:
        """Count one vote; once the answer is uncovered there are no more."""
        if not self.uncovered and len(self._votes[self.number]) < MOST_VOTES:
            self._votes[self.number].append(answer)

    def give(self, answer: int, count: int) -> None:
        """So many votes for an answer, as hands are counted: the last ones for it come or go."""
        votes = self._votes[self.number]
        more = count - votes.count(answer)
        for _ in range(min(more, MOST_VOTES - len(votes))):
            self.vote(answer)
        for _ in range(-more):
            self.take_back(answer)

    def take_back(self, answer: int | None = None) -> None:
        """Take the last vote back, or the last one for an answer."""
        votes = self._votes[self.number]
        if self.uncovered or not votes or (answer is not None and answer not in votes):
            return
        place = len(votes) - 1 if answer is None else len(votes) - 1 - votes[::-1].index(answer)
        del votes[place]

    def uncover(self, outcome: Outcome) -> None:
        """What was measured in this round; the first time counts."""
        if not self.uncovered:
            self.outcomes.append(outcome)

    def go_on(self) -> None:
        """The next round, if this one is uncovered and there is one."""
        if self.uncovered and not self.is_last:
            self.number += 1
            self._votes.append([])

    @property
    def score(self) -> Score:
        """Of all rounds so far in which somebody voted and there was a right answer."""
        rounds = right_rounds = votes = right_votes = 0
        for outcome, given in zip(self.outcomes, self._votes, strict=False):
            counts = _counted(given)
            if not given or outcome.answer is None:
                continue
            right = counts[outcome.answer]
            rounds += 1
            right_rounds += counts.count(max(counts)) == 1 and right == max(counts)
            votes += len(given)
            right_votes += right
        return Score(right_rounds, rounds, right_votes, votes)


class Score(NamedTuple):
    """``right_rounds`` are those in which more voted for the right answer than for any other."""

    right_rounds: int
    rounds: int
    right_votes: int
    votes: int


def _counted(votes: list[int]) -> tuple[int, ...]:
    return tuple(votes.count(answer) for answer in range(len(ANSWERS)))
