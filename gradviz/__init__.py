"""The engine of GradViz: deep networks in NumPy, measured where it matters. Deterministic, silent, and free of any screen."""

from gradviz.chain_rule import chain_rule
from gradviz.data import DataError
from gradviz.diagnosis import diagnose
from gradviz.experiment import Experiment
from gradviz.snapshot import ChainRule, Snapshot, Verdict
from gradviz.spec import DataSpec, NetworkSpec, Spec, SpecError, TrainingSpec

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
]
