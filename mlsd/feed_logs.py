"""Logs of feeds, parsed once and kept in the store."""

from __future__ import annotations

from pathlib import Path

from mlsd.datasets import feed_log
from mlsd.datasets.feed_log import FeedLog
from mlsd.datasets.feed_source import FeedReader, FeedSource
from mlsd.kept_logs import read_once
from mlsd.store import Store

KIND = "feed_log"


def read_kept(source: FeedSource, store: Store) -> FeedLog:
    """A log of a feed, parsed where the store does not have it yet; see `read_once`.

    Raises:
        InputError: as `FeedSource.read`, or the files changed while they were read.
    """
    return read_once(KIND, source, store, source.read, feed_log.save, feed_log.load)


class KeptFeedReader(FeedReader):
    """Reads logs by `read_kept`: each is parsed once and kept in a store.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, source: FeedSource) -> FeedLog:
        return read_kept(source, Store(self.folder))
