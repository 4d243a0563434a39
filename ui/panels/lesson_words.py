"""What the lesson panel says: a lesson's texts with the measured numbers in their places, and what its buttons press, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradviz.lessons import Action, Lesson
from gradviz.quantities import OF_A_LAYER, OF_THE_RUN, PLACE, fill, quantity
from gradviz.snapshot import Snapshot
from gradviz.spec import field_info

from ..numbers import MINUS, full

UNKNOWN = "–"
SECTIONS = {"A": "Vanishing", "B": "Remedies", "C": "Exploding", "D": "Functions"}
PRESSES = {
    "play": "Play",
    "pause": "Pause",
    "step": "Step",
    "step_layer": "One layer on",
    "step_phase": "Step a phase",
    "back": "Step back",
    "reset": "Reset",
}
LABS = {"compressor": "levels"}  # views that are called otherwise on the screen
PAGES = {"overview": "Overview", "chain": "Chain rule", "inspect": "Inspect", "lab": "Lab", "lesson": "Lesson"}


@dataclass(frozen=True)
class Run:
    """Some words of a text, or the number in one of its places."""

    text: str
    kind: str = ""  # "" for words; "number", "unknown" or "nan"
    name: str = ""  # of the quantity
    value: float = math.nan

    @property
    def hint(self) -> str:
        """What the number is, with every digit."""
        number = {"unknown": "not known yet", "nan": "not a number"}.get(self.kind, "")
        return f"{meaning(self.name)}: {number or full(self.value)}"


def filled(text: str, snapshot: Snapshot | None) -> tuple[Run, ...]:
    """The text in runs; without a snapshot every place is unknown. Raises ValueError for a quantity that there is not."""
    runs: list[Run] = []
    end = 0
    for found in PLACE.finditer(text):
        if found.start() > end:
            runs.append(Run(text[end : found.start()]))
        runs.append(_place(found[0], found[1], snapshot))
        end = found.end()
    if end < len(text):
        runs.append(Run(text[end:]))
    return tuple(runs)


def plain(runs: Sequence[Run]) -> str:
    """The runs as one text."""
    return "".join(run.text for run in runs)


def measured(name: str, snapshot: Snapshot) -> Run:
    """One quantity as the answer to a question."""
    return _place(f"{{{name}}}", name, snapshot)


def meaning(name: str) -> str:
    """What a quantity is, such as "L1: mean f′"."""
    if name in OF_THE_RUN:
        return OF_THE_RUN[name].words
    layer, _, rest = name.partition(".")
    place = {"first": "first hidden layer", "last": "last hidden layer", "Out": "output layer"}.get(layer, layer)
    return f"{place}: {OF_A_LAYER[rest].words}" if rest in OF_A_LAYER else name


def section(lesson: Lesson) -> tuple[str, str]:
    """Letter and title of the part of the lecture that a lesson belongs to."""
    letter = lesson.rows[0][:1] if lesson.rows else ""
    return (letter, SECTIONS[letter]) if letter in SECTIONS else ("", "More")


def rows(lesson: Lesson) -> str:
    """The rows of the lecture, such as "A3, A2"; without section E, which is about all of them."""
    return ", ".join(row for row in lesson.rows if row[:1] in SECTIONS)


def place(lesson: Lesson) -> str:
    """Where in the lecture a lesson stands, such as "Vanishing · A3"."""
    return f"{section(lesson)[1]} · {rows(lesson)}" if rows(lesson) else section(lesson)[1]


def presses(actions: Sequence[Action]) -> str:
    """What a button does to the real controls, such as "Activation: ReLU, Play"."""
    to_lab = any(action.do == "lab" for action in actions)  # says it better than the page
    words = [press(action) for action in actions if not (to_lab and action.do == "page" and action.value == "lab")]
    several = {word: words.count(word) for word in words}  # keeps the order
    return ", ".join(word if count == 1 else f"{word} × {count}" for word, count in several.items())


def press(action: Action) -> str:
    """One action in words."""
    value = action.value
    match action.do:
        case "set":
            return f"{field_info(action.path).title}: {_value(action.path, value)}"
        case "go_to":
            return f"Go to step {value:,}"
        case "page":
            return f"Open {PAGES.get(value, value)}"
        case "lab":
            return f"Lab: {LABS.get(value, value)}"
        case "read":
            return f"Read {value} symbols"
        case "select":
            return f"Select {_selected(value)}"
        case _:
            return PRESSES.get(action.do, action.do)


def _place(place: str, name: str, snapshot: Snapshot | None) -> Run:
    if snapshot is None:
        return Run(UNKNOWN, "unknown", name)
    value = quantity(snapshot, name)
    if not math.isnan(value):
        return Run(fill(place, snapshot), "number", name, value)
    return Run("NaN", "nan", name) if _overflowed(name, snapshot) else Run(UNKNOWN, "unknown", name)


def _overflowed(name: str, snapshot: Snapshot) -> bool:
    """Whether a quantity is NaN because the run's numbers are, and not because nobody has measured it."""
    if snapshot.failure is None:
        return False
    if name in OF_THE_RUN:
        return OF_THE_RUN[name].measure(snapshot) is not None
    layer, _, rest = name.partition(".")
    exists = not layer.startswith("L") or int(layer[1:]) < len(snapshot.architecture.layers)
    return exists and snapshot.details is not None and rest not in ("alpha", "dead_units")


def _value(path: str, value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return dict(field_info(path).choices).get(value, value)
    if isinstance(value, int | float):
        return f"{value:g}".replace("-", MINUS)
    return "its own for each layer" if value else "none"


def _selected(value: object) -> str:
    if not isinstance(value, list | tuple):
        return "nothing"
    kind, layer, unit, _ = value
    return {
        "layer": f"layer {layer}",
        "unit": f"unit {unit + 1} of layer {layer}",
        "edge": f"a weight of layer {layer}",
    }.get(kind, f"layer {layer}")
