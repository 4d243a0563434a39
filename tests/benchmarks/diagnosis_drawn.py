"""Two more sets of runs, drawn otherwise than those of `diagnosis_cases`, so that its rules meet what they were not tuned on.

"wide" crosses depth, width, activation, first weights, optimiser, learning rate, batch, precision, shipped data and raw arrays
that nobody has scaled; "deep" is the lecture's: sigmoid, tanh and ReLU nets on circles and blobs, from far too small to far too
large weights and learning rates. Most runs come a second time, repaired. A run and its repair are in the same half.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz import DataSpec, NetworkSpec, Spec, SpecError, TrainingSpec
from tests.benchmarks.diagnosis_cases import Case

Arrays = tuple[NDArray[Any], NDArray[Any]]

OWN = ("circles", "circles", "blobs", "blobs", "wide blobs", "large", "regression", "small regression", "moons")
SETS = ("circles",) * 3 + ("blobs",) * 3 + ("moons", "xor", "spirals", "iris", "wine", "breast_cancer", "digits", "sine")
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "prelu")
DEPTHS = (2, 3, 5, 8, 10, 15, 20, 30)
SCHEMES = (
    ("xavier_normal",) * 2 + ("xavier_uniform",) + ("he_normal",) * 3 + ("he_uniform", "lecun_normal", "orthogonal", "normal", "uniform")
)
GAINS = (1.0,) * 5 + (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 1.5, 2.0, 3.0, 5.0, 10.0)
USUAL = {"sgd": 0.1, "momentum": 0.05, "nesterov": 0.05, "adam": 0.003, "rmsprop": 0.003}
OPTIMIZERS = ("sgd",) * 5 + ("momentum", "adam", "adam", "nesterov", "rmsprop")
REPAIRS = ("tanh", "relu", "batch norm", "skips", "weights", "rate", "all")


def wide_cases(count: int, seed: int = 77) -> list[Case]:
    rng, found = np.random.default_rng(seed), list[Case]()
    while len(found) < count:
        spec, own = _wide(rng)
        repair, repaired, data_seed = REPAIRS[rng.integers(len(REPAIRS))], rng.random() < 0.6, int(rng.integers(1 << 30))
        versions = [spec]
        if repaired:
            with contextlib.suppress(SpecError):  # then this repair is none for this net
                versions += [other for other in [_repaired(spec, repair)] if other != spec]
        arrays = _arrays(own, spec.data.samples, np.random.default_rng(data_seed)) if own else None
        found += [Case(version, _aside("x", spec), arrays) for version in versions]
    return found[:count]


def deep_cases(count: int, seed: int = 5) -> list[Case]:
    rng, found = np.random.default_rng(seed), list[Case]()
    pick = _picker(rng)
    while len(found) < count:
        activation, depth = pick("sigmoid", "tanh", "sigmoid", "tanh", "relu"), pick(3, 4, 5, 6, 8, 10, 12, 15, 20, 30)
        width = pick(8, 10, 16, 20, 32)
        own, data = pick(None, None, "circles", "blobs"), pick("circles", "blobs", "circles", "blobs", "moons")
        scheme = pick("xavier_normal", "xavier_uniform", "he_normal", "lecun_normal", "normal", "orthogonal")
        gain = pick(1.0, 1.0, 1.0, 1.0, 0.01, 0.1, 0.3, 3.0, 10.0)
        optimizer = pick("sgd", "sgd", "sgd", "sgd", "adam", "momentum")
        rate = pick(1e-3, 0.01, 0.03, 0.1, 0.1, 0.1, 0.3, 1.0, 3.0, 10.0)
        rate = pick(1e-3, 0.01, 0.1) if optimizer == "adam" else rate
        data_spec = DataSpec(name=data, samples=pick(200, 300, 500, 1000), noise=pick(0.05, 0.1))
        training = TrainingSpec(optimizer=optimizer, learning_rate=rate, batch_size=pick(16, 32, 64, 10000), seed=int(rng.integers(10000)))
        spec = Spec(NetworkSpec(depth=depth, width=width, activation=activation, initializer=scheme, gain=gain), data_spec, training)
        data_seed = int(rng.integers(1 << 30))
        weights = "xavier_normal" if activation == "tanh" else "he_normal"
        cured = _changed(spec, ("network.initializer", weights), ("network.gain", 1.0))
        cured = cured.replace("training.learning_rate", {"sgd": 0.1, "adam": 0.003, "momentum": 0.02}[optimizer])
        changes = pick(_RELU, _RELU, (("network.batch_norm", True),), (("network.skip_every", 2),), (("network.depth", 2),), _TANH)
        arrays = _arrays(own, data_spec.samples, np.random.default_rng(data_seed)) if own else None
        versions = [spec] + [other for other in [_changed(cured, *changes)] if other != spec]
        found += [Case(version, _aside("b", spec), arrays) for version in versions]
    return found[:count]


_RELU = (("network.activation", "relu"), ("network.initializer", "he_normal"))
_TANH = (("network.activation", "tanh"), ("network.initializer", "xavier_normal"))
SETS_OF_CASES: dict[str, Callable[[int], list[Case]]] = {"wide": wide_cases, "deep": deep_cases}


def _wide(rng: np.random.Generator) -> tuple[Spec, str | None]:
    pick = _picker(rng)
    family = rng.random()
    if family < 0.45:
        activation, depth = pick("sigmoid", "sigmoid", "tanh", "tanh"), pick(2, 3, 5, 6, 8, 10, 12, 15, 20, 30)
    elif family < 0.8:
        activation, depth = pick("relu", "relu", "relu", "leaky_relu"), pick(*DEPTHS)
    else:
        activation, depth = pick(*ACTIVATIONS), pick(*DEPTHS, 50)
    own = pick(*OWN) if rng.random() < 0.35 else None
    data = own or pick(*SETS)
    width = pick(4, 8, 10, 16, 16, 20, 32, 50)
    if data == "digits":
        depth, width = min(depth, 10), min(width, 32)
    if depth >= 30:
        width = min(width, 16)
    scheme, gain, optimizer = pick(*SCHEMES), pick(*GAINS), pick(*OPTIMIZERS)
    rate = float(10 ** (rng.uniform(-3, 1) if optimizer == "sgd" else rng.uniform(-4, 0.5)))
    if rng.random() < 0.4:
        rate = USUAL[optimizer]
    batch = pick(1, 4, 8, 16, 32, 32, 32, 64, 128, 10000)
    network = NetworkSpec(
        depth=depth,
        width=width,
        activation=activation,
        initializer=scheme,
        gain=gain,
        batch_norm=bool(rng.random() < 0.12 and batch > 1),
        skip_every=pick(0, 0, 0, 0, 0, 0, 1, 2),
    )
    training = TrainingSpec(
        optimizer=optimizer,
        learning_rate=rate,
        batch_size=batch,
        clip=pick("none", "none", "none", "none", "none", "norm", "value"),
        seed=int(rng.integers(10000)),
        precision=pick("float64", "float64", "float32"),
    )
    shown = DataSpec(
        name="moons" if own else data, samples=pick(100, 200, 300, 500, 500, 1000, 2000), noise=pick(0.02, 0.05, 0.1, 0.15, 0.3)
    )
    return Spec(network, shown, training), own


def _repaired(spec: Spec, repair: str) -> Spec:
    training, unit_gain = spec.training, ("network.gain", 1.0)
    rate = {"sgd": 0.1, "adam": 0.003, "rmsprop": 0.003}.get(training.optimizer, 0.02)
    weights = "xavier_normal" if spec.network.activation in ("tanh", "sigmoid") else "he_normal"
    changes: dict[str, tuple[tuple[str, Any], ...]] = {
        "tanh": (*_TANH, unit_gain),
        "relu": (*_RELU, unit_gain),
        "batch norm": (("training.batch_size", max(16, training.batch_size)), ("network.batch_norm", True)),
        "skips": (("network.skip_every", 2),),
        "weights": (("network.initializer", weights), unit_gain),
        "rate": (("training.learning_rate", rate),),
        "all": (*_RELU, unit_gain, ("training.learning_rate", rate)),
    }
    return _changed(spec, *changes[repair])


def _changed(spec: Spec, *changes: tuple[str, Any]) -> Spec:
    for path, value in changes:
        spec = spec.replace(path, value)
    return spec


def _picker(rng: np.random.Generator) -> Callable[..., Any]:
    return lambda *choices: choices[rng.integers(len(choices))]


def _aside(salt: str, spec: Spec) -> bool:
    return hashlib.sha256((salt + spec.to_json()).encode()).digest()[0] % 2 == 1


def _arrays(name: str, count: int, rng: np.random.Generator) -> Arrays:
    """Inputs (examples, features) and targets as somebody may bring them, of any scale."""
    if name == "circles":
        y = rng.integers(0, 2, count)
        radius, angle = np.where(y, 1.0, 0.5) + rng.normal(0, 0.06, count), rng.uniform(0, 2 * np.pi, count)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), y
    if name == "blobs":
        y, centres = rng.integers(0, 3, count), rng.uniform(-10, 10, (3, 2))
        return centres[y] + rng.normal(0, 1, (count, 2)), y
    if name == "wide blobs":
        y, centres = rng.integers(0, 4, count), rng.normal(0, 3, (4, 10))
        return centres[y] + rng.normal(0, 1, (count, 10)), y
    if name == "large":
        x = rng.normal(0, 1, (count, 5)) * np.array([1, 10, 100, 3, 0.1]) + np.array([5, 50, 500, 0, 0])
        return x, (x[:, 0] - 5 + (x[:, 1] - 50) / 10 > 0).astype(int)
    if name == "regression":
        x = rng.normal(0, 1, (count, 3))
        return x, 10 * x[:, :1] + 5 * np.sin(2 * x[:, 1:2]) + 20
    if name == "small regression":
        x = rng.uniform(-1, 1, (count, 2))
        return x, np.sin(3 * x[:, :1]) * x[:, 1:2]
    y, angle = rng.integers(0, 2, count), rng.uniform(0, np.pi, count)
    moons = np.stack([np.where(y, 1 - np.cos(angle), np.cos(angle)), np.where(y, 0.5 - np.sin(angle), np.sin(angle))], 1)
    return moons + rng.normal(0, 0.1, (count, 2)), y
