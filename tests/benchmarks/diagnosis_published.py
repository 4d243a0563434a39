"""The published rules alone, as said in the papers, for comparison: each looks at the last step and at nothing else.

AUTOTRAINER (Zhang et al., ICSE 2021), DeepDiagnosis (Wardat et al., ICSE 2022) and TheDeepChecker (Ben Braiek and Khomh, TOSEM 2022),
with the thresholds of their papers; what is no number any more is flagged by all of them.
"""

from __future__ import annotations

import numpy as np

from gradviz import Experiment
from gradviz.activations import ACTIVATIONS
from gradviz.evidence import is_bounded
from gradviz.network import parameter_name
from gradviz.norms import norms
from gradviz.training import feed_forward


def flagged_by(experiment: Experiment) -> dict[str, bool]:
    """Which of the tools would flag the run at its present step."""
    if experiment.trainer.failure is not None:
        return dict.fromkeys(("AUTOTRAINER", "DeepDiagnosis", "TheDeepChecker"), True)
    network, run = feed_forward(experiment.trainer)
    gradients = experiment.trainer.gradient_norms
    first, last = float(gradients[0]), float(gradients[-1])
    slopes = np.split(run.slopes, np.cumsum(network.widths)[:-1])[:-1]
    parts = [network.slices[parameter_name(layer, "weight")] for layer in range(1, network.depth + 1)]
    small = min(float(np.abs(run.gradient[part]).mean()) for part in parts)
    steps = norms([experiment.trainer.optimizer.change[part] for part in parts])
    with np.errstate(all="ignore"):
        relative = np.log10(steps / norms([network.vector[part] for part in parts]))
    return {
        "AUTOTRAINER": (first < 1e-3 * last and first < 1e-4) or first > 70 * last or _shut(network.activations, slopes, 0.7),
        "DeepDiagnosis": small < 1e-7 or _beyond_five(network.activations, slopes) or _shut(network.activations, slopes, 0.7),
        "TheDeepChecker": not bool(((relative > -4) & (relative < -1)).all()),
    }


def _shut(names: tuple[str, ...], slopes: list[np.ndarray], share: float) -> bool:
    """Whether so large a share of some ReLU layer's outputs is 0."""
    return any(name == "relu" and float((part == 0).mean()) >= share for name, part in zip(names, slopes, strict=False))


def _beyond_five(names: tuple[str, ...], slopes: list[np.ndarray]) -> bool:
    """Whether more than half of the pre-activations of a layer that levels off lie beyond ±5, as its slopes tell."""
    for name, part in zip(names, slopes, strict=False):
        if is_bounded(name) and float((part < ACTIVATIONS[name].derivative(np.array([5.0]))[0]).mean()) > 0.5:
            return True
    return False
