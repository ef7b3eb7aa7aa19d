"""What the understand stage says about a query, as features."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd import checks
from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Family, Feature
from mlsd.logs import Log
from mlsd.types import Catalog, Floats, Ints, RankingBatch, State


class IntentProb(Feature):
    """P(intent | query) where this is the intent the query is taken to have; 0 where it is another.

    Args:
        intent: such as `navigational`.
    """

    family: ClassVar[Family] = "query"
    needs = frozenset({"request.intent", "request.intent_prob"})

    def __init__(self, intent: str) -> None:
        self.intent = checks.not_empty("intent", intent)

    def values(self, batch: RankingBatch) -> Floats:
        requests = batch.requests
        prob = np.where(requests["intent"] == self.intent, requests["intent_prob"].astype(np.float64), 0.0)
        return np.asarray(prob[batch.candidates.request_rows])


class TopicMatch(Feature):
    """P(topic of the item | query), from the probabilities that the understand stage gives all topics.

    Args:
        category: column of the catalog with the topics, integers from 0.
    """

    family: ClassVar[Family] = "query_item"
    needs = frozenset({"request.topic_prob"})

    def __init__(self, category: str = "category") -> None:
        self.category = category
        self.catalog_needs = frozenset({category})
        self._category: Ints | None = None

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        self._category = catalog[self.category].astype(np.int64)

    def values(self, batch: RankingBatch) -> Floats:
        if self._category is None:
            raise NotFittedError("a feature was used before fit or load_state")
        prob, candidates = batch.requests["topic_prob"], batch.candidates
        topic = self._category[candidates.items]
        if topic.max(initial=-1) >= prob.shape[1]:
            raise InputError(
                f"an item has the {self.category} {topic.max()}, "
                f"but request.topic_prob has {prob.shape[1]} topics"
            )
        return np.asarray(prob[candidates.request_rows, topic], np.float64)

    def state(self) -> State:
        if self._category is None:
            raise NotFittedError("a feature was used before fit or load_state")
        return {"category": self._category}

    def load_state(self, state: State) -> None:
        self._category = state["category"]
