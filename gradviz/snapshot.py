"""What a moment of a run looks like: frozen records with read-only arrays, made by the engine and only read by the window.

A `Snapshot` is cheap and made at every step. Its `details` (per unit, per weight, per layer) are measured only when
somebody asks for them. Layers count from 1; row 0 of every per-layer array is the first hidden layer and the last row
the output layer.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.history_table import HistoryTable
from gradviz.lab_reports import Lab
from gradviz.selected import ChainRule, Inspection, UnitInspection, WeightInspection
from gradviz.spec import Spec

Index = Annotated[int, Meta(ge=0, le=10_000_000)]

GENERATION = ("evaluate", "select", "cross", "mutate")
"""The phases of a generation, which is a step of the genetic algorithm."""


class LayerInfo(msgspec.Struct, frozen=True):
    """One layer of the architecture, hidden or output."""

    name: str  # "L1" … "L10", "Out"
    fan_in: int
    units: int
    activation: str  # the output layer has "identity"
    batch_norm: bool
    skip_from: int | None  # number of the layer whose output is added after this layer's activation
    edge_rows: int  # shape in which this layer's incoming weights are shown:
    edge_columns: int  # (fan_in, units), or smaller when pooled into blocks
    pooled: bool


class Architecture(msgspec.Struct, frozen=True):
    """What the canvas draws, apart from any numbers; equal architectures are drawn in the same place."""

    layers: tuple[LayerInfo, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    parameter_count: int
    kind: str = "mlp"  # "mlp", or "rnn" or "lstm": then its layers but the last are time steps, and its skips the cell path
    gates: tuple[str, ...] = ()  # of a recurrent cell, in the order of `Details.gates`

    @property
    def inputs(self) -> int:
        return len(self.input_names)

    @property
    def recurrent(self) -> bool:
        """Whether a time step takes the place of a layer."""
        return self.kind != "mlp"

    @property
    def skips(self) -> tuple[tuple[int, int], ...]:
        """(from layer number, to layer number) of each skip, first one first."""
        return tuple((layer.skip_from, n) for n, layer in enumerate(self.layers, 1) if layer.skip_from is not None)

    def unit_slice(self, layer: int) -> slice:
        """Where the units of layer number ``layer`` stand in `Details.unit_deltas`."""
        start = sum(info.units for info in self.layers[: layer - 1])
        return slice(start, start + self.layers[layer - 1].units)

    def edge_slice(self, layer: int) -> slice:
        """Where the incoming edges of layer number ``layer`` stand, row-major, in `Details.edge_gradients`."""
        start = sum(info.edge_rows * info.edge_columns for info in self.layers[: layer - 1])
        info = self.layers[layer - 1]
        return slice(start, start + info.edge_rows * info.edge_columns)


class Failure(msgspec.Struct, frozen=True):
    """The first number of the run that was not finite."""

    step: int  # the step in which it appeared
    layer: int  # number of the layer, counted from 1
    layer_name: str
    phase: str  # "forward", "loss", "backward" or "update"


class Moment(msgspec.Struct, frozen=True):
    """Where inside a training step the run stands: after which of its phases.

    What the step has not reached yet still belongs to the step before.
    """

    step: int  # number of the step in work
    kind: str  # the phase done last: "forward", "loss", "backward", "clip" or "update"; "evaluate", "select", "cross" or "mutate"
    layer: int  # its layer, counted from 1; 0 where no single layer is meant
    done: int  # phases done so far …
    total: int  # … of so many; equal after the update, with which the step is whole
    layers: int
    next_kind: str = ""  # the phase that comes next, in this step or the following one
    next_layer: int = 0
    level: int = 0  # the layer that this step trains by itself, in pre-training; 0 for the whole net

    def sent(self, layer: int) -> bool:
        """Whether the signal going forward has passed this layer in this step."""
        if self.level:
            return layer == self.level
        return self.kind != "forward" or layer <= self.layer

    def reached(self, layer: int) -> bool:
        """Whether the gradient coming back has reached this layer in this step."""
        if self.level:
            return layer == self.level and self.kind not in ("forward", "loss")
        return self.kind not in ("forward", "loss") and (self.kind != "backward" or layer >= self.layer)

    @property
    def lost(self) -> bool:
        """Whether the loss of this step is known."""
        return self.kind != "forward"

    @property
    def measured(self) -> bool:
        """Whether the whole gradient of this step is known."""
        return self.kind not in ("forward", "loss", "backward")

    @property
    def evolves(self) -> bool:
        """Whether the step is a generation of a population."""
        return self.kind in GENERATION

    @property
    def whole(self) -> bool:
        """Whether the step is done."""
        return self.done == self.total


class Details(msgspec.Struct, frozen=True):
    """Everything that is drawn of one step and too costly to measure at each one.

    In a recurrent net a row is a time step. ``gradient_rms`` and ``unit_deltas`` are of ∂L/∂h_t there, ``delta_rms`` of ∂L/∂z_t;
    weights and their updates are the same in all rows, because they are shared, and ``edge_gradients`` is what the time step adds
    to their gradient: h_{t−1} · (∂L/∂z_t)ᵀ, of an LSTM its length over the gates. ``skip_gradients`` are those along the cell path.

    Per-layer arrays have shape (layers,). With one example chosen, ``unit_deltas``, ``edge_gradients``, ``skip_gradients``,
    ``gradient_rms``, ``clipped_rms`` and ``delta_rms`` are of this example's own loss instead of the mini-batch's mean.
    """

    gradient_rms: Floats  # RMS of each layer's ∂L/∂w before clipping: ‖∂L/∂W‖ / sqrt(number of weights)
    clipped_rms: Floats  # the same after clipping
    bias_gradient_norms: Floats  # ‖∂L/∂b‖; NaN-free: exactly 0 where there is no bias
    weight_norms: Floats  # ‖W‖
    update_norms: Floats  # ‖W_new − W_old‖ of this step
    delta_rms: Floats  # typical length of a unit's δ: ‖∂L/∂z‖ / sqrt(units)
    activation_means: Floats
    activation_stds: Floats
    mean_slopes: Floats  # mean f′(z) over batch and units
    dead_fractions: Floats  # share of units whose f′ is exactly 0 for the whole batch
    unit_deltas: Floats  # (units of all layers,) length of each unit's ∂L/∂z over the batch
    edge_gradients: Floats  # (edges of all layers,) ∂L/∂w before clipping; of a pooled block, the RMS of its weights
    edge_weights: Floats  # (edges of all layers,) w; NaN for a pooled block, whose weights an `Inspection` tells
    edge_updates: Floats  # (edges of all layers,) w_new − w_old of this step; NaN for a pooled block
    skip_gradients: Floats  # (skips,) RMS over units of the gradient that each skip carries, over the batch like unit_deltas
    gates: Floats | None = None  # (time steps, gates) mean over units and batch: how far each gate of an LSTM is open


class Prediction(msgspec.Struct, frozen=True):
    """What the network says about the data now. ``kind`` tells which of the fields are filled.

    - ``surface`` (two inputs, classes): ``grid`` (n, n) over ``extent``, row 0 at the lowest y; for two classes the
      probability of class 1, for more the index of the most probable class; ``points``.
    - ``curve`` (one input, regression): ``curve_x``, ``curve_y`` (n,), ``points`` with the target as y.
    - ``images`` (digits): ``images`` (k, rows, columns) of the test set, ``labels``, ``answers``, ``confidences`` (k,).
    - ``confusion`` (other classes): ``confusion`` (classes, classes) counts, row true, column answered, over the test set.
    - ``scatter`` (other regression): ``points`` with the true target as x and the answer as y.
    - ``sequences``: ``sequences`` (k, time, features) of the test set as the network reads them, ``lengths`` (k,), ``sequence``;
      for classes ``labels``, ``answers``, ``confidences`` (k,) and ``confusion``; for regression ``labels`` with the true value,
      ``answers`` with the answered one, and ``points`` as in a scatter.
    """

    kind: str
    # share of right answers in the test set (training set if there is none); NaN where no answer is finite, None for regression
    accuracy: float | None
    class_names: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)  # x from, x to, y from, y to
    grid: Floats | None = None
    points: Floats | None = None  # (points, 2)
    point_labels: NDArray[Any] | None = None  # (points,) class index, or 0
    point_in_test: NDArray[Any] | None = None  # (points,) bool
    curve_x: Floats | None = None
    curve_y: Floats | None = None
    images: Floats | None = None
    labels: NDArray[Any] | None = None
    answers: NDArray[Any] | None = None
    confidences: Floats | None = None
    confusion: NDArray[Any] | None = None
    sequences: Floats | None = None
    sequence: str = ""  # "symbols", "marked" or "series": what they are sequences of, as in `gradviz.data.DataSet`
    lengths: NDArray[Any] | None = None  # how many time steps of each are real, the last ones


class Census(msgspec.Struct, frozen=True):
    """Units that do not learn, counted over the training set with the present parameters.

    A unit is dead when its f′ is exactly 0 for every example, saturated when f′ is small for more than 95 % of them (and it is
    not dead). Arrays over units have one entry per unit of all layers; the output layer has neither.
    """

    examples: int
    dead: NDArray[np.bool_]  # (units of all layers,)
    saturated: NDArray[np.bool_]  # (units of all layers,)
    dead_counts: NDArray[np.int64]  # (layers,)
    saturated_counts: NDArray[np.int64]  # (layers,)
    small_shares: Floats  # (layers,) share of all f′ that are small
    available: int = 0  # examples of the training set; where there are more than `examples`, those are an even sample


class Verdict(msgspec.Struct, frozen=True):
    """A judgement of the run, with the rule it follows from."""

    kind: str  # "vanishing", "exploding", "dead_units", "saturated", "oscillating", "diverged" or "healthy"
    layers: tuple[int, ...]  # numbers of the layers it is about; empty for the whole run
    rule: str  # in words and symbols, with the threshold
    value: float
    threshold: float
    explanation: str
    remedies: tuple[tuple[str, str, Any], ...] = ()  # (what it does in words, field's path, value)


class Theory(msgspec.Struct, frozen=True):
    """The gradient each layer should have at initialisation by mean-field theory, worked out without drawing a weight.

    The first two are typical values (their logarithm is the mean one over many draws of the weights), in the sense of `Details`; a layer of
    finite width scatters around them. Where there is no theory ``reason`` says why, and the arrays are empty; where it may be decades off
    ``caution`` says why.
    """

    delta_rms: Floats  # (layers,) RMS over units of the length of ∂L/∂z over the batch
    gradient_rms: Floats  # (layers,) RMS of ∂L/∂W
    delta_scatter: Floats  # (layers,) standard deviation of log10 ‖∂L/∂z‖ over draws of the weights
    gradient_scatter: Floats  # (layers,) of log10 ‖∂L/∂W‖
    reason: str = ""
    caution: str = ""


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was chosen automatically when somebody began to look, and stays so: another choice at every step could not be followed."""

    lab_layer: Annotated[int, Meta(ge=0, le=100_000)] = 0  # whose pre-activations are shown; 0 for none as yet
    pair: tuple[Annotated[str, Meta(max_length=80)], Annotated[str, Meta(max_length=80)]] | None = None  # the two largest components
    place: tuple[Index, Index] | None = None  # row and column of the weight that stands for the layer or unit in the chain rule
    copy: tuple[Annotated[str, Meta(max_length=80)], Index, Index, Index] | None = None  # the same of a recurrent net


