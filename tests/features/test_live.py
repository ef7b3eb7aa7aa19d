"""Features computed while a world is served, beside those computed from the log of the same days."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import pytest

from mlsd import rng
from mlsd.features.base import Declared
from mlsd.features.item import ItemColumn
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.action_count import ItemActionCount
from mlsd.features.statistics.action_rate import ItemActionRate, UserActionRate, ValueActionRate
from mlsd.features.statistics.affinity import UserValueAffinity
from mlsd.features.statistics.click_through import ItemClickThrough
from mlsd.features.statistics.related import Related
from mlsd.features.statistics.since import Since
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel
from mlsd.logs import Log, impressions_of, served_of
from mlsd.relations import Relation
from mlsd.serving import Explore, Greedy, Observing, collect_log, serve
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import (
    Array,
    Candidates,
    Catalog,
    Columns,
    RankingBatch,
    Requests,
    Served,
    Slates,
    State,
    concat_requests,
)

N_LOGGED, N_SERVED, N_ITEMS = 4, 5, 12
SHARES = {"retrieval": 0.25, "ranking": 0.5, "validation": 0.25}


class Feed(TinyWorld):
    """Posts of four authors on three topics; days in 24 rounds, and who clicks nothing asks at once again."""

    actions: ClassVar[tuple[str, ...]] = ("click", "dwell_s", "follow")
    n_rounds: ClassVar[int] = 24

    @property
    def catalog(self) -> Catalog:
        item, user = np.arange(self.n_items), np.arange(self.n_users)
        columns = {"author": item % 4, "topic": item // 4, "length": item * 0.5}
        return Catalog(super().catalog.item_id, columns, {"follows": Relation.of(user, user % 4)})

    def arrivals(self, users: Array, day: int, state: Mapping[str, Array]) -> Requests:
        requests = super().arrivals(users, day, state)
        moment = rng.uniform(self.seed, "moments", requests.request_id)
        later = requests.time_days + 0.3 * moment
        return replace(requests, request_id=2 * requests.request_id, time_days=later)

    def respond(self, requests: Requests, slates: Slates, state: Mapping[str, Array]) -> Columns:
        feedback = super().respond(requests, slates, state)
        luck = rng.uniform(self.seed, "follows", requests.request_id[:, None], slates.items)
        return {**feedback, "follow": (feedback["click"] > 0) & (luck < 0.3)}

    def follow_ups(self, served: Served) -> Requests:
        again = ~served.feedback["click"].any(axis=1) & (served.requests.request_id % 2 == 0)
        asked = served.requests.take(again)
        return replace(asked, request_id=asked.request_id + 1)


class Recording(CandidateStage):
    """Every item for every request, ordered by the sum of its features, which are written down.

    Args:
        features: fitted.
    """

    needs: frozenset[str] = frozenset()
    produces: frozenset[str] = frozenset()

    def __init__(self, features: FeatureSet) -> None:
        super().__init__(N_ITEMS)
        self.features = features
        self.written: dict[int, Array] = {}

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        every = everything(batch.requests)
        dense = self.features.transform(every).dense
        of_request = dense.reshape(len(batch), N_ITEMS, -1)
        self.written.update(zip(batch.requests.request_id.tolist(), of_request, strict=True))
        return every.top(dense.sum(axis=1), N_ITEMS)

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer.features = self.features.observed(served)
        return newer

    def state(self) -> State:
        return self.features.state()

    def load_state(self, state: State) -> None:
        self.features.load_state(state)


class ByLuck:
    """Every item, in an order of each request's own."""

    def __call__(self, requests: Requests) -> RankingBatch:
        every = everything(requests)
        luck = rng.uniform(9, "luck", every.per_candidate("request.request_id"), every.candidates.items)
        return every.top(luck, N_ITEMS)


def everything(requests: Requests) -> RankingBatch:
    items = np.tile(np.arange(N_ITEMS), len(requests))
    return RankingBatch(requests, Candidates(np.arange(len(requests) + 1) * N_ITEMS, items))


