"""What may help against each verdict: changes of a single setting, the most promising first.

They are proposals: whether one helps is seen by running it from the same seed. Their order is that of how often each
cured the ill runs of tests/benchmarks/diagnosis_drawn.py whose thresholds were tuned on: batch norm most often, then skips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gradviz.evidence import Evidence, is_bounded
from gradviz.initializers import INITIALIZERS
from gradviz.spec import Spec

Remedy = tuple[str, str, Any]  # (what it does in words, field's path, value)

MOST = 4
MANY = 4_000  # examples
USUAL = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.002, "adam": 0.002}  # learning rates that mostly do
SCALED = ("xavier", "he_", "lecun", "orthogonal")  # initialisers that look at the width of the layer


def remedies(kind: str, spec: Spec, evidence: Evidence | None) -> tuple[Remedy, ...]:
    """Changes that may help, each of one field and different from ``spec``."""
    found: dict[str, Remedy] = {}
    proposals = _OVER_TIME if spec.network.recurrent else _PROPOSALS
    for words, path, value in proposals[kind](spec, evidence):
        if spec.get(path) != value and path not in found:
            found[path] = (words, path, value)
    return tuple(found.values())[:MOST]


def _against_vanishing(spec: Spec, evidence: Evidence | None) -> Iterator[Remedy]:
    if evidence is not None and evidence.shares[0] >= 1e-3 and spec.training.learning_rate < USUAL[spec.training.optimizer]:
        yield _usual_rate(spec)
    yield from _batch_norm(spec)
    if not spec.network.skip_every and spec.network.depth > 2:
        yield "A skip over every second layer: one copy of the gradient passes unchanged", "network.skip_every", 2
    if spec.network.gain != 1.0 or _unscaled(spec):
        yield from _better_weights(spec)
    yield from _if_too_fast(spec)
    if any(is_bounded(name) or name in ("softplus", "step") for name in spec.network.layer_activations):
        yield "ReLU: its slope is 1 wherever it is open", "network.activation", "relu"
    yield from _better_weights(spec)


def _against_dead_units(spec: Spec, _: Evidence | None) -> Iterator[Remedy]:
    if "step" in spec.network.layer_activations:
        yield "ReLU: a step has no slope anywhere", "network.activation", "relu"
        if not spec.network.batch_norm:
            yield "Evolution: a population needs no slope", "training.method", "evolution"
        return
    yield from _batch_norm(spec)
    if spec.network.gain > 1.0 or _unscaled(spec):
        yield from _better_weights(spec)
    yield _slower(spec)
    yield "Leaky ReLU: a slope of 0.01 where ReLU has none", "network.activation", "leaky_relu"
    yield from _better_weights(spec)


def _against_saturation(spec: Spec, _: Evidence | None) -> Iterator[Remedy]:
    if spec.network.gain > 1.0 or _unscaled(spec):
        yield from _better_weights(spec)
    yield from _if_too_fast(spec)
    yield from _batch_norm(spec)
    yield "ReLU: it does not level off upwards", "network.activation", "relu"
    yield _slower(spec)


def _against_explosion(spec: Spec, _: Evidence | None) -> Iterator[Remedy]:
    if spec.network.gain > 1.0 or _unscaled(spec):
        yield from _better_weights(spec)
    yield from _if_too_fast(spec)
    if spec.training.clip == "none":
        yield f"Clip the gradient to a length of {spec.training.clip_threshold:g}", "training.clip", "norm"
    yield _slower(spec)
    yield from _batch_norm(spec)
    yield from _better_weights(spec)


def _against_oscillation(spec: Spec, evidence: Evidence | None) -> Iterator[Remedy]:
    yield _slower(spec)
    yield from _against_explosion(spec, evidence)


# ---- of recurrent nets


def _remember(spec: Spec, evidence: Evidence | None) -> Iterator[Remedy]:
    """Against a gradient that vanishes through time, and against weights that stand still."""
    network, training = spec.network, spec.training
    if evidence is not None and evidence.shares[0] >= 1e-3 and training.learning_rate < USUAL[training.optimizer]:
        yield _usual_rate(spec)
    if training.truncate:
        yield "Back-propagation through all time steps", "training.truncate", 0
    if network.kind == "rnn":
        yield "An LSTM: its cell carries the gradient from step to step, past the slopes", "network.kind", "lstm"
        if network.spectral_radius < 1.0:
            yield _radius_one()
    elif network.forget_bias < 4.0:
        yield "A forget bias of 4: at first the cell keeps 98 % from step to step", "network.forget_bias", 4.0
    if training.learning_rate <= 5 * USUAL["adam"]:
        yield "Adam: it scales each weight's gradient, however small it is", "training.optimizer", "adam"
    yield from _if_too_fast(spec)
    if spec.counts("data.lag") and spec.data.lag > 10:
        yield f"A lag of {spec.data.lag // 10}: a shorter way back", "data.lag", spec.data.lag // 10


def _tame(spec: Spec, _: Evidence | None) -> Iterator[Remedy]:
    """Against a gradient that explodes through time, and steps that are too large."""
    network, training = spec.network, spec.training
    if network.spectral_radius > 1.0:
        yield _radius_one()
    if training.clip == "none":
        yield f"Clip the gradient to a length of {training.clip_threshold:g}", "training.clip", "norm"
    yield _slower(spec)
    if network.activation != "tanh":
        yield "Tanh: it keeps the state between −1 and 1", "network.activation", "tanh"


def _generalise(spec: Spec, evidence: Evidence | None) -> Iterator[Remedy]:
    if spec.counts("data.samples") and spec.data.samples < MANY:
        yield f"{MANY:,} examples: too many to learn by heart", "data.samples", MANY
    yield from _remember(spec, evidence)


def _settle(spec: Spec, evidence: Evidence | None) -> Iterator[Remedy]:
    yield _slower(spec)
    yield from _tame(spec, evidence)


def _wake(spec: Spec, evidence: Evidence | None) -> Iterator[Remedy]:
    yield "Tanh: its slope is nowhere 0", "network.activation", "tanh"
    yield from _tame(spec, evidence)


def _radius_one() -> Remedy:
    return "A spectral radius of 1: the recurrent matrix then neither shrinks nor stretches", "network.spectral_radius", 1.0


def _nothing(_: Spec, __: Evidence | None) -> Iterator[Remedy]:
    return iter(())


def _better_weights(spec: Spec) -> Iterator[Remedy]:
    """First weights that fit the width and the activation: He for those that are shut on one side, else Xavier."""
    if spec.network.set_values:
        return  # the weights are part of the example
    if spec.network.gain != 1.0 and not _unscaled(spec):
        yield "First weights as large as their scheme says", "network.gain", 1.0
    both_sides = all(is_bounded(name) or name == "identity" for name in spec.network.layer_activations)
    name = "xavier_normal" if both_sides else "he_normal"
    yield f"First weights by {INITIALIZERS[name].title.split()[0]}: as large as the width of the layer wants", "network.initializer", name


def _batch_norm(spec: Spec) -> Iterator[Remedy]:
    if spec.training.batch_size > 1:
        yield "Batch norm: keeps each unit's input where the slope is not small", "network.batch_norm", True


def _if_too_fast(spec: Spec) -> Iterator[Remedy]:
    if spec.training.learning_rate > 5 * USUAL[spec.training.optimizer]:
        yield _usual_rate(spec)


def _usual_rate(spec: Spec) -> Remedy:
    rate = USUAL[spec.training.optimizer]
    return f"A learning rate of {rate:g}, which mostly does", "training.learning_rate", rate


def _slower(spec: Spec) -> Remedy:
    rate = spec.training.learning_rate
    if rate > 5 * USUAL[spec.training.optimizer]:
        return _usual_rate(spec)
    return "A learning rate a tenth as large", "training.learning_rate", float(f"{rate / 10:.2g}")


def _unscaled(spec: Spec) -> bool:
    return not spec.network.initializer.startswith(SCALED)


_PROPOSALS: dict[str, Callable[[Spec, Evidence | None], Iterator[Remedy]]] = {
    "vanishing": _against_vanishing,
    "dead_units": _against_dead_units,
    "saturated": _against_saturation,
    "exploding": _against_explosion,
    "diverged": _against_explosion,
    "oscillating": _against_oscillation,
    "healthy": _nothing,
}

_OVER_TIME: dict[str, Callable[[Spec, Evidence | None], Iterator[Remedy]]] = {
    "vanishing": _remember,
    "dead_units": _wake,
    "saturated": _tame,
    "exploding": _tame,
    "diverged": _tame,
    "oscillating": _settle,
    "by_heart": _generalise,
    "healthy": _nothing,
}
