"""What the hardware view says: times in units people use, and sentences that claim only what was measured."""

from __future__ import annotations

import math

from gradviz.lab_reports import HardwareReport, Speed
from gradviz.snapshot import Snapshot

from ..numbers import exponent_text, short
from .plots import percent

UNITS = (
    (365.25 * 86400.0, "years"),
    (86400.0, "days"),
    (3600.0, "h"),
    (60.0, "min"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
    (1e-9, "ns"),
)
SINGULAR = {"years": "year", "days": "day"}
TIMES = "\N{NO-BREAK SPACE}× "  # stays on the line of its factor
STORING = "Only storing is looked at, component by component, not what a whole backward pass in that format would lose on its way."


def time_text(seconds: float) -> str:
    """Such as "0.35 s", "2.1 min" or "3.0 years": two digits in the largest unit that is not longer."""
    if not math.isfinite(seconds):
        return "for ever" if seconds > 0 else "–"
    if seconds == 0:
        return "0 s"
    size, unit = next((entry for entry in UNITS if seconds >= entry[0] * 0.9995), UNITS[-1])
    value = seconds / size
    plain = f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"
    text = plain if 0.01 <= value < 999_500 else short(value)
    return f"{text} {SINGULAR.get(unit, unit) if text == '1.0' else unit}"


def setting(speed: Speed) -> str:
    """Such as "float32, 2 threads"."""
    return f"{speed.precision}, {speed.threads} thread{'s' if speed.threads > 1 else ''}"


def scale_text(exponent: int) -> str:
    """A loss scale, such as 2¹⁶."""
    return f"2{exponent_text(exponent)}"


def rate_text(steps_per_second: float) -> str:
    """Steps per second in whole numbers where there are enough of them."""
    return f"{steps_per_second:,.0f}" if steps_per_second >= 99.5 else short(steps_per_second)


def fastest(report: HardwareReport) -> int | None:
    """Which of the measured settings makes the most steps per second; None where none is measured."""
    rates = [speed.steps_per_second for speed in report.speeds]
    return rates.index(max(rates)) if rates else None


def compared(report: HardwareReport) -> tuple[str, ...]:
    """What the measured speeds say of the formats and of the threads."""
    rates = {(speed.precision, speed.threads): speed.steps_per_second for speed in report.speeds}
    texts = []
    if ("float64", 1) in rates and ("float32", 1) in rates:
        texts.append(f"In float32 this net makes {_times(rates['float32', 1] / rates['float64', 1])} steps per second as in float64.")
    most = max((threads for _, threads in rates), default=1)
    if most > 1 and ("float64", 1) in rates and ("float64", most) in rates:
        times = _times(rates["float64", most] / rates["float64", 1])
        texts.append(f"In float64 {most} threads make {times} as one does.")
    return (" ".join(texts),)


def _times(ratio: float) -> str:
    return "about as many" if 0.95 < ratio < 1.05 else f"{short(ratio)}{TIMES}as many"


def plateau(report: HardwareReport, snapshot: Snapshot) -> str:
    """How long the plateau is, or that it cannot be told yet."""
    told = report.guessing is not None and report.guessing > 0
    level = short(report.left) + (f", which is 0.9{TIMES}guessing" if told else "")
    if report.plateau is not None:
        if report.plateau <= 1:
            return f"There is no plateau: from the first steps on the loss is at most {level}."
        return (
            f"It took {report.plateau:,} steps until the loss was at most {level}. "
            f"A machine 1,000 × as fast has to make the same {report.plateau:,} steps."
        )
    if not report.steps:
        return "No step has been made yet."
    made = _steps(report.steps)
    if snapshot.failure is not None:
        return f"In {made} the run did not get to {level}, and in step {snapshot.failure.step:,} a number stopped being finite."
    return f"After {made} the loss has not got to {level}. How long the plateau will be cannot be told while the run is on it."


def time_to_loss(report: HardwareReport, snapshot: Snapshot) -> tuple[str, ...]:
    """What speed changes about the given loss, and what not."""
    loss, made = short(report.loss), _steps(report.steps)
    best = fastest(report)
    if report.steps_needed is not None:
        needed = _steps(report.steps_needed)
        if best is None or report.seconds is None:
            return (f"The run got to a loss of {loss} at step {report.steps_needed:,}. Measure how long so many steps take here.",)
        here, there = (time_text(float(report.seconds[best, at])) for at in (0, -1))
        return (
            f"The run got to a loss of {loss} after {needed}. With {setting(report.speeds[best])} they take {here} on this machine, "
            f"and {there} on one 1,000 × as fast. Speed moves along the line; only fewer steps move the line.",
        )
    if not report.steps:
        return ("No step has been made yet.",)
    lowest = f" The lowest so far is {short(report.lowest)}." if math.isfinite(report.lowest) else ""
    if snapshot.failure is not None:
        return (
            f"The run did not get to a loss of {loss}: in step {snapshot.failure.step:,} a number stopped being finite. "
            "From there no speed helps: a faster machine only gets to that step sooner.",
        )
    texts = [f"In {made} the run has not got to a loss of {loss}.{lowest} As long as its steps do not lead there, no speed helps."]
    if best is not None and report.seconds is not None:
        here = time_text(float(report.seconds[best, 0]))
        texts.append(f"The lines are the {made} made so far, {here} here: it takes longer than that, how much longer no measurement tells.")
    return tuple(texts)


def _steps(count: int) -> str:
    return f"{count:,} step{'s' if count != 1 else ''}"


def underflow(report: HardwareReport, precision: str, exponent: int) -> tuple[str, ...]:
    """What is lost of the first layer's gradient and of the last one's, what scaling rescues, and what it does not change."""
    names, reached = report.names, report.known
    if not any(reached):
        return ("No gradient is known yet.",)
    finite = [layer for layer in range(len(names)) if reached[layer] and math.isfinite(report.rms[layer])]
    if not finite:
        return ("This gradient holds numbers that are not finite already. No format and no scale helps there.",)
    plain, scaled = report.underflow(precision, 0), report.underflow(precision, exponent)
    found = [layer for layer in finite if plain.components[layer]]
    if not found:
        return ("Every component of this gradient is exactly 0 already, before anything is stored in a smaller format.",)
    worst = max(found, key=lambda layer: (plain.zero[layer], -layer))
    last = found[-1]
    texts = []
    if plain.zero[worst] == 0:
        what = "this gradient" if all(reached) else "what is known of this gradient"
        texts.append(f"In {precision} nothing of {what} becomes 0.")
    else:
        others = f", of {names[last]}’s {percent(float(plain.zero[last]))}" if last != worst else ""
        share = percent(float(plain.zero[worst]))
        texts.append(f"In {precision} {share} of {names[worst]}’s components become exactly 0 and update nothing{others}.")
    if exponent == 0:
        return tuple(texts)
    scale = scale_text(exponent)
    if plain.zero[worst] > 0:
        still = "still " if scaled.zero[worst] == plain.zero[worst] else ""
        texts.append(f"With the loss multiplied by {scale} it is {still}{percent(float(scaled.zero[worst]))} of {names[worst]}’s.")
    large = [layer for layer in found if scaled.infinite[layer] > 0]
    if large:
        most = max(large, key=lambda layer: (float(scaled.infinite[layer]), layer))
        texts.append(f"But {percent(float(scaled.infinite[most]))} of {names[most]}’s become too large for {precision}: the step is lost.")
    rms = float(scaled.rms[worst])
    if plain.zero[worst] > 0 and scaled.zero[worst] < plain.zero[worst] and math.isfinite(rms):
        texts.append(
            f"Before the update it is divided by {scale} again. Then {names[worst]}’s gradient is {short(rms)} (RMS), where it was "
            f"{short(float(report.rms[worst]))}: it is stored now, but as small as before, and nothing learns faster by it."
        )
    return tuple(texts)


def foot(report: HardwareReport, snapshot: Snapshot) -> tuple[str, ...]:
    """How the underflow was found."""
    texts = [STORING, "Shares are of the components that were not 0 before."]
    if report.looked_at > 1:
        texts.append(f"Looked at was every {report.looked_at:,}th component.")
    if snapshot.spec.training.precision == "float32":
        texts.append("This run computes in float32: what became 0 in its own backward pass is not counted.")
    return (" ".join(texts),)
