"""What a user has done so far."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd import checks
from mlsd.errors import NotFittedError
from mlsd.features.base import Family, Feature
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.features.statistics.counted import CountedFeature, Events, actions, days, first_day_after_training
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Floats, Ints, RankingBatch, Requests, State

ACTIVITIES = ("requests", "clicks")
_ALL = -1
"""Stands for all categories together."""


class UserActivity(CountedFeature):
    """log(1 + n), with n the user's requests or clicks before the day of the request.

    Args:
        of: "requests" or "clicks".
    """

    family: ClassVar[Family] = "user"
    needs = frozenset({"request.user", "request.time_days"})

    def __init__(self, of: str = "requests") -> None:
        super().__init__()
        self.of = checks.one_of("of", of, ACTIVITIES)

    def events(self, catalog: Catalog, log: Log) -> Events:  # noqa: ARG002
        if self.of == "requests":
            return Events([log.requests.user], log.requests.day, np.ones((len(log.requests), 1)))
        clicked = actions(log, "click") > 0
        users = log.impressions["user"].to_numpy()[clicked]
        return Events([users], days(log)[clicked], np.ones((len(users), 1)))

    def prior(self, totals: Floats) -> Floats:  # noqa: ARG002
        return np.zeros(0)

    def key(self, batch: RankingBatch) -> list[Array]:
        return [batch.per_candidate("request.user")]

    def smoothed(self, sums: Floats, prior: Floats) -> Floats:  # noqa: ARG002
        return np.asarray(np.log1p(sums[:, 0]))


class UserCategoryAffinity(Feature):
    """How much more of the user's clicks went to the item's category than of everybody's, as a logarithm.

        log((C_uc + k g_c) / ((C_u + k) g_c))

    with C_uc the user's clicks in the category and C_u all of them, before the day of the request, and g_c
    the category's share of all clicks of the training windows, every category counted one click more than
    it has. 0 for a user without clicks.

    Args:
        category: column of the catalog with integers from 0.
        prior_clicks: k, the clicks of an average user that are added to everyone's own.
    """

    family: ClassVar[Family] = "user_item"
    needs = frozenset({"request.user", "request.time_days"})

    def __init__(self, category: str = "category", prior_clicks: float = 5.0) -> None:
        self.category = category
        self.prior_clicks = checks.above("prior_clicks", prior_clicks, 0)
        self.catalog_needs = frozenset({category})
        self._counts: AsOfCounts | None = None
        self._category: Ints = np.zeros(0, np.int64)
        self._share: Floats = np.zeros(0)

    def fit(self, catalog: Catalog, log: Log) -> None:
        self._category = catalog[self.category].astype(np.int64)
        clicked = actions(log, "click") > 0
        user, day = log.impressions["user"].to_numpy()[clicked], days(log)[clicked]
        category = self._category[log.impressions["item"].to_numpy()[clicked]]
        of_all = np.concatenate([category, np.full(len(category), _ALL)])
        self._counts = AsOfCounts.of([np.tile(user, 2), of_all], np.tile(day, 2), np.ones((2 * len(user), 1)))
        in_training = category[day < first_day_after_training(log)]
        clicks = np.bincount(in_training, minlength=int(self._category.max(initial=0)) + 1) + 1.0
        self._share = clicks / clicks.sum()

    def values(self, batch: RankingBatch) -> Floats:
        if self._counts is None:
            raise NotFittedError("UserCategoryAffinity was used before fit or load_state")
        requests, rows = batch.requests, batch.candidates.request_rows
        category, n_categories = self._category[batch.candidates.items], len(self._share)
        n_pairs = len(requests) * n_categories
        if n_pairs < len(rows):  # each pair is looked up once, and not for every candidate
            pairs = divmod(np.arange(n_pairs), n_categories)
            return np.asarray(self._of_pairs(self._counts, requests, *pairs)[rows * n_categories + category])
        return self._of_pairs(self._counts, requests, rows, category)

    def _of_pairs(self, counts: AsOfCounts, requests: Requests, rows: Ints, category: Ints) -> Floats:
        """(n,) the affinity of the user of each of these requests to each category."""
        of_user = counts.before([requests.user, np.full(len(requests), _ALL)], requests.day)[rows, 0]
        in_category = counts.before([requests.user[rows], category], requests.day[rows])[:, 0]
        share, k = self._share[category], self.prior_clicks
        return np.asarray(np.log((in_category + k * share) / ((of_user + k) * share)))

    def state(self) -> State:
        if self._counts is None:
            raise NotFittedError("UserCategoryAffinity has no state before fit")
        return {**self._counts.state(), "category": self._category, "share": self._share}

    def load_state(self, state: State) -> None:
        self._counts = AsOfCounts.from_state(state)
        self._category, self._share = state["category"], state["share"]
