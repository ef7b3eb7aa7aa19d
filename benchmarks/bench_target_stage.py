"""The first stage of the ads funnel: python benchmarks/bench_target_stage.py.

The 1,000 best offers among those of 1,000,000 ads of the ads world that are targeted at a request and run,
one request at a time, by the clock and beside a stage that orders all that are eligible.
"""

from __future__ import annotations

from time import perf_counter_ns

import numpy as np
from timing import seconds

from mlsd.fitting import Fitting
from mlsd.stages.base import TrainingData
from mlsd.stages.target import Target
from mlsd.types import Floats, RankingBatch, Requests
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

N_CAMPAIGNS, N_USERS, N_OUT = 667_000, 300, 1_000
KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}


def main() -> None:
    world = AdsWorld(seed=0, n_users=N_USERS, n_campaigns=N_CAMPAIGNS, click_model=PositionBased())
    requests = world.arrivals(np.arange(N_USERS), 5, world.people.first_state())
    best, every = (fitted(world, n_out) for n_out in (N_OUT, len(world.catalog)))
    n_eligible = every(RankingBatch.of(requests.take(np.arange(20)))).candidates.counts.mean()
    print(f"{len(world.catalog):,} ads, {n_eligible:,.0f} eligible for a request")
    for name, stage in ((f"the best {N_OUT:,}", best), ("all in order", every)):
        p50, p99 = np.quantile(one_by_one(stage, requests), [0.5, 0.99])
        print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def fitted(world: AdsWorld, n_out: int) -> Target:
    stage = Target(n_out, KEYS, action_prob=0.1)
    took_s = seconds(lambda: stage.fit(TrainingData(world.catalog), Fitting()))
    print(f"index in {took_s:.1f} s")
    return stage


def one_by_one(stage: Target, requests: Requests) -> Floats:
    """(n_requests,) milliseconds of single requests, the first left out."""
    elapsed = []
    for row in range(len(requests)):
        batch, before = RankingBatch.of(requests.take(np.array([row]))), perf_counter_ns()
        stage(batch)
        elapsed.append((perf_counter_ns() - before) / 1e6)
    return np.array(elapsed[1:])


if __name__ == "__main__":
    main()
