"""Verdicts as they are shown: a run at the edge of a rule must not change its verdict, or the layers of it, from picture to picture."""

from __future__ import annotations

from gradviz.snapshot import Verdict

HOLD = 10  # steps


class HeldVerdicts:
    """Keeps what is said for at least `HOLD` steps; only that the numbers are no longer finite is said at once."""

    def __init__(self) -> None:
        self._said: tuple[Verdict, ...] = ()
        self._since = 0  # the step at which kinds and layers last changed

    def follow(self, found: tuple[Verdict, ...], step: int) -> tuple[Verdict, ...]:
        """What to say at this step, where ``found`` is what the rules say now; going back in time nothing is held."""
        same = _about(found) == _about(self._said)
        urgent = any(verdict.kind == "diverged" for verdict in (*found, *self._said))
        if same or urgent or not self._said or not 0 <= step - self._since < HOLD:
            self._since = self._since if same and step >= self._since else step
            self._said = found
        return self._said


def _about(verdicts: tuple[Verdict, ...]) -> list[tuple[str, tuple[int, ...]]]:
    return [(verdict.kind, verdict.layers) for verdict in verdicts]
