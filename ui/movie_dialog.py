"""Asks which moments of the run are to move, and how they are saved; then shows how far it is, while the run in the window goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QIntValidator, QKeyEvent, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gradviz.snapshot import Look

from .film import PHASES_RATE, STEPS_RATE, Film, thinned
from .movie_formats import FORMATS, MOST_RATE, missing
from .movie_frames import HOLD_SECONDS
from .movie_process import MovieProcess, Report
from .panels import LAB

if TYPE_CHECKING:
    from .main_window import MainWindow

POLL_MILLISECONDS = 50
MOST_STEPS = 10**9
BYTES_PER_PIXEL = {".gif": 0.065, ".apng": 0.25, ".webp": 0.12, ".mp4": 0.02}  # of one frame, measured over the presets
STILL_VIEWS = ("network", "gradients", "timeline", "prediction", "chain", *LAB)  # the panels that can be painted on their own
PAGE = (360, 800)  # about what a panel takes that is as high as what it holds
CANCELLED = "The animation was cancelled. Nothing was written."
VIDEO = (1280, 720)  # logical pixels; a larger video shows the same, sharper


class WholeNumber(QLineEdit):
    """A field for a whole number; the arrow keys count up and down."""

    valueChanged = Signal(int)  # named as in Qt's own inputs of numbers

    def __init__(self, least: int, most: int = MOST_STEPS) -> None:
        super().__init__(str(least))
        self._least, self._most = least, most
        digits = QIntValidator(least, most, self)
        digits.setLocale(QLocale.c())
        self.setValidator(digits)
        self.textChanged.connect(lambda: self.valueChanged.emit(self.value()))

    def value(self) -> int:
        """The number; the least one while the field is empty."""
        text = self.text()
        return min(max(self._least, int(text)), self._most) if text.isdigit() else self._least

    def setValue(self, value: int) -> None:
        self.setText(str(min(max(self._least, value), self._most)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.setValue(self.value() + (1 if event.key() == Qt.Key.Key_Up else -1))
        else:
            super().keyPressEvent(event)


class MovieDialog(QDialog):
    """A small window beside which the run goes on; one animation at a time."""

    def __init__(self, window: MainWindow, ask_path: Callable[[str, str], Path | None]) -> None:
        """``ask_path`` is given a title and a suffix and asks for the file."""
        super().__init__(window)
        self._window, self._ask_path = window, ask_path
        self._process: MovieProcess | None = None
        self.setWindowTitle("Save animation")
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MILLISECONDS)
        self._timer.timeout.connect(self._on_tick)
        self._make_parts()
        self._lay_out()
        self._begin()

    # ---- assembling

    def _make_parts(self) -> None:
        self.view = QComboBox()
        self.kind = QComboBox()
        self.kind.addItem("Steps of the run", "steps")
        self.kind.addItem("Phases of one step", "phases")
        self.first, self.last, self.every = WholeNumber(0), WholeNumber(0), WholeNumber(1)
        self.step = WholeNumber(1)
        self.sizes = QComboBox()
        self.fps = WholeNumber(1, MOST_RATE)
        self.format = QComboBox()
        for number, form in enumerate(FORMATS):
            needed = missing(form.suffix)
            self.format.addItem(form.title if needed is None else f"{form.title}: pip install gradviz[video]", form.suffix)
            self.format.setItemData(number, needed or form.help, Qt.ItemDataRole.ToolTipRole)
            model = self.format.model()
            if needed is not None and isinstance(model, QStandardItemModel):
                model.item(number).setEnabled(False)
        self.format_help = QLabel()
        self.format_help.setWordWrap(True)
        self.format_help.setProperty("quiet", True)
        self.summary = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.hide()
        self.cancel_button = QPushButton("Cancel")
        self.save_button = QPushButton("Save…")
        self.save_button.setProperty("primary", True)
        self.save_button.setDefault(True)
        self.cancel_button.setAutoDefault(False)
        self.cancel_button.clicked.connect(self.reject)
        self.save_button.clicked.connect(self.save)
        self.view.currentIndexChanged.connect(self._list_sizes)
        self.kind.currentIndexChanged.connect(self._on_kind)
        for spin in (self.first, self.last, self.every, self.step, self.fps):
            spin.valueChanged.connect(self._summarise)
        for combo in (self.sizes, self.format):
            combo.currentIndexChanged.connect(self._summarise)

    def _lay_out(self) -> None:
        self._moments = QStackedWidget()
        self._moments.addWidget(_row(QLabel("From"), self.first, QLabel("to"), self.last, QLabel("every"), self.every))
        self._moments.addWidget(_row(QLabel("Of step"), self.step))
        self._choices = QWidget()
        grid = QGridLayout(self._choices)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(1, 320)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Picture", self.view),
            ("Moments", self.kind),
            ("", self._moments),
            ("Size", self.sizes),
            ("Pace", _row(self.fps, QLabel("frames per second"))),
            ("Format", self.format),
            ("", self.format_help),
        )
        for number, (title, field) in enumerate(rows):
            grid.addWidget(QLabel(title), number, 0)
            grid.addWidget(field, number, 1)
            if title:
                field.setAccessibleName(title)
        for number_field, title in ((self.first, "From step"), (self.last, "To step"), (self.every, "Every"), (self.step, "Of step")):
            number_field.setAccessibleName(title)
        self.fps.setAccessibleName("Frames per second")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addWidget(self._choices)
        column.addWidget(self.summary)
        column.addWidget(self.bar)
        column.addLayout(buttons)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    def _begin(self) -> None:
        """Offer the whole run so far, or the phases where one is walking through them."""
        snapshot = self._window.run.snapshot
        assert snapshot is not None, "the menu offers an animation only when there is something to see"
        if self._window.export_menu.compared is not None:
            self.view.addItem("Both runs", "compare")
        else:
            self.view.addItem("Figure", "figure")
            self.view.addItem("Window", "window")
            for panel in self._window.exported_panels():
                if panel.name in STILL_VIEWS:
                    self.view.addItem(panel.title, panel.name)
        steps = thinned(min(1, snapshot.last_step), snapshot.last_step)
        self.first.setValue(steps[0])
        self.last.setValue(steps[-1])
        self.every.setValue(max(1, steps[1] - steps[0]) if len(steps) > 1 else 1)
        moment = snapshot.moment
        self.step.setValue(moment.step if moment is not None else max(1, snapshot.step))
        self.fps.setValue(STEPS_RATE)
        self._list_sizes()
        self.kind.setCurrentIndex(0 if moment is None else 1)
        self._summarise()

    # ---- what is chosen

    def _list_sizes(self) -> None:
        window, view = self._window, self.view.currentData()
        self.sizes.clear()
        ratio = window.devicePixelRatioF()
        if view not in ("figure", "window", "compare"):
            panel = next(panel for panel in window.panels if panel.name == view)
            if panel.whole_size() is not None:
                self.sizes.addItem("All of it, as sharp as on screen", (None, ratio))
                self.sizes.addItem("All of it, twice as sharp", (None, 2 * ratio))
                return
            self._offer("As on screen", window.picture_size(panel).toSize().toTuple(), ratio)
        elif view == "window":
            self._offer("As on screen", window.size().toTuple(), ratio)
        self._offer("Small", VIDEO, 0.5 if view == "figure" else 0.75)
        self._offer("HD", VIDEO, 1.0)
        self._offer("Full HD", VIDEO, 1.5)
        self.sizes.setCurrentIndex(self.sizes.findText("HD", Qt.MatchFlag.MatchStartsWith))

    def _offer(self, title: str, size: tuple[int, int], scale: float) -> None:
        width, height = (round(side * scale) for side in size)
        self.sizes.addItem(f"{title}, {width:,} × {height:,}", (size, scale))

    def _on_kind(self) -> None:
        phases = self.kind.currentData() == "phases"
        self._moments.setCurrentIndex(int(phases))
        self.fps.setValue(PHASES_RATE if phases else STEPS_RATE)
        self._summarise()

    def frames(self) -> int:
        """How many there will be; 0 when that is not known, of phases, or when there is no such step."""
        if self.kind.currentData() == "phases":
            moment = self._window.run.snapshot.moment if self._window.run.snapshot is not None else None
            return moment.total if moment is not None else 0
        return len(thinned(self.first.value(), self.last.value(), self.every.value())) if self.first.value() <= self.last.value() else 0

    def _summarise(self) -> None:
        chosen = self.sizes.currentData()
        if chosen is None or self._process is not None:
            return
        size, scale = chosen
        width, height = size or PAGE
        suffix, frames = self.format.currentData(), self.frames()
        self.format_help.setText(next(form.help for form in FORMATS if form.suffix == suffix).capitalize() + ".")
        phases = self.kind.currentData() == "phases"
        self.save_button.setEnabled(phases or frames > 0)
        if not frames:
            self.summary.setText("One frame for each phase." if phases else "There are no such steps.")
            return
        hold = f" and a hold of {HOLD_SECONDS:g} s" if suffix != ".mp4" else ""
        megabytes = frames * width * height * scale**2 * BYTES_PER_PIXEL[suffix] / 1e6
        room = f"{megabytes:.0f} MB" if megabytes >= 1.5 else f"{max(100, round(megabytes * 10) * 100)} kB"
        plural = "s" if frames > 1 else ""
        self.summary.setText(f"{frames:,} frame{plural}, {frames / self.fps.value():.1f} s{hold}; very roughly {room}.")

    # ---- making it

    @property
    def working(self) -> bool:
        """Whether an animation is being made."""
        return self._process is not None

    def save(self) -> None:
        """Ask for the file, then for the settings by which the run can be done again."""
        path = self._ask_path("Save animation", str(self.format.currentData()))
        if path is not None:
            self.save_as(path)

    def save_as(self, path: Path) -> None:
        """Save without asking where to."""
        snapshot = self._window.run.snapshot
        if self._process is not None or snapshot is None:
            return
        if (self.view.currentData() == "compare") != (self._window.export_menu.compared is not None):
            # a comparison has begun or ended since the choices were offered
            self._window.tell("notice", "Nothing was saved: what is shown has changed since. Open the animation’s choices again.")
            self.close()
            return
        self._show_working(Report(0, 0))
        phases = self.kind.currentData() == "phases"
        size, scale = self.sizes.currentData()
        compared = self._window.export_menu.compared if self.view.currentData() == "compare" else None
        settings = (self._window.run.settings, ()) if compared is None else compared.settings()
        window, view = self._window, str(self.view.currentData())
        look = window.run.look
        selection = window.canvas.selection
        at_its_end = snapshot.moment is None and snapshot.step == snapshot.last_step
        in_lab = view in LAB or (view == "window" and window.dock.page == "lab")
        film = Film(
            settings=settings[0],
            against=settings[1],
            path=path,
            steps=() if phases else self._steps(snapshot.last_step),
            phases_of=min(self.step.value(), snapshot.last_step + 1) if phases else None,
            view=view,
            theme=window.theme.name,
            size=size,
            scale=scale,
            fps=self.fps.value(),
            look=msgspec.structs.replace(look, edge=None, chain=True, prediction=True) if in_lab else Look(picked=look.picked, chain=True),
            preset=window.shown_preset,
            page=window.dock.page,
            selection=selection,
            ghost=snapshot.ghost if compared is None else None,
            known=(snapshot.step, snapshot.loss) if compared is None and at_its_end else None,
        )
        self._process = MovieProcess(film)
        self._timer.start()

    def _steps(self, reached: int) -> tuple[int, ...]:
        last = min(self.last.value(), reached)  # the run may have begun anew since the dialog was opened
        return thinned(min(self.first.value(), last), last, self.every.value())

    def _on_tick(self) -> None:
        if self._process is None:
            return
        report = self._process.report()
        if not report.outcome:
            self._show_working(report)
            return
        self.stop()
        self._show_choices()
        if report.outcome == "failed":
            self._window.tell("error", report.text)
        elif report.outcome == "saved":
            self._window.tell("notice", report.text)
            self.accept()
        else:
            self._window.tell("notice", CANCELLED)

    def _show_working(self, report: Report) -> None:
        self._choices.setEnabled(False)
        self.save_button.setEnabled(False)
        self.bar.show()
        self.bar.setRange(0, report.total)  # 0 to 0: busy
        self.bar.setValue(report.done)
        begun = f"Frame {report.done:,} of {report.total:,}"
        self.summary.setText(begun if report.done else "The run is done again up to the first frame.")

    def _show_choices(self) -> None:
        self._choices.setEnabled(True)
        self.bar.hide()
        self._summarise()

    def reject(self) -> None:
        """Esc and Cancel: end what is under way, else close."""
        if self._process is not None:
            self._process.cancel()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closed it always goes, and what is under way with it: a window that stays would keep the whole program from ending."""
        if self._process is not None:
            self.stop()
            self._window.tell("notice", CANCELLED)
        super().closeEvent(event)

    def end(self) -> None:
        """End the process, if there is one, without waiting for it; `stop` does that."""
        self._timer.stop()
        if self._process is not None:
            self._process.end()

    def stop(self) -> None:
        """End the process, if there is one; nothing unfinished is left."""
        self._timer.stop()
        if self._process is not None:
            self._process.stop()
            self._process = None


def _row(*parts: QWidget) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(8)
    for part in parts:
        line.addWidget(part, 1 if isinstance(part, WholeNumber) else 0)
    return row
