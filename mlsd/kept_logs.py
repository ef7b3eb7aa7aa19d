"""Logs of all kinds, parsed once and kept in the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mlsd.datasets.source import Source
from mlsd.errors import InputError
from mlsd.store import Store, code_version, key_of

T = TypeVar("T")


def read_once(
    kind: str,
    source: Source,
    store: Store,
    read: Callable[[], T],
    save: Callable[[T, Path], None],
    load: Callable[[Path], T],
) -> T:
    """A log, parsed where the store does not have it yet.

    Its key is of the bytes of its files as they lie on disk, of how they are to be read and of mlsd's own
    source; nothing is written beside the data. What is returned always comes from the store.

    Args:
        kind: what the store calls it.
        source: where it lies.
        store: where it is kept.
        read: reads the source anew.
        save: writes the log into an empty folder.
        load: reads it back.

    Raises:
        InputError: as `read`, or the files changed while they were read.
    """
    stored = source.stored_hash()

    def parsed() -> T:
        log = read()
        if source.stored_hash() != stored:
            raise InputError(f"the files of {source.name} changed while they were read; try again")
        return log

    key = key_of(code_version(), source.options(), stored)
    return store.get_or_make(kind, key, parsed, save, load)
