"""Short versions of tests/benchmarks/soak.py: damaged files of every kind, a full disk, random actions on the real window."""

import errno
import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.benchmarks import soak_files
from tests.benchmarks.soak_disk import OLD, writers
from tests.benchmarks.soak_monkey import Monkey
from tests.ui.live import opened
from ui.main_window import MainWindow
from ui.presets import preset_named

ACTIONS = 60
FILES = 20  # of each kind
IN_THE_ENGINE = ("weights", "source NumPy", "source PyTorch", "animation")  # written by processes of their own


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    preset = preset_named("vanishing")
    window = opened(qtbot, preset.spec, preset=preset)
    window.resize(1400, 900)
    return window


@pytest.mark.parametrize("kind", sorted(soak_files.kinds()))
def test_damaged_files_are_read_or_refused_with_a_typed_error(kind: str) -> None:
    part = soak_files.try_files(kind, 0, FILES)
    assert part.files == part.read + part.refused == FILES
    assert not part.failures


def test_random_actions_raise_nothing_and_qt_warns_of_nothing(window: MainWindow, tmp_path: Path) -> None:
    with Monkey(window, 7, tmp_path) as monkey:
        monkey.act(ACTIONS)
        monkey.come_to_rest(0.2)
    assert len(monkey.done) == ACTIONS
    assert monkey.problems == []
    assert window.run.snapshot is not None
    assert window.run.snapshot.spec == preset_named("vanishing").spec, "after all that it still does what it is told"


def test_on_a_full_disk_every_old_file_stays_and_the_user_is_told(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for kind, (suffix, write) in writers(window).items():
        if kind in IN_THE_ENGINE:
            continue
        path = tmp_path / f"old{suffix}"
        path.write_bytes(OLD)
        window.overlays.show_error("")
        write(path)
        assert path.read_bytes() == OLD, kind
        assert "No space left on device" in window.overlays.banner.text, kind
        path.unlink()
    assert not [item for item in tmp_path.iterdir() if item.suffix == ".part"]
