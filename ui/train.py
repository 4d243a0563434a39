"""``train``: a run without a window and without Qt."""

from __future__ import annotations

import json
import math
import sys
import time

from gradviz.experiment import Experiment
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec

PROGRESS_SECONDS = 1.0


def train(spec: Spec, steps: int, as_json: bool) -> int:
    """Train for ``steps`` steps and print the result, as one JSON object on the last line if asked; returns 0."""
    experiment = Experiment(spec)
    started = shown = time.perf_counter()
    for _ in range(steps):
        experiment.advance()
        now = time.perf_counter()
        if now - shown >= PROGRESS_SECONDS:
            shown = now
            print(f"step {experiment.step_count}, loss {experiment.trainer.loss:.6g}", file=sys.stderr)
    seconds = time.perf_counter() - started
    snapshot = experiment.measure(Look(prediction=False))
    if as_json:
        print(json.dumps(result(snapshot, steps / seconds if seconds > 0 and steps else 0.0), allow_nan=False))
    else:
        _print_table(snapshot, steps, seconds)
    return 0


def result(snapshot: Snapshot, steps_per_second: float) -> dict[str, object]:
    """What ``--json`` prints; a number that is not finite becomes null, which is all that JSON has for it."""
    layers = [
        {
            "name": info.name,
            "units": info.units,
            "activation": info.activation,
            "gradient_norm": _number(snapshot.gradient_norms[i]),
            "clipped_norm": _number(snapshot.clipped_norms[i]),
            "delta_norm": _number(snapshot.delta_norms[i]),
        }
        for i, info in enumerate(snapshot.architecture.layers)
    ]
    failure = snapshot.failure
    return {
        "step": snapshot.step,
        "loss": _number(snapshot.loss),
        "test_loss": None if snapshot.test_loss is None else _number(snapshot.test_loss),
        "diverged": snapshot.diverged,
        "failure": None if failure is None else {"step": failure.step, "layer": failure.layer_name, "phase": failure.phase},
        "layers": layers,
        "steps_per_second": round(steps_per_second, 2),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _print_table(snapshot: Snapshot, steps: int, seconds: float) -> None:
    one = "generation" if snapshot.spec.training.method == "evolution" else "step"
    name = f"reconstruction error of level {snapshot.level}" if snapshot.level else f"{snapshot.loss_name} loss"
    print(f"{one} {snapshot.step}, {name} {snapshot.loss:.6g}" + (f" ({steps / seconds:,.0f} {one}s/s)" if steps else ""))
    if snapshot.failure is not None:
        failure = snapshot.failure
        print(f"first number that is not finite: {failure.layer_name}, {failure.phase}, step {failure.step}")
    gradient = "|dL/dh|" if snapshot.spec.network.recurrent else "|dL/dW|"  # of time steps, which share their weights
    print(f"{'t' if snapshot.spec.network.recurrent else 'layer':<6}{'units':>6}  {'activation':<12}{gradient:>12}{'|dL/dz|':>12}")
    for i, info in enumerate(snapshot.architecture.layers):
        known = snapshot.level in (0, i + 1)  # while one layer is trained by itself, the others are not measured
        norms = f"{snapshot.gradient_norms[i]:>12.3g}{snapshot.delta_norms[i]:>12.3g}" if known else f"{'–':>12}{'–':>12}"
        print(f"{info.name:<6}{info.units:>6}  {info.activation:<12}{norms}")
