"""Training steps per second with every layer's gradient norm, against PyTorch doing the same on the same data.

The variable ``OPENBLAS_CORETYPE`` holds the matrix products of NumPy to the kernels of an older processor, those of PyTorch
not. Where it is set, the engine is measured without it too, in rows of their own: only those compare the two as a machine has them.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection

import numpy as np

import gradviz
from tests.benchmarks.result import Result, in_turn, rate

NETWORKS = ((6, 8, 32), (20, 64, 64), (50, 256, 256), (200, 8, 32))  # depth, width, batch size
ROUNDS = 5
SECONDS = 1.0  # of one turn
HELD_BACK = "OPENBLAS_CORETYPE"


def run() -> Iterator[Result]:
    for depth, width, batch_size in NETWORKS:
        yield from _compare(depth, width, batch_size)


def _compare(depth: int, width: int, batch_size: int) -> Iterator[Result]:
    inputs, targets = _moons(512)
    spec = gradviz.Spec(
        network=gradviz.NetworkSpec(depth=depth, width=width, activation="tanh"),
        training=gradviz.TrainingSpec(loss="binary_cross_entropy", optimizer="sgd", batch_size=batch_size),
    )
    experiment = gradviz.Experiment(spec, inputs=inputs, targets=targets)

    torch = _Served(_serve_torch, depth, width, batch_size, inputs, targets)
    peers = [partial(torch.rate, style, threads) for style in ("modules", "tensors") for threads in (1, 2)]
    ours: list[Callable[[], float]] = [lambda: rate(experiment.step, SECONDS)]
    names = [f"training {depth}×{width} batch {batch_size}"]
    free = None
    if HELD_BACK in os.environ:
        with _without(HELD_BACK):
            free = _Served(_serve_engine, spec, inputs, targets)
        ours.append(free.rate)
        names.append(f"{names[0]}, without {HELD_BACK}={os.environ[HELD_BACK]}")
    in_turn(1, *ours, *peers)  # warm caches and thread pools
    rates = in_turn(ROUNDS, *ours, *peers)
    for served in (torch, free):
        if served is not None:
            served.end()

    theirs = rates[len(ours) :]
    for name, value in zip(names, rates[: len(ours)], strict=True):
        yield Result(name, value, "steps/s", "PyTorch, modules and optimiser", max(theirs[:2]))
        yield Result(name, value, "steps/s", "PyTorch, bare tensors", max(theirs[2:]))


class _Served:
    """A competitor in a process of its own, which measures a turn when asked to."""

    def __init__(self, serve: Callable[..., None], *arguments: object) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(target=serve, args=(theirs, *arguments), daemon=True)
        self._process.start()

    def rate(self, *how: object) -> float:
        """Steps per second, measured for `SECONDS`."""
        self._connection.send((*how, SECONDS))
        answer: float = self._connection.recv()
        return answer

    def end(self) -> None:
        self._connection.send(None)
        self._process.join()


@contextmanager
def _without(variable: str) -> Iterator[None]:
    """Processes started meanwhile do not have this variable of the environment."""
    value = os.environ.pop(variable)
    try:
        yield
    finally:
        os.environ[variable] = value


def _moons(examples: int) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaving half circles, standardised: inputs (examples, 2) and classes (examples,)."""
    rng = np.random.default_rng(0)
    classes = np.arange(examples) % 2
    angle = rng.uniform(0.0, np.pi, examples)
    sign = 1.0 - 2.0 * classes
    points = np.column_stack([classes + sign * np.cos(angle), 0.5 * classes + sign * np.sin(angle)])
    points += rng.normal(0.0, 0.1, points.shape)
    return (points - points.mean(axis=0)) / points.std(axis=0), classes


def _serve_torch(*arguments: object) -> None:
    from tests.benchmarks.torch_peer import serve  # only this process loads PyTorch

    serve(*arguments)  # type: ignore[arg-type]


def _serve_engine(connection: Connection, spec: gradviz.Spec, inputs: np.ndarray, targets: np.ndarray) -> None:
    experiment = gradviz.Experiment(spec, inputs=inputs, targets=targets)
    while (turn := connection.recv()) is not None:
        (seconds,) = turn
        connection.send(rate(experiment.step, seconds))
