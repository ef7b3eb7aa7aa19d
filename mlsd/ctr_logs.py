"""Logs of clicks, parsed once and kept in the store."""

from __future__ import annotations

from pathlib import Path

from mlsd.datasets import ctr
from mlsd.datasets.ctr import CtrLog
from mlsd.datasets.ctr_source import CtrSource, Reader
from mlsd.errors import InputError
from mlsd.store import Store, code_version, key_of

KIND = "ctr_log"


def read_kept(source: CtrSource, store: Store) -> CtrLog:
    """A log, parsed where the store does not have it yet.

    Its key is of the bytes of its files as they lie on disk, of how they are to be read and of mlsd's own
    source; nothing is written beside the data. What is returned always comes from the store.

    Raises:
        InputError: as `CtrSource.read`, or the files changed while they were read.
    """
    stored = source.stored_hash()

    def parsed() -> CtrLog:
        log = source.read()
        if source.stored_hash() != stored:
            raise InputError(f"the files of {source.name} changed while they were read; try again")
        return log

    key = key_of(code_version(), source.options(), stored)
    return store.get_or_make(KIND, key, parsed, ctr.save, ctr.load)


class KeptReader(Reader):
    """Reads logs by `read_kept`: each is parsed once and kept in a store.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, source: CtrSource) -> CtrLog:
        return read_kept(source, Store(self.folder))
