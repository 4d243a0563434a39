"""What differs between two specs, in words."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath
from typing import Any, NamedTuple

from gradviz.spec import FieldInfo, Spec, all_fields


class Difference(NamedTuple):
    """One field that differs between two specs: its dotted name, its title, and both values in words."""

    path: str
    title: str
    before: str
    after: str


def differences(before: Spec, after: Spec) -> tuple[Difference, ...]:
    """The fields that differ between two specs and mean something in one of them, in the order in which controls show them."""
    return tuple(
        Difference(info.path, info.title, value_in_words(info, before.get(info.path)), value_in_words(info, after.get(info.path)))
        for info in all_fields()
        if before.get(info.path) != after.get(info.path) and (before.counts(info.path) or after.counts(info.path))
    )


def describe_change(before: Spec, after: Spec, without: Collection[str] = ()) -> str:
    """What differs between two specs, in words; ``without`` these fields, by their dotted names."""
    parts = []
    for info in all_fields():
        old, new = before.get(info.path), after.get(info.path)
        if old != new and info.path not in without:
            if info.kind == "entries":
                parts.append("; ".join(entry for entry in new if entry not in old) or f"{info.title}: none")
                continue
            parts.append(f"{info.title}: {value_in_words(info, old)} → {value_in_words(info, new)}")
    return "; ".join(parts)


def value_in_words(info: FieldInfo, value: Any) -> str:
    """The value of a field as it is told."""
    if info.kind == "entries":
        return "; ".join(value) or "none"
    if info.path == "network.weights_from":
        return PurePath(value).name or "drawn"
    return dict(info.choices).get(value, _shown(value))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "per layer"
    if value is None:
        return "same in all layers"
    return f"{value:g}" if isinstance(value, float) else str(value)
