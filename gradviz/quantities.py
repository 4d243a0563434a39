"""What a snapshot says in single numbers, by name: the vocabulary of the lessons, and their texts filled with it.

Everything comes from the snapshot alone; what it does not hold is NaN, written as "–". A name with a layer in front, such as
``L3.gradient``, ``first.slope`` or ``Out.norm``, is one of `OF_A_LAYER`; all others stand in `OF_THE_RUN`. A name that begins with a view
of the lab (``clipping.cosine``) or with ``chain`` is known while that is measured: `Look.lab`, `Look.chain`.
"""

# ruff: noqa: E501 - the vocabulary is a table: one quantity a line, with its words
from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.history_table import HistoryTable
from gradviz.lab_reports import (
    ClippingReport,
    CompressorReport,
    Distribution,
    HardwareReport,
    InitialisationStudy,
    LinearMap,
    ResidualReport,
    Scheme,
)
from gradviz.selected import ChainRule, UnitInspection
from gradviz.snapshot import Details, Snapshot
from gradviz.spectra import JacobianReport, Spectrum

PLACE = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
LAB_VIEWS = ("activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian", "population")
RECENT = 20  # rows of the history over which a loss is averaged: one mini-batch alone says little
SWINGS = 50  # rows of the history in which rises of the loss are counted

_LabView = TypeVar(
    "_LabView",
    Distribution,
    ClippingReport,
    ResidualReport,
    LinearMap,
    InitialisationStudy,
    CompressorReport,
    HardwareReport,
    JacobianReport,
)


@dataclass(frozen=True)
class OfRun:
    """One quantity of the whole run; ``measure`` gives None or NaN where the snapshot does not tell."""

    words: str
    measure: Callable[[Snapshot], float | None]


@dataclass(frozen=True)
class OfLayer:
    """One quantity of a layer; ``measure`` gets its number, counted from 1."""

    words: str
    measure: Callable[[Snapshot, int], float | None]


def quantity(snapshot: Snapshot, name: str) -> float:
    """The quantity of that name, NaN where it is not known; raises ValueError when there is no such name."""
    if name in OF_THE_RUN:
        return _number(OF_THE_RUN[name].measure(snapshot))
    layer_name, _, rest = name.partition(".")
    if rest not in OF_A_LAYER or not re.fullmatch(r"L[1-9]\d*|Out|first|last", layer_name):
        raise ValueError(
            f"there is no quantity {name!r}; there are {', '.join(OF_THE_RUN)}, and with a layer in front {', '.join(OF_A_LAYER)}"
        )
    layers = len(snapshot.architecture.layers)
    layer = {"first": 1, "last": layers - 1, "Out": layers}.get(layer_name) or int(layer_name[1:])
    if layer_name.startswith("L") and layer >= layers:
        return math.nan  # this network has no such hidden layer
    return _number(OF_A_LAYER[rest].measure(snapshot, layer))


def names_in(text: str) -> tuple[str, ...]:
    """The names of the places in a text."""
    return tuple(found[1] for found in PLACE.finditer(text))


def fill(text: str, snapshot: Snapshot) -> str:
    """The text with a number in each of its places, and "–" where it is not known.

    ``{name}`` has two significant digits, ``{name:x}`` is a factor ("×0.24"), ``{name:d}`` a whole number; any other format is Python's,
    in screen typography.

    Raises:
        ValueError: for an unknown name or format.
    """
    return PLACE.sub(lambda found: written(quantity(snapshot, found[1]), found[2] or ""), text)


