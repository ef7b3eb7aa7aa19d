"""Ragged operations against brute force, and the fast order against a plain stable sort."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from mlsd import ragged
from mlsd.ragged import Array, Ints

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 1.0 + 1e-12, 1e-60, -1e-60, 1e300, -1e300, 2.0, -2.0]
counts_of_segments = st.lists(st.integers(0, 9), max_size=12)


def plain_order(scores: Array, offsets: Ints) -> Ints:
    """Every segment on its own: Python's stable sort, NaN last."""
    values, rows = scores.tolist(), list[int]()
    for start, end in itertools.pairwise(offsets.tolist()):
        is_nan = {row: values[row] != values[row] for row in range(start, end)}
        rows += sorted(is_nan, key=lambda row: (is_nan[row], 0 if is_nan[row] else -values[row]))
    return np.array(rows, np.int64)


def offsets_of(counts: Sequence[int]) -> Ints:
    return ragged.offsets_of_counts(np.array(counts, np.int64))


@given(st.data(), counts_of_segments, st.sampled_from([np.float16, np.float32, np.float64]))
def test_order_of_any_floats_is_the_stable_sort(
    draws: st.DataObject, counts: list[int], dtype: type[np.floating]
) -> None:
    offsets = offsets_of(counts)
    values = st.one_of(st.sampled_from(SPECIAL), st.floats(width=64))
    scores = np.array(draws.draw(st.lists(values, min_size=sum(counts), max_size=sum(counts))))
    with np.errstate(over="ignore"):
        scores = scores.astype(dtype)
    np.testing.assert_array_equal(ragged.order(scores, offsets), plain_order(scores, offsets))


@given(st.data(), counts_of_segments, st.sampled_from([np.int64, np.int8, np.uint8, np.uint64, np.bool_]))
def test_order_of_integers_is_the_stable_sort(
    draws: st.DataObject, counts: list[int], dtype: DTypeLike
) -> None:
    bounds = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
    low, high = (int(bounds.min), int(bounds.max)) if bounds else (0, 1)
    near = [value for value in (low, low + 1, 0, 1, high - 1, high) if low <= value <= high]
    scores = np.array(
        draws.draw(st.lists(st.sampled_from(near), min_size=sum(counts), max_size=sum(counts))), dtype
    )
    offsets = offsets_of(counts)
    np.testing.assert_array_equal(ragged.order(scores, offsets), plain_order(scores, offsets))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_levels", [3, 1 << 20])
def test_order_of_long_and_short_segments_together(dtype: DTypeLike, n_levels: int) -> None:
    draws = np.random.default_rng(7)
    offsets = offsets_of([40_000, 0, 1, 100, 101, 127, 128, 3, *draws.integers(0, 600, 200)])
    scores = draws.integers(0, n_levels, offsets[-1]).astype(dtype) / n_levels
    expected = np.lexsort((-scores, ragged.segment_ids(offsets)))
    np.testing.assert_array_equal(ragged.order(scores, offsets), expected)


def test_order_separates_what_single_precision_cannot() -> None:
    scores = np.array([1.0, 1.0 + 1e-12, 1.0 - 1e-12, 1.0 + 1e-12, 5.0])
    assert ragged.order(scores, offsets_of([5])).tolist() == [4, 1, 3, 0, 2]


def test_order_of_nothing() -> None:
    assert ragged.order(np.zeros(0), offsets_of([])).tolist() == []
    assert ragged.order(np.zeros(0, np.float32), offsets_of([0, 0])).tolist() == []


@given(counts_of_segments, st.integers(0, 12))
def test_top_is_the_head_of_the_order(counts: list[int], n: int) -> None:
    offsets = offsets_of(counts)
    scores = np.random.default_rng(3).integers(0, 4, offsets[-1]).astype(np.float64)
    rows, kept = ragged.top(scores, offsets, n)
    in_order = ragged.order(scores, offsets)
    expected = [in_order[start:end][:n].tolist() for start, end in itertools.pairwise(offsets)]
    assert [rows[start:end].tolist() for start, end in itertools.pairwise(kept)] == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("left_out", [[], [np.nan], [-np.inf], [np.nan, np.inf]])
