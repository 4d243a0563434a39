"""A verdict that is shown stays for ten steps."""

from gradviz.held_verdicts import HOLD, HeldVerdicts
from gradviz.snapshot import Verdict


def verdict(kind: str, *layers: int, value: float = 0.0) -> tuple[Verdict, ...]:
    return (Verdict(kind, layers, "", value, 0.0, ""),)


def test_a_verdict_changes_only_after_ten_steps() -> None:
    held = HeldVerdicts()
    assert held.follow((), 3) == ()
    first, other = verdict("vanishing", 1, 2), verdict("vanishing", 1, 2, 3)
    assert held.follow(first, 20) == first  # the first one is said at once
    assert held.follow(other, 24) == first
    assert held.follow(other, 20 + HOLD) == other
    assert held.follow(first, 31) == other


def test_new_numbers_of_the_same_verdict_are_taken_over() -> None:
    held = HeldVerdicts()
    held.follow(verdict("vanishing", 1, value=1.0), 20)
    assert held.follow(verdict("vanishing", 1, value=2.0), 25)[0].value == 2.0
    assert held.follow(verdict("healthy"), 30)[0].kind == "healthy"  # ten steps after it was first said, not last


def test_what_is_not_finite_is_said_at_once_and_the_past_is_not_held() -> None:
    held = HeldVerdicts()
    held.follow(verdict("exploding", 1), 20)
    assert held.follow(verdict("diverged"), 21)[0].kind == "diverged"
    assert held.follow(verdict("exploding", 1), 22)[0].kind == "exploding"
    assert held.follow((), 5) == ()
