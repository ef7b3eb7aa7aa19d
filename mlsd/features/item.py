"""What is known about an item by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from mlsd import checks
from mlsd.datasets.hashing import hash_buckets
from mlsd.errors import InputError, NotFittedError, nearest
from mlsd.features.base import Family, Feature, FeatureGroup
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Floats, Ints, RankingBatch, State

SCALES = ("identity", "log1p")


class ItemColumn(Feature):
    """A column of the catalog as it is, or as log(1 + max(x, 0)).

    Args:
        name: the column, such as `authority`.
        scale: "identity" or "log1p".
    """

    family: ClassVar[Family] = "item"

    def __init__(self, name: str, scale: str = "identity") -> None:
        self.name = name
        self.scale = checks.one_of("scale", scale, SCALES)
        self.catalog_needs = frozenset({name})
        self._values: Floats | None = None

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        values = catalog[self.name].astype(np.float64)
        self._values = np.log1p(np.maximum(values, 0.0)) if self.scale == "log1p" else values

    def values(self, batch: RankingBatch) -> Floats:
        return _fitted(self._values)[batch.candidates.items]

    def state(self) -> State:
        return {"values": _fitted(self._values)}

    def load_state(self, state: State) -> None:
        self._values = state["values"]


class ItemAge(Feature):
    """log(1 + age) of an item in days when the request is made; 0 for one from the future.

    Args:
        published: column of the catalog with the day of publication, relative to day 0.
    """

    family: ClassVar[Family] = "item"
    needs = frozenset({"request.time_days"})

    def __init__(self, published: str = "published_days") -> None:
        self.published = published
        self.catalog_needs = frozenset({published})
        self._published: Floats | None = None

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        self._published = catalog[self.published].astype(np.float64)

    def values(self, batch: RankingBatch) -> Floats:
        published = _fitted(self._published)[batch.candidates.items]
        age = batch.per_candidate("request.time_days") - published
        return np.asarray(np.log1p(np.maximum(age, 0.0)))

    def state(self) -> State:
        return {"published": _fitted(self._published)}

    def load_state(self, state: State) -> None:
        self._published = state["published"]


class ItemCategory(Feature):
    """A category of the item, for an embedding.

    Args:
        name: column of the catalog with integers from 0.
    """

    family: ClassVar[Family] = "item"

    def __init__(self, name: str = "category") -> None:
        self.name = name
        self.catalog_needs = frozenset({name})
        self._category: Ints | None = None

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        category = catalog[self.name].astype(np.int64)
        if category.min(initial=0) < 0:
            raise InputError(f"item.{self.name} has the category {category.min()}, must be at least 0")
        self._take(category)

    def values(self, batch: RankingBatch) -> Ints:
        return _fitted(self._category)[batch.candidates.items]

    def state(self) -> State:
        return {"category": _fitted(self._category)}

    def load_state(self, state: State) -> None:
        self._take(state["category"])

    def _take(self, category: Ints) -> None:
        self._category = category
        self.cardinality = int(category.max(initial=0)) + 1


class ItemId(Feature):
    """Which item it is, for an embedding: its name hashed into so many buckets, however many items there are.

    Args:
        n_buckets: 1 or more; see `mlsd.datasets.hashing.hash_buckets`.
    """

    family: ClassVar[Family] = "item"

    def __init__(self, n_buckets: int) -> None:
        self.cardinality = checks.at_least("n_buckets", n_buckets, 1)
        self._bucket: Ints | None = None

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        self._bucket = hash_buckets("item", catalog.item_id, self.cardinality)

    def values(self, batch: RankingBatch) -> Ints:
        return _fitted(self._bucket)[batch.candidates.items]

    def state(self) -> State:
        return {"bucket": _fitted(self._bucket)}

    def load_state(self, state: State) -> None:
        self._bucket = state["bucket"]


class SameCategory(Feature):
    """1 where the item's category is that of the request, 0 elsewhere.

    Args:
        request: column of requests with integers, without `request.`.
        item: column of the catalog with integers.
    """

    family: ClassVar[Family] = "query_item"

    def __init__(self, request: str, item: str = "category") -> None:
        self.request, self.item = request, item
        self.needs, self.catalog_needs = frozenset({f"request.{request}"}), frozenset({item})
        self._category: Ints | None = None

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        self._category = catalog[self.item].astype(np.int64)

    def values(self, batch: RankingBatch) -> Floats:
        of_item = _fitted(self._category)[batch.candidates.items]
        return np.asarray(of_item == batch.per_candidate(f"request.{self.request}"), np.float64)

    def state(self) -> State:
        return {"category": _fitted(self._category)}

    def load_state(self, state: State) -> None:
        self._category = state["category"]


class SameUserCategory(SameCategory):
    """1 where the item's category is that of the user who makes the request, 0 elsewhere.

    Args:
        request: column of requests with integers, without `request.`.
        item: column of the catalog with integers.
    """

    family: ClassVar[Family] = "user_item"


class EveryColumn(FeatureGroup):
    """A feature for each column of numbers: of integers a category for an embedding, of others a number.

    Columns of text are left out.

    Args:
        leave_out: columns that do not become features.
    """

    family: ClassVar[Family] = "item"

    def __init__(self, leave_out: Sequence[str] = ()) -> None:
        self.leave_out = tuple(leave_out)

    def columns(self, catalog: Catalog) -> Mapping[str, bool]:
        """Numbers first, then categories.

        Raises:
            InputError: a column to leave out is not there, or none is left.
        """
        for name in self.leave_out:
            if name not in catalog.columns:
                close = nearest(name, catalog.columns)
                hint = f"; nearest is {close!r}" if close else ""
                raise InputError(f"leave_out names {name!r}, which is no column of the catalog{hint}")
        left = {name: column for name, column in catalog.columns.items() if name not in self.leave_out}
        numbers = {name: False for name, column in left.items() if _kind(column) == "f"}
        categories = {name: True for name, column in left.items() if _kind(column) in "iu"}
        if not numbers and not categories:
            raise InputError("no column of numbers or categories is left to learn from")
        return {**numbers, **categories}

    def feature(self, column: str, *, categorical: bool) -> Feature:
        return ItemCategory(column) if categorical else ItemColumn(column)

    def without(self, columns: Collection[str]) -> Self:
        return type(self)((*self.leave_out, *columns))


def _fitted(values: Array | None) -> Array:
    if values is None:
        raise NotFittedError("an item's feature was used before fit or load_state")
    return values


def _kind(column: Array) -> str:
    return np.asarray(column).dtype.kind
