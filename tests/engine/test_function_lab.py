"""Functions by themselves: the sigmoid that sharpens into a step, and what makes a function linear."""

import itertools

import numpy as np
import pytest

from gradviz.activations import ACTIVATIONS
from gradviz.function_lab import counter_example, gap_to_step, linearity, sharp_sigmoid, sharp_sigmoid_slope, sharp_slope, step

SHARPNESSES = [0.01, 0.5, 1.0, 4.0, 100.0, 1e6]


@pytest.mark.parametrize("k", SHARPNESSES)
def test_the_sharper_the_higher_and_narrower_and_the_area_stays_1(k: float) -> None:
    found = sharp_slope(k)
    assert found.area == pytest.approx(1.0, abs=1e-12)
    assert found.peak == sharp_sigmoid_slope(np.zeros(1), k)[0] == k / 4
    assert sharp_sigmoid_slope(np.array([found.half_width]), k)[0] == pytest.approx(k / 8, rel=1e-12)
    assert found.peak * found.half_width == pytest.approx(0.4406867935, rel=1e-9)


@pytest.mark.parametrize("k", SHARPNESSES)
def test_the_slope_is_the_derivative(k: float) -> None:
    x = np.linspace(-8, 8, 33) / k
    h = 1e-5 / k
    np.testing.assert_allclose(
        (sharp_sigmoid(x + h, k) - sharp_sigmoid(x - h, k)) / (2 * h), sharp_sigmoid_slope(x, k), rtol=1e-4, atol=1e-9 * k
    )
    value = sharp_sigmoid(x, k)
    np.testing.assert_allclose(sharp_sigmoid_slope(x, k), k * value * (1 - value), rtol=1e-9)


def test_it_tends_to_the_step() -> None:
    assert step(np.array([-1e-9, 0.0, 1e-9])).tolist() == [0.0, 1.0, 1.0]
    gaps = [gap_to_step(k, 0.1) for k in (1, 10, 100, 1e3)]
    assert all(later < earlier for earlier, later in itertools.pairwise(gaps))
    assert gap_to_step(1e300, 0.1) == 0.0
    x = np.array([-8.0, -0.1, 0.1, 8.0])
    np.testing.assert_allclose(sharp_sigmoid(x, 1e4), step(x), atol=1e-12)
    assert not sharp_sigmoid_slope(x, 1e4).any()


@pytest.mark.parametrize("k", [0.0, -1.0, np.inf, np.nan])
def test_a_sharpness_that_is_none_is_told(k: float) -> None:
    for function in (lambda: sharp_slope(k), lambda: sharp_sigmoid(np.zeros(1), k), lambda: sharp_sigmoid_slope(np.zeros(1), k)):
        with pytest.raises(ValueError, match="positive"):
            function()


def test_both_sides_of_both_equations() -> None:
    found = linearity("relu", 2.0, -3.0, -1.0)
    assert (found.f_x, found.f_y, found.of_sum, found.sum_of, found.of_multiple, found.multiple_of) == (2.0, 0.0, 0.0, 2.0, 0.0, -2.0)
    assert (found.additive, found.homogeneous, found.linear) == (False, False, False)
    positive = linearity("relu", 2.0, 3.0, 0.5)
    assert positive.linear  # here, which proves nothing elsewhere
    assert linearity("identity", 0.1, 0.2, 0.3).linear
    assert linearity("identity", 1e308, 1e308, 3.0).linear
    assert linearity("prelu", -0.7, 0.3, -2.0, parameter=1.0).linear
    with pytest.raises(ValueError, match="finite"):
        linearity("relu", np.nan, 1.0, 1.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(3))
def test_only_the_identity_has_no_counter_example(name: str, seed: int) -> None:
    found = counter_example(name, np.random.default_rng(seed))
    if name == "identity":
        assert found is None
        return
    assert found == linearity(name, found.x, found.y, found.a)
    assert abs(found.of_sum - found.sum_of) > 0.4
    assert abs(found.of_multiple - found.multiple_of) > 0.4
    assert counter_example(name, np.random.default_rng(seed)) == found


def test_a_leaky_relu_of_slope_1_is_linear_too() -> None:
    assert counter_example("prelu", np.random.default_rng(0), parameter=1.0) is None
    assert counter_example("prelu", np.random.default_rng(0), parameter=0.9) is not None
