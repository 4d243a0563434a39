"""``train``: a run without a window and without Qt."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gradviz.diagnosis import diagnose
from gradviz.experiment import Experiment
from gradviz.snapshot import Look, Snapshot, Verdict
from gradviz.spec import Spec

from .printed import printed

PROGRESS_SECONDS = 1.0


def train(spec: Spec, steps: int, as_json: bool, record: Path | None = None) -> int:
    """Train for ``steps`` steps and print the result, as one JSON object on the last line if asked; returns the exit status.

    With ``record`` every step is kept in this file. When that cannot be gone on with, the training goes on, and the exit status is 1.
    """
    experiment = Experiment(spec)
    try:
        tape = Tape(record, experiment) if record is not None else None
    except OSError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 2
    try:
        status = _train(experiment, steps, as_json, tape)
    finally:
        failed = tape is not None and not tape.close()
    return 1 if failed else status


class Tape:
    """A recording that is written by a process of its own; raises OSError when there is such a file, or no room for one."""

    def __init__(self, path: Path, experiment: Experiment) -> None:
        from gradviz.recording import Recorder

        from .recording_process import Remote, WriterProcess

        if path.suffix != ".gradviz":
            raise OSError(f"{path} must end in .gradviz")
        if path.exists():
            raise OSError(f"{path} is there already; a recording begins a new file")
        if not path.parent.is_dir():
            raise OSError(f"there is no folder {path.parent} to record into")
        self._writer = WriterProcess(path)
        self._recorder: Recorder | None = None
        self.whole = True
        try:
            self._recorder = Recorder(path, experiment, Remote(self._writer.connection))
        except OSError as error:
            self._give_up(error)

    def append(self, experiment: Experiment) -> None:
        """Record the step that has just been done, as long as that can be done."""
        if self._recorder is None:
            return
        try:
            self._recorder.append(experiment)
        except OSError as error:
            self._give_up(error)

    def close(self) -> bool:
        """Write the rest; returns whether all is there."""
        if self._recorder is not None:
            try:
                self._recorder.close()
            except OSError as error:
                self._give_up(error)
        self._writer.join()
        return self.whole

    def _give_up(self, error: OSError) -> None:
        print(f"gradviz: the recording has ended, the training goes on: {error}", file=sys.stderr)
        if self._recorder is not None:
            self._recorder.abandon()
        self._recorder, self.whole = None, False


def _train(experiment: Experiment, steps: int, as_json: bool, tape: Tape | None) -> int:
    started = shown = time.perf_counter()
    for _ in range(steps):
        experiment.advance()
        if tape is not None:
            tape.append(experiment)
        now = time.perf_counter()
        if now - shown >= PROGRESS_SECONDS:
            shown = now
            print(f"step {experiment.step_count}, loss {experiment.trainer.loss:.6g}", file=sys.stderr)
    seconds = time.perf_counter() - started
    snapshot = experiment.measure(Look(prediction=False))
    if as_json:
        found = result(snapshot, diagnose(experiment), steps / seconds if seconds > 0 and steps else 0.0)
        return printed(lambda: print(json.dumps(found, allow_nan=False)))
    return printed(lambda: _print_table(snapshot, steps, seconds))


def result(snapshot: Snapshot, verdicts: Sequence[Verdict], steps_per_second: float) -> dict[str, object]:
    """What ``--json`` prints; a number that is not finite becomes null, which is all that JSON has for it."""
    theory = _theory(snapshot)
    layers = [
        {
            "name": info.name,
            "units": info.units,
            "activation": info.activation,
            "gradient_norm": _number(snapshot.gradient_norms[i]),
            "clipped_norm": _number(snapshot.clipped_norms[i]),
            "delta_norm": _number(snapshot.delta_norms[i]),
            "theory": None if theory is None else theory[i],
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
        "theory": _theory_kind(snapshot) if theory is not None else f"none: {snapshot.theory.reason}" if snapshot.theory else None,
        "verdicts": [_verdict(verdict) for verdict in verdicts],
        "steps_per_second": round(steps_per_second, 2),
    }


def _theory_kind(snapshot: Snapshot) -> str:
    caution = snapshot.theory.caution if snapshot.theory is not None else ""
    return "mean field, at initialisation" + (f"; unreliable: {caution}" if caution else "")


def _theory(snapshot: Snapshot) -> list[dict[str, object]] | None:
    """By layer the norms that theory gives the first step, how many decades they scatter, and how many the measured ones lie from them."""
    theory, distances = snapshot.theory, snapshot.from_theory
    if theory is None or distances is None:
        return None
    return [
        {
            "gradient_norm": _number(theory.gradient_rms[i] * math.sqrt(info.units * info.fan_in)),
            "delta_norm": _number(theory.delta_rms[i] * math.sqrt(info.units)),
            "gradient_scatter": _number(theory.gradient_scatter[i]),
            "delta_scatter": _number(theory.delta_scatter[i]),
            "gradient_distance": _number(distances[1][i]),
            "delta_distance": _number(distances[0][i]),
        }
        for i, info in enumerate(snapshot.architecture.layers)
    ]


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "kind": verdict.kind,
        "layers": list(verdict.layers),
        "rule": verdict.rule,
        "value": _number(verdict.value),
        "threshold": _number(verdict.threshold),
        "explanation": verdict.explanation,
        "remedies": [{"words": words, "field": path, "value": value} for words, path, value in verdict.remedies],
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
