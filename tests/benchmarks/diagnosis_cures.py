"""How often each remedy cures: every ill run of the tuned half is begun again from the same seed with each remedy it is offered.

Prints one JSON object per kind of verdict and field. Cured means that the loss is below 0.8 of guessing after 800 steps; the
place is that in the list of remedies, the first being 0.

    python tests/benchmarks/diagnosis_cures.py [--set deep|wide] [--cases 200]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from gradviz import Experiment, Spec
from gradviz.diagnosis import diagnose
from tests.benchmarks.diagnosis_cases import Case
from tests.benchmarks.diagnosis_drawn import SETS_OF_CASES

JUDGED, TRAINED, CURED = 500, 800, 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how often each remedy cures.")
    parser.add_argument("--set", choices=tuple(SETS_OF_CASES), default="deep")
    parser.add_argument("--cases", type=int, default=200)
    chosen = parser.parse_args()
    tried: defaultdict[tuple[str, str], list[tuple[bool, int]]] = defaultdict(list)
    for case in SETS_OF_CASES[chosen.set](chosen.cases):
        if case.aside:
            continue
        verdict = diagnose(_trained(case, case.spec, JUDGED))[0]
        for place, (_, path, value) in enumerate(verdict.remedies):
            tried[verdict.kind, path].append((_learns(_trained(case, case.spec.replace(path, value), TRAINED)), place))
    for (kind, path), results in sorted(tried.items()):
        cured, places = np.array(results).T
        print(
            json.dumps({"kind": kind, "remedy": path, "tried": len(results), "cured": int(cured.sum()), "place": round(places.mean(), 1)})
        )


def _trained(case: Case, spec: Spec, steps: int) -> Experiment:
    experiment = Experiment(spec, **({} if case.arrays is None else {"inputs": case.arrays[0], "targets": case.arrays[1]}))
    while experiment.step_count < steps and experiment.trainer.failure is None:
        experiment.advance()
    return experiment


def _learns(experiment: Experiment) -> bool:
    assert experiment.guessing_loss
    level = float(np.median(experiment.history.table().loss[-50:])) / experiment.guessing_loss
    return experiment.trainer.failure is None and level < CURED


if __name__ == "__main__":
    main()
