"""Tells JSON that is nested too deep before anything is built of it."""

from __future__ import annotations

import numpy as np


def deeper_than(depth: int, content: bytes) -> bool:
    """Whether arrays and objects lie in one another more than ``depth`` deep; brackets in texts do not count."""
    marks = np.frombuffer(content.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    outside = np.cumsum(marks == ord('"'), dtype=np.int32) % 2 == 0
    steps = ((marks == ord("[")) | (marks == ord("{"))).astype(np.int8) - ((marks == ord("]")) | (marks == ord("}")))
    return bool(np.cumsum(steps * outside, dtype=np.int32).max(initial=0) > depth)
