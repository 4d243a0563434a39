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
    Shortcut("step", "One step", ("S",)),
    Shortcut("reset", "Reset to the same weights", ("R",)),
    Shortcut("new_seed", "New seed", ("N",)),
    Shortcut("faster", "Faster", ("]",)),
    Shortcut("slower", "Slower", ("[",)),
    Shortcut("open_presets", "Presets", ("Ctrl+P",)),
    Shortcut("undo", "Undo", ("Ctrl+Z",)),
    Shortcut("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Shortcut("fit", "Fit the network", ("F",)),
    Shortcut("select_weakest", "Select the weakest weight", ("W",)),
    Shortcut("clear_selection", "Clear the selection", ("Esc",)),
    Shortcut("open_data_file", "Open a CSV file", ("Ctrl+O",)),
    Shortcut("save_figure", "Save the figure", ("Ctrl+S",)),
    Shortcut("open_export_menu", "Export", ("Ctrl+E",)),
    Shortcut("copy_picture", "Copy the window as a picture", ("Ctrl+Shift+C",)),
    Shortcut("toggle_theme", "Light or dark", ("Ctrl+T",)),
    Shortcut("toggle_left", "Controls", ("Ctrl+1",)),
    Shortcut("toggle_right", "Prediction and layers", ("Ctrl+2",)),
    Shortcut("toggle_full_screen", "Full screen", ("F11",)),
    Shortcut("show_shortcuts", "Shortcuts", ("F1", "?")),
    Shortcut("close", "Quit", ("Ctrl+Q",)),
)

CANVAS_KEYS: tuple[tuple[str, str], ...] = (
    ("+, −, 0", "Zoom in, out, fit (in the network)"),
    ("Shift+←, Shift+→", "Scroll (in the network)"),
    ("PgUp, PgDown", "Layer before, layer behind"),
    ("↑, ↓", "Unit above, unit below"),
    ("Menu", "Activation and units of the selected layer"),
)
"""Keys of the panels themselves, for the list of all keys."""
