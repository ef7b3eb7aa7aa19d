"""How many threads the processes of one machine may use, so that they do not fight over its cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""What libraries read, as they are loaded, to know how many threads they may use."""


def threads_each(n_workers: int) -> int:
    """Threads of each of so many processes, so that together they are no more than there are cores.

    Example:
        >>> threads_each(10_000)
        1
    """
    return max(1, (os.cpu_count() or 1) // n_workers)


@contextmanager
def limited(n_threads: int) -> Iterator[None]:
    """Processes that are started inside use so many threads."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(n_threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