@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_top_of_long_segments_is_the_head_of_the_order(
    n: int, left_out: list[float], dtype: DTypeLike
) -> None:
    """Many ties, every special value, and segments too short to leave any row out."""
    draws = np.random.default_rng(7)
    offsets = offsets_of([0, 3000, 1, 0, 2 * n, 12 * n, 40 * n])
    values = np.array([1.0, 1.0 + 1e-12, 0.0, -0.0, 2.0, -2.0, 3.0, *left_out])
    scores = draws.choice(values if np.dtype(dtype).kind == "f" else values[:7], offsets[-1]).astype(dtype)
    rows, kept = ragged.top(scores, offsets, n)
    in_order = ragged.order(scores, offsets)
    expected = [in_order[start:end][:n].tolist() for start, end in itertools.pairwise(offsets)]
    assert [rows[start:end].tolist() for start, end in itertools.pairwise(kept)] == expected


@given(counts_of_segments, st.integers(0, 12))
def test_first_takes_the_head_of_each_segment(counts: list[int], n: int) -> None:
    offsets = offsets_of(counts)
    rows, kept = ragged.first(offsets, n)
    expected = [list(range(start, end))[:n] for start, end in itertools.pairwise(offsets)]
    assert [rows[start:end].tolist() for start, end in itertools.pairwise(kept)] == expected


@given(counts_of_segments)
def test_sums_ids_and_positions_by_hand(counts: list[int]) -> None:
    offsets = offsets_of(counts)
    values = np.random.default_rng(5).normal(size=(offsets[-1], 2))
    expected = [values[start:end].sum(axis=0) for start, end in itertools.pairwise(offsets)]
    np.testing.assert_allclose(ragged.sums(values, offsets), np.reshape(expected, (len(counts), 2)))
    assert ragged.segment_ids(offsets).tolist() == [s for s, count in enumerate(counts) for _ in range(count)]
    assert ragged.positions(offsets).tolist() == [place for count in counts for place in range(count)]


def test_sums_count_what_is_not_a_float() -> None:
    many = np.full(300, 2, np.uint8)
    assert ragged.sums(many, offsets_of([300])).tolist() == [600]
    assert ragged.sums(many > 1, offsets_of([299, 0, 1])).tolist() == [299, 0, 1]


@given(counts_of_segments, st.lists(st.integers(0, 11), max_size=8))
def test_take_segments_in_any_order_and_number(counts: list[int], wanted: list[int]) -> None:
    segments = np.array([segment for segment in wanted if segment < len(counts)], np.int64)
    offsets = offsets_of(counts)
    rows, taken = ragged.take_segments(offsets, segments)
    assert rows.tolist() == [row for s in segments for row in range(offsets[s], offsets[s + 1])]
    assert np.diff(taken).tolist() == [counts[s] for s in segments]


@given(st.data(), counts_of_segments)
def test_offsets_of_mask_count_what_is_kept(draws: st.DataObject, counts: list[int]) -> None:
    offsets = offsets_of(counts)
    mask = np.array(draws.draw(st.lists(st.booleans(), min_size=sum(counts), max_size=sum(counts))), bool)
    assert np.diff(ragged.offsets_of_mask(mask, offsets)).tolist() == ragged.sums(mask, offsets).tolist()


def test_to_dense_cuts_and_fills() -> None:
    dense = ragged.to_dense(np.array([4, 5, 6, 7]), offsets_of([3, 0, 1]), width=2, fill=-1)
    assert dense.tolist() == [[4, 5], [-1, -1], [7, -1]]


pairs = st.tuples(st.integers(0, 4), st.integers(0, 6))


