"""A rating programme: what a budget buys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlsd import checks, ragged, rng
from mlsd.aggregations.base import Aggregation, Consensus
from mlsd.errors import InputError
from mlsd.estimators.ratings import Ratings
from mlsd.ratings.panel import Panel
from mlsd.ratings.pool import pooled
from mlsd.types import Array, Candidates, Floats, Ints, Judgements, Requests
from mlsd.worlds.base import World

BLOCK = 128
"""Requests whose pools are made at once; changes nothing."""

Arms = Callable[[Requests], Sequence[Candidates]]
"""The systems whose output is rated: requests -> of each system their candidates, best first."""

PAIR, RATING = ["request_id", "item", "random"], ["rater", "grade"]


@dataclass(frozen=True)
class Rated:
    """What raters said, one row for each single rating beside one for each pair.

    Args:
        request_id: (n_pairs,) int64, ascending.
        item: (n_pairs,) int64, ascending within a request.
        random: (n_pairs,) bool, whether chance alone brought the item into the pool.
        ratings: of the pairs, in their order.
    """

    request_id: Ints
    item: Ints
    random: Array
    ratings: Ratings

    @property
    def requests(self) -> Ints:
        """The requests of which something was rated, ascending."""
        return np.unique(self.request_id)

    def table(self) -> pd.DataFrame:
        """One row for each rating, as it is kept."""
        pair = self.ratings.pair
        return pd.DataFrame(
            {
                "request_id": self.request_id[pair],
                "item": self.item[pair],
                "random": self.random[pair],
                "rater": self.ratings.rater,
                "grade": self.ratings.grade,
            }
        )

    @staticmethod
    def of_table(table: pd.DataFrame, n_raters: int, n_grades: int) -> Rated:
        """What `table` holds, whose rows are sorted by request and item."""
        request_id, item, random, rater, grade = (table[name].to_numpy() for name in PAIR + RATING)
        new = np.append(True, (np.diff(request_id) != 0) | (np.diff(item) != 0))[: len(table)]
        pair = np.cumsum(new) - 1
        ratings = Ratings(pair, rater, grade, int(new.sum()), n_raters, n_grades)
        return Rated(request_id[new], item[new], random[new], ratings)

    def judged(self, consensus: Consensus) -> pd.DataFrame:
        """One grade for each pair, as `Log.judged` has it."""
        return pd.DataFrame({"request_id": self.request_id, "item": self.item, "grade": consensus.grade})

    def judgements(self, consensus: Consensus) -> Judgements:
        """The same for `requests`, in their order; what is not listed was not rated."""
        offsets = np.append(np.flatnonzero(np.diff(self.request_id, prepend=-1)), len(self.request_id))
        return Judgements(offsets, self.item, consensus.grade.astype(np.float64))


@dataclass(frozen=True, kw_only=True)
class RatingProgramme:
    """Raters grade the pools of some requests, drawn at random, for as long as the budget lasts.

    A pair is a request and an item. A request's pool is rated whole or not at all, so that what none of its
    raters saw is what no system found. Random items are there to cover what every system missed; no
    estimate weights by how they were drawn.

    Args:
        budget: single ratings that are paid for; 0 rates nothing.
        overlap: different raters who see each pair.
        depth: how many of the first candidates of each system enter a pool.
        random_share: of a pool's items that are drawn from the whole catalog, in [0, 1).
        cost_per_rating: in whatever currency.
        guidelines: what each grade means to raters, a sentence each, from grade 0 upwards.
        raters: who rates.
        aggregation: how the ratings of a pair become one grade.
    """

    budget: int
    overlap: int
    depth: int
    random_share: float
    cost_per_rating: float
    guidelines: tuple[str, ...]
    raters: Panel
    aggregation: Aggregation

    def __post_init__(self) -> None:
        checks.at_least("budget", self.budget, 0)
        checks.at_least("overlap", self.overlap, 1)
        checks.at_least("depth", self.depth, 1)
        checks.require(0 <= self.random_share < 1, "random_share", self.random_share, "must be in [0, 1)")
        checks.at_least("cost_per_rating", self.cost_per_rating, 0)
        checks.require(
            len(self.guidelines) > 1, "guidelines", self.guidelines, "must have two grades or more"
        )
        n_raters = self.raters.n_raters
        rule = f"must be at most raters.n_raters == {n_raters}: nobody rates a pair twice"
        checks.require(self.overlap <= n_raters, "overlap", self.overlap, rule)
        least = self.aggregation.least_overlap
        rule = f"must be at least {least} for {type(self.aggregation).__name__} to tell how raters err"
        checks.require(self.overlap >= least, "overlap", self.overlap, rule)

    @property
    def max_grade(self) -> int:
        """The highest grade of the guidelines."""
        return len(self.guidelines) - 1

    def collect(self, world: World, requests: Requests, arms: Arms, seed: int) -> Rated:
        """Draw requests, pool what the arms find for them, and have it rated.

        Args:
            world: knows the true grades, which raters err about.
            requests: to draw from, with ascending `request_id`.
            arms: every system that there is.
            seed: of all draws, which are keyed by whom they concern.

        Raises:
            InputError: the budget does not pay for the pool of a single request.
        """
        rows, pool = self._affordable(requests, arms, len(world.catalog), seed)
        asked = requests.take(rows)
        grades = world.judgements(asked).grades_of(pool)
        request_id = asked.request_id[pool.request_rows]
        ratings = self._rated(grades, request_id, pool.items, seed)
        return Rated(request_id, pool.items, pool["random"], ratings)

    def aggregate(self, rated: Rated) -> Consensus:
        """One grade for each pair."""
        return self.aggregation(rated.ratings)

    def of_table(self, table: pd.DataFrame) -> Rated:
        """What raters of this programme said, from where it was kept."""
        return Rated.of_table(table, self.raters.n_raters, self.max_grade + 1)

    def _rated(self, grades: Floats, request_id: Ints, item: Ints, seed: int) -> Ratings:
        pair = np.repeat(np.arange(len(item)), self.overlap)
        rater = self.raters.assigned(request_id, item, self.overlap, seed).reshape(-1)
        given = self.raters.rate(grades[pair], rater, request_id[pair], item[pair], self.max_grade, seed)
        return Ratings(pair, rater, given, len(item), self.raters.n_raters, self.max_grade + 1)

    def _affordable(self, requests: Requests, arms: Arms, n_items: int, seed: int) -> tuple[Ints, Candidates]:
        """Rows of the requests that the budget pays for, ascending, and their pools."""
        n_pairs = self.budget // self.overlap
        rows, pools = [], []
        for drawn, pool in self._pools(requests, arms, n_items, seed):
            kept = np.flatnonzero((np.cumsum(pool.counts) <= n_pairs) & (pool.counts > 0))
            rows.append(drawn[kept])
            pools.append(pool.take(*ragged.take_segments(pool.offsets, kept)))
            n_pairs -= len(pools[-1])
            if n_pairs == 0 or len(kept) < np.count_nonzero(pool.counts):
                break
        if not sum(map(len, rows)):
            raise InputError(
                f"budget == {self.budget} pays for the pool of none of {len(requests)} requests, "
                f"at {self.overlap} ratings a pair"
            )
        return _in_order(rows, pools)

    def _pools(
        self, requests: Requests, arms: Arms, n_items: int, seed: int
    ) -> Iterator[tuple[Ints, Candidates]]:
        """Rows of requests in the order in which they are drawn, with their pools, a block at a time."""
        drawn = np.argsort(rng.uniform(seed, "rated requests", requests.request_id), kind="stable")
        for start in range(0, len(drawn), BLOCK):
            rows = drawn[start : start + BLOCK]
            asked = requests.take(rows)
            yield rows, pooled(arms(asked), self.depth, self.random_share, asked.request_id, n_items, seed)


def _in_order(rows: Sequence[Ints], pools: Sequence[Candidates]) -> tuple[Ints, Candidates]:
    """Rows ascending, with their pools."""
    drawn = np.concatenate(rows)
    offsets = ragged.offsets_of_counts(np.concatenate([pool.counts for pool in pools]))
    items = np.concatenate([pool.items for pool in pools])
    together = Candidates(offsets, items, {"random": np.concatenate([pool["random"] for pool in pools])})
    order = np.argsort(drawn, kind="stable")
    return drawn[order], together.take(*ragged.take_segments(offsets, order))
