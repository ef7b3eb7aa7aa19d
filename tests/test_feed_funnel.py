"""A whole funnel of a feed while it serves, beside the same funnel fitted on a log of the same days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlsd.features.base import Declared
from mlsd.features.context import PartOfDay
from mlsd.features.item import ItemAge, ItemCategory
from mlsd.features.statistics.action_count import ItemActionCount
from mlsd.features.statistics.action_rate import ItemActionRate, UserActionRate, ValueActionRate
from mlsd.features.statistics.affinity import UserValueAffinity
from mlsd.features.statistics.related import Related as IsRelated
from mlsd.features.statistics.since import Since
from mlsd.filters.age import Age
from mlsd.filters.own import Own
from mlsd.filters.related import Related as Blocked
from mlsd.filters.seen import Seen
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.funnel import Funnel
from mlsd.labels.actions import Action, ActionLabels
from mlsd.labels.base import Negatives
from mlsd.logs import Log, impressions_of, served_of
from mlsd.losses.bce import BCE
from mlsd.rankers.mmoe import MMoE
from mlsd.retrievers.fresh.related import Related
from mlsd.retrievers.fresh.sampled import Sampled
from mlsd.retrievers.fresh.towers import FreshTowers
from mlsd.retrievers.fresh.trending import Trending
from mlsd.serving import Explore, Greedy, Observing, collect_log, serve
from mlsd.stages.base import Stage, TrainingData
from mlsd.stages.blend import Blend
from mlsd.stages.leave_out import LeaveOut
from mlsd.stages.rank import ActionRank, Task
from mlsd.stages.retrieve import Retrieve
from mlsd.stages.sort import Sort
from mlsd.store import Store
from mlsd.training import FittedFunnel, Lessons, fit_funnel
from mlsd.types import Array, RankingBatch, Requests, Served, concat_requests
from mlsd.worlds.feed import FeedWorld
from mlsd.worlds.feed.posts import PostOptions
from mlsd.worlds.feed.responses import ResponseOptions

N_LOGGED, N_SERVED, N_POSITIONS, MAX_AGE = 6, 3, 6, 36.0
SHARES = {"retrieval": 1 / 3, "ranking": 1 / 3, "validation": 1 / 3}
FITTING = Fitting(TrainerOptions(max_epochs=2, n_threads=1), seed=7)


def logging_stages() -> dict[str, Stage]:
    near, anybody = Related("follows", "author", MAX_AGE, "follow"), Sampled(MAX_AGE, 3)
    return {
        "sources": Retrieve(40, {"near": near, "anybody": anybody}),
        "leave_out": LeaveOut(40, {"own": Own(), "seen": Seen()}),
        "newest": Sort(40, "candidate.near_score"),
    }


def features() -> dict[str, Declared | None]:
    return {
        "part_of_day": PartOfDay(),
        "topic": ItemCategory("topic"),
        "age": ItemAge("published_days"),
        "likes": ItemActionRate("like"),
        "like_count": ItemActionCount("like"),
        "author_clicks": ValueActionRate("author", "click"),
        "user_likes": UserActionRate("like"),
        "author_affinity": UserValueAffinity("author", ["like", "click"]),
        "since_author": Since("author"),
        "follows": IsRelated("follows", "author", "follow"),
    }


def stages() -> dict[str, Stage]:
    sources = {
        "near": Related("follows", "author", MAX_AGE, "follow"),
        "towers": FreshTowers(["user"], ["author", "topic"], MAX_AGE, "like", dim=4),
        "trending": Trending({"like": 0.3, "click": 0.1}, 5.0, 24, MAX_AGE),
    }
    filters = {"own": Own(), "blocked": Blocked("blocks", "author"), "seen": Seen(), "old": Age(30.0)}
    ranker = partial(MMoE, n_experts=2, expert_hidden=[8], tower_hidden=[])
    tasks = {"click": Task(0.2), "like": Task(1.0), "read": Task(1.0, "dwell_s", 20.0), "hide": Task(-8.0)}
    return {
        "sources": Retrieve(60, sources, {"near": 30, "towers": 30, "trending": 20}),
        "leave_out": LeaveOut(60, filters),
        "rank": ActionRank(20, ranker, BCE(), features(), tasks, Negatives(1.0, 2)),
        "blend": Blend(20, N_POSITIONS, {"author": 0.7}, 48.0, 0.5, "candidate.near_score"),
    }


@pytest.fixture(scope="module")
def world() -> FeedWorld:
    often = ResponseOptions(click_logit=-0.3, like_logit=-0.8, annoyed_logit=-1.5, hide_prob=0.6)
    return FeedWorld(seed=4, n_users=90, posts=PostOptions(horizon_days=10), responses=often)


@dataclass
class Written:
    """What each stage passes on and each feature says, of every request that passes.

    Args:
        funnel: what is watched.
        of_request: id of a request -> name -> what is written down, bytes.
    """

    funnel: Funnel
    of_request: dict[int, dict[str, bytes]] = field(default_factory=dict)

    def __call__(self, requests: Requests) -> RankingBatch:
        passed = self.funnel.trace(requests)
        rank = self.funnel.stages["rank"]
        assert isinstance(rank, ActionRank)
        read = rank.features.transform(passed["leave_out"])
        for row, request_id in enumerate(requests.request_id.tolist()):
            one = np.array([row])
            features = read.take_requests(one)
            mine: dict[str, Array] = {"dense": features.dense, "categorical": features.categorical}
            for name, batch in passed.items():
                named = batch.take(one).candidates.named_columns()
                mine |= {f"{name}.{column}": values for column, values in named.items()}
            self.of_request[request_id] = {name: values.tobytes() for name, values in mine.items()}
        return passed["blend"]


def lessons(world: FeedWorld, log: Log) -> Lessons:
    labels = ActionLabels({"like": Action("like", 1, 1.0)}, "none").make(log)
    return Lessons(world.catalog, log, labels, "lessons")


def whole(log: Log, days: list[Served]) -> Log:
    """The log with what was served after it."""
    requests = concat_requests([served.requests for served in days])
    shown = pd.concat([log.impressions, *map(impressions_of, days)], ignore_index=True)
    split = np.concatenate([log.split, np.full(len(requests), "test")])
    return Log(concat_requests([log.requests, requests]), shown, split)


@dataclass(frozen=True)
class Days:
    """A log, the funnel that was fitted on it, and what it showed afterwards."""

    log: Log
    fitted: FittedFunnel
    served: list[Served]
    while_serving: Mapping[int, Mapping[str, bytes]]

    @property
    def requests(self) -> Requests:
        return concat_requests([served.requests for served in self.served])


@pytest.fixture(scope="module")
def days(world: FeedWorld, tmp_path_factory: pytest.TempPathFactory) -> Days:
    before = logging_stages()
    for stage in before.values():
        stage.fit(TrainingData(world.catalog), FITTING)
    policy = Observing(Funnel(before), lambda funnel: Explore(funnel, N_POSITIONS, 0.3, 30, seed=5))
    log, state = collect_log(world, policy, N_LOGGED, SHARES, 50.0)
    store = Store(tmp_path_factory.mktemp("store"))
    fitted = fit_funnel(stages(), dict.fromkeys(stages(), "config"), lessons(world, log), FITTING, store)
    written: dict[int, dict[str, bytes]] = {}
    live = Observing(fitted.funnel, lambda funnel: Greedy(Written(funnel, written), N_POSITIONS))
    served = []
    for day in range(N_LOGGED, N_LOGGED + N_SERVED):
        of_day, state = serve(world, live, np.arange(world.n_users), day, state, 50.0)
        served.append(of_day)
    return Days(log, fitted, served, written)


def afterwards(funnel: Funnel, requests: Requests) -> dict[int, dict[str, bytes]]:
    written: dict[int, dict[str, bytes]] = {}
    Greedy(Written(funnel, written), N_POSITIONS).rank(requests)
    return written


def test_serving_equals_to_the_last_bit_what_a_log_of_the_same_days_says(
    world: FeedWorld, days: Days, tmp_path: Path
) -> None:
    """Sources, filters, features, scores, pages: the funnel is fitted anew on the log with the served days.

    Its weights come out the same, since they learn from the same windows.
    """
    log = whole(days.log, days.served)
    again = fit_funnel(
        stages(), dict.fromkeys(stages(), "config"), lessons(world, log), FITTING, Store(tmp_path)
    )
    expected = afterwards(again.funnel, days.requests)
    assert days.while_serving.keys() == expected.keys()
    for request_id, mine in days.while_serving.items():
        for name, values in mine.items():
            assert values == expected[request_id][name], (request_id, name)


def test_told_at_once_or_by_the_hour_it_knows_the_same(days: Days) -> None:
    told = days.fitted.funnel
    for served in days.served:
        told = told.observed(served)
    assert afterwards(told, days.requests) == days.while_serving


def test_what_is_not_told_makes_a_difference(days: Days) -> None:
    """Without the served days there are other candidates and features, but for the first hour's."""
    untold, hour = afterwards(days.fitted.funnel, days.requests), days.requests.hour
    first = days.requests.request_id[hour == hour.min()].tolist()
    assert all(untold[request_id] == days.while_serving[request_id] for request_id in first)
    later = [request_id for request_id in untold if request_id not in first]
    for name in ("leave_out.items", "leave_out.trending_score", "dense", "rank.score"):
        n_same = sum(untold[one][name] == days.while_serving[one][name] for one in later)
        assert n_same < len(later) / 2, name


