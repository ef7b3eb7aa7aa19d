"""What is put before raters: what any system found, and some items that none of them did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlsd import ragged, rng
from mlsd.types import Candidates, Ints


def union(lists: Sequence[Candidates]) -> Candidates:
    """The items of all lists of the same requests, each once, ascending within a request.

    Example:
        >>> first = Candidates(np.array([0, 2, 2]), np.array([5, 3]))
        >>> second = Candidates(np.array([0, 1, 2]), np.array([3, 8]))
        >>> both = union([first, second])
        >>> both.offsets.tolist(), both.items.tolist()
        ([0, 2, 3], [3, 5, 8])
    """
    rows = np.concatenate([one.request_rows for one in lists])
    items = np.concatenate([one.items for one in lists])
    width = 1 + int(items.max(initial=0))
    pairs = np.unique(rows * width + items)
    return Candidates(np.searchsorted(pairs, np.arange(lists[0].n_requests + 1) * width), pairs % width)


def pooled(
    found: Sequence[Candidates], depth: int, random_share: float, request_id: Ints, n_items: int, seed: int
) -> Candidates:
    """The union of the first `depth` candidates of every system, and random items of the catalog.

    Of a request's pool about `random_share` are random; drawn by request, so that they depend on nothing
    else. What both a system and chance brought counts as found. A request for which nobody found anything
    has no pool. Column `random`: whether chance alone brought the item.

    Args:
        found: of each system, the same requests' candidates, best first.
        depth: of the pool.
        random_share: in [0, 1).
        request_id: (n_requests,).
        n_items: of the catalog.
        seed: of the random items.
    """
    cut = [one.take(*ragged.first(one.offsets, depth)) for one in found]
    listed = union([Candidates(one.offsets, one.items) for one in cut])
    n_random = np.ceil(listed.counts * random_share / (1 - random_share)).astype(np.int64)
    offsets = ragged.offsets_of_counts(n_random)
    drawn = rng.integers(
        seed, "random items", n_items, np.repeat(request_id, n_random), ragged.positions(offsets)
    )
    everything = union([listed, Candidates(offsets, drawn)])
    known, _ = ragged.find_pairs(
        (everything.request_rows, everything.items), (listed.request_rows, listed.items)
    )
    return everything.with_columns(random=~known)
