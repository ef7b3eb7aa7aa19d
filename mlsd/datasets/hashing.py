"""Ids without end as a bounded number of categories: feature hashing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.types import Array, Ints

_STREAM = "feature hashing"


def hash_buckets(field: str, values: Array, n_buckets: int, seed: int = 0) -> Ints:
    """(n,) the bucket, in [0, n_buckets), of each value of a field.

    h(field, value) mod n_buckets, with a 64-bit h: SipHash of the text, mixed with a hash of seed and field.
    The same value is in the same bucket in every process and on every machine, an integer in that of its
    decimal digits. The field salts the hash, so that two fields collide in different values. Two of n values
    share a bucket with probability 1 / n_buckets: about n**2 / (2 n_buckets) pairs do.

    An embedding is looked up for each bucket, so nothing is signed: the sign of the paper makes inner
    products of hashed vectors unbiased, which nobody takes here.

    Args:
        field: such as "device_ip".
        values: (n,) text or integers.
        n_buckets: 1 or more.
        seed: for another draw of the collisions.

    Raises:
        InvalidValueError: `n_buckets` is below 1.

    Source:
        Weinberger, Dasgupta, Langford, Smola and Attenberg, ICML 2009, section 2.

    Example:
        >>> ids = np.array(["10.0.0.1", "10.0.0.2", "10.0.0.1"], object)
        >>> buckets = hash_buckets("device_ip", ids, 1000)
        >>> bool(buckets[0] == buckets[2])
        True
    """
    checks.at_least("n_buckets", n_buckets, 1)
    codes, different = pd.factorize(values)
    texts = np.array([str(value) for value in different], object)
    hashed = rng.hashes(seed, f"{_STREAM}/{field}", pd.util.hash_array(texts, categorize=False))
    return np.asarray(hashed % np.uint64(n_buckets), np.uint64).astype(np.int64)[codes]
