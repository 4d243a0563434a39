"""The sequence tasks: what they ask, and that the same seed asks the same."""

import numpy as np
import pytest

from gradviz.sequences import ADDING_BASELINE, adding, recall


def test_recall_asks_for_the_first_symbol() -> None:
    data = recall(400, lag=30, symbols=3, noise_symbols=5)
    assert data.inputs.shape == (400, 31, 8)
    assert data.inputs.dtype == np.float64
    assert (data.inputs.sum(axis=2) == 1.0).all()
    assert data.classes == 3
    assert len(data.feature_names) == 8
    shown = data.inputs.argmax(axis=2)
    assert np.array_equal(shown[:, 0], data.targets)
    assert shown[:, 1:].min() == 3
    assert shown[:, 1:].max() == 7
    assert np.bincount(data.targets).min() > 100
    # the noise says nothing about the answer
    shares = [data.inputs[data.targets == target, 1:, 3:].mean(axis=(0, 1)) for target in range(3)]
    np.testing.assert_allclose(shares, 0.2, atol=0.03)


def test_a_longer_lag_leaves_the_symbols() -> None:
    assert np.array_equal(recall(50, 5).targets, recall(50, 500).targets)
    assert recall(50, 0).inputs.shape == (50, 1, 12)


def test_adding_asks_for_the_sum_of_the_marked_numbers() -> None:
    data = adding(2000, time=20)
    assert data.inputs.shape == (2000, 20, 2)
    assert data.classes == 0
    numbers, marks = data.inputs[..., 0], data.inputs[..., 1]
    assert set(np.unique(marks)) == {0.0, 1.0}
    assert (marks[:, :10].sum(axis=1) == 1).all()
    assert (marks[:, 10:].sum(axis=1) == 1).all()
    assert marks.any(axis=0).all()
    np.testing.assert_allclose((numbers * marks).sum(axis=1), data.targets)
    assert np.mean((data.targets - 1.0) ** 2) == pytest.approx(ADDING_BASELINE, abs=0.01)
    assert (adding(100, time=3).inputs[..., 1].sum(axis=1) == 2).all()


def test_same_seed_same_sequences() -> None:
    for one, other, third in ((recall(20, 9, seed=s) for s in (4, 4, 5)), (adding(20, 9, seed=s) for s in (4, 4, 5))):
        assert np.array_equal(one.inputs, other.inputs)
        assert np.array_equal(one.targets, other.targets)
        assert not np.array_equal(one.inputs, third.inputs)


def test_sizes_that_make_no_task_are_named() -> None:
    for name, arguments in (("samples", (0, 5)), ("lag", (5, -1)), ("symbols", (5, 5, 1)), ("noise_symbols", (5, 5, 2, 0))):
        with pytest.raises(ValueError, match=rf"^{name} is"):
            recall(*arguments)
    with pytest.raises(ValueError, match=r"^time is 1"):
        adding(5, 1)
