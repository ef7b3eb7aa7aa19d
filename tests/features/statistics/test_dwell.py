from __future__ import annotations

import numpy as np
import pytest

from mlsd import rng
from mlsd.features.base import Feature
from mlsd.features.statistics.dwell import ItemDwell, normal_prior
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()


class TestItemDwell(FeatureKit):
    def make(self) -> Feature:
        return ItemDwell()


def test_equals_a_mean_by_hand() -> None:
    feature = ItemDwell()
    feature.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests.take(np.array([350])))
    mean, k = feature.state()["prior"]
    seen = SMALL.log.impressions
    for value, item in zip(feature.values(batch), batch.candidates.items, strict=True):
        before = (
            (np.floor(seen["time_days"]) < batch.requests.day[0]) & (seen["item"] == item) & seen["click"]
        )
        stay = np.log1p(seen["dwell_s"][before].to_numpy(np.float64))
        assert value == pytest.approx((k * mean + stay.sum()) / (k + len(stay)))


def test_prior_recovers_variances() -> None:
    """2,000 keys of 10 observations, sd 1 within and .5 between: k is 4 within 10%.

    Standard errors: of the variance between about 4.5%, of that within 1%.
    """
    keys = np.arange(2000)[:, None]
    values = 3 + 0.5 * rng.normal(9, "between", keys) + rng.normal(9, "within", keys, np.arange(10))
    mean, k = normal_prior(np.full(2000, 10.0), values.sum(axis=1), np.square(values).sum(axis=1))
    assert mean == pytest.approx(3, abs=0.05)
    assert k == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("observations", "prior"),
    [
        ([], (0.0, 1.0)),
        ([[1.0, 3.0]], (2.0, 2.0)),
        ([[1.0], [3.0]], (2.0, 2.0)),
        ([[1.0, 3.0], [3.0, 1.0]], (2.0, 4.0)),
    ],
)
def test_prior_of_too_little(observations: list[list[float]], prior: tuple[float, float]) -> None:
    sums = [(len(o), sum(o), sum(x * x for x in o)) for o in observations]
    assert normal_prior(*np.array(sums, np.float64).reshape(-1, 3).T) == prior
