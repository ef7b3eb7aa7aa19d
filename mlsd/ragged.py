"""Operations on ragged arrays: rows divided into segments by `offsets`, all segments at once.

`offsets` has shape (n_segments + 1,); segment s holds rows offsets[s]:offsets[s + 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Ints = NDArray[np.int64]


def offsets_of_counts(counts: Array) -> Ints:
    """(n + 1,) offsets of segments with these (n,) lengths.

    Example:
        >>> offsets_of_counts(np.array([2, 0, 3])).tolist()
        [0, 2, 2, 5]
    """
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def offsets_of_mask(mask: Array, offsets: Ints) -> Ints:
    """Offsets of what remains of each segment where `mask` holds."""
    kept = np.zeros(len(mask) + 1, np.int64)
    np.cumsum(mask, out=kept[1:])
    return kept[offsets]


def segment_ids(offsets: Ints) -> Ints:
    """(n_rows,) the segment of every row."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def positions(offsets: Ints) -> Ints:
    """(n_rows,) 0-based place of every row within its segment."""
    return np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1], np.diff(offsets))


def take_segments(offsets: Ints, segments: Array) -> tuple[Ints, Ints]:
    """Row numbers of the given segments, one after the other, and their new offsets."""
    counts = np.diff(offsets)[segments]
    taken = offsets_of_counts(counts)
    rows = np.repeat(offsets[:-1][segments] - taken[:-1], counts) + np.arange(taken[-1])
    return rows, taken


def order(scores: Array, offsets: Ints) -> Ints:
    """(n_rows,) row numbers with every segment sorted by falling score; ties keep their order, NaN goes last.

    Example:
        >>> order(np.array([1.0, 3.0, 2.0, 5.0, 5.0]), np.array([0, 3, 5])).tolist()
        [1, 2, 0, 3, 4]
    """
    return np.lexsort((-scores, segment_ids(offsets)))


def top(scores: Array, offsets: Ints, n: int) -> tuple[Ints, Ints]:
    """Row numbers of each segment's `n` highest scores, best first, and their offsets."""
    kept = positions(offsets) < n
    return order(scores, offsets)[kept], offsets_of_mask(kept, offsets)


def sums(values: Array, offsets: Ints) -> Array:
    """(n_segments, ...) sum of each segment; 0 for an empty one.

    Example:
        >>> sums(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 2, 3])).tolist()
        [3.0, 0.0, 4.0]
    """
    counted = values.dtype.kind in "bui"
    total = np.zeros((len(offsets) - 1, *values.shape[1:]), np.int64 if counted else values.dtype)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        total[filled] = np.add.reduceat(values, offsets[:-1][filled], axis=0, dtype=total.dtype)
    return total


def to_dense(values: Array, offsets: Ints, width: int, fill: float) -> Array:
    """(n_segments, width) the first `width` values of each segment, filled up with `fill`."""
    dense = np.full((len(offsets) - 1, width), fill, dtype=values.dtype)
    place = positions(offsets)
    kept = place < width
    dense[segment_ids(offsets)[kept], place[kept]] = values[kept]
    return dense


def find_pairs(wanted: tuple[Array, Array], among: tuple[Array, Array]) -> tuple[NDArray[np.bool_], Ints]:
    """Where each wanted (major, minor) pair of non-negative integers stands among others.

    Args:
        wanted: two (n,) arrays.
        among: two (m,) arrays, sorted by major, then minor, without repeats.

    Returns:
        (n,) whether the pair is there, and (n,) its row, meaningful where it is.

    Example:
        >>> wanted = (np.array([0, 1]), np.array([7, 9]))
        >>> found, rows = find_pairs(wanted, among=(np.array([0, 1]), np.array([7, 8])))
        >>> found.tolist(), rows[found].tolist()
        ([True, False], [0])
    """
    if len(among[0]) == 0:
        return np.zeros(len(wanted[0]), bool), np.zeros(len(wanted[0]), np.int64)
    width = 1 + max(int(among[1].max()), int(wanted[1].max(initial=0)))
    keys = among[0].astype(np.int64) * width + among[1]
    sought = wanted[0].astype(np.int64) * width + wanted[1]
    rows = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return keys[rows] == sought, rows
