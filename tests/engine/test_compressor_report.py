"""What the lab shows of the history compressor: the state after any number of symbols, and nothing of what comes later."""

import numpy as np
import pytest

from gradviz.compressor import START, HistoryCompressor, lag_sequence
from gradviz.compressor_report import BLOCKS, IN_SIGHT, compressor_report


@pytest.mark.parametrize(("lag", "read"), [(8, 1), (8, 137), (30, 32 * 20 + 5), (100, 102 * 9)])
def test_it_is_the_compressor_that_has_read_so_many_symbols(lag: int, read: int) -> None:
    sequence, names = lag_sequence(BLOCKS, lag, seed=3)
    compressor = HistoryCompressor()
    compression = compressor.compress(sequence[:read])
    found = compressor_report(lag, read, seed=3)
    assert (found.read, found.longest, found.names) == (read, len(sequence), names)
    assert found.upper_length == len(compression.times)
    np.testing.assert_array_equal(found.upper_times, compression.times[-IN_SIGHT:])
    np.testing.assert_array_equal(found.upper_symbols, compression.symbols[-IN_SIGHT:])
    np.testing.assert_array_equal(found.upper_predicted == found.upper_symbols, compression.predicted_above[-IN_SIGHT:])
    np.testing.assert_array_equal(found.symbols, sequence[:read][-IN_SIGHT:])
    np.testing.assert_array_equal(found.passed, found.predicted != found.symbols)
    below, above = compressor.lower.predict(), compressor.upper.predict()
    assert (found.next_below, found.next_above) == (START if below is None else below, START if above is None else above)
    whole = read // (lag + 2)
    assert len(found.shares) == whole
    if whole:
        whole_blocks = HistoryCompressor().compress(sequence[: whole * (lag + 2)])
        np.testing.assert_allclose(found.shares, whole_blocks.share_passed(whole))


def test_in_the_end_cue_and_answer_are_neighbours_and_the_upper_level_connects_them() -> None:
    early, late = compressor_report(100, 102 * 8, 0), compressor_report(100, 10**9, 0)
    assert (early.upper_length, early.distance_above, early.foreseen_above) == (102 * 8, 101, 0)
    assert late.read == late.longest == 102 * BLOCKS
    assert late.shares[-1] == pytest.approx(2 / 102)
    assert late.distance_above == 1
    assert (late.answers, late.foreseen_below, late.foreseen_above) == (10, 0, 10)
    assert (late.next_below, late.next_above) == (START, START)  # nothing comes any more


def test_before_the_first_symbol_nothing_is_known() -> None:
    found = compressor_report(8, 0, 0)
    assert (found.read, found.upper_length, found.answers, found.distance_above) == (0, 0, 0, 0)
    assert (len(found.symbols), len(found.upper_times), len(found.shares)) == (0, 0, 0)
    assert (found.next_below, found.next_above) == (START, START)


@pytest.mark.parametrize(("lag", "read"), [(0, 5), (201, 5), (8, -1)])
def test_what_cannot_be_read_is_refused(lag: int, read: int) -> None:
    with pytest.raises(ValueError, match="are possible"):
        compressor_report(lag, read, 0)