def test_pages_are_what_was_shown(days: Days) -> None:
    for served in days.served:
        for row, request_id in enumerate(served.requests.request_id.tolist()):
            blended = np.frombuffer(days.while_serving[request_id]["blend.items"], np.int64)
            page = served.slates.items[row]
            assert page[page >= 0].tolist() == blended[:N_POSITIONS].tolist()


def test_nobody_sees_what_must_not_be_shown(world: FeedWorld, days: Days) -> None:
    """Own posts, what was seen in another hour and, by the funnel, blocked authors, the old, the future."""
    author, published = world.catalog["author"], world.catalog["published_days"]
    blocks = world.catalog.relation("blocks")
    blocked = set(zip(blocks.user.tolist(), blocks.value.tolist(), strict=True))
    seen: dict[tuple[int, int], int] = {}
    for by_funnel, served in ((False, served_of(days.log)), *((True, served) for served in days.served)):
        rows, positions = np.nonzero(served.slates.shown)
        requests, items = served.requests.take(rows), served.slates.items[rows, positions]
        columns = (requests.user, items, requests.time_days, requests.hour)
        for user, item, time, hour in zip(*(column.tolist() for column in columns), strict=True):
            assert author[item] != user
            assert seen.setdefault((user, item), hour) == hour
            if by_funnel:
                assert (user, int(author[item])) not in blocked
                assert time - 30 / 24 <= published[item] < time
