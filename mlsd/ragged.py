"""Operations on ragged arrays: rows divided into segments by `offsets`, all segments at once.

`offsets` has shape (n_segments + 1,); segment s holds rows offsets[s]:offsets[s + 1].
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Ints = NDArray[np.int64]

_SIGN = np.int32(-(2**31))
_LAST = np.uint32(2**32 - 1)
_HALF = np.uint64(32)
_END = np.uint64(2**64 - 1)
_CACHED_ROWS = 1 << 15
_LONG = 4
"""Rows of a segment for each of its best that are asked for, from which on it pays not to sort them all."""


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

    Segments of about the same length form rectangles, whose rows are sorted side by side as 64-bit integers:
    the score in single precision above, the place within the segment below. Scores that single precision
    cannot tell apart are then put right in their own precision, so the order is exact for every type.

    Args:
        scores: (n_rows,) of any real type; 0.0 and -0.0 are equal.
        offsets: (n_segments + 1,).

    Example:
        >>> order(np.array([1.0, 3.0, 2.0, 5.0, 5.0]), np.array([0, 3, 5])).tolist()
        [1, 2, 0, 3, 4]
    """
    rows = np.arange(len(scores))
    for starts, counts in _rectangles(offsets):
        _sort_segments(scores, starts, counts, rows)
    return rows if scores.dtype in (np.float32, np.float16) else _refined(rows, scores, offsets)


def top(scores: Array, offsets: Ints, n: int) -> tuple[Ints, Ints]:
    """Row numbers of each segment's `n` highest scores, best first, and their offsets.

    As `order` has them; of long segments only rows that may be among the best are sorted.

    Example:
        >>> rows, kept = top(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 3, 4]), 2)
        >>> rows.tolist(), kept.tolist()
        ([1, 2, 3], [0, 2, 3])
    """
    is_long = 0 < n * (len(offsets) - 1) * _LONG < len(scores)
    if not is_long or scores.dtype.kind != "f" or np.isnan(scores).any():
        places, kept = first(offsets, n)
        return order(scores, offsets)[places], kept
    rows, left = _contenders(scores, offsets, n, -np.inf)
    places, kept = first(left, n)
    return rows[order(scores[rows], left)[places]], kept


def first(offsets: Ints, n: int) -> tuple[Ints, Ints]:
    """Row numbers of the first `n` rows of each segment, and their offsets.

    Example:
        >>> rows, kept = first(np.array([0, 3, 4]), 2)
        >>> rows.tolist(), kept.tolist()
        ([0, 1, 3], [0, 2, 3])
    """
    kept = offsets_of_counts(np.minimum(np.diff(offsets), n))
    return np.arange(kept[-1]) + np.repeat(offsets[:-1] - kept[:-1], np.diff(kept)), kept


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


def maxima(values: Array, offsets: Ints) -> Array:
    """(n_segments,) highest value of each segment, none of which is empty.

    Example:
        >>> maxima(np.array([1.0, 4.0, 2.0]), np.array([0, 2, 3])).tolist()
        [4.0, 2.0]
    """
    return np.maximum.reduceat(values, offsets[:-1]) if len(values) else values


def argmax(values: Array, offsets: Ints) -> Ints:
    """(n_segments,) row of the first highest value of each segment, none of which is empty.

    Args:
        values: (n_rows,) without NaN.
        offsets: (n_segments + 1,).

    Example:
        >>> argmax(np.array([1.0, 4.0, 4.0, 2.0]), np.array([0, 3, 4])).tolist()
        [1, 3]
    """
    best = np.flatnonzero(values == np.repeat(maxima(values, offsets), np.diff(offsets)))
    has_ties = len(best) >= len(offsets)
    return best[np.searchsorted(best, offsets[:-1])] if has_ties else best


def leaders(scores: Array, offsets: Ints, n: int, above: float = -np.inf) -> Ints:
    """(n_segments, n) row of each segment's `n` highest scores, best first; -1 where there are fewer.

    Ties keep their order. Nothing is sorted: each segment is cut into 2 `n` pieces, and only rows that reach
    the `n`-th highest of the pieces' maxima can be among its `n` best. `n` rounds of argmax over those few
    find them.

    Args:
        scores: (n_rows,) float64 without NaN.
        offsets: (n_segments + 1,).
        n: 1 or more.
        above: a row whose score is not above this takes no part.

    Example:
        >>> leaders(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 3, 4]), 2).tolist()
        [[1, 2], [3, -1]]
        >>> leaders(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 3, 4]), 2, above=2).tolist()
        [[1, -1], [3, -1]]
    """
    rows, kept = _contenders(scores, offsets, n, np.nextafter(above, np.inf))
    leading = np.full((len(offsets) - 1, n), -1, np.int64)
    filled = np.flatnonzero(np.diff(kept))
    if len(filled):
        counts, ends = np.diff(kept)[filled], np.append(kept[:-1][filled], kept[-1])
        best, left = np.empty((n, len(filled)), np.int64), scores[rows]
        for place in range(n):
            best[place] = argmax(left, ends)
            left[best[place]] = -np.inf
        leading[filled] = np.where(np.arange(n) < counts[:, None], rows[best.T], -1)
    return leading


