"""Logs of clicks, parsed once and kept in the store."""

from __future__ import annotations

from pathlib import Path

from mlsd.datasets import ctr
from mlsd.datasets.ctr import CtrLog
from mlsd.datasets.ctr_source import CtrSource, Reader
from mlsd.kept_logs import read_once
from mlsd.store import Store

KIND = "ctr_log"


def read_kept(source: CtrSource, store: Store) -> CtrLog:
    """A log of clicks, parsed where the store does not have it yet; see `read_once`.

    Raises:
        InputError: as `CtrSource.read`, or the files changed while they were read.
    """
    return read_once(KIND, source, store, source.read, ctr.save, ctr.load)


class KeptReader(Reader):
    """Reads logs by `read_kept`: each is parsed once and kept in a store.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, source: CtrSource) -> CtrLog:
        return read_kept(source, Store(self.folder))
