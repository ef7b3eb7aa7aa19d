from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InvalidValueError
from mlsd.labels.base import Labels, Negatives, TaskLabels
from mlsd.testing.small_log import N_CANDIDATES, SmallLog
from mlsd.types import Candidates, RankingBatch, Requests

SMALL = SmallLog()
Pairs = list[tuple[int, int, int]]
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), max_size=20)


@given(PAIRS, PAIRS)
def test_finds_the_highest_label_of_each_pair(pairs: Pairs, wanted: Pairs) -> None:
    table = np.array(pairs, np.int64).reshape(-1, 3)
    labels = Labels.of_pairs(*table.T)
    rows = sorted(wanted)
    requests = Requests(np.arange(5) * 1, *np.zeros((3, 5), np.int64))
    offsets = np.searchsorted([r for r, _, _ in rows], np.arange(6))
    batch = RankingBatch(requests, Candidates(offsets, np.array([i for _, i, _ in rows], np.int64)))
    expected = [max((x for r, i, x in pairs if (r, i) == row[:2]), default=np.nan) for row in rows]
    assert np.array_equal(labels.of(batch), np.array(expected, np.float32), equal_nan=True)
    assert np.all(np.diff(labels.request_id) >= 0)


def test_requests_the_labels_do_not_know_have_none() -> None:
    labels = Labels.of_pairs(np.array([3, 9]), np.array([0, 1]), np.array([1.0, 2.0]))
    requests = Requests(np.array([9, 4, 3]), *np.zeros((3, 3), np.int64))
    batch = RankingBatch(requests, Candidates(np.array([0, 1, 2, 3]), np.array([1, 1, 1])))
    assert np.array_equal(labels.of(batch), [2.0, np.nan, np.nan], equal_nan=True)


def test_weights_are_cut() -> None:
    nothing = np.zeros(0, np.int64)
    labels = Labels.of_pairs(nothing, nothing, nothing, np.array([1.0, 0.5, 0.1]), max_weight=4.0)
    assert labels.weights(np.array([2, 0, 1])).tolist() == [4.0, 1.0, 2.0]
    assert Labels.of_pairs(nothing, nothing, nothing).weights(np.array([5])).tolist() == [1.0]


def test_positions_are_examined_as_estimated_or_alike() -> None:
    nothing = np.zeros(0, np.int64)
    labels = Labels.of_pairs(nothing, nothing, nothing, np.array([1.0, 0.5, 0.1]), max_weight=4.0)
    assert labels.examined(np.array([2, 0, 1])).tolist() == [0.1, 1.0, 0.5]
    assert Labels.of_pairs(nothing, nothing, nothing).examined(np.array([5, 0])).tolist() == [1.0, 1.0]


def test_negatives_keep_positives_and_draw_the_rest() -> None:
    batch = SMALL.candidates(SMALL.requests)
    label = SMALL.labels.of(batch)
    kept = Negatives(shown_keep_rate=0.25, n_unshown=3).kept(batch, label, seed=1)
    assert kept[label > 0].all()
    n_zero = np.count_nonzero(label == 0)
    # binomial, 4 standard deviations
    assert abs(kept[label == 0].sum() - 0.25 * n_zero) < 4 * np.sqrt(0.25 * 0.75 * n_zero)
    unshown = np.isnan(label).reshape(-1, N_CANDIDATES)
    assert np.array_equal(
        (kept.reshape(-1, N_CANDIDATES) & unshown).sum(axis=1), np.minimum(3, unshown.sum(axis=1))
    )


def test_negatives_are_drawn_evenly_and_the_same_in_any_batch() -> None:
    batch = SMALL.candidates(SMALL.requests)
    none = np.full(len(batch.candidates), np.nan)
    kept = Negatives(n_unshown=3).kept(batch, none, seed=1)
    by_place = kept.reshape(-1, N_CANDIDATES).mean(axis=0)
    assert by_place == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / len(batch)))
    alone = batch.take(np.array([17]))
    assert np.array_equal(
        Negatives(n_unshown=3).kept(alone, none[:N_CANDIDATES], seed=1),
        kept[17 * N_CANDIDATES : 18 * N_CANDIDATES],
    )
    assert not np.array_equal(Negatives(n_unshown=3).kept(batch, none, seed=2), kept)


def test_bad_negatives_are_named() -> None:
    with pytest.raises(InvalidValueError, match=r"shown_keep_rate == 0, must be a probability in \(0, 1\]"):
        Negatives(shown_keep_rate=0)
    with pytest.raises(InvalidValueError, match="n_unshown == -1, must be at least 0"):
        Negatives(n_unshown=-1)


def test_which_requests_and_pairs_have_labels() -> None:
    labels = Labels.of_pairs(np.array([9, 4, 9]), np.array([2, 7, 5]), np.array([0.0, 1.0, 2.0]))
    assert labels.knows(np.array([4, 5, 9, 9])).tolist() == [True, False, True, True]
    pairs = np.array([9, 9, 4, 7, 9]), np.array([5, 7, 7, 7, 2])
    assert labels.has(*pairs).tolist() == [True, False, True, False, True]
    none = np.zeros(0, np.int64)
    nothing = Labels.of_pairs(none, none, none)
    assert not nothing.has(*pairs).any()
    assert not nothing.knows(pairs[0]).any()


def test_labels_of_tasks_are_columns_and_none_only_where_no_task_has_any() -> None:
    click = Labels.of_pairs(np.array([3, 3]), np.array([0, 1]), np.array([1.0, 0.0]))
    both = Labels.of_pairs(np.array([9, 3]), np.array([1, 0]), np.array([0.0, 2.0]))
    tasks = TaskLabels({"click": click, "conversion": both})
    requests = Requests(np.array([9, 4, 3]), *np.zeros((3, 3), np.int64))
    batch = RankingBatch(requests, Candidates(np.array([0, 1, 2, 5]), np.array([1, 1, 0, 1, 2])))
    expected = [[0, 0], [np.nan, np.nan], [1, 2], [0, 0], [np.nan, np.nan]]
    assert np.array_equal(tasks.of(batch), np.array(expected, np.float32), equal_nan=True)
    assert tasks.knows(np.array([3, 4, 9])).tolist() == [True, False, True]
    assert tasks.of(batch.take(np.zeros(0, np.int64))).shape == (0, 2)
