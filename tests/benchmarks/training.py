"""Training steps per second with every layer's gradient norm, against PyTorch doing the same on the same data."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection

import numpy as np

import gradviz
from tests.benchmarks.result import Result, in_turn, rate

NETWORKS = ((6, 8, 32), (20, 64, 64), (50, 256, 256), (200, 8, 32))  # depth, width, batch size
ROUNDS = 5
SECONDS = 1.0  # of one turn


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

    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    arguments = (theirs, depth, width, batch_size, inputs, targets)
    process = spawning.Process(target=_serve_torch, args=arguments, daemon=True)
    process.start()
    ways = [(style, threads) for style in ("modules", "tensors") for threads in (1, 2)]
    torch = [partial(_torch_rate, ours, *way) for way in ways]
    competitors: list[Callable[[], float]] = [lambda: rate(experiment.step, SECONDS), *torch]
    in_turn(1, *competitors)  # warm caches and thread pools
    value, *peers = in_turn(ROUNDS, *competitors)
    ours.send(None)
    process.join()

    name = f"training {depth}×{width} batch {batch_size}"
    yield Result(name, value, "steps/s", "PyTorch, modules and optimiser", max(peers[:2]))
    yield Result(name, value, "steps/s", "PyTorch, bare tensors", max(peers[2:]))


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


def _torch_rate(connection: Connection, style: str, threads: int) -> float:
    connection.send((style, threads, SECONDS))
    answer: float = connection.recv()
    return answer
