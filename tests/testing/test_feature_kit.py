"""Features that break what the kit holds them to are caught by it."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Self

import pytest

from mlsd.features.base import Feature
from mlsd.features.statistics.action_count import ItemActionCount
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.features.statistics.hourly import HourlyCounts, Looked
from mlsd.logs import impressions_of
from mlsd.testing.feature_kit import FIRST_OBSERVED, FeatureKit, is_live
from mlsd.testing.small_log import SmallLog
from mlsd.types import RankingBatch, Served


class Peeking(HourlyCounts):
    """Knows what happens within the hour of the request."""

    def prepare(self, batch: RankingBatch) -> Looked:
        later = replace(batch.requests, time_days=batch.requests.time_days + 1 / 24)
        return super().prepare(RankingBatch(later, batch.candidates))


class Forgetful(HourlyCounts):
    """Knows what it observed last, and nothing else."""

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer._counts = AsOfCounts.of(*self._events(impressions_of(served)))
        return newer


class CountsEvery(ItemActionCount):
    """Counts impressions, with a shared part of this kind.

    Args:
        kind: of shared part.
    """

    def __init__(self, kind: type[HourlyCounts]) -> None:
        super().__init__("click")
        self.shared = kind(["item"], [self.done])


class KitOf(FeatureKit):
    """Not collected: the kit of a feature that breaks its rules."""

    __test__ = False

    def __init__(self, kind: type[HourlyCounts]) -> None:
        self.kind = kind

    def make(self) -> Feature:
        return CountsEvery(self.kind)


LAST = len(SmallLog().requests)


def test_the_honest_one_passes() -> None:
    kit = KitOf(HourlyCounts)
    assert is_live(kit.make())
    kit.test_what_is_observed_is_known_as_if_it_had_been_logged(FIRST_OBSERVED, 5)
    kit.test_what_happens_in_an_hour_is_known_from_the_next_one_on(LAST - 30)


@pytest.mark.parametrize("row", [FIRST_OBSERVED, FIRST_OBSERVED + 26, LAST - 30])
def test_a_look_at_the_own_hour_is_caught(row: int) -> None:
    kit = KitOf(Peeking)
    kit.test_what_is_observed_is_known_as_if_it_had_been_logged(FIRST_OBSERVED, 5)
    with pytest.raises(AssertionError):
        kit.test_what_happens_in_an_hour_is_known_from_the_next_one_on(row)


def test_what_was_forgotten_is_missed() -> None:
    with pytest.raises(AssertionError):
        KitOf(Forgetful).test_what_is_observed_is_known_as_if_it_had_been_logged(FIRST_OBSERVED, 5)
