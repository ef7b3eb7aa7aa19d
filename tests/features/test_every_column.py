"""Columns that only the data tells, as features: which, in what order, and without some."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.features.item import EveryColumn, ItemCategory, ItemColumn
from mlsd.features.sets.base import FeatureSet
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, RankingBatch

SMALL = SmallLog()
LOG = SMALL.log
BATCH = SMALL.candidates(SMALL.requests)


def fitted(features: FeatureSet) -> FeatureSet:
    features.fit(SMALL.catalog, LOG, BATCH)
    return features


def test_numbers_come_first_then_categories_and_no_text() -> None:
    columns = EveryColumn().columns(SMALL.catalog)
    assert list(columns.items()) == [
        ("authority", False), ("published_days", False),
        ("category", True), ("source", True), ("n_words", True),
    ]  # fmt: skip


def test_a_group_is_its_columns_declared_one_by_one() -> None:
    group = fitted(FeatureSet({"fields": EveryColumn(["n_words"])}))
    each = fitted(
        FeatureSet(
            {
                "fields.authority": ItemColumn("authority"),
                "fields.published_days": ItemColumn("published_days"),
                "fields.category": ItemCategory("category"),
                "fields.source": ItemCategory("source"),
            }
        )
    )
    assert group.spec == each.spec
    np.testing.assert_array_equal(group.transform(BATCH).dense, each.transform(BATCH).dense)
    np.testing.assert_array_equal(group.transform(BATCH).categorical, each.transform(BATCH).categorical)


def test_columns_are_known_again_from_the_state() -> None:
    made = fitted(FeatureSet({"fields": EveryColumn(["n_words"]), "again": ItemColumn("authority")}))
    restored = FeatureSet({"fields": EveryColumn(["n_words"]), "again": ItemColumn("authority")})
    assert restored.spec.names == ("again",)
    restored.load_state(made.state())
    assert restored.spec == made.spec
    np.testing.assert_array_equal(restored.transform(BATCH).dense, made.transform(BATCH).dense)
    assert {name: array.tobytes() for name, array in restored.state().items()} == {
        name: array.tobytes() for name, array in made.state().items()
    }


def test_one_column_can_be_left_out_before_and_after_columns_are_known() -> None:
    features = FeatureSet({"fields": EveryColumn(), "again": ItemColumn("authority")})
    assert features.may_have("fields.source")
    assert not features.may_have("other.source")
    less = fitted(features.without(["fields.source"]))
    assert "fields.source" not in less.spec.names
    assert fitted(fitted(features).without(["fields.source"])).spec == less.spec
    assert fitted(features.without(["fields"])).spec.names == ("again",)


def test_one_column_can_be_muted() -> None:
    features = fitted(FeatureSet({"fields": EveryColumn()}))
    muted = features.muted(["fields.authority"]).transform(BATCH).dense
    assert not muted[:, 0].any()
    np.testing.assert_array_equal(muted[:, 1], features.transform(BATCH).dense[:, 1])


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    message = "leave_out names 'sources', which is no column of the catalog; nearest is 'source'"
    with pytest.raises(InputError, match=message):
        EveryColumn(["sources"]).columns(SMALL.catalog)


def test_nothing_to_learn_from_is_refused() -> None:
    bare = replace(SMALL.catalog, columns={"title": SMALL.catalog["title"]})
    with pytest.raises(InputError, match="no column of numbers or categories is left to learn from"):
        EveryColumn().columns(bare)


def test_an_item_alone_has_the_values_that_it_has_in_company() -> None:
    features = fitted(FeatureSet({"fields": EveryColumn()}))
    alone = RankingBatch(SMALL.requests.take(np.array([0])), Candidates(np.array([0, 1]), np.array([5])))
    both = RankingBatch(SMALL.requests.take(np.array([0])), Candidates(np.array([0, 2]), np.array([5, 6])))
    np.testing.assert_array_equal(features.transform(alone).dense, features.transform(both).dense[:1])
