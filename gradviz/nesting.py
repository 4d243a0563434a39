"""JSON of which nothing is known: how long it is and how deep it is nested is told before anything is built of it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

MAX_BYTES, MAX_DEPTH = 2_000_000, 16  # far more than settings, a preset or a lesson has


def deeper_than(depth: int, content: bytes) -> bool:
    """Whether arrays and objects lie in one another more than ``depth`` deep; brackets in texts do not count."""
    marks = np.frombuffer(content.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    outside = np.cumsum(marks == ord('"'), dtype=np.int32) % 2 == 0
    steps = ((marks == ord("[")) | (marks == ord("{"))).astype(np.int8) - ((marks == ord("]")) | (marks == ord("}")))
    return bool(np.cumsum(steps * outside, dtype=np.int32).max(initial=0) > depth)


def decode_json(content: bytes, kind: Any = Any) -> Any:
    """JSON of at most `MAX_BYTES` and `MAX_DEPTH`, as ``kind``; raises ValueError saying what is wrong with it."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {len(content):,} bytes, more than {MAX_BYTES:,}")
    if deeper_than(MAX_DEPTH, content):
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None
