"""Writes a file whole or not at all: the old content stays until the new one is safe on the disk."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_safely(path: Path | str, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one go.

    A full disk, a folder that may not be written to or a crash in between leave what was there before. A symbolic link stays one:
    what it points to is replaced. The file keeps its permissions.

    Raises:
        OSError: saying why; nothing has changed then, and nothing is left beside it.
    """
    write_all_safely({path: content})


def write_all_safely(contents: Mapping[Path | str, bytes]) -> None:
    """Replace several files that belong together: none of them before all are safe on the disk. See `write_safely`."""
    names: list[tuple[str, Path]] = []
    try:
        for path, content in contents.items():
            target = Path(os.path.realpath(path))
            mode = _mode(target)
            handle, name = tempfile.mkstemp(prefix=".gradviz-", suffix=".part", dir=target.parent)
            names.append((name, target))
            with open(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, mode)
        for name, target in names:
            os.replace(name, target)
    except BaseException:
        for name, _ in names:
            with contextlib.suppress(OSError):  # what is told is why it could not be written
                os.unlink(name)
        raise
    for folder in {target.parent for _, target in names}:
        _sync_folder(folder)


def _mode(target: Path) -> int:
    """The permissions that the file has, or that a new one gets."""
    try:
        found = target.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{target} is not an ordinary file")
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "The file is read-only", str(target))
    return stat.S_IMODE(found.st_mode)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where the system can: the content is whole either way."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # some network file systems cannot
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
