"""How numbers are written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.numbers import full, plain, power, ratio, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0011, "0.0011"),
        (8.4e-9, "8.4×10⁻⁹"),
        (-6.3e-9, "−6.3×10⁻⁹"),
        (-0.1202, "−0.12"),
        (0.00099, "9.9×10⁻⁴"),
        (0.000999, "0.0010"),
        (1.0, "1.0"),
        (9.96, "10"),
        (25.2, "25"),
        (99.7, "100"),
        (123.4, "123"),
        (999.4, "999"),
        (999.6, "1.0×10³"),
        (4512.0, "4.5×10³"),
        (6.1e84, "6.1×10⁸⁴"),
        (0.0, "0"),
        (-0.0, "0"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "copied", "shown"),
    [(8.4e-9, "8.4e-9", "8.4×10⁻⁹"), (-0.12024387, "-0.12024387", "−0.12024387"), (3.0, "3", "3"), (1e300, "1e300", "1×10³⁰⁰")],
)
def test_full_precision(value: float, copied: str, shown: str) -> None:
    assert plain(value) == copied
    assert full(value) == shown


@given(st.floats())
def test_every_number_can_be_written_and_copied(value: float) -> None:
    assert "-" not in short(value) + full(value) + ratio(value)
    read = float(plain(value))
    assert read == value or math.isnan(value)


@given(st.floats(1e-300, 1e308) | st.floats(-1e308, -1e-300))
def test_short_is_right_to_two_digits(value: float) -> None:
    mantissa, _, exponent = short(value).replace("−", "-").partition("×10")
    figures = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    written = float(f"{mantissa}e{exponent.translate(figures) or 0}")
    assert written == pytest.approx(value, rel=0.0501)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2439, "×0.24"),
        (1.49, "×1.49"),
        (0.0012, "×0.0012"),
        (12.3, "×12"),
        (1.9e6, "×1.9×10⁶"),
        (0.0, "×0"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_ratio(value: float, text: str) -> None:
    assert ratio(value) == text


def test_power() -> None:
    assert [power(exponent) for exponent in (-9, 0, 1, 3)] == ["10⁻⁹", "1", "10", "10³"]