@given(st.lists(pairs), st.sets(pairs))
def test_find_pairs_is_a_lookup(wanted: list[tuple[int, int]], among: set[tuple[int, int]]) -> None:
    there = sorted(among)
    found, rows = ragged.find_pairs(_columns(wanted), _columns(there))
    assert found.tolist() == [pair in among for pair in wanted]
    assert rows[found].tolist() == [there.index(pair) for pair in wanted if pair in among]


def _columns(listed: Sequence[tuple[int, int]]) -> tuple[Ints, Ints]:
    columns = np.array(listed, np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


LEVELS = [-np.inf, -1e308, -1.0, 0.0, 1.0, 1.0 + 1e-12, 1e308, np.inf]


def plain_leaders(scores: Array, offsets: Ints, n: int, above: float) -> Ints:
    """Every segment on its own: Python's stable sort of the rows that take part."""
    rows = [[row for row in range(*edges) if scores[row] > above] for edges in itertools.pairwise(offsets)]
    best = [sorted(taking_part, key=lambda row: -scores[row])[:n] for taking_part in rows]
    return np.array([found + [-1] * (n - len(found)) for found in best], np.int64).reshape(-1, n)


@given(st.data(), st.lists(st.integers(1, 9), max_size=12))
def test_argmax_is_the_first_of_the_highest(draws: st.DataObject, counts: list[int]) -> None:
    offsets = offsets_of(counts)
    values = draws.draw(st.lists(st.sampled_from(LEVELS), min_size=sum(counts), max_size=sum(counts)))
    expected = [start + int(np.argmax(values[start:end])) for start, end in itertools.pairwise(offsets)]
    assert ragged.argmax(np.array(values, np.float64), offsets).tolist() == expected


@given(
    st.data(),
    st.lists(st.integers(0, 40), max_size=12),
    st.integers(1, 6),
    st.sampled_from([-np.inf, -1, 0, 1]),
)
def test_leaders_are_the_first_of_those_that_take_part(
    draws: st.DataObject, counts: list[int], n: int, above: float
) -> None:
    """With many ties and rows that take no part, in segments of fewer and of more than 2 n rows."""
    offsets = offsets_of(counts)
    values = draws.draw(st.lists(st.sampled_from(LEVELS), min_size=sum(counts), max_size=sum(counts)))
    scores = np.array(values, np.float64)
    found = ragged.leaders(scores, offsets, n, above)
    np.testing.assert_array_equal(found, plain_leaders(scores, offsets, n, above))


@pytest.mark.parametrize("n", [1, 5, 30])
@pytest.mark.parametrize("direction", ["none", "falling", "rising"])
def test_leaders_of_long_segments(n: int, direction: str) -> None:
    """Whatever order the scores come in; the half of them that is not above 0 takes no part."""
    offsets = offsets_of([0, 1000, 3, 0, 777, 1, 59, 60, 61])
    scores = np.random.default_rng(0).integers(-300, 300, offsets[-1]).astype(np.float64)
    scores = {"none": scores, "rising": np.sort(scores), "falling": np.sort(scores)[::-1]}[direction]
    for above in (-np.inf, 0.0):
        found = ragged.leaders(scores, offsets, n, above)
        np.testing.assert_array_equal(found, plain_leaders(scores, offsets, n, above))


def test_leaders_leave_out_what_only_just_fails_to_be_above() -> None:
    tiny = np.finfo(np.float64).smallest_subnormal
    scores = np.array([0.0, tiny, -0.0, -tiny])
    assert ragged.leaders(scores, offsets_of([4]), 3, above=0.0).tolist() == [[1, -1, -1]]


@given(counts_of_segments, st.integers(1, 20))
def test_blocks_cut_between_segments_and_leave_none_out(counts: list[int], n_rows: int) -> None:
    offsets = offsets_of(counts)
    found = list(ragged.blocks(offsets, n_rows))
    covered = [segment for block in found for segment in range(len(counts))[block]]
    assert covered == list(range(len(counts)))
    rows = [int(offsets[block.stop] - offsets[block.start]) for block in found]
    assert max(rows, default=0) < n_rows + max(counts, default=0) or not counts
