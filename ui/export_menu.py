"""The export menu: pictures, numbers and the clipboard, for any panel, the figure and the whole window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRectF, QSettings, QSizeF, Qt
from PySide6.QtGui import QAction, QActionGroup, QPainter
from PySide6.QtWidgets import QFileDialog, QMenu

from . import export
from .compare.words import SIDES
from .export import Drawable, ExportError
from .figure import Figure
from .movie_formats import FORMATS
from .panels.panel import Panel, Table
from .theme import Theme

if TYPE_CHECKING:
    from .compare_page import ComparePage
    from .film import Settings
    from .live_run import LiveRun
    from .main_window import MainWindow
    from .movie_dialog import MovieDialog

COMPARED_SIZE = QSizeF(1600, 1000)
NETS = {
    "weights": (".safetensors", "Weights", " (safetensors)"),
    "numpy": (".py", "NumPy source", ""),
    "torch": (".py", "PyTorch source", ""),
}
SCALES = (1, 2, 3, 4)
FIGURE_SIZE = QSizeF(1600, 900)
GONE = "Nothing was saved: what is shown has changed since. Choose it again."
PICTURE_FILTER = "SVG, true vectors (*.svg);;PDF, true vectors (*.pdf);;PNG (*.png)"


class WindowPicture:
    """The whole window as something that can be exported."""

    title = "Window"

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.theme: Theme = window.theme

    def paint_to(self, painter: QPainter, area: QRectF) -> None:
        window = self._window
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / window.width(), area.height() / window.height())
        compared = window.export_menu.compared
        nets = (window.canvas,) if compared is None else compared.page.nets
        for net in nets:
            net.true_lines = True
        try:
            window.render(painter, QPoint())
        finally:
            for net in nets:
                net.true_lines = False
        painter.restore()


@dataclass(frozen=True)
class Compared:
    """What is exported while two runs are compared: the page, and by what settings each of the runs can be done again."""

    page: ComparePage
    settings: Callable[[], tuple[Settings, Settings]]
    run_of: Callable[[str], LiveRun]  # side -> its run


class ExportMenu(QMenu):
    """Asks where to, writes, and says what came of it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.movie: MovieDialog | None = None
        self.compared: Compared | None = None  # while the window shows two runs
        self._figure: Figure | None = None  # made when it is first wanted, and never shown
        self.scale = int(str(QSettings().value("export/scale", 2)))
        self._add("Save figure…", lambda: self.save_picture("figure"))
        self._add("Save window…", lambda: self.save_picture("window"))
        self._pictures = self.addMenu("Save panel")
        self._animation = self._add("Save animation…", self.save_animation)
        self._numbers = self.addMenu("Save numbers")
        self._nets = self.addMenu("Save net")
        self.addSeparator()
        self._add("Copy figure", self.copy_figure)
        self._add("Copy window", self.copy_window)
        self._copies = self.addMenu("Copy numbers")
        self.addSeparator()
        self._add_scales()
        self.aboutToShow.connect(self.list_panels)

    def list_panels(self) -> None:
        """Offer the panels that can be exported now: of the lab and the lessons what is in front."""
        self._animation.setEnabled(self._window.run.snapshot is not None)
        for menu in (self._pictures, self._numbers, self._copies, self._nets):
            menu.clear()
        for side in SIDES if self.compared is not None else ("",):
            self._nets.addSeparator()  # the first one is not shown
            for kind, (_, words, detail) in NETS.items():
                self._add(f"{words}{f' of {side}' if side else ''}{detail}…", partial(self.save_net, kind, side), self._nets)
        if self.compared is not None:
            self._add("Both runs, step by step…", partial(self.save_numbers, "compare"), self._numbers)
            self._add("Both runs, step by step", partial(self.copy_numbers, "compare"), self._copies)
        for panel in self.offered_panels():
            self._add(f"{panel.full_title}…", partial(self.save_picture, panel.name), self._pictures)
            self._add(f"{panel.full_title}…", partial(self.save_numbers, panel.name), self._numbers)
            self._add(panel.full_title, partial(self.copy_numbers, panel.name), self._copies)

    def offered_panels(self) -> tuple[Panel, ...]:
        """The panels that can be exported now: those of the two runs while these are compared."""
        return self._window.exported_panels() if self.compared is None else self.compared.page.panels

    def _add(self, text: str, action: Callable[[], object], menu: QMenu | None = None) -> QAction:
        added = (menu or self).addAction(text)
        added.triggered.connect(lambda _=False: action())
        return added

    def _add_scales(self) -> None:
        menu = self.addMenu("Pixels of a PNG")
        group = QActionGroup(menu)
        for scale in SCALES:
            choice = self._add(f"{scale}×", partial(self._set_scale, scale), menu)
            choice.setCheckable(True)
            choice.setChecked(scale == self.scale)
            group.addAction(choice)

    def _set_scale(self, scale: int) -> None:
        self.scale = scale
        QSettings().setValue("export/scale", scale)

    def drawable(self, name: str) -> tuple[Drawable, QSizeF]:
        """What is exported under this name, and its size in logical pixels; while two runs are compared, the figure shows both."""
        window = self._window
        if name == "window":
            return WindowPicture(window), QSizeF(window.size())
        if name == "figure" and self.compared is not None:
            return self.compared.page, COMPARED_SIZE
        if name == "figure":
            if self._figure is None:
                self._figure = Figure(window)
            self._figure.set_theme(window.theme)
            self._figure.set_theory(window.profile.show_theory)
            if window.run.snapshot is not None:
                self._figure.show_snapshot(window.run.snapshot)
            return self._figure, FIGURE_SIZE
        panel = self._panel(name)
        return panel, window.picture_size(panel)

    def _panel(self, name: str) -> Panel:
        """Raises `ExportError` for one that is not there any more: a comparison may end while its panel is being asked for."""
        panels = self._window.panels if self.compared is None else self.compared.page.panels
        panel = next((panel for panel in panels if panel.name == name), None)
        if panel is None:
            raise ExportError(GONE)
        if self.compared is None and self._window.run.snapshot is not None:
            panel.show_snapshot(self._window.run.snapshot)  # a hidden panel has missed the last ones
        return panel

    def save_picture(self, name: str) -> None:
        path = self._ask_path(f"Save {name}", f"gradviz-{name}.svg", PICTURE_FILTER)
        if path is not None:
            self.write_picture(name, path)

    def write_picture(self, name: str, path: Path) -> bool:
        """Write without asking; tells what came of it and returns whether it worked."""

        def write() -> None:
            drawable, size = self.drawable(name)
            export.export_picture(drawable, path, size, self.scale, self._description())

        return self._tell(f"Saved {path.name} in {path.parent}.", write)

    def save_animation(self) -> None:
        """Open the dialog for pictures that move, or bring it to the front."""
        if self.movie is None:
            from .movie_dialog import MovieDialog

            self.movie = MovieDialog(self._window, self._ask_animation_path)
            self.movie.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.movie.destroyed.connect(self._forget_movie)
        self.movie.show()
        self.movie.raise_()

    def _forget_movie(self) -> None:
        self.movie = None

    def _ask_animation_path(self, title: str, suffix: str) -> Path | None:
        kind = next(form for form in FORMATS if form.suffix == suffix)
        return self._ask_path(title, f"gradviz{suffix}", f"{kind.title} (*{suffix})")

    def end(self) -> None:
        """Let what is still being written end, without waiting for it; `stop` does that."""
        if self.movie is not None:
            self.movie.end()

    def stop(self) -> None:
        """End what is still being written."""
        if self.movie is not None:
            self.movie.stop()

    def save_numbers(self, name: str) -> None:
        path = self._ask_path("Save numbers", f"gradviz-{name}.csv", "CSV (*.csv);;NumPy (*.npz)")
        if path is not None:
            self.write_numbers(name, path)

    def write_numbers(self, name: str, path: Path) -> bool:
        """Write without asking; tells what came of it and returns whether it worked."""
        return self._tell(f"Saved {path.name} in {path.parent}.", lambda: export.export_numbers(self._table(name), path))

    def save_net(self, kind: str, side: str = "") -> None:
        """Ask where to; the engine writes, and what came of it is told. While two runs are compared, the net of this ``side``."""
        if bool(side) != (self.compared is not None):
            self._window.tell("notice", GONE)
            return
        ending, words, _ = NETS[kind]
        title, name = (f"Save net of {side}", f"gradviz-net-{side.lower()}") if side else ("Save net", "gradviz-net")
        path = self._ask_path(title, f"{name}{ending}", f"{words} (*{ending})")
        if path is not None:
            run = self._window.run if self.compared is None else self.compared.run_of(side)
            run.save_net(kind, path)

    def copy_figure(self) -> None:
        export.copy_picture(*self.drawable("figure"), self.scale)
        self._window.tell("notice", "The figure is on the clipboard.")

    def copy_window(self) -> None:
        export.copy_picture(*self.drawable("window"), self.scale)
        self._window.tell("notice", "The window is on the clipboard.")

    def copy_numbers(self, name: str) -> None:
        self._tell("The numbers are on the clipboard, ready for a spreadsheet.", lambda: export.copy_numbers(self._table(name)))

    def _table(self, name: str) -> Table:
        return self.compared.page.table() if self.compared is not None and name == "compare" else self._panel(name).table()

    def _description(self) -> str:
        if self.compared is not None and self.compared.page.pair is not None:
            return export.description(*self.compared.page.pair)
        snapshot = self._window.run.snapshot
        return "" if snapshot is None else export.description(snapshot)

    def _tell(self, done: str, write: Callable[[], None]) -> bool:
        try:
            write()
        except ExportError as error:
            self._window.tell("error", str(error))
            return False
        self._window.tell("notice", done)
        return True

    def _ask_path(self, title: str, suggestion: str, kinds: str) -> Path | None:
        """None when nothing is to be saved, or a comparison began or ended meanwhile, so that it would be of another run: that is told."""
        compared = self.compared
        folder = Path(str(QSettings().value("export/folder", str(Path.home()))))
        name, kind = QFileDialog.getSaveFileName(self._window, title, str(folder / suggestion), kinds)
        if not name:
            return None
        if self.compared is not compared:
            self._window.tell("notice", GONE)
            return None
        path = Path(name)
        if not path.suffix:
            path = path.with_suffix(kind[kind.index("*") + 1 : kind.index(")")])
        QSettings().setValue("export/folder", str(path.parent))
        return path
