"""Whether a user is related to an item: follows its author, say."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd import checks
from mlsd.errors import InputError, NotFittedError, nearest
from mlsd.features.base import Family
from mlsd.features.statistics.hourly import ITEM, USER, Done, HourlyCounts, HourlyFeature, Looked
from mlsd.logs import Log
from mlsd.relations import Relation
from mlsd.types import Catalog, Floats, State


class Related(HourlyFeature):
    """1 where the user is related to the item's value when the request is made, 0 elsewhere.

    Pairs that the catalog knows are related from their own time on (`Relation.held`); those that an action
    adds, in the log or while serving, from the hour after the action on. Nothing ends a relation.

    Args:
        relation: of the catalog, of users and values of the column, such as `follows`.
        column: of the catalog, with integers of 0 or more, such as `author`.
        action: column of the log's impressions that relates the user to the item's value where it is 1 or
            more, such as `follow`.
    """

    family: ClassVar[Family] = "user_item"

    def __init__(self, relation: str, column: str, action: str) -> None:
        self.relation = checks.not_empty("relation", relation)
        self.column = column
        self.done = Done.of([action], 1.0)
        self.shared = HourlyCounts([USER, f"{ITEM}.{column}"], [self.done])
        self._related: Relation | None = None

    @property
    def catalog_needs(self) -> frozenset[str]:  # type: ignore[override]
        return self.shared.catalog_needs | {f"relation.{self.relation}"}

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        lowest = int(catalog[self.column].min(initial=0))
        if lowest < 0:
            raise InputError(
                f"item.{self.column} has the value {lowest}, must be at least 0 to be related to"
            )
        self._related = _relation(catalog, self.relation)

    def read(self, prepared: Looked) -> Floats:
        user, time_days = (prepared.batch.per_candidate(f"request.{name}") for name in ("user", "time_days"))
        known = self._fitted().held(user, prepared.value, time_days)
        return np.asarray(known | (prepared.done(self.done) > 0), np.float64)

    def state(self) -> State:
        return self._fitted().state()

    def load_state(self, state: State) -> None:
        self._related = Relation.from_state(state)

    def _fitted(self) -> Relation:
        if self._related is None:
            raise NotFittedError("Related was used before fit or load_state")
        return self._related


def _relation(catalog: Catalog, name: str) -> Relation:
    if name not in catalog.relations:
        known, close = ", ".join(sorted(catalog.relations)) or "none", nearest(name, catalog.relations)
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(f"the catalog has no relation {name!r}; there are {known}{hint}")
    return catalog.relations[name]