def written(value: float, style: str = "") -> str:
    """A number for people: ``style`` as in `fill`."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if style == "x":
        return "×" + (f"{value:.2f}" if 0.01 <= value < 9.995 else _short(value))
    if style == "d":
        return f"{value:.0f}".replace("-", "−")
    return _typeset(format(value, style)) if style else _short(value)


def _short(value: float) -> str:
    """Two significant digits; three for 100 … 999."""
    if value == 0:
        return "0"
    if 99.5 <= abs(value) < 999.5:
        return _typeset(f"{value:.0f}")
    mantissa, exponent = f"{value:.1e}".split("e")
    size = int(exponent)
    return _typeset(f"{value:.{max(0, 1 - size)}f}" if -3 <= size <= 1 else f"{mantissa}e{size}")


def _typeset(text: str) -> str:
    """True minus sign and powers of ten in superscripts."""
    mantissa, _, exponent = text.partition("e")
    power = "×10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")) if exponent else ""
    return mantissa.replace("-", "−") + power


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


# ---- how each is measured


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None or not below else above / below


def _of_chain(measure: Callable[[ChainRule], float | None]) -> Callable[[Snapshot], float | None]:
    return lambda snapshot: None if snapshot.chain is None else measure(snapshot.chain)


def _of_history(measure: Callable[[HistoryTable], float | None]) -> Callable[[Snapshot], float | None]:
    return lambda snapshot: None if snapshot.history is None or not len(snapshot.history.steps) else measure(snapshot.history)


def _of_lab(kind: type[_LabView], measure: Callable[[_LabView], float | None]) -> Callable[[Snapshot], float | None]:
    return lambda snapshot: measure(snapshot.lab) if isinstance(snapshot.lab, kind) else None


def _detail(name: str) -> Callable[[Snapshot, int], float | None]:
    """One of the per-layer arrays of the details."""

    def measure(snapshot: Snapshot, layer: int) -> float | None:
        values = None if snapshot.details is None else getattr(snapshot.details, name)
        return None if values is None else float(values[layer - 1])

    return measure


def _moved(snapshot: Snapshot, layer: int) -> float | None:
    return _ratio(_detail("update_norms")(snapshot, layer), _detail("weight_norms")(snapshot, layer))


def _alpha(snapshot: Snapshot, layer: int) -> float | None:
    """A setting of a leaky ReLU. One that is learnt is told by a selected unit of the layer, or by the activation lab."""
    picked, lab = snapshot.picked, snapshot.lab
    if snapshot.architecture.layers[layer - 1].activation == "leaky_relu":
        return ACTIVATIONS["leaky_relu"].parameter
    if isinstance(picked, UnitInspection) and picked.layer == layer:
        for name, value, _ in picked.parameters:
            if name == "alpha":
                return value
    return lab.parameter if isinstance(lab, Distribution) and lab.layer == layer and lab.activation == "prelu" else None


def _alpha_moved(snapshot: Snapshot, layer: int) -> float | None:
    alpha = _alpha(snapshot, layer)
    return None if alpha is None else abs(alpha - ACTIVATIONS[snapshot.architecture.layers[layer - 1].activation].parameter)


def _from_first_to(last: Callable[[Snapshot], int], name: str) -> Callable[[Snapshot], float | None]:
    def measure(snapshot: Snapshot) -> float | None:
        return None if snapshot.details is None else _ratio(*_ends(snapshot.details, name, last(snapshot)))

    return measure


def _ends(details: Details, name: str, last: int) -> tuple[float, float]:
    values = getattr(details, name)
    return float(values[0]), float(values[last - 1])


def _per_layer(name: str) -> Callable[[Snapshot], float | None]:
    """Geometric mean of the factor per hidden layer, going back from the last one to the first."""

    def measure(snapshot: Snapshot) -> float | None:
        hidden = _hidden(snapshot)
        whole = _from_first_to(_hidden, name)(snapshot)
        return None if whole is None or whole < 0 or hidden < 2 else whole ** (1.0 / (hidden - 1))

    return measure


def _in_time(measure: Callable[[Snapshot], float | None]) -> Callable[[Snapshot], float | None]:
    return lambda snapshot: measure(snapshot) if snapshot.architecture.recurrent else None


def _forget_gate(snapshot: Snapshot) -> float | None:
    gates = None if snapshot.details is None else snapshot.details.gates
    return None if gates is None else float(gates[:, snapshot.architecture.gates.index("forget")].mean())


def _along_the_cell_path(snapshot: Snapshot) -> float | None:
    if snapshot.architecture.kind != "lstm" or snapshot.details is None or len(snapshot.details.skip_gradients) < 2:
        return None
    return _ratio(float(snapshot.details.skip_gradients[0]), float(snapshot.details.skip_gradients[-1]))


def _hidden(snapshot: Snapshot) -> int:
    return len(snapshot.architecture.layers) - 1


def _recent(history: HistoryTable) -> float:
    return float(np.mean(history.loss[-RECENT:]))


def _rises(history: HistoryTable) -> float:
    return float(np.count_nonzero(np.diff(history.loss[-SWINGS:]) > 0))


def _clipped_share(report: ClippingReport) -> float | None:
    return _percent(_ratio(report.clipped_steps, report.steps))


def _angle(report: ClippingReport) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, report.cosine)))) if math.isfinite(report.cosine) else math.nan


def _dead(snapshot: Snapshot) -> float | None:
    return None if snapshot.census is None else float(snapshot.census.dead_counts.sum())


def _of_population(column: int) -> Callable[[Snapshot], float | None]:
    """A column of `Snapshot.population`."""
    return lambda snapshot: None if snapshot.population is None else float(snapshot.population[column])


def _saturated(snapshot: Snapshot) -> float | None:
    return None if snapshot.census is None else float(snapshot.census.saturated_counts.sum())


def _units(snapshot: Snapshot) -> float:
    return float(sum(layer.units for layer in snapshot.architecture.layers[:-1]))


def _rung(kind: str) -> Callable[[Snapshot], float | None]:
    """The factor of that kind that stands nearest to the weight."""
    return _of_chain(lambda chain: next((rung.factor for rung in reversed(chain.rungs) if rung.kind == kind), None))


def _paths_error(chain: ChainRule) -> float | None:
    return _ratio(abs(chain.sum_over_paths - chain.gradient), abs(chain.gradient))


def _zeros(precision: str, exponent: int, layer: int) -> Callable[[Snapshot], float | None]:
    """Components of a layer's gradient that become 0 in a format, per cent."""

    def of(report: HardwareReport) -> float | None:
        found = report.underflow(precision, exponent)
        return _percent(float(found.zero[layer])) if found.components[layer] else None

    return _of_lab(HardwareReport, of)


