"""Each ill preset gets its verdict early and is cured by a remedy that it offers, from the same seed; the healthy ones get none."""

import msgspec
import numpy as np
import pytest

from gradviz import Experiment
from gradviz.diagnosis import diagnose
from gradviz.resources import RESOURCES
from tests.engine.runs import preset, trained

ILL = {  # preset -> what it suffers from, the remedy that cures it, and the steps that takes
    "vanishing": ("vanishing", "network.batch_norm", 300),
    "plateau": ("vanishing", "network.batch_norm", 300),
    "not-pretrained": ("vanishing", "network.batch_norm", 300),
    "dead-relus": ("dead_units", "training.learning_rate", 600),
    "steps-by-gradient": ("dead_units", "network.activation", 300),
    "exploding": ("exploding", "network.gain", 600),
    "recall-rnn": ("vanishing", "network.kind", 120),
    "exploding-in-time": ("exploding", "network.spectral_radius", 300),
}
HEALTHY = {
    "clipped": 300,
    "cured-by-batch-norm": 300,
    "cured-by-relu": 300,
    "digits": 200,
    "evolution-circles": 30,
    "evolution-xor": 30,
    "pretrained-levels": 300,
    "recall-lstm": 100,
    "residual-highway": 300,
    "isometry": 300,
    "vowels-lstm": 60,
}
COMPARED = {  # preset of two nets -> what the first suffers from, and the steps after which the second is judged
    "compare-clipping": ("diverged", 300),
    "compare-depth": ("vanishing", 300),
    "compare-lstm": ("vanishing", 120),
    "compare-relu": ("vanishing", 300),
}


def level(experiment: Experiment) -> float:
    """The median of the newest losses as a multiple of guessing."""
    assert experiment.guessing_loss
    return float(np.median(experiment.history.table().loss[-30:])) / experiment.guessing_loss


def test_every_preset_is_judged_but_the_single_worked_steps() -> None:
    names = {path.stem for path in (RESOURCES / "presets").glob("*.json")}
    assert {name for name in names if not name.startswith("worked-")} == {*ILL, *HEALTHY, *COMPARED}


@pytest.mark.parametrize("name", ILL)
def test_an_ill_preset_gets_its_verdict_and_a_remedy_cures_it(name: str) -> None:
    kind, path, steps = ILL[name]
    spec = preset(name)
    ill = trained(spec, steps)
    verdicts = diagnose(ill)
    assert kind in [verdict.kind for verdict in verdicts]
    offered = {where: what for _, where, what in verdicts[0].remedies}
    cured = trained(spec.replace(path, offered[path]), steps)
    assert [verdict.kind for verdict in diagnose(cured)] == ["healthy"]
    assert not level(ill) < 0.95
    assert level(cured) < 0.9


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_preset_is_told_healthy_and_offered_nothing(name: str) -> None:
    experiment = Experiment(preset(name))
    for share in (3, 2, 1):
        while experiment.step_count < HEALTHY[name] // share:
            experiment.advance()
        [verdict] = diagnose(experiment)
        assert (verdict.kind, verdict.remedies) == ("healthy", ())


@pytest.mark.parametrize("name", COMPARED)
def test_of_two_nets_the_first_is_ill_and_the_second_is_not(name: str) -> None:
    kind, steps = COMPARED[name]
    first, changes = preset(name), msgspec.json.decode((RESOURCES / "presets" / f"{name}.json").read_bytes())["against"]
    [(path, value)] = changes.items()
    assert diagnose(trained(first, steps))[0].kind == kind
    assert [verdict.kind for verdict in diagnose(trained(first.replace(path, value), steps))] == ["healthy"]
