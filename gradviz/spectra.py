"""What the Jacobian view of the lab shows: singular values of a net's maps and of their products, read-only.

They are kept as log10: of a deep product they can lie hundreds of powers of ten below what a floating-point number holds.
"""

from __future__ import annotations

import msgspec
import numpy as np

from gradviz.arrays import Floats


class Spectrum(msgspec.Struct, frozen=True):
    """The singular values of one matrix, or of a product of matrices.

    Together the told ones, ``zeros`` and ``lost`` are as many as the matrix has, min(rows, columns); of one that was looked at in a
    few directions only, as many as there were directions.
    """

    log10: Floats  # (told,) of those that are not 0, the largest first
    zeros: int = 0  # exactly 0: units whose f′ is 0, or fewer units on the way
    lost: int = 0  # not 0 that one could tell, but so small beside the largest that rounding leaves fewer than three digits
    finite: bool = True  # False: something on the way is NaN or infinite, and no singular value is known

    @property
    def count(self) -> int:
        """How many singular values there are."""
        return len(self.log10) + self.zeros + self.lost

    @property
    def log10_mean_square(self) -> float:
        """log10 of the mean of all squares, which is 0 for an isometry; −∞ for a matrix of zeros, NaN where it is not finite."""
        if not self.finite or not self.count:
            return float("nan")
        if not len(self.log10):
            return float("-inf")
        top = float(self.log10[0])
        return 2 * top + float(np.log10(np.sum(100.0 ** (self.log10 - top)) / self.count))

    @property
    def log10_condition(self) -> float:
        """log10 of the largest by the smallest; ∞ with a singular value of 0 or lost, NaN where none is told."""
        if not self.finite or not len(self.log10):
            return float("nan")
        return float("inf") if self.zeros or self.lost else float(self.log10[0] - self.log10[-1])


class JacobianMap(msgspec.Struct, frozen=True):
    """One map of the chain: from a layer's outputs to the next one's, or through a whole residual block."""

    name: str  # where it ends, such as "L4"; a residual block "L2→L4"
    end: int  # number of the layer or time step where it ends
    own: Spectrum  # of the map
    onward: Spectrum | None  # ∂h_last/∂h where it ends: what is done to a gradient on its way back to there; None of the output layer


class JacobianReport(msgspec.Struct, frozen=True):
    """Singular values of the Jacobians of one example: of each map, of the hidden maps' products, and from the input to the output.

    Batch norm's means and spreads are held. With more maps than are shown, those in ``maps`` are an even sample.
    """

    weights: str  # "own", or "orthogonal": the same net before any training, its first weights drawn orthogonal, with its gain
    step: int  # steps done when it was measured; 0 of "orthogonal"
    example: int  # position in the mini-batch …
    example_number: int  # … and in the data
    names: tuple[str, str]  # the first and the last hidden layer (or time step)
    maps: tuple[JacobianMap, ...]
    chain: int  # maps between the first and the last hidden layer, shown or not
    hidden: Spectrum  # their product: ∂h_last/∂h_first
    whole: Spectrum  # ∂z/∂x, from the input to the output, before any softmax; of a recurrent net from its first state to the output
    log10_product: float  # log10 of the product of the mean squares of the hidden maps, what `hidden` has if they do not work together
    units: int  # of the widest layer
    recurrent: bool  # whether the maps lead from time step to time step: then of the state, in an LSTM c and h
    directions: int  # in so many directions it was looked at; fewer than ``units``: at random, or it would cost too much
