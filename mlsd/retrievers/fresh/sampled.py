"""Fresh items at random, so that everything there is may be tried."""

from __future__ import annotations

from mlsd import rng
from mlsd.retrievers.fresh.base import FreshRetriever
from mlsd.types import Candidates, Floats, Requests


class Sampled(FreshRetriever):
    """Fresh items at random, for a system that explores: nothing is learnt of what is never shown.

        worth = uniform in (0, 1], a draw for each request and item

    Args:
        max_age_hours: of an item, above 0.
        seed: of the draws.
        published: see `FreshRetriever`.
    """

    needs = frozenset({"request.time_days", "request.request_id"})

    def __init__(self, max_age_hours: float, seed: int = 0, published: str = "published_days") -> None:
        super().__init__(max_age_hours, published)
        self.seed = seed

    def worth(self, requests: Requests, candidates: Candidates) -> Floats:
        request = requests.request_id[candidates.request_rows]
        return 1.0 - rng.uniform(self.seed, "sampled", request, candidates.items)
