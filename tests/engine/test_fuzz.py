"""Random experiments over every field: whatever is looked at, changed or taken back, nothing raises, and a replay has the same bits.

The whole test suite takes a warning for an error, so that no number that overflows slips through either.
"""

import random
import warnings
from typing import Any

import pytest

from gradviz import DataError, Experiment, Spec, SpecError
from gradviz.data import DATASETS, SEQUENCES
from gradviz.messages import Request
from gradviz.session import Session
from gradviz.snapshot import Look
from gradviz.spec import KINDS, RECURRENT_ACTIVATIONS, FieldInfo, all_fields

SEEDS, GROUPS = 48, 8
SMALL = {  # where the whole range would take too long
    "network.depth": 12,
    "network.width": 16,
    "data.samples": 200,
    "data.lag": 20,
    "training.population": 40,
    "training.steps_per_level": 5,
}
FIELDS = [info for info in all_fields() if info.kind in ("int", "float", "bool", "choice") and info.path != "training.stop_after"]
LABS = ("", "activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian", "population")
WALKS = ("step", "step_layer", "step_phase", "back", "back_layer", "back_phase")


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_experiments(group: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(group, SEEDS, GROUPS):
            rng = random.Random(seed)
            spec = random_spec(rng)
            check_run(rng, spec)
            check_session(rng, spec)


def random_value(rng: random.Random, info: FieldInfo) -> Any:
    if info.kind == "bool":
        return rng.random() < 0.5
    if info.kind == "choice":
        return rng.choice([value for value, _ in info.choices if value != "csv"])
    low, high = info.minimum, info.maximum
    assert low is not None, "every number has a range"
    assert high is not None
    high = min(high, SMALL.get(info.path, high))
    exact = int if info.kind == "int" else float
    value = rng.choice((low, high, rng.uniform(low, min(high, low + 2.0)), rng.uniform(low, high), info.default))
    return exact(min(value, high))


def random_spec(rng: random.Random) -> Spec:
    """One that can be run, of any kind of net and any method."""
    while True:
        kind = rng.choice(("mlp", *KINDS))
        raw: dict[str, dict[str, Any]] = {"network": {}, "data": {}, "training": {}}
        for info in FIELDS:
            if info.path in SMALL or rng.random() < 0.5:
                raw[info.section][info.name] = random_value(rng, info)
        raw["network"]["kind"] = kind
        raw["data"]["name"] = rng.choice([name for name in DATASETS if name != "csv" and (name in SEQUENCES) == (kind != "mlp")])
        if kind != "mlp":
            raw["network"]["activation"] = rng.choice(RECURRENT_ACTIVATIONS)
        if rng.random() < 0.3:
            raw["network"]["set_values"] = ("layer01.weight[0,0] = 2" if kind == "mlp" else "cell.recurrent_weight[0,0] = 2",)
        try:
            spec = Spec.from_dict(raw)
            Experiment(spec)
        except (SpecError, DataError):
            continue
        return spec


def random_change(rng: random.Random, spec: Spec) -> Spec:
    while True:
        info = rng.choice(FIELDS)
        try:
            return spec.replace(info.path, random_value(rng, info))
        except SpecError:
            continue


def random_look(rng: random.Random, experiment: Experiment) -> Look:
    layers = experiment.architecture.layers
    layer = rng.randint(1, len(layers))
    info = layers[layer - 1]
    edge = layer, rng.randrange(info.edge_rows), rng.randrange(info.edge_columns)
    picked = ("edge", layer, edge[2], edge[1]), ("unit", layer, rng.randrange(info.units), 0), ("unit", 0, 0, 0), ("layer", layer, 0, 0)
    return Look(
        prediction=rng.random() < 0.3,
        edge=rng.choice((None, edge)),
        picked=rng.choice((None, *picked)),
        chain=rng.random() < 0.5,
        example=rng.choice((None, rng.randrange(experiment.trainer.batches.size))),
        lab=rng.choice(LABS),
        lab_layer=rng.randint(0, len(layers) + 1),
        lab_read=rng.choice((0, 5, 1000)),
        lab_loss=rng.choice((None, 0.1)),
    )


def check_run(rng: random.Random, spec: Spec) -> None:
    """Five steps, some of them walked through and looked at everywhere; then the same again, and back in time."""
    assert Spec.from_json(spec.to_json()) == spec
    experiment = Experiment(spec)
    experiment.measure(random_look(rng, experiment))
    weights = [experiment.network.vector.tobytes()]
    for step in range(5):
        walk = experiment.phases()
        for _ in range(rng.choice((0, 1, 4, 9))):
            if next(walk, None) is not None:
                experiment.measure(random_look(rng, experiment))
        if experiment.step_count == step:
            experiment.advance()
        weights.append(experiment.network.vector.tobytes())
        experiment.measure(random_look(rng, experiment))
    again = Experiment(spec)
    while again.step_count < experiment.step_count:
        again.advance()
    assert again.network.vector.tobytes() == weights[-1]
    for _ in range(3):
        step, phases = rng.randrange(experiment.last_step + 1), rng.choice((0, 2))
        experiment.go_to(step, phases)
        experiment.measure(random_look(rng, experiment))
        experiment.go_to(step)
        assert experiment.network.vector.tobytes() == weights[step]


def check_session(rng: random.Random, spec: Spec) -> None:
    """Commands in any order, as a window could send them."""
    session = Session(spec)
    tickets: list[tuple[int, Spec]] = []
    for ticket in range(14):
        before, chance = session.experiment.spec, rng.random()
        if chance < 0.4:
            session.execute("apply", random_change(rng, before), ticket)
            tickets.append((ticket, before))
        elif chance < 0.7:
            session.execute(rng.choice(WALKS))
        elif chance < 0.8:
            session.execute("go_to", rng.randint(-1, 8))
        elif chance < 0.9 and tickets:
            old, wanted = rng.choice(tickets[-3:])
            session.execute("bring_back", wanted, old)
        elif chance < 0.95:
            session.execute("set_rival", rng.random() < 0.5)
        else:
            session.execute("branch", ticket)
            session.run(0.0)
            session.execute("pause")
            session.execute("return_to_line", ticket)
        assert session.answer(Request(look=random_look(rng, session.experiment))) is not None
