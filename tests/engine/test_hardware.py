"""Speed, plateau and underflow: what is measured is measured by the rule that is written down."""

import math

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.hardware import (
    FACTORS,
    available_threads,
    measure_speed,
    plateau_steps,
    steps_to_loss,
    time_to_loss,
    underflow,
    underflow_by_scale,
)

SMALL = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(batch_size=16))


def test_every_setting_is_measured() -> None:
    speeds = measure_speed(SMALL, seconds=0.01)
    threads = sorted({1, available_threads()})
    assert [(speed.precision, speed.threads) for speed in speeds] == [(p, t) for p in ("float64", "float32") for t in threads]
    assert all(math.isfinite(speed.steps_per_second) and speed.steps_per_second > 0 for speed in speeds)


def test_measuring_leaves_a_run_alone() -> None:
    measured, other = Experiment(SMALL), Experiment(SMALL)
    for _ in range(3):
        measured.step()
        measure_speed(SMALL, seconds=0.003)
        other.step()
    assert np.array_equal(measured.network.vector, other.network.vector)


def test_arrays_of_ones_own_are_measured() -> None:
    inputs = np.random.default_rng(0).standard_normal((30, 7))
    assert len(measure_speed(SMALL, 0.003, inputs, inputs[:, :1])) in (2, 4)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan])
def test_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        measure_speed(SMALL, seconds)


def test_the_plateau_ends_where_the_loss_stays_below_guessing() -> None:
    steps = np.arange(1, 101)
    loss = np.where(steps <= 60, 1.0, 0.5)
    loss[20] = 0.1  # a lucky mini-batch
    end = plateau_steps(steps, loss, guessing=1.0)
    assert end is not None
    assert 56 <= end <= 61
    assert plateau_steps(steps * 10, loss, guessing=1.0) == 10 * end  # a thinned record tells steps, not rows
    assert plateau_steps(steps, loss, guessing=0.4) is None
    assert plateau_steps(steps, np.full(100, 0.1), guessing=1.0) == 1
    assert plateau_steps(steps, loss, guessing=None) == plateau_steps(steps, loss, guessing=0.0) == end
    assert plateau_steps(steps[:0], loss[:0], None) is None


def test_a_loss_that_is_no_number_reaches_nothing() -> None:
    steps = np.arange(1, 41)
    assert steps_to_loss(steps, np.full(40, math.nan), 1.0) is None
    assert steps_to_loss(steps[:5], np.zeros(5), 1.0) is None
    loss = np.where(steps < 20, math.inf, 0.1)
    reached = steps_to_loss(steps, loss, 0.2)
    assert reached is not None
    assert 15 <= reached <= 20


def test_a_deep_sigmoid_net_stays_on_the_plateau_and_a_shallow_relu_net_leaves_it() -> None:
    found = []
    for depth, activation in ((10, "sigmoid"), (1, "relu")):
        experiment = Experiment(Spec(NetworkSpec(depth=depth, activation=activation), DataSpec(noise=0.05)))
        for _ in range(200):
            experiment.advance()
        table = experiment.history.table()
        found.append(plateau_steps(table.steps, table.loss, experiment.guessing_loss))
    assert found[0] is None
    assert found[1] is not None
    assert found[1] < 150


def test_time_falls_with_speed_alone() -> None:
    seconds = time_to_loss(5000, [100.0, 250.0])
    assert seconds.shape == (2, len(FACTORS))
    assert seconds[0, 0] == 50.0
    assert seconds[1, 0] == 20.0
    np.testing.assert_allclose(seconds * np.array(FACTORS), seconds[:, :1] * np.ones(len(FACTORS)))
    assert FACTORS[0] == 1
    assert FACTORS[-1] == 1000
    assert np.isinf(time_to_loss(None, [100.0])).all()  # a thousand times as fast: for ever all the same
    assert np.isinf(time_to_loss(10, [0.0])).all()
    assert time_to_loss(0, [100.0], [1.0]).tolist() == [[0.0]]


def test_what_underflows_in_half_precision() -> None:
    # float16: normal down to 2^-14, subnormal down to 2^-24, then 0; above 65504 infinite
    gradient = np.array([1.0, -(2.0**-14), 2.0**-15, -(2.0**-24), 2.0**-26, 1e5, 0.0, math.nan])
    found = underflow(gradient, "float16")
    assert found.components == 6
    assert (found.zero, found.subnormal, found.infinite) == pytest.approx((1 / 6, 2 / 6, 1 / 6))
    assert found.kept == pytest.approx(2 / 6)


def test_scaling_the_loss_saves_what_was_too_small_until_the_largest_overflows() -> None:
    gradient = 10.0 ** np.random.default_rng(0).uniform(-10.0, -3.0, 1000)
    by_scale = underflow_by_scale(gradient, "float16", (0, 8, 16, 24, 32, 40))
    zeros = [found.zero for found in by_scale]
    overflows = [found.infinite for found in by_scale]
    assert zeros == sorted(zeros, reverse=True)
    assert zeros[0] > 0.3
    assert zeros[2] == 0.0
    assert overflows == sorted(overflows)
    assert overflows[2] == 0.0 < overflows[-1]
    assert [found.exponent for found in by_scale] == [0, 8, 16, 24, 32, 40]


def test_single_precision_reaches_much_further() -> None:
    gradient = np.array([1e-30, 1e-40, 1e-50])
    found = underflow(gradient, "float32")
    assert (found.zero, found.subnormal) == pytest.approx((1 / 3, 1 / 3))
    assert underflow(gradient, "float32", 100).kept == 1.0


def test_the_early_layers_of_a_deep_sigmoid_net_underflow_first() -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=12, activation="sigmoid")))
    experiment.step()
    gradients = experiment.trainer.run.gradients
    first, last = (underflow(gradients[f"layer{layer:02d}.weight"], "float16") for layer in (1, 12))
    assert first.zero > 0.8
    assert last.zero == 0.0
    assert underflow(gradients["layer01.weight"], "float16", 24).zero < first.zero


def test_an_empty_or_zero_gradient_loses_nothing() -> None:
    for gradient in (np.zeros(4), np.empty(0), np.array([math.inf])):
        found = underflow(gradient, "float16")
        assert (found.components, found.zero, found.subnormal, found.infinite) == (0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="float16, float32"):
        underflow(np.ones(2), "float8")
