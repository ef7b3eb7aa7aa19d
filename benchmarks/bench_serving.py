"""Serving: python benchmarks/bench_serving.py.

One day of 2,000 users of the default search world (20,000 documents) under BM25 with a shuffled slice, what
of it is ranking, what an A/B test adds by counting and judging, and how long a single request takes.
"""

from __future__ import annotations

import numpy as np
from timing import median_seconds, paired

from mlsd.capacity import Latency, measure
from mlsd.fitting import Fitting
from mlsd.funnel import Funnel
from mlsd.metrics.ndcg import NDCG
from mlsd.online.outcomes import Counter
from mlsd.online.raters import Raters
from mlsd.retrievers.bm25 import BM25
from mlsd.serving import Explore, serve
from mlsd.stages.base import TrainingData
from mlsd.stages.retrieve import Retrieve
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld

N_USERS, N_ITEMS, BUDGET_MS = 2_000, 20_000, 100.0


def main() -> None:
    world = SearchWorld(n_users=N_USERS, n_items=N_ITEMS, click_model=PositionBased())
    funnel = Funnel({"retrieve": Retrieve(n_out=20, retrievers={"bm25": BM25()})})
    funnel.last.fit(TrainingData(world.catalog), Fitting())
    policy = Explore(funnel, n_positions=10, share=0.1, depth=20)
    users, state = np.arange(N_USERS), world.first_state()
    served, _ = serve(world, policy, users, 0, state, latency_ms=BUDGET_MS)
    requests = served.requests
    counter = Counter(world, Raters(metric=NDCG(10)), long_click_s=30.0, seed=0)

    day_s = median_seconds(lambda: serve(world, policy, users, 0, state, BUDGET_MS))
    print(f"a day of {N_USERS} users: {len(requests)} requests in {1e3 * day_s:.0f} ms,", end=" ")
    print(f"{len(requests) / day_s:,.0f} requests/s")
    print(
        "the day against ranking alone:      ",
        paired(lambda: serve(world, policy, users, 0, state, BUDGET_MS), lambda: policy.rank(requests)),
    )
    print(
        "counting and judging against the day:",
        paired(lambda: counter(served), lambda: serve(world, policy, users, 0, state, BUDGET_MS)),
    )
    capacity = measure(funnel, requests, BUDGET_MS)
    print(
        f"one request: {in_words(capacity.request)}; in batches {capacity.throughput_per_s:,.0f} requests/s"
    )


def in_words(latency: Latency) -> str:
    return f"p50 {latency.p50_ms:.2f} ms, p95 {latency.p95_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms"


if __name__ == "__main__":
    main()
