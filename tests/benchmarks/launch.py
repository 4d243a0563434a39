"""Seconds from the launch of the program to its first painted window, against a bare PySide6 + pyqtgraph window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.result import Result, in_turn

HERE = Path(__file__).parent
ROUNDS = 7


def run() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as settings:
        ours, bare = (partial(_launch, program, settings) for program in (HERE.parents[1] / "main.py", HERE / "bare_window.py"))
        in_turn(1, ours, bare)  # read the files from disk once
        value, peer_value = in_turn(ROUNDS, ours, bare)
    yield Result("launch to first frame", value, "s", "bare PySide6 + pyqtgraph window", peer_value)


def _launch(program: Path, settings: str) -> float:
    environment = os.environ | {"XDG_CONFIG_HOME": settings}
    command = [sys.executable, str(HERE / "first_frame.py"), str(program), str(time.time())]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    if ended.returncode:
        raise RuntimeError(f"{program.name} ended before its first frame:\n{ended.stderr}")
    return float(ended.stdout)
