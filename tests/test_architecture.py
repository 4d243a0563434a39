"""The rules of the house that import-linter cannot see; its own contracts stand in pyproject.toml."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

LAYOUT = {"main.py", "gradviz", "ui", "resources", "tests", "pyproject.toml", "README.md", ".ci", ".gitignore"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name]


def in_a_fresh_interpreter(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout


def test_nothing_stands_beside_the_layout() -> None:
    if (ROOT / ".git").exists():  # an unpacked archive has no list of its own files
        assert {path.parts[0] for path in tracked_files()} <= LAYOUT


def test_the_engine_runs_without_loading_qt() -> None:
    code = "import sys, gradviz; gradviz.Experiment(gradviz.Spec()).step(); print(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(in_a_fresh_interpreter(code).split())
    assert "numpy" in loaded
    assert not loaded & {"PySide6", "shiboken6", "pyqtgraph", "ui", "torch"}


def test_the_engine_tests_need_no_qt() -> None:
    for path in sorted((ROOT / "tests" / "engine").rglob("*.py")):
        assert not re.search(r"^\s*(from|import) (PySide6|pyqtgraph|pytestqt|ui)\b|\bqtbot\b", path.read_text(), re.MULTILINE), path


def test_imports_inside_ui_are_relative() -> None:
    """The wheel lays `ui` under `gradviz`, where an absolute import would not find it."""
    for path in sorted((ROOT / "ui").rglob("*.py")):
        assert not re.search(r"^\s*(from|import) ui\b", path.read_text(), re.MULTILINE), path


def test_the_readme_has_two_commands_and_ci_can_find_the_second() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [command.rsplit(" ", 1)[1] for command in commands] == ["main.py", "pytest"]


def test_the_window_says_in_one_line_that_it_has_no_display() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    ended = subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "display" in ended.stderr
