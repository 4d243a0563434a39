"""How numbers are written: two significant digits beside the colour, full precision on hover, plain ones for copying."""

from __future__ import annotations

import math

MINUS = "−"
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def power(exponent: int) -> str:
    """A power of ten: "10⁻⁶"; "1" for exponent 0."""
    return "1" if exponent == 0 else "10" + str(exponent).translate(_SUPERSCRIPTS)


def short(value: float) -> str:
    """Two significant digits: "0.0011", "1,200", "8.4×10⁻⁹", "NaN", "∞", "0"."""
    return _written(value, 2)


def full(value: float) -> str:
    """Full precision for reading: "−0.12024387", "8.4312019×10⁻⁹"."""
    return _written(value, 8)


def plain(value: float) -> str:
    """Full precision for copying: "8.4312019e-09" reads back to the same number."""
    return repr(float(value))


def ratio(value: float) -> str:
    """A factor between neighbours: "×0.24", "×2.50"; "–" when it is not known."""
    if not math.isfinite(value):
        return "–"
    if value != 0 and not 0.005 <= abs(value) < 1000:
        return "×" + short(value)
    return f"×{value:.2f}"


def _written(value: float, digits: int) -> str:
    value = float(value)
    if math.isnan(value):
        return "NaN"
    sign = MINUS if value < 0 else ""
    if math.isinf(value):
        return sign + "∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    size = int(exponent)
    if -3 <= size < max(4, digits):
        decimals = max(0, digits - 1 - size)
        text = f"{abs(value):,.{decimals}f}"
        return sign + (text if size < digits else f"{float(mantissa) * 10**size:,.0f}")
    return f"{sign}{mantissa}×{power(size)}"
