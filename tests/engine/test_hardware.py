"""Speed, plateau and underflow: what is measured is measured by the rule that is written down."""

import itertools
import math

import msgspec
import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.hardware import (
    FACTORS,
    plateau_steps,
    root_mean_squares,
    steps_to_loss,
    time_to_loss,
    underflow,
    underflows,
)
from gradviz.hardware_report import gradient_parts, layer_of, with_speeds
from gradviz.lab_reports import SCALE_EXPONENTS, HardwareReport, Speed
from gradviz.quantities import LAB_VIEWS, fill, quantity
from gradviz.snapshot import Look
from gradviz.speed import SpeedMeasurement, available_threads, measure_speed
from gradviz.threads import threads_in_use, use_threads

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
    assert found.components[0] == 6
    assert (found.zero[0], found.subnormal[0], found.infinite[0]) == pytest.approx((1 / 6, 2 / 6, 1 / 6))
    assert found.kept[0] == pytest.approx(2 / 6)
    assert math.isnan(found.rms[0])


def test_scaling_the_loss_saves_what_was_too_small_until_the_largest_overflows() -> None:
    gradient = 10.0 ** np.random.default_rng(0).uniform(-10.0, -3.0, 1000)
    by_scale = [found for found in underflows([gradient]) if found.precision == "float16"]
    zeros = [found.zero[0] for found in by_scale]
    overflows = [found.infinite[0] for found in by_scale]
    assert [found.exponent for found in by_scale] == list(SCALE_EXPONENTS)
    assert zeros == sorted(zeros, reverse=True)
    assert zeros[0] > 0.3
    assert zeros[SCALE_EXPONENTS.index(16)] == 0.0
    assert overflows == sorted(overflows)
    assert overflows[SCALE_EXPONENTS.index(16)] == 0.0 < overflows[-1]


def test_scaled_back_a_vanished_gradient_is_as_small_as_before() -> None:
    gradient = np.full(50, 3e-9)
    lost, rescued = underflow(gradient, "float16"), underflow(gradient, "float16", 16)
    assert (lost.zero[0], lost.rms[0]) == (1.0, 0.0)
    assert rescued.zero[0] == 0.0
    assert rescued.rms[0] == pytest.approx(3e-9, rel=2.0**-10)


def test_single_precision_reaches_much_further() -> None:
    gradient = np.array([1e-30, 1e-40, 1e-50])
    found = underflow(gradient, "float32")
    assert (found.zero[0], found.subnormal[0]) == pytest.approx((1 / 3, 1 / 3))
    assert underflow(gradient, "float32", 100).kept[0] == 1.0


def test_the_early_layers_of_a_deep_sigmoid_net_underflow_first() -> None:
    experiment = Experiment(Spec(NetworkSpec(depth=12, activation="sigmoid")))
    experiment.step()
    report = experiment.measure(Look(lab="hardware")).lab
    assert isinstance(report, HardwareReport)
    plain, scaled = report.underflow("float16", 0), report.underflow("float16", 24)
    assert plain.zero[0] > 0.8
    assert plain.zero[-1] == 0.0
    assert scaled.zero[0] < plain.zero[0]
    assert scaled.infinite[-1] > 0.0  # no one scale serves both ends of a net whose gradient vanishes so far
    assert report.underflow("float32", 0).zero.max() == 0.0
    for layer in (1, 12):
        gradients = experiment.trainer.run.gradients
        own = np.concatenate([values.ravel() for name, values in gradients.items() if name.startswith(f"layer{layer:02d}.")])
        alone = underflow(own, "float16")
        assert (plain.zero[layer - 1], plain.components[layer - 1]) == (alone.zero[0], alone.components[0])
        assert report.rms[layer - 1] == pytest.approx(math.sqrt(np.mean(own**2)))


def test_an_empty_or_zero_gradient_loses_nothing() -> None:
    for gradient in (np.zeros(4), np.empty(0), np.array([math.inf])):
        found = underflow(gradient, "float16")
        assert (found.components[0], found.zero[0], found.subnormal[0], found.infinite[0]) == (0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="float16, float32"):
        underflow(np.ones(2), "float8")


def test_root_mean_squares_stay_in_range() -> None:
    values = np.array([1e-200, 1e-200, 1e200, 0.0, math.nan, 1.0, math.inf])
    np.testing.assert_allclose(root_mean_squares(values, np.array([0, 2, 4, 6])), [1e-200, 1e200 / math.sqrt(2), math.nan, math.inf])


# ---- the report


def measured(spec: Spec, steps: int, loss: float | None = None) -> HardwareReport:
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.advance()
    report = experiment.measure(Look(lab="hardware", lab_loss=loss)).lab
    assert isinstance(report, HardwareReport)
    return report


def test_before_the_first_step_nothing_is_claimed() -> None:
    report = measured(SMALL, 0)
    assert (report.plateau, report.steps_needed, report.steps, report.speeds, report.seconds) == (None, None, 0, (), None)
    assert np.isnan(report.rms).all()
    assert math.isnan(report.lowest)
    assert all(found.components.sum() == 0 for found in report.underflows)


