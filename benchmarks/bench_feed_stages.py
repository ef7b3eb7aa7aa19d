"""The stages of a feed but its rankers: python benchmarks/bench_feed_stages.py.

60,000 posts by 2,000 people in a month, 5,000 readers who follow 100 of them each, a log of 20,000 pages.
Each source finds its best 200; filters, sorting and blending work on 2,000 candidates: for one request, and
for each of 512 at once. Then what it takes to be told of an hour's pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from timing import median_seconds

from mlsd import rng
from mlsd.filters.age import Age
from mlsd.filters.own import Own
from mlsd.filters.related import Related as Blocked
from mlsd.filters.seen import Seen
from mlsd.fitting import Fitting
from mlsd.logs import Log, impressions_of, served_of
from mlsd.relations import Relation
from mlsd.retrievers.fresh.base import FreshRetriever
from mlsd.retrievers.fresh.related import Related
from mlsd.retrievers.fresh.sampled import Sampled
from mlsd.retrievers.fresh.trending import Trending
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.stages.blend import Blend
from mlsd.stages.leave_out import LeaveOut
from mlsd.stages.sort import Sort
from mlsd.types import Candidates, Catalog, RankingBatch, Requests, Served, Slates

N_ITEMS, N_AUTHORS, N_TOPICS, N_USERS, N_FOLLOWS, N_DAYS = 60_000, 2_000, 12, 5_000, 100, 28
N_PAGES, N_POSITIONS, N_FOUND, N_CANDIDATES, N_BATCH = 20_000, 10, 200, 2_000, 512
MAX_AGE = 48.0


@cache
def catalog() -> Catalog:
    item, slot = np.arange(N_ITEMS), np.arange(N_FOLLOWS)
    user = np.repeat(np.arange(N_USERS), N_FOLLOWS)
    columns = {
        "author": rng.integers(0, "authors", N_AUTHORS, item),
        "topic": item % N_TOPICS,
        "published_days": np.sort(rng.uniform(0, "published", item)) * (N_DAYS + 2) - 2,
    }
    pairs = {
        name: Relation.of(user, rng.integers(0, name, N_AUTHORS, user, np.tile(slot, N_USERS)))
        for name in ("follows", "blocks")
    }
    return Catalog(item.astype(str), columns, pairs)


@cache
def log() -> Log:
    """Pages of fresh posts; a tenth of them is liked, a tenth followed."""
    row, position = np.arange(N_PAGES), np.arange(N_POSITIONS)
    time = np.sort(rng.uniform(0, "times", row)) * N_DAYS
    requests = Requests(row, rng.integers(0, "users", N_USERS, row), np.zeros_like(row), time)
    first, last = (np.searchsorted(catalog()["published_days"], time - back) for back in (MAX_AGE / 24, 0.0))
    place = (rng.uniform(0, "first", row) * (last - first - N_POSITIONS)).astype(np.int64)
    done = {name: rng.uniform(0, name, row[:, None], position) < 0.1 for name in ("like", "follow")}
    pages = Served(requests, Slates((first + place)[:, None] + position), done)
    return Log(requests, impressions_of(pages), np.full(N_PAGES, "ranking"))


def ranked(requests: Requests) -> RankingBatch:
    first = rng.integers(0, "candidates", N_ITEMS, requests.request_id)[:, None]
    items = ((first + 7 * np.arange(N_CANDIDATES)) % N_ITEMS).ravel()
    score = rng.uniform(0, "scores", np.repeat(requests.request_id, N_CANDIDATES), items)
    columns = {"score": score, "near_score": score % 0.1 - 0.05, **{f"of_{i}": score for i in range(4)}}
    offsets = np.arange(len(requests) + 1) * N_CANDIDATES
    return RankingBatch(requests, Candidates(offsets, items, columns))


def told(name: str, work: Callable[[RankingBatch], object]) -> None:
    """Milliseconds for one request, and for one of a batch."""
    one, many = (ranked(log().requests.take(np.arange(15_000, 15_000 + n))) for n in (1, N_BATCH))
    alone = 1e3 * median_seconds(lambda: work(one), 15)
    each = 1e3 * median_seconds(lambda: work(many), 5) / N_BATCH
    print(f"{name}: one request {alone:.2f} ms, one of {N_BATCH} {each:.3f} ms")


def finding(source: FreshRetriever) -> Callable[[RankingBatch], object]:
    return lambda batch: source.retrieve(batch.requests, N_FOUND)


def main() -> None:
    hour = served_of(log()).take(np.arange(N_PAGES - 30, N_PAGES))
    sources: dict[str, FreshRetriever] = {
        "followed": Related("follows", "author", MAX_AGE, "follow"),
        "trending": Trending({"like": 1.0, "follow": 2.0}, 6.0, 24, MAX_AGE),
        "sampled": Sampled(MAX_AGE),
    }
    for name, source in sources.items():
        source.fit(catalog(), log(), Fitting())
        told(name, finding(source))
    filters = {"own": Own(), "blocked": Blocked("blocks", "author"), "seen": Seen(), "old": Age(1e6)}
    decays, near = {"author": 0.7, "topic": 0.97}, "candidate.near_score"
    stages: dict[str, CandidateStage] = {
        "leave out": LeaveOut(N_CANDIDATES, filters),
        "sort": Sort(N_CANDIDATES, near),
        "blend": Blend(N_CANDIDATES, N_POSITIONS, decays, 96.0, 0.6, near),
    }
    for name, stage in stages.items():
        stage.fit(TrainingData(catalog(), log()), Fitting())
        told(name, stage)
    live: dict[str, Callable[[Served], object]] = {name: source.observed for name, source in sources.items()}
    live["leave out"] = stages["leave out"].observed
    for name, observed in live.items():
        print(f"{name}: told of an hour {1e3 * median_seconds(partial(observed, hour), 15):.2f} ms")


if __name__ == "__main__":
    main()
