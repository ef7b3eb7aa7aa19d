"""The feed funnel with 2,000 candidates: python benchmarks/bench_feed_funnel.py.

How long a request takes through the whole funnel of `mlsd run problem=feed`, in all and by stage, where its
sources pass on 2,000 posts, all of which the light ranker scores, against a target of 40 ms at the 99th
percentile. Everything is as the config has it but for three things: more people post more, so that there are
as many posts; each source looks for as many as it takes; models are trained for one epoch.

Requests come one by one, evenly from the two days of the test window. See `whole_funnel.py`.
"""

from __future__ import annotations

from whole_funnel import time_funnel

TARGET_MS = 40.0
N_CANDIDATES = 2_000
SOURCES = "funnel.stages.sources"
OVERRIDES = (
    "problem=feed",
    "world.n_users=4000",
    f"problem.scale.n_ranked={N_CANDIDATES}",
    f"{SOURCES}.n_each={{in_network: 800, two_tower: {N_CANDIDATES}, trending: 800}}",
    "trainer.max_epochs=1",
)

if __name__ == "__main__":
    time_funnel(OVERRIDES, TARGET_MS, "posts")
