"""An animation made in a process of its own, which paints without a screen: the window and its run go on undisturbed meanwhile."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from typing import NamedTuple

from .export import ExportError
from .film import Film
from .movie import Cancelled, unfinished

NICENESS = 5  # the run in the window comes first


class Report(NamedTuple):
    """How far it is; ``outcome`` is "" while it is under way, then "saved", "cancelled" or "failed"."""

    done: int
    total: int
    outcome: str = ""
    text: str = ""


class MovieProcess:
    """The window's end; no call waits but `stop`."""

    def __init__(self, film: Film) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, far_end = context.Pipe()
        self._process = context.Process(target=shoot, args=(far_end,), name="gradviz-movie", daemon=True)
        self._process.start()
        self._film: Film | None = film  # until it has been sent
        self._temporary = unfinished(film.path, self._process.pid or 0)
        far_end.close()
        self._latest = Report(0, 0)
        self._closed = False

    def report(self) -> Report:
        """How far it is by now."""
        try:
            while not self._latest.outcome and self._connection.poll():
                self._latest = self._connection.recv()
                if self._film is not None:  # it waits for it: sooner, a pipe that nobody reads yet would block the window
                    self._connection.send(self._film)
                    self._film = None
        except (EOFError, OSError):
            self._latest = self._latest._replace(outcome="failed", text="The animation's process ended unexpectedly. Nothing was saved.")
        return self._latest

    def cancel(self) -> None:
        """Ask it to end; the report says when it has."""
        self._film = None
        with contextlib.suppress(OSError):  # it may have ended by itself
            self._connection.send("cancel")

    def end(self) -> None:
        """End the process at once, as it has nothing to save; `stop` takes away what it leaves. Safe to call twice."""
        if not self._closed:
            self._connection.close()
            self._process.kill()

    def stop(self) -> None:
        """End the process; nothing unfinished is left. Safe to call twice."""
        if self._closed:
            return
        self.end()
        self._closed = True
        self._process.join()
        self._process.close()
        with contextlib.suppress(OSError):  # on a disk that cannot be written to there is none
            self._temporary.unlink(missing_ok=True)


def shoot(connection: Connection) -> None:
    """Take a film, make it and tell how far it is; ends early when anything comes from the window or it has closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal reaches the window, which ends this
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.pop("QT_SCALE_FACTOR", None)  # the film says how many pixels it wants
    from .application import make_application
    from .film import make_film

    make_application()
    latest = Report(0, 0)
    try:
        connection.send(latest)  # ready
        film = connection.recv()
    except (EOFError, OSError):
        return  # the window has closed
    if not isinstance(film, Film):
        connection.send(latest._replace(outcome="cancelled"))
        return

    def tell(done: int, total: int) -> None:
        nonlocal latest
        latest = Report(done, total)
        connection.send(latest)

    try:
        make_film(film, tell, connection.poll)
        size = film.path.stat().st_size
        written = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
        text = f"Saved {film.path.name} in {film.path.parent}: {latest.done} frames, {written}."
        ended = latest._replace(outcome="saved", text=text)
    except Cancelled:
        ended = latest._replace(outcome="cancelled")
    except (BrokenPipeError, ConnectionResetError):
        return  # the window has closed; of the file nothing is left
    except (ExportError, ValueError, MemoryError) as error:
        text = str(error) or "There is not enough memory for this animation. Nothing was saved."
        ended = latest._replace(outcome="failed", text=text)
    with contextlib.suppress(OSError):
        connection.send(ended)
