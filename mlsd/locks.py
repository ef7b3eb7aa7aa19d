"""Files that only one holder at a time can hold, in any thread of any process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a file for as long as the block lasts; a holder that is killed holds nothing.

    The file and its folder are made; the file is removed at the end.

    Args:
        path: of the file.
        wait: until nobody else holds it; otherwise the block learns whether it is held.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with locked(Path(folder, "lock")) as ours, locked(Path(folder, "lock"), wait=False) as theirs:
        ...         print(ours, theirs)
        True False
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _taken(path, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    if file is None:
        yield False
        return
    with file:
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def _taken(path: Path, how: int) -> TextIO | None:
    """The open file, locked; None where somebody else holds it and nobody waits."""
    while True:
        file = path.open("w", encoding="utf-8")
        try:
            fcntl.flock(file, how)
        except BlockingIOError:
            file.close()
            return None
        except BaseException:
            file.close()
            raise
        if _is_at(path, file):
            return file
        file.close()  # its last holder removed it while we waited


def _is_at(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
