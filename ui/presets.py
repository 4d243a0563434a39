"""The presets: one file each in resources/presets, found by listing the folder."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from gradviz.nesting import decode_json
from gradviz.resources import RESOURCES
from gradviz.spec import Spec, SpecError

from .selection import Selection


@dataclass(frozen=True)
class Preset:
    """A spec with a name for the command line, a title for the menu and a sentence that says what to look at."""

    name: str
    title: str
    description: str
    order: int  # the hundreds are those of its group
    group: str  # the heading it stands under in the menu
    spec: Spec
    speed: float | None = None  # steps per second that suit it; None for unlimited
    paused: bool = False  # to be stepped through, not played
    page: str = ""  # of the right dock, to be brought to the front
    select: Selection | None = None
    against: Spec | None = None  # of the second side, for a preset that compares two runs


def read_preset(path: Path) -> Preset:
    """Read a preset file; raises SpecError for one that is not as it must be."""
    try:
        raw = decode_json(path.read_bytes())
        spec = Spec.from_dict(raw["spec"])
        return Preset(
            name=path.stem,
            title=str(raw["title"]),
            description=str(raw["description"]),
            order=int(raw["order"]),
            group=str(raw["group"]),
            spec=spec,
            speed=raw.get("speed"),
            paused=raw.get("paused", False),
            page=raw.get("page", ""),
            select=Selection(*raw["select"]) if "select" in raw else None,
            against=_changed(spec, raw["against"]) if "against" in raw else None,
        )
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise SpecError(f"the preset {path.name}", str(error), "an object with title, description, group, order and spec") from None


def _changed(spec: Spec, changes: dict[str, object]) -> Spec:
    """The spec with these fields changed, by their dotted names."""
    for path, value in changes.items():
        spec = spec.replace(path, tuple(value) if isinstance(value, list) else value)
    return spec


@functools.cache
def presets() -> tuple[Preset, ...]:
    """All presets in the order of the lecture."""
    found = [read_preset(path) for path in sorted((RESOURCES / "presets").glob("*.json"))]
    return tuple(sorted(found, key=lambda preset: preset.order))


def preset_named(name: str) -> Preset:
    """The preset of that name; case, spaces and underscores do not matter.

    Raises:
        SpecError: listing the names there are.
    """
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    for preset in presets():
        if preset.name == wanted:
            return preset
    raise SpecError("the preset", name, ", ".join(preset.name for preset in presets()))