def test_the_given_loss_is_the_one_at_which_guessing_is_left_or_one_that_is_chosen() -> None:
    spec = Spec(NetworkSpec(depth=1, activation="relu"), DataSpec(noise=0.05))
    report = measured(spec, 300)
    assert report.loss == report.left == pytest.approx(0.9 * report.guessing)
    assert report.steps_needed == report.plateau
    assert report.plateau is not None
    lower = measured(spec, 300, loss=(report.left + report.lowest) / 2)
    assert lower.steps_needed is not None
    assert lower.steps_needed > report.plateau
    assert lower.plateau == report.plateau
    assert measured(spec, 300, loss=report.lowest).steps_needed is not None
    assert measured(spec, 300, loss=report.lowest * 0.999).steps_needed is None


def test_seconds_are_those_of_the_steps_needed_or_of_the_steps_made_in_vain() -> None:
    report = msgspec.structs.replace(measured(SMALL, 20), steps_needed=1000)
    speeds = (Speed("float64", 1, 200.0), Speed("float32", 1, 500.0))
    found = with_speeds(report, speeds, 0.5)
    assert found.seconds is not None
    assert found.seconds.shape == (2, len(FACTORS))
    assert found.seconds[:, 0].tolist() == [5.0, 2.0]
    assert found.seconds[:, -1].tolist() == pytest.approx([0.005, 0.002])
    in_vain = with_speeds(msgspec.structs.replace(report, steps_needed=None), speeds)
    assert in_vain.seconds is not None
    assert in_vain.seconds[0, 0] == 20 / 200.0


def test_of_a_large_net_every_so_many_th_component_is_looked_at() -> None:
    report = measured(Spec(NetworkSpec(depth=2, width=400), DataSpec(samples=40), TrainingSpec(batch_size=8)), 1)
    assert report.looked_at == 2
    assert 60_000 < report.underflows[0].components.sum() < 100_000


def test_lessons_can_ask_for_the_view_and_its_numbers() -> None:
    assert "hardware" in LAB_VIEWS
    experiment = Experiment(Spec(NetworkSpec(depth=12, activation="sigmoid")))
    experiment.step()
    snapshot = experiment.measure(Look(lab="hardware"))
    assert quantity(snapshot, "hardware.zero") > 80
    assert quantity(snapshot, "hardware.zero_out") == quantity(snapshot, "hardware.zero_single") == 0
    assert quantity(snapshot, "hardware.loss") == pytest.approx(0.9 * quantity(snapshot, "guessing"))
    for name in ("plateau", "steps", "speed", "seconds"):  # neither reached nor measured
        assert math.isnan(quantity(snapshot, f"hardware.{name}"))
    assert isinstance(snapshot.lab, HardwareReport)
    speeds = (Speed("float64", 1, 250.0), Speed("float32", 1, 500.0))
    reached = with_speeds(msgspec.structs.replace(snapshot.lab, steps_needed=500), speeds)
    timed = msgspec.structs.replace(snapshot, lab=reached)
    text = fill("{hardware.steps:d} steps: {hardware.seconds:.1f} s, {hardware.seconds_fastest:.3f} s", timed)
    assert text == "500 steps: 1.0 s, 0.001 s"


def test_inside_a_step_only_what_back_propagation_has_reached_is_known() -> None:
    experiment = Experiment(SMALL)
    experiment.advance()
    for _ in itertools.islice(experiment.phases(), 4 + 1 + 2):  # forward, the loss, and back through two of four layers
        pass
    report = experiment.measure(Look(lab="hardware")).lab
    assert isinstance(report, HardwareReport)
    assert report.names == ("L1", "L2", "L3", "Out")
    assert report.known == (False, False, True, True)
    assert np.isfinite(report.rms).tolist() == [False, False, True, True]


def test_what_all_time_steps_share_is_one_part_of_the_gradient() -> None:
    slices = {"cell.input_weight": slice(0, 2), "cell.bias": slice(2, 3), "out.weight": slice(3, 5)}
    parts = gradient_parts(np.arange(5.0), slices)
    assert {owner: part.tolist() for owner, part in parts.items()} == {"cell": [0, 1, 2], "out": [3, 4]}
    assert [layer_of(owner, 21) for owner in ("cell", "out", "layer07", "layer120")] == [1, 21, 7, 120]


# ---- measuring in slices


def test_speeds_grow_slice_by_slice_and_leave_the_threads_as_they_are() -> None:
    measurement = SpeedMeasurement(SMALL, seconds=0.006)
    assert (measurement.speeds, measurement.share_done) == ((), 0.0)
    use_threads(1)
    shares = []
    while not measurement.done:
        measurement.measure_on()
        shares.append(measurement.share_done)
        assert threads_in_use() == {1}
    assert shares == sorted(shares)
    settings = 2 * len({1, available_threads()})
    assert len(shares) == 3 * settings
    assert len(measurement.speeds) == settings
    before = measurement.speeds
    measurement.measure_on()
    assert measurement.speeds == before


def test_a_measurement_fits_a_spec_whose_steps_are_as_long() -> None:
    measurement = SpeedMeasurement(SMALL, seconds=0.003)
    for path, value in (("training.precision", "float32"), ("training.learning_rate", 0.5), ("training.seed", 3)):
        assert measurement.fits(SMALL.replace(path, value))
    for path, value in (("network.width", 5), ("training.batch_size", 8), ("training.optimizer", "adam"), ("network.activation", "relu")):
        assert not measurement.fits(SMALL.replace(path, value))
