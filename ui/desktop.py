"""GradViz in the menu of a Linux desktop: an entry, an icon, and the two kinds of file that a double click opens with it.

A wheel lays the same files beside the program, but a desktop looks only into a few folders, an environment of its own is none
of them, and no installer tells the desktop of new kinds of file. So the program does it, on request and for one user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gradviz.resources import RESOURCES
from gradviz.safe_write import write_safely

ENTRY = RESOURCES / "desktop" / "gradviz.desktop"
FILES = {
    "applications/gradviz.desktop": ENTRY,
    "icons/hicolor/scalable/apps/gradviz.svg": RESOURCES / "icons" / "gradviz.svg",
    "mime/packages/gradviz.xml": RESOURCES / "desktop" / "gradviz.xml",
}
"""Where in the user's data folder each file goes."""

DATABASES = {"update-mime-database": "mime", "update-desktop-database": "applications"}
"""The desktop's own programs that read such a folder anew."""


def install() -> int:
    """Write the files and tell the desktop; returns the exit status."""
    if sys.platform in ("win32", "darwin"):
        print("gradviz: --install-desktop is for Linux desktops", file=sys.stderr)
        return 1
    home = _data_home()
    for place, source in FILES.items():
        path = home / place
        content = _entry(_program()).encode() if source == ENTRY else source.read_bytes()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_safely(path, content)
        except OSError as error:
            print(f"gradviz: {path} cannot be written: {error.strerror or error}", file=sys.stderr)
            return 1
    missing = _update(home)
    print(f"GradViz is in the menu: {home / 'applications' / 'gradviz.desktop'}")
    if missing:
        print(f"gradviz: a double click needs {', '.join(missing)}, which this system does not have", file=sys.stderr)
    return 0


def remove() -> int:
    """Take away what `install` wrote; returns the exit status."""
    home = _data_home()
    try:
        for place in FILES:
            (home / place).unlink(missing_ok=True)
    except OSError as error:
        print(f"gradviz: {error.filename} cannot be removed: {error.strerror}", file=sys.stderr)
        return 1
    _update(home)
    print("GradViz is no longer in the menu.")
    return 0


def _data_home() -> Path:
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".local" / "share"  # the standard ignores relative ones


def _program() -> list[str]:
    """What this program was started as, in a form that can be started from anywhere."""
    if getattr(sys, "frozen", False):  # a one-folder build
        return [sys.executable]
    started = os.path.abspath(shutil.which(sys.argv[0]) or sys.argv[0])
    return [sys.executable, started] if started.endswith(".py") else [started]


def _entry(program: list[str]) -> str:
    """The desktop entry for this program."""
    text = ENTRY.read_text()
    words = " ".join(_quoted(word) for word in program)
    text = text.replace("Exec=gradviz %f", f"Exec={_escaped(words)} %f", 1)
    return text.replace("TryExec=gradviz", f"TryExec={_escaped(program[0])}", 1)


def _quoted(word: str) -> str:
    """A word of the command in an entry: in double quotes, and with what is special inside of them escaped."""
    for special in ("\\", '"', "`", "$"):
        word = word.replace(special, f"\\{special}")
    return f'"{word.replace("%", "%%")}"'


def _escaped(text: str) -> str:
    """A value of an entry, whatever it is."""
    return text.replace("\\", "\\\\")


def _update(home: Path) -> list[str]:
    """Have the databases made anew; returns the programs that this system lacks."""
    missing = []
    environment = os.environ.copy()
    if getattr(sys, "frozen", False):  # the libraries of the one-folder build are not for the system's programs
        environment["LD_LIBRARY_PATH"] = environment.get("LD_LIBRARY_PATH_ORIG", "")
    for program, folder in DATABASES.items():
        if shutil.which(program) is None:
            missing.append(program)
        elif (home / folder).is_dir():
            subprocess.run([program, str(home / folder)], env=environment, check=False)  # what is wrong, it says itself
    return missing
