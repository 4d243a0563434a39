"""What the views of the lab show, each measured on request only: frozen records with read-only arrays, as in a snapshot."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.history_table import HistoryTable
from gradviz.spec import Spec
from gradviz.spectra import JacobianReport

SCALE_EXPONENTS = tuple(range(0, 33, 4))  # k of the loss scales 2^k that the hardware view tells of


class Distribution(msgspec.Struct, frozen=True):
    """How one layer's pre-activations lie on its activation, over the mini-batch: what the activation lab shows.

    Where f′ is small is what `Activation.small_slope` says; "saturated" means just that.
    """

    layer: int
    activation: str
    parameter: float  # α, or ReLU's derivative at 0
    edges: Floats  # (bins + 1,) from −limit to limit
    counts: NDArray[np.int64]  # (bins,) of z, the input of the activation
    outside: tuple[int, int]  # below the first edge, above the last one; NaN counts as neither
    saturated: float  # share of all z at which f′ is small
    zero: float  # share at which f′ is exactly 0
    mean: float
    spread: float  # standard deviation
    gate: str = ""  # the gate of an LSTM that it is about
    before: NDArray[np.int64] | None = None  # (bins,) with batch norm on: the weighted sums that it normalised
    saturated_before: float | None = None  # share of those sums at which f′ would be small


class ClippingReport(msgspec.Struct, frozen=True):
    """What clipping did to the gradient of the last step, seen in the plane of two parameters."""

    rule: str  # "none", "norm", "layer_norm" or "value"
    threshold: float
    names: tuple[str, str]  # the two parameters, such as "layer10.weight[3,0]"
    before: tuple[float, float]  # their components of the gradient …
    after: tuple[float, float]  # … and of the clipped one
    norm_before: float  # ‖g‖ over all parameters
    norm_after: float
    cosine: float  # between the whole gradients, before and after
    clipped_steps: int  # how many of the recorded steps were clipped …
    steps: int  # … of so many
    norms: Floats  # (rows, 2) ‖g‖ before and after over the run, as in `HistoryTable.total_norms`
    norm_steps: NDArray[np.int64]  # (rows,)


class ResidualReport(msgspec.Struct, frozen=True):
    """The gradient at the beginning of each residual block, taken apart: through the skip, and through the branch.

    RMS over units of the length over the batch, as `Details.skip_gradients`. ``rival`` is the same net without skips (or with
    them, where this one has none), trained on the same data from the same seed for the same steps; the window gets its losses only.
    """

    blocks: tuple[tuple[int, int], ...]  # (from layer, to layer)
    through_skip: Floats  # (blocks,)
    through_branch: Floats  # (blocks,)
    rival_spec: Spec
    rival: HistoryTable | None = None


class LinearMap(msgspec.Struct, frozen=True):
    """A net whose activations are all the identity, multiplied out: outputs = inputs @ matrix + bias."""

    matrix: Floats  # (inputs, outputs)
    bias: Floats  # (outputs,)
    layers: int  # how many matrices it is the product of
    largest_difference: float  # between its outputs and the net's, over the whole data set
    largest_output: float
    reason: str = ""  # why there is no such map; the arrays are empty then


class Scheme(msgspec.Struct, frozen=True):
    """One initialiser, measured on this network before any training."""

    initializer: str
    activation_stds: Floats  # (layers,) spread of what each layer sends
    delta_norms: Floats  # (layers,) ‖∂L/∂z‖
    gradient_rms: Floats  # (layers,) RMS of ∂L/∂w
    forward_factor: float  # by which the spread changes per hidden layer, geometric mean
    backward_factor: float  # by which ‖∂L/∂z‖ changes per hidden layer, going back


class InitialisationStudy(msgspec.Struct, frozen=True):
    """Every initialiser on the same network, data and seed at step 0."""

    schemes: tuple[Scheme, ...]
    current: str  # the one in force


class PopulationReport(msgspec.Struct, frozen=True):
    """The generation of the genetic algorithm that was evaluated last, individual by individual."""

    losses: Floats  # (individuals,) over the whole training set; ∞ where the loss is not a number
    elite: int  # so many of the first ones passed on unchanged
    best: int  # which of them has the smallest loss
    best_parents: tuple[float, float]  # losses of its parents, twice the same of an only one; NaN of the elite and of the first ones
    children: NDArray[np.int16] | None  # (individuals,) how many of the next generation come from each; None before the selection
    sigma: float  # σ of the next mutations
    success: float  # share of the mutations that led to this generation and made nothing worse; NaN for the first one


class Speed(msgspec.Struct, frozen=True):
    """How fast this machine trains with one setting; the median of what was measured so far."""

    precision: str  # "float64" or "float32"
    threads: int  # of the BLAS
    steps_per_second: float


class Underflow(msgspec.Struct, frozen=True):
    """What becomes of a gradient, part by part, in a smaller format, the loss having been multiplied by 2^``exponent``.

    Arrays have shape (parts,). Shares are of the components that were finite and not 0 before.
    """

    precision: str  # "float16" or "float32"
    exponent: int
    components: NDArray[np.int64]  # that were finite and not 0 before, among those looked at
    zero: Floats  # share that became exactly 0: they update nothing
    subnormal: Floats  # share below the smallest normal number, which keeps fewer digits the smaller it is
    infinite: Floats  # share that became too large: the price of too much scaling
    rms: Floats  # of what was stored, divided by 2^``exponent`` again; NaN where the gradient is not known or not finite

    @property
    def kept(self) -> Floats:
        """Share that kept all digits of the format."""
        found: Floats = 1.0 - self.zero - self.subnormal - self.infinite
        return found


class HardwareReport(msgspec.Struct, frozen=True):
    """What a faster machine would change and what not: steps per second, steps needed, and what small floats lose.

    ``speeds`` is empty until they are measured, which only a session does, and grows while it is done.
    """

    loss: float  # the given loss …
    steps_needed: int | None  # … and the step from which on the run's loss is at most that; None while it is not
    guessing: float | None  # loss of guessing
    left: float  # at most this loss: the run counts as having left guessing
    plateau: int | None  # steps until then; None while the run is on the plateau
    lowest: float  # loss the run has got to so far, by the same rule; NaN while it is too young
    steps: int  # recorded so far
    factors: Floats  # (factors,) how many times as fast a machine might be
    names: tuple[str, ...]  # of the parts of the gradient: the layers, or what else has parameters of its own
    known: tuple[bool, ...]  # whether the gradient of each part has been measured
    rms: Floats  # (parts,) of the gradient's components; NaN where it is not known or not finite
    underflows: tuple[Underflow, ...]  # of each format and each loss scale
    looked_at: int  # every so many-th component of the gradient was looked at
    speeds: tuple[Speed, ...] = ()
    seconds: Floats | None = None  # (speeds, factors) for ``steps_needed``, or without any for the steps so far, which were not enough
    measuring: float | None = None  # share of the measurement that is done; None when none is under way

    def underflow(self, precision: str, exponent: int) -> Underflow:
        """Of one format and one loss scale; raises ValueError when it was not worked out."""
        for found in self.underflows:
            if (found.precision, found.exponent) == (precision, exponent):
                return found
        raise ValueError(f"underflow in {precision} with the loss scaled by 2^{exponent} was not worked out")


class CompressorReport(msgspec.Struct, frozen=True):
    """A history compressor of two levels after so many symbols: a or x by lot, b1 … b_lag, then A after a, X after x.

    Symbols are numbers of ``names``; where a level predicted nothing, its prediction is −1.
    """

    lag: int  # symbols between a cue and its answer
    trust: int  # a level predicts what came so often in a row
    names: tuple[str, ...]
    read: int  # symbols so far …
    longest: int  # … of at most so many
    symbols: NDArray[np.int64]  # (shown,) the latest ones, the newest last
    predicted: NDArray[np.int64]  # (shown,) by the lower level
    passed: NDArray[np.bool_]  # (shown,) whether the lower level passed them on
    upper_length: int  # symbols passed on so far
    upper_times: NDArray[np.int64]  # (shown above,) when the latest of these came, counted from 0
    upper_symbols: NDArray[np.int64]  # (shown above,)
    upper_predicted: NDArray[np.int64]  # (shown above,) by the upper level
    next_below: int  # what the lower level expects as the next symbol
    next_above: int  # what the upper level expects to be passed on next
    shares: Floats  # (whole blocks read,) share of each that was passed on
    answers: int  # of the latest whole blocks, at most 10: how many there were …
    foreseen_below: int  # … how many the lower level predicted …
    foreseen_above: int  # … and how many of the others the upper level did
    distance_above: int  # from a cue to its answer in the upper sequence, the latest pair there is; 0 for none


Lab = (
    Distribution
    | ClippingReport
    | ResidualReport
    | LinearMap
    | InitialisationStudy
    | CompressorReport
    | HardwareReport
    | JacobianReport
    | PopulationReport
)
