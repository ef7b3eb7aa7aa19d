from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.features.base import Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.related import Related
from mlsd.testing import past
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Catalog

SMALL = SmallLog()
TRAINING = SMALL.candidates(SMALL.log.until("ranking").requests)


class TestRelated(FeatureKit):
    def make(self) -> Feature:
        return Related("follows", "source", "click")


def fitted(feature: Related, catalog: Catalog = SMALL.catalog) -> Related:
    FeatureSet({"feature": feature}).fit(catalog, SMALL.log, TRAINING)
    return feature


def test_equals_looking_it_up_by_hand() -> None:
    """Users who were related from the start, since a time, by an action, and not at all are among them."""
    batch = SMALL.candidates(SMALL.requests.take(np.arange(20, 400, 40)))
    follows, source = SMALL.catalog.relations["follows"], SMALL.catalog["source"]
    values = fitted(Related("follows", "source", "click")).values(batch)
    reasons = set()
    for number, item in enumerate(batch.candidates.items):
        request = batch.requests.take(batch.candidates.request_rows[number : number + 1])
        user, of_item = request.user[0], source[item]
        since = [
            follows.since_days[pair]
            for pair in range(len(follows))
            if (follows.user[pair], follows.value[pair]) == (user, of_item)
        ]

        def alike(row: dict[str, float], user: int = user, of_item: int = of_item) -> bool:
            return row["user"] == user and source[int(row["item"])] == of_item

        acted = past.before(SMALL.log, int(request.hour[0]), alike, lambda row: row["click"] > 0).done > 0
        held = bool(since) and since[0] < request.time_days[0]
        reasons.add((held, bool(since), acted))
        assert values[number] == float(held or acted)
    assert {(True, True, False), (False, True, False), (False, False, True), (False, False, False)} <= reasons


def test_needs_the_relation_the_column_and_who_asks() -> None:
    feature = Related("follows", "author", "follow")
    assert feature.catalog_needs == {"author", "relation.follows"}
    assert feature.needs == {"request.user", "request.time_days"}


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(InvalidValueError, match="relation == '', must not be empty"):
        Related("", "source", "click")
    with pytest.raises(
        InputError, match="the catalog has no relation 'follow'; there are follows; nearest is 'follows'"
    ):
        fitted(Related("follow", "source", "click"))
    with pytest.raises(InputError, match="the catalog has no relation 'follows'; there are none"):
        fitted(Related("follows", "source", "click"), replace(SMALL.catalog, relations={}))
    columns = {**SMALL.catalog.columns, "source": SMALL.catalog["source"] - 1}
    with pytest.raises(
        InputError, match=r"item.source has the value -1, must be at least 0 to be related to"
    ):
        fitted(Related("follows", "source", "click"), replace(SMALL.catalog, columns=columns))
    with pytest.raises(NotFittedError, match="Related was used before fit"):
        Related("follows", "source", "click").state()
