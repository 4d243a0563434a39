"""What recording costs the training: steps per second with a recording that is written by its own process, and without one.

The two take turns of a twentieth of a second, because what else the machine does changes from second to second.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gradviz
from gradviz.recording import Recorder
from tests.benchmarks.result import Result, rate
from ui.presets import preset_named
from ui.recording_process import Remote, WriterProcess

ROUNDS = 100
SECONDS = 0.05  # of one turn
WARM_UP = 0.5


def run() -> Iterator[Result]:
    network, training = gradviz.NetworkSpec, gradviz.TrainingSpec
    specs = {
        "preset vanishing": preset_named("vanishing").spec,
        "20×64 batch 64": gradviz.Spec(network(depth=20, width=64, activation="tanh"), training=training(batch_size=64)),
        "200×8 batch 32": gradviz.Spec(network(depth=200, width=8, activation="tanh")),
        "RNN of 100 time steps": gradviz.Spec(network(kind="rnn", width=16), gradviz.DataSpec("recall")),
        "LSTM of 100 time steps": gradviz.Spec(network(kind="lstm", width=16), gradviz.DataSpec("recall")),
    }
    for name, spec in specs.items():
        yield _cost(name, spec)


def _cost(name: str, spec: gradviz.Spec) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.gradviz"
        writer = WriterProcess(path)
        recorded, plain = gradviz.Experiment(spec), gradviz.Experiment(spec)
        recorder = Recorder(path, recorded, Remote(writer.connection))

        def step() -> None:
            recorded.advance()
            recorder.append(recorded)

        rate(step, WARM_UP)
        rate(plain.advance, WARM_UP)
        rates = [(rate(step, SECONDS), rate(plain.advance, SECONDS)) for _ in range(ROUNDS)]
        recorder.close()
        writer.join()
    value = statistics.median(value for value, _ in rates)
    # of each pair of turns the ratio, as the machine changes less within a pair than over all of them
    ratio = statistics.median(value / peer for value, peer in rates)
    return Result(f"training while it is recorded, {name}", value, "steps/s", "not recorded", value / ratio)
