"""One line of the benchmarks' output, and the way two competitors are measured: in turn, several times, by the median."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

PAUSE = 0.15  # seconds between two rounds, in which the idle threads of a BLAS or of OpenMP stop spinning


@dataclass(frozen=True)
class Result:
    """A measured value beside that of its peer, both in ``unit``."""

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float

    def line(self) -> str:
        """As one JSON object; ``ratio`` is value / peer_value."""
        return json.dumps(asdict(self) | {"ratio": self.value / self.peer_value}, ensure_ascii=False)


def in_turn(rounds: int, *competitors: Callable[[], float]) -> list[float]:
    """The median of each competitor over so many rounds; in each round every competitor has one turn."""
    measured: list[list[float]] = [[] for _ in competitors]
    for _ in range(rounds):
        for values, competitor in zip(measured, competitors, strict=True):
            time.sleep(PAUSE)
            values.append(competitor())
    return [statistics.median(values) for values in measured]


def rate(action: Callable[[], object], seconds: float) -> float:
    """How often per second ``action`` can be done, over about so many seconds."""
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        action()
        count += 1
    return count / passed
