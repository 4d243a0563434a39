"""Colours follow with a lag at speed, but nothing that has a mark of its own is blended."""

import numpy as np

from ui.canvas.lag import Lag
from ui.colors import NONFINITE, ZERO


def level(lag: Lag, wanted: int, now: float) -> int:
    return int(lag.follow(np.array([wanted], np.uint8), now)[0])


def test_a_level_moves_a_part_of_the_way_and_arrives() -> None:
    lag = Lag()
    assert level(lag, 20, 0.0) == 20
    halfway = level(lag, 220, 0.05)
    assert 20 < halfway < 220
    assert halfway < level(lag, 220, 0.1) < 220
    assert level(lag, 220, 2.0) == 220


def test_zero_and_nan_come_and_go_at_once() -> None:
    lag = Lag()
    level(lag, 100, 0.0)
    assert level(lag, ZERO, 0.01) == ZERO
    assert level(lag, 150, 0.02) == 150
    assert level(lag, NONFINITE, 0.03) == NONFINITE


def test_another_net_begins_anew() -> None:
    lag = Lag()
    lag.follow(np.full(5, 10, np.uint8), 0.0)
    np.testing.assert_array_equal(lag.follow(np.full(7, 200, np.uint8), 0.01), np.full(7, 200))
