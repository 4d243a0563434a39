"""Runs whose outcome is known only afterwards: ill and healthy nets drawn at random, many of them once more with one remedy.

A case is labelled by what came of its training alone, never by what it looks like. Half of the cases is kept aside by a
fixed hash; a case and its repaired version are always in the same half.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, SpecError, TrainingSpec
from gradviz.initializers import INITIALIZERS

STEPS = 1500  # the budget
NOT_LEARNT, LEARNT = 0.95, 0.5  # of the loss of guessing, at the end of the budget
STOPPED = 0.2

DATA = ("moons", "circles", "circles", "blobs", "blobs", "spirals", "xor", "digits", "iris")
LINEAR = ("moons", "blobs", "digits", "iris")
SCHEMES = tuple(INITIALIZERS)
GAINS = (1.0, 1.0, 1.0, 1.0, 0.1, 0.3, 2.0, 3.0, 5.0)
RATES = (1e-3, 1e-2, 0.03, 0.1, 0.1, 0.1, 0.3, 1.0, 3.0, 10.0)
SMALL_RATES = (1e-4, 1e-3, 1e-3, 3e-3, 1e-2, 0.1, 1.0)  # for optimisers that scale the gradient
REPAIRS: tuple[tuple[str, Any], ...] = (
    ("network.activation", "relu"),
    ("network.batch_norm", True),
    ("network.skip_every", 2),
    ("network.initializer", "he_normal"),
    ("network.gain", 1.0),
    ("training.learning_rate", 0.1),
    ("training.clip", "norm"),
)


@dataclass(frozen=True)
class Case:
    """One run; ``aside`` says whether it belongs to the half that no threshold was tuned on, ``arrays`` are data of its own."""

    spec: Spec
    aside: bool
    arrays: tuple[NDArray[Any], NDArray[Any]] | None = None


def cases(count: int, seed: int = 4) -> list[Case]:
    """So many cases, the same ones each time."""
    found: list[Case] = []
    for spec in _specs(np.random.default_rng(seed)):
        aside = hashlib.sha256(spec.to_json().encode()).digest()[0] % 2 == 1
        found += [Case(version, aside) for version in (spec, *_repaired(spec, len(found)))]
        if len(found) >= count:
            break
    return found[:count]


def _specs(rng: np.random.Generator) -> Iterator[Spec]:
    def one_of(*choices: Any) -> Any:
        return choices[rng.integers(len(choices))]

    while True:
        family = rng.random()
        if family < 0.4:  # the deep nets of the lecture
            activation, depth = one_of("sigmoid", "tanh"), one_of(5, 8, 10, 12, 16, 20)
        elif family < 0.7:
            activation = one_of("relu", "relu", "leaky_relu", "elu", "prelu", "gelu", "silu", "softplus")
            depth = one_of(3, 5, 8, 10, 16, 20)
        else:
            activation, depth = one_of("sigmoid", "tanh", "relu", "leaky_relu", "identity"), one_of(1, 2, 3, 4)
        # what no straight line parts is nothing that a net of identities could fail at
        data, scheme = one_of(*(LINEAR if activation == "identity" else DATA)), one_of(*SCHEMES)
        wide = data == "digits"
        optimizer = one_of("sgd", "sgd", "sgd", "momentum", "adam", "rmsprop")
        network = NetworkSpec(
            depth=min(depth, 8) if wide else depth,
            width=one_of(16, 32) if wide else one_of(4, 8, 8, 16, 32),
            activation=activation,
            initializer=scheme,
            gain=1.0 if scheme in ("constant", "zeros") else one_of(*GAINS),
            batch_norm=bool(rng.random() < 0.15),
            skip_every=one_of(0, 0, 0, 0, 1, 2),
        )
        training = TrainingSpec(
            optimizer=optimizer,
            learning_rate=one_of(*(RATES if optimizer in ("sgd", "momentum") else SMALL_RATES)),
            batch_size=one_of(16, 32, 64),
            clip=one_of("none", "none", "none", "norm"),
            seed=int(rng.integers(1000)),
        )
        yield Spec(network, DataSpec(name=data, samples=one_of(200, 400), noise=one_of(0.05, 0.1, 0.2)), training)


def _repaired(spec: Spec, number: int) -> list[Spec]:
    """The same run with one remedy, for two cases of three."""
    path, value = REPAIRS[number // 2 % len(REPAIRS)]
    if number % 3 == 0 or spec.get(path) == value:
        return []
    try:
        return [spec.replace(path, value)]
    except SpecError:
        return []


def outcome(experiment: Experiment) -> str:
    """What came of a run that has spent its budget: "ill", "healthy", or "between", which is no case for a yes or a no.

    It is ill when a number went non-finite, when its loss has not left guessing, or when it stopped short of learning its
    data with first layers that no longer move at all; healthy when its loss is below half of guessing, and stays there.
    """
    if experiment.trainer.failure is not None:
        return "ill"
    guessing = experiment.snapshot().guessing_loss
    assert guessing
    table = experiment.history.table()
    losses = table.loss[-100:] / guessing
    level = float(np.median(losses))
    stopped = level > STOPPED and float(np.median(table.gradient_rms[-100:, 0])) == 0.0
    if not level <= NOT_LEARNT or stopped:
        return "ill"
    return "healthy" if level < LEARNT and float(np.quantile(losses, 0.95)) < 1.0 else "between"
