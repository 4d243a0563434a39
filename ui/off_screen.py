"""What a picture is taken of without a screen: a view of a moment, on its own or in a window laid out off the screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QMessageLogContext, QSizeF, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QWidget

from gradviz.snapshot import Snapshot
from gradviz.spec import Spec
from gradviz.view import View

from . import export
from .canvas.scene import NetworkCanvas
from .compare.seen import show_seen
from .panels import LAB, lab_panels, panels
from .panels.panel import Panel, Table
from .presets import Preset
from .selection import Selection
from .session_view import show_view
from .theme import THEMES

if TYPE_CHECKING:
    from .compare_page import ComparePage

SIZES = {
    "window": (1600, 1000),
    "network": (976, 416),
    "gradients": (976, 220),
    "timeline": (976, 282),
    "prediction": (360, 360),
    "figure": (1600, 900),
    "compare": (1600, 1000),
}  # the chain rule and the lab are as high as what they hold


class OffScreen:
    """One view in one size; moments are shown on it one after another. It needs a QApplication."""

    def __init__(
        self,
        view: str,
        theme: str,
        spec: Spec,
        size: tuple[int, int] | None = None,
        *,
        preset: Preset | None = None,
        page: str = "",
        selection: Selection | None = None,
        seen: View | None = None,
    ) -> None:
        """``page`` of the right dock and the selection are those of a window, or ``seen`` is how a session looks at its run.

        ``size`` is in logical pixels, None for a good one.
        """
        self.size = QSizeF(*(size or SIZES.get(view, (0, 0))))
        self.drawable: export.Drawable
        self._selection, self._seen = selection, seen
        self._owner: QWidget
        self._panel: Panel | None = None
        self._page: ComparePage | None = None
        if view == "compare":
            from .compare_page import ComparePage

            self._page = ComparePage()
            self._page.set_theme(THEMES[theme])
            self._page.set_motion("off")
            self.drawable = self._owner = self._page
        elif view == "window":
            from .export_menu import WindowPicture
            from .main_window import MainWindow

            self._window = MainWindow(spec, theme=theme, preset=preset, live=False)
            self._window.canvas.set_motion("off")  # a picture shows a moment, not the way to it
            self._window.resize(self.size.toSize())
            if page:
                self._window.dock.show_page(page)
            self.drawable, self._owner = WindowPicture(self._window), self._window
        else:
            self._panel = _panel(view)
            self._panel.set_theme(THEMES[theme])
            self.drawable = self._owner = self._panel

    def show(self, snapshot: Snapshot, other: Snapshot | None = None) -> None:
        """Show this moment; two runs are compared with that of the ``other`` one."""
        if self._page is not None:
            assert other is not None, "a comparison is of two runs"
            self._page.show_pair(snapshot, other)
            if self._seen is not None and self._seen.compare is not None:
                show_seen(self._page, self._seen.compare)
            return
        if self._panel is None:
            self._window.show_still(snapshot)
            if self._selection is not None:
                self._window.select(self._selection)
                self._selection = None
            if self._seen is not None:
                show_view(self._window, self._seen)
                QCoreApplication.processEvents()
            return
        self._panel.show_snapshot(snapshot)
        if self._selection is not None and isinstance(self._panel, NetworkCanvas):
            self._panel.select(self._selection)
            self._selection = None
        if self.size.isEmpty():
            self.size = self._panel.whole_size() or self._panel.sizeHint().toSizeF()

    def table(self) -> Table:
        """The numbers of the panel that is shown.

        Raises:
            ValueError: for the whole window, which has no table of its own.
        """
        if self._page is not None:
            return self._page.table()
        if self._panel is None:
            raise ValueError("a window has no numbers of its own; its panels have")
        return self._panel.table()

    def close(self) -> None:
        """Take it all down."""
        self._owner.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _panel(view: str) -> Panel:
    if view == "figure":
        from .figure import Figure

        return Figure()
    kinds: tuple[type[Panel], ...] = lab_panels() if view in LAB else (NetworkCanvas, *panels())
    return next(kind for kind in kinds if kind.name == view)()


@contextmanager
def without_complaints() -> Iterator[None]:
    """Meanwhile Qt does not print that its platform without a screen "does not support" what only a screen has."""

    def tell(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if message.startswith("This plugin does not support "):
            return
        if before is not None:
            before(kind, context, message)
        else:
            sys.stderr.write(f"{message}\n")

    before = qInstallMessageHandler(tell)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
