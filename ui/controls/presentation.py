"""Which input stands for which field: by the kind of the field, and for a few by the hints of one small table."""

from __future__ import annotations

from dataclasses import dataclass

from gradviz.spec import FieldInfo

from .choices import GlyphGrid, ListInput, Segments, Switch
from .input import Input
from .numbers import SeedInput, SliderInput, Stepper
from .texts import EntriesInput, FileInput, PerLayerInput, TextInput, WeightsInput

BESIDE, BENEATH = 140, 240  # pixels an input has beside its title, and beneath it, in a dock of usual width
BESIDE_NARROW = 120  # in the narrowest one; a list whose titles need more stands beneath its title
MOST_SEGMENTS = 4
GROUPS = {"advanced": "Advanced", "stop": "Stop"}
CLOSED = ("Advanced", "Stop")  # at first


@dataclass(frozen=True)
class Hint:
    """How a field is shown where its kind alone does not say it well."""

    input: str = ""
    reach: tuple[float, float] | None = None  # what a slider spans; the whole range can be typed
    step: int = 1
    zero: str = ""  # what 0 is called
    titled: bool = True
    group: str = ""


HINTS: dict[str, Hint] = {
    "data.name": Hint(titled=False),
    "data.samples": Hint("slider"),
    "data.lag": Hint("slider"),
    "data.path": Hint("file"),
    "network.activation": Hint("glyphs"),
    "network.gain": Hint(reach=(0.01, 100.0)),
    "network.skip_every": Hint("few", zero="Off"),
    "network.weights_from": Hint("weights"),
    "network.widths": Hint(group="Advanced"),
    "network.activations": Hint(group="Advanced"),
    "training.learning_rate": Hint(reach=(1e-5, 10.0)),
    "training.weight_decay": Hint(reach=(1e-6, 1.0)),
    "training.clip_threshold": Hint(reach=(1e-3, 1e3)),
    "training.seed": Hint("seed"),
    "training.truncate": Hint(zero="off"),
    "training.stop_after": Hint(step=100, zero="never"),
}


def hint_for(info: FieldInfo) -> Hint:
    return HINTS.get(info.path, Hint())


def group_of(info: FieldInfo) -> str:
    """Title of the group in which the field stands."""
    return hint_for(info).group or GROUPS.get(info.group, info.section.capitalize())


def make_input(info: FieldInfo) -> Input:
    """The input that suits the field."""
    hint = hint_for(info)
    choices: tuple[tuple[object, str], ...] = info.choices
    if hint.input == "glyphs":
        return GlyphGrid(info.choices)
    if hint.input == "seed":
        return SeedInput(info)
    if hint.input == "few":
        return Segments(((0, hint.zero or "0"), (1, "1"), (2, "2"), (3, "3")), rest=info)
    if hint.input == "file":
        return FileInput()
    if hint.input == "weights":
        return WeightsInput()
    if info.kind in ("ints", "choices"):
        return PerLayerInput(info)
    if info.kind == "choice":
        needed = Segments.width_of(choices)
        if len(choices) > MOST_SEGMENTS or needed > BENEATH:
            listed = ListInput(info.choices)
            listed.wide = hint.titled and ListInput.width_of(info.choices) > BESIDE_NARROW
            return listed
        segments = Segments(choices)
        segments.wide = needed > BESIDE
        return segments
    if info.kind == "bool":
        return Switch()
    if info.kind == "entries":
        return EntriesInput()
    if info.kind == "text":
        return TextInput()
    if info.kind == "int" and hint.input != "slider":
        return Stepper(info, hint.step, hint.zero)
    return SliderInput(info, hint.reach)
