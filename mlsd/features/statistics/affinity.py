"""Whether a user does more with items of one kind than people do with items in general."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mlsd import checks
from mlsd.features.base import Family
from mlsd.features.statistics.hourly import ITEM, USER, Done, HourlyCounts, HourlyFeature, Looked
from mlsd.logs import Log
from mlsd.types import Catalog, Floats, State


class UserValueAffinity(HourlyFeature):
    """How much more often the user acts on items of this value than people act on items, as a logarithm.

        log((C_uv + k r) / (E_uv + k)) - log r

    with E_uv the user's impressions of items of the value and C_uv those on which the user did any of the
    actions, before the hour of the request, and r = (C + 1/2) / (E + 1) the rate of all impressions of the
    training windows. 0 for a user who was never shown such an item. Impressions count alike wherever they
    stood on the page: not divided by examination.

    Args:
        column: of the catalog, with integers, such as `author`, `topic` or `media`.
        actions: columns of the log's impressions, such as `like` and `reply`.
        prior_strength: k, how many impressions at the overall rate are added to a user's own, above 0.
        at_least: from which value on an action was done, above 0.
    """

    family: ClassVar[Family] = "user_item"

    def __init__(
        self, column: str, actions: Sequence[str], prior_strength: float = 20.0, at_least: float = 1.0
    ) -> None:
        self.done = Done.of(actions, at_least)
        self.prior_strength = checks.above("prior_strength", prior_strength, 0)
        self.shared = HourlyCounts([USER, f"{ITEM}.{column}"], [self.done])
        self._rate: Floats = np.zeros(0)

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        shown, done = self.training_totals(log, self.done)
        self._rate = np.array([(done.sum() + 0.5) / (shown.sum() + 1.0)])

    def read(self, prepared: Looked) -> Floats:
        k, r = self.prior_strength, self._rate[0]
        rate = (prepared.done(self.done) + k * r) / (prepared.shown + k)
        return np.asarray(np.log(rate) - np.log(r))

    def state(self) -> State:
        return {"rate": self._rate}

    def load_state(self, state: State) -> None:
        self._rate = state["rate"]
