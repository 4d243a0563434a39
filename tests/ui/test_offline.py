"""``train`` and ``render`` open no network connection: each runs in a process that ends at the first attempt to."""

import subprocess
import sys
from pathlib import Path

import pytest

from ui.app import VIEWS

ROOT = Path(__file__).parents[2]
CAUGHT = 99
# an audit hook sees what the interpreter is asked to do, whoever asks, and os._exit cannot be caught like an exception; Qt's own
# sockets it does not see, so that its network module must not even be loaded
WATCH = f"""
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        os.write(2, f"{{event}} {{arguments}}".encode())
        os._exit({CAUGHT})

sys.addaudithook(refuse)
"""
RUN = """
import runpy
for arguments in {commands!r}:
    sys.argv = ["main.py", *arguments]
    try:
        runpy.run_path("main.py", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
if "PySide6.QtNetwork" in sys.modules:
    sys.exit("QtNetwork is loaded")
"""


def watched(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WATCH + code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)


@pytest.mark.parametrize(
    ("attempt", "event"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "socket.getaddrinfo"),
        ("import socket; socket.socket().connect(('127.0.0.1', 9))", "socket.connect"),
        ("import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))", "socket.sendto"),
        ("import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')", "urllib.Request"),
        ("try:\n    import socket; socket.socket().connect_ex(('127.0.0.1', 9))\nexcept BaseException:\n    pass", "socket.connect"),
    ],
)
def test_an_attempt_would_be_caught(attempt: str, event: str) -> None:
    done = watched(attempt)
    assert done.returncode == CAUGHT
    assert done.stderr.startswith(event)


def test_training_opens_no_connection() -> None:
    done = watched(RUN.format(commands=[["train", "--preset", "digits", "--steps", "3", "--json"]]))
    assert (done.returncode, done.stderr) == (0, "")
    assert '"step": 3' in done.stdout


def test_drawing_opens_no_connection(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{view}.{ending}" for view in VIEWS for ending in ("png", "svg")]
    commands = [["render", "--preset", "digits", "--steps", "3", "--view", path.stem, "-o", str(path)] for path in pictures]
    for command, path in zip(commands, pictures, strict=True):
        if path.stem == "compare":
            command += ["--change", "network.depth=2"]
    done = watched(RUN.format(commands=commands))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert all(path.stat().st_size > 500 for path in pictures)