def blocks(offsets: Ints, n_rows: int) -> Iterator[slice]:
    """Consecutive segments in blocks of about `n_rows` rows, none of which ends within a segment.

    Example:
        >>> list(blocks(np.array([0, 3, 4, 9, 10]), 4))
        [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    cuts = np.flatnonzero(np.diff(offsets[:-1] // n_rows)) + 1
    edges = [0, *cuts.tolist(), len(offsets) - 1]
    yield from (slice(start, end) for start, end in itertools.pairwise(edges))


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


def _contenders(scores: Array, offsets: Ints, n: int, least: float) -> tuple[Ints, Ints]:
    """Rows that may be among the `n` best of their segment and are `least` or more, and their offsets."""
    counts = np.diff(offsets)
    bounds = np.full(len(counts), least)
    filled = np.flatnonzero(counts)
    if len(filled):
        pieces = offsets[:-1][filled, None] + counts[filled, None] * np.arange(2 * n) // (2 * n)
        highest = np.maximum.reduceat(scores, pieces.reshape(-1)).reshape(-1, 2 * n)
        reached = np.partition(highest, n, axis=1)[:, n]
        is_cut = counts[filled] >= 2 * n
        bounds[filled] = np.maximum(bounds[filled], np.where(is_cut, reached, -np.inf))
    rows = np.flatnonzero(scores >= np.repeat(bounds, counts))
    return rows, np.searchsorted(rows, offsets)


def _falling_keys(scores: Array) -> NDArray[np.uint32]:
    """Integers of the same shape that rise where scores, in single precision, fall; NaN is the highest."""
    with np.errstate(over="ignore"):
        negated = np.float32(0) - scores.astype(np.float32, copy=False)
    is_nan = np.isnan(negated)
    bits = negated.view(np.int32)
    flipped = bits >> 31
    flipped |= _SIGN
    bits ^= flipped
    keys = bits.view(np.uint32)
    np.putmask(keys, is_nan, _LAST)
    return keys


def _rectangles(offsets: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Starts and lengths of the segments that need sorting, in batches of similar length that fit in a cache.

    The longest of a batch is at most a quarter longer than the shortest.
    """
    counts = np.diff(offsets)
    steps = 1 << np.maximum(np.frexp(counts)[1] - 3, 0)
    lengths = -(-counts // steps) * steps
    for length in np.unique(lengths[counts > 1]):
        segments = np.flatnonzero(lengths == length)
        n_batch = max(_CACHED_ROWS // int(length), 1)
        for i in range(0, len(segments), n_batch):
            batch = segments[i : i + n_batch]
            yield offsets[batch], counts[batch]


def _sort_segments(scores: Array, starts: Ints, counts: Ints, rows: Ints) -> None:
    """Write the sorted row numbers of these segments to their places in `rows`."""
    width = int(counts.max())
    if counts.min() == width and starts[-1] - starts[0] == (len(starts) - 1) * width:
        block = slice(starts[0], starts[-1] + width)
        rows[block] = _sorted_rows(scores[block].reshape(-1, width), starts).reshape(-1)
        return
    places = np.arange(width)
    at = starts[:, None] + places
    filled = places < counts[:, None]
    rows[at[filled]] = _sorted_rows(scores.take(at, mode="clip"), starts, filled)[filled]


def _sorted_rows(scores: Array, starts: Ints, filled: Array | None = None) -> Ints:
    """(n_segments, width) row numbers by falling score; what is not filled goes last."""
    packed = _falling_keys(scores).astype(np.uint64)
    packed <<= _HALF
    packed |= np.arange(scores.shape[1], dtype=np.uint64)
    if filled is not None:
        packed[~filled] = _END
    packed.sort(axis=1)
    return starts[:, None] + packed.astype(np.uint32)


def _refined(rows: Ints, scores: Array, offsets: Ints) -> Ints:
    """`rows` with scores that are equal in single precision in the order of the scores themselves."""
    ranked, starts = scores[rows], offsets[:-1][np.diff(offsets) > 0]
    rises = np.zeros(len(rows), bool)
    rises[1:] = ranked[1:] > ranked[:-1]
    rises[starts] = False
    if not rises.any():
        return rows
    keys, fresh = _falling_keys(ranked), np.ones(len(rows), bool)
    fresh[1:] = keys[1:] != keys[:-1]
    fresh[starts] = True
    runs = np.cumsum(fresh) - 1
    places = np.flatnonzero(_holds(runs, runs[rises]))
    falling = -ranked[places] if scores.dtype.kind == "f" else ~ranked[places]
    rows[places] = rows[places[np.lexsort((falling, runs[places]))]]
    return rows


def _holds(runs: Ints, wanted: Ints) -> NDArray[np.bool_]:
    """(n_rows,) whether the run of each row is one of those wanted."""
    marked = np.zeros(runs[-1] + 1, bool)
    marked[wanted] = True
    return marked[runs]
