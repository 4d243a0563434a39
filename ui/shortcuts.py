"""Every keyboard shortcut of the window in one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shortcut:
    """Keys that call a command of the main window, by the name of its method."""

    command: str
    title: str
    keys: tuple[str, ...]


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("toggle_playing", "Play or pause", ("Space",)),
    Shortcut("step_layer", "One layer or time step on", ("Right",)),
    Shortcut("back_layer", "One layer or time step back", ("Left",)),
    Shortcut("step_phase", "To the end of the phase", ("Ctrl+Right",)),
    Shortcut("back_phase", "To the phase before", ("Ctrl+Left",)),
    Shortcut("step", "One whole training step on", ("S",)),
    Shortcut("back", "One whole training step back", ("B",)),
    Shortcut("reset", "Reset to the same weights", ("R",)),
    Shortcut("new_seed", "New seed", ("N",)),
    Shortcut("faster", "Faster", ("]",)),
    Shortcut("slower", "Slower", ("[",)),
    Shortcut("open_presets", "Presets", ("Ctrl+P",)),
    Shortcut("toggle_compare", "Compare two runs", ("Ctrl+K",)),
    Shortcut("predict", "Predict first: a game for the class", ("G",)),
    Shortcut("undo", "Undo", ("Ctrl+Z",)),
    Shortcut("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Shortcut("fit", "Fit the network", ("F",)),
    Shortcut("select_weakest", "Select the weakest weight", ("W",)),
    Shortcut("clear_selection", "Clear the selection", ("Esc",)),
    Shortcut("open_file", "Open a session, a recording or a CSV file", ("Ctrl+O",)),
    Shortcut("save_session", "Save the session", ("Ctrl+S",)),
    Shortcut("save_session_as", "Save the session as", ("Ctrl+Shift+S",)),
    Shortcut("copy_session", "Copy the session as text", ("Ctrl+Alt+C",)),
    Shortcut("paste_session", "Paste a session", ("Ctrl+V",)),
    Shortcut("show_notes", "Title and notes", ("Ctrl+D",)),
    Shortcut("save_figure", "Save the figure", ("Ctrl+Shift+E",)),
    Shortcut("open_export_menu", "Export", ("Ctrl+E",)),
    Shortcut("copy_picture", "Copy the window as a picture", ("Ctrl+Shift+C",)),
    Shortcut("toggle_theme", "Light or dark", ("Ctrl+T",)),
    Shortcut("toggle_theory", "Theory in the gradient profile", ("T",)),
    Shortcut("toggle_left", "Left dock", ("Ctrl+1",)),
    Shortcut("toggle_right", "Right dock", ("Ctrl+2",)),
    Shortcut("show_overview", "Overview", ("Alt+1",)),
    Shortcut("show_chain", "Chain rule", ("Alt+2", "C")),
    Shortcut("show_inspect", "Inspect", ("Alt+3", "I")),
    Shortcut("show_lab", "Lab", ("Alt+4", "L")),
    Shortcut("show_settings", "Settings", ("Ctrl+,",)),
    Shortcut("show_lessons", "Lessons", ("Ctrl+L",)),
    Shortcut("toggle_full_screen", "Full screen", ("F11",)),
    Shortcut("show_shortcuts", "Shortcuts", ("F1", "?")),
    Shortcut("close", "Quit", ("Ctrl+Q",)),
)

CANVAS_KEYS: tuple[tuple[str, str], ...] = (
    ("+, −, 0", "Zoom in, out, fit (in the network)"),
    ("Shift+←, Shift+→", "Scroll (in the network)"),
    ("PgUp, PgDown", "Layer or time step before, behind"),
    ("↑, ↓", "Unit above, unit below"),
    ("←, →, Shift, Home, End", "Through the steps (in the timeline, reached by Tab)"),
    ("Menu", "Activation and units of the selected layer"),
)
"""Keys of the panels themselves, for the list of all keys."""
