"""Means over Gaussian sums that batch norm normalises, for the way forward and back (Yang et al. 2019).

Each unit's sums over the batch are one draw of a Gaussian vector, and batch norm binds its entries together: what goes back is not a
product entry by entry any more, and a unit's derivative contains 1/σ of its own draw. So gradients grow with every layer.
"""

from __future__ import annotations

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.gaussian_means import Means
from gradviz.layers import BATCH_NORM_EPSILON


class Normalised:
    """Batch norm over a batch of Gaussian sums x, and the activation after it: for these there are no formulas, so that they are drawn.

    Where layers are linear and the inputs few, x keeps as few dimensions through the whole net, the mean of 1/σ² exists in no layer,
    and the theory is no more than an order of magnitude: a decade off in 20 layers of 64 units, four in 30 of 256.

    Attributes:
        covariance: (batch, batch) E[y yᵀ] of what batch norm gives to the activation.
        means: as of any layer.
    """

    def __init__(self, covariance: Floats, activation: str, draws: Floats, largest_of: int) -> None:
        count = draws.shape[1]
        x = root(covariance) @ draws
        x -= x.mean(axis=0)
        factors = 1.0 / np.sqrt(np.square(x).mean(axis=0) + BATCH_NORM_EPSILON)
        self._y = x * factors
        self._squares = factors**2
        if largest_of:
            # of few inputs some draws have next to no variance: the mean of 1/σ² does not exist, the largest one among the units does
            self._squares = np.minimum(self._squares, np.quantile(self._squares, 1.0 - 1.0 / largest_of))
        value, self._slopes = ACTIVATIONS[activation].function(self._y), ACTIVATIONS[activation].derivative(self._y)
        self.covariance = self._y @ self._y.T / count
        self.means = Means(value @ value.T / count, self._slopes @ self._slopes.T / count, value.mean(axis=1))

    def backward(self, upstream: Floats) -> Floats:
        """E[∂L/∂x ∂L/∂xᵀ] for E[∂L/∂h ∂L/∂hᵀ] (batch, batch): ∂L/∂x = (δ − mean(δ) − y · mean(δ y)) / σ with δ = f′(y) · ∂L/∂h."""
        y, slopes, squares = self._y, self._slopes, self._squares
        batch, count = y.shape
        plain = upstream * ((slopes * squares) @ slopes.T)
        plain = plain - plain.mean(axis=0)
        plain = plain - plain.mean(axis=1, keepdims=True)
        along = slopes * (upstream @ (slopes * y))  # E[δ δᵀ] y
        crossed = ((along - along.mean(axis=0)) * squares) @ y.T / batch
        twice = (y * (squares * (y * along).sum(axis=0) / batch**2)) @ y.T
        found: Floats = (plain - crossed - crossed.T + twice) / count
        return found


def root(covariance: Floats) -> Floats:
    """(batch, batch) R with R Rᵀ = the covariance, which may be singular."""
    size = float(np.abs(covariance).max()) or 1.0  # the squares of large numbers would be too large
    values, vectors = np.linalg.eigh(covariance / size)
    found: Floats = vectors * np.sqrt(np.maximum(values, 0.0) * size)
    return found
