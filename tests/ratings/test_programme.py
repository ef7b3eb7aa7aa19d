"""What a budget buys, on a world small enough to reason about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlsd.aggregations.dawid_skene import DawidSkene
from mlsd.aggregations.majority import Majority
from mlsd.errors import InputError, InvalidValueError
from mlsd.ratings.panel import Panel
from mlsd.ratings.programme import Rated, RatingProgramme
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import Candidates, Requests

WORLD = TinyWorld(n_users=300, seed=4)
REQUESTS = WORLD.arrivals(np.arange(300), 0, WORLD.first_state())

EXACT = RatingProgramme(
    budget=300,
    overlap=2,
    depth=5,
    random_share=0.2,
    cost_per_rating=0.1,
    guidelines=("no", "hardly", "partly", "yes"),
    raters=Panel(n_raters=3, accuracy=1.0),
    aggregation=Majority(),
)


def systems(requests: Requests) -> list[Candidates]:
    """Two systems that find eight items each, starting at another one for each request."""
    n = len(requests)
    places = [(requests.request_id[:, None] + shift + np.arange(8)) % WORLD.n_items for shift in (0, 2)]
    return [Candidates(np.arange(n + 1) * 8, items.ravel()) for items in places]


def collected(programme: RatingProgramme = EXACT, seed: int = 0, requests: Requests = REQUESTS) -> Rated:
    return programme.collect(WORLD, requests, systems, seed)


def test_the_budget_is_used_as_far_as_whole_pools_go() -> None:
    rated = collected()
    assert len(rated.ratings) == 2 * len(rated.item)
    sizes = np.unique(rated.request_id, return_counts=True)[1]
    assert len(rated.ratings) <= 300 < len(rated.ratings) + 2 * WORLD.n_items
    assert sizes.min() >= 7  # items of the first five of two systems, shifted by two


def test_every_pool_holds_what_each_system_put_first() -> None:
    rated = collected()
    for request_id in rated.requests:
        row = REQUESTS.request_id == request_id
        pool = set(rated.item[rated.request_id == request_id])
        for found in systems(REQUESTS.take(row)):
            assert set(found.items[:5]) <= pool


def test_raters_without_error_say_the_truth() -> None:
    rated = collected()
    asked = REQUESTS.take(np.isin(REQUESTS.request_id, rated.requests))
    said = rated.judgements(EXACT.aggregate(rated))
    pool = Candidates(said.offsets, said.items)
    np.testing.assert_array_equal(said.grades, WORLD.judgements(asked).grades_of(pool))
    judged = rated.judged(EXACT.aggregate(rated))
    np.testing.assert_array_equal(judged["grade"], said.grades)
    assert judged[["request_id", "item"]].apply(tuple, axis=1).is_monotonic_increasing


def test_ratings_depend_on_the_pair_alone() -> None:
    """A larger budget adds requests and changes nothing that was rated before."""
    erring = replace(EXACT, raters=Panel(n_raters=3, accuracy=0.5))
    small, large = collected(erring).table(), collected(replace(erring, budget=1000)).table()
    assert len(large) > 2 * len(small)
    both = large[large["request_id"].isin(small["request_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, small)


def test_more_requests_than_are_pooled_at_once() -> None:
    """The budget reaches past a block of requests: each is drawn once."""
    rated = collected(replace(EXACT, budget=10**6))
    np.testing.assert_array_equal(rated.requests, REQUESTS.request_id)
    assert len(REQUESTS) > 128


def test_what_is_kept_comes_back() -> None:
    rated = collected()
    again = EXACT.of_table(rated.table())
    pd.testing.assert_frame_equal(again.table(), rated.table())
    np.testing.assert_array_equal(again.random, rated.random)
    assert (again.ratings.n_pairs, again.ratings.n_grades) == (rated.ratings.n_pairs, 4)


def test_another_seed_rates_others() -> None:
    assert set(collected(seed=1).requests) != set(collected(seed=0).requests)


@pytest.mark.parametrize(("budget", "n"), [(5, len(REQUESTS)), (300, 0)])
def test_a_budget_that_pays_for_nothing(budget: int, n: int) -> None:
    few = REQUESTS.take(np.arange(n))
    message = rf"budget == {budget} pays for the pool of none of {n} requests, at 2 ratings a pair"
    with pytest.raises(InputError, match=message):
        collected(replace(EXACT, budget=budget), requests=few)


def test_who_finds_nothing_is_not_rated() -> None:
    def nothing(requests: Requests) -> list[Candidates]:
        return [Candidates.none(len(requests))]

    with pytest.raises(InputError, match="pays for the pool of none"):
        EXACT.collect(WORLD, REQUESTS, nothing, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"budget": -1}, r"budget == -1, must be at least 0"),
        ({"overlap": 0}, r"overlap == 0, must be at least 1"),
        ({"overlap": 4}, r"overlap == 4, must be at most raters\.n_raters == 3"),
        (
            {"overlap": 1, "aggregation": DawidSkene()},
            r"overlap == 1, must be at least 2 for DawidSkene to tell how raters err",
        ),
        ({"depth": 0}, r"depth == 0, must be at least 1"),
        ({"random_share": 1.0}, r"random_share == 1\.0, must be in \[0, 1\)"),
        ({"cost_per_rating": -0.1}, r"cost_per_rating == -0\.1, must be at least 0"),
        ({"guidelines": ("good",)}, r"guidelines == \('good',\), must have two grades or more"),
    ],
)
def test_bad_values(values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        replace(EXACT, **values)  # type: ignore[arg-type]
