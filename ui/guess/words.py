"""What the game says: the question, what was measured, and how it was guessed."""

from __future__ import annotations

from gradviz.prediction_game import LAST, Outcome, Round, Score

from ..figure import stamp_lines
from ..numbers import short

MANY = 10.0  # from this factor on a ratio is told as × or ÷ a number without decimals


def net(item: Round) -> str:
    """The net before the change."""
    first, second = stamp_lines(item.spec)
    return f"{first}; {second}"


def question(item: Round) -> str:
    return f"After {item.steps:,} steps: what has become of the gradient of L1?"


def measured_how(item: Round) -> str:
    seed = item.spec.training.seed
    return f"RMS of ∂J/∂W of the first layer, median of the last {LAST} steps: with the change against without. Both from seed {seed}."


def result(outcome: Outcome) -> str:
    """The factor in large type: "× 180,000", "÷ 50", "NaN"."""
    if outcome.answer is None:
        return "No answer"
    if outcome.failed_at[1] is not None:
        return "Not a number"
    ratio = outcome.ratio
    if ratio == 0.0:
        return "Exactly 0"
    return f"× {_plain(ratio)}" if ratio >= 1.0 else f"÷ {_plain(1.0 / ratio)}"


def _plain(factor: float) -> str:
    """Two digits, written out as long as that can be read: "180,000"."""
    if MANY <= factor < 1e7:
        return f"{float(f'{factor:.2g}'):,.0f}"
    return short(factor)


def gradients(outcome: Outcome) -> str:
    """From what to what: "Gradient of L1: 9.2×10⁻⁸ → 0.017"."""
    if outcome.answer is None:
        failed = outcome.failed_at[0]
        if failed is not None:
            return f"Without the change a number is not finite at step {failed:,} already: there is nothing to compare with."
        if outcome.gradients == (0.0, 0.0):
            return "The gradient of L1 is exactly 0 without the change and with it: there is no factor."
        return "The record of these steps is not complete."
    before, after = outcome.gradients
    failed = outcome.failed_at[1]
    if failed is not None:
        return f"Gradient of L1: {short(before)} without the change; with it a number is no longer finite at step {failed:,}."
    return f"Gradient of L1: {short(before)} → {short(after)}"


def per_layer(outcome: Outcome) -> str:
    """What the gradient was multiplied by on its way, as measured; "" where there is no such factor."""
    before, after = (short(factor) for factor in outcome.factors)
    known = [factor == factor for factor in outcome.factors]
    if all(known):
        return f"From layer to layer towards the input it was multiplied by {before}, now by {after} (geometric mean over the layers)."
    return f"From layer to layer towards the input it was multiplied by {before} (geometric mean over the layers)." if known[0] else ""


def how_many(votes: tuple[int, ...], right: int | None) -> str:
    """How the class did in this round."""
    given = sum(votes)
    if right is None:
        return ""
    if not given:
        return "Nobody has guessed."
    return f"{votes[right]:,} of {given:,} {'was' if given == 1 else 'were'} right."


def final(item: Score) -> str:
    """How the class has done, when all is over; "" when nobody has guessed."""
    if not item.rounds:
        return ""
    whole = f"Most were right in {item.right_rounds} of {item.rounds} round{'' if item.rounds == 1 else 's'}"
    return f"{whole}, and {item.right_votes:,} of all {item.votes:,} votes were right."


def score(item: Score) -> str:
    """How the class has done so far."""
    if not item.rounds:
        return ""
    rounds = f"{item.right_rounds} of {item.rounds} round{'' if item.rounds == 1 else 's'}"
    return f"Most were right in {rounds} · {item.right_votes:,} of {item.votes:,} votes"
