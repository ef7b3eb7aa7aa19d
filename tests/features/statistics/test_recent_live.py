"""Histories while a system serves, beside those of the log that it leaves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from mlsd.features.statistics.recent import RecentItems
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel
from mlsd.logs import Log, impressions_of
from mlsd.serving import Greedy, Observing, serve
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.testing.feature_kit import same_values
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import (
    HOURS_A_DAY,
    Candidates,
    Catalog,
    Ints,
    RankingBatch,
    Requests,
    Served,
    State,
    concat_served,
)

N_DAYS, N_FITTED, N_USERS, N_ITEMS = 12, 4, 40, 12


class HourlyWorld(TinyWorld):
    """Users whose requests fall into the hours 0, 2, 6 and 8 of a day, served in so many rounds."""

    def __init__(self, n_rounds: int) -> None:
        super().__init__(n_users=N_USERS, n_items=N_ITEMS, seed=5)
        self.n_rounds = n_rounds  # type: ignore[misc]  # of the class elsewhere

    @property
    def catalog(self) -> Catalog:
        return Catalog(super().catalog.item_id, {"topic": np.arange(N_ITEMS) % 5})


def everything(requests: Requests) -> RankingBatch:
    """All items, in order, for every request."""
    n = len(requests)
    items = np.tile(np.arange(N_ITEMS), n)
    return RankingBatch(requests, Candidates(np.arange(n + 1) * N_ITEMS, items))


class Remembering(CandidateStage):
    """Finds everything, and notes each request's history as it was known when it was asked."""

    needs: frozenset[str] = frozenset()
    produces: frozenset[str] = frozenset()

    def __init__(self, feature: RecentItems, noted: dict[int, Ints]) -> None:
        super().__init__(N_ITEMS)
        self.feature, self.noted = feature, noted

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        found = everything(batch.requests)
        past = self.feature.values(found)[::N_ITEMS]
        self.noted.update(zip(batch.requests.request_id.tolist(), past, strict=True))
        return found

    def observed(self, served: Served) -> Remembering:
        return Remembering(self.feature.observed(served), self.noted)

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        """Nothing."""


def fitted(world: HourlyWorld, days: list[Served]) -> RecentItems:
    served = concat_served(days)
    feature = RecentItems("click", "topic", length=4)
    log = Log(served.requests, impressions_of(served), np.full(len(served.requests), "ranking"))
    feature.fit(world.catalog, log)
    return feature


@pytest.mark.parametrize("n_rounds", [24, 4])
def test_what_was_known_while_serving_is_what_the_log_says_afterwards(n_rounds: int) -> None:
    """Fitted on 4 days and live for 8 it is to the last bit what it is when fitted on all 12.

    In rounds of an hour that holds of every request, in rounds of several of those of their first hour.
    """
    world, noted, days = HourlyWorld(n_rounds), dict[int, Ints](), list[Served]()
    users, state = np.arange(N_USERS), world.first_state()
    for day in range(N_FITTED):
        served, state = serve(world, Greedy(everything, 6), users, day, state, latency_ms=5)
        days.append(served)
    known = Funnel({"all": Remembering(fitted(world, days), noted)})
    policy = Observing(known, lambda funnel: Greedy(funnel, 6))
    for day in range(N_FITTED, N_DAYS):
        served, state = serve(world, policy, users, day, state, latency_ms=5)
        days.append(served)
    asked = concat_served(days[N_FITTED:]).requests
    asked = asked.take(asked.hour % (HOURS_A_DAY // n_rounds) == 0)
    live = np.array([noted[request] for request in asked.request_id.tolist()])
    assert same_values(live, fitted(world, days).past(asked.user, asked.hour))
    assert not same_values(live, fitted(world, days[:N_FITTED]).past(asked.user, asked.hour))
