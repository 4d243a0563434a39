"""Two engines in step: neither runs away from the other, both answer at one step, and who cannot go on holds nobody back."""

from typing import Any

import numpy as np
import pytest

from gradviz import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.messages import Frame, Request
from gradviz.pace import LEAD, MEETING, NUMBERS, RUNS, STANDING_SECONDS, STEP, Pace, in_step, name_meeting
from gradviz.session import Session
from gradviz.snapshot import Look

SMALL = Spec(NetworkSpec(depth=2, width=3), DataSpec(samples=40), TrainingSpec(batch_size=8))
DIVERGING = SMALL.replace("network.activation", "identity").replace("training.learning_rate", 1000.0)


class Watched(list[int]):
    """Shared numbers that know the largest lead there was."""

    most = 0

    def __setitem__(self, place: Any, number: Any) -> None:
        super().__setitem__(place, number)
        self.most = max(self.most, *self[LEAD : LEAD + 2])


def pair(first: Spec = SMALL, second: Spec = SMALL) -> tuple[Watched, Session, Session]:
    numbers = Watched([0] * NUMBERS)
    sessions = Session(first), Session(second)
    for side, session in enumerate(sessions):
        session.keep_in_step(numbers, side)
    return numbers, *sessions


def ask(session: Session, **request: Any) -> Frame | None:
    return session.answer(Request(look=Look(prediction=False), **request))


def test_neither_runs_away_and_both_come_along() -> None:
    numbers, a, b = pair()
    a.execute("play")
    b.execute("play")
    for _ in range(20):
        for session, other in ((a, b), (b, a)):
            session.run(600.0)  # comes back when it has to wait
            ahead = session.experiment.step_count - other.experiment.step_count
            assert 1 <= ahead <= numbers.most
            assert session.wait_seconds()
    assert min(a.experiment.step_count, b.experiment.step_count) > 20
    assert numbers[STEP : STEP + 2] == [a.experiment.step_count, b.experiment.step_count]


@pytest.mark.parametrize(("steps", "running", "expected"), [((50, 58), (1, 1), True), ((50, 70), (1, 1), False), ((50, 50), (1, 0), False)])
def test_in_step_is_who_runs_and_need_not_catch_up(steps: tuple[int, int], running: tuple[int, int], expected: bool) -> None:
    numbers = [0] * NUMBERS
    numbers[STEP : STEP + 2], numbers[RUNS : RUNS + 2], numbers[LEAD : LEAD + 2] = steps, running, (4, 5)
    assert in_step(numbers) == expected


@pytest.mark.parametrize("why", ["paused", "failed", "at its end", "left"])
def test_who_does_not_run_holds_nobody_back(why: str) -> None:
    numbers, a, b = pair(second=DIVERGING if why == "failed" else SMALL.replace("training.stop_after", 3 if why == "at its end" else 0))
    a.execute("play")
    b.execute("play")
    if why == "paused":
        b.execute("pause")
    elif why == "left":
        b.keep_in_step(None)
        a.keep_in_step(None)
    else:
        a.run(0.05)
        b.run(0.5)
        assert not b.playing
    assert not in_step(numbers) or why == "left"
    before = a.experiment.step_count
    a.run(0.1)
    assert a.experiment.step_count > before + max(numbers[LEAD : LEAD + 2])


def test_both_answer_at_the_step_they_were_asked_for() -> None:
    numbers, a, b = pair()
    for session in (a, b):
        session.execute("play")
        session.run(0.001)
    meeting = name_meeting(numbers, 3)
    line = {session: session.experiment.line for session in (a, b)}
    answers: dict[Session, Frame] = {}
    for _ in range(50):
        for session in (a, b):
            if session not in answers and (frame := ask(session, at=meeting, run=line[session])) is not None:
                answers[session] = frame
            session.run(0.004)
            assert session in answers or session.experiment.step_count <= meeting
        if len(answers) == 2:
            break
    assert [answers[session].snapshot.step for session in (a, b)] == [meeting, meeting]
    assert answers[a].snapshot.loss == answers[b].snapshot.loss
    assert answers[a].rest > 0
    a.run(0.02)
    assert a.experiment.step_count > meeting


def test_nobody_stands_at_a_meeting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [0] * NUMBERS
    now = [100.0]
    monkeypatch.setattr("gradviz.pace.time.perf_counter", lambda: now[0])
    pace = Pace(numbers, 0)
    numbers[MEETING] = 5
    assert not pace.waits(4)
    assert pace.waits(5)
    now[0] += 2 * STANDING_SECONDS
    assert not pace.waits(5)
    numbers[MEETING] = 6
    assert pace.waits(6)
    pace.met(6)
    assert not pace.waits(6)


def test_who_is_behind_does_not_wait_for_the_clock() -> None:
    numbers, a, _ = pair()
    numbers[STEP + 1], numbers[RUNS + 1], numbers[LEAD + 1] = 50, 1, 1
    a.execute("set_speed", 0.001)
    a.execute("play")
    a.run(5.0)
    assert 49 <= a.experiment.step_count <= 51


def test_a_run_that_begins_anew_answers_at_once() -> None:
    _, a, _ = pair()
    a.execute("play")
    a.run(0.01)
    line = a.experiment.line
    assert ask(a, at=10_000_000, run=line) is None
    a.execute("restart", SMALL, 1)
    frame = ask(a, at=10_000_000, run=line)
    assert frame is not None
    assert frame.snapshot.step == 0


def test_in_step_trains_the_same_numbers() -> None:
    _, a, b = pair(second=SMALL.replace("network.activation", "tanh"))
    for session in (a, b):
        session.execute("play")
    while min(a.experiment.step_count, b.experiment.step_count) < 100:
        a.run(0.004)
        b.run(0.004)
    alone = Session(SMALL)
    for _ in range(a.experiment.step_count):
        alone.execute("step")
    assert np.array_equal(alone.experiment.network.vector, a.experiment.network.vector)
