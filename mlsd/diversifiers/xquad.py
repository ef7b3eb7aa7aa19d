"""Explicit query aspect diversification."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlsd import checks, ragged
from mlsd.diversifiers.base import NO_TOPIC, Choice, Diversifier, Pool, same_topic, topics_of
from mlsd.errors import InputError, NotFittedError
from mlsd.types import Catalog, Floats, Ints, State

Aspects = Literal["candidates", "understood"]
ASPECTS = ("candidates", "understood")


class XQuAD(Diversifier):
    """xQuAD: an item for each thing that the request may mean, the likelier ones first.

        gain(i) = (1 - trade_off) * relevance(i) + trade_off * sum over aspects a of
                  P(a | request) * P(i | a) * product over chosen j of (1 - P(j | a))

    An aspect is a topic of the catalog, its `category`. P(i | a) is the relevance of i where a is its topic,
    else 0; an item without a topic serves no aspect. P(a | request) comes from one of

        understood: `request.topic_prob` (n_requests, n_topics), the understanding of the query;
        candidates: the relevance of the candidates of that topic over that of all with a topic.

    Source: Santos, Macdonald and Ounis (WWW 2010), equations 2 to 5.

    Args:
        trade_off: how much aspects count against relevance, in [0, 1]; the paper's lambda.
        aspects: where P(a | request) comes from, "candidates" or "understood".
    """

    def __init__(self, trade_off: float = 0.5, aspects: Aspects = "candidates") -> None:
        super().__init__(trade_off)
        self.aspects = checks.one_of("aspects", aspects, ASPECTS)
        self.needs = frozenset({"request.topic_prob"} if aspects == "understood" else set())
        self._topic: Ints | None = None

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset({"category"})

    def fit(self, catalog: Catalog) -> None:
        self._topic = topics_of(catalog)

    def state(self) -> State:
        return {"topic": self.topic}

    def load_state(self, state: State) -> None:
        self._topic = state["topic"]

    @property
    def topic(self) -> Ints:
        """(n_items,) the topic of every item."""
        if self._topic is None:
            raise NotFittedError("XQuAD was used before fit or load_state")
        return self._topic

    def begin(self, pool: Pool) -> Choice:
        topic = self.topic[pool.candidates.items]
        topic_prob = _understood if self.aspects == "understood" else _estimated
        return _Choice(self, pool, topic, np.where(topic > NO_TOPIC, topic_prob(pool, topic), 0.0))


class _Choice(Choice):
    def __init__(self, xquad: XQuAD, pool: Pool, topic: Ints, topic_prob: Floats) -> None:
        super().__init__(pool)
        self._xquad = xquad
        self._topic = topic
        self._coverage = topic_prob * pool.relevance
        self._unserved_prob = np.ones(len(topic))

    def gains(self) -> Floats:
        return self._xquad.weighed(self.pool.relevance, self._coverage * self._unserved_prob)

    def add(self, chosen: Ints) -> None:
        served = same_topic(self._topic, chosen)
        self._unserved_prob = self._unserved_prob * np.where(served, 1 - self.pool.relevance[chosen], 1.0)


def _understood(pool: Pool, topic: Ints) -> Floats:
    """(n_candidates,) P(topic | request), as the query was understood; anything without a topic."""
    topic_prob = pool.requests["topic_prob"]
    if topic_prob.ndim != 2 or topic_prob.shape[1] <= topic.max(initial=-1):
        raise InputError(
            f"request.topic_prob has shape {topic_prob.shape}, must have a column for every topic: "
            f"candidates have topics up to {topic.max(initial=-1)}"
        )
    return topic_prob[pool.candidates.request_rows, topic].astype(np.float64)


def _estimated(pool: Pool, topic: Ints) -> Floats:
    """(n_candidates,) P(topic | request): its share of the relevance of candidates that have a topic."""
    relevance = np.where(topic > NO_TOPIC, pool.relevance, 0.0)
    width = 2 + int(topic.max(initial=NO_TOPIC))
    keys = pool.candidates.request_rows * width + np.maximum(topic, NO_TOPIC) + 1
    _, group = np.unique(keys, return_inverse=True)
    of_topic = np.bincount(group, relevance)[group]
    total = pool.of_request(ragged.sums(relevance, pool.candidates.offsets))
    return np.divide(of_topic, total, out=np.zeros(len(topic)), where=total > 0)
