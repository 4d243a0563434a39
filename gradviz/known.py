"""What is worked out once for each data set, and forgotten with it.

A cache that kept the data sets too would hold those of runs that have gone: long sequences take tens of megabytes each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from gradviz.data import Data

Wanted = ParamSpec("Wanted")
Found = TypeVar("Found")


def once_per_data(make: Callable[Concatenate[Data, Wanted], Found]) -> Callable[Concatenate[Data, Wanted], Found]:
    """A cache for a function of a data set and of what else is hashable; what it returns must not refer to the data set."""
    known: WeakKeyDictionary[Data, dict[object, Found]] = WeakKeyDictionary()

    @wraps(make)
    def remembered(data: Data, /, *wanted: Wanted.args, **named: Wanted.kwargs) -> Found:
        found = known.setdefault(data, {})
        key = (wanted, tuple(sorted(named.items())))
        if key not in found:
            found[key] = make(data, *wanted, **named)
        return found[key]

    return cast(Callable[Concatenate[Data, Wanted], Found], remembered)  # the data set is given by its place, never by name
