"""The rows of the product ladder: the rungs of one chain rule put together layer by layer, without any drawing.

A layer's slope and the weight that leads to it are one row; batch norm, a skip and clipping have rows of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gradviz.selected import ChainRule, Rung
from gradviz.snapshot import Architecture

from ..numbers import exponent_text, short

SMALLEST_NORMAL = 2.3e-308  # below it a product loses digits or is 0, and only its logarithm is known
TICKED = ("loss", "output", "layer", "batch_norm", "skip", "input", "gate")  # rows that belong to one of the three factors


@dataclass(frozen=True)
class Row:
    """One row of the ladder.

    ``product`` and ``log10_product`` are those of the strongest path from the loss down to here and None where the row has
    only a ``total``, the sum over all paths. ``change`` is the total over that of the row before.
    """

    kind: str  # "loss", "output", "layer", "batch_norm", "skip", "sum", "gate", "input", "result", "mean", "clip" or "gap"
    name: str
    layer: int
    unit: int | None = None  # counted from 0; None where there is nothing to tell apart
    slope: float | None = None
    weight: float | None = None
    factor: float | None = None
    product: float | None = None
    log10_product: float = 0.0
    negative: bool = False
    total: float = math.nan
    change: float | None = None
    reached: bool = True
    branch: float = 0.0
    skip: float = 0.0


def ladder_rows(chain: ChainRule, architecture: Architecture) -> tuple[Row, ...]:
    """The rungs as rows: a layer's slope together with the weight that leads to it; what ends the ladder is added."""
    rows = [*_path_rows(chain, architecture)]
    rows.append(Row("result", "∂J/∂w", chain.layer, total=chain.example_gradient, change=None, reached=chain.reached))
    if chain.time is not None:
        whole = chain.time.shared_gradient
        name = f"all {chain.time.steps} t" if chain.time.stopped == 1 else f"t{chain.time.stopped} … t{chain.time.steps}"
        rows.append(Row("mean", name, chain.layer, total=whole, reached=chain.time.whole))
    if chain.clipped_gradient is not None:
        if chain.batch > 1 and chain.time is None:
            rows.append(Row("mean", f"mean of {chain.batch}", chain.layer, total=chain.gradient, reached=chain.reached))
        whole = chain.gradient if chain.time is None else chain.time.shared_gradient
        same = chain.clipped_gradient == whole
        factor = 1.0 if same else chain.clipped_gradient / whole if whole else math.nan
        rows.append(Row("clip", "clip", chain.layer, factor=factor, total=chain.clipped_gradient, change=factor, reached=chain.reached))
    return tuple(rows)


def _path_rows(chain: ChainRule, architecture: Architecture) -> Iterator[Row]:
    negative, before, held = False, 1.0, None
    gate = chain.time.gate if chain.time is not None else ""
    for rung in chain.rungs:
        negative ^= rung.factor < 0
        if held is not None and rung.kind not in ("slope", "cell"):
            row = _weight_row(held, architecture, negative ^ (rung.factor < 0), before)
            yield row
            before, held = row.total, None
        if rung.branch is not None and rung.kind == "weight":
            yield _sum_row(rung)
        if rung.kind == "weight":
            held = rung
            continue
        if rung.kind == "cell" and held is not None:
            row = _row(rung, architecture, negative, before, weight=held.factor, slope=rung.factor)
            held = None
        elif rung.kind == "forget":
            row = _row(rung, architecture, negative, before, layer=rung.layer - 1)
        elif rung.kind == "gate":
            of = "h" if gate == "output" and rung.layer == chain.layer else "c"
            row = _row(rung, architecture, negative, before, name=f"∂{of}/∂z")
        elif rung.kind == "slope" and held is not None:
            row = _row(rung, architecture, negative, before, weight=held.factor, slope=rung.factor)
            held = None
        elif rung.kind == "slope" or (rung.kind == "output" and len(architecture.output_names) == 1):
            row = _row(rung, architecture, negative, before, slope=rung.factor)
        else:
            row = _row(rung, architecture, negative, before)
        yield row
        before = row.total
        if rung.branch is not None:
            yield _sum_row(rung)
    if held is not None:
        yield _weight_row(held, architecture, negative, before)


def _weight_row(rung: Rung, architecture: Architecture, negative: bool, before: float) -> Row:
    """A weight alone: the path goes on through a skip, past the slope of the layer it leads to."""
    return _row(rung, architecture, negative, before, weight=rung.factor, layer=rung.layer - 1, unit=rung.source)


def _row(
    rung: Rung,
    architecture: Architecture,
    negative: bool,
    before: float,
    weight: float | None = None,
    slope: float | None = None,
    layer: int | None = None,
    unit: int | None = None,
    name: str = "",
) -> Row:
    number = rung.layer if layer is None else layer
    place = rung.unit if unit is None else unit
    names = {"loss": "ŷ", "batch_norm": "BN", "skip": "skip", "input": "∂z/∂w"}
    kind = rung.kind if rung.kind in ("loss", "output", "batch_norm", "skip", "input", "gate") else "layer"
    name = name or names.get(kind) or architecture.layers[number - 1].name
    several = kind in ("layer", "output") and architecture.layers[number - 1].units > 1
    factor = rung.factor * (weight if weight is not None and slope is not None else 1.0)
    change = rung.total / before if before and math.isfinite(before) else (rung.total if kind == "loss" else math.nan)
    return Row(
        kind=kind,
        name=name,
        layer=number,
        unit=place if several else None,
        slope=slope,
        weight=weight,
        factor=factor,
        product=rung.product,
        log10_product=rung.log10_product,
        negative=negative,
        total=rung.total,
        change=change,
        reached=rung.reached,
    )


def _sum_row(rung: Rung) -> Row:
    branch, skip = rung.branch or 0.0, rung.skip or 0.0
    return Row("sum", "⊕", rung.layer, total=branch + skip, reached=rung.reached, branch=branch, skip=skip)


def beyond_floats(product: float, log10_product: float) -> bool:
    """Whether a product is too small or too large for a floating-point number, though its logarithm is known."""
    return math.isfinite(log10_product) and not (SMALLEST_NORMAL <= abs(product) < math.inf)


def product_text(product: float, log10_product: float, negative: bool = False) -> str:
    """The product with two significant digits, also where it has left the range of floating-point numbers."""
    if not beyond_floats(product, log10_product):
        return short(product)
    exponent = math.floor(log10_product)
    mantissa = 10.0 ** (log10_product - exponent)
    if mantissa >= 9.95:
        mantissa, exponent = 1.0, exponent + 1
    return f"{'−' if negative else ''}{mantissa:.1f}×10{exponent_text(exponent)}"
