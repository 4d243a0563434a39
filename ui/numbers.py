"""How numbers are written: two significant digits on screen, every digit on hover and when copied.

Screen text uses the true minus sign, × and superscripts; copied text is what a program reads back.
"""

from __future__ import annotations

import math

MINUS = "−"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float) -> str:
    """Two significant digits, such as ``0.0011``, ``8.4×10⁻⁹``, ``25``, ``NaN``, ``∞``, ``0``; three for 100 … 999."""
    special = _special(value)
    if special is not None:
        return special
    if 99.5 <= abs(value) < 999.5:
        return f"{value:.0f}".replace("-", MINUS)
    mantissa, exponent = f"{value:.1e}".split("e")
    size = int(exponent)
    text = f"{value:.{max(0, 1 - size)}f}" if -3 <= size <= 1 else f"{mantissa}×10{exponent_text(size)}"
    return text.replace("-", MINUS)


def full(value: float) -> str:
    """Every digit the number has, in screen typography: what a hover shows."""
    special = _special(value)
    if special is not None:
        return special
    text = plain(value)
    if "e" not in text:
        return text.replace("-", MINUS)
    mantissa, exponent = text.split("e")
    return f"{mantissa}×10{exponent_text(int(exponent))}".replace("-", MINUS)


def plain(value: float) -> str:
    """The number as a program reads it back without loss, such as ``8.4e-9``; ``nan`` and ``inf`` as Python writes them."""
    number = float(value)
    if not math.isfinite(number):
        return repr(number)
    text = repr(number).removesuffix(".0")
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"


def ratio(value: float) -> str:
    """A factor between neighbours, such as ``×0.24``: two decimals between 0.01 and 10; ``–`` where there is none."""
    number = float(value)
    if not math.isfinite(number):
        return "–"
    return "×" + (f"{number:.2f}" if 0.01 <= number < 9.995 else short(number))


def power(exponent: int) -> str:
    """A power of ten as an axis names it: ``10⁻⁶``, but ``1`` and ``10`` for the exponents 0 and 1."""
    return {0: "1", 1: "10"}.get(exponent, f"10{exponent_text(exponent)}")


def exponent_text(exponent: int) -> str:
    """A whole number in superscripts, such as ``⁻⁹``."""
    return str(exponent).translate(_SUPERSCRIPTS)


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return "0" if value == 0 else None
