"""Texts as weighted bags of terms, and their vectors. NumPy only: this is what serves a request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd import ragged
from mlsd.text import Terms
from mlsd.types import Array, Ints

Vectors = NDArray[np.float32]

_BLOCK_ROWS = 4096
"""Texts or pairs worked on at once; changes no value."""


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


def rarity_of(terms: Terms, n_terms: int) -> Vectors:
    """(n_terms,) log(1 + (n_texts - n + 0.5) / (n + 0.5)), n being the texts that hold the term.

    This is the idf of BM25 (Robertson and Zaragoza 2009), above 0 for every term.
    """
    keys = np.unique(ragged.segment_ids(terms.offsets) * max(n_terms, 1) + terms.ids)
    n_holding = np.bincount(keys % max(n_terms, 1), minlength=n_terms)
    return np.log1p((len(terms) - n_holding + 0.5) / (n_holding + 0.5)).astype(np.float32)


def vectors_of(bags: Bags, table: Vectors) -> Vectors:
    """(n_texts, dim) the weighted sum of each text's term vectors, of length 1; 0 for a text without terms.

    A text's vector does not depend on the other texts, to the last bit.

    Args:
        bags: texts.
        table: (n_terms, dim) a vector for every term.
    """
    blocks = [np.zeros((0, table.shape[1]), np.float32)]
    for start in range(0, len(bags), _BLOCK_ROWS):
        part = bags.take(np.arange(start, min(start + _BLOCK_ROWS, len(bags))))
        blocks.append(normalised(ragged.sums(table[part.ids] * part.weights[:, None], part.offsets)))
    return np.concatenate(blocks)


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
    for start in range(0, len(rows), _BLOCK_ROWS):
        pairs = slice(start, start + _BLOCK_ROWS)
        values[pairs] = np.einsum("ij,ij->i", first[rows[pairs]], second[others[pairs]])
    return values
