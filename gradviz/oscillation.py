"""Where the loss jumps up and down instead of settling, as ranges of steps that a curve can mark.

Every loss that is measured on mini-batches jitters; direction changes alone say nothing. What mini-batches of a net that
learns do not do is to reach well above the loss of guessing again and again, so that is what counts here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats

WINDOW, HOP = 20, 5  # rows that are looked at together, and how far one such window lies behind the one before
ABOVE = 1.2  # × the scale: what one loss of ten must exceed …
SWING = 0.5  # × the scale, or × the median where that is higher: … and how far from low to high
LASTING = 2 * WINDOW  # rows; what is over sooner was one spike
TURNS = 0.3  # share of rows at which the curve turns; a trend, however steep, turns seldom


def oscillating_ranges(
    steps: NDArray[np.int64], loss: Floats, loss_low: Floats, loss_high: Floats, guessing: float | None = None
) -> list[tuple[int, int]]:
    """The (first step, last step) of each stretch in which the loss oscillates, in order and apart.

    Args:
        steps, loss, loss_low, loss_high: (rows,) as in `HistoryTable`: the loss of that step, and its extremes since the row before.
        guessing: the loss of guessing, the scale of what is large; where it is unknown or 0, the median of the first losses.
    """
    scale = guessing if guessing is not None and guessing > 0 else float(np.median(loss[:10])) if len(loss) else 0.0
    if len(loss) < WINDOW or not scale > 0:
        return []
    starts = np.arange(0, len(loss) - WINDOW + 1, HOP)
    seen = np.lib.stride_tricks.sliding_window_view(np.stack((loss, loss_low, loss_high)), WINDOW, axis=1)[:, starts]
    with np.errstate(all="ignore"):
        values, lows, highs = np.where(np.isfinite(seen).all(axis=(0, 2), keepdims=True), seen, 0.0)
        median = np.median(values, axis=1)
        low = np.minimum(np.quantile(values, 0.1, axis=1), np.median(lows, axis=1))
        high = np.maximum(np.quantile(values, 0.9, axis=1), np.median(highs, axis=1))
        half = WINDOW // 2
        drift = np.abs(np.median(values[:, :half], axis=1) - np.median(values[:, half:], axis=1))
        rises = np.diff(values, axis=1) > 0
        turns = (rises[:, 1:] != rises[:, :-1]).mean(axis=1)
    swing = high - low
    found = (high > ABOVE * scale) & (swing > SWING * np.maximum(scale, median)) & (drift < swing / 2) & (turns > TURNS)
    ranges: list[tuple[int, int]] = []  # in rows
    for start in starts[found].tolist():
        first = ranges.pop()[0] if ranges and start < ranges[-1][1] else start
        ranges.append((first, start + WINDOW))
    return [(int(steps[first]), int(steps[end - 1])) for first, end in ranges if end - first >= LASTING]
