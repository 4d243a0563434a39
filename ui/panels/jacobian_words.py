"""What the Jacobian view says in words: how a product of layers treats directions, and what it was measured on."""

from __future__ import annotations

import math

from gradviz.spectra import JacobianReport, Spectrum

from ..numbers import exponent_text, short

ISOMETRY = 1.1  # singular values that are all this near to 1 count as keeping lengths
HELD = "Batch norm’s means and spreads are held. "


def size(log10: float) -> float:
    """A number by its log10; 0 below and ∞ above what a floating-point number holds."""
    return math.inf if log10 > 308 else 10.0**log10


def size_text(log10: float) -> str:
    """A number by its log10, two significant digits; also where it is too small or too large for a floating-point number."""
    if not math.isfinite(log10) or abs(log10) < 300:
        return short(10.0**log10)
    exponent = math.floor(log10)
    return f"{10.0 ** (log10 - exponent):.1f}×10{exponent_text(exponent)}"


def name(report: JacobianReport) -> str:
    """What the product is of: "L1 → L10"."""
    return f"{report.names[0]} → {report.names[1]}"


def smallest_text(spectrum: Spectrum) -> str:
    """The smallest singular value; "0" where some are, and a bound where rounding has eaten some."""
    if not spectrum.finite:
        return "NaN"
    if spectrum.zeros or not spectrum.count:
        return "0" if spectrum.zeros else "–"
    if spectrum.lost:
        return f"< {size_text(float(spectrum.log10[-1]))}" if len(spectrum.log10) else "–"
    return size_text(float(spectrum.log10[-1]))


def condition_text(spectrum: Spectrum) -> str:
    """The largest by the smallest singular value, where that is not 0; a bound where rounding has eaten some."""
    if not spectrum.finite:
        return "NaN"
    if not len(spectrum.log10):
        return "–"
    if spectrum.zeros:
        return "–"
    if spectrum.lost:
        return f"> {size_text(float(spectrum.log10[0] - spectrum.log10[-1]))}"
    return size_text(spectrum.log10_condition)


def directions_sentence(report: JacobianReport) -> tuple[str, ...]:
    """What the product of the hidden maps does to directions; empty parts are left out."""
    found, count = report.hidden, report.hidden.count
    if not report.chain:
        return ("With a single hidden layer there is nothing to multiply.",)
    if not found.finite:
        return ("A number on the way is not finite, so the singular values of the product are not known.",)
    if found.zeros == count:
        return (f"Nothing gets through: all {count:,} singular values from {name(report)} are exactly 0.",)
    if not len(found.log10):
        return ("Nothing of the product is above rounding.",)
    high, low = float(found.log10[0]), float(found.log10[-1])
    which = f"all {count:,}" if len(found.log10) == count else f"{len(found.log10):,} of {count:,}"
    sampled = report.directions < report.units
    seen = f" (in {report.directions:,} random directions of {report.units:,})" if sampled else ""
    between = f"{which} singular values{seen} lie between {size_text(low)} and {size_text(high)}"
    texts = [f"From {name(report)} {between}: {_treatment(found, sampled)}."]
    if found.zeros:
        texts.append(f"{found.zeros:,} {_is(found.zeros)} exactly 0: units whose f′ is 0 pass nothing on.")
    if found.lost:
        texts.append(f"{found.lost:,} {_is(found.lost)} too small beside the largest to be told from rounding.")
    return tuple(texts)


def _treatment(found: Spectrum, sampled: bool) -> str:
    high, low = float(found.log10[0]), float(found.log10[-1])
    near = math.log10(ISOMETRY)
    if len(found.log10) == found.count and high <= near and low >= -near:
        what = "none of these directions" if sampled else "no direction"
        return f"{what} is changed by more than {_percent(max(high, -low))}{'' if sampled else ', an isometry'}"
    if high - low <= near:
        return "all that pass are changed alike"
    if high < -near:
        return f"every direction shrinks, one {size_text(high - low)} times as much as another"
    if low > near:
        return f"every direction grows, one {size_text(high - low)} times as much as another"
    return f"the best one is kept {size_text(high - low)} times as well as the worst"


def _percent(log10: float) -> str:
    share = 100 * (10.0**log10 - 1)
    return "10⁻⁶ %" if share < 1e-6 else f"{short(share)} %"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def squares_sentence(report: JacobianReport) -> str:
    """The mean square end to end beside what the layers' own multiply to."""
    whole = report.hidden.log10_mean_square
    if not report.chain or math.isnan(whole) or math.isnan(report.log10_product):
        return ""
    own = size_text(report.log10_product)
    whose = "time steps’" if report.recurrent else "layers’"
    return f"Mean of their squares: {size_text(whole)} end to end; the {whose} own, multiplied: {own}."


def through_sentence(report: JacobianReport) -> str:
    """The singular values from the input to the output."""
    whole, way = report.whole, "From the first state to the output" if report.recurrent else "From input to output"
    if not whole.finite or not len(whole.log10):
        known = "not known" if not whole.finite else "exactly 0" if whole.zeros == whole.count else "lost in rounding"
        return f"{way}: {known}."
    first, last = size_text(float(whole.log10[0])), size_text(float(whole.log10[-1]))
    if len(whole.log10) == 1:
        return f"{way}: {first}."
    return f"{way} {len(whole.log10):,} of them, {last} to {first}."


def foot(report: JacobianReport, batch_norm: bool, batch: int, lstm: bool) -> str:
    """What it was measured on, and what was left out."""
    example = f"Example {report.example + 1} of the mini-batch" + (f" of {batch:,}" if batch else "")
    texts = [f"{example}. ", HELD if batch_norm else ""]
    texts.append("A residual block is one map, 1 + F′. " if any("→" in one.name for one in report.maps) else "")
    if len(report.maps) < report.chain + 2:
        texts.append(f"Drawn are {len(report.maps):,} of {report.chain + 2:,} maps. ")
    if report.directions < report.units:
        texts.append("In fewer directions the largest and the smallest lie nearer to each other than all would. ")
    state = "state (c and h)" if lstm else "state"
    ends = (f"one {state}", "the next") if report.recurrent else ("one layer’s outputs", "the next one’s")
    texts.append(f"A map leads from {ends[0]} to {ends[1]}.")
    return "".join(texts)
