"""Writes a recording in a process of its own, so that keeping a run on disk takes next to nothing of its training.

The engine gathers into blocks of shared memory, as there is no time to send that much through a pipe; the writer gives each block back
when it is done with it. An engine that is too fast for the disk waits for a block.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

from gradviz.recording_format import RecordingWriteError

BLOCKS = 3  # one in work, one on its way, one to spare
GRACE_SECONDS = 2.0  # how long a writer may take to start
WHOLE_SECONDS = 2.0  # and to write the last of a recording; what it does later is not waited for


class WriterProcess:
    """The process that writes one recording, as seen by who starts it; ``connection`` is for the `Remote` of who records."""

    def __init__(self, path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        # no daemon: one that is still writing is waited for
        self._process = context.Process(target=write_recording, args=(theirs, path), name="gradviz-recording")
        self._process.start()
        theirs.close()

    @property
    def running(self) -> bool:
        return self._process.is_alive()

    def join(self, seconds: float | None = None) -> None:
        """Wait until it has written all, which it does when the recorder is closed; one that takes longer than so long is ended."""
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


class _Block(SharedMemory):
    """Shared memory that may be closed while an array still looks into it; it goes when that one goes."""

    def close(self) -> None:
        with contextlib.suppress(BufferError):
            super().close()


class Remote:
    """The engine's end; a `gradviz.recording_writer.Channel`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._blocks: dict[int, _Block] = {}
        self._free: list[int] = []
        self._made = 0
        self._attached = False  # whether the writer has found the blocks
        self._written = False  # whether it has written the last of the recording

    def block(self, size: int) -> tuple[int, Any]:
        if not self._blocks or min(block.size for block in self._blocks.values()) < size:
            self._make_blocks(size)
        while not self._free:
            self._receive()
        number = self._free.pop(0)
        return number, self._blocks[number].buf

    def put(self, message: tuple[Any, ...]) -> None:
        while self._connection.poll():
            self._receive()
        self._send(message)
        if message[0] == "close":
            while not self._written and self._connection.poll(WHOLE_SECONDS):
                self._receive()

    def close(self) -> None:
        with contextlib.suppress(RecordingWriteError):
            while self._blocks and not self._attached and self._connection.poll(GRACE_SECONDS):
                self._receive()  # a writer that is still starting has to find the blocks
        self._connection.close()
        for block in self._blocks.values():
            block.close()
            with contextlib.suppress(FileNotFoundError):  # as a rule the writer has taken the name away already
                block.unlink()
        self._blocks = {}

    def _make_blocks(self, size: int) -> None:
        numbers = range(self._made, self._made + BLOCKS)
        self._made += BLOCKS
        before, self._blocks = self._blocks, {number: _Block(create=True, size=size) for number in numbers}
        self._free, self._attached = list(numbers), False
        self._send(("blocks", {number: block.name for number, block in self._blocks.items()}))
        for block in before.values():
            block.close()

    def _send(self, message: tuple[Any, ...]) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            self._tell_why(error)

    def _receive(self) -> None:
        try:
            kind, content = self._connection.recv()
        except (EOFError, OSError) as error:
            raise RecordingWriteError("The recording is not written any further: its process has ended.") from error
        if kind == "failed":
            raise RecordingWriteError(content)
        if kind == "attached":
            self._attached = True
        elif kind == "written":
            self._written = True
        elif content in self._blocks:
            self._free.append(content)

    def _tell_why(self, error: OSError) -> None:
        """The writer has ended; what it said before comes first."""
        while True:
            self._receive()


def write_recording(connection: Connection, path: Path) -> None:
    """The writer's main loop: ends when the recorder closes its end, or when the file cannot be written any further."""
    from gradviz.recording_writer import RecordingWriter  # in this process only

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    blocks: dict[int, _Block] = {}
    try:
        writer = RecordingWriter(path)
        try:
            while True:
                message = connection.recv()
                if message[0] == "blocks":
                    blocks = _attached(message[1])
                    with contextlib.suppress(OSError):
                        connection.send(("attached", None))
                    continue
                writer.take(message, _Memories(blocks))
                with contextlib.suppress(OSError):  # an engine that is gone has left more to read
                    if message[0] == "steps":
                        connection.send(("free", message[1]))
                    elif message[0] == "close":
                        connection.send(("written", None))
        except (EOFError, ConnectionResetError, BrokenPipeError):
            writer.end()
    except OSError as error:
        try:
            connection.send(("failed", str(error)))
        except OSError:
            return  # nobody is there to be told


class _Memories:
    """The memory of the blocks by their numbers."""

    def __init__(self, blocks: Mapping[int, _Block]) -> None:
        self._blocks = blocks

    def __getitem__(self, number: int) -> Any:
        return self._blocks[number].buf


def _attached(names: Mapping[int, str]) -> dict[int, _Block]:
    blocks = {number: _Block(name) for number, name in names.items()}
    for block in blocks.values():
        block.unlink()  # the mapping stays; the name goes at once, so that nothing is left whoever dies first
    return blocks
