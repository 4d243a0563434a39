"""What is told of the one weight or unit that is pointed at or selected: its exact numbers, and its gradient factor by factor."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats


class Inspection(msgspec.Struct, frozen=True):
    """Exact numbers of what the user points at: a block of weights, measured on request."""

    layer: int
    rows: tuple[int, int]  # from, to (exclusive): units of the layer before
    columns: tuple[int, int]  # from, to (exclusive): units of this layer
    weights: Floats  # (rows, columns)
    gradients: Floats  # (rows, columns) before clipping; of the chosen example's own loss if there is one
    gate: str = ""  # of an LSTM the gate whose weights these are: that with the largest gradient


class WeightInspection(msgspec.Struct, frozen=True):
    """One weight, exactly, and how it has moved. Of a pooled block it is the weight with the largest gradient.

    ``steps`` and ``values`` (n,) are its history, thinned evenly, with the present among them; after going back it reaches
    beyond the present.
    """

    parameter: str  # "layer03.weight"
    layer: int
    row: int  # unit of the layer before
    column: int  # unit of this layer
    weight: float
    gradient: float  # ∂J/∂w over the mini-batch before clipping; NaN when nothing has run
    clipped_gradient: float  # after clipping
    change: float  # w_new − w_old of the last whole step
    sent: float  # mean over the mini-batch of what the unit before sends: ∂z/∂w
    steps: NDArray[np.int64]
    values: Floats
    block: int = 1  # how many weights the selected block stands for
    gate: str = ""  # the gate of an LSTM whose weight it is; its columns of the matrix stand in the order of `Architecture.gates`
    added: float | None = None  # what this time step adds to the gradient of a weight that all time steps share


class UnitInspection(msgspec.Struct, frozen=True):
    """One unit, exactly: arrays are (batch,), one entry per example of the mini-batch; NaN when nothing has run.

    Layer 0 is the input column; its units have only ``outputs``, the other arrays are NaN. In an LSTM the input of the activation
    is the memory: ``pre_activations`` are c_t, ``slopes`` act′(c_t), ``outputs`` h_t = o · act(c_t) and ``deltas`` ∂J/∂c_t.
    """

    layer: int
    unit: int
    pre_activations: Floats  # z, the input of the activation
    slopes: Floats  # f′(z)
    outputs: Floats  # what the unit sends on (after the sum at the end of a residual block)
    deltas: Floats  # ∂J/∂z of each example's own loss
    parameters: tuple[tuple[str, float, float], ...] = ()  # (name, value, gradient) of bias, scale, shift, alpha
    gates: Floats | None = None  # (gates, batch) of an LSTM's unit, in the order of `Architecture.gates`


class Rung(msgspec.Struct, frozen=True):
    """One factor on the way from the loss back to a weight, for one example, along the strongest path.

    ``kind`` is "loss" (∂J/∂ŷ), "output" (∂ŷ/∂z of the output unit), "weight", "slope" (f′), "batch_norm", "skip" (the 1 of a
    residual sum) or "input" (∂z/∂w, the last one). In an LSTM there are "cell" (∂h/∂c = o · act′(c)), "forget" (∂c_t/∂c_{t−1}, the
    forget gate) and "gate" (∂c/∂z or ∂h/∂z of one gate's weighted sum).
    """

    kind: str
    layer: int  # whose weight, slope, batch norm or skip it is; a skip is that of the layer at the end of its block
    unit: int  # the unit of that layer on the path
    source: int  # for "weight" and "input" the unit of the layer before; for "skip" equal to ``unit``
    factor: float
    product: float  # along this path, from the loss down to here
    log10_product: float  # log10 |product|, also where the product itself is too small to write down; −∞ for exactly 0
    total: float  # ∂J/∂ of what is reached here, summed over all paths
    reached: bool = True  # whether back-propagation has come this far in the step in work
    branch: float | None = None  # where a residual block begins, the total has two parts: through its branch …
    skip: float | None = None  # … and through its skip


class ThroughTime(msgspec.Struct, frozen=True):
    """What the chain rule of a weight that all time steps share has beside: it is that of the copy in one time step.

    From there to the last time step the gradient is multiplied once per time step: in a plain RNN by slope times recurrent weight
    of the path, in an LSTM by a forget gate.
    """

    steps: int  # time steps in all
    stopped: int  # the time step at which truncated back-propagation stopped; 1 where it went through all of them
    gate: str  # the gate of an LSTM whose weight it is; "" in a plain RNN
    whole: bool  # whether back-propagation has gone through all time steps, so that …
    shared_gradient: float  # … this is known: ∂J/∂w over the mini-batch, all time steps together, before clipping
    factors: int  # how many such factors the path has …
    log10_factors: float  # … and log10 of the size of their product
    log10_carried: float  # of ‖∂J/∂h_t‖ over ‖∂J/∂h_T‖, along all paths (‖∂J/∂c‖ in an LSTM); NaN until back-propagation is there


class ChainRule(msgspec.Struct, frozen=True):
    """The gradient of one weight, factor by factor, exact for one example of the mini-batch.

    ``example_gradient`` = ``dz_dw`` · (``dj_dy`` · ``dy_dz`` + ``rest``). Here z is the weighted sum that the weight is part of
    (before batch norm), ŷ what the network says (a probability for the cross-entropies: of class 1, or of the true class).
    """

    parameter: str  # "layer03.weight"
    layer: int
    row: int  # unit of the layer before
    column: int  # unit of this layer
    example: int  # position in the mini-batch
    example_number: int  # row in the training set, counted from 0
    batch: int  # examples in the mini-batch
    target: float  # of the output that ŷ is; the class number for cross-entropy
    prediction: float  # ŷ
    output: int  # the output unit that ŷ is
    dj_dy: float  # ∂J/∂ŷ of this example's own loss
    dy_dz: float  # ∂ŷ/∂z, over all paths
    dz_dw: float  # ∂z/∂w: what the unit before sent
    rest: float  # through other outputs, and behind batch norm through the other examples; 0 in the plain case
    example_gradient: float  # ∂J/∂w of this example's own loss
    gradient: float  # ∂J/∂w over the mini-batch: the engine's, before clipping
    sum_over_paths: float  # the same number as the sum over all paths, found without back-propagation
    log10_paths: float  # log10 of the number of paths from this weight to the outputs
    rungs: tuple[Rung, ...]
    reached: bool  # whether back-propagation has reached this weight in the step in work
    clipped_gradient: float | None = None  # what clipping made of the gradient; None while it has not run or is off
    weight_old: float = 0.0
    weight_new: float | None = None  # None until the update
    learning_rate: float = 0.0
    optimizer: str = "sgd"  # "none" where no update follows the gradient: the genetic algorithm does not ask for it
    time: ThroughTime | None = None  # of a weight that all time steps share: ``layer`` is then the time step
