"""How a run is looked at, taken from the window for a session file and given back to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtWidgets import QSplitter

from gradviz.view import View

from .canvas.columns import Columns
from .canvas.picking import exists
from .selection import Selection

if TYPE_CHECKING:
    from .main_window import MainWindow

MOST_ZOOM, MOST_SCROLL = 1000.0, 10_000.0


def view_of(window: MainWindow) -> View:
    """What is in front, what is selected, where the network is scrolled to, and how the window is divided."""
    if window.compare is not None:
        return window.compare.view
    columns, selection = window.canvas.columns, window.canvas.selection
    raw = {
        "page": window.dock.page,
        "lab": window.lab.view if window.lab is not None else "",
        "lab_layer": window.run.look.lab_layer if window.lab is not None else 0,
        "lab_view": _raw_lab(window),
        "held": msgspec.to_builtins(window.run.snapshot.held) if window.run.snapshot is not None else {},
        "all_paths": window.dock.page == "chain" and window.chain.ladder.all_paths,
        "left_page": window.left.page,
        "lesson": window.lesson.lesson.name if window.lesson is not None and window.lesson.lesson is not None else "",
        "left": window.left.isVisibleTo(window),
        "right": window.dock.isVisibleTo(window),
        "selection": None if selection is None else dataclasses.asdict(selection),
        "example": window.run.look.example,
        "zoom": min(MOST_ZOOM, columns.zoom),
        "scroll": min(MOST_SCROLL, columns.offset / columns.pitch),
        "speed": window.speed,
        "playing": window.run.will_play,
        "body": tuple(window.body.sizes()),
        "centre": tuple(window.centre.sizes()),
        "overview": tuple(window.overview.sizes()),
    }
    return msgspec.convert(raw, View)


def show_view(window: MainWindow, view: View) -> None:
    """Look at the run of the window in this way; what it does not have (a layer, an example) is left out."""
    window.left.setVisible(view.left)
    window.dock.setVisible(view.right)
    for splitter, sizes in ((window.body, view.body), (window.centre, view.centre), (window.overview, view.overview)):
        _divide(splitter, sizes)
    window.left.show_page(view.left_page)
    window.dock.show_page(view.page)
    if window.lesson is not None and view.left_page == "lesson":
        window.lesson.show_named(view.lesson)
    if view.page == "chain":
        window.chain.show_all_paths(view.all_paths)
    window.set_speed(view.speed)
    snapshot = window.run.snapshot
    if snapshot is None:
        return
    window.canvas.show_snapshot(snapshot)  # hidden, it may still stand at another net, which these columns do not fit
    layers = len(snapshot.architecture.layers)
    columns = Columns(window.canvas.columns.width, layers)
    columns = Columns(columns.width, layers, min(view.zoom, columns.largest_zoom))
    window.canvas.set_columns(columns.scrolled(view.scroll * columns.pitch))
    picked = view.selection
    selection = None if picked is None else Selection(picked.kind, picked.layer, picked.unit, picked.source)
    window.select(selection if selection is not None and exists(selection, snapshot) else None)
    if window.lab is not None:
        from .lab_view import show_lab_view  # loaded with the lab, not with the window

        show_lab_view(window, window.lab, view)
    window.look_at_example(view.example if view.example is not None and view.example < snapshot.batch else None)
    window.look(held=view.held)
    window.status.fit()


def _raw_lab(window: MainWindow) -> dict[str, object]:
    if window.lab is None:
        return {}
    from .lab_view import raw_lab_view

    return raw_lab_view(window, window.lab)


def _divide(splitter: QSplitter, sizes: tuple[int, ...]) -> None:
    if len(sizes) != splitter.count() or not any(sizes):
        return
    now = splitter.sizes()
    splitter.setSizes([size or now[n] for n, size in enumerate(sizes)])  # 0: it was hidden
