"""The chain rule through time and what is seen of one time step: exact, and the sum over all paths found without back-propagation."""

import itertools
import math

import numpy as np
import pytest

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.activations import ACTIVATIONS
from gradviz.lab_reports import Distribution
from gradviz.recurrent_chain import time_chain_rule
from gradviz.recurrent_inspection import time_distribution, time_step_to_look_at
from gradviz.selected import ChainRule, UnitInspection, WeightInspection
from gradviz.snapshot import Look
from gradviz.time_steps import INPUT, READ_OUT, RECURRENT, PassReader

KINDS = ("rnn", "lstm")


def run(kind: str, activation: str = "tanh", data: str = "recall", steps: int = 2, width: int = 5, **training: object) -> Experiment:
    network = NetworkSpec(kind=kind, width=width, activation=activation)
    experiment = Experiment(Spec(network, DataSpec(data, samples=60, lag=8), TrainingSpec(batch_size=8, seed=1, **training)))
    for _ in range(steps):
        experiment.step()
    return experiment


def copies(experiment: Experiment) -> list[tuple[str, int, tuple[int, int]]]:
    """Weights of every kind at several time steps, one of every gate."""
    network = experiment.network
    hidden, time = network.hidden, network.time
    gates = range(len(network.gates))
    found = [(INPUT, t, (0, gate * hidden + 1)) for t in (1, 3, time) for gate in gates]
    found += [(RECURRENT, t, (2, gate * hidden + 3)) for t in (2, time - 1, time) for gate in gates]
    return [*found, (READ_OUT, time + 1, (1, network.outputs - 1))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("data", "activation"), [("recall", "tanh"), ("adding", "relu"), ("adding", "identity"), ("japanese_vowels", "tanh")]
)
def test_the_sum_over_paths_is_what_back_propagation_finds_in_each_time_step(kind: str, data: str, activation: str) -> None:
    experiment = run(kind, activation, data, clip="norm", clip_threshold=0.01)
    network, trainer = experiment.network, experiment.trainer
    for name, stage, index in copies(experiment):
        rules = [time_chain_rule(experiment, name, stage, index, example) for example in range(8)]
        for rule in rules:
            assert rule.sum_over_paths == pytest.approx(rule.gradient, rel=1e-10, abs=1e-14)
            assert rule.rungs[-1].total == pytest.approx(rule.example_gradient, rel=1e-10, abs=1e-14)
            assert rule.rungs[-1].product == pytest.approx(math.prod(rung.factor for rung in rule.rungs), rel=1e-10)
            assert rule.dz_dw * (rule.dj_dy * rule.dy_dz + rule.rest) == rule.example_gradient
            assert rule.reached
        assert np.mean([rule.example_gradient for rule in rules]) == pytest.approx(rules[0].gradient, rel=1e-9, abs=1e-14)
        place = network.slices[name].start + index[0] * network.parameters[name].shape[1] + index[1]
        assert rules[0].clipped_gradient == trainer.run.gradient[place]
        if name == READ_OUT:
            assert rules[0].time is None
        else:
            assert rules[0].time is not None
            assert rules[0].time.shared_gradient == trainer.raw_gradient[place]


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_time_steps_add_makes_the_whole_gradient(kind: str) -> None:
    experiment = run(kind, data="adding")
    for name, index in ((INPUT, (0, 4)), (RECURRENT, (1, 2))):
        rules = [time_chain_rule(experiment, name, t, index) for t in range(1, experiment.network.time + 1)]
        assert sum(rule.gradient for rule in rules) == pytest.approx(rules[0].time.shared_gradient, rel=1e-10)


def test_the_strongest_of_all_paths_and_their_number() -> None:
    """Every path of a small net through 4 time steps, one by one."""
    experiment = run("rnn", data="adding", width=3, steps=2)
    time, stage, unit = experiment.network.time, experiment.network.time - 3, 1
    rule = time_chain_rule(experiment, RECURRENT, stage, (0, unit), 5)
    reader = PassReader(experiment.network, experiment.trainer.run, experiment.trainer.passed_with)
    products = []
    for way in itertools.product(range(3), repeat=3):
        units = (unit, *way)
        slopes = math.prod(reader.state_slopes(stage + n)[u, 5] for n, u in enumerate(units))
        weights = math.prod(reader.weight(RECURRENT)[a, b] for a, b in itertools.pairwise(units))
        products.append(slopes * weights * reader.weight(READ_OUT)[units[-1], 0])
    assert rule.log10_paths == pytest.approx(math.log10(27))
    assert rule.dy_dz == pytest.approx(sum(products), rel=1e-10)
    assert abs(rule.rungs[-1].product) == pytest.approx(max(map(abs, products)) * abs(rule.dj_dy * rule.dz_dw), rel=1e-10)
    assert rule.time is not None
    assert rule.time.factors == time - stage == 3
    repeated = math.prod(r.factor for r in rule.rungs if (r.kind == "weight" and r.layer <= time) or (r.kind == "slope" and r.layer < time))
    assert rule.time.log10_factors == pytest.approx(math.log10(abs(repeated)))


