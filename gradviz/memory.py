"""Hands memory that is free again back to the system, so that many runs one after another take no more than those that are kept."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back_memory() -> None:
    """After large objects were dropped.

    A run's parts know one another, so that only the collector frees them; and the C library of Linux (glibc) keeps what is freed in
    the middle of its heap: several hundred megabytes after a hundred runs. Elsewhere the system's own way is left as it is.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