def features() -> FeatureSet:
    declared: dict[str, Declared] = {
        "author_affinity": UserValueAffinity("author", ["click", "follow"], prior_strength=3.0),
        "author_follows": UserValueAffinity("author", ["follow"]),
        "topic_stays": UserValueAffinity("topic", ["dwell_s"], at_least=30.0),
        "click_rate": ItemActionRate("click"),
        "clicks": ItemActionCount("click"),
        "topic_rate": ValueActionRate("topic", "follow"),
        "user_rate": UserActionRate("click"),
        "since_author": Since("author"),
        "follows": Related("follows", "author", "follow"),
        "length": ItemColumn("length"),
        "frozen": ItemClickThrough(),
    }
    return FeatureSet(declared)


def refitted(catalog: Catalog, log: Log) -> FeatureSet:
    fitted = features()
    fitted.fit(catalog, log, everything(log.until("ranking").requests))
    return fitted


@pytest.mark.parametrize("restored", [False, True])
def test_served_features_are_those_of_the_log_of_the_same_days(*, restored: bool) -> None:
    """To the last bit, by the same fitted parameters; whether or not fitting was in another process.

    The one that is frozen when the log ends is left out of those of the whole log.
    """
    world = Feed(n_users=40, n_items=N_ITEMS, seed=21)
    log, state = collect_log(world, Explore(ByLuck(), 3, 0.5, N_ITEMS, seed=4), N_LOGGED, SHARES, 20)
    fitted = refitted(world.catalog, log)
    served_by = features() if restored else fitted
    served_by.load_state(fitted.state())
    stage = Recording(served_by)
    policy = Observing(Funnel({"all": stage}), lambda funnel: Greedy(funnel, 3))
    days: list[Served] = []
    for day in range(N_LOGGED, N_LOGGED + N_SERVED):
        served, state = serve(world, policy, np.arange(world.n_users), day, state, 20)
        days.append(served)

    requests = concat_requests([served.requests for served in days])
    written = np.concatenate([stage.written[key] for key in requests.request_id.tolist()])
    live = [name != "frozen" for name in fitted.spec.dense]
    again = refitted(world.catalog, whole(log, days)).transform(everything(requests)).dense
    assert written[:, live].tobytes() == again[:, live].tobytes()
    told = fitted.observed(served_of(log_of(days))).transform(everything(requests)).dense
    assert written.tobytes() == told.tobytes()
    untold = fitted.transform(everything(requests)).dense
    same = dict(zip(fitted.spec.dense, (written == untold).all(axis=0).tolist(), strict=True))
    assert [name for name, unchanged in same.items() if unchanged] == ["length", "frozen"]
    asked_again = requests.request_id % 2 == 1
    assert 0 < asked_again.sum() < len(requests)
    assert len(np.unique(requests.hour)) > 20


def test_features_of_one_key_read_one_part_after_observing_too() -> None:
    world = Feed(n_users=20, n_items=N_ITEMS, seed=3)
    log, _ = collect_log(world, Explore(ByLuck(), 3, 0.5, N_ITEMS, seed=4), N_LOGGED, SHARES, 20)
    fitted = refitted(world.catalog, log)
    later = fitted.observed(served_of(log.window("validation")))
    assert set(later.shared) == {
        "hourly(user,item.author)", "hourly(user,item.topic)", "hourly(item)", "hourly(item.topic)",
        "hourly(user)",
    }  # fmt: skip
    for known in (fitted, later):
        for name, feature in known.features.items():
            if hasattr(feature, "shared"):
                assert feature.shared is known.shared[feature.shared.key], name
        assert known.declared == known.features
    assert not {id(part) for part in later.shared.values()} & {id(part) for part in fitted.shared.values()}
    assert later.features["length"] is fitted.features["length"]


def log_of(days: list[Served]) -> Log:
    requests = concat_requests([served.requests for served in days])
    shown = pd.concat([impressions_of(served) for served in days], ignore_index=True)
    return Log(requests, shown, np.full(len(requests), "test"))


def whole(log: Log, days: list[Served]) -> Log:
    """The log with what was served after it."""
    further = log_of(days)
    return Log(
        concat_requests([log.requests, further.requests]),
        pd.concat([log.impressions, further.impressions], ignore_index=True),
        np.concatenate([log.split, further.split]),
    )
