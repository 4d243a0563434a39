"""Runs that can be brought back: within a bound of bytes, and exactly as they were."""

import numpy as np
import pytest

from gradviz import shelf as shelf_module
from gradviz.experiment import Experiment
from gradviz.shelf import Shelf
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec

SPEC = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=40), TrainingSpec(seed=3, batch_size=8))


def trained(steps: int, back_to: int | None = None, phases: int = 0) -> Experiment:
    run = Experiment(SPEC)
    for _ in range(steps):
        run.advance()
    if back_to is not None:
        run.go_to(back_to, phases)
    return run


def folded(run: Experiment, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """The run after there was no room for it as it is."""
    monkeypatch.setattr(shelf_module, "WHOLE_BYTES", 0)
    kept = Shelf()
    kept.put(1, run)
    kept.put(2, Experiment(SPEC))
    found = kept.take(1)
    assert found is not None
    assert found is not run
    return found


@pytest.mark.parametrize(("back_to", "phases"), [(None, 0), (31, 0), (31, 4)])
def test_a_run_that_was_folded_is_as_it_was(back_to: int | None, phases: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(90, back_to, phases)
    found = folded(run, monkeypatch)
    assert (found.step_count, found.last_step, found.moment) == (run.step_count, run.last_step, run.moment)
    assert found.settings == run.settings
    np.testing.assert_array_equal(found.history.table().loss, run.history.table().loss)
    for _ in range(3):
        run.advance()
        found.advance()
        np.testing.assert_array_equal(found.network.vector, run.network.vector)


def test_a_branch_that_was_folded_keeps_its_ghost(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(40, back_to=20)
    run.advance()
    found = folded(run, monkeypatch)
    assert run.left is not None
    assert found.left == run.left


def test_what_there_is_room_for_stays_whole_and_what_is_too_large_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [trained(30) for _ in range(4)]
    monkeypatch.setattr(shelf_module, "WHOLE_BYTES", int(1.5 * runs[0].size))
    monkeypatch.setattr(shelf_module, "FOLDED_BYTES", 0)
    kept = Shelf()
    for ticket, run in enumerate(runs):
        kept.put(ticket, run)
    assert kept.take(3) is runs[3], "the newest always stays"
    assert kept.take(2) is runs[2]
    assert kept.take(1) is None
    assert kept.take(0) is None
    assert kept.take(3) is None, "it has been taken"


def test_the_size_of_a_run_counts_what_grows() -> None:
    sizes = [trained(steps).size for steps in (1, 200, 1_000)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert trained(1_000, back_to=500).size == sizes[2]


def test_the_size_of_a_run_counts_its_data() -> None:
    small, large = (Experiment(SPEC.replace("data.samples", samples)) for samples in (40, 4_000))
    assert large.size - small.size >= large.data.inputs.nbytes - small.data.inputs.nbytes
