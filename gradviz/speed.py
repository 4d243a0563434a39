"""How many steps per second this machine makes: measured in short slices, so that whoever measures can do other things in between."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

import msgspec
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.experiment import Experiment
from gradviz.lab_reports import Speed
from gradviz.spec import Spec, TrainingSpec
from gradviz.threads import threads_worth_using, use_threads
from gradviz.training import Trainer

PRECISIONS = ("float64", "float32")
SECONDS = 0.5  # for which each setting is measured
SLICE = 0.05  # seconds that one slice takes, unless two steps take longer
# none of these makes a step longer
FREE = ("learning_rate", "momentum", "weight_decay", "clip_threshold", "seed", "stop_after", "precision")


def available_threads() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on Windows and macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class SpeedMeasurement:
    """Trains fresh nets of a spec and counts: with float64 and float32, each with one BLAS thread and with all of them.

    Bare training steps with their norms are counted, not the history and not the picture. The settings take turns, so that a
    disturbance hits a slice of each. Between two slices the number of BLAS threads is the one that the net trains with.

    Raises:
        SpecError, DataError: as `Experiment` does.
        ValueError: when ``seconds`` is not positive.
    """

    def __init__(self, spec: Spec, seconds: float = SECONDS, inputs: Floats | None = None, targets: NDArray[Any] | None = None) -> None:
        if not seconds > 0:
            raise ValueError(f"seconds is {seconds}; it must be positive")
        self.spec = spec
        self._slice = min(SLICE, seconds / 3)  # three at the least
        self._rounds = max(3, round(seconds / self._slice))
        self._trainers = {name: Experiment(spec.replace("training.precision", name), inputs, targets).trainer for name in PRECISIONS}
        settings = [(name, threads) for name in PRECISIONS for threads in sorted({1, available_threads()})]
        self._rates: dict[tuple[str, int], list[float]] = {setting: [] for setting in settings}
        self._threads = threads_worth_using(self._trainers["float64"])
        use_threads(self._threads)
        self._slices = self._measure()

    @property
    def speeds(self) -> tuple[Speed, ...]:
        """What is measured so far: float64 before float32, one thread before all; where there is only one processor, one thread alone."""
        return tuple(Speed(name, threads, statistics.median(found)) for (name, threads), found in self._rates.items() if found)

    @property
    def share_done(self) -> float:
        """From 0 to 1."""
        return sum(map(len, self._rates.values())) / (self._rounds * len(self._rates))

    @property
    def done(self) -> bool:
        return self.share_done >= 1.0

    def measure_on(self) -> None:
        """Measure one slice more: at most about `SLICE` seconds, or two steps where these take longer. Nothing when all is done."""
        next(self._slices, None)

    def fits(self, spec: Spec) -> bool:
        """Whether a step of this spec takes as long as what is measured here."""
        return _timed(spec) == _timed(self.spec)

    def _measure(self) -> Iterator[None]:
        for _ in range(self._rounds):
            for (name, threads), found in self._rates.items():
                use_threads(threads)
                try:
                    found.append(_rate(self._trainers[name], self._slice))
                finally:
                    use_threads(self._threads)
                yield
        self._trainers.clear()  # of a large net that is much memory


def _timed(spec: Spec) -> Spec:
    """The spec without what changes nothing about the length of a step."""
    usual = TrainingSpec()
    training = msgspec.structs.replace(spec.training, **{name: getattr(usual, name) for name in FREE})
    return msgspec.structs.replace(spec, network=msgspec.structs.replace(spec.network, set_values=(), weights_from=""), training=training)


def measure_speed(
    spec: Spec, seconds: float = SECONDS, inputs: Floats | None = None, targets: NDArray[Any] | None = None
) -> tuple[Speed, ...]:
    """A whole `SpeedMeasurement` at once. It takes about four times as long as ``seconds``, half as long on a single processor."""
    measurement = SpeedMeasurement(spec, seconds, inputs, targets)
    while not measurement.done:
        measurement.measure_on()
    return measurement.speeds


def _rate(trainer: Trainer, seconds: float) -> float:
    """Steps per second over about so many seconds. The first step is a warm-up, unless it has taken all the time by itself."""
    start = time.perf_counter()
    trainer.step()
    now = time.perf_counter()
    if now - start >= seconds:
        return 1.0 / (now - start)
    end = start + seconds
    steps, start = 0, now
    while not steps or now < end:
        trainer.step()
        steps += 1
        now = time.perf_counter()
    return steps / (now - start)
