"""The engine of GradViz: deep networks in NumPy, measured where it matters. Deterministic, silent, and free of any screen."""

import importlib
from typing import TYPE_CHECKING, Any

from gradviz.data import DataError
from gradviz.selected import ChainRule
from gradviz.snapshot import Snapshot, Verdict
from gradviz.spec import DataSpec, NetworkSpec, Spec, SpecError, TrainingSpec

if TYPE_CHECKING:
    from gradviz.chain import chain_rule
    from gradviz.diagnosis import diagnose
    from gradviz.experiment import Experiment
    from gradviz.recurrent_chain import time_chain_rule

__all__ = [
    "ChainRule",
    "DataError",
    "DataSpec",
    "Experiment",
    "NetworkSpec",
    "Snapshot",
    "Spec",
    "SpecError",
    "TrainingSpec",
    "Verdict",
    "chain_rule",
    "diagnose",
    "time_chain_rule",
]

# What runs an experiment is loaded when it is first used: a window that only shows one starts sooner without it.
_LATE = {
    "chain_rule": "gradviz.chain",
    "diagnose": "gradviz.diagnosis",
    "Experiment": "gradviz.experiment",
    "time_chain_rule": "gradviz.recurrent_chain",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(_LATE[name]), name)
    return found
