"""How often the diagnosis is right, against the outcomes of training: prints one JSON object per age and judge, and the misses.

Each case is trained for its whole budget and judged on the way; the label is what came of it, in the end and at that age.
"flagged" means that there is a verdict other than healthy. Beside it stand the published rules alone. Nothing is asserted.

    python tests/benchmarks/diagnosis.py [--set wide|deep|first] [--cases N] [--half aside|tuned|both] [--misses]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from gradviz import Experiment, Spec
from gradviz.diagnosis import diagnose
from tests.benchmarks.diagnosis_cases import NOT_LEARNT, Case, cases, outcome
from tests.benchmarks.diagnosis_drawn import SETS_OF_CASES
from tests.benchmarks.diagnosis_published import flagged_by

AGES = (20, 50, 100, 200, 300, 500, 1000, 2000)
BUDGETS = {"first": 1500, "wide": 3000, "deep": 3000}
SIZES = {"first": 600, "wide": 1400, "deep": 700}
SEEN = 50  # steps whose losses tell how a run does at an age


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how often the diagnosis is right.")
    parser.add_argument("--set", choices=tuple(SIZES), default="deep")
    parser.add_argument("--cases", type=int)
    parser.add_argument("--half", choices=("aside", "tuned", "both"), default="aside")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--misses", action="store_true", help="also print every case that was judged wrongly at 500 steps")
    chosen = parser.parse_args()
    halves = {"aside": (True,), "tuned": (False,), "both": (True, False)}[chosen.half]
    drawn = SETS_OF_CASES.get(chosen.set, cases)(chosen.cases or SIZES[chosen.set])
    work = [(case, BUDGETS[chosen.set]) for case in drawn if case.aside in halves]
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # for the processes: each has a core of its own
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        results = pool.map(judged, work, chunksize=5)
    said = {"set": chosen.set, "half": chosen.half}
    for age in [age for age in AGES if age <= BUDGETS[chosen.set]]:
        for judge in results[0]["ages"][age]["flagged"]:
            for label in ("in the end", "by then"):
                print(json.dumps(said | {"age": age, "judge": judge, "label": label} | _matrix(results, age, judge, label)))
    kinds = Counter((result["ages"][500]["in the end"], result["ages"][500]["kind"]) for result in results)
    for (label, kind), count in sorted(kinds.items()):
        print(json.dumps(said | {"label": label, "first verdict at 500": kind, "runs": count}))
    print(json.dumps({"slowest diagnosis": max(result["slowest"] for result in results), "unit": "s"}))
    for result in results:
        at = result["ages"][500]
        if chosen.misses and at["in the end"] != "between" and at["flagged"]["GradViz"] != (at["in the end"] == "ill"):
            print(json.dumps({"run": result["words"], "label": at["in the end"], "rules": at["rules"]}, ensure_ascii=False))


def judged(work: tuple[Case, int]) -> dict[str, Any]:
    """A case trained for so many steps: what each judge says at each age, and the labels."""
    case, budget = work
    arrays = {} if case.arrays is None else {"inputs": case.arrays[0], "targets": case.arrays[1]}
    experiment, ages, slowest = Experiment(case.spec, **arrays), dict[int, dict[str, Any]](), 0.0
    for age in (age for age in (*AGES, budget) if age <= budget):
        while experiment.step_count < age and experiment.trainer.failure is None:
            experiment.advance()
        start = time.perf_counter()
        verdicts = diagnose(experiment)
        slowest = max(slowest, time.perf_counter() - start)
        flagged = {"GradViz": any(verdict.kind != "healthy" for verdict in verdicts)} | flagged_by(experiment)
        rules = [f"{verdict.kind}: {verdict.rule}" for verdict in verdicts]
        ages[age] = {"flagged": flagged, "kind": verdicts[0].kind, "rules": rules, "by then": _by_then(experiment)}
    end = outcome(experiment)
    return {"words": _in_words(case.spec), "slowest": slowest, "ages": {age: said | {"in the end": end} for age, said in ages.items()}}


def _by_then(experiment: Experiment) -> str:
    """The label of a run by its present alone: "ill" at guessing, "healthy" clearly below it, or "between"."""
    if experiment.trainer.failure is not None:
        return "ill"
    assert experiment.guessing_loss
    level = float(np.median(experiment.history.table().loss[-SEEN:])) / experiment.guessing_loss
    return "ill" if not level < NOT_LEARNT else "healthy" if level < 0.7 else "between"


def _matrix(results: list[dict[str, Any]], age: int, judge: str, label: str) -> dict[str, Any]:
    counted = Counter((result["ages"][age][label], result["ages"][age]["flagged"][judge]) for result in results)
    rows = {kind: [counted[kind, True], counted[kind, True] + counted[kind, False]] for kind in ("ill", "healthy", "between")}
    return {kind: f"{flagged} of {runs} flagged, {100 * flagged / max(1, runs):.1f} %" for kind, (flagged, runs) in rows.items()}


def _in_words(spec: Spec) -> str:
    network, training = spec.network, spec.training
    parts = [f"{network.depth}×{network.width} {network.activation} {network.initializer}×{network.gain:g}"]
    parts += ["batch norm"] * network.batch_norm + [f"skip {network.skip_every}"] * bool(network.skip_every)
    parts += [spec.data.name, f"{training.optimizer} {training.learning_rate:g}", f"batch {training.batch_size}"]
    return ", ".join(parts + ["clipped"] * (training.clip != "none"))


if __name__ == "__main__":
    main()
