"""Where a network is looked at: what is selected, how close, and where it is scrolled to; taken for a session and given back."""

from __future__ import annotations

import dataclasses

from gradviz.snapshot import Snapshot
from gradviz.view import NetView, View

from ..selection import Selection
from .columns import Columns
from .picking import exists
from .scene import NetworkCanvas

MOST_ZOOM, MOST_SCROLL = 1000.0, 10_000.0


def raw_place(net: NetworkCanvas) -> dict[str, object]:
    """The fields of a `NetView`, which a `View` has as well."""
    columns, selection = net.columns, net.selection
    return {
        "selection": None if selection is None else dataclasses.asdict(selection),
        "zoom": min(MOST_ZOOM, columns.zoom),
        "scroll": min(MOST_SCROLL, columns.offset / columns.pitch),
    }


def show_place(net: NetworkCanvas, layers: int, view: NetView | View) -> None:
    """Look as close, at the same columns."""
    width = net.columns.width
    columns = Columns(width, layers, min(view.zoom, Columns(width, layers).largest_zoom))
    net.set_columns(columns.scrolled(view.scroll * columns.pitch))


def selection_in(snapshot: Snapshot, view: NetView | View) -> Selection | None:
    """What is selected, if this net has it."""
    picked = view.selection
    selection = None if picked is None else Selection(picked.kind, picked.layer, picked.unit, picked.source)
    return selection if selection is not None and exists(selection, snapshot) else None
