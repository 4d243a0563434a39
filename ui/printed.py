"""Results on the standard output, which may be a full disk, or a program like `head` that has read enough."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def printed(print_results: Callable[[], None]) -> int:
    """Call what prints the results; returns the exit status, which is 1 when they could not be written. Why is said on the error output."""
    try:
        print_results()
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"gradviz: the results cannot be written: {error.strerror or error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries to write them again as it ends
        return 1
    return 0
