"""The guessing game: its rounds are decided by what two runs measure, and votes are counted and taken back."""

import itertools
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gradviz import Experiment, Spec, SpecError
from gradviz.prediction_game import (
    ANSWERS,
    LAST,
    MOST_VOTES,
    NOT_A_NUMBER,
    Game,
    Outcome,
    Round,
    lecture_rounds,
    measure,
    own_round,
    read_rounds,
    rounds_from,
)
from gradviz.snapshot import Snapshot


def ran(spec: Spec, steps: int) -> Snapshot:
    experiment = Experiment(spec)
    while experiment.step_count < steps and experiment.trainer.failure is None:
        experiment.advance()
    return experiment.measure()


def played(item: Round) -> Outcome:
    return measure(ran(item.spec, item.steps), ran(item.changed, item.steps), item.steps)


def ratio(value: float) -> Outcome:
    return Outcome((1.0, value), (1.0, 1.0), (None, None))


def test_every_shipped_round_has_a_definite_answer_and_they_differ() -> None:
    outcomes = {item.title: played(item) for item in lecture_rounds()}
    assert {title for title, outcome in outcomes.items() if not outcome.definite} == set()
    answers = [outcome.answer for outcome in outcomes.values()]
    assert set(answers) == set(range(len(ANSWERS)))
    assert max(Counter(answers).values()) <= len(answers) // 3
    assert all(one != next_one for one, next_one in itertools.pairwise(answers))


def test_the_same_round_measures_the_same_every_time() -> None:
    item = lecture_rounds()[0]
    assert played(item) == played(item)


def test_a_round_is_announced_in_words_and_both_sides_have_one_seed() -> None:
    for item in lecture_rounds():
        assert "→" in item.change
        assert item.spec.training.seed == item.changed.training.seed


def test_the_gradient_is_the_median_of_the_last_steps_before_the_end_of_the_round() -> None:
    a, b = ran(Spec(), 130), ran(Spec().replace("network.activation", "tanh"), 130)
    found = measure(a, b, 100)
    assert a.history is not None
    assert found.gradients[0] == np.median(a.history.gradient_rms[100 - LAST : 100, 0])
    medians = np.median(a.history.gradient_rms[100 - LAST : 100], axis=0)
    assert found.factors[0] == pytest.approx((medians[0] / medians[-1]) ** (1 / (len(medians) - 1)))


@pytest.mark.parametrize(
    ("value", "answer", "definite"),
    [(0.0, 0, True), (9e-4, 0, False), (1e-3, 1, False), (0.5, 2, True), (1.0, 2, True), (9.5, 2, False), (500.0, 3, True), (1e9, 4, True)],
)
def test_which_answer_is_right(value: float, answer: int, definite: bool) -> None:
    assert (ratio(value).answer, ratio(value).definite) == (answer, definite)


def test_what_is_no_number_and_what_cannot_be_compared() -> None:
    nan = math.nan
    assert Outcome((1.0, nan), (1.0, nan), (None, 4)).answer == NOT_A_NUMBER
    assert Outcome((nan, 1.0), (nan, 1.0), (4, None)).answer is None
    assert Outcome((nan, nan), (nan, nan), (4, 4)).answer is None
    assert Outcome((0.0, 0.0), (nan, nan), (None, None)).answer is None
    assert Outcome((1.0, nan), (1.0, nan), (None, None)).answer is None  # the record does not reach so far
    born = Outcome((0.0, 1.0), (nan, 1.0), (None, None))
    assert (born.ratio, born.answer, born.definite) == (math.inf, 4, True)


def test_votes_are_counted_corrected_and_scored() -> None:
    game = Game(lecture_rounds()[:3])
    for answer in (4, 4, 2, 0):
        game.vote(answer)
    game.take_back()
    game.take_back(2)
    game.take_back(5)  # nobody voted for it
    assert game.votes == (0, 0, 0, 0, 2, 0)
    game.go_on()
    assert game.number == 0  # it is not uncovered yet
    game.uncover(ratio(1e5))
    game.vote(1)
    game.take_back()
    assert game.votes == (0, 0, 0, 0, 2, 0)
    game.go_on()
    game.vote(0)
    game.vote(1)
    game.uncover(ratio(0.05))
    assert game.score == (1, 2, 3, 4)  # as many were wrong as right: most were not right
    game.go_on()
    game.uncover(ratio(1.0))
    assert game.is_last
    game.go_on()
    assert game.number == 2
    assert game.score == (1, 2, 3, 4)  # nobody guessed


def test_a_round_of_ones_own() -> None:
    spec = Spec()
    assert own_round(spec, spec) is None
    assert own_round(spec, spec.replace("training.method", "evolution")) is None
    found = own_round(spec.replace("training.stop_after", 20), spec.replace("network.depth", 5))
    assert found is not None
    assert (found.change, found.spec.training.stop_after) == ("Hidden layers: 10 → 5", 0)


def write(folder: Path, **entry: object) -> Path:
    whole = {"title": "x", "spec": {}, "changes": {"network.depth": 5}} | entry
    path = folder / "own.json"
    path.write_text(json.dumps({"rounds": [whole]}))
    return path


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"steps": 3}, "round 1 of the game own.json: steps is 3"),
        ({"changes": {}}, "at least one value"),
        ({"changes": {"network.depth": 0}}, "network.depth is 0"),
        ({"changes": {"nonsense": 0}}, "nonsense"),
        ({"changes": {"network.colour": 0}}, "network.colour"),
        ({"spec": {"network": {"kind": "rnn"}, "data": {"name": "recall"}}, "changes": {"network.width": 5}}, "feed-forward"),
        ({"answer": 3}, "answer"),
        ({"title": None}, "title"),
    ],
)
def test_a_game_file_that_is_not_right_is_refused_in_words(tmp_path: Path, entry: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_rounds(write(tmp_path, **entry))
    assert said in str(caught.value) or said in repr(caught.value.value)


def test_a_game_file_without_rounds_or_without_sense(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    for content in (b"", b"[1, 2", b'{"rounds": []}', b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(SpecError, match=r"own\.json"):
            read_rounds(path)
    with pytest.raises(SpecError, match=r"missing\.json"):
        read_rounds(tmp_path / "missing.json")


def test_counted_hands_take_the_place_of_single_votes() -> None:
    game = Game(lecture_rounds()[:1])
    for answer in (0, 4, 0):
        game.vote(answer)
    game.give(0, 12)
    game.give(4, 0)
    game.give(2, 7)
    assert game.votes == (12, 0, 7, 0, 0, 0)
    game.give(0, 3)
    game.take_back()
    assert game.votes == (3, 0, 6, 0, 0, 0)
    game.give(1, MOST_VOTES)  # no more than there can be
    assert sum(game.votes) == MOST_VOTES
    game.uncover(ratio(1.0))
    game.give(0, 0)
    assert game.votes[0] == 3


def test_the_rounds_from_one_of_them_on_are_all_there() -> None:
    rounds = lecture_rounds()
    found = rounds_from(rounds[3].title)
    assert found[0] == rounds[3]
    assert set(found) == set(rounds)
    with pytest.raises(ValueError, match="no round 'nothing'"):
        rounds_from("nothing")
