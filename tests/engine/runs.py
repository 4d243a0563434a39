"""Runs that the engine's tests share."""

import msgspec

from gradviz.experiment import Experiment
from gradviz.resources import RESOURCES
from gradviz.spec import Spec


def trained(spec: Spec, steps: int) -> Experiment:
    """A run of ``spec`` after so many steps."""
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.advance()
    return experiment


def preset(name: str) -> Spec:
    """The spec of a preset."""
    return Spec.from_dict(msgspec.json.decode((RESOURCES / "presets" / f"{name}.json").read_bytes())["spec"])
