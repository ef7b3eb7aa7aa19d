from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlsd.runs.changes import N_SHOWN, changes_of

grades = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from("abcdefghij")), max_size=40)


def test_queries_are_means_over_their_requests() -> None:
    before, after = np.array([0.0, 0.4, 0.9, 0.5]), np.array([1.0, 0.4, 0.1, 0.5])
    found = changes_of(before, after, np.array(["a", "a", "b", "c"], object))
    assert (found.n_better, found.n_worse, found.n_same) == (1, 1, 2)
    (win,) = found.wins
    assert (win.query, win.n_requests, win.before, win.after) == ("a", 2, 0.2, 0.7)
    assert [loss.query for loss in found.losses] == ["b"]


def test_requests_that_a_metric_says_nothing_about_are_not_counted() -> None:
    found = changes_of(np.array([np.nan, 0.2, 0.2]), np.array([0.5, np.nan, 0.3]), None)
    assert (found.n_better, found.n_worse, found.n_same) == (1, 0, 0)
    assert found.wins == found.losses == ()


def test_no_request_at_all_changes_nothing() -> None:
    found = changes_of(np.zeros(0), np.zeros(0), np.zeros(0, object))
    assert (found.n_better, found.n_worse, found.n_same, found.wins) == (0, 0, 0, ())


def test_ties_are_by_text() -> None:
    texts = np.array(list("zyxwvuts"), object)
    found = changes_of(np.zeros(8), np.full(8, 0.5), texts)
    assert [win.query for win in found.wins] == ["s", "t", "u", "v", "w"]


@given(grades)
def test_every_request_counts_once_and_the_order_of_requests_does_not(
    rows: list[tuple[float, float, str]],
) -> None:
    before, after = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    texts = np.array([row[2] for row in rows], object)
    found = changes_of(before, after, texts)
    assert found.n_better + found.n_worse + found.n_same == len(rows)
    assert max(len(found.wins), len(found.losses)) <= N_SHOWN
    assert all(win.after > win.before for win in found.wins)
    assert all(loss.after < loss.before for loss in found.losses)
    turned = changes_of(before[::-1], after[::-1], texts[::-1])
    assert (turned.n_better, turned.n_worse) == (found.n_better, found.n_worse)
