"""How often the diagnosis is right, against the outcomes of training: prints one JSON object per half and age, and the misses.

Each case is trained for its whole budget and judged on the way; the label is what came of it. "flagged" means that there is a
verdict other than healthy. Nothing is asserted, nothing is kept on disk.

    python tests/benchmarks/diagnosis.py [--cases 600] [--half aside|tuned|both] [--misses]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gradviz import Experiment, Spec
from gradviz.diagnosis import diagnose
from tests.benchmarks.diagnosis_cases import STEPS, cases, outcome

AGES = (30, 100, 200, 500, 1000, STEPS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how often the diagnosis is right.")
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--half", choices=("aside", "tuned", "both"), default="aside")
    parser.add_argument("--seed", type=int, default=4, help="draws the cases; all that is published belongs to 4")
    parser.add_argument("--misses", action="store_true", help="also print every case that was judged wrongly")
    chosen = parser.parse_args()
    halves = {"aside": (True,), "tuned": (False,), "both": (True, False)}[chosen.half]
    counted: Counter[tuple[int, str, bool]] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    for case in cases(chosen.cases, chosen.seed):
        if case.aside not in halves:
            continue
        experiment, said = Experiment(case.spec), {}
        for age in AGES:
            while experiment.step_count < age:
                experiment.advance()
            start = time.perf_counter()
            said[age] = diagnose(experiment)
            slowest = max(slowest, time.perf_counter() - start)
        label = outcome(experiment)
        for age, verdicts in said.items():
            flagged = any(verdict.kind != "healthy" for verdict in verdicts)
            counted[age, label, flagged] += 1
            if chosen.misses and flagged != (label == "ill") and label != "between":
                found = {"age": age, "label": label, "run": _in_words(case.spec), "rules": [f"{v.kind}: {v.rule}" for v in verdicts]}
                print(json.dumps(found, ensure_ascii=False), flush=True)
        kinds.update((label, verdict.kind) for verdict in said[STEPS][:1])
    for age in AGES:
        print(json.dumps({"half": chosen.half, "age": age} | _matrix(counted, age), ensure_ascii=False))
    for (label, kind), count in sorted(kinds.items()):
        print(json.dumps({"half": chosen.half, "label": label, "first verdict": kind, "runs": count}))
    print(json.dumps({"slowest diagnosis": slowest, "unit": "s"}))


def _matrix(counted: Counter[tuple[int, str, bool]], age: int) -> dict[str, object]:
    matrix = {
        label: {"flagged": counted[age, label, True], "not flagged": counted[age, label, False]} for label in ("ill", "healthy", "between")
    }
    shares = {f"{label} flagged": row["flagged"] / max(1, sum(row.values())) for label, row in matrix.items()}
    return matrix | {name: round(share, 3) for name, share in shares.items()}


def _in_words(spec: Spec) -> str:
    network, training = spec.network, spec.training
    parts = [f"{network.depth}×{network.width} {network.activation} {network.initializer}×{network.gain:g}"]
    parts += ["batch norm"] * network.batch_norm + [f"skip {network.skip_every}"] * bool(network.skip_every)
    parts += [spec.data.name, f"{training.optimizer} {training.learning_rate:g}", f"batch {training.batch_size}"]
    return ", ".join(parts + ["clipped"] * (training.clip != "none"))


if __name__ == "__main__":
    main()
