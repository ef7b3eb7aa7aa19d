"""How the rows of a log become pages on which they compete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mlsd import checks, ragged
from mlsd.datasets.ctr import SPLITS, CtrLog
from mlsd.errors import InputError
from mlsd.types import Array, Ints

PageBy = Literal["order", "user"]
PAGE_BY: tuple[PageBy, ...] = ("order", "user")

WINDOWS = dict(zip(SPLITS, ("ranking", "validation", "test"), strict=True))
"""Split of a log of clicks -> the window of requests that it becomes."""


@dataclass(frozen=True)
class Pages:
    """Rows of a log, page by page.

    Args:
        rows: (n,) rows of the log, those of a page together.
        offsets: (n_pages + 1,) int64: the rows of page p are `rows[offsets[p]:offsets[p + 1]]`.
        window: (n_pages,) the window of each page.
    """

    rows: Ints
    offsets: Ints
    window: Array

    @staticmethod
    def of(log: CtrLog, n_rows: int, by: PageBy) -> Pages:
        """Cut a log into pages, each within a split.

        Args:
            log: with its splits.
            n_rows: of a page, at most.
            by: "order": rows that follow each other make a page. "user": rows of one user that do.

        Raises:
            InputError: pages are to be by user, and the log does not tell users apart.
        """
        checks.at_least("n_rows", n_rows, 1)
        if by == "user" and log.user is None:
            raise InputError(f"pages cannot be by user: {log.name} does not tell users apart; say by order")
        parts = [
            _of_split(np.arange(rows.start, rows.stop), log.user if by == "user" else None, n_rows)
            for rows in (log.splits[split] for split in SPLITS)
        ]
        counts = [counts for _, counts in parts]
        window = np.repeat(np.array(list(WINDOWS.values())), [len(of_split) for of_split in counts])
        rows = np.concatenate([rows for rows, _ in parts])
        return Pages(rows, ragged.offsets_of_counts(np.concatenate(counts)), window)

    def __len__(self) -> int:
        return len(self.offsets) - 1


def _of_split(rows: Ints, user: Ints | None, n_rows: int) -> tuple[Ints, Ints]:
    """The rows, page by page, and how many each page has."""
    if user is None:
        return rows, _counts(np.array([len(rows)]), n_rows)
    order = np.argsort(user[rows], kind="stable")
    _, sizes = np.unique(user[rows], return_counts=True)
    return rows[order], _counts(sizes, n_rows)


def _counts(sizes: Ints, n_rows: int) -> Ints:
    """Rows of each page: as many full ones as there are, then what is left over.

    Example:
        >>> _counts(np.array([5, 2, 4]), 2).tolist()
        [2, 2, 1, 2, 2, 2]
    """
    n_pages = -(-sizes // n_rows)
    counts = np.full(int(n_pages.sum()), n_rows, np.int64)
    last = np.cumsum(n_pages) - 1
    counts[last[n_pages > 0]] = (sizes - (n_pages - 1) * n_rows)[n_pages > 0]
    return counts
