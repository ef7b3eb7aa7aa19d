"""Feature hashing: the same everywhere, salted by field, and as even as chance."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlsd.datasets.hashing import hash_buckets
from mlsd.errors import InvalidValueError


def texts(n: int) -> np.ndarray:
    return np.array([f"10.0.{row // 256}.{row % 256}" for row in range(n)], object)


@given(st.lists(st.text()), st.integers(1, 1 << 40), st.integers(0, 99))
def test_a_bucket_is_a_function_of_field_and_value(values: list[str], n_buckets: int, seed: int) -> None:
    array = np.array(values, object)
    buckets = hash_buckets("ip", array, n_buckets, seed)
    assert buckets.shape == (len(values),)
    assert ((buckets >= 0) & (buckets < n_buckets)).all()
    alone = [hash_buckets("ip", np.array([value], object), n_buckets, seed)[0] for value in values]
    assert buckets.tolist() == alone


def test_another_process_with_another_hash_seed_agrees() -> None:
    code = (
        "import numpy as np; from mlsd.datasets.hashing import hash_buckets;"
        "print(hash_buckets('ip', np.array(['a', 'b', 'c'], object), 1 << 40).tolist())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in "12"
    }
    here = hash_buckets("ip", np.array(["a", "b", "c"], object), 1 << 40).tolist()
    assert answers == {f"{here}\n".encode()}


def test_the_buckets_are_what_they_were() -> None:
    """Saved models look them up: a change of these numbers is a change of every hashed column."""
    assert hash_buckets("ip", np.array(["a", "b"], object), 1_000_000).tolist() == FROZEN


FROZEN = [33_931, 261_527]


def test_integers_hash_as_their_digits() -> None:
    numbers = np.array([7, -7, 1 << 62])
    assert (
        hash_buckets("id", numbers, 1 << 30).tolist()
        == hash_buckets("id", numbers.astype(str).astype(object), 1 << 30).tolist()
    )


def test_buckets_are_filled_as_evenly_as_by_chance() -> None:
    """Chi-squared of 100,000 ids in 1,000 buckets; at 1e-4, a fixed computation that cannot flicker."""
    counts = np.bincount(hash_buckets("ip", texts(100_000), 1_000), minlength=1_000)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_fields_and_seeds_collide_in_different_values() -> None:
    """Of 20,000 ids, 1 in 1,000 has the same of 1,000 buckets in both: 20, less than 50 at 6 sd."""
    first = hash_buckets("ip", texts(20_000), 1_000)
    for other in (hash_buckets("model", texts(20_000), 1_000), hash_buckets("ip", texts(20_000), 1_000, 1)):
        assert np.count_nonzero(first == other) < 50


def test_there_must_be_a_bucket() -> None:
    with pytest.raises(InvalidValueError, match="n_buckets == 0, must be at least 1"):
        hash_buckets("ip", texts(1), 0)
