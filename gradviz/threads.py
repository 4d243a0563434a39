"""How many threads the linear algebra takes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradviz.training import Trainer

WORK_FOR_TWO_THREADS = 100_000_000  # multiply-adds of a forward pass from which a second BLAS thread pays


@functools.cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController  # looks through the loaded libraries: only once, and not on import

    return ThreadpoolController().select(user_api="blas")


def threads_worth_using(trainer: Trainer) -> int:
    """One BLAS thread, except for a net so large that a second one pays more than it costs."""
    work = trainer.batches.size * trainer.network.shared_work
    return 2 if work >= WORK_FOR_TWO_THREADS else 1


def use_threads(wanted: int) -> None:
    """Set how many threads the BLAS takes, for the whole process."""
    # asked before every step (half a microsecond): the number holds for the whole process, decides how sums are rounded,
    # and another experiment may have changed it
    for library in _blas().lib_controllers:
        if library.num_threads != wanted:
            library.set_num_threads(wanted)


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread for the time being: in many small decompositions a second one costs more than it pays."""
    before = max(threads_in_use(), default=1)
    use_threads(1)
    try:
        yield
    finally:
        use_threads(before)


def threads_in_use() -> set[int]:
    """How many threads the BLAS takes now: one number, unless several libraries disagree."""
    return {library.num_threads for library in _blas().lib_controllers}
