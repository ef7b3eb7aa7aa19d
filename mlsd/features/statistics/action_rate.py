"""How often something is done with what is shown: with an item, with all of an author's, by a user."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.features.base import Family
from mlsd.features.statistics.gamma import gamma_prior, log_relative_rate
from mlsd.features.statistics.hourly import ITEM, USER, Done, HourlyCounts, HourlyFeature, Looked
from mlsd.logs import Log
from mlsd.types import Catalog, Floats, State


class _ActionRate(HourlyFeature):
    """Actions over impressions of a key before the hour of the request, smoothed, as a logarithm.

        log((a + C) / (b + E)) - log(a / b)

    with E the impressions of the key and C those with the action, and a Gamma(a, b) prior for the rate,
    fitted by moments to the keys of the training windows. 0 for a key that was never shown. Impressions count
    alike wherever they stood on the page: position bias is left in.

    Args:
        part: the key, as `HourlyCounts` has it.
        action: column of the log's impressions.
        at_least: from which value on it was done, above 0.
    """

    def __init__(self, part: str, action: str, at_least: float) -> None:
        self.done = Done.of([action], at_least)
        self.shared = HourlyCounts([part], [self.done])
        self._prior: Floats = np.zeros(0)

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        self._prior = gamma_prior(*self.training_totals(log, self.done))

    def read(self, prepared: Looked) -> Floats:
        return log_relative_rate(prepared.shown, prepared.done(self.done), self._prior)

    def state(self) -> State:
        return {"prior": self._prior}

    def load_state(self, state: State) -> None:
        self._prior = state["prior"]


class ItemActionRate(_ActionRate):
    """How often an action is done with the item for how often it was shown, relative to the average item.

        log((a + C) / (b + E)) - log(a / b)

    with E the item's impressions and C those with the action, before the hour of the request, and a
    Gamma(a, b) prior for the rate, fitted by moments to the items of the training windows (`gamma_prior`).
    0 for an item never shown. Impressions count alike wherever they stood: not divided by examination.

    Args:
        action: column of the log's impressions, such as `like`.
        at_least: from which value on it was done, above 0.
    """

    family: ClassVar[Family] = "item_statistics"

    def __init__(self, action: str, at_least: float = 1.0) -> None:
        super().__init__(ITEM, action, at_least)


class ValueActionRate(_ActionRate):
    """How often an action is done with items of the same value, such as an author's, relative to the average.

    As `ItemActionRate`, with all items of one value of a column counted together and the prior of these
    values.

    Args:
        column: of the catalog, with integers, such as `author`.
        action: column of the log's impressions, such as `hide`.
        at_least: from which value on it was done, above 0.
    """

    family: ClassVar[Family] = "item_statistics"

    def __init__(self, column: str, action: str, at_least: float = 1.0) -> None:
        super().__init__(f"{ITEM}.{column}", action, at_least)


class UserActionRate(_ActionRate):
    """How often the user does something at all with what is shown, relative to the average user.

    As `ItemActionRate`, with all that the user was shown and the prior of users.

    Args:
        action: column of the log's impressions, such as `reply`.
        at_least: from which value on it was done, above 0.
    """

    family: ClassVar[Family] = "user"

    def __init__(self, action: str, at_least: float = 1.0) -> None:
        super().__init__(USER, action, at_least)
