"""Who writes a recording holds a lock on its file, which goes with the process, however that one ends: so nobody takes a file whose
program was killed for one that is growing."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def hold(file: int) -> None:
    """Lock an open file for as long as it stays open; does nothing where files cannot be locked."""
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # a disk of another machine that knows no locks: `is_written` finds the same


def is_written(path: Path) -> bool:
    """Whether somebody writes this recording now; raises OSError when there is no such file.

    Where files cannot be locked, the log beside it has to tell, which a program that is killed leaves behind.
    """
    log = path.with_name(path.name + "-wal")
    if sys.platform == "win32":
        return log.exists()
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return log.exists()
    return False
