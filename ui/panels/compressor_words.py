"""What the view of the history compressor says: what the levels do, what they expect next, and what their distances mean."""

from __future__ import annotations

from gradviz.lab_reports import CompressorReport

from .plots import percent

DARES_NOT_BELOW = "The lower level dares no prediction."
DARES_NOT_ABOVE = "The upper level dares no prediction."
LAGS = (8, 30, 100)  # of the first the symbols fit into a narrow dock


def name(report: CompressorReport, symbol: int) -> str:
    """The symbol's name; "?" where nothing was predicted."""
    return report.names[symbol] if symbol >= 0 else "?"


def task(report: CompressorReport) -> str:
    """The sequence and who reads it."""
    return (
        f"Each block of the sequence is a or x by lot, then always b1 to b{report.lag}, then A after a and X after x. "
        "The lower level reads every symbol and passes on only those it did not predict from the one before. "
        "The upper level reads what was passed on, in the same way."
    )


def not_here(report: CompressorReport) -> str:
    """What the levels are, and what is not measured here."""
    return (
        f"Here both levels only count what followed each symbol, and predict what came at least {report.trust} times in a row. "
        "They are no networks and no gradient runs in them: what is measured is the shortening. A recurrent network that reads "
        "the upper sequence has to carry its gradient only as far as cue and answer lie apart there."
    )


def ratio(length: float, upper: float) -> float:
    """How many times shorter the upper sequence is; infinite where nothing was passed on, NaN without any symbol."""
    if not length:
        return float("nan")
    return length / upper if upper else float("inf")


def times(value: float) -> str:
    """How many times shorter, such as "×6.0"."""
    if value == float("inf"):
        return "×∞"
    return f"×{value:.1f}" if value < 99.95 else f"×{value:.0f}" if value == value else "–"


def passed_in_last(report: CompressorReport) -> int:
    """How many symbols of the last whole block were passed on."""
    return round(float(report.shares[-1]) * (report.lag + 2)) if len(report.shares) else 0


def expected(report: CompressorReport) -> str:
    """What each level predicts now, or that it does not dare to."""
    if report.read >= report.longest:
        return "The sequence ends here."
    below, above = report.next_below, report.next_above
    first = f"The lower level expects {name(report, below)} next." if below >= 0 else DARES_NOT_BELOW
    second = f"If a symbol is passed on, the upper level expects {name(report, above)}." if above >= 0 else DARES_NOT_ABOVE
    return f"{first} {second}"


def latest(report: CompressorReport) -> str:
    """What happened to the newest symbol."""
    if not len(report.symbols):
        return ""
    came, guess = name(report, int(report.symbols[-1])), int(report.predicted[-1])
    if not report.passed[-1]:
        return f"{came} came as the lower level had predicted: not passed on."
    why = "the lower level had predicted nothing" if guess < 0 else f"the lower level had predicted {name(report, guess)}"
    return f"{came} came and {why}: passed on."


def longest_latest(report: CompressorReport) -> str:
    """The longest that `latest` says of this sequence."""
    return f"b{report.lag} came and the lower level had predicted b{report.lag}: passed on."


def longest_expected(report: CompressorReport) -> str:
    """The longest that `expected` says of this sequence."""
    return f"{DARES_NOT_BELOW} If a symbol is passed on, the upper level expects b{report.lag}."


def distances(report: CompressorReport) -> str:
    """How far an answer is from its cue, below and above, and what that is to a gradient."""
    below, above = report.lag + 1, report.distance_above
    if not above:
        return f"Below, each answer comes {below} steps after its cue."
    if above == below:
        return (
            f"The last answer passed on came {below} steps after its cue, below and above: nothing between them was predicted. "
            "A gradient that goes back through time is multiplied once for each step."
        )
    return (
        f"The last answer passed on came {below} steps after its cue below, but {above} after it above. A gradient that goes back "
        f"through time is multiplied once for each step: {below} factors below, {above} above."
    )


def answers(report: CompressorReport) -> str:
    """How many of the latest answers each level foresaw."""
    if not report.answers:
        return ""
    count = report.answers
    whose = f"Of the answers A and X of the last {count} blocks" if count > 1 else "Of the one answer so far"
    return f"{whose}, the lower level foresaw {report.foreseen_below} and the upper level {report.foreseen_above}."


def spoken(report: CompressorReport) -> str:
    """The view in words."""
    if not report.read:
        return f"Nothing is read yet. {task(report)}"
    whole = times(ratio(report.read, report.upper_length))
    text = f"{report.read:,} symbols read, {report.upper_length:,} passed on: {whole} shorter."
    if len(report.shares):
        text += f" Of the last block {percent(float(report.shares[-1]))} was passed on."
    return f"{text} {distances(report)} {answers(report)}".strip()
