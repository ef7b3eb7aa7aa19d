"""The ads funnel among a million ads: python benchmarks/bench_ads_funnel.py.

How long a request takes through the whole funnel of `mlsd run problem=ads`, in all and by stage, where the
catalog holds 1,000,846 ads, against a target of 20 ms at the 99th percentile. Everything is as the config
has it, 1,000 candidates for `value` and `light_rank` and weights for 667,000 campaigns, but for three things:
1,000 people are served for its 16 days, so that statistics are of some 100,000 impressions and not of a
million ads'; models are trained for one epoch; what is kept lies in a folder that is removed.

Requests come one by one, evenly from the three days of the test window. See `whole_funnel.py`.
"""

from __future__ import annotations

from whole_funnel import time_funnel

TARGET_MS = 20.0
OVERRIDES = ("problem=ads", "world.n_campaigns=667000", "world.n_users=1000", "trainer.max_epochs=1")

if __name__ == "__main__":
    time_funnel(OVERRIDES, TARGET_MS, "ads")
