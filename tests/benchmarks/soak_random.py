"""How much memory random actions take: the figures of the monkey, measured at rest before, halfway and after.

Before they count, everything is seen once: every page, dialog, preset and lesson, both themes, the largest net that may be chosen. What
comes on top of that is growth, whether it leaks or is a cache that fills.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QSettings, QSize
from PySide6.QtGui import QPixmapCache

from gradviz.lessons import lessons
from gradviz.spec import SpecError, all_fields
from tests.benchmarks.soak_monkey import RANGE, Monkey
from ui.application import make_application
from ui.main_window import MainWindow
from ui.panels import LAB
from ui.presets import preset_named, presets

WARM_ACTIONS = 500
MEGABYTES = 20.0  # that may come on top of a warm window's memory, and of a warm engine's
PAGES = ("overview", "chain", "inspect", "lab")
SIZES = (QSize(900, 600), QSize(1700, 1050), QSize(1400, 900))


class Memory(NamedTuple):
    """Resident MB at rest."""

    window: float
    engine: float


def warm_up(monkey: Monkey) -> None:
    """See everything once, then do a few hundred random things that do not count."""
    window = monkey.window
    for preset in presets():
        window.load_preset(preset.name)
        monkey.breathe(0.2)
    window.show_lessons()
    assert window.lesson is not None, "the page has just been shown"
    for lesson in lessons():
        window.lesson.open_lesson(lesson.name)
        monkey.breathe(0.02)
    for kind in ("mlp", "rnn", "lstm"):
        window.load_preset("vanishing")
        for path, value in (*_largest(), ("data.name", "adding" if kind != "mlp" else "moons"), ("network.kind", kind)):
            try:
                window.run.load(window.run.wanted_spec.replace(path, value), path)
            except SpecError:
                continue  # not of this kind of net
        for page in PAGES:
            window.show_page(page)
            monkey.breathe(0.3)
        for view in LAB:
            window.show_lab(view)
            monkey.breathe(0.3)
    for size in SIZES:
        window.resize(size)
        window.toggle_theme()
        monkey.breathe(0.3)
    window.toggle_theme()
    window.toggle_compare()
    monkey.breathe(1.5)
    if window.compare is not None:
        window.compare.adopt("A")
    window.show_notes()
    window.show_shortcuts()
    window.export_menu.list_panels()
    window.export_menu.save_animation()
    for panel in window.exported_panels():
        for suffix in (".png", ".svg", ".pdf"):
            window.export_menu.write_picture(panel.name, monkey.folder / f"panel{suffix}")
    for view in ("figure", "window"):
        window.export_menu.write_picture(view, monkey.folder / "view.png")
    monkey.act(WARM_ACTIONS)


def _largest() -> list[tuple[str, Any]]:
    """Of every number that makes a net or its data large the largest that the monkey chooses."""
    found: list[tuple[str, Any]] = []
    for info in all_fields():
        if info.kind == "int" and info.minimum is not None and info.maximum is not None and info.path.startswith(("network.", "data.")):
            found.append((info.path, int(min(info.maximum, info.minimum + RANGE))))
    return found


def memory(monkey: Monkey) -> Memory:
    """What the window's process and its engine hold when they have come to rest."""
    monkey.come_to_rest()
    QPixmapCache.clear()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    engine = monkey.window.run._engine
    return Memory(resident("self"), resident(str(engine.process_id)) if engine is not None else 0.0)


def resident(process: str) -> float:
    """Resident memory of a process in MB; 0 where the system does not tell."""
    path = Path(f"/proc/{process}/status")
    return int(path.read_text().partition("VmRSS:")[2].split()[0]) / 1e3 if path.exists() else 0.0


def run(actions: int, seed: int) -> list[dict[str, Any]]:
    """The figures of the long test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, str(folder / "settings"))
        make_application()
        preset = preset_named("vanishing")
        window = MainWindow(preset.spec, preset=preset)
        window.resize(1400, 900)
        window.show()
        start = time.monotonic()
        with Monkey(window, seed, folder) as monkey:
            monkey.breathe(2.0)
            warm_up(monkey)
            warm = memory(monkey)
            monkey.done.clear()
            monkey.act(actions // 2)
            half = memory(monkey)
            monkey.act(actions - actions // 2)
            end = memory(monkey)
        seconds = time.monotonic() - start
        window.close()
        window.shut_down()  # no loop of events runs that would
    problems = monkey.problems
    figures: dict[str, Any] = {"name": "random actions", "actions": len(monkey.done), "seed": seed, "minutes": round(seconds / 60, 1)}
    figures["baseline"] = f"at rest after everything had been seen once, and {WARM_ACTIONS} actions before those that count"
    for part in Memory._fields:
        before, halfway, after = (round(float(getattr(moment, part)), 1) for moment in (warm, half, end))
        figures |= {f"{part}_megabytes_{at}": value for at, value in (("warm", before), ("halfway", halfway), ("end", after))}
        figures[f"{part}_growth_megabytes"] = grown = round(after - before, 1)
        if grown > MEGABYTES:
            problems.append(f"the {part} has grown by {grown} MB; {MEGABYTES:g} are allowed")
    return [{**figures, "failures": len(problems), "first_failures": problems[:8]}]
