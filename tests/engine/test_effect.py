"""What one change did is said by the records of both runs."""

import math

import numpy as np
import pytest

from gradviz import Experiment, Spec
from gradviz.effect import Effect, effect_of

VANISHING = Spec().replace("network.depth", 10)
EXPLODING = Spec().replace("network.activation", "identity").replace("network.gain", 20.0)


def ran(spec: Spec, steps: int) -> Experiment:
    experiment = Experiment(spec)
    for _ in range(steps):
        if experiment.trainer.failure is None:
            experiment.advance()
    return experiment


def effect(a: Spec, b: Spec, steps: int) -> Effect:
    return effect_of(ran(a, steps).measure(), ran(b, steps).measure())


def test_relu_cures_a_deep_sigmoid_net() -> None:
    found = effect(VANISHING, VANISHING.replace("network.activation", "relu").replace("network.initializer", "he_normal"), 600)
    assert found.kind == "cured"
    assert found.verdicts == ("vanishing", "healthy")
    assert found.losses[0] > 0.9 > found.losses[1]
    assert found.loss_ratio == pytest.approx(found.losses[1] / found.losses[0])
    assert found.gradient_ratio > 1e3


def test_the_median_is_that_of_the_newest_part_of_the_record() -> None:
    experiment = ran(VANISHING, 200)
    table, snapshot = experiment.history.table(), experiment.measure()
    found = effect_of(snapshot, snapshot)
    assert snapshot.guessing_loss is not None
    assert found.losses[0] == pytest.approx(np.median(table.loss[-50:]) / snapshot.guessing_loss)
    assert found.first_gradients[0] == pytest.approx(np.median(table.gradient_rms[-50:, 0]))


def test_the_same_run_makes_no_difference() -> None:
    assert effect(VANISHING, VANISHING, 100).kind == "no_difference"


def test_a_few_steps_say_nothing() -> None:
    assert effect(VANISHING, VANISHING.replace("network.activation", "relu"), 12).kind == "too_early"
    assert effect(VANISHING, VANISHING.replace("network.activation", "relu"), 0).kind == "too_early"


def test_a_run_that_fails_is_worse_than_any_other() -> None:
    found = effect(VANISHING, EXPLODING, 100)
    assert found.losses[1] == math.inf
    assert found.kind == "harmed"
    assert effect(EXPLODING, VANISHING, 100).kind in ("helped", "cured")
    assert effect(EXPLODING, EXPLODING, 100).kind == "no_difference"


def test_a_batch_of_a_past_moment_counts_only_what_came_before_it() -> None:
    experiment = ran(VANISHING.replace("network.activation", "relu"), 300)
    experiment.go_to(60)
    snapshot = experiment.measure()
    whole = ran(VANISHING.replace("network.activation", "relu"), 60).measure()
    assert effect_of(snapshot, snapshot).losses == effect_of(whole, whole).losses


