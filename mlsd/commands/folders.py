"""Folders of runs: no two runs ever write into the same one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from mlsd.errors import InputError
from mlsd.locks import locked


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """A folder that is this run's alone: the one asked for, or that name with -2, -3 and so on.

    It may be there already, empty. While it is claimed, a hidden file beside it says so; a folder that is
    still empty at the end is removed.
    """
    for number in count(1):
        mine = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        with locked(mine.with_name(f".{mine.name}.claim"), wait=False) as held:
            if held and is_free(mine):
                try:
                    yield mine
                finally:
                    with suppress(OSError):
                        mine.rmdir()
                return


def is_free(folder: Path) -> bool:
    """Whether a folder is not there, or empty."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def require_free(folder: Path) -> None:
    """Refuse a folder that somebody named and that holds something.

    Raises:
        InputError: it exists and is not empty.
    """
    if not is_free(folder):
        raise InputError(f"{folder} exists and is not empty: name another folder, or move it away")
