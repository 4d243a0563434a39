"""Every kind of file that the program writes, where it cannot be written: what was there before stays whole, and the user is told.

A full disk and a read-only one are real, on a small file system in memory that takes the rights of root to mount; without them these
two are left out, and said to be. The rest is tried everywhere.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from gradviz import Experiment
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import RecordingWriteError
from ui.application import make_application
from ui.film import Film
from ui.main_window import MainWindow
from ui.movie_process import MovieProcess
from ui.presets import preset_named

OLD = b"what was there before"
SPEC = preset_named("vanishing").spec
WAIT_SECONDS = 30.0


def writers(window: MainWindow) -> dict[str, tuple[str, Callable[[Path], object]]]:
    """Every kind of file -> its ending, and what writes it from the window."""
    menu, net = window.export_menu, window.run.save_net
    return {
        "session": (".gradviz.json", window.sessions.write),
        "picture PNG": (".png", lambda path: menu.write_picture("figure", path)),
        "picture SVG": (".svg", lambda path: menu.write_picture("figure", path)),
        "picture PDF": (".pdf", lambda path: menu.write_picture("window", path)),
        "numbers CSV": (".csv", lambda path: menu.write_numbers("gradients", path)),
        "numbers NPZ": (".npz", lambda path: menu.write_numbers("gradients", path)),
        "weights": (".safetensors", lambda path: net("weights", path)),
        "source NumPy": (".py", lambda path: net("numpy", path)),
        "source PyTorch": (".py", lambda path: net("torch", path)),
        "animation": (".gif", lambda path: write_animation(window, path)),
    }


def write_animation(window: MainWindow, path: Path) -> None:
    """Make a short animation in its process, and tell what came of it as the dialog does."""
    process = MovieProcess(Film(((0, SPEC),), path, steps=(0, 1), size=(400, 300)))
    try:
        end = time.monotonic() + WAIT_SECONDS
        while not process.report().outcome and time.monotonic() < end:
            time.sleep(0.02)
        report = process.report()
        window.tell("notice" if report.outcome == "saved" else "error", report.text)
    finally:
        process.stop()


@contextlib.contextmanager
def disk_in_memory() -> Iterator[Path | None]:
    """A small file system of its own; None where it may not be mounted."""
    with tempfile.TemporaryDirectory() as name:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", name], capture_output=True, check=False).returncode:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def fill(folder: Path) -> None:
    """Leave no room on the disk."""
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 512)


def attempt(window: MainWindow, said: list[tuple[str, str]], write: Callable[[Path], object], path: Path, works: bool = False) -> str:
    """What is wrong with what came of writing to ``path``; "" when nothing is."""
    folder = path.parent
    before = {item.name: item.read_bytes() if item.is_file() else None for item in folder.iterdir()} if folder.is_dir() else {}
    said.clear()
    try:
        write(path)
    except Exception as error:
        return f"{type(error).__name__} was not met: {error}"
    end = time.monotonic() + WAIT_SECONDS
    while not said and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)
    if not said:
        return "nothing was told"
    if (said[0][0] == "notice") != works:
        return f"it was told: {said[0][1]}"
    after = {item.name: item.read_bytes() if item.is_file() else None for item in folder.iterdir()} if folder.is_dir() else {}
    if not works and after != before:
        return f"what was there before is changed: {sorted(set(after) ^ set(before)) or 'the content'}"
    return ""


def record_on(folder: Path) -> str:
    """Record until the disk is full; what was recorded before has to open."""
    path, experiment = folder / "run.gradviz", Experiment(SPEC)
    try:
        recorder = Recorder(path, experiment)
        try:
            for _ in range(20_000):
                experiment.advance()
                recorder.append(experiment)
        finally:
            recorder.abandon()
    except RecordingWriteError as error:
        said = str(error)
    else:
        return "the disk never was full"
    last = open_recording(path).experiment.last_step
    return "" if said and last > 0 else f"up to step {last} it can be opened, and what was told is {said!r}"


def run() -> list[dict[str, Any]]:
    """The figures: kinds of files, tries, and what went wrong."""
    with tempfile.TemporaryDirectory() as name, disk_in_memory() as disk:
        home = Path(name)
        for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, str(home / "settings"))
        make_application()
        window = MainWindow(SPEC)
        window.show()
        said: list[tuple[str, str]] = []
        window.overlays.show_error = lambda text: said.append(("error", text))  # type: ignore[method-assign]
        window.status.say = lambda text, seconds=0.0: said.append(("notice", text))  # type: ignore[method-assign]
        end = time.monotonic() + WAIT_SECONDS
        while (window.run.snapshot is None or window.run.snapshot.step < 5) and time.monotonic() < end:
            QApplication.processEvents()
        window.run.pause()
        found, tries = try_all(window, said, home, disk)
        kinds = len(writers(window)) + 1
        window.close()
        if disk is not None:
            for item in disk.iterdir():
                item.unlink()
            tries += 1
            problem = record_on(disk)
            found += [f"recording, full disk: {problem}"] if problem else []
    return [
        {
            "name": "files that cannot be written",
            "kinds": kinds,
            "tries": tries,
            "full_and_read_only_disk": disk is not None,
            "failures": len(found),
            "first_failures": found[:12],
        }
    ]


def try_all(window: MainWindow, said: list[tuple[str, str]], home: Path, disk: Path | None) -> tuple[list[str], int]:
    """What went wrong, and how often it was tried."""
    found, tries = [], 0

    def check(what: str, problem: str) -> None:
        nonlocal tries
        tries += 1
        if problem:
            found.append(f"{what}: {problem}")

    for number, (kind, (suffix, write)) in enumerate(writers(window).items()):
        folder = home / str(number)
        folder.mkdir()
        check(f"{kind}, where it can be written", attempt(window, said, write, folder / f"good{suffix}", works=True))
        (folder / f"is-a-folder{suffix}").mkdir()
        check(f"{kind}, the name is that of a folder", attempt(window, said, write, folder / f"is-a-folder{suffix}"))
        check(f"{kind}, the folder has vanished", attempt(window, said, write, folder / "gone" / f"file{suffix}"))
        if disk is None:
            continue
        old = disk / f"old{suffix}"
        old.write_bytes(OLD)
        fill(disk)
        check(f"{kind}, full disk", attempt(window, said, write, old))
        (disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        check(f"{kind}, read-only disk", attempt(window, said, write, old))
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        old.unlink()
    return found, tries
