"""What rankers read about a candidate. One code computes it for training and for serving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from mlsd.logs import Log
from mlsd.types import Array, Catalog, RankingBatch, State

Family = Literal[
    "context", "query", "user", "item", "item_statistics", "query_item", "user_item", "query_item_statistics"
]


class Feature(ABC):
    """One named input of a ranker: a value for every candidate, as of its request's time.

    A dense feature has `cardinality` 0 and float values, NaN where unknown; a categorical one has
    integers in [0, cardinality).
    """

    family: ClassVar[Family]
    needs: frozenset[str] = frozenset()
    """Columns it reads, as `request.<name>` or `candidate.<name>`."""

    catalog_needs: frozenset[str] = frozenset()
    """Columns of the catalog it is fitted on."""

    cardinality: int = 0

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: B027  (most features learn nothing)
        """Learn from the catalog and the log.

        Free parameters come from the training windows only; counts may cover the whole log, as
        `values` looks them up strictly before the day of each request.
        """

    @abstractmethod
    def values(self, batch: RankingBatch) -> Array:
        """(n_candidates,) the feature of every candidate; a row depends on its own request and item only."""

    def state(self) -> State:
        """What `fit` learnt."""
        return {}

    def load_state(self, state: State) -> None:  # noqa: B027
        """Take over what another `fit` learnt."""
