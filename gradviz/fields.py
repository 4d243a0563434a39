"""What a field of the spec knows about itself: title, range, choices, help; and the check that follows from it.

The window builds its controls and the command line its errors from these descriptions, so that a knob is one field.
"""

from __future__ import annotations

import math
import re
import reprlib
import types
import typing
from typing import Any

import msgspec
import numpy as np
from msgspec import Meta

PARAMETER = r"(?:layer\d{2,4}|cell|out)\.(?:weight|input_weight|recurrent_weight|bias|scale|shift|alpha)"
Needs = tuple[tuple[str, tuple[str, ...]], ...]
"""Conditions that must all hold: another field's path, and its values for which this field counts."""

ENTRY = re.compile(rf"({PARAMETER})\[(\d{{1,4}})(?:,\s?(\d{{1,4}}))?\]\s*=\s*(\S{{1,40}})")


class SpecError(ValueError):
    """A setting that cannot be accepted.

    Attributes:
        field: dotted name, such as ``network.depth``.
        value: what was given.
        allowed: what would be accepted, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(f"{field} is {_shortened(value)}; allowed: {allowed}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (SpecError, (self.field, self.value, self.allowed))


_REPR = reprlib.Repr()  # does not write out what is shortened afterwards: a value may be as large as a file
_REPR.maxlevel, _REPR.maxlist, _REPR.maxtuple, _REPR.maxdict = 4, 40, 40, 40
_REPR.maxstring, _REPR.maxlong, _REPR.maxother = 200, 200, 200


def _shortened(value: object) -> str:
    text = _REPR.repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def number(
    title: str,
    help: str,
    minimum: float,
    maximum: float,
    *,
    unit: str = "",
    log: bool = False,
    restarts: bool = False,
    group: str = "",
    needs: Needs = (),
) -> Meta:
    return Meta(
        title=title,
        description=help,
        ge=minimum,
        le=maximum,
        extra={"unit": unit, "log": log, "restarts": restarts, "group": group, "needs": needs},
    )


def choice(
    title: str,
    help: str,
    table: typing.Mapping[str, Any],
    *,
    restarts: bool = False,
    group: str = "",
    needs: Needs = (),
) -> Meta:
    return Meta(
        title=title,
        description=help,
        extra={"table": table, "restarts": restarts, "group": group, "needs": needs},
    )


def plain(title: str, help: str, **extra: Any) -> Meta:
    return Meta(title=title, description=help, extra=extra)


class FieldInfo(msgspec.Struct, frozen=True):
    """What a control needs to know about one field of the spec."""

    section: str  # "network", "data" or "training"
    name: str
    title: str
    help: str
    # "int", "float", "bool", "choice", "text", "entries" (parameters with a value), "ints" or "choices" (the last two: one per
    # layer, or None)
    kind: str
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    log: bool = False  # the range spans decades: a logarithmic slider suits it
    choices: tuple[tuple[str, str], ...] = ()  # (value, title)
    restarts: bool = False  # changing it restarts the run from the same seed
    group: str = ""  # "", "advanced" or "stop"
    needs: Needs = ()  # where it counts, see `Spec.counts`

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"


_FIELDS: dict[type, tuple[FieldInfo, ...]] = {}


def fields_of(struct: type) -> tuple[FieldInfo, ...]:
    """The fields of `NetworkSpec`, `DataSpec` or `TrainingSpec`, in the order in which controls show them."""
    if struct not in _FIELDS:
        hints = typing.get_type_hints(struct, include_extras=True)
        _FIELDS[struct] = tuple(
            _describe(_section_name(struct), item, hints[item.name]) for item in msgspec.structs.fields(struct)
        )
    return _FIELDS[struct]


def _section_name(struct: type) -> str:
    return {"NetworkSpec": "network", "DataSpec": "data", "TrainingSpec": "training"}[struct.__name__]


def _describe(section: str, item: msgspec.structs.FieldInfo, hint: Any) -> FieldInfo:
    meta: Meta = hint.__metadata__[0]
    extra = dict(meta.extra or {})
    table = extra.get("table")
    base = hint.__origin__
    per_layer = isinstance(base, types.UnionType)
    if per_layer:
        kind = "choices" if table is not None else "ints"
    elif table is not None:
        kind = "choice"
    else:
        kind = {int: "int", float: "float", bool: "bool", str: "text", tuple: "entries"}[typing.get_origin(base) or base]
    low, high = extra.get("each", (meta.ge, meta.le))
    return FieldInfo(
        section=section,
        name=item.name,
        title=str(meta.title),
        help=str(meta.description),
        kind=kind,
        default=item.default,
        minimum=low,
        maximum=high,
        unit=extra.get("unit", ""),
        log=extra.get("log", False),
        choices=tuple((key, entry if isinstance(entry, str) else entry.title) for key, entry in (table or {}).items()),
        restarts=extra.get("restarts", False),
        group=extra.get("group", ""),
        needs=extra.get("needs", ()),
    )


def without_numpy(value: Any) -> Any:
    """The value with Python's own numbers in place of NumPy's, which JSON does not know; also those in a list."""
    if isinstance(value, (tuple, list)):
        entries = [entry.item() if isinstance(entry, np.generic) else entry for entry in value]
        return entries if isinstance(value, list) else tuple(entries)
    return value.item() if isinstance(value, np.generic) else value


def check(info: FieldInfo, value: object) -> None:
    """Raise `SpecError` unless the field accepts the value."""
    if info.kind in ("ints", "choices"):
        if value is None:
            return
        if not isinstance(value, (tuple, list)):
            raise SpecError(info.path, value, f"a list with one entry per hidden layer ({_allowed(info)}), or null")
        for number, entry in enumerate(value, 1):
            if not _accepts(info, "int" if info.kind == "ints" else "choice", entry):
                raise SpecError(info.path, entry, f"for layer {number}, {_allowed(info)}")
    elif info.kind == "entries":
        _check_entries(info, value)
    elif not _accepts(info, info.kind, value):
        raise SpecError(info.path, value, _allowed(info))


def _check_entries(info: FieldInfo, value: object) -> None:
    if not isinstance(value, (tuple, list)):
        raise SpecError(info.path, value, f"a list of {_allowed(info)}")
    for entry in value:
        if not isinstance(entry, str) or parse_entry(entry) is None:
            raise SpecError(info.path, entry, _allowed(info))


def parse_entry(entry: str) -> tuple[str, tuple[int, ...], float] | None:
    """Name, index and value of a text such as ``layer01.weight[0,0] = 2.5``; None when it is not one."""
    found = ENTRY.fullmatch(entry.strip())
    if found is None:
        return None
    name, row, column, number = found.groups()
    try:
        value = float(number)
    except ValueError:
        return None
    return (name, tuple(int(index) for index in (row, column) if index is not None), value) if math.isfinite(value) else None


def _accepts(info: FieldInfo, kind: str, value: object) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str)
    if kind == "choice":
        return isinstance(value, str) and value in dict(info.choices)
    if isinstance(value, bool) or not isinstance(value, int if kind == "int" else (int, float)):
        return False
    assert info.minimum is not None and info.maximum is not None, "every number has a range"
    return info.minimum <= value <= info.maximum  # NaN is in no range


def _allowed(info: FieldInfo) -> str:
    if info.choices:
        return ", ".join(value for value, _ in info.choices)
    if info.kind == "bool":
        return "true or false"
    if info.kind == "text":
        return "text"
    if info.kind == "entries":
        return "texts such as “layer01.weight[0,0] = 2.5” (unit before, unit; counted from 0) or “layer01.bias[0] = 1”"
    whole = "a whole number" if info.kind in ("int", "ints") else "a number"
    return f"{whole} from {info.minimum:g} to {info.maximum:g}"


class Validated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Checks every field against its own metadata, however the record is made."""

    def __post_init__(self) -> None:
        for info in fields_of(type(self)):
            value = without_numpy(getattr(self, info.name))
            check(info, value)
            # a frozen record holds a tuple, though a list is accepted
            msgspec.structs.force_setattr(self, info.name, tuple(value) if isinstance(value, list) else value)
