"""The memory of a run: bounded, evenly thinned, exact in what it keeps, and without losing a spike."""

import numpy as np
import pytest

from gradviz.history import FEWEST_ROWS, MOST_ROWS, History

STEPS = 100_000


def fill(history: History, losses: np.ndarray, first: int = 1) -> None:
    for step, loss in enumerate(losses.tolist(), first):
        history.append(step, loss, np.array([step, 2.0 * step]), 3.0 * step, 4.0 * step)


@pytest.fixture(scope="module")
def losses() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1.0, STEPS)


@pytest.fixture(scope="module")
def long(losses: np.ndarray) -> History:
    history = History(np.array([4, 9]))
    fill(history, losses)
    return history


def test_a_hundred_thousand_steps_stay_bounded_and_even(long: History) -> None:
    table = long.table()
    assert MOST_ROWS // 2 <= len(table.steps) <= MOST_ROWS + 1
    assert (table.steps[0], table.steps[-1], table.provisional) == (1, STEPS, True)
    assert np.all(np.diff(table.steps[:-1]) == long.stride)
    assert 0 < STEPS - table.steps[-2] < long.stride


def test_rows_are_the_exact_record_of_their_step(long: History, losses: np.ndarray) -> None:
    table = long.table()
    assert np.array_equal(table.loss, losses[table.steps - 1])
    np.testing.assert_allclose(table.gradient_rms, np.outer(table.steps, [1 / 2, 2 / 3]), rtol=1e-15)
    assert np.array_equal(table.total_norms, np.outer(table.steps, [3, 4]))


def test_extremes_cover_every_step_since_the_row_before(long: History, losses: np.ndarray) -> None:
    table = long.table()
    starts = np.concatenate(([0], table.steps[:-1]))
    seen = losses[: table.steps[-1]]
    assert np.array_equal(table.loss_low, np.minimum.reduceat(seen, starts))
    assert np.array_equal(table.loss_high, np.maximum.reduceat(seen, starts))


@pytest.mark.parametrize("spike", [2, 2047, 2048, 2049, 4096, 40_001])
@pytest.mark.parametrize("value", [9.0, -9.0, np.nan, np.inf])
def test_a_single_spike_survives_thinning(spike: int, value: float) -> None:
    losses = np.ones(60_000)
    losses[spike - 1] = value
    history = History(np.array([1, 1]))
    fill(history, losses)
    table = history.table()
    row = int(np.searchsorted(table.steps, spike))
    kept = table.loss_low if value < 0 else table.loss_high
    assert kept[row] == pytest.approx(value, nan_ok=True)
    if np.isnan(value):
        assert np.isnan(table.loss_low[row])
    assert np.all(np.delete(kept, row) == 1.0)


def test_very_deep_nets_get_fewer_rows() -> None:
    deep = History(np.full(1001, 4))
    for step in range(1, 5001):
        deep.append(step, float(step), np.ones(1001), 1.0, 1.0)
    table = deep.table()
    assert FEWEST_ROWS <= len(table.steps) <= 1000
    assert np.all(np.diff(table.steps[:-1]) == deep.stride)
    assert table.steps[-1] == 5000
    assert np.array_equal(table.loss, table.steps)


def test_parts_join_to_the_whole() -> None:
    history = History(np.array([1, 1]))
    fill(history, np.arange(500.0))
    first = history.table()
    fill(history, np.arange(500.0, 900.0), first=501)
    rest, whole = history.table(after=500), history.table()
    assert np.array_equal(np.concatenate((first.steps, rest.steps)), whole.steps)
    assert np.array_equal(np.concatenate((first.loss, rest.loss)), whole.loss)


def test_tables_are_read_only_copies() -> None:
    history = History(np.array([1, 1]))
    fill(history, np.ones(3))
    table = history.table()
    fill(history, np.ones(3), first=4)
    assert len(table.steps) == 3
    with pytest.raises(ValueError, match="read-only"):
        table.loss[0] = 5.0


def test_test_losses_become_rarer_as_the_run_grows() -> None:
    history = History(np.array([1]))
    for step in range(STEPS):
        if history.wants_test(step):
            history.append_test(step, 0.5)
    table = history.table()
    assert table.test_steps[:3].tolist() == [0, 10, 20]
    assert len(table.test_steps) < 300
    assert history.last_test_loss == 0.5
