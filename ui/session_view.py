"""How a run is looked at, taken from the window for a session file and given back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtWidgets import QSplitter

from gradviz.view import View

from .canvas.place import raw_place, selection_in, show_place

if TYPE_CHECKING:
    from .main_window import MainWindow


def view_of(window: MainWindow) -> View:
    """What is in front, what is selected, where the network is scrolled to, and how the window is divided."""
    if window.compare is not None:
        return window.compare.view
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
        "example": window.run.look.example,
        **raw_place(window.canvas),
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
        divide(splitter, sizes)
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
    show_place(window.canvas, layers, view)
    window.select(selection_in(snapshot, view))
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


def divide(splitter: QSplitter, sizes: tuple[int, ...]) -> None:
    """Give a splitter's parts these sizes; what was hidden, or is another splitter, keeps its own."""
    if len(sizes) != splitter.count() or not any(sizes):
        return
    now = splitter.sizes()
    splitter.setSizes([size or now[n] for n, size in enumerate(sizes)])  # 0: it was hidden
