"""Where the page of two runs is looked at, taken for a session and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gradviz.view import CompareView, NetView

from ..canvas.place import raw_place, selection_in, show_place

if TYPE_CHECKING:
    from ..compare_page import ComparePage


def seen_of(page: ComparePage) -> CompareView:
    """What is selected and how close it is looked at, on both sides; the rest is not the page's."""
    a, b = (msgspec.convert(raw_place(net), NetView) for net in page.nets)
    return CompareView(nets=(a, b), scroll=page.scrolled.verticalScrollBar().value())


def show_seen(page: ComparePage, view: CompareView) -> None:
    """Look at both runs in this way; what their nets do not have is left out."""
    for side, seen in zip(page.sides.values(), view.nets, strict=True):
        if side.snapshot is not None:
            show_place(side.net, len(side.snapshot.architecture.layers), seen)
            side.mark(selection_in(side.snapshot, seen))
    page.scrolled.verticalScrollBar().setValue(view.scroll)
