"""What differs between two specs, in words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gradviz.spec import Spec, all_fields


def describe_change(before: Spec, after: Spec, without: Collection[str] = ()) -> str:
    """What differs between two specs, in words; ``without`` these fields, by their dotted names."""
    parts = []
    for info in all_fields():
        old, new = before.get(info.path), after.get(info.path)
        if old != new and info.path not in without:
            titles = dict(info.choices)
            if info.kind == "entries":
                parts.append("; ".join(entry for entry in new if entry not in old) or f"{info.title}: none")
                continue
            parts.append(f"{info.title}: {titles.get(old, _shown(old))} → {titles.get(new, _shown(new))}")
    return "; ".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "per layer"
    if value is None:
        return "same in all layers"
    return f"{value:g}" if isinstance(value, float) else str(value)
