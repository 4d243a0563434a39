"""Lengths of several vectors at once, safe where a square leaves the range of the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Floats
from gradviz.clipping import norm


class Norms:
    """‖v‖ of each of several flat vectors, measured again and again as their contents change.

    Neither overflow nor underflow of the squares falsifies a norm: 1e200 does not become infinite, 1e-200 not 0.
    """

    def __init__(self, parts: Sequence[Floats]) -> None:
        self._parts = list(parts)
        dtype = self._parts[0].dtype if self._parts else np.dtype(np.float64)
        self._low, self._high = (1e-280, 1e300) if dtype == np.float64 else (1e-30, 1e36)
        self._squares = np.zeros(len(self._parts), dtype)
        # each dot product writes its own element: numbers that NumPy hands out one by one cost as much as the products themselves
        places = [self._squares[place : place + 1].reshape(()) for place in range(len(self._parts))]
        self._dots = [(part.dot, part, place) for part, place in zip(self._parts, places, strict=True)]

    def __call__(self) -> Floats:
        """(parts,) the norms, read-only."""
        for dot, part, place in self._dots:
            dot(part, place)
        squares = self._squares.tolist()
        found: Floats
        if min(squares, default=1.0) > self._low and max(squares, default=1.0) < self._high:
            found = np.sqrt(self._squares, dtype=np.float64)
        else:
            found = np.array([norm(part) for part in self._parts])
        found.flags.writeable = False
        return found


def norms(parts: Sequence[Floats]) -> Floats:
    """‖v‖ of each flat vector once; see `Norms`."""
    return Norms(parts)()


def row_norms(rows: Floats) -> Floats:
    """(n,) the norm of each of ``rows`` (n, …), also where its square leaves the range of the numbers; see `clipping.norm`."""
    flat = rows.reshape(len(rows), math.prod(rows.shape[1:]))  # there may be no rows
    squares = np.einsum("ij,ij->i", flat, flat)
    low, high = (1e-280, 1e300) if rows.dtype == np.float64 else (1e-30, 1e36)
    found: Floats = np.sqrt(squares, dtype=np.float64)
    for row in np.flatnonzero(~((squares > low) & (squares < high))):
        found[row] = norm(flat[row])
    return found
