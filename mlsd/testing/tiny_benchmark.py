"""A benchmark of two arms that train nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TINY_BENCHMARK: Mapping[str, Any] = {
    "question": "Does BM25 find more than what is popular?",
    "base": [
        "problem=search",
        "experiment=search_small",
        "online=none",
        "ratings@test_ratings=none",
        "funnel.order=[retrieve]",
        "funnel.stages.retrieve.retrievers.two_tower=null",
        "budget.n_requests=5",
    ],
    "arms": {"both": [], "bm25": ["funnel.stages.retrieve.retrievers.popularity=null"]},
    "seeds": [1, 2],
    "metric": "funnel.nDCG@10",
    "expect": {"better": "bm25", "than": "both"},
}
