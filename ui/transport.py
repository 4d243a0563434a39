"""The row of commands on top of the window: run, step forth and back, reset, how fast, which preset, undo, export, theme.

On a narrow window the texts of its buttons go first, the ones of the least used at first; tooltips keep them.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QWidget

from .controls.input import focus_by_tab
from .controls.slider import Slider
from .controls.style import COMBO_RULES
from .icons import icon
from .preset_menu import PresetCombo
from .shortcuts import SHORTCUTS
from .stages import LAYERS, stage_words
from .theme import THEMES, Theme

HEIGHT = 52
BUTTON_HEIGHT = 32
BARE_WIDTH, MOST_WIDTH = 33, 400  # of a button with its icon alone, and of any other
WALKS = (
    ("back", "One whole step back"),
    ("back_phase", "Back to the phase before"),
    ("back_layer", "One layer back"),
    ("step_layer", "One layer on"),
    ("step_phase", "To the end of the phase"),
    ("step", "One whole step on"),
)
"""The ways to go through a training step."""
COMPARE = "Put a second run beside this one, from the same seed, and change one thing"
MOTIONS = {"full": "Full", "reduced": "Reduced: nothing runs across the picture", "off": "Off"}
SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, math.inf)
"""Steps per second on the slider; the last one is as fast as the engine can."""


class Transport(QWidget):
    """Shows whether the run plays and how fast; what is pressed it says with a signal."""

    play_toggled = Signal(bool)
    walk_wanted = Signal(str)  # a command of `WALKS`
    motion_wanted = Signal(str)
    reset_wanted = Signal()
    new_seed_wanted = Signal()
    speed_changed = Signal(object)  # steps per second, or None for unlimited
    preset_wanted = Signal(str)
    undo_wanted = Signal()
    redo_wanted = Signal()
    compare_wanted = Signal()
    theme_toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._state: tuple[bool, float | None] = (True, -1.0)
        self._level = -1
        self._widths: list[int] = []
        self._icons: dict[QToolButton, str] = {}
        self._texts: dict[QToolButton, str] = {}
        self._walks: dict[str, QAction] = {}
        self._words = LAYERS
        self._evolves = False
        self.setAutoFillBackground(True)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Commands")
        self._make_parts()
        self._lay_out()
        self.set_theme(self.theme)
        self.show_state(False, None)
        self.show_undo(None, None)

    def _make_parts(self) -> None:
        self.reset_button = self._button("reset", "Reset", "Reset to the same first weights", "reset", self.reset_wanted)
        self.seed_button = self._button("dice", "New seed", "Restart from another seed", "new_seed", self.new_seed_wanted)
        self.play_button = QPushButton()
        self.play_button.setProperty("primary", True)
        self.play_button.setFixedHeight(BUTTON_HEIGHT)
        self.play_button.clicked.connect(lambda: self.play_toggled.emit(not self._state[0]))
        focus_by_tab(self.play_button)
        self.back_button = self._walk_button("back", "Back", "back_layer", "One layer back, or a step already done again")
        self.layer_button = self._walk_button("step-phase", "Layer", "step_layer", "One layer on: forward, the loss, backward, the update")
        self.phase_button = self._walk_button("phase", "Phase", "step_phase", "To the end of the phase: all layers forward, all back …")
        self.step_button = self._walk_button("step", "Step", "step", "One whole training step")
        self.layer_button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.layer_button.setMenu(self._walk_menu())
        self.speed_label = QLabel("Speed")
        self.speed = Slider(SPEEDS)
        self.speed.setPageStep(3)
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Steps per second, from one to as many as the engine can")
        self.speed.valueChanged.connect(self._on_speed)
        self.speed_text = QLabel()
        self.speed_text.setMinimumWidth(86)
        self.preset_label = QLabel("Preset")
        self.presets = PresetCombo()
        self.presets.chosen.connect(self.preset_wanted)
        self.undo_button = self._button("undo", "Undo", "Undo", "undo", self.undo_wanted)
        self.redo_button = self._button("redo", "Redo", "Redo", "redo", self.redo_wanted)
        self.compare_button = self._button("compare", "Compare", COMPARE, "toggle_compare", self.compare_wanted)
        self.compare_button.setCheckable(True)
        self.file_button = self._button("folder", "File", "Open or save a session", "")
        self.file_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export_button = self._button("export", "Export", "Save or copy pictures and numbers", "open_export_menu")
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.theme_button = self._button("theme", "Light", "Light or dark", "toggle_theme", self.theme_toggled)

    def _button(self, name: str, text: str, help: str, command: str, signal: SignalInstance | None = None) -> QToolButton:
        button = QToolButton()
        button.setProperty("flat", True)
        button.setFixedHeight(BUTTON_HEIGHT)
        button.setIconSize(QSize(16, 16))
        button.setAccessibleName(text)
        button.setToolTip(help + _keys(command))
        focus_by_tab(button)
        if signal is not None:
            button.clicked.connect(lambda: signal.emit())
        self._icons[button], self._texts[button] = name, text
        return button

    def _walk_button(self, name: str, text: str, command: str, help: str) -> QToolButton:
        button = self._button(name, text, help, command)
        button.clicked.connect(lambda: self.walk_wanted.emit(command))
        button.setAutoRepeat(True)
        button.setAutoRepeatDelay(500)
        return button

    def _walk_menu(self) -> QMenu:
        menu = QMenu(self)
        for command, title in WALKS:
            action = menu.addAction(f"{title}\t{_keys(command).strip(' ()')}")
            action.triggered.connect(lambda _=False, command=command: self.walk_wanted.emit(command))
            self._walks[command] = action
        motions = menu.addMenu("Motion")
        self._motions = QActionGroup(motions)
        for mode, title in MOTIONS.items():
            action = motions.addAction(title)
            action.setCheckable(True)
            action.setData(mode)
            self._motions.addAction(action)
            action.triggered.connect(lambda _=False, mode=mode: self.motion_wanted.emit(mode))
        return menu

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(6)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)  # `minimumSizeHint` knows how narrow it may be
        groups: tuple[tuple[QWidget, ...], ...] = (
            (self.reset_button, self.seed_button),
            (self.back_button, self.play_button, self.layer_button, self.phase_button, self.step_button),
            (self.speed_label, self.speed, self.speed_text),
            (self.preset_label, self.presets),
            (self.undo_button, self.redo_button),
            (self.compare_button, self.file_button, self.export_button, self.theme_button),
        )
        for number, group in enumerate(groups):
            if number == 4:
                row.addStretch(1)
            elif number > 1:
                row.addSpacing(4)
                row.addWidget(_line())
                row.addSpacing(4)
            for part in group:
                row.addWidget(part)
        # what loses its text (a label: all of it) when; the first never have any
        self._levels: tuple[tuple[QWidget, ...], ...] = (
            (self.reset_button, self.seed_button, self.back_button),
            (self.undo_button, self.redo_button),
            (self.file_button, self.theme_button),
            (self.compare_button, self.export_button, self.speed_label, self.preset_label),
            (self.phase_button,),
            (self.layer_button, self.step_button),
            (),  # here the button for a phase goes: the menu beside it has that too
        )

    # ---- what the window tells it

    def show_state(self, playing: bool, speed: float | None) -> None:
        """Whether the run plays, and at how many steps per second (None: unlimited)."""
        if (playing, speed) == self._state:
            return
        changed = playing != self._state[0]
        self._state = (playing, speed)
        if changed:
            self._show_play()
        self._show_speed()
        if not self.speed.isSliderDown():
            self.speed.show_nearest(math.inf if speed is None else speed)

    def show_kind(self, recurrent: bool, evolves: bool = False) -> None:
        """What a small step goes through: layers, in a recurrent net time steps, and in a generation only its phases."""
        words = stage_words(recurrent)
        if (self._words, self._evolves) == (words, evolves):
            return
        self._words, self._evolves = words, evolves
        one, many = ("phase", "phases") if evolves else (words.one, words.many)
        whole = "generation" if evolves else "step"
        path = "evaluate, select, cross, mutate" if evolves else "forward, the loss, backward, the update"
        for button, command, help in (
            (self.back_button, "back_layer", f"One {one} back, or a {whole} already done again"),
            (self.layer_button, "step_layer", f"One {one} on: {path}"),
            (self.phase_button, "step_phase", f"To the end of the phase: all {many} forward, all back …"),
            (self.step_button, "step", "One whole generation" if evolves else "One whole training step"),
        ):
            button.setToolTip(help + _keys(command))
        for button, name in ((self.layer_button, one.capitalize()), (self.step_button, whole.capitalize())):
            self._texts[button] = name
            button.setAccessibleName(name)
        self.speed.setToolTip(f"{whole.capitalize()}s per second, from one to as many as the engine can")
        self._show_speed()
        for command in ("back_phase", "step_phase"):  # a phase of a generation has no parts to be gone through
            self._walks[command].setVisible(not evolves)
        for command, way in (("back", "back"), ("step", "on")):
            self._walks[command].setText(f"One whole {whole} {way}\t{_keys(command).strip(' ()')}")
        self._walks["back_layer"].setText(f"One {one} back\t{_keys('back_layer').strip(' ()')}")
        self._walks["step_layer"].setText(f"One {one} on\t{_keys('step_layer').strip(' ()')}")
        self._widths.clear()
        self._level = -1  # the text of its button has changed
        self._fit()

    def _show_speed(self) -> None:
        speed = self._state[1]
        one = "gen." if self._evolves else "step" if speed == 1 else "steps"  # its room is that of the longest number of steps
        self.speed_text.setText("unlimited" if speed is None else f"{speed:,.4g} {one}/s")

    def show_place(self, begun: bool) -> None:
        """Whether there is anything to go back to."""
        self.back_button.setEnabled(begun)

    def show_comparing(self, comparing: bool) -> None:
        """Whether two runs are compared."""
        self.compare_button.setChecked(comparing)
        self.compare_button.setToolTip(("Go on with A alone" if comparing else COMPARE) + _keys("toggle_compare"))

    def show_motion(self, mode: str) -> None:
        """Which of `MOTIONS` is in force."""
        for action in self._motions.actions():
            action.setChecked(action.data() == mode)

    def set_presets(self, presets: list[tuple[str, str, str, str]]) -> None:
        """(name, title, description, group) of each preset."""
        self.presets.set_presets(presets)

    def show_preset(self, name: str | None) -> None:
        """The preset whose settings are in force; None when they have been changed."""
        self.presets.show_preset(name)

    def show_undo(self, undo: str | None, redo: str | None) -> None:
        """What undo and redo would bring back; None where there is nothing."""
        for button, word, what in ((self.undo_button, "Undo", undo), (self.redo_button, "Redo", redo)):
            button.setEnabled(what is not None)
            button.setToolTip((f"{word}: {what}" if what else f"Nothing to {word.lower()}") + _keys(word.lower()))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setStyleSheet(f"""