class Look(msgspec.Struct, frozen=True):
    """What of a moment somebody wants to see beyond what every snapshot has; see `Experiment.measure`."""

    prediction: bool = True
    edge: tuple[int, int, int] | None = None  # (layer, row, column) of a shown edge whose exact weights are wanted
    picked: tuple[str, int, int, int] | None = None  # what is selected: (kind, layer, unit or column, row)
    chain: bool = False  # whether the gradient of the selected weight is to be taken apart
    example: int | None = None  # position in the mini-batch of the one example that is looked at
    lab: str = ""  # "activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian" or "population"
    lab_layer: int = 0  # whose pre-activations are wanted; 0 for the layer with the smallest mean slope
    lab_pair: tuple[str, str] | None = None  # the two parameters whose plane is looked at; None for the two largest components
    lab_lag: int = 8  # of the sequence that the history compressor reads …
    lab_read: int = 0  # … and how many symbols of it have been read
    lab_loss: float | None = None  # the loss that the hardware view asks for; None for that at which a run has left guessing
    lab_orthogonal: bool = False  # whether the Jacobian view is to show the net with orthogonal first weights instead of its own
    held: Held = Held()  # what the automatic choices begin with, of a session that is opened again


class Ghost(msgspec.Struct, frozen=True):
    """The line of the run that was left when a branch began."""

    branch_step: int  # the last step that both lines share
    history: HistoryTable  # the old line, whole


