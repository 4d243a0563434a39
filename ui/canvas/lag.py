"""Lets colours follow with a short lag while a run plays at speed: mini-batches differ, and a flickering picture cannot be read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colors import LEVELS

LAG_SECONDS = 0.12


class Lag:
    """Follows levels exponentially; what is zero, unknown or not finite is shown at once, and at rest everything is exact."""

    def __init__(self) -> None:
        self._shown: NDArray[np.floating[Any]] = np.empty(0, np.float32)
        self._at = 0.0

    def follow(self, wanted: NDArray[np.uint8], now: float) -> NDArray[np.uint8]:
        """The levels to show ``now`` (seconds) on the way to ``wanted``; another number of levels begins anew."""
        target = wanted.astype(np.float32)
        if self._shown.shape != target.shape:
            self._shown = target
        else:
            share = 1.0 - math.exp(-max(0.0, now - self._at) / LAG_SECONDS)
            between = (wanted < LEVELS) & (self._shown < LEVELS)
            self._shown = np.where(between, self._shown + share * (target - self._shown), target)
        self._at = now
        return np.rint(self._shown).astype(np.uint8)