def _seconds(factor: int) -> Callable[[Snapshot], float | None]:
    """At the fastest setting, by the first or last factor; None where nothing is measured or the loss is not reached."""

    def of(report: HardwareReport) -> float | None:
        known = report.seconds is not None and len(report.seconds) and report.steps_needed is not None
        return float(report.seconds[:, factor].min()) if known and report.seconds is not None else None

    return _of_lab(HardwareReport, of)


def _ten_to(exponent: float) -> float:
    """0 below and ∞ above what a floating-point number holds."""
    return math.nan if math.isnan(exponent) else 0.0 if exponent < -308 else math.inf if exponent > 308 else 10.0**exponent


def _of_jacobian(measure: Callable[[Spectrum], float]) -> Callable[[Snapshot], float | None]:
    """10 to the power of what is measured on the product of the hidden maps; None where none of its singular values is told."""
    return _of_lab(JacobianReport, lambda report: _ten_to(float(measure(report.hidden))) if len(report.hidden.log10) else None)


def _scheme(measure: Callable[[Scheme], float], name: str = "") -> Callable[[Snapshot], float | None]:
    """Of one initialiser; of the one in force without a name."""

    def of(study: InitialisationStudy) -> float | None:
        return next((measure(scheme) for scheme in study.schemes if scheme.initializer == (name or study.current)), None)

    return _of_lab(InitialisationStudy, of)


