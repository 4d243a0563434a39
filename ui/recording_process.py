"""Writes a recording in a process of its own, so that keeping a run on disk takes next to nothing of its training.

The engine gathers into blocks of shared memory, as there is no time to send that much through a pipe; the writer gives each block back
when it is done with it. An engine that is too fast for the disk waits for a block.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

from gradviz.recording_format import RecordingWriteError

BLOCKS = 3  # one in work, one on its way, one to spare


class Remote:
    """The engine's end; a `gradviz.recording_writer.Channel`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._blocks: dict[int, SharedMemory] = {}
        self._free: list[int] = []
        self._made = 0

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

    def close(self) -> None:
        self._connection.close()
        for block in self._blocks.values():
            block.close()

    def _make_blocks(self, size: int) -> None:
        numbers = range(self._made, self._made + BLOCKS)
        self._made += BLOCKS
        self._blocks = {number: SharedMemory(create=True, size=size) for number in numbers}
        self._free = list(numbers)
        self._send(("blocks", {number: block.name for number, block in self._blocks.items()}))

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
        if content in self._blocks:
            self._free.append(content)

    def _tell_why(self, error: OSError) -> None:
        """The writer has ended; what it said before comes first."""
        while True:
            self._receive()


def write_recording(connection: Connection, path: Path) -> None:
    """The writer's main loop: ends when the recorder closes its end, or when the file cannot be written any further."""
    from gradviz.recording_writer import RecordingWriter  # in this process only

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    blocks: dict[int, SharedMemory] = {}
    try:
        writer = RecordingWriter(path)
        try:
            while True:
                message = connection.recv()
                if message[0] == "blocks":
                    blocks = _attached(message[1])
                    continue
                writer.take(message, _Memories(blocks))
                if message[0] == "steps":
                    connection.send(("free", message[1]))
        except (EOFError, ConnectionResetError, BrokenPipeError):
            writer.end()
    except OSError as error:
        try:
            connection.send(("failed", str(error)))
        except OSError:
            return  # nobody is there to be told


class _Memories:
    """The memory of the blocks by their numbers."""

    def __init__(self, blocks: Mapping[int, SharedMemory]) -> None:
        self._blocks = blocks

    def __getitem__(self, number: int) -> Any:
        return self._blocks[number].buf


def _attached(names: Mapping[int, str]) -> dict[int, SharedMemory]:
    blocks = {number: SharedMemory(name) for number, name in names.items()}
    for block in blocks.values():
        block.unlink()  # the mapping stays; the name goes at once, so that nothing is left whoever dies first
    return blocks
