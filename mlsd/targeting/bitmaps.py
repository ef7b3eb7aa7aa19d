"""Sets of rows as bits, 64 a word: row r is bit r % 64 of word r // 64, and bits past the last row are 0.

On a little-endian machine these bytes are also what `faiss.IDSelectorBitmap` reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlsd.types import Array, Ints

Words = NDArray[np.uint64]

WORD_BITS = 64
_DENSE = 0.1
"""Share of bits set above which NumPy finds them without branching, and skipping empty bytes costs time."""


def n_words(n_rows: int) -> int:
    """How many words hold `n_rows` bits."""
    return -(-n_rows // WORD_BITS)


def pack(flags: NDArray[np.bool_]) -> Words:
    """(..., n_words) bits of (..., n_rows) flags.

    Example:
        >>> pack(np.array([True, False, True])).tolist()
        [5]
    """
    n_rows = flags.shape[-1]
    packed = np.zeros((*flags.shape[:-1], 8 * n_words(n_rows)), np.uint8)
    packed[..., : -(-n_rows // 8)] = np.packbits(flags, axis=-1, bitorder="little")
    return packed.view(np.uint64)


def pack_rows(rows: Array, n_rows: int) -> Words:
    """(n_words,) bits of the rows that are listed.

    Example:
        >>> pack_rows(np.array([0, 64]), 65).tolist()
        [1, 1]
    """
    flags = np.zeros(n_rows, bool)
    flags[rows] = True
    return pack(flags)


def count(words: Words) -> int:
    """How many bits are set."""
    return int(np.bitwise_count(words).sum())


def rows_of(words: Words) -> Ints:
    """The rows whose bits are set, ascending.

    Example:
        >>> rows_of(np.array([5, 1], np.uint64)).tolist()
        [0, 2, 64]
    """
    if count(words) > _DENSE * WORD_BITS * len(words):
        return _set_bits(words.view(np.uint8))
    octets = words.view(np.uint8)
    filled = np.flatnonzero(octets.astype(bool))
    bits = _set_bits(octets[filled])
    rows: Ints = filled[bits >> 3]
    rows <<= 3
    rows |= bits & 7
    return rows


def first_rows_of(words: Words, n: int) -> Ints:
    """The first `n` rows whose bits are set, ascending; all where there are no more.

    Example:
        >>> first_rows_of(np.array([5, 1], np.uint64), 2).tolist()
        [0, 2]
    """
    enough = int(np.searchsorted(np.cumsum(np.bitwise_count(words), dtype=np.int64), n)) + 1
    return rows_of(words[:enough])[:n]


def _set_bits(octets: NDArray[np.uint8]) -> Ints:
    return np.asarray(np.flatnonzero(np.unpackbits(octets, bitorder="little").view(bool)), np.int64)
