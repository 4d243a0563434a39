"""A run that is kept as bytes is taken up again bit for bit, wherever it stood; what cannot be taken up says so."""

import numpy as np
import pytest

from gradviz.experiment import Experiment
from gradviz.keeping import KeepingError, keep_run, take_up
from gradviz.session import Session
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from tests.engine.runs import trained

SPEC = Spec(
    NetworkSpec(depth=4, width=6, activation="tanh", batch_norm=True),
    DataSpec(samples=80),
    TrainingSpec(seed=3, optimizer="adam", batch_size=16, clip="norm", clip_threshold=0.05),
)
CALM = SPEC.replace("training.learning_rate", 0.003)


def run(steps: int = 300) -> Experiment:
    return trained(SPEC, steps)


def assert_same(one: Experiment, other: Experiment) -> None:
    assert (one.step_count, one.last_step, one.settings, one.left) == (other.step_count, other.last_step, other.settings, other.left)
    for name, values in one.network.parameters.items():
        np.testing.assert_array_equal(values, other.network.parameters[name])
    mine, theirs = one.history.table(), other.history.table()
    for name in ("steps", "loss", "loss_low", "loss_high", "gradient_rms", "total_norms", "test_steps", "test_loss"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    assert mine.changes == theirs.changes
    assert one.history.clipped_steps == other.history.clipped_steps
    if one.snapshot().ghost is not None:
        np.testing.assert_array_equal(one.snapshot().ghost.history.loss, other.snapshot().ghost.history.loss)  # type: ignore[union-attr]


def test_a_run_goes_on_as_if_nothing_had_been() -> None:
    run_ = run()
    other = take_up(keep_run(run_))
    assert_same(run_, other)
    for experiment in (run_, other):
        for _ in range(40):
            experiment.advance()
    assert_same(run_, other)
    run_.go_to(123)
    other.go_to(123)
    assert_same(run_, other)


def test_it_is_brought_to_a_later_moment_and_to_an_earlier_one() -> None:
    experiment = run(200)
    body = keep_run(experiment)
    early = run(190)
    assert_same(early, take_up(body, early.settings, 190))
    experiment.apply(CALM)
    for _ in range(30):
        experiment.advance()
    other = take_up(body, experiment.settings, 230)
    for _ in other.follow(experiment.settings[len(other.settings) :], 230):
        pass
    assert_same(experiment, other)


@pytest.mark.parametrize("returned", [False, True])
def test_a_branch_keeps_its_ghost_and_can_be_returned_from(returned: bool) -> None:
    experiment = run(120)
    experiment.go_to(50)
    experiment.apply(CALM)
    for _ in range(20):
        experiment.advance()
    if returned:
        experiment.return_to_old_line()
    other = take_up(keep_run(experiment), experiment.settings, experiment.last_step, experiment.left)
    assert_same(experiment, other)
    for one in (experiment, other):
        one.return_to_old_line()
    assert_same(experiment, other)


def test_another_way_is_refused() -> None:
    experiment = run(50)
    body = keep_run(experiment)
    with pytest.raises(KeepingError, match="another way"):
        take_up(body, ((0, CALM),), 60)


def test_what_a_session_opens_with_and_without_it_is_the_same() -> None:
    experiment = run(150)
    body = keep_run(experiment)
    for kept in (body, None, b"nothing of the kind", body[:-1000]):
        session = Session(Spec())
        session.execute("open_run", experiment.settings, 160, 140, 5, 1, None, kept)
        while session.wait_seconds() is not None:
            session.run(0.01)
        found = session.experiment
        assert (found.step_count, found.last_step) == (140, 160)
        assert found.moment is not None
        assert found.moment.done == 5
        np.testing.assert_array_equal(found.history.table().loss[:150], experiment.history.table().loss)


def test_damage_is_told() -> None:
    body = keep_run(run(40))
    generator = np.random.default_rng(5)
    for _ in range(40):
        harmed = bytearray(body)
        harmed[generator.integers(len(body))] ^= int(generator.integers(1, 256))
        with pytest.raises(KeepingError):
            take_up(bytes(harmed))
