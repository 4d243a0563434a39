"""The run so far as a table: what a snapshot carries, and what a lab view compares."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats


class HistoryTable(msgspec.Struct, frozen=True):
    """The run so far, thinned evenly: row i belongs to step ``steps[i]``; the first row is step 1, the last one the newest step.

    ``loss_low`` and ``loss_high`` are the extremes since the row before, so that no spike is lost by thinning.
    """

    steps: NDArray[np.int64]  # (rows,)
    loss: Floats  # (rows,) exact training loss of that step
    loss_low: Floats
    loss_high: Floats
    gradient_rms: Floats  # (rows, layers) before clipping
    total_norms: Floats  # (rows, 2) global gradient norm before and after clipping
    test_steps: NDArray[np.int64]  # (measurements,) steps after which the test loss was measured
    test_loss: Floats  # (measurements,)
    changes: tuple[tuple[int, str], ...] = ()  # (step, what was changed while running)
    provisional: bool = False  # whether the last row is that of the newest step, which the next table replaces
    # (rows, 5) of the genetic algorithm, whose ``loss`` is that of the best individual so far: quartile, median and quartile of the
    # losses of that generation, σ of its mutations after it was evaluated, share of its mutations that succeeded
    population: Floats | None = None