QToolButton[flat="true"] {{ padding: 0 8px; min-height: 28px; font-weight: 500; }}
QToolButton[flat="true"]:disabled {{ color: {theme.outline}; }}
QToolButton[popupMode="1"] {{ padding-right: 20px; }}
QToolButton::menu-button {{ border: 0; width: 16px; }}
QPushButton[primary="true"] {{ padding: 0 14px; min-height: 30px; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {theme.ink3}; }}
QLabel {{ color: {theme.ink2}; font-size: 12px; }}
{COMBO_RULES}
""")
        for button, name in self._icons.items():
            button.setIcon(icon(name, theme))
        self.speed.theme = theme
        self.presets.set_theme(theme)
        other = "light" if theme.name == "dark" else "dark"
        self._texts[self.theme_button] = theme.name.capitalize()
        self.theme_button.setToolTip(f"{theme.name.capitalize()} theme; press for the {other} one" + _keys("toggle_theme"))
        self._show_play()
        self._widths.clear()
        self._level = -1  # the text of the theme's button has changed
        self._fit()

    # ---- narrow windows

    def minimumSizeHint(self) -> QSize:
        self._measure()
        narrowest = self.presets.minimumWidth() or self.presets.minimumSizeHint().width()  # its own word comes before the style's
        return QSize(self._widths[-1] - self.presets.sizeHint().width() + narrowest, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._measure()
        fitting = (level for level, width in enumerate(self._widths) if width <= self.width())
        self._use_level(next(fitting, len(self._levels) - 1))
        row = self.layout()
        assert row is not None
        row.activate()

    def _measure(self) -> None:
        """The width that each level needs; measured once, because no text changes afterwards."""
        if self._widths:
            return
        self.ensurePolished()
        before = self._level
        for level in range(len(self._levels)):
            self._use_level(level)
            row = self.layout()
            assert row is not None
            row.invalidate()
            self._widths.append(row.sizeHint().width())
        self._use_level(max(0, before))

    def _use_level(self, level: int) -> None:
        if level == self._level:
            return
        self._level = level
        hidden = {part for parts in self._levels[: level + 1] for part in parts}
        for button, text in self._texts.items():
            bare = button in hidden
            button.setText("" if bare else f" {text}")  # the style leaves too little between icon and text
            style = Qt.ToolButtonStyle.ToolButtonIconOnly if bare else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            button.setToolButtonStyle(style)
            if button is not self.layer_button:  # which has an arrow beside its icon
                button.setMinimumWidth(BARE_WIDTH if bare else 0)
                button.setMaximumWidth(BARE_WIDTH if bare else MOST_WIDTH)
        for label in (self.speed_label, self.preset_label):
            label.setVisible(label not in hidden)
        narrowest = level == len(self._levels) - 1
        self.phase_button.setVisible(not narrowest and not self._evolves)
        self.speed.setFixedWidth(60 if narrowest else 80 if self.phase_button in hidden else 120)

    # ---- inside

    def _show_play(self) -> None:
        playing = self._state[0]
        self.play_button.setText(" Play")
        widths = []
        for text in (" Play", " Pause"):
            self.play_button.setText(text)
            widths.append(self.play_button.sizeHint().width())
        self.play_button.setFixedWidth(max(widths))  # the buttons beside it stay where they are
        self.play_button.setText(" Pause" if playing else " Play")
        self.play_button.setIcon(icon("pause" if playing else "play", self.theme, ink=self.theme.inverse_text))
        self.play_button.setAccessibleName("Pause" if playing else "Play")
        self.play_button.setToolTip(("Pause" if playing else "Train on and on") + _keys("toggle_playing"))

    def _on_speed(self, position: int) -> None:
        speed = SPEEDS[position]
        self.speed_changed.emit(None if math.isinf(speed) else speed)


def _keys(command: str) -> str:
    """The first shortcut of a command, as a tooltip says it: " (Ctrl+Z)"."""
    return next((f" ({item.keys[0]})" for item in SHORTCUTS if item.command == command and item.keys), "")


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.NoFrame)
    line.setFixedSize(1, 24)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(line.palette().ColorRole.Mid)
    return line
