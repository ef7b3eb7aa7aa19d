"""Counter-based random numbers: every draw is a pure function of its seed, its stream and its keys.

A draw is named by what it is for (the stream) and whom it concerns (the key arrays). Two arms of an
experiment that show the same item to the same user therefore meet the same luck, and neither batch size,
order of work nor number of workers changes any draw. There is no state, global or otherwise.

    h = mix(seed, stream);  h = mix(h + C * key)  for each key;  uniform = (h >> 11) * 2**-53

`mix` is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014; constants of Stafford's variant 13).
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlsd.errors import InputError

Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]

MOST_MEAN = 500.0
"""Of a Poisson draw: e to the minus mean, where its sum begins, has to be a number above 0."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_BLOCK = 1 << 15


def hashes(seed: int, stream: str, *keys: ArrayLike) -> Hashes:
    """A 64-bit hash for every element of the broadcast key arrays.

    Args:
        seed: any integer; the run's seed.
        stream: what the draw is for, such as "clicks".
        keys: integer arrays that broadcast together, mixed in one after the other.

    Returns:
        uint64 array of the keys' broadcast shape; a scalar array when there are no keys.
    """
    state = np.asarray(_stream_hash(seed, stream))
    with np.errstate(over="ignore"):
        for key in keys:
            state = _mix_in(state, np.asarray(key))
    return state


def uniform(seed: int, stream: str, *keys: ArrayLike) -> Floats:
    """Uniform draws in [0, 1), one for every element of the broadcast keys.

    Example:
        >>> users = np.arange(3)
        >>> bool((uniform(0, "visits", users, 5)[1] == uniform(0, "visits", 1, 5)))
        True
    """
    return to_uniform(hashes(seed, stream, *keys))


def to_uniform(hashed: Hashes) -> Floats:
    """The top 53 bits of each hash as a float in [0, 1)."""
    return np.asarray((hashed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def normal(seed: int, stream: str, *keys: ArrayLike) -> Floats:
    """Standard normal draws by Box and Muller (1958), from two hashes of each key."""
    hashed = hashes(seed, stream, *keys)
    radius = np.sqrt(-2.0 * np.log1p(-to_uniform(hashed)))
    with np.errstate(over="ignore"):
        second = _mix(hashed + _GOLDEN)
    return radius * np.cos(2.0 * np.pi * to_uniform(second))


def exponential(seed: int, stream: str, *keys: ArrayLike) -> Floats:
    """Exponential draws with mean 1, by inversion."""
    return -np.log1p(-uniform(seed, stream, *keys))


def integers(seed: int, stream: str, n: ArrayLike, *keys: ArrayLike) -> NDArray[np.int64]:
    """Integers uniform in [0, n), with `n` a scalar or an array that broadcasts with the keys."""
    draws: NDArray[np.int64] = (uniform(seed, stream, *keys) * np.asarray(n)).astype(np.int64)
    return draws


def poisson(seed: int, stream: str, mean: ArrayLike, *keys: ArrayLike) -> NDArray[np.int64]:
    """Poisson draws by inversion, with `mean` a scalar or an array that broadcasts with the keys.

    Raises:
        InputError: a mean is above `MOST_MEAN`.

    Example:
        >>> poisson(7, "n_mutes", [0.0, 2.0, 40.0], np.arange(3)).tolist()
        [0, 1, 51]
    """
    luck = uniform(seed, stream, *keys)
    means = np.broadcast_to(np.asarray(mean, np.float64), luck.shape)
    if not np.all(means <= MOST_MEAN):
        raise InputError(f"mean of {stream} == {means.max():g}, must be at most {MOST_MEAN:g}")
    draws, term = np.zeros(luck.shape, np.int64), np.exp(-means)
    total, number = term.copy(), 0
    while np.any(open_ := (luck >= total) & (term > 0)):
        number += 1
        draws[open_] = number
        term = term * means / number
        total = total + term
    return draws


def choice(seed: int, stream: str, weights: ArrayLike, *keys: ArrayLike) -> NDArray[np.int64]:
    """Indices drawn with the given non-negative weights, by inverting their cumulative sum."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    draws = uniform(seed, stream, *keys) * cumulative[-1]
    return np.asarray(np.searchsorted(cumulative, draws, side="right"), dtype=np.int64)


def derive(seed: int, stream: str) -> int:
    """A 32-bit seed of its own for a library that wants one number."""
    return int(hashes(seed, stream) >> np.uint64(33))


def _stream_hash(seed: int, stream: str) -> np.uint64:
    digest = blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _mix_in(state: Hashes, key: NDArray[np.generic]) -> Hashes:
    """`mix(state + C * key)` in blocks that stay in the cache."""
    state, key = np.broadcast_arrays(state, key)
    if state.size <= _BLOCK:
        return _mix(state + key.astype(np.uint64) * _GOLDEN)
    mixed = np.empty(state.shape, dtype=np.uint64)
    flat_state, flat_key, flat_mixed = state.reshape(-1), key.reshape(-1), mixed.reshape(-1)
    for start in range(0, flat_mixed.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        flat_mixed[block] = _mix(flat_state[block] + flat_key[block].astype(np.uint64) * _GOLDEN)
    return mixed


def _mix(hashed: Hashes) -> Hashes:
    hashed = (hashed ^ (hashed >> np.uint64(30))) * _FIRST
    hashed = (hashed ^ (hashed >> np.uint64(27))) * _SECOND
    return hashed ^ (hashed >> np.uint64(31))
