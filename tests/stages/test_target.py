from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd import ragged
from mlsd.errors import InputError, InvalidValueError
from mlsd.stages.base import TrainingData
from mlsd.stages.target import Target
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.testing.world_kit import day_of
from mlsd.types import Catalog, RankingBatch, concat_requests
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

WORLD = AdsWorld(seed=5, n_users=150, n_campaigns=60, click_model=PositionBased())
KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
REQUESTS = concat_requests([day_of(WORLD, day).requests for day in range(3)])


def fitted(n_out: int = 1000, action_prob: float = 0.1, catalog: Catalog = WORLD.catalog) -> Target:
    stage = Target(n_out, KEYS, action_prob)
    stage.fit(TrainingData(catalog), FITTING)
    return stage


class TestTarget(CandidateStageKit):
    def make(self) -> Target:
        return Target(self.n_out, KEYS, 0.1)

    def batch(self) -> RankingBatch:
        return RankingBatch.of(REQUESTS.take(np.arange(0, len(REQUESTS), 7)))

    def training(self) -> TrainingData:
        return TrainingData(WORLD.catalog)


def test_those_who_are_eligible_are_found_on_every_day() -> None:
    order = np.argsort(REQUESTS.user, kind="stable")
    mixed = REQUESTS.take(order)
    found = fitted().process(RankingBatch.of(mixed)).candidates
    eligible = WORLD.eligible(mixed)
    assert eligible.any()
    rows = np.zeros_like(eligible)
    rows[found.request_rows, found.items] = True
    np.testing.assert_array_equal(rows, eligible)


def test_who_offers_most_for_a_click_comes_first() -> None:
    found = fitted(n_out=3, action_prob=0.2).process(RankingBatch.of(REQUESTS)).candidates
    catalog = WORLD.catalog
    offer = np.where(catalog["per_action"], 0.2, 1.0) * catalog["bid"]
    np.testing.assert_allclose(found["score"], offer[found.items])
    np.testing.assert_array_equal(found["bid"], catalog["bid"][found.items])
    eligible = WORLD.eligible(REQUESTS)
    highest = np.where(eligible, offer, -np.inf).max(axis=1)
    first = found.offsets[:-1][found.counts > 0]
    np.testing.assert_allclose(found["score"][first], highest[found.counts > 0])


def test_a_value_that_a_key_does_not_have_meets_no_rule_that_names_values() -> None:
    strange = REQUESTS.with_columns(region=np.full(len(REQUESTS), 99))
    found = fitted().process(RankingBatch.of(strange)).candidates
    assert len(found)
    assert np.all(WORLD.catalog["target_region"][found.items] == 0)


def test_nobody_advertises() -> None:
    nothing = Catalog(np.zeros(0, str), {name: values[:0] for name, values in WORLD.catalog.columns.items()})
    found = fitted(catalog=nothing).process(RankingBatch.of(REQUESTS)).candidates
    assert found.counts.tolist() == [0] * len(REQUESTS)
    assert found.offsets.tolist() == ragged.offsets_of_counts(np.zeros(len(REQUESTS), np.int64)).tolist()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("bid", -1.0, r"item.bid\[3\] == -1.0, must be finite and at least 0; 1 rows break this"),
        ("bid", np.nan, r"item.bid\[3\] == nan, must be finite and at least 0"),
        ("end_day", -500, r"item.end_day\[3\] == -500, must be at least the day the campaign starts"),
        (
            "target_hour",
            1 << 24,
            r"target_hour\[3\] == 16777216, must be a mask of the 24 values of hour",
        ),
        ("target_region", -1, r"item.target_region\[3\] == -1, must be a mask of the 8 values of region"),
    ],
)
def test_what_is_wrong_with_an_ad_is_said(column: str, value: float, message: str) -> None:
    values = WORLD.catalog[column].copy()
    values[3] = value
    with pytest.raises(InputError, match=message):
        fitted(catalog=replace(WORLD.catalog, columns={**WORLD.catalog.columns, column: values}))


def test_rules_must_be_of_integers() -> None:
    values = WORLD.catalog["target_region"].astype(np.float64)
    with pytest.raises(InputError, match=r"item.target_region is float64, must be of integers"):
        fitted(catalog=replace(WORLD.catalog, columns={**WORLD.catalog.columns, "target_region": values}))


def test_a_key_has_no_more_values_than_a_rule_can_name() -> None:
    with pytest.raises(InvalidValueError, match=r"keys.region == 64, must be between 1 and 63"):
        Target(10, {"region": 64}, 0.1)
    with pytest.raises(InvalidValueError, match=r"keys.hour == 25, must be between 1 and 24"):
        Target(10, {"hour": 25}, 0.1)
