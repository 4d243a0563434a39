"""The window: puts controls, canvas and panels together and connects their signals to commands. It computes nothing."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QPoint, QSettings, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QFileDialog, QSlider, QSplitter, QVBoxLayout, QWidget

from gradviz.session_file import SessionFile, holds_session, run_from
from gradviz.snapshot import Held, Look, Snapshot
from gradviz.spec import Spec, SpecError, field_info

from . import motion
from .autosave import Autosave
from .canvas.scene import NetworkCanvas
from .controls import Controls
from .export_menu import ExportMenu
from .file_menu import FileMenu
from .live_run import LiveRun
from .overlays import Overlays
from .pages import Pages
from .panels.layer_table import LayerTablePanel
from .panels.panel import Panel
from .panels.prediction import PredictionPanel
from .panels.profile import ProfilePanel
from .panels.timeline import TimelinePanel
from .presets import Preset, preset_named, presets
from .recordings import Recordings
from .selection import Selection
from .sessions import WEIGHTS_FILTER, Sessions
from .shortcut_list import ShortcutList
from .shortcuts import SHORTCUTS
from .status import StatusBar
from .theme import THEMES, apply_theme
from .transport import Transport

if TYPE_CHECKING:
    from gradviz.lessons import Lesson

    from .compare_mode import CompareMode
    from .comparison import Comparison
    from .lab_page import LabPage
    from .notes import NotesPage
    from .panels.chain_rule import ChainRulePanel
    from .panels.inspect import InspectPanel
    from .panels.lesson import LessonPanel
    from .predict_mode import PredictMode

LESSON_WIDTH = 360  # of the left dock at least, while a lesson is read
SLOW_EVERY = 6  # tables and the status bar follow every so many frames while playing: faster, nobody can read them
TIMELINE_EVERY = 3
NOTICE_SECONDS = 8.0


class MainWindow(QWidget):
    """One run and everything that shows it."""

    selected = Signal(object)  # Selection or None

    def __init__(self, spec: Spec, *, theme: str = "dark", preset: Preset | None = None, live: bool = True) -> None:
        """``live`` False makes a window that only shows what `show_still` gives it."""
        super().__init__()
        self.setWindowTitle("GradViz")
        self.setObjectName("main-window")
        self.theme = THEMES[theme]
        apply_theme(self.theme)  # before there are widgets, each of which would be styled twice
        self._frames = 0
        self._shown_spec: Spec | None = None
        self._shown_points: object = None
        self._preset = preset
        self.lab: LabPage | None = None  # made when it is first shown, like the lessons
        self.lesson: LessonPanel | None = None
        self.notes: NotesPage | None = None
        self._lesson_look = Look()  # what the numbers of the lesson in front need
        self._to_select: Selection | None = None  # once the network is there that it belongs to
        self._closed = False
        self.compare: CompareMode | None = None  # while two runs are compared
        self.game: PredictMode | None = None  # while a class predicts
        self._former: list[Comparison] = []  # whose second engine may still be ending
        self.autosave: Autosave | None = None
        self.run = LiveRun(spec, self)
        self.sessions = Sessions(self)
        self.recordings = Recordings(self)

        self.transport = Transport()
        self.controls = Controls()
        self.canvas = NetworkCanvas()
        self.profile = ProfilePanel()
        self.timeline = TimelinePanel()
        self.prediction = PredictionPanel()
        self.layers = LayerTablePanel()
        self.status = StatusBar()
        self.overlays = Overlays(self.canvas)
        self.panels: tuple[Panel, ...] = (
            self.canvas,
            self.profile,
            self.timeline,
            self.prediction,
            self.layers,
        )

        self._lay_out()
        self.export_menu = ExportMenu(self)
        self.transport.export_button.setMenu(self.export_menu)
        self.transport.file_button.setMenu(FileMenu(self))
        self._connect()
        self._add_shortcuts()
        self._use_theme(theme)
        self.transport.set_presets([(item.name, item.title, item.description, item.group) for item in presets()])
        self.transport.show_preset(preset.name if preset else None)
        self._show_spec(spec)
        self.canvas.set_motion(motion.load())
        self.transport.show_motion(self.canvas.motion)
        self.profile.set_theory(bool(QSettings().value("theory", True, bool)))
        self.set_speed(preset.speed if preset else None)
        if live:
            self._restore_layout()
            self.autosave = Autosave(self)
            self.run.start()
            self._begin_with(preset)
        self.canvas.setFocus()
        QTimer.singleShot(0, self, self.overlays.place)

    # ---- assembling

    def _lay_out(self) -> None:
        self.centre = QSplitter(Qt.Orientation.Vertical)
        for panel, height in ((self.canvas, 416), (self.profile, 220), (self.timeline, 282)):
            self.centre.addWidget(panel)
            panel.resize(panel.width(), height)
        self.centre.setSizes([416, 220, 282])
        self.overview = QSplitter(Qt.Orientation.Vertical)
        self.overview.addWidget(self.prediction)
        self.overview.addWidget(self.layers)
        self.overview.setSizes([360, 500])
        self.dock = Pages(
            "Right dock",
            {
                "overview": ("Overview", self.overview),
                "chain": ("Chain rule", lambda: self.chain),
                "inspect": ("Inspect", lambda: self.inspect),
                "lab": ("Lab", self._make_lab),
            },
        )
        self.left = Pages(
            "Left dock",
            {"settings": ("Settings", self.controls), "lesson": ("Lessons", self._make_lesson), "notes": ("Notes", self._make_notes)},
        )
        self.body = QSplitter(Qt.Orientation.Horizontal)
        for widget in (self.left, self.centre, self.dock):
            self.body.addWidget(widget)
        self.body.setStretchFactor(1, 1)
        self.body.setSizes([264, 976, 360])
        for splitter in (self.centre, self.overview, self.body):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(True)
        self.body.setCollapsible(1, False)
        self.centre.setCollapsible(0, False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.transport)
        self.stage = QVBoxLayout()  # the body, or what takes its place
        self.stage.addWidget(self.body, 1)
        column.addLayout(self.stage, 1)
        column.addWidget(self.status)
        self.resize(1600, 1000)
        self.setMinimumSize(900, 600)
        self.setAcceptDrops(True)

    def _connect(self) -> None:
        run, transport = self.run, self.transport
        run.snapshot_came.connect(self._on_snapshot)
        run.told.connect(self.tell)
        run.lost.connect(self.overlays.show_lost)
        run.reviving.connect(self.overlays.show_reviving)
        run.revived.connect(self.overlays.show_revived)
        run.opening.connect(self.overlays.show_opening)
        run.opened.connect(self._on_opened)
        run.closed.connect(self.overlays.end_opening)
        self.overlays.stop_wanted.connect(run.stop_opening)
        self.overlays.table_wanted.connect(self.sessions.ask_for_table)
        self.sessions.changed.connect(self._show_title)
        run.undo_stack.canUndoChanged.connect(self.show_undo)
        run.undo_stack.canRedoChanged.connect(self.show_undo)
        run.undo_stack.indexChanged.connect(self.show_undo)
        self.show_undo()
        transport.play_toggled.connect(self.set_playing)
        transport.walk_wanted.connect(lambda command: self.driven.walk(command))
        transport.motion_wanted.connect(self.set_motion)
        transport.reset_wanted.connect(self.reset)
        transport.new_seed_wanted.connect(self.new_seed)
        transport.speed_changed.connect(self.set_speed)
        transport.preset_wanted.connect(self.load_preset)
        transport.undo_wanted.connect(self.undo)
        transport.redo_wanted.connect(self.redo)
        transport.compare_wanted.connect(self.toggle_compare)
        transport.theme_toggled.connect(self.toggle_theme)
        self.controls.change_wanted.connect(lambda spec, path: self.change(path, spec.get(path)))
        self.controls.csv_wanted.connect(self.open_data_file)
        self.canvas.selection_changed.connect(self._on_picked)
        self.canvas.layer_menu_wanted.connect(self._open_layer_menu)
        self.canvas.columns_changed.connect(self.profile.set_columns)
        self.profile.theory_wanted.connect(self.toggle_theory)
        self.canvas.inspect_wanted.connect(self._on_inspect_wanted)
        for panel in (self.profile, self.timeline, self.layers):
            panel.layer_selected.connect(self._on_layer_selected)
        self.timeline.step_wanted.connect(run.go_to)
        self.dock.page_changed.connect(self._on_page_changed)
        self.left.page_changed.connect(self._on_left_page_changed)
        self.status.verdict.remedy_wanted.connect(self.try_remedy)
        self.status.verdict.layers_wanted.connect(lambda layers: self._on_layer_selected(min(layers)))
        self.overlays.last_finite_wanted.connect(run.go_to)
        self.overlays.clipping_wanted.connect(self._clip_and_run_again)
        self.overlays.restart_wanted.connect(run.revive)

    # ---- panels that are made when they are first wanted: the first frame does not need them

    @functools.cached_property
    def chain(self) -> ChainRulePanel:
        """The chain rule of the selected weight."""
        from .panels.chain_rule import ChainRulePanel

        panel = ChainRulePanel()
        panel.setParent(self)  # until its page is shown
        panel.layer_selected.connect(self._on_layer_selected)
        panel.example_wanted.connect(self.look_at_example)
        panel.select(self.canvas.selection)
        self.selected.connect(panel.select)
        self._adopt(panel)
        return panel

    @functools.cached_property
    def inspect(self) -> InspectPanel:
        """What is selected, exactly."""
        from .panels.inspect import InspectPanel

        panel = InspectPanel()
        panel.setParent(self)  # until its page is shown
        panel.weight_wanted.connect(self.set_weight)
        panel.chain_wanted.connect(self.show_chain)
        self._adopt(panel)
        return panel

    def _make_lab(self) -> QWidget:
        from .lab import make_lab

        self.lab = make_lab(self)
        self._adopt(*self.lab.panels)
        self.lab.set_theme(self.theme)
        return self.lab

    def _make_lesson(self) -> QWidget:
        from .lesson_runner import LessonRunner
        from .panels.lesson import LessonPanel

        self.lesson = LessonPanel()
        self.lesson.lesson_changed.connect(self._on_lesson_changed)
        self.lesson.predict_wanted.connect(self.predict)
        LessonRunner(self)
        self._adopt(self.lesson)
        return self.lesson

    def _make_notes(self) -> QWidget:
        from .notes import NotesPage

        self.notes = page = NotesPage()
        page.show_words(self.sessions.title, self.sessions.notes)
        page.edited.connect(lambda: self.sessions.set_words(*page.words()))
        page.set_theme(self.theme)
        return page

    def _adopt(self, *panels: Panel) -> None:
        """Take panels in that are made when they are first wanted."""
        self.panels = (*self.panels, *panels)
        for panel in panels:
            panel.set_theme(self.theme)

    def _add_shortcuts(self) -> None:
        for shortcut in SHORTCUTS:
            action = QAction(shortcut.title, self)
            action.setShortcuts([QKeySequence(key) for key in shortcut.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setObjectName(shortcut.command)
            action.triggered.connect(lambda _=False, command=shortcut.command: getattr(self, command)())
            self.addAction(action)

    # ---- what the user can do

    def set_playing(self, playing: bool) -> None:
        if playing:
            self.driven.play()
        else:
            self.driven.pause()

    def toggle_playing(self) -> None:
        self.set_playing(not self.driven.will_play)

    def step(self) -> None:
        self.driven.walk("step")

    def step_layer(self) -> None:
        self.driven.walk("step_layer")

    def step_phase(self) -> None:
        self.driven.walk("step_phase")

    def back(self) -> None:
        self.driven.walk("back")

    def back_layer(self) -> None:
        self.driven.walk("back_layer")

    def back_phase(self) -> None:
        self.driven.walk("back_phase")

    def look_at_example(self, example: int | None) -> None:
        """Show one example of the mini-batch (its position), or all of it."""
        self.look(example=example)

    def set_weight(self, name: str, value: float) -> None:
        """Give one parameter a value; ``name`` is such as ``layer01.weight[0,0]``."""
        spec = self.run.wanted_spec
        others = [entry for entry in spec.network.set_values if entry.partition("=")[0].strip() != name]
        self.run.change(spec.replace("network.set_values", (*others, f"{name} = {value!r}")), "network.set_values")

    def set_motion(self, mode: str) -> None:
        """How much may move: one of `motion.MODES`."""
        motion.save(mode)
        self.canvas.set_motion(mode)
        if self.compare is not None:
            self.compare.page.set_motion(mode)
        self.transport.show_motion(mode)

    def show_overview(self) -> None:
        self.show_page("overview")

    def show_chain(self) -> None:
        self.show_page("chain")

    def show_inspect(self) -> None:
        self.show_page("inspect")

    def show_lab(self, view: str | None = None) -> None:
        """Show the lab, at a view of it or where it was."""
        self.show_page("lab")
        if view is not None and self.lab is not None:
            self.lab.show_view(view)

    def show_settings(self) -> None:
        self.left.show()
        self.left.show_page("settings")
        if self.compare is not None:
            self.compare.mark_open()

    def show_lessons(self) -> None:
        self.left.show()
        self.left.show_page("lesson")

    def show_page(self, name: str) -> None:
        """Bring a page of the right dock to the front; while two runs are compared it stays behind."""
        self.dock.setVisible(self.compare is None)
        self.dock.show_page(name)
        self._on_page_changed(name)

    def change(self, path: str, value: object) -> None:
        """Change one field of the spec; ``path`` is such as ``network.depth``. What does not fit the others is told and changes nothing."""
        if self.compare is not None:
            self.compare.change(path, value)
            return
        try:
            wanted = self.run.wanted_spec.replace(path, value)
        except SpecError as error:  # of a lesson or the lab, which may have had another net in mind
            self.tell("error", str(error))
            return
        self.run.change(wanted, path)

    def try_remedy(self, path: str, value: object, side: str = "A") -> None:
        """Run what the verdict on a side proposes as B, from the same seed; the page says whether it helps."""
        run = self.run if self.compare is None else self.compare.pair.run_of(side)
        try:
            spec = run.wanted_spec.replace(path, value)
        except SpecError as error:
            self.tell("error", str(error))
            return
        from .compare.outcome_words import trial_steps  # only now, as for what compares

        step = trial_steps(run.snapshot.step if run.snapshot is not None else 0)
        title = field_info(path).title.lower()
        anew = " A begins anew as well: its settings had changed on its way." if len(run.settings) > 1 else ""
        if self.compare is None:
            self.compare_with(spec, play_for=step)
        else:
            self.compare.pair.try_on(spec, step, f"remedy: {title}")
        self.tell("notice", f"With one change, {title}: B from seed {spec.training.seed} on, both to step {step:,}.{anew}")

    def reset(self) -> None:
        self.driven.reset()

    def new_seed(self) -> None:
        self.change("training.seed", (self.run.wanted_spec.training.seed + 1) % 2**31)

    # ---- two runs

    @property
    def driven(self) -> LiveRun | Comparison:
        """What the commands are for: the run, or both while two are compared."""
        return self.run if self.compare is None else self.compare.pair

    def toggle_compare(self) -> None:
        """Put a second run beside this one, or go on with A alone."""
        if self.compare is None:
            self._begin_compare()
        else:
            self.compare.adopt("A")

    def compare_with(self, spec: Spec, *, play_for: int | None = None) -> None:
        """Compare the run with one of ``spec`` from its first step on, which catches up with it.

        With ``play_for`` both are brought to that step instead: the run goes back to it, or is trained on. A run whose settings were
        changed on its way is begun anew with its present ones, so that the two differ in nothing but their specs; Undo brings it back.
        """
        if self.compare is not None:
            self.compare.leave()
        if len(self.run.settings) > 1:
            self.run.load(self.run.wanted_spec, "begun anew to compare")
        self._begin_compare(run_from(spec), play_for)

    def compare_again(self, session: SessionFile, kept: bytes | None) -> None:
        """Compare the run with the one that it is compared with in a session, looked at as it was; ``kept`` is of that one."""
        self._begin_compare(session.against, kept=kept)
        if self.compare is not None and session.view.compare is not None:
            self.compare.look_as(session.view.compare)

    def _begin_compare(self, start: SessionFile | None = None, step: int | None = None, kept: bytes | None = None) -> None:
        if (self.run.snapshot is None and start is None) or self.run.is_opening or self.run.is_lost:
            self.tell("notice", "There is no run yet that another could be compared with.")
            return
        from .compare_mode import CompareMode  # only now: the first frame does not need it

        self.compare = CompareMode(self, start, step, kept)
        self.show_undo()

    def end_compare(self, mode: CompareMode) -> None:
        """The run is alone again: show it."""
        self.compare = None
        self._former.append(mode.pair)
        mode.pair.stopped.connect(self._former.remove)
        self.show_undo()
        if self.run.snapshot is not None and not self._closed:
            self._shown_spec = None
            self._on_snapshot(self.run.snapshot)

    def predict(self, title: str = "") -> None:
        """The game for a class: guess what a change does to the first layer's gradient before it is run; ``title``: of the first round."""
        if self.game is not None or self.run.is_opening:
            return
        from gradviz.prediction_game import lecture_rounds, own_round, rounds_from

        from .predict_mode import PredictMode

        rounds = rounds_from(title) if title else lecture_rounds()
        if self.compare is not None and not title:
            own = own_round(*(self.compare.pair.run_of(side).wanted_spec for side in "AB"))
            rounds = (own, *rounds) if own is not None else rounds
        self.game = PredictMode(self, rounds)

    def end_predict(self, mode: PredictMode) -> None:
        """The game is over; its second engine may still be ending."""
        self.game = None
        self._former.append(mode.pair)
        mode.pair.stopped.connect(self._former.remove)

    def set_speed(self, steps_per_second: float | None) -> None:
        self.driven.set_speed(steps_per_second)
        self.transport.show_state(self.driven.playing, steps_per_second)
        self.speed = steps_per_second

    def faster(self) -> None:
        self.transport.speed.triggerAction(QSlider.SliderAction.SliderPageStepAdd)

    def slower(self) -> None:
        self.transport.speed.triggerAction(QSlider.SliderAction.SliderPageStepSub)

    def open_presets(self) -> None:
        self.transport.presets.showPopup()

    def load_preset(self, name: str) -> None:
        if self.compare is not None:
            self.compare.leave()
        self._preset = preset_named(name)
        self.sessions.leave_file()
        self.run.load(self._preset.spec, f"preset {self._preset.title}")
        self.set_speed(self._preset.speed)
        self._begin_with(self._preset)

    def _begin_with(self, preset: Preset | None) -> None:
        """Play, unless the preset is to be stepped through; show and select what it is about."""
        if preset is not None and preset.paused:
            self.run.pause()
        else:
            self.run.play()
        if preset is not None and preset.page:
            self.show_page(preset.page)
        if preset is not None and preset.against is not None:
            self._begin_compare(run_from(preset.against))
        self._to_select = preset.select if preset is not None else None

    def undo(self) -> None:
        self.driven.undo_stack.undo()

    def redo(self) -> None:
        self.driven.undo_stack.redo()

    def select(self, selection: Selection | None) -> None:
        self.canvas.select(selection)
        for panel in (self.profile, self.timeline, self.layers):
            panel.select(selection)
        self.selected.emit(selection)
        picked = None if selection is None else (selection.kind, selection.layer, selection.unit, selection.source)
        if picked != self.run.look.picked:
            self.look(picked=picked, held=Held())  # what another selection was held at is over

    def _on_picked(self, selection: Selection | None) -> None:
        """What was clicked in the network is shown exactly, unless something about it is shown already."""
        self.select(selection)
        if selection is not None and selection.kind != "layer" and self.dock.page == "overview":
            self.dock.show_page("inspect")

    def look(self, **changes: object) -> None:
        """Ask the engine for other things to be seen from now on."""
        self.run.look = msgspec.structs.replace(self.run.look, **changes)

    def select_weakest(self) -> None:
        self.canvas.select_weakest()

    def clear_selection(self) -> None:
        self.select(None)

    def fit(self) -> None:
        self.canvas.fit()

    def toggle_left(self) -> None:
        self.left.setVisible(not self.left.isVisible())
        if self.compare is not None:
            self.compare.mark_open()

    def toggle_right(self) -> None:
        self.dock.setVisible(self.compare is None and not self.dock.isVisible())
        self._on_page_changed(self.dock.page)

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def toggle_theme(self) -> None:
        self._use_theme("light" if self.theme.name == "dark" else "dark")
        QSettings().setValue("theme", self.theme.name)

    def toggle_theory(self) -> None:
        self.profile.set_theory(not self.profile.show_theory)
        if self.compare is not None:
            self.compare.page.set_theory(self.profile.show_theory)
        QSettings().setValue("theory", self.profile.show_theory)

    def open_export_menu(self) -> None:
        self.transport.export_button.showMenu()

    def save_figure(self) -> None:
        self.export_menu.save_picture("figure")

    def copy_picture(self) -> None:
        self.export_menu.copy_window()

    def show_shortcuts(self) -> None:
        """Open the list of keys, or bring the one that is open to the front."""
        keys = self.findChild(ShortcutList) or ShortcutList(self)
        keys.show()
        keys.raise_()

    def open_file(self) -> None:
        self.sessions.ask()

    def save_session(self) -> None:
        self.sessions.save()

    def save_session_as(self) -> None:
        self.sessions.save_as()

    def record(self) -> None:
        """Begin a recording, or end the one that is being written."""
        self.recordings.toggle()

    def copy_session(self) -> None:
        self.sessions.copy_text()

    def paste_session(self) -> None:
        self.sessions.paste()

    def show_notes(self) -> None:
        self.left.show()
        self.left.show_page("notes")

    def show_notes_of(self, title: str, notes: str) -> None:
        """Show what was written about another session."""
        if self.notes is not None:
            self.notes.show_words(title, notes)

    def open_data_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open a table of numbers", "", "Tables (*.csv *.tsv *.txt);;All files (*)")
        if name:
            self.use_data_file(Path(name))

    def use_data_file(self, path: Path) -> None:
        """Train on a CSV file of the user's own; what is wrong with it is told, and the run goes on."""
        self.driven.use_file(path)

    def open_weights(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Load weights", "", WEIGHTS_FILTER)
        if name:
            self.use_weights(Path(name))

    def use_weights(self, path: Path) -> None:
        """Begin the run anew with the weights of a file; what is wrong with it is told, and the run goes on."""
        self.driven.use_weights(path)

    def tell(self, kind: str, text: str) -> None:
        """Say something to the user: a notice in the status bar, an error on a banner."""
        if kind == "error" and self.compare is not None:
            self.compare.show_error(text)
        elif kind == "error":
            self.overlays.show_error(text)
            self._show_spec(self.run.snapshot.spec if self.run.snapshot else self.run.wanted_spec)
        else:
            self.status.say(text, NOTICE_SECONDS)

    @property
    def shown_preset(self) -> str | None:
        """The name of the preset whose settings are shown unchanged."""
        return self._preset.name if self._preset is not None and self._preset.spec == self._shown_spec else None

    def show_still(self, snapshot: Snapshot) -> None:
        """Lay the window out without a screen and show one moment in it."""
        self.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        self.show()
        QApplication.processEvents()
        self.run.snapshot = snapshot
        self.status.frames.hide()  # how fast it would be drawn is no part of a still picture
        self._on_snapshot(snapshot)
        self.overlays.place()
        QApplication.processEvents()  # what the numbers need of room is given before the picture is taken

    # ---- what comes back

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        if self.compare is not None:
            return  # which shows both
        self._frames += 1
        settled = not snapshot.playing
        if snapshot.spec != self._shown_spec:
            self._show_spec(snapshot.spec)
        if self.run.look.example is not None and self.run.look.example >= snapshot.batch:
            self.look(example=None)  # the mini-batch has become smaller
        self.overlays.phases.show_moment(snapshot.moment)
        for panel in self.panels:
            if panel.isVisible() and panel is not self.timeline and panel is not self.layers:
                panel.show_snapshot(snapshot)
        if self.timeline.isVisible() and (settled or self._frames % TIMELINE_EVERY == 0):
            self.timeline.show_snapshot(snapshot)
        if settled or self._frames % SLOW_EVERY == 1:
            if self.layers.isVisible():
                self.layers.show_snapshot(snapshot)
            self.status.show_snapshot(snapshot, self.run.frames_per_second)
            self.controls.show_summary(snapshot.data_summary, snapshot.architecture.parameter_count)
            self._show_points(snapshot)
        self.transport.show_state(snapshot.playing, self.speed)
        self.transport.show_place(snapshot.step > 0 or snapshot.moment is not None)
        self.overlays.show_failure(snapshot.failure)
        if self._to_select is not None and self._preset is not None and snapshot.spec == self._preset.spec:
            selection, self._to_select = self._to_select, None
            self.select(selection)

    def _show_points(self, snapshot: Snapshot) -> None:
        prediction = snapshot.prediction
        if prediction is None or prediction.points is self._shown_points:
            return
        self._shown_points = prediction.points
        if prediction.kind == "surface":
            self.controls.show_points(prediction.points, prediction.point_labels)
        else:
            self.controls.show_points(None)

    def _chain_shown(self) -> bool:
        return self.dock.isVisibleTo(self) and self.dock.page == "chain"

    def _on_page_changed(self, page: str) -> None:
        self._look_for_pages()
        self.canvas.chain_shown = self._chain_shown()
        self.canvas.update()
        self._catch_up()

    def _on_left_page_changed(self, page: str) -> None:
        sizes = self.body.sizes()
        if page == "lesson" and 0 < sizes[0] < LESSON_WIDTH:
            self.body.setSizes([LESSON_WIDTH, sizes[1] - LESSON_WIDTH + sizes[0], sizes[2]])
        self._look_for_pages()
        self._catch_up()

    def _on_lesson_changed(self, lesson: Lesson | None) -> None:
        self._lesson_look = Look() if lesson is None else lesson.look
        self._look_for_pages()

    def on_lab_changed(self, view: str) -> None:
        """Another view of the lab is in front, which chooses anew what to look at."""
        self.look(held=Held())
        self._look_for_pages()
        self._catch_up()

    def _look_for_pages(self) -> None:
        """Ask for what the pages in front need: a lab in front comes before what a lesson's numbers need."""
        lesson = self._lesson_look if self.left.page == "lesson" else Look()
        chain = self._chain_shown() or lesson.chain
        if self.lab is not None and self.dock.isVisibleTo(self) and self.dock.page == "lab":
            self.look(chain=chain, lab=self.lab.view)
        else:
            self.look(chain=chain, lab=lesson.lab, lab_layer=lesson.lab_layer)

    def _catch_up(self) -> None:
        """Show the panels that have just come to the front what they have missed."""
        if self.run.snapshot is not None:
            for panel in self.panels:
                if panel.isVisible() and panel.snapshot is not self.run.snapshot:
                    panel.show_snapshot(self.run.snapshot)

    def _on_opened(self) -> None:
        self.overlays.end_opening()
        self._preset = None
        self._to_select = None

    def _show_title(self) -> None:
        sessions = self.sessions
        name = sessions.title or (sessions.path.name if sessions.path is not None else "")
        self.setWindowTitle(f"{name[:80]} – GradViz" if name else "GradViz")

    def _clip_and_run_again(self) -> None:
        spec = self.run.wanted_spec.replace("training.clip", "norm").replace("training.clip_threshold", 1.0)
        self.run.load(spec, "clipping by norm")
        self.run.play()

    def _on_layer_selected(self, layer: int) -> None:
        self.select(Selection("layer", layer))

    def _on_inspect_wanted(self, edge: tuple[int, int, int] | None) -> None:
        self.look(edge=edge)

    def _open_layer_menu(self, layer: int, position: QPoint) -> None:
        menu = self.controls.layer_menu(self.run.wanted_spec, layer, self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    def _show_spec(self, spec: Spec) -> None:
        self._shown_spec = spec
        self.look(held=Held())  # of another run
        self.controls.show_spec(spec)
        self.overlays.phases.show_spec(spec)
        self.transport.show_kind(spec.network.recurrent, spec.training.method == "evolution")
        known = self._preset if self._preset is not None and self._preset.spec == spec else None
        self.transport.show_preset(known.name if known else None)

    def show_undo(self) -> None:
        """Say what Undo and Redo would do."""
        stack = self.driven.undo_stack
        self.transport.show_undo(stack.undoText() if stack.canUndo() else None, stack.redoText() if stack.canRedo() else None)

    # ---- theme, layout, end

    def _use_theme(self, name: str) -> None:
        self.theme = THEMES[name]
        apply_theme(self.theme)
        for panel in self.panels:
            panel.set_theme(self.theme)
        for widget in (self.transport, self.controls, self.status, self.overlays):
            widget.set_theme(self.theme)
        for page in (self.lab, self.notes, self.compare, self.game):
            if page is not None:
                page.set_theme(self.theme)

    def _restore_layout(self) -> None:
        settings = QSettings()
        geometry = settings.value("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        for splitter, key in ((self.body, "body"), (self.centre, "centre"), (self.overview, "overview")):
            state = settings.value(f"splitter/{key}")
            if state is not None:
                splitter.restoreState(state)
        page = settings.value("dock/page")
        if page in self.dock.pages:
            self.dock.show_page(page)

    def _save_layout(self) -> None:
        settings = QSettings()
        settings.setValue("geometry", self.saveGeometry())
        for splitter, key in ((self.body, "body"), (self.centre, "centre"), (self.overview, "overview")):
            settings.setValue(f"splitter/{key}", splitter.saveState())
        settings.setValue("dock/page", self.dock.page)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_file(event) is not None or holds_session(event.mimeData().text()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_file(event)
        if path is not None:
            self.sessions.open_any(path)
        elif holds_session(event.mimeData().text()):
            self.sessions.open_text(event.mimeData().text())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Go at once; the processes end meanwhile, and `shut_down` waits for them when the window is gone."""
        if self.game is not None:
            self.game.leave()
        if self.compare is not None:
            self.compare.leave()
        self._save_layout()
        self.export_menu.end()
        self.run.end()
        super().closeEvent(event)
        QTimer.singleShot(0, self, self.shut_down)

    def shut_down(self) -> None:
        """End the engine and all else that is under way; safe to call twice."""
        if not self._closed:
            self._closed = True
            self.export_menu.end()
            self.run.end()  # all at the same time
            if self.autosave is not None:
                self.autosave.stop()
            self.export_menu.stop()
            for pair in tuple(self._former):
                pair.stop()
            self.run.stop()

    def exported_panels(self) -> tuple[Panel, ...]:
        """The panels that have something to export: those that are always measured, and what is in front of the others."""
        always = (*self.panels[:5], self.chain, self.inspect)
        return (*always, *(panel for panel in self.panels if panel not in always and panel.isVisible()))

    def picture_size(self, panel: Panel) -> QSizeF:
        """The size at which a panel is exported: as it is seen, or a good one while it is hidden."""
        whole = panel.whole_size()
        if whole is not None:
            return whole
        return QSizeF(panel.size()) if panel.isVisible() and panel.width() > 100 else QSizeF(976, 360)


def _dropped_file(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