OF_THE_RUN: dict[str, OfRun] = {
    "step": OfRun("steps done", lambda s: s.step),
    "depth": OfRun("hidden layers", _hidden),
    "units": OfRun("hidden units", _units),
    "learning_rate": OfRun("η", lambda s: s.learning_rate),
    "loss": OfRun("loss of the last mini-batch", lambda s: s.loss),
    "loss.first": OfRun("loss of the first step", _of_history(lambda h: h.loss[0])),
    "loss.lowest": OfRun("lowest loss so far", _of_history(lambda h: float(np.nanmin(h.loss_low)) if np.isfinite(h.loss_low).any() else None)),
    "loss.highest": OfRun("highest loss so far", _of_history(lambda h: float(np.nanmax(h.loss_high)) if np.isfinite(h.loss_high).any() else None)),
    "loss.recent": OfRun(f"mean loss of the last {RECENT} rows of the history", _of_history(_recent)),
    "loss.rise": OfRun(f"how often the loss rose within the last {SWINGS} rows of the history", _of_history(_rises)),
    "loss.over_guessing": OfRun("recent loss as a multiple of that of guessing", lambda s: _ratio(_of_history(_recent)(s), s.guessing_loss)),
    "test_loss": OfRun("last test loss", lambda s: s.test_loss),
    "guessing": OfRun("loss of always answering the class frequencies, or the mean", lambda s: s.guessing_loss),
    "accuracy": OfRun("right answers, per cent", lambda s: None if s.prediction is None else _percent(s.prediction.accuracy)),
    "total_norm": OfRun("‖g‖ over all parameters before clipping", lambda s: s.total_norm),
    "clipped_norm": OfRun("‖g‖ after clipping", lambda s: s.clipped_norm),
    "ratio.gradient": OfRun("|∂J/∂w| of the first hidden layer over that of the output layer (RMS)", _from_first_to(lambda s: _hidden(s) + 1, "gradient_rms")),
    "ratio.delta": OfRun("δ of the first hidden layer over that of the last hidden one (RMS)", _from_first_to(_hidden, "delta_rms")),
    "ratio.signal": OfRun("spread of what the last hidden layer sends over that of the first one", lambda s: _ratio(1.0, _from_first_to(_hidden, "activation_stds")(s))),
    "factor.gradient": OfRun("by which |∂J/∂w| changes per hidden layer, going back", _per_layer("gradient_rms")),
    "factor.delta": OfRun("by which δ changes per hidden layer, going back", _per_layer("delta_rms")),
    "time.steps": OfRun("time steps of a recurrent net", _in_time(_hidden)),
    "time.ratio": OfRun("|∂J/∂h| at the first time step over that at the last one (RMS)", _in_time(_from_first_to(_hidden, "gradient_rms"))),
    "time.factor": OfRun("by which |∂J/∂h| changes per time step, going back", _in_time(_per_layer("gradient_rms"))),
    "time.road": OfRun("gradient on the cell path of an LSTM at its beginning over that at its end", _along_the_cell_path),
    "gate.forget": OfRun("how far the forget gates of an LSTM are open: 1 keeps all, 0 forgets all", _forget_gate),
    "quarter_to_the_depth": OfRun("0.25 once for each hidden layer: the most a sigmoid's slopes let through", lambda s: 0.25 ** _hidden(s)),
    "dead_units": OfRun("hidden units whose f′ is 0 for every training example", _dead),
    "saturated_units": OfRun("hidden units whose f′ is small for nearly every training example", _saturated),
    "failure.step": OfRun("step of the first number that was not finite", lambda s: None if s.failure is None else s.failure.step),
    "failure.layer": OfRun("layer of the first number that was not finite", lambda s: None if s.failure is None else s.failure.layer),
    "failed": OfRun("1 when a number was not finite, else 0", lambda s: float(s.failure is not None)),
    "chain.dj_dy": OfRun("∂J/∂ŷ, the purple factor", _of_chain(lambda c: c.dj_dy)),
    "chain.dy_dz": OfRun("∂ŷ/∂z, the red factor", _of_chain(lambda c: c.dy_dz)),
    "chain.dz_dw": OfRun("∂z/∂w, the blue factor", _of_chain(lambda c: c.dz_dw)),
    "chain.slope": OfRun("f′ of the unit that the weight leads to", _rung("slope")),
    "chain.weight": OfRun("the first weight on the way on from there", _rung("weight")),
    "chain.gradient": OfRun("∂J/∂w of one example", _of_chain(lambda c: c.example_gradient)),
    "chain.sum_over_paths": OfRun("∂J/∂w over the mini-batch as a sum over all paths, found without back-propagation", _of_chain(lambda c: c.sum_over_paths)),
    "chain.batch_gradient": OfRun("∂J/∂w over the mini-batch, found by back-propagation", _of_chain(lambda c: c.gradient)),
    "chain.paths": OfRun("number of paths from the weight to the outputs", _of_chain(lambda c: 10.0**c.log10_paths)),
    "chain.paths_error": OfRun("relative difference between these two", _of_chain(_paths_error)),
    "chain.weight_old": OfRun("the weight before the step", _of_chain(lambda c: c.weight_old)),
    "chain.weight_new": OfRun("the weight after the step", _of_chain(lambda c: c.weight_new)),
    "activation.layer": OfRun("layer that the activation lab shows", _of_lab(Distribution, lambda d: d.layer)),
    "activation.saturated": OfRun("inputs at which f′ is small, per cent", _of_lab(Distribution, lambda d: _percent(d.saturated))),
    "activation.saturated_before": OfRun("the same without batch norm, per cent", _of_lab(Distribution, lambda d: _percent(d.saturated_before))),
    "activation.zero": OfRun("inputs at which f′ is exactly 0, per cent", _of_lab(Distribution, lambda d: _percent(d.zero))),
    "activation.mean": OfRun("mean input of the activation", _of_lab(Distribution, lambda d: d.mean)),
    "activation.spread": OfRun("standard deviation of the activation's input", _of_lab(Distribution, lambda d: d.spread)),
    "clipping.before": OfRun("‖g‖ before", _of_lab(ClippingReport, lambda c: c.norm_before)),
    "clipping.after": OfRun("‖g‖ after", _of_lab(ClippingReport, lambda c: c.norm_after)),
    "clipping.cosine": OfRun("between g before and after", _of_lab(ClippingReport, lambda c: c.cosine)),
    "clipping.angle": OfRun("between g before and after, in degrees", _of_lab(ClippingReport, _angle)),
    "clipping.share": OfRun("steps that were clipped, per cent", _of_lab(ClippingReport, _clipped_share)),
    "clipping.threshold": OfRun("the threshold", _of_lab(ClippingReport, lambda c: c.threshold)),
    "population.median": OfRun("median loss of a population", _of_population(1)),
    "population.sigma": OfRun("σ of its mutations", _of_population(3)),
    "population.success": OfRun("mutations that made nothing worse, per cent", lambda s: _percent(_of_population(4)(s))),
    "residual.skip": OfRun("gradient through the skip of the first block", _of_lab(ResidualReport, lambda r: r.through_skip[0] if len(r.blocks) else None)),
    "residual.branch": OfRun("gradient through the branch of the first block", _of_lab(ResidualReport, lambda r: r.through_branch[0] if len(r.blocks) else None)),
    "residual.rival_loss": OfRun("recent loss of the same net without skips, or with them", _of_lab(ResidualReport, lambda r: _recent(r.rival) if r.rival is not None and len(r.rival.steps) else None)),
    "linear.exists": OfRun("1 when the net is one linear map and a shift, else 0", _of_lab(LinearMap, lambda m: float(not m.reason))),
    "linear.layers": OfRun("matrices multiplied into one", _of_lab(LinearMap, lambda m: m.layers)),
    "linear.difference": OfRun("largest difference between the one map and the net", _of_lab(LinearMap, lambda m: m.largest_difference)),
    "linear.output": OfRun("largest output of the net", _of_lab(LinearMap, lambda m: m.largest_output)),
    "compressor.read": OfRun("symbols that the history compressor has read", _of_lab(CompressorReport, lambda c: c.read)),
    "compressor.passed": OfRun("symbols that its lower level passed on", _of_lab(CompressorReport, lambda c: c.upper_length)),
    "compressor.block": OfRun("symbols of a block", _of_lab(CompressorReport, lambda c: c.lag + 2)),
    "compressor.last": OfRun("symbols of the last block that were passed on", _of_lab(CompressorReport, lambda c: c.shares[-1] * (c.lag + 2) if len(c.shares) else None)),
    "compressor.ratio": OfRun("how many times shorter the upper sequence is, over all", _of_lab(CompressorReport, lambda c: _ratio(c.read, c.upper_length))),
    "compressor.below": OfRun("time steps from a cue to its answer below", _of_lab(CompressorReport, lambda c: c.lag + 1)),
    "compressor.above": OfRun("the same in what was passed on", _of_lab(CompressorReport, lambda c: c.distance_above or None)),
    "compressor.foreseen": OfRun("of the last answers, those that the upper level foresaw, per cent", _of_lab(CompressorReport, lambda c: _percent(_ratio(c.foreseen_above, c.answers)))),
    "hardware.speed": OfRun("measured steps per second of the fastest setting, once its button was pressed", _of_lab(HardwareReport, lambda h: max((speed.steps_per_second for speed in h.speeds), default=None))),
    "hardware.plateau": OfRun("steps until guessing was left", _of_lab(HardwareReport, lambda h: h.plateau)),
    "hardware.loss": OfRun("the given loss", _of_lab(HardwareReport, lambda h: h.loss)),
    "hardware.steps": OfRun("steps to the given loss", _of_lab(HardwareReport, lambda h: h.steps_needed)),
    "hardware.seconds": OfRun("seconds that these steps take at the measured speed", _seconds(0)),
    "hardware.seconds_fastest": OfRun("seconds that they would take at 1,000 times that speed", _seconds(-1)),
    "hardware.zero": OfRun("components of L1's gradient that become exactly 0 in float16, per cent", _zeros("float16", 0, 0)),
    "hardware.zero_out": OfRun("the same of the output layer", _zeros("float16", 0, -1)),
    "hardware.zero_scaled": OfRun("the same of L1 with the loss scaled by 2¹⁶", _zeros("float16", 16, 0)),
    "hardware.zero_single": OfRun("the same of L1 in float32, without scaling", _zeros("float32", 0, 0)),
    "jacobian.largest": OfRun("largest singular value of ∂h_last/∂h_first of one example", _of_jacobian(lambda s: s.log10[0])),
    "jacobian.smallest": OfRun("the smallest one that is told", _of_jacobian(lambda s: s.log10[-1])),
    "jacobian.condition": OfRun("the largest by the smallest", _of_jacobian(lambda s: s.log10_condition)),
    "jacobian.mean_square": OfRun("the mean of their squares, 1 for an isometry", _of_jacobian(lambda s: s.log10_mean_square)),
    "jacobian.product": OfRun("the product of the layers' own mean squares", _of_lab(JacobianReport, lambda r: _ten_to(r.log10_product))),
    "jacobian.zero": OfRun("singular values of ∂h_last/∂h_first that are exactly 0", _of_lab(JacobianReport, lambda r: r.hidden.zeros)),
    "jacobian.count": OfRun("singular values of ∂h_last/∂h_first", _of_lab(JacobianReport, lambda r: r.hidden.count)),
    "initialisation.forward": OfRun("by which the signal's spread changes per layer at the start", _scheme(lambda s: s.forward_factor)),
    "initialisation.backward": OfRun("by which ‖∂L/∂z‖ changes per layer at the start, going back", _scheme(lambda s: s.backward_factor)),
    "initialisation.he": OfRun("the same for He normal", _scheme(lambda s: s.backward_factor, "he_normal")),
    "initialisation.lecun": OfRun("the same for LeCun normal, variance 1/n", _scheme(lambda s: s.backward_factor, "lecun_normal")),
    "initialisation.xavier": OfRun("the same for Xavier normal", _scheme(lambda s: s.backward_factor, "xavier_normal")),
    "initialisation.normal": OfRun("the same for normal, variance 1", _scheme(lambda s: s.backward_factor, "normal")),
}  # fmt: skip
"""Name -> what it means and how it is measured."""

