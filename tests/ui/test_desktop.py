"""The entry in the desktop's menu, the icon and the kinds of file, as a desktop reads them."""

import configparser
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ui import desktop
from ui.app import main

ROOT = Path(__file__).parents[2]
KINDS = {"application/vnd.gradviz.session+json": "*.gradviz.json", "application/vnd.gradviz.recording": "*.gradviz"}

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="about desktops that follow freedesktop.org")


def entry(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(path, encoding="utf-8")
    return parser["Desktop Entry"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "the user's data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder


def test_entry_kinds_and_icon_belong_together() -> None:
    shipped = entry(desktop.ENTRY)
    assert shipped["Exec"] == "gradviz %f"
    kinds = ElementTree.parse(desktop.FILES["mime/packages/gradviz.xml"]).getroot()
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    patterns = {kind.get("type"): kind.find(f"{space}glob").get("pattern") for kind in kinds}  # type: ignore[union-attr]
    assert patterns == KINDS
    assert set(shipped["MimeType"].strip(";").split(";")) == set(KINDS)
    assert f"icons/hicolor/scalable/apps/{shipped['Icon']}.svg" in desktop.FILES


def test_a_desktop_finds_the_program_and_its_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home.parent / "a folder, 100% \"odd\" $HOME `x` \\" / "gradviz"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert main(["--install-desktop"]) == 0

    written = entry(home / "applications" / "gradviz.desktop")
    command = written["Exec"].replace("\\\\", "\\")  # a value's own escapes come off first; then the command is quoted as for a shell
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, check=True, text=True).stdout.splitlines()
    assert [word.replace("%%", "%") for word in words] == [str(program), "%f"]
    assert written["TryExec"].replace("\\\\", "\\") == str(program)
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", str(home / "applications" / "gradviz.desktop")], check=True)

    ask = "from PySide6.QtCore import QMimeDatabase as D; import sys; m = D.MatchMode.MatchExtension; "
    ask += "print(*(D().mimeTypeForFile(n, m).name() for n in ('a.gradviz.json', 'a.gradviz', 'a.json')))"
    told = subprocess.run([sys.executable, "-c", ask], env=os.environ, capture_output=True, check=True, text=True).stdout
    assert told.split() == [*KINDS, "application/json"]

    assert main(["--remove-desktop"]) == 0
    assert not any((home / place).exists() for place in desktop.FILES)
    assert main(["--remove-desktop"]) == 0, "there is nothing left to take away"


def test_a_checkout_is_started_by_its_python(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["main.py"])
    assert main(["--install-desktop"]) == 0
    assert shlex.split(entry(home / "applications" / "gradviz.desktop")["Exec"]) == [sys.executable, str(ROOT / "main.py"), "%f"]


def test_what_cannot_be_written_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.write_text("a file where the folder should be")
    assert main(["--install-desktop"]) == 1
    said = capsys.readouterr().err
    assert "gradviz.desktop cannot be written" in said
    assert len(said.splitlines()) == 1


def test_without_the_desktops_programs_it_says_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["--install-desktop"]) == 0
    assert "update-mime-database" in capsys.readouterr().err
    assert all((home / place).is_file() for place in desktop.FILES)
