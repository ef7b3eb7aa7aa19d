"""What rankers read about a candidate. One code computes it for training and for serving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from copy import copy
from typing import Any, ClassVar, Literal, Self

from mlsd import checks
from mlsd.logs import Log
from mlsd.types import (
    Array,
    Catalog,
    RankingBatch,
    Served,
    State,
)

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

    relative: ClassVar[bool] = False
    """Whether a value depends on the other candidates of its request, and not on its own item alone."""

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: B027  (most features learn nothing)
        """Learn from the catalog and the log.

        Free parameters come from the training windows only; counts may cover the whole log, as
        `values` looks them up strictly before the day of each request.
        """

    @abstractmethod
    def values(self, batch: RankingBatch) -> Array:
        """(n_candidates,) the feature of every candidate.

        A row depends on its own request and item only, or, where `relative`, on its request's candidates.
        """

    def observed(self, served: Served) -> Self:
        """This feature when it knows, too, what users did since it was fitted; see `Stage.observed`.

        What it then says of a request equals, to the last bit, what it would say had it been fitted on a log
        that holds these requests, too, with the same free parameters.
        """
        del served
        return self

    def state(self) -> State:
        """What `fit` learnt."""
        return {}

    def load_state(self, state: State) -> None:  # noqa: B027
        """Take over what another `fit` learnt."""


class HistoryFeature(Feature):
    """What came before, as categories, most recent first: `length` columns for every candidate.

    Values are 1 + a category, and 0 where there is nothing: integers in [0, cardinality].

    Args:
        length: columns, at least 1.
        like: the categorical feature of the set that has the same categories, whose embeddings it shares;
            None for its own.
    """

    def __init__(self, length: int, like: str | None) -> None:
        self.length = checks.at_least("length", length, 1)
        self.like = like

    @abstractmethod
    def values(self, batch: RankingBatch) -> Array:
        """(n_candidates, length) what came before the request of every candidate."""


class FeatureGroup(ABC):
    """Features that only the data tells: one for each of many columns of the catalog.

    In a set a group named g has the features `g.<column>`, as of the catalog that the set was fitted on.
    """

    family: ClassVar[Family]
    needs: frozenset[str] = frozenset()
    catalog_needs: frozenset[str] = frozenset()

    @abstractmethod
    def columns(self, catalog: Catalog) -> Mapping[str, bool]:
        """Column -> whether it holds categories, of the columns that become features, in order."""

    @abstractmethod
    def feature(self, column: str, *, categorical: bool) -> Feature:
        """The feature of a column, not fitted."""

    @abstractmethod
    def without(self, columns: Collection[str]) -> Self:
        """The same group without some columns."""


Declared = Feature | FeatureGroup


class Shared(ABC):
    """What several features of a set read: fitted and kept once, and computed once for a batch."""

    needs: frozenset[str] = frozenset()
    catalog_needs: frozenset[str] = frozenset()

    @property
    @abstractmethod
    def key(self) -> str:
        """Names what it is; two with the same key are the same."""

    @abstractmethod
    def fit(self, catalog: Catalog, log: Log) -> None:
        """Learn, as a feature does."""

    def joined(self, other: Self) -> Self:
        """What serves the features of both, not fitted; `other` has the same key. Neither changes."""
        del other
        return self

    @abstractmethod
    def prepare(self, batch: RankingBatch) -> Any:
        """What its features read of a batch."""

    def observed(self, served: Served) -> Self:
        """This part when it knows, too, what users did since it was fitted; see `Feature.observed`."""
        del served
        return self

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""


class SharingFeature(Feature):
    """A feature that reads what a `Shared` part prepares, which is fitted before it.

    What it remembers of users is in the shared part; its own state is what training fixed.
    """

    shared: Shared

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return self.shared.needs

    @property
    def catalog_needs(self) -> frozenset[str]:  # type: ignore[override]
        return self.shared.catalog_needs

    @abstractmethod
    def read(self, prepared: Any) -> Array:
        """(n_candidates,) the feature, from what the shared part prepared for a batch."""

    def values(self, batch: RankingBatch) -> Array:
        return self.read(self.shared.prepare(batch))

    def reading(self, shared: Shared) -> Self:
        """The same feature on another shared part; itself on its own."""
        if shared is self.shared:
            return self
        other = copy(self)
        other.shared = shared
        return other

    def observed(self, served: Served) -> Self:
        return self.reading(self.shared.observed(served))
