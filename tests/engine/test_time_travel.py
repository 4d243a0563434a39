"""Back in time: any step again, bit for bit; branches and their ghosts; phases; and bounded memory."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.checkpoints import BYTES_AT_MOST, RECENT_BYTES, BatchState, Checkpoints, State
from gradviz.snapshot import Look
from tests.engine.runs import trained

SPEC = Spec(
    NetworkSpec(depth=4, width=5, activation="tanh", batch_norm=True, skip_every=2),
    DataSpec(samples=90),
    TrainingSpec(optimizer="momentum", batch_size=16, seed=5),
)


class Memory:
    """All that a step left behind."""

    def __init__(self, experiment: Experiment) -> None:
        trainer, network = experiment.trainer, experiment.network
        self.loss = trainer.loss
        self.arrays = [network.vector, *trainer.optimizer.state.values(), *network.running.values(), trainer.gradient_norms, trainer.chosen]
        self.arrays = [array.copy() for array in self.arrays]
        self.batches = trainer.batches.state()
        self.spec, self.failure = experiment.spec, trainer.failure

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Memory)
        assert self.loss == other.loss or (math.isnan(self.loss) and math.isnan(other.loss))
        for mine, its in zip(self.arrays, other.arrays, strict=True):
            np.testing.assert_array_equal(mine, its)
        assert (self.batches, self.spec, self.failure) == (other.batches, other.spec, other.failure)
        return True


def test_a_thousand_random_jumps_find_every_step_as_it_was() -> None:
    experiment = Experiment(SPEC)
    seen = [Memory(experiment)]
    for _ in range(600):
        experiment.advance()
        seen.append(Memory(experiment))
    recorded = experiment.history.table()
    assert recorded.steps.tolist() == list(range(1, 601))
    seen[0].arrays[-1] = np.array([])  # which examples the next step will take is not known before it
    rng = np.random.default_rng(0)
    for step in rng.integers(0, 601, 1000).tolist():
        snapshot = experiment.go_to(step)
        assert snapshot.step == step
        now = Memory(experiment)
        if step:
            assert snapshot.loss == recorded.loss[step - 1]
        else:
            now.arrays[-1] = np.array([])
        assert now == seen[step]
    assert experiment.last_step == 600


CHANGES: list[tuple[int, str, object]] = [
    (0, "training.learning_rate", 0.3),
    (20, "training.optimizer", "adam"),
    (20, "training.learning_rate", 0.02),
    (45, "network.activation", "prelu"),
    (60, "data.noise", 0.4),
    (61, "training.batch_size", 7),
    (80, "training.clip", "norm"),
    (80, "network.set_values", ("layer02.weight[1,1] = 3.5",)),
    (95, "network.activation", "relu"),
]


def test_the_settings_come_back_with_their_time() -> None:
    experiment, spec = Experiment(SPEC), SPEC
    seen = {}
    for step in range(121):
        for _, path, value in [change for change in CHANGES if change[0] == step]:
            spec = spec.replace(path, value)
            assert not experiment.apply(spec)
        seen[step] = Memory(experiment)
        experiment.advance()
    for step in np.random.default_rng(1).permutation(120).tolist():
        experiment.go_to(step)
        if step:
            assert Memory(experiment) == seen[step]
    assert experiment.go_to(120).spec == spec


def test_a_walk_through_the_past_meets_the_changes_of_the_settings() -> None:
    experiment, spec = trained(SPEC, 10), SPEC
    for path, value in (("network.activation", "relu"), ("training.batch_size", 7)):
        spec = spec.replace(path, value)
        experiment.apply(spec)
        for _ in range(5):
            experiment.advance()
    experiment.apply(spec.replace("training.learning_rate", 0.3))
    line, recorded = experiment.line, experiment.history.table().loss
    experiment.go_to(8)
    for step in range(9, 21):
        for _ in experiment.phases():
            pass
        assert (experiment.step_count, experiment.trainer.loss) == (step, recorded[step - 1])
    experiment.advance()  # the end was reached as it was, so this is the same line, with the rate that was set there
    assert (experiment.line, experiment.spec.training.learning_rate, experiment.last_step) == (line, 0.3, 21)


def test_there_is_nothing_beyond_what_was_recorded() -> None:
    experiment = trained(SPEC, 5)
    for step in (-1, 6):
        with pytest.raises(ValueError, match="0 to 5"):
            experiment.go_to(step)
    assert experiment.step_count == 5
    fresh = Experiment(SPEC)
    assert fresh.go_to(0).step == 0
    with pytest.raises(ValueError, match="0 to 0"):
        fresh.go_to(1)


def test_playing_on_from_the_past_begins_a_branch_and_keeps_the_old_line() -> None:
    experiment, untouched = trained(SPEC, 50), trained(SPEC, 60)
    old = experiment.history.table()
    experiment.go_to(20)
    assert (experiment.last_step, experiment.measure().ghost) == (50, None)
    experiment.apply(SPEC.replace("training.learning_rate", 0.7))
    for _ in range(10):
        experiment.advance()
    snapshot = experiment.measure()
    assert snapshot.ghost is not None
    assert snapshot.history is not None
    assert (snapshot.step, snapshot.last_step, snapshot.ghost.branch_step) == (30, 30, 20)
    np.testing.assert_array_equal(snapshot.ghost.history.loss, old.loss)
    np.testing.assert_array_equal(snapshot.history.steps, np.arange(1, 31))
    np.testing.assert_array_equal(snapshot.history.loss[:20], old.loss[:20])
    assert snapshot.history.loss[20] == old.loss[20]  # the loss is that before the step: it does not know the new rate yet
    assert snapshot.history.loss[21] != old.loss[21]
    assert [change[0] for change in snapshot.history.changes] == [20]

    experiment.return_to_old_line()
    assert (experiment.step_count, experiment.last_step, experiment.spec) == (50, 50, SPEC)
    for _ in range(10):
        experiment.advance()
    assert Memory(experiment) == Memory(untouched)
    experiment.return_to_old_line()  # and to the branch again
    assert (experiment.step_count, experiment.spec.training.learning_rate) == (30, 0.7)


def test_a_branch_without_a_change_is_the_same_run() -> None:
    experiment, untouched = trained(SPEC, 50), trained(SPEC, 50)
    experiment.go_to(20)
    for _ in range(30):
        experiment.advance()
    assert Memory(experiment) == Memory(untouched)
    np.testing.assert_array_equal(experiment.history.table().loss, untouched.history.table().loss)
    np.testing.assert_array_equal(experiment.history.table().test_loss, untouched.history.table().test_loss)


def test_a_branch_from_a_thinned_history_goes_on_evenly() -> None:
    experiment = trained(Spec(NetworkSpec(depth=1, width=2), DataSpec(samples=20)), 5000)
    stride = experiment.history.stride
    assert stride > 1
    recorded = experiment.history.table()
    experiment.go_to(3001)
    experiment.advance()
    history = experiment.history.table()
    assert history.steps[-1] == 3002
    np.testing.assert_array_equal(history.loss[:-1], recorded.loss[: len(history.loss) - 1])
    assert set(np.diff(history.steps[:-1])) == {stride}


def test_phases_are_walked_forth_and_back() -> None:
    experiment, untouched = trained(SPEC, 7), trained(SPEC, 8)
    order = [(phase.kind, phase.layer) for phase in experiment.phases()]
    layers = [*range(1, 6)]
    expected = [*(("forward", n) for n in layers), ("loss", 0), *(("backward", n) for n in layers[::-1]), ("clip", 0), ("update", 0)]
    assert order == expected
    assert Memory(experiment) == Memory(untouched)
    for done in (12, 7, 3):
        experiment.go_to(7, phases=done)
        moment = experiment.moment
        assert moment is not None
        assert (moment.step, moment.done, moment.total, (moment.kind, moment.layer)) == (8, done, 13, order[done - 1])
        assert (moment.next_kind, moment.next_layer) == order[done]
        assert experiment.step_count == 7
    rest = [(phase.kind, phase.layer) for phase in experiment.phases()]
    assert rest == order[3:]
    assert Memory(experiment) == Memory(untouched)
    assert experiment.moment is not None
    assert (experiment.moment.done, experiment.moment.next_kind) == (13, "forward")


def test_a_step_left_in_the_middle_is_finished_by_the_next_one() -> None:
    experiment, untouched = trained(SPEC, 3), trained(SPEC, 5)
    for phase in experiment.phases():
        if (phase.kind, phase.layer) == ("backward", 3):
            break
    assert experiment.mid_step
    assert experiment.step().step == 4
    assert not experiment.mid_step
    assert experiment.step().step == 5
    assert Memory(experiment) == Memory(untouched)


def test_a_change_in_the_middle_of_a_step_comes_after_it() -> None:
    experiment, other = trained(SPEC, 3), trained(SPEC, 4)
    spec = SPEC.replace("network.activation", "relu")
    next(experiment.phases())
    experiment.apply(spec)
    other.apply(spec)
    assert experiment.step_count == 4
    experiment.advance()
    other.advance()
    assert Memory(experiment) == Memory(other)


def test_walking_through_a_step_of_the_past_again_changes_nothing() -> None:
    experiment, untouched = trained(SPEC, 20), trained(SPEC, 20)
    experiment.go_to(10)
    for _ in experiment.phases():
        pass
    assert (experiment.step_count, experiment.last_step, experiment.measure().ghost) == (11, 20, None)
    experiment.go_to(20)
    assert Memory(experiment) == Memory(untouched)


def test_an_iterator_over_phases_ends_when_the_run_goes_elsewhere() -> None:
    experiment = trained(SPEC, 9)
    phases: Iterator[object] = experiment.phases()
    next(phases)
    experiment.go_to(4)
    before = Memory(experiment)
    assert list(phases) == []
    assert Memory(experiment) == before


def test_a_failed_run_can_be_taken_back_before_the_failure() -> None:
    spec = Spec(NetworkSpec(depth=4, width=4, activation="identity", gain=6.0), DataSpec("sine"), TrainingSpec(learning_rate=100.0))
    experiment = trained(spec, 40)
    failure = experiment.trainer.failure
    assert failure is not None
    experiment.go_to(failure.step - 1)
    assert experiment.trainer.failure is None
    assert np.isfinite(experiment.network.vector).all()
    experiment.go_to(0)
    experiment.apply(spec.replace("training.learning_rate", 1e-12))
    for _ in range(20):
        experiment.advance()
    assert experiment.trainer.failure is None
    experiment.return_to_old_line()
    assert experiment.trainer.failure == failure


def test_weights_written_by_hand_before_the_first_step_are_those_one_comes_back_to() -> None:
    experiment = Experiment(SPEC)
    experiment.network.parameters["layer01.weight"][:] = 0.25
    for _ in range(40):
        experiment.advance()
    loss = experiment.history.table().loss
    experiment.go_to(0)
    assert np.all(experiment.network.parameters["layer01.weight"] == 0.25)
    assert experiment.go_to(33).loss == loss[32]


def test_a_value_set_by_hand_takes_its_place_at_once_and_can_be_taken_back() -> None:
    experiment = trained(SPEC, 12)
    before = Memory(experiment)
    experiment.apply(SPEC.replace("network.set_values", ("layer03.weight[2,4] = -7.5", "layer05.bias[0] = 2")))
    assert experiment.network.parameters["layer03.weight"][2, 4] == -7.5
    assert experiment.network.parameters["layer05.bias"][0] == 2.0
    experiment.apply(SPEC)
    assert Memory(experiment) == before
    assert experiment.history.changes == []


def test_the_first_step_can_be_looked_at_from_inside() -> None:
    experiment = Experiment(SPEC.replace("training.clip", "norm"))
    for phase in experiment.phases():
        details = experiment.measure(Look(prediction=False, example=3 if phase.layer == 2 else None)).details
        assert details is not None
        reached = np.isfinite(details.gradient_rms)
        expected = 0 if phase.kind in ("forward", "loss") else 5 if phase.kind != "backward" else 6 - phase.layer
        assert reached.sum() == expected
        assert np.isfinite(details.unit_deltas).sum() == {0: 0, 1: 1}.get(expected, 5 * (expected - 1) + 1)


# ---- bounded memory


def synthetic(step: int, size: int) -> State:
    nothing = BatchState({}, False, 0)
    return State(step, 0, np.zeros(size), (), 0, (), nothing, None, {})


@pytest.mark.parametrize("size", [100, 20_000, 1_000_000])
def test_a_million_steps_keep_few_states_evenly_and_the_first_and_newest(size: int) -> None:
    checkpoints = Checkpoints(work=1e5)
    shared = synthetic(0, size)
    for step in range(0, 1_000_001, checkpoints.stride):
        checkpoints.keep(State(step, 0, shared.vector, (), 0, (), shared.batches, None, {}))
    steps = [state.steps for state in checkpoints.all()]
    assert checkpoints.size <= BYTES_AT_MOST + RECENT_BYTES + 2 * shared.size
    assert steps[0] == 0
    assert steps[-1] == 1_000_000
    grid = [step for step in steps if step <= checkpoints._states[-1].steps]
    assert len(set(np.diff(grid))) == 1
    for step in (1, 2, 500_000, 999_999, 1_000_000):
        state = checkpoints.before(step)
        assert state is not None
        assert state.steps < step


def test_a_branch_shares_the_states_of_the_line_it_left() -> None:
    experiment = trained(SPEC, 200)
    before = experiment._line.checkpoints
    experiment.go_to(100)
    experiment.advance()
    after = experiment._line.checkpoints
    assert all(any(state is old for old in before.all()) for state in after.all())
    assert max(state.steps for state in after.all()) <= 100


def test_of_one_example_nothing_is_told_that_its_step_has_not_reached() -> None:
    """The outputs of this step's example times what came back for another one in the step before would be no gradient at all."""
    experiment = trained(SPEC, 3)
    phases = experiment.phases()
    while experiment.moment is None or (experiment.moment.kind, experiment.moment.layer) != ("backward", 4):
        next(phases)
    details = experiment.measure(Look(example=2)).details
    assert details is not None
    assert np.isnan(details.gradient_rms).tolist() == [True, True, True, False, False]
    whole = experiment.measure(Look()).details
    assert whole is not None
    assert np.isfinite(whole.gradient_rms).all()
