"""Data sets that are drawn instead of read: points in the plane, and a curve.

Points, displacement and split come from separate streams of one seed, so that more noise moves the same points further.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gradviz.tables import Table

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Shape = Callable[[np.random.Generator, Labels], Floats]


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers for the "points", the "noise" or the "split", independent of each other."""
    return np.random.default_rng([seed, ("points", "noise", "split").index(purpose)])


def input_names(features: int) -> tuple[str, ...]:
    """x₁, x₂ …"""
    return tuple("x" + str(n).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")) for n in range(1, features + 1))


def cloud(shape: Shape, classes: int, samples: int, noise: float, seed: int) -> Table:
    """Points of equally large classes placed by ``shape``, each displaced by normally distributed noise."""
    labels = np.arange(samples, dtype=np.int64) % classes
    points = shape(stream(seed, "points"), labels)
    points += noise * stream(seed, "noise").standard_normal(points.shape)
    return Table(points, labels, input_names(2), tuple(str(label) for label in range(classes)))


def moons(rng: np.random.Generator, labels: Labels) -> Floats:
    angle = rng.uniform(0.0, np.pi, len(labels))
    lower = labels == 1
    x = np.where(lower, 1.0 - np.cos(angle), np.cos(angle))
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
    return np.column_stack([x, y])


def circles(rng: np.random.Generator, labels: Labels) -> Floats:
    angle = rng.uniform(0.0, 2.0 * np.pi, len(labels))
    radius = np.where(labels == 1, 0.5, 1.0)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def xor(rng: np.random.Generator, labels: Labels) -> Floats:
    # The margin along both axes keeps the classes apart as long as there is no noise.
    size = rng.uniform(0.1, 1.0, (len(labels), 2))
    x_sign = rng.choice([-1.0, 1.0], len(labels))
    y_sign = np.where(labels == 1, -x_sign, x_sign)
    signs: Floats = np.column_stack([x_sign, y_sign])
    return size * signs


def spirals(rng: np.random.Generator, labels: Labels) -> Floats:
    # Square roots of uniform numbers spread the points evenly along the arm instead of crowding them at the centre.
    along = 0.1 + 0.9 * np.sqrt(rng.uniform(0.0, 1.0, len(labels)))
    angle = 3.5 * np.pi * along + np.pi * labels
    return np.column_stack([along * np.cos(angle), along * np.sin(angle)])


def blobs(rng: np.random.Generator, labels: Labels) -> Floats:
    centres = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    return centres[labels] + 0.25 * rng.standard_normal((len(labels), 2))


def sine(samples: int, noise: float, seed: int) -> Table:
    """Two periods of a sine, whose values alone are displaced."""
    x = stream(seed, "points").uniform(-np.pi, np.pi, (samples, 1))
    y = np.sin(2.0 * x) + noise * stream(seed, "noise").standard_normal(x.shape)
    return Table(x, y, ("x",), ())
