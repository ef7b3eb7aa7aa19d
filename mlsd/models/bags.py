"""Texts as weighted bags of terms, and their vectors. NumPy only: this is what serves a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mlsd import ragged
from mlsd.text import Terms
from mlsd.types import Array, Ints

Vectors = NDArray[np.float32]

_BLOCK_PAIRS = 4096
"""Products computed at once; changes no value."""


@dataclass(frozen=True)
class Bags:
    """The distinct terms of texts, ragged.

    Args:
        offsets: (n_texts + 1,) int64.
        ids: (n,) int64, rows of a vocabulary, ascending within a text.
        weights: (n,) float32, above 0.
    """

    offsets: Ints
    ids: Ints
    weights: Vectors

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Ints:
        """(n_texts,) distinct terms of each text."""
        return np.diff(self.offsets)

    def take(self, texts: Array) -> Bags:
        """The texts at these rows."""
        rows, offsets = ragged.take_segments(self.offsets, texts)
        return Bags(offsets, self.ids[rows], self.weights[rows])

    def without(self, texts: NDArray[np.bool_]) -> Bags:
        """The same texts, those where `texts` holds without any term."""
        kept = ~np.repeat(texts, self.counts)
        return Bags(ragged.offsets_of_mask(kept, self.offsets), self.ids[kept], self.weights[kept])

    def followed_by(self, other: Bags) -> Bags:
        """These texts, then the others."""
        offsets = np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]])
        ids, weights = np.concatenate([self.ids, other.ids]), np.concatenate([self.weights, other.weights])
        return Bags(offsets, ids, weights)

    @staticmethod
    def of(terms: Terms, rarity: Vectors) -> Bags:
        """Known terms weighted by (1 + log count in the text) * rarity.

        Args:
            terms: of each text; `UNKNOWN` ones are left out.
            rarity: (n_terms of the vocabulary,) see `rarity_of`.

        Example:
            >>> bags = Bags.of(Terms(np.array([0, 3]), np.array([1, 0, 1])), np.array([2.0, 1.0], np.float32))
            >>> bags.ids.tolist(), bags.weights.round(4).tolist()
            ([0, 1], [2.0, 1.6930999755859375])
        """
        known, width = terms.known(), max(len(rarity), 1)
        keys, counts = np.unique(ragged.segment_ids(known.offsets) * width + known.ids, return_counts=True)
        texts, ids = np.divmod(keys, width)
        weights = (1 + np.log(counts)) * rarity[ids]
        return Bags(np.searchsorted(texts, np.arange(len(terms) + 1)), ids, weights.astype(np.float32))


def rarity_of(texts: Sequence[Terms], n_terms: int) -> Vectors:
    """(n_terms,) log(1 + (n_items - n + 0.5) / (n + 0.5)), n being the items that hold the term.

    This is the idf of BM25 (Robertson and Zaragoza 2009), above 0 for every term.

    Args:
        texts: known terms of all items, once for every text an item has, such as its title.
        n_terms: of the vocabulary.

    Example:
        Of two items, one has term 0 twice, the other term 1: log(1 + 1.5 / 1.5).

        >>> titles = Terms(np.array([0, 1, 1]), np.array([0]))
        >>> texts = Terms(np.array([0, 1, 2]), np.array([0, 1]))
        >>> rarity_of([titles, texts], n_terms=2).round(4).tolist()
        [0.6930999755859375, 0.6930999755859375]
    """
    width, n_items = max(n_terms, 1), len(texts[0])
    holding = np.unique(
        np.concatenate([ragged.segment_ids(each.offsets) * width + each.ids for each in texts])
    )
    n_holding = np.bincount(holding % width, minlength=n_terms)
    return np.log1p((n_items - n_holding + 0.5) / (n_holding + 0.5)).astype(np.float32)


def vectors_of(bags: Bags, table: Vectors) -> Vectors:
    """(n_texts, dim) the weighted sum of each text's term vectors, of length 1; 0 for a text without terms.

    A text's terms are added in their own order, so its vector does not depend on the other texts.

    Args:
        bags: texts.
        table: (n_terms, dim) a vector for every term.
    """
    matrix = csr_array((bags.weights, bags.ids, bags.offsets), shape=(len(bags), len(table)))
    return normalised(matrix @ table)


def normalised(vectors: Vectors) -> Vectors:
    """The vectors divided by their lengths; 0 stays 0.

    Example:
        >>> normalised(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1)[:, None], dtype=np.float32)


def products(first: Vectors, rows: Ints, second: Vectors, others: Ints) -> Vectors:
    """(n_pairs,) inner products of `first[rows]` and `second[others]`, each summed in the same order.

    A matrix product would sum in an order that depends on its shape.
    """
    values = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK_PAIRS):
        pairs = slice(start, start + _BLOCK_PAIRS)
        of_first, of_second = first.take(rows[pairs], axis=0), second.take(others[pairs], axis=0)
        values[pairs] = np.einsum("ij,ij->i", of_first, of_second)
    return values
