"""The rows that list each value of a key: bits for frequent values, sorted postings for rare ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import ragged
from mlsd.targeting.bitmaps import WORD_BITS, Words, n_words, pack_rows
from mlsd.targeting.keys import ValueSets
from mlsd.types import Ints

_POSTING_WORDS = 2
"""Words that a posting takes: the place of a word of the bitmap, and the bits in it."""

_RARE = -1


@dataclass(frozen=True)
class Postings:
    """Value -> rows, in whichever form is smaller.

    A bitmap takes n_rows / 64 words, a posting two: rare is a value of at most n_rows / 128 postings.
    A posting is a word of the bitmap that is not 0: its place and its bits, ascending by place.

    Args:
        bitmap_of: (n_values,) the row of `bitmaps` that holds a frequent value; -1 for a rare one.
        bitmaps: (n_frequent, n_words).
        offsets: (n_values + 1,) of the postings; a frequent value has none.
        places: (n_postings,) int64, words of a bitmap.
        bits: (n_postings,) uint64, what is set in them.
    """

    bitmap_of: Ints
    bitmaps: Words
    offsets: Ints
    places: Ints
    bits: Words

    @staticmethod
    def of(sets: ValueSets, n_values: int) -> Postings:
        """Turn sets of values around.

        Args:
            sets: of each row.
            n_values: values are in [0, n_values).
        """
        n_rows, width = len(sets), n_words(len(sets))
        by_value = np.argsort(sets.codes, kind="stable")
        value, row = sets.codes[by_value], ragged.segment_ids(sets.offsets)[by_value]
        starts = np.flatnonzero(np.diff(value * width + row // WORD_BITS, prepend=-1))
        n_postings = np.bincount(value[starts], minlength=n_values)
        frequent = np.flatnonzero(n_postings * _POSTING_WORDS > width)
        bitmap_of = np.full(n_values, _RARE, np.int64)
        bitmap_of[frequent] = np.arange(len(frequent))
        bitmaps = np.zeros((len(frequent), width), np.uint64)
        rows_of_value = ragged.offsets_of_counts(np.bincount(value, minlength=n_values))
        for place, each in enumerate(frequent):
            bitmaps[place] = pack_rows(row[rows_of_value[each] : rows_of_value[each + 1]], n_rows)
        kept = bitmap_of[value[starts]] == _RARE
        masks = np.uint64(1) << (row % WORD_BITS).astype(np.uint64)
        bits = np.bitwise_or.reduceat(masks, starts)[kept] if len(starts) else np.zeros(0, np.uint64)
        offsets = ragged.offsets_of_counts(np.where(bitmap_of == _RARE, n_postings, 0))
        return Postings(bitmap_of, bitmaps, offsets, row[starts][kept] // WORD_BITS, bits)

    @property
    def nbytes(self) -> int:
        return sum(
            array.nbytes for array in (self.bitmap_of, self.bitmaps, self.offsets, self.places, self.bits)
        )

    def add(self, value: int, words: Words) -> None:
        """Set the bits of the rows that list a value."""
        if (place := self.bitmap_of[value]) != _RARE:
            words |= self.bitmaps[place]
        else:
            postings = slice(self.offsets[value], self.offsets[value + 1])
            words[self.places[postings]] |= self.bits[postings]

    def remove(self, value: int, words: Words) -> None:
        """Clear the bits of the rows that list a value."""
        if (place := self.bitmap_of[value]) != _RARE:
            words &= ~self.bitmaps[place]
        else:
            postings = slice(self.offsets[value], self.offsets[value + 1])
            words[self.places[postings]] &= ~self.bits[postings]