class PretrainingReport(msgspec.Struct, frozen=True):
    """How far pre-training has come, and what the level in work can tell again of a few test examples.

    An example goes up through all levels to the one in work, and down again through their decoders. Digits are (k, rows, columns),
    in the units of the data; other examples (k, 1, features), standardised.
    """

    level: int  # the hidden layer in work, counted from 1; 0 while the whole net is fine-tuned
    levels: int
    step: int  # of the level in work, or of fine-tuning
    steps: int  # per level
    error: float = math.nan  # of the mini-batch: mean squared, 1 is as good as always answering the mean
    test_error: float | None = None
    originals: Floats | None = None
    told: Floats | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """One moment of a run.

    ``loss`` and the gradients belong to the mini-batch of step ``step``, before its update; right after a change of the
    settings they are those of the same mini-batch under the new settings, measured without a step. At step 0 nothing has run:
    ``loss`` is NaN, the norms are NaN ("not measured", never 0) and ``details`` is None.
    """

    step: int
    loss: float
    gradient_norms: Floats  # (layers,) ‖∂L/∂W‖ before clipping
    clipped_norms: Floats  # (layers,) ‖∂L/∂W‖ after clipping; the same array when nothing was clipped
    delta_norms: Floats  # (layers,) ‖∂L/∂z‖ over the batch
    total_norm: float  # ‖g‖ over all parameters before clipping
    clipped_norm: float  # ‖g‖ after clipping
    learning_rate: float
    failure: Failure | None
    spec: Spec
    architecture: Architecture
    moment: Moment | None = None  # inside a step that is walked phase by phase
    example: int | None = None  # position in the mini-batch of the one example that is looked at; None for all of it
    batch: int = 0  # examples in a mini-batch
    last_step: int = 0  # where the recorded line ends; greater than ``step`` after going back
    ghost: Ghost | None = None  # the line that was left
    chain: ChainRule | None = None
    picked: WeightInspection | UnitInspection | None = None  # what is selected
    held: Held = Held()  # what is looked at by automatic choice
    lab: Lab | None = None  # what the lab shows
    population: Floats | None = None  # (5,) of the genetic algorithm's newest generation, as in `HistoryTable.population`
    census: Census | None = None  # measured now and then, like the prediction
    verdicts: tuple[Verdict, ...] = ()  # the most serious one first; a run too young to judge has none
    theory: Theory | None = None  # of the initialisation, the same at every step; None where nobody has asked for it
    oscillations: tuple[tuple[int, int], ...] = ()  # (from step, to step) where the loss goes up and down instead of settling
    guessing_loss: float | None = None  # loss of always answering the class frequencies (or the mean)
    loss_name: str = ""  # the loss in force, never "auto"
    test_loss: float | None = None  # the last one measured
    details: Details | None = None
    prediction: Prediction | None = None
    history: HistoryTable | None = None
    inspection: Inspection | None = None
    data_summary: str = ""  # such as "400 training, 100 test examples"
    playing: bool = False
    steps_per_second: float = 0.0
    pretraining: PretrainingReport | None = None

    @property
    def level(self) -> int:
        """The hidden layer that this step has trained by itself, in pre-training; 0 where the whole net is trained."""
        return self.spec.level_at(self.step if self.moment is None else self.moment.step)

    def knows(self, layer: int) -> bool:
        """Whether the gradient of this layer has been measured in this step."""
        return (self.moment is None or self.moment.reached(layer)) and self.level in (0, layer)

    @property
    def from_theory(self) -> tuple[Floats, Floats] | None:
        """(layers,) twice: log10 of measured over theory, of ‖∂L/∂z‖ and of ‖∂L/∂W‖; −∞ where only the measured
        one is 0, NaN where nothing is measured or both are 0.

        None where there is no theory, or it is of other layers.
        """
        theory, layers = self.theory, self.architecture.layers
        if theory is None or len(theory.delta_rms) != len(layers):
            return None
        units = np.array([layer.units for layer in layers])
        weights = np.array([layer.units * layer.fan_in for layer in layers])
        with np.errstate(all="ignore"):
            deltas = np.log10(self.delta_norms / (theory.delta_rms * np.sqrt(units)))
            gradients = np.log10(self.gradient_norms / (theory.gradient_rms * np.sqrt(weights)))
        return deltas, gradients

    @property
    def diverged(self) -> bool:
        """Whether a number of the run has stopped being finite."""
        return self.failure is not None

    @property
    def clipped(self) -> bool:
        """Whether clipping changed this step's gradient."""
        return math.isfinite(self.total_norm) and self.clipped_norm != self.total_norm