OF_A_LAYER: dict[str, OfLayer] = {
    "gradient": OfLayer("|∂J/∂w| before clipping, RMS over the layer's weights", _detail("gradient_rms")),
    "clipped": OfLayer("the same after clipping", _detail("clipped_rms")),
    "norm": OfLayer("‖∂L/∂W‖ before clipping", lambda s, layer: s.gradient_norms[layer - 1]),
    "delta": OfLayer("δ: the typical length of a unit's ∂L/∂z", _detail("delta_rms")),
    "slope": OfLayer("mean f′", _detail("mean_slopes")),
    "dead": OfLayer("units whose f′ is 0 for the whole mini-batch, per cent", lambda s, layer: _percent(_detail("dead_fractions")(s, layer))),
    "mean": OfLayer("mean of what the layer sends", _detail("activation_means")),
    "spread": OfLayer("standard deviation of what the layer sends", _detail("activation_stds")),
    "weights": OfLayer("‖W‖", _detail("weight_norms")),
    "moved": OfLayer("‖W_new − W_old‖ / ‖W‖ of the last step", _moved),
    "dead_units": OfLayer("units that are dead on the whole training set", lambda s, layer: None if s.census is None else s.census.dead_counts[layer - 1]),
    "alpha": OfLayer("α of a leaky or parametric ReLU; of a selected unit's layer, or the one in the activation lab", _alpha),
    "alpha_moved": OfLayer("how far that α is from where it began", _alpha_moved),
}  # fmt: skip
"""What follows the layer's name and a point -> what it means and how it is measured."""
