"""The first two stages of the ads funnel with towers: python benchmarks/bench_match_stage.py.

The 20,000 best offers among those of 1,000,000 ads of the ads world that are targeted at a request and run,
and the 1,000 of them that two towers pass on: one request at a time, by the clock, stage by stage.
"""

from __future__ import annotations

from time import perf_counter_ns

import numpy as np

from mlsd import rng
from mlsd.fitting import Fitting
from mlsd.models.categories import Categories, Towers
from mlsd.stages.base import TrainingData
from mlsd.stages.match import Match
from mlsd.stages.target import Target
from mlsd.types import Floats, RankingBatch, Requests
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

N_CAMPAIGNS, N_USERS, DAY, DIM = 667_000, 300, 5, 16
N_TARGETED, N_OUT = 20_000, 1_000
KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
REQUEST, ITEM = ("region", "age_band", "audience", "device", "page_category"), ("campaign",)


def main() -> None:
    world = AdsWorld(seed=0, n_users=N_USERS, n_campaigns=N_CAMPAIGNS, click_model=PositionBased())
    requests = world.arrivals(np.arange(N_USERS), DAY, world.people.first_state())
    target = Target(N_TARGETED, KEYS, action_prob=0.1)
    target.fit(TrainingData(world.catalog), Fitting())
    match = Match(N_OUT, REQUEST, ITEM, dim=DIM)
    match.load_state(drawn(requests, len(world.catalog)).state())
    took = one_by_one(target, match, requests)
    for name, elapsed in zip(("target", "match", "both"), (*took.T, took.sum(axis=1)), strict=True):
        p50, p99 = np.quantile(elapsed, [0.5, 0.99])
        print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def drawn(requests: Requests, n_ads: int) -> Towers:
    """Towers of the size that learnt ones have; what is in them takes no other time."""
    request = Categories.learn([requests[name] for name in REQUEST])
    table, items = (
        rng.normal(0, "vectors", np.arange(n)[:, None], np.arange(DIM)).astype(np.float32)
        for n in (len(request), n_ads)
    )
    return Towers(request, table, (), items, rng.normal(0, "bias", np.arange(n_ads)).astype(np.float32))


def one_by_one(target: Target, match: Match, requests: Requests) -> Floats:
    """(n_requests, 2) milliseconds of each stage for single requests, the first left out."""
    elapsed = []
    for row in range(len(requests)):
        times = [perf_counter_ns()]
        batch = target(RankingBatch.of(requests.take(np.array([row]))))
        times.append(perf_counter_ns())
        match(batch)
        times.append(perf_counter_ns())
        elapsed.append(np.diff(times) / 1e6)
    return np.array(elapsed[1:])


if __name__ == "__main__":
    main()
