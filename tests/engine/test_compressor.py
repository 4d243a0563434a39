"""The history compressor: what is predicted is not passed on, and nothing is lost by that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.compressor import HistoryCompressor, Predictor, expand, lag_sequence, spell

LAG = 100


def test_the_upper_sequence_is_much_shorter_after_learning() -> None:
    sequence, _ = lag_sequence(60, LAG, seed=0)
    compressor = HistoryCompressor()
    first = compressor.compress(sequence)
    second = compressor.compress(sequence)
    shares = first.share_passed(6)
    assert shares[0] > 0.8  # it has to be sure first
    assert shares[-1] < 0.03  # 2 of 102 symbols of a block cannot be known from the one before
    assert second.ratio > 40 > 5 * first.ratio
    assert set(second.symbols.tolist()) <= {0, 1, LAG + 2, LAG + 3}  # none of the b


def test_what_lay_far_apart_are_neighbours_above_and_the_upper_level_connects_them() -> None:
    compressor = HistoryCompressor()
    compressor.compress(lag_sequence(80, LAG, seed=0)[0])
    later = compressor.compress(lag_sequence(40, LAG, seed=1)[0])
    answers = np.flatnonzero(later.symbols >= LAG + 2)
    assert len(answers) > 30
    assert later.predicted_above[answers].mean() > 0.8
    assert not later.predicted_above[later.symbols < 2].all()  # the first symbol of a block is drawn by lot
    distances = np.diff(later.times)[answers - 1]
    assert distances.max() == LAG + 1  # one step above, this many below


def test_the_original_comes_back_exactly() -> None:
    compressor = HistoryCompressor()
    for seed in range(3):
        sequence, _ = lag_sequence(20, 10, seed)
        before = compressor.lower.copy()
        assert np.array_equal(expand(compressor.compress(sequence), before), sequence)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=120), st.integers(1, 3), st.integers(1, 4))
def test_any_sequence_comes_back_exactly(sequence: list[int], order: int, trust: int) -> None:
    compressor = HistoryCompressor(order, trust)
    for _ in range(2):  # the second time with what was learnt the first time
        before = compressor.lower.copy()
        passed = compressor.compress(sequence)
        assert expand(passed, before).tolist() == sequence
        assert passed.length == len(sequence)
        assert [sequence[time] for time in passed.times] == passed.symbols.tolist()


def test_another_predictor_cannot_rebuild_it() -> None:
    sequence, _ = lag_sequence(30, 5, seed=0)
    compressor = HistoryCompressor()
    compressor.compress(sequence)
    with pytest.raises(ValueError, match="predicts nothing there"):
        expand(compressor.compress(sequence), Predictor())


def test_reading_symbol_by_symbol_is_the_same_as_at_once() -> None:
    sequence, _ = lag_sequence(20, 5, seed=2)
    whole = HistoryCompressor(order=2).compress(sequence)
    stepped = HistoryCompressor(order=2)
    reads = [stepped.read(int(symbol)) for symbol in sequence]
    assert [read.time for read in reads if read.passed_on] == whole.times.tolist()
    assert [read.time for read in reads] == list(range(len(sequence)))
    assert all(read.predicted == read.symbol and read.predicted_above is None for read in reads if not read.passed_on)


def test_a_wrong_prediction_is_passed_on_and_unlearnt() -> None:
    compressor = HistoryCompressor(trust=3)
    for _ in range(5):
        compressor.read(0)
    wrong = compressor.read(1)
    assert (wrong.predicted, wrong.passed_on) == (0, True)
    compressor.begin()
    compressor.read(0)
    assert compressor.read(0).predicted is None


def test_more_context_predicts_what_less_cannot() -> None:
    sequence = [0, 0, 1] * 60
    assert HistoryCompressor(order=2).compress(sequence).ratio > 2 * HistoryCompressor(order=1).compress(sequence).ratio


def test_numbers_at_the_borders() -> None:
    empty = HistoryCompressor().compress([])
    assert np.isnan(empty.ratio)
    assert np.isnan(empty.share_passed(2)).all()
    compressor = HistoryCompressor(trust=1)
    compressor.compress([0, 0])
    compressor.compress([0, 0])
    assert compressor.compress([0, 0]).ratio == np.inf
    with pytest.raises(ValueError, match="count from 0"):
        compressor.read(-1)
    with pytest.raises(ValueError, match="at least 1"):
        Predictor(order=0)


def test_the_sequence_is_drawn_by_the_seed() -> None:
    sequence, names = lag_sequence(3, 2, seed=0)
    assert len(sequence) == 12
    assert np.array_equal(sequence, lag_sequence(3, 2, seed=0)[0])
    assert {spell(block, names) for block in lag_sequence(40, 2, seed=1)[0].reshape(-1, 4)} == {"a b1 b2 A", "x b1 b2 X"}
