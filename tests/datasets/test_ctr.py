"""The columns of a log of clicks: vocabularies by a plain loop, and back from disk to the last bit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets.ctr import Categorical, CtrLog, load, save, with_buckets, with_vocabulary
from mlsd.datasets.hashing import hash_buckets
from mlsd.datasets.tables import Factor
from mlsd.errors import InputError
from mlsd.types import Catalog

VALUES = st.lists(st.sampled_from(["", "a", "b", "B", "10", "9", "é"]), min_size=1)


def small_log() -> CtrLog:
    return CtrLog(
        name="ads",
        fingerprint="0" * 64,
        label=np.array([0, 1, 0], np.int8),
        splits={"train": slice(0, 2), "validation": slice(2, 2), "test": slice(2, 3)},
        dense={"price": np.array([0.1, 1e-30, -2], np.float32)},
        categorical={
            "site": Categorical(np.array([1, 2, 0]), np.array(["", "é"], object)),
            "never": Categorical(np.array([0, 0, 0]), np.zeros(0, object)),
            "ip": Categorical(np.array([99, 3, 99]), np.zeros(0, object), 100),
        },
    )


@given(VALUES, st.integers(0, 20), st.integers(1, 4))
def test_a_vocabulary_is_that_of_a_plain_loop(values: list[str], n_training: int, min_count: int) -> None:
    column = with_vocabulary(Factor(*pd.factorize(np.array(values, object))), n_training, min_count)
    counts = Counter(values[:n_training])
    known = sorted(value for value, count in counts.items() if count >= min_count)
    expected = [known.index(value) + 1 if value in known else 0 for value in values]
    assert column.vocabulary.tolist() == known
    assert column.codes.tolist() == expected
    assert column.codes.dtype == np.int64
    assert column.cardinality == len(known) + 1


@given(VALUES, st.randoms())
def test_the_order_of_training_rows_does_not_matter(values: list[str], random: object) -> None:
    once = with_vocabulary(Factor(*pd.factorize(np.array(values, object))), len(values))
    turned = with_vocabulary(Factor(*pd.factorize(np.array(values[::-1], object))), len(values))
    assert once.vocabulary.tolist() == turned.vocabulary.tolist()
    assert once.codes.tolist() == turned.codes[::-1].tolist()


def test_hashed_columns_have_buckets_and_no_vocabulary() -> None:
    values = np.array(["b", "a", "b"], object)
    column = with_buckets("ip", Factor(*pd.factorize(values)), 50)
    assert column.codes.tolist() == hash_buckets("ip", values, 50).tolist()
    assert (column.cardinality, len(column.vocabulary)) == (50, 0)


@pytest.mark.parametrize("full", [False, True])
def test_what_is_saved_is_loaded(tmp_path: Path, full: bool) -> None:
    log = small_log()
    if full:
        items = Catalog(
            np.array(["7", "8"], object), {"size": np.array([1.5, 2.5]), "kind": np.array(["a", "b"], object)}
        )
        log = replace(
            log, time_days=np.array([0.1, 0.2, 1.7]), start="2014-10-21", user=np.array([0, 1, 0]),
            item=np.array([1, 0, 1]), position=np.array([0, 2, 1]), propensity=np.array([0.5, 1.0, 1e-9]),
            items=items,
        )  # fmt: skip
    save(log, tmp_path)
    again = load(tmp_path)
    assert (again.name, again.start, again.fingerprint, again.splits) == (
        log.name, log.start, log.fingerprint, log.splits
    )  # fmt: skip
    before, after = dict(log.named_columns()), dict(again.named_columns())
    assert list(after) == list(before)
    for name, column in before.items():
        assert after[name].dtype == column.dtype
        np.testing.assert_array_equal(after[name], column)
    for name, categorical in log.categorical.items():
        assert again.categorical[name].vocabulary.tolist() == categorical.vocabulary.tolist()
        assert again.categorical[name].cardinality == categorical.cardinality
    assert (again.items is not None) == full
    if log.items is not None and again.items is not None:
        assert again.items.item_id.tolist() == log.items.item_id.tolist()
        assert {name: column.tolist() for name, column in again.items.columns.items()} == {
            name: column.tolist() for name, column in log.items.columns.items()
        }


def test_a_saved_log_that_is_damaged_is_named(tmp_path: Path) -> None:
    save(small_log(), tmp_path)
    (tmp_path / "rows.parquet").write_bytes(b"no")
    with pytest.raises(InputError, match=r"^cannot read ") as refused:
        load(tmp_path)
    assert "\n" not in str(refused.value)


def test_columns_have_as_many_rows_as_labels() -> None:
    with pytest.raises(InputError, match=r"dense\.price has 2 rows, must have 3"):
        replace(small_log(), dense={"price": np.zeros(2, np.float32)})
    with pytest.raises(InputError, match="user has 1 rows, must have 3"):
        replace(small_log(), user=np.zeros(1, np.int64))
