"""A made-up search log of a few hundred requests: what the kits of features and stages run on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlsd import rng
from mlsd.labels.base import Labels
from mlsd.logs import Log, impressions_of, split_by_time
from mlsd.relations import Relation
from mlsd.types import Candidates, Catalog, Floats, Ints, RankingBatch, Requests, Served, Slates

WORDS = ("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "haven")
N_ITEMS, N_REQUESTS, N_USERS, N_DAYS = 40, 400, 25, 16
N_CANDIDATES, N_POSITIONS = 12, 5
CANDIDATE_STEP = 3
"""From an item that is a candidate to the next of the same request."""
EXAMINATION = 1.0 / np.arange(1, N_POSITIONS + 1)
SHARES = {"retrieval": 0.25, "ranking": 0.5, "validation": 0.125, "test": 0.125}


@dataclass(frozen=True)
class SmallLog:
    """Items and queries of one to three made-up words; a click follows a shared word of query and title.

    Users look at position k with probability 1 / (k + 1). Half of the slates are shuffled. The candidates of
    each request have a score, a fused score, a BM25 score and a two-tower score. Each user follows one source
    from the start, and one since a day of the log.

    Args:
        seed: of everything.
    """

    seed: int = 0

    @cached_property
    def catalog(self) -> Catalog:
        item = np.arange(N_ITEMS)
        titles = [f"{WORDS[i % 8]} {WORDS[i // 8]}" for i in item]
        texts = [f"{WORDS[(i + 3) % 8]} near the {WORDS[i * i % 8]} " * (1 + i % 3) for i in item]
        columns = {
            "title": np.array(titles, dtype=object),
            "text": np.array(texts, dtype=object),
            "category": item % 4,
            "source": item * item % 7,
            "authority": rng.uniform(self.seed, "authority", item),
            "published_days": -100.0 * rng.uniform(self.seed, "published", item),
            "n_words": np.array([len(text.split()) for text in texts]),
        }
        return Catalog(np.array([f"item-{i}" for i in item]), columns, {"follows": self._follows()})

    @cached_property
    def requests(self) -> Requests:
        n = np.arange(N_REQUESTS)
        query_id = rng.integers(self.seed, "queries", len(WORDS), n)
        queries = [f"{WORDS[q]} {WORDS[(q + 1) % 8]}"[: 5 if q % 4 == 0 else None] for q in query_id]
        columns = {"query": np.array(queries, dtype=object), "query_id": query_id}
        users, sessions = rng.integers(self.seed, "users", N_USERS, n), np.zeros(N_REQUESTS, np.int64)
        return Requests(7 * n + 1, users, sessions, n * N_DAYS / N_REQUESTS, columns)

    def candidates(self, requests: Requests) -> RankingBatch:
        """The same candidates for a request, whatever else is asked."""
        request_id = requests.request_id[:, None]
        first = rng.integers(self.seed, "candidates", N_ITEMS, request_id)
        items = ((first + CANDIDATE_STEP * np.arange(N_CANDIDATES)) % N_ITEMS).ravel()
        offsets = np.arange(len(requests) + 1) * N_CANDIDATES
        columns = {
            name: rng.uniform(self.seed, name, np.repeat(requests.request_id, N_CANDIDATES), items)
            for name in ("score", "fused_score", "bm25_score", "two_tower_score")
        }
        return RankingBatch(requests, Candidates(offsets, items, columns))

    @cached_property
    def log(self) -> Log:
        requests = self.requests
        slates = self._slates(requests)
        keys = requests.request_id[:, None], slates.items
        examined = rng.uniform(self.seed, "examination", *keys) < EXAMINATION
        click = examined & (
            rng.uniform(self.seed, "clicks", *keys) < self._attraction(requests, slates.items)
        )
        dwell = np.where(click, 60.0 * rng.exponential(self.seed, "dwell", *keys), 0.0)
        served = Served(requests, slates, {"click": click, "dwell_s": dwell.astype(np.float32)})
        return Log(requests, impressions_of(served), split_by_time(requests.time_days, N_DAYS, SHARES))

    @cached_property
    def labels(self) -> Labels:
        """Clicks at the first position, by the true examination."""
        seen = self.log.impressions
        label = seen["click"].to_numpy() / EXAMINATION[seen["position"].to_numpy()]
        pairs = seen["request_id"].to_numpy(), seen["item"].to_numpy()
        return Labels.of_pairs(*pairs, label, EXAMINATION, float(N_POSITIONS))

    def _follows(self) -> Relation:
        user = np.arange(N_USERS)
        since = np.concatenate([np.full(N_USERS, -np.inf), user % N_DAYS + 0.5])
        return Relation.of(np.tile(user, 2), np.concatenate([user, 3 * user + 1]) % 7, since)

    def _slates(self, requests: Requests) -> Slates:
        batch = self.candidates(requests)
        explored = rng.uniform(self.seed, "explored", requests.request_id) < 0.5
        request_id = np.repeat(requests.request_id, N_CANDIDATES)
        luck = rng.uniform(self.seed, "shuffle", request_id, batch.candidates.items)
        order = np.where(np.repeat(explored, N_CANDIDATES), luck, batch.candidates["bm25_score"])
        items = batch.top(order, N_POSITIONS).slates(N_POSITIONS).items
        return Slates(
            items,
            {
                "propensity": np.ones(items.shape),
                "explored": np.broadcast_to(explored[:, None], items.shape),
            },
        )

    def _attraction(self, requests: Requests, items: Ints) -> Floats:
        shared = (items % 8 == requests["query_id"][:, None]) | (items // 8 == requests["query_id"][:, None])
        return np.where(shared, 0.8, 0.2)