@pytest.mark.parametrize("gate", ["output", "input", "forget", "candidate"])
def test_the_path_of_an_lstm_runs_along_its_cell(gate: str) -> None:
    experiment = run("lstm")
    network, time = experiment.network, experiment.network.time
    column = network.gates.index(gate) * network.hidden + 2
    rule = time_chain_rule(experiment, RECURRENT, 3, (1, column), 4)
    kinds = [rung.kind for rung in rule.rungs]
    writes = ["gate", "weight"] if gate == "output" else []
    forgets = ["forget"] * (time - 3 - bool(writes))
    assert kinds == ["loss", "output", "weight", "cell", *forgets, *writes, "gate", "input"]
    assert rule.time is not None
    assert (rule.time.gate, rule.time.factors, rule.time.steps, rule.time.stopped) == (gate, len(forgets), time, 1)
    values = [rung.factor for rung in rule.rungs if rung.kind == "forget"]
    assert all(0 < value < 1 for value in values)
    assert rule.time.log10_factors == pytest.approx(float(np.log10(values).sum()))
    if gate != "output":
        totals = [rung.total for rung in rule.rungs if rung.kind == "forget"]
        own = experiment.trainer.run.cell.memory_gradients[2:-1, 2, 4][::-1] * 8
        assert totals == pytest.approx(own.tolist())
        factor = rule.rungs[-2].factor
        assert rule.rungs[-2].total == pytest.approx(totals[-1] * factor, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_stepping_reveals_the_factors_one_after_the_other(kind: str) -> None:
    experiment = run(kind, steps=1)
    time, look = experiment.network.time, Look(prediction=False, picked=("layer", 3, 0, 0), chain=True)
    unknown = []
    for _ in experiment.phases():
        moment = experiment.moment
        assert moment is not None
        chain = experiment.measure(look).chain
        if moment.kind == "forward":
            assert chain is None
            continue
        assert isinstance(chain, ChainRule)
        assert chain.time is not None
        unknown.append(sum(not rung.reached for rung in chain.rungs))
        assert chain.reached is moment.reached(3)
        assert math.isnan(chain.gradient) is not chain.reached
        assert math.isnan(chain.time.shared_gradient) is not moment.reached(1)
        assert (chain.weight_new is None) is (moment.kind != "update")
        assert chain.sum_over_paths == pytest.approx(chain.gradient, rel=1e-10, nan_ok=True) or not chain.reached
    assert unknown == sorted(unknown, reverse=True)
    assert unknown[0] > time - 3
    assert unknown[-1] == 0


def test_a_truncated_way_back_adds_nothing_beyond_its_end() -> None:
    experiment = run("rnn", truncate=4)
    time = experiment.network.time
    rule = time_chain_rule(experiment, RECURRENT, time - 4, (1, 2))
    assert rule.time is not None
    assert rule.time.stopped == time - 3
    assert (rule.gradient, rule.rungs[-1].total) == (0.0, 0.0)
    assert rule.sum_over_paths != 0.0
    inside = time_chain_rule(experiment, RECURRENT, time - 3, (1, 2))
    assert inside.sum_over_paths == pytest.approx(inside.gradient, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picked_edge_tells_what_its_time_step_adds_and_the_whole(kind: str) -> None:
    experiment = run(kind)
    cell, network = experiment.trainer.run.cell, experiment.network
    for stage, name in ((1, INPUT), (5, RECURRENT)):
        snapshot = experiment.measure(Look(prediction=False, picked=("edge", stage, 2, 1), chain=True, edge=(stage, 1, 2)))
        found, chain = snapshot.picked, snapshot.chain
        assert isinstance(found, WeightInspection)
        assert (found.parameter, found.layer, found.row, found.column) == (name, stage, 1, 2)
        column = 2 + 5 * (network.gates.index(found.gate) if found.gate else 0)
        assert (chain.parameter, chain.row, chain.column, chain.time.gate) == (found.parameter, found.row, found.column, found.gate)
        before = experiment.trainer.run.inputs[0] if stage == 1 else cell.states[stage - 2]
        added = before @ cell.deltas[stage - 1].T
        assert found.added == pytest.approx(added[1, column])
        assert abs(found.added) == np.abs(added[1, 2::5]).max()
        assert found.gradient == experiment.trainer.raw_gradient[network.slices[name]].reshape(-1, added.shape[1])[1, column]
        assert found.block == len(network.gates)
        assert found.weight == found.values[-1]
        inspection = snapshot.inspection
        assert inspection.gradients.item() == pytest.approx(found.added)
        assert inspection.weights.item() == found.weight
        assert inspection.gate == found.gate
    assert experiment.measure(Look(picked=("edge", network.depth, 0, 1))).picked.added is None


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_a_unit_of_a_plain_net_has_its_sum_worked_out_anew(activation: str) -> None:
    experiment = run("rnn", activation)
    for stage in (1, 6, experiment.network.time):
        found = experiment.measure(Look(prediction=False, picked=("unit", stage, 3, 0))).picked
        assert isinstance(found, UnitInspection)
        function = ACTIVATIONS[activation]
        assert function.function(found.pre_activations) == pytest.approx(found.outputs, abs=1e-12)
        assert function.derivative(found.pre_activations) == pytest.approx(found.slopes, abs=1e-12)
        assert found.deltas == pytest.approx(experiment.trainer.run.cell.deltas[stage - 1, 3] * 8)
        assert found.parameters[0][0] == "cell.bias[3]"
        assert found.gates is None


def test_a_unit_of_an_lstm_has_its_memory_and_gates() -> None:
    experiment = run("lstm")
    cell = experiment.trainer.run.cell
    found = experiment.measure(Look(prediction=False, picked=("unit", 6, 3, 0))).picked
    assert found.pre_activations == pytest.approx(cell.memories[5, 3])
    assert found.outputs == pytest.approx(found.gates[0] * np.tanh(found.pre_activations))
    assert found.slopes == pytest.approx(1 - np.tanh(found.pre_activations) ** 2)
    assert found.deltas == pytest.approx(cell.memory_gradients[5, 3] * 8)
    assert [name for name, _, _ in found.parameters] == ["cell.bias[3]", "cell.bias[8]", "cell.bias[13]", "cell.bias[18]"]
    read = experiment.measure(Look(prediction=False, picked=("unit", 0, 1, 0))).picked
    assert read.outputs == pytest.approx(experiment.trainer.run.inputs[0, 1])
    assert len(experiment.measure(Look(picked=("unit", experiment.network.depth, 0, 0))).picked.outputs) == 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("look", [("unit", 99, 0, 0), ("edge", 3, 99, 0), ("unit", 2, 99, 0)])
def test_what_is_not_there_is_refused(kind: str, look: tuple[str, int, int, int]) -> None:
    experiment = run(kind)
    with pytest.raises(ValueError, match=r"no unit|does not exist"):
        experiment.measure(Look(picked=look))


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_first_step_nothing_is_known_and_nothing_fails(kind: str) -> None:
    experiment = run(kind, steps=0)
    for picked in (None, ("edge", 3, 1, 2), ("unit", 3, 1, 0), ("unit", 0, 1, 0), ("layer", 4, 0, 0)):
        snapshot = experiment.measure(Look(picked=picked, chain=True, lab="activation"))
        assert snapshot.chain is None
        assert isinstance(snapshot.lab, Distribution)
    assert time_chain_rule(experiment, INPUT, 1, (0, 0)).reached
    for _ in itertools.islice(experiment.phases(), 3):
        experiment.measure(Look(picked=("unit", 5, 1, 0), lab="activation", lab_layer=5))


@pytest.mark.parametrize("kind", KINDS)
def test_the_lab_shows_the_sums_of_a_time_step(kind: str) -> None:
    experiment = run(kind)
    found = time_distribution(experiment.trainer, 4)
    reader = PassReader(experiment.network, experiment.trainer.run, experiment.trainer.passed_with)
    z = reader.sums(4).reshape(-1, 5, 8)[0 if kind == "rnn" else 2]
    assert (found.layer, found.gate, found.activation) == (4, "", "tanh") if kind == "rnn" else (4, "forget", "sigmoid")
    assert found.mean == pytest.approx(z.mean())
    assert found.counts.sum() == 40
    assert 1 <= time_step_to_look_at(experiment.trainer) <= experiment.network.time
    with pytest.raises(ValueError, match="does not exist"):
        time_distribution(experiment.trainer, experiment.network.depth)
    for view in ("residual", "linear", "initialisation"):
        assert experiment.measure(Look(lab=view)).lab is None


def test_time_steps_of_padding_are_passed_over_when_nothing_is_selected() -> None:
    experiment = run("lstm", data="japanese_vowels", steps=1)
    for example in range(8):
        chain = experiment.measure(Look(prediction=False, chain=True, example=example)).chain
        read = experiment.trainer.run.inputs[:, :, example].any(axis=1)
        first = int(np.argmax(read)) + 1
        assert chain.layer == (1 if first == 1 else first + 1)
        assert chain.dz_dw != 0.0


def test_nothing_selected_takes_a_weight_of_the_first_time_step_that_works_in_this_example() -> None:
    for kind in KINDS:
        experiment = run(kind)
        chain = experiment.measure(Look(prediction=False, chain=True, example=3)).chain
        assert (chain.parameter, chain.layer, chain.example) == (INPUT, 1, 3)
        for example in range(8):
            again = experiment.measure(Look(prediction=False, chain=True, example=example)).chain
            assert (again.column, again.time.gate, again.dz_dw) == (chain.column, chain.time.gate, 1.0)
