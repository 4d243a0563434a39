"""The losses against their formulas, at the edge of the numbers, and against targets that do not fit."""

import math
from typing import Any

import numpy as np
import pytest

from gradviz.data import from_arrays
from gradviz.losses import LOSSES, TargetError, loss_named
from gradviz.objective import output_count, resolve_loss
from gradviz.spec import SpecError
from tests.engine.nets import LOSS_NAMES


def evaluate(name: str, outputs: Any, targets: Any) -> tuple[float, Any]:
    """Loss and ∂L/∂z for outputs (batch, outputs), both in that layout."""
    z = np.ascontiguousarray(np.asarray(outputs, float).T)
    delta = np.empty_like(z)
    loss = loss_named(name)
    return loss.evaluate(z, loss.encode(np.asarray(targets), len(z)), delta), delta.T


def test_mse_is_the_mean_over_batch_and_outputs() -> None:
    loss, delta = evaluate("mse", [[1.0, 2.0], [3.0, 5.0]], [[0.0, 2.0], [1.0, 1.0]])
    assert loss == pytest.approx((1 + 0 + 4 + 16) / 4)
    np.testing.assert_allclose(delta, np.array([[2, 0], [4, 8]]) / 4)


def test_binary_cross_entropy_by_hand() -> None:
    z, targets = np.array([[0.3, -2.0], [1.7, 0.0]]), np.array([[1.0, 0.0], [0.25, 1.0]])
    p = 1 / (1 + np.exp(-z))
    loss, delta = evaluate("binary_cross_entropy", z, targets)
    assert loss == pytest.approx(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())
    np.testing.assert_allclose(delta, (p - targets) / 4)


def test_cross_entropy_by_hand() -> None:
    z, targets = np.array([[0.3, -2.0, 1.0], [1.7, 0.0, -0.4]]), np.array([2, 0])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss, delta = evaluate("cross_entropy", z, targets)
    assert loss == pytest.approx(-(math.log(p[0, 2]) + math.log(p[1, 0])) / 2)
    np.testing.assert_allclose(delta, (p - np.eye(3)[targets]) / 2)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e300])
def test_cross_entropies_of_huge_logits_are_exact(size: float) -> None:
    z = [[size, -size], [-size, size]]
    for name, right, wrong in (
        ("binary_cross_entropy", [[1, 0], [0, 1]], [[0, 1], [1, 0]]),
        ("cross_entropy", [0, 1], [1, 0]),
    ):
        assert evaluate(name, z, right)[0] == pytest.approx(0.0, abs=1e-40)
        loss, delta = evaluate(name, z, wrong)
        assert loss == pytest.approx(size if name == "binary_cross_entropy" else 2 * size)
        assert np.isfinite(delta).all()


@pytest.mark.parametrize("z", [-700.0, -60.0, -30.0, 30.0, 60.0, 700.0])
def test_gradient_of_a_confident_right_answer_keeps_its_digits(z: float) -> None:
    _, delta = evaluate("binary_cross_entropy", [[z]], [[float(z > 0)]])
    small = math.exp(-abs(z))
    assert delta[0, 0] == pytest.approx(-math.copysign(small / (1 + small), z), rel=1e-12)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_nan_and_infinity_pass_through_without_raising(name: str) -> None:
    targets = [0, 1] if name == "cross_entropy" else [[0, 1], [1, 0]]
    for odd in (math.nan, math.inf):
        with np.errstate(all="ignore"):
            loss, delta = evaluate(name, [[odd, 0.0], [1.0, 2.0]], targets)
        assert not (math.isfinite(loss) and np.isfinite(delta).all())


def test_class_numbers_and_single_columns_are_understood() -> None:
    z = [[1.0, 2.0], [0.5, -1.0]]
    for name in ("mse", "binary_cross_entropy"):
        assert evaluate(name, z, [1, 0])[0] == evaluate(name, z, [[0, 1], [1, 0]])[0]
    assert evaluate("cross_entropy", z, [1, 0])[0] == evaluate("cross_entropy", z, [[1.0], [0.0]])[0]
    assert evaluate("mse", [[1.0], [2.0]], [3, 4])[0] == evaluate("mse", [[1.0], [2.0]], [[3], [4]])[0]


@pytest.mark.parametrize(
    ("name", "targets", "message"),
    [
        ("mse", [[1.0, 2.0, 3.0]], r"\(1, 3\).*2 outputs"),
        ("mse", [0, 2], "0 to 1"),
        ("binary_cross_entropy", [[0.0, 1.5]], "0 to 1.5"),
        ("cross_entropy", [0, 2], "0 to 1"),
        ("cross_entropy", [-1, 0], "0 to 1"),
        ("cross_entropy", [0.5, 1], "0 to 1"),
        ("cross_entropy", [math.nan, 1], "0 to 1"),
        ("cross_entropy", [[0, 1]], "one class number"),
    ],
)
def test_targets_that_do_not_fit_are_named(name: str, targets: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        loss_named(name).encode(np.asarray(targets), 2)


def test_auto_picks_by_the_data() -> None:
    inputs = np.zeros((6, 2))
    two = from_arrays(inputs, np.array([0, 1] * 3))
    three = from_arrays(inputs, np.array([0, 1, 2] * 2))
    numbers = from_arrays(inputs, np.linspace(0.5, 2.0, 6))
    assert [resolve_loss("auto", data) for data in (two, three, numbers)] == ["binary_cross_entropy", "cross_entropy", "mse"]
    assert [output_count(resolve_loss("auto", data), data) for data in (two, three, numbers)] == [1, 3, 1]
    assert output_count("cross_entropy", two) == 2
    assert all(resolve_loss(name, three) == name for name in LOSSES if name != "auto")
    with pytest.raises(SpecError, match=r"training\.loss is 'cross_entropy'.*mse or auto"):
        resolve_loss("cross_entropy", numbers)
