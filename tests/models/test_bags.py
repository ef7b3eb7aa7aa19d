"""Bags of terms and their vectors."""

from __future__ import annotations

import numpy as np

from mlsd import rng
from mlsd.models.bags import Bags, normalised, products, rarity_of, vectors_of
from mlsd.text import Vocabulary

TEXTS = ["jazz piano jazz", "", "rock", "piano rock opera", "unknown"]
VOCABULARY = Vocabulary.of(TEXTS[:-1])
RARITY = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
BAGS = Bags.of(VOCABULARY.encode(TEXTS), RARITY)
TABLE = rng.normal(0, "table", np.arange(4)[:, None], np.arange(5)).astype(np.float32)


def test_terms_are_counted_once_and_unknown_ones_left_out() -> None:
    assert VOCABULARY.terms.tolist() == ["jazz", "opera", "piano", "rock"]
    assert BAGS.counts.tolist() == [2, 0, 1, 3, 0]
    assert BAGS.ids.tolist() == [0, 2, 3, 1, 2, 3]
    np.testing.assert_allclose(BAGS.weights, [1 + np.log(2), 3, 4, 2, 3, 4], rtol=1e-6)


def test_vectors_are_sums_of_length_one() -> None:
    summed = (1 + np.log(2)) * TABLE[0] + 3 * TABLE[2]
    vectors = vectors_of(BAGS, TABLE)
    np.testing.assert_allclose(vectors[0], summed / np.linalg.norm(summed), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1, 1, 0], rtol=1e-6)
    assert vectors.dtype == np.float32


def test_a_text_has_the_same_vector_in_any_company() -> None:
    together = vectors_of(BAGS, TABLE)
    for rows in ([3], [3, 0, 3], [4, 1]):
        np.testing.assert_array_equal(vectors_of(BAGS.take(np.array(rows)), TABLE), together[rows])


def test_taking_joining_and_emptying_texts() -> None:
    both = BAGS.take(np.array([0, 2])).followed_by(BAGS.take(np.array([3])))
    assert both.offsets.tolist() == [0, 2, 3, 6]
    assert both.ids.tolist() == [0, 2, 3, 1, 2, 3]
    emptied = both.without(np.array([True, False, False]))
    assert emptied.counts.tolist() == [0, 1, 3]
    assert emptied.ids.tolist() == [3, 1, 2, 3]


def test_rarity_counts_items_and_not_texts() -> None:
    titles, texts = VOCABULARY.encode(["jazz", "rock", ""]), VOCABULARY.encode(["jazz jazz", "jazz", "opera"])
    n = np.array([2, 1, 0, 1])
    np.testing.assert_allclose(rarity_of([titles, texts], 4), np.log(1 + (3.5 - n) / (n + 0.5)), rtol=1e-6)


def test_products_do_not_depend_on_their_company() -> None:
    vectors = normalised(rng.normal(0, "vectors", np.arange(9000)[:, None], np.arange(33)).astype(np.float32))
    rows, others = np.arange(9000), np.arange(9000)[::-1]
    together = products(vectors, rows, vectors, others)
    np.testing.assert_allclose(together, (vectors * vectors[::-1]).sum(axis=1), atol=1e-6)
    for some in (slice(5, 6), slice(4090, 4100), slice(0, 0)):
        np.testing.assert_array_equal(products(vectors, rows[some], vectors, others[some]), together[some])
