"""What two runs have in common and in what they differ, in words.

Nothing is said to be the same that their settings do not make the same.
"""

from __future__ import annotations

from gradviz.changes import Difference, differences
from gradviz.history_table import HistoryTable
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec

from ..stages import training_step

SIDES = ("A", "B")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_WEIGHTS = (  # what decides the first weights of a layer beside its shape and the seed
    "network.kind",
    "network.initializer",
    "network.gain",
    "network.spectral_radius",
    "network.forget_bias",
    "network.set_values",
    "network.weights_from",
    "training.precision",
)

_STAND_ALONE = ("network.kind", "network.activation", "network.initializer", "data.name", "training.method", "training.optimizer")
"""Fields whose values say what they are; a number, "off" or "norm" needs the title of its field."""


def other_side(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]


def heading(found: tuple[Difference, ...]) -> str:
    """How many changes there are between the two sides."""
    if not found:
        return "No difference yet"
    count = _NUMBERS[len(found)] if len(found) < len(_NUMBERS) else f"{len(found):,}"
    return f"{count.capitalize()} change{'s' if len(found) > 1 else ''}"


def names(a: Spec, b: Spec) -> tuple[str, str]:
    """What each side is called: by its value of what differs, the first two of several; "" while nothing does."""
    found = differences(a, b)
    more = f" +{len(found) - 2}" if len(found) > 2 else ""
    first, second = (", ".join(_named(item, side) for item in found[:2]) + more for side in range(2))
    return first, second


def values(a: Spec, b: Spec) -> tuple[str, str]:
    """The two values of the one change, where they can stand alone; "" where there is more than one, or none."""
    found = differences(a, b)
    alone = len(found) == 1 and found[0].path in _STAND_ALONE
    return (found[0].before, found[0].after) if alone else ("", "")


def _named(item: Difference, side: int) -> str:
    value = item[2 + side]
    return value if item.path in _STAND_ALONE else f"{item.title} {value}"


def in_common(a: Snapshot, b: Snapshot) -> str:
    """What is the same on both sides, as one sentence: "Same seed 8, same data, same first weights, same batches, same step."."""
    parts = []
    one, other = a.spec, b.spec
    seed = one.training.seed == other.training.seed
    data = seed and one.data == other.data
    parts.append(f"seed {one.training.seed}" if seed else "")
    parts.append("data" if data else "")
    parts.append(_same_weights(a, b) if seed else "")
    gradient = one.training.method == other.training.method != "evolution"
    parts.append("batches" if data and gradient and one.training.batch_size == other.training.batch_size else "")
    parts.append(training_step(one) if _place(a) == _place(b) and training_step(one) == training_step(other) else "")
    said = ", ".join(f"same {part}" for part in parts if part)
    sentence = f"{said[:1].upper()}{said[1:]}." if said else "Nothing is the same by design."
    if not seed:
        sentence += f" Seed {one.training.seed} against {other.training.seed}."
    if _place(a)[0] != _place(b)[0]:
        sentence += f" A at {training_step(one)} {a.step:,}, B at {training_step(other)} {b.step:,}."
    return sentence


def _place(snapshot: Snapshot) -> tuple[int, object]:
    return snapshot.step, (snapshot.moment.kind, snapshot.moment.layer) if snapshot.moment is not None else None


def _same_weights(a: Snapshot, b: Snapshot) -> str:
    """Of which layers the first weights are the same; each layer draws its own from the seed and its number."""
    if any(a.spec.get(path) != b.spec.get(path) for path in _WEIGHTS):
        return ""
    shapes = [[(info.fan_in, info.units) for info in side.architecture.layers] for side in (a, b)]
    if shapes[0] == shapes[1]:
        return "first weights"
    if a.architecture.recurrent:
        return ""
    same = 0
    for one, other in zip(*shapes, strict=False):
        if one != other:
            break
        same += 1
    return f"first weights in {'L1' if same == 1 else f'L1 to L{same}'}" if same else ""


def changed_while_running(a: HistoryTable | None, b: HistoryTable | None) -> str:
    """Which settings of a side have not been in force from its first step on: "B changed at step 120: Activation: …"."""
    said = []
    for side, history in zip(SIDES, (a, b), strict=True):
        late = [change for change in history.changes if change[0] > 0] if history is not None else []
        if late:
            step, what = late[-1]
            said.append(f"{side} changed at step {step:,}: {what}.")
    return " ".join(said)
