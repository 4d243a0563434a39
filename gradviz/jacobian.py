"""Singular values of long products of Jacobians, to many digits however small they are.

Multiplied out, a product of many matrices loses all but its largest singular values to rounding, and sooner or later leaves the range of
floating-point numbers. Here it is kept as Q · diag(10^s) · T with Q orthonormal and the rows of T of length 1, one QR decomposition per
factor (graded or "stratified" QR with columns sorted beforehand: Loh et al. 1992; Tomás, Chang, Scalettar and Bai 2012). The scales
stand apart in s, so nothing underflows, and the singular values of diag(10^s) · T are found to high relative accuracy.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gradviz.arrays import Floats
from gradviz.spectra import Spectrum

UNTOLD = 1e3  # times rounding: what is smaller than that beside the largest has fewer than three digits
EPSILON = float(np.finfo(float).eps)
DECADES = 280.0  # that singular values told at once span: floating-point numbers end not far below


class Factor(NamedTuple):
    """The Jacobian of one map: through its layers, and past them where a skip adds its input, 1 + F′.

    ``layers`` holds (weight (inputs, units), slope (units,)) of each: the layer's Jacobian is diag(slope) · weightᵀ.
    """

    layers: tuple[tuple[Floats, Floats], ...]
    skip: bool = False

    @property
    def inputs(self) -> int:
        return len(self.layers[0][0])

    @property
    def outputs(self) -> int:
        return len(self.layers[-1][1])

    def back(self, vectors: Floats) -> Floats:
        """Jᵀ · vectors: what becomes of gradients (outputs, many) on their way back through it."""
        found = vectors
        for weight, slope in reversed(self.layers):
            found = weight @ (slope[:, None] * found)
        return found + vectors if self.skip else found

    def matrix(self) -> Floats:
        """(outputs, inputs), multiplied out."""
        found: Floats = self.back(np.eye(self.outputs)).T
        return found


class _Product:
    """(J_last … J_first)ᵀ · start, as Q · diag(e^s) · T, growing factor by factor."""

    def __init__(self, start: Floats) -> None:
        self._q, self._t = start, np.eye(start.shape[1])
        self._s = np.zeros(start.shape[1])
        self._width = start.shape[1]
        self._lost = 0
        self._floor = -np.inf  # ln of how large what is lost may have become: below it nothing can be told any more
        self._finite = True

    def take(self, factor: Factor) -> None:
        """Multiply by the transpose of one more factor."""
        if not factor.skip and self._finite:
            for weight, slope in reversed(factor.layers):
                open_units = slope != 0.0  # a unit with f′ = 0 passes nothing on: exactly, not up to rounding
                if np.count_nonzero(open_units) < self._q.shape[1]:
                    self._absorb(self._q[open_units])
                    self._absorb(weight[:, open_units] @ (slope[open_units, None] * self._q))
                else:
                    self._absorb(weight @ (slope[:, None] * self._q))
        elif self._finite:
            self._absorb(factor.back(self._q))

    def _absorb(self, found: Floats) -> None:
        """``found`` takes the place of Q: make it orthonormal again, its triangle going over into s and T."""
        tops = np.abs(found).max(axis=0, initial=0.0)
        if not np.isfinite(tops).all():
            self._finite = False
            return
        # by the largest number of each column: the squares of very large and very small ones leave the range
        scaled = found / tops
        sizes = tops * np.sqrt(np.einsum("ij,ij->j", scaled, scaled))
        order = np.argsort(-(np.log(np.where(tops > 0.0, sizes, 1.0)) + self._s), kind="stable")
        order = order[tops[order] > 0.0]
        s, t = self._s[order], self._t[order]
        q, r = np.linalg.qr(found[:, order])
        diagonal = np.abs(np.diagonal(r))
        largest = sizes[order].max(initial=0.0)
        least = UNTOLD * EPSILON * max(found.shape) * largest
        kept, lost = np.flatnonzero(diagonal > least), np.flatnonzero(diagonal <= least)
        self._lost += len(lost)
        self._floor = max(self._floor + np.log(largest), (s[lost] + np.log(least)).max(initial=-np.inf))
        # R · diag(e^s) = diag(|r| e^s) · step, with a step near 1 because the columns are sorted
        step = r[kept] * np.exp(np.minimum(s[None, :] - s[kept, None], 700.0)) / diagonal[kept, None]
        t = step @ t
        lengths = np.sqrt(np.einsum("ij,ij->i", t, t))
        self._q = q[:, kept]
        self._t = t / lengths[:, None]
        self._s = s[kept] + np.log(diagonal[kept] * lengths)

    def spectrum(self) -> Spectrum:
        """The singular values so far."""
        if not self._finite:
            return Spectrum(_frozen(np.empty(0)), finite=False)
        count = min(self._width, len(self._q))
        order = np.argsort(-self._s, kind="stable")
        s = self._s[order] / np.log(10.0)
        near = s > s[0] - DECADES if len(s) else np.zeros(0, bool)
        scaled = 10.0 ** (s[near] - s[0])[:, None] * self._t[order][near] if len(s) else np.empty((0, 1))
        values = np.linalg.svd(scaled, compute_uv=False)[: len(scaled)]
        with np.errstate(divide="ignore"):
            logs = np.log10(values) + (s[0] if len(s) else 0.0)
        logs = logs[np.isfinite(logs) & (logs > self._floor / np.log(10.0))]
        lost = min(self._lost + len(s) - len(logs), count - len(logs))
        return Spectrum(_frozen(logs), zeros=count - len(logs) - lost, lost=lost)


def _frozen(array: Floats) -> Floats:
    array.flags.writeable = False
    return array


@functools.lru_cache(maxsize=8)
def directions(units: int, most: int) -> Floats:
    """(units, min(units, most)) orthonormal, read-only: all directions, or as many at random, always the same ones."""
    if units <= most:
        return _frozen(np.eye(units))
    return _frozen(np.linalg.qr(np.random.default_rng(units).standard_normal((units, most)))[0])


@np.errstate(all="ignore")  # an exploding net is the subject here
def spectra_backwards(factors: Sequence[Factor], wanted: Iterable[int], most: int) -> dict[int, Spectrum]:
    """Singular values of J_last … J_i for each wanted i, by i: what a gradient meets from the end back to before factor i.

    Args:
        factors: J_0, J_1, … in the order in which a signal goes through them.
        wanted: numbers of factors, counted from 0; len(factors) stands for the empty product, which is 1.
        most: look in at most so many directions of the last factor's outputs.

    Raises:
        ValueError: without any factor.
    """
    if not factors:
        raise ValueError("a product of Jacobians needs at least one factor")
    return dict(_backwards(factors, set(wanted), most))


def _backwards(factors: Sequence[Factor], wanted: set[int], most: int) -> Iterator[tuple[int, Spectrum]]:
    product = _Product(directions(factors[-1].outputs, most))
    if len(factors) in wanted:
        yield len(factors), product.spectrum()
    for number in range(len(factors) - 1, -1, -1):
        product.take(factors[number])
        if number in wanted:
            yield number, product.spectrum()


def spectrum(factors: Sequence[Factor], most: int) -> Spectrum:
    """Singular values of the whole product J_last … J_0; raises ValueError without any factor."""
    return spectra_backwards(factors, (0,), most)[0]


@np.errstate(all="ignore")
def log10_mean_square(factor: Factor, most: int) -> float:
    """log10 of the mean of the squared singular values, without finding them; over the same directions."""
    start = directions(factor.outputs, most)
    back = factor.back(start)
    largest = float(np.abs(back).max(initial=0.0))
    if not np.isfinite(largest):
        return float("nan")
    count = min(start.shape[1], factor.inputs)
    return 2 * float(np.log10(largest)) + float(np.log10(np.sum((back / largest) ** 2) / count)) if largest else float("-inf")
